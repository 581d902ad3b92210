/* The "rubin-too" adapter: a region and a strategy label as one record of lsst.scimma.too_alert, over a Kafka REST proxy, to Kafka itself (Avro for the
 * scheduler's topic, JSON for a topic of Hopskotch) or into a file database. One way: nobody answers, nothing can be withdrawn or changed; a second record of a source is passed over. Renders calls;
 * rubin_too_read.c reads the replies.
 *
 * A submission has two steps. The first looks whether the topic (or the file) is there; from its answer the record's timestamp and source are
 * noted, so that both are on disk before the record leaves, and no two records ever have the same. The second is the record. */
#include "facilities/rubin.h"
#include "engine/base/json.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TYPE_AVRO "application/vnd.kafka.avro.v2+json"

int64_t rubin_last_ms(const json_t *facility_memo)
{
	return json_int(facility_memo, "last_ms", 0);
}

/* Token of the request that a source went to, or NULL. */
static const char *sent_to(const json_t *facility_memo, const char *source)
{
	const json_t *pair;
	size_t i;
	json_array_foreach(json_object_get(facility_memo, "sent"), i, pair) {
		const char *one = json_string_value(json_array_get(pair, 0));
		if (one != NULL && strcmp(one, source) == 0)
			return json_string_value(json_array_get(pair, 1));
	}
	return NULL;
}

void rubin_source(const json_t *facility_memo, const char *event, const char *token, char out[64])
{
	const char *owner;
	snprintf(out, 64, "%.63s", event);
	for (int n = 2; n < 100 && (owner = sent_to(facility_memo, out)) != NULL && strcmp(owner, token) != 0; n++)
		snprintf(out, 64, "%.56s-v%d", event, n);
}

static bool is_transport(const struct facility_conf *conf, const char *name)
{
	return strcmp(json_text(rubin_settings(conf), "transport", "rest"), name) == 0;
}

static void call_begin(const struct facility_conf *conf, struct call *out, const char *method, const char *path)
{
	bool kafka = is_transport(conf, "kafka") || is_transport(conf, "hop");
	text_copy(out->url, sizeof out->url, rubin_is_file(conf) ? "exchange" : kafka ? "broker" : "proxy");
	text_copy(out->method, sizeof out->method, method);
	text_copy(out->path, sizeof out->path, path);
}

static int query_put(struct call *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int query_put(struct call *out, const char *format, ...)
{
	char query[400];
	va_list ap;
	va_start(ap, format);
	vsnprintf(query, sizeof query, format, ap);
	va_end(ap);
	out->query = strdup(query);
	return out->query != NULL ? 0 : -1;
}

/* Is the topic (the table) there? */
static int door_look(const struct facility_conf *conf, struct call *out)
{
	char path[300];
	if (rubin_is_file(conf)) {
		call_begin(conf, out, "GET", "/too_alert");
		return query_put(out, "columns=timestamp&newest=1");
	}
	snprintf(path, sizeof path, "/topics/%.249s", json_text(rubin_settings(conf), "topic", ""));
	call_begin(conf, out, "GET", path);
	return 0;
}

/* Nothing is asked of anybody: the record is built and judged here, and no verb means "taken". */
static int too_offer(const struct facility_conf *conf, const struct view *v, struct call *out, struct err *e)
{
	struct rubin_record r;
	(void)out;
	if (v->step != 0)
		return 1;
	if (is_transport(conf, "kafka") && json_int(rubin_settings(conf), "schema_id", 0) < 1)
		return err_set(e, ERR_INPUT, "%.60s: transport kafka needs too.schema_id, the number of the record's schema in the registry", conf->name);
	return rubin_record_make(conf, v, v->request->event, v->now_us / 1000, &r, e) < 0 ? -1 : 1;
}

/* The record as its door takes it. */
static int record_body(const struct facility_conf *conf, const struct rubin_record *r, struct call *out, struct err *e)
{
	bool plain = rubin_is_file(conf) || is_transport(conf, "hop");
	if (is_transport(conf, "kafka")) {
		out->body = rubin_avro_base64(r, (uint32_t)json_int(rubin_settings(conf), "schema_id", 0));
		out->body_len = out->body != NULL ? strlen(out->body) : 0;
		return out->body != NULL ? 0 : err_set(e, ERR_MEMORY, "no memory for a record");
	}
	json_t *body = plain ? rubin_record_json(r) : json_pack("{s:[{s:o}],s:s}", "records", "value", rubin_record_json(r), "value_schema", rubin_value_schema());
	out->body = body != NULL ? json_canonical(body) : NULL;
	json_decref(body);
	if (out->body == NULL)
		return err_set(e, ERR_MEMORY, "no memory for a record");
	out->body_len = strlen(out->body);
	return 0;
}

static int too_submit(const struct facility_conf *conf, const struct view *v, struct call *out, struct err *e)
{
	struct rubin_record r;
	const char *source = json_text(v->memo, "source", "");
	int64_t timestamp_ms = json_int(v->memo, "timestamp_ms", 0);
	if (v->step > 1)
		return 1;
	if (v->step == 0)
		return door_look(conf, out);
	if (source[0] == '\0' || timestamp_ms == 0)
		return err_set(e, ERR_INPUT, "request %s: its source and timestamp are not noted; submit it anew", v->request->token);
	if (rubin_record_make(conf, v, source, timestamp_ms, &r, e) < 0)
		return -1;
	bool file = rubin_is_file(conf), hop = is_transport(conf, "hop");
	char path[300];
	snprintf(path, sizeof path, "/topics/%.249s", json_text(rubin_settings(conf), "topic", ""));
	call_begin(conf, out, "POST", file ? "/too_alert" : path);
	text_copy(out->content_type, sizeof out->content_type, file || hop ? "application/json" : is_transport(conf, "kafka") ? "application/avro+base64" : TYPE_AVRO);
	out->once = true;
	if (hop && query_put(out, "header=_format:json%s", r.is_test ? "&header=_test:true" : "") < 0)
		return err_set(e, ERR_MEMORY, "no memory for a record");
	return record_body(conf, &r, out, e);
}

/* A file can be looked into: is the row there? A log cannot (on_doubt of the descriptor). */
static int too_find(const struct facility_conf *conf, const struct view *v, struct call *out, struct err *e)
{
	int64_t timestamp_ms = json_int(v->memo, "timestamp_ms", 0);
	(void)e;
	if (!rubin_is_file(conf) || v->request == NULL || v->step != 0)
		return 1;
	call_begin(conf, out, "GET", "/too_alert");
	return query_put(out, "columns=timestamp,source&after=%lld&limit=1", (long long)timestamp_ms - 1);
}

#define MJD_UNIX 40587.0

/* A feed of all does not exist. Of one request a file shows the visits, page by page; a log shows nothing, but the request's time may be up. */
static int too_poll(const struct facility_conf *conf, const struct view *v, struct call *out, struct err *e)
{
	(void)e;
	if (v->request == NULL || v->step >= LIMIT_PAGES || (v->step > 0 && !rubin_is_file(conf)))
		return 1;
	if (!rubin_is_file(conf))
		return door_look(conf, out);
	call_begin(conf, out, "GET", "/observations");
	double mjd = v->request->event_us != UTC_NONE ? (double)v->request->event_us / (double)UTC_DAY + MJD_UNIX : 0;
	return query_put(out, "columns=%s&least=observationStartMJD:%.6f&after=%lld&limit=%d", rubin_visit_columns(), mjd,
			 (long long)json_int(v->memo, "after", 0), RUBIN_PAGE);
}

static int too_status(const struct facility_conf *conf, const struct view *v, struct call *out, struct err *e)
{
	(void)e;
	return v->step != 0 ? 1 : door_look(conf, out);
}

const struct facility_ops facility_rubin_too = {
	.abi = FACILITY_ABI, .name = "rubin-too", .file_schema = rubin_file_schema,
	.offer = too_offer, .submit = too_submit, .find = too_find, .poll = too_poll, .status = too_status, .read = rubin_too_read,
};

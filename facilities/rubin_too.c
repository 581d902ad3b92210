/* The "rubin-too" adapter: a region and a strategy label as one record of lsst.scimma.too_alert. One way: nobody answers, nothing can be
 * withdrawn or changed; a second record of a source is passed over. Renders calls; rubin_too_read.c reads the replies.
 *
 * A submission has two steps. The first looks whether the topic (or the file) is there; from its answer the record's timestamp and source are
 * noted, so that both are on disk before the record leaves, and no two records ever have the same. The second is the record. */
#include "facilities/rubin.h"
#include "engine/base/json.h"
#include "engine/base/text.h"
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

static void call_begin(struct call *out, const char *method, const char *path)
{
	text_copy(out->url, sizeof out->url, "proxy");
	text_copy(out->method, sizeof out->method, method);
	text_copy(out->path, sizeof out->path, path);
}

/* Is the topic there? */
static int topic_look(const struct facility_conf *conf, struct call *out)
{
	char path[300];
	snprintf(path, sizeof path, "/topics/%.249s", json_text(rubin_settings(conf), "topic", ""));
	call_begin(out, "GET", path);
	return 0;
}

/* Nothing is asked of anybody: the record is built and judged here, and no verb means "taken". */
static int too_offer(const struct facility_conf *conf, const struct view *v, struct call *out, struct err *e)
{
	struct rubin_record r;
	(void)out;
	if (v->step != 0)
		return 1;
	return rubin_record_make(conf, v, v->request->event, v->now_us / 1000, &r, e) < 0 ? -1 : 1;
}

static int record_body(const struct rubin_record *r, struct call *out, struct err *e)
{
	json_t *body = json_pack("{s:[{s:o}],s:s}", "records", "value", rubin_record_json(r), "value_schema", rubin_value_schema());
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
	topic_look(conf, out);
	if (v->step == 0)
		return 0;
	if (source[0] == '\0' || timestamp_ms == 0)
		return err_set(e, ERR_INPUT, "request %s: its source and timestamp are not noted; submit it anew", v->request->token);
	if (rubin_record_make(conf, v, source, timestamp_ms, &r, e) < 0)
		return -1;
	text_copy(out->method, sizeof out->method, "POST");
	text_copy(out->content_type, sizeof out->content_type, TYPE_AVRO);
	out->once = true;
	return record_body(&r, out, e);
}

/* A feed of all does not exist; of one request nothing is to be heard here either, but its time may be up. */
static int too_poll(const struct facility_conf *conf, const struct view *v, struct call *out, struct err *e)
{
	(void)e;
	if (v->request == NULL || v->step != 0)
		return 1;
	return topic_look(conf, out);
}

static int too_status(const struct facility_conf *conf, const struct view *v, struct call *out, struct err *e)
{
	(void)e;
	return v->step != 0 ? 1 : topic_look(conf, out);
}

const struct facility_ops facility_rubin_too = {
	.abi = FACILITY_ABI, .name = "rubin-too",
	.offer = too_offer, .submit = too_submit, .poll = too_poll, .status = too_status, .read = rubin_too_read,
};

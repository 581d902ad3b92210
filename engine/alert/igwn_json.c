/* LVK igwn.gwalert (igwn_gwalert_schema 1.3.0 and the earlier v1_0; JSON as GCN sends it, Avro as Hopskotch does) → struct alert.
 * What cannot be understood but does no harm is taken as unknown and noted in refs; only what decides (id, kind, time) is refused. */
#include "engine/alert/format.h"
#include "engine/base/hash.h"
#include "engine/base/json.h"
#include "engine/base/utc.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool igwn_json_is(const struct heard *h)
{
	if (!json_is_object(h->json))
		return false;
	return json_object_get(h->json, "superevent_id") != NULL ||
		(json_object_get(h->json, "alert_type") != NULL && json_object_get(h->json, "event") != NULL);
}

static const char *kind_of(const json_t *v)
{
	return v == NULL ? "missing" : json_is_null(v) ? "null" : json_is_string(v) ? "a string" : json_is_number(v) ? "a number"
		: json_is_object(v) ? "an object" : json_is_array(v) ? "an array" : "true or false";
}

static void note(struct alert *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void note(struct alert *a, const char *format, ...)
{
	char raw[200], text[400];
	va_list ap;
	va_start(ap, format);
	vsnprintf(raw, sizeof raw, format, ap);
	va_end(ap);
	text_escape(text, sizeof text, raw, strlen(raw));
	alert_ref(a, "note", "text", text);
}

/* Text of a short, printable string; "" with a note for anything else. */
static void take_text(struct alert *a, const json_t *object, const char *key, char *out, size_t size)
{
	const json_t *v = json_object_get(object, key);
	out[0] = '\0';
	if (v == NULL || json_is_null(v))
		return;
	if (!json_is_string(v) || !text_printable(json_string_value(v), json_string_length(v), size - 1))
		note(a, "event.%s is %s that is not a printable text of at most %zu bytes: taken as unknown", key, kind_of(v), size - 1);
	else
		text_copy(out, size, json_string_value(v));
}

static int take_identity(const json_t *root, struct alert *a, struct err *e)
{
	const json_t *id = json_object_get(root, "superevent_id");
	if (!json_is_string(id))
		return err_set(e, ERR_INPUT, "igwn.gwalert: superevent_id is %s: an alert without its event's id cannot be followed; ask the sender",
			kind_of(id));
	if (!text_printable(json_string_value(id), json_string_length(id), LIMIT_EVENT_ID))
		return err_set(e, ERR_INPUT, "igwn.gwalert: superevent_id is empty, unprintable or over %d bytes", LIMIT_EVENT_ID);
	text_copy(a->event, sizeof a->event, json_string_value(id));
	if (a->event[0] != 'S') {
		char prefix[8] = "";
		size_t n = strcspn(a->event, "0123456789");
		snprintf(prefix, sizeof prefix, "%.*s", n < 7 ? (int)n : 7, a->event);
		alert_test(a, "id prefix %s", prefix);
	}
	const char *type = json_text(root, "alert_type", NULL);
	if (type == NULL)
		return err_set(e, ERR_INPUT, "igwn.gwalert %s: alert_type is %s", a->event, kind_of(json_object_get(root, "alert_type")));
	for (int t = 0; t < ALERT_TYPES; t++) {
		if (strcmp(type, alert_type_name((enum alert_type)t)) == 0) {
			a->type = (enum alert_type)t;
			return 0;
		}
	}
	char shown[64];
	text_escape(shown, sizeof shown, type, strlen(type));
	return err_set(e, ERR_INPUT, "igwn.gwalert %s: alert_type \"%s\" is not one of EARLYWARNING PRELIMINARY INITIAL UPDATE RETRACTION",
		a->event, shown);
}

static int take_time(const json_t *object, const char *key, bool needed, const struct alert *a, int64_t *out, struct err *e)
{
	const json_t *v = json_object_get(object, key);
	if (!json_is_string(v)) {
		if (!needed && (v == NULL || json_is_null(v)))
			return 0;
		return err_set(e, ERR_INPUT, "igwn.gwalert %s: %s is %s, not an ISO 8601 time", a->event, key, kind_of(v));
	}
	if (utc_parse(json_string_value(v), out, e) < 0)
		return err_wrap(e, "igwn.gwalert %s: %s", a->event, key);
	return 0;
}

/* Copies the numeric members (probabilities); anything else is noted and left out. */
static void take_numbers(struct alert *a, const json_t *event, const char *key, json_t *out)
{
	const json_t *from = json_object_get(event, key);
	const char *name;
	json_t *v;
	if (from != NULL && !json_is_null(from) && !json_is_object(from))
		note(a, "event.%s is %s, not an object: taken as unknown", key, kind_of(from));
	json_object_foreach((json_t *)from, name, v) {
		if (json_is_number(v) && strlen(name) <= 64)
			json_object_set_new(out, name, json_real(json_number_value(v)));
		else if (!json_is_null(v))
			note(a, "event.%s.%.64s is %s, not a number: taken as unknown", key, name, kind_of(v));
	}
}

static void take_instruments(struct alert *a, const json_t *event)
{
	const json_t *from = json_object_get(event, "instruments"), *v;
	size_t i;
	json_array_foreach(from, i, v)
		if (json_is_string(v) && json_array_size(a->instruments) < 16 && json_string_length(v) <= 16)
			json_array_append(a->instruments, (json_t *)v);
	if (from != NULL && json_array_size(from) != json_array_size(a->instruments))
		note(a, "event.instruments holds what is not a detector's name: left out");
}

static int take_event(const json_t *root, struct alert *a, struct err *e)
{
	const json_t *event = json_object_get(root, "event"), *v;
	if (event == NULL || json_is_null(event))
		return 0; /* a retraction says nothing more; of another kind: everything is unknown */
	if (!json_is_object(event))
		return err_set(e, ERR_INPUT, "igwn.gwalert %s: event is %s, not an object", a->event, kind_of(event));
	if (take_time(event, "time", false, a, &a->time_us, e) < 0)
		return -1;
	v = json_object_get(event, "far");
	if (json_is_number(v) && json_number_value(v) >= 0)
		a->far_hz = json_number_value(v);
	else if (v != NULL && !json_is_null(v))
		note(a, "event.far is %s that is no rate: taken as unknown", kind_of(v));
	v = json_object_get(event, "significant");
	if (json_is_boolean(v))
		a->significant = json_is_true(v);
	else if (v != NULL && !json_is_null(v))
		note(a, "event.significant is %s, not true or false: taken as unknown", kind_of(v));
	take_text(a, event, "group", a->group, sizeof a->group);
	take_text(a, event, "search", a->search, sizeof a->search);
	take_text(a, event, "pipeline", a->pipeline, sizeof a->pipeline);
	take_numbers(a, event, "classification", a->classification);
	take_numbers(a, event, "properties", a->properties);
	take_instruments(a, event);
	if (strcmp(a->search, "MDC") == 0)
		alert_test(a, "search MDC");
	return 0;
}

/* The coincidence without its map; gcn_notice_id is text whether it came as number or as text. */
static void take_external(const json_t *root, struct alert *a)
{
	const json_t *from = json_object_get(root, "external_coinc");
	if (from == NULL || json_is_null(from))
		return;
	if (!json_is_object(from)) {
		note(a, "external_coinc is %s, not an object: taken as none", kind_of(from));
		return;
	}
	json_decref(a->external);
	a->external = json_copy((json_t *)from);
	json_object_del(a->external, "combined_skymap");
	const json_t *id = json_object_get(from, "gcn_notice_id");
	if (json_is_integer(id)) {
		char text[32];
		snprintf(text, sizeof text, "%lld", (long long)json_integer_value(id));
		json_object_set_new(a->external, "gcn_notice_id", json_string(text));
	}
}

/* Links are kept, and never followed unless the configuration allows the host. */
static void take_urls(const json_t *root, struct alert *a)
{
	const json_t *urls = json_object_get(root, "urls");
	const char *name;
	json_t *v;
	json_object_foreach((json_t *)urls, name, v) {
		if (!json_is_string(v) || strlen(name) > 64 || !text_printable(json_string_value(v), json_string_length(v), 2048)) {
			note(a, "urls.%.64s is not a printable text of at most 2048 bytes: left out", name);
			continue;
		}
		alert_ref(a, name, "url", json_string_value(v));
		char host[100] = "";
		const char *at = strstr(json_string_value(v), "://");
		if (at != NULL)
			snprintf(host, sizeof host, "%.*s", (int)strcspn(at + 3, "/"), at + 3);
		if (strstr(host, "playground") != NULL)
			alert_test(a, "url %s", host);
	}
}

/* The map's bytes, given: of Avro as they are, of JSON out of base64. */
static int map_bytes(const struct heard *h, struct span s, struct alert *a, struct err *e)
{
	if (!h->avro)
		return skim_base64(s, LIMIT_MAP_COMPRESSED, &a->map, &a->map_len, e);
	a->map = malloc(s.len);
	if (a->map == NULL)
		return err_set(e, ERR_MEMORY, "no memory for %zu bytes", s.len);
	memcpy(a->map, s.at, s.len);
	a->map_len = s.len;
	return 0;
}

static int map_from(const struct heard *h, struct span s, const char *kind, struct alert *a)
{
	struct err e = {0};
	if (s.at == NULL || s.len == 0)
		return 0;
	if (map_bytes(h, s, a, &e) == 0 && a->map_len > 0) {
		hash_sha256_hex(a->map, a->map_len, a->map_sha256);
		text_copy(a->map_kind, sizeof a->map_kind, kind);
		return 1;
	}
	free(a->map);
	a->map = NULL;
	a->map_len = 0;
	snprintf(a->map_error, sizeof a->map_error, "%s: %.120s", kind, e.text[0] ? e.text : "empty");
	alert_ref(a, "map_error", "text", a->map_error);
	return 0;
}

static void take_map(const struct heard *h, struct alert *a)
{
	static const char *const at[][2] = {{"event", "skymap"}, {"external_coinc", "combined_skymap"}};
	const json_t *urls = json_object_get(h->json, "urls");
	bool combined = map_from(h, h->combined, "combined", a);
	if (!combined)
		map_from(h, h->skymap, "skymap", a);
	for (int i = 0; i < 2; i++) {
		const json_t *v = json_object_get(json_object_get(h->json, at[i][0]), at[i][1]);
		if (v != NULL && !json_is_null(v) && !json_is_string(v)) {
			snprintf(a->map_error, sizeof a->map_error, "%s.%s is %s, not base64 text", at[i][0], at[i][1], kind_of(v));
			alert_ref(a, "map_error", "text", a->map_error);
		}
	}
	const char *url = json_text(urls, "combined_skymap", NULL);
	bool by_url = url != NULL && (combined || a->map == NULL);
	if (!by_url)
		url = json_text(urls, "skymap", NULL);
	if (url != NULL && text_printable(url, strlen(url), sizeof a->map_url - 1))
		text_copy(a->map_url, sizeof a->map_url, url);
	if (a->map == NULL && a->map_url[0] != '\0')
		text_copy(a->map_kind, sizeof a->map_kind, by_url ? "combined" : "skymap");
}

int igwn_json_decode(const struct heard *h, struct alert *a, struct err *e)
{
	text_copy(a->source, sizeof a->source, "lvk");
	text_copy(a->kind, sizeof a->kind, "GW");
	if (take_identity(h->json, a, e) < 0 || take_time(h->json, "time_created", true, a, &a->created_us, e) < 0)
		return -1;
	if (take_event(h->json, a, e) < 0)
		return -1;
	take_external(h->json, a);
	take_urls(h->json, a);
	take_map(h, a);
	return 0;
}

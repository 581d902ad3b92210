/* The door for alert bytes: looks at them, picks the decoder from one table, and writes the normal form. */
#include "engine/alert/avro.h"
#include "engine/alert/format.h"
#include "engine/base/hash.h"
#include "engine/base/json.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char *alert_type_name(enum alert_type type)
{
	static const char *const names[ALERT_TYPES] = {"EARLYWARNING", "PRELIMINARY", "INITIAL", "UPDATE", "RETRACTION"};
	must(type >= 0 && type < ALERT_TYPES);
	return names[type];
}

void alert_ref(struct alert *a, const char *type, const char *key, const char *value)
{
	json_array_append_new(a->refs, json_pack("{s:s,s:s}", "type", type, key, value));
}

void alert_test(struct alert *a, const char *format, ...)
{
	char raw[160], reason[240];
	va_list ap;
	va_start(ap, format);
	vsnprintf(raw, sizeof raw, format, ap);
	va_end(ap);
	text_escape(reason, sizeof reason, raw, strlen(raw));
	json_t *text = json_string(reason);
	size_t i;
	json_t *known;
	a->is_test = true;
	if (json_array_size(a->test_reasons) >= LIMIT_TEST_REASONS) { /* each is compared with all before it */
		json_decref(text);
		return;
	}
	json_array_foreach(a->test_reasons, i, known) {
		if (json_equal(known, text)) {
			json_decref(text);
			return;
		}
	}
	json_array_append_new(a->test_reasons, text);
}

/* ---- what it looks like ---- */
static bool begins(const struct heard *h, const char *magic)
{
	return h->len >= strlen(magic) && strncasecmp(h->bytes, magic, strlen(magic)) == 0;
}

static bool holds(const struct heard *h, const char *word)
{
	size_t n = strlen(word);
	for (size_t i = 0; i + n <= h->len && i < 2048; i++)
		if (memcmp(h->bytes + i, word, n) == 0)
			return true;
	return false;
}

static bool has(const struct heard *h, const char *key)
{
	return json_object_get(h->json, key) != NULL;
}

static bool is_avro(const struct heard *h) { return h->avro; }
static bool is_confluent(const struct heard *h) { return h->len > 5 && memcmp(h->bytes, "\0\0\0", 3) == 0; }
static bool is_html(const struct heard *h) { return begins(h, "<!doctype html") || begins(h, "<html"); }
static bool is_voevent(const struct heard *h) { return begins(h, "<") && holds(h, "VOEvent"); }
static bool is_xml(const struct heard *h) { return begins(h, "<"); }
static bool is_fits(const struct heard *h) { return begins(h, "SIMPLE  ="); }
static bool is_gzip(const struct heard *h) { return begins(h, "\x1f\x8b"); }
static bool is_gcn_text(const struct heard *h) { return begins(h, "TITLE:") || begins(h, "//////"); }
static bool is_gcn_binary(const struct heard *h) { return h->len == 160 && memchr(h->bytes, '\0', 4) != NULL; }
static bool is_circular(const struct heard *h) { return has(h, "circularId"); }
static bool is_offload(const struct heard *h) { return has(h, "url") && json_object_size(h->json) == 1; }
static bool is_envelope(const struct heard *h) { return has(h, "format") && has(h, "content"); }
static bool is_heartbeat(const struct heard *h) { return has(h, "beat") || (has(h, "alert_datetime") && json_object_size(h->json) == 2); }
static bool is_gcn_notice(const struct heard *h) { return strstr(json_text(h->json, "$schema", ""), "gcn") != NULL; }
static bool is_hermes(const struct heard *h) { return has(h, "message_text") && has(h, "title"); }
static bool is_list(const struct heard *h) { return json_is_array(h->json); }
static bool is_json(const struct heard *h) { return h->json != NULL; }

/* Order matters: the first that says yes. A new format is a decoder file and a line here. */
static const struct alert_format formats[] = {
	{"LVK igwn.gwalert (JSON, Avro)", igwn_json_is, igwn_json_decode},
	{"an Avro file of an unknown kind", is_avro, NULL},
	{"a GCN circular (JSON)", is_circular, NULL},
	{"a GCN notice (unified JSON schema)", is_gcn_notice, NULL},
	{"a heartbeat", is_heartbeat, NULL},
	{"a Hermes message", is_hermes, NULL},
	{"a Hopskotch message stored elsewhere (external)", is_offload, NULL},
	{"a legacy Hopskotch envelope", is_envelope, NULL},
	{"a JSON list", is_list, NULL},
	{"JSON of an unknown kind", is_json, NULL},
	{"an HTML page (an error page saved as an alert?)", is_html, NULL},
	{"a VOEvent (XML)", is_voevent, NULL},
	{"XML of an unknown kind", is_xml, NULL},
	{"a FITS file (a sky map? try `slew area`)", is_fits, NULL},
	{"gzip-compressed data", is_gzip, NULL},
	{"a GCN classic text notice", is_gcn_text, NULL},
	{"a GCN classic binary packet", is_gcn_binary, NULL},
	{"Confluent-framed Avro (Rubin alerts are)", is_confluent, NULL},
};

static int unknown(const struct heard *h, const char *looks, struct err *e)
{
	char first[64];
	if (h->len == 0)
		return err_set(e, ERR_INPUT, "alert: no bytes; give an alert such as LVK igwn.gwalert JSON");
	text_escape(first, sizeof first, h->bytes, h->len < 32 ? h->len : 32);
	if (looks == NULL)
		return err_set(e, ERR_INPUT, "alert: %zu bytes of no known format (they begin with \"%s\"); formats read: %s", h->len, first,
			formats[0].name);
	return err_set(e, ERR_INPUT, "alert: this looks like %s, which this version does not read (it begins with \"%s\"); formats read: %s",
		looks, first, formats[0].name);
}

/* Words of a topic that mean a test, a word being letters between anything else: "igwn.gwalert-playground", not "latest". */
static void topic_signs(struct alert *a, const char *topic)
{
	static const char *const words[] = {"test", "tests", "testing", "playground", "mock", "mdc", "firedrill", "dev", "sim", "simulated"};
	for (const char *p = topic; *p != '\0';) {
		size_t n = 0;
		while (isalpha((unsigned char)p[n]))
			n++;
		for (size_t i = 0; n > 0 && i < sizeof words / sizeof words[0]; i++)
			if (strlen(words[i]) == n && strncasecmp(p, words[i], n) == 0)
				alert_test(a, "topic %.100s", topic);
		p += n + (p[n] != '\0');
	}
}

static int alert_start(struct alert *a, struct err *e)
{
	*a = (struct alert){.significant = -1, .far_hz = NAN, .ra_deg = NAN, .dec_deg = NAN, .error_deg = NAN, .error_level = NAN,
		.created_us = UTC_NONE, .time_us = UTC_NONE};
	a->test_reasons = json_array();
	a->classification = json_object();
	a->properties = json_object();
	a->instruments = json_array();
	a->external = json_null();
	a->refs = json_array();
	if (!a->test_reasons || !a->classification || !a->properties || !a->instruments || !a->refs)
		return err_set(e, ERR_MEMORY, "alert: no memory");
	return 0;
}

void alert_free(struct alert *a)
{
	json_decref(a->test_reasons);
	json_decref(a->classification);
	json_decref(a->properties);
	json_decref(a->instruments);
	json_decref(a->external);
	json_decref(a->refs);
	free(a->map);
	*a = (struct alert){0};
}

static int decode_by_table(const struct heard *h, struct alert *out, struct err *e)
{
	for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
		if (!formats[i].is(h))
			continue;
		return formats[i].decode != NULL ? formats[i].decode(h, out, e) : unknown(h, formats[i].name, e);
	}
	return unknown(h, NULL, e);
}

/* Reads the JSON or Avro (without its maps) into h->json; NULL stays for what begins like neither. */
static int hear_json(struct heard *h, struct text *rest, struct err *e)
{
	struct skim_cut cuts[] = {{"event", "skymap", {0}}, {"external_coinc", "combined_skymap", {0}}};
	size_t i = 0;
	h->avro = begins(h, "Obj\001");
	if (h->avro) {
		h->json = avro_file_read(h->bytes, h->len, cuts, 2, e);
		h->skymap = cuts[0].found;
		h->combined = cuts[1].found;
		return h->json != NULL ? 0 : err_wrap(e, "alert");
	}
	while (i < h->len && isspace((unsigned char)h->bytes[i]))
		i++;
	if (i == h->len || (h->bytes[i] != '{' && h->bytes[i] != '['))
		return 0;
	if (skim(h->bytes, h->len, cuts, 2, rest, e) < 0)
		return -1;
	h->skymap = cuts[0].found;
	h->combined = cuts[1].found;
	h->json = json_read(rest->data, rest->len, &json_limits_alert, e);
	return h->json != NULL ? 0 : err_wrap(e, "alert (its maps left out)");
}

int alert_decode(const void *bytes, size_t len, const char *hint, struct alert *out, struct err *e)
{
	struct heard h = {.bytes = bytes, .len = len, .topic = hint ? hint : ""};
	struct text rest = {.max = LIMIT_ALERT_BYTES + 16};
	*out = (struct alert){0};
	if (len > LIMIT_ALERT_BYTES)
		return err_set(e, ERR_LIMIT, "alert of %zu bytes is over the limit of %u", len, LIMIT_ALERT_BYTES);
	if (len >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) { /* a byte order mark is no harm */
		h.bytes += 3;
		h.len -= 3;
	}
	int rc = alert_start(out, e);
	if (rc == 0)
		rc = hear_json(&h, &rest, e);
	if (rc == 0) {
		hash_sha256_hex(bytes, len, out->sha256);
		topic_signs(out, h.topic);
		rc = decode_by_table(&h, out, e);
	}
	json_decref((json_t *)h.json);
	text_free(&rest);
	if (rc < 0)
		alert_free(out);
	return rc;
}

/* ---- the normal form ---- */
static json_t *text_or_null(const char *s)
{
	return s != NULL && s[0] != '\0' ? json_string(s) : json_null();
}

static json_t *time_or_null(int64_t utc_us)
{
	char out[32];
	return utc_us == UTC_NONE ? json_null() : json_string(utc_format(out, utc_us));
}

static json_t *map_json(const struct alert *a)
{
	if (a->map == NULL && a->map_url[0] == '\0')
		return json_null();
	return json_pack("{s:o,s:o,s:o,s:o}", "sha256", text_or_null(a->map_sha256), "kind", text_or_null(a->map_kind), "url",
		text_or_null(a->map_url), "bytes", a->map ? json_integer((json_int_t)a->map_len) : json_null());
}

json_t *alert_json(const struct alert *a, const char *stream)
{
	char heard[512] = "";
	if (stream != NULL) /* a file's name may hold any bytes */
		text_escape(heard, sizeof heard, stream, strlen(stream));
	json_t *key = json_pack("[o,i,s]", time_or_null(a->created_us), (int)a->type, a->sha256);
	json_t *position = json_pack("{s:o,s:o,s:o,s:o}", "ra_deg", json_real_or_null(a->ra_deg), "dec_deg", json_real_or_null(a->dec_deg),
		"error_deg", json_real_or_null(a->error_deg), "level", json_real_or_null(a->error_level));
	json_t *significant = a->significant < 0 ? json_null() : json_boolean(a->significant);
	json_t *out = json_pack("{s:s,s:s,s:o,s:s,s:s,s:o,s:o,s:o,s:O,s:o,s:o}", "schema", "alert/1", "source", a->source, "stream",
		text_or_null(heard), "event", a->event, "type", alert_type_name(a->type), "revision_key", key, "time_utc",
		time_or_null(a->time_us), "created_utc", time_or_null(a->created_us), "is_test", a->test_reasons, "far_hz",
		json_real_or_null(a->far_hz), "significant", significant);
	json_t *more = json_pack("{s:O,s:O,s:o,s:o,s:O,s:o,s:o,s:o,s:O,s:O}", "classification", a->classification, "properties", a->properties,
		"position", position, "map", map_json(a), "instruments", a->instruments, "group", text_or_null(a->group), "search",
		text_or_null(a->search), "pipeline", text_or_null(a->pipeline), "external", a->external, "refs", a->refs);
	must_memory(out != NULL && more != NULL);
	json_object_update(out, more);
	json_decref(more);
	return out;
}

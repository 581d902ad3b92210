/* LVK alerts, good and broken: what is kept, what is refused, and that no bytes do harm. */
#include "test.h"
#include "engine/alert/alert.h"
#include "engine/alert/skim.h"
#include "engine/base/json.h"
#include "engine/base/schema.h"
#include "engine/base/utc.h"
#include <math.h>

/* "SIMPLE" in base64 is U0lNUExF; "other" is b3RoZXI=. */
static const char good[] =
	"{\"alert_type\":\"INITIAL\",\"time_created\":\"2026-06-05T12:01:07Z\",\"superevent_id\":\"S260605l\","
	"\"urls\":{\"gracedb\":\"https://gracedb.ligo.org/superevents/S260605l/view/\",\"skymap\":\"https://g/a.fits,1\"},"
	"\"event\":{\"time\":\"2026-06-05T11:57:26.395\",\"far\":5e-16,\"significant\":true,\"instruments\":[\"H1\",\"L1\"],\"group\":\"CBC\","
	"\"pipeline\":\"gstlal\",\"search\":\"AllSky\",\"properties\":{\"HasNS\":1.0},\"classification\":{\"BNS\":0.9,\"Terrestrial\":0.1},"
	"\"duration\":null,\"skymap\":\"U0lNUExF\"},\"external_coinc\":null}";

/* Decodes `good` with the first `from` replaced by `to`; returns alert_decode's answer. */
static int decode(const char *from, const char *to, const char *topic, struct alert *a, struct err *e)
{
	struct text t = {.max = 1 << 20};
	const char *hit = from ? strstr(good, from) : NULL;
	if (from != NULL)
		assert_non_null(hit);
	text_add(&t, good, hit ? (size_t)(hit - good) : sizeof good - 1);
	if (hit != NULL) {
		text_puts(&t, to);
		text_puts(&t, hit + strlen(from));
	}
	int rc = alert_decode(t.data, t.len, topic, a, e);
	text_free(&t);
	if (rc == 0) {
		struct err bad = {0};
		json_t *normal = alert_json(a, topic);
		assert_ok(schema_check_embedded("schemas/alert.schema.json", normal, NULL, 0, &bad), &bad);
		json_decref(normal);
	}
	return rc;
}

static bool noted(const json_t *refs, const char *word)
{
	size_t i;
	json_t *ref;
	json_array_foreach(refs, i, ref)
		if (strstr(json_text(ref, "text", ""), word) != NULL)
			return true;
	return false;
}

static void an_alert_is_read(void **state)
{
	(void)state;
	struct alert a;
	struct err e = {0};
	char out[32];
	assert_ok(decode(NULL, NULL, "igwn.gwalert", &a, &e), &e);
	assert_string_equal(a.source, "lvk");
	assert_string_equal(a.event, "S260605l");
	assert_int_equal(a.type, ALERT_INITIAL);
	assert_string_equal(utc_format(out, a.time_us), "2026-06-05T11:57:26.395000Z"); /* a naive time is UTC */
	assert_false(a.is_test);
	assert_int_equal(a.significant, 1);
	assert_true(a.far_hz == 5e-16);
	assert_int_equal(a.map_len, 6);
	assert_memory_equal(a.map, "SIMPLE", 6);
	assert_string_equal(a.map_kind, "skymap");
	assert_string_equal(a.map_url, "https://g/a.fits,1");
	assert_string_equal(a.map_error, "");
	assert_int_equal(json_array_size(a.refs), 2);
	json_t *normal = alert_json(&a, "\xff/x\n");
	assert_string_equal(json_text(normal, "stream", ""), "\\xFF/x\\x0A");
	json_decref(normal);
	alert_free(&a);
}

static void signs_of_a_test(void **state)
{
	(void)state;
	static const struct {
		const char *from, *to, *topic, *reason;
	} cases[] = {
		{"\"S260605l\"", "\"MS260605l\"", NULL, "id prefix MS"}, {"\"S260605l\"", "\"TS260605l\"", NULL, "id prefix TS"},
		{"\"AllSky\"", "\"MDC\"", NULL, "search MDC"}, {NULL, NULL, "igwn.gwalert-playground", "topic igwn.gwalert-playground"},
		{NULL, NULL, "igwn.gwalert-test", "topic igwn.gwalert-test"}, {NULL, NULL, "TEST.igwn", "topic TEST.igwn"},
		{"gracedb.ligo.org", "gracedb-playground.ligo.org", NULL, "url gracedb-playground.ligo.org"},
		{NULL, NULL, "latest.contest", NULL}, {NULL, NULL, NULL, NULL},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct alert a;
		struct err e = {0};
		assert_ok(decode(cases[i].from, cases[i].to, cases[i].topic, &a, &e), &e);
		assert_int_equal(a.is_test, cases[i].reason != NULL);
		assert_int_equal(json_array_size(a.test_reasons), cases[i].reason != NULL);
		if (cases[i].reason != NULL)
			assert_string_equal(json_string_value(json_array_get(a.test_reasons, 0)), cases[i].reason);
		alert_free(&a);
	}
}

static void harmless_oddities_are_noted(void **state)
{
	(void)state;
	static const struct {
		const char *from, *to, *note;
	} cases[] = {
		{"5e-16", "\"low\"", "event.far is a string"}, {"5e-16", "-1", "event.far"}, {"\"significant\":true", "\"significant\":\"yes\"", "event.significant"},
		{"0.9", "\"0.9\"", "event.classification.BNS is a string"}, {"\"CBC\"", "7", "event.group is a number"}, {"[\"H1\",\"L1\"]", "[\"H1\",3]", "event.instruments"},
		{"{\"HasNS\":1.0}", "[1]", "event.properties is an array"}, {"\"external_coinc\":null", "\"external_coinc\":5", "external_coinc is a number"},
		{"\"https://g/a.fits,1\"", "7", "urls.skymap"}, {"\"CBC\"", "\"new\",\"more\":{\"x\":[1]}", NULL}, {"\"duration\":null,", "", NULL},
		{"\"AllSky\"", "\"Unheard\"", NULL}, {"{\"BNS\":0.9,\"Terrestrial\":0.1}", "{}", NULL}, {",\"external_coinc\":null", "", NULL},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct alert a;
		struct err e = {0};
		if (decode(cases[i].from, cases[i].to, NULL, &a, &e) != 0)
			fail_msg("%s → %s: %s", cases[i].from, cases[i].to, e.text);
		if (cases[i].note != NULL && !noted(a.refs, cases[i].note))
			fail_msg("%s: not noted", cases[i].note);
		assert_int_equal(a.map_len, 6);
		alert_free(&a);
	}
}

static void what_decides_is_refused(void **state)
{
	(void)state;
	static const struct {
		const char *from, *to, *words;
	} cases[] = {
		{"\"S260605l\"", "null", "superevent_id is null"}, {"\"S260605l\"", "17", "superevent_id is a number"}, {"\"S260605l\"", "\"\"", "empty"},
		{"\"S260605l\"", "\"S\\u0007\"", "unprintable"}, {"\"INITIAL\"", "\"FINAL\"", "\"FINAL\" is not one of"}, {"\"INITIAL\"", "null", "alert_type is null"},
		{"\"2026-06-05T12:01:07Z\"", "null", "time_created is null"}, {"\"2026-06-05T12:01:07Z\"", "\"tomorrow\"", "time_created"},
		{"\"2026-06-05T11:57:26.395\"", "\"soon\"", "time"}, {"\"event\":{", "\"event\":7,\"e\":{", "event is a number"}, {"0.9", "0.9.9", "line 1"},
		{"\"urls\"", "\"event\":null,\"urls\"", "duplicate"}, {"0.1},", "0.1}", "line 1"}, {"5e-16", "1e999", "line 1"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct alert a;
		struct err e = {0};
		if (decode(cases[i].from, cases[i].to, NULL, &a, &e) == 0)
			fail_msg("taken: %s → %s", cases[i].from, cases[i].to);
		if (strstr(e.text, cases[i].words) == NULL)
			fail_msg("%s → %s: %s", cases[i].from, cases[i].to, e.text);
		assert_null(a.map);
	}
}

static void a_broken_map_leaves_the_alert(void **state)
{
	(void)state;
	static const struct {
		const char *to, *error;
	} cases[] = {{"\"hhhhh\"", "base64"}, {"\"U0lN*ExF\"", "base64"}, {"\"\\u00e9\"", "escape"}, {"7", "event.skymap is a number"}, {"{\"a\":1}", "event.skymap is an object"},
		{"null", ""}, {"\"\"", ""}};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct alert a;
		struct err e = {0};
		assert_ok(decode("\"U0lNUExF\"", cases[i].to, NULL, &a, &e), &e);
		assert_null(a.map);
		if (cases[i].error[0] ? strstr(a.map_error, cases[i].error) == NULL || !noted(a.refs, cases[i].error) : a.map_error[0] != '\0')
			fail_msg("%s: \"%s\"", cases[i].to, a.map_error);
		alert_free(&a);
	}
}

static void the_combined_map_is_preferred(void **state)
{
	(void)state;
	struct alert a;
	struct err e = {0};
	static const char coincidence[] = "\"external_coinc\":{\"gcn_notice_id\":524666471,\"observatory\":\"Fermi\",\"combined_skymap\":\"b3RoZXI=\","
		"\"time_coincidence_far\":1e-9}";
	assert_ok(decode("\"external_coinc\":null", coincidence, NULL, &a, &e), &e);
	assert_string_equal(a.map_kind, "combined");
	assert_memory_equal(a.map, "other", 5);
	assert_string_equal(json_text(a.external, "gcn_notice_id", ""), "524666471");
	assert_null(json_object_get(a.external, "combined_skymap"));
	alert_free(&a);
	assert_ok(decode("\"external_coinc\":null", "\"external_coinc\":{\"gcn_notice_id\":\"x1\",\"combined_skymap\":\"?\"}", NULL, &a, &e), &e);
	assert_string_equal(a.map_kind, "skymap"); /* the combined one is broken: the other is still there */
	assert_non_null(strstr(a.map_error, "combined: base64"));
	assert_string_equal(json_text(a.external, "gcn_notice_id", ""), "x1");
	alert_free(&a);
}

static void a_retraction_says_little(void **state)
{
	(void)state;
	struct alert a;
	struct err e = {0};
	static const char text[] = "\xef\xbb\xbf {\"alert_type\":\"RETRACTION\",\"time_created\":\"2026-06-05 13:01\",\"superevent_id\":\"S1\",\"urls\":{},\"event\":null}";
	assert_ok(alert_decode(text, sizeof text - 1, NULL, &a, &e), &e);
	assert_int_equal(a.type, ALERT_RETRACTION);
	assert_true(a.time_us == UTC_NONE && isnan(a.far_hz) && a.significant == -1 && a.map == NULL);
	alert_free(&a);
}

static void strangers_are_named(void **state)
{
	(void)state;
	static const struct {
		const char *bytes;
		size_t len;
		const char *words;
	} cases[] = {{"", 0, "no bytes"}, {"   ", 3, "no known format"}, {"Obj\001", 4, "avro: at byte 4"}, {"<?xml?><voe:VOEvent>", 20, "VOEvent"},
		{"<!DOCTYPE html>", 15, "HTML"}, {"SIMPLE  =  T", 12, "FITS"}, {"\x1f\x8b", 2, "gzip"}, {"{\"$schema\":\"https://gcn.nasa.gov/x\"}", 36, "GCN notice"},
		{"{\"circularId\":1}", 16, "circular"}, {"[]", 2, "list"}, {"{}", 2, "unknown kind"}, {"TITLE: x", 8, "classic text"}, {"{\"url\":\"x\"}", 11, "stored elsewhere"}};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct alert a;
		struct err e = {0};
		assert_int_equal(alert_decode(cases[i].bytes, cases[i].len, NULL, &a, &e), -1);
		if (strstr(e.text, cases[i].words) == NULL)
			fail_msg("%s", e.text);
	}
}

static void the_maps_are_cut_out(void **state)
{
	(void)state;
	static const char text[] = "{ \"skymap\":\"no\", \"event\" : {\"x\":{\"skymap\":\"deep\"}, \"a\":[\"skymap\"], \"k\":\"skymap\", \"skymap\" : \"a\\/b\\\"c\", \"z\":1}, \"urls\":{\"skymap\":\"link\"}}";
	struct skim_cut cut = {"event", "skymap", {0}};
	struct text rest = {.max = 1000};
	struct err e = {0};
	assert_ok(skim(text, sizeof text - 1, &cut, 1, &rest, &e), &e);
	assert_non_null(cut.found.at);
	assert_int_equal(cut.found.len, 7);
	assert_memory_equal(cut.found.at, "a\\/b\\\"c", 7);
	assert_non_null(strstr(rest.data, "\"skymap\" : \"\", \"z\":1"));
	assert_non_null(strstr(rest.data, "deep"));
	assert_non_null(strstr(rest.data, "link"));
	text_free(&rest);
	struct span s = {"U0lN\\u0055Ex\\nG\\/w==", 20};
	unsigned char *bytes = NULL;
	size_t n = 0;
	assert_ok(skim_base64(s, 100, &bytes, &n, &e), &e);
	assert_int_equal(n, 7);
	free(bytes);
}

/* Every truncation, and many changed bytes: an alert or an error, and nothing else (the sanitizers look on). */
static void no_bytes_do_harm(void **state)
{
	(void)state;
	size_t len = sizeof good - 1;
	char *copy = malloc(len);
	uint32_t random = 1;
	for (size_t cut = 0; cut <= len; cut++) {
		struct alert a;
		struct err e = {0};
		memcpy(copy, good, len);
		char *exact = malloc(cut + 1);
		memcpy(exact, good, cut);
		assert_int_equal(alert_decode(exact, cut, NULL, &a, &e), cut == len ? 0 : -1);
		alert_free(&a);
		free(exact);
	}
	for (int i = 0; i < 20000; i++) {
		struct alert a;
		struct err e = {0};
		memcpy(copy, good, len);
		for (int k = 0; k < 1 + i % 3; k++) {
			random = random * 1664525u + 1013904223u;
			copy[(random >> 8) % len] = (char)("\"\\{}[]:,0\xff\0 nu"[random % 14]);
		}
		if (alert_decode(copy, len, "t", &a, &e) == 0) {
			json_t *normal = alert_json(&a, NULL);
			assert_non_null(normal);
			json_decref(normal);
		} else {
			assert_true(e.text[0] != '\0');
		}
		alert_free(&a);
	}
	free(copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(an_alert_is_read), cmocka_unit_test(signs_of_a_test), cmocka_unit_test(harmless_oddities_are_noted),
		cmocka_unit_test(what_decides_is_refused), cmocka_unit_test(a_broken_map_leaves_the_alert), cmocka_unit_test(the_combined_map_is_preferred),
		cmocka_unit_test(a_retraction_says_little), cmocka_unit_test(strangers_are_named), cmocka_unit_test(the_maps_are_cut_out),
		cmocka_unit_test(no_bytes_do_harm)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Avro: whole files and damaged ones; an LVK alert in Avro is the same alert as in JSON, and is a duplicate of it. */
#include "tests/lib/test.h"
#include "engine/alert/alert.h"
#include "engine/base/json.h"
#include "sim/alert_write.h"
#include "sim/avro_write.h"

static const char map[] = "SIMPLE  = a map's bytes, with a \0 inside";

static void alert_texts(const char *type, struct text *json, struct text *avro)
{
	struct sim_alert a = {.event = "S261123ab", .type = type, .created_us = INT64_C(1684432800000000), .event_us = INT64_C(1684432700123000), .far_hz = 1e-12,
		.significant = true, .instruments = "H1,L1,V1", .pipeline = "gstlal", .search = "AllSky", .p_bns = 0.9, .p_terrestrial = 0.1, .has_ns = 1,
		.has_remnant = 0.25, .map = map, .map_len = sizeof map};
	struct err e = {0};
	*json = *avro = (struct text){.max = 1 << 20};
	assert_ok(sim_alert_write(&a, json, &e), &e);
	json_t *j = json_loadb(json->data, json->len, 0, NULL);
	assert_non_null(j);
	struct skim_cut given = {"event", "skymap", {map, sizeof map}};
	assert_ok(avro_file_write(avro_igwn_schema, j, &given, 1, avro, &e), &e);
	json_decref(j);
}

static void the_same_alert(void **state)
{
	(void)state;
	static const char *const types[] = {"EARLYWARNING", "PRELIMINARY", "INITIAL", "UPDATE", "RETRACTION"};
	for (int i = 0; i < 5; i++) {
		struct text json, avro;
		struct alert a, b;
		struct err e = {0};
		alert_texts(types[i], &json, &avro);
		assert_ok(alert_decode(json.data, json.len, NULL, &a, &e), &e);
		assert_ok(alert_decode(avro.data, avro.len, NULL, &b, &e), &e);
		assert_string_not_equal(a.sha256, b.sha256);
		text_copy(b.sha256, sizeof b.sha256, a.sha256);
		json_t *x = alert_json(&a, NULL), *y = alert_json(&b, NULL);
		char *p = json_canonical(x), *q = json_canonical(y);
		assert_string_equal(p, q);
		if (i < 4) {
			assert_int_equal(b.map_len, sizeof map);
			assert_memory_equal(b.map, map, sizeof map);
		}
		free(p);
		free(q);
		json_decref(x);
		json_decref(y);
		alert_free(&a);
		alert_free(&b);
		text_free(&json);
		text_free(&avro);
	}
}

/* Every kind of type, and limits of each number. */
static void every_type(void **state)
{
	(void)state;
	static const char schema[] = "{\"type\":\"record\",\"name\":\"a.b.R\",\"fields\":[{\"name\":\"n\",\"type\":\"null\"},{\"name\":\"b\",\"type\":\"boolean\"},"
		"{\"name\":\"l\",\"type\":{\"type\":\"array\",\"items\":\"long\"}},{\"name\":\"f\",\"type\":\"float\"},{\"name\":\"d\",\"type\":{\"type\":\"double\"}},"
		"{\"name\":\"e\",\"type\":{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"X\",\"Y\"]}},{\"name\":\"again\",\"type\":\"E\"},"
		"{\"name\":\"full\",\"type\":\"a.b.E\"},{\"name\":\"t\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"}},"
		"{\"name\":\"m\",\"type\":{\"type\":\"map\",\"values\":[\"null\",\"string\"]}},{\"name\":\"next\",\"type\":[\"null\",\"R\"]}]}";
	static const char value[] = "{\"n\":null,\"b\":true,\"l\":[0,-1,1,63,64,-64,-65,9223372036854775807,-9223372036854775807],\"f\":1.5,\"d\":-0.1,\"e\":\"Y\","
		"\"again\":\"X\",\"full\":\"Y\",\"t\":5,\"m\":{\"a\":null,\"\\u00e9\":\"\\u0000x\"},\"next\":{\"n\":null,\"b\":false,\"l\":[],\"f\":0.0,\"d\":1e300,\"e\":\"X\","
		"\"again\":\"X\",\"full\":\"X\",\"t\":-5,\"m\":{},\"next\":null}}";
	struct text out = {.max = 1 << 16};
	struct err e = {0};
	json_t *v = json_loads(value, JSON_ALLOW_NUL, NULL);
	assert_non_null(v);
	assert_ok(avro_file_write(schema, v, NULL, 0, &out, &e), &e);
	json_t *back = avro_file_read(out.data, out.len, NULL, 0, &e);
	if (back == NULL)
		fail_msg("%s", e.text);
	assert_true(json_equal(v, back));
	json_decref(v);
	json_decref(back);
	text_free(&out);
}

/* Cut anywhere, or with any byte another: an alert or an error with words, never anything else (run under the sanitizers). */
static void damaged(void **state)
{
	(void)state;
	struct text json, avro;
	alert_texts("INITIAL", &json, &avro);
	for (size_t i = 0; i < avro.len; i++) {
		struct alert a;
		struct err e = {0};
		char *cut = malloc(i + 1);
		memcpy(cut, avro.data, i);
		assert_int_equal(alert_decode(cut, i, NULL, &a, &e), -1);
		assert_true(e.text[0] != '\0');
		free(cut);
	}
	static const unsigned char by[] = {1, 0x80, 0xff};
	for (size_t k = 0; k < sizeof by; k++) {
		for (size_t i = 0; i < avro.len; i++) {
			struct alert a;
			struct err e = {0};
			avro.data[i] = (char)(avro.data[i] ^ by[k]);
			if (alert_decode(avro.data, avro.len, NULL, &a, &e) == 0)
				alert_free(&a);
			else
				assert_true(e.text[0] != '\0');
			avro.data[i] = (char)(avro.data[i] ^ by[k]);
		}
	}
	text_free(&json);
	text_free(&avro);
}

/* Small bytes that ask for much: all are refused at once. */
static void greedy(void **state)
{
	(void)state;
	static const struct {
		const char *schema;
		const char *bytes;
		size_t len;
		const char *why;
	} cases[] = {
		{"{\"type\":\"array\",\"items\":\"null\"}", "\xfe\xff\xff\xff\x0f", 5, "too many values"},
		{"{\"type\":\"array\",\"items\":\"null\"}", "\xff\xff\xff\xff\x0f\0", 6, "too many items"},
		{"{\"type\":\"bytes\"}", "\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10, "beyond the bytes"},
		{"{\"type\":\"bytes\"}", "\x01", 1, "beyond the bytes"},
		{"{\"type\":\"long\"}", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11, "over 64 bits"},
		{"{\"type\":\"string\"}", "\x04\xff\xff", 3, "UTF-8"},
		{"[\"null\"]", "\x02", 1, "branch"},
		{"{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"r\",\"type\":\"R\"}]}", "", 0, "too deep"},
		{"{\"type\":\"fixed\",\"name\":\"F\",\"size\":9}", "12345678", 8, "inside a fixed"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct avro_schema s;
		struct err e = {0};
		size_t used;
		assert_ok(avro_compile(cases[i].schema, strlen(cases[i].schema), &s, &e), &e);
		assert_null(avro_read(&s, cases[i].bytes, cases[i].len, &used, NULL, 0, &e));
		if (strstr(e.text, cases[i].why) == NULL)
			fail_msg("%zu: %s", i, e.text);
		avro_schema_free(&s);
	}
}

static void bad_schemas(void **state)
{
	(void)state;
	static const char *const cases[][2] = {{"{\"type\":\"lung\"}", "no type \"lung\""}, {"{\"type\":\"record\",\"fields\":[]}", "without a name"},
		{"{\"type\":\"array\"}", "neither a name"}, {"5", "line 1"}, {"[5]", "neither a name"}, {"{\"type\":\"record\",\"name\":\"R\",\"fields\":[5]}", "field without a name"},
		{"{\"type\":\"fixed\",\"name\":\"F\",\"size\":-1}", "fixed of -1"}, {"{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[1]}", "symbol"}, {"[", "line 1"}};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct avro_schema s;
		struct err e = {0};
		assert_int_equal(avro_compile(cases[i][0], strlen(cases[i][0]), &s, &e), -1);
		if (strstr(e.text, cases[i][1]) == NULL)
			fail_msg("%s: %s", cases[i][0], e.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(the_same_alert), cmocka_unit_test(every_type), cmocka_unit_test(damaged), cmocka_unit_test(greedy),
		cmocka_unit_test(bad_schemas)};
	return cmocka_run_group_tests_name("avro", tests, NULL, NULL);
}

/* The base room: time, text, JSON guard and positions, hashing, base64, SQLite door. */
#include "test.h"
#include "engine/base/hash.h"
#include "engine/base/json.h"
#include "engine/base/query.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include <math.h>

static void utc_reads_and_writes(void **state)
{
	(void)state;
	struct err e = {0};
	int64_t t = 0;
	char out[32];
	assert_ok(utc_parse("2017-08-17T12:41:04.4Z", &t, &e), &e);
	assert_string_equal(utc_format(out, t), "2017-08-17T12:41:04.400000Z");
	assert_ok(utc_parse("2026-11-23 14:58:01+01:00", &t, &e), &e);
	assert_string_equal(utc_format_s(out, t), "2026-11-23T13:58:01Z");
	assert_ok(utc_parse("2016-12-31T23:59:60Z", &t, &e), &e); /* a leap second is the next day's first */
	assert_string_equal(utc_format_s(out, t), "2017-01-01T00:00:00Z");
	static const char *const bad[] = {"", "2026", "2026-13-01T00:00:00Z", "2025-02-29T00:00Z", "2026-11-23T25:00Z", "now", "2026-11-23T01:02:03Zx"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(utc_parse(bad[i], &t, &e), -1);
	assert_int_equal(utc_parse("1054-07-04T12:00Z", &t, &e), -1); /* ISO, but none of ours: the words must not say that it is no ISO */
	assert_non_null(strstr(e.text, "1900 to 2200"));
	assert_true(fabs(utc_j2000_days((int64_t)946728000 * UTC_SECOND)) < 1e-12);
}

static void text_escapes_strangers(void **state)
{
	(void)state;
	char out[64];
	text_escape(out, sizeof out, "a\nb\x1b[31m\xff é", 12);
	assert_string_equal(out, "a\\x0Ab\\x1B[31m\\xFF é");
	assert_false(text_printable("a\nb", 3, 10));
	assert_true(text_printable("GRB 230812B é", 14, 256));
	assert_false(text_printable("\xc0\x80", 2, 10)); /* overlong NUL */
	assert_false(text_printable("S1\xe2\x80\xae", 5, 10)); /* U+202E turns the writing round */
	text_escape(out, sizeof out, "\xe2\x81\xa6\xc2\x9b–", 8);
	assert_string_equal(out, "\\xE2\\x81\\xA6\\xC2\\x9B–");
	struct text shown = {.max = 100};
	text_json(&shown, "{\"a\x7f\": \"\xc2\x9b\xe2\x80\xae é–\"}\n");
	assert_string_equal(shown.data, "{\"a\\u007F\": \"\\u009B\\u202E é–\"}\n");
	text_free(&shown);
	struct text t = {.max = 4};
	text_puts(&t, "abc");
	text_puts(&t, "de");
	assert_true(t.failed);
	assert_string_equal(t.data, "abc");
	text_free(&t);
	text_double(out, sizeof out, 0.1);
	assert_string_equal(out, "0.1");
	text_double(out, sizeof out, NAN);
	assert_string_equal(out, "null");
}

/* The quick ways give what printf and jansson give. */
static void double_is(double v)
{
	char have[40], want[40];
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(want, sizeof want, "%.*g", digits, v);
		if (strtod(want, NULL) == v)
			break;
	}
	assert_int_equal(text_double(have, sizeof have, v), strlen(want));
	assert_string_equal(have, want);
}

static void numbers_and_strings_are_as_the_libraries_write_them(void **state)
{
	(void)state;
	uint64_t seed = 1;
	double odd[] = {0.0, -0.0, 1e-4, 0.00012, 9.9e-5, 99999999.999999, 1e8, 1e15, 123456789012345678.0, 5e-324, 0.1 + 0.2, 1.0000005, -0.05, 2.675, 1e22, 0.000001};
	for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++)
		double_is(odd[i]);
	for (int i = 0; i < 20000; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		double v = (double)(int64_t)seed / 9.2e18 * pow(10, i % 20 - 6), unit = pow(10, i % 9);
		double_is(v);
		double_is(round(v * unit) / unit); /* few decimals */
	}
	char plain[700];
	size_t n = 0;
	for (int c = 1; c < 0x80; c++)
		plain[n++] = (char)c;
	n += (size_t)snprintf(plain + n, sizeof plain - n, "é–\U0001F52D%s", "\\\"/");
	json_t *all = json_pack("[s#,I,I,I,b,b,n,{s:s}]", plain, (int)n, (json_int_t)INT64_MIN, (json_int_t)INT64_MAX, (json_int_t)0, 1, 0, plain, plain);
	json_array_append_new(all, json_stringn("a\0b", 3));
	char *have = json_canonical(all), *want = json_dumps(all, JSON_COMPACT);
	assert_string_equal(have, want);
	free(have);
	free(want);
	json_decref(all);
}

/* What the quick reader takes jansson takes, and reads as the same; and it takes what is plain. */
static int both_read(const char *bytes, size_t len)
{
	char *copy = malloc(len + 1); /* exact: a read behind the end is seen by the sanitizer */
	memcpy(copy, bytes, len);
	copy = realloc(copy, len ? len : 1);
	json_t *quick = json_quick(copy, len), *slow = json_loadb(copy, len, JSON_REJECT_DUPLICATES, NULL);
	int taken = quick != NULL;
	if (quick != NULL && (slow == NULL || !json_equal(quick, slow)))
		fail_msg("read differently: %.*s", (int)len, bytes);
	json_decref(quick);
	json_decref(slow);
	free(copy);
	return taken;
}

static void quick_reader_agrees_with_jansson(void **state)
{
	(void)state;
	static const char plain[] = "{\"a\": [1, -2, 3.25, 1e3, -0.0, 12345678901234567, 0.1, 2.5E-7, 1.7976931348623157e308, 5e-324, 0],\n\t\"é\": null}";
	static const char doc[] = "{\"count\":2,\"next\":null,\"results\":[{\"id\":17,\"name\":\"x \\\"y\\\" \\n é ☄ z\",\"ok\":true,\"ra\":197.44875,"
		"\"state\":\"PENDING\",\"h\":-1.25e-3,\"l\":[[],{},[1,2,3.0]]},{\"id\":-9007199254740993,\"f\":false}]}";
	static const char *const odd[] = {"", "{", "[", "{}", "[]", "[1", "[1,", "[1,]", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}", "[01]", "[-]", "[1.]", "[.5]",
		"[1e]", "[1e+]", "[+1]", "[nul]", "[nullx]", "[true false]", "[\"\\u0041\"]", "[\"\\x\"]", "[\"a", "[\"a\\", "{\"a\":1,\"a\":2}", "[1]x", " [1] ", "1", "\"a\"", "[1e999]",
		"[123456789012345678901234567890]", "[\"\x80\"]", "[\"\xc3\"]", "[\"\x01\"]", "[\"\x7f\"]", "{\"\":0}", "{1:2}", "[1e-400]", "[0e0,-0,0.0e-5]", "[9223372036854775807]"};
	assert_true(both_read(doc, sizeof doc - 1));
	assert_false(both_read(plain, sizeof plain - 1)); /* a key beyond ASCII */
	for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++)
		both_read(odd[i], strlen(odd[i]));
	uint64_t seed = 7;
	static const char bytes[] = "{}[]\",:\\ eE+-.0123456789tfn\x01\x80\xc3\n";
	int taken = 0;
	for (int i = 0; i < 40000; i++) { /* a few bytes changed, an end cut off */
		char text[sizeof doc];
		memcpy(text, i % 2 ? doc : plain, i % 2 ? sizeof doc : sizeof plain);
		size_t len = strlen(text);
		for (int k = 0; k <= i % 3; k++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			text[(seed >> 33) % len] = bytes[(seed >> 20) % (sizeof bytes - 1)];
		}
		taken += both_read(text, i % 7 ? len : (seed >> 40) % len);
	}
	assert_true(taken > 1000);
}

/* More members than are sorted on the stack. */
static void members_are_sorted(void **state)
{
	(void)state;
	json_t *many = json_object();
	char key[16];
	for (int i = 0; i < 100; i++) {
		snprintf(key, sizeof key, "k%02d", i * 37 % 100);
		json_object_set_new(many, key, json_integer(i));
	}
	char *have = json_canonical(many), *want = json_dumps(many, JSON_COMPACT | JSON_SORT_KEYS);
	assert_string_equal(have, want);
	free(have);
	free(want);
	json_decref(many);
}

/* However long they are, whatever a stranger wrote: nothing is dropped. */
static void words_are_appended(void **state)
{
	char wide[2001];
	json_t *list = json_array();
	(void)state;
	memset(wide, 'x', 2000);
	wide[2000] = '\0';
	json_append_words(list, "%d of %s", 3, wide);
	json_append_words(list, "file %s is 5° off", "a\xff" "b");
	assert_int_equal(json_array_size(list), 2);
	assert_int_equal(json_string_length(json_array_get(list, 0)), 2005);
	assert_string_equal(json_string_value(json_array_get(list, 1)), "file a\\xFFb is 5° off");
	json_decref(list);
}

static void json_is_guarded(void **state)
{
	(void)state;
	struct err e = {0};
	char deep[100];
	memset(deep, '[', sizeof deep);
	assert_int_equal(json_guard(deep, sizeof deep, &json_limits_alert, &e), -1);
	assert_null(json_read("{\"a\":1,\"a\":2}", 13, &json_limits_alert, &e));
	assert_null(json_read("{\"a\":1}x", 8, &json_limits_alert, &e));
	static const char text[] = "{\n  \"a\": [1, {\"b\": true}],\n  \"c\": null\n}";
	int line, column;
	json_where(text, sizeof text - 1, "/a/1/b", true, &line, &column);
	assert_int_equal(line, 2);
	assert_int_equal(column, 13);
	json_where(text, sizeof text - 1, "/c", false, &line, &column);
	assert_int_equal(line, 3);
	assert_int_equal(column, 8);
	json_t *v = json_pack("{s:f,s:[i,n],s:s}", "z", 0.1, "a", 3, "b", "x\"y");
	char *s = json_canonical(v);
	assert_string_equal(s, "{\"a\":[3,null],\"b\":\"x\\\"y\",\"z\":0.1}");
	free(s);
	json_decref(v);
}

static void digests_and_base64(void **state)
{
	(void)state;
	struct err e = {0};
	char hex[65];
	hash_sha256_hex("abc", 3, hex);
	assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	unsigned char *out = NULL;
	size_t n = 0;
	assert_ok(base64_decode("aGVs\nbG8=", 9, 100, &out, &n, &e), &e);
	assert_int_equal(n, 5);
	assert_memory_equal(out, "hello", 5);
	free(out);
	assert_int_equal(base64_decode("aGVsbG8", 7, 100, &out, &n, &e), -1);
	assert_int_equal(base64_decode("a*Vs", 4, 100, &out, &n, &e), -1);
	assert_int_equal(base64_decode("=aaa", 4, 100, &out, &n, &e), -1);
	unsigned char bytes[40];
	for (size_t len = 0; len < sizeof bytes; len++) { /* a line break anywhere, an end anywhere */
		bytes[len] = (unsigned char)(len * 151 + 7);
		char *text = base64_encode(bytes, len), folded[80];
		size_t chars = strlen(text);
		for (size_t at = 0; at <= chars; at++) {
			snprintf(folded, sizeof folded, "%.*s\n%s", (int)at, text, text + at);
			assert_ok(base64_decode(folded, chars + 1, 100, &out, &n, &e), &e);
			assert_int_equal(n, len);
			assert_memory_equal(out, bytes, len);
			free(out);
		}
		free(text);
		snprintf(folded, sizeof folded, "AAAA%zu*AAAAAAAA", len % 10); /* broken after a good group */
		assert_int_equal(base64_decode(folded, 14, 100, &out, &n, &e), -1);
	}
}

static void sqlite_door(void **state)
{
	(void)state;
	struct err e = {0};
	sqlite3 *db = NULL;
	assert_ok(query_open(":memory:", QUERY_WRITE, &db, &e), &e);
	assert_ok(query_run(db, &e, "CREATE TABLE t(a INTEGER PRIMARY KEY, b REAL, c TEXT) STRICT", ""), &e);
	assert_ok(query_run(db, &e, "INSERT INTO t VALUES (?,?,?)", "idt", (int64_t)1, NAN, "x"), &e);
	assert_int_equal(query_run(db, &e, "INSERT INTO t VALUES (?,?,?)", "idt", (int64_t)1, 1.0, "y"), -1);
	assert_int_equal(e.kind, ERR_INPUT);
	json_t *rows = query_rows(db, 10, &e, "SELECT * FROM t", "");
	char *s = json_canonical(rows);
	assert_string_equal(s, "[{\"a\":1,\"b\":null,\"c\":\"x\"}]");
	free(s);
	json_decref(rows);
	sqlite3_close(db);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(utc_reads_and_writes), cmocka_unit_test(text_escapes_strangers),
		cmocka_unit_test(numbers_and_strings_are_as_the_libraries_write_them), cmocka_unit_test(members_are_sorted), cmocka_unit_test(quick_reader_agrees_with_jansson),
		cmocka_unit_test(words_are_appended), cmocka_unit_test(json_is_guarded), cmocka_unit_test(digests_and_base64), cmocka_unit_test(sqlite_door)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

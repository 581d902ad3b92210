/* The validator: every keyword it knows, positions and suggestions; and our own schemas hold nothing that it does not enforce. */
#include "test.h"
#include "engine/base/embed.h"
#include "engine/base/json.h"
#include "engine/base/near.h"
#include "engine/base/schema.h"

static const char schema_text[] = "{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"name\"],\"properties\":{"
	"\"name\":{\"type\":\"string\",\"pattern\":\"^[a-z]+$\",\"description\":\"small letters\"},\"mode\":{\"enum\":[\"auto\",\"operator\",3,null]},"
	"\"n\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":5},\"x\":{\"type\":[\"number\",\"null\"]},"
	"\"list\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{\"on\":{\"type\":\"boolean\"}}}},\"any\":{}}}";

static void faults_and_places(void **state)
{
	(void)state;
	static const struct {
		const char *text, *words; /* words NULL: it is good */
	} cases[] = {
		{"{\"name\":\"abc\",\"n\":3,\"x\":null,\"list\":[{},{\"on\":true}],\"mode\":\"auto\",\"any\":[1,{}]}", NULL},
		{"{\"name\":\"abc\",\"n\":2.0,\"x\":7,\"mode\":3}", NULL}, {"{\"name\":\"abc\",\"mode\":null}", NULL},
		{"[]", "wrong type at line 1 column 1 (/): this is an array; write object"},
		{"{}", "missing key at line 1 column 1 (/): \"name\" is needed here (small letters)"},
		{"{\"name\":\"abc\",\n\"nmae\":1}", "unknown key at line 2 column 1 (/nmae): there is no \"nmae\" here; did you mean \"name\"?"},
		{"{\"name\":\"abc\",\"colour\":1}", "there is no \"colour\" here; known: name, mode, n, x, list, any"},
		{"{\"name\":7}", "line 1 column 9 (/name): this is an integer"}, {"{\"name\":\"ABC\"}", "\"ABC\" does not match ^[a-z]+$ (small letters)"},
		{"{\"name\":\"a\",\"mode\":\"oprator\"}", "did you mean \"operator\"?"}, {"{\"name\":\"a\",\"mode\":false}", "false is not one of \"auto\", \"operator\", 3, null"},
		{"{\"name\":\"a\",\"n\":0}", "0 is below 1"}, {"{\"name\":\"a\",\"n\":6}", "6 is above 5"}, {"{\"name\":\"a\",\"n\":2.5}", "this is a number; write integer"},
		{"{\"name\":\"a\",\"x\":\"1\"}", "write number or null"},
		{"{\"name\":\"a\",\n \"list\":[{},\n  {\"on\":1}]}", "line 3 column 9 (/list/1/on): this is an integer; write boolean"},
		{"{\"name\":\"a\",\"list\":[{\"of\":true}]}", "(/list/0/of): there is no \"of\" here; did you mean \"on\"?"},
	};
	struct err e = {0};
	json_t *schema = json_read(schema_text, sizeof schema_text - 1, &json_limits_config, &e);
	assert_non_null(schema);
	assert_ok(schema_lint(schema, &e), &e);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct err bad = {0};
		json_t *v = json_read(cases[i].text, strlen(cases[i].text), &json_limits_config, &e);
		assert_non_null(v);
		int rc = schema_check(schema, v, cases[i].text, strlen(cases[i].text), &bad);
		if (rc != (cases[i].words ? -1 : 0) || (cases[i].words && strstr(bad.text, cases[i].words) == NULL))
			fail_msg("%s: %s", cases[i].text, bad.text);
		json_decref(v);
	}
	json_decref(schema);
}

static void our_schemas_are_enforced(void **state)
{
	(void)state;
	int seen = 0;
	for (const struct embed *f = embed_table; f->path != NULL; f++) {
		struct err e = {0};
		size_t n = strlen(f->path);
		if (strncmp(f->path, "schemas/", 8) != 0 || n < 12 || strcmp(f->path + n - 12, ".schema.json") != 0)
			continue;
		json_t *schema = json_read(f->start, (size_t)(f->end - f->start), &json_limits_config, &e);
		if (schema == NULL || schema_lint(schema, &e) < 0)
			fail_msg("%s: %s", f->path, e.text);
		json_decref(schema);
		seen++;
	}
	assert_true(seen >= 4);
	struct err e = {0};
	json_t *foreign = json_pack("{s:s,s:{s:{s:i}}}", "type", "object", "properties", "a", "minLength", 3);
	assert_int_equal(schema_lint(foreign, &e), -1);
	assert_non_null(strstr(e.text, "minLength"));
	json_decref(foreign);
}

static void shipped_files_follow_their_schemas(void **state)
{
	(void)state;
	int seen = 0;
	for (const struct embed *f = embed_table; f->path != NULL; f++) {
		struct err e = {0};
		bool policy = strncmp(f->path, "policies/", 9) == 0;
		if (!policy && strncmp(f->path, "facilities/", 11) != 0)
			continue;
		size_t len = (size_t)(f->end - f->start);
		json_t *v = json_read(f->start, len, &json_limits_config, &e);
		if (v == NULL || schema_check_embedded(policy ? "schemas/policy.schema.json" : "schemas/facility.schema.json", v, f->start, len, &e) < 0)
			fail_msg("%s: %s", f->path, e.text);
		json_decref(v);
		seen++;
	}
	assert_true(seen >= 3);
}

static void every_key_of_the_configuration_is_explained(void **state)
{
	(void)state;
	static const char *const paths[] = {"schemas/config.schema.json", "schemas/policy.schema.json", "schemas/facility.schema.json", "schemas/alert.schema.json"};
	for (size_t i = 0; i < 4; i++) {
		struct err e = {0};
		size_t len = 0;
		const char *text = embed_find(paths[i], &len), *key;
		json_t *schema = json_read(text, len, &json_limits_config, &e), *v, *stack[64] = {schema};
		for (int n = 1; n > 0;) {
			json_t *now = stack[--n], *items = json_object_get(now, "items");
			json_object_foreach(json_object_get(now, "properties"), key, v) {
				if (json_text(v, "description", "")[0] == '\0')
					fail_msg("%s: %s has no description", paths[i], key);
				assert_true(n < 63);
				stack[n++] = v;
			}
			if (items != NULL)
				stack[n++] = items;
		}
		json_decref(schema);
	}
}

static void nearness(void **state)
{
	(void)state;
	assert_int_equal(near_distance("", "abc"), 3);
	assert_int_equal(near_distance("nmae", "name"), 1);
	assert_int_equal(near_distance("Name", "name"), 0);
	assert_int_equal(near_distance("kitten", "sitting"), 3);
	struct near_best best = {0};
	near_try(&best, "colour", "name");
	assert_null(near_found(&best, "colour"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(faults_and_places), cmocka_unit_test(our_schemas_are_enforced),
		cmocka_unit_test(shipped_files_follow_their_schemas), cmocka_unit_test(every_key_of_the_configuration_is_explained), cmocka_unit_test(nearness)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

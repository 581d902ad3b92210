/* Cases as data, tests/facility/cases/NAME.json: a request → the call's bytes, a reply's bytes → the answers. Only the members that a
 * case names are compared:
 *   {"name","facility" (a descriptor's name; lco),"verb","step","now","request":{…}|absent,"memo","facility_memo",
 *    "since","proposals" (sweep: a find without a request),
 *    "call":{"url","method","path","query","once","body":{…}}  or  "render":1|-1 (no such step; refused),
 *    "reply":{"sent":"no|maybe|answered","status","content_type","retry_after_s","body": value or text},
 *    "answers":[{"kind","token","remote_id","stem","field","words" (part of),"creates_nothing","seconds",…}],"next_step","complete",
 *    "memo_after","facility_memo_after"} */
#include "test.h"
#include "embedded.h"
#include "exchange.h"
#include "engine/base/json.h"
#include "engine/base/utc.h"
#include "facilities/facility.h"
#include <dirent.h>

static json_t *descriptor; /* of lco */

static void same(const char *name, const char *what, const json_t *got, const json_t *wanted)
{
	char *a = got != NULL ? json_canonical(got) : NULL, *b = json_canonical(wanted);
	if (a == NULL || strcmp(a, b) != 0)
		fail_msg("%s: %s is\n%s\nwanted\n%s", name, what, a != NULL ? a : "absent", b);
	free(a);
	free(b);
}

static void check_call(const char *name, const json_t *wanted, const struct call *c)
{
	json_t *got = call_json(c);
	const char *key;
	const json_t *value;
	struct err e = {0};
	struct call again;
	if (json_is_object(json_object_get(wanted, "body"))) /* the body as JSON, so that a case can be read */
		json_object_set_new(got, "body", json_read(c->body, c->body_len, &json_limits_reply, &e));
	for (void *at = json_object_iter((json_t *)wanted); at != NULL; at = json_object_iter_next((json_t *)wanted, at)) {
		key = json_object_iter_key(at);
		value = json_object_iter_value(at);
		same(name, key, json_object_get(got, key), value);
	}
	json_decref(got);
	got = call_json(c); /* there and back */
	assert_ok(call_from_json(got, &again, &e), &e);
	json_t *twice = call_json(&again);
	assert_true(json_equal(got, twice));
	json_decref(got);
	json_decref(twice);
	call_free(&again);
}

static json_t *answer_json(const struct answer *a)
{
	json_t *j = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:I}", "kind", answer_name(a->kind), "token", a->token, "remote_id", a->remote_id,
			      "stem", a->stem, "field", a->field, "site", a->site, "telescope", a->telescope, "observation_id", a->observation_id,
			      "creates_nothing", a->creates_nothing ? 1 : 0, "retry_after_s", (json_int_t)a->retry_after_s);
	char stamp[32];
	json_object_set_new(j, "seconds", json_real_or_null(a->seconds));
	json_object_set_new(j, "ipp_max", json_real_or_null(a->ipp_max));
	json_object_set_new(j, "hours_left", json_real_or_null(a->hours_left));
	json_object_set_new(j, "start", json_string(utc_format_s(stamp, a->start_us)));
	json_object_set_new(j, "end", json_string(utc_format_s(stamp, a->end_us)));
	if (a->detail != NULL)
		json_object_set(j, "detail", a->detail);
	return j;
}

static void check_answer(const char *name, const json_t *wanted, const struct answer *a)
{
	json_t *got = answer_json(a);
	for (void *at = json_object_iter((json_t *)wanted); at != NULL; at = json_object_iter_next((json_t *)wanted, at)) {
		const char *key = json_object_iter_key(at);
		const json_t *value = json_object_iter_value(at);
		if (strcmp(key, "words") != 0)
			same(name, key, json_object_get(got, key), value);
		else if (strstr(a->words, json_string_value(value)) == NULL)
			fail_msg("%s: words are\n%s\nwanted\n%s", name, a->words, json_string_value(value));
	}
	json_decref(got);
}

static void check_reply(const json_t *c, const struct facility_conf *conf, const struct view *v)
{
	const char *name = json_text(c, "name", "?");
	const json_t *list = json_object_get(c, "answers"), *wanted;
	struct answers a = {0};
	char *body;
	size_t i;
	struct reply reply = exchange_reply(json_object_get(c, "reply"), &body);
	assert_int_equal(facility_find("ocs")->read(conf, v, &reply, &a), 0);
	if (list != NULL && a.count != json_array_size(list))
		fail_msg("%s: %zu answers (%s), wanted %zu", name, a.count, a.count > 0 ? a.list[0].words : "", json_array_size(list));
	json_array_foreach(list, i, wanted)
		check_answer(name, wanted, &a.list[i]);
	if (json_object_get(c, "next_step") != NULL && a.next_step != json_int(c, "next_step", 0))
		fail_msg("%s: next step is %d", name, a.next_step);
	if (json_object_get(c, "complete") != NULL && a.complete != json_flag(c, "complete", false))
		fail_msg("%s: complete is %d", name, a.complete);
	if (json_object_get(c, "memo_after") != NULL)
		same(name, "memo_after", a.memo, json_object_get(c, "memo_after"));
	if (json_object_get(c, "facility_memo_after") != NULL)
		same(name, "facility_memo_after", a.facility_memo, json_object_get(c, "facility_memo_after"));
	answers_free(&a);
	free(body);
}

static void check_case(const json_t *c)
{
	const char *name = json_text(c, "name", "?");
	int64_t now_us = exchange_time(c, "now", 1795456800 * UTC_SECOND);
	const char *facility = json_text(c, "facility", "lco");
	char path[80];
	snprintf(path, sizeof path, "facilities/%s.json", facility);
	json_t *own = strcmp(facility, "lco") == 0 ? json_incref(descriptor) : embedded_json(path);
	struct facility_conf conf = {facility, own};
	struct facility_request q = exchange_request(json_object_get(c, "request"), now_us);
	int verb = verb_from_name(json_text(c, "verb", ""));
	if (verb < 0)
		fail_msg("%s: \"verb\" is missing or not known", name);
	struct view v = {.now_us = now_us, .verb = (enum verb)verb, .step = (int)json_int(c, "step", 0), .request = json_object_get(c, "request") != NULL ? &q : NULL,
			 .memo = json_object_get(c, "memo"), .facility_memo = json_object_get(c, "facility_memo"), .prefix = "slew-00000000-",
			 .since_us = exchange_time(c, "since", UTC_NONE), .proposals = json_object_get(c, "proposals")};
	if (json_object_get(c, "call") != NULL || json_object_get(c, "render") != NULL) {
		struct call call;
		struct err e = {0};
		int rc = facility_render(facility_find("ocs"), &conf, &v, &call, &e);
		if (rc != json_int(c, "render", 0))
			fail_msg("%s: render gave %d %s", name, rc, e.text);
		if (rc == 0)
			check_call(name, json_object_get(c, "call"), &call);
		call_free(&call);
	}
	if (json_object_get(c, "reply") != NULL)
		check_reply(c, &conf, &v);
	json_decref(own);
}

static void cases_hold(void **state)
{
	(void)state;
	static const char folder[] = "tests/facility/cases";
	size_t count = 0, i;
	DIR *dir = opendir(folder);
	if (dir == NULL)
		fail_msg("%s is not there: run the tests from the top of the tree", folder);
	for (struct dirent *d; (d = readdir(dir)) != NULL;) {
		char path[400];
		struct err e = {0};
		if (strstr(d->d_name, ".json") == NULL)
			continue;
		snprintf(path, sizeof path, "%s/%s", folder, d->d_name);
		json_t *list = json_read_file(path, &json_limits_config, NULL, &e);
		if (list == NULL)
			fail_msg("%s: %s", path, e.text);
		const json_t *c;
		json_array_foreach(list, i, c) {
			check_case(c);
			count++;
		}
		json_decref(list);
	}
	closedir(dir);
	printf("# %zu cases\n", count);
	assert_true(count >= 30);
}

static void names_go_there_and_back(void **state)
{
	(void)state;
	for (int v = 0; v < VERB_COUNT; v++)
		assert_int_equal(verb_from_name(verb_name((enum verb)v)), v);
	assert_int_equal(verb_from_name("steal"), -1);
	assert_null(facility_find("no-such-adapter"));
	assert_string_equal(answer_name(ANSWER_FRAMES), "frames");
}

static int setup(void **state)
{
	(void)state;
	descriptor = embedded_json("facilities/lco.json");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	json_decref(descriptor);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(cases_hold), cmocka_unit_test(names_go_there_and_back)};
	return cmocka_run_group_tests(tests, setup, teardown);
}

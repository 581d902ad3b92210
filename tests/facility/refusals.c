/* From a portal's words to what is asked next: every refusal that was recorded with a real portal, and the ladder's own rules beside them. */
#include "test.h"
#include "embedded.h"
#include "engine/base/json.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include "engine/request/plan.h"
#include "facilities/facility.h"
#include <dirent.h>

#define RAPID "RAPID_RESPONSE"

static const char policy_text[] =
	"{\"observe\":[{\"epoch\":1,\"filters\":[\"rp\"],\"filters_or\":[[\"rp\"],[\"zz\"],[\"gp\"],[\"V\",\"R\"]],\"exposure_s\":200,\"max_airmass\":1.6,\"min_moon_deg\":30}],"
	"\"ladder\":[{\"programme\":\"too\",\"facility\":\"lco\",\"count\":3,\"ipp\":1.9},{\"programme\":\"elsewhere\",\"facility\":\"soar\"},"
	"{\"programme\":\"too\",\"facility\":\"lco\",\"mode\":\"NORMAL\",\"count\":2,\"exposure_s\":100,\"ipp\":1.9},"
	"{\"programme\":\"spare\",\"facility\":\"lco\",\"ipp\":1.9}],"
	"\"floor\":{\"exposure_s\":60,\"count\":2},\"ceiling\":{\"max_airmass\":2.0,\"min_moon_deg\":15}}";
static const char descriptor_text[] =
	"{\"sites\":[{\"code\":\"lsc\",\"classes\":[\"1m0\"]},{\"code\":\"ogg\",\"classes\":[\"2m0\"]}],\"instruments\":["
	"{\"code\":\"A\",\"kind\":\"image\",\"telescope_class\":\"1m0\",\"filters\":[\"gp\",\"rp\"]},"
	"{\"code\":\"S\",\"kind\":\"spectrum\",\"telescope_class\":\"1m0\",\"filters\":[\"rp\"]},"
	"{\"code\":\"M\",\"kind\":\"image\",\"telescope_class\":\"2m0\",\"filters\":[\"gp\",\"rp\"]},"
	"{\"code\":\"B\",\"kind\":\"image\",\"telescope_class\":\"1m0\",\"filters\":[\"rp\",\"V\",\"R\"],\"max_exposure_s\":300}]}";

/* What was refused, by the name of its exchange: the mode it was asked in, the step of the offer, the stem, and what the ladder changes. */
static const struct {
	const char *name, *mode;
	int step;
	const char *stem, *changed;
} expected[] = {
	{"validate-not-visible", RAPID, 0, "airmass", "max_airmass 1.6 → 1.9"},
	{"validate-too-long", RAPID, 0, "window", "max_airmass 1.6 → 1.9"},
	{"validate-short-window", RAPID, 0, "window", "max_airmass 1.6 → 1.9"},
	{"validate-bad-filter", RAPID, 0, "filter", "filters rp → gp"},
	{"validate-missing-filter", RAPID, 0, "filter", "filters rp → gp"},
	{"validate-bad-instrument", RAPID, 0, "instrument", "instrument A → B"},
	{"validate-wrong-class", RAPID, 0, "instrument", "instrument A → B"},
	{"validate-bad-mode", RAPID, 0, "readout", "instrument A → B"},
	{"validate-muscat-missing", RAPID, 0, "readout", "instrument A → B"},
	{"validate-missing", RAPID, 0, "configuration", "mode RAPID_RESPONSE → NORMAL, exposure_s 200 → 100, count 3 → 2"},
	{"validate-defocus-schema", RAPID, 0, "configuration", "mode RAPID_RESPONSE → NORMAL, exposure_s 200 → 100, count 3 → 2"},
	{"validate-not-schedulable", RAPID, 0, "configuration", "mode RAPID_RESPONSE → NORMAL, exposure_s 200 → 100, count 3 → 2"},
	{"validate-many-with-one", RAPID, 0, "other", "mode RAPID_RESPONSE → NORMAL, exposure_s 200 → 100, count 3 → 2"},
	{"validate-unknown-proposal", RAPID, 0, "proposal", "programme too → spare, count 3 → 1"},
	{"validate-inactive-proposal", RAPID, 0, "proposal", "programme too → spare, count 3 → 1"},
	{"no-token-post", RAPID, 0, "proposal", "programme too → spare, count 3 → 1"},
	{"validate-no-allocation", "TIME_CRITICAL", 0, "allocation", "mode TIME_CRITICAL → NORMAL"},
	{"validate-no-allocation", "NORMAL", 0, "allocation", "instrument A → B"},
	{"validate-not-enough-time", "NORMAL", 0, "time", "exposure_s 200 → 100"},
	{"validate-tc-not-enough", "TIME_CRITICAL", 0, "time", "mode TIME_CRITICAL → NORMAL"},
	{"validate-rr-future", RAPID, 0, "rr_window", "mode RAPID_RESPONSE → TIME_CRITICAL"},
	{"validate-rr-too-late", RAPID, 0, "rr_window", "mode RAPID_RESPONSE → TIME_CRITICAL"},
	{"validate-ipp-range", "NORMAL", 0, "ipp", "ipp 1.9 → 1"},
	{"validate-ipp-not-available", "NORMAL", 0, "ipp", "ipp 1.9 → 1.794"},
	{"validate-window-past", RAPID, 0, "window", "max_airmass 1.6 → 1.9"},
	{"validate-window-reversed", RAPID, 0, "window", "max_airmass 1.6 → 1.9"},
	{"validate-no-semester", RAPID, 0, "window", "max_airmass 1.6 → 1.9"},
	{"validate-airmass-range", RAPID, 0, "airmass", "max_airmass 1.6 → 1.9"},
	{"validate-fields", "NORMAL", 0, "ipp", "ipp 1.9 → 1"},
	{"max-ipp-invalid", "NORMAL", 1, "filter", "filters rp → gp"},
	{"submit-invalid", RAPID, 0, "airmass", "max_airmass 1.6 → 1.9"},
};

static json_t *request_new(const char *mode)
{
	return json_pack("{s:s,s:s,s:s,s:s,s:i,s:i,s:[s],s:f,s:i,s:f,s:f,s:f,s:s,s:f,s:f,s:[f],s:I,s:I}", "facility", "lco", "programme", "too", "mode", mode,
		"instrument", "A", "epoch", 1, "rung", 0, "filters", "rp", "exposure_s", 200.0, "count", 3, "ipp", 1.9, "max_airmass", 1.6, "min_moon_deg", 30.0,
		"site", "lsc", "per_exposure_s", 28.0, "duration_s", 776.0, "limit_mag", 22.0, "start_us", (json_int_t)0, "end_us", (json_int_t)(6 * UTC_HOUR));
}

static json_t *parse(const char *text)
{
	json_t *v = json_loads(text, 0, NULL);
	assert_non_null(v);
	return v;
}

static const char *body_of(const json_t *exchange, char **made)
{
	const json_t *response = json_object_get(exchange, "response");
	return *made = json_dumps(response, JSON_ENCODE_ANY | JSON_COMPACT);
}

static void next_step(const json_t *exchange, size_t i, const json_t *lco, const json_t *policy, const json_t *descriptor)
{
	bool submit = strncmp(expected[i].name, "submit", 6) == 0 || strncmp(expected[i].name, "no-token", 8) == 0;
	struct facility_request q = {.token = "T-1", .remote_id = "1", .event = "S", .target_name = "T", .proposal = "P", .mode = expected[i].mode, .ipp = 1.9,
		.instrument = "A", .site = ""};
	struct facility_conf conf = {"lco", lco};
	struct view v = {.now_us = UTC_DAY, .verb = submit ? VERB_SUBMIT : VERB_OFFER, .step = expected[i].step, .request = &q, .prefix = "T"};
	char *body, *made = NULL;
	struct reply reply = {.sent = SENT_ANSWERED, .status = (int)json_int(exchange, "status", 0), .content_type = "application/json", .transport = "",
		.retry_after_s = -1, .body = body_of(exchange, &made)};
	struct answers a = {0};
	struct err e = {0};
	body = made;
	reply.len = strlen(body);
	assert_int_equal(facility_find("ocs")->read(&conf, &v, &reply, &a), 0);
	assert_true(a.count > 0);
	json_t *r = request_new(expected[i].mode), *next = NULL;
	json_object_set_new(r, "ipp_max", json_real_or_null(a.list[0].ipp_max));
	assert_ok(plan_next_variant(policy, descriptor, r, a.list[0].stem, &next, &e), &e);
	if (strcmp(a.list[0].stem, expected[i].stem) != 0 || strcmp(json_text(next, "changed", "the end"), expected[i].changed) != 0)
		fail_msg("%s in %s: %s, so \"%s\"; wanted %s, \"%s\" (%s)", expected[i].name, expected[i].mode, a.list[0].stem, json_text(next, "changed", "the end"),
			 expected[i].stem, expected[i].changed, a.list[0].words);
	assert_true(a.list[0].words[0] != '\0'); /* the facility's own */
	json_decref(next);
	json_decref(r);
	answers_free(&a);
	free(body);
}

static void refusals_lead_on(void **state)
{
	(void)state;
	char dir_path[512];
	shared_path(dir_path, "data/ocs_corpus");
	DIR *dir = opendir(dir_path);
	if (dir == NULL) {
		printf("# SKIP: no recorded exchanges at %s\n", dir_path);
		skip();
	}
	json_t *lco = embedded_json("facilities/lco.json"), *policy = parse(policy_text), *descriptor = parse(descriptor_text);
	size_t met[sizeof expected / sizeof expected[0]] = {0};
	for (struct dirent *f; (f = readdir(dir)) != NULL;) {
		char path[1024];
		struct err e = {0};
		if (strstr(f->d_name, ".json") == NULL)
			continue;
		snprintf(path, sizeof path, "%s/%s", dir_path, f->d_name);
		json_t *exchange = json_read_file(path, &json_limits_config, NULL, &e);
		assert_non_null(exchange);
		for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
			if (strcmp(expected[i].name, json_text(exchange, "name", "")) == 0) {
				next_step(exchange, i, lco, policy, descriptor);
				met[i]++;
			}
		}
		json_decref(exchange);
	}
	closedir(dir);
	for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
		if (met[i] == 0)
			fail_msg("%s was not among the exchanges", expected[i].name);
	json_decref(descriptor);
	json_decref(policy);
	json_decref(lco);
}

/* Down from one request by one stem to the end: every change, "; " between; each step asks for less, or for something else. */
static void walk(const char *mode, const char *stem, const char *want)
{
	json_t *policy = parse(policy_text), *descriptor = parse(descriptor_text), *r = request_new(mode), *next = NULL;
	char got[1000] = "";
	struct err e = {0};
	for (int n = 0; n <= PLAN_STEPS; n++, r = next) {
		assert_ok(plan_next_variant(policy, descriptor, r, stem, &next, &e), &e);
		if (next == NULL)
			break;
		assert_string_equal(json_text(next, "refused", ""), stem);
		assert_true(json_number(next, "duration_s", -1) > 0);
		snprintf(got + strlen(got), sizeof got - strlen(got), "%s%s", n ? "; " : "", json_text(next, "changed", ""));
		json_decref(r);
	}
	assert_null(next);
	assert_string_equal(got, want);
	json_decref(r);
	json_decref(descriptor);
	json_decref(policy);
}

static void floors_and_ceilings(void **state)
{
	(void)state;
	walk("NORMAL", "airmass", "max_airmass 1.6 → 1.9; max_airmass 1.9 → 2; min_moon_deg 30 → 20; min_moon_deg 20 → 15; exposure_s 200 → 100; exposure_s 100 → 60; "
		"count 3 → 2; exposure_s 60 → 100; exposure_s 100 → 60; programme too → spare, exposure_s 60 → 200, count 2 → 1; exposure_s 200 → 100; exposure_s 100 → 60");
	walk("TIME_CRITICAL", "time", "mode TIME_CRITICAL → NORMAL; exposure_s 200 → 100; exposure_s 100 → 60; count 3 → 2; exposure_s 60 → 100; exposure_s 100 → 60; "
		"programme too → spare, exposure_s 60 → 200, count 2 → 1; exposure_s 200 → 100; exposure_s 100 → 60");
	walk("NORMAL", "filter", "filters rp → gp; instrument A → B, filters gp → rp; filters rp → V+R");
	walk("NORMAL", "instrument", "instrument A → B");
	walk(RAPID, "mode", "mode RAPID_RESPONSE → TIME_CRITICAL; mode TIME_CRITICAL → NORMAL; exposure_s 200 → 100, count 3 → 2; programme too → spare, "
		"exposure_s 100 → 200, count 2 → 1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(refusals_lead_on), cmocka_unit_test(floors_and_ceilings)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The plan: GW170817's night as LCO had it, every verdict, budgets, telescopes, reserves, and the ladder after a refusal. */
#include "test.h"
#include "engine/base/json.h"
#include "engine/base/utc.h"
#include "engine/request/plan.h"
#include <math.h>
#include <time.h>

#define SITES \
	"[{\"code\":\"coj\",\"latitude_deg\":-31.2728,\"longitude_deg\":149.0708,\"elevation_m\":1116,\"telescopes\":2,\"horizon_deg\":15,\"ha_limit_h\":4.6}," \
	"{\"code\":\"cpt\",\"latitude_deg\":-32.3806,\"longitude_deg\":20.8101,\"elevation_m\":1760,\"telescopes\":3,\"horizon_deg\":15,\"ha_limit_h\":4.6}," \
	"{\"code\":\"lsc\",\"latitude_deg\":-30.1674,\"longitude_deg\":-70.8047,\"elevation_m\":2198,\"telescopes\":3,\"horizon_deg\":15,\"ha_limit_h\":4.6}]"
#define DESCRIPTOR(name) \
	"{\"name\":\"" name "\",\"interrupt_within_h\":1,\"modes\":[\"RAPID_RESPONSE\",\"TIME_CRITICAL\",\"NORMAL\"],\"max_window_h\":24,\"sites\":" SITES "," \
	"\"instruments\":[{\"code\":\"1M0-SCICAM-SINISTRO\",\"kind\":\"image\",\"telescope_class\":\"1m0\",\"filters\":[\"gp\",\"rp\",\"ip\",\"zs\"]}]," \
	"\"overheads\":{\"front_padding_s\":90,\"per_exposure_s\":28,\"filter_change_s\":2}}"
#define PROGRAMME(name, facility) "{\"name\":\"" name "\",\"facility\":\"" facility "\",\"left_h\":{\"NORMAL\":10,\"TIME_CRITICAL\":5,\"RAPID_RESPONSE\":2},\"triggers_left\":3}"

/* Visit: 90 + 2 · (180 + 28 + 2) = 510 s. */
static const char policy_text[] =
	"{\"name\":\"t\",\"targets\":{\"top\":6,\"probability\":0.95},"
	"\"observe\":[{\"epoch\":1,\"after_h\":0,\"filters\":[\"gp\",\"ip\"],\"exposure_s\":180,\"max_airmass\":2.5,\"min_moon_deg\":20}],"
	"\"ladder\":[{\"programme\":\"too\",\"facility\":\"lco\",\"mode\":\"RAPID_RESPONSE\",\"count\":1,\"ipp\":1.05,\"max_airmass\":2.0},"
	"{\"programme\":\"too\",\"facility\":\"lco\",\"mode\":\"NORMAL\",\"filter\":\"rp\",\"exposure_s\":120,\"max_airmass\":2.5}]}";

/* Order: best first. NGC 4993 and neighbours, one never up, one in daylight, one by the cut. */
static const char targets_text[] =
	"[{\"key\":\"NGC4993|1\",\"name\":\"NGC 4993\",\"ra_deg\":197.4488,\"dec_deg\":-23.3839,\"share\":0.4,\"distance_mpc\":40.7,\"pinned\":false},"
	"{\"key\":\"Polar|2\",\"name\":\"Polar\",\"ra_deg\":30.0,\"dec_deg\":89.0,\"share\":0.2,\"distance_mpc\":40,\"pinned\":false},"
	"{\"key\":\"Day|3\",\"name\":\"Day\",\"ra_deg\":147.0,\"dec_deg\":13.0,\"share\":0.1,\"distance_mpc\":40,\"pinned\":false},"
	"{\"key\":\"ESO508-G019|4\",\"name\":\"ESO 508-G019\",\"ra_deg\":197.4651,\"dec_deg\":-24.2391,\"share\":0.1,\"distance_mpc\":39,\"pinned\":false},"
	"{\"key\":\"NGC4970|5\",\"name\":\"NGC 4970\",\"ra_deg\":196.8905,\"dec_deg\":-24.0086,\"share\":0.05,\"distance_mpc\":42,\"pinned\":false},"
	"{\"key\":\"IC4197|6\",\"name\":\"IC 4197\",\"ra_deg\":197.0179,\"dec_deg\":-23.7969,\"share\":0.05,\"distance_mpc\":41,\"pinned\":false},"
	"{\"key\":\"NGC4968|7\",\"name\":\"NGC 4968\",\"ra_deg\":196.7749,\"dec_deg\":-23.6769,\"share\":0.04,\"distance_mpc\":42,\"pinned\":false}]";

static json_t *parse(const char *text)
{
	json_error_t je;
	json_t *j = json_loads(text, 0, &je);
	if (j == NULL)
		fail_msg("JSON at %d: %s", je.position, je.text);
	return j;
}

static json_t *job_new(const char *now)
{
	struct err e = {0};
	int64_t t = 0;
	assert_ok(utc_parse(now, &t, &e), &e);
	json_t *job = json_object();
	json_object_set_new(job, "kind", json_string("plan"));
	json_object_set_new(job, "event", json_string("G298048"));
	json_object_set_new(job, "now_us", json_integer(t));
	json_object_set_new(job, "horizon_h", json_integer(24));
	json_object_set_new(job, "targets", parse(targets_text));
	json_object_set_new(job, "policy", parse(policy_text));
	json_object_set_new(job, "facilities", parse("[{\"name\":\"lco\",\"state\":\"open\",\"descriptor\":" DESCRIPTOR("lco") "}]"));
	json_object_set_new(job, "programmes", parse("[" PROGRAMME("too", "lco") "]"));
	json_object_set_new(job, "event_left_h", json_null());
	json_object_set_new(job, "night_left_h", json_null());
	json_object_set_new(job, "existing", json_array());
	return job;
}

/* Runs and gives back the job. */
static json_t *run(json_t *job)
{
	struct err e = {0};
	json_t *result = NULL;
	assert_ok(plan_run(job, &result, &e), &e);
	json_decref(job);
	size_t planned = 0, i;
	json_t *r;
	json_array_foreach(json_object_get(result, "requests"), i, r)
		planned += !json_flag(r, "reserve", false) && json_int(r, "epoch", 0) == 1;
	assert_true(planned + json_array_size(json_object_get(result, "verdicts")) == 7); /* every target has its fate */
	return result;
}

static json_t *find(const json_t *result, const char *list, const char *key, int epoch)
{
	json_t *r;
	size_t i;
	json_array_foreach(json_object_get(result, list), i, r)
		if (strcmp(json_text(r, "target", ""), key) == 0 && (epoch == 0 || json_int(r, "epoch", 0) == epoch))
			return r;
	return NULL;
}

static void verdict_is(const json_t *result, const char *key, const char *code, const char *words)
{
	json_t *v = find(result, "verdicts", key, 0);
	if (v == NULL)
		fail_msg("%s has no verdict", key);
	if (strcmp(json_text(v, "code", ""), code) != 0 || strstr(json_text(v, "detail", ""), words) == NULL)
		fail_msg("%s: %s \"%s\", wanted %s \"…%s…\"", key, json_text(v, "code", ""), json_text(v, "detail", ""), code, words);
}

static void within(const json_t *r, const char *key, const char *want, double tolerance_s)
{
	struct err e = {0};
	int64_t t = 0;
	char a[32];
	assert_ok(utc_parse(want, &t, &e), &e);
	if (fabs((double)(json_int(r, key, 0) - t)) > tolerance_s * 1e6)
		fail_msg("%s is %s, wanted %s", key, utc_format_s(a, json_int(r, key, 0)), want);
}

/* 17:54 UT: the first three-detector map. Tololo's twilight ends at 23:13; before that none of the three southern sites sees it dark and high. */
static void gw170817(void **state)
{
	(void)state;
	json_t *result = run(job_new("2017-08-17T21:00:00Z"));
	json_t *first = json_array_get(json_object_get(result, "requests"), 0);
	assert_string_equal(json_text(first, "target", ""), "NGC4993|1");
	assert_string_equal(json_text(first, "site", ""), "lsc");
	assert_string_equal(json_text(first, "mode", ""), "TIME_CRITICAL"); /* it opens 2 h ahead: nothing to interrupt */
	assert_string_equal(json_text(first, "instrument", ""), "1M0-SCICAM-SINISTRO");
	within(first, "start_us", "2017-08-17T23:13:00Z", 60);
	within(first, "slot_us", "2017-08-17T23:13:00Z", 60);
	assert_true(json_number(first, "duration_s", 0) == 510.0);
	assert_true(json_number(first, "max_airmass", 0) == 2.0);
	verdict_is(result, "Polar|2", "never_rises", "below the horizon");
	verdict_is(result, "Day|3", "daylight", "when the Sun is above −12°");
	verdict_is(result, "NGC4968|7", "below_cut", "rank 7");
	json_decref(result);
}

static void modes_follow_the_clock_and_the_purse(void **state)
{
	(void)state;
	json_t *result = run(job_new("2017-08-17T23:30:00Z"));
	json_t *r = find(result, "requests", "NGC4993|1", 1);
	assert_string_equal(json_text(r, "mode", ""), "RAPID_RESPONSE");
	within(r, "start_us", "2017-08-17T23:30:00Z", 0);
	json_decref(result);
	json_t *job = job_new("2017-08-17T23:30:00Z");
	json_object_set_new(job, "programmes", parse("[{\"name\":\"too\",\"facility\":\"lco\",\"left_h\":{\"NORMAL\":0.2,\"RAPID_RESPONSE\":0.15}}]"));
	result = run(job);
	assert_string_equal(json_text(find(result, "requests", "NGC4993|1", 1), "mode", ""), "RAPID_RESPONSE"); /* 0.142 h of 0.15 */
	assert_string_equal(json_text(find(result, "requests", "ESO508-G019|4", 1), "mode", ""), "NORMAL");
	verdict_is(result, "NGC4970|5", "programme", "0.06 h in NORMAL");
	json_decref(result);
	job = job_new("2017-08-17T23:30:00Z");
	json_object_set_new(json_array_get(json_object_get(job, "programmes"), 0), "triggers_left", json_integer(0));
	result = run(job);
	verdict_is(result, "NGC4993|1", "programme", "no trigger left");
	json_decref(result);
}

/* What a programme's rules forbid is not planned on it, and the verdict says which. */
static void programmes_have_rules(void **state)
{
	static const struct {
		const char *rules, *words; /* NULL: NGC 4993 is planned */
	} cases[] = {
		{"{\"rules\":{\"blocked_nights\":[\"2017-08-17/2017-08-18\"]}}", "the night of 2017-08-1"},
		{"{\"rules\":{\"blocked_nights\":[\"2017-08-16\",\"2017-08-18\"]}}", NULL},
		{"{\"rules\":{\"notice_h\":48}}", "it wants notice 48 h before the night, which begins at 2017-08-1"},
		{"{\"rules\":{\"notice_h\":0.5}}", NULL},
		{"{\"rules\":{\"max_visit_h\":0.01}}", "a visit may take 0.01 h at most, this one takes 0."},
		{"{\"rules\":{\"semester\":{\"end\":\"2017-08-01\"}}}", "its semester ends at 2017-08-01T00:00:00Z"},
		{"{\"rules\":{\"charge\":{\"minimum_h\":11}}}", "in RAPID_RESPONSE and 10.00 h in NORMAL, the visit costs 11.00 h"},
		{"{\"kept\":\"dist_mean_mpc < 30\",\"left_h\":{\"NORMAL\":0.01,\"RAPID_RESPONSE\":0}}", "h in NORMAL besides what is kept for events with dist_mean_mpc < 30, the visit costs"},
		{"{\"declined\":\"policy tests may not trigger it\"}", "policy tests may not trigger it"},
		{"{\"triggers_left\":0,\"paid\":true}", NULL},
		{"{\"triggers_left\":0,\"rules\":{\"trigger_modes\":[]}}", NULL},
		{"{\"triggers_left\":0,\"rules\":{\"trigger_modes\":[\"RAPID_RESPONSE\",\"TIME_CRITICAL\",\"NORMAL\"]}}", "no trigger left"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		json_t *job = job_new("2017-08-17T22:00:00Z"), *over = parse(cases[i].rules), *p;
		size_t k;
		json_array_foreach(json_object_get(job, "programmes"), k, p)
			json_object_update(p, over);
		json_decref(over);
		json_t *result = run(job);
		if (cases[i].words != NULL)
			verdict_is(result, "NGC4993|1", "programme", cases[i].words);
		else
			assert_non_null(find(result, "requests", "NGC4993|1", 1));
		json_decref(result);
	}
	json_t *job = job_new("2017-08-17T22:00:00Z");
	json_object_set_new(job, "semester_left_h", json_real(0.01));
	json_t *result = run(job);
	verdict_is(result, "NGC4993|1", "budget", "the semester's budget has 0.01 h left");
	json_decref(result);
}

static void budgets_and_existing_bind(void **state)
{
	(void)state;
	json_t *job = job_new("2017-08-17T23:00:00Z");
	json_object_set_new(job, "event_left_h", json_real(0.3)); /* two visits of 0.142 h */
	json_object_set_new(job, "existing", parse("[{\"target\":\"NGC4993|1\",\"epoch\":1,\"state\":\"accepted\"}]"));
	json_t *result = run(job);
	verdict_is(result, "NGC4993|1", "exists", "epoch 1 is accepted");
	assert_non_null(find(result, "requests", "ESO508-G019|4", 1));
	assert_non_null(find(result, "requests", "IC4197|6", 1)); /* as likely as NGC 4970, and higher */
	verdict_is(result, "NGC4970|5", "budget", "event's budget has 0.02 h left");
	json_decref(result);
}

/* One telescope in the world: the visits stand in a queue, none overlaps another. */
static void telescopes_are_finite(void **state)
{
	(void)state;
	json_t *job = job_new("2017-08-17T23:00:00Z"), *d = json_object_get(json_array_get(json_object_get(job, "facilities"), 0), "descriptor");
	json_t *site = json_deep_copy(json_array_get(json_object_get(d, "sites"), 2));
	json_object_set_new(site, "telescopes", json_integer(1));
	json_object_set_new(d, "sites", json_pack("[o]", site));
	json_t *result = run(job), *list = json_object_get(result, "requests"), *a, *b;
	size_t i, k;
	assert_true(json_array_size(list) >= 4);
	json_array_foreach(list, i, a)
		json_array_foreach(list, k, b)
			if (i != k && !(json_int(a, "slot_us", 0) + 510 * UTC_SECOND <= json_int(b, "slot_us", 0)
				|| json_int(b, "slot_us", 0) + (int64_t)(json_number(b, "duration_s", 0) * 1e6) <= json_int(a, "slot_us", 0)))
				fail_msg("slots of %s and %s overlap", json_text(a, "target", ""), json_text(b, "target", ""));
	assert_string_equal(json_text(json_array_get(list, 0), "target", ""), "NGC4993|1");
	json_decref(result);
}

static void facilities_that_cannot(void **state)
{
	(void)state;
	json_t *job = job_new("2017-08-17T23:00:00Z");
	json_object_set_new(json_array_get(json_object_get(job, "facilities"), 0), "state", json_string("closed"));
	json_t *result = run(job);
	verdict_is(result, "NGC4993|1", "closed", "lco is closed");
	verdict_is(result, "Polar|2", "never_rises", "");
	json_decref(result);
	job = job_new("2017-08-17T23:00:00Z");
	json_object_set_new(job, "facilities", json_array());
	result = run(job);
	verdict_is(result, "NGC4993|1", "no_instrument", "\"lco\"");
	json_decref(result);
	job = job_new("2017-08-17T23:00:00Z");
	json_t *ladder = json_object_get(json_object_get(job, "policy"), "ladder");
	json_object_set_new(json_array_get(ladder, 0), "filter", json_string("H"));
	json_object_set_new(json_array_get(ladder, 1), "filter", json_string("K"));
	result = run(job);
	verdict_is(result, "NGC4993|1", "no_instrument", "no camera with filter");
	json_decref(result);
}

static void a_second_facility_is_the_reserve(void **state)
{
	(void)state;
	json_t *job = job_new("2017-08-17T23:00:00Z");
	json_array_append_new(json_object_get(job, "facilities"), parse("{\"name\":\"other\",\"state\":\"open\",\"descriptor\":" DESCRIPTOR("other") "}"));
	json_array_append_new(json_object_get(job, "programmes"), parse(PROGRAMME("second", "other")));
	json_array_append_new(json_object_get(json_object_get(job, "policy"), "ladder"),
		parse("{\"programme\":\"second\",\"facility\":\"other\",\"mode\":\"NORMAL\",\"max_airmass\":2.5}"));
	json_t *result = run(job), *r;
	size_t i, main_count = 0, reserves = 0;
	json_array_foreach(json_object_get(result, "requests"), i, r) {
		reserves += json_flag(r, "reserve", false);
		main_count += !json_flag(r, "reserve", false);
	}
	assert_true(main_count >= 3 && reserves == main_count);
	json_t *a = json_array_get(json_object_get(result, "requests"), 0), *b = json_array_get(json_object_get(result, "requests"), 1);
	assert_string_equal(json_text(a, "target", "a"), json_text(b, "target", "b"));
	assert_string_not_equal(json_text(a, "facility", ""), json_text(b, "facility", ""));
	json_decref(result);
}

/* What was asked for before has its telescope: the plan does not count on it for somebody else. */
static void what_is_booked_is_taken(void **state)
{
	(void)state;
	json_t *free_night = run(job_new("2017-08-17T23:00:00Z")), *job = job_new("2017-08-17T23:00:00Z"), *booked = json_array();
	const json_t *first = json_array_get(json_object_get(free_night, "requests"), 0);
	for (int lane = 0; lane < 3; lane++) /* all three telescopes of that site, for an hour */
		json_array_append_new(booked, json_pack("{s:s,s:s,s:I,s:f}", "facility", "lco", "site", json_text(first, "site", ""), "slot_us",
			(json_int_t)json_int(first, "slot_us", 0), "duration_s", 3600.0));
	json_object_set_new(job, "booked", booked);
	json_t *result = run(job), *r;
	size_t i;
	json_array_foreach(json_object_get(result, "requests"), i, r)
		assert_false(strcmp(json_text(r, "site", ""), json_text(first, "site", "")) == 0 &&
			json_int(r, "slot_us", 0) < json_int(first, "slot_us", 0) + INT64_C(3600000000));
	assert_true(json_array_size(json_object_get(result, "requests")) > 0);
	json_decref(result);
	json_decref(free_night);
}

/* What one facility refused to the end of the ladder is the other's; what both refused has that verdict. */
static void refused_there_asked_elsewhere(void **state)
{
	(void)state;
	for (int both = 0; both < 2; both++) {
		json_t *job = job_new("2017-08-17T23:00:00Z");
		json_array_append_new(json_object_get(job, "facilities"), parse("{\"name\":\"other\",\"state\":\"open\",\"descriptor\":" DESCRIPTOR("other") "}"));
		json_array_append_new(json_object_get(job, "programmes"), parse(PROGRAMME("second", "other")));
		json_array_append_new(json_object_get(json_object_get(job, "policy"), "ladder"),
			parse("{\"programme\":\"second\",\"facility\":\"other\",\"mode\":\"NORMAL\",\"max_airmass\":2.5}"));
		json_object_set_new(job, "refused", parse(both ? "[{\"target\":\"NGC4993|1\",\"epoch\":1,\"facility\":\"lco\"},"
			"{\"target\":\"NGC4993|1\",\"epoch\":1,\"facility\":\"other\"}]" : "[{\"target\":\"NGC4993|1\",\"epoch\":1,\"facility\":\"lco\"}]"));
		json_t *result = run(job), *r;
		size_t i;
		json_array_foreach(json_object_get(result, "requests"), i, r)
			assert_false(strcmp(json_text(r, "target", ""), "NGC4993|1") == 0 && strcmp(json_text(r, "facility", ""), "lco") == 0);
		if (both)
			verdict_is(result, "NGC4993|1", "declined", "refused it");
		else
			assert_non_null(find(result, "requests", "NGC4993|1", 1));
		assert_non_null(find(result, "requests", "NGC4970|5", 1));
		json_decref(result);
	}
}

static void epochs_follow_each_other(void **state)
{
	(void)state;
	json_t *job = job_new("2017-08-17T12:00:00Z");
	json_object_set_new(job, "horizon_h", json_integer(72));
	json_t *observe = json_object_get(json_object_get(job, "policy"), "observe"), *second = json_deep_copy(json_array_get(observe, 0));
	json_object_set_new(second, "epoch", json_integer(2));
	json_object_set_new(second, "after_h", json_integer(24));
	json_array_append_new(observe, second);
	json_t *result = run(job), *a = find(result, "requests", "NGC4993|1", 1), *b = find(result, "requests", "NGC4993|1", 2);
	assert_non_null(a);
	assert_non_null(b);
	assert_true(json_int(b, "slot_us", 0) - json_int(a, "slot_us", 0) >= 24 * UTC_HOUR);
	verdict_is(result, "NGC4968|7", "below_cut", "rank 7");
	json_decref(result);
}

static void a_pinned_target_goes_first(void **state)
{
	(void)state;
	json_t *job = job_new("2017-08-17T23:00:00Z");
	json_object_set_new(json_array_get(json_object_get(job, "targets"), 6), "pinned", json_true());
	json_t *result = run(job);
	assert_string_equal(json_text(json_array_get(json_object_get(result, "requests"), 0), "target", ""), "NGC4968|7");
	json_decref(result);
}

/* A camera that takes its bands at once, with overheads of its own: 180 + 180 + 7 s instead of 510; a refusal halves one series. */
static void a_rung_names_its_instrument(void **state)
{
	(void)state;
	struct err e = {0};
	json_t *job = job_new("2017-08-17T21:00:00Z"), *policy = json_deep_copy(json_object_get(job, "policy")), *next = NULL;
	json_t *instruments = json_object_get(json_object_get(json_array_get(json_object_get(job, "facilities"), 0), "descriptor"), "instruments");
	json_array_append_new(instruments, parse("{\"code\":\"CAM4\",\"kind\":\"image\",\"simultaneous\":true,\"filters\":[\"gp\",\"rp\",\"ip\"],"
		"\"overheads\":{\"front_padding_s\":180,\"per_exposure_s\":7,\"filter_change_s\":0}}"));
	json_object_set_new(json_array_get(json_object_get(policy, "ladder"), 0), "instrument", json_string("CAM4"));
	json_object_set(job, "policy", policy);
	json_t *result = run(job), *r = find(result, "requests", "NGC4993|1", 1);
	assert_string_equal(json_text(r, "instrument", ""), "CAM4");
	assert_true(json_number(r, "duration_s", 0) == 367.0 && json_number(r, "per_exposure_s", 0) == 7.0 && json_flag(r, "simultaneous", false));
	json_object_set_new(r, "max_airmass", json_real(2.5)); /* nothing left to loosen: the exposure is halved */
	assert_ok(plan_next_variant(policy, NULL, r, "window", &next, &e), &e);
	assert_non_null(next);
	assert_true(json_number(next, "exposure_s", 0) == 90.0 && json_number(next, "duration_s", 0) == 277.0);
	json_decref(next);
	json_decref(result);
	json_decref(policy);
	result = run(job_new("2017-08-17T21:00:00Z")); /* named by nobody: the first that has the filters */
	assert_string_equal(json_text(find(result, "requests", "NGC4993|1", 1), "instrument", ""), "1M0-SCICAM-SINISTRO");
	json_decref(result);
}

/* What the last status said: a shut site is not asked to interrupt at once, nor a filter that is not offered today. */
static void what_is_shut_today(void **state)
{
	(void)state;
	json_t *job = job_new("2017-08-17T23:30:00Z"), *place = json_array_get(json_object_get(job, "facilities"), 0);
	json_object_set_new(place, "shut", parse("[\"lsc\"]"));
	json_t *result = run(job), *r = find(result, "requests", "NGC4993|1", 1);
	assert_string_equal(json_text(r, "site", ""), "lsc"); /* the only one that sees it: in an hour, when it may be open */
	within(r, "slot_us", "2017-08-18T00:30:00Z", 60);
	json_decref(result);
	job = job_new("2017-08-17T23:30:00Z");
	json_object_set_new(json_array_get(json_object_get(job, "facilities"), 0), "off", parse("[\"1M0-SCICAM-SINISTRO:ip\"]"));
	result = run(job);
	r = find(result, "requests", "NGC4993|1", 1); /* the second rung's filter is still there */
	assert_int_equal(json_int(r, "rung", 0), 1);
	json_decref(result);
	job = job_new("2017-08-17T23:30:00Z");
	json_object_set_new(json_array_get(json_object_get(job, "facilities"), 0), "off", parse("[\"1M0-SCICAM-SINISTRO\"]"));
	result = run(job);
	verdict_is(result, "NGC4993|1", "no_instrument", "no camera with filter");
	json_decref(result);
}

static void the_same_job_gives_the_same_bytes(void **state)
{
	(void)state;
	json_t *a = run(job_new("2017-08-17T21:00:00Z")), *b = run(job_new("2017-08-17T21:00:00Z"));
	char *x = json_canonical(a), *y = json_canonical(b);
	assert_string_equal(x, y);
	free(x);
	free(y);
	json_decref(a);
	json_decref(b);
}

static void bad_jobs_are_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {"{}", "{\"policy\":{},\"now_us\":\"x\",\"targets\":[]}", "{\"policy\":{},\"now_us\":1,\"targets\":{}}",
		"{\"policy\":{},\"now_us\":1,\"targets\":[{\"key\":\"a\",\"ra_deg\":400,\"dec_deg\":0}]}",
		"{\"policy\":{},\"now_us\":1,\"targets\":[],\"facilities\":[{\"name\":\"x\",\"descriptor\":{}}]}",
		"{\"policy\":{\"observe\":[{\"epoch\":1}],\"ladder\":[{\"facility\":\"x\"}]},\"now_us\":1,\"targets\":[]}",
		"{\"policy\":{\"observe\":[{\"epoch\":1,\"exposure_s\":60,\"filters\":[\"r\"]}],\"ladder\":[{\"mode\":\"FAST\"}]},\"now_us\":1,\"targets\":[]}"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct err e = {0};
		json_t *job = parse(bad[i]), *result = NULL;
		assert_int_equal(plan_run(job, &result, &e), -1);
		assert_null(result);
		assert_true(strlen(e.text) > 20);
		json_decref(job);
	}
}

/* Walks the ladder with one stem until it ends; gives what was asked for each time. */
static void walk(const char *stem, const char *member, const char *want)
{
	struct err e = {0};
	char got[400] = "";
	json_t *policy = parse(policy_text), *result = run(job_new("2017-08-17T23:30:00Z")), *next = NULL;
	json_t *r = json_deep_copy(find(result, "requests", "NGC4993|1", 1));
	for (int n = 0; n < 50; n++, r = next) {
		assert_ok(plan_next_variant(policy, NULL, r, stem, &next, &e), &e);
		json_decref(r);
		if (next == NULL)
			break;
		const json_t *v = json_object_get(next, member);
		snprintf(got + strlen(got), sizeof got - strlen(got), "%s%lld:", n ? " " : "", (long long)json_int(next, "rung", -1));
		if (json_is_string(v))
			snprintf(got + strlen(got), sizeof got - strlen(got), "%s", json_string_value(v));
		else
			snprintf(got + strlen(got), sizeof got - strlen(got), "%g", json_number_value(v));
	}
	assert_null(next);
	assert_string_equal(got, want);
	json_decref(result);
	json_decref(policy);
}

static void the_ladder_goes_down_and_ends(void **state)
{
	(void)state;
	walk("airmass", "max_airmass", "0:2.3 0:2.5 0:2.5 1:2.5 1:2.5");
	walk("airmass", "exposure_s", "0:180 0:180 0:90 1:120 1:60");
	walk("airmass", "duration_s", "0:510 0:510 0:330 1:242 1:182"); /* 242: the change of one filter stays in the sum */
	walk("rr_window", "mode", "0:TIME_CRITICAL 0:NORMAL 1:NORMAL");
	walk("time", "mode", "0:TIME_CRITICAL 0:NORMAL 0:NORMAL 1:NORMAL 1:NORMAL");
	walk("filter", "exposure_s", "1:120");
	walk("ipp", "ipp", "0:1 1:1");
}

static void a_big_plan_is_quick(void **state)
{
	(void)state;
	json_t *job = job_new("2023-05-18T13:00:00Z"), *targets = json_array(), *result = NULL;
	struct err e = {0};
	for (int i = 0; i < 400; i++) {
		char key[32];
		snprintf(key, sizeof key, "G%03d|%d", i, i);
		json_array_append_new(targets, json_pack("{s:s, s:s, s:f, s:f, s:f}", "key", key, "name", key, "ra_deg", fmod(i * 77.7, 360.0), "dec_deg",
			fmod(i * 31.3, 120.0) - 80.0, "share", 0.0025));
	}
	json_object_set_new(job, "targets", targets);
	json_object_set_new(json_object_get(job, "policy"), "targets", parse("{\"top\":60}"));
	struct timespec a, b;
	clock_gettime(CLOCK_MONOTONIC, &a);
	assert_ok(plan_run(job, &result, &e), &e);
	clock_gettime(CLOCK_MONOTONIC, &b);
	printf("# 400 targets, 60 in the cut, 3 sites: %.0f ms, %zu requests\n",
		(double)(b.tv_sec - a.tv_sec) * 1e3 + (double)(b.tv_nsec - a.tv_nsec) / 1e6, json_array_size(json_object_get(result, "requests")));
	json_decref(result);
	json_decref(job);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(gw170817), cmocka_unit_test(modes_follow_the_clock_and_the_purse), cmocka_unit_test(programmes_have_rules),
		cmocka_unit_test(budgets_and_existing_bind), cmocka_unit_test(telescopes_are_finite), cmocka_unit_test(facilities_that_cannot),
		cmocka_unit_test(a_second_facility_is_the_reserve), cmocka_unit_test(refused_there_asked_elsewhere), cmocka_unit_test(what_is_booked_is_taken), cmocka_unit_test(epochs_follow_each_other),
		cmocka_unit_test(a_pinned_target_goes_first), cmocka_unit_test(a_rung_names_its_instrument), cmocka_unit_test(what_is_shut_today), cmocka_unit_test(the_same_job_gives_the_same_bytes),
		cmocka_unit_test(bad_jobs_are_refused), cmocka_unit_test(the_ladder_goes_down_and_ends), cmocka_unit_test(a_big_plan_is_quick)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The simulated portal by itself: the same seed and calls give the same bytes, its clockwork, its rules for names, tokens and paths. */
#include "test.h"
#include "portal_loop.h"
#include "engine/base/json.h"
#include "engine/base/utc.h"
#include "sim/portal_parts.h"
#include <math.h>

#define START_US (1795456800 * UTC_SECOND) /* 2026-11-23T18:00Z */

static const char submission[] =
	"{\"name\":\"n%d\",\"proposal\":\"TOO2026B\",\"ipp_value\":1.05,\"operator\":\"SINGLE\",\"observation_type\":\"%s\",\"requests\":[{\"configurations\":[{\"type\":\"EXPOSE\","
	"\"instrument_type\":\"1M0-SCICAM-SINISTRO\",\"target\":{\"type\":\"ICRS\",\"name\":\"t\",\"ra\":53.4,\"dec\":-36.14},\"constraints\":{\"max_airmass\":2.0,\"min_lunar_distance\":20},"
	"\"acquisition_config\":{},\"guiding_config\":{},\"instrument_configs\":[{\"exposure_time\":%d,\"exposure_count\":1,\"mode\":\"full_frame\",\"optical_elements\":{\"filter\":\"rp\"}}]}],"
	"\"windows\":[{\"end\":\"2026-11-24T17:00:00Z\"}],\"location\":{\"telescope_class\":\"1m0\"%s}}]}";

/* One call; the body's text is malloc'd and given. */
static char *ask(struct portal_loop *l, const char *method, const char *path, const char *query, const char *body, int *status)
{
	struct sim_call in = {.method = method, .path = path, .query = query, .authorization = l->authorization, .content_type = body != NULL ? "application/json" : NULL,
			      .body = body, .len = body != NULL ? strlen(body) : 0};
	struct sim_reply out;
	assert_int_equal(sim_portal_call(l->portal, l->now_us, &in, &out), 0);
	char *text = strdup(out.body);
	assert_int_equal(strlen(text), out.len);
	*status = out.status;
	sim_reply_free(&out);
	return text;
}

static void post(struct portal_loop *l, int number, const char *mode, int exposure_s, const char *site)
{
	char body[2000], place[40] = "";
	int status;
	if (site != NULL)
		snprintf(place, sizeof place, ",\"site\":\"%s\"", site);
	snprintf(body, sizeof body, submission, number, mode, exposure_s, place);
	char *text = ask(l, "POST", "/api/requestgroups/", NULL, body, &status);
	if (status != 201)
		fail_msg("%d: %s", status, text);
	free(text);
}

static char *night(void)
{
	struct portal_loop l;
	int status;
	portal_loop_open(&l, START_US, NULL);
	for (int i = 0; i < 20; i++) {
		l.now_us += 7 * UTC_MINUTE;
		post(&l, i, i % 5 == 0 ? "RAPID_RESPONSE" : "NORMAL", 60 + i * 100, i % 2 == 0 ? "cpt" : NULL);
		free(ask(&l, "GET", "/api/observations/", "limit=50", NULL, &status));
	}
	l.now_us += 20 * UTC_HOUR;
	sim_portal_advance(l.portal, l.now_us);
	json_t *ledger = sim_portal_ledger(l.portal);
	char *text = json_canonical(ledger);
	assert_int_equal(json_int(json_object_get(ledger, "states"), "COMPLETED", 0), 20);
	assert_true(json_number(ledger, "seconds", 0) > 0);
	json_decref(ledger);
	portal_loop_close(&l);
	return text;
}

static void the_same_night_twice(void **state)
{
	(void)state;
	char *a = night(), *b = night();
	assert_string_equal(a, b);
	free(a);
	free(b);
}

/* No telescope does two things at once, and none observes by day or below its limits. */
static void telescopes_do_one_thing(void **state)
{
	(void)state;
	struct portal_loop l;
	portal_loop_open(&l, START_US, NULL);
	for (int i = 0; i < 60; i++)
		post(&l, i, "NORMAL", 600, NULL);
	l.now_us += 23 * UTC_HOUR;
	sim_portal_advance(l.portal, l.now_us);
	const struct sim_portal *p = l.portal;
	size_t done = 0;
	for (size_t i = 0; i < p->observations; i++) {
		const struct portal_observation *a = &p->observation[i];
		if (strcmp(a->state, "COMPLETED") != 0)
			continue;
		done++;
		assert_true(portal_sky_airmass(&p->site[p->telescope[a->telescope].site], 53.4, -36.14, a->start_us) < 2.02);
		for (size_t k = 0; k < i; k++) {
			const struct portal_observation *b = &p->observation[k];
			if (b->telescope == a->telescope && strcmp(b->state, "COMPLETED") == 0)
				assert_true(a->start_us >= b->end_us || b->start_us >= a->end_us);
		}
	}
	assert_int_equal(done, 60);
	portal_loop_close(&l);
}

static void rapid_response_preempts(void **state)
{
	(void)state;
	struct portal_loop l;
	portal_loop_open(&l, START_US + UTC_HOUR, NULL);
	for (int i = 0; i < 3; i++)
		post(&l, i, "NORMAL", 3600, "cpt"); /* all three telescopes there */
	const struct sim_portal *p = l.portal;
	l.now_us = START_US + 110 * UTC_MINUTE;
	sim_portal_advance(l.portal, l.now_us);
	for (size_t i = 0; i < 3; i++)
		assert_string_equal(p->observation[i].state, "IN_PROGRESS");
	post(&l, 9, "RAPID_RESPONSE", 60, "cpt");
	l.now_us += 10 * UTC_MINUTE;
	sim_portal_advance(l.portal, l.now_us);
	assert_string_equal(p->group[3].state, "COMPLETED");
	size_t aborted = 0;
	for (size_t i = 0; i < p->observations; i++)
		aborted += strcmp(p->observation[i].state, "ABORTED") == 0;
	assert_int_equal(aborted, 1);
	l.now_us += 10 * UTC_HOUR; /* the one that was interrupted comes back */
	sim_portal_advance(l.portal, l.now_us);
	for (size_t i = 0; i < 4; i++)
		assert_string_equal(p->group[i].state, "COMPLETED");
	portal_loop_close(&l);
}

static void weather_moves_to_another_site(void **state)
{
	(void)state;
	struct portal_loop l;
	json_t *more = json_pack("{s:[{s:s, s:I, s:I}]}", "weather", "site", "cpt", "from_us", (json_int_t)START_US, "to_us", (json_int_t)(START_US + 30 * UTC_HOUR));
	portal_loop_open(&l, START_US, more);
	json_decref(more);
	post(&l, 1, "NORMAL", 60, NULL);
	l.now_us += 22 * UTC_HOUR;
	sim_portal_advance(l.portal, l.now_us);
	assert_string_equal(l.portal->group[0].state, "COMPLETED");
	for (size_t i = 0; i < l.portal->observations; i++)
		assert_string_not_equal(l.portal->site[l.portal->telescope[l.portal->observation[i].telescope].site].code, "cpt");
	portal_loop_close(&l);
}

static void rules_of_paths_and_tokens(void **state)
{
	(void)state;
	static const struct {
		const char *token, *method, *path, *query, *body;
		int status;
		const char *part;
	} cases[] = {
		{"Token bad", "GET", "/api/requestgroups/", NULL, NULL, 403, "Invalid token."},
		{"Token bad", "GET", "/frames/", "request_id=1", NULL, 401, "Invalid token."},
		{NULL, "GET", "/api/requestgroups/", NULL, NULL, 200, "\"count\":0"},
		{NULL, "POST", "/api/requestgroups/", NULL, "{}", 403, "not provided"},
		{"Bearer good", "GET", "/api/profile/", NULL, NULL, 403, "not provided"},
		{"Token good", "GET", "/api/requestgroups/", "name=N1&limit=1", NULL, 200, "\"count\":2"},
		{"Token good", "GET", "/api/requestgroups/", "limit=1&proposal=TOO2026B", NULL, 200, "proposal=TOO2026B&offset=1\""},
		{"Token good", "GET", "/api/requestgroups/", "bogus=1", NULL, 200, "\"count\":2"},
		{"Token other", "GET", "/api/requestgroups/1/", NULL, NULL, 404, "No RequestGroup matches"},
		{"Token other", "POST", "/api/requestgroups/1/cancel/", NULL, "", 404, "No RequestGroup matches"},
		{"Token good", "GET", "/api/requestgroups/5001/", NULL, NULL, 404, "No RequestGroup matches"},
		{"Token good", "GET", "/api/requests/5001/observations/", NULL, NULL, 200, "["},
		{"Token good", "PUT", "/api/requestgroups/1/", NULL, "{}", 405, "not allowed"},
		{"Token good", "GET", "/api/nothing/", NULL, NULL, 404, "<title>Not Found"},
		{"Token good", "POST", "/api/requestgroups/", NULL, "{\"name\":", 400, "JSON parse error"},
		{"Token good", "POST", "/api/requestgroups/", NULL, "[]", 400, "Expected a dictionary"},
		{"Token good", "POST", "/api/requestgroups/validate/", NULL, "{}", 200, "This field is required."},
		{"Token good", "GET", "/api/requestgroups/", "modified_after=yesterday", NULL, 400, "valid date"},
		{"Token good", "GET", "/api/semesters/", NULL, NULL, 200, "2026B"},
		{"Token good", "GET", "/api/proposals/TOO2026B/", NULL, NULL, 200, "timeallocation_set"},
	};
	struct portal_loop l;
	portal_loop_open(&l, START_US, NULL);
	post(&l, 1, "NORMAL", 60, NULL);
	post(&l, 10, "NORMAL", 60, NULL);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		int status;
		l.authorization = cases[i].token;
		char *text = ask(&l, cases[i].method, cases[i].path, cases[i].query, cases[i].body, &status);
		if (status != cases[i].status || strstr(text, cases[i].part) == NULL)
			fail_msg("%s %s: %d %s", cases[i].method, cases[i].path, status, text);
		free(text);
	}
	portal_loop_close(&l);
}

static void priority_is_debited_and_given_back(void **state)
{
	(void)state;
	struct portal_loop l;
	int status;
	portal_loop_open(&l, START_US, NULL);
	const json_t *proposal = portal_proposal(l.portal, "TOO2026B", "bot");
	post(&l, 1, "NORMAL", 3600, NULL);
	assert_true(fabs(portal_hours_left(l.portal, proposal, "ipp") - (5 - 0.05 * 3720 / 3600)) < 1e-9);
	free(ask(&l, "POST", "/api/requestgroups/1/cancel/", NULL, "", &status));
	assert_int_equal(status, 200);
	assert_true(portal_hours_left(l.portal, proposal, "ipp") == 5);
	portal_loop_close(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_night_twice), cmocka_unit_test(telescopes_do_one_thing), cmocka_unit_test(rapid_response_preempts),
		cmocka_unit_test(weather_moves_to_another_site), cmocka_unit_test(rules_of_paths_and_tokens),
		cmocka_unit_test(priority_is_debited_and_given_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What a night came to, counted by hand: one drawn merger and a false alarm over one site, through the real core and the simulated portal. */
#include "sim/score.h"
#include "engine/base/embed.h"
#include "engine/base/json.h"
#include "engine/base/query.h"
#include "engine/base/utc.h"
#include "sim/drawn.h"
#include "sim/stage.h"
#include "test.h"
#include <math.h>
#include <stdbool.h>

static json_t *embedded(const char *path)
{
	size_t len;
	const char *text = embed_find(path, &len);
	struct err e = {0};
	json_t *j = json_read(text, len, &json_limits_config, &e);
	assert_non_null(j);
	return j;
}

static json_t *input_of(const struct catalog *galaxies)
{
	json_t *policy = embedded("policies/bns-near.json");
	json_object_set_new(json_object_get(policy, "targets"), "top", json_integer(20));
	/* everything triggers: what is counted here is the scoring */
	json_object_set_new(policy, "when", json_string("significant = 1"));
	return json_pack("{s:s, s:{s:s, s:[{s:s, s:s}], s:[{s:s, s:s, s:s, s:{s:f}}], s:[]}, s:[o], s:[{s:s, s:s, s:b, s:o}], s:{s:s, s:I, s:s}}", "installation", "0000beef", "config",
		"state", "x", "facilities", "name", "lco", "use", "lco", "programmes", "name", "too-lco", "facility", "lco", "proposal", "P", "hours", "RAPID_RESPONSE", 9.0,
		"policies", "policies", policy, "facilities", "name", "lco", "use", "lco", "accepts_tests", 0, "descriptor", embedded("facilities/lco.json"), "catalog", "sha256",
		galaxies->sha256, "rows", (json_int_t)galaxies->count, "path", "x");
}

/* Where an event's pointing must have been for its host to count. */
static bool contains(const json_t *frame, const json_t *host)
{
	double dec = json_number(host, "dec_deg", 0), dra = remainder(json_number(host, "ra_deg", 0) - json_number(frame, "ra_deg", 0), 360) * cos(dec * M_PI / 180);
	return fabs(dra) * 60 < 13.25 && fabs(dec - json_number(frame, "dec_deg", 0)) * 60 < 13.25;
}

static void check_event(const json_t *event, const json_t *truth, const struct sim_portal *portal, sqlite3 *db)
{
	json_t *frames = sim_portal_frames(portal), *f;
	const json_t *host = json_object_get(truth, "host"), *told = json_object_get(event, "host");
	struct err e = {0};
	int64_t done = 0, in_field = 0;
	double first_s = NAN;
	size_t i;
	query_int(db, &done, &e, "SELECT count(*) FROM request r JOIN event v ON v.id=r.event WHERE v.name=? AND r.state='done'", "t", json_text(event, "event", ""));
	assert_int_equal(done, json_int(event, "exposed", -1));
	assert_int_equal(json_int(event, "time_us", 0), json_int(truth, "time_us", -1));
	json_array_foreach(frames, i, f)
		if (host != NULL && contains(f, host)) {
			double s = (double)(json_int(f, "start_us", 0) - json_int(truth, "time_us", 0)) / 1e6;
			first_s = in_field++ == 0 ? s : fmin(first_s, s);
		}
	json_decref(frames);
	if (strcmp(json_text(truth, "kind", ""), "noise") == 0) {
		assert_int_equal(json_int(event, "wasted", -1), json_int(event, "requests", -2) - json_int(event, "open", 0)); /* all of it */
		assert_true(json_is_null(told));
		return;
	}
	assert_int_equal(json_int(event, "wasted", -1), json_int(event, "requests", -2) - json_int(event, "open", 0) - json_int(event, "exposed", 0));
	assert_int_equal(json_int(told, "frames", -1), in_field);
	assert_true(in_field == 0 ? json_is_null(json_object_get(told, "exposed_s")) : fabs(json_number(told, "exposed_s", -1) - first_s) < 1e-6);
	assert_true((int64_t)json_array_size(json_object_get(told, "detections")) <= in_field);
	assert_true(json_number(event, "covered", -1) >= 0 && json_number(event, "covered", 2) <= 1 + 1e-9);
}

static void counted_by_hand(void **state)
{
	char scratch[] = "/tmp/slew-score-XXXXXX";
	int fd = mkstemp(scratch);
	struct err e = {0};
	struct sim_stage *stage = sim_stage_new(7, scratch, &e);
	struct drawn_hosts hosts;
	struct made_night *night = calloc(1, sizeof *night);
	int64_t requests = 0, exposed = 0, host_frames = 0, noise = 0;
	(void)state;
	close(fd);
	unlink(scratch);
	assert_non_null(stage);
	assert_ok(drawn_hosts_of_sky(sim_stage_sky(stage), 60, &hosts, &e), &e);
	for (uint64_t seed = 1; seed <= 4; seed++) {
		json_t *input = input_of(sim_stage_catalog(stage));
		struct compute_host compute = {.read_map = skymap_read, .catalog = sim_stage_catalog(stage)};
		struct drawn_options o = {.seed = seed, .start_us = INT64_C(1795478400) * UTC_SECOND, .end_us = INT64_C(1795478400) * UTC_SECOND + 5 * UTC_HOUR, .mergers = 1,
			.noise = 0.9, .sites = json_object_get(json_object_get(json_array_get(json_object_get(input, "facilities"), 0), "descriptor"), "sites")};
		struct sim_real_options r = {.input = input, .compute = &compute, .night = night, .seed = seed, .approve_min = NAN, .check = true};
		struct sim_real_places places;
		assert_ok(drawn_night_make(&hosts, &o, night, &e), &e);
		assert_ok(query_open(":memory:", QUERY_WRITE, &r.db, &e), &e);
		assert_ok(sim_real_run(&r, &places, &e), &e);
		json_t *score = score_night(&(struct score_input){r.db, &places, night->truth}, &e), *event;
		size_t i, k;
		json_t *truth;
		json_array_foreach(score, i, event)
			json_array_foreach(json_object_get(night->truth, "events"), k, truth)
				if (strcmp(json_text(truth, "event", ""), json_text(event, "event", "?")) == 0) {
					check_event(event, truth, places.portal[0], r.db);
					requests += json_int(event, "requests", 0);
					exposed += json_int(event, "exposed", 0);
					host_frames += json_int(json_object_get(event, "host"), "frames", 0);
					noise += strcmp(json_text(event, "kind", ""), "noise") == 0 && json_int(event, "wasted", 0) > 0;
				}
		json_decref(score);
		json_decref(input);
		sqlite3_close(r.db);
		sim_real_places_free(&places);
		made_night_free(night);
	}
	assert_true(requests > 20 && exposed > 5 && host_frames > 0 && noise > 0); /* there was something to count */
	drawn_hosts_free(&hosts);
	sim_stage_free(stage);
	free(night);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(counted_by_hand)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Drawn nights: the same from the same seed, hosts by mass and not by what the ranker weighs, alerts in order, false alarms retracted. */
#include "sim/drawn.c"
#include "test.h"

static struct sim_sky sky;
static struct drawn_hosts hosts;
static json_t *sites;

static int set_up(void **state)
{
	struct sim_sky_options o = {.seed = 4, .radius_mpc = 90};
	struct err e = {0};
	(void)state;
	sites = json_pack("[{s:s, s:f, s:f, s:[s]}]", "code", "lsc", "latitude_deg", -30.2, "longitude_deg", -70.8, "telescopes", "doma.1m0a");
	return sim_sky_make(&o, &sky, &e) == 0 && drawn_hosts_of_sky(&sky, 80, &hosts, &e) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	drawn_hosts_free(&hosts);
	sim_sky_free(&sky);
	json_decref(sites);
	return 0;
}

static void hosts_by_mass(void **state)
{
	struct rng r;
	double expected = 0, total = 0, mean = 0, farthest = 0;
	int unlisted = 0;
	(void)state;
	rng_seed(&r, 9, "test");
	for (size_t i = 0; i < hosts.count; i++) { /* mean mass of a host, if the chance is mass plus 0.1 */
		double m = pow(10, hosts.list[i].log_mstar - 10.6);
		expected += m * (m + 0.1);
		total += m + 0.1;
	}
	expected /= total;
	for (int i = 0; i < 4000; i++) {
		struct sim_galaxy g;
		settle(&hosts, &r, &g);
		mean += pow(10, g.log_mstar - 10.6) / 4000;
		farthest = fmax(farthest, g.distance_mpc);
		unlisted += !g.listed;
	}
	assert_true(fabs(mean / expected - 1) < 0.1);
	assert_true(farthest < 80 && farthest > 70);
	assert_true(unlisted > 0); /* galaxies that no catalogue has are hosts too */
	hosts.unlisted = 0.25;
	int nowhere = 0;
	for (int i = 0; i < 2000; i++) {
		struct sim_galaxy g;
		settle(&hosts, &r, &g);
		nowhere += strcmp(g.name, "unlisted galaxy") == 0;
	}
	hosts.unlisted = 0;
	assert_true(nowhere > 420 && nowhere < 580);
}

static void nothing_near(void **state)
{
	struct drawn_hosts none_at_all;
	struct err e = {0};
	(void)state;
	assert_int_equal(drawn_hosts_of_sky(&sky, 0.5, &none_at_all, &e), -1);
	assert_non_null(strstr(e.text, "--max-mpc"));
}

static void nights(void **state)
{
	struct made_night *a = calloc(1, sizeof *a), *b = calloc(1, sizeof *b);
	struct drawn_options o = {.start_us = INT64_C(1795478400) * UTC_SECOND, .mergers = 2, .noise = 0.5, .sites = sites};
	struct err e = {0};
	int noise = 0;
	(void)state;
	o.end_us = o.start_us + UTC_DAY;
	for (o.seed = 1; o.seed <= 3; o.seed++) {
		assert_ok(drawn_night_make(&hosts, &o, a, &e), &e);
		assert_ok(drawn_night_make(&hosts, &o, b, &e), &e);
		assert_true(a->alerts == b->alerts && json_equal(a->truth, b->truth) && json_equal(a->weather, b->weather));
		for (size_t i = 0; i < a->alerts; i++) {
			assert_true(a->alert[i].len == b->alert[i].len && memcmp(a->alert[i].bytes, b->alert[i].bytes, a->alert[i].len) == 0);
			assert_true(i == 0 || a->alert[i].at_us >= a->alert[i - 1].at_us);
			noise += strcmp(a->alert[i].type, "RETRACTION") == 0;
		}
		size_t events = json_array_size(json_object_get(a->truth, "events"));
		assert_true(events >= 2 && events <= 4 && a->alerts == 6 + 2 * (events - 2));
		made_night_free(a);
		made_night_free(b);
	}
	assert_true(noise > 0 && noise < 6);
	free(a);
	free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(hosts_by_mass), cmocka_unit_test(nothing_near), cmocka_unit_test(nights)};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}

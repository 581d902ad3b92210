/* Windows and reasons: the facts about NGC 4993 on 2017-08-17, and one target for every reason. */
#include "test.h"
#include "engine/base/utc.h"
#include "engine/target/visibility.h"
#include <math.h>

static const struct visibility_site tololo = {"lsc", "Cerro Tololo", {-30.1674, -70.8047, 2198.0}, 15.0, 12.0, 3};
static const struct visibility_limits deep = {.airmass_max = 2.5, .sun_max_deg = -12.0, .moon_min_deg = 20.0, .visit_s = 300.0};

static int64_t utc(const char *s)
{
	struct err e = {0};
	int64_t t = 0;
	assert_ok(utc_parse(s, &t, &e), &e);
	return t;
}

static struct visibility_night *night(const char *start, double hours)
{
	struct err e = {0};
	int64_t t = utc(start);
	struct visibility_night *n = visibility_night_new(&tololo, 1, t, t + (int64_t)(hours * 3600e6), &e);
	if (n == NULL)
		fail_msg("%s", e.text);
	return n;
}

static void find(const struct visibility_night *n, double ra, double dec, const struct visibility_limits *l, struct visibility_report *r)
{
	struct ephemeris_target t;
	ephemeris_target_set(visibility_night_frame(n), ra, dec, &t);
	visibility_find(n, &(struct visibility_ask){0, &t, l, VISIBILITY_ALWAYS}, r);
}

static void within(int64_t have, const char *want, double tolerance_s)
{
	char a[32];
	if (fabs((double)(have - utc(want))) > tolerance_s * 1e6)
		fail_msg("%s, wanted %s ± %.0f s", utc_format_s(a, have), want, tolerance_s);
}

/* LCO that night (arXiv:1710.05842): airmass 1.6 at 23:59, 1.74 at 00:15:23, Sun −12° at 23:13, −18° at 23:41, airmass 2.5 at 01:10 UT. */
static void ngc4993_from_tololo(void **state)
{
	(void)state;
	struct visibility_night *n = night("2017-08-17T18:00:00Z", 12);
	struct visibility_report r;
	struct ephemeris_local l;
	struct ephemeris_target t;
	struct visibility_limits limits = deep;
	ephemeris_target_set(visibility_night_frame(n), 197.4488, -23.3839, &t);
	visibility_night_local(n, 0, utc("2017-08-18T00:15:23Z"), &l);
	assert_true(fabs(ephemeris_airmass(ephemeris_sin_alt(&l, &t)) - 1.74) < 0.005);
	find(n, 197.4488, -23.3839, &limits, &r);
	assert_int_equal(r.reason, VISIBLE);
	assert_int_equal(r.count, 1);
	within(r.windows[0].start_us, "2017-08-17T23:13:00Z", 60);
	within(r.windows[0].end_us, "2017-08-18T01:10:00Z", 60);
	assert_int_equal(r.windows[0].best_us / UTC_SECOND, r.windows[0].start_us / UTC_SECOND); /* it is setting */
	assert_true(fabs(r.windows[0].airmass_end - 2.5) < 0.001);
	limits.sun_max_deg = -18.0;
	find(n, 197.4488, -23.3839, &limits, &r);
	within(r.windows[0].start_us, "2017-08-17T23:41:00Z", 60);
	limits = (struct visibility_limits){1.6, -12.0, 20.0, 300.0};
	find(n, 197.4488, -23.3839, &limits, &r);
	within(r.windows[0].end_us, "2017-08-17T23:59:00Z", 60);
	visibility_night_free(n);
}

/* The edges are where the limits are, to a second: 2 s outside one of them is broken, on the edge none is. */
static void edges_are_where_limits_are(double ha_limit_h, unsigned at_least)
{
	struct err e = {0};
	struct visibility_site s = tololo;
	s.ha_limit_h = ha_limit_h;
	const int64_t start_us = utc("2023-05-18T12:00:00Z"), end_us = start_us + 2 * UTC_DAY;
	struct visibility_night *n = visibility_night_new(&s, 1, start_us, end_us, &e);
	unsigned seen = 0;
	for (int i = 0; i < 40; i++) {
		double ra = 9.0 * i, dec = -80.0 + 3.5 * i;
		struct visibility_report r;
		struct ephemeris_target t;
		struct ephemeris_local l;
		ephemeris_target_set(visibility_night_frame(n), ra, dec, &t);
		find(n, ra, dec, &deep, &r);
		for (size_t w = 0; w < r.count; w++, seen++)
			for (int side = 0; side < 2; side++)
				for (int out = 0; out < 2; out++) {
					int64_t at = side ? r.windows[w].end_us : r.windows[w].start_us;
					if (at == start_us || at == end_us)
						continue;
					at += out * (side ? 2 : -2) * UTC_SECOND;
					visibility_night_local(n, 0, at, &l);
					int ok = ephemeris_airmass(ephemeris_sin_alt(&l, &t)) <= 2.5 && ephemeris_asin_deg(l.sun_sin_alt) <= -12.0
						&& ephemeris_moon_deg(&l, &t) >= 20.0 && (ha_limit_h >= 12 || fabs(ephemeris_hour_angle_h(&l, &t)) <= ha_limit_h);
					assert_int_equal(ok, !out);
				}
	}
	assert_true(seen > at_least);
	visibility_night_free(n);
}

static void edges_are_sharp(void **state)
{
	(void)state;
	edges_are_where_limits_are(12.0, 30);
	edges_are_where_limits_are(2.6, 30);
}

static void reason_is(const char *start, double hours, double ra, double dec, struct visibility_limits l, enum visibility_reason want,
	const char *words)
{
	struct visibility_night *n = night(start, hours);
	struct visibility_report r;
	char text[256];
	find(n, ra, dec, &l, &r);
	visibility_sentence(&r, &l, text, sizeof text);
	if (r.reason != want || strstr(text, words) == NULL)
		fail_msg("reason %d \"%s\", wanted %d \"…%s…\"", (int)r.reason, text, (int)want, words);
	visibility_night_free(n);
}

static void every_reason_is_given(void **state)
{
	(void)state;
	struct visibility_limits l = deep;
	reason_is("2017-08-17T18:00:00Z", 24, 37.95, 89.26, l, VISIBLE_NEVER_RISES, "below the horizon");   /* Polaris */
	reason_is("2017-08-17T18:00:00Z", 24, 200.0, 44.0, l, VISIBLE_NEVER_RISES, "culminates at altitude 16°");
	reason_is("2017-08-17T18:00:00Z", 24, 150.0, -10.0, l, VISIBLE_DAYLIGHT, "when the Sun is above −12°"); /* close to the Sun */
	l.moon_min_deg = 120.0;
	reason_is("2017-08-17T18:00:00Z", 12, 197.4488, -23.3839, l, VISIBLE_MOON, "120° are wanted");
	l = deep;
	l.visit_s = 3.0 * 3600;
	reason_is("2017-08-17T18:00:00Z", 24, 197.4488, -23.3839, l, VISIBLE_WINDOW_SHORT, "the visit takes 180 min");
	l = deep;
	reason_is("2017-08-18T02:00:00Z", 6, 197.4488, -23.3839, l, VISIBLE_LATE, "not before 23:1");
	reason_is("2017-08-17T18:00:00Z", 24, 197.4488, -23.3839, l, VISIBLE, "visible 23:1");
}

static void limits_of_the_site_count(void **state)
{
	(void)state;
	struct err e = {0};
	struct visibility_site s = tololo;
	s.ha_limit_h = 4.6; /* LCO 1 m: NGC 4993 is lost 26 min before airmass 2.5 */
	int64_t t0 = utc("2017-08-17T18:00:00Z");
	struct visibility_night *n = visibility_night_new(&s, 1, t0, t0 + UTC_DAY / 2, &e);
	struct visibility_report r;
	find(n, 197.4488, -23.3839, &deep, &r);
	assert_int_equal(r.reason, VISIBLE);
	within(r.windows[0].end_us, "2017-08-18T00:43:36Z", 60);
	struct visibility_night *beside = visibility_night_beside(n, &s, 1, &e); /* as made by itself, to the last bit */
	for (int64_t t = t0; t < t0 + UTC_DAY; t += 1234567890) {
		struct ephemeris_local a = {0}, b = {0};
		visibility_night_local(n, 0, t, &a);
		visibility_night_local(beside, 0, t, &b);
		assert_memory_equal(&a, &b, sizeof a);
	}
	visibility_night_free(beside);
	visibility_night_free(n);
	assert_null(visibility_night_new(&s, 1, t0, t0, &e));
	assert_null(visibility_night_new(&s, 0, t0, t0 + UTC_DAY, &e));
}

static void sites_are_checked(void **state)
{
	(void)state;
	static const char *const bad[] = {"{}", "{\"sites\":[]}", "{\"sites\":[{\"latitude_deg\":1,\"longitude_deg\":2}]}",
		"{\"sites\":[{\"code\":\"x\",\"latitude_deg\":91,\"longitude_deg\":2}]}", "{\"sites\":[{\"code\":\"x\",\"longitude_deg\":2}]}",
		"{\"sites\":[{\"code\":\"x\",\"latitude_deg\":1,\"longitude_deg\":2,\"ha_limit_h\":13}]}"};
	struct visibility_site s[2];
	size_t count;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct err e = {0};
		json_t *j = json_loads(bad[i], 0, NULL);
		assert_int_equal(visibility_sites(j, s, 2, &count, &e), -1);
		assert_true(strlen(e.text) > 20);
		json_decref(j);
	}
	struct err e = {0};
	json_t *j = json_loads("{\"sites\":[{\"code\":\"ogg\",\"latitude_deg\":20.7,\"longitude_deg\":-156.3,\"telescopes\":2}]}", 0, NULL);
	assert_ok(visibility_sites(j, s, 2, &count, &e), &e);
	assert_int_equal(count, 1);
	assert_true(s[0].horizon_deg == 15.0 && s[0].ha_limit_h == 12.0 && s[0].telescopes == 2);
	json_decref(j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(ngc4993_from_tololo), cmocka_unit_test(edges_are_sharp),
		cmocka_unit_test(every_reason_is_given), cmocka_unit_test(limits_of_the_site_count), cmocka_unit_test(sites_are_checked)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

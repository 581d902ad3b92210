/* Sun, Moon and stars over real sites, against astropy 7 with measured UT1 (the tolerance is what UT1 = UTC may cost). */
#include "test.h"
#include "engine/base/utc.h"
#include "engine/target/ephemeris.h"
#include <math.h>

static const struct {
	double lat, lon, height;
	const char *utc;
	double ra, dec, alt, az, ha_h, sun_alt, moon_alt, moon_deg, illuminated;
} truth[] = {
	{-30.1674, -70.8047, 2198, "2017-08-17T23:59:00Z", 197.4488, -23.3839, 38.5073, 262.7411, 3.85416, -21.9475, -69.6617, 109.1470, 0.1839},
	{-30.1674, -70.8047, 2198, "2017-08-18T01:10:00Z", 197.4488, -23.3839, 23.4065, 255.4942, 5.04073, -37.2646, -79.1430, 108.2391, 0.1794},
	{-31.2728, 149.0708, 1116, "2023-05-18T12:59:08Z", 53.4016, -36.1404, -21.4302, 191.9614, 11.07951, -71.9572, -75.7111, 54.4229, 0.0143},
	{20.7075, -156.256, 3055, "2019-04-25T08:18:05Z", 257.0, 15.0, 18.1549, 80.4011, -5.05963, -44.3014, -23.9256, 48.8971, 0.6517},
	{30.6797, -104.0152, 2070, "2024-03-10T06:00:00Z", 83.8, -5.4, 13.9339, 254.9511, 4.68637, -58.9997, -62.3596, 93.3536, 0.0007},
	{-32.3806, 20.8100, 1798, "2020-11-01T22:00:00Z", 10.68, 41.27, 13.6232, 343.5752, 1.43236, -42.5776, 36.7930, 42.9556, 0.9846},
};
#define TOLERANCE_DEG 0.0045 /* 0.9 s of rotation = 0.00375°, and the rest of ephemeris.h */

static void look(size_t i, int64_t frame_off_us, int64_t halfwidth_us, struct ephemeris_local *l, struct ephemeris_target *t)
{
	struct err e = {0};
	struct ephemeris_frame f;
	struct ephemeris_bodies a, b, m;
	struct ephemeris_site s = {truth[i].lat, truth[i].lon, truth[i].height};
	int64_t utc = 0;
	assert_ok(utc_parse(truth[i].utc, &utc, &e), &e);
	ephemeris_frame_set(&f, utc + frame_off_us);
	ephemeris_bodies_at(&f, utc - halfwidth_us, &a);
	ephemeris_bodies_at(&f, utc + halfwidth_us, &b);
	ephemeris_bodies_between(&a, &b, utc, &m);
	ephemeris_local_at(&m, &s, l);
	ephemeris_target_set(&f, truth[i].ra, truth[i].dec, t);
}

static void near(double have, double want, double tolerance, size_t i, const char *what)
{
	if (!(fabs(have - want) <= tolerance))
		fail_msg("%s of row %zu: %.5f, wanted %.5f", what, i, have, want);
}

static void agrees_with_astropy(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof truth / sizeof truth[0]; i++) {
		struct ephemeris_local l;
		struct ephemeris_target t;
		look(i, 0, 0, &l, &t);
		near(ephemeris_alt_deg(&l, &t), truth[i].alt, TOLERANCE_DEG, i, "altitude");
		near(ephemeris_az_deg(&l, &t), truth[i].az, TOLERANCE_DEG * 1.3, i, "azimuth");
		near(ephemeris_hour_angle_h(&l, &t), truth[i].ha_h, TOLERANCE_DEG / 15.0, i, "hour angle");
		near(ephemeris_asin_deg(l.sun_sin_alt), truth[i].sun_alt, TOLERANCE_DEG, i, "Sun's altitude");
		near(ephemeris_asin_deg(l.moon_sin_alt), truth[i].moon_alt, TOLERANCE_DEG, i, "Moon's altitude");
		near(ephemeris_moon_deg(&l, &t), truth[i].moon_deg, 0.002, i, "distance to the Moon");
		near(l.moon_illuminated, truth[i].illuminated, 0.0005, i, "illumination");
	}
}

/* A frame of two days off and bodies between samples 20 min apart: the errors that the header states. */
static void short_cuts_cost_what_is_said(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof truth / sizeof truth[0]; i++) {
		struct ephemeris_local exact, cheap;
		struct ephemeris_target t, u;
		look(i, 0, 0, &exact, &t);
		look(i, 2 * UTC_DAY, 10 * UTC_MINUTE, &cheap, &u);
		near(ephemeris_alt_deg(&cheap, &u) * 3600, ephemeris_alt_deg(&exact, &t) * 3600, 1.5, i, "altitude (arcsec)");
		near(ephemeris_asin_deg(cheap.moon_sin_alt) * 3600, ephemeris_asin_deg(exact.moon_sin_alt) * 3600, 1.5, i, "Moon (arcsec)");
		near(ephemeris_asin_deg(cheap.sun_sin_alt) * 3600, ephemeris_asin_deg(exact.sun_sin_alt) * 3600, 1.5, i, "Sun (arcsec)");
	}
}

/* Many times at once: the errors that the header states, at every step of three days through a month, also where a node is passed. */
static void many_at_once_are_as_good(void **state)
{
	(void)state;
	for (int day = 0; day < 30; day += 3) {
		static struct ephemeris_bodies many[217];
		struct ephemeris_frame f;
		int64_t start = INT64_C(1795478400000000) + day * UTC_DAY + 12345678, step = 20 * UTC_MINUTE;
		ephemeris_frame_set(&f, start);
		ephemeris_bodies_fill(&f, start, step, 217, many);
		for (int i = 0; i < 217; i++) {
			struct ephemeris_bodies one;
			ephemeris_bodies_at(&f, start + i * step, &one);
			assert_int_equal(many[i].utc_us, one.utc_us);
			assert_true(many[i].era_rad == one.era_rad);
			assert_true(fabs(many[i].moon_illuminated - one.moon_illuminated) < 1e-9);
			for (int axis = 0; axis < 3; axis++) {
				assert_true(fabs(many[i].sun[axis] - one.sun[axis]) < 1e-12);
				assert_true(fabs(many[i].moon_km[axis] - one.moon_km[axis]) < 1e-5);
			}
		}
		ephemeris_bodies_fill(&f, start, step, 3, many); /* few: exact */
		struct ephemeris_bodies third;
		ephemeris_bodies_at(&f, start + 2 * step, &third);
		assert_memory_equal(&many[2], &third, sizeof third);
	}
}

static void airmass_is_the_secant(void **state)
{
	(void)state;
	assert_true(fabs(ephemeris_airmass(sin(30.0 * ERFA_DD2R)) - 2.0) < 1e-12);
	assert_true(isinf(ephemeris_airmass(0.0)) && isinf(ephemeris_airmass(-0.3)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(agrees_with_astropy), cmocka_unit_test(short_cuts_cost_what_is_said),
		cmocka_unit_test(many_at_once_are_as_good), cmocka_unit_test(airmass_is_the_secant)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

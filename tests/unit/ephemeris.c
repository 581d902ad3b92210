/* Sun, Moon and stars over real sites, against astropy 7 with measured UT1 (the tolerance is what UT1 = UTC may cost), and over random
 * ones against the full path of ERFA at the same UT1: ≤ 1″. */
#include "test.h"
#include "engine/base/utc.h"
#include "engine/target/ephemeris.h"
#include <math.h>
#include <stdbool.h>

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
		near(ephemeris_alt_deg(&cheap, &u) * 3600, ephemeris_alt_deg(&exact, &t) * 3600, 0.01, i, "altitude (arcsec)");
		near(ephemeris_asin_deg(cheap.moon_sin_alt) * 3600, ephemeris_asin_deg(exact.moon_sin_alt) * 3600, 0.3, i, "Moon (arcsec)");
		near(ephemeris_asin_deg(cheap.sun_sin_alt) * 3600, ephemeris_asin_deg(exact.sun_sin_alt) * 3600, 0.01, i, "Sun (arcsec)");
	}
}

/* ---- against the full path ---- */

/* A number in [low, high), the same in each run. */
static double drawn(uint64_t *state, double low, double high)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return low + (high - low) * (double)(*state >> 11) / 9007199254740992.0;
}

struct scene {
	int64_t utc_us;
	double utc[2], dut1_s, xp_rad, yp_rad; /* as ERFA wants it */
	struct ephemeris_site site;
	struct ephemeris_frame frame;
	struct ephemeris_local local;
};

/* Any place and time of 2015–2035 but for the leap seconds themselves; the pole up to 0.3″ from its mean; the frame up to frame_off_days
 * away, the bodies between two samples as visibility has them. */
static void scene_draw(uint64_t *state, int i, double frame_off_days, struct scene *out)
{
	struct ephemeris_bodies body[12], now;
	const int64_t step = 20 * UTC_MINUTE;
	double years, turn = drawn(state, 0, 2 * M_PI), wobble = drawn(state, 0, 0.3) * ERFA_DAS2R;
	out->utc_us = INT64_C(1420070400000000) + (int64_t)drawn(state, 0, 20.9 * 365.25 * 86400) * UTC_SECOND + 250000;
	if (i % 50 == 0) /* within the day that ends with a leap second, and the one after it */
		out->utc_us = INT64_C(1483142400000000) + (int64_t)drawn(state, 0, 172799) * UTC_SECOND + 250000;
	int64_t of_day = out->utc_us - (out->utc_us / UTC_DAY) * UTC_DAY;
	double s = (double)(of_day % UTC_MINUTE) / 1e6;
	int year, month, day;
	double fraction;
	assert_int_equal(eraJd2cal(ERFA_DJM0, 40587.0 + (double)(out->utc_us / UTC_DAY), &year, &month, &day, &fraction), 0);
	assert_true(eraDtf2d("UTC", year, month, day, (int)(of_day / UTC_HOUR), (int)(of_day / UTC_MINUTE % 60), s, &out->utc[0], &out->utc[1]) >= 0);
	out->dut1_s = drawn(state, -0.9, 0.9);
	out->site = (struct ephemeris_site){i % 7 == 0 ? drawn(state, 89, 90) * (i % 2 ? 1 : -1) : drawn(state, -90, 90),
		i % 11 == 0 ? drawn(state, 179.9, 180.1) : drawn(state, -180, 180), drawn(state, 0, 5000)};
	years = ((double)out->utc_us / 1e6 - 946728000.0) / (365.25 * 86400);
	out->xp_rad = (0.055 + 0.001677 * years) * ERFA_DAS2R + wobble * cos(turn);
	out->yp_rad = (0.3205 + 0.00346 * years) * ERFA_DAS2R + wobble * sin(turn);
	ephemeris_frame_set(&out->frame, out->utc_us + (int64_t)(drawn(state, -frame_off_days, frame_off_days) * 86400) * UTC_SECOND);
	out->frame.dut1_s = out->dut1_s;
	ephemeris_bodies_fill(&out->frame, out->utc_us - (int64_t)drawn(state, 0, 1199) * UTC_SECOND, step, i % 2 ? 12 : 2, body);
	ephemeris_bodies_between(&body[0], &body[1], out->utc_us, &now);
	ephemeris_local_at(&now, &out->site, &out->local);
}

/* What a star at sep_rad from a direction of the GCRS is called. */
static void beside(const double at[3], double sep_rad, double *ra_deg, double *dec_deg)
{
	double v[3] = {at[0], at[1], at[2]}, axis[3] = {0, 0, 1}, side[3], r;
	eraPxp(axis, v, side);
	eraPn(side, &r, side);
	eraPpsp(v, tan(sep_rad), side, v);
	eraC2s(v, ra_deg, dec_deg);
	*ra_deg = eraAnp(*ra_deg) * ERFA_DR2D;
	*dec_deg *= ERFA_DR2D;
}

/* Arcseconds between what ERFA's azimuth and zenith distance say and what ours do; also checks the hour angle. */
static double star_off(const struct scene *s, double ra_deg, double dec_deg)
{
	double az, zd, ha, dec, ra, origins, theirs[3], ours[3];
	struct ephemeris_target t;
	assert_true(eraAtco13(ra_deg * ERFA_DD2R, dec_deg * ERFA_DD2R, 0, 0, 0, 0, s->utc[0], s->utc[1], s->dut1_s, s->site.lon_deg * ERFA_DD2R,
		s->site.lat_deg * ERFA_DD2R, s->site.elevation_m, s->xp_rad, s->yp_rad, 0, 0, 0, 0.5, &az, &zd, &ha, &dec, &ra, &origins) >= 0);
	ephemeris_target_set(&s->frame, ra_deg, dec_deg, &t);
	eraS2c(az, M_PI / 2 - zd, theirs);
	eraS2c(ephemeris_az_deg(&s->local, &t) * ERFA_DD2R, ephemeris_alt_deg(&s->local, &t) * ERFA_DD2R, ours);
	double turn = eraAnpm(ephemeris_hour_angle_h(&s->local, &t) * M_PI / 12 - ha) * cos(dec) * ERFA_DR2AS;
	if (!(fabs(turn) <= 1.0))
		fail_msg("hour angle off by %.2f arcsec at dec %.4f, latitude %.4f", turn, dec_deg, s->site.lat_deg);
	double limit = fabs(ha) * (fmod(ra_deg, 1) < 0.5 ? 0.999 : 1.001) + (fmod(ra_deg, 1) < 0.5 ? -1e-3 : 1e-3); /* one side of it or the other */
	if (limit > 0 && limit < M_PI && fabs(dec_deg) < 89)
		assert_int_equal(ephemeris_hour_angle_within(&s->local, &t, cos(limit)), fabs(ha) <= limit);
	double by_sine = ephemeris_asin_deg(ephemeris_sin_alt(&s->local, &t)) - ephemeris_alt_deg(&s->local, &t);
	assert_true(fabs(cos(zd)) > 0.998 || fabs(by_sine) * 3600 < 0.3);
	return eraSepp(theirs, ours) * ERFA_DR2AS;
}

/* The Sun (or Moon) the long way: light time through the barycentre, aberration by the observer's velocity, rotation by ERFA. */
static double body_sin_alt(const struct scene *s, bool moon)
{
	eraASTROM a;
	double origins, tai[2], tt[2], earth_h[2][3], earth_b[2][3], now_b[2][3], pv[2][3], direction[3], au = 1.0, cirs[3], ra, dec, az, zd, ha, d, r;
	assert_true(eraApco13(s->utc[0], s->utc[1], s->dut1_s, s->site.lon_deg * ERFA_DD2R, s->site.lat_deg * ERFA_DD2R, s->site.elevation_m,
		s->xp_rad, s->yp_rad, 0, 0, 0, 0.5, &a, &origins) >= 0);
	eraUtctai(s->utc[0], s->utc[1], &tai[0], &tai[1]);
	eraTaitt(tai[0], tai[1], &tt[0], &tt[1]);
	eraEpv00(tt[0], tt[1], earth_h, now_b);
	for (int i = 0; i < 4; i++) {
		double then = tt[1] - au * ERFA_AULT / ERFA_DAYSEC;
		eraEpv00(tt[0], then, earth_h, earth_b);
		eraMoon98(tt[0], then, pv);
		for (int k = 0; k < 3; k++) /* a.eb is the observer; it goes with the same ephemeris as now_b */
			direction[k] = earth_b[0][k] + (moon ? pv[0][k] : -earth_h[0][k]) - a.eb[k];
		eraPn(direction, &au, direction);
	}
	eraAb(direction, a.v, a.em, a.bm1, cirs);
	eraRxp(a.bpn, cirs, cirs);
	eraC2s(cirs, &ra, &dec);
	eraAtioq(eraAnp(ra), dec, &a, &az, &zd, &ha, &d, &r);
	return cos(zd);
}

static double arcsec_between(double sin_a, double sin_b)
{
	return fabs(ephemeris_asin_deg(sin_a) - ephemeris_asin_deg(sin_b)) * 3600;
}

static void the_full_path_agrees(void **state)
{
	(void)state;
	static const double frame_off_days[] = {2.0, 9.0};
	uint64_t seed = 20170817;
	for (int pass = 0; pass < 2; pass++) {
		double star = 0, sun = 0, moon = 0;
		for (int i = 0; i < 700; i++) {
			struct scene s;
			double ra, dec;
			scene_draw(&seed, i, frame_off_days[pass], &s);
			ra = drawn(&seed, 0, 360);
			dec = i % 3 == 0 ? asin(drawn(&seed, -1, 1)) * ERFA_DR2D : (i % 2 ? 90 - pow(10, drawn(&seed, -6, 0)) : pow(10, drawn(&seed, -6, 0)) - 90);
			star = fmax(star, star_off(&s, ra, dec));
			beside(s.local.zenith, pow(10, drawn(&seed, -7, -1)), &ra, &dec);
			star = fmax(star, star_off(&s, ra, dec));
			sun = fmax(sun, arcsec_between(s.local.sun_sin_alt, body_sin_alt(&s, false)));
			moon = fmax(moon, arcsec_between(s.local.moon_sin_alt, body_sin_alt(&s, true)));
		}
		printf("# frame within %.0f d: stars within %.3f arcsec of eraAtco13, Sun %.3f, Moon %.3f\n", frame_off_days[pass], star, sun, moon);
		assert_true(star <= 0.6 && sun <= 0.6 && moon <= 1.0);
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
	static const double above[][3] = {{30, 0.002, 0.004}, {14.4775, 0.013, 0.015}}; /* altitude, and by how much it is above Kasten & Young */
	for (int i = 0; i < 2; i++) {
		double sine = sin(above[i][0] * ERFA_DD2R), theirs = 1 / (sine + 0.50572 * pow(above[i][0] + 6.07995, -1.6364));
		double by = ephemeris_airmass(sine) / theirs - 1;
		assert_true(by > above[i][1] && by < above[i][2]);
	}
}

/* Meeus 1998, example 48.a: 67.86 % of the Moon are lit on 1992 April 12.0 TD (58.2 s before that UTC). Example 47.a: it is 368,409.7 km away,
 * in ecliptic longitude 133.162655° and latitude −3.229126° of the mean equinox of date. */
static void the_moon_of_the_textbook(void **state)
{
	(void)state;
	struct err e = {0};
	struct ephemeris_frame f;
	struct ephemeris_bodies b;
	int64_t utc = 0;
	double ecliptic[3][3], of_date[3], lon, lat;
	assert_ok(utc_parse("1992-04-11T23:59:00.8Z", &utc, &e), &e);
	ephemeris_frame_set(&f, utc);
	ephemeris_bodies_at(&f, utc, &b);
	near(b.moon_illuminated, 0.6786, 0.0001, 0, "illumination");
	near(eraPm(b.moon_km), 368409.7, 60, 0, "distance of the Moon (km)"); /* its light time: 1.2 s */
	eraEcm06(ERFA_DJ00, utc_j2000_days(utc), ecliptic);
	eraRxp(ecliptic, b.moon_km, of_date);
	eraC2s(of_date, &lon, &lat);
	near(eraAnp(lon) * ERFA_DR2D * 3600, 133.162655 * 3600, 15, 0, "longitude of the Moon (arcsec)"); /* both theories: 10″; the frame: less */
	near(lat * ERFA_DR2D * 3600, -3.229126 * 3600, 6, 0, "latitude of the Moon (arcsec)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(agrees_with_astropy), cmocka_unit_test(short_cuts_cost_what_is_said),
		cmocka_unit_test(the_full_path_agrees), cmocka_unit_test(many_at_once_are_as_good), cmocka_unit_test(airmass_is_the_secant),
		cmocka_unit_test(the_moon_of_the_textbook)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Windows at hard places and times: polar nights and days, both sides of the date line, midnight, the ends of a month, of a leap February and of
 * years, leap seconds in the middle. The values are astropy 8.0.2's (AltAz and HADec without pressure, get_body, measured UT1, edges bisected to
 * 0.05 s); ours must be there to 2 s, the Moon's to 10 s: its distance changes by 0.5″ in one second. */
#include "test.h"
#include "engine/base/utc.h"
#include "engine/target/visibility.h"
#include <math.h>

struct want {
	const char *start, *end, *best;
	double airmass[3], moon_deg, moon_alt_deg, ha_h[2]; /* at best, start, end; at best; at start, end */
};

static const struct {
	const char *name;
	double lat_deg, lon_deg, elevation_m, ha_limit_h;
	const char *from;
	double hours, dut1_s, ra_deg, dec_deg, airmass, sun_deg, moon_deg;
	enum visibility_reason reason;
	int windows;
	struct want window[2];
} truth[] = {
	{"the date line in Fiji, from the west", -16.8, 179.99, 10, 12, "2016-12-31T04:00:00Z", 44, -0.408, 83.8, -5.4, 2, -12, 0, VISIBLE, 2,
		{{"2016-12-31T07:28:39Z", "2016-12-31T14:55:16Z", "2016-12-31T10:54:53Z", {1.0202, 1.6185, 2}, 133.185, -37.071, {-3.4468, 4.0171}},
		{"2017-01-01T07:28:58Z", "2017-01-01T14:51:19Z", "2017-01-01T10:50:56Z", {1.0202, 1.5832, 2}, 122.343, -27.849, {-3.3758, 4.0171}}}},
	{"the same from the east", -16.8, -179.99, 10, 12, "2016-12-31T04:00:00Z", 44, -0.408, 83.8, -5.4, 2, -12, 0, VISIBLE, 2,
		{{"2016-12-31T07:28:35Z", "2016-12-31T14:55:11Z", "2016-12-31T10:54:48Z", {1.0202, 1.6185, 2}, 133.185, -37.072, {-3.4468, 4.0171}},
		{"2017-01-01T07:28:53Z", "2017-01-01T14:51:15Z", "2017-01-01T10:50:51Z", {1.0202, 1.5832, 2}, 122.343, -27.850, {-3.3758, 4.0171}}}},
	{"Fiji, too close to the Moon", -16.8, 179.99, 10, 12, "2019-12-31T12:00:00Z", 30, -0.177, 10, -25, 2.5, -18, 45, VISIBLE_MOON, 0, {{0}}},
	{"La Palma, the Moon goes away; midnight, a leap second, the month's end", 28.7606, -17.8816, 2326, 12, "2015-06-30T12:00:00Z", 36, -0.676,
		250, 36.5, 1.5, -18, 57.2, VISIBLE, 2,
		{{"2015-06-30T23:41:11Z", "2015-07-01T03:05:56Z", "2015-06-30T23:41:11Z", {1.0131, 1.0131, 1.5}, 57.2, 41.465, {0.3994, 3.8212}},
		{"2015-07-01T21:47:47Z", "2015-07-02T00:00:00Z", "2015-07-01T23:13:21Z", {1.0091, 1.0614, 1.0243}, 61.675, 34.837, {-1.4301, 0.7796}}}},
	{"Siding Spring, hour angle; the year's end", -31.2728, 149.0708, 1116, 2.5, "2016-12-31T20:00:00Z", 30, -0.409, 53.4, -36.1, 2, -12, 30, VISIBLE, 1,
		{{"2017-01-01T10:13:05Z", "2017-01-01T13:22:25Z", "2017-01-01T10:52:49Z", {1.0035, 1.0141, 1.1713}, 85.805, 3.045, {-0.6644, 2.5}}}},
	{"McMurdo in June: dark all day", -77.85, 166.67, 30, 12, "2024-06-20T12:00:00Z", 36, -0.012, 100, -75, 2, -6, 0, VISIBLE, 1,
		{{"2024-06-20T12:00:00Z", "2024-06-22T00:00:00Z", "2024-06-21T01:33:28Z", {1.0012, 1.1177, 1.0054}, 77.344, 15.289, {10.4046, -1.4967}}}},
	{"McMurdo in June, what sets", -77.85, 166.67, 30, 12, "2024-06-20T12:00:00Z", 36, -0.012, 200, -23.4, 2, -6, 0, VISIBLE, 1,
		{{"2024-06-21T04:33:46Z", "2024-06-21T11:55:22Z", "2024-06-21T08:14:34Z", {1.7145, 2, 2}, 54.235, 32.511, {-3.6902, 3.6902}}}},
	{"Ny-Ålesund, from one year into the next without a day", 78.92, 11.93, 20, 12, "2024-12-31T12:00:00Z", 24, 0.046, 148.9, 69.07, 2, -6, 60,
		VISIBLE, 1, {{"2024-12-31T12:00:00Z", "2025-01-01T12:00:00Z", "2025-01-01T02:25:57Z", {1.0153, 1.1617, 1.1627}, 133.588, -35.642, {9.5277, 9.5933}}}},
	{"Ny-Ålesund in June: no night", 78.92, 11.93, 20, 12, "2024-06-20T12:00:00Z", 36, -0.012, 148.9, 69.07, 2, -6, 0, VISIBLE_DAYLIGHT, 0, {{0}}},
	{"Quito, 29 February", -0.18, -78.47, 2850, 12, "2024-02-29T00:00:00Z", 30, -0.003, 160, 0, 1.4, -18, 50.2, VISIBLE, 2,
		{{"2024-02-29T05:29:36Z", "2024-02-29T08:18:13Z", "2024-02-29T05:29:36Z", {1.0007, 1.0007, 1.4}, 50.2, 41.864, {0.1432, 2.9610}},
		{"2024-03-01T02:19:56Z", "2024-03-01T06:00:00Z", "2024-03-01T05:17:05Z", {1, 1.4, 1.0179}, 62.047, 27.966, {-2.9610, 0.7169}}}},
};
#define ROWS (sizeof truth / sizeof truth[0])

static int64_t utc(const char *s)
{
	struct err e = {0};
	int64_t t = 0;
	assert_ok(utc_parse(s, &t, &e), &e);
	return t;
}

static void near(size_t i, const char *what, double have, double want, double within)
{
	if (!(fabs(have - want) <= within))
		fail_msg("%s: %s is %.6f, wanted %.6f within %g", truth[i].name, what, have, want, within);
}

static struct visibility_night *night_of(size_t i, double dut1_s)
{
	struct err e = {0};
	struct visibility_site s = {"x", "x", {truth[i].lat_deg, truth[i].lon_deg, truth[i].elevation_m}, 0, truth[i].ha_limit_h, 1};
	int64_t from = utc(truth[i].from);
	struct visibility_night *n = visibility_night_new(&s, 1, from, from + (int64_t)(truth[i].hours * 3600e6), &e);
	assert_non_null(n);
	if (dut1_s != 0)
		visibility_night_ut1(n, from, dut1_s);
	return n;
}

static void find(size_t i, const struct visibility_night *n, struct ephemeris_target *t, struct visibility_report *r)
{
	const struct visibility_limits l = {truth[i].airmass, truth[i].sun_deg, truth[i].moon_deg, 300};
	ephemeris_target_set(visibility_night_frame(n), truth[i].ra_deg, truth[i].dec_deg, t);
	visibility_find(n, &(struct visibility_ask){0, t, &l, VISIBILITY_ALWAYS}, r);
}

static void window_is(size_t i, const struct visibility_night *n, const struct ephemeris_target *t, const struct visibility_window *w, const struct want *want)
{
	double edge_s = truth[i].moon_deg > 0 ? 10 : 2, place = truth[i].moon_deg > 0 ? 3e-3 : 6e-4; /* of airmass and hours at an edge */
	double best_s = strcmp(want->best, want->start) == 0 ? edge_s : 60; /* the top of a culmination is flat */
	struct ephemeris_local start, end;
	near(i, "start", (double)w->start_us / 1e6, (double)utc(want->start) / 1e6, edge_s);
	near(i, "end", (double)w->end_us / 1e6, (double)utc(want->end) / 1e6, 2);
	near(i, "best", (double)w->best_us / 1e6, (double)utc(want->best) / 1e6, best_s);
	near(i, "best airmass", w->airmass_best, want->airmass[0], 1.5e-4);
	near(i, "airmass at the start", w->airmass_start, want->airmass[1], place);
	near(i, "airmass at the end", w->airmass_end, want->airmass[2], place);
	near(i, "distance to the Moon", w->moon_deg, want->moon_deg, 0.01);
	near(i, "Moon's altitude", w->moon_alt_deg, want->moon_alt_deg, 0.25); /* 60 s of rotation */
	visibility_night_local(n, 0, w->start_us, &start);
	visibility_night_local(n, 0, w->end_us, &end);
	near(i, "hour angle at the start", ephemeris_hour_angle_h(&start, t), want->ha_h[0], place);
	near(i, "hour angle at the end", ephemeris_hour_angle_h(&end, t), want->ha_h[1], 6e-4);
}

static void windows_are_as_astropy_has_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		struct visibility_night *n = night_of(i, truth[i].dut1_s);
		struct visibility_report r;
		struct ephemeris_target t;
		find(i, n, &t, &r);
		near(i, "reason", r.reason, truth[i].reason, 0);
		near(i, "windows", (double)r.count, truth[i].windows, 0);
		for (size_t w = 0; w < r.count; w++)
			window_is(i, n, &t, &r.windows[w], &truth[i].window[w]);
		visibility_night_free(n);
	}
}

/* Where a window ends by its airmass, the hour angle is that of Meeus 1998, eq. 15.1, cos H = (sin h − sin φ sin δ)/(cos φ cos δ), with ERFA's
 * declination of date. */
static void ends_are_where_the_triangle_has_them(void **state)
{
	(void)state;
	int seen = 0;
	for (size_t i = 0; i < ROWS; i++) {
		struct visibility_night *n = night_of(i, truth[i].dut1_s);
		struct visibility_report r;
		struct ephemeris_target t;
		find(i, n, &t, &r);
		for (size_t w = 0; w < r.count; w++) {
			double ra, dec, origins, lat = truth[i].lat_deg * ERFA_DD2R;
			if (truth[i].window[w].airmass[2] < truth[i].airmass)
				continue;
			eraAtci13(truth[i].ra_deg * ERFA_DD2R, truth[i].dec_deg * ERFA_DD2R, 0, 0, 0, 0, ERFA_DJ00, utc_j2000_days(r.windows[w].end_us), &ra, &dec, &origins);
			double h = acos((1 / truth[i].airmass - sin(lat) * sin(dec)) / (cos(lat) * cos(dec))) * 12 / M_PI;
			near(i, "hour angle by the triangle", truth[i].window[w].ha_h[1], h, 3e-4);
			struct ephemeris_local l;
			visibility_night_local(n, 0, r.windows[w].end_us, &l);
			near(i, "hour angle of ours", ephemeris_hour_angle_h(&l, &t), h, 5e-4);
			seen++;
		}
		visibility_night_free(n);
	}
	assert_true(seen >= 6);
}

/* What not knowing UT1 costs: no edge is off by more than UT1 − UTC itself, 0.9 s at most; and the sky makes no jump at a leap second. */
static void without_ut1_edges_are_off_by_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		struct visibility_night *with = night_of(i, truth[i].dut1_s), *without = night_of(i, 0);
		struct visibility_report r, plain;
		struct ephemeris_target t;
		find(i, with, &t, &r);
		find(i, without, &t, &plain);
		assert_int_equal(r.reason, plain.reason);
		assert_int_equal(r.count, plain.count);
		for (size_t w = 0; w < r.count; w++) {
			near(i, "start without UT1", (double)(plain.windows[w].start_us - r.windows[w].start_us) / 1e6, 0, 0.9 + 0.5);
			near(i, "end without UT1", (double)(plain.windows[w].end_us - r.windows[w].end_us) / 1e6, 0, 0.9 + 0.5);
		}
		visibility_night_free(with);
		visibility_night_free(without);
	}
}

/* Over the leap second at the end of 2016 the sidereal time goes on by 2 s of rotation within the second that UTC counts once. */
static void the_sky_goes_on_over_a_leap_second(void **state)
{
	(void)state;
	struct visibility_night *n = night_of(0, truth[0].dut1_s);
	const int64_t year = utc("2017-01-01T00:00:00Z");
	double lst_s[3];
	for (int k = 0; k < 3; k++) {
		struct ephemeris_local l;
		visibility_night_local(n, 0, year + (k - 2) * UTC_SECOND, &l);
		lst_s[k] = l.lst_rad / (2 * M_PI) * 86400;
	}
	near(0, "a second before", remainder(lst_s[1] - lst_s[0], 86400), 1.0027, 1e-3);
	near(0, "the second with the leap", remainder(lst_s[2] - lst_s[1], 86400), 2.0055, 1e-3);
	assert_true(ephemeris_leap_s(year - 1, year) == 1 && ephemeris_leap_s(year, year - 1) == -1);
	assert_true(ephemeris_leap_s(year, year + UTC_DAY) == 0 && ephemeris_leap_s(utc("2015-01-01T00:00:00Z"), year) == 2);
	visibility_night_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(windows_are_as_astropy_has_them), cmocka_unit_test(ends_are_where_the_triangle_has_them), cmocka_unit_test(without_ut1_edges_are_off_by_it),
		cmocka_unit_test(the_sky_goes_on_over_a_leap_second)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

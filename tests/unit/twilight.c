/* Nights of real and hard places: what astroplan 0.10.1 says (600 points a day, measured UT1), to 5 s; peers-twilight asks it anew. */
#include "test.h"
#include "engine/base/utc.h"
#include "engine/target/twilight.h"
#include <math.h>

/* Polar nights and days, both sides of the date line, the year's end, leap seconds at the ends of 30 June 2015 and of 2016. */
static const struct {
	const char *name;
	double lat_deg, lon_deg, elevation_m;
	const char *at;
	double dut1_s;
	const char *evening[TWILIGHT_KINDS], *morning[TWILIGHT_KINDS], *moonrise, *moonset;
} truth[] = {
	{"Cerro Tololo", -30.1674, -70.8047, 2198, "2017-08-17T18:00Z", 0.341,
		{"2017-08-17T22:19:57Z", "2017-08-17T22:44:31Z", "2017-08-17T23:12:44Z", "2017-08-17T23:40:41Z"},
		{"2017-08-18T11:13:46Z", "2017-08-18T10:49:14Z", "2017-08-18T10:21:05Z", "2017-08-18T09:53:09Z"},
		"2017-08-18T08:25:05Z", "2017-08-17T18:15:38Z"},
	{"the date line in Fiji, from the west", -16.8, 179.99, 10, "2019-12-31T23:30:00Z", -0.177,
		{"2020-01-01T06:36:34Z", "2020-01-01T07:00:28Z", "2020-01-01T07:28:44Z", "2020-01-01T07:57:47Z"},
		{"2020-01-01T17:30:13Z", "2020-01-01T17:06:20Z", "2020-01-01T16:38:03Z", "2020-01-01T16:09:01Z"},
		"2020-01-01T23:08:36Z", "2020-01-01T11:04:26Z"},
	{"the same from the east", -16.8, -179.99, 10, "2016-12-31T20:00Z", -0.409,
		{"2017-01-01T06:36:45Z", "2017-01-01T07:00:37Z", "2017-01-01T07:28:53Z", "2017-01-01T07:57:54Z"},
		{"2017-01-01T17:30:34Z", "2017-01-01T17:06:42Z", "2017-01-01T16:38:26Z", "2017-01-01T16:09:25Z"},
		"2017-01-01T20:37:04Z", "2017-01-01T08:46:19Z"},
	{"Quito", -0.18, -78.47, 2850, "2015-06-30T12:00Z", -0.676,
		{"2015-06-30T23:20:53Z", "2015-06-30T23:43:22Z", "2015-07-01T00:09:32Z", "2015-07-01T00:35:48Z"},
		{"2015-07-01T11:14:22Z", "2015-07-01T10:51:53Z", "2015-07-01T10:25:44Z", "2015-07-01T09:59:28Z"},
		"2015-06-30T22:13:16Z", "2015-07-01T10:40:27Z"},
	{"Tromsø", 69.65, 18.96, 100, "2016-12-31T06:00Z", -0.408,
		{"-", "2016-12-30T13:05:00Z", "2016-12-30T14:46:50Z", "2016-12-30T16:04:32Z"},
		{"-", "2016-12-31T08:27:55Z", "2016-12-31T06:46:42Z", "2016-12-31T05:29:13Z"},
		"2016-12-31T10:04:40Z", "2016-12-30T13:38:45Z"},
	{"Ny-Ålesund", 78.92, 11.93, 20, "2024-02-29T00:00Z", -0.003,
		{"2024-02-28T14:45:01Z", "2024-02-28T16:46:29Z", "2024-02-28T18:54:04Z", "2024-02-28T21:49:33Z"},
		{"2024-02-29T07:57:16Z", "2024-02-29T05:58:44Z", "2024-02-29T03:52:23Z", "2024-02-29T00:57:32Z"},
		"-", "-"},
	{"Ny-Ålesund", 78.92, 11.93, 20, "2017-08-17T18:00Z", 0.341,
		{"-", "-", "-", "-"},
		{"-", "-", "-", "-"},
		"-", "-"},
	{"McMurdo", -77.85, 166.67, 30, "2025-03-20T09:00Z", 0.042,
		{"2025-03-20T07:17:05Z", "2025-03-20T08:59:47Z", "2025-03-20T12:18:42Z", "-"},
		{"2025-03-20T18:47:47Z", "2025-03-20T17:04:23Z", "2025-03-20T13:44:59Z", "-"},
		"-", "-"},
	{"Siding Spring", -31.2728, 149.0708, 1116, "2016-12-31T20:00Z", -0.409,
		{"2017-01-01T09:11:22Z", "2017-01-01T09:39:12Z", "2017-01-01T10:13:05Z", "2017-01-01T10:49:31Z"},
		{"2017-01-01T19:03:35Z", "2017-01-01T18:35:46Z", "2017-01-01T18:01:53Z", "2017-01-01T17:25:27Z"},
		"2017-01-01T22:29:03Z", "2017-01-01T11:12:10Z"},
};
#define ROWS (sizeof truth / sizeof truth[0])

static int64_t utc(const char *s)
{
	struct err e = {0};
	int64_t t = 0;
	if (strcmp(s, "-") == 0)
		return UTC_NONE;
	assert_ok(utc_parse(s, &t, &e), &e);
	return t;
}

static void night_of(size_t i, double dut1_s, struct twilight *out)
{
	struct err e = {0};
	struct visibility_site s = {"x", "x", {truth[i].lat_deg, truth[i].lon_deg, truth[i].elevation_m}, 0, 12, 1};
	int64_t at = utc(truth[i].at);
	struct visibility_night *n = visibility_night_new(&s, 1, at - TWILIGHT_MARGIN_US, at + TWILIGHT_MARGIN_US, &e);
	assert_non_null(n);
	visibility_night_ut1(n, at, dut1_s);
	twilight_find(n, 0, at, out);
	visibility_night_free(n);
}

static void near(size_t i, const char *what, int64_t have, const char *want)
{
	char text[32];
	int64_t w = utc(want);
	if (w == UTC_NONE ? have != UTC_NONE : have == UTC_NONE || llabs(have - w) > 5 * UTC_SECOND)
		fail_msg("%s at %s: %s is %s, wanted %s", truth[i].name, truth[i].at, what, utc_format_s(text, have), want);
}

static void nights_are_as_astroplan_has_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		struct twilight t;
		night_of(i, truth[i].dut1_s, &t);
		for (int k = 0; k < TWILIGHT_KINDS; k++) {
			near(i, "evening", t.evening_us[k], truth[i].evening[k]);
			near(i, "morning", t.morning_us[k], truth[i].morning[k]);
		}
		near(i, "moonrise", t.moonrise_us, truth[i].moonrise);
		near(i, "moonset", t.moonset_us, truth[i].moonset);
		assert_true(t.noon_us < t.midnight_us && t.midnight_us < t.next_noon_us);
		assert_true(fabs((double)(t.next_noon_us - t.noon_us) / 1e6 - 86400) < 31); /* the equation of time */
		assert_true(t.noon_us <= utc(truth[i].at) + UTC_DAY && t.next_noon_us > utc(truth[i].at));
	}
}

/* What the Sun does not cross is told by how far it goes. */
static void extremes_tell_why(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		struct twilight t;
		night_of(i, truth[i].dut1_s, &t);
		for (int k = 0; k < TWILIGHT_KINDS; k++)
			assert_int_equal(t.evening_us[k] != UTC_NONE || t.morning_us[k] != UTC_NONE,
				t.sun_lowest_deg < twilight_sun_deg((enum twilight_kind)k) && t.sun_highest_deg > twilight_sun_deg((enum twilight_kind)k));
	}
}

/* 0.9 s of UT1 are 0.9 s in all times: the error of not knowing it. */
static void ut1_is_what_it_is_said_to_be(void **state)
{
	(void)state;
	struct twilight early, late;
	night_of(0, 0.9, &early);
	night_of(0, 0.0, &late);
	for (int k = 0; k < TWILIGHT_KINDS; k++) {
		assert_true(fabs((double)(late.evening_us[k] - early.evening_us[k]) / 1e6 - 0.9) < 0.11);
		assert_true(fabs((double)(late.morning_us[k] - early.morning_us[k]) / 1e6 - 0.9) < 0.11);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(nights_are_as_astroplan_has_them), cmocka_unit_test(extremes_tell_why),
		cmocka_unit_test(ut1_is_what_it_is_said_to_be)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

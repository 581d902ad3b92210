/* The night of a site: see twilight.h. */
#include "engine/target/twilight.h"
#include "engine/base/utc.h"
#include <math.h>

#define STEP_US VISIBILITY_STEP_US
#define SHARP_US (UTC_SECOND / 20)

double twilight_sun_deg(enum twilight_kind kind)
{
	static const double deg[TWILIGHT_KINDS] = {TWILIGHT_HORIZON_DEG, -6.0, -12.0, -18.0};
	return deg[kind];
}

struct watch {
	const struct visibility_night *night;
	size_t site;
	bool moon;       /* else the Sun */
	double sin_limit;
};

static bool is_above(const struct watch *w, int64_t utc_us)
{
	struct ephemeris_local l;
	visibility_night_local(w->night, w->site, utc_us, &l);
	return (w->moon ? l.moon_sin_alt : l.sun_sin_alt) > w->sin_limit;
}

/* The first moment in [from, to] after which the body is above (rising) or below, having been the other; UTC_NONE when there is none. */
static int64_t crossing(const struct watch *w, bool rising, int64_t from_us, int64_t to_us)
{
	for (int64_t a = from_us; a < to_us; a += STEP_US) {
		int64_t b = a + STEP_US < to_us ? a + STEP_US : to_us;
		if (is_above(w, a) == rising || is_above(w, b) != rising)
			continue;
		while (b - a > SHARP_US) {
			int64_t m = a + (b - a) / 2;
			if (is_above(w, m) == rising)
				b = m;
			else
				a = m;
		}
		return b;
	}
	return UTC_NONE;
}

/* Hour angle of the Sun, 0 … 24 h. */
static double sun_hour_h(const struct visibility_night *n, size_t site, int64_t utc_us)
{
	struct ephemeris_local l;
	visibility_night_local(n, site, utc_us, &l);
	double h = atan2(-ephemeris_dot(l.east, l.sun), ephemeris_dot(l.meridian, l.sun)) * 12.0 / ERFA_DPI;
	return h < 0.0 ? h + 24.0 : h;
}

/* Upper culmination near a time: twice by the hour angle, which gains less than 30 s a day. */
static int64_t noon_near(const struct visibility_night *n, size_t site, int64_t utc_us)
{
	for (int i = 0; i < 2; i++)
		utc_us -= (int64_t)(remainder(sun_hour_h(n, site, utc_us), 24.0) * 3600e6);
	return utc_us;
}

static void extremes(const struct visibility_night *n, size_t site, struct twilight *out)
{
	double low = 2.0, high = -2.0;
	for (int64_t t = out->noon_us; t <= out->next_noon_us; t += STEP_US) {
		struct ephemeris_local l;
		visibility_night_local(n, site, t, &l);
		low = fmin(low, l.sun_sin_alt);
		high = fmax(high, l.sun_sin_alt);
	}
	out->sun_lowest_deg = ephemeris_asin_deg(low);
	out->sun_highest_deg = ephemeris_asin_deg(high);
}

static void night_from(const struct visibility_night *n, size_t site, int64_t noon_us, struct twilight *out)
{
	struct ephemeris_local l;
	out->noon_us = noon_us;
	out->next_noon_us = noon_near(n, site, noon_us + UTC_DAY);
	out->midnight_us = noon_us + (out->next_noon_us - noon_us) / 2;
	for (int k = 0; k < TWILIGHT_KINDS; k++) { /* the evening's comes first, and the morning's is sought after it */
		const struct watch w = {n, site, false, sin(twilight_sun_deg((enum twilight_kind)k) * ERFA_DD2R)};
		out->evening_us[k] = crossing(&w, false, noon_us, out->next_noon_us);
		out->morning_us[k] = crossing(&w, true, out->evening_us[k] == UTC_NONE ? noon_us : out->evening_us[k], out->next_noon_us);
	}
	const struct watch moon = {n, site, true, sin(TWILIGHT_HORIZON_DEG * ERFA_DD2R)};
	out->moonrise_us = crossing(&moon, true, noon_us, out->next_noon_us);
	out->moonset_us = crossing(&moon, false, noon_us, out->next_noon_us);
	extremes(n, site, out);
	visibility_night_local(n, site, out->midnight_us, &l);
	out->moon_alt_deg = ephemeris_asin_deg(l.moon_sin_alt);
	out->moon_illuminated = l.moon_illuminated;
}

void twilight_find(const struct visibility_night *n, size_t site, int64_t at_us, struct twilight *out)
{
	int64_t noon_us = at_us - (int64_t)(sun_hour_h(n, site, at_us) * 3600e6);
	night_from(n, site, noon_near(n, site, noon_us), out);
	if (out->morning_us[TWILIGHT_SUN] != UTC_NONE && out->morning_us[TWILIGHT_SUN] <= at_us)
		night_from(n, site, out->next_noon_us, out);
}

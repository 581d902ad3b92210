/* The simulated portal's own, independent idea of what is visible: low-precision Sun, ERFA's Moon, one step a minute. */
#include "sim/portal_parts.h"
#include <erfa.h>
#include <erfam.h>
#include <math.h>
#include <string.h>

#define STEP_US UTC_MINUTE
#define MOON_STEP_US (20 * UTC_MINUTE)
#define SUN_LIMIT_RAD (-12.0 * ERFA_DD2R) /* nautical twilight, as the portal has it */

/* Earth rotation angle, UT1 = UTC, plus the equation of origins to first order (Capitaine, Wallace & Chapront 2005, A&A 432, 355): sidereal time good to an
 * arcminute. */
static double sidereal_rad(double days)
{
	return eraEra00(ERFA_DJ00, days) + 4612.156534 * ERFA_DAS2R * days / 36525.0;
}

/* Direction in the equator of date, from the low-precision formula of the Astronomical Almanac, page C5 (0.01 deg). */
static void sun_direction(double days, double out[3])
{
	double mean = (280.460 + 0.9856474 * days) * ERFA_DD2R, anomaly = (357.528 + 0.9856003 * days) * ERFA_DD2R;
	double lon = mean + (1.915 * sin(anomaly) + 0.020 * sin(2 * anomaly)) * ERFA_DD2R;
	double tilt = (23.439 - 0.0000004 * days) * ERFA_DD2R;
	out[0] = cos(lon);
	out[1] = cos(tilt) * sin(lon);
	out[2] = sin(tilt) * sin(lon);
}

/* J2000 → equator of date by precession alone. */
static void target_of_date(double ra_deg, double dec_deg, double days, double out[3])
{
	double matrix[3][3], bias[3][3], both[3][3], in[3];
	eraBp06(ERFA_DJ00, days, bias, matrix, both);
	eraS2c(ra_deg * ERFA_DD2R, dec_deg * ERFA_DD2R, in);
	eraRxp(both, in, out);
}

static void moon_of_date(double days, double out[3])
{
	double pv[2][3], matrix[3][3], bias[3][3], both[3][3], in[3], r;
	eraMoon98(ERFA_DJ00, days, pv);
	eraBp06(ERFA_DJ00, days, bias, matrix, both);
	eraPn(pv[0], &r, in);
	eraRxp(both, in, out);
}

/* Sine of the altitude, and the hour angle. */
static double altitude_sine(const struct portal_site *site, const double direction[3], double sidereal, double *hour_angle_rad)
{
	double ra = atan2(direction[1], direction[0]);
	double hour = eraAnpm(sidereal + site->lon_rad - ra);
	double across = sqrt(direction[0] * direction[0] + direction[1] * direction[1]);
	if (hour_angle_rad != NULL)
		*hour_angle_rad = hour;
	return sin(site->lat_rad) * direction[2] + cos(site->lat_rad) * across * cos(hour);
}

double portal_sky_airmass(const struct portal_site *site, double ra_deg, double dec_deg, int64_t utc_us)
{
	double days = utc_j2000_days(utc_us), target[3];
	target_of_date(ra_deg, dec_deg, days, target);
	double s = altitude_sine(site, target, sidereal_rad(days), NULL);
	return s > 0 ? 1 / s : INFINITY;
}

static void interval_add(struct portal_visible *v, bool up, bool before, int64_t utc_us)
{
	if (up && !before && v->count < PORTAL_INTERVALS)
		v->list[v->count++] = (struct portal_interval){utc_us, utc_us};
	else if (up && v->count > 0)
		v->list[v->count - 1].end_us = utc_us;
}

void portal_sky_scan(const struct sim_portal *p, const struct portal_ask *ask, int64_t start_us, int64_t end_us, struct portal_visible *visible)
{
	double target[3], sun[3], moon[3] = {0, 0, 1};
	int64_t moon_at_us = UTC_NONE, limit_us = start_us + PORTAL_WINDOW_DAYS * UTC_DAY;
	double lowest = fmax(1 / fmax(ask->max_airmass, 1.0), 0), moon_limit = cos(ask->min_moon_deg * ERFA_DD2R);
	bool before[PORTAL_SITES] = {false};
	memset(visible, 0, p->sites * sizeof *visible);
	target_of_date(ask->ra_deg, ask->dec_deg, utc_j2000_days(start_us), target);
	for (int64_t t = start_us; t <= end_us && t <= limit_us; t += STEP_US) {
		double days = utc_j2000_days(t), sidereal = sidereal_rad(days);
		if (moon_at_us == UTC_NONE || t - moon_at_us >= MOON_STEP_US) {
			moon_of_date(days, moon);
			moon_at_us = t;
		}
		sun_direction(days, sun);
		bool clear = eraPdp(target, moon) < moon_limit || ask->min_moon_deg <= 0;
		for (size_t s = 0; s < p->sites; s++) {
			const struct portal_site *site = &p->site[s];
			double hour, up = altitude_sine(site, target, sidereal, &hour);
			bool good = clear && up >= lowest && up >= sin(site->horizon_deg * ERFA_DD2R) && fabs(hour) <= site->ha_limit_rad &&
				    altitude_sine(site, sun, sidereal, NULL) < sin(SUN_LIMIT_RAD);
			interval_add(&visible[s], good, before[s], t);
			before[s] = good;
		}
	}
}

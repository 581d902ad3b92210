/* Where Sun, Moon and targets stand over a site: apparent directions once, then one rotation by the Earth's angle for everything.
 *
 * Method: ERFA (IAU 2006/2000A precession-nutation, eraEpv00 Earth, eraMoon98 Moon). Everything is a vector in the true equator and CIO
 * of one reference time (`struct ephemeris_frame`), good for the days around it: over ±2 d the frame moves by < 0.4″ and annual
 * aberration by < 0.8″. A site's zenith turns with the Earth rotation angle. Left out, and what it costs at most: UT1 = UTC (0.9 s =
 * 13.5″), polar motion 0.5″, diurnal aberration 0.3″, light time and aberration of the Moon 1″, refraction (geometric altitudes;
 * 0.06° at airmass 2). TT from UTC by eraDat. No state, no clock: thread-safe and pure. Units of angles: last in the name. */
#ifndef ENGINE_TARGET_EPHEMERIS_H
#define ENGINE_TARGET_EPHEMERIS_H
#include <erfa.h>
#include <erfam.h>
#include <stddef.h>
#include <stdint.h>

struct ephemeris_site {
	double lat_deg, lon_deg, elevation_m; /* WGS 84; east is positive */
};

/* The directions of one time, to be used within about two days of it. */
struct ephemeris_frame {
	int64_t utc_us;
	eraASTROM astrom;
};
void ephemeris_frame_set(struct ephemeris_frame *f, int64_t utc_us);

/* Sun and Moon seen from the Earth's centre. 30 µs of work; ephemeris_bodies_between is 100 times cheaper. */
struct ephemeris_bodies {
	int64_t utc_us;
	double sun[3];           /* unit vector, apparent */
	double moon_km[3];
	double moon_illuminated; /* fraction of the disc, 0 new to 1 full */
	double era_rad;          /* Earth rotation angle */
};
void ephemeris_bodies_at(const struct ephemeris_frame *f, int64_t utc_us, struct ephemeris_bodies *out);
/* The same at count times, step_us apart, with one in 18 of the work: exact every 6 h, a polynomial of the seventh degree between
 * (Sun < 1e-12 rad, Moon < 1 cm; a leap second among them is smeared: 0.5″ of the Moon). */
void ephemeris_bodies_fill(const struct ephemeris_frame *f, int64_t start_us, int64_t step_us, size_t count, struct ephemeris_bodies *out);
/* Linear between two times ≤ 20 min apart: off by < 0.3″ (Moon). utc_us may not lie outside [a, b]. */
void ephemeris_bodies_between(const struct ephemeris_bodies *a, const struct ephemeris_bodies *b, int64_t utc_us,
	struct ephemeris_bodies *out);

/* What a site's place gives for any time. */
struct ephemeris_ground {
	double lon_rad, cos_lat, sin_lat;   /* geodetic */
	double axis_m, up_m;                /* from the Earth's axis; above the plane of its equator */
};
void ephemeris_ground_set(const struct ephemeris_site *s, struct ephemeris_ground *out);

/* One site at one time: shared by all targets. */
struct ephemeris_local {
	int64_t utc_us;
	double lst_rad;                     /* Earth rotation angle + longitude: counts from the CIO, not from the equinox */
	double zenith[3], north[3], east[3];
	double moon[3];                     /* unit vector, topocentric (parallax up to 1°) */
	double sun_sin_alt, moon_sin_alt, moon_illuminated;
};
void ephemeris_local_over(const struct ephemeris_bodies *b, const struct ephemeris_ground *g, struct ephemeris_local *out);
void ephemeris_local_at(const struct ephemeris_bodies *b, const struct ephemeris_site *s, struct ephemeris_local *out); /* both steps */

/* A star: ICRS position at any epoch of today (no proper motion). */
struct ephemeris_target {
	double unit[3], ra_rad; /* ra_rad from the CIO */
};
void ephemeris_target_set(const struct ephemeris_frame *f, double ra_deg, double dec_deg, struct ephemeris_target *out);

/* Sine of the altitude: what all limits are compared in. */
static inline double ephemeris_sin_alt(const struct ephemeris_local *l, const struct ephemeris_target *t)
{
	return l->zenith[0] * t->unit[0] + l->zenith[1] * t->unit[1] + l->zenith[2] * t->unit[2];
}
/* Cosine of the distance to the (topocentric) Moon. */
static inline double ephemeris_moon_cos(const struct ephemeris_local *l, const struct ephemeris_target *t)
{
	return l->moon[0] * t->unit[0] + l->moon[1] * t->unit[1] + l->moon[2] * t->unit[2];
}
double ephemeris_alt_deg(const struct ephemeris_local *l, const struct ephemeris_target *t);
double ephemeris_az_deg(const struct ephemeris_local *l, const struct ephemeris_target *t); /* north 0, east 90 */
double ephemeris_hour_angle_h(const struct ephemeris_local *l, const struct ephemeris_target *t); /* −12 … 12, west positive */
double ephemeris_moon_deg(const struct ephemeris_local *l, const struct ephemeris_target *t);
/* Plane-parallel secant of the zenith distance, as the portals' own visibility uses it (1 % high at airmass 4); INFINITY below the horizon. */
double ephemeris_airmass(double sin_alt);
/* Sine of an altitude given in degrees back to degrees, clamped. */
double ephemeris_asin_deg(double sine);
#endif

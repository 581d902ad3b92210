/* Where Sun, Moon and targets stand over a site, as eraAtco13 has it without refraction, to 1″, for a fraction of its work.
 *
 * Method: targets keep their natural direction (ICRS, bent by the Sun). What moves is put into the site: at each time zenith, north and
 * east are turned into the GCRS by polar motion, Earth rotation and precession-nutation, and the observer's velocity (orbit and
 * rotation) aberrates each target to first order. One small struct a site and time serves all targets.
 * Formulae: Earth rotation angle, Capitaine et al. 2000 (A&A 355, 398), eq. 22; deflection by the Sun, Klioner 2003 (AJ 125, 1580), eq. 70;
 * aberration, Urban & Seidelmann 2013, Explanatory Supplement to the Astronomical Almanac, eq. 7.40, to first order in v/c; illuminated
 * fraction, Meeus 1998, Astronomical Algorithms, eq. 48.1. Held against ERFA's full path, astropy and Meeus' worked examples.
 * ERFA: eraEpv00 Earth, eraMoon98 Moon, IAU 2000B nutation (eraXys00b: 0.001″ of IAU 2006/2000A). TT from UTC by eraDat.
 * Left out, and what it costs at most: motion of the pole about its mean (IERS Conventions 2010, v1.3.0, ch. 7, eq. 21) 0.35″, terms of
 * second order 0.002″, deflection by the Sun of another day 0.01″ (0.5″ at 1° from the Sun). Sun and Moon: the same pole, and what linear
 * between samples costs; against ERFA's own theories, of which eraMoon98 may itself be 18″ off (its rms: 4″ in longitude).
 * UT1 − UTC is 0 unless given (`dut1_s`): each 0.1 s of it turns the sky by 1.5″, and it may reach 0.9 s = 13.5″, 0.9 s in all times.
 * No refraction anywhere: geometric altitudes (at 30° a star stands 0.03° higher). No state, no clock: thread-safe and pure.
 * Units of angles: last in the name. */
#ifndef ENGINE_TARGET_EPHEMERIS_H
#define ENGINE_TARGET_EPHEMERIS_H
#include <erfa.h>
#include <erfam.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ephemeris_site {
	double lat_deg, lon_deg, elevation_m; /* WGS 84; east is positive */
};

/* What targets and bodies of some days are made with. dut1_s is 0 after ephemeris_frame_set; set it before the first use. */
struct ephemeris_frame {
	int64_t utc_us;
	double from_sun[3], sun_au; /* Sun → Earth */
	double dut1_s;              /* UT1 − UTC */
};
/* Leap seconds from one time to another: as much as UT1 − UTC jumps. */
double ephemeris_leap_s(int64_t from_us, int64_t to_us);
void ephemeris_frame_set(struct ephemeris_frame *f, int64_t utc_us);

/* Sun and Moon as seen from the Earth's centre, and how the Earth stands and moves; all in the GCRS. 40 µs of work;
 * ephemeris_bodies_between is 100 times cheaper. */
struct ephemeris_bodies {
	int64_t utc_us;
	double sun[3], sun_au;   /* unit vector, not aberrated; distance */
	double moon_km[3];       /* where its light comes from */
	double moon_illuminated; /* fraction of the disc, 0 new to 1 full */
	double velocity[3];      /* of the Earth's centre, barycentric, in units of c */
	double bpn[3][3];        /* GCRS → true equator and CIO of date */
	double era_rad;          /* Earth rotation angle */
	double dut1_s;           /* two beside each other may differ by a leap second at midnight between them */
};
void ephemeris_bodies_at(const struct ephemeris_frame *f, int64_t utc_us, struct ephemeris_bodies *out);
/* The same at count times, step_us apart, with one in 18 of the work: exact every 6 h, a polynomial of the seventh degree between
 * (Sun < 1e-12 rad, Moon < 1 cm, also over a leap second). */
void ephemeris_bodies_fill(const struct ephemeris_frame *f, int64_t start_us, int64_t step_us, size_t count, struct ephemeris_bodies *out);
/* Linear between two times ≤ 20 min apart: off by < 0.3″ (Moon; 0.8″ over a leap second). utc_us may not lie outside [a, b]. */
void ephemeris_bodies_between(const struct ephemeris_bodies *a, const struct ephemeris_bodies *b, int64_t utc_us,
	struct ephemeris_bodies *out);

/* What a site's place gives for any time. */
struct ephemeris_ground {
	double lon_rad, cos_lat, sin_lat;   /* geodetic */
	double cos_lon, sin_lon;
	double axis_m, up_m;                /* from the Earth's axis; above the plane of its equator */
};
void ephemeris_ground_set(const struct ephemeris_site *s, struct ephemeris_ground *out);

/* One site at one time, in the GCRS: shared by all targets. */
struct ephemeris_local {
	int64_t utc_us;
	double lst_rad;                     /* Earth rotation angle + longitude: counts from the CIO, not from the equinox */
	double zenith[3], north[3], east[3];
	double meridian[3];                 /* where the meridian meets the equator */
	double velocity[3], zenith_velocity, moon_velocity; /* of the observer, in units of c; its part towards zenith and Moon */
	double sun[3], moon[3];             /* unit vectors, apparent, topocentric (the Moon's parallax is up to 1°) */
	double sun_sin_alt, moon_sin_alt, moon_illuminated;
};
void ephemeris_local_over(const struct ephemeris_bodies *b, const struct ephemeris_ground *g, struct ephemeris_local *out);
void ephemeris_local_at(const struct ephemeris_bodies *b, const struct ephemeris_site *s, struct ephemeris_local *out); /* both steps */

/* A star: ICRS position at any epoch of today (no proper motion). */
struct ephemeris_target {
	double unit[3]; /* natural direction: before aberration */
};
void ephemeris_target_set(const struct ephemeris_frame *f, double ra_deg, double dec_deg, struct ephemeris_target *out);

static inline double ephemeris_dot(const double a[3], const double b[3])
{
	return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}
/* Sine of the altitude: what all limits are compared in (s' = s + v − (s·v) s, taken towards the zenith). */
static inline double ephemeris_sin_alt(const struct ephemeris_local *l, const struct ephemeris_target *t)
{
	double natural = ephemeris_dot(l->zenith, t->unit);
	return natural + l->zenith_velocity - ephemeris_dot(l->velocity, t->unit) * natural;
}
/* Cosine of the distance to the (topocentric) Moon. */
static inline double ephemeris_moon_cos(const struct ephemeris_local *l, const struct ephemeris_target *t)
{
	double natural = ephemeris_dot(l->moon, t->unit);
	return natural + l->moon_velocity - ephemeris_dot(l->velocity, t->unit) * natural;
}
/* Exact also at the zenith, where a sine says little. */
double ephemeris_alt_deg(const struct ephemeris_local *l, const struct ephemeris_target *t);
double ephemeris_az_deg(const struct ephemeris_local *l, const struct ephemeris_target *t); /* north 0, east 90 */
double ephemeris_hour_angle_h(const struct ephemeris_local *l, const struct ephemeris_target *t); /* −12 … 12, west positive */
/* Whether it is at most so far from the meridian: the cosine of that angle is enough, and 10 times quicker. */
bool ephemeris_hour_angle_within(const struct ephemeris_local *l, const struct ephemeris_target *t, double cos_max);
double ephemeris_moon_deg(const struct ephemeris_local *l, const struct ephemeris_target *t);
/* Plane-parallel secant of the zenith distance, as the portals' own visibility uses it; INFINITY below the horizon. At the same altitude it is
 * higher than Kasten & Young 1989 (Appl. Opt. 28, 4735) by 0.3 % at airmass 2, 1.4 % at 4. */
double ephemeris_airmass(double sin_alt);
/* Sine of an altitude given in degrees back to degrees, clamped. */
double ephemeris_asin_deg(double sine);
#endif

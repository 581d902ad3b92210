/* When a target can be observed from a site, and where it cannot: the first reason why not.
 *
 * A `struct visibility_night` is computed once for an interval and a list of sites (Sun, Moon, zeniths every few minutes) and is then
 * read by any number of threads for any number of targets (a few µs each). Airmass is the secant of the zenith distance; altitudes
 * are geometric (no refraction): sin h = sin φ sin δ + cos φ cos δ cos H (Meeus 1998, Astronomical Algorithms, eq. 13.6) as the product of
 * zenith and star; between samples Lagrange's polynomial through four (Abramowitz & Stegun 1964, eq. 25.2.13). The Moon limit
 * holds also while the Moon is below the horizon, as the OCS portal has it. Edges are good to 1 s. */
#ifndef ENGINE_TARGET_VISIBILITY_H
#define ENGINE_TARGET_VISIBILITY_H
#include "engine/base/err.h"
#include "engine/target/ephemeris.h"
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VISIBILITY_SITES 32
#define VISIBILITY_WINDOWS 24           /* kept per target and site: later ones are left out */
#define VISIBILITY_SPAN_H 400           /* longest interval */
#define VISIBILITY_STEP_US (240 * (int64_t)1000000) /* sampling: what is up for less than 4 min may be missed */

struct visibility_site {
	char code[16], name[64];
	struct ephemeris_site place;
	double horizon_deg;             /* lowest altitude the telescopes reach */
	double ha_limit_h;              /* 12 = none */
	int telescopes;
};

/* The sites of a facility descriptor (facilities/NAME.json). *count ≤ max. ERR_INPUT names the site that is wrong. */
int visibility_sites(const json_t *descriptor, struct visibility_site *out, size_t max, size_t *count, struct err *e);

struct visibility_limits {
	double airmass_max;             /* ≥ 1 */
	double sun_max_deg;             /* Sun's altitude must be below: −12 nautical */
	double moon_min_deg;            /* 0 = no limit */
	double visit_s;                 /* shorter windows do not count */
};

struct visibility_night;
/* [start, end] is what may be used; the night looks a day past its end, to tell "late" from "never". The
 * sites are copied. NULL with e set: ERR_INPUT for an interval that is empty or too long, ERR_MEMORY. */
struct visibility_night *visibility_night_new(const struct visibility_site *sites, size_t count, int64_t start_us, int64_t end_us,
	struct err *e);
/* The same interval over other sites: the Sun and the Moon are not computed again. like is only read. */
struct visibility_night *visibility_night_beside(const struct visibility_night *like, const struct visibility_site *sites, size_t count, struct err *e);
/* UT1 − UTC at utc_us, 0 until told: each 0.1 s turns the sky by 1.5″. A leap second within the night is counted. To be called before the night
 * is shared and before targets are set. */
void visibility_night_ut1(struct visibility_night *n, int64_t utc_us, double dut1_s);
void visibility_night_free(struct visibility_night *n);
const struct visibility_site *visibility_night_site(const struct visibility_night *n, size_t site);
size_t visibility_night_sites(const struct visibility_night *n);
/* The frame for ephemeris_target_set. */
const struct ephemeris_frame *visibility_night_frame(const struct visibility_night *n);
/* Sun, Moon and zenith of a site at any time of the night (clamped to what it spans). */
void visibility_night_local(const struct visibility_night *n, size_t site, int64_t utc_us, struct ephemeris_local *out);

/* In the order in which the limits are asked; each holds only when none before it does. */
enum visibility_reason { VISIBLE, VISIBLE_NEVER_RISES, VISIBLE_DAYLIGHT, VISIBLE_MOON, VISIBLE_WINDOW_SHORT, VISIBLE_LATE };

struct visibility_window {
	int64_t start_us, end_us, best_us;
	double airmass_best, airmass_start, airmass_end; /* at best_us (lowest), start_us, end_us */
	double moon_deg, moon_alt_deg, moon_illuminated; /* at best_us */
};

struct visibility_report {
	enum visibility_reason reason;      /* VISIBLE: there is at least one window */
	size_t count;
	struct visibility_window windows[VISIBILITY_WINDOWS];
	/* For the sentence; with a window, of the interval asked for only: */
	double airmass_least;               /* at culmination; INFINITY when it stays below the horizon */
	double alt_max_deg;
	int64_t up_start_us, up_end_us;     /* first time above the limits of airmass, horizon and hour angle; UTC_NONE if never */
	double moon_min_deg;                /* closest to the Moon while up and dark; NaN unknown */
	int64_t longest_s;                  /* longest stretch that meets all limits in the interval */
	int64_t next_us;                    /* VISIBLE_LATE: when the first long enough window opens */
};

/* What is looked for: a target from a site (by its place in the night) within [start, end], clipped to the night's interval. */
struct visibility_ask {
	size_t site;
	const struct ephemeris_target *target;
	const struct visibility_limits *limits; /* visibility_best needs none */
	int64_t start_us, end_us;
};
#define VISIBILITY_ALWAYS .start_us = INT64_MIN / 2, .end_us = INT64_MAX / 2 /* the whole night */

/* Windows, or the first reason. Pure. */
void visibility_find(const struct visibility_night *n, const struct visibility_ask *ask, struct visibility_report *out);

/* The reason as a sentence with its numbers: "above airmass 2.0 only 09:12–10:40 UTC, when the Sun is above −12°". Returns out. */
char *visibility_sentence(const struct visibility_report *r, const struct visibility_limits *limits, char *out, size_t size);

/* Lowest airmass within [start, end], which must lie inside the night, and its time. */
double visibility_best(const struct visibility_night *n, const struct visibility_ask *ask, int64_t *best_us);
#endif

/* One made-up night for the demo: a sky, three events with their alerts, weather, and the truth that is sealed before it begins.
 * A: a merger with an early warning, a preliminary, an initial and an update. B: a merger that the operator will veto. C: noise, two
 * detectors only (so a person must approve), retracted an hour later. Pure and seeded. */
#ifndef SIM_MADE_NIGHT_H
#define SIM_MADE_NIGHT_H
#include "engine/base/err.h"
#include "sim/sky.h"
#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#define MADE_ALERTS 512

struct made_alert {
	int64_t at_us;           /* sky time at which the broker gets it */
	char role, type[16], event[16];
	char *bytes;             /* owned */
	size_t len;
};
struct made_night {
	struct sim_sky sky;
	int64_t start_us, end_us;
	struct made_alert alert[MADE_ALERTS]; /* by time */
	size_t alerts;
	json_t *weather;         /* array for sim_portal_new: closings of sites */
	json_t *truth;           /* what will be opened at the end: seed, hosts, weather */
};

struct made_options {
	uint64_t seed;
	int64_t start_us;        /* UTC_NONE: a date from the seed, at an hour when the host of A can soon be seen if it can be at all */
	double hours;            /* length of the night; 0: 7 */
	const json_t *sites;     /* of the facility's descriptor: code, latitude_deg, longitude_deg, telescopes */
	bool clear;              /* no clouds */
	int64_t retract_us;      /* C is taken back so long after its time; 0: 58 minutes */
	int volley;              /* > 0: so many mergers in place of the three stories, each heard once (PRELIMINARY, a map of its own), */
	int64_t every_us;        /* one every so much sky time from the start; every host is up in a dark sky somewhere at the start */
};

int made_night_make(const struct made_options *o, struct made_night *out, struct err *e);
void made_night_free(struct made_night *n);

/* Altitudes by low-precision formulae, not the engine's: a check on it as much as a mirror. The Sun: Astronomical Almanac, page C5 (0.01°);
 * sidereal time and altitude: Meeus 1998, Astronomical Algorithms, eq. 12.4 (its linear part) and 13.6. Positions are those of date. */
void made_sun(int64_t utc_us, double *ra_deg, double *dec_deg);
double made_altitude_deg(int64_t utc_us, double latitude_deg, double longitude_deg, double ra_deg, double dec_deg);

/* Clouds over the sites between two times: array of {"site","from_us","to_us","reason"}, new reference. */
json_t *made_weather(uint64_t seed, const json_t *sites, int64_t from_us, int64_t to_us);
#endif

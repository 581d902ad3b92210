/* Nights drawn from chance for a dry run: mergers in galaxies of a made or real catalogue, false alarms, what LVK would send of them, and
 * the weather. Everything follows from the seed and the start. Numbers that were chosen, not measured, stand here:
 *
 * A merger's host is drawn among the galaxies nearer than max_mpc with the chance of its stellar mass plus a share for young stars (never
 * by what the ranker weighs), at a distance that differs from the listed one by its error. One in four mergers happens in a galaxy that no
 * catalogue has (made catalogues lack theirs by themselves). Three detectors in 7 of 10: a 90 % region of 10–300 deg², spread evenly in the
 * logarithm; two detectors: four times that. Distances are known to 15–30 %. PRELIMINARY after 1–5 min, INITIAL (the same map) after 20–40
 * min, UPDATE (0.3–0.6 of the area) after 2–12 h. A false alarm comes with a chance of `noise` beside each merger and is retracted after
 * 20–120 min. The kilonova is AT 2017gfo's with its two masses scattered by a factor of 1.6 (sim/transient.h). */
#ifndef SIM_DRAWN_H
#define SIM_DRAWN_H
#include "engine/target/catalog.h"
#include "sim/made_night.h"

struct drawn_host {
	double ra_deg, dec_deg, distance_mpc, error_mpc, log_mstar, until; /* until: sum of the chances up to here */
	int64_t id;
	char name[CATALOG_NAME + 1];
	bool listed;
};
struct drawn_hosts {
	struct drawn_host *list; /* owned */
	size_t count;
	double max_mpc, unlisted; /* unlisted: share of mergers beside all of these */
};
/* ERR_INPUT when there is none so near. */
int drawn_hosts_of_sky(const struct sim_sky *sky, double max_mpc, struct drawn_hosts *out, struct err *e);
int drawn_hosts_of_catalog(const struct catalog *c, double max_mpc, struct drawn_hosts *out, struct err *e);
void drawn_hosts_free(struct drawn_hosts *h);

struct drawn_options {
	uint64_t seed;
	int64_t start_us, end_us;
	int mergers;         /* the first 2 min after the start, the others within the first half */
	double noise;        /* chance of a false alarm beside each */
	const json_t *sites; /* of the descriptor */
	bool clear;          /* no clouds */
};
/* Fills out whole (its sky stays empty); made_night_free. */
int drawn_night_make(const struct drawn_hosts *hosts, const struct drawn_options *o, struct made_night *out, struct err *e);

/* Clouds for as many days as it takes; array as of made_weather. */
json_t *drawn_weather(uint64_t seed, const json_t *sites, int64_t from_us, int64_t to_us);
#endif

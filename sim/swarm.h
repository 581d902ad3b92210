/* Random nights: a seed switches a random half of a menu of troubles on and becomes a night as text (sim/night.h) with numbers in it,
 * so that it can be kept, read and cut. And the cutting: the shortest text that still breaks in the same way. */
#ifndef SIM_SWARM_H
#define SIM_SWARM_H
#include "engine/base/err.h"
#include "engine/base/text.h"
#include "sim/night.h"
#include <stdbool.h>
#include <stdint.h>

#define SWARM_UNIVERSE 7 /* one sky for all seeds: it is dear to make */

/* Appends the night of a seed. */
void sim_swarm_text(uint64_t seed, struct text *out);

/* A trouble of the menu: its name, what it does, the chance that a night has it, and by what it is seen that it acted (swarm.c). */
struct sim_trouble {
	const char *name, *what;
	double chance;
	const char *seen_by;
};
/* The i-th into *out; how many there are. */
size_t sim_swarm_menu(size_t i, struct sim_trouble *out);
/* Does the night of that seed have it? */
bool sim_swarm_has(uint64_t seed, size_t i);
/* How often it acted in a night that has ended (sim_night_options.look); -1: that cannot be told. */
int64_t sim_swarm_acted(size_t i, sqlite3 *db, const struct sim_host_place *place, size_t places, const struct sim_night_report *report);

/* Makes the maps that the nights of all seeds share: before processes are forked. */
int sim_swarm_warm(struct sim_stage *stage, struct err *e);

/* Does this text still break like that? Called again and again. */
typedef bool sim_swarm_breaks(void *ctx, const char *text);

/* Cuts lines out of text (ever smaller blocks, then single lines) while it still breaks; at most `tries` calls. */
void sim_swarm_shrink(const char *text, int tries, sim_swarm_breaks *breaks, void *ctx, struct text *out);
#endif

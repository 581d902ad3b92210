/* `slew sim --real`: dry runs of real nights. What was asked for (sim_real.c), the rules and the sky (sim_real_world.c), one night
 * (sim_real_night.c), and how it is told (sim_real_tell.c, sim_real_words.c). */
#ifndef ENGINE_CMD_SIM_REAL_H
#define ENGINE_CMD_SIM_REAL_H
#include "engine/base/err.h"
#include "engine/target/catalog.h"
#include "sim/drawn.h"
#include "sim/real.h"
#include "sim/stage.h"
#include <jansson.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REAL_POLICIES 8
#define REAL_ALERTS 32

struct real_arguments {
	const char *config, *catalog, *page, *json, *state, *policy[REAL_POLICIES], *alert[REAL_ALERTS];
	int policies, alerts, events, nights, jobs;
	int64_t start_us;               /* now where it is not given */
	bool start_given, hours_given, clear, quiet;
	double hours, approve_min, max_mpc;
	uint64_t seed;
};

/* Rules, facility, galaxies: the same for all nights. */
struct real_world {
	json_t *input;                  /* body of the config input */
	json_t *sites;                  /* of all its facilities */
	char facilities[200];           /* their names */
	json_t *notes;                  /* what was assumed, in words */
	struct sim_stage *stage;        /* a made universe; NULL: a real catalogue */
	struct catalog catalog;
	const struct catalog *galaxies; /* of either */
	const char *galaxies_name;
	char configured_catalog[1024];  /* "" none */
	struct drawn_hosts hosts;       /* empty until real_world_hosts */
};
int real_world_open(const struct real_arguments *a, struct real_world *w, struct err *e); /* the rules; quick */
int real_world_sky(const struct real_arguments *a, struct real_world *w, struct err *e);  /* the galaxies: seconds where they are made */
/* Before nights with drawn mergers. */
int real_world_hosts(const struct real_arguments *a, struct real_world *w, struct err *e);
void real_world_close(struct real_world *w);

/* The same with these policies in place of its own: for a policy of an ensemble. New reference. */
json_t *real_world_input(const struct real_world *w, const json_t *policies);

/* ERR_INPUT when the Sun is up over every site with a telescope from one time to the other. */
int real_dark(const struct real_world *w, int64_t from_us, int64_t to_us, struct err *e);

/* One night that was played, before the portal and the state are thrown away. */
struct real_played {
	const struct real_arguments *a;
	const struct real_world *w;
	const struct made_night *night;
	sqlite3 *db;
	const struct sim_real_places *places;
};
/* sim_real_night.c: plays one night and tells it. Exit code. */
int real_night(const struct real_arguments *a, struct real_world *w);

/* sim_real_tell.c: the night as data, as README describes it. New reference. */
json_t *real_tell(const struct real_played *p, struct err *e);
/* sim_real_words.c: the same for a person. */
void real_words(const json_t *night, bool short_one);

/* Writes JSON for programs to a file, "-" is standard output. */
int real_write_json(const char *path, const json_t *value, struct err *e);

/* "  night 3 of 40" on standard error where that is a terminal; done NULL: wipes it. */
void real_progress(const char *words);
#endif

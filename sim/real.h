/* A dry run of a real night: the real core, rules and adapter with the alerts and the weather of a night, on a virtual clock against the
 * simulated portal. Nothing is sent. The state is the caller's, so that everything that reads a state reads this one too. */
#ifndef SIM_REAL_H
#define SIM_REAL_H
#include "engine/base/err.h"
#include "engine/core/compute.h"
#include "sim/made_night.h"
#include "sim/host.h"
#include <jansson.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

struct sim_real_options {
	sqlite3 *db;                        /* empty; borrowed */
	const json_t *input;                /* body of the config input (engine/core/core.h); borrowed */
	const struct compute_host *compute; /* borrowed; blob NULL */
	int (*compute_by)(void *ctx, const struct compute_host *host, const json_t *job, json_t **result, struct err *e); /* NULL: compute_run */
	void *compute_ctx;
	const struct made_night *night;     /* start, end, alerts by time, weather; borrowed */
	uint64_t seed;                      /* the portal's chance */
	double approve_min;                 /* a person approves so many minutes after being asked; NAN: nobody does */
	bool check;                         /* the invariants at the end */
	void (*progress)(void *ctx, double share); /* may be NULL */
	void *progress_ctx;
};

/* The simulated observatories of a night, one a facility of the input. */
struct sim_real_places {
	struct sim_portal *portal[SIM_HOST_PLACES];   /* owned */
	const json_t *descriptor[SIM_HOST_PLACES];    /* borrowed from the input */
	size_t count;
};
void sim_real_places_free(struct sim_real_places *p);

/* Runs it to its end. *places is given, also with an error, for what was observed. -1 with e: a broken invariant or sick store is
 * ERR_STORE, more facilities than SIM_HOST_PLACES ERR_LIMIT. */
int sim_real_run(const struct sim_real_options *o, struct sim_real_places *places, struct err *e);
#endif

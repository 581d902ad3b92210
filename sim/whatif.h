/* What another policy would have done on a night that was: its journal is fed again with that policy in place of its own.
 *
 * Fed as they came: alerts, orders, configurations (but for the policies), clock steps, gaps, timers, starts. What is asked now is
 * answered by what was answered then, where that can be:
 *   a computation, an offer   the same words were asked that night, whenever
 *   status                    what the facility had last said of itself by then
 *   anything else             the same words were asked at about the same time, and the facility has heard nothing else yet
 * From the first thing on that a facility did not hear that night, a simulated one stands in for it (sim/portal.h, fair weather); what
 * lives there then is handed over to it. So the same policy gives the same rows, and nothing is simulated.
 * Nothing is opened, sent or written but `now`; times are the journal's. */
#ifndef SIM_WHATIF_H
#define SIM_WHATIF_H
#include "engine/base/err.h"
#include "engine/core/compute.h"
#include <jansson.h>
#include <sqlite3.h>
#include <stdint.h>

struct whatif_policy {
	const char *name;   /* of the policy that is replaced; NULL: the only one of the night, else an error */
	const json_t *body; /* borrowed */
};

struct whatif_options {
	const struct whatif_policy *policies; /* none: the night as it was */
	int count;
	/* Lends read_map and catalog (NULL: what must be ranked anew is answered by an error); blob() is ours. */
	const struct compute_host *compute;
};

struct whatif_report {
	int64_t inputs;       /* fed, of those of the journal */
	int64_t recorded;     /* calls and computations that were answered from the journal */
	int64_t simulated;    /* calls that were answered by a simulated facility */
	int64_t computed;     /* computations that were done now */
	char journal[1024];   /* "" or how this program decides the journal otherwise, before any change of policy */
};

/* journal: a state (borrowed, read). now: an empty writable database (borrowed): the state that the policy leads to. A temporary table
 * tells what answered each of its effects: answered(effect, event, verb, how IN ('recorded','simulated','computed'), input). */
int sim_whatif(sqlite3 *journal, sqlite3 *now, const struct whatif_options *o, struct whatif_report *report, struct err *e);
#endif

/* The same inputs again: re-feeds a journal into an empty state, or into an earlier copy of it, and compares every row that the core
 * wrote. */
#ifndef SIM_REPLAY_H
#define SIM_REPLAY_H
#include "engine/base/err.h"
#include "engine/core/core.h"
#include "sim/compare.h"
#include <sqlite3.h>
#include <stdint.h>

struct replay_report {
	int64_t inputs, turns, starts;    /* starts: how often the engine had been started */
	int64_t effects;                  /* compared */
	int64_t from;                     /* the last input that the earlier copy had; 0: all were fed */
	struct state_compared compared;
	char difference[1024];            /* "" or the first one: table, row, column, was, is, and the input it began with */
};

struct journal_row;

struct replay_options {
	sqlite3 *from;                    /* an earlier copy of the state (borrowed, read), or NULL */
	int reopen;                       /* n > 0: the core is closed and opened anew after every n-th turn: the rows are all there is */
	/* Called for every row that differs, for every input before it is fed, and for what a turn released; each may be NULL. */
	void (*each)(void *ctx, const struct state_difference *d);
	int (*feeding)(void *ctx, const struct journal_row *row, struct err *e);
	int (*released)(void *ctx, sqlite3 *fresh, int64_t tick_us, const struct effects *list, struct err *e);
	void *ctx;
};

/* journal: a state (borrowed, read; of an older release: a copy of it is brought up to date first); fresh: an empty writable database
 * (borrowed). o may be NULL. 0 with the report filled, also when there is a difference; -1 when the journal cannot be read or fed. */
int sim_replay(sqlite3 *journal, sqlite3 *fresh, const struct replay_options *o, struct replay_report *out, struct err *e);
#endif

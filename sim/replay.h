/* The same inputs again: re-feeds a journal into an empty state and compares every row that the core wrote. */
#ifndef SIM_REPLAY_H
#define SIM_REPLAY_H
#include "engine/base/err.h"
#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

struct replay_report {
	int64_t inputs, turns, starts;  /* starts: how often the engine had been started */
	int64_t effects, rows;          /* compared */
	char difference[512];           /* "" or the first one: table, row, input */
};

/* journal: a state (borrowed, read); fresh: an empty writable database (borrowed). 0 with the report filled, also when there is a
 * difference; -1 when the journal cannot be read or fed. */
int sim_replay(sqlite3 *journal, sqlite3 *fresh, struct replay_report *out, struct err *e);
#endif

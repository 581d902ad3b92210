/* Inputs of a night, revised for a what-if. *text: the new body (malloc'd, given), NULL when it stays as it was. */
#ifndef SIM_REVISE_H
#define SIM_REVISE_H
#include "engine/base/err.h"
#include "engine/core/core.h"
#include "sim/whatif.h"
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

/* A configuration with the new policies. *found is set when it has one that is to be replaced. */
int revise_config(const struct whatif_options *o, const struct input *in, bool *found, char **text, struct err *e);

/* An order of input seq: a request that it names by its number then has a number of its own now; the token says which it is. */
int revise_order(sqlite3 *journal, sqlite3 *now_state, int64_t seq, const struct input *in, char **text, struct err *e);
#endif

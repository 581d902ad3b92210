/* Two states, row by row: every table, every column, to the last bit. The first difference is the one with the earliest input. */
#ifndef SIM_COMPARE_H
#define SIM_COMPARE_H
#include "engine/base/err.h"
#include <sqlite3.h>
#include <stdint.h>

struct state_difference {
	char table[64], column[64]; /* column "": the whole row is only on one side */
	char key[100];              /* of the row: its primary key */
	char was[200], is[200];     /* the part that differs; "" where there is no row */
	int64_t seq;                /* of the input that it began with, as far as the row tells; INT64_MAX: it does not */
};

struct state_compared {
	int64_t tables, rows;       /* compared */
	int64_t differences;        /* rows that differ, or are on one side only */
	struct state_difference first;
};

/* was, is: states of the same schema (borrowed, read). `each` is called for every row that differs, may be NULL. 0, also when they
 * differ; -1 when one cannot be read. */
int state_compare(sqlite3 *was, sqlite3 *is, struct state_compared *out, void (*each)(void *ctx, const struct state_difference *d),
	void *ctx, struct err *e);
#endif

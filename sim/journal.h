/* The journal of a state, read again: each row of table input as the input it was. A state may come from a stranger, or from a disk
 * that lied: every row is looked at before anything is made of it. Nothing here writes. One thread uses a journal. */
#ifndef SIM_JOURNAL_H
#define SIM_JOURNAL_H
#include "engine/base/err.h"
#include "engine/core/core.h"
#include <jansson.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

struct journal_row {
	int64_t seq, turn;   /* turn: seq of the first input that was decided in the same transaction */
	bool recovered;      /* the engine had been started before it */
	bool quiet;          /* its turn was not released: the engine was stopping */
	struct input in;     /* its pointers live until the next row, or the end */
};

struct journal {
	sqlite3_stmt *rows;
	json_t *meta;
	int64_t last, turn; /* of the row before */
};

/* Rows with seq > after (0: all), in order. The state is borrowed. ERR_INPUT when its tables are not those that this program makes:
 * `fresh` is a state that it has just made. */
int journal_open(struct journal *j, sqlite3 *state, sqlite3 *fresh, int64_t after, struct err *e);
void journal_close(struct journal *j);

/* 1 a row, 0 no more, -1: it cannot have been written by an engine (e says which and why), or the store is sick. */
int journal_next(struct journal *j, struct journal_row *row, struct err *e);

/* What an input was, for a person: "input 7 (2026-11-24T00:00:10Z, alert on igwn.gwalert: S261124a PRELIMINARY)". Always something. */
void journal_words(sqlite3 *state, int64_t seq, char *out, size_t size);

/* A state in memory with the same rows, made what this program's states are today when it is of an older release.
 * ERR_INPUT for what this program does not know. */
int journal_copy(sqlite3 *state, sqlite3 **copy, struct err *e);
/* *older: this program would change it before use. fresh: as in journal_open. ERR_INPUT for one of a newer release. */
int journal_schema(sqlite3 *state, sqlite3 *fresh, bool *older, struct err *e);
#endif

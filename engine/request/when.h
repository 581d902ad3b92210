/* The `when` expression of a policy: tokenised and typed by us, so that every error has a column, then compiled to SQL.
 * Three-valued as in SQL: a fact that is not known makes what depends on it unknown. */
#ifndef ENGINE_REQUEST_WHEN_H
#define ENGINE_REQUEST_WHEN_H
#include "engine/alert/fact.h"
#include "engine/base/err.h"
#include "engine/base/text.h"
#include <sqlite3.h>

#define WHEN_BYTES 4096 /* length of an expression */
#define WHEN_DEPTH 64   /* of its parentheses */

struct when {
	struct text row;       /* SQL over table fact under the alias f */
	struct text bound;     /* SQL over bound parameters: ?1 … in the order of FACTS, then map_pending */
	struct text missing;   /* SQL text: names of the facts that are NULL in row f */
	bool used[FACT_COUNT];
	sqlite3 *db;           /* private, in memory */
	sqlite3_stmt *q;
};

/* NULL with e set: ERR_INPUT names the column (characters, from 1). The caller frees. */
struct when *when_compile(const char *expression, struct err *e);
void when_free(struct when *w);

/* 1 TRUE, 0 FALSE, 2 UNKNOWN; -1 with e (the library below failed). */
int when_evaluate(struct when *w, const struct facts *f, struct err *e);

/* The parser behind when_compile (when_parse.c): fills row, bound and used. */
int when_parse(const char *expression, struct when *w, struct err *e);
#endif

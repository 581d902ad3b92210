/* The only door to SQLite: prepared statements with bound parameters, opened with the safe settings. */
#ifndef ENGINE_BASE_QUERY_H
#define ENGINE_BASE_QUERY_H
#include "engine/base/err.h"
#include <jansson.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdint.h>

enum query_open { QUERY_READ, QUERY_WRITE };

/* Opens (creates for QUERY_WRITE, mode 0600): WAL, synchronous FULL, foreign keys on, defensive, trusted_schema off, no ATTACH,
 * wal_autocheckpoint 12000, busy timeout 2 s. Readers get query_only. ":memory:" is allowed. */
int query_open(const char *path, enum query_open how, sqlite3 **db, struct err *e);
/* For commands that are given a path: QUERY_READ, and ERR_INPUT in words when the file is none of our states. */
int query_open_state(const char *path, sqlite3 **db, struct err *e);

/* Prepares; NULL with e (ERR_STORE) set on failure. */
sqlite3_stmt *query_prepare(sqlite3 *db, const char *sql, struct err *e);

/* Binds by a type string: i int64_t, d double (NaN binds NULL), t text (NULL binds NULL), b (const void*, size_t) blob,
 * n int64_t with UTC_NONE as NULL. Resets first. Text is copied. */
int query_bind(sqlite3_stmt *q, struct err *e, const char *types, ...);

/* The same from an argument list, for callers that are variadic themselves. */
int query_bind_list(sqlite3_stmt *q, struct err *e, const char *types, va_list *ap);

/* The current row as a JSON object, column name → value (as query_rows). New reference. */
json_t *query_row(sqlite3_stmt *q);

/* 1 a row is there, 0 no more (reset), -1 error with e set: ERR_STORE, or ERR_INPUT for a constraint. */
int query_step(sqlite3_stmt *q, struct err *e);

/* Prepare, bind, run to the end, finalize: for writes off the hot path. */
int query_run(sqlite3 *db, struct err *e, const char *sql, const char *types, ...);

/* First column of the first row; *out unchanged and 0 returned when there is no row, 1 when there is. */
int query_int(sqlite3 *db, int64_t *out, struct err *e, const char *sql, const char *types, ...);
int query_text(sqlite3 *db, char *out, size_t size, struct err *e, const char *sql, const char *types, ...);

/* All rows as a JSON array of objects (column name → value; NULL → null; blobs as text). At most max rows. New reference. */
json_t *query_rows(sqlite3 *db, size_t max, struct err *e, const char *sql, const char *types, ...);

/* Column getters: NULL-safe. */
const char *query_col_text(sqlite3_stmt *q, int column, const char *otherwise);
double query_col_double(sqlite3_stmt *q, int column); /* NaN for NULL */
int64_t query_col_int(sqlite3_stmt *q, int column, int64_t otherwise);

/* Runs a script of many statements without parameters: migrations only. */
int query_script(sqlite3 *db, const char *sql, struct err *e);
#endif

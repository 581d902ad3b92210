/* Any number of catalogue rows → a stream of them by (IPIX29, ID, NAME): runs are sorted in memory and, when there is more than one, kept in a
 * file without a name beside the output (nothing is left of it, however the program ends) and merged while they are read. Rows that are equal
 * in all three come in the order in which they were added. */
#ifndef ENGINE_TARGET_CATALOG_SORT_H
#define ENGINE_TARGET_CATALOG_SORT_H
#include "engine/base/err.h"
#include "engine/target/catalog.h"
#include <stdbool.h>
#include <stddef.h>

#define CATALOG_RUN_ROWS ((size_t)1 << 19) /* 50 MB; two are in memory */

struct catalog_run_place {
	int64_t first; /* row in the file */
	size_t count;
};

struct catalog_runs {
	const char *beside;               /* path whose folder takes the file; borrowed; NULL: the folder for temporary files */
	size_t run_rows;                  /* 0: CATALOG_RUN_ROWS */
	struct catalog_row *rows, *full;  /* being filled; waiting to be sorted and written */
	size_t count, cap, full_count;
	struct catalog_run_place *run;
	size_t run_count;
	int64_t in_file, total;           /* rows */
	int fd;                           /* 0 until there is a file */
	struct err failed;                /* of work in another thread */
};

void catalog_runs_free(struct catalog_runs *r);
int catalog_runs_add(struct catalog_runs *r, const struct catalog_row *rows, size_t n, struct err *e);
/* Sorts and writes the full run, if one waits: may be called in another thread while nothing is added. Its failure is told by the next add. */
void catalog_runs_work(struct catalog_runs *r);

/* The merged stream; after open no more rows may be added. */
struct catalog_stream;
struct catalog_stream *catalog_stream_open(struct catalog_runs *r, struct err *e);
/* The next row, valid until the next call; NULL at the end or on error (e->kind says). */
const struct catalog_row *catalog_stream_next(struct catalog_stream *s, struct err *e);
void catalog_stream_close(struct catalog_stream *s);

/* A file without a name in the folder of `beside` (NULL: the folder for temporary files); -1 on error. */
int catalog_file_nameless(const char *beside, struct err *e);
/* Order of the stream. */
int catalog_row_compare(const struct catalog_row *a, const struct catalog_row *b);
#endif

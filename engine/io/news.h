/* What a turn changed, read from the rows it wrote, as log lines: heard, decided, asked, answered. */
#ifndef ENGINE_IO_NEWS_H
#define ENGINE_IO_NEWS_H
#include "engine/base/err.h"
#include <jansson.h>
#include <sqlite3.h>
#include <stdint.h>

struct news;

/* Rows of inputs after `seq` are news. Borrows db (the core thread's own handle). */
struct news *news_open(sqlite3 *db, int64_t seq, struct err *e);

/* After a commit: array of {"level":"notice","subject","text"}, at most 200 lines a turn; an empty array where nothing changed.
 * New reference. */
json_t *news_read(struct news *n);
void news_close(struct news *n);
#endif

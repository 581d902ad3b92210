/* Names as people type them, found in the state: no regard to case and spaces. Shared by the views. */
#ifndef ENGINE_REPORT_MATCH_H
#define ENGINE_REPORT_MATCH_H
#include "engine/base/err.h"
#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

/* SQL that makes a column comparable with match_fold's text. */
#define MATCH_FOLD(column) "lower(replace(" column ", ' ', ''))"

/* ASCII lower case, spaces dropped, cut at size. Returns out. */
char *match_fold(char *out, size_t size, const char *name);

/* Row id of the event ("S230518h", "lvk:s230518h"); ERR_INPUT when there is none (it names those heard last) or when two issuers
 * have one of that name. */
int match_event(sqlite3 *ro, const char *name, int64_t *id, struct err *e);

/* Row id of an event's target by name (also without the catalogue's prefix, "50MGC:"), key or half of the key; the best ranked of several. *id 0 when there is none. */
int match_target(sqlite3 *ro, int64_t event, const char *name, int64_t *id, struct err *e);
#endif

/* Views: what an operator asks about the state, as JSON and as words for a terminal. Read only: an order is never one of these. */
#ifndef ENGINE_REPORT_VIEWS_H
#define ENGINE_REPORT_VIEWS_H
#include "engine/base/err.h"
#include <jansson.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* true for status, events, requests, candidates, explain. */
bool view_is(const char *verb);

/* Answers one question from rows; *out gets a new reference to an object. args (may be NULL): {"event": name, "target": name}, both
 * optional but for explain, which needs the event. Names are matched without regard to case and spaces; "lvk:S230518h" names the
 * issuer too; a target by name (with or without the catalogue's prefix), by key ("NAME|ID") or by either half of it. An event that is not known is ERR_INPUT; a target that
 * is not known is an answer, which says why. At most 200 events, 500 requests, 1000 candidates, 200 links of a chain. The handle is
 * only read; the caller sets its time limit (a progress handler). now_us: engine time, only repeated in the answer. */
int view_run(sqlite3 *ro, const char *verb, const json_t *args, int64_t now_us, json_t **out, struct err *e);

/* The same for a person: tables with units in the headings, times in UTC, the chain of explain indented. What strangers wrote
 * is escaped. A value that is not of the verb's form prints as little as it has. */
void view_print(const char *verb, const json_t *value, FILE *to);
#endif

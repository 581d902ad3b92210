/* Explain: the chain from alert to frame for one event, or for one target of it. Called through views.h. */
#ifndef ENGINE_REPORT_EXPLAIN_H
#define ENGINE_REPORT_EXPLAIN_H
#include "engine/base/err.h"
#include <jansson.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>

/* *out: {"now_us","outcome":sentence,"event":{},"revisions":[],"facts":{},"map":{}|null,"decisions":[],"verdicts":[],
 * "ranking":{"targets","cumulative_share","best":[]},"target":{}|null,"requests":[{…,"offers":[],"changes":[],"observations":[],
 * "products":[]}],"gates":[],"orders":[]}. target NULL: the event as a whole. New reference. */
int explain_run(sqlite3 *ro, const char *event, const char *target, int64_t now_us, json_t **out, struct err *e);
void explain_print(const json_t *value, FILE *to);
#endif

/* Explain: the chain from alert to frame for one event, or for one target of it. Called through views.h. */
#ifndef ENGINE_REPORT_EXPLAIN_H
#define ENGINE_REPORT_EXPLAIN_H
#include "engine/base/err.h"
#include <jansson.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>

/* *out: {"now_us", "outcome": sentence, "event": {}, "revisions": [], "facts": {known ones}, "unknown": [names], "map": {}|null,
 * "decisions": [], "verdicts": [of the event, or of the target], "ranking": {"targets","cumulative_share","probability","outside","asked"}, "reasons": [{"code","n"}],
 * "best": [], "target": {}|null, "asked_target": name|null, "requests": [{…, "chain": [links in order]}], "gates": [], "orders": []}.
 * target NULL: the event as a whole, with its ten best targets. New reference. */
int explain_run(sqlite3 *ro, const char *event, const char *target, int64_t now_us, json_t **out, struct err *e);

/* The chain as indented lines, the outcome first. */
void explain_print(const json_t *value, FILE *to);
#endif

/* The adapter against the simulated portal without a network: renders, calls, reads, follows the steps. For tests only. */
#ifndef TESTS_LIB_PORTAL_LOOP_H
#define TESTS_LIB_PORTAL_LOOP_H
#include "facilities/facility.h"
#include "sim/portal.h"

struct portal_loop {
	const struct facility_ops *ops;
	struct facility_conf conf;
	json_t *descriptor, *facility_memo;
	struct sim_portal *portal;
	const char *authorization, *prefix;
	int64_t now_us;
	int calls;               /* made so far */
};

/* Portal with facilities/lco.json, proposal TOO2026B and user "bot" with token "good"; more: faults, weather … merged into the set-up (borrowed, may be NULL). */
void portal_loop_open(struct portal_loop *l, int64_t now_us, const json_t *more);
void portal_loop_close(struct portal_loop *l);

/* Runs a verb to its end. *memo is the request's (replaced), NULL for status and feeds. The answers of all steps in *out (answers_free).
 * Returns 0, 1 when the facility has no such verb, -1 with e. */
int portal_loop_run(struct portal_loop *l, enum verb verb, const struct facility_request *q, json_t **memo, struct answers *out, struct err *e);

/* A request that the portal takes at 2026-11-23T18:00Z: NGC 1365, one filter, 3 × 60 s. filters: borrowed, from portal_loop_filters. */
struct facility_request portal_loop_request(const char *token, const json_t *filters, int64_t now_us);
#endif

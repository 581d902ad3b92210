/* How `slew plan` shows a plan in words, and what its files share. */
#ifndef ENGINE_CMD_PLAN_PRINT_H
#define ENGINE_CMD_PLAN_PRINT_H
#include "engine/alert/alert.h"
#include "engine/request/policy.h"
#include "engine/target/catalog.h"
#include <jansson.h>

#define PLAN_FACILITIES_MOST 16
#define PLAN_HOURS_ASSUMED 10.0 /* left in each mode of each programme: there is no configuration here */

struct plan_arguments {
	const char *alert, *catalog, *policy, *plot, *dust, *references, *covered, *facility[PLAN_FACILITIES_MOST];
	size_t facilities;
	int64_t now_us;
	double hours;
	bool json, at_event;
};

/* All that is gathered on the way; freed at the end whatever happened. */
struct gathered {
	struct alert alert;
	struct catalog catalog;
	bool has_alert, has_catalog;
	struct policy *policy;
	struct policy_answer answer;
	json_t *map, *rank, *plan, *notes, *covered;
};

/* Heading, visits, and why the others are not asked for; to standard output. */
void plan_print(const struct plan_arguments *a, const struct gathered *g);
#endif

/* Choosing: the visits that could be made, their options, and the greedy choice among them. Only plan*.c use it. */
#ifndef ENGINE_REQUEST_PLAN_PICK_H
#define ENGINE_REQUEST_PLAN_PICK_H
#include "engine/base/limits.h"
#include "engine/request/plan_job.h"

/* One way to make a visit: a rung of the ladder in one window of one site. */
struct plan_option {
	uint8_t rung, site, facility;
	struct visibility_window window;
};

/* Why an option, a visit or a target falls away; the furthest one is told. */
struct plan_why {
	enum verdict code;
	const char *facility;    /* or NULL */
	double detail_order;     /* among equals the larger one is told: the one that came closest */
	char detail[256];
};

/* What was chosen of a visit's options, and when the telescope would do it. */
struct plan_choice {
	const struct plan_option *option;
	int mode, lane;
	int64_t slot_us;
	double value, airmass;
};

enum plan_visit_state { PLAN_OPEN, PLAN_CHOSEN, PLAN_OUT, PLAN_EXISTS };
struct plan_visit {
	size_t target, epoch;
	enum plan_visit_state state;
	size_t first, count;     /* in plan_pick.option */
	struct ephemeris_target eye;
	int64_t earliest_us;
	bool stale;
	struct plan_choice best, reserve;
	struct plan_why why;
};

struct plan_booking {
	uint8_t facility, site;
	int lane;
	int64_t start_us, end_us;
};

struct plan_pick {
	struct plan_job *job;
	struct plan_visit *visit; /* target-major, epochs in order */
	size_t visits, options, options_cap, bookings, chosen;
	struct plan_option *option;
	struct plan_booking booking[LIMIT_PLAN_REQUESTS]; /* sorted by start */
	size_t order[LIMIT_PLAN_REQUESTS];                /* visits in the order in which they were chosen */
};

int plan_pick_new(struct plan_job *j, struct plan_pick *out, struct err *e); /* every option; why of those that have none */
void plan_pick_run(struct plan_pick *p);                                     /* the greedy choice and the reserves */
void plan_pick_free(struct plan_pick *p);

/* Keeps the reason that comes later in the order of enum verdict. */
void plan_why_keep(struct plan_why *kept, const struct plan_why *other);
#endif

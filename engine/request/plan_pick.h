/* Choosing: the visits that could be made, their options, what they are worth, and the greedy choice among them. Only plan*.c use it. */
#ifndef ENGINE_REQUEST_PLAN_PICK_H
#define ENGINE_REQUEST_PLAN_PICK_H
#include "engine/base/limits.h"
#include "engine/request/plan_job.h"
#include "engine/request/plan_light.h"

/* One way to make a visit: a rung of the ladder in one window of one site. */
struct plan_option {
	uint8_t rung, site, facility;
	struct visibility_window window;
	double exposure_s, duration_s; /* the rung's, or computed for this target here */
	double charge_s;         /* what its programme is charged for it */
	/* As last looked at; holds while `fresh`: until its slot is taken, or the visit before it is decided. */
	bool fresh, searched;    /* searched: later starts were tried as well, any booking there may change it */
	int lane;
	int64_t slot_us;         /* UTC_NONE: no telescope is free for it */
	double airmass, worth;
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
	double value, worth, airmass; /* value: worth per hour */
};

enum plan_visit_state { PLAN_OPEN, PLAN_CHOSEN, PLAN_OUT, PLAN_EXISTS };
struct plan_visit {
	size_t target, epoch;
	enum plan_visit_state state;
	size_t first, count;     /* in plan_pick.option */
	struct ephemeris_target eye;
	int64_t earliest_us;
	/* The most that any of its options could give: light in the best conditions of its windows, airmass of those without photometry. */
	struct plan_sight hope;
	double hope_airmass, hope_early, hope_s; /* INFINITY: none without; earliest; shortest */
	double key;              /* in the queue: an upper bound of its value, or the value when `exact` */
	bool exact;
	struct plan_choice best, reserve;
	struct plan_why why;
};

/* What is known of a target already: by visits that exist, by what others completed, by what is chosen; in the order in which it was added. */
struct plan_past {
	struct plan_known known;
	struct plan_sight *sight;
	size_t count, outside, covered; /* outside: the first ones, not of this plan; covered: of these by others */
};

struct plan_booking {
	uint8_t facility, site;
	int lane;
	int64_t start_us, end_us;
	double at[3];             /* where the telescope points: a unit vector; 0: not known, and no way to or from it is counted */
};

struct plan_pick {
	struct plan_job *job;
	struct plan_visit *visit; /* target-major, epochs in order */
	size_t visits, options, options_cap, bookings, chosen;
	struct plan_option *option;
	struct plan_past *past;   /* by target */
	struct plan_sight *sights;
	struct plan_visit **queue;
	size_t queued;
	double longest_s;         /* of any option */
	double total_worth, bound; /* of what was chosen; what no choice could exceed */
	struct plan_booking booking[LIMIT_PLAN_REQUESTS]; /* sorted by start */
	size_t order[LIMIT_PLAN_REQUESTS];                /* visits in the order in which they were chosen */
};

/* Starts after the first free slot that could be worth more than that one: how many, 0 where the light does not tell. */
#define PLAN_LATER_STARTS 5
int plan_later_starts(const struct plan_pick *p, const struct plan_visit *v, const struct plan_option *o, const struct plan_past *past, double worth,
	int64_t slot_us, int64_t out[PLAN_LATER_STARTS]);

int plan_pick_new(struct plan_job *j, struct plan_pick *out, struct err *e); /* every option; why of those that have none */
void plan_pick_run(struct plan_pick *p);                                     /* the bound, the greedy choice and the reserves */
void plan_pick_free(struct plan_pick *p);

/* plan_option.c */
int plan_options_find(struct plan_pick *p, struct plan_visit *v, struct err *e);
int plan_mode_of(const struct plan_job *j, const struct plan_rung *r, double charge_s, int64_t opens_us); /* −1: nobody pays */
void plan_programme_why(const struct plan_job *j, const struct plan_rung *r, double charge_s, struct plan_why *w);
/* Keeps the reason that comes later in the order of enum verdict. */
void plan_why_keep(struct plan_why *kept, const struct plan_why *other);

/* plan_value.c: what one visit is worth. */
struct plan_look {
	bool sees;               /* limits, sight and gain are by light; else by airmass */
	double airmass, gain, worth, limit_mag[PLAN_FILTERS];
	struct plan_sight sight;
};
/* A visit that starts at at_us, after what past holds. */
void plan_look(const struct plan_pick *p, const struct plan_visit *v, const struct plan_option *o, int64_t at_us, const struct plan_past *past,
	struct plan_look *out);
double plan_early(const struct plan_job *j, size_t epoch, int64_t at_us);
int64_t plan_early_until(const struct plan_job *j, size_t epoch, double early); /* the last time at which it is that much */
/* Adds a window to what a visit may hope for. */
void plan_hope_add(const struct plan_pick *p, struct plan_visit *v, const struct plan_option *o);
/* The most that the visit can be worth after past; the same but for light that past holds already. */
double plan_hope(const struct plan_pick *p, const struct plan_visit *v, const struct plan_past *past);
double plan_hope_light(const struct plan_pick *p, const struct plan_visit *v, const struct plan_past *past);
/* The exposure that a rung computes for a target in a window; the rung's own where it says one. */
double plan_exposure_s(const struct plan_job *j, const struct plan_target *t, const struct plan_rung *r, const struct visibility_window *w);
void plan_past_add(struct plan_past *past, const struct plan_sight *s);
void plan_past_read(struct plan_pick *p, size_t target, struct plan_past *out); /* "existing" and "covered" */
size_t plan_past_most(const struct plan_job *j);                               /* sights that a target can have in the end */

/* plan_bound.c: what no plan of these visits could exceed. Before plan_pick_run. */
double plan_bound(const struct plan_pick *p);
#endif

/* The inside of the generator of random nights, shared by sim/swarm*.c only: the draft of a night, and how a trouble writes into it. */
#ifndef SIM_SWARM_PARTS_H
#define SIM_SWARM_PARTS_H
#include "sim/random.h"
#include "sim/swarm.h"

#define DRAFT_LINES 500
#define DRAFT_EVENTS 8
#define DRAFT_FACILITIES 3

struct line {
	double at_s;
	char *text;
};
struct draft_event {
	char name[16];
	double at_s;      /* its first alert */
	bool low, test;
};
struct draft {
	struct rng rng;     /* of the trouble that is being drawn: a stream of its own by seed and name */
	struct text *out;   /* settings go there at once */
	struct line line[DRAFT_LINES];
	int lines;
	struct draft_event event[DRAFT_EVENTS];
	int events;
	double until_s;     /* troubles end here */
	int64_t start_us;
	const char *facility[DRAFT_FACILITIES];
	int facilities;
	bool ending;        /* the troubles are over */
	bool disk;          /* the line `disk` is written */
};

/* Drawing. One draw a statement, never two in one list of arguments: their order would be the compiler's choice. */
int die(struct draft *d, int n);                     /* 0 … n - 1 */
double fraction(struct draft *d);                    /* [0, 1) */
double when(struct draft *d);                        /* any time */
double soon(struct draft *d);                        /* shortly after the first alert of an event: the calls go on then */
double sometime(struct draft *d);                    /* this or that */
const struct draft_event *any_event(struct draft *d);
const char *any_facility(struct draft *d);
bool has_facility(const struct draft *d, const char *name);

void draft_line(struct draft *d, double at_s, const char *format, ...) __attribute__((format(printf, 3, 4)));
void draft_disk(struct draft *d);                      /* the night's state lies on a disk */

/* A trouble: swarm_menu.c has the table. */
struct trouble_entry {
	struct sim_trouble told;
	void (*draw)(struct draft *d);
};
extern const struct trouble_entry swarm_menu[];
extern const size_t swarm_menu_count;

/* swarm_world.c: what the table names. */
#define TROUBLES(X) X(revisions) X(reordered) X(skipped) X(late) X(duplicates) X(retraction) X(retraction_first) X(false_alarm) X(downgrade) X(moved) \
	X(corrupt) X(flipped) X(rebalance) X(gap) X(test_late) X(veto) X(veto_target) X(hold) X(cancel) X(storm) X(approval) X(amend) X(answer) X(reload) \
	X(drop_before) X(drop_after) X(refused) X(unavailable) X(gateway) X(html500) X(html200) X(truncate) X(slow) X(throttled) X(weather) X(down) \
	X(rapid) X(fails) X(done_after_cancel) X(invisible) X(renumber) X(wrong_clock) X(clog) X(latency) X(compute) X(crash) X(die_inside) X(clock) \
	X(clock_1970) X(restored) X(disk_full) X(disk_fails) X(disk_power) X(poor) X(poor_programme) X(fields) X(rules) X(replan) X(replace)
#define X(name) void trouble_##name(struct draft *d);
TROUBLES(X)
#undef X
#endif

/* The parts of a made-up night that its makers share (sim/made_night.c, sim/drawn.c): an event, what is heard of it, its truth. */
#ifndef SIM_MADE_PARTS_H
#define SIM_MADE_PARTS_H
#include "sim/localise.h"
#include "sim/made_night.h"

/* One event before its alerts are made. */
struct made_plot {
	char role;
	char name[16];
	int64_t time_us;
	struct sim_merger merger;
	const struct sim_galaxy *host; /* NULL: noise */
	const char *instruments;
	double far_hz, p_bns, p_nsbh, p_terrestrial, has_remnant;
};

/* One thing that will be heard. area90_deg2 0: no map of its own, the last one again. */
struct made_scene {
	const char *type;
	int64_t after_us; /* the merger */
	double area90_deg2, sigma_mpc;
};

/* Appends the alerts of an event, with their maps, to n. The list of scenes ends with type NULL. */
int made_play(struct made_night *n, const struct made_plot *p, const struct made_scene *scene, uint64_t seed, struct err *e);

/* Names it LVK's way by its time and a number (0 … 675) of that day. */
void made_event_name(struct made_plot *p, int64_t number);

/* {"role","event","time","what","host":{…}} as truth.json shows it. New reference. */
json_t *made_host_truth(const struct made_plot *p);

/* For qsort: alerts by time. */
int made_by_time(const void *a, const void *b);
#endif

/* The inside of the simulated portal, shared by sim/portal*.c only: groups, observations, the clockwork and the judging of requests. */
#ifndef SIM_PORTAL_PARTS_H
#define SIM_PORTAL_PARTS_H
#include "sim/portal.h"
#include "engine/base/utc.h"
#include <stdbool.h>

enum {
	PORTAL_SITES = 16,
	PORTAL_TELESCOPES = 48,
	PORTAL_INTERVALS = 16,     /* kept per site and request */
	PORTAL_WINDOW_DAYS = 7,    /* visibility is computed so far */
	PORTAL_FIRST_REQUEST = 5000, /* request, observation and frame numbers live in number spaces of their own, as on the real portal */
	PORTAL_FIRST_OBSERVATION = 70000,
	PORTAL_FIRST_FRAME = 900000
};

struct portal_site {
	char code[16];
	double lat_rad, lon_rad, horizon_deg, ha_limit_rad;
};

struct portal_telescope {
	size_t site;
	char name[32], class[8]; /* "doma.1m0a", "1m0" */
};

struct portal_interval {
	int64_t start_us, end_us;
};

struct portal_visible {
	size_t count;
	struct portal_interval list[PORTAL_INTERVALS];
};

/* What a posted group asks for, once it was understood. */
struct portal_ask {
	char name[64], proposal[64], type[24], instrument[48], site[16], class[8], target[64];
	double ra_deg, dec_deg, ipp, max_airmass, min_moon_deg, duration_s;
	int64_t start_us, end_us;
	bool start_given;
	struct portal_visible *visible;  /* [sites], malloc'd once visibility was reached, else NULL; whoever has the ask frees it */
};

struct portal_group {
	int64_t id, request_id, made_us, created_us, modified_us, request_modified_us, retry_us;
	int64_t left_us;                 /* when it was first not PENDING any more, sky time; UTC_NONE before */
	struct portal_ask ask;
	json_t *request;                 /* requests[0] as it is shown, without its state and stamps */
	char user[64];
	const char *state;               /* PENDING COMPLETED CANCELED WINDOW_EXPIRED */
	double debit_h, charged_s;
	bool fail_used;
};

struct portal_observation {
	int64_t id, start_us, end_us, created_us, modified_us;
	size_t group, telescope;
	const char *state;               /* PENDING IN_PROGRESS COMPLETED FAILED NOT_ATTEMPTED CANCELED ABORTED */
	char reason[96];
	double time_completed_s;
};

struct portal_frame {
	int64_t id, ready_us, start_us;
	size_t observation;
	int level, number;
	double exposure_s;
	char filter[16];
};

struct sim_portal {
	json_t *setup;                   /* own deep copy: tokens, proposals, descriptor, faults, weather, fail */
	const json_t *descriptor;
	uint64_t random;
	int64_t now_us, cycle_us, cycle_next_us, offset_us, frame_delay_us, reduce_delay_us, visible_delay_us;
	int64_t numbers_from;            /* added to every number */
	bool renumber;
	size_t sites, telescopes;
	struct portal_site site[PORTAL_SITES];
	struct portal_telescope telescope[PORTAL_TELESCOPES];
	struct portal_group *group;
	size_t groups, group_cap;
	struct portal_observation *observation;
	size_t observations, observation_cap;
	struct portal_frame *frame;
	size_t frames, frame_cap;
	int64_t calls, submissions, cancels, unseen; /* unseen: submissions of what cannot be observed in its window */
	json_t *fault_seen;              /* array of counters, beside setup.faults */
	json_t *fired;                   /* how often each kind of trouble really acted */
	bool clogged;
	int64_t late_cancels;            /* cancels to come that are too late for the telescope */
};

/* portal_sky.c: when each site sees the target within [start, end], all limits applied; visible[p->sites]. */
void portal_sky_scan(const struct sim_portal *p, const struct portal_ask *ask, int64_t start_us, int64_t end_us, struct portal_visible *visible);
/* Airmass of a direction over a site; INFINITY below the horizon. */
double portal_sky_airmass(const struct portal_site *site, double ra_deg, double dec_deg, int64_t utc_us);

/* portal_check.c: judges a posted body as the portal does, layer by layer. Errors go into `errors` (empty: good). ask->visible is to
 * be freed by the caller. */
void portal_check(const struct sim_portal *p, const json_t *body, const char *user, struct portal_ask *ask, json_t *errors);
const json_t *portal_proposal(const struct sim_portal *p, const char *id, const char *user);
/* Hours of a mode that are left; of IPP with mode "ipp". Negative: none was given. */
double portal_hours_left(const struct sim_portal *p, const json_t *proposal, const char *mode);
const json_t *portal_instrument(const struct sim_portal *p, const char *code);
/* "2026B" of a time, and its bounds. */
void portal_semester(int64_t utc_us, char name[8], int64_t *start_us, int64_t *end_us);

/* portal.c: a trouble acted. */
void portal_fired(struct sim_portal *p, const char *what);
/* portal_night.c */
bool portal_down(const struct sim_portal *p, const char *instrument, int64_t utc_us);
void portal_interrupt(struct sim_portal *p, const char *site, int64_t utc_us);
bool portal_begin_now(struct sim_portal *p, size_t group, int64_t utc_us);
bool portal_weather(const struct sim_portal *p, size_t site, int64_t utc_us, const char **reason);
void portal_cancel_pending(struct sim_portal *p, size_t group, int64_t utc_us);
void portal_state_set(struct sim_portal *p, size_t group, const char *state, int64_t utc_us);

/* portal_show.c: JSON as the portal gives it. New references. */
json_t *portal_show_group(const struct sim_portal *p, const struct portal_group *g, bool in_list);
json_t *portal_show_observation(const struct sim_portal *p, const struct portal_observation *o, bool in_list);
json_t *portal_show_profile(const struct sim_portal *p, const char *user);
json_t *portal_show_proposal(const struct sim_portal *p, const json_t *proposal);
json_t *portal_show_instruments(const struct sim_portal *p);
json_t *portal_show_states(const struct sim_portal *p, int64_t utc_us);
json_t *portal_show_frame(const struct sim_portal *p, const struct portal_frame *f);
json_t *portal_show_airmass(const struct sim_portal *p, const json_t *request, json_t *errors);
json_t *portal_time(int64_t utc_us, bool micro);

/* portal.c */
json_t *portal_answer(struct sim_portal *p, const struct sim_call *in, const char *user, struct sim_reply *out); /* portal_api.c: NULL: out has it all */
/* Grows an array of count elements to hold one more; the new, zeroed element, or NULL. */
void *portal_grow(void **list, size_t *count, size_t *cap, size_t size);
uint64_t portal_random(struct sim_portal *p);
#endif

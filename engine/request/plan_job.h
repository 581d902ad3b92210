/* A plan's job, read and checked: targets, epochs, rungs of the ladder, facilities and programmes as structs. Only plan*.c use it. */
#ifndef ENGINE_REQUEST_PLAN_JOB_H
#define ENGINE_REQUEST_PLAN_JOB_H
#include "engine/base/err.h"
#include "engine/request/plan.h"
#include "engine/request/programme.h"
#include "engine/target/depth.h"
#include "engine/target/visibility.h"
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLAN_FACILITIES 16
#define PLAN_PROGRAMMES 64
#define PLAN_EPOCHS 16
#define PLAN_RUNGS 32
#define PLAN_FILTERS 12
#define PLAN_COVERED 16                     /* of others, counted for one target */
#define PLAN_EXPOSURE_LEAST_S 10.0  /* of an exposure that the plan computes */
#define PLAN_EXPOSURE_MOST_S 600.0  /* unless the policy says otherwise (max_exposure_s) */

enum plan_mode { PLAN_NORMAL, PLAN_TIME_CRITICAL, PLAN_RAPID_RESPONSE, PLAN_MODES };
const char *plan_mode_name(enum plan_mode m);
int plan_mode_find(const char *name); /* -1: no such mode */

struct plan_target {
	const char *key, *name;
	double ra_deg, dec_deg, share, before; /* before: share of all better ones */
	bool pinned, cut;                      /* cut: outside targets.top or targets.probability */
	size_t rank;                           /* from 0 */
	double host;                           /* chance that it is the host: "probability", or the share where that is not given */
	double distance_mpc, ebv_mag;          /* NaN: unknown */
	double reference_mag[KILONOVA_BANDS];  /* 5 sigma of a reference image; NaN: none is known */
	const char *survey[KILONOVA_BANDS];    /* its name; NULL: it has none */
	double at[3];                          /* unit vector of the position */
};

struct plan_facility {
	const char *name;
	const json_t *descriptor;
	bool closed;
	const json_t *off, *shut;              /* not offered today: CODE, CODE:FILTER; codes of sites that are shut now */
	double interrupt_h, max_window_h, slew_s_deg;
	bool mode[PLAN_MODES];
	size_t sites;
	struct visibility_site site[VISIBILITY_SITES];
	struct visibility_night *night;
};

struct plan_programme {
	const char *name, *facility;
	double left_h[PLAN_MODES];
	bool spent;                            /* no trigger left, and this event has not used one */
	bool triggers[PLAN_MODES];             /* modes that use one, where that is said; else all */
	const char *kept;                      /* its reserve.for, where hours or triggers are kept from this event; or NULL */
	const char *declined;                  /* why it is asked for nothing; NULL: it is asked */
	struct programme_rules rules;
};

struct plan_epoch {
	int epoch;
	int64_t start_us, end_us;              /* counted from the event; a later epoch follows the one before it */
	double after_h;
	const json_t *body;                    /* its entry in policy.observe */
};

/* One rung of the ladder, for one epoch: what would be asked of whom. */
struct plan_rung {
	int index;                             /* in policy.ladder */
	int facility, programme;               /* index, or -1: not configured */
	int mode;                              /* enum plan_mode: the most that is asked for */
	const char *facility_name, *programme_name;
	const json_t *instrument;              /* of the descriptor; NULL: none has the filters */
	size_t filters, passes;                /* passes: series of exposures, one a filter; 1 where a camera takes all at once */
	const char *filter[PLAN_FILTERS];
	double padding_s, per_exposure_s, filter_change_s; /* the facility's, or the instrument's own */
	double exposure_s, ipp, duration_s;    /* computed ones (see below): the shortest that could be */
	int count;                             /* exposures per filter */
	double depth_mag, detect, most_s;      /* the epoch's "depth" or "detect" in place of an exposure; else both NaN */
	bool sees;                             /* every filter has photometry and a band: camera is filled */
	struct depth_camera camera[PLAN_FILTERS];
	struct visibility_limits limits;
};

struct plan_job {
	int64_t now_us, end_us;
	int64_t merger_us;                     /* event_us, or now */
	struct kilonova_prior prior;
	const json_t *policy, *existing, *refused, *booked, *covered;
	const char *warning;                   /* or NULL */
	size_t targets, facilities, programmes, epochs, rungs;
	struct plan_target *target;
	struct plan_facility facility[PLAN_FACILITIES];
	struct plan_programme programme[PLAN_PROGRAMMES];
	struct plan_epoch epoch[PLAN_EPOCHS];
	struct plan_rung rung[PLAN_EPOCHS][PLAN_RUNGS];
	double event_left_h, night_left_h, semester_left_h; /* INFINITY: no limit */
	char cut_words[64];                    /* where the policy stops: "60 targets or a share of 0.80" */
};

/* Reads and checks; borrows from the JSON. ERR_INPUT says which member. Free in both cases. */
int plan_job_read(const json_t *job, struct plan_job *out, struct err *e);
void plan_job_free(struct plan_job *j);

/* Is the text in the list? */
bool plan_listed(const json_t *list, const char *text);

/* The entry of "existing" for (target, epoch), NULL: neither lives nor is done. */
const json_t *plan_existing(const struct plan_job *j, const char *key, int epoch);

/* true when that facility has refused (target, epoch) down to the end of its ladder. */
bool plan_refused(const struct plan_job *j, const char *key, int epoch, const char *facility);

/* Unit vector of a position; 0 for one that is none. */
void plan_vector(double ra_deg, double dec_deg, double out[3]);

/* A time of the job (microseconds since 1970); UTC_NONE where there is none, or none that a clock could show. */
int64_t plan_time_us(const json_t *object, const char *key);

/* What a visit with this rung takes, when each exposure is so long. */
double plan_duration_s(const struct plan_rung *r, double exposure_s);

/* The settings of rung `index` at an epoch, from both JSON texts: shared with the variants. -1: neither gives an exposure time, or a depth
 * to compute one for (then exposure_s is NaN). */
int plan_rung_read(const json_t *ladder_entry, const json_t *observe_entry, int index, struct plan_rung *out, struct err *e);
#endif

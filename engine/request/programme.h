/* The rules of a programme, as its entry in the configuration gives them: when it may be asked, how long, by whom. Pure. */
#ifndef ENGINE_REQUEST_PROGRAMME_H
#define ENGINE_REQUEST_PROGRAMME_H
#include "engine/base/err.h"
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROGRAMME_BLOCKED 64 /* entries of blocked_nights */

/* First and last night, both blocked. A night is counted by its number: see programme_night. */
struct programme_nights {
	int64_t first, last;
};

/* Borrows reserve_for alone. What is not given binds nothing. */
struct programme_rules {
	int64_t from_us, until_us;   /* the semester: UTC_NONE, open */
	double notice_h, max_visit_h; /* 0, INFINITY */
	bool charge_observed, charge_overheads, charge_lost; /* false, true, false */
	double charge_minimum_s;     /* 0 */
	double reserve_fraction, reserve_per_year; /* NaN: not given */
	const char *reserve_for;     /* borrowed from the entry; NULL: no reserve */
	size_t blocked_count;
	struct programme_nights blocked[PROGRAMME_BLOCKED];
};

/* A visit that is thought of, or about to be asked for. */
struct programme_visit {
	int64_t start_us, end_us;    /* its window */
	double seconds;              /* with overheads */
	double longitude_deg;        /* of its site, east; NaN: not known, then Greenwich is taken */
	int64_t now_us;
};

/* ERR_INPUT: a date or a semester that is none, and where ("semester/start", "blocked_nights/2"). entry may be NULL or {}: no rules. */
int programme_rules_read(const json_t *entry, struct programme_rules *out, struct err *e);

/* The night of an instant: days from 1970-01-01 to the local mean noon before it. "2027-01-05" is the night that begins on that evening. */
int64_t programme_night(int64_t utc_us, double longitude_deg);

/* When a night begins: 18 h local mean time. */
int64_t programme_night_begins(int64_t night, double longitude_deg);

/* true: the rules allow it. Else why: a sentence for a person, without the programme's name. */
bool programme_visit_fits(const struct programme_rules *r, const struct programme_visit *v, char *why, size_t size);

/* What a visit is charged: that takes duration_s in all, exposure_s of it with an open shutter. */
double programme_charge_s(const struct programme_rules *r, double duration_s, double exposure_s);

/* Of `left`, what an event that is not one of the better ones may have, of which it used `used` already; `given`: of the semester. */
double programme_share(const struct programme_rules *r, double given, double left, double used, int64_t now_us);

/* Why a policy with that data_access (NULL: none) gets no data that it could use, by the programme's "data", else the facility's; false: it does. */
bool programme_data_too_closed(const json_t *entry, const json_t *descriptor, const char *data_access, char *why, size_t size);

/* May that policy bill it? (may_trigger.policies; no such list: all may.) */
bool programme_of_policy(const json_t *entry, const char *policy);

/* Does a request of that mode use a trigger? (trigger_modes; no such list: all but NORMAL.) */
bool programme_mode_triggers(const json_t *entry, const char *mode);
#endif

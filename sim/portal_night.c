/* The simulated portal's night: scheduler cycles, exposures, weather, expiry, frames in the archive. */
#include "sim/portal_parts.h"
#include "engine/base/json.h"
#include "engine/base/text.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_US (5 * UTC_MINUTE)
#define LEAD_US (15 * UTC_SECOND) /* from a scheduler's decision to the first possible start */

bool portal_weather(const struct sim_portal *p, size_t site, int64_t utc_us, const char **reason)
{
	const json_t *list = json_object_get(p->setup, "weather"), *one;
	size_t i;
	json_array_foreach(list, i, one) {
		if (strcmp(json_text(one, "site", ""), p->site[site].code) == 0 && utc_us >= json_int(one, "from_us", INT64_MAX) &&
		    utc_us < json_int(one, "to_us", INT64_MAX)) {
			*reason = json_text(one, "reason", "Humidity over limit");
			return true;
		}
	}
	return false;
}

bool portal_down(const struct sim_portal *p, const char *instrument, int64_t utc_us)
{
	const json_t *list = json_object_get(p->setup, "down"), *one;
	size_t i;
	json_array_foreach(list, i, one)
		if (strcmp(json_text(one, "instrument", ""), instrument) == 0 && utc_us >= json_int(one, "from_us", INT64_MAX) && utc_us < json_int(one, "to_us", INT64_MAX))
			return true;
	return false;
}

static bool is(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

void portal_state_set(struct sim_portal *p, size_t group, const char *state, int64_t utc_us)
{
	struct portal_group *g = &p->group[group];
	g->state = state;
	if (!is(state, "PENDING") && g->left_us == UTC_NONE)
		g->left_us = utc_us;
	g->modified_us = g->request_modified_us = utc_us + p->offset_us;
	if (!is(state, "PENDING") && !is(state, "COMPLETED"))
		g->debit_h = 0; /* what priority had cost is given back */
}

static void observation_set(struct sim_portal *p, struct portal_observation *o, const char *state, int64_t utc_us)
{
	o->state = state;
	o->modified_us = utc_us + p->offset_us;
}

/* Only what has not begun is withdrawn, a running observation goes on; unless the observatory says that it can stop that too. */
void portal_cancel_pending(struct sim_portal *p, size_t group, int64_t utc_us)
{
	bool running = json_flag(p->descriptor, "can_cancel_running", false);
	for (size_t i = 0; i < p->observations; i++) {
		struct portal_observation *o = &p->observation[i];
		if (o->group == group && (is(o->state, "PENDING") || (running && is(o->state, "IN_PROGRESS"))))
			observation_set(p, o, o->start_us > utc_us ? "CANCELED" : "ABORTED", utc_us);
	}
}

static void frames_add(struct sim_portal *p, size_t observation)
{
	const struct portal_observation *o = &p->observation[observation];
	const json_t *conf = json_array_get(json_object_get(p->group[o->group].request, "configurations"), 0), *one;
	double offset_s = json_number(json_object_get(p->descriptor, "overheads"), "front_padding_s", 90);
	int number = (int)(o->id % 10000);
	size_t i;
	json_array_foreach(json_object_get(conf, "instrument_configs"), i, one) {
		double exposure_s = json_number(one, "exposure_time", 0);
		for (int64_t k = 0; k < json_int(one, "exposure_count", 1); k++) {
			int64_t start_us = o->start_us + (int64_t)(offset_s * 1e6);
			offset_s += exposure_s + json_number(json_object_get(p->descriptor, "overheads"), "per_exposure_s", 28);
			for (int level = 0; level <= 91; level += 91) {
				struct portal_frame *f = portal_grow((void **)&p->frame, &p->frames, &p->frame_cap, sizeof *f);
				if (f == NULL)
					return;
				*f = (struct portal_frame){.id = PORTAL_FIRST_FRAME + (int64_t)p->frames, .start_us = start_us, .observation = observation,
							   .level = level, .number = number, .exposure_s = exposure_s};
				f->ready_us = start_us + (int64_t)(exposure_s * 1e6) + (level == 0 ? p->frame_delay_us : p->reduce_delay_us);
				text_copy(f->filter, sizeof f->filter, json_text(json_object_get(one, "optical_elements"), "filter", ""));
			}
			number++;
		}
	}
}

/* "fail" of the set-up: the first observation of a group whose name or target has that text. */
static const char *fails(struct sim_portal *p, struct portal_group *g)
{
	const json_t *list = json_object_get(p->setup, "fail"), *one;
	size_t i;
	json_array_foreach(list, i, one) {
		const char *what = json_text(one, "name", NULL);
		if (!g->fail_used && what != NULL && (strstr(g->ask.name, what) != NULL || strstr(g->ask.target, what) != NULL)) {
			g->fail_used = true;
			portal_fired(p, "fail");
			return json_text(one, "reason", "Weather: clouds");
		}
	}
	return NULL;
}

static void observation_begin(struct sim_portal *p, struct portal_observation *o)
{
	const char *why;
	if (portal_weather(p, p->telescope[o->telescope].site, o->start_us, &why)) {
		snprintf(o->reason, sizeof o->reason, "Weather: %.80s", why);
		observation_set(p, o, "NOT_ATTEMPTED", o->start_us);
		portal_fired(p, "weather");
	} else {
		observation_set(p, o, "IN_PROGRESS", o->start_us);
	}
}

static void observation_finish(struct sim_portal *p, size_t index)
{
	struct portal_observation *o = &p->observation[index];
	struct portal_group *g = &p->group[o->group];
	const char *why = NULL, *weather;
	double taken_s = (double)(o->end_us - o->start_us) / 1e6;
	if (portal_weather(p, p->telescope[o->telescope].site, o->end_us, &weather)) {
		snprintf(o->reason, sizeof o->reason, "Weather: %.80s", weather);
		why = o->reason;
		portal_fired(p, "weather");
	} else if ((why = fails(p, g)) != NULL) {
		text_copy(o->reason, sizeof o->reason, why);
	}
	g->charged_s += why != NULL ? taken_s / 3 : taken_s;
	o->time_completed_s = why != NULL ? taken_s / 3 : taken_s;
	observation_set(p, o, why != NULL ? "FAILED" : "COMPLETED", o->end_us);
	if (why == NULL) { /* even a cancelled group becomes COMPLETED when its telescope had begun */
		portal_state_set(p, o->group, "COMPLETED", o->end_us);
		frames_add(p, index);
	}
}

/* scheduler ------------------------------------------------------------------------------------------------------------------------ */

static bool group_has_live(const struct sim_portal *p, size_t group)
{
	for (size_t i = p->observations; i-- > 0;) {
		const struct portal_observation *o = &p->observation[i];
		if (o->group == group && (is(o->state, "PENDING") || is(o->state, "IN_PROGRESS")))
			return true;
	}
	return false;
}

/* The live observation on that telescope that overlaps [start, end], or -1. NORMAL ones do not count for a rapid response. */
static int64_t telescope_taken(const struct sim_portal *p, size_t telescope, int64_t start_us, int64_t end_us, bool rapid)
{
	for (size_t i = 0; i < p->observations; i++) {
		const struct portal_observation *o = &p->observation[i];
		if (o->telescope != telescope || !(is(o->state, "PENDING") || is(o->state, "IN_PROGRESS")) || o->start_us >= end_us || o->end_us <= start_us)
			continue;
		if (!rapid || is(p->group[o->group].ask.type, "RAPID_RESPONSE"))
			return (int64_t)i;
	}
	return -1;
}

/* First start ≥ from at which the telescope is free for the visit within the interval; INT64_MAX: none. */
static int64_t first_start(const struct sim_portal *p, const struct portal_group *g, size_t telescope, const struct portal_interval *in, int64_t from_us)
{
	int64_t need_us = (int64_t)(g->ask.duration_s * 1e6), start_us = in->start_us > from_us ? in->start_us : from_us, taken;
	while (start_us + need_us <= in->end_us) {
		taken = telescope_taken(p, telescope, start_us, start_us + need_us, is(g->ask.type, "RAPID_RESPONSE"));
		if (taken < 0)
			return start_us;
		start_us = p->observation[taken].end_us + UTC_SECOND;
	}
	return INT64_MAX;
}

static void preempt(struct sim_portal *p, size_t telescope, int64_t start_us, int64_t end_us, int64_t now_us)
{
	int64_t taken;
	while ((taken = telescope_taken(p, telescope, start_us, end_us, false)) >= 0)
		observation_set(p, &p->observation[taken], is(p->observation[taken].state, "IN_PROGRESS") ? "ABORTED" : "CANCELED", now_us);
}

static void group_schedule(struct sim_portal *p, size_t group, int64_t now_us)
{
	struct portal_group *g = &p->group[group];
	int64_t best_us = INT64_MAX, from_us = now_us + LEAD_US;
	size_t chosen = 0;
	const char *why;
	for (size_t t = 0; t < p->telescopes; t++) {
		const struct portal_telescope *tel = &p->telescope[t];
		const struct portal_visible *v = &g->ask.visible[tel->site];
		if (!is(tel->class, g->ask.class) || portal_weather(p, tel->site, now_us, &why))
			continue;
		for (size_t i = 0; i < v->count; i++) {
			int64_t start_us = first_start(p, g, t, &v->list[i], from_us > g->ask.start_us ? from_us : g->ask.start_us);
			if (start_us < best_us) {
				best_us = start_us;
				chosen = t;
			}
		}
	}
	if (best_us == INT64_MAX) { /* no slot: not asked again in every cycle */
		g->retry_us = now_us + RETRY_US;
		return;
	}
	int64_t end_us = best_us + (int64_t)(g->ask.duration_s * 1e6);
	if (is(g->ask.type, "RAPID_RESPONSE"))
		preempt(p, chosen, best_us, end_us, now_us);
	struct portal_observation *o = portal_grow((void **)&p->observation, &p->observations, &p->observation_cap, sizeof *o);
	if (o == NULL)
		return;
	*o = (struct portal_observation){.id = p->numbers_from + PORTAL_FIRST_OBSERVATION + (int64_t)p->observations,
					 .start_us = best_us, .end_us = end_us,
					 .created_us = now_us + p->offset_us, .modified_us = now_us + p->offset_us, .group = group,
					 .telescope = chosen, .state = "PENDING"};
}

static double priority(const struct portal_group *g)
{
	if (is(g->ask.type, "RAPID_RESPONSE"))
		return 1e9;
	return is(g->ask.type, "TIME_CRITICAL") ? 6000 : g->ask.ipp * g->ask.duration_s / 60;
}

/* Observations at a site that has closed are withdrawn; then every open group without a slot gets one, the most urgent first. */
static void cycle(struct sim_portal *p, int64_t now_us)
{
	const char *why;
	for (size_t i = 0; i < p->observations; i++) {
		struct portal_observation *o = &p->observation[i];
		bool renumbered = p->renumber && is(o->state, "PENDING") && o->start_us > now_us + 2 * LEAD_US && portal_random(p) % 4 == 0;
		bool closed = is(o->state, "PENDING") && portal_weather(p, p->telescope[o->telescope].site, now_us, &why);
		if (renumbered || closed) {
			observation_set(p, o, "CANCELED", now_us);
			portal_fired(p, renumbered ? "renumber" : "weather");
		}
	}
	for (double below = INFINITY; below > 0;) {
		double next = 0;
		for (size_t g = 0; g < p->groups; g++) {
			double mine = priority(&p->group[g]);
			if (!is(p->group[g].state, "PENDING") || mine >= below)
				continue;
			next = fmax(next, mine);
		}
		for (size_t g = 0; g < p->groups && next > 0; g++) {
			struct portal_group *group = &p->group[g];
			if (!is(group->state, "PENDING") || priority(group) != next || group_has_live(p, g))
				continue;
			if (group->ask.end_us <= now_us)
				portal_state_set(p, g, "WINDOW_EXPIRED", now_us);
			else if (group->retry_us <= now_us)
				group_schedule(p, g, now_us);
		}
		below = next;
	}
}

/* Somebody else's rapid response: what runs at that site is stopped, what was to run there is withdrawn, and scheduled anew. */
void portal_interrupt(struct sim_portal *p, const char *site, int64_t utc_us)
{
	for (size_t i = 0; i < p->observations; i++) {
		struct portal_observation *o = &p->observation[i];
		bool runs = is(o->state, "IN_PROGRESS");
		if (!is(p->site[p->telescope[o->telescope].site].code, site) || !(runs || is(o->state, "PENDING")))
			continue;
		observation_set(p, o, runs ? "ABORTED" : "CANCELED", utc_us);
		portal_fired(p, "rapid");
	}
}

/* The telescope begins what it had planned for later; false: nothing was planned. */
bool portal_begin_now(struct sim_portal *p, size_t group, int64_t utc_us)
{
	for (size_t i = 0; i < p->observations; i++) {
		struct portal_observation *o = &p->observation[i];
		if (o->group != group || !is(o->state, "PENDING"))
			continue;
		o->end_us -= o->start_us - utc_us;
		o->start_us = utc_us;
		observation_set(p, o, "IN_PROGRESS", utc_us);
		portal_fired(p, "late_cancel");
		return true;
	}
	return false;
}

static bool any_pending(const struct sim_portal *p)
{
	for (size_t g = 0; g < p->groups; g++) {
		if (is(p->group[g].state, "PENDING"))
			return true;
	}
	return false;
}

/* The earliest beginning or end of an observation; *index says which. */
static int64_t next_observation(const struct sim_portal *p, size_t *index)
{
	int64_t best_us = INT64_MAX;
	for (size_t i = 0; i < p->observations; i++) {
		const struct portal_observation *o = &p->observation[i];
		int64_t at_us = is(o->state, "PENDING") ? o->start_us : is(o->state, "IN_PROGRESS") ? o->end_us : INT64_MAX;
		if (at_us < best_us) {
			best_us = at_us;
			*index = i;
		}
	}
	return best_us;
}

void sim_portal_advance(struct sim_portal *p, int64_t now_us)
{
	if (p->cycle_next_us == UTC_NONE)
		p->cycle_next_us = now_us;
	for (;;) {
		size_t index = 0;
		int64_t observation_us = next_observation(p, &index);
		if (!any_pending(p) && p->cycle_next_us <= now_us) /* nothing to schedule: skip the empty cycles */
			p->cycle_next_us += ((now_us - p->cycle_next_us) / p->cycle_us + 1) * p->cycle_us;
		if (observation_us > now_us && p->cycle_next_us > now_us)
			break;
		if (observation_us <= p->cycle_next_us) {
			if (is(p->observation[index].state, "PENDING"))
				observation_begin(p, &p->observation[index]);
			else
				observation_finish(p, index);
		} else {
			cycle(p, p->cycle_next_us);
			p->cycle_next_us += p->cycle_us;
		}
	}
	if (now_us > p->now_us || p->now_us == UTC_NONE)
		p->now_us = now_us;
}

/* Greedy choice with exact marginal gains: after every visit taken, all that could feel it are valued anew.
 *
 * value of a visit now = share · ½^(epochs before it) · early ÷ (hours · airmass), per hour of telescope:
 *   early   1 / (1 + wait / 12 h), wait from the visit's earliest time to the first free slot of a telescope of that site;
 *   airmass at the slot: a stand-in for depth (seeing grows as X^0.6, extinction on top); with depths known it will be the chance to detect.
 * Of one facility the first rung of the ladder that is possible counts; between facilities the value decides. A later epoch of a target
 * is counted from the planned start of the one before it. Pinned targets go first. Ties: better rank, earlier epoch, ladder, site. */
#include "engine/request/plan_pick.h"
#include "engine/base/json.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EARLY_US (12 * UTC_HOUR)
#define REPEAT 0.5 /* what another visit to the same target is worth, of the one before */

void plan_why_keep(struct plan_why *kept, const struct plan_why *other)
{
	if (other->code > kept->code || (other->code == kept->code && other->detail_order > kept->detail_order))
		*kept = *other;
}

/* Programme, mode ------------------------------------------------------------------------------------------------------------- */

/* The mode: the rung's, or the next lower one that the facility has, that can start in time and that the programme can pay. */
static int mode_of(const struct plan_job *j, const struct plan_rung *r, int64_t opens_us)
{
	const struct plan_facility *f = &j->facility[r->facility];
	if (r->programme < 0 || j->programme[r->programme].spent)
		return -1;
	for (int m = r->mode; m >= 0; m--) {
		if (!f->mode[m] || j->programme[r->programme].left_h[m] * 3600.0 < r->duration_s)
			continue;
		if (m == PLAN_RAPID_RESPONSE && opens_us > j->now_us + (int64_t)(f->interrupt_h * 3600e6))
			continue;
		return m;
	}
	return -1;
}

static void programme_why(const struct plan_job *j, const struct plan_rung *r, struct plan_why *w)
{
	*w = (struct plan_why){.code = VERDICT_programme, .facility = j->facility[r->facility].name};
	if (r->programme < 0) {
		snprintf(w->detail, sizeof w->detail, "no programme \"%.60s\" at %.60s is configured", r->programme_name, w->facility);
	} else if (j->programme[r->programme].spent) {
		snprintf(w->detail, sizeof w->detail, "programme %.60s has no trigger left", r->programme_name);
	} else {
		const struct plan_programme *p = &j->programme[r->programme];
		snprintf(w->detail, sizeof w->detail, "programme %.60s has %.2f h left in %s and %.2f h in NORMAL, the visit takes %.2f h", p->name,
			p->left_h[r->mode], plan_mode_name((enum plan_mode)r->mode), p->left_h[PLAN_NORMAL], r->duration_s / 3600.0);
	}
}

/* Options ------------------------------------------------------------------------------------------------------------------- */

static int option_add(struct plan_pick *p, const struct plan_option *o, struct err *e)
{
	if (p->options == p->options_cap) {
		size_t cap = p->options_cap ? 2 * p->options_cap : 256;
		struct plan_option *more = realloc(p->option, cap * sizeof *more);
		if (more == NULL)
			return err_set(e, ERR_MEMORY, "no memory for %zu options", cap);
		p->option = more;
		p->options_cap = cap;
	}
	p->option[p->options++] = *o;
	return 0;
}

static const enum verdict verdict_of[] = {[VISIBLE] = VERDICT_candidate, [VISIBLE_NEVER_RISES] = VERDICT_never_rises,
	[VISIBLE_DAYLIGHT] = VERDICT_daylight, [VISIBLE_MOON] = VERDICT_moon, [VISIBLE_WINDOW_SHORT] = VERDICT_window_short,
	[VISIBLE_LATE] = VERDICT_late};

/* Which of several sites came closest, for the sentence: the highest, the one with the longest stretch. */
static double closeness(const struct visibility_report *r)
{
	return r->reason == VISIBLE_NEVER_RISES ? r->alt_max_deg + 100.0
		: r->reason == VISIBLE_WINDOW_SHORT ? (double)r->longest_s
		: r->reason == VISIBLE_MOON && !isnan(r->moon_min_deg) ? r->moon_min_deg : 1.0;
}

static void site_why(const struct plan_facility *f, size_t site, const struct visibility_report *r, const struct visibility_limits *l,
	struct plan_why *w)
{
	char sentence[200];
	*w = (struct plan_why){.code = verdict_of[r->reason], .facility = f->name, .detail_order = closeness(r)};
	visibility_sentence(r, l, sentence, sizeof sentence);
	snprintf(w->detail, sizeof w->detail, "%s: %s", f->site[site].code, sentence);
}

/* What stands against a facility itself, once the target is visible there. */
static bool facility_why(const struct plan_job *j, const struct plan_rung *r, const struct plan_target *t, struct plan_why *w)
{
	const struct plan_facility *f = &j->facility[r->facility];
	*w = (struct plan_why){.facility = f->name};
	if (f->closed) {
		w->code = VERDICT_closed;
		snprintf(w->detail, sizeof w->detail, "%s is closed", f->name);
	} else if (r->instrument == NULL) {
		w->code = VERDICT_no_instrument;
		snprintf(w->detail, sizeof w->detail, "%s has no camera with filter %s%s", f->name, r->filter[0], r->filters > 1 ? " and the others" : "");
	} else if (t->cut) {
		w->code = VERDICT_below_cut;
		w->facility = NULL;
		snprintf(w->detail, sizeof w->detail, "rank %zu: better ones hold a share of %.3f; the policy stops at %s", t->rank + 1, t->before, j->cut_words);
	} else {
		return false;
	}
	return true;
}

static bool site_usable(const struct plan_facility *f, const struct plan_rung *r, size_t site)
{
	const json_t *classes = json_object_get(json_array_get(json_object_get(f->descriptor, "sites"), site), "classes"), *v;
	const char *class = json_string_value(json_object_get(r->instrument, "telescope_class"));
	size_t k;
	if (f->site[site].telescopes < 1)
		return false;
	if (!json_is_array(classes) || class == NULL)
		return true;
	json_array_foreach(classes, k, v)
		if (json_is_string(v) && strcmp(json_string_value(v), class) == 0)
			return true;
	return false;
}

static bool same_limits(const struct plan_rung *a, const struct plan_rung *b)
{
	return a->facility == b->facility && a->instrument == b->instrument && a->limits.airmass_max == b->limits.airmass_max && a->limits.moon_min_deg == b->limits.moon_min_deg
		&& a->limits.sun_max_deg == b->limits.sun_max_deg && a->limits.visit_s == b->limits.visit_s;
}

/* All windows of one rung for one visit. */
static int rung_options(struct plan_pick *p, struct plan_visit *v, size_t rung, struct err *e)
{
	const struct plan_job *j = p->job;
	const struct plan_rung *r = &j->rung[v->epoch][rung];
	const struct plan_target *t = &j->target[v->target];
	const struct plan_facility *f = &j->facility[r->facility];
	for (size_t s = 0; s < f->sites; s++) {
		struct visibility_report seen;
		struct plan_why w;
		if (!site_usable(f, r, s))
			continue;
		const struct visibility_ask ask = {s, &v->eye, &r->limits, j->epoch[v->epoch].start_us, j->epoch[v->epoch].end_us};
		visibility_find(f->night, &ask, &seen);
		if (seen.reason != VISIBLE) {
			site_why(f, s, &seen, &r->limits, &w);
			plan_why_keep(&v->why, &w);
			continue;
		}
		if (facility_why(j, r, t, &w)) {
			plan_why_keep(&v->why, &w);
			continue;
		}
		for (size_t k = 0; k < seen.count; k++) {
			struct plan_option o = {(uint8_t)rung, (uint8_t)s, (uint8_t)r->facility, seen.windows[k]};
			if (option_add(p, &o, e) < 0)
				return -1;
		}
	}
	return 0;
}

/* The rung before r that looks through the same windows, or -1. */
static int rung_twin(const struct plan_job *j, const struct plan_visit *v, size_t r)
{
	for (size_t b = 0; b < r; b++)
		if (same_limits(&j->rung[v->epoch][b], &j->rung[v->epoch][r]))
			return (int)b;
	return -1;
}

/* The windows of a rung's twin, once more. */
static int twin_options(struct plan_pick *p, struct plan_visit *v, int twin, size_t rung, struct err *e)
{
	size_t end = p->options;
	for (size_t i = v->first; i < end; i++) {
		struct plan_option o = p->option[i];
		if (o.rung != twin)
			continue;
		o.rung = (uint8_t)rung;
		if (option_add(p, &o, e) < 0)
			return -1;
	}
	return 0;
}

static int visit_options(struct plan_pick *p, struct plan_visit *v, struct err *e)
{
	const struct plan_job *j = p->job;
	v->first = p->options;
	if (j->facilities > 0) /* all nights span the same interval and share their frame */
		ephemeris_target_set(visibility_night_frame(j->facility[0].night), j->target[v->target].ra_deg, j->target[v->target].dec_deg, &v->eye);
	for (size_t f = 0; f < j->facilities; f++) {
		if (plan_refused(j, j->target[v->target].key, j->epoch[v->epoch].epoch, j->facility[f].name)) {
			struct plan_why w = {.code = VERDICT_declined, .facility = j->facility[f].name};
			snprintf(w.detail, sizeof w.detail, "%.60s refused it, down to the end of the policy's ladder", w.facility);
			plan_why_keep(&v->why, &w);
			continue;
		}
		for (size_t r = 0; r < j->rungs; r++) {
			if (j->rung[v->epoch][r].facility != (int)f)
				continue;
			int twin = rung_twin(j, v, r);
			if ((twin >= 0 ? twin_options(p, v, twin, r, e) : rung_options(p, v, r, e)) < 0)
				return -1;
		}
	}
	v->count = p->options - v->first;
	if (v->count == 0)
		v->state = PLAN_OUT;
	return 0;
}

/* A visit that no configured facility could make at all. */
static void visit_nobody(const struct plan_job *j, struct plan_visit *v)
{
	const char *name = j->rungs > 0 && j->epochs > 0 ? j->rung[0][0].facility_name : "";
	v->why = (struct plan_why){.code = VERDICT_no_instrument};
	if (j->rungs == 0 || j->epochs == 0)
		snprintf(v->why.detail, sizeof v->why.detail, "the policy asks for no observation within the plan's horizon");
	else
		snprintf(v->why.detail, sizeof v->why.detail, "facility \"%.60s\" of the policy's ladder is not among those in use, or has no telescope for it",
			name);
}

int plan_pick_new(struct plan_job *j, struct plan_pick *out, struct err *e)
{
	size_t epochs = j->epochs ? j->epochs : 1;
	*out = (struct plan_pick){.job = j, .visit = calloc(j->targets * epochs + 1, sizeof *out->visit)};
	if (out->visit == NULL)
		return err_set(e, ERR_MEMORY, "no memory for the visits of %zu targets", j->targets);
	for (size_t t = 0; t < j->targets; t++)
		for (size_t k = 0; k < epochs; k++) {
			struct plan_visit *v = &out->visit[out->visits++];
			const char *state = NULL;
			*v = (struct plan_visit){.target = t, .epoch = k, .state = PLAN_OPEN, .stale = true};
			v->earliest_us = j->epochs ? j->epoch[k].start_us : j->now_us;
			if (j->epochs && plan_exists(j, j->target[t].key, j->epoch[k].epoch, &state)) {
				v->state = PLAN_EXISTS;
				v->why.code = VERDICT_exists;
				snprintf(v->why.detail, sizeof v->why.detail, "epoch %d is %.40s", j->epoch[k].epoch, state);
				continue;
			}
			v->why.code = VERDICT_never_rises;
			if (j->target[t].cut && k > 0)
				v->state = PLAN_OUT;
			else if (j->epochs && visit_options(out, v, e) < 0)
				return -1;
			if (v->why.detail[0] == '\0' && v->count == 0 && !(j->target[t].cut && k > 0))
				visit_nobody(j, v);
		}
	return 0;
}

void plan_pick_free(struct plan_pick *p)
{
	free(p->visit);
	free(p->option);
	p->visit = NULL;
	p->option = NULL;
}

/* Telescopes ------------------------------------------------------------------------------------------------------------------ */

/* The first time in [from, to] at which a telescope of the site is free for `need`; UTC_NONE if none is. */
static int64_t slot_find(const struct plan_pick *p, const struct plan_option *o, int64_t from, int64_t need, int *lane)
{
	int64_t best = UTC_NONE;
	int lanes = p->job->facility[o->facility].site[o->site].telescopes;
	for (int n = 0; n < lanes; n++) {
		int64_t t = from;
		for (size_t b = 0; b < p->bookings; b++) {
			const struct plan_booking *k = &p->booking[b];
			if (k->facility != o->facility || k->site != o->site || k->lane != n || k->end_us <= t)
				continue;
			if (k->start_us >= t + need)
				break;
			t = k->end_us;
		}
		if (t + need <= o->window.end_us && (best == UTC_NONE || t < best)) {
			best = t;
			*lane = n;
		}
	}
	return best;
}

static void slot_book(struct plan_pick *p, const struct plan_choice *c, double duration_s)
{
	size_t b = p->bookings++;
	for (; b > 0 && p->booking[b - 1].start_us > c->slot_us; b--)
		p->booking[b] = p->booking[b - 1];
	p->booking[b] = (struct plan_booking){c->option->facility, c->option->site, c->lane, c->slot_us, c->slot_us + (int64_t)(duration_s * 1e6)};
}

/* Telescopes that are taken by what was asked for before, of this event or another. */
static void booked_read(struct plan_pick *p)
{
	const json_t *x;
	size_t i;
	json_array_foreach(p->job->booked, i, x)
		for (size_t f = 0; f < p->job->facilities; f++)
			for (size_t s = 0; s < p->job->facility[f].sites; s++) {
				const struct plan_facility *at = &p->job->facility[f];
				double seconds = json_number(x, "duration_s", 0);
				struct plan_option o = {.facility = (uint8_t)f, .site = (uint8_t)s, .window.end_us = INT64_MAX};
				struct plan_choice c = {.option = &o};
				if (p->bookings >= LIMIT_PLAN_REQUESTS / 2 || strcmp(at->name, json_text(x, "facility", "")) != 0 ||
				    strcmp(at->site[s].code, json_text(x, "site", "")) != 0 || !(seconds > 0 && seconds < 1e6))
					continue;
				c.slot_us = slot_find(p, &o, json_int(x, "slot_us", p->job->now_us), (int64_t)(seconds * 1e6), &c.lane);
				if (c.slot_us != UTC_NONE)
					slot_book(p, &c, seconds);
			}
}

/* Value ----------------------------------------------------------------------------------------------------------------------- */

/* One option now. false, with a reason, when it has become impossible. */
static bool option_value(const struct plan_pick *p, const struct plan_visit *v, const struct plan_option *o, struct plan_choice *out,
	struct plan_why *w)
{
	const struct plan_job *j = p->job;
	const struct plan_rung *r = &j->rung[v->epoch][o->rung];
	const struct plan_facility *f = &j->facility[o->facility];
	int64_t need = (int64_t)(r->duration_s * 1e6), from = o->window.start_us > v->earliest_us ? o->window.start_us : v->earliest_us;
	double left_h = fmin(j->event_left_h, j->night_left_h);
	*w = (struct plan_why){.code = VERDICT_budget, .facility = f->name};
	if (r->duration_s > left_h * 3600.0) {
		snprintf(w->detail, sizeof w->detail, "the visit takes %.2f h, the %s budget has %.2f h left", r->duration_s / 3600.0,
			j->event_left_h <= j->night_left_h ? "event's" : "night's", fmax(left_h, 0.0));
		return false;
	}
	if (from + need > o->window.end_us) {
		w->code = VERDICT_late;
		snprintf(w->detail, sizeof w->detail, "%s: not up long enough after the visit before it", f->site[o->site].code);
		return false;
	}
	*out = (struct plan_choice){.option = o, .mode = mode_of(j, r, from)};
	if (out->mode < 0) {
		programme_why(j, r, w);
		return false;
	}
	out->slot_us = slot_find(p, o, from, need, &out->lane);
	if (out->slot_us == UTC_NONE) {
		snprintf(w->detail, sizeof w->detail, "better targets take the %d telescopes of %s for as long as it is up", f->site[o->site].telescopes,
			f->site[o->site].code);
		return false;
	}
	struct ephemeris_local l;
	visibility_night_local(f->night, o->site, out->slot_us + need / 2, &l);
	out->airmass = fmin(ephemeris_airmass(ephemeris_sin_alt(&l, &v->eye)), r->limits.airmass_max);
	double early = 1.0 / (1.0 + (double)(out->slot_us - j->epoch[v->epoch].start_us) / (double)EARLY_US), worth = j->target[v->target].share;
	for (size_t k = 0; k < v->epoch; k++)
		worth *= REPEAT;
	out->value = worth * early / (r->duration_s / 3600.0 * out->airmass);
	return true;
}

/* The best option now: of each facility (but `except`) the first rung that is possible. */
static bool visit_best(const struct plan_pick *p, struct plan_visit *v, int except, struct plan_choice *out)
{
	bool found = false;
	int facility = -1, rung = -1;
	struct plan_why kept = {.code = VERDICT_never_rises};
	for (size_t i = v->first; i < v->first + v->count; i++) {
		const struct plan_option *o = &p->option[i];
		struct plan_choice c;
		struct plan_why w;
		if (o->facility == except || (o->facility == facility && o->rung != rung))
			continue;
		if (!option_value(p, v, o, &c, &w)) {
			plan_why_keep(&kept, &w);
			continue;
		}
		facility = o->facility;
		rung = o->rung;
		if (!found || c.value > out->value)
			*out = c;
		found = true;
	}
	if (!found && except < 0)
		v->why = kept;
	return found;
}

/* Choosing -------------------------------------------------------------------------------------------------------------------- */

/* true when the visit before it in the same target decides first. */
static bool visit_waits(const struct plan_visit *v)
{
	return v->epoch > 0 && (v - 1)->state == PLAN_OPEN;
}

static bool better(const struct plan_job *j, const struct plan_visit *a, const struct plan_visit *b)
{
	bool pa = j->target[a->target].pinned, pb = j->target[b->target].pinned;
	if (pa != pb)
		return pa;
	return a->best.value > b->best.value; /* ties stay with the better rank and the earlier epoch: the order of the visits */
}

static struct plan_visit *visit_next(struct plan_pick *p)
{
	struct plan_visit *best = NULL;
	for (size_t i = 0; i < p->visits; i++) {
		struct plan_visit *v = &p->visit[i];
		if (v->state != PLAN_OPEN || visit_waits(v))
			continue;
		if (v->stale && !visit_best(p, v, -1, &v->best)) {
			v->state = PLAN_OUT;
			continue;
		}
		v->stale = false;
		if (best == NULL || better(p->job, v, best))
			best = v;
	}
	return best;
}

static void visit_take(struct plan_pick *p, struct plan_visit *v)
{
	struct plan_job *j = p->job;
	const struct plan_rung *r = &j->rung[v->epoch][v->best.option->rung];
	double hours = r->duration_s / 3600.0;
	slot_book(p, &v->best, r->duration_s);
	j->event_left_h -= hours;
	j->night_left_h -= hours;
	j->programme[r->programme].left_h[v->best.mode] -= hours;
	v->state = PLAN_CHOSEN;
	p->order[p->chosen++] = (size_t)(v - p->visit);
	if (v->epoch + 1 < j->epochs) { /* the next epoch is counted from here */
		int64_t after = (int64_t)((j->epoch[v->epoch + 1].after_h - j->epoch[v->epoch].after_h) * 3600e6);
		if (v->best.slot_us + after > v[1].earliest_us)
			v[1].earliest_us = v->best.slot_us + after;
	}
	for (size_t i = 0; i < p->visits; i++) /* budgets, programmes and telescopes have changed for everybody */
		p->visit[i].stale = true;
}

void plan_pick_run(struct plan_pick *p)
{
	struct plan_visit *v;
	booked_read(p);
	while (p->chosen < LIMIT_PLAN_REQUESTS / 2 && (v = visit_next(p)) != NULL)
		visit_take(p, v);
	for (size_t i = 0; i < p->chosen; i++) {
		v = &p->visit[p->order[i]];
		if (!visit_best(p, v, v->best.option->facility, &v->reserve))
			v->reserve.option = NULL;
	}
	for (size_t i = 0; i < p->visits; i++)
		if (p->visit[i].state == PLAN_OPEN) {
			p->visit[i].why = (struct plan_why){.code = VERDICT_budget};
			snprintf(p->visit[i].why.detail, sizeof p->visit[i].why.detail, "the plan is full: %zu visits go to better targets", p->chosen);
		}
}

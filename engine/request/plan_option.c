/* The options of a visit: every window of every rung of the ladder at every site, or the reason that comes closest. */
#include "engine/request/plan_pick.h"
#include "engine/base/json.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void plan_why_keep(struct plan_why *kept, const struct plan_why *other)
{
	if (other->code > kept->code || (other->code == kept->code && other->detail_order > kept->detail_order))
		*kept = *other;
}

/* Programme, mode ------------------------------------------------------------------------------------------------------------- */

/* The mode: the rung's, or the next lower one that the facility has, that can start in time and that the programme can pay. */
int plan_mode_of(const struct plan_job *j, const struct plan_rung *r, double charge_s, int64_t opens_us)
{
	const struct plan_facility *f = &j->facility[r->facility];
	if (r->programme < 0 || j->programme[r->programme].declined != NULL)
		return -1;
	for (int m = r->mode; m >= 0; m--) {
		if (j->programme[r->programme].spent && j->programme[r->programme].triggers[m])
			continue;
		if (!f->mode[m] || j->programme[r->programme].left_h[m] * 3600.0 < charge_s)
			continue;
		if (m == PLAN_RAPID_RESPONSE && opens_us > j->now_us + (int64_t)(f->interrupt_h * 3600e6))
			continue;
		return m;
	}
	return -1;
}

void plan_programme_why(const struct plan_job *j, const struct plan_rung *r, double charge_s, struct plan_why *w)
{
	*w = (struct plan_why){.code = VERDICT_programme, .facility = j->facility[r->facility].name};
	if (r->programme < 0) {
		snprintf(w->detail, sizeof w->detail, "no programme \"%.60s\" at %.60s is configured", r->programme_name, w->facility);
	} else if (j->programme[r->programme].declined != NULL) {
		snprintf(w->detail, sizeof w->detail, "programme %.60s: %.150s", r->programme_name, j->programme[r->programme].declined);
	} else if (j->programme[r->programme].spent) {
		snprintf(w->detail, sizeof w->detail, "programme %.60s has no trigger left%s%.100s", r->programme_name,
			j->programme[r->programme].kept ? " besides what is kept for events with " : "", j->programme[r->programme].kept ? j->programme[r->programme].kept : "");
	} else {
		const struct plan_programme *p = &j->programme[r->programme];
		snprintf(w->detail, sizeof w->detail, "programme %.60s has %.2f h left in %s and %.2f h in NORMAL%s%.100s, the visit costs %.2f h", p->name,
			p->left_h[r->mode], plan_mode_name((enum plan_mode)r->mode), p->left_h[PLAN_NORMAL], p->kept ? " besides what is kept for events with " : "",
			p->kept ? p->kept : "", charge_s / 3600.0);
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
	p->longest_s = fmax(p->longest_s, fmax(o->duration_s, o->charge_s));
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
	return a->facility == b->facility && a->programme == b->programme && a->instrument == b->instrument && a->limits.airmass_max == b->limits.airmass_max && a->limits.moon_min_deg == b->limits.moon_min_deg
		&& a->limits.sun_max_deg == b->limits.sun_max_deg && a->limits.visit_s == b->limits.visit_s;
}

/* The rules of the programme that pays: its semester, blocked nights, notice, longest visit. */
static bool programme_takes(struct plan_pick *p, struct plan_visit *v, const struct plan_rung *r, const struct plan_option *o)
{
	const struct plan_job *j = p->job;
	const struct plan_facility *f = &j->facility[r->facility];
	const struct programme_visit ask = {o->window.start_us, o->window.end_us, o->duration_s, f->site[o->site].place.lon_deg, j->now_us};
	struct plan_why w = {.code = VERDICT_programme, .facility = f->name, .detail_order = 1.0};
	char sentence[128];
	if (r->programme < 0 || programme_visit_fits(&j->programme[r->programme].rules, &ask, sentence, sizeof sentence))
		return true;
	snprintf(w.detail, sizeof w.detail, "programme %.60s: %s", r->programme_name, sentence);
	plan_why_keep(&v->why, &w);
	return false;
}

static double charge_of(const struct plan_job *j, const struct plan_rung *r, const struct plan_option *o)
{
	return r->programme < 0 ? o->duration_s :
		programme_charge_s(&j->programme[r->programme].rules, o->duration_s, o->exposure_s * r->count * (double)r->passes);
}

/* When a target is seen from a site. A site that is shut now (weather, downtime) is not asked for what would begin at once: later it may be open
 * again. false, with why: nothing is left. */
static bool site_sees(const struct plan_job *j, const struct plan_visit *v, const struct plan_rung *r, size_t site, struct visibility_report *seen, struct plan_why *w)
{
	const struct plan_facility *f = &j->facility[r->facility];
	struct visibility_ask ask = {site, &v->eye, &r->limits, j->epoch[v->epoch].start_us, j->epoch[v->epoch].end_us};
	int64_t again_us = j->now_us + (int64_t)(f->interrupt_h * 3600e6);
	bool shut = plan_listed(f->shut, f->site[site].code) && ask.start_us < again_us;
	if (shut && again_us < ask.end_us) {
		ask.start_us = again_us;
		visibility_find(f->night, &ask, seen);
		if (seen->reason == VISIBLE)
			return true;
		ask.start_us = j->epoch[v->epoch].start_us;
	}
	visibility_find(f->night, &ask, seen);
	if (seen->reason == VISIBLE && !shut)
		return true;
	site_why(f, site, seen, &r->limits, w);
	if (seen->reason == VISIBLE) {
		*w = (struct plan_why){.code = VERDICT_closed, .facility = f->name};
		snprintf(w->detail, sizeof w->detail, "%s: %s is shut now", f->name, f->site[site].code);
	}
	return false;
}

/* One window: its exposure, where that is computed, must fit into it. */
static int window_add(struct plan_pick *p, struct plan_visit *v, const struct plan_rung *r, struct plan_option o, struct err *e)
{
	const struct plan_facility *f = &p->job->facility[r->facility];
	o.exposure_s = plan_exposure_s(p->job, &p->job->target[v->target], r, &o.window);
	o.duration_s = isnan(r->exposure_s) ? plan_duration_s(r, o.exposure_s) : r->duration_s;
	if (o.window.start_us + (int64_t)(o.duration_s * 1e6) > o.window.end_us && isnan(r->exposure_s)) {
		struct plan_why w = {.code = VERDICT_window_short, .facility = f->name, .detail_order = (double)(o.window.end_us - o.window.start_us)};
		snprintf(w.detail, sizeof w.detail, "%s: visible for %.0f min, the depth takes %.0f min", f->site[o.site].code,
			(double)(o.window.end_us - o.window.start_us) / 60e6, o.duration_s / 60.0);
		plan_why_keep(&v->why, &w);
		return 0;
	}
	if (!programme_takes(p, v, r, &o))
		return 0;
	o.charge_s = charge_of(p->job, r, &o);
	plan_hope_add(p, v, &o);
	return option_add(p, &o, e);
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
		if (!site_sees(j, v, r, s, &seen, &w)) {
			plan_why_keep(&v->why, &w);
			continue;
		}
		if (facility_why(j, r, t, &w)) {
			plan_why_keep(&v->why, &w);
			continue;
		}
		for (size_t k = 0; k < seen.count; k++)
			if (window_add(p, v, r, (struct plan_option){.rung = (uint8_t)rung, .site = (uint8_t)s, .facility = (uint8_t)r->facility,
				.window = seen.windows[k]}, e) < 0)
				return -1;
	}
	return 0;
}

/* The same exposures: only who pays and how differs. */
static bool same_light(const struct plan_rung *a, const struct plan_rung *b)
{
	bool same = a->filters == b->filters && a->exposure_s == b->exposure_s && a->count == b->count;
	for (size_t n = 0; same && n < a->filters; n++)
		same = strcmp(a->filter[n], b->filter[n]) == 0;
	return same;
}

/* The rung before r that looks through the same windows, or -1. */
static int rung_twin(const struct plan_job *j, const struct plan_visit *v, size_t r)
{
	for (size_t b = 0; b < r; b++)
		if (!isnan(j->rung[v->epoch][r].exposure_s) && same_limits(&j->rung[v->epoch][b], &j->rung[v->epoch][r]))
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
		o.charge_s = charge_of(p->job, &p->job->rung[v->epoch][rung], &o);
		if (!same_light(&p->job->rung[v->epoch][twin], &p->job->rung[v->epoch][rung]))
			plan_hope_add(p, v, &o);
		if (option_add(p, &o, e) < 0)
			return -1;
	}
	return 0;
}

int plan_options_find(struct plan_pick *p, struct plan_visit *v, struct err *e)
{
	const struct plan_job *j = p->job;
	v->first = p->options;
	v->hope_airmass = v->hope_s = INFINITY;
	v->hope_early = 0.0;
	plan_sight_clear(&v->hope, j->epoch[v->epoch].start_us);
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

/* Lazy greedy choice with exact gains (Minoux 1978, Lecture Notes in Control and Information Sciences 7, 234, "accelerated greedy"): the visit of the highest value per hour is taken, then the next.
 *
 * The queue holds for every visit an upper bound of its value (plan_hope); what comes to its head is valued exactly, and taken when its value
 * is not below the head that follows. A value holds until its slot is taken by another or the purse it counts on is empty; then the bound
 * stands again. So the choice is that of valuing all visits anew after every one that is taken, with a part of the work.
 * Of one facility the first rung of the ladder that is possible counts; between facilities the value decides. A later epoch of a target
 * is counted from the planned start of the one before it, or from when that one took place. Pinned targets go first. Ties: better rank,
 * earlier epoch, ladder, site. A visit takes place at the first free slot of its window, or at a later one of a few where it would
 * be worth more (higher, darker). */
#include "engine/request/plan_pick.h"
#include "engine/base/json.h"
#include "engine/base/utc.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COVERED_WORTH 0.02 /* a visit that others' images leave less than this of what it would have given, is not made */

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

/* Dust, or what others have done: then there is nothing to look for. */
static bool visit_vain(const struct plan_pick *p, struct plan_visit *v)
{
	const struct plan_job *j = p->job;
	const struct plan_target *t = &j->target[v->target];
	const struct plan_past *past = &p->past[v->target];
	struct plan_past none = {.count = 0};
	plan_known_clear(&none.known);
	if (t->ebv_mag > DEPTH_REDDENED_MAG) {
		v->why = (struct plan_why){.code = VERDICT_reddened};
		snprintf(v->why.detail, sizeof v->why.detail, "E(B-V) is %.2f mag towards it: nothing is looked for behind more than %.1f", t->ebv_mag,
			DEPTH_REDDENED_MAG);
		return true;
	}
	if (past->covered == 0 || t->pinned || !isinf(v->hope_airmass) || !(plan_hope_light(p, v, &none) > 0.0) ||
	    plan_hope_light(p, v, past) > COVERED_WORTH * plan_hope_light(p, v, &none))
		return false;
	v->why = (struct plan_why){.code = VERDICT_covered};
	snprintf(v->why.detail, sizeof v->why.detail, "%zu images of others and of this programme are deep enough: P(identified) is %.2f already", past->count,
		plan_identified(&past->known, &j->prior));
	return true;
}

/* The epoch after one that exists is counted from when that took place, or is expected to. */
static void visit_follow(const struct plan_job *j, struct plan_visit *v, const json_t *before)
{
	int64_t at_us = plan_time_us(before, "time_us");
	int64_t after = (int64_t)((j->epoch[v->epoch].after_h - j->epoch[v->epoch - 1].after_h) * 3600e6);
	if (at_us != UTC_NONE && at_us + after > v->earliest_us)
		v->earliest_us = at_us + after;
}

static int visit_new(struct plan_pick *p, size_t target, size_t epoch, struct err *e)
{
	const struct plan_job *j = p->job;
	const struct plan_target *t = &j->target[target];
	struct plan_visit *v = &p->visit[p->visits++];
	const json_t *existing = j->epochs ? plan_existing(j, t->key, j->epoch[epoch].epoch) : NULL;
	*v = (struct plan_visit){.target = target, .epoch = epoch, .state = PLAN_OPEN, .why.code = VERDICT_never_rises};
	v->earliest_us = j->epochs ? j->epoch[epoch].start_us : j->now_us;
	if (existing != NULL) {
		v->state = PLAN_EXISTS;
		v->why.code = VERDICT_exists;
		snprintf(v->why.detail, sizeof v->why.detail, "epoch %d is %.40s", j->epoch[epoch].epoch, json_text(existing, "state", "live"));
		return 0;
	}
	if (epoch > 0 && (v - 1)->state == PLAN_EXISTS)
		visit_follow(j, v, plan_existing(j, t->key, j->epoch[epoch - 1].epoch));
	if (t->cut && epoch > 0) {
		v->state = PLAN_OUT;
		return 0;
	}
	if (j->epochs && plan_options_find(p, v, e) < 0)
		return -1;
	if (v->why.detail[0] == '\0' && v->count == 0)
		visit_nobody(j, v);
	if (v->count > 0 && visit_vain(p, v))
		v->state = PLAN_OUT;
	return 0;
}

int plan_pick_new(struct plan_job *j, struct plan_pick *out, struct err *e)
{
	size_t epochs = j->epochs ? j->epochs : 1, most = plan_past_most(j), visits = j->targets * epochs + 1;
	*out = (struct plan_pick){.job = j, .visit = calloc(visits, sizeof *out->visit), .past = calloc(j->targets + 1, sizeof *out->past),
		.sights = calloc(j->targets * most + 1, sizeof *out->sights), .queue = calloc(visits, sizeof *out->queue)};
	if (out->visit == NULL || out->past == NULL || out->sights == NULL || out->queue == NULL)
		return err_set(e, ERR_MEMORY, "no memory for the visits of %zu targets", j->targets);
	for (size_t t = 0; t < j->targets; t++) {
		out->past[t].sight = &out->sights[t * most];
		plan_past_read(out, t, &out->past[t]);
		for (size_t k = 0; k < epochs; k++)
			if (visit_new(out, t, k, e) < 0)
				return -1;
	}
	return 0;
}

void plan_pick_free(struct plan_pick *p)
{
	free(p->visit);
	free(p->option);
	free(p->past);
	free(p->sights);
	free(p->queue);
	*p = (struct plan_pick){.job = p->job};
}

/* Telescopes ------------------------------------------------------------------------------------------------------------------ */

/* The longest way of a telescope from one visit to the next, beyond what front_padding_s holds. */
static int64_t slew_most_us(const struct plan_facility *f)
{
	return (int64_t)(180 * f->slew_s_deg * 1e6);
}

static int64_t slew_us(const struct plan_facility *f, const double a[3], const double b[3])
{
	double along = a[0] * b[0] + a[1] * b[1] + a[2] * b[2], x = a[1] * b[2] - a[2] * b[1], y = a[2] * b[0] - a[0] * b[2], z = a[0] * b[1] - a[1] * b[0];
	if (!(f->slew_s_deg > 0)) /* and the angle is 0 where one is not known */
		return 0;
	return (int64_t)(atan2(sqrt(x * x + y * y + z * z), along) * 180 / M_PI * f->slew_s_deg * 1e6);
}

/* The first time from `from` on at which a telescope of the site is free for `need`, and has the time to come from the visit before and to go to
 * the one after; UTC_NONE if none is. at: where it will point. */
static int64_t slot_find(const struct plan_pick *p, const struct plan_option *o, const double at[3], int64_t from, int64_t need, int *lane)
{
	const struct plan_facility *f = &p->job->facility[o->facility];
	int64_t best = UTC_NONE, most = slew_most_us(f);
	int lanes = f->site[o->site].telescopes;
	for (int n = 0; n < lanes; n++) {
		int64_t t = from;
		for (size_t b = 0; b < p->bookings; b++) {
			const struct plan_booking *k = &p->booking[b];
			if (k->facility != o->facility || k->site != o->site || k->lane != n || k->end_us + most <= t)
				continue;
			if (k->start_us - most >= t + need)
				break;
			int64_t way = slew_us(f, k->at, at);
			if (k->end_us + way > t && k->start_us - way < t + need)
				t = k->end_us + way;
		}
		if (t + need <= o->window.end_us && (best == UTC_NONE || t < best)) {
			best = t;
			*lane = n;
		}
	}
	return best;
}

static void slot_book(struct plan_pick *p, const struct plan_choice *c, const double at[3], double duration_s)
{
	int64_t most = slew_most_us(&p->job->facility[c->option->facility]);
	size_t b = p->bookings++;
	for (; b > 0 && p->booking[b - 1].start_us > c->slot_us; b--)
		p->booking[b] = p->booking[b - 1];
	p->booking[b] = (struct plan_booking){c->option->facility, c->option->site, c->lane, c->slot_us, c->slot_us + (int64_t)(duration_s * 1e6),
		{at[0], at[1], at[2]}};
	for (size_t v = 0; v < p->visits; v++) { /* who counted on that hour looks again */
		if (p->visit[v].state != PLAN_OPEN)
			continue;
		for (size_t i = p->visit[v].first; i < p->visit[v].first + p->visit[v].count; i++) {
			struct plan_option *o = &p->option[i];
			if (!o->fresh || o->site != c->option->site || o->facility != c->option->facility)
				continue;
			if (!o->searched && (o->lane != c->lane || o->slot_us - most >= c->slot_us + (int64_t)(duration_s * 1e6) ||
			    o->slot_us + (int64_t)(o->duration_s * 1e6) + most <= c->slot_us))
				continue;
			o->fresh = p->visit[v].exact = false;
		}
	}
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
				struct plan_option o = {.fresh = false, .facility = (uint8_t)f, .site = (uint8_t)s, .window.end_us = INT64_MAX};
				struct plan_choice c = {.option = &o};
				if (p->bookings >= LIMIT_PLAN_REQUESTS / 2 || strcmp(at->name, json_text(x, "facility", "")) != 0 ||
				    strcmp(at->site[s].code, json_text(x, "site", "")) != 0 || !(seconds > 0 && seconds < 1e6))
					continue;
				double to[3];
				plan_vector(json_number(x, "ra_deg", NAN), json_number(x, "dec_deg", NAN), to);
				c.slot_us = slot_find(p, &o, to, json_int(x, "slot_us", p->job->now_us), (int64_t)(seconds * 1e6), &c.lane);
				if (c.slot_us != UTC_NONE)
					slot_book(p, &c, to, seconds);
			}
}

/* Value ----------------------------------------------------------------------------------------------------------------------- */

int plan_later_starts(const struct plan_pick *p, const struct plan_visit *v, const struct plan_option *o, const struct plan_past *past, double worth,
	int64_t slot_us, int64_t out[PLAN_LATER_STARTS])
{
	const struct plan_rung *r = &p->job->rung[v->epoch][o->rung];
	if (!r->sees || !(p->job->target[v->target].distance_mpc > 0.0))
		return 0;
	/* until the most that the visit could give, so much later, is less */
	double most = plan_hope(p, v, past) / fmax(v->hope_early, 1e-300), early = most > 0.0 ? worth / most : 1.0;
	int64_t last = o->window.end_us - (int64_t)(o->duration_s * 1e6), until = plan_early_until(p->job, v->epoch, early);
	last = until < last ? until : last;
	for (int i = 0; i < PLAN_LATER_STARTS && last > slot_us; i++)
		out[i] = slot_us + (last - slot_us) / PLAN_LATER_STARTS * (i + 1);
	return last > slot_us ? PLAN_LATER_STARTS : 0;
}

/* The slot of an option and what it is worth then: the first free one, or a better one after it where the light tells. past NULL: what the
 * target's visits know now, kept in the option. */
static void option_look(const struct plan_pick *p, const struct plan_visit *v, struct plan_option *o, const struct plan_past *past)
{
	int64_t from = o->window.start_us > v->earliest_us ? o->window.start_us : v->earliest_us, need = (int64_t)(o->duration_s * 1e6);
	int64_t later[PLAN_LATER_STARTS];
	const struct plan_past *known = past ? past : &p->past[v->target];
	const double *to = p->job->target[v->target].at;
	struct plan_look look;
	if (o->fresh && past == NULL)
		return;
	o->fresh = past == NULL;
	o->searched = false;
	o->slot_us = slot_find(p, o, to, from, need, &o->lane);
	if (o->slot_us == UTC_NONE)
		return;
	plan_look(p, v, o, o->slot_us, known, &look);
	o->airmass = look.airmass;
	o->worth = look.worth;
	int starts = plan_later_starts(p, v, o, known, look.worth, o->slot_us, later);
	o->searched = starts > 0;
	for (int i = 0; i < starts; i++) {
		int lane;
		int64_t slot = slot_find(p, o, to, later[i], need, &lane);
		if (slot == UTC_NONE)
			break; /* nor any after it */
		plan_look(p, v, o, slot, known, &look);
		if (look.worth > o->worth) {
			o->slot_us = slot;
			o->lane = lane;
			o->airmass = look.airmass;
			o->worth = look.worth;
		}
	}
}

/* One option now. false, with a reason, when it has become impossible. */
static bool option_value(const struct plan_pick *p, const struct plan_visit *v, struct plan_option *o, const struct plan_past *past,
	struct plan_choice *out, struct plan_why *w)
{
	const struct plan_job *j = p->job;
	const struct plan_rung *r = &j->rung[v->epoch][o->rung];
	const struct plan_facility *f = &j->facility[o->facility];
	int64_t need = (int64_t)(o->duration_s * 1e6), from = o->window.start_us > v->earliest_us ? o->window.start_us : v->earliest_us;
	double left_h = fmin(j->event_left_h, fmin(j->night_left_h, j->semester_left_h));
	*w = (struct plan_why){.code = VERDICT_budget, .facility = f->name};
	if (o->charge_s > left_h * 3600.0) {
		snprintf(w->detail, sizeof w->detail, "the visit costs %.2f h, the %s budget has %.2f h left", o->charge_s / 3600.0,
			left_h == j->event_left_h ? "event's" : left_h == j->night_left_h ? "night's" : "semester's", fmax(left_h, 0.0));
		return false;
	}
	if (from + need > o->window.end_us) {
		w->code = VERDICT_late;
		snprintf(w->detail, sizeof w->detail, "%s: not up long enough after the visit before it", f->site[o->site].code);
		return false;
	}
	*out = (struct plan_choice){.option = o, .mode = plan_mode_of(j, r, o->charge_s, from)};
	if (out->mode < 0) {
		plan_programme_why(j, r, o->charge_s, w);
		return false;
	}
	option_look(p, v, o, past);
	if (o->slot_us == UTC_NONE) {
		snprintf(w->detail, sizeof w->detail, "better targets take the %d telescopes of %s for as long as it is up", f->site[o->site].telescopes,
			f->site[o->site].code);
		return false;
	}
	out->slot_us = o->slot_us;
	out->lane = o->lane;
	out->airmass = o->airmass;
	out->worth = o->worth;
	out->value = o->worth / (o->duration_s / 3600.0);
	return true;
}

/* The best option now: of each facility (but `except`) the first rung that is possible. */
static bool visit_best(const struct plan_pick *p, struct plan_visit *v, int except, const struct plan_past *past, struct plan_choice *out)
{
	bool found = false;
	int facility = -1, rung = -1;
	struct plan_why kept = {.code = VERDICT_never_rises};
	for (size_t i = v->first; i < v->first + v->count; i++) {
		struct plan_option *o = &p->option[i];
		struct plan_choice c;
		struct plan_why w;
		if (o->facility == except || (o->facility == facility && o->rung != rung))
			continue;
		if (!option_value(p, v, o, past, &c, &w)) {
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

/* Queue ----------------------------------------------------------------------------------------------------------------------- */

/* true when a goes before b; ties go by rank and epoch: the order of the visits. */
static bool before(const struct plan_job *j, const struct plan_visit *a, const struct plan_visit *b)
{
	bool pa = j->target[a->target].pinned, pb = j->target[b->target].pinned;
	if (pa != pb)
		return pa;
	return a->key > b->key || (a->key == b->key && a < b);
}

static void queue_sink(struct plan_pick *p, size_t i)
{
	for (;;) {
		size_t first = i, k = 2 * i + 1;
		for (size_t c = k; c < k + 2 && c < p->queued; c++)
			if (before(p->job, p->queue[c], p->queue[first]))
				first = c;
		if (first == i)
			return;
		struct plan_visit *v = p->queue[i];
		p->queue[i] = p->queue[first];
		p->queue[first] = v;
		i = first;
	}
}

/* All open visits whose turn it is, with the bound of those that have no exact value. */
static void queue_fill(struct plan_pick *p)
{
	p->queued = 0;
	for (size_t i = 0; i < p->visits; i++) {
		struct plan_visit *v = &p->visit[i];
		if (v->state != PLAN_OPEN || (v->epoch > 0 && (v - 1)->state == PLAN_OPEN)) /* the visit before it decides first */
			continue;
		if (!v->exact)
			v->key = plan_hope(p, v, &p->past[v->target]) / (v->hope_s / 3600.0);
		p->queue[p->queued++] = v;
	}
	for (size_t i = p->queued / 2; i-- > 0;)
		queue_sink(p, i);
}

/* The next visit to take; false: none is possible. An epoch that is none opens the way for the next of its target. */
static struct plan_visit *visit_next(struct plan_pick *p)
{
	while (p->queued > 0) {
		struct plan_visit *v = p->queue[0];
		if (v->exact)
			return v;
		v->exact = visit_best(p, v, -1, NULL, &v->best);
		v->key = v->best.value;
		if (!v->exact) {
			v->state = PLAN_OUT;
			p->queue[0] = p->queue[--p->queued];
			size_t next = (size_t)(v - p->visit) + 1;
			if (v->epoch + 1 < p->job->epochs && p->visit[next].state == PLAN_OPEN) {
				queue_fill(p);
				continue;
			}
		}
		queue_sink(p, 0);
	}
	return NULL;
}

/* Choosing -------------------------------------------------------------------------------------------------------------------- */

/* After the purse became smaller: once a purse cannot pay every visit any more, no value that counted on it holds. */
static void purse_check(struct plan_pick *p, double purse_s)
{
	for (size_t i = 0; purse_s < p->longest_s && i < p->visits; i++)
		p->visit[i].exact = false;
}

static void visit_take(struct plan_pick *p, struct plan_visit *v)
{
	struct plan_job *j = p->job;
	const struct plan_option *o = v->best.option;
	double hours = o->charge_s / 3600.0;
	struct plan_look look;
	v->state = PLAN_CHOSEN;
	plan_look(p, v, o, v->best.slot_us, &p->past[v->target], &look);
	if (look.sees)
		plan_past_add(&p->past[v->target], &look.sight);
	slot_book(p, &v->best, j->target[v->target].at, o->duration_s);
	j->event_left_h -= hours;
	j->night_left_h -= hours;
	j->semester_left_h -= hours;
	double *left_h = &j->programme[j->rung[v->epoch][o->rung].programme].left_h[v->best.mode];
	*left_h -= hours;
	p->total_worth += v->best.worth;
	p->order[p->chosen++] = (size_t)(v - p->visit);
	if (v->epoch + 1 < j->epochs) { /* the next epoch is counted from here */
		int64_t after = (int64_t)((j->epoch[v->epoch + 1].after_h - j->epoch[v->epoch].after_h) * 3600e6);
		if (v->best.slot_us + after > v[1].earliest_us)
			v[1].earliest_us = v->best.slot_us + after;
	}
	purse_check(p, fmin(fmin(*left_h, j->semester_left_h), fmin(j->event_left_h, j->night_left_h)) * 3600.0);
}

/* The second facility's offer for a chosen visit: worth what it would be in place of the first. */
static void reserve_find(struct plan_pick *p, struct plan_visit *v)
{
	const struct plan_past *all = &p->past[v->target];
	struct plan_past past = {.sight = all->sight};
	size_t count = all->outside;
	for (const struct plan_visit *b = v - v->epoch; b < v; b++)
		count += b->state == PLAN_CHOSEN && count < all->count;
	plan_known_clear(&past.known);
	for (; past.count < count; past.count++)
		plan_known_add(&past.known, past.sight, past.count, &past.sight[past.count]);
	if (!visit_best(p, v, v->best.option->facility, &past, &v->reserve))
		v->reserve.option = NULL;
}

void plan_pick_run(struct plan_pick *p)
{
	struct plan_visit *v;
	booked_read(p);
	p->bound = plan_bound(p);
	while (p->chosen < LIMIT_PLAN_REQUESTS / 2) {
		queue_fill(p);
		if ((v = visit_next(p)) == NULL)
			break;
		visit_take(p, v);
	}
	for (size_t i = 0; i < p->chosen; i++)
		reserve_find(p, &p->visit[p->order[i]]);
	for (size_t i = 0; i < p->visits; i++)
		if (p->visit[i].state == PLAN_OPEN) {
			p->visit[i].why = (struct plan_why){.code = VERDICT_budget};
			snprintf(p->visit[i].why.detail, sizeof p->visit[i].why.detail, "the plan is full: %zu visits go to better targets", p->chosen);
		}
}

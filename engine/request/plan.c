/* The plan: job in, requests and verdicts out. Reading: plan_job.c; choosing: plan_pick.c; the ladder after a refusal: plan_variant.c. */
#include "engine/request/plan.h"
#include "engine/base/json.h"
#include "engine/base/utc.h"
#include "engine/request/plan_pick.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name, *text;
} verdicts[VERDICT_COUNT] = {
#define X(name, text) {#name, text},
	VERDICTS(X)
#undef X
};

const char *verdict_name(enum verdict v)
{
	return v < VERDICT_COUNT ? verdicts[v].name : "unknown";
}

const char *verdict_text(enum verdict v)
{
	return v < VERDICT_COUNT ? verdicts[v].text : "unknown";
}

static json_t *filters_json(const struct plan_rung *r)
{
	json_t *a = json_array();
	for (size_t i = 0; i < r->filters; i++)
		json_array_append_new(a, json_string(r->filter[i]));
	return a;
}

/* Where and when: the window that the facility gets, and what the plan expects of it. */
static void window_json(const struct plan_job *j, const struct plan_visit *v, const struct plan_choice *c, json_t *out)
{
	const struct plan_option *o = c->option;
	const struct plan_facility *f = &j->facility[o->facility];
	const struct visibility_window *w = &o->window;
	int64_t start = w->start_us > v->earliest_us ? w->start_us : v->earliest_us;
	if (c->mode == PLAN_RAPID_RESPONSE) /* an interrupting window may not begin in the future */
		start = j->now_us;
	int64_t end = start + (int64_t)(f->max_window_h * 3600e6), at;
	if (end > w->end_us)
		end = w->end_us;
	const struct visibility_ask ask = {.site = o->site, .target = &v->eye, .start_us = c->slot_us, .end_us = end};
	double airmass = visibility_best(f->night, &ask, &at);
	json_object_set_new(out, "site", json_string(f->site[o->site].code));
	json_object_set_new(out, "start_us", json_integer(start));
	json_object_set_new(out, "end_us", json_integer(end));
	json_object_set_new(out, "slot_us", json_integer(c->slot_us));
	json_object_set_new(out, "best_us", json_integer(at));
	json_object_set_new(out, "airmass_best", json_real(airmass));
	json_object_set_new(out, "airmass_slot", json_real(c->airmass));
	json_object_set_new(out, "moon_deg", json_real(w->moon_deg));
	json_object_set_new(out, "earliest_us", json_integer(v->earliest_us));
	json_object_set_new(out, "latest_us", json_integer(j->epoch[v->epoch].end_us));
	json_object_set_new(out, "max_window_h", json_real(f->max_window_h));
}

/* The image that a filter's exposures are compared with; null: none is known. */
static json_t *reference_json(const struct plan_target *t, int band)
{
	static const char *const bands[KILONOVA_BANDS] = {"g", "r", "i", "z", "J"};
	if (band < 0 || isnan(t->reference_mag[band]))
		return json_null();
	return json_pack("{s:s? s:s s:f}", "survey", t->survey[band], "band", bands[band], "depth_mag", t->reference_mag[band]);
}

/* How deep it will be, by filter, where the instrument's photometry tells: the next plan counts on it; and less what reference. */
static void light_json(const struct plan_pick *p, const struct plan_visit *v, const struct plan_choice *c, json_t *out)
{
	struct plan_look look;
	plan_look(p, v, c->option, c->slot_us, &p->past[v->target], &look);
	if (!look.sees)
		return;
	json_t *limits = json_array(), *references = json_array();
	const struct plan_rung *r = &p->job->rung[v->epoch][c->option->rung];
	for (size_t n = 0; n < r->filters; n++) {
		json_array_append_new(limits, json_real(round(look.limit_mag[n] * 100.0) / 100.0));
		json_array_append_new(references, reference_json(&p->job->target[v->target], r->camera[n].band));
	}
	json_object_set_new(out, "limit_mag", limits);
	json_object_set_new(out, "reference", references);
}

static json_t *request_json(const struct plan_pick *p, const struct plan_visit *v, const struct plan_choice *c, bool reserve)
{
	const struct plan_job *j = p->job;
	const struct plan_rung *r = &j->rung[v->epoch][c->option->rung];
	const struct plan_facility *f = &j->facility[c->option->facility];
	json_t *o = json_pack("{s:s, s:s, s:i, s:s, s:s, s:s}", "target", j->target[v->target].key, "name", j->target[v->target].name, "epoch",
		j->epoch[v->epoch].epoch, "facility", f->name, "programme", r->programme_name, "mode", plan_mode_name((enum plan_mode)c->mode));
	json_object_set_new(o, "instrument", json_string(json_text(r->instrument, "code", "")));
	json_object_set_new(o, "filters", filters_json(r));
	json_object_set_new(o, "exposure_s", json_real(c->option->exposure_s));
	json_object_set_new(o, "count", json_integer(r->count));
	json_object_set_new(o, "ipp", json_real(r->ipp));
	json_object_set_new(o, "max_airmass", json_real(r->limits.airmass_max));
	json_object_set_new(o, "min_moon_deg", json_real(r->limits.moon_min_deg));
	window_json(j, v, c, o);
	json_object_set_new(o, "duration_s", json_real(c->option->duration_s));
	json_object_set_new(o, "per_exposure_s", json_real(r->per_exposure_s));
	if (r->passes < r->filters)
		json_object_set_new(o, "simultaneous", json_true());
	json_object_set_new(o, "share", json_real(j->target[v->target].share));
	json_object_set_new(o, "value", json_real(c->value));
	light_json(p, v, c, o);
	json_object_set_new(o, "rung", json_integer(r->index));
	json_object_set_new(o, "reserve", json_boolean(reserve));
	return o;
}

static json_t *verdict_json(const struct plan_target *t, const struct plan_why *w)
{
	json_t *o = json_pack("{s:s, s:s, s:s}", "target", t->key, "code", verdict_name(w->code), "detail",
		w->detail[0] ? w->detail : verdict_text(w->code));
	json_object_set_new(o, "facility", w->facility ? json_string(w->facility) : json_null());
	return o;
}

/* The target's own verdict, from those of its epochs: what exists says most, then the reason that comes last in the order. */
static void verdicts_add(const struct plan_pick *p, json_t *out)
{
	size_t epochs = p->job->targets ? p->visits / p->job->targets : 0;
	for (size_t t = 0; t < p->job->targets; t++) {
		struct plan_why kept = {.code = VERDICT_never_rises, .detail_order = -1e9};
		bool planned = false;
		for (size_t k = 0; k < epochs; k++) {
			const struct plan_visit *v = &p->visit[t * epochs + k];
			planned |= v->state == PLAN_CHOSEN;
			if (k == 0 || v->why.detail[0] != '\0')
				plan_why_keep(&kept, &v->why);
		}
		if (!planned)
			json_array_append_new(out, verdict_json(&p->job->target[t], &kept));
	}
}

static json_t *result_json(const struct plan_pick *p)
{
	json_t *requests = json_array(), *list = json_array(), *out = json_object();
	for (size_t i = 0; i < p->chosen; i++) {
		const struct plan_visit *v = &p->visit[p->order[i]];
		json_array_append_new(requests, request_json(p, v, &v->best, false));
		if (v->reserve.option != NULL)
			json_array_append_new(requests, request_json(p, v, &v->reserve, true));
	}
	verdicts_add(p, list);
	json_object_set_new(out, "kind", json_string("plan"));
	json_object_set_new(out, "requests", requests);
	json_object_set_new(out, "verdicts", list);
	json_object_set_new(out, "worth", json_real(p->total_worth));
	json_object_set_new(out, "bound", json_real_or_null(p->bound));
	if (p->job->warning != NULL)
		json_object_set_new(out, "warning", json_string(p->job->warning));
	return out;
}

int plan_run(const json_t *job, json_t **result, struct err *e)
{
	struct plan_job *j = calloc(1, sizeof *j);
	struct plan_pick *p = calloc(1, sizeof *p);
	int rc = -1;
	*result = NULL;
	if (j == NULL || p == NULL) {
		err_set(e, ERR_MEMORY, "no memory for a plan");
	} else if (plan_job_read(job, j, e) == 0 && plan_pick_new(j, p, e) == 0) {
		plan_pick_run(p);
		*result = result_json(p);
		rc = 0;
	}
	if (p != NULL)
		plan_pick_free(p);
	if (j != NULL)
		plan_job_free(j);
	free(p);
	free(j);
	return rc == 0 ? 0 : err_wrap(e, "plan");
}

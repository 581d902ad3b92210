/* Reads and checks the job of a plan: see plan_job.h. */
#include "engine/request/plan_job.h"
#include "engine/base/json.h"
#include "engine/base/limits.h"
#include "engine/base/utc.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const mode_names[PLAN_MODES] = {"NORMAL", "TIME_CRITICAL", "RAPID_RESPONSE"};

const char *plan_mode_name(enum plan_mode m)
{
	return mode_names[m];
}

int plan_mode_find(const char *name)
{
	for (int m = 0; name != NULL && m < PLAN_MODES; m++)
		if (strcmp(name, mode_names[m]) == 0)
			return m;
	return -1;
}

void plan_vector(double ra_deg, double dec_deg, double out[3])
{
	double ra = ra_deg * M_PI / 180, dec = dec_deg * M_PI / 180;
	bool known = fabs(ra_deg) <= 360 && fabs(dec_deg) <= 90;
	out[0] = known ? cos(dec) * cos(ra) : 0;
	out[1] = known ? cos(dec) * sin(ra) : 0;
	out[2] = known ? sin(dec) : 0;
}

/* "references" of a target: {"g":{"survey","depth_mag"}}, or {"g":23.3}. */
static void references_read(const json_t *list, struct plan_target *t)
{
	const char *filter;
	json_t *one;
	for (int b = 0; b < KILONOVA_BANDS; b++)
		t->reference_mag[b] = NAN;
	json_object_foreach((json_t *)(uintptr_t)list, filter, one) {
		int band = kilonova_band_of(filter);
		const json_t *depth = json_is_object(one) ? json_object_get(one, "depth_mag") : one;
		if (band < 0 || !json_is_number(depth))
			continue;
		t->reference_mag[band] = json_number_value(depth);
		t->survey[band] = json_text(one, "survey", NULL);
	}
}

static int targets_read(const json_t *job, struct plan_job *out, struct err *e)
{
	const json_t *list = json_object_get(job, "targets"), *cut = json_object_get(out->policy, "targets");
	int64_t top = json_int(cut, "top", 60);
	double probability = json_number(cut, "probability", INFINITY), before = 0.0;
	if (isfinite(probability))
		snprintf(out->cut_words, sizeof out->cut_words, "%lld targets or a share of %.2f", (long long)top, probability);
	else
		snprintf(out->cut_words, sizeof out->cut_words, "%lld targets", (long long)top);
	out->targets = json_array_size(list);
	if (!json_is_array(list))
		return err_set(e, ERR_INPUT, "job.targets is no array");
	if (out->targets > LIMIT_RANKED)
		return err_set(e, ERR_LIMIT, "job.targets has %zu entries, %d are allowed", out->targets, LIMIT_RANKED);
	out->target = calloc(out->targets + 1, sizeof *out->target);
	if (out->target == NULL)
		return err_set(e, ERR_MEMORY, "no memory for %zu targets", out->targets);
	for (size_t i = 0; i < out->targets; i++) {
		const json_t *j = json_array_get(list, i);
		struct plan_target *t = &out->target[i];
		*t = (struct plan_target){json_text(j, "key", ""), json_text(j, "name", ""), json_number(j, "ra_deg", NAN),
			json_number(j, "dec_deg", NAN), json_number(j, "share", 0.0), before, json_flag(j, "pinned", false), false, i,
			json_number(j, "probability", json_number(j, "share", 0.0)), json_number(j, "distance_mpc", NAN), json_number(j, "ebv_mag", NAN), {0}, {0}, {0}};
		plan_vector(t->ra_deg, t->dec_deg, t->at);
		references_read(json_object_get(j, "references"), t);
		if (t->key[0] == '\0' || !(t->ra_deg >= 0.0 && t->ra_deg <= 360.0) || !(fabs(t->dec_deg) <= 90.0))
			return err_set(e, ERR_INPUT, "job.targets[%zu] needs key, ra_deg (0 to 360) and dec_deg (±90)", i);
		if (!(t->share >= 0.0))
			t->share = 0.0;
		t->host = fmin(fmax(t->host, 0.0), 1.0); /* fmax takes the 0 for NaN */
		t->cut = !t->pinned && ((int64_t)i >= top || before >= probability);
		before += t->share;
	}
	return 0;
}

static bool overheads_sane(const json_t *over)
{
	static const char *const keys[] = {"front_padding_s", "per_exposure_s", "filter_change_s"};
	for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++) {
		double s = json_number(over, keys[k], 0.0);
		if (!(s >= 0.0 && s <= 1e5))
			return false;
	}
	return true;
}

static int facility_read(const json_t *j, size_t i, struct plan_facility *f, struct err *e)
{
	const json_t *d = json_object_get(j, "descriptor"), *over = json_object_get(d, "overheads"), *modes = json_object_get(d, "modes"), *m;
	size_t k;
	*f = (struct plan_facility){.name = json_text(j, "name", json_text(d, "name", "")), .descriptor = d,
		.closed = strcmp(json_text(j, "state", "unknown"), "closed") == 0, .interrupt_h = json_number(d, "interrupt_within_h", 1.0),
		.max_window_h = json_number(d, "max_window_h", 24.0), .off = json_object_get(j, "off"), .shut = json_object_get(j, "shut"), .slew_s_deg = json_number(over, "slew_s_per_deg", 0.0)};
	if (f->name[0] == '\0' || !json_is_object(d))
		return err_set(e, ERR_INPUT, "job.facilities[%zu] needs a name and a descriptor", i);
	if (!(f->max_window_h > 0.0 && f->max_window_h <= 10000.0) || !(f->interrupt_h >= 0.0 && f->interrupt_h <= 10000.0))
		return err_set(e, ERR_INPUT, "descriptor of %s: max_window_h and interrupt_within_h must be hours from 0 to 10000", f->name);
	if (!overheads_sane(over) || !(f->slew_s_deg >= 0.0 && f->slew_s_deg <= 100.0))
		return err_set(e, ERR_INPUT, "descriptor of %s: overheads must be seconds from 0 to 100000, slew_s_per_deg to 100", f->name);
	json_array_foreach(json_object_get(d, "instruments"), k, m)
		if (!overheads_sane(json_object_get(m, "overheads")))
			return err_set(e, ERR_INPUT, "descriptor of %s: overheads of %.40s must be seconds from 0 to 100000", f->name, json_text(m, "code", "?"));
	for (k = 0; k < PLAN_MODES; k++)
		f->mode[k] = !json_is_array(modes);
	json_array_foreach(modes, k, m)
		if (plan_mode_find(json_string_value(m)) >= 0)
			f->mode[plan_mode_find(json_string_value(m))] = true;
	if (visibility_sites(d, f->site, VISIBILITY_SITES, &f->sites, e) < 0)
		return err_wrap(e, "descriptor of %s", f->name);
	return 0;
}

static int facilities_read(const json_t *job, struct plan_job *out, struct err *e)
{
	const json_t *list = json_object_get(job, "facilities"), *j;
	size_t i;
	if (json_array_size(list) > PLAN_FACILITIES)
		return err_set(e, ERR_LIMIT, "job.facilities has %zu entries, %d are allowed", json_array_size(list), PLAN_FACILITIES);
	json_array_foreach(list, i, j) {
		struct plan_facility *f = &out->facility[i];
		if (facility_read(j, i, f, e) < 0)
			return -1;
		out->facilities = i + 1;
		f->night = i == 0 ? visibility_night_new(f->site, f->sites, out->now_us, out->end_us, e) :
			visibility_night_beside(out->facility[0].night, f->site, f->sites, e);
		if (f->night == NULL)
			return err_wrap(e, "facility %s", f->name);
	}
	return 0;
}

static int programmes_read(const json_t *job, struct plan_job *out, struct err *e)
{
	const json_t *list = json_object_get(job, "programmes"), *j;
	bool begun = json_array_size(out->existing) > 0;
	size_t i;
	if (json_array_size(list) > PLAN_PROGRAMMES)
		return err_set(e, ERR_LIMIT, "job.programmes has %zu entries, %d are allowed", json_array_size(list), PLAN_PROGRAMMES);
	json_array_foreach(list, i, j) {
		const json_t *left = json_object_get(j, "left_h");
		struct plan_programme *p = &out->programme[i];
		p->name = json_text(j, "name", "");
		p->facility = json_text(j, "facility", "");
		if (p->name[0] == '\0' || p->facility[0] == '\0')
			return err_set(e, ERR_INPUT, "job.programmes[%zu] needs a name and a facility", i);
		for (int m = 0; m < PLAN_MODES; m++)
			p->left_h[m] = json_number(left, mode_names[m], 0.0);
		p->declined = json_text(j, "declined", NULL);
		p->kept = json_text(j, "kept", NULL);
		p->spent = !json_flag(j, "paid", begun) && json_int(j, "triggers_left", 1) <= 0;
		const json_t *rules = json_object_get(j, "rules");
		for (int m = 0; m < PLAN_MODES; m++)
			p->triggers[m] = json_object_get(rules, "trigger_modes") == NULL || programme_mode_triggers(rules, mode_names[m]);
		if (programme_rules_read(rules, &p->rules, e) < 0)
			return err_wrap(e, "job.programmes[%zu].rules", i);
		out->programmes = i + 1;
	}
	return 0;
}

/* Filters of a rung: the rung's own "filter" or "filters", else the epoch's. */
static size_t filters_read(const json_t *rung, const json_t *observe, const char *out[PLAN_FILTERS])
{
	const json_t *from[] = {json_object_get(rung, "filters"), json_object_get(rung, "filter"), json_object_get(observe, "filters"),
		json_object_get(observe, "filter")};
	size_t n = 0, k;
	const json_t *v;
	for (size_t i = 0; i < 4 && n == 0; i++) {
		if (json_is_string(from[i]))
			out[n++] = json_string_value(from[i]);
		json_array_foreach(from[i], k, v)
			if (json_is_string(v) && n < PLAN_FILTERS)
				out[n++] = json_string_value(v);
	}
	return n;
}

static double either(const json_t *a, const json_t *b, const char *key, double otherwise)
{
	return json_number(a, key, json_number(b, key, otherwise));
}

int plan_rung_read(const json_t *rung, const json_t *observe, int index, struct plan_rung *out, struct err *e)
{
	*out = (struct plan_rung){.index = index, .facility = -1, .programme = -1, .facility_name = json_text(rung, "facility", ""),
		.programme_name = json_text(rung, "programme", ""), .exposure_s = either(rung, observe, "exposure_s", NAN),
		.ipp = either(rung, observe, "ipp", 1.0), .count = (int)either(rung, observe, "count", 1.0),
		.depth_mag = json_number(observe, "depth", NAN), .detect = json_number(observe, "detect", NAN),
		.most_s = json_number(observe, "max_exposure_s", PLAN_EXPOSURE_MOST_S)};
	bool computed = isnan(out->exposure_s) && (out->depth_mag > 0.0 || (out->detect > 0.0 && out->detect < 1.0));
	const char *mode = json_text(rung, "mode", "RAPID_RESPONSE");
	out->mode = plan_mode_find(mode);
	out->filters = filters_read(rung, observe, out->filter);
	out->limits = (struct visibility_limits){either(rung, observe, "max_airmass", 2.0), either(rung, observe, "sun_max_deg", -12.0),
		either(rung, observe, "min_moon_deg", 20.0), 0.0};
	if (out->mode < 0)
		return err_set(e, ERR_INPUT, "policy.ladder[%d].mode \"%.30s\" is unknown; use NORMAL, TIME_CRITICAL or RAPID_RESPONSE", index, mode);
	if (!computed)
		out->depth_mag = out->detect = NAN;
	if (!computed && !(out->exposure_s > 0.0 && out->exposure_s <= 14400.0))
		return err_set(e, ERR_INPUT, "policy.ladder[%d] and its epoch give no exposure_s between 0 and 14400 s, and the epoch no depth to "
			"compute one for; write one of them", index);
	if (computed && !(out->most_s >= PLAN_EXPOSURE_LEAST_S && out->most_s <= 14400.0))
		return err_set(e, ERR_INPUT, "policy.observe[]: max_exposure_s must be %g to 14400", PLAN_EXPOSURE_LEAST_S);
	if (out->count < 1 || out->count > 1000 || out->filters == 0)
		return err_set(e, ERR_INPUT, "policy.ladder[%d] and its epoch need a filter and a count of 1 to 1000", index);
	if (!(out->limits.airmass_max >= 1.0 && out->limits.airmass_max <= 25.0))
		return err_set(e, ERR_INPUT, "policy.ladder[%d]: max_airmass must be 1 to 25", index);
	return 0;
}

bool plan_listed(const json_t *list, const char *text)
{
	const json_t *one;
	size_t i;
	json_array_foreach(list, i, one)
		if (json_is_string(one) && strcmp(json_string_value(one), text) == 0)
			return true;
	return false;
}

/* Does it have that filter, and offer it today? */
static bool instrument_has(const struct plan_facility *f, const json_t *instrument, const char *filter)
{
	char name[120];
	snprintf(name, sizeof name, "%.60s:%.50s", json_text(instrument, "code", ""), filter);
	return plan_listed(json_object_get(instrument, "filters"), filter) && !plan_listed(f->off, name);
}

/* The instrument that the rung names, else the first for images, that has every filter and can expose so long. */
static const json_t *instrument_find(const struct plan_facility *f, const struct plan_rung *r, const json_t *rung)
{
	const json_t *list = json_object_get(f->descriptor, "instruments"), *j;
	const char *wanted = json_text(rung, "instrument", NULL);
	size_t i;
	json_array_foreach(list, i, j) {
		size_t have = 0;
		if (wanted != NULL ? strcmp(wanted, json_text(j, "code", "")) != 0 : strcmp(json_text(j, "kind", "image"), "image") != 0)
			continue;
		if ((isnan(r->exposure_s) ? PLAN_EXPOSURE_LEAST_S : r->exposure_s) > json_number(j, "max_exposure_s", INFINITY))
			continue;
		if (plan_listed(f->off, json_text(j, "code", "")))
			continue;
		for (size_t n = 0; n < r->filters; n++)
			have += instrument_has(f, j, r->filter[n]);
		if (have == r->filters)
			return j;
	}
	return NULL;
}

int64_t plan_time_us(const json_t *object, const char *key)
{
	int64_t t = json_int(object, key, UTC_NONE);
	return t < -(int64_t)4e15 || t > (int64_t)1e16 ? UTC_NONE : t;
}

double plan_duration_s(const struct plan_rung *r, double exposure_s)
{
	return r->padding_s + (double)r->passes * (r->count * (exposure_s + r->per_exposure_s) + r->filter_change_s);
}

/* What a visit costs beside its exposures: the facility's figures, where the instrument has none of its own. */
static void rung_overheads(const json_t *descriptor, struct plan_rung *r)
{
	const json_t *all = json_object_get(descriptor, "overheads"), *own = json_object_get(r->instrument, "overheads");
	r->padding_s = json_number(own, "front_padding_s", json_number(all, "front_padding_s", 0.0));
	r->per_exposure_s = json_number(own, "per_exposure_s", json_number(all, "per_exposure_s", 0.0));
	r->filter_change_s = json_number(own, "filter_change_s", json_number(all, "filter_change_s", 0.0));
	r->passes = json_flag(r->instrument, "simultaneous", false) ? 1 : r->filters;
}

/* The first of the epoch's "filters_or" that an instrument there has; as it was when none has. */
static void filters_instead(const struct plan_facility *f, const json_t *entry, const json_t *observe, struct plan_rung *r)
{
	const json_t *list = json_object_get(observe, "filters_or"), *set, *v;
	size_t i, k;
	json_array_foreach(list, i, set) {
		struct plan_rung other = *r;
		other.filters = 0;
		json_array_foreach(set, k, v)
			if (json_is_string(v) && other.filters < PLAN_FILTERS)
				other.filter[other.filters++] = json_string_value(v);
		other.instrument = other.filters > 0 ? instrument_find(f, &other, entry) : NULL;
		if (other.instrument != NULL) {
			*r = other;
			return;
		}
	}
}

/* Ties a rung to its facility, programme and instrument; how long the visit takes. */
static void rung_tie(const struct plan_job *j, const json_t *entry, const json_t *observe, struct plan_rung *r)
{
	for (size_t p = 0; p < j->programmes; p++) {
		const struct plan_programme *q = &j->programme[p];
		bool named = r->programme_name[0] != '\0' ? strcmp(q->name, r->programme_name) == 0 : strcmp(q->facility, r->facility_name) == 0;
		if (named && (r->facility_name[0] == '\0' || strcmp(q->facility, r->facility_name) == 0)) {
			r->programme = (int)p;
			r->programme_name = q->name;
			r->facility_name = q->facility;
			break;
		}
	}
	for (size_t f = 0; f < j->facilities; f++)
		if (strcmp(j->facility[f].name, r->facility_name) == 0)
			r->facility = (int)f;
	if (r->facility < 0)
		return;
	const struct plan_facility *f = &j->facility[r->facility];
	r->instrument = instrument_find(f, r, entry);
	if (r->instrument == NULL && json_object_get(entry, "filter") == NULL)
		filters_instead(f, entry, observe, r);
	r->sees = r->instrument != NULL;
	for (size_t n = 0; n < r->filters; n++)
		r->sees = r->sees && depth_camera_of(r->instrument, r->filter[n], &r->camera[n]) && r->camera[n].band >= 0;
	r->most_s = fmin(r->most_s, json_number(r->instrument, "max_exposure_s", INFINITY));
	rung_overheads(f->descriptor, r);
	r->duration_s = plan_duration_s(r, isnan(r->exposure_s) ? PLAN_EXPOSURE_LEAST_S : r->exposure_s);
	r->limits.visit_s = r->duration_s;
}

static int ladder_read(const json_t *job, struct plan_job *out, struct err *e)
{
	const json_t *observe = json_object_get(out->policy, "observe"), *ladder = json_object_get(out->policy, "ladder"), *o, *r;
	size_t i, k;
	out->rungs = json_array_size(ladder);
	if (json_array_size(observe) > PLAN_EPOCHS || out->rungs > PLAN_RUNGS)
		return err_set(e, ERR_LIMIT, "the policy has %zu epochs and %zu rungs, %d and %d are allowed", json_array_size(observe),
			out->rungs, PLAN_EPOCHS, PLAN_RUNGS);
	int64_t since = json_int(job, "event_us", out->now_us);
	json_array_foreach(observe, i, o) {
		double after_h = json_number(o, "after_h", 0.0);
		struct plan_epoch *p = &out->epoch[out->epochs];
		*p = (struct plan_epoch){(int)json_int(o, "epoch", (int64_t)i + 1), 0, out->end_us, after_h, o};
		if (!(after_h >= 0.0 && after_h < 1e5))
			return err_set(e, ERR_INPUT, "policy.observe[%zu]: after_h must be 0 to 100000", i);
		p->start_us = since + (int64_t)(after_h * 3600e6);
		if (p->start_us < out->now_us)
			p->start_us = out->now_us;
		if (p->start_us >= out->end_us) /* beyond the horizon: a later plan's business */
			continue;
		json_array_foreach(ladder, k, r) {
			if (plan_rung_read(r, o, (int)k, &out->rung[out->epochs][k], e) < 0)
				return err_wrap(e, "policy.observe[%zu]", i);
			rung_tie(out, r, o, &out->rung[out->epochs][k]);
		}
		out->epochs++;
	}
	return 0;
}

int plan_job_read(const json_t *job, struct plan_job *out, struct err *e)
{
	*out = (struct plan_job){.policy = json_object_get(job, "policy"), .existing = json_object_get(job, "existing"),
		.refused = json_object_get(job, "refused"), .booked = json_object_get(job, "booked"), .covered = json_object_get(job, "covered"),
		.warning = json_text(job, "warning", NULL),
		.now_us = json_int(job, "now_us", UTC_NONE), .event_left_h = json_number(job, "event_left_h", INFINITY),
		.night_left_h = json_number(job, "night_left_h", INFINITY), .semester_left_h = json_number(job, "semester_left_h", INFINITY)};
	double horizon_h = json_number(job, "horizon_h", 24.0);
	if (!json_is_object(out->policy) || out->now_us < -(int64_t)4e15 || out->now_us > (int64_t)1e16)
		return err_set(e, ERR_INPUT, "job needs policy (an object) and now_us (microseconds since 1970)");
	if (json_int(job, "event_us", 0) < -(int64_t)4e15 || json_int(job, "event_us", 0) > (int64_t)1e16)
		return err_set(e, ERR_INPUT, "job.event_us is no time (microseconds since 1970)");
	if (!(horizon_h > 0.0 && horizon_h <= VISIBILITY_SPAN_H))
		return err_set(e, ERR_INPUT, "job.horizon_h must be above 0 and at most %d", VISIBILITY_SPAN_H);
	const json_t *source = json_object_get(job, "source");
	out->end_us = out->now_us + (int64_t)(horizon_h * 3600e6);
	out->merger_us = json_int(job, "event_us", out->now_us);
	kilonova_prior_of(json_number(source, "p_bns", NAN), json_number(source, "p_nsbh", NAN), json_number(source, "has_remnant", NAN), &out->prior);
	if (targets_read(job, out, e) < 0 || facilities_read(job, out, e) < 0 || programmes_read(job, out, e) < 0)
		return -1;
	return ladder_read(job, out, e);
}

void plan_job_free(struct plan_job *j)
{
	for (size_t i = 0; i < PLAN_FACILITIES; i++)
		visibility_night_free(j->facility[i].night);
	free(j->target);
	j->target = NULL;
}

const json_t *plan_existing(const struct plan_job *j, const char *key, int epoch)
{
	const json_t *x;
	size_t i;
	json_array_foreach(j->existing, i, x)
		if (json_int(x, "epoch", 0) == epoch && strcmp(json_text(x, "target", ""), key) == 0)
			return x;
	return NULL;
}

bool plan_refused(const struct plan_job *j, const char *key, int epoch, const char *facility)
{
	const json_t *x;
	size_t i;
	json_array_foreach(j->refused, i, x)
		if (json_int(x, "epoch", 0) == epoch && strcmp(json_text(x, "target", ""), key) == 0 && strcmp(json_text(x, "facility", ""), facility) == 0)
			return true;
	return false;
}

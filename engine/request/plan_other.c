/* Another instrument, other filters, the next rung: see plan_other.h. */
#include "engine/request/plan_other.h"
#include "engine/base/json.h"
#include "engine/request/plan_job.h"
#include <math.h>
#include <string.h>

const json_t *plan_observe_of(const json_t *policy, int64_t epoch)
{
	const json_t *list = json_object_get(policy, "observe"), *o;
	size_t i;
	json_array_foreach(list, i, o)
		if (json_int(o, "epoch", (int64_t)i + 1) == epoch)
			return o;
	return NULL;
}

void plan_window_widen(json_t *r)
{
	int64_t start = json_int(r, "earliest_us", json_int(r, "start_us", 0)), end = json_int(r, "latest_us", json_int(r, "end_us", 0));
	int64_t most = start + (int64_t)(fmax(0.0, fmin(json_number(r, "max_window_h", 24.0), 10000.0)) * 3600e6);
	json_object_set_new(r, "start_us", json_integer(start));
	json_object_set_new(r, "end_us", json_integer(end < most ? end : most));
}

static bool names(const json_t *list, const char *word)
{
	const json_t *v;
	size_t i;
	json_array_foreach(list, i, v)
		if (json_is_string(v) && strcmp(json_string_value(v), word) == 0)
			return true;
	return false;
}

/* "A rp+ip": an instrument with a set of filters. */
static const char *pair_of(char out[256], const char *instrument, const json_t *filters)
{
	const json_t *v;
	size_t i, n = (size_t)snprintf(out, 256, "%.60s ", instrument);
	json_array_foreach(filters, i, v)
		if (n < 230)
			n += (size_t)snprintf(out + n, 256 - n, "%s%.20s", i > 0 ? "+" : "", json_is_string(v) ? json_string_value(v) : "?");
	return out;
}

static bool pair_refused(const struct plan_step *s, const char *instrument, const json_t *filters)
{
	char pair[256];
	return names(json_object_get(s->r, "filters_out"), pair_of(pair, instrument, filters));
}

static void list_add(json_t *r, const char *key, const char *word)
{
	json_t *list = json_object_get(r, key);
	if (list == NULL) {
		list = json_array();
		json_object_set_new(r, key, list);
	}
	if (word[0] && !names(list, word))
		json_array_append_new(list, json_string(word));
}

void plan_refused_note(const struct plan_step *s)
{
	const char *code = json_text(s->r, "instrument", "");
	char pair[256];
	if (strcmp(s->stem, "instrument") == 0 || strcmp(s->stem, "readout") == 0)
		list_add(s->r, "instruments_out", code);
	if (strcmp(s->stem, "filter") == 0)
		list_add(s->r, "filters_out", pair_of(pair, code, json_object_get(s->r, "filters")));
}

/* Does the request's site carry a telescope of the instrument's class? Unknown sites and classes are the portal's business. */
static bool stands_there(const struct plan_step *s, const json_t *instrument)
{
	const char *site = json_text(s->r, "site", ""), *class = json_text(instrument, "telescope_class", "");
	const json_t *one;
	size_t i;
	json_array_foreach(json_object_get(s->descriptor, "sites"), i, one) {
		const json_t *classes = json_object_get(one, "classes");
		if (strcmp(json_text(one, "code", ""), site) == 0 && json_is_array(classes) && class[0])
			return names(classes, class);
	}
	return true;
}

static bool has_all(const json_t *instrument, const json_t *filters)
{
	const json_t *v;
	size_t i;
	json_array_foreach(filters, i, v)
		if (!json_is_string(v) || !names(json_object_get(instrument, "filters"), json_string_value(v)))
			return false;
	return json_array_size(filters) > 0;
}

/* The instrument for these filters: the request's own (unless `other`) if it can, else the first that can; none that was refused. NULL: none. */
static const json_t *instrument_for(const struct plan_step *s, const json_t *filters, double exposure_s, bool other)
{
	const char *now = json_text(s->r, "instrument", "");
	const json_t *list = json_object_get(s->descriptor, "instruments"), *out = json_object_get(s->r, "instruments_out"), *one, *best = NULL, *own = NULL;
	size_t i;
	json_array_foreach(list, i, one)
		own = strcmp(json_text(one, "code", ""), now) == 0 ? one : own;
	json_array_foreach(list, i, one) {
		const char *code = json_text(one, "code", "");
		if ((other && one == own) || names(out, code) || pair_refused(s, code, filters) || strcmp(json_text(one, "kind", "image"), json_text(own, "kind", "image")) != 0 || !has_all(one, filters) ||
		    exposure_s > json_number(one, "max_exposure_s", INFINITY) || !stands_there(s, one))
			continue;
		if (best == NULL || one == own)
			best = one;
	}
	return best;
}

double plan_passes(const json_t *r, const json_t *filters)
{
	return json_flag(r, "simultaneous", false) ? 1.0 : (double)json_array_size(filters);
}

static double overhead_s(const struct plan_step *s, const json_t *instrument, const char *key, double otherwise)
{
	double all = json_number(json_object_get(s->descriptor, "overheads"), key, otherwise);
	return json_number(json_object_get(instrument, "overheads"), key, all);
}

/* Other light, with what it takes: by the overheads of an instrument that is known, else by the time of the exposures alone. */
static void light_change(const struct plan_step *s, const json_t *with, json_t *filters, int64_t count, double exposure_s)
{
	json_t *r = s->r;
	double each = json_number(r, "per_exposure_s", 0.0), duration = json_number(r, "duration_s", 0.0);
	duration -= (double)json_int(r, "count", 1) * plan_passes(r, json_object_get(r, "filters")) * (json_number(r, "exposure_s", 0.0) + each);
	if (with != NULL) {
		each = overhead_s(s, with, "per_exposure_s", 0.0);
		json_object_set_new(r, "per_exposure_s", json_real(each));
		json_object_set(r, "instrument", json_object_get(with, "code"));
		json_object_del(r, "simultaneous");
		if (json_flag(with, "simultaneous", false) && json_array_size(filters) > 1)
			json_object_set_new(r, "simultaneous", json_true());
		duration = overhead_s(s, with, "front_padding_s", 0.0) + plan_passes(r, filters) * overhead_s(s, with, "filter_change_s", 0.0);
	}
	duration += (double)count * plan_passes(r, filters) * (exposure_s + each);
	json_object_set_new(r, "duration_s", json_real(duration));
	json_object_set(r, "filters", filters);
	json_object_set_new(r, "count", json_integer(count));
	json_object_set_new(r, "exposure_s", json_real(exposure_s));
}

bool plan_other_instrument(const struct plan_step *s)
{
	const json_t *other = instrument_for(s, json_object_get(s->r, "filters"), json_number(s->r, "exposure_s", 0.0), true);
	if (other == NULL)
		return false;
	if (strcmp(s->stem, "allocation") == 0)
		list_add(s->r, "instruments_out", json_text(s->r, "instrument", ""));
	light_change(s, other, json_object_get(s->r, "filters"), json_int(s->r, "count", 1), json_number(s->r, "exposure_s", 0.0));
	return true;
}

bool plan_other_filters(const struct plan_step *s)
{
	const json_t *list = json_object_get(s->observe, "filters_or");
	for (size_t k = 0; k < json_array_size(list); k++) {
		json_t *filters = json_array_get(list, k);
		const json_t *with = instrument_for(s, filters, json_number(s->r, "exposure_s", 0.0), false);
		const char *code = json_text(with, "code", json_text(s->r, "instrument", ""));
		if (json_array_size(filters) == 0 || json_equal(filters, json_object_get(s->r, "filters")) || (s->descriptor != NULL && with == NULL) ||
		    pair_refused(s, code, filters))
			continue;
		light_change(s, with, filters, json_int(s->r, "count", 1), json_number(s->r, "exposure_s", 0.0));
		return true;
	}
	return false;
}

/* A rung that asks again for just what was refused. */
static bool same_again(const struct plan_step *s, const struct plan_rung *g, const json_t *filters, const char *instrument)
{
	const char *programme = g->programme_name[0] ? g->programme_name : json_text(s->r, "programme", "");
	if (strcmp(s->stem, "proposal") == 0 && strcmp(programme, json_text(s->r, "programme", "")) == 0)
		return true;
	return names(json_object_get(s->r, "instruments_out"), instrument) || pair_refused(s, instrument, filters);
}

static json_t *rung_filters(const struct plan_rung *g)
{
	json_t *filters = json_array();
	for (size_t i = 0; i < g->filters; i++)
		json_array_append_new(filters, json_string(g->filter[i]));
	return filters;
}

static void rung_take(const struct plan_step *s, const struct plan_rung *g, json_t *filters, const json_t *with)
{
	json_t *r = s->r;
	int had = plan_mode_find(json_text(r, "mode", "NORMAL"));
	light_change(s, with, filters, g->count, g->exposure_s);
	json_object_set_new(r, "mode", json_string(plan_mode_name((enum plan_mode)(g->mode > had ? had : g->mode)))); /* one given up is not asked for again */
	json_object_set_new(r, "rung", json_integer(g->index));
	if (g->programme_name[0] != '\0')
		json_object_set_new(r, "programme", json_string(g->programme_name));
	json_object_set_new(r, "ipp", json_real(g->ipp));
	bool sky = strcmp(s->stem, "airmass") == 0 || strcmp(s->stem, "window") == 0; /* what was refused at looser limits is not asked at stricter ones */
	double airmass = g->limits.airmass_max, moon_deg = g->limits.moon_min_deg;
	json_object_set_new(r, "max_airmass", json_real(sky ? fmax(airmass, json_number(r, "max_airmass", airmass)) : airmass));
	json_object_set_new(r, "min_moon_deg", json_real(sky ? fmin(moon_deg, json_number(r, "min_moon_deg", moon_deg)) : moon_deg));
	json_object_del(r, "halved");
	plan_window_widen(r);
}

/* The one that the rung names, if the facility has it, else one for the filters. */
static const json_t *instrument_of_rung(const struct plan_step *s, const json_t *entry, const json_t *filters, double exposure_s)
{
	const char *code = json_text(entry, "instrument", NULL);
	const json_t *one;
	size_t i;
	if (code == NULL)
		return instrument_for(s, filters, exposure_s, false);
	json_array_foreach(json_object_get(s->descriptor, "instruments"), i, one)
		if (strcmp(json_text(one, "code", ""), code) == 0)
			return one;
	return NULL;
}

int plan_next_rung(const struct plan_step *s, struct err *e)
{
	const json_t *ladder = json_object_get(s->policy, "ladder");
	for (size_t k = (size_t)(json_int(s->r, "rung", 0) + 1); k < json_array_size(ladder); k++) {
		const json_t *entry = json_array_get(ladder, k);
		struct plan_rung g;
		if (plan_rung_read(entry, s->observe, (int)k, &g, e) < 0)
			return -1;
		if (strcmp(g.facility_name, "") != 0 && strcmp(g.facility_name, json_text(s->r, "facility", "")) != 0)
			continue;
		if (isnan(g.exposure_s)) /* a computed one stays what it was */
			g.exposure_s = json_number(s->r, "exposure_s", PLAN_EXPOSURE_LEAST_S);
		json_t *filters = rung_filters(&g);
		const json_t *with = instrument_of_rung(s, entry, filters, g.exposure_s);
		const char *code = json_text(with, "code", json_text(entry, "instrument", json_text(s->r, "instrument", "")));
		bool take = (with != NULL || s->descriptor == NULL) && !same_again(s, &g, filters, code);
		if (take && with == NULL && json_object_get(entry, "instrument") != NULL)
			json_object_set(s->r, "instrument", json_object_get(entry, "instrument"));
		if (take)
			rung_take(s, &g, filters, with);
		json_decref(filters);
		if (take)
			return 1;
	}
	return 0;
}

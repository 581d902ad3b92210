/* The next request after a refusal: one step down from what was refused, by the stem of the refusal (plan.h has the rule). */
#include "engine/base/json.h"
#include "engine/request/plan.h"
#include "engine/request/plan_job.h"
#include <math.h>
#include <string.h>

#define AIRMASS_STEP 0.3
#define AIRMASS_CEILING 2.5
#define IPP_LEAST 0.5

static const json_t *observe_of(const json_t *policy, int64_t epoch)
{
	const json_t *list = json_object_get(policy, "observe"), *o;
	size_t i;
	json_array_foreach(list, i, o)
		if (json_int(o, "epoch", (int64_t)i + 1) == epoch)
			return o;
	return NULL;
}

static void set_real(json_t *r, const char *key, double value)
{
	json_object_set_new(r, key, json_real(value));
}

/* The widest window that the epoch allows: the portal clips it to what is visible at the looser limit. */
static void window_widen(json_t *r)
{
	int64_t start = json_int(r, "earliest_us", json_int(r, "start_us", 0)), end = json_int(r, "latest_us", json_int(r, "end_us", 0));
	int64_t most = start + (int64_t)(fmax(0.0, fmin(json_number(r, "max_window_h", 24.0), 10000.0)) * 3600e6);
	json_object_set_new(r, "start_us", json_integer(start));
	json_object_set_new(r, "end_us", json_integer(end < most ? end : most));
}

static bool airmass_up(const json_t *policy, json_t *r)
{
	double ceiling = json_number(observe_of(policy, json_int(r, "epoch", 1)), "max_airmass", AIRMASS_CEILING);
	double now = json_number(r, "max_airmass", 2.0), next = round((now + AIRMASS_STEP) * 100.0) / 100.0;
	if (now >= ceiling - 1e-9)
		return false;
	set_real(r, "max_airmass", fmin(next, ceiling));
	window_widen(r);
	return true;
}

/* Series of exposures: one a filter, or one for all where the camera takes them at once. */
static double passes(const json_t *r, size_t filters)
{
	return json_flag(r, "simultaneous", false) ? 1.0 : (double)filters;
}

static bool exposure_halve(json_t *r)
{
	double exposure = json_number(r, "exposure_s", 0.0);
	double shots = (double)json_int(r, "count", 1) * passes(r, json_array_size(json_object_get(r, "filters")));
	if (json_flag(r, "halved", false) || !(exposure >= 2.0))
		return false;
	set_real(r, "exposure_s", exposure / 2.0);
	set_real(r, "duration_s", json_number(r, "duration_s", 0.0) - shots * exposure / 2.0);
	json_object_set_new(r, "halved", json_true());
	return true;
}

static bool mode_down(json_t *r)
{
	int mode = plan_mode_find(json_text(r, "mode", "NORMAL"));
	if (mode <= PLAN_NORMAL)
		return false;
	json_object_set_new(r, "mode", json_string(plan_mode_name((enum plan_mode)(mode - 1))));
	return true;
}

/* ipp_max: what the facility offered, written into the request by the caller. */
static bool ipp_down(json_t *r)
{
	double now = json_number(r, "ipp", 1.0), offered = json_number(r, "ipp_max", 1.0);
	double next = floor(fmin(offered, now) * 1000.0) / 1000.0;
	if (next >= now)
		next = 1.0;
	if (next >= now || next < IPP_LEAST)
		return false;
	set_real(r, "ipp", next);
	return true;
}

/* The next rung of the ladder at the same facility. 1 taken, 0 there is none, -1 the policy cannot be read. */
static int rung_next(const json_t *policy, json_t *r, struct err *e)
{
	const json_t *ladder = json_object_get(policy, "ladder"), *observe = observe_of(policy, json_int(r, "epoch", 1));
	for (size_t k = (size_t)(json_int(r, "rung", 0) + 1); k < json_array_size(ladder); k++) {
		const json_t *entry = json_array_get(ladder, k);
		struct plan_rung g;
		if (plan_rung_read(entry, observe, (int)k, &g, e) < 0)
			return -1;
		if (strcmp(g.facility_name, "") != 0 && strcmp(g.facility_name, json_text(r, "facility", "")) != 0)
			continue;
		if (isnan(g.exposure_s)) /* a computed one stays what it was */
			g.exposure_s = json_number(r, "exposure_s", PLAN_EXPOSURE_LEAST_S);
		double old = (double)json_int(r, "count", 1) * passes(r, json_array_size(json_object_get(r, "filters")))
			* (json_number(r, "exposure_s", 0.0) + json_number(r, "per_exposure_s", 0.0));
		double new = g.count * passes(r, g.filters) * (g.exposure_s + json_number(r, "per_exposure_s", 0.0));
		json_t *filters = json_array();
		for (size_t i = 0; i < g.filters; i++)
			json_array_append_new(filters, json_string(g.filter[i]));
		if (g.mode > plan_mode_find(json_text(r, "mode", "NORMAL"))) /* a mode given up is not asked for again */
			g.mode = plan_mode_find(json_text(r, "mode", "NORMAL"));
		json_object_set_new(r, "filters", filters);
		json_object_set_new(r, "mode", json_string(plan_mode_name((enum plan_mode)g.mode)));
		json_object_set_new(r, "count", json_integer(g.count));
		json_object_set_new(r, "rung", json_integer((json_int_t)k));
		if (g.programme_name[0] != '\0')
			json_object_set_new(r, "programme", json_string(g.programme_name));
		if (json_text(entry, "instrument", NULL) != NULL) {
			if (strcmp(json_text(entry, "instrument", ""), json_text(r, "instrument", "")) != 0)
				json_object_del(r, "simultaneous");
			json_object_set(r, "instrument", json_object_get(entry, "instrument"));
		}
		set_real(r, "exposure_s", g.exposure_s);
		set_real(r, "ipp", g.ipp);
		set_real(r, "max_airmass", g.limits.airmass_max);
		set_real(r, "min_moon_deg", g.limits.moon_min_deg);
		set_real(r, "duration_s", json_number(r, "duration_s", 0.0) - old + new);
		json_object_del(r, "halved");
		window_widen(r);
		return 1;
	}
	return 0;
}

static bool is(const char *stem, const char *a, const char *b, const char *c)
{
	return strcmp(stem, a) == 0 || strcmp(stem, b) == 0 || strcmp(stem, c) == 0;
}

static bool step_down(const json_t *policy, json_t *r, const char *stem)
{
	if (is(stem, "airmass", "window", "window"))
		return airmass_up(policy, r) || exposure_halve(r);
	if (is(stem, "mode", "triggers", "rr_window"))
		return mode_down(r);
	if (strcmp(stem, "time") == 0)
		return mode_down(r) || exposure_halve(r);
	if (strcmp(stem, "ipp") == 0)
		return ipp_down(r);
	return false; /* instrument, filter, configuration, other: the same again would be refused again */
}

int plan_next_variant(const json_t *policy, const json_t *request, const char *stem, json_t **next, struct err *e)
{
	*next = NULL;
	if (!json_is_object(policy) || !json_is_object(request) || json_text(request, "facility", NULL) == NULL)
		return err_set(e, ERR_INPUT, "next variant: needs a policy and a request of a plan");
	json_t *r = json_deep_copy(request);
	if (r == NULL)
		return err_set(e, ERR_MEMORY, "no memory for the next variant");
	int took = step_down(policy, r, stem ? stem : "") ? 1 : rung_next(policy, r, e);
	if (took == 1) {
		json_object_set_new(r, "refused", json_string(stem ? stem : ""));
		*next = r;
	} else {
		json_decref(r);
	}
	return took < 0 ? -1 : 0;
}

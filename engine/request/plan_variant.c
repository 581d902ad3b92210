/* The next request after a refusal: one step down from what was refused, by the stem of the refusal (plan.h has the rule). Another instrument,
 * other filters and the next rung: plan_other.c. */
#include "engine/base/json.h"
#include "engine/base/text.h"
#include "engine/request/plan.h"
#include "engine/request/plan_job.h"
#include "engine/request/plan_other.h"
#include <math.h>
#include <string.h>

#define AIRMASS_STEP 0.3
#define AIRMASS_CEILING 2.5
#define MOON_STEP_DEG 10.0
#define IPP_LEAST 0.5
#define CHANGED_MAX 400

static void set_real(json_t *r, const char *key, double value)
{
	json_object_set_new(r, key, json_real(value));
}

/* The policy's ceiling for the conditions of the sky, else the epoch's own limit. */
static bool airmass_up(const struct plan_step *s)
{
	double epoch = json_number(s->observe, "max_airmass", AIRMASS_CEILING);
	double ceiling = json_number(json_object_get(s->policy, "ceiling"), "max_airmass", epoch);
	double now = json_number(s->r, "max_airmass", 2.0), next = round((now + AIRMASS_STEP) * 100.0) / 100.0;
	if (now >= ceiling - 1e-9)
		return false;
	set_real(s->r, "max_airmass", fmin(next, ceiling));
	plan_window_widen(s->r);
	return true;
}

/* Nearer to the Moon only where the policy says how near. */
static bool moon_nearer(const struct plan_step *s)
{
	double now = json_number(s->r, "min_moon_deg", 20.0), ceiling = json_number(json_object_get(s->policy, "ceiling"), "min_moon_deg", now);
	if (!(now > ceiling + 1e-9))
		return false;
	set_real(s->r, "min_moon_deg", fmax(now - MOON_STEP_DEG, ceiling));
	plan_window_widen(s->r);
	return true;
}

/* Half of the exposure, once; down to the policy's floor where it has one. */
static bool exposure_halve(const struct plan_step *s)
{
	json_t *r = s->r;
	double exposure = json_number(r, "exposure_s", 0.0), floor_s = json_number(json_object_get(s->policy, "floor"), "exposure_s", NAN);
	double next = isnan(floor_s) ? exposure / 2.0 : fmax(exposure / 2.0, floor_s);
	double shots = (double)json_int(r, "count", 1) * plan_passes(r, json_object_get(r, "filters"));
	if (isnan(floor_s) ? json_flag(r, "halved", false) || !(exposure >= 2.0) : !(exposure > floor_s * (1.0 + 1e-9)))
		return false;
	set_real(r, "exposure_s", next);
	set_real(r, "duration_s", json_number(r, "duration_s", 0.0) - shots * (exposure - next));
	json_object_set_new(r, "halved", json_true());
	return true;
}

/* Fewer exposures in each filter, where the policy says how few do. */
static bool count_halve(const struct plan_step *s)
{
	json_t *r = s->r;
	int64_t now = json_int(r, "count", 1), least = json_int(json_object_get(s->policy, "floor"), "count", now), next = (now + 1) / 2;
	double each_s = json_number(r, "exposure_s", 0.0) + json_number(r, "per_exposure_s", 0.0);
	if (now <= least || now <= 1)
		return false;
	next = next < least ? least : next;
	json_object_set_new(r, "count", json_integer(next));
	set_real(r, "duration_s", json_number(r, "duration_s", 0.0) - (double)(now - next) * each_s * plan_passes(r, json_object_get(r, "filters")));
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

static bool is(const char *stem, const char *a, const char *b, const char *c)
{
	return strcmp(stem, a) == 0 || strcmp(stem, b) == 0 || strcmp(stem, c) == 0;
}

static bool step_down(const struct plan_step *s)
{
	const char *stem = s->stem;
	if (is(stem, "airmass", "window", "window"))
		return airmass_up(s) || moon_nearer(s) || exposure_halve(s) || count_halve(s);
	if (is(stem, "mode", "triggers", "rr_window"))
		return mode_down(s->r);
	if (strcmp(stem, "time") == 0)
		return mode_down(s->r) || exposure_halve(s) || count_halve(s);
	if (strcmp(stem, "allocation") == 0) /* shorter would not help: there is none on this instrument */
		return mode_down(s->r) || plan_other_instrument(s);
	if (strcmp(stem, "ipp") == 0)
		return ipp_down(s->r);
	if (strcmp(stem, "filter") == 0)
		return plan_other_filters(s) || plan_other_instrument(s);
	if (is(stem, "instrument", "readout", "readout"))
		return plan_other_instrument(s) || plan_other_filters(s);
	return false; /* proposal, configuration, other: the same again would be refused again */
}

/* A filter's depth goes with the square root of the light gathered; of other filters or another camera nothing is known here. */
static void depth_adjust(const json_t *was, json_t *r)
{
	double before = json_number(was, "exposure_s", 0) * (double)json_int(was, "count", 1), after = json_number(r, "exposure_s", 0) * (double)json_int(r, "count", 1);
	json_t *limits = json_object_get(r, "limit_mag"), *shallower = json_array(), *v;
	size_t i;
	bool same = json_equal(json_object_get(was, "filters"), json_object_get(r, "filters")) &&
		    json_equal(json_object_get(was, "instrument"), json_object_get(r, "instrument"));
	json_array_foreach(limits, i, v)
		json_array_append_new(shallower, json_real(round((json_number_value(v) + 1.25 * log10(after / before)) * 100.0) / 100.0));
	if (limits != NULL && same && before > 0 && after > 0)
		json_object_set(r, "limit_mag", shallower);
	else if (limits != NULL) {
		json_object_del(r, "limit_mag");
		json_object_del(r, "reference");
	}
	json_decref(shallower);
}

static void value_say(struct text *t, const json_t *v)
{
	size_t i;
	const json_t *one;
	if (json_is_string(v))
		text_puts(t, json_string_value(v));
	else if (json_is_number(v))
		text_printf(t, "%.6g", json_number_value(v));
	json_array_foreach(v, i, one)
		text_printf(t, "%s%s", i > 0 ? "+" : "", json_is_string(one) ? json_string_value(one) : "?");
}

/* "max_airmass 2 → 2.3, exposure_s 180 → 90": for people; kept in the request. */
static void changed_say(const json_t *was, json_t *r)
{
	static const char *const told[] = {"programme", "mode", "instrument", "filters", "exposure_s", "count", "ipp", "max_airmass", "min_moon_deg"};
	struct text t = {.max = CHANGED_MAX};
	for (size_t i = 0; i < sizeof told / sizeof told[0]; i++) {
		const json_t *a = json_object_get(was, told[i]), *b = json_object_get(r, told[i]);
		if (b == NULL || json_equal(a, b) || (json_is_number(a) && json_is_number(b) && json_number_value(a) == json_number_value(b)))
			continue;
		text_printf(&t, "%s%s ", t.len > 0 ? ", " : "", told[i]);
		value_say(&t, a);
		text_puts(&t, " → ");
		value_say(&t, b);
	}
	if (t.len == 0 && json_int(was, "rung", 0) != json_int(r, "rung", 0))
		text_printf(&t, "rung %lld of the ladder", (long long)json_int(r, "rung", 0) + 1);
	json_object_set_new(r, "changed", json_string(t.data != NULL ? t.data : ""));
	text_free(&t);
}

int plan_next_variant(const json_t *policy, const json_t *descriptor, const json_t *request, const char *stem, json_t **next, struct err *e)
{
	*next = NULL;
	if (!json_is_object(policy) || !json_is_object(request) || json_text(request, "facility", NULL) == NULL)
		return err_set(e, ERR_INPUT, "next variant: needs a policy and a request of a plan");
	int64_t step = json_int(request, "step", 0) + 1;
	if (step >= PLAN_STEPS)
		return 0;
	json_t *r = json_deep_copy(request);
	if (r == NULL)
		return err_set(e, ERR_MEMORY, "no memory for the next variant");
	const struct plan_step s = {policy, descriptor, plan_observe_of(policy, json_int(r, "epoch", 1)), r, stem ? stem : ""};
	plan_refused_note(&s);
	int took = step_down(&s) ? 1 : plan_next_rung(&s, e);
	if (took == 1) {
		json_object_set_new(r, "refused", json_string(s.stem));
		json_object_set_new(r, "step", json_integer(step));
		depth_adjust(request, r);
		changed_say(request, r);
		*next = r;
	} else {
		json_decref(r);
	}
	return took < 0 ? -1 : 0;
}

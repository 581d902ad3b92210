/* What one visit is worth.
 *
 * worth = host · gain · early
 *   host   chance that the target is the host: "probability" of the job's target, else its share
 *   early  1 / (1 + wait / 12 h), wait from the epoch's start to the slot
 *   gain   what it adds to (P(detected) + P(identified)) / 2 of a kilonova there (plan_light.h), over the families' priors, after the visits
 *          that are chosen or exist and what others completed; and, since the policy asks for it, 1 % · ½^(epochs before it): between visits
 *          that add nothing the better host and the earlier epoch go first. Limits are those of the slot: airmass, Moon, dust, reference.
 *          Half for the detection: a plan sees one day, and what was found once can be followed.
 *          Where an instrument has no photometry, a filter no band, or a target no distance: ½^(epochs before it) / airmass, a stand-in.
 * A choice's value is its worth per hour of telescope. */
#include "engine/base/json.h"
#include "engine/base/utc.h"
#include "engine/request/plan_pick.h"
#include <math.h>
#include <string.h>

#define EARLY_US (12 * UTC_HOUR)
#define REPEAT 0.5 /* what another visit to the same target is worth, of the one before, where nothing else tells */
#define ASKED 0.01
#define COVER_RADIUS_DEG 0.1
#define DAY_US (24.0 * (double)UTC_HOUR)

double plan_early(const struct plan_job *j, size_t epoch, int64_t at_us)
{
	return 1.0 / (1.0 + fmax(0.0, (double)(at_us - j->epoch[epoch].start_us)) / (double)EARLY_US);
}

int64_t plan_early_until(const struct plan_job *j, size_t epoch, double early)
{
	double wait_us = (1.0 / fmin(fmax(early, 1e-3), 1.0) - 1.0) * (double)EARLY_US;
	return j->epoch[epoch].start_us + (int64_t)wait_us;
}

static bool lit(const struct plan_rung *r, const struct plan_target *t)
{
	return r->sees && t->distance_mpc > 0.0;
}

static struct depth_place place_of(const struct plan_target *t, int band)
{
	bool reference = !isnan(t->reference_mag[band]);
	return (struct depth_place){reference ? DEPTH_SUBTRACTED : DEPTH_HOST, t->reference_mag[band], t->ebv_mag};
}

static double dim_mag(const struct plan_target *t, int band)
{
	return 5.0 * log10(t->distance_mpc * 1e5) + depth_dust_ratio((enum kilonova_band)band) * fmax(0.0, t->ebv_mag);
}

static double repeat(size_t epoch)
{
	return pow(REPEAT, (double)epoch);
}

/* What k knows, in value. */
static double known_value(const struct plan_job *j, const struct plan_known *k)
{
	return (plan_detected(k, &j->prior) + plan_identified(k, &j->prior)) / 2.0;
}

void plan_look(const struct plan_pick *p, const struct plan_visit *v, const struct plan_option *o, int64_t at_us, const struct plan_past *past,
	struct plan_look *out)
{
	const struct plan_job *j = p->job;
	const struct plan_target *t = &j->target[v->target];
	const struct plan_rung *r = &j->rung[v->epoch][o->rung];
	int64_t middle_us = at_us + (int64_t)(o->duration_s * 0.5e6);
	struct ephemeris_local l;
	visibility_night_local(j->facility[o->facility].night, o->site, middle_us, &l);
	out->airmass = fmin(ephemeris_airmass(ephemeris_sin_alt(&l, &v->eye)), r->limits.airmass_max);
	out->sees = lit(r, t);
	out->gain = repeat(v->epoch) / out->airmass;
	if (out->sees) {
		const struct depth_sky sky = {out->airmass, l.moon_illuminated, ephemeris_moon_deg(&l, &v->eye), ephemeris_asin_deg(l.moon_sin_alt)};
		double days = (double)(middle_us - j->merger_us) / DAY_US;
		plan_sight_clear(&out->sight, middle_us);
		for (size_t n = 0; n < r->filters; n++) {
			int band = r->camera[n].band;
			struct depth_place place = place_of(t, band);
			out->limit_mag[n] = depth_limit_mag(&r->camera[n], &sky, &place, o->exposure_s, r->count);
			plan_sight_add(&out->sight, (enum kilonova_band)band, out->limit_mag[n], days, dim_mag(t, band));
		}
		struct plan_known k = past->known;
		plan_known_add(&k, past->sight, past->count, &out->sight);
		out->gain = known_value(j, &k) - known_value(j, &past->known) + ASKED * repeat(v->epoch);
	}
	out->worth = t->host * out->gain * plan_early(j, v->epoch, at_us);
}

/* Hope ------------------------------------------------------------------------------------------------------------------------ */

void plan_hope_add(const struct plan_pick *p, struct plan_visit *v, const struct plan_option *o)
{
	const struct plan_job *j = p->job;
	const struct plan_target *t = &j->target[v->target];
	const struct plan_rung *r = &j->rung[v->epoch][o->rung];
	const struct visibility_window *w = &o->window;
	double from_days = (double)(w->start_us - j->merger_us) / DAY_US, to_days = (double)(w->end_us - j->merger_us) / DAY_US;
	v->hope_early = fmax(v->hope_early, plan_early(j, v->epoch, w->start_us));
	v->hope_s = fmin(v->hope_s, o->duration_s);
	if (!lit(r, t)) {
		v->hope_airmass = fmin(v->hope_airmass, w->airmass_best);
		return;
	}
	const struct depth_sky best = {w->airmass_best, 0.0, 180.0, -90.0};
	for (size_t n = 0; n < r->filters; n++) {
		int band = r->camera[n].band;
		struct depth_place place = place_of(t, band);
		double limit = depth_limit_mag(&r->camera[n], &best, &place, o->exposure_s, r->count) + 1e-3; /* airmass_best is good to 1 s */
		for (int f = 0; f < KILONOVA_FAMILIES; f++) {
			double mag = kilonova_brightest_mag((enum kilonova_family)f, (enum kilonova_band)band, fmax(from_days, 0.0), fmax(to_days, 0.0));
			float margin = (float)(limit - mag - dim_mag(t, band));
			v->hope.margin[f][band] = fmaxf(v->hope.margin[f][band], margin);
		}
	}
}

double plan_hope_light(const struct plan_pick *p, const struct plan_visit *v, const struct plan_past *past)
{
	struct plan_known k = past->known;
	plan_known_hope(&k, &v->hope);
	return known_value(p->job, &k) - known_value(p->job, &past->known);
}

double plan_hope(const struct plan_pick *p, const struct plan_visit *v, const struct plan_past *past)
{
	double light = plan_hope_light(p, v, past) + ASKED * repeat(v->epoch), airmass = repeat(v->epoch) / v->hope_airmass;
	return p->job->target[v->target].host * fmax(light, airmass) * v->hope_early * (1.0 + 1e-9);
}

/* Exposure -------------------------------------------------------------------------------------------------------------------- */

double plan_exposure_s(const struct plan_job *j, const struct plan_target *t, const struct plan_rung *r, const struct visibility_window *w)
{
	const struct depth_sky sky = {w->airmass_best, w->moon_illuminated, isnan(w->moon_deg) ? 60.0 : w->moon_deg, w->moon_alt_deg};
	double days = (double)(w->best_us - j->merger_us) / DAY_US, longest = PLAN_EXPOSURE_LEAST_S;
	if (!isnan(r->exposure_s))
		return r->exposure_s;
	if (!r->sees || (isnan(r->depth_mag) && !(t->distance_mpc > 0.0)))
		return r->most_s; /* nothing to compute with: as long as is allowed */
	for (size_t n = 0; n < r->filters; n++) {
		int band = r->camera[n].band;
		struct depth_place place = place_of(t, band);
		double limit = r->depth_mag;
		if (isnan(limit))
			limit = depth_wanted_mag(&j->prior, (enum kilonova_band)band, days, t->distance_mpc, t->ebv_mag, r->detect);
		double s = isnan(limit) ? r->most_s : depth_exposure_s(&r->camera[n], &sky, &place, limit, r->count, r->most_s);
		longest = fmax(longest, s);
	}
	return fmin(ceil(longest), r->most_s);
}

/* What is known before -------------------------------------------------------------------------------------------------------- */

void plan_past_add(struct plan_past *past, const struct plan_sight *s)
{
	plan_known_add(&past->known, past->sight, past->count, s);
	past->sight[past->count++] = *s;
}

size_t plan_past_most(const struct plan_job *j)
{
	size_t existing = json_array_size(j->existing), covered = json_array_size(j->covered);
	return j->epochs + (existing < PLAN_EPOCHS ? existing : PLAN_EPOCHS) + (covered < PLAN_COVERED ? covered : PLAN_COVERED);
}

static void existing_add(const struct plan_job *j, const struct plan_target *t, struct plan_past *out)
{
	const json_t *x, *filter;
	size_t i, n, kept = 0;
	json_array_foreach(j->existing, i, x) {
		const json_t *limits = json_object_get(x, "limit_mag");
		int64_t at_us = plan_time_us(x, "time_us");
		struct plan_sight s;
		if (at_us == UTC_NONE || strcmp(json_text(x, "target", ""), t->key) != 0 || kept >= PLAN_EPOCHS)
			continue;
		plan_sight_clear(&s, at_us);
		json_array_foreach(json_object_get(x, "filters"), n, filter) {
			int band = json_is_string(filter) ? kilonova_band_of(json_string_value(filter)) : -1;
			const json_t *limit = json_array_get(limits, n);
			if (band >= 0 && json_is_number(limit))
				plan_sight_add(&s, (enum kilonova_band)band, json_number_value(limit), (double)(at_us - j->merger_us) / DAY_US, dim_mag(t, band));
		}
		plan_past_add(out, &s);
		kept++;
	}
}

/* Is the target in the field of what somebody completed? By its key, or by position. */
static bool covers(const json_t *c, const struct plan_target *t)
{
	const char *key = json_text(c, "target", NULL);
	double ra = json_number(c, "ra_deg", NAN), dec = json_number(c, "dec_deg", NAN), radius = json_number(c, "radius_deg", COVER_RADIUS_DEG);
	if (key != NULL)
		return strcmp(key, t->key) == 0;
	double x = sin((dec - t->dec_deg) / 2 * M_PI / 180), y = sin((ra - t->ra_deg) / 2 * M_PI / 180);
	double square = x * x + cos(dec * M_PI / 180) * cos(t->dec_deg * M_PI / 180) * y * y;
	return 2 * asin(sqrt(fmin(square, 1))) * 180 / M_PI <= radius;
}

static void covered_add(const struct plan_job *j, const struct plan_target *t, struct plan_past *out)
{
	const json_t *c;
	size_t i;
	json_array_foreach(j->covered, i, c) {
		int64_t at_us = plan_time_us(c, "time_us");
		int band = kilonova_band_of(json_text(c, "band", ""));
		double depth = json_number(c, "depth_mag", NAN);
		struct plan_sight s;
		if (at_us == UTC_NONE || band < 0 || isnan(depth) || out->covered >= PLAN_COVERED || !covers(c, t))
			continue;
		plan_sight_clear(&s, at_us);
		plan_sight_add(&s, (enum kilonova_band)band, depth, (double)(at_us - j->merger_us) / DAY_US, dim_mag(t, band));
		plan_past_add(out, &s);
		out->covered++;
	}
}

void plan_past_read(struct plan_pick *p, size_t target, struct plan_past *out)
{
	const struct plan_target *t = &p->job->target[target];
	plan_known_clear(&out->known);
	out->count = out->outside = out->covered = 0;
	if (!(t->distance_mpc > 0.0))
		return;
	existing_add(p->job, t, out);
	covered_add(p->job, t, out);
	out->outside = out->count;
}

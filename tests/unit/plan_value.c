/* What a plan is worth: margins and chances by hand, the lazy choice against one that values everything anew, every subset of a few visits, what
 * others covered, what really happened, depths in place of exposures, dust. */
#include "test.h"
#include "engine/base/embed.h"
#include "engine/base/json.h"
#include "engine/base/utc.h"
#include "engine/core/compute.h"
#include "engine/request/plan.h"
#include "engine/request/plan_pick.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define EVENT "2017-08-17T12:41:04Z"
#define assert_near(got, want, within) \
	do { \
		double got_ = (got), want_ = (want); \
		if (!(fabs(got_ - want_) <= (within))) \
			fail_msg("%s is %.9g, wanted %.9g within %g", #got, got_, want_, (double)(within)); \
	} while (0)

static double normal(double x)
{
	return 0.5 * erfc(-x / M_SQRT2);
}

/* A sight of one band in one family's terms: margins are limit − magnitude. */
static struct plan_sight sight(double hours, enum kilonova_band band, double limit)
{
	struct plan_sight s;
	plan_sight_clear(&s, (int64_t)(hours * 3600e6));
	plan_sight_add(&s, band, limit, hours / 24, 33.0);
	return s;
}

static void margins_and_rules(void **state)
{
	(void)state;
	struct kilonova_prior only = {{1, 0, 0}};
	struct plan_known k;
	struct plan_sight past[3];
	double sigma = depth_sigma_mag(KILONOVA_GFO), m = kilonova_mag(KILONOVA_GFO, KILONOVA_R, 0.5) + 33;
	plan_known_clear(&k);
	assert_near(plan_detected(&k, &only) + plan_identified(&k, &only), 0, 0);
	past[0] = sight(12, KILONOVA_R, m + 0.4);
	plan_known_add(&k, past, 0, &past[0]);
	assert_near(plan_detected(&k, &only), normal(0.4 / sigma), 1e-6);
	assert_near(plan_identified(&k, &only), 0, 0); /* one filter, one visit */
	/* a colour 20 min later: no two detections apart yet */
	past[1] = sight(12 + 20.0 / 60, KILONOVA_I, 25);
	plan_known_add(&k, past, 1, &past[1]);
	assert_near(plan_identified(&k, &only), 0, 0);
	/* and 40 min later: r is the shallower one of the two */
	past[2] = sight(12 + 40.0 / 60, KILONOVA_I, 25);
	plan_known_add(&k, past, 2, &past[2]);
	assert_near(plan_identified(&k, &only), normal(0.4 / sigma), 1e-6);
	/* beyond 36 h nothing goes with it; a colour wants 6 h, a fade not */
	struct plan_known late;
	plan_known_clear(&late);
	plan_known_add(&late, past, 0, &past[0]);
	struct plan_sight other = sight(12 + 36.1, KILONOVA_R, 25), fade = sight(36, KILONOVA_R, 25), colour = sight(19, KILONOVA_I, 25);
	plan_known_add(&late, past, 1, &other);
	plan_known_add(&late, past, 1, &colour);
	assert_near(plan_identified(&late, &only), 0, 0);
	plan_known_add(&late, past, 1, &fade);
	/* r fades by 0.85 mag or so from 0.5 d to 1.5 d: signal 3 √2 1.0857 / 0.54 = 8.5 is needed, 0.58 mag above the limit */
	double by = kilonova_mag(KILONOVA_GFO, KILONOVA_R, 1.5) - kilonova_mag(KILONOVA_GFO, KILONOVA_R, 0.5);
	double spare = fmax(0, 2.5 * log10(3 * M_SQRT2 * 2.5 / M_LN10 / by / 5));
	assert_true(by > 0.4 && spare > 0.1);
	assert_near(plan_identified(&late, &only), normal((0.4 - spare) / sigma), 1e-5);
	/* hope is never less */
	struct plan_known hope;
	plan_known_clear(&hope);
	plan_known_hope(&hope, &past[0]);
	plan_known_hope(&hope, &fade);
	assert_true(plan_identified(&hope, &only) >= plan_identified(&late, &only) - 1e-9);
}

/* Jobs ------------------------------------------------------------------------------------------------------------------------ */

static uint32_t dice_state;
static double dice(void)
{
	dice_state = dice_state * 1664525u + 1013904223u;
	return (dice_state >> 8) / 16777216.0;
}

/* So many targets around NGC 4993, at the sites named, one telescope each, `observe` as given. */
static json_t *job_new(const char *now, int targets, const char *sites, const char *observe)
{
	struct err e = {0};
	int64_t t = 0, event = 0;
	size_t len;
	const char *text = embed_find("facilities/lco.json", &len);
	json_t *d = json_read(text, len, &json_limits_config, &e), *list = json_object_get(d, "sites"), *all = json_array(), *kept = json_array(), *s, *policy;
	size_t i;
	json_error_t je;
	assert_ok(utc_parse(now, &t, &e), &e);
	assert_ok(utc_parse(EVENT, &event, &e), &e);
	json_array_foreach(list, i, s)
		if (strstr(sites, json_text(s, "code", "?")) != NULL) {
			json_object_set_new(s, "telescopes", json_pack("[s]", "one"));
			json_array_append(kept, s);
		}
	json_object_set_new(d, "sites", kept);
	for (int n = 0; n < targets; n++) {
		char key[32];
		snprintf(key, sizeof key, "G%d|%d", n, n);
		json_array_append_new(all, json_pack("{s:s s:s s:f s:f s:f s:f s:f}", "key", key, "name", key, "ra_deg", 190.0 + 15 * dice(), "dec_deg", -30 + 15 * dice(),
			"share", 0.02 + 0.2 * dice(), "probability", 0.02 + 0.2 * dice(), "distance_mpc", 60 + 120 * dice()));
	}
	policy = json_loads(observe, 0, &je);
	assert_non_null(policy);
	policy = json_pack("{s:s s:{s:i} s:o s:[{s:s s:s s:s s:f}]}", "name", "t", "targets", "top", 60, "observe", policy, "ladder", "programme", "too", "facility", "lco",
		"mode", "TIME_CRITICAL", "max_airmass", 2.2);
	return json_pack("{s:s s:s s:I s:I s:i s:{s:f s:f s:f} s:o s:o s:[{s:s s:s s:o}] s:[{s:s s:s s:{s:f s:f s:f}}]}", "kind", "plan", "event", "E", "now_us",
		(json_int_t)t, "event_us", (json_int_t)event, "horizon_h", 24, "source", "p_bns", 0.7, "p_nsbh", 0.3, "has_remnant", 0.9, "targets", all, "policy", policy,
		"facilities", "name", "lco", "state", "open", "descriptor", d, "programmes", "name", "too", "facility", "lco", "left_h", "NORMAL", 100.0, "TIME_CRITICAL",
		100.0, "RAPID_RESPONSE", 100.0);
}

static json_t *run(json_t *job)
{
	struct err e = {0};
	json_t *result = NULL;
	assert_ok(plan_run(job, &result, &e), &e);
	json_decref(job);
	return result;
}

static json_t *find(const json_t *result, const char *list, const char *key, int epoch)
{
	json_t *r;
	size_t i;
	json_array_foreach(json_object_get(result, list), i, r)
		if (strcmp(json_text(r, "target", ""), key) == 0 && (epoch == 0 || json_int(r, "epoch", 0) == epoch))
			return r;
	return NULL;
}

static const char once[] = "[{\"epoch\":1,\"filters\":[\"rp\",\"ip\"],\"exposure_s\":300}]";
static const char twice[] = "[{\"epoch\":1,\"filters\":[\"rp\",\"ip\"],\"exposure_s\":300},{\"epoch\":2,\"after_h\":1,\"filters\":[\"rp\"],\"exposure_s\":600}]";

/* A plan by a slower way ------------------------------------------------------------------------------------------------------- */

/* One telescope a site: what is taken of it. */
struct taken {
	const struct plan_option *option;
	int64_t from_us, to_us;
};
struct world {
	struct plan_pick *p;
	struct taken taken[64];
	size_t count;
	bool done[64], out[64];
	int64_t earliest_us[64];
	struct plan_past past[16];
	struct plan_sight sight[16][8];
	double best, left_h;
	long nodes;
};

static int64_t slot_of(const struct world *w, const struct plan_visit *v, const struct plan_option *o, int64_t from)
{
	int64_t t = w->earliest_us[v - w->p->visit], need = (int64_t)(o->duration_s * 1e6);
	t = t > o->window.start_us ? t : o->window.start_us;
	t = t > from ? t : from;
	for (bool moved = true; moved;) {
		moved = false;
		for (size_t i = 0; i < w->count; i++)
			if (w->taken[i].option->site == o->site && w->taken[i].from_us < t + need && w->taken[i].to_us > t) {
				t = w->taken[i].to_us;
				moved = true;
			}
	}
	return t + need <= o->window.end_us ? t : UTC_NONE;
}

static bool ready(const struct world *w, size_t i)
{
	const struct plan_visit *v = &w->p->visit[i];
	return v->state == PLAN_OPEN && !w->done[i] && !w->out[i] && (v->epoch == 0 || w->done[i - 1] || w->out[i - 1] || (v - 1)->state != PLAN_OPEN);
}

/* Worth at the first free slot, or with `search` at the best of the later starts, too. −1: impossible. */
static double look(struct world *w, size_t i, const struct plan_option *o, bool search, int64_t *slot, struct plan_look *l)
{
	const struct plan_visit *v = &w->p->visit[i];
	const struct plan_past *past = &w->past[v->target];
	int64_t later[PLAN_LATER_STARTS];
	struct plan_look other;
	*slot = slot_of(w, v, o, INT64_MIN);
	if (*slot == UTC_NONE || o->duration_s > w->left_h * 3600)
		return -1;
	plan_look(w->p, v, o, *slot, past, l);
	int starts = search ? plan_later_starts(w->p, v, o, past, l->worth, *slot, later) : 0;
	for (int k = 0; k < starts; k++) {
		int64_t at = slot_of(w, v, o, later[k]);
		if (at == UTC_NONE)
			continue;
		plan_look(w->p, v, o, at, past, &other);
		if (other.worth > l->worth) {
			*l = other;
			*slot = at;
		}
	}
	return l->worth;
}

static void take(struct world *w, size_t i, const struct plan_option *o, int64_t slot, const struct plan_look *l)
{
	const struct plan_visit *v = &w->p->visit[i];
	const struct plan_job *j = w->p->job;
	w->done[i] = true;
	w->taken[w->count++] = (struct taken){o, slot, slot + (int64_t)(o->duration_s * 1e6)};
	w->left_h -= o->duration_s / 3600;
	plan_past_add(&w->past[v->target], &l->sight);
	if (v->epoch + 1 < j->epochs) {
		int64_t next = slot + (int64_t)((j->epoch[v->epoch + 1].after_h - j->epoch[v->epoch].after_h) * 3600e6);
		if (next > w->earliest_us[i + 1])
			w->earliest_us[i + 1] = next;
	}
}

static void world_new(struct world *w, struct plan_pick *p)
{
	*w = (struct world){.p = p, .left_h = fmin(p->job->event_left_h, p->job->night_left_h)};
	for (size_t i = 0; i < p->visits; i++)
		w->earliest_us[i] = p->visit[i].earliest_us;
	for (size_t t = 0; t < p->job->targets; t++) {
		w->past[t] = (struct plan_past){.sight = w->sight[t]};
		plan_known_clear(&w->past[t].known);
	}
}

/* Copies; the sights are pointed at anew. */
static void world_copy(struct world *to, const struct world *from)
{
	*to = *from;
	for (size_t t = 0; t < 16; t++)
		to->past[t].sight = to->sight[t];
}

/* The best of every order, every option, every omission; each visit at the first free slot of its turn, or at the one that the plan would take. */
static double best_of_all(struct world *w, double worth)
{
	double best = worth;
	w->nodes++;
	for (size_t i = 0; i < w->p->visits; i++) {
		if (!ready(w, i))
			continue;
		const struct plan_visit *v = &w->p->visit[i];
		int64_t first = 0;
		for (size_t k = 2 * v->first; k < 2 * (v->first + v->count); k++) {
			struct plan_look l;
			int64_t slot;
			double gain = look(w, i, &w->p->option[k / 2], k % 2, &slot, &l);
			if (k % 2 == 0)
				first = slot;
			if (gain < 0 || (k % 2 && slot == first))
				continue;
			struct world *next = malloc(sizeof *next);
			world_copy(next, w);
			take(next, i, &w->p->option[k / 2], slot, &l);
			best = fmax(best, best_of_all(next, worth + gain));
			w->nodes = next->nodes;
			free(next);
		}
		if (v->epoch + 1 < w->p->job->epochs && v[1].state == PLAN_OPEN) { /* without it: its next one alone */
			w->out[i] = true;
			best = fmax(best, best_of_all(w, worth));
			w->out[i] = false;
		}
	}
	return best;
}

/* Greedy that values every visit anew after each choice: the keys in order, and the sum. */
static double eager(struct world *w, size_t order[64], size_t *count)
{
	double sum = 0;
	for (*count = 0; *count < 64; (*count)++) {
		double most = -1;
		size_t which = 0;
		const struct plan_option *best = NULL;
		struct plan_look l, kept = {.worth = 0};
		int64_t slot, at = 0;
		for (size_t i = 0; i < w->p->visits; i++) {
			const struct plan_visit *v = &w->p->visit[i];
			bool possible = false;
			if (!ready(w, i))
				continue;
			for (size_t k = v->first; k < v->first + v->count; k++) {
				const struct plan_option *o = &w->p->option[k];
				double worth = look(w, i, o, true, &slot, &l);
				possible |= worth >= 0;
				if (worth >= 0 && worth / (o->duration_s / 3600) > most) {
					most = worth / (o->duration_s / 3600);
					which = i;
					best = o;
					kept = l;
					at = slot;
				}
			}
			w->out[i] = !possible;
		}
		if (best == NULL)
			break;
		take(w, which, best, at, &kept);
		order[*count] = which;
		sum += kept.worth;
	}
	return sum;
}

/* The same targets, anywhere in the sky and farther: some rise later, and are better then. */
static void spread(json_t *job)
{
	json_t *t;
	size_t i;
	json_array_foreach(json_object_get(job, "targets"), i, t) {
		json_object_set_new(t, "ra_deg", json_real(360 * dice()));
		json_object_set_new(t, "dec_deg", json_real(-70 + 80 * dice()));
		json_object_set_new(t, "distance_mpc", json_real(100 + 100 * dice()));
	}
}

static void pick_new(json_t *job, struct plan_job *j, struct plan_pick *p)
{
	struct err e = {0};
	assert_ok(plan_job_read(job, j, &e), &e);
	assert_ok(plan_pick_new(j, p, &e), &e);
}

static void lazy_is_eager(void **state)
{
	(void)state;
	struct plan_job *j = malloc(sizeof *j);
	struct plan_pick *p = malloc(sizeof *p);
	struct world *w = malloc(sizeof *w);
	size_t order[64], count, visits = 0;
	for (uint32_t seed = 1; seed <= 40; seed++) {
		dice_state = seed;
		json_t *job = job_new(seed % 2 ? "2017-08-17T18:00:00Z" : "2017-08-17T22:30:00Z", 12, seed % 3 ? "lsc cpt" : "lsc", seed % 4 ? twice : once);
		if (seed % 2)
			spread(job);
		if (seed % 5 == 0)
			json_object_set_new(job, "event_left_h", json_real(1.0));
		pick_new(job, j, p);
		world_new(w, p);
		double sum = eager(w, order, &count);
		plan_pick_run(p);
		assert_int_equal(p->chosen, count);
		for (size_t i = 0; i < p->chosen && i < count; i++)
			if (p->order[i] != order[i])
				fail_msg("seed %u: choice %zu is visit %zu, valued anew it is %zu", seed, i, p->order[i], order[i]);
		assert_near(p->total_worth, sum, 1e-9);
		assert_true(p->total_worth <= p->bound);
		visits += p->chosen;
		plan_pick_free(p);
		plan_job_free(j);
		json_decref(job);
	}
	assert_true(visits > 200);
	free(w);
	free(p);
	free(j);
}

static void against_every_subset(void **state)
{
	(void)state;
	struct plan_job *j = malloc(sizeof *j);
	struct plan_pick *p = malloc(sizeof *p);
	struct world *w = malloc(sizeof *w);
	double parts = 0, least = 1, tight = 0;
	long nodes = 0;
	int cases = 0;
	for (uint32_t seed = 1; seed <= 24; seed++) {
		dice_state = seed * 977;
		bool two = seed % 2; /* three targets twice, or five once; a purse for three or four visits, or the telescope alone */
		json_t *job = job_new("2017-08-17T22:30:00Z", two ? 3 : 5, "lsc", two ? twice : once);
		if (seed % 4 > 1)
			spread(job);
		if (seed % 3)
			json_object_set_new(job, "event_left_h", json_real(two ? 0.75 : 0.65));
		pick_new(job, j, p);
		world_new(w, p);
		double most = best_of_all(w, 0);
		nodes += w->nodes;
		plan_pick_run(p);
		assert_true(p->total_worth <= most * (1 + 1e-9)); /* the search sees all that greedy can do */
		assert_true(most <= p->bound * (1 + 1e-9));
		if (most > 0) {
			double part = p->total_worth / most;
			cases++;
			parts += part;
			tight += most / p->bound;
			least = fmin(least, part);
		}
		plan_pick_free(p);
		plan_job_free(j);
		json_decref(job);
	}
	printf("# %d cases, %ld plans looked at: greedy is %.4f of the best on average, %.4f at least; the best is %.3f of its bound\n", cases, nodes, parts / cases,
		least, tight / cases);
	assert_true(cases >= 20 && parts / cases >= 0.95 && least >= 0.5);
	free(w);
	free(p);
	free(j);
}

/* Facts of the job ------------------------------------------------------------------------------------------------------------ */

static void covered_by_others(void **state)
{
	(void)state;
	dice_state = 5;
	json_t *job = job_new("2017-08-17T22:30:00Z", 4, "lsc", once), *t = json_array_get(json_object_get(job, "targets"), 1);
	json_object_set_new(json_array_get(json_object_get(job, "targets"), 1), "probability", json_real(0.9)); /* the best by far */
	json_t *again = json_deep_copy(job);
	double ra = json_number(t, "ra_deg", 0), dec = json_number(t, "dec_deg", 0);
	json_int_t now = json_int(job, "now_us", 0);
	json_t *r = run(job);
	assert_string_equal(json_text(json_array_get(json_object_get(r, "requests"), 0), "target", ""), "G1|1");
	double before = json_number(json_array_get(json_object_get(r, "requests"), 0), "value", 0);
	json_decref(r);
	/* a shallow image of others changes its value, deep ones in two colours half an hour apart leave nothing to do */
	json_t *shallow = json_deep_copy(again);
	json_object_set_new(shallow, "covered", json_pack("[{s:f s:f s:s s:f s:I}]", "ra_deg", ra + 0.05, "dec_deg", dec, "band", "r", "depth_mag", 20.0, "time_us",
		now - 3600000000));
	r = run(shallow);
	json_t *q = find(r, "requests", "G1|1", 1);
	assert_non_null(q);
	assert_true(fabs(json_number(q, "value", 0) - before) > 1e-3);
	json_decref(r);
	json_object_set_new(again, "covered", json_pack("[{s:f s:f s:s s:f s:I} {s:s s:s s:f s:I}]", "ra_deg", ra + 0.05, "dec_deg", dec, "band", "r", "depth_mag", 26.0,
		"time_us", now - 3 * (json_int_t)3600000000, "target", "G1|1", "band", "ip", "depth_mag", 26.0, "time_us", now - (json_int_t)3600000000));
	r = run(again);
	assert_null(find(r, "requests", "G1|1", 1));
	q = find(r, "verdicts", "G1|1", 0);
	assert_string_equal(json_text(q, "code", ""), "covered");
	assert_non_null(strstr(json_text(q, "detail", ""), "0.90 already"));
	assert_non_null(find(r, "requests", "G2|2", 1));
	json_decref(r);
}

/* The second visit is counted from when the first one really took place. */
static void cadence_follows_what_happened(void **state)
{
	(void)state;
	static const char *const took[] = {"2017-08-17T22:00:00Z", "2017-08-17T23:40:00Z"};
	for (int i = 0; i < 2; i++) {
		struct err e = {0};
		int64_t at = 0;
		dice_state = 7;
		json_t *job = job_new("2017-08-17T22:30:00Z", 2, "lsc", twice);
		json_t *t = json_array_get(json_object_get(job, "targets"), 0);
		json_object_set_new(t, "ra_deg", json_real(215)); /* up until after 2 h */
		assert_ok(utc_parse(took[i], &at, &e), &e);
		json_object_set_new(job, "existing", json_pack("[{s:s s:i s:s s:I s:[s,s] s:[f,f]}]", "target", "G0|0", "epoch", 1, "state", "done", "time_us", (json_int_t)at,
			"filters", "rp", "ip", "limit_mag", 21.5, 21.2));
		json_t *r = run(job), *q = find(r, "requests", "G0|0", 2);
		assert_non_null(q);
		assert_null(find(r, "requests", "G0|0", 1));
		int64_t slot = json_int(q, "slot_us", 0);
		assert_true(slot >= at + UTC_HOUR);
		assert_true(i == 0 || slot < at + UTC_HOUR + 45 * UTC_MINUTE);
		json_decref(r);
	}
}

/* Times that no clock shows, positions and depths that are none: said nothing, changed nothing. */
static void nonsense_changes_nothing(void **state)
{
	(void)state;
	double worth[2];
	for (int i = 0; i < 2; i++) {
		dice_state = 7;
		json_t *job = job_new("2017-08-17T22:30:00Z", 3, "lsc", twice);
		if (i == 1) {
			json_object_set_new(job, "covered", json_pack("[{s:s s:s s:f s:I} {s:s s:s s:f s:I} {s:f s:s s:f s:I} {s:s s:s s:I} s n {s:s s:s s:f}]", "target", "G0|0", "band", "r",
				"depth_mag", 26.0, "time_us", (json_int_t)INT64_MAX, "target", "G0|0", "band", "H", "depth_mag", 26.0, "time_us", (json_int_t)0, "ra_deg", 1e300, "band",
				"r", "depth_mag", 26.0, "time_us", (json_int_t)0, "target", "G0|0", "band", "r", "time_us", (json_int_t)0, "word", "target", "G0|0", "band", "r",
				"depth_mag", 26.0));
			json_object_set_new(job, "existing", json_pack("[{s:s s:i s:s s:I s:[s] s:[f]} {s:s s:i s:I s:s s:s}]", "target", "none", "epoch", 1, "state", "done",
				"time_us", (json_int_t)INT64_MIN + 5, "filters", "rp", "limit_mag", 21.0, "target", "nobody", "epoch", 2, "time_us", (json_int_t)INT64_MAX, "filters",
				"rp", "limit_mag", "deep"));
		}
		json_t *r = run(job);
		worth[i] = json_number(r, "worth", -1);
		json_decref(r);
	}
	assert_true(worth[0] > 0);
	assert_near(worth[1], worth[0], 1e-12);
}

static void depth_in_place_of_exposure(void **state)
{
	(void)state;
	static const char *const observe[] = {"[{\"epoch\":1,\"filters\":[\"rp\"],\"depth\":19.5}]", "[{\"epoch\":1,\"filters\":[\"rp\",\"ip\"],\"detect\":0.7,\"max_exposure_s\":900}]",
		"[{\"epoch\":1,\"filters\":[\"rp\"],\"depth\":24}]"};
	double near = 0, far = 0;
	for (int i = 0; i < 3; i++) {
		dice_state = 11;
		json_t *job = job_new("2017-08-17T22:30:00Z", 2, "lsc", observe[i]), *list = json_object_get(job, "targets"), *t, *q;
		size_t k;
		json_array_foreach(list, k, t) {
			json_object_set_new(t, "references", json_pack("{s:f s:f}", "r", 23.3, "i", 23.0));
			json_object_set_new(t, "distance_mpc", json_real(k ? 160 : 60));
		}
		json_t *r = run(job);
		for (int n = 0; n < 2; n++) {
			q = find(r, "requests", n ? "G1|1" : "G0|0", 1);
			assert_non_null(q);
			double limit = json_number_value(json_array_get(json_object_get(q, "limit_mag"), 0)), s = json_number(q, "exposure_s", 0);
			size_t filters = json_array_size(json_object_get(q, "filters"));
			assert_near(json_number(q, "duration_s", 0), 90 + (double)filters * (s + 28 + 2), 1e-6);
			assert_true(s >= 10 && s <= (i == 1 ? 900 : 600));
			if (i == 0)
				assert_near(limit, 19.5, s > 10 ? 0.3 : 2); /* computed for the window's best */
			if (i == 1)
				*(n ? &far : &near) = s;
			if (i == 2)
				assert_near(s, 600, 0); /* never reached: the most that is allowed */
		}
		json_decref(r);
	}
	assert_true(far > 2 * near);
}

static void dust_is_a_verdict(void **state)
{
	(void)state;
	dice_state = 3;
	json_t *job = job_new("2017-08-17T22:30:00Z", 3, "lsc", once);
	json_object_set_new(json_array_get(json_object_get(job, "targets"), 0), "ebv_mag", json_real(1.4));
	json_object_set_new(json_array_get(json_object_get(job, "targets"), 1), "ebv_mag", json_real(0.1));
	json_t *r = run(job), *v = find(r, "verdicts", "G0|0", 0);
	assert_string_equal(json_text(v, "code", ""), "reddened");
	assert_non_null(strstr(json_text(v, "detail", ""), "1.40"));
	assert_non_null(find(r, "requests", "G1|1", 1));
	assert_true(json_number(r, "worth", -1) > 0 && json_number(r, "worth", 0) <= json_number(r, "bound", 0));
	json_decref(r);
}

/* What a host knows of the sky around a target reaches the plan; the job stays as it was. */
static void reference_and_dust(const void *around, json_t *job)
{
	const double *ebv = around;
	json_t *target;
	size_t i;
	json_array_foreach(json_object_get(job, "targets"), i, target) {
		json_object_set_new(target, "ebv_mag", json_real(strcmp(json_text(target, "key", ""), "G0|0") == 0 ? *ebv : 0.05));
		json_object_set_new(target, "references", json_pack("{s:{s:s s:f} s:f}", "r", "survey", "wide", "depth_mag", 24.0, "i", 24.0));
	}
	json_object_set_new(job, "warning", json_string("what others did is not known"));
	json_object_set_new(job, "around", json_pack("{s:s}", "dust", "c0ffee"));
}

static void the_host_tells_of_the_sky(void **state)
{
	(void)state;
	double ebv = 2.5, limit[2];
	for (int i = 0; i < 2; i++) {
		struct compute_host host = {.around = i ? &ebv : NULL, .around_job = reference_and_dust};
		struct err e = {0};
		json_t *r = NULL;
		dice_state = 3;
		json_t *job = job_new("2017-08-17T22:30:00Z", 3, "lsc", once);
		assert_ok(compute_run(&host, job, &r, &e), &e);
		assert_null(json_object_get(json_array_get(json_object_get(job, "targets"), 0), "ebv_mag"));
		assert_string_equal(json_text(r, "warning", ""), i ? "what others did is not known" : "");
		assert_string_equal(json_text(json_object_get(r, "around"), "dust", ""), i ? "c0ffee" : ""); /* the journal says what was known */
		if (i == 1)
			assert_string_equal(json_text(find(r, "verdicts", "G0|0", 0), "code", ""), "reddened");
		const json_t *q = find(r, "requests", "G1|1", 1), *known = json_object_get(q, "reference"), *red = json_array_get(known, 0);
		limit[i] = json_number_value(json_array_get(json_object_get(q, "limit_mag"), 0));
		/* each pointing knows its reference image, by filter, or that there is none */
		assert_true(json_array_size(known) == 2 && json_is_null(red) == (i == 0));
		if (i == 1) {
			assert_string_equal(json_text(red, "survey", ""), "wide");
			assert_string_equal(json_text(red, "band", ""), "r");
			assert_near(json_number(json_array_get(known, 1), "depth_mag", 0), 24, 0);
			assert_null(json_text(json_array_get(known, 1), "survey", NULL)); /* a number alone has no name */
		}
		json_decref(r);
		json_decref(job);
	}
	assert_true(limit[1] > limit[0] + 1); /* with a reference to subtract */
}

/* The best colour of one visit and of two against every pair of different bands, for any margins: equal ones, missing bands, one band alone. */
static void colours_are_the_best_pair(void **state)
{
	(void)state;
	uint64_t x = 11;
	for (int i = 0; i < 4000; i++) {
		struct plan_sight s[2];
		struct plan_known k, two;
		for (int n = 0; n < 2; n++) {
			plan_sight_clear(&s[n], n * 20 * UTC_MINUTE);
			for (int b = 0; b < KILONOVA_BANDS; b++) {
				x = x * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
				if (x >> 40 & 1)
					s[n].margin[0][b] = (float)((int)(x >> 50 & 7) - 3); /* a few steps: often equal */
			}
		}
		float one = -INFINITY, both = -INFINITY, best[2] = {-INFINITY, -INFINITY};
		for (int a = 0; a < KILONOVA_BANDS; a++)
			for (int b = 0; b < KILONOVA_BANDS; b++) {
				best[0] = fmaxf(best[0], s[0].margin[0][a]);
				best[1] = fmaxf(best[1], s[1].margin[0][a]);
				if (a == b)
					continue;
				one = fmaxf(one, fminf(s[0].margin[0][a], s[0].margin[0][b]));
				both = fmaxf(both, fmaxf(fminf(s[1].margin[0][a], s[1].margin[0][b]), fminf(s[0].margin[0][a], s[1].margin[0][b])));
			}
		plan_known_clear(&k);
		plan_known_add(&k, s, 0, &s[0]);
		assert_true(k.kind[0] == one && k.detected[0] == best[0]);
		two = k;
		plan_known_add(&two, s, 1, &s[1]); /* 20 min: a colour, but no two detections apart; nothing has faded (mag is none) */
		assert_true(two.kind[0] == (isinf(best[1]) ? one : fmaxf(one, both)) && two.detected[0] == fmaxf(best[0], best[1]) && isinf(two.apart[0]));
	}
}

/* Angle between two positions, by the haversine [deg]. */
static double apart_deg(const json_t *a, const json_t *b)
{
	double d = M_PI / 180, x = sin((json_number(a, "dec_deg", 0) - json_number(b, "dec_deg", 0)) * d / 2);
	double y = sin((json_number(a, "ra_deg", 0) - json_number(b, "ra_deg", 0)) * d / 2);
	return 2 / d * asin(sqrt(x * x + cos(json_number(a, "dec_deg", 0) * d) * cos(json_number(b, "dec_deg", 0) * d) * y * y));
}

/* A telescope that needs 20 s a degree is given that time between any two of its visits, and after what is booked; one that needs none is not. */
static void the_way_takes_time(void **state)
{
	(void)state;
	size_t visits[2], waits = 0;
	for (int slow = 0; slow < 2; slow++) {
		dice_state = 11;
		json_t *job = job_new("2017-08-17T23:20:00Z", 12, "lsc", twice), *d = json_object_get(json_array_get(json_object_get(job, "facilities"), 0), "descriptor");
		json_t *targets = json_incref(json_object_get(job, "targets"));
		int64_t now = json_int(job, "now_us", 0);
		json_object_set_new(json_object_get(d, "overheads"), "slew_s_per_deg", json_real(slow ? 20 : 0));
		json_object_set_new(job, "booked", json_pack("[{s:s s:s s:I s:f s:f s:f}]", "facility", "lco", "site", "lsc", "slot_us", (json_int_t)now, "duration_s", 600.0,
			"ra_deg", 100.0, "dec_deg", -60.0));
		json_t *booked = json_incref(json_array_get(json_object_get(job, "booked"), 0)), *r = run(job), *list = json_object_get(r, "requests"), *a, *b;
		size_t i, k;
		visits[slow] = json_array_size(list);
		json_array_foreach(list, i, a) {
			const json_t *ta = NULL, *tb, *t;
			size_t n;
			json_array_foreach(targets, n, t)
				if (strcmp(json_text(t, "key", ""), json_text(a, "target", "")) == 0)
					ta = t;
			double first_s = (double)(json_int(a, "slot_us", 0) - now) / 1e6 - 600;
			assert_true(first_s >= (slow ? 20 * apart_deg(ta, booked) : 0) - 1e-3);
			json_array_foreach(list, k, b) {
				double free_s = (double)(json_int(b, "slot_us", 0) - json_int(a, "slot_us", 0)) / 1e6 - json_number(a, "duration_s", 0);
				tb = NULL;
				json_array_foreach(targets, n, t)
					if (strcmp(json_text(t, "key", ""), json_text(b, "target", "")) == 0)
						tb = t;
				if (i == k || json_int(b, "slot_us", 0) < json_int(a, "slot_us", 0))
					continue;
				assert_true(free_s >= (slow ? 20 * apart_deg(ta, tb) : 0) - 1e-3);
				waits += slow && free_s < 20 * apart_deg(ta, tb) + 1;
			}
		}
		assert_true(json_number(r, "worth", 0) <= json_number(r, "bound", 0));
		json_decref(booked);
		json_decref(targets);
		json_decref(r);
	}
	assert_true(visits[0] >= 4 && visits[1] >= 4 && visits[1] <= visits[0] && waits > 0); /* and no longer than needed, here and there */
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(margins_and_rules), cmocka_unit_test(colours_are_the_best_pair), cmocka_unit_test(lazy_is_eager), cmocka_unit_test(against_every_subset),
		cmocka_unit_test(covered_by_others), cmocka_unit_test(cadence_follows_what_happened), cmocka_unit_test(nonsense_changes_nothing), cmocka_unit_test(depth_in_place_of_exposure),
		cmocka_unit_test(dust_is_a_verdict), cmocka_unit_test(the_host_tells_of_the_sky),
		cmocka_unit_test(the_way_takes_time)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

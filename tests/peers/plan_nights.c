/* Twenty nights for tests/peers/plan_milp.py: what the plan chose and its bound, and every way to visit each target (start times on a grid, and
 * those that the plan took) with its worth. One JSON object a line. */
#include "engine/base/embed.h"
#include "engine/base/json.h"
#include "engine/base/utc.h"
#include "engine/request/plan_pick.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NIGHTS 20
#define TARGETS 8
#define STARTS 256 /* of one visit */

static uint32_t dice_state;
static double dice(void)
{
	dice_state = dice_state * 1664525u + 1013904223u;
	return (dice_state >> 8) / 16777216.0;
}

static json_t *descriptor(struct err *e)
{
	size_t len, i;
	const char *text = embed_find("facilities/lco.json", &len);
	json_t *d = json_read(text, len, &json_limits_config, e), *kept = json_array(), *s;
	json_array_foreach(json_object_get(d, "sites"), i, s)
		if (strstr("lsc cpt", json_text(s, "code", "?")) != NULL) {
			json_object_set_new(s, "telescopes", json_pack("[s]", "one"));
			json_array_append(kept, s);
		}
	json_object_set_new(d, "sites", kept);
	return d;
}

/* A merger five hours ago on any night of a year, eight galaxies anywhere, a purse for half of the visits or so. */
static json_t *job_new(struct err *e)
{
	json_int_t now = (json_int_t)((1483228800.0 + dice() * 365 * 86400) * 1e6);
	json_t *targets = json_array();
	for (int n = 0; n < TARGETS; n++) {
		char key[32];
		snprintf(key, sizeof key, "G%d|%d", n, n);
		json_array_append_new(targets, json_pack("{s:s s:s s:f s:f s:f s:f}", "key", key, "name", key, "ra_deg", 360 * dice(), "dec_deg", -70 + 80 * dice(), "share",
			0.3 * pow(dice(), 2) + 0.005, "distance_mpc", 50 + 150 * dice()));
	}
	json_t *policy = json_pack("{s:s s:{s:i} s:[{s:i s:[s,s] s:f} {s:i s:f s:[s,s] s:f}] s:[{s:s s:s s:s s:f}]}", "name", "t", "targets", "top", 60, "observe", "epoch", 1,
		"filters", "rp", "ip", "exposure_s", 300.0, "epoch", 2, "after_h", 1.0, "filters", "rp", "ip", "exposure_s", 300.0, "ladder", "programme", "too", "facility", "lco",
		"mode", "TIME_CRITICAL", "max_airmass", 2.0);
	return json_pack("{s:s s:s s:I s:I s:i s:{s:f s:f s:f} s:o s:o s:f s:[{s:s s:s s:o}] s:[{s:s s:s s:{s:f s:f s:f}}]}", "kind", "plan", "event", "E", "now_us", now,
		"event_us", now - 5 * (json_int_t)UTC_HOUR, "horizon_h", 24, "source", "p_bns", 0.7, "p_nsbh", 0.3, "has_remnant", 0.9, "targets", targets, "policy", policy,
		"event_left_h", 1.0 + 2.0 * dice(), "facilities", "name", "lco", "state", "open", "descriptor", descriptor(e), "programmes", "name", "too", "facility", "lco",
		"left_h", "NORMAL", 100.0, "TIME_CRITICAL", 100.0, "RAPID_RESPONSE", 100.0);
}

struct start {
	const struct plan_option *option;
	int64_t at_us;
};

/* Where a visit may begin: the grid of its site from the first window there, and what the plan took. */
static size_t starts_of(const struct plan_pick *p, const struct plan_visit *v, const int64_t first_us[], const struct plan_pick *chosen, struct start *out)
{
	size_t n = 0;
	for (size_t i = v->first; i < v->first + v->count; i++) {
		const struct plan_option *o = &p->option[i];
		int64_t step = (int64_t)(o->duration_s * 1e6), t = first_us[o->site];
		for (; t + step <= o->window.end_us; t += step)
			if (t >= o->window.start_us && t >= p->job->epoch[v->epoch].start_us && n < STARTS)
				out[n++] = (struct start){o, t};
	}
	const struct plan_visit *same = &chosen->visit[v - p->visit];
	if (same->state == PLAN_CHOSEN && n < STARTS)
		out[n++] = (struct start){&p->option[same->best.option - chosen->option], same->best.slot_us};
	return n;
}

static void chain_add(json_t *list, size_t target, double worth, const struct start *a, const struct start *b)
{
	json_t *visits = json_array();
	for (const struct start *s = a; s != NULL; s = s == a ? b : NULL)
		json_array_append_new(visits, json_pack("[i,f,f]", s->option->site, (double)s->at_us / 1e6, (double)s->at_us / 1e6 + s->option->duration_s));
	json_array_append_new(list, json_pack("[I,f,o]", (json_int_t)target, worth, visits));
}

/* Every first visit, alone or followed; every second one alone. */
static void chains_of(const struct plan_pick *p, size_t target, const int64_t first_us[], const struct plan_pick *chosen, json_t *list)
{
	const struct plan_visit *one = &p->visit[2 * target], *two = one + 1;
	struct start *a = calloc(STARTS, sizeof *a), *b = calloc(STARTS, sizeof *b);
	size_t na = starts_of(p, one, first_us, chosen, a), nb = starts_of(p, two, first_us, chosen, b);
	struct plan_sight kept[2];
	struct plan_past none = {.sight = kept}, past;
	struct plan_look first, second;
	plan_known_clear(&none.known);
	for (size_t i = 0; i < na; i++) {
		plan_look(p, one, a[i].option, a[i].at_us, &none, &first);
		chain_add(list, target, first.worth, &a[i], NULL);
		past = none;
		plan_past_add(&past, &first.sight);
		for (size_t k = 0; k < nb; k++)
			if (b[k].at_us >= a[i].at_us + UTC_HOUR) {
				plan_look(p, two, b[k].option, b[k].at_us, &past, &second);
				chain_add(list, target, first.worth + second.worth, &a[i], &b[k]);
			}
	}
	for (size_t k = 0; k < nb; k++) {
		plan_look(p, two, b[k].option, b[k].at_us, &none, &second);
		chain_add(list, target, second.worth, &b[k], NULL);
	}
	free(a);
	free(b);
}

static int night(uint32_t seed, struct err *e)
{
	dice_state = seed * 7919;
	json_t *job = job_new(e), *chains = json_array();
	struct plan_job *j[2] = {calloc(1, sizeof **j), calloc(1, sizeof **j)};
	struct plan_pick *p[2] = {calloc(1, sizeof **p), calloc(1, sizeof **p)}; /* as it was, and after the choice */
	int64_t first_us[VISIBILITY_SITES];
	int rc = 0;
	for (int i = 0; i < 2 && rc == 0; i++)
		rc = plan_job_read(job, j[i], e) < 0 || plan_pick_new(j[i], p[i], e) < 0 ? -1 : 0;
	if (rc == 0) {
		plan_pick_run(p[1]);
		for (size_t s = 0; s < VISIBILITY_SITES; s++)
			first_us[s] = INT64_MAX;
		for (size_t i = 0; i < p[0]->options; i++)
			if (p[0]->option[i].window.start_us < first_us[p[0]->option[i].site])
				first_us[p[0]->option[i].site] = p[0]->option[i].window.start_us;
		for (size_t t = 0; t < TARGETS; t++)
			chains_of(p[0], t, first_us, p[1], chains);
		json_t *out = json_pack("{s:i s:f s:f s:f s:I s:O}", "night", (int)seed, "greedy", p[1]->total_worth, "bound", p[1]->bound, "budget_s",
			json_number(job, "event_left_h", 0) * 3600, "visits", (json_int_t)p[1]->chosen, "chains", chains);
		json_dumpf(out, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(out);
	}
	for (int i = 0; i < 2; i++) {
		plan_pick_free(p[i]);
		plan_job_free(j[i]);
		free(p[i]);
		free(j[i]);
	}
	json_decref(chains);
	json_decref(job);
	return rc;
}

int main(void)
{
	struct err e = {0};
	for (uint32_t seed = 1; seed <= NIGHTS; seed++)
		if (night(seed, &e) < 0) {
			fprintf(stderr, "plan_nights: %s\n", e.text);
			return 1;
		}
	return 0;
}

/* What no plan of these visits could exceed.
 *
 * For each target and each n the most that its first n epochs could be worth: light in the best conditions of their windows with the rules
 * of time and fade kept, airmass at its lowest, at the earliest time of any of them; for at least the shortest durations. Then telescopes are
 * forgotten, and of all these pieces the best per hour are taken until the hours are spent, the last one in part: the linear relaxation of
 * a knapsack with the upper concave hull of each target's pieces (Sinha & Zoltners 1979, Operations Research 27, 503), which is never below the
 * best whole choice. Hours: the least of the budgets, of what the programmes have in all modes, and of what the telescopes stand open. */
#include "engine/request/plan_pick.h"
#include <math.h>
#include <stdlib.h>

struct piece {
	double hours, worth;
};

/* Steepest first; sorted by worth per hour. Ties in any order: their sum is the same but for rounding, so position decides. */
static int steeper(const void *a, const void *b)
{
	const struct piece *x = a, *y = b;
	double l = x->worth * y->hours, r = y->worth * x->hours;
	return l > r ? -1 : l < r ? 1 : x->worth > y->worth ? -1 : x->worth < y->worth ? 1 : 0;
}

/* Pieces of one target: its concave hull from (0, 0), appended to out. */
static size_t pieces_of(const struct plan_pick *p, const struct plan_visit *first, size_t epochs, struct piece *out)
{
	struct piece sum = {0, 0};
	struct plan_past past = p->past[first->target];
	double early = 0, host = p->job->target[first->target].host, light = 0, rest = 0;
	size_t n = 0;
	for (size_t k = 0; k < epochs; k++) {
		const struct plan_visit *v = &first[k];
		if (v->state != PLAN_OPEN || v->count == 0)
			continue;
		double whole = plan_hope(p, v, &past) / fmax(v->hope_early, 1e-300), gained = host * plan_hope_light(p, v, &past);
		early = fmax(early, v->hope_early);
		light += gained;
		rest += fmax(0, whole - gained) * v->hope_early; /* what does not hang on the visits before it */
		plan_known_hope(&past.known, &v->hope);
		struct piece at = {sum.hours + v->hope_s / 3600.0, (light * early + rest) * (1 + 1e-9)};
		struct piece step = {at.hours - sum.hours, at.worth - sum.worth};
		while (n > 0 && steeper(&step, &out[n - 1]) < 0) { /* the hull: a steeper step swallows the one before it */
			n--;
			step.hours += out[n].hours;
			step.worth += out[n].worth;
		}
		out[n++] = step;
		sum = at;
	}
	return n;
}

/* Hours of telescopes that are open for any visit, and of the programmes that could pay. */
static double hours_open(const struct plan_pick *p)
{
	const struct plan_job *j = p->job;
	int64_t from[PLAN_FACILITIES][VISIBILITY_SITES], to[PLAN_FACILITIES][VISIBILITY_SITES];
	double open = 0, paid = 0;
	for (size_t f = 0; f < j->facilities; f++)
		for (size_t s = 0; s < VISIBILITY_SITES; s++) {
			from[f][s] = INT64_MAX;
			to[f][s] = INT64_MIN;
		}
	for (size_t i = 0; i < p->options; i++) {
		const struct plan_option *o = &p->option[i];
		int64_t *a = &from[o->facility][o->site], *b = &to[o->facility][o->site];
		*a = o->window.start_us < *a ? o->window.start_us : *a;
		*b = o->window.end_us > *b ? o->window.end_us : *b;
	}
	for (size_t f = 0; f < j->facilities; f++)
		for (size_t s = 0; s < j->facility[f].sites; s++)
			if (to[f][s] > from[f][s])
				open += (double)(to[f][s] - from[f][s]) / 3600e6 * j->facility[f].site[s].telescopes;
	for (size_t i = 0; i < j->programmes; i++)
		for (int m = 0; m < PLAN_MODES; m++)
			paid += fmax(0, j->programme[i].left_h[m]);
	return fmin(fmin(open, paid), fmax(0, fmin(j->semester_left_h, fmin(j->event_left_h, j->night_left_h))));
}

double plan_bound(const struct plan_pick *p)
{
	size_t epochs = p->job->epochs, n = 0;
	struct piece *piece = epochs ? calloc(p->visits + 1, sizeof *piece) : NULL;
	double hours = hours_open(p), sum = 0;
	if (piece == NULL)
		return epochs ? INFINITY : 0;
	for (size_t t = 0; t < p->job->targets; t++)
		n += pieces_of(p, &p->visit[t * epochs], epochs, &piece[n]);
	qsort(piece, n, sizeof *piece, steeper);
	for (size_t i = 0; i < n && hours > 0; i++) {
		sum += piece[i].worth * fmin(1, piece[i].hours > 0 ? hours / piece[i].hours : 1);
		hours -= piece[i].hours;
	}
	free(piece);
	return sum;
}

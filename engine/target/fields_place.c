/* Where to put the frame about a galaxy so that it holds most: see fields.h.
 *
 * In the plane about the seed a frame of half sides X, Y holds a galaxy (u, v) with a circle r when |u − cu| ≤ X − r and |v − cv| ≤ Y − r. A best
 * frame can be pushed along u until one galaxy is at its limit: with the seed as that one, cu is known, and cv is where most stretches
 * [v − (Y − r), v + (Y − r)] overlap: one sort. What is found is moved to the middle of its freedom and weighed exactly on the sphere. */
#include "engine/target/fields_parts.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MARGIN 1e-4 /* of a half side: what the plane about the seed costs against the plane of the frame */

static double dot(const double a[3], const double b[3])
{
	return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

double fields_gain_galaxies(const struct fields_work *w, double ra_deg, double dec_deg)
{
	struct footprint_at at;
	double sum = 0, near = cos(fmin(M_PI, w->task->footprint->reach_rad));
	footprint_point_at(w->task->footprint, ra_deg, dec_deg, &at);
	for (size_t i = 0; i < w->stars; i++)
		if (w->star[i].field < 0 && dot(w->star[i].v, at.centre) >= near && footprint_holds_circle(&at, w->star[i].v, w->star[i].circle))
			sum += w->star[i].weight;
	return sum;
}

/* Galaxies that could share a frame with the seed, in the frame's own axes about a place. scale: of the half sides. Returns how many. */
static size_t neighbours(struct fields_work *w, const struct footprint_at *at, double scale)
{
	const struct footprint *f = w->task->footprint;
	double near = cos(fmin(M_PI / 2, 2 * f->reach_rad));
	size_t n = 0;
	for (size_t i = 0; i < w->stars; i++) {
		const struct fields_star *s = &w->star[i];
		struct footprint_point p;
		if (s->field >= 0 || dot(s->v, at->centre) < near || !footprint_plane(at, s->v, &p))
			continue;
		double r = tan(s->circle), *out = w->plane[n];
		out[0] = p.x * f->cos_pa - p.y * f->sin_pa;
		out[1] = p.x * f->sin_pa + p.y * f->cos_pa;
		out[2] = (f->half_x * scale - r) * (1 - MARGIN);
		out[3] = (f->half_y * scale - r) * (1 - MARGIN);
		if (out[2] > 0 && out[3] > 0)
			w->near[n++] = i;
	}
	return n;
}

static int end_compare(const void *a, const void *b)
{
	const struct fields_end *p = a, *q = b;
	if (p->at != q->at)
		return (p->at > q->at) - (p->at < q->at);
	return (p->weight < q->weight) - (p->weight > q->weight); /* a stretch that begins comes before one that ends */
}

/* The v where most of the galaxies held at cu overlap. */
static double best_v(struct fields_work *w, size_t n, double cu)
{
	size_t ends = 0;
	double sum = 0, most = 0, v = 0;
	for (size_t i = 0; i < n; i++) {
		const double *p = w->plane[i], weight = w->star[w->near[i]].weight;
		if (fabs(p[0] - cu) > p[2] * (1 + 1e-12) || weight <= 0)
			continue;
		w->end[ends++] = (struct fields_end){p[1] - p[3], weight};
		w->end[ends++] = (struct fields_end){p[1] + p[3], -weight};
	}
	qsort(w->end, ends, sizeof *w->end, end_compare);
	for (size_t i = 0; i < ends; i++) {
		sum += w->end[i].weight;
		if (w->end[i].weight > 0 && sum > most) {
			most = sum;
			v = w->end[i].at;
		}
	}
	return v;
}

/* The middle of the places at which all that is held at (cu, cv) stays held. */
static struct footprint_point freedom(struct fields_work *w, size_t n, double cu, double cv)
{
	double low[2] = {-INFINITY, -INFINITY}, high[2] = {INFINITY, INFINITY};
	for (size_t i = 0; i < n; i++) {
		const double *p = w->plane[i];
		if (fabs(p[0] - cu) > p[2] * (1 + 1e-12) || fabs(p[1] - cv) > p[3] * (1 + 1e-12))
			continue;
		for (int k = 0; k < 2; k++) {
			low[k] = fmax(low[k], p[k] - p[2 + k]);
			high[k] = fmin(high[k], p[k] + p[2 + k]);
		}
	}
	if (!isfinite(low[0]) || !isfinite(low[1]))
		return (struct footprint_point){cu, cv};
	return (struct footprint_point){(low[0] + high[0]) / 2, (low[1] + high[1]) / 2};
}

static void place_try(struct fields_work *w, const struct footprint_at *at, struct footprint_point own, struct fields_spot *s)
{
	const struct footprint *f = w->task->footprint;
	const struct footprint_point p = {own.x * f->cos_pa + own.y * f->sin_pa, own.y * f->cos_pa - own.x * f->sin_pa};
	double ra, dec;
	footprint_sky(at, p, &ra, &dec);
	double gain = fields_gain_galaxies(w, ra, dec);
	if (gain > s->gain) {
		s->gain = gain;
		s->ra_deg = ra;
		s->dec_deg = dec;
	}
}

/* Another frame's axes turn as it moves: once more in the plane of what was found. */
static void place_again(struct fields_work *w, double scale, struct fields_spot *s)
{
	struct footprint_at at;
	footprint_point_at(w->task->footprint, s->ra_deg, s->dec_deg, &at);
	size_t n = neighbours(w, &at, scale);
	place_try(w, &at, freedom(w, n, 0, best_v(w, n, 0)), s);
}

/* Gaps and round corners: a few steps to all sides, ever smaller, as long as they gain. */
static void place_shake(struct fields_work *w, struct fields_spot *s)
{
	static const double steps[] = {0.3, 0.15, 0.06, 0.02}; /* of the half sides */
	const struct footprint *f = w->task->footprint;
	for (size_t k = 0; k < sizeof steps / sizeof steps[0]; k++)
		for (int again = 0; again < 3; again++) {
			double before = s->gain;
			struct footprint_at at;
			footprint_point_at(f, s->ra_deg, s->dec_deg, &at);
			for (int way = 0; way < 9; way++)
				place_try(w, &at, (struct footprint_point){(way % 3 - 1) * steps[k] * f->half_x, (way / 3 - 1) * steps[k] * f->half_y}, s);
			if (!(s->gain > before))
				break;
		}
}

void fields_place(struct fields_work *w, struct fields_spot *s)
{
	const struct fields_galaxy *g = &w->task->galaxy[s->seed];
	const struct footprint *f = w->task->footprint;
	bool plain = f->points == 4 && f->chips == 0;
	int shrinks = plain ? 1 : 3; /* a frame that is no rectangle holds no box of its full size */
	struct footprint_at at;
	footprint_point_at(f, g->ra_deg, g->dec_deg, &at);
	s->ra_deg = g->ra_deg;
	s->dec_deg = g->dec_deg;
	s->gain = fields_gain_galaxies(w, g->ra_deg, g->dec_deg);
	for (int k = 0; k < shrinks; k++) {
		double scale = 1 - 0.15 * k;
		size_t n = neighbours(w, &at, scale);
		for (size_t i = 0; i < n; i++) {
			if (w->near[i] != (size_t)s->seed)
				continue;
			double cu = w->plane[i][0] + w->plane[i][2];
			place_try(w, &at, freedom(w, n, cu, best_v(w, n, cu)), s);
			break;
		}
		if (n > 1)
			place_again(w, scale, s);
	}
	if (!plain)
		place_shake(w, s);
}

/* The sky that no galaxy explains: how much of it a pointing holds, where to look for it, and the region as a whole: see fields.h. */
#include "engine/target/fields_parts.h"
#include "engine/target/region.h"
#include <chealpix.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DEG (180.0 / M_PI)
#define FINER      3 /* orders: cells that count what was taken */
#define GRID_MOST  5e7 /* places of the whole sky's grid, a minute: frames of 1.8 arcmin */
#define GRID_ORDER 6 /* of the coarse picture of where something is missing */

/* About 200 cells in a frame. */
int fields_order(const struct footprint *f)
{
	int order = 4;
	while (order < 20 && skymap_pixel_sr(order) * DEG * DEG > f->area_deg2 / 200)
		order++;
	return order;
}

struct fields_work fields_work_of(const struct fields_task *t)
{
	int order = fields_order(t->footprint);
	return (struct fields_work){.task = t, .search = {.order = order}, .count = {.order = order + FINER}};
}

int fields_coverage_order(const struct footprint *f)
{
	return fields_order(f) + 4;
}

int64_t fields_cell(const struct skymap *m, uint64_t ipix29)
{
	int64_t low = 0, high = m->cells;
	while (low < high) {
		int64_t middle = low + (high - low) / 2;
		uint64_t end = skymap_first(m->uniq[middle]) + (UINT64_C(1) << (2 * (29 - skymap_order(m->uniq[middle]))));
		if (end <= ipix29)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* What is missing within [first, end) of order 29; *cell moves along. */
static double missing_between(const struct fields_task *t, uint64_t first, uint64_t end, int64_t *cell)
{
	const struct skymap *m = t->map;
	double sum = 0;
	for (; *cell < m->cells; ++*cell) {
		uint64_t a = skymap_first(m->uniq[*cell]), size = UINT64_C(1) << (2 * (29 - skymap_order(m->uniq[*cell])));
		uint64_t from = a > first ? a : first, to = a + size < end ? a + size : end;
		if (from < to)
			sum += t->missing[*cell] * ((double)(to - from) / (double)size);
		if (a + size > end)
			break; /* it may hold the next pixel, too */
	}
	return sum;
}

static size_t slot_of(const struct fields_covered *c, uint64_t ipix)
{
	size_t at = (size_t)((ipix + 1) * 0x9E3779B97F4A7C15u >> 20) & (c->cap - 1);
	while (c->slot[at] != 0 && c->slot[at] != ipix + 1)
		at = (at + 1) & (c->cap - 1);
	return at;
}

static int covered_add(struct fields_covered *c, uint64_t ipix, struct err *e)
{
	if (2 * c->count >= c->cap) {
		struct fields_covered more = *c;
		more.cap = c->cap ? 2 * c->cap : 4096;
		more.slot = calloc(more.cap, sizeof *more.slot);
		if (more.slot == NULL)
			return err_set(e, ERR_MEMORY, "no memory for the sky that fields cover");
		for (size_t i = 0; i < c->cap; i++)
			if (c->slot[i] != 0)
				more.slot[slot_of(&more, c->slot[i] - 1)] = c->slot[i];
		free(c->slot);
		*c = more;
	}
	size_t at = slot_of(c, ipix);
	c->count += c->slot[at] == 0;
	c->slot[at] = ipix + 1;
	return 0;
}

struct summing {
	const struct fields_task *task;
	struct fields_covered *covered;
	int64_t cell; /* of the map; −1: not looked for */
	bool take;
	double sum;
	struct err *e;
};

static int sky_cell(void *ctx, int order, uint64_t ipix)
{
	struct summing *s = ctx;
	struct fields_covered *c = s->covered;
	uint64_t shift = 2 * (uint64_t)(c->order - order), up = 2 * (uint64_t)(MOC_ORDER - c->order);
	for (uint64_t p = ipix << shift; p < (ipix + 1) << shift; p++) {
		if (c->cap > 0 && c->slot[slot_of(c, p)] != 0)
			continue;
		if (s->cell < 0)
			s->cell = fields_cell(s->task->map, p << up);
		s->sum += missing_between(s->task, p << up, (p + 1) << up, &s->cell);
		if (s->take && covered_add(c, p, s->e) < 0)
			return -1;
	}
	return 0;
}

static int sky_sum(const struct fields_task *t, struct fields_covered *c, const struct footprint_at *at, bool take, double *sum, struct err *e)
{
	struct summing s = {.task = t, .covered = c, .cell = -1, .take = take, .e = e};
	*sum = 0;
	if (t->map == NULL || t->missing == NULL)
		return 0;
	if (footprint_cells(at, c->order, sky_cell, &s) != 0)
		return -1;
	*sum = s.sum;
	return 0;
}

int fields_sky(struct fields_work *w, const struct footprint_at *at, bool take, double *sum, struct err *e)
{
	if (sky_sum(w->task, &w->search, at, take, sum, e) < 0)
		return -1;
	return take ? sky_sum(w->task, &w->count, at, true, sum, e) : 0;
}

int fields_sky_count(struct fields_work *w, const struct footprint_at *at, double *sum, struct err *e)
{
	return sky_sum(w->task, &w->count, at, false, sum, e);
}

/* Grid ------------------------------------------------------------------------------------------------------------------------ */

/* How dense it is where something is missing, by pixels of GRID_ORDER: the densest map cell that touches each. */
static int coarse_picture(const struct fields_task *t, double *dense)
{
	const struct skymap *m = t->map;
	memset(dense, 0, (12u << (2 * GRID_ORDER)) * sizeof *dense);
	for (int64_t i = 0; i < m->cells; i++) {
		int order = skymap_order(m->uniq[i]);
		uint64_t first = skymap_first(m->uniq[i]) >> (2 * (29 - GRID_ORDER));
		uint64_t count = order >= GRID_ORDER ? 1 : UINT64_C(1) << (2 * (GRID_ORDER - order));
		double d = t->missing[i] / skymap_pixel_sr(order);
		for (uint64_t p = first; p < first + count; p++)
			dense[p] = fmax(dense[p], d);
	}
	return 0;
}

struct grid {
	const struct fields_task *task;
	double *dense, step_x, step_y, least;
	struct fields_spot *spot;
	size_t count, cap;
};

static double density_at(const struct fields_task *t, const double v[3])
{
	int64_t ipix;
	vec2pix_nest64(INT64_C(1) << MOC_ORDER, v, &ipix);
	int64_t cell = fields_cell(t->map, (uint64_t)ipix);
	if (cell >= t->map->cells || skymap_first(t->map->uniq[cell]) > (uint64_t)ipix)
		return 0;
	return t->missing[cell] / skymap_pixel_sr(skymap_order(t->map->uniq[cell]));
}

/* The most of what is missing in the middle and half-way to the corners. */
static double density_near(const struct grid *g, double ra, double dec)
{
	struct footprint_at at;
	double most = 0, v[3];
	int64_t coarse;
	footprint_vector(ra, dec, v);
	vec2pix_nest64(INT64_C(1) << GRID_ORDER, v, &coarse);
	footprint_point_at(g->task->footprint, ra, dec, &at);
	bool empty = g->dense[coarse] < g->least;
	for (int k = 0; k < 5; k++) {
		double x = k == 0 ? 0 : (k & 1 ? g->step_x : -g->step_x) / 4, y = k == 0 ? 0 : (k & 2 ? g->step_y : -g->step_y) / 4;
		for (int c = 0; c < 3; c++)
			v[c] = at.centre[c] + x * at.east[c] + y * at.north[c];
		if (empty) { /* its corners may lie in another pixel of the coarse picture */
			vec2pix_nest64(INT64_C(1) << GRID_ORDER, v, &coarse);
			if (g->dense[coarse] < g->least)
				continue;
		}
		most = fmax(most, density_at(g->task, v));
	}
	return most;
}

static int grid_point(struct grid *g, double ra, double dec, struct err *e)
{
	double most = density_near(g, ra, dec);
	if (!(most > 0) || most < g->least)
		return 0;
	if (g->count == g->cap) {
		size_t cap = g->cap ? 2 * g->cap : 1024;
		struct fields_spot *more = realloc(g->spot, cap * sizeof *more);
		if (more == NULL)
			return err_set(e, ERR_MEMORY, "no memory for %zu fields", cap);
		g->spot = more;
		g->cap = cap;
	}
	g->spot[g->count++] = (struct fields_spot){.ra_deg = ra, .dec_deg = dec, .gain = most, .kind = FIELD_TILE, .seed = -1, .stale = true};
	return 0;
}

static int denser(const void *a, const void *b)
{
	const struct fields_spot *p = a, *q = b;
	if (p->gain != q->gain)
		return (p->gain < q->gain) - (p->gain > q->gain);
	if (p->dec_deg != q->dec_deg)
		return (p->dec_deg > q->dec_deg) - (p->dec_deg < q->dec_deg);
	return (p->ra_deg > q->ra_deg) - (p->ra_deg < q->ra_deg);
}

/* Rows of declination a box apart, in each as many boxes as its wider edge needs: nine tenths of the frame's area a box, so that they overlap. */
int fields_tiles(const struct fields_task *t, struct fields_spot **spots, size_t *count, struct err *e)
{
	const struct footprint *f = t->footprint;
	double scale = sqrt(0.9 * f->area_deg2 / DEG / DEG / (4 * f->half_x * f->half_y)), area;
	struct skymap lacking = *t->map;
	double *density = malloc((size_t)t->map->cells * sizeof *density), total = 0;
	struct grid g = {.task = t, .step_x = 2 * f->half_x * scale, .step_y = 2 * f->half_y * scale, .dense = malloc((12u << (2 * GRID_ORDER)) * sizeof *g.dense)};
	int rc = density && g.dense ? 0 : err_set(e, ERR_MEMORY, "no memory for the tiles of a sky map");
	if (rc == 0 && 4 * M_PI / (g.step_x * g.step_y) > GRID_MOST)
		rc = err_set(e, ERR_LIMIT, "a frame of %.2g deg2 is too small to tile a sky with; take the galaxies alone, or a larger camera", f->area_deg2);
	for (int64_t i = 0; rc == 0 && i < t->map->cells; i++) {
		density[i] = t->missing[i] / skymap_pixel_sr(skymap_order(t->map->uniq[i]));
		total += t->missing[i];
	}
	lacking.density = density;
	if (rc == 0) {
		coarse_picture(t, g.dense);
		rc = region_area(&lacking, total * 0.99, &area, &g.least, e); /* the last hundredth is spread over half the sky */
	}
	int rows = (int)ceil(M_PI / g.step_y);
	for (int r = 0; rc == 0 && total > 0 && r < rows; r++) {
		double dec = -M_PI_2 + (r + 0.5) * M_PI / rows, edge = fmin(fabs(dec), fmax(0, fabs(dec) - M_PI / rows / 2));
		int boxes = (int)ceil(2 * M_PI * cos(edge) / g.step_x);
		for (int k = 0; rc == 0 && k < boxes; k++)
			rc = grid_point(&g, 360.0 * k / boxes, dec * DEG, e);
	}
	if (rc == 0 && g.count > 0) {
		qsort(g.spot, g.count, sizeof *g.spot, denser);
		g.count = g.count > FIELDS_TILES ? FIELDS_TILES : g.count;
	}
	free(density);
	free(g.dense);
	*spots = g.spot;
	*count = g.count;
	return rc;
}

/* Region ---------------------------------------------------------------------------------------------------------------------- */

int fields_region(const struct fields_task *t, double *ra_deg, double *dec_deg, double *held, struct err *e)
{
	const struct skymap *m = t->map;
	double least, area, sum[3] = {0, 0, 0};
	struct footprint_at at;
	*held = 0;
	if (region_area(m, t->level, &area, &least, e) < 0)
		return -1;
	if (area > 4 * t->footprint->area_deg2) /* not even without its gaps */
		return 0;
	for (int64_t i = 0; i < m->cells; i++) {
		int order = skymap_order(m->uniq[i]);
		double v[3];
		if (m->density[i] < least || !(m->density[i] > 0))
			continue;
		pix2vec_nest64(INT64_C(1) << order, (int64_t)(m->uniq[i] - (UINT64_C(4) << (2 * order))), v);
		for (int k = 0; k < 3; k++)
			sum[k] += v[k] * m->density[i] * skymap_pixel_sr(order);
	}
	double ra = atan2(sum[1], sum[0]) * DEG;
	*ra_deg = ra < 0 ? ra + 360 : ra;
	*dec_deg = atan2(sum[2], hypot(sum[0], sum[1])) * DEG;
	footprint_point_at(t->footprint, *ra_deg, *dec_deg, &at);
	double *all = malloc((size_t)m->cells * sizeof *all);
	if (all == NULL)
		return err_set(e, ERR_MEMORY, "no memory for a region");
	for (int64_t i = 0; i < m->cells; i++)
		all[i] = m->density[i] * skymap_pixel_sr(skymap_order(m->uniq[i]));
	const struct fields_task whole = {.footprint = t->footprint, .map = m, .missing = all};
	struct fields_work w = fields_work_of(&whole);
	int rc = fields_sky_count(&w, &at, held, e);
	free(all);
	return rc;
}

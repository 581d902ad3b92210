/* The greedy choice of pointings: see fields.h. Placing: fields_place.c; the sky: fields_sky.c. */
#include "engine/target/fields.h"
#include "engine/target/cosmology.h"
#include "engine/target/fields_parts.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DEG (180.0 / M_PI)
#define NOTHING 1e-12 /* a field that adds less is none */

const char *fields_kind_name(enum fields_kind k)
{
	static const char *const names[] = {"region", "packed", "tile", "kept"};
	return names[k];
}

double fields_circle_rad(const struct footprint *f, double distance_mpc)
{
	double most = 0.9 * f->inner_rad, z = distance_mpc * COSMOLOGY_H0 / LIGHT_KM_S;
	double r = distance_mpc > 0 && isfinite(distance_mpc) ? atan(FIELDS_GALAXY_KPC / 1000 * (1 + z) * (1 + z) / distance_mpc) : 1.0 / 60 / DEG;
	return fmin(r, most);
}

void fields_free(struct fields *f)
{
	free(f->list);
	free(f->member);
	free(f->in);
	*f = (struct fields){0};
}

int fields_gain(struct fields_work *w, struct fields_spot *s, int take, struct err *e)
{
	struct footprint_at at;
	double near = cos(w->task->footprint->reach_rad), *c = at.centre;
	footprint_point_at(w->task->footprint, s->ra_deg, s->dec_deg, &at);
	s->galaxies = 0;
	for (size_t i = 0; i < w->stars; i++) {
		const double *v = w->star[i].v;
		if (w->star[i].field < 0 && v[0] * c[0] + v[1] * c[1] + v[2] * c[2] >= near && footprint_holds_circle(&at, v, w->star[i].circle)) {
			s->galaxies += w->star[i].weight;
			if (take >= 0)
				w->star[i].field = take;
		}
	}
	if (fields_sky(w, &at, take >= 0, &s->sky, e) < 0)
		return -1;
	s->gain = s->galaxies + s->sky;
	s->stale = false;
	return 0;
}

/* Setting up ------------------------------------------------------------------------------------------------------------------ */

static void work_free(struct fields_work *w)
{
	free(w->star);
	free(w->spot);
	free(w->search.slot);
	free(w->count.slot);
	free(w->plane);
	free(w->near);
	free(w->end);
	*w = (struct fields_work){0};
}

static int stars_new(const struct fields_task *t, struct fields_work *w, struct err *e)
{
	size_t n = t->galaxies + 1;
	w->star = calloc(n, sizeof *w->star);
	w->plane = calloc(n, sizeof *w->plane);
	w->near = calloc(n, sizeof *w->near);
	w->end = calloc(2 * n, sizeof *w->end);
	if (!w->star || !w->plane || !w->near || !w->end)
		return err_set(e, ERR_MEMORY, "no memory for fields of %zu galaxies", t->galaxies);
	w->stars = t->galaxies;
	for (size_t i = 0; i < w->stars; i++) {
		const struct fields_galaxy *g = &t->galaxy[i];
		struct fields_star *s = &w->star[i];
		footprint_vector(g->ra_deg, g->dec_deg, s->v);
		s->circle = fields_circle_rad(t->footprint, g->distance_mpc);
		s->weight = g->probability > 0 && isfinite(g->probability) ? g->probability : 0;
		s->field = -1;
	}
	return 0;
}

/* The grid and what each of its points holds while nothing is taken: the same for every way to choose. */
struct grid {
	struct fields_spot *spot;
	size_t count;
};

static int grid_new(const struct fields_task *t, struct grid *g, struct err *e)
{
	struct fields_work w = fields_work_of(t);
	*g = (struct grid){0};
	if (t->map == NULL || t->missing == NULL)
		return 0;
	int rc = fields_tiles(t, &g->spot, &g->count, e) < 0 || stars_new(t, &w, e) < 0 ? -1 : 0;
	for (size_t i = 0; rc == 0 && i < g->count; i++)
		rc = fields_gain(&w, &g->spot[i], -1, e);
	work_free(&w);
	return rc;
}

/* No frame that holds a galaxy holds more than this: all galaxies within two frames' reach, and the densest sky all over its chips. */
static double most_about(const struct fields_work *w, size_t seed, double dense)
{
	const double *c = w->star[seed].v, near = cos(fmin(M_PI, 2 * w->task->footprint->reach_rad));
	double sum = 0;
	for (size_t i = 0; i < w->stars; i++)
		if (w->star[i].v[0] * c[0] + w->star[i].v[1] * c[1] + w->star[i].v[2] * c[2] >= near)
			sum += w->star[i].weight;
	return sum + dense * w->task->footprint->area_deg2 / DEG / DEG * 1.5; /* the cells of a frame are those whose centres it holds: more than its area by some */
}

static double densest(const struct fields_task *t)
{
	double most = 0;
	for (int64_t i = 0; t->map != NULL && t->missing != NULL && i < t->map->cells; i++)
		most = fmax(most, t->missing[i] / skymap_pixel_sr(skymap_order(t->map->uniq[i])));
	return most;
}

/* Candidates: what was before, a placement a galaxy, the grid. */
static int spots_new(const struct fields_task *t, bool centred, const struct grid *g, struct fields_work *w, struct err *e)
{
	w->spot = calloc(t->olds + t->galaxies + g->count + 1, sizeof *w->spot);
	if (w->spot == NULL)
		return err_set(e, ERR_MEMORY, "no memory for the candidates of fields");
	for (size_t i = 0; i < t->olds; i++)
		w->spot[w->spots++] = (struct fields_spot){.ra_deg = t->old[i].ra_deg, .dec_deg = t->old[i].dec_deg, .kind = FIELD_KEPT, .seed = -1,
			.stale = true, .gain = INFINITY, .preferred = true};
	double dense = densest(t);
	for (size_t i = 0; i < t->galaxies; i++)
		w->spot[w->spots++] = (struct fields_spot){.ra_deg = t->galaxy[i].ra_deg, .dec_deg = t->galaxy[i].dec_deg, .kind = FIELD_PACKED,
			.seed = centred ? -1 : (int)i, .stale = true, .gain = most_about(w, i, dense), .gone = !(w->star[i].weight > 0)};
	for (size_t i = 0; i < g->count; i++)
		w->spot[w->spots++] = g->spot[i];
	return 0;
}

static int work_new(const struct fields_task *t, bool centred, const struct grid *g, struct fields_work *w, struct err *e)
{
	*w = fields_work_of(t);
	return stars_new(t, w, e) < 0 || spots_new(t, centred, g, w, e) < 0 ? -1 : 0;
}

/* Choosing -------------------------------------------------------------------------------------------------------------------- */

static int field_take(struct fields_work *w, struct fields_spot *s, struct fields *out, struct err *e)
{
	struct field *f = &out->list[out->count];
	if (fields_gain(w, s, (int)out->count, e) < 0)
		return -1;
	*f = (struct field){.ra_deg = s->ra_deg, .dec_deg = s->dec_deg, .kind = s->kind, .probability = s->gain, .galaxies = s->galaxies, .sky = s->sky};
	out->count++;
	for (size_t i = 0; i < w->spots; i++)
		w->spot[i].stale = true;
	return 0;
}

static double liking(const struct fields_spot *s)
{
	return s->preferred ? s->gain / FIELDS_REUSE : s->gain;
}

static int spot_renew(struct fields_work *w, struct fields_spot *s, struct err *e)
{
	if (s->seed >= 0 && w->star[s->seed].field >= 0) { /* others stand for it now */
		s->gone = true;
		return 0;
	}
	if (s->seed >= 0)
		fields_place(w, s);
	if (fields_gain(w, s, -1, e) < 0)
		return -1;
	s->gone = s->gain <= NOTHING;
	return 0;
}

/* A gain only falls as others are taken: the first that is fresh and still on top is the best. NULL: nothing is left. */
static int spot_best(struct fields_work *w, struct fields_spot **best, struct err *e)
{
	for (;;) {
		struct fields_spot *top = NULL;
		for (size_t i = 0; i < w->spots; i++)
			if (!w->spot[i].gone && (top == NULL || liking(&w->spot[i]) > liking(top)))
				top = &w->spot[i];
		*best = top;
		if (top == NULL || !top->stale)
			return 0;
		if (spot_renew(w, top, e) < 0)
			return -1;
	}
}

/* A place of the grid, or about galaxies, moved about as long as it then holds more: nothing says that the sky follows a grid. */
static int spot_shift(struct fields_work *w, struct fields_spot *s, struct err *e)
{
	static const double steps[] = {0.4, 0.15}; /* of the half sides */
	const struct footprint *f = w->task->footprint;
	if (w->task->map == NULL || w->task->missing == NULL || s->kind == FIELD_KEPT)
		return 0;
	for (size_t k = 0; k < 2 * sizeof steps / sizeof steps[0]; k++) {
		double before = s->gain;
		struct footprint_at at;
		footprint_point_at(f, s->ra_deg, s->dec_deg, &at);
		for (int way = 0; way < 9; way++) {
			double x = (way % 3 - 1) * steps[k / 2] * f->half_x, y = (way / 3 - 1) * steps[k / 2] * f->half_y;
			struct fields_spot moved = *s;
			footprint_sky(&at, (struct footprint_point){x * f->cos_pa + y * f->sin_pa, y * f->cos_pa - x * f->sin_pa}, &moved.ra_deg, &moved.dec_deg);
			if (way != 4 && fields_gain(w, &moved, -1, e) < 0)
				return -1;
			if (way != 4 && moved.gain > s->gain * (1 + 1e-9))
				*s = moved;
		}
		if (!(s->gain > before))
			k |= 1; /* on to the next step */
	}
	return 0;
}

static double held(const struct fields *f)
{
	double sum = 0;
	for (size_t i = 0; i < f->count; i++)
		sum += f->list[i].probability;
	return sum;
}

enum way { WAY_PACKED, WAY_CENTRED, WAY_GRID };

static int choose(const struct fields_task *t, enum way way, const struct grid *g, struct fields *out, struct err *e)
{
	struct fields_work w;
	struct fields_spot *best, taken;
	int rc = work_new(t, way == WAY_CENTRED, g, &w, e);
	for (size_t i = 0; rc == 0 && i < t->olds; i++) {
		if (!t->old[i].asked)
			continue;
		w.spot[i].gone = true;
		rc = fields_gain(&w, &w.spot[i], -1, e);
		if (rc == 0 && w.spot[i].gain > NOTHING)
			rc = field_take(&w, &w.spot[i], out, e);
	}
	size_t most = out->count + t->top;
	while (rc == 0 && out->count < most && !(held(out) >= t->probability - NOTHING)) {
		rc = spot_best(&w, &best, e);
		if (rc < 0 || best == NULL)
			break;
		taken = *best; /* the grid point itself stays: what is left of it may be wanted */
		best->gone = best->kind != FIELD_TILE;
		rc = way == WAY_PACKED ? spot_shift(&w, &taken, e) : 0;
		if (rc == 0)
			rc = field_take(&w, &taken, out, e);
	}
	work_free(&w);
	return rc;
}

/* What comes out ------------------------------------------------------------------------------------------------------------------ */

static void list_sort(struct fields *f)
{
	double sum = 0;
	for (size_t i = 1; i < f->count; i++) /* stable; nearly sorted as it is */
		for (size_t k = i; k > 0 && f->list[k].probability > f->list[k - 1].probability; k--) {
			struct field swap = f->list[k];
			f->list[k] = f->list[k - 1];
			f->list[k - 1] = swap;
		}
	for (size_t i = 0; i < f->count; i++) {
		sum += f->list[i].probability;
		f->list[i].cumulative = sum;
	}
}

static int members_find(const struct fields_task *t, struct fields *f, struct err *e)
{
	size_t cap = 0;
	for (size_t g = 0; g < t->galaxies; g++)
		f->in[g] = -1;
	for (size_t i = 0; i < f->count; i++) {
		struct footprint_at at;
		footprint_point_at(t->footprint, f->list[i].ra_deg, f->list[i].dec_deg, &at);
		f->list[i].first = f->members;
		for (size_t g = 0; g < t->galaxies; g++) {
			double v[3];
			footprint_vector(t->galaxy[g].ra_deg, t->galaxy[g].dec_deg, v);
			if (!footprint_holds_circle(&at, v, fields_circle_rad(t->footprint, t->galaxy[g].distance_mpc)))
				continue;
			if (f->members == cap) {
				size_t *more = realloc(f->member, (cap = cap ? 2 * cap : 256) * sizeof *more);
				if (more == NULL)
					return err_set(e, ERR_MEMORY, "no memory for the galaxies in fields");
				f->member = more;
			}
			f->member[f->members++] = g;
			f->list[i].count++;
			if (f->in[g] < 0)
				f->in[g] = (int)i;
		}
	}
	return 0;
}

static int fields_new(const struct fields_task *t, struct fields *f, struct err *e)
{
	*f = (struct fields){.list = calloc(t->top + t->olds + 1, sizeof *f->list), .in = calloc(t->galaxies + 1, sizeof *f->in)};
	for (size_t g = 0; g < t->galaxies; g++)
		f->total += t->galaxy[g].probability > 0 && isfinite(t->galaxy[g].probability) ? t->galaxy[g].probability : 0;
	for (int64_t i = 0; t->map != NULL && t->missing != NULL && i < t->map->cells; i++)
		f->total += t->missing[i];
	return f->list && f->in ? 0 : err_set(e, ERR_MEMORY, "no memory for %zu fields", t->top + t->olds);
}

/* Does a telescope have one already that holds something? 1, 0, −1. */
static int any_asked(struct fields_work *w, struct err *e)
{
	for (size_t i = 0; i < w->task->olds; i++) {
		const struct fields_old *o = &w->task->old[i];
		struct fields_spot s = {.ra_deg = o->ra_deg, .dec_deg = o->dec_deg};
		if (o->asked && fields_gain(w, &s, -1, e) < 0)
			return -1;
		if (o->asked && s.gain > NOTHING)
			return 1;
	}
	return 0;
}

/* 1: one pointing holds the region, and is the choice; 0: no; −1. */
static int region_field(const struct fields_task *t, struct fields *out, struct err *e)
{
	struct fields_work w = fields_work_of(t);
	struct fields_spot s = {.kind = FIELD_CENTRED, .seed = -1};
	double in;
	if (t->map == NULL || !(t->level > 0) || t->top == 0)
		return 0;
	if (fields_region(t, &s.ra_deg, &s.dec_deg, &in, e) < 0)
		return -1;
	if (!(in >= t->level))
		return 0;
	int rc = stars_new(t, &w, e);
	if (rc == 0)
		rc = any_asked(&w, e);
	if (rc >= 0)
		rc = rc == 1 ? 0 : field_take(&w, &s, out, e) < 0 ? -1 : 1;
	work_free(&w);
	return rc;
}

/* The better of two choices: more with as many fields, else as much with fewer. */
static bool better(const struct fields *a, const struct fields *b, double enough)
{
	double ha = held(a), hb = held(b);
	if (ha >= enough - NOTHING && hb >= enough - NOTHING)
		return a->count < b->count;
	return ha > hb + NOTHING;
}

static int choose_both(const struct fields_task *t, struct fields *out, struct fields *other, struct err *e)
{
	struct grid g;
	int rc = grid_new(t, &g, e);
	if (rc == 0)
		rc = choose(t, WAY_PACKED, &g, out, e);
	if (rc == 0 && t->olds == 0) { /* the plain way, too */
		rc = fields_new(t, other, e);
		if (rc == 0)
			rc = choose(t, t->galaxies > 0 ? WAY_CENTRED : WAY_GRID, &g, other, e);
	}
	free(g.spot);
	return rc;
}

int fields_choose(const struct fields_task *t, struct fields *out, struct err *e)
{
	struct fields other = {0};
	int rc = fields_new(t, out, e);
	if (rc == 0)
		rc = region_field(t, out, e);
	if (rc == 0)
		rc = choose_both(t, out, &other, e);
	if (rc == 0 && other.list != NULL && better(&other, out, t->probability)) {
		struct fields swap = *out;
		*out = other;
		other = swap;
	}
	if (rc >= 0) {
		list_sort(out);
		rc = members_find(t, out, e);
	}
	fields_free(&other);
	if (rc < 0)
		fields_free(out);
	return rc < 0 ? -1 : 0;
}

/* A camera's field on the sky: see footprint.h. Reading its description: footprint_read.c. */
#include "engine/target/footprint.h"
#include <chealpix.h>
#include <math.h>
#include <string.h>

#define DEG (180.0 / M_PI)

static double dot(const double a[3], const double b[3])
{
	return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

void footprint_vector(double ra_deg, double dec_deg, double out[3])
{
	double ra = ra_deg / DEG, dec = dec_deg / DEG;
	out[0] = cos(dec) * cos(ra);
	out[1] = cos(dec) * sin(ra);
	out[2] = sin(dec);
}

/* East and north follow the right ascension that was given: at a pole, too. */
void footprint_point_at(const struct footprint *f, double ra_deg, double dec_deg, struct footprint_at *out)
{
	double ra = ra_deg / DEG, dec = dec_deg / DEG;
	out->shape = f;
	footprint_vector(ra_deg, dec_deg, out->centre);
	out->east[0] = -sin(ra);
	out->east[1] = cos(ra);
	out->east[2] = 0;
	out->north[0] = -sin(dec) * cos(ra);
	out->north[1] = -sin(dec) * sin(ra);
	out->north[2] = cos(dec);
}

bool footprint_plane(const struct footprint_at *at, const double v[3], struct footprint_point *out)
{
	double z = dot(v, at->centre);
	if (z <= 0.1) /* 84° away: no camera */
		return false;
	out->x = dot(v, at->east) / z;
	out->y = dot(v, at->north) / z;
	return true;
}

void footprint_sky(const struct footprint_at *at, struct footprint_point p, double *ra_deg, double *dec_deg)
{
	double v[3];
	for (int k = 0; k < 3; k++)
		v[k] = at->centre[k] + p.x * at->east[k] + p.y * at->north[k];
	double ra = atan2(v[1], v[0]) * DEG;
	*ra_deg = ra < 0 ? ra + 360 : ra;
	*dec_deg = atan2(v[2], hypot(v[0], v[1])) * DEG;
}

/* Left of the line from a to b, or on it: > 0, 0. */
static double side(struct footprint_point a, struct footprint_point b, struct footprint_point p)
{
	return (b.x - a.x) * (p.y - a.y) - (b.y - a.y) * (p.x - a.x);
}

/* Crossings of a ray to the right: any polygon, convex or not. */
static bool inside(const struct footprint_point *c, int n, struct footprint_point p)
{
	bool in = false;
	for (int i = 0, j = n - 1; i < n; j = i++)
		if ((c[i].y > p.y) != (c[j].y > p.y) && p.x < (c[j].x - c[i].x) * (p.y - c[i].y) / (c[j].y - c[i].y) + c[i].x)
			in = !in;
	return in;
}

/* Angle from a place in the plane to the arc between two others: the foot on the great circle if it lies between them, else the nearer end. */
static double arc_distance(struct footprint_point a, struct footprint_point b, struct footprint_point p)
{
	const double u[3] = {a.x, a.y, 1}, w[3] = {b.x, b.y, 1};
	double v[3] = {p.x, p.y, 1}, n[3] = {u[1] * w[2] - u[2] * w[1], u[2] * w[0] - u[0] * w[2], u[0] * w[1] - u[1] * w[0]};
	double size = sqrt(dot(n, n)), length = sqrt(dot(v, v)), foot[3], ends[2];
	if (size > 0) {
		double off = dot(n, v) / (size * size);
		for (int k = 0; k < 3; k++)
			foot[k] = v[k] - off * n[k];
		const double before[3] = {n[1] * u[2] - n[2] * u[1], n[2] * u[0] - n[0] * u[2], n[0] * u[1] - n[1] * u[0]};
		const double behind[3] = {w[1] * n[2] - w[2] * n[1], w[2] * n[0] - w[0] * n[2], w[0] * n[1] - w[1] * n[0]};
		if (dot(before, foot) >= 0 && dot(behind, foot) >= 0)
			return asin(fmin(1, fabs(dot(n, v)) / (size * length)));
	}
	for (int k = 0; k < 2; k++) {
		const double *t = k ? w : u;
		const double cross[3] = {v[1] * t[2] - v[2] * t[1], v[2] * t[0] - v[0] * t[2], v[0] * t[1] - v[1] * t[0]};
		ends[k] = atan2(sqrt(dot(cross, cross)), dot(v, t));
	}
	return fmin(ends[0], ends[1]);
}

/* Angle from a place to the edge of a polygon. */
static double edge_distance(const struct footprint_point *c, int n, struct footprint_point p)
{
	double least = INFINITY;
	for (int i = 0, j = n - 1; i < n; j = i++)
		least = fmin(least, arc_distance(c[j], c[i], p));
	return least;
}

static bool on_chip(const struct footprint_point chip[4], struct footprint_point p)
{
	for (int i = 0, j = 3; i < 4; j = i++)
		if (side(chip[j], chip[i], p) < 0)
			return false;
	return true;
}

static bool plane_holds(const struct footprint *f, struct footprint_point p)
{
	if (f->radius_rad > 0)
		return atan(hypot(p.x, p.y)) <= f->radius_rad;
	if (f->chips == 0)
		return inside(f->outline, f->points, p);
	for (int i = 0; i < f->chips; i++)
		if (on_chip(f->chip[i], p))
			return true;
	return false;
}

bool footprint_holds(const struct footprint_at *at, const double v[3])
{
	struct footprint_point p;
	return footprint_plane(at, v, &p) && plane_holds(at->shape, p);
}

bool footprint_holds_circle(const struct footprint_at *at, const double v[3], double radius_rad)
{
	const struct footprint *f = at->shape;
	struct footprint_point p;
	if (!footprint_plane(at, v, &p))
		return false;
	double away = atan(hypot(p.x, p.y));
	if (away + radius_rad > f->reach_rad)
		return false;
	if (f->radius_rad > 0)
		return away + radius_rad <= f->radius_rad;
	if (!plane_holds(f, p))
		return false;
	if (away + radius_rad <= f->inner_rad)
		return true;
	return inside(f->outline, f->points, p) && edge_distance(f->outline, f->points, p) >= radius_rad;
}

/* Cells ---------------------------------------------------------------------------------------------------------------------- */

/* No pixel of an order reaches further from its centre (Górski et al. 2005, ApJ 622 759, §5.1: the widest are those at z = 2/3). */
static double pixel_radius(int order)
{
	double nside = (double)(UINT64_C(1) << order), z = 1 - (1 - 1 / nside) * (1 - 1 / nside) / 3, phi = M_PI / (4 * nside);
	double s1 = sqrt(1 - 4.0 / 9), s2 = sqrt(1 - z * z), dx = s1 * cos(phi) - s2, dy = s1 * sin(phi), dz = 2.0 / 3 - z;
	return 2 * asin(fmin(1, sqrt(dx * dx + dy * dy + dz * dz) / 2)) * (1 + 1e-9) + 1e-12;
}

struct walk {
	const struct footprint_at *at;
	int order;
	int (*take)(void *ctx, int order, uint64_t ipix);
	void *ctx;
	double radius[MOC_ORDER + 1];
};

/* Does a circle lie whole on one chip? */
static bool whole(const struct footprint *f, struct footprint_point p, double radius)
{
	if (f->radius_rad > 0)
		return atan(hypot(p.x, p.y)) + radius <= f->radius_rad;
	if (f->chips == 0)
		return inside(f->outline, f->points, p) && edge_distance(f->outline, f->points, p) >= radius;
	for (int i = 0; i < f->chips; i++)
		if (on_chip(f->chip[i], p))
			return edge_distance(f->chip[i], 4, p) >= radius;
	return false;
}

/* The recursion's depth is that of the orders: at most 30. */
static int walk_cell(const struct walk *w, int order, uint64_t ipix)
{
	const struct footprint *f = w->at->shape;
	struct footprint_point p;
	double v[3];
	pix2vec_nest64(INT64_C(1) << order, (int64_t)ipix, v);
	double cosine = dot(v, w->at->centre), reach = f->reach_rad + w->radius[order];
	if (order > 0 && cosine < cos(reach))
		return 0;
	bool seen = footprint_plane(w->at, v, &p);
	if (seen && (order == w->order ? plane_holds(f, p) : w->radius[order] < f->reach_rad && whole(f, p, w->radius[order])))
		return w->take(w->ctx, order, ipix);
	for (uint64_t k = 0; order < w->order && k < 4; k++) {
		int rc = walk_cell(w, order + 1, 4 * ipix + k);
		if (rc != 0)
			return rc;
	}
	return 0;
}

int footprint_cells(const struct footprint_at *at, int order, int (*take)(void *ctx, int order, uint64_t ipix), void *ctx)
{
	struct walk w = {.at = at, .order = order, .take = take, .ctx = ctx};
	for (int k = 0; k <= order; k++)
		w.radius[k] = pixel_radius(k);
	for (uint64_t p = 0; p < 12; p++) {
		int rc = walk_cell(&w, 0, p);
		if (rc != 0)
			return rc;
	}
	return 0;
}

struct adding {
	struct moc *moc;
	struct err *e;
};

static int add_cell(void *ctx, int order, uint64_t ipix)
{
	struct adding *a = ctx;
	return moc_add(a->moc, order, ipix, ipix + 1, a->e);
}

int footprint_moc(const struct footprint_at *at, int order, struct moc *m, struct err *e)
{
	struct adding a = {m, e};
	if (order > m->order)
		m->order = order;
	return footprint_cells(at, order, add_cell, &a) == 0 ? 0 : -1;
}

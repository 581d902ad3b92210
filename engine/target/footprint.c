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
	double ra = ra_deg / DEG, dec = dec_deg / DEG, cra = cos(ra), sra = sin(ra), cdec = cos(dec), sdec = sin(dec);
	*out = (struct footprint_at){f, {cdec * cra, cdec * sra, sdec}, {-sra, cra, 0}, {-sdec * cra, -sdec * sra, cdec}};
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

/* The chip that a place is on; −1: none. Chips are boxes in the frame's own axes. */
static int chip_of(const struct footprint *f, struct footprint_point p)
{
	double x = p.x * f->cos_pa - p.y * f->sin_pa, y = p.x * f->sin_pa + p.y * f->cos_pa;
	for (int i = 0; i < f->chips; i++) {
		const double *b = f->chip_box[i];
		if (y >= b[2] && y <= b[3] && x >= b[0] && x <= b[1])
			return i;
	}
	return -1;
}

static bool plane_holds(const struct footprint *f, struct footprint_point p)
{
	if (f->radius_rad > 0)
		return atan(hypot(p.x, p.y)) <= f->radius_rad;
	return f->chips == 0 ? inside(f->outline, f->points, p) : chip_of(f, p) >= 0;
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
	double square = p.x * p.x + p.y * p.y, plane = sqrt(square);
	if (f->radius_rad > 0)
		return atan(plane) + radius_rad <= f->radius_rad;
	if (plane * (1 - square / 3) + radius_rad > f->reach_rad || (f->chips > 0 && chip_of(f, p) < 0)) /* atan x ≥ x − x³/3 */
		return false;
	if (plane + radius_rad <= f->inner_rad) /* atan x ≤ x */
		return true;
	if (!f->convex)
		return inside(f->outline, f->points, p) && edge_distance(f->outline, f->points, p) >= radius_rad;
	double least = sin(radius_rad) * sqrt(1 + square);
	for (int i = 0; i < f->points; i++)
		if (f->edge[i][0] * p.x + f->edge[i][1] * p.y + f->edge[i][2] < least)
			return false;
	return true;
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
	int chip = chip_of(f, p);
	return chip >= 0 && edge_distance(f->chip[chip], 4, p) >= radius;
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
	if (seen && (order == w->order ? plane_holds(f, p) : w->radius[order] < f->whole_rad && whole(f, p, w->radius[order])))
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

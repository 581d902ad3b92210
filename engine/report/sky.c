/* Sky maps as pictures: see sky.h. The picture of a file of its own: sky_picture.c. */
#include "engine/report/sky.h"
#include "engine/report/labels.h"
#include "engine/target/region.h"
#include <chealpix.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEG      (M_PI / 180)
#define HALF_MAX 24.0 /* degrees from the centre to the edge of the widest close-up */
#define HALF_MIN 0.1
#define HALF_BINS 480 /* of the distance from the centre */
#define POINTS_MOST 20000
#define MIDDLE_PASSES 60
#define LOBE_DEG 22.0 /* around the peak */
#define LOBE_PASSES 4
#define CIRCLE   361
#define DARK_DEG -12.0

/* Density at the edge of the region that holds `level` of a map; 0 when it is not reached. */
static double threshold_of(const struct skymap *m, double level)
{
	double area, density = 0;
	struct err e = {0};
	return region_area(m, level, &area, &density, &e) == 0 ? density : 0;
}

/* n points of the circle at an angle around a direction, closed. */
static void circle_points(const double axis[3], double angle_deg, double points[][3], size_t n)
{
	double u[3], w[3], a[3] = {fabs(axis[2]) < 0.9 ? 0 : 1, 0, fabs(axis[2]) < 0.9 ? 1 : 0};
	for (int k = 0; k < 3; k++)
		u[k] = axis[(k + 1) % 3] * a[(k + 2) % 3] - axis[(k + 2) % 3] * a[(k + 1) % 3];
	double norm = sqrt(u[0] * u[0] + u[1] * u[1] + u[2] * u[2]);
	for (int k = 0; k < 3; k++)
		u[k] /= norm;
	for (int k = 0; k < 3; k++)
		w[k] = axis[(k + 1) % 3] * u[(k + 2) % 3] - axis[(k + 2) % 3] * u[(k + 1) % 3];
	for (size_t i = 0; i < n; i++) {
		double t = 2 * M_PI * (double)i / (double)(n - 1);
		for (int k = 0; k < 3; k++)
			points[i][k] = cos(angle_deg * DEG) * axis[k] + sin(angle_deg * DEG) * (cos(t) * u[k] + sin(t) * w[k]);
	}
}

/* Radius of a galaxy's mark, px: its area goes by its share. */
static double mark_radius(double share)
{
	return 2.2 + 14 * sqrt(fmax(0, isfinite(share) ? share : 0));
}

/* Where to look ---------------------------------------------------------------------------------------------------------------- */

static void cell_vector(const struct skymap *m, int64_t i, double v[3])
{
	int order = skymap_order(m->uniq[i]);
	pix2vec_nest64(INT64_C(1) << order, (int64_t)(m->uniq[i] - (UINT64_C(4) << (2 * order))), v);
}

static double cell_probability(const struct skymap *m, int64_t i)
{
	return m->density[i] * skymap_pixel_sr(skymap_order(m->uniq[i]));
}

/* Adds the direction of a map's inner half: cells denser than its 50 % threshold, by probability. */
static void half_add(const struct skymap *m, double sum[3])
{
	double least = threshold_of(m, 0.5), v[3];
	for (int64_t i = 0; i < m->cells; i++) {
		if (m->density[i] < least)
			continue;
		cell_vector(m, i, v);
		for (int k = 0; k < 3; k++)
			sum[k] += cell_probability(m, i) * v[k];
	}
}

/* Distance from a direction within which 98.5 % of what a map's 90 % region has nearer than `within` lies, by probability; HALF_MAX when that
 * does not fit. */
static double reach_deg(const struct skymap *m, const double axis[3], double within)
{
	double sum[HALF_BINS + 1] = {0}, all = 0, inner = 0, least = threshold_of(m, 0.9), v[3];
	for (int64_t i = 0; i < m->cells; i++) {
		if (m->density[i] < least || !(m->density[i] > 0))
			continue;
		cell_vector(m, i, v);
		double half_cell = sqrt(skymap_pixel_sr(skymap_order(m->uniq[i]))) / DEG / 2;
		double sep = acos(fmax(-1, fmin(1, v[0] * axis[0] + v[1] * axis[1] + v[2] * axis[2]))) / DEG + half_cell; /* its far corner, about */
		if (sep > within)
			continue;
		/* narrow bins near the centre, where a map may be an arcminute wide */
		double bin = HALF_BINS * sqrt(sep / HALF_MAX);
		sum[bin < HALF_BINS ? (int)bin : HALF_BINS] += cell_probability(m, i);
		all += cell_probability(m, i);
	}
	for (int k = 0; k < HALF_BINS; k++) {
		inner += sum[k];
		if (inner >= 0.985 * all)
			return HALF_MAX * pow((k + 1.0) / HALF_BINS, 2);
	}
	return HALF_MAX;
}

/* Adds directions of a map's 90 % region within reach of an axis: every so many cells, at most half of POINTS_MOST. Returns how many in all. */
static size_t points_add(const struct skymap *m, const double axis[3], double (*points)[3], size_t n)
{
	double least = threshold_of(m, 0.9), near = cos(1.7 * HALF_MAX * DEG);
	int64_t inside = 0;
	for (int64_t i = 0; i < m->cells; i++)
		inside += m->density[i] >= least && m->density[i] > 0;
	int64_t every = inside / (POINTS_MOST / 2) + 1, k = 0;
	for (int64_t i = 0; i < m->cells; i++) {
		if (m->density[i] < least || !(m->density[i] > 0) || k++ % every != 0)
			continue;
		cell_vector(m, i, points[n]);
		const double *v = points[n];
		n += v[0] * axis[0] + v[1] * axis[1] + v[2] * axis[2] > near;
	}
	return n;
}

static void unit(double v[3])
{
	double norm = sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
	for (int k = 0; k < 3; k++)
		v[k] = norm > 0 ? v[k] / norm : k == 0;
}

/* Moves an axis to the middle of the smallest circle about the regions near it (Badoiu & Clarkson 2003: toward the farthest, less each time). */
static void to_middle(const struct skymap *first, const struct skymap *last, double axis[3])
{
	double (*points)[3] = malloc((POINTS_MOST + 2) * sizeof *points);
	must_memory(points != NULL);
	size_t n = points_add(first, axis, points, 0);
	if (last != first)
		n = points_add(last, axis, points, n);
	for (int pass = 1; pass <= MIDDLE_PASSES && n > 0; pass++) {
		double least = 2;
		size_t far = 0;
		for (size_t i = 0; i < n; i++) {
			double c = points[i][0] * axis[0] + points[i][1] * axis[1] + points[i][2] * axis[2];
			if (c < least) {
				least = c;
				far = i;
			}
		}
		for (int k = 0; k < 3; k++)
			axis[k] += (points[far][k] - axis[k]) / (pass + 1);
		unit(axis);
	}
	free(points);
}

bool sky_view(const struct skymap *first, const struct skymap *last, struct svg_sky *view)
{
	double v[3] = {0};
	half_add(first, v);
	if (last != first)
		half_add(last, v);
	bool somewhere = fabs(v[0]) + fabs(v[1]) + fabs(v[2]) > 0;
	unit(v);
	to_middle(first, last, v);
	double half = reach_deg(last, v, 180);
	if (last != first)
		half = fmax(half, reach_deg(first, v, 180));
	bool fits = half < HALF_MAX && somewhere;
	view->all = false;
	view->ra0_deg = atan2(v[1], v[0]) / DEG;
	view->dec0_deg = atan2(v[2], hypot(v[0], v[1])) / DEG;
	/* what fits must fit into the height of a picture that is wider than high */
	view->half_deg = fmin(40, fmax(HALF_MIN, 1.12 * half) * fmax(1, view->width / view->height));
	return fits;
}

double sky_view_peak(const struct skymap *m, struct svg_sky *view)
{
	double axis[3], v[3], sum[3], held = 0, least = threshold_of(m, 0.9);
	int64_t peak = 0;
	for (int64_t i = 1; i < m->cells; i++)
		if (m->density[i] > m->density[peak])
			peak = i;
	if (m->cells == 0)
		return 0;
	cell_vector(m, peak, axis);
	for (int pass = 0; pass < LOBE_PASSES; pass++) { /* moves to the middle of what lies around the peak */
		memset(sum, 0, sizeof sum);
		held = 0;
		for (int64_t i = 0; i < m->cells; i++) {
			if (m->density[i] < least || !(m->density[i] > 0))
				continue;
			cell_vector(m, i, v);
			if (v[0] * axis[0] + v[1] * axis[1] + v[2] * axis[2] < cos(LOBE_DEG * DEG))
				continue;
			held += cell_probability(m, i);
			for (int k = 0; k < 3; k++)
				sum[k] += cell_probability(m, i) * v[k];
		}
		unit(sum);
		memcpy(axis, sum, sizeof sum);
	}
	view->all = false;
	view->ra0_deg = atan2(axis[1], axis[0]) / DEG;
	view->dec0_deg = atan2(axis[2], hypot(axis[0], axis[1])) / DEG;
	view->half_deg = fmax(HALF_MIN, 1.12 * reach_deg(m, axis, LOBE_DEG)) * fmax(1, view->width / view->height);
	return held;
}

/* The sky of a moment --------------------------------------------------------------------------------------------------------- */

static double now_at(int64_t utc_us, const struct ephemeris_site *site, struct ephemeris_frame *f, struct ephemeris_bodies *b, double zenith[3])
{
	struct ephemeris_local l;
	ephemeris_frame_set(f, utc_us);
	ephemeris_bodies_at(f, utc_us, b);
	ephemeris_local_at(b, site, &l);
	memcpy(zenith, l.zenith, sizeof l.zenith);
	return ephemeris_asin_deg(l.sun_sin_alt);
}

void sky_altitude_circle(const struct ephemeris_site *site, int64_t utc_us, double alt_deg, double points[][3], size_t n)
{
	struct ephemeris_frame f;
	struct ephemeris_bodies b;
	double zenith[3];
	now_at(utc_us, site, &f, &b, zenith);
	circle_points(zenith, 90 - alt_deg, points, n);
}

static void position(const double v[3], double *ra, double *dec)
{
	*ra = atan2(v[1], v[0]) / DEG;
	*dec = atan2(v[2], hypot(v[0], v[1])) / DEG;
}

static void circle(const struct svg_sky *s, const double axis[3], double angle_deg, const char *attributes, struct text *out)
{
	double points[CIRCLE][3];
	circle_points(axis, angle_deg, points, CIRCLE);
	svg_sky_path(s, (const double(*)[3])points, CIRCLE, attributes, out);
}

static void body(const struct svg_sky *s, const double v[3], const char *class, double radius, const char *words, struct labels *l, struct text *out)
{
	double x, y, ra, dec;
	position(v, &ra, &dec);
	if (!svg_sky_xy(s, ra, dec, &x, &y))
		return;
	text_printf(out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\" class=\"%s\"/>", x, y, radius, class);
	labels_take(l, x - radius, y - radius, x + radius, y + radius);
	labels_put(l, x, y, radius, words, out);
}

/* In a close-up: the name of a site where its circle comes nearest to the middle. */
static void circle_name(const struct svg_sky *s, const double (*points)[3], const char *words, struct labels *l, struct text *out)
{
	double best = INFINITY, x, y, at[2] = {0}, ra, dec;
	for (int i = 0; i < CIRCLE; i++) {
		position(points[i], &ra, &dec);
		if (!svg_sky_xy(s, ra, dec, &x, &y))
			continue;
		double far = hypot(x - s->x0 - s->width / 2, y - s->y0 - s->height / 2);
		if (far < best) {
			best = far;
			at[0] = x;
			at[1] = y;
		}
	}
	if (isfinite(best))
		labels_put(l, at[0], at[1], 1, words, out);
}

static void site(const struct svg_sky *s, const struct visibility_site *place, const struct sky_moment *m, struct labels *l, struct text *out)
{
	struct ephemeris_frame f;
	struct ephemeris_bodies b;
	double zenith[3], points[CIRCLE][3], x, y, ra, dec;
	bool lit = now_at(m->utc_us, &place->place, &f, &b, zenith) > DARK_DEG;
	if (!s->all && lit && m->count > 2)
		return; /* of no use to anyone who looks that closely */
	circle_points(zenith, 60, points, CIRCLE);
	svg_sky_clip(s, out);
	if (!lit || m->count <= 2) /* of many sites only those that can observe: six circles hide the sky */
		svg_sky_path(s, (const double(*)[3])points, CIRCLE, lit ? "class=\"site lit\"" : "class=\"site\"", out);
	if (m->count <= 2 || !lit)
		circle(s, zenith, 90, m->count <= 2 ? "class=\"horizon\"" : "class=\"horizon thin\"", out);
	text_puts(out, "</g>");
	position(zenith, &ra, &dec);
	if (!s->all) {
		circle_name(s, (const double(*)[3])points, place->code, l, out);
		return;
	}
	if (!svg_sky_xy(s, ra, dec, &x, &y))
		return;
	text_printf(out, "<path class=\"%s\" d=\"M%.1f %.1fh8m-4 -4v8\"/>", lit ? "site lit" : "site", x - 4, y);
	labels_put(l, x, y, 4, place->code, out);
}

void sky_moment(const struct svg_sky *s, const struct sky_moment *m, struct labels *l, struct text *out)
{
	static const double pole[3] = {-0.86766615, -0.19807637, 0.45598378}; /* of the Galaxy, ICRS: RA 192.85948, Dec +27.12825 */
	struct ephemeris_frame f;
	struct ephemeris_bodies b;
	char moon[32];
	svg_sky_clip(s, out);
	circle(s, pole, 90, "class=\"plane\"", out);
	text_puts(out, "</g>\n");
	if (m == NULL)
		return;
	ephemeris_frame_set(&f, m->utc_us);
	ephemeris_bodies_at(&f, m->utc_us, &b);
	body(s, b.sun, "sun", 8, "Sun", l, out);
	snprintf(moon, sizeof moon, "Moon %.0f %%", 100 * b.moon_illuminated);
	body(s, b.moon_km, "moon", 7, moon, l, out);
	for (size_t i = 0; i < m->count; i++)
		site(s, &m->sites[i], m, l, out);
}

/* Marks and words -------------------------------------------------------------------------------------------------------------- */

static void star(double x, double y, struct text *out)
{
	text_puts(out, "<path class=\"star\" d=\"");
	for (int k = 0; k < 10; k++) {
		double a = M_PI / 5 * k - M_PI / 2, r = k % 2 ? 4.5 : 11;
		text_printf(out, "%c%.1f %.1f", k ? 'L' : 'M', x + r * cos(a), y + r * sin(a));
	}
	text_printf(out, "Z\"/>\n<text class=\"label strong\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">true host</text>\n", x, y + 26);
}

static void galaxies(const struct sky_close_up *c, const struct svg_sky *s, double scale, struct text *out)
{
	double x, y;
	for (size_t k = c->count; k-- > 0;) { /* the best on top */
		const struct sky_galaxy *g = &c->galaxies[k];
		if (!svg_sky_xy(s, g->ra_deg, g->dec_deg, &x, &y))
			continue;
		text_printf(out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\" fill=\"%s\" class=\"galaxy\"><title>", x, y,
			scale * mark_radius(g->share), g->colour);
		text_html(out, g->name);
		text_printf(out, ", rank %lld", (long long)g->rank);
		if (isfinite(g->share))
			text_printf(out, ", share %.1f %%", 100 * g->share);
		if (isfinite(g->distance_mpc))
			text_printf(out, ", %.0f Mpc", g->distance_mpc);
		text_printf(out, ": %s</title></circle>\n", g->fate);
	}
}

static void galaxy_names(const struct sky_close_up *c, const struct svg_sky *s, struct labels *l, double scale, struct text *out)
{
	double x, y;
	for (size_t k = 0; k < c->count; k++) {
		const struct sky_galaxy *g = &c->galaxies[k];
		double r = scale * mark_radius(g->share) - 1;
		if (!svg_sky_xy(s, g->ra_deg, g->dec_deg, &x, &y))
			continue;
		if (g->rank > 0 && g->rank <= c->named)
			labels_take(l, x - r, y - r, x + r, y + r);
		else
			labels_mark(l, x - r, y - r, x + r, y + r);
	}
	for (size_t k = 0; k < c->count; k++) {
		const struct sky_galaxy *g = &c->galaxies[k];
		char words[64];
		if (g->rank < 1 || g->rank > c->named || !svg_sky_xy(s, g->ra_deg, g->dec_deg, &x, &y))
			continue;
		snprintf(words, sizeof words, "%lld %.40s", (long long)g->rank, g->name);
		labels_put(l, x, y, scale * mark_radius(g->share), words, out);
	}
}

size_t sky_corners(const struct footprint *f, double ra_deg, double dec_deg, double (*corners)[2])
{
	struct footprint_at here;
	size_t n = f->points > 0 ? (size_t)f->points : FOOTPRINT_POINTS;
	footprint_point_at(f, ra_deg, dec_deg, &here);
	for (size_t k = 0; k < n; k++) {
		double t = 2 * M_PI * (double)k / FOOTPRINT_POINTS, r = tan(f->radius_rad);
		struct footprint_point p = f->points > 0 ? f->outline[k] : (struct footprint_point){r * cos(t), r * sin(t)};
		footprint_sky(&here, p, &corners[k][0], &corners[k][1]);
	}
	return n;
}

/* The outline of a field, its sides great circles; drawn only where its first corner is in the picture's half of the sky. */
static void fields(const struct sky_close_up *c, const struct svg_sky *s, struct text *out)
{
	for (size_t i = 0; i < c->field_count; i++) {
		const struct sky_field *f = &c->fields[i];
		double x, y, before = NAN;
		struct text path = {.max = 1u << 16};
		bool whole = f->count > 2;
		for (size_t k = 0; k < f->count && whole; k++) {
			whole = svg_sky_project(s, f->corners[k][0], f->corners[k][1], &x, &y) && !(fabs(x - before) > s->width / 4);
			text_printf(&path, "%c%.1f %.1f", k ? 'L' : 'M', x, y);
			before = x;
		}
		if (whole) {
			const char *colour = f->colour ? f->colour : "#000";
			text_printf(out, "<path class=\"field\" stroke=\"%s\" fill=\"%s\" d=\"%sZ\"><title>", colour, colour, path.data);
			text_html(out, f->name);
			text_puts(out, "</title></path>\n");
		}
		text_free(&path);
	}
}

/* Returns whether the outlines show anything. */
static bool regions(const struct svg_sky *s, const struct skymap *m, bool later, struct text *out)
{
	const struct contour both[] = {{0.9, later ? "class=\"r90 later\"" : "class=\"r90\""}, {0.5, later ? "class=\"r50 later\"" : "class=\"r50\""}};
	return contour_draw(s, m, both, 2, out) > 0;
}

static struct labels labels_of(const struct svg_sky *s)
{
	return (struct labels){.x0 = s->x0 + 2, .y0 = s->y0 + 2, .x1 = s->x0 + s->width - 2, .y1 = s->y0 + s->height - 2};
}

void sky_layers(const struct sky_close_up *c, const struct svg_sky *s, bool names, struct text *out)
{
	struct labels l = labels_of(s);
	double x, y;
	svg_sky_grid(s, out);
	svg_sky_clip(s, out);
	bool shown = regions(s, c->first, false, out);
	if (c->last != c->first)
		shown |= regions(s, c->last, true, out);
	text_puts(out, "</g>\n");
	sky_moment(s, c->moment, &l, out);
	svg_sky_clip(s, out);
	fields(c, s, out);
	galaxies(c, s, names ? 1 : 0.35, out);
	text_puts(out, "</g>\n");
	bool host = !isnan(c->host_ra_deg) && svg_sky_xy(s, c->host_ra_deg, c->host_dec_deg, &x, &y);
	if (host)
		labels_take(&l, x - 32, y - 11, x + 32, y + 28);
	if (names)
		galaxy_names(c, s, &l, 1, out);
	if (host)
		star(x, y, out);
	if (!shown && !s->all)
		svg_words(s->x0 + 8, s->y0 + 16, "class=\"label\"", "the regions are smaller than a pixel", out);
}

void sky_close_up(const struct sky_close_up *c, struct text *out)
{
	struct svg_sky s = {.x0 = 44, .y0 = 16, .width = 592, .height = 486};
	if (!sky_view(c->first, c->last, &s) && c->whole_if_wide)
		s = (struct svg_sky){.all = true, .ra0_deg = round(s.ra0_deg / 15) * 15, .x0 = 44, .y0 = 10, .width = 592, .height = 296};
	svg_open(&(struct svg_picture){660, s.y0 + s.height + 24, "sky map and galaxies", false}, out);
	sky_layers(c, &s, true, out);
	text_puts(out, "</svg>\n");
}

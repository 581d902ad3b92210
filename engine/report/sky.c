/* The close-up of a map: see sky.h. */
#include "engine/report/sky.h"
#include "engine/target/region.h"
#include <chealpix.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define DEG      (M_PI / 180)
#define LABELS   16
#define HALF_MAX 24.0 /* degrees from the centre to the edge of the widest close-up */

double sky_threshold(const struct skymap *m, double level)
{
	double area, density = 0;
	struct err e = {0};
	return region_area(m, level, &area, &density, &e) == 0 ? density : 0;
}

void sky_circle(const double axis[3], double angle_deg, double points[][3], size_t n)
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

/* Where to look ---------------------------------------------------------------------------------------------------------------- */

static void cell_vector(const struct skymap *m, int64_t i, double v[3])
{
	int order = skymap_order(m->uniq[i]);
	pix2vec_nest64(INT64_C(1) << order, (int64_t)(m->uniq[i] - (UINT64_C(4) << (2 * order))), v);
}

/* Adds the direction of a map's inner half: cells denser than its 50 % threshold, by probability. */
static void half_add(const struct skymap *m, double sum[3])
{
	double least = sky_threshold(m, 0.5), v[3];
	for (int64_t i = 0; i < m->cells; i++) {
		if (m->density[i] < least)
			continue;
		cell_vector(m, i, v);
		for (int k = 0; k < 3; k++)
			sum[k] += m->density[i] * skymap_pixel_sr(skymap_order(m->uniq[i])) * v[k];
	}
}

/* Half width that shows so much of a map's probability, 3 to HALF_MAX degrees. */
static double half_width_deg(const struct skymap *m, double level, double ra, double dec)
{
	double sum[(int)HALF_MAX + 1] = {0}, total = 0, v[3];
	for (int64_t i = 0; i < m->cells; i++) {
		cell_vector(m, i, v);
		double sep = svg_separation_deg(ra, dec, atan2(v[1], v[0]) / DEG, asin(v[2]) / DEG);
		sum[sep < HALF_MAX ? (int)sep : (int)HALF_MAX] += m->density[i] * skymap_pixel_sr(skymap_order(m->uniq[i]));
	}
	for (int d = 0; d < (int)HALF_MAX; d++) {
		total += sum[d];
		if (total > level)
			return d < 2 ? 3 : d + 1.3;
	}
	return HALF_MAX;
}

static struct svg_sky view_of(const struct sky_close_up *c)
{
	double v[3] = {0};
	half_add(c->first, v);
	half_add(c->last, v);
	double ra = atan2(v[1], v[0]) / DEG, dec = atan2(v[2], hypot(v[0], v[1])) / DEG;
	double half = fmax(half_width_deg(c->first, c->first == c->last ? 0.97 : 0.68, ra, dec), half_width_deg(c->last, 0.9, ra, dec));
	bool wide = half >= HALF_MAX;
	half *= 608.0 / 500; /* the picture is wider than high: what fits must fit into its height */
	if (wide && c->whole_if_wide)
		return (struct svg_sky){.all = true, .ra0_deg = round(ra / 15) * 15, .x0 = 44, .y0 = 10, .width = 608, .height = 304};
	return (struct svg_sky){.ra0_deg = ra, .dec0_deg = dec, .half_deg = half, .x0 = 44, .y0 = 10, .width = 608, .height = 500};
}

/* Marks and words -------------------------------------------------------------------------------------------------------------- */

struct labels {
	const struct svg_sky *sky;
	struct {
		double x, y;
	} taken[LABELS];
	size_t count;
};

static void take(struct labels *l, double x, double y)
{
	if (l->count < LABELS) {
		l->taken[l->count].x = x;
		l->taken[l->count++].y = y;
	}
}

/* Writes a label where none is yet; gives up after a few tries. */
static void label(struct labels *l, double x, double y, const char *words, struct text *out)
{
	static const double dx[] = {8, 8, 8, -8, -8, -8}, dy[] = {4, -8, 16, 4, -8, 16};
	for (int k = 0; k < 6 && l->count < LABELS; k++) {
		double lx = x + dx[k], ly = y + dy[k], left = dx[k] < 0 ? lx - 118 : lx;
		bool clear = left > l->sky->x0 && left + 118 < l->sky->x0 + l->sky->width;
		for (size_t i = 0; i < l->count && clear; i++)
			clear = fabs(l->taken[i].y - ly) > 11 || fabs(l->taken[i].x - left) > 122;
		if (!clear)
			continue;
		text_printf(out, "<text class=\"label\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", lx, ly, dx[k] < 0 ? "end" : "start");
		text_html(out, words);
		text_puts(out, "</text>\n");
		take(l, left, ly);
		return;
	}
}

static void star(double x, double y, struct text *out)
{
	text_puts(out, "<path class=\"star\" d=\"");
	for (int k = 0; k < 10; k++) {
		double a = M_PI / 5 * k - M_PI / 2, r = k % 2 ? 4.5 : 11;
		text_printf(out, "%c%.1f %.1f", k ? 'L' : 'M', x + r * cos(a), y + r * sin(a));
	}
	text_printf(out, "Z\"/>\n<text class=\"label strong\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">true host</text>\n", x, y + 26);
}

static void galaxies(const struct sky_close_up *c, struct labels *l, struct text *out)
{
	double x, y;
	for (size_t k = c->count; k-- > 0;) { /* the best on top */
		const struct sky_galaxy *g = &c->galaxies[k];
		if (!svg_sky_xy(l->sky, g->ra_deg, g->dec_deg, &x, &y))
			continue;
		text_printf(out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\" fill=\"%s\" class=\"galaxy\"><title>", x, y,
			2.2 + 14 * sqrt(fmax(0, isfinite(g->share) ? g->share : 0)), g->colour);
		text_html(out, g->name);
		text_printf(out, ", rank %lld", (long long)g->rank);
		if (isfinite(g->share))
			text_printf(out, ", share %.1f %%", 100 * g->share);
		if (isfinite(g->distance_mpc))
			text_printf(out, ", %.0f Mpc", g->distance_mpc);
		text_printf(out, ": %s</title></circle>\n", g->fate);
	}
	for (size_t k = 0; k < c->count; k++) {
		const struct sky_galaxy *g = &c->galaxies[k];
		char words[64];
		if (g->rank < 1 || g->rank > c->named || !svg_sky_xy(l->sky, g->ra_deg, g->dec_deg, &x, &y))
			continue;
		snprintf(words, sizeof words, "%lld %.40s", (long long)g->rank, g->name);
		label(l, x, y, words, out);
	}
}

static void regions(const struct svg_sky *s, const struct skymap *m, const char *style, struct text *out)
{
	svg_contour(s, m, sky_threshold(m, 0.9), style, out);
	svg_contour(s, m, sky_threshold(m, 0.5), style, out);
}

void sky_close_up(const struct sky_close_up *c, struct text *out)
{
	struct svg_sky s = view_of(c);
	struct labels l = {.sky = &s};
	double x, y;
	text_printf(out, "<svg viewBox=\"0 0 660 %.0f\" role=\"img\" aria-label=\"sky map and galaxies\">\n<clipPath id=\"close\"><rect x=\"%g\" "
		"y=\"%g\" width=\"%g\" height=\"%g\"/></clipPath>\n", s.y0 + s.height + 24, s.x0, s.y0, s.width, s.height);
	svg_sky_grid(&s, out);
	text_puts(out, "<g clip-path=\"url(#close)\">\n");
	regions(&s, c->first, "class=\"c90\"", out);
	if (c->last != c->first)
		regions(&s, c->last, "class=\"c50\"", out);
	bool host = !isnan(c->host_ra_deg) && svg_sky_xy(&s, c->host_ra_deg, c->host_dec_deg, &x, &y);
	if (host)
		take(&l, x - 60, y + 26);
	galaxies(c, &l, out);
	if (host)
		star(x, y, out);
	text_puts(out, "</g></svg>\n");
}

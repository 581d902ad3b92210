/* Credible levels on a grid of pixels, marching squares (Lorensen & Cline 1987, Computer Graphics 21, 163, in the plane), chained into closed outlines: see contour.h. */
#include "engine/report/contour.h"
#include "engine/target/region.h"
#include <chealpix.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DEG       (M_PI / 180)
#define MARGIN    6   /* nodes around the picture */
#define BLUR_MOST 40  /* nodes to each side */
#define KEY_SHIFT 44  /* 2^19 bins of density, 0.4 % wide or less */
#define KEYS      (1u << 19)
#define LEVELS    4096
#define FLAT_MOST 5   /* orders that a flat map may be finer than what it was made from */
#define SKIP_MOST 16  /* points of an outline that one line may stand for */
#define STRAY_PX  0.12

/* One number a node: 1 - credible level (1 at the peak, 0 off the map), and the probability it stands for. */
struct grid {
	const struct svg_sky *sky;
	int nx, ny;
	double *height, *weight, *density;
	unsigned char *blur;
	int (*link)[2]; /* the one or two crossings that a crossing is joined to; -1 none */
	double level;
};

int64_t contour_cell(const struct skymap *m, double ra, double dec)
{
	int64_t pixel, low = 0, high = m->cells - 1;
	double v[3] = {cos(dec * DEG) * cos(ra * DEG), cos(dec * DEG) * sin(ra * DEG), sin(dec * DEG)};
	vec2pix_nest64(INT64_C(1) << 29, v, &pixel);
	while (low < high) { /* the last cell that begins at or before the pixel */
		int64_t middle = low + (high - low + 1) / 2;
		if (skymap_first(m->uniq[middle]) <= (uint64_t)pixel)
			low = middle;
		else
			high = middle - 1;
	}
	if (m->cells == 0 || (uint64_t)pixel < skymap_first(m->uniq[low]))
		return -1;
	return (uint64_t)pixel - skymap_first(m->uniq[low]) < UINT64_C(1) << (2 * (29 - skymap_order(m->uniq[low]))) ? low : -1;
}

/* Credible levels ---------------------------------------------------------------------------------------------------------------- */

static uint64_t key_of(double density)
{
	uint64_t u;
	memcpy(&u, &density, sizeof u);
	return u;
}

/* above[k]: probability in cells of a higher key. malloc'd, KEYS + 1. */
static double *ladder_of(const struct skymap *m)
{
	double *above = calloc(KEYS + 1, sizeof *above), sum = 0, sr[30];
	must_memory(above);
	for (int order = 0; order < 30; order++)
		sr[order] = skymap_pixel_sr(order);
	for (int64_t i = 0; i < m->cells; i++)
		above[key_of(m->density[i] + 0.0) >> KEY_SHIFT & (KEYS - 1)] += m->density[i] * sr[skymap_order(m->uniq[i])];
	for (size_t k = KEYS; k-- > 0;) {
		double here = above[k];
		above[k] = sum;
		sum += here;
	}
	return above;
}

static double height_of(const double *above, double density)
{
	uint64_t key = key_of(density), k = key >> KEY_SHIFT & (KEYS - 1);
	double part = (double)(key & ((UINT64_C(1) << KEY_SHIFT) - 1)) / (double)(UINT64_C(1) << KEY_SHIFT);
	double below = k > 0 ? above[k - 1] : 1, level = above[k] + (1 - part) * (below - above[k]);
	return density > 0 ? fmax(0, 1 - level) : 0;
}

/* The grid ------------------------------------------------------------------------------------------------------------------------ */

static double node_x(const struct grid *g, double i)
{
	return g->sky->x0 + i - MARGIN;
}

static double node_y(const struct grid *g, double j)
{
	return g->sky->y0 + j - MARGIN;
}

/* Solid angle of a pixel at a position, in units of one at the centre. */
static double solid_angle(const struct svg_sky *s, double x, double y)
{
	if (s->all)
		return 1;
	double pixel = 2 * tan(s->half_deg * DEG) / s->width, u = (x - s->x0 - s->width / 2) * pixel, v = (y - s->y0 - s->height / 2) * pixel;
	return pow(1 + u * u + v * v, -1.5);
}

/* What lies beside the whole sky in a row repeats its edge, so that outlines leave the picture there instead of running along it. */
static bool place_of(const struct svg_sky *s, double x, double y, double *ra, double *dec)
{
	if (!s->all)
		return svg_sky_radec(s, x, y, ra, dec);
	double up = 1 - (y - s->y0) / (s->height / 2), reach = fabs(up) < 1 ? sqrt(1 - up * up) * 0.9999 : 0, middle = s->x0 + s->width / 2,
	       across = (x - middle) / (s->width / 2);
	return reach > 0 && svg_sky_radec(s, middle + fmax(-reach, fmin(reach, across)) * s->width / 2, y, ra, dec);
}

/* Order of the cells that a map was made from: a flat map repeats a value over all cells of a coarser one. */
static int order_made(const struct skymap *m, int64_t cell)
{
	int order = skymap_order(m->uniq[cell]), up = 0;
	if (m->cells != INT64_C(12) << (2 * order))
		return order;
	for (bool same = true; same && up < FLAT_MOST && up < order; up += same) {
		int64_t block = INT64_C(4) << (2 * up), first = cell / block * block;
		for (int64_t k = first; k < first + block && same; k++)
			same = !(m->density[k] < m->density[cell]) && !(m->density[k] > m->density[cell]);
	}
	return order - up;
}

static void node_fill(struct grid *g, const struct skymap *m, const double *above, int i, int j)
{
	double ra, dec, x = node_x(g, i), y = node_y(g, j);
	int at = j * g->nx + i;
	int64_t cell = place_of(g->sky, x, y, &ra, &dec) ? contour_cell(m, ra, dec) : -1;
	if (cell < 0)
		return;
	double pixel_sr = g->sky->all ? 16 / (g->sky->width * g->sky->height) : pow(2 * tan(g->sky->half_deg * DEG) / g->sky->width, 2);
	double wide = sqrt(skymap_pixel_sr(order_made(m, cell)) / pixel_sr);
	bool inside = x >= g->sky->x0 && x <= g->sky->x0 + g->sky->width && y >= g->sky->y0 && y <= g->sky->y0 + g->sky->height;
	if (g->sky->all)
		inside = svg_sky_radec(g->sky, x, y, &ra, &dec);
	g->density[at] = m->density[cell];
	g->height[at] = height_of(above, m->density[cell]);
	g->weight[at] = inside ? m->density[cell] * solid_angle(g->sky, x, y) : 0;
	g->blur[at] = (unsigned char)(wide < 1.4 ? 0 : fmin(BLUR_MOST, wide / 2 + 0.5));
}

/* Every node takes the mean of a square as wide as its cell, by sums over all that is left of and above a node. */
static void smooth(struct grid *g)
{
	int w = g->nx + 1;
	double *sum = calloc((size_t)w * (size_t)(g->ny + 1), sizeof *sum);
	must_memory(sum);
	for (int j = 0; j < g->ny; j++)
		for (int i = 0; i < g->nx; i++)
			sum[(j + 1) * w + i + 1] = g->height[j * g->nx + i] + sum[j * w + i + 1] + sum[(j + 1) * w + i] - sum[j * w + i];
	for (int j = 0; j < g->ny; j++)
		for (int i = 0; i < g->nx; i++) {
			int r = g->blur[j * g->nx + i], left = i > r ? i - r : 0, right = i + r < g->nx ? i + r + 1 : g->nx, top = j > r ? j - r : 0,
			    bottom = j + r < g->ny ? j + r + 1 : g->ny;
			if (r > 0)
				g->height[j * g->nx + i] = (sum[bottom * w + right] - sum[top * w + right] - sum[bottom * w + left] + sum[top * w + left])
					/ ((right - left) * (bottom - top));
		}
	free(sum);
}

/* How much of the cells at the edge of a region belongs to it. */
static double part_of_edge(const struct skymap *m, double level, double threshold)
{
	double above = 0, at = 0;
	for (int64_t i = 0; i < m->cells; i++)
		if (m->density[i] > threshold)
			above += m->density[i] * skymap_pixel_sr(skymap_order(m->uniq[i]));
		else if (!(m->density[i] < threshold))
			at += m->density[i] * skymap_pixel_sr(skymap_order(m->uniq[i]));
	return at > 0 ? fmax(0, fmin(1, (level - above) / at)) : 1;
}

/* The height above which the smoothed grid holds what the map's own cells hold. */
static double height_holding(const struct grid *g, double threshold, double edge_part)
{
	double bins[LEVELS] = {0}, wanted = 0, sum = 0;
	for (int at = 0; at < g->nx * g->ny; at++) {
		double h = g->height[at] * (LEVELS - 1);
		bins[(int)h] += g->weight[at];
		wanted += g->density[at] < threshold ? 0 : g->density[at] > threshold ? g->weight[at] : edge_part * g->weight[at];
	}
	int k = LEVELS;
	while (k > 0 && sum + bins[k - 1] < wanted)
		sum += bins[--k];
	if (!(wanted > 0) || k == 0)
		return wanted > 0 ? 0 : 2;
	return (k - (bins[k - 1] > 0 ? (wanted - sum) / bins[k - 1] : 0)) / (LEVELS - 1);
}

/* Marching squares ---------------------------------------------------------------------------------------------------------------- */

static int edge(const struct grid *g, int i, int j, bool vertical)
{
	return 2 * (j * g->nx + i) + vertical;
}

static void join(struct grid *g, int a, int b)
{
	g->link[a][g->link[a][0] >= 0] = b;
	g->link[b][g->link[b][0] >= 0] = a;
}

/* Edges of a square: bottom, right, top, left; each case of corners (bit 0: i,j; 1: i+1,j; 2: i+1,j+1; 3: i,j+1) joins some. */
static void square(struct grid *g, int i, int j)
{
	const int e[4] = {edge(g, i, j, false), edge(g, i + 1, j, true), edge(g, i, j + 1, false), edge(g, i, j, true)};
	static const signed char joins[16][4] = {{-1, -1, -1, -1}, {3, 0, -1, -1}, {0, 1, -1, -1}, {3, 1, -1, -1}, {1, 2, -1, -1}, {3, 0, 1, 2},
		{0, 2, -1, -1}, {3, 2, -1, -1}, {2, 3, -1, -1}, {2, 0, -1, -1}, {0, 1, 2, 3}, {2, 1, -1, -1}, {1, 3, -1, -1}, {1, 0, -1, -1},
		{0, 3, -1, -1}, {-1, -1, -1, -1}};
	const double *h = g->height + j * g->nx + i;
	int corners = (h[0] > g->level) | (h[1] > g->level) << 1 | (h[g->nx + 1] > g->level) << 2 | (h[g->nx] > g->level) << 3;
	for (int k = 0; k < 4 && joins[corners][k] >= 0; k += 2)
		join(g, e[(int)joins[corners][k]], e[(int)joins[corners][k + 1]]);
}

static void crossing(const struct grid *g, int name, double xy[2])
{
	int at = name / 2, i = at % g->nx, j = at / g->nx, other = name % 2 ? at + g->nx : at + 1;
	double a = g->height[at], b = g->height[other], t = (g->level - a) / (b - a);
	t = t >= 0 && t <= 1 ? t : 0.5;
	xy[0] = node_x(g, i + (name % 2 ? 0 : t));
	xy[1] = node_y(g, j + (name % 2 ? t : 0));
}

static double stray(const double p[2], const double a[2], const double b[2])
{
	double dx = b[0] - a[0], dy = b[1] - a[1], length = hypot(dx, dy);
	return length > 0 ? fabs((p[0] - a[0]) * dy - (p[1] - a[1]) * dx) / length : hypot(p[0] - a[0], p[1] - a[1]);
}

/* Writes a closed outline without the points that a straight line passes by closely. */
static void outline_write(const double (*p)[2], size_t n, struct text *out)
{
	text_printf(out, "M%.1f %.1f", p[0][0], p[0][1]);
	for (size_t at = 0; at + 1 < n;) {
		size_t to = at + 1;
		for (bool fits = true; fits && to + 1 < n && to - at < SKIP_MOST;) {
			for (size_t k = at + 1; k <= to && fits; k++)
				fits = stray(p[k], p[at], p[to + 1]) < STRAY_PX;
			to += fits;
		}
		text_printf(out, "L%.1f %.1f", p[to][0], p[to][1]);
		at = to;
	}
	text_puts(out, "Z");
}

static void outline(struct grid *g, int from, double (*points)[2], struct text *out)
{
	int at = from, came = -1;
	size_t n = 0;
	for (bool first = true; at >= 0 && (first || at != from); first = false) {
		crossing(g, at, points[n++]);
		int next = g->link[at][0] >= 0 && g->link[at][0] != came ? g->link[at][0] : g->link[at][1];
		g->link[at][0] = g->link[at][1] = -1;
		came = at;
		at = next;
	}
	if (n > 2)
		outline_write((const double(*)[2])points, n, out);
}

static bool level_draw(struct grid *g, double (*points)[2], const char *attributes, struct text *out)
{
	size_t before;
	memset(g->link, 0xff, sizeof(int[2]) * 2 * (size_t)(g->nx * g->ny));
	for (int j = 0; j + 1 < g->ny; j++)
		for (int i = 0; i + 1 < g->nx; i++)
			square(g, i, j);
	text_printf(out, "<path fill-rule=\"evenodd\" %s d=\"", attributes);
	before = out->len;
	for (int k = 0; k < 2 * g->nx * g->ny; k++)
		if (g->link[k][0] >= 0)
			outline(g, k, points, out);
	bool shown = out->len > before;
	text_puts(out, "\"/>\n");
	return shown;
}

size_t contour_draw(const struct svg_sky *s, const struct skymap *m, const struct contour *list, size_t count, struct text *out)
{
	struct grid g = {.sky = s, .nx = (int)s->width + 2 * MARGIN + 1, .ny = (int)s->height + 2 * MARGIN + 1};
	size_t nodes = (size_t)g.nx * (size_t)g.ny, shown = 0;
	double *above = ladder_of(m), (*points)[2] = malloc(2 * nodes * sizeof *points);
	g.height = calloc(nodes, sizeof *g.height);
	g.weight = calloc(nodes, sizeof *g.weight);
	g.density = calloc(nodes, sizeof *g.density);
	g.blur = calloc(nodes, 1);
	g.link = malloc(2 * nodes * sizeof *g.link);
	must_memory(points != NULL && g.height != NULL && g.weight != NULL && g.density != NULL && g.blur != NULL && g.link != NULL);
	for (int j = 1; j + 1 < g.ny; j++) /* the outermost nodes stay empty: every outline closes */
		for (int i = 1; i + 1 < g.nx; i++)
			node_fill(&g, m, above, i, j);
	smooth(&g);
	for (int j = 0; j < g.ny; j++) /* smoothing reaches them */
		g.height[j * g.nx] = g.height[j * g.nx + g.nx - 1] = 0;
	memset(g.height, 0, sizeof(double) * (size_t)g.nx);
	memset(g.height + (size_t)(g.ny - 1) * (size_t)g.nx, 0, sizeof(double) * (size_t)g.nx);
	for (size_t k = 0; k < count; k++) {
		double area, threshold = 0;
		struct err e = {0};
		g.level = region_area(m, list[k].level, &area, &threshold, &e) == 0 ? height_holding(&g, threshold, part_of_edge(m, list[k].level, threshold)) : 2;
		shown += level_draw(&g, points, list[k].attributes, out);
	}
	free(above);
	free(points);
	free(g.height);
	free(g.weight);
	free(g.density);
	free(g.blur);
	free(g.link);
	return shown;
}

/* Mollweide and gnomonic pictures; contours by marching squares, chained into closed outlines; time axes. See svg.h. */
#include "engine/report/svg.h"
#include "engine/base/utc.h"
#include <chealpix.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DEG (M_PI / 180)
#define NX  240
#define NY  160
#define LINE_POINTS 361 /* of a meridian or parallel */

double svg_separation_deg(double ra1, double dec1, double ra2, double dec2)
{
	double a = sin((dec2 - dec1) * DEG / 2), b = sin((ra2 - ra1) * DEG / 2),
	       h = a * a + cos(dec1 * DEG) * cos(dec2 * DEG) * b * b;

	return 2 * asin(sqrt(h > 1 ? 1 : h)) / DEG;
}

static bool mollweide(const struct svg_sky *s, double ra, double dec, double *x, double *y)
{
	double lambda = remainder(ra - s->ra0_deg, 360) * DEG, phi = dec * DEG, t = phi;

	for (int i = 0; i < 12 && fabs(fabs(phi) - M_PI / 2) > 1e-9; i++)
		t -= (2 * t + sin(2 * t) - M_PI * sin(phi)) / (2 + 2 * cos(2 * t) + 1e-12);
	*x = s->x0 + s->width / 2 * (1 - lambda / M_PI * cos(t));
	*y = s->y0 + s->height / 2 * (1 - sin(t));
	return true;
}

bool svg_sky_xy(const struct svg_sky *s, double ra, double dec, double *x, double *y)
{
	if (s->all)
		return mollweide(s, ra, dec, x, y);
	double dra = (ra - s->ra0_deg) * DEG, d = dec * DEG, d0 = s->dec0_deg * DEG;
	double c = sin(d0) * sin(d) + cos(d0) * cos(d) * cos(dra);
	if (c < 0.05)
		return false;
	double scale = s->width / 2 / tan(s->half_deg * DEG);
	*x = s->x0 + s->width / 2 - scale * cos(d) * sin(dra) / c;
	*y = s->y0 + s->height / 2 - scale * (cos(d0) * sin(d) - sin(d0) * cos(d) * cos(dra)) / c;
	return *x >= s->x0 && *x <= s->x0 + s->width && *y >= s->y0 && *y <= s->y0 + s->height;
}

bool svg_sky_radec(const struct svg_sky *s, double x, double y, double *ra, double *dec)
{
	if (s->all) {
		double sine = 1 - (y - s->y0) / (s->height / 2),
		       across = 1 - (x - s->x0) / (s->width / 2);
		if (fabs(sine) >= 1)
			return false;
		double t = asin(sine), lambda = M_PI * across / cos(t);
		if (fabs(lambda) > M_PI)
			return false;
		*dec = asin((2 * t + sin(2 * t)) / M_PI) / DEG;
		*ra = s->ra0_deg + lambda / DEG;
		return true;
	}
	double scale = s->width / 2 / tan(s->half_deg * DEG),
	       u = -(x - s->x0 - s->width / 2) / scale, v = -(y - s->y0 - s->height / 2) / scale;
	double rho = sqrt(u * u + v * v), c = atan(rho), d0 = s->dec0_deg * DEG;
	if (rho < 1e-12) {
		*ra = s->ra0_deg;
		*dec = s->dec0_deg;
		return true;
	}
	*dec = asin(cos(c) * sin(d0) + v * sin(c) * cos(d0) / rho) / DEG;
	*ra = s->ra0_deg + atan2(u * sin(c), rho * cos(d0) * cos(c) - v * sin(d0) * sin(c)) / DEG;
	return true;
}

static void polyline(const struct svg_sky *s, const double (*radec)[2], size_t n, const char *style,
	struct text *out)
{
	bool pen = false;
	double lastx = 0;

	text_printf(out, "<path fill=\"none\" %s d=\"", style);
	for (size_t i = 0; i < n; i++) {
		double x, y;
		bool in = svg_sky_xy(s, radec[i][0], radec[i][1], &x, &y);
		if (in && pen && s->all && fabs(x - lastx) > s->width / 4)
			pen = false; /* round the back of the sky */
		if (in)
			text_printf(out, "%c%.1f %.1f", pen ? 'L' : 'M', x, y);
		pen = in;
		lastx = x;
	}
	text_puts(out, "\"/>\n");
}

void svg_sky_path(const struct svg_sky *s, const double (*points)[3], size_t n, const char *style,
	struct text *out)
{
	double(*radec)[2] = calloc(n, sizeof *radec);

	if (radec == NULL)
		return;
	for (size_t i = 0; i < n; i++) {
		radec[i][0] = atan2(points[i][1], points[i][0]) / DEG;
		radec[i][1] = asin(fmax(-1, fmin(1, points[i][2]))) / DEG;
	}
	polyline(s, (const double(*)[2])radec, n, style, out);
	free(radec);
}

/* One meridian or parallel, and its label. */
static void grid_line(const struct svg_sky *s, bool meridian, double at, double low, double high,
	struct text *out)
{
	double line[LINE_POINTS][2];

	for (int i = 0; i < LINE_POINTS; i++) {
		double along = low + (high - low) * i / (LINE_POINTS - 1);
		line[i][0] = meridian ? at : along;
		line[i][1] = meridian ? along : at;
	}
	polyline(s, (const double(*)[2])line, LINE_POINTS, "class=\"grid\"", out);
}

static void grid_labels(const struct svg_sky *s, double step, double ra_step, struct text *out)
{
	double x, y, ra, dec;

	for (double d = -90 + step; d < 90; d += step) /* declinations up the left side */
		for (double px = s->x0; px < s->x0 + s->width; px += 4) {
			bool ok = s->all ? mollweide(s, s->ra0_deg + 179.9, d, &x, &y)
					 : svg_sky_radec(s, s->x0 + 1, s->y0, &ra, &dec);
			if (s->all && ok) {
				text_printf(out,
					"<text class=\"tick\" x=\"%.0f\" y=\"%.0f\" "
					"text-anchor=\"end\">%+.0f°</text>\n",
					x - 3, y + 3, d);
			} else {
				for (double py = s->y0 + 8; py < s->y0 + s->height - 8; py += 1)
					if (svg_sky_radec(s, s->x0, py, &ra, &dec) &&
						fabs(dec - d) < 0.5 * s->half_deg * 2 / s->height) {
						text_printf(out,
							"<text class=\"tick\" x=\"%.0f\" "
							"y=\"%.0f\" "
							"text-anchor=\"end\">%+.4g°</text>\n",
							s->x0 - 4, py + 3, d);
						break;
					}
			}
			break;
		}
	for (double r = 0; r < 360; r += ra_step) {
		if (s->all) {
			if (fabs(remainder(r - s->ra0_deg, 360)) < 170 &&
				mollweide(s, r, 0, &x, &y))
				text_printf(out,
					"<text class=\"tick\" x=\"%.0f\" y=\"%.0f\" "
					"text-anchor=\"middle\">%.0fh</text>\n",
					x, y - 3, r / 15);
			continue;
		}
		for (double px = s->x0 + 16; px < s->x0 + s->width - 16; px += 1)
			if (svg_sky_radec(s, px, s->y0 + s->height, &ra, &dec) &&
				fabs(remainder(ra - r, 360)) * cos(dec * DEG) <
					0.5 * s->half_deg * 2 / s->width) {
				text_printf(out,
					"<text class=\"tick\" x=\"%.0f\" y=\"%.0f\" "
					"text-anchor=\"middle\">%.4g°</text>\n",
					px, s->y0 + s->height + 13, r);
				break;
			}
	}
}

void svg_sky_grid(const struct svg_sky *s, struct text *out)
{
	double step = s->all ? 30 : s->half_deg > 15 ? 10 : s->half_deg > 6 ? 5 : 2, ra_step = step;

	if (!s->all && fabs(s->dec0_deg) > 45)
		ra_step = step * (fabs(s->dec0_deg) > 70 ? 6 : 2);
	if (s->all)
		ra_step = 60;
	for (double d = -90 + step; d < 90; d += step)
		if (s->all || fabs(d - s->dec0_deg) < 2 * s->half_deg)
			grid_line(s, false, d,
				s->all ? s->ra0_deg - 179.99
				       : s->ra0_deg - fmin(180, 2 * s->half_deg /
									cos(s->dec0_deg * DEG)),
				s->all ? s->ra0_deg + 179.99
				       : s->ra0_deg + fmin(180, 2 * s->half_deg /
									cos(s->dec0_deg * DEG)),
				out);
	for (double r = 0; r < 360; r += ra_step)
		grid_line(s, true, r, s->all ? -90 : fmax(-89, s->dec0_deg - 2 * s->half_deg),
			s->all ? 90 : fmin(89, s->dec0_deg + 2 * s->half_deg), out);
	if (s->all)
		text_printf(out,
			"<ellipse cx=\"%.1f\" cy=\"%.1f\" rx=\"%.1f\" ry=\"%.1f\" "
			"class=\"frame\"/>\n",
			s->x0 + s->width / 2, s->y0 + s->height / 2, s->width / 2, s->height / 2);
	else
		text_printf(out,
			"<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" "
			"class=\"frame\"/>\n",
			s->x0, s->y0, s->width, s->height);
	grid_labels(s, step, ra_step, out);
}

double svg_density(const struct skymap *m, double ra, double dec)
{
	int64_t pixel, low = 0, high = m->cells - 1;
	double v[3] = {
		cos(dec * DEG) * cos(ra * DEG), cos(dec * DEG) * sin(ra * DEG), sin(dec * DEG)};

	vec2pix_nest64(INT64_C(1) << 29, v, &pixel);
	while (low < high) { /* the last cell that begins at or before the pixel */
		int64_t middle = low + (high - low + 1) / 2;
		if (skymap_first(m->uniq[middle]) <= (uint64_t)pixel)
			low = middle;
		else
			high = middle - 1;
	}
	if (m->cells == 0 || (uint64_t)pixel < skymap_first(m->uniq[low]))
		return 0;
	int order = skymap_order(m->uniq[low]);
	return (uint64_t)pixel - skymap_first(m->uniq[low]) < UINT64_C(1) << (2 * (29 - order))
		       ? m->density[low]
		       : 0;
}

/* Values on a grid with an empty border; crossings are named by the grid edge they lie on. */
struct march {
	double *value, level;
	int (*link)[2]; /* the one or two crossings that a crossing is joined to; -1 none */
	const struct svg_sky *sky;
};

static int edge(int i, int j, bool vertical)
{
	return 2 * (j * NX + i) + vertical;
}

static void join(struct march *m, int a, int b)
{
	m->link[a][m->link[a][0] >= 0] = b;
	m->link[b][m->link[b][0] >= 0] = a;
}

/* Edges of a square: bottom, right, top, left; each case of corners (bit 0: i,j; 1: i+1,j; 2:
 * i+1,j+1; 3: i,j+1) joins some. */
static void square(struct march *m, int i, int j)
{
	const int e[4] = {
		edge(i, j, false), edge(i + 1, j, true), edge(i, j + 1, false), edge(i, j, true)};
	static const signed char joins[16][4] = {{-1, -1, -1, -1}, {3, 0, -1, -1}, {0, 1, -1, -1},
		{3, 1, -1, -1}, {1, 2, -1, -1}, {3, 0, 1, 2}, {0, 2, -1, -1}, {3, 2, -1, -1},
		{2, 3, -1, -1}, {2, 0, -1, -1}, {0, 1, 2, 3}, {2, 1, -1, -1}, {1, 3, -1, -1},
		{1, 0, -1, -1}, {0, 3, -1, -1}, {-1, -1, -1, -1}};
	int corners = (m->value[j * NX + i] > m->level) |
		      (m->value[j * NX + i + 1] > m->level) << 1 |
		      (m->value[(j + 1) * NX + i + 1] > m->level) << 2 |
		      (m->value[(j + 1) * NX + i] > m->level) << 3;

	for (int k = 0; k < 4 && joins[corners][k] >= 0; k += 2)
		join(m, e[(int)joins[corners][k]], e[(int)joins[corners][k + 1]]);
}

static void crossing(const struct march *m, int name, double *x, double *y)
{
	int cell = name / 2, i = cell % NX, j = cell / NX, other = name % 2 ? cell + NX : cell + 1;
	double a = sqrt(m->value[cell]), b = sqrt(m->value[other]),
	       t = (sqrt(m->level) - a) / (b - a);

	t = t >= 0 && t <= 1 ? t : 0.5;
	*x = m->sky->x0 + (i + (name % 2 ? 0 : t)) * m->sky->width / (NX - 1);
	*y = m->sky->y0 + (j + (name % 2 ? t : 0)) * m->sky->height / (NY - 1);
}

static void outline(struct march *m, int from, struct text *out)
{
	int at = from, came = -1;

	for (bool first = true; at >= 0 && (first || at != from); first = false) {
		double x, y;
		crossing(m, at, &x, &y);
		text_printf(out, "%c%.1f %.1f", first ? 'M' : 'L', x, y);
		int next = m->link[at][0] >= 0 && m->link[at][0] != came ? m->link[at][0]
									 : m->link[at][1];
		m->link[at][0] = m->link[at][1] = -1;
		came = at;
		at = next;
	}
	text_puts(out, "Z");
}

/* A close-up shows cells larger than its grid: two passes of a 5 × 5 mean take their corners off.
 * The whole sky is too coarse for it. */
static void smooth(double *value)
{
	double *copy = malloc(sizeof(double) * NX * NY);

	for (int pass = 0; pass < 2 && copy != NULL; pass++) {
		memcpy(copy, value, sizeof(double) * NX * NY);
		for (int j = 3; j < NY - 3; j++)
			for (int i = 3; i < NX - 3; i++) {
				double sum = 0;
				for (int k = 0; k < 25; k++)
					sum += copy[(j + k / 5 - 2) * NX + i + k % 5 - 2];
				value[j * NX + i] = sum / 25;
			}
	}
	free(copy);
}

void svg_contour(const struct svg_sky *s, const struct skymap *map, double density,
	const char *attributes, struct text *out)
{
	struct march m = {.value = calloc(NX * NY, sizeof(double)),
		.link = malloc(sizeof(int[2]) * 2 * NX * NY),
		.level = density,
		.sky = s};

	if (m.value != NULL && m.link != NULL) {
		memset(m.link, 0xff, sizeof(int[2]) * 2 * NX * NY);
		for (int j = 1; j < NY - 1; j++)
			for (int i = 1; i < NX - 1; i++) {
				double ra, dec;
				if (svg_sky_radec(s, s->x0 + i * s->width / (NX - 1),
					    s->y0 + j * s->height / (NY - 1), &ra, &dec))
					m.value[j * NX + i] = svg_density(map, ra, dec);
			}
		if (!s->all)
			smooth(m.value);
		for (int j = 0; j < NY - 1; j++)
			for (int i = 0; i < NX - 1; i++)
				square(&m, i, j);
		text_printf(out, "<path %s d=\"", attributes);
		for (int k = 0; k < 2 * NX * NY; k++)
			if (m.link[k][0] >= 0)
				outline(&m, k, out);
		text_puts(out, "\"/>\n");
	}
	free(m.value);
	free(m.link);
}

double svg_axis_x(const struct svg_axis *a, int64_t t)
{
	double x = a->x0 + (double)(t - a->from_us) / (double)(a->to_us - a->from_us) * a->width;

	return fmax(a->x0, fmin(a->x0 + a->width, x));
}

void svg_axis_hours(const struct svg_axis *a, double top, double bottom, struct text *out)
{
	static const int hours[] = {1, 2, 3, 6, 12, 24, 72};
	size_t k = 0;
	char hms[32];

	while (k + 1 < sizeof hours / sizeof hours[0] && (a->to_us - a->from_us) / (hours[k] * UTC_HOUR) > 14)
		k++;
	int64_t step = hours[k] * UTC_HOUR;
	for (int64_t t = (a->from_us / step + 1) * step; t < a->to_us; t += step) {
		double x = svg_axis_x(a, t);
		utc_format_hms(hms, t);
		text_printf(out,
			"<path class=\"grid\" d=\"M%.1f %.1fV%.1f\"/><text class=\"tick\" "
			"x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%.5s</text>\n",
			x, top, bottom, x, bottom + 12, x > a->x0 + a->width - 14 ? "end" : "middle", hms);
	}
}

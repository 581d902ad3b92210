/* The sky with its map, galaxies, truth, horizon and Moon; zoomed (gnomonic) or whole (Mollweide): see plot.h.
 * The map is drawn on a raster of the panel: each pixel asks for its own cell, so what is seen is the map and not a smoothed copy. */
#include "engine/report/plot.h"
#include "engine/report/plot_draw.h"
#include "engine/target/region.h"
#include <chealpix.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH 860.0
#define WHOLE_SKY_DEG 60.0 /* half-widths from here on are drawn as the whole sky */
#define RASTER 1.5         /* pixels of the raster, in units of the drawing */
#define TITLE_H 30.0
#define FOOT_H 44.0

struct sky {
	const struct plot_sky *p;
	bool whole;
	double ra0, dec0;            /* rad: centre */
	double scale;                /* units per rad (gnomonic) or per Mollweide unit */
	struct plot_box panel;
	uint64_t *first;             /* first order-29 pixel of each cell */
	double level50, level90;     /* densities */
};

/* Position → drawing. false: on the back side, or outside of the panel. */
static bool project(const struct sky *s, double ra, double dec, double *x, double *y)
{
	double cx = s->panel.x + s->panel.w / 2, cy = s->panel.y + s->panel.h / 2, d = ra - s->ra0;
	if (s->whole) {
		double theta = dec;
		d = remainder(d, 2 * M_PI);
		for (int i = 0; i < 30 && fabs(dec) < M_PI / 2 - 1e-6; i++) {
			double step = (2 * theta + sin(2 * theta) - M_PI * sin(dec)) / (2 + 2 * cos(2 * theta));
			theta -= step;
			if (fabs(step) < 1e-9)
				break;
		}
		*x = cx - s->scale * (2 * M_SQRT2 / M_PI) * d * cos(theta);
		*y = cy - s->scale * M_SQRT2 * sin(theta);
		return true;
	}
	double c = sin(s->dec0) * sin(dec) + cos(s->dec0) * cos(dec) * cos(d);
	if (c < 0.05)
		return false;
	*x = cx - s->scale * cos(dec) * sin(d) / c;
	*y = cy - s->scale * (cos(s->dec0) * sin(dec) - sin(s->dec0) * cos(dec) * cos(d)) / c;
	return *x >= s->panel.x && *x <= s->panel.x + s->panel.w && *y >= s->panel.y && *y <= s->panel.y + s->panel.h;
}

/* Drawing → position. false: outside of the ellipse. */
static bool unproject(const struct sky *s, double x, double y, double *ra, double *dec)
{
	double u = (s->panel.x + s->panel.w / 2 - x) / s->scale, v = (s->panel.y + s->panel.h / 2 - y) / s->scale;
	if (s->whole) {
		double sine = v / M_SQRT2;
		if (fabs(sine) > 1.0)
			return false;
		double theta = asin(sine), width = 2 * M_SQRT2 / M_PI * cos(theta);
		if (fabs(u) > width * M_PI)
			return false;
		*dec = asin(fmax(-1.0, fmin(1.0, (2 * theta + sin(2 * theta)) / M_PI)));
		*ra = s->ra0 + (width > 1e-9 ? u / width : 0.0);
		return true;
	}
	double down = cos(s->dec0) - v * sin(s->dec0);
	*ra = s->ra0 + atan2(u, down);
	*dec = atan2(sin(s->dec0) + v * cos(s->dec0), hypot(u, down));
	return true;
}

/* Map ------------------------------------------------------------------------------------------------------------------------- */

static uint64_t cell_first(uint64_t uniq)
{
	int order = (63 - __builtin_clzll(uniq | 4)) / 2 - 1;
	return (uniq - (UINT64_C(4) << (2 * order))) << (2 * (29 - order));
}

/* Density of the map at a position; 0 where it has no cell. */
static double density_at(const struct sky *s, double ra, double dec)
{
	const struct skymap *m = s->p->map;
	int64_t pixel, low = 0, high = m->cells - 1;
	double phi = fmod(ra, 2 * M_PI);
	ang2pix_nest64(INT64_C(1) << 29, M_PI / 2 - dec, phi < 0 ? phi + 2 * M_PI : phi, &pixel);
	while (low < high) {
		int64_t mid = (low + high + 1) / 2;
		if (s->first[mid] <= (uint64_t)pixel)
			low = mid;
		else
			high = mid - 1;
	}
	uint64_t uniq = m->uniq[low];
	int order = (63 - __builtin_clzll(uniq | 4)) / 2 - 1;
	uint64_t size = UINT64_C(1) << (2 * (29 - order));
	return (uint64_t)pixel >= s->first[low] && (uint64_t)pixel < s->first[low] + size ? m->density[low] : 0.0;
}

/* All pixels of the panel inside a credible level, as runs in one path. */
static void level_draw(struct text *out, const struct sky *s, double level, const char *fill)
{
	text_printf(out, "<path fill=\"%s\" shape-rendering=\"crispEdges\" d=\"", fill);
	for (double y = s->panel.y; y < s->panel.y + s->panel.h; y += RASTER) {
		double run = -1.0, x = s->panel.x;
		for (;; x += RASTER) {
			double ra, dec;
			bool end = x >= s->panel.x + s->panel.w;
			bool in = !end && unproject(s, x + RASTER / 2, y + RASTER / 2, &ra, &dec) && density_at(s, ra, dec) >= level;
			if (in && run < 0.0)
				run = x;
			if (!in && run >= 0.0) {
				text_printf(out, "M%g %gh%gv%gh%gz", run, y, x - run, RASTER, run - x);
				run = -1.0;
			}
			if (end)
				break;
		}
	}
	text_puts(out, "\"/>\n");
}

/* Centre of the 90 % region (of its cells, by probability) and the angle that holds it. */
static void region_extent(struct sky *s, double *reach)
{
	const struct skymap *m = s->p->map;
	double sum[3] = {0, 0, 0}, far = 0.0;
	for (int pass = 0; pass < 2; pass++) {
		double n = sqrt(sum[0] * sum[0] + sum[1] * sum[1] + sum[2] * sum[2]);
		for (int64_t i = 0; i < m->cells; i++) {
			int order = (63 - __builtin_clzll(m->uniq[i] | 4)) / 2 - 1;
			double theta, phi, area = M_PI / 3 / (double)(UINT64_C(1) << (2 * order));
			if (m->density[i] < s->level90 || m->density[i] <= 0.0)
				continue;
			pix2ang_nest64(INT64_C(1) << order, (int64_t)(m->uniq[i] - (UINT64_C(4) << (2 * order))), &theta, &phi);
			double v[3] = {sin(theta) * cos(phi), sin(theta) * sin(phi), cos(theta)};
			for (int k = 0; k < 3 && pass == 0; k++)
				sum[k] += v[k] * m->density[i] * area;
			if (pass == 1 && n > 0.0) {
				double c = (v[0] * sum[0] + v[1] * sum[1] + v[2] * sum[2]) / n;
				far = fmax(far, acos(fmax(-1.0, fmin(1.0, c))) + sqrt(area));
			}
		}
	}
	s->ra0 = atan2(sum[1], sum[0]);
	s->dec0 = atan2(sum[2], hypot(sum[0], sum[1]));
	*reach = far;
}

/* Lines ----------------------------------------------------------------------------------------------------------------------- */

/* A line through positions; lifts the pen where the next point is not seen or jumps. */
struct pen {
	bool down;
	double x, y;
};

static void pen_to(struct text *out, const struct sky *s, struct pen *p, double ra, double dec)
{
	double x, y;
	bool seen = project(s, ra, dec, &x, &y);
	if (seen)
		text_printf(out, "%s%.1f %.1f", p->down && fabs(x - p->x) + fabs(y - p->y) < 80 ? "L" : "M", x, y);
	*p = (struct pen){seen, x, y};
}

static double grid_step_deg(double halfwidth_deg)
{
	static const double steps[] = {0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30};
	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
		if (2 * halfwidth_deg / steps[i] <= 7)
			return steps[i];
	return 30;
}

/* Meridians and parallels, with their words on the lower and left edge (whole sky: along the equator and the rim). */
static void grid_draw(struct text *out, const struct sky *s, double halfwidth_deg, struct plot_labels *labels)
{
	double step = s->whole ? 30 : grid_step_deg(halfwidth_deg), cosd = fmax(cos(s->dec0), 0.15);
	double ra_step = s->whole ? 60 : grid_step_deg(halfwidth_deg / cosd), d2r = M_PI / 180;
	char word[32];
	text_puts(out, "<path fill=\"none\" stroke=\"#9AA5B1\" stroke-width=\"0.6\" d=\"");
	double low = s->whole ? -60 : floor((s->dec0 / d2r - halfwidth_deg * 1.5) / step) * step, high = s->whole ? 60 : low + halfwidth_deg * 3 + step;
	for (double dec = fmax(low, -90); dec <= fmin(high, 90) + 1e-9; dec += step) {
		struct pen pen = {0};
		for (int i = -200; i <= 200; i++)
			pen_to(out, s, &pen, s->ra0 + (s->whole ? i * M_PI / 200.001 : i * halfwidth_deg * 2 * d2r / cosd / 200), dec * d2r);
	}
	double span = s->whole ? 180 : fmin(180, halfwidth_deg * 2 / cosd);
	for (double ra = ceil((s->ra0 / d2r - span) / ra_step) * ra_step; ra < s->ra0 / d2r + span - (s->whole ? 1e-6 : 0); ra += ra_step) {
		struct pen pen = {0};
		for (int i = -200; i <= 200; i++)
			pen_to(out, s, &pen, ra * d2r, s->whole ? i * M_PI / 400 : s->dec0 + i * halfwidth_deg * 1.6 * d2r / 200);
	}
	text_puts(out, "\"/>\n");
	for (double dec = fmax(low, -90); dec <= fmin(high, 90) + 1e-9; dec += step)
		for (double y = s->panel.y + 6; y < s->panel.y + s->panel.h - 6; y += 1.0) { /* where does it cross the left edge? */
			double r, a, b, x = s->panel.x + 0.5, px, py;
			if (s->whole) {
				if (!project(s, s->ra0 + M_PI * 0.99999, dec * d2r, &px, &py))
					break;
				x = px;
				y = py;
			} else if (!unproject(s, x, y, &r, &a) || !unproject(s, x, y + 1, &r, &b) || (a / d2r - dec) * (b / d2r - dec) > 0) {
				continue;
			}
			snprintf(word, sizeof word, "%s%.*f°", dec > 1e-9 ? "+" : dec < -1e-9 ? "−" : "", step < 1 ? 1 : 0, fabs(dec));
			plot_text(out, x - 5, y + 4, PLOT_WORDS("end", "11", PLOT_GREY), word);
			break;
		}
	for (double ra = ceil((s->ra0 / d2r - span) / ra_step) * ra_step; ra < s->ra0 / d2r + span - (s->whole ? 1e-6 : 0); ra += ra_step)
		for (double x = s->panel.x + 10; x < s->panel.x + s->panel.w - 10; x += 1.0) {
			double d, a, b, y = s->panel.y + s->panel.h - 0.5, px, py;
			if (s->whole) {
				if (!project(s, ra * d2r, 0, &px, &py))
					break;
				x = px;
				y = py;
			} else if (!unproject(s, x, y, &a, &d) || !unproject(s, x + 1, y, &b, &d)
				|| remainder(a / d2r - ra, 360) * remainder(b / d2r - ra, 360) > 0 || fabs(remainder(a / d2r - ra, 360)) > 20) {
				continue;
			}
			snprintf(word, sizeof word, ra_step < 1 ? "%.1f°" : "%.0f°", fmod(ra + 720, 360));
			double w = plot_text_width(word, 11);
			if (plot_take(labels, (struct plot_box){x - w / 2, y + 4, w, 12}))
				plot_text(out, x, y + (s->whole ? 13 : 15), PLOT_WORDS("middle", "11", PLOT_GREY), word);
			break;
		}
}

/* Circle of constant distance around a direction. */
static void circle_draw(struct text *out, const struct sky *s, const double axis[3], double radius, const char *style)
{
	double u[3], v[3], n = hypot(axis[0], axis[1]);
	struct pen pen = {0};
	if (n < 1e-9)
		memcpy(u, (double[3]){1, 0, 0}, sizeof u);
	else
		memcpy(u, (double[3]){-axis[1] / n, axis[0] / n, 0}, sizeof u);
	v[0] = axis[1] * u[2] - axis[2] * u[1];
	v[1] = axis[2] * u[0] - axis[0] * u[2];
	v[2] = axis[0] * u[1] - axis[1] * u[0];
	text_puts(out, "<path fill=\"none\" d=\"");
	for (int i = 0; i <= 720; i++) {
		double a = i * M_PI / 360, p[3];
		for (int k = 0; k < 3; k++)
			p[k] = cos(radius) * axis[k] + sin(radius) * (cos(a) * u[k] + sin(a) * v[k]);
		pen_to(out, s, &pen, atan2(p[1], p[0]), asin(fmax(-1.0, fmin(1.0, p[2]))));
	}
	text_printf(out, "\" %s/>\n", style);
}

/* Marks ----------------------------------------------------------------------------------------------------------------------- */

static double galaxy_radius(const struct plot_sky *p, double share)
{
	double top = 0.0;
	for (size_t i = 0; i < p->count; i++)
		top = fmax(top, p->galaxies[i].share);
	return top > 0.0 ? 2.0 + 7.0 * sqrt(fmax(share, 0.0) / top) : 3.0;
}

static void galaxy_draw(struct text *out, double x, double y, double r, enum plot_mark mark)
{
	static const char *const style[] = {[PLOT_RANKED] = "fill=\"#fff\" fill-opacity=\"0.6\" stroke=\"#444\"",
		[PLOT_ASKED] = "fill=\"" PLOT_ORANGE "\" stroke=\"#5a3d00\"", [PLOT_SEEN] = "fill=\"" PLOT_BLUE "\" stroke=\"#00304d\"",
		[PLOT_REFUSED] = "fill=\"#fff\" fill-opacity=\"0.6\" stroke=\"" PLOT_RED "\" stroke-width=\"1.4\""};
	text_printf(out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\" %s/>\n", x, y, r, style[mark]);
	if (mark == PLOT_REFUSED)
		text_printf(out, "<path d=\"M%.1f %.1fl%.1f %.1f\" stroke=\"" PLOT_RED "\" stroke-width=\"1.4\"/>\n", x - r, y + r, 2 * r, -2 * r);
}

/* Keeps labels off a mark; marks may lie on each other. */
static void mark_take(struct plot_labels *l, struct plot_box b)
{
	if (l->count < PLOT_LABELS)
		l->box[l->count++] = b;
}

static void truth_draw(struct text *out, const struct sky *s, struct plot_labels *labels)
{
	double x, y, d2r = M_PI / 180;
	if (isnan(s->p->truth_ra_deg) || !project(s, s->p->truth_ra_deg * d2r, s->p->truth_dec_deg * d2r, &x, &y))
		return;
	text_puts(out, "<path fill=\"#F0E442\" stroke=\"#000\" stroke-width=\"1.1\" d=\"");
	for (int i = 0; i < 10; i++) {
		double r = i % 2 ? 4.2 : 10.0, a = i * M_PI / 5;
		text_printf(out, "%s%.1f %.1f", i ? "L" : "M", x + r * sin(a), y - r * cos(a));
	}
	text_puts(out, "z\"/>\n");
	plot_label(out, labels, (struct plot_point){x, y, 12}, "truth");
}

static void local_draw(struct text *out, const struct sky *s, struct plot_labels *labels)
{
	const struct ephemeris_local *l = s->p->local;
	double x, y, d2r = M_PI / 180;
	char word[64];
	if (l == NULL)
		return;
	circle_draw(out, s, l->zenith, 90 * d2r, "stroke=\"#6B4A2B\" stroke-width=\"1.8\"");
	circle_draw(out, s, l->zenith, 60 * d2r, "stroke=\"#6B4A2B\" stroke-width=\"1\" stroke-dasharray=\"5 4\"");
	if (project(s, atan2(l->moon[1], l->moon[0]), asin(l->moon[2]), &x, &y)) {
		text_printf(out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"8\" fill=\"#DDD\" stroke=\"#333\"/>\n", x, y);
		mark_take(labels, (struct plot_box){x - 8, y - 8, 16, 16});
		snprintf(word, sizeof word, "Moon %.0f %%", 100 * l->moon_illuminated);
		plot_label(out, labels, (struct plot_point){x, y, 10}, word);
	}
	if (s->whole && project(s, atan2(l->zenith[1], l->zenith[0]), asin(l->zenith[2]), &x, &y)) {
		text_printf(out, "<path d=\"M%.1f %.1fh8m-4 -4v8\" stroke=\"#6B4A2B\" stroke-width=\"1.4\"/>\n", x - 4, y);
		plot_label(out, labels, (struct plot_point){x, y, 8}, "zenith");
	}
}

static void legend_draw(struct text *out, const struct sky *s)
{
	double x = s->panel.x, y = s->panel.y + s->panel.h + 32;
	char word[120];
	if (s->p->map != NULL) {
		plot_rect(out, (struct plot_box){x, y - 9, 12, 11}, "fill=\"#74A9CF\"");
		plot_rect(out, (struct plot_box){x + 46, y - 9, 12, 11}, "fill=\"#C6DBEF\"");
		plot_text(out, x + 16, y, PLOT_WORDS("start", "11", PLOT_GREY), "50 %");
		plot_text(out, x + 62, y, PLOT_WORDS("start", "11", PLOT_GREY), "90 %");
		x += 104;
	}
	static const char *const words[] = {"ranked", "asked", "observed", "not possible"};
	for (int m = PLOT_RANKED; m <= PLOT_REFUSED; m++) {
		galaxy_draw(out, x + 6, y - 4, 5, (enum plot_mark)m);
		plot_text(out, x + 15, y, PLOT_WORDS("start", "11", PLOT_GREY), words[m]);
		x += 24 + plot_text_width(words[m], 11) + 6;
	}
	if (s->p->local != NULL) {
		plot_line(out, x, y - 4, x + 16, y - 4, "stroke=\"#6B4A2B\" stroke-width=\"1.8\"");
		snprintf(word, sizeof word, "horizon (dashed: airmass 2) %.60s", s->p->local_name ? s->p->local_name : "");
		plot_text(out, x + 20, y, PLOT_WORDS("start", "11", PLOT_GREY), word);
	}
}

/* Sets up projection and levels. */
static int sky_set(struct sky *s, double *halfwidth_deg, struct err *e)
{
	const struct plot_sky *p = s->p;
	double area, reach = M_PI, d2r = M_PI / 180;
	s->level50 = s->level90 = INFINITY;
	s->ra0 = M_PI;
	if (p->map != NULL) {
		s->first = malloc((size_t)p->map->cells * sizeof *s->first);
		if (s->first == NULL)
			return err_set(e, ERR_MEMORY, "no memory for a plot of %lld cells", (long long)p->map->cells);
		for (int64_t i = 0; i < p->map->cells; i++)
			s->first[i] = cell_first(p->map->uniq[i]);
		if (region_area(p->map, 0.5, &area, &s->level50, e) < 0 || region_area(p->map, 0.9, &area, &s->level90, e) < 0)
			return -1;
		region_extent(s, &reach);
	}
	*halfwidth_deg = isnan(p->halfwidth_deg) ? fmax(reach / d2r * 1.15, 1.5) : fmax(p->halfwidth_deg, 0.05);
	s->whole = *halfwidth_deg >= WHOLE_SKY_DEG || (isnan(p->halfwidth_deg) && *halfwidth_deg > 35);
	if (!isnan(p->centre_ra_deg) && !isnan(p->centre_dec_deg)) {
		s->ra0 = p->centre_ra_deg * d2r;
		s->dec0 = p->centre_dec_deg * d2r;
	}
	if (s->whole) {
		s->dec0 = 0.0;
		s->panel = (struct plot_box){50, TITLE_H + 4, 760, 380};
		s->scale = 760 / (4 * M_SQRT2);
	} else {
		s->panel = (struct plot_box){60, TITLE_H + 4, 560, 560};
		s->scale = 280 / tan(*halfwidth_deg * d2r);
	}
	return 0;
}

int plot_sky(struct text *out, const struct plot_sky *p, struct err *e)
{
	struct sky s = {.p = p};
	struct plot_labels labels = {0};
	double halfwidth_deg = 0.0, x, y, d2r = M_PI / 180;
	if (sky_set(&s, &halfwidth_deg, e) < 0) {
		free(s.first);
		return err_wrap(e, "sky plot");
	}
	labels.within = s.panel;
	plot_begin(out, p->title, s.whole ? WIDTH : s.panel.x + s.panel.w + 30, s.panel.y + s.panel.h + FOOT_H);
	if (s.whole)
		text_printf(out, "<ellipse cx=\"%.1f\" cy=\"%.1f\" rx=\"%.1f\" ry=\"%.1f\" fill=\"#FAFBFC\" stroke=\"" PLOT_GREY "\"/>\n",
			s.panel.x + s.panel.w / 2, s.panel.y + s.panel.h / 2, s.panel.w / 2, s.panel.h / 2);
	else
		plot_rect(out, s.panel, "fill=\"#FAFBFC\" stroke=\"" PLOT_GREY "\"");
	if (p->map != NULL) {
		level_draw(out, &s, s.level90, "#C6DBEF");
		level_draw(out, &s, s.level50, "#74A9CF");
	}
	grid_draw(out, &s, halfwidth_deg, &labels);
	local_draw(out, &s, &labels);
	for (size_t i = p->count; i-- > 0;) /* the best on top */
		if (project(&s, p->galaxies[i].ra_deg * d2r, p->galaxies[i].dec_deg * d2r, &x, &y)) {
			double r = galaxy_radius(p, p->galaxies[i].share);
			galaxy_draw(out, x, y, r, p->galaxies[i].mark);
			if (i < PLOT_LABELS / 3) /* labels keep off the best ones */
				mark_take(&labels, (struct plot_box){x - r, y - r, 2 * r, 2 * r});
		}
	truth_draw(out, &s, &labels);
	for (size_t i = 0; i < p->count; i++)
		if (p->galaxies[i].name != NULL && project(&s, p->galaxies[i].ra_deg * d2r, p->galaxies[i].dec_deg * d2r, &x, &y))
			plot_label(out, &labels, (struct plot_point){x, y, galaxy_radius(p, p->galaxies[i].share) + 3}, p->galaxies[i].name);
	legend_draw(out, &s);
	plot_end(out);
	free(s.first);
	return 0;
}

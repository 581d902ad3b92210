/* Distance posteriors: see distance.h. */
#include "engine/report/distance.h"
#include "engine/target/region.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define POINTS  500
#define REACH   7.0 /* standard deviations of a cell that count */
#define WIDTH   1000.0
#define X0      76.0
#define Y0      52.0
#define WIDE    620.0
#define HIGH    330.0
#define STRIP   90.0 /* of galaxies, below the curve */
#define COLUMN  726.0
#define NAMED   8
#define LISTED  15

/* weight × r² N(r; mu, sigma) onto the table. The Gaussian by two products a step, from one end of its reach to the other: exact to 1e-12. */
static void add_cell(double *density, double step, size_t n, double mu, double sigma, double weight)
{
	double first = fmax(1, ceil((mu - REACH * sigma) / step)), last = fmin((double)n, floor((mu + REACH * sigma) / step));
	double x = (first * step - mu) / sigma, h = step / sigma, g = exp(-0.5 * x * x), ratio = exp(-h * (x + 0.5 * h)), fall = exp(-h * h);
	double scale = weight / (sqrt(2 * M_PI) * sigma);
	for (double k = first; k <= last; k++) {
		double r = k * step;
		density[(size_t)k - 1] += scale * r * r * g;
		g *= ratio;
		ratio *= fall;
	}
}

static bool has_distance(const struct skymap *m, int64_t i)
{
	return isfinite(m->mu[i]) && m->sigma[i] > 0 && isfinite(m->sigma[i]) && m->norm[i] > 0;
}

void distance_posterior(const struct skymap *m, double step, size_t n, double *density)
{
	double weight = 0;
	memset(density, 0, n * sizeof *density);
	if (m->mu == NULL)
		return;
	for (int64_t i = 0; i < m->cells; i++) {
		double p = m->density[i] * skymap_pixel_sr(skymap_order(m->uniq[i]));
		if (!has_distance(m, i) || !(p > 0))
			continue;
		weight += p * m->norm[i];
		/* flat maps repeat the cells that they were made from: one sum for all of a run */
		bool again = i + 1 < m->cells && fabs(m->mu[i + 1] - m->mu[i]) <= 0 && fabs(m->sigma[i + 1] - m->sigma[i]) <= 0 && m->density[i + 1] > 0 &&
			     has_distance(m, i + 1);
		if (again)
			continue;
		add_cell(density, step, n, m->mu[i], m->sigma[i], weight);
		weight = 0;
	}
}

bool distance_toward(const struct skymap *m, double ra, double dec, double step, size_t n, double *density)
{
	int64_t cell = m->mu != NULL ? contour_cell(m, ra, dec) : -1;
	memset(density, 0, n * sizeof *density);
	if (cell < 0 || !has_distance(m, cell))
		return false;
	add_cell(density, step, n, m->mu[cell], m->sigma[cell], m->norm[cell]);
	return true;
}

void distance_moments(const double *density, double step, size_t n, double *mean, double *std)
{
	double sum = 0, first = 0, second = 0;
	for (size_t k = 0; k < n; k++) {
		double r = step * (double)(k + 1);
		sum += density[k];
		first += r * density[k];
		second += r * r * density[k];
	}
	*mean = sum > 0 ? first / sum : NAN;
	*std = sum > 0 ? sqrt(fmax(0, second / sum - *mean * *mean)) : NAN;
}

/* The picture -------------------------------------------------------------------------------------------------------------------- */

struct axes {
	double step, far, most; /* Mpc, Mpc, Mpc⁻¹ at the top */
};

static double at_x(const struct axes *a, double mpc)
{
	return X0 + WIDE * fmin(1, mpc / a->far);
}

static double at_y(const struct axes *a, double density)
{
	return Y0 + HIGH * (1 - density / a->most);
}

static void axes_draw(const struct axes *a, struct text *out)
{
	double step = svg_tick_step(a->far, 7), bottom = Y0 + HIGH + STRIP;
	char words[32];
	for (double d = 0; d <= a->far * 1.0001; d += step) {
		text_printf(out, "<path class=\"grid\" d=\"M%.1f %.1fV%.1f\"/>", at_x(a, d), Y0, bottom);
		snprintf(words, sizeof words, "%g", d);
		svg_words(at_x(a, d), bottom + 14, "class=\"tick\" text-anchor=\"middle\"", words, out);
	}
	step = svg_tick_step(a->most, 5);
	for (double p = 0; p <= a->most; p += step) {
		text_printf(out, "<path class=\"grid\" d=\"M%.1f %.1fh%.1f\"/>", X0, at_y(a, p), WIDE);
		snprintf(words, sizeof words, "%g", p);
		svg_words(X0 - 5, at_y(a, p) + 3, "class=\"tick\" text-anchor=\"end\"", words, out);
	}
	text_printf(out, "<rect x=\"%g\" y=\"%g\" width=\"%g\" height=\"%g\" class=\"frame\"/><path class=\"frame\" d=\"M%g %gh%g\"/>\n", X0, Y0, WIDE,
		HIGH + STRIP, X0, Y0 + HIGH, WIDE);
	svg_words(X0 + WIDE / 2, bottom + 34, "class=\"axis\" text-anchor=\"middle\"", "luminosity distance, Mpc", out);
	text_printf(out, "<g transform=\"translate(18 %.1f) rotate(-90)\">", Y0 + HIGH / 2);
	svg_words(0, 0, "class=\"axis\" text-anchor=\"middle\"", "probability density, 1/Mpc", out);
	text_puts(out, "</g>\n");
}

static void curve(const struct axes *a, const double *density, const char *attributes, bool closed, struct text *out)
{
	text_printf(out, "<path %s d=\"M%.1f %.1f", attributes, X0, Y0 + HIGH);
	for (size_t k = 0; k < POINTS; k++)
		text_printf(out, "L%.1f %.1f", at_x(a, a->step * (double)(k + 1)), at_y(a, density[k]));
	if (closed)
		text_printf(out, "V%gZ", Y0 + HIGH);
	text_puts(out, "\"/>\n");
}

/* The galaxies as ticks, as high as their share; the whisker is the catalogue's error. */
static void ticks(const struct axes *a, const struct distance_chart *c, struct text *out)
{
	struct labels l = {.x0 = X0, .y0 = Y0 + HIGH, .x1 = X0 + WIDE, .y1 = Y0 + HIGH + STRIP};
	double best = 0, foot = Y0 + HIGH + STRIP;
	for (size_t i = 0; i < c->count; i++)
		best = fmax(best, isfinite(c->galaxies[i].share) ? c->galaxies[i].share : 0);
	for (size_t i = 0; i < c->count; i++) {
		const struct sky_galaxy *g = &c->galaxies[i];
		if (!(g->distance_mpc <= a->far))
			continue;
		double x = at_x(a, g->distance_mpc), up = 8 + 40 * (best > 0 && isfinite(g->share) ? g->share / best : 0), err = g->distance_err_mpc;
		text_printf(out, "<path stroke=\"#d55e00\" stroke-width=\"1.6\" d=\"M%.1f %.1fv%.1f\"><title>", x, foot, -up);
		text_html(out, g->name);
		text_printf(out, ", %.1f Mpc</title></path>", g->distance_mpc);
		if (err > 0) {
			double from = at_x(a, fmax(0, g->distance_mpc - err)), to = at_x(a, g->distance_mpc + err);
			text_printf(out, "<path stroke=\"#d55e00\" stroke-width=\".6\" d=\"M%.1f %.1fH%.1f\"/>\n", from, foot - up, to);
			labels_mark(&l, from, foot - up - 0.5, to, foot - up + 0.5);
		}
		labels_take(&l, x - 1, foot - up, x + 1, foot);
	}
	for (size_t i = 0; i < c->count && i < NAMED; i++) {
		const struct sky_galaxy *g = &c->galaxies[i];
		char words[64];
		snprintf(words, sizeof words, "%lld %.40s", (long long)g->rank, g->name);
		if (g->distance_mpc <= a->far)
			labels_put(&l, at_x(a, g->distance_mpc), foot - 8 - 40 * (best > 0 ? g->share / best : 0), 1, words, out);
	}
}

struct legend {
	double y;
	struct text *out;
};

static void row(struct legend *l, const char *mark, const char *words)
{
	if (mark != NULL)
		text_printf(l->out, "<path %s d=\"M%g %.1fh26\"/>", mark, COLUMN, l->y);
	svg_words(COLUMN + 34, l->y + 4, "class=\"axis\"", words, l->out);
	l->y += 19;
}

static const char *const whole_style = "fill=\"none\" stroke=\"#0072b2\" stroke-width=\"2\"",
			 *const toward_style = "fill=\"none\" stroke=\"#000\" stroke-width=\"1.5\" stroke-dasharray=\"7 3\"",
			 *const mean_style = "stroke=\"#0072b2\" stroke-dasharray=\"2 3\" fill=\"none\"";

static void legend(const struct distance_chart *c, const double whole[2], const double toward[2], bool has_toward, double beyond, struct text *out)
{
	struct legend l = {Y0 + 10, out};
	char words[96];
	row(&l, whole_style, "the whole map");
	snprintf(words, sizeof words, "mean %.1f ± %.1f Mpc (band)", whole[0], whole[1]);
	row(&l, mean_style, words);
	if (has_toward) {
		snprintf(words, sizeof words, "toward RA %.4f°, Dec %+.4f°", c->ra_deg, c->dec_deg);
		row(&l, toward_style, words);
		snprintf(words, sizeof words, "mean %.1f ± %.1f Mpc", toward[0], toward[1]);
		row(&l, NULL, words);
	}
	if (beyond > 0.0005) {
		snprintf(words, sizeof words, "%.1f %% lies beyond", 100 * beyond);
		row(&l, NULL, words);
	}
	if (c->count > 0) {
		snprintf(words, sizeof words, "%zu galaxies by share;", c->count);
		row(&l, "stroke=\"#d55e00\" stroke-width=\"1.6\"", words);
		row(&l, NULL, "number: rank; whisker: error");
	}
	for (size_t i = 0; i < c->count && i < LISTED; i++) {
		const struct sky_galaxy *g = &c->galaxies[i];
		if (!isfinite(g->distance_mpc))
			continue;
		if (g->distance_err_mpc > 0)
			snprintf(words, sizeof words, "%lld %.24s: %.1f ± %.1f Mpc", (long long)g->rank, g->name, g->distance_mpc, g->distance_err_mpc);
		else
			snprintf(words, sizeof words, "%lld %.24s: %.1f Mpc", (long long)g->rank, g->name, g->distance_mpc);
		svg_words(COLUMN + 34, l.y + 4, "class=\"tick\"", words, out);
		l.y += 15;
	}
	if (c->count > LISTED) {
		snprintf(words, sizeof words, "… and %zu more", c->count - LISTED);
		svg_words(COLUMN + 34, l.y + 4, "class=\"tick\"", words, out);
	}
}

void distance_picture(const struct distance_chart *c, const char *title, struct text *out)
{
	double whole[POINTS], toward[POINTS], moments[2], toward_moments[2] = {0}, peak = 0, sum = 0;
	struct axes a;
	region_moments(c->map, &moments[0], &moments[1]);
	a.far = isfinite(moments[0]) && moments[0] > 0 ? moments[0] + 4 * fmax(moments[1], 0.02 * moments[0]) : 100;
	a.step = a.far / POINTS;
	distance_posterior(c->map, a.step, POINTS, whole);
	bool has_toward = !isnan(c->ra_deg) && distance_toward(c->map, c->ra_deg, c->dec_deg, a.step, POINTS, toward);
	if (has_toward)
		distance_moments(toward, a.step, POINTS, &toward_moments[0], &toward_moments[1]);
	for (size_t k = 0; k < POINTS; k++) {
		peak = fmax(peak, fmax(whole[k], has_toward ? toward[k] : 0));
		sum += whole[k] * a.step;
	}
	a.most = peak > 0 ? 1.08 * peak : 1;
	svg_open(&(struct svg_picture){WIDTH, Y0 + HIGH + STRIP + 48, title, true}, out);
	double low = at_x(&a, fmax(0, moments[0] - moments[1]));
	text_printf(out, "<rect x=\"%.1f\" y=\"%g\" width=\"%.1f\" height=\"%g\" fill=\"#0072b2\" fill-opacity=\".08\"/>\n", low, Y0,
		at_x(&a, moments[0] + moments[1]) - low, HIGH);
	axes_draw(&a, out);
	curve(&a, whole, "fill=\"#0072b2\" fill-opacity=\".18\" stroke=\"none\"", true, out);
	curve(&a, whole, whole_style, false, out);
	text_printf(out, "<path %s d=\"M%.1f %gv%g\"/>\n", mean_style, at_x(&a, moments[0]), Y0, HIGH);
	if (has_toward)
		curve(&a, toward, toward_style, false, out);
	ticks(&a, c, out);
	legend(c, moments, toward_moments, has_toward, 1 - sum, out);
	text_puts(out, "</svg>\n");
}

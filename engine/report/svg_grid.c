/* Grids of the sky with labels: see svg_sky_grid in svg.h. */
#include "engine/report/svg.h"
#include <math.h>
#include <stdio.h>

#define DEG         (M_PI / 180)
#define LINE_POINTS 361 /* of a meridian or parallel */
#define POLAR_DEG   82  /* a close-up that reaches farther has meridians on all sides */

/* Seconds of time and degrees, as a person would choose them. */
static const double ra_steps_s[] = {5, 10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 10800, 21600};
static const double dec_steps[] = {1 / 60.0, 2 / 60.0, 5 / 60.0, 10 / 60.0, 0.5, 1, 2, 5, 10, 20, 30};

static double step_of(const double *list, size_t n, double least)
{
	size_t k = 0;
	while (k + 1 < n && list[k] < least)
		k++;
	return list[k];
}

static void meridian(const struct svg_sky *s, double ra, double low, double high, struct text *out)
{
	double line[LINE_POINTS][2];
	for (int i = 0; i < LINE_POINTS; i++) {
		line[i][0] = ra;
		line[i][1] = low + (high - low) * i / (LINE_POINTS - 1);
	}
	svg_sky_line(s, (const double(*)[2])line, LINE_POINTS, "class=\"grid\"", out);
}

static void parallel(const struct svg_sky *s, double dec, double half, struct text *out)
{
	double line[LINE_POINTS][2];
	for (int i = 0; i < LINE_POINTS; i++) {
		line[i][0] = s->ra0_deg + half * (2.0 * i / (LINE_POINTS - 1) - 1);
		line[i][1] = dec;
	}
	svg_sky_line(s, (const double(*)[2])line, LINE_POINTS, "class=\"grid\"", out);
}

/* "13h", "13h08m", "13h08m30s" */
static char *ra_words(char out[24], double ra_deg, double step_s)
{
	int s = (int)lround(fmod(ra_deg + 360, 360) * 240) % 86400;
	if (step_s >= 3600)
		snprintf(out, 24, "%dh", s / 3600);
	else if (step_s >= 60)
		snprintf(out, 24, "%dh%02dm", s / 3600, s / 60 % 60);
	else
		snprintf(out, 24, "%dh%02dm%02ds", s / 3600, s / 60 % 60, s % 60);
	return out;
}

/* "+20°", "−20°10′" */
static char *dec_words(char out[24], double dec_deg, double step)
{
	int minutes = (int)lround(fabs(dec_deg) * 60);
	const char *sign = dec_deg < -1e-9 ? "−" : dec_deg > 1e-9 ? "+" : "";
	if (step >= 1)
		snprintf(out, 24, "%s%d°", sign, minutes / 60);
	else
		snprintf(out, 24, "%s%d°%02d′", sign, minutes / 60, minutes % 60);
	return out;
}

static void tick(double x, double y, const char *anchor, const char *words, struct text *out)
{
	char attributes[64];
	snprintf(attributes, sizeof attributes, "class=\"tick\" text-anchor=\"%s\"", anchor);
	svg_words(x, y, attributes, words, out);
}

static void whole_sky(const struct svg_sky *s, struct text *out)
{
	char words[24];
	double x, y;
	for (double d = -60; d < 90; d += 30)
		parallel(s, d, 179.99, out);
	for (double r = 0; r < 360; r += 30)
		meridian(s, r, -90, 90, out);
	text_printf(out, "<ellipse cx=\"%.1f\" cy=\"%.1f\" rx=\"%.1f\" ry=\"%.1f\" class=\"frame\"/>\n", s->x0 + s->width / 2, s->y0 + s->height / 2,
		s->width / 2, s->height / 2);
	for (double d = -60; d < 90; d += 30)
		if (svg_sky_xy(s, s->ra0_deg + 179.999, d, &x, &y))
			tick(x - 4, y + (d > 0 ? 0 : d < 0 ? 7 : 4), "end", dec_words(words, d, 30), out);
	for (double r = 0; r < 360; r += 30) {
		double off = fabs(remainder(r - s->ra0_deg, 360));
		if (off < 175 && svg_sky_xy(s, r, 0, &x, &y))
			tick(x, y - 3, off < 10 ? "start" : "middle", ra_words(words, r, 7200), out);
	}
}

/* Labels where lines of one kind cross an edge of the frame, given by its two ends; no two nearer than `apart` px. */
struct side {
	double x, y, dx, dy; /* start and direction, px */
	double length, apart;
	double out_x, out_y; /* where a label stands, from the crossing */
	const char *anchor;
};

static void side_labels(const struct svg_sky *s, const struct side *e, bool ra, double step, struct text *out)
{
	double before = NAN, last = -1e9, r, d;
	char words[24];
	for (double at = 0; at <= e->length; at += 0.5) {
		if (!svg_sky_radec(s, e->x + e->dx * at, e->y + e->dy * at, &r, &d))
			continue;
		double value = ra ? fmod(r + 720, 360) : d;
		if (ra && !isnan(before))
			value = before + remainder(value - before, 360); /* goes on through 0 h */
		double line = fmax(floor(value / step), floor(before / step));
		bool crossed = fabs(floor(value / step) - floor(before / step)) > 0.5 && fabs(value - before) < step;
		before = value;
		if (!crossed || at - last < e->apart || at < 8 || at > e->length - 8)
			continue;
		tick(e->x + e->dx * at + e->out_x, e->y + e->dy * at + e->out_y, e->anchor,
			ra ? ra_words(words, fmod(line * step + 720, 360), step * 240) : dec_words(words, line * step, step), out);
		last = at;
	}
}

static void close_up(const struct svg_sky *s, struct text *out)
{
	double high = s->half_deg * s->height / s->width, reach = fmin(90, hypot(s->half_deg, high) * 1.2);
	double step = step_of(dec_steps, sizeof dec_steps / sizeof dec_steps[0], 2 * high / 7);
	bool polar = fabs(s->dec0_deg) + high > POLAR_DEG;
	double cosine = fmax(0.15, cos(fmin(fabs(s->dec0_deg), 90) * DEG));
	double ra_step = step_of(ra_steps_s, sizeof ra_steps_s / sizeof ra_steps_s[0], polar ? 7200 : 240 * 2 * s->half_deg / 6 / cosine) / 240;
	double x0 = s->x0, y0 = s->y0, x1 = x0 + s->width, y1 = y0 + s->height;
	double top_deg = fabs(s->dec0_deg) + reach >= 90 ? 180 : fmin(180, 1.5 * reach / fmax(0.01, cos((fabs(s->dec0_deg) + high) * DEG)));
	svg_sky_clip(s, out);
	for (double d = ceil(fmax(-90, s->dec0_deg - reach) / step) * step; d <= fmin(90, s->dec0_deg + reach); d += step)
		parallel(s, d, top_deg, out);
	for (double r = 0; r < 360 - 1e-6; r += ra_step)
		if (polar || fabs(remainder(r - s->ra0_deg, 360)) <= top_deg)
			meridian(s, r, fmax(-90, s->dec0_deg - reach), fmin(90, s->dec0_deg + reach), out);
	text_puts(out, "</g>\n");
	text_printf(out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" class=\"frame\"/>\n", x0, y0, s->width, s->height);
	side_labels(s, &(struct side){x0, y1, 1, 0, s->width, 62, 0, 13, "middle"}, true, ra_step, out);
	if (!polar) {
		side_labels(s, &(struct side){x0, y0, 0, 1, s->height, 14, -4, 4, "end"}, false, step, out);
		return;
	}
	side_labels(s, &(struct side){x0, y0, 0, 1, s->height, 14, -4, 4, "end"}, true, ra_step, out);
	side_labels(s, &(struct side){x1, y0, 0, 1, s->height, 14, 4, 4, "start"}, true, ra_step, out);
	side_labels(s, &(struct side){x0, y0, 1, 0, s->width, 62, 0, -4, "middle"}, true, ra_step, out);
	for (double d = ceil(fmax(-90 + step, s->dec0_deg - reach) / step) * step; d <= fmin(90 - step / 2, s->dec0_deg + reach); d += step) {
		double x, y;
		char words[24];
		if (svg_sky_xy(s, s->ra0_deg, d, &x, &y) && y > y0 + 12)
			svg_words(x + 3, y - 3, "class=\"tick\"", dec_words(words, d, step), out);
	}
}

void svg_sky_grid(const struct svg_sky *s, struct text *out)
{
	if (s->all)
		whole_sky(s, out);
	else
		close_up(s, out);
}

/* The shared strokes of the plots, and the timeline on two clocks: see plot.h. */
#include "engine/report/plot.h"
#include "engine/base/utc.h"
#include "engine/report/plot_draw.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define TEXT_CHARS 120

bool plot_take(struct plot_labels *l, struct plot_box b)
{
	if (l->count == PLOT_LABELS)
		return false;
	for (size_t i = 0; i < l->count; i++) {
		const struct plot_box *o = &l->box[i];
		if (b.x < o->x + o->w && o->x < b.x + b.w && b.y < o->y + o->h && o->y < b.y + b.h)
			return false;
	}
	l->box[l->count++] = b;
	return true;
}

double plot_text_width(const char *s, double size)
{
	size_t n = 0;
	for (; *s != '\0' && n < TEXT_CHARS; s++)
		n += ((unsigned char)*s & 0xC0) != 0x80;
	return (double)n * size * 0.58;
}

bool plot_label(struct text *out, struct plot_labels *l, struct plot_point at, const char *s)
{
	double w = plot_text_width(s, 11) + 2, h = 12, x = at.x, y = at.y, gap = at.gap;
	const struct plot_box *in = &l->within;
	const struct plot_box tries[] = {{x + gap, y - h / 2, w, h}, {x - gap - w, y - h / 2, w, h}, {x - w / 2, y - gap - h, w, h},
		{x - w / 2, y + gap, w, h}, {x + gap * 0.7, y - gap * 0.7 - h, w, h}, {x + gap * 0.7, y + gap * 0.7, w, h},
		{x - gap * 0.7 - w, y - gap * 0.7 - h, w, h}, {x - gap * 0.7 - w, y + gap * 0.7, w, h}};
	for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++) {
		struct plot_box b = tries[i];
		if (b.x < in->x || b.y < in->y || b.x + b.w > in->x + in->w || b.y + b.h > in->y + in->h || !plot_take(l, b))
			continue;
		text_printf(out, "<text x=\"%.1f\" y=\"%.1f\" font-size=\"11\" fill=\"" PLOT_INK "\" stroke=\"#fff\" stroke-width=\"2.5\" "
			"stroke-linejoin=\"round\" paint-order=\"stroke\">", b.x + 1, b.y + 10);
		char cut[4 * TEXT_CHARS + 8];
		text_html(out, plot_cut(cut, sizeof cut, s, TEXT_CHARS));
		text_puts(out, "</text>\n");
		return true;
	}
	return false;
}

void plot_begin(struct text *out, const char *title, double width, double height)
{
	text_printf(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" width=\"%.0f\" height=\"%.0f\" role=\"img\" "
		"font-family=\"system-ui, 'DejaVu Sans', Arial, sans-serif\">\n<title>", width, height, width, height);
	text_html(out, title);
	text_printf(out, "</title>\n<rect width=\"%.0f\" height=\"%.0f\" fill=\"#fff\"/>\n", width, height);
	plot_text(out, 12, 20, PLOT_WORDS("start", "14", PLOT_INK), title);
}

void plot_end(struct text *out)
{
	text_puts(out, "</svg>\n");
}

char *plot_cut(char *out, size_t size, const char *s, size_t chars)
{
	size_t n = 0, i = 0;
	for (; s[i] != '\0' && i + sizeof "…" < size; i++) {
		n += ((unsigned char)s[i] & 0xC0) != 0x80;
		if (n > chars)
			break;
		out[i] = s[i];
	}
	while (s[i] != '\0' && i > 0 && ((unsigned char)s[i] & 0xC0) == 0x80)
		i--; /* not in the middle of a character */
	memcpy(out + i, s[i] != '\0' ? "…" : "", s[i] != '\0' ? sizeof "…" : 1);
	return out;
}

void plot_text(struct text *out, double x, double y, const char *style, const char *s)
{
	char cut[4 * TEXT_CHARS + 8];
	text_printf(out, "<text x=\"%.1f\" y=\"%.1f\" %s>", x, y, style);
	text_html(out, plot_cut(cut, sizeof cut, s, TEXT_CHARS));
	text_puts(out, "</text>\n");
}

void plot_line(struct text *out, double x1, double y1, double x2, double y2, const char *style)
{
	text_printf(out, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" %s/>\n", x1, y1, x2, y2, style);
}

void plot_rect(struct text *out, struct plot_box b, const char *style)
{
	text_printf(out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" %s/>\n", b.x, b.y, fmax(b.w, 0.0), fmax(b.h, 0.0), style);
}

int64_t plot_time_step(int64_t span_us, int most)
{
	static const int steps_s[] = {1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800};
	for (size_t i = 0; i < sizeof steps_s / sizeof steps_s[0]; i++)
		if (span_us / (steps_s[i] * UTC_SECOND) < most)
			return steps_s[i] * UTC_SECOND;
	return span_us / most + UTC_SECOND;
}

int64_t plot_time_first(int64_t start_us, int64_t step_us)
{
	int64_t rest = ((start_us % step_us) + step_us) % step_us;
	return rest == 0 ? start_us : start_us + step_us - rest;
}

char *plot_time_word(char out[32], int64_t utc_us, int64_t step_us)
{
	if (step_us >= UTC_DAY)
		utc_format_s(out, utc_us)[10] = '\0';
	else
		utc_format_hms(out, utc_us)[step_us % UTC_MINUTE == 0 ? 5 : 8] = '\0';
	return out;
}

/* Timeline -------------------------------------------------------------------------------------------------------------------- */

#define LINE_W 860.0
#define LANE_X 118.0
#define ROW_H 17.0
#define LANE_ROWS 8

static const char *tone_colour(enum plot_tone t)
{
	return t == PLOT_GOOD ? PLOT_GREEN : t == PLOT_BAD ? PLOT_RED : t == PLOT_NEUTRAL ? PLOT_GREY : PLOT_BLUE;
}

struct timeline {
	const struct plot_timeline *p;
	int64_t start_us, end_us;
	double x, w, top;
};

static double time_x(const struct timeline *t, int64_t us)
{
	return t->x + t->w * (double)(us - t->start_us) / (double)(t->end_us - t->start_us);
}

/* The first row of a lane where [x, x + w] is free; the last row takes no label when it is full. */
static int row_find(double ends[LANE_ROWS], double x, double w)
{
	for (int r = 0; r < LANE_ROWS; r++)
		if (ends[r] <= x) {
			ends[r] = x + w;
			return r;
		}
	return -1;
}

/* One lane: a tick and its label for each event; returns its height. draw false only measures. */
static double lane_draw(struct text *out, const struct timeline *t, size_t lane, double y, bool draw)
{
	double ends[LANE_ROWS], right = t->x + t->w;
	int rows = 1;
	for (int r = 0; r < LANE_ROWS; r++)
		ends[r] = -1e9;
	for (size_t i = 0; i < t->p->count; i++) {
		const struct plot_tick *k = &t->p->ticks[i];
		if (k->lane != lane)
			continue;
		double x = time_x(t, k->sky_us), w = plot_text_width(k->label, 11) + 16, from = x + w > right + 40 ? x - w + 8 : x - 4;
		int row = row_find(ends, from, w);
		rows = row + 1 > rows ? row + 1 : rows;
		if (!draw)
			continue;
		double cy = y + ROW_H * ((row < 0 ? 0 : row) + 0.5);
		text_printf(out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\" fill=\"%s\"/>\n", x, cy, tone_colour(k->tone));
		if (row >= 0)
			plot_text(out, from < x - 5 ? x - 6 : x + 6, cy + 4, from < x - 5 ? PLOT_WORDS("end", "11", PLOT_INK) : PLOT_WORDS("start", "11", PLOT_INK), k->label);
	}
	return rows * ROW_H + 8;
}

/* Wall seconds at a sky time, straight between the ticks that know both; NaN outside of them. */
static double wall_at(const struct plot_timeline *p, int64_t sky_us)
{
	const struct plot_tick *before = NULL;
	for (size_t i = 0; i < p->count; i++) {
		const struct plot_tick *k = &p->ticks[i];
		if (k->wall_us == UTC_NONE)
			continue;
		if (k->sky_us >= sky_us && (before != NULL || k->sky_us == sky_us)) {
			double w = before == NULL || k->sky_us == before->sky_us ? 1.0
				: (double)(sky_us - before->sky_us) / (double)(k->sky_us - before->sky_us);
			double a = before ? (double)(before->wall_us - p->wall_zero_us) : 0.0, b = (double)(k->wall_us - p->wall_zero_us);
			return (before ? a + w * (b - a) : b) / 1e6;
		}
		before = k;
	}
	return NAN;
}

static void timeline_axes(struct text *out, const struct timeline *t, double bottom)
{
	int64_t step = plot_time_step(t->end_us - t->start_us, 10);
	char word[32];
	plot_text(out, t->x - 8, t->top - 6, PLOT_WORDS("end", "11", PLOT_GREY), "sky, UTC");
	plot_text(out, t->x - 8, bottom + 15, PLOT_WORDS("end", "11", PLOT_GREY), "wall, s");
	for (int64_t u = plot_time_first(t->start_us, step); u <= t->end_us; u += step) {
		double x = time_x(t, u), wall = wall_at(t->p, u);
		plot_line(out, x, t->top, x, bottom, "stroke=\"" PLOT_LINE "\" stroke-width=\"1\"");
		plot_text(out, x, t->top - 6, PLOT_WORDS("middle", "11", PLOT_GREY), plot_time_word(word, u, step));
		if (!isnan(wall)) {
			snprintf(word, sizeof word, "%+.1f", wall);
			plot_text(out, x, bottom + 15, PLOT_WORDS("middle", "11", PLOT_GREY), word);
		}
	}
}

void plot_timeline(struct text *out, const struct plot_timeline *p)
{
	struct timeline t = {.p = p, .x = LANE_X, .w = LINE_W - LANE_X - 60, .top = 52};
	double height = t.top, y = t.top;
	t.start_us = p->count ? p->ticks[0].sky_us : 0;
	t.end_us = p->count ? p->ticks[p->count - 1].sky_us : UTC_SECOND;
	int64_t margin = (t.end_us - t.start_us) / 40 + UTC_SECOND / 2;
	t.start_us -= margin;
	t.end_us += margin;
	for (size_t l = 0; l < p->lane_count; l++)
		height += lane_draw(out, &t, l, 0, false);
	plot_begin(out, p->title, LINE_W, height + 28);
	for (size_t l = 0; l < p->lane_count; l++) {
		double h = lane_draw(out, &t, l, y, false);
		if (l % 2 == 0)
			plot_rect(out, (struct plot_box){8, y, LINE_W - 16, h}, "fill=\"#F4F6F8\"");
		y += h;
	}
	timeline_axes(out, &t, y);
	y = t.top;
	for (size_t l = 0; l < p->lane_count; l++) {
		plot_text(out, t.x - 8, y + 15, PLOT_WORDS("end", "12", PLOT_INK), p->lanes[l]);
		y += lane_draw(out, &t, l, y + 3, true);
	}
	plot_end(out);
}

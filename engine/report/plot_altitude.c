/* Altitude against time over one site: twilight, Moon, limit, targets, and the slots that were taken or refused: see plot.h. */
#include "engine/base/utc.h"
#include "engine/report/plot.h"
#include "engine/report/plot_draw.h"
#include <math.h>
#include <stdio.h>

#define WIDTH 860.0
#define LEFT 118.0
#define TOP 36.0
#define PLOT_W 680.0
#define PLOT_H 270.0
#define LANE_H 18.0
#define STARS 7

static const char *const star_colours[STARS] = {PLOT_BLUE, PLOT_RED, PLOT_GREEN, PLOT_PURPLE, PLOT_SKY_BLUE, PLOT_ORANGE, "#000000"};

struct panel {
	const struct plot_altitude *p;
	double bottom; /* of the altitude panel */
	size_t stars;
	struct plot_labels labels;
};

static double time_x(const struct panel *a, int64_t us)
{
	double f = (double)(us - a->p->start_us) / (double)(a->p->end_us - a->p->start_us);
	return LEFT + PLOT_W * fmax(0.0, fmin(1.0, f));
}

static double alt_y(double alt_deg)
{
	return TOP + PLOT_H * (1.0 - alt_deg / 90.0);
}

/* Day, then the three twilights, then night. */
static int darkness(double sun_alt_deg)
{
	return sun_alt_deg > -0.83 ? 0 : sun_alt_deg > -6.0 ? 1 : sun_alt_deg > -12.0 ? 2 : sun_alt_deg > -18.0 ? 3 : 4;
}

static void twilight_draw(struct text *out, const struct panel *a)
{
	static const char *const fill[] = {"#FFF4D6", "#F1F0EA", "#DFE5EE", "#CDD7E6", "#BCC9DE"};
	int64_t step = (a->p->end_us - a->p->start_us) / 340 + 1, from = a->p->start_us;
	int now = -1;
	for (int64_t u = a->p->start_us;; u += step) {
		struct ephemeris_local l;
		if (u > a->p->end_us)
			u = a->p->end_us;
		visibility_night_local(a->p->night, a->p->site, u, &l);
		int d = darkness(ephemeris_asin_deg(l.sun_sin_alt));
		if (now < 0)
			now = d;
		if (d != now || u == a->p->end_us) {
			char style[40];
			snprintf(style, sizeof style, "fill=\"%s\"", fill[now]);
			plot_rect(out, (struct plot_box){time_x(a, from), TOP, time_x(a, u) - time_x(a, from) + 0.3, PLOT_H}, style);
			from = u;
			now = d;
		}
		if (u == a->p->end_us)
			break;
	}
}

static void axes_draw(struct text *out, const struct panel *a, double lanes_bottom)
{
	static const double airmass[] = {1.0, 1.2, 1.5, 2.0, 3.0};
	int64_t step = plot_time_step(a->p->end_us - a->p->start_us, 13);
	char word[32];
	for (int alt = 0; alt <= 90; alt += 15) {
		plot_line(out, LEFT, alt_y(alt), LEFT + PLOT_W, alt_y(alt), "stroke=\"#fff\" stroke-width=\"0.8\" stroke-opacity=\"0.8\"");
		snprintf(word, sizeof word, "%d°", alt);
		plot_text(out, LEFT - 6, alt_y(alt) + 4, PLOT_WORDS("end", "11", PLOT_GREY), word);
	}
	for (size_t i = 0; i < sizeof airmass / sizeof airmass[0]; i++) {
		snprintf(word, sizeof word, "%.1f", airmass[i]);
		plot_text(out, LEFT + PLOT_W + 6, alt_y(ephemeris_asin_deg(1.0 / airmass[i])) + 4, PLOT_WORDS("start", "11", PLOT_GREY), word);
	}
	plot_text(out, LEFT - 34, alt_y(45), PLOT_WORDS("end", "11", PLOT_GREY), "altitude");
	plot_text(out, LEFT + PLOT_W + 6, alt_y(8), PLOT_WORDS("start", "11", PLOT_GREY), "airmass");
	for (int64_t u = plot_time_first(a->p->start_us, step); u <= a->p->end_us; u += step) {
		double x = time_x(a, u);
		plot_line(out, x, TOP, x, lanes_bottom, "stroke=\"#fff\" stroke-width=\"0.8\" stroke-opacity=\"0.8\"");
		plot_line(out, x, a->bottom, x, a->bottom + 4, "stroke=\"" PLOT_GREY "\"");
		plot_text(out, x, a->bottom + 16, PLOT_WORDS("middle", "11", PLOT_GREY), plot_time_word(word, u, step));
	}
	plot_text(out, LEFT - 22, a->bottom + 16, PLOT_WORDS("end", "11", PLOT_GREY), "UTC");
	plot_rect(out, (struct plot_box){LEFT, TOP, PLOT_W, PLOT_H}, "fill=\"none\" stroke=\"" PLOT_GREY "\"");
}

/* A curve of altitude between two times; star < 0: the Moon. */
static void curve_draw(struct text *out, const struct panel *a, int star, int64_t from, int64_t to, const char *style)
{
	struct ephemeris_target t;
	bool pen = false;
	if (star >= 0)
		ephemeris_target_set(visibility_night_frame(a->p->night), a->p->stars[star].ra_deg, a->p->stars[star].dec_deg, &t);
	text_puts(out, "<path d=\"");
	for (int i = 0; i <= 160; i++) {
		struct ephemeris_local l;
		int64_t u = from + (to - from) / 160 * i;
		visibility_night_local(a->p->night, a->p->site, u, &l);
		double alt = star >= 0 ? ephemeris_alt_deg(&l, &t) : ephemeris_asin_deg(l.moon_sin_alt);
		if (alt >= 0.0)
			text_printf(out, "%s%.1f %.1f", pen ? "L" : "M", time_x(a, u), alt_y(alt));
		pen = alt >= 0.0;
	}
	text_printf(out, "\" fill=\"none\" %s/>\n", style);
}

/* Highest point of the Moon's curve, for its label. */
static void moon_draw(struct text *out, struct panel *a)
{
	double best = 2.0;
	int64_t at = a->p->start_us;
	struct ephemeris_local l;
	char word[48];
	curve_draw(out, a, -1, a->p->start_us, a->p->end_us, "stroke=\"#555\" stroke-width=\"1.3\" stroke-dasharray=\"2 3\"");
	for (int i = 2; i < 40; i++) {
		int64_t u = a->p->start_us + (a->p->end_us - a->p->start_us) / 42 * i;
		visibility_night_local(a->p->night, a->p->site, u, &l);
		double alt = ephemeris_asin_deg(l.moon_sin_alt);
		if (alt > best) {
			best = alt;
			at = u;
		}
	}
	if (best <= 2.0)
		return;
	visibility_night_local(a->p->night, a->p->site, at, &l);
	snprintf(word, sizeof word, "Moon %.0f %%", 100.0 * l.moon_illuminated);
	double x = time_x(a, at), y = alt_y(best);
	text_printf(out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"5\" fill=\"#fff\" stroke=\"#555\"/>\n", x, y);
	plot_label(out, &a->labels, (struct plot_point){x, y, 8}, word);
}

/* Below the panel a lane for each target: its name, what was taken (full) and refused (hollow). */
static void lane_draw(struct text *out, struct panel *a, size_t star, double y)
{
	char style[112], name[64];
	snprintf(style, sizeof style, "stroke=\"%s\" stroke-width=\"3\"", star_colours[star]);
	plot_line(out, 8, y + LANE_H / 2, 20, y + LANE_H / 2, style);
	plot_text(out, 24, y + LANE_H / 2 + 4, PLOT_WORDS("start", "11", PLOT_INK), plot_cut(name, sizeof name, a->p->stars[star].name, 14));
	plot_rect(out, (struct plot_box){LEFT, y + 2, PLOT_W, LANE_H - 4}, "fill=\"#F4F6F8\"");
	for (size_t i = 0; i < a->p->slot_count; i++) {
		const struct plot_slot *s = &a->p->slots[i];
		if (s->star != star || s->end_us < a->p->start_us || s->start_us > a->p->end_us)
			continue;
		double x = time_x(a, s->start_us), w = fmax(time_x(a, s->end_us) - x, 3.0);
		if (s->chosen)
			snprintf(style, sizeof style, "fill=\"%s\"", star_colours[star]);
		else
			snprintf(style, sizeof style, "fill=\"#fff\" stroke=\"%s\" stroke-width=\"1.2\" stroke-dasharray=\"3 2\"", star_colours[star]);
		plot_rect(out, (struct plot_box){x, y + 4, w, LANE_H - 8}, style);
		plot_take(&a->labels, (struct plot_box){x, y + 4, w, LANE_H - 8});
	}
}

/* The words of the slots, right or left of their bars, where there is room. */
static void words_draw(struct text *out, struct panel *a, double lanes)
{
	for (size_t i = 0; i < a->p->slot_count; i++) {
		const struct plot_slot *s = &a->p->slots[i];
		if (s->why == NULL || s->star >= a->stars || s->end_us < a->p->start_us || s->start_us > a->p->end_us)
			continue;
		double y = lanes + (double)s->star * LANE_H, x = time_x(a, s->start_us), end = fmax(time_x(a, s->end_us), x + 3);
		double w = plot_text_width(s->why, 10);
		if (end + 4 + w <= LEFT + PLOT_W && plot_take(&a->labels, (struct plot_box){end + 3, y + 4, w + 1, LANE_H - 8}))
			plot_text(out, end + 4, y + LANE_H / 2 + 3.5, PLOT_WORDS("start", "10", PLOT_GREY), s->why);
		else if (x - 4 - w >= LEFT && plot_take(&a->labels, (struct plot_box){x - 4 - w, y + 4, w + 1, LANE_H - 8}))
			plot_text(out, x - 4, y + LANE_H / 2 + 3.5, PLOT_WORDS("end", "10", PLOT_GREY), s->why);
	}
}

static void curves_draw(struct text *out, const struct panel *a)
{
	char style[120];
	for (size_t s = 0; s < a->stars; s++) {
		snprintf(style, sizeof style, "stroke=\"%s\" stroke-width=\"1.8\"", star_colours[s]);
		curve_draw(out, a, (int)s, a->p->start_us, a->p->end_us, style);
	}
	for (size_t i = 0; i < a->p->slot_count; i++) {
		const struct plot_slot *s = &a->p->slots[i];
		if (s->star >= a->stars || !s->chosen || s->end_us < a->p->start_us || s->start_us > a->p->end_us)
			continue;
		snprintf(style, sizeof style, "stroke=\"%s\" stroke-width=\"6\" stroke-opacity=\"0.55\" stroke-linecap=\"round\"", star_colours[s->star]);
		curve_draw(out, a, (int)s->star, s->start_us > a->p->start_us ? s->start_us : a->p->start_us,
			s->end_us < a->p->end_us ? s->end_us : a->p->end_us, style);
	}
}

static void limit_draw(struct text *out, struct panel *a)
{
	char word[40];
	double y = alt_y(ephemeris_asin_deg(1.0 / fmax(a->p->airmass_max, 1.0)));
	if (!(a->p->airmass_max >= 1.0))
		return;
	plot_line(out, LEFT, y, LEFT + PLOT_W, y, "stroke=\"" PLOT_RED "\" stroke-width=\"1.2\" stroke-dasharray=\"6 4\"");
	snprintf(word, sizeof word, "limit: airmass %.1f", a->p->airmass_max);
	plot_label(out, &a->labels, (struct plot_point){LEFT + 2, y - 9, 4}, word);
}

void plot_altitude(struct text *out, const struct plot_altitude *p)
{
	struct panel a = {p, TOP + PLOT_H, p->count < STARS ? p->count : STARS, {.within = {LEFT, TOP, PLOT_W, PLOT_H}}};
	double lanes = a.bottom + 26, bottom = lanes + (double)a.stars * LANE_H;
	plot_begin(out, p->title, WIDTH, bottom + 26);
	twilight_draw(out, &a);
	for (size_t s = 0; s < a.stars; s++)
		lane_draw(out, &a, s, lanes + (double)s * LANE_H);
	words_draw(out, &a, lanes);
	axes_draw(out, &a, a.bottom);
	curves_draw(out, &a);
	moon_draw(out, &a);
	limit_draw(out, &a);
	if (p->now_us != UTC_NONE && p->now_us >= p->start_us && p->now_us <= p->end_us) {
		double x = time_x(&a, p->now_us);
		plot_line(out, x, TOP, x, bottom, "stroke=\"" PLOT_INK "\" stroke-width=\"1.2\"");
		plot_text(out, x, TOP - 4, PLOT_WORDS("middle", "11", PLOT_INK), "now");
	}
	plot_text(out, LEFT, bottom + 16, PLOT_WORDS("start", "11", PLOT_GREY), 
		"full: window asked for · dashed: refused · background: day; civil, nautical, astronomical twilight; night");
	plot_end(out);
}

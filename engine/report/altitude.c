/* Altitude panels: see altitude.h. */
#include "engine/report/altitude.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define DEG         (M_PI / 180)
#define SHADE_STEPS 480
#define CURVE_STEPS 160
#define LEFT        40.0
#define RIGHT       34.0 /* room for the airmass */

static double alt_y(const struct altitude *a, double alt_deg)
{
	return a->top + ALTITUDE_HEIGHT * (1 - fmax(0, fmin(90, alt_deg)) / 90);
}

static struct ephemeris_local local_at(const struct altitude *a, int64_t utc_us)
{
	struct ephemeris_bodies b;
	struct ephemeris_local l;
	ephemeris_bodies_at(&a->frame, utc_us, &b);
	ephemeris_local_at(&b, &a->place, &l);
	return l;
}

struct altitude altitude_of(const struct ephemeris_site *place, int64_t from_us, int64_t to_us, double width, double top)
{
	struct altitude a = {.axis = {from_us, to_us, LEFT, width - LEFT - RIGHT}, .top = top, .place = *place};
	ephemeris_frame_set(&a.frame, from_us);
	return a;
}

/* What the light of the Sun at an altitude is called; NULL: night. */
static const char *light_of(double sun_deg)
{
	return sun_deg > -0.833 ? "day" : sun_deg > -6 ? "civil" : sun_deg > -12 ? "dusk" : sun_deg > -18 ? "astro" : NULL;
}

static void shade(const struct altitude *a, const char *class, int64_t from, int64_t to, struct text *out)
{
	if (class != NULL)
		text_printf(out, "<rect x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%.1f\" class=\"%s\"/>", svg_axis_x(&a->axis, from), a->top,
			svg_axis_x(&a->axis, to) - svg_axis_x(&a->axis, from) + 0.2, ALTITUDE_HEIGHT, class);
}

/* Daylight and twilight, and the Moon's curve. */
static void bodies(const struct altitude *a, struct text *out)
{
	int64_t step = (a->axis.to_us - a->axis.from_us) / SHADE_STEPS, since = a->axis.from_us;
	struct text moon = {.max = 1u << 16};
	const char *light = NULL;
	bool pen = false;
	for (int64_t t = a->axis.from_us; step > 0 && t < a->axis.to_us; t += step) {
		struct ephemeris_local l = local_at(a, t);
		double alt = ephemeris_asin_deg(l.moon_sin_alt);
		const char *now = light_of(ephemeris_asin_deg(l.sun_sin_alt));
		if (now != light) {
			shade(a, light, since, t, out);
			since = t;
			light = now;
		}
		if (alt > 0)
			text_printf(&moon, "%c%.1f %.1f", pen ? 'L' : 'M', svg_axis_x(&a->axis, t), alt_y(a, alt));
		pen = alt > 0;
	}
	shade(a, light, since, a->axis.to_us, out);
	if (moon.len > 0 && !moon.failed)
		text_printf(out, "\n<path class=\"moonpath\" d=\"%s\"><title>Moon</title></path>", moon.data);
	text_puts(out, "\n");
	text_free(&moon);
}

void altitude_panel(const struct altitude *a, double airmass_max, struct text *out)
{
	static const double airmass[] = {1.2, 1.5, 2, 3};
	double right = a->axis.x0 + a->axis.width;
	bodies(a, out);
	for (int alt = 0; alt <= 90; alt += 30)
		text_printf(out, "<path class=\"grid\" d=\"M%.1f %.1fH%.1f\"/><text class=\"tick\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%d°</text>\n",
			a->axis.x0, alt_y(a, alt), right, a->axis.x0 - 4, alt_y(a, alt) + 3, alt);
	for (size_t i = 0; i < sizeof airmass / sizeof airmass[0]; i++)
		text_printf(out, "<text class=\"tick\" x=\"%.1f\" y=\"%.1f\">%s%.1f</text>\n", right + 3, alt_y(a, asin(1 / airmass[i]) / DEG) + 3,
			i == 0 ? "X " : "", airmass[i]);
	double limit = alt_y(a, asin(1 / fmax(1, airmass_max)) / DEG);
	text_printf(out, "<path class=\"limit\" d=\"M%.1f %.1fH%.1f\"/>\n", a->axis.x0, limit, right);
	svg_axis_hours(&a->axis, a->top, a->top + ALTITUDE_HEIGHT, out);
}

void altitude_name(const struct altitude *a, const char *code, const char *name, struct text *out)
{
	text_printf(out, "<text class=\"label strong\" x=\"%.1f\" y=\"%.1f\">", a->axis.x0 + 6, a->top + 18);
	text_html(out, code);
	text_printf(out, "</text><text class=\"label\" x=\"%.1f\" y=\"%.1f\">", a->axis.x0 + 36, a->top + 18);
	text_html(out, name);
	text_puts(out, "</text>\n");
}

/* The points of a curve above the horizon; closed: down to the axis and back. */
static void points(const struct altitude *a, const struct altitude_span *s, bool closed, struct text *out)
{
	struct ephemeris_target target;
	int64_t from = s->from_us > a->axis.from_us ? s->from_us : a->axis.from_us, to = s->to_us < a->axis.to_us ? s->to_us : a->axis.to_us;
	int64_t step = (to - from) / CURVE_STEPS > 0 ? (to - from) / CURVE_STEPS : 1;
	bool pen = false;
	double last = 0;
	ephemeris_target_set(&a->frame, s->ra_deg, s->dec_deg, &target);
	for (int64_t t = from; t <= to; t += step) {
		struct ephemeris_local l = local_at(a, t);
		double alt = ephemeris_alt_deg(&l, &target), x = svg_axis_x(&a->axis, t);
		if (closed && pen && !(alt > 0))
			text_printf(out, "V%.1fZ", alt_y(a, 0));
		if (closed && !pen && alt > 0)
			text_printf(out, "M%.1f %.1fV%.1f", x, alt_y(a, 0), alt_y(a, alt));
		else if (alt > 0)
			text_printf(out, "%c%.1f %.1f", pen ? 'L' : 'M', x, alt_y(a, alt));
		pen = alt > 0;
		last = x;
	}
	if (closed && pen && last > 0)
		text_printf(out, "V%.1fZ", alt_y(a, 0));
}

void altitude_curve(const struct altitude *a, const struct altitude_span *s, const char *style, struct text *out)
{
	text_printf(out, "<path fill=\"none\" %s d=\"", style);
	points(a, s, false, out);
	text_puts(out, "\"/>\n");
}

/* The picture -------------------------------------------------------------------------------------------------------------------- */

#define PANEL_W 620.0 /* of two columns */
#define ALONE_W 720.0
#define TITLE   34.0
#define ROW     18.0
#define NAME_WIDE 7.2 /* px a character of a target's name in the legend */
#define OTHERS  450.0 /* px of the legend's other columns */

static void window(const struct altitude *a, const struct altitude_span *s, size_t k, bool few, struct text *out)
{
	char style[96];
	text_printf(out, "<path fill=\"%s\" fill-opacity=\"%s\" stroke=\"none\" d=\"", svg_colours[k], few ? ".14" : ".05");
	points(a, s, true, out);
	text_puts(out, "\"/>\n");
	snprintf(style, sizeof style, "stroke=\"%s\" stroke-width=\"4\" stroke-opacity=\".8\"", svg_colours[k]);
	altitude_curve(a, s, style, out);
}

static void site(const struct altitude_chart *c, size_t at, double top, double width, struct text *out)
{
	const struct visibility_site *s = visibility_night_site(c->night, at);
	struct altitude a = altitude_of(&s->place, c->from_us, c->to_us, width, top);
	struct visibility_report r;
	struct ephemeris_target eye;
	char words[256] = "";
	size_t windows = 0;
	altitude_panel(&a, c->limits->airmass_max, out);
	for (size_t k = 0; k < c->count && k < SVG_COLOURS; k++) {
		const struct altitude_target *t = &c->targets[k];
		struct altitude_span span = {t->ra_deg, t->dec_deg, c->from_us, c->to_us};
		char style[96];
		snprintf(style, sizeof style, "stroke=\"%s\" stroke-width=\"1.2\" stroke-dasharray=\"%s\"", svg_colours[k], svg_dashes[k]);
		altitude_curve(&a, &span, style, out);
		ephemeris_target_set(visibility_night_frame(c->night), t->ra_deg, t->dec_deg, &eye);
		visibility_find(c->night, &(struct visibility_ask){at, &eye, c->limits, VISIBILITY_ALWAYS}, &r);
		for (size_t w = 0; w < r.count; w++) {
			span.from_us = r.windows[w].start_us;
			span.to_us = r.windows[w].end_us;
			window(&a, &span, k, c->count < 3, out);
		}
		windows += r.count;
		if (r.count == 0 && c->count == 1)
			visibility_sentence(&r, c->limits, words, sizeof words);
	}
	altitude_name(&a, s->code, s->name, out);
	if (windows == 0)
		svg_words(a.axis.x0 + 6, top + 34, "class=\"label\"", words[0] ? words : "none of them can be observed from here", out);
}

static size_t characters(const char *s)
{
	size_t n = 0;
	for (; *s; s++)
		n += ((unsigned char)*s & 0xC0) != 0x80;
	return n;
}

/* A name in at most so many characters. */
static void name_cut(char *out, size_t size, const char *name, size_t most)
{
	size_t bytes = 0, n = 0;
	for (; name[bytes] != '\0' && bytes + 4 < size; bytes++) {
		n += ((unsigned char)name[bytes] & 0xC0) != 0x80;
		if (n > most - 1 && characters(name) > most)
			break;
	}
	snprintf(out, size, "%.*s%s", (int)bytes, name, name[bytes] != '\0' ? "…" : "");
}

static double names(const struct altitude_chart *c, double x, double y, size_t most, struct text *out)
{
	char words[128];
	for (size_t k = 0; k < c->count && k < SVG_COLOURS; k++, y += ROW) {
		text_printf(out, "<path fill=\"none\" stroke=\"%s\" stroke-width=\"1.6\" stroke-dasharray=\"%s\" d=\"M%.1f %.1fh26\"/>", svg_colours[k],
			svg_dashes[k], x, y);
		name_cut(words, sizeof words, c->targets[k].name, most);
		svg_words(x + 34, y + 4, "class=\"axis\"", words[0] ? words : "the target", out);
	}
	if (c->count > SVG_COLOURS) {
		snprintf(words, sizeof words, "(the first %d of %zu)", SVG_COLOURS, c->count);
		svg_words(x + 34, y + 4, "class=\"axis\"", words, out);
		y += ROW;
	}
	return y;
}

static double legend(const struct altitude_chart *c, double x, double y, double width, struct text *out)
{
	static const struct {
		const char *class, *words;
	} lights[] = {{"day", "Sun risen"}, {"civil", "civil twilight (to −6°)"}, {"dusk", "nautical (to −12°)"}, {"astro", "astronomical (to −18°)"}};
	char words[128];
	double first = y;
	size_t most = (size_t)((width - x - 34 - OTHERS) / NAME_WIDE), longest = 18;
	for (size_t k = 0; k < c->count && k < SVG_COLOURS; k++)
		longest = characters(c->targets[k].name) > longest ? characters(c->targets[k].name) : longest;
	double left = names(c, x, y, most, out);
	x += 34 + NAME_WIDE * (double)(longest < most ? longest : most) + 16;
	y = first;
	snprintf(words, sizeof words, "can be observed: airmass ≤ %.3g,", c->limits->airmass_max);
	text_printf(out, "<path fill=\"none\" stroke=\"%s\" stroke-width=\"4\" stroke-opacity=\".8\" d=\"M%.1f %.1fh26\"/>", svg_colours[0], x, y);
	svg_words(x + 34, y + 4, "class=\"axis\"", words, out);
	snprintf(words, sizeof words, "Sun below %s%.0f°, Moon ≥ %.0f° off", c->limits->sun_max_deg < 0 ? "−" : "", fabs(c->limits->sun_max_deg),
		c->limits->moon_min_deg);
	svg_words(x + 34, y + 4 + ROW, "class=\"axis\"", words, out);
	text_printf(out, "<path class=\"limit\" d=\"M%.1f %.1fh26\"/><path class=\"moonpath\" d=\"M%.1f %.1fh26\"/>", x, y + 2 * ROW, x, y + 3 * ROW);
	svg_words(x + 34, y + 4 + 2 * ROW, "class=\"axis\"", "largest airmass (X at the right)", out);
	svg_words(x + 34, y + 4 + 3 * ROW, "class=\"axis\"", "the Moon", out);
	x += 250;
	for (size_t k = 0; k < sizeof lights / sizeof lights[0]; k++, y += ROW) {
		text_printf(out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"24\" height=\"11\" class=\"%s\" stroke=\"#98a2b3\" stroke-width=\".5\"/>", x, y - 6,
			lights[k].class);
		svg_words(x + 34, y + 4, "class=\"axis\"", lights[k].words, out);
	}
	return fmax(left, y);
}

void altitude_picture(const struct altitude_chart *c, const char *title, bool alone, int columns, struct text *out)
{
	size_t sites = visibility_night_sites(c->night), wide = columns > 1 && sites > 3 ? 2 : 1, rows = (sites + wide - 1) / wide;
	struct text words = {.max = 1u << 18};
	const double width = wide > 1 ? PANEL_W : ALONE_W;
	double top = alone ? TITLE + 6 : 8, foot = legend(c, 40, top + (double)rows * ALTITUDE_STEP + 14, (double)wide * width, &words);
	svg_open(&(struct svg_picture){(double)wide * width, foot + 6, title, alone}, out);
	for (size_t s = 0; s < sites; s++) {
		text_printf(out, "<g transform=\"translate(%.0f 0)\">\n", (double)(s / rows) * width);
		site(c, s, top + (double)(s % rows) * ALTITUDE_STEP, width, out);
		text_puts(out, "</g>\n");
	}
	text_add(out, words.data, words.len);
	text_free(&words);
	text_puts(out, "</svg>\n");
}

/* Altitude panels: see altitude.h. */
#include "engine/report/altitude.h"
#include <math.h>

#define DEG         (M_PI / 180)
#define SHADE_STEPS 160
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

/* Daylight and twilight, and the Moon's curve. */
static void bodies(const struct altitude *a, struct text *out)
{
	int64_t step = (a->axis.to_us - a->axis.from_us) / SHADE_STEPS;
	struct text moon = {.max = 1u << 16};
	bool pen = false;
	for (int64_t t = a->axis.from_us; step > 0 && t < a->axis.to_us; t += step) {
		struct ephemeris_local l = local_at(a, t);
		double sun = ephemeris_asin_deg(l.sun_sin_alt), alt = ephemeris_asin_deg(l.moon_sin_alt), x = svg_axis_x(&a->axis, t);
		if (sun > -12)
			text_printf(out, "<rect x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%.1f\" class=\"%s\"/>", x, a->top,
				svg_axis_x(&a->axis, t + step) - x + 0.3, ALTITUDE_HEIGHT, sun > 0 ? "day" : "dusk");
		if (alt > 0)
			text_printf(&moon, "%c%.1f %.1f", pen ? 'L' : 'M', x, alt_y(a, alt));
		pen = alt > 0;
	}
	if (moon.len > 0 && !moon.failed)
		text_printf(out, "\n<path class=\"moonpath\" d=\"%s\"><title>Moon</title></path>", moon.data);
	text_puts(out, "\n");
	text_free(&moon);
}

void altitude_panel(const struct altitude *a, const char *code, const char *name, double airmass_max, struct text *out)
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
	text_printf(out, "<text class=\"label strong\" x=\"%.1f\" y=\"%.1f\">", a->axis.x0 + 6, a->top + 18);
	text_html(out, code);
	text_printf(out, "</text><text class=\"label\" x=\"%.1f\" y=\"%.1f\">", a->axis.x0 + 36, a->top + 18);
	text_html(out, name);
	text_puts(out, "</text>\n");
}

void altitude_curve(const struct altitude *a, const struct altitude_span *s, const char *style, struct text *out)
{
	struct ephemeris_target target;
	int64_t from = s->from_us > a->axis.from_us ? s->from_us : a->axis.from_us, to = s->to_us < a->axis.to_us ? s->to_us : a->axis.to_us;
	int64_t step = (to - from) / CURVE_STEPS > 0 ? (to - from) / CURVE_STEPS : 1;
	bool pen = false;
	ephemeris_target_set(&a->frame, s->ra_deg, s->dec_deg, &target);
	text_printf(out, "<path fill=\"none\" %s d=\"", style);
	for (int64_t t = from; t <= to; t += step) {
		struct ephemeris_local l = local_at(a, t);
		double alt = ephemeris_alt_deg(&l, &target);
		if (alt > 0)
			text_printf(out, "%c%.1f %.1f", pen ? 'L' : 'M', svg_axis_x(&a->axis, t), alt_y(a, alt));
		pen = alt > 0;
	}
	text_puts(out, "\"/>\n");
}

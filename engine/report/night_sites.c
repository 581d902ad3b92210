/* What each telescope did, how the probability was covered, and who paid. */
#include "engine/base/json.h"
#include "engine/base/utc.h"
#include "engine/report/night.h"
#include "engine/report/svg.h"
#include "engine/target/ephemeris.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define WIDTH     1320.0
#define LEFT      98.0
#define LANE      15.0 /* a telescope */
#define SHADES    240
#define CURVE_W   660.0
#define CURVE_H   220.0
#define TELESCOPES 16
#define LABEL_LINES 6

static const struct {
	const char *state, *colour, *words;
} fates[] = {{"done", "#1a7f4b", "observed"}, {"running", "#3aa76d", "running at the end"}, {"scheduled", "#2563eb", "scheduled"},
	{"failed", "#b42318", "failed"}, {"cancelled", "#8b5cf6", "cancelled"}};

static const char *fate_colour(const char *state)
{
	for (size_t i = 0; i < sizeof fates / sizeof fates[0]; i++)
		if (strcmp(fates[i].state, state) == 0)
			return fates[i].colour;
	return "#98a2b3";
}

static const json_t *request_of(const json_t *night, int64_t id)
{
	json_t *r;
	size_t i;
	json_array_foreach(json_object_get(night, "requests"), i, r)
		if (json_int(r, "id", -1) == id)
			return r;
	return NULL;
}

/* ---- one site ---- */
/* Day and twilight behind the lanes, and a grey line above them while the Moon is up. */
static void shade(const struct svg_axis *a, const struct ephemeris_site *place, double top, double height, struct text *out)
{
	int64_t step = (a->to_us - a->from_us) / SHADES;
	struct ephemeris_frame f;
	ephemeris_frame_set(&f, a->from_us);
	for (int64_t t = a->from_us; step > 0 && t < a->to_us; t += step) {
		struct ephemeris_bodies b;
		struct ephemeris_local l;
		if (t - f.utc_us > 2 * UTC_DAY)
			ephemeris_frame_set(&f, t);
		ephemeris_bodies_at(&f, t, &b);
		ephemeris_local_at(&b, place, &l);
		double sun = ephemeris_asin_deg(l.sun_sin_alt), x = svg_axis_x(a, t), w = svg_axis_x(a, t + step) - x + 0.3;
		if (sun > -12)
			text_printf(out, "<rect x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%.1f\" class=\"%s\"/>", x, top, w, height, sun > 0 ? "day" : "dusk");
		if (l.moon_sin_alt > 0)
			text_printf(out, "<rect x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"2\" fill=\"#adb5bd\"/>", x, top - 1, w);
	}
	text_puts(out, "\n");
}

static void clouds(const struct night_input *in, const char *code, const struct svg_axis *a, double top, double height, struct text *out)
{
	json_t *w;
	size_t i;
	json_array_foreach(json_object_get(in->truth, "weather"), i, w) {
		int64_t from = json_int(w, "from_us", 0), to = json_int(w, "to_us", 0);
		if (strcmp(json_text(w, "site", ""), code) != 0 || to < a->from_us || from > a->to_us)
			continue;
		text_printf(out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"#868e96\" fill-opacity=\".32\"><title>closed: %s</title></rect>\n",
			svg_axis_x(a, from), top, svg_axis_x(a, to) - svg_axis_x(a, from), height, json_text(w, "reason", ""));
	}
}

/* What has passed and was never told to be over: a newer observation of the same request stands in its place. */
static const char *state_at(const json_t *o, int64_t end_us)
{
	const char *state = json_text(o, "state", "");
	bool passed = json_int(o, "end_us", 0) < end_us - UTC_HOUR / 4;
	if (passed && strcmp(state, "scheduled") == 0)
		return "cancelled";
	return passed && strcmp(state, "running") == 0 ? "failed" : state;
}

/* The visits of one telescope, those that were cancelled or all others; of the chosen event full, of others pale. */
static void visits(const json_t *night, const char *code, const char *telescope, const struct svg_axis *a, double y, bool cancelled, struct text *out)
{
	json_t *o;
	size_t i;
	char from[32], to[32];
	int64_t chosen = json_int(json_object_get(night, "event"), "id", 0);
	json_array_foreach(json_object_get(night, "observations"), i, o) {
		const json_t *r = request_of(night, json_int(o, "request", -1));
		const char *state = state_at(o, json_int(night, "end_us", 0));
		int64_t begin = json_int(o, "start_us", 0), end = json_int(o, "end_us", 0);
		if (strcmp(json_text(o, "site", ""), code) != 0 || strcmp(json_text(o, "telescope", ""), telescope) != 0 || end <= begin ||
			(strcmp(state, "cancelled") == 0) != cancelled)
			continue;
		text_printf(out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\" fill-opacity=\"%s\" stroke=\"#fff\" stroke-width=\".5\"><title>",
			svg_axis_x(a, begin), y + 2, fmax(1.5, svg_axis_x(a, end) - svg_axis_x(a, begin)), LANE - 4, fate_colour(state),
			strcmp(state, "cancelled") == 0 ? ".28" : json_int(r, "event", 0) == chosen ? "1" : ".5");
		text_html(out, json_text(r, "event_name", ""));
		text_puts(out, " ");
		text_html(out, json_text(r, "name", ""));
		text_printf(out, ", visit %lld: %s, %.5s&ndash;%.5s UTC</title></rect>\n", (long long)json_int(r, "epoch", 1), state, utc_format_hms(from, begin),
			utc_format_hms(to, end));
	}
}

/* A telescope's name as the observations of that site write it: "doma.1m0a" is told as it stands, or by its last part. */
static double site_lanes(const struct night_input *in, const json_t *night, const json_t *site, const struct svg_axis *a, double top, struct text *out)
{
	const char *code = json_text(site, "code", ""), *names[TELESCOPES];
	const struct ephemeris_site place = {json_number(site, "latitude_deg", 0), json_number(site, "longitude_deg", 0), json_number(site, "elevation_m", 0)};
	json_t *t;
	size_t i, count = 0;
	json_array_foreach(json_object_get(site, "telescopes"), i, t)
		if (json_is_string(t) && count < TELESCOPES)
			names[count++] = json_string_value(t);
	if (count == 0)
		return top;
	double height = LANE * (double)count;
	shade(a, &place, top, height, out);
	clouds(in, code, a, top, height, out);
	for (i = 0; i < count; i++) {
		double y = top + LANE * (double)i;
		text_printf(out, "<path class=\"grid\" d=\"M%.1f %.1fH%.1f\"/><text class=\"tick\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">", a->x0, y, a->x0 + a->width,
			a->x0 - 4, y + 11);
		text_html(out, names[i]);
		text_puts(out, "</text>");
		visits(night, code, names[i], a, y, true, out); /* below what stands in their place */
		visits(night, code, names[i], a, y, false, out);
	}
	text_puts(out, "<text class=\"label strong\" x=\"0\" ");
	text_printf(out, "y=\"%.1f\">", top + height / 2 + 4);
	text_html(out, code);
	text_puts(out, "</text>\n");
	return top + height + 7;
}

/* When each alert was heard, over all sites: each label on the first line where it fits. */
static void heard(const json_t *night, const struct svg_axis *a, double bottom, struct text *out)
{
	json_t *row;
	size_t i;
	double used[LABEL_LINES] = {0};
	json_array_foreach(json_object_get(night, "alerts"), i, row) {
		char words[96];
		int line = 0;
		snprintf(words, sizeof words, "%s %s", json_text(row, "name", ""), json_text(row, "type", ""));
		double x = svg_axis_x(a, json_int(row, "utc_us", 0)), wide = 5.9 * (double)strlen(words);
		bool left = x + wide > a->x0 + a->width;
		for (int k = 1; k < LABEL_LINES && used[line] > (left ? x - wide : x); k++)
			line = used[k] < used[line] ? k : line;
		text_printf(out, "<path class=\"heard\" stroke-opacity=\".5\" d=\"M%.1f %.1fV%.1f\"><title>", x, 2.0 + 11 * line, bottom);
		text_html(out, words);
		text_puts(out, "</title></path>");
		if (used[line] > (left ? x - wide : x))
			continue; /* no room: the line alone, with its title */
		used[line] = left ? x : x + wide;
		text_printf(out, "<text class=\"tick heard\" x=\"%.1f\" y=\"%.1f\"%s>", left ? x - 3 : x + 3, 10.0 + 11 * line, left ? " text-anchor=\"end\"" : "");
		text_html(out, words);
		text_puts(out, "</text>\n");
	}
}

void night_sites(const struct night_input *in, const json_t *night, struct text *out)
{
	struct svg_axis a = night_axis(night, LEFT, WIDTH - LEFT - 4);
	struct text body = {.max = out->max};
	json_t *facility, *site;
	size_t i, k, alerts = json_array_size(json_object_get(night, "alerts"));
	const double top = 11.0 * (double)(alerts < LABEL_LINES ? alerts : LABEL_LINES) + 8;
	double y = top;
	json_array_foreach(json_object_get(night, "descriptors"), i, facility) {
		json_t *d = json_loads(json_text(facility, "descriptor", "{}"), 0, NULL);
		json_array_foreach(json_object_get(d, "sites"), k, site)
			y = site_lanes(in, night, site, &a, y, &body);
		json_decref(d);
	}
	text_printf(out, "<figure><svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"sites\">\n", WIDTH, y + 14);
	text_add(out, body.data != NULL ? body.data : "", body.len);
	svg_axis_hours(&a, top - 2, y - 4, out);
	heard(night, &a, y - 4, out);
	text_puts(out, "</svg><figcaption>One lane a telescope, UTC. Visits: ");
	for (i = 0; i < sizeof fates / sizeof fates[0]; i++)
		text_printf(out, "<b style=\"color:%s%s\">■</b> %s ", fates[i].colour, strcmp(fates[i].state, "cancelled") == 0 ? "66" : "", fates[i].words);
	text_printf(out, "(of other events paler). Yellow: Sun above &minus;12°. Grey line on top: the Moon is up.%s</figcaption></figure>\n",
		json_array_size(json_object_get(in->truth, "weather")) > 0 ? " Grey: closed by weather." : "");
	text_free(&body);
}

/* ---- probability against time ---- */
static double target_share(const json_t *night, int64_t target)
{
	json_t *t;
	size_t i;
	json_array_foreach(json_object_get(night, "targets"), i, t)
		if (json_int(t, "id", -1) == target)
			return json_int(t, "rank", 0) > 0 ? fmax(0, json_number(t, "share", 0)) : 0; /* not in the last ranking */
	return 0;
}

/* Has an observation before this one been of the same target? */
static bool again(const json_t *night, size_t before, int64_t target)
{
	for (size_t i = 0; i < before; i++) {
		const json_t *o = json_array_get(json_object_get(night, "covering"), i);
		if (json_int(o, "target", -1) == target)
			return true;
	}
	return false;
}

static double curve(const json_t *night, const json_t *event, const struct svg_axis *a, const char *colour, struct text *out)
{
	json_t *o;
	size_t i;
	double sum = 0, x = svg_axis_x(a, json_int(event, "time_us", a->from_us));
	int64_t id = json_int(event, "id", 0), merger_us = json_int(event, "time_us", 0);
	char hms[32];
	text_printf(out, "<path fill=\"none\" stroke=\"%s\" stroke-width=\"2\" d=\"M%.1f %.1f", colour, x, CURVE_H);
	json_array_foreach(json_object_get(night, "covering"), i, o) {
		if (json_int(o, "event", -1) != id || again(night, i, json_int(o, "target", 0)))
			continue;
		x = svg_axis_x(a, json_int(o, "start_us", 0));
		text_printf(out, "H%.1f", x);
		sum += target_share(night, json_int(o, "target", 0));
		text_printf(out, "V%.1f", CURVE_H - (CURVE_H - 10) * fmin(1, sum));
	}
	text_printf(out, "H%.1f\"><title>%s: %.0f %% covered</title></path>\n", a->x0 + a->width, json_text(event, "name", ""), 100 * sum);
	if (merger_us >= a->from_us)
		text_printf(out, "<path stroke=\"%s\" stroke-dasharray=\"2 3\" d=\"M%.1f 10V%.1f\"><title>merger %s UTC</title></path>\n", colour, svg_axis_x(a, merger_us), CURVE_H,
			utc_format_hms(hms, merger_us));
	return sum;
}

void night_covered(const json_t *night, struct text *out)
{
	static const char *const colours[] = {"#2563eb", "#e8590c", "#1a7f4b", "#8b5cf6", "#b42318", "#667085"};
	struct svg_axis a = night_axis(night, 40, CURVE_W - 60);
	json_t *event;
	size_t i, drawn = 0;
	struct text legend = {.max = 1u << 16};
	text_printf(out, "<figure><svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"probability covered\">\n", CURVE_W, CURVE_H + 20);
	for (int p = 0; p <= 100; p += 20) {
		double y = CURVE_H - (CURVE_H - 10) * p / 100;
		text_printf(out, "<path class=\"grid\" d=\"M%.1f %.1fH%.1f\"/><text class=\"tick\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%d %%</text>\n", a.x0, y, a.x0 + a.width,
			a.x0 - 4, y + 3, p);
	}
	svg_axis_hours(&a, 10, CURVE_H, out);
	json_array_foreach(json_object_get(night, "events"), i, event) {
		const char *colour = colours[drawn % (sizeof colours / sizeof colours[0])];
		if (json_int(event, "requests", 0) == 0)
			continue;
		double sum = curve(night, event, &a, colour, out);
		text_printf(&legend, "<b style=\"color:%s\">%s</b> %.0f %% ", colour, json_text(event, "name", ""), 100 * sum);
		drawn++;
	}
	text_puts(out, "</svg><figcaption>Sum of the shares of the galaxies that were observed at least once, as the last ranking has it, against the start "
		       "of the visit. Shares add up to 1 over the catalogue: a host that it does not hold is no part of them. Dotted: the merger. ");
	text_puts(out, drawn ? legend.data : "No event was asked for.");
	text_puts(out, "</figcaption></figure>\n");
	text_free(&legend);
}

/* ---- hours ---- */
static void bar(struct text *out, double given, double spent, double held)
{
	double full = given > 0 ? given : fmax(spent + held, 1), w = 70;
	text_printf(out,
		"<td><svg viewBox=\"0 0 72 12\" style=\"width:72px\"><rect x=\"0.5\" y=\"1.5\" width=\"%.1f\" height=\"9\" class=\"frame\"/><rect x=\"1\" y=\"2\" "
		"width=\"%.1f\" height=\"8\" fill=\"#1a7f4b\"/><rect x=\"%.1f\" y=\"2\" width=\"%.1f\" height=\"8\" fill=\"#93b4f5\"/></svg></td>",
		w, w * fmin(1, spent / full), 1 + w * fmin(1, spent / full), w * fmax(0, fmin(1, (spent + held) / full) - fmin(1, spent / full)));
}

void night_hours(const json_t *night, struct text *out)
{
	json_t *h;
	size_t i;
	text_puts(out, "<table class=\"small\"><tr><th>programme</th><th>mode</th><th class=\"n\">given<br>h</th><th class=\"n\">spent<br>h</th><th class=\"n\">promised<br>h</th>"
		       "<th class=\"n\">left<br>h</th><th class=\"n\">requests</th><th class=\"n\">events</th><th>of what was given</th></tr>\n");
	json_array_foreach(json_object_get(night, "hours"), i, h) {
		double given = json_number(h, "given", 0), spent = json_number(h, "spent", 0), held = json_number(h, "held", 0);
		text_puts(out, "<tr><td>");
		text_html(out, json_text(h, "programme", ""));
		text_puts(out, "</td><td>");
		text_html(out, json_text(h, "mode", ""));
		text_printf(out, "</td><td class=\"n\">%.1f</td><td class=\"n\">%.2f</td><td class=\"n\">%.2f</td><td class=\"n\">%.2f</td><td class=\"n\">%.0f</td><td class=\"n\">%lld</td>",
			given, spent, held, given - spent - held, json_number(h, "requests", 0), (long long)json_int(h, "events", 0));
		bar(out, given, spent, held);
		text_puts(out, "</tr>\n");
	}
	if (i == 0)
		text_puts(out, "<tr><td colspan=\"9\" class=\"dim\">no programme</td></tr>");
	text_puts(out, "</table><p class=\"note\"><b style=\"color:#1a7f4b\">■</b> spent (observed, running or in doubt) <b style=\"color:#93b4f5\">■</b> promised: asked and not yet "
		       "observed. One event counts as one trigger of a programme in every mode but NORMAL.</p>\n");
}

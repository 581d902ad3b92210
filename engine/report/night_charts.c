/* Charts against time: altitudes with what was observed and refused, and the life of every request.
 */
#include "engine/base/json.h"
#include "engine/base/utc.h"
#include "engine/report/night.h"
#include "engine/target/ephemeris.h"
#include <math.h>
#include <string.h>

#define PANEL_W 640.0
#define PANEL_H 150.0
#define LEFT	40.0

/* A chart's time axis. */
struct axis {
	int64_t from_us, to_us;
	double x0, width;
};

static double at_x(const struct axis *a, int64_t t)
{
	double x = a->x0 + (double)(t - a->from_us) / (double)(a->to_us - a->from_us) * a->width;

	return fmax(a->x0, fmin(a->x0 + a->width, x));
}

static void hours(const struct axis *a, double top, double bottom, struct text *out)
{
	char hms[32];
	int64_t step = a->to_us - a->from_us > 14 * UTC_HOUR ? 2 * UTC_HOUR : UTC_HOUR;

	for (int64_t t = (a->from_us / step + 1) * step; t < a->to_us; t += step) {
		double x = at_x(a, t);
		if (x < a->x0 + 14)
			continue; /* its label would be cut */
		utc_format_hms(hms, t);
		text_printf(out,
			"<path class=\"grid\" d=\"M%.1f %.1fV%.1f\"/><text class=\"tick\" "
			"x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%.5s</text>\n",
			x, top, bottom, x, bottom + 12, hms);
	}
}

static struct axis night_axis(const json_t *night, double x0, double width)
{
	struct axis a = {json_int(night, "start_us", 0), json_int(night, "end_us", 0), x0, width};

	if (a.to_us - a.from_us < UTC_HOUR)
		a.to_us = a.from_us + UTC_HOUR;
	return a;
}

static double alt_y(double top, double alt)
{
	return top + PANEL_H * (1 - fmax(0, fmin(90, alt)) / 90);
}

/* Shade where the Sun is above −12° (light) and above 0° (lighter). */
static void daylight(const struct axis *a, const struct ephemeris_frame *f,
	const struct ephemeris_site *place, double top, struct text *out)
{
	int64_t step = (a->to_us - a->from_us) / 160;

	for (int64_t t = a->from_us; t < a->to_us; t += step) {
		struct ephemeris_bodies b;
		struct ephemeris_local l;
		ephemeris_bodies_at(f, t, &b);
		ephemeris_local_at(&b, place, &l);
		double alt = ephemeris_asin_deg(l.sun_sin_alt);
		if (alt > -12)
			text_printf(out,
				"<rect x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%.1f\" "
				"class=\"%s\"/>",
				at_x(a, t), top, at_x(a, t + step) - at_x(a, t) + 0.3, PANEL_H,
				alt > 0 ? "day" : "dusk");
	}
	text_puts(out, "\n");
}

static void curve(const struct axis *a, const struct ephemeris_frame *f,
	const struct ephemeris_site *place, const double radec[2], int64_t from, int64_t to,
	double top, const char *style, struct text *out)
{
	struct ephemeris_target target;
	bool pen = false;
	int64_t step = (to - from) / 60 > 0 ? (to - from) / 60 : 1;

	ephemeris_target_set(f, radec[0], radec[1], &target);
	text_printf(out, "<path fill=\"none\" %s d=\"", style);
	for (int64_t t = from; t <= to; t += step) {
		struct ephemeris_bodies b;
		struct ephemeris_local l;
		ephemeris_bodies_at(f, t, &b);
		ephemeris_local_at(&b, place, &l);
		double alt = ephemeris_alt_deg(&l, &target);
		if (alt > 0)
			text_printf(
				out, "%c%.1f %.1f", pen ? 'L' : 'M', at_x(a, t), alt_y(top, alt));
		pen = alt > 0;
	}
	text_puts(out, "\"/>\n");
}

static const json_t *request_by_id(const json_t *night, int64_t id)
{
	json_t *r;
	size_t i;

	json_array_foreach (json_object_get(night, "requests"), i, r)
		if (json_int(r, "id", -1) == id)
			return r;
	return NULL;
}

/* The curves of a site's requests; thick where a telescope was on them, dashed where the facility
 * refused. */
static int draw_requests(const json_t *night, int64_t event, const char *site, const struct axis *a,
	const struct ephemeris_frame *f, const struct ephemeris_site *place, double top,
	struct text *out)
{
	json_t *r, *o;
	size_t i;
	int curves = 0, slots = 0;

	json_array_foreach (json_object_get(night, "requests"), i, r) {
		double radec[2] = {json_number(r, "ra_deg", 0), json_number(r, "dec_deg", 0)};
		bool refused = strcmp(json_text(r, "state", ""), "declined") == 0;
		if (json_int(r, "event", 0) != event ||
			strcmp(json_text(r, "site", ""), site) != 0 || curves >= 40)
			continue;
		curves++;
		curve(a, f, place, radec, a->from_us, a->to_us, top, "class=\"alt\"", out);
		if (refused)
			curve(a, f, place, radec,
				json_int(r, "start_us", 0) > a->from_us ? json_int(r, "start_us", 0)
									: a->from_us,
				json_int(r, "end_us", 0) < a->to_us ? json_int(r, "end_us", 0)
								    : a->to_us,
				top, "class=\"alt no\"", out);
	}
	json_array_foreach (json_object_get(night, "observations"), i, o) {
		const json_t *q = request_by_id(night, json_int(o, "request", -1));
		double radec[2] = {json_number(q, "ra_deg", 0), json_number(q, "dec_deg", 0)};
		const char *state = json_text(o, "state", "");
		int64_t from = json_int(o, "start_us", 0), to = json_int(o, "end_us", 0);
		if (q == NULL || json_int(q, "event", 0) != event ||
			strcmp(json_text(o, "site", ""), site) != 0 || from >= a->to_us ||
			to <= a->from_us)
			continue;
		slots++;
		text_printf(out, "<g><title>%s: %s</title>", json_text(q, "name", ""), state);
		curve(a, f, place, radec, from, to < a->to_us ? to : a->to_us, top,
			strcmp(state, "done") == 0     ? "class=\"slot done\""
			: strcmp(state, "failed") == 0 ? "class=\"slot failed\""
						       : "class=\"slot\"",
			out);
		text_puts(out, "</g>\n");
	}
	return curves + slots;
}

static bool used(const json_t *night, int64_t event, const char *code)
{
	json_t *r, *o;
	size_t i;

	json_array_foreach (json_object_get(night, "requests"), i, r)
		if (json_int(r, "event", 0) == event && strcmp(json_text(r, "site", ""), code) == 0)
			return true;
	json_array_foreach (json_object_get(night, "observations"), i, o) {
		const json_t *q = request_by_id(night, json_int(o, "request", -1));
		if (strcmp(json_text(o, "site", ""), code) == 0 && q != NULL &&
			json_int(q, "event", 0) == event)
			return true;
	}
	return false;
}

static void weather(const struct night_input *in, const char *code, const struct axis *a,
	double top, struct text *out)
{
	json_t *w;
	size_t i;

	json_array_foreach (json_object_get(in->truth, "weather"), i, w) {
		int64_t from = json_int(w, "from_us", 0), to = json_int(w, "to_us", 0);
		if (strcmp(json_text(w, "site", ""), code) != 0 || to < a->from_us ||
			from > a->to_us)
			continue;
		text_printf(out,
			"<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"7\" "
			"class=\"cloud\"><title>%s</title></rect>\n",
			at_x(a, from), top, at_x(a, to) - at_x(a, from),
			json_text(w, "reason", "closed"));
	}
}

static double panel(const struct night_input *in, const json_t *night, const json_t *site,
	double top, struct text *out)
{
	struct axis a = night_axis(night, LEFT, PANEL_W - LEFT - 10);
	struct ephemeris_site place = {json_number(site, "latitude_deg", 0),
		json_number(site, "longitude_deg", 0), json_number(site, "elevation_m", 0)};
	struct ephemeris_frame frame;
	const char *code = json_text(site, "code", "");
	int64_t event = json_int(json_object_get(night, "event"), "id", 0);

	ephemeris_frame_set(&frame, a.from_us);
	daylight(&a, &frame, &place, top, out);
	for (int alt = 0; alt <= 90; alt += 30)
		text_printf(out,
			"<path class=\"grid\" d=\"M%.1f %.1fH%.1f\"/><text class=\"tick\" "
			"x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%d°</text>\n",
			a.x0, alt_y(top, alt), a.x0 + a.width, a.x0 - 4, alt_y(top, alt) + 3, alt);
	text_printf(out, "<path class=\"limit\" d=\"M%.1f %.1fH%.1f\"/>\n", a.x0, alt_y(top, 30),
		a.x0 + a.width);
	hours(&a, top, top + PANEL_H, out);
	draw_requests(night, event, code, &a, &frame, &place, top, out);
	weather(in, code, &a, top, out);
	text_printf(out,
		"<text class=\"label strong\" x=\"%.1f\" y=\"%.1f\">%s</text><text class=\"label\" "
		"x=\"%.1f\" y=\"%.1f\">",
		a.x0 + 6, top + 18, code, a.x0 + 36, top + 18);
	text_html(out, json_text(site, "name", ""));
	text_puts(out, "</text>\n");
	return top + PANEL_H + 26;
}

void night_altitudes(const struct night_input *in, const json_t *night, struct text *out)
{
	json_t *facility, *site;
	struct text body = {.max = out->max};
	int64_t event = json_int(json_object_get(night, "event"), "id", 0);
	double top = 8;
	size_t i, k;

	json_array_foreach (json_object_get(night, "descriptors"), i, facility) {
		json_t *d = json_loads(json_text(facility, "descriptor", "{}"), 0, NULL);
		json_array_foreach (json_object_get(d, "sites"), k, site)
			if (used(night, event, json_text(site, "code", "")))
				top = panel(in, night, site, top, &body);
		json_decref(d);
	}
	if (body.data == NULL) {
		text_puts(out, "<p class=\"note\">No site was asked for this event.</p>\n");
		return;
	}
	text_printf(out,
		"<figure><svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"altitudes\">\n",
		PANEL_W, top);
	text_add(out, body.data, body.len);
	text_printf(out,
		"</svg><figcaption>Altitude of the galaxies asked for, site by site, against UTC. "
		"Thick: <b class=\"f1\">observed</b>, <b class=\"f2\">scheduled</b>, "
		"<b class=\"f4\">failed</b>; dashed red: the window that the portal refused. "
		"Yellow: Sun above &minus;12°%s. Dotted: airmass 2.</figcaption></figure>\n",
		in->truth != NULL ? "; grey bar: closed by weather (from the opened truth)" : "");
	text_free(&body);
}

/* ---- the life of every request ---- */

static const struct {
	const char *state, *colour;
} state_colour[] = {{"planned", "#d0d5dd"}, {"offered", "#b6c7e8"}, {"held", "#b6c7e8"},
	{"asked", "#93b4f5"}, {"unsure", "#f59f00"}, {"accepted", "#5b8def"},
	{"scheduled", "#2563eb"}, {"running", "#3aa76d"}, {"done", "#1a7f4b"},
	{"cancelling", "#c4b5fd"}, {"cancelled", "#8b5cf6"}, {"declined", "#d9480f"},
	{"expired", "#667085"}, {"failed", "#b42318"}};

static const char *colour_of(const char *state)
{
	for (size_t i = 0; i < sizeof state_colour / sizeof state_colour[0]; i++)
		if (strcmp(state_colour[i].state, state) == 0)
			return state_colour[i].colour;
	return "#98a2b3";
}

static bool at_rest(const char *state)
{
	return strstr("done cancelled declined expired failed", state) != NULL;
}

/* One row: coloured from state to state. */
static void life(
	const json_t *night, const json_t *r, const struct axis *a, double y, struct text *out)
{
	json_t *c;
	size_t i;
	const char *state = "planned";
	int64_t from = json_int(r, "created_us", 0), id = json_int(r, "id", -1);

	text_puts(out, "<g><title>");
	text_html(out, json_text(r, "name", ""));
	text_printf(out, ": %s</title>", json_text(r, "state", ""));
	json_array_foreach (json_object_get(night, "changes"), i, c) {
		if (json_int(c, "request", 0) != id)
			continue;
		int64_t t = json_int(c, "utc_us", 0);
		text_printf(out,
			"<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"5\" fill=\"%s\"/>",
			at_x(a, from), y, fmax(0.4, at_x(a, t) - at_x(a, from)), colour_of(state));
		state = json_text(c, "to_state", "");
		from = t;
	}
	if (at_rest(state))
		text_printf(out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"%s\"/></g>\n",
			at_x(a, from), y + 2.5, colour_of(state));
	else
		text_printf(out,
			"<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"5\" "
			"fill=\"%s\"/></g>\n",
			at_x(a, from), y, fmax(0.4, a->x0 + a->width - at_x(a, from)),
			colour_of(state));
}

static void mark(const struct axis *a, int64_t t, double top, double bottom, const char *class,
	const char *words, int row, struct text *out)
{
	double x = at_x(a, t);

	text_printf(out,
		"<path class=\"%s\" d=\"M%.1f %.1fV%.1f\"/><text class=\"tick %s\" x=\"%.1f\" "
		"y=\"%.1f\">",
		class, x, top + 10 + 11 * row - 8, bottom, class, x + 3, top + 10 + 11 * row);
	text_html(out, words);
	text_puts(out, "</text>\n");
}

static double event_rows(const json_t *night, const json_t *event, const struct axis *a, double top,
	struct text *out)
{
	json_t *row;
	size_t i;
	int rows = 0, marks = 0;
	int64_t id = json_int(event, "id", 0);
	double y = top + 62;

	json_array_foreach (json_object_get(night, "requests"), i, row)
		if (json_int(row, "event", 0) == id && rows < 60) {
			life(night, row, a, y, out);
			y += 7;
			rows++;
		}
	json_array_foreach (json_object_get(night, "alerts"), i, row)
		if (json_int(row, "event", 0) == id)
			mark(a, json_int(row, "utc_us", 0), top + 14, y, "heard",
				json_text(row, "type", ""), marks++ % 4, out);
	json_array_foreach (json_object_get(night, "orders"), i, row)
		if (strcmp(json_text(row, "event", ""), json_text(event, "name", "")) == 0)
			mark(a, json_int(row, "utc_us", 0), top + 14, y, "order",
				json_text(row, "verb", ""), marks++ % 4, out);
	text_printf(out,
		"<text class=\"label strong\" x=\"2\" y=\"%.1f\">%s</text><text class=\"label\" "
		"x=\"100\" y=\"%.1f\">%s, %d requests%s</text>\n",
		top + 10, json_text(event, "name", ""), top + 10, json_text(event, "state", ""),
		(int)json_int(event, "requests", 0), rows >= 60 ? " (60 shown)" : "");
	return y + 12;
}

void night_timeline(const json_t *night, struct text *out)
{
	struct axis a = night_axis(night, 2, 1316);
	struct text body = {.max = out->max};
	json_t *events = json_object_get(night, "events"), *row;
	double y = 4;
	size_t i;

	json_array_foreach (events, i, row)
		y = event_rows(night, row, &a, y, &body);
	text_printf(out,
		"<figure><svg viewBox=\"0 0 1320 %.0f\" role=\"img\" aria-label=\"timeline\">\n",
		y + 18);
	hours(&a, 4, y, out);
	json_array_foreach (json_object_get(night, "starts"), i, row)
		if (i > 0)
			text_printf(out,
				"<path class=\"restart\" d=\"M%.1f 4V%.1f\"/><text class=\"tick "
				"restart\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">engine "
				"started again</text>\n",
				at_x(&a, json_int(row, "utc_us", 0)), y,
				at_x(&a, json_int(row, "utc_us", 0)) - 3, y - 3);
	text_add(out, body.data != NULL ? body.data : "", body.len);
	text_puts(out, "</svg><figcaption>Sky time, UTC. One bar a request: ");
	for (i = 0; i < sizeof state_colour / sizeof state_colour[0]; i++)
		if (i != 2)
			text_printf(out, "<b style=\"color:%s\">■</b> %s ", state_colour[i].colour,
				state_colour[i].state);
	text_puts(out, "</figcaption></figure>\n");
	text_free(&body);
}

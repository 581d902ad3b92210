/* Charts against time: altitudes with what was observed and refused, and the life of every request.
 */
#include "engine/base/json.h"
#include "engine/base/utc.h"
#include "engine/report/altitude.h"
#include "engine/report/night.h"
#include <math.h>
#include <string.h>

#define CURVES_MOST 40
#define PANEL_W 660.0

struct svg_axis night_axis(const json_t *night, double x0, double width)
{
	struct svg_axis a = {json_int(night, "start_us", 0), json_int(night, "end_us", 0), x0, width};

	if (a.to_us - a.from_us < UTC_HOUR)
		a.to_us = a.from_us + UTC_HOUR;
	return a;
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

/* Does the telescope still mean to observe it? */
static bool is_live(const json_t *request)
{
	const char *state = json_text(request, "state", "");
	return strcmp(state, "cancelled") != 0 && strcmp(state, "failed") != 0 && strcmp(state, "expired") != 0 && strcmp(state, "declined") != 0;
}

/* One observation, if it is of this event and site, and cancelled or not as asked. */
static void draw_observation(const json_t *night, const json_t *o, int64_t event, const char *site, const struct altitude *a, bool cancelled,
	int *curves, struct text *out)
{
	const json_t *q = request_by_id(night, json_int(o, "request", -1));
	const char *state = json_text(o, "state", "");
	const struct altitude_span span = {json_number(q, "ra_deg", 0), json_number(q, "dec_deg", 0), json_int(o, "start_us", 0), json_int(o, "end_us", 0)};
	bool done = strcmp(state, "done") == 0, failed = strcmp(state, "failed") == 0, gone = !done && !failed && (!is_live(q) || strcmp(state, "cancelled") == 0);
	if (q == NULL || json_int(q, "event", 0) != event || strcmp(json_text(o, "site", ""), site) != 0 || gone != cancelled ||
		span.from_us >= a->axis.to_us || span.to_us <= a->axis.from_us)
		return;
	if (strcmp(json_text(q, "site", ""), site) != 0 && (*curves)++ < CURVES_MOST) { /* moved here from another site */
		const struct altitude_span whole = {span.ra_deg, span.dec_deg, a->axis.from_us, a->axis.to_us};
		altitude_curve(a, &whole, "class=\"alt\"", out);
	}
	text_puts(out, "<g><title>");
	text_html(out, json_text(q, "name", ""));
	text_printf(out, ": %s</title>", gone ? "cancelled" : state);
	altitude_curve(a, &span, done ? "class=\"slot done\"" : failed ? "class=\"slot failed\"" : gone ? "class=\"slot cancelled\"" : "class=\"slot\"", out);
	text_puts(out, "</g>\n");
}

/* The curves of a site's requests; thick where a telescope was on them, dashed where the facility
 * refused. */
static void draw_requests(const json_t *night, int64_t event, const char *site,
	const struct altitude *a, struct text *out)
{
	json_t *r, *o;
	size_t i;
	int curves = 0;

	json_array_foreach (json_object_get(night, "requests"), i, r) {
		struct altitude_span span = {json_number(r, "ra_deg", 0), json_number(r, "dec_deg", 0),
			a->axis.from_us, a->axis.to_us};
		if (json_int(r, "event", 0) != event ||
			strcmp(json_text(r, "site", ""), site) != 0 || curves >= CURVES_MOST)
			continue;
		curves++;
		altitude_curve(a, &span, "class=\"alt\"", out);
		if (strcmp(json_text(r, "state", ""), "declined") != 0)
			continue;
		span.from_us = json_int(r, "start_us", 0);
		span.to_us = json_int(r, "end_us", 0);
		altitude_curve(a, &span, "class=\"alt no\"", out);
	}
	for (int live = 0; live <= 1; live++) /* what was cancelled below what stands in its place */
		json_array_foreach (json_object_get(night, "observations"), i, o)
			draw_observation(night, o, event, site, a, live == 0, &curves, out);
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

static void weather(const struct night_input *in, const char *code, const struct svg_axis *a,
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
			svg_axis_x(a, from), top, svg_axis_x(a, to) - svg_axis_x(a, from),
			json_text(w, "reason", "closed"));
	}
}

static double panel(const struct night_input *in, const json_t *night, const json_t *site,
	double top, struct text *out)
{
	const struct svg_axis axis = night_axis(night, 0, 0);
	const struct ephemeris_site place = {json_number(site, "latitude_deg", 0),
		json_number(site, "longitude_deg", 0), json_number(site, "elevation_m", 0)};
	struct altitude a = altitude_of(&place, axis.from_us, axis.to_us, PANEL_W, top);
	const char *code = json_text(site, "code", "");

	altitude_panel(&a, 2, out);
	draw_requests(night, json_int(json_object_get(night, "event"), "id", 0), code, &a, out);
	weather(in, code, &a.axis, top, out);
	altitude_name(&a, code, json_text(site, "name", ""), out);
	return top + ALTITUDE_STEP;
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
		"<b class=\"f3\">cancelled</b>, <b class=\"f4\">failed</b>; dashed red: the window that the portal refused. "
		"Tints: day, civil, nautical and astronomical twilight%s. Lines: airmass 2 (dotted), the Moon (grey dots).</figcaption></figure>\n",
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
	const json_t *night, const json_t *r, const struct svg_axis *a, double y, struct text *out)
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
			svg_axis_x(a, from), y, fmax(0.4, svg_axis_x(a, t) - svg_axis_x(a, from)), colour_of(state));
		state = json_text(c, "to_state", "");
		from = t;
	}
	if (at_rest(state))
		text_printf(out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"%s\"/></g>\n",
			svg_axis_x(a, from), y + 2.5, colour_of(state));
	else
		text_printf(out,
			"<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"5\" "
			"fill=\"%s\"/></g>\n",
			svg_axis_x(a, from), y, fmax(0.4, a->x0 + a->width - svg_axis_x(a, from)),
			colour_of(state));
}

static void mark(const struct svg_axis *a, int64_t t, double top, double bottom, const char *class,
	const char *words, int row, struct text *out)
{
	double x = svg_axis_x(a, t);

	text_printf(out,
		"<path class=\"%s\" d=\"M%.1f %.1fV%.1f\"/><text class=\"tick %s\" x=\"%.1f\" "
		"y=\"%.1f\">",
		class, x, top + 10 + 11 * row - 8, bottom, class, x + 3, top + 10 + 11 * row);
	text_html(out, words);
	text_puts(out, "</text>\n");
}

static double event_rows(const json_t *night, const json_t *event, const struct svg_axis *a, double top,
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
	struct svg_axis a = night_axis(night, 2, 1316);
	struct text body = {.max = out->max};
	json_t *events = json_object_get(night, "events"), *row;
	double y = 4;
	size_t i;

	json_array_foreach (events, i, row)
		y = event_rows(night, row, &a, y, &body);
	text_printf(out,
		"<figure><svg viewBox=\"0 0 1320 %.0f\" role=\"img\" aria-label=\"timeline\">\n",
		y + 18);
	svg_axis_hours(&a, 4, y, out);
	json_array_foreach (json_object_get(night, "starts"), i, row)
		if (i > 0)
			text_printf(out,
				"<path class=\"restart\" d=\"M%.1f 4V%.1f\"/><text class=\"tick "
				"restart\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">engine "
				"started again</text>\n",
				svg_axis_x(&a, json_int(row, "utc_us", 0)), y,
				svg_axis_x(&a, json_int(row, "utc_us", 0)) - 3, y - 3);
	text_add(out, body.data != NULL ? body.data : "", body.len);
	text_puts(out, "</svg><figcaption>Sky time, UTC. One bar a request: ");
	for (i = 0; i < sizeof state_colour / sizeof state_colour[0]; i++)
		if (i != 2)
			text_printf(out, "<b style=\"color:%s\">■</b> %s ", state_colour[i].colour,
				state_colour[i].state);
	text_puts(out, "</figcaption></figure>\n");
	text_free(&body);
}

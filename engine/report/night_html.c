/* The page itself: one sentence, the numbers, the pictures, the tables; no script, nothing from
 * elsewhere. */
#include "engine/base/json.h"
#include "engine/base/utc.h"
#include "engine/report/night.h"
#include "engine/report/svg.h"
#include <math.h>
#include <string.h>

static const char style[] =
	"body{font:14px/1.45 system-ui,-apple-system,'Segoe "
	"UI',Roboto,sans-serif;color:#1d2939;background:#f6f7f9;margin:0}"
	"main{max-width:1340px;margin:0 auto;padding:22px 26px 60px;background:#fff}"
	"h1{font-size:24px;margin:0 0 2px}h2{font-size:17px;margin:30px 0 6px;border-bottom:1px "
	"solid #e4e7ec;padding-bottom:4px}"
	".sub{color:#667085;margin:0 0 "
	"12px}.outcome{font-size:17px;background:#eef4ff;border-left:4px solid "
	"#2563eb;padding:10px 14px;margin:10px 0 16px}"
	".tiles{display:flex;flex-wrap:wrap;gap:10px;margin:0 0 14px}.tiles div{flex:1 1 0;border:1px solid "
	"#e4e7ec;border-radius:6px;padding:8px 14px;min-width:96px}"
	".tiles b{display:block;white-space:nowrap;font-size:20px;line-height:1.2}.tiles "
	"span{color:#667085;font-size:12px}"
	".two{display:grid;grid-template-columns:minmax(0,1fr) "
	"minmax(0,1fr);gap:18px;align-items:start}section{overflow-x:auto}"
	".note{font-size:12.5px;margin:4px 0 8px}table{border-collapse:collapse;width:100%;font-size:13px}"
	"th{text-align:left;color:#475467;font-weight:600;border-bottom:1px solid "
	"#d0d5dd;padding:4px 8px 4px 0;vertical-align:bottom}"
	"td{border-bottom:1px solid #f0f1f4;padding:3px 8px 3px "
	"0;vertical-align:top}td.n,th.n{text-align:right;white-space:nowrap;font-variant-numeric:"
	"tabular-nums}"
	".dim{color:#98a2b3}table.small{font-size:12px}.words{color:#7a2e0e;max-width:420px}.host{"
	"color:#b54708}"
	".keep{white-space:nowrap}.two>section{min-width:0}pre{white-space:pre-wrap;overflow-wrap:"
	"anywhere;background:#101828;color:#e6edf7;padding:14px "
	"16px;border-radius:6px;overflow-x:auto;font-size:12.5px;line-height:1.5}code{background:#"
	"f2f4f7;padding:1px 4px}"
	".s{padding:0 "
	"6px;border-radius:8px;background:#f2f4f7}.s-done{background:#d1fadf;color:#05603a}.s-"
	"cancelled{background:#ebe9fe;color:#5925dc}"
	".s-declined,.s-failed{background:#ffe4d6;color:#b93815}.s-scheduled,.s-accepted,.s-asked{"
	"background:#dbe7ff;color:#1d4ed8}"
	"@media(max-width:900px){.two{grid-template-columns:1fr}}";

static int64_t count_states(const json_t *night, int64_t event, const char *states)
{
	json_t *r;
	size_t i;
	int64_t n = 0;

	json_array_foreach (json_object_get(night, "requests"), i, r)
		n += (event < 0 || json_int(r, "event", 0) == event) &&
		     strstr(states, json_text(r, "state", "?")) != NULL;
	return n;
}

/* Cancelled after they had been submitted: what was only planned costs nobody anything. */
static int64_t count_withdrawn(const json_t *night)
{
	json_t *r;
	size_t i;
	int64_t n = 0;

	json_array_foreach (json_object_get(night, "requests"), i, r)
		n += strcmp(json_text(r, "state", ""), "cancelled") == 0 &&
		     json_int(r, "submits", 0) > 0;
	return n;
}

const json_t *night_host(const struct night_input *in, const char *event)
{
	json_t *row;
	size_t i;

	json_array_foreach (json_object_get(in->truth, "events"), i, row)
		if (strcmp(json_text(row, "event", ""), event) == 0)
			return json_object_get(row, "host");
	return NULL;
}

/* Galaxies, not visits. */
static int64_t galaxies_observed(const json_t *night, int64_t event)
{
	json_t *t;
	size_t i;
	int64_t n = 0;
	const char *colour;

	json_array_foreach (json_object_get(night, "targets"), i, t)
		n += json_int(t, "event", -1) == event &&
			strcmp(night_fate(night, json_int(t, "id", 0), &colour), "observed") == 0;
	return n;
}

static void host_sentence(
	const struct night_input *in, const json_t *night, const char *event, struct text *out)
{
	const json_t *host = night_host(in, event);
	json_t *t;
	size_t i;
	const char *colour, *fate = NULL;
	int64_t rank = 0;

	if (host == NULL)
		return;
	json_array_foreach (json_object_get(night, "targets"), i, t)
		if (strcmp(json_text(t, "name", ""), json_text(host, "name", "?")) == 0 &&
			json_int(t, "event", 0) ==
				json_int(json_object_get(night, "event"), "id", -1)) {
			fate = night_fate(night, json_int(t, "id", 0), &colour);
			rank = json_int(t, "rank", 0);
		}
	if (fate == NULL)
		text_printf(out, " The true host, %s, was %s.", json_text(host, "name", ""),
			json_is_false(json_object_get(host, "in_catalogue"))
				? "not in the catalogue"
				: "below the cut of the ranking");
	else if (rank < 1)
		text_printf(out, " The true host, %s, is not in the last ranking; it was <b>%s</b>.",
			json_text(host, "name", ""), fate);
	else
		text_printf(out, " The true host, %s, was ranked %lld and <b>%s</b>.",
			json_text(host, "name", ""), (long long)rank, fate);
}

static const char *ranked_words(const json_t *event)
{
	return json_int(event, "has_fields", 0) ? "galaxies and fields" : "galaxies";
}

static void outcome(const struct night_input *in, const json_t *night, struct text *out)
{
	const json_t *event = json_object_get(night, "event"),
		     *frames = json_array_get(json_object_get(night, "frames"), 0);
	int64_t id = json_int(event, "id", 0),
		start = json_int(event, "time_us", 0);
	int64_t live = count_states(night, id, "asked unsure accepted scheduled running");
	char utc[32];

	text_printf(out, "<p class=\"outcome\">%s of %s: ", json_text(event, "name", ""),
		utc_format_s(utc, start));
	if (json_int(event, "requests", 0) == 0)
		text_printf(out, "heard and judged, and no telescope was asked (%s).",
			json_text(event, "state", ""));
	else
		text_printf(out,
			"%lld of the %lld %s ranked <b>observed</b>, %lld %s still to come at "
			"the telescopes%s",
			(long long)galaxies_observed(night, id), (long long)json_int(event, "targets", 0),
			ranked_words(event), (long long)live,
			live == 1 ? "visit" : "visits",
			json_int(frames, "first_us", 0) > 0 ? "" : ".");
	if (json_int(event, "requests", 0) > 0 && json_int(frames, "first_us", 0) > 0)
		text_printf(out, "; the first image came %.0f min after the merger.",
			(double)(json_int(frames, "first_us", 0) - start) / (double)UTC_MINUTE);
	host_sentence(in, night, json_text(event, "name", ""), out);
	text_puts(out, "</p>\n");
}

static void tile(struct text *out, const char *value, const char *words)
{
	text_printf(out, "<div><b>%s</b><span>%s</span></div>", value, words);
}

static void tiles(const struct night_input *in, const json_t *night, struct text *out)
{
	const json_t *offers = json_array_get(json_object_get(night, "offers"), 0),
		     *ledger = json_array_get(json_object_get(night, "ledger"), 0);
	char v[64];

	text_puts(out, "<div class=\"tiles\">");
	snprintf(v, sizeof v, "%zu", json_array_size(json_object_get(night, "alerts")));
	tile(out, v, "alerts heard");
	snprintf(v, sizeof v, "%lld",
		(long long)json_int(json_object_get(night, "event"), "targets", 0));
	tile(out, v, json_int(json_object_get(night, "event"), "has_fields", 0)
		? "galaxies and fields ranked" : "galaxies ranked");
	snprintf(v, sizeof v, "%lld / %.0f / %.0f", (long long)json_int(offers, "n", 0),
		json_number(offers, "granted", 0), json_number(offers, "refused", 0));
	tile(out, v, "offers asked / granted / refused");
	snprintf(v, sizeof v, "%lld", (long long)count_states(night, -1, "done"));
	tile(out, v, "requests observed");
	snprintf(v, sizeof v, "%lld", (long long)count_withdrawn(night));
	tile(out, v, "withdrawn at the telescope");
	snprintf(v, sizeof v, "%.2f h", json_number(ledger, "spent", 0) / 3600);
	tile(out, v, "telescope time spent");
	snprintf(v, sizeof v, "%.2f h", json_number(ledger, "held", 0) / 3600);
	tile(out, v, "promised, not yet spent");
	if (!in->simulated) {
		snprintf(v, sizeof v, "%zu", json_array_size(json_object_get(night, "starts")) - 1);
		tile(out, v, "engine restarts");
	}
	text_puts(out, "</div>\n");
}

static void beliefs(const json_t *night, struct text *out)
{
	json_t *a, *d;
	size_t i;
	char t[32];

	text_puts(out, "<h2>What was heard and believed</h2><table class=\"small\"><tr><th>heard "
		       "(UTC)</th><th>event</th><th>alert</th><th class=\"n\">90 %<br>deg²</th><th "
		       "class=\"n\">50 %<br>deg²</th><th class=\"n\">distance<br>Mpc</th>"
		       "<th class=\"n\" title=\"unrelated supernovae younger than 30 d, expected in the 90 % volume\">other<br>SNe</th>"
		       "<th class=\"n\">BNS<br>%</th><th class=\"n\">NSBH<br>%</th><th "
		       "class=\"n\">rem&shy;nant<br>%</th><th class=\"n\">det.</th></tr>\n");
	json_array_foreach (json_object_get(night, "alerts"), i, a) {
		text_printf(out, "<tr><td>%s</td><td>%s</td><td>%s</td>",
			utc_format_hms(t, json_int(a, "utc_us", 0)), json_text(a, "name", ""),
			json_text(a, "type", ""));
		if (isfinite(json_number(a, "area90", NAN)))
			text_printf(out,
				"<td class=\"n\">%.1f</td><td class=\"n\">%.1f</td>",
				json_number(a, "area90", NAN), json_number(a, "area50", NAN));
		else
			text_puts(out, "<td></td><td></td>");
		if (isfinite(json_number(a, "mean", NAN)))
			text_printf(out, "<td class=\"n\">%.0f ± %.0f</td>",
				json_number(a, "mean", NAN), json_number(a, "std", NAN));
		else
			text_puts(out, "<td></td>");
		if (isfinite(json_number(a, "supernovae", NAN)))
			text_printf(out, "<td class=\"n\">%.2g</td>", json_number(a, "supernovae", NAN));
		else
			text_puts(out, "<td></td>");
		if (isfinite(json_number(a, "p_bns", NAN)))
			text_printf(out,
				"<td class=\"n\">%.0f</td><td class=\"n\">%.0f</td><td "
				"class=\"n\">%.0f</td><td class=\"n\">%.0f</td></tr>\n",
				100 * json_number(a, "p_bns", NAN),
				100 * json_number(a, "p_nsbh", NAN),
				100 * json_number(a, "has_remnant", NAN),
				json_number(a, "n_detectors", NAN));
		else
			text_puts(out, "<td></td><td></td><td></td><td></td></tr>\n");
	}
	text_puts(out, "</table><p class=\"note\">");
	json_array_foreach (json_object_get(night, "decisions"), i, d) {
		text_printf(
			out, "%s%s by <b>", i > 0 ? " &middot; " : "", json_text(d, "name", ""));
		text_html(out, json_text(d, "policy", ""));
		text_printf(out, "</b>: %s, %s", json_text(d, "outcome", ""),
			json_text(d, "state", ""));
		if (json_text(d, "missing", "")[0] != '\0') {
			text_puts(out, ", not known: ");
			text_html(out, json_text(d, "missing", ""));
		}
	}
	text_puts(out, "</p>\n");
}

int night_html(const struct night_input *in, const json_t *night, struct text *out, struct err *e)
{
	char from[32], to[32];

	text_printf(out,
		"<!DOCTYPE html>\n<html lang=\"en\"><meta charset=\"utf-8\"><meta "
		"name=\"viewport\" content=\"width=device-width\"><title>slew: night of %s</title>"
		"<style>%s%s%s</style><main>\n",
		json_text(json_object_get(night, "event"), "name", ""), svg_style, svg_style_page, style);
	text_printf(out,
		"<h1>%s, %s</h1><p class=\"sub\">%s to %s (sky time, UTC)",
		in->simulated ? "A dry run" : "Night report",
		json_text(json_object_get(night, "event"), "name", ""),
		utc_format_s(from, json_int(night, "start_us", 0)),
		utc_format_s(to, json_int(night, "end_us", 0)));
	if (in->simulated)
		text_puts(out, ". Nothing was sent: the engine, its policies and its adapter as they are, "
			       "against a simulated observatory; the weather is drawn.");
	else
		text_printf(out, ", sky clock %.4g times the wall clock%s.", json_number(night, "rate", 1),
			in->truth != NULL ? "; a made-up night, its truth opened afterwards" : "");
	if (in->state_path != NULL) {
		text_puts(out, " Everything here is read from ");
		text_html(out, in->state_path);
		text_puts(out, ".");
	}
	text_puts(out, "</p>\n");
	outcome(in, night, out);
	tiles(in, night, out);
	text_puts(out, "<div class=\"two\"><section>");
	night_close_up(in, night, out);
	text_puts(out, "</section><section>");
	night_whole_sky(in, night, out);
	beliefs(night, out);
	text_puts(out, "</section></div>\n<h2>The night, site by site</h2>");
	night_sites(in, night, out);
	text_puts(out, "<div class=\"two\"><section><h2>Probability covered</h2>");
	night_covered(night, out);
	text_puts(out, "<h2>Hours by programme and mode</h2>");
	night_hours(night, out);
	text_printf(out, "</section><section><h2>%s: seen, and identified</h2><figure>", json_text(json_object_get(night, "event"), "name", ""));
	night_progress(night, "seen and identified", false, out);
	text_puts(out, "</figure>");
	text_puts(out, "</section></div>\n<h2>The night, request by request</h2>");
	night_timeline(night, out);
	text_puts(out, "<div class=\"two\"><section><h2>Altitudes</h2>");
	night_altitudes(in, night, out);
	if (in->state_path != NULL)
		night_commands(in, night, out);
	text_puts(out, "</section><section>");
	night_reasons(in, night, out);
	text_puts(out, "</section></div>\n");
	text_puts(out, "<section>");
	night_requests(night, out);
	text_puts(out, "</section></main></html>\n");
	return out->failed ? err_set(e, ERR_LIMIT,
				     "the report is larger than %zu bytes, or there is no memory",
				     out->max)
			   : 0;
}

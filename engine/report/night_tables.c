/* Tables of the night: latency a stage, why not, requests with the facility's words, and how to
 * check three of the numbers. */
#include "engine/base/json.h"
#include "engine/base/utc.h"
#include "engine/report/night.h"
#include "engine/target/ephemeris.h"
#include <math.h>
#include <string.h>

static const char *hms(char out[32], int64_t utc_us)
{
	return utc_us > 0 ? utc_format_hms(out, utc_us) : "&ndash;";
}

/* A target that the newest ranking left out has no rank. */
static const char *rank_word(char out[32], const json_t *row)
{
	if (json_int(row, "rank", 0) < 1)
		return "&ndash;";
	snprintf(out, 32, "%lld", (long long)json_int(row, "rank", 0));
	return out;
}

/* First moment ≥ from of a computation of the event, or of a call's answer; 0 when there is none
 * before `before`. */
static int64_t effect_at(const json_t *night, int64_t event, const char *compute, const char *verb,
	int64_t from, int64_t before)
{
	json_t *f;
	size_t i;

	json_array_foreach (json_object_get(night, "effects"), i, f) {
		int64_t t = json_int(f, "done_us", 0);
		bool this = compute != NULL ? strcmp(json_text(f, "compute", ""), compute) == 0
					    : strcmp(json_text(f, "verb", ""), verb) == 0;
		if (this && json_int(f, "event", -1) == event && t >= from && t < before)
			return t;
	}
	return 0;
}

static int64_t accepted_at(const json_t *night, int64_t event, int64_t from, int64_t before)
{
	json_t *c, *r;
	size_t i, k;

	json_array_foreach (json_object_get(night, "changes"), i, c) {
		int64_t t = json_int(c, "utc_us", 0);
		if (strcmp(json_text(c, "to_state", ""), "accepted") != 0 || t < from ||
			t >= before)
			continue;
		json_array_foreach (json_object_get(night, "requests"), k, r)
			if (json_int(r, "id", -1) == json_int(c, "request", 0) &&
				json_int(r, "event", -1) == event)
				return t;
	}
	return 0;
}

static void stage(struct text *out, int64_t t, int64_t heard, double rate)
{
	char text[32], wait[32];
	double ms = (double)(t - heard) / rate / 1e3;

	if (ms < 1e4)
		snprintf(wait, sizeof wait, "%.0f ms", ms);
	else
		snprintf(wait, sizeof wait, ms < 6e5 ? "%.0f s" : "%.0f min", ms < 6e5 ? ms / 1e3 : ms / 6e4);
	if (t == 0)
		text_puts(out, "<td class=\"dim n\">&ndash;</td>");
	else
		text_printf(out, "<td class=\"n\">%s<br><span class=\"dim\">%s</span></td>", wait, hms(text, t));
}

/* Stages follow each other; one that did not happen (the same map again) is passed over. */
static void stages(
	const json_t *night, int64_t event, int64_t heard, int64_t next, struct text *out)
{
	static const char *const compute[] = {"map", "rank", "plan"};
	double rate = json_number(night, "rate", 1);
	int64_t from = heard, t;

	for (int k = 0; k < 3; k++) {
		t = effect_at(night, event, compute[k], NULL, from, next);
		stage(out, t, heard, rate);
		from = t > 0 ? t : from;
	}
	t = effect_at(night, event, NULL, "offer", from, next);
	stage(out, t, heard, rate);
	stage(out, accepted_at(night, event, t > 0 ? t : from, next), heard, rate);
}

static void latency(const json_t *night, struct text *out)
{
	double rate = json_number(night, "rate", 1);
	json_t *a, *alerts = json_object_get(night, "alerts");
	size_t i;
	char text[32];

	text_printf(out,
		"<h2>From alert to telescope</h2><p class=\"note\"><b>Wall</b> milliseconds since "
		"the alert was heard and decoded; below, in grey, <b>sky</b> time. One second of "
		"wall "
		"time is %.0f s of sky. An acceptance may have waited for a "
		"person.</p><table><tr><th>alert</th><th>heard (sky)</th><th class=\"n\">map "
		"read</th><th class=\"n\">ranked</th>"
		"<th class=\"n\">planned</th><th class=\"n\">first offer</th><th "
		"class=\"n\">accepted</th></tr>\n",
		rate);
	json_array_foreach (alerts, i, a) {
		int64_t heard = json_int(a, "utc_us", 0), event = json_int(a, "event", -1),
			next = INT64_MAX;
		for (size_t k = i + 1; k < json_array_size(alerts) && next == INT64_MAX;
			k++) /* stages belong to the newest alert heard before them */
			if (json_int(json_array_get(alerts, k), "event", -1) == event)
				next = json_int(json_array_get(alerts, k), "utc_us", 0);
		text_printf(out, "<tr><td>%s<br><span class=\"dim\">%s</span></td><td>%s</td>",
			json_text(a, "name", ""), json_text(a, "type", ""), hms(text, heard));
		stages(night, event, heard, next, out);
		text_puts(out, "</tr>\n");
	}
	text_puts(out, "</table>\n");
}

/* Of a galaxy to be the host: "1.25 %", or a dash where an older ranking did not say. */
static const char *percent_word(char out[32], const json_t *t)
{
	double p = json_number(t, "probability", NAN);
	if (isnan(p))
		return "–";
	snprintf(out, 32, "%.2f %%", 100 * p);
	return out;
}

static void why_not(const struct night_input *in, const json_t *night, struct text *out)
{
	json_t *t;
	const json_t *event = json_object_get(night, "event");
	size_t i, shown = 0;
	char rank[32], chance[32];
	const json_t *host = night_host(in, json_text(event, "name", "?"));
	const char *colour;

	text_puts(out, "<h2>Why not?</h2><p class=\"note\">The best-ranked galaxies that were not "
		       "observed, and the first reason.");
	if (!in->simulated)
		text_puts(out, " <code>slew ctl explain EVENT TARGET</code> shows the whole chain.");
	text_puts(out, "</p><table><tr><th class=\"n\">rank</th><th>galaxy</th><th "
		       "class=\"n\">share</th><th class=\"n\">probability</th><th "
		       "class=\"n\">distance</th><th>fate</th><th>why</th></tr>\n");
	json_array_foreach (json_object_get(night, "targets"), i, t) {
		const char *name = json_text(t, "name", ""),
			   *fate = night_fate(night, json_int(t, "id", 0), &colour);
		bool is_host = host != NULL && strcmp(name, json_text(host, "name", "")) == 0;
		if (json_int(t, "event", -1) != json_int(event, "id", 0) ||
			strcmp(fate, "observed") == 0 || (shown >= 5 && !is_host))
			continue;
		shown++;
		text_printf(out, "<tr><td class=\"n\">%s</td><td class=\"keep\">",
			rank_word(rank, t));
		text_html(out, name);
		text_printf(out,
			"%s</td><td class=\"n\">%.2f %%</td><td class=\"n\">%s</td><td class=\"n\">%.0f Mpc</td><td "
			"class=\"keep\" style=\"color:%s\">%s</td><td><b>",
			is_host ? " <b class=\"host\">★ true host</b>" : "",
			100 * json_number(t, "share", NAN), percent_word(chance, t), json_number(t, "mpc", NAN), colour, fate);
		text_html(out, json_text(t, "code", "none yet"));
		text_puts(out, "</b> ");
		text_html(out, json_text(t, "detail", ""));
		text_puts(out, "</td></tr>\n");
	}
	if (shown == 0)
		text_puts(out, "<tr><td colspan=\"7\" class=\"dim\">None: every ranked galaxy was "
			       "observed.</td></tr>");
	text_puts(out, "</table>\n");
	if (host != NULL && json_is_false(json_object_get(host, "in_catalogue")))
		text_printf(out,
			"<p class=\"note\">The true host, %s, is not in the catalogue: no ranking "
			"of it could have found it.</p>\n",
			json_text(host, "name", ""));
}

void night_requests(const json_t *night, struct text *out)
{
	json_t *r, *o;
	size_t i, k;
	char a[32], b[32], rank[32];

	text_puts(out,
		"<h2>Every request</h2><table class=\"small\"><tr><th>event</th><th>galaxy</th><th "
		"class=\"n\">rank</th><th class=\"n\">epoch.try</th><th>mode</th><th>window "
		"(UTC)</th><th>state</th>"
		"<th class=\"n\">group</th><th class=\"n\">sent</th><th>where, when "
		"observed</th><th class=\"n\">s</th><th>the facility's own words, or why it was withdrawn</th></tr>\n");
	json_array_foreach (json_object_get(night, "requests"), i, r) {
		const char *state = json_text(r, "state", "");
		text_printf(out, "<tr><td>%s</td><td class=\"keep\">", json_text(r, "event_name", ""));
		text_html(out, json_text(r, "name", ""));
		text_printf(out,
			"</td><td class=\"n\">%s</td><td "
			"class=\"n\">%lld.%lld</td><td>%s</td><td>%.5s&ndash;%.5s</td><td><span "
			"class=\"s s-%s\">%s</span></td><td class=\"n\">",
			rank_word(rank, r), (long long)json_int(r, "epoch", 0),
			(long long)json_int(r, "variant", 0), json_text(r, "mode", ""),
			hms(a, json_int(r, "start_us", 0)), hms(b, json_int(r, "end_us", 0)), state,
			state);
		text_html(out, json_text(r, "remote_id", "–"));
		text_printf(out, "</td><td class=\"n\">%lld</td><td>",
			(long long)json_int(r, "submits", 0));
		json_array_foreach (json_object_get(night, "observations"), k, o)
			if (json_int(o, "request", -1) == json_int(r, "id", 0) &&
				strcmp(json_text(o, "state", ""), "cancelled") != 0)
				text_printf(out, "%s %s %s ", json_text(o, "site", ""),
					json_text(o, "telescope", ""),
					hms(a, json_int(o, "start_us", 0)));
		text_printf(out, "</td><td class=\"n\">%.0f</td><td class=\"words\">",
			json_number(r, "seconds", 0));
		text_html(out, json_text(r, "words", json_text(r, "unwanted_why", "")));
		text_puts(out, "</td></tr>\n");
	}
	text_puts(out, "</table>\n");
}

/* An exposure of the event, its galaxy and its site: something that astropy can check. */
static bool check_altitude(const json_t *night, struct text *out)
{
	json_t *o, *r, *facility, *site;
	size_t i, k, m;

	json_array_foreach (json_object_get(night, "observations"), i, o)
		json_array_foreach (json_object_get(night, "requests"), k, r) {
			if (json_int(o, "request", 0) != json_int(r, "id", -1) ||
				strcmp(json_text(o, "state", ""), "done") != 0)
				continue;
			json_array_foreach (json_object_get(night, "descriptors"), m, facility) {
				json_t *d = json_loads(
					json_text(facility, "descriptor", "{}"), 0, NULL);
				size_t n;
				json_array_foreach (json_object_get(d, "sites"), n, site) {
					struct ephemeris_frame f;
					struct ephemeris_bodies b;
					struct ephemeris_local l;
					struct ephemeris_target t;
					struct ephemeris_site place = {
						json_number(site, "latitude_deg", 0),
						json_number(site, "longitude_deg", 0),
						json_number(site, "elevation_m", 0)};
					int64_t at = json_int(o, "start_us", 0);
					char utc[32];
					if (strcmp(json_text(site, "code", ""),
						    json_text(o, "site", "?")) != 0)
						continue;
					ephemeris_frame_set(&f, at);
					ephemeris_bodies_at(&f, at, &b);
					ephemeris_local_at(&b, &place, &l);
					ephemeris_target_set(&f, json_number(r, "ra_deg", 0),
						json_number(r, "dec_deg", 0), &t);
					utc_format_s(utc, at);
					utc[19] = '\0';
					text_printf(out,
						"# 3. altitude of %s from %s as its exposure "
						"began, by astropy: expect %.2f deg\npython3 - "
						"&lt;&lt;'END'\nfrom astropy.utils import iers\n"
						"iers.conf.auto_download = False; "
						"iers.conf.auto_max_age = None; "
						"iers.conf.iers_degraded_accuracy = "
						"'ignore'\nimport astropy.units as u\nfrom "
						"astropy.time import Time\n"
						"from astropy.coordinates import SkyCoord, "
						"EarthLocation, AltAz\nsite = "
						"EarthLocation.from_geodetic(%.4f, %.4f, %.0f)\n"
						"print(SkyCoord(%.6f * u.deg, %.6f * "
						"u.deg).transform_to(AltAz(obstime=Time('%s'), "
						"location=site)).alt.deg)\nEND\n",
						json_text(r, "name", ""), json_text(o, "site", ""),
						ephemeris_alt_deg(&l, &t), place.lon_deg,
						place.lat_deg, place.elevation_m,
						json_number(r, "ra_deg", 0),
						json_number(r, "dec_deg", 0), utc);
					json_decref(d);
					return true;
				}
				json_decref(d);
			}
		}
	return false;
}

void night_commands(const struct night_input *in, const json_t *night, struct text *out)
{
	json_t *event = json_object_get(night, "event"), *a, *last = NULL;
	size_t i;
	int64_t done = 0;

	json_array_foreach (json_object_get(night, "alerts"), i, a)
		if (json_int(a, "event", -1) == json_int(event, "id", 0) &&
			json_text(a, "map", NULL) != NULL)
			last = a;
	json_array_foreach (json_object_get(night, "requests"), i, a)
		done += strcmp(json_text(a, "state", ""), "done") == 0;
	text_puts(out,
		"<h2>Check it yourself</h2><p class=\"note\">Copy and paste; three numbers of this "
		"page by other people's programs (sqlite3, ligo.skymap, astropy).</p><pre>");
	text_printf(out,
		"# 1. requests that were observed, all events: expect %lld\nsqlite3 -readonly ",
		(long long)done);
	text_html(out, in->state_path);
	text_puts(out, " \"SELECT count(*) FROM request WHERE state = 'done'\"\n");
	if (last != NULL) {
		text_printf(out,
			"\n# 2. area of the 90 %% region of %s %s, by ligo.skymap: expect %.2f "
			"deg2\nsqlite3 -readonly ",
			json_text(last, "name", ""), json_text(last, "type", ""),
			json_number(last, "area90", NAN));
		text_html(out, in->state_path);
		text_printf(out,
			" \"SELECT writefile('map.fits', body) FROM blob WHERE sha256 = "
			"'%s'\"\npython3 -c \"\nfrom ligo.skymap.io import read_sky_map\n"
			"from ligo.skymap.postprocess import "
			"crossmatch\nprint(crossmatch(read_sky_map('map.fits', moc=True), "
			"contours=[0.9]).contour_areas)\"\n\n",
			json_text(last, "map", ""));
	}
	check_altitude(night, out);
	text_puts(out, "</pre>\n");
}

void night_reasons(const struct night_input *in, const json_t *night, struct text *out)
{
	if (!in->simulated) /* no wall clock ran */
		latency(night, out);
	why_not(in, night, out);
}

/* slew visible: when and where a position, or a list of ranked galaxies, can be observed, and the reason where it cannot. */
#include "engine/base/json.h"
#include "engine/base/limits.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include "engine/cmd/cmd.h"
#include "engine/cmd/page.h"
#include "engine/cmd/place.h"
#include "engine/cmd/targets.h"
#include "engine/cmd/visible_night.h"
#include "engine/io/clock.h"
#include "engine/report/table.h"
#include "engine/target/visibility.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct arguments {
	const char *facility, *site, *targets, *plot, *place[2];
	int places;
	int64_t start_us;
	const char *ground; /* LAT,LON[,ELEVATION] */
	double hours, visit_min, dut1_s;
	bool json, night;
	struct visibility_limits limits;
};

static const char *const reason_names[] = {"visible", "never_rises", "daylight", "moon", "window_short", "late"};

/* Output --------------------------------------------------------------------------------------------------------------------- */

static json_t *window_json(const struct visibility_window *w)
{
	return json_pack("{s:I s:I s:I s:f s:f s:f s:f s:f s:f}", "start_us", (json_int_t)w->start_us, "end_us", (json_int_t)w->end_us, "best_us",
		(json_int_t)w->best_us, "airmass_best", w->airmass_best, "airmass_start", w->airmass_start, "airmass_end", w->airmass_end,
		"moon_deg", w->moon_deg, "moon_alt_deg", w->moon_alt_deg, "moon_illuminated", w->moon_illuminated);
}

static json_t *report_json(const struct visibility_site *s, const struct visibility_report *r, const struct visibility_limits *l)
{
	char words[256];
	json_t *windows = json_array(), *o = json_pack("{s:s s:s}", "site", s->code, "site_name", s->name);
	for (size_t i = 0; i < r->count; i++)
		json_array_append_new(windows, window_json(&r->windows[i]));
	json_object_set_new(o, "windows", windows);
	json_object_set_new(o, "reason", r->count ? json_null() : json_string(reason_names[r->reason]));
	json_object_set_new(o, "detail", r->count ? json_null() : json_string(visibility_sentence(r, l, words, sizeof words)));
	return o;
}

static json_t *place_json(const struct visibility_night *n, const struct place *p, const struct visibility_limits *l)
{
	json_t *sites = json_array();
	struct ephemeris_target eye;
	ephemeris_target_set(visibility_night_frame(n), p->ra_deg, p->dec_deg, &eye);
	for (size_t s = 0; s < visibility_night_sites(n); s++) {
		struct visibility_report r;
		visibility_find(n, &(struct visibility_ask){s, &eye, l, VISIBILITY_ALWAYS}, &r);
		json_array_append_new(sites, report_json(visibility_night_site(n, s), &r, l));
	}
	json_t *o = json_pack("{s:s s:f s:f}", "name", p->name, "ra_deg", p->ra_deg, "dec_deg", p->dec_deg);
	json_object_set_new(o, "sites", sites);
	return o;
}

/* Rows of a table: a window each, or the reason. */
static void rows_add(json_t *rows, const json_t *place, bool all)
{
	const json_t *site, *w;
	size_t i, k, seen = 0;
	const char *name = json_text(place, "name", "");
	json_array_foreach(json_object_get(place, "sites"), i, site) {
		json_array_foreach(json_object_get(site, "windows"), k, w) {
			char moon[48], airmass[32];
			snprintf(moon, sizeof moon, "%.0f° (%.0f %%)", json_number(w, "moon_deg", 0), 100 * json_number(w, "moon_illuminated", 0));
			snprintf(airmass, sizeof airmass, "%.2f", json_number(w, "airmass_best", 0));
			json_t *row = json_pack("{s:s s:s s:s s:s s:s}", "target", name, "site", json_text(site, "site", ""), "airmass", airmass, "moon", moon,
				"note", "");
			json_object_set(row, "start", json_object_get(w, "start_us"));
			json_object_set(row, "end", json_object_get(w, "end_us"));
			json_object_set(row, "best", json_object_get(w, "best_us"));
			json_object_set_new(row, "min", json_integer((json_int(w, "end_us", 0) - json_int(w, "start_us", 0)) / UTC_MINUTE));
			json_array_append_new(rows, row);
			seen++;
		}
		if (all && json_array_size(json_object_get(site, "windows")) == 0)
			json_array_append_new(rows, json_pack("{s:s s:s s:s}", "target", name, "site", json_text(site, "site", ""), "note",
				json_text(site, "detail", "")));
	}
	if (all || seen > 0)
		return;
	const json_t *closest = NULL; /* the reason that comes last in the order came closest */
	int best = -1;
	json_array_foreach(json_object_get(place, "sites"), i, site)
		for (int r = 1; r < 6; r++)
			if (strcmp(json_text(site, "reason", ""), reason_names[r]) == 0 && r > best) {
				best = r;
				closest = site;
			}
	json_array_append_new(rows, json_pack("{s:s s:s s:s}", "target", name, "site", json_text(closest, "site", ""), "note",
		json_text(closest, "detail", "")));
}

static void table_show(const struct arguments *a, const struct place *first, const json_t *rows, int64_t end_us)
{
	static const struct column many[] = {{"target", "target", COLUMN_TEXT, 24}, {"site", "site", COLUMN_TEXT, 0}, {"from, UTC", "start", COLUMN_UTC, 0},
		{"to, UTC", "end", COLUMN_UTC, 0}, {"min", "min", COLUMN_COUNT, 0}, {"best, UTC", "best", COLUMN_CLOCK, 0}, {"airmass", "airmass", COLUMN_TEXT, 0},
		{"Moon", "moon", COLUMN_TEXT, 0}, {"why not", "note", COLUMN_TEXT, 120}, {NULL, NULL, COLUMN_TEXT, 0}};
	char from[32], to[32];
	if (a->targets == NULL)
		printf("RA %.5f° Dec %+.5f°, ", first->ra_deg, first->dec_deg); /* as it was understood */
	printf("%s to %s UTC: airmass <= %.2f, Sun below %+.0f°, Moon >= %.0f° away, at least %.0f min\n", table_utc(from, a->start_us),
		table_utc(to, end_us), a->limits.airmass_max, a->limits.sun_max_deg, a->limits.moon_min_deg, a->limits.visit_s / 60);
	table_print(stdout, 0, a->targets ? many : many + 1, rows);
}

static int show(const struct arguments *a, const struct visibility_night *n, const struct place *list, size_t count, int64_t end_us)
{
	json_t *rows = json_array();
	for (size_t i = 0; i < count; i++) {
		json_t *o = place_json(n, &list[i], &a->limits);
		if (a->json) {
			char *line = json_canonical(o);
			puts(line ? line : "null");
			free(line);
		} else {
			rows_add(rows, o, a->targets == NULL);
		}
		json_decref(o);
	}
	if (!a->json)
		table_show(a, &list[0], rows, end_us);
	json_decref(rows);
	return fflush(stdout) != 0;
}

/* Plot ----------------------------------------------------------------------------------------------------------------------- */

static int plots(const struct arguments *a, const struct visibility_night *n, const struct place *list, size_t count, int64_t end_us)
{
	struct text body = {.max = LIMIT_TEXT};
	struct err e = {0};
	char from[32];
	text_printf(&body, "<p>Altitude against UTC for %g h from %s.</p>\n<figure>", a->hours, table_utc(from, a->start_us));
	cmd_altitudes(n, list, count, a->start_us, end_us, &a->limits, NULL, &body);
	text_puts(&body, "</figure>\n");
	int rc = page_write(a->plot, "Visibility", &body, &e);
	text_free(&body);
	return rc < 0 ? err_print(&e) : 0;
}

/* Arguments ------------------------------------------------------------------------------------------------------------------ */

/* A number of an option within [low, high]. */
static int number_read(const char *option, const char *text, double low, double high, double *out)
{
	char *end = NULL;
	*out = text ? strtod(text, &end) : NAN;
	if (text == NULL || end == text || *end != '\0' || !(*out >= low && *out <= high))
		return cmd_usage(&command_visible, "%s wants a number from %g to %g, not \"%.30s\"", option, low, high, text ? text : "");
	return 0;
}

static int option_read(struct arguments *a, const char *o, const char *v, struct err *e)
{
	double sun;
	if (strcmp(o, "--max-airmass") == 0)
		return number_read(o, v, 1, 10, &a->limits.airmass_max);
	if (strcmp(o, "--min-moon") == 0)
		return number_read(o, v, 0, 180, &a->limits.moon_min_deg);
	if (strcmp(o, "--hours") == 0)
		return number_read(o, v, 0.1, VISIBILITY_SPAN_H, &a->hours);
	if (strcmp(o, "--dut1") == 0)
		return number_read(o, v, -1, 1, &a->dut1_s);
	if (strcmp(o, "--visit") == 0)
		return number_read(o, v, 0, 1440, &a->visit_min);
	if (strcmp(o, "--sun") == 0) {
		int rc = number_read(o, v, -90, 90, &sun);
		a->limits.sun_max_deg = sun;
		return rc;
	}
	if (strcmp(o, "--facility") != 0 && strcmp(o, "--site") != 0 && strcmp(o, "--plot") != 0 && strcmp(o, "--targets") != 0 && strcmp(o, "--start") != 0
		&& strcmp(o, "--date") != 0 && strcmp(o, "--place") != 0)
		return cmd_usage(&command_visible, "unknown option %s", o);
	if (v == NULL)
		return cmd_usage(&command_visible, "%s wants a value", o);
	if (strcmp(o, "--facility") == 0)
		a->facility = v;
	else if (strcmp(o, "--site") == 0)
		a->site = v;
	else if (strcmp(o, "--place") == 0)
		a->ground = v;
	else if (strcmp(o, "--plot") == 0)
		a->plot = v;
	else if (strcmp(o, "--targets") == 0)
		a->targets = v;
	else if (utc_parse(v, &a->start_us, e) < 0)
		return err_print(e);
	return 0;
}

static int arguments_read(struct arguments *a, int argc, char **argv)
{
	struct err e = {0};
	for (int i = 1; i < argc; i++) {
		int rc = 0;
		if (strcmp(argv[i], "--json") == 0)
			a->json = true;
		else if (strcmp(argv[i], "--night") == 0)
			a->night = true;
		else if (argv[i][0] == '-' && argv[i][1] == '-')
			rc = option_read(a, argv[i], i + 1 < argc ? argv[i + 1] : NULL, &e), i++;
		else if (a->places < 2)
			a->place[a->places++] = argv[i]; /* a declination may begin with a minus */
		else
			return cmd_usage(&command_visible, "one position at a time (got a third: %s); quote a position that has spaces", argv[i]);
		if (rc != 0)
			return rc;
	}
	if (a->night ? a->targets != NULL || a->places > 0 || a->plot != NULL : (a->targets == NULL) == (a->places == 0))
		return cmd_usage(&command_visible, "give either RA DEC, or --targets FILE, or --night alone");
	if (a->ground != NULL && a->site != NULL)
		return cmd_usage(&command_visible, "--place is not a site of a facility: give one of --place and --site");
	a->limits.visit_s = a->visit_min * 60;
	return 0;
}

/* A place that is no facility's: LAT,LON or LAT,LON,ELEVATION. Returns an exit code. */
static int ground_read(const char *text, struct visibility_site *out)
{
	double v[3] = {NAN, NAN, 0};
	char *end = (char *)(size_t)text;
	int n = 0;
	do {
		const char *from = end + (n > 0);
		v[n] = strtod(from, &end);
		if (end == from)
			v[n] = NAN;
	} while (*end == ',' && ++n < 3);
	if (*end != '\0' || n == 0 || !(fabs(v[0]) <= 90 && fabs(v[1]) <= 360 && fabs(v[2]) < 10000))
		return cmd_usage(&command_visible, "--place wants LAT,LON[,METRES] in degrees, north and east positive, not \"%.40s\"", text);
	*out = (struct visibility_site){"here", "", {v[0], v[1], v[2]}, 0.0, 12.0, 1};
	text_copy(out->name, sizeof out->name, text);
	return 0;
}

static int visible_run(int argc, char **argv)
{
	struct arguments a = {.facility = "lco", .start_us = UTC_NONE, .hours = 24, .visit_min = 5, .limits = {2.0, -12.0, 30.0, 0.0}};
	struct visibility_site sites[VISIBILITY_SITES];
	struct place one = {.name = ""}, *list = &one;
	size_t count = 0, site_count = 0;
	struct err e = {0};
	int rc = arguments_read(&a, argc, argv);
	if (rc != 0)
		return rc;
	if (a.start_us == UTC_NONE)
		a.start_us = clock_wall_us();
	site_count = 1;
	if ((rc = a.ground ? ground_read(a.ground, sites) : cmd_sites_read(a.facility, a.site, sites, &site_count)) != 0)
		return rc;
	if (a.night)
		return visible_night(sites, site_count, a.start_us, a.dut1_s, a.json);
	if (a.targets == NULL) {
		if (place_read(a.place[0], a.places > 1 ? a.place[1] : NULL, &one.ra_deg, &one.dec_deg, &e) < 0)
			return err_print(&e);
		count = 1;
	} else if ((rc = cmd_targets_read(a.targets, &list, &count)) != 0) {
		return rc;
	}
	int64_t end_us = a.start_us + (int64_t)(a.hours * 3600e6);
	struct visibility_night *n = visibility_night_new(sites, site_count, a.start_us, end_us, &e);
	if (n != NULL && a.dut1_s != 0)
		visibility_night_ut1(n, a.start_us, a.dut1_s);
	rc = n ? show(&a, n, list, count, end_us) : err_print(&e);
	if (rc == 0 && a.plot != NULL)
		rc = plots(&a, n, list, count, end_us);
	visibility_night_free(n);
	if (list != &one)
		free(list);
	return rc;
}

const struct command command_visible = {
	.name = "visible",
	.args = "[options] RA DEC | --targets FILE | --night",
	.summary = "windows per site and night, with the reason where there is none",
	.help =
		"When can a position be observed, from where, and if not, why not: for every site the windows in which airmass, Sun and\n"
		"Moon allow it and the telescope reaches it (its horizon and hour angle limits).\n"
		"\n"
		"  RA DEC             ICRS, degrees (197.4488 -23.3839), or hours and degrees with colons (13:09:47.7 -23:23:02)\n"
		"  --targets FILE     what `slew rank --json` or `--csv` printed (- reads standard input): one line a window, or the reason\n"
		"  --night            no target: sunset, the twilights (Sun 6, 12 and 18 deg below), moonrise, moonset and how full the Moon is, for\n"
		"                     the night that goes on or comes next at --start; rising and setting: upper limb, 34' of refraction (-50')\n"
		"  --facility NAME    lco, or the path of your own descriptor\n"
		"  --site CODE        only this site of it (lsc, coj, cpt, tfn, elp, ogg)\n"
		"  --place LAT,LON[,M]  a place that is no facility's: degrees, north and east positive, metres above the sea\n"
		"  --start TIME       UTC, ISO 8601 (2017-08-17T18:00); --date is the same; now when not given\n"
		"  --hours H          how long from there (24)\n"
		"  --max-airmass X    2.0, secant of the zenith distance\n"
		"  --sun DEG          altitude below which the Sun must be (-12)\n"
		"  --min-moon DEG     distance from the Moon (30), also while it is below the horizon; 0: any\n"
		"  --visit MIN        shorter windows do not count (5)\n"
		"  --dut1 S           UT1 - UTC at the start in seconds (0); IERS Bulletin A has it\n"
		"  --plot FILE.html   also draw altitude against time for every site, up to 7 targets (SVG in one page)\n"
		"  --json             one object a target: name ra_deg dec_deg sites[{site, windows[{start_us, end_us, best_us,\n"
		"                     airmass_best …, moon_deg …}], reason, detail}]; times in microseconds since 1970 UTC\n"
		"\n"
		"Altitudes are geometric, within 1 arcsecond of ERFA's; times are as good as UT1: what --dut1 leaves out (0.9 s at most) is off. The\n"
		"horizon of a telescope is its lowest geometric altitude. The reasons, in the order in\n"
		"which they are asked: never_rises, daylight, moon, window_short, late.\n"
		"\n"
		"  slew visible 13:09:47.7 -23:23:02 --start 2017-08-17T18:00 --max-airmass 2.5\n"
		"  slew rank --json --catalog glade.fits alert.json | slew visible --targets - --hours 12\n",
	.run = visible_run,
};

/* How each trouble of the menu is drawn into a night: brokers, skies and facilities; see swarm_parts.h. */
#include "sim/swarm_parts.h"
#include "engine/base/utc.h"
#include <math.h>
#include <stddef.h>
#include <string.h>

/* ---- brokers and skies ---- */
static void more_revisions(struct draft *d, bool late)
{
	for (int i = 0; i < d->events; i++) {
		const struct draft_event *v = &d->event[i];
		for (int n = die(d, 3); n > 0; n--) {
			double at_s = v->at_s + 1 + fraction(d) * (d->until_s - v->at_s - 1), back_s = late ? 600 * fraction(d) : 0;
			const char *type = die(d, 2) ? "UPDATE" : "INITIAL", *map = die(d, 2) ? "-b" : "";
			draft_line(d, at_s, "alert %s %s map=%s%s late=%.0f", v->name, type, v->name, map, floor(back_s));
		}
	}
}

void trouble_revisions(struct draft *d) { more_revisions(d, false); }
void trouble_reordered(struct draft *d) { more_revisions(d, true); }

/* Its first lines are left out: what is heard first is a later revision. */
void trouble_skipped(struct draft *d)
{
	int i = die(d, d->events);
	const char *type = die(d, 2) ? "UPDATE" : "INITIAL";
	double at_s = d->event[i].at_s;
	for (int k = 0; k < d->lines; k++)
		if (strstr(d->line[k].text, d->event[i].name) != NULL && d->line[k].at_s <= at_s && strncmp(d->line[k].text, "alert", 5) == 0)
			d->line[k].text[0] = '#';
	draft_line(d, at_s, "alert %s %s", d->event[i].name, type);
}

void trouble_late(struct draft *d)
{
	for (int n = 1 + die(d, 2); n > 0; n--) {
		double at_s = when(d), late_h = 1.5 + 46 * fraction(d);
		draft_line(d, at_s, "alert %s UPDATE late=%.0f", any_event(d)->name, floor(late_h * 3600));
	}
}

void trouble_duplicates(struct draft *d)
{
	for (int i = 0; i < d->events; i++)
		for (int n = die(d, 4); n > 0; n--) {
			double at_s = d->event[i].at_s + 300 * fraction(d);
			draft_line(d, at_s, "alert %s PRELIMINARY again topic=%s", d->event[i].name, die(d, 2) ? "igwn.gwalert" : "gcn.again");
		}
}

void trouble_retraction(struct draft *d)
{
	const struct draft_event *v = any_event(d);
	double within_s = die(d, 2) ? 30 : 5000;
	draft_line(d, v->at_s + within_s * fraction(d), "alert %s RETRACTION", v->name);
}

void trouble_retraction_first(struct draft *d)
{
	const struct draft_event *v = any_event(d);
	draft_line(d, fmax(0, v->at_s - 1 - 60 * fraction(d)), "alert %s RETRACTION", v->name);
}

void trouble_false_alarm(struct draft *d)
{
	double at_s = when(d), after_s = 5 + 1200 * fraction(d);
	draft_line(d, at_s, "alert S261124z PRELIMINARY map=S261124a-noise far=1e-9");
	draft_line(d, at_s + after_s, "alert S261124z RETRACTION");
}

void trouble_downgrade(struct draft *d)
{
	const struct draft_event *v = any_event(d);
	double at_s = v->at_s + 2 + 3000 * fraction(d);
	draft_line(d, at_s, "alert %s UPDATE bns=0.05 terrestrial=0.95", v->name);
	if (die(d, 2))
		draft_line(d, at_s + 1500 * fraction(d), "alert %s UPDATE", v->name);
}

void trouble_moved(struct draft *d)
{
	for (int n = 1 + die(d, 2); n > 0; n--) {
		const struct draft_event *v = any_event(d);
		double at_s = v->at_s + 20 + 2400 * fraction(d);
		draft_line(d, at_s, "alert %s UPDATE map=%s-moved", v->name, v->name);
	}
}

void trouble_corrupt(struct draft *d)
{
	static const char *const bytes[] = {"{\"alert_type\": \"PRELIMINARY\"", "garbage", "{\"superevent_id\":\"S261124zz\",\"alert_type\":7}", "[]", "\\x01"};
	for (int n = 1 + die(d, 3); n > 0; n--) {
		double at_s = when(d);
		draft_line(d, at_s, "bytes %s", bytes[die(d, 5)]);
	}
}

void trouble_flipped(struct draft *d)
{
	for (int n = 1 + die(d, 4); n > 0; n--) {
		double at_s = sometime(d);
		int near = die(d, 2) ? 6000 : 400000, a = die(d, near), b = die(d, near); /* the words at the front, or anywhere in the map */
		draft_line(d, at_s, "alert %s UPDATE flip=%d,%d", any_event(d)->name, a, b);
	}
}

void trouble_rebalance(struct draft *d)
{
	double at_s = fmax(0, sometime(d) - 20);
	draft_line(d, at_s, "broker away");
	draft_line(d, at_s + 200 * fraction(d), "broker back");
}

void trouble_gap(struct draft *d)
{
	double at_s = when(d);
	draft_line(d, at_s, "broker away");
	draft_line(d, at_s + 1, "alert %s UPDATE", any_event(d)->name);
	draft_line(d, at_s + 30, "broker lost");
	draft_line(d, at_s + 31, "broker back");
}

void trouble_test_late(struct draft *d)
{
	const struct draft_event *v = any_event(d);
	draft_line(d, v->at_s + 900 * fraction(d), "alert %s UPDATE topic=igwn.gwalert-test", v->name);
}

/* ---- facilities ---- */
static void faults(struct draft *d, const char *what, const char *extra)
{
	static const char *const on[] = {"POST /api/requestgroups/", "POST /api/requestgroups/*", "GET /api/requestgroups/", "GET /api/*", "POST /api/requestgroups/",
		"GET /api/observations/", "GET /api/*", "POST /api/requestgroups/validate/"};
	for (int n = 2 + die(d, 4); n > 0; n--) {
		double at_s = die(d, 3) ? 0 : when(d);
		const char *facility = n > 2 ? any_facility(d) : d->facility[n % d->facilities], *path = on[die(d, 8)];
		int nth = 1 + die(d, 6), count = 1 + die(d, 3);
		draft_line(d, at_s, "portal %s faults {\"on\":\"%s\",\"nth\":%d,\"count\":%d,\"what\":\"%s\"%s}", facility, path, nth, count, what, extra);
	}
}

void trouble_drop_before(struct draft *d) { faults(d, "drop_before", ""); }
void trouble_drop_after(struct draft *d) { faults(d, "drop_after", ""); }
void trouble_refused(struct draft *d) { faults(d, "refused", ""); }
void trouble_unavailable(struct draft *d) { faults(d, "503", ""); }
void trouble_gateway(struct draft *d) { faults(d, "504_after", ""); }
void trouble_html500(struct draft *d) { faults(d, "html500", ""); }
void trouble_html200(struct draft *d) { faults(d, "html200", ""); }
void trouble_truncate(struct draft *d) { faults(d, "truncate", ""); }
void trouble_slow(struct draft *d) { faults(d, "slow", ",\"delay_s\":20"); }

void trouble_throttled(struct draft *d)
{
	static const char *const after[] = {",\"retry_after_s\":30", ",\"retry_after_s\":1000000000", ",\"retry_after_s\":-1", ",\"retry_after_s\":0"};
	faults(d, "429", after[die(d, 4)]);
}

static const struct {
	const char *facility, *site;
} sites[] = {{"lco", "coj"}, {"lco", "cpt"}, {"lco", "tfn"}, {"lco", "lsc"}, {"lco", "elp"}, {"south", "pac"}, {"south", "kar"}, {"survey", "nor"},
	{"survey", "pam"}};
#define SITES (sizeof sites / sizeof sites[0])

static void site_taken(struct draft *d, size_t i, const char *kind, const char *reason, double longest_s)
{
	double at_s = sometime(d), lasts_s = 300 + longest_s * fraction(d);
	int64_t from_us = d->start_us + (int64_t)at_s * UTC_SECOND, to_us = from_us + (int64_t)lasts_s * UTC_SECOND;
	draft_line(d, at_s, "portal %s %s {\"site\":\"%s\",\"from_us\":%lld,\"to_us\":%lld,\"reason\":\"%s\"}", sites[i].facility, kind, sites[i].site,
		(long long)from_us, (long long)to_us, reason);
}

void trouble_weather(struct draft *d)
{
	for (size_t i = 0; i < SITES; i++)
		if (has_facility(d, sites[i].facility) && die(d, 2))
			site_taken(d, i, "weather", "clouds", 7200);
}

void trouble_rapid(struct draft *d)
{
	for (size_t i = 0; i < SITES; i++)
		if (has_facility(d, sites[i].facility) && die(d, 2))
			site_taken(d, i, "rapid", "a rapid response of another proposal", 900);
}

void trouble_down(struct draft *d)
{
	static const char *const instrument[][2] = {{"lco", "1M0-SCICAM-SINISTRO"}, {"south", "4M0-WIDE"}, {"survey", "2M0-SURVEY"}};
	for (int i = 0; i < 3; i++) {
		double at_s = die(d, 2) ? 0 : when(d), lasts_s = 60 + 1800 * fraction(d);
		int64_t from_us = d->start_us + (int64_t)at_s * UTC_SECOND;
		if (has_facility(d, instrument[i][0]) && die(d, 2))
			draft_line(d, at_s, "portal %s down {\"instrument\":\"%s\",\"from_us\":%lld,\"to_us\":%lld}", instrument[i][0], instrument[i][1], (long long)from_us,
				(long long)(from_us + (int64_t)lasts_s * UTC_SECOND));
	}
}

void trouble_fails(struct draft *d)
{
	for (int i = 0; i < d->facilities; i++)
		draft_line(d, 0, "portal %s fail {\"name\":\"%s\",\"reason\":\"Weather: clouds\"}", d->facility[i], die(d, 3) ? "slew-" : "SIM 1");
}

void trouble_done_after_cancel(struct draft *d)
{
	for (int i = 0; i < d->facilities; i++)
		draft_line(d, 0, "portal %s late_cancel {\"count\":%d}", d->facility[i], 1 + die(d, 3));
}

void trouble_invisible(struct draft *d)
{
	for (int i = 0; i < d->facilities; i++) { /* always less than the descriptor promises */
		int most = strcmp(d->facility[i], "south") == 0 ? 140 : strcmp(d->facility[i], "survey") == 0 ? 25 : 55;
		text_printf(d->out, "portal %s {\"visible_delay_s\":%d}\n", d->facility[i], 5 + die(d, most - 5));
	}
}

void trouble_renumber(struct draft *d)
{
	for (int i = 0; i < d->facilities; i++)
		if (i == 0 || die(d, 2))
			text_printf(d->out, "portal %s {\"renumber\":true}\n", d->facility[i]);
}

void trouble_wrong_clock(struct draft *d)
{
	const char *facility = any_facility(d);
	text_printf(d->out, "portal %s {\"server_offset_s\":%d}\n", facility, die(d, 240) - 120);
}

/* Swizzle: all are clogged, one after the other, and released in another order. */
void trouble_clog(struct draft *d)
{
	double at_s = soon(d), lasts_s = 20 + 300 * fraction(d);
	for (int i = 0; i < d->facilities; i++) {
		draft_line(d, at_s + 5 * fraction(d), "portal %s clog", d->facility[i]);
		draft_line(d, at_s + 5 + lasts_s * (0.5 + fraction(d)), "portal %s release", d->facility[i]);
	}
}

void trouble_latency(struct draft *d)
{
	double a = fraction(d), b = fraction(d);
	text_printf(d->out, "latency %.1f\n", 0.5 + 15 * a * b);
}

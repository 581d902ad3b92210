/* The generator of random nights and their shrinking: see swarm.h. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* vasprintf */
#endif
#include "sim/swarm.h"
#include "engine/base/utc.h"
#include "sim/random.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DRAFT_LINES 400
#define DRAFT_EVENTS 8
#define PLACES 400
#define NAMES 12 /* names of events: few, so that their maps are made once */

struct line {
	double at_s;
	char *text;
};
struct draft_event {
	char name[16];
	double at_s;      /* its first alert */
	bool low, test;
};
struct draft {
	struct rng place[PLACES];
	struct text *out;   /* settings go there at once */
	struct line line[DRAFT_LINES];
	int lines;
	struct draft_event event[DRAFT_EVENTS];
	int events;
	double until_s;     /* troubles end here */
	int64_t start_us;
	bool on[64];
	const char *facility[3];
	int facilities;
};
/* In which order the arguments of a call are evaluated is the compiler's choice: each place of this file that draws has a stream of its
 * own, so that any order gives the same night. */
#define rng place[__COUNTER__]

static void put(struct draft *d, double at_s, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void put(struct draft *d, double at_s, const char *format, ...)
{
	char *text = NULL;
	va_list ap;
	va_start(ap, format);
	if (d->lines < DRAFT_LINES && vasprintf(&text, format, ap) >= 0)
		d->line[d->lines++] = (struct line){floor(at_s * 1000) / 1000, text};
	va_end(ap);
}

static double when(struct draft *d)
{
	return rng_between(&d->rng, 1, d->until_s);
}

/* Soon after something interesting: an alert of one of the events; the calls go on then. */
static double soon(struct draft *d)
{
	const struct draft_event *v = &d->event[rng_below(&d->rng, d->events)];
	return v->at_s + 20 * rng_exponential(&d->rng) * rng_uniform(&d->rng);
}

static double sometime(struct draft *d)
{
	return rng_below(&d->rng, 2) ? soon(d) : when(d);
}

static const char *any_place(struct draft *d)
{
	return d->facility[rng_below(&d->rng, d->facilities)];
}

static const char *any_event(struct draft *d)
{
	return d->event[rng_below(&d->rng, d->events)].name;
}

static bool has_place(const struct draft *d, const char *name)
{
	for (int i = 0; i < d->facilities; i++)
		if (strcmp(d->facility[i], name) == 0)
			return true;
	return false;
}

/* Two or three facilities: lco, and one that cannot cancel or another portal or both. */
static void places_draw(struct draft *d)
{
	int which = 1 + rng_below(&d->rng, 3);
	d->facility[d->facilities++] = "lco";
	if (which & 1)
		d->facility[d->facilities++] = "south";
	if (which & 2)
		d->facility[d->facilities++] = "survey";
	for (int i = 1; i < d->facilities; i++)
		text_printf(d->out, "facility %s\n", d->facility[i]);
}

/* ---- the menu ---- */
static void revisions(struct draft *d, bool late)
{
	for (int i = 0; i < d->events; i++) {
		const struct draft_event *v = &d->event[i];
		for (int n = rng_below(&d->rng, 3); n > 0; n--) {
			double at_s = rng_between(&d->rng, v->at_s + 1, d->until_s), back_s = late ? rng_between(&d->rng, 0, 600) : 0;
			put(d, at_s, "alert %s %s map=%s%s late=%.0f", v->name, rng_below(&d->rng, 2) ? "UPDATE" : "INITIAL", v->name,
				rng_below(&d->rng, 2) ? "-b" : "", floor(back_s));
		}
	}
}

static void menu_revisions(struct draft *d)
{
	revisions(d, false);
}

static void menu_reordered(struct draft *d)
{
	revisions(d, true);
}

static void menu_duplicates(struct draft *d)
{
	for (int i = 0; i < d->events; i++)
		for (int n = rng_below(&d->rng, 4); n > 0; n--)
			put(d, d->event[i].at_s + 300 * rng_uniform(&d->rng), "alert %s PRELIMINARY again topic=%s", d->event[i].name,
				rng_below(&d->rng, 2) ? "igwn.gwalert" : "gcn.again");
}

static void menu_retraction(struct draft *d)
{
	int i = rng_below(&d->rng, d->events);
	put(d, d->event[i].at_s + (rng_below(&d->rng, 2) ? 30 : 5000) * rng_uniform(&d->rng), "alert %s RETRACTION", d->event[i].name);
}

static void menu_retraction_first(struct draft *d)
{
	int i = rng_below(&d->rng, d->events);
	put(d, fmax(0, d->event[i].at_s - 1 - 60 * rng_uniform(&d->rng)), "alert %s RETRACTION", d->event[i].name);
}

static void menu_downgrade(struct draft *d)
{
	int i = rng_below(&d->rng, d->events);
	double at_s = d->event[i].at_s + 2 + 3000 * rng_uniform(&d->rng);
	put(d, at_s, "alert %s UPDATE bns=0.05 terrestrial=0.95", d->event[i].name);
	if (rng_below(&d->rng, 2))
		put(d, at_s + 1500 * rng_uniform(&d->rng), "alert %s UPDATE", d->event[i].name);
}

static void menu_corrupt(struct draft *d)
{
	static const char *const bytes[] = {"{\"alert_type\": \"PRELIMINARY\"", "garbage", "{\"superevent_id\":\"S261124zz\",\"alert_type\":7}", "[]", "\\x01"};
	for (int n = 1 + rng_below(&d->rng, 3); n > 0; n--)
		put(d, when(d), "bytes %s", bytes[rng_below(&d->rng, 5)]);
}

static void menu_veto(struct draft *d)
{
	double at_s = sometime(d);
	const char *event = any_event(d);
	put(d, at_s, "order try {\"verb\":\"veto\",\"event\":\"%s\"}", event);
	if (rng_below(&d->rng, 2))
		put(d, at_s + 1000 * rng_uniform(&d->rng), "order try {\"verb\":\"release\",\"event\":\"%s\"}", event);
}

static void menu_veto_target(struct draft *d)
{
	for (int n = 1 + rng_below(&d->rng, 4); n > 0; n--) {
		double at_s = sometime(d);
		const char *event = any_event(d);
		int rank = 1 + rng_below(&d->rng, 5);
		put(d, at_s, "order try {\"verb\":\"veto\",\"event\":\"%s\",\"what\":\"#%d\"}", event, rank);
		if (rng_below(&d->rng, 2))
			put(d, at_s + 600 * rng_uniform(&d->rng), "order try {\"verb\":\"release\",\"event\":\"%s\",\"what\":\"#%d\"}", event, rank);
	}
}

static void menu_hold(struct draft *d)
{
	double at_s = sometime(d);
	const char *held = rng_below(&d->rng, 3) ? rng_below(&d->rng, 2) ? "all" : any_place(d) : any_event(d);
	put(d, at_s, "order try {\"verb\":\"hold\",\"what\":\"%s\"}", held);
	if (rng_below(&d->rng, 4))
		put(d, at_s + 2000 * rng_uniform(&d->rng), "order try {\"verb\":\"resume\",\"what\":\"%s\"}", held);
}

static void menu_cancel(struct draft *d)
{
	for (int n = 1 + rng_below(&d->rng, 5); n > 0; n--)
		put(d, sometime(d), "order try {\"verb\":\"cancel\",\"request\":%d}", 1 + rng_below(&d->rng, 20));
}

static void menu_storm(struct draft *d)
{
	static const char *const verbs[] = {"approve", "pin", "boost", "veto", "release", "cancel", "approve"};
	double at_s = sometime(d);
	for (int n = 15; n > 0; n--)
		put(d, at_s + 3 * rng_uniform(&d->rng), "order try {\"verb\":\"%s\",\"event\":\"%s\",\"target\":\"#%d\",\"request\":%d}", verbs[rng_below(&d->rng, 7)],
			any_event(d), 1 + rng_below(&d->rng, 6), 1 + rng_below(&d->rng, 15));
}

static void menu_approval(struct draft *d)
{
	text_puts(d->out, "policy {\"approval\":{\"mode\":\"operator\",\"unanswered_min\":5}}\n");
	for (int i = 0; i < d->events; i++)
		if (rng_below(&d->rng, 4))
			put(d, d->event[i].at_s + 900 * rng_uniform(&d->rng), "order try {\"verb\":\"approve\",\"event\":\"%s\"}", d->event[i].name);
}

static void menu_faults(struct draft *d, const char *what, const char *extra)
{
	static const char *const on[] = {"POST /api/requestgroups/", "POST /api/requestgroups/*", "GET /api/requestgroups/", "GET /api/*", "POST /api/requestgroups/",
		"GET /api/observations/", "GET /frames/*", "GET /api/telescope_states/"};
	for (int n = 1 + rng_below(&d->rng, 4); n > 0; n--)
		put(d, rng_below(&d->rng, 3) ? 0 : when(d), "portal %s faults {\"on\":\"%s\",\"nth\":%d,\"count\":%d,\"what\":\"%s\"%s}", any_place(d),
			on[rng_below(&d->rng, 8)], 1 + rng_below(&d->rng, 6), 1 + rng_below(&d->rng, 3), what, extra);
}

static void menu_drop_before(struct draft *d) { menu_faults(d, "drop_before", ""); }
static void menu_drop_after(struct draft *d) { menu_faults(d, "drop_after", ""); }
static void menu_refused(struct draft *d) { menu_faults(d, "refused", ""); }
static void menu_503(struct draft *d) { menu_faults(d, "503", ""); }
static void menu_504_after(struct draft *d) { menu_faults(d, "504_after", ""); }
static void menu_html500(struct draft *d) { menu_faults(d, "html500", ""); }
static void menu_html200(struct draft *d) { menu_faults(d, "html200", ""); }
static void menu_truncate(struct draft *d) { menu_faults(d, "truncate", ""); }
static void menu_slow(struct draft *d) { menu_faults(d, "slow", ",\"delay_s\":20"); }
static void menu_429(struct draft *d) { menu_faults(d, "429", rng_below(&d->rng, 2) ? ",\"retry_after_s\":30" : ",\"retry_after_s\":1000000000"); }

static void menu_weather(struct draft *d)
{
	static const struct {
		const char *place, *site;
	} sites[] = {{"lco", "coj"}, {"lco", "cpt"}, {"lco", "tfn"}, {"lco", "lsc"}, {"lco", "elp"}, {"south", "pac"}, {"south", "kar"},
		{"survey", "nor"}, {"survey", "pam"}};
	for (size_t i = 0; i < sizeof sites / sizeof sites[0]; i++)
		if (rng_below(&d->rng, 2) && has_place(d, sites[i].place)) {
			double at_s = when(d);
			int64_t from_us = d->start_us + (int64_t)at_s * UTC_SECOND;
			put(d, at_s, "portal %s weather {\"site\":\"%s\",\"from_us\":%lld,\"to_us\":%lld,\"reason\":\"clouds\"}", sites[i].place, sites[i].site, (long long)from_us,
				(long long)(from_us + (600 + rng_below(&d->rng, 7200)) * UTC_SECOND));
		}
}

static void menu_fails(struct draft *d)
{
	put(d, 0, "portal %s fail {\"name\":\"%s\",\"reason\":\"Weather: clouds\"}", any_place(d), rng_below(&d->rng, 2) ? "slew-" : "SIM 1");
}

static void menu_invisible(struct draft *d)
{
	for (int i = 0; i < d->facilities; i++) { /* always less than the descriptor promises */
		int most = strcmp(d->facility[i], "south") == 0 ? 140 : strcmp(d->facility[i], "survey") == 0 ? 25 : 55;
		text_printf(d->out, "portal %s {\"visible_delay_s\":%d}\n", d->facility[i], 5 + rng_below(&d->rng, most - 5));
	}
}

static void menu_renumber(struct draft *d)
{
	text_printf(d->out, "portal %s {\"renumber\":true}\n", any_place(d));
}

static void menu_wrong_clock(struct draft *d)
{
	text_printf(d->out, "portal %s {\"server_offset_s\":%d}\n", any_place(d), rng_below(&d->rng, 240) - 120);
}

static void menu_crash(struct draft *d)
{
	for (int n = 1 + rng_below(&d->rng, 6); n > 0; n--)
		put(d, sometime(d), "crash %.3f%s", rng_below(&d->rng, 3) ? 5 * rng_uniform(&d->rng) : 400 * rng_uniform(&d->rng), rng_below(&d->rng, 2) ? " lost" : "");
}

/* In the middle of a turn: between what was decided and its commit, or between the commit and what it hands over. */
static void menu_die(struct draft *d)
{
	for (int n = 1 + rng_below(&d->rng, 4); n > 0; n--) {
		double at_s = d->event[rng_below(&d->rng, d->events)].at_s + (rng_below(&d->rng, 2) ? 0 : 10 * rng_uniform(&d->rng)) - 0.01;
		bool asks = rng_below(&d->rng, 2);
		put(d, fmax(0, at_s), "crash %.3f%s in %d%s%s", 60 * rng_uniform(&d->rng) * rng_uniform(&d->rng), rng_below(&d->rng, 2) ? " lost" : "",
			1 + rng_below(&d->rng, asks ? 4 : rng_below(&d->rng, 3) ? 40 : 3), asks ? " asks" : "", rng_below(&d->rng, 3) ? "" : " after");
	}
}

static void menu_clock(struct draft *d)
{
	for (int n = 1 + rng_below(&d->rng, 3); n > 0; n--)
		put(d, sometime(d), "clock %d", (1 + rng_below(&d->rng, 3600)) * (rng_below(&d->rng, 2) ? 1 : -1));
}

static void menu_poor(struct draft *d)
{
	text_printf(d->out, "policy {\"budget_h\":{\"event\":%.1f,\"night\":%.1f}}\n", 0.3 + rng_uniform(&d->rng), 0.3 + 2 * rng_uniform(&d->rng));
}

static void menu_poor_programme(struct draft *d)
{
	text_printf(d->out, "programme %s {\"hours\":{\"NORMAL\":%.2f,\"TIME_CRITICAL\":%.2f,\"RAPID_RESPONSE\":%.2f},\"triggers\":%d}\n", any_place(d), 2 * rng_uniform(&d->rng), rng_uniform(&d->rng), rng_uniform(&d->rng),
		1 + rng_below(&d->rng, 3));
}

static void menu_latency(struct draft *d)
{
	text_printf(d->out, "latency %.1f\n", 0.5 + 15 * rng_uniform(&d->rng) * rng_uniform(&d->rng));
}

static void menu_compute(struct draft *d)
{
	text_printf(d->out, "compute %.1f\n", 0.5 + 20 * rng_uniform(&d->rng) * rng_uniform(&d->rng));
}

static void menu_amend(struct draft *d)
{
	static const char *const facts[] = {"p_bns", "has_remnant", "area90_deg2", "significant"};
	for (int n = 1 + rng_below(&d->rng, 3); n > 0; n--)
		put(d, sometime(d), "order try {\"verb\":\"amend\",\"event\":\"%s\",\"fact\":\"%s\",\"value\":%d,\"source\":\"circular\"}", any_event(d),
			facts[rng_below(&d->rng, 4)], rng_below(&d->rng, 2));
}

static void menu_answer(struct draft *d)
{
	for (int n = 1 + rng_below(&d->rng, 3); n > 0; n--)
		put(d, sometime(d), "order try {\"verb\":\"%s\",\"request\":%d}", rng_below(&d->rng, 2) ? "accepted" : "declined", 1 + rng_below(&d->rng, 15));
}

static void menu_test_late(struct draft *d)
{
	const struct draft_event *v = &d->event[rng_below(&d->rng, d->events)];
	put(d, v->at_s + 900 * rng_uniform(&d->rng), "alert %s UPDATE topic=igwn.gwalert-test", v->name);
}

static void menu_reload(struct draft *d)
{
	static const char *const patches[] = {"policy {\"when\":\"p_bns > 2\"}", "policy {\"targets\":{\"top\":3}}", "policy {\"offer_wait_s\":1}",
		"policy {\"when\":\"p_bns > 0.5\"}", "policy {\"budget_h\":{\"event\":0.5}}", "config {\"programmes\":[]}", "policy {\"approval\":{\"mode\":\"operator\"}}"};
	for (int n = 1 + rng_below(&d->rng, 2); n > 0; n--)
		put(d, sometime(d), "%s", patches[rng_below(&d->rng, 7)]);
}

static void menu_replan(struct draft *d)
{
	text_puts(d->out, "policy {\"replan\":\"cancel\"}\n");
}

static const struct {
	const char *name;
	void (*draw)(struct draft *d);
} menu[] = {
	{"revisions", menu_revisions}, {"reordered", menu_reordered}, {"duplicates", menu_duplicates}, {"retraction", menu_retraction},
	{"retraction-first", menu_retraction_first}, {"downgrade", menu_downgrade}, {"corrupt", menu_corrupt}, {"veto", menu_veto},
	{"veto-target", menu_veto_target}, {"hold", menu_hold}, {"cancel", menu_cancel}, {"storm", menu_storm}, {"approval", menu_approval},
	{"drop-before", menu_drop_before}, {"drop-after", menu_drop_after}, {"refused", menu_refused}, {"503", menu_503}, {"504-after", menu_504_after},
	{"html500", menu_html500}, {"html200", menu_html200}, {"truncate", menu_truncate}, {"slow", menu_slow}, {"429", menu_429},
	{"weather", menu_weather}, {"fails", menu_fails}, {"invisible", menu_invisible}, {"renumber", menu_renumber},
	{"wrong-clock", menu_wrong_clock}, {"crash", menu_crash}, {"clock", menu_clock}, {"poor", menu_poor}, {"poor-programme", menu_poor_programme}, {"replan", menu_replan}, {"latency", menu_latency}, {"amend", menu_amend}, {"answer", menu_answer}, {"test-late", menu_test_late},
	{"reload", menu_reload}, {"die", menu_die}, {"compute", menu_compute},
};
#define MENU (sizeof menu / sizeof menu[0])

/* ---- a night ---- */
static void events_draw(struct draft *d)
{
	d->events = 3 + rng_below(&d->rng, 2);
	int first = rng_below(&d->rng, NAMES);
	for (int i = 0; i < d->events; i++) {
		struct draft_event *v = &d->event[i];
		int kind = i == 0 ? 0 : rng_below(&d->rng, 10);
		v->at_s = i == 0 ? 1 + 60 * rng_uniform(&d->rng) : rng_between(&d->rng, 1, d->until_s / 2);
		v->test = kind == 9;
		v->low = kind == 8;
		snprintf(v->name, sizeof v->name, "%s261124%c", v->test ? "MS" : "S", 'a' + (first + i) % NAMES);
		const char *facts = v->low ? " significant=0 far=1e-6" : kind == 7 ? " bns=0.02 terrestrial=0.98" : "";
		if (kind == 6)
			put(d, fmax(0, v->at_s - 30), "alert %s EARLYWARNING map=none", v->name);
		put(d, v->at_s, "alert %s PRELIMINARY%s", v->name, facts);
	}
}

static void night_ends(struct draft *d)
{
	double at_s = d->until_s + 1;
	bool whole = rng_below(&d->rng, 12) == 0; /* some nights run to their natural end */
	put(d, at_s, "calm");
	for (int i = 0; i < d->events && !whole; i++)
		put(d, at_s + 60, rng_below(&d->rng, 2) ? "alert %s RETRACTION" : "order try {\"verb\":\"veto\",\"event\":\"%s\"}", d->event[i].name);
	put(d, at_s + 120, "settle %d", whole ? 28 : 6);
}

static int line_order(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	return (x->at_s > y->at_s) - (x->at_s < y->at_s);
}

static void lines_write(struct draft *d)
{
	for (int i = 1; i < d->lines; i++) /* stable, and few */
		for (int k = i; k > 0 && line_order(&d->line[k - 1], &d->line[k]) > 0; k--) {
			struct line swap = d->line[k];
			d->line[k] = d->line[k - 1];
			d->line[k - 1] = swap;
		}
	for (int i = 0; i < d->lines; i++) {
		int64_t ms = llround(d->line[i].at_s * 1000);
		text_printf(d->out, "%02d:%02d:%02d.%03d %s\n", (int)(ms / 3600000), (int)(ms / 60000 % 60), (int)(ms / 1000 % 60), (int)(ms % 1000), d->line[i].text);
		free(d->line[i].text);
	}
}

void sim_swarm_text(uint64_t seed, struct text *out)
{
	struct draft *d = calloc(1, sizeof *d);
	char stamp[32];
	if (d == NULL) {
		out->failed = true;
		return;
	}
	d->out = out;
	for (uint64_t i = 0; i < PLACES; i++)
		rng_seed(&d->place[i], seed * PLACES + i, "swarm");
	d->start_us = INT64_C(1795478400000000) + rng_below(&d->rng, 24) * UTC_HOUR;
	d->until_s = rng_between(&d->rng, 900, 5400);
	text_printf(out, "# night of seed %llu:", (unsigned long long)seed);
	for (size_t i = 0; i < MENU; i++) {
		d->on[i] = rng_below(&d->rng, 2);
		if (d->on[i])
			text_printf(out, " %s", menu[i].name);
	}
	text_printf(out, "\nseed %d\nstart %s\n", SWARM_UNIVERSE, utc_format_s(stamp, d->start_us));
	text_puts(out, "policy {\"targets\":{\"top\":8},\"observe\":[{\"epoch\":1,\"after_h\":0,\"filters\":[\"gp\"],\"exposure_s\":120,\"max_airmass\":2.5},"
		"{\"epoch\":2,\"after_h\":1,\"filters\":[\"gp\"],\"exposure_s\":120,\"max_airmass\":2.5}]}\n");
	places_draw(d);
	text_puts(out, "portal {\"descriptor\":{\"poll_s\":{\"active\":150,\"idle\":900},\"max_window_h\":6}}\n");
	events_draw(d);
	for (size_t i = 0; i < MENU; i++)
		if (d->on[i])
			menu[i].draw(d);
	night_ends(d);
	lines_write(d);
	free(d);
}

_Static_assert(__COUNTER__ < PLACES, "more places draw than there are streams");

int sim_swarm_warm(struct sim_stage *stage, struct err *e)
{
	char name[16], stream[20];
	const struct text *fits;
	for (int i = 0; i < NAMES; i++) {
		snprintf(name, sizeof name, "S261124%c", 'a' + i);
		snprintf(stream, sizeof stream, "%s-b", name);
		if (sim_stage_map(stage, name, name, &fits, e) < 0 || sim_stage_map(stage, name, stream, &fits, e) < 0)
			return -1;
		snprintf(name, sizeof name, "MS261124%c", 'a' + i); /* a test's */
		if (sim_stage_map(stage, name, name, &fits, e) < 0)
			return -1;
	}
	return 0;
}

/* ---- shrinking ---- */
#define SHRINK_LINES 600

static void join(char **lines, const bool *gone, size_t count, struct text *out)
{
	text_reset(out);
	for (size_t i = 0; i < count; i++)
		if (!gone[i])
			text_printf(out, "%s\n", lines[i]);
}

void sim_swarm_shrink(const char *text, int tries, sim_swarm_breaks *breaks, void *ctx, struct text *out)
{
	char *copy = strdup(text), *lines[SHRINK_LINES], *rest = copy;
	bool gone[SHRINK_LINES] = {false}, before[SHRINK_LINES];
	size_t count = 0;
	for (char *line; copy != NULL && count < SHRINK_LINES && (line = strsep(&rest, "\n")) != NULL;)
		if (*line)
			lines[count++] = line;
	for (size_t block = count / 2; block >= 1 && tries > 0;) {
		bool cut = false;
		for (size_t at = 0; at < count && tries > 0; at += block) {
			size_t end = at + block < count ? at + block : count, left = 0;
			for (size_t i = at; i < end; i++)
				left += !gone[i];
			if (left == 0)
				continue;
			memcpy(before, gone, sizeof gone);
			memset(gone + at, 1, end - at);
			join(lines, gone, count, out);
			tries--;
			if (breaks(ctx, out->data ? out->data : ""))
				cut = true;
			else
				memcpy(gone, before, sizeof gone);
		}
		if (block > 1)
			block /= 2;
		else if (!cut)
			break;
	}
	join(lines, gone, count, out);
	free(copy);
}

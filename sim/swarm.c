/* Random nights: see swarm.h. The troubles are in swarm_menu.c. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* vasprintf */
#endif
#include "sim/swarm_parts.h"
#include "engine/base/json.h"
#include "engine/base/query.h"
#include "engine/base/utc.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMES 12 /* names of events: few, so that their maps are made once */

/* ---- drawing ---- */
int die(struct draft *d, int n)
{
	return rng_below(&d->rng, n);
}

double fraction(struct draft *d)
{
	return rng_uniform(&d->rng);
}

void draft_line(struct draft *d, double at_s, const char *format, ...)
{
	char *text = NULL;
	va_list ap;
	va_start(ap, format);
	if (!d->ending && at_s > d->until_s) /* nothing comes after the quiet time has begun */
		at_s = d->until_s;
	if (d->lines < DRAFT_LINES && vasprintf(&text, format, ap) >= 0)
		d->line[d->lines++] = (struct line){floor(at_s * 1000) / 1000, text};
	va_end(ap);
}

void draft_disk(struct draft *d)
{
	if (!d->disk)
		text_puts(d->out, "disk\n");
	d->disk = true;
}

double when(struct draft *d)
{
	return 1 + (d->until_s - 1) * fraction(d);
}

double soon(struct draft *d)
{
	const struct draft_event *v = any_event(d);
	double late_s = 20 * rng_exponential(&d->rng);
	return v->at_s + late_s * fraction(d);
}

double sometime(struct draft *d)
{
	return die(d, 2) ? soon(d) : when(d);
}

const struct draft_event *any_event(struct draft *d)
{
	return &d->event[die(d, d->events)];
}

const char *any_facility(struct draft *d)
{
	return d->facility[die(d, d->facilities)];
}

bool has_facility(const struct draft *d, const char *name)
{
	for (int i = 0; i < d->facilities; i++)
		if (strcmp(d->facility[i], name) == 0)
			return true;
	return false;
}

/* ---- the menu ---- */
size_t sim_swarm_menu(size_t i, struct sim_trouble *out)
{
	if (i < swarm_menu_count)
		*out = swarm_menu[i].told;
	return swarm_menu_count;
}

bool sim_swarm_has(uint64_t seed, size_t i)
{
	struct rng r;
	rng_seed(&r, seed, "menu");
	for (size_t k = 0; k < i; k++)
		rng_uniform(&r);
	return rng_uniform(&r) < swarm_menu[i].told.chance;
}

static int64_t fired_at_portals(const char *what, const struct sim_host_place *place, size_t places)
{
	int64_t n = 0;
	for (size_t i = 0; i < places; i++) {
		json_t *ledger = sim_portal_ledger(place[i].portal);
		n += json_int(json_object_get(ledger, "fired"), what, 0);
		json_decref(ledger);
	}
	return n;
}

int64_t sim_swarm_acted(size_t i, sqlite3 *db, const struct sim_host_place *place, size_t places, const struct sim_night_report *report)
{
	const char *by = swarm_menu[i].told.seen_by;
	struct err e = {0};
	int64_t n = 0;
	if (strncmp(by, "SELECT", 6) == 0)
		return query_int(db, &n, &e, by, "") < 0 ? -1 : n;
	if (strncmp(by, "portal:", 7) == 0)
		return fired_at_portals(by + 7, place, places);
	if (strcmp(by, "host:crashes") == 0)
		return report->counts.crashes - report->counts.stops;
	if (strcmp(by, "host:stops") == 0)
		return report->counts.stops;
	if (strcmp(by, "host:fulls") == 0)
		return report->counts.fulls;
	if (strcmp(by, "broker:flipped") == 0)
		return report->flipped;
	return strcmp(by, "broker:rebalances") == 0 ? report->rebalances : 1; /* always: a setting of the whole night, which nothing can pass by; it is not looked for */
}

/* ---- a night ---- */
/* Two or three facilities: lco, and one that cannot cancel or another portal or both. */
static void facilities_draw(struct draft *d)
{
	int which = 1 + die(d, 3);
	d->facility[d->facilities++] = "lco";
	if (which & 1)
		d->facility[d->facilities++] = "south";
	if (which & 2)
		d->facility[d->facilities++] = "survey";
	for (int i = 1; i < d->facilities; i++)
		text_printf(d->out, "facility %s\n", d->facility[i]);
}

static void events_draw(struct draft *d)
{
	d->events = 3 + die(d, 2);
	int first = die(d, NAMES);
	for (int i = 0; i < d->events; i++) {
		struct draft_event *v = &d->event[i];
		int kind = i == 0 ? 0 : die(d, 10);
		double at = fraction(d);
		v->at_s = i == 0 ? 1 + 60 * at : 1 + at * d->until_s / 2;
		v->test = kind == 9;
		v->low = kind == 8;
		snprintf(v->name, sizeof v->name, "%s261124%c", v->test ? "MS" : "S", 'a' + (first + i) % NAMES);
		const char *facts = v->low ? " significant=0 far=1e-6" : kind == 7 ? " bns=0.02 terrestrial=0.98" : "";
		if (kind == 6)
			draft_line(d, fmax(0, v->at_s - 30), "alert %s EARLYWARNING map=none", v->name);
		draft_line(d, v->at_s, "alert %s PRELIMINARY%s", v->name, facts);
	}
}

static void night_ends(struct draft *d)
{
	double at_s = d->until_s + 1;
	d->ending = true;
	bool whole = die(d, 20) == 0; /* some nights run to their natural end */
	draft_line(d, at_s, "calm");
	draft_line(d, at_s, "broker back");
	for (int i = 0; i < d->events && !whole; i++)
		draft_line(d, at_s + 60, die(d, 2) ? "alert %s RETRACTION" : "order try {\"verb\":\"veto\",\"event\":\"%s\"}", d->event[i].name);
	draft_line(d, at_s + 120, "settle %d", whole ? 28 : 6);
}

static void lines_write(struct draft *d)
{
	for (int i = 1; i < d->lines; i++) /* stable, and few */
		for (int k = i; k > 0 && d->line[k - 1].at_s > d->line[k].at_s; k--) {
			struct line swap = d->line[k];
			d->line[k] = d->line[k - 1];
			d->line[k - 1] = swap;
		}
	for (int i = 0; i < d->lines; i++) {
		double at_s = d->line[i].at_s;
		int h = (int)(at_s / 3600), m = (int)(at_s / 60) % 60;
		if (d->line[i].text[0] != '#')
			text_printf(d->out, "%02d:%02d:%06.3f %s\n", h, m, at_s - 3600 * h - 60 * m, d->line[i].text);
		free(d->line[i].text);
	}
}

static void night_draw(struct draft *d, uint64_t seed)
{
	char stamp[32];
	rng_seed(&d->rng, seed, "night");
	d->start_us = INT64_C(1795478400000000) + die(d, 24) * UTC_HOUR;
	d->until_s = 900 + 4500 * fraction(d);
	text_printf(d->out, "# night of seed %llu:", (unsigned long long)seed);
	for (size_t i = 0; i < swarm_menu_count; i++)
		if (sim_swarm_has(seed, i))
			text_printf(d->out, " %s", swarm_menu[i].told.name);
	text_printf(d->out, "\nseed %d\nstart %s\n", SWARM_UNIVERSE, utc_format_s(stamp, d->start_us));
	text_puts(d->out, "policy {\"targets\":{\"top\":6},\"observe\":[{\"epoch\":1,\"after_h\":0,\"filters\":[\"gp\"],\"exposure_s\":120,\"max_airmass\":2.5},"
		"{\"epoch\":2,\"after_h\":1,\"filters\":[\"gp\"],\"exposure_s\":120,\"max_airmass\":2.5}]}\n");
	facilities_draw(d);
	text_puts(d->out, "portal {\"descriptor\":{\"poll_s\":{\"active\":210,\"idle\":1200},\"max_window_h\":6}}\n");
	events_draw(d);
	for (size_t i = 0; i < swarm_menu_count; i++)
		if (sim_swarm_has(seed, i)) {
			rng_seed(&d->rng, seed, swarm_menu[i].told.name);
			swarm_menu[i].draw(d);
		}
	rng_seed(&d->rng, seed, "end");
	night_ends(d);
	lines_write(d);
}

void sim_swarm_text(uint64_t seed, struct text *out)
{
	struct draft *d = calloc(1, sizeof *d);
	if (d == NULL) {
		out->failed = true;
		return;
	}
	d->out = out;
	night_draw(d, seed);
	free(d);
}

int sim_swarm_warm(struct sim_stage *stage, struct err *e)
{
	static const char *const kinds[] = {"", "-b", "-moved"};
	char name[16], stream[24];
	const struct text *fits;
	for (int i = 0; i < NAMES * 3; i++) {
		snprintf(name, sizeof name, "S261124%c", 'a' + i / 3);
		snprintf(stream, sizeof stream, "%s%s", name, kinds[i % 3]);
		if (sim_stage_map(stage, name, stream, &fits, e) < 0)
			return -1;
	}
	return sim_stage_map(stage, "S261124z", "S261124a-noise", &fits, e);
}

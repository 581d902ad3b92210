/* The simulated portal: set-up, faults, tokens, replies; see portal.h. */
#include "sim/portal_parts.h"
#include "engine/base/json.h"
#include "engine/base/text.h"
#include <erfam.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char type_json[] = "application/json", type_html[] = "text/html; charset=utf-8";

void *portal_grow(void **list, size_t *count, size_t *cap, size_t size)
{
	if (*count == *cap) {
		size_t wanted = *cap == 0 ? 32 : *cap * 2;
		void *grown = realloc(*list, wanted * size);
		if (grown == NULL)
			return NULL;
		*list = grown;
		*cap = wanted;
	}
	void *element = (char *)*list + *count * size;
	memset(element, 0, size);
	++*count;
	return element;
}

/* splitmix64: the only chance there is. */
uint64_t portal_random(struct sim_portal *p)
{
	uint64_t z = (p->random += 0x9e3779b97f4a7c15u);
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* "doma.1m0a" → class "1m0". */
static void sites_read(struct sim_portal *p)
{
	const json_t *list = json_object_get(p->descriptor, "sites"), *site, *name;
	size_t i, k;
	json_array_foreach(list, i, site) {
		if (p->sites >= PORTAL_SITES)
			break;
		struct portal_site *s = &p->site[p->sites];
		text_copy(s->code, sizeof s->code, json_text(site, "code", ""));
		s->lat_rad = json_number(site, "latitude_deg", 0) * ERFA_DD2R;
		s->lon_rad = json_number(site, "longitude_deg", 0) * ERFA_DD2R;
		s->horizon_deg = json_number(site, "horizon_deg", 15);
		s->ha_limit_rad = json_number(site, "ha_limit_h", 12) * 15 * ERFA_DD2R;
		json_array_foreach(json_object_get(site, "telescopes"), k, name) {
			const char *text = json_is_string(name) ? json_string_value(name) : "", *dot = strrchr(text, '.');
			if (p->telescopes >= PORTAL_TELESCOPES)
				break;
			struct portal_telescope *t = &p->telescope[p->telescopes++];
			t->site = p->sites;
			text_copy(t->name, sizeof t->name, text);
			snprintf(t->class, sizeof t->class, "%.3s", dot != NULL ? dot + 1 : text);
		}
		p->sites++;
	}
}

struct sim_portal *sim_portal_new(const json_t *setup, uint64_t seed)
{
	struct sim_portal *p = calloc(1, sizeof *p);
	if (p == NULL)
		return NULL;
	p->setup = json_deep_copy(setup);
	p->descriptor = json_object_get(p->setup, "descriptor");
	p->fault_seen = json_array();
	p->fired = json_object();
	p->random = seed;
	p->now_us = p->cycle_next_us = UTC_NONE;
	p->cycle_us = json_int(setup, "cycle_s", 30) * UTC_SECOND;
	p->frame_delay_us = json_int(setup, "frame_delay_s", 20) * UTC_SECOND;
	p->reduce_delay_us = json_int(setup, "reduce_delay_s", 120) * UTC_SECOND;
	p->visible_delay_us = (int64_t)(json_number(setup, "visible_delay_s", 0) * 1e6);
	p->renumber = json_flag(setup, "renumber", false);
	p->offset_us = (int64_t)(json_number(setup, "server_offset_s", 0) * 1e6);
	p->numbers_from = json_int(setup, "numbers_from", 0);
	if (p->cycle_us < UTC_SECOND)
		p->cycle_us = UTC_SECOND;
	if (!json_is_object(p->descriptor) || p->fault_seen == NULL) {
		sim_portal_free(p);
		return NULL;
	}
	sites_read(p);
	return p;
}

void sim_portal_free(struct sim_portal *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < p->groups; i++) {
		json_decref(p->group[i].request);
		free(p->group[i].ask.visible);
	}
	free(p->group);
	free(p->observation);
	free(p->frame);
	json_decref(p->setup);
	json_decref(p->fault_seen);
	json_decref(p->fired);
	free(p);
}

void sim_reply_free(struct sim_reply *r)
{
	free(r->body);
	*r = (struct sim_reply){0};
}

int sim_portal_add(struct sim_portal *p, const char *kind, const json_t *element)
{
	if (strcmp(kind, "clog") == 0 || strcmp(kind, "release") == 0) {
		p->clogged = kind[0] == 'c';
		return 0;
	}
	if (strcmp(kind, "late_cancel") == 0) {
		p->late_cancels += json_int(element, "count", 1);
		return 0;
	}
	if (strcmp(kind, "rapid") == 0) {
		portal_interrupt(p, json_text(element, "site", ""), json_int(element, "from_us", 0));
		kind = "weather";
	}
	if (strcmp(kind, "faults") != 0 && strcmp(kind, "weather") != 0 && strcmp(kind, "fail") != 0 && strcmp(kind, "down") != 0)
		return -1;
	json_t *list = json_object_get(p->setup, kind);
	if (list == NULL) {
		list = json_array();
		json_object_set_new(p->setup, kind, list);
	}
	return json_array_append_new(list, json_deep_copy(element));
}

void sim_portal_calm(struct sim_portal *p)
{
	json_object_del(p->setup, "faults");
	p->clogged = false;
	p->late_cancels = 0;
	json_array_clear(p->fault_seen);
}

void portal_fired(struct sim_portal *p, const char *what)
{
	json_object_set_new(p->fired, what, json_integer(json_int(p->fired, what, 0) + 1));
}

/* "POST /api/requestgroups/" exactly, or up to a final '*'. */
static bool fault_meets(const char *on, const struct sim_call *in)
{
	char line[700];
	size_t len = strlen(on);
	snprintf(line, sizeof line, "%s %s", in->method, in->path);
	return len > 0 && on[len - 1] == '*' ? strncmp(line, on, len - 1) == 0 : strcmp(line, on) == 0;
}

/* The fault that is due for this call, or NULL. Every one that matches counts the call. */
static const json_t *fault_for(struct sim_portal *p, const struct sim_call *in)
{
	const json_t *list = json_object_get(p->setup, "faults"), *one, *due = NULL;
	size_t i;
	json_array_foreach(list, i, one) {
		while (json_array_size(p->fault_seen) <= i)
			json_array_append_new(p->fault_seen, json_integer(0));
		if (!fault_meets(json_text(one, "on", ""), in))
			continue;
		json_int_t seen = json_integer_value(json_array_get(p->fault_seen, i)) + 1;
		json_array_set_new(p->fault_seen, i, json_integer(seen));
		json_int_t nth = json_int(one, "nth", 1);
		if (due == NULL && seen >= nth && seen < nth + json_int(one, "count", 1))
			due = one;
	}
	return due;
}

static int html(struct sim_reply *out, int status, const char *title)
{
	char page[400];
	int len = snprintf(page, sizeof page, "\n<!doctype html>\n<html lang=\"en\">\n<head>\n  <title>%s (%d)</title>\n</head>\n<body>\n  <h1>%s (%d)</h1><p></p>\n</body>\n</html>\n",
			   title, status, title, status);
	free(out->body);
	out->status = status;
	out->content_type = type_html;
	out->body = strdup(page);
	out->len = out->body != NULL ? (size_t)len : 0;
	return out->body != NULL ? 0 : -1;
}

static int json_reply(struct sim_reply *out, json_t *answer)
{
	if (answer != NULL)
		out->body = json_canonical(answer);
	json_decref(answer);
	out->content_type = type_json;
	out->len = out->body != NULL ? strlen(out->body) : 0;
	return out->body != NULL ? 0 : -1;
}

/* Faults that do not act. 1: the reply is made; 0: go on; -1 no memory. */
static int fault_before(const json_t *fault, struct sim_reply *out)
{
	const char *what = json_text(fault, "what", "");
	out->delay_us = (int64_t)(json_number(fault, "delay_s", strcmp(what, "slow") == 0 ? 5 : 0) * 1e6);
	if (strcmp(what, "drop_before") == 0 || strcmp(what, "refused") == 0) {
		out->drop = what[0] == 'r' ? SIM_REFUSED : SIM_DROP_BEFORE;
		return html(out, 503, "dropped") < 0 ? -1 : 1;
	}
	if (strcmp(what, "503") == 0)
		return html(out, 503, "Service Unavailable") < 0 ? -1 : 1;
	if (strcmp(what, "html500") == 0)
		return html(out, 500, "Server Error") < 0 ? -1 : 1;
	if (strcmp(what, "html200") == 0)
		return html(out, 200, "Please log in") < 0 ? -1 : 1;
	if (strcmp(what, "429") == 0) {
		out->status = 429;
		out->retry_after_s = json_int(fault, "retry_after_s", 60);
		return json_reply(out, json_pack("{s:s}", "detail", "Request was throttled.")) < 0 ? -1 : 1;
	}
	return 0;
}

/* Faults that lose or spoil the answer of a call that acted. */
static int fault_after(const json_t *fault, struct sim_reply *out)
{
	const char *what = json_text(fault, "what", "");
	if (strcmp(what, "drop_after") == 0)
		out->drop = SIM_DROP_AFTER;
	else if (strcmp(what, "504_after") == 0)
		return html(out, 504, "Gateway Time-out");
	else if (strcmp(what, "truncate") == 0 && out->body != NULL)
		out->body[out->len /= 2] = '\0';
	return 0;
}

/* "Token abc" → the user's name; NULL: no credentials. *bad: credentials that are not valid. */
static const char *user_of(const struct sim_portal *p, const char *authorization, bool *bad)
{
	*bad = false;
	if (authorization == NULL || strncasecmp(authorization, "Token ", 6) != 0)
		return NULL;
	const char *user = json_text(json_object_get(p->setup, "tokens"), authorization + 6, NULL);
	*bad = user == NULL;
	return user;
}

int sim_portal_call(struct sim_portal *p, int64_t now_us, const struct sim_call *in, struct sim_reply *out)
{
	bool bad, archive = strncmp(in->path, "/frames/", 8) == 0;
	*out = (struct sim_reply){.retry_after_s = -1, .content_type = type_json};
	sim_portal_advance(p, now_us);
	p->calls++;
	if (p->clogged) { /* nothing gets through, and nobody is told */
		portal_fired(p, "clog");
		out->drop = SIM_DROP_BEFORE;
		return html(out, 503, "clogged");
	}
	const json_t *fault = fault_for(p, in);
	if (fault != NULL)
		portal_fired(p, json_text(fault, "what", "?"));
	int made = fault != NULL ? fault_before(fault, out) : 0;
	if (made != 0)
		return made < 0 ? -1 : 0;
	const char *user = user_of(p, in->authorization, &bad);
	json_t *answer;
	if (bad) {
		out->status = archive ? 401 : 403;
		answer = json_pack("{s:s}", "detail", "Invalid token.");
	} else {
		answer = portal_answer(p, in, user, out);
	}
	int rc = answer == NULL && out->body == NULL ? html(out, 404, "Not Found") : json_reply(out, answer);
	return rc < 0 || (fault != NULL && fault_after(fault, out) < 0) ? -1 : 0;
}

/* ledger ---------------------------------------------------------------------------------------------------------------------------- */

static void count_up(json_t *object, const char *key)
{
	json_object_set_new(object, key, json_integer(json_int(object, key, 0) + 1));
}

static json_t *ledger_name(json_t *names, const char *name)
{
	json_t *row = json_object_get(names, name);
	if (row == NULL) {
		row = json_pack("{s:i, s:[], s:[], s:[], s:[], s:f, s:b}", "count", 0, "ids", "states", "created_us", "left_us", "seconds", 0.0, "observed", 0);
		json_object_set_new(names, name, row);
	}
	return row;
}

static json_t *ledger_observations(const struct sim_portal *p)
{
	json_t *list = json_array();
	for (size_t i = 0; i < p->observations; i++) {
		const struct portal_observation *o = &p->observation[i];
		const struct portal_group *g = &p->group[o->group];
		const struct portal_telescope *t = &p->telescope[o->telescope];
		json_array_append_new(list, json_pack("{s:I, s:s, s:s, s:s, s:s, s:I, s:I, s:s}", "id", (json_int_t)o->id, "name", g->ask.name, "target",
						      g->ask.target, "site", p->site[t->site].code, "telescope", t->name, "start_us",
						      (json_int_t)o->start_us, "end_us", (json_int_t)o->end_us, "state", o->state));
	}
	return list;
}

json_t *sim_portal_ledger(const struct sim_portal *p)
{
	json_t *names = json_object(), *states = json_object();
	int64_t duplicates = 0;
	double seconds = 0;
	for (size_t i = 0; i < p->groups; i++) {
		const struct portal_group *g = &p->group[i];
		json_t *row = ledger_name(names, g->ask.name);
		count_up(row, "count");
		if (json_int(row, "count", 0) > 1)
			duplicates++;
		json_array_append_new(json_object_get(row, "ids"), json_integer(g->id));
		json_array_append_new(json_object_get(row, "created_us"), json_integer(g->made_us));
		json_array_append_new(json_object_get(row, "left_us"), g->left_us == UTC_NONE ? json_null() : json_integer(g->left_us));
		json_array_append_new(json_object_get(row, "states"), json_string(g->state));
		json_object_set_new(row, "seconds", json_real(json_number(row, "seconds", 0) + g->charged_s));
		if (strcmp(g->state, "COMPLETED") == 0)
			json_object_set_new(row, "observed", json_true());
		count_up(states, g->state);
		seconds += g->charged_s;
	}
	return json_pack("{s:O, s:I, s:I, s:I, s:I, s:o, s:o, s:f, s:I, s:I, s:o}", "fired", p->fired, "unseen", (json_int_t)p->unseen, "calls", (json_int_t)p->calls, "submissions", (json_int_t)p->submissions,
			 "duplicates", (json_int_t)duplicates, "names", names, "states", states, "seconds", seconds, "cancels",
			 (json_int_t)p->cancels, "frames", (json_int_t)p->frames, "observations", ledger_observations(p));
}

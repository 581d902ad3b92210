/* Nights as text: see night.h. */
#include "sim/night_parts.h"
#include "engine/base/json.h"
#include "engine/base/query.h"
#include "engine/base/utc.h"
#include "sim/replay.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int night_broke(struct night *n, const char *kind)
{
	text_copy(n->report->broken, sizeof n->report->broken, kind);
	return -1;
}

/* ---- lines ---- */
static int setting_number(struct night *n, const char *word, const char *rest, struct err *e)
{
	if (strcmp(word, "seed") == 0) {
		n->seed = strtoull(rest, NULL, 10);
		return 0;
	}
	if (strcmp(word, "start") == 0)
		return utc_parse(rest, &n->start_us, e);
	int64_t us = llround(strtod(rest, NULL) * 1e6);
	*(strcmp(word, "latency") == 0 ? &n->judge.latency_us : &n->compute_us) = us;
	return us > 0 ? 0 : err_set(e, ERR_INPUT, "%s SECONDS", word);
}

/* facility, portal, programme: of a name, which may be left out for the first. */
static json_t *setting_target(struct night *n, const char *word, const char **rest, struct err *e)
{
	char name[64] = "";
	if (strcmp(word, "policy") == 0)
		return n->policy;
	if (strcmp(word, "config") == 0)
		return n->changes;
	if (**rest != '{') {
		size_t len = strcspn(*rest, " \t");
		snprintf(name, sizeof name, "%.*s", (int)len, *rest);
		*rest += len + strspn(*rest + len, " \t");
	}
	if (strcmp(word, "facility") == 0 && name[0] && night_place_add(n, name, e) < 0)
		return NULL;
	struct night_place *p = name[0] ? night_place_find(n, name) : &n->place[0];
	json_t *target = p == NULL ? NULL : strcmp(word, "portal") == 0 ? p->setup : strcmp(word, "facility") == 0 ? p->entry :
		strcmp(word, "programme") == 0 ? p->programme : NULL;
	if (target == NULL)
		err_set(e, ERR_INPUT, "\"%s %s\" is not understood here", word, name);
	return target;
}

static int do_setting(struct night *n, char *line, struct err *e)
{
	char word[32] = "";
	int used = 0;
	sscanf(line, "%31s%n", word, &used);
	const char *rest = line + used + strspn(line + used, " \t");
	if (n->host != NULL)
		return err_set(e, ERR_INPUT, "\"%s\" belongs before the night begins", word);
	if (strcmp(word, "seed") == 0 || strcmp(word, "start") == 0 || strcmp(word, "latency") == 0 || strcmp(word, "compute") == 0)
		return setting_number(n, word, rest, e);
	if (strcmp(word, "disk") == 0)
		return night_disk_new(n, e);
	json_t *target = setting_target(n, word, &rest, e);
	if (target == NULL || *rest == '\0')
		return target ? 0 : -1;
	json_t *patch = json_read(rest, strlen(rest), &json_limits_config, e);
	if (patch == NULL)
		return -1;
	night_merge(target, patch);
	json_decref(patch);
	return 0;
}

static int do_timed(struct night *n, int64_t at_us, char *line, struct err *e)
{
	if (night_open(n, e) < 0)
		return -1;
	if (n->start_us + at_us > sim_host_now(n->host) && sim_host_run(n->host, n->start_us + at_us, e) < 0)
		return -1;
	return night_do(n, line, e);
}

static int do_line(struct night *n, char *line, struct err *e)
{
	int h, m, used = 0;
	double s = 0;
	line += strspn(line, " \t");
	line[strcspn(line, "\r\n")] = '\0';
	if (*line == '\0' || *line == '#')
		return 0;
	if (sscanf(line, "%d:%d%n:%lf%n", &h, &m, &used, &s, &used) < 2)
		return do_setting(n, line, e);
	return do_timed(n, h * UTC_HOUR + m * UTC_MINUTE + llround(s * 1e6), line + used + strspn(line + used, " \t"), e);
}

static void night_free(struct night *n)
{
	night_world_free(n);
	for (int i = 0; i < n->told_count; i++)
		text_free(&n->told[i].last);
}

/* The whole night fed again gives the same rows to the last bit. */
static int night_replay(struct night *n, struct err *e)
{
	struct replay_report again;
	sqlite3 *fresh = NULL;
	if (query_open(":memory:", QUERY_WRITE, &fresh, e) < 0)
		return -1;
	int rc = sim_replay(n->db, fresh, NULL, &again, e);
	sqlite3_close(fresh);
	if (rc == 0 && again.difference[0])
		rc = err_set(e, ERR_STORE, "replay differs: %s", again.difference);
	return rc < 0 ? night_broke(n, "replay") : 0;
}

static int night_end(struct night *n, struct err *e)
{
	json_t *bad = core_check_rows(n->db, e);
	char *first = bad && json_array_size(bad) > 0 ? json_canonical(json_array_get(bad, 0)) : NULL;
	int rc = bad == NULL ? -1 : first ? err_set(e, ERR_STORE, "%.700s", first) : 0;
	free(first);
	json_decref(bad);
	if (rc == 0 && judge_heard(n->db, n->broker, n->report->broken, e) != 0)
		rc = -1;
	if (rc == 0 && judge_rules(n->db, n->report->broken, e) != 0)
		rc = -1;
	struct sim_host_place place[SIM_HOST_PLACES];
	size_t places = night_places(n, place);
	for (size_t i = 0; i < places && rc == 0; i++)
		rc = judge_place(&n->judge, &place[i], n->db, n->report->broken, e) != 0 ? -1 : 0;
	if (rc == 0)
		rc = judge_twins(place, places, n->db, n->report->broken, e) != 0 ? -1 : 0;
	if (rc == 0 && !n->o->no_replay)
		rc = night_replay(n, e);
	return rc < 0 ? err_wrap(e, "at the end") : 0;
}

static void night_count(struct night *n)
{
	struct sim_night_report *r = n->report;
	r->counts = night_counts(n);
	r->events = n->told_count;
	r->facilities = n->places;
	for (int i = 0; i < n->places; i++) {
		json_t *ledger = sim_portal_ledger(n->place[i].portal);
		int64_t submissions = json_int(ledger, "submissions", 0);
		r->submissions += submissions;
		r->asked += submissions > 0;
		r->cancels += json_int(ledger, "cancels", 0);
		r->duplicates += json_int(ledger, "duplicates", 0);
		r->unseen += json_int(ledger, "unseen", 0);
		r->observed += json_int(json_object_get(ledger, "states"), "COMPLETED", 0);
		json_decref(ledger);
	}
}

/* "check_two_live" of a sentence that names it; else what kind of error it was. */
static void night_broken(struct sim_night_report *r, const struct err *e)
{
	const char *view = strstr(e->text, "check_");
	if (r->broken[0])
		return;
	snprintf(r->broken, sizeof r->broken, "%.*s", view ? (int)strspn(view, "abcdefghijklmnopqrstuvwxyz_") : 6, view ? view :
		e->kind == ERR_STORE ? "store" : "error");
}

uint64_t sim_night_seed(const char *text)
{
	for (const char *line = text; line != NULL && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
		if (strncmp(line, "seed ", 5) == 0)
			return strtoull(line + 5, NULL, 10);
	return 7;
}

int sim_night_run(const char *text, const struct sim_night_options *o, struct sim_night_report *report, struct err *e)
{
	char line[4096];
	int rc = 0;
	*report = (struct sim_night_report){0};
	struct night n = {.o = o, .report = report, .seed = 7, .judge.latency_us = UTC_SECOND / 5};
	rc = night_world_begin(&n, e);
	for (const char *at = text; rc == 0 && *at; at += at[0] == '\n') {
		size_t len = strcspn(at, "\n");
		report->line++;
		snprintf(line, sizeof line, "%.*s", (int)len, at);
		rc = len < sizeof line ? do_line(&n, line, e) : err_set(e, ERR_LIMIT, "longer than %zu bytes", sizeof line);
		at += len;
	}
	if (rc == 0 && n.host != NULL) {
		report->line = 0;
		rc = night_end(&n, e);
	}
	if (rc < 0)
		night_broken(report, e);
	if (rc < 0 && report->line > 0)
		err_wrap(e, "line %d", report->line);
	if (n.host != NULL)
		night_count(&n);
	if (o->look != NULL && n.host != NULL) {
		struct sim_host_place place[SIM_HOST_PLACES];
		o->look(o->ctx, n.db, place, night_places(&n, place));
	}
	night_free(&n);
	return rc < 0 ? -1 : 0;
}

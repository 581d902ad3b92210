/* Nights as text: see night.h. */
#include "sim/night.h"
#include "engine/base/embed.h"
#include "engine/base/json.h"
#include "engine/base/query.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include "sim/alert_write.h"
#include "sim/judge.h"
#include "sim/replay.h"
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KNOWN_EVENTS 16
struct told {
	char name[64];
	int64_t event_us;
	struct text last; /* bytes of its last alert, for `again` */
};

struct night {
	const struct sim_night_options *o;
	struct sim_night_report *report;
	uint64_t seed;
	int64_t start_us;
	json_t *policy, *portal_setup, *facility, *changes, *config;
	sqlite3 *db, *copy;
	struct sim_portal *portal;
	struct sim_host *host;
	struct compute_host compute;
	struct judge judge;
	struct told told[KNOWN_EVENTS];
	int told_count;
	int64_t compute_us;
	int64_t messages; /* that the broker has sent: each must be an input */
};

static int broke(struct night *n, const char *kind)
{
	text_copy(n->report->broken, sizeof n->report->broken, kind);
	return -1;
}

/* RFC 7396. */
static void merge_patch(json_t *target, const json_t *patch)
{
	const char *key;
	json_t *value;
	json_object_foreach((json_t *)patch, key, value) {
		json_t *old = json_object_get(target, key);
		if (json_is_null(value))
			json_object_del(target, key);
		else if (json_is_object(value) && json_is_object(old))
			merge_patch(old, value);
		else
			json_object_set(target, key, value);
	}
}

static json_t *night_config(struct night *n)
{
	json_t *descriptor = json_object_get(n->portal_setup, "descriptor");
	json_t *facility = json_pack("{s:s,s:s,s:b,s:O}", "name", "lco", "use", "lco", "accepts_tests", 0, "descriptor", descriptor);
	merge_patch(facility, n->facility);
	json_t *config = json_pack("{s:s,s:s,s:[{s:s,s:s}],s:[{s:s,s:s,s:s,s:{s:f,s:f,s:f},s:i}],s:[s]}", "state", "night.db", "catalog",
		"night.fits", "facilities", "name", "lco", "use", "lco", "programmes", "name", "too-lco", "facility", "lco", "proposal",
		"TOO2026B", "hours", "NORMAL", 20.0, "TIME_CRITICAL", 10.0, "RAPID_RESPONSE", 10.0, "triggers", 20, "policies", "bns-near");
	const struct catalog *catalog = sim_stage_catalog(n->o->stage);
	merge_patch(config, n->changes);
	return json_pack("{s:s,s:o,s:[O],s:[o],s:{s:s,s:i,s:s}}", "installation", "0000beef", "config", config, "policies", n->policy,
		"facilities", facility, "catalog", "sha256", catalog->sha256, "rows", (int)catalog->count, "path", "night.fits");
}

static int night_host(struct night *n, int64_t start_us, int64_t offset, struct err *e)
{
	struct sim_host_options options = {.db = n->db, .config = n->config, .portal = n->portal, .authorization = "Token night-token",
		.compute = &n->compute, .compute_by = sim_stage_compute, .compute_ctx = n->o->stage, .start_us = start_us, .offset = offset,
		.latency_us = n->judge.latency_us, .compute_us = n->compute_us, .check_every_step = true};
	n->host = sim_host_new(&options, e);
	return n->host ? 0 : -1;
}

static int night_open(struct night *n, struct err *e)
{
	if (n->host != NULL)
		return 0;
	if (n->seed != sim_stage_seed(n->o->stage))
		return err_set(e, ERR_INPUT, "this night wants universe %llu", (unsigned long long)n->seed);
	if (query_open(":memory:", QUERY_WRITE, &n->db, e) < 0)
		return -1;
	n->portal = sim_portal_new(n->portal_setup, n->seed);
	n->config = night_config(n);
	if (n->portal == NULL || n->config == NULL)
		return err_set(e, ERR_INPUT, "the portal's setup or the configuration cannot be used");
	n->compute = (struct compute_host){.read_map = skymap_read, .catalog = sim_stage_catalog(n->o->stage)};
	return night_host(n, n->start_us, 0, e);
}

static int db_copy(sqlite3 *from, sqlite3 **to, struct err *e)
{
	if (query_open(":memory:", QUERY_WRITE, to, e) < 0)
		return -1;
	sqlite3_backup *backup = sqlite3_backup_init(*to, "main", from, "main");
	int rc = backup ? sqlite3_backup_step(backup, -1) : SQLITE_ERROR;
	sqlite3_backup_finish(backup);
	return rc == SQLITE_DONE ? 0 : err_set(e, ERR_STORE, "the state cannot be copied");
}

static int do_copy(struct night *n, struct err *e)
{
	sqlite3_close(n->copy);
	n->copy = NULL;
	return db_copy(n->db, &n->copy, e);
}

static int do_restore(struct night *n, int64_t down_us, struct err *e)
{
	int64_t now_us = sim_host_now(n->host);
	if (n->copy == NULL)
		return err_set(e, ERR_INPUT, "restore needs a copy before it");
	sim_host_free(n->host);
	n->host = NULL;
	sqlite3_close(n->db);
	n->db = NULL;
	json_object_set_new(n->config, "restored", json_true());
	int64_t offset = 0;
	if (db_copy(n->copy, &n->db, e) < 0 || query_int(n->db, &offset, e, "SELECT ifnull(max(next_offset),0) FROM source_position", "") < 0 ||
	    query_int(n->db, &n->messages, e, "SELECT count(*) FROM input WHERE kind='alert'", "") < 0)
		return -1;
	return night_host(n, now_us + down_us, offset, e);
}

/* ---- alerts ---- */
static struct told *told_find(struct night *n, const char *name)
{
	for (int i = 0; i < n->told_count; i++)
		if (strcmp(n->told[i].name, name) == 0)
			return &n->told[i];
	if (n->told_count == KNOWN_EVENTS)
		return NULL;
	struct told *t = &n->told[n->told_count++];
	text_copy(t->name, sizeof t->name, name);
	t->event_us = sim_host_now(n->host) - 40 * UTC_SECOND;
	t->last.max = 16u << 20;
	return t;
}

static const char *option(const char *rest, const char *key, char *out, size_t size)
{
	size_t n = strlen(key);
	for (const char *p = rest; (p = strstr(p, key)) != NULL; p += n) {
		if ((p == rest || isspace((unsigned char)p[-1])) && p[n] == '=') {
			size_t len = strcspn(p + n + 1, " \t");
			snprintf(out, size, "%.*s", (int)len, p + n + 1);
			return out;
		}
	}
	return NULL;
}

static double number_option(const char *rest, const char *key, double otherwise)
{
	char buf[64];
	return option(rest, key, buf, sizeof buf) ? strtod(buf, NULL) : otherwise;
}

static int message(struct night *n, const char *topic, const void *bytes, size_t len, struct err *e)
{
	n->messages++;
	return sim_host_alert(n->host, topic, bytes, len, e);
}

static int do_alert(struct night *n, const char *rest, struct err *e)
{
	char name[64], type[32], stream[80], topic[80];
	int used = 0;
	if (sscanf(rest, "%63s %31s%n", name, type, &used) != 2)
		return err_set(e, ERR_INPUT, "write: alert EVENT TYPE [key=value …]");
	rest += used;
	struct told *t = told_find(n, name);
	if (t == NULL)
		return err_set(e, ERR_LIMIT, "more than %d events in one night", KNOWN_EVENTS);
	if (option(rest, "topic", topic, sizeof topic) == NULL)
		text_copy(topic, sizeof topic, "igwn.gwalert");
	if (strstr(rest, " again") != NULL)
		return message(n, topic, t->last.data, t->last.len, e);
	const struct text *fits = NULL;
	if (option(rest, "map", stream, sizeof stream) == NULL)
		text_copy(stream, sizeof stream, name);
	bool map = strcmp(stream, "none") != 0 && strcmp(type, "RETRACTION") != 0;
	if (map && sim_stage_map(n->o->stage, name, stream, &fits, e) < 0)
		return -1;
	double bns = number_option(rest, "bns", 0.95), nsbh = number_option(rest, "nsbh", 0.0);
	struct sim_alert a = {.event = name, .type = type, .created_us = sim_host_now(n->host) - (int64_t)(number_option(rest, "late", 0) * 1e6), .event_us = t->event_us,
		.far_hz = number_option(rest, "far", 1e-12), .significant = number_option(rest, "significant", 1) > 0,
		.instruments = "H1,L1,V1", .pipeline = "gstlal", .search = "AllSky", .p_bns = bns, .p_nsbh = nsbh,
		.p_terrestrial = number_option(rest, "terrestrial", 1 - bns - nsbh), .has_ns = number_option(rest, "has_ns", 1),
		.has_remnant = number_option(rest, "remnant", 1), .map = map ? fits->data : NULL, .map_len = map ? fits->len : 0};
	text_reset(&t->last);
	int rc = sim_alert_write(&a, &t->last, e);
	if (rc < 0 || message(n, topic, t->last.data, t->last.len, e) < 0)
		return -1;
	if (strcmp(type, "RETRACTION") == 0) /* now it is on disk; it may have died over it */
		judge_close(&n->judge, name, "retraction", sim_host_now(n->host));
	return 0;
}

/* ---- what must hold ---- */
static int do_expect(struct night *n, char *rest, struct err *e)
{
	char got[512] = "", *op, *want;
	if (judge_split(rest, &op, &want, e) < 0 || query_text(n->db, got, sizeof got, e, rest, "") < 0)
		return -1;
	return judge_compare(got, op, want, rest, e) < 0 ? broke(n, "expect") : 0;
}

static int do_portal(struct night *n, char *rest, struct err *e)
{
	char kind[32] = "", got[128] = "0", *op, *want, *next;
	int used = 0;
	sscanf(rest, "%31s%n", kind, &used);
	rest += used;
	while (isspace((unsigned char)*rest))
		rest++;
	if (strcmp(kind, "calm") == 0) {
		sim_portal_calm(n->portal);
		return 0;
	}
	if (strcmp(kind, "expect") != 0) {
		json_t *v = json_read(rest, strlen(rest), &json_limits_config, e);
		int rc = v ? sim_portal_add(n->portal, kind, v) : -1;
		json_decref(v);
		return rc < 0 ? err_set(e, ERR_INPUT, "portal %s {…}: not understood", kind) : 0;
	}
	if (judge_split(rest, &op, &want, e) < 0)
		return -1;
	json_t *ledger = sim_portal_ledger(n->portal);
	const json_t *v = ledger;
	for (char *part = strtok_r(rest, "/ ", &next); part != NULL && v != NULL; part = strtok_r(NULL, "/ ", &next))
		v = json_object_get(v, part);
	if (json_is_number(v))
		snprintf(got, sizeof got, "%.15g", json_number_value(v));
	else if (json_is_string(v))
		text_copy(got, sizeof got, json_string_value(v));
	json_decref(ledger);
	return judge_compare(got, op, want, "the portal's count", e) < 0 ? broke(n, "expect") : 0;
}

/* "#3" as a target is the third in rank; without so many the name stays, and the order is refused. */
static void order_target(struct night *n, json_t *order, const char *key)
{
	static const char nth[] = "SELECT t.key FROM target t JOIN event e ON e.id=t.event WHERE e.name=? AND t.rank=? ORDER BY t.generation DESC LIMIT 1";
	const char *name = json_text(order, key, "");
	char found[128];
	struct err e = {0};
	if (name[0] == '#' && query_text(n->db, found, sizeof found, &e, nth, "ti", json_text(order, "event", ""), (int64_t)atoll(name + 1)) == 1)
		json_object_set_new(order, key, json_string(found));
}

/* An order over which the engine died has no answer: a veto need not hold, a release may have been obeyed. */
static void order_judged(struct night *n, const json_t *order, bool ok, bool died)
{
	const char *verb = json_text(order, "verb", ""), *event = json_text(order, "event", "");
	if (json_object_get(order, "what") != NULL || json_object_get(order, "target") != NULL || json_object_get(order, "facility") != NULL)
		return; /* not the whole event */
	if (strcmp(verb, "veto") == 0 && ok)
		judge_close(&n->judge, event, "veto", sim_host_now(n->host));
	else if (strcmp(verb, "release") == 0 && (ok || died))
		judge_open(&n->judge, event, "veto", sim_host_now(n->host));
}

static int do_order(struct night *n, const char *rest, struct err *e)
{
	bool refused = strncmp(rest, "refused ", 8) == 0, may = strncmp(rest, "try ", 4) == 0;
	rest += refused ? 8 : may ? 4 : 0;
	json_t *order = json_read(rest, strlen(rest), &json_limits_config, e), *answer = NULL;
	if (order == NULL)
		return -1;
	order_target(n, order, "what");
	order_target(n, order, "target");
	int64_t crashes = sim_host_counts(n->host).crashes;
	int rc = sim_host_order(n->host, 1000, order, &answer, e);
	char *said = answer ? json_canonical(answer) : NULL;
	bool died = sim_host_counts(n->host).crashes > crashes, ok = !died && json_flag(answer, "ok", false);
	if (rc == 0)
		order_judged(n, order, ok, died);
	if (rc == 0 && !may && !died && ok == refused) {
		err_set(e, ERR_INPUT, "the order was answered %s", said ? said : "not at all");
		rc = broke(n, "order");
	}
	free(said);
	json_decref(order);
	json_decref(answer);
	return rc;
}

/* SECONDS [lost] [in N [after]] */
static int do_crash(struct night *n, const char *rest, struct err *e)
{
	const char *in = strstr(rest, " in ");
	struct sim_doom doom = {.down_us = (int64_t)(strtod(rest, NULL) * 1e6), .lost = strstr(rest, " lost") != NULL};
	if (in == NULL)
		return sim_host_crash(n->host, doom.down_us, doom.lost, e);
	doom.commit = atoi(in + 4);
	doom.after = strstr(in, " after") != NULL;
	if (doom.commit < 1)
		return err_set(e, ERR_INPUT, "crash SECONDS in N: N is 1 for the next commit");
	sim_host_doom(n->host, &doom);
	return 0;
}

/* A fair quiet time: then everything must be at rest. */
static int do_settle(struct night *n, double hours, struct err *e)
{
	int64_t until_us = sim_host_now(n->host) + (int64_t)(hours * 3.6e9);
	int busy = 1;
	sim_portal_calm(n->portal);
	while (busy == 1 && sim_host_now(n->host) < until_us) {
		if (sim_host_run(n->host, sim_host_now(n->host) + 10 * UTC_MINUTE, e) < 0)
			return -1;
		busy = judge_busy(n->db, e);
	}
	return busy < 0 ? -1 : judge_rest(n->db, sim_host_utc(n->host), sim_host_tick(n->host), n->report->broken, e) != 0 ? -1 : 0;
}

/* ---- lines ---- */
static int do_setting(struct night *n, char *line, struct err *e)
{
	char word[32] = "";
	int used = 0;
	sscanf(line, "%31s%n", word, &used);
	const char *rest = line + used + strspn(line + used, " \t");
	if (strcmp(word, "seed") == 0) {
		n->seed = strtoull(rest, NULL, 10);
		return 0;
	}
	if (strcmp(word, "start") == 0)
		return utc_parse(rest, &n->start_us, e);
	if (strcmp(word, "latency") == 0) {
		n->judge.latency_us = llround(strtod(rest, NULL) * 1e6);
		return n->judge.latency_us > 0 && n->host == NULL ? 0 : err_set(e, ERR_INPUT, "latency SECONDS, before the night begins");
	}
	if (strcmp(word, "compute") == 0) {
		n->compute_us = llround(strtod(rest, NULL) * 1e6);
		return n->compute_us > 0 && n->host == NULL ? 0 : err_set(e, ERR_INPUT, "compute SECONDS, before the night begins");
	}
	json_t *target = strcmp(word, "policy") == 0 ? n->policy : strcmp(word, "portal") == 0 ? n->portal_setup :
		strcmp(word, "facility") == 0 ? n->facility : strcmp(word, "config") == 0 ? n->changes : NULL;
	if (target == NULL || n->host != NULL)
		return err_set(e, ERR_INPUT, "\"%s\" is not understood here", word);
	json_t *patch = json_read(rest, strlen(rest), &json_limits_config, e);
	if (patch == NULL)
		return -1;
	merge_patch(target, patch);
	json_decref(patch);
	return 0;
}

static int do_reload(struct night *n, const char *word, const char *rest, struct err *e)
{
	json_t *patch = json_read(rest, strlen(rest), &json_limits_config, e);
	if (patch == NULL)
		return -1;
	merge_patch(strcmp(word, "policy") == 0 ? n->policy : json_object_get(n->config, "config"), patch);
	json_decref(patch);
	return sim_host_reload(n->host, e);
}

static int do_timed(struct night *n, int64_t at_us, char *line, struct err *e)
{
	char word[32] = "";
	int used = 0;
	sscanf(line, "%31s%n", word, &used);
	char *rest = line + used + strspn(line + used, " \t");
	if (night_open(n, e) < 0)
		return -1;
	if (n->start_us + at_us > sim_host_now(n->host) && sim_host_run(n->host, n->start_us + at_us, e) < 0)
		return -1;
	if (strcmp(word, "alert") == 0)
		return do_alert(n, rest, e);
	if (strcmp(word, "bytes") == 0)
		return message(n, "igwn.gwalert", rest, strlen(rest), e);
	if (strcmp(word, "order") == 0)
		return do_order(n, rest, e);
	if (strcmp(word, "portal") == 0)
		return do_portal(n, rest, e);
	if (strcmp(word, "crash") == 0)
		return do_crash(n, rest, e);
	if (strcmp(word, "copy") == 0)
		return do_copy(n, e);
	if (strcmp(word, "restore") == 0)
		return do_restore(n, (int64_t)(strtod(rest, NULL) * 1e6), e);
	if (strcmp(word, "policy") == 0 || strcmp(word, "config") == 0)
		return do_reload(n, word, rest, e);
	if (strcmp(word, "settle") == 0)
		return do_settle(n, strtod(rest, NULL), e);
	if (strcmp(word, "clock") == 0)
		return sim_host_clock(n->host, (int64_t)(strtod(rest, NULL) * 1e6), e);
	if (strcmp(word, "expect") == 0)
		return do_expect(n, rest, e);
	return strcmp(word, "end") == 0 ? 0 : err_set(e, ERR_INPUT, "\"%s\" is not understood", word);
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
	sim_host_free(n->host);
	sim_portal_free(n->portal);
	sqlite3_close(n->db);
	sqlite3_close(n->copy);
	json_decref(n->policy);
	json_decref(n->portal_setup);
	json_decref(n->facility);
	json_decref(n->changes);
	json_decref(n->config);
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
	return rc < 0 ? broke(n, "replay") : 0;
}

static int night_end(struct night *n, struct err *e)
{
	json_t *bad = core_check_rows(n->db, e);
	char *first = bad && json_array_size(bad) > 0 ? json_canonical(json_array_get(bad, 0)) : NULL;
	int rc = bad == NULL ? -1 : first ? err_set(e, ERR_STORE, "%.700s", first) : 0;
	free(first);
	json_decref(bad);
	if (rc == 0 && judge_heard(n->db, n->messages, n->report->broken, e) != 0)
		rc = -1;
	if (rc == 0 && judge_portal(&n->judge, n->portal, n->db, n->report->broken, e) != 0)
		rc = -1;
	if (rc == 0 && !n->o->no_replay)
		rc = night_replay(n, e);
	return rc < 0 ? err_wrap(e, "at the end") : 0;
}

static void night_count(struct night *n)
{
	struct sim_night_report *r = n->report;
	json_t *ledger = sim_portal_ledger(n->portal);
	r->counts = sim_host_counts(n->host);
	r->events = n->told_count;
	r->submissions = json_int(ledger, "submissions", 0);
	r->cancels = json_int(ledger, "cancels", 0);
	r->duplicates = json_int(ledger, "duplicates", 0);
	r->unseen = json_int(ledger, "unseen", 0);
	r->observed = json_int(json_object_get(ledger, "states"), "COMPLETED", 0);
	json_decref(ledger);
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

static bool night_setup(struct night *n, struct err *e)
{
	size_t len;
	const char *policy = embed_find("policies/bns-near.json", &len);
	n->policy = policy ? json_read(policy, len, &json_limits_config, e) : NULL;
	const char *lco = embed_find("facilities/lco.json", &len);
	json_t *descriptor = lco ? json_read(lco, len, &json_limits_config, e) : NULL;
	n->facility = json_object();
	n->changes = json_object();
	n->portal_setup = json_pack("{s:{s:s},s:[{s:s,s:{s:f,s:f,s:f},s:f}],s:i}", "tokens", "night-token", "bot", "proposals", "id",
		"TOO2026B", "hours", "NORMAL", 20.0, "TIME_CRITICAL", 10.0, "RAPID_RESPONSE", 10.0, "ipp_h", 5.0, "cycle_s", 30);
	json_object_set_new(n->portal_setup, "descriptor", descriptor);
	json_object_set_new(json_object_get(n->policy, "targets"), "top", json_integer(20)); /* enough for a night, and quick */
	return descriptor != NULL && n->policy != NULL && utc_parse("2026-11-24T00:00:00Z", &n->start_us, e) == 0;
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
	if (!night_setup(&n, e))
		rc = err_wrap(e, "the policy or descriptor of the nights cannot be read");
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
	if (o->look != NULL && n.db != NULL && n.portal != NULL)
		o->look(o->ctx, n.db, n.portal);
	night_free(&n);
	return rc < 0 ? -1 : 0;
}

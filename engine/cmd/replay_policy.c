/* slew replay --policy: what another policy would have done on that night, as a story and a table. */
#include "engine/base/json.h"
#include "engine/base/query.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include "engine/cmd/replay.h"
#include "engine/io/configure.h"
#include "engine/io/mapchild.h"
#include "engine/request/policy.h"
#include "engine/target/catalog.h"
#include "sim/whatif.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STORY_LINES 400

struct again {
	const struct replay_run *run;
	sqlite3 *then, *now;
	struct policy *policy[REPLAY_POLICIES];
	struct whatif_policy replaced[REPLAY_POLICIES];
	char name[REPLAY_POLICIES][128];
	struct catalog catalog;
	bool has_catalog;
	struct whatif_report report;
};

/* ---- what is given ---- */
static int policy_open(struct again *a, int i, struct err *e)
{
	const char *given = a->run->policy[i], *equals = strchr(given, '=');
	char *text = NULL;
	size_t len = 0;
	if (equals != NULL) {
		snprintf(a->name[i], sizeof a->name[i], "%.*s", (int)(equals - given), given);
		a->replaced[i].name = a->name[i];
		for (int k = 0; k < i; k++)
			if (strcmp(a->name[k], a->name[i]) == 0)
				return err_set(e, ERR_INPUT, "--policy %s: %s is replaced already; give one policy for each name", given, a->name[i]);
	} else if (a->run->policies > 1) {
		return err_set(e, ERR_INPUT, "--policy %s: one of several must say which one of the night it replaces: NAME=%s", given, given);
	}
	if (config_resource("policies", equals ? equals + 1 : given, NULL, &text, &len, e) < 0)
		return -1;
	a->policy[i] = policy_read(text, len, equals ? equals + 1 : given, e);
	free(text);
	if (a->policy[i] == NULL)
		return -1;
	a->replaced[i].body = a->policy[i]->body;
	return 0;
}

/* The catalogue that is given, else the one that night was ranked with, if it is still there: else what must be ranked anew cannot be. */
static int galaxies_find(struct again *a, struct err *fatal)
{
	struct err e = {0};
	if (a->run->catalog != NULL) {
		a->has_catalog = catalog_open(a->run->catalog, &a->catalog, fatal) == 0;
		return a->has_catalog ? 0 : -1;
	}
	json_t *rows = query_rows(a->then, 1, &e, "SELECT body FROM config ORDER BY seq DESC LIMIT 1", "");
	const char *text = json_text(json_array_get(rows, 0), "body", "{}");
	json_t *config = json_loads(text, 0, NULL);
	const char *path = json_text(json_object_get(config, "catalog"), "path", "");
	a->has_catalog = path[0] && catalog_open(path, &a->catalog, &e) == 0;
	if (!a->has_catalog)
		fprintf(stderr, "slew: replay: %s; what that night did not rank cannot be ranked now; give the catalogue by --catalog\n",
			path[0] ? e.text : "that night had no galaxy catalogue");
	json_decref(config);
	json_decref(rows);
	return 0;
}

static int open_all(struct again *a, struct err *e)
{
	for (int i = 0; i < a->run->policies; i++)
		if (policy_open(a, i, e) < 0)
			return -1;
	if (query_open_state(a->run->path, &a->then, e) < 0 || query_run(a->then, e, "BEGIN", "") < 0)
		return -1;
	if (a->run->keep != NULL && access(a->run->keep, F_OK) == 0)
		return err_set(e, ERR_INPUT, "%s: is there already; name a file that is not", a->run->keep);
	return galaxies_find(a, e) < 0 ? -1 : query_open(":memory:", QUERY_WRITE, &a->now, e);
}

static void close_all(struct again *a)
{
	for (int i = 0; i < a->run->policies; i++)
		policy_free(a->policy[i]);
	if (a->has_catalog)
		catalog_close(&a->catalog);
	sqlite3_close(a->now);
	sqlite3_close(a->then);
}

/* A state as any: for slew report and sqlite3. */
static int keep(struct again *a, struct err *e)
{
	sqlite3 *file = NULL;
	if (query_open(a->run->keep, QUERY_WRITE, &file, e) < 0)
		return -1;
	sqlite3_backup *backup = sqlite3_backup_init(file, "main", a->now, "main");
	int rc = backup ? sqlite3_backup_step(backup, -1) : SQLITE_ERROR;
	sqlite3_backup_finish(backup);
	sqlite3_close(file);
	return rc == SQLITE_DONE ? 0 : err_set(e, ERR_STORE, "%s: cannot be written: %s", a->run->keep, sqlite3_errstr(rc));
}

/* ---- what came of it ---- */
static const char events[] =
	"SELECT e.id,e.name,e.state,(SELECT count(DISTINCT target) FROM request WHERE event=e.id AND submits>0) AS targets,"
	"(SELECT count(*) FROM request WHERE event=e.id AND submits>0) AS requests,"
	"(SELECT total(seconds) FROM ledger WHERE event=e.id AND state<>'returned') AS seconds,"
	"(SELECT count(*) FROM request WHERE event=e.id AND state='done') AS observed,"
	"(SELECT min(released_utc_us) FROM effect WHERE event=e.id AND verb='submit') AS first_us,"
	"(SELECT min(received_us) FROM alert WHERE event=e.id) AS heard_us FROM event e ORDER BY e.id";

static json_t *side(const json_t *row)
{
	int64_t first_us = json_int(row, "first_us", UTC_NONE), heard_us = json_int(row, "heard_us", UTC_NONE);
	if (row == NULL)
		return json_null();
	return json_pack("{s:s,s:I,s:I,s:f,s:I,s:o}", "state", json_text(row, "state", ""), "targets", (json_int_t)json_int(row, "targets", 0), "requests",
		(json_int_t)json_int(row, "requests", 0), "hours", json_number(row, "seconds", 0) / 3600, "observed", (json_int_t)json_int(row, "observed", 0),
		"first_asked_after_s", first_us == UTC_NONE || heard_us == UTC_NONE ? json_null() : json_real((double)(first_us - heard_us) / 1e6));
}

/* {"recorded":{"offer":3,…},"simulated":{…},"computed":{…},"inputs":[…]}: of one event, or (0) of none. */
static json_t *answers(sqlite3 *now, int64_t event, struct err *e)
{
	static const char counts[] = "SELECT how,verb,count(*) AS n FROM temp.answered WHERE ifnull(event,0)=? GROUP BY how,verb ORDER BY how,verb";
	static const char inputs[] = "SELECT DISTINCT input FROM temp.answered WHERE ifnull(event,0)=? AND input IS NOT NULL ORDER BY input";
	json_t *out = json_pack("{s:{},s:{},s:{},s:[]}", "recorded", "simulated", "computed", "inputs");
	json_t *rows = query_rows(now, 1000, e, counts, "i", event), *used = query_rows(now, 1000000, e, inputs, "i", event), *row;
	size_t i;
	json_array_foreach(rows, i, row)
		json_object_set_new(json_object_get(out, json_text(row, "how", "")), json_text(row, "verb", ""), json_integer(json_int(row, "n", 0)));
	json_array_foreach(used, i, row)
		json_array_append_new(json_object_get(out, "inputs"), json_integer(json_int(row, "input", 0)));
	json_decref(rows);
	json_decref(used);
	return out;
}

static const json_t *named(const json_t *rows, const char *name)
{
	const json_t *row;
	size_t i;
	json_array_foreach(rows, i, row)
		if (strcmp(json_text(row, "name", ""), name) == 0)
			return row;
	return NULL;
}

static json_t *table(struct again *a, struct err *e)
{
	json_t *then = query_rows(a->then, 10000, e, events, ""), *now = then ? query_rows(a->now, 10000, e, events, "") : NULL;
	json_t *out = now ? json_array() : NULL, *row;
	size_t i;
	json_array_foreach(now, i, row) {
		const char *name = json_text(row, "name", "");
		json_array_append_new(out, json_pack("{s:s,s:o,s:o,s:o}", "event", name, "then", side(named(then, name)), "now", side(row), "answers",
			answers(a->now, json_int(row, "id", 0), e)));
	}
	json_array_foreach(then, i, row) /* made by an order that had no answer now */
		if (named(now, json_text(row, "name", "")) == NULL)
			json_array_append_new(out, json_pack("{s:s,s:o,s:n,s:{}}", "event", json_text(row, "name", ""), "then", side(row), "now", "answers"));
	json_decref(then);
	json_decref(now);
	return out;
}

/* ---- for people ---- */
static const char story[] =
	"SELECT utc_us,words FROM (SELECT i.utc_us,i.seq,'heard '||e.name||' '||a.type AS words FROM alert a JOIN input i ON i.seq=a.seq JOIN event e ON e.id=a.event "
	"UNION ALL SELECT i.utc_us,i.seq,'rejected: '||r.reason FROM reject r JOIN input i ON i.seq=r.seq "
	"UNION ALL SELECT i.utc_us,i.seq,'order '||o.verb||': '||o.answer FROM operator_order o JOIN input i ON i.seq=o.seq "
	"UNION ALL SELECT u,q,y||': '||n||' request'||CASE n WHEN 1 THEN ' ' ELSE 's ' END||s||CASE m WHEN 0 THEN '' WHEN n THEN ', simulated' ELSE ', '||m||' of them "
	"simulated' END FROM (SELECT min(c.utc_us) AS u,min(c.seq) AS q,e.name AS y,count(*) AS n,c.to_state AS s,sum(EXISTS(SELECT 1 FROM temp.answered w "
	"WHERE w.effect=i.effect AND w.how='simulated')) AS m FROM request_change c JOIN input i ON i.seq=c.seq JOIN request r ON r.id=c.request JOIN event e "
	"ON e.id=r.event WHERE c.to_state IN ('accepted','unsure','running','done','cancelled','declined','expired','failed') "
	"GROUP BY c.utc_us/60000000,e.id,c.to_state) UNION ALL SELECT utc_us,seq,'alarm: '||detail FROM alarm) ORDER BY utc_us,seq LIMIT 401";

static void print_story(struct again *a)
{
	struct err e = {0};
	char stamp[32], words[300];
	json_t *rows = query_rows(a->now, STORY_LINES + 1, &e, story, ""), *row;
	size_t i;
	json_array_foreach(rows, i, row) {
		const char *text = json_text(row, "words", "");
		text_escape(words, sizeof words, text, strlen(text));
		if (i < STORY_LINES)
			printf("  %.19s  %s\n", utc_format_s(stamp, json_int(row, "utc_us", 0)), words);
		else
			printf("  … the first %d lines\n", STORY_LINES);
	}
	json_decref(rows);
}

static void print_side(const char *event, const char *when, const json_t *side)
{
	char first[32] = "-", name[40];
	text_escape(name, sizeof name, event, strlen(event));
	if (json_is_null(side)) {
		printf("%-14s %-5s not heard\n", name, when);
		return;
	}
	if (json_is_number(json_object_get(side, "first_asked_after_s")))
		snprintf(first, sizeof first, "%.1f", json_number(side, "first_asked_after_s", 0));
	printf("%-14s %-5s %8lld %9lld %8.2f %9lld %12s  %s\n", name, when, (long long)json_int(side, "targets", 0), (long long)json_int(side, "requests", 0),
		json_number(side, "hours", 0), (long long)json_int(side, "observed", 0), first, json_text(side, "state", ""));
}

static void print_answers(const char *how, const json_t *verbs)
{
	const char *verb;
	json_t *n;
	if (json_object_size(verbs) == 0)
		return;
	printf("  %s:", how);
	json_object_foreach((json_t *)verbs, verb, n)
		printf(" %s %lld", verb, (long long)json_integer_value(n));
}

static void print_table(const json_t *list)
{
	const json_t *row;
	size_t i;
	printf("\n%-14s %-5s %8s %9s %8s %9s %12s  %s\n", "event", "", "targets", "requests", "hours", "observed", "first after", "state");
	json_array_foreach(list, i, row) {
		const json_t *by = json_object_get(row, "answers");
		print_side(json_text(row, "event", ""), "then", json_object_get(row, "then"));
		print_side("", "now", json_object_get(row, "now"));
		printf("%-14s", "");
		print_answers("answered by that night", json_object_get(by, "recorded"));
		print_answers("by a simulated facility", json_object_get(by, "simulated"));
		print_answers("computed anew", json_object_get(by, "computed"));
		printf("\n");
	}
}

static int tell(struct again *a, struct err *e)
{
	const struct whatif_report *r = &a->report;
	json_t *list = table(a, e);
	if (list == NULL)
		return -1;
	if (a->run->json) {
		json_t *out = json_pack("{s:I,s:I,s:I,s:I,s:o,s:o,s:o}", "inputs", (json_int_t)r->inputs, "recorded", (json_int_t)r->recorded, "simulated",
			(json_int_t)r->simulated, "computed", (json_int_t)r->computed, "events", list, "without_event", answers(a->now, 0, e),
			"replays_otherwise", r->journal[0] ? json_string(r->journal) : json_null());
		char *text = out ? json_canonical(out) : NULL;
		printf("%s\n", text ? text : "{}");
		free(text);
		json_decref(out);
		return 0;
	}
	print_story(a);
	print_table(list);
	printf("\n%lld inputs of that night fed again; %lld answers are that night's own, %lld calls were answered by a simulated facility (fair "
		"weather), %lld computations done anew\n", (long long)r->inputs, (long long)r->recorded, (long long)r->simulated, (long long)r->computed);
	if (r->journal[0])
		printf("before any change this program decides that night otherwise: %s\n", r->journal);
	json_decref(list);
	return 0;
}

int replay_policy_run(const struct replay_run *run)
{
	struct again a = {.run = run};
	struct err e = {0};
	int rc = open_all(&a, &e);
	struct compute_host compute = {.read_map = mapchild_read, .catalog = a.has_catalog ? &a.catalog : NULL};
	struct whatif_options o = {.policies = a.replaced, .count = run->policies, .compute = &compute};
	if (rc == 0)
		rc = sim_whatif(a.then, a.now, &o, &a.report, &e);
	if (rc == 0)
		rc = tell(&a, &e);
	if (rc == 0 && run->keep != NULL)
		rc = keep(&a, &e);
	close_all(&a);
	if (rc < 0) {
		err_wrap(&e, "replay of %s", run->path);
		return err_print(&e);
	}
	return 0;
}

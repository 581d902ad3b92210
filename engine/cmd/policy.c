/* `slew policy`: the language explained, policies checked, and asked of every alert ever heard. */
#include "engine/base/embed.h"
#include "engine/base/json.h"
#include "engine/base/query.h"
#include "engine/base/utc.h"
#include "engine/cmd/cmd.h"
#include "engine/io/configure.h"
#include "engine/request/policy.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct policy *open_policy(const char *name, struct err *e)
{
	char *text = NULL;
	size_t len = 0;
	if (config_resource("policies", name, NULL, &text, &len, e) < 0)
		return NULL;
	struct policy *p = policy_read(text, len, name, e);
	free(text);
	return p;
}

static int policy_list(void)
{
	for (const struct embed *f = embed_table; f->path != NULL; f++) {
		struct err e = {0};
		if (strncmp(f->path, "policies/", 9) != 0)
			continue;
		struct policy *p = policy_read(f->start, (size_t)(f->end - f->start), f->path, &e);
		if (p == NULL)
			return err_print(&e);
		printf("%-16s %s\n%-16s when: %s\n", p->name, p->observes ? "asks telescopes" : "tells only", "", json_text(p->body, "when", ""));
		policy_free(p);
	}
	return 0;
}

static int policy_show(const char *name)
{
	struct err e = {0};
	char *text = NULL;
	size_t len = 0;
	if (config_resource("policies", name, NULL, &text, &len, &e) < 0)
		return err_print(&e);
	fwrite(text, 1, len, stdout);
	free(text);
	return 0;
}

static int policy_facts(void)
{
	printf("%-20s %-7s %-9s %s\n", "fact", "type", "from", "unknown (NULL) means");
	for (int i = 0; i < FACT_COUNT; i++)
		printf("%-20s %-7s %-9s %s\n", fact_info[i].name, fact_info[i].type == FACT_TEXT ? "text" : "number",
			fact_info[i].from_map ? "sky map" : "alert", fact_info[i].null_means);
	return 0;
}

static int policy_check(int count, char **names)
{
	int worst = 0;
	for (int i = 0; i < count; i++) {
		struct err e = {0};
		struct policy *p = open_policy(names[i], &e);
		if (p == NULL) {
			worst = err_print(&e);
			continue;
		}
		printf("%s: good; %s, approval by %s\n", p->name, p->observes ? "asks telescopes" : "tells only",
			p->approval_auto ? "rule, then the operator" : "the operator");
		policy_free(p);
	}
	return worst;
}

/* ---- test ---- */
struct tally {
	int64_t alerts, yes, unknown;
};

/* Rules beside `when` that keep an alert from triggering, all of them, separated by ", "; "" when none does. */
static void hindrance(struct text *sql, const struct policy *p)
{
	text_puts(sql, "rtrim(iif(a.type = 'RETRACTION', 'a retraction, ', '')");
	if (!p->tests)
		text_puts(sql, " || iif(f.is_test <> 0 OR e.is_test <> '[]', 'a test alert, ', '')");
	if (p->early_warning != EARLY_SUBMIT)
		text_printf(sql, " || iif(a.type = 'EARLYWARNING', 'early warning: %s, ', '')", p->early_warning == EARLY_WARM ? "warmed only" : "ignored");
	text_printf(sql, " || iif(f.age_s > %.17g, 'older than max_age_h, ', ''), ', ')", p->max_age_h * 3600.0);
}

static sqlite3_stmt *test_query(sqlite3 *db, const struct policy *p, struct err *e)
{
	struct text sql = {.max = 1 << 20};
	text_printf(&sql, "SELECT e.name, a.type, a.time_created_us, CASE WHEN w IS NULL THEN 'unknown' WHEN w THEN 'true' ELSE 'false' END,"
		" CASE WHEN w IS NULL THEN missing ELSE '' END, hindrance, f_map FROM (SELECT f.alert AS id, f.map_state AS f_map, (%s) AS w,"
		" %s AS missing, ", policy_sql(p), policy_missing_sql(p));
	hindrance(&sql, p);
	text_puts(&sql, " AS hindrance FROM fact f JOIN alert a ON a.id = f.alert JOIN event e ON e.id = a.event) q"
		" JOIN alert a ON a.id = q.id JOIN event e ON e.id = a.event ORDER BY a.received_us, a.id");
	sqlite3_stmt *q = NULL;
	if (sql.failed)
		err_set(e, ERR_MEMORY, "no memory for the query");
	else
		q = query_prepare(db, sql.data, e);
	text_free(&sql);
	return q;
}

static void print_row(sqlite3_stmt *q, bool json, struct tally *t)
{
	char created[32];
	const char *outcome = query_col_text(q, 3, ""), *missing = query_col_text(q, 4, ""), *why = query_col_text(q, 5, "");
	if (strcmp(query_col_text(q, 1, ""), "RETRACTION") == 0) { /* it says nothing that could be judged */
		outcome = "-";
		missing = "";
	}
	bool yes = strcmp(outcome, "true") == 0 && why[0] == '\0';
	utc_format_s(created, query_col_int(q, 2, UTC_NONE));
	t->alerts++;
	t->yes += yes;
	t->unknown += strcmp(outcome, "unknown") == 0;
	if (json) {
		json_t *row = json_pack("{s:s,s:s,s:s,s:s,s:b,s:s,s:s,s:s}", "event", query_col_text(q, 0, ""), "type", query_col_text(q, 1, ""),
			"created_utc", created, "when", outcome, "triggers", (int)yes, "missing", missing, "hindrance", why, "map",
			query_col_text(q, 6, ""));
		char *text = json_canonical(row);
		puts(text ? text : "");
		free(text);
		json_decref(row);
		return;
	}
	printf("%s  %-14s %-12s %-8s %-4s %s%s%s%s\n", created, query_col_text(q, 0, ""), query_col_text(q, 1, ""), outcome, yes ? "yes" : "no",
		missing[0] ? "not known: " : "", missing, missing[0] && why[0] ? "; " : "", why);
}

static int test_rows(sqlite3 *db, const struct policy *p, bool json, struct err *e)
{
	struct tally t = {0};
	int rc = -1;
	sqlite3_stmt *q = test_query(db, p, e);
	if (q == NULL)
		return -1;
	if (!json)
		printf("%-20s  %-14s %-12s %-8s %-4s %s\n", "created", "event", "type", "when", "acts", "why not");
	while ((rc = query_step(q, e)) == 1)
		print_row(q, json, &t);
	sqlite3_finalize(q);
	if (rc == 0 && !json)
		printf("%lld alerts: policy %s would have acted on %lld; %lld could not be judged\n", (long long)t.alerts, p->name, (long long)t.yes,
			(long long)t.unknown);
	return rc;
}

static int policy_test(const char *name, const char *state, bool json)
{
	struct err e = {0};
	sqlite3 *db = NULL;
	struct policy *p = open_policy(name, &e);
	if (p == NULL)
		return err_print(&e);
	int rc = query_open_state(state, &db, &e);
	if (rc == 0)
		rc = test_rows(db, p, json, &e);
	sqlite3_close(db);
	policy_free(p);
	return rc < 0 ? err_print(&e) : 0;
}

static int policy_run(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "", *name = NULL, *state = NULL;
	bool json = false;
	if (strcmp(verb, "list") == 0 && argc == 2)
		return policy_list();
	if (strcmp(verb, "facts") == 0 && argc == 2)
		return policy_facts();
	if (strcmp(verb, "show") == 0 && argc == 3)
		return policy_show(argv[2]);
	if (strcmp(verb, "check") == 0 && argc > 2)
		return policy_check(argc - 2, argv + 2);
	if (strcmp(verb, "test") != 0)
		return cmd_usage(&command_policy, "%s", verb[0] ? "list, facts, show NAME, check POLICY… or test POLICY --state DB" : "say what to do");
	for (int i = 2; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			json = true;
		else if (strcmp(argv[i], "--state") == 0 && i + 1 < argc)
			state = argv[++i];
		else if (argv[i][0] == '-' || name != NULL)
			return cmd_usage(&command_policy, "test: unexpected \"%s\"", argv[i]);
		else
			name = argv[i];
	}
	if (name == NULL || state == NULL)
		return cmd_usage(&command_policy, "test: give POLICY and --state DB");
	return policy_test(name, state, json);
}

const struct command command_policy = {
	"policy", "list | facts | show NAME | check POLICY... | test POLICY --state DB [--json]", "policies: who is worth a telescope",
	"A policy is a JSON file; its `when` is a comparison over the facts of an alert, such as\n\n"
	"  significant = 1 AND p_bns + p_nsbh > 0.5 AND area90_deg2 < 150\n\n"
	"TRUE triggers. A fact that is not known makes what needs it unknown: that never triggers\n"
	"and never withdraws; `IS NULL` asks for it.\n\n"
	"  list          the policies that slew carries\n"
	"  facts         all names that `when` may use, with type and the meaning of \"unknown\"\n"
	"  show NAME     the text of one, to start your own from\n"
	"  check POLICY  reads it as `slew run` would; errors name line and column\n"
	"  test POLICY --state DB\n"
	"                which alerts of a state (also a live one) it would have acted on, and\n"
	"                which facts were not known where it could not say; --json: JSON lines\n\n"
	"POLICY is a name from `list`, or the path of your own file (with / or .json in it).\n"
	"Language: + - * / = <> < <= > >= AND OR NOT BETWEEN IN IS [NOT] NULL ( ) abs min max,\n"
	"numbers (all real: 1 / 2 is 0.5) and 'text'.\n",
	policy_run};

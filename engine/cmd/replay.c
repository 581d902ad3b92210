/* slew replay: the same inputs again; the same rows, or the first difference. */
#include "engine/base/query.h"
#include "engine/cmd/replay.h"
#include "engine/io/offline.h"
#include "sim/replay.h"
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void each(void *ctx, const struct state_difference *d)
{
	(void)ctx;
	printf("  %s %s%s%s%s%s\n", d->table, d->key, d->column[0] ? ", " : "", d->column, d->was[0] == '\0' && d->column[0] == '\0' ? ": new" : "",
		d->is[0] == '\0' && d->column[0] == '\0' ? ": gone" : "");
}

static void print_json(const struct replay_report *r)
{
	const struct state_difference *d = &r->compared.first;
	json_t *out = json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:b}", "inputs", (json_int_t)r->inputs, "turns", (json_int_t)r->turns, "starts",
		(json_int_t)r->starts, "from", (json_int_t)r->from, "effects", (json_int_t)r->effects, "rows", (json_int_t)r->compared.rows,
		"differences", (json_int_t)r->compared.differences, "same", r->compared.differences == 0);
	if (out != NULL && r->compared.differences > 0)
		json_object_set_new(out, "first", json_pack("{s:s,s:s,s:s,s:s,s:s,s:o}", "table", d->table, "key", d->key, "column", d->column,
			"was", d->was, "is", d->is, "input", d->seq == INT64_MAX ? json_null() : json_integer(d->seq)));
	char *text = json_dumps(out, JSON_COMPACT);
	printf("%s\n", text ? text : "{}");
	free(text);
	json_decref(out);
}

static int told(const struct replay_run *run, const struct replay_report *r)
{
	if (run->json)
		print_json(r);
	else
		printf("%lld inputs in %lld turns, %lld start%s%s: %lld effects, %lld rows compared\n", (long long)r->inputs, (long long)r->turns,
			(long long)r->starts, r->starts == 1 ? "" : "s", r->from ? ", after those of the earlier copy" : "", (long long)r->effects,
			(long long)r->compared.rows);
	if (r->compared.differences == 0) {
		if (!run->json)
			printf("the same, to the last bit\n");
		return 0;
	}
	fprintf(stderr, "slew: replay of %s: %lld row%s differ%s, first %s; another program version, machine or C library decides otherwise, or a "
		"bug: please report it\n", run->path, (long long)r->compared.differences, r->compared.differences == 1 ? "" : "s",
		r->compared.differences == 1 ? "s" : "", r->difference);
	return 1;
}

/* One snapshot, also of a state that is being written. */
static int state_open(const char *path, sqlite3 **db, struct err *e)
{
	if (path == NULL)
		return 0;
	return query_open_state(path, db, e) < 0 ? -1 : query_run(*db, e, "BEGIN", "");
}

static int replay(const struct replay_run *run)
{
	struct err e = {0};
	struct replay_report r;
	sqlite3 *journal = NULL, *fresh = NULL, *from = NULL;
	int rc = state_open(run->path, &journal, &e);
	if (rc == 0)
		rc = state_open(run->from, &from, &e);
	if (rc == 0)
		rc = query_open(":memory:", QUERY_WRITE, &fresh, &e);
	struct replay_options o = {.from = from, .each = run->all ? each : NULL};
	if (rc == 0)
		rc = sim_replay(journal, fresh, &o, &r, &e);
	sqlite3_close(fresh);
	sqlite3_close(from);
	sqlite3_close(journal);
	if (rc < 0) {
		err_wrap(&e, "replay of %s", run->path);
		return err_print(&e);
	}
	return told(run, &r);
}

static int run(int argc, char **argv)
{
	struct replay_run r = {0};
	struct err e = {0};
	if (offline_enter(&e) < 0) /* nothing in a replay asks for it; this is the second lock */
		fprintf(stderr, "slew: replay: %s; going on without\n", e.text);
	for (int i = 1; i < argc; i++) {
		const char *o = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;
		const char **one = strcmp(o, "--from") == 0 ? &r.from : strcmp(o, "--catalog") == 0 ? &r.catalog : strcmp(o, "--keep") == 0 ? &r.keep :
			strcmp(o, "--policy") == 0 && r.policies < REPLAY_POLICIES ? &r.policy[r.policies] : NULL;
		if (one != NULL && value != NULL) {
			*one = argv[++i];
			r.policies += strcmp(o, "--policy") == 0;
		} else if (strcmp(o, "--json") == 0) {
			r.json = true;
		} else if (strcmp(o, "--all") == 0) {
			r.all = true;
		} else if (o[0] == '-') {
			return cmd_usage(&command_replay, "\"%s\" is not understood, or lacks its value", o);
		} else if (r.path != NULL) {
			return cmd_usage(&command_replay, "one state at a time");
		} else {
			r.path = o;
		}
	}
	if (r.json && r.all)
		return cmd_usage(&command_replay, "--all is for people, --json for programs: one of them");
	if (r.policies > 0 ? r.from || r.all : r.catalog || r.keep)
		return cmd_usage(&command_replay, "--catalog and --keep belong to --policy, --from and --all to a replay without");
	if (r.path == NULL)
		return cmd_usage(&command_replay, "give the state file");
	return r.policies > 0 ? replay_policy_run(&r) : replay(&r);
}

const struct command command_replay = {"replay",
	"[--from SNAPSHOT.db] [--all | --json] STATE.db | --policy [NAME=]POLICY… [--catalog FILE] [--keep NEW.db] [--json] STATE.db",
	"the same inputs again: the same rows, or the first difference; --policy: what another policy would have done",
	"Feeds the journal of a state (its table input) to an empty state in memory, turn by turn, each input at its own time, and\n"
	"compares every row of every table. Nothing is sent: the answers that came in are rows of the journal. A live state may be\n"
	"replayed; it is read in one snapshot, and never written. A state of an older release is brought up to date in memory first.\n\n"
	"  --from SNAPSHOT.db   begin with an earlier copy of this state, and feed only what came later\n"
	"  --all                name every row that differs, not only the first\n"
	"  --json               one JSON object in place of words\n\n"
	"With --policy: what would this policy have done on that night? Alerts, orders and what the facilities said of themselves are fed\n"
	"as they came. Where the same is asked as then, the answer of that night is used; a facility that hears something else than that\n"
	"night is simulated from there on (fair weather), and what it said is marked so. A story, and for each event then and now.\n\n"
	"  --policy POLICY       a file, or a name of `slew policy list`, in place of the only policy of that night\n"
	"  --policy NAME=POLICY  in place of the one called NAME; may be repeated\n"
	"  --catalog FILE        the galaxies, when they are no longer where they were\n"
	"  --keep NEW.db         the state that it leads to, for `slew report` (it is no state to run on)\n\n"
	"Exit codes: 0 the same, or the what-if is told; 1 a difference (the first one is shown: table, row, was, is, and the input that it\n"
	"began with), or no state that can be read; 75 sick store\n\n"
	"  slew replay demo/state.db\n  slew replay --from /backup/monday.db state.db\n  slew replay --policy mine.json demo/state.db\n"
	"  slew replay --policy bns-near=nearer.json --policy nsbh-dark=nsbh-dark --json state.db\n",
	run};

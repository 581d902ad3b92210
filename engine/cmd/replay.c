/* slew replay: the same inputs again; the same rows, or the first difference. */
#include "engine/base/query.h"
#include "engine/cmd/cmd.h"
#include "engine/io/offline.h"
#include "sim/replay.h"
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct replay_run {
	const char *path, *from;
	bool json, all;
};

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
		if (strcmp(argv[i], "--json") == 0)
			r.json = true;
		else if (strcmp(argv[i], "--all") == 0)
			r.all = true;
		else if (strcmp(argv[i], "--from") == 0 && i + 1 < argc)
			r.from = argv[++i];
		else if (argv[i][0] == '-')
			return cmd_usage(&command_replay, "\"%s\" is not understood, or lacks its value", argv[i]);
		else if (r.path != NULL)
			return cmd_usage(&command_replay, "one state at a time");
		else
			r.path = argv[i];
	}
	if (r.json && r.all)
		return cmd_usage(&command_replay, "--all is for people, --json for programs: one of them");
	return r.path ? replay(&r) : cmd_usage(&command_replay, "give the state file");
}

const struct command command_replay = {"replay", "[--from SNAPSHOT.db] [--all | --json] STATE.db",
	"the same inputs again: the same rows, or the first difference",
	"Feeds the journal of a state (its table input) to an empty state in memory, turn by turn, each input at its own time, and\n"
	"compares every row of every table, effects first among them. Nothing is sent: the answers that came in are rows of the journal.\n"
	"A live state may be replayed; it is read in one snapshot. A state of an older release is brought up to date in memory first.\n\n"
	"  --from SNAPSHOT.db   begin with an earlier copy of this state, and feed only what came later\n"
	"  --all                name every row that differs, not only the first\n"
	"  --json               counts and the first difference as one JSON object\n\n"
	"Exit codes: 0 the same; 1 a difference (the first one is shown: table, row, was, is, and the input that it began with), or no\n"
	"state that can be read; 75 sick store\n\n"
	"  slew replay demo/state.db\n  slew replay --from /backup/monday.db state.db\n",
	run};

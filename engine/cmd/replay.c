/* slew replay: the same inputs again; the same rows, or the first difference. */
#include "engine/base/query.h"
#include "engine/cmd/cmd.h"
#include "sim/replay.h"
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int replay(const char *path, bool json)
{
	struct err e = {0};
	struct replay_report r;
	sqlite3 *journal = NULL, *fresh = NULL;
	int rc = query_open_state(path, &journal, &e);
	if (rc == 0)
		rc = query_open(":memory:", QUERY_WRITE, &fresh, &e);
	/* one snapshot, also of a state that is being written */
	if (rc == 0)
		rc = query_run(journal, &e, "BEGIN", "");
	if (rc == 0)
		rc = sim_replay(journal, fresh, &r, &e);
	sqlite3_close(fresh);
	sqlite3_close(journal);
	if (rc < 0) {
		err_wrap(&e, "replay of %s", path);
		return err_print(&e);
	}
	if (json)
		printf("{\"inputs\":%lld,\"turns\":%lld,\"starts\":%lld,\"effects\":%lld,\"rows\":%lld,\"same\":%s}\n", (long long)r.inputs,
			(long long)r.turns, (long long)r.starts, (long long)r.effects, (long long)r.rows, r.difference[0] ? "false" : "true");
	else
		printf("%lld inputs in %lld turns, %lld start%s: %lld effects, %lld rows compared\n", (long long)r.inputs, (long long)r.turns,
			(long long)r.starts, r.starts == 1 ? "" : "s", (long long)r.effects, (long long)r.rows);
	if (r.difference[0] == '\0') {
		if (!json)
			printf("the same, to the last bit\n");
		return 0;
	}
	fprintf(stderr, "slew: replay of %s: %s; another program version, machine or C library decides otherwise, or a bug: please report it\n",
		path, r.difference);
	return 1;
}

static int run(int argc, char **argv)
{
	const char *path = NULL;
	bool json = false;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			json = true;
		else if (argv[i][0] == '-')
			return cmd_usage(&command_replay, "\"%s\" is not understood", argv[i]);
		else if (path != NULL)
			return cmd_usage(&command_replay, "one state at a time");
		else
			path = argv[i];
	}
	return path ? replay(path, json) : cmd_usage(&command_replay, "give the state file");
}

const struct command command_replay = {"replay", "[--json] STATE.db", "the same inputs again: the same rows, or the first difference",
	"Feeds the journal of a state (its table input) to an empty state in memory, turn by turn, each input at its own time, and\n"
	"compares every row of every table. Nothing is sent: the answers that came in are rows of the journal. A live state may be\n"
	"replayed; it is read in one snapshot.\n\n"
	"Exit codes: 0 the same; 1 a difference (the first one is shown: table, row, was, is), or no state; 75 sick store\n\n"
	"  slew replay demo/state.db\n",
	run};

/* `slew check`: what is wrong with a configuration or a state, and how to mend it. */
#include "engine/base/query.h"
#include "engine/cmd/check.h"
#include "engine/cmd/cmd.h"
#include "engine/core/core.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void check_say(struct check_sheet *s, enum check_mark mark, const char *subject, const char *format, ...)
{
	static const char *const marks[] = {"ok   ", "warn ", "WRONG"};
	va_list ap;
	s->count[mark]++;
	printf("%s  %-12s ", marks[mark], subject);
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	putchar('\n');
}

static int check_verdict(const struct check_sheet *s)
{
	printf("%d ok, %d warnings, %d wrong\n", s->count[CHECK_OK], s->count[CHECK_WARN], s->count[CHECK_WRONG]);
	return s->count[CHECK_WRONG] > 0;
}

static int check_state(const char *path)
{
	struct err e = {0};
	sqlite3 *db = NULL;
	struct check_sheet sheet = {{0}};
	char found[256] = "";
	if (query_open_state(path, &db, &e) < 0)
		return err_print(&e);
	int rc = query_text(db, found, sizeof found, &e, "PRAGMA quick_check(1)", "");
	if (rc < 0 && e.kind == ERR_MEMORY) { /* says nothing about the file */
		err_wrap(&e, "state %s", path);
		sqlite3_close(db);
		return err_print(&e);
	}
	if (rc < 0 || strcmp(found, "ok") != 0)
		check_say(&sheet, CHECK_WRONG, "file", "%s; stop the engine, keep this file, go back to the last good copy", rc < 0 ? e.text : found);
	else
		check_say(&sheet, CHECK_OK, "file", "SQLite finds the file sound");
	json_t *rows = rc >= 0 ? core_check_rows(db, &e) : NULL, *row;
	size_t i;
	if (rows == NULL)
		check_say(&sheet, CHECK_WRONG, "invariants", "they could not be asked: %s", e.text);
	else if (json_array_size(rows) == 0)
		check_say(&sheet, CHECK_OK, "invariants", "every view check_* is empty");
	json_array_foreach(rows, i, row) {
		char *text = json_dumps(json_object_get(row, "row"), JSON_COMPACT | JSON_ENCODE_ANY);
		check_say(&sheet, CHECK_WRONG, "invariant", "%s: %s", json_string_value(json_object_get(row, "check")), text ? text : "");
		free(text);
	}
	json_decref(rows);
	sqlite3_close(db);
	return check_verdict(&sheet);
}

static int check_run(int argc, char **argv)
{
	const char *config = NULL, *state = NULL;
	bool print = false;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--print") == 0)
			print = true;
		else if (strcmp(argv[i], "--state") == 0 && i + 1 < argc)
			state = argv[++i];
		else if (argv[i][0] == '-' || config != NULL)
			return cmd_usage(&command_check, "unexpected \"%s\"", argv[i]);
		else
			config = argv[i];
	}
	if ((config == NULL) == (state == NULL))
		return cmd_usage(&command_check, "give CONFIG, or --state DB");
	if (state != NULL)
		return check_state(state);
	struct config c;
	struct err e = {0};
	struct check_sheet sheet = {{0}};
	if (config_load(config, &c, &e) < 0)
		return err_print(&e);
	check_say(&sheet, CHECK_OK, "config", "%s: valid, digest %.12s", config, c.sha256);
	check_config(&c, &sheet);
	if (print)
		check_print(&c);
	config_free(&c);
	return check_verdict(&sheet);
}

const struct command command_check = {
	"check", "CONFIG [--print] | --state DB", "config, policies, facilities, credentials, libraries, clock: what is wrong",
	"CONFIG      reads the configuration with its policies and descriptors as `slew run` would, and\n"
	"            looks at what it names: state, catalogue, secret files, groups, filters, the versions\n"
	"            of libraries, the clock. No broker and no telescope is contacted.\n"
	"--print     also prints what was understood, defaults filled in (no secrets)\n"
	"--state DB  asks the invariants of a state, also of one in use: each must hold in every row\n\n"
	"Exit code 0: nothing is wrong (there may be warnings); 1: something is.\n",
	check_run};

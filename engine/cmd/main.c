/* slew: one program, one table of commands. */
#include "engine/cmd/cmd.h"
#include "engine/base/err.h"
#include "engine/base/near.h"
#include "engine/io/mapchild.h"
#include <errno.h>
#include <jansson.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* In the order in which a newcomer meets them; a heading stands before the first of its kind. */
static const struct command *const commands[] = {&command_catalog, &command_decode, &command_summary, &command_area, &command_rank, &command_fields, &command_visible,
	&command_depth, &command_plan, &command_plot, &command_policy, &command_check, &command_run, &command_ctl, &command_report, &command_replay,
	&command_sim, &command_world};
#define COMMANDS (sizeof commands / sizeof commands[0])
static const struct {
	const struct command *first;
	const char *words;
} headings[] = {{&command_catalog, "By hand, from a sky map or an alert; nothing is sent:"}, {&command_policy, "The engine:"},
	{&command_sim, "Nights that never were:"}};

static int help(FILE *to)
{
	fprintf(to, "slew " SLEW_VERSION ": hears astronomical alerts, asks telescopes, tracks, tells.\n");
	for (size_t i = 0; i < COMMANDS; i++) {
		for (size_t k = 0; k < sizeof headings / sizeof headings[0]; k++)
			if (headings[k].first == commands[i])
				fprintf(to, "\n%s\n", headings[k].words);
		fprintf(to, "  slew %-9s %s\n", commands[i]->name, commands[i]->summary);
	}
	fprintf(to, "\n`slew COMMAND --help` explains one. Exit codes: 0, 1 bad input, 2 usage, 3 refused, 75 sick store.\n");
	return 0;
}

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

static int unknown(const char *name)
{
	struct near_best best = {0};
	for (size_t i = 0; i < COMMANDS; i++)
		near_try(&best, name, commands[i]->name);
	const char *meant = near_found(&best, name);
	fprintf(stderr, "slew: no command \"%s\"; %s%s%s`slew help` lists them\n", name, meant ? "did you mean " : "", meant ? meant : "", meant ? "? " : "");
	return 2;
}

/* What was printed has to be there: a full disk or a closed output is no success. */
static int written(int rc)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return rc;
	if (rc == 0)
		fprintf(stderr, "slew: standard output: cannot be written: %s; the output is not complete\n", strerror(errno));
	return rc != 0 ? rc : 1;
}

int main(int argc, char **argv)
{
	json_set_alloc_funcs(err_malloc, free);
	if (argc < 2) {
		help(stderr);
		return 2;
	}
	if (strcmp(argv[1], "--map-child") == 0)
		return mapchild_main();
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); /* nobody asks how much it holds, and to know it takes a lock for each piece */
	if (strcmp(argv[1], "--version") == 0)
		return puts("slew " SLEW_VERSION) < 0;
	int ask = strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0;
	if (ask && argc == 2)
		return help(stdout);
	const struct command *c = find(argv[ask ? 2 : 1]);
	if (c == NULL)
		return unknown(argv[ask ? 2 : 1]);
	for (int i = 2; i < argc && !ask; i++)
		ask = strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0;
	return written(ask ? cmd_help(c) : c->run(argc - 1, argv + 1));
}

int cmd_help(const struct command *c)
{
	printf("usage: slew %s %s\n%s\n\n%s", c->name, c->args, c->summary, c->help);
	return 0;
}

int cmd_usage(const struct command *c, const char *format, ...)
{
	va_list ap;
	fprintf(stderr, "slew: %s: ", c->name);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fprintf(stderr, "; see `slew %s --help`\n", c->name);
	return 2;
}

int cmd_read_file(const char *path, unsigned long max, unsigned char **bytes, unsigned long *len)
{
	int std = strcmp(path, "-") == 0;
	FILE *f = std ? stdin : fopen(path, "rbe");
	if (f == NULL) {
		fprintf(stderr, "slew: %s: %s; give the path of a file, or - for standard input\n", path, strerror(errno));
		return 1;
	}
	size_t n = 0, cap = 1 << 16;
	unsigned char *buf = malloc(cap);
	while (buf != NULL) {
		n += fread(buf + n, 1, cap - n, f);
		if (n < cap || n > max)
			break;
		cap *= 2;
		unsigned char *more = realloc(buf, cap);
		if (more == NULL)
			free(buf);
		buf = more;
	}
	int bad = buf == NULL || ferror(f);
	if (!std)
		fclose(f);
	if (bad || n > max) {
		if (bad)
			fprintf(stderr, "slew: %s: cannot be read: %s\n", path, strerror(errno));
		else
			fprintf(stderr, "slew: %s: is larger than the limit of %lu bytes\n", path, max);
		free(buf);
		return 1;
	}
	*bytes = buf;
	*len = n;
	return 0;
}

/* slew: one program, one table of commands. */
#include "engine/cmd/cmd.h"
#include "engine/base/err.h"
#include "engine/io/mapchild.h"
#include <errno.h>
#include <jansson.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct command *const commands[] = {&command_run, &command_ctl, &command_decode, &command_area, &command_rank, &command_fields,
	&command_visible, &command_depth, &command_plan, &command_policy, &command_catalog, &command_check, &command_report, &command_sim, &command_replay,
	&command_world, &command_plot};
#define COMMANDS (sizeof commands / sizeof commands[0])

static int help(FILE *to)
{
	fprintf(to, "slew " SLEW_VERSION ": hears astronomical alerts, asks telescopes, tracks, tells.\n\n");
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(to, "  slew %-9s %s\n", commands[i]->name, commands[i]->summary);
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
	if (c == NULL) {
		fprintf(stderr, "slew: no command \"%s\"; `slew help` lists them\n", argv[ask ? 2 : 1]);
		return 2;
	}
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

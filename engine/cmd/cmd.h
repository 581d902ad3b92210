/* One file per subcommand; main.c is the table. */
#ifndef ENGINE_CMD_CMD_H
#define ENGINE_CMD_CMD_H

struct command {
	const char *name;      /* "rank" */
	const char *args;      /* "[--json|--csv] … MAP" */
	const char *summary;   /* one line for `slew help` */
	const char *help;      /* the whole text of `slew rank --help` below the usage line */
	int (*run)(int argc, char **argv); /* argv[0] is the command's name; returns the exit code */
};

/* Prints usage and help of a command to stdout (returns 0). */
int cmd_help(const struct command *c);
/* "slew: …; see `slew NAME --help`" on stderr; returns 2. */
int cmd_usage(const struct command *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Whole file or standard input ("-") into malloc'd memory, ≤ max bytes; 0, or the exit code after printing the error. */
int cmd_read_file(const char *path, unsigned long max, unsigned char **bytes, unsigned long *len);

extern const struct command command_run, command_ctl, command_decode, command_area, command_rank, command_visible, command_plan,
	command_replay, command_sim, command_catalog, command_check, command_policy, command_world, command_report, command_depth,
	command_plot, command_fields, command_summary;
#endif

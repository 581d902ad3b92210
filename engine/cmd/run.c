/* slew run: the daemon. */
#include "engine/base/log.h"
#include "engine/cmd/cmd.h"
#include "engine/io/loop.h"
#include <string.h>

static int run(int argc, char **argv)
{
	struct log log = {.to = stderr, .least = LOG_INFO};
	const char *path = NULL;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--debug") == 0)
			log.least = LOG_DEBUG;
		else if (strcmp(argv[i], "--quiet") == 0)
			log.least = LOG_WARN;
		else if (argv[i][0] == '-' || path != NULL)
			return cmd_usage(&command_run, "\"%s\" is not understood", argv[i]);
		else
			path = argv[i];
	}
	if (path == NULL)
		return cmd_usage(&command_run, "which configuration?");
	struct err e = {0};
	int rc = loop_run(path, log, &e);
	if (e.kind != ERR_NONE)
		err_print(&e);
	return rc;
}

const struct command command_run = {
	.name = "run",
	.args = "[--debug|--quiet] CONFIG",
	.summary = "the daemon: hears alerts, asks telescopes, tracks, tells",
	.help =
	"Runs one configuration (JSON; `slew check CONFIG` explains it) until SIGTERM or SIGINT.\n\n"
	"It reads alerts from Kafka topics or a spool directory, reads their sky maps, ranks galaxies, decides by your policies,\n"
	"asks the facilities you name, follows every request, and withdraws all of it when the alert is retracted. Everything it\n"
	"knows is in one SQLite file (\"state\"): it may be killed at any moment and goes on from there.\n\n"
	"  --debug    also every call to a facility, every reply, every computation\n"
	"  --quiet    warnings and alarms only\n\n"
	"Log lines go to standard error: time, level, event or facility, what. An \"alarm\" means that a person is needed.\n"
	"Talk to it with `slew ctl`. SIGHUP reads the configuration anew (validated whole, refused whole).\n"
	"On SIGTERM it stops listening, takes the replies that are under way (5 s at most) and ends; a second one ends at once.\n\n"
	"Beside the state stand STATE.lock (one engine at a time), STATE.ballast (room for when the disk is full), STATE.sock.\n\n"
	"Exit codes: 0 stopped in order; 1 the configuration is wrong; 2 usage; 3 another engine runs on this state;\n"
	"75 the store is sick (disk, database): nothing was lost, mend it and start again.\n",
	.run = run,
};

/* The parts of `slew replay`: replay.c reads the command line. */
#ifndef ENGINE_CMD_REPLAY_H
#define ENGINE_CMD_REPLAY_H
#include "engine/cmd/cmd.h"
#include <stdbool.h>

#define REPLAY_POLICIES 16

struct replay_run {
	const char *path, *from, *catalog, *keep;
	const char *policy[REPLAY_POLICIES]; /* as given: NAME=FILE, FILE or a name */
	int policies;
	bool json, all;
};

/* replay_policy.c: what these policies would have done on that night. */
int replay_policy_run(const struct replay_run *r);
#endif

/* The parts of `slew sim`: sim.c looks which one is meant. Each takes the whole command line and returns the exit code. */
#ifndef ENGINE_CMD_SIM_H
#define ENGINE_CMD_SIM_H
#include "engine/cmd/cmd.h"
#include <stdbool.h>
#include <stdint.h>

/* sim_nights.c: scenarios, and random nights by seed. */
int sim_nights_run(int argc, char **argv);
/* A whole number of at least `least`, and nothing else in text. */
bool sim_number(const char *text, int64_t least, int64_t *out);

/* sim_real.c: dry runs of real nights, one or an ensemble. */
int sim_real_run_command(int argc, char **argv);

/* sim_menu.c: the troubles of random nights. */
int sim_menu_run(int argc, char **argv);

/* sim_compare.c: two ensembles on the same nights. */
int sim_compare_run(int argc, char **argv);
#endif

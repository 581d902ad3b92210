/* `slew visible --night`: the night of each site, without a target. */
#ifndef ENGINE_CMD_VISIBLE_NIGHT_H
#define ENGINE_CMD_VISIBLE_NIGHT_H
#include "engine/target/visibility.h"

/* Prints the night that goes on or comes next at at_us: a table, or one JSON object a site. dut1_s: UT1 − UTC. Returns an exit code. */
int visible_night(const struct visibility_site *sites, size_t count, int64_t at_us, double dut1_s, bool json);
#endif

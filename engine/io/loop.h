/* The daemon: one libuv loop that carries between the world and the core thread. */
#ifndef ENGINE_IO_LOOP_H
#define ENGINE_IO_LOOP_H
#include "engine/base/err.h"
#include "engine/base/log.h"

/* Runs the configuration at path until SIGTERM or SIGINT; log lines go to `log`. Returns the exit code (err.h; 0 after an orderly
 * stop); what kept it from starting is in e. */
int loop_run(const char *config_path, struct log log, struct err *e);
#endif

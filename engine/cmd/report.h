/* The page of a night, for `slew report` and for dry runs. */
#ifndef ENGINE_CMD_REPORT_H
#define ENGINE_CMD_REPORT_H
#include "engine/report/night.h"

/* Reads the maps and all else from in->ro, and writes the page to a path ("-" is standard output). */
int report_page(struct night_input *in, const char *path, struct err *e);
#endif

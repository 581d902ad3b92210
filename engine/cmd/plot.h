/* `slew plot KIND`: what was said on the command line, and one function a kind. */
#ifndef ENGINE_CMD_PLOT_H
#define ENGINE_CMD_PLOT_H
#include "engine/base/err.h"
#include "engine/base/text.h"
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct plot {
	const char *input[2];                       /* MAP, STATE.db or plan, or RA and Dec */
	int inputs;
	const char *catalog, *weight, *at, *facility, *site, *targets, *event, *fields, *footprint, *out; /* NULL: not said */
	double hours, top, max_airmass, sun_deg, moon_deg;
};

/* Each appends the picture, or prints the error and returns the exit code. */
int plot_sky(const struct plot *p, struct text *out);
int plot_distance(const struct plot *p, struct text *out);
int plot_altitude(const struct plot *p, struct text *out);
int plot_probability(const struct plot *p, struct text *out);

/* What the visits of a plan would show, against time; plan: as `slew plan --json` prints it. */
void plot_plan(const json_t *plan, const char *title, bool alone, struct text *out);
#endif

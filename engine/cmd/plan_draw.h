/* The page of `slew plan --plot`: the sky with the ranked galaxies, the altitudes over every site that is asked, and
 * what the visits would show, against time. */
#ifndef ENGINE_CMD_PLAN_DRAW_H
#define ENGINE_CMD_PLAN_DRAW_H
#include "engine/base/err.h"
#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/* All borrowed. targets: of a rank's result; requests: of a plan's; facilities: as in a plan's job; plan: as --json prints it. */
struct plan_drawing {
	const char *event;
	const unsigned char *map;
	size_t map_len;
	const json_t *targets, *requests, *facilities, *plan;
	int64_t now_us, end_us;
};
int plan_draw(const char *path, const struct plan_drawing *d, struct err *e);
#endif

/* Targets that are fields of cameras ("field:CAMERA:PIXEL") as outlines on the sky. Pure. */
#ifndef ENGINE_REPORT_FRAMES_H
#define ENGINE_REPORT_FRAMES_H
#include "engine/report/sky.h"
#include <jansson.h>

struct frames {
	struct sky_field *list;
	double (*corners)[2];
	size_t count;
};

/* Is a target (of a plan or a state: key, name, ra_deg, dec_deg) a field? */
bool frames_is(const json_t *target);

/* The fields among targets, in the shape of their cameras as descriptors (an array) have them; unknown cameras are left out. colour may be NULL:
 * black. Names and colours are borrowed from the targets; frames_free gives back the rest. */
void frames_of(const json_t *targets, const json_t *descriptors, const char *(*colour)(const void *ctx, const json_t *target), const void *ctx,
	struct frames *out);
void frames_free(struct frames *f);
#endif

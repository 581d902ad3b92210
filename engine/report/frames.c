/* Fields of cameras as outlines: see frames.h. */
#include "engine/report/frames.h"
#include "engine/base/json.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DESCRIPTORS 16

bool frames_is(const json_t *target)
{
	return strncmp(json_text(target, "key", ""), "field:", 6) == 0;
}

static bool camera_of(const json_t *target, const json_t *const *known, size_t count, struct footprint *out)
{
	const char *key = json_text(target, "key", ""), *colon = strrchr(key, ':');
	struct err e = {0};
	char name[64];
	if (!frames_is(target) || colon < key + 6)
		return false;
	snprintf(name, sizeof name, "%.*s", (int)(colon - key - 6), key + 6);
	return footprint_find(known, count, name, out, &e) == 0;
}

void frames_of(const json_t *targets, const json_t *descriptors, const char *(*colour)(const void *ctx, const json_t *target), const void *ctx,
	struct frames *out)
{
	const json_t *known[DESCRIPTORS], *d, *t;
	size_t i, count = 0;
	*out = (struct frames){calloc(json_array_size(targets) + 1, sizeof *out->list),
		calloc(json_array_size(targets) * FOOTPRINT_POINTS + 1, sizeof *out->corners), 0};
	must_memory(out->list != NULL && out->corners != NULL);
	json_array_foreach(descriptors, i, d)
		if (count < DESCRIPTORS)
			known[count++] = d;
	json_array_foreach(targets, i, t) {
		struct footprint camera;
		if (!camera_of(t, known, count, &camera))
			continue;
		double (*corners)[2] = out->corners + out->count * FOOTPRINT_POINTS;
		out->list[out->count++] = (struct sky_field){(const double(*)[2])corners,
			sky_corners(&camera, json_number(t, "ra_deg", 0), json_number(t, "dec_deg", 0), corners), json_text(t, "name", ""),
			colour != NULL ? colour(ctx, t) : NULL};
	}
}

void frames_free(struct frames *f)
{
	free(f->list);
	free(f->corners);
}

/* What others have completed: a file of pointings, for the plan (member "covered" of its job, engine/request/plan.h). */
#ifndef ENGINE_IO_OTHERS_H
#define ENGINE_IO_OTHERS_H
#include "engine/base/err.h"
#include <jansson.h>
#include <stddef.h>

struct others {
	json_t *list;       /* [{"target" | "ra_deg","dec_deg","radius_deg", "band","depth_mag","time_us"}] */
	char sha256[65];    /* of the file's bytes */
	size_t rows, unfit; /* unfit: not completed, no band of kilonova.h, no AB depth, no place or no time */
};

/* A JSON list, either
 *   {"target": key | "ra_deg","dec_deg"[,"radius_deg"], "band": "r", "depth_mag": 22.1, "time": ISO 8601}, or
 *   as the Gravitational Wave Treasure Map answers GET /api/v1/pointings (Wyatt et al. 2020, arXiv:2001.00588): "status", "position":
 *   "POINT (-162.55 -23.38)" or "ra","dec", "band", "depth", "depth_unit", "time"; its instruments' fields are not known: radius_deg counts, else
 *   the plan's own.
 * depth: 5 sigma, AB. The list is the caller's (json_decref). 0, or -1 with e set and no list. */
int others_read(const char *path, struct others *out, struct err *e);
#endif

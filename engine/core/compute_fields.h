/* The part of a ranking that packs galaxies and sky into frames of cameras (compute.h). */
#ifndef ENGINE_CORE_COMPUTE_FIELDS_H
#define ENGINE_CORE_COMPUTE_FIELDS_H
#include "engine/core/compute.h"
#include "engine/target/rank.h"

/* Adds "fields" to the result of a ranking, and to its "targets" the galaxies that are held and not there yet. A camera that is not known gives
 * no field. -1: no memory. */
int compute_fields(const struct compute_host *host, const struct skymap *m, const json_t *fields, json_t *result, struct err *e);

/* A region of the map as one target (an entry with from "region"): cells of order 5 that the densest part of the map touches. NULL: no memory. */
json_t *compute_region(const struct skymap *m, const json_t *entry, struct err *e);

/* A ranked galaxy as a target of the answer. New reference; NULL without memory. */
json_t *compute_target(const struct catalog *c, const struct ranked *r, size_t rank, double probability);
#endif

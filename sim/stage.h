/* What many nights of one process share, because it is dear to make: a made-up universe with its catalogue, the sky maps of its mergers,
 * and the answers of computations that depend on nothing else (reading a map, ranking by it). One thread owns a stage. */
#ifndef SIM_STAGE_H
#define SIM_STAGE_H
#include "engine/base/err.h"
#include "engine/base/text.h"
#include "engine/core/compute.h"
#include "engine/target/catalog.h"
#include "sim/sky.h"
#include <jansson.h>
#include <stdint.h>

struct sim_stage;

/* Universe of that seed; its catalogue is written at scratch and mapped: the caller may remove the file at once. */
struct sim_stage *sim_stage_new(uint64_t seed, const char *scratch, struct err *e);
void sim_stage_free(struct sim_stage *s);

uint64_t sim_stage_seed(const struct sim_stage *s);
const struct catalog *sim_stage_catalog(const struct sim_stage *s);
const struct sim_sky *sim_stage_sky(const struct sim_stage *s);

/* FITS bytes of the map `stream` of an event; its host is drawn by the event's name. Borrowed until the stage is freed. */
int sim_stage_map(struct sim_stage *s, const char *event, const char *stream, const struct text **fits, struct err *e);

/* compute_run with a memory for map and rank jobs: they name all that they depend on by digest. ctx: a stage. */
int sim_stage_compute(void *ctx, const struct compute_host *host, const json_t *job, json_t **result, struct err *e);
#endif

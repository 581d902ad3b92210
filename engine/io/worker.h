/* Worker threads: computations and views, on read-only handles of the state. */
#ifndef ENGINE_IO_WORKER_H
#define ENGINE_IO_WORKER_H
#include "engine/base/err.h"
#include <jansson.h>
#include <stdint.h>
#include <uv.h>

struct around;
struct catalog;
struct workers;

/* Called on the loop. result NULL: the host broke, e says how. Both borrowed. */
typedef void worker_done_cb(void *ctx, uint64_t id, const json_t *result, const struct err *e);

struct workers *workers_open(uv_loop_t *loop, const char *state_path, void *ctx, struct err *e);

/* Takes an open catalogue (the struct is copied) beside those that are there: a job gets the one whose digest it names. */
void workers_catalog(struct workers *w, const struct catalog *catalog);
/* Dust and reference images for plans (around.h), malloc'd and given; once, before the first job. */
void workers_around(struct workers *w, struct around *around);
/* That one is not wanted any more: it is closed as soon as no job holds it. */
void workers_catalog_drop(struct workers *w, const char *sha256);

/* A computation (compute.h); takes job. At most two at a time, the others wait in order: a view always finds a thread. */
void workers_compute(struct workers *w, uint64_t effect, json_t *job, worker_done_cb *done);

/* A view (engine/report/views.h), within 2 s; takes request. */
void workers_view(struct workers *w, uint64_t client, json_t *request, int64_t now_us, worker_done_cb *done);

/* From now on `done` is not called any more. Waits for nothing: memory goes with the last job. */
void workers_close(struct workers *w);
#endif

/* The demo world's observation portal: sim/portal.h served over real HTTP on 127.0.0.1, any free
 * port. Never part of the engine. */
#ifndef ENGINE_CMD_WORLD_HTTP_H
#define ENGINE_CMD_WORLD_HTTP_H
#include "engine/base/err.h"
#include "engine/io/clock.h"
#include "sim/portal.h"

struct world_http;

/* Takes the portal; clock is borrowed and may start in the future. Replies are made at its sky
 * time. Threads of its own. */
struct world_http *world_http_open(
	struct sim_portal *portal, const struct clock *clock, struct err *e);
/* Before the first call: so many wall milliseconds lie between a submit's effect and its answer. */
void world_http_think(struct world_http *w, int submit_ms);
int world_http_port(const struct world_http *w);

/* Lets the portal do what is due, and gives its ledger (new reference). */
json_t *world_http_ledger(struct world_http *w);

/* How long the portal itself took for its calls: {"calls","p50_us","p99_us","max_us"}, empty before the first. New reference. */
json_t *world_http_spent(struct world_http *w);

void world_http_close(struct world_http *w); /* waits for the threads, frees the portal */
#endif

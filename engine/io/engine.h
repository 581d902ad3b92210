/* What the files of the loop share: the running engine. Not for other rooms. Everything here belongs to the loop's thread. */
#ifndef ENGINE_IO_ENGINE_H
#define ENGINE_IO_ENGINE_H
#include "engine/base/log.h"
#include "engine/io/clock.h"
#include "engine/io/configure.h"
#include "engine/io/core_thread.h"
#include "engine/io/exchange.h"
#include "engine/io/http.h"
#include "engine/io/kafka.h"
#include "engine/io/lock.h"
#include "engine/io/secret.h"
#include "engine/io/socket.h"
#include "engine/io/spool.h"
#include "engine/io/worker.h"
#include "engine/target/catalog.h"


/* A call that is out: what is needed when its reply comes. */
struct flight {
	struct flight *next;
	int64_t effect, sent_boot_us;
	char facility[64], what[160];
	json_t *redact;           /* the descriptor's list, or NULL; owned */
};

struct engine {
	uv_loop_t loop;
	struct log log;
	struct config *config;    /* in force */
	struct config *first;     /* of the start: the sources borrow from it; the same as config until a reload */
	struct config *next;      /* validated, on its way through the core; NULL */
	struct letter *reload;    /* the order that asked for it: journalled and answered once it is in force; NULL by SIGHUP */
	struct secrets secrets;
	struct lock lock;
	struct clock clock;
	struct clock_watch watch;
	struct catalog catalog;   /* until the workers take it */
	json_t *catalog_says;     /* {"sha256","rows","path"} or NULL: of the configuration in force */
	json_t *catalog_next;     /* of the next one */
	char installation[16], store_id[64];
	bool restored;
	struct source_positions positions;
	struct core_thread *core;
	struct http *http;
	struct exchange *exchange;
	struct workers *workers;
	struct socket *socket;
	struct kafka **kafkas;
	struct spool **spools;
	size_t kafka_count, spool_count;
	bool paused;
	uv_async_t turns;
	uv_timer_t alarm, second, stopping;
	uv_signal_t term, intr, hup;
	struct flight *flights;
	int64_t due_utc_us, due_tick_us, started_boot_us, stop_boot_us, seq;
	uint64_t inputs, calls;
	bool timer_out;           /* a timer input is on its way: no second one */
	bool ready, stop, ended, disk_full;
	int exit_code;
};

/* engine.c */
void engine_log(struct engine *g, enum log_level level, const char *subject, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void engine_put(struct engine *g, struct letter *l); /* takes; NULL (no memory) is logged */
void engine_stop(struct engine *g, int exit_code, const char *why);
void engine_wake(void *ctx);                         /* from the core thread: turns are ready */
int engine_handles(struct engine *g, struct err *e); /* the loop and its own handles; then uv_run */
void engine_close_handle(uv_handle_t *h, void *engine); /* for uv_walk: the engine's own handles, when the start fails */
/* Opens the catalogue that a configuration names ("": none, says is NULL then) and tells what the core is told of it. */
int engine_catalog_open(const char *path, struct catalog *out, json_t **says, struct err *e);
int engine_config_put(struct engine *g, struct err *e); /* g->next, or g->config at the start */

/* dispatch.c: effects out, replies and results in. */
void dispatch_effect(struct engine *g, struct effect *f); /* takes the body */
void dispatch_reply(void *ctx, int64_t id, struct reply *reply, char *body); /* the http_done_cb */
void dispatch_free(struct engine *g);

/* desk.c: what operators ask. */
void desk_request(void *ctx, uint64_t client, const struct peer *peer, const json_t *request, void *raw, size_t raw_len);
void desk_committed(struct engine *g, const struct letter *l); /* an order, inject or reload of a client is on disk */
int desk_reload(struct engine *g, struct letter *order, struct err *e); /* takes the order, NULL by SIGHUP; on -1 it is freed */
#endif

/* Starts the engine in the only safe order: configuration, lock, state, secrets, catalogue, loop, core thread, socket, sources. */
#include "engine/io/loop.h"
#include "engine/base/json.h"
#include "engine/base/query.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include "engine/io/around.h"
#include "engine/io/engine.h"
#include <curl/curl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

static int positions_read(struct engine *g, sqlite3 *db, struct err *e)
{
	sqlite3_stmt *q = query_prepare(db, "SELECT source, topic, cluster, part, next_offset FROM source_position", e);
	int more = -1;
	while (q != NULL && (more = query_step(q, e)) == 1) {
		struct source_position *list = realloc(g->positions.list, (g->positions.count + 1) * sizeof *list);
		if (list == NULL) {
			more = err_set(e, ERR_MEMORY, "positions: no memory");
			break;
		}
		g->positions.list = list;
		struct source_position *p = &list[g->positions.count++];
		*p = (struct source_position){.partition = (int32_t)query_col_int(q, 3, 0), .next_offset = query_col_int(q, 4, 0)};
		text_copy(p->source, sizeof p->source, query_col_text(q, 0, ""));
		text_copy(p->topic, sizeof p->topic, query_col_text(q, 1, ""));
		text_copy(p->cluster, sizeof p->cluster, query_col_text(q, 2, ""));
	}
	sqlite3_finalize(q);
	return more;
}

/* The state's own installation id, or a new one for a new state. */
static int identity_read(struct engine *g, sqlite3 *db, struct err *e)
{
	unsigned char random[4];
	if (query_text(db, g->store_id, sizeof g->store_id, e, "SELECT id FROM store", "") < 0 ||
		query_text(db, g->installation, sizeof g->installation, e, "SELECT installation FROM store", "") < 0)
		return -1;
	if (g->installation[0] != '\0')
		return 0;
	if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
		return err_set(e, ERR_SYSTEM, "no random numbers from the system");
	snprintf(g->installation, sizeof g->installation, "%02x%02x%02x%02x", random[0], random[1], random[2], random[3]);
	return 0;
}

/* A virtual night goes on where its first start anchored it. */
static int clock_begin(struct engine *g, sqlite3 *db, int64_t last_tick_us, struct err *e)
{
	struct config *c = g->config;
	if (!c->virtual_clock) {
		clock_real(&g->clock, last_tick_us);
		return 0;
	}
	if (c->clock_anchor_us == UTC_NONE) {
		int64_t anchor = 0;
		if (query_int(db, &anchor, e, "SELECT json_extract(body, '$.clock_anchor_us') FROM config ORDER BY seq LIMIT 1", "") < 0)
			return -1;
		c->clock_anchor_us = anchor != 0 ? anchor : clock_wall_us();
	}
	clock_virtual(&g->clock, c->clock_start_us, c->clock_anchor_us, c->clock_rate, last_tick_us);
	return 0;
}

static int secrets_begin(struct engine *g, struct err *e)
{
	const struct config *c = g->config;
	for (size_t i = 0; i < c->facility_count; i++)
		if (c->facilities[i].secret[0] != '\0' && secrets_load(&g->secrets, c->credentials_dir, c->facilities[i].secret, e) != 0)
			return err_wrap(e, "facility %s", c->facilities[i].name);
	for (size_t i = 0; i < c->source_count; i++)
		if (c->sources[i].auth.secret[0] != '\0' && secrets_load(&g->secrets, c->credentials_dir, c->sources[i].auth.secret, e) != 0)
			return err_wrap(e, "source %s", c->sources[i].name);
	return 0;
}

/* The write handle and the core on it; the thread takes both. */
static int state_begin(struct engine *g, sqlite3 **db, struct core **core, struct err *e)
{
	int64_t seq, utc_us, tick_us;
	if (query_open(g->config->state, QUERY_WRITE, db, e) != 0)
		return -1;
	*core = core_open(*db, e);
	if (*core == NULL || core_last(*core, &seq, &utc_us, &tick_us, e) != 0 || identity_read(g, *db, e) != 0 ||
		positions_read(g, *db, e) != 0)
		return -1;
	g->restored = lock_disagrees(&g->lock, g->store_id, seq, seq > 0);
	g->seq = seq;
	if (seq == 0)
		lock_expect_new(&g->lock);
	return clock_begin(g, *db, tick_us, e);
}

static int thread_begin(struct engine *g, sqlite3 *db, struct core *core, struct err *e)
{
	struct core_thread_options o = {.db = db, .core = core, .state_path = g->config->state, .lock = &g->lock, .clock = &g->clock,
		.wake = engine_wake, .ctx = g, .recover = true};
	text_copy(o.store_id, sizeof o.store_id, g->store_id);
	g->core = core_thread_start(&o, e);
	return g->core == NULL ? -1 : 0;
}

/* What the configuration says of dust, reference images and what others completed. */
static int around_begin(struct engine *g, struct err *e)
{
	const char *dust = g->config->dust, *references = g->config->references;
	if (dust[0] == '\0' && references[0] == '\0' && g->config->covered[0] == '\0')
		return 0;
	struct around *a = malloc(sizeof *a);
	if (a == NULL)
		return err_set(e, ERR_MEMORY, "engine: no memory");
	if (around_read(dust[0] ? dust : NULL, references[0] ? references : NULL, a, e) < 0) {
		around_free(a);
		free(a);
		return -1;
	}
	text_copy(a->others, sizeof a->others, g->config->covered);
	workers_around(g->workers, a);
	return 0;
}

/* What hangs on the loop. On failure what was made is closed by loop_run. */
static int carriers_begin(struct engine *g, struct err *e)
{
	struct socket_host desk = {g, desk_request};
	size_t n = g->config->source_count + 1;
	g->kafkas = calloc(n, sizeof *g->kafkas);
	g->spools = calloc(n, sizeof *g->spools);
	if (g->kafkas == NULL || g->spools == NULL)
		return err_set(e, ERR_MEMORY, "engine: no memory");
	if ((g->http = http_open(&g->loop, dispatch_reply, g, e)) == NULL)
		return -1;
	if ((g->exchange = exchange_open(&g->loop, dispatch_reply, g, e)) == NULL)
		return -1;
	if ((g->workers = workers_open(&g->loop, g->config->state, g, e)) == NULL)
		return -1;
	if (g->catalog_says != NULL)
		workers_catalog(g->workers, &g->catalog);
	g->catalog = (struct catalog){0}; /* it is the workers' now */
	if (around_begin(g, e) < 0)
		return -1;
	g->socket = socket_open(&g->loop, g->config->socket, g->config->view_group, g->config->act_group, &desk, e);
	return g->socket == NULL ? -1 : 0;
}

/* Signals that nobody wants, no core dumps (they would hold secrets), threads enough for views beside computations. */
static void process_begin(void)
{
	struct rlimit none = {0, 0};
	setrlimit(RLIMIT_CORE, &none);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a file size limit is a full disk, not a death */
	setenv("UV_THREADPOOL_SIZE", "8", 0);
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

static int engine_begin(struct engine *g, const char *path, struct err *e)
{
	sqlite3 *db = NULL;
	struct core *core = NULL;
	g->lock.fd = -1;
	g->config = calloc(1, sizeof *g->config);
	if (g->config == NULL)
		return err_set(e, ERR_MEMORY, "engine: no memory");
	if (config_load(path, g->config, e) != 0) {
		free(g->config);
		g->config = NULL;
		return -1;
	}
	g->first = g->config;
	int bad = lock_take(&g->lock, g->config->state, e) != 0 || state_begin(g, &db, &core, e) != 0 || secrets_begin(g, e) != 0 ||
		engine_catalog_open(g->config->catalog, &g->catalog, &g->catalog_says, e) != 0 || engine_handles(g, e) != 0;
	bool loop = !bad;
	bad = bad || carriers_begin(g, e) != 0 || thread_begin(g, db, core, e) != 0;
	if (!bad)
		return 0;
	core_close(core);
	sqlite3_close_v2(db);
	if (loop) { /* closes what hangs on it; nothing has been read or sent yet */
		http_close(g->http);
		exchange_close(g->exchange);
		workers_close(g->workers);
		socket_close(g->socket);
		g->socket = NULL;
		uv_walk(&g->loop, engine_close_handle, g);
		uv_run(&g->loop, UV_RUN_DEFAULT);
		uv_loop_close(&g->loop);
	}
	return -1;
}

static void engine_free(struct engine *g)
{
	dispatch_free(g);
	letter_free(g->reload);
	if (g->core != NULL)
		core_thread_free(g->core);
	catalog_close(&g->catalog);
	json_decref(g->catalog_says);
	json_decref(g->catalog_next);
	secrets_free(&g->secrets);
	lock_drop(&g->lock);
	struct config *all[] = {g->next, g->config, g->first};
	for (size_t i = 0; i < 3; i++) {
		if (all[i] == NULL || (i == 2 && all[2] == all[1]))
			continue;
		config_free(all[i]);
		free(all[i]);
	}
	free(g->positions.list);
	free(g->kafkas);
	free(g->spools);
}

int loop_run(const char *config_path, struct log log, struct err *e)
{
	struct engine *g = calloc(1, sizeof *g);
	must_memory(g != NULL);
	g->log = log;
	g->due_utc_us = g->due_tick_us = INT64_MAX;
	g->started_boot_us = clock_boot_us();
	clock_real(&g->clock, 0);
	process_begin();
	int rc = engine_begin(g, config_path, e);
	if (rc == 0 && g->restored) /* the core shuts its gates with the configuration, before anything that waits in the copy may leave */
		engine_log(g, LOG_ALARM, "-", "state at %s is not what its lock remembers: a restored copy. Nothing is submitted until every facility "
			"has shown what it has of ours (slew ctl status: gate restore); slew ctl resume all opens it at once", g->config->state);
	if (rc == 0)
		rc = engine_config_put(g, e);
	if (rc == 0) {
		uv_run(&g->loop, UV_RUN_DEFAULT);
		must(uv_loop_close(&g->loop) == 0);
		rc = g->exit_code;
	} else {
		rc = err_exit(e);
	}
	engine_free(g);
	free(g);
	curl_global_cleanup();
	return rc;
}

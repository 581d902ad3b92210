/* The running engine: takes committed turns from the core thread, hands over what they released, wakes the core when something is due. */
#include "engine/io/engine.h"
#include "engine/base/json.h"
#include "engine/base/limits.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include "engine/io/service.h"
#include <stdlib.h>
#include <string.h>

#define AGAIN_MS 20         /* a timer that is due again at once does not spin the loop */
#define STOP_WAIT_US (5 * UTC_SECOND)

void engine_log(struct engine *g, enum log_level level, const char *subject, const char *format, ...)
{
	static const char *const names[] = {"debug", "info", "notice", "warn", "alarm"};
	char text[2048], when[32];
	va_list ap;
	va_start(ap, format);
	vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	int64_t now = clock_utc_us(&g->clock);
	log_line(&g->log, now, level, subject, "%s", text);
	if (g->socket == NULL || level < LOG_INFO || socket_clients(g->socket) == 0)
		return;
	text_escape(text, sizeof text, text, strlen(text));
	json_t *line = json_pack("{s:s,s:s,s:s,s:s}", "utc", utc_format(when, now), "level", names[level], "subject", subject, "text", text);
	if (line != NULL)
		socket_push(g->socket, line);
	json_decref(line);
}

/* Sources read on while less than ¾ of the bulk lane waits, and again below ½. */
static void pace(struct engine *g)
{
	size_t bytes = core_thread_bulk_bytes(g->core);
	bool pause = g->paused ? bytes > LIMIT_BULK_BYTES / 2 : bytes > LIMIT_BULK_BYTES / 4 * 3; /* also on a full disk: a retraction may come */
	if (pause == g->paused)
		return;
	g->paused = pause;
	engine_log(g, pause ? LOG_WARN : LOG_NOTICE, "-", "sources %s: %zu bytes of alerts wait", pause ? "pause" : "go on", bytes);
	for (size_t i = 0; i < g->kafka_count; i++)
		kafka_pause(g->kafkas[i], pause);
	for (size_t i = 0; i < g->spool_count; i++)
		spool_pause(g->spools[i], pause);
}

void engine_put(struct engine *g, struct letter *l)
{
	if (l == NULL) {
		engine_log(g, LOG_ALARM, "-", "no memory for an input; the engine stops rather than lose one");
		engine_stop(g, 75, "no memory");
		return;
	}
	g->inputs++;
	core_thread_put(g->core, l);
	if (l->lane == LANE_BULK)
		pace(g);
}

int engine_catalog_open(const char *path, struct catalog *out, json_t **says, struct err *e)
{
	*says = NULL;
	if (path[0] == '\0')
		return 0;
	if (catalog_open(path, out, e) != 0)
		return -1;
	*says = json_pack("{s:s,s:I,s:s}", "sha256", out->sha256, "rows", (json_int_t)out->count, "path", path);
	return 0;
}

int engine_config_put(struct engine *g, struct err *e)
{
	json_t *body = config_input(g->next != NULL ? g->next : g->config, g->installation, g->next != NULL ? g->catalog_next : g->catalog_says);
	if (body == NULL)
		return err_set(e, ERR_MEMORY, "configuration: no memory");
	if (g->clock.made_up)
		json_object_set_new(body, "clock_anchor_us", json_integer((json_int_t)g->config->clock_anchor_us));
	if (g->restored)
		json_object_set_new(body, "restored", json_true());
	struct letter *l = letter_json(INPUT_config, body);
	json_decref(body);
	if (l == NULL)
		return err_set(e, ERR_MEMORY, "configuration: no memory");
	engine_put(g, l);
	return 0;
}

/* -- alarm clock -------------------------------------------------------------------------------------------------------------------------- */

static void alarm_ring(uv_timer_t *t);

static void alarm_set(struct engine *g, bool again)
{
	int64_t ms = clock_wait_ms(&g->clock, g->due_utc_us, g->due_tick_us);
	if (g->timer_out || g->stop || ms < 0) {
		uv_timer_stop(&g->alarm);
		return;
	}
	if (again && ms < AGAIN_MS)
		ms = AGAIN_MS;
	uv_update_time(&g->loop);
	uv_timer_start(&g->alarm, alarm_ring, (uint64_t)ms, 0);
}

static void alarm_ring(uv_timer_t *t)
{
	struct engine *g = t->data;
	if (clock_wait_ms(&g->clock, g->due_utc_us, g->due_tick_us) > 0) { /* the timer was cut at an hour, or the wall was set back */
		alarm_set(g, false);
		return;
	}
	g->timer_out = true;
	engine_put(g, letter_new(INPUT_timer, "", 0));
}

static void on_second(uv_timer_t *t)
{
	struct engine *g = t->data;
	int64_t step_us = clock_step_us(&g->clock, &g->watch);
	service_tell("WATCHDOG=1");
	if (step_us != 0 && !g->stop) {
		json_t *body = json_pack("{s:I}", "step_us", (json_int_t)step_us);
		engine_log(g, LOG_ALARM, "-", "the wall clock jumped by %.3f s", (double)step_us / 1e6);
		engine_put(g, letter_json(INPUT_clock, body));
		json_decref(body);
		alarm_set(g, false);
	}
	pace(g);
}

/* -- sources ------------------------------------------------------------------------------------------------------------------------------ */

static void source_put(void *ctx, struct letter *l)
{
	engine_put(ctx, l);
}

static void source_log(void *ctx, enum log_level level, const char *subject, const char *text)
{
	engine_log(ctx, level, subject, "%s", text);
}

/* A source that cannot be opened is an alarm, not the end: the others and the telescopes go on. */
static void source_start(struct engine *g, const struct config_source *s)
{
	struct source_host host = {g, source_put, source_log};
	struct err e = {0};
	const char *topic = s->topics != NULL && s->topics[0] != NULL ? s->topics[0] : "";
	if (s->type == SOURCE_KAFKA) {
		struct kafka *k = kafka_open(&g->loop, s, &g->secrets, &g->positions, &host, &e);
		if (k != NULL)
			g->kafkas[g->kafka_count++] = k;
	} else if (s->type == SOURCE_SPOOL) {
		struct spool *p = spool_open(&g->loop, s->name, s->path, topic, &host, &e);
		if (p != NULL)
			g->spools[g->spool_count++] = p;
	} else {
		err_set(&e, ERR_INPUT, "source %s: this type is not carried by `slew run`; use kafka or spool", s->name);
	}
	if (e.text[0] != '\0')
		engine_log(g, LOG_ALARM, s->name, "%s", e.text);
	else
		engine_log(g, LOG_INFO, s->name, "source opened: %s", s->type == SOURCE_KAFKA ? s->brokers : s->path);
}

static void sources_start(struct engine *g)
{
	for (size_t i = 0; i < g->first->source_count; i++)
		source_start(g, &g->first->sources[i]);
}

static void sources_stop(struct engine *g)
{
	for (size_t i = 0; i < g->kafka_count; i++)
		kafka_close(g->kafkas[i]);
	for (size_t i = 0; i < g->spool_count; i++)
		spool_close(g->spools[i]);
	g->kafka_count = g->spool_count = 0;
}

/* -- turns -------------------------------------------------------------------------------------------------------------------------------- */

static void start_committed(struct engine *g, const struct letter *l)
{
	if (l->reject[0] != '\0') {
		engine_log(g, LOG_ALARM, "-", "the configuration was rejected: %s", l->reject);
		engine_stop(g, 1, "configuration rejected");
		return;
	}
	g->ready = true;
	sources_start(g);
	engine_log(g, LOG_NOTICE, "-", "ready: seq=%lld installation=%s socket=%s%s", (long long)l->seq, g->installation, g->config->socket,
		g->restored ? " restored=1" : "");
	g->restored = false; /* said once: a reload is no start */
	service_tell("READY=1");
}

static void letter_committed(struct engine *g, struct letter *l)
{
	if (l->in.kind == INPUT_timer)
		g->timer_out = false;
	if (l->in.kind == INPUT_config && !g->ready)
		start_committed(g, l);
	else if (l->owner != NULL)
		for (size_t i = 0; i < g->spool_count; i++) {
			if (g->spools[i] == l->owner)
				spool_committed(l->owner, l);
		}
	else
		desk_committed(g, l);
}

static void alarms_tell(struct engine *g, const json_t *alarms)
{
	size_t i;
	json_t *a;
	json_array_foreach(alarms, i, a) {
		if (json_is_string(a))
			engine_log(g, LOG_ALARM, "-", "%s", json_string_value(a));
		else
			engine_log(g, LOG_ALARM, json_text(a, "subject", "-"), "%s%s%s", json_text(a, "what", ""),
				json_text(a, "detail", "")[0] != '\0' ? ": " : "", json_text(a, "detail", ""));
	}
}

static void news_tell(struct engine *g, const json_t *news)
{
	size_t i;
	json_t *n;
	json_array_foreach(news, i, n)
		engine_log(g, strcmp(json_text(n, "level", ""), "warn") == 0 ? LOG_WARN : LOG_NOTICE, json_text(n, "subject", "-"), "%s",
			json_text(n, "text", ""));
}

static void turn_take(struct engine *g, struct turn *t)
{
	bool timer = false;
	struct letter *l;
	g->seq = t->seq;
	if (t->disk_full != g->disk_full)
		engine_log(g, LOG_ALARM, "-", t->disk_full ? "the disk is full: only retractions, stopping orders and replies are taken; make room"
			: "the disk has room again");
	g->disk_full = t->disk_full;
	news_tell(g, t->news);
	alarms_tell(g, t->alarms);
	while ((l = letters_get(&t->letters)) != NULL) {
		timer = timer || l->in.kind == INPUT_timer;
		letter_committed(g, l);
		letter_free(l);
	}
	for (size_t i = 0; i < t->effects.count && !g->ended; i++) /* at the end: left released, the next start sorts them */
		dispatch_effect(g, &t->effects.list[i]);
	g->due_utc_us = t->due_utc_us;
	g->due_tick_us = t->due_tick_us;
	alarm_set(g, timer);
}

static void on_turns(uv_async_t *a)
{
	struct engine *g = a->data;
	struct turn *t;
	while ((t = core_thread_turn(g->core)) != NULL) {
		if (t->dead) {
			engine_log(g, LOG_ALARM, "-", "the store is sick: %s", t->error.text);
			engine_stop(g, 75, "sick store");
		} else {
			turn_take(g, t);
		}
		turn_free(t);
	}
	pace(g);
}

void engine_wake(void *ctx)
{
	uv_async_send(&((struct engine *)ctx)->turns);
}

/* -- the end ------------------------------------------------------------------------------------------------------------------------------- */

static void engine_end(struct engine *g)
{
	uv_handle_t *handles[] = {(uv_handle_t *)&g->turns, (uv_handle_t *)&g->alarm, (uv_handle_t *)&g->second,
		(uv_handle_t *)&g->stopping, (uv_handle_t *)&g->term, (uv_handle_t *)&g->intr, (uv_handle_t *)&g->hup};
	if (g->ended)
		return;
	g->ended = true;
	core_thread_stop(g->core);
	on_turns(&g->turns);
	http_close(g->http);
	exchange_close(g->exchange);
	workers_close(g->workers);
	engine_log(g, LOG_NOTICE, "-", "stopped: seq=%lld exit=%d", (long long)g->seq, g->exit_code);
	socket_close(g->socket);
	g->socket = NULL;
	for (size_t i = 0; i < sizeof handles / sizeof handles[0]; i++)
		uv_close(handles[i], NULL);
}

void engine_close_handle(uv_handle_t *h, void *engine)
{
	if (h->data == engine && !uv_is_closing(h))
		uv_close(h, NULL);
}

static void on_stopping(uv_timer_t *t)
{
	struct engine *g = t->data;
	if (http_busy(g->http) + exchange_busy(g->exchange) == 0 || g->exit_code == 75 || clock_boot_us() - g->stop_boot_us > STOP_WAIT_US)
		engine_end(g);
}

void engine_stop(struct engine *g, int exit_code, const char *why)
{
	if (g->stop)
		return;
	g->stop = true;
	g->exit_code = exit_code;
	g->stop_boot_us = clock_boot_us();
	engine_log(g, LOG_NOTICE, "-", "stopping: %s, %zu calls in flight", why, http_busy(g->http) + exchange_busy(g->exchange));
	service_tell("STOPPING=1");
	sources_stop(g);
	uv_timer_stop(&g->alarm);
	core_thread_quiesce(g->core);
	uv_timer_start(&g->stopping, on_stopping, 1, 50);
}

static void on_signal(uv_signal_t *s, int number)
{
	struct engine *g = s->data;
	if (g->stop)
		engine_end(g); /* asked twice: at once */
	else
		engine_stop(g, 0, number == SIGTERM ? "SIGTERM" : "SIGINT");
}

static void on_hup(uv_signal_t *s, int number)
{
	struct engine *g = s->data;
	struct err e = {0};
	(void)number;
	if (!g->stop && desk_reload(g, NULL, &e) != 0)
		engine_log(g, LOG_ALARM, "-", "reload refused, the old configuration stays: %s", e.text);
}

int engine_handles(struct engine *g, struct err *e)
{
	if (uv_loop_init(&g->loop) != 0)
		return err_set(e, ERR_SYSTEM, "loop: cannot be made; raise the limit of open files");
	uv_async_init(&g->loop, &g->turns, on_turns);
	uv_timer_init(&g->loop, &g->alarm);
	uv_timer_init(&g->loop, &g->second);
	uv_timer_init(&g->loop, &g->stopping);
	uv_signal_init(&g->loop, &g->term);
	uv_signal_init(&g->loop, &g->intr);
	uv_signal_init(&g->loop, &g->hup);
	g->turns.data = g->alarm.data = g->second.data = g->stopping.data = g->term.data = g->intr.data = g->hup.data = g;
	uv_signal_start(&g->term, on_signal, SIGTERM);
	uv_signal_start(&g->intr, on_signal, SIGINT);
	uv_signal_start(&g->hup, on_hup, SIGHUP);
	uv_timer_start(&g->second, on_second, 1000, 1000);
	return 0;
}

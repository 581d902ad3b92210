/* librdkafka on a libuv loop: see kafka.h. A pipe wakes the loop on empty→non-empty only, so a partial drain schedules itself again. */
#define _GNU_SOURCE
#include "engine/io/kafka.h"
#include "engine/base/limits.h"
#include "engine/base/text.h"
#include "engine/io/clock.h"
#include "engine/io/kafka_ask.h"
#include "engine/io/kafka_settings.h"
#include "engine/io/token.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KAFKA_MAGIC 0x4b41464bu
#define DRAIN_MESSAGES 64
#define DRAIN_BYTES (4u << 20)
#define ASK_AGAIN_MS 5000      /* while something is unknown or wrong */
#define ASK_CALM_MS 300000     /* otherwise: new partitions */

struct place {                 /* a partition that is read */
	char topic[256];
	int32_t partition;
	int64_t next_offset;       /* what we have handed on; -1: not yet known */
};

struct kafka {
	unsigned magic;
	uv_loop_t *loop;
	uv_poll_t wake;
	uv_idle_t again;
	uv_timer_t timer;
	uv_work_t work, token_work;
	int handles, pipe[2];
	bool asking, fetching, closing, paused, assigned_once;
	const struct config_source *source;
	const struct secrets *secrets;
	struct source_host host;
	struct token_order order;  /* oauth */
	char *token;
	int64_t token_lifetime_s;
	struct err token_error;
	rd_kafka_t *rk;
	rd_kafka_queue_t *queue;
	struct kafka_topics found;
	struct source_positions stored;
	struct place *places;
	size_t place_count;
	char cluster[80], last_said[512];
};

static void say(struct kafka *k, enum log_level level, const char *text)
{
	if (strcmp(k->last_said, text) == 0) /* the same trouble is told once */
		return;
	text_copy(k->last_said, sizeof k->last_said, text);
	k->host.log(k->host.ctx, level, k->source->name, text);
}

static void say_gap(struct kafka *k, const char *topic, int32_t partition, const char *what, int64_t from, int64_t to)
{
	json_t *body = json_pack("{s:s,s:s,s:i,s:I,s:I,s:s}", "source", k->source->name, "topic", topic, "partition", (int)partition,
		"from", (json_int_t)from, "to", (json_int_t)to, "what", what);
	struct letter *l = body != NULL ? letter_json(INPUT_gap, body) : NULL;
	json_decref(body);
	if (l != NULL) {
		text_copy(l->source, sizeof l->source, k->source->name);
		text_copy(l->topic, sizeof l->topic, topic);
		text_copy(l->cluster, sizeof l->cluster, k->cluster);
		l->in.partition = partition;
		k->host.put(k->host.ctx, l);
	}
}

/* -- places ----------------------------------------------------------------------------------------------------------------------------- */

static struct place *place_find(struct kafka *k, const char *topic, int32_t partition)
{
	for (size_t i = 0; i < k->place_count; i++)
		if (k->places[i].partition == partition && strcmp(k->places[i].topic, topic) == 0)
			return &k->places[i];
	return NULL;
}

static const struct source_position *stored_find(const struct kafka *k, const char *topic, int32_t partition)
{
	for (size_t i = 0; i < k->stored.count; i++) {
		const struct source_position *p = &k->stored.list[i];
		if (strcmp(p->source, k->source->name) == 0 && p->partition == partition && strcmp(p->topic, topic) == 0)
			return p;
	}
	return NULL;
}

/* Where to begin with a partition: the stored position; the configured start; past a gap the oldest there is. */
static int64_t place_start(struct kafka *k, const struct kafka_part *p)
{
	const struct source_position *s = stored_find(k, p->topic, p->partition);
	if (s == NULL)
		return k->source->earliest || k->assigned_once ? RD_KAFKA_OFFSET_BEGINNING : RD_KAFKA_OFFSET_END;
	if (s->cluster[0] != '\0' && k->cluster[0] != '\0' && strcmp(s->cluster, k->cluster) != 0) {
		say_gap(k, p->topic, p->partition, "cluster", s->next_offset, p->low < 0 ? 0 : p->low);
		return RD_KAFKA_OFFSET_BEGINNING;
	}
	if (p->low >= 0 && (s->next_offset < p->low || s->next_offset > p->high)) {
		say_gap(k, p->topic, p->partition, "gap", s->next_offset, p->low);
		return RD_KAFKA_OFFSET_BEGINNING;
	}
	return s->next_offset;
}

/* A place whose messages were deleted under us goes on at the oldest. */
static void place_check(struct kafka *k, struct place *at, const struct kafka_part *p)
{
	if (at->next_offset >= 0 && p->low >= 0 && at->next_offset < p->low) {
		say_gap(k, p->topic, p->partition, "gap", at->next_offset, p->low);
		at->next_offset = p->low;
	}
}

static int places_learn(struct kafka *k, bool *changed)
{
	for (size_t i = 0; i < k->found.count; i++) {
		const struct kafka_part *p = &k->found.parts[i];
		struct place *at = place_find(k, p->topic, p->partition);
		if (at != NULL) {
			int64_t before = at->next_offset;
			place_check(k, at, p);
			*changed = *changed || before != at->next_offset;
			continue;
		}
		struct place *more = realloc(k->places, (k->place_count + 1) * sizeof *more);
		if (more == NULL)
			return -1;
		k->places = more;
		at = &k->places[k->place_count++];
		*at = (struct place){.partition = p->partition, .next_offset = place_start(k, p)};
		text_copy(at->topic, sizeof at->topic, p->topic);
		if (at->next_offset == RD_KAFKA_OFFSET_END && p->high >= 0)
			at->next_offset = p->high; /* fixed now: a message between now and the first fetch is not skipped */
		*changed = true;
	}
	return 0;
}

static void assign(struct kafka *k)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)k->place_count);
	for (size_t i = 0; i < k->place_count; i++)
		rd_kafka_topic_partition_list_add(list, k->places[i].topic, k->places[i].partition)->offset = k->places[i].next_offset;
	rd_kafka_resp_err_t bad = rd_kafka_assign(k->rk, list);
	rd_kafka_topic_partition_list_destroy(list);
	char line[200];
	if (bad != RD_KAFKA_RESP_ERR_NO_ERROR)
		snprintf(line, sizeof line, "cannot be read: %s", rd_kafka_err2str(bad));
	else
		snprintf(line, sizeof line, "reads %zu partitions of cluster %s", k->place_count, k->cluster[0] != '\0' ? k->cluster : "?");
	say(k, bad != RD_KAFKA_RESP_ERR_NO_ERROR ? LOG_WARN : LOG_NOTICE, line);
	k->assigned_once = true;
}

/* -- asking the broker, on a worker ------------------------------------------------------------------------------------------------------- */

static void ask_work(uv_work_t *w)
{
	struct kafka *k = w->data;
	kafka_ask(k->rk, k->source->topics, &k->found);
}

static void kafka_finish(struct kafka *k);
static void on_timer(uv_timer_t *t);

static void ask_done(uv_work_t *w, int status)
{
	struct kafka *k = w->data;
	must(k->magic == KAFKA_MAGIC);
	k->asking = false;
	bool changed = false, trouble = status != 0 || k->found.problem[0] != '\0' || k->found.unknown[0] != '\0';
	if (k->closing) {
		free(k->found.parts);
		if (!k->fetching)
			kafka_finish(k);
		return;
	}
	if (k->found.cluster[0] != '\0')
		text_copy(k->cluster, sizeof k->cluster, k->found.cluster);
	if (status == 0 && places_learn(k, &changed) == 0 && changed)
		assign(k);
	char line[600] = "";
	if (k->found.problem[0] != '\0')
		snprintf(line, sizeof line, "broker %.120s: %.300s; tried again every %d s", k->source->brokers, k->found.problem, ASK_AGAIN_MS / 1000);
	else if (k->found.unknown[0] != '\0')
		snprintf(line, sizeof line, "topics unknown to the broker (or not allowed): %s; tried again every %d s", k->found.unknown,
			ASK_AGAIN_MS / 1000);
	if (line[0] != '\0')
		say(k, LOG_WARN, line);
	free(k->found.parts);
	k->found = (struct kafka_topics){0};
	uv_timer_start(&k->timer, on_timer, trouble ? ASK_AGAIN_MS : ASK_CALM_MS, 0);
}

static void on_timer(uv_timer_t *t)
{
	struct kafka *k = t->data;
	if (k->asking || k->closing)
		return;
	k->work.data = k;
	k->asking = uv_queue_work(k->loop, &k->work, ask_work, ask_done) == 0;
}

/* -- messages ------------------------------------------------------------------------------------------------------------------------------ */

static void on_error(struct kafka *k, const rd_kafka_message_t *m)
{
	char line[400];
	snprintf(line, sizeof line, "kafka: %s", rd_kafka_message_errstr(m));
	if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
		return;
	say(k, LOG_WARN, line);
	if (m->err == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE || m->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET)
		uv_timer_start(&k->timer, on_timer, 0, 0); /* the oldest offset is asked for, the gap told */
}

static size_t on_message(struct kafka *k, const rd_kafka_message_t *m)
{
	const char *topic = rd_kafka_topic_name(m->rkt);
	struct place *at = place_find(k, topic, m->partition);
	if (at == NULL || m->offset < at->next_offset) /* left over from before an assign */
		return 0;
	size_t len = m->len > (size_t)LIMIT_ALERT_BYTES + 1 ? (size_t)LIMIT_ALERT_BYTES + 1 : m->len;
	struct letter *l = letter_new(INPUT_alert, m->payload, len);
	if (l == NULL) {
		k->host.put(k->host.ctx, NULL); /* no memory: the engine stops rather than pass it by */
		return 0;
	}
	text_copy(l->source, sizeof l->source, k->source->name);
	text_copy(l->topic, sizeof l->topic, topic);
	text_copy(l->cluster, sizeof l->cluster, k->cluster);
	l->in.partition = m->partition;
	l->in.offset = m->offset + 1;
	rd_kafka_timestamp_type_t type;
	int64_t ms = rd_kafka_message_timestamp(m, &type);
	if (type != RD_KAFKA_TIMESTAMP_NOT_AVAILABLE && ms >= 0)
		l->in.timestamp_us = ms * 1000;
	at->next_offset = m->offset + 1;
	k->host.put(k->host.ctx, l);
	return len;
}

static void drain(struct kafka *k)
{
	size_t bytes = 0;
	int n = 0;
	while (!k->paused && !k->closing && n < DRAIN_MESSAGES && bytes < DRAIN_BYTES) {
		rd_kafka_message_t *m = rd_kafka_consumer_poll(k->rk, 0);
		if (m == NULL)
			break;
		n++;
		if (m->err != RD_KAFKA_RESP_ERR_NO_ERROR)
			on_error(k, m);
		else
			bytes += on_message(k, m);
		rd_kafka_message_destroy(m);
	}
	bool more = n == DRAIN_MESSAGES || bytes >= DRAIN_BYTES;
	if (!more)
		uv_idle_stop(&k->again);
}

static void on_again(uv_idle_t *i)
{
	drain(i->data);
}

static void on_wake(uv_poll_t *p, int status, int events)
{
	struct kafka *k = p->data;
	char bytes[64];
	(void)status, (void)events;
	must(k->magic == KAFKA_MAGIC);
	while (read(k->pipe[0], bytes, sizeof bytes) == (ssize_t)sizeof bytes)
		;
	if (!k->closing)
		uv_idle_start(&k->again, on_again);
}

void kafka_pause(struct kafka *k, bool pause)
{
	k->paused = pause;
	if (!pause && !k->closing)
		uv_idle_start(&k->again, on_again);
}

/* -- oauth: librdkafka asks for a token, a worker fetches it ---------------------------------------------------------------------------- */

static void token_work(uv_work_t *w)
{
	struct kafka *k = w->data;
	k->token_error = (struct err){0};
	if (token_fetch(&k->order, &k->token, &k->token_lifetime_s, &k->token_error) != 0)
		k->token = NULL;
}

static void token_done(uv_work_t *w, int status)
{
	struct kafka *k = w->data;
	char why[256] = "";
	(void)status;
	must(k->magic == KAFKA_MAGIC);
	k->fetching = false;
	if (k->token != NULL && !k->closing) {
		int64_t until_ms = clock_wall_us() / 1000 + k->token_lifetime_s * 1000;
		if (rd_kafka_oauthbearer_set_token(k->rk, k->token, until_ms, k->order.client, NULL, 0, why, sizeof why) !=
			RD_KAFKA_RESP_ERR_NO_ERROR)
			err_set(&k->token_error, ERR_INPUT, "token from %s: %s", k->order.url, why);
	}
	if (k->token != NULL)
		explicit_bzero(k->token, strlen(k->token));
	free(k->token);
	k->token = NULL;
	token_order_free(&k->order);
	if (k->closing) {
		if (!k->asking)
			kafka_finish(k);
		return;
	}
	if (k->token_error.kind != ERR_NONE) {
		say(k, LOG_WARN, k->token_error.text);
		rd_kafka_oauthbearer_set_token_failure(k->rk, k->token_error.text); /* it asks again by itself */
	}
}

/* Called from rd_kafka_consumer_poll, so on the loop: it must not block. */
static void on_token_wanted(rd_kafka_t *rk, const char *config, void *ctx)
{
	struct kafka *k = ctx;
	const struct config_auth *a = &k->source->auth;
	const char *secret = secrets_value(k->secrets, a->secret);
	(void)config;
	if (k->fetching || k->closing)
		return;
	k->order = (struct token_order){.secret = secret != NULL ? strdup(secret) : NULL};
	text_copy(k->order.url, sizeof k->order.url, a->token_url);
	text_copy(k->order.client, sizeof k->order.client, a->user);
	text_copy(k->order.scope, sizeof k->order.scope, a->scope);
	text_copy(k->order.ca, sizeof k->order.ca, a->ca);
	k->token_work.data = k;
	k->fetching = k->order.secret != NULL && uv_queue_work(k->loop, &k->token_work, token_work, token_done) == 0;
	if (!k->fetching)
		rd_kafka_oauthbearer_set_token_failure(rk, "no secret was loaded");
}

/* -- open and close --------------------------------------------------------------------------------------------------------------------------- */

/* librdkafka's own words go nowhere: errors arrive as events, and its log lines may hold more than they should. */
static void on_rk_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
	(void)rk, (void)level, (void)facility, (void)text;
}

static void on_rk_error(rd_kafka_t *rk, int err, const char *reason, void *ctx)
{
	struct kafka *k = ctx; /* called from rd_kafka_consumer_poll, on the loop */
	char line[400];
	(void)rk;
	snprintf(line, sizeof line, "kafka: %s: %s", rd_kafka_err2str((rd_kafka_resp_err_t)err), reason);
	say(k, LOG_WARN, line);
}

static void kafka_free(struct kafka *k)
{
	if (k->queue != NULL) {
		rd_kafka_queue_io_event_enable(k->queue, -1, NULL, 0);
		rd_kafka_queue_destroy(k->queue);
	}
	if (k->rk != NULL)
		rd_kafka_destroy_flags(k->rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
	for (int i = 0; i < 2; i++)
		if (k->pipe[i] >= 0)
			close(k->pipe[i]);
	free(k->stored.list);
	free(k->places);
	free(k);
}

static int positions_copy(struct kafka *k, const struct source_positions *p)
{
	if (p == NULL || p->count == 0)
		return 0;
	k->stored.list = malloc(p->count * sizeof *p->list);
	if (k->stored.list == NULL)
		return -1;
	memcpy(k->stored.list, p->list, p->count * sizeof *p->list);
	k->stored.count = p->count;
	return 0;
}

static int kafka_start(struct kafka *k, struct err *e)
{
	char why[512];
	rd_kafka_conf_t *conf = kafka_settings(k->source, k->secrets, e);
	if (conf == NULL)
		return -1;
	rd_kafka_conf_set_log_cb(conf, on_rk_log);
	rd_kafka_conf_set_error_cb(conf, on_rk_error);
	if (k->source->auth.kind == AUTH_OAUTH)
		rd_kafka_conf_set_oauthbearer_token_refresh_cb(conf, on_token_wanted);
	rd_kafka_conf_set_opaque(conf, k);
	k->rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
	if (k->rk == NULL) {
		rd_kafka_conf_destroy(conf);
		return err_set(e, ERR_INPUT, "source %s: %s", k->source->name, why);
	}
	rd_kafka_poll_set_consumer(k->rk);
	k->queue = rd_kafka_queue_get_consumer(k->rk);
	if (pipe2(k->pipe, O_NONBLOCK | O_CLOEXEC) != 0)
		return err_set(e, ERR_SYSTEM, "source %s: no pipe; raise the limit of open files", k->source->name);
	rd_kafka_queue_io_event_enable(k->queue, k->pipe[1], "1", 1);
	return 0;
}

struct kafka *kafka_open(uv_loop_t *loop, const struct config_source *source, const struct secrets *secrets,
	const struct source_positions *positions, const struct source_host *host, struct err *e)
{
	struct kafka *k = calloc(1, sizeof *k);
	if (k == NULL) {
		err_set(e, ERR_MEMORY, "source %s: no memory", source->name);
		return NULL;
	}
	*k = (struct kafka){.magic = KAFKA_MAGIC, .loop = loop, .source = source, .secrets = secrets, .host = *host, .pipe = {-1, -1}};
	if (positions_copy(k, positions) != 0 || kafka_start(k, e) != 0) {
		kafka_free(k);
		return NULL;
	}
	uv_poll_init(loop, &k->wake, k->pipe[0]);
	uv_idle_init(loop, &k->again);
	uv_timer_init(loop, &k->timer);
	k->wake.data = k->again.data = k->timer.data = k;
	k->handles = 3;
	uv_poll_start(&k->wake, UV_READABLE, on_wake);
	uv_timer_start(&k->timer, on_timer, 0, 0);
	return k;
}

static void on_closed(uv_handle_t *h)
{
	struct kafka *k = h->data;
	if (--k->handles == 0)
		kafka_free(k);
}

static void kafka_finish(struct kafka *k)
{
	uv_close((uv_handle_t *)&k->wake, on_closed);
	uv_close((uv_handle_t *)&k->again, on_closed);
	uv_close((uv_handle_t *)&k->timer, on_closed);
}

void kafka_close(struct kafka *k)
{
	k->closing = true;
	uv_poll_stop(&k->wake);
	uv_idle_stop(&k->again);
	uv_timer_stop(&k->timer);
	if (!k->asking && !k->fetching)
		kafka_finish(k);
}

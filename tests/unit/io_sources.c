/* The sources: Kafka against librdkafka's mock cluster from our own positions, and a spool directory. */
#include "test.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include "engine/io/kafka.h"
#include "engine/io/spool.h"
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <sys/stat.h>

struct heard {
	struct letters letters;
	int gaps, warnings;
	char last[600];
};

static void on_put(void *ctx, struct letter *l)
{
	struct heard *h = ctx;
	h->gaps += l->in.kind == INPUT_gap;
	letters_put(&h->letters, l);
}

static void on_log(void *ctx, enum log_level level, const char *subject, const char *text)
{
	struct heard *h = ctx;
	(void)subject;
	h->warnings += level >= LOG_WARN;
	snprintf(h->last, sizeof h->last, "%s", text);
}

static void on_tick(uv_timer_t *t)
{
	(void)t;
}

/* Runs the loop until n letters have come, or wall time is over. */
static void run_until(uv_loop_t *loop, struct heard *h, size_t n, double seconds)
{
	uv_timer_t tick;
	uv_timer_init(loop, &tick);
	uv_timer_start(&tick, on_tick, 20, 20);
	uint64_t end = uv_hrtime() + (uint64_t)(seconds * 1e9);
	while (h->letters.count < n && uv_hrtime() < end)
		uv_run(loop, UV_RUN_ONCE);
	uv_close((uv_handle_t *)&tick, NULL);
	uv_run(loop, UV_RUN_NOWAIT);
}

static void loop_end(uv_loop_t *loop)
{
	uv_run(loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(loop), 0);
}

struct broker {
	rd_kafka_t *rk;
	rd_kafka_mock_cluster_t *cluster;
};

static void broker_start(struct broker *b)
{
	char why[256];
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	b->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
	assert_non_null(b->rk);
	b->cluster = rd_kafka_mock_cluster_new(b->rk, 1);
	assert_non_null(b->cluster);
	rd_kafka_mock_topic_create(b->cluster, "igwn.gwalert", 1, 1);
}

/* A second producer, since the first one does not know its own mock cluster's brokers. */
static void broker_put(struct broker *b, const char *const *messages, int n)
{
	char why[256];
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_conf_set(conf, "bootstrap.servers", rd_kafka_mock_cluster_bootstraps(b->cluster), why, sizeof why);
	rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
	assert_non_null(rk);
	for (int i = 0; i < n; i++)
		assert_int_equal(rd_kafka_producev(rk, RD_KAFKA_V_TOPIC("igwn.gwalert"), RD_KAFKA_V_PARTITION(0),
			RD_KAFKA_V_VALUE((void *)(uintptr_t)messages[i], strlen(messages[i])), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
			RD_KAFKA_V_END), RD_KAFKA_RESP_ERR_NO_ERROR);
	assert_int_equal(rd_kafka_flush(rk, 10000), RD_KAFKA_RESP_ERR_NO_ERROR);
	rd_kafka_destroy(rk);
}

static void broker_stop(struct broker *b)
{
	rd_kafka_mock_cluster_destroy(b->cluster);
	rd_kafka_destroy(b->rk);
}

static const char *const topics[] = {"igwn.gwalert", NULL};

static void source_make(struct config_source *s, const struct broker *b)
{
	memset(s, 0, sizeof *s);
	text_copy(s->name, sizeof s->name, "kafka");
	text_copy(s->group, sizeof s->group, "slew-test");
	text_copy(s->brokers, sizeof s->brokers, rd_kafka_mock_cluster_bootstraps(b->cluster));
	s->topics = (const char **)(uintptr_t)topics;
	s->earliest = true;
}

static void listen_until(const struct config_source *s, struct source_positions *p, size_t n, int seconds, struct heard *h)
{
	uv_loop_t loop;
	struct err e = {0};
	struct secrets none = {0};
	struct source_host host = {h, on_put, on_log};
	assert_int_equal(uv_loop_init(&loop), 0);
	struct kafka *k = kafka_open(&loop, s, &none, p, &host, &e);
	if (k == NULL)
		fail_msg("%s", e.text);
	run_until(&loop, h, n, seconds);
	kafka_close(k);
	loop_end(&loop);
}

static void listen_from(const struct config_source *s, struct source_positions *p, size_t n, struct heard *h)
{
	listen_until(s, p, n, 15, h);
}

static void body_is(struct heard *h, const char *text, int64_t next_offset)
{
	struct letter *l = letters_get(&h->letters);
	assert_non_null(l);
	assert_int_equal(l->in.kind, INPUT_alert);
	assert_int_equal(l->in.len, strlen(text));
	assert_memory_equal(l->in.body, text, l->in.len);
	assert_int_equal(l->in.offset, next_offset);
	assert_string_equal(l->in.topic, "igwn.gwalert");
	assert_string_equal(l->in.source, "kafka");
	assert_int_not_equal(l->in.timestamp_us, UTC_NONE);
	letter_free(l);
}

static void test_kafka(void **state)
{
	struct broker b;
	struct config_source s;
	struct heard h = {0};
	(void)state;
	broker_start(&b);
	source_make(&s, &b);
	broker_put(&b, (const char *const[]){"one", "two", "three"}, 3);
	listen_from(&s, NULL, 3, &h);
	body_is(&h, "one", 1);
	body_is(&h, "two", 2);
	body_is(&h, "three", 3);
	/* a restart goes on at the stored position, whatever the group says; the broker was told nothing */
	struct source_position at = {.source = "kafka", .topic = "igwn.gwalert", .partition = 0, .next_offset = 2};
	struct source_positions p = {&at, 1};
	listen_from(&s, &p, 1, &h);
	body_is(&h, "three", 3);
	assert_int_equal(h.letters.count, 0);
	/* a position past the end: the log was lost under us; told as a gap, read from the oldest */
	at.next_offset = 99;
	listen_from(&s, &p, 4, &h);
	assert_int_equal(h.gaps, 1);
	struct letter *gap = letters_get(&h.letters);
	assert_int_equal(gap->in.kind, INPUT_gap);
	letter_free(gap);
	body_is(&h, "one", 1);
	letters_free(&h.letters);
	broker_stop(&b);
}

static void test_kafka_flood(void **state)
{
	struct broker b;
	struct config_source s;
	struct heard h = {0};
	static const char *many[500];
	(void)state;
	for (int i = 0; i < 500; i++)
		many[i] = "alert";
	broker_start(&b);
	source_make(&s, &b);
	broker_put(&b, many, 500);
	listen_from(&s, NULL, 500, &h); /* the pipe fires once: the rest is drained by itself */
	assert_int_equal(h.letters.count, 500);
	letters_free(&h.letters);
	broker_stop(&b);
}

static void test_kafka_latest_and_unknown(void **state)
{
	struct broker b;
	struct config_source s;
	struct heard h = {0};
	static const char *const both[] = {"igwn.gwalert", "no.such.topic", NULL};
	(void)state;
	broker_start(&b);
	source_make(&s, &b);
	s.earliest = false;
	s.topics = (const char **)(uintptr_t)both;
	broker_put(&b, (const char *const[]){"old"}, 1);
	rd_kafka_mock_topic_set_error(b.cluster, "no.such.topic", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
	listen_until(&s, NULL, 1, 2, &h); /* nothing is new */
	assert_int_equal(h.letters.count, 0);
	assert_non_null(strstr(h.last, "no.such.topic"));
	broker_stop(&b);
}

static void test_kafka_no_broker(void **state)
{
	uv_loop_t loop;
	struct err e = {0};
	struct secrets none = {0};
	struct heard h = {0};
	struct source_host host = {&h, on_put, on_log};
	struct config_source s = {.name = "kafka", .brokers = "127.0.0.1:9", .group = "g", .topics = (const char **)(uintptr_t)topics};
	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	struct kafka *k = kafka_open(&loop, &s, &none, NULL, &host, &e);
	assert_non_null(k);
	for (int i = 0; i < 20 && h.warnings == 0; i++) /* a loaded machine takes its time */
		run_until(&loop, &h, 1, 1);
	kafka_close(k); /* while a question to the broker is under way */
	loop_end(&loop);
	assert_true(h.warnings > 0); /* after the end: a failure with the client open would wait for ever at exit */
	s.auth.kind = AUTH_SCRAM;
	text_copy(s.auth.mechanism, sizeof s.auth.mechanism, "SCRAM-SHA-512");
	text_copy(s.auth.secret, sizeof s.auth.secret, "password");
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_null(kafka_open(&loop, &s, &none, NULL, &host, &e)); /* the secret is not there */
	assert_int_equal(e.kind, ERR_INPUT);
	loop_end(&loop);
}

static void file_put(const char *dir, const char *name, const char *text)
{
	char tmp[400], path[400];
	snprintf(tmp, sizeof tmp, "%s/.%s", dir, name);
	snprintf(path, sizeof path, "%s/%s", dir, name);
	FILE *f = fopen(tmp, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(rename(tmp, path), 0);
}

static void test_spool(void **state)
{
	char base[] = "/tmp/slew-spoolXXXXXX", dir[100], path[200];
	uv_loop_t loop;
	struct err e = {0};
	struct heard h = {0};
	struct source_host host = {&h, on_put, on_log};
	(void)state;
	assert_non_null(mkdtemp(base));
	snprintf(dir, sizeof dir, "%s/in", base);
	assert_int_equal(uv_loop_init(&loop), 0);
	struct spool *s = spool_open(&loop, "spool", dir, "igwn.gwalert", &host, &e);
	assert_non_null(s);
	file_put(dir, "b.json", "{\"b\":1}");
	file_put(dir, "a.json", "{\"a\":1}");
	file_put(dir, "c.part", "half");
	snprintf(path, sizeof path, "%s/link.json", dir);
	assert_int_equal(symlink("/etc/hostname", path), 0);
	run_until(&loop, &h, 2, 5);
	assert_int_equal(h.letters.count, 2);
	run_until(&loop, &h, 3, 1); /* read once, however often it looks */
	assert_int_equal(h.letters.count, 2);
	snprintf(path, sizeof path, "%s/d.json", dir); /* written in place, in two halves: not read before it is whole */
	FILE *slow = fopen(path, "w");
	assert_non_null(slow);
	fputs("{\"half\":", slow);
	fflush(slow);
	run_until(&loop, &h, 3, 0.4);
	assert_int_equal(h.letters.count, 2);
	fputs("1}", slow);
	fclose(slow);
	run_until(&loop, &h, 3, 5);
	assert_int_equal(h.letters.count, 3);
	struct letter *l = letters_get(&h.letters);
	assert_string_equal(l->in.source, "spool");
	assert_string_equal(l->in.topic, "igwn.gwalert");
	spool_committed(s, l);
	letter_free(l);
	spool_close(s); /* the other one is not on disk: its file stays */
	loop_end(&loop);
	letters_free(&h.letters);
	snprintf(path, sizeof path, "%s/done", dir);
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	int here = 0, done = 0;
	for (const char *const *n = (const char *const[]){"a.json", "b.json", NULL}; *n != NULL; n++) {
		snprintf(path, sizeof path, "%s/%s", dir, *n);
		here += access(path, F_OK) == 0;
		snprintf(path, sizeof path, "%s/done/%s", dir, *n);
		done += access(path, F_OK) == 0;
	}
	assert_int_equal(here, 1);
	assert_int_equal(done, 1);
	char command[120];
	snprintf(command, sizeof command, "rm -r %s", base);
	assert_int_equal(system(command), 0);
	assert_null(spool_open(&loop, "spool", "/proc/nowhere/in", "", &host, &e));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_kafka), cmocka_unit_test(test_kafka_flood),
		cmocka_unit_test(test_kafka_latest_and_unknown), cmocka_unit_test(test_kafka_no_broker), cmocka_unit_test(test_spool)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

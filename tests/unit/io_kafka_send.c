/* One record to librdkafka's mock broker: bytes and headers as they were given, the offset in the answer, and the truth about what did not leave. */
#include "test.h"
#include "engine/base/json.h"
#include "engine/io/exchange.h"
#include "engine/io/kafka_send.h"
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

static rd_kafka_t *host;
static rd_kafka_mock_cluster_t *cluster;
static struct config_source source;
static struct secrets none;

static struct kafka_sent sent(const char *method, const char *path, const char *type, const char *query, const char *body)
{
	struct call c = {.query = (char *)(uintptr_t)query, .body = (char *)(uintptr_t)body, .body_len = body != NULL ? strlen(body) : 0};
	struct kafka_sent out;
	struct err e = {0};
	snprintf(c.method, sizeof c.method, "%s", method);
	snprintf(c.path, sizeof c.path, "%s", path);
	snprintf(c.content_type, sizeof c.content_type, "%s", type);
	struct kafka_letter *l = kafka_letter_new(&source, &none, &e);
	if (l == NULL)
		fail_msg("%s", e.text);
	kafka_letter_send(l, &c, &out);
	return out;
}

/* The message at an offset, with its headers. */
static rd_kafka_message_t *read_back(rd_kafka_t **consumer, int64_t offset)
{
	char why[256];
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_conf_set(conf, "bootstrap.servers", rd_kafka_mock_cluster_bootstraps(cluster), why, sizeof why);
	rd_kafka_conf_set(conf, "group.id", "reader", why, sizeof why);
	*consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
	rd_kafka_topic_partition_list_add(list, "too", 0)->offset = offset;
	assert_int_equal(rd_kafka_assign(*consumer, list), RD_KAFKA_RESP_ERR_NO_ERROR);
	rd_kafka_topic_partition_list_destroy(list);
	for (int i = 0; i < 100; i++) {
		rd_kafka_message_t *m = rd_kafka_consumer_poll(*consumer, 200);
		if (m != NULL && m->err == RD_KAFKA_RESP_ERR_NO_ERROR)
			return m;
		if (m != NULL)
			rd_kafka_message_destroy(m);
	}
	fail_msg("nothing at offset %lld", (long long)offset);
	return NULL;
}

static void leaves(void **state)
{
	(void)state;
	struct kafka_sent s = sent("GET", "/topics/too", "", NULL, NULL);
	assert_true(s.sent == SENT_ANSWERED && s.status == 200 && strstr(s.body, "\"partitions\":1") != NULL);
	free(s.body);
	s = sent("POST", "/topics/too", "application/json", NULL, "{}");
	assert_true(s.sent == SENT_ANSWERED && s.status == 200);
	assert_string_equal(s.body, "{\"offsets\":[{\"error\":null,\"error_code\":null,\"offset\":0,\"partition\":0}]}");
	free(s.body);
	s = sent("POST", "/topics/too", "application/avro+base64", "header=_format:json&header=_test:true", "AAAAASwA/w==");
	assert_non_null(strstr(s.body, "\"offset\":1"));
	free(s.body);
	rd_kafka_t *consumer;
	rd_kafka_message_t *m = read_back(&consumer, 1);
	assert_int_equal(m->len, 7);
	assert_memory_equal(m->payload, "\0\0\0\1\54\0\377", 7);
	rd_kafka_headers_t *headers;
	const void *value;
	size_t len;
	assert_int_equal(rd_kafka_message_headers(m, &headers), RD_KAFKA_RESP_ERR_NO_ERROR);
	assert_int_equal(rd_kafka_header_get_last(headers, "_test", &value, &len), RD_KAFKA_RESP_ERR_NO_ERROR);
	assert_true(len == 4 && memcmp(value, "true", 4) == 0);
	assert_int_equal(rd_kafka_header_get_last(headers, "_format", &value, &len), RD_KAFKA_RESP_ERR_NO_ERROR);
	assert_true(len == 4 && memcmp(value, "json", 4) == 0);
	rd_kafka_message_destroy(m);
	rd_kafka_consumer_close(consumer);
	rd_kafka_destroy(consumer);
}

static void does_not_leave(void **state)
{
	struct err e = {0};
	(void)state;
	struct kafka_sent s = sent("POST", "/topics/too", "application/avro+base64", NULL, "no base64 !");
	assert_true(s.sent == SENT_NO && s.transport[0] != '\0' && s.body == NULL);
	s = sent("POST", "/elsewhere", "", NULL, "x");
	assert_true(s.sent == SENT_ANSWERED && s.status == 400);
	free(s.body);
	rd_kafka_mock_push_request_errors(cluster, 0 /* Produce */, 1, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
	s = sent("POST", "/topics/too", "", NULL, "x"); /* refused by the broker */
	assert_true(s.sent == SENT_NO && strstr(s.transport, "authorization") != NULL);
	rd_kafka_mock_topic_set_error(cluster, "none", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
	s = sent("GET", "/topics/none", "", NULL, NULL);
	assert_true(s.sent == SENT_NO || s.status == 404);
	free(s.body);
	source.auth.kind = AUTH_OAUTH;
	assert_null(kafka_letter_new(&source, &none, &e));
	assert_non_null(strstr(e.text, "OAuth"));
	source.auth.kind = AUTH_NONE;
}

static void on_done(void *ctx, int64_t id, struct reply *r, char *body)
{
	int *count = ctx;
	assert_true(id == 5 && r->sent == SENT_ANSWERED && r->status == 200 && strstr(body, "offsets") != NULL);
	++*count;
}

/* On the loop, as the engine does it. */
static void loop(void **state)
{
	uv_loop_t l;
	int count = 0;
	struct err e = {0};
	struct call c = {.method = "POST", .path = "/topics/too", .body = "{}", .body_len = 2};
	(void)state;
	assert_int_equal(uv_loop_init(&l), 0);
	struct exchange *x = exchange_open(&l, on_done, &count, &e);
	assert_ok(exchange_send(x, 5, "kafka:test", NULL, kafka_letter_new(&source, &none, &e), &c, &e), &e);
	uv_run(&l, UV_RUN_DEFAULT);
	assert_int_equal(count, 1);
	exchange_close(x);
	assert_int_equal(uv_loop_close(&l), 0);
}

static int setup(void **state)
{
	char why[256];
	(void)state;
	host = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), why, sizeof why);
	cluster = host != NULL ? rd_kafka_mock_cluster_new(host, 1) : NULL;
	if (cluster == NULL)
		return -1;
	rd_kafka_mock_topic_create(cluster, "too", 1, 1);
	snprintf(source.name, sizeof source.name, "test");
	snprintf(source.group, sizeof source.group, "slew-test");
	snprintf(source.brokers, sizeof source.brokers, "%s", rd_kafka_mock_cluster_bootstraps(cluster));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rd_kafka_mock_cluster_destroy(cluster);
	rd_kafka_destroy(host);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(leaves), cmocka_unit_test(does_not_leave), cmocka_unit_test(loop)};
	return cmocka_run_group_tests(tests, setup, teardown);
}

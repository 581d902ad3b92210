/* rdkafka_mock.h: a broker of threads and memory inside this process, real on the wire. */
#include "engine/cmd/world_broker.h"
#include "engine/base/limits.h"
#include "engine/base/text.h"
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdio.h>
#include <stdlib.h>

struct world_broker {
	rd_kafka_t *producer;
	rd_kafka_mock_cluster_t *cluster;
	char topic[128];
	int delivered; /* -1 while a message is under way, else rd_kafka_resp_err_t */
};

static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
	struct world_broker *b = opaque;

	(void)rk;
	b->delivered = (int)m->err;
}

static rd_kafka_t *new_producer(struct world_broker *b, const char *brokers, struct err *e)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char text[512], max[24];

	snprintf(max, sizeof max, "%u", LIMIT_ALERT_BYTES);
	rd_kafka_conf_set(conf, "message.max.bytes", max, text, sizeof text);
	rd_kafka_conf_set(conf, "linger.ms", "0", text, sizeof text);
	rd_kafka_conf_set(conf, "log_level", "2", text, sizeof text);
	if (brokers != NULL)
		rd_kafka_conf_set(conf, "bootstrap.servers", brokers, text, sizeof text);
	else
		rd_kafka_conf_set(conf, "test.mock.num.brokers", "1", text, sizeof text);
	rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
	rd_kafka_conf_set_opaque(conf, b);
	rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
	if (rk == NULL) {
		rd_kafka_conf_destroy(conf);
		err_set(e, ERR_SYSTEM, "world: librdkafka: %s", text);
	}
	return rk;
}

struct world_broker *world_broker_open(const char *topic, struct err *e)
{
	struct world_broker *b = calloc(1, sizeof *b);

	if (b == NULL) {
		err_set(e, ERR_MEMORY, "world: no memory");
		return NULL;
	}
	text_copy(b->topic, sizeof b->topic, topic);
	b->producer = new_producer(b, NULL, e);
	if (b->producer != NULL)
		b->cluster = rd_kafka_handle_mock_cluster(b->producer);
	if (b->cluster == NULL ||
		rd_kafka_mock_topic_create(b->cluster, topic, 1, 1) != RD_KAFKA_RESP_ERR_NO_ERROR) {
		if (e->kind == ERR_NONE)
			err_set(e, ERR_SYSTEM,
				"world: librdkafka's mock cluster did not start; is the loopback "
				"interface up?");
		world_broker_close(b);
		return NULL;
	}
	return b;
}

const char *world_broker_address(const struct world_broker *b)
{
	return rd_kafka_mock_cluster_bootstraps(b->cluster);
}

int world_broker_send(struct world_broker *b, const void *bytes, size_t len, struct err *e)
{
	b->delivered = -1;
	rd_kafka_resp_err_t bad = rd_kafka_producev(b->producer, RD_KAFKA_V_TOPIC(b->topic),
		RD_KAFKA_V_VALUE((void *)(uintptr_t)bytes, len),
		RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);

	for (int i = 0; bad == RD_KAFKA_RESP_ERR_NO_ERROR && b->delivered < 0 && i < 1000; i++)
		rd_kafka_poll(b->producer, 10);
	if (bad == RD_KAFKA_RESP_ERR_NO_ERROR && b->delivered != 0)
		bad = b->delivered < 0 ? RD_KAFKA_RESP_ERR__TIMED_OUT
				       : (rd_kafka_resp_err_t)b->delivered;
	if (bad != RD_KAFKA_RESP_ERR_NO_ERROR)
		return err_set(e, ERR_SYSTEM, "world: the mock broker did not take %zu bytes: %s",
			len, rd_kafka_err2str(bad));
	return 0;
}

void world_broker_close(struct world_broker *b)
{
	if (b == NULL)
		return;
	if (b->producer != NULL)
		rd_kafka_destroy(b->producer); /* and the cluster in it */
	free(b);
}

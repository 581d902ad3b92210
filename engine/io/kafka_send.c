/* One record to Kafka: see kafka_send.h. */
#include "engine/io/kafka_send.h"
#include "engine/base/hash.h"
#include "engine/base/limits.h"
#include "engine/base/text.h"
#include "engine/io/kafka_settings.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DELIVER_MS = 20000, LOOK_MS = 10000, WAIT_MS = 25000, STEP_MS = 100 };

struct kafka_letter {
	rd_kafka_conf_t *conf;
};

/* What became of the message. */
struct delivery {
	bool heard;
	rd_kafka_resp_err_t err;
	rd_kafka_msg_status_t status;
	int32_t partition;
	int64_t offset;
};

static void quiet(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
	(void)rk, (void)level, (void)facility, (void)text; /* settings of a consumer, which a producer ignores aloud */
}

static void on_delivered(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
	struct delivery *d = opaque;
	(void)rk;
	*d = (struct delivery){true, m->err, rd_kafka_message_status(m), m->partition, m->offset};
}

struct kafka_letter *kafka_letter_new(const struct config_source *s, const struct secrets *secrets, struct err *e)
{
	char why[256];
	if (s->auth.kind == AUTH_OAUTH) {
		err_set(e, ERR_INPUT, "source %s logs in by OAuth: nothing is published there by this version; name one with scram, plain or no log-in", s->name);
		return NULL;
	}
	struct kafka_letter *l = calloc(1, sizeof *l);
	rd_kafka_conf_t *conf = l != NULL ? kafka_settings(s, secrets, e) : NULL;
	if (conf == NULL) {
		if (l == NULL)
			err_set(e, ERR_MEMORY, "kafka: no memory");
		free(l);
		return NULL;
	}
	char wait[16];
	snprintf(wait, sizeof wait, "%d", DELIVER_MS);
	rd_kafka_conf_set_log_cb(conf, quiet);
	rd_kafka_conf_set_dr_msg_cb(conf, on_delivered);
	if (rd_kafka_conf_set(conf, "enable.idempotence", "true", why, sizeof why) != RD_KAFKA_CONF_OK ||
	    rd_kafka_conf_set(conf, "message.timeout.ms", wait, why, sizeof why) != RD_KAFKA_CONF_OK) {
		err_set(e, ERR_INPUT, "kafka: %s; this build of librdkafka does not take it", why);
		rd_kafka_conf_destroy(conf);
		free(l);
		return NULL;
	}
	l->conf = conf;
	return l;
}

void kafka_letter_free(struct kafka_letter *l)
{
	if (l != NULL)
		rd_kafka_conf_destroy(l->conf);
	free(l);
}

static void answered(struct kafka_sent *out, int status, json_t *body)
{
	out->sent = SENT_ANSWERED;
	out->status = status;
	out->body = body != NULL ? json_dumps(body, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
	json_decref(body);
}

static void unanswered(struct kafka_sent *out, enum sent sent, const char *why)
{
	out->sent = sent;
	text_copy(out->transport, sizeof out->transport, why);
}

/* Does the broker know the topic? */
static void look(rd_kafka_t *rk, const char *topic, struct kafka_sent *out)
{
	const struct rd_kafka_metadata *m = NULL;
	rd_kafka_topic_t *handle = rd_kafka_topic_new(rk, topic, NULL);
	rd_kafka_resp_err_t bad = handle != NULL ? rd_kafka_metadata(rk, 0, handle, &m, LOOK_MS) : RD_KAFKA_RESP_ERR__FAIL;
	if (bad != RD_KAFKA_RESP_ERR_NO_ERROR)
		unanswered(out, SENT_NO, rd_kafka_err2str(bad));
	else if (m->topic_cnt != 1 || m->topics[0].err != RD_KAFKA_RESP_ERR_NO_ERROR || m->topics[0].partition_cnt < 1)
		answered(out, 404, json_pack("{s:s}", "message", m->topic_cnt == 1 ? rd_kafka_err2str(m->topics[0].err) : "no such topic"));
	else
		answered(out, 200, json_pack("{s:s,s:i}", "name", topic, "partitions", m->topics[0].partition_cnt));
	if (m != NULL)
		rd_kafka_metadata_destroy(m);
	if (handle != NULL)
		rd_kafka_topic_destroy(handle);
}

/* header=KEY:VALUE, as often as there are. */
static rd_kafka_headers_t *headers_of(const char *query)
{
	rd_kafka_headers_t *headers = rd_kafka_headers_new(4);
	for (const char *s = query; s != NULL && *s != '\0'; s = strchr(s, '&') != NULL ? strchr(s, '&') + 1 : NULL) {
		size_t len = strcspn(s, "&"), key = strcspn(s, ":&");
		if (strncmp(s, "header=", 7) == 0 && s[key] == ':')
			rd_kafka_header_add(headers, s + 7, (ssize_t)key - 7, s + key + 1, (ssize_t)(len - key - 1));
	}
	return headers;
}

static void delivered(const struct delivery *d, struct kafka_sent *out)
{
	if (d->heard && d->err == RD_KAFKA_RESP_ERR_NO_ERROR)
		answered(out, 200, json_pack("{s:[{s:i,s:I,s:n,s:n}]}", "offsets", "partition", (int)d->partition, "offset", (json_int_t)d->offset, "error_code", "error"));
	else if (d->heard && d->status == RD_KAFKA_MSG_STATUS_NOT_PERSISTED)
		unanswered(out, SENT_NO, rd_kafka_err2str(d->err));
	else
		unanswered(out, SENT_MAYBE, d->heard ? rd_kafka_err2str(d->err) : "no broker has confirmed it");
}

static void produce(rd_kafka_t *rk, const char *topic, const struct call *c, struct delivery *d, struct kafka_sent *out)
{
	unsigned char *bytes = NULL;
	size_t len = c->body_len, type = strlen(c->content_type);
	struct err e = {0};
	bool coded = type > 7 && strcmp(c->content_type + type - 7, "+base64") == 0;
	if (coded && base64_decode(c->body, c->body_len, LIMIT_REPLY_BYTES, &bytes, &len, &e) < 0) {
		unanswered(out, SENT_NO, e.text);
		return;
	}
	rd_kafka_headers_t *headers = headers_of(c->query);
	rd_kafka_resp_err_t bad = rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_VALUE(coded ? (void *)bytes : c->body, len), RD_KAFKA_V_HEADERS(headers),
						    RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
	free(bytes);
	if (bad != RD_KAFKA_RESP_ERR_NO_ERROR) {
		rd_kafka_headers_destroy(headers);
		unanswered(out, SENT_NO, rd_kafka_err2str(bad));
		return;
	}
	for (int waited = 0; !d->heard && waited < WAIT_MS; waited += STEP_MS)
		rd_kafka_poll(rk, STEP_MS);
	delivered(d, out);
}

void kafka_letter_send(struct kafka_letter *l, const struct call *c, struct kafka_sent *out)
{
	char why[256];
	struct delivery d = {0};
	static const char prefix[] = "/topics/";
	const char *topic = c->path + sizeof prefix - 1;
	*out = (struct kafka_sent){.sent = SENT_NO};
	rd_kafka_conf_set_opaque(l->conf, &d);
	rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, l->conf, why, sizeof why);
	if (rk == NULL) {
		unanswered(out, SENT_NO, why);
		kafka_letter_free(l);
		return;
	}
	free(l); /* its settings are the producer's now */
	if (strncmp(c->path, prefix, sizeof prefix - 1) != 0 || topic[0] == '\0')
		answered(out, 400, json_pack("{s:s}", "message", "/topics/NAME is wanted"));
	else if (strcmp(c->method, "GET") == 0)
		look(rk, topic, out);
	else if (strcmp(c->method, "POST") == 0 && c->body != NULL)
		produce(rk, topic, c, &d, out);
	else
		answered(out, 400, json_pack("{s:s}", "message", "GET, or POST with a body is wanted"));
	rd_kafka_destroy(rk);
}

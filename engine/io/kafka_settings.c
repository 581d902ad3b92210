/* The settings of librdkafka: see kafka_settings.h. */
#include "engine/io/kafka_settings.h"

static int set(rd_kafka_conf_t *conf, const char *key, const char *value, struct err *e)
{
	char why[256];
	if (rd_kafka_conf_set(conf, key, value, why, sizeof why) == RD_KAFKA_CONF_OK)
		return 0;
	return err_set(e, ERR_INPUT, "kafka setting %s: %s; this build of librdkafka does not take it", key, why);
}

static int configure_auth(rd_kafka_conf_t *conf, const struct config_source *s, const struct secrets *secrets, struct err *e)
{
	const struct config_auth *a = &s->auth;
	bool sasl = a->kind != AUTH_NONE;
	if (set(conf, "security.protocol", sasl ? (a->tls ? "SASL_SSL" : "SASL_PLAINTEXT") : a->tls ? "SSL" : "PLAINTEXT", e) != 0)
		return -1;
	if (a->tls && a->ca[0] != '\0' && set(conf, "ssl.ca.location", a->ca, e) != 0)
		return -1;
	if (!sasl)
		return 0;
	const char *secret = secrets_value(secrets, a->secret);
	if (secret == NULL)
		return err_set(e, ERR_INPUT, "source %s: no secret \"%s\" was loaded; name a file in credentials_dir", s->name, a->secret);
	if (a->kind == AUTH_OAUTH)
		return set(conf, "sasl.mechanisms", "OAUTHBEARER", e);
	if (set(conf, "sasl.mechanisms", a->mechanism, e) != 0 || set(conf, "sasl.username", a->user, e) != 0)
		return -1;
	return set(conf, "sasl.password", secret, e);
}

rd_kafka_conf_t *kafka_settings(const struct config_source *s, const struct secrets *secrets, struct err *e)
{
	static const char *const settings[][2] = {
		{"enable.auto.commit", "false"}, {"enable.auto.offset.store", "false"}, {"auto.offset.reset", "error"},
		{"isolation.level", "read_committed"}, {"enable.partition.eof", "false"}, {"allow.auto.create.topics", "false"},
		{"queued.max.messages.kbytes", "8192"}, {"fetch.message.max.bytes", "16777216"}, {"fetch.max.bytes", "33554432"},
		{"receive.message.max.bytes", "67108864"}, {"message.max.bytes", "16777216"}, {"socket.keepalive.enable", "true"},
		{"reconnect.backoff.max.ms", "10000"}, {"fetch.wait.max.ms", "100"}, {"client.id", "slew"}, {"log.connection.close", "false"},
		{"topic.metadata.refresh.interval.ms", "60000"}, {"fetch.error.backoff.ms", "200"},
	};
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	int bad = 0;
	for (size_t i = 0; i < sizeof settings / sizeof settings[0] && !bad; i++)
		bad = set(conf, settings[i][0], settings[i][1], e);
	bad = bad || set(conf, "bootstrap.servers", s->brokers, e) != 0 || set(conf, "group.id", s->group, e) != 0;
	/* A real broker answers a waiting fetch as soon as there is something; librdkafka's own mock, on this machine, only when the wait ends. */
	bad = bad || (!s->auth.tls && set(conf, "fetch.wait.max.ms", "10", e) != 0);
	bad = bad || configure_auth(conf, s, secrets, e) != 0;
	if (!bad)
		return conf;
	rd_kafka_conf_destroy(conf);
	return NULL;
}

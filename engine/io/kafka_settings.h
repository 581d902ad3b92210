/* A source of the configuration as settings of librdkafka: our own offsets, bounded queues, the log-in. */
#ifndef ENGINE_IO_KAFKA_SETTINGS_H
#define ENGINE_IO_KAFKA_SETTINGS_H
#include "engine/io/configure.h"
#include "engine/io/secret.h"
#include <librdkafka/rdkafka.h>

/* Without callbacks: the caller sets its own (for OAuth the one that fetches tokens too). NULL with e: a setting that this build of the
 * library does not take, or a secret that was not loaded. */
rd_kafka_conf_t *kafka_settings(const struct config_source *s, const struct secrets *secrets, struct err *e);
#endif

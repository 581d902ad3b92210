/* The demo world's Kafka: librdkafka's mock cluster on 127.0.0.1 and a producer to it. Never part
 * of the engine. */
#ifndef ENGINE_CMD_WORLD_BROKER_H
#define ENGINE_CMD_WORLD_BROKER_H
#include "engine/base/err.h"
#include <stddef.h>

struct world_broker;

/* One broker, the topic with one partition. */
struct world_broker *world_broker_open(const char *topic, struct err *e);
const char *world_broker_address(const struct world_broker *b); /* "127.0.0.1:port" */

/* Produces one message and waits until the broker has it (≤ 10 s). */
int world_broker_send(struct world_broker *b, const void *bytes, size_t len, struct err *e);
void world_broker_close(struct world_broker *b);
#endif

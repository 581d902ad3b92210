/* The questions to a broker that block (metadata, cluster id, oldest and newest offset): asked on a worker thread. */
#ifndef ENGINE_IO_KAFKA_ASK_H
#define ENGINE_IO_KAFKA_ASK_H
#include "engine/base/err.h"
#include <librdkafka/rdkafka.h>
#include <stdbool.h>

#define KAFKA_PARTITIONS 1024 /* of all topics of a source together */

struct kafka_part {
	char topic[256];
	int32_t partition;
	int64_t low, high;     /* oldest and next offset; -1 the broker did not say */
};
struct kafka_topics {
	char cluster[80];
	struct kafka_part *parts;
	size_t count;
	char unknown[512];     /* topics without metadata, separated by spaces */
	char problem[512];     /* why nothing could be asked, "" when all went well */
};

/* Blocks for up to a few times 5 s. Always leaves *out filled; free parts. rk is thread-safe. */
void kafka_ask(rd_kafka_t *rk, const char *const *topics, struct kafka_topics *out);
#endif

/* Kafka as a source: our own positions, `assign`ed from SQLite; the broker's group offset is never asked. */
#ifndef ENGINE_IO_KAFKA_H
#define ENGINE_IO_KAFKA_H
#include "engine/base/err.h"
#include "engine/io/configure.h"
#include "engine/io/secret.h"
#include "engine/io/source.h"
#include <stdbool.h>
#include <uv.h>

struct kafka;

/* Starts a consumer of every partition of the source's topics. positions: rows of source_position (all sources; copied). A topic the
 * broker does not know is a warning and is asked for again. A cluster id that changed, or a position that the broker no longer holds,
 * becomes a `gap` input, and reading goes on at the oldest message there is. Borrows source and secrets until the memory is gone. */
struct kafka *kafka_open(uv_loop_t *loop, const struct config_source *source, const struct secrets *secrets,
	const struct source_positions *positions, const struct source_host *host, struct err *e);

/* Leaves messages in librdkafka's bounded queue (8 MiB a source). */
void kafka_pause(struct kafka *k, bool pause);

/* Stops reading at once; memory goes when the loop has closed the handles and a question under way has ended. */
void kafka_close(struct kafka *k);
#endif

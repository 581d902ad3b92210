/* What every source of alerts is lent by the loop. */
#ifndef ENGINE_IO_SOURCE_H
#define ENGINE_IO_SOURCE_H
#include "engine/base/log.h"
#include "engine/io/letter.h"

struct source_host {
	void *ctx;
	void (*put)(void *ctx, struct letter *l); /* takes */
	void (*log)(void *ctx, enum log_level level, const char *subject, const char *text);
};

/* Where a partition goes on: a row of source_position. */
struct source_position {
	char source[80], topic[256], cluster[80];
	int32_t partition;
	int64_t next_offset;
};
struct source_positions {
	struct source_position *list;
	size_t count;
};
#endif

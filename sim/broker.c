/* The simulated broker: see broker.h. */
#include "sim/broker.h"
#include "engine/base/query.h"
#include "engine/base/text.h"
#include <stdlib.h>
#include <string.h>

struct sim_broker {
	struct sim_message *list;
	size_t count, cap;
	int64_t offset;
	bool away;
};

struct sim_broker *sim_broker_new(int64_t offset)
{
	struct sim_broker *b = calloc(1, sizeof *b);
	must(b != NULL);
	b->offset = offset;
	return b;
}

void sim_broker_free(struct sim_broker *b)
{
	if (b == NULL)
		return;
	for (size_t i = 0; i < b->count; i++)
		free(b->list[i].bytes);
	free(b->list);
	free(b);
}

void sim_broker_publish(struct sim_broker *b, const char *topic, const void *bytes, size_t len, int64_t utc_us)
{
	if (b->count == b->cap) {
		b->cap = b->cap ? 2 * b->cap : 64;
		b->list = realloc(b->list, b->cap * sizeof *b->list);
		must(b->list != NULL);
	}
	struct sim_message *m = &b->list[b->count++];
	*m = (struct sim_message){.len = len, .offset = ++b->offset, .utc_us = utc_us, .bytes = malloc(len + 1)};
	must(m->bytes != NULL);
	memcpy(m->bytes, bytes, len);
	text_copy(m->topic, sizeof m->topic, topic);
}

size_t sim_broker_count(const struct sim_broker *b)
{
	return b->count;
}

struct sim_message *sim_broker_message(struct sim_broker *b, size_t i)
{
	return &b->list[i];
}

int sim_broker_seek(struct sim_broker *b, sqlite3 *state, struct err *e)
{
	static const char stored[] = "SELECT ifnull(max(next_offset),0) FROM source_position WHERE source='sim' AND topic=?";
	for (size_t i = 0; i < b->count; i++) {
		int64_t position = 0;
		if (query_int(state, &position, e, stored, "t", b->list[i].topic) < 0)
			return -1;
		b->list[i].read = b->list[i].offset <= position;
	}
	return 0;
}

void sim_broker_away(struct sim_broker *b, bool away)
{
	b->away = away;
}

bool sim_broker_is_away(const struct sim_broker *b)
{
	return b->away;
}

int sim_broker_forget(struct sim_broker *b)
{
	int n = 0;
	for (size_t i = 0; i < b->count; i++) {
		n += !b->list[i].read && !b->list[i].gone;
		b->list[i].gone |= !b->list[i].read;
	}
	return n;
}

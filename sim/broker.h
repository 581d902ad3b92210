/* A broker of a simulated night: what was published, by topic, and how far the engine has read since it started. It keeps everything; a
 * reader begins again behind the position that it has stored. One thread owns a broker. */
#ifndef SIM_BROKER_H
#define SIM_BROKER_H
#include "engine/base/err.h"
#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BROKER_TOPIC 80

struct sim_message {
	char topic[BROKER_TOPIC];
	unsigned char *bytes;
	size_t len;
	int64_t offset;      /* the position behind it: grows with every message, over all topics */
	int64_t utc_us;      /* published */
	bool read;           /* by this life of the engine */
	bool gone;           /* not kept long enough: it cannot be read any more */
};

struct sim_broker;
struct sim_broker *sim_broker_new(int64_t offset); /* of the message before the first; dies without memory */
void sim_broker_free(struct sim_broker *b);

/* Publishes a copy. */
void sim_broker_publish(struct sim_broker *b, const char *topic, const void *bytes, size_t len, int64_t utc_us);
size_t sim_broker_count(const struct sim_broker *b);
struct sim_message *sim_broker_message(struct sim_broker *b, size_t i); /* in the order of publishing; valid until the next publish */

/* The engine was started, or its partitions were given back: what is behind the stored positions is to be read, all else is read. */
int sim_broker_seek(struct sim_broker *b, sqlite3 *state, struct err *e);

/* The partitions are taken away: nothing is delivered until they are given back. */
void sim_broker_away(struct sim_broker *b, bool away);
bool sim_broker_is_away(const struct sim_broker *b);

/* What was published and not read yet is gone for good: how many. */
int sim_broker_forget(struct sim_broker *b);
#endif

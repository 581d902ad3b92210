/* One record to Kafka, answered as a REST proxy would. For records that are rare: a producer is made for each, idempotent, and goes with it.
 *
 *   GET /topics/NAME → 200 {"name":…,"partitions":n}; 404 the broker does not know it; not sent: nobody answers
 *   POST /topics/NAME[?header=KEY:VALUE&…]: the body is the message, decoded first when its type ends in +base64 → 200 {"offsets":[{"partition","offset",
 *        "error_code":null,"error":null}]} once every replica has it; not sent, or perhaps sent, by what librdkafka says of the message */
#ifndef ENGINE_IO_KAFKA_SEND_H
#define ENGINE_IO_KAFKA_SEND_H
#include "engine/io/configure.h"
#include "engine/io/secret.h"
#include "facilities/facility.h"

struct kafka_letter; /* brokers and log-in, taken while the secrets may be read */

/* The source whose brokers and log-in are used. NULL with e: its log-in is by OAuth, or a setting or secret is wrong. */
struct kafka_letter *kafka_letter_new(const struct config_source *s, const struct secrets *secrets, struct err *e);
/* Takes the letter; blocks, at most half a minute. *out: sent, status, transport (in its buffer) and a malloc'd body or NULL. */
struct kafka_sent {
	enum sent sent;
	int status;
	char transport[200], *body;
};
void kafka_letter_send(struct kafka_letter *l, const struct call *c, struct kafka_sent *out);
void kafka_letter_free(struct kafka_letter *l); /* of one that was not sent */
#endif

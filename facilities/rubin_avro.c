/* A record in Avro's binary form behind Confluent's head (a zero, then the schema's number): what readers of the topic expect of a producer that writes to
 * Kafka itself. Nine fields in the schema's order, so the few rules of the form are written out here. */
#include "facilities/rubin.h"
#include "engine/base/bytes.h"
#include "engine/base/hash.h"
#include "engine/base/text.h"
#include <stdlib.h>
#include <string.h>

/* Zigzag, seven bits at a time, lowest first. */
static void number_put(struct text *t, int64_t n)
{
	uint64_t u = ((uint64_t)n << 1) ^ (uint64_t)(n >> 63);
	do {
		unsigned char byte = (unsigned char)((u & 0x7F) | (u > 0x7F ? 0x80 : 0));
		text_add(t, &byte, 1);
		u >>= 7;
	} while (u > 0);
}

static void string_put(struct text *t, const char *s)
{
	number_put(t, (int64_t)strlen(s));
	text_add(t, s, strlen(s));
}

static void flag_put(struct text *t, bool flag)
{
	const unsigned char byte = flag ? 1 : 0;
	text_add(t, &byte, 1);
}

char *rubin_avro_base64(const struct rubin_record *r, uint32_t schema_id)
{
	struct text t = {.max = 1 << 16};
	unsigned char head[5] = {0};
	bytes_put_u32(head + 1, schema_id);
	text_add(&t, head, sizeof head);
	string_put(&t, r->source);
	number_put(&t, RUBIN_DETECTORS); /* an array: one block, then none */
	for (int i = 0; i < RUBIN_DETECTORS; i++)
		string_put(&t, r->instrument[i]);
	number_put(&t, 0);
	string_put(&t, r->label);
	string_put(&t, r->trigger);
	number_put(&t, RUBIN_CELLS);
	for (int i = 0; i < RUBIN_CELLS; i++)
		flag_put(&t, r->mask[i]);
	number_put(&t, 0);
	number_put(&t, RUBIN_NSIDE);
	flag_put(&t, r->is_test);
	flag_put(&t, r->is_update);
	number_put(&t, r->timestamp_ms);
	char *text = t.failed ? NULL : base64_encode(t.data, t.len);
	text_free(&t);
	return text;
}

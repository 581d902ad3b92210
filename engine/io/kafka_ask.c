/* Metadata and watermarks: see kafka_ask.h. */
#include "engine/io/kafka_ask.h"
#include "engine/base/text.h"
#include <stdlib.h>
#include <string.h>

#define ASK_MS 5000

static void word_add(char *list, size_t size, const char *word)
{
	size_t n = strlen(list);
	snprintf(list + n, size - n, "%s%s", n > 0 ? " " : "", word);
}

static void part_add(rd_kafka_t *rk, struct kafka_topics *out, const char *topic, int32_t partition)
{
	if (out->count == KAFKA_PARTITIONS) {
		snprintf(out->problem, sizeof out->problem, "more than %d partitions; the rest is not read", KAFKA_PARTITIONS);
		return;
	}
	struct kafka_part *more = realloc(out->parts, (out->count + 1) * sizeof *more);
	if (more == NULL)
		return;
	out->parts = more;
	struct kafka_part *p = &out->parts[out->count++];
	*p = (struct kafka_part){.partition = partition, .low = -1, .high = -1};
	text_copy(p->topic, sizeof p->topic, topic);
	if (rd_kafka_query_watermark_offsets(rk, topic, partition, &p->low, &p->high, ASK_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
		p->low = p->high = -1;
}

static void topic_ask(rd_kafka_t *rk, const char *name, struct kafka_topics *out)
{
	const struct rd_kafka_metadata *meta = NULL;
	rd_kafka_topic_t *topic = rd_kafka_topic_new(rk, name, NULL);
	if (topic == NULL) {
		word_add(out->unknown, sizeof out->unknown, name);
		return;
	}
	rd_kafka_resp_err_t bad = rd_kafka_metadata(rk, 0, topic, &meta, ASK_MS);
	if (bad != RD_KAFKA_RESP_ERR_NO_ERROR)
		snprintf(out->problem, sizeof out->problem, "%s", rd_kafka_err2str(bad));
	else if (meta->topic_cnt != 1 || meta->topics[0].err != RD_KAFKA_RESP_ERR_NO_ERROR || meta->topics[0].partition_cnt == 0)
		word_add(out->unknown, sizeof out->unknown, name);
	else
		for (int i = 0; i < meta->topics[0].partition_cnt; i++)
			part_add(rk, out, name, meta->topics[0].partitions[i].id);
	if (bad == RD_KAFKA_RESP_ERR_NO_ERROR)
		rd_kafka_metadata_destroy(meta);
	rd_kafka_topic_destroy(topic);
}

void kafka_ask(rd_kafka_t *rk, const char *const *topics, struct kafka_topics *out)
{
	*out = (struct kafka_topics){0};
	for (size_t i = 0; topics[i] != NULL && out->problem[0] == '\0'; i++)
		topic_ask(rk, topics[i], out);
	char *id = out->problem[0] == '\0' ? rd_kafka_clusterid(rk, ASK_MS) : NULL;
	if (id != NULL) {
		text_copy(out->cluster, sizeof out->cluster, id);
		rd_kafka_mem_free(rk, id);
	}
}

/* The inbox: each input is a row with its body before anything is made of it; its position is in the same transaction. */
#include "engine/base/hash.h"
#include "engine/base/json.h"
#include "engine/base/utc.h"
#include "engine/core/turn.h"
#include <stdlib.h>
#include <string.h>

void blob_put(struct core *c, const char *sha256, const void *bytes, size_t len)
{
	static const char known[] = "SELECT 1 FROM blob WHERE sha256=?";
	static const char insert[] = "INSERT INTO blob(sha256,size,body) VALUES(?,?,?)";
	if (get_int(c, 0, known, "t", sha256) == 0)
		put(c, insert, "tib", sha256, (int64_t)len, bytes, len);
}

static void random_hex(const struct input *in, char out[33])
{
	for (int i = 0; i < 16; i++)
		snprintf(out + 2 * i, 3, "%02x", in->random[i]);
}

/* What replay needs beside the body: reply headers, the orderer, the flags of inject. */
static char *meta_of(const struct input *in, bool recovered, bool quiet)
{
	json_t *m = json_object();
	if (quiet)
		json_object_set_new(m, "quiet", json_true());
	if (recovered) /* the first input after a start: replay recovers there, too */
		json_object_set_new(m, "recovered", json_true());
	char random[33];
	random_hex(in, random);
	json_object_set_new(m, "random", json_string(random));
	if (in->kind == INPUT_reply) {
		json_object_set_new(m, "sent", json_integer(in->reply.sent));
		json_object_set_new(m, "status", json_integer(in->reply.status));
		json_object_set_new(m, "content_type", json_string(in->reply.content_type ? in->reply.content_type : ""));
		json_object_set_new(m, "transport", json_string(in->reply.transport ? in->reply.transport : ""));
		json_object_set_new(m, "retry_after_s", json_integer(in->reply.retry_after_s));
	}
	if (in->kind == INPUT_order) {
		json_object_set_new(m, "uid", json_integer(in->uid));
		json_object_set_new(m, "pid", json_integer(in->pid));
	}
	if (in->kind == INPUT_alert) {
		json_object_set_new(m, "cluster", json_string(in->cluster ? in->cluster : ""));
		json_object_set_new(m, "timestamp_us", json_integer(in->timestamp_us));
		json_object_set_new(m, "as_test", json_boolean(in->as_test));
		json_object_set_new(m, "as_real", json_boolean(in->as_real));
		json_object_set_new(m, "uid", json_integer(in->uid));
	}
	char *text = json_compact(m);
	json_decref(m);
	return text;
}

static void position_put(struct core *c, const struct input *in)
{
	static const char upsert[] =
		"INSERT INTO source_position(source,topic,part,cluster,next_offset,timestamp_us) VALUES(?,?,?,?,?,?) "
		"ON CONFLICT(source,topic,part) DO UPDATE SET cluster=excluded.cluster,next_offset=excluded.next_offset,"
		"timestamp_us=excluded.timestamp_us WHERE excluded.next_offset>source_position.next_offset "
		"OR excluded.cluster<>source_position.cluster";
	static const char cluster[] = "SELECT cluster FROM source_position WHERE source=? AND topic=? AND part=? AND cluster<>''";
	char was[128];
	if (in->kind != INPUT_alert || in->source == NULL || in->topic == NULL || in->offset <= 0)
		return;
	get_text(c, was, sizeof was, cluster, "tti", in->source, in->topic, (int64_t)in->partition);
	if (was[0] && in->cluster != NULL && in->cluster[0] && strcmp(was, in->cluster) != 0)
		alarm_raise(c, in->topic, "cluster", "source %s is another cluster now (%s, was %s): what it sent meanwhile may be missing", in->source,
			    in->cluster, was);
	put(c, upsert, "ttitin", in->source, in->topic, (int64_t)in->partition, in->cluster ? in->cluster : "", in->offset,
	    in->timestamp_us);
}

void journal(struct core *c, const struct input *in)
{
	static const char insert[] = "INSERT INTO input(seq,kind,utc_us,tick_us,effect,source,topic,part,next_offset,turn,meta,sha256,body) "
				     "VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?)";
	bool big = in->len > LIMIT_INLINE_BODY;
	char sha256[65] = "";
	if (big) {
		hash_sha256_hex(in->body, in->len, sha256);
		blob_put(c, sha256, in->body, in->len);
	}
	bool alert = in->kind == INPUT_alert;
	bool recovered = get_int(c, 0, "SELECT 1 FROM timer WHERE key=?", "t", START_FRESH) == 1;
	char *meta = meta_of(in, recovered, c->quiet);
	if (recovered)
		timer_drop(c, START_FRESH);
	put(c, insert, "itiinttnnittb", c->seq, input_kind_name(in->kind), in->utc_us, in->tick_us, in->effect ? in->effect : UTC_NONE,
	    alert ? in->source : NULL, alert ? in->topic : NULL, alert ? (int64_t)in->partition : UTC_NONE, alert ? in->offset : UTC_NONE,
	    c->next_from, meta, big ? sha256 : NULL, big ? NULL : (in->body ? in->body : ""), big ? (size_t)0 : in->len);
	free(meta);
	position_put(c, in);
}

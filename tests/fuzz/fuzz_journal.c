/* Rows of a journal, bent, fed into the core where a canonical night stands: alerts, replies, results, orders, timers, gaps, configurations with
 * bodies of any kind. Whatever comes, the core is not sick, every invariant holds after each turn, and (one run in 32) a replay of it all
 * gives the same rows.
 *   {"stage":n,"inputs":[{"kind":…,"body":value or text,"after_s":t,"hold":bool,
 *     reply, result: "effect": id or the verb or computation whose oldest released effect is meant; "sent","status","type","retry_s"
 *     alert: "topic","partition","offset","cluster","as_test","as_real"   order: "uid"}  or {"kind":"restart"}]} */
#include "engine/base/json.h"
#include "engine/base/query.h"
#include "engine/base/utc.h"
#include "facilities/facility.h"
#include "stage.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUTS_MOST 12

static int kind_of(const char *name)
{
	for (int k = 0; k < INPUT_KINDS; k++)
		if (strcmp(input_kind_name((enum input_kind)k), name) == 0)
			return k;
	return -1;
}

static int64_t within(int64_t v, int64_t low, int64_t high)
{
	return v < low ? low : v > high ? high : v;
}

/* Time passes; now and then the wall clock jumps by more, as clocks do. */
static void pass_time(struct stage *s, const json_t *j)
{
	double after_s = json_number(j, "after_s", 0), jump_s = json_number(j, "jump_s", 0);
	after_s = after_s > 0 ? fmin(after_s, 40 * 86400.0) : 0;
	jump_s = fmax(-4e8, fmin(4e8, jump_s));
	s->tick_us += (int64_t)(after_s * 1e6);
	s->utc_us = within(s->utc_us + (int64_t)((after_s + jump_s) * 1e6), 0, INT64_C(4102444800000000));
}

static int64_t effect_of(struct stage *s, const json_t *j)
{
	const json_t *effect = json_object_get(j, "effect");
	return json_is_string(effect) ? stage_waits(s, json_string_value(effect)) : json_is_integer(effect) ? json_integer_value(effect) : 0;
}

/* false: no such kind of input. */
static bool feed(struct stage *s, const json_t *j)
{
	const json_t *body = json_object_get(j, "body");
	int kind = kind_of(json_text(j, "kind", ""));
	char *text = body == NULL ? NULL : json_is_string(body) ? strdup(json_string_value(body)) : json_dumps(body, JSON_COMPACT | JSON_ENCODE_ANY);
	if (kind < 0) {
		free(text);
		return false;
	}
	struct input in = {.kind = (enum input_kind)kind, .utc_us = s->utc_us, .tick_us = s->tick_us, .body = text, .len = text ? strlen(text) : 0,
		.timestamp_us = s->utc_us, .uid = json_int(j, "uid", 1000), .pid = 4711, .random = {1, 2, 3}};
	in.reply.sent = (int)within(json_int(j, "sent", SENT_ANSWERED), SENT_NO, SENT_ANSWERED);
	in.reply.status = in.reply.sent == SENT_ANSWERED ? (int)within(json_int(j, "status", 200), 100, 999) : 0;
	in.reply.content_type = json_text(j, "type", "application/json");
	in.reply.transport = json_text(j, "transport", "");
	in.reply.retry_after_s = within(json_int(j, "retry_s", -1), -1, INT64_C(1) << 40);
	if (kind == INPUT_reply || kind == INPUT_result)
		in.effect = effect_of(s, j);
	if (kind == INPUT_alert) {
		in.source = json_text(j, "source", "gcn");
		in.topic = json_text(j, "topic", "igwn.gwalert");
		in.cluster = json_text(j, "cluster", "k1");
		in.partition = (int32_t)json_int(j, "partition", 0);
		in.offset = within(json_int(j, "offset", 4800), 0, INT64_C(1) << 60);
		in.as_test = json_flag(j, "as_test", false);
		in.as_real = !in.as_test && json_flag(j, "as_real", false);
	}
	stage_feed(s, &in);
	const json_t *answer = core_answer(s->core);
	must((kind == INPUT_order) == (answer != NULL)); /* every order is answered, and only they are */
	free(text);
	return true;
}

static void restart(struct stage *s)
{
	struct err e = {0};
	if (s->turn)
		stage_turn(s);
	must(core_recover(s->core, &e) == 0); /* nothing is released before the first input */
}

static bool run(const uint8_t *bytes, size_t len)
{
	json_t *j = json_loadb((const char *)bytes, len, JSON_REJECT_DUPLICATES, NULL);
	const json_t *list = json_object_get(j, "inputs"), *one;
	size_t i;
	if (json_array_size(list) == 0) {
		json_decref(j);
		return false;
	}
	struct stage *s = stage_at((int)((uint64_t)json_int(j, "stage", 0) % STAGES));
	int64_t rejects = 0;
	struct err e = {0};
	bool restarted = false; /* the journal knows of a start by the first input after it */
	stage_begin(s);
	json_array_foreach(list, i, one) {
		if (i >= INPUTS_MOST)
			break;
		pass_time(s, one);
		bool start = strcmp(json_text(one, "kind", ""), "restart") == 0;
		if (start && !restarted) /* it is in the transaction of the first input */
			restart(s);
		restarted = start || (!feed(s, one) && restarted);
		if (s->turn && !json_flag(one, "hold", false))
			stage_turn(s);
	}
	must(query_int(s->db, &rejects, &e, "SELECT count(*) FROM reject WHERE seq>?", "i", s->last_seq) >= 0);
	int64_t seq = 0, utc_us, tick_us;
	must(core_last(s->core, &seq, &utc_us, &tick_us, &e) == 0);
	bool decided = seq - s->last_seq > rejects; /* one input at least was not turned away */
	if (s->turn)
		stage_turn(s);
	if (seq > s->last_seq && !restarted && (bytes[len / 2] + bytes[len / 3] + len) % 32 == 0)
		stage_replay(s);
	stage_end(s);
	json_decref(j);
	return decided;
}

/* ---- seeds: the journal itself, from every stop on; orders, and what else a night brings ---- */
static json_t *row_input(sqlite3_stmt *q)
{
	size_t len = (size_t)sqlite3_column_bytes(q, 3);
	json_t *body = len > 0 ? json_loadb(sqlite3_column_blob(q, 3), len, 0, NULL) : NULL;
	json_t *meta = json_loads(query_col_text(q, 4, "{}"), 0, NULL);
	json_t *j = json_pack("{s:s,s:f}", "kind", query_col_text(q, 1, ""), "after_s", (double)query_col_int(q, 5, 0) / 1e6);
	if (body != NULL)
		json_object_set_new(j, "body", body);
	if (sqlite3_column_type(q, 2) != SQLITE_NULL)
		json_object_set_new(j, "effect", json_integer(query_col_int(q, 2, 0)));
	static const char *const same[] = {"sent", "status"};
	for (size_t i = 0; i < 2; i++)
		if (json_object_get(meta, same[i]) != NULL)
			json_object_set(j, same[i], json_object_get(meta, same[i]));
	if (strcmp(query_col_text(q, 1, ""), "alert") == 0)
		json_object_set_new(j, "offset", json_integer(query_col_int(q, 6, 0)));
	json_decref(meta);
	return j;
}

static void seed_rows(struct fuzz_seeds *s, int stage, int count)
{
	struct err e = {0};
	json_t *inputs = json_array();
	sqlite3_stmt *q = query_prepare(stage_journal(), "SELECT i.seq,i.kind,i.effect,ifnull(b.body,i.body),i.meta,i.tick_us-(SELECT max(tick_us) FROM input p "
		"WHERE p.seq<i.seq),i.next_offset FROM input i LEFT JOIN blob b ON b.sha256=i.sha256 WHERE i.seq>? ORDER BY i.seq LIMIT ?", &e);
	must(q != NULL && query_bind(q, &e, "ii", stage_at(stage)->last_seq, (int64_t)count) == 0);
	while (query_step(q, &e) == 1)
		json_array_append_new(inputs, row_input(q));
	sqlite3_finalize(q);
	if (json_array_size(inputs) > 0)
		fuzz_seed_json(s, json_pack("{s:i,s:O}", "stage", stage, "inputs", inputs));
	json_decref(inputs);
}

static const char *const orders[] = {"{\"verb\":\"veto\",\"event\":\"S230518h\",\"why\":\"x\"}", "{\"verb\":\"veto\",\"event\":\"S230518h\",\"what\":\"lco\"}",
	"{\"verb\":\"release\",\"event\":\"S230518h\",\"what\":\"NGC 4993\"}", "{\"verb\":\"hold\",\"what\":\"all\"}", "{\"verb\":\"hold\",\"what\":\"lco\"}",
	"{\"verb\":\"resume\",\"what\":\"all\"}", "{\"verb\":\"approve\",\"event\":\"S230518h\"}", "{\"verb\":\"cancel\",\"request\":1}", "{\"verb\":\"boost\",\"request\":2}",
	"{\"verb\":\"pin\",\"event\":\"S230518h\",\"target\":\"IC 4197\"}", "{\"verb\":\"accepted\",\"request\":1}", "{\"verb\":\"declined\",\"request\":1,\"why\":\"no\"}",
	"{\"verb\":\"amend\",\"event\":\"S230518h\",\"fact\":\"p_bns\",\"value\":0.1,\"source\":\"me\"}", "{\"verb\":\"promote\",\"candidate\":1}", "{\"verb\":\"reload\"}",
	"{\"verb\":\"disk\",\"full\":true}", "{\"verb\":\"amend\",\"event\":\"S230518h\",\"fact\":\"alert_type\",\"value\":\"UPDATE\",\"source\":\"me\"}"};
static const char *const others[] = {"{\"kind\":\"timer\",\"after_s\":60}", "{\"kind\":\"timer\",\"after_s\":90000}", "{\"kind\":\"restart\"}",
	"{\"kind\":\"clock\",\"jump_s\":3600,\"body\":{\"step_us\":3600000000}}", "{\"kind\":\"gap\",\"body\":{\"source\":\"gcn\",\"topic\":\"t\",\"partition\":0,\"from\":1,\"to\":9,\"what\":\"gap\"}}",
	"{\"kind\":\"reply\",\"effect\":\"submit\",\"sent\":1}", "{\"kind\":\"reply\",\"effect\":\"submit\",\"sent\":0}", "{\"kind\":\"reply\",\"effect\":\"submit\",\"status\":400,\"body\":{\"requests\":[{\"x\":[\"Window end\"]}]}}",
	"{\"kind\":\"reply\",\"effect\":\"submit\",\"status\":429,\"retry_s\":5}", "{\"kind\":\"reply\",\"effect\":\"find\",\"body\":{\"count\":0,\"next\":null,\"results\":[]}}",
	"{\"kind\":\"reply\",\"effect\":\"cancel\",\"status\":404}", "{\"kind\":\"reply\",\"effect\":\"poll\",\"status\":502,\"type\":\"text/html\",\"body\":\"<html>\"}",
	"{\"kind\":\"result\",\"effect\":\"plan\",\"body\":{\"kind\":\"plan\",\"requests\":[],\"verdicts\":[]}}", "{\"kind\":\"result\",\"effect\":\"map\",\"body\":{\"kind\":\"map\",\"error\":\"no\"}}",
	"{\"kind\":\"result\",\"effect\":\"message\",\"body\":{\"ok\":true}}", "{\"kind\":\"reply\",\"effect\":\"status\",\"status\":401,\"body\":{\"detail\":\"Invalid token.\"}}"};

static json_t *parsed(const char *text)
{
	json_t *j = json_loads(text, 0, NULL);
	must(j != NULL);
	return j;
}

static void seeds(struct fuzz_seeds *s)
{
	for (int stage = 0; stage < STAGES; stage++) {
		seed_rows(s, stage, 1);
		seed_rows(s, stage, 3);
		seed_rows(s, stage, INPUTS_MOST);
	}
	for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
		for (int stage = STAGE_OFFERED; stage < STAGES; stage += 2)
			fuzz_seed_json(s, json_pack("{s:i,s:[{s:s,s:o},{s:s,s:i}]}", "stage", stage + (int)(i % 2), "inputs", "kind", "order", "body", parsed(orders[i]), "kind",
				"timer", "after_s", 30));
	}
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		for (int stage = STAGE_HEARD; stage < STAGES; stage++)
			fuzz_seed_json(s, json_pack("{s:i,s:[o]}", "stage", stage, "inputs", parsed(others[i])));
}

/* Beside the tree's own changes: the list of inputs is shuffled, doubled and mixed with ready-made ones, and the stop changes. */
static size_t mutate(uint8_t *bytes, size_t len, size_t max, unsigned seed)
{
	struct fuzz_dice d = {seed ^ 0x10u};
	json_t *j = fuzz_below(&d, 3) ? json_loadb((const char *)bytes, len, 0, NULL) : NULL;
	json_t *list = json_object_get(j, "inputs"), *one;
	if (!json_is_array(list)) {
		json_decref(j);
		return fuzz_mutate_json(bytes, len, max, seed);
	}
	size_t n = json_array_size(list), at = fuzz_below(&d, n + 1);
	switch (fuzz_below(&d, 6)) {
	case 0:
		json_array_insert_new(list, at, json_pack("{s:s,s:o}", "kind", "order", "body", parsed(orders[fuzz_below(&d, sizeof orders / sizeof *orders)])));
		break;
	case 1:
	case 2:
		json_array_insert_new(list, at, parsed(others[fuzz_below(&d, sizeof others / sizeof *others)]));
		break;
	case 3:
		json_object_set_new(j, "stage", json_integer((json_int_t)fuzz_below(&d, STAGES)));
		break;
	case 4:
		if (n > 1) {
			one = json_incref(json_array_get(list, fuzz_below(&d, n)));
			json_array_insert_new(list, at, one);
		}
		break;
	default:
		if (n > 1)
			json_array_remove(list, fuzz_below(&d, n));
		break;
	}
	if (fuzz_below(&d, 2)) {
		one = json_array_get(list, fuzz_below(&d, json_array_size(list)));
		if (json_is_object(one))
			json_object_set_new(one, fuzz_below(&d, 2) ? "hold" : "after_s", fuzz_below(&d, 2) ? json_true() : json_integer((json_int_t)fuzz_below(&d, 7200)));
	}
	if (fuzz_below(&d, 2))
		j = fuzz_change_json(j, &d);
	char *text = json_dumps(j, JSON_COMPACT);
	size_t m = text ? strlen(text) : 0;
	json_decref(j);
	if (m > 0 && m <= max)
		memcpy(bytes, text, m);
	free(text);
	return m > 0 && m <= max ? m : fuzz_mutate_json(bytes, len, max, seed);
}

const struct fuzz_door fuzz_journal = {.name = "journal", .run = run, .mutate = mutate, .seeds = seeds, .max_len = 16384, .rss_mb = 768};

/* Replies to the adapters for Rubin: a REST proxy's, a file database's, an observer's folder's and LOVE's, at every verb and step, with any notes. An
 * input is {"door":0…3,"verb","step","late":bool,"request":{"region","event","remote_id"}|absent,"memo","facility_memo","reply":{"sent","status","body"}}; bytes
 * that are no JSON are the body of a file's poll. */
#include "door.h"
#include "engine/base/json.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include "facilities/rubin.h"
#include "tests/lib/embedded.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW_US INT64_C(1795143921123000) /* 2026-11-20T03:05:21.123Z */
#define TOKEN "slew-00000000-0123456789abcdef0123"
enum { DOORS = 4 };
static json_t *descriptors[DOORS], *filters;

static void begin(void)
{
	static const char *const transports[DOORS] = {"rest", "file", "folder", "love"};
	for (size_t i = 0; i < DOORS && filters == NULL; i++) {
		descriptors[i] = embedded_json(i < 2 ? "facilities/rubin-simonyi.json" : "facilities/rubin-auxtel.json");
		json_object_set_new(json_object_get(descriptors[i], i < 2 ? "too" : "block"), "transport", json_string(transports[i]));
	}
	if (filters == NULL)
		filters = json_pack("[s,s]", "SDSSr_65mm", "empty_1");
}

static void check_answer(const struct view *v, const struct reply *r, bool file, const struct answer *a)
{
	must((unsigned)a->kind < ANSWER_KINDS);
	must(a->words[0] == '\0' || text_printable(a->words, strlen(a->words), sizeof a->words));
	must(a->remote_id[0] == '\0' || text_printable(a->remote_id, strlen(a->remote_id), sizeof a->remote_id));
	must(a->observation_id[0] == '\0' || text_printable(a->observation_id, strlen(a->observation_id), sizeof a->observation_id));
	must(a->kind == ANSWER_RETRY_AFTER ? a->retry_after_s >= 1 && a->retry_after_s <= LIMIT_RETRY_AFTER_S : true);
	/* nothing is accepted unheard or without a number; what may have left through a network is not said to have made nothing */
	must(a->kind != ANSWER_ACCEPTED || (r->sent == SENT_ANSWERED && r->status == 200 && a->remote_id[0] != '\0'));
	must(a->kind != ANSWER_ABSENT || r->sent == SENT_ANSWERED);
	bool record = v->verb == VERB_SUBMIT && !file;
	must(!record || !a->creates_nothing || r->sent == SENT_NO || (r->sent == SENT_ANSWERED && r->status >= 200 && r->status < 500));
}

static size_t length_of(const json_t *memo)
{
	char *text = memo != NULL ? json_dumps(memo, JSON_COMPACT) : NULL;
	size_t len = text != NULL ? strlen(text) : 0;
	free(text);
	return len;
}

/* A record that is rendered has every rule: that is what the scheduler lives by. */
static void check_record(const struct facility_conf *conf, const struct view *v, const struct call *c)
{
	struct err e = {0};
	json_t *body = json_loadb(c->body, c->body_len, JSON_REJECT_DUPLICATES, NULL);
	const json_t *value = rubin_is_file(conf) ? body : json_object_get(json_array_get(json_object_get(body, "records"), 0), "value"), *cell;
	const json_t *map = json_object_get(value, "reward_map");
	size_t i, set = 0;
	must(json_object_size(value) == 9 && json_array_size(map) == RUBIN_CELLS && json_int(value, "reward_map_nside", 0) == 32);
	json_array_foreach(map, i, cell) {
		must(json_is_boolean(cell));
		set += json_is_true(cell);
	}
	must(set > 0 && set < RUBIN_CELLS);
	const char *source = json_text(value, "source", "");
	must(strlen(source) >= 1 && strlen(source) <= 60 && strpbrk(source, "'\"\\; ") == NULL && strcmp(source, json_text(v->memo, "source", "?")) == 0);
	must(strlen(json_text(value, "event_trigger_timestamp", "")) == 24);
	must(json_array_size(json_object_get(value, "instrument")) == RUBIN_DETECTORS);
	(void)e;
	json_decref(body);
}

static void render(const struct facility_ops *ops, const struct facility_conf *conf, const struct view *v)
{
	struct call c = {0}, again;
	struct err e = {0};
	int rc = facility_render(ops, conf, v, &c, &e);
	must(rc >= -1 && rc <= 1 && (rc != -1 || e.text[0] != '\0'));
	if (rc != 0)
		return;
	must(c.path[0] == '/' && strpbrk(c.path, " ?#\r\n") == NULL && (c.query == NULL || strpbrk(c.query, " #\r\n") == NULL));
	must(!c.once || v->verb == VERB_SUBMIT);
	if (ops == &facility_rubin_too && c.once)
		check_record(conf, v, &c);
	json_t *j = call_json(&c);
	must(j != NULL && call_from_json(j, &again, &e) == 0);
	call_free(&again);
	call_free(&c);
	json_decref(j);
}

static void read_once(size_t door, struct view v, const struct reply *r)
{
	const struct facility_ops *ops = door < 2 ? &facility_rubin_too : &facility_rubin_block;
	const struct facility_conf conf = {"rubin", descriptors[door]};
	struct answers a = {0};
	render(ops, &conf, &v);
	must(ops->read(&conf, &v, r, &a) == 0);
	must(a.count <= 1 && a.next_step >= -1 && (a.next_step < 0 || a.next_step > v.step));
	must(!a.complete || a.next_step == -1);
	for (size_t i = 0; i < a.count; i++)
		check_answer(&v, r, door == 1 || door == 2 || v.step == 0, &a.list[i]);
	must(length_of(v.memo) > 2000 || length_of(a.memo) <= LIMIT_MEMO);
	must(length_of(v.facility_memo) > 2000 || length_of(a.facility_memo) <= 4 * LIMIT_MEMO);
	int64_t before = rubin_last_ms(v.facility_memo), after = rubin_last_ms(a.facility_memo);
	must(a.facility_memo == NULL || after > before); /* it only rises */
	if (a.next_step >= 0) {
		v.step = a.next_step;
		v.memo = a.memo != NULL ? a.memo : v.memo;
		v.facility_memo = a.facility_memo != NULL ? a.facility_memo : v.facility_memo;
		render(ops, &conf, &v);
	}
	answers_free(&a);
}

static void run_case(const json_t *c)
{
	const json_t *reply = json_object_get(c, "reply"), *request = json_object_get(c, "request"), *value = json_object_get(reply, "body");
	const char *sent = json_text(reply, "sent", "answered");
	size_t door = (size_t)((uint64_t)json_int(c, "door", 0) % DOORS);
	int verb = verb_from_name(json_text(c, "verb", "poll"));
	struct facility_request q = {.token = TOKEN, .remote_id = "0/7", .event = json_text(request, "event", "S261120ab"), .target_name = json_text(request, "target_name", "NGC 1365"),
		.proposal = "ToO", .mode = "NORMAL", .ra_deg = json_number(request, "ra_deg", 53.4), .dec_deg = json_number(request, "dec_deg", -36.1), .exposure_s = 30, .max_airmass = 2,
		.count = 1, .filters = filters, .instrument = "LATISS", .site = "", .start_us = NOW_US, .end_us = NOW_US + UTC_HOUR, .created_us = NOW_US,
		.policy = json_text(request, "policy", "rubin-gw-b"), .region = door < 2 ? json_text(request, "region", "5/8-9 4096") : "", .event_us = NOW_US - UTC_HOUR};
	struct view v = {.now_us = json_flag(c, "late", false) ? NOW_US + 1000 * UTC_HOUR : NOW_US, .verb = verb < 0 ? VERB_POLL : (enum verb)verb,
		.step = (int)((uint64_t)json_int(c, "step", 0) % 60), .request = &q, .memo = json_object_get(c, "memo"), .facility_memo = json_object_get(c, "facility_memo"),
		.prefix = "slew-00000000-", .since_us = UTC_NONE};
	if (v.verb == VERB_STATUS || (request == NULL && (v.verb == VERB_POLL || v.verb == VERB_FIND)))
		v.request = NULL;
	char *body = value == NULL ? strdup("") : json_is_string(value) ? strdup(json_string_value(value)) : json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	must(body != NULL);
	struct reply r = {.sent = strcmp(sent, "no") == 0 ? SENT_NO : strcmp(sent, "maybe") == 0 ? SENT_MAYBE : SENT_ANSWERED, .status = (int)(json_int(reply, "status", 200) % 1000),
		.content_type = "application/json", .transport = json_text(reply, "transport", ""), .retry_after_s = json_int(reply, "retry_after_s", -1), .body = body, .len = strlen(body)};
	if (r.sent != SENT_ANSWERED)
		r.status = 0;
	read_once(door, v, &r);
	free(body);
}

static bool run(const uint8_t *bytes, size_t len)
{
	begin();
	json_t *c = json_loadb((const char *)bytes, len, JSON_REJECT_DUPLICATES, NULL);
	bool object = json_is_object(c);
	if (object) {
		run_case(c);
	} else {
		struct facility_request q = {.token = TOKEN, .remote_id = "row/1", .event = "S261120ab", .policy = "rubin-gw-b", .region = "5/8-9 4096", .event_us = NOW_US - UTC_HOUR};
		struct view v = {.now_us = NOW_US, .verb = VERB_POLL, .request = &q, .prefix = "slew-00000000-", .since_us = UTC_NONE};
		struct reply r = {.sent = SENT_ANSWERED, .status = 200, .content_type = "", .transport = "", .retry_after_s = -1, .body = (const char *)bytes, .len = len};
		read_once(1, v, &r);
	}
	json_decref(c);
	return object;
}

static void seeds(struct fuzz_seeds *s)
{
	static const char *const texts[] = {
		"{\"door\":0,\"verb\":\"submit\",\"request\":{},\"facility_memo\":{\"last_ms\":1795143921123,\"sent\":[[\"S261120ab\",\"slew-00000000-aaaaaaaaaaaaaaaaaaaa\"]]},\"reply\":{\"body\":{\"name\":\"lsst.scimma.too_alert\"}}}",
		"{\"door\":0,\"verb\":\"submit\",\"step\":1,\"request\":{\"region\":\"4/7 5/1-2\"},\"memo\":{\"source\":\"S261120ab-v2\",\"timestamp_ms\":1795143921123},\"reply\":{\"body\":{\"offsets\":[{\"partition\":0,\"offset\":12,\"error_code\":null,\"error\":null}]}}}",
		"{\"door\":0,\"verb\":\"submit\",\"step\":1,\"request\":{},\"memo\":{\"source\":\"S1\",\"timestamp_ms\":1795143921123},\"reply\":{\"body\":{\"offsets\":[{\"partition\":null,\"offset\":null,\"error_code\":2,\"error\":\"timed out\"}]}}}",
		"{\"door\":0,\"verb\":\"submit\",\"step\":1,\"request\":{},\"memo\":{},\"reply\":{\"status\":422,\"body\":{\"error_code\":42203,\"message\":\"Conversion failed\"}}}",
		"{\"door\":0,\"verb\":\"poll\",\"late\":true,\"request\":{},\"memo\":{\"until_us\":1795143921123000},\"reply\":{\"body\":{}}}",
		"{\"door\":0,\"verb\":\"status\",\"reply\":{\"status\":404,\"body\":{\"message\":\"Topic not found.\"}}}",
		"{\"door\":0,\"verb\":\"submit\",\"step\":1,\"request\":{},\"reply\":{\"sent\":\"maybe\",\"transport\":\"timed out\"}}",
		"{\"door\":1,\"verb\":\"submit\",\"request\":{},\"reply\":{\"body\":{\"columns\":[\"rowid\",\"timestamp\"],\"rows\":[[1795143999999,1795143999999]]}}}",
		"{\"door\":1,\"verb\":\"submit\",\"step\":1,\"request\":{},\"memo\":{\"source\":\"S1\",\"timestamp_ms\":1795143921123},\"reply\":{\"body\":{\"rowid\":1795143921123}}}",
		"{\"door\":1,\"verb\":\"find\",\"request\":{},\"memo\":{\"source\":\"S1\",\"timestamp_ms\":7},\"reply\":{\"body\":{\"columns\":[\"rowid\",\"timestamp\",\"source\"],\"rows\":[[7,7,\"S1\"]]}}}",
		"{\"door\":1,\"verb\":\"poll\",\"request\":{},\"memo\":{\"until_us\":1795143921123000,\"seen\":\"1\",\"visits\":1,\"first_us\":1,\"last_us\":2,\"after\":1},\"reply\":{\"body\":{\"columns\":[\"rowid\"],"
		"\"rows\":[[2,45,-88.5,61364.25,34,\"ToO, GW_case_B_C\",\"too_x\"],[3,null,1e300,-1,\"\",7]]}}}",
		"{\"door\":2,\"verb\":\"submit\",\"request\":{\"target_name\":\"a: \\\"b\"},\"reply\":{\"body\":{\"state\":\"new\",\"words\":\"\"}}}",
		"{\"door\":2,\"verb\":\"poll\",\"request\":{},\"reply\":{\"body\":{\"state\":\"refused\",\"words\":\"clouds\"}}}",
		"{\"door\":2,\"verb\":\"cancel\",\"request\":{},\"reply\":{\"body\":{\"state\":\"removed\",\"words\":\"\"}}}",
		"{\"door\":3,\"verb\":\"submit\",\"request\":{},\"reply\":{\"body\":{\"ack\":\"Done\"}}}",
		"{\"door\":3,\"verb\":\"poll\",\"late\":true,\"request\":{},\"reply\":{\"body\":{}}}",
		"{\"columns\":[\"rowid\"],\"rows\":[[1,45,-88.5,61364.2,34,\"ToO\",\"\"]]}", "<html>502</html>",
	};
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		fuzz_seed_text(s, texts[i]);
}

const struct fuzz_door fuzz_rubin_read = {.name = "rubin_read", .run = run, .mutate = fuzz_mutate_json, .seeds = seeds, .max_len = 8192};

/* Records for Rubin's scheduler: each field, each rule that keeps a bad one at home, timestamps that only rise, and every answer of the proxy. */
#include "test.h"
#include "embedded.h"
#include "engine/base/hash.h"
#include "engine/base/json.h"
#include "engine/base/utc.h"
#include "facilities/rubin.h"
#include <math.h>

#define NOW_US (INT64_C(1795143921123) * 1000) /* 2026-11-20T03:05:21.123Z */
#define TOKEN "slew-00000000-0123456789abcdef0123"

static json_t *descriptor;
static bool mask[RUBIN_CELLS];

static struct facility_request request(void)
{
	static json_t *detectors;
	if (detectors == NULL)
		detectors = json_object_get(descriptor, "test_detectors");
	return (struct facility_request){.token = TOKEN, .remote_id = "", .event = "S261120ab", .policy = "bns", .region = "5/8-9 4096", .detectors = detectors,
					 .event_us = NOW_US - 60 * UTC_SECOND, .created_us = NOW_US};
}

static int count_of(const char *moc)
{
	struct err e = {0};
	int n = 0;
	if (rubin_mask(moc, mask, &e) < 0)
		return -1;
	for (int i = 0; i < RUBIN_CELLS; i++)
		n += mask[i];
	return n;
}

static void coverage(void **state)
{
	(void)state;
	assert_int_equal(count_of("5/8-9 12"), 3);
	assert_true(mask[8] && mask[9] && mask[12] && !mask[10]);
	assert_int_equal(count_of("4/7"), 4); /* children */
	assert_true(mask[28] && mask[31] && !mask[32]);
	assert_int_equal(count_of("7/160-175,176"), 2); /* parents */
	assert_true(mask[10] && mask[11]);
	assert_int_equal(count_of("0/0-11"), RUBIN_CELLS);
	assert_int_equal(count_of("29/3458764513820540927"), 1); /* the last pixel */
	assert_true(mask[RUBIN_CELLS - 1]);
	assert_int_equal(count_of(""), 0);
	assert_int_equal(count_of("5/1 29/"), 1);
	static const char *const bad[] = {"5/12288", "5/9-8", "8", "5/x", "30/1", "5/-1", "5/1-", "-1/2", "5/99999999999999999999", "{\"5\":[1]}", "5//1"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(count_of(bad[i]), -1);
}

/* Each field as the scheduler's reader wants it. */
static void record(void **state)
{
	struct facility_conf conf = {"simonyi", descriptor};
	struct facility_request q = request();
	struct view v = {.now_us = NOW_US, .request = &q};
	struct rubin_record r;
	struct err e = {0};
	(void)state;
	assert_ok(rubin_record_make(&conf, &v, "S261120ab", 1795143921123, &r, &e), &e);
	json_t *j = rubin_record_json(&r), *map = json_object_get(j, "reward_map");
	assert_int_equal(json_object_size(j), 9);
	assert_string_equal(json_text(j, "source", ""), "S261120ab");
	assert_string_equal(json_text(j, "alert_type", ""), "GW_case_B");
	assert_string_equal(json_text(j, "event_trigger_timestamp", ""), "2026-11-20T03:04:21.123Z");
	assert_int_equal(json_int(j, "reward_map_nside", 0), 32);
	assert_int_equal(json_int(j, "timestamp", 0), 1795143921123);
	assert_true(json_is_false(json_object_get(j, "is_test")) && json_is_false(json_object_get(j, "is_update")));
	json_t *names = json_object_get(j, "instrument");
	assert_int_equal(json_array_size(names), 3); /* always, "" where there are fewer */
	assert_string_equal(json_string_value(json_array_get(names, 0)), "H1");
	assert_string_equal(json_string_value(json_array_get(names, 2)), "");
	assert_int_equal(json_array_size(map), 12288);
	for (size_t i = 0; i < 12288; i++)
		assert_true(json_is_boolean(json_array_get(map, i)) && json_is_true(json_array_get(map, i)) == (i == 8 || i == 9 || i == 4096));
	json_decref(j);
}

static void refused(struct facility_request q, const char *source, const char *word)
{
	struct facility_conf conf = {"simonyi", descriptor};
	struct view v = {.now_us = NOW_US, .verb = VERB_OFFER, .request = &q};
	struct rubin_record r;
	struct err e = {0};
	if (rubin_record_make(&conf, &v, source, 1795143921123, &r, &e) == 0)
		fail_msg("taken, although \"%s\"", word);
	assert_int_equal(e.kind, ERR_INPUT);
	if (strstr(e.text, word) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", e.text, word);
}

/* What would stop the scheduler, or be passed over by it, stays at home. */
static void rules(void **state)
{
	struct facility_request good = request(), q;
	struct err e = {0};
	struct rubin_record r;
	(void)state;
	static const char *const sources[] = {"S26'; DROP", "", "S26 1120", "S26\"", "ä", "S123456789012345678901234567890123456789012345678901234567890"};
	for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++)
		refused(good, sources[i], "source");
	q = good;
	q.region = "";
	refused(q, "S1", "no cell is set");
	q.region = "0/0-11";
	refused(q, "S1", "whole sky");
	q.region = "5/1023"; /* the north pole's cell */
	refused(q, "S1", "north");
	q.region = "5/12288";
	refused(q, "S1", "region at");
	q = good;
	q.policy = "unknown";
	refused(q, "S1", "too.labels");
	q.policy = "nobody-follows";
	refused(q, "S1", "no survey");
	q = good;
	q.event_us = UTC_NONE;
	refused(q, "S1", "event_trigger_timestamp");
	q = good;
	q.detectors = json_object_get(descriptor, "test_strange");
	refused(q, "S1", "instrument");
	struct facility_conf conf = {"simonyi", descriptor};
	struct view v = {.now_us = NOW_US, .request = &good};
	assert_ok(rubin_record_make(&conf, &v, "S1", 1795143921123, &r, &e), &e);
	snprintf(r.trigger, sizeof r.trigger, "2026-11-20 03:04:21.123"); /* a blank: ValueError there */
	assert_int_equal(rubin_record_check(rubin_settings(&conf), &r, &e), -1);
	assert_non_null(strstr(e.text, "only form"));
	assert_ok(rubin_record_make(&conf, &v, "S1", 1795143921123, &r, &e), &e);
	r.timestamp_ms = 1795143921; /* seconds */
	assert_int_equal(rubin_record_check(rubin_settings(&conf), &r, &e), -1);
	r.timestamp_ms = 1795143921123000;
	assert_int_equal(rubin_record_check(rubin_settings(&conf), &r, &e), -1);
	assert_true(rubin_cell_dec_deg(1023) > 85 && rubin_cell_dec_deg(8192) < -85);
}

/* The offer asks nobody: a good request is taken, a bad one refused in words. */
static void offer(void **state)
{
	struct facility_conf conf = {"simonyi", descriptor};
	struct facility_request q = request();
	struct view v = {.now_us = NOW_US, .verb = VERB_OFFER, .request = &q};
	struct call c;
	struct err e = {0};
	(void)state;
	assert_int_equal(facility_render(&facility_rubin_too, &conf, &v, &c, &e), 1);
	q.region = "0/0-11";
	assert_int_equal(facility_render(&facility_rubin_too, &conf, &v, &c, &e), -1);
	v.verb = VERB_CANCEL;
	assert_int_equal(facility_render(&facility_rubin_too, &conf, &v, &c, &e), 1); /* it cannot */
	v.verb = VERB_FIND;
	assert_int_equal(facility_render(&facility_rubin_too, &conf, &v, &c, &e), 1);
}

static struct answers told(struct view *v, int status, const char *body)
{
	struct facility_conf conf = {"simonyi", descriptor};
	struct reply r = {.sent = SENT_ANSWERED, .status = status, .content_type = "application/json", .transport = "", .retry_after_s = -1, .body = body, .len = strlen(body)};
	struct answers a = {0};
	assert_int_equal(facility_rubin_too.read(&conf, v, &r, &a), 0);
	return a;
}

/* Timestamp and source are noted before the record leaves; the clock may stand or go back, the timestamp only rises. */
static void reserved(void **state)
{
	struct facility_conf conf = {"simonyi", descriptor};
	struct facility_request q = request();
	struct view v = {.now_us = NOW_US, .verb = VERB_SUBMIT, .request = &q};
	struct call c;
	struct err e = {0};
	(void)state;
	assert_int_equal(facility_render(&facility_rubin_too, &conf, &v, &c, &e), 0);
	assert_string_equal(c.path, "/topics/lsst.scimma.too_alert");
	assert_true(strcmp(c.method, "GET") == 0 && !c.once && strcmp(c.url, "proxy") == 0);
	call_free(&c);
	struct answers first = told(&v, 200, "{\"name\":\"lsst.scimma.too_alert\",\"partitions\":[]}");
	assert_int_equal(first.next_step, 1);
	assert_int_equal(json_int(first.memo, "timestamp_ms", 0), 1795143921123);
	assert_string_equal(json_text(first.memo, "source", ""), "S261120ab");
	/* another request of the same event, in the same millisecond, then a clock that goes back a second */
	q.token = "slew-00000000-aaaaaaaaaaaaaaaaaaaa";
	v.facility_memo = first.facility_memo;
	struct answers second = told(&v, 200, "{}");
	assert_int_equal(json_int(second.memo, "timestamp_ms", 0), 1795143921124);
	assert_string_equal(json_text(second.memo, "source", ""), "S261120ab-v2");
	v.now_us -= UTC_SECOND;
	v.facility_memo = second.facility_memo;
	q.token = TOKEN; /* sent again after a doubt: its own source, a new timestamp */
	struct answers third = told(&v, 200, "{}");
	assert_int_equal(json_int(third.memo, "timestamp_ms", 0), 1795143921125);
	assert_string_equal(json_text(third.memo, "source", ""), "S261120ab");
	assert_int_equal(json_array_size(json_object_get(third.facility_memo, "sent")), 2);
	/* the record itself */
	v.step = 1;
	assert_int_equal(facility_render(&facility_rubin_too, &conf, &v, &c, &e), -1); /* nothing noted: nothing leaves */
	v.memo = third.memo;
	assert_int_equal(facility_render(&facility_rubin_too, &conf, &v, &c, &e), 0);
	assert_true(c.once && strcmp(c.method, "POST") == 0);
	assert_string_equal(c.content_type, "application/vnd.kafka.avro.v2+json");
	json_t *body = json_loadb(c.body, c.body_len, 0, NULL), *schema = json_loads(json_text(body, "value_schema", ""), 0, NULL);
	const json_t *value = json_object_get(json_array_get(json_object_get(body, "records"), 0), "value"), *fields = json_object_get(schema, "fields");
	assert_int_equal(json_int(value, "timestamp", 0), 1795143921125);
	assert_string_equal(json_text(schema, "namespace", ""), "lsst.scimma");
	assert_int_equal(json_array_size(fields), 9);
	for (size_t i = 0; i < 9; i++) /* the schema and the record name the same */
		assert_non_null(json_object_get(value, json_text(json_array_get(fields, i), "name", "?")));
	json_decref(body);
	json_decref(schema);
	call_free(&c);
	answers_free(&first);
	answers_free(&second);
	answers_free(&third);
}

/* The list of sources is kept short: a name of long ago is forgotten, as the scheduler forgets it. */
static void sources_kept(void **state)
{
	struct facility_request q = request();
	struct view v = {.now_us = NOW_US, .verb = VERB_SUBMIT, .request = &q};
	json_t *memo = NULL;
	char name[64];
	(void)state;
	for (int i = 0; i < 120; i++) {
		snprintf(name, sizeof name, "S%06d", i);
		q.event = name;
		v.facility_memo = memo;
		struct answers a = told(&v, 200, "{}");
		json_decref(memo);
		memo = json_incref(a.facility_memo);
		answers_free(&a);
	}
	char *text = json_dumps(memo, 0);
	assert_int_equal(json_array_size(json_object_get(memo, "sent")), 100);
	assert_true(strlen(text) < 4 * LIMIT_MEMO);
	free(text);
	json_decref(memo);
}

static void one(struct view *v, int status, const char *body, const char *kind, const char *word)
{
	struct answers a = told(v, status, body);
	if (a.count != 1 || strcmp(answer_name(a.list[0].kind), kind) != 0 || strstr(a.list[0].words, word) == NULL)
		fail_msg("%d %s: %zu answers, %s \"%s\"", status, body, a.count, a.count ? answer_name(a.list[0].kind) : "-", a.count ? a.list[0].words : "");
	answers_free(&a);
}

static void proxy(void **state)
{
	struct facility_request q = request();
	json_t *memo = json_pack("{s:s,s:I}", "source", "S261120ab-v2", "timestamp_ms", (json_int_t)1795143921123);
	struct view v = {.now_us = NOW_US, .verb = VERB_SUBMIT, .step = 1, .request = &q, .memo = memo};
	(void)state;
	struct answers a = told(&v, 200, "{\"offsets\":[{\"partition\":0,\"offset\":12,\"error_code\":null,\"error\":null}],\"key_schema_id\":null,\"value_schema_id\":21}");
	assert_int_equal(a.list[0].kind, ANSWER_ACCEPTED);
	assert_string_equal(a.list[0].remote_id, "0/12");
	assert_non_null(strstr(a.list[0].words, "the record S261120ab before it stays active"));
	assert_int_equal(json_int(a.memo, "until_us", 0), q.event_us + (72 + 48) * UTC_HOUR); /* GW_case_B: last epoch and flush */
	answers_free(&a);
	one(&v, 200, "{\"offsets\":[{\"partition\":null,\"offset\":null,\"error_code\":1,\"error\":\"too large\"}]}", "declined", "too large");
	one(&v, 200, "{\"offsets\":[{\"partition\":null,\"offset\":null,\"error_code\":2,\"error\":\"timed out\"}]}", "unknown", "timed out");
	one(&v, 200, "{\"offsets\":[]}", "unknown", "HTTP 200");
	one(&v, 200, "{\"offsets\":[{\"offset\":-1}]}", "unknown", "error");
	one(&v, 200, "<html>log in</html>", "unknown", "log in");
	one(&v, 422, "{\"error_code\":42203,\"message\":\"Conversion of JSON to Avro failed\"}", "declined", "Conversion");
	one(&v, 404, "{\"error_code\":40401,\"message\":\"Topic not found.\"}", "declined", "Topic not found");
	one(&v, 429, "", "retry_after", "HTTP 429");
	one(&v, 503, "", "unknown", "HTTP 503"); /* perhaps it was taken */
	a = told(&v, 403, "{}");
	assert_true(a.count == 1 && a.list[0].kind == ANSWER_DECLINED && a.list[0].credentials && a.list[0].creates_nothing);
	answers_free(&a);
	v.step = 0; /* a look makes nothing, whatever is said */
	a = told(&v, 500, "");
	assert_true(a.count == 1 && a.next_step == -1 && a.list[0].creates_nothing && a.list[0].kind == ANSWER_UNKNOWN);
	answers_free(&a);
	json_decref(memo);
}

/* Nobody answers: silence until the survey has given up is the refusal. */
static void silence(void **state)
{
	struct facility_request q = request();
	json_t *memo = json_pack("{s:I}", "until_us", (json_int_t)(NOW_US + UTC_HOUR));
	struct view v = {.now_us = NOW_US, .verb = VERB_POLL, .request = &q, .memo = memo};
	(void)state;
	one(&v, 200, "{}", "queued", "");
	v.now_us = NOW_US + 2 * UTC_HOUR;
	one(&v, 200, "{}", "expired", "2026-11-20T04:05:21Z");
	one(&v, 502, "", "unknown", "HTTP 502");
	v = (struct view){.now_us = NOW_US, .verb = VERB_STATUS};
	one(&v, 200, "{}", "open", "");
	one(&v, 404, "{\"message\":\"Topic not found.\"}", "closed", "Topic");
	one(&v, 500, "", "unknown", "HTTP 500");
	json_decref(memo);
}

/* The same through a file: one more than the newest row that anybody wrote, found again after a doubt, completed by visits. */
static void file(void **state)
{
	json_t *too = json_object_get(descriptor, "too"), *memo = NULL;
	struct facility_conf conf = {"simonyi", descriptor};
	struct facility_request q = request();
	struct view v = {.now_us = NOW_US, .verb = VERB_SUBMIT, .request = &q};
	struct call c;
	struct err e = {0};
	(void)state;
	json_object_set_new(too, "transport", json_string("file"));
	assert_int_equal(facility_render(&facility_rubin_too, &conf, &v, &c, &e), 0);
	assert_string_equal(c.url, "exchange");
	assert_string_equal(c.path, "/too_alert");
	assert_string_equal(c.query, "columns=timestamp&newest=1");
	call_free(&c);
	struct answers a = told(&v, 200, "{\"columns\":[\"rowid\",\"timestamp\"],\"rows\":[[1795143999999,1795143999999]]}");
	assert_int_equal(json_int(a.memo, "timestamp_ms", 0), 1795144000000);
	memo = json_incref(a.memo);
	answers_free(&a);
	v.memo = memo;
	v.step = 1;
	assert_int_equal(facility_render(&facility_rubin_too, &conf, &v, &c, &e), 0);
	assert_true(c.once && strcmp(c.method, "POST") == 0 && strcmp(c.path, "/too_alert") == 0);
	json_t *row = json_loadb(c.body, c.body_len, 0, NULL);
	assert_int_equal(json_object_size(row), 9);
	json_decref(row);
	call_free(&c);
	a = told(&v, 200, "{\"rowid\":1795144000000}");
	assert_true(a.count == 1 && a.list[0].kind == ANSWER_ACCEPTED);
	assert_string_equal(a.list[0].remote_id, "row/1795144000000");
	answers_free(&a);
	a = told(&v, 409, "{\"message\":\"UNIQUE constraint failed\"}");
	assert_true(a.count == 1 && a.list[0].kind == ANSWER_DECLINED && a.list[0].creates_nothing);
	answers_free(&a);
	a = told(&v, 500, "{\"message\":\"cannot open\"}"); /* a file is written, or not */
	assert_true(a.count == 1 && a.list[0].kind == ANSWER_UNKNOWN && a.list[0].creates_nothing);
	answers_free(&a);
	v.verb = VERB_FIND;
	v.step = 0;
	assert_int_equal(facility_render(&facility_rubin_too, &conf, &v, &c, &e), 0);
	assert_string_equal(c.query, "columns=timestamp,source&after=1795143999999&limit=1");
	call_free(&c);
	one(&v, 200, "{\"columns\":[\"rowid\",\"timestamp\",\"source\"],\"rows\":[[1795144000000,1795144000000,\"S261120ab\"]]}", "accepted", "in the file as S261120ab");
	one(&v, 200, "{\"columns\":[\"rowid\",\"timestamp\",\"source\"],\"rows\":[[1795144000000,1795144000000,\"S261120xx\"]]}", "absent", "");
	one(&v, 200, "{\"columns\":[\"rowid\",\"timestamp\",\"source\"],\"rows\":[]}", "absent", "");
	json_object_set_new(too, "transport", json_string("rest"));
	json_decref(memo);
}

static int64_t avro_number(const unsigned char **p)
{
	uint64_t u = 0;
	for (int shift = 0;; shift += 7) {
		u |= (uint64_t)(**p & 0x7F) << shift;
		if (!(*(*p)++ & 0x80))
			return (int64_t)(u >> 1) ^ -(int64_t)(u & 1);
	}
}

static void avro_text(const unsigned char **p, const char *wanted)
{
	int64_t len = avro_number(p);
	assert_int_equal(len, strlen(wanted));
	assert_memory_equal(*p, wanted, (size_t)len);
	*p += len;
}

/* Straight to Kafka: Confluent's head, then the nine fields in the schema's order; to a topic of Hopskotch as JSON, a test marked in its header. */
static void kafka(void **state)
{
	json_t *too = json_object_get(descriptor, "too"), *memo = json_pack("{s:s,s:I}", "source", "S261120ab", "timestamp_ms", (json_int_t)1795143921123);
	struct facility_conf conf = {"simonyi", descriptor};
	struct facility_request q = request();
	struct view v = {.now_us = NOW_US, .verb = VERB_OFFER, .request = &q, .memo = memo};
	struct call c;
	struct err e = {0};
	unsigned char *bytes;
	size_t len;
	(void)state;
	json_object_set_new(too, "transport", json_string("kafka"));
	assert_int_equal(facility_render(&facility_rubin_too, &conf, &v, &c, &e), -1);
	assert_non_null(strstr(e.text, "schema_id"));
	json_object_set_new(too, "schema_id", json_integer(300));
	assert_int_equal(facility_render(&facility_rubin_too, &conf, &v, &c, &e), 1);
	v.verb = VERB_SUBMIT;
	v.step = 1;
	q.is_test = true;
	assert_int_equal(facility_render(&facility_rubin_too, &conf, &v, &c, &e), 0);
	assert_true(c.once && strcmp(c.url, "broker") == 0 && strcmp(c.path, "/topics/lsst.scimma.too_alert") == 0 && strcmp(c.content_type, "application/avro+base64") == 0);
	assert_ok(base64_decode(c.body, c.body_len, 1 << 20, &bytes, &len, &e), &e);
	const unsigned char *p = bytes + 5;
	assert_memory_equal(bytes, "\0\0\0\1\54", 5);
	avro_text(&p, "S261120ab");
	assert_int_equal(avro_number(&p), 3);
	avro_text(&p, "H1");
	avro_text(&p, "L1");
	avro_text(&p, "");
	assert_int_equal(avro_number(&p), 0);
	avro_text(&p, "GW_case_B");
	avro_text(&p, "2026-11-20T03:04:21.123Z");
	assert_int_equal(avro_number(&p), 12288);
	for (int i = 0; i < 12288; i++)
		assert_int_equal(*p++, i == 8 || i == 9 || i == 4096);
	assert_int_equal(avro_number(&p), 0);
	assert_int_equal(avro_number(&p), 32);
	assert_true(*p++ == 1 && *p++ == 0); /* test, update */
	assert_int_equal(avro_number(&p), 1795143921123);
	assert_ptr_equal(p, bytes + len);
	free(bytes);
	call_free(&c);
	json_object_set_new(too, "transport", json_string("hop"));
	assert_int_equal(facility_render(&facility_rubin_too, &conf, &v, &c, &e), 0);
	assert_string_equal(c.query, "header=_format:json&header=_test:true");
	json_t *record = json_loadb(c.body, c.body_len, 0, NULL);
	assert_int_equal(json_object_size(record), 9);
	json_decref(record);
	call_free(&c);
	q.is_test = false;
	assert_int_equal(facility_render(&facility_rubin_too, &conf, &v, &c, &e), 0);
	assert_string_equal(c.query, "header=_format:json");
	call_free(&c);
	json_object_set_new(too, "transport", json_string("rest"));
	json_decref(memo);
}

#define COLUMNS "\"columns\":[\"rowid\",\"fieldRA\",\"fieldDec\",\"observationStartMJD\",\"visitTime\",\"scheduler_note\",\"observation_reason\"]"

static void visits_told(struct view *v, json_t **memo, const char *rows, const char *kind, const char *words)
{
	char body[2000];
	snprintf(body, sizeof body, "{" COLUMNS ",\"rows\":[%s]}", rows);
	v->memo = *memo;
	struct answers a = told(v, 200, body);
	if (a.count != 1 || strcmp(answer_name(a.list[0].kind), kind) != 0 || strcmp(a.list[0].words, words) != 0)
		fail_msg("%s: %zu answers, %s \"%s\"", rows, a.count, a.count ? answer_name(a.list[0].kind) : "-", a.count ? a.list[0].words : "");
	json_decref(*memo);
	*memo = json_incref(a.memo);
	answers_free(&a);
}

/* Visits count that are of a target of opportunity, after the event, and touch the region. */
static void visits(void **state)
{
	json_t *too = json_object_get(descriptor, "too"), *memo = json_pack("{s:I}", "until_us", (json_int_t)(NOW_US + UTC_HOUR));
	struct facility_request q = request();
	struct facility_conf conf = {"simonyi", descriptor};
	struct view v = {.now_us = NOW_US, .verb = VERB_POLL, .request = &q, .memo = memo};
	struct call c;
	struct err e = {0};
	(void)state;
	json_object_set_new(too, "transport", json_string("file"));
	q.region = "5/8191-8192"; /* at 270+40 and beside the south pole */
	assert_int_equal(facility_render(&facility_rubin_too, &conf, &v, &c, &e), 0);
	assert_string_equal(c.path, "/observations");
	assert_string_equal(c.query, "columns=fieldRA,fieldDec,observationStartMJD,visitTime,scheduler_note,observation_reason&least=observationStartMJD:61364.128022&after=0&limit=1000");
	call_free(&c);
	visits_told(&v, &memo, "", "queued", "");
	double dec = rubin_cell_dec_deg(8192);
	char rows[1000];
	snprintf(rows, sizeof rows,
		 "[1,45,%.3f,61364.2,34,\"\",\"template\"],"                                  /* of the survey */
		 "[2,45,%.3f,61364.1,34,\"ToO, GW_case_B_C, g, 1, i0, 9\",\"too_gw_case_b_c\"]," /* before the event */
		 "[3,45,-50,61364.2,34,\"ToO, GW_case_B_C\",\"\"],"                           /* elsewhere */
		 "[4,null,\"x\",61364.2],[5],7,"                                              /* of no form */
		 "[6,45,%.3f,61364.25,34,\"\",\"too_gw_case_b_c_i0\"]", dec, dec, dec);
	visits_told(&v, &memo, rows, "running", "1 visits, 1 of 2 cells of the region");
	assert_int_equal(json_int(memo, "after", 0), 6);
	assert_int_equal(json_int(memo, "first_us", 0), INT64_C(1795154400000000)); /* 2026-11-20T06:00:00Z */
	assert_int_equal(json_int(memo, "last_us", 0), INT64_C(1795154434000000));
	visits_told(&v, &memo, "", "running", "1 visits, 1 of 2 cells of the region");
	json_t *half = json_deep_copy(memo);
	v.now_us += 2 * UTC_HOUR; /* its survey has given up: what was seen was seen */
	visits_told(&v, &half, "", "done", "1 visits, 1 of 2 cells of the region");
	v.now_us -= 2 * UTC_HOUR;
	json_decref(half);
	double other = rubin_cell_dec_deg(8191);
	snprintf(rows, sizeof rows, "[9,270,%.3f,61364.3,34,\"ToO, GW_case_B_C, i\",\"\"]", other);
	visits_told(&v, &memo, rows, "done", "2 visits, 2 of 2 cells of the region");
	json_object_set_new(too, "transport", json_string("rest"));
	json_decref(memo);
}

static int setup(void **state)
{
	(void)state;
	descriptor = embedded_json("facilities/rubin-simonyi.json");
	json_t *labels = json_object_get(json_object_get(descriptor, "too"), "labels");
	json_array_append_new(labels, json_pack("{s:s,s:s}", "policy", "bns", "label", "GW_case_B"));
	json_array_append_new(labels, json_pack("{s:s,s:s}", "policy", "nobody-follows", "label", "GW_case_Gold"));
	json_object_set_new(descriptor, "test_detectors", json_pack("[s,s]", "H1", "L1"));
	json_object_set_new(descriptor, "test_strange", json_pack("[s]", "H1'"));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	json_decref(descriptor);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(coverage), cmocka_unit_test(record), cmocka_unit_test(rules), cmocka_unit_test(offer), cmocka_unit_test(reserved),
		cmocka_unit_test(sources_kept), cmocka_unit_test(proxy), cmocka_unit_test(silence), cmocka_unit_test(file), cmocka_unit_test(kafka),
		cmocka_unit_test(visits),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}

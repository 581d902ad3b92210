/* A region of the sky asked of Rubin, from the alert to the record and to what comes of it: nothing is withdrawn there, so a person is called. */
#include "test.h"
#include "embedded.h"
#include "tale.h"
#include "engine/base/json.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include "facilities/facility.h"

static void feed(struct box *b, enum input_kind kind, json_t *body)
{
	char *text = json_canonical(body);
	struct input in = {.kind = kind, .utc_us = b->utc_us, .tick_us = b->tick_us, .body = text, .len = strlen(text), .uid = 1000, .timestamp_us = UTC_NONE};
	box_feed(b, &in);
	free(text);
	json_decref(body);
}

static void configured(struct box *b)
{
	json_t *d = embedded_json("facilities/rubin-simonyi.json");
	json_array_append_new(json_object_get(json_object_get(d, "too"), "labels"), json_pack("{s:s,s:s}", "policy", "bns", "label", "GW_case_B"));
	json_t *policy = json_loads(
		"{\"name\":\"bns\",\"when\":\"significant = 1 AND p_bns > 0.5\",\"targets\":{\"from\":\"region\",\"probability\":0.7},"
		"\"observe\":[{\"epoch\":1,\"filters\":[\"g\",\"i\"],\"exposure_s\":30}],\"ladder\":[{\"programme\":\"rubin\",\"facility\":\"simonyi\","
		"\"mode\":\"TIME_CRITICAL\"}],\"approval\":{\"mode\":\"auto\"},\"offer_wait_s\":1}", 0, NULL);
	json_t *body = json_pack("{s:s,s:{s:[{s:s,s:s,s:s,s:{s:f}}]},s:[o],s:[{s:s,s:s,s:b,s:o}],s:n}", "installation", "0badcafe", "config", "programmes", "name",
				 "rubin", "facility", "simonyi", "proposal", "ToO", "hours", "TIME_CRITICAL", 40.0, "policies", policy, "facilities", "name", "simonyi",
				 "use", "rubin-simonyi", "accepts_tests", 0, "descriptor", d, "catalog");
	assert_non_null(body);
	feed(b, INPUT_config, body);
}

static void looks_answered(struct box *b)
{
	int64_t id;
	while ((id = box_waits(b, "status")) != 0)
		box_reply(b, id, 200, "{\"name\":\"lsst.scimma.too_alert\"}");
	box_routine(b);
}

/* To the look before the record; gives its effect. */
static int64_t asked(struct box *b)
{
	box_open(b);
	configured(b);
	box_later(b, 1);
	looks_answered(b);
	box_alert(b, "S230518h", "PRELIMINARY", 0, 0.9, "SIMPLE  = map one");
	tale_map(b, 30);
	int64_t rank = box_waits(b, "rank");
	assert_true(rank != 0);
	char sql[200];
	snprintf(sql, sizeof sql, "SELECT body FROM effect WHERE id=%lld", (long long)rank);
	json_t *job = json_loads(box_text(b, sql), 0, NULL), *entry = json_array_get(json_object_get(job, "fields"), 0);
	assert_string_equal(json_text(entry, "camera", ""), "region70"); /* without a catalogue, and without a camera */
	assert_string_equal(json_text(entry, "from", ""), "region");
	assert_true(json_number(entry, "probability", 0) == 0.7 && json_number(entry, "latitude_deg", 0) == -30.2446);
	json_decref(job);
	box_result(b, rank, "{\"kind\":\"rank\",\"considered\":0,\"targets\":[],\"fields\":[{\"camera\":\"region70\",\"key\":\"field:region70:0\",\"name\":\"region70 of 10 deg2\","
		   "\"rank\":1,\"kind\":\"region\",\"ra_deg\":197.4,\"dec_deg\":-23.4,\"distance_mpc\":40,\"probability\":0.71,\"share\":1,\"cumulative_share\":1,"
		   "\"galaxies\":[],\"region\":\"5/8-9 4096\"}]}");
	assert_string_equal(box_text(b, "SELECT region FROM target"), "5/8-9 4096");
	box_result(b, box_waits(b, "plan"), "{\"kind\":\"plan\",\"verdicts\":[],\"requests\":[{\"target\":\"field:region70:0\",\"epoch\":1,\"facility\":\"simonyi\",\"programme\":"
		   "\"rubin\",\"mode\":\"TIME_CRITICAL\",\"instrument\":\"LSSTCam\",\"filters\":[\"g\",\"i\"],\"exposure_s\":30,\"count\":1,\"ipp\":1,\"max_airmass\":2,"
		   "\"min_moon_deg\":20,\"site\":\"cp\",\"start_us\":%lld,\"end_us\":%lld,\"slot_us\":%lld,\"duration_s\":308,\"value\":1,\"reserve\":false,\"rung\":0}]}",
		   (long long)b->utc_us, (long long)(b->utc_us + 6 * UTC_HOUR), (long long)b->utc_us);
	int64_t submit = box_waits(b, "submit");
	assert_true(submit != 0); /* the offer asked nobody */
	assert_string_equal(box_text(b, tale_states), "asked");
	return submit;
}

static json_t *record_of(struct box *b, int64_t effect)
{
	char sql[200];
	snprintf(sql, sizeof sql, "SELECT json_extract(body,'$.body') FROM effect WHERE id=%lld AND once=1", (long long)effect);
	struct err e = {0};
	sqlite3_stmt *q;
	assert_int_equal(sqlite3_prepare_v2(b->db, sql, -1, &q, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(q), SQLITE_ROW);
	json_t *body = json_read((const char *)sqlite3_column_text(q, 0), (size_t)sqlite3_column_bytes(q, 0), &json_limits_reply, &e);
	assert_non_null(body);
	json_t *value = json_incref(json_object_get(json_array_get(json_object_get(body, "records"), 0), "value"));
	sqlite3_finalize(q);
	json_decref(body);
	return value;
}

#define TAKEN "{\"offsets\":[{\"partition\":0,\"offset\":%d,\"error_code\":null,\"error\":null}]}"

static void followed(void **state)
{
	struct box b;
	(void)state;
	int64_t look = asked(&b);
	box_reply(&b, look, 200, "{\"name\":\"lsst.scimma.too_alert\"}");
	int64_t submit = box_waits(&b, "submit");
	assert_true(submit > look);
	json_t *r = record_of(&b, submit);
	assert_string_equal(json_text(r, "source", ""), "S230518h");
	assert_string_equal(json_text(r, "alert_type", ""), "GW_case_B");
	assert_string_equal(json_text(r, "event_trigger_timestamp", ""), "2023-05-18T17:59:00.000Z");
	assert_string_equal(json_string_value(json_array_get(json_object_get(r, "instrument"), 1)), "L1");
	assert_true(json_is_true(json_array_get(json_object_get(r, "reward_map"), 4096)) && json_is_false(json_array_get(json_object_get(r, "reward_map"), 10)));
	assert_true(json_is_false(json_object_get(r, "is_test")) && json_is_false(json_object_get(r, "is_update")));
	json_decref(r);
	box_reply(&b, submit, 200, TAKEN, 7);
	assert_string_equal(box_text(&b, tale_states), "accepted");
	assert_string_equal(box_text(&b, "SELECT remote_id FROM request"), "0/7");
	/* silence for five days */
	box_later(&b, 121 * 3600);
	looks_answered(&b);
	for (int64_t id; (id = box_waits(&b, "poll")) != 0;)
		box_reply(&b, id, 200, "{}");
	assert_string_equal(box_text(&b, tale_states), "expired");
	box_close(&b);
}

/* It cannot be withdrawn: a retraction calls a person, and the request stays what it is. */
static void retracted(void **state)
{
	struct box b;
	(void)state;
	box_reply(&b, asked(&b), 200, "{}");
	box_reply(&b, box_waits(&b, "submit"), 200, TAKEN, 7);
	box_alert(&b, "S230518h", "RETRACTION", 600, 0, NULL);
	assert_string_equal(box_text(&b, tale_states), "cancelling");
	assert_non_null(strstr(box_text(&b, "SELECT detail FROM alarm WHERE what='cancel'"), "a person must withdraw request 0/7"));
	assert_int_equal(box_waits(&b, "cancel"), 0);
	box_close(&b);
}

/* An answer that was lost: sent again under the same source, with a new timestamp; the scheduler reads a source once. */
static void doubtful(void **state)
{
	struct box b;
	(void)state;
	box_reply(&b, asked(&b), 200, "{}");
	int64_t lost = box_waits(&b, "submit");
	json_t *before = record_of(&b, lost);
	box_lost(&b, lost, SENT_MAYBE);
	assert_string_equal(box_text(&b, tale_states), "unsure");
	box_later(&b, 6);
	int64_t look = box_waits(&b, "submit");
	assert_true(look != 0);
	box_reply(&b, look, 200, "{}");
	json_t *after = record_of(&b, box_waits(&b, "submit"));
	assert_string_equal(json_text(after, "source", ""), json_text(before, "source", "?"));
	assert_true(json_int(after, "timestamp", 0) > json_int(before, "timestamp", 0));
	json_decref(before);
	json_decref(after);
	box_reply(&b, box_waits(&b, "submit"), 200, TAKEN, 8);
	assert_string_equal(box_text(&b, tale_states), "accepted");
	box_close(&b);
}

/* Retracted between the look and the record: it never leaves. */
static void in_between(void **state)
{
	struct box b;
	(void)state;
	int64_t look = asked(&b);
	box_alert(&b, "S230518h", "RETRACTION", 600, 0, NULL);
	box_reply(&b, look, 200, "{}");
	assert_int_equal(box_waits(&b, "submit"), 0);
	assert_int_equal(box_int(&b, "SELECT count(*) FROM effect WHERE once=1 AND verb='submit' AND step=1 AND state='released'"), 0);
	box_later(&b, 60);
	assert_int_equal(box_waits(&b, "submit"), 0);
	assert_string_equal(box_text(&b, tale_states), "cancelled");
	box_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(followed), cmocka_unit_test(retracted), cmocka_unit_test(doubtful), cmocka_unit_test(in_between)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

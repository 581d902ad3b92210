/* What random changes of the core's conditions survived once (tools/mutate): a test each, so that they do not any more. */
#include "test.h"
#include "box.h"
#include "tale.h"
#include "engine/base/json.h"
#include "engine/base/query.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include "facilities/facility.h"

/* The sweep of a start: its pages and the profile that ends it. */
static void sweep_shows(struct box *b, const char *token, const char *id, const char *state, const char *dec)
{
	for (int i = 0; i < 5 && box_waits(b, "find") == 0; i++)
		box_later(b, 61);
	box_reply(b, box_waits(b, "find"), 200,
		  "{\"count\":1,\"next\":null,\"previous\":null,\"results\":[{\"id\":%s,\"name\":\"%s\",\"proposal\":\"TOO2023A\",\"observation_type\":\"NORMAL\","
		  "\"state\":\"%s\",\"requests\":[{\"id\":770,\"state\":\"%s\",\"duration\":300,\"windows\":[{\"start\":\"2023-05-18T12:00:00Z\",\"end\":"
		  "\"2023-05-20T00:00:00Z\"}],\"configurations\":[{\"target\":{\"name\":\"NGC 4993\",\"ra\":197.4,\"dec\":%s}}]}]}]}", id, token, state, state, dec);
	box_reply(b, box_waits(b, "find"), 200, "{\"username\":\"slew\",\"proposals\":[{\"id\":\"TOO2023A\"}]}");
}

/* The configuration in force again, as a start gives it. */
static void started_anew(struct box *b, bool restored)
{
	sqlite3_stmt *q = NULL;
	struct err e = {0};
	box_restart(b);
	assert_int_equal(sqlite3_prepare_v2(b->db, "SELECT body FROM config ORDER BY seq DESC LIMIT 1", -1, &q, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(q), SQLITE_ROW);
	json_t *body = json_read((const char *)sqlite3_column_text(q, 0), (size_t)sqlite3_column_bytes(q, 0), &json_limits_config, &e);
	sqlite3_finalize(q);
	assert_non_null(body);
	if (restored)
		json_object_set_new(body, "restored", json_true());
	char *text = json_canonical(body);
	struct input in = {.kind = INPUT_config, .utc_us = b->utc_us, .tick_us = b->tick_us, .body = text, .len = strlen(text), .timestamp_us = UTC_NONE};
	box_feed(b, &in);
	free(text);
	json_decref(body);
}

/* A group's state is coarse: what lives here is not withdrawn, nor put back, by it; it is polled. */
static void a_sweep_is_coarse(void **state)
{
	(void)state;
	struct box b;
	char token[64], id[24];
	tale_begin(&b, NULL, 1, 1);
	tale_offers(&b, 300);
	int64_t submit = box_waits(&b, "submit");
	snprintf(id, sizeof id, "%lld", (long long)submit);
	tale_accept(&b, submit);
	snprintf(token, sizeof token, "%s", box_text(&b, "SELECT token FROM request"));
	started_anew(&b, false);
	sweep_shows(&b, token, id, "CANCELED", "-23.4");
	assert_string_equal(box_text(&b, tale_states), "accepted");
	assert_int_equal(box_int(&b, "SELECT count(*) FROM effect WHERE verb='poll' AND request=1 AND state IN ('waiting','released')"), 1);
	box_close(&b);
}

/* Where the telescope has it cannot be: the row that takes it over has a place all the same. */
static void a_stray_from_nowhere(void **state)
{
	static const struct { const char *dec; int is; } cases[] = {{"95.0", 0}, {"-95.0", 0}, {"-90", -90}, {"90", 90}};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct box b;
		box_open(&b);
		box_config(&b, NULL);
		struct err e = {0};
		assert_ok(query_run(b.db, &e, "INSERT INTO event(issuer,name,state,first_seq,changed_seq) VALUES('slew','S1/X1','heard',1,1)", ""), &e);
		started_anew(&b, true);
		sweep_shows(&b, "slew-0badcafe-0123456789abcdef0123", "77", "PENDING", cases[i].dec);
		assert_int_equal(box_int(&b, "SELECT count(*) FROM request"), 1);
		assert_int_equal(box_int(&b, "SELECT CAST(dec_deg AS INTEGER) FROM target"), cases[i].is);
		assert_string_equal(box_text(&b, "SELECT e.name FROM request r JOIN event e ON e.id=r.event"), "adopted"); /* no promoted candidate's */
		box_close(&b);
	}
}

/* Plans that cannot be made are counted by event: another's failures do not make this one wait longer. */
static void failed_plans_are_counted_by_event(void **state)
{
	static const char no[] = "{\"kind\":\"plan\",\"error\":\"no memory\"}";
	static const char again[] = "SELECT (due_tick_us-(SELECT max(tick_us) FROM input))/60000000 FROM timer WHERE key='plan-again:2'";
	(void)state;
	struct box b;
	box_open(&b);
	box_config(&b, NULL);
	box_later(&b, 1);
	box_routine(&b);
	for (int i = 0; i < 2; i++) {
		box_alert(&b, i ? "S230518i" : "S230518h", "PRELIMINARY", i, 0.9, i ? "SIMPLE  = map two" : "SIMPLE  = map one");
		tale_map(&b, 30);
		tale_ranked(&b, 1);
		box_result(&b, box_waits(&b, "plan"), "%s", no);
		if (i == 0) {
			box_later(&b, 301);
			box_result(&b, box_waits(&b, "plan"), "%s", no);
		}
	}
	assert_int_equal(box_int(&b, again), 5);
	box_close(&b);
}

/* A call without an answer is told of after ten minutes, whenever it left; while nothing is out there nothing is looked for. */
static void told_when_ten_minutes_have_passed(void **state)
{
	static const char told[] = "SELECT count(*) FROM alarm WHERE what='stuck' AND cleared_seq IS NULL";
	static const char next_s[] = "SELECT (due_tick_us-(SELECT max(tick_us) FROM input))/1000000 FROM timer WHERE key='stuck'";
	(void)state;
	struct box b;
	tale_begin(&b, NULL, 1, 1);
	int64_t offer = box_waits(&b, "offer");
	assert_true(offer > 0);
	box_later(&b, 61);
	assert_in_range(box_int(&b, next_s), 8 * 60, 9 * 60); /* when that offer will have waited ten minutes */
	box_later(&b, 530);
	assert_int_equal(box_int(&b, told), 0);
	box_later(&b, 10);
	assert_true(box_int(&b, told) > 0);
	assert_in_range(box_int(&b, next_s), 59, 60); /* from then on each minute */
	for (int i = 0; i < 40 && box_int(&b, "SELECT count(*) FROM effect WHERE state='released'"); i++) {
		box_routine(&b);
		if ((offer = box_waits(&b, "offer")) > 0)
			box_reply(&b, offer, 400, "{\"errors\":{}}");
	}
	assert_int_equal(box_int(&b, told), 0);
	box_close(&b);
}

/* The pause that a feed takes which fires now, after that change of the only request. */
static int64_t pause_after_s(struct box *b, const char *change)
{
	struct err e = {0};
	assert_ok(query_script(b->db, change, &e), &e);
	assert_ok(query_run(b->db, &e, "UPDATE timer SET due_tick_us=? WHERE key='feed:lco'", "i", b->tick_us), &e);
	box_later(b, 1);
	return box_int(b, "SELECT (due_tick_us-(SELECT max(tick_us) FROM input))/1000000 FROM timer WHERE key='feed:lco'");
}

/* A window that opens tomorrow, or an observation planned for later, is no reason to ask each 45 s: only what may change before the next look. */
static void a_feed_rests_until_something_may_begin(void **state)
{
	static const char planned[] = "INSERT INTO observation(request,facility,remote_id,site,telescope,state,start_us,end_us,words,seq) "
				      "VALUES(1,'lco','o1','coj','1m0a','scheduled',(SELECT start_us+3600000000 FROM request),NULL,'',1); "
				      "UPDATE request SET state='scheduled'";
	(void)state;
	struct box b;
	tale_begin(&b, NULL, 1, 1);
	assert_int_equal(pause_after_s(&b, ""), 300);
	tale_offers(&b, 300);
	assert_int_equal(pause_after_s(&b, ""), 45); /* asked */
	tale_accept(&b, box_waits(&b, "submit"));
	assert_int_equal(pause_after_s(&b, ""), 45);
	assert_int_equal(pause_after_s(&b, planned), 300);
	assert_int_equal(pause_after_s(&b, "UPDATE observation SET start_us=start_us-3500000000"), 45);
	assert_int_equal(pause_after_s(&b, "DELETE FROM observation; UPDATE request SET state='accepted',start_us=start_us+7200000000"), 300);
	assert_int_equal(pause_after_s(&b, "UPDATE request SET start_us=start_us-7000000000"), 45);
	assert_int_equal(pause_after_s(&b, "UPDATE request SET start_us=start_us+7000000000,state='running'"), 45);
	box_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sweep_is_coarse), cmocka_unit_test(a_stray_from_nowhere), cmocka_unit_test(failed_plans_are_counted_by_event),
		cmocka_unit_test(told_when_ten_minutes_have_passed), cmocka_unit_test(a_feed_rests_until_something_may_begin),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

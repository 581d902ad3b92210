/* Negotiation: what an offer promises decides beside what it is worth; who is closed when the hour comes, or was interrupted, makes room for the
 * reserve, once; and explain tells all of it in the facility's own words. */
#include "test.h"
#include "tale.h"
#include "engine/base/json.h"
#include "engine/base/query.h"
#include "engine/base/utc.h"
#include "engine/report/explain.h"

/* Both facilities tell how they are; `closed` has its site closed. */
static void statuses(struct box *b, const char *closed)
{
	int64_t id;
	while ((id = box_waits(b, "status")) != 0) {
		char sql[120];
		snprintf(sql, sizeof sql, "SELECT facility='%s' AND step=2 FROM effect WHERE id=%lld", closed, (long long)id);
		if (!box_int(b, sql)) {
			snprintf(sql, sizeof sql, "SELECT step FROM effect WHERE id=%lld", (long long)id);
			int64_t step = box_int(b, sql);
			box_reply(b, id, 200, step == 0 ? "{\"username\":\"slew\",\"proposals\":[{\"id\":\"TOO2023A\",\"time_allocations\":[]}]}"
				  : step == 1 ? "{\"1M0-SCICAM-SINISTRO\":{}}" : "{\"coj.doma.1m0a\":[{\"event_type\":\"AVAILABLE\"}]}");
		} else {
			box_reply(b, id, 200, "{\"coj.doma.1m0a\":[{\"event_type\":\"NOT_OK_TO_OPEN\",\"event_reason\":\"Weather: clouds\"}],"
				  "\"elp.doma.1m0a\":[{\"event_type\":\"AVAILABLE\"}]}");
		}
	}
}

static void begin(struct box *b, const char *closed)
{
	box_open(b);
	b->two = true;
	box_config(b, NULL);
	box_later(b, 1);
	statuses(b, closed);
	box_alert(b, "S230518h", "PRELIMINARY", 0, 0.9, "SIMPLE  = map one");
	tale_map(b, 30);
	tale_ranked(b, 1);
	tale_planned(b, 0, 1, 2);
}

/* The chain of G0, as one text. */
static char *explained(struct box *b)
{
	struct err e = {0};
	json_t *out = NULL;
	assert_ok(explain_run(b->db, "S230518h", "G0", b->utc_us, &out, &e), &e);
	char *text = json_dumps(out, JSON_COMPACT);
	json_decref(out);
	return text;
}

static void has(struct box *b, const char *words)
{
	char *text = explained(b);
	if (strstr(text, words) == NULL)
		fail_msg("explain does not say \"%s\": %s", words, text);
	free(text);
}

/* The plan's values are 1000 and 999: where coj is open at both, the first is taken; where it is closed at the first, the second. */
static void the_best_expected_value_wins(void **state)
{
	(void)state;
	struct box b;
	begin(&b, "");
	tale_offers(&b, 300);
	assert_string_equal(box_text(&b, tale_states), "asked,held");
	has(&b, "open now, 70 % of nights clear");
	has(&b, "; the best, chosen");
	box_close(&b);
	begin(&b, "lco");
	assert_string_equal(box_text(&b, "SELECT group_concat(state) FROM (SELECT state FROM facility ORDER BY name)"), "open,open"); /* elp is open */
	tale_offers(&b, 300);
	assert_string_equal(box_text(&b, tale_states), "held,asked");
	has(&b, "TIME_CRITICAL at coj from 2023-05-18T");
	has(&b, "happens with 0 % (sky 0 %, closed now");
	box_close(&b);
}

static void cancelled(struct box *b)
{
	for (int i = 0; i < 5 && box_waits(b, "cancel"); i++) {
		int64_t cancel = box_waits(b, "cancel");
		char sql[100];
		snprintf(sql, sizeof sql, "SELECT step=2 FROM effect WHERE id=%lld", (long long)cancel);
		if (box_int(b, sql))
			box_reply(b, cancel, 200, "[]");
		else
			box_reply(b, cancel, 200, "{\"id\":%s,\"state\":\"CANCELED\",\"requests\":[{\"id\":1,\"state\":\"CANCELED\"}]}",
				  box_text(b, "SELECT remote_id FROM request WHERE state='cancelling'"));
	}
}

/* Closed as its hour comes: cancelled there first, and only then is the reserve asked; once: nobody is left to move to. */
static void weather_moves_to_the_reserve(void **state)
{
	(void)state;
	struct box b;
	begin(&b, "");
	tale_offers(&b, 300);
	tale_accept(&b, box_waits(&b, "submit"));
	assert_string_equal(box_text(&b, tale_states), "accepted,held");
	box_later(&b, 301);
	statuses(&b, "lco");
	assert_string_equal(box_text(&b, tale_states), "cancelling,held"); /* not asked before the cancel is confirmed */
	has(&b, "slipped: coj is closed as its hour comes");
	assert_int_equal(box_waits(&b, "submit"), 0);
	cancelled(&b);
	assert_string_equal(box_text(&b, tale_states), "cancelled,asked");
	tale_accept(&b, box_waits(&b, "submit"));
	box_later(&b, 301);
	statuses(&b, "second");
	assert_string_equal(box_text(&b, tale_states), "cancelled,accepted");
	box_close(&b);
}

/* Both closed: the reserve promises no more than the first, which stays. */
static void a_closed_reserve_is_no_better(void **state)
{
	(void)state;
	struct box b;
	begin(&b, "lco");
	tale_offers(&b, 300);
	tale_accept(&b, box_waits(&b, "submit"));
	assert_string_equal(box_text(&b, tale_states), "held,accepted");
	box_later(&b, 301);
	int64_t id;
	while ((id = box_waits(&b, "status")) != 0) {
		char sql[100];
		snprintf(sql, sizeof sql, "SELECT step FROM effect WHERE id=%lld", (long long)id);
		int64_t step = box_int(&b, sql);
		box_reply(&b, id, 200, step == 0 ? "{\"username\":\"slew\",\"proposals\":[]}" : step == 1 ? "{\"1M0-SCICAM-SINISTRO\":{}}"
			  : "{\"coj.doma.1m0a\":[{\"event_type\":\"NOT_OK_TO_OPEN\",\"event_reason\":\"Weather\"}],\"elp.doma.1m0a\":[{\"event_type\":\"AVAILABLE\"}]}");
	}
	assert_string_equal(box_text(&b, tale_states), "held,accepted");
	box_close(&b);
}

/* Refused, and asked again with less: the words, and what changed, stand in the chain of the refused one. */
static void a_refusal_is_told_with_its_step(void **state)
{
	(void)state;
	struct box b;
	tale_begin(&b, "{\"floor\":{\"exposure_s\":40},\"ceiling\":{\"max_airmass\":2.0}}", 1, 1);
	for (int i = 0; i < 2; i++)
		box_reply(&b, box_waits(&b, "offer"), 200, "{\"request_durations\":{},\"errors\":{\"requests\":[{\"non_field_errors\":[\"According to the constraints of the "
			  "request, the target will only be visible for a maximum of 0.05 hours within the time window.\"]}]}}");
	tale_offers(&b, 200);
	assert_string_equal(box_text(&b, tale_states), "declined,declined,asked");
	assert_string_equal(box_text(&b, "SELECT group_concat(json_extract(body,'$.changed'),'; ') FROM (SELECT body FROM request WHERE id>1 ORDER BY id)"),
			    "exposure_s 120 → 60; exposure_s 60 → 40");
	has(&b, "visible for a maximum of 0.05 hours");
	has(&b, "\"link\":\"again\",\"what\":2");
	has(&b, "exposure_s 60 → 40");
	box_close(&b);
}

/* An account that may not ask is a person's business: told once, and gone when an offer is taken again. */
static void an_account_that_may_not_ask_alarms(void **state)
{
	(void)state;
	struct box b;
	tale_begin(&b, NULL, 2, 1);
	box_reply(&b, box_waits(&b, "offer"), 200, "{\"request_durations\":{},\"errors\":{\"non_field_errors\":[\"The proposal you are trying to submit with is currently inactive\"]}}");
	assert_int_equal(box_int(&b, "SELECT count(*) FROM alarm WHERE what='proposal' AND cleared_seq IS NULL AND detail LIKE '%currently inactive%'"), 1);
	tale_offers(&b, 200);
	assert_int_equal(box_int(&b, "SELECT count(*) FROM alarm WHERE what='proposal' AND cleared_seq IS NULL"), 0);
	box_close(&b);
}

static void run(struct box *b, const char *sql)
{
	struct err e = {0};
	assert_ok(query_run(b->db, &e, sql, ""), &e);
}

/* One event has taken the last hours for two targets, worth 100; then comes another with one target worth 1000. */
static void two_events(struct box *b, const char *policy, const char *meanwhile)
{
	tale_begin(b, policy, 2, 1);
	run(b, "UPDATE request SET body=json_set(body,'$.value',100+id,'$.slot_us',start_us+7200000000)");
	run(b, "UPDATE programme_hours SET hours=0.2 WHERE mode='TIME_CRITICAL'");
	tale_offers(b, 300);
	for (int64_t submit; (submit = box_waits(b, "submit")) != 0;)
		tale_accept(b, submit);
	assert_string_equal(box_text(b, tale_states), "accepted,accepted");
	box_alert(b, "S230518x", "PRELIMINARY", 20, 0.9, "SIMPLE  = map two");
	tale_map(b, 30);
	tale_ranked(b, 1);
	tale_planned(b, 0, 1, 1);
	run(b, meanwhile);
	tale_offers(b, 300);
}

/* The worse of the two pending ones is withdrawn, the other stays; the better one leaves when the facility has confirmed, not before. */
static void a_better_event_takes_the_place(void **state)
{
	(void)state;
	struct box b;
	two_events(&b, "{\"replace\":\"pending\"}", "SELECT 1");
	assert_string_equal(box_text(&b, tale_states), "cancelling,accepted,offered");
	assert_int_equal(box_int(&b, "SELECT unwanted_why LIKE 'replaced by S230518x: G0, expected value %' FROM request WHERE id=1"), 1);
	assert_int_equal(box_int(&b, "SELECT count(*) FROM message_out WHERE kind='replaced'"), 1);
	box_later(&b, 5);
	assert_string_equal(box_text(&b, tale_states), "cancelling,accepted,offered"); /* no second one for the same room */
	assert_int_equal(box_waits(&b, "submit"), 0);
	has(&b, "replaced by S230518x");
	cancelled(&b);
	box_later(&b, 5);
	assert_string_equal(box_text(&b, tale_states), "cancelled,accepted,asked");
	assert_string_equal(box_text(&b, "SELECT group_concat(state) FROM (SELECT state FROM ledger ORDER BY request)"), "returned,held,held");
	box_close(&b);
}

/* Not without the switch; not of what runs, is worth about as much, begins soon, or was pinned by a person. */
static void otherwise_nobody_is_replaced(void **state)
{
	(void)state;
	struct box b;
	two_events(&b, NULL, "SELECT 1");
	assert_string_equal(box_text(&b, tale_states), "accepted,accepted,offered");
	box_close(&b);
	static const char *const spared[] = {"UPDATE request SET state='running' WHERE id<3", "UPDATE request SET body=json_set(body,'$.value',900) WHERE id<3",
		"UPDATE request SET body=json_set(body,'$.slot_us',start_us) WHERE id<3", "UPDATE target SET pinned=1 WHERE event=1"};
	for (size_t i = 0; i < sizeof spared / sizeof spared[0]; i++) {
		two_events(&b, "{\"replace\":\"pending\"}", spared[i]);
		assert_string_equal(box_text(&b, tale_states), i == 0 ? "running,running,offered" : "accepted,accepted,offered");
		assert_int_equal(box_int(&b, "SELECT count(*) FROM request WHERE unwanted_why IS NOT NULL"), 0);
		box_close(&b);
	}
}

static void withdrawn_is(struct box *b, const char *words)
{
	assert_string_equal(box_text(b, "SELECT ifnull(max(body),'') FROM message_out WHERE kind='withdrawn'"), words);
}

/* The cancel finds it over. */
static void completed(struct box *b)
{
	for (int i = 0; i < 5 && box_waits(b, "cancel"); i++) {
		int64_t id = box_waits(b, "cancel");
		char sql[100];
		snprintf(sql, sizeof sql, "SELECT step=2 FROM effect WHERE id=%lld", (long long)id);
		bool rows = box_int(b, sql);
		const char *number = box_text(b, "SELECT remote_id FROM request");
		if (rows)
			box_reply(b, id, 200, "[{\"id\":9,\"state\":\"COMPLETED\",\"site\":\"coj\",\"start\":\"2023-05-18T18:00:00Z\",\"end\":\"2023-05-18T18:10:00Z\"}]");
		else
			box_reply(b, id, 200, "{\"id\":%s,\"state\":\"COMPLETED\",\"requests\":[{\"id\":1,\"state\":\"COMPLETED\"}]}", number);
	}
}

/* Three truths of a cancel: will not start; runs, and will finish; done before it came. */
static void what_a_cancel_came_to(void **state)
{
	(void)state;
	static const char veto[] = "{\"verb\":\"veto\",\"event\":\"S230518h\",\"what\":\"G0\",\"why\":\"clouds\"}";
	struct box b;
	tale_begin(&b, NULL, 1, 1);
	tale_offers(&b, 300);
	tale_accept(&b, box_waits(&b, "submit"));
	box_order(&b, veto);
	cancelled(&b);
	assert_string_equal(box_text(&b, tale_states), "cancelled");
	assert_int_equal(box_int(&b, "SELECT words LIKE 'will not start%' FROM request_change WHERE to_state='cancelled'"), 1);
	withdrawn_is(&b, "");
	box_close(&b);
	for (int done = 0; done < 2; done++) {
		tale_begin(&b, NULL, 1, 1);
		tale_offers(&b, 300);
		tale_accept(&b, box_waits(&b, "submit"));
		if (!done) /* as a feed has it */
			run(&b, "UPDATE request SET state='running'");
		box_order(&b, veto);
		if (done)
			completed(&b);
		assert_string_equal(box_text(&b, tale_states), done ? "done" : "running");
		withdrawn_is(&b, done ? "G0 was done at lco before it could be withdrawn: its frames are data"
			     : "G0 runs at lco and will finish, although it was withdrawn: its frames are data");
		box_close(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(the_best_expected_value_wins), cmocka_unit_test(weather_moves_to_the_reserve),
		cmocka_unit_test(a_closed_reserve_is_no_better), cmocka_unit_test(a_refusal_is_told_with_its_step),
		cmocka_unit_test(an_account_that_may_not_ask_alarms), cmocka_unit_test(a_better_event_takes_the_place),
		cmocka_unit_test(otherwise_nobody_is_replaced), cmocka_unit_test(what_a_cancel_came_to)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

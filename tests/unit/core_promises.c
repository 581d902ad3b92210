/* Breaches that were possible once: a row that comes back while its like lives, a token that is there before it was asked, revisions out of
 * order that say less, a hold that a reload took away, an amendment of nothing. */
#include "test.h"
#include "box.h"
#include "tale.h"
#include "engine/base/json.h"
#include "engine/base/query.h"
#include "engine/base/utc.h"
#include "facilities/facility.h"

/* The next pass of lco's feed, whose groups or running observations hold one row about that request. */
static void feed_says(struct box *b, int64_t request, const char *id, bool running, const char *state)
{
	static const char none[] = "{\"count\":0,\"next\":null,\"previous\":null,\"results\":[]}";
	char sql[120], token[64];
	snprintf(sql, sizeof sql, "SELECT token FROM request WHERE id=%lld", (long long)request);
	snprintf(token, sizeof token, "%s", box_text(b, sql));
	for (int i = 0; i < 20 && !box_int(b, "SELECT count(*) FROM effect WHERE verb='poll' AND facility='lco' AND state='released' AND step=0"); i++) {
		box_routine(b);
		box_later(b, 60);
	}
	int64_t poll;
	bool told = false;
	while ((poll = box_int(b, "SELECT ifnull(min(id),0) FROM effect WHERE verb='poll' AND facility='lco' AND state='released'")) != 0) {
		char step_of[80];
		snprintf(step_of, sizeof step_of, "SELECT step FROM effect WHERE id=%lld", (long long)poll);
		int64_t step = box_int(b, step_of);
		if (running && step == 0)
			box_reply(b, poll, 200, "{\"count\":1,\"next\":null,\"previous\":null,\"results\":[{\"id\":77,\"name\":\"%s\",\"request_group_id\":%s,\"state\":\"IN_PROGRESS\","
				  "\"site\":\"coj\",\"enclosure\":\"doma\",\"telescope\":\"1m0a\",\"start\":\"2023-05-18T18:00:00Z\",\"end\":\"2023-05-18T18:10:00Z\"}]}", token, id);
		else if (!running && step == 1)
			box_reply(b, poll, 200, "{\"count\":1,\"next\":null,\"previous\":null,\"results\":[{\"id\":%s,\"name\":\"%s\",\"state\":\"%s\",\"requests\":[{\"id\":6,\"state\":\"%s\","
				  "\"modified\":\"2023-05-18T19:30:00Z\"}]}]}", id, token, state, state);
		else
			box_reply(b, poll, 200, "%s", none);
		told |= step == 100;
	}
	assert_true(told);
}

/* The cancelled one goes on at the telescope while the reserve lives: it gets its cancel, and the page it came with is not lost. */
static void revived_while_another_lives(void **state)
{
	(void)state;
	struct box b;
	tale_begin(&b, NULL, 1, 2);
	tale_offers(&b, 300);
	int64_t submit = box_waits(&b, "submit");
	char id[24];
	snprintf(id, sizeof id, "%lld", (long long)submit);
	tale_accept(&b, submit);
	box_later(&b, 3700); /* it slips: the reserve takes over once it is cancelled */
	box_routine(&b);
	while (box_waits(&b, "cancel")) {
		int64_t cancel = box_waits(&b, "cancel");
		char sql[80];
		snprintf(sql, sizeof sql, "SELECT step=2 FROM effect WHERE id=%lld", (long long)cancel);
		if (box_int(&b, sql))
			box_reply(&b, cancel, 200, "[]");
		else
			box_reply(&b, cancel, 200, "{\"id\":%s,\"state\":\"CANCELED\",\"requests\":[{\"id\":1,\"state\":\"CANCELED\"}]}", id);
	}
	tale_accept(&b, box_waits(&b, "submit"));
	assert_string_equal(box_text(&b, tale_states), "cancelled,accepted");
	feed_says(&b, 1, id, true, "");
	assert_int_equal(box_int(&b, "SELECT count(*) FROM reject"), 0);
	assert_string_equal(box_text(&b, tale_states), "cancelling,accepted");
	assert_int_equal(box_int(&b, "SELECT count(*) FROM alarm WHERE what='second'"), 1);
	box_close(&b);
}

/* A restored copy (or a submission that showed up after two complete looks) is not submitted a second time when the gate opens. */
static void there_before_it_was_asked(void **state)
{
	(void)state;
	static const char *const says[] = {"PENDING", "COMPLETED", "CANCELED", "WINDOW_EXPIRED"};
	static const char *const is[] = {"accepted", "done", "cancelled", "expired"};
	for (int i = 0; i < 4; i++) {
		struct box b;
		tale_begin(&b, NULL, 1, 1);
		box_order(&b, "{\"verb\":\"hold\",\"what\":\"all\",\"why\":\"a restored copy\"}");
		tale_offers(&b, 300);
		assert_string_equal(box_text(&b, tale_states), "offered");
		feed_says(&b, 1, "4711", false, says[i]);
		assert_string_equal(box_text(&b, tale_states), is[i]);
		assert_int_equal(box_int(&b, "SELECT count(*) FROM alarm WHERE what='unknown'"), 1);
		box_order(&b, "{\"verb\":\"resume\",\"what\":\"all\"}");
		assert_int_equal(box_int(&b, "SELECT count(*) FROM effect WHERE verb='submit' AND released_seq IS NOT NULL"), 0);
		box_close(&b);
	}
}

/* The hours of one request. */
static void hours_for_one(struct box *b)
{
	struct err e = {0};
	assert_ok(query_run(b->db, &e, "UPDATE programme_hours SET hours=0.1 WHERE mode='TIME_CRITICAL'", ""), &e);
}

static const char counted[] = "SELECT group_concat(request||state) FROM (SELECT request,state FROM ledger ORDER BY request)";

/* What a report brings to life although it is vetoed is there until it is cancelled: nobody else may have its hours meanwhile, and what was
 * observed after all stays spent. */
static void unwanted_hours_count(void **state)
{
	(void)state;
	for (int done = 0; done < 2; done++) {
		struct box b;
		tale_begin(&b, NULL, 2, 1);
		hours_for_one(&b);
		box_order(&b, "{\"verb\":\"hold\",\"what\":\"all\",\"why\":\"a restored copy\"}");
		box_order(&b, "{\"verb\":\"veto\",\"event\":\"S230518h\",\"what\":\"G0|0\"}");
		tale_offers(&b, 300);
		assert_string_equal(box_text(&b, tale_states), "cancelled,offered");
		assert_string_equal(box_text(&b, counted), "");
		feed_says(&b, 1, "4711", false, "PENDING");
		assert_string_equal(box_text(&b, counted), "1held");
		box_order(&b, "{\"verb\":\"resume\",\"what\":\"all\"}");
		box_later(&b, 1);
		assert_string_equal(box_text(&b, tale_states), "cancelling,offered");
		assert_int_equal(box_waits(&b, "submit"), 0);
		feed_says(&b, 1, "4711", false, done ? "COMPLETED" : "CANCELED");
		box_later(&b, 60);
		assert_string_equal(box_text(&b, tale_states), done ? "done,offered" : "cancelled,asked");
		assert_string_equal(box_text(&b, counted), done ? "1spent" : "1returned,2held");
		box_close(&b);
	}
}

/* What shows up late, and was never asked here, is over the hours when another has them by then: the facility's doing, not the engine's. */
static void hours_of_the_late(void **state)
{
	(void)state;
	struct box b;
	tale_begin(&b, NULL, 2, 1);
	hours_for_one(&b);
	tale_offers(&b, 300);
	assert_string_equal(box_text(&b, tale_states), "asked,offered");
	feed_says(&b, 2, "4711", false, "PENDING"); /* every turn checks every invariant */
	assert_string_equal(box_text(&b, tale_states), "asked,accepted");
	assert_string_equal(box_text(&b, counted), "1held,2held");
	box_close(&b);
}

static const char decided[] = "SELECT d.state||' '||d.outcome||' '||(a.time_created_us%1000000000)||' '||e.state FROM decision d JOIN event e ON e.id=d.event "
			      "JOIN alert a ON a.id=d.alert";

/* A newer revision that says nothing hides no older one, in whatever order the two come. */
static void less_is_not_no(void **state)
{
	(void)state;
	char text[3][128];
	for (int order = 0; order < 3; order++) {
		struct box b;
		box_open(&b);
		box_config(&b, NULL);
		for (int i = 0; i < 2; i++) {
			if (i == order % 2)
				box_alert(&b, "S230518h", "PRELIMINARY", 0, 0.9, "SIMPLE  = map one");
			else
				box_alert(&b, "S230518h", "UPDATE", 300, 0.9, NULL); /* no map: its area is not known */
			if (box_waits(&b, "map") && order < 2)
				tale_map(&b, 30);
		}
		if (order == 2) /* the map was read after both had come */
			tale_map(&b, 30);
		snprintf(text[order], sizeof text[order], "%s", box_text(&b, decided));
		assert_true(box_waits(&b, "rank") > 0);
		box_close(&b);
	}
	assert_string_equal(text[0], text[1]);
	assert_string_equal(text[0], text[2]);
	assert_non_null(strstr(text[0], "triggered unknown"));
}

/* The revision in the middle comes last: it takes back what the first said, as it would have in order. */
static void no_from_the_middle(void **state)
{
	(void)state;
	char text[2][128];
	for (int order = 0; order < 2; order++) {
		struct box b;
		box_open(&b);
		box_config(&b, NULL);
		box_alert(&b, "S230518h", "PRELIMINARY", 0, 0.9, "SIMPLE  = map one");
		tale_map(&b, 30);
		for (int i = 0; i < 2; i++)
			box_alert(&b, "S230518h", "UPDATE", i == order ? 300 : 600, i == order ? 0.1 : 0.9, NULL);
		snprintf(text[order], sizeof text[order], "%s", box_text(&b, decided));
		box_close(&b);
	}
	assert_string_equal(text[0], text[1]);
	assert_non_null(strstr(text[0], "downgraded"));
}

/* An operator's hold outlives a configuration without the facility, and the next one with it. */
static void hold_outlives_reload(void **state)
{
	(void)state;
	struct box b;
	box_open(&b);
	b.two = true;
	box_config(&b, NULL);
	box_order(&b, "{\"verb\":\"hold\",\"what\":\"second\",\"why\":\"mirror wash\"}");
	b.two = false;
	box_config(&b, NULL);
	b.two = true;
	box_config(&b, NULL);
	assert_string_equal(box_text(&b, "SELECT reason FROM gate WHERE kind='hold' AND facility='second' AND lifted_seq IS NULL"), "mirror wash");
	box_order(&b, "{\"verb\":\"resume\",\"what\":\"second\"}");
	b.two = false;
	box_config(&b, NULL);
	assert_int_equal(box_int(&b, "SELECT count(*) FROM gate WHERE kind='hold' AND facility='second' AND lifted_seq IS NULL"), 1);
	b.two = true;
	box_config(&b, NULL);
	assert_int_equal(box_int(&b, "SELECT count(*) FROM gate WHERE kind='hold' AND facility='second' AND lifted_seq IS NULL"), 0);
	box_close(&b);
}

/* An event that was only retracted has no revision to amend; no other event's facts may move. */
static void amend_nothing(void **state)
{
	(void)state;
	struct box b;
	box_open(&b);
	box_config(&b, NULL);
	for (int i = 0; i < 12; i++) {
		char name[16];
		snprintf(name, sizeof name, "S23051%da", i);
		box_alert(&b, name, "PRELIMINARY", i, 0.2, NULL);
	}
	box_alert(&b, "S230518r", "RETRACTION", 60, 0, NULL);
	for (int i = 0; i < 3; i++) {
		box_order(&b, "{\"verb\":\"amend\",\"event\":\"S230518r\",\"fact\":\"p_bns\",\"value\":0.99,\"source\":\"GCN 1\"}");
		assert_false(json_is_true(json_object_get(b.answer, "ok")));
	}
	assert_int_equal(box_int(&b, "SELECT count(*) FROM fact WHERE p_bns=0.99"), 0);
	assert_int_equal(box_int(&b, "SELECT count(*) FROM event e WHERE latest_alert IS NOT NULL AND NOT EXISTS (SELECT 1 FROM alert WHERE id=e.latest_alert)"), 0);
	box_close(&b);
}

/* Which answers prove that nothing was made is the descriptor's word, not the adapter's. */
static void descriptor_says_what_proves(void **state)
{
	(void)state;
	static const struct {
		const char *descriptor;
		int status;
		bool proves;
	} cases[] = {{"{}", 404, true}, {"{}", 409, false}, {"{\"creates_nothing\":[400]}", 404, false}, {"{\"creates_nothing\":[400]}", 400, true},
		     {"{\"creates_nothing\":[400,409]}", 409, true}, {"{\"creates_nothing\":[400]}", 429, false}};
	const struct facility_ops *ocs = facility_find("ocs");
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		json_t *descriptor = json_loads(cases[i].descriptor, 0, NULL);
		struct facility_conf conf = {"site", descriptor};
		struct facility_request request = {.token = "slew-0badcafe-00000000000000000000", .remote_id = "", .mode = "NORMAL", .proposal = "P"};
		struct view v = {.verb = VERB_SUBMIT, .request = &request, .prefix = "slew-0badcafe-"};
		struct reply r = {.sent = SENT_ANSWERED, .status = cases[i].status, .content_type = "application/json", .transport = "", .retry_after_s = -1,
				  .body = "{\"detail\":\"no\"}", .len = 15};
		struct answers as = {.next_step = -1};
		assert_int_equal(ocs->read(&conf, &v, &r, &as), 0);
		assert_true(as.count > 0);
		assert_int_equal(as.list[0].creates_nothing, cases[i].proves);
		assert_int_equal(as.list[0].kind == ANSWER_UNKNOWN, !cases[i].proves);
		answers_free(&as);
		json_decref(descriptor);
	}
}

/* A submit that waits to leave again and cannot be put into words any more does not stay asked for ever. */
static void words_fail_later(void **state)
{
	(void)state;
	struct box b;
	tale_begin(&b, NULL, 1, 1);
	tale_offers(&b, 300);
	box_reply(&b, box_waits(&b, "submit"), 429, "{\"detail\":\"Request was throttled.\"}");
	assert_string_equal(box_text(&b, tale_states), "asked");
	struct err e = {0};
	assert_ok(query_run(b.db, &e, "UPDATE request SET body=json_set(body,'$.instrument','GONE')", ""), &e); /* as a reload may take it away */
	box_later(&b, 61);
	assert_int_equal(box_int(&b, "SELECT count(*) FROM effect WHERE verb='submit' AND state IN ('waiting','released')"), 0);
	assert_string_equal(box_text(&b, "SELECT state FROM request WHERE id=1"), "declined");
	assert_int_equal(box_int(&b, "SELECT count(*) FROM ledger WHERE request=1 AND state<>'returned'"), 0);
	box_close(&b);
}

/* A person said "accepted" for a request in doubt: the facility is asked at once, and its number is what is followed and withdrawn. */
static void number_after_a_persons_word(void **state)
{
	(void)state;
	struct box b;
	tale_begin(&b, NULL, 1, 1);
	tale_offers(&b, 300);
	box_lost(&b, box_waits(&b, "submit"), SENT_MAYBE);
	box_order(&b, "{\"verb\":\"accepted\",\"request\":1,\"why\":\"seen on the portal\"}");
	assert_string_equal(box_text(&b, tale_states), "unsure");
	char token[64];
	snprintf(token, sizeof token, "%s", box_text(&b, "SELECT token FROM request"));
	box_reply(&b, box_waits(&b, "find"), 200, "{\"count\":1,\"next\":null,\"previous\":null,\"results\":[{\"id\":4711,\"name\":\"%s\",\"state\":\"PENDING\","
		  "\"requests\":[{\"id\":6,\"state\":\"PENDING\"}]}]}", token);
	assert_string_equal(box_text(&b, tale_states), "accepted");
	assert_string_equal(box_text(&b, "SELECT remote_id FROM request"), "4711");
	assert_int_equal(box_int(&b, "SELECT count(*) FROM alarm WHERE what='second'"), 0);
	box_alert(&b, "S230518h", "RETRACTION", 600, 0, NULL);
	assert_true(box_waits(&b, "cancel") > 0);
	box_close(&b);
}

/* A full disk: what was asked is followed and withdrawn, nothing new is asked; a person's hold is not touched by it. */
static void full_disk(void **state)
{
	(void)state;
	struct box b;
	tale_begin(&b, NULL, 1, 1);
	box_order(&b, "{\"verb\":\"disk\",\"full\":true}");
	tale_offers(&b, 300);
	assert_string_equal(box_text(&b, tale_states), "offered");
	assert_int_equal(box_waits(&b, "submit"), 0);
	box_order(&b, "{\"verb\":\"hold\",\"what\":\"all\"}");
	box_order(&b, "{\"verb\":\"disk\",\"full\":false}");
	assert_int_equal(box_waits(&b, "submit"), 0);
	box_order(&b, "{\"verb\":\"resume\",\"what\":\"all\"}");
	assert_true(box_waits(&b, "submit") > 0);
	box_order(&b, "{\"verb\":\"disk\",\"full\":true}"); /* killed while it was full: the next start has room for its configuration */
	box_config(&b, NULL);
	assert_int_equal(box_int(&b, "SELECT count(*) FROM gate WHERE kind='disk' AND lifted_seq IS NULL"), 0);
	box_close(&b);
}

/* A state that this program does not know changes nothing, and a person is asked. */
static void state_of_tomorrow(void **state)
{
	(void)state;
	struct box b;
	tale_begin(&b, NULL, 1, 1);
	tale_offers(&b, 300);
	tale_accept(&b, box_waits(&b, "submit"));
	char id[24];
	snprintf(id, sizeof id, "%s", box_text(&b, "SELECT remote_id FROM request"));
	feed_says(&b, 1, id, false, "ON_A_BREAK");
	assert_string_equal(box_text(&b, tale_states), "accepted");
	assert_int_equal(box_int(&b, "SELECT count(*) FROM alarm WHERE what='answer' AND detail LIKE '%ON_A_BREAK%'"), 1);
	box_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(revived_while_another_lives), cmocka_unit_test(there_before_it_was_asked),
		cmocka_unit_test(unwanted_hours_count), cmocka_unit_test(hours_of_the_late), cmocka_unit_test(less_is_not_no),
		cmocka_unit_test(no_from_the_middle), cmocka_unit_test(hold_outlives_reload), cmocka_unit_test(amend_nothing),
		cmocka_unit_test(descriptor_says_what_proves), cmocka_unit_test(words_fail_later), cmocka_unit_test(full_disk), cmocka_unit_test(state_of_tomorrow), cmocka_unit_test(number_after_a_persons_word),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What a facility has of ours is asked at every start: a stranger under our names alarms, a restored copy takes it over, and a person may
 * open its gate before. Also: a plan that failed is made again, twice. */
#include "test.h"
#include "box.h"
#include "engine/base/json.h"
#include "engine/base/utc.h"
#include "facilities/facility.h"

#define SWEEP "SELECT count(*) FROM effect WHERE verb='find' AND request IS NULL AND state='released'"

/* The configuration in force again, as a start on a restored copy gives it. */
static void config_again(struct box *b, bool restored)
{
	json_t *body = json_loads(box_text(b, "SELECT body FROM config ORDER BY seq DESC LIMIT 1"), 0, NULL);
	if (body == NULL) { /* longer than box_text holds */
		struct err e = {0};
		sqlite3_stmt *q = NULL;
		assert_int_equal(sqlite3_prepare_v2(b->db, "SELECT body FROM config ORDER BY seq DESC LIMIT 1", -1, &q, NULL), SQLITE_OK);
		assert_int_equal(sqlite3_step(q), SQLITE_ROW);
		body = json_read((const char *)sqlite3_column_text(q, 0), (size_t)sqlite3_column_bytes(q, 0), &json_limits_config, &e);
		sqlite3_finalize(q);
	}
	assert_non_null(body);
	if (restored)
		json_object_set_new(body, "restored", json_true());
	char *text = json_canonical(body);
	struct input in = {.kind = INPUT_config, .utc_us = b->utc_us, .tick_us = b->tick_us, .body = text, .len = strlen(text), .timestamp_us = UTC_NONE};
	box_feed(b, &in);
	free(text);
	json_decref(body);
}

static void page(struct box *b, int status)
{
	box_reply(b, box_waits(b, "find"), status,
		  "{\"count\":1,\"next\":null,\"previous\":null,\"results\":[{\"id\":77,\"name\":\"slew-0badcafe-0123456789abcdef0123\",\"proposal\":\"TOO2023A\","
		  "\"observation_type\":\"NORMAL\",\"state\":\"PENDING\",\"requests\":[{\"id\":770,\"state\":\"PENDING\",\"duration\":300,\"windows\":"
		  "[{\"start\":\"2023-05-18T12:00:00Z\",\"end\":\"2023-05-20T00:00:00Z\"}],\"configurations\":[{\"target\":{\"name\":\"NGC 4993\",\"ra\":197.4,"
		  "\"dec\":-23.4}}]}]}]}");
}

static void profile(struct box *b, const char *proposal)
{
	box_reply(b, box_waits(b, "find"), 200, "{\"username\":\"slew\",\"proposals\":[{\"id\":\"%s\"}]}", proposal);
}

static void started(struct box *b, bool restored)
{
	box_open(b);
	box_config(b, NULL);
	box_restart(b);
	config_again(b, restored);
}

static void a_stranger_alarms(void **state)
{
	(void)state;
	struct box b;
	started(&b, false);
	assert_int_equal(box_int(&b, SWEEP), 1);
	page(&b, 200);
	assert_int_equal(box_int(&b, "SELECT count(*) FROM alarm"), 0); /* not before the end */
	profile(&b, "TOO2023A");
	assert_string_equal(box_text(&b, "SELECT subject||' '||what FROM alarm"), "slew-0badcafe-0123456789abcdef0123 unknown");
	assert_int_equal(box_int(&b, "SELECT count(*) FROM request"), 0);
	assert_string_equal(box_text(&b, "SELECT state FROM sweep"), "done");
	config_again(&b, false); /* a reload is no start */
	assert_int_equal(box_int(&b, SWEEP), 0);
	box_close(&b);
}

static void a_copy_takes_it_over(void **state)
{
	(void)state;
	struct box b;
	started(&b, true);
	assert_int_equal(box_int(&b, SWEEP), 0); /* what was sent last may not be visible yet */
	box_later(&b, 61);
	page(&b, 502);
	assert_int_equal(box_int(&b, SWEEP), 0);
	box_later(&b, 10);
	page(&b, 200);
	profile(&b, "OTHER"); /* does not see our proposal: proves nothing */
	assert_int_equal(box_int(&b, "SELECT count(*) FROM gate WHERE kind='restore' AND lifted_seq IS NULL"), 1);
	box_restart(&b); /* cut short: begun anew, as strict as it was */
	config_again(&b, false);
	assert_int_equal(box_int(&b, "SELECT restored FROM sweep WHERE state='open'"), 1);
	box_later(&b, 61);
	page(&b, 200);
	profile(&b, "TOO2023A");
	assert_int_equal(box_int(&b, "SELECT count(*) FROM gate WHERE kind='restore' AND lifted_seq IS NULL"), 0);
	assert_string_equal(box_text(&b, "SELECT r.state||' '||r.remote_id||' '||r.programme||' '||e.name||' '||t.name||' '||l.state FROM request r "
				     "JOIN event e ON e.id=r.event JOIN target t ON t.id=r.target JOIN ledger l ON l.request=r.id"),
			    "accepted 77 too adopted NGC 4993 held");
	assert_int_equal(box_int(&b, "SELECT count(*) FROM alarm WHERE what='adopted' AND cleared_seq IS NULL"), 1);
	assert_int_equal(box_int(&b, "SELECT count(*) FROM effect WHERE verb='poll' AND request=1 AND state='released'"), 1);
	box_order(&b, "{\"verb\":\"cancel\",\"request\":1,\"why\":\"not wanted\"}");
	assert_true(json_is_true(json_object_get(b.answer, "ok")));
	assert_int_equal(box_int(&b, "SELECT count(*) FROM effect WHERE verb='cancel' AND request=1"), 1);
	box_close(&b);
}

static void a_person_opens_it(void **state)
{
	(void)state;
	struct box b;
	started(&b, true);
	box_order(&b, "{\"verb\":\"resume\",\"what\":\"all\"}");
	assert_true(json_is_true(json_object_get(b.answer, "ok")));
	assert_int_equal(box_int(&b, "SELECT count(*) FROM gate WHERE kind='restore' AND lifted_seq IS NULL"), 0);
	box_later(&b, 61); /* the sweep goes on all the same */
	page(&b, 200);
	profile(&b, "TOO2023A");
	assert_int_equal(box_int(&b, "SELECT count(*) FROM request"), 1);
	box_order(&b, "{\"verb\":\"resume\",\"what\":\"all\"}");
	assert_false(json_is_true(json_object_get(b.answer, "ok")));
	box_close(&b);
}

/* The longest that a telescope may ask to be left alone stands in limits.h; a person hears of it, until it answers. */
static void told_to_wait_for_ever(void **state)
{
	(void)state;
	static const char told[] = "SELECT count(*) FROM alarm WHERE subject='lco' AND what='retry-after' AND cleared_seq IS NULL";
	static const char body[] = "{\"detail\":\"Request was throttled.\"}";
	struct box b;
	started(&b, true);
	box_later(&b, 61);
	struct input in = {.kind = INPUT_reply, .utc_us = b.utc_us, .tick_us = b.tick_us, .effect = box_waits(&b, "find"), .body = body, .len = strlen(body),
		.timestamp_us = UTC_NONE};
	in.reply.sent = SENT_ANSWERED;
	in.reply.status = 429;
	in.reply.retry_after_s = 1000000000;
	in.reply.content_type = "application/json";
	in.reply.transport = "";
	box_feed(&b, &in);
	assert_int_equal(box_int(&b, told), 1);
	box_later(&b, LIMIT_RETRY_AFTER_S - 10);
	assert_int_equal(box_int(&b, SWEEP), 0);
	box_later(&b, 10);
	assert_int_equal(box_int(&b, SWEEP), 1);
	page(&b, 200);
	assert_int_equal(box_int(&b, told), 0);
	profile(&b, "TOO2023A");
	assert_int_equal(box_int(&b, "SELECT count(*) FROM gate WHERE kind='restore' AND lifted_seq IS NULL"), 0);
	box_close(&b);
}

/* A hold that a person lifts is their own: that they have looked for what the copy has forgotten, nobody has said. */
static void one_order_opens_one_gate(void **state)
{
	(void)state;
	static const char restoring[] = "SELECT count(*) FROM gate WHERE kind='restore' AND lifted_seq IS NULL", held[] = "SELECT count(*) FROM gate WHERE "
		"kind='hold' AND lifted_seq IS NULL";
	struct box b;
	started(&b, true);
	for (int i = 0; i < 2; i++) {
		const char *what = i ? "lco" : "all";
		char hold[64], resume[64];
		snprintf(hold, sizeof hold, "{\"verb\":\"hold\",\"what\":\"%s\"}", what);
		snprintf(resume, sizeof resume, "{\"verb\":\"resume\",\"what\":\"%s\"}", what);
		box_order(&b, hold);
		assert_int_equal(box_int(&b, held), 1);
		box_order(&b, resume);
		assert_true(json_is_true(json_object_get(b.answer, "ok")));
		assert_non_null(strstr(json_text(b.answer, "text", ""), "submitted twice"));
		assert_int_equal(box_int(&b, held), 0);
		assert_int_equal(box_int(&b, restoring), 1);
	}
	box_order(&b, "{\"verb\":\"resume\",\"what\":\"lco\"}");
	assert_true(json_is_true(json_object_get(b.answer, "ok")));
	assert_int_equal(box_int(&b, restoring), 0);
	box_close(&b);
}

static void a_rejected_configuration_keeps_it_shut(void **state)
{
	(void)state;
	struct box b;
	box_open(&b);
	box_config(&b, NULL);
	box_restart(&b);
	static const char bad[] = "{\"installation\":\"ffffffff\",\"restored\":true,\"facilities\":[],\"policies\":[]}";
	struct input in = {.kind = INPUT_config, .utc_us = b.utc_us, .tick_us = b.tick_us, .body = bad, .len = strlen(bad), .timestamp_us = UTC_NONE};
	box_feed(&b, &in);
	assert_int_equal(box_int(&b, "SELECT count(*) FROM reject"), 1);
	assert_int_equal(box_int(&b, "SELECT count(*) FROM gate WHERE kind='restore' AND lifted_seq IS NULL"), 1);
	box_close(&b);
}

static void a_failed_plan_is_made_again(void **state)
{
	(void)state;
	static const double minutes[] = {5, 30};
	struct box b;
	box_open(&b);
	box_config(&b, NULL);
	box_later(&b, 1);
	box_routine(&b);
	box_alert(&b, "S230518h", "PRELIMINARY", 0, 0.9, "SIMPLE  = map one");
	box_result(&b, box_waits(&b, "map"), "{\"kind\":\"map\",\"area50_deg2\":8.0,\"area90_deg2\":30,\"ra_deg\":197.4,\"dec_deg\":-23.4,\"gal_b_deg\":39.3,"
		   "\"distmean_mpc\":40.0,\"diststd_mpc\":8.0,\"distmod_mag\":33.0,\"ordering\":\"NUNIQ\",\"max_order\":9,\"pixels\":10,\"is_3d\":true}");
	box_result(&b, box_waits(&b, "rank"), "{\"kind\":\"rank\",\"considered\":9,\"targets\":[{\"key\":\"G|1\",\"rank\":1,\"id\":1,\"name\":\"G\",\"ra_deg\":197,"
		   "\"dec_deg\":-23,\"distance_mpc\":40,\"distance_err_mpc\":3,\"dpdv_per_mpc3\":1e-3,\"share\":0.1,\"cumulative_share\":0.5}]}");
	for (int i = 0; i < 2; i++) {
		box_result(&b, box_waits(&b, "plan"), "{\"kind\":\"plan\",\"error\":\"no memory\"}");
		box_later(&b, minutes[i] * 60 - 2);
		assert_int_equal(box_waits(&b, "plan"), 0);
		box_later(&b, 3);
		assert_int_not_equal(box_waits(&b, "plan"), 0);
	}
	box_result(&b, box_waits(&b, "plan"), "{\"kind\":\"plan\",\"error\":\"no memory\"}");
	box_later(&b, 3600);
	assert_int_equal(box_waits(&b, "plan"), 0);
	assert_int_equal(box_int(&b, "SELECT count(*) FROM alarm WHERE what='plan' AND detail LIKE '%three times%' AND cleared_seq IS NULL"), 1);
	box_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stranger_alarms), cmocka_unit_test(a_copy_takes_it_over), cmocka_unit_test(a_person_opens_it), cmocka_unit_test(one_order_opens_one_gate), cmocka_unit_test(told_to_wait_for_ever),
		cmocka_unit_test(a_rejected_configuration_keeps_it_shut), cmocka_unit_test(a_failed_plan_is_made_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Inputs of every kind, also hostile ones: rejects leave their neighbours alone, order and repetition do not matter, gates hold. */
#include "test.h"
#include "box.h"
#include "tale.h"
#include "engine/base/json.h"
#include "engine/base/utc.h"
#include "facilities/facility.h"

static const char validate_ok[] = "{\"request_durations\":{\"requests\":[{\"duration\":%d}],\"duration\":%d},\"errors\":{}}";

static void garbage_between_alerts(void **state)
{
	(void)state;
	static const char *const bad[] = {"", "{", "\xff\xfe\x00", "{\"alert_type\":7}", "null", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]", "<xml/>"};
	struct box b;
	box_open(&b);
	box_config(&b, NULL);
	b.hold_turn = true;
	box_alert(&b, "S230518a", "PRELIMINARY", 0, 0.9, NULL);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		box_bytes(&b, "igwn.gwalert", bad[i]);
	b.hold_turn = false;
	box_alert(&b, "S230518b", "PRELIMINARY", 0, 0.9, NULL);
	assert_int_equal(box_int(&b, "SELECT count(*) FROM reject"), (int64_t)(sizeof bad / sizeof bad[0]));
	assert_int_equal(box_int(&b, "SELECT count(*) FROM event"), 2);
	assert_int_equal(box_int(&b, "SELECT next_offset FROM source_position"), 4712 + 8);
	assert_int_equal(box_int(&b, "SELECT count(*) FROM verdict WHERE code='unknown_fact'"), 2);
	box_result(&b, 999, "{}");
	box_reply(&b, 999, 200, "{}");
	box_order(&b, "{\"verb\":\"explode\"}");
	assert_false(json_is_true(json_object_get(b.answer, "ok")));
	box_order(&b, "veto");
	assert_true(strlen(json_text(b.answer, "error", "")) > 10);
	box_order(&b, "{\"verb\":\"veto\",\"event\":\"S999999\"}");
	assert_true(strstr(json_text(b.answer, "error", ""), "S999999") != NULL);
	box_close(&b);
}

static void nonsense_from_a_worker(void **state)
{
	(void)state;
	struct box b;
	box_open(&b);
	box_config(&b, NULL);
	box_alert(&b, "S230518h", "PRELIMINARY", 0, 0.9, "SIMPLE  = map one");
	box_result(&b, box_waits(&b, "map"), "not json");
	assert_string_equal(box_text(&b, "SELECT state FROM skymap"), "failed");
	assert_string_equal(box_text(&b, "SELECT map_state FROM fact"), "failed");
	assert_string_equal(box_text(&b, "SELECT code||': '||detail FROM verdict"), "unknown_fact: area90_deg2");
	assert_int_equal(box_int(&b, "SELECT count(*) FROM reject"), 1);
	box_alert(&b, "S230518i", "PRELIMINARY", 0, 0.9, "SIMPLE  = map two");
	box_result(&b, box_waits(&b, "map"), "{\"kind\":\"map\",\"error\":\"it is an HTML page\"}");
	assert_int_equal(box_int(&b, "SELECT count(*) FROM alarm WHERE what='map' AND detail LIKE '%%HTML%%'"), 1);
	box_alert(&b, "S230518j", "PRELIMINARY", 0, 0.9, "SIMPLE  = map three");
	tale_map(&b, 30);
	box_result(&b, box_waits(&b, "rank"), "{\"kind\":\"rank\",\"considered\":0,\"targets\":[]}");
	assert_string_equal(box_text(&b, "SELECT v.code FROM verdict v JOIN event e ON e.id=v.event WHERE e.name='S230518j'"), "below_cut");
	box_close(&b);
}

/* The same revisions in any order, and twice, leave the event as the in-order run does. */
static void any_order(void **state)
{
	(void)state;
	static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
	static const char *const types[3] = {"PRELIMINARY", "INITIAL", "UPDATE"};
	for (int k = 0; k < 6; k++) {
		struct box b;
		box_open(&b);
		box_config(&b, NULL);
		for (int i = 0; i < 6; i++) {
			int n = orders[k][i % 3];
			box_alert(&b, "S230518h", types[n], 60 * n, 0.6 + 0.1 * n, "SIMPLE  = map one");
		}
		tale_map(&b, 30);
		assert_int_equal(box_int(&b, "SELECT count(*) FROM alert"), 3);
		assert_int_equal(box_int(&b, "SELECT count(*) FROM duplicate"), 3);
		assert_string_equal(box_text(&b, "SELECT a.type||' '||e.state||' '||f.p_bns FROM event e JOIN alert a ON a.id=e.latest_alert JOIN fact f ON f.alert=a.id"),
				    "UPDATE triggered 0.8");
		assert_int_equal(box_int(&b, "SELECT count(*) FROM effect WHERE compute='map'"), 1);
		box_close(&b);
	}
}

/* The same words in other bytes, from another broker, are the same alert: nothing is decided twice. Other words of the same second are a revision. */
static void twice_in_other_bytes(void **state)
{
	(void)state;
	static const char words[] = "{%s\"alert_type\":\"PRELIMINARY\",\"time_created\":\"2023-05-18T17:59:50Z\",\"superevent_id\":\"S230518h\",\"urls\":{%s},"
		"\"event\":{\"time\":\"2023-05-18T17:59:40.5Z\",\"far\":1e-12,\"significant\":true,\"instruments\":[\"H1\",\"L1\"],\"group\":\"CBC\",\"pipeline\":"
		"\"gstlal\",\"search\":\"AllSky\",\"properties\":{\"HasNS\":1},\"classification\":{\"BNS\":%s}},\"external_coinc\":null}";
	char text[1024];
	struct box b;
	box_open(&b);
	box_config(&b, NULL);
	snprintf(text, sizeof text, words, "", "", "0.9");
	box_bytes(&b, "igwn.gwalert", text);
	snprintf(text, sizeof text, words, " ", "\"gracedb\":\"https://gracedb.ligo.org/x\"", "0.90");
	box_bytes(&b, "hop.igwn.gwalert", text);
	assert_int_equal(box_int(&b, "SELECT count(*) FROM alert"), 1);
	assert_int_equal(box_int(&b, "SELECT count(*) FROM duplicate"), 1);
	snprintf(text, sizeof text, words, "", "", "0.8");
	box_bytes(&b, "igwn.gwalert", text);
	assert_int_equal(box_int(&b, "SELECT count(*) FROM alert"), 2);
	box_close(&b);
}

static void retraction_before_its_alert(void **state)
{
	(void)state;
	struct box b;
	box_open(&b);
	box_config(&b, NULL);
	box_alert(&b, "S230518h", "RETRACTION", 600, 0, NULL);
	box_alert(&b, "S230518h", "PRELIMINARY", 0, 0.9, "SIMPLE  = map one");
	if (box_waits(&b, "map"))
		tale_map(&b, 30);
	assert_string_equal(box_text(&b, "SELECT state FROM event"), "retracted");
	assert_int_equal(box_int(&b, "SELECT count(*) FROM effect WHERE compute IN ('rank','plan')"), 0);
	assert_string_equal(box_text(&b, "SELECT code FROM verdict"), "retracted");
	box_order(&b, "{\"verb\":\"approve\",\"event\":\"S230518h\"}");
	assert_false(json_is_true(json_object_get(b.answer, "ok")));
	box_close(&b);
}

static void tests_never_reach_a_telescope(void **state)
{
	(void)state;
	struct box b;
	box_open(&b);
	box_config(&b, NULL);
	box_alert(&b, "MS230518h", "PRELIMINARY", 0, 0.9, "SIMPLE  = map one");
	tale_map(&b, 30);
	assert_string_equal(box_text(&b, "SELECT code FROM verdict"), "test");
	assert_int_equal(box_int(&b, "SELECT count(*) FROM decision"), 0);
	box_close(&b);
	tale_begin(&b, "{\"tests\":true}", 1, 1); /* a real one; then a sign that comes late, with a submission out */
	tale_offers(&b, 300);
	tale_accept(&b, box_waits(&b, "submit"));
	box_bytes(&b, "igwn.gwalert-playground", "{\"alert_type\":\"UPDATE\",\"time_created\":\"2023-05-18T18:30:00Z\",\"superevent_id\":\"S230518h\",\"urls\":{},"
		  "\"event\":{\"time\":\"2023-05-18T17:59:00Z\",\"far\":1e-12,\"significant\":true,\"instruments\":[\"H1\"],\"group\":\"CBC\",\"pipeline\":\"p\","
		  "\"search\":\"AllSky\",\"properties\":{},\"classification\":{\"BNS\":0.9,\"NSBH\":0,\"BBH\":0,\"Terrestrial\":0.1},\"skymap\":null},\"external_coinc\":null}");
	assert_string_equal(box_text(&b, "SELECT state FROM event"), "closed");
	assert_string_equal(box_text(&b, "SELECT state FROM request"), "cancelling");
	box_close(&b);
}

static void downgrade_has_grace(void **state)
{
	(void)state;
	struct box b;
	tale_begin(&b, NULL, 2, 1);
	tale_offers(&b, 300);
	tale_accept(&b, box_waits(&b, "submit"));
	tale_accept(&b, box_waits(&b, "submit"));
	box_alert(&b, "S230518h", "UPDATE", 600, 0.1, "SIMPLE  = map one");
	assert_string_equal(box_text(&b, "SELECT state FROM event"), "downgraded");
	box_later(&b, 300);
	box_routine(&b);
	assert_int_equal(box_int(&b, "SELECT count(*) FROM request WHERE state='accepted'"), 2);
	box_alert(&b, "S230518h", "UPDATE", 900, 0.9, "SIMPLE  = map one");
	assert_string_equal(box_text(&b, "SELECT state FROM event"), "triggered");
	box_later(&b, 600);
	box_routine(&b);
	assert_int_equal(box_int(&b, "SELECT count(*) FROM request WHERE state='accepted'"), 2);
	box_alert(&b, "S230518h", "UPDATE", 1200, 0.1, "SIMPLE  = map one");
	box_later(&b, 601);
	assert_int_equal(box_int(&b, "SELECT count(*) FROM request WHERE state='cancelling'"), 2);
	/* an update whose map is being read leaves the event as it is */
	box_alert(&b, "S230518h", "UPDATE", 1500, 0.9, "SIMPLE  = map two");
	assert_string_equal(box_text(&b, "SELECT outcome||' '||state FROM decision"), "waiting downgraded");
	box_close(&b);
}

/* Once a downgrade is on disk nothing new is asked, though what lives has its grace. */
static void downgrade_stops_what_waits(void **state)
{
	(void)state;
	struct box b;
	tale_begin(&b, NULL, 6, 1);
	b.hold_turn = true;
	box_reply(&b, box_waits(&b, "offer"), 200, validate_ok, 300, 300);
	box_alert(&b, "S230518h", "UPDATE", 600, 0.1, "SIMPLE  = map one");
	b.hold_turn = false;
	box_turn(&b);
	tale_offers(&b, 300);
	assert_int_equal(box_int(&b, "SELECT count(*) FROM effect WHERE verb='submit' AND released_seq IS NOT NULL"), 0);
	assert_int_equal(box_int(&b, "SELECT count(*) FROM request WHERE state='cancelled'"), 0);
	box_later(&b, 601);
	assert_int_equal(box_int(&b, "SELECT count(*) FROM request WHERE state='cancelled'"), 6);
	box_close(&b);
}

static void injected(void **state)
{
	(void)state;
	static const char alert[] = "{\"alert_type\":\"PRELIMINARY\",\"time_created\":\"2023-05-18T18:30:00Z\",\"superevent_id\":\"%s\",\"urls\":{},"
		"\"event\":{\"time\":\"2023-05-18T17:59:00Z\",\"far\":1e-12,\"significant\":true,\"instruments\":[\"H1\"],\"group\":\"CBC\",\"pipeline\":\"p\","
		"\"search\":\"AllSky\",\"properties\":{},\"classification\":{\"BNS\":0.9,\"NSBH\":0,\"BBH\":0,\"Terrestrial\":0.1},\"skymap\":null},\"external_coinc\":null}";
	char text[1024];
	struct box b;
	tale_begin(&b, NULL, 1, 1);
	struct input in = {.kind = INPUT_alert, .utc_us = b.utc_us, .tick_us = b.tick_us, .as_test = true, .timestamp_us = UTC_NONE, .body = text, .uid = 1000};
	snprintf(text, sizeof text, alert, "S230518h");
	in.len = strlen(text);
	box_feed(&b, &in); /* under the name of a real event: it would withdraw it */
	assert_int_equal(box_int(&b, "SELECT count(*) FROM reject WHERE reason LIKE '%%as-real%%'"), 1);
	snprintf(text, sizeof text, alert, "S230518x");
	in.len = strlen(text);
	box_feed(&b, &in);
	assert_string_equal(box_text(&b, "SELECT v.code FROM verdict v JOIN event e ON e.id=v.event WHERE e.name='S230518x'"), "test");
	in.as_test = false;
	in.as_real = true;
	snprintf(text, sizeof text, alert, "S230518y");
	in.len = strlen(text);
	box_feed(&b, &in);
	assert_int_equal(box_int(&b, "SELECT by_person FROM event WHERE name='S230518y'"), 1);
	box_close(&b);
}

/* What a plan could not learn is an alarm; the plan counts, and the next one that knows ends the alarm. */
static void a_plan_that_was_not_told_all(void **state)
{
	(void)state;
	struct box b;
	tale_begin(&b, NULL, 2, 1);
	for (int i = 0; i < 2; i++) {
		box_later(&b, 6 * 3600 + 60); /* planned anew */
		box_result(&b, box_waits(&b, "plan"), "{\"kind\":\"plan\",\"requests\":[],\"verdicts\":[]%s}", i == 0 ? ",\"warning\":\"tm.json: no file\"" : "");
		assert_string_equal(box_text(&b, "SELECT detail||CASE WHEN cleared_seq IS NULL THEN '' ELSE ': over' END FROM alarm WHERE what='covered'"),
			i == 0 ? "what others have completed is not known: tm.json: no file" : "what others have completed is not known: tm.json: no file: over");
	}
	box_close(&b);
}

/* A policy that needs no map is triggered before it is read: the number of unrelated supernovae is said when it is, once. */
static void supernovae_are_told_later(void **state)
{
	(void)state;
	struct box b;
	box_open(&b);
	box_config(&b, "{\"when\":\"p_bns > 0.5\"}");
	box_later(&b, 1);
	box_routine(&b);
	box_alert(&b, "S230518h", "PRELIMINARY", 0, 0.9, "SIMPLE  = map one");
	assert_string_equal(box_text(&b, "SELECT body FROM message_out WHERE kind='triggered'"), "policy bns was triggered by S230518h (PRELIMINARY)");
	for (int i = 0; i < 2; i++) {
		box_result(&b, box_waits(&b, "map"), "{\"kind\":\"map\",\"area50_deg2\":8.0,\"area90_deg2\":30.5,\"ra_deg\":197.4,\"dec_deg\":-23.4,\"gal_b_deg\":39.3,"
			"\"distmean_mpc\":40.0,\"diststd_mpc\":8.0,\"distmod_mag\":33.0,\"ordering\":\"NUNIQ\",\"max_order\":9,\"pixels\":10,\"is_3d\":true,"
			"\"unrelated_supernovae\":%d.5}", 86 + i);
		assert_string_equal(box_text(&b, "SELECT group_concat(body) FROM message_out WHERE kind='supernovae'"),
			"S230518h: 86 unrelated supernovae younger than 30 d are expected in its 90 % volume");
		if (i == 0)
			box_alert(&b, "S230518h", "UPDATE", 600, 0.9, "SIMPLE  = map two");
	}
	box_close(&b);
}

static void unknown_never_downgrades(void **state)
{
	(void)state;
	struct box b;
	tale_begin(&b, NULL, 1, 1);
	box_alert(&b, "S230518h", "UPDATE", 600, 0.9, "SIMPLE  = map two");
	assert_string_equal(box_text(&b, "SELECT outcome||' '||state FROM decision"), "waiting triggered");
	box_later(&b, 61); /* map_wait_s */
	assert_string_equal(box_text(&b, "SELECT outcome||' '||state||' '||missing FROM decision"), "unknown triggered area90_deg2");
	assert_string_equal(box_text(&b, "SELECT state FROM event"), "triggered");
	tale_map(&b, 500); /* late, but a fact: too wide now */
	assert_string_equal(box_text(&b, "SELECT outcome||' '||state FROM decision"), "false downgraded");
	box_close(&b);
}

static void approval_is_asked_and_answered(void **state)
{
	(void)state;
	struct box b;
	tale_begin(&b, "{\"approval\":{\"mode\":\"operator\",\"persons\":1,\"unanswered_min\":30}}", 2, 1);
	assert_int_equal(box_int(&b, "SELECT count(*) FROM effect WHERE verb='offer' AND state='released'"), 0);
	assert_string_equal(box_text(&b, "SELECT DISTINCT code FROM verdict WHERE target IS NOT NULL"), "held");
	assert_int_equal(box_int(&b, "SELECT count(*) FROM message_out WHERE kind='approval'"), 1);
	box_later(&b, 1801);
	box_routine(&b);
	assert_int_equal(box_int(&b, "SELECT count(*) FROM alarm WHERE what='approval'"), 1);
	box_order(&b, "{\"verb\":\"approve\",\"event\":\"S230518h\",\"policy\":\"bns\"}");
	assert_true(json_is_true(json_object_get(b.answer, "ok")));
	assert_int_equal(box_int(&b, "SELECT count(*) FROM effect WHERE verb='offer' AND state='released'"), 2);
	box_close(&b);
}

static void budgets_hold(void **state)
{
	(void)state;
	struct box b;
	tale_begin(&b, "{\"approval\":{\"mode\":\"auto\",\"auto_budget_h\":0.5},\"budget_h\":{\"event\":0.75,\"night\":8}}", 3, 1);
	tale_offers(&b, 1200); /* a third of an hour each: one may go by itself, two need a person, three are over the event's budget */
	assert_int_equal(box_int(&b, "SELECT count(*) FROM request WHERE state='asked'"), 1);
	assert_int_equal(box_int(&b, "SELECT count(*) FROM gate WHERE kind='approval' AND lifted_seq IS NULL"), 1);
	box_order(&b, "{\"verb\":\"approve\",\"event\":\"S230518h\"}");
	assert_int_equal(box_int(&b, "SELECT count(*) FROM request WHERE state='asked'"), 2);
	assert_int_equal(box_int(&b, "SELECT count(*) FROM gate WHERE kind='budget' AND lifted_seq IS NULL"), 1);
	assert_int_equal(box_int(&b, "SELECT count(*) FROM verdict WHERE code='budget'"), 1);
	box_close(&b);
}

/* Two facilities are asked side by side; the better offer is taken, the other is the reserve, which takes over when the first slips. */
static void the_better_offer(void **state)
{
	(void)state;
	struct box b;
	box_open(&b);
	b.two = true;
	box_config(&b, NULL);
	box_later(&b, 1);
	box_routine(&b);
	box_alert(&b, "S230518h", "PRELIMINARY", 0, 0.9, "SIMPLE  = map one");
	tale_map(&b, 30);
	tale_ranked(&b, 1);
	tale_planned(&b, 0, 1, 2);
	assert_int_equal(box_int(&b, "SELECT count(*) FROM effect WHERE verb='offer' AND state='released'"), 2);
	int64_t of_second = box_int(&b, "SELECT id FROM effect WHERE verb='offer' AND facility='second'");
	box_reply(&b, of_second, 200, validate_ok, 300, 300);
	assert_string_equal(box_text(&b, tale_states), "planned,offered"); /* waits for the first, 5 s */
	box_reply(&b, box_waits(&b, "offer"), 200, validate_ok, 300, 300);
	assert_string_equal(box_text(&b, tale_states), "asked,held");
	tale_accept(&b, box_waits(&b, "submit"));
	box_later(&b, 3700); /* an hour past its slot, and nothing has started */
	box_routine(&b);
	assert_string_equal(box_text(&b, tale_states), "cancelling,held"); /* never two at once */
	int64_t cancel = box_waits(&b, "cancel");
	box_reply(&b, cancel, 200, "{\"id\":%d,\"state\":\"CANCELED\",\"requests\":[{\"id\":1,\"state\":\"CANCELED\"}]}", 1);
	char remote[64];
	snprintf(remote, sizeof remote, "%s", box_text(&b, "SELECT remote_id FROM request WHERE id=1"));
	box_reply(&b, box_waits(&b, "cancel"), 200, "{\"id\":%s,\"state\":\"CANCELED\",\"requests\":[{\"id\":1,\"state\":\"CANCELED\"}]}", remote);
	if (box_waits(&b, "cancel"))
		box_reply(&b, box_waits(&b, "cancel"), 200, "[]");
	assert_string_equal(box_text(&b, tale_states), "cancelled,asked");
	box_close(&b);
}

/* A facility that does not answer delays no other by more than offer_wait_s. */
static void a_slow_facility(void **state)
{
	(void)state;
	struct box b;
	box_open(&b);
	b.two = true;
	box_config(&b, NULL);
	box_later(&b, 1);
	box_routine(&b);
	box_alert(&b, "S230518h", "PRELIMINARY", 0, 0.9, "SIMPLE  = map one");
	tale_map(&b, 30);
	tale_ranked(&b, 1);
	tale_planned(&b, 0, 1, 2);
	box_reply(&b, box_int(&b, "SELECT id FROM effect WHERE verb='offer' AND facility='second'"), 200, validate_ok, 300, 300);
	int64_t utc, tick;
	struct err e = {0};
	assert_ok(core_due(b.core, &utc, &tick, &e), &e);
	assert_true(tick <= b.tick_us + 5 * UTC_SECOND);
	box_later(&b, 5.0);
	assert_string_equal(box_text(&b, tale_states), "planned,asked");
	box_reply(&b, box_waits(&b, "offer"), 200, validate_ok, 300, 300);
	assert_string_equal(box_text(&b, tale_states), "held,asked");
	box_close(&b);
}

static void hold_and_resume(void **state)
{
	(void)state;
	struct box b;
	tale_begin(&b, NULL, 2, 1);
	box_order(&b, "{\"verb\":\"hold\",\"what\":\"lco\",\"why\":\"snow\"}");
	tale_offers(&b, 300);
	assert_int_equal(box_int(&b, "SELECT count(*) FROM request WHERE state='offered'"), 2);
	assert_int_equal(box_int(&b, "SELECT count(*) FROM effect WHERE verb='submit' AND state='released'"), 0);
	box_order(&b, "{\"verb\":\"resume\",\"what\":\"lco\"}");
	assert_int_equal(box_int(&b, "SELECT count(*) FROM request WHERE state='asked'"), 2);
	box_close(&b);
}

/* At most four transfers at once, one kept for cancels; what waits is rows and a veto reaches it. */
static void slots(void **state)
{
	(void)state;
	struct box b;
	tale_begin(&b, NULL, 10, 1);
	assert_int_equal(box_int(&b, "SELECT count(*) FROM effect WHERE kind='call' AND state='released'"), LIMIT_TRANSFERS - 1);
	box_reply(&b, box_waits(&b, "offer"), 200, validate_ok, 300, 300);
	assert_int_equal(box_int(&b, "SELECT count(*) FROM effect WHERE verb='submit' AND state='released'"), 1);
	tale_accept(&b, box_waits(&b, "submit"));
	box_order(&b, "{\"verb\":\"cancel\",\"request\":1}");
	assert_int_equal(box_int(&b, "SELECT count(*) FROM effect WHERE verb='cancel' AND state='released'"), 1);
	assert_int_equal(box_int(&b, "SELECT count(*) FROM effect WHERE kind='call' AND state='released'"), LIMIT_TRANSFERS);
	box_order(&b, "{\"verb\":\"veto\",\"event\":\"S230518h\"}");
	assert_int_equal(box_int(&b, "SELECT count(*) FROM effect WHERE verb IN ('offer','submit') AND state='waiting'"), 0);
	box_close(&b);
}

/* Not sent, 429 and a plain refusal create nothing; 500 and a lost answer are doubts. */
static void what_may_be_sent_again(void **state)
{
	(void)state;
	struct box b;
	tale_begin(&b, NULL, 1, 1);
	tale_offers(&b, 300);
	box_lost(&b, box_waits(&b, "submit"), SENT_NO);
	assert_string_equal(box_text(&b, "SELECT state||submits||void_submits FROM request"), "asked11");
	box_later(&b, 10);
	assert_true(box_waits(&b, "submit") > 0);
	box_reply(&b, box_waits(&b, "submit"), 429, "{\"detail\":\"Request was throttled.\"}");
	assert_string_equal(box_text(&b, "SELECT state||submits||void_submits FROM request"), "asked22");
	box_routine(&b);
	box_later(&b, 61);
	box_routine(&b);
	box_reply(&b, box_waits(&b, "submit"), 500, "<html>oops</html>");
	assert_string_equal(box_text(&b, "SELECT state||submits||void_submits FROM request"), "unsure32");
	/* flagged in doubt: it keeps the flag until the facility says, then it is withdrawn */
	box_alert(&b, "S230518h", "RETRACTION", 600, 0, NULL);
	assert_string_equal(box_text(&b, "SELECT state||unwanted FROM request"), "unsure1");
	box_later(&b, 5);
	box_routine(&b);
	char token[64];
	snprintf(token, sizeof token, "%s", box_text(&b, "SELECT token FROM request"));
	box_reply(&b, box_waits(&b, "find"), 200, "{\"count\":1,\"next\":null,\"previous\":null,\"results\":[{\"id\":5,\"name\":\"%s\",\"state\":\"PENDING\",\"requests\":[{\"id\":6,\"state\":\"PENDING\"}]}]}",
		  token);
	assert_string_equal(box_text(&b, "SELECT state FROM request"), "cancelling");
	assert_true(box_waits(&b, "cancel") > 0);
	box_close(&b);
}

static void retracted_while_asking(void **state)
{
	(void)state;
	struct box b;
	tale_begin(&b, NULL, 1, 1);
	tale_offers(&b, 300);
	box_alert(&b, "S230518h", "RETRACTION", 600, 0, NULL);
	assert_string_equal(box_text(&b, "SELECT state||unwanted FROM request"), "asked1");
	int64_t submit = box_waits(&b, "submit");
	box_lost(&b, submit, SENT_NO); /* it never left: withdrawn without a word to the facility */
	assert_string_equal(box_text(&b, "SELECT state FROM request"), "cancelled");
	box_later(&b, 600);
	box_routine(&b);
	assert_int_equal(box_int(&b, "SELECT submits FROM request"), 1);
	box_close(&b);
}

static void answers_for_nobody(void **state)
{
	(void)state;
	struct box b;
	tale_begin(&b, NULL, 1, 1);
	tale_offers(&b, 300);
	int64_t submit = box_waits(&b, "submit");
	tale_accept(&b, submit);
	box_reply(&b, submit, 400, "{\"proposal\":[\"no\"]}"); /* a second answer to an effect that is done */
	assert_string_equal(box_text(&b, "SELECT state FROM request"), "accepted");
	box_alert(&b, "S230518h", "UPDATE", 60, 0.9, "SIMPLE  = map one");
	int64_t plan = box_waits(&b, "plan");
	assert_true(plan > 0);
	box_result(&b, plan, "{\"kind\":\"plan\",\"requests\":[],\"verdicts\":[{\"target\":\"G0|0\",\"code\":\"exists\",\"facility\":null,\"detail\":\"\"}]}");
	assert_string_equal(box_text(&b, "SELECT state FROM request"), "accepted"); /* existing: untouched */
	box_close(&b);
}

static void clock_jump_stops_submissions(void **state)
{
	(void)state;
	struct box b;
	tale_begin(&b, NULL, 1, 1);
	struct input in = {.kind = INPUT_clock, .utc_us = b.utc_us, .tick_us = b.tick_us, .body = "{\"step_us\":3600000000}", .len = 22, .timestamp_us = UTC_NONE};
	box_feed(&b, &in);
	tale_offers(&b, 300);
	assert_string_equal(box_text(&b, "SELECT state FROM request"), "offered");
	box_later(&b, 61);
	assert_string_equal(box_text(&b, "SELECT state FROM request"), "asked");
	box_close(&b);
}

static void reload(void **state)
{
	(void)state;
	struct box b;
	tale_begin(&b, NULL, 1, 1);
	tale_offers(&b, 300);
	tale_accept(&b, box_waits(&b, "submit"));
	int64_t old = box_int(&b, "SELECT policy FROM request");
	box_config(&b, "{\"when\":\"p_bns > 0.95 AND area90_deg2 < 150\"}");
	assert_int_equal(box_int(&b, "SELECT count(*) FROM policy"), 2);
	assert_int_equal(box_int(&b, "SELECT policy FROM request"), old);
	/* the alert has not changed, the rules have: nothing is withdrawn by a reload, a person is told and decides */
	assert_string_equal(box_text(&b, "SELECT state FROM event"), "triggered");
	assert_string_equal(box_text(&b, "SELECT state FROM request"), "accepted");
	assert_int_equal(box_int(&b, "SELECT count(*) FROM alarm WHERE subject='S230518h/bns' AND what='policy' AND cleared_seq IS NULL"), 1);
	box_alert(&b, "S230518h", "UPDATE", 600, 0.9, "SIMPLE  = map one"); /* a newer revision is judged by the new rules */
	assert_string_equal(box_text(&b, "SELECT state FROM event"), "downgraded");
	assert_int_equal(box_int(&b, "SELECT count(*) FROM alarm WHERE what='policy' AND cleared_seq IS NULL"), 0);
	box_config(&b, "{\"when\":\"p_bns = = 1\"}"); /* refused whole */
	assert_int_equal(box_int(&b, "SELECT count(*) FROM reject"), 1);
	assert_int_equal(box_int(&b, "SELECT count(*) FROM policy WHERE current=1"), 1);
	box_close(&b);
}

static void amended_by_a_person(void **state)
{
	(void)state;
	struct box b;
	box_open(&b);
	box_config(&b, NULL);
	box_alert(&b, "S230518h", "PRELIMINARY", 0, 0.2, "SIMPLE  = map one");
	tale_map(&b, 30);
	assert_string_equal(box_text(&b, "SELECT code FROM verdict"), "not_triggered");
	box_order(&b, "{\"verb\":\"amend\",\"event\":\"S230518h\",\"fact\":\"p_bns\",\"value\":0.99}");
	assert_false(json_is_true(json_object_get(b.answer, "ok")));
	box_order(&b, "{\"verb\":\"amend\",\"event\":\"S230518h\",\"fact\":\"p_bns\",\"value\":0.99,\"source\":\"GCN 33813\"}");
	assert_true(json_is_true(json_object_get(b.answer, "ok")));
	assert_string_equal(box_text(&b, "SELECT state FROM event"), "triggered");
	assert_string_equal(box_text(&b, "SELECT stream FROM alert ORDER BY id DESC LIMIT 1"), "operator");
	box_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(garbage_between_alerts), cmocka_unit_test(nonsense_from_a_worker), cmocka_unit_test(any_order), cmocka_unit_test(twice_in_other_bytes),
		cmocka_unit_test(retraction_before_its_alert), cmocka_unit_test(tests_never_reach_a_telescope), cmocka_unit_test(downgrade_has_grace),
		cmocka_unit_test(unknown_never_downgrades), cmocka_unit_test(a_plan_that_was_not_told_all), cmocka_unit_test(supernovae_are_told_later), cmocka_unit_test(downgrade_stops_what_waits),
		cmocka_unit_test(injected), cmocka_unit_test(approval_is_asked_and_answered), cmocka_unit_test(budgets_hold),
		cmocka_unit_test(hold_and_resume), cmocka_unit_test(the_better_offer), cmocka_unit_test(a_slow_facility), cmocka_unit_test(slots), cmocka_unit_test(what_may_be_sent_again),
		cmocka_unit_test(retracted_while_asking), cmocka_unit_test(answers_for_nobody), cmocka_unit_test(clock_jump_stops_submissions),
		cmocka_unit_test(reload), cmocka_unit_test(amended_by_a_person),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

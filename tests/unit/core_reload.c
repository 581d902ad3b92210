/* What comes between a question and its answer: a configuration with fewer hours, credentials that are refused, results that make no sense, a
 * veto of what is about to be taken over. */
#include "test.h"
#include "box.h"
#include "tale.h"
#include "engine/base/query.h"
#include "engine/base/utc.h"
#include "facilities/facility.h"

/* The configuration in force again, with one change: SQL over `body`. */
static void config_with(struct box *b, const char *change)
{
	char sql[400];
	struct err e = {0};
	snprintf(sql, sizeof sql, "SELECT %s FROM config ORDER BY seq DESC LIMIT 1", change);
	sqlite3_stmt *q = query_prepare(b->db, sql, &e);
	assert_non_null(q);
	assert_int_equal(sqlite3_step(q), SQLITE_ROW);
	char *text = strdup((const char *)sqlite3_column_text(q, 0));
	sqlite3_finalize(q);
	struct input in = {.kind = INPUT_config, .utc_us = b->utc_us, .tick_us = b->tick_us, .body = text, .len = strlen(text), .timestamp_us = UTC_NONE};
	box_feed(b, &in);
	free(text);
}

#define SPENT "SELECT CAST(total(seconds) AS INTEGER) FROM ledger WHERE state<>'returned'"
#define OVERSPENT "SELECT count(*) FROM check_programme_overspent"

/* Hours that a new configuration takes away were not overspent: what is spent stays, and nothing new leaves. */
static void fewer_hours(void **state)
{
	static const char *const changes[] = {"json_set(body,'$.config.programmes[0].hours.TIME_CRITICAL',0.1)",
					      "json_remove(body,'$.config.programmes[0].hours.TIME_CRITICAL')"};
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct box b;
		struct err e = {0};
		tale_begin(&b, NULL, 6, 1);
		while (box_waits(&b, "offer") && box_int(&b, "SELECT count(*) FROM request WHERE state='asked'") < 3)
			box_reply(&b, box_waits(&b, "offer"), 200, "{\"request_durations\":{\"requests\":[{\"duration\":300}],\"duration\":300},\"errors\":{}}");
		assert_int_equal(box_int(&b, SPENT), 900);
		config_with(&b, changes[i]);
		assert_int_equal(box_int(&b, "SELECT count(*) FROM reject"), 0);
		box_routine(&b);
		tale_offers(&b, 300);
		while (box_waits(&b, "submit"))
			tale_accept(&b, box_waits(&b, "submit"));
		tale_offers(&b, 300);
		assert_int_equal(box_int(&b, SPENT), 900);
		assert_int_equal(box_int(&b, "SELECT count(*) FROM alarm WHERE what='credentials' AND cleared_seq IS NULL"), 0);
		assert_string_equal(box_text(&b, tale_states), "accepted,accepted,accepted,offered,offered,offered");
		assert_int_equal(box_int(&b, "SELECT count(*) FROM effect WHERE verb='submit' AND state='waiting'"), 3);
		config_with(&b, "json_set(body,'$.config.programmes[0].hours.TIME_CRITICAL',0.2)"); /* more, and still not enough */
		config_with(&b, "body"); /* a start with the same hours excuses nothing */
		assert_int_equal(box_int(&b, SPENT), 900);
		assert_ok(query_run(b.db, &e, "INSERT INTO request_change(request,seq,utc_us,signal,from_state,to_state) "
				    "SELECT id,(SELECT max(seq) FROM input),0,'chosen','offered','asked' FROM request WHERE state='accepted' LIMIT 1", ""), &e);
		assert_int_equal(box_int(&b, OVERSPENT), 1); /* had one left now, it would be seen */
		box_close(&b);
	}
}

/* A result that cannot be read is a bad day of its worker, like one that says so: asked again, twice. */
static void a_rejected_result_is_wanted_again(void **state)
{
	static const double minutes[] = {5, 30};
	static const char *const bad[] = {"[]", "{\"kind\":", "{\"error\":\"no memory\"}"};
	(void)state;
	for (int i = 0; i < 3; i++)
		for (int plan = 0; plan < 2; plan++) {
			const char *kind = plan ? "plan" : "rank";
			struct box b;
			box_open(&b);
			box_config(&b, NULL);
			box_later(&b, 1);
			box_routine(&b);
			box_alert(&b, "S230518h", "PRELIMINARY", 0, 0.9, "SIMPLE  = map one");
			tale_map(&b, 30);
			if (plan)
				tale_ranked(&b, 2);
			for (int n = 0; n < 2; n++) {
				box_result(&b, box_waits(&b, kind), "%s", bad[i]);
				box_later(&b, minutes[n] * 60 - 2);
				assert_int_equal(box_waits(&b, kind), 0);
				box_later(&b, 3);
				assert_int_not_equal(box_waits(&b, kind), 0);
			}
			if (!plan)
				tale_ranked(&b, 2);
			tale_planned(&b, 0, 2, 1);
			assert_int_equal(box_int(&b, "SELECT count(*) FROM request"), 2);
			assert_int_equal(box_int(&b, "SELECT count(*) FROM alarm WHERE what IN ('rank','plan') AND cleared_seq IS NULL"), 0);
			box_close(&b);
		}
}

/* Credentials are a matter of the facility: one alarm, and nobody steps down a ladder. */
static void refused_credentials_hold(void **state)
{
	static const int statuses[] = {401, 403};
	static const char waiting[] = "SELECT group_concat(state||(submits-void_submits)) FROM (SELECT * FROM request ORDER BY id)";
	static const char alarms[] = "SELECT group_concat(subject||' '||what||' '||times) FROM alarm WHERE cleared_seq IS NULL";
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct box b;
		tale_begin(&b, NULL, 4, 1);
		tale_offers(&b, 300);
		for (int n = 0; n < 3; n++)
			box_reply(&b, box_waits(&b, "submit"), statuses[i], "{\"detail\":\"Invalid token.\"}");
		box_routine(&b);
		box_later(&b, 90);
		box_routine(&b);
		tale_offers(&b, 300);
		assert_string_equal(box_text(&b, waiting), "asked0,asked0,asked0,planned0");
		assert_int_equal(box_waits(&b, "submit"), 0);
		assert_string_equal(box_text(&b, alarms), "lco credentials 3");
		config_with(&b, "body"); /* nothing lifts it but a person */
		box_later(&b, 90);
		assert_int_equal(box_waits(&b, "submit"), 0);
		box_order(&b, "{\"verb\":\"resume\",\"what\":\"lco\"}");
		assert_int_not_equal(box_waits(&b, "submit"), 0);
		for (; box_waits(&b, "submit"); tale_offers(&b, 300))
			tale_accept(&b, box_waits(&b, "submit"));
		assert_string_equal(box_text(&b, tale_states), "accepted,accepted,accepted,accepted");
		box_close(&b);
	}
}

/* So does an offer; and a person's hold stays a person's. */
static void refused_credentials_of_an_offer(void **state)
{
	(void)state;
	struct box b;
	tale_begin(&b, NULL, 2, 1);
	box_order(&b, "{\"verb\":\"hold\",\"what\":\"lco\",\"why\":\"mirror wash\"}");
	box_reply(&b, box_waits(&b, "offer"), 403, "{\"detail\":\"Invalid token.\"}");
	box_reply(&b, box_waits(&b, "offer"), 403, "{\"detail\":\"Invalid token.\"}");
	assert_string_equal(box_text(&b, tale_states), "planned,planned");
	assert_string_equal(box_text(&b, "SELECT group_concat(reason) FROM gate WHERE kind='hold' AND lifted_seq IS NULL"), "mirror wash");
	box_order(&b, "{\"verb\":\"resume\",\"what\":\"lco\"}");
	box_later(&b, 61);
	tale_offers(&b, 300);
	assert_string_equal(box_text(&b, tale_states), "asked,asked");
	box_close(&b);
}

/* A hold holds: a plan that is made meanwhile cannot use the facility, but what waits there is not withdrawn for that. */
static void a_hold_withdraws_nothing(void **state)
{
	(void)state;
	struct box b;
	tale_begin(&b, NULL, 2, 1);
	box_order(&b, "{\"verb\":\"hold\",\"what\":\"lco\"}");
	box_alert(&b, "S230518h", "UPDATE", 60, 0.9, "SIMPLE  = map two");
	tale_map(&b, 30);
	tale_ranked(&b, 2);
	while (box_waits(&b, "plan")) /* the first is of before the ranking */
		box_result(&b, box_waits(&b, "plan"), "{\"kind\":\"plan\",\"requests\":[],\"verdicts\":[{\"target\":\"G0|0\",\"code\":\"facility_closed\"},"
			   "{\"target\":\"G1|1\",\"code\":\"facility_closed\"}]}");
	assert_string_equal(box_text(&b, tale_states), "planned,planned");
	box_order(&b, "{\"verb\":\"resume\",\"what\":\"lco\"}");
	tale_offers(&b, 300);
	assert_string_equal(box_text(&b, tale_states), "asked,asked");
	assert_int_not_equal(box_waits(&b, "plan"), 0);
	box_close(&b);
}

/* What was refused for want of time under one proposal is not refused under another. */
static void another_proposal_has_its_own_hours(void **state)
{
	static const char refusal[] = "{\"request_durations\":{},\"errors\":{\"non_field_errors\":[\"Proposal TOO2023A does not have enough time left allocated in semester "
				      "2023A on the 1M0-SCICAM-SINISTRO instrument, 0.0 hours available\"]}}";
	static const char *const changes[] = {"body", "json_set(body,'$.config.programmes[0].proposal','DDT2023')",
					      "json_set(body,'$.config.programmes[0].hours.TIME_CRITICAL',6.0)"};
	(void)state;
	for (int i = 0; i < 3; i++) {
		struct box b;
		tale_begin(&b, NULL, 1, 1);
		box_reply(&b, box_waits(&b, "offer"), 200, "%s", refusal);
		assert_int_equal(box_int(&b, "SELECT count(*) FROM hours_refused"), 1);
		config_with(&b, changes[i]);
		assert_int_equal(box_int(&b, "SELECT count(*) FROM hours_refused"), i == 0);
		box_close(&b);
	}
}

/* A sign that it is a test comes late, where tests are welcome: spectra and monitoring ask a person, as of a retracted event. */
static void spectra_of_a_late_test(void **state)
{
	static const char sign[] = "{\"alert_type\":\"UPDATE\",\"time_created\":\"2023-05-18T18:30:00Z\",\"superevent_id\":\"S230518h\",\"urls\":{},\"event\":{\"time\":"
				   "\"2023-05-18T17:59:00Z\",\"far\":1e-12,\"significant\":true,\"search\":\"MDC\",\"group\":\"CBC\",\"pipeline\":\"gstlal\",\"instruments\":[\"H1\"],"
				   "\"properties\":{},\"classification\":{\"BNS\":0.9},\"skymap\":null},\"external_coinc\":null}";
	(void)state;
	struct box b;
	struct err e = {0};
	tale_begin(&b, "{\"tests\":true}", 2, 1);
	config_with(&b, "json_set(body,'$.facilities[0].accepts_tests',json('true'))");
	assert_ok(query_run(b.db, &e, "UPDATE request SET purpose='spectrum' WHERE id=1", ""), &e);
	box_order(&b, "{\"verb\":\"approve\",\"event\":\"S230518h\"}"); /* of a real event */
	box_bytes(&b, "igwn.gwalert-playground", sign);
	assert_int_equal(box_int(&b, "SELECT count(*) FROM gate WHERE kind='test'"), 1);
	tale_offers(&b, 300);
	box_later(&b, 60);
	tale_offers(&b, 300);
	assert_string_equal(box_text(&b, tale_states), "offered,cancelled");
	assert_int_equal(box_int(&b, "SELECT count(*) FROM effect WHERE verb='submit' AND released_seq IS NOT NULL"), 0);
	box_order(&b, "{\"verb\":\"approve\",\"event\":\"S230518h\"}");
	assert_string_equal(box_text(&b, tale_states), "asked,cancelled");
	box_close(&b);
}

/* A restored copy took it over before its event was heard; while the plan that names its target is made, the target is vetoed. */
static void taken_home_into_a_veto(void **state)
{
	static const char *const vetoes[] = {"", ",\"what\":\"G0|0\"", ",\"what\":\"lco\""};
	(void)state;
	for (int i = 0; i < 3; i++) {
		struct box b;
		char token[64];
		tale_begin(&b, NULL, 1, 1);
		snprintf(token, sizeof token, "%s", box_text(&b, "SELECT token FROM request"));
		box_close(&b);
		box_open(&b);
		box_config(&b, NULL);
		box_restart(&b);
		config_with(&b, "json_set(body,'$.restored',json('true'))");
		for (int n = 0; n < 5 && box_waits(&b, "find") == 0; n++)
			box_later(&b, 61);
		box_reply(&b, box_waits(&b, "find"), 200,
			  "{\"count\":1,\"next\":null,\"previous\":null,\"results\":[{\"id\":77,\"name\":\"%s\",\"proposal\":\"TOO2023A\",\"observation_type\":\"NORMAL\","
			  "\"state\":\"PENDING\",\"requests\":[{\"id\":770,\"state\":\"PENDING\",\"duration\":300,\"windows\":[{\"start\":\"2023-05-18T12:00:00Z\",\"end\":"
			  "\"2023-05-20T00:00:00Z\"}],\"configurations\":[{\"target\":{\"name\":\"G0\",\"ra\":190,\"dec\":-23}}]}]}]}", token);
		box_reply(&b, box_waits(&b, "find"), 200, "{\"username\":\"slew\",\"proposals\":[{\"id\":\"TOO2023A\"}]}");
		assert_string_equal(box_text(&b, tale_states), "accepted");
		box_routine(&b);
		box_alert(&b, "S230518h", "PRELIMINARY", 0, 0.9, "SIMPLE  = map one");
		tale_map(&b, 30);
		tale_ranked(&b, 1);
		box_order(&b, "{\"verb\":\"veto\",\"event\":\"S230518h\"%s}", vetoes[i]);
		tale_planned(&b, 0, 1, 1); /* was under way */
		assert_string_equal(box_text(&b, "SELECT r.state||' '||r.unwanted||' '||e.name FROM request r JOIN event e ON e.id=r.event"), "cancelling 1 S230518h");
		box_close(&b);
	}
}

/* Only as many submissions are void as there were: a proof too many would hide a second one from the check. */
static void no_more_void_than_submitted(void **state)
{
	(void)state;
	struct box b;
	tale_begin(&b, NULL, 1, 1);
	tale_offers(&b, 300);
	box_reply(&b, box_waits(&b, "submit"), 429, "{\"detail\":\"Request was throttled.\"}");
	box_order(&b, "{\"verb\":\"accepted\",\"request\":1}"); /* a person believes it; the portal does not show it */
	for (int i = 0; i < 6 && box_waits(&b, "submit") == 0; i++) {
		if (box_waits(&b, "find"))
			box_reply(&b, box_waits(&b, "find"), 200, "{\"count\":0,\"next\":null,\"previous\":null,\"results\":[]}");
		if (box_waits(&b, "find"))
			box_reply(&b, box_waits(&b, "find"), 200, "{\"username\":\"slew\",\"proposals\":[{\"id\":\"TOO2023A\"}]}");
		box_later(&b, 100);
	}
	assert_int_not_equal(box_waits(&b, "submit"), 0);
	assert_string_equal(box_text(&b, "SELECT submits||' '||void_submits FROM request"), "2 1");
	box_close(&b);
}

/* A facility that brings back what it had given up spends hours that others have by now: its doing, not the engine's. */
static void hours_of_the_risen(void **state)
{
	static const char groups[] = "{\"count\":1,\"next\":null,\"previous\":null,\"results\":[{\"id\":%d,\"name\":\"%s\",\"state\":\"%s\","
				     "\"requests\":[{\"id\":1,\"state\":\"%s\",\"modified\":\"2023-05-18T18:%02d:00Z\"}]}]}";
	(void)state;
	struct box b;
	char token[64];
	tale_begin(&b, NULL, 2, 1);
	config_with(&b, "json_set(body,'$.config.programmes[0].hours.TIME_CRITICAL',0.1)"); /* one of them */
	box_routine(&b);
	tale_offers(&b, 300);
	int64_t first = box_waits(&b, "submit");
	tale_accept(&b, first);
	snprintf(token, sizeof token, "%s", box_text(&b, "SELECT token FROM request WHERE id=1"));
	assert_string_equal(box_text(&b, tale_states), "accepted,offered");
	static const char *const says[] = {"WINDOW_EXPIRED", "PENDING"};
	static const char *const then[] = {"expired,asked", "accepted,accepted"};
	for (int n = 0; n < 2; n++) {
		int64_t poll;
		for (box_later(&b, 61); (poll = box_waits(&b, "poll")) != 0;) {
			char step[80];
			snprintf(step, sizeof step, "SELECT step FROM effect WHERE id=%lld", (long long)poll);
			if (box_int(&b, step) == 1)
				box_reply(&b, poll, 200, groups, (int)first, token, says[n], says[n], 10 + n);
			else
				box_reply(&b, poll, 200, "{\"count\":0,\"next\":null,\"previous\":null,\"results\":[]}");
		}
		assert_string_equal(box_text(&b, tale_states), then[n]);
		if (n == 0)
			tale_accept(&b, box_waits(&b, "submit"));
	}
	assert_int_equal(box_int(&b, SPENT), 600);
	box_close(&b);
}

/* Another catalogue: what was ranked by the old one is ranked anew by the new one; the same catalogue again changes nothing. */
static void another_catalogue(void **state)
{
	static const char wanted[] = "SELECT count(*) FROM effect WHERE kind='compute' AND compute='rank' AND body LIKE '%00000000deadbeef%'";
	struct box b;
	(void)state;
	tale_begin(&b, NULL, 6, 1);
	int64_t generation = box_int(&b, "SELECT generation_rank FROM event");
	assert_true(generation > 0);
	config_with(&b, "body");
	assert_int_equal(box_int(&b, "SELECT generation_rank FROM event"), generation);
	config_with(&b, "json_set(body,'$.catalog.sha256','00000000deadbeef00000000deadbeef00000000deadbeef00000000deadbeef')");
	assert_int_equal(box_int(&b, "SELECT count(*) FROM reject"), 0);
	assert_int_equal(box_int(&b, "SELECT generation_rank FROM event"), generation + 1);
	assert_int_equal(box_int(&b, wanted), 1);
	box_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fewer_hours), cmocka_unit_test(a_rejected_result_is_wanted_again), cmocka_unit_test(refused_credentials_hold),
		cmocka_unit_test(refused_credentials_of_an_offer), cmocka_unit_test(a_hold_withdraws_nothing),
		cmocka_unit_test(no_more_void_than_submitted), cmocka_unit_test(hours_of_the_risen),
		cmocka_unit_test(spectra_of_a_late_test), cmocka_unit_test(taken_home_into_a_veto),
		cmocka_unit_test(another_proposal_has_its_own_hours), cmocka_unit_test(another_catalogue),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

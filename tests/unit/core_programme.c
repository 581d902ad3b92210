/* Rules of programmes: triggers of a semester, blocked nights, notice, longest visit, who may trigger; each seen at the gate, and in a view
 * where a breach would show. */
#include "test.h"
#include "box.h"
#include "tale.h"
#include "engine/base/json.h"
#include "engine/base/query.h"
#include "engine/base/utc.h"
#include "engine/request/programme.h"

/* The configuration in force again, with this merged into its first programme. */
static void programme_with(struct box *b, const char *rules)
{
	struct err e = {0};
	sqlite3_stmt *q = query_prepare(b->db, "SELECT json_set(body,'$.config.programmes[0]',json_patch(json_extract(body,'$.config.programmes[0]'),?)) "
					"FROM config ORDER BY seq DESC LIMIT 1", &e);
	assert_non_null(q);
	assert_int_equal(sqlite3_bind_text(q, 1, rules, -1, SQLITE_STATIC), SQLITE_OK);
	assert_int_equal(sqlite3_step(q), SQLITE_ROW);
	char *text = strdup((const char *)sqlite3_column_text(q, 0));
	sqlite3_finalize(q);
	struct input in = {.kind = INPUT_config, .utc_us = b->utc_us, .tick_us = b->tick_us, .body = text, .len = strlen(text), .timestamp_us = UTC_NONE};
	box_feed(b, &in);
	free(text);
}

#define REJECTS "SELECT count(*) FROM reject"

/* Configured with these rules, one target planned (at coj, for the six hours from 18:00 UTC), its offer answered where it was asked for. */
static void begin(struct box *b, const char *rules)
{
	box_open(b);
	box_config(b, NULL);
	programme_with(b, rules);
	assert_int_equal(box_int(b, REJECTS), 0);
	box_later(b, 1);
	box_routine(b);
	box_alert(b, "S230518h", "PRELIMINARY", 0, 0.9, "SIMPLE  = map one");
	tale_map(b, 30);
	tale_ranked(b, 1);
	tale_planned(b, 0, 1, 1);
	tale_offers(b, 300);
}

/* Another event, over the same map. */
static void event_more(struct box *b, const char *name)
{
	box_alert(b, name, "PRELIMINARY", (int)((b->utc_us - BOX_START_US) / UTC_SECOND), 0.9, "SIMPLE  = map one");
	tale_ranked(b, 1);
	tale_planned(b, 0, 1, 1);
	tale_offers(b, 300);
}

static void refused(const char *rules, const char *words)
{
	struct box b;
	begin(&b, rules);
	assert_string_equal(box_text(&b, tale_states), "planned");
	assert_string_equal(box_text(&b, "SELECT DISTINCT code FROM verdict WHERE target IS NOT NULL"), "programme");
	const char *why = box_text(&b, "SELECT detail FROM verdict WHERE target IS NOT NULL");
	if (strstr(why, words) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", why, words);
	assert_int_equal(box_waits(&b, "offer"), 0);
	assert_int_equal(box_waits(&b, "submit"), 0);
	programme_with(&b, "{\"semester\":null,\"blocked_nights\":null,\"notice_h\":null,\"max_visit_h\":null,\"may_trigger\":null}");
	tale_offers(&b, 300);
	assert_string_equal(box_text(&b, tale_states), "asked"); /* the rule was all that stood against it */
	box_close(&b);
}

static void what_a_rule_forbids_is_not_asked(void **state)
{
	(void)state;
	refused("{\"blocked_nights\":[\"2023-01-01\",\"2023-05-18\"]}", "programme: too: the night of 2023-05-18 is blocked");
	refused("{\"blocked_nights\":[\"2023-05-10/2023-05-20\"]}", "the night of 2023-05-18 is blocked");
	refused("{\"notice_h\":24}", "it wants notice 24 h before the night, which begins at 2023-05-18T08:03:43Z"); /* 18 h less 9 h 56 min 17 s */
	refused("{\"max_visit_h\":0.05}", "a visit may take 0.05 h at most, this one takes 0.08 h");
	refused("{\"semester\":{\"start\":\"2023-06-01\"}}", "its semester begins only at 2023-06-01T00:00:00Z");
	refused("{\"semester\":{\"end\":\"2023-05-18T20:00:00Z\"}}", "its semester ends at 2023-05-18T20:00:00Z");
	refused("{\"may_trigger\":{\"policies\":[\"other\"]}}", "policy bns may not trigger it");
}

static void what_no_rule_forbids_is_asked(void **state)
{
	static const char *const rules[] = {"{\"blocked_nights\":[\"2023-05-17\",\"2023-05-19/2023-05-30\"]}", "{\"max_visit_h\":0.1,\"may_trigger\":{\"policies\":[\"bns\"]}}",
		"{\"semester\":{\"start\":\"2023-02-01\",\"end\":\"2023-08-01\"},\"triggers\":1}"};
	(void)state;
	for (int i = 0; i < 3; i++) {
		struct box b;
		begin(&b, rules[i]);
		assert_string_equal(box_text(&b, tale_states), "asked");
		box_close(&b);
	}
}

/* One trigger pays for an event; the second event has none; in the next semester it is there again. */
static void triggers_of_a_semester(void **state)
{
	static const char used[] = "SELECT count(DISTINCT event) FROM ledger_counted WHERE triggers";
	(void)state;
	struct box b;
	struct err e = {0};
	begin(&b, "{\"triggers\":1}");
	assert_string_equal(box_text(&b, tale_states), "asked");
	assert_int_equal(box_int(&b, used), 1);
	box_later(&b, 3600);
	box_routine(&b);
	event_more(&b, "S230518x");
	assert_string_equal(box_text(&b, tale_states), "asked,offered");
	assert_string_equal(box_text(&b, "SELECT detail FROM verdict WHERE code='budget'"), "budget: programme too has no triggers left");
	assert_int_equal(box_int(&b, "SELECT count(*) FROM check_programme_triggers"), 0);
	assert_ok(query_run(b.db, &e, "SAVEPOINT breach", ""), &e);
	assert_ok(query_run(b.db, &e, "INSERT INTO request_change(request,seq,utc_us,signal,from_state,to_state) SELECT 2,(SELECT max(seq) FROM input),0,'chosen','offered','asked'", ""), &e);
	assert_ok(query_run(b.db, &e, "INSERT INTO ledger(request,programme,event,mode,seconds,state,seq) SELECT 2,'too',event,mode,300,'held',1 FROM request WHERE id=2", ""), &e);
	assert_int_equal(box_int(&b, "SELECT count(*) FROM check_programme_triggers"), 1); /* had it been asked, it would be seen */
	assert_ok(query_run(b.db, &e, "ROLLBACK TO breach", ""), &e);
	assert_ok(query_run(b.db, &e, "RELEASE breach", ""), &e);
	programme_with(&b, "{\"semester\":{\"start\":\"2023-05-18T18:30:00Z\"}}");
	assert_string_equal(box_text(&b, tale_states), "asked,asked"); /* at once */
	assert_int_equal(box_int(&b, used), 1);
	assert_int_equal(box_int(&b, "SELECT count(DISTINCT event) FROM ledger"), 2);
	box_close(&b);
}

/* A mode that interrupts nobody there needs no trigger. */
static void modes_that_use_a_trigger(void **state)
{
	(void)state;
	struct box b;
	begin(&b, "{\"triggers\":0,\"trigger_modes\":[\"RAPID_RESPONSE\"]}");
	assert_string_equal(box_text(&b, tale_states), "asked"); /* TIME_CRITICAL */
	programme_with(&b, "{\"trigger_modes\":null}"); /* spent since: no breach */
	assert_int_equal(box_int(&b, "SELECT count(*) FROM check_programme_triggers"), 0);
	event_more(&b, "S230518x");
	assert_string_equal(box_text(&b, tale_states), "asked,offered");
	box_close(&b);
}

/* Whom the observatory has named approves, whatever the policy may do by itself; another's word is not enough. */
static void persons_who_trigger(void **state)
{
	(void)state;
	struct box b;
	begin(&b, "{\"may_trigger\":{\"uids\":[1001]}}"); /* orders of the box come from 1000 */
	assert_string_equal(box_text(&b, tale_states), "planned");
	assert_int_equal(box_int(&b, "SELECT count(*) FROM gate WHERE kind='approval' AND lifted_seq IS NULL"), 1);
	assert_int_equal(box_int(&b, "SELECT count(*) FROM message_out WHERE kind='approval'"), 1);
	box_order(&b, "{\"verb\":\"approve\",\"event\":\"S230518h\",\"policy\":\"bns\"}");
	assert_string_equal(box_text(&b, tale_states), "planned");
	assert_int_equal(box_int(&b, "SELECT count(*) FROM gate WHERE kind='approval' AND lifted_seq IS NULL"), 1);
	programme_with(&b, "{\"may_trigger\":{\"uids\":[1001,1000]}}");
	box_order(&b, "{\"verb\":\"approve\",\"event\":\"S230518h\",\"policy\":\"bns\"}");
	tale_offers(&b, 300);
	assert_string_equal(box_text(&b, tale_states), "asked");
	box_close(&b);
}

/* What was asked before a night was blocked was no breach; what is asked for it now would be. */
static void a_night_blocked_later(void **state)
{
	static const char breach[] = "SELECT count(*) FROM check_asked_for_blocked_night";
	(void)state;
	struct box b;
	struct err e = {0};
	begin(&b, "{\"triggers\":5}");
	assert_string_equal(box_text(&b, tale_states), "asked");
	programme_with(&b, "{\"blocked_nights\":[\"2023-05-17/2023-05-19\"]}");
	assert_int_equal(box_int(&b, breach), 0);
	assert_ok(query_run(b.db, &e, "SAVEPOINT breach", ""), &e);
	assert_ok(query_run(b.db, &e, "INSERT INTO request_change(request,seq,utc_us,signal,from_state,to_state) SELECT 1,(SELECT max(seq) FROM input),0,'chosen','offered','asked'", ""), &e);
	assert_int_equal(box_int(&b, breach), 1);
	assert_ok(query_run(b.db, &e, "ROLLBACK TO breach", ""), &e);
	assert_ok(query_run(b.db, &e, "RELEASE breach", ""), &e);
	box_close(&b);
}

/* Half of the triggers and hours is kept for near events: one of 40 Mpc may have all of it. */
static void kept_for_better_events(void **state)
{
	static const struct {
		const char *rules, *states, *detail;
	} cases[] = {
		{"{\"triggers\":1,\"reserve\":{\"for\":\"dist_mean_mpc < 100\",\"fraction\":0.5}}", "asked", NULL},
		{"{\"triggers\":1,\"reserve\":{\"for\":\"dist_mean_mpc < 30\",\"fraction\":0.5}}", "offered", "budget: programme too keeps its triggers for better events"},
		{"{\"triggers\":2,\"reserve\":{\"for\":\"dist_mean_mpc < 30\",\"fraction\":0.5}}", "asked", NULL},
		{"{\"hours\":{\"TIME_CRITICAL\":0.1},\"reserve\":{\"for\":\"dist_mean_mpc < 30\",\"fraction\":0.5}}", "offered",
		 "budget: programme too keeps its TIME_CRITICAL time for better events"},
		{"{\"hours\":{\"TIME_CRITICAL\":0.1},\"reserve\":{\"for\":\"dist_mean_mpc < 30\",\"fraction\":0.1}}", "asked", NULL},
		{"{\"hours\":{\"TIME_CRITICAL\":0.1},\"semester\":{\"end\":\"2024-05-18\"},\"reserve\":{\"for\":\"dist_mean_mpc < 30\",\"better_per_year\":1}}", "offered",
		 "budget: programme too keeps its TIME_CRITICAL time for better events"},
		{"{\"hours\":{\"TIME_CRITICAL\":0.1},\"semester\":{\"end\":\"2023-05-20\"},\"reserve\":{\"for\":\"dist_mean_mpc < 30\",\"better_per_year\":1}}", "asked", NULL},
		{"{\"triggers\":1,\"reserve\":{\"for\":\"gps_time > 5\",\"fraction\":0.5}}", NULL, NULL},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct box b;
		if (cases[i].states == NULL) { /* no such fact */
			box_open(&b);
			box_config(&b, NULL);
			programme_with(&b, cases[i].rules);
			assert_int_equal(box_int(&b, REJECTS), 1);
		} else {
			begin(&b, cases[i].rules);
			assert_string_equal(box_text(&b, tale_states), cases[i].states);
			if (cases[i].detail != NULL)
				assert_string_equal(box_text(&b, "SELECT detail FROM verdict WHERE code='budget'"), cases[i].detail);
		}
		box_close(&b);
	}
}

/* A policy's hours of a semester: over all its events, and anew with the next one. */
static void budget_of_a_semester(void **state)
{
	(void)state;
	struct box b;
	tale_begin(&b, "{\"budget_h\":{\"semester\":0.1}}", 1, 1); /* 360 s */
	tale_offers(&b, 300);
	assert_string_equal(box_text(&b, tale_states), "asked");
	box_later(&b, 3600);
	box_routine(&b);
	event_more(&b, "S230518x");
	assert_string_equal(box_text(&b, tale_states), "asked,offered");
	assert_string_equal(box_text(&b, "SELECT detail FROM verdict WHERE code='budget'"), "budget: policy bns has spent what it may in a semester");
	programme_with(&b, "{\"semester\":{\"start\":\"2023-05-18T18:30:00Z\"}}");
	assert_string_equal(box_text(&b, tale_states), "asked,asked");
	box_close(&b);
}

/* What the ledger holds for the visit of 300 s, of which 120 s are the exposure. */
static void charged_by_the_observatory(void **state)
{
	static const struct {
		const char *rules;
		int seconds;
	} cases[] = {
		{"{\"charge\":{\"overheads\":true}}", 300}, {"{\"charge\":{\"overheads\":false}}", 120}, {"{\"charge\":{\"minimum_h\":0.5}}", 1800},
		{"{\"charge\":{\"overheads\":false,\"minimum_h\":0.05}}", 180}, {"{\"charge\":{\"of\":\"observed\"}}", 300},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct box b;
		begin(&b, cases[i].rules);
		assert_int_equal(box_int(&b, "SELECT seconds FROM ledger"), cases[i].seconds);
		box_close(&b);
	}
	struct box b;
	begin(&b, "{\"hours\":{\"TIME_CRITICAL\":0.4},\"charge\":{\"minimum_h\":0.5}}"); /* 300 s would fit */
	assert_string_equal(box_text(&b, tale_states), "offered");
	box_close(&b);
}

/* The next reading of its feed: nothing runs, the group of that submit, and its observation, if one is given. */
static void the_portal_says(struct box *b, int64_t submit, const char *state, const char *observation)
{
	char token[64];
	snprintf(token, sizeof token, "%s", box_text(b, "SELECT token FROM request WHERE id=1"));
	for (int i = 0; i < 20 && !box_waits(b, "poll"); i++)
		box_later(b, 60);
	box_reply(b, box_waits(b, "poll"), 200, "{\"count\":0,\"next\":null,\"previous\":null,\"results\":[]}");
	box_reply(b, box_waits(b, "poll"), 200, "{\"count\":1,\"next\":null,\"previous\":null,\"results\":[{\"id\":%d,\"name\":\"%s\",\"state\":\"%s\",\"requests\":[{\"id\":%d,"
		  "\"state\":\"%s\"}]}]}", (int)submit, token, state, (int)submit + 1000, state);
	for (int i = 0; observation[0] && i < 20 && !box_waits(b, "poll"); i++)
		box_later(b, 60);
	if (observation[0])
		box_reply(b, box_waits(b, "poll"), 200, "{\"count\":1,\"next\":null,\"previous\":null,\"results\":[%s]}", observation);
}

/* Of 300 s the telescope took 240. */
static void charged_as_observed(void **state)
{
	static const char *const rules[] = {"{\"charge\":{\"of\":\"asked\"}}", "{\"charge\":{\"of\":\"observed\"}}"};
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct box b;
		char observation[512];
		begin(&b, rules[i]);
		int64_t submit = box_waits(&b, "submit");
		tale_accept(&b, submit);
		int asked = (int)box_int(&b, "SELECT seconds FROM ledger");
		snprintf(observation, sizeof observation, "{\"id\":77,\"name\":\"%s\",\"request_group_id\":%d,\"request\":{\"id\":%d,\"state\":\"COMPLETED\"},\"state\":\"COMPLETED\",\"site\":\"coj\",\"enclosure\":\"doma\",\"telescope\":"
			 "\"1m0a\",\"start\":\"2023-05-18T18:10:00Z\",\"end\":\"2023-05-18T18:14:00Z\"}", box_text(&b, "SELECT token FROM request WHERE id=1"), (int)submit, (int)submit + 1000);
		the_portal_says(&b, submit, "COMPLETED", observation);
		assert_string_equal(box_text(&b, tale_states), "done");
		assert_int_equal(box_int(&b, "SELECT seconds FROM ledger"), i ? 240 : asked);
		box_close(&b);
	}
}

/* A visit that was accepted and never began: given back, or charged. One that was not even accepted costs nothing. */
static void lost_to_clouds(void **state)
{
	static const char *const rules[] = {"{\"charge\":{\"lost\":\"returned\"}}", "{\"charge\":{\"lost\":\"charged\"}}"};
	(void)state;
	for (int i = 0; i < 2; i++)
		for (int accepted = 0; accepted < 2; accepted++) {
			struct box b;
			begin(&b, rules[i]);
			int64_t submit = box_waits(&b, "submit");
			if (accepted)
				tale_accept(&b, submit);
			else
				box_reply(&b, submit, 400, "{\"requests\":[{\"non_field_errors\":[\"no\"]}]}");
			if (accepted)
				the_portal_says(&b, submit, "WINDOW_EXPIRED", "");
			assert_string_equal(box_text(&b, "SELECT state FROM request WHERE id=1"), accepted ? "expired" : "declined");
			assert_string_equal(box_text(&b, "SELECT state FROM ledger WHERE request=1"), accepted && i ? "spent" : "returned");
			box_close(&b);
		}
}

/* A policy that wants its data public asks no programme that keeps them. */
static void data_rights(void **state)
{
	static const struct {
		const char *access, *rules, *words;
	} cases[] = {
		{"{\"data_access\":\"public\"}", "{\"data\":{\"proprietary_days\":365}}", "its data are the proposal's for 365 d, and the policy wants them public"},
		{"{\"data_access\":\"collaboration\"}", "{\"data\":{\"proprietary_days\":1.5,\"seen_by\":\"proposal\"}}",
		 "its data are the proposal's for 1.5 d, and the policy wants them seen by the collaboration"},
		{"{\"data_access\":\"collaboration\"}", "{\"data\":{\"proprietary_days\":365,\"seen_by\":\"collaboration\"}}", NULL},
		{"{\"data_access\":\"proprietary\"}", "{\"data\":{\"proprietary_days\":365}}", NULL},
		{"{\"data_access\":\"public\"}", "{\"data\":{\"proprietary_days\":0}}", NULL},
		{"{\"data_access\":\"public\"}", "{}", NULL},
		{"{}", "{\"data\":{\"proprietary_days\":365}}", NULL},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		json_t *access = json_loads(cases[i].access, 0, NULL), *rules = json_loads(cases[i].rules, 0, NULL);
		json_t *descriptor = json_pack("{s:O}", "data", json_object_get(rules, "data") ? json_object_get(rules, "data") : json_null());
		char why[128] = "";
		bool closed = programme_data_too_closed(rules, NULL, json_string_value(json_object_get(access, "data_access")), why, sizeof why);
		assert_int_equal(closed, cases[i].words != NULL);
		assert_string_equal(why, cases[i].words ? cases[i].words : "");
		assert_int_equal(programme_data_too_closed(NULL, descriptor, json_string_value(json_object_get(access, "data_access")), why, sizeof why), closed);
		json_decref(descriptor);
		json_decref(access);
		json_decref(rules);
	}
	struct box b;
	box_open(&b);
	box_config(&b, "{\"data_access\":\"public\"}");
	programme_with(&b, "{\"data\":{\"proprietary_days\":365}}");
	box_later(&b, 1);
	box_routine(&b);
	box_alert(&b, "S230518h", "PRELIMINARY", 0, 0.9, "SIMPLE  = map one");
	tale_map(&b, 30);
	tale_ranked(&b, 1);
	tale_planned(&b, 0, 1, 1);
	assert_string_equal(box_text(&b, "SELECT detail FROM verdict WHERE code='programme'"),
			    "programme: too: its data are the proposal's for 365 d, and the policy wants them public");
	assert_int_equal(box_waits(&b, "offer"), 0);
	box_close(&b);
}

static void rules_that_are_none(void **state)
{
	static const struct {
		const char *rules, *words;
	} bad[] = {
		{"{\"blocked_nights\":[\"2027-02-01\",\"2027-02-30\"]}", "blocked_nights/1"},
		{"{\"blocked_nights\":[\"2027-02-01/2027-01-30\"]}", "its last night is before its first"},
		{"{\"blocked_nights\":[\"tomorrow\"]}", "write 2027-01-05"},
		{"{\"blocked_nights\":[7]}", "write 2027-01-05"},
		{"{\"semester\":{\"start\":\"2027-02-01\",\"end\":\"2027-02-01\"}}", "semester/end: it is not after the start"},
		{"{\"semester\":{\"start\":\"spring\"}}", "semester/start"},
		{"{\"reserve\":{\"for\":\"p_bns > 0\"}}", "give one of fraction and better_per_year"},
		{"{\"reserve\":{\"for\":\"p_bns > 0\",\"better_per_year\":3}}", "give semester.end"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct err e = {0};
		struct programme_rules r;
		json_t *entry = json_loads(bad[i].rules, 0, NULL);
		assert_non_null(entry);
		assert_int_equal(programme_rules_read(entry, &r, &e), -1);
		if (strstr(e.text, bad[i].words) == NULL)
			fail_msg("%s: \"%s\" does not say \"%s\"", bad[i].rules, e.text, bad[i].words);
		json_decref(entry);
	}
}

/* By the evening's date at the site, in the east and in the west, before 1970 as well. */
static void nights_have_the_date_of_their_evening(void **state)
{
	static const struct {
		const char *utc;
		double longitude_deg;
		int64_t night;
	} is[] = {
		{"1970-01-01T23:00:00Z", 0, 0}, {"1970-01-02T11:59:59Z", 0, 0}, {"1970-01-02T12:00:00Z", 0, 1}, {"1970-01-02T03:00:00Z", -70.8, 0},
		{"1970-01-02T16:00:00Z", -70.8, 0}, {"1970-01-02T17:00:00Z", -70.8, 1}, {"1970-01-01T10:00:00Z", 149.07, 0}, {"1970-01-01T01:00:00Z", 149.07, -1},
		{"1969-12-31T11:00:00Z", 0, -2}, {"1970-01-01T13:00:00Z", 0.0 / 0.0, 0},
	};
	(void)state;
	for (size_t i = 0; i < sizeof is / sizeof *is; i++) {
		struct err e = {0};
		int64_t at;
		assert_ok(utc_parse(is[i].utc, &at, &e), &e);
		assert_int_equal(programme_night(at, is[i].longitude_deg), is[i].night);
	}
	assert_int_equal(programme_night_begins(0, 0), 18 * UTC_HOUR);
	assert_int_equal(programme_night_begins(0, -75), 23 * UTC_HOUR);
	for (double east = -180; east <= 180; east += 7.3)
		for (int64_t n = -3; n < 4; n++)
			assert_int_equal(programme_night(programme_night_begins(n, east), east), n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_rule_forbids_is_not_asked), cmocka_unit_test(what_no_rule_forbids_is_asked), cmocka_unit_test(triggers_of_a_semester),
		cmocka_unit_test(modes_that_use_a_trigger), cmocka_unit_test(persons_who_trigger), cmocka_unit_test(a_night_blocked_later),
		cmocka_unit_test(kept_for_better_events), cmocka_unit_test(budget_of_a_semester), cmocka_unit_test(charged_by_the_observatory), cmocka_unit_test(charged_as_observed), cmocka_unit_test(lost_to_clouds), cmocka_unit_test(data_rights),
		cmocka_unit_test(rules_that_are_none), cmocka_unit_test(nights_have_the_date_of_their_evening),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

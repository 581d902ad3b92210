/* One night, row by row, with replies shaped like the portal's; and the same night with the core reopened after every turn. */
#include "test.h"
#include "box.h"
#include "engine/base/json.h"
#include "engine/base/query.h"
#include "engine/base/utc.h"
#include "facilities/facility.h"

#define MAP_FACTS "\"area50_deg2\":8.0,\"area90_deg2\":30.5,\"ra_deg\":197.4,\"dec_deg\":-23.4,\"gal_b_deg\":39.3,\"distmean_mpc\":40.0,\"diststd_mpc\":8.0," \
		  "\"distmod_mag\":33.0,\"ordering\":\"NUNIQ\",\"max_order\":9,\"pixels\":1000,\"is_3d\":true,\"volume90_mpc3\":227.3,\"unrelated_supernovae\":0.00201"

static void rank(struct box *b, int64_t effect)
{
	box_result(b, effect,
		   "{\"kind\":\"rank\",\"considered\":3,\"targets\":["
		   "{\"key\":\"NGC4993|45657\",\"rank\":1,\"id\":45657,\"name\":\"NGC 4993\",\"ra_deg\":197.45,\"dec_deg\":-23.38,\"distance_mpc\":40,"
		   "\"distance_err_mpc\":3,\"dpdv_per_mpc3\":1e-3,\"share\":0.5,\"cumulative_share\":0.5},"
		   "{\"key\":\"NGC4970|45466\",\"rank\":2,\"id\":45466,\"name\":\"NGC 4970\",\"ra_deg\":196.9,\"dec_deg\":-24.0,\"distance_mpc\":44,"
		   "\"distance_err_mpc\":3,\"dpdv_per_mpc3\":5e-4,\"share\":0.3,\"cumulative_share\":0.8},"
		   "{\"key\":\"IC4197|45642\",\"rank\":3,\"id\":45642,\"name\":\"IC 4197\",\"ra_deg\":197.0,\"dec_deg\":-23.8,\"distance_mpc\":42,"
		   "\"distance_err_mpc\":3,\"dpdv_per_mpc3\":1e-4,\"share\":0.1,\"cumulative_share\":0.9}]}");
}

static void plan(struct box *b, int64_t effect, const char *targets[2])
{
	char text[4096] = "{\"kind\":\"plan\",\"requests\":[";
	for (int i = 0; i < 2 && targets[i]; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text),
			 "%s{\"target\":\"%s\",\"epoch\":1,\"facility\":\"lco\",\"programme\":\"too\",\"mode\":\"TIME_CRITICAL\",\"instrument\":\"1M0-SCICAM-SINISTRO\","
			 "\"filters\":[\"gp\"],\"exposure_s\":120,\"count\":1,\"ipp\":1.0,\"max_airmass\":1.7,\"min_moon_deg\":20,\"site\":\"coj\","
			 "\"start_us\":%lld,\"end_us\":%lld,\"slot_us\":%lld,\"best_us\":%lld,\"duration_s\":300,\"value\":%g,\"reserve\":false,\"rung\":0,"
			 "\"earliest_us\":%lld,\"latest_us\":%lld,\"max_window_h\":24,\"per_exposure_s\":28}",
			 i ? "," : "", targets[i], (long long)b->utc_us, (long long)(b->utc_us + 6 * UTC_HOUR), (long long)(b->utc_us + UTC_HOUR),
			 (long long)(b->utc_us + UTC_HOUR), 1.0 - 0.1 * i, (long long)b->utc_us, (long long)(b->utc_us + 6 * UTC_HOUR));
	snprintf(text + strlen(text), sizeof text - strlen(text),
		 "],\"verdicts\":[{\"target\":\"IC4197|45642\",\"code\":\"below_cut\",\"facility\":null,\"detail\":\"third of two\"}]}");
	box_result(b, effect, "%s", text);
}

static const char validate_ok[] = "{\"request_durations\":{\"requests\":[{\"duration\":356}],\"duration\":356},\"errors\":{}}";

static void accept(struct box *b, int64_t effect, int id)
{
	char sql[160];
	snprintf(sql, sizeof sql, "SELECT r.token FROM effect f JOIN request r ON r.id=f.request WHERE f.id=%lld", (long long)effect);
	box_reply(b, effect, 201, "{\"id\":%d,\"name\":\"%s\",\"state\":\"PENDING\",\"requests\":[{\"id\":%d,\"state\":\"PENDING\",\"duration\":356}]}", id,
		  box_text(b, sql), id + 1000);
}

static void group(struct box *b, int64_t effect, int id, const char *state)
{
	box_reply(b, effect, 200, "{\"id\":%d,\"state\":\"%s\",\"requests\":[{\"id\":%d,\"state\":\"%s\",\"duration\":356}]}", id, state, id + 1000, state);
}

/* Rows 1–7: heard as an early warning, warmed, believed, ranked, planned. */
static void until_planned(struct box *b)
{
	static const char *both[] = {"NGC4993|45657", "NGC4970|45466"};
	box_config(b, NULL);
	assert_true(box_int(b, "SELECT count(*) FROM timer WHERE what='status'") == 1);
	box_later(b, 1);
	box_routine(b);
	assert_string_equal(box_text(b, "SELECT state FROM facility"), "open");
	box_alert(b, "S230518h", "EARLYWARNING", 0, 0.9, "SIMPLE  = map one");
	assert_string_equal(box_text(b, "SELECT outcome||' '||state FROM decision"), "waiting idle");
	assert_int_equal(box_int(b, "SELECT next_offset FROM source_position"), 4712);
	box_result(b, box_waits(b, "map"), "{\"kind\":\"map\",\"sha256\":\"x\"," MAP_FACTS "}");
	assert_string_equal(box_text(b, "SELECT outcome||' '||state FROM decision"), "true warm");
	assert_string_equal(box_text(b, "SELECT map_state||' '||area90_deg2 FROM fact"), "ready 30.5");
	int64_t ranks = box_waits(b, "rank");
	assert_true(ranks > 0);
	assert_int_equal(box_int(b, "SELECT count(*) FROM request"), 0);
	box_alert(b, "S230518h", "PRELIMINARY", 20, 0.9, "SIMPLE  = map one");
	assert_int_equal(box_int(b, "SELECT count(*) FROM effect WHERE compute='map'"), 1);
	assert_string_equal(box_text(b, "SELECT state FROM event"), "triggered");
	assert_string_equal(box_text(b, "SELECT body FROM message_out WHERE kind='triggered'"),
		"policy bns was triggered by S230518h (PRELIMINARY); 0.002 unrelated supernovae younger than 30 d are expected in its 90 % volume");
	rank(b, ranks);
	assert_int_equal(box_int(b, "SELECT count(*) FROM verdict WHERE target IS NOT NULL AND code='candidate'"), 3);
	plan(b, box_waits(b, "plan"), both);
	assert_int_equal(box_int(b, "SELECT count(*) FROM request WHERE state='planned'"), 2);
	assert_string_equal(box_text(b, "SELECT code FROM verdict v JOIN target t ON t.id=v.target WHERE t.name='IC 4197'"), "below_cut");
	assert_int_equal(box_int(b, "SELECT count(*) FROM effect WHERE verb='offer' AND state='released'"), 2);
	assert_int_equal(box_int(b, "SELECT length(token) FROM request LIMIT 1"), 34);
}

/* Rows 8–12: refused, asked anew a step lower, taken, submitted, lost, looked for, found. */
static void until_found(struct box *b)
{
	until_planned(b);
	box_reply(b, box_waits(b, "offer"), 200,
		  "{\"request_durations\":{},\"errors\":{\"requests\":[{\"non_field_errors\":[\"According to the constraints of the request, the target "
		  "will not be visible within the time window. Check that the target is in the nighttime sky. Consider modifying the time window or loosening the "
		  "airmass or lunar separation constraints.\"]}]}}");
assert_string_equal(box_text(b, "SELECT group_concat(variant||state) FROM (SELECT variant,state FROM request WHERE id IN (1,3) ORDER BY id)"),
			    "0declined,1planned");
	assert_true(strstr(box_text(b, "SELECT refused_words FROM request WHERE id=1"), "not be visible") != NULL);
	int64_t second = box_waits(b, "offer");
	box_reply(b, second, 200, "%s", validate_ok);
	assert_string_equal(box_text(b, "SELECT state FROM request WHERE id=2"), "asked");
	box_reply(b, box_waits(b, "offer"), 200, "%s", validate_ok);
	assert_string_equal(box_text(b, "SELECT state||' '||seconds||' '||submits FROM request WHERE id=3"), "asked 356.0 1");
	assert_string_equal(box_text(b, "SELECT group_concat(state) FROM ledger"), "held,held");
	int64_t first = box_int(b, "SELECT id FROM effect WHERE verb='submit' AND request=3");
	accept(b, box_int(b, "SELECT id FROM effect WHERE verb='submit' AND request=2"), 8811);
	assert_string_equal(box_text(b, "SELECT state||' '||remote_id FROM request WHERE id=2"), "accepted 8811");
	box_lost(b, first, SENT_MAYBE);
	assert_string_equal(box_text(b, "SELECT state FROM request WHERE id=3"), "unsure");
	assert_string_equal(box_text(b, "SELECT state FROM ledger WHERE request=3"), "spent");
	box_later(b, 5);
	int64_t find = box_waits(b, "find");
	box_reply(b, find, 200, "{\"count\":0,\"next\":null,\"previous\":null,\"results\":[]}");
	box_reply(b, box_waits(b, "find"), 200, "{\"username\":\"slew\",\"proposals\":[{\"id\":\"TOO2023A\"}]}");
	assert_int_equal(box_int(b, "SELECT absences FROM request WHERE id=3"), 1);
	box_routine(b);
	box_later(b, 60);
	box_routine(b);
	find = box_waits(b, "find");
	char token[64];
	snprintf(token, sizeof token, "%s", box_text(b, "SELECT token FROM request WHERE id=3"));
	box_reply(b, find, 200, "{\"count\":1,\"next\":null,\"previous\":null,\"results\":[{\"id\":8812,\"name\":\"%s\",\"state\":\"PENDING\",\"requests\":[{\"id\":9812,\"state\":\"PENDING\"}]}]}",
		  token);
	assert_string_equal(box_text(b, "SELECT state||' '||remote_id||' '||submits FROM request WHERE id=3"), "accepted 8812 1");
}

/* Rows 13–19. */
static void night(struct box *b)
{
	until_found(b);
	box_order(b, "{\"verb\":\"veto\",\"event\":\"S230518h\",\"what\":\"NGC 4970\",\"why\":\"clouds\"}");
	assert_true(json_is_true(json_object_get(b->answer, "ok")));
	assert_string_equal(box_text(b, "SELECT state||' '||unwanted_why FROM request WHERE id=2"), "cancelling vetoed");
	assert_int_equal(box_int(b, "SELECT uid FROM operator_order"), 1000);
	int64_t cancel = box_waits(b, "cancel");
	box_reply(b, cancel, 200, "{\"id\":8811,\"state\":\"CANCELED\",\"requests\":[{\"id\":9811,\"state\":\"PENDING\"}]}");
	assert_string_equal(box_text(b, "SELECT state FROM request WHERE id=2"), "cancelling"); /* children stale: polled again */
	group(b, box_waits(b, "cancel"), 8811, "CANCELED");
	int64_t more = box_waits(b, "cancel");
	if (more)
		box_reply(b, more, 200, "[]");
	assert_string_equal(box_text(b, "SELECT state FROM request WHERE id=2"), "cancelled");
	assert_string_equal(box_text(b, "SELECT state FROM ledger WHERE request=2"), "returned");
	box_later(b, 45);
	int64_t feed = box_waits(b, "poll");
	assert_true(feed > 0);
	char token[64];
	snprintf(token, sizeof token, "%s", box_text(b, "SELECT token FROM request WHERE id=3"));
	box_reply(b, feed, 200, "{\"count\":0,\"next\":null,\"previous\":null,\"results\":[]}");
	box_reply(b, box_waits(b, "poll"), 200,
		  "{\"count\":1,\"next\":null,\"previous\":null,\"results\":[{\"id\":9001,\"name\":\"slew-0badcafe-00000000000000000000\",\"state\":\"PENDING\","
		  "\"requests\":[{\"id\":10001,\"state\":\"PENDING\",\"modified\":\"2023-05-18T18:10:00Z\"}]}]}");
	box_reply(b, box_waits(b, "poll"), 200,
		  "{\"count\":1,\"next\":null,\"previous\":null,\"results\":[{\"id\":77,\"request_group_id\":8812,\"name\":\"%s\",\"site\":\"coj\",\"enclosure\":\"doma\","
		  "\"telescope\":\"1m0a\",\"state\":\"PENDING\",\"start\":\"2023-05-18T18:20:00Z\",\"end\":\"2023-05-18T18:26:00Z\",\"modified\":\"2023-05-18T18:10:00Z\","
		  "\"request\":{\"id\":9812,\"state\":\"PENDING\"}}]}", token);
	assert_int_equal(box_int(b, "SELECT count(*) FROM alarm WHERE what='unknown'"), 1);
	assert_string_equal(box_text(b, "SELECT state FROM request WHERE id=3"), "scheduled");
	assert_string_equal(box_text(b, "SELECT site||' '||state FROM observation"), "coj scheduled");
	box_alert(b, "S230518h", "RETRACTION", 3900, 0, NULL);
	assert_string_equal(box_text(b, "SELECT state FROM event"), "retracted");
	assert_string_equal(box_text(b, "SELECT state FROM request WHERE id=3"), "cancelling");
	assert_true(box_waits(b, "cancel") > 0);
	box_restart(b);
	cancel = box_waits(b, "cancel"); /* repeatable: released again */
	assert_true(cancel > 0);
	group(b, cancel, 8812, "CANCELED");
	group(b, box_waits(b, "cancel"), 8812, "CANCELED");
	if (box_waits(b, "cancel"))
		box_reply(b, box_waits(b, "cancel"), 200, "[]");
	assert_string_equal(box_text(b, "SELECT state FROM request WHERE id=3"), "cancelled");
	box_alert(b, "S230518h", "UPDATE", 4000, 0.99, "SIMPLE  = map one");
	assert_string_equal(box_text(b, "SELECT state FROM event"), "retracted");
	assert_int_equal(box_int(b, "SELECT count(*) FROM request WHERE state NOT IN ('cancelled','declined')"), 0);
	assert_int_equal(box_int(b, "SELECT count(*) FROM effect WHERE verb='submit'"), 2);
	assert_int_equal(box_int(b, "SELECT count(*) FROM reject"), 0);
}

static void walkthrough(void **state)
{
	(void)state;
	struct box b;
	box_open(&b);
	night(&b);
	box_close(&b);
}

/* There is no restore code: opening anew between any two turns gives the same rows. */
static void reopened_between_turns(void **state)
{
	(void)state;
	struct box once, again;
	char a[65], z[65];
	box_open(&once);
	night(&once);
	box_digest(&once, a);
	box_open(&again);
	again.reopen = true;
	night(&again);
	box_digest(&again, z);
	assert_string_equal(a, z);
	box_close(&once);
	box_close(&again);
}

/* One journalled input, as it was. The body is borrowed from the statement. */
static struct input journalled(sqlite3_stmt *q, const json_t *meta)
{
	struct input in = {.utc_us = query_col_int(q, 1, 0), .tick_us = query_col_int(q, 2, 0), .effect = query_col_int(q, 3, 0)};
	while (strcmp(input_kind_name(in.kind), query_col_text(q, 0, "")) != 0)
		in.kind++;
	in.body = sqlite3_column_blob(q, 8);
	in.len = (size_t)sqlite3_column_bytes(q, 8);
	in.source = query_col_text(q, 4, NULL);
	in.topic = query_col_text(q, 5, NULL);
	in.partition = (int32_t)query_col_int(q, 6, 0);
	in.offset = query_col_int(q, 7, 0);
	in.cluster = json_text(meta, "cluster", "");
	in.timestamp_us = json_int(meta, "timestamp_us", UTC_NONE);
	in.reply.sent = (int)json_int(meta, "sent", 0);
	in.reply.status = (int)json_int(meta, "status", 0);
	in.reply.content_type = json_text(meta, "content_type", "");
	in.reply.transport = json_text(meta, "transport", "");
	in.reply.retry_after_s = json_int(meta, "retry_after_s", -1);
	in.uid = json_int(meta, "uid", 0);
	in.pid = json_int(meta, "pid", 0);
	return in;
}

/* The journal fed to an empty state gives the same rows, effects and all. */
static void replayed(void **state)
{
	(void)state;
	static const char inputs[] = "SELECT kind,utc_us,tick_us,effect,source,topic,part,next_offset,coalesce(i.body,b.body),meta FROM input i "
				     "LEFT JOIN blob b ON b.sha256=i.sha256 ORDER BY seq";
	struct box first, second;
	struct err e = {0};
	char a[65], z[65];
	box_open(&first);
	until_found(&first);
	box_order(&first, "{\"verb\":\"veto\",\"event\":\"S230518h\",\"why\":\"enough\"}");
	box_digest(&first, a);
	box_open(&second);
	sqlite3_stmt *q = query_prepare(first.db, inputs, &e);
	assert_non_null(q);
	assert_ok(query_bind(q, &e, ""), &e);
	while (query_step(q, &e) == 1) {
		json_t *meta = json_loads(query_col_text(q, 9, "{}"), 0, NULL);
		struct input in = journalled(q, meta);
		second.utc_us = in.utc_us;
		second.tick_us = in.tick_us;
		box_feed(&second, &in);
		json_decref(meta);
	}
	sqlite3_finalize(q);
	box_digest(&second, z);
	assert_string_equal(a, z);
	box_close(&first);
	box_close(&second);
}

/* The engine dies with a submit on its way: doubt, two complete looks, then a second submit of the same token, never before. */
static void killed_while_asking(void **state)
{
	(void)state;
	struct box b;
	box_open(&b);
	until_planned(&b);
	box_reply(&b, box_waits(&b, "offer"), 200, "%s", validate_ok);
	assert_int_equal(box_int(&b, "SELECT count(*) FROM effect WHERE verb='submit' AND state='released' AND once=1"), 1);
	box_restart(&b);
	assert_string_equal(box_text(&b, "SELECT state FROM request WHERE id=1"), "unsure");
	assert_string_equal(box_text(&b, "SELECT state FROM effect WHERE verb='submit'"), "doubtful");
	for (int look = 0; look < 2; look++) {
		box_later(&b, look ? 60 : 5);
		box_routine(&b);
		assert_int_equal(box_int(&b, "SELECT submits FROM request WHERE id=1"), 1);
		box_reply(&b, box_waits(&b, "find"), 200, "{\"count\":0,\"next\":null,\"previous\":null,\"results\":[]}");
		box_reply(&b, box_waits(&b, "find"), 200, "{\"username\":\"slew\",\"proposals\":[{\"id\":\"TOO2023A\"}]}");
	}
	assert_string_equal(box_text(&b, "SELECT state||' '||submits||' '||void_submits FROM request WHERE id=1"), "asked 2 1");
	box_close(&b);
}

/* Observed: the verdict says so, the hours are spent, and its frames become rows. */
static void observed(void **state)
{
	(void)state;
	struct box b;
	box_open(&b);
	until_planned(&b);
	box_reply(&b, box_waits(&b, "offer"), 200, "%s", validate_ok);
	accept(&b, box_waits(&b, "submit"), 8811);
	char token[64];
	snprintf(token, sizeof token, "%s", box_text(&b, "SELECT token FROM request WHERE id=1"));
	box_later(&b, 45);
	for (int step = 0; step < 2; step++)
		box_reply(&b, box_waits(&b, "poll"), 200, "{\"count\":0,\"next\":null,\"previous\":null,\"results\":[]}");
	box_reply(&b, box_waits(&b, "poll"), 200,
		  "{\"count\":1,\"next\":null,\"previous\":null,\"results\":[{\"id\":77,\"request_group_id\":8811,\"name\":\"%s\",\"site\":\"coj\",\"enclosure\":\"doma\","
		  "\"telescope\":\"1m0a\",\"state\":\"COMPLETED\",\"start\":\"2023-05-18T18:20:00Z\",\"end\":\"2023-05-18T18:26:00Z\",\"modified\":\"2023-05-18T18:26:00Z\","
		  "\"request\":{\"id\":9811,\"state\":\"COMPLETED\"}}]}", token);
	assert_string_equal(box_text(&b, "SELECT r.state||' '||l.state FROM request r JOIN ledger l ON l.request=r.id WHERE r.id=1"), "done spent");
	assert_string_equal(box_text(&b, "SELECT code FROM verdict v JOIN target t ON t.id=v.target WHERE t.name='NGC 4993'"), "observed");
	box_later(&b, 31);
	int64_t data = box_waits(&b, "data");
	assert_true(data > 0);
	box_reply(&b, data, 200, "{\"count\":1,\"next\":null,\"previous\":null,\"results\":[{\"basename\":\"coj1m0-e91\",\"reduction_level\":91,\"url\":\"https://s3/x?key\","
		  "\"site_id\":\"coj\"}]}");
	assert_string_equal(box_text(&b, "SELECT basename||' '||level FROM data_product"), "coj1m0-e91 91");
	/* a retraction does not touch what is done */
	box_alert(&b, "S230518h", "RETRACTION", 3900, 0, NULL);
	assert_string_equal(box_text(&b, "SELECT state FROM request WHERE id=1"), "done");
	box_close(&b);
}

/* A find that is not complete proves nothing. */
static void half_a_find(void **state)
{
	(void)state;
	struct box b;
	box_open(&b);
	until_planned(&b);
	box_reply(&b, box_waits(&b, "offer"), 200, "%s", validate_ok);
	box_lost(&b, box_waits(&b, "submit"), SENT_MAYBE);
	for (int i = 0; i < 8; i++) {
		box_later(&b, 120);
		box_routine(&b);
		if (box_waits(&b, "find"))
			box_reply(&b, box_waits(&b, "find"), i % 2 ? 502 : 200, "<html>Bad gateway</html>");
	}
	assert_string_equal(box_text(&b, "SELECT state||' '||absences||' '||submits FROM request WHERE id=1"), "unsure 0 1");
	assert_int_equal(box_int(&b, "SELECT count(*) FROM alarm a JOIN request r ON r.token=a.subject WHERE a.what='find'"), 1);
	box_close(&b);
}

static void veto_in_the_turn_of_the_plan(void **state)
{
	(void)state;
	static const char *both[] = {"NGC4993|45657", "NGC4970|45466"};
	struct box b;
	box_open(&b);
	box_config(&b, NULL);
	box_later(&b, 1);
	box_routine(&b);
	box_alert(&b, "S230518h", "PRELIMINARY", 0, 0.9, "SIMPLE  = map one");
	box_result(&b, box_waits(&b, "map"), "{\"kind\":\"map\"," MAP_FACTS "}");
	rank(&b, box_waits(&b, "rank"));
	b.hold_turn = true;
	plan(&b, box_waits(&b, "plan"), both);
	box_order(&b, "{\"verb\":\"veto\",\"event\":\"S230518h\"}");
	b.hold_turn = false;
	box_turn(&b);
	assert_int_equal(box_int(&b, "SELECT count(*) FROM request WHERE state='cancelled'"), 2);
	assert_int_equal(box_int(&b, "SELECT count(*) FROM effect WHERE verb IN ('offer','submit') AND released_seq IS NOT NULL"), 0);
	assert_int_equal(box_int(&b, "SELECT count(*) FROM verdict WHERE target IS NOT NULL AND code<>'vetoed'"), 0);
	box_order(&b, "{\"verb\":\"release\",\"event\":\"S230518h\"}");
	plan(&b, box_waits(&b, "plan"), both);
	assert_int_equal(box_int(&b, "SELECT count(*) FROM request WHERE state='planned' AND variant=1"), 2);
	box_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(walkthrough), cmocka_unit_test(reopened_between_turns), cmocka_unit_test(replayed), cmocka_unit_test(killed_while_asking),
		cmocka_unit_test(half_a_find), cmocka_unit_test(observed), cmocka_unit_test(veto_in_the_turn_of_the_plan),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

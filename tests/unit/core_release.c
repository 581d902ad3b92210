/* What a release costs and whom it serves: it does not read effects of the past, and a new event's first request does not stand
 * behind all that an older event still wants. */
#include "test.h"
#include "box.h"
#include "engine/base/json.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"

#define MAP "{\"kind\":\"map\",\"sha256\":\"x\",\"area50_deg2\":8.0,\"area90_deg2\":30.5,\"ra_deg\":197.4,\"dec_deg\":-23.4,\"gal_b_deg\":39.3," \
	    "\"distmean_mpc\":40.0,\"diststd_mpc\":8.0,\"distmod_mag\":33.0,\"ordering\":\"NUNIQ\",\"max_order\":9,\"pixels\":1000,\"is_3d\":true}"
#define TARGETS 5

static void ranked(struct box *b)
{
	struct text t = {.max = 1u << 16};
	text_puts(&t, "{\"kind\":\"rank\",\"considered\":5,\"targets\":[");
	for (int i = 0; i < TARGETS; i++)
		text_printf(&t, "%s{\"key\":\"G%d|%d\",\"rank\":%d,\"id\":%d,\"name\":\"G%d\",\"ra_deg\":197.4,\"dec_deg\":-23.4,\"distance_mpc\":40,"
			"\"distance_err_mpc\":3,\"dpdv_per_mpc3\":1e-3,\"share\":0.1,\"cumulative_share\":0.5}", i ? "," : "", i, i, i + 1, i, i);
	text_puts(&t, "]}");
	box_result(b, box_waits(b, "rank"), "%s", t.data);
	text_free(&t);
}

static void planned(struct box *b)
{
	struct text t = {.max = 1u << 16};
	text_puts(&t, "{\"kind\":\"plan\",\"requests\":[");
	for (int i = 0; i < TARGETS; i++)
		text_printf(&t, "%s{\"target\":\"G%d|%d\",\"epoch\":1,\"facility\":\"lco\",\"programme\":\"too\",\"mode\":\"TIME_CRITICAL\",\"instrument\":"
			"\"1M0-SCICAM-SINISTRO\",\"filters\":[\"gp\"],\"exposure_s\":120,\"count\":1,\"ipp\":1.0,\"max_airmass\":1.7,\"min_moon_deg\":20,"
			"\"site\":\"coj\",\"start_us\":%lld,\"end_us\":%lld,\"slot_us\":%lld,\"best_us\":%lld,\"duration_s\":300,\"value\":0.5,"
			"\"reserve\":false,\"rung\":0,\"earliest_us\":%lld,\"latest_us\":%lld,\"max_window_h\":24,\"per_exposure_s\":28}", i ? "," : "", i, i,
			(long long)b->utc_us, (long long)(b->utc_us + 6 * UTC_HOUR), (long long)(b->utc_us + UTC_HOUR), (long long)(b->utc_us + UTC_HOUR),
			(long long)b->utc_us, (long long)(b->utc_us + 6 * UTC_HOUR));
	text_puts(&t, "],\"verdicts\":[]}");
	box_result(b, box_waits(b, "plan"), "%s", t.data);
	text_free(&t);
}

static void event(struct box *b, const char *name, const char *map)
{
	box_alert(b, name, "PRELIMINARY", 0, 0.9, map);
	box_result(b, box_waits(b, "map"), "%s", MAP);
	ranked(b);
	planned(b);
}

static void begin(struct box *b)
{
	box_open(b);
	box_config(b, NULL);
	box_later(b, 1);
	box_routine(b);
	event(b, "S230518a", "SIMPLE  = map one");
}

static void first_request_of_a_new_event(void **state)
{
	static const char offers[] = "SELECT count(*) FROM effect f JOIN event e ON e.id=f.event WHERE f.verb='offer' AND f.state<>'waiting' AND e.name='%s'";
	char old[256], new[256];
	struct box b;
	(void)state;
	snprintf(old, sizeof old, offers, "S230518a");
	snprintf(new, sizeof new, offers, "S230518b");
	begin(&b);
	assert_int_equal(box_int(&b, old), 3); /* the fourth transfer is kept for cancels */
	event(&b, "S230518b", "SIMPLE  = map two");
	assert_int_equal(box_int(&b, new), 0);
	box_reply(&b, box_waits(&b, "offer"), 200, "{\"request_durations\":{},\"errors\":{\"requests\":[\"no\"]}}");
	assert_int_equal(box_int(&b, old), 3); /* two of the old event's still wait, and now the refused one's next variant */
	assert_int_equal(box_int(&b, new), 1);
	box_close(&b);
}

static int on_profile(unsigned what, void *steps, void *statement, void *ns)
{
	const char *sql = sqlite3_sql(statement);
	int n = sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_FULLSCAN_STEP, 1);
	(void)what, (void)ns;
	if (sql != NULL && strstr(sql, "effect") != NULL && strstr(sql, "check_") == NULL)
		*(int *)steps += n;
	return 0;
}

static void the_past_is_not_read(void **state)
{
	static const char past[] = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<20000) INSERT INTO effect(seq,kind,state,once,facility,verb,"
				   "body,released_seq,done_seq) SELECT 1,'call','done',0,'lco','status','{}',1,1 FROM n";
	struct box b;
	int steps = 0;
	(void)state;
	begin(&b);
	assert_int_equal(sqlite3_exec(b.db, past, NULL, NULL, NULL), SQLITE_OK);
	int64_t offer = box_waits(&b, "offer");
	sqlite3_trace_v2(b.db, SQLITE_TRACE_PROFILE, on_profile, &steps);
	box_reply(&b, offer, 200, "{\"request_durations\":{\"requests\":[{\"duration\":356}],\"duration\":356},\"errors\":{}}");
	sqlite3_trace_v2(b.db, 0, NULL, NULL);
	assert_true(box_waits(&b, "submit") > 0);
	assert_in_range(steps, 0, 1000);
	box_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_request_of_a_new_event),
		cmocka_unit_test(the_past_is_not_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

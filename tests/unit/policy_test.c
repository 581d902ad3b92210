/* `slew policy test`: the one query, over a state with the real tables. */
#include "engine/cmd/policy.c"
#include "test.h"

/* main.c is not linked here. */
int cmd_usage(const struct command *c, const char *format, ...)
{
	(void)c;
	(void)format;
	return 2;
}

static void add(sqlite3 *db, int64_t id, int64_t event, const char *type, const char *facts)
{
	struct err e = {0};
	char sql[512];
	assert_ok(query_run(db, &e, "INSERT INTO alert(id,event,seq,type,type_rank,time_created_us,sha256,received_us,normal) VALUES (?,?,1,?,1,?,?,?,'{}')",
		"iitiii", id, event, type, id, id, id), &e);
	snprintf(sql, sizeof sql, "INSERT INTO fact(alert, significant, p_bns, p_nsbh, has_remnant, dist_mean_mpc, dist_std_mpc, is_test, area90_deg2,"
		" age_s, map_state) VALUES (%d, 1, 0.9, 0, 0.9, 40, 8, 0, %s)", (int)id, facts);
	assert_ok(query_run(db, &e, sql, ""), &e);
}

static void past_alerts_are_judged(void **state)
{
	(void)state;
	struct err e = {0};
	sqlite3 *db = NULL;
	size_t len = 0;
	assert_ok(query_open(":memory:", QUERY_WRITE, &db, &e), &e);
	assert_ok(query_script(db, embed_find("schemas/store/0001_spine.sql", &len), &e), &e);
	assert_ok(query_script(db, "INSERT INTO input(seq,kind,utc_us,tick_us) VALUES (1,'alert',0,0);"
		"INSERT INTO event(id,issuer,name,state,first_seq,changed_seq,is_test) VALUES (1,'lvk','S1','heard',1,1,'[]'),"
		" (2,'lvk','MS2','heard',1,1,'[\"id prefix MS\"]')", &e), &e);
	add(db, 1, 1, "EARLYWARNING", "31, 60, 'ready'");
	add(db, 2, 1, "PRELIMINARY", "31, 60, 'ready'");
	add(db, 3, 1, "INITIAL", "NULL, 60, 'failed'");
	add(db, 4, 2, "INITIAL", "31, 60, 'ready'");
	add(db, 5, 1, "UPDATE", "31, 1e6, 'ready'");
	add(db, 8, 2, "EARLYWARNING", "31, 1e6, 'ready'");
	add(db, 6, 1, "UPDATE", "5000, 60, 'ready'");
	add(db, 7, 1, "RETRACTION", "NULL, NULL, 'none'");
	static const char *const want[][4] = {{"S1", "true", "", "early warning: warmed only"}, {"S1", "true", "", ""}, {"S1", "unknown", "area90_deg2", ""},
		{"MS2", "true", "", "a test alert"}, {"S1", "true", "", "older than max_age_h"}, {"S1", "false", "", ""},
		{"S1", "unknown", "area90_deg2", "a retraction"},
		{"MS2", "true", "", "a test alert, early warning: warmed only, older than max_age_h"}};
	struct policy *p = open_policy("bns-near", &e);
	assert_non_null(p);
	sqlite3_stmt *q = test_query(db, p, &e);
	if (q == NULL)
		fail_msg("%s", e.text);
	for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
		assert_int_equal(query_step(q, &e), 1);
		assert_string_equal(query_col_text(q, 0, ""), want[i][0]);
		assert_string_equal(query_col_text(q, 3, ""), want[i][1]);
		assert_string_equal(query_col_text(q, 4, ""), want[i][2]);
		assert_string_equal(query_col_text(q, 5, ""), want[i][3]);
	}
	assert_int_equal(query_step(q, &e), 0);
	sqlite3_finalize(q);
	policy_free(p);
	sqlite3_close(db);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(past_alerts_are_judged)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

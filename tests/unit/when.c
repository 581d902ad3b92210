/* The policy language: what it means, and what it refuses, with the column of the fault; policies as a whole. */
#include "test.h"
#include "engine/base/embed.h"
#include "engine/base/query.h"
#include "engine/request/policy.h"
#include "engine/request/when.h"
#include <math.h>

static struct facts facts_none(void)
{
	struct facts f = {0};
	for (int i = 0; i < FACT_COUNT; i++)
		f.number[i] = NAN;
	return f;
}

static int value_of(const char *expression, const struct facts *f)
{
	struct err e = {0};
	struct when *w = when_compile(expression, &e);
	if (w == NULL)
		fail_msg("%s: %s", expression, e.text);
	int out = when_evaluate(w, f, &e);
	if (out < 0)
		fail_msg("%s: %s", expression, e.text);
	when_free(w);
	return out;
}

static void it_means_what_sql_means(void **state)
{
	(void)state;
	struct facts f = facts_none();
	f.number[FACT_p_bns] = 0.6;
	f.number[FACT_p_nsbh] = 0.1;
	f.number[FACT_significant] = 1;
	f.number[FACT_n_detectors] = 3;
	f.text[FACT_alert_type] = "INITIAL";
	f.text[FACT_search] = "it's";
	static const struct {
		const char *text;
		int want; /* 0 false, 1 true, 2 unknown */
	} cases[] = {
		{"p_bns + p_nsbh > 0.65", 1}, {"p_bns - p_nsbh * 2 > 0.39", 1}, {"1 / 2 = 0.5", 1}, {"n_detectors / 2 > 1", 1},
		{"p_bns > 0.5 AND area90_deg2 < 150", 2}, {"p_bns < 0.5 AND area90_deg2 < 150", 0}, {"p_bns > 0.5 OR area90_deg2 < 150", 1},
		{"NOT p_bns > 0.5", 0}, {"NOT area90_deg2 > 1", 2}, {"not not significant = 1", 1}, {"p_bns BETWEEN 0.5 AND 0.7", 1},
		{"p_bns NOT BETWEEN 0.5 AND 0.7", 0}, {"n_detectors IN (1, 3)", 1}, {"n_detectors NOT IN (1, 3)", 0},
		{"alert_type = 'INITIAL'", 1}, {"alert_type IN ('UPDATE', 'INITIAL')", 1}, {"search = 'it''s'", 1},
		{"area90_deg2 IS NULL", 1}, {"area90_deg2 IS NOT NULL", 0}, {"p_bns IS NULL", 0}, {"abs(p_nsbh - p_bns) > 0.4", 1},
		{"min(p_bns, p_nsbh) < 0.2 and max(p_bns, p_nsbh, 0.9) = 0.9", 1}, {"max(p_bns, area90_deg2) > 0", 2},
		{"-p_bns < - -0.1", 1}, {"(p_bns > 0.5) AND (significant = 1 OR far_hz < 1e-8)", 1}, {"significant = 1 OR p_bns > 0.9 AND p_nsbh > 0.9", 1},
		{"p_bns / (p_nsbh - 0.1) > 1", 2}, {".5 < p_bns", 1}, {"p_bns > 5.e-1", 1},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		if (value_of(cases[i].text, &f) != cases[i].want)
			fail_msg("%s is %d, not %d", cases[i].text, value_of(cases[i].text, &f), cases[i].want);
}

static void null_of_a_map_fact_waits_for_the_map(void **state)
{
	(void)state;
	struct facts f = facts_none();
	f.number[FACT_p_bns] = 0.6;
	f.map_pending = true;
	assert_int_equal(value_of("dist_mean_mpc IS NULL", &f), 2);
	assert_int_equal(value_of("dist_mean_mpc IS NOT NULL OR p_bns > 0.5", &f), 1);
	assert_int_equal(value_of("p_bns > 0.5 AND (dist_mean_mpc - dist_std_mpc) IS NULL", &f), 2);
	assert_int_equal(value_of("t90_s IS NULL", &f), 1);
	f.map_pending = false;
	assert_int_equal(value_of("dist_mean_mpc IS NULL", &f), 1);
}

static void faults_name_their_column(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int column;
		const char *words;
	} cases[] = {
		{"p_bsn > 0.5", 1, "did you mean p_bns"}, {"significant = 1 AND has_remnent > 0.1", 21, "did you mean has_remnant"},
		{"p_bns == 0.5", 7, "write ="}, {"p_bns := 1", 7, "assignment"}, {"p_bns != 1", 7, "<>"}, {"alert_type = \"INITIAL\"", 14, "single quotes"},
		{"p_bns > 0.5;", 12, "one expression"}, {"p_bns > (SELECT 1)", 10, "no queries"}, {"SELECT 1 = 1", 1, "no queries"},
		{"p_bns", 1, "comparison"}, {"p_bns + 1", 1, "comparisons"}, {"p_bns > 0.5 AND p_nsbh", 17, "comparisons"}, {"alert_type > 'A'", 1, "order"},
		{"alert_type = 1", 14, "text is compared with a number"}, {"p_bns = 'high'", 9, "a number is compared with text"},
		{"p_bns + alert_type > 1", 9, "arithmetic needs numbers"}, {"0.1 < p_bns < 0.5", 13, "chain"}, {"p_bns > 0.5 p_nsbh", 13, "complete"},
		{"(p_bns > 0.5", 13, "missing"}, {"p_bns > ", 9, "missing"}, {"", 1, "empty"}, {"   ", 1, "empty"}, {"p_bns BETWEEN 1 OR 2", 17, "AND is missing"},
		{"alert_type = 'INITIAL", 14, "not closed"}, {"alert_type = 'initial'", 14, "did you mean 'INITIAL'"}, {"sqrt(p_bns) > 1", 1, "no function"},
		{"abs(p_bns, 1) > 0", 1, "one number"}, {"min(p_bns) > 0", 1, "two numbers"}, {"p_bns > 0.5 -- yes", 13, "comment"}, {"p_bns > 150deg", 9, "stand alone"},
		{"p_bns = NULL", 9, "IS NULL"}, {"p_bns IS 1", 10, "IS NULL"}, {"significant = TRUE", 15, "write 1 or 0"}, {"(p_bns > 1) = 1", 1, "cannot be compared"},
		{"p_bns > 0.5 && p_nsbh > 0.5", 13, "write AND"}, {"p_bns % 2 = 0", 7, "no meaning"}, {"abs(p_bns > 1) > 0", 11, "missing"}, {"NOT p_bns", 5, "NOT needs comparisons"},
		{"'é' = alert_type AND x > 1", 1, "no alert_type"}, {"search = 'é' AND x > 1", 18, "no fact \"x\""}, {"f.p_bns > 1", 1, "no fact"}, {"p_bns > ?1", 9, "parameters"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct err e = {0};
		char want[32];
		struct when *w = when_compile(cases[i].text, &e);
		snprintf(want, sizeof want, "column %d:", cases[i].column);
		if (w != NULL)
			fail_msg("taken: %s", cases[i].text);
		if (e.kind != ERR_INPUT || strstr(e.text, want) == NULL || strstr(e.text, cases[i].words) == NULL)
			fail_msg("%s → %s (want %s %s)", cases[i].text, e.text, want, cases[i].words);
	}
}

static void depth_and_length_are_bounded(void **state)
{
	(void)state;
	char deep[1000], longer[WHEN_BYTES + 100];
	struct err e = {0};
	memset(deep, '(', sizeof deep);
	deep[sizeof deep - 1] = '\0';
	assert_null(when_compile(deep, &e));
	assert_non_null(strstr(e.text, "nested"));
	memset(deep, '-', sizeof deep - 1);
	for (size_t i = 1; i < sizeof deep - 1; i += 2)
		deep[i] = ' ';
	assert_null(when_compile(deep, &e));
	for (size_t i = 0; i + 4 < sizeof deep; i += 4)
		memcpy(deep + i, "NOT ", 4);
	assert_null(when_compile(deep, &e));
	memset(longer, '+', sizeof longer);
	for (size_t i = 0; i < WHEN_BYTES - 8; i += 2)
		longer[i] = '1';
	strcpy(longer + WHEN_BYTES - 8, " 1 > 0");
	e = (struct err){0};
	assert_null(when_compile(longer, &e));
	assert_int_equal(e.kind, ERR_INPUT);
	assert_non_null(strstr(e.text, "simpler"));
	memset(longer, ' ', sizeof longer);
	longer[sizeof longer - 1] = '\0';
	assert_null(when_compile(longer, &e));
}

/* Word salad: whatever our grammar takes, SQLite takes too, and gives TRUE, FALSE or NULL; the rest has a column. */
static void our_grammar_is_within_that_of_sqlite(void **state)
{
	(void)state;
	static const char *const words[] = {"p_bns", "far_hz", "search", "1", "0.5", "'a'", "alert_type", "'INITIAL'", "+", "-", "*", "/", "=", "<>", "<", ">=", "AND", "OR",
		"NOT", "BETWEEN", "IN", "IS", "NULL", "(", ")", ",", "abs(", "max(", "area90_deg2", "> 0.5", "= 1 AND", "(1, 2)", "IS NOT NULL", "BETWEEN 1 AND 2"};
	static const char *const frame[] = {"p_bns", "+", "far_hz", ">", "0.5", "AND", "NOT", "(", "alert_type", "=", "'INITIAL'", "OR", "abs(", "p_nsbh", "-", "1", ")",
		"BETWEEN", "0", "AND", "1", ")"};
	struct facts f = facts_none();
	uint32_t random = 7;
	int taken = 0;
	f.number[FACT_p_bns] = 0.6;
	for (int i = 0; i < 20000; i++) {
		char text[600] = "";
		struct err e = {0};
		for (size_t k = 0; k < sizeof frame / sizeof frame[0]; k++) { /* a good sentence, a word in eight replaced */
			random = random * 1664525u + 1013904223u;
			bool other = (random >> 28) < 2;
			strcat(strcat(text, other ? words[(random >> 12) % (sizeof words / sizeof words[0])] : frame[k]), " ");
		}
		struct when *w = when_compile(text, &e);
		if (w == NULL) {
			if (strstr(e.text, "column") == NULL)
				fail_msg("%s → %s", text, e.text);
			continue;
		}
		taken++;
		if (when_evaluate(w, &f, &e) < 0)
			fail_msg("%s → %s", text, e.text);
		when_free(w);
	}
	assert_true(taken > 100);
}

static struct policy *embedded(const char *path)
{
	struct err e = {0};
	size_t len = 0;
	const char *text = embed_find(path, &len);
	assert_non_null(text);
	struct policy *p = policy_read(text, len, path, &e);
	if (p == NULL)
		fail_msg("%s", e.text);
	return p;
}

static void shipped_policies_decide(void **state)
{
	(void)state;
	struct err e = {0};
	struct policy_answer a;
	struct policy *p = embedded("policies/bns-near.json");
	struct facts f = facts_none();
	f.number[FACT_significant] = 1;
	f.number[FACT_p_bns] = 0.95;
	f.number[FACT_p_nsbh] = 0.01;
	f.number[FACT_n_detectors] = 3;
	assert_ok(policy_evaluate(p, &f, &a, &e), &e);
	assert_int_equal(a.outcome, OUTCOME_UNKNOWN);
	assert_string_equal(a.missing, "has_remnant, area90_deg2, dist_mean_mpc, dist_std_mpc");
	assert_true(a.waits_for_map);
	assert_false(a.only_map);
	f.number[FACT_has_remnant] = 0.9;
	assert_ok(policy_evaluate(p, &f, &a, &e), &e);
	assert_true(a.only_map);
	f.number[FACT_area90_deg2] = 31;
	f.number[FACT_dist_mean_mpc] = 40;
	f.number[FACT_dist_std_mpc] = 8;
	assert_ok(policy_evaluate(p, &f, &a, &e), &e);
	assert_int_equal(a.outcome, OUTCOME_TRUE);
	assert_string_equal(a.missing, "");
	bool automatic = false;
	assert_ok(policy_auto(p, &f, &automatic, &e), &e);
	assert_true(automatic);
	f.number[FACT_n_detectors] = 1;
	assert_ok(policy_auto(p, &f, &automatic, &e), &e);
	assert_false(automatic);
	f.number[FACT_n_detectors] = NAN; /* unknown is no */
	assert_ok(policy_auto(p, &f, &automatic, &e), &e);
	assert_false(automatic);
	f.number[FACT_area90_deg2] = 5000;
	assert_ok(policy_evaluate(p, &f, &a, &e), &e);
	assert_int_equal(a.outcome, OUTCOME_FALSE);
	assert_true(p->observes);
	assert_true(p->budget_event_h == 8 && p->auto_budget_h == 3 && p->top == 60);
	policy_free(p);
	p = embedded("policies/tell-all.json");
	assert_false(p->observes);
	assert_false(p->approval_auto);
	assert_true(isnan(p->budget_event_h));
	policy_free(p);
	policy_free(embedded("policies/nsbh-dark.json"));
}

static void the_same_question_of_a_table(void **state)
{
	(void)state;
	struct err e = {0};
	sqlite3 *db = NULL;
	struct policy *p = embedded("policies/bns-near.json");
	assert_ok(query_open(":memory:", QUERY_WRITE, &db, &e), &e);
	assert_ok(query_run(db, &e, "CREATE TABLE fact (significant REAL, p_bns REAL, p_nsbh REAL, has_remnant REAL, area90_deg2 REAL,"
		" dist_mean_mpc REAL, dist_std_mpc REAL, map_state TEXT) STRICT", ""), &e);
	assert_ok(query_run(db, &e, "INSERT INTO fact VALUES (1, 1, 0, 0.9, 31, 40, 8, 'ready'), (1, 1, 0, 0.9, NULL, 40, 8, 'failed'),"
		" (0, 1, 0, 0.9, NULL, 40, 8, 'failed')", ""), &e);
	char sql[4096];
	snprintf(sql, sizeof sql, "SELECT CASE WHEN (%s) THEN 'T' WHEN NOT (%s) THEN 'F' ELSE 'U ' || %s END AS x FROM fact f", policy_sql(p),
		policy_sql(p), policy_missing_sql(p));
	json_t *rows = query_rows(db, 10, &e, sql, "");
	assert_int_equal(json_array_size(rows), 3);
	static const char *const want[] = {"T", "U area90_deg2", "F"};
	for (size_t i = 0; i < 3; i++)
		assert_string_equal(json_string_value(json_object_get(json_array_get(rows, i), "x")), want[i]);
	json_decref(rows);
	sqlite3_close(db);
	policy_free(p);
}

static void faults_of_policies_have_positions(void **state)
{
	(void)state;
	static const struct {
		const char *text, *words;
	} cases[] = {
		{"{\"name\":\"x\",\n \"when\": \"p_bsn > 1\"}", "line 2: when, column 1: no fact \"p_bsn\""},
		{"{\"name\":\"x\",\n \"wen\": \"p_bns > 1\"}", "line 2 column 2 (/wen): there is no \"wen\" here; did you mean \"when\"?"},
		{"{\"name\":\"x\"}", "\"when\" is needed here"},
		{"{\"name\":\"x\",\"when\":\"p_bns > 1\",\"early_warning\":\"submitt\"}", "did you mean \"submit\"?"},
		{"{\"name\":\"x\",\"when\":\"p_bns > 1\",\"targets\":{\"top\":0}}", "0 is below 1"},
		{"{\"name\":\"x\",\"when\":\"p_bns > 1\",\"observe\":[{\"epoch\":1,\"filters\":[\"gp\"],\"exposure_s\":1}]}", "/ladder"},
		{"{\"name\":\"x\",\"when\":\"p_bns > 1\",\"observe\":[{\"epoch\":1,\"filters\":[\"gp\"]}],\"ladder\":[{\"programme\":\"a\"}]}", "neither it nor /ladder/0 gives exposure_s"},
		{"{\"name\":\"x\",\"when\":\"p_bns > 1\",\"observe\":[{\"epoch\":1,\"filters\":[\"gp\"],\"depth\":22,\"detect\":0.5}],\"ladder\":[{\"programme\":\"a\"}]}", "one of exposure_s, depth"},
		{"{\"name\":\"../x\",\"when\":\"p_bns > 1\"}", "does not match"},
		{"{\"name\":\"x\",\"when\":\"p_bns > 1\",\"approval\":{\"mode\":\"auto\",\"auto_when\":\"n_detectors\"}}", "auto_when"},
		{"{\"name\":\"x\",", "line 1"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct err e = {0};
		struct policy *p = policy_read(cases[i].text, strlen(cases[i].text), "x.json", &e);
		if (p != NULL || strstr(e.text, cases[i].words) == NULL)
			fail_msg("%s → %s", cases[i].text, e.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(it_means_what_sql_means), cmocka_unit_test(null_of_a_map_fact_waits_for_the_map),
		cmocka_unit_test(faults_name_their_column), cmocka_unit_test(depth_and_length_are_bounded), cmocka_unit_test(our_grammar_is_within_that_of_sqlite), cmocka_unit_test(shipped_policies_decide),
		cmocka_unit_test(the_same_question_of_a_table), cmocka_unit_test(faults_of_policies_have_positions)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

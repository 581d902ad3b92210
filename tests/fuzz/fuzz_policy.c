/* A policy's text: schema, sense, and `when`, which is tokenised, typed, compiled and evaluated twice: over bound facts (as the engine does)
 * and over a row of table fact (as `slew policy test` does). Both must say the same. */
#include "door.h"
#include "engine/alert/fact.h"
#include "engine/base/embed.h"
#include "engine/base/json.h"
#include "engine/base/query.h"
#include "engine/base/text.h"
#include "engine/request/policy.h"
#include "engine/request/when.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ROWS 4
static sqlite3 *db; /* rows of facts: the fixture of every run */
static struct facts rows[ROWS];

/* Row 0: nothing is known and the map is being read; 1: nothing; 2: all; 3: half of it, with the ends of number. */
static void facts_make(int row, struct facts *f)
{
	static const double ends[] = {0, -1, 1e308, -1e308, 5e-324, 0.5};
	*f = (struct facts){.map_pending = row == 0};
	for (int i = 0; i < FACT_COUNT; i++) {
		f->number[i] = NAN;
		if (row >= 2 && (row == 2 || i % 2 == 0))
			f->number[i] = row == 2 ? i + 0.25 : ends[(i / 2) % 6];
		if (row >= 2 && fact_info[i].type == FACT_TEXT)
			f->text[i] = row == 2 ? "INITIAL" : "";
	}
}

static void fixture(void)
{
	struct err e = {0};
	struct text t = {.max = 1 << 16};
	text_puts(&t, "CREATE TABLE fact(map_state TEXT");
	for (int i = 0; i < FACT_COUNT; i++)
		text_printf(&t, ",%s %s", fact_info[i].name, fact_info[i].type == FACT_TEXT ? "TEXT" : "REAL");
	text_puts(&t, ") STRICT");
	must(query_open(":memory:", QUERY_WRITE, &db, &e) == 0 && query_script(db, t.data, &e) == 0);
	for (int r = 0; r < ROWS; r++) {
		facts_make(r, &rows[r]);
		must(query_run(db, &e, "INSERT INTO fact(map_state) VALUES(?)", "t", r == 0 ? "wanted" : "none") == 0);
		for (int i = 0; i < FACT_COUNT; i++) {
			text_reset(&t);
			text_printf(&t, "UPDATE fact SET %s=? WHERE rowid=?", fact_info[i].name);
			if (fact_info[i].type == FACT_TEXT)
				must(query_run(db, &e, t.data, "ti", rows[r].text[i], (int64_t)(r + 1)) == 0);
			else
				must(query_run(db, &e, t.data, "di", rows[r].number[i], (int64_t)(r + 1)) == 0);
		}
	}
	text_free(&t);
}

static void evaluate(struct policy *p)
{
	struct err e = {0};
	struct text sql = {.max = 1 << 20};
	text_printf(&sql, "SELECT (%s),%s FROM fact f ORDER BY rowid", policy_sql(p), policy_missing_sql(p));
	sqlite3_stmt *q = sql.failed ? NULL : query_prepare(db, sql.data, &e);
	for (int r = 0; r < ROWS; r++) {
		struct policy_answer a;
		bool approved;
		must(policy_evaluate(p, &rows[r], &a, &e) == 0);
		must(policy_auto(p, &rows[r], &approved, &e) == 0 && (!approved || p->approval_auto));
		must((a.missing[0] != '\0') >= a.waits_for_map && (!a.only_map || a.waits_for_map));
		if (q == NULL) /* twice the names: more than SQLite takes where the bound form just passed */
			continue;
		must(query_step(q, &e) == 1);
		enum outcome by_row = sqlite3_column_type(q, 0) == SQLITE_NULL ? OUTCOME_UNKNOWN : sqlite3_column_int(q, 0) ? OUTCOME_TRUE : OUTCOME_FALSE;
		must(by_row == a.outcome);
		must(a.outcome != OUTCOME_UNKNOWN || strncmp(query_col_text(q, 1, ""), a.missing, sizeof a.missing - 1) == 0);
	}
	sqlite3_finalize(q);
	text_free(&sql);
}

static bool run(const uint8_t *bytes, size_t len)
{
	struct err e = {0};
	if (db == NULL)
		fixture();
	struct policy *p = policy_read((const char *)bytes, len, "it", &e);
	if (p == NULL) {
		must(e.kind == ERR_INPUT || e.kind == ERR_LIMIT);
		must(text_printable(e.text, strlen(e.text), sizeof e.text));
		return strstr(e.text, "when, column") != NULL; /* past JSON and schema, into the expression */
	}
	must(p->name[0] != '\0' && p->top >= 0 && p->persons >= 1);
	must(!(p->offer_wait_s < 0) && !(p->on_downgrade_min < 0) && !(p->map_wait_s < 0));
	fuzz_check_json(p->body, &json_limits_config);
	evaluate(p);
	policy_free(p);
	return true;
}

/* ---- expressions by their grammar ---- */
static void value(struct text *t, struct fuzz_dice *d, int depth)
{
	static const char *const numbers[] = {"0", "1", "0.5", "150", "1e-8", "1e308", "1e400", ".5", "99999999999999999999", "-1", "+2", "1.", "0.0"};
	switch (fuzz_below(d, depth > 0 ? 9 : 5)) {
	case 0:
	case 1: text_puts(t, numbers[fuzz_below(d, sizeof numbers / sizeof *numbers)]); break;
	case 2: text_puts(t, fuzz_below(d, 2) ? "'INITIAL'" : "'it''s'"); break;
	case 5:
		text_puts(t, "(");
		value(t, d, depth - 1);
		text_puts(t, ")");
		break;
	case 6:
		text_puts(t, fuzz_below(d, 3) ? "abs(" : "min(");
		value(t, d, depth - 1);
		if (fuzz_below(d, 3) == 0) {
			text_puts(t, ",");
			value(t, d, depth - 1);
		}
		text_puts(t, ")");
		break;
	case 7:
	case 8:
		value(t, d, depth - 1);
		text_printf(t, " %c ", "+-*/"[fuzz_below(d, 4)]);
		value(t, d, depth - 1);
		break;
	default: text_puts(t, fact_info[fuzz_below(d, FACT_COUNT)].name); break;
	}
}

static void comparison(struct text *t, struct fuzz_dice *d, int depth)
{
	static const char *const between[] = {" = ", " <> ", " < ", "<=", " > ", ">=", " IN (", " BETWEEN ", " IS NULL", " IS NOT NULL", " NOT IN (", " AND ", " OR "};
	size_t which = fuzz_below(d, sizeof between / sizeof *between);
	if (which >= 11) {
		comparison(t, d, depth - 1 > 0 ? depth - 1 : 0);
		text_puts(t, between[which]);
		if (depth > 0)
			comparison(t, d, depth - 1);
		return;
	}
	if (fuzz_below(d, 6) == 0)
		text_puts(t, "NOT ");
	value(t, d, depth);
	text_puts(t, between[which]);
	if (which == 8 || which == 9)
		return;
	value(t, d, depth);
	if (which == 7)
		text_puts(t, " AND ");
	else if (which == 6 || which == 10)
		text_puts(t, ",");
	if (which == 6 || which == 7 || which == 10)
		value(t, d, depth);
	if (which == 6 || which == 10)
		text_puts(t, ")");
}

static size_t mutate(uint8_t *bytes, size_t len, size_t max, unsigned seed)
{
	struct fuzz_dice d = {seed ^ 0x5eed};
	json_t *body = fuzz_below(&d, 2) ? json_loadb((const char *)bytes, len, 0, NULL) : NULL;
	if (!json_is_object(body)) {
		json_decref(body);
		return fuzz_mutate_json(bytes, len, max, seed);
	}
	struct text t = {.max = 8192};
	comparison(&t, &d, (int)fuzz_below(&d, 6));
	json_object_set_new(body, "when", t.failed || t.data == NULL ? json_string("") : json_string(t.data));
	text_free(&t);
	char *text = json_dumps(body, JSON_COMPACT);
	size_t n = text ? strlen(text) : 0;
	bool fits = n > 0 && n <= max;
	if (fits)
		memcpy(bytes, text, n);
	free(text);
	json_decref(body);
	return fits ? n : fuzz_mutate_json(bytes, len, max, seed);
}

static void seeds(struct fuzz_seeds *s)
{
	static const char *const whens[] = {"p_bns > 0.5", "significant = 1 AND (p_bns + p_nsbh > 0.5 OR NOT has_ns < 0.1)", "alert_type IN ('INITIAL', 'UPDATE')",
		"area90_deg2 IS NULL OR dist_mean_mpc - dist_std_mpc BETWEEN 0 AND 150", "abs(min(gal_b_deg, 10, -1e3)) >= +.5", "stream = 'it''s' AND is_3d <> 1",
		"p_bns / (far_hz - far_hz) > 1", "p_bns ==", "select 1", "p_bns > 0.5; DROP", "age_s < 1e400"};
	for (const struct embed *f = embed_table; f->path != NULL; f++)
		if (strncmp(f->path, "policies/", 9) == 0)
			fuzz_seed(s, f->start, (size_t)(f->end - f->start));
	for (size_t i = 0; i < sizeof whens / sizeof *whens; i++)
		fuzz_seed_json(s, json_pack("{s:s,s:s,s:{s:s,s:s},s:[],s:[]}", "name", "x", "when", whens[i], "approval", "mode", "auto", "auto_when", "n_detectors >= 2",
			"observe", "ladder"));
}

const struct fuzz_door fuzz_policy = {.name = "policy", .run = run, .mutate = mutate, .seeds = seeds};

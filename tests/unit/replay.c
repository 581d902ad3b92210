/* Replay: the same journal gives the same rows; a row that was changed is found and its input named; a journal that no engine wrote is
 * refused with the row that shows it. */
#include "test.h"
#include "engine/base/query.h"
#include "sim/journal.h"
#include "sim/night.h"
#include "sim/replay.h"

#define FIRST "seed 7\npolicy {\"targets\":{\"top\":4}}\n00:00 alert S261124a PRELIMINARY\n00:02 order {\"verb\":\"hold\",\"what\":\"all\",\"why\":\"look\"}\n" \
	      "00:03 crash 20\n00:05 expect SELECT 1 = 1\n"
#define REST "00:06 order {\"verb\":\"resume\",\"what\":\"all\"}\n00:06:10 bytes \"garbage\"\n00:07 alert S261124a PRELIMINARY again\n" \
	     "00:08 crash 5 lost\n00:10 alert S261124a RETRACTION\n00:12 end\n"

static sqlite3 *whole, *early; /* a night's state, and the same after its first five minutes */

static sqlite3 *copied(sqlite3 *db)
{
	struct err e = {0};
	sqlite3 *copy = NULL;
	assert_ok(query_open(":memory:", QUERY_WRITE, &copy, &e), &e);
	sqlite3_backup *backup = sqlite3_backup_init(copy, "main", db, "main");
	assert_non_null(backup);
	assert_int_equal(sqlite3_backup_step(backup, -1), SQLITE_DONE);
	sqlite3_backup_finish(backup);
	sqlite3_exec(copy, "PRAGMA foreign_keys=OFF", NULL, NULL, NULL);
	return copy;
}

static void keep(void *ctx, sqlite3 *db, const struct sim_host_place *place, size_t places)
{
	(void)place;
	(void)places;
	*(sqlite3 **)ctx = copied(db);
}

static int nights_run(void **state)
{
	char scratch[64];
	struct err e = {0};
	struct sim_night_report report;
	(void)state;
	snprintf(scratch, sizeof scratch, "/tmp/slew-unit-replay-%d.fits", (int)getpid());
	struct sim_stage *stage = sim_stage_new(7, scratch, &e);
	unlink(scratch);
	assert_non_null(stage);
	struct sim_night_options o = {.stage = stage, .no_replay = true, .look = keep, .ctx = &early};
	assert_ok(sim_night_run(FIRST, &o, &report, &e), &e);
	o.ctx = &whole;
	assert_ok(sim_night_run(FIRST REST, &o, &report, &e), &e);
	sim_stage_free(stage);
	return 0;
}

static int nights_close(void **state)
{
	(void)state;
	sqlite3_close(whole);
	sqlite3_close(early);
	return 0;
}

static int replay(sqlite3 *journal, sqlite3 *from, struct replay_report *r, struct err *e)
{
	sqlite3 *fresh = NULL;
	struct replay_options o = {.from = from};
	assert_ok(query_open(":memory:", QUERY_WRITE, &fresh, e), e);
	int rc = sim_replay(journal, fresh, &o, r, e);
	sqlite3_close(fresh);
	return rc;
}

static int64_t count(sqlite3 *db, const char *sql)
{
	struct err e = {0};
	int64_t n = -1;
	assert_true(query_int(db, &n, &e, sql, "") >= 0);
	return n;
}

static void same(void **state)
{
	struct err e = {0};
	struct replay_report r;
	(void)state;
	assert_ok(replay(whole, NULL, &r, &e), &e);
	assert_string_equal(r.difference, "");
	assert_int_equal(r.inputs, count(whole, "SELECT count(*) FROM input"));
	assert_int_equal(r.starts, 3);
	assert_int_equal(r.effects, count(whole, "SELECT count(*) FROM effect"));
	assert_true(r.compared.tables >= 30 && r.compared.rows > r.inputs + r.effects);
}

/* Only what came after the earlier copy is fed; the end is the same. */
static void from_an_earlier_copy(void **state)
{
	struct err e = {0};
	struct replay_report r;
	int64_t all = count(whole, "SELECT count(*) FROM input"), had = count(early, "SELECT count(*) FROM input");
	(void)state;
	assert_true(had > 20 && had < all);
	assert_ok(replay(whole, early, &r, &e), &e);
	assert_string_equal(r.difference, "");
	assert_int_equal(r.from, had);
	assert_int_equal(r.inputs, all - had);
	assert_ok(replay(whole, whole, &r, &e), &e); /* the newest copy there is: nothing to feed */
	assert_int_equal(r.inputs, 0);
	assert_int_equal(replay(early, whole, &r, &e), -1);
	assert_non_null(strstr(e.text, "is not one of this state"));
}

struct change {
	const char *sql, *table, *words; /* words: what the difference must say */
};

/* Every kind of change to a state is found, and the input that it belongs to is named. */
static void changed(void **state)
{
	static const struct change list[] = {
		{"UPDATE effect SET body=replace(body,'exposure_time','exposure_tame') WHERE id=(SELECT min(id) FROM effect WHERE verb='submit' AND body IS NOT NULL)",
			"effect", "exposure_ta"},
		{"DELETE FROM effect WHERE id=(SELECT max(id) FROM effect WHERE verb='submit')", "effect", "was not there"},
		{"UPDATE fact SET dist_mean_mpc=dist_mean_mpc*1.0000000000000002 WHERE dist_mean_mpc IS NOT NULL", "fact", "dist_mean_mpc"},
		{"UPDATE operator_order SET answer='{\"ok\":true}' WHERE verb='resume'", "operator_order", "order resume"},
		{"INSERT INTO ignored_signal VALUES('done','doubt',3)", "ignored_signal", "no column tells"},
		{"UPDATE gate SET lifted_seq=NULL WHERE kind='hold'", "gate", "order resume"},
		{"DELETE FROM timer WHERE key=(SELECT min(key) FROM timer)", "timer", "was not there"},
		{"UPDATE reject SET reason='another'", "reject", "alert on igwn.gwalert"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
		struct err e = {0};
		struct replay_report r;
		sqlite3 *db = copied(whole);
		assert_int_equal(sqlite3_exec(db, list[i].sql, NULL, NULL, NULL), SQLITE_OK);
		assert_true(sqlite3_changes(db) > 0);
		assert_ok(replay(db, NULL, &r, &e), &e);
		if (r.compared.differences != sqlite3_changes(db) || strcmp(r.compared.first.table, list[i].table) != 0 || !strstr(r.difference, list[i].words))
			fail_msg("%s: %lld differ, first: %s", list[i].sql, (long long)r.compared.differences, r.difference);
		sqlite3_close(db);
	}
}

/* The first by input, whatever the order of the tables. */
static void the_first_of_many(void **state)
{
	struct err e = {0};
	struct replay_report r;
	sqlite3 *db = copied(whole);
	(void)state;
	assert_int_equal(sqlite3_exec(db, "UPDATE alarm SET detail='x' WHERE id=(SELECT max(id) FROM alarm); UPDATE request_change SET words='x' WHERE id=2;"
		"UPDATE effect SET outcome='x' WHERE id=(SELECT max(id) FROM effect)", NULL, NULL, NULL), SQLITE_OK);
	assert_ok(replay(db, NULL, &r, &e), &e);
	assert_string_equal(r.compared.first.table, "request_change");
	assert_int_equal(r.compared.first.seq, count(db, "SELECT seq FROM request_change WHERE id=2"));
	assert_true(r.compared.differences >= 2);
	sqlite3_close(db);
}

/* A changed input decides otherwise: what follows from it differs, from it on. */
static void changed_input(void **state)
{
	struct err e = {0};
	struct replay_report r;
	sqlite3 *db = copied(whole);
	int64_t seq = count(db, "SELECT i.seq FROM input i JOIN effect f ON f.id=i.effect WHERE i.kind='reply' AND f.verb='submit' AND meta LIKE '%\"status\":201%' LIMIT 1");
	char sql[200];
	(void)state;
	assert_true(seq > 0);
	snprintf(sql, sizeof sql, "UPDATE input SET meta=replace(meta,'\"status\":201','\"status\":503') WHERE seq=%lld", (long long)seq);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_ok(replay(db, NULL, &r, &e), &e);
	assert_int_equal(r.compared.first.seq, seq);
	assert_non_null(strstr(r.difference, "reply to effect"));
	assert_non_null(strstr(r.difference, "submit at lco for slew-"));
	sqlite3_close(db);
}

/* What no engine has written: refused, with the input that shows it. */
static void garbage(void **state)
{
	static const struct change list[] = {
		{"UPDATE input SET meta='{' WHERE seq=9", "", "input 9: what stands beside its body (meta) is no JSON object"},
		{"UPDATE input SET meta=NULL WHERE seq=9", "", "input 9: what stands beside its body (meta) is no JSON object"},
		{"UPDATE input SET meta='{\"random\":\"zz\"}' WHERE seq=9", "", "input 9: its random bits"},
		{"UPDATE input SET meta=replace(meta,'\"sent\":','\"sent\":99999999999') WHERE kind='reply'", "", "the status of its reply is no status"},
		{"UPDATE input SET utc_us=9223372036854775807 WHERE seq=9", "", "input 9: its time is not between"},
		{"UPDATE input SET tick_us=-1 WHERE seq=9", "", "input 9: its tick"},
		{"UPDATE input SET part=99999999999 WHERE seq=2", "", "its partition"},
		{"UPDATE input SET turn=3 WHERE seq=9", "", "input 9: its turn"},
		{"UPDATE input SET body=NULL,sha256=NULL WHERE seq=9", "", "input 9: its body is missing"},
		{"DELETE FROM blob", "", "its body is missing"},
		{"DELETE FROM input WHERE seq=9", "", "input 10: rows are missing before it"},
		{"DELETE FROM input WHERE seq=1", "", "input 2: rows are missing before it"},
		{"PRAGMA writable_schema=1; PRAGMA ignore_check_constraints=1; UPDATE input SET kind='dream' WHERE seq=9", "", "input 9: of a kind"},
		{"UPDATE input SET meta=replace(meta,',\"recovered\":true','') WHERE seq=1", "", "does not begin with a start"},
		{"PRAGMA user_version=99", "", "its schema is version 99, this program knows"},
		{"PRAGMA user_version=0", "", "its schema is version 0, this program knows"},
		{"DROP TABLE stray; CREATE VIEW stray AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT i FROM n", "",
			"its table stray is not as this program makes it"},
		{"ALTER TABLE alarm ADD COLUMN more TEXT", "", "its table alarm is not as this program makes it"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
		struct err e = {0};
		struct replay_report r;
		sqlite3 *db = copied(whole);
		char *why = NULL;
		if (sqlite3_exec(db, list[i].sql, NULL, NULL, &why) != SQLITE_OK)
			fail_msg("%s: %s", list[i].sql, why);
		if (replay(db, NULL, &r, &e) != -1 || !strstr(e.text, list[i].words))
			fail_msg("%s: %s", list[i].sql, e.text);
		sqlite3_close(db);
	}
}

/* A state that an older program left (as it was before the last migration) is brought up to date in a copy, and not touched. */
static void older(void **state)
{
	static const char older_sql[] =
		"DROP VIEW check_asked_for_blocked_night; DROP VIEW check_programme_triggers; DROP VIEW check_programme_overspent; DROP VIEW ledger_counted;"
		"DROP TABLE programme_blocked; ALTER TABLE programme DROP COLUMN rules; ALTER TABLE programme DROP COLUMN rules_seq;"
		"ALTER TABLE programme DROP COLUMN from_us; ALTER TABLE programme_hours DROP COLUMN triggers;"
		"CREATE VIEW check_programme_overspent AS SELECT 1; PRAGMA user_version=14";
	struct err e = {0};
	struct replay_report r;
	sqlite3 *db = copied(whole);
	(void)state;
	assert_int_equal(sqlite3_exec(db, older_sql, NULL, NULL, NULL), SQLITE_OK);
	assert_ok(replay(db, NULL, &r, &e), &e);
	assert_string_equal(r.difference, "");
	assert_int_equal(count(db, "PRAGMA user_version"), 14);
	sqlite3_close(db);
}

/* A file cut short, or with a page of noise, is an error in words; nothing hangs, nothing is called the same. */
static void damaged(void **state)
{
	char path[64];
	sqlite3_int64 size = 0;
	int seen = 0;
	unsigned char *image = sqlite3_serialize(whole, "main", &size, 0);
	(void)state;
	assert_non_null(image);
	snprintf(path, sizeof path, "/tmp/slew-unit-replay-%d.db", (int)getpid());
	for (int i = 1; i < 24; i++) {
		struct err e = {0};
		struct replay_report r = {0};
		sqlite3 *db = NULL;
		size_t cut = i % 2 ? (size_t)size * (size_t)i / 24 : (size_t)size;
		FILE *f = fopen(path, "we");
		assert_non_null(f);
		assert_int_equal(fwrite(image, 1, cut, f), cut);
		if (i % 2 == 0)
			for (long page = 4096L * (long)((size_t)size / 4096 * (size_t)i / 25), k = 0; fseek(f, page + k, SEEK_SET) == 0 && k < 4096; k++)
				fputc((int)(k * 131 + i) & 0xFF, f);
		fclose(f);
		int rc = query_open_state(path, &db, &e);
		if (rc == 0)
			rc = replay(db, NULL, &r, &e);
		sqlite3_close(db);
		if (i % 2 == 1 && rc == 0 && r.difference[0] == '\0')
			fail_msg("a file cut after %zu bytes is called the same", cut);
		seen += rc < 0 || r.difference[0] != '\0';
		assert_true(rc == 0 || e.text[0] != '\0');
	}
	unlink(path);
	assert_true(seen >= 18); /* noise in an index that nobody asks harms nobody */
	sqlite3_free(image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same), cmocka_unit_test(from_an_earlier_copy), cmocka_unit_test(changed), cmocka_unit_test(the_first_of_many),
		cmocka_unit_test(changed_input), cmocka_unit_test(garbage), cmocka_unit_test(older), cmocka_unit_test(damaged),
	};
	return cmocka_run_group_tests(tests, nights_run, nights_close);
}

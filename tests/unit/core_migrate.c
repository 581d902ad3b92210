/* A state of every older version, with a night in it, becomes one of this version: the same rows, every invariant, and it goes on. */
#include "test.h"
#include "box.h"
#include "tale.h"
#include "engine/base/embed.h"
#include "engine/base/query.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"

#define FOLDER "schemas/store/"

/* What an older program made: the migrations up to that number. */
static void schema_of(sqlite3 *db, int version)
{
	char pragma[64];
	struct err e = {0};
	for (int n = 1; n <= version; n++)
		for (const struct embed *f = embed_table; f->path != NULL; f++)
			if (strncmp(f->path, FOLDER, sizeof FOLDER - 1) == 0 && atoi(f->path + sizeof FOLDER - 1) == n)
				assert_ok(query_script(db, f->start, &e), &e);
	snprintf(pragma, sizeof pragma, "PRAGMA user_version=%d", version);
	assert_ok(query_script(db, pragma, &e), &e);
}

/* Every row of `was`, as far as its tables and columns were known then. */
static void rows_copy(sqlite3 *db, sqlite3 *from)
{
	static const char columns[] = "SELECT t.name AS name,group_concat('\"'||c.name||'\"') AS list FROM main.sqlite_schema t, pragma_table_info(t.name) c "
				      "WHERE t.type='table' AND t.name NOT LIKE 'sqlite_%' AND EXISTS (SELECT 1 FROM was.sqlite_schema w, "
				      "pragma_table_info(t.name,'was') x WHERE w.name=t.name AND x.name=c.name) GROUP BY t.name ORDER BY t.name";
	sqlite3_int64 size = 0;
	struct err e = {0};
	unsigned char *image = sqlite3_serialize(from, "main", &size, 0);
	assert_non_null(image);
	sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 1);
	assert_ok(query_script(db, "ATTACH ':memory:' AS was", &e), &e);
	assert_int_equal(sqlite3_deserialize(db, "was", image, size, size, SQLITE_DESERIALIZE_FREEONCLOSE), SQLITE_OK);
	json_t *tables = query_rows(db, 100, &e, columns, ""), *t;
	assert_true(json_array_size(tables) > 20);
	assert_ok(query_script(db, "PRAGMA foreign_keys=OFF", &e), &e);
	size_t i;
	json_array_foreach(tables, i, t) {
		const char *name = json_string_value(json_object_get(t, "name")), *list = json_string_value(json_object_get(t, "list"));
		struct text sql = {.max = 1u << 16};
		text_printf(&sql, "INSERT INTO main.\"%s\"(%s) SELECT %s FROM was.\"%s\"", name, list, list, name);
		assert_ok(query_script(db, sql.data, &e), &e);
		text_free(&sql);
	}
	json_decref(tables);
	assert_ok(query_script(db, "PRAGMA foreign_keys=ON; DETACH was", &e), &e);
}

static void every_version_comes_up(void **state)
{
	(void)state;
	struct box now;
	struct err e = {0};
	char before[65], after[65];
	tale_begin(&now, NULL, 4, 1);
	box_order(&now, "{\"verb\":\"hold\",\"what\":\"lco\",\"why\":\"clouds\"}");
	box_order(&now, "{\"verb\":\"resume\",\"what\":\"lco\"}");
	tale_offers(&now, 300);
	tale_accept(&now, box_waits(&now, "submit"));
	box_digest(&now, before);
	int newest = (int)box_int(&now, "PRAGMA user_version");
	assert_true(newest >= 10);
	for (int version = 2; version < newest; version++) { /* the first two are one: there was no program of version 1 */
		struct box old = now;
		assert_ok(query_open(":memory:", QUERY_WRITE, &old.db, &e), &e);
		schema_of(old.db, version);
		rows_copy(old.db, now.db);
		old.core = core_open(old.db, &e);
		if (old.core == NULL)
			fail_msg("version %d: %s", version, e.text);
		old.out = (struct effects){0};
		old.answer = NULL;
		assert_int_equal(box_int(&old, "PRAGMA user_version"), newest);
		assert_int_equal(box_int(&old, "PRAGMA foreign_keys"), 1);
		box_digest(&old, after);
		if (strcmp(before, after) != 0)
			fail_msg("version %d: other rows", version);
		assert_int_equal(box_int(&old, "SELECT count(*) FROM (SELECT name,sql FROM sqlite_schema) WHERE name LIKE '%_before'"), 0);
		for (; box_waits(&old, "submit"); tale_offers(&old, 300)) /* every turn checks every invariant */
			tale_accept(&old, box_waits(&old, "submit"));
		assert_string_equal(box_text(&old, tale_states), "accepted,accepted,accepted,accepted");
		box_close(&old);
	}
	box_close(&now);
}

/* Hours that were lowered before this was kept are found in the configurations. */
static void when_hours_were_lowered(void **state)
{
	static const char lowered[] = "UPDATE config SET body=json_set(body,'$.config.programmes[0].hours.TIME_CRITICAL',CASE seq WHEN 1 THEN 5.0 ELSE 0.01 END);"
				      "UPDATE programme_hours SET hours=0.01 WHERE mode='TIME_CRITICAL'";
	(void)state;
	struct box now, old;
	struct err e = {0};
	tale_begin(&now, NULL, 1, 1);
	tale_offers(&now, 300);
	tale_accept(&now, box_waits(&now, "submit"));
	box_config(&now, NULL);
	int64_t second = box_int(&now, "SELECT max(seq) FROM config");
	assert_int_equal(box_int(&now, "SELECT min(seq) FROM config"), 1);
	old = now;
	assert_ok(query_open(":memory:", QUERY_WRITE, &old.db, &e), &e);
	schema_of(old.db, 9);
	rows_copy(old.db, now.db);
	assert_ok(query_script(old.db, lowered, &e), &e);
	assert_int_equal(box_int(&old, "SELECT count(*) FROM check_programme_overspent"), 1);
	old.core = core_open(old.db, &e);
	assert_non_null(old.core);
	old.out = (struct effects){0};
	old.answer = NULL;
	assert_int_equal(box_int(&old, "SELECT since_seq FROM programme_hours WHERE mode='TIME_CRITICAL'"), second);
	assert_int_equal(box_int(&old, "SELECT since_seq FROM programme_hours WHERE mode='NORMAL'"), 0);
	assert_int_equal(box_int(&old, "SELECT count(*) FROM check_programme_overspent"), 0);
	box_close(&old);
	box_close(&now);
}

/* What is being cancelled, and was not counted while that was not so, is counted. */
static void what_is_being_cancelled_counts(void **state)
{
	static const char cancelling[] = "UPDATE request SET state='cancelling',unwanted=1;UPDATE ledger SET state='returned' WHERE request=1;"
					 "DELETE FROM ledger WHERE request=2;UPDATE ledger SET state='spent' WHERE request=3";
	(void)state;
	struct box now, old;
	struct err e = {0};
	tale_begin(&now, NULL, 3, 1);
	tale_offers(&now, 300);
	while (box_waits(&now, "submit"))
		tale_accept(&now, box_waits(&now, "submit"));
	old = now;
	assert_ok(query_open(":memory:", QUERY_WRITE, &old.db, &e), &e);
	schema_of(old.db, 12);
	rows_copy(old.db, now.db);
	assert_ok(query_script(old.db, cancelling, &e), &e);
	old.core = core_open(old.db, &e);
	assert_non_null(old.core);
	old.out = (struct effects){0};
	old.answer = NULL;
	assert_string_equal(box_text(&old, "SELECT group_concat(request||state||CAST(seconds AS INTEGER)) FROM (SELECT * FROM ledger ORDER BY request)"),
			    "1held300,2held300,3spent300");
	box_close(&old);
	box_close(&now);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(every_version_comes_up), cmocka_unit_test(when_hours_were_lowered),
					   cmocka_unit_test(what_is_being_cancelled_counts)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

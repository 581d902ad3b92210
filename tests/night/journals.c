/* States that older releases left behind (tests/night/journals/VERSION.sql.gz, made by `make journal` with that release of a made-up
 * night): each is brought up to date, keeps the invariants, and its journal is fed again to this program. What is decided otherwise
 * must stand in VERSION.differences, line by line as printed here ("table column rows"), after somebody has looked at it. */
#include "test.h"
#include "engine/base/query.h"
#include "engine/base/text.h"
#include "engine/core/core.h"
#include "sim/journal.h"
#include "sim/replay.h"
#include <glob.h>
#include <jansson.h>
#include <zlib.h>

static sqlite3 *state_load(const char *path)
{
	static char chunk[1 << 16];
	struct text sql = {.max = 64u << 20};
	struct err e = {0};
	sqlite3 *db = NULL;
	char *why = NULL;
	gzFile f = gzopen(path, "rbe");
	assert_non_null(f);
	for (int n; (n = gzread(f, chunk, sizeof chunk)) > 0;)
		text_add(&sql, chunk, (size_t)n);
	assert_int_equal(gzclose(f), Z_OK);
	assert_false(sql.failed);
	assert_ok(query_open(":memory:", QUERY_WRITE, &db, &e), &e);
	if (sqlite3_exec(db, sql.data, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s: %s", path, why);
	text_free(&sql);
	return db;
}

static int64_t number(sqlite3 *db, const char *sql)
{
	struct err e = {0};
	int64_t n = -1;
	if (query_int(db, &n, &e, sql, "") < 0)
		fail_msg("%s: %s", sql, e.text);
	return n;
}

static void healthy(sqlite3 *db, const char *what)
{
	struct err e = {0};
	json_t *bad = core_check_rows(db, &e);
	if (bad == NULL)
		fail_msg("%s: %s", what, e.text);
	char *text = json_dumps(bad, 0);
	if (json_array_size(bad) > 0)
		fail_msg("%s: %s", what, text);
	free(text);
	json_decref(bad);
}

static void count(void *ctx, const struct state_difference *d)
{
	char name[160];
	snprintf(name, sizeof name, "%s %s", d->table, d->column[0] ? d->column : d->was[0] ? "gone" : "new");
	json_object_set_new(ctx, name, json_integer(json_integer_value(json_object_get(ctx, name)) + 1));
}

/* "VERSION.differences" beside the state, without its comments. */
static void reviewed(const char *path, struct text *out)
{
	char name[300], line[300];
	snprintf(name, sizeof name, "%.*s.differences", (int)(strlen(path) - strlen(".sql.gz")), path);
	FILE *f = fopen(name, "re");
	if (f == NULL)
		fail_msg("%s is missing: it may be empty", name);
	while (fgets(line, sizeof line, f) != NULL)
		if (line[0] != '#' && line[0] != '\n')
			text_puts(out, line);
	fclose(f);
}

static void one_release(void **state)
{
	const char *path = *state, *key;
	struct err e = {0};
	struct replay_report r;
	struct text is = {.max = 1u << 20}, expected = {.max = 1u << 20};
	json_t *by = json_object(), *n;
	struct replay_options o = {.each = count, .ctx = by};
	sqlite3 *then = state_load(path), *today = NULL, *fresh = NULL;
	int64_t schema = number(then, "PRAGMA user_version"), inputs = number(then, "SELECT count(*) FROM input");
	assert_true(schema >= 5 && inputs > 200);
	assert_ok(journal_copy(then, &today, &e), &e);
	assert_true(number(today, "PRAGMA user_version") >= schema);
	healthy(today, "brought up to date");
	assert_ok(query_open(":memory:", QUERY_WRITE, &fresh, &e), &e);
	assert_ok(sim_replay(then, fresh, &o, &r, &e), &e);
	assert_int_equal(r.inputs, inputs);
	healthy(fresh, "fed again");
	assert_int_equal(number(then, "PRAGMA user_version"), schema);
	text_puts(&is, "");
	json_object_foreach(by, key, n)
		text_printf(&is, "%s %lld\n", key, (long long)json_integer_value(n));
	text_puts(&expected, "");
	reviewed(path, &expected);
	if (strcmp(is.data, expected.data) != 0)
		fail_msg("%s is decided otherwise; first: %s\nall (look at them: `slew replay --all`, then write them into its .differences):\n%s", path,
			r.difference, is.data);
	json_decref(by);
	text_free(&is);
	text_free(&expected);
	sqlite3_close(fresh);
	sqlite3_close(today);
	sqlite3_close(then);
}

int main(void)
{
	glob_t found;
	struct CMUnitTest tests[100];
	size_t count_of = 0;
	if (glob("tests/night/journals/*.sql.gz", 0, NULL, &found) != 0)
		return 1;
	for (; count_of < found.gl_pathc && count_of < 100; count_of++)
		tests[count_of] = (struct CMUnitTest){found.gl_pathv[count_of], one_release, NULL, NULL, found.gl_pathv[count_of]};
	int rc = _cmocka_run_group_tests("journals", tests, count_of, NULL, NULL);
	globfree(&found);
	return rc;
}

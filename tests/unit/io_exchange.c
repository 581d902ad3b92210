/* A file database asked and written as calls say: rows whole or not at all, names that are plain, and another one's lock told as such. */
#include "test.h"
#include "engine/base/json.h"
#include "engine/base/query.h"
#include "engine/io/exchange.h"
#include "facilities/rubin.h"

static char folder[] = "/tmp/slew-exchange-XXXXXX", file[64];
static const char *const schema[] = {"CREATE TABLE IF NOT EXISTS t (k INTEGER PRIMARY KEY, a TEXT, b BLOB, c REAL, d INTEGER)", NULL};

static int ask(const char *method, const char *path, const char *query, const char *body, char **out)
{
	struct call c = {.query = (char *)(uintptr_t)query, .body = (char *)(uintptr_t)body, .body_len = body != NULL ? strlen(body) : 0};
	snprintf(c.method, sizeof c.method, "%s", method);
	snprintf(c.path, sizeof c.path, "%s", path);
	return exchange_do(file, schema, &c, out);
}

static void gives(int wanted, const char *method, const char *path, const char *query, const char *body, const char *answer)
{
	char *out = NULL;
	int status = ask(method, path, query, body, &out);
	if (status != wanted || strstr(out, answer) == NULL)
		fail_msg("%s %s?%s: %d %s, wanted %d %s", method, path, query ? query : "", status, out, wanted, answer);
	free(out);
}

static void rows(void **state)
{
	(void)state;
	gives(200, "GET", "/t", "columns=k,a", NULL, "{\"columns\":[\"rowid\",\"k\",\"a\"],\"rows\":[]}"); /* made when it was not there */
	gives(200, "POST", "/t", NULL, "{\"k\":5,\"a\":[\"H1\",\"\"],\"b\":[true,false,true],\"c\":1.5,\"d\":true}", "{\"rowid\":5}");
	gives(409, "POST", "/t", NULL, "{\"k\":5,\"a\":\"again\"}", "UNIQUE");
	gives(200, "POST", "/t", NULL, "{\"a\":\"x\",\"c\":null,\"d\":false}", "{\"rowid\":6}");
	gives(200, "GET", "/t", "columns=a,b,c,d", NULL, "\"rows\":[[5,\"[\\\"H1\\\",\\\"\\\"]\",null,1.5,1],[6,\"x\",null,null,0]]");
	gives(200, "GET", "/t", "columns=k&after=5", NULL, "\"rows\":[[6,6]]");
	gives(200, "GET", "/t", "columns=k&limit=1", NULL, "\"rows\":[[5,5]]");
	gives(200, "GET", "/t", "columns=k&newest=1", NULL, "\"rows\":[[6,6]]");
	gives(200, "GET", "/t", "columns=k&least=c:1.4", NULL, "\"rows\":[[5,5]]");
	gives(200, "GET", "/t", "columns=k&least=c:1.6", NULL, "\"rows\":[]");
	sqlite3 *db;
	struct err e = {0};
	int64_t bytes = 0;
	assert_ok(query_open(file, QUERY_READ, &db, &e), &e);
	assert_int_equal(query_int(db, &bytes, &e, "SELECT count(*) FROM t WHERE k=5 AND b=x'010001' AND typeof(b)='blob'", ""), 1);
	assert_int_equal(bytes, 1);
	sqlite3_close(db);
}

static void strangers(void **state)
{
	(void)state;
	gives(404, "POST", "/t", NULL, "{\"k\\\")--\":1}", "column");
	gives(404, "POST", "/t", NULL, "{\"absent\":1}", "column");
	gives(400, "POST", "/t", NULL, "{}", "without columns");
	gives(400, "POST", "/t", NULL, "[1]", "object");
	gives(400, "POST", "/t", NULL, "{", "");
	gives(404, "POST", "/sqlite_master", NULL, "{\"name\":\"x\"}", "no such table");
	gives(404, "GET", "/t\"", "columns=k", NULL, "no such table");
	gives(404, "GET", "/t", "columns=k\" FROM t--", NULL, "column");
	gives(404, "GET", "/t", "columns=", NULL, "column");
	gives(404, "GET", "/t", NULL, NULL, "column");
	gives(404, "GET", "/t", "columns=k&least=k\"", NULL, "column");
	gives(404, "GET", "/t", "columns=k&least=none:1", NULL, "column");
	gives(400, "DELETE", "/t", NULL, NULL, "GET or POST");
	gives(200, "GET", "/t", "columns=k", NULL, "\"rows\":[[5,5],[6,6]]"); /* nothing of it was done */
}

/* Another one writes and does not end: said as such, and nothing is written. */
static void locked(void **state)
{
	sqlite3 *db;
	struct err e = {0};
	(void)state;
	assert_ok(query_open(file, QUERY_WRITE, &db, &e), &e);
	assert_ok(query_run(db, &e, "BEGIN IMMEDIATE", ""), &e);
	gives(503, "POST", "/t", NULL, "{\"k\":9}", "locked");
	assert_ok(query_run(db, &e, "ROLLBACK", ""), &e);
	gives(200, "POST", "/t", NULL, "{\"k\":9}", "9");
	sqlite3_close(db);
	FILE *f = fopen(file, "w");
	fputs("this is no database, though it was one before; it is long enough to be looked at ............................................", f);
	fclose(f);
	gives(500, "GET", "/t", "columns=k", NULL, "message");
}

struct seen {
	int count, status;
	enum sent sent;
};

static void on_done(void *ctx, int64_t id, struct reply *r, char *body)
{
	struct seen *s = ctx;
	assert_int_equal(id, 7);
	assert_non_null(strstr(body, "rowid"));
	*s = (struct seen){s->count + 1, r->status, r->sent};
}

/* On the loop: one answer, and none after closing, though the row is written. */
static void loop(void **state)
{
	uv_loop_t l;
	struct seen seen = {0};
	struct err e = {0};
	struct call c = {.method = "POST", .path = "/t", .body = "{\"k\":1}", .body_len = 7};
	char url[80];
	snprintf(url, sizeof url, "file:%s", file);
	(void)state;
	unlink(file);
	assert_int_equal(uv_loop_init(&l), 0);
	struct exchange *x = exchange_open(&l, on_done, &seen, &e);
	assert_ok(exchange_send(x, 7, url, schema, NULL, &c, &e), &e);
	assert_int_equal(exchange_busy(x), 1);
	uv_run(&l, UV_RUN_DEFAULT);
	assert_true(seen.count == 1 && seen.status == 200 && seen.sent == SENT_ANSWERED && exchange_busy(x) == 0);
	c.body = "{\"k\":2}";
	assert_ok(exchange_send(x, 7, url, schema, NULL, &c, &e), &e);
	exchange_close(x);
	uv_run(&l, UV_RUN_DEFAULT);
	assert_int_equal(seen.count, 1);
	assert_int_equal(uv_loop_close(&l), 0);
	gives(200, "GET", "/t", "columns=k", NULL, "[[1,1],[2,2]]");
}

/* Rubin's tables: the map is a blob of its cells, and the observations have 49 columns without a null in a whole number or text. */
static void rubin(void **state)
{
	struct call c = {.method = "GET", .path = "/too_alert"};
	char *out = NULL;
	sqlite3 *db;
	struct err e = {0};
	int64_t n = 0;
	(void)state;
	unlink(file);
	c.query = (char *)(uintptr_t)"columns=timestamp&newest=1";
	assert_int_equal(exchange_do(file, rubin_file_schema, &c, &out), 200);
	free(out);
	assert_ok(query_open(file, QUERY_WRITE, &db, &e), &e);
	query_int(db, &n, &e, "SELECT count(*) FROM pragma_table_info('observations')", "");
	assert_int_equal(n, 49);
	query_int(db, &n, &e, "SELECT count(*) FROM pragma_table_info('observations') WHERE type<>'REAL' AND \"notnull\"=0", "");
	assert_int_equal(n, 0);
	assert_int_equal(query_run(db, &e, "INSERT INTO too_alert VALUES(1,'S','[]','x','t',x'00',32,0,0)", ""), -1); /* a map of one cell */
	sqlite3_close(db);
}

static int setup(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(file, sizeof file, "%s/too.db", folder);
	return 0;
}

static int teardown(void **state)
{
	char beside[80];
	(void)state;
	unlink(file);
	snprintf(beside, sizeof beside, "%s-wal", file);
	unlink(beside);
	snprintf(beside, sizeof beside, "%s-shm", file);
	unlink(beside);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows), cmocka_unit_test(strangers), cmocka_unit_test(locked), cmocka_unit_test(loop), cmocka_unit_test(rubin),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}

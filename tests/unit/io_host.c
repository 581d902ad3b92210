/* Lock, clocks, letters, the core thread with a core of the test's own (turns, failures, order of things). */
#include "test.h"
#include "engine/base/json.h"
#include "engine/base/limits.h"
#include "engine/base/query.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include "engine/io/core_thread.h"
#include <signal.h>
#include <time.h>
#include <sys/syscall.h>
#include <sys/stat.h>

/* -- a wall clock that can be set ---------------------------------------------------------------------------------------------------------------- */

static int64_t wall_shift_s;

int clock_gettime(clockid_t id, struct timespec *t)
{
	int rc = (int)syscall(SYS_clock_gettime, id, t);
	if (id == CLOCK_REALTIME)
		t->tv_sec += wall_shift_s;
	return rc;
}

/* -- a core that counts: alerts "fail N" make N turns fail; every alert releases one call ------------------------------------------------------ */

struct core {
	sqlite3 *db;
	int64_t seq;
	int effects, fail;
	json_t *answer;
};
static int opened, sick_for_ever, no_room;
static int64_t retraction_offset;

struct core *core_open(sqlite3 *db, struct err *e)
{
	struct core *c = calloc(1, sizeof *c);
	(void)e;
	c->db = db;
	opened++;
	sqlite3_exec(db, "CREATE TABLE IF NOT EXISTS input(seq INTEGER PRIMARY KEY, kind TEXT, body TEXT);"
		"CREATE TABLE IF NOT EXISTS reject(seq INTEGER PRIMARY KEY, reason TEXT);"
		"CREATE TABLE IF NOT EXISTS store(id TEXT); CREATE TABLE IF NOT EXISTS fail(n INTEGER);", NULL, NULL, NULL);
	query_int(db, &c->seq, e, "SELECT ifnull(max(seq), 0) FROM input", "");
	return c;
}
void core_close(struct core *c)
{
	json_decref(c->answer);
	free(c);
}
int core_begin(struct core *c, struct err *e)
{
	return query_run(c->db, e, "BEGIN IMMEDIATE", "");
}
int core_commit(struct core *c, struct err *e)
{
	return query_run(c->db, e, "COMMIT", "");
}
int core_step(struct core *c, const struct input *in, struct err *e)
{
	char body[64];
	snprintf(body, sizeof body, "%.*s", (int)in->len, (const char *)in->body);
	if (sick_for_ever)
		return err_set(e, ERR_STORE, "disk I/O error");
	if (no_room && in->kind == INPUT_alert && strncmp(body, "RETRACTION", 10) != 0) {
		usleep(50000);
		return err_set(e, ERR_STORE, "database or disk is full");
	}
	if (strncmp(body, "RETRACTION", 10) == 0)
		retraction_offset = in->offset;
	if (strcmp(body, "fail together") == 0 && c->effects > 0)
		return err_set(e, ERR_STORE, "not after another one");
	json_decref(c->answer);
	c->answer = in->kind == INPUT_order ? json_pack("{s:b,s:s}", "ok", 1, "text", body) : NULL;
	c->effects += in->kind == INPUT_alert;
	if (strcmp(body, "bad") == 0)
		query_run(c->db, e, "INSERT INTO reject VALUES(?,?)", "it", c->seq + 1, "it is bad");
	return query_run(c->db, e, "INSERT INTO input VALUES(?,?,?)", "itt", ++c->seq, input_kind_name(in->kind), body);
}
int core_release(struct core *c, int64_t utc_us, int64_t tick_us, struct effects *out, struct err *e)
{
	(void)utc_us, (void)tick_us, (void)e;
	out->list = calloc((size_t)c->effects + 1, sizeof *out->list);
	for (; c->effects > 0; c->effects--)
		out->list[out->count++] = (struct effect){.kind = EFFECT_call, .body = json_object()};
	return 0;
}
void core_quiet(struct core *c, bool quiet)
{
	(void)c, (void)quiet;
}
const json_t *core_answer(const struct core *c)
{
	return c->answer;
}
json_t *core_alarms(struct core *c)
{
	(void)c;
	return json_array();
}
int core_due(struct core *c, int64_t *utc_us, int64_t *tick_us, struct err *e)
{
	(void)c, (void)e;
	*utc_us = *tick_us = INT64_MAX;
	return 0;
}
int core_last(struct core *c, int64_t *seq, int64_t *utc_us, int64_t *tick_us, struct err *e)
{
	(void)e;
	*seq = c->seq;
	*utc_us = UTC_NONE;
	*tick_us = 0;
	return 0;
}
int core_recover(struct core *c, struct err *e)
{
	(void)c, (void)e;
	return 0;
}
void effects_free(struct effects *list)
{
	for (size_t i = 0; i < list->count; i++)
		json_decref(list->list[i].body);
	free(list->list);
	*list = (struct effects){0};
}
const char *input_kind_name(enum input_kind k)
{
	return k == INPUT_alert ? "alert" : "other";
}
struct news *news_open(sqlite3 *db, int64_t seq, struct err *e);
json_t *news_read(struct news *n);
void news_close(struct news *n);
struct news *news_open(sqlite3 *db, int64_t seq, struct err *e)
{
	(void)db, (void)seq, (void)e;
	return calloc(1, 8);
}
json_t *news_read(struct news *n)
{
	(void)n;
	return json_array();
}
void news_close(struct news *n)
{
	free(n);
}

/* -- lock -------------------------------------------------------------------------------------------------------------------------------- */

static char folder[] = "/tmp/slew-hostXXXXXX";

static void test_lock(void **state)
{
	char path[100];
	struct lock a, b;
	struct err e = {0};
	(void)state;
	snprintf(path, sizeof path, "%s/one.db", folder);
	assert_ok(lock_take(&a, path, &e), &e);
	assert_false(a.remembered);
	assert_false(lock_disagrees(&a, "", 0, false)); /* new */
	assert_true(lock_disagrees(&a, "abc", 5, true)); /* rows without a memory: a copy */
	assert_int_equal(lock_take(&b, path, &e), -1);
	assert_int_equal(e.kind, ERR_REFUSED);
	assert_int_equal(lock_remember(&a, "00112233445566778899aabbccddeeff", 123456789), 0);
	assert_int_equal(lock_remember(&a, "00112233445566778899aabbccddeeff", 7), 0); /* shorter: nothing of the old one is left */
	lock_drop(&a);
	assert_ok(lock_take(&b, path, &e), &e);
	assert_true(b.remembered);
	assert_int_equal(b.seq, 7);
	assert_false(lock_disagrees(&b, "00112233445566778899aabbccddeeff", 7, true));
	assert_false(lock_disagrees(&b, "00112233445566778899aabbccddeeff", 9, true)); /* killed before the memory was written */
	assert_true(lock_disagrees(&b, "00112233445566778899aabbccddeeff", 6, true));
	assert_true(lock_disagrees(&b, "ff112233445566778899aabbccddeeff", 9, true));
	lock_drop(&b);
	assert_int_equal(lock_expect_new(&a), -1); /* dropped */
	assert_ok(lock_take(&a, path, &e), &e);
	assert_int_equal(lock_expect_new(&a), 0);
	lock_drop(&a);
	assert_ok(lock_take(&b, path, &e), &e);
	assert_false(lock_disagrees(&b, "00112233445566778899aabbccddeeff", 1, true)); /* killed right after its first commit */
	lock_drop(&b);
	e = (struct err){0};
	assert_int_equal(lock_take(&b, "/nowhere/at/all.db", &e), -1);
	assert_int_equal(e.kind, ERR_SYSTEM);
}

static void test_clock(void **state)
{
	struct clock c;
	struct clock_watch w = {0};
	(void)state;
	clock_virtual(&c, 1000 * UTC_SECOND, clock_wall_us() - 10 * UTC_SECOND, 60, 500);
	int64_t sky = clock_utc_us(&c) - 1000 * UTC_SECOND;
	assert_true(sky >= 600 * UTC_SECOND && sky < 700 * UTC_SECOND);
	assert_true(clock_tick_us(&c) >= 500);
	int64_t ms = clock_wait_ms(&c, clock_utc_us(&c) + 60 * UTC_SECOND, INT64_MAX);
	assert_true(ms > 900 && ms <= 1001);
	assert_int_equal(clock_wait_ms(&c, INT64_MAX, INT64_MAX), -1);
	assert_int_equal(clock_wait_ms(&c, 5, INT64_MAX), 0);
	clock_real(&c, 0);
	assert_int_equal(clock_step_us(&c, &w), 0);
	w.wall_us -= 3 * UTC_SECOND; /* as if the wall had been set on by 3 s since */
	int64_t step = clock_step_us(&c, &w);
	assert_true(step > 2900000 && step < 3100000);
	assert_int_equal(clock_step_us(&c, &w), 0);
	w.wall_us += UTC_SECOND; /* a second is drift, not a step */
	assert_int_equal(clock_step_us(&c, &w), 0);
}

/* -- the core thread ----------------------------------------------------------------------------------------------------------------------- */

struct rig {
	struct lock lock;
	struct clock clock;
	struct core_thread *thread;
	char path[100];
};

static void no_wake(void *ctx)
{
	(void)ctx;
}

static void rig_start(struct rig *r, const char *name)
{
	struct err e = {0};
	sqlite3 *db;
	snprintf(r->path, sizeof r->path, "%s/%s", folder, name);
	assert_ok(lock_take(&r->lock, r->path, &e), &e);
	assert_ok(query_open(r->path, QUERY_WRITE, &db, &e), &e);
	clock_real(&r->clock, 0);
	struct core_thread_options o = {.db = db, .core = core_open(db, &e), .state_path = r->path, .store_id = "id", .lock = &r->lock,
		.clock = &r->clock, .wake = no_wake, .recover = true};
	r->thread = core_thread_start(&o, &e);
	assert_non_null(r->thread);
}

static void rig_stop(struct rig *r)
{
	core_thread_stop(r->thread);
	core_thread_free(r->thread);
	lock_drop(&r->lock);
}

static void rig_put(struct rig *r, enum input_kind kind, const char *body)
{
	core_thread_put(r->thread, letter_new(kind, body, strlen(body)));
}

/* Waits until n letters are on disk; counts effects and turns. */
static int rig_wait(struct rig *r, size_t n, int *effects, struct turn **last)
{
	size_t got = 0;
	int turns = 0;
	for (int i = 0; i < 500 && got < n; i++) {
		struct turn *t = core_thread_turn(r->thread);
		if (t == NULL) {
			usleep(10000);
			continue;
		}
		turns++;
		got += t->letters.count;
		*effects += (int)t->effects.count;
		bool dead = t->dead;
		if (last != NULL && (got >= n || dead))
			*last = t;
		else
			turn_free(t);
		if (dead)
			break;
	}
	assert_true(got >= n);
	return turns;
}

static void test_turns(void **state)
{
	struct rig r;
	int effects = 0;
	struct turn *t = NULL;
	struct err e = {0};
	(void)state;
	rig_start(&r, "turns.db");
	rig_put(&r, INPUT_order, "hello");
	rig_wait(&r, 1, &effects, &t);
	struct letter *l = letters_get(&t->letters);
	assert_string_equal(json_text(l->answer, "text", ""), "hello");
	assert_int_equal(l->seq, 1);
	letter_free(l);
	turn_free(t);
	rig_put(&r, INPUT_alert, "bad");
	rig_wait(&r, 1, &effects, &t);
	assert_string_equal(t->letters.first->reject, "it is bad");
	turn_free(t);
	for (int i = 0; i < 1000; i++)
		rig_put(&r, INPUT_alert, "a");
	effects = 0;
	int turns = rig_wait(&r, 1000, &effects, NULL);
	assert_int_equal(effects, 1000);
	assert_true(turns >= 1000 / LIMIT_TURN_INPUTS);
	assert_int_equal(core_thread_bulk_bytes(r.thread), 0);
	rig_stop(&r);
	/* what the thread said is what the disk says */
	sqlite3 *db;
	int64_t rows = 0;
	assert_ok(query_open(r.path, QUERY_READ, &db, &e), &e);
	assert_int_equal(query_int(db, &rows, &e, "SELECT count(*) FROM input", ""), 1);
	assert_int_equal(rows, 1002);
	sqlite3_close(db);
	struct lock again;
	assert_ok(lock_take(&again, r.path, &e), &e);
	assert_int_equal(again.seq, 1002);
	lock_drop(&again);
	char ballast[120];
	struct stat st;
	snprintf(ballast, sizeof ballast, "%s.ballast", r.path);
	assert_int_equal(stat(ballast, &st), 0);
	assert_int_equal(st.st_size, 8 << 20);
}

/* A turn that fails is fed singly, once, by a core opened anew; nothing is lost, nothing handed over twice. */
static void test_turn_fails_once(void **state)
{
	struct rig r;
	int effects = 0;
	(void)state;
	rig_start(&r, "fails.db");
	int before = opened;
	core_thread_quiesce(r.thread); /* alerts wait, so that they share a turn */
	rig_put(&r, INPUT_order, "hello");
	rig_wait(&r, 1, &effects, NULL);
	rig_stop(&r);
	rig_start(&r, "fails.db");
	before = opened;
	for (int i = 0; i < 20; i++) { /* some of these meet in one turn */
		rig_put(&r, INPUT_alert, "a");
		rig_put(&r, INPUT_alert, "fail together");
	}
	rig_wait(&r, 40, &effects, NULL);
	assert_int_equal(effects, 40);
	assert_true(opened > before);
	rig_stop(&r);
}

/* The clock jumps: the turn that comes next says so before anything else. */
static void test_clock_jump(void **state)
{
	struct rig r;
	int effects = 0;
	char text[64] = "";
	struct err e = {0};
	(void)state;
	rig_start(&r, "jump.db");
	rig_put(&r, INPUT_alert, "before");
	rig_wait(&r, 1, &effects, NULL);
	wall_shift_s = 3600;
	rig_put(&r, INPUT_alert, "after");
	rig_wait(&r, 2, &effects, NULL);
	rig_put(&r, INPUT_alert, "once");
	rig_wait(&r, 1, &effects, NULL);
	wall_shift_s = 0;
	rig_stop(&r);
	sqlite3 *db;
	assert_ok(query_open(r.path, QUERY_READ, &db, &e), &e);
	assert_int_equal(query_text(db, text, sizeof text, &e, "SELECT group_concat(substr(body,1,14),' ') FROM (SELECT body FROM input ORDER BY seq)", ""), 1);
	text[strcspn(text, "0123456789")] = '\0';
	assert_string_equal(text, "before {\"step_us\":");
	assert_int_equal(query_text(db, text, sizeof text, &e, "SELECT group_concat(body,' ') FROM (SELECT body FROM input WHERE kind='alert' ORDER BY seq)", ""), 1);
	assert_string_equal(text, "before after once");
	assert_int_equal(query_text(db, text, sizeof text, &e, "SELECT count(*) FROM input", ""), 1);
	assert_string_equal(text, "4");
	sqlite3_close(db);
}

/* On a full disk a retraction goes before what waits, and moves no position past it; what waits keeps its order. */
static void test_full_disk(void **state)
{
	struct rig r;
	int wait = 0;
	char text[400] = "";
	struct err e = {0};
	(void)state;
	rig_start(&r, "full.db");
	no_room = 1;
	retraction_offset = 0;
	for (int i = 0; i < 40; i++) {
		char body[16];
		snprintf(body, sizeof body, i == 20 ? "RETRACTION" : "%c", 'A' + i % 26 + (i / 26) * 32);
		struct letter *l = letter_new(INPUT_alert, body, strlen(body));
		l->in.offset = i + 1;
		core_thread_put(r.thread, l);
		usleep(5000);
	}
	while (retraction_offset == 0 && wait++ < 500)
		usleep(10000);
	assert_int_equal(retraction_offset, -1);
	no_room = 0;
	while (core_thread_bulk_bytes(r.thread) > 0 && wait++ < 1000)
		usleep(10000);
	rig_stop(&r);
	sqlite3 *db;
	assert_ok(query_open(r.path, QUERY_READ, &db, &e), &e);
	assert_int_equal(query_text(db, text, sizeof text, &e, "SELECT group_concat(body,'') FROM (SELECT body FROM input WHERE kind='alert' AND body<>'RETRACTION' ORDER BY seq)", ""), 1);
	assert_string_equal(text, "ABCDEFGHIJKLMNOPQRSTVWXYZabcdefghijklmn");
	assert_int_equal(query_text(db, text, sizeof text, &e, "SELECT body FROM input WHERE kind='other' ORDER BY seq LIMIT 1", ""), 1);
	assert_string_equal(text, "{\"verb\":\"disk\",\"full\":true}"); /* the gate closes first */
	assert_int_equal(query_text(db, text, sizeof text, &e, "SELECT body FROM input WHERE kind='other' ORDER BY seq DESC LIMIT 1", ""), 1);
	assert_string_equal(text, "{\"verb\":\"disk\",\"full\":false}");
	sqlite3_close(db);
}

static void test_sick_store(void **state)
{
	struct rig r;
	int effects = 0;
	struct turn *t = NULL;
	(void)state;
	rig_start(&r, "sick.db");
	sick_for_ever = 1;
	rig_put(&r, INPUT_alert, "a");
	rig_wait(&r, 0, &effects, NULL);
	for (int i = 0; i < 500 && t == NULL; i++) {
		t = core_thread_turn(r.thread);
		usleep(10000);
	}
	assert_non_null(t);
	assert_true(t->dead);
	assert_int_equal(err_exit(&t->error), 75);
	assert_int_equal(t->effects.count, 0);
	turn_free(t);
	sick_for_ever = 0;
	rig_stop(&r);
}

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) == NULL;
}
static int drop_folder(void **state)
{
	char command[64];
	(void)state;
	snprintf(command, sizeof command, "rm -r %s", folder);
	return system(command);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN); /* as the engine does */
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_lock), cmocka_unit_test(test_clock), cmocka_unit_test(test_turns),
		cmocka_unit_test(test_turn_fails_once), cmocka_unit_test(test_clock_jump), cmocka_unit_test(test_full_disk), cmocka_unit_test(test_sick_store)};
	return cmocka_run_group_tests(tests, make_folder, drop_folder);
}

/* A restart decides nothing. The rows are all there is: a core that is opened anew after every turn, and one that goes on from a copy of
 * any moment, leave the same state to the last bit. And where the world allows it, an engine that is killed at any instant and started
 * again asks the telescope for exactly what it would have asked undisturbed. */
#include "test.h"
#include "engine/base/json.h"
#include "engine/base/query.h"
#include "sim/journal.h"
#include "sim/night.h"
#include "sim/replay.h"
#include "sim/swarm.h"

static struct sim_stage *stage;

static sqlite3 *copied(sqlite3 *db)
{
	struct err e = {0};
	sqlite3 *copy = NULL;
	assert_ok(query_open(":memory:", QUERY_WRITE, &copy, &e), &e);
	sqlite3_backup *backup = sqlite3_backup_init(copy, "main", db, "main");
	assert_non_null(backup);
	assert_int_equal(sqlite3_backup_step(backup, -1), SQLITE_DONE);
	sqlite3_backup_finish(backup);
	return copy;
}

struct end {
	sqlite3 *state;
	json_t *ledger;
};

static void keep(void *ctx, sqlite3 *db, const struct sim_host_place *places, size_t count)
{
	struct end *end = ctx;
	end->state = copied(db);
	assert_true(count >= 1);
	end->ledger = sim_portal_ledger(places[0].portal);
}

static struct end night(const char *text)
{
	struct err e = {0};
	struct sim_night_report report;
	struct end end = {0};
	struct sim_night_options o = {.stage = stage, .no_replay = true, .look = keep, .ctx = &end};
	if (sim_night_run(text, &o, &report, &e) < 0)
		fail_msg("%s\n%s", e.text, text);
	return end;
}

static void end_free(struct end *end)
{
	sqlite3_close(end->state);
	json_decref(end->ledger);
}

static void same(sqlite3 *journal, const struct replay_options *o, const char *what, int64_t n)
{
	struct err e = {0};
	struct replay_report r;
	sqlite3 *fresh = NULL;
	assert_ok(query_open(":memory:", QUERY_WRITE, &fresh, &e), &e);
	if (sim_replay(journal, fresh, o, &r, &e) < 0)
		fail_msg("%s %d: %s", what, (int)n, e.text);
	if (r.difference[0])
		fail_msg("%s %d: %s", what, (int)n, r.difference);
	sqlite3_close(fresh);
}

/* Random nights with all their troubles; after every turn, and after every third. */
static void opened_anew(void **state)
{
	(void)state;
	for (uint64_t seed = 21; seed <= 24; seed++) {
		struct text text = {.max = 1u << 20};
		struct replay_options o = {.reopen = seed % 2 ? 1 : 3};
		sim_swarm_text(seed, &text);
		struct end end = night(text.data);
		same(end.state, &o, "opened anew, seed", (int64_t)seed);
		end_free(&end);
		text_free(&text);
	}
}

struct moments {
	sqlite3 *copy[12];
	int64_t turns, every;
	int count;
};

static int take(void *ctx, sqlite3 *fresh, int64_t tick_us, const struct effects *list, struct err *e)
{
	struct moments *m = ctx;
	(void)tick_us;
	(void)list;
	(void)e;
	if (m->turns++ % m->every == m->every / 2 && m->count < 12) {
		/* the turn is open: its copy is made of what was committed before it */
		unsigned char *image;
		sqlite3_int64 size = 0;
		sqlite3_exec(fresh, "COMMIT", NULL, NULL, NULL);
		image = sqlite3_serialize(fresh, "main", &size, 0);
		sqlite3_exec(fresh, "BEGIN", NULL, NULL, NULL);
		sqlite3 *copy = NULL;
		struct err why = {0};
		assert_non_null(image);
		assert_ok(query_open(":memory:", QUERY_WRITE, &copy, &why), &why);
		assert_int_equal(sqlite3_deserialize(copy, "main", image, size, size, SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_RESIZEABLE), SQLITE_OK);
		m->copy[m->count++] = copy;
	}
	return 0;
}

static void gone_on_from_any_copy(void **state)
{
	struct text text = {.max = 1u << 20};
	struct moments m = {0};
	struct replay_options o = {.released = take, .ctx = &m};
	struct err e = {0};
	int64_t inputs = 0;
	(void)state;
	sim_swarm_text(22, &text);
	struct end end = night(text.data);
	assert_true(query_int(end.state, &inputs, &e, "SELECT count(*) FROM input", "") == 1);
	m.every = inputs / 12 + 1;
	same(end.state, &o, "the journal", 0);
	assert_true(m.count >= 10);
	for (int i = 0; i < m.count; i++) {
		struct replay_options from = {.from = m.copy[i]};
		same(end.state, &from, "from copy", i);
		sqlite3_close(m.copy[i]);
	}
	end_free(&end);
	text_free(&text);
}

/* What the telescope was asked for, and what it made of it. */
static char *asked(const struct end *end)
{
	const char *name;
	json_t *row, *out = json_object();
	json_object_foreach(json_object_get(end->ledger, "names"), name, row)
		json_object_set_new(out, name, json_pack("[O,O]", json_object_get(row, "count"), json_object_get(row, "states")));
	char *text = json_canonical(out);
	json_decref(out);
	return text;
}

/* One event, fair weather, a policy that asks once: killed at any instant of the negotiation or later, its calls and answers lost or not. */
static void killed_at_any_instant(void **state)
{
	static const char frame[] = "seed 7\npolicy {\"targets\":{\"top\":5},\"observe\":[{\"epoch\":1,\"after_h\":0,\"filters\":[\"gp\"],\"exposure_s\":60,"
		"\"max_airmass\":2.5}]}\n00:00:01 alert S261124a PRELIMINARY\n%s03:00 settle 10\n";
	static const char *const at[] = {"01.010", "01.060", "01.140", "01.250", "01.340", "01.460", "01.540", "01.660", "01.750", "01.860", "02.500", "06.100", "12.300"};
	char text[800], line[80];
	(void)state;
	snprintf(text, sizeof text, frame, "");
	struct end calm = night(text);
	char *expected = asked(&calm);
	assert_int_equal(json_int(calm.ledger, "submissions", 0), 5);
	for (size_t i = 0; i < 2 * sizeof at / sizeof at[0]; i++) {
		snprintf(line, sizeof line, "00:00:%s crash 0.5%s\n", at[i / 2], i % 2 ? " lost" : "");
		snprintf(text, sizeof text, frame, line);
		struct end end = night(text);
		char *is = asked(&end);
		if (strcmp(is, expected) != 0)
			fail_msg("%s asked %s\nundisturbed %s", line, is, expected);
		free(is);
		end_free(&end);
	}
	free(expected);
	end_free(&calm);
}

static int stage_make(void **state)
{
	char scratch[64];
	struct err e = {0};
	(void)state;
	snprintf(scratch, sizeof scratch, "/tmp/slew-restarts-%d.fits", (int)getpid());
	stage = sim_stage_new(SWARM_UNIVERSE, scratch, &e);
	unlink(scratch);
	return stage ? 0 : -1;
}

static int stage_drop(void **state)
{
	(void)state;
	sim_stage_free(stage);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(opened_anew), cmocka_unit_test(gone_on_from_any_copy), cmocka_unit_test(killed_at_any_instant)};
	return cmocka_run_group_tests(tests, stage_make, stage_drop);
}

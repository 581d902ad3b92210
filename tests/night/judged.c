/* The judge of nights is judged: what it must call broken it does, and what is not the engine's doing it lets pass. */
#include "test.h"
#include "engine/base/query.h"
#include "sim/judge.h"
#include "sim/night.h"
#include <unistd.h>

static struct sim_stage *stage;

/* A state copied before its event, put back after; the look for what it has forgotten is told to wait an hour. */
#define FORGOTTEN "seed 7\n00:05 copy\n00:10 alert S261124f PRELIMINARY\n" \
	"00:10:59 portal faults {\"on\":\"GET /api/requestgroups/\",\"nth\":1,\"count\":1,\"what\":\"429\",\"retry_after_s\":1000000000}\n" \
	"00:10:59 portal faults {\"on\":\"GET /api/observations/\",\"nth\":1,\"count\":100,\"what\":\"503\"}\n00:11 restore 5\n"
#define HERE (&(struct judge){.latency_us = 200000})

typedef void judging(sqlite3 *db, const struct sim_host_place *place);

static void look(void *ctx, sqlite3 *db, const struct sim_host_place *places, size_t count)
{
	judging *const *judge = ctx;
	assert_true(count >= 1);
	if (*judge != NULL)
		(*judge)(db, &places[0]);
}

static struct sim_night_report night(const char *text, judging *judge)
{
	struct err e = {0};
	struct sim_night_report report;
	struct sim_night_options o = {.stage = stage, .no_replay = true, .look = look, .ctx = &judge};
	sim_night_run(text, &o, &report, &e);
	return report;
}

static void run(sqlite3 *db, const char *sql)
{
	struct err e = {0};
	assert_ok(query_run(db, &e, sql, ""), &e);
	assert_int_not_equal(sqlite3_changes(db), 0);
}

static const char *found(sqlite3 *db, const struct sim_host_place *place)
{
	static char broken[64];
	struct err e = {0};
	broken[0] = '\0';
	int rc = judge_place(HERE, place, db, broken, &e);
	assert_int_equal(rc != 0, broken[0] != '\0');
	return broken;
}

static void a_sweep_must_end(void **state)
{
	(void)state;
	assert_string_equal(night(FORGOTTEN "00:30 settle 0.5\n", NULL).broken, "rest-sweep");
	assert_string_equal(night(FORGOTTEN "00:30 settle 6\n", NULL).broken, "");
}

/* What the telescope has and this state has not is a stranger's, unless the copy is still looking. */
static void looking(sqlite3 *db, const struct sim_host_place *place)
{
	assert_string_equal(found(db, place), "");
	run(db, "UPDATE sweep SET state='done',done_seq=started_seq");
	assert_string_equal(found(db, place), "alive");
	run(db, "UPDATE request SET token=token||'x'");
	assert_string_equal(found(db, place), "stranger");
	run(db, "UPDATE sweep SET state='open',restored=0,done_seq=NULL");
	assert_string_equal(found(db, place), "stranger");
	run(db, "UPDATE sweep SET restored=1");
	assert_string_equal(found(db, place), "");
}

static void strangers_and_those_still_looked_for(void **state)
{
	(void)state;
	assert_string_equal(night(FORGOTTEN "00:30 end\n", looking).broken, "");
}

/* Twice, because a person opened the gate before the look had ended; not so when the engine opened it. */
static void opened(sqlite3 *db, const struct sim_host_place *place)
{
	struct err e = {0};
	char broken[64] = "";
	assert_string_equal(found(db, place), "");
	assert_ok(judge_twins(place, 1, db, broken, &e), &e);
	run(db, "UPDATE gate SET lifted_seq=(SELECT min(seq) FROM input WHERE kind='reply') WHERE kind='restore'");
	assert_string_equal(found(db, place), "duplicate");
	assert_int_not_equal(judge_twins(place, 1, db, broken, &e), 0);
	assert_string_equal(broken, "two-alive");
}

static void twice_by_a_person(void **state)
{
	(void)state;
	struct sim_night_report r = night(FORGOTTEN "00:20 order {\"verb\":\"resume\",\"what\":\"all\"}\n00:30 settle 6\n", opened);
	assert_string_equal(r.broken, "");
	assert_true(r.duplicates > 0);
}

static int stage_make(void **state)
{
	char scratch[64];
	struct err e = {0};
	(void)state;
	snprintf(scratch, sizeof scratch, "/tmp/slew-judged-%d.fits", (int)getpid());
	stage = sim_stage_new(7, scratch, &e);
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
	const struct CMUnitTest tests[] = {cmocka_unit_test(a_sweep_must_end), cmocka_unit_test(strangers_and_those_still_looked_for),
		cmocka_unit_test(twice_by_a_person)};
	return cmocka_run_group_tests(tests, stage_make, stage_drop);
}

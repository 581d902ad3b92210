/* Which cells of the life of a request do random nights visit, changing or only counted? SEEDS=n (200), SEED=first; CELLS=1 lists those
 * never visited. Not part of make check: make cells. */
#include "test.h"
#include "engine/base/query.h"
#include "engine/base/text.h"
#include "engine/observation/lifecycle.h"
#include "sim/swarm.h"
#include <unistd.h>

static int64_t visits[LIFE_COUNT][SIGNAL_COUNT];

static int signal_from_name(const char *name)
{
	for (int s = 0; s < SIGNAL_COUNT; s++)
		if (strcmp(signal_name((enum life_signal)s), name) == 0)
			return s;
	return -1;
}

static void look(void *ctx, sqlite3 *db, const struct sim_host_place *place, size_t places)
{
	static const char cells[] = "SELECT from_state,signal,count(*) FROM request_change GROUP BY 1,2 UNION ALL SELECT state,signal,count FROM ignored_signal";
	struct err e = {0};
	sqlite3_stmt *q = query_prepare(db, cells, &e);
	(void)ctx;
	(void)place;
	(void)places;
	assert_non_null(q);
	while (query_step(q, &e) == 1) {
		int state = life_from_name((const char *)sqlite3_column_text(q, 0)), s = signal_from_name((const char *)sqlite3_column_text(q, 1));
		assert_true(state >= 0 && s >= 0);
		visits[state][s] += sqlite3_column_int64(q, 2);
	}
	sqlite3_finalize(q);
}

static void nights_visit(void **unused)
{
	struct err e = {0};
	char scratch[64];
	int64_t seeds = getenv("SEEDS") ? atoll(getenv("SEEDS")) : 200, first = getenv("SEED") ? atoll(getenv("SEED")) : 1;
	int changing = 0, changed = 0, all = 0;
	(void)unused;
	snprintf(scratch, sizeof scratch, "/tmp/slew-cells-%d.fits", (int)getpid());
	struct sim_stage *stage = sim_stage_new(SWARM_UNIVERSE, scratch, &e);
	unlink(scratch);
	assert_non_null(stage);
	for (int64_t i = first; i < first + seeds; i++) {
		struct text text = {.max = 1u << 20};
		struct sim_night_report report;
		struct sim_night_options o = {.stage = stage, .no_replay = true, .look = look};
		sim_swarm_text((uint64_t)i, &text);
		if (sim_night_run(text.data, &o, &report, &e) < 0)
			fail_msg("seed %lld: %s", (long long)i, e.text);
		text_free(&text);
	}
	sim_stage_free(stage);
	for (int state = 0; state < LIFE_COUNT; state++)
		for (int s = 0; s < SIGNAL_COUNT; s++) {
			bool counted;
			life_next((enum life)state, (enum life_signal)s, false, &counted);
			changing += !counted;
			changed += !counted && visits[state][s] > 0;
			all += visits[state][s] > 0;
			if (!counted && visits[state][s] == 0 && getenv("CELLS"))
				printf("# never: %s, %s\n", life_name((enum life)state), signal_name((enum life_signal)s));
		}
	printf("# %lld nights: %d of %d cells that change something, %d of all %d\n", (long long)seeds, changed, changing, all, LIFE_COUNT * SIGNAL_COUNT);
	assert_true(changed > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(nights_visit)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The menu of troubles: every one acts in some of the first nights, and a seed is the same night whenever it is asked for. A trouble that
 * never acts would be a lie. Three are settings of the whole night (a wrong clock, the length of calls and of computations): of those it is not
 * looked at what they do. Ten seconds. */
#include "test.h"
#include "sim/swarm.h"
#include <unistd.h>

#define TROUBLES 100
#define NIGHTS 90 /* at most: it stops when all have acted */

struct seen {
	uint64_t seed;
	struct sim_night_report report;
	int64_t on[TROUBLES], acted[TROUBLES];
	bool looked;
};

static void look(void *ctx, sqlite3 *db, const struct sim_host_place *place, size_t places)
{
	struct seen *s = ctx;
	struct sim_trouble t;
	s->looked = true;
	for (size_t i = 0; i < sim_swarm_menu(i, &t); i++) {
		if (!sim_swarm_has(s->seed, i))
			continue;
		int64_t n = sim_swarm_acted(i, db, place, places, &s->report);
		assert_true(n >= 0); /* its SELECT can be read */
		s->on[i]++;
		s->acted[i] += n > 0;
	}
}

static size_t missing(const struct seen *s, char *names, size_t size)
{
	struct sim_trouble t;
	size_t n = 0;
	names[0] = 0;
	for (size_t i = 0; i < sim_swarm_menu(i, &t); i++)
		if (s->acted[i] == 0) {
			snprintf(names + strlen(names), size - strlen(names), " %s (on in %lld)", t.name, (long long)s->on[i]);
			n++;
		}
	return n;
}

static void every_trouble_acts(void **state)
{
	struct err e = {0};
	struct seen *s = calloc(1, sizeof *s);
	char scratch[64], names[2000] = "?";
	(void)state;
	snprintf(scratch, sizeof scratch, "/tmp/slew-menu-%d.fits", (int)getpid());
	struct sim_stage *stage = sim_stage_new(SWARM_UNIVERSE, scratch, &e);
	unlink(scratch);
	assert_non_null(stage);
	for (s->seed = 1; s->seed <= NIGHTS && missing(s, names, sizeof names) > 0; s->seed++) {
		struct text text = {.max = 1u << 20};
		struct sim_night_options o = {.stage = stage, .no_replay = true, .look = look, .ctx = s};
		sim_swarm_text(s->seed, &text);
		assert_ok(sim_night_run(text.data, &o, &s->report, &e), &e);
		assert_true(s->looked);
		assert_true(s->report.events >= 3 && s->report.facilities >= 2);
		text_free(&text);
	}
	print_message("# %d nights\n", (int)s->seed - 1);
	if (missing(s, names, sizeof names) > 0)
		fail_msg("never acted:%s", names);
	sim_stage_free(stage);
	free(s);
}

static void the_table_is_one(void **state)
{
	struct sim_trouble a, b;
	(void)state;
	size_t n = sim_swarm_menu(0, &a);
	assert_true(n >= 50 && n <= TROUBLES);
	for (size_t i = 0; i < n; i++) {
		sim_swarm_menu(i, &a);
		assert_true(a.chance > 0 && a.chance <= 1 && a.what[0] != 0 && a.seen_by[0] != 0);
		for (size_t k = 0; k < i; k++) {
			sim_swarm_menu(k, &b);
			assert_string_not_equal(a.name, b.name);
		}
	}
}

static void a_seed_is_one_night(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 200; seed++) {
		struct text a = {.max = 1u << 20}, b = {.max = 1u << 20};
		sim_swarm_text(seed, &a);
		sim_swarm_text(seed, &b);
		assert_int_equal(a.len, b.len);
		assert_memory_equal(a.data, b.data, a.len);
		text_free(&a);
		text_free(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(the_table_is_one), cmocka_unit_test(a_seed_is_one_night), cmocka_unit_test(every_trouble_acts)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

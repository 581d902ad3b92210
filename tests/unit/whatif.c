/* What another policy would have done: the same one does the same, to the last bit and without a simulated answer; another one is
 * answered by that night where it asks the same, by a simulated facility where it does not, and no state of its leaves the rules. */
#include "test.h"
#include "engine/base/json.h"
#include "engine/base/query.h"
#include "engine/core/core.h"
#include "sim/compare.h"
#include "sim/night.h"
#include "sim/swarm.h"
#include "sim/whatif.h"

static struct sim_stage *stage;

static void keep(void *ctx, sqlite3 *db, const struct sim_host_place *place, size_t places)
{
	struct err e = {0};
	sqlite3 *copy = NULL;
	(void)place;
	(void)places;
	assert_ok(query_open(":memory:", QUERY_WRITE, &copy, &e), &e);
	sqlite3_backup *backup = sqlite3_backup_init(copy, "main", db, "main");
	assert_non_null(backup);
	assert_int_equal(sqlite3_backup_step(backup, -1), SQLITE_DONE);
	sqlite3_backup_finish(backup);
	*(sqlite3 **)ctx = copy;
}

static sqlite3 *night(const char *text)
{
	struct err e = {0};
	struct sim_night_report report;
	sqlite3 *db = NULL;
	struct sim_night_options o = {.stage = stage, .no_replay = true, .look = keep, .ctx = &db};
	assert_ok(sim_night_run(text, &o, &report, &e), &e);
	return db;
}

static int whatif(sqlite3 *journal, sqlite3 **now, const struct whatif_policy *policies, int count, struct whatif_report *r, struct err *e)
{
	struct compute_host compute = {.read_map = skymap_read, .catalog = sim_stage_catalog(stage)};
	struct whatif_options o = {.policies = policies, .count = count, .compute = &compute};
	assert_ok(query_open(":memory:", QUERY_WRITE, now, e), e);
	return sim_whatif(journal, *now, &o, r, e);
}

static int64_t count(sqlite3 *db, const char *sql)
{
	struct err e = {0};
	int64_t n = -1;
	if (query_int(db, &n, &e, sql, "") < 0)
		fail_msg("%s: %s", sql, e.text);
	return n;
}

/* Random nights, with all their troubles: nothing is decided otherwise. */
static void same(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 5; seed++) {
		struct err e = {0};
		struct whatif_report r;
		struct state_compared c;
		struct text text = {.max = 1u << 20};
		sqlite3 *now = NULL;
		sim_swarm_text(seed, &text);
		sqlite3 *then = night(text.data);
		assert_ok(whatif(then, &now, NULL, 0, &r, &e), &e);
		assert_ok(state_compare(then, now, &c, NULL, NULL, &e), &e);
		if (c.differences > 0 || r.simulated > 0 || r.computed > 0)
			fail_msg("seed %d: %lld simulated, %lld computed, %lld rows differ: %s %s %s was %s is %s at input %lld", (int)seed,
				(long long)r.simulated, (long long)r.computed, (long long)c.differences, c.first.table, c.first.key, c.first.column,
				c.first.was, c.first.is, (long long)c.first.seq);
		assert_string_equal(r.journal, "");
		assert_int_equal(r.inputs, count(then, "SELECT count(*) FROM input"));
		assert_true(r.recorded >= count(then, "SELECT count(*) FROM effect WHERE kind='call' AND released_seq IS NOT NULL"));
		sqlite3_close(now);
		sqlite3_close(then);
		text_free(&text);
	}
}

#define NIGHT "seed 7\npolicy {\"targets\":{\"top\":6}}\n00:00 alert S261124a PRELIMINARY\n00:10 crash 20\n00:20 alert S261124b PRELIMINARY bns=0.6\n" \
	      "00:25 order try {\"verb\":\"cancel\",\"request\":1}\n00:30 alert S261124b RETRACTION\n04:00 end\n"

/* The night's own policy with a change. */
static json_t *policy_of(sqlite3 *then, const char *change)
{
	struct err e = {0};
	json_t *rows = query_rows(then, 1, &e, "SELECT body FROM policy ORDER BY id LIMIT 1", "");
	json_t *body = json_loads(json_text(json_array_get(rows, 0), "body", ""), 0, NULL), *patch = json_loads(change, 0, NULL);
	assert_non_null(body);
	assert_non_null(patch);
	json_object_update_recursive(body, patch);
	json_decref(patch);
	json_decref(rows);
	return body;
}

static void healthy(sqlite3 *now)
{
	struct err e = {0};
	json_t *bad = core_check_rows(now, &e);
	char *text = json_dumps(bad, 0);
	if (json_array_size(bad) > 0)
		fail_msg("%s", text);
	free(text);
	json_decref(bad);
}

static void another(void **state)
{
	struct err e = {0};
	struct whatif_report r;
	sqlite3 *then = night(NIGHT), *now = NULL;
	int64_t asked = count(then, "SELECT count(*) FROM request WHERE submits>0");
	int written = sqlite3_total_changes(then);
	(void)state;
	assert_true(asked > 4);

	/* nothing would have triggered: nothing is asked, and what was answered then reaches nobody */
	json_t *body = policy_of(then, "{\"when\":\"p_bns > 0.99\"}");
	struct whatif_policy p = {"bns-near", body};
	assert_ok(whatif(then, &now, &p, 1, &r, &e), &e);
	assert_int_equal(count(now, "SELECT count(*) FROM request"), 0);
	assert_int_equal(count(now, "SELECT count(*) FROM event"), 2);
	assert_int_equal(count(now, "SELECT count(*) FROM input WHERE kind='order'"), 1);
	assert_int_equal(count(now, "SELECT count(*) FROM temp.answered WHERE verb IN ('offer','submit','cancel')"), 0);
	healthy(now);
	sqlite3_close(now);
	json_decref(body);

	/* one event less: what the first was answered is used, the second is not asked for */
	body = policy_of(then, "{\"when\":\"p_bns > 0.8\"}");
	p.body = body;
	assert_ok(whatif(then, &now, &p, 1, &r, &e), &e);
	assert_int_equal(count(now, "SELECT count(DISTINCT event) FROM request"), 1);
	assert_true(count(now, "SELECT count(*) FROM temp.answered WHERE how='recorded' AND verb='submit'") > 2);
	healthy(now);
	sqlite3_close(now);
	json_decref(body);

	/* more targets, longer exposures: other words, so a simulated facility answers; the maps are still read from the journal */
	body = policy_of(then, "{\"targets\":{\"top\":9},\"observe\":[{\"epoch\":1,\"after_h\":0,\"filters\":[\"rp\"],\"exposure_s\":90,\"max_airmass\":2.5}]}");
	p = (struct whatif_policy){NULL, body};
	assert_ok(whatif(then, &now, &p, 1, &r, &e), &e);
	assert_true(count(now, "SELECT count(*) FROM temp.answered WHERE how='simulated' AND verb='submit'") > 2);
	assert_true(count(now, "SELECT count(*) FROM temp.answered WHERE how='computed' AND verb='rank'") > 0);
	assert_int_equal(count(now, "SELECT count(*) FROM temp.answered WHERE how='computed' AND verb='map'"), 0);
	assert_int_equal(count(now, "SELECT count(*) FROM temp.answered WHERE how='simulated' AND verb='status'"), 0);
	assert_true(count(now, "SELECT count(*) FROM request WHERE state='done'") > 0);
	assert_int_equal(count(now, "SELECT count(*) FROM request WHERE submits>1"), 0);
	assert_int_equal(r.simulated, count(now, "SELECT count(*) FROM temp.answered WHERE how='simulated'"));
	healthy(now);
	sqlite3_close(now);
	json_decref(body);

	/* nothing was written into the night's own state */
	assert_int_equal(count(then, "SELECT count(*) FROM request WHERE submits>0"), asked);
	assert_int_equal(sqlite3_total_changes(then), written);
	sqlite3_close(then);
}

/* The facility holds what it accepted before the ways part: it is handed over, found by token, and cancelled with its event. */
static void handed_over(void **state)
{
	struct err e = {0};
	struct whatif_report r;
	sqlite3 *then = night("seed 7\npolicy {\"targets\":{\"top\":6}}\n00:00 alert S261124a PRELIMINARY\n00:03 policy {\"targets\":{\"top\":3}}\n"
		"00:20 alert S261124b PRELIMINARY\n01:00 alert S261124a RETRACTION\n03:00 end\n"), *now = NULL;
	json_t *body = policy_of(then, "{}");
	struct whatif_policy p = {"bns-near", body};
	(void)state;
	assert_ok(whatif(then, &now, &p, 1, &r, &e), &e);
	assert_true(count(now, "SELECT count(*) FROM temp.answered WHERE how='recorded' AND verb='submit'") >= 4);
	assert_true(count(now, "SELECT count(*) FROM temp.answered WHERE how='simulated' AND verb='submit'") >= 1);
	assert_int_equal(count(now, "SELECT count(*) FROM request WHERE submits>1"), 0);
	assert_int_equal(count(now, "SELECT count(*) FROM request r JOIN event e ON e.id=r.event WHERE e.name='S261124a' AND r.state IN ('asked',"
		"'unsure','accepted','scheduled','cancelling')"), 0);
	healthy(now);
	sqlite3_close(now);
	sqlite3_close(then);
	json_decref(body);
}

static void refused(void **state)
{
	struct err e = {0};
	struct whatif_report r;
	sqlite3 *then = night("seed 7\n00:00 alert S261124a PRELIMINARY\n00:01 end\n"), *now = NULL;
	json_t *body = policy_of(then, "{}");
	struct whatif_policy p = {"ns-far", body};
	(void)state;
	assert_int_equal(whatif(then, &now, &p, 1, &r, &e), -1);
	assert_non_null(strstr(e.text, "has a policy ns-far"));
	sqlite3_close(now);
	sqlite3_close(then);
	json_decref(body);
}

static int stage_make(void **state)
{
	char scratch[64];
	struct err e = {0};
	(void)state;
	snprintf(scratch, sizeof scratch, "/tmp/slew-unit-whatif-%d.fits", (int)getpid());
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
	const struct CMUnitTest tests[] = {cmocka_unit_test(same), cmocka_unit_test(another), cmocka_unit_test(handed_over), cmocka_unit_test(refused)};
	return cmocka_run_group_tests(tests, stage_make, stage_drop);
}

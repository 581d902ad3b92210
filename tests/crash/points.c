/* Crash points: the machine dies at each write, sync, truncate and delete of a canonical night, in turn; what had not been synced is
 * kept, dropped, cut or trashed; then the night goes on from what the disk has. Nothing is lost, nothing is asked twice (I1, I2, I3, I4, I6).
 * The night is played once: at each operation the process forks, and the child is the one that dies. Every second child dies once more
 * in its second life. Each point has one loss, by turns; POINTS=1 tries every point with every loss, POINTS=n every n-th point. */
#include "test.h"
#include "sim/disk.h"
#include "embedded.h"
#include "engine/base/json.h"
#include "engine/base/query.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include "sim/alert_write.h"
#include "sim/host.h"
#include "sim/stage.h"
#include <sys/wait.h>

#define START_US INT64_C(1795478400000000) /* 2026-11-24T00:00:00Z */
#define END_US (START_US + 7 * UTC_MINUTE) /* what ran cannot be stopped: it is done by then */
#define EVENT "S261124a"
#define AT_ONCE 2 /* children that live at the same time */

static struct world {
	struct disk *disk;
	struct sim_stage *stage;
	struct text alert, retraction;
	json_t *config, *setup;
} world;

static void world_alerts(struct err *e)
{
	const struct text *fits;
	assert_ok(sim_stage_map(world.stage, EVENT, EVENT, &fits, e), e);
	struct sim_alert a = {.event = EVENT, .type = "PRELIMINARY", .created_us = START_US, .event_us = START_US - 40 * UTC_SECOND,
		.far_hz = 1e-12, .significant = true, .instruments = "H1,L1,V1", .pipeline = "gstlal", .search = "AllSky", .p_bns = 0.95,
		.p_terrestrial = 0.05, .has_ns = 1, .has_remnant = 1, .map = fits->data, .map_len = fits->len};
	world.alert.max = world.retraction.max = 4u << 20;
	assert_ok(sim_alert_write(&a, &world.alert, e), e);
	a.type = "RETRACTION";
	a.created_us = START_US + 70 * UTC_SECOND;
	a.map = NULL;
	assert_ok(sim_alert_write(&a, &world.retraction, e), e);
}

static void world_make(void)
{
	struct err e = {0};
	char scratch[64];
	snprintf(scratch, sizeof scratch, "/tmp/slew-points-%d.fits", (int)getpid());
	world.stage = sim_stage_new(7, scratch, &e);
	unlink(scratch);
	if (world.stage == NULL)
		fail_msg("%s", e.text);
	world_alerts(&e);
	const struct catalog *catalog = sim_stage_catalog(world.stage);
	json_t *policy = embedded_json("policies/bns-near.json"), *lco = embedded_json("facilities/lco.json");
	json_object_set_new(json_object_get(policy, "targets"), "top", json_integer(4));
	while (json_array_size(json_object_get(policy, "observe")) > 1)
		json_array_remove(json_object_get(policy, "observe"), 1);
	json_object_set_new(json_array_get(json_object_get(policy, "observe"), 0), "exposure_s", json_integer(20));
	world.setup = json_pack("{s:{s:s},s:[{s:s,s:{s:f,s:f,s:f},s:f}],s:i,s:O,s:[{s:s,s:i,s:i,s:s}]}", "tokens", "night-token", "bot",
		"proposals", "id", "TOO2026B", "hours", "NORMAL", 20.0, "TIME_CRITICAL", 10.0, "RAPID_RESPONSE", 10.0, "ipp_h", 5.0, "cycle_s", 30,
		"descriptor", lco, "faults", "on", "POST /api/requestgroups/", "nth", 2, "count", 1, "what", "drop_after");
	world.config = json_pack("{s:s,s:{s:[{s:s,s:s}],s:[{s:s,s:s,s:s,s:{s:f,s:f,s:f},s:i}],s:[s]},s:[o],s:[{s:s,s:s,s:b,s:o}],s:{s:s,s:i}}",
		"installation", "0000beef", "config", "facilities", "name", "lco", "use", "lco", "programmes", "name", "too-lco", "facility", "lco",
		"proposal", "TOO2026B", "hours", "NORMAL", 20.0, "TIME_CRITICAL", 10.0, "RAPID_RESPONSE", 10.0, "triggers", 20, "policies",
		"bns-near", "policies", policy, "facilities", "name", "lco", "use", "lco", "accepts_tests", 0, "descriptor", lco, "catalog",
		"sha256", catalog->sha256, "rows", (int)catalog->count);
	must(world.setup != NULL && world.config != NULL);
}

/* ---- one night, with a death in it ---- */
struct life {
	sqlite3 *db;
	struct sim_portal *portal;
	struct sim_host *host;
	struct compute_host compute;
	int64_t now_us;
};

static int life_start(struct life *l, struct err *e)
{
	int64_t heard = 0;
	if (query_open("points.db", QUERY_WRITE, &l->db, e) < 0)
		return -1;
	struct err ignored = {0}; /* no table yet on a disk that died before the first commit */
	query_int(l->db, &heard, &ignored, "SELECT next_offset FROM source_position", "");
	l->compute = (struct compute_host){.read_map = skymap_read, .catalog = sim_stage_catalog(world.stage)};
	struct sim_host_options o = {.db = l->db, .config = world.config, .portal = l->portal, .authorization = "Token night-token",
		.compute = &l->compute, .compute_by = sim_stage_compute, .compute_ctx = world.stage, .start_us = l->now_us, .offset = heard,
		.check_every_step = true};
	l->host = sim_host_new(&o, e);
	return l->host ? 0 : -1;
}

/* Until then, with what the engine does when it is idle. */
static int life_until(struct life *l, int64_t until_us, struct err *e)
{
	if (sim_host_run(l->host, until_us, e) < 0)
		return -1;
	sqlite3_wal_checkpoint_v2(l->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	return disk_dead(world.disk) ? err_set(e, ERR_STORE, "died in a checkpoint") : 0;
}

/* What a broker would do: everything behind the stored position is sent again. */
static int life_run(struct life *l, struct err *e)
{
	static const int64_t at_us[] = {START_US, START_US + 70 * UTC_SECOND};
	const struct text *message[] = {&world.alert, &world.retraction};
	int64_t heard = 0;
	if (query_int(l->db, &heard, e, "SELECT next_offset FROM source_position", "") < 0)
		return -1;
	for (int64_t i = heard; i < 2; i++) {
		if (life_until(l, at_us[i], e) < 0 || sim_host_alert(l->host, "igwn.gwalert", message[i]->data, message[i]->len, e) < 0)
			return -1;
	}
	return life_until(l, END_US, e);
}

static void life_die(struct life *l, int64_t point, enum disk_loss loss)
{
	l->now_us = (l->host ? sim_host_now(l->host) : l->now_us) + 10 * UTC_SECOND;
	if (l->host != NULL)
		sim_host_die(l->host, point % 2 == 0);
	l->host = NULL;
	sqlite3_close(l->db);
	disk_reboot(world.disk, loss, (uint64_t)point);
}

static int expect(sqlite3 *db, const char *sql, int64_t want, struct err *e)
{
	int64_t got = -1;
	if (query_int(db, &got, e, sql, "") < 0)
		return -1;
	return got == want ? 0 : err_set(e, ERR_INPUT, "%s is %lld, not %lld", sql, (long long)got, (long long)want);
}

static int life_judge(struct life *l, struct err *e)
{
	json_t *ledger = sim_portal_ledger(l->portal), *bad = core_check_rows(l->db, e);
	int64_t duplicates = json_int(ledger, "duplicates", -1), pending = json_int(json_object_get(ledger, "states"), "PENDING", 0);
	char sound[64] = "";
	int rc = bad == NULL ? -1 : json_array_size(bad) ? err_set(e, ERR_STORE, "an invariant is broken") : 0;
	if (rc == 0 && (duplicates != 0 || pending != 0))
		rc = err_set(e, ERR_INPUT, "the portal counts %lld duplicates, %lld pending", (long long)duplicates, (long long)pending);
	if (rc == 0)
		rc = expect(l->db, "SELECT count(*) FROM alert", 2, e);
	if (rc == 0)
		rc = expect(l->db, "SELECT count(*) FROM input WHERE kind='alert'", 2, e);
	if (rc == 0)
		rc = expect(l->db, "SELECT count(*) FROM request WHERE state IN ('planned','offered','held','asked','unsure','accepted','scheduled')", 0, e);
	if (rc == 0 && query_text(l->db, sound, sizeof sound, e, "PRAGMA integrity_check", "") < 0)
		rc = -1;
	if (rc == 0 && strcmp(sound, "ok") != 0)
		rc = err_set(e, ERR_STORE, "integrity_check: %s", sound);
	json_decref(ledger);
	json_decref(bad);
	return rc;
}

/* ---- every point ---- */
struct trial {
	int64_t operations, step, tried, failed;
	int running;
	bool child;
	enum disk_loss loss;
	int64_t again; /* child: operations until its second death; 0 none */
};

static void reap(struct trial *t)
{
	int status = -1;
	must(wait(&status) > 0);
	t->running--;
	t->failed += status != 0;
}

/* true in the child. */
static bool split(struct trial *t, enum disk_loss loss)
{
	if (t->running == AT_ONCE)
		reap(t);
	fflush(NULL);
	pid_t pid = fork();
	must(pid >= 0);
	if (pid == 0) {
		t->child = true;
		t->loss = loss;
		t->again = t->operations % 2 ? 1 + t->operations * 7919 % 211 : 0;
		return true;
	}
	t->running++;
	t->tried++;
	return false;
}

static int fate(void *ctx, char kind)
{
	struct trial *t = ctx;
	if (strchr("wstd", kind) == NULL)
		return 0;
	if (t->child)
		return t->again > 0 && --t->again == 0 ? DISK_DEATH : 0;
	t->operations++;
	for (int loss = 0; loss < DISK_LOSSES; loss++)
		if (t->step == 0 || (t->operations % t->step == 0 && loss == t->operations / t->step % DISK_LOSSES))
			if (split(t, (enum disk_loss)loss))
				return DISK_DEATH;
	return 0;
}

static int live(struct life *l, struct err *e)
{
	return life_start(l, e) < 0 ? -1 : life_run(l, e);
}

/* Returns in the parent and in each child. */
static int night(struct trial *t, struct err *e)
{
	struct life l = {.portal = sim_portal_new(world.setup, 7), .now_us = START_US - UTC_MINUTE};
	disk_ask(world.disk, fate, t);
	int rc = live(&l, e);
	while (disk_dead(world.disk)) {
		*e = (struct err){0};
		life_die(&l, t->operations, t->loss);
		rc = live(&l, e);
	}
	disk_ask(world.disk, NULL, NULL);
	return rc == 0 ? life_judge(&l, e) : rc; /* the process ends: nothing is given back */
}

static void dies_at_each(void **state)
{
	(void)state;
	struct err e = {0};
	const char *every = getenv("POINTS");
	struct trial t = {.step = every ? atoll(every) : 1};
	if (every != NULL && t.step <= 1)
		t.step = 0; /* every loss at each */
	world.disk = disk_new("disk-in-memory");
	world_make();
	int rc = night(&t, &e);
	if (t.child) {
		if (rc < 0)
			fprintf(stderr, "# died at operation %lld, unsynced writes %s: %s\n", (long long)t.operations, disk_loss_name(t.loss), e.text);
		_exit(rc < 0);
	}
	while (t.running > 0)
		reap(&t);
	assert_ok(rc, &e);
	printf("# %lld operations; %lld deaths tried, %lld failed\n", (long long)t.operations, (long long)t.tried, (long long)t.failed);
	assert_true(t.tried > 0);
	assert_int_equal(t.failed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(dies_at_each)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

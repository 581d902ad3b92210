/* Crash points: the machine dies at each write, sync, truncate and delete of a canonical night, in turn; what had not been synced is
 * kept, dropped, cut or trashed; then the night goes on from what the disk has. Nothing is lost, nothing is asked twice (I1, I2, I3, I4, I6).
 * The night is played once: at each operation the process forks, and the child is the one that dies. Every second child dies once more
 * in its second life. Each point has one loss, by turns; POINTS=1 tries every point with every loss, POINTS=n every n-th point. */
#include "test.h"
#include "canonical.h"
#include "engine/base/query.h"
#include "sim/disk.h"
#include "sim/host.h"
#include <sys/wait.h>

#define AT_ONCE 2 /* children that live at the same time */

static struct canonical world;
static struct disk *disk;

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
	struct sim_host_options o = {.db = l->db, .config = world.config, .place = {{"lco", l->portal, CANONICAL_TOKEN}}, .places = 1,
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
	return disk_dead(disk) ? err_set(e, ERR_STORE, "died in a checkpoint") : 0;
}

/* What a broker would do: everything behind the stored position is sent again. */
static int life_run(struct life *l, struct err *e)
{
	int64_t heard = 0;
	if (query_int(l->db, &heard, e, "SELECT next_offset FROM source_position", "") < 0)
		return -1;
	for (int64_t i = heard; i < CANONICAL_MESSAGES; i++) {
		if (life_until(l, world.at_us[i], e) < 0 || sim_host_alert(l->host, CANONICAL_TOPIC, world.message[i].data, world.message[i].len, e) < 0)
			return -1;
	}
	return life_until(l, CANONICAL_END_US, e);
}

static void life_die(struct life *l, int64_t point, enum disk_loss loss)
{
	l->now_us = (l->host ? sim_host_now(l->host) : l->now_us) + 10 * UTC_SECOND;
	if (l->host != NULL)
		sim_host_die(l->host, point % 2 == 0);
	l->host = NULL;
	sqlite3_close(l->db);
	disk_reboot(disk, loss, (uint64_t)point);
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
	struct life l = {.portal = sim_portal_new(world.setup, 7), .now_us = CANONICAL_START_US - UTC_MINUTE};
	disk_ask(disk, fate, t);
	int rc = live(&l, e);
	while (disk_dead(disk)) {
		*e = (struct err){0};
		life_die(&l, t->operations, t->loss);
		rc = live(&l, e);
	}
	disk_ask(disk, NULL, NULL);
	return rc == 0 ? canonical_judge(l.db, l.portal, e) : rc; /* the process ends: nothing is given back */
}

static void dies_at_each(void **state)
{
	(void)state;
	struct err e = {0};
	const char *every = getenv("POINTS");
	struct trial t = {.step = every ? atoll(every) : 1};
	if (every != NULL && t.step <= 1)
		t.step = 0; /* every loss at each */
	disk = disk_new("disk-in-memory");
	canonical_make(&world);
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

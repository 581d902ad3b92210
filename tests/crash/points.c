/* Crash points: the machine dies at each write, sync, truncate and delete of a canonical night, in turn; what had not been synced is
 * kept, dropped, cut or trashed; then the night goes on from what the disk has. Nothing is lost, nothing is asked twice (I1, I2, I3, I4, I6).
 * POINTS=1 tries every point with every loss; by default every POINTS-th (23), the loss by turns. */
#include "test.h"
#include "sim/disk.h"
#include "embedded.h"
#include "engine/base/json.h"
#include "engine/base/query.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include "engine/target/catalog_build.h"
#include "sim/alert_write.h"
#include "sim/host.h"
#include "sim/localise.h"
#include "sim/sky.h"
#include "sim/skymap_write.h"
#include <sys/wait.h>

#define START_US INT64_C(1795478400000000) /* 2026-11-24T00:00:00Z */
#define EVENT "S261124a"

static struct world {
	struct disk *disk;
	struct catalog catalog;
	char catalog_path[64];
	struct text alert, retraction;
	json_t *config, *setup;
} world;

static void world_catalog(const struct sim_sky *sky, struct err *e)
{
	struct text csv = {.max = 64u << 20};
	struct catalog_builder builder;
	char csv_path[80];
	snprintf(world.catalog_path, sizeof world.catalog_path, "/tmp/slew-points-%d.fits", (int)getpid());
	snprintf(csv_path, sizeof csv_path, "%s.csv", world.catalog_path);
	sim_sky_csv(sky, &csv);
	FILE *f = fopen(csv_path, "wb");
	must(f != NULL && fwrite(csv.data, 1, csv.len, f) == csv.len && fclose(f) == 0);
	catalog_builder_init(&builder);
	assert_ok(catalog_build_add(&builder, csv_path, e), e);
	assert_ok(catalog_build_write(&builder, world.catalog_path, NULL, e), e);
	catalog_builder_free(&builder);
	text_free(&csv);
	unlink(csv_path);
	assert_ok(catalog_open(world.catalog_path, &world.catalog, e), e);
}

static void world_alerts(const struct sim_sky *sky, struct err *e)
{
	const struct sim_galaxy *g = &sky->galaxy[sim_sky_host(sky, 7, EVENT, 90.0)];
	struct sim_merger m = {g->ra_deg, g->dec_deg, g->distance_mpc, 60.0, 6.0, 0.2 * g->distance_mpc};
	struct sim_map_header h = {EVENT, "H1,L1,V1", START_US - 40 * UTC_SECOND, START_US};
	struct sim_posterior p;
	struct sim_map map = {0};
	struct text fits = {.max = 4u << 20};
	sim_posterior_make(&m, 7, EVENT, &p);
	assert_ok(sim_map_make(&p, 2, &map, e), e);
	assert_ok(sim_map_fits(&map, &h, &fits, e), e);
	struct sim_alert a = {.event = EVENT, .type = "PRELIMINARY", .created_us = START_US, .event_us = START_US - 40 * UTC_SECOND,
		.far_hz = 1e-12, .significant = true, .instruments = "H1,L1,V1", .pipeline = "gstlal", .search = "AllSky", .p_bns = 0.95,
		.p_terrestrial = 0.05, .has_ns = 1, .has_remnant = 1, .map = fits.data, .map_len = fits.len};
	world.alert.max = world.retraction.max = 4u << 20;
	assert_ok(sim_alert_write(&a, &world.alert, e), e);
	a.type = "RETRACTION";
	a.created_us = START_US + 2 * UTC_MINUTE;
	a.map = NULL;
	assert_ok(sim_alert_write(&a, &world.retraction, e), e);
	text_free(&fits);
	sim_map_free(&map);
}

static void world_make(void)
{
	struct err e = {0};
	struct sim_sky sky = {0};
	struct sim_sky_options options = {.seed = 7};
	assert_ok(sim_sky_make(&options, &sky, &e), &e);
	world_catalog(&sky, &e);
	world_alerts(&sky, &e);
	sim_sky_free(&sky);
	json_t *policy = embedded_json("policies/bns-near.json"), *lco = embedded_json("facilities/lco.json");
	json_object_set_new(json_object_get(policy, "targets"), "top", json_integer(4));
	while (json_array_size(json_object_get(policy, "observe")) > 1)
		json_array_remove(json_object_get(policy, "observe"), 1);
	world.setup = json_pack("{s:{s:s},s:[{s:s,s:{s:f,s:f,s:f},s:f}],s:i,s:O,s:[{s:s,s:i,s:i,s:s}]}", "tokens", "night-token", "bot",
		"proposals", "id", "TOO2026B", "hours", "NORMAL", 20.0, "TIME_CRITICAL", 10.0, "RAPID_RESPONSE", 10.0, "ipp_h", 5.0, "cycle_s", 30,
		"descriptor", lco, "faults", "on", "POST /api/requestgroups/", "nth", 2, "count", 1, "what", "drop_after");
	world.config = json_pack("{s:s,s:{s:[{s:s,s:s}],s:[{s:s,s:s,s:s,s:{s:f,s:f,s:f},s:i}],s:[s]},s:[o],s:[{s:s,s:s,s:b,s:o}],s:{s:s,s:i}}",
		"installation", "0000beef", "config", "facilities", "name", "lco", "use", "lco", "programmes", "name", "too-lco", "facility", "lco",
		"proposal", "TOO2026B", "hours", "NORMAL", 20.0, "TIME_CRITICAL", 10.0, "RAPID_RESPONSE", 10.0, "triggers", 20, "policies",
		"bns-near", "policies", policy, "facilities", "name", "lco", "use", "lco", "accepts_tests", 0, "descriptor", lco, "catalog",
		"sha256", world.catalog.sha256, "rows", (int)world.catalog.count);
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
	l->compute = (struct compute_host){.read_map = skymap_read, .catalog = &world.catalog};
	struct sim_host_options o = {.db = l->db, .config = world.config, .portal = l->portal, .authorization = "Token night-token",
		.compute = &l->compute, .start_us = l->now_us, .offset = heard, .check_every_step = true};
	l->host = sim_host_new(&o, e);
	return l->host ? 0 : -1;
}

/* What a broker would do: everything behind the stored position is sent again. */
static int life_run(struct life *l, struct err *e)
{
	static const int64_t at_us[] = {START_US, START_US + 2 * UTC_MINUTE};
	const struct text *message[] = {&world.alert, &world.retraction};
	int64_t heard = 0;
	if (query_int(l->db, &heard, e, "SELECT next_offset FROM source_position", "") < 0)
		return -1;
	for (int64_t i = heard; i < 2; i++) {
		if (sim_host_run(l->host, at_us[i], e) < 0 || sim_host_alert(l->host, "igwn.gwalert", message[i]->data, message[i]->len, e) < 0)
			return -1;
	}
	return sim_host_run(l->host, START_US + 14 * UTC_MINUTE, e); /* what ran cannot be stopped: it is done by then */
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

/* point 0: nobody dies; *operations gets how many there were. */
static int night(int64_t point, enum disk_loss loss, int64_t *operations, struct err *e)
{
	struct life l = {.portal = sim_portal_new(world.setup, 7), .now_us = START_US - UTC_MINUTE};
	int64_t before = disk_operations(world.disk);
	disk_die_at(world.disk, point);
	int rc = life_start(&l, e);
	if (rc == 0)
		rc = life_run(&l, e);
	if (disk_dead(world.disk)) {
		*e = (struct err){0};
		life_die(&l, point, loss);
		rc = life_start(&l, e);
		if (rc == 0)
			rc = life_run(&l, e);
	}
	*operations = disk_operations(world.disk) - before;
	if (rc == 0)
		rc = life_judge(&l, e);
	return rc; /* the process ends: nothing is given back */
}

/* In a process of its own: 0, or its exit status with what it said on stderr. */
static int apart(int64_t point, enum disk_loss loss)
{
	fflush(NULL);
	pid_t child = fork();
	if (child == 0) {
		struct err e = {0};
		int64_t operations;
		if (night(point, loss, &operations, &e) == 0)
			_exit(0);
		fprintf(stderr, "# died at operation %lld, unsynced writes %s: %s\n", (long long)point, disk_loss_name(loss), e.text);
		_exit(1);
	}
	int status = -1;
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static void dies_at_each(void **state)
{
	(void)state;
	struct err e = {0};
	const char *every = getenv("POINTS");
	int64_t step = every ? atoll(every) : 23, operations = 0, tried = 0, failed = 0;
	step = step < 1 ? 1 : step;
	world.disk = disk_new("disk-in-memory");
	world_make();
	int channel[2];
	assert_int_equal(pipe(channel), 0);
	pid_t child = fork();
	if (child == 0) { /* the night in which nobody dies, to count */
		int rc = night(0, DISK_KEEP, &operations, &e);
		must(write(channel[1], &operations, sizeof operations) == sizeof operations);
		if (rc < 0)
			fprintf(stderr, "# undisturbed: %s\n", e.text);
		_exit(rc < 0);
	}
	int status = -1;
	assert_int_equal(read(channel[0], &operations, sizeof operations), sizeof operations);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	for (int64_t point = 1; point <= operations; point += step)
		for (int loss = 0; loss < DISK_LOSSES; loss++)
			if (step == 1 || loss == (point / step) % DISK_LOSSES) {
				tried++;
				failed += apart(point, (enum disk_loss)loss) != 0;
			}
	printf("# %lld of %lld operations tried as a death, %lld failed\n", (long long)tried, (long long)operations, (long long)failed);
	unlink(world.catalog_path);
	assert_int_equal(failed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(dies_at_each)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

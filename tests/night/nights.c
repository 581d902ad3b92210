/* Runs every night under tests/night and tests/night/regress (those that failed once); NIGHT=name runs one, NIGHT_KEEP=file.db keeps its
 * state to look at. */
#include "test.h"
#include "sim/night.h"
#include <glob.h>
#include <unistd.h>

static struct sim_stage *stage; /* nights of one universe share it */

static void night_keep(void *path, sqlite3 *db, const struct sim_host_place *place, size_t places)
{
	sqlite3 *file = NULL;
	(void)place;
	(void)places;
	if (path == NULL || sqlite3_open(path, &file) != SQLITE_OK)
		return;
	sqlite3_backup *backup = sqlite3_backup_init(file, "main", db, "main");
	if (backup != NULL) {
		sqlite3_backup_step(backup, -1);
		sqlite3_backup_finish(backup);
	}
	sqlite3_close(file);
}

static void one_night(void **state)
{
	struct err e = {0};
	struct sim_night_report report;
	char scratch[64], *text = calloc(1, 1u << 20);
	FILE *f = fopen(*state, "re");
	assert_non_null(text);
	assert_non_null(f);
	(void)!fread(text, 1, (1u << 20) - 1, f);
	fclose(f);
	if (stage == NULL || sim_stage_seed(stage) != sim_night_seed(text)) {
		sim_stage_free(stage);
		snprintf(scratch, sizeof scratch, "/tmp/slew-nights-%d.fits", (int)getpid());
		stage = sim_stage_new(sim_night_seed(text), scratch, &e);
		unlink(scratch);
		assert_non_null(stage);
	}
	struct sim_night_options o = {.stage = stage, .look = night_keep, .ctx = getenv("NIGHT_KEEP")};
	int rc = sim_night_run(text, &o, &report, &e);
	free(text);
	if (rc < 0)
		fail_msg("%s: %s", (const char *)*state, e.text);
}

int main(void)
{
	glob_t found;
	struct CMUnitTest tests[400];
	size_t count = 0;
	if (glob("tests/night/*.night", 0, NULL, &found) != 0)
		return 1;
	(void)glob("tests/night/regress/*.night", GLOB_APPEND, NULL, &found);
	for (size_t i = 0; i < found.gl_pathc && count < 400; i++) {
		const char *only = getenv("NIGHT");
		if (only == NULL || strstr(found.gl_pathv[i], only) != NULL)
			tests[count++] = (struct CMUnitTest){found.gl_pathv[i], one_night, NULL, NULL, found.gl_pathv[i]};
	}
	int rc = _cmocka_run_group_tests("nights", tests, count, NULL, NULL);
	sim_stage_free(stage);
	globfree(&found);
	return rc;
}

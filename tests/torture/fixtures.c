/* What the commands under torture work on: see fixtures.h. */
#define _GNU_SOURCE
#include "fixtures.h"
#include "canonical.h"
#include "engine/base/query.h"
#include "engine/target/catalog_build.h"
#include "sim/host.h"
#include "sim/sky.h"
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CSV_ROWS 150 /* of the table that is built under torture */

struct fixtures fixtures;

static void file_put(const char *name, const void *bytes, size_t len)
{
	char path[200];
	snprintf(path, sizeof path, "%s/%s", fixtures.dir, name);
	FILE *f = fopen(path, "wbe");
	must(f != NULL && fwrite(bytes, 1, len, f) == len && fclose(f) == 0);
}

static void catalogue_make(void)
{
	struct err e = {0};
	struct sim_sky sky = {0};
	struct sim_sky_options options = {.seed = 7};
	struct text csv = {.max = 64u << 20};
	struct catalog_builder builder;
	char csv_path[100], path[100];
	snprintf(csv_path, sizeof csv_path, "%s/cat.csv", fixtures.dir);
	snprintf(path, sizeof path, "%s/cat.fits", fixtures.dir);
	must(sim_sky_make(&options, &sky, &e) == 0);
	sim_sky_csv(&sky, &csv);
	must(!csv.failed);
	file_put("cat.csv", csv.data, csv.len);
	catalog_builder_init(&builder);
	must(catalog_build_add(&builder, csv_path, &e) == 0 && catalog_build_write(&builder, path, NULL, &e) == 0);
	catalog_builder_free(&builder);
	sim_sky_free(&sky);
	const char *end = csv.data;
	for (int i = 0; i <= CSV_ROWS && end != NULL; i++)
		end = strchr(end + 1, '\n');
	file_put("cat.csv", csv.data, end ? (size_t)(end + 1 - csv.data) : csv.len);
	text_free(&csv);
}

/* The canonical night on a real disk. */
static void state_make(struct canonical *c, const char *path)
{
	struct err e = {0};
	sqlite3 *db;
	struct sim_portal *portal = sim_portal_new(c->setup, 7);
	struct compute_host compute = {.read_map = skymap_read, .catalog = sim_stage_catalog(c->stage)};
	must(portal != NULL && query_open(path, QUERY_WRITE, &db, &e) == 0);
	query_run(db, &e, "PRAGMA synchronous=OFF", "");
	struct sim_host_options o = {.db = db, .config = c->config, .place = {{"lco", portal, CANONICAL_TOKEN}}, .places = 1,
		.compute = &compute,
		.compute_by = sim_stage_compute, .compute_ctx = c->stage, .start_us = CANONICAL_START_US - UTC_MINUTE};
	struct sim_host *h = sim_host_new(&o, &e);
	int rc = h ? 0 : -1;
	for (int i = 0; rc == 0 && i < CANONICAL_MESSAGES; i++)
		rc = sim_host_run(h, c->at_us[i], &e) < 0 ? -1 : sim_host_alert(h, CANONICAL_TOPIC, c->message[i].data, c->message[i].len, &e);
	if (rc == 0)
		rc = sim_host_run(h, CANONICAL_END_US, &e);
	if (rc != 0)
		fprintf(stderr, "# the canonical night: %s\n", e.text);
	must(rc == 0);
	sim_host_free(h);
	sim_portal_free(portal);
	sqlite3_close(db);
}

void fixtures_make(int workers)
{
	static const char night[] = "{\"state\": \"run.db\", \"sources\": [{\"name\": \"spool\", \"type\": \"spool\", \"path\": \"in\"}], "
		"\"facilities\": [], \"programmes\": [], \"policies\": [\"tell-all\"]}\n";
	static const char nights[] = "seed 7\n00:00 alert S261124a PRELIMINARY\n00:02 alert S261124a RETRACTION\n00:10 end\n";
	static struct canonical c;
	char path[200], command[500];
	snprintf(fixtures.dir, sizeof fixtures.dir, "/tmp/slew-tortureXXXXXX");
	must(mkdtemp(fixtures.dir) != NULL);
	canonical_make(&c);
	const struct text *map;
	struct err e = {0};
	must(sim_stage_map(c.stage, "S261124a", "S261124a", &map, &e) == 0);
	file_put("map.fits", map->data, map->len);
	file_put("alert.json", c.message[0].data, c.message[0].len);
	file_put("night.json", night, sizeof night - 1);
	file_put("short.night", nights, sizeof nights - 1);
	catalogue_make();
	snprintf(path, sizeof path, "%s/in", fixtures.dir);
	must(mkdir(path, 0700) == 0);
	snprintf(path, sizeof path, "%s/state.db", fixtures.dir);
	state_make(&c, path);
	for (int i = 0; i < workers; i++) {
		snprintf(command, sizeof command, "mkdir -p %s/%d && cp %s/state.db %s/night.json %s/%d/", fixtures.dir, i,
			fixtures.dir, fixtures.dir, fixtures.dir, i);
		must(system(command) == 0);
	}
}

static int removed(const char *path, const struct stat *st, int type, struct FTW *f)
{
	(void)st;
	(void)type;
	(void)f;
	return remove(path);
}

void fixtures_remove(void)
{
	nftw(fixtures.dir, removed, 16, FTW_DEPTH | FTW_PHYS);
}

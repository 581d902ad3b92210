/* The shared universe: see stage.h. */
#include "sim/stage.h"
#include "engine/base/json.h"
#include "engine/base/utc.h"
#include "engine/target/catalog_build.h"
#include "sim/localise.h"
#include "sim/sky.h"
#include "sim/skymap_write.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STAGE_MAPS 256
#define STAGE_ANSWERS 4096
#define MAP_TIME_US (INT64_C(1795478400) * UTC_SECOND) /* 2026-11-24: the same bytes whenever a night uses it */

struct stage_map {
	char event[64], stream[80];
	struct text fits;
};

struct sim_stage {
	uint64_t seed;
	struct sim_sky sky;
	struct catalog catalog;
	struct stage_map map[STAGE_MAPS];
	int maps;
	json_t *answers; /* job as text → result */
};

static int catalog_make(struct sim_stage *s, const char *path, struct err *e)
{
	struct text csv = {.max = 64u << 20};
	struct catalog_builder builder;
	char name[40];
	catalog_builder_init(&builder);
	sim_sky_csv(&s->sky, &csv);
	snprintf(name, sizeof name, "sim-%llu", (unsigned long long)s->seed);
	int rc = csv.failed ? err_set(e, ERR_MEMORY, "no memory for a made-up catalogue") : catalog_build_memory(&builder, name, csv.data, csv.len, e);
	if (rc == 0)
		rc = catalog_build_write(&builder, path, NULL, e);
	catalog_builder_free(&builder);
	text_free(&csv);
	return rc < 0 ? -1 : catalog_open(path, &s->catalog, e);
}

struct sim_stage *sim_stage_new(uint64_t seed, const char *scratch, struct err *e)
{
	struct sim_stage *s = calloc(1, sizeof *s);
	struct sim_sky_options options = {.seed = seed};
	if (s == NULL) {
		err_set(e, ERR_MEMORY, "no memory for a universe");
		return NULL;
	}
	s->seed = seed;
	s->answers = json_object();
	if (sim_sky_make(&options, &s->sky, e) < 0 || catalog_make(s, scratch, e) < 0) {
		sim_stage_free(s);
		return NULL;
	}
	return s;
}

void sim_stage_free(struct sim_stage *s)
{
	if (s == NULL)
		return;
	for (int i = 0; i < s->maps; i++)
		text_free(&s->map[i].fits);
	catalog_close(&s->catalog);
	sim_sky_free(&s->sky);
	json_decref(s->answers);
	free(s);
}

uint64_t sim_stage_seed(const struct sim_stage *s)
{
	return s->seed;
}

const struct catalog *sim_stage_catalog(const struct sim_stage *s)
{
	return &s->catalog;
}

const struct sim_sky *sim_stage_sky(const struct sim_stage *s)
{
	return &s->sky;
}

static int map_make(struct sim_stage *s, const char *event, const char *stream, struct text *fits, struct err *e)
{
	int64_t host = sim_sky_host(&s->sky, s->seed, event, 90.0);
	if (host < 0)
		return err_set(e, ERR_INPUT, "no host in this sky");
	const struct sim_galaxy *g = &s->sky.galaxy[host];
	struct sim_merger m = {g->ra_deg, g->dec_deg, g->distance_mpc, 60.0, 6.0, 0.2 * g->distance_mpc};
	const char *kind = strrchr(stream, '-');
	if (kind != NULL && strcmp(kind, "-moved") == 0) { /* more data: a smaller area, another centre */
		m.area90_deg2 = 25;
		m.sigma_mpc = 0.12 * g->distance_mpc;
	} else if (kind != NULL && strcmp(kind, "-noise") == 0) { /* nothing merged: nobody's place */
		m.ra_deg = fmod(g->ra_deg + 137, 360);
		m.dec_deg = -g->dec_deg / 2;
	}
	struct sim_posterior p;
	struct sim_map map = {0};
	sim_posterior_make(&m, s->seed, stream, &p);
	if (sim_map_make(&p, 4, &map, e) < 0)
		return -1;
	struct sim_map_header h = {event, "H1,L1,V1", MAP_TIME_US, MAP_TIME_US + 40 * UTC_SECOND};
	int rc = sim_map_fits(&map, &h, fits, e);
	sim_map_free(&map);
	return rc;
}

int sim_stage_map(struct sim_stage *s, const char *event, const char *stream, const struct text **fits, struct err *e)
{
	for (int i = 0; i < s->maps; i++)
		if (strcmp(s->map[i].event, event) == 0 && strcmp(s->map[i].stream, stream) == 0) {
			*fits = &s->map[i].fits;
			return 0;
		}
	if (s->maps == STAGE_MAPS)
		return err_set(e, ERR_LIMIT, "more than %d sky maps in one universe", STAGE_MAPS);
	struct stage_map *m = &s->map[s->maps];
	*m = (struct stage_map){.fits.max = 4u << 20};
	if (!text_copy(m->event, sizeof m->event, event) || !text_copy(m->stream, sizeof m->stream, stream))
		return err_set(e, ERR_INPUT, "the name of an event or map is too long");
	if (map_make(s, event, stream, &m->fits, e) < 0) {
		text_free(&m->fits);
		return -1;
	}
	s->maps++;
	*fits = &m->fits;
	return 0;
}

int sim_stage_compute(void *ctx, const struct compute_host *host, const json_t *job, json_t **result, struct err *e)
{
	struct sim_stage *s = ctx;
	const char *kind = json_text(job, "kind", "");
	if (strcmp(kind, "map") != 0 && strcmp(kind, "rank") != 0)
		return compute_run(host, job, result, e);
	char *text = json_canonical(job);
	if (text == NULL)
		return err_set(e, ERR_MEMORY, "no memory for a computation");
	json_t *known = json_object_get(s->answers, text);
	*result = json_incref(known);
	int rc = known ? 0 : compute_run(host, job, result, e);
	if (known == NULL && rc == 0 && json_object_size(s->answers) < STAGE_ANSWERS)
		json_object_set(s->answers, text, *result);
	free(text);
	return rc;
}

/* Times the ranking warm, in this process, and tells what memory it took. A test's tool, no part of the program.
 *
 *	rank_time CATALOG MAP [RUNS [TOP [CASE]]]
 *
 * One line a case: `in_process CASE runs=N min_ms=… median_ms=… max_ms=… considered=… anon_shmem_mib=…` (RssAnon + RssShmem of the whole
 * process, after it; the map's own memory is told first). */
#include "engine/target/probability.h"
#include "engine/target/rank.h"
#include "engine/target/volume.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RUNS_MAX 101

static double now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double memory_mib(void)
{
	char line[256];
	long kib = 0, n;
	FILE *f = fopen("/proc/self/status", "r");
	while (f != NULL && fgets(line, sizeof line, f) != NULL)
		if (sscanf(line, "RssAnon: %ld", &n) == 1 || sscanf(line, "RssShmem: %ld", &n) == 1)
			kib += n;
	if (f != NULL)
		fclose(f);
	return (double)kib / 1024;
}

static int ms_compare(const void *a, const void *b)
{
	double p = *(const double *)a, q = *(const double *)b;
	return p < q ? -1 : p > q;
}

static int map_open(const char *path, struct skymap *m, struct err *e)
{
	FILE *f = fopen(path, "rb");
	unsigned char *bytes = malloc(256u << 20);
	size_t n = f != NULL && bytes != NULL ? fread(bytes, 1, 256u << 20, f) : 0;
	if (f != NULL)
		fclose(f);
	int rc = n > 0 ? skymap_read(bytes, n, m, e) : err_set(e, ERR_INPUT, "%s: cannot be read", path);
	free(bytes);
	return rc;
}

struct work {
	const char *name;
	struct rank_options options;
	enum weight_kind weight;       /* of probabilities */
	bool probabilities, credible;  /* the chance of each of the list to be the host; its credible level, V50 and V90 */
};

static int levels_make(const struct skymap *m, const struct catalog *c, const struct ranking *r, double *level, struct err *e)
{
	struct volume v;
	if (volume_open(&v, m, e) < 0)
		return -1;
	for (size_t i = 0; i < r->count; i++)
		level[i] = volume_density(m, catalog_ipix(c, r->list[i].row), catalog_distance_mpc(c, r->list[i].row));
	int rc = volume_levels(&v, level, r->count, level, e);
	if (rc == 0 && !(volume_credible(&v, 0.5) < volume_credible(&v, 0.9)))
		rc = err_set(e, ERR_INPUT, "the map does not reach its 50 and 90 %% volumes");
	volume_close(&v);
	return rc;
}

/* All of one case, as `slew rank` does it; *considered is given. */
static int once(const struct work *w, const struct skymap *m, const struct catalog *c, int64_t top, long long *considered, struct err *e)
{
	struct rank_options o = w->options;
	struct probability_model model = {.census = NULL};
	struct probability p;
	struct ranking r = {0};
	double *level = calloc((size_t)top + 1, sizeof *level);
	int rc = level != NULL ? 0 : err_set(e, ERR_MEMORY, "no memory");
	o.top = top;
	if (rc == 0 && w->probabilities) {
		rc = probability_model_make(&model, c, w->weight, NULL, NAN, e);
		o.by = &model.weight;
	}
	if (rc == 0)
		rc = rank_galaxies(m, c, &o, &r, e);
	if (rc == 0 && w->probabilities)
		probability_make(&p, m, &model.missing, &r, NULL);
	for (size_t i = 0; rc == 0 && w->probabilities && i < r.count; i++)
		if (!(probability_row(&p, &model.weight, c, &r.list[i]) > 0))
			rc = err_set(e, ERR_INPUT, "a galaxy of the list has no probability");
	if (rc == 0 && w->credible)
		rc = levels_make(m, c, &r, level, e);
	*considered = (long long)r.considered;
	rank_free(&r);
	probability_model_free(&model);
	free(level);
	return rc;
}

int main(int argc, char **argv)
{
	static const struct work cases[] = {
		{"list", {.distance_error = true, .list_only = true}, WEIGHT_NONE, false, false},
		{"list_luminosity", {.weight = RANK_LUMINOSITY, .distance_error = true, .list_only = true}, WEIGHT_NONE, false, false},
		{"shares", {.distance_error = true, .probability = NAN}, WEIGHT_NONE, true, false},
		{"shares_luminosity", {.distance_error = true, .probability = NAN}, WEIGHT_LUMINOSITY, true, false},
		{"shares_no_error", {.probability = NAN}, WEIGHT_NONE, true, false},
		{"credible", {.distance_error = true, .probability = NAN}, WEIGHT_NONE, true, true},
	};
	int runs = argc > 3 ? atoi(argv[3]) : 7;
	int64_t top = argc > 4 ? atoll(argv[4]) : 1000;
	struct catalog c;
	struct skymap m;
	struct err e = {0};
	if (argc < 3 || runs < 1 || runs > RUNS_MAX || top < 1) {
		fprintf(stderr, "usage: rank_time CATALOG MAP [RUNS [TOP [CASE]]]\n");
		return 2;
	}
	if (catalog_open(argv[1], &c, &e) < 0 || map_open(argv[2], &m, &e) < 0) {
		fprintf(stderr, "rank_time: %s\n", e.text);
		return 1;
	}
	printf("map cells=%lld rows=%lld anon_shmem_mib=%.1f\n", (long long)m.cells, (long long)c.count, memory_mib());
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		double ms[RUNS_MAX];
		long long considered = 0;
		if (argc > 5 && strcmp(argv[5], cases[i].name) != 0)
			continue;
		for (int k = -1; k < runs; k++) { /* once unmeasured: warm */
			double start = now_ms();
			if (once(&cases[i], &m, &c, top, &considered, &e) < 0) {
				fprintf(stderr, "rank_time: %s\n", e.text);
				return 1;
			}
			ms[k < 0 ? 0 : k] = now_ms() - start;
		}
		qsort(ms, (size_t)runs, sizeof ms[0], ms_compare);
		printf("in_process %s runs=%d min_ms=%.2f median_ms=%.2f max_ms=%.2f considered=%lld anon_shmem_mib=%.1f\n", cases[i].name, runs, ms[0],
			ms[runs / 2], ms[runs - 1], considered, memory_mib());
	}
	skymap_free(&m);
	catalog_close(&c);
	return 0;
}

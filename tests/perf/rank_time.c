/* Times the ranking warm, in this process, and tells what memory it took. A test's tool, no part of the program.
 *
 *	rank_time CATALOG MAP [RUNS [TOP [CASE]]]
 *
 * One line a case: `in_process CASE runs=N min_ms=… median_ms=… max_ms=… considered=… anon_shmem_mib=…` (RssAnon + RssShmem of the whole
 * process, after it; the map's own memory is told first). */
#include "engine/target/rank.h"
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

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		struct rank_options options;
	} cases[] = {
		{"list", {.distance_error = true, .list_only = true}},
		{"list_luminosity", {.weight = RANK_LUMINOSITY, .distance_error = true, .list_only = true}},
		{"shares", {.distance_error = true, .probability = NAN}},
		{"shares_luminosity", {.weight = RANK_LUMINOSITY, .distance_error = true, .probability = NAN}},
		{"shares_no_error", {.probability = NAN}},
	};
	int runs = argc > 3 ? atoi(argv[3]) : 7;
	struct catalog c;
	struct skymap m;
	struct err e = {0};
	if (argc < 3 || runs < 1 || runs > RUNS_MAX) {
		fprintf(stderr, "usage: rank_time CATALOG MAP [RUNS [TOP [CASE]]]\n");
		return 2;
	}
	if (catalog_open(argv[1], &c, &e) < 0 || map_open(argv[2], &m, &e) < 0) {
		fprintf(stderr, "rank_time: %s\n", e.text);
		return 1;
	}
	printf("map cells=%lld rows=%lld anon_shmem_mib=%.1f\n", (long long)m.cells, (long long)c.count, memory_mib());
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct rank_options o = cases[i].options;
		if (argc > 5 && strcmp(argv[5], cases[i].name) != 0)
			continue;
		struct ranking r = {0};
		double ms[RUNS_MAX];
		o.top = argc > 4 ? atoll(argv[4]) : 1000;
		for (int k = -1; k < runs; k++) { /* once unmeasured: warm */
			rank_free(&r);
			double start = now_ms();
			if (rank_galaxies(&m, &c, &o, &r, &e) < 0) {
				fprintf(stderr, "rank_time: %s\n", e.text);
				return 1;
			}
			ms[k < 0 ? 0 : k] = now_ms() - start;
		}
		qsort(ms, (size_t)runs, sizeof ms[0], ms_compare);
		printf("in_process %s runs=%d min_ms=%.2f median_ms=%.2f max_ms=%.2f considered=%lld anon_shmem_mib=%.1f\n", cases[i].name, runs, ms[0],
			ms[runs / 2], ms[runs - 1], (long long)r.considered, memory_mib());
		rank_free(&r);
	}
	skymap_free(&m);
	catalog_close(&c);
	return 0;
}

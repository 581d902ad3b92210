/* Times of something done many times, printed as one line: NAME min median max unit. */
#ifndef TESTS_PERF_FIGURES_H
#define TESTS_PERF_FIGURES_H
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define FIGURES_MAX 64

struct figures {
	int count;
	double ms[FIGURES_MAX];
};

static inline double figures_now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static inline void figures_add(struct figures *f, double ms)
{
	if (f->count < FIGURES_MAX)
		f->ms[f->count++] = ms;
}

static inline int figures_compare(const void *a, const void *b)
{
	const double *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

/* Sorts them, and prints; the median is the lower one of an even number. */
static inline void figures_print(const char *name, struct figures *f)
{
	qsort(f->ms, (size_t)f->count, sizeof *f->ms, figures_compare);
	if (f->count > 0)
		printf("%-44s %10.3f %10.3f %10.3f ms\n", name, f->ms[0], f->ms[(f->count - 1) / 2], f->ms[f->count - 1]);
}
#endif

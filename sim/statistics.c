/* Intervals and tests: see statistics.h. */
#include "sim/statistics.h"
#include "sim/random.h"
#include <math.h>
#include <stdlib.h>

#define RESAMPLES 2000
#define Z95	  1.959963984540054

struct interval statistics_wilson(int64_t k, int64_t n)
{
	if (n <= 0)
		return (struct interval){0, 1};
	double p = (double)k / (double)n, z2 = Z95 * Z95, size = (double)n;
	double middle = (p + z2 / (2 * size)) / (1 + z2 / size), half = Z95 / (1 + z2 / size) * sqrt(p * (1 - p) / size + z2 / (4 * size * size));
	return (struct interval){k == 0 ? 0 : middle - half, k == n ? 1 : middle + half};
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

static double sorted_quantile(const double *values, size_t n, double q)
{
	double at = q * (double)(n - 1);
	size_t low = (size_t)at;
	return low + 1 < n ? values[low] + (at - (double)low) * (values[low + 1] - values[low]) : values[n - 1];
}

double statistics_quantile(double *values, size_t n, double q)
{
	if (n == 0)
		return NAN;
	qsort(values, n, sizeof *values, ascending);
	return sorted_quantile(values, n, q);
}

double statistics_mcnemar(int64_t a, int64_t b)
{
	int64_t n = a + b, least = a < b ? a : b;
	double sum = 0;
	for (int64_t k = 0; k <= least; k++)
		sum += exp(lgamma((double)n + 1) - lgamma((double)k + 1) - lgamma((double)(n - k) + 1) - (double)n * M_LN2);
	return fmin(1, 2 * sum);
}

/* One resample's figure; scratch holds n. */
static double resampled(const double *x, const double *y, size_t n, enum statistic what, struct rng *r, double *scratch)
{
	double sum = 0, under = 0;
	for (size_t i = 0; i < n; i++) {
		size_t k = (size_t)rng_below(r, (int)n);
		scratch[i] = x[k];
		sum += x[k];
		under += what == STATISTIC_RATIO ? y[k] : 1;
	}
	if (what == STATISTIC_MEDIAN)
		return statistics_quantile(scratch, n, 0.5);
	return under > 0 ? sum / under : 0;
}

struct interval statistics_bootstrap(const double *x, const double *y, size_t n, enum statistic what, uint64_t seed)
{
	struct interval out = {NAN, NAN};
	double *all = malloc(sizeof *all * RESAMPLES), *scratch = malloc(sizeof *scratch * (n + 1));
	struct rng r;
	rng_seed(&r, seed, "bootstrap");
	if (n >= 2 && all != NULL && scratch != NULL) {
		for (int i = 0; i < RESAMPLES; i++)
			all[i] = resampled(x, y, n, what, &r, scratch);
		out.low = statistics_quantile(all, RESAMPLES, 0.025);
		out.high = sorted_quantile(all, RESAMPLES, 0.975);
	}
	free(all);
	free(scratch);
	return out;
}

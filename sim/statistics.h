/* The little statistics of ensembles: what a fraction, a median or a difference is worth. Pure; chance only from a given seed. */
#ifndef SIM_STATISTICS_H
#define SIM_STATISTICS_H
#include <stddef.h>
#include <stdint.h>

struct interval {
	double low, high;
};

/* 95 % score interval of k successes in n (Wilson 1927, JASA 22, 209). [0, 1] for n = 0. */
struct interval statistics_wilson(int64_t k, int64_t n);

/* Quantile 0 … 1 of values, which are sorted here; linear between order statistics (Hyndman & Fan 1996, type 7). NAN for n = 0. */
double statistics_quantile(double *values, size_t n, double q);

/* Two-sided exact p of McNemar's test: of the pairs that differ, a went one way and b the other; binomial with 1/2. 1 when none differs. */
double statistics_mcnemar(int64_t a, int64_t b);

enum statistic { STATISTIC_MEAN, STATISTIC_MEDIAN, STATISTIC_RATIO };
/* 95 % percentile interval by the bootstrap (Efron 1979): 2000 resamples of the n pairs, the seed fixed by the caller. MEAN and MEDIAN of
 * x; RATIO: sum of x over sum of y (y may be NULL else). NANs for n < 2. */
struct interval statistics_bootstrap(const double *x, const double *y, size_t n, enum statistic what, uint64_t seed);
#endif

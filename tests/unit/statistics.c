/* Intervals and tests of ensembles against numbers from elsewhere. */
#include "sim/statistics.h"
#include "sim/random.h"
#include "test.h"
#include <math.h>

#define assert_near(got, want, within) assert_true(fabs((got) - (want)) <= (within))

static void wilson(void **state)
{
	(void)state;
	/* Newcombe 1998 (Stat. Med. 17, 857), table I, method 3: 81/263, 15/148, 0/20, 1/29 */
	static const struct {
		int64_t k, n;
		double low, high;
	} known[] = {{81, 263, 0.2553, 0.3662}, {15, 148, 0.0624, 0.1605}, {0, 20, 0, 0.1611}, {1, 29, 0.0061, 0.1718}};
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		struct interval w = statistics_wilson(known[i].k, known[i].n);
		assert_near(w.low, known[i].low, 0.00006);
		assert_near(w.high, known[i].high, 0.00006);
	}
	assert_true(statistics_wilson(0, 0).high == 1.0 && statistics_wilson(7, 7).high == 1.0);
}

static void quantiles(void **state)
{
	double x[] = {15, 20, 35, 40, 50};
	(void)state;
	assert_near(statistics_quantile(x, 5, 0.4), 29, 1e-12); /* type 7: R's quantile(c(15,20,35,40,50), 0.4) */
	assert_near(statistics_quantile(x, 5, 0.5), 35, 1e-12);
	assert_near(statistics_quantile(x, 5, 1), 50, 1e-12);
	assert_true(isnan(statistics_quantile(x, 0, 0.5)));
}

static void mcnemar(void **state)
{
	(void)state;
	assert_near(statistics_mcnemar(0, 0), 1, 1e-12);
	assert_near(statistics_mcnemar(5, 5), 1, 1e-12);
	assert_near(statistics_mcnemar(0, 6), 2.0 / 64, 1e-12);
	assert_near(statistics_mcnemar(2, 8), 2 * (1 + 10 + 45) / 1024.0, 1e-12);
	assert_near(statistics_mcnemar(8, 2), statistics_mcnemar(2, 8), 1e-12);
}

static void bootstrap(void **state)
{
	double x[400], y[400], sum = 0;
	struct rng r;
	(void)state;
	rng_seed(&r, 3, "data");
	for (int i = 0; i < 400; i++) {
		x[i] = 10 + 2 * rng_normal(&r);
		y[i] = 2;
		sum += x[i];
	}
	struct interval m = statistics_bootstrap(x, NULL, 400, STATISTIC_MEAN, 1), again = statistics_bootstrap(x, NULL, 400, STATISTIC_MEAN, 1);
	struct interval ratio = statistics_bootstrap(x, y, 400, STATISTIC_RATIO, 1), median = statistics_bootstrap(x, NULL, 400, STATISTIC_MEDIAN, 1);
	/* mean ± 1.96 sigma / sqrt(400) */
	assert_near((m.low + m.high) / 2, sum / 400, 0.05);
	assert_near(m.high - m.low, 2 * 1.96 * 2 / 20, 0.05);
	assert_true(m.low == again.low && m.high == again.high);
	assert_near(ratio.low, m.low / 2, 1e-9);
	assert_true(median.low < 10.1 && median.high > 9.9 && median.high - median.low > m.high - m.low); /* a median is worth less */
	assert_true(isnan(statistics_bootstrap(x, NULL, 1, STATISTIC_MEAN, 1).low));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(wilson), cmocka_unit_test(quantiles), cmocka_unit_test(mcnemar), cmocka_unit_test(bootstrap)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

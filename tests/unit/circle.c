/* Error circles as maps: what is inside, what the areas are, at the poles and for circles of arc seconds and of half the sky. */
#include "test.h"
#include "engine/target/circle.h"
#include "engine/target/region.h"
#include <chealpix.h>
#include <math.h>

#define DEG (M_PI / 180)

static double inside(const struct skymap *m, double ra_deg, double dec_deg, double radius_deg)
{
	double sum = 0, c[3] = {cos(dec_deg * DEG) * cos(ra_deg * DEG), cos(dec_deg * DEG) * sin(ra_deg * DEG), sin(dec_deg * DEG)};
	for (int64_t i = 0; i < m->cells; i++) {
		double v[3], square = 0;
		int order = skymap_order(m->uniq[i]);
		pix2vec_nest64(INT64_C(1) << order, (int64_t)(m->uniq[i] - (UINT64_C(4) << (2 * order))), v);
		for (int k = 0; k < 3; k++)
			square += (v[k] - c[k]) * (v[k] - c[k]);
		if (2 * asin(sqrt(square) / 2) <= radius_deg * DEG)
			sum += m->density[i] * skymap_pixel_sr(order);
	}
	return sum;
}

/* 50 and 90 % of a two-dimensional Gaussian lie within 1.1774 and 2.1460 σ; the 90 % area of a small circle of 90 % is its own, π E². */
static void holds_what_it_says(void **state)
{
	static const double at[][3] = {{77.36, 5.69, 0.5}, {0, 90, 1}, {359.99, -89.9, 0.1}, {10, 41.3, 2.0 / 3600}, {200, -20, 15}, {120, 60, 80}};
	(void)state;
	for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
		struct skymap m;
		struct region r;
		struct err e = {0};
		assert_ok(circle_map(at[i][0], at[i][1], at[i][2], 0.9, &m, &e), &e);
		assert_ok(skymap_check(&m, &e), &e);
		assert_true(fabs(inside(&m, at[i][0], at[i][1], at[i][2]) - 0.9) < 0.02);
		assert_ok(region_of(&m, &r, &e), &e);
		double cap = 2 * M_PI * (1 - cos(at[i][2] * DEG)) / (DEG * DEG), small = M_PI * at[i][2] * at[i][2];
		assert_true(fabs(r.area90_deg2 / (at[i][2] > 0.01 ? cap : small) - 1) < 0.03);
		if (at[i][2] < 10)
			assert_true(fabs(inside(&m, at[i][0], at[i][1], at[i][2] * 1.17741 / 2.14597) - 0.5) < 0.03);
		assert_true(fabs(r.probability - 1) < 1e-9 && isnan(r.distmean_mpc) && m.cells < 60000);
		skymap_free(&m);
	}
}

/* A 68 % circle of the same map is smaller. */
static void levels(void **state)
{
	struct skymap m;
	struct err e = {0};
	(void)state;
	assert_ok(circle_map(30, 10, 1, 0.68, &m, &e), &e);
	assert_true(fabs(inside(&m, 30, 10, 1) - 0.68) < 0.02);
	assert_true(fabs(inside(&m, 30, 10, sqrt(log(10) / -log(0.32))) - 0.9) < 0.02);
	skymap_free(&m);
	assert_int_equal(circle_map(30, 91, 1, 0.9, &m, &e), -1);
	assert_int_equal(circle_map(30, 10, 0, 0.9, &m, &e), -1);
	assert_int_equal(circle_map(30, 10, 91, 0.9, &m, &e), -1);
	assert_int_equal(circle_map(30, 10, 1, 1.0, &m, &e), -1);
	assert_int_equal(circle_map(NAN, 10, 1, 0.9, &m, &e), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(holds_what_it_says), cmocka_unit_test(levels)};
	return cmocka_run_group_tests_name("circle", tests, NULL, NULL);
}

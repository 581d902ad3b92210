/* Credible volumes: one Gaussian in distance over the whole sky, whose probability and volume inside a density have closed forms (here in long
 * double, by the C library's error function); random skies against brute-force voxels; levels of places; what has no volume. */
#include "test.h"
#include "engine/target/volume.h"
#include <math.h>

enum { CELLS = 192 };

struct sky {
	struct skymap m;
	uint64_t uniq[CELLS];
	double density[CELLS], mu[CELLS], sigma[CELLS], norm[CELLS];
};

static double uniform(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (double)(*seed >> 11) / 9007199254740992.0;
}

/* ∫ r² N(r; μ, σ) dr from low to high; behind μ by the upper tails, where the lower ones round to 1. */
static long double moment(long double mu, long double sigma, long double low, long double high)
{
	long double sum[2], side = mu < 0 ? -1 : 1;
	for (int i = 0; i < 2; i++) {
		long double r = i ? high : low, t = (r - mu) / sigma;
		sum[i] = side * (mu * mu + sigma * sigma) * 0.5L * erfcl(-side * t / sqrtl(2)) -
			sigma * (mu + r) * expl(-0.5L * t * t) / sqrtl(2 * (long double)M_PI);
	}
	return sum[1] - sum[0];
}

static void sky_make(struct sky *s)
{
	double sum = 0;
	for (int i = 0; i < CELLS; i++) {
		s->uniq[i] = 64 + (uint64_t)i;
		s->norm[i] = s->norm[i] < 0 ? 0 : (double)(1 / moment(s->mu[i], s->sigma[i], 0, s->mu[i] + 40 * s->sigma[i]));
		sum += s->density[i] * skymap_pixel_sr(2);
	}
	for (int i = 0; i < CELLS; i++)
		s->density[i] /= sum;
	s->m = (struct skymap){.cells = CELLS, .uniq = s->uniq, .density = s->density, .mu = s->mu, .sigma = s->sigma, .norm = s->norm, .order_max = 2};
}

/* The shell μ ± kσ, cut at 0, that holds a level; its volume. */
static long double shell_volume(long double mu, long double sigma, long double level, long double *reach)
{
	long double low = 0, high = 60, all = moment(mu, sigma, 0, mu + 60 * sigma);
	for (int i = 0; i < 200; i++) {
		long double k = 0.5L * (low + high), near = fmaxl(0, mu - k * sigma), far = fmaxl(0, mu + k * sigma);
		*(moment(mu, sigma, near, far) / all < level ? &low : &high) = k;
	}
	long double near = fmaxl(0, mu - low * sigma), far = mu + low * sigma;
	*reach = low;
	return 4 * (long double)M_PI / 3 * (far * far * far - near * near * near);
}

/* Sharp, usual, cut at r = 0 by more and more, and μ beyond 0: to 1e-5, of which 1e-3 is promised. The density of the level's edge has the level. */
static void one_shell(void **state)
{
	static const double mu[] = {100, 40, 150, 60, 30, 30, 10, 0, -10, -60, -200, -500}, sigma[] = {0.1, 2, 50, 40, 29, 31, 30, 30, 30, 20, 20, 20};
	static const double levels[] = {0.01, 0.1, 0.5, 0.9, 0.99};
	static struct sky s;
	struct volume v;
	struct err e = {0};
	(void)state;
	for (size_t k = 0; k < sizeof mu / sizeof mu[0]; k++) {
		for (int i = 0; i < CELLS; i++) {
			s.density[i] = 1;
			s.mu[i] = mu[k];
			s.sigma[i] = sigma[k];
			s.norm[i] = 0;
		}
		sky_make(&s);
		assert_ok(volume_open(&v, &s.m, &e), &e);
		for (size_t j = 0; j < sizeof levels / sizeof levels[0]; j++) {
			long double reach;
			double want = (double)shell_volume(mu[k], sigma[k], levels[j], &reach), got = volume_credible(&v, levels[j]), level = -1;
			if (!(fabs(got / want - 1) < 1e-5))
				fail_msg("mu %g sigma %g: %.8g Mpc3 hold %g, not %.8g", mu[k], sigma[k], want, levels[j], got);
			double edge = volume_density(&s.m, UINT64_C(1) << 55, mu[k] + (double)reach * sigma[k]);
			assert_ok(volume_levels(&v, &edge, 1, &level, &e), &e);
			assert_true(fabs(level - levels[j]) < 1e-4);
		}
		volume_close(&v);
	}
}

struct voxel {
	double density, probability, mpc3;
};

static int denser(const void *a, const void *b)
{
	double x = ((const struct voxel *)a)->density, y = ((const struct voxel *)b)->density;
	return x < y ? 1 : x > y ? -1 : 0;
}

/* 192 cells of random distances, some without, against 2,000 voxels each, sorted by density. */
static void voxels(void **state)
{
	enum { STEPS = 2000, PLACES = 300 };
	static struct sky s;
	static double place[PLACES], level[PLACES];
	struct voxel *list = malloc(sizeof *list * CELLS * STEPS);
	uint64_t seed = 5;
	struct volume v;
	struct err e = {0};
	(void)state;
	for (int round = 0; round < 3; round++) {
		size_t n = 0;
		for (int i = 0; i < CELLS; i++) {
			s.density[i] = pow(10, 3 * uniform(&seed));
			s.mu[i] = -50 + 200 * uniform(&seed);
			s.sigma[i] = 10 + 60 * uniform(&seed);
			s.norm[i] = i % 17 == 3 ? -1 : 0;
		}
		sky_make(&s);
		assert_ok(volume_open(&v, &s.m, &e), &e);
		for (int i = 0; i < CELLS; i++)
			for (int k = 0; k < STEPS && s.norm[i] > 0; k++) {
				double step = (fmax(s.mu[i], 0) + 7 * s.sigma[i]) / STEPS, low = k * step, high = low + step;
				double mpc3 = (high * high * high - low * low * low) / 3 * skymap_pixel_sr(2);
				double density = volume_density(&s.m, (uint64_t)i << 54, 0.5 * (low + high));
				list[n++] = (struct voxel){density, density * mpc3, mpc3};
			}
		qsort(list, n, sizeof *list, denser);
		double p = 0, mpc3 = 0, last = 0, half = volume_credible(&v, 0.5), most = volume_credible(&v, 0.9), pick = 0;
		for (size_t i = 0, at = 0; i < n && at < PLACES; i++) { /* levels at even steps of the list */
			last = p;
			p += list[i].probability;
			mpc3 += list[i].mpc3;
			if (last < 0.5 && p >= 0.5)
				assert_true(fabs(mpc3 / half - 1) < 1e-3);
			if (last < 0.9 && p >= 0.9)
				assert_true(fabs(mpc3 / most - 1) < 1e-3);
			if (p >= pick) {
				assert_ok(volume_levels(&v, &list[i].density, 1, &level[0], &e), &e);
				assert_true(fabs(level[0] - p) < 4e-4);
				pick += 0.1;
				at++;
			}
		}
		for (int i = 0; i < PLACES; i++)
			place[i] = list[(size_t)(uniform(&seed) * uniform(&seed) * (double)n)].density;
		assert_ok(volume_levels(&v, place, PLACES, level, &e), &e);
		for (int i = 0; i < PLACES; i++) {
			volume_above(&v, log(place[i]), &p, &mpc3);
			if (!(fabs(level[i] - p) < 1e-4))
				fail_msg("round %d: the level of %g is %.6f, not %.6f", round, place[i], level[i], p);
		}
		volume_close(&v);
	}
	free(list);
}

/* Where cells are many, levels are read off a curve: as the places one by one. */
static void many_cells(void **state)
{
	enum { MANY = 12288, PLACES = 400 };
	static uint64_t uniq[MANY];
	static double density[MANY], mu[MANY], sigma[MANY], norm[MANY], place[PLACES], level[PLACES];
	const struct skymap m = {.cells = MANY, .uniq = uniq, .density = density, .mu = mu, .sigma = sigma, .norm = norm, .order_max = 5};
	uint64_t seed = 3;
	double sum = 0, p, mpc3;
	struct volume v;
	struct err e = {0};
	(void)state;
	for (int i = 0; i < MANY; i++) {
		uniq[i] = 4096 + (uint64_t)i;
		density[i] = pow(10, 2 * sin(i / 2000.0)) * (1 + uniform(&seed));
		mu[i] = 80 + 60 * sin(i / 700.0);
		sigma[i] = 20 + 15 * uniform(&seed);
		norm[i] = (double)(1 / moment(mu[i], sigma[i], 0, mu[i] + 40 * sigma[i]));
		sum += density[i] * skymap_pixel_sr(5);
	}
	for (int i = 0; i < MANY; i++)
		density[i] /= sum;
	assert_ok(volume_open(&v, &m, &e), &e);
	for (int i = 0; i < PLACES; i++)
		place[i] = exp(v.log_most - 14 * uniform(&seed));
	assert_ok(volume_levels(&v, place, PLACES, level, &e), &e);
	for (int i = 0; i < PLACES; i++) {
		volume_above(&v, log(place[i]), &p, &mpc3);
		if (!(fabs(level[i] - p) < 1e-4))
			fail_msg("the level of %g is %.6f, not %.6f", place[i], level[i], p);
	}
	volume_close(&v);
}

static void nothing_there(void **state)
{
	static struct sky s;
	struct volume v;
	double level[3] = {-1, -1, -1}, place[3] = {0, NAN, 1e-9};
	struct err e = {0};
	(void)state;
	for (int i = 0; i < CELLS; i++) {
		s.density[i] = 1;
		s.mu[i] = 100;
		s.sigma[i] = 10;
		s.norm[i] = i % 4 == 0 ? -1 : 0; /* a quarter has no distance */
	}
	sky_make(&s);
	assert_ok(volume_open(&v, &s.m, &e), &e);
	assert_true(isinf(volume_credible(&v, 0.9)) && isfinite(volume_credible(&v, 0.7)));
	assert_true(volume_density(&s.m, 0, 100) <= 0 && volume_density(&s.m, UINT64_C(1) << 54, 100) > 0 && volume_density(&s.m, UINT64_C(1) << 62, 100) <= 0);
	assert_ok(volume_levels(&v, place, 3, level, &e), &e);
	assert_true(fabs(level[0] - 0.75) < 1e-4 && fabs(level[1] - 0.75) < 1e-4 && level[2] >= 0 && level[2] <= 0.7501);
	volume_close(&v);
	for (int i = 0; i < CELLS; i++)
		s.norm[i] = 0;
	assert_ok(volume_open(&v, &s.m, &e), &e);
	assert_true(isinf(volume_credible(&v, 0.5)));
	assert_ok(volume_levels(&v, place, 3, level, &e), &e);
	assert_true(level[0] <= 0 && level[2] <= 0);
	volume_close(&v);
	s.m.mu = s.m.sigma = s.m.norm = NULL;
	assert_int_equal(volume_open(&v, &s.m, &e), -1);
	assert_non_null(strstr(e.text, "2-D"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(one_shell), cmocka_unit_test(voxels), cmocka_unit_test(many_cells), cmocka_unit_test(nothing_there)};
	return cmocka_run_group_tests_name("unit volume", tests, NULL, NULL);
}

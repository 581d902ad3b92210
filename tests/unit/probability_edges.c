/* Where probabilities could lie: cells without a distance or with a negative one, maps that do not add up to 1, rows without a distance or a
 * weight, columns of strange numbers, circles over the pole and the origin of right ascension. */
#include "test.h"
#include "engine/target/catalog_build.h"
#include "engine/target/circle.h"
#include "engine/target/probability.h"
#include "engine/target/tail.h"
#include <math.h>

#define CELLS 192

struct sky {
	struct skymap m;
	uint64_t uniq[CELLS];
	double density[CELLS], mu[CELLS], sigma[CELLS], norm[CELLS];
};

/* The whole sky, evenly, at one distance. */
static void sky_even(struct sky *s, double mu, double sigma)
{
	for (int i = 0; i < CELLS; i++) {
		s->uniq[i] = 64 + (uint64_t)i;
		s->density[i] = 1 / (4 * M_PI);
		s->mu[i] = mu;
		s->sigma[i] = sigma;
		s->norm[i] = 1 / (mu * mu + sigma * sigma);
	}
	s->m = (struct skymap){.cells = CELLS, .uniq = s->uniq, .density = s->density, .mu = s->mu, .sigma = s->sigma, .norm = s->norm,
		.ordering = SKYMAP_NUNIQ, .order_max = 2, .distmean_mpc = NAN, .diststd_mpc = NAN};
}

static void catalog_of(const char *text, struct catalog *out)
{
	char folder[] = "/tmp/slew-edges-XXXXXX", csv[64], fits[64];
	struct catalog_builder b;
	struct err e = {0};
	assert_non_null(mkdtemp(folder));
	snprintf(csv, sizeof csv, "%s/in.csv", folder);
	snprintf(fits, sizeof fits, "%s/c.fits", folder);
	FILE *f = fopen(csv, "w");
	fputs(text, f);
	fclose(f);
	catalog_builder_init(&b);
	assert_ok(catalog_build_add(&b, csv, &e), &e);
	assert_ok(catalog_build_write(&b, fits, NULL, &e), &e);
	catalog_builder_free(&b);
	assert_ok(catalog_open(fits, out, &e), &e);
	unlink(csv);
	unlink(fits);
	rmdir(folder);
}

/* Galaxies all over the sky at about 100 Mpc: a sixth of the mean universe's light there. */
static void catalog_even(struct catalog *out)
{
	char *text = malloc(1 << 17);
	size_t at = (size_t)sprintf(text, "id,ra,dec,dist,bmag\n");
	for (int i = 0; i < 2000; i++)
		at += (size_t)sprintf(text + at, "%d,%.4f,%.4f,%.3f,13.0\n", i, fmod(i * 222.492236, 360), asin(2 * (i + 0.5) / 2000 - 1) * 180 / M_PI,
			100 + 15 * sin(i * 1.7));
	catalog_of(text, out);
	free(text);
}

struct asked {
	struct ranking r;
	struct probability p;
	double sum; /* of the rows' probabilities */
};

static void ask(const struct skymap *m, const struct catalog *c, enum weight_kind kind, const double *column, struct weight_distance prior, struct asked *out,
	double *cells)
{
	struct probability_model model;
	struct err e = {0};
	assert_ok(probability_model_make(&model, c, kind, column, NAN, &e), &e);
	probability_model_prior(&model, WEIGHT_MAP_LUMINOSITY_DISTANCE, prior);
	const struct rank_options o = {.distance_error = true, .probability = NAN, .by = &model.weight};
	assert_ok(rank_galaxies(m, c, &o, &out->r, &e), &e);
	probability_make(&out->p, m, &model.missing, &out->r, cells);
	out->sum = 0;
	for (size_t i = 0; i < out->r.count; i++) {
		double p = probability_row(&out->p, &model.weight, c, &out->r.list[i]);
		assert_true(p >= 0 && p <= 1 + 1e-12);
		out->sum += p;
	}
	if (isfinite(out->p.outside))
		assert_true(fabs(out->sum + out->p.outside - 1) < 1e-9 && out->p.outside >= 0 && out->p.outside <= 1);
	rank_free(&out->r);
	probability_model_free(&model);
}

static const struct weight_distance none = {.kind = WEIGHT_PRIOR_NONE};

/* A quarter of the sky has no distance (DISTMU inf, DISTNORM 0: what BAYESTAR writes): no galaxy of it has a score, and its quarter is not the
 * catalogue's; it stays where it was. */
static void without_distance(void **state)
{
	static struct sky s;
	double cells[CELLS], sum = 0, there = 0;
	struct asked whole, rest;
	struct catalog c;
	(void)state;
	catalog_even(&c);
	sky_even(&s, 100, 20);
	ask(&s.m, &c, WEIGHT_LUMINOSITY, NULL, none, &whole, cells);
	assert_true(whole.p.unplaced <= 0 && whole.p.outside > 0.2 && whole.p.outside < 0.95);
	for (int i = 0; i < CELLS / 4; i++)
		s.norm[i] = 0, s.mu[i] = INFINITY, s.sigma[i] = 1;
	ask(&s.m, &c, WEIGHT_LUMINOSITY, NULL, none, &rest, cells);
	assert_true(fabs(rest.p.unplaced - 0.25) < 1e-9);
	assert_true(fabs(rest.p.outside - (0.25 + 0.75 * whole.p.outside)) < 0.01);
	for (int i = 0; i < CELLS; i++) {
		sum += cells[i];
		there += i < CELLS / 4 ? cells[i] : 0;
	}
	assert_true(fabs(sum - rest.p.outside) < 1e-9 && fabs(there - 0.25) < 1e-9);
	catalog_close(&c);
}

/* A map of 2 or of 0.3 in all says the same. */
static void not_one(void **state)
{
	static struct sky s;
	static const double all[3] = {1, 2, 0.3};
	struct asked a[3];
	struct catalog c;
	(void)state;
	catalog_even(&c);
	for (int k = 0; k < 3; k++) {
		sky_even(&s, 100, 20);
		for (int i = 0; i < CELLS; i++)
			s.density[i] *= all[k];
		ask(&s.m, &c, WEIGHT_LUMINOSITY, NULL, none, &a[k], NULL);
		assert_true(fabs(a[k].p.outside - a[0].p.outside) < 1e-9);
	}
	catalog_close(&c);
}

/* Cells of negative DISTMU, down to −40 σ: next to nothing of the sky, next to nothing of the answer. */
static void negative(void **state)
{
	static const double deep[] = {-0.5, -5, -9, -17, -24.9, -25.1, -40};
	static struct sky s;
	struct asked plain, now;
	struct catalog c;
	(void)state;
	catalog_even(&c);
	sky_even(&s, 100, 20);
	ask(&s.m, &c, WEIGHT_LUMINOSITY, NULL, none, &plain, NULL);
	for (size_t k = 0; k < sizeof deep / sizeof deep[0]; k++) {
		sky_even(&s, 100, 20);
		s.mu[9] = deep[k] * 300;
		s.sigma[9] = 300;
		s.density[9] *= 1e-4;
		s.norm[9] = fmin(1e290, exp(0.5 * deep[k] * deep[k])) / 9e4;
		ask(&s.m, &c, WEIGHT_LUMINOSITY, NULL, none, &now, NULL);
		assert_true(fabs(now.p.outside - plain.p.outside) < 0.01 && fabs(now.p.contrast / plain.p.contrast - 1) < 0.02);
	}
	catalog_close(&c);
}

/* Against Simpson's rule, in logarithms so that nothing is lost. */
static void tails(void **state)
{
	static const double mu[] = {300, 40, 0, -60, -300, -1020, -1500}, sigma = 60;
	(void)state;
	for (size_t k = 0; k < sizeof mu / sizeof mu[0]; k++) {
		double all = 0, near = 0, square = 0, step = 0.005, zero = mu[k] > 0 ? 0 : -0.5 * mu[k] * mu[k] / (sigma * sigma);
		for (int i = 0; i <= 200000; i++) {
			double r = i * step, t = (r - mu[k]) / sigma, n = exp(-0.5 * t * t - zero), h = (i == 0 || i == 200000 ? 1 : i % 2 ? 4 : 2) * step / 3;
			all += h * r * r * n;
			near += r <= 30 ? (i == 6000 ? 0.5 : 1) * h * r * r * n : 0;
			square += h * r * r * n * n;
		}
		double loose = mu[k] < -25 * sigma + 1 ? 0.03 : 1e-6;
		assert_true(fabs(tail_within(mu[k], sigma, 30) - near / all) < loose * near / all + 1e-9);
		assert_true(fabs(tail_square(mu[k], sigma) * all * all / square - 1) < loose);
		assert_true(tail_within(mu[k], sigma, 0) <= 0 && fabs(tail_within(mu[k], sigma, 1e6) - 1) < 1e-12);
	}
}

/* Rows without a distance, with σ_d of 0 or nonsense, with no magnitude, twice: each is counted as what it is. */
static const char odd_rows[] = "id,ra,dec,dist,dist_err,bmag\n1,10,10,100,,15\n2,10.2,10,105,-3,nan\n3,10.1,10.1,95,nan,inf\n4,10.1,9.9,98,inf,-99\n"
	"5,10.3,10.1,0,1,15\n6,10.3,10.2,-5,1,15\n7,10.3,10.2,nan,1,15\n8,10.31,10.2,,1,15\n9,10.31,10.2,300,1,15\n"
	"10,10.34,10.2,100,0,15\n12,10.34,10.2,100,0,15\n11,10,10.2,100,1e-30,15\n";

static void odd_catalogue(void **state)
{
	struct catalog c;
	struct skymap m;
	struct asked a;
	struct weight_distance prior;
	struct err e = {0};
	double strange[12];
	(void)state;
	catalog_of(odd_rows, &c);
	assert_int_equal(c.count, 12);
	assert_ok(circle_map(10.2, 10, 1, 0.9, &m, &e), &e);
	assert_int_equal(weight_distance_read("volume:200", &prior), 0);
	ask(&m, &c, WEIGHT_LUMINOSITY, NULL, prior, &a, NULL);
	assert_true(a.p.outside > 0 && a.sum > 0);
	ask(&m, &c, WEIGHT_NONE, NULL, none, &a, NULL); /* distances are not looked at: all alike, whatever their distance */
	assert_true(isnan(a.p.outside) && a.p.flat && fabs(a.sum - 1) < 1e-12);
	ask(&m, &c, WEIGHT_MASS, NULL, prior, &a, NULL); /* no galaxy has a mass: nothing is ranked, nothing is known */
	assert_true(isnan(a.p.outside) && a.sum <= 0);
	for (int i = 0; i < 12; i++)
		strange[i] = (const double[]){NAN, -1, INFINITY, -INFINITY, 0, 2}[i % 6];
	ask(&m, &c, WEIGHT_COLUMN, strange, prior, &a, NULL); /* its mean density is not known */
	assert_true(isnan(a.p.outside) && fabs(a.sum - 1) < 1e-12);
	skymap_free(&m);
	catalog_close(&c);
}

static void odd_counts(void **state)
{
	struct catalog c;
	struct skymap m;
	struct probability_model model;
	struct ranking r;
	struct weight_distance prior;
	struct err e = {0};
	(void)state;
	catalog_of(odd_rows, &c);
	assert_ok(circle_map(10.2, 10, 1, 0.9, &m, &e), &e);
	assert_int_equal(weight_distance_read("volume:200", &prior), 0);
	assert_ok(probability_model_make(&model, &c, WEIGHT_LUMINOSITY, NULL, NAN, &e), &e);
	probability_model_prior(&model, WEIGHT_MAP_LUMINOSITY_DISTANCE, prior);
	const struct rank_options o = {.distance_error = true, .probability = NAN, .by = &model.weight};
	assert_ok(rank_galaxies(&m, &c, &o, &r, &e), &e);
	assert_int_equal(r.considered, 7);       /* not the four without a distance, nor the one behind the prior */
	assert_int_equal(r.without_distance, 4);
	assert_int_equal(r.without_weight, 3);
	assert_int_equal(r.mean_weight, 3);
	assert_int_equal(r.count, 7);
	rank_free(&r);
	probability_model_free(&model);
	skymap_free(&m);
	catalog_close(&c);
}

/* One galaxy, seen over the pole and across 0 h, by circles given in any way. */
static void wrapped(void **state)
{
	static const double at[][3] = {{0.001, 2, 1}, {359.999, 2, 1}, {-0.001, 2, 1}, {360, 2, 1}, {180, 89.5, 2}, {0, 90, 2}, {300, 89.999, 2}};
	struct catalog c;
	struct weight_distance prior;
	double first = NAN;
	(void)state;
	catalog_of("id,ra,dec,dist\n1,0.0,2.0,100\n2,77,90,100\n", &c);
	assert_int_equal(weight_distance_read("volume:200", &prior), 0);
	for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
		struct skymap m;
		struct asked a;
		struct err e = {0};
		assert_ok(circle_map(at[i][0], at[i][1], at[i][2], 0.9, &m, &e), &e);
		ask(&m, &c, WEIGHT_NONE, NULL, prior, &a, NULL);
		assert_true(a.sum > 0 && a.p.outside > 0);
		first = i == 0 ? a.p.catalogue : first;
		if (at[i][1] < 80)
			assert_true(fabs(a.p.catalogue / first - 1) < 0.01);
		skymap_free(&m);
	}
	catalog_close(&c);
}

/* Densities per volume that are 0 or infinite between the nearest galaxy and the farthest are refused. */
static void priors_refused(void **state)
{
	static const char *const bad[] = {"volume:1e-300", "volume:1e300", "normal:10:1e9", "normal:0:5", "lognormal:1e-200:30", "lognormal:100:30", "lognormal:100:0",
		"volume:nan", "normal:100:nan", "lognormal:inf:1", "volume", ""};
	struct weight_distance p;
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (weight_distance_read(bad[i], &p) != -1)
			fail_msg("%s is taken", bad[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(without_distance), cmocka_unit_test(not_one), cmocka_unit_test(negative), cmocka_unit_test(tails),
		cmocka_unit_test(odd_catalogue), cmocka_unit_test(odd_counts), cmocka_unit_test(wrapped), cmocka_unit_test(priors_refused)};
	return cmocka_run_group_tests_name("probability edges", tests, NULL, NULL);
}

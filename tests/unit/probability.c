/* Probabilities of hosts: weights, densities, the step from luminosity-distance to comoving volume, and what a catalogue lacks. */
#include "test.h"
#include "engine/target/catalog_build.h"
#include "engine/target/cosmology.h"
#include "engine/target/probability.h"
#include "engine/target/supernova.h"
#include "engine/target/weight_file.h"
#include <math.h>

/* Independent values: astropy 8.0.2, Planck18 (distances, comoving volumes, the ratio by differences of distances), for z = 0.01, 0.1, 0.5, 2. */
static void comoving_volume(void **state)
{
	static const double z[4] = {0.01, 0.1, 0.5, 2}, d_l[4] = {44.647106132, 475.822267512, 2919.624952181, 15924.566651659};
	static const double ratio[4] = {0.9610524, 0.6872562, 0.2137459, 0.0168025}, v_c[4] = {3.618299e5, 3.390352e8, 3.088844e10, 6.265096e11};
	(void)state;
	for (int i = 0; i < 4; i++) {
		double back;
		assert_true(fabs(cosmology_redshift(d_l[i]) / z[i] - 1) < 1e-9);
		assert_true(fabs(cosmology_volume_ratio(d_l[i], &back) / ratio[i] - 1) < 1e-5);
		assert_true(fabs(back / z[i] - 1) < 1e-9);
		assert_true(fabs(cosmology_volume_mpc3(d_l[i]) / v_c[i] - 1) < 1e-6);
	}
	assert_true(cosmology_redshift(0) <= 0 && cosmology_redshift(-3) <= 0 && cosmology_volume_mpc3(0) <= 0);
}

/* Published: 1.98e8 at h = 0.73, 2.97e8 h70; the count by its integral with 2 million steps: 1.970633. */
static void densities(void **state)
{
	const char *unit, *source;
	(void)state;
	assert_true(fabs(weight_density(WEIGHT_LUMINOSITY, &unit, &source) / 1.8352e8 - 1) < 1e-4);
	assert_true(fabs(weight_density(WEIGHT_MASS, &unit, &source) / 2.8707e8 - 1) < 1e-4);
	assert_true(fabs(weight_density(WEIGHT_NONE, &unit, &source) / 9.7661e-3 - 1) < 1e-4);
	assert_true(isnan(weight_density(WEIGHT_COLUMN, &unit, &source)));
}

/* A catalogue of the made galaxies; the mapping outlives its file. */
struct made {
	double ra, dec, d, err, light;
	int64_t id;
};

static double uniform(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (double)(*seed >> 11) / 9007199254740992.0;
}

static void catalog_made(const struct made *g, size_t n, struct catalog *out)
{
	char folder[] = "/tmp/slew-prob-XXXXXX", csv[64], fits[64];
	struct catalog_builder b;
	struct err e = {0};
	assert_non_null(mkdtemp(folder));
	snprintf(csv, sizeof csv, "%s/in.csv", folder);
	snprintf(fits, sizeof fits, "%s/c.fits", folder);
	FILE *f = fopen(csv, "w");
	fprintf(f, "id,name,ra,dec,dist,dist_err,bmag\n");
	for (size_t i = 0; i < n; i++) {
		fprintf(f, "%lld,G%lld,%.7f,%.7f,%.6f,%.4f,", (long long)g[i].id, (long long)g[i].id, g[i].ra, g[i].dec, g[i].d, g[i].err);
		if (g[i].light > 0)
			fprintf(f, "%.5f", 5.44 + 5 * log10(g[i].d) + 25 - 2.5 * log10(g[i].light));
		fprintf(f, "\n");
	}
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

/* A whole-sky map of one distance. */
#define MAP_CELLS 192
struct whole {
	struct skymap m;
	uint64_t uniq[MAP_CELLS];
	double density[MAP_CELLS], mu[MAP_CELLS], sigma[MAP_CELLS], norm[MAP_CELLS];
};

static void map_whole(struct whole *w, double mu, double sigma)
{
	double sum = 0, r2 = 0;
	for (int i = 0; i < 400000; i++) { /* ∫ r² N dr by steps */
		double r = (i + 0.5) * (mu + 10 * sigma) / 400000;
		r2 += r * r * exp(-0.5 * pow((r - mu) / sigma, 2)) / sigma / sqrt(2 * M_PI) * (mu + 10 * sigma) / 400000;
	}
	for (int i = 0; i < MAP_CELLS; i++) {
		w->uniq[i] = 64 + (uint64_t)i;
		w->density[i] = i < 96 ? 3 : 1;
		w->mu[i] = mu;
		w->sigma[i] = sigma;
		w->norm[i] = 1 / r2;
		sum += w->density[i] * 4 * M_PI / MAP_CELLS;
	}
	for (int i = 0; i < MAP_CELLS; i++)
		w->density[i] /= sum;
	w->m = (struct skymap){.cells = MAP_CELLS, .uniq = w->uniq, .density = w->density, .mu = w->mu, .sigma = w->sigma, .norm = w->norm,
		.ordering = SKYMAP_NUNIQ, .order_max = 2, .distmean_mpc = NAN, .diststd_mpc = NAN};
}

/* Galaxies of one luminosity, evenly in comoving volume: `per_mpc3` of them within luminosity distance far. */
static struct made *even(double far, double per_mpc3, double light, size_t *n)
{
	uint64_t seed = 7;
	double far_c = far / (1 + cosmology_redshift(far));
	*n = (size_t)(per_mpc3 * cosmology_volume_mpc3(far));
	struct made *g = calloc(*n, sizeof *g);
	for (size_t i = 0; i < *n; i++) {
		double d_c = far_c * cbrt(uniform(&seed)), z = d_c * COSMOLOGY_H0 / LIGHT_KM_S;
		for (int k = 0; k < 50; k++) /* d_L = (1 + z) d_C, z from d_L */
			z = cosmology_redshift((1 + z) * d_c);
		g[i] = (struct made){360 * uniform(&seed), asin(2 * uniform(&seed) - 1) * 180 / M_PI, (1 + z) * d_c, 0.01, light, (int64_t)i};
	}
	return g;
}

static void run(const struct catalog *c, const struct skymap *m, enum weight_map_prior prior, double density, struct probability *p, double *cells)
{
	struct census *k;
	struct weight w;
	struct missing lacks;
	struct ranking r;
	struct err e = {0};
	assert_ok(census_make(c, &k, &e), &e);
	weight_make(&w, WEIGHT_LUMINOSITY, c, k, NULL, density);
	weight_prior(&w, prior, (struct weight_distance){.kind = WEIGHT_PRIOR_NONE});
	missing_make(&lacks, k, &w);
	const struct rank_options o = {.distance_error = true, .probability = NAN, .by = &w};
	assert_ok(rank_galaxies(m, c, &o, &r, &e), &e);
	probability_make(p, m, &lacks, &r, cells);
	double sum = 0;
	for (size_t i = 0; i < r.count; i++)
		sum += probability_row(p, &w, c, &r.list[i]);
	assert_true(fabs(sum + p->outside - 1) < 1e-9 && fabs(p->inside - sum) < 1e-9);
	rank_free(&r);
	free(k);
}

/* An even universe weighs what the mean density says, near and far, whatever prior made the map: without j and G it would be 0.7 at z = 0.1.
 * Half of its galaxies leave half of the probability outside, cell by cell. */
static void even_universe(void **state)
{
	static struct whole map;
	double cells[MAP_CELLS];
	struct catalog c;
	struct probability p;
	size_t n;
	(void)state;
	struct made *g = even(800, 6e-5, 1e10, &n);
	for (int prior = 0; prior < 2; prior++)
		for (int half = 0; half < 2; half++) {
			catalog_made(g, half ? n / 2 : n, &c);
			map_whole(&map, 480, 60);
			run(&c, &map.m, (enum weight_map_prior)prior, 6e5, &p, cells);
			double sum = 0, want = half ? 0.5 : 1;
			assert_true(fabs(p.catalogue - want) < 0.02);
			assert_true(fabs(p.outside - (1 - want)) < 0.02);
			for (int i = 0; i < MAP_CELLS; i++)
				sum += cells[i];
			assert_true(fabs(sum - p.outside) < 1e-9);
			if (half)
				assert_true(fabs(cells[0] / (map.density[0] * 4 * M_PI / MAP_CELLS) - 0.5) < 0.1 && cells[0] > 2 * cells[191]);
			catalog_close(&c);
		}
	free(g);
}

/* A galaxy without a magnitude counts for the mean of its distance; one at a distance that no other has, for the nearest shells'. */
static void missing_weights(void **state)
{
	struct made g[200];
	struct catalog c;
	struct census *k;
	struct weight w;
	struct err e = {0};
	bool filled;
	(void)state;
	for (int i = 0; i < 200; i++)
		g[i] = (struct made){i * 1.7, i * 0.4 - 40, i < 100 ? 20 : 200, 1, i == 7 || i == 107 ? 0 : i < 100 ? 1e9 : i % 2 ? 4e10 : 2e10, i};
	catalog_made(g, 200, &c);
	assert_non_null(c.census);
	assert_ok(census_make(&c, &k, &e), &e);
	c.census = NULL; /* an older file has none: the same is counted */
	struct census *counted;
	assert_ok(census_make(&c, &counted, &e), &e);
	assert_memory_equal(k, counted, sizeof *k);
	free(counted);
	weight_make(&w, WEIGHT_LUMINOSITY, &c, k, NULL, NAN);
	for (int64_t row = 0; row < c.count; row++) {
		struct catalog_row r;
		catalog_row_at(&c, row, &r);
		double got = weight_row(&w, &c, row, r.distance_mpc, 0, &filled);
		double want = r.id == 7 ? 1e9 : r.id == 107 ? (50 * 2e10 + 49 * 4e10) / 99 : g[r.id].light;
		assert_true(fabs(got / want - 1) < 1e-5);
		assert_int_equal(filled, r.id == 7 || r.id == 107);
		assert_true(got <= weight_bound(&w, &c, (int64_t)(r.ipix29 >> 42)) * (1 + 1e-6));
	}
	free(k);
	catalog_close(&c);
}

/* Priors on distance are normalised over r² dr and fold with an error. */
static void distance_priors(void **state)
{
	static const char *const texts[] = {"volume:300", "normal:100:30", "lognormal:120:0.4"};
	struct weight_distance p;
	(void)state;
	for (int i = 0; i < 3; i++) {
		double sum = 0, folded = 0;
		assert_int_equal(weight_distance_read(texts[i], &p), 0);
		for (int k = 0; k < 200000; k++) {
			double r = (k + 0.5) * 0.01, t = (r - 110) / 9, step = r * r * weight_distance_density(&p, r, 0) * 0.01;
			sum += step;
			folded += weight_distance_density(&p, r, 0) * exp(-0.5 * t * t) / 9 / sqrt(2 * M_PI) * 0.01;
			if (k % 10000 == 9999)
				assert_true(fabs(weight_distance_within(&p, r + 0.005) - sum) < 1e-4);
		}
		assert_true(fabs(sum - 1) < 1e-4);
		assert_true(fabs(weight_distance_density(&p, 110, 9) / folded - 1) < 1e-3);
	}
	assert_int_equal(weight_distance_read("none", &p), 0);
	assert_int_equal(p.kind, WEIGHT_PRIOR_NONE);
	assert_int_equal(weight_distance_read("volume:-3", &p), -1);
	assert_int_equal(weight_distance_read("normal:100", &p), -1);
	assert_int_equal(weight_distance_read("volume:300x", &p), -1);
}

/* A user's weights by id and by name, with quotes, twice, missing and wrong. */
static void weights_of_a_file(void **state)
{
	static const char *const good[] = {"id,weight\n3,2.5\n1,7\n3,4\n\n77,1\n", "ra, Name ,x,\"weight\"\r\n1,\"g 3\",a,4\r\n2, G1 ,\"b,c\",7\r\n"};
	static const char *const bad[][2] = {{"id,mass\n1,2\n", "heading"}, {"id,weight\n1,-2\n", "line 2"}, {"id,weight\nx,2\n", "line 2"}, {"id,weight\n1,1e\n", "line 2"},
		{"id,weight\n", "no weight"}, {"name,weight\nM 31,3\n", "catalogue's"}, {"weight,id\n3\n", "no id"}, {"", "heading"}};
	struct made g[5];
	struct catalog c;
	struct err e = {0};
	double *column;
	int64_t matched;
	char text[128];
	(void)state;
	for (int i = 0; i < 5; i++)
		g[i] = (struct made){i * 40.0, i, 50, 1, 1e9, i};
	catalog_made(g, 5, &c);
	for (int i = 0; i < 2; i++) {
		snprintf(text, sizeof text, "%s", good[i]);
		assert_ok(weight_file_read(text, &c, &column, &matched, &e), &e);
		assert_int_equal(matched, 2);
		for (int64_t row = 0; row < 5; row++) {
			struct catalog_row r;
			catalog_row_at(&c, row, &r);
			assert_true(r.id == 3 ? fabs(column[row] - 4) < 1e-12 : r.id == 1 ? fabs(column[row] - 7) < 1e-12 : isnan(column[row]));
		}
		free(column);
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		snprintf(text, sizeof text, "%s", bad[i][0]);
		assert_int_equal(weight_file_read(text, &c, &column, &matched, &e), -1);
		if (strstr(e.text, bad[i][1]) == NULL)
			fail_msg("%s: %s", bad[i][0], e.text);
		assert_null(column);
	}
	catalog_close(&c);
}

/* S190425z: 1.1075e7 Mpc³ hold 90 % of it, at 154.6 Mpc (data/truth): 86.6 by Simpson's rule and hand; "about 100" in the programmes' papers. */
static void unrelated_supernovae(void **state)
{
	(void)state;
	assert_true(fabs(supernova_expected(1.10750979e7, 154.6, SUPERNOVA_YOUNG_D) - 86.59) < 0.02);
	assert_true(fabs(supernova_expected(1e6, NAN, 365.25) / (1.245e-4 * pow(0.6766 / 0.7, 3) * 1e6) - 1) < 1e-9);
	assert_true(isnan(supernova_expected(NAN, 100, 30)) && supernova_expected(0, 100, 30) <= 0);
}

/* ∫ r² N(r; μ, σ) dr from 0 to r, shell by shell with the C library's error function in long double: what the tables of missing.c stand for. */
static long double within_slowly(long double mu, long double sigma, long double r)
{
	long double sum[2];
	for (int i = 0; i < 2; i++) {
		long double at = i ? r : 0, t = (at - mu) / sigma;
		sum[i] = (mu * mu + sigma * sigma) * 0.5L * erfcl(-t / sqrtl(2)) - sigma * (mu + at) * expl(-0.5L * t * t) / sqrtl(2 * (long double)M_PI);
	}
	return sum[1] - sum[0];
}

/* What is missing of each cell, by the slow way: sharp and wide distances, near, far and beyond the last shell, coarse cells over several groups. */
static void missing_slowly(void **state)
{
	static const double mu[] = {40, 150, 3, 0.5, 2000, 9000, 30000, -20, 400, 77, 1200, 0}, sigma[] = {8, 40, 0.01, 1, 900, 3000, 500, 30, 0.5, 76, 300, 50};
	enum { CELLS = 12 };
	static uint64_t uniq[CELLS];
	double density[CELLS], norm[CELLS], got[CELLS], want[CELLS];
	uint64_t seed = 11;
	struct weight w;
	struct missing k = {.weight = &w};
	struct missing_sum sum;
	(void)state;
	for (int i = 0; i < CENSUS_CELLS; i++)
		k.group[i] = (unsigned char)(MISSING_GROUPS * uniform(&seed));
	for (int g = 0; g < MISSING_GROUPS; g++)
		for (int s = 0; s < CENSUS_SHELLS; s++)
			k.complete[g][s] = uniform(&seed);
	for (int i = 0; i < CELLS; i++) { /* of orders 0 to 4 in their order */
		int order = i < 3 ? 4 : i % 4;
		uniq[i] = (UINT64_C(4) << (2 * order)) + ((uint64_t)i << (2 * order));
		density[i] = 0.1 + uniform(&seed);
		norm[i] = 1;
	}
	const struct skymap m = {.cells = CELLS, .uniq = uniq, .density = density, .mu = mu, .sigma = sigma, .norm = norm};
	for (int prior = WEIGHT_MAP_LUMINOSITY_DISTANCE; prior <= WEIGHT_MAP_COMOVING; prior++) {
		long double total = 0, all = 0, weight = 0;
		weight_prior(&w, (enum weight_map_prior)prior, (struct weight_distance){.kind = WEIGHT_PRIOR_NONE});
		missing_per_cell(&m, &k, got, &sum);
		for (int i = 0; i < CELLS; i++) {
			long double infinity = within_slowly(mu[i], sigma[i], 1e6L), lacks = 0, rates = 0;
			int order = skymap_order(uniq[i]), n = order < 3 ? 1 << (2 * (3 - order)) : 1;
			uint64_t first = skymap_first(uniq[i]) >> 52;
			for (int s = 0; s <= CENSUS_SHELLS; s++) { /* the last: beyond all */
				double far = s < CENSUS_SHELLS ? census_edge_mpc(s + 1) : 1e6, z, open = 0;
				int at = s < CENSUS_SHELLS ? s : s - 1;
				double ratio = cosmology_volume_ratio(0.5 * (census_edge_mpc(at) + census_edge_mpc(at + 1)), &z);
				long double part = (within_slowly(mu[i], sigma[i], far) - within_slowly(mu[i], sigma[i], census_edge_mpc(s))) / infinity;
				for (int j = 0; j < n; j++)
					open += s < CENSUS_SHELLS ? (1 - k.complete[k.group[first + (uint64_t)j]][s]) / n : 1.0 / n;
				part *= prior == WEIGHT_MAP_COMOVING ? 1 : ratio / (1 + z);
				rates += part;
				lacks += part * open;
			}
			long double p = density[i] * skymap_pixel_sr(order);
			want[i] = (double)(p * lacks);
			total += p * lacks;
			all += p * rates;
			weight += p;
		}
		assert_true(fabsl(sum.norm / (all / weight) - 1) < 1e-11 && fabsl(sum.total / (total * weight / all) - 1) < 1e-11);
		for (int i = 0; i < CELLS; i++)
			assert_true(fabs(got[i] * sum.norm / want[i] - 1) < 1e-10);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(weights_of_a_file), cmocka_unit_test(unrelated_supernovae), cmocka_unit_test(comoving_volume), cmocka_unit_test(densities), cmocka_unit_test(even_universe),
		cmocka_unit_test(missing_weights), cmocka_unit_test(missing_slowly), cmocka_unit_test(distance_priors)};
	return cmocka_run_group_tests_name("probability", tests, NULL, NULL);
}

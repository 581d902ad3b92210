/* Sky maps: one sky in three orderings reads the same; every pitfall has its sentence; no cut of a file gets through. */
#include "test.h"
#include "mapmake.h"
#include "engine/target/inflate.h"
#include "engine/target/region.h"
#include <math.h>

static struct mapmake_sky sky;

static int setup(void **state)
{
	(void)state;
	mapmake_sky_make(&sky, 3);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	mapmake_sky_free(&sky);
	return 0;
}

static void same_in_every_ordering(void **state)
{
	static const char *const orderings[] = {"NUNIQ", "NESTED", "RING"};
	double area90 = 0;
	(void)state;
	for (int o = 0; o < 3; o++) {
		struct mapmake f;
		struct skymap m;
		struct region r;
		struct err e = {0};
		mapmake_sky_file(&sky, orderings[o], 1, &f);
		assert_ok(skymap_read(f.data, f.len, &m, &e), &e);
		assert_int_equal(m.cells, sky.pixels);
		assert_int_equal((int)m.ordering, o);
		assert_int_equal(m.order_max, 3);
		assert_string_equal(m.object, "TEST-1");
		for (int64_t i = 0; i < m.cells; i++) {
			assert_true(m.uniq[i] == (uint64_t)sky.uniq[i]);
			assert_true(fabs(m.density[i] - sky.density[i]) <= 1e-15 * sky.density[i]);
			assert_true(m.norm[i] == sky.norm[i] && m.sigma[i] == sky.sigma[i]);
			assert_true(m.mu[i] == sky.mu[i]);
		}
		assert_ok(region_of(&m, &r, &e), &e);
		assert_true(r.distmean_mpc == 55.5 && r.diststd_mpc == 11.5);
		assert_true(fabs(r.probability - 1) < 1e-12 && r.area50_deg2 < r.area90_deg2);
		if (o > 0)
			assert_true(fabs(r.area90_deg2 - area90) < 1e-9 * area90);
		area90 = r.area90_deg2;
		skymap_free(&m);
		mapmake_free(&f);
	}
}

/* Unsorted rows of two orders; the coarse pixel's children must not be there. */
static void mixed_orders_are_sorted(void **state)
{
	int64_t uniq[48 + 11];
	double density[48 + 11];
	struct skymap m;
	struct mapmake f;
	struct err e = {0};
	int n = 0;
	(void)state;
	for (int64_t i = 11; i >= 1; i--)
		uniq[n++] = i + 4;
	for (int64_t i = 3; i >= 0; i--)
		uniq[n++] = i + 16;
	for (int i = 0; i < n; i++)
		density[i] = 1 / (4 * M_PI);
	const struct mapmake_column c[2] = {{"UNIQ", NULL, 'K', 1, NULL, uniq}, {"PROBDENSITY", NULL, 'D', 1, density, NULL}};
	mapmake_file(&f, c, 2, n, NULL); /* no ORDERING: by the columns */
	assert_ok(skymap_read(f.data, f.len, &m, &e), &e);
	assert_int_equal(m.cells, 15);
	assert_int_equal(m.uniq[0], 16);
	assert_int_equal(m.uniq[4], 5);
	assert_null(m.mu);
	skymap_free(&m);
	mapmake_free(&f);
	uniq[0] = 17; /* overlaps by being there twice */
	mapmake_file(&f, c, 2, n, NULL);
	assert_int_equal(skymap_read(f.data, f.len, &m, &e), -1);
	assert_non_null(strstr(e.text, "overlap"));
	mapmake_free(&f);
}

/* A sky of order 4 written as a flat map of order 7, one pixel of it changed: cells of order 6, and where they differ, the pixels; all that is
 * said of it is what the map of all its pixels says. */
static void equal_neighbours_are_one_cell(void **state)
{
	static const char *const orderings[] = {"NESTED", "RING"};
	struct mapmake_sky fine;
	(void)state;
	mapmake_sky_make(&fine, 7);
	double *columns[] = {fine.prob, fine.density, fine.mu, fine.sigma, fine.norm};
	for (int k = 0; k < 5; k++)
		for (int64_t i = 0; i < fine.pixels; i++)
			columns[k][i] = columns[k][i & ~INT64_C(63)];
	fine.prob[4097] *= 1.25;
	fine.density[4097] *= 1.25;
	for (int k = 0; k < 4; k++) {
		struct mapmake flat, all;
		struct skymap m, whole;
		struct region r, want;
		struct err e = {0};
		mapmake_sky_file(&fine, orderings[k / 2], k % 2, &flat);
		mapmake_sky_file(&fine, "NUNIQ", k % 2, &all);
		assert_ok(skymap_read(flat.data, flat.len, &m, &e), &e);
		assert_ok(skymap_read(all.data, all.len, &whole, &e), &e);
		assert_int_equal(m.cells, (INT64_C(12) << (2 * SKYMAP_MERGED_ORDER)) + 3);
		assert_true(m.pixels == fine.pixels && m.order_max == 7 && whole.pixels == fine.pixels && whole.cells == fine.pixels && whole.order_max == 7);
		for (int64_t i = 0, at = 0; i < fine.pixels; i++) {
			while (at + 1 < m.cells && skymap_first(m.uniq[at + 1]) <= skymap_first(whole.uniq[i]))
				at++;
			assert_true(fabs(m.density[at] / whole.density[i] - 1) < 1e-14 || m.density[at] == whole.density[i]);
			assert_true(m.norm == NULL || m.norm[at] == whole.norm[i]);
		}
		assert_ok(region_of(&m, &r, &e), &e);
		assert_ok(region_of(&whole, &want, &e), &e);
		assert_true(fabs(r.area90_deg2 / want.area90_deg2 - 1) < 1e-9 && fabs(r.area50_deg2 / want.area50_deg2 - 1) < 1e-9);
		assert_true(fabs(r.probability - want.probability) < 1e-11);
		assert_true(fabs(r.dec_deg - want.dec_deg) < 1e-9 && fabs(r.ra_deg - want.ra_deg) < 1e-9);
		skymap_free(&m);
		skymap_free(&whole);
		mapmake_free(&flat);
		mapmake_free(&all);
	}
	mapmake_sky_free(&fine);
}

static void vectors_and_float32(void **state)
{
	struct mapmake f;
	struct skymap m;
	struct err e = {0};
	const char *const cards[] = {"ORDERING= 'NESTED'", "NSIDE   =                    8", NULL};
	const struct mapmake_column c[2] = {{"PROBABILITY", NULL, 'E', 64, sky.prob, NULL}, {"SIGNIFICANCE", NULL, 'E', 64, sky.mu, NULL}};
	(void)state;
	mapmake_file(&f, c, 2, sky.pixels / 64, cards);
	assert_ok(skymap_read(f.data, f.len, &m, &e), &e);
	assert_int_equal(m.cells, sky.pixels);
	for (int64_t i = 0; i < m.cells; i++)
		assert_true(fabs(m.density[i] - sky.density[i]) <= 3e-7 * sky.density[i]);
	skymap_free(&m);
	mapmake_free(&f);
}

/* KM3NeT publishes per square degree. */
static void per_square_degree(void **state)
{
	double *density = malloc((size_t)sky.pixels * sizeof *density);
	struct mapmake f;
	struct skymap m;
	struct err e = {0};
	const double deg2 = (180 / M_PI) * (180 / M_PI);
	(void)state;
	for (int64_t i = 0; i < sky.pixels; i++)
		density[i] = sky.density[i] / deg2;
	const struct mapmake_column c[2] = {{"UNIQ", NULL, 'K', 1, NULL, sky.uniq}, {"PROBDENSITY", "1 / deg2", 'D', 1, density, NULL}};
	mapmake_file(&f, c, 2, sky.pixels, NULL);
	assert_ok(skymap_read(f.data, f.len, &m, &e), &e);
	assert_true(fabs(m.density[5] - sky.density[5]) < 1e-12);
	skymap_free(&m);
	mapmake_free(&f);
	free(density);
}

static void refused(const void *bytes, size_t len, const char *word)
{
	struct skymap m;
	struct err e = {0};
	assert_int_equal(skymap_read(bytes, len, &m, &e), -1);
	if (strstr(e.text, word) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", e.text, word);
}

static void refused_table(const struct mapmake_column *c, int n, int64_t rows, const char *const *cards, const char *word)
{
	struct mapmake f;
	mapmake_file(&f, c, n, rows, cards);
	refused(f.data, f.len, word);
	mapmake_free(&f);
}

static void each_pitfall_has_its_sentence(void **state)
{
	const char *const nested[] = {"ORDERING= 'NESTED'", NULL}, *const galactic[] = {"ORDERING= 'RING'", "COORDSYS= 'G'", NULL};
	const char *const wrong[] = {"ORDERING= 'NESTED'", "NSIDE   =                   16", NULL};
	struct mapmake_column p = {"PROB", NULL, 'D', 1, sky.prob, NULL}, u = {"UNIQ", NULL, 'K', 1, NULL, sky.uniq};
	struct mapmake_column t = {"T", NULL, 'D', 1, sky.prob, NULL}, two[2] = {p, {"PROBABILITY", NULL, 'D', 1, sky.prob, NULL}};
	struct mapmake_column mu[2] = {p, {"DISTMU", NULL, 'D', 1, sky.sigma, NULL}};
	double *bad = malloc((size_t)sky.pixels * sizeof *bad);
	struct mapmake_column b = {"PROB", NULL, 'D', 1, bad, NULL};
	(void)state;
	refused("", 0, "empty");
	refused("\n <!DOCTYPE html><html>", 23, "HTML page");
	refused("{\"a\":1}", 7, "JSON");
	refused("PK\003\004", 4, "zip");
	refused("hello", 5, "not a FITS file");
	refused_table(&u, 1, sky.pixels, NULL, "coverage map (MOC) without probabilities");
	refused_table(&t, 1, sky.pixels, nested, "its columns: T");
	refused_table(&p, 1, sky.pixels, NULL, "without ORDERING");
	refused_table(&p, 1, sky.pixels, galactic, "COORDSYS is G");
	refused_table(&p, 1, sky.pixels, wrong, "NSIDE says 16");
	refused_table(&p, 1, sky.pixels - 1, nested, "not a whole HEALPix sky");
	refused_table(two, 2, sky.pixels, nested, "two columns");
	refused_table(mu, 2, sky.pixels, nested, "all three or none");
	memcpy(bad, sky.prob, (size_t)sky.pixels * sizeof *bad);
	bad[7] = NAN;
	refused_table(&b, 1, sky.pixels, nested, "negative or not a number");
	bad[7] = -1e-9;
	refused_table(&b, 1, sky.pixels, nested, "negative or not a number");
	for (int64_t i = 0; i < sky.pixels; i++)
		bad[i] = sky.prob[i] * 2;
	refused_table(&b, 1, sky.pixels, nested, "add up to 2");
	free(bad);
}

/* Every cut of a good file, plain and gzip, is an error and never more: the whole file is copied so that a read past the end is seen. */
static void no_cut_gets_through(void **state)
{
	struct mapmake f, z;
	struct mapmake_sky small;
	(void)state;
	mapmake_sky_make(&small, 1);
	mapmake_sky_file(&small, "NUNIQ", 1, &f);
	mapmake_gzip(&z, f.data, f.len);
	for (int k = 0; k < 2; k++) {
		const struct mapmake *whole = k ? &z : &f;
		for (size_t cut = 0; cut < whole->len; cut += k ? 1 : 1 + cut % 3) {
			unsigned char *copy = malloc(cut ? cut : 1);
			struct skymap m;
			struct err e = {0};
			memcpy(copy, whole->data, cut);
			if (skymap_read(copy, cut, &m, &e) == 0)
				fail_msg("%s file cut to %zu of %zu bytes was read", k ? "gzip" : "plain", cut, whole->len);
			assert_true(e.text[0] != '\0');
			free(copy);
		}
	}
	mapmake_free(&f);
	mapmake_free(&z);
	mapmake_sky_free(&small);
}

/* Headers that lie: each byte of the table's header in turn becomes another digit or letter; whatever happens, it ends. */
static void no_changed_header_hurts(void **state)
{
	struct mapmake f;
	struct mapmake_sky small;
	int read = 0;
	(void)state;
	mapmake_sky_make(&small, 1);
	mapmake_sky_file(&small, "NESTED", 1, &f);
	for (size_t at = 0; at < 5760; at++)
		for (int k = 0; k < 3; k++) {
			unsigned char old = f.data[at];
			struct skymap m;
			struct err e = {0};
			f.data[at] = (unsigned char)"9A\n"[k];
			if (skymap_read(f.data, f.len, &m, &e) == 0) {
				read++;
				skymap_free(&m);
			} else {
				assert_true(e.text[0] != '\0');
			}
			f.data[at] = old;
		}
	assert_true(read > 100); /* most bytes are blanks and comments: a new letter there changes nothing */
	mapmake_free(&f);
	mapmake_sky_free(&small);
}

static void bomb_is_capped(void **state)
{
	struct mapmake z;
	unsigned char *zeros = calloc(1, 64u << 20);
	struct inflated out;
	struct err e = {0};
	(void)state;
	mapmake_gzip(&z, zeros, 64u << 20);
	assert_true(z.len < 100000);
	assert_int_equal(inflate_gzip(z.data, z.len, 4u << 20, &out, &e), -1);
	assert_int_equal(e.kind, ERR_LIMIT);
	assert_ok(inflate_gzip(z.data, z.len, 64u << 20, &out, &e), &e);
	assert_int_equal(out.len, 64u << 20);
	free(out.data);
	refused(z.data, z.len, "not a FITS file");
	mapmake_free(&z);
	free(zeros);
}

/* p(r) ∝ r² N(r; μ, σ) by brute force, at ratios on both sides of where the recurrence turns. */
static void moments_by_quadrature(void **state)
{
	static const double ratios[] = {-40, -9, -2.5, -2.0001, -1.9999, -0.5, 0, 0.3, 2, 8, 30};
	(void)state;
	for (size_t k = 0; k < sizeof ratios / sizeof ratios[0]; k++) {
		double sigma = 20, mu = ratios[k] * sigma, s0 = 0, s1 = 0, s2 = 0, mean, std;
		for (int i = 0; i < 400000; i++) {
			double r = (i + 0.5) * (ratios[k] > 5 ? 60 : 15) * sigma / 400000, w = r * r * exp(-0.5 * (r * r - 2 * r * mu) / sigma / sigma -
				(mu > 0 ? 0.5 * mu * mu / sigma / sigma : 0));
			s0 += w;
			s1 += w * r;
			s2 += w * r * r;
		}
		uint64_t uniq[12];
		double density[12], mus[12], sigmas[12], norm[12];
		for (uint64_t i = 0; i < 12; i++) {
			uniq[i] = i + 4;
			density[i] = 1 / (4 * M_PI);
			mus[i] = mu;
			sigmas[i] = sigma;
			norm[i] = 1;
		}
		const struct skymap m = {.cells = 12, .uniq = uniq, .density = density, .mu = mus, .sigma = sigmas, .norm = norm};
		region_moments(&m, &mean, &std);
		assert_true(fabs(mean - s1 / s0) < 1e-6 * mean);
		assert_true(fabs(std - sqrt(s2 / s0 - s1 / s0 * s1 / s0)) < 1e-5 * std);
	}
}

/* No cell with a distance, a header that cannot be: unknown (a policy that asks for "near" must not hear 0 Mpc). */
static void no_distance_is_not_zero(void **state)
{
	uint64_t uniq[12];
	double density[12], mu[12], sigma[12], norm[12];
	struct region r;
	struct err e = {0};
	(void)state;
	for (uint64_t i = 0; i < 12; i++) {
		uniq[i] = i + 4;
		density[i] = 1 / (4 * M_PI);
		mu[i] = INFINITY;
		sigma[i] = 1;
		norm[i] = 0;
	}
	struct skymap m = {.cells = 12, .uniq = uniq, .density = density, .mu = mu, .sigma = sigma, .norm = norm,
			   .distmean_mpc = -5, .diststd_mpc = -1};
	assert_ok(region_of(&m, &r, &e), &e);
	assert_true(isnan(r.distmean_mpc) && isnan(r.diststd_mpc) && isnan(r.distmod_mag));
	m.distmean_mpc = 40;
	m.diststd_mpc = NAN;
	assert_ok(region_of(&m, &r, &e), &e);
	assert_true(r.distmean_mpc == 40 && isnan(r.diststd_mpc));
	for (int i = 0; i < 12; i++)
		mu[i] = 100;
	m.distmean_mpc = 0;
	assert_ok(region_of(&m, &r, &e), &e);
	assert_true(r.distmean_mpc > 99 && r.distmean_mpc < 101);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(same_in_every_ordering), cmocka_unit_test(mixed_orders_are_sorted),
		cmocka_unit_test(equal_neighbours_are_one_cell), cmocka_unit_test(vectors_and_float32), cmocka_unit_test(per_square_degree), cmocka_unit_test(each_pitfall_has_its_sentence),
		cmocka_unit_test(no_cut_gets_through), cmocka_unit_test(no_changed_header_hurts), cmocka_unit_test(bomb_is_capped),
		cmocka_unit_test(moments_by_quadrature), cmocka_unit_test(no_distance_is_not_zero)};
	return cmocka_run_group_tests_name("skymap", tests, setup, teardown);
}

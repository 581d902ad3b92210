/* The ranking against the plainest possible one: every galaxy looked up in every cell. */
#include "test.h"
#include "mapmake.h"
#include "engine/target/catalog_build.h"
#include "engine/target/rank.h"
#include <chealpix.h>
#include <math.h>

#define GALAXIES 3000

static char folder[] = "/tmp/slew-rank-XXXXXX";
static struct catalog catalog;
static struct skymap map_3d, map_2d;

static void sky_read(int is_3d, struct skymap *m)
{
	struct mapmake_sky sky;
	struct mapmake f;
	struct err e = {0};
	mapmake_sky_make(&sky, 3);
	mapmake_sky_file(&sky, "NUNIQ", is_3d, &f);
	assert_ok(skymap_read(f.data, f.len, m, &e), &e);
	mapmake_free(&f);
	mapmake_sky_free(&sky);
}

/* Galaxies over the sky; some twice, some without distance, error or magnitude. */
static int setup(void **state)
{
	struct catalog_builder b;
	struct err e = {0};
	uint64_t seed = 99;
	char csv[64], fits[64];
	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(csv, sizeof csv, "%s/in.csv", folder);
	snprintf(fits, sizeof fits, "%s/c.fits", folder);
	FILE *f = fopen(csv, "w");
	fprintf(f, "id,ra,dec,dist,dist_err,bmag,logmass\n");
	for (int i = 0; i < GALAXIES; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		double ra = (double)(seed >> 40) / 16777216.0 * 360, dec = asin((double)(seed >> 8 & 0xFFFFF) / 524288.0 - 1) * 180 / M_PI;
		for (int twin = 0; twin < (i % 50 == 0 ? 2 : 1); twin++) { /* twins are equal but for the id */
			fprintf(f, "%d,%.6f,%.6f,", twin ? i + 100000 : 2 * i + 1, ra, dec);
			fprintf(f, i % 17 == 0 ? ",," : i % 3 ? "%d,,": "%d,7.5,", 5 + i % 190);
			fprintf(f, i % 4 == 0 ? ",%.2f\n" : "%.2f,\n", i % 4 == 0 ? 8 + i % 30 / 10.0 : 11 + i % 60 / 10.0);
		}
	}
	fclose(f);
	catalog_builder_init(&b);
	assert_ok(catalog_build_add(&b, csv, &e), &e);
	assert_ok(catalog_build_write(&b, fits, NULL, &e), &e);
	catalog_builder_free(&b);
	assert_ok(catalog_open(fits, &catalog, &e), &e);
	unlink(csv);
	unlink(fits); /* the mapping stays */
	rmdir(folder);
	sky_read(1, &map_3d);
	sky_read(0, &map_2d);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	catalog_close(&catalog);
	skymap_free(&map_3d);
	skymap_free(&map_2d);
	return 0;
}

struct plain {
	double score;
	int64_t id;
};

static int plain_compare(const void *a, const void *b)
{
	const struct plain *p = a, *q = b;
	if (p->score != q->score)
		return p->score > q->score ? -1 : 1;
	return p->id < q->id ? -1 : p->id > q->id;
}

/* By ang2pix at the map's own order, with the formula written out. */
static size_t plain_rank(const struct skymap *m, const struct rank_options *o, struct plain *out, double *total)
{
	size_t n = 0;
	*total = 0;
	for (int64_t i = 0; i < catalog.count; i++) {
		struct catalog_row g;
		int64_t cell;
		catalog_row_at(&catalog, i, &g);
		ang2pix_nest64(8, (90 - g.dec_deg) * (M_PI / 180), g.ra_deg * (M_PI / 180), &cell);
		double w = o->weight == RANK_LUMINOSITY ? catalog_luminosity(&g) : o->weight == RANK_MASS ? catalog_mass(&g) : 1, s = m->density[cell];
		if (m->norm != NULL) {
			double err = o->distance_error && isfinite(g.distance_err_mpc) ? g.distance_err_mpc : 0, sigma = hypot(m->sigma[cell], err);
			s = isfinite(m->mu[cell]) && m->norm[cell] > 0 ? s * m->norm[cell] * exp(-pow((g.distance_mpc - m->mu[cell]) / sigma, 2) / 2) /
				sqrt(2 * M_PI) / sigma : 0;
		}
		s *= w;
		if (!(s > 0))
			continue;
		out[n++] = (struct plain){s, g.id};
		*total += s;
	}
	qsort(out, n, sizeof *out, plain_compare);
	return n;
}

static void agrees(const struct skymap *m, struct rank_options o)
{
	struct plain *want = malloc((size_t)catalog.count * sizeof *want);
	struct ranking r;
	struct err e = {0};
	double total, sum = 0;
	int64_t last_id = INT64_MIN;
	size_t n = plain_rank(m, &o, want, &total);
	assert_ok(rank_galaxies(m, &catalog, &o, &r, &e), &e);
	assert_int_equal(r.considered, n);
	assert_int_equal(r.count, o.top > 0 && (size_t)o.top < n ? (size_t)o.top : n);
	for (size_t i = 0; i < r.count; i++) {
		struct catalog_row g;
		catalog_row_at(&catalog, r.list[i].row, &g);
		assert_true(fabs(r.list[i].score - want[i].score) <= 1e-12 * want[i].score);
		assert_true(i == 0 || r.list[i].score < r.list[i - 1].score || (r.list[i].score == r.list[i - 1].score && g.id > last_id));
		last_id = g.id;
		sum += r.list[i].share;
		assert_true(fabs(r.list[i].share - want[i].score / total) <= 1e-11 * r.list[i].share);
		assert_true(fabs(r.list[i].cumulative_share - sum) < 1e-14);
		assert_true(isnan(r.list[i].dpdv_per_mpc3) == (m->norm == NULL));
	}
	if (r.count == n)
		assert_true(fabs(sum - 1) < 1e-12);
	rank_free(&r);
	free(want);
}

static void plain_and_quick_agree(void **state)
{
	(void)state;
	for (int weight = RANK_NONE; weight <= RANK_MASS; weight++)
		for (int error = 0; error < 2; error++)
			for (int64_t top = 0; top <= 100; top += 25) {
				const struct rank_options o = {.weight = (enum rank_weight)weight, .distance_error = error != 0, .top = top, .probability = NAN};
				agrees(&map_3d, o);
				agrees(&map_2d, o);
			}
}

/* Equal scores stand by id: the twins. */
static void ties_go_by_id(void **state)
{
	const struct rank_options o = {.probability = NAN};
	struct ranking r;
	struct err e = {0};
	int ties = 0;
	(void)state;
	assert_ok(rank_galaxies(&map_3d, &catalog, &o, &r, &e), &e);
	for (size_t i = 1; i < r.count; i++) {
		struct catalog_row a, b;
		if (r.list[i].score != r.list[i - 1].score)
			continue;
		catalog_row_at(&catalog, r.list[i - 1].row, &a);
		catalog_row_at(&catalog, r.list[i].row, &b);
		assert_true(a.id < b.id);
		ties++;
	}
	assert_true(ties > 20);
	rank_free(&r);
}

static void stops_at_a_probability(void **state)
{
	const struct rank_options o = {.probability = 0.5};
	struct ranking r;
	struct err e = {0};
	(void)state;
	assert_ok(rank_galaxies(&map_3d, &catalog, &o, &r, &e), &e);
	assert_true(r.count > 1 && r.list[r.count - 1].cumulative_share >= 0.5 && r.list[r.count - 2].cumulative_share < 0.5);
	rank_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(plain_and_quick_agree), cmocka_unit_test(ties_go_by_id),
		cmocka_unit_test(stops_at_a_probability)};
	return cmocka_run_group_tests_name("rank", tests, setup, teardown);
}

/* Every 3-D map of the data: the 400 best galaxies against the closed form computed independently (data/truth/galaxies): dP/dV to 1e-9 (or
 * the last digit that the truth prints) and the order with it. */
#include "test.h"
#include "csv.h"
#include "engine/target/catalog_build.h"
#include "engine/target/rank.h"
#include <math.h>

static char folder[] = "/tmp/slew-rank-XXXXXX";
static char catalog_path[64];
static struct catalog catalog;

static int load(const char *path, unsigned char **bytes, size_t *len)
{
	FILE *f = fopen(path, "rb");
	if (f == NULL)
		return -1;
	fseek(f, 0, SEEK_END);
	*len = (size_t)ftell(f);
	rewind(f);
	*bytes = malloc(*len + 1);
	*len = fread(*bytes, 1, *len, f);
	fclose(f);
	return 0;
}

static void catalog_make(const char *csv)
{
	struct catalog_builder b;
	struct err e = {0};
	assert_non_null(mkdtemp(folder));
	snprintf(catalog_path, sizeof catalog_path, "%s/c.fits", folder);
	catalog_builder_init(&b);
	assert_ok(catalog_build_add(&b, csv, &e), &e);
	assert_ok(catalog_build_write(&b, catalog_path, NULL, &e), &e);
	catalog_builder_free(&b);
	assert_ok(catalog_open(catalog_path, &catalog, &e), &e);
	assert_ok(catalog_verify(&catalog, &e), &e);
	assert_int_equal(catalog.count, 39149);
}

/* The truth leaves out galaxies nearer than 1.01 steps of its grid or farther than 0.999 of its end (1000 steps); so do we, here. */
static void one(const char *map, const char *truth, double step_mpc)
{
	struct csv t;
	unsigned char *bytes = NULL;
	size_t len = 0;
	struct skymap m;
	struct ranking r;
	struct err e = {0};
	const struct rank_options o = {.top = 0, .probability = NAN};
	if (csv_open(truth, &t) != 0 || load(map, &bytes, &len) != 0)
		fail_msg("%s or %s cannot be read", truth, map);
	assert_ok(skymap_read(bytes, len, &m, &e), &e);
	free(bytes);
	assert_ok(rank_galaxies(&m, &catalog, &o, &r, &e), &e);
	assert_true(t.rows > 0 && r.count >= t.rows);
	for (size_t i = 0, k = 0; i < t.rows; i++, k++) {
		struct catalog_row g;
		while (k < r.count && (catalog_distance_mpc(&catalog, r.list[k].row) <= 1.01 * step_mpc ||
			catalog_distance_mpc(&catalog, r.list[k].row) >= 999 * step_mpc))
			k++;
		assert_true(k < r.count);
		double want = csv_number(&t, i, "dpdv_exact_per_mpc3"), got = r.list[k].dpdv_per_mpc3;
		catalog_row_at(&catalog, r.list[k].row, &g);
		if (!(fabs(got - want) <= 1e-9 * want))
			fail_msg("%s rank %zu: dP/dV %.12e, the truth says %.12e", map, i + 1, got, want);
		if (g.id != (int64_t)csv_number(&t, i, "gid"))
			fail_msg("%s rank %zu: galaxy %lld, the truth says %s", map, i + 1, (long long)g.id, csv_text(&t, i, "gid"));
	}
	rank_free(&r);
	skymap_free(&m);
	csv_free(&t);
}

static void ranks(void **state)
{
	char path[1024], base[1024], truth[1024];
	struct csv t;
	size_t maps = 0;
	(void)state;
	shared_path(path, "data/galaxies/derived/galaxies_master.csv");
	catalog_make(path);
	shared_path(base, "data");
	shared_path(path, "data/truth/skymap_truth.csv");
	assert_int_equal(csv_open(path, &t), 0);
	for (size_t i = 0; i < t.rows; i++) {
		if (csv_text(&t, i, "galaxies_csv")[0] == '\0')
			continue;
		snprintf(path, sizeof path, "%.500s/%.500s", base, csv_text(&t, i, "path"));
		snprintf(truth, sizeof truth, "%.500s/%.500s", base, csv_text(&t, i, "galaxies_csv"));
		one(path, truth, csv_number(&t, i, "grid_dr_mpc"));
		maps++;
	}
	printf("# %zu maps ranked\n", maps);
	assert_true(maps >= 50);
	csv_free(&t);
	catalog_close(&catalog);
	unlink(catalog_path);
	rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(ranks)};
	return cmocka_run_group_tests_name("golden rank", tests, NULL, NULL);
}

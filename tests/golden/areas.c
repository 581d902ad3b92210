/* Every real sky map: area50, area90, peak, cells and distance against the field's reference tool (data/truth/skymap_truth.csv). */
#include "test.h"
#include "csv.h"
#include "engine/base/limits.h"
#include "engine/target/region.h"
#include <math.h>
#include <sys/stat.h>

static int load(const char *path, unsigned char **bytes, size_t *len)
{
	struct stat st;
	FILE *f = fopen(path, "rb");
	if (f == NULL)
		return -1;
	fstat(fileno(f), &st);
	*bytes = malloc((size_t)st.st_size + 1);
	*len = fread(*bytes, 1, (size_t)st.st_size, f);
	fclose(f);
	return 0;
}

static void near(const char *map, const char *what, double got, double want, double relative)
{
	if (!(fabs(got - want) <= relative * fabs(want)))
		fail_msg("%s: %s is %.12g, the truth says %.12g", map, what, got, want);
}

static void one(const struct csv *t, size_t row, const char *path)
{
	const char *map = csv_text(t, row, "path");
	unsigned char *bytes = NULL;
	size_t len = 0;
	struct err e = {0};
	struct skymap m;
	struct region r;
	if (load(path, &bytes, &len) != 0)
		fail_msg("%s cannot be read", path);
	int rc = skymap_read(bytes, len, &m, &e);
	free(bytes);
	if (csv_text(t, row, "area90")[0] == '\0') {
		if (rc == 0)
			fail_msg("%s has no truth, yet it was read", map);
		printf("# refused %s: %s\n", map, e.text);
		return;
	}
	if (rc != 0)
		fail_msg("%s: %s", map, e.text);
	assert_ok(region_of(&m, &r, &e), &e);
	near(map, "area50", r.area50_deg2, csv_number(t, row, "area50"), 1e-6);
	near(map, "area90", r.area90_deg2, csv_number(t, row, "area90"), 1e-6);
	near(map, "probability", r.probability, csv_number(t, row, "prob_sum"), 1e-7);
	assert_true(m.order_max >= (int)csv_number(t, row, "max_order")); /* the truth merges equal neighbours of flat maps */
	if (csv_number(t, row, "n_tied_max") == 1) {
		assert_true(fabs(r.dec_deg - csv_number(t, row, "max_dec_deg")) < 1e-7 + 90.0 / (1 << m.order_max));
		double dra = fabs(r.ra_deg - csv_number(t, row, "max_ra_deg"));
		assert_true(fmin(dra, 360 - dra) * cos(r.dec_deg * M_PI / 180) < 1e-7 + 90.0 / (1 << m.order_max));
	}
	if (csv_text(t, row, "distmean_hdr")[0] != '\0')
		near(map, "distmean", r.distmean_mpc, csv_number(t, row, "distmean_hdr"), 1e-9);
	if (csv_text(t, row, "distmean_calc")[0] != '\0') {
		double mean, std;
		region_moments(&m, &mean, &std);
		near(map, "mean of the moments", mean, csv_number(t, row, "distmean_calc"), 1e-6);
		near(map, "std of the moments", std, csv_number(t, row, "diststd_calc"), 1e-6);
	} else {
		assert_true(m.mu == NULL);
	}
	skymap_free(&m);
}

static void areas(void **state)
{
	char path[1024], folder[1024];
	struct csv t;
	(void)state;
	shared_path(path, "data/truth/skymap_truth.csv");
	assert_int_equal(csv_open(path, &t), 0);
	assert_true(t.rows >= 80);
	for (size_t i = 0; i < t.rows; i++) {
		shared_path(folder, "data");
		snprintf(path, sizeof path, "%.500s/%.500s", folder, csv_text(&t, i, "path"));
		one(&t, i, path);
	}
	csv_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(areas)};
	return cmocka_run_group_tests_name("golden areas", tests, NULL, NULL);
}

/* Every 3-D map of the data: its 50 and 90 % volumes, and the credible level of its best galaxies, against the reference tool on its grid of 1000
 * steps of distance (data/truth). */
#include "test.h"
#include "csv.h"
#include "engine/target/volume.h"
#include <chealpix.h>
#include <math.h>

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

/* How far the truth's levels lie outside of what ours are within one step of distance: its grid. */
static double levels_off(const struct volume *v, const char *truth, double step_mpc, size_t *galaxies)
{
	struct csv t;
	struct err e = {0};
	double most = 0;
	if (csv_open(truth, &t) != 0)
		fail_msg("%s cannot be read", truth);
	double *density = calloc(3 * t.rows, sizeof *density), *level = calloc(3 * t.rows, sizeof *level);
	for (size_t i = 0; i < t.rows; i++) {
		int64_t ipix;
		ang2pix_nest64(INT64_C(1) << 29, (90 - csv_number(&t, i, "dec_deg")) * M_PI / 180, csv_number(&t, i, "ra_deg") * M_PI / 180, &ipix);
		for (int k = 0; k < 3; k++)
			density[3 * i + (size_t)k] = volume_density(v->map, (uint64_t)ipix, csv_number(&t, i, "dist_mpc") + (k - 1) * step_mpc);
	}
	assert_ok(volume_levels(v, density, 3 * t.rows, level, &e), &e);
	for (size_t i = 0; i < t.rows; i++) {
		const double *l = &level[3 * i], want = csv_number(&t, i, "searched_prob_vol");
		double low = fmin(l[0], fmin(l[1], l[2])), high = fmax(l[0], fmax(l[1], l[2]));
		most = fmax(most, fmax(low - want, want - high));
	}
	*galaxies += t.rows;
	free(density);
	free(level);
	csv_free(&t);
	return most;
}

static void volumes(void **state)
{
	char path[1024], base[1024], truth[1024];
	struct csv t;
	size_t maps = 0, galaxies = 0;
	double most[2] = {0, 0}, level = 0;
	(void)state;
	shared_path(base, "data");
	shared_path(path, "data/truth/skymap_truth.csv");
	assert_int_equal(csv_open(path, &t), 0);
	for (size_t i = 0; i < t.rows; i++) {
		unsigned char *bytes = NULL;
		size_t len = 0;
		struct skymap m;
		struct volume v;
		struct err e = {0};
		if (csv_text(&t, i, "vol90_mpc3")[0] == '\0')
			continue;
		snprintf(path, sizeof path, "%.500s/%.500s", base, csv_text(&t, i, "path"));
		snprintf(truth, sizeof truth, "%.500s/%.500s", base, csv_text(&t, i, "galaxies_csv"));
		if (load(path, &bytes, &len) != 0)
			fail_msg("%s cannot be read", path);
		assert_ok(skymap_read(bytes, len, &m, &e), &e);
		free(bytes);
		assert_ok(volume_open(&v, &m, &e), &e);
		static const char *const column[2] = {"vol50_mpc3", "vol90_mpc3"};
		double off[2] = {0, 0};
		for (int k = 0; k < 2; k++) {
			double want = csv_number(&t, i, column[k]);
			if (isfinite(want))
				off[k] = fabs(volume_credible(&v, k ? 0.9 : 0.5) / want - 1);
			most[k] = fmax(most[k], off[k]);
		}
		double off_level = levels_off(&v, truth, csv_number(&t, i, "grid_dr_mpc"), &galaxies);
		level = fmax(level, off_level);
		volume_close(&v);
		skymap_free(&m);
		maps++;
	}
	csv_free(&t);
	printf("# %zu maps: 50 and 90 %% volumes to %.4f and %.4f, levels of %zu galaxies to %.4f\n", maps, most[0], most[1], galaxies, level);
	assert_true(maps >= 50 && most[0] < 5e-4 && most[1] < 5e-4 && level < 0.01);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(volumes)};
	return cmocka_run_group_tests_name("golden volume", tests, NULL, NULL);
}

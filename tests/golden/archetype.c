/* The archetype, in hindsight: GW170817's published map is a later sample map, not what was known that night. NGC 4993 is among the first ten
 * by luminosity weight; where it stands for each catalogue and weight is printed (TAP comments). */
#include "test.h"
#include "engine/target/catalog_build.h"
#include "engine/target/probability.h"
#include "engine/target/supernova.h"
#include <math.h>

#define RA_DEG 197.44879
#define DEC_DEG -23.38389

static char folder[] = "/tmp/slew-archetype-XXXXXX";

static void map_read(const char *rel, struct skymap *m)
{
	char path[1024];
	struct err e = {0};
	shared_path(path, rel);
	FILE *f = fopen(path, "rb");
	assert_non_null(f);
	unsigned char *bytes = malloc(8 << 20);
	size_t len = fread(bytes, 1, 8 << 20, f);
	fclose(f);
	assert_ok(skymap_read(bytes, len, m, &e), &e);
	free(bytes);
}

static void catalog_read(const char *path, struct catalog *c)
{
	char fits[64];
	struct catalog_builder b;
	struct err e = {0};
	snprintf(fits, sizeof fits, "%s/c.fits", folder);
	catalog_builder_init(&b);
	assert_ok(catalog_build_add(&b, path, &e), &e);
	assert_ok(catalog_build_write(&b, fits, NULL, &e), &e);
	catalog_builder_free(&b);
	assert_ok(catalog_open(fits, c, &e), &e);
	unlink(fits);
}

/* Rank of the first entry at NGC 4993's place, 0 where there is none; the list's probabilities and `outside` must add up to 1. */
static size_t rank_of(const struct skymap *m, const struct catalog *c, const char *name, enum weight_kind kind)
{
	static const char *const weights[] = {"none", "luminosity", "mass"};
	struct probability_model model;
	struct probability p;
	struct ranking r;
	struct err e = {0};
	size_t found = 0;
	double sum = 0, mine = NAN;
	assert_ok(probability_model_make(&model, c, kind, NULL, NAN, &e), &e);
	const struct rank_options o = {.distance_error = true, .probability = NAN, .by = &model.weight};
	assert_ok(rank_galaxies(m, c, &o, &r, &e), &e);
	probability_make(&p, m, &model.missing, &r, NULL);
	for (size_t i = 0; i < r.count; i++) {
		struct catalog_row g;
		double probability = probability_row(&p, &model.weight, c, &r.list[i]);
		catalog_row_at(c, r.list[i].row, &g);
		sum += probability;
		if (found == 0 && fabs(g.ra_deg - RA_DEG) < 0.01 && fabs(g.dec_deg - DEC_DEG) < 0.01) {
			found = i + 1;
			mine = probability;
		}
	}
	if (r.count > 0)
		assert_true(fabs(sum + p.outside - 1) < 1e-9);
	if (found)
		printf("# %s, weight %s: NGC 4993 is %zu of %zu, probability %.1f %%, P(host not in the catalogue) %.1f %% [hindsight]\n", name,
			weights[kind], found, r.count, 100 * mine, 100 * p.outside);
	else
		printf("# %s, weight %s: NGC 4993 has no score (no distance or no weight there)\n", name, weights[kind]);
	rank_free(&r);
	probability_model_free(&model);
	return found;
}

static void ngc4993(void **state)
{
	static const struct {
		const char *path;
		size_t most[3]; /* for none, luminosity, mass; 0: it has no weight of that kind, or no entry */
	} catalogs[] = {
		{"derived/galaxies_master.csv", {10, 10, 10}}, {"50MGC_catalog_short.fits", {10, 0, 5}}, {"OpenNGC_NGC.csv", {5, 5, 0}},
		{"GW170817_glade_region.csv", {10, 10, 0}},
	};
	struct skymap m;
	(void)state;
	map_read("data/skymaps/gwtc/GW170817_skymap.fits.gz", &m);
	assert_non_null(mkdtemp(folder));
	for (size_t i = 0; i < sizeof catalogs / sizeof catalogs[0]; i++) {
		char path[1024], rel[128];
		struct catalog c;
		snprintf(rel, sizeof rel, "data/galaxies/%s", catalogs[i].path);
		shared_path(path, rel);
		catalog_read(path, &c);
		for (int kind = WEIGHT_NONE; kind <= WEIGHT_MASS; kind++) {
			size_t rank = rank_of(&m, &c, catalogs[i].path, (enum weight_kind)kind);
			assert_true(rank <= catalogs[i].most[kind] && (rank > 0) == (catalogs[i].most[kind] > 0));
		}
		catalog_close(&c);
	}
	rmdir(folder);
	skymap_free(&m);
}

/* Of S190425z's volume: the reference tools have 1.1075e7 Mpc³ on their grid (data/truth), programmes speak of about 100 supernovae. */
static void supernovae(void **state)
{
	struct skymap m;
	struct supernova s;
	struct err e = {0};
	(void)state;
	map_read("data/skymaps/gracedb_o3/S190425z__bayestar.fits", &m);
	assert_ok(supernova_in_map(&m, 154.6, &s, &e), &e);
	assert_true(fabs(s.volume90_mpc3 / 1.1075e7 - 1) < 0.01 && s.expected > 80 && s.expected < 120);
	printf("# S190425z: %.3g unrelated supernovae younger than 30 d in %.4g Mpc³\n", s.expected, s.volume90_mpc3);
	skymap_free(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(ngc4993), cmocka_unit_test(supernovae)};
	return cmocka_run_group_tests_name("golden archetype", tests, NULL, NULL);
}

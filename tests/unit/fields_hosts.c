/* What no galaxy of the catalogue explains stays on the sky, by cell and by distance, and is ranked as fields; with the galaxies it is all there
 * is. Galaxies are spread evenly over one half of the sky to 150 Mpc, and together as bright as the universe is there: complete. */
#include "test.h"
#include "mapmake.h"
#include "engine/base/json.h"
#include "engine/core/compute.h"
#include "engine/target/catalog_build.h"
#include "engine/target/cosmology.h"
#include "engine/target/fields_hosts.h"
#include <chealpix.h>
#include <math.h>

#define DEG (180.0 / M_PI)
#define FAR_MPC 150.0
#define PER_MPC3 1e-3
#define ORDER 4

enum lobe { NEAR, BEYOND, HOLE, LOBES, NOWHERE = LOBES }; /* within the catalogue; farther than it; near, where it has nobody */

static struct catalog half;
static struct mapmake map;

static double uniform(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (double)(*seed >> 11) / 9007199254740992.0;
}

static void catalog_half(const char *csv)
{
	const char *unit, *source;
	double light = weight_density(WEIGHT_LUMINOSITY, &unit, &source) / PER_MPC3, far_c = FAR_MPC / (1 + cosmology_redshift(FAR_MPC));
	uint64_t seed = 5;
	FILE *f = fopen(csv, "w");
	fputs("id,name,ra,dec,dist,dist_err,bmag\n", f);
	for (int i = 0; i < (int)(PER_MPC3 * cosmology_volume_mpc3(FAR_MPC) / 2); i++) {
		double ra = 180 * uniform(&seed), dec = asin(2 * uniform(&seed) - 1) * DEG, c = far_c * cbrt(uniform(&seed)), d = c;
		for (int k = 0; k < 20; k++) /* luminosity distance of that comoving one */
			d = c * (1 + cosmology_redshift(d));
		fprintf(f, "%d,G%d,%.6f,%.6f,%.4f,1,%.4f\n", i, i, ra, dec, d, 5.44 + 5 * log10(d) + 25 - 2.5 * log10(light));
	}
	fclose(f);
}

static enum lobe lobe_of(double ra, double dec)
{
	if (fabs(dec) < 10 || fabs(dec) > 50)
		return NOWHERE;
	if (ra > 60 && ra < 120)
		return dec > 0 ? NEAR : BEYOND;
	return ra > 240 && ra < 300 && dec > 0 ? HOLE : NOWHERE;
}

static enum lobe lobe_of_pixel(int64_t nside, int64_t ipix)
{
	double theta, phi;
	pix2ang_nest64(nside, ipix, &theta, &phi);
	return lobe_of(phi * DEG, 90 - theta * DEG);
}

/* A third of the probability in each lobe. */
static void map_make(void)
{
	struct mapmake_sky sky;
	int count[LOBES + 1] = {0};
	mapmake_sky_make(&sky, ORDER);
	for (int64_t i = 0; i < sky.pixels; i++)
		count[lobe_of_pixel(1 << ORDER, i)]++;
	for (int64_t i = 0; i < sky.pixels; i++) {
		enum lobe l = lobe_of_pixel(1 << ORDER, i);
		double mu = l == BEYOND ? 500 : 80, sigma = mu / 5;
		sky.prob[i] = l == NOWHERE ? 0 : 1.0 / LOBES / count[l];
		sky.mu[i] = mu;
		sky.sigma[i] = sigma;
		sky.norm[i] = 1 / (mu * mu + sigma * sigma);
	}
	mapmake_sky_file(&sky, "NESTED", 1, &map);
	mapmake_sky_free(&sky);
}

static int setup(void **state)
{
	char folder[] = "/tmp/slew-hosts-XXXXXX", csv[64], fits[64];
	struct catalog_builder b;
	struct err e = {0};
	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(csv, sizeof csv, "%s/in.csv", folder);
	snprintf(fits, sizeof fits, "%s/c.fits", folder);
	catalog_half(csv);
	catalog_builder_init(&b);
	assert_ok(catalog_build_add(&b, csv, &e), &e);
	assert_ok(catalog_build_write(&b, fits, NULL, &e), &e);
	catalog_builder_free(&b);
	assert_ok(catalog_open(fits, &half, &e), &e);
	unlink(csv);
	unlink(fits);
	rmdir(folder);
	map_make();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	catalog_close(&half);
	mapmake_free(&map);
	return 0;
}

/* Sums by lobe of what is on the sky and of the galaxies that are packed. */
static void sums(const struct skymap *m, const struct fields_hosts *h, double *sky, double *packed)
{
	for (int l = 0; l <= LOBES; l++)
		sky[l] = packed[l] = 0;
	for (int64_t i = 0; i < m->cells; i++) {
		int order = skymap_order(m->uniq[i]);
		sky[lobe_of_pixel(INT64_C(1) << order, (int64_t)(m->uniq[i] - (UINT64_C(4) << (2 * order))))] += h->missing[i];
	}
	for (size_t i = 0; i < h->galaxies; i++)
		packed[lobe_of_pixel(1 << ORDER, (int64_t)moc_pixel(ORDER, h->galaxy[i].ra_deg, h->galaxy[i].dec_deg))] += h->galaxy[i].probability; /* of its cell */
}

static double rarity(double distance_mpc)
{
	double z, ratio = cosmology_volume_ratio(distance_mpc, &z);
	return ratio / (1 + z);
}

/* What is missing lies where the catalogue ends, in distance and on the sky, not where it is complete; nothing is lost, nothing counted twice. */
static void by_cell_and_by_distance(void **state)
{
	struct skymap m;
	struct fields_hosts all, few;
	struct err e = {0};
	double sky[LOBES + 1], packed[LOBES + 1], fewer[LOBES + 1], sky_few[LOBES + 1];
	(void)state;
	assert_ok(skymap_read(map.data, map.len, &m, &e), &e);
	assert_ok(fields_hosts_make(&m, &half, FIELDS_FROM_BOTH, WEIGHT_LUMINOSITY, 10000, &all, &e), &e);
	sums(&m, &all, sky, packed);
	printf("# outside %.3f; on the sky: near %.3f, beyond %.3f, hole %.3f; galaxies: near %.3f\n", all.outside, sky[NEAR], sky[BEYOND], sky[HOLE], packed[NEAR]);
	assert_true(fabs(sky[NEAR] + sky[BEYOND] + sky[HOLE] + sky[NOWHERE] - all.outside) < 1e-9);
	assert_true(fabs(all.outside + packed[NEAR] + packed[BEYOND] + packed[HOLE] + packed[NOWHERE] - 1) < 1e-9);
	assert_true(packed[BEYOND] < 0.01 && packed[HOLE] <= 0 && sky[NEAR] < 0.02);
	/* a merger of the lobe beyond is rarer per volume of luminosity distance, in which the map is made: (1 + z)^-1 dV_C/dV_L (weight.h) */
	double q = rarity(500) / rarity(80);
	assert_true(fabs(packed[NEAR] * (2 + q) - 1) < 0.04 && fabs(sky[HOLE] * (2 + q) - 1) < 0.04 && fabs(sky[BEYOND] * (2 + q) / q - 1) < 0.04);
	/* a hundred are packed: the others stay in their cells */
	assert_ok(fields_hosts_make(&m, &half, FIELDS_FROM_BOTH, WEIGHT_LUMINOSITY, 100, &few, &e), &e);
	sums(&m, &few, sky_few, fewer);
	assert_int_equal(few.galaxies, 100);
	assert_true(fabs(few.outside - all.outside) < 1e-12 && fewer[NEAR] < 0.7 * packed[NEAR]);
	for (int l = 0; l <= LOBES; l++)
		assert_true(fabs(sky_few[l] + fewer[l] - sky[l] - packed[l]) < 1e-9);
	double total = 0;
	for (int l = 0; l <= LOBES; l++)
		total += sky_few[l] + fewer[l];
	assert_true(fabs(total - 1) < 1e-9);
	fields_hosts_free(&all);
	fields_hosts_free(&few);
	skymap_free(&m);
}

/* A 2-D map says nothing of what is missing: half is the galaxies', all of them, half the sky's. */
static void a_map_without_distance(void **state)
{
	struct mapmake_sky sky;
	struct mapmake flat;
	struct skymap m;
	struct fields_hosts h;
	struct err e = {0};
	double on_sky[LOBES + 1], packed[LOBES + 1], total = 0;
	(void)state;
	mapmake_sky_make(&sky, ORDER);
	mapmake_sky_file(&sky, "NESTED", 0, &flat);
	mapmake_sky_free(&sky);
	assert_ok(skymap_read(flat.data, flat.len, &m, &e), &e);
	assert_ok(fields_hosts_make(&m, &half, FIELDS_FROM_BOTH, WEIGHT_LUMINOSITY, 100, &h, &e), &e);
	sums(&m, &h, on_sky, packed);
	for (int l = 0; l <= LOBES; l++)
		total += on_sky[l] + packed[l];
	assert_true(isnan(h.outside) && fabs(total - 1) < 1e-9);
	assert_true(fabs(h.galaxy[0].probability / h.ranking.list[0].share - 0.5) < 1e-12 && h.galaxies == 100);
	fields_hosts_free(&h);
	skymap_free(&m);
	mapmake_free(&flat);
}

static int blob(void *ctx, const char *sha256, unsigned char **bytes, size_t *len, struct err *e)
{
	(void)ctx;
	(void)sha256;
	(void)e;
	*bytes = malloc(map.len);
	memcpy(*bytes, map.data, map.len);
	*len = map.len;
	return 0;
}

/* The engine's ranking: as many frames lie where the catalogue has nobody as its third is worth, and hold no galaxy. */
static void ranked_as_fields(void **state)
{
	struct compute_host host = {.blob = blob, .read_map = skymap_read, .catalog = &half};
	struct err e = {0};
	json_t *job = json_loads("{\"kind\":\"rank\",\"sha256\":\"m\",\"weight\":\"none\",\"top\":0,\"fields\":[{\"camera\":\"r600\",\"instrument\":null,\"from\":\"both\","
		"\"weight\":\"luminosity\",\"top\":60,\"probability\":null,\"old\":[]}]}", 0, NULL), *result = NULL, *f;
	double held[LOBES + 1] = {0}, last = 2;
	int frames[LOBES + 1] = {0}, empty[LOBES + 1] = {0};
	size_t i;
	(void)state;
	assert_int_equal(compute_run(&host, job, &result, &e), 0);
	json_array_foreach(json_object_get(result, "fields"), i, f) {
		enum lobe l = lobe_of(json_number(f, "ra_deg", 0), json_number(f, "dec_deg", 0));
		double p = json_number(f, "probability", -1);
		assert_true(p > 0 && p <= last);
		last = p;
		held[l] += p;
		frames[l]++;
		empty[l] += json_array_size(json_object_get(f, "galaxies")) == 0;
	}
	printf("# frames: near %d, beyond %d, hole %d, elsewhere %d, hold %.3f %.3f %.3f %.3f\n", frames[NEAR], frames[BEYOND], frames[HOLE], frames[NOWHERE],
		held[NEAR], held[BEYOND], held[HOLE], held[NOWHERE]);
	assert_true(json_number(result, "outside", 0) > 0.6 && json_number(result, "outside", 1) < 0.72);
	for (int l = 0; l < LOBES; l++)
		assert_true(frames[l] >= 3 && held[l] > 0.2 && held[l] < 0.4);
	assert_int_equal(empty[HOLE], frames[HOLE]);
	assert_true(empty[NEAR] < frames[NEAR]);
	f = json_array_get(json_object_get(result, "fields"), json_array_size(json_object_get(result, "fields")) - 1);
	assert_true(json_number(f, "cumulative_share", 0) > 0.9 && json_number(f, "cumulative_share", 2) <= 1 + 1e-9);
	json_decref(result);
	json_decref(job);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(by_cell_and_by_distance), cmocka_unit_test(a_map_without_distance), cmocka_unit_test(ranked_as_fields)};
	return cmocka_run_group_tests_name("fields_hosts", tests, setup, teardown);
}

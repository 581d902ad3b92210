/* The made-up sky: reproducible, normalised, calibrated, and written as FITS and JSON that others can read. */
#include "test.h"
#include "engine/base/json.h"
#include "engine/base/hash.h"
#include "sim/alert_write.h"
#include "sim/localise.h"
#include "sim/random.h"
#include "sim/sky.h"
#include "sim/skymap_write.h"
#include <math.h>

static void test_random(void **state)
{
	struct rng a, b, c;
	double sum = 0, square = 0;

	(void)state;
	rng_seed(&a, 7, "x");
	rng_seed(&b, 7, "x");
	rng_seed(&c, 7, "y");
	assert_true(rng_u64(&a) == rng_u64(&b));
	assert_true(rng_u64(&a) != rng_u64(&c));
	for (int i = 0; i < 20000; i++) {
		double x = rng_normal(&a);
		sum += x;
		square += x * x;
	}
	assert_true(fabs(sum / 20000) < 0.03 && fabs(square / 20000 - 1) < 0.05);
}

static void test_sky(void **state)
{
	struct sim_sky_options o = {.seed = 3, .radius_mpc = 60};
	struct sim_sky one, two;
	struct err e = {0};
	size_t listed = 0, near = 0;

	(void)state;
	assert_ok(sim_sky_make(&o, &one, &e), &e);
	assert_ok(sim_sky_make(&o, &two, &e), &e);
	assert_true(one.count == two.count && memcmp(one.galaxy, two.galaxy, one.count * sizeof *one.galaxy) == 0);
	double expected = 0.008 * 4 / 3 * M_PI * 60 * 60 * 60;
	assert_true(fabs((double)one.count / expected - 1) < 0.01);
	for (size_t i = 0; i < one.count; i++) {
		assert_true(one.galaxy[i].distance_mpc <= 60 && strlen(one.galaxy[i].name) == 17);
		assert_true(one.galaxy[i].listed_mpc > 0 && one.galaxy[i].listed_err_mpc > 0);
		listed += one.galaxy[i].listed;
		near += one.galaxy[i].distance_mpc < 30;
	}
	assert_true(listed > one.count / 2 && listed < one.count); /* incomplete */
	assert_true(near > one.count / 20 && near < one.count / 5);
	int64_t host = sim_sky_host(&one, 5, "A", 40);
	assert_true(host >= 0 && one.galaxy[host].distance_mpc < 40);
	assert_true(sim_sky_host(&one, 5, "A", 0.5) == -1);
	struct text csv = {.max = 10u << 20};
	sim_sky_csv(&one, &csv);
	size_t lines = 0;
	for (size_t i = 0; i < csv.len; i++)
		lines += csv.data[i] == '\n';
	assert_int_equal(lines, listed + 1);
	text_free(&csv);
	sim_sky_free(&one);
	sim_sky_free(&two);
}

/* Whoever ranks by a weight must not find hosts that were drawn with that very weight: more hosts are galaxies of small mass than by mass,
 * fewer than by number, and the light of their galaxies is not theirs. And galaxies cluster: counts in boxes vary more than by chance. */
static void test_hosts(void **state)
{
	struct sim_sky_options o = {.seed = 11, .radius_mpc = 80};
	struct sim_sky sky;
	struct err e = {0};
	double n = 0, mass = 0, light = 0, small_n = 0, small_mass = 0, small_light = 0, hosts = 0, faint_mass = 0, faint_light = 0, faint_hosts = 0, mean = 0, square = 0;
	static int box[16 * 16 * 16];
	(void)state;
	assert_ok(sim_sky_make(&o, &sky, &e), &e);
	for (size_t i = 0; i < sky.count; i++) {
		const struct sim_galaxy *g = &sky.galaxy[i];
		double m = pow(10, g->log_mstar - 10), l = pow(10, -0.4 * (g->abs_b_mag + 20)), small = g->log_mstar < 9.5, faint = l < 0.4 * m;
		double ra = g->ra_deg * M_PI / 180, dec = g->dec_deg * M_PI / 180, d = g->distance_mpc / 10 * 0.999;
		n += 1, mass += m, light += l, small_n += small, small_mass += small * m, small_light += small * l, faint_mass += faint * m, faint_light += faint * l;
		box[(int)(8 + d * cos(dec) * cos(ra)) + 16 * (int)(8 + d * cos(dec) * sin(ra)) + 256 * (int)(8 + d * sin(dec))]++;
	}
	for (int k = 0; k < 4000; k++) {
		char stream[16];
		snprintf(stream, sizeof stream, "E%d", k);
		int64_t host = sim_sky_host(&sky, 3, stream, 80);
		assert_true(host >= 0);
		const struct sim_galaxy *g = &sky.galaxy[host];
		hosts += g->log_mstar < 9.5;
		faint_hosts += pow(10, -0.4 * (g->abs_b_mag + 20)) < 0.4 * pow(10, g->log_mstar - 10);
	}
	double drawn = hosts / 4000, sigma = sqrt(0.25 / 4000);
	print_message("# faint for their mass: by mass %.3f, by light %.3f; hosts %.3f\n", faint_mass / mass, faint_light / light, faint_hosts / 4000);
	print_message("# of small mass: by number %.3f, by mass %.3f, by light %.3f; hosts %.3f\n", small_n / n, small_mass / mass, small_light / light, drawn);
	assert_true(drawn > small_mass / mass + 3 * sqrt(0.01 / 4000) && drawn < small_n / n - 5 * sigma);
	assert_true(fabs(faint_hosts / 4000 - faint_light / light) > 5 * sigma && fabs(faint_hosts / 4000 - faint_mass / mass) > 3 * sigma);
	int boxes = 0;
	for (int i = 0; i < 16 * 16 * 16; i++) { /* boxes that lie whole within the sphere */
		double x = fabs(i % 16 - 7.5) + 0.5, y = fabs(i / 16 % 16 - 7.5) + 0.5, z = fabs(i / 256 - 7.5) + 0.5;
		if (x * x + y * y + z * z > 60)
			continue;
		boxes++;
		mean += box[i];
		square += (double)box[i] * box[i];
	}
	mean /= boxes;
	assert_true(square / boxes - mean * mean > 2 * mean); /* by chance alone: 1 */
	sim_sky_free(&sky);
}

static double cell_area_sr(uint64_t uniq)
{
	return 4 * M_PI / (double)(UINT64_C(12) << (2 * ((63 - __builtin_clzll(uniq)) / 2 - 1)));
}

/* The probability of all cells denser than the posterior at the truth: uniform in 0…1 if the maps are calibrated. */
static double credible_level(const struct sim_map *m, double density)
{
	double sum = 0;

	for (size_t i = 0; i < m->count; i++)
		if (m->cell[i].density > density)
			sum += m->cell[i].density * cell_area_sr(m->cell[i].uniq);
	return sum;
}

static void test_map(void **state)
{
	struct sim_merger merger = {.ra_deg = 197.4, .dec_deg = -23.4, .distance_mpc = 43, .area90_deg2 = 60, .elongation = 5, .sigma_mpc = 9};
	struct sim_posterior p;
	struct sim_map m;
	struct err e = {0};
	double sum = 0;

	(void)state;
	sim_posterior_make(&merger, 11, "A", &p);
	assert_ok(sim_map_make(&p, 6, &m, &e), &e);
	assert_int_equal(m.count, 768 + 6 * 576);
	for (size_t i = 0; i < m.count; i++) {
		const struct sim_cell *c = &m.cell[i];
		assert_true(i == 0 || c->uniq > m.cell[i - 1].uniq);
		sum += c->density * cell_area_sr(c->uniq);
		if (c->norm > 0 && i % 97 == 0) { /* ∫ r² norm N(r) dr = 1, by Simpson's rule */
			double integral = 0, top = c->mu + 12 * c->sigma, h = top / 4000;
			for (int k = 0; k <= 4000; k++) {
				double r = k * h, t = (r - c->mu) / c->sigma, w = k == 0 || k == 4000 ? 1 : k % 2 ? 4 : 2;
				integral += w * r * r * exp(-0.5 * t * t) / (sqrt(2 * M_PI) * c->sigma);
			}
			assert_true(fabs(integral * h / 3 * c->norm - 1) < 1e-6);
		}
	}
	assert_true(fabs(sum - 1) < 1e-9);
	assert_true(m.distmean_mpc > 20 && m.distmean_mpc < 80 && m.diststd_mpc > 5 && m.diststd_mpc < 15);
	sim_map_free(&m);
}

static void test_calibrated(void **state)
{
	int inside90 = 0, inside50 = 0;

	(void)state;
	for (int i = 0; i < 100; i++) {
		struct sim_merger merger = {.ra_deg = i * 3.6, .dec_deg = -80 + 1.6 * i, .distance_mpc = 60, .area90_deg2 = 300, .elongation = 4,
			.sigma_mpc = 12};
		struct sim_posterior p;
		struct sim_map m;
		struct err e = {0};
		double ra = merger.ra_deg * M_PI / 180, dec = merger.dec_deg * M_PI / 180;
		double v[3] = {cos(dec) * cos(ra), cos(dec) * sin(ra), sin(dec)}, scale = 0;
		sim_posterior_make(&merger, (uint64_t)i, "calibration", &p);
		assert_ok(sim_map_make(&p, 4, &m, &e), &e);
		for (size_t k = 0; k < m.count; k++) /* from the posterior's own units to the map's, at the peak */
			scale = m.cell[k].density > scale ? m.cell[k].density : scale;
		double peak = 0;
		for (int k = 0; k < 20000; k++) { /* the peak of the ring, along both lobes */
			double phi = 2 * M_PI * k / 20000, u[3];
			for (int c = 0; c < 3; c++)
				u[c] = sin(p.ring) * (cos(phi) * p.frame[0][c] + sin(phi) * p.frame[1][c]) + cos(p.ring) * p.frame[2][c];
			double d = sim_posterior_density(&p, u);
			peak = d > peak ? d : peak;
		}
		double level = credible_level(&m, sim_posterior_density(&p, v) / peak * scale);
		inside90 += level < 0.9;
		inside50 += level < 0.5;
		sim_map_free(&m);
	}
	/* 100 trials: 90 ± 3 and 50 ± 5 */
	assert_in_range(inside90, 81, 98);
	assert_in_range(inside50, 36, 64);
}

static void test_fits(void **state)
{
	struct sim_merger merger = {.ra_deg = 10, .dec_deg = 20, .distance_mpc = 80, .area90_deg2 = 20, .elongation = 4, .sigma_mpc = 12};
	struct sim_map_header h = {.object = "S261123ab", .instruments = "H1,L1,V1", .event_us = 1795000000000000, .made_us = 1795000060000000};
	struct sim_posterior p;
	struct sim_map m;
	struct text fits = {.max = 1u << 20};
	struct err e = {0};

	(void)state;
	sim_posterior_make(&merger, 2, "A", &p);
	assert_ok(sim_map_make(&p, 6, &m, &e), &e);
	assert_ok(sim_map_fits(&m, &h, &fits, &e), &e);
	assert_true(fits.len % 2880 == 0 && fits.len < 200000);
	assert_memory_equal(fits.data, "SIMPLE  =                    T", 30);
	assert_memory_equal(fits.data + 2880, "XTENSION= 'BINTABLE'", 20);
	const char *path = getenv("SIM_SKY_OUT"); /* for a look with other tools */
	if (path != NULL) {
		FILE *f = fopen(path, "wb");
		assert_non_null(f);
		fwrite(fits.data, 1, fits.len, f);
		fclose(f);
	}
	text_free(&fits);
	sim_map_free(&m);
}

static void test_alert(void **state)
{
	struct sim_alert a = {.event = "S261123ab", .type = "PRELIMINARY", .created_us = 1795000060000000, .event_us = 1795000000123456,
		.far_hz = 1e-12, .significant = true, .instruments = "H1,L1", .pipeline = "gstlal", .search = "AllSky", .p_bns = 0.9, .p_nsbh = 0.05,
		.p_bbh = 0, .p_terrestrial = 0.05, .has_ns = 1, .has_remnant = 0.9, .has_mass_gap = 0, .map = "SIMPLE", .map_len = 6};
	struct text out = {.max = 1u << 20};
	struct err e = {0};

	(void)state;
	assert_ok(sim_alert_write(&a, &out, &e), &e);
	json_t *j = json_read(out.data, out.len, &json_limits_alert, &e), *event = json_object_get(j, "event");
	assert_non_null(j);
	assert_string_equal(json_text(event, "time", ""), "2026-11-18T11:06:40.123Z");
	assert_string_equal(json_text(event, "skymap", ""), "U0lNUExF");
	assert_int_equal(json_array_size(json_object_get(event, "instruments")), 2);
	assert_true(json_number(json_object_get(event, "classification"), "BNS", 0) == 0.9);
	json_decref(j);
	text_reset(&out);
	a.type = "RETRACTION";
	assert_ok(sim_alert_write(&a, &out, &e), &e);
	j = json_read(out.data, out.len, &json_limits_alert, &e);
	assert_true(json_is_null(json_object_get(j, "event")));
	json_decref(j);
	text_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_random), cmocka_unit_test(test_sky), cmocka_unit_test(test_hosts), cmocka_unit_test(test_map),
		cmocka_unit_test(test_calibrated), cmocka_unit_test(test_fits), cmocka_unit_test(test_alert)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

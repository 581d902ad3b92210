/* Depth: limits against the exposure time calculator and closed forms, the Moon against its paper, families of kilonova, what is told of a place. */
#include "engine/target/depth.h"
#include "engine/base/embed.h"
#include "engine/base/json.h"
#include "test.h"
#include <math.h>
#include <string.h>

#define assert_near(got, want, within) \
	do { \
		double got_ = (got), want_ = (want); \
		if (!(fabs(got_ - want_) <= (within))) \
			fail_msg("%s is %.9g, wanted %.9g within %g", #got, got_, want_, (double)(within)); \
	} while (0)

static const struct depth_place blank = {DEPTH_BLANK, INFINITY, NAN}, host = {DEPTH_HOST, INFINITY, NAN}, deep = {DEPTH_SUBTRACTED, INFINITY, NAN};
static const struct depth_sky dark = DEPTH_DARK;

static struct depth_camera camera_of(const char *file, const char *filter)
{
	struct depth_camera c;
	struct err e = {0};
	size_t len;
	const char *text = embed_find(file, &len);
	json_t *d = json_read(text, len, &json_limits_config, &e);
	assert_true(depth_camera_of(json_array_get(json_object_get(d, "instruments"), 0), filter, &c));
	json_decref(d);
	return c;
}

static struct depth_camera sinistro(const char *filter)
{
	return camera_of("facilities/lco.json", filter);
}

/* DECam by NOIRLab's exposure time calculator, version 7: 20 s of 21 mag AB without Moon have a signal to noise of 38, 31, 23, 12 in g, r, i, z;
 * r = 23.5 in 86 s in differences from a template (Graham et al. 2021, AstroNote 2021-104), taken to be as deep as the image. */
static void decam_like_its_calculator(void **state)
{
	static const struct {
		const char *filter;
		double signal;
	} known[] = {{"g", 38}, {"r", 31}, {"i", 23}, {"z", 12}};
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct depth_camera c = camera_of("facilities/blanco.json", known[i].filter);
		double area = M_PI / 4 * c.aperture_arcsec * c.aperture_arcsec, pixels = area / (c.pixel_arcsec * c.pixel_arcsec), star = 20 * pow(10, -0.4 * (21 - c.zero_mag));
		double noise = 20 * area * pow(10, -0.4 * (depth_sky_mag(&c, &dark) - c.zero_mag)) + pixels * (20 * c.dark_e_s + c.read_noise_e * c.read_noise_e);
		assert_near(2.5 * log10(star / sqrt(star + noise) / known[i].signal), -0.13, 0.13);
	}
	struct depth_camera r = camera_of("facilities/blanco.json", "r");
	const struct depth_place less = {DEPTH_SUBTRACTED, depth_limit_mag(&r, &dark, &blank, 86, 1), NAN};
	assert_near(depth_limit_mag(&r, &dark, &less, 86, 1), 23.4, 0.15); /* 0.1 mag for the light of a bright galaxy */
}

static void like_the_calculator(void **state)
{
	(void)state;
	struct depth_camera c = sinistro("rp");
	/* https://exposure-time-calculator.lco.global, 1 m Sinistro, rp, 180 s, signal to noise 5 at the zenith, steps of 0.1 mag: 22.3 new, 21.9 half,
	 * 20.6 full; the Moon where its sky table has it */
	const struct depth_sky half = {1.15, 0.5, 60, 45}, full = {1.15, 1, 60, 45};
	assert_near(depth_limit_mag(&c, &dark, &blank, 180, 1), 22.34, 0.05);
	assert_near(depth_limit_mag(&c, &half, &blank, 180, 1), 21.95, 0.12); /* at airmass 1.15 */
	assert_near(depth_limit_mag(&c, &full, &blank, 180, 1), 20.65, 0.12);
	assert_near(depth_sky_mag(&c, &half), 20.2, 1e-9);
	assert_near(depth_sky_mag(&c, &full), 17.5, 1e-9);
	/* the signal at the limit is 5 by its definition, with every noise written out */
	double m = depth_limit_mag(&c, &dark, &blank, 60, 3), e = pow(10, -0.4 * (m - 23.8)) * 180, area = M_PI / 4 * 9, pixels = area / (0.389 * 0.389);
	double sky = pow(10, -0.4 * (21.1 - 23.8)) * area * 180;
	assert_near(e / sqrt(e + sky + pixels * (0.002 * 180 + 3 * 64)), 5, 1e-9);
	/* airmass 2: extinction, and an aperture 2^0.6 times as wide; sky is the noise: 2.5 log10(2^0.6) deeper a mag of it */
	const struct depth_sky low = {2, 0, 60, -90};
	assert_near(depth_limit_mag(&c, &dark, &blank, 14400, 1) - depth_limit_mag(&c, &low, &blank, 14400, 1), 0.08 + 2.5 * 0.6 * log10(2), 0.005);
	assert_true(isinf(depth_limit_mag(&c, &dark, &blank, 0, 1)));
}

/* Krisciunas & Schaefer 1991, eq. 21, worked by hand: f(60°) = 10^5.36 · (1.06 + 0.25) + 10^4.65 = 344 769; f(30°) = 10^5.36 · (1.06 + 0.75) +
 * 10^5.4 = 665 835: 1.9313 times as much light. */
static void the_moon_by_its_paper(void **state)
{
	(void)state;
	struct depth_camera c = sinistro("gp");
	const struct depth_sky near = {1.15, 1, 30, 45}, far = {1.15, 1, 60, 45}, down = {1.15, 1, 30, -1}, lower = {1.15, 1, 60, 10};
	double none = pow(10, -0.4 * depth_sky_mag(&c, &down)), a = pow(10, -0.4 * depth_sky_mag(&c, &far)) - none;
	assert_near(depth_sky_mag(&c, &down), 22.0, 1e-12);
	assert_near((pow(10, -0.4 * depth_sky_mag(&c, &near)) - none) / a, 1.9313, 2e-4);
	/* eq. 3: X(45°) = 1/√(1 − 0.96 · 0.5) = 1.38675, X(80°) = 1/√(1 − 0.96 · 0.96985) = 3.80838: 10^(−0.4 · 0.14 · 2.42163) */
	assert_near((pow(10, -0.4 * depth_sky_mag(&c, &lower)) - none) / a, pow(10, -0.4 * 0.14 * 2.42163), 2e-5);
}

static void what_is_known_of_the_place(void **state)
{
	(void)state;
	struct depth_camera c = sinistro("rp");
	double empty = depth_limit_mag(&c, &dark, &blank, 300, 1), clean = depth_limit_mag(&c, &dark, &deep, 300, 1), raw = depth_limit_mag(&c, &dark, &host, 300, 1);
	assert_true(empty > clean && clean > raw + 1);
	/* a reference of the same depth: √2 of the noise where noise rules */
	const struct depth_place same = {DEPTH_SUBTRACTED, clean, NAN}, shallow = {DEPTH_SUBTRACTED, 19, NAN};
	assert_near(clean - depth_limit_mag(&c, &dark, &same, 300, 1), 2.5 * log10(sqrt(2)), 0.03);
	assert_near(depth_limit_mag(&c, &dark, &shallow, 14400, 1), 19, 0.01); /* no exposure sees past its reference */
	/* without one: 5 % of 21.0 mag a square arcsecond in 7.07 of them, 5 times; no exposure beats it */
	assert_near(depth_limit_mag(&c, &dark, &host, 14400, 1), 21.0 - 2.5 * log10(5 * 0.05 * M_PI / 4 * 9), 0.01);
	assert_true(isinf(depth_exposure_s(&c, &dark, &host, 20.7, 1, 14400)));
	double s = depth_exposure_s(&c, &dark, &deep, 22.0, 2, 14400);
	assert_near(depth_limit_mag(&c, &dark, &deep, s, 2), 22.0, 0.011);
	assert_true(depth_limit_mag(&c, &dark, &deep, s, 2) >= 22.0);
}

/* What was seen of AT 2017gfo (Villar et al. 2017, dereddened, at 40.7 Mpc), and what the papers say of the others. */
static void families(void **state)
{
	(void)state;
	double far = 5 * log10(40.7e5);
	assert_near(kilonova_mag(KILONOVA_GFO, KILONOVA_R, 0.892) + far, 17.04, 0.15);
	assert_near(kilonova_mag(KILONOVA_GFO, KILONOVA_I, 1.44) + far, 17.64, 0.15);
	assert_near(kilonova_mag(KILONOVA_GFO, KILONOVA_G, 2.44) + far, 19.80, 0.15);
	assert_near(kilonova_mag(KILONOVA_GFO, KILONOVA_Z, 4.44) + far, 18.91, 0.15);
	for (int b = 0; b < KILONOVA_BANDS; b++)
		for (double d = 0.3; d < 9; d *= 1.1) {
			/* Zhu et al. 2020: an NSBH is fainter than −15 or so in the optical, −16 in the infrared; Kawaguchi et al. 2020: a prompt collapse
			 * is fainter than AT 2017gfo in the optical */
			assert_true(kilonova_mag(KILONOVA_NSBH, (enum kilonova_band)b, d) > (b < KILONOVA_Z ? -15.7 : -16.0));
			assert_true(b > KILONOVA_I || kilonova_mag(KILONOVA_FAINT, (enum kilonova_band)b, d) > kilonova_mag(KILONOVA_GFO, (enum kilonova_band)b, d));
		}
	assert_true(isinf(kilonova_mag(KILONOVA_GFO, KILONOVA_G, 0)) && isinf(kilonova_mag(KILONOVA_GFO, KILONOVA_G, NAN)));
	assert_near(kilonova_mag(KILONOVA_FAINT, KILONOVA_G, 2), -10.78, 1e-12);
	assert_near(kilonova_mag(KILONOVA_FAINT, KILONOVA_G, sqrt(6)), (-10.78 - 9.90) / 2, 1e-9); /* half way in log time */
	assert_near(kilonova_mag(KILONOVA_FAINT, KILONOVA_G, 13), -4.44 + (6.80 - 4.44), 1e-9);
	assert_int_equal(kilonova_band_of("zs"), KILONOVA_Z);
	assert_int_equal(kilonova_band_of("H-alpha"), -1);
}

static void priors(void **state)
{
	static const struct {
		double bns, nsbh, remnant, want[KILONOVA_FAMILIES];
	} cases[] = {{1, 0, 1, {0.5, 0.5, 0}}, {NAN, NAN, NAN, {0.5, 0.5, 0}}, {0, 0.9, 0.2, {0, 0, 0.2}}, {0.3, 0.6, 0.5, {1.0 / 6, 1.0 / 6, 1.0 / 6}},
		{0.8, 0.2, 0.4, {0.2, 0.2, 0}}, {0, 0, 2, {0.5, 0.5, 0}}};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct kilonova_prior p;
		kilonova_prior_of(cases[i].bns, cases[i].nsbh, cases[i].remnant, &p);
		for (int f = 0; f < KILONOVA_FAMILIES; f++)
			assert_near(p.weight[f], cases[i].want[f], 1e-12);
	}
}

static void chances(void **state)
{
	(void)state;
	struct kilonova_prior p;
	double mag = kilonova_mag(KILONOVA_NSBH, KILONOVA_I, 1) + 5 * log10(150e5);
	assert_near(depth_detects(KILONOVA_NSBH, KILONOVA_I, 1, 150, NAN, mag), 0.5, 1e-12);
	/* one sigma above: Φ(1) = 0.841345, sigma² = 1 + (1.085736 / 5)² */
	assert_near(depth_detects(KILONOVA_NSBH, KILONOVA_I, 1, 150, 0, mag + sqrt(1 + 0.2171472 * 0.2171472)), 0.841345, 1e-6);
	/* Schlafly & Finkbeiner 2011, table 6: A_i = 1.698 E(B−V) */
	assert_near(depth_detects(KILONOVA_NSBH, KILONOVA_I, 1, 150, 0.5, mag + 0.849), 0.5, 1e-9);
	assert_near(depth_dust_ratio(KILONOVA_G), 3.303, 0);
	kilonova_prior_of(0, 1, 0.6, &p);
	double wanted = depth_wanted_mag(&p, KILONOVA_I, 1, 150, 0, 0.45);
	assert_near(depth_detects_any(&p, KILONOVA_I, 1, 150, 0, wanted), 0.45, 1e-5);
	assert_true(isnan(depth_wanted_mag(&p, KILONOVA_I, 1, 150, 0, 0.61)));
	assert_near(depth_detects(KILONOVA_GFO, KILONOVA_I, -1, 40, 0, 30), 0, 0);
	for (double limit = 15; limit < 25; limit += 0.1) /* never less for a deeper limit */
		assert_true(depth_detects_any(&p, KILONOVA_R, 2, 100, 0.1, limit + 0.1) >= depth_detects_any(&p, KILONOVA_R, 2, 100, 0.1, limit));
}

static void old_descriptors(void **state)
{
	(void)state;
	struct depth_camera c;
	struct err e = {0};
	static const char text[] = "{\"code\":\"x\",\"pixel_arcsec\":0.4,\"photometry\":[{\"filter\":\"gp\",\"zero_mag\":24,\"sky_mag\":[22]},"
		"{\"filter\":\"H-alpha\",\"zero_mag\":24,\"sky_mag\":[22,20,18]}]}";
	json_t *i = json_read(text, strlen(text), &json_limits_config, &e);
	assert_false(depth_camera_of(i, "gp", &c)); /* a sky table of one */
	assert_false(depth_camera_of(i, "rp", &c));
	assert_true(depth_camera_of(i, "H-alpha", &c));
	assert_int_equal(c.band, -1);
	assert_false(depth_camera_of(NULL, "gp", &c));
	json_decref(i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(like_the_calculator), cmocka_unit_test(decam_like_its_calculator), cmocka_unit_test(the_moon_by_its_paper),
		cmocka_unit_test(what_is_known_of_the_place), cmocka_unit_test(families), cmocka_unit_test(priors), cmocka_unit_test(chances),
		cmocka_unit_test(old_descriptors)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Formulae with values from elsewhere: where the test of a room needs them only on the way to something else. */
#include "test.h"
#include "engine/base/utc.h"
#include "engine/report/svg.h"
#include "engine/target/cosmology.h"
#include "engine/target/missing.h"
#include "engine/target/region.h"
#include "sim/made_night.h"
#include <math.h>

#define DEG (M_PI / 180)

static int64_t utc(const char *text)
{
	struct err e = {0};
	int64_t us;
	assert_int_equal(utc_parse(text, &us, &e), 0);
	return us;
}

/* The correlation function averaged over pairs of points in a sphere, by the density of their distance s:
 * 3 s²/R³ (1 − 3s/4R + s³/16R³) for s < 2R (Kendall & Moran 1963, Geometrical Probability, §2.122). */
static void variance_in_a_sphere(void **state)
{
	(void)state;
	for (double radius = 3; radius < 200; radius *= 2) {
		const int n = 200000;
		double sum = 0, r0 = 5.59 / (COSMOLOGY_H0 / 100), step = 2 * radius / n;
		for (int i = 0; i < n; i++) {
			double s = (i + 0.5) * step, x = s / radius;
			sum += pow(r0 / s, 1.84) * 3 * x * x * (1 - 0.75 * x + x * x * x / 16) / radius * step;
		}
		assert_true(fabs(missing_variance(4 * M_PI / 3 * radius * radius * radius) / sum - 1) < 1e-5);
	}
}

/* The pole by its definition; Sgr A* at b = −0.04616 (Reid & Brunthaler 2004, ApJ 616, 872); M 31 at −21.5733 (SIMBAD). */
static void galactic_latitude(void **state)
{
	(void)state;
	assert_true(region_gal_b_deg(192.85948, 27.12825) > 89.9999);
	assert_true(region_gal_b_deg(192.85948 - 180, -27.12825) < -89.9999);
	assert_true(fabs(region_gal_b_deg(266.416837, -29.007811) + 0.04616) < 2e-4);
	assert_true(fabs(region_gal_b_deg(10.684708, 41.268750) + 21.5733) < 2e-4);
}

/* Meeus 1998, Astronomical Algorithms: the Sun of example 25.a (1992 October 13.0 TD), Venus over Washington of example 13.b. */
static void made_up_skies(void **state)
{
	double ra, dec;
	(void)state;
	made_sun(utc("1992-10-12T23:59:01Z"), &ra, &dec);
	assert_true(fabs(remainder(ra - 198.38083, 360)) < 0.01 && fabs(dec + 7.78507) < 0.01);
	double up = made_altitude_deg(utc("1987-04-10T19:21:00Z"), 38.921389, -77.065556, 347.3193375, -6.719892);
	assert_true(fabs(up - 15.1249) < 0.002);
}

/* Mollweide keeps areas: the part of the ellipse below a parallel is the part of the sphere below it, (1 + sin δ)/2; meridians cut each parallel
 * in equal parts. Gnomonic: the distance from the centre goes by the tangent of the angle. */
static void projections(void **state)
{
	struct svg_sky all = {.all = true, .ra0_deg = 40, .width = 2, .height = 1, .x0 = -1, .y0 = -0.5};
	double x, y, x2, y2;
	(void)state;
	for (double dec = -85; dec < 90; dec += 10) {
		assert_true(svg_sky_xy(&all, 40 - 180 + 1e-9, dec, &x, &y) && svg_sky_xy(&all, 40 - 60, dec, &x2, &y2));
		double s = -2 * y, below = 0.5 + (asin(s) + s * sqrt(1 - s * s)) / M_PI;
		assert_true(fabs(below - (1 + sin(dec * DEG)) / 2) < 1e-6);
		assert_true(fabs(x * x + 4 * y * y - 1) < 1e-6 && fabs(y - y2) < 1e-9 && fabs(x / x2 - 3) < 1e-6);
	}
	struct svg_sky near = {.ra0_deg = 350, .dec0_deg = 60, .half_deg = 20, .width = 2, .height = 2, .x0 = -1, .y0 = -1};
	static const double place[4][2] = {{350, 75}, {350, 45}, {10, 62}, {325, 55}};
	for (int i = 0; i < 4; i++) {
		double far = svg_separation_deg(350, 60, place[i][0], place[i][1]);
		assert_true(svg_sky_xy(&near, place[i][0], place[i][1], &x, &y));
		assert_true(fabs(hypot(x, y) - tan(far * DEG) / tan(20 * DEG)) < 1e-9);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(variance_in_a_sphere), cmocka_unit_test(galactic_latitude), cmocka_unit_test(made_up_skies),
		cmocka_unit_test(projections)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

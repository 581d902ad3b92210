/* Footprints: known cameras against arithmetic by hand, cells and circles against plain counting, at the poles and where RA begins anew. */
#include "test.h"
#include "engine/base/json.h"
#include "engine/target/footprint.h"
#include <chealpix.h>
#include <math.h>

#define DEG (180.0 / M_PI)
#define DECAM "{\"shape\":\"mosaic\",\"chip_arcmin\":[18.002,9.001],\"gap_arcmin\":[0.6724,0.8834],\"rows\":[3,4,5,6,6,7,7,6,6,5,4,3]}"

static struct footprint shape_of(const char *json)
{
	struct footprint f;
	struct err e = {0};
	json_t *o = json_loads(json, 0, NULL);
	assert_non_null(o);
	assert_ok(footprint_read(o, &f, &e), &e);
	json_decref(o);
	return f;
}

static bool holds(const struct footprint_at *at, double ra, double dec)
{
	double v[3];
	footprint_vector(ra, dec, v);
	return footprint_holds(at, v);
}

static double dice(uint64_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	*s ^= *s << 17;
	return (double)(*s >> 11) / 9007199254740992.0;
}

/* On the equator a step of arcmin in RA or Dec is one in the plane (tan x - x is 3e-7 of it at 13'). */
static void a_square_on_the_equator(void **state)
{
	struct footprint f = shape_of("{\"width_arcmin\":26.5,\"height_arcmin\":26.5}");
	struct footprint_at at;
	(void)state;
	for (int k = 0; k < 3; k++) {
		double ra = (const double[]){0, 180, 359.999}[k];
		footprint_point_at(&f, ra, 0, &at);
		assert_true(holds(&at, ra + 13.249 / 60, 0) && !holds(&at, ra + 13.251 / 60, 0));
		assert_true(holds(&at, fmod(ra - 13.249 / 60 + 360, 360), 0) && !holds(&at, fmod(ra - 13.251 / 60 + 360, 360), 0));
		assert_true(holds(&at, ra, 13.249 / 60) && !holds(&at, ra, -13.251 / 60));
		assert_false(holds(&at, fmod(ra + 180, 360), 0));
	}
	/* its area: pixels of a plane of 26.5' cost (1 + r^2)^(-3/2): 26.5^2 (1 - w^2/4) arcmin^2 to the next order, w the side in rad */
	double w = 26.5 / 60 / DEG;
	assert_true(fabs(f.area_deg2 * 3600 / (26.5 * 26.5) - (1 - w * w / 4)) < 1e-8);
	assert_true(fabs(f.inner_rad * DEG * 60 - 13.25) < 1e-3 && fabs(f.reach_rad * DEG * 60 - 13.25 * M_SQRT2) < 1e-3);
}

/* Up turns to the east as the position angle grows. */
static void position_angle(void **state)
{
	struct footprint f = shape_of("{\"width_arcmin\":10,\"height_arcmin\":60,\"rotation_deg\":30}");
	struct footprint_at at;
	(void)state;
	footprint_point_at(&f, 50, 0, &at);
	double s = sin(30 / DEG), c = cos(30 / DEG), r = 29.9 / 60;
	assert_true(holds(&at, 50 + r * s, r * c) && holds(&at, 50 - r * s, -r * c));
	assert_true(!holds(&at, 50 - r * s, r * c) && !holds(&at, 50 + 30.1 / 60 * s, 30.1 / 60 * c));
}

/* NOIRLab: 62 chips of 2048 x 4096 pixels of 0.2637", gaps of 201 and 153 pixels; 2.2 degrees across, about 3 square degrees with them. */
static void the_dark_energy_camera(void **state)
{
	struct footprint f = shape_of(DECAM);
	struct footprint_at at;
	(void)state;
	assert_int_equal(f.chips, 62);
	double chip = 2048 * 0.2637 / 3600 * 4096 * 0.2637 / 3600;
	assert_true(fabs(f.area_deg2 / (62 * chip) - 1) < 1e-3); /* 2.79 deg² */
	assert_true(f.reach_rad * DEG > 1.05 && f.reach_rad * DEG < 1.15);
	footprint_point_at(&f, 10, 0, &at);
	assert_false(holds(&at, 10, 0));                        /* between S4 and N4 */
	assert_true(holds(&at, 10, 0.5 / 60 + 0.4417 / 60));
	assert_true(holds(&at, 10, 5.0 / 60));                   /* N4 */
	assert_false(holds(&at, 10 + 9.3 / 60, 5.0 / 60));        /* between N4 and its neighbour */
	assert_true(holds(&at, 10 + 10.0 / 60, 5.0 / 60));
	assert_true(holds(&at, 10 + 64.0 / 60, 5.0 / 60) && !holds(&at, 10 + 66.0 / 60, 5.0 / 60)); /* 7 chips and 6 gaps: 130.05' wide */
	assert_false(holds(&at, 10 + 50.0 / 60, 50.0 / 60));      /* the corner that a hexagon lacks */
	struct footprint less = shape_of("{\"shape\":\"mosaic\",\"chip_arcmin\":[18,9],\"gap_arcmin\":[1,1],\"rows\":[3,4,3],\"dead\":[[1,2]]}");
	assert_int_equal(less.chips, 9);
	footprint_point_at(&less, 10, 0, &at);
	assert_true(!holds(&at, 10, 10.0 / 60) && holds(&at, 10, -10.0 / 60));
}

/* Turned about the axis of the sky nothing changes; at a pole a frame sees over it. */
static void poles(void **state)
{
	struct footprint f = shape_of(DECAM);
	struct footprint_at a, b;
	uint64_t s = 7;
	int in = 0;
	(void)state;
	for (int n = 0; n < 20000; n++) {
		double dec = n % 2 ? 89.6 + 0.4 * dice(&s) : -90 + 2 * dice(&s), ra = 360 * dice(&s), turn = 360 * dice(&s);
		double r = fmin(180, fabs(dec) > 89.99 ? 180 : 1.2 / cos(dec / DEG)), x = ra + (2 * dice(&s) - 1) * r, y = fmax(-90, fmin(90, dec + 2.4 * dice(&s) - 1.2));
		footprint_point_at(&f, ra, dec, &a);
		footprint_point_at(&f, fmod(ra + turn, 360), dec, &b);
		bool first = holds(&a, x, y);
		assert_int_equal(first, holds(&b, x + turn, y));
		in += first;
	}
	assert_true(in > 3000);
	footprint_point_at(&f, 0, 89.7, &a);
	assert_true(holds(&a, 180, 89.723) && !holds(&a, 180, 89.86)); /* on a row of five; in a gap of a row of six; 0.577 degrees from the centre, behind the pole; up of the frame goes on along the meridian */
	footprint_point_at(&f, 123, 90, &a);
	assert_true(holds(&a, 123, 89.9) && holds(&a, 303, 89.9));
}

struct counted {
	unsigned char *seen;
	int order;
	uint64_t last;
};

static int count(void *ctx, int order, uint64_t ipix)
{
	struct counted *c = ctx;
	uint64_t shift = 2 * (uint64_t)(c->order - order);
	for (uint64_t p = ipix << shift; p < (ipix + 1) << shift; p++)
		c->seen[p]++;
	assert_true(ipix << shift >= c->last);
	c->last = (ipix + 1) << shift;
	return 0;
}

/* Every pixel of order 7 by its centre: the same as the walk gives, with whole parents only where all is in. */
static void cells_are_those_whose_centres_are_in(void **state)
{
	static const char *const shapes[] = {DECAM, "{\"shape\":\"circle\",\"radius_arcmin\":150}",
		"{\"width_arcmin\":600,\"height_arcmin\":200,\"rotation_deg\":33}",
		"{\"shape\":\"polygon\",\"points_arcmin\":[[-200,-200],[200,-200],[200,200],[0,0],[-200,200]]}"};
	static const double at_deg[][2] = {{0, 0}, {359.9, -41.8}, {0.1, 41.8}, {45, 89.2}, {200, 90}, {77, -90}, {301.3, -89.9}, {45, 0}};
	static unsigned char seen[12 << 14];
	(void)state;
	for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++)
		for (size_t k = 0; k < sizeof at_deg / sizeof at_deg[0]; k++) {
			struct footprint f = shape_of(shapes[s]);
			struct footprint_at at;
			struct counted c = {seen, 7, 0};
			memset(seen, 0, sizeof seen);
			footprint_point_at(&f, at_deg[k][0], at_deg[k][1], &at);
			assert_int_equal(footprint_cells(&at, 7, count, &c), 0);
			for (int64_t p = 0; p < 12 << 14; p++) {
				double v[3];
				pix2vec_nest64(128, p, v);
				assert_int_equal(seen[p], footprint_holds(&at, v));
			}
		}
}

/* The covered area comes near the footprint's own as the order grows: 1 in 2000 at order 15. */
static void coverage_has_the_area(void **state)
{
	static const char *const shapes[] = {DECAM, "{\"width_arcmin\":26.5,\"height_arcmin\":26.5}"};
	(void)state;
	for (int s = 0; s < 2; s++) {
		struct footprint f = shape_of(shapes[s]);
		struct footprint_at at;
		struct moc m = {0};
		struct err e = {0};
		footprint_point_at(&f, 0.05, s ? 89.9 : -33, &at);
		assert_ok(footprint_moc(&at, 15, &m, &e), &e);
		moc_finish(&m);
		if (fabs(moc_area_deg2(&m) / f.area_deg2 - 1) > 5e-4)
			fail_msg("%s: %g, covered %g", f.name, f.area_deg2, moc_area_deg2(&m));
		assert_int_equal(m.order, 15);
		moc_free(&m);
	}
}

/* A circle is held when every point on it is: 720 of them. */
static void circles(void **state)
{
	static const char *const shapes[] = {"{\"width_arcmin\":26.5,\"height_arcmin\":26.5,\"rotation_deg\":20}", "{\"shape\":\"circle\",\"radius_arcmin\":20}",
		"{\"shape\":\"polygon\",\"points_arcmin\":[[-20,-20],[20,-20],[20,20],[0,0],[-20,20]]}"};
	uint64_t seed = 11;
	int yes = 0, no = 0;
	(void)state;
	for (int n = 0; n < 6000; n++) {
		struct footprint f = shape_of(shapes[n % 3]);
		struct footprint_at at, galaxy;
		double dec = n % 5 == 0 ? 89.95 : 180 * dice(&seed) - 90, r = 6 * dice(&seed) / 60, v[3];
		footprint_point_at(&f, 360 * dice(&seed), dec, &at);
		double ra1, dec1;
		footprint_sky(&at, (struct footprint_point){(40 * dice(&seed) - 20) / 60 / DEG, (40 * dice(&seed) - 20) / 60 / DEG}, &ra1, &dec1);
		footprint_vector(ra1, dec1, v);
		footprint_point_at(&f, ra1, dec1, &galaxy);
		bool all = footprint_holds(&at, v), less = all, more = all;
		for (int k = 0; k < 720 && more; k++) {
			double p = k * M_PI / 360, x, y, u[3];
			footprint_sky(&galaxy, (struct footprint_point){tan(r / DEG * 1.0001) * cos(p), tan(r / DEG * 1.0001) * sin(p)}, &x, &y);
			footprint_vector(x, y, u);
			more &= footprint_holds(&at, u);
		}
		for (int k = 0; k < 720 && less; k++) {
			double p = k * M_PI / 360, x, y, u[3];
			footprint_sky(&galaxy, (struct footprint_point){tan(r / DEG * 0.999) * cos(p), tan(r / DEG * 0.999) * sin(p)}, &x, &y);
			footprint_vector(x, y, u);
			less &= footprint_holds(&at, u);
		}
		bool held = footprint_holds_circle(&at, v, r / DEG);
		if (more)
			assert_true(held);
		if (!less)
			assert_false(held);
		yes += held;
		no += !held;
	}
	assert_true(yes > 500 && no > 500);
}

static void wrong_words(void **state)
{
	static const char *const bad[][2] = {{"{}", "width_arcmin"}, {"{\"shape\":\"star\"}", "star"}, {"{\"shape\":\"circle\"}", "radius"},
		{"{\"shape\":\"circle\",\"radius_arcmin\":5000}", "radius"}, {"{\"shape\":\"polygon\",\"points_arcmin\":[[0,0],[1,1]]}", "corners"},
		{"{\"shape\":\"polygon\",\"points_arcmin\":[[0,0],[1,1],[2,2]]}", "area"}, {"{\"shape\":\"polygon\",\"points_arcmin\":[[0,0],[1,1],[2]]}", "[2]"},
		{"{\"shape\":\"mosaic\",\"rows\":[1]}", "chip_arcmin"}, {"{\"shape\":\"mosaic\",\"chip_arcmin\":[1,1],\"gap_arcmin\":[0,0],\"rows\":[100,100]}", "128"},
		{"{\"shape\":\"mosaic\",\"chip_arcmin\":[1,1],\"gap_arcmin\":[0,0],\"rows\":[0,-3]}", "no live chip"}};
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct footprint f;
		struct err e = {0};
		json_t *o = json_loads(bad[i][0], 0, NULL);
		assert_int_equal(footprint_read(o, &f, &e), -1);
		if (strstr(e.text, bad[i][1]) == NULL)
			fail_msg("\"%s\" does not say \"%s\"", e.text, bad[i][1]);
		json_decref(o);
	}
}

static void found_by_words(void **state)
{
	static const char *const good[] = {"lco", "lco:A", "lco:small", "small", "A", "26.5x26.5", "r60", "B"};
	static const double area[] = {25, 25, 25, 25, 25, 702.25, 11309.733, 4};
	static const char descriptor[] = "{\"name\":\"lco\",\"instruments\":[{\"code\":\"A\",\"kind\":\"image\",\"footprint\":{\"name\":\"small\",\"width_arcmin\":5,"
		"\"height_arcmin\":5}},{\"code\":\"B\",\"kind\":\"image\",\"fov_arcmin\":[2,2]},{\"code\":\"S\",\"kind\":\"spectrum\"}]}";
	json_t *d = json_loads(descriptor, 0, NULL);
	const json_t *list[] = {d};
	struct footprint f;
	struct err e = {0};
	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		assert_ok(footprint_find(list, 1, good[i], &f, &e), &e);
		assert_true(fabs(f.area_deg2 * 3600 / area[i] - 1) < 1e-4);
	}
	assert_int_equal(footprint_find(list, 1, "S", &f, &e), -1);
	assert_non_null(strstr(e.text, "small, B"));
	assert_int_equal(footprint_find(list, 1, "26.5x", &f, &e), -1);
	assert_int_equal(footprint_find(list, 1, "r", &f, &e), -1);
	json_decref(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_square_on_the_equator), cmocka_unit_test(position_angle), cmocka_unit_test(the_dark_energy_camera), cmocka_unit_test(poles),
		cmocka_unit_test(cells_are_those_whose_centres_are_in), cmocka_unit_test(coverage_has_the_area), cmocka_unit_test(circles),
		cmocka_unit_test(wrong_words), cmocka_unit_test(found_by_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

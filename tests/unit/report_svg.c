/* Pictures of the sky in reports: projections there and back, contours that enclose what they should. */
#include "test.h"
#include "engine/report/labels.h"
#include "engine/report/sky.h"
#include "engine/target/region.h"
#include "sim/localise.h"
#include <math.h>

static void test_there_and_back(void **state)
{
	const struct svg_sky sky[2] = {{.all = true, .ra0_deg = 195, .x0 = 10, .y0 = 5, .width = 600, .height = 300},
		{.ra0_deg = 350, .dec0_deg = -60, .half_deg = 12, .x0 = 40, .y0 = 10, .width = 600, .height = 500}};

	(void)state;
	for (int k = 0; k < 2; k++)
		for (int i = 0; i < 200; i++) {
			double ra = k == 0 ? fmod(i * 37.7, 360) : 350 + (i % 20 - 10) * 0.8, dec = k == 0 ? -85 + 0.85 * i : -60 + (i / 20 - 5), x, y, r, d;
			if (!svg_sky_xy(&sky[k], ra, dec, &x, &y) || (k == 0 && fabs(remainder(ra - 195, 360)) > 178))
				continue;
			assert_true(svg_sky_radec(&sky[k], x, y, &r, &d));
			assert_true(svg_separation_deg(ra, dec, r, d) < 0.01);
		}
}

static void test_east_is_left(void **state)
{
	struct svg_sky s = {.ra0_deg = 10, .dec0_deg = 0, .half_deg = 5, .width = 100, .height = 100};
	double x, y;

	(void)state;
	assert_true(svg_sky_xy(&s, 12, 1, &x, &y) && x < 50 && y < 50);
	assert_false(svg_sky_xy(&s, 190, 0, &x, &y));
	assert_true(fabs(svg_separation_deg(0, 89, 180, 89) - 2) < 1e-9);
}

/* Area of the first closed outline of a path, in square degrees, by the shoelace formula. */
static double enclosed(const char *path, double degrees_a_pixel)
{
	const char *p = strstr(path, "d=\"M") + 4;
	double x0, y0, x, y, lastx, lasty, sum = 0;
	int used;

	assert_int_equal(sscanf(p, "%lf %lf%n", &x0, &y0, &used), 2);
	lastx = x0;
	lasty = y0;
	for (p += used; *p == 'L'; p += used) {
		assert_int_equal(sscanf(p + 1, "%lf %lf%n", &x, &y, &used), 2);
		used++;
		sum += lastx * y - x * lasty;
		lastx = x;
		lasty = y;
	}
	assert_int_equal(*p, 'Z');
	sum += lastx * y0 - x0 * lasty;
	return fabs(sum) / 2 * degrees_a_pixel * degrees_a_pixel;
}

static void test_contour(void **state)
{
	struct sim_merger merger = {.ra_deg = 40, .dec_deg = 20, .distance_mpc = 60, .area90_deg2 = 60, .elongation = 3, .sigma_mpc = 10};
	struct sim_posterior p;
	struct sim_map m;
	struct err e = {0};
	struct text out = {.max = 1u << 20};
	static uint64_t uniq[8000];
	static double density[8000];
	double area90, area50;
	struct svg_sky s = {.half_deg = 20, .width = 480, .height = 320};

	(void)state;
	sim_posterior_make(&merger, 5, "A", &p);
	p.lobe[1].weight = 0; /* one lobe: one outline */
	assert_ok(sim_map_make(&p, 6, &m, &e), &e);
	for (size_t i = 0; i < m.count; i++) { /* sorted by first pixel at order 29, as a struct skymap is */
		uniq[i] = m.cell[i].uniq;
		density[i] = m.cell[i].density;
	}
	for (size_t i = 1; i < m.count; i++)
		for (size_t k = i; k > 0 && skymap_first(uniq[k]) < skymap_first(uniq[k - 1]); k--) {
			uint64_t u = uniq[k];
			double d = density[k];
			uniq[k] = uniq[k - 1];
			density[k] = density[k - 1];
			uniq[k - 1] = u;
			density[k - 1] = d;
		}
	struct skymap map = {.cells = (int64_t)m.count, .uniq = uniq, .density = density};
	assert_true(sky_view(&map, &map, &s)); /* around it, and wide enough */
	const struct contour both[] = {{0.9, "class=\"c\""}, {0.5, "class=\"c\""}};
	assert_int_equal(contour_draw(&s, &map, both, 2, &out), 2);
	assert_ok(region_area(&map, 0.9, &area90, NULL, &e), &e);
	assert_ok(region_area(&map, 0.5, &area50, NULL, &e), &e);
	/* the outlines hold what the cells hold: to the grid and what smoothing moves */
	double pixel = 2 * tan(s.half_deg * M_PI / 180) / s.width * 180 / M_PI, outer = enclosed(out.data, pixel),
	       inner = enclosed(strstr(out.data, "/>"), pixel);
	if (fabs(outer / area90 - 1) > 0.05 || fabs(inner / area50 - 1) > 0.05)
		fail_msg("outlines enclose %.1f and %.1f deg², the cells %.1f and %.1f", outer, inner, area90, area50);
	text_free(&out);
	sim_map_free(&m);
}

/* A label goes round marks where it can, never over another label, and where marks are everywhere it stands beside its own. */
static void test_labels(void **state)
{
	struct labels l = {.x1 = 200, .y1 = 60};
	struct text t = {.max = 1u << 16};
	double x, y;

	(void)state;
	labels_mark(&l, 106, 25, 110, 35); /* at the right of what is named */
	assert_true(labels_put(&l, 100, 30, 2, "name", &t));
	assert_int_equal(sscanf(strstr(t.data, "x=\""), "x=\"%lf\" y=\"%lf\"", &x, &y), 2);
	assert_true(x + labels_width("name") < 106 || x > 110 || y < 25 || y - 11 > 35);
	size_t first = l.count;
	for (int k = 0; k < 20; k++)
		labels_put(&l, 100, 30, 2, "name", &t);
	assert_true(l.count > first && l.count < 13);
	for (size_t i = 0; i < l.count; i++)
		for (size_t k = 0; k < i; k++)
			assert_true(l.taken[i].x1 < l.taken[k].x0 || l.taken[i].x0 > l.taken[k].x1 || l.taken[i].y1 < l.taken[k].y0 || l.taken[i].y0 > l.taken[k].y1);
	l = (struct labels){.x1 = 200, .y1 = 60};
	labels_mark(&l, 0, 0, 200, 60); /* marks everywhere: beside it all the same */
	t.len = 0;
	assert_true(labels_put(&l, 100, 30, 2, "name", &t));
	assert_int_equal(sscanf(strstr(t.data, "x=\""), "x=\"%lf\" y=\"%lf\"", &x, &y), 2);
	assert_true(fabs(x - 106) < 1 && fabs(y - 34) < 1);
	text_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_there_and_back), cmocka_unit_test(test_east_is_left), cmocka_unit_test(test_contour),
		cmocka_unit_test(test_labels)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

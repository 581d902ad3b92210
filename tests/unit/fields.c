/* Fields: one frame against all placements of a lattice, two against all pairs, many against centring on galaxies; the sky against its regions. */
#include "test.h"
#include "mapmake.h"
#include "engine/target/fields.h"
#include "engine/target/moc.h"
#include "engine/target/region.h"
#include <math.h>
#include <time.h>

#define DEG (180.0 / M_PI)
#define DECAM "{\"shape\":\"mosaic\",\"chip_arcmin\":[18.002,9.001],\"gap_arcmin\":[0.6724,0.8834],\"rows\":[3,4,5,6,6,7,7,6,6,5,4,3]}"
#define SINISTRO "{\"width_arcmin\":26.5,\"height_arcmin\":26.5}"

static double dice(uint64_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	*s ^= *s << 17;
	return (double)(*s >> 11) / 9007199254740992.0;
}

static struct footprint shape_of(const char *json)
{
	struct footprint f;
	struct err e = {0};
	json_t *o = json_loads(json, 0, NULL);
	assert_ok(footprint_read(o, &f, &e), &e);
	json_decref(o);
	return f;
}

/* n galaxies within `size` frames of a place. */
static void cluster(struct fields_galaxy *g, size_t n, const struct footprint *f, double dec, double size, uint64_t *seed)
{
	struct footprint_at at;
	footprint_point_at(f, 360 * dice(seed), dec, &at);
	for (size_t i = 0; i < n; i++) {
		footprint_sky(&at, (struct footprint_point){(2 * dice(seed) - 1) * f->half_x * size, (2 * dice(seed) - 1) * f->half_y * size}, &g[i].ra_deg, &g[i].dec_deg);
		g[i].distance_mpc = i % 7 == 0 ? NAN : 20 + 200 * dice(seed);
		g[i].probability = dice(seed) * dice(seed) / (double)n;
	}
}

/* Bits of the galaxies that a pointing holds. */
static unsigned held_by(const struct fields_task *t, double ra, double dec)
{
	struct footprint_at at;
	unsigned bits = 0;
	footprint_point_at(t->footprint, ra, dec, &at);
	for (size_t i = 0; i < t->galaxies; i++) {
		double v[3];
		footprint_vector(t->galaxy[i].ra_deg, t->galaxy[i].dec_deg, v);
		if (footprint_holds_circle(&at, v, fields_circle_rad(t->footprint, t->galaxy[i].distance_mpc)))
			bits |= 1u << i;
	}
	return bits;
}

static double sum_of(const struct fields_task *t, unsigned bits)
{
	double sum = 0;
	for (size_t i = 0; i < t->galaxies; i++)
		sum += bits >> i & 1 ? t->galaxy[i].probability : 0;
	return sum;
}

#define SIDE 61
/* Best one and best two of all placements of a lattice two frames wide about each galaxy's neighbourhood. */
static void all_placements(const struct fields_task *t, double *one, double *two)
{
	static unsigned seen[SIDE * SIDE];
	struct footprint_at at;
	size_t n = 0;
	footprint_point_at(t->footprint, t->galaxy[0].ra_deg, t->galaxy[0].dec_deg, &at);
	for (int k = 0; k < SIDE * SIDE; k++) {
		double ra, dec;
		footprint_sky(&at, (struct footprint_point){(k % SIDE - SIDE / 2) * 5 * t->footprint->half_x / (SIDE / 2), (k / SIDE - SIDE / 2) * 5 * t->footprint->half_y / (SIDE / 2)}, &ra, &dec);
		unsigned bits = held_by(t, ra, dec);
		size_t i = 0;
		while (i < n && seen[i] != bits)
			i++;
		if (i == n)
			seen[n++] = bits;
	}
	*one = *two = 0;
	for (size_t i = 0; i < n; i++)
		for (size_t j = i; j < n; j++) {
			*one = fmax(*one, sum_of(t, seen[i]));
			*two = fmax(*two, sum_of(t, seen[i] | seen[j]));
		}
}

static void against_all_placements(void **state)
{
	static const char *const shapes[] = {SINISTRO, "{\"width_arcmin\":9.1,\"height_arcmin\":9.1,\"rotation_deg\":25}", "{\"shape\":\"circle\",\"radius_arcmin\":15}", DECAM};
	uint64_t seed = 99;
	double ratio_two = 0, least = 2;
	int cases = 0;
	(void)state;
	for (int n = 0; n < 40; n++) {
		struct footprint f = shape_of(shapes[n % 4]);
		struct fields_galaxy g[10];
		struct fields out;
		struct err e = {0};
		double one, two;
		cluster(g, 10, &f, n % 5 == 4 ? 88.5 : 160 * dice(&seed) - 80, 1.8, &seed);
		struct fields_task t = {.footprint = &f, .galaxy = g, .galaxies = 10, .top = 2, .probability = NAN};
		all_placements(&t, &one, &two);
		assert_ok(fields_choose(&t, &out, &e), &e);
		double first = out.list[0].probability, both = out.list[out.count - 1].cumulative;
		if (first < (f.points == 4 ? 0.999 : 0.95) * one)
			fail_msg("case %d: one frame holds %g, of all placements the best %g", n, first, one);
		if (both < 0.63212 * two)
			fail_msg("case %d: two frames hold %g, of all pairs the best %g", n, both, two);
		ratio_two += both / two;
		least = fmin(least, both / two);
		cases++;
		fields_free(&out);
	}
	printf("# two frames against the best pair of a lattice: mean %.4f, least %.4f\n", ratio_two / cases, least);
	assert_true(ratio_two / cases > 0.97);
}

/* So many frames, each centred on the galaxy that adds most: written anew, plainly. */
static double centring(const struct fields_task *t)
{
	bool *gone = calloc(t->galaxies, sizeof *gone);
	double total = 0;
	for (size_t n = 0; n < t->top; n++) {
		double most = 0;
		size_t best = 0;
		for (int pass = 0; pass < 2; pass++)
			for (size_t i = pass ? best : 0; i < (pass ? best + 1 : t->galaxies); i++) {
				struct footprint_at at;
				double sum = 0;
				footprint_point_at(t->footprint, t->galaxy[i].ra_deg, t->galaxy[i].dec_deg, &at);
				for (size_t k = 0; k < t->galaxies; k++) {
					double v[3];
					footprint_vector(t->galaxy[k].ra_deg, t->galaxy[k].dec_deg, v);
					if (gone[k] || !footprint_holds_circle(&at, v, fields_circle_rad(t->footprint, t->galaxy[k].distance_mpc)))
						continue;
					sum += t->galaxy[k].probability;
					gone[k] = pass == 1;
				}
				if (pass == 0 && sum > most) {
					most = sum;
					best = i;
				}
			}
		total += most;
	}
	free(gone);
	return total;
}

static void sums_hold(const struct fields_task *t, const struct fields *f)
{
	double before = 0, all = 0;
	for (size_t i = 0; i < f->count; i++) {
		const struct field *k = &f->list[i];
		assert_true(k->probability > 0 && k->galaxies >= 0 && k->sky >= 0);
		assert_true(i == 0 || k->probability <= f->list[i - 1].probability * (1 + 1e-12) + 1e-15);
		assert_true(fabs(k->galaxies + k->sky - k->probability) < 1e-12);
		assert_true(fabs(k->cumulative - before - k->probability) < 1e-12);
		before = k->cumulative;
	}
	for (size_t g = 0; g < t->galaxies; g++)
		all += f->in[g] >= 0 ? t->galaxy[g].probability : 0;
	double galaxies = 0;
	for (size_t i = 0; i < f->count; i++)
		galaxies += f->list[i].galaxies;
	assert_true(fabs(all - galaxies) < 1e-12); /* each counted once, none forgotten */
	assert_true(before <= f->total * (1 + 1e-9));
}

static void never_worse_than_centring(void **state)
{
	uint64_t seed = 5;
	double gained = 0;
	(void)state;
	for (int n = 0; n < 24; n++) {
		struct footprint f = shape_of(n % 3 == 2 ? DECAM : SINISTRO);
		static struct fields_galaxy g[200];
		struct fields out, again;
		struct err e = {0};
		cluster(g, 200, &f, 170 * dice(&seed) - 85, 6, &seed);
		struct fields_task t = {.footprint = &f, .galaxy = g, .galaxies = 200, .top = 1 + (size_t)(n % 12), .probability = NAN};
		assert_ok(fields_choose(&t, &out, &e), &e);
		sums_hold(&t, &out);
		double plain = centring(&t), ours = out.list[out.count - 1].cumulative;
		if (ours < plain - 1e-12)
			fail_msg("case %d: %g, centring holds %g", n, ours, plain);
		gained += ours / plain;
		assert_ok(fields_choose(&t, &again, &e), &e);
		assert_int_equal(out.count, again.count);
		assert_memory_equal(out.list, again.list, out.count * sizeof *out.list);
		fields_free(&out);
		fields_free(&again);
	}
	printf("# packed frames hold %.3f times what centred ones do\n", gained / 24);
	assert_true(gained / 24 > 1.02);
}

/* More frames never hold less. */
static void more_frames_hold_more(void **state)
{
	uint64_t seed = 17;
	struct footprint f = shape_of(SINISTRO);
	static struct fields_galaxy g[150];
	double before = 0;
	(void)state;
	cluster(g, 150, &f, -30, 5, &seed);
	for (size_t top = 0; top < 30; top++) {
		struct fields_task t = {.footprint = &f, .galaxy = g, .galaxies = 150, .top = top, .probability = NAN};
		struct fields out;
		struct err e = {0};
		assert_ok(fields_choose(&t, &out, &e), &e);
		double now = out.count ? out.list[out.count - 1].cumulative : 0;
		assert_true(now >= before - 1e-12);
		before = now;
		fields_free(&out);
	}
}

static void read_map(int order, struct skymap *m, double **cell)
{
	struct mapmake_sky sky;
	struct mapmake file;
	struct err e = {0};
	mapmake_sky_make(&sky, order);
	mapmake_sky_file(&sky, "NUNIQ", 1, &file);
	assert_ok(skymap_read(file.data, file.len, m, &e), &e);
	mapmake_free(&file);
	mapmake_sky_free(&sky);
	*cell = malloc((size_t)m->cells * sizeof **cell);
	for (int64_t i = 0; i < m->cells; i++)
		(*cell)[i] = m->density[i] * skymap_pixel_sr(skymap_order(m->uniq[i]));
}

/* No set of frames holds more than the best region of their area; the cells of one frame are not counted in another. */
static void the_sky_against_its_regions(void **state)
{
	struct footprint f = shape_of("{\"width_arcmin\":300,\"height_arcmin\":300}");
	struct skymap m;
	double *cell;
	(void)state;
	read_map(4, &m, &cell);
	for (size_t top = 1; top <= 64; top *= 4) {
		struct fields_task t = {.footprint = &f, .map = &m, .missing = cell, .top = top, .probability = NAN};
		struct fields out;
		struct err e = {0};
		double area;
		assert_ok(fields_choose(&t, &out, &e), &e);
		assert_int_equal(out.count, top);
		sums_hold(&t, &out);
		double p = out.list[top - 1].cumulative;
		assert_ok(region_area(&m, p, &area, NULL, &e), &e);
		if (area > (double)top * f.area_deg2 * 1.02)
			fail_msg("%zu frames of %g deg2 hold %g, which takes %g deg2", top, f.area_deg2, p, area);
		assert_true(area > (double)top * f.area_deg2 * 0.5); /* and not much less */
		fields_free(&out);
	}
	skymap_free(&m);
	free(cell);
}

/* Under an even sky frames hold what their chips' area does, by cells that the choice never saw: the place with the most of its own cells is not
 * believed (a tenth too much for DECam). */
static void an_even_sky_by_its_area(void **state)
{
	static const char *const shapes[] = {DECAM, SINISTRO, "{\"width_arcmin\":9.1,\"height_arcmin\":9.1}"};
	uint64_t uniq[40];
	double density[40], cell[40];
	(void)state;
	for (uint64_t k = 0; k < 40; k++) {
		uniq[k] = (UINT64_C(4) << 8) + 1000 + k;
		cell[k] = 1.0 / 40;
		density[k] = cell[k] / skymap_pixel_sr(4);
	}
	struct skymap m = {.cells = 40, .uniq = uniq, .density = density, .order_max = 4};
	for (int k = 0; k < 3; k++) {
		struct footprint f = shape_of(shapes[k]);
		struct fields_task t = {.footprint = &f, .map = &m, .missing = cell, .top = 4, .probability = NAN};
		struct footprint_at at;
		struct moc seen = {0};
		struct fields out;
		struct err e = {0};
		assert_ok(fields_choose(&t, &out, &e), &e);
		for (size_t i = 0; i < out.count; i++) {
			footprint_point_at(&f, out.list[i].ra_deg, out.list[i].dec_deg, &at);
			assert_ok(footprint_moc(&at, fields_coverage_order(&f), &seen, &e), &e);
		}
		moc_finish(&seen);
		double by_area = moc_area_deg2(&seen) / (DEG * DEG) * density[0], said = out.list[out.count - 1].cumulative;
		if (fabs(said / by_area - 1) > 0.006)
			fail_msg("shape %d: %zu frames are said to hold %g, their area holds %g", k, out.count, said, by_area);
		moc_free(&seen);
		fields_free(&out);
	}
}

/* All of the sky, and as much as was asked for. */
static void until_it_is_enough(void **state)
{
	struct footprint f = shape_of("{\"shape\":\"circle\",\"radius_arcmin\":600}");
	struct skymap m;
	double *cell;
	struct fields out;
	struct err e = {0};
	(void)state;
	read_map(3, &m, &cell);
	struct fields_task t = {.footprint = &f, .map = &m, .missing = cell, .top = 1000, .probability = 0.5};
	assert_ok(fields_choose(&t, &out, &e), &e);
	assert_true(out.list[out.count - 1].cumulative >= 0.5 && out.list[out.count - 2].cumulative < 0.5);
	fields_free(&out);
	t.probability = NAN;
	assert_ok(fields_choose(&t, &out, &e), &e);
	assert_true(out.list[out.count - 1].cumulative > 0.98 && out.list[out.count - 1].cumulative < 1 + 1e-9);
	fields_free(&out);
	skymap_free(&m);
	free(cell);
}

/* A map of one bright pixel of order 7 (27 arcmin) beside faint ones: DECam takes it in one, Sinistro does not. */
static void one_pointing_where_the_region_fits(void **state)
{
	struct skymap m = {.cells = 3, .order_max = 7};
	const uint64_t uniq[] = {(UINT64_C(4) << 14) + 100, (UINT64_C(4) << 14) + 101, (UINT64_C(4) << 14) + 5000};
	double sr = skymap_pixel_sr(7);
	const double density[] = {0.5 / sr, 0.45 / sr, 0.05 / sr}, cell[] = {0.1, 0.1, 0.05};
	struct footprint wide = shape_of("{\"shape\":\"circle\",\"radius_arcmin\":60}"), narrow = shape_of(SINISTRO);
	struct fields_task t = {.footprint = &wide, .map = &m, .missing = cell, .top = 10, .probability = NAN, .level = 0.9};
	struct fields out;
	struct err e = {0};
	(void)state;
	m.uniq = uniq;
	m.density = density;
	assert_ok(fields_choose(&t, &out, &e), &e);
	assert_int_equal(out.count, 1);
	assert_int_equal(out.list[0].kind, FIELD_CENTRED);
	assert_true(fabs(out.list[0].sky - 0.2) < 1e-6);
	fields_free(&out);
	t.footprint = &narrow;
	assert_ok(fields_choose(&t, &out, &e), &e);
	assert_true(out.count > 1 && out.list[0].kind == FIELD_TILE);
	fields_free(&out);
}

/* What a telescope has stays; what is as good is taken again; a pointing that holds nothing more is dropped. */
static void pointings_of_before(void **state)
{
	uint64_t seed = 23;
	struct footprint f = shape_of(SINISTRO);
	static struct fields_galaxy g[100];
	struct fields first, second, third;
	struct err e = {0};
	(void)state;
	cluster(g, 100, &f, 40, 4, &seed);
	struct fields_task t = {.footprint = &f, .galaxy = g, .galaxies = 100, .top = 6, .probability = NAN};
	assert_ok(fields_choose(&t, &first, &e), &e);
	struct fields_old old[7];
	for (size_t i = 0; i < 6; i++)
		old[i] = (struct fields_old){first.list[i].ra_deg, first.list[i].dec_deg, i == 5};
	old[6] = (struct fields_old){0, -80, false};
	for (size_t i = 0; i < 100; i++) /* an update: everything is a little different */
		g[i].probability *= 0.97 + 0.06 * dice(&seed);
	t.old = old;
	t.olds = 7;
	assert_ok(fields_choose(&t, &second, &e), &e);
	int kept = 0;
	for (size_t i = 0; i < second.count; i++)
		kept += second.list[i].kind == FIELD_KEPT;
	assert_int_equal(kept, 6);
	assert_int_equal(second.count, 7); /* the one that was asked takes no other's place */
	sums_hold(&t, &second);
	for (size_t i = 0; i < 100; i++) /* another sky: nothing of them stays, and what was asked takes nobody's place */
		g[i].probability = first.in[i] >= 0 ? 0 : g[i].probability;
	for (size_t i = 0; i < 6; i++)
		old[i].asked = true;
	assert_ok(fields_choose(&t, &third, &e), &e);
	for (size_t i = 0; i < third.count; i++)
		assert_int_not_equal(third.list[i].kind, FIELD_KEPT);
	assert_int_equal(third.count, 6);
	sums_hold(&t, &third);
	fields_free(&first);
	fields_free(&second);
	fields_free(&third);
}

/* 1,000 galaxies and a map of 19,200 cells: a second is the limit (a fifth of it here, on an idle machine). */
static void quick_enough(void **state)
{
	static const char *const shapes[] = {SINISTRO, DECAM};
	static struct fields_galaxy g[1000];
	static uint64_t uniq[19200];
	static double density[19200], cell[19200];
	uint64_t seed = 31;
	(void)state;
	for (int k = 0; k < 19200; k++) { /* an arc of cells of order 8 in a sky of order 4 would be usual: all of one order is the harder case */
		uniq[k] = (UINT64_C(4) << 16) + 40000 + (uint64_t)k;
		density[k] = exp(-k / 3000.0);
		cell[k] = density[k] * (1 - exp(-1 / 3000.0)) * 0.6;
		density[k] *= (1 - exp(-1 / 3000.0)) / skymap_pixel_sr(8);
	}
	struct skymap m = {.cells = 19200, .uniq = uniq, .density = density, .order_max = 8};
	for (int k = 0; k < 2; k++) {
		struct footprint f = shape_of(shapes[k]);
		struct fields out;
		struct err e = {0};
		struct timespec a, b;
		cluster(g, 1000, &f, -20, k ? 5 : 20, &seed);
		struct fields_task t = {.footprint = &f, .galaxy = g, .galaxies = 1000, .map = &m, .missing = cell, .top = 60, .probability = NAN, .level = 0.9};
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
		assert_ok(fields_choose(&t, &out, &e), &e);
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
		double ms = (double)(b.tv_sec - a.tv_sec) * 1e3 + (double)(b.tv_nsec - a.tv_nsec) / 1e6;
		printf("# %d chips: 60 of %.2f in %.0f ms\n", f.chips, out.total, ms);
		sums_hold(&t, &out);
		fields_free(&out);
	}
}

static void circles_about_galaxies(void **state)
{
	struct footprint f = shape_of(SINISTRO);
	(void)state;
	/* NGC 4993 at 40.7 Mpc: 50 kpc are 4.3' (z = 0.0092); at 400 Mpc 0.51'; M31 is larger than the frame */
	assert_true(fabs(fields_circle_rad(&f, 40.7) * DEG * 60 - 4.30) < 0.01);
	assert_true(fabs(fields_circle_rad(&f, 400) * DEG * 60 - 0.511) < 0.002);
	assert_true(fabs(fields_circle_rad(&f, 0.78) * DEG * 60 - 0.9 * 13.25) < 0.01);
	assert_true(fabs(fields_circle_rad(&f, NAN) * DEG * 60 - 1) < 1e-9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(against_all_placements), cmocka_unit_test(never_worse_than_centring), cmocka_unit_test(more_frames_hold_more),
		cmocka_unit_test(the_sky_against_its_regions), cmocka_unit_test(an_even_sky_by_its_area),
		cmocka_unit_test(until_it_is_enough), cmocka_unit_test(one_pointing_where_the_region_fits),
		cmocka_unit_test(pointings_of_before), cmocka_unit_test(quick_enough), cmocka_unit_test(circles_about_galaxies),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

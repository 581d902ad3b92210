/* A map of reddening: orders, coordinates, vectors and doubles, and files that are none. */
#include "engine/target/dust.h"
#include "engine/target/fits_write.h"
#include "test.h"
#include <chealpix.h>
#include <erfa.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A map whose pixel n has the value n / 100. */
static void map_make(struct text *t, long nside, int repeat, char type, const char *ordering, const char *coordinates, const char *column)
{
	char form[16];
	long pixels = 12 * nside * nside, rows = pixels / repeat;
	snprintf(form, sizeof form, "%d%c", repeat, type);
	*t = (struct text){.max = 1 << 20};
	fits_primary(t);
	fits_table(t, 8 + repeat * (type == 'E' ? 4 : 8), rows, 2);
	fits_table_column(t, 1, "OTHER", "1D", "");
	fits_table_column(t, 2, column, form, "mag");
	fits_card_text(t, "PIXTYPE", "HEALPIX", "");
	if (ordering != NULL)
		fits_card_text(t, "ORDERING", ordering, "");
	if (coordinates != NULL)
		fits_card_text(t, "COORDSYS", coordinates, "");
	fits_card_int(t, "NSIDE", nside, "");
	fits_header_end(t);
	for (long n = 0; n < pixels; n++) {
		if (n % repeat == 0)
			text_add(t, "\0\0\0\0\0\0\0\0", 8);
		double value = (double)n / 100;
		float small = (float)value;
		uint64_t bits = 0;
		uint32_t few = 0;
		unsigned char out[8];
		memcpy(&bits, &value, 8);
		memcpy(&few, &small, 4);
		int size = type == 'E' ? 4 : 8;
		for (int i = 0; i < size; i++)
			out[i] = (unsigned char)((type == 'E' ? (uint64_t)few : bits) >> (8 * (size - 1 - i)));
		text_add(t, out, (size_t)size);
	}
	fits_rows_end(t);
}

static void values_where_they_belong(void **state)
{
	static const struct {
		int repeat;
		char type;
		const char *ordering, *coordinates, *column;
		bool nested, galactic;
	} maps[] = {{1, 'E', "RING", "C", "EBV", false, false}, {16, 'E', "NESTED", "G", "TEMPERATURE", true, true}, {4, 'D', "RING", NULL, "E(B-V)", false, true},
		{1, 'D', "NEST", "C", "reddening", true, false}};
	const long nside = 4;
	(void)state;
	for (size_t i = 0; i < sizeof maps / sizeof maps[0]; i++) {
		struct text t;
		struct dust d;
		struct err e = {0};
		map_make(&t, nside, maps[i].repeat, maps[i].type, maps[i].ordering, maps[i].coordinates, maps[i].column);
		assert_ok(dust_read(t.data, t.len, &d, &e), &e);
		for (long n = 0; n < 12 * nside * nside; n++) {
			double theta, phi, lon, lat;
			if (maps[i].nested)
				pix2ang_nest(nside, n, &theta, &phi);
			else
				pix2ang_ring(nside, n, &theta, &phi);
			lon = phi;
			lat = M_PI / 2 - theta;
			if (maps[i].galactic)
				eraG2icrs(phi, M_PI / 2 - theta, &lon, &lat);
			double got = dust_ebv_mag(&d, lon * 180 / M_PI, lat * 180 / M_PI);
			if (!(fabs(got - (double)n / 100) < 1e-6))
				fail_msg("map %zu, pixel %ld: %g", i, n, got);
		}
		dust_free(&d);
		text_free(&t);
	}
}

static void what_is_no_map(void **state)
{
	struct text t;
	struct dust d;
	struct err e = {0};
	(void)state;
	map_make(&t, 2, 1, 'E', NULL, "G", "EBV");
	assert_int_equal(dust_read(t.data, t.len, &d, &e), -1);
	assert_non_null(strstr(e.text, "ORDERING"));
	text_free(&t);
	map_make(&t, 2, 1, 'E', "RING", "E", "EBV");
	assert_int_equal(dust_read(t.data, t.len, &d, &e), -1);
	assert_non_null(strstr(e.text, "ecliptic"));
	text_free(&t);
	map_make(&t, 2, 1, 'E', "RING", "G", "PROB");
	assert_int_equal(dust_read(t.data, t.len, &d, &e), -1);
	assert_non_null(strstr(e.text, "E(B-V)"));
	text_free(&t);
	map_make(&t, 3, 1, 'E', "RING", "G", "EBV");
	assert_int_equal(dust_read(t.data, t.len, &d, &e), -1);
	assert_non_null(strstr(e.text, "no full sky"));
	assert_int_equal(dust_read(t.data, t.len / 2, &d, &e), -1); /* cut short */
	text_free(&t);
	assert_int_equal(dust_read("<!DOCTYPE html>", 15, &d, &e), -1);
	assert_int_equal(dust_read("", 0, &d, &e), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(values_where_they_belong), cmocka_unit_test(what_is_no_map)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

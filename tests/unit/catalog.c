/* The catalogue: what tables say in many ways comes out as one; bad rows are counted and named; the file is sorted, indexed, whole. */
#include "test.h"
#include "engine/target/catalog_build.h"
#include "engine/target/catalog_write.h"
#include "engine/target/cosmology.h"
#include <chealpix.h>
#include <fcntl.h>
#include <math.h>
#include <sys/stat.h>

static char folder[] = "/tmp/slew-catalog-XXXXXX";

static int setup(void **state)
{
	(void)state;
	return mkdtemp(folder) == NULL;
}

static int teardown(void **state)
{
	char command[128];
	(void)state;
	snprintf(command, sizeof command, "rm -r %s", folder);
	return system(command) != 0;
}

static const char *path_of(const char *name)
{
	static char path[4][128];
	static int turn;
	turn = (turn + 1) % 4;
	snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
	return path[turn];
}

static void put(const char *name, const char *text)
{
	FILE *f = fopen(path_of(name), "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* Builds one file into a catalogue and opens it; the report is copied. */
static void build(const char *text, const char *const *map, struct catalog *c, char *report, size_t size)
{
	struct catalog_builder b;
	struct err e = {0};
	put("in.csv", text);
	catalog_builder_init(&b);
	b.map = map;
	assert_ok(catalog_build_add(&b, path_of("in.csv"), &e), &e);
	assert_ok(catalog_build_write(&b, path_of("c.fits"), NULL, &e), &e);
	snprintf(report, size, "%s", b.report.data ? b.report.data : "");
	catalog_builder_free(&b);
	assert_ok(catalog_open(path_of("c.fits"), c, &e), &e);
	assert_ok(catalog_verify(c, &e), &e);
}

static struct catalog_row by_id(const struct catalog *c, int64_t id)
{
	struct catalog_row r;
	for (int64_t i = 0; i < c->count; i++) {
		catalog_row_at(c, i, &r);
		if (r.id == id)
			return r;
	}
	fail_msg("no galaxy %lld", (long long)id);
	return r;
}

static void near(double got, double want, double tolerance)
{
	if (!(fabs(got - want) <= tolerance))
		fail_msg("%.12g is not %.12g", got, want);
}

static void usual_names_and_missing_values(void **state)
{
	struct catalog c;
	char report[4096];
	(void)state;
	build("# a comment\n"
		"ID,Name,_RAJ2000,_DEJ2000,Dist,e_Dist,Bmag,B_Abs,M*,z\n"
		"1,\"NGC 1, \"\"a\"\"\",10.5,-20.25,40.0,4.5,14.5,null,2.5,\n"
		"2,,11,21,null,,,-20,,0.01\n"
		"3,three,12,22,-99,,-99,,3e11,NaN\n"
		"4,four,12:00:00,-00:30:00,0,,99,,,\n", NULL, &c, report, sizeof report);
	assert_int_equal(c.count, 4);
	struct catalog_row r = by_id(&c, 1);
	assert_string_equal(r.name, "NGC 1, \"a\"");
	near(r.ra_deg, 10.5, 0);
	near(r.dec_deg, -20.25, 0);
	near(r.distance_mpc, 40, 0);
	near(r.distance_err_mpc, 4.5, 0);
	near(r.b_mag, 14.5, 0);
	near(r.log_mstar, log10(2.5e10), 1e-6);
	assert_int_equal(r.flags, CATALOG_DIST_GIVEN);
	r = by_id(&c, 2);
	near(r.distance_mpc, cosmology_distance_mpc(0.01, NULL), 0);
	near(r.b_mag, -20 + 5 * log10(r.distance_mpc) + 25, 1e-5);
	assert_int_equal(r.flags, CATALOG_DIST_COSMOLOGY | CATALOG_FLAG_NAME_MADE | CATALOG_FLAG_B_ABSOLUTE | CATALOG_FLAG_ERR_RULE);
	assert_string_equal(r.name, "J004400.0+210000");
	r = by_id(&c, 3);
	assert_true(isnan(r.distance_mpc) && isnan(r.b_mag));
	near(r.log_mstar, log10(3e11), 1e-6);
	r = by_id(&c, 4);
	near(r.ra_deg, 180, 0);
	near(r.dec_deg, -0.5, 1e-12);
	assert_true(isnan(r.distance_mpc) && isnan(r.b_mag));
	assert_non_null(strstr(report, "4 rows, 4 galaxies, 0 left out, 2 without a distance"));
	catalog_close(&c);
}

static void bad_rows_are_named(void **state)
{
	struct catalog c;
	char report[4096];
	(void)state;
	build("id;ra;dec;dist\n1;10;20;30\n2;400;0;30\n3;ten;0;30\n4;10;-91;30\n5;10;20\n6;10;20;far\n7;;20;30\n8;-10;5;1\n", NULL, &c, report,
		sizeof report);
	assert_int_equal(c.count, 2);
	near(by_id(&c, 8).ra_deg, 350, 0);
	assert_non_null(strstr(report, "line 3 left out: right ascension is outside 0 to 360"));
	assert_non_null(strstr(report, "line 4 left out: right ascension or declination is not a number"));
	assert_non_null(strstr(report, "line 5 left out: declination is outside"));
	assert_non_null(strstr(report, "line 6 left out: 3 columns, the header has 4"));
	assert_non_null(strstr(report, "line 7 left out: the distance is not a number"));
	assert_non_null(strstr(report, "line 8 left out: no right ascension or declination"));
	assert_non_null(strstr(report, "8 rows, 2 galaxies, 6 left out"));
	catalog_close(&c);
}

static void map_and_units(void **state)
{
	static const char *const map[] = {"ra=alfa", "dec=delto", "dist=d_kpc", "b_mag=", NULL}, *const wrong[] = {"ra=nowhere", NULL};
	static const char *const field[] = {"colour=alfa", NULL};
	struct catalog c;
	struct catalog_builder b;
	struct err e = {0};
	char report[4096];
	(void)state;
	build("id\talfa\tdelto\td_kpc\tbmag\n5\t10\t20\t3000\t12\n", map, &c, report, sizeof report);
	near(by_id(&c, 5).distance_mpc, 3, 1e-12);
	assert_true(isnan(by_id(&c, 5).b_mag));
	catalog_close(&c);
	catalog_builder_init(&b);
	assert_int_equal(catalog_build_add(&b, path_of("in.csv"), &e), -1);
	assert_non_null(strstr(e.text, "--map ra=COLUMN; columns: id alfa delto"));
	catalog_builder_free(&b);
	for (int i = 0; i < 2; i++) {
		catalog_builder_init(&b);
		b.map = i ? field : wrong;
		e = (struct err){0};
		assert_int_equal(catalog_build_add(&b, path_of("in.csv"), &e), -1);
		assert_non_null(strstr(e.text, i ? "fields are id name" : "there is no column \"nowhere\""));
		catalog_builder_free(&b);
	}
}

static void blanks_without_header_are_glade_plus(void **state)
{
	struct catalog c;
	char report[4096];
	(void)state;
	build("1 43495 NGC4736 NGC4736 12505314+4107125 J125053.14+410712.7 null G 192.721451 41.120152 8.8 null 0 -19.4135 6.084 0.015 5.418 0.015 "
		"5.169 0.015 5.611 null 6.12 null 0 null null 0.00099057 0.001733 0 null 2.87265E-05 4.392418 0.2 2 null null 1 null null\n", NULL, &c,
		report, sizeof report);
	struct catalog_row r = by_id(&c, 1);
	assert_string_equal(r.name, "NGC4736");
	near(r.distance_mpc, 4.392418, 0);
	near(r.distance_err_mpc, 0.2, 1e-7);
	near(r.b_mag, 8.8, 1e-6);
	assert_int_equal(r.flags, CATALOG_DIST_MEASURED);
	assert_non_null(strstr(report, "read as glade+"));
	catalog_close(&c);
}

/* Sorted by (IPIX29, ID); the index gives each cell's first row; find agrees with a search from the start. */
static void sorted_and_indexed(void **state)
{
	static char text[400000];
	struct catalog c;
	char report[4096];
	size_t at = (size_t)sprintf(text, "id,ra,dec,dist,bmag\n");
	uint64_t seed = 12345;
	(void)state;
	for (int i = 0; i < 5000; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		double ra = (double)(seed >> 40) / 16777216.0 * 360, dec = (double)(seed >> 16 & 0xFFFF) / 65536.0 * 180 - 90;
		at += (size_t)sprintf(text + at, "%d,%.4f,%.4f,%d,%d\n", 5000 - i, i % 10 == 9 ? 77.0 : ra, i % 10 == 9 ? 7.0 : dec, 1 + i % 90, 10 + i % 9);
	}
	build(text, NULL, &c, report, sizeof report);
	assert_int_equal(c.count, 5000);
	struct catalog_row last, r;
	catalog_row_at(&c, 0, &last);
	for (int64_t i = 1; i < c.count; i++, last = r) {
		int64_t ipix;
		catalog_row_at(&c, i, &r);
		assert_true(r.ipix29 > last.ipix29 || (r.ipix29 == last.ipix29 && r.id > last.id));
		ang2pix_nest64(INT64_C(1) << 29, (90 - r.dec_deg) * (M_PI / 180), r.ra_deg * (M_PI / 180), &ipix);
		assert_true((uint64_t)ipix == r.ipix29);
		int64_t found = catalog_find(&c, r.ipix29);
		assert_true(found <= i && catalog_ipix(&c, found) == r.ipix29 && (found == 0 || catalog_ipix(&c, found - 1) < r.ipix29));
		assert_true(catalog_find(&c, r.ipix29 + 1) > i);
		float most = bytes_float(c.cells + (r.ipix29 >> 42) * CATALOG_CELL_BYTES + 8);
		assert_true((double)most >= catalog_luminosity(&r));
	}
	assert_int_equal(catalog_find(&c, UINT64_C(12) << 58), c.count);
	catalog_close(&c);
}

/* Our own file read as FITS gives the same rows, so the same digest. */
static void fits_in_fits_out(void **state)
{
	struct catalog c;
	struct catalog_builder b;
	struct err e = {0};
	char report[4096], digest[65];
	(void)state;
	build("id,name,ra,dec,dist,dist_err,bmag,logmass\n7,x,1,2,3,0.5,12,9.5\n8,y,200,-2,44,,,\n", NULL, &c, report, sizeof report);
	for (int times = 1; times <= 2; times++) { /* given twice, each row is kept once */
		catalog_builder_init(&b);
		for (int i = 0; i < times; i++)
			assert_ok(catalog_build_add(&b, path_of("c.fits"), &e), &e);
		assert_ok(catalog_build_write(&b, path_of("d.fits"), digest, &e), &e);
		assert_string_equal(digest, c.sha256);
		assert_true((strstr(b.report.data, "2 rows stand there twice") != NULL) == (times == 2));
		catalog_builder_free(&b);
	}
	catalog_close(&c);
	/* A distance that was made from a redshift is not "given" after a second round. */
	build("name,ra,dec,z\nx,1,2,0.01\n", NULL, &c, report, sizeof report);
	catalog_builder_init(&b);
	assert_ok(catalog_build_add(&b, path_of("c.fits"), &e), &e);
	assert_ok(catalog_build_write(&b, path_of("d.fits"), digest, &e), &e);
	assert_string_equal(digest, c.sha256);
	catalog_builder_free(&b);
	catalog_close(&c);
}

static void damaged_files_are_refused(void **state)
{
	static const off_t cuts[] = {0, 1, 2879, 2880, 5760, 8640, 100000, 12582912};
	struct catalog c;
	struct err e = {0};
	struct stat st;
	char report[4096];
	(void)state;
	build("id,ra,dec,dist\n7,1,2,3\n", NULL, &c, report, sizeof report);
	catalog_close(&c);
	assert_int_equal(stat(path_of("c.fits"), &st), 0);
	for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
		char command[400];
		snprintf(command, sizeof command, "head -c %lld %s > %s", (long long)cuts[i], path_of("c.fits"), path_of("cut.fits"));
		assert_int_equal(system(command), 0);
		e = (struct err){0};
		assert_int_equal(catalog_open(path_of("cut.fits"), &c, &e), -1);
		assert_true(e.text[0] != '\0');
	}
	int fd = open(path_of("c.fits"), O_RDWR);
	unsigned char byte = 0xFF;
	assert_int_equal(pwrite(fd, &byte, 1, st.st_size / 2), 1); /* in the index */
	close(fd);
	e = (struct err){0};
	assert_int_equal(catalog_open(path_of("c.fits"), &c, &e), -1);
	assert_non_null(strstr(e.text, "index of cells is damaged"));
	e = (struct err){0};
	assert_int_equal(catalog_open(path_of("in.csv"), &c, &e), -1);
	assert_non_null(strstr(e.text, "slew catalog build"));
}

/* What stands in the columns is what stands in the rows; a column that says otherwise is found. */
static void columns_say_what_rows_say(void **state)
{
	struct catalog c;
	struct catalog_row r;
	struct err e = {0};
	char report[4096];
	(void)state;
	build("id,ra,dec,dist,dist_err,bmag,logmass\n7,1,2,3,0.5,12,9.5\n8,200,-2,44,,,\n9,201,-2,,,15,10\n", NULL, &c, report, sizeof report);
	for (int64_t i = 0; i < c.count; i++) {
		catalog_row_at(&c, i, &r);
		assert_true(isnan(r.distance_mpc) ? isnan(catalog_distance_mpc(&c, i)) : catalog_distance_mpc(&c, i) == r.distance_mpc);
		assert_true((isnan(r.distance_err_mpc) ? 0 : r.distance_err_mpc) == catalog_distance_err_mpc(&c, i));
		assert_true((r.id == 7 ? catalog_luminosity(&r) : 0) == (double)catalog_weight(&c, CATALOG_COLUMN_LUM, i));
		assert_true((r.id == 8 ? 0 : catalog_mass(&r)) == (double)catalog_weight(&c, CATALOG_COLUMN_MASS, i));
		assert_int_equal(bytes_u32(c.column[CATALOG_COLUMN_PIX] + 4 * i), r.ipix29 >> 12 & 0x3FFFFFFF);
	}
	for (int k = 0; k < CATALOG_COLUMN_COUNT; k++) {
		off_t at = c.column[k] - (const unsigned char *)c.memory;
		unsigned char was = *c.column[k], other = was ^ 1;
		int fd = open(path_of("c.fits"), O_RDWR);
		assert_int_equal(pwrite(fd, &other, 1, at), 1);
		assert_int_equal(catalog_verify(&c, &e), -1);
		assert_non_null(strstr(e.text, "the columns do not say"));
		assert_int_equal(pwrite(fd, &was, 1, at), 1);
		close(fd);
	}
	off_t without = c.column[0] - (const unsigned char *)c.memory - 2880;
	catalog_close(&c);
	assert_int_equal(truncate(path_of("c.fits"), without), 0); /* as before there were columns */
	assert_int_equal(catalog_open(path_of("c.fits"), &c, &e), -1);
	assert_non_null(strstr(e.text, "older slew"));
	assert_non_null(strstr(e.text, "slew catalog build"));
}

/* The writer keeps the order, leaves nothing behind when it gives up, and touches no file of that name before it has finished. */
static void writer_is_all_or_nothing(void **state)
{
	struct catalog_row r = {.ipix29 = 5, .distance_mpc = 1, .ra_deg = 1, .dec_deg = 1, .distance_err_mpc = NAN, .b_mag = NAN, .log_mstar = NAN,
		.id = 3, .name = "a"};
	struct catalog_writer w;
	struct catalog c;
	struct err e = {0};
	struct stat st;
	char command[200];
	(void)state;
	snprintf(command, sizeof command, "test $(ls %s | grep -c w.fits) = 0", folder);
	assert_ok(catalog_writer_open(&w, path_of("w.fits"), 3, &e), &e);
	assert_int_equal(catalog_writer_finish(&w, NULL, NULL, &e), -1);
	assert_non_null(strstr(e.text, "there is no galaxy to write"));
	assert_int_equal(system(command), 0);
	assert_ok(catalog_writer_open(&w, path_of("w.fits"), 3, &e), &e);
	assert_ok(catalog_writer_add(&w, &r, &e), &e);
	r.id = 2;
	assert_int_equal(catalog_writer_add(&w, &r, &e), -1);
	assert_non_null(strstr(e.text, "row 2 is out of order"));
	r = (struct catalog_row){.ipix29 = UINT64_C(12) << 58, .name = "b"};
	assert_int_equal(catalog_writer_add(&w, &r, &e), -1);
	catalog_writer_abandon(&w);
	assert_int_equal(system(command), 0);
	assert_int_equal(catalog_writer_open(&w, path_of("nowhere/w.fits"), 3, &e), -1);
	assert_ok(catalog_writer_open(&w, path_of("w.fits"), 3, &e), &e);
	r = (struct catalog_row){.distance_mpc = 1, .distance_err_mpc = NAN, .b_mag = NAN, .log_mstar = NAN, .name = "c"};
	for (uint64_t i = 0; i < 50000; i++) { /* more than one batch and one buffer */
		r.ipix29 = i << 44;
		r.distance_mpc = (double)i;
		assert_ok(catalog_writer_add(&w, &r, &e), &e);
	}
	assert_int_equal(stat(path_of("w.fits"), &st), -1);
	assert_ok(catalog_writer_finish(&w, NULL, NULL, &e), &e);
	catalog_writer_abandon(&w);
	assert_ok(catalog_open(path_of("w.fits"), &c, &e), &e);
	assert_ok(catalog_verify(&c, &e), &e);
	assert_int_equal(c.count, 50000);
	assert_true(catalog_distance_mpc(&c, 49999) == 49999);
	assert_int_equal(catalog_cell_first(&c, 4000), 1000);
	catalog_close(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(usual_names_and_missing_values), cmocka_unit_test(bad_rows_are_named),
		cmocka_unit_test(map_and_units), cmocka_unit_test(blanks_without_header_are_glade_plus), cmocka_unit_test(sorted_and_indexed),
		cmocka_unit_test(fits_in_fits_out), cmocka_unit_test(damaged_files_are_refused),
		cmocka_unit_test(columns_say_what_rows_say), cmocka_unit_test(writer_is_all_or_nothing)};
	return cmocka_run_group_tests_name("catalog", tests, setup, teardown);
}

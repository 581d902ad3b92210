/* Published catalogues as they are published: a made-up row of each comes out with its distance, error, kind and frame; what is no galaxy, not
 * sure, or near by a photometric redshift is left out and counted; numbers are those of strtod; runs on disk change nothing. */
#include "test.h"
#include "engine/target/catalog_build.h"
#include "engine/target/cosmology.h"
#include "mapmake.h"
#include <math.h>

static char folder[] = "/tmp/slew-import-XXXXXX";

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

static void near(double got, double want, double tolerance)
{
	if (!(fabs(got - want) <= tolerance))
		fail_msg("%.15g is not %.15g", got, want);
}

/* One table as text; the builder stays open: its rows are in runs.rows. */
static void take(struct catalog_builder *b, const char *text)
{
	struct err e = {0};
	catalog_builder_init(b);
	assert_ok(catalog_build_memory(b, "table", text, strlen(text), &e), &e);
}

static const struct catalog_row *row_of(const struct catalog_builder *b, const char *name)
{
	for (size_t i = 0; i < b->runs.count; i++)
		if (strcmp(b->runs.rows[i].name, name) == 0)
			return &b->runs.rows[i];
	fail_msg("no galaxy %s", name);
	return NULL;
}

static void is(const struct catalog_row *r, uint32_t kind, uint32_t frame, bool by_rule)
{
	assert_int_equal(r->flags & CATALOG_FLAG_KIND, kind);
	assert_int_equal((r->flags & CATALOG_FLAG_FRAME) >> CATALOG_FRAME_SHIFT, frame);
	assert_true(((r->flags & CATALOG_FLAG_ERR_RULE) != 0) == by_rule);
}

#define GLADE_HEAD(name) "1 null " name " null null null null G 192.7 41.1 8.8 null 0 -19.4 null null null null null null null null null null 0 null null "
#define GLADE_TAIL " null null 1 null null\n"

/* σ_v = 300 km/s: 4.434 Mpc of 300 km/s / 67.66 at z → 0. */
static void glade_plus(void **state)
{
	struct catalog_builder b;
	(void)state;
	take(&b, GLADE_HEAD("MEASURED") "0.00099 0.001733 0 null 2.9E-05 4.39 null 2" GLADE_TAIL GLADE_HEAD("FLOW") "0.0041 0.0036 1 0.00073 0.0001 15.876 3.263 3" GLADE_TAIL
		GLADE_HEAD("HUBBLE") "0.1 0.1 0 null 0.0001 475.8 0.5 3" GLADE_TAIL GLADE_HEAD("NEARPHOTO") "0.0003 0.0007 1 0.0003 0.015 3.25 1.2 1" GLADE_TAIL
		GLADE_HEAD("PHOTO") "0.1 0.1 0 null 0.015 475.8222675 null 1" GLADE_TAIL GLADE_HEAD("NOTHING") "null null 0 null null null null 0" GLADE_TAIL
		GLADE_HEAD("ONLYZ") "null 0.05 0 null null null null 3" GLADE_TAIL);
	assert_string_equal(b.source[0].format, "glade+");
	assert_int_equal(b.source[0].rows, 7);
	assert_int_equal(b.count, 6);
	assert_int_equal(b.source[0].off[CATALOG_OFF_PHOTO], 1);
	const struct catalog_row *r = row_of(&b, "MEASURED");
	is(r, CATALOG_DIST_MEASURED, CATALOG_FRAME_NONE, true);
	near(r->distance_err_mpc, 0.878, 1e-6);
	r = row_of(&b, "FLOW");
	is(r, CATALOG_DIST_SPEC, CATALOG_FRAME_FLOW, false);
	near(r->distance_err_mpc, 3.263, 1e-6);
	r = row_of(&b, "HUBBLE"); /* dD/dz at z = 0.1 is 5073.369 Mpc by differences of astropy 8.0.2: × 1.1 × 300/c = 5.58457 */
	is(r, CATALOG_DIST_SPEC, CATALOG_FRAME_CMB, true);
	near(r->distance_err_mpc, hypot(0.5, 5.58457), 1e-4);
	r = row_of(&b, "PHOTO");
	is(r, CATALOG_DIST_PHOT, CATALOG_FRAME_CMB, false);
	near(r->distance_err_mpc, 5073.369 * 0.015, 1e-3);
	assert_true(isnan(row_of(&b, "NOTHING")->distance_mpc));
	r = row_of(&b, "ONLYZ");
	is(r, CATALOG_DIST_COSMOLOGY, CATALOG_FRAME_CMB, true);
	near(r->distance_mpc, 229.8806284648579, 1e-6);
	catalog_builder_free(&b);
	struct err e = {0};
	static const char row[] = GLADE_HEAD("NEARPHOTO") "0.0003 0.0007 1 0.0003 0.015 3.25 1.2 1" GLADE_TAIL;
	catalog_builder_init(&b);
	b.photo_below_mpc = 0;
	assert_ok(catalog_build_memory(&b, "table", row, strlen(row), &e), &e);
	near(row_of(&b, "NEARPHOTO")->distance_err_mpc, 4437 * 0.015, 0.5);
	catalog_builder_free(&b);
}

static void ned_lvs(void **state)
{
	struct catalog_builder b;
	(void)state;
	take(&b, "objname,ra,dec,objtype,z,z_unc,z_tech,ziDist,DistMpc,DistMpc_unc,DistMpc_method,Mstar\n"
		"NGC 4993,197.448,-23.384,G,0.009783,0.00002,SPEC,40.7,40.7,2.4,zIndependent,3e10\nHUBBLE,10,20,G,0.1,0.0001,SPEC,,475.8,0.5,Redshift,\n"
		"PHOTO,11,20,G,0.1,0.01,PHOT,,475.8,,Redshift,\n");
	assert_string_equal(b.source[0].format, "ned-lvs");
	const struct catalog_row *r = row_of(&b, "NGC 4993");
	is(r, CATALOG_DIST_MEASURED, CATALOG_FRAME_NONE, false);
	near(r->distance_err_mpc, 2.4, 1e-6);
	near(r->log_mstar, log10(3e10), 1e-6);
	is(row_of(&b, "HUBBLE"), CATALOG_DIST_SPEC, CATALOG_FRAME_NONE, true);
	near(row_of(&b, "HUBBLE")->distance_err_mpc, hypot(0.5, 5.5846), 0.02);
	is(row_of(&b, "PHOTO"), CATALOG_DIST_PHOT, CATALOG_FRAME_NONE, false);
	near(row_of(&b, "PHOTO")->distance_err_mpc, 50.73, 0.1);
	catalog_builder_free(&b);
}

/* Heliocentric redshifts go to the CMB's frame: towards NGC 4993 2916 → 3230.348 km/s by astropy 8.0.2 (angle from l 264.021°, b 48.253°). */
static void heliocentric_lists(void **state)
{
	struct catalog_builder b;
	const struct catalog_row *r;
	(void)state;
	take(&b, "# 2MRS\n#ID RAdeg DECdeg l b k_c v e_v c vsrc CAT_ID\n13094770-2323017 197.44873 -23.38385 308.3 39.3 9.33 2916 15 N 1998 NGC_4993\n"
		"00424433+4116074 10.68471 41.26875 121.2 -21.6 0.8 -300 4 N 1991 MESSIER_031\n");
	assert_string_equal(b.source[0].format, "2mrs");
	r = row_of(&b, "NGC_4993");
	is(r, CATALOG_DIST_COSMOLOGY, CATALOG_FRAME_CMB, true);
	near(cosmology_redshift(r->distance_mpc) * LIGHT_KM_S, 3230.348, 0.01);
	near(r->distance_err_mpc, 4.55, 0.03);
	assert_true(isnan(row_of(&b, "MESSIER_031")->distance_mpc));
	catalog_builder_free(&b);
	take(&b, "1|197.4487 -23.3838           | 1.2|NGC 4993                      |13h09m47.70s|-23d23m02.0s|G     |  0.009783| Sy\n"
		"2|10.68471 +41.26875            | 1.2|A STAR                        |00h42m44.35s|+41d16m08.6s|*     | |\n");
	assert_string_equal(b.source[0].format, "ned-list");
	assert_int_equal(b.source[0].off[CATALOG_OFF_TYPE], 1);
	near(row_of(&b, "NGC 4993")->ra_deg, 197.44875, 1e-6);
	is(row_of(&b, "NGC 4993"), CATALOG_DIST_COSMOLOGY, CATALOG_FRAME_CMB, true);
	catalog_builder_free(&b);
	take(&b, "Name;Type;RA;Dec;Const;B-Mag;RadVel;Redshift\nNGC4993;G;13:09:47.70;-23:23:02.0;Hya;13.45;2920;0.009787\nIC0001;**;00:08:27.05;+27:43:03.6;Peg;;;\n"
		"NGC0001;G;00:07:15.84;+27:42:29.1;Peg;13.69;4536;\n");
	assert_string_equal(b.source[0].format, "openngc");
	assert_int_equal(b.count, 2);
	near(cosmology_redshift(row_of(&b, "NGC4993")->distance_mpc), 0.009787 + 0.00104852, 1e-6);
	assert_true(row_of(&b, "NGC0001")->distance_mpc > 55 && row_of(&b, "NGC0001")->distance_mpc < 70); /* by its velocity */
	catalog_builder_free(&b);
}

static void fifty_mpc_and_desi(void **state)
{
	struct catalog_builder b;
	(void)state;
	take(&b, "objname,pgc,ra,dec,v_h,bestdist,bestdist_error,bestdist_method,BMag,logmass\nNGC4993,45657,197.448,-23.384,2916,40.7,2.4,NED-D,-20.4,10.6\n"
		"CF3,2,10,20,2000,30,4,CF3-Z,,\nVONLY,3,10,21,2000,,,,,\n");
	assert_string_equal(b.source[0].format, "50mgc");
	is(row_of(&b, "NGC4993"), CATALOG_DIST_MEASURED, CATALOG_FRAME_NONE, false);
	assert_int_equal(row_of(&b, "NGC4993")->id, 45657);
	near(row_of(&b, "NGC4993")->b_mag, -20.4 + 5 * log10(40.7) + 25, 1e-5);
	is(row_of(&b, "CF3"), CATALOG_DIST_SPEC, CATALOG_FRAME_NONE, false);
	is(row_of(&b, "VONLY"), CATALOG_DIST_COSMOLOGY, CATALOG_FRAME_CMB, true);
	catalog_builder_free(&b);
	take(&b, "TARGETID,TARGET_RA,TARGET_DEC,Z,ZERR,ZWARN,SPECTYPE\n39627652591521181,150.1,2.2,0.1,0.00001,0,GALAXY\n2,150.2,2.2,0.1,0.00001,4,GALAXY\n"
		"3,150.3,2.2,0.0001,0.00001,0,STAR\n4,150.3,2.2,1.5,0.00001,0,QSO\n");
	assert_string_equal(b.source[0].format, "desi");
	assert_int_equal(b.count, 1);
	assert_int_equal(b.source[0].off[CATALOG_OFF_TYPE], 2);
	assert_int_equal(b.source[0].off[CATALOG_OFF_UNSURE], 1);
	assert_true(b.runs.rows[0].id == INT64_C(39627652591521181));
	is(&b.runs.rows[0], CATALOG_DIST_COSMOLOGY, CATALOG_FRAME_CMB, true);
	catalog_builder_free(&b);
}

/* A number of 64 bits is whole from FITS too. */
static void big_numbers_from_fits(void **state)
{
	static const double ra[] = {10, 20}, dec[] = {5, 6}, dist[] = {40, 50};
	static const int64_t id[] = {INT64_C(39627652591521181), -3};
	const struct mapmake_column columns[] = {{"RA", "deg", 'D', 1, ra, NULL}, {"DEC", "deg", 'D', 1, dec, NULL}, {"DIST", "Mpc", 'D', 1, dist, NULL},
		{"ID", NULL, 'K', 1, NULL, id}};
	struct mapmake m;
	struct catalog_builder b;
	struct err e = {0};
	(void)state;
	mapmake_file(&m, columns, 4, 2, NULL);
	FILE *f = fopen(path_of("k.fits"), "w");
	assert_non_null(f);
	assert_int_equal(fwrite(m.data, 1, m.len, f), m.len);
	fclose(f);
	mapmake_free(&m);
	catalog_builder_init(&b);
	assert_ok(catalog_build_add(&b, path_of("k.fits"), &e), &e);
	assert_int_equal(b.count, 2);
	assert_true(b.runs.rows[0].id == id[0] && b.runs.rows[1].id == id[1]);
	catalog_builder_free(&b);
}

static void formats_that_do_not_fit(void **state)
{
	static const char glade[] = "GLADE no,RA,Dec,d_L,dist flag\n1,2,3,40,2\n", rows[] = "1 2 3\n4 5 6\n";
	struct catalog_builder b;
	struct err e = {0};
	(void)state;
	catalog_builder_init(&b);
	b.format = catalog_format_named("NED-LVS");
	assert_non_null(b.format);
	assert_int_equal(catalog_build_memory(&b, "t", glade, strlen(glade), &e), -1);
	assert_non_null(strstr(e.text, "--format ned-lvs: the table has not the columns objname,DistMpc"));
	assert_non_null(strstr(e.text, "it looks like glade+"));
	catalog_builder_free(&b);
	e = (struct err){0};
	catalog_builder_init(&b);
	assert_int_equal(catalog_build_memory(&b, "t", rows, strlen(rows), &e), -1);
	assert_non_null(strstr(e.text, "no header line"));
	catalog_builder_free(&b);
	catalog_builder_init(&b);
	b.generic = true;
	assert_ok(catalog_build_memory(&b, "t", glade, strlen(glade), &e), &e);
	assert_string_equal(b.source[0].format, "by names");
	catalog_builder_free(&b);
	assert_null(catalog_format_named("glade"));
}

/* astropy 8.0.2: Planck18.luminosity_distance(z).value */
static void luminosity_distance(void **state)
{
	static const double values[][2] = {{0.001, 4.434262480323607}, {0.00978, 43.65761407989751}, {0.05, 229.8806284648579}, {0.1, 475.8222675121877},
		{0.5, 2919.6249521806776}, {1, 6791.2689423031325}, {2, 15924.566651659155}};
	(void)state;
	for (size_t k = 0; k < sizeof values / sizeof values[0]; k++) {
		double z = values[k][0], slope, got = cosmology_distance_mpc(z, &slope);
		near(got, values[k][1], 1e-9 * got);
		near(slope, (cosmology_distance_mpc(z * 1.0001, NULL) - cosmology_distance_mpc(z * 0.9999, NULL)) / (z * 0.0002), 1e-5 * slope);
		near(cosmology_redshift(got), z, 1e-10 * z);
	}
	assert_true(cosmology_distance_mpc(-0.001, NULL) == 0 && cosmology_redshift(0) == 0);
	near(cosmology_z_cmb(0, 167.941903, -6.944260) * LIGHT_KM_S, 369.82 / (1 - 369.82 / LIGHT_KM_S), 1e-6);
	near(cosmology_z_cmb(0, 347.941903, 6.944260) * LIGHT_KM_S, -369.82 / (1 + 369.82 / LIGHT_KM_S), 1e-6);
}

/* The quick way for numbers gives strtod's bits. */
static void numbers(void **state)
{
	char text[64];
	uint64_t seed = 88172645463325252u;
	(void)state;
	for (int i = 0; i < 300000; i++) {
		seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
		int whole = (int)(seed % 8), places = (int)(seed >> 8 & 15), form = (int)(seed >> 16 & 7), exponent = (int)(seed >> 24 & 63) - 32;
		uint64_t scale = 1;
		for (int k = 0; k < whole; k++)
			scale *= 10;
		double v = (double)(seed >> 32) / 4294967296.0 * (double)scale * (seed & 32 ? -1 : 1), got = 0;
		if (form == 0)
			snprintf(text, sizeof text, "%.*fe%d", places, v, exponent);
		else
			snprintf(text, sizeof text, form == 1 ? "%.*g" : form == 2 ? "+%.*f" : "%.*f", form == 1 ? 17 : places, form == 2 ? fabs(v) : v);
		double want = strtod(text, NULL);
		int rc = catalog_cell_number((struct catalog_cell){.text = text, .len = strlen(text)}, &got);
		if (rc != 1 || memcmp(&got, &want, sizeof got) != 0)
			if (!(rc == 0 && want <= -99)) /* marks for "no value" */
				fail_msg("%s: %.17g is not %.17g", text, got, want);
	}
}

/* Small runs on disk, and parts side by side in any order, give the bytes of one run in memory. */
static void backwards(void *self, void (*part)(void *, int), void *arg, int n)
{
	(void)self;
	while (n-- > 0)
		part(arg, n);
}

/* What is told of long work: the share grows within a stage, and is never more than all. */
struct told {
	char stages[200];
	double done;
};

static void tell(void *self, const char *stage, double done, double total)
{
	struct told *t = self;
	size_t len = strlen(t->stages), n = strlen(stage);
	if (len < n || strcmp(t->stages + len - n, stage) != 0) {
		snprintf(t->stages + len, sizeof t->stages - len, "%s%s", len ? "|" : "", stage);
		t->done = 0;
	}
	assert_true(done >= t->done && done <= total);
	t->done = done;
}

static void runs_change_nothing(void **state)
{
	const struct catalog_crew crew = {backwards, NULL};
	struct text t = {.max = 8u << 20};
	char digest[3][65];
	uint64_t seed = 7;
	(void)state;
	text_puts(&t, "name,ra,dec,dist\n");
	for (int i = 0; i < 70000; i++) { /* more than the crew is asked for at least, enough to be told of */
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		if (i % 1000 == 0)
			text_printf(&t, "# %d\n", i);
		else
			text_printf(&t, "g%d,%d.5,%d,%d\n", i, (int)(seed >> 40) % 360, (int)(seed >> 33) % 90, 1 + i % 90);
	}
	for (int k = 0; k < 3; k++) {
		struct catalog_builder b;
		struct told told = {0};
		struct err e = {0};
		catalog_builder_init(&b);
		b.progress = (struct catalog_progress){tell, &told};
		b.runs.run_rows = k ? 700 : 0;
		b.runs.beside = path_of("x.fits");
		b.crew = k == 2 ? &crew : NULL;
		assert_ok(catalog_build_memory(&b, "t", t.data, t.len, &e), &e);
		assert_int_equal(b.count, 69930);
		assert_ok(catalog_build_write(&b, path_of("x.fits"), digest[k], &e), &e);
		assert_int_equal(b.runs.run_count, k ? 99 : 0);
		assert_string_equal(told.stages, "reading|writing|finishing: index, columns, disk");
		catalog_builder_free(&b);
	}
	assert_string_equal(digest[0], digest[1]);
	assert_string_equal(digest[0], digest[2]);
	text_free(&t);
}

static void ended_as_asked(void **state)
{
	static const char table[] = "name,ra,dec,dist\na,1,2,3\n";
	volatile sig_atomic_t stop = 1;
	struct catalog_builder b;
	struct err e = {0};
	(void)state;
	catalog_builder_init(&b);
	b.stop = &stop;
	assert_int_equal(catalog_build_memory(&b, "t", table, strlen(table), &e), -1);
	assert_int_equal(e.kind, ERR_REFUSED);
	catalog_builder_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(glade_plus), cmocka_unit_test(ned_lvs), cmocka_unit_test(heliocentric_lists),
		cmocka_unit_test(fifty_mpc_and_desi), cmocka_unit_test(big_numbers_from_fits), cmocka_unit_test(formats_that_do_not_fit), cmocka_unit_test(luminosity_distance), cmocka_unit_test(numbers),
		cmocka_unit_test(runs_change_nothing), cmocka_unit_test(ended_as_asked)};
	return cmocka_run_group_tests_name("catalog_import", tests, setup, teardown);
}

/* The same galaxy of several sources becomes one row: by the rule, by a search of all pairs, whatever the order; a catalogue merged with itself
 * stays as it is. */
#include "test.h"
#include "engine/target/catalog_build.h"
#include <math.h>

static char folder[] = "/tmp/slew-merge-XXXXXX";

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

/* Tables as text, NULL-terminated → a catalogue, opened; *joined as reported. */
static void build(const char *const *tables, bool merge, struct catalog *c, int64_t *joined)
{
	struct catalog_builder b;
	struct err e = {0};
	char path[64];
	snprintf(path, sizeof path, "%s/c.fits", folder);
	catalog_builder_init(&b);
	b.merge = merge;
	b.photo_below_mpc = 0;
	b.runs.run_rows = 1000;
	for (int i = 0; tables[i] != NULL; i++)
		assert_ok(catalog_build_memory(&b, "t", tables[i], strlen(tables[i]), &e), &e);
	assert_ok(catalog_build_write(&b, path, NULL, &e), &e);
	*joined = b.joined;
	catalog_builder_free(&b);
	assert_ok(catalog_open(path, c, &e), &e);
	assert_ok(catalog_verify(c, &e), &e);
}

static struct catalog_row row_at(const struct catalog *c, int64_t i)
{
	struct catalog_row r;
	catalog_row_at(c, i, &r);
	return r;
}

#define HEAD "id,name,ra,dec,dist,dist_err,dist_flag,bmag,logmass\n"

static void best_distance_first(void **state)
{
	static const char photo[] = HEAD "5,Photo,197.44890,-23.38400,300,150,1,13.4,\n", measured[] = HEAD "7,,197.44875,-23.38385,40.7,2.4,2,,10.6\n",
		spec[] = HEAD "9,NGC 4993,197.44880,-23.38390,47,4.5,3,13.2,10.2\n";
	static const char *const orders[][4] = {{photo, measured, spec, NULL}, {spec, photo, measured, NULL}, {measured, spec, photo, NULL}};
	struct catalog c;
	int64_t joined;
	(void)state;
	for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
		build(orders[i], true, &c, &joined);
		assert_int_equal(c.count, 1);
		assert_int_equal(joined, 2);
		struct catalog_row r = row_at(&c, 0);
		assert_true(fabs(r.distance_mpc - 40.7) < 1e-12 && fabsf(r.distance_err_mpc - 2.4f) < 1e-6f && fabs(r.ra_deg - 197.44875) < 1e-12);
		assert_string_equal(r.name, "NGC 4993"); /* the measured row has none */
		assert_int_equal(r.id, 9);
		assert_true(fabsf(r.b_mag - 13.2f) < 1e-6f && fabsf(r.log_mstar - 10.6f) < 1e-6f);
		assert_int_equal(r.flags, CATALOG_DIST_MEASURED | CATALOG_FLAG_MERGED);
		catalog_close(&c);
	}
	build(orders[0], false, &c, &joined);
	assert_int_equal(c.count, 3);
	catalog_close(&c);
}

/* What the rule says at its edges: 1 kpc at 20 Mpc is 10.3″, at 100 Mpc 3″ count, never more than 60″; 5 σ of distance within 3″, else 3; the pole; the meridian. */
static void the_rule(void **state)
{
	static const struct {
		const char *a, *b;
		int64_t rows;
	} pairs[] = {{"1,a,10,0,20,1,2,,\n", "2,b,10.0028,0,20,1,2,,\n", 1}, {"1,a,10,0,20,1,2,,\n", "2,b,10.0030,0,20,1,2,,\n", 2},
		{"1,a,10,0,100,5,2,,\n", "2,b,10.0008,0,100,5,2,,\n", 1}, {"1,a,10,0,100,5,2,,\n", "2,b,10.0009,0,100,5,2,,\n", 2},
		{"1,a,10,0,1,0.1,2,,\n", "2,b,10,0.0166,1,0.1,2,,\n", 1}, {"1,a,10,0,1,0.1,2,,\n", "2,b,10,0.0168,1,0.1,2,,\n", 2},
		{"1,a,10,0,100,5,2,,\n", "2,b,10,0,135,5,2,,\n", 1}, {"1,a,10,0,100,5,2,,\n", "2,b,10,0,136,5,2,,\n", 2},
		{"1,a,10,0,20,1,2,,\n", "2,b,10.0014,0,24,1,2,,\n", 1}, {"1,a,10,0,20,1,2,,\n", "2,b,10.0014,0,24.5,1,2,,\n", 2}, {"1,a,10,0,100,5,2,,\n", "2,b,10,0,,,,,\n", 1},
		{"1,a,359.9999,5,20,1,2,,\n", "2,b,0.0001,5,20,1,2,,\n", 1}, {"1,a,10,89.9999,20,1,2,,\n", "2,b,190,89.9999,20,1,2,,\n", 1},
		{"1,a,77,-89.9995,20,1,2,,\n", "2,b,257,-89.9995,20,1,2,,\n", 1}, {"1,a,10,89.99,20,1,2,,\n", "2,b,190,89.99,20,1,2,,\n", 2}};
	char a[200], b[200];
	const char *const tables[] = {a, b, NULL}, *const turned[] = {b, a, NULL};
	struct catalog c;
	int64_t joined;
	(void)state;
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
		for (int turn = 0; turn < 2; turn++) {
			snprintf(a, sizeof a, HEAD "%s", pairs[i].a);
			snprintf(b, sizeof b, HEAD "%s", pairs[i].b);
			build(turn ? turned : tables, true, &c, &joined);
			if (c.count != pairs[i].rows)
				fail_msg("%s%s are %lld rows", pairs[i].a, pairs[i].b, (long long)c.count);
			catalog_close(&c);
		}
}

/* Clumps of galaxies: three sources see each with a small error, some not; kinds differ, so that the order of sources must not matter. */
static void sky(struct text *t, int source, uint64_t seed)
{
	text_puts(t, HEAD);
	for (int i = 0; i < 3000; i++) {
		double u[6];
		for (int k = 0; k < 6; k++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			u[k] = (double)(seed >> 11) / 9007199254740992.0;
		}
		int clump = i / 10;
		double dec = i < 300 ? 89.99 - 0.002 * u[1] : -60 + clump * 0.4 + 0.003 * u[1], ra = i < 300 ? 360 * u[0] : fmod(359.999 + clump * 7 + 0.003 * u[0], 360);
		double dist = 10 + 60 * u[2], shift = (source - 1) * 0.0002 * (u[3] - 0.5);
		if (u[4] < 0.2 * source)
			continue;
		text_printf(t, "%d,s%d-%d,%.7f,%.7f,%.3f,%.3f,%d,,\n", i, source, i, ra, dec + shift, dist + 0.1 * source, 1 + u[5], source == 1 ? 2 : source == 2 ? 3 : 1);
	}
}

static void sources_in_any_order(void **state)
{
	struct text t[3] = {{.max = 1 << 20}, {.max = 1 << 20}, {.max = 1 << 20}};
	static const int order[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
	char digest[65] = "";
	int64_t joined, all;
	struct catalog c;
	(void)state;
	for (int s = 0; s < 3; s++)
		sky(&t[s], s, 99);
	for (int o = 0; o < 6; o++) {
		const char *const tables[] = {t[order[o][0]].data, t[order[o][1]].data, t[order[o][2]].data, NULL};
		build(tables, false, &c, &joined);
		all = c.count;
		catalog_close(&c);
		build(tables, true, &c, &joined);
		assert_int_equal(c.count, all - joined);
		assert_true(joined > 1000);
		if (o > 0)
			assert_string_equal(c.sha256, digest);
		memcpy(digest, c.sha256, 65);
		catalog_close(&c);
	}
	for (int s = 0; s < 3; s++) {
		const char *const once[] = {t[s].data, NULL}, *const twice[] = {t[s].data, t[s].data, t[s].data, NULL};
		build(once, false, &c, &joined);
		memcpy(digest, c.sha256, 65);
		catalog_close(&c);
		build(twice, true, &c, &joined);
		assert_string_equal(c.sha256, digest);
		assert_int_equal(joined, 0);
		catalog_close(&c);
		text_free(&t[s]);
	}
}

static bool same_galaxy(const struct catalog_row *a, const struct catalog_row *b)
{
	double u = sin((a->dec_deg - b->dec_deg) * M_PI / 360), v = sin((a->ra_deg - b->ra_deg) * M_PI / 360);
	double apart = 2 * asin(sqrt(u * u + cos(a->dec_deg * M_PI / 180) * cos(b->dec_deg * M_PI / 180) * v * v)) * 206264.80624709636;
	double reach = 206.26480624709636 / fmin(a->distance_mpc, b->distance_mpc);
	return apart <= fmin(60, fmax(3, reach)) && fabs(a->distance_mpc - b->distance_mpc) <= (apart <= 3 ? 5 : 3) * hypot((double)a->distance_err_mpc, (double)b->distance_err_mpc);
}

/* No pair of the rule is left between galaxies of one source each, and as many are joined as a search of all pairs finds with two lists. */
static void as_by_all_pairs(void **state)
{
	struct text t[2] = {{.max = 1 << 20}, {.max = 1 << 20}};
	struct catalog c[2], m;
	int64_t joined, partners = 0, lonely = 0;
	(void)state;
	for (int s = 0; s < 2; s++)
		sky(&t[s], s, 7);
	const char *const tables[] = {t[0].data, t[1].data, NULL};
	build(tables, true, &m, &joined);
	for (int s = 0; s < 2; s++) {
		const char *const one[] = {t[s].data, NULL};
		build(one, false, &c[s], &partners);
	}
	partners = 0;
	for (int64_t i = 0; i < c[0].count; i++) {
		struct catalog_row a = row_at(&c[0], i);
		bool any = false;
		for (int64_t k = 0; k < c[1].count && !any; k++) {
			struct catalog_row b = row_at(&c[1], k);
			any = same_galaxy(&a, &b);
		}
		partners += any;
	}
	print_message("# %lld joined, %lld have partners\n", (long long)joined, (long long)partners);
	assert_true(joined <= partners && joined >= partners * 5 / 6); /* two of one list may want the same partner */
	for (int64_t i = 0; i < m.count; i++) { /* what stayed alone in one list has no free partner in the other */
		struct catalog_row a = row_at(&m, i);
		if ((a.flags & CATALOG_FLAG_MERGED) != 0)
			continue;
		for (int64_t k = i + 1; k < m.count; k++) {
			struct catalog_row b = row_at(&m, k);
			if ((b.flags & CATALOG_FLAG_MERGED) == 0 && a.name[1] != b.name[1] && same_galaxy(&a, &b))
				fail_msg("%s and %s are the same galaxy", a.name, b.name);
		}
		lonely++;
	}
	assert_true(lonely > 100);
	for (int s = 0; s < 2; s++) {
		catalog_close(&c[s]);
		text_free(&t[s]);
	}
	catalog_close(&m);
}

/* 50MGC, 2MRS by NED, OpenNGC and a piece of GLADE: NGC 4993 stands there once, with the distance of 50MGC and what the others add. */
static void real_lists(void **state)
{
	static const char *const files[] = {"50MGC_catalog_short.fits", "2MRS_NED_galaxies.txt", "OpenNGC_NGC.csv", "GW170817_glade_region.csv"};
	struct catalog_builder b;
	struct err e = {0};
	struct catalog c;
	char path[1024], out[64];
	int found = 0;
	(void)state;
	catalog_builder_init(&b);
	b.merge = true;
	for (int i = 0; i < 4; i++) {
		char name[64];
		snprintf(name, sizeof name, "data/galaxies/%s", files[i]);
		shared_path(path, name);
		assert_ok(catalog_build_add(&b, path, &e), &e);
	}
	snprintf(out, sizeof out, "%s/c.fits", folder);
	assert_ok(catalog_build_write(&b, out, NULL, &e), &e);
	assert_true(b.joined > 6000);
	catalog_builder_free(&b);
	assert_ok(catalog_open(out, &c, &e), &e);
	for (int64_t i = 0; i < c.count; i++) {
		struct catalog_row r = row_at(&c, i);
		if (fabs(r.ra_deg - 197.44875) > 0.02 || fabs(r.dec_deg + 23.38389) > 0.02)
			continue;
		found++;
		assert_string_equal(r.name, "NGC4993");
		assert_true(fabs(r.distance_mpc - 40.7) < 1e-9 && r.b_mag > 12 && r.b_mag < 14 && r.log_mstar > 10 && (r.flags & CATALOG_FLAG_MERGED));
	}
	assert_int_equal(found, 1);
	catalog_close(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(best_distance_first), cmocka_unit_test(the_rule), cmocka_unit_test(sources_in_any_order),
		cmocka_unit_test(as_by_all_pairs), cmocka_unit_test(real_lists)};
	return cmocka_run_group_tests_name("catalog_merge", tests, setup, teardown);
}

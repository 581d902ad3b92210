/* Computations as the core asks for them: a map and a ranking as JSON, and what cannot be done as an answer with a reason. */
#include "test.h"
#include "mapmake.h"
#include "engine/base/json.h"
#include "engine/core/compute.h"
#include "engine/target/catalog_build.h"
#include "engine/target/moc.h"
#include <math.h>

static struct mapmake map;

static int blob(void *ctx, const char *sha256, unsigned char **bytes, size_t *len, struct err *e)
{
	(void)ctx;
	if (strcmp(sha256, "lost") == 0)
		return err_set(e, ERR_STORE, "no such blob");
	*len = strcmp(sha256, "page") == 0 ? 6 : map.len;
	*bytes = malloc(*len);
	memcpy(*bytes, strcmp(sha256, "page") == 0 ? (const unsigned char *)"<html>" : map.data, *len);
	return 0;
}

static json_t *run(const struct compute_host *host, const char *job, int rc)
{
	struct err e = {0};
	json_t *j = json_loads(job, 0, NULL), *result = NULL;
	assert_non_null(j);
	assert_int_equal(compute_run(host, j, &result, &e), rc);
	json_decref(j);
	return result;
}

static void says(const struct compute_host *host, const char *job, const char *word)
{
	json_t *r = run(host, job, 0);
	if (strstr(json_text(r, "error", ""), word) == NULL)
		fail_msg("%s: \"%s\" does not say \"%s\"", job, json_text(r, "error", "(no error)"), word);
	json_decref(r);
}

static void map_and_rank(void **state)
{
	char folder[] = "/tmp/slew-compute-XXXXXX", csv[64], fits[64], job[300];
	struct catalog c;
	struct catalog_builder b;
	struct err e = {0};
	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(csv, sizeof csv, "%s/in.csv", folder);
	snprintf(fits, sizeof fits, "%s/c.fits", folder);
	FILE *f = fopen(csv, "w");
	fputs("id,name,ra,dec,dist\n5,NGC 5,313,28,60\n6,\"a|b\",320,40,150\n7,,310,10,50\n", f);
	fclose(f);
	catalog_builder_init(&b);
	assert_ok(catalog_build_add(&b, csv, &e), &e);
	assert_ok(catalog_build_write(&b, fits, NULL, &e), &e);
	catalog_builder_free(&b);
	assert_ok(catalog_open(fits, &c, &e), &e);
	struct compute_host host = {.blob = blob, .read_map = skymap_read, .catalog = &c};
	json_t *r = run(&host, "{\"kind\":\"map\",\"sha256\":\"good\"}", 0);
	assert_string_equal(json_text(r, "ordering", ""), "NUNIQ");
	assert_true(json_number(r, "area90_deg2", 0) > json_number(r, "area50_deg2", 0) && json_number(r, "distmean_mpc", 0) == 55.5);
	assert_true(json_flag(r, "is_3d", false) && json_int(r, "pixels", 0) == 768 && json_is_number(json_object_get(r, "gal_b_deg")));
	json_decref(r);
	r = run(&host, "{\"kind\":\"rank\",\"sha256\":\"good\",\"weight\":\"none\",\"top\":2}", 0);
	json_t *targets = json_object_get(r, "targets"), *first = json_array_get(targets, 0);
	assert_int_equal(json_int(r, "considered", 0), 3);
	assert_int_equal(json_array_size(targets), 2);
	assert_string_equal(json_text(first, "key", ""), "NGC 5|5");
	assert_int_equal(json_int(first, "rank", 0), 1);
	assert_true(json_number(first, "share", 0) > json_number(json_array_get(targets, 1), "share", 1));
	double in = json_number(first, "probability", 0), outside = json_number(r, "outside", -1); /* three galaxies are hardly a catalogue */
	assert_true(in > 0 && outside > 0.5 && outside < 1 && in < 1 - outside);
	assert_true(in > json_number(json_array_get(targets, 1), "probability", 1) && json_number(r, "catalogue_sum", -1) > 0);
	assert_null(strchr(json_text(json_array_get(targets, 1), "name", "|"), '|'));
	json_decref(r);
	says(&host, "{\"kind\":\"rank\",\"sha256\":\"page\"}", "HTML page");
	says(&host, "{\"kind\":\"rank\",\"sha256\":\"good\",\"weight\":\"beauty\"}", "beauty");
	says(&host, "{\"kind\":\"rank\",\"sha256\":\"good\",\"catalog\":\"0123\"}", "wants catalogue");
	snprintf(job, sizeof job, "{\"kind\":\"rank\",\"sha256\":\"good\",\"catalog\":\"%s\"}", c.sha256);
	r = run(&host, job, 0);
	assert_null(json_object_get(r, "error"));
	json_decref(r);
	host.catalog = NULL;
	says(&host, job, "no galaxy catalogue");
	says(&host, "{\"kind\":\"tea\"}", "tea");
	says(&host, "{\"kind\":\"map\"}", "names no map");
	assert_null(run(&host, "{\"kind\":\"map\",\"sha256\":\"lost\"}", -1));
	catalog_close(&c);
	unlink(csv);
	unlink(fits);
	rmdir(folder);
}

/* The cells of order 5 that the densest part of a map touches, with no galaxy and no camera. */
static void region(void **state)
{
	struct compute_host host = {.blob = blob, .read_map = skymap_read};
	struct err e = {0};
	struct moc half, most;
	(void)state;
	json_t *r = run(&host, "{\"kind\":\"rank\",\"sha256\":\"good\",\"top\":0,\"fields\":[{\"camera\":\"region50\",\"from\":\"region\",\"probability\":0.5},"
			"{\"camera\":\"region70\",\"from\":\"region\",\"probability\":null}]}", 0);
	const json_t *list = json_object_get(r, "fields"), *a = json_array_get(list, 0), *b = json_array_get(list, 1);
	assert_int_equal(json_array_size(list), 2);
	assert_string_equal(json_text(a, "key", ""), "field:region50:0");
	assert_string_equal(json_text(b, "kind", ""), "region");
	const char *cells = json_text(a, "region", ""), *more = json_text(b, "region", "");
	assert_ok(moc_read(cells, strlen(cells), &half, &e), &e);
	assert_ok(moc_read(more, strlen(more), &most, &e), &e);
	assert_true(half.order <= 5 && most.order <= 5 && moc_area_deg2(&half) < moc_area_deg2(&most));
	assert_true(json_number(a, "probability", 0) >= 0.5 && json_number(b, "probability", 0) >= 0.7 && json_number(b, "probability", 2) <= 1);
	assert_true(moc_contains_at(&half, json_number(a, "ra_deg", 0), json_number(a, "dec_deg", 0)));
	for (size_t i = 0; i < half.count; i++)
		assert_true(moc_contains(&most, half.range[i].first) && moc_contains(&most, half.range[i].end - 1));
	double dec = json_number(a, "dec_deg", 0);
	moc_free(&half);
	moc_free(&most);
	json_decref(r);
	/* seen from 70 degrees away: the densest place of the whole sky that rises well there, not the densest of all */
	char job[300];
	snprintf(job, sizeof job, "{\"kind\":\"rank\",\"sha256\":\"good\",\"top\":0,\"fields\":[{\"camera\":\"region99\",\"from\":\"region\",\"probability\":0.9999,\"latitude_deg\":%g}]}",
		 dec > 0 ? dec - 70 : dec + 70);
	r = run(&host, job, 0);
	double seen = json_number(json_array_get(json_object_get(r, "fields"), 0), "dec_deg", 99);
	assert_true(fabs(seen - (dec > 0 ? dec - 70 : dec + 70)) < 60 && fabs(seen - dec) > 5);
	json_decref(r);
}

int main(void)
{
	struct mapmake_sky sky;
	const struct CMUnitTest tests[] = {cmocka_unit_test(map_and_rank), cmocka_unit_test(region)};
	mapmake_sky_make(&sky, 3);
	mapmake_sky_file(&sky, "NUNIQ", 1, &map);
	mapmake_sky_free(&sky);
	int rc = cmocka_run_group_tests_name("compute", tests, NULL, NULL);
	mapmake_free(&map);
	return rc;
}

/* Frames of a camera over the revisions of an event: what a telescope has stays and is not asked again, what nobody has may fall out, a sky that
 * moved gets new frames however many were asked, and frames that were asked while a ranking was on its way are known to the next one. The
 * rankings are computed; the plans ask for every frame that the plan's job would see. */
#include "test.h"
#include "box.h"
#include "mapmake.h"
#include "tale.h"
#include "engine/base/json.h"
#include "engine/base/query.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include "engine/core/compute.h"
#include "engine/target/catalog_build.h"
#include <chealpix.h>
#include <math.h>

#define DEG (180.0 / M_PI)
#define ORDER 6 /* pixels of 0.9 deg: the galaxies are what counts */

static struct catalog galaxies;

/* Two groups of 40 galaxies 6 deg apart: six frames of 26.5 arcmin hold a good part of one. */
static int group_setup(void **state)
{
	char folder[] = "/tmp/slew-fields-XXXXXX", csv[64], fits[64];
	struct catalog_builder b;
	struct err e = {0};
	unsigned n = 7;
	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(csv, sizeof csv, "%s/in.csv", folder);
	snprintf(fits, sizeof fits, "%s/c.fits", folder);
	FILE *f = fopen(csv, "w");
	fputs("id,name,ra,dec,dist\n", f);
	for (int i = 0; i < 80; i++) {
		double x = (double)((n = n * 1103515245u + 12345u) >> 16 & 1023) / 1023, y = (double)((n = n * 1103515245u + 12345u) >> 16 & 1023) / 1023;
		fprintf(f, "%d,G%d,%.6f,%.6f,%d\n", i, i, (i < 40 ? 190 : 196) + 2 * x, -24 + 2 * y, 95 + i % 10);
	}
	fclose(f);
	catalog_builder_init(&b);
	assert_ok(catalog_build_add(&b, csv, &e), &e);
	assert_ok(catalog_build_write(&b, fits, NULL, &e), &e);
	catalog_builder_free(&b);
	assert_ok(catalog_open(fits, &galaxies, &e), &e);
	snprintf(galaxies.sha256, sizeof galaxies.sha256, "c0ffee"); /* as the box's configuration calls it */
	unlink(csv);
	unlink(fits);
	rmdir(folder);
	return 0;
}

static int group_teardown(void **state)
{
	(void)state;
	catalog_close(&galaxies);
	return 0;
}

/* A blob of the box: "SIMPLE  = at 191", which stands for a map about that right ascension. */
static int blob(void *ctx, const char *sha256, unsigned char **bytes, size_t *len, struct err *e)
{
	struct box *b = ctx;
	char text[64] = "";
	struct mapmake_sky sky;
	struct mapmake file;
	assert_int_equal(query_text(b->db, text, sizeof text, e, "SELECT CAST(body AS TEXT) FROM blob WHERE sha256=?", "t", sha256), 1);
	double ra = strtod(strstr(text, "at ") + 3, NULL) / DEG, dec = -23 / DEG, sum = 0;
	mapmake_sky_make(&sky, ORDER);
	for (int64_t i = 0; i < sky.pixels; i++) {
		double v[3];
		pix2vec_nest64(1 << ORDER, i, v);
		double cosine = v[0] * cos(dec) * cos(ra) + v[1] * cos(dec) * sin(ra) + v[2] * sin(dec), off = acos(fmin(1, cosine)) * DEG / 1.5;
		sky.prob[i] = exp(-off * off / 2);
		sky.mu[i] = 100;
		sky.sigma[i] = 20;
		sky.norm[i] = 1 / (100.0 * 100 + 20 * 20);
		sum += sky.prob[i];
	}
	for (int64_t i = 0; i < sky.pixels; i++) {
		sky.prob[i] /= sum;
		sky.density[i] = sky.prob[i] * (double)sky.pixels / (4 * M_PI);
	}
	mapmake_sky_file(&sky, "NESTED", 1, &file);
	mapmake_sky_free(&sky);
	*bytes = file.data; /* malloc'd, given */
	*len = file.len;
	return 0;
}

static void rank_computed(struct box *b)
{
	char sql[100];
	struct err e = {0};
	int64_t id = box_waits(b, "rank");
	struct compute_host host = {.ctx = b, .blob = blob, .read_map = skymap_read, .catalog = &galaxies};
	json_t *job, *result = NULL, *rows;
	assert_int_not_equal(id, 0);
	snprintf(sql, sizeof sql, "SELECT body FROM effect WHERE id=%lld", (long long)id);
	rows = query_rows(b->db, 1, &e, sql, "");
	job = json_loads(json_text(json_array_get(rows, 0), "body", ""), 0, NULL);
	assert_int_equal(compute_run(&host, job, &result, &e), 0);
	assert_null(json_object_get(result, "error"));
	char *text = json_canonical(result);
	box_result(b, id, "%s", text);
	free(text);
	json_decref(result);
	json_decref(job);
	json_decref(rows);
}

#define NEWEST "t.kind='field' AND t.generation=(SELECT max(generation) FROM target)"
#define LIVE "('asked','unsure','accepted','scheduled','running','done')"

/* A plan that asks for every frame of the newest ranking, once. */
static void planned(struct box *b)
{
	struct err e = {0};
	struct text t = {.max = 1u << 16};
	json_t *rows = query_rows(b->db, 100, &e, "SELECT t.key,EXISTS (SELECT 1 FROM request r WHERE r.target=t.id AND r.state IN " LIVE ") AS has FROM target t WHERE "
		NEWEST " ORDER BY t.rank LIMIT 6", ""), *row;
	size_t i;
	int n = 0;
	text_puts(&t, "{\"kind\":\"plan\",\"verdicts\":[");
	json_array_foreach(rows, i, row)
		if (json_int(row, "has", 0))
			text_printf(&t, "%s{\"target\":\"%s\",\"code\":\"exists\"}", n++ ? "," : "", json_text(row, "key", ""));
	text_puts(&t, "],\"requests\":[");
	n = 0;
	json_array_foreach(rows, i, row)
		if (!json_int(row, "has", 0))
			text_printf(&t, "%s{\"target\":\"%s\",\"epoch\":1,\"facility\":\"lco\",\"programme\":\"too\",\"mode\":\"TIME_CRITICAL\",\"instrument\":"
				"\"1M0-SCICAM-SINISTRO\",\"filters\":[\"gp\"],\"exposure_s\":120,\"count\":1,\"ipp\":1.0,\"max_airmass\":2.0,\"min_moon_deg\":20,\"site\":\"coj\","
				"\"start_us\":%lld,\"end_us\":%lld,\"slot_us\":%lld,\"duration_s\":300,\"value\":%d,\"reserve\":false,\"rung\":0}", n ? "," : "",
				json_text(row, "key", ""), (long long)b->utc_us, (long long)(b->utc_us + 6 * UTC_HOUR), (long long)b->utc_us, 100 - n), n++;
	text_puts(&t, "]}");
	assert_int_not_equal(box_waits(b, "plan"), 0);
	while (box_waits(b, "plan") != 0)
		box_result(b, box_waits(b, "plan"), "%s", t.data);
	text_free(&t);
	json_decref(rows);
}

static void begin(struct box *b, const char *replan)
{
	char policy[300];
	snprintf(policy, sizeof policy, "{\"targets\":{\"from\":\"galaxies\",\"footprint\":\"sinistro\",\"weight\":\"none\",\"top\":6},\"replan\":\"%s\"}", replan);
	box_open(b);
	box_config(b, policy);
	box_later(b, 1);
	box_routine(b);
	box_alert(b, "S230518h", "PRELIMINARY", 0, 0.9, "SIMPLE  = at 191");
	tale_map(b, 30);
	rank_computed(b);
	assert_int_equal(box_int(b, "SELECT count(*) FROM target t WHERE " NEWEST), 6);
	assert_true(box_int(b, "SELECT count(*) FROM field_galaxy") > 10);
	planned(b);
	assert_int_equal(box_int(b, "SELECT count(*) FROM request WHERE state='planned'"), 6);
}

/* n of the frames are asked and accepted. */
static void some_asked(struct box *b, int n)
{
	for (int i = 0; i < n; i++) {
		box_reply(b, box_waits(b, "offer"), 200, "{\"request_durations\":{\"requests\":[{\"duration\":300}],\"duration\":300},\"errors\":{}}");
		box_later(b, 6);
		box_routine(b);
		tale_accept(b, box_waits(b, "submit"));
	}
}

static void updated(struct box *b, int created_s, double ra_deg)
{
	char map[32];
	snprintf(map, sizeof map, "SIMPLE  = at %g", ra_deg);
	box_alert(b, "S230518h", "UPDATE", created_s, 0.9, map);
	planned(b); /* as before, while the map is read */
	tale_map(b, 30);
}

#define ACCEPTED "SELECT count(*) FROM request WHERE state='accepted'"
#define DOUBLED "SELECT count(*) FROM (SELECT 1 FROM request WHERE state IN ('planned','offered','held','asked','accepted') GROUP BY target,epoch HAVING count(*)>1)"
/* Frames of which every galaxy stands in a better one: of no use. */
#define ADDS_NOTHING "SELECT count(*) FROM target t WHERE " NEWEST " AND NOT EXISTS (SELECT 1 FROM field_galaxy m WHERE m.field=t.id AND m.generation=t.generation " \
	"AND NOT EXISTS (SELECT 1 FROM field_galaxy o JOIN target f ON f.id=o.field WHERE o.galaxy=m.galaxy AND o.generation=m.generation AND f.rank<t.rank))"

/* A map a tenth of a degree away: the same frames, the same requests, nothing twice. */
static void a_small_update_asks_nothing_twice(void **state)
{
	struct box b;
	(void)state;
	begin(&b, "keep");
	some_asked(&b, 3);
	assert_int_equal(box_int(&b, ACCEPTED), 3);
	updated(&b, 600, 191.05);
	rank_computed(&b);
	assert_int_equal(box_int(&b, "SELECT count(*) FROM target t WHERE " NEWEST " AND EXISTS (SELECT 1 FROM request r WHERE r.target=t.id AND r.state='accepted')"), 3);
	planned(&b);
	assert_int_equal(box_int(&b, ACCEPTED), 3);
	assert_int_equal(box_int(&b, DOUBLED), 0);
	assert_int_equal(box_int(&b, ADDS_NOTHING), 0);
	assert_int_equal(box_int(&b, "SELECT count(*) FROM request WHERE submits>1"), 0);
	box_close(&b);
}

/* The other group: what nobody has is withdrawn, and what a telescope has takes no new frame's place. */
static void a_moved_map_gets_its_frames(void **state)
{
	static const char elsewhere[] = "SELECT count(*) FROM request r JOIN target t ON t.id=r.target WHERE t.ra_deg>195 AND r.state='planned'";
	static const char cancels[] = "SELECT count(*) FROM request WHERE state='cancelling' AND unwanted_why LIKE '%new plan%'";
	(void)state;
	for (int cancel = 0; cancel < 2; cancel++) {
		struct box b;
		begin(&b, cancel ? "cancel" : "keep");
		some_asked(&b, 3);
		updated(&b, 600, 197);
		rank_computed(&b);
		planned(&b);
		assert_int_equal(box_int(&b, elsewhere), 6);
		assert_int_equal(box_int(&b, ACCEPTED), cancel ? 0 : 3);
		assert_int_equal(box_int(&b, cancels), cancel ? 3 : 0);
		assert_int_equal(box_int(&b, "SELECT count(*) FROM request WHERE state='cancelled' AND unwanted_why LIKE '%new plan%'"), 3);
		assert_int_equal(box_int(&b, "SELECT count(*) FROM verdict v JOIN request r ON r.target=v.target WHERE r.state='cancelled' AND v.code='withdrawn'"), 3);
		box_close(&b);
	}
}

/* A frame is asked while the update's ranking is computed: that ranking is of no use, and the next one knows the frame. */
static void asked_while_it_was_ranked(void **state)
{
	static const char known[] = "SELECT count(*) FROM effect f,json_each(f.body,'$.fields[0].old') o WHERE f.compute='rank' AND f.state='released' AND "
				    "json_extract(o.value,'$[2]')=1";
	struct box b;
	(void)state;
	begin(&b, "keep");
	updated(&b, 600, 192.5);
	assert_int_equal(box_int(&b, known), 0);
	some_asked(&b, 2);
	rank_computed(&b);
	assert_int_equal(box_waits(&b, "plan"), 0);
	assert_int_equal(box_int(&b, known), 2);
	assert_int_equal(box_int(&b, "SELECT max(generation) FROM target"), 1);
	rank_computed(&b);
	assert_int_equal(box_waits(&b, "rank"), 0);
	planned(&b);
	assert_int_equal(box_int(&b, ACCEPTED), 2);
	assert_int_equal(box_int(&b, DOUBLED), 0);
	assert_int_equal(box_int(&b, ADDS_NOTHING), 0);
	box_close(&b);
}

/* Frames are asked during each of three rankings: the third is applied all the same. */
static void not_for_ever(void **state)
{
	struct box b;
	(void)state;
	begin(&b, "keep");
	updated(&b, 600, 192.5);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(box_waits(&b, "plan"), 0);
		some_asked(&b, 1);
		rank_computed(&b);
	}
	assert_int_equal(box_waits(&b, "rank"), 0);
	assert_int_not_equal(box_waits(&b, "plan"), 0);
	box_close(&b);
}

/* A facility opens while the update's ranking is computed, or after that failed: a plan without any target would withdraw everything. */
static void no_plan_without_its_ranking(void **state)
{
	(void)state;
	for (int fails = 0; fails < 2; fails++) {
		struct box b;
		begin(&b, "keep");
		updated(&b, 600, 191.05);
		assert_int_not_equal(box_waits(&b, "rank"), 0);
		if (fails)
			box_result(&b, box_waits(&b, "rank"), "{\"error\":\"no memory\"}");
		box_order(&b, "{\"verb\":\"pin\",\"event\":\"S230518h\",\"target\":\"#1\"}"); /* wants a plan */
		assert_int_equal(box_waits(&b, "plan") != 0, fails);
		const struct effect *last = b.out.count > 0 ? &b.out.list[b.out.count - 1] : NULL;
		assert_non_null(last);
		if (fails)
			assert_int_equal(json_array_size(json_object_get(last->body, "targets")), 6);
		box_close(&b);
	}
}

/* A list of two and frames in one ranking: what only a frame holds has no rank, or a policy of the list would take it for one of its own. */
static void no_rank_beside_a_list(void **state)
{
	struct box b;
	struct err e = {0};
	(void)state;
	begin(&b, "keep");
	struct compute_host host = {.ctx = &b, .blob = blob, .read_map = skymap_read, .catalog = &galaxies};
	json_t *job = json_loads(box_text(&b, "SELECT body FROM effect WHERE compute='rank'"), 0, NULL), *result = NULL, *t;
	assert_int_equal(json_object_set_new(job, "top", json_integer(2)), 0);
	assert_int_equal(compute_run(&host, job, &result, &e), 0);
	json_t *targets = json_object_get(result, "targets");
	size_t i;
	assert_true(json_array_size(targets) > 10);
	json_array_foreach(targets, i, t)
		assert_int_equal(json_int(t, "rank", 0), i < 2 ? i + 1 : 0);
	json_decref(result);
	json_decref(job);
	box_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(a_small_update_asks_nothing_twice), cmocka_unit_test(a_moved_map_gets_its_frames),
		cmocka_unit_test(asked_while_it_was_ranked), cmocka_unit_test(not_for_ever),
		cmocka_unit_test(no_plan_without_its_ranking), cmocka_unit_test(no_rank_beside_a_list)};
	return cmocka_run_group_tests_name("core_fields", tests, group_setup, group_teardown);
}

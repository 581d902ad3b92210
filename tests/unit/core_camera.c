/* Configurations that change around a ranking: frames of a camera whose policy is gone when they come back, a catalogue or a camera that is there
 * only later, a catalogue with other names, galaxies of one policy's frames beside another policy's list, and cameras whose names begin alike. */
#include "test.h"
#include "box.h"
#include "tale.h"
#include "engine/base/json.h"
#include "engine/base/query.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include <stdlib.h>

/* The configuration in force again, with one change: SQL over `body`. */
static void config_with(struct box *b, const char *change)
{
	char sql[600];
	struct err e = {0};
	snprintf(sql, sizeof sql, "SELECT %s FROM config ORDER BY seq DESC LIMIT 1", change);
	sqlite3_stmt *q = query_prepare(b->db, sql, &e);
	assert_non_null(q);
	assert_int_equal(sqlite3_step(q), SQLITE_ROW);
	char *text = strdup((const char *)sqlite3_column_text(q, 0));
	sqlite3_finalize(q);
	struct input in = {.kind = INPUT_config, .utc_us = b->utc_us, .tick_us = b->tick_us, .body = text, .len = strlen(text), .timestamp_us = UTC_NONE};
	box_feed(b, &in);
	free(text);
	assert_int_equal(box_int(b, "SELECT count(*) FROM reject"), 0);
}

#define GALAXY(name, rank) "{\"key\":\"" name "|1\",\"rank\":" #rank ",\"id\":1,\"name\":\"" name "\",\"ra_deg\":197.4,\"dec_deg\":-23.4,\"distance_mpc\":40," \
	"\"distance_err_mpc\":3,\"dpdv_per_mpc3\":1e-3,\"share\":0.1,\"cumulative_share\":0.5,\"probability\":0.1}"
#define FRAME "{\"camera\":\"sinistro\",\"key\":\"field:sinistro:7\",\"name\":\"sinistro 1\",\"rank\":1,\"kind\":\"packed\",\"ra_deg\":197.4,\"dec_deg\":-23.4," \
	"\"distance_mpc\":40,\"probability\":0.3,\"share\":1,\"cumulative_share\":1,\"galaxies\":[\"IC 4197|1\"]}"
#define CAMERA "{\"targets\":{\"from\":\"galaxies\",\"footprint\":\"sinistro\",\"weight\":\"none\",\"top\":6}}"

static void believed(struct box *b)
{
	box_alert(b, "S230518h", "PRELIMINARY", 0, 0.9, "SIMPLE  = map one");
	tale_map(b, 30);
}

/* Frames come back and nobody wants them any more: each has its reason. */
static void frames_of_a_policy_that_is_gone(void **state)
{
	static const char *const changes[] = {"json_set(body,'$.policies',json('[]'))", "json_set(body,'$.policies[0].targets.footprint','mosaic')",
		"json_set(body,'$.policies[0].targets',json('{\"footprint\":\"decam\"}'))", "json_set(body,'$.policies[0].targets',json('{}'))"};
	(void)state;
	for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
		struct box b;
		box_open(&b);
		box_config(&b, CAMERA);
		box_later(&b, 1);
		box_routine(&b);
		believed(&b);
		int64_t rank = box_waits(&b, "rank");
		assert_true(rank != 0);
		config_with(&b, changes[i]);
		box_result(&b, rank, "{\"kind\":\"rank\",\"considered\":1,\"outside\":0.2,\"targets\":[" GALAXY("IC 4197", 1) "],\"fields\":[" FRAME "]}");
		assert_int_equal(box_int(&b, "SELECT count(*) FROM target t WHERE NOT EXISTS (SELECT 1 FROM verdict v WHERE v.target=t.id)"), 0);
		assert_int_equal(box_int(&b, "SELECT count(*) FROM check_target_without_verdict"), 0);
		box_close(&b);
	}
}

/* What is believed is ranked as soon as there is a catalogue, or the camera; and people are not told any longer that it is missing. */
static void ranked_once_it_can_be(void **state)
{
	static const char alarms[] = "SELECT count(*) FROM alarm WHERE (what='missing' OR what='camera') AND cleared_seq IS NULL";
	static const char *const without[] = {"json_set(body,'$.catalog',json('null'))", "json_set(body,'$.catalog',json('null'))",
		"json_set(body,'$.policies[0].targets.footprint','squint')"};
	static const char *const then[] = {"json_set(body,'$.catalog',json('{\"sha256\":\"c0ffee\",\"rows\":3}'))",
		"json_set(body,'$.catalog',json('{\"sha256\":\"c0ffee\",\"rows\":3}'))",
		"json_set(body,'$.facilities[0].descriptor.instruments[0].footprint.name','squint')"};
	(void)state;
	for (int i = 0; i < 3; i++) {
		struct box b;
		box_open(&b);
		box_config(&b, i == 0 ? NULL : CAMERA);
		config_with(&b, without[i]);
		box_later(&b, 1);
		box_routine(&b);
		believed(&b);
		assert_int_equal(box_waits(&b, "rank"), 0);
		assert_int_equal(box_int(&b, alarms), 1);
		config_with(&b, then[i]);
		assert_int_not_equal(box_waits(&b, "rank"), 0);
		assert_int_equal(box_int(&b, alarms), 0);
		config_with(&b, "body"); /* the same again: once is enough */
		assert_int_equal(box_int(&b, "SELECT generation_rank FROM event"), 1);
		box_close(&b);
	}
}

/* One policy's list, and frames of another that hold galaxies beyond it. */
static void galaxies_of_frames_are_in_no_list(void **state)
{
	struct box b;
	(void)state;
	box_open(&b);
	box_config(&b, NULL);
	config_with(&b, "json_insert(body,'$.policies[#]',json_set(json_extract(body,'$.policies[0]'),'$.name','wide','$.targets.footprint','sinistro'))");
	box_later(&b, 1);
	box_routine(&b);
	believed(&b);
	box_result(&b, box_waits(&b, "rank"), "{\"kind\":\"rank\",\"considered\":3,\"outside\":0.2,\"targets\":[" GALAXY("NGC 4993", 1) "," GALAXY("NGC 4970", 2) ","
		"%s],\"fields\":[" FRAME "]}", "{\"key\":\"IC 4197|1\",\"rank\":null,\"id\":1,\"name\":\"IC 4197\",\"ra_deg\":197.4,\"dec_deg\":-23.4,\"distance_mpc\":40,"
		"\"distance_err_mpc\":3,\"dpdv_per_mpc3\":1e-3,\"share\":0.1,\"cumulative_share\":0.5,\"probability\":0.1}");
	assert_string_equal(box_text(&b, "SELECT group_concat(json_extract(t.value,'$.key')) FROM effect f,json_each(f.body,'$.targets') t WHERE f.compute='plan' AND "
		"f.policy<>'wide' AND f.state='released'"), "NGC 4993|1,NGC 4970|1");
	assert_string_equal(box_text(&b, "SELECT group_concat(v.policy||' '||v.code,', ') FROM (SELECT * FROM verdict ORDER BY policy) v JOIN target t ON t.id=v.target "
		"WHERE t.name='IC 4197'"), "bns below_cut, wide in_field");
	box_close(&b);
}

#define FRAME_OF(camera, pixel) "{\"camera\":\"" camera "\",\"key\":\"field:" camera ":" pixel "\",\"name\":\"" camera " 1\",\"rank\":1,\"kind\":\"packed\",\"ra_deg\":197.4," \
	"\"dec_deg\":-23.4,\"distance_mpc\":40,\"probability\":0.3,\"share\":1,\"cumulative_share\":1,\"galaxies\":[]}"

/* A camera whose name begins with another one's: each policy has its own frames. */
static void cameras_of_one_beginning(void **state)
{
	static const char asked[] = "SELECT group_concat(f.policy||' '||json_extract(t.value,'$.key'),', ') FROM (SELECT * FROM effect WHERE compute='plan' AND "
				    "state='released' ORDER BY policy) f,json_each(f.body,'$.targets') t";
	struct box b;
	(void)state;
	box_open(&b);
	box_config(&b, NULL);
	config_with(&b, "json_set(body,'$.facilities[0].descriptor.instruments[0].footprint.name','lco','$.policies[0].targets.footprint','lco')");
	config_with(&b, "json_insert(body,'$.policies[#]',json_set(json_extract(body,'$.policies[0]'),'$.name','wide','$.targets.footprint','lco:1M0-SCICAM-SINISTRO'))");
	box_later(&b, 1);
	box_routine(&b);
	believed(&b);
	assert_int_equal(box_int(&b, "SELECT json_array_length(body,'$.fields') FROM effect WHERE compute='rank'"), 2);
	box_result(&b, box_waits(&b, "rank"), "{\"kind\":\"rank\",\"considered\":0,\"outside\":0.2,\"targets\":[],\"fields\":[" FRAME_OF("lco", "7") ","
		FRAME_OF("lco:1M0-SCICAM-SINISTRO", "7") "]}");
	assert_string_equal(box_text(&b, "SELECT group_concat(v.policy||' '||t.key,', ') FROM (SELECT * FROM verdict ORDER BY policy) v JOIN target t ON t.id=v.target"),
		"bns field:lco:7, wide field:lco:1M0-SCICAM-SINISTRO:7");
	while (box_waits(&b, "plan") != 0) {
		const char *want = box_text(&b, asked);
		assert_true(strcmp(want, "bns field:lco:7") == 0 || strcmp(want, "wide field:lco:1M0-SCICAM-SINISTRO:7") == 0);
		box_result(&b, box_waits(&b, "plan"), "{\"kind\":\"plan\",\"verdicts\":[],\"requests\":[]}");
	}
	box_close(&b);
}

/* Another catalogue calls the galaxy otherwise: what a telescope has of it is still that galaxy. */
static void another_name_is_no_other_galaxy(void **state)
{
	static const char exists[] = "SELECT group_concat(json_extract(x.value,'$.target')||' '||json_extract(x.value,'$.state'),', ') FROM effect f,"
				     "json_each(f.body,'$.existing') x WHERE f.compute='plan' AND f.state='released'";
	struct box b;
	(void)state;
	tale_begin(&b, NULL, 1, 1);
	tale_offers(&b, 300);
	tale_accept(&b, box_waits(&b, "submit"));
	assert_string_equal(box_text(&b, "SELECT key FROM target"), "G0|0");
	double ra = strtod(box_text(&b, "SELECT ra_deg FROM target"), NULL), dec = strtod(box_text(&b, "SELECT dec_deg FROM target"), NULL);
	config_with(&b, "json_set(body,'$.catalog.sha256','decaf')");
	box_result(&b, box_waits(&b, "rank"), "{\"kind\":\"rank\",\"considered\":2,\"outside\":0.2,\"targets\":["
		"{\"key\":\"NGC 1|5\",\"rank\":1,\"id\":5,\"name\":\"NGC 1\",\"ra_deg\":%.7f,\"dec_deg\":%.7f,\"distance_mpc\":40,\"share\":0.5,\"cumulative_share\":0.5,\"probability\":0.1},"
		"{\"key\":\"NGC 2|6\",\"rank\":2,\"id\":6,\"name\":\"NGC 2\",\"ra_deg\":%.7f,\"dec_deg\":%.7f,\"distance_mpc\":40,\"share\":0.5,\"cumulative_share\":1,\"probability\":0.1}]}",
		ra + 0.0005, dec - 0.0004, ra, dec + 0.01);
	assert_string_equal(box_text(&b, exists), "G0|0 accepted, NGC 1|5 accepted");
	box_result(&b, box_waits(&b, "plan"), "{\"kind\":\"plan\",\"verdicts\":[{\"target\":\"NGC 1|5\",\"code\":\"exists\"}],\"requests\":[]}");
	assert_string_equal(box_text(&b, "SELECT v.code||' '||v.detail FROM verdict v JOIN target t ON t.id=v.target WHERE t.key='NGC 1|5'"),
		"exists asked for by another name");
	box_close(&b);
}

/* More than is kept: said, until a ranking fits again. */
static void too_many_is_said(void **state)
{
	static const char alarms[] = "SELECT group_concat(what) FROM alarm WHERE subject='S230518h' AND cleared_seq IS NULL";
	struct text list = {.max = 1u << 20};
	text_puts(&list, "{\"kind\":\"rank\",\"considered\":1001,\"targets\":[");
	struct box b;
	(void)state;
	for (int i = 0; i < 1001; i++)
		text_printf(&list, "%s{\"key\":\"G|%d\",\"rank\":%d,\"name\":\"G\",\"ra_deg\":197,\"dec_deg\":-23}", i > 0 ? "," : "", i, i + 1);
	text_puts(&list, "]}");
	box_open(&b);
	box_config(&b, NULL);
	box_later(&b, 1);
	box_routine(&b);
	for (int over = 1; over >= 0; over--) {
		box_alert(&b, "S230518h", "PRELIMINARY", over ? 0 : 60, 0.9, over ? "SIMPLE  = map one" : "SIMPLE  = map two");
		tale_map(&b, 30);
		struct input in = {.kind = INPUT_result, .utc_us = b.utc_us, .tick_us = b.tick_us, .body = list.data, .len = list.len, .effect = box_waits(&b, "rank"),
			.timestamp_us = UTC_NONE};
		if (over)
			box_feed(&b, &in);
		else
			box_result(&b, in.effect, "{\"kind\":\"rank\",\"considered\":1,\"targets\":[" GALAXY("IC 4197", 1) "]}");
		assert_int_equal(box_int(&b, "SELECT count(*) FROM target t JOIN event e ON t.generation=e.generation_rank"), over ? 1000 : 1);
		assert_string_equal(box_text(&b, alarms), over ? "limit" : "");
	}
	text_free(&list);
	box_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(frames_of_a_policy_that_is_gone), cmocka_unit_test(ranked_once_it_can_be),
		cmocka_unit_test(galaxies_of_frames_are_in_no_list), cmocka_unit_test(cameras_of_one_beginning),
		cmocka_unit_test(another_name_is_no_other_galaxy), cmocka_unit_test(too_many_is_said)};
	return cmocka_run_group_tests_name("core_camera", tests, NULL, NULL);
}

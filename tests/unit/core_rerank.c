/* An update ranks anew in place: the same target is the same row with its new rank and probability, a galaxy that fell out keeps its row and its
 * reason, and the late answer to an older ranking changes nothing. */
#include "test.h"
#include "box.h"

#define MAP_FACTS "\"area50_deg2\":8.0,\"area90_deg2\":30.5,\"ra_deg\":197.4,\"dec_deg\":-23.4,\"gal_b_deg\":39.3,\"distmean_mpc\":40.0,\"diststd_mpc\":8.0," \
		  "\"distmod_mag\":33.0,\"ordering\":\"NUNIQ\",\"max_order\":9,\"pixels\":1000,\"is_3d\":true"
#define GALAXY(name, rank, probability) "{\"key\":\"" name "|1\",\"rank\":" #rank ",\"id\":1,\"name\":\"" name "\",\"ra_deg\":197.4,\"dec_deg\":-23.4," \
	"\"distance_mpc\":40,\"distance_err_mpc\":3,\"dpdv_per_mpc3\":1e-3,\"share\":0.1,\"cumulative_share\":0.5,\"probability\":" #probability "}"

static void map_read(struct box *b)
{
	box_result(b, box_waits(b, "map"), "{\"kind\":\"map\",\"sha256\":\"x\"," MAP_FACTS "}");
}

static void update_ranks_in_place(void **state)
{
	struct box b;
	(void)state;
	box_open(&b);
	box_config(&b, NULL);
	box_later(&b, 1);
	box_routine(&b);
	box_alert(&b, "S230518h", "PRELIMINARY", 0, 0.9, "SIMPLE  = map one");
	map_read(&b);
	box_result(&b, box_waits(&b, "rank"), "{\"kind\":\"rank\",\"considered\":3,\"outside\":0.2,\"targets\":[" GALAXY("NGC 4993", 1, 0.4) "," GALAXY("IC 4197", 2, 0.2)
		"," GALAXY("NGC 4970", 3, 0.1) "]}");
	assert_string_equal(box_text(&b, "SELECT group_concat(id||':'||name||':'||rank||':'||probability,' ') FROM target"),
		"1:NGC 4993:1:0.4 2:IC 4197:2:0.2 3:NGC 4970:3:0.1");
	assert_string_equal(box_text(&b, "SELECT outside FROM event"), "0.2");

	/* an update, and one more before its ranking is done: the first answer is of no interest any more */
	box_alert(&b, "S230518h", "UPDATE", 600, 0.9, "SIMPLE  = map two");
	map_read(&b);
	int64_t late = box_waits(&b, "rank");
	assert_true(late > 0);
	box_alert(&b, "S230518h", "UPDATE", 900, 0.9, "SIMPLE  = map three");
	map_read(&b);
	box_result(&b, late, "{\"kind\":\"rank\",\"considered\":1,\"outside\":0.9,\"targets\":[" GALAXY("NGC 4970", 1, 0.1) "]}");
	assert_string_equal(box_text(&b, "SELECT outside FROM event"), "0.2");
	assert_int_equal(box_int(&b, "SELECT rank FROM target WHERE name='NGC 4970'"), 3);
	box_result(&b, box_waits(&b, "rank"), "{\"kind\":\"rank\",\"considered\":3,\"outside\":null,\"targets\":[" GALAXY("IC 4197", 1, 0.5) ","
		GALAXY("NGC 4993", 2, 0.3) "," GALAXY("ESO 508", 3, 0.01) "]}");
	assert_string_equal(box_text(&b, "SELECT group_concat(id||':'||name||':'||rank||':'||probability,' ') FROM (SELECT * FROM target WHERE generation="
		"(SELECT generation_rank FROM event) ORDER BY rank)"), "2:IC 4197:1:0.5 1:NGC 4993:2:0.3 4:ESO 508:3:0.01");
	assert_int_equal(box_int(&b, "SELECT outside IS NULL FROM event"), 1);
	assert_string_equal(box_text(&b, "SELECT v.code||' '||v.detail FROM verdict v JOIN target t ON t.id=v.target WHERE t.name='NGC 4970'"),
		"below_cut dropped out of the ranking");
	box_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(update_ranks_in_place)};
	return cmocka_run_group_tests_name("core_rerank", tests, NULL, NULL);
}

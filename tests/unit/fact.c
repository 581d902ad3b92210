/* Facts: the list is the table's columns; each fact is what its name says. */
#include "test.h"
#include "engine/alert/fact.h"
#include "engine/base/embed.h"
#include "engine/base/query.h"
#include "engine/base/utc.h"
#include <math.h>

/* Columns of table fact after `alert` and `map_state`, in order, with the types, are the FACTS list. */
static void the_list_is_the_table(void **state)
{
	(void)state;
	struct err e = {0};
	sqlite3 *db = NULL;
	size_t len = 0;
	const char *sql = embed_find("schemas/store/0001_spine.sql", &len);
	assert_non_null(sql);
	assert_ok(query_open(":memory:", QUERY_WRITE, &db, &e), &e);
	assert_ok(query_script(db, sql, &e), &e);
	json_t *rows = query_rows(db, 100, &e, "SELECT name, type FROM pragma_table_info('fact') ORDER BY cid", "");
	assert_int_equal(json_array_size(rows), FACT_COUNT + 2);
	for (int i = 0; i < FACT_COUNT; i++) {
		const json_t *row = json_array_get(rows, (size_t)i + 2);
		assert_string_equal(json_string_value(json_object_get(row, "name")), fact_info[i].name);
		assert_string_equal(json_string_value(json_object_get(row, "type")), fact_info[i].type == FACT_TEXT ? "TEXT" : "REAL");
		assert_int_equal(fact_find(fact_info[i].name, strlen(fact_info[i].name)), i);
	}
	assert_int_equal(fact_find("p_bn", 4), -1);
	json_decref(rows);
	sqlite3_close(db);
}

static const char text[] = "{\"alert_type\":\"UPDATE\",\"time_created\":\"2026-06-05T12:01:07Z\",\"superevent_id\":\"MS1\",\"urls\":{},"
	"\"event\":{\"time\":\"2026-06-05T12:00:00Z\",\"far\":1e-8,\"significant\":false,\"instruments\":[\"H1\",\"L1\",\"V1\"],\"group\":\"CBC\","
	"\"search\":\"AllSky\",\"properties\":{\"HasNS\":1.0,\"HasRemnant\":0.2},\"classification\":{\"BNS\":0.7,\"Terrestrial\":0.25},\"skymap\":\"U0lNUExF\"},"
	"\"external_coinc\":{\"time_coincidence_far\":1e-7,\"time_sky_position_coincidence_far\":2e-9}}";

static void facts_are_what_they_say(void **state)
{
	(void)state;
	struct alert a;
	struct err e = {0};
	struct facts f;
	int64_t now = 0;
	assert_ok(alert_decode(text, sizeof text - 1, NULL, &a, &e), &e);
	assert_ok(utc_parse("2026-06-05T12:01:30Z", &now, &e), &e);
	facts_of_alert(&a, "igwn.gwalert", now, true, &f);
	assert_string_equal(f.text[FACT_source], "lvk");
	assert_string_equal(f.text[FACT_messenger], "GW");
	assert_string_equal(f.text[FACT_alert_type], "UPDATE");
	assert_string_equal(f.text[FACT_stream], "igwn.gwalert");
	static const struct {
		enum fact_id id;
		double want;
	} numbers[] = {{FACT_is_test, 1}, {FACT_significant, 0}, {FACT_age_s, 90}, {FACT_n_detectors, 3}, {FACT_far_hz, 1e-8}, {FACT_far_per_year, 0.315576},
		{FACT_p_bns, 0.7}, {FACT_p_terrestrial, 0.25}, {FACT_p_astro, 0.75}, {FACT_has_ns, 1}, {FACT_has_remnant, 0.2}, {FACT_has_map, 1},
		{FACT_n_messengers, 2}, {FACT_joint_far_per_year, 0.0631152}, {FACT_revised, 1}};
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		if (!(fabs(f.number[numbers[i].id] - numbers[i].want) <= 1e-12))
			fail_msg("%s is %g", fact_info[numbers[i].id].name, f.number[numbers[i].id]);
	static const enum fact_id unknown[] = {FACT_p_nsbh, FACT_p_massgap, FACT_has_ssm, FACT_area90_deg2, FACT_dist_mean_mpc, FACT_is_3d, FACT_gal_b_deg, FACT_t90_s,
		FACT_error_deg};
	for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
		assert_true(isnan(f.number[unknown[i]]));
	assert_true(f.map_pending);
	/* Sagittarius A*: b = -0.05 deg */
	json_t *map = json_pack("{s:f,s:f,s:f,s:f,s:n,s:b}", "area50_deg2", 10.0, "area90_deg2", 31.0, "ra_deg", 266.41684, "dec_deg", -29.00781, "distmean_mpc",
		"is_3d", 0);
	facts_of_map(map, &f);
	assert_false(f.map_pending);
	assert_true(f.number[FACT_area90_deg2] == 31 && f.number[FACT_is_3d] == 0 && isnan(f.number[FACT_dist_mean_mpc]));
	assert_true(fabs(f.number[FACT_gal_b_deg] + 0.0462) < 1e-3);
	json_decref(map);
	alert_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(the_list_is_the_table), cmocka_unit_test(facts_are_what_they_say)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

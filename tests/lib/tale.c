/* A night's beginning, told to a core in a box: see tale.h. */
#include "tale.h"
#include "test.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"

const char tale_states[] = "SELECT group_concat(state) FROM (SELECT state FROM request ORDER BY id)";

void tale_map(struct box *b, double area90_deg2)
{
	box_result(b, box_waits(b, "map"), "{\"kind\":\"map\",\"area50_deg2\":8.0,\"area90_deg2\":%g,\"ra_deg\":197.4,\"dec_deg\":-23.4,\"gal_b_deg\":39.3,"
		   "\"distmean_mpc\":40.0,\"diststd_mpc\":8.0,\"distmod_mag\":33.0,\"ordering\":\"NUNIQ\",\"max_order\":9,\"pixels\":10,\"is_3d\":true}", area90_deg2);
}

void tale_ranked(struct box *b, int targets)
{
	struct text t = {.max = 1u << 16};
	text_puts(&t, "{\"kind\":\"rank\",\"considered\":9,\"targets\":[");
	for (int i = 0; i < targets; i++)
		text_printf(&t, "%s{\"key\":\"G%d|%d\",\"rank\":%d,\"id\":%d,\"name\":\"G%d\",\"ra_deg\":%d,\"dec_deg\":-23,\"distance_mpc\":40,\"distance_err_mpc\":3,"
			    "\"dpdv_per_mpc3\":1e-3,\"share\":0.1,\"cumulative_share\":0.5}", i ? "," : "", i, i, i + 1, i, i, 190 + i);
	text_puts(&t, "]}");
	box_result(b, box_waits(b, "rank"), "%s", t.data);
	text_free(&t);
}

void tale_planned(struct box *b, int from, int targets, int facilities)
{
	struct text t = {.max = 1u << 16};
	text_puts(&t, "{\"kind\":\"plan\",\"verdicts\":[],\"requests\":[");
	for (int i = 0; i < targets * facilities; i++) {
		int target = from + i / facilities, second = i % facilities;
		text_printf(&t, "%s{\"target\":\"G%d|%d\",\"epoch\":1,\"facility\":\"%s\",\"programme\":\"%s\",\"mode\":\"TIME_CRITICAL\",\"instrument\":\"1M0-SCICAM-SINISTRO\","
			    "\"filters\":[\"gp\"],\"exposure_s\":120,\"count\":1,\"ipp\":1.0,\"max_airmass\":2.0,\"min_moon_deg\":20,\"site\":\"coj\",\"start_us\":%lld,"
			    "\"end_us\":%lld,\"slot_us\":%lld,\"duration_s\":300,\"value\":%d,\"reserve\":%s,\"rung\":0}", i ? "," : "", target, target,
			    second ? "second" : "lco", second ? "too2" : "too", (long long)b->utc_us, (long long)(b->utc_us + 6 * UTC_HOUR), (long long)b->utc_us,
			    1000 - 2 * target - second, second ? "true" : "false");
	}
	text_puts(&t, "]}");
	box_result(b, box_waits(b, "plan"), "%s", t.data);
	text_free(&t);
}

void tale_offers(struct box *b, int seconds)
{
	int64_t id;
	while ((id = box_waits(b, "offer")) != 0)
		box_reply(b, id, 200, "{\"request_durations\":{\"requests\":[{\"duration\":%d}],\"duration\":%d},\"errors\":{}}", seconds, seconds);
}

void tale_accept(struct box *b, int64_t submit)
{
	char sql[160];
	snprintf(sql, sizeof sql, "SELECT r.token FROM effect f JOIN request r ON r.id=f.request WHERE f.id=%lld", (long long)submit);
	box_reply(b, submit, 201, "{\"id\":%d,\"name\":\"%s\",\"state\":\"PENDING\",\"requests\":[{\"id\":%d,\"state\":\"PENDING\",\"duration\":356}]}",
		  (int)submit, box_text(b, sql), (int)submit + 1000);
}

void tale_begin(struct box *b, const char *policy, int targets, int facilities)
{
	box_open(b);
	b->two = facilities == 2;
	box_config(b, policy);
	box_later(b, 1);
	box_routine(b);
	box_alert(b, "S230518h", "PRELIMINARY", 0, 0.9, "SIMPLE  = map one");
	tale_map(b, 30);
	tale_ranked(b, targets);
	tale_planned(b, 0, targets, facilities);
}

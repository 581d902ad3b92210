/* A core in a box: see box.h. */
#include "box.h"
#include "embedded.h"
#include "test.h"
#include "engine/base/hash.h"
#include "engine/base/json.h"
#include "engine/base/query.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include "facilities/facility.h"

static const char policy_text[] =
	"{\"name\":\"bns\",\"when\":\"significant = 1 AND p_bns > 0.5 AND area90_deg2 < 150\",\"early_warning\":\"warm\",\"tests\":false,"
	"\"max_age_h\":24,\"map_wait_s\":60,\"targets\":{\"from\":\"galaxies\",\"weight\":\"none\",\"top\":60,\"probability\":0.9},"
	"\"observe\":[{\"epoch\":1,\"after_h\":0,\"filters\":[\"gp\"],\"exposure_s\":120,\"max_airmass\":2.0,\"min_moon_deg\":20}],"
	"\"ladder\":[{\"programme\":\"too\",\"facility\":\"lco\",\"mode\":\"TIME_CRITICAL\",\"count\":1,\"ipp\":1.0}],"
	"\"budget_h\":{\"event\":8,\"night\":8},\"approval\":{\"mode\":\"auto\",\"auto_budget_h\":3},\"offer_wait_s\":5,\"on_downgrade_min\":10}";

void box_open(struct box *b)
{
	struct err e = {0};
	memset(b, 0, sizeof *b);
	b->utc_us = BOX_START_US;
	b->tick_us = UTC_SECOND;
	assert_ok(query_open(":memory:", QUERY_WRITE, &b->db, &e), &e);
	b->core = core_open(b->db, &e);
	if (b->core == NULL)
		fail_msg("%s", e.text);
}

void box_close(struct box *b)
{
	core_close(b->core);
	effects_free(&b->out);
	json_decref(b->answer);
	sqlite3_close(b->db);
}

static void reopen(struct box *b)
{
	struct err e = {0};
	core_close(b->core);
	b->core = core_open(b->db, &e);
	if (b->core == NULL)
		fail_msg("%s", e.text);
}

void box_turn(struct box *b)
{
	struct err e = {0};
	assert_ok(core_release(b->core, b->utc_us, b->tick_us, &b->out, &e), &e);
	assert_ok(core_check(b->core, CHECK_TOUCHED, &e), &e);
	assert_ok(core_check(b->core, CHECK_ALL, &e), &e);
	assert_ok(query_script(b->db, "COMMIT", &e), &e);
	if (b->reopen)
		reopen(b);
}

void box_feed(struct box *b, const struct input *in)
{
	struct err e = {0};
	if (sqlite3_get_autocommit(b->db))
		assert_ok(query_script(b->db, "BEGIN IMMEDIATE", &e), &e);
	assert_ok(core_step(b->core, in, &e), &e);
	json_decref(b->answer);
	b->answer = json_incref((json_t *)core_answer(b->core));
	if (!b->hold_turn)
		box_turn(b);
}

void box_restart(struct box *b)
{
	struct err e = {0};
	reopen(b);
	assert_ok(query_script(b->db, "BEGIN IMMEDIATE", &e), &e);
	assert_ok(core_recover(b->core, &e), &e);
	bool reopen = b->reopen; /* the core itself remembers that it recovered, until the next input says so in the journal */
	b->reopen = false;
	box_turn(b);
	b->reopen = reopen;
}

static struct input input_of(struct box *b, enum input_kind kind, const char *body)
{
	struct input in = {.kind = kind, .utc_us = b->utc_us, .tick_us = b->tick_us, .body = body, .len = body ? strlen(body) : 0};
	in.reply.retry_after_s = -1;
	in.timestamp_us = UTC_NONE;
	return in;
}

static void feed_json(struct box *b, enum input_kind kind, json_t *body)
{
	char *text = json_canonical(body);
	struct input in = input_of(b, kind, text);
	in.uid = 1000;
	box_feed(b, &in);
	free(text);
	json_decref(body);
}

void box_config(struct box *b, const char *policy)
{
	json_t *descriptor = embedded_json("facilities/lco.json"), *rule = json_loads(policy_text, 0, NULL);
	json_t *over = policy ? json_loads(policy, 0, NULL) : json_object();
	assert_non_null(over);
	json_object_update(rule, over);
	json_decref(over);
	json_t *body = json_pack("{s:s,s:{s:[{s:s,s:s,s:s,s:{s:f,s:f,s:f},s:n}]},s:[o],s:[{s:s,s:s,s:b,s:o}],s:{s:s,s:i}}", "installation", "0badcafe",
				 "config", "programmes", "name", "too", "facility", "lco", "proposal", "TOO2023A", "hours", "NORMAL", 10.0,
				 "TIME_CRITICAL", 5.0, "RAPID_RESPONSE", 2.0, "triggers", "policies", rule, "facilities", "name", "lco", "use", "lco",
				 "accepts_tests", 0, "descriptor", descriptor, "catalog", "sha256", "c0ffee", "rows", 3);
	assert_non_null(body);
	if (b->two) {
		json_t *facilities = json_object_get(body, "facilities"), *f = json_deep_copy(json_array_get(facilities, 0));
		json_t *programmes = json_object_get(json_object_get(body, "config"), "programmes"), *p = json_deep_copy(json_array_get(programmes, 0));
		json_object_set_new(f, "name", json_string("second"));
		json_object_set_new(p, "name", json_string("too2"));
		json_object_set_new(p, "facility", json_string("second"));
		json_array_append_new(facilities, f);
		json_array_append_new(programmes, p);
	}
	feed_json(b, INPUT_config, body);
}

void box_bytes(struct box *b, const char *topic, const char *text)
{
	struct input in = input_of(b, INPUT_alert, text);
	in.source = "gcn";
	in.topic = topic;
	in.cluster = "k1";
	in.offset = box_int(b, "SELECT ifnull(max(next_offset),4711)+1 FROM source_position");
	box_feed(b, &in);
}

void box_alert(struct box *b, const char *event, const char *type, int created_s, double p_bns, const char *map)
{
	char created[32], time[32];
	char *map64 = map ? base64_encode(map, strlen(map)) : NULL;
	utc_format(created, BOX_START_US + created_s * UTC_SECOND);
	utc_format(time, BOX_START_US - 60 * UTC_SECOND);
	json_t *a = json_pack("{s:s,s:s,s:s,s:{s:s},s:n}", "alert_type", type, "time_created", created, "superevent_id", event, "urls", "gracedb",
			      "https://example.org/", "external_coinc");
	json_t *body = strcmp(type, "RETRACTION") == 0 ? json_null() :
		json_pack("{s:s,s:f,s:b,s:[s,s],s:s,s:s,s:s,s:{s:f},s:{s:f,s:f,s:f,s:f},s:s?}", "time", time, "far", 1e-12, "significant", 1,
			  "instruments", "H1", "L1", "group", "CBC", "pipeline", "gstlal", "search", "AllSky", "properties", "HasNS", 1.0,
			  "classification", "BNS", p_bns, "NSBH", 0.0, "BBH", 0.9 - p_bns < 0 ? 0.0 : 0.9 - p_bns, "Terrestrial", 0.05, "skymap", map64);
	assert_non_null(body);
	json_object_set_new(a, "event", body);
	char *text = json_canonical(a);
	box_bytes(b, "igwn.gwalert", text);
	free(text);
	free(map64);
	json_decref(a);
}

void box_reply(struct box *b, int64_t effect, int status, const char *format, ...)
{
	struct text t = {.max = 1 << 20};
	char buffer[16384];
	va_list ap;
	va_start(ap, format);
	vsnprintf(buffer, sizeof buffer, format, ap);
	va_end(ap);
	text_puts(&t, buffer);
	struct input in = input_of(b, INPUT_reply, t.data ? t.data : "");
	in.effect = effect;
	in.reply.sent = SENT_ANSWERED;
	in.reply.status = status;
	in.reply.content_type = "application/json";
	box_feed(b, &in);
	text_free(&t);
}

void box_lost(struct box *b, int64_t effect, int sent)
{
	struct input in = input_of(b, INPUT_reply, "");
	in.effect = effect;
	in.reply.sent = sent;
	in.reply.transport = "timed out";
	box_feed(b, &in);
}

void box_result(struct box *b, int64_t effect, const char *format, ...)
{
	char buffer[32768];
	va_list ap;
	va_start(ap, format);
	vsnprintf(buffer, sizeof buffer, format, ap);
	va_end(ap);
	struct input in = input_of(b, INPUT_result, buffer);
	in.effect = effect;
	box_feed(b, &in);
}

void box_order(struct box *b, const char *format, ...)
{
	char buffer[4096];
	va_list ap;
	va_start(ap, format);
	vsnprintf(buffer, sizeof buffer, format, ap);
	va_end(ap);
	struct input in = input_of(b, INPUT_order, buffer);
	in.uid = 1000;
	box_feed(b, &in);
}

void box_later(struct box *b, double seconds)
{
	b->utc_us += (int64_t)(seconds * 1e6);
	b->tick_us += (int64_t)(seconds * 1e6);
	struct input in = input_of(b, INPUT_timer, NULL);
	box_feed(b, &in);
}

int64_t box_waits(struct box *b, const char *verb)
{
	struct err e = {0};
	int64_t id = 0;
	query_int(b->db, &id, &e, "SELECT min(id) FROM effect WHERE state='released' AND ifnull(verb,ifnull(compute,kind))=?", "t", verb);
	return id;
}

int64_t box_int(struct box *b, const char *sql)
{
	struct err e = {0};
	int64_t v = -1;
	if (query_int(b->db, &v, &e, sql, "") < 0)
		fail_msg("%s", e.text);
	return v;
}

const char *box_text(struct box *b, const char *sql)
{
	static char text[4096];
	struct err e = {0};
	text[0] = 0;
	if (query_text(b->db, text, sizeof text, &e, sql, "") < 0)
		fail_msg("%s", e.text);
	return text;
}

void box_routine(struct box *b)
{
	int64_t id;
	while ((id = box_waits(b, "message")) != 0)
		box_result(b, id, "{\"ok\":true}");
	while ((id = box_waits(b, "status")) != 0) {
		int64_t step = box_int(b, "SELECT step FROM effect WHERE state='released' AND verb='status' ORDER BY id LIMIT 1");
		if (step == 0)
			box_reply(b, id, 200, "{\"username\":\"slew\",\"proposals\":[{\"id\":\"TOO2023A\",\"time_allocations\":[]}]}");
		else if (step == 1)
			box_reply(b, id, 200, "{\"1M0-SCICAM-SINISTRO\":{\"type\":\"IMAGE\",\"optical_elements\":{\"filters\":[{\"code\":\"gp\",\"schedulable\":true}]}}}");
		else
			box_reply(b, id, 200, "{\"coj.doma.1m0a\":[{\"event_type\":\"AVAILABLE\",\"event_reason\":\"Available\",\"start\":\"2023-05-18T00:00:00Z\","
				  "\"end\":\"2023-05-19T23:00:00Z\"}]}");
	}
	while ((id = box_waits(b, "poll")) != 0)
		box_reply(b, id, 200, "{\"count\":0,\"next\":null,\"previous\":null,\"results\":[]}");
}

void box_digest(struct box *b, char out[65])
{
	struct err e = {0};
	struct text all = {.max = 256u << 20};
	json_t *tables = query_rows(b->db, 1000, &e, "SELECT name FROM sqlite_schema WHERE type='table' ORDER BY name", ""), *t;
	size_t i;
	json_array_foreach(tables, i, t) {
		char sql[128];
		snprintf(sql, sizeof sql, "SELECT * FROM \"%s\" ORDER BY 1,2", json_text(t, "name", ""));
		json_t *rows = query_rows(b->db, 100000, &e, sql, "");
		char *text = json_canonical(rows);
		text_puts(&all, json_text(t, "name", ""));
		text_puts(&all, text ? text : "?");
		free(text);
		json_decref(rows);
	}
	json_decref(tables);
	assert_false(all.failed);
	hash_sha256_hex(all.data, all.len, out);
	if (getenv("BOX_DUMP"))
		printf("%s\n", all.data);
	text_free(&all);
}

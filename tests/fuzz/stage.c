/* The canonical night of the fuzzer and its stops: see stage.h. Shaped like the walk of tests/unit/core_walk.c. */
#include "tests/lib/test.h"
#include "stage.h"
#include "engine/core/turn.h"
#include "engine/base/json.h"
#include "engine/base/query.h"
#include "engine/base/utc.h"
#include "sim/replay.h"

static struct stage stages[STAGES];
static bool made;

/* ---- the night ---- */
#define MAP_FACTS "\"area50_deg2\":8.0,\"area90_deg2\":30.5,\"ra_deg\":197.4,\"dec_deg\":-23.4,\"gal_b_deg\":39.3,\"distmean_mpc\":40.0,\"diststd_mpc\":8.0," \
		  "\"distmod_mag\":33.0,\"ordering\":\"NUNIQ\",\"max_order\":9,\"pixels\":1000,\"is_3d\":true"
static const char galaxies[] = "{\"kind\":\"rank\",\"considered\":3,\"targets\":["
	"{\"key\":\"NGC4993|45657\",\"rank\":1,\"id\":45657,\"name\":\"NGC 4993\",\"ra_deg\":197.45,\"dec_deg\":-23.38,\"distance_mpc\":40,"
	"\"distance_err_mpc\":3,\"dpdv_per_mpc3\":1e-3,\"share\":0.5,\"cumulative_share\":0.5},"
	"{\"key\":\"NGC4970|45466\",\"rank\":2,\"id\":45466,\"name\":\"NGC 4970\",\"ra_deg\":196.9,\"dec_deg\":-24.0,\"distance_mpc\":44,"
	"\"distance_err_mpc\":3,\"dpdv_per_mpc3\":5e-4,\"share\":0.3,\"cumulative_share\":0.8},"
	"{\"key\":\"IC4197|45642\",\"rank\":3,\"id\":45642,\"name\":\"IC 4197\",\"ra_deg\":197.0,\"dec_deg\":-23.8,\"distance_mpc\":42,"
	"\"distance_err_mpc\":3,\"dpdv_per_mpc3\":1e-4,\"share\":0.1,\"cumulative_share\":0.9}]}";
static const char validate_ok[] = "{\"request_durations\":{\"requests\":[{\"duration\":356}],\"duration\":356},\"errors\":{}}";
#define EMPTY_PAGE "{\"count\":0,\"next\":null,\"previous\":null,\"results\":[]}"

static void plan(struct box *b)
{
	static const char *const targets[] = {"NGC4993|45657", "NGC4970|45466"};
	char text[4096] = "{\"kind\":\"plan\",\"requests\":[";
	for (int i = 0; i < 2; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text),
			"%s{\"target\":\"%s\",\"epoch\":1,\"facility\":\"lco\",\"programme\":\"too\",\"mode\":\"TIME_CRITICAL\",\"instrument\":\"1M0-SCICAM-SINISTRO\","
			"\"filters\":[\"gp\"],\"exposure_s\":120,\"count\":1,\"ipp\":1.0,\"max_airmass\":1.7,\"min_moon_deg\":20,\"site\":\"coj\","
			"\"start_us\":%lld,\"end_us\":%lld,\"slot_us\":%lld,\"best_us\":%lld,\"duration_s\":300,\"value\":%g,\"reserve\":false,\"rung\":0,"
			"\"earliest_us\":%lld,\"latest_us\":%lld,\"max_window_h\":24,\"per_exposure_s\":28}",
			i ? "," : "", targets[i], (long long)b->utc_us, (long long)(b->utc_us + 6 * UTC_HOUR), (long long)(b->utc_us + UTC_HOUR),
			(long long)(b->utc_us + UTC_HOUR), 1.0 - 0.1 * i, (long long)b->utc_us, (long long)(b->utc_us + 6 * UTC_HOUR));
	snprintf(text + strlen(text), sizeof text - strlen(text),
		"],\"verdicts\":[{\"target\":\"IC4197|45642\",\"code\":\"below_cut\",\"facility\":null,\"detail\":\"third of two\"}]}");
	box_result(b, box_waits(b, "plan"), "%s", text);
}

static void group(struct box *b, int64_t effect, int id, const char *state)
{
	box_reply(b, effect, 200, "{\"id\":%d,\"state\":\"%s\",\"requests\":[{\"id\":%d,\"state\":\"%s\",\"duration\":356}]}", id, state, id + 1000, state);
}

static void accept(struct box *b, int request, int id)
{
	char sql[160];
	snprintf(sql, sizeof sql, "SELECT id FROM effect WHERE verb='submit' AND state='released' AND request=%d", request);
	int64_t effect = box_int(b, sql);
	snprintf(sql, sizeof sql, "SELECT token FROM request WHERE id=%d", request);
	box_reply(b, effect, 201, "{\"id\":%d,\"name\":\"%s\",\"state\":\"PENDING\",\"requests\":[{\"id\":%d,\"state\":\"PENDING\",\"duration\":356}]}", id,
		box_text(b, sql), id + 1000);
}

/* Takes the night from one stop to the next. */
static void go_on(struct box *b, int to)
{
	char token[64];
	switch (to) {
	case STAGE_EMPTY:
		box_restart(b); /* a journal begins with a start */
		break;
	case STAGE_CONFIGURED:
		box_config(b, NULL);
		box_reply(b, box_waits(b, "find"), 200, EMPTY_PAGE); /* the sweep that every start makes */
		box_reply(b, box_waits(b, "find"), 200, "{\"username\":\"slew\",\"proposals\":[{\"id\":\"TOO2023A\"}]}");
		box_later(b, 1);
		box_routine(b);
		break;
	case STAGE_HEARD:
		box_alert(b, "S230518h", "EARLYWARNING", 0, 0.9, "SIMPLE  = map one");
		break;
	case STAGE_RANKED:
		box_result(b, box_waits(b, "map"), "{\"kind\":\"map\",\"sha256\":\"x\"," MAP_FACTS "}");
		box_alert(b, "S230518h", "PRELIMINARY", 20, 0.9, "SIMPLE  = map one");
		box_result(b, box_waits(b, "rank"), "%s", galaxies);
		break;
	case STAGE_OFFERED:
		plan(b);
		break;
	case STAGE_ASKED:
		box_reply(b, box_waits(b, "offer"), 200, "%s", validate_ok);
		box_reply(b, box_waits(b, "offer"), 200, "%s", validate_ok);
		break;
	case STAGE_UNSURE:
		box_lost(b, box_int(b, "SELECT id FROM effect WHERE verb='submit' AND request=2"), SENT_MAYBE);
		box_later(b, 5);
		break;
	case STAGE_ACCEPTED:
		accept(b, 1, 8811);
		snprintf(token, sizeof token, "%s", box_text(b, "SELECT token FROM request WHERE id=2"));
		box_reply(b, box_waits(b, "find"), 200, "{\"count\":1,\"next\":null,\"previous\":null,\"results\":[{\"id\":8812,\"name\":\"%s\",\"state\":\"PENDING\","
			"\"requests\":[{\"id\":9812,\"state\":\"PENDING\"}]}]}", token);
		break;
	case STAGE_SCHEDULED:
		box_routine(b);
		box_later(b, 45);
		snprintf(token, sizeof token, "%s", box_text(b, "SELECT token FROM request WHERE id=2"));
		box_reply(b, box_waits(b, "poll"), 200, EMPTY_PAGE);
		box_reply(b, box_waits(b, "poll"), 200, EMPTY_PAGE);
		box_reply(b, box_waits(b, "poll"), 200, "{\"count\":1,\"next\":null,\"previous\":null,\"results\":[{\"id\":77,\"request_group_id\":8812,\"name\":\"%s\","
			"\"site\":\"coj\",\"enclosure\":\"doma\",\"telescope\":\"1m0a\",\"state\":\"PENDING\",\"start\":\"2023-05-18T18:20:00Z\",\"end\":"
			"\"2023-05-18T18:26:00Z\",\"modified\":\"2023-05-18T18:10:00Z\",\"request\":{\"id\":9812,\"state\":\"PENDING\"}}]}", token);
		box_order(b, "{\"verb\":\"veto\",\"event\":\"S230518h\",\"what\":\"NGC 4993\",\"why\":\"clouds\"}");
		break;
	case STAGE_RETRACTED:
		box_alert(b, "S230518h", "RETRACTION", 3900, 0, NULL);
		group(b, box_waits(b, "cancel"), 8811, "CANCELED");
		break;
	default: break;
	}
}

/* ---- the stops ---- */
static void checks_prepare(struct stage *s)
{
	struct err e = {0};
	json_t *views = query_rows(s->db, STAGE_CHECKS, &e, "SELECT name FROM sqlite_schema WHERE type='view' AND name LIKE 'check\\_%' ESCAPE '\\' ORDER BY name", "");
	const json_t *view;
	size_t i;
	json_array_foreach(views, i, view) {
		char sql[128];
		snprintf(sql, sizeof sql, "SELECT * FROM \"%.60s\" LIMIT 1", json_text(view, "name", ""));
		s->check[s->checks] = query_prepare(s->db, sql, &e);
		must(s->check[s->checks] != NULL);
		s->checks++;
	}
	must(s->checks > 10);
	json_decref(views);
	/* promises 3 and 7, asked of the rows in other words than the core's */
	s->forbidden = query_prepare(s->db, "SELECT g.kind FROM effect f JOIN request r ON r.id=f.request JOIN gate g ON g.lifted_seq IS NULL AND "
		"(g.kind='veto' OR (g.kind='retracted' AND r.purpose IN ('search','reference','vet')) OR (g.kind='hold' AND f.verb='submit')) AND (g.event IS NULL OR "
		"g.event=r.event) AND (g.facility IS NULL OR g.facility=r.facility) AND (g.target IS NULL OR g.target=r.target) WHERE f.id=?1 AND f.verb IN ('offer','submit') "
		"UNION ALL SELECT 'test '||e.is_test FROM effect f JOIN request r ON r.id=f.request JOIN event e ON e.id=r.event WHERE f.id=?1 AND f.verb='submit' AND "
		"e.is_test<>'[]' AND ?2=0", &e);
	must(s->forbidden != NULL);
}

static void stop_here(struct stage *s, const struct box *b)
{
	struct err e = {0};
	must(query_open(":memory:", QUERY_WRITE, &s->db, &e) == 0);
	sqlite3_backup *copy = sqlite3_backup_init(s->db, "main", b->db, "main");
	must(copy != NULL && sqlite3_backup_step(copy, -1) == SQLITE_DONE && sqlite3_backup_finish(copy) == SQLITE_OK);
	s->core = core_open(s->db, &e);
	must(s->core != NULL);
	s->before = malloc(sizeof *s->before);
	must(s->before != NULL);
	*s->before = *s->core;
	s->last_seq = s->core->seq;
	s->start_utc_us = b->utc_us;
	s->start_tick_us = b->tick_us;
	checks_prepare(s);
}

/* The question about forbidden calls can be answered with yes: of a submission that left before its event was retracted. */
static void forbidden_prove(struct stage *s)
{
	struct err e = {0};
	int64_t submit = 0;
	must(query_int(s->db, &submit, &e, "SELECT min(id) FROM effect WHERE verb='submit'", "") == 1);
	must(query_bind(s->forbidden, &e, "ii", submit, (int64_t)0) == 0 && query_step(s->forbidden, &e) == 1);
	sqlite3_reset(s->forbidden);
}

struct stage *stage_at(int which)
{
	if (!made) {
		struct box b;
		box_open(&b);
		for (int i = 0; i < STAGES; i++) {
			go_on(&b, i);
			stop_here(&stages[i], &b);
		}
		must(box_int(&b, "SELECT count(*) FROM reject") == 0);
		box_close(&b);
		forbidden_prove(&stages[STAGE_RETRACTED]);
		made = true;
	}
	return &stages[which];
}

sqlite3 *stage_journal(void)
{
	return stage_at(STAGES - 1)->db;
}

static void script(struct stage *s, const char *sql)
{
	struct err e = {0};
	must(query_script(s->db, sql, &e) == 0);
}

void stage_begin(struct stage *s)
{
	s->utc_us = s->start_utc_us;
	s->tick_us = s->start_tick_us;
	s->turn = s->configured = false;
	script(s, "BEGIN IMMEDIATE");
}

static void sick(const char *what, const struct err *e)
{
	fprintf(stderr, "%s: %s\n", what, e->text);
	must(e->kind == ERR_NONE); /* the core takes whatever comes */
}

void stage_feed(struct stage *s, const struct input *in)
{
	struct err e = {0};
	s->turn = true;
	s->fed_utc_us = in->utc_us;
	s->fed_tick_us = in->tick_us;
	s->configured |= in->kind == INPUT_config;
	if (core_step(s->core, in, &e) != 0)
		sick("step", &e);
}

void stage_turn(struct stage *s)
{
	struct err e = {0};
	struct effects out = {0};
	if (core_release(s->core, s->fed_utc_us, s->fed_tick_us, &out, &e) != 0)
		sick("release", &e);
	for (size_t i = 0; i < out.count; i++) {
		must(out.list[i].id > 0 && out.list[i].body != NULL);
		/* a policy of a new configuration may allow tests */
		must(query_bind(s->forbidden, &e, "ii", out.list[i].id, (int64_t)s->configured) == 0 && query_step(s->forbidden, &e) == 0);
	}
	effects_free(&out);
	if (core_check(s->core, CHECK_TOUCHED, &e) != 0)
		sick("check of what was touched", &e);
	s->turn = false;
}

static void check_all(struct stage *s)
{
	for (int i = 0; i < s->checks; i++) {
		struct err e = {0};
		int rc = query_step(s->check[i], &e);
		if (rc != 0) {
			json_t *row = rc == 1 ? query_row(s->check[i]) : NULL;
			char *text = row ? json_dumps(row, 0) : NULL;
			fprintf(stderr, "%s\n%s\n", sqlite3_sql(s->check[i]), text ? text : e.text);
			must(rc == 0);
		}
		sqlite3_reset(s->check[i]);
	}
}

void stage_end(struct stage *s)
{
	struct core *c = s->core;
	int64_t utc_us, tick_us;
	struct err e = {0};
	if (s->turn)
		stage_turn(s);
	check_all(s);
	if (core_due(c, &utc_us, &tick_us, &e) != 0)
		sick("due", &e);
	json_decref(core_alarms(c));
	script(s, "ROLLBACK");
	json_decref(c->answer);
	c->answer = NULL;
	/* what is kept beside the rows, as core_open would find it */
	c->seq = s->before->seq;
	c->utc_us = s->before->utc_us;
	c->tick_us = s->before->tick_us;
	c->turn_from = s->before->turn_from;
	c->next_from = s->before->next_from;
	c->quiet = s->before->quiet;
	memcpy(c->installation, s->before->installation, sizeof c->installation);
	memcpy(c->prefix, s->before->prefix, sizeof c->prefix);
	if (s->configured) {
		rules_free(c);
		must(rules_load(c) == 0);
	}
}

void stage_replay(struct stage *s)
{
	struct replay_report report;
	struct err e = {0};
	sqlite3 *fresh = NULL;
	must(!s->turn && query_open(":memory:", QUERY_WRITE, &fresh, &e) == 0);
	int rc = sim_replay(s->db, fresh, NULL, &report, &e);
	if (rc != 0 || report.difference[0] != '\0')
		fprintf(stderr, "replay: %s\n", rc != 0 ? e.text : report.difference);
	must(rc == 0 && report.difference[0] == '\0');
	sqlite3_close(fresh);
}

int64_t stage_waits(struct stage *s, const char *what)
{
	struct err e = {0};
	int64_t id = 0;
	query_int(s->db, &id, &e, "SELECT min(id) FROM effect WHERE state='released' AND ifnull(verb,ifnull(compute,kind))=?", "t", what);
	return id;
}

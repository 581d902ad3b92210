/* Random nights against two simulated portals: calls lost before and after they acted or still on their way, restarts, orders, reloads,
 * revisions, turns of several inputs, in any order. After every turn all invariants; at the end the portals' own count: no token twice, nothing of a
 * retracted event left alive; and the journal fed again gives the same rows. */
#include "test.h"
#include "box.h"
#include "embedded.h"
#include "engine/base/json.h"
#include "engine/base/query.h"
#include "engine/base/utc.h"
#include "engine/request/plan.h"
#include "facilities/facility.h"
#include "sim/portal.h"
#include "sim/replay.h"

#define NIGHTS 6
#define TURNS 300
#define LATE_MOST 64

static const char policy[] = "{\"approval\":{\"mode\":\"auto\"},\"targets\":{\"from\":\"galaxies\",\"top\":6},\"ladder\":["
			     "{\"programme\":\"too\",\"facility\":\"lco\",\"mode\":\"TIME_CRITICAL\",\"count\":1,\"ipp\":1.0},"
			     "{\"programme\":\"too2\",\"facility\":\"second\",\"mode\":\"NORMAL\",\"count\":1,\"ipp\":1.0}]}";

struct late { /* given up by us and still on its way to the portal */
	int64_t at_us, effect;
	json_t *call;
};
struct storm {
	struct box b;
	struct sim_portal *portals[2]; /* of lco, of second */
	struct late late[LATE_MOST];
	int late_count;
	uint64_t random;
	bool quiet;
	int revision;
};

static unsigned chance(struct storm *s, unsigned below)
{
	s->random ^= s->random << 13;
	s->random ^= s->random >> 7;
	s->random ^= s->random << 17;
	return (unsigned)(s->random >> 33) % below;
}

static struct sim_portal *portal_new(uint64_t seed)
{
	json_t *setup = json_pack("{s:{s:s},s:[{s:s,s:{s:i,s:i,s:i},s:i}],s:o}", "tokens", "t", "u", "proposals", "id", "TOO2023A", "hours", "NORMAL", 10,
				  "TIME_CRITICAL", 5, "RAPID_RESPONSE", 2, "ipp_h", 5, "descriptor", embedded_json("facilities/lco.json"));
	struct sim_portal *p = sim_portal_new(setup, seed);
	assert_non_null(p);
	json_decref(setup);
	return p;
}

/* The call acts on the portal now; its reply goes in, or is lost. */
static void act(struct storm *s, int64_t effect, const json_t *call, bool tell)
{
	struct sim_reply r = {0};
	const char *query = json_text(call, "query", NULL), *body = json_text(call, "body", NULL);
	struct sim_call in = {
		.method = json_text(call, "method", "GET"), .path = json_text(call, "path", "/"), .query = query, .authorization = "Token t",
		.content_type = json_text(call, "content_type", ""), .body = body ? body : "", .len = body ? strlen(body) : 0,
	};
	char sql[100];
	snprintf(sql, sizeof sql, "SELECT facility='second' FROM effect WHERE id=%lld", (long long)effect);
	assert_int_equal(sim_portal_call(s->portals[box_int(&s->b, sql)], s->b.utc_us, &in, &r), 0);
	if (tell) {
		struct input reply = {.kind = INPUT_reply, .utc_us = s->b.utc_us, .tick_us = s->b.tick_us, .body = r.body, .len = r.len, .effect = effect, .timestamp_us = UTC_NONE};
		reply.reply.sent = SENT_ANSWERED;
		reply.reply.status = r.status;
		reply.reply.content_type = r.content_type;
		reply.reply.retry_after_s = r.retry_after_s;
		box_feed(&s->b, &reply);
	}
	sim_reply_free(&r);
}

/* What was still on its way gets there; nobody hears of it. Well before visible_delay_s, or no look could have seen it. */
static void arrive(struct storm *s)
{
	for (int i = 0; i < s->late_count;) {
		struct late l = s->late[i];
		if (l.at_us > s->b.utc_us) {
			i++;
			continue;
		}
		s->late[i] = s->late[--s->late_count];
		act(s, l.effect, l.call, false);
		json_decref(l.call);
	}
}

static void answer_call(struct storm *s, int64_t effect, const json_t *call)
{
	bool submit = strcmp(json_text(call, "method", ""), "POST") == 0 && strcmp(json_text(call, "path", ""), "/api/requestgroups/") == 0;
	unsigned luck = s->quiet ? 99 : chance(s, submit ? 40 : 100); /* submissions fare worse */
	if (luck < 4) {
		box_lost(&s->b, effect, SENT_NO);
	} else if (luck < 9) {
		box_lost(&s->b, effect, SENT_MAYBE);
	} else if (luck < 12 && s->late_count < LATE_MOST) {
		s->late[s->late_count++] = (struct late){s->b.utc_us + chance(s, 45) * UTC_SECOND, effect, json_deep_copy(call)};
		box_lost(&s->b, effect, SENT_MAYBE);
	} else if (luck < 16) {
		act(s, effect, call, false);
		box_lost(&s->b, effect, SENT_MAYBE);
	} else if (luck < 19) {
		act(s, effect, call, false);
		box_reply(&s->b, effect, 500, "<html>Server Error</html>");
	} else if (luck < 21) {
		box_reply(&s->b, effect, 503, "unavailable");
	} else {
		act(s, effect, call, true);
	}
}

static void answer_compute(struct storm *s, int64_t effect, const char *kind, const json_t *job)
{
	struct err e = {0};
	json_t *result = NULL;
	if (!s->quiet && chance(s, 30) == 0) {
		box_result(&s->b, effect, "{\"kind\":\"%s\",\"error\":\"the worker had a bad day\"}", kind);
	} else if (strcmp(kind, "map") == 0) {
		box_result(&s->b, effect, "{\"kind\":\"map\",\"area50_deg2\":8.0,\"area90_deg2\":%u,\"ra_deg\":197.4,\"dec_deg\":-23.4,\"gal_b_deg\":39.3,"
			   "\"distmean_mpc\":40.0,\"diststd_mpc\":8.0,\"distmod_mag\":33.0,\"ordering\":\"NUNIQ\",\"max_order\":9,\"pixels\":10,\"is_3d\":true}", 20 + chance(s, 100));
	} else if (strcmp(kind, "rank") == 0) {
		char text[8192] = "{\"kind\":\"rank\",\"considered\":9,\"targets\":[";
		for (unsigned i = chance(s, 3); i < 8; i++)
			snprintf(text + strlen(text), sizeof text - strlen(text),
				 "%s{\"key\":\"G%u|%u\",\"rank\":%u,\"id\":%u,\"name\":\"G%u\",\"ra_deg\":%u,\"dec_deg\":-23,\"distance_mpc\":40,\"distance_err_mpc\":3,"
				 "\"dpdv_per_mpc3\":1e-3,\"share\":0.1,\"cumulative_share\":0.5}", strchr(text, 'G') ? "," : "", i, i, i + 1, i, i, 194 + 2 * i);
		strcat(text, "]}");
		box_result(&s->b, effect, "%s", text);
	} else {
		assert_ok(plan_run(job, &result, &e), &e);
		char *text = json_canonical(result);
		box_result(&s->b, effect, "%s", text);
		free(text);
		json_decref(result);
	}
}

/* One of the released effects is answered; false: there is none. */
static bool answer_one(struct storm *s)
{
	struct err e = {0};
	arrive(s);
	json_t *rows = query_rows(s->b.db, 100, &e, "SELECT id,kind,compute,body FROM effect WHERE state='released' ORDER BY id", "");
	size_t n = json_array_size(rows);
	if (n > 0) {
		const json_t *row = json_array_get(rows, chance(s, (unsigned)n));
		json_t *body = json_loads(json_text(row, "body", "{}"), 0, NULL);
		const char *kind = json_text(row, "kind", "");
		if (strcmp(kind, "call") == 0)
			answer_call(s, json_int(row, "id", 0), body);
		else if (strcmp(kind, "message") == 0)
			box_result(&s->b, json_int(row, "id", 0), "{\"ok\":true}");
		else
			answer_compute(s, json_int(row, "id", 0), json_text(row, "compute", ""), body);
		json_decref(body);
	}
	json_decref(rows);
	return n > 0;
}

static void order_one(struct storm *s)
{
	static const char veto[] = "{\"verb\":\"veto\",\"event\":\"S230518h\",\"what\":\"second\"}";
	static const char release[] = "{\"verb\":\"release\",\"event\":\"S230518h\",\"what\":\"second\"}";
	switch (chance(s, 13)) {
	case 0: box_order(&s->b, "{\"verb\":\"veto\",\"event\":\"S230518h\",\"what\":\"G%u\"}", chance(s, 8)); break;
	case 1: box_order(&s->b, "{\"verb\":\"release\",\"event\":\"S230518h\",\"what\":\"G%u\"}", chance(s, 8)); break;
	case 2: box_order(&s->b, "{\"verb\":\"hold\",\"what\":\"lco\"}"); break;
	case 3: box_order(&s->b, "{\"verb\":\"resume\",\"what\":\"lco\"}"); break;
	case 4: box_order(&s->b, "{\"verb\":\"cancel\",\"request\":%u}", 1 + chance(s, 12)); break;
	case 5: box_order(&s->b, "{\"verb\":\"approve\",\"event\":\"S230518h\"}"); break;
	case 6: box_order(&s->b, "{\"verb\":\"pin\",\"event\":\"S230518h\",\"target\":\"G%u\"}", chance(s, 8)); break;
	case 7: box_order(&s->b, "%s", veto); break;
	case 8: box_order(&s->b, "%s", release); break;
	case 9: box_order(&s->b, "{\"verb\":\"boost\",\"request\":%u}", 1 + chance(s, 12)); break;
	case 10: box_order(&s->b, chance(s, 4) ? "{\"verb\":\"disk\",\"full\":false}" : "{\"verb\":\"disk\",\"full\":true}"); break;
	case 11: /* a reload without the second facility, or with it again */
		s->b.two = !s->b.two;
		box_config(&s->b, policy);
		break;
	default: box_order(&s->b, "{\"verb\":\"release\",\"event\":\"S230518h\"}"); break;
	}
}

/* The engine starts: what was released is doubted or repeated, in a transaction of its own. */
static void begin(struct storm *s)
{
	struct err e = {0};
	core_close(s->b.core);
	s->b.core = core_open(s->b.db, &e);
	assert_non_null(s->b.core);
	assert_ok(query_script(s->b.db, "BEGIN IMMEDIATE", &e), &e);
	assert_ok(core_recover(s->b.core, &e), &e);
	assert_ok(query_script(s->b.db, "COMMIT", &e), &e);
}

/* Killed: what was on its way may have acted, and nobody hears of it. */
static void restart(struct storm *s)
{
	struct err e = {0};
	json_t *rows = query_rows(s->b.db, 100, &e, "SELECT id,body FROM effect WHERE state='released' AND kind='call' ORDER BY id", ""), *row;
	size_t i;
	json_array_foreach(rows, i, row) {
		json_t *body = json_loads(json_text(row, "body", "{}"), 0, NULL);
		if (chance(s, 2))
			act(s, json_int(row, "id", 0), body, false);
		json_decref(body);
	}
	json_decref(rows);
	begin(s);
	box_later(&s->b, 1);
}

static void turn(struct storm *s)
{
	unsigned what = chance(s, 100);
	if (what < 72 && answer_one(s))
		return;
	if (what < 90)
		box_later(&s->b, 1 + chance(s, 150));
	else if (what < 93 && !s->b.hold_turn)
		restart(s);
	else if (what < 97)
		order_one(s);
	else
		box_alert(&s->b, "S230518h", "UPDATE", ++s->revision * 60, chance(s, 4) ? 0.9 : 0.1, chance(s, 2) ? "SIMPLE  = map one" : "SIMPLE  = map two");
}

/* Several inputs in one turn. */
static void long_turn(struct storm *s)
{
	s->b.hold_turn = true;
	for (unsigned n = 2 + chance(s, 4); n > 0; n--)
		turn(s);
	s->b.hold_turn = false;
	if (!sqlite3_get_autocommit(s->b.db))
		box_turn(&s->b);
}

static void settle(struct storm *s)
{
	s->quiet = true;
	s->b.two = true;
	box_config(&s->b, policy);
	for (int i = 0; i < 400; i++) {
		while (answer_one(s))
			continue;
		box_later(&s->b, i < 100 ? 30 : 400);
		if (i > 60 && box_int(&s->b, "SELECT count(*) FROM request WHERE state NOT IN ('done','declined','cancelled','expired','failed')") == 0)
			break;
	}
}

static void judge(struct storm *s, uint64_t seed, int which, int64_t *submitted)
{
	json_t *ledger = sim_portal_ledger(s->portals[which]), *row;
	const char *name;
	char sql[200];
	json_object_foreach(json_object_get(ledger, "names"), name, row) {
		*submitted += 1;
		if (json_int(row, "count", 0) != 1)
			fail_msg("seed %llu: %s was created %lld times", (unsigned long long)seed, name, (long long)json_int(row, "count", 0));
		snprintf(sql, sizeof sql, "SELECT state FROM request WHERE token='%s'", name);
		const char *state = json_string_value(json_array_get(json_object_get(row, "states"), 0));
		if (strcmp(state, "PENDING") == 0)
			fail_msg("seed %llu: %s is still alive at the portal, and here %s", (unsigned long long)seed, name, box_text(&s->b, sql));
	}
	if (box_int(&s->b, "SELECT count(*) FROM request WHERE state NOT IN ('done','declined','cancelled','expired','failed')") != 0)
		fail_msg("seed %llu: not at rest: %s", (unsigned long long)seed, box_text(&s->b, "SELECT id||' '||state||' '||unwanted||' '||ifnull(unwanted_why,'') FROM request "
				"WHERE state NOT IN ('done','declined','cancelled','expired','failed')"));
	json_decref(ledger);
}

/* The journal fed to an empty state gives the same rows; only orders were rejected. */
static void replay(struct storm *s, uint64_t seed)
{
	struct err e = {0};
	struct replay_report report;
	sqlite3 *fresh;
	assert_ok(query_open(":memory:", QUERY_WRITE, &fresh, &e), &e);
	assert_ok(sim_replay(s->b.db, fresh, NULL, &report, &e), &e);
	sqlite3_close(fresh);
	if (report.difference[0])
		fail_msg("seed %llu: replayed: %s", (unsigned long long)seed, report.difference);
	if (box_int(&s->b, "SELECT count(*) FROM reject r JOIN input i ON i.seq=r.seq WHERE i.kind<>'order'") != 0)
		fail_msg("seed %llu: rejected: %s", (unsigned long long)seed, box_text(&s->b, "SELECT r.reason FROM reject r JOIN input i ON i.seq=r.seq WHERE i.kind<>'order'"));
}

static void random_nights(void **state)
{
	(void)state;
	int64_t submitted = 0, doubted = 0;
	for (uint64_t seed = 1; seed <= NIGHTS; seed++) {
		struct storm s = {.random = seed * 0x9E3779B97F4A7C15ull + 1};
		printf("# seed %llu\n", (unsigned long long)seed);
		box_open(&s.b);
		begin(&s);
		s.b.two = true;
		for (int i = 0; i < 2; i++)
			s.portals[i] = portal_new(seed + 1000 * (uint64_t)i);
		box_config(&s.b, policy);
		box_alert(&s.b, "S230518h", "PRELIMINARY", 0, 0.9, "SIMPLE  = map one");
		for (int i = 0; i < TURNS; i++)
			chance(&s, 8) ? turn(&s) : long_turn(&s);
		box_alert(&s.b, "S230518h", "RETRACTION", 100000, 0, NULL);
		settle(&s);
		while (s.late_count > 0)
			json_decref(s.late[--s.late_count].call);
		for (int i = 0; i < 2; i++) {
			judge(&s, seed, i, &submitted);
			sim_portal_free(s.portals[i]);
		}
		doubted += box_int(&s.b, "SELECT count(*) FROM request_change WHERE signal='doubt'");
		replay(&s, seed);
		box_close(&s.b);
	}
	printf("# %lld groups at the portals in %d nights, %lld doubts\n", (long long)submitted, NIGHTS, (long long)doubted);
	assert_true(submitted > NIGHTS && doubted > NIGHTS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(random_nights)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

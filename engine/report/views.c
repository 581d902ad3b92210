/* Views (views.h): status, events, requests, candidates from rows; explain has its own file. */
#include "engine/report/views.h"
#include "engine/base/json.h"
#include "engine/base/query.h"
#include "engine/report/explain.h"
#include "engine/report/match.h"
#include "engine/report/table.h"
#include <string.h>

enum { EVENTS_MAX = 200, REQUESTS_MAX = 500, CANDIDATES_MAX = 1000, STATUS_ROWS = 200 };

#define LIVE_STATES "('asked','unsure','accepted','scheduled','running','cancelling')"

/* One member of an answer and the rows that fill it. */
struct part {
	const char *name, *sql;
};

/* Runs each part without parameters into object; -1 with e. */
static int parts_fill(sqlite3 *ro, const struct part *parts, json_t *object, struct err *e)
{
	for (; parts->name != NULL; parts++) {
		json_t *rows = query_rows(ro, STATUS_ROWS, e, parts->sql, "");
		if (rows == NULL)
			return -1;
		json_object_set_new(object, parts->name, rows);
	}
	return 0;
}

/* Replaces a text member that holds JSON by its value: is_test, filters. */
static void unpack_member(json_t *rows, const char *key)
{
	size_t i;
	json_t *row;
	json_array_foreach(rows, i, row) {
		const char *text = json_string_value(json_object_get(row, key));
		json_t *value = text == NULL ? NULL : json_loads(text, JSON_DECODE_ANY, NULL);
		if (value != NULL)
			json_object_set_new(row, key, value);
	}
}

static const struct part status_parts[] = {
	{"facilities",
	 "SELECT f.name, f.adapter, f.state, f.failures, f.checked_us, f.accepts_tests,"
	 " EXISTS (SELECT 1 FROM gate g WHERE g.kind = 'hold' AND g.lifted_seq IS NULL AND g.event IS NULL"
	 "  AND (g.facility = f.name OR g.facility IS NULL)) AS held,"
	 " (SELECT count(*) FROM request r WHERE r.facility = f.name AND r.state IN " LIVE_STATES ") AS live"
	 " FROM facility f ORDER BY f.name"},
	{"sources", "SELECT source, topic, part, next_offset, timestamp_us FROM source_position ORDER BY source, topic, part"},
	{"gates",
	 "SELECT g.kind, v.name AS event, g.facility, t.name AS target, g.policy, g.reason, i.utc_us AS since_us, g.due_us"
	 " FROM gate g JOIN input i ON i.seq = g.opened_seq LEFT JOIN event v ON v.id = g.event LEFT JOIN target t ON t.id = g.target"
	 " WHERE g.lifted_seq IS NULL ORDER BY g.id DESC"},
	{"alarms", "SELECT id, utc_us, times, subject, what, detail FROM alarm WHERE cleared_seq IS NULL ORDER BY id DESC"},
	{"effects", "SELECT state, count(*) AS n FROM effect WHERE state IN ('waiting','released','doubtful') GROUP BY state"},
	{"events", "SELECT state, count(*) AS n FROM event GROUP BY state ORDER BY state"},
	{"requests", "SELECT state, count(*) AS n FROM request GROUP BY state ORDER BY state"},
	{"programmes",
	 "SELECT p.name, p.facility, p.proposal, p.state, h.key AS mode, h.value AS granted_h,"
	 " total(CASE WHEN l.state = 'held' THEN l.seconds END) / 3600 AS held_h,"
	 " total(CASE WHEN l.state = 'spent' THEN l.seconds END) / 3600 AS spent_h,"
	 " h.value - total(CASE WHEN l.state IN ('held','spent') THEN l.seconds END) / 3600 AS left_h, p.triggers AS granted_triggers,"
	 " (SELECT count(DISTINCT t.event) FROM ledger_counted t WHERE t.programme = p.name AND t.triggers) AS used_triggers, p.from_us AS semester_us,"
	 " (SELECT group_concat(key, ' ') FROM (SELECT key FROM json_each(p.rules) ORDER BY key)) AS rules"
	 " FROM programme p JOIN json_each(p.hours) h LEFT JOIN ledger_counted l ON l.programme = p.name AND l.mode = h.key"
	 " GROUP BY p.name, h.key ORDER BY p.name, h.key"},
	{NULL, NULL},
};

/* {"accepted": 3, …} in place of [{"state": "accepted", "n": 3}, …]. */
static void counts_fold(json_t *object, const char *name)
{
	size_t i;
	json_t *row, *folded = json_object();
	json_array_foreach(json_object_get(object, name), i, row)
		json_object_set(folded, json_text(row, "state", ""), json_object_get(row, "n"));
	json_object_set_new(object, name, folded);
}

static int status_view(sqlite3 *ro, const json_t *args, json_t *out, struct err *e)
{
	(void)args;
	int64_t seq = 0, last = INT64_MIN, rejects = 0;
	if (query_int(ro, &seq, e, "SELECT max(seq) FROM input", "") < 0 ||
	    query_int(ro, &last, e, "SELECT utc_us FROM input ORDER BY seq DESC LIMIT 1", "") < 0 ||
	    query_int(ro, &rejects, e, "SELECT count(*) FROM reject", "") < 0)
		return -1;
	json_object_set_new(out, "inputs", json_integer(seq));
	json_object_set_new(out, "rejects", json_integer(rejects));
	json_object_set_new(out, "last_input_us", last == INT64_MIN ? json_null() : json_integer(last));
	if (parts_fill(ro, status_parts, out, e) != 0)
		return -1;
	counts_fold(out, "effects");
	counts_fold(out, "events");
	counts_fold(out, "requests");
	return 0;
}

/* Row id of args.event, 0 when it is not given. */
static int event_wanted(sqlite3 *ro, const json_t *args, int64_t *id, struct err *e)
{
	const char *name = json_text(args, "event", "");
	*id = 0;
	return *name == '\0' ? 0 : match_event(ro, name, id, e);
}

static int rows_into(json_t *out, const char *name, json_t *rows)
{
	return rows == NULL ? -1 : json_object_set_new(out, name, rows);
}

static int events_view(sqlite3 *ro, const json_t *args, json_t *out, struct err *e)
{
	int64_t event;
	static const char sql[] =
		"SELECT v.issuer, v.name AS event, v.state, v.is_test, a.type, v.time_us,"
		" (SELECT count(*) FROM alert x WHERE x.event = v.id) AS revisions,"
		" (SELECT min(x.received_us) FROM alert x WHERE x.event = v.id) AS heard_us,"
		" (SELECT f.area90_deg2 FROM fact f JOIN alert x ON x.id = f.alert WHERE x.event = v.id AND f.area90_deg2 IS NOT NULL"
		"  ORDER BY x.time_created_us DESC, x.type_rank DESC LIMIT 1) AS area90_deg2,"
		" (SELECT f.dist_mean_mpc FROM fact f JOIN alert x ON x.id = f.alert WHERE x.event = v.id AND f.dist_mean_mpc IS NOT NULL"
		"  ORDER BY x.time_created_us DESC, x.type_rank DESC LIMIT 1) AS dist_mean_mpc,"
		" v.outside, (SELECT json_extract(s.summary, '$.unrelated_supernovae') FROM skymap s JOIN alert x ON x.map_sha256 = s.sha256"
		"  WHERE x.event = v.id AND s.state = 'ready' ORDER BY x.time_created_us DESC, x.type_rank DESC LIMIT 1) AS unrelated_supernovae,"
		" f.far_per_year, f.p_bns, f.p_nsbh,"
		" (SELECT group_concat(policy || '=' || state, ' ') FROM (SELECT policy, state FROM decision d WHERE d.event = v.id"
		"  ORDER BY policy)) AS policies,"
		" (SELECT group_concat(kind, ' ') FROM (SELECT DISTINCT kind FROM gate g WHERE g.event = v.id AND g.lifted_seq IS NULL"
		"  ORDER BY kind)) AS gates,"
		" (SELECT count(*) FROM target t WHERE t.event = v.id) AS targets,"
		" (SELECT count(*) FROM request r WHERE r.event = v.id AND r.state IN " LIVE_STATES ") AS live,"
		" (SELECT count(*) FROM request r WHERE r.event = v.id AND r.state = 'done') AS done"
		" FROM (SELECT * FROM event WHERE ?1 = 0 OR id = ?1 ORDER BY changed_seq DESC, id DESC LIMIT ?2) v"
		" LEFT JOIN alert a ON a.id = v.latest_alert LEFT JOIN fact f ON f.alert = v.latest_alert"
		" ORDER BY v.changed_seq DESC, v.id DESC";
	if (event_wanted(ro, args, &event, e) != 0 || rows_into(out, "events", query_rows(ro, EVENTS_MAX, e, sql, "ii", event, (int64_t)EVENTS_MAX)) != 0)
		return -1;
	unpack_member(json_object_get(out, "events"), "is_test");
	return 0;
}

static int requests_view(sqlite3 *ro, const json_t *args, json_t *out, struct err *e)
{
	int64_t event;
	static const char sql[] =
		"SELECT r.id, r.token, v.name AS event, t.name AS target, t.rank, r.facility, r.programme, r.purpose, r.mode, r.epoch, r.variant,"
		" r.state, r.unwanted, r.unwanted_why, iif(r.unwanted AND r.state IN " LIVE_STATES ", 'no more', NULL) AS wanted, r.reserve, json_extract(r.body, '$.site') AS site,"
		" json_extract(r.body, '$.filters') AS filters, r.start_us, r.end_us, r.seconds, r.remote_id, r.submits,"
		" (SELECT c.utc_us FROM request_change c WHERE c.request = r.id ORDER BY c.id DESC LIMIT 1) AS changed_us,"
		" (SELECT c.words FROM request_change c WHERE c.request = r.id AND c.words <> '' ORDER BY c.id DESC LIMIT 1) AS words"
		" FROM (SELECT * FROM request WHERE ?1 = 0 OR event = ?1 ORDER BY state NOT IN " LIVE_STATES ", changed_seq DESC LIMIT ?2) r"
		" JOIN event v ON v.id = r.event JOIN target t ON t.id = r.target"
		" ORDER BY r.state NOT IN " LIVE_STATES ", v.changed_seq DESC, v.id, t.rank IS NULL, t.rank, r.epoch, r.facility, r.variant";
	if (event_wanted(ro, args, &event, e) != 0 || rows_into(out, "requests", query_rows(ro, REQUESTS_MAX, e, sql, "ii", event, (int64_t)REQUESTS_MAX)) != 0)
		return -1;
	unpack_member(json_object_get(out, "requests"), "filters");
	return 0;
}

static int candidates_view(sqlite3 *ro, const json_t *args, json_t *out, struct err *e)
{
	int64_t event;
	static const char sql[] =
		"SELECT v.name AS event, c.name AS candidate, c.origin, c.state, c.ra_deg, c.dec_deg, c.error_deg, i.utc_us AS heard_us,"
		" (SELECT count(*) FROM measurement m WHERE m.candidate = c.id) AS measurements"
		" FROM candidate c JOIN event v ON v.id = c.event JOIN input i ON i.seq = c.seq WHERE ?1 = 0 OR v.id = ?1 ORDER BY c.id DESC";
	if (event_wanted(ro, args, &event, e) != 0)
		return -1;
	return rows_into(out, "candidates", query_rows(ro, CANDIDATES_MAX, e, sql, "i", event));
}

static const struct {
	const char *verb;
	int (*run)(sqlite3 *ro, const json_t *args, json_t *out, struct err *e);
} views[] = {{"status", status_view}, {"events", events_view}, {"requests", requests_view}, {"candidates", candidates_view}};
#define VIEWS (sizeof views / sizeof views[0])

bool view_is(const char *verb)
{
	for (size_t i = 0; i < VIEWS; i++)
		if (strcmp(views[i].verb, verb) == 0)
			return true;
	return strcmp(verb, "explain") == 0;
}

int view_run(sqlite3 *ro, const char *verb, const json_t *args, int64_t now_us, json_t **out, struct err *e)
{
	if (strcmp(verb, "explain") == 0) {
		const char *target = json_text(args, "target", ""), *event = json_text(args, "event", "");
		if (*event == '\0')
			return err_set(e, ERR_INPUT, "explain: which event? give its name (slew ctl events lists them)");
		return explain_run(ro, event, *target != '\0' ? target : NULL, now_us, out, e);
	}
	for (size_t i = 0; i < VIEWS; i++) {
		if (strcmp(views[i].verb, verb) != 0)
			continue;
		json_t *answer = json_pack("{s:I}", "now_us", (json_int_t)now_us);
		if (views[i].run(ro, args, answer, e) == 0) {
			*out = answer;
			return 0;
		}
		json_decref(answer);
		return -1;
	}
	return err_set(e, ERR_INPUT, "view \"%s\": there is none; status, events, requests, candidates, explain", verb);
}

/* words for a person ---------------------------------------------------------------------------------------------------------------- */

/* "requests: 3 accepted, 1 unsure", or the word for none. */
static void counts_print(FILE *to, const char *label, const json_t *counts, const char *none)
{
	const char *key, *between = "";
	json_t *n;
	fprintf(to, "%-12s", label);
	json_object_foreach((json_t *)(uintptr_t)counts, key, n) {
		fprintf(to, "%s%lld %s", between, (long long)json_number_value(n), key);
		between = ", ";
	}
	fprintf(to, "%s\n", *between == '\0' ? none : "");
}

static void section_print(FILE *to, const char *title, const struct column *columns, const json_t *rows)
{
	if (json_array_size(rows) == 0)
		return;
	fprintf(to, "\n%s\n", title);
	table_print(to, 2, columns, rows);
}

static void status_print(const json_t *v, FILE *to)
{
	static const struct column alarms[] = {{"since UTC", "utc_us", COLUMN_UTC, 0}, {"times", "times", COLUMN_COUNT, 0}, {"about", "subject", COLUMN_TEXT, 24},
		{"what", "what", COLUMN_TEXT, 60}, {"detail", "detail", COLUMN_TEXT, 90}, {0}};
	static const struct column gates[] = {{"gate", "kind", COLUMN_TEXT, 0}, {"event", "event", COLUMN_TEXT, 24}, {"facility", "facility", COLUMN_TEXT, 0},
		{"target", "target", COLUMN_TEXT, 24}, {"policy", "policy", COLUMN_TEXT, 0}, {"since UTC", "since_us", COLUMN_UTC, 0},
		{"until UTC", "due_us", COLUMN_UTC, 0}, {"why", "reason", COLUMN_TEXT, 60}, {0}};
	static const struct column facilities[] = {{"facility", "name", COLUMN_TEXT, 0}, {"adapter", "adapter", COLUMN_TEXT, 0},
		{"state", "state", COLUMN_TEXT, 0}, {"held", "held", COLUMN_FLAG, 0}, {"live requests", "live", COLUMN_COUNT, 0},
		{"failures in a row", "failures", COLUMN_COUNT, 0}, {"checked UTC", "checked_us", COLUMN_UTC, 0}, {0}};
	static const struct column sources[] = {{"source", "source", COLUMN_TEXT, 0}, {"topic", "topic", COLUMN_TEXT, 60}, {"partition", "part", COLUMN_COUNT, 0},
		{"next offset", "next_offset", COLUMN_COUNT, 0}, {"last message UTC", "timestamp_us", COLUMN_UTC, 0}, {0}};
	static const struct column programmes[] = {{"programme", "name", COLUMN_TEXT, 0}, {"facility", "facility", COLUMN_TEXT, 0},
		{"proposal", "proposal", COLUMN_TEXT, 0}, {"mode", "mode", COLUMN_TEXT, 0}, {"granted h", "granted_h", COLUMN_NUMBER, 0},
		{"held h", "held_h", COLUMN_NUMBER, 0}, {"spent h", "spent_h", COLUMN_NUMBER, 0}, {"left h", "left_h", COLUMN_NUMBER, 0},
		{"triggers", "granted_triggers", COLUMN_COUNT, 0}, {"used", "used_triggers", COLUMN_COUNT, 0}, {"since UTC", "semester_us", COLUMN_UTC, 0},
		{"rules", "rules", COLUMN_TEXT, 60}, {0}};
	char when[32];
	fprintf(to, "%-12s%s UTC\n", "engine time", table_utc(when, json_int(v, "now_us", INT64_MIN)));
	fprintf(to, "%-12s%lld, %lld rejected, last %s\n", "inputs", (long long)json_int(v, "inputs", 0), (long long)json_int(v, "rejects", 0),
	        table_utc(when, json_int(v, "last_input_us", INT64_MIN)));
	counts_print(to, "events", json_object_get(v, "events"), "none heard");
	counts_print(to, "requests", json_object_get(v, "requests"), "none made");
	counts_print(to, "effects", json_object_get(v, "effects"), "none waiting, none without an answer");
	section_print(to, "ALARMS: a person is needed", alarms, json_object_get(v, "alarms"));
	section_print(to, "closed gates", gates, json_object_get(v, "gates"));
	section_print(to, "facilities", facilities, json_object_get(v, "facilities"));
	section_print(to, "sources", sources, json_object_get(v, "sources"));
	section_print(to, "programmes", programmes, json_object_get(v, "programmes"));
}

/* A table, or a sentence when there are no rows. */
static void list_print(FILE *to, const struct column *columns, const json_t *rows, const char *none)
{
	if (json_array_size(rows) == 0)
		fprintf(to, "%s\n", none);
	table_print(to, 0, columns, rows);
}

static void events_print(const json_t *v, FILE *to)
{
	static const struct column columns[] = {{"event", "event", COLUMN_TEXT, 30}, {"state", "state", COLUMN_TEXT, 0}, {"latest", "type", COLUMN_TEXT, 0},
		{"rev", "revisions", COLUMN_COUNT, 0}, {"heard UTC", "heard_us", COLUMN_UTC, 0}, {"FAR /yr", "far_per_year", COLUMN_NUMBER, 0},
		{"P(BNS)", "p_bns", COLUMN_NUMBER, 0}, {"P(NSBH)", "p_nsbh", COLUMN_NUMBER, 0}, {"90% deg2", "area90_deg2", COLUMN_NUMBER, 0},
		{"dist Mpc", "dist_mean_mpc", COLUMN_NUMBER, 0}, {"unlisted %", "outside", COLUMN_PERCENT, 0}, {"other SNe", "unrelated_supernovae", COLUMN_NUMBER, 0},
		{"policies", "policies", COLUMN_TEXT, 50}, {"gates", "gates", COLUMN_TEXT, 30},
		{"live", "live", COLUMN_COUNT, 0}, {"done", "done", COLUMN_COUNT, 0}, {"test", "is_test", COLUMN_LIST, 30}, {0}};
	list_print(to, columns, json_object_get(v, "events"), "no event was heard yet");
}

static void requests_print(const json_t *v, FILE *to)
{
	static const struct column columns[] = {{"id", "id", COLUMN_COUNT, 0}, {"event", "event", COLUMN_TEXT, 24}, {"rank", "rank", COLUMN_COUNT, 0},
		{"target", "target", COLUMN_TEXT, 26}, {"facility", "facility", COLUMN_TEXT, 0}, {"mode", "mode", COLUMN_TEXT, 0},
		{"epoch", "epoch", COLUMN_COUNT, 0}, {"try", "variant", COLUMN_COUNT, 0}, {"state", "state", COLUMN_TEXT, 0},
		{"wanted", "wanted", COLUMN_TEXT, 0}, {"site", "site", COLUMN_TEXT, 0}, {"filters", "filters", COLUMN_LIST, 0},
		{"from UTC", "start_us", COLUMN_UTC, 0}, {"to UTC", "end_us", COLUMN_CLOCK, 0}, {"s", "seconds", COLUMN_COUNT, 0},
		{"remote id", "remote_id", COLUMN_TEXT, 0}, {"last word", "words", COLUMN_TEXT, 60}, {0}};
	list_print(to, columns, json_object_get(v, "requests"), "no request was made yet");
}

static void candidates_print(const json_t *v, FILE *to)
{
	static const struct column columns[] = {{"event", "event", COLUMN_TEXT, 24}, {"candidate", "candidate", COLUMN_TEXT, 30}, {"from", "origin", COLUMN_TEXT, 24},
		{"state", "state", COLUMN_TEXT, 0}, {"RA deg", "ra_deg", COLUMN_DEGREES, 0}, {"Dec deg", "dec_deg", COLUMN_DEGREES, 0},
		{"error deg", "error_deg", COLUMN_NUMBER, 0}, {"measurements", "measurements", COLUMN_COUNT, 0}, {"heard UTC", "heard_us", COLUMN_UTC, 0}, {0}};
	list_print(to, columns, json_object_get(v, "candidates"), "no possible counterpart is known");
}

void view_print(const char *verb, const json_t *value, FILE *to)
{
	static const struct {
		const char *verb;
		void (*print)(const json_t *value, FILE *to);
	} printers[] = {{"status", status_print}, {"events", events_print}, {"requests", requests_print},
		{"candidates", candidates_print}, {"explain", explain_print}};
	for (size_t i = 0; i < sizeof printers / sizeof printers[0]; i++)
		if (strcmp(printers[i].verb, verb) == 0)
			printers[i].print(value, to);
}

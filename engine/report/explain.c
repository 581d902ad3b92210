/* Explain (explain.h): the rows of the chain and the sentence that sums them up. */
#include "engine/report/explain.h"
#include "engine/base/json.h"
#include "engine/base/query.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include "engine/report/match.h"
#include "engine/report/table.h"
#include "engine/request/plan.h"
#include <string.h>

enum { REVISIONS_MAX = 100, BEST = 10, REQUESTS_MAX = 200, LINKS_MAX = 200, ORDERS_MAX = 50, OUTCOME = 600 };

/* What is asked: row ids (target 0: the event as a whole, or one that is not ranked). */
struct question {
	sqlite3 *ro;
	int64_t event, target;
	const char *target_name; /* as typed, or NULL */
};

/* One part of the answer: ?1 event, ?2 target (0: all). `one`: an object or null in place of an array. */
struct part {
	const char *name, *sql;
	size_t most;
	bool one;
};

#define NEWEST_FACTS \
	"SELECT a.id FROM alert a JOIN fact f ON f.alert = a.id WHERE a.event = ?1" \
	" ORDER BY a.type = 'RETRACTION', a.time_created_us DESC, a.type_rank DESC, a.sha256 DESC LIMIT 1"

/* A ranking that is still being made does not hide the last one. */
#define NEWEST_RANK "SELECT max(generation) FROM target WHERE event = ?1"

/* Where there are frames of a camera, they are what is ranked. */
#define HAS_FIELDS "EXISTS (SELECT 1 FROM target x WHERE x.event = ?1 AND x.kind = 'field' AND x.generation = (" NEWEST_RANK "))"

/* A number of the newest plan that was computed for a policy: its result is an input. */
#define PLAN_SAYS(member) \
	"(SELECT CASE WHEN json_valid(CAST(coalesce(x.body, b.body) AS TEXT)) THEN json_extract(CAST(coalesce(x.body, b.body) AS TEXT), '$." member "') END" \
	" FROM effect e JOIN input x ON x.effect = e.id LEFT JOIN blob b ON b.sha256 = x.sha256 WHERE e.event = ?1 AND e.compute = 'plan'" \
	" AND e.policy = d.policy AND e.state = 'done' ORDER BY e.id DESC LIMIT 1)"

static const struct part parts[] = {
	{"event",
	 "SELECT issuer, name, state, is_test, time_us, (SELECT min(received_us) FROM alert a WHERE a.event = v.id) AS heard_us"
	 " FROM event v WHERE id = ?1 AND ?2 >= 0", 1, true},
	{"revisions",
	 "SELECT a.seq, a.type, a.time_created_us AS created_us, a.received_us, a.stream, a.sha256, a.map_sha256, f.map_state,"
	 " (SELECT group_concat(s, ', ') FROM (SELECT DISTINCT ifnull(nullif(i.topic, ''), i.source) AS s FROM duplicate d JOIN input i ON i.seq = d.seq"
	 "  WHERE d.alert = a.id ORDER BY s)) AS again_on"
	 " FROM alert a LEFT JOIN fact f ON f.alert = a.id WHERE a.event = ?1 AND ?2 >= 0"
	 " ORDER BY a.time_created_us, a.type_rank, a.sha256", REVISIONS_MAX, false},
	{"facts", "SELECT f.* FROM fact f WHERE f.alert = (" NEWEST_FACTS ") AND ?2 >= 0", 1, true},
	{"map",
	 "SELECT s.sha256, s.state, s.error, s.summary FROM skymap s"
	 " WHERE s.sha256 = (SELECT map_sha256 FROM alert WHERE id = (" NEWEST_FACTS ")) AND ?2 >= 0", 1, true},
	{"decisions",
	 "SELECT d.policy, d.outcome, d.state, d.missing, d.approved, d.approved_h, a.type, i.utc_us AS changed_us,"
	 " json_extract(p.body, '$.when') AS \"when\", " PLAN_SAYS("worth") " AS plan_worth, " PLAN_SAYS("bound") " AS plan_bound"
	 " FROM decision d JOIN alert a ON a.id = d.alert JOIN input i ON i.seq = d.changed_seq"
	 " LEFT JOIN policy p ON p.name = d.policy AND p.current = 1 WHERE d.event = ?1 AND ?2 >= 0 ORDER BY d.policy", 50, false},
	{"verdicts",
	 "SELECT x.policy, x.code, x.detail, x.facility, i.utc_us FROM verdict x JOIN input i ON i.seq = x.seq"
	 " WHERE x.event = ?1 AND ifnull(x.target, 0) = ?2 ORDER BY x.policy", 50, false},
	{"ranking",
	 "SELECT count(*) AS targets, max(t.kind) AS kind, max(t.cumulative_share) AS cumulative_share, total(t.probability) AS probability,"
	 " (SELECT outside FROM event WHERE id = ?1) AS outside,"
	 " (SELECT count(DISTINCT r.target) FROM request r WHERE r.event = ?1) AS asked FROM target t"
	 " WHERE t.event = ?1 AND t.generation = (" NEWEST_RANK ") AND (t.kind = 'field') ="
	 " CASE ?2 WHEN 0 THEN " HAS_FIELDS " ELSE (SELECT kind = 'field' FROM target WHERE id = ?2) END", 1, true},
	{"reasons", "SELECT code, count(*) AS n FROM verdict WHERE event = ?1 AND target IS NOT NULL AND ?2 >= 0 GROUP BY code ORDER BY n DESC, code", 50, false},
	{"best",
	 "SELECT t.rank, t.name, t.ra_deg, t.dec_deg, t.distance_mpc, t.share, t.cumulative_share, t.probability,"
	 " (SELECT group_concat(s, ' ') FROM (SELECT r.facility || '=' || r.state AS s FROM request r WHERE r.event = t.event AND r.target = t.id ORDER BY r.id)) AS requests,"
	 " (SELECT code FROM verdict x WHERE x.event = t.event AND x.target = t.id ORDER BY x.policy LIMIT 1) AS code,"
	 " (SELECT detail FROM verdict x WHERE x.event = t.event AND x.target = t.id ORDER BY x.policy LIMIT 1) AS detail"
	 " FROM target t WHERE t.event = ?1 AND ?2 = 0 AND t.rank IS NOT NULL AND (t.kind = 'field') = " HAS_FIELDS
	 " AND t.generation = (" NEWEST_RANK ") ORDER BY t.rank, t.id", BEST, false},
	{"target",
	 "SELECT t.key, t.name, t.kind, t.ra_deg, t.dec_deg, t.distance_mpc, t.distance_err_mpc, t.rank, t.dpdv_per_mpc3, t.share,"
	 " t.cumulative_share, t.probability, t.pinned, t.generation < (" NEWEST_RANK ") AS dropped_out"
	 " FROM target t WHERE t.event = ?1 AND t.id = ?2", 1, true},
	{"fields", /* those that hold the galaxy */
	 "SELECT f.name, f.rank, f.ra_deg, f.dec_deg, m.generation < (" NEWEST_RANK ") AS dropped_out,"
	 " (SELECT code FROM verdict x WHERE x.event = ?1 AND x.target = f.id ORDER BY x.policy LIMIT 1) AS code,"
	 " (SELECT detail FROM verdict x WHERE x.event = ?1 AND x.target = f.id ORDER BY x.policy LIMIT 1) AS detail"
	 " FROM field_galaxy m JOIN target f ON f.id = m.field WHERE f.event = ?1 AND m.galaxy = ?2 ORDER BY dropped_out, f.rank, f.id", BEST, false},
	{"galaxies", /* those in the field */
	 "SELECT g.name, g.rank, g.distance_mpc, g.probability FROM field_galaxy m JOIN target g ON g.id = m.galaxy"
	 " WHERE g.event = ?1 AND m.field = ?2 AND m.generation = (SELECT generation FROM target WHERE id = ?2) ORDER BY g.rank, g.id", REQUESTS_MAX, false},
	{"requests",
	 "SELECT r.id, r.token, t.name AS target, r.facility, r.programme, r.purpose, r.mode, r.epoch, r.variant, r.state, r.unwanted,"
	 " r.unwanted_why, r.reserve, json_extract(r.body, '$.site') AS site, json_extract(r.body, '$.filters') AS filters,"
	 " json_extract(r.body, '$.exposure_s') AS exposure_s, json_extract(r.body, '$.max_airmass') AS max_airmass, r.start_us, r.end_us,"
	 " json_extract(r.body, '$.limit_mag') AS limit_mag, json_extract(r.body, '$.reference') AS reference,"
	 " r.seconds, r.remote_id, r.submits, r.created_us, p.name AS policy, (SELECT c.words FROM request_change c WHERE c.request = r.id AND c.words <> ''"
	 "  ORDER BY c.id DESC LIMIT 1) AS words"
	 " FROM request r JOIN target t ON t.id = r.target JOIN policy p ON p.id = r.policy WHERE r.event = ?1 AND (?2 = 0 OR r.target = ?2"
	 "  OR r.target IN (SELECT field FROM field_galaxy WHERE galaxy = ?2))"
	 " ORDER BY t.rank IS NULL, t.rank, r.epoch, r.id", REQUESTS_MAX, false},
	{"gates",
	 "SELECT g.kind, g.facility, t.name AS target, g.policy, g.reason, g.due_us, o.utc_us AS opened_us, l.utc_us AS lifted_us,"
	 " g.event IS NULL AS everywhere"
	 " FROM gate g JOIN input o ON o.seq = g.opened_seq LEFT JOIN input l ON l.seq = g.lifted_seq LEFT JOIN target t ON t.id = g.target"
	 " WHERE (g.event = ?1 OR g.event IS NULL AND ifnull(g.lifted_seq, 9e18) > (SELECT first_seq FROM event WHERE id = ?1))"
	 " AND (?2 = 0 OR g.target IS NULL OR g.target = ?2) ORDER BY g.id", ORDERS_MAX, false},
	{"orders",
	 "SELECT i.utc_us, o.uid, o.verb, o.why, o.answer, o.body FROM operator_order o JOIN input i ON i.seq = o.seq"
	 " WHERE ?2 >= 0 AND EXISTS (SELECT 1 FROM json_each(o.body) j JOIN event v ON v.id = ?1"
	 "  WHERE j.atom = v.name OR " MATCH_FOLD("j.atom") " IN (" MATCH_FOLD("v.name") ", v.issuer || ':' || " MATCH_FOLD("v.name") "))"
	 " ORDER BY o.seq", ORDERS_MAX, false},
};
#define PARTS (sizeof parts / sizeof parts[0])

/* Every link of a request's life, in the order of the inputs that made them; within one input as listed. */
static const char chain_sql[] =
	"SELECT seq, utc_us, link, what, was, now, place, seconds, start_us, words FROM ("
	"SELECT e.released_seq AS seq, e.released_utc_us AS utc_us, 4 AS nth, 'sent' AS link, e.verb AS what, NULL AS was, e.outcome AS now, NULL AS place,"
	"  NULL AS seconds, NULL AS start_us, CASE WHEN e.state = 'doubtful' THEN 'no answer' END AS words, e.id AS id"
	"  FROM effect e WHERE e.request = ?1 AND e.released_seq IS NOT NULL AND e.verb IN ('submit','find','cancel')"
	" UNION ALL SELECT o.seq, i.utc_us, 1, 'offer', o.outcome, NULL, json_extract(o.price, '$.says') || iif(o.chosen, '; the best, chosen', ''), o.field, o.seconds, NULL, o.words, o.id"
	"  FROM offer o JOIN input i ON i.seq = o.seq WHERE o.request = ?1"
	" UNION ALL SELECT c.seq, c.utc_us, 2, 'state', c.signal, c.from_state, c.to_state, NULL, NULL, NULL, c.words, c.id"
	"  FROM request_change c WHERE c.request = ?1"
	" UNION ALL SELECT b.seq, i.utc_us, 3, 'telescope', b.state, NULL, NULL, trim(ifnull(b.site, '') || ' ' || ifnull(b.telescope, '')), NULL,"
	"  b.start_us, b.words, b.id FROM observation b JOIN input i ON i.seq = b.seq WHERE b.request = ?1"
	" UNION ALL SELECT d.seq, i.utc_us, 5, 'frame', d.level, NULL, NULL, d.basename, NULL, NULL, d.version, d.id"
	"  FROM data_product d JOIN input i ON i.seq = d.seq WHERE d.request = ?1"
	" UNION ALL SELECT n.created_seq, n.created_us, 6, 'again', n.id, NULL, n.state, NULL, NULL, NULL, json_extract(n.body, '$.changed'), n.id"
	"  FROM request o JOIN request n ON n.event = o.event AND n.target = o.target AND n.facility = o.facility AND n.epoch = o.epoch AND n.variant > o.variant"
	"  WHERE o.id = ?1 AND json_extract(n.body, '$.after') = o.id"
	") ORDER BY seq, nth, id";

/* Text members that hold JSON become values: is_test, filters, map summary. */
static void unpack(json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	json_t *value = text == NULL ? NULL : json_loads(text, JSON_DECODE_ANY, NULL);
	if (value != NULL)
		json_object_set_new(object, key, value);
}

/* Known facts stay, the names of the others go to "unknown". */
static void facts_split(json_t *out)
{
	json_t *known = json_object(), *unknown = json_array(), *value;
	const char *key;
	json_object_foreach(json_object_get(out, "facts"), key, value) {
		if (strcmp(key, "alert") == 0)
			continue;
		if (json_is_null(value))
			json_array_append_new(unknown, json_string(key));
		else
			json_object_set(known, key, value);
	}
	json_object_set_new(out, "facts", known);
	json_object_set_new(out, "unknown", unknown);
}

/* What the core names by code is also said in words. */
static void verdicts_speak(json_t *rows)
{
	static const struct {
		const char *code, *text;
	} verdicts[] = {
#define X(name, sentence) {#name, sentence},
		VERDICTS(X)
#undef X
	};
	size_t i;
	json_t *row;
	json_array_foreach(rows, i, row)
		for (size_t v = 0; v < VERDICT_COUNT; v++)
			if (strcmp(verdicts[v].code, json_text(row, "code", "")) == 0)
				json_object_set_new(row, "text", json_string(verdicts[v].text));
}

static int parts_fill(const struct question *q, json_t *out, struct err *e)
{
	for (size_t i = 0; i < PARTS; i++) {
		json_t *rows = query_rows(q->ro, parts[i].most, e, parts[i].sql, "ii", q->event, q->target);
		if (rows == NULL)
			return err_wrap(e, "explain %s", parts[i].name);
		json_t *one = parts[i].one && json_array_size(rows) > 0 ? json_incref(json_array_get(rows, 0)) : json_null();
		if (parts[i].one)
			json_decref(rows);
		json_object_set_new(out, parts[i].name, parts[i].one ? one : rows);
	}
	return 0;
}

static int chains_fill(const struct question *q, json_t *requests, struct err *e)
{
	size_t i;
	json_t *r;
	json_array_foreach(requests, i, r) {
		json_t *chain = query_rows(q->ro, LINKS_MAX, e, chain_sql, "i", json_int(r, "id", 0));
		if (chain == NULL)
			return err_wrap(e, "explain chain");
		json_object_set_new(r, "chain", chain);
		unpack(r, "filters");
		unpack(r, "limit_mag");
		unpack(r, "reference");
	}
	return 0;
}

/* the sentence ----------------------------------------------------------------------------------------------------------------------- */

static bool state_is_live(const char *s)
{
	static const char *const live[] = {"asked", "unsure", "accepted", "scheduled", "running", "cancelling"};
	for (size_t i = 0; i < sizeof live / sizeof live[0]; i++)
		if (strcmp(s, live[i]) == 0)
			return true;
	return false;
}

/* The request that says most: done, else live, else the newest; NULL when there is none. */
static const json_t *request_telling(const json_t *requests, int *live, int *done)
{
	size_t i;
	json_t *r;
	const json_t *best = NULL;
	int best_worth = -1;
	*live = *done = 0;
	json_array_foreach(requests, i, r) {
		const char *state = json_text(r, "state", "");
		int worth = strcmp(state, "done") == 0 ? 2 : state_is_live(state);
		*done += worth == 2;
		*live += worth == 1;
		if (worth >= best_worth)
			best = r, best_worth = worth;
	}
	return best;
}

/* "code in words (detail)", or `otherwise`. */
static void verdict_say(const json_t *v, const char *otherwise, struct text *t)
{
	const char *detail = json_text(v, "detail", "");
	text_puts(t, json_text(v, "text", json_text(v, "code", otherwise)));
	if (*detail != '\0')
		text_printf(t, " (%s)", detail);
}

/* Not observed, and nothing lives: its verdict, or that of the best field that holds it, and what became of the last request. */
static void target_reason(const json_t *out, const json_t *r, bool in_field, struct text *t)
{
	const json_t *v = json_array_get(json_object_get(out, "verdicts"), 0), *field = json_array_get(json_object_get(out, "fields"), 0);
	const char *why = json_text(r, "unwanted_why", json_text(r, "words", ""));
	if (strcmp(json_text(v, "code", ""), "in_field") == 0 && field != NULL) {
		text_printf(t, "it is in the field of %s, and of that: ", json_text(field, "name", "?"));
		v = field;
	}
	const char *code = json_text(v, "code", "");
	bool settled = *code != '\0' && strcmp(code, "planned") != 0 && strcmp(code, "candidate") != 0;
	if (settled || r == NULL)
		verdict_say(v, "no verdict yet", t);
	if (r != NULL)
		text_printf(t, "%s%s last request (%lld on %s) is %s%s%s", settled ? "; " : "", in_field ? "the field's" : "its", (long long)json_int(r, "id", 0),
		            json_text(r, "facility", "?"), json_text(r, "state", ""), *why != '\0' ? ": " : "", why);
}

static void target_outcome(const json_t *out, const char *name, struct text *t)
{
	int live, done;
	const json_t *r = request_telling(json_object_get(out, "requests"), &live, &done);
	const char *state = json_text(r, "state", ""), *of = json_text(r, "target", name);
	bool in_field = strcmp(of, name) != 0; /* what was asked is a frame that holds it */
	if (done > 0) {
		text_printf(t, "%s was observed%s%s: request %lld on %s is done", name, in_field ? " in the field of " : "", in_field ? of : "",
		            (long long)json_int(r, "id", 0), json_text(r, "facility", "?"));
	} else if (live > 0) {
		text_printf(t, "%s was not observed yet: %s%s%srequest %lld on %s is %s%s", name, in_field ? "it is in the field of " : "", in_field ? of : "",
		            in_field ? ", whose " : "", (long long)json_int(r, "id", 0), json_text(r, "facility", "?"), state,
		            json_int(r, "unwanted", 0) ? ", and no longer wanted" : "");
	} else {
		text_printf(t, "%s was not observed: ", name);
		target_reason(out, r, in_field, t);
	}
}

/* Why an event has no request: its own verdict, else what the policies say. */
static void event_reason(const json_t *out, struct text *t)
{
	size_t i;
	json_t *d;
	if (json_array_size(json_object_get(out, "verdicts")) > 0) {
		verdict_say(json_array_get(json_object_get(out, "verdicts"), 0), "", t);
		return;
	}
	if (json_array_size(json_object_get(out, "decisions")) == 0)
		text_puts(t, "no policy has judged it");
	json_array_foreach(json_object_get(out, "decisions"), i, d) {
		const char *missing = json_text(d, "missing", "");
		text_printf(t, "%s%s is %s", i > 0 ? ", " : "", json_text(d, "policy", "?"), json_text(d, "outcome", "?"));
		if (*missing != '\0')
			text_printf(t, " (not known: %s)", missing);
	}
}

static void unranked_outcome(const json_t *out, const char *typed, struct text *t)
{
	char name[80];
	const char *event = json_text(json_object_get(out, "event"), "name", "");
	const json_t *ranking = json_object_get(out, "ranking");
	int64_t n = json_int(ranking, "targets", 0);
	text_escape(name, sizeof name, typed, strnlen(typed, 200));
	if (n > 0 && strcmp(json_text(ranking, "kind", ""), "field") == 0) {
		text_printf(t, "%s was not observed: it stands in none of the %lld fields chosen for %s, which hold %.1f %% of all that could be held, or is"
		            " not in the catalogue under this name (slew fields --top shows more)",
		            name, (long long)n, event, 100 * json_number(ranking, "cumulative_share", 0));
	} else if (n > 0) {
		text_printf(t, "%s was not observed: it is not among the %lld galaxies ranked for %s (shares up to %.1f %%): not in the catalogue"
		            " under this name, outside the map, or below the policy's cut (slew rank --top shows more)",
		            name, (long long)n, event, 100 * json_number(ranking, "cumulative_share", 0));
	} else {
		text_printf(t, "%s was not observed: no galaxy was ranked for %s: ", name, event);
		event_reason(out, t);
	}
}

static void event_outcome(const json_t *out, struct text *t)
{
	int live, done;
	const json_t *event = json_object_get(out, "event"), *requests = json_object_get(out, "requests");
	request_telling(requests, &live, &done);
	text_printf(t, "%s is %s: ", json_text(event, "name", ""), json_text(event, "state", "?"));
	if (json_array_size(requests) > 0)
		text_printf(t, "%zu requests for %lld targets, %d live, %d done", json_array_size(requests),
		            (long long)json_int(json_object_get(out, "ranking"), "asked", 0), live, done);
	else
		event_reason(out, t);
}

static void outcome_set(const struct question *q, json_t *out)
{
	struct text t = {.max = OUTCOME + 2 * 4096};
	const json_t *target = json_object_get(out, "target");
	if (json_is_object(target))
		target_outcome(out, json_text(target, "name", ""), &t);
	else if (q->target_name != NULL)
		unranked_outcome(out, q->target_name, &t);
	else
		event_outcome(out, &t);
	json_object_set_new(out, "outcome", json_string(t.data != NULL ? t.data : ""));
	text_free(&t);
}

int explain_run(sqlite3 *ro, const char *event, const char *target, int64_t now_us, json_t **out, struct err *e)
{
	struct question q = {.ro = ro, .target_name = target};
	if (match_event(ro, event, &q.event, e) != 0 || (target != NULL && match_target(ro, q.event, target, &q.target, e) != 0))
		return -1;
	json_t *answer = json_pack("{s:I, s:s, s:o}", "now_us", (json_int_t)now_us, "outcome", "", "asked_target",
	                           target != NULL ? json_string(target) : json_null());
	if (parts_fill(&q, answer, e) != 0) {
		json_decref(answer);
		return -1;
	}
	if (target != NULL && q.target == 0) { /* not ranked: nothing of the other targets belongs here */
		json_array_clear(json_object_get(answer, "requests"));
		json_array_clear(json_object_get(answer, "best"));
	}
	if (chains_fill(&q, json_object_get(answer, "requests"), e) != 0) {
		json_decref(answer);
		return -1;
	}
	unpack(json_object_get(answer, "event"), "is_test");
	unpack(json_object_get(answer, "map"), "summary");
	facts_split(answer);
	verdicts_speak(json_object_get(answer, "verdicts"));
	verdicts_speak(json_object_get(answer, "best"));
	verdicts_speak(json_object_get(answer, "reasons"));
	verdicts_speak(json_object_get(answer, "fields"));
	outcome_set(&q, answer);
	*out = answer;
	return 0;
}

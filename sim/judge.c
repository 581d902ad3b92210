/* Judging a night from outside: see judge.h. */
#include "sim/judge.h"
#include "engine/base/hash.h"
#include "engine/base/json.h"
#include "engine/base/query.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include <stdlib.h>
#include <string.h>

void judge_close(struct judge *j, const char *event, const char *kind, int64_t at_us)
{
	for (int i = 0; i < j->gates; i++)
		if (strcmp(j->gate[i].event, event) == 0 && strcmp(j->gate[i].kind, kind) == 0 && j->gate[i].to_us == INT64_MAX)
			return;
	if (j->gates == JUDGE_GATES)
		return;
	struct judge_gate *g = &j->gate[j->gates++];
	*g = (struct judge_gate){.from_us = at_us, .to_us = INT64_MAX};
	text_copy(g->event, sizeof g->event, event);
	text_copy(g->kind, sizeof g->kind, kind);
}

void judge_open(struct judge *j, const char *event, const char *kind, int64_t at_us)
{
	for (int i = 0; i < j->gates; i++)
		if (strcmp(j->gate[i].event, event) == 0 && strcmp(j->gate[i].kind, kind) == 0 && j->gate[i].to_us == INT64_MAX)
			j->gate[i].to_us = at_us;
}

void judge_forget(struct judge *j, int64_t copied_us, int64_t at_us)
{
	for (int i = 0; i < j->gates; i++) {
		struct judge_gate *g = &j->gate[i];
		if (strcmp(g->kind, "veto") == 0 && g->from_us >= copied_us && g->to_us == INT64_MAX)
			g->to_us = at_us;
	}
}

static int broke(char broken[64], const char *kind)
{
	text_copy(broken, 64, kind);
	return ERR_STORE;
}

int judge_heard(sqlite3 *db, struct sim_broker *broker, char broken[64], struct err *e)
{
	static const char heard[] = "SELECT count(*) FROM input WHERE kind='alert' AND topic=? AND (sha256=? OR (sha256 IS NULL AND body=?))";
	static const char twice[] = "SELECT topic||' '||next_offset FROM input WHERE kind='alert' AND next_offset>0 GROUP BY topic,part,next_offset "
		"HAVING count(*)>1";
	char what[200] = "", sha256[65];
	for (size_t i = 0; i < sim_broker_count(broker); i++) {
		const struct sim_message *m = sim_broker_message(broker, i);
		hash_sha256_hex(m->bytes, m->len, sha256);
		sqlite3_stmt *q = query_prepare(db, heard, e);
		if (q == NULL || sqlite3_bind_text(q, 1, m->topic, -1, SQLITE_STATIC) != SQLITE_OK || sqlite3_bind_text(q, 2, sha256, -1, SQLITE_STATIC) != SQLITE_OK ||
		    sqlite3_bind_blob(q, 3, m->bytes, (int)m->len, SQLITE_STATIC) != SQLITE_OK || query_step(q, e) != 1) {
			sqlite3_finalize(q);
			return -1;
		}
		bool there = sqlite3_column_int64(q, 0) > 0;
		sqlite3_finalize(q);
		if (!there && !m->gone)
			return err_set(e, broke(broken, "lost"), "message %lld of %s is no input", (long long)m->offset, m->topic);
	}
	int rc = query_text(db, what, sizeof what, e, twice, "");
	return rc < 0 ? -1 : rc == 0 ? 0 : err_set(e, broke(broken, "heard-twice"), "an input twice: %s", what);
}

/* 1: a person opened the gate of a restored copy (there; NULL: anywhere) before it had looked: what is submitted twice then is theirs. */
static int opened_by_person(sqlite3 *db, const char *facility, struct err *e)
{
	static const char opened[] = "SELECT count(*)>0 FROM gate g JOIN operator_order o ON o.seq=g.lifted_seq WHERE g.kind='restore' AND "
		"g.facility=ifnull(?,g.facility)";
	int64_t n = 0;
	return query_int(db, &n, e, opened, "t", facility) < 0 ? -1 : n > 0;
}

static int judge_name(const struct judge *j, const char *facility, const char *name, const json_t *row, sqlite3 *db, char broken[64], struct err *e)
{
	static const char of[] = "SELECT e.name FROM request r JOIN event e ON e.id=r.event WHERE r.token=? AND r.facility=?";
	static const char rest[] = "SELECT state||' '||ifnull(unwanted_why,'') FROM request WHERE token=? AND state IN ('planned','offered','held','declined',"
		"'cancelled','expired','failed')";
	static const char sweeping[] = "SELECT state FROM sweep WHERE facility=? AND restored=1 AND state='open'";
	char event[64] = "", state[200] = "";
	const json_t *at;
	size_t k;
	int opened = json_int(row, "count", 0) > 1 ? opened_by_person(db, facility, e) : 0;
	if (opened < 0)
		return -1;
	if (json_int(row, "count", 0) > 1 && !opened)
		return err_set(e, broke(broken, "duplicate"), "the portal has %s %lld times", name, (long long)json_int(row, "count", 0));
	if (query_text(db, event, sizeof event, e, of, "tt", name, facility) < 0)
		return -1;
	int looking = query_text(db, state, sizeof state, e, sweeping, "t", facility); /* a restored copy, whatever a person has opened */
	if (looking < 0 || (looking == 1 && event[0] == '\0'))
		return looking < 0 ? -1 : 0;
	if (event[0] == '\0')
		return err_set(e, broke(broken, "stranger"), "%s has %s, which is no request of ours there", facility, name);
	json_array_foreach(json_object_get(row, "states"), k, at)
		if (!looking && strcmp(json_string_value(at), "PENDING") == 0 && query_text(db, state, sizeof state, e, rest, "t", name) == 1)
			return err_set(e, broke(broken, "alive"), "%s is alive at the portal, and here %s", name, state);
	json_array_foreach(json_object_get(row, "created_us"), k, at)
		for (int i = 0; i < j->gates; i++) {
			const struct judge_gate *g = &j->gate[i];
			int64_t created_us = json_integer_value(at);
			if (strcmp(g->event, event) == 0 && created_us > g->from_us + j->latency_us && created_us < g->to_us)
				return err_set(e, broke(broken, "asked-through-gate"), "the portal got %s of %s %.1f s after its %s", name, event,
					(double)(created_us - g->from_us) / 1e6, g->kind);
		}
	return 0;
}

int judge_place(const struct judge *j, const struct sim_host_place *place, sqlite3 *db, char broken[64], struct err *e)
{
	static const char can[] = "SELECT 1 FROM facility WHERE name=? AND json_extract(descriptor,'$.can_cancel')=0";
	json_t *ledger = sim_portal_ledger(place->portal), *row;
	const char *name;
	char cannot[8] = "";
	int rc = query_text(db, cannot, sizeof cannot, e, can, "t", place->facility) < 0 ? -1 : 0;
	json_object_foreach(json_object_get(ledger, "names"), name, row)
		if (rc == 0)
			rc = judge_name(j, place->facility, name, row, db, broken, e);
	if (rc == 0 && cannot[0] && json_int(ledger, "cancels", 0) > 0)
		rc = err_set(e, broke(broken, "cancel-refused"), "%s cannot cancel and was asked to", place->facility);
	json_decref(ledger);
	return rc;
}

/* ---- over all facilities ---- */
struct life_span {
	char what[600], token[64]; /* event, target, epoch as one text */
	int64_t from_us, to_us;
};

/* Fills what; 0 good, 1 not judged (the policy says parallel, a person had a hand in it), -1 sick. */
static int span_of(sqlite3 *db, struct life_span *s, struct err *e)
{
	static const char who[] = "SELECT r.event||' '||r.target||' '||r.epoch FROM request r JOIN policy p ON p.id=r.policy WHERE r.token=? AND "
		"ifnull(json_extract(p.body,'$.parallel'),0)=0 AND NOT EXISTS (SELECT 1 FROM operator_order o WHERE o.verb IN ('accepted','declined') AND "
		"json_extract(o.body,'$.request')=r.id AND json_extract(o.answer,'$.ok'))";
	int rc = query_text(db, s->what, sizeof s->what, e, who, "t", s->token);
	return rc < 0 ? -1 : rc == 0;
}

static int spans_of(const json_t *names, sqlite3 *db, struct life_span *list, size_t *count, size_t cap, struct err *e)
{
	const char *token;
	json_t *row;
	json_object_foreach((json_t *)names, token, row) {
		const json_t *from = json_object_get(row, "created_us"), *to = json_object_get(row, "left_us");
		struct life_span s = {.from_us = INT64_MAX, .to_us = INT64_MAX};
		text_copy(s.token, sizeof s.token, token);
		int rc = span_of(db, &s, e);
		for (size_t k = 0; rc == 0 && k < json_array_size(from) && *count < cap; k++) {
			s.from_us = json_integer_value(json_array_get(from, k));
			s.to_us = json_is_null(json_array_get(to, k)) ? INT64_MAX : json_integer_value(json_array_get(to, k));
			list[(*count)++] = s;
		}
		if (rc < 0)
			return -1;
	}
	return 0;
}

static int span_order(const void *a, const void *b)
{
	const struct life_span *x = a, *y = b;
	int order = strcmp(x->what, y->what);
	return order ? order : (x->from_us > y->from_us) - (x->from_us < y->from_us);
}

int judge_twins(const struct sim_host_place *place, size_t places, sqlite3 *db, char broken[64], struct err *e)
{
	size_t count = 0, cap = 4096;
	int opened = opened_by_person(db, NULL, e);
	if (opened != 0)
		return opened < 0 ? -1 : 0;
	struct life_span *list = calloc(cap, sizeof *list);
	int rc = list ? 0 : err_set(e, ERR_MEMORY, "no memory for a judge");
	for (size_t i = 0; i < places && rc == 0; i++) {
		json_t *ledger = sim_portal_ledger(place[i].portal);
		rc = spans_of(json_object_get(ledger, "names"), db, list, &count, cap, e);
		json_decref(ledger);
	}
	if (rc == 0)
		qsort(list, count, sizeof *list, span_order);
	for (size_t i = 1; i < count && rc == 0; i++) {
		const struct life_span *a = &list[i - 1], *b = &list[i];
		if (strcmp(a->what, b->what) == 0 && b->from_us < a->to_us)
			rc = err_set(e, broke(broken, "two-alive"), "%s came alive at a facility while %s was, for the same target and epoch (%s)", b->token,
				a->token, b->what);
	}
	free(list);
	return rc;
}

/* Each selects a sentence for what is wrong. */
static const struct {
	const char *kind, *sql;
} rules_night[] = {
	{"asked-on-full-disk", "SELECT f.verb||' '||f.id||' left while the disk was full' FROM effect f JOIN gate g ON g.kind='disk' WHERE "
		"(f.verb='offer' OR (f.verb='submit' AND f.step=0)) AND f.released_seq>=g.opened_seq AND (g.lifted_seq IS NULL OR f.released_seq<g.lifted_seq) LIMIT 1"},
	/* [I12] each target of an event has one verdict, neither more nor fewer than were considered */
	{"verdicts", "SELECT e.name||': '||t.n||' targets, '||(SELECT count(DISTINCT v.target) FROM verdict v WHERE v.event=e.id AND v.target IS NOT NULL)||' with a verdict' "
		"FROM event e JOIN (SELECT event,count(*) AS n FROM target GROUP BY event) t ON t.event=e.id WHERE t.n<>(SELECT count(DISTINCT v.target) FROM "
		"verdict v JOIN target g ON g.id=v.target AND g.event=e.id WHERE v.event=e.id) LIMIT 1"},
	/* [I16] hours of a policy in an event: all that is alive, unsure, done or was begun, by the offers' own figures */
	{"event-budget", "SELECT e.name||': '||round(sum(ifnull(r.seconds,0))/3600,3)||' h of '||json_extract(p.body,'$.budget_h.event') FROM request r "
		"JOIN policy p ON p.id=r.policy JOIN event e ON e.id=r.event WHERE p.current=1 AND json_extract(p.body,'$.budget_h.event') IS NOT NULL AND "
		"NOT EXISTS (SELECT 1 FROM policy o WHERE o.name=p.name AND o.id<>p.id) AND r.state IN ('asked','unsure','accepted','scheduled','running','done') "
		"AND NOT EXISTS (SELECT 1 FROM request_change c WHERE c.request=r.id AND c.from_state IN ('cancelled','expired','failed','declined')) "
		"GROUP BY r.event,p.name HAVING sum(ifnull(r.seconds,0))>3600*json_extract(p.body,'$.budget_h.event')+1 LIMIT 1"},
};

int judge_rules(sqlite3 *db, char broken[64], struct err *e)
{
	char what[300] = "";
	for (size_t i = 0; i < sizeof rules_night / sizeof rules_night[0]; i++) {
		int rc = query_text(db, what, sizeof what, e, rules_night[i].sql, "");
		if (rc < 0)
			return -1;
		if (rc == 1)
			return err_set(e, broke(broken, rules_night[i].kind), "%s", what);
	}
	return 0;
}

/* Requests of a facility that cannot cancel, with the alarm that says so. */
#define TOLD_TO_A_PERSON "SELECT c.token FROM request c JOIN facility f ON f.name=c.facility JOIN alarm a ON a.subject=c.token AND a.what='cancel' " \
	"AND a.cleared_seq IS NULL WHERE c.state='cancelling' AND json_extract(f.descriptor,'$.can_cancel')=0"

int judge_busy(sqlite3 *db, struct err *e)
{
	static const char busy[] = /* what a person must withdraw is for the facility's own time to end */
		"SELECT (SELECT count(*) FROM sweep s JOIN facility f ON f.name=s.facility AND f.state<>'gone' WHERE s.state='open')"
		"+(SELECT count(*) FROM request WHERE state IN ('planned','offered','asked','unsure','accepted','scheduled','running') OR "
		"(state='cancelling' AND token NOT IN (" TOLD_TO_A_PERSON ")))"
		"+(SELECT count(*) FROM effect WHERE state='released')+(SELECT count(*) FROM effect WHERE state='waiting' AND kind<>'call')";
	int64_t n = 0;
	return query_int(db, &n, e, busy, "") < 0 ? -1 : n > 0;
}

int judge_rest(sqlite3 *db, int64_t now_us, int64_t tick_us, char broken[64], struct err *e)
{
	static const struct {
		const char *kind, *sql;
	} rules[] = {
		{"rest-unsure", "SELECT 'request '||id||' '||token||' is still '||state||', '||ifnull(unwanted_why,'wanted') FROM request "
			"WHERE state IN ('unsure','cancelling') AND token NOT IN (" TOLD_TO_A_PERSON ") "
			"AND ?1>0 AND ?2>=0 LIMIT 1"},
		{"rest-sweep", "SELECT s.facility||' has not shown yet what it has of ours: '||ifnull((SELECT outcome FROM effect WHERE facility=s.facility AND "
			"verb='find' AND request IS NULL ORDER BY id DESC LIMIT 1),'') FROM sweep s JOIN facility f ON f.name=s.facility AND f.state<>'gone' "
			"WHERE s.state='open' AND ?1>0 AND ?2>=0 LIMIT 1"},
		{"rest-asked", "SELECT 'request '||r.id||' is asked, and no submit waits' FROM request r WHERE r.state='asked' AND ?1>0 AND ?2>=0 "
			"AND NOT EXISTS (SELECT 1 FROM effect f WHERE f.request=r.id AND f.verb='submit' AND f.state='waiting') LIMIT 1"},
		{"rest-late", "SELECT 'request '||id||' is '||state||' long after its window' FROM request WHERE state IN ('asked','accepted',"
			"'scheduled','running') AND end_us<?1-7200000000 AND ?2>=0 LIMIT 1"},
		{"rest-idle", "SELECT 'request '||id||' is '||state||' after its window' FROM request WHERE state IN ('planned','offered','held') "
			"AND end_us<?1-60000000 AND ?2>=0 LIMIT 1"},
		{"rest-released", "SELECT 'effect '||id||' ('||kind||' '||ifnull(verb,compute)||') was released and never answered' FROM effect "
			"WHERE state='released' AND released_tick_us<?2-300000000 AND ?1>0 LIMIT 1"},
		{"rest-waiting", "SELECT 'effect '||id||' ('||kind||' '||ifnull(verb,compute)||') waits and is overdue' FROM effect WHERE state='waiting' "
			"AND ifnull(verb,'') NOT IN ('offer','submit') AND ifnull(due_tick_us,0)<?2-900000000 AND ifnull(due_utc_us,0)<?1 "
			"AND seq<(SELECT max(seq) FROM input WHERE tick_us<?2-900000000) LIMIT 1"},
	};
	char what[300] = "";
	for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
		int rc = query_text(db, what, sizeof what, e, rules[i].sql, "ii", now_us, tick_us);
		if (rc < 0)
			return -1;
		if (rc == 1)
			return err_set(e, broke(broken, rules[i].kind), "not at rest: %s", what);
	}
	return 0;
}

int judge_compare(const char *got, const char *op, const char *want, const char *what, struct err *e)
{
	char *end_got, *end_want;
	double a = strtod(got, &end_got), b = strtod(want, &end_want);
	bool numbers = *got && *want && *end_got == '\0' && *end_want == '\0', ok;
	int order = numbers ? (a > b) - (a < b) : strcmp(got, want);
	ok = strcmp(op, "=") == 0 ? order == 0 : strcmp(op, "!=") == 0 ? order != 0 : strcmp(op, ">=") == 0 ? order >= 0 : order <= 0;
	return ok ? 0 : err_set(e, ERR_INPUT, "%.300s is %s, not %s %s", what, got, op, want);
}

int judge_split(char *line, char **op, char **want, struct err *e)
{
	static const char *const ops[] = {" = ", " != ", " >= ", " <= "};
	char *best = NULL;
	size_t best_len = 0;
	for (size_t i = 0; i < 4; i++)
		for (char *p = line; (p = strstr(p, ops[i])) != NULL; p++)
			if (best == NULL || p > best) {
				best = p;
				best_len = strlen(ops[i]);
			}
	if (best == NULL)
		return err_set(e, ERR_INPUT, "expect needs: SOMETHING = VALUE (or !=, >=, <=)");
	*best = '\0';
	*op = best + 1;
	(*op)[best_len - 2] = '\0';
	*want = best + best_len;
	return 0;
}

/* Policies against events: who is worth a telescope, by the newest revision that could be judged. */
#include "engine/base/json.h"
#include "engine/base/query.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include "engine/core/turn.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What is decided about one event. */
struct matter {
	int64_t event, alert;
	const char *name, *type;
	bool early, test, by_person, watch;
	struct facts facts;
	json_t *owner;
};

bool facts_load(struct core *c, int64_t alert, struct facts *out, json_t **owner)
{
	json_t *row = get_row(c, "SELECT * FROM fact WHERE alert=?", "i", alert);
	*owner = row;
	if (row == NULL)
		return false;
	for (int i = 0; i < FACT_COUNT; i++) {
		out->number[i] = fact_info[i].type == FACT_REAL ? json_number(row, fact_info[i].name, NAN) : NAN;
		out->text[i] = fact_info[i].type == FACT_TEXT ? json_text(row, fact_info[i].name, NULL) : NULL;
	}
	out->map_pending = strcmp(json_text(row, "map_state", ""), "wanted") == 0;
	return true;
}

#define SET_MAP(name, type, from_map, null) SET_MAP_##from_map(name)
#define SET_MAP_0(name)
#define SET_MAP_1(name) "," #name "=?"
#define BIND_MAP(name, type, from_map, null) BIND_MAP_##from_map(name)
#define BIND_MAP_0(name)
#define BIND_MAP_1(name) sqlite3_bind_double(q, n++, f->number[FACT_##name]);
static void map_facts_put(struct core *c, int64_t alert, const struct facts *f)
{
	static const char update[] = "UPDATE fact SET map_state='ready'" FACTS(SET_MAP) " WHERE alert=?";
	sqlite3_stmt *q = failed(c) ? NULL : query_prepare(c->db, update, &c->fault);
	if (q == NULL)
		return;
	int n = 1;
	FACTS(BIND_MAP) /* NaN binds NULL */
	sqlite3_bind_int64(q, n, alert);
	(void)query_step(q, &c->fault);
	sqlite3_finalize(q);
}

void facts_store_map(struct core *c, const char *map_sha256)
{
	static const char waiting[] = "SELECT a.id FROM alert a JOIN fact f ON f.alert=a.id WHERE a.map_sha256=? "
				      "AND f.map_state IN ('wanted','late') ORDER BY a.id";
	json_t *summary = get_json(c, "SELECT summary FROM skymap WHERE sha256=? AND state='ready'", "t", map_sha256);
	json_t *rows = get_rows(c, waiting, "t", map_sha256), *row;
	size_t i;
	json_array_foreach(rows, i, row) {
		int64_t alert = json_int(row, "id", 0);
		struct facts f;
		json_t *owner;
		if (summary == NULL) {
			put(c, "UPDATE fact SET map_state='failed' WHERE alert=?", "i", alert);
		} else if (facts_load(c, alert, &f, &owner)) {
			facts_of_map(summary, &f);
			map_facts_put(c, alert, &f);
			json_decref(owner);
		}
		char key[64];
		snprintf(key, sizeof key, "map_wait:%lld", (long long)alert);
		timer_drop(c, key);
	}
	json_decref(rows);
	json_decref(summary);
}

void event_decided_maps(struct core *c, const char *map_sha256)
{
	static const char with_it[] = "SELECT DISTINCT event AS id FROM alert WHERE map_sha256=? ORDER BY event";
	json_t *rows = get_rows(c, with_it, "t", map_sha256), *row;
	size_t i;
	json_array_foreach(rows, i, row)
		decide_event(c, json_int(row, "id", 0));
	json_decref(rows);
}

static void decision_put(struct core *c, const struct matter *m, const struct policy *p, int64_t alert, const char *outcome, const char *state,
			 const char *missing)
{
	static const char upsert[] =
		"INSERT INTO decision(event,policy,alert,outcome,state,missing,changed_seq) VALUES(?1,?2,?3,?4,?5,?6,?7) "
		"ON CONFLICT(event,policy) DO UPDATE SET alert=?3,outcome=?4,state=?5,missing=?6,changed_seq=?7 "
		"WHERE alert<>?3 OR outcome<>?4 OR state<>?5 OR ifnull(missing,'')<>ifnull(?6,'')";
	put(c, upsert, "itittti", m->event, p->name, alert, outcome, state, missing && missing[0] ? missing : NULL, c->seq);
}

static void ask_approval(struct core *c, struct matter *m, struct policy *p)
{
	bool may = false;
	char key[400];
	if (get_int(c, 0, "SELECT approved FROM decision WHERE event=? AND policy=?", "it", m->event, p->name))
		return;
	if (!m->by_person && policy_auto(p, &m->facts, &may, &c->fault) < 0)
		return;
	snprintf(key, sizeof key, "approval:%lld:%s", (long long)m->event, p->name);
	if (may) {
		if (gate_lift(c, "approval", m->event, NULL, 0, p->name))
			timer_drop(c, key);
		return;
	}
	if (get_int(c, 0, "SELECT 1 FROM gate WHERE kind='approval' AND event=? AND policy=? AND lifted_seq IS NULL", "it", m->event, p->name))
		return;
	gate_open(c, "approval", m->event, NULL, 0, p->name, UTC_NONE, "waits for a person");
	timer_set(c, key, "approval", m->event, p->name, UTC_NONE, c->tick_us + (int64_t)(p->unanswered_min * 60e6));
	say(c, m->event, "approval", "policy %s believes %s and waits for a person: slew ctl approve %s %s", p->name, m->name, m->name, p->name);
}

/* The rules have changed, not the alert: only a newer revision downgrades; a person decides on what goes on by the old ones. */
static void not_by_these_rules(struct core *c, const struct matter *m, const struct policy *p)
{
	char subject[400];
	decision_put(c, m, p, m->alert, "false", "triggered", NULL);
	snprintf(subject, sizeof subject, "%s/%s", m->name, p->name);
	alarm_raise(c, subject, "policy", "policy %s as it is now would not take %s, which it was triggered by before: it goes on; slew ctl veto %s withdraws it",
		    p->name, m->name, m->name);
}

static void by_these_rules(struct core *c, const struct matter *m, const struct policy *p)
{
	char subject[400];
	snprintf(subject, sizeof subject, "%s/%s", m->name, p->name);
	alarm_clear(c, subject, "policy");
}

/* What a person should bear in mind who looks for a transient there; "" while the map is not read. */
static void unrelated(struct core *c, const struct matter *m, char *out, size_t size)
{
	static const char known[] = "SELECT json_extract(s.summary,'$.unrelated_supernovae') FROM alert a JOIN skymap s ON s.sha256=a.map_sha256 "
				    "WHERE a.id=? AND s.state='ready'";
	double expected = get_double(c, NAN, known, "i", m->alert);
	out[0] = '\0';
	if (isfinite(expected))
		snprintf(out, size, "%.2g unrelated supernovae younger than 30 d are expected in its 90 %% volume", expected);
}

/* Where a policy was triggered before the map was read: once, now that it is. */
static void unrelated_told(struct core *c, const struct matter *m)
{
	static const char told[] = "SELECT 1 FROM message_out WHERE sink='log' AND kind IN ('triggered','supernovae') AND event=? AND "
				   "instr(body,'unrelated supernovae')>0 LIMIT 1";
	char supernovae[120];
	unrelated(c, m, supernovae, sizeof supernovae);
	if (supernovae[0] != '\0' && get_int(c, 0, told, "i", m->event) == 0)
		say(c, m->event, "supernovae", "%s: %s", m->name, supernovae);
}

static void believed(struct core *c, struct matter *m, struct policy *p, const char *was)
{
	char key[400], supernovae[120];
	by_these_rules(c, m, p);
	bool stays = strcmp(was, "triggered") == 0 || strcmp(was, "downgraded") == 0;
	if (m->early && !stays && p->early_warning != EARLY_SUBMIT) {
		bool warm = p->early_warning == EARLY_WARM;
		decision_put(c, m, p, m->alert, "true", warm ? "warm" : "idle", NULL);
		verdict_put(c, m->event, p->name, 0, warm ? "held" : "not_triggered", NULL,
			    warm ? "an early warning: made ready, submitted only on a later revision" : "the policy ignores early warnings");
		if (warm && strcmp(was, "warm") != 0)
			say(c, m->event, "early_warning", "policy %s: early warning %s, made ready", p->name, m->name);
		return;
	}
	decision_put(c, m, p, m->alert, "true", "triggered", NULL);
	if (strcmp(was, "downgraded") == 0) {
		gate_lift(c, "downgraded", m->event, NULL, 0, p->name);
		snprintf(key, sizeof key, "downgrade:%lld:%s", (long long)m->event, p->name);
		timer_drop(c, key);
	}
	if (strcmp(was, "triggered") != 0) {
		unrelated(c, m, supernovae, sizeof supernovae);
		say(c, m->event, "triggered", "policy %s was triggered by %s (%s)%s%s%s", p->name, m->name, m->type,
		    p->observes ? "" : ": it tells, and asks no telescope", supernovae[0] ? "; " : "", supernovae);
	} else {
		unrelated_told(c, m);
	}
	if (m->watch)
		verdict_put(c, m->event, p->name, 0, "watch", NULL, "");
	else if (p->observes && isnan(m->facts.number[FACT_area90_deg2]) && !m->facts.map_pending)
		verdict_put(c, m->event, p->name, 0, "unread_map", NULL, "there is no sky map to rank galaxies with");
	else
		verdict_drop(c, m->event, p->name);
	if (p->observes)
		ask_approval(c, m, p);
}

static void doubted(struct core *c, struct matter *m, struct policy *p, const char *was)
{
	char key[400];
	bool triggered = strcmp(was, "triggered") == 0;
	bool downgraded = triggered || strcmp(was, "downgraded") == 0;
	by_these_rules(c, m, p);
	decision_put(c, m, p, m->alert, "false", downgraded ? "downgraded" : "idle", NULL);
	verdict_put(c, m->event, p->name, 0, "not_triggered", NULL, downgraded ? "a newer revision took it back" : "");
	if (!triggered)
		return;
	int64_t due = c->utc_us + (int64_t)(p->on_downgrade_min * 60e6);
	gate_open(c, "downgraded", m->event, NULL, 0, p->name, due, "a newer revision is below the policy");
	snprintf(key, sizeof key, "downgrade:%lld:%s", (long long)m->event, p->name);
	timer_set(c, key, "downgrade", m->event, p->name, due, UTC_NONE);
	say(c, m->event, "downgraded", "policy %s: %s (%s) is below it now", p->name, m->name, m->type);
}

static void unknown(struct core *c, struct matter *m, struct policy *p, const json_t *decision, const struct policy_answer *a)
{
	const char *was = json_text(decision, "state", "idle");
	bool waiting = a->waits_for_map && m->facts.map_pending;
	char detail[640];
	decision_put(c, m, p, json_int(decision, "alert", m->alert), waiting ? "waiting" : "unknown", was, a->missing);
	if (strcmp(was, "triggered") == 0)
		return;
	snprintf(detail, sizeof detail, "%s%s", waiting ? "waiting for the sky map: " : "", a->missing);
	verdict_put(c, m->event, p->name, 0, "unknown_fact", NULL, detail);
}

/* The newest revision says neither yes nor no: then the newest older one that does, unless the policy has decided on it already. So a late
 * or unreadable map hides no alert, and the order in which revisions come does not matter. */
static void decide_older(struct core *c, const struct matter *m, struct policy *p, const json_t *decision)
{
	static const char older[] = "SELECT id,type FROM alert WHERE event=? AND id<>? AND type<>'RETRACTION' "
				    "ORDER BY time_created_us DESC,type_rank DESC,sha256 DESC";
	const char *was = json_text(decision, "state", "idle");
	int64_t decided = strcmp(was, "idle") == 0 ? 0 : json_int(decision, "alert", 0);
	json_t *rows = get_rows(c, older, "ii", m->event, m->alert), *row;
	struct policy_answer a = {.outcome = OUTCOME_UNKNOWN};
	size_t i;
	json_array_foreach(rows, i, row) {
		struct matter o = *m;
		o.alert = json_int(row, "id", 0);
		o.type = json_text(row, "type", "");
		o.early = strcmp(o.type, "EARLYWARNING") == 0;
		if (o.alert == decided || a.outcome != OUTCOME_UNKNOWN)
			break;
		if (facts_load(c, o.alert, &o.facts, &o.owner) && policy_evaluate(p, &o.facts, &a, &c->fault) == 0) {
			if (a.outcome == OUTCOME_TRUE)
				believed(c, &o, p, was);
			else if (a.outcome == OUTCOME_FALSE)
				doubted(c, &o, p, was);
		}
		json_decref(o.owner);
	}
	json_decref(rows);
}

static void decide_one(struct core *c, struct matter *m, struct policy *p)
{
	static const char before[] = "SELECT * FROM decision WHERE event=? AND policy=?";
	struct policy_answer a;
	if (m->test && !p->tests) {
		verdict_put(c, m->event, p->name, 0, "test", NULL, "the policy refuses tests");
		return;
	}
	json_t *decision = get_row(c, before, "it", m->event, p->name);
	const char *was = json_text(decision, "state", "idle");
	double age_s = m->facts.number[FACT_age_s];
	bool asks_none = strcmp(was, "idle") == 0 || strcmp(was, "warm") == 0;
	if (asks_none && age_s > p->max_age_h * 3600) {
		char detail[64];
		snprintf(detail, sizeof detail, "%.1f h after the event", age_s / 3600);
		verdict_put(c, m->event, p->name, 0, "too_old", NULL, detail);
	} else if (policy_evaluate(p, &m->facts, &a, &c->fault) == 0) {
		if (a.outcome == OUTCOME_TRUE)
			believed(c, m, p, was);
		else if (a.outcome == OUTCOME_FALSE && strcmp(was, "triggered") == 0 && json_int(decision, "alert", 0) == m->alert)
			not_by_these_rules(c, m, p);
		else if (a.outcome == OUTCOME_FALSE)
			doubted(c, m, p, was);
		else {
			if (!a.waits_for_map || !m->facts.map_pending) {
				decide_older(c, m, p, decision);
				json_decref(decision);
				decision = get_row(c, before, "it", m->event, p->name);
			}
			unknown(c, m, p, decision, &a);
		}
	}
	json_decref(decision);
}

/* Low significance is watched: ranked and shown, no requests, until significance, a joint one or an order; closed after 72 h. */
static void watch(struct core *c, struct matter *m)
{
	char key[64];
	snprintf(key, sizeof key, "watch:%lld", (long long)m->event);
	bool low = m->facts.number[FACT_significant] == 0 && isnan(m->facts.number[FACT_joint_far_per_year]);
	static const char ever[] = "SELECT CASE WHEN g.lifted_seq IS NULL THEN 1 WHEN i.kind<>'order' THEN -1 ELSE 0 END FROM gate g "
				   "LEFT JOIN input i ON i.seq=g.lifted_seq WHERE g.kind='watch' AND g.event=? ORDER BY g.id DESC LIMIT 1";
	int64_t open = get_int(c, -1, ever, "i", m->event);
	m->watch = low && open != 0; /* lifted by an order: not closed again by the next low revision; by a revision: the newest says */
	if (low && open == -1) {
		int64_t due = c->utc_us + 72 * UTC_HOUR;
		gate_open(c, "watch", m->event, NULL, 0, NULL, due, "low significance");
		timer_set(c, key, "watch", m->event, NULL, due, UTC_NONE);
	} else if (!low && open == 1) {
		gate_lift(c, "watch", m->event, NULL, 0, NULL);
		timer_drop(c, key);
	}
}

static void event_state(struct core *c, const struct matter *m)
{
	static const char update[] =
		"UPDATE event SET changed_seq=?1,state=CASE WHEN state='retracted' OR (state='closed' AND ?3) THEN state WHEN ?3 THEN 'watch' "
		"WHEN EXISTS(SELECT 1 FROM decision WHERE event=?2 AND state='triggered') THEN 'triggered' "
		"WHEN EXISTS(SELECT 1 FROM decision WHERE event=?2 AND state='downgraded') THEN 'downgraded' ELSE 'heard' END WHERE id=?2";
	put(c, update, "iii", c->seq, m->event, (int64_t)m->watch);
}

static void shut(struct core *c, int64_t event, const char *code, const char *detail)
{
	static const char names[] = "SELECT name FROM policy WHERE current=1 ORDER BY name";
	json_t *rows = get_rows(c, names, ""), *row;
	size_t i;
	json_array_foreach(rows, i, row)
		verdict_put(c, event, json_text(row, "name", ""), 0, code, NULL, detail);
	if (json_array_size(rows) == 0)
		verdict_put(c, event, "", 0, code, NULL, detail);
	json_decref(rows);
}

static void decide_all(struct core *c, struct matter *m)
{
	static const char current[] = "SELECT id FROM policy WHERE current=1 ORDER BY name";
	json_t *rows = get_rows(c, current, ""), *row;
	size_t i;
	watch(c, m);
	json_array_foreach(rows, i, row) {
		struct policy *p = rule_find(c, json_int(row, "id", 0));
		if (p != NULL)
			decide_one(c, m, p);
	}
	if (json_array_size(rows) == 0)
		verdict_put(c, m->event, "", 0, "not_triggered", NULL, "no policy is configured");
	json_decref(rows);
	event_state(c, m);
	event_warm(c, m->event);
}

void decide_event(struct core *c, int64_t event)
{
	static const char row_of[] = "SELECT e.*,a.type FROM event e LEFT JOIN alert a ON a.id=e.latest_alert WHERE e.id=?";
	static const char gate_test[] = "SELECT 1 FROM gate WHERE kind='test' AND event=? AND lifted_seq IS NULL";
	json_t *row = get_row(c, row_of, "i", event);
	const char *state = json_text(row, "state", "");
	struct matter m = {
		.event = event, .alert = json_int(row, "latest_alert", 0), .name = json_text(row, "name", ""), .type = json_text(row, "type", ""),
		.test = strcmp(json_text(row, "is_test", "[]"), "[]") != 0, .by_person = json_int(row, "by_person", 0) == 1,
	};
	m.early = strcmp(m.type, "EARLYWARNING") == 0;
	if (strcmp(state, "retracted") == 0)
		shut(c, event, "retracted", "");
	else if (get_int(c, 0, gate_test, "i", event))
		shut(c, event, "test", "found to be a test");
	else if (facts_load(c, m.alert, &m.facts, &m.owner)) {
		decide_all(c, &m);
		json_decref(m.owner);
	}
	json_decref(row);
}

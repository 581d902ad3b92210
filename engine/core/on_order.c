/* An operator's order: journalled with who and why, then obeyed. A veto always wins; every order is answered after the commit. */
#include "engine/base/hash.h"
#include "engine/base/json.h"
#include "engine/base/query.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include "engine/core/turn.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct order {
	const json_t *body;
	int64_t uid, event, target;  /* 0: not named */
	char event_name[LIMIT_EVENT_ID + 1], facility[64];
};

static void answer(struct core *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void answer(struct core *c, const char *format, ...)
{
	char raw[1024], text[sizeof raw];
	va_list ap;
	va_start(ap, format);
	vsnprintf(raw, sizeof raw, format, ap);
	va_end(ap);
	text_escape(text, sizeof text, raw, strlen(raw)); /* cut to fit, maybe within a character */
	json_decref(c->answer);
	c->answer = json_pack("{s:b,s:s}", "ok", 1, "text", text);
}

static int64_t event_find(struct core *c, const char *name)
{
	static const char many[] = "SELECT count(*) FROM event WHERE name=?";
	static const char one[] = "SELECT id FROM event WHERE name=?";
	return get_int(c, 0, many, "t", name) == 1 ? get_int(c, 0, one, "t", name) : 0;
}

static bool event_named(struct core *c, struct order *o)
{
	const char *name = json_text(o->body, "event", "");
	o->event = event_find(c, name);
	snprintf(o->event_name, sizeof o->event_name, "%s", name);
	if (o->event == 0)
		refuse(c, "order: no event \"%.100s\" is known; see slew ctl events", name);
	return o->event != 0;
}

static int64_t target_find(struct core *c, int64_t event, const char *name)
{
	static const char sql[] = "SELECT id FROM target WHERE event=?1 AND (key=?2 OR name=?2 OR replace(name,' ','')=replace(?2,' ','')) ORDER BY "
				  "key=?2 DESC,rank LIMIT 1";
	return get_int(c, 0, sql, "it", event, name);
}

/* FACILITY or TARGET behind an event; nothing is the whole event. */
static bool what_named(struct core *c, struct order *o)
{
	const char *what = json_text(o->body, "what", json_text(o->body, "target", json_text(o->body, "facility", "")));
	if (what[0] == 0)
		return true;
	if (site_find(c, what) != NULL) {
		snprintf(o->facility, sizeof o->facility, "%s", what);
		return true;
	}
	o->target = target_find(c, o->event, what);
	if (o->target == 0)
		refuse(c, "order: \"%.100s\" is neither a facility nor a target of %s; see slew ctl explain %s", what, o->event_name, o->event_name);
	return o->target != 0;
}

static int64_t request_named(struct core *c, const struct order *o)
{
	const json_t *r = json_object_get(o->body, "request");
	int64_t id = json_is_integer(r) ? get_int(c, 0, "SELECT id FROM request WHERE id=?", "i", (int64_t)json_integer_value(r)) :
		     get_int(c, 0, "SELECT id FROM request WHERE token=?1 OR CAST(id AS TEXT)=?1", "t", json_text(o->body, "request", ""));
	if (id == 0)
		refuse(c, "order: no such request; see slew ctl requests");
	return id;
}

static void order_veto(struct core *c, struct order *o)
{
	static const char verdicts[] = "UPDATE verdict SET code='vetoed',detail=?1,seq=?2 WHERE event=?3 AND target IS NOT NULL AND "
				       "code<>'observed' AND (?4=0 OR target=?4) AND (?5='' OR facility=?5)";
	if (!event_named(c, o) || !what_named(c, o))
		return;
	const char *why = json_text(o->body, "why", "by order");
	gate_open(c, "veto", o->event, o->facility[0] ? o->facility : NULL, o->target, NULL, UTC_NONE, why);
	requests_unwant(c, "vetoed", o->event, o->facility, o->target, NULL, PURPOSES_all);
	put(c, verdicts, "tiiit", why, c->seq, o->event, o->target, o->facility);
	answer(c, "vetoed: %s %s; until slew ctl release", o->event_name, json_text(o->body, "what", ""));
}

static void order_release(struct core *c, struct order *o)
{
	if (!event_named(c, o) || !what_named(c, o))
		return;
	if (!gate_lift(c, "veto", o->event, o->facility[0] ? o->facility : NULL, o->target, NULL)) {
		refuse(c, "release: there is no such veto on %s", o->event_name);
		return;
	}
	decide_event(c, o->event);
	want_plan(c, o->event);
	answer(c, "released: %s %s", o->event_name, json_text(o->body, "what", ""));
}

static bool hold_scope(struct core *c, struct order *o)
{
	const char *what = json_text(o->body, "what", "all");
	if (strcmp(what, "all") == 0)
		return true;
	if (site_find(c, what) != NULL)
		snprintf(o->facility, sizeof o->facility, "%s", what);
	else
		o->event = event_find(c, what);
	if (o->facility[0] == 0 && o->event == 0)
		refuse(c, "hold: \"%.100s\" is neither a facility nor an event (nor all)", what);
	return o->facility[0] || o->event;
}

static void order_hold(struct core *c, struct order *o)
{
	if (!hold_scope(c, o))
		return;
	gate_open(c, "hold", o->event, o->facility[0] ? o->facility : NULL, 0, NULL, UTC_NONE, json_text(o->body, "why", "by order"));
	answer(c, "held: %s; nothing new is submitted, polls and cancels go on", json_text(o->body, "what", "all"));
}

#define RESTORING "kind='restore' AND lifted_seq IS NULL AND (?1='' OR facility=?1)"

/* A person has looked: the gate of a restored copy opens before its sweep has ended, or for a facility that cannot be searched. */
static bool restore_resume(struct core *c, const struct order *o)
{
	static const char lift[] = "UPDATE gate SET lifted_seq=?2 WHERE " RESTORING;
	if (o->event != 0)
		return false;
	put(c, lift, "ti", o->facility, c->seq);
	return !failed(c) && sqlite3_changes(c->db) > 0;
}

/* One order opens one gate: whoever lifts a hold of their own has not looked for what a restored copy has forgotten. */
static void order_resume(struct core *c, struct order *o)
{
	static const char restoring[] = "SELECT 1 FROM gate WHERE " RESTORING;
	const char *what = json_text(o->body, "what", "all");
	if (!hold_scope(c, o))
		return;
	bool held = gate_lift(c, "hold", o->event, o->facility[0] ? o->facility : NULL, 0, NULL);
	bool opened = !held && restore_resume(c, o);
	if (!held && !opened) {
		refuse(c, "resume: %s is not held", what);
		return;
	}
	alarm_clear(c, o->facility, "credentials");
	want_plans(c); /* plans of the meantime did without it */
	if (opened)
		answer(c, "resumed: %s; the gate of a restored copy is open before its sweep has ended", what);
	else if (get_int(c, 0, restoring, "t", o->facility) == 1)
		answer(c, "resumed: %s; nothing is submitted until a restored copy has seen what it has forgotten: once more opens that gate, too, and that "
		       "may be submitted twice", what);
	else
		answer(c, "resumed: %s", what);
}

/* true: enough persons have said so. */
static bool approve_one(struct core *c, const struct order *o, const char *policy)
{
	static const char by[] = "SELECT approved_by FROM decision WHERE event=? AND policy=?";
	static const char update[] = "UPDATE decision SET approved_by=?,approved=?,approved_h=?,changed_seq=? WHERE event=? AND policy=?";
	const struct policy *p = rule_current(c, policy, NULL);
	if (p == NULL)
		return false;
	json_t *list = get_json(c, by, "it", o->event, policy), *x;
	bool known = false;
	size_t i;
	json_array_foreach(list, i, x)
		known |= json_integer_value(x) == o->uid;
	if (!known)
		json_array_append_new(list, json_integer(o->uid));
	bool enough = json_array_size(list) >= (size_t)p->persons;
	char *text = json_compact(list), key[400];
	put(c, update, "tidiit", text, (int64_t)enough, p->budget_event_h, c->seq, o->event, policy);
	free(text);
	if (enough) {
		gate_lift(c, "approval", o->event, NULL, 0, policy);
		snprintf(key, sizeof key, "approval:%lld:%s", (long long)o->event, policy);
		timer_drop(c, key);
		alarm_clear(c, o->event_name, "approval");
	}
	answer(c, enough ? "approved: %s, policy %s" : "noted: %s, policy %s; it wants one more person", o->event_name, policy);
	json_decref(list);
	return enough;
}

/* Of a retracted event only spectra and monitoring that wait can be approved. */
static void approve_retracted(struct core *c, const struct order *o)
{
	static const char waiting[] = "SELECT DISTINCT y.name AS policy FROM request r JOIN policy y ON y.id=r.policy WHERE r.event=?1 AND r.unwanted=0 "
				      "AND r.state IN ('planned','offered','held') AND r.purpose IN ('spectrum','monitor') AND (?2='' OR y.name=?2) ORDER BY 1";
	json_t *rows = get_rows(c, waiting, "it", o->event, json_text(o->body, "policy", "")), *row;
	size_t i;
	json_array_foreach(rows, i, row)
		approve_one(c, o, json_text(row, "policy", ""));
	if (json_array_size(rows) == 0)
		refuse(c, "approve: %s was retracted, and no spectrum or monitoring waits for a person", o->event_name);
	json_decref(rows);
}

static void order_approve(struct core *c, struct order *o)
{
	static const char triggered[] = "SELECT policy FROM decision WHERE event=?1 AND state IN ('triggered','warm','downgraded') AND (?2='' OR policy=?2) "
					"ORDER BY policy";
	if (!event_named(c, o))
		return;
	char key[64], state[16];
	get_text(c, state, sizeof state, "SELECT state FROM event WHERE id=?", "i", o->event);
	if (strcmp(state, "retracted") == 0) {
		approve_retracted(c, o);
		return;
	}
	if (gate_lift(c, "watch", o->event, NULL, 0, NULL)) {
		snprintf(key, sizeof key, "watch:%lld", (long long)o->event);
		timer_drop(c, key);
		decide_event(c, o->event);
	}
	json_t *rows = get_rows(c, triggered, "it", o->event, json_text(o->body, "policy", "")), *row;
	bool any = false;
	size_t i;
	json_array_foreach(rows, i, row)
		any |= approve_one(c, o, json_text(row, "policy", ""));
	if (json_array_size(rows) == 0)
		refuse(c, "approve: no policy was triggered by %s; see slew ctl explain %s", o->event_name, o->event_name);
	else if (any)
		want_plan(c, o->event);
	json_decref(rows);
}

static void order_cancel(struct core *c, struct order *o)
{
	int64_t id = request_named(c, o);
	if (id == 0)
		return;
	char state[16];
	get_text(c, state, sizeof state, "SELECT state FROM request WHERE id=?", "i", id);
	if (failed(c))
		return;
	if (life_class((enum life)life_from_name(state)) == LIFE_CLASS_rest) {
		refuse(c, "cancel: request %lld is %s already", (long long)id, state);
		return;
	}
	request_unwant(c, id, "cancelled by order");
	get_text(c, state, sizeof state, "SELECT state FROM request WHERE id=?", "i", id);
	answer(c, "request %lld: %s", (long long)id, state);
}

static void order_boost(struct core *c, struct order *o)
{
	static const char update[] = "UPDATE request SET body=?,changed_seq=? WHERE id=?";
	int64_t id = request_named(c, o);
	json_t *r = id ? request_load(c, id) : NULL;
	if (r == NULL)
		return;
	if (life_class(request_state(r)) != LIFE_CLASS_idle) {
		refuse(c, "boost: request %lld is %s; what was submitted cannot be changed, cancel it and it is planned anew", (long long)id,
		       json_text(r, "state", ""));
	} else {
		json_t *body = json_parse(json_text(r, "body", "{}"));
		double ipp = fmin(2, json_number(body, "ipp", 1) * 1.25);
		json_object_set_new(body, "ipp", json_real(ipp));
		char *text = json_compact(body);
		put(c, update, "tii", text, c->seq, id);
		answer(c, "request %lld: priority %.2f", (long long)id, ipp);
		free(text);
		json_decref(body);
	}
	json_decref(r);
}

static void order_pin(struct core *c, struct order *o)
{
	if (!event_named(c, o))
		return;
	o->target = target_find(c, o->event, json_text(o->body, "target", json_text(o->body, "what", "")));
	if (o->target == 0) {
		refuse(c, "pin: \"%.100s\" is not a target of %s", json_text(o->body, "target", ""), o->event_name);
		return;
	}
	put(c, "UPDATE target SET pinned=1 WHERE id=?", "i", o->target);
	want_plan(c, o->event);
	answer(c, "pinned: %s for %s", json_text(o->body, "target", ""), o->event_name);
}

/* One fact of the newest revision is replaced in a copy of it, which is newer: a journalled revision by a person. */
static void amend_facts(struct core *c, const struct order *o, int64_t from, int64_t to, const struct fact_info *info)
{
	char sql[256], columns[2048] = "";
	for (int i = 0; i < FACT_COUNT; i++)
		snprintf(columns + strlen(columns), sizeof columns - strlen(columns), ",%s", fact_info[i].name);
	char copy[8192];
	snprintf(copy, sizeof copy, "INSERT INTO fact(alert,map_state%s) SELECT ?,map_state%s FROM fact WHERE alert=?", columns, columns);
	snprintf(sql, sizeof sql, "UPDATE fact SET %s=?,revised=1 WHERE alert=?", info->name);
	const json_t *value = json_object_get(o->body, "value");
	if (failed(c) || query_run(c->db, &c->fault, copy, "ii", to, from) < 0)
		return;
	if (info->type == FACT_TEXT)
		(void)query_run(c->db, &c->fault, sql, "ti", json_string_value(value), to);
	else
		(void)query_run(c->db, &c->fault, sql, "di", json_number_value(value), to);
}

static void order_amend(struct core *c, struct order *o)
{
	static const char insert[] =
		"INSERT INTO alert(event,seq,type,type_rank,time_created_us,sha256,received_us,stream,map_sha256,normal) "
		"SELECT event,?,'UPDATE',3,max(?,time_created_us+1),?,?,'operator',map_sha256,normal FROM alert WHERE id=?";
	const char *name = json_text(o->body, "fact", ""), *by_what = json_text(o->body, "source", "");
	const json_t *value = json_object_get(o->body, "value");
	int fact = fact_find(name, strlen(name));
	if (!event_named(c, o))
		return;
	if (fact < 0 || !(fact_info[fact].type == FACT_TEXT ? json_is_string(value) : json_is_number(value)) || by_what[0] == 0) {
		refuse(c, fact < 0 ? "amend: there is no fact \"%.60s\"" : by_what[0] == 0 ? "amend: %.60s: say by what right, with --source TEXT" :
			  fact_info[fact].type == FACT_TEXT ? "amend: %.60s is a text" : "amend: %.60s is a number", name);
		return;
	}
	int64_t latest = get_int(c, 0, "SELECT latest_alert FROM event WHERE id=?", "i", o->event);
	if (latest == 0) {
		refuse(c, "amend: %s has no revision with facts", o->event_name);
		return;
	}
	char *text = json_compact(o->body), sha256[65];
	hash_sha256_hex(text, strlen(text), sha256);
	free(text);
	put(c, insert, "iitii", c->seq, c->utc_us, sha256, c->utc_us, latest);
	int64_t alert = last_id(c);
	amend_facts(c, o, latest, alert, &fact_info[fact]);
	put(c, "UPDATE event SET latest_alert=?,changed_seq=? WHERE id=?", "iii", alert, c->seq, o->event);
	decide_event(c, o->event);
	answer(c, "amended: %s of %s, by %s", name, o->event_name, by_what);
}

/* Searched at once: what the portal shows decides, not a person's word. */
static void accepted_is_looked_for(struct core *c, int64_t id, const char *facility)
{
	char key[64];
	effects_drop(c, id, "submit", "a person says that it was accepted");
	request_signal(c, id, SIGNAL_doubt, "a person says that it was accepted");
	snprintf(key, sizeof key, "find:%lld", (long long)id);
	timer_drop(c, key);
	if (!effect_pending(c, id, VERB_FIND))
		effect_call(c, facility, VERB_FIND, 0, id, UTC_NONE);
	answer(c, "request %lld: %s is asked for it; its answer decides (with the number it has there: slew ctl accepted %lld NUMBER)", (long long)id, facility,
	       (long long)id);
}

/* A facility run by people answers through the operator; one that can be searched is looked at, unless a person gives the number. */
static void order_accepted(struct core *c, struct order *o)
{
	static const char update[] = "UPDATE request SET remote_id=coalesce(?1,remote_id,'person-'||id),changed_seq=?2 WHERE id=?3";
	static const char other[] = "SELECT id FROM request WHERE facility=? AND remote_id=? AND id<>?";
	static const char flies[] = "SELECT 1 FROM effect WHERE request=? AND verb='submit' AND state='released'";
	const char *number = json_text(o->body, "number", "");
	char facility[64];
	int64_t id = request_named(c, o);
	if (id == 0)
		return;
	get_text(c, facility, sizeof facility, "SELECT facility FROM request WHERE id=? AND state IN ('asked','unsure')", "i", id);
	const struct site *s = site_find(c, facility);
	if (facility[0] == 0)
		refuse(c, "accepted: request %lld is not waiting for an answer", (long long)id);
	else if (get_int(c, 0, flies, "i", id))
		refuse(c, "accepted: the call of request %lld is on its way; its answer decides", (long long)id);
	else if (strlen(number) > 60 || (number[0] && !text_printable(number, strlen(number), 60)))
		refuse(c, "accepted: the number is not printable text of up to 60 characters");
	else if (number[0] && get_int(c, 0, other, "tti", facility, number, id))
		refuse(c, "accepted: %s has number %s for another request", facility, number);
	if (failed(c))
		return;
	if (number[0] == 0 && s != NULL && s->ops != NULL && s->ops->find != NULL) {
		accepted_is_looked_for(c, id, facility);
		return;
	}
	put(c, update, "tii", number[0] ? number : NULL, c->seq, id);
	effects_drop(c, id, "submit", "accepted by order");
	request_signal(c, id, SIGNAL_accepted, "by order");
	answer(c, "request %lld: accepted", (long long)id);
}

static void order_declined(struct core *c, struct order *o)
{
	int64_t id = request_named(c, o);
	struct answer a = {.kind = ANSWER_DECLINED, .stem = "other", .ipp_max = (double)NAN};
	if (id == 0)
		return;
	if (get_int(c, 0, "SELECT state='asked' FROM request WHERE id=?", "i", id) != 1) {
		refuse(c, "declined: request %lld is not asked", (long long)id);
		return;
	}
	if (get_int(c, 0, "SELECT 1 FROM effect WHERE request=? AND verb='submit' AND state='released'", "i", id)) {
		refuse(c, "declined: the call of request %lld is on its way; its answer decides (slew ctl cancel withdraws it)", (long long)id);
		return;
	}
	snprintf(a.words, sizeof a.words, "%s", json_text(o->body, "why", "by order"));
	request_refused(c, id, SIGNAL_declined, &a);
	answer(c, "request %lld: declined", (long long)id);
}

/* A candidate becomes an event of its own, tied to its parent; it is a test where its parent is. */
static void order_promote(struct core *c, struct order *o)
{
	static const char candidate[] = "SELECT k.*,e.name AS parent FROM candidate k JOIN event e ON e.id=k.event WHERE k.id=?1 OR k.name=?2 LIMIT 1";
	static const char insert[] = "INSERT INTO event(issuer,name,state,is_test,time_us,first_seq,changed_seq) SELECT 'slew',?1,'heard',is_test,time_us,?2,?2 "
				     "FROM event WHERE id=?3";
	static const char tie[] = "INSERT INTO association(event,other,role,method,seq) VALUES(?,?,'counterpart','promoted by an operator',?)";
	const json_t *named = json_object_get(o->body, "candidate");
	json_t *k = get_row(c, candidate, "it", (int64_t)json_integer_value(named), json_text(o->body, "candidate", ""));
	if (k == NULL || strcmp(json_text(k, "state", ""), "promoted") == 0) {
		refuse(c, k ? "promote: it is promoted already" : "promote: no such candidate; see slew ctl candidates");
		json_decref(k);
		return;
	}
	char name[LIMIT_EVENT_ID + 1];
	snprintf(name, sizeof name, "%.120s/%.120s", json_text(k, "parent", ""), json_text(k, "name", ""));
	put(c, insert, "tii", name, c->seq, json_int(k, "event", 0));
	put(c, tie, "iii", last_id(c), json_int(k, "event", 0), c->seq);
	put(c, "UPDATE candidate SET state='promoted' WHERE id=?", "i", json_int(k, "id", 0));
	answer(c, "promoted: %s", name);
	json_decref(k);
}

/* From the engine itself (the socket takes no such verb): on a full disk nothing new is asked, so that what is asked can be followed. */
static void order_disk(struct core *c, struct order *o)
{
	bool full = json_flag(o->body, "full", false);
	if (full)
		gate_open(c, "disk", 0, NULL, 0, NULL, UTC_NONE, "the disk is full");
	else
		gate_lift(c, "disk", 0, NULL, 0, NULL);
	answer(c, full ? "the disk is full" : "the disk has room");
}

static void order_reload(struct core *c, struct order *o)
{
	(void)o;
	answer(c, "reload: the configuration is read anew");
}

static const struct {
	const char *verb;
	void (*obey)(struct core *c, struct order *o);
} verbs[] = {
	{"approve", order_approve}, {"veto", order_veto}, {"release", order_release}, {"hold", order_hold}, {"resume", order_resume},
	{"cancel", order_cancel}, {"boost", order_boost}, {"pin", order_pin}, {"amend", order_amend}, {"promote", order_promote},
	{"accepted", order_accepted}, {"declined", order_declined}, {"reload", order_reload},
	{"disk", order_disk},
};

static void order_put(struct core *c, const struct input *in, const json_t *body)
{
	static const char insert[] = "INSERT INTO operator_order(seq,uid,pid,verb,body,why,answer) VALUES(?,?,?,?,?,?,?)";
	char *text = json_compact(body), *reply = json_compact(c->answer);
	put(c, insert, "iiitttt", c->seq, in->uid, in->pid, json_text(body, "verb", ""), text, json_text(body, "why", ""), reply);
	free(text);
	free(reply);
}

void order_refused(struct core *c, const struct input *in, const char *reason)
{
	struct err e = {0};
	char said[LIMIT_WORDS];
	json_t *body = json_read(in->body, in->len, &json_limits_config, &e);
	if (body == NULL) { /* no JSON: what was said, as a text */
		text_escape(said, sizeof said, in->body ? in->body : "", in->body ? in->len : 0);
		body = json_string(said);
	}
	json_decref(c->answer);
	c->answer = json_pack("{s:b,s:s}", "ok", 0, "error", reason);
	order_put(c, in, body);
	json_decref(body);
}

void on_order(struct core *c, const struct input *in)
{
	struct err e = {0};
	json_t *body = json_read(in->body, in->len, &json_limits_config, &e);
	const char *verb = json_text(body, "verb", "");
	struct order o = {.body = body, .uid = in->uid};
	size_t i = 0;
	while (i < sizeof verbs / sizeof verbs[0] && strcmp(verbs[i].verb, verb) != 0)
		i++;
	if (body == NULL)
		refuse_for(c, "order", &e);
	else if (i == sizeof verbs / sizeof verbs[0])
		refuse(c, "order: no such verb \"%.40s\"", verb);
	else
		verbs[i].obey(c, &o);
	if (!failed(c))
		order_put(c, in, body);
	json_decref(body);
}

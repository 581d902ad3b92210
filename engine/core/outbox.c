/* The outbox: what waits is rows; at the end of a turn the gates are asked, slots are counted, and what may go is rendered and marked. */
#include "engine/base/json.h"
#include "engine/base/utc.h"
#include "engine/core/turn.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COMPUTES_AT_ONCE 8

int64_t effect_call(struct core *c, const char *facility, enum verb verb, int step, int64_t request, int64_t due_tick_us)
{
	static const char insert[] = "INSERT INTO effect(seq,kind,state,once,facility,verb,step,request,event,due_tick_us) "
				     "VALUES(?1,'call','waiting',?2,?3,?4,?5,?6,(SELECT event FROM request WHERE id=?6),?7)";
	put(c, insert, "iittinn", c->seq, (int64_t)(verb == VERB_SUBMIT), facility, verb_name(verb), (int64_t)step, request ? request : UTC_NONE,
	    due_tick_us);
	return last_id(c);
}

bool effect_pending(struct core *c, int64_t request, enum verb verb)
{
	static const char sql[] = "SELECT 1 FROM effect WHERE request=? AND verb=? AND state IN ('waiting','released')";
	return get_int(c, 0, sql, "it", request, verb_name(verb)) == 1;
}

void effect_close(struct core *c, int64_t id, const char *state, const char *outcome)
{
	char name[32];
	snprintf(name, sizeof name, "effect %lld", (long long)id);
	put(c, "UPDATE effect SET state=?,outcome=?,done_seq=? WHERE id=?", "ttii", state, outcome, c->seq, id);
	alarm_clear(c, name, "stuck");
}

void effect_again(struct core *c, int64_t id, int64_t due_tick_us, const char *outcome)
{
	put(c, "UPDATE effect SET state='waiting',due_tick_us=?,outcome=? WHERE id=?", "nti", due_tick_us, outcome, id);
}

void effects_drop(struct core *c, int64_t request, const char *verb, const char *why)
{
	static const char drop[] = "UPDATE effect SET state='dropped',outcome=?1,done_seq=?2 WHERE request=?3 AND state='waiting' "
				   "AND (verb=?4 OR (?4='' AND verb IN ('offer','submit','poll')))";
	put(c, drop, "tiit", why, c->seq, request, verb ? verb : "");
}

int64_t backoff_us(int failures)
{
	int n = failures < 1 ? 1 : failures > 9 ? 9 : failures;
	int64_t s = (int64_t)1 << n;
	return (s > 300 ? 300 : s) * UTC_SECOND;
}

static json_t *proposals_of(struct core *c, const char *facility)
{
	static const char active[] = "SELECT DISTINCT proposal FROM programme WHERE facility=? AND state='active' ORDER BY proposal";
	json_t *rows = get_rows(c, active, "t", facility), *row, *list = json_array();
	size_t i;
	json_array_foreach(rows, i, row)
		json_array_append(list, json_object_get(row, "proposal"));
	json_decref(rows);
	return list;
}

/* What the event's newest alert says of it. */
static void vision_event(struct core *c, struct vision *v, int64_t event)
{
	static const char newest[] = "SELECT a.normal FROM event e JOIN alert a ON a.id=e.latest_alert WHERE e.id=?";
	static const char revised[] = "SELECT count(*)>1 FROM alert WHERE event=?";
	v->alert = get_json(c, newest, "i", event);
	v->request.detectors = json_object_get(v->alert, "instruments");
	v->request.is_update = get_int(c, 0, revised, "i", event) == 1;
}

void vision_open(struct core *c, struct vision *v, const struct site *s, const json_t *request, enum verb verb, int step)
{
	memset(v, 0, sizeof *v);
	v->conf = (struct facility_conf){.name = s->name, .descriptor = s->descriptor};
	v->facility_memo = get_json(c, "SELECT memo FROM facility WHERE name=?", "t", s->name);
	v->view = (struct view){.now_us = c->utc_us, .verb = verb, .step = step, .facility_memo = v->facility_memo, .prefix = c->prefix,
				.since_us = UTC_NONE};
	if (request == NULL && verb == VERB_FIND) {
		v->view.since_us = sweep_since(c, s->name);
		v->proposals = proposals_of(c, s->name);
		v->view.proposals = v->proposals;
	}
	if (request == NULL)
		return;
	v->memo = json_parse(json_text(request, "memo", "{}"));
	v->body = json_parse(json_text(request, "body", "{}"));
	v->request = (struct facility_request){
		.token = json_text(request, "token", ""), .remote_id = json_text(request, "remote_id", ""),
		.event = json_text(request, "event_name", ""), .target_name = json_text(request, "target_name", ""),
		.proposal = json_text(request, "proposal", ""), .mode = json_text(request, "mode", "NORMAL"),
		.ra_deg = json_number(request, "ra_deg", NAN), .dec_deg = json_number(request, "dec_deg", NAN),
		.exposure_s = json_number(v->body, "exposure_s", NAN), .ipp = json_number(v->body, "ipp", 1),
		.max_airmass = json_number(v->body, "max_airmass", 2), .min_moon_deg = json_number(v->body, "min_moon_deg", 20),
		.count = (int)json_int(v->body, "count", 1), .filters = json_object_get(v->body, "filters"),
		.instrument = json_text(v->body, "instrument", ""), .site = json_flag(v->body, "pin_site", false) ? json_text(v->body, "site", "") : "",
		.start_us = json_int(request, "start_us", 0), .end_us = json_int(request, "end_us", 0),
		.created_us = json_int(request, "created_us", 0),
	};
	v->request.policy = json_text(request, "policy_name", "");
	v->request.region = json_text(v->body, "region", "");
	v->request.event_us = json_int(request, "event_us", UTC_NONE);
	v->request.is_test = json_int(request, "is_test", 0) == 1;
	if (v->request.region[0] != '\0') /* only what is told of a region asks for it */
		vision_event(c, v, json_int(request, "event", 0));
	v->view.request = &v->request;
	v->view.memo = v->memo;
}

void vision_close(struct vision *v)
{
	json_decref(v->alert);
	json_decref(v->body);
	json_decref(v->memo);
	json_decref(v->facility_memo);
	json_decref(v->proposals);
}

static void hand_over(struct effects *out, int64_t id, enum effect_kind kind, bool once, const char *facility, json_t *body)
{
	if (out->count == out->cap) {
		out->cap = out->cap ? 2 * out->cap : 16;
		out->list = realloc(out->list, out->cap * sizeof *out->list);
		must_memory(out->list != NULL);
	}
	struct effect *x = &out->list[out->count++];
	*x = (struct effect){.id = id, .kind = kind, .once = once, .body = body};
	snprintf(x->facility, sizeof x->facility, "%s", facility ? facility : "");
}

static void mark_released(struct core *c, int64_t id, bool once, const char *body)
{
	static const char update[] = "UPDATE effect SET state='released',once=?,body=?,released_seq=?,released_utc_us=?,released_tick_us=?,"
				     "attempts=attempts+1,due_tick_us=NULL,outcome=NULL WHERE id=?";
	put(c, update, "itiiii", (int64_t)once, body, c->seq, c->utc_us, c->tick_us, id);
}

/* Does what the verb would do still make sense? */
static bool relevant(enum verb verb, enum life state)
{
	switch (verb) {
	case VERB_OFFER:
		return state == LIFE_planned;
	case VERB_SUBMIT:
		return state == LIFE_offered || state == LIFE_held || state == LIFE_asked;
	case VERB_FIND:
		return state == LIFE_unsure;
	case VERB_CANCEL:
		return state == LIFE_cancelling;
	case VERB_POLL:
		return life_is_live(state);
	case VERB_DATA:
	case VERB_STATUS:
	case VERB_COUNT:
		break;
	}
	return true;
}

/* One write at a time per request. */
static bool write_free(struct core *c, enum verb verb, int64_t request)
{
	static const char writes[] = "SELECT 1 FROM effect WHERE state='released' AND request=? AND verb IN ('submit','cancel','find')";
	bool writes_now = verb == VERB_SUBMIT || verb == VERB_CANCEL || verb == VERB_FIND;
	return !writes_now || request == 0 || get_int(c, 0, writes, "i", request) == 0;
}

/* The gates; what they hold back keeps waiting, and its target says why. */
static bool may_ask(struct core *c, const json_t *r, bool submit)
{
	char why[256];
	int64_t event = json_int(r, "event", 0);
	const char *policy = json_text(r, "policy_name", "");
	if (gate_pass(c, r, submit, why, sizeof why)) {
		if (submit)
			gate_lift(c, "budget", event, NULL, 0, policy);
		return true;
	}
	if (strncmp(why, "late:", 5) == 0) {
		request_late(c, r);
		return false;
	}
	bool budget = strncmp(why, "budget:", 7) == 0;
	if (budget && !get_int(c, 0, "SELECT 1 FROM gate WHERE kind='budget' AND event=? AND policy=? AND lifted_seq IS NULL", "it", event, policy))
		gate_open(c, "budget", event, NULL, 0, policy, UTC_NONE, why + 8);
	const char *code = budget ? "budget" : strncmp(why, "programme:", 10) == 0 ? "programme" : "held";
	verdict_put(c, event, policy, json_int(r, "target", 0), code, json_text(r, "facility", ""), why);
	return false;
}

static bool twin_lives(struct core *c, const json_t *r)
{
	static const char twin[] = "SELECT 1 FROM request WHERE event=? AND target=? AND epoch=? AND id<>? AND parallel=0 AND state IN "
				   "('asked','unsure','accepted','scheduled','running','cancelling')";
	return json_int(r, "parallel", 0) == 0 && get_int(c, 0, twin, "iiii", json_int(r, "event", 0), json_int(r, "target", 0),
							  json_int(r, "epoch", 0), json_int(r, "id", 0)) == 1;
}

/* The facility has no such verb, or the adapter cannot put it into words. */
static void not_rendered(struct core *c, int64_t effect, const struct site *s, enum verb verb, const json_t *r, int rc, const char *error)
{
	int64_t id = json_int(r, "id", 0);
	const char *token = json_text(r, "token", s->name);
	struct answer a = {.kind = rc == 1 ? ANSWER_ACCEPTED : ANSWER_DECLINED, .seconds = NAN, .ipp_max = NAN, .hours_left = NAN, .stem = "other"};
	snprintf(a.words, sizeof a.words, "%s", rc == 1 ? "" : error);
	effect_close(c, effect, "dropped", rc == 1 ? "no such verb" : error);
	if (verb == VERB_OFFER)
		offer_answered(c, id, &a);
	else if (verb == VERB_POLL && rc == 1 && r == NULL)
		requests_poll_singly(c, s->name);
	else if (verb == VERB_STATUS && rc == 1)
		put(c, "UPDATE facility SET state='open' WHERE name=? AND state='unknown'", "t", s->name);
	else if (verb == VERB_FIND && rc == 1 && r == NULL)
		sweep_cannot(c, s->name);
	else if (verb == VERB_FIND && rc == 1 && strcmp(json_text(s->descriptor, "on_doubt", "person"), "resend") == 0) {
		put(c, "UPDATE request SET void_submits=void_submits+1 WHERE id=?", "i", id); /* by the descriptor's word, not by a proof */
		request_signal(c, id, SIGNAL_absent_twice, "this facility cannot be searched; its descriptor says: send again");
	}
	else if (verb == VERB_DATA && rc == 1)
		return;
	else
		alarm_raise(c, token, verb_name(verb), "%s: %s", s->name, rc == 1 ? "it cannot do this; a person must" : error);
	if (verb == VERB_SUBMIT && rc < 0) /* nothing left, nothing was made */
		request_refused(c, id, request_state(r) == LIFE_asked ? SIGNAL_declined : SIGNAL_offer_refused, &a);
}

static bool release_rendered(struct core *c, const struct site *s, const json_t *row, const json_t *r, enum verb verb, struct effects *out)
{
	struct vision v;
	struct call call = {0};
	struct err e = {0};
	int64_t id = json_int(row, "id", 0);
	vision_open(c, &v, s, r, verb, (int)json_int(row, "step", 0));
	int rc = facility_render(s->ops, &v.conf, &v.view, &call, &e);
	vision_close(&v);
	if (rc != 0 && short_of_memory(c, &e)) {
		call_free(&call);
		return false;
	}
	if (rc != 0) {
		not_rendered(c, id, s, verb, r, rc, e.text);
		call_free(&call);
		return true;
	}
	json_t *body = call_json(&call);
	char *text = json_compact(body);
	if (verb == VERB_SUBMIT) {
		int64_t request = json_int(r, "id", 0);
		if (json_int(row, "step", 0) == 0)
			put(c, "UPDATE request SET submits=submits+1 WHERE id=?", "i", request);
		if (request_state(r) != LIFE_asked)
			request_signal(c, request, SIGNAL_chosen, NULL);
		verdict_put(c, json_int(r, "event", 0), json_text(r, "policy_name", ""), json_int(r, "target", 0), "planned", s->name, "");
	}
	mark_released(c, id, call.once, text);
	hand_over(out, id, EFFECT_call, call.once, s->name, body);
	free(text);
	call_free(&call);
	return true;
}

/* true: something changed (it left, or it was dropped). */
static bool release_call(struct core *c, const json_t *row, struct effects *out)
{
	int verb = verb_from_name(json_text(row, "verb", ""));
	int64_t id = json_int(row, "id", 0), request = json_int(row, "request", 0);
	const struct site *s = site_find(c, json_text(row, "facility", ""));
	if (verb < 0 || s == NULL || s->ops == NULL) {
		effect_close(c, id, "dropped", "no adapter");
		alarm_raise(c, json_text(row, "facility", "?"), "adapter", "this program has no adapter for it");
		return true;
	}
	if (!write_free(c, (enum verb)verb, request))
		return false;
	json_t *r = request ? request_load(c, request) : NULL;
	bool changed = true;
	struct answer said;
	if (r != NULL && !relevant((enum verb)verb, request_state(r)))
		effect_close(c, id, "dropped", json_text(r, "state", ""));
	else if (verb == VERB_SUBMIT && twin_lives(c, r)) {
		effect_close(c, id, "dropped", "another one lives");
		request_signal(c, request, SIGNAL_offer_second, NULL);
	} else if (verb == VERB_SUBMIT && json_int(row, "step", 0) > 0 && json_int(r, "unwanted", 0) == 1) {
		submit_withdraw(c, r);
	} else if ((verb == VERB_OFFER || (verb == VERB_SUBMIT && json_int(row, "step", 0) == 0)) && !may_ask(c, r, verb == VERB_SUBMIT))
		changed = false;
	else if (verb == VERB_OFFER && json_int(row, "step", 0) == 0 && hours_refused(c, r, &said)) {
		effect_close(c, id, "dropped", "said before");
		offer_answered(c, request, &said);
	} else
		changed = release_rendered(c, s, row, r, (enum verb)verb, out);
	json_decref(r);
	return changed;
}

static bool release_compute(struct core *c, const json_t *row, struct effects *out)
{
	static const char busy[] = "SELECT 1 FROM effect WHERE state='released' AND kind='compute' AND compute=? AND event=? AND compute<>'map'";
	static const char all[] = "SELECT count(*) FROM effect WHERE state='released' AND kind='compute'";
	static const char body_of[] = "SELECT body FROM effect WHERE id=?";
	int64_t id = json_int(row, "id", 0), event = json_int(row, "event", 0);
	const char *kind = json_text(row, "compute", "");
	if (get_int(c, 0, busy, "ti", kind, event) || get_int(c, 0, all, "") >= COMPUTES_AT_ONCE)
		return false;
	json_t *job = strcmp(kind, "plan") == 0 ? plan_job(c, event, json_text(row, "policy", "")) : get_json(c, body_of, "i", id);
	if (job == NULL) {
		effect_close(c, id, "dropped", "nothing to compute any more");
		return true;
	}
	char *text = json_compact(job);
	mark_released(c, id, false, text);
	hand_over(out, id, EFFECT_compute, false, NULL, job);
	free(text);
	return true;
}

static bool release_message(struct core *c, const json_t *row, struct effects *out)
{
	int64_t id = json_int(row, "id", 0);
	json_t *body = get_json(c, "SELECT body FROM effect WHERE id=?", "i", id);
	char *text = json_compact(body);
	mark_released(c, id, false, text);
	hand_over(out, id, EFFECT_message, false, NULL, body);
	free(text);
	return true;
}

/* At most LIMIT_TRANSFERS a facility, one kept for cancels. used: how many are under way at each, this pass's own with them. */
static bool is_full(const json_t *used, const json_t *row)
{
	const char *facility = json_text(row, "facility", "");
	bool cancel = strcmp(json_text(row, "verb", ""), "cancel") == 0;
	return facility[0] && json_int(used, facility, 0) >= (cancel ? LIMIT_TRANSFERS : LIMIT_TRANSFERS - 1);
}

static json_t *transfers(struct core *c)
{
	static const char count[] = "SELECT facility,count(*) AS n FROM effect WHERE state='released' AND kind='call' GROUP BY facility";
	json_t *rows = get_rows(c, count, ""), *used = json_object(), *row;
	size_t i;
	json_array_foreach(rows, i, row)
		json_object_set(used, json_text(row, "facility", ""), json_object_get(row, "n"));
	json_decref(rows);
	return used;
}

static bool release_one(struct core *c, const json_t *row, json_t *used, struct effects *out)
{
	const char *kind = json_text(row, "kind", ""), *facility = json_text(row, "facility", "");
	size_t before = out->count;
	if (strcmp(kind, "compute") == 0)
		return release_compute(c, row, out);
	if (strcmp(kind, "call") != 0)
		return release_message(c, row, out);
	bool changed = release_call(c, row, out);
	if (out->count > before)
		json_object_set_new(used, facility, json_integer(json_int(used, facility, 0) + 1));
	return changed;
}

static bool release_pass(struct core *c, struct effects *out)
{
	json_t *rows = due_rows(c), *row;
	json_t *used = json_array_size(rows) > 0 ? transfers(c) : NULL;
	int64_t writes = sqlite3_total_changes(c->db);
	bool changed = false;
	size_t i;
	json_array_foreach(rows, i, row) {
		if (is_full(used, row))
			continue;
		if (sqlite3_total_changes(c->db) != writes &&
		    get_int(c, 0, "SELECT state='waiting' FROM effect WHERE id=?", "i", json_int(row, "id", 0)) != 1)
			continue; /* dropped by one before it */
		changed |= release_one(c, row, used, out);
	}
	json_decref(used);
	json_decref(rows);
	return changed;
}

int core_release(struct core *c, int64_t utc_us, int64_t tick_us, struct effects *out, struct err *e)
{
	c->utc_us = utc_us;
	c->tick_us = tick_us > c->tick_us ? tick_us : c->tick_us;
	for (int pass = 0; pass < 8 && c->seq > 0 && release_pass(c, out); pass++)
		continue; /* a drop may have made new rows */
	c->turn_from = c->next_from;
	c->next_from = c->seq + 1;
	if (failed(c)) {
		*e = c->fault;
		return err_wrap(e, "release");
	}
	return 0;
}

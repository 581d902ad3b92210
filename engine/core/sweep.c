/* After each start every facility shows all that it has of ours: a restored copy takes over what it has forgotten, before
 * it submits anything; any other state learns that somebody else uses its account. */
#include "engine/base/json.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include "engine/core/turn.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define STEPS_TRIED 16 /* epochs, and variants of each, that a forgotten token is tried for */

int64_t sweep_since(struct core *c, const char *facility)
{
	return get_int(c, UTC_NONE, "SELECT since_us FROM sweep WHERE facility=?", "t", facility);
}

#define GATED "SELECT facility FROM gate WHERE kind='restore' AND lifted_seq IS NULL AND facility IS NOT NULL"

/* A sweep that a restart cuts short begins anew, as far back and as strict as it was; so does one that is done while the state still
 * waits for the sweeps of other facilities. */
static void sweep_start(struct core *c, const char *name, int64_t since_us, bool restored)
{
	static const char upsert[] =
		"INSERT INTO sweep(facility,since_us,restored,state,started_seq) VALUES(?,?,?,'open',?) ON CONFLICT(facility) DO UPDATE SET "
		"since_us=CASE WHEN state='done' AND facility NOT IN (" GATED ") OR since_us>excluded.since_us THEN excluded.since_us ELSE since_us END,"
		"restored=CASE WHEN state='done' AND facility NOT IN (" GATED ") THEN excluded.restored ELSE max(restored,excluded.restored) END,"
		"state='open',started_seq=excluded.started_seq,done_seq=NULL";
	static const char drop[] = "UPDATE effect SET state='dropped',outcome='begun anew',done_seq=? WHERE kind='call' AND verb='find' AND "
				   "request IS NULL AND facility=? AND state IN ('waiting','released')";
	const struct site *s = site_find(c, name);
	put(c, upsert, "tnii", name, since_us, (int64_t)restored, c->seq);
	put(c, drop, "it", c->seq, name);
	put(c, "DELETE FROM stray WHERE facility=?", "t", name);
	if (restored)
		gate_open(c, "restore", 0, name, 0, NULL, UTC_NONE, "the state is a restored copy: what it has forgotten is being looked for");
	if (s == NULL || s->ops == NULL || s->ops->find == NULL) {
		sweep_cannot(c, name);
		return;
	}
	/* what the other state sent last may not be visible yet */
	bool strict = get_int(c, 0, "SELECT restored FROM sweep WHERE facility=?", "t", name) == 1;
	int64_t wait_us = strict ? (int64_t)(site_number(s, "visible_delay_s", 60) * 1e6) : 0;
	effect_call(c, name, VERB_FIND, 0, 0, c->tick_us + wait_us);
}

static void restore_lift(struct core *c)
{
	static const char open[] = "SELECT count(*) FROM sweep s JOIN facility f ON f.name=s.facility WHERE s.state='open' AND s.restored=1 "
				   "AND f.state<>'gone'";
	static const char lift[] = "UPDATE gate SET lifted_seq=? WHERE kind='restore' AND lifted_seq IS NULL AND facility IN "
				   "(SELECT facility FROM sweep WHERE state='done')";
	if (get_int(c, 1, open, "") > 0) /* one target may have been asked of another facility: all or none */
		return;
	put(c, lift, "i", c->seq);
	if (get_int(c, 1, "SELECT count(*) FROM gate WHERE kind='restore' AND lifted_seq IS NULL", "") == 0)
		alarm_clear(c, "state", "restored");
}

void sweep_begin(struct core *c, bool restored)
{
	static const char before[] = "SELECT utc_us FROM input WHERE seq<? ORDER BY seq DESC LIMIT 1";
	if (!restored && get_int(c, 0, "SELECT 1 FROM timer WHERE key=?", "t", SWEEP_WANTED) == 0) {
		restore_lift(c); /* a facility that left the configuration holds nobody up */
		return;
	}
	timer_drop(c, SWEEP_WANTED);
	int64_t last_us = get_int(c, UTC_NONE, before, "i", c->seq);
	json_t *rows = get_rows(c, "SELECT name FROM facility WHERE state<>'gone' ORDER BY name", ""), *row;
	size_t i;
	json_array_foreach(rows, i, row)
		sweep_start(c, json_text(row, "name", ""), last_us == UTC_NONE ? UTC_NONE : last_us - UTC_DAY, restored);
	if (restored)
		alarm_raise(c, "state", "restored", "this state is a restored copy, older than what was done since: nothing is submitted until every "
			    "facility has shown what it has of ours; operators' orders given since are lost: give them again");
	json_decref(rows);
}

void sweep_cannot(struct core *c, const char *facility)
{
	static const char restored[] = "SELECT restored FROM sweep WHERE facility=?";
	put(c, "UPDATE sweep SET state='cannot',done_seq=? WHERE facility=?", "it", c->seq, facility);
	if (get_int(c, 0, restored, "t", facility))
		alarm_raise(c, facility, "restore", "this state is a restored copy and %s cannot be searched: look there for requests with names that begin "
			    "with %s and that slew ctl requests does not show, then slew ctl resume %s", facility, c->prefix, facility);
	restore_lift(c);
}

/* ---- what a facility has and this state has not ---- */
static void stray_alarm(struct core *c, const char *facility, const char *token, const char *remote_id)
{
	alarm_raise(c, token, "unknown", "%s has it as %s, and this state does not know it: a restored copy, or another engine with the same installation id",
		    facility, remote_id);
}

void stray_met(struct core *c, const char *facility, const struct answer *a, const char *signal, bool sweeping)
{
	static const char insert[] = "INSERT INTO stray(facility,remote_id,token,signal,seconds,words,detail) VALUES(?,?,?,?,?,?,?) "
				     "ON CONFLICT DO UPDATE SET signal=excluded.signal,words=excluded.words";
	static const char awaited[] = "SELECT 1 FROM sweep WHERE facility=? AND state='open' AND restored=1";
	if (sweeping) {
		char *detail = a->detail ? json_compact(a->detail) : strdup("{}");
		put(c, insert, "ttttdtt", facility, a->remote_id, a->token, signal, a->seconds, a->words, detail);
		free(detail);
	} else if (get_int(c, 0, awaited, "t", facility) == 0) { /* the sweep will show it, too */
		stray_alarm(c, facility, a->token, a->remote_id);
	}
}

/* Event, target, epoch and variant by the token, which is a digest of them: those targets are tried that lie where the request points. */
static bool place_by_token(struct core *c, const char *facility, const char *token, const json_t *detail, struct place *out)
{
	static const char near[] = "SELECT id,event,key FROM target WHERE abs(ra_deg-?)<0.001 AND abs(dec_deg-?)<0.001 AND key NOT LIKE 'adopted|%' "
				   "ORDER BY id DESC LIMIT 20";
	json_t *rows = get_rows(c, near, "dd", json_number(detail, "ra_deg", NAN), json_number(detail, "dec_deg", NAN)), *row;
	bool found = false;
	size_t i;
	json_array_foreach(rows, i, row) {
		for (int n = 0; !found && n < STEPS_TRIED * STEPS_TRIED; n++) {
			char name[64];
			token_of(c, json_int(row, "event", 0), json_text(row, "key", ""), facility, n / STEPS_TRIED, n % STEPS_TRIED, name);
			if (strcmp(name, token) != 0)
				continue;
			found = true;
			*out = (struct place){.event = json_int(row, "event", 0), .target = json_int(row, "id", 0), .epoch = n / STEPS_TRIED, .variant = n % STEPS_TRIED};
		}
	}
	json_decref(rows);
	return found;
}

/* Nothing here knows it: an event of its own kind holds it until its own is heard again. */
static void place_apart(struct core *c, const char *token, const json_t *detail, struct place *out)
{
	static const char event[] = "INSERT INTO event(issuer,name,state,first_seq,changed_seq) VALUES('slew','adopted','heard',?1,?1) ON CONFLICT DO NOTHING";
	static const char target[] = "INSERT INTO target(event,key,kind,name,ra_deg,dec_deg,generation) VALUES(?,?,'field',?,?,?,0)";
	char key[80];
	double ra = json_number(detail, "ra_deg", 0), dec = json_number(detail, "dec_deg", 0);
	const char *name = json_text(detail, "target", "");
	snprintf(key, sizeof key, "adopted|%.63s", token);
	put(c, event, "i", c->seq);
	*out = (struct place){.event = get_int(c, 0, "SELECT id FROM event WHERE issuer='slew' AND name='adopted'", "")};
	put(c, target, "ittdd", out->event, key, name[0] ? name : token, ra >= 0 && ra < 360 ? ra : 0, dec >= -90 && dec <= 90 ? dec : 0);
	out->target = last_id(c);
}

/* The policy of its siblings, or of its event, or any: the row needs one, and budgets count it there. */
static void place_policy(struct core *c, struct place *at)
{
	static const char policy[] =
		"SELECT id FROM (SELECT policy AS id,0 AS o FROM request WHERE event=?1 UNION ALL SELECT p.id,CASE d.state WHEN 'triggered' THEN 1 ELSE 2 END "
		"FROM decision d JOIN policy p ON p.name=d.policy AND p.current=1 WHERE d.event=?1 UNION ALL SELECT id,4-current FROM policy) "
		"ORDER BY o,id LIMIT 1";
	at->policy = get_int(c, 0, policy, "i", at->event);
	const struct policy *p = rule_find(c, at->policy);
	at->parallel = p != NULL && p->parallel;
}

/* Who pays: by the proposal. One that is not in the configuration becomes a programme that is gone: it pays, nothing more is asked on it. */
static void programme_of(struct core *c, const char *facility, const char *proposal, char out[256])
{
	static const char known[] = "SELECT name FROM programme WHERE facility=? AND proposal=? ORDER BY state,name LIMIT 1";
	static const char insert[] = "INSERT INTO programme(name,facility,proposal,hours,state) VALUES(?,?,?,'{}','gone') ON CONFLICT DO NOTHING";
	get_text(c, out, 256, known, "tt", facility, proposal);
	if (out[0])
		return;
	snprintf(out, 256, "%.63s/%.180s", facility, proposal);
	put(c, insert, "ttt", out, facility, proposal);
}

static int64_t adopted_insert(struct core *c, const json_t *stray, const json_t *detail, const struct place *at)
{
	static const char insert[] =
		"INSERT INTO request(token,event,target,facility,programme,policy,purpose,epoch,variant,state,parallel,mode,body,start_us,end_us,seconds,"
		"remote_id,memo,created_us,created_seq,changed_seq) VALUES(?,?,?,?,?,?,'search',?,?,'cancelled',?,?,?,?,?,?,?,?,?,?,?)";
	const char *facility = json_text(stray, "facility", ""), *mode = json_text(detail, "mode", "NORMAL");
	char programme[256];
	int64_t start_us = json_int(detail, "start_us", c->utc_us), end_us = json_int(detail, "end_us", c->utc_us + UTC_DAY);
	programme_of(c, facility, json_text(detail, "proposal", ""), programme);
	json_t *body = json_pack("{s:b,s:s,s:s,s:s,s:s,s:I,s:I,s:o}", "adopted", 1, "facility", facility, "programme", programme, "purpose", "search", "mode", mode,
				 "start_us", (json_int_t)start_us, "end_us", (json_int_t)end_us, "duration_s",
				 json_real_or_null(json_number(stray, "seconds", NAN)));
	json_t *memo = json_object_get(detail, "memo");
	char *text = json_compact(body), *notes = json_is_object(memo) ? json_compact(memo) : strdup("{}");
	put(c, insert, "tiittiiiittiidttiii", json_text(stray, "token", ""), at->event, at->target, facility, programme, at->policy, (int64_t)at->epoch,
	    (int64_t)at->variant, (int64_t)at->parallel, mode, text, start_us, end_us, json_number(stray, "seconds", NAN), json_text(stray, "remote_id", ""),
	    notes, c->utc_us, c->seq, c->seq);
	int64_t id = last_id(c);
	char key[64];
	snprintf(key, sizeof key, "window:%lld", (long long)id);
	timer_set(c, key, "window", id, NULL, end_us, UTC_NONE);
	free(text);
	free(notes);
	json_decref(body);
	return id;
}

/* At rest first: the signal of how it stands there brings it to life, with all that life brings (a twin, a veto: cancelled at once). */
static int64_t stray_adopt(struct core *c, const json_t *stray)
{
	const char *facility = json_text(stray, "facility", ""), *token = json_text(stray, "token", ""), *remote = json_text(stray, "remote_id", "");
	struct place at = {0};
	char policy[128], event[LIMIT_EVENT_ID + 1];
	if (get_int(c, 0, "SELECT count(*) FROM policy", "") == 0) {
		alarm_raise(c, token, "unknown", "%s has it as %s; without any policy this state cannot take it over: a person must look there", facility, remote);
		return 0;
	}
	json_t *detail = json_parse(json_text(stray, "detail", "{}"));
	if (!place_by_token(c, facility, token, detail, &at))
		place_apart(c, token, detail, &at);
	place_policy(c, &at);
	int64_t id = adopted_insert(c, stray, detail, &at);
	get_text(c, policy, sizeof policy, "SELECT name FROM policy WHERE id=?", "i", at.policy);
	get_text(c, event, sizeof event, "SELECT name FROM event WHERE id=?", "i", at.event);
	verdict_put(c, at.event, policy, at.target, "exists", facility, "found at the facility by a restored copy");
	alarm_raise(c, token, "adopted", "%s has it as %s (%s, %s, event %s) and this restored copy did not know it: it is followed and billed as request "
		    "%lld; a person decides: keep it, or slew ctl cancel %lld", facility, remote, json_text(stray, "signal", ""), json_text(detail, "target", "?"),
		    strcmp(event, "adopted") == 0 ? "not heard yet" : event, (long long)id, (long long)id);
	alarm_clear(c, token, "unknown");
	json_decref(detail);
	return id;
}

static enum life_signal signal_named(const char *name)
{
	for (int s = 0; s < SIGNAL_COUNT; s++)
		if (strcmp(signal_name((enum life_signal)s), name) == 0)
			return (enum life_signal)s;
	return SIGNAL_queued;
}

static void stray_judge(struct core *c, const json_t *stray, bool restored)
{
	static const char known[] = "SELECT id FROM request WHERE token=?";
	static const char lives[] = "SELECT state IN ('accepted','scheduled','running') FROM request WHERE id=?";
	const char *facility = json_text(stray, "facility", ""), *token = json_text(stray, "token", ""), *remote = json_text(stray, "remote_id", "");
	int64_t id = get_int(c, 0, known, "t", token);
	char have[64];
	if (id == 0 && !restored) {
		stray_alarm(c, facility, token, remote);
		return;
	}
	if (id == 0 && (id = stray_adopt(c, stray)) == 0)
		return;
	put(c, "UPDATE OR IGNORE request SET remote_id=? WHERE id=? AND remote_id IS NULL", "ti", remote, id);
	get_text(c, have, sizeof have, "SELECT remote_id FROM request WHERE id=?", "i", id);
	if (strcmp(have, remote) != 0) {
		alarm_raise(c, remote, "second", "%s shows %s as %s and as %s: it was submitted twice; withdraw %s there", facility, token, have, remote, remote);
		return;
	}
	request_signal(c, id, signal_named(json_text(stray, "signal", "")), json_text(stray, "words", ""));
	if (get_int(c, 0, lives, "i", id) && !effect_pending(c, id, VERB_POLL))
		effect_call(c, facility, VERB_POLL, 0, id, UTC_NONE); /* is it scheduled, does it run? */
}

void sweep_done(struct core *c, const char *facility)
{
	static const char open[] = "SELECT restored FROM sweep WHERE facility=? AND state='open'";
	static const char strays[] = "SELECT * FROM stray WHERE facility=? ORDER BY length(remote_id),remote_id";
	int64_t restored = get_int(c, -1, open, "t", facility);
	if (restored < 0)
		return;
	json_t *rows = get_rows(c, strays, "t", facility), *row;
	size_t i;
	json_array_foreach(rows, i, row)
		stray_judge(c, row, restored == 1);
	json_decref(rows);
	put(c, "DELETE FROM stray WHERE facility=?", "t", facility);
	put(c, "UPDATE sweep SET state='done',done_seq=? WHERE facility=?", "it", c->seq, facility);
	restore_lift(c);
}

/* ---- adopted requests find their event ---- */
static int64_t request_home(struct core *c, int64_t id, const struct place *at, const json_t *body)
{
	static const char twin[] = "SELECT 1 FROM request WHERE event=? AND target=? AND epoch=? AND id<>? AND parallel=0 AND state IN "
				   "('asked','unsure','accepted','scheduled','running','cancelling')";
	static const char move[] = "UPDATE request SET event=?,target=?,epoch=?,variant=?,policy=?,purpose=?,parallel=?,body=?,changed_seq=? WHERE id=?";
	static const char counts[] = "SELECT state NOT IN ('declined','cancelled','expired','failed') FROM request WHERE id=?";
	json_t *r = request_load(c, id);
	bool second = get_int(c, 0, twin, "iiii", at->event, at->target, (int64_t)at->epoch, id) == 1;
	char *text = json_compact(body);
	put(c, move, "iiiiititii", at->event, at->target, (int64_t)at->epoch, (int64_t)at->variant, at->policy, json_text(body, "purpose", "search"),
	    (int64_t)(second || at->parallel), text, c->seq, id);
	free(text);
	put(c, "UPDATE ledger SET event=? WHERE request=?", "ii", at->event, id);
	verdict_put(c, json_int(r, "event", 0), json_text(r, "policy_name", ""), json_int(r, "target", 0), "exists", json_text(r, "facility", ""),
		    "its event was heard again: see there");
	json_decref(r);
	char why[160] = ""; /* a veto, or what else may have come before it was here */
	r = request_load(c, id);
	if (r != NULL)
		request_covered(c, r, why, sizeof why);
	json_decref(r);
	if (second || why[0])
		request_unwant(c, id, second ? "a second one lives" : why);
	return get_int(c, 0, counts, "i", id) == 1 ? id : 0;
}

int64_t requests_home(struct core *c, const struct place *at, const json_t *body)
{
	static const char any[] = "SELECT 1 FROM request r JOIN event e ON e.id=r.event WHERE e.issuer='slew' AND e.name='adopted' LIMIT 1";
	static const char adopted[] = "SELECT r.id FROM request r JOIN event e ON e.id=r.event WHERE r.token=? AND e.issuer='slew' AND e.name='adopted'";
	struct place found = *at;
	char key[512], token[64];
	int64_t lives = 0;
	if (get_int(c, 0, any, "") == 0)
		return 0;
	get_text(c, key, sizeof key, "SELECT key FROM target WHERE id=?", "i", at->target);
	for (found.variant = 0; found.variant < STEPS_TRIED; found.variant++) {
		token_of(c, at->event, key, json_text(body, "facility", ""), at->epoch, found.variant, token);
		int64_t id = get_int(c, 0, adopted, "t", token), counted = id ? request_home(c, id, &found, body) : 0;
		lives = counted ? counted : lives;
	}
	return lives;
}

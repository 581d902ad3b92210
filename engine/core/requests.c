/* Requests: their rows, their names for the facility, and each step of their life. */
#include "engine/base/hash.h"
#include "engine/base/json.h"
#include "engine/base/utc.h"
#include "engine/core/turn.h"
#include <stdlib.h>
#include <string.h>

json_t *request_load(struct core *c, int64_t id)
{
	static const char row[] =
		"SELECT r.id,r.token,r.event,r.target,r.facility,r.programme,r.policy,r.purpose,r.epoch,r.state,r.unwanted,r.parallel,r.mode,r.body,r.start_us,"
		"r.end_us,r.promised_us,r.seconds,r.remote_id,r.memo,r.doubt_tick_us,r.absent_tick_us,r.cancels,r.created_us,"
		"e.name AS event_name,e.time_us AS event_us,e.is_test<>'[]' AS is_test,t.name AS target_name,t.ra_deg,t.dec_deg,p.proposal,p.state AS programme_state,y.name AS policy_name FROM request r JOIN event e ON e.id=r.event JOIN target t ON t.id=r.target "
		"JOIN programme p ON p.name=r.programme JOIN policy y ON y.id=r.policy WHERE r.id=?";
	return get_row(c, row, "i", id);
}

enum life request_state(const json_t *request)
{
	int s = life_from_name(json_text(request, "state", ""));
	must(s >= 0);
	return (enum life)s;
}

/* The token: compact JSON array [event key, target key, facility, epoch, variant], hashed. */
void token_of(struct core *c, int64_t event, const char *target_key, const char *facility, int epoch, int variant, char out[64])
{
	char key[LIMIT_EVENT_ID + 32], sha256[65];
	get_text(c, key, sizeof key, "SELECT issuer||'/'||name FROM event WHERE id=?", "i", event);
	json_t *parts = json_pack("[s,s,s,i,i]", key, target_key, facility, epoch, variant);
	char *text = json_compact(parts);
	hash_sha256_hex(text, strlen(text), sha256);
	snprintf(out, 64, "%s%.20s", c->prefix, sha256);
	free(text);
	json_decref(parts);
}

/* A region is what it was when it was asked for, whatever later rankings make of it. */
static char *body_frozen(struct core *c, int64_t target, const json_t *body)
{
	json_t *row = get_row(c, "SELECT region FROM target WHERE id=? AND region IS NOT NULL", "i", target), *own;
	if (row == NULL)
		return json_compact(body);
	own = json_copy((json_t *)(uintptr_t)body);
	json_object_set(own, "region", json_object_get(row, "region"));
	char *text = json_compact(own);
	json_decref(own);
	json_decref(row);
	return text;
}

static int64_t request_insert(struct core *c, int64_t event, int64_t target, const struct policy *p, int64_t policy_id, const json_t *body, int epoch)
{
	static const char variants[] = "SELECT ifnull(max(variant)+1,0) FROM request WHERE event=? AND target=? AND facility=? AND epoch=?";
	static const char insert[] =
		"INSERT INTO request(token,event,target,facility,programme,policy,purpose,epoch,variant,state,reserve,parallel,mode,body,start_us,"
		"end_us,seconds,created_us,created_seq,changed_seq) VALUES(?,?,?,?,?,?,?,?,?,'planned',?,?,?,?,?,?,?,?,?,?)";
	const char *facility = json_text(body, "facility", "");
	char token[64], key[512];
	get_text(c, key, sizeof key, "SELECT key FROM target WHERE id=?", "i", target);
	int variant = (int)get_int(c, 0, variants, "iiti", event, target, facility, (int64_t)epoch);
	token_of(c, event, key, facility, epoch, variant, token);
	char *text = body_frozen(c, target, body);
	put(c, insert, "tiittitiiiittiidiii", token, event, target, facility, json_text(body, "programme", ""), policy_id,
	    json_text(body, "purpose", "search"), (int64_t)epoch, (int64_t)variant, (int64_t)json_flag(body, "reserve", false), (int64_t)p->parallel,
	    json_text(body, "mode", "NORMAL"), text, json_int(body, "start_us", 0), json_int(body, "end_us", 0),
	    json_number(body, "duration_s", 0), c->utc_us, c->seq, c->seq);
	free(text);
	return last_id(c);
}

int64_t request_make(struct core *c, int64_t event, int64_t target, int64_t policy_id, const json_t *body, int epoch)
{
	static const char bills[] = "SELECT 1 FROM programme WHERE name=? AND facility=?";
	const struct policy *p = rule_find(c, policy_id);
	const char *facility = json_text(body, "facility", ""), *programme = json_text(body, "programme", "");
	if (p == NULL || site_find(c, facility) == NULL || get_int(c, 0, bills, "tt", programme, facility) == 0) {
		alarm_raise(c, "plan", "unusable", "a plan names facility \"%.60s\" and programme \"%.60s\", which do not go together here", facility,
			    programme);
		return 0;
	}
	const struct place at = {event, target, policy_id, epoch, 0, p->parallel};
	int64_t id = requests_home(c, &at, body);
	char key[64];
	if (id != 0)
		return id;
	id = request_insert(c, event, target, p, policy_id, body, epoch);
	snprintf(key, sizeof key, "window:%lld", (long long)id);
	timer_set(c, key, "window", id, NULL, json_int(body, "end_us", 0), UTC_NONE);
	effect_call(c, facility, VERB_OFFER, 0, id, UTC_NONE);
	return id;
}

bool request_can_stop(struct core *c, const json_t *request)
{
	const struct site *s = site_find(c, json_text(request, "facility", ""));
	return s != NULL && site_flag(s, "can_cancel", true) && site_flag(s, "can_cancel_running", false);
}

void request_covered(struct core *c, const json_t *r, char *why, size_t size)
{
	static const char covered[] =
		"SELECT kind FROM gate WHERE lifted_seq IS NULL AND kind IN ('veto','retracted','test','downgraded') AND (event IS NULL OR event=?1) "
		"AND (facility IS NULL OR facility=?2) AND (target IS NULL OR target=?3) AND (policy IS NULL OR policy=?4) "
		"AND (kind='veto' OR ?5 IN ('search','reference') OR (kind<>'downgraded' AND ?5='vet')) "
		"AND (kind<>'downgraded' OR due_us<=?6) ORDER BY id LIMIT 1";
	get_text(c, why, size, covered, "ititti", json_int(r, "event", 0), json_text(r, "facility", ""), json_int(r, "target", 0),
		 json_text(r, "policy_name", ""), json_text(r, "purpose", ""), c->utc_us);
}

/* A row at rest, or one whose like lives already, comes to life by a report: is that still wanted? "" when it is. */
static void unwelcome(struct core *c, const json_t *r, char *why, size_t size)
{
	static const char twin[] = "SELECT token FROM request WHERE event=? AND target=? AND epoch=? AND id<>? AND parallel=0 AND state IN "
				   "('asked','unsure','accepted','scheduled','running','cancelling')";
	int64_t id = json_int(r, "id", 0);
	if (json_int(r, "unwanted", 0) == 0)
		request_covered(c, r, why, size);
	if (json_int(r, "parallel", 0) == 1)
		return;
	char token[64];
	get_text(c, token, sizeof token, twin, "iiii", json_int(r, "event", 0), json_int(r, "target", 0), json_int(r, "epoch", 0), id);
	if (token[0] == 0)
		return;
	put(c, "UPDATE request SET parallel=1 WHERE id=?", "i", id);
	snprintf(why, size, "a second one lives: %s", token);
	alarm_raise(c, json_text(r, "token", ""), "second", "the facility reports it although %s lives for the same target and epoch; it is being cancelled",
		    token);
}

/* What a cancel came to, for people: will not start; runs and will finish, or was stopped, and what was exposed is data; or it was done before. */
static void withdrawn_say(struct core *c, const json_t *r, enum life from, enum life to, const char *words, char *out, size_t size)
{
	static const char ran[] = "SELECT 1 FROM request_change WHERE request=? AND to_state='running'";
	const char *facility = json_text(r, "facility", ""), *target = json_text(r, "target_name", ""), *said = words && words[0] ? ": " : "";
	int64_t event = json_int(r, "event", 0);
	if (to == LIFE_running)
		say(c, event, "withdrawn", "%s runs at %s and will finish, although it was withdrawn: its frames are data", target, facility);
	else if (to == LIFE_done)
		say(c, event, "withdrawn", "%s was done at %s before it could be withdrawn: its frames are data", target, facility);
	else if (to == LIFE_cancelled && from == LIFE_cancelling && get_int(c, 0, ran, "i", json_int(r, "id", 0))) {
		snprintf(out, size, "stopped while it ran, partial frames are data%s%.300s", said, words ? words : "");
		say(c, event, "withdrawn", "%s was stopped at %s while it ran: partial frames are data", target, facility);
	} else if (to == LIFE_cancelled && from == LIFE_cancelling)
		snprintf(out, size, "will not start%s%.300s", said, words ? words : "");
}

static void observed(struct core *c, const json_t *r)
{
	char key[64];
	int64_t id = json_int(r, "id", 0);
	snprintf(key, sizeof key, "data:%lld", (long long)id);
	timer_set(c, key, "data", id, "0", UTC_NONE, c->tick_us + 30 * UTC_SECOND);
	verdict_put(c, json_int(r, "event", 0), json_text(r, "policy_name", ""), json_int(r, "target", 0), "observed",
		    json_text(r, "facility", ""), "");
	say(c, json_int(r, "event", 0), "observed", "%s observed %s for %s", json_text(r, "facility", ""), json_text(r, "target_name", ""),
	    json_text(r, "event_name", ""));
}

/* What came to nothing has its reason, unless another request for its target is still there, was done, or somebody else has given one. */
static void ended(struct core *c, const json_t *r, enum life to, const char *words)
{
	static const char others[] = "SELECT 1 FROM request WHERE event=? AND target=? AND state NOT IN ('declined','cancelled','expired','failed') LIMIT 1";
	static const char planned[] = "SELECT 1 FROM verdict WHERE event=? AND policy=? AND target=? AND code='planned'";
	static const char why_of[] = "SELECT unwanted_why FROM request WHERE id=?";
	int64_t event = json_int(r, "event", 0), target = json_int(r, "target", 0);
	const char *policy = json_text(r, "policy_name", ""), *facility = json_text(r, "facility", "");
	char why[160];
	if (get_int(c, 0, others, "ii", event, target) || !get_int(c, 0, planned, "iti", event, policy, target))
		return;
	get_text(c, why, sizeof why, why_of, "i", json_int(r, "id", 0));
	const char *code = strcmp(why, "retracted") == 0 ? "retracted" : to == LIFE_expired ? "late" : to == LIFE_failed ? "failed" : "withdrawn";
	verdict_put(c, event, policy, target, code, facility, to == LIFE_expired ? "its window passed there and it was not observed" : why[0] ? why : words);
}

static void enter(struct core *c, const json_t *r, enum life from, enum life to)
{
	int64_t id = json_int(r, "id", 0);
	static const char settled[] = "UPDATE alarm SET cleared_seq=? WHERE subject=? AND cleared_seq IS NULL AND what IN ('cancel','find','submit','poll')";
	if (life_class(to) == LIFE_CLASS_rest || to == LIFE_cancelling)
		effects_drop(c, id, NULL, life_name(to));
	if (life_class(to) == LIFE_CLASS_rest)
		put(c, settled, "it", c->seq, json_text(r, "token", ""));
	switch (life_entry(to)) {
	case LIFE_ENTRY_nothing:
	case LIFE_ENTRY_offer: /* request_make */
		break;
	case LIFE_ENTRY_compare:
		if (from == LIFE_unsure)
			request_choose(c, id); /* absent twice: the gates again */
		else
			offers_compare(c, json_int(r, "event", 0), json_int(r, "target", 0), (int)json_int(r, "epoch", 0), false);
		break;
	case LIFE_ENTRY_find:
		request_doubt(c, id);
		break;
	case LIFE_ENTRY_follow:
		request_follow(c, id);
		break;
	case LIFE_ENTRY_cancel:
		request_cancel(c, id);
		break;
	case LIFE_ENTRY_data:
		observed(c, r);
		break;
	case LIFE_ENTRY_ladder:
		request_next_variant(c, r);
		break;
	case LIFE_ENTRY_reserve:
		request_reserve(c, r);
		break;
	}
}

static void count_ignored(struct core *c, enum life state, enum life_signal s)
{
	static const char upsert[] = "INSERT INTO ignored_signal(state,signal,count) VALUES(?,?,1) "
				     "ON CONFLICT(state,signal) DO UPDATE SET count=count+1";
	put(c, upsert, "tt", life_name(state), signal_name(s));
}

/* A feed reports most requests as they are known: that changes nothing, and is counted without the whole row. */
static bool signal_ignored(struct core *c, int64_t id, enum life_signal s)
{
	char known[32]; /* state and flag: "accepted0" */
	get_text(c, known, sizeof known, "SELECT state||unwanted FROM request WHERE id=?", "i", id);
	size_t len = strlen(known);
	bool flagged = len > 0 && known[len - 1] == '1', counted;
	known[len > 0 ? len - 1 : 0] = '\0';
	int from = life_from_name(known);
	if (from < 0)
		return false;
	enum life to = life_next((enum life)from, s, flagged, &counted);
	if (!counted && to != (enum life)from)
		return false;
	count_ignored(c, (enum life)from, s);
	return true;
}

void request_signal(struct core *c, int64_t id, enum life_signal s, const char *words)
{
	static const char update[] = "UPDATE request SET state=?,changed_seq=? WHERE id=?";
	static const char change[] = "INSERT INTO request_change(request,seq,utc_us,signal,from_state,to_state,words) VALUES(?,?,?,?,?,?,?)";
	json_t *r = signal_ignored(c, id, s) ? NULL : request_load(c, id);
	if (r == NULL)
		return;
	enum life from = request_state(r);
	bool flagged = json_int(r, "unwanted", 0) == 1, counted;
	enum life to = life_next(from, s, flagged, &counted);
	if (!counted && life_is_live(to) && !life_is_live(from) && to != LIFE_asked) {
		char why[160] = "";
		unwelcome(c, r, why, sizeof why); /* also of a flagged one: two that live must not meet in one index */
		if (why[0] && !flagged) {
			put(c, "UPDATE request SET unwanted=1,unwanted_why=? WHERE id=?", "ti", why, id);
			to = life_next(from, s, true, &counted);
		}
	}
	char truth[400] = "";
	if (!counted && to != from && (flagged || from == LIFE_cancelling)) {
		withdrawn_say(c, r, from, to, words, truth, sizeof truth);
		words = truth[0] ? truth : words;
	}
	if (counted || to == from) {
		count_ignored(c, from, s);
	} else {
		put(c, update, "tii", life_name(to), c->seq, id);
		put(c, change, "iiitttt", id, c->seq, c->utc_us, signal_name(s), life_name(from), life_name(to), words && words[0] ? words : NULL);
		ledger_follow(c, id, to);
		enter(c, r, from, to);
		if (to == LIFE_cancelled || to == LIFE_expired || to == LIFE_failed)
			ended(c, r, to, words);
	}
	json_decref(r);
}

void submit_withdraw(struct core *c, const json_t *request)
{
	int64_t id = json_int(request, "id", 0);
	effects_drop(c, id, "submit", "unwanted between two steps");
	request_signal(c, id, json_text(request, "remote_id", "")[0] ? SIGNAL_accepted : SIGNAL_doubt, "unwanted between two steps of its submission");
}

void request_unwant(struct core *c, int64_t id, const char *why)
{
	static const char unsent_of[] = "SELECT count(*)=0 FROM effect WHERE request=? AND verb='submit' AND state='released'";
	static const char begun[] = "SELECT 1 FROM effect WHERE request=? AND verb='submit' AND state='waiting' AND step>0";
	json_t *r = request_load(c, id);
	if (r == NULL)
		return;
	enum life state = request_state(r);
	if (json_int(r, "unwanted", 0) == 0) {
		put(c, "UPDATE request SET unwanted=1,unwanted_why=?,changed_seq=? WHERE id=?", "tii", why, c->seq, id);
		bool unsent = state == LIFE_asked && get_int(c, 0, unsent_of, "i", id) == 1;
		if (unsent && get_int(c, 0, begun, "i", id))
			submit_withdraw(c, r);
		else
			request_signal(c, id, life_unwanted(state, unsent, request_can_stop(c, r)), why);
		if (state == LIFE_running && !request_can_stop(c, r))
			withdrawn_say(c, r, state, state, why, NULL, 0);
	}
	json_decref(r);
}

/* The reason why it waited stays its target's verdict; without one it was late. */
void request_late(struct core *c, const json_t *request)
{
	static const char why[] = "SELECT 1 FROM verdict WHERE event=? AND policy=? AND target=? AND code IN ('budget','held','vetoed')";
	int64_t event = json_int(request, "event", 0), target = json_int(request, "target", 0);
	const char *policy = json_text(request, "policy_name", "");
	bool over = json_int(request, "end_us", 0) <= c->utc_us;
	request_unwant(c, json_int(request, "id", 0), over ? "its window is over" : "its visit does not fit into the rest of its window");
	if (get_int(c, 0, why, "iti", event, policy, target) == 0)
		verdict_put(c, event, policy, target, "late", json_text(request, "facility", ""), "its window passed before it could be asked");
}

void requests_unwant(struct core *c, const char *why, int64_t event, const char *facility, int64_t target, const char *policy, enum purposes covered)
{
	static const char covered_rows[] =
		"SELECT r.id FROM request r JOIN policy p ON p.id=r.policy WHERE r.unwanted=0 AND r.state IN "
		"('planned','offered','held','asked','unsure','accepted','scheduled','running') AND (?1=0 OR r.event=?1) AND (?2='' OR r.facility=?2) "
		"AND (?3=0 OR r.target=?3) AND (?4='' OR p.name=?4) AND (?5=0 OR r.purpose IN ('search','reference') OR (?5=1 AND r.purpose='vet')) "
		"ORDER BY r.id";
	json_t *rows = get_rows(c, covered_rows, "ititi", event, facility ? facility : "", target, policy ? policy : "", (int64_t)covered), *row;
	size_t i;
	json_array_foreach(rows, i, row)
		request_unwant(c, json_int(row, "id", 0), why);
	json_decref(rows);
}

/* A facility's reply: read by its adapter, its answers become signals; what was lost is a doubt. */
#include "engine/base/json.h"
#include "engine/base/limits.h"
#include "engine/base/utc.h"
#include "engine/core/turn.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define OFFER_WAIT_US (5 * UTC_SECOND) /* no facility delays another's request by more */

struct talk { /* one reply and what it answers */
	int64_t effect, request, released_seq;
	enum verb verb;
	int attempts, step;
	bool once;
	struct site *site;
	const struct input *in;
};

static bool is_write(enum verb v)
{
	return v == VERB_SUBMIT || v == VERB_CANCEL || v == VERB_FIND;
}

static int failed_once_more(struct core *c, const struct talk *t, const char *words)
{
	put(c, "UPDATE facility SET failures=failures+1,changed_seq=? WHERE name=?", "it", c->seq, t->site->name);
	int n = (int)get_int(c, 1, "SELECT failures FROM facility WHERE name=?", "t", t->site->name);
	if (n >= 5)
		alarm_raise(c, t->site->name, "failures", "%d calls in a row failed; the last: %s", n, words);
	return n;
}

static void worked(struct core *c, const struct talk *t)
{
	put(c, "UPDATE facility SET failures=0,changed_seq=? WHERE name=? AND failures>0", "it", c->seq, t->site->name);
	if (!failed(c) && sqlite3_changes(c->db) > 0)
		alarm_clear(c, t->site->name, "failures");
	alarm_clear(c, t->site->name, "retry-after");
}

static void doubt(struct core *c, const struct talk *t, const char *words)
{
	effect_close(c, t->effect, "doubtful", words);
	if (t->verb == VERB_SUBMIT)
		request_signal(c, t->request, SIGNAL_doubt, words);
}

/* It is known that nothing was made: the same submit may leave again. */
static void submit_void(struct core *c, const struct talk *t, const char *words)
{
	if (t->verb != VERB_SUBMIT || t->step > 0)
		return;
	put(c, "UPDATE request SET void_submits=void_submits+1 WHERE id=?", "i", t->request);
	request_signal(c, t->request, SIGNAL_not_sent, words);
}

static void again(struct core *c, const struct talk *t, int64_t wait_us, const char *words)
{
	if (t->verb == VERB_POLL && t->request == 0 && t->step > 0) { /* a broken feed starts again at its first page, by its timer */
		effect_close(c, t->effect, "done", words);
		return;
	}
	effect_again(c, t->effect, c->tick_us + wait_us, words);
	if (t->attempts >= 5 && t->request) {
		char token[64];
		get_text(c, token, sizeof token, "SELECT token FROM request WHERE id=?", "i", t->request);
		alarm_raise(c, token, verb_name(t->verb), "%s has not answered it after %d attempts: %s", t->site->name, t->attempts, words);
	}
	submit_void(c, t, words);
	if (t->verb == VERB_SUBMIT && t->step == 0 && (wait_us > OFFER_WAIT_US || t->attempts > 2))
		request_slip(c, t->request, "slipped: its facility does not take it now"); /* a reserve is not kept waiting */
	static const char unwanted[] = "SELECT 1 FROM request WHERE id=? AND unwanted=1 AND state='asked'";
	if (t->verb == VERB_SUBMIT && t->step == 0 && get_int(c, 0, unwanted, "i", t->request)) { /* a later step: at its release */
		request_signal(c, t->request, SIGNAL_unwanted_unsent, words);
		effects_drop(c, t->request, "submit", "unwanted");
	}
}

static void observation_put(struct core *c, int64_t request, const char *facility, const struct answer *a)
{
	static const char upsert[] =
		"INSERT INTO observation(request,facility,remote_id,site,telescope,state,start_us,end_us,words,seq) VALUES(?,?,?,?,?,?,?,?,?,?) "
		"ON CONFLICT(facility,remote_id) DO UPDATE SET state=excluded.state,start_us=excluded.start_us,end_us=excluded.end_us,"
		"words=excluded.words,seq=excluded.seq WHERE state<>excluded.state OR start_us IS NOT excluded.start_us";
	const char *state = a->kind == ANSWER_SCHEDULED ? "scheduled" : a->kind == ANSWER_RUNNING ? "running" : a->kind == ANSWER_DONE ? "done" :
			    a->kind == ANSWER_CANCELLED ? "cancelled" : "failed";
	if (a->observation_id[0])
		put(c, upsert, "itttttnnti", request, facility, a->observation_id, a->site, a->telescope, state, a->start_us, a->end_us, a->words,
		    c->seq);
	if (a->observation_id[0] && a->kind == ANSWER_DONE)
		(void)ledger_charge(c, request, LIFE_done); /* often told only after the request was done */
}

/* Which request an answer is about: by token if it has one, else by the facility's number, else that of the effect. 0: none of ours. */
static int64_t request_of(struct core *c, const struct talk *t, const struct answer *a)
{
	int64_t id = 0;
	if (a->token[0])
		id = get_int(c, 0, "SELECT id FROM request WHERE token=? AND facility=?", "tt", a->token, t->site->name);
	else if (a->remote_id[0])
		id = get_int(c, 0, "SELECT id FROM request WHERE facility=? AND remote_id=?", "tt", t->site->name, a->remote_id);
	else
		return t->request;
	return id;
}

static bool is_sweep(const struct talk *t)
{
	return t->verb == VERB_FIND && t->request == 0;
}

/* Token of another request that has this number at the facility; "" when there is none. */
static void number_owner(struct core *c, const struct talk *t, int64_t request, const char *remote_id, char token[64])
{
	static const char other[] = "SELECT token FROM request WHERE facility=? AND remote_id=? AND id<>?";
	token[0] = 0;
	if (remote_id[0])
		get_text(c, token, 64, other, "tti", t->site->name, remote_id, request);
}

/* The facility's number is kept once; a second one under the same token is a second submission; one number for two requests is the facility's
 * mistake, and whoever had it first keeps it. false: not this row's. */
static bool remote_id_keep(struct core *c, const struct talk *t, int64_t request, const struct answer *a)
{
	char have[64], owner[64];
	if (a->remote_id[0] == 0)
		return true;
	number_owner(c, t, request, a->remote_id, owner);
	if (owner[0]) {
		alarm_raise(c, a->remote_id, "number", "%s gives the number %s to %s and to %s: what it says of the second is not believed; look there",
			    t->site->name, a->remote_id, owner, a->token[0] ? a->token : "another");
		return false;
	}
	get_text(c, have, sizeof have, "SELECT remote_id FROM request WHERE id=?", "i", request);
	if (have[0] == 0 || strncmp(have, "person-", 7) == 0) /* a person's word stood in for the number */
		put(c, "UPDATE request SET remote_id=?,changed_seq=? WHERE id=?", "tii", a->remote_id, c->seq, request);
	else if (strcmp(have, a->remote_id) != 0) {
		alarm_raise(c, a->remote_id, "second", "%s shows %s as %s and as %s: it was submitted twice; withdraw %s there", t->site->name, a->token, have,
			    a->remote_id, a->remote_id);
		return false;
	}
	return true;
}

static int signal_of(enum answer_kind k)
{
	switch (k) {
	case ANSWER_ACCEPTED: return SIGNAL_accepted;
	case ANSWER_DECLINED: return SIGNAL_declined;
	case ANSWER_QUEUED: return SIGNAL_queued;
	case ANSWER_SCHEDULED: return SIGNAL_scheduled;
	case ANSWER_RUNNING: return SIGNAL_running;
	case ANSWER_DONE: return SIGNAL_done;
	case ANSWER_FAILED: return SIGNAL_failed;
	case ANSWER_CANCELLED: return SIGNAL_cancelled;
	case ANSWER_EXPIRED: return SIGNAL_expired;
	case ANSWER_ABSENT: return SIGNAL_absent;
	default: return -1;
	}
}

/* A sweep sees groups, not their observations: "queued" says nothing new of what lives, and "cancelled" may still be running. A restored
 * copy believes it, or the request that took its place would be withdrawn as the second one. */
static bool sweep_is_coarse(struct core *c, const struct talk *t, int64_t id, int signal)
{
	static const char followed[] = "SELECT state IN ('accepted','scheduled','running','cancelling') FROM request WHERE id=?";
	static const char believed[] = "SELECT r.state<>'running' FROM request r JOIN sweep s ON s.facility=r.facility AND s.restored=1 WHERE r.id=?";
	if (signal == SIGNAL_cancelled && get_int(c, 0, believed, "i", id) == 1)
		return false;
	if ((signal != SIGNAL_queued && signal != SIGNAL_cancelled) || get_int(c, 0, followed, "i", id) == 0)
		return false;
	if (signal == SIGNAL_cancelled && !effect_pending(c, id, VERB_POLL))
		effect_call(c, t->site->name, VERB_POLL, 0, id, UTC_NONE);
	return true;
}

/* Believed all the same (lifecycle.c), but a person hears of it; of a restored copy once, for all. */
static void shown_early(struct core *c, const char *facility, int64_t id, const struct answer *a)
{
	static const char restored[] = "SELECT 1 FROM sweep WHERE facility=? AND restored=1";
	char state[16];
	get_text(c, state, sizeof state, "SELECT state FROM request WHERE id=?", "i", id);
	if (failed(c) || life_class((enum life)life_from_name(state)) != LIFE_CLASS_idle)
		return;
	bool copy = get_int(c, 0, restored, "t", facility) == 1;
	alarm_raise(c, copy ? facility : a->token, copy ? "appeared" : "unknown", "%s has it as %s, and here it was only %s: a restored copy, another engine "
		    "with the same installation id, or it showed up late; it is not submitted again", facility, a->remote_id, state);
}

static void answer_apply(struct core *c, const struct talk *t, const struct answer *a)
{
	if (strcmp(a->field, "duplicate") == 0) {
		alarm_raise(c, a->remote_id, "second", "%s: %s", t->site->name, a->words);
		return;
	}
	int64_t id = request_of(c, t, a);
	int signal = signal_of(a->kind);
	if (a->kind == ANSWER_UNKNOWN && a->words[0]) /* beside answers that are clear: nobody else would hear of it */
		alarm_raise(c, a->token[0] ? a->token : t->site->name, "answer", "%s: %s", t->site->name, a->words);
	if (id == 0 && strncmp(a->token, c->prefix, strlen(c->prefix)) == 0)
		stray_met(c, t->site->name, a, signal_name(signal < 0 ? SIGNAL_queued : (enum life_signal)signal), is_sweep(t));
	if (id == 0 || signal < 0)
		return;
	bool write = is_write(t->verb) && id == t->request;
	int64_t written = get_int(c, 0, "SELECT written_seq FROM request WHERE id=?", "i", id);
	if (!write && t->released_seq < written) { /* from before the last write was answered: ignored, but a feed will not tell it again */
		if (t->request == 0 && signal != SIGNAL_queued && !effect_pending(c, id, VERB_POLL) &&
		    get_int(c, 0, "SELECT remote_id IS NOT NULL FROM request WHERE id=?", "i", id))
			effect_call(c, t->site->name, VERB_POLL, 0, id, UTC_NONE);
		return;
	}
	if (!remote_id_keep(c, t, id, a))
		return;
	if (signal == SIGNAL_declined && t->verb == VERB_SUBMIT && id == t->request) {
		put(c, "UPDATE request SET void_submits=void_submits+1 WHERE id=?", "i", id);
		hours_refused_keep(c, id, a);
		request_refused(c, id, SIGNAL_declined, a);
		return;
	}
	if (signal == SIGNAL_declined || (signal == SIGNAL_absent && t->verb == VERB_FIND))
		return;
	if (is_sweep(t) && sweep_is_coarse(c, t, id, signal))
		return;
	shown_early(c, t->site->name, id, a);
	observation_put(c, id, t->site->name, a);
	request_signal(c, id, (enum life_signal)signal, a->words);
}

/* Absent counts when the find was complete; twice, the second at least visible_delay_s after the doubt and after the first. */
static void find_answered(struct core *c, const struct talk *t, const struct answers *as)
{
	char key[64];
	json_t *r = request_load(c, t->request);
	if (r == NULL || request_state(r) != LIFE_unsure) {
		json_decref(r);
		return;
	}
	bool absent = false;
	for (size_t i = 0; i < as->count; i++)
		absent |= as->list[i].kind == ANSWER_ABSENT;
	int64_t delay = (int64_t)(site_number(t->site, "visible_delay_s", 60) * 1e6);
	int64_t first = json_int(r, "absent_tick_us", UTC_NONE), doubted = json_int(r, "doubt_tick_us", 0);
	/* of this look's first page: the last one may have come much later */
	static const char begun[] = "SELECT released_tick_us FROM effect WHERE request=? AND verb='find' AND step=0 AND id<=? ORDER BY id DESC LIMIT 1";
	int64_t released = get_int(c, 0, begun, "ii", t->request, t->effect);
	snprintf(key, sizeof key, "find:%lld", (long long)t->request);
	if (absent && as->complete && first != UTC_NONE && released - first >= delay && released - doubted >= delay) {
		put(c, "UPDATE request SET absences=2,void_submits=min(submits,void_submits+1) WHERE id=?", "i", t->request);
		request_signal(c, t->request, SIGNAL_absent_twice, "looked for twice, not there");
	} else {
		if (absent && as->complete && first == UTC_NONE)
			put(c, "UPDATE request SET absences=1,absent_tick_us=? WHERE id=?", "ii", c->tick_us, t->request);
		timer_set(c, key, "find", t->request, NULL, UTC_NONE, c->tick_us + delay);
	}
	json_decref(r);
}

static void status_answered(struct core *c, const struct talk *t, const struct answers *as)
{
	static const char update[] = "UPDATE facility SET state=?1,detail=?2,checked_us=?3,changed_seq=?4 WHERE name=?5 AND state<>'gone'";
	char was[16];
	for (size_t i = 0; i < as->count; i++) {
		const struct answer *a = &as->list[i];
		if (a->kind != ANSWER_OPEN && a->kind != ANSWER_CLOSED)
			continue;
		const char *now = a->kind == ANSWER_OPEN ? "open" : "closed";
		get_text(c, was, sizeof was, "SELECT state FROM facility WHERE name=?", "t", t->site->name);
		hours_back(c, t->site->name, a->detail);
		char *detail = a->detail ? json_compact(a->detail) : strdup("{}");
		put(c, update, "ttiit", now, detail, c->utc_us, c->seq, t->site->name);
		free(detail);
		if (strcmp(was, "gone") != 0)
			promises_look(c, t->site->name);
		if (strcmp(was, now) != 0 && strcmp(was, "gone") != 0)
			want_plans(c);
	}
}

static void frames_answered(struct core *c, const struct talk *t, const struct answers *as)
{
	static const char upsert[] = "INSERT INTO data_product(facility,request,basename,level,version,detail,seq) VALUES(?,?,?,?,?,?,?) "
				     "ON CONFLICT(facility,request,basename,level) DO UPDATE SET version=excluded.version,detail=excluded.detail,"
				     "seq=excluded.seq WHERE version IS NOT excluded.version";
	for (size_t i = 0; i < as->count; i++) {
		const json_t *list = as->list[i].kind == ANSWER_FRAMES ? as->list[i].detail : NULL, *f;
		size_t k;
		json_array_foreach(list, k, f) {
			char *detail = json_compact(f), level[24]; /* a word or, in an OCS archive, a number */
			snprintf(level, sizeof level, "%lld", (long long)json_int(f, "level", 0));
			put(c, upsert, "titttti", t->site->name, t->request, json_text(f, "basename", ""), json_text(f, "level", level),
			    json_text(f, "version", NULL), detail, c->seq);
			free(detail);
		}
	}
}

static void memos_keep(struct core *c, const struct talk *t, const struct answers *as)
{
	char *memo = as->memo ? json_compact(as->memo) : NULL, *facility = as->facility_memo ? json_compact(as->facility_memo) : NULL;
	if (memo != NULL && t->request && strlen(memo) <= LIMIT_MEMO)
		put(c, "UPDATE request SET memo=?1 WHERE id=?2 AND memo IS NOT ?1", "ti", memo, t->request);
	if (facility != NULL && strlen(facility) <= 4 * LIMIT_MEMO)
		put(c, "UPDATE facility SET memo=?1 WHERE name=?2 AND memo IS NOT ?1", "tt", facility, t->site->name);
	if ((memo != NULL && strlen(memo) > LIMIT_MEMO) || (facility != NULL && strlen(facility) > 4 * LIMIT_MEMO))
		alarm_raise(c, t->site->name, "memo", "the adapter's notes are over their ceiling and were not kept");
	free(memo);
	free(facility);
}

/* A verb is complete: what its answers mean together. */
static void verb_answered(struct core *c, const struct talk *t, const struct answers *as)
{
	static const struct answer nothing = {.kind = ANSWER_UNKNOWN, .seconds = NAN, .ipp_max = NAN, .hours_left = NAN, .words = "an empty answer"};
	const struct answer *last = as->count ? &as->list[as->count - 1] : &nothing;
	switch (t->verb) {
	case VERB_OFFER:
		hours_refused_keep(c, t->request, last);
		offer_answered(c, t->request, last);
		return;
	case VERB_STATUS:
		status_answered(c, t, as);
		return;
	case VERB_DATA:
		frames_answered(c, t, as);
		return;
	case VERB_SUBMIT:
	case VERB_FIND:
	case VERB_POLL:
	case VERB_CANCEL:
	case VERB_COUNT:
		break;
	}
	for (size_t i = 0; i < as->count; i++)
		answer_apply(c, t, &as->list[i]);
	if (is_sweep(t) && as->complete)
		sweep_done(c, t->site->name);
	if (t->request == 0)
		return;
	if (is_write(t->verb))
		put(c, "UPDATE request SET written_seq=? WHERE id=?", "ii", c->seq, t->request);
	if (t->verb == VERB_FIND)
		find_answered(c, t, as);
	if (t->verb == VERB_CANCEL)
		put(c, "UPDATE request SET cancels=cancels+1 WHERE id=?", "i", t->request);
}

/* A submission taken under no number, or under that of another request, cannot be followed: it is in doubt. */
static bool accepted_blindly(struct core *c, const struct talk *t, const struct answers *as)
{
	const struct answer *last = as->count ? &as->list[as->count - 1] : NULL;
	char owner[64];
	if (t->verb != VERB_SUBMIT || as->next_step >= 0 || last == NULL || last->kind != ANSWER_ACCEPTED)
		return false;
	number_owner(c, t, t->request, last->remote_id, owner);
	return last->remote_id[0] == 0 || owner[0] != 0;
}

/* Nothing was made, and nothing would be: the facility is held until a person has mended it, and what was asked of it waits. */
static void credentials_refused(struct core *c, const struct talk *t, const char *words)
{
	static const char held[] = "SELECT 1 FROM gate WHERE kind='hold' AND facility=? AND event IS NULL AND lifted_seq IS NULL";
	if (!get_int(c, 0, held, "t", t->site->name)) { /* a person's hold stays a person's */
		gate_open(c, "hold", 0, t->site->name, 0, NULL, UTC_NONE, "it refuses the credentials");
		want_plans(c);
	}
	alarm_raise(c, t->site->name, "credentials", "%s refuses the credentials (%s): mend them and say slew ctl resume %s; until then nothing is submitted there",
		    t->site->name, words, t->site->name);
	failed_once_more(c, t, words);
	again(c, t, UTC_MINUTE, words);
}

/* How long it is left alone: an absurd time must not silence a cancel, or the sweep of a restored copy, for a night. */
static int64_t retry_after_s(struct core *c, const struct talk *t, const struct answer *later)
{
	int64_t s = later->retry_after_s < 1 ? 30 : later->retry_after_s, told_s = t->in->reply.retry_after_s;
	if (s > LIMIT_RETRY_AFTER_S || told_s > LIMIT_RETRY_AFTER_S)
		alarm_raise(c, t->site->name, "retry-after", "%s wants to be left alone for %lld s (%s); it is asked again after %d s", t->site->name, (long long)(told_s > s ? told_s : s),
			    verb_name(t->verb), LIMIT_RETRY_AFTER_S);
	return s > LIMIT_RETRY_AFTER_S ? LIMIT_RETRY_AFTER_S : s;
}

/* Is there an answer that settles the effect? Otherwise it is tried again, or doubted. */
static void read_answers(struct core *c, const struct talk *t, const struct answers *as)
{
	const struct answer *unknown = NULL, *later = NULL, *stranger = NULL;
	bool clear = as->next_step >= 0 || as->complete;
	for (size_t i = 0; i < as->count; i++) {
		const struct answer *a = &as->list[i];
		unknown = a->kind == ANSWER_UNKNOWN ? a : unknown;
		later = a->kind == ANSWER_RETRY_AFTER ? a : later;
		stranger = a->credentials && a->creates_nothing ? a : stranger;
		clear |= a->kind != ANSWER_UNKNOWN && a->kind != ANSWER_RETRY_AFTER && !is_sweep(t); /* a page too many is no answer */
	}
	memos_keep(c, t, as);
	bool accepted_blind = clear && accepted_blindly(c, t, as);
	if (stranger != NULL && (t->verb == VERB_SUBMIT || t->verb == VERB_OFFER)) {
		credentials_refused(c, t, stranger->words);
	} else if (later != NULL && t->verb == VERB_SUBMIT && t->once && !later->creates_nothing) {
		doubt(c, t, later->words); /* "later" alone is no proof that nothing was made */
	} else if (later != NULL) {
		again(c, t, retry_after_s(c, t, later) * UTC_SECOND, later->words);
	} else if (!clear || accepted_blind) {
		const char *words = unknown ? unknown->words : accepted_blind ? "accepted without a number of its own" : "no answer in it";
		int failures = failed_once_more(c, t, words);
		if (t->verb == VERB_SUBMIT && !(unknown && unknown->creates_nothing))
			doubt(c, t, words);
		else if (t->verb == VERB_OFFER && t->attempts >= 4) { /* refused, cannot say why */
			effect_close(c, t->effect, "done", words);
			verb_answered(c, t, as);
		} else if (t->verb == VERB_STATUS || t->verb == VERB_DATA || t->verb == VERB_POLL)
			effect_close(c, t->effect, "done", words); /* asked again by its timer */
		else
			again(c, t, backoff_us(is_sweep(t) ? t->attempts : failures), words);
	} else {
		worked(c, t);
		effect_close(c, t->effect, "done", as->count ? answer_name(as->list[as->count - 1].kind) : "step");
		if (as->next_step >= 0)
			effect_call(c, t->site->name, t->verb, as->next_step, t->request, UTC_NONE);
		if (as->next_step < 0 || t->verb == VERB_POLL || t->verb == VERB_DATA || is_sweep(t))
			verb_answered(c, t, as);
	}
}

static void answered(struct core *c, const struct talk *t, const json_t *request)
{
	struct vision v;
	struct answers as = {.next_step = -1};
	struct reply reply = {
		.sent = SENT_ANSWERED, .status = t->in->reply.status, .content_type = t->in->reply.content_type ? t->in->reply.content_type : "",
		.transport = "", .retry_after_s = t->in->reply.retry_after_s, .body = t->in->body ? t->in->body : "", .len = t->in->len,
	};
	vision_open(c, &v, t->site, request, t->verb, t->step);
	if (t->site->ops->read(&v.conf, &v.view, &reply, &as) < 0)
		short_of_memory(c, &(struct err){ERR_MEMORY, "the adapter has no memory to read a reply; give the engine more"});
	else
		read_answers(c, t, &as);
	answers_free(&as);
	vision_close(&v);
}

void on_reply(struct core *c, const struct input *in)
{
	static const char effect[] = "SELECT * FROM effect WHERE id=? AND kind='call'";
	json_t *row = get_row(c, effect, "i", in->effect);
	const char *transport = in->reply.transport && in->reply.transport[0] ? in->reply.transport : "no answer";
	if (row == NULL) {
		refuse(c, "reply to effect %lld: there is no such call", (long long)in->effect);
		return;
	}
	struct talk t = {
		.effect = in->effect, .request = json_int(row, "request", 0), .released_seq = json_int(row, "released_seq", 0),
		.verb = (enum verb)verb_from_name(json_text(row, "verb", "")), .attempts = (int)json_int(row, "attempts", 0),
		.step = (int)json_int(row, "step", 0), .once = json_int(row, "once", 0) == 1,
		.site = site_find(c, json_text(row, "facility", "")), .in = in,
	};
	json_t *request = t.request ? request_load(c, t.request) : NULL;
	if (strcmp(json_text(row, "state", ""), "released") != 0) {
		/* done already, or of before a restart: journalled, changes nothing */
	} else if (t.site == NULL || t.site->ops == NULL) {
		refuse(c, "reply to effect %lld: facility %s is not known", (long long)in->effect, json_text(row, "facility", "?"));
	} else if (in->reply.sent == SENT_ANSWERED) {
		answered(c, &t, request);
	} else {
		int failures = failed_once_more(c, &t, transport);
		if (in->reply.sent == SENT_MAYBE && t.once)
			doubt(c, &t, transport);
		else
			again(c, &t, backoff_us(failures), transport);
	}
	json_decref(request);
	json_decref(row);
}

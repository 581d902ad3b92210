/* Replies of a Kafka REST proxy, or of a file database, as answers (the "rubin-too" adapter). Total: any bytes give answers. The proxy says that a record
 * is in the log; nobody ever says that it is followed, so a request that stays unobserved until its survey gives up is taken for refused. */
#include "facilities/rubin.h"
#include "engine/base/json.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SENT_KEPT = 100, RETRY_S = 30, RETRIABLE = 2 /* the proxy's word for "Kafka may have taken it" */ };

/* One reply being read. */
struct reading {
	const struct facility_conf *conf;
	const struct view *v;
	const struct reply *reply;
	json_t *json;
	struct answers *out;
};

static struct answer *add(const struct reading *r, enum answer_kind kind)
{
	struct answer *a = answers_add(r->out, kind);
	if (a != NULL && r->v->request != NULL)
		text_copy(a->token, sizeof a->token, r->v->request->token);
	return a;
}

static bool proves_nothing_made(const struct reading *r)
{
	const json_t *list = json_object_get(r->conf->descriptor, "creates_nothing"), *status;
	size_t i;
	if (r->v->verb == VERB_SUBMIT && r->v->step == 0)
		return true; /* it only looked */
	if (r->reply->sent != SENT_ANSWERED)
		return r->reply->sent == SENT_NO;
	if (rubin_is_file(r->conf) && r->reply->status != 200)
		return true; /* one transaction, or none */
	json_array_foreach(list, i, status)
		if (json_integer_value(status) == r->reply->status)
			return true;
	return false;
}

static void words_put(const struct reading *r, struct answer *a)
{
	char shown[400];
	const struct reply *p = r->reply;
	const char *message = json_text(r->json, "message", NULL), *text = p->sent != SENT_ANSWERED ? p->transport : message != NULL ? message : p->body;
	size_t len = text == NULL ? 0 : text == p->body ? p->len : strlen(text);
	text_escape(shown, sizeof shown, text != NULL ? text : "", len);
	if (p->sent != SENT_ANSWERED)
		snprintf(a->words, sizeof a->words, "%s: %s", p->sent == SENT_NO ? "not sent" : "answer lost", shown);
	else
		snprintf(a->words, sizeof a->words, "HTTP %d%s%s", p->status, shown[0] != '\0' ? ": " : "", shown);
}

/* A reply that is not what was hoped for. */
static void trouble(const struct reading *r)
{
	int status = r->reply->sent == SENT_ANSWERED ? r->reply->status : 0;
	bool nothing = proves_nothing_made(r), later = status == 429 || (status == 503 && nothing);
	bool refused = nothing && status >= 400 && status < 500 && !later && r->v->verb == VERB_SUBMIT;
	struct answer *a = add(r, later && (nothing || r->v->verb != VERB_SUBMIT) ? ANSWER_RETRY_AFTER : refused ? ANSWER_DECLINED : ANSWER_UNKNOWN);
	if (a == NULL)
		return;
	words_put(r, a);
	a->creates_nothing = nothing;
	if (a->kind == ANSWER_RETRY_AFTER)
		a->retry_after_s = r->reply->retry_after_s < 1 ? RETRY_S : r->reply->retry_after_s > LIMIT_RETRY_AFTER_S ? LIMIT_RETRY_AFTER_S : r->reply->retry_after_s;
	if (a->kind == ANSWER_DECLINED) {
		a->credentials = status == 401 || status == 403;
		text_copy(a->stem, sizeof a->stem, a->credentials ? "configuration" : "other");
	}
}

static json_t *copy_of(const json_t *memo)
{
	return json_is_object(memo) ? json_deep_copy(memo) : json_object();
}

/* An integer of the only row of a file's answer; 0 when there is none. */
static int64_t newest_row(const struct reading *r, const char *column)
{
	const json_t *columns = json_object_get(r->json, "columns"), *name, *row = json_array_get(json_object_get(r->json, "rows"), 0);
	size_t i;
	json_array_foreach(columns, i, name)
		if (json_is_string(name) && strcmp(json_string_value(name), column) == 0)
			return json_integer_value(json_array_get(row, i));
	return 0;
}

/* Timestamp and source are given away: both are noted before the record leaves. */
static void reserve(const struct reading *r)
{
	const struct facility_request *q = r->v->request;
	json_t *ours = copy_of(r->v->facility_memo), *memo = copy_of(r->v->memo), *sent = json_object_get(ours, "sent"), *pair;
	int64_t last_ms = rubin_last_ms(ours), now_ms = r->v->now_us / 1000, theirs_ms = newest_row(r, "timestamp");
	char source[64];
	size_t i;
	last_ms = theirs_ms > last_ms && theirs_ms < INT64_C(9999999999999) ? theirs_ms : last_ms; /* others may write there, too */
	rubin_source(ours, q->event, q->token, source);
	if (!json_is_array(sent)) {
		sent = json_array();
		json_object_set_new(ours, "sent", sent);
	}
	json_array_foreach(sent, i, pair)
		if (strcmp(json_string_value(json_array_get(pair, 0)) ? json_string_value(json_array_get(pair, 0)) : "", source) == 0)
			break;
	if (i == json_array_size(sent))
		json_array_append_new(sent, json_pack("[s,s]", source, q->token));
	while (json_array_size(sent) > SENT_KEPT)
		json_array_remove(sent, 0);
	int64_t stamp_ms = now_ms > last_ms ? now_ms : last_ms + 1;
	json_object_set_new(ours, "last_ms", json_integer(stamp_ms));
	json_object_set_new(memo, "source", json_string(source));
	json_object_set_new(memo, "timestamp_ms", json_integer(stamp_ms));
	r->out->memo = memo;
	r->out->facility_memo = ours;
	r->out->next_step = 1;
}

/* When the survey gives up: after its last epoch and as long as a visit may wait in the queue. */
static int64_t until_us(const struct reading *r)
{
	const json_t *too = rubin_settings(r->conf), *survey;
	const char *label = rubin_label(too, r->v->request->policy != NULL ? r->v->request->policy : "");
	survey = label != NULL ? rubin_survey(too, label) : NULL;
	int64_t from_us = r->v->request->event_us != UTC_NONE ? r->v->request->event_us : r->v->now_us;
	double hours = json_number(survey, "last_h", 72) + json_number(survey, "flush_h", 48);
	return from_us + (int64_t)(hours * 3600e6);
}

static void accept(const struct reading *r, const char *remote_id, const char *where)
{
	struct answer *a = add(r, ANSWER_ACCEPTED);
	char source[64];
	json_t *memo = copy_of(r->v->memo);
	text_escape(source, sizeof source, json_text(memo, "source", ""), strlen(json_text(memo, "source", "")));
	json_object_set_new(memo, "until_us", json_integer(until_us(r)));
	r->out->memo = memo;
	if (a == NULL)
		return;
	text_copy(a->remote_id, sizeof a->remote_id, remote_id);
	snprintf(a->words, sizeof a->words, "in the %s as %s (%s): nobody answers it, and it cannot be withdrawn", where, source, remote_id);
	if (strcmp(source, r->v->request->event) != 0)
		snprintf(a->words + strlen(a->words), sizeof a->words - strlen(a->words), "; the record %s before it stays active there", r->v->request->event);
}

/* {"offsets":[{"partition":0,"offset":12,"error_code":null,"error":null}]} */
static void read_record(const struct reading *r)
{
	const json_t *first = json_array_get(json_object_get(r->json, "offsets"), 0), *offset = json_object_get(first, "offset");
	const json_t *code = json_object_get(first, "error_code");
	bool failed = code != NULL && !json_is_null(code);
	if (r->reply->sent != SENT_ANSWERED || r->reply->status != 200 || !json_is_object(first) || (!failed && !json_is_integer(offset))) {
		trouble(r);
		return;
	}
	if (!failed && json_integer_value(offset) >= 0) {
		char id[64];
		snprintf(id, sizeof id, "%lld/%lld", (long long)json_int(first, "partition", 0), (long long)json_integer_value(offset));
		accept(r, id, "log");
		return;
	}
	bool perhaps = !failed || json_integer_value(code) == RETRIABLE;
	struct answer *a = add(r, perhaps ? ANSWER_UNKNOWN : ANSWER_DECLINED);
	char shown[400];
	const char *why = json_text(first, "error", "");
	if (a == NULL)
		return;
	text_escape(shown, sizeof shown, why, strlen(why));
	snprintf(a->words, sizeof a->words, "the proxy reports error %lld: %s", (long long)json_integer_value(code), shown);
	a->creates_nothing = !perhaps;
	if (!perhaps)
		text_copy(a->stem, sizeof a->stem, "other");
}

/* {"rowid":n} of a file, where the row's number is its timestamp. */
static void read_row(const struct reading *r)
{
	char id[64];
	if (r->reply->sent != SENT_ANSWERED || r->reply->status != 200 || !json_is_integer(json_object_get(r->json, "rowid"))) {
		trouble(r);
		return;
	}
	snprintf(id, sizeof id, "row/%lld", (long long)json_int(r->json, "rowid", 0));
	accept(r, id, "file");
}

/* Is our row there, under our source? */
static void read_find(const struct reading *r)
{
	const json_t *rows = json_object_get(r->json, "rows"), *row = json_array_get(rows, 0);
	int64_t wanted = json_int(r->v->memo, "timestamp_ms", 0);
	const char *source = json_string_value(json_array_get(row, 2));
	char id[64];
	if (r->reply->sent != SENT_ANSWERED || r->reply->status != 200 || !json_is_array(rows)) {
		trouble(r);
		return;
	}
	r->out->complete = true;
	if (wanted != 0 && newest_row(r, "timestamp") == wanted && source != NULL && strcmp(source, json_text(r->v->memo, "source", "?")) == 0) {
		snprintf(id, sizeof id, "row/%lld", (long long)wanted);
		accept(r, id, "file");
	} else {
		add(r, ANSWER_ABSENT);
	}
}

/* Visits complete a request: all of its region covered, or its survey's time over. */
static void read_visits(const struct reading *r)
{
	if (r->reply->sent != SENT_ANSWERED || r->reply->status != 200 || !json_is_array(json_object_get(r->json, "rows"))) {
		trouble(r);
		return;
	}
	json_t *memo = copy_of(r->v->memo);
	bool last = rubin_visits_read(r->conf, r->v, r->json, memo);
	int64_t until = json_int(memo, "until_us", UTC_NONE), visits = json_int(memo, "visits", 0);
	int all, seen = rubin_cells_seen(r->v, memo, &all);
	bool over = until != UTC_NONE && r->v->now_us > until;
	char stamp[32];
	r->out->memo = memo;
	if (!last) {
		r->out->next_step = r->v->step + 1;
		return;
	}
	r->out->complete = true;
	struct answer *a = add(r, visits == 0 ? (over ? ANSWER_EXPIRED : ANSWER_QUEUED) : over || seen == all ? ANSWER_DONE : ANSWER_RUNNING);
	if (a == NULL)
		return;
	if (visits == 0 && over)
		snprintf(a->words, sizeof a->words, "no visit of its region until %s, when its survey gives up: taken for refused", utc_format_s(stamp, until));
	if (visits == 0)
		return;
	snprintf(a->words, sizeof a->words, "%lld visits, %d of %d cells of the region", (long long)visits, seen, all);
	snprintf(a->observation_id, sizeof a->observation_id, "%.40s", r->v->request->token);
	a->start_us = json_int(memo, "first_us", UTC_NONE);
	a->end_us = json_int(memo, "last_us", UTC_NONE);
}

static bool topic_is_there(const struct reading *r)
{
	return r->reply->sent == SENT_ANSWERED && r->reply->status == 200 && json_is_object(r->json);
}

/* Silence is the only refusal there is. */
static void read_silence(const struct reading *r)
{
	int64_t until = json_int(r->v->memo, "until_us", UTC_NONE);
	char stamp[32];
	if (!topic_is_there(r)) {
		trouble(r);
		return;
	}
	bool over = until != UTC_NONE && r->v->now_us > until;
	struct answer *a = add(r, over ? ANSWER_EXPIRED : ANSWER_QUEUED);
	if (a == NULL)
		return;
	if (over)
		snprintf(a->words, sizeof a->words, "nothing was heard of it until %s, when its survey gives up: taken for refused", utc_format_s(stamp, until));
	r->out->complete = true;
}

static void read_status(const struct reading *r)
{
	bool there = topic_is_there(r);
	if (!there && !(r->reply->sent == SENT_ANSWERED && r->reply->status == 404)) {
		trouble(r);
		return;
	}
	struct answer *a = answers_add(r->out, there ? ANSWER_OPEN : ANSWER_CLOSED);
	if (a != NULL && !there)
		words_put(r, a);
	r->out->complete = true;
}

int rubin_too_read(const struct facility_conf *conf, const struct view *v, const struct reply *reply, struct answers *out)
{
	struct err e = {0};
	struct reading r = {.conf = conf, .v = v, .reply = reply, .out = out};
	out->next_step = -1;
	if (reply->sent == SENT_ANSWERED && reply->body != NULL)
		r.json = json_read(reply->body, reply->len, &json_limits_reply, &e);
	if (e.kind == ERR_MEMORY)
		return -1;
	bool asked = v->request != NULL;
	if (v->verb == VERB_SUBMIT && asked && v->step == 0)
		topic_is_there(&r) ? reserve(&r) : trouble(&r);
	else if (v->verb == VERB_SUBMIT && asked)
		rubin_is_file(conf) ? read_row(&r) : read_record(&r);
	else if (v->verb == VERB_POLL && asked)
		rubin_is_file(conf) ? read_visits(&r) : read_silence(&r);
	else if (v->verb == VERB_FIND && asked && rubin_is_file(conf))
		read_find(&r);
	else if (v->verb == VERB_STATUS)
		read_status(&r);
	else
		trouble(&r);
	json_decref(r.json);
	return 0;
}

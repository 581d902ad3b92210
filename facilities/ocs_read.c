/* Replies of the portal as answers. Total: any bytes give answers, in the worst case UNKNOWN with the first words of the body. */
#include "facilities/ocs.h"
#include "engine/base/json.h"
#include "engine/base/limits.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RETRY_DEFAULT_S = 60 };

/* helpers shared by the readers -------------------------------------------------------------------------------------------- */

json_t *ocs_memo(const struct ocs_reading *r)
{
	return json_is_object(r->v->memo) ? json_deep_copy(r->v->memo) : json_object();
}

json_t *ocs_facility_memo(const struct ocs_reading *r)
{
	return json_is_object(r->v->facility_memo) ? json_deep_copy(r->v->facility_memo) : json_object();
}

void ocs_id(const json_t *value, char *out, size_t size)
{
	out[0] = '\0';
	if (json_is_integer(value) && json_integer_value(value) >= 0)
		snprintf(out, size, "%lld", (long long)json_integer_value(value));
	else if (json_is_string(value) && strspn(json_string_value(value), "0123456789") == json_string_length(value))
		(void)text_copy(out, size, json_string_value(value));
}

int64_t ocs_time(const json_t *object, const char *key)
{
	struct err e = {0};
	int64_t utc_us;
	const char *s = json_text(object, key, NULL);
	return s != NULL && utc_parse(s, &utc_us, &e) == 0 ? utc_us : UTC_NONE;
}

double ocs_duration_s(const json_t *object)
{
	double s = json_number(object, "duration", NAN);
	return s >= 0 && s <= LIMIT_VISIT_S ? s : NAN;
}

/* Only the query of a link is ever used: the host and path of a `next` are the portal's word. */
char *ocs_next_query(const json_t *page)
{
	const char *next = json_text(page, "next", NULL);
	const char *query = next != NULL ? strchr(next, '?') : NULL;
	if (query == NULL || strlen(query + 1) > 1500 || !text_printable(query + 1, strlen(query + 1), 1500) ||
	    strpbrk(query, " #\"<>\\") != NULL)
		return NULL;
	return strdup(query + 1);
}

enum answer_kind ocs_group_kind(const char *state)
{
	static const struct {
		const char *state;
		enum answer_kind kind;
	} kinds[] = {
		{"PENDING", ANSWER_QUEUED}, {"COMPLETED", ANSWER_DONE}, {"CANCELED", ANSWER_CANCELLED},
		{"WINDOW_EXPIRED", ANSWER_EXPIRED}, {"FAILURE_LIMIT_REACHED", ANSWER_FAILED},
	};
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		if (strcmp(kinds[i].state, state) == 0)
			return kinds[i].kind;
	}
	return ANSWER_UNKNOWN;
}

/* Of an observation whose request is still open: the request goes back to the queue when an observation comes to nothing. */
enum answer_kind ocs_observation_kind(const char *state)
{
	if (strcmp(state, "IN_PROGRESS") == 0)
		return ANSWER_RUNNING;
	if (strcmp(state, "PENDING") == 0)
		return ANSWER_SCHEDULED;
	static const char *const past[] = {"NOT_ATTEMPTED", "COMPLETED", "CANCELED", "ABORTED", "FAILED", "BAD_DATA"};
	for (size_t i = 0; i < sizeof past / sizeof past[0]; i++) {
		if (strcmp(past[i], state) == 0)
			return ANSWER_QUEUED;
	}
	return ANSWER_UNKNOWN;
}

void ocs_state_words(const char *state, const char *advice, struct answer *out)
{
	char shown[65];
	text_escape(shown, sizeof shown, state, strlen(state));
	snprintf(out->words, sizeof out->words, "state \"%s\" is not known to this program: %s", shown, advice);
}

void ocs_hidden_words(const char *proposal, struct answer *out)
{
	char shown[65];
	text_escape(shown, sizeof shown, proposal, strlen(proposal));
	snprintf(out->words, sizeof out->words, "the portal does not show proposal %s to this token: what it does not list may be there", shown);
}

/* Why an observation failed: the list of a request has it in configuration_statuses, the feed in request.configurations. */
static const char *summary_reason(const json_t *row)
{
	const json_t *list = json_object_get(row, "configuration_statuses"), *entry;
	const char *reason = "";
	size_t i;
	if (list == NULL)
		list = json_object_get(json_object_get(row, "request"), "configurations");
	json_array_foreach(list, i, entry) {
		const char *text = json_text(json_object_get(entry, "summary"), "reason", "");
		if (text[0] != '\0')
			reason = text;
	}
	return reason;
}

void ocs_observation_fill(const json_t *row, struct answer *out)
{
	const char *reason = summary_reason(row);
	char site[16], enclosure[16], telescope[16], shown[600], state_shown[33];
	ocs_id(json_object_get(row, "id"), out->observation_id, sizeof out->observation_id);
	text_escape(site, sizeof site, json_text(row, "site", ""), strlen(json_text(row, "site", "")));
	text_escape(enclosure, sizeof enclosure, json_text(row, "enclosure", ""), strlen(json_text(row, "enclosure", "")));
	text_escape(telescope, sizeof telescope, json_text(row, "telescope", ""), strlen(json_text(row, "telescope", "")));
	text_copy(out->site, sizeof out->site, site);
	if (enclosure[0] != '\0')
		snprintf(out->telescope, sizeof out->telescope, "%s.%s", enclosure, telescope);
	else
		text_copy(out->telescope, sizeof out->telescope, telescope);
	out->start_us = ocs_time(row, "start");
	out->end_us = ocs_time(row, "end");
	text_escape(shown, sizeof shown, reason, strlen(reason));
	text_escape(state_shown, sizeof state_shown, json_text(row, "state", "?"), strlen(json_text(row, "state", "?")));
	snprintf(out->words, sizeof out->words, "observation %s %s%s%s", out->observation_id, state_shown, shown[0] != '\0' ? ": " : "", shown);
}

/* An answer about the request of the view. */
static struct answer *add_ours(const struct ocs_reading *r, enum answer_kind kind)
{
	struct answer *a = answers_add(r->out, kind);
	if (a != NULL && r->v->request != NULL) {
		text_copy(a->token, sizeof a->token, r->v->request->token);
		if (r->v->request->remote_id != NULL)
			text_copy(a->remote_id, sizeof a->remote_id, r->v->request->remote_id);
	}
	return a;
}

/* By the descriptor; without its word, and where nothing is made anyway, what Django REST framework refuses before it writes. */
static bool proves_nothing_made(const struct ocs_reading *r)
{
	const json_t *list = r->v->verb == VERB_SUBMIT ? json_object_get(r->conf->descriptor, "creates_nothing") : NULL, *one;
	int status = r->reply->status;
	size_t i;
	json_array_foreach(list, i, one)
		if (json_integer_value(one) == status)
			return true;
	if (json_is_array(list))
		return false;
	return status == 400 || status == 401 || status == 403 || status == 404 || status == 415 || status == 429;
}

struct answer *ocs_trouble(const struct ocs_reading *r)
{
	const struct reply *reply = r->reply;
	bool answered = reply->sent == SENT_ANSWERED, write = r->v->verb == VERB_SUBMIT;
	bool nothing = answered ? proves_nothing_made(r) : reply->sent == SENT_NO;
	enum answer_kind kind = answered && reply->status == 429 && (nothing || !write) ? ANSWER_RETRY_AFTER : ANSWER_UNKNOWN;
	struct answer *a = add_ours(r, kind);
	if (a == NULL)
		return NULL;
	ocs_words(reply, a);
	a->creates_nothing = nothing;
	if (kind == ANSWER_RETRY_AFTER) {
		int64_t wait_s = reply->retry_after_s < 0 ? RETRY_DEFAULT_S : reply->retry_after_s;
		a->retry_after_s = wait_s < 1 ? 1 : wait_s > LIMIT_RETRY_AFTER_S ? LIMIT_RETRY_AFTER_S : wait_s;
	}
	if (answered && kind != ANSWER_RETRY_AFTER && json_is_object(r->json) && reply->status >= 400 && reply->status < 500) {
		ocs_refusal(r->json, a);
		if (a->creates_nothing && (write || r->v->verb == VERB_OFFER))
			a->kind = ANSWER_DECLINED;
	} else if (answered && write && kind != ANSWER_RETRY_AFTER && a->creates_nothing) {
		a->kind = ANSWER_DECLINED; /* refused in words that are not JSON */
		text_copy(a->stem, sizeof a->stem, "other");
	}
	if (answered && (reply->status == 401 || reply->status == 403) && a->kind == ANSWER_DECLINED) {
		text_copy(a->stem, sizeof a->stem, "proposal");
		a->credentials = true;
	}
	return a;
}

/* offer and submit ----------------------------------------------------------------------------------------------------------- */

static bool wants_price(const struct view *v)
{
	return v->request != NULL && strcmp(v->request->mode, "NORMAL") == 0 && v->request->ipp > 1.0;
}

/* The dry run: 200 either way; `errors` decides. A 500 twice for one body is "refused, cannot say why", not an outage. */
static void read_validate(const struct ocs_reading *r)
{
	const json_t *errors = json_object_get(r->json, "errors");
	json_t *memo = ocs_memo(r);
	if (r->reply->sent != SENT_ANSWERED || r->reply->status != 200 || !json_is_object(errors)) {
		struct answer *a = ocs_trouble(r);
		int64_t failures = json_int(memo, "offer_500", 0) + 1;
		if (r->reply->sent == SENT_ANSWERED && r->reply->status == 500 && a != NULL) {
			json_object_set_new(memo, "offer_500", json_integer(failures));
			if (failures >= 2) {
				a->kind = ANSWER_DECLINED;
				text_copy(a->stem, sizeof a->stem, "other");
			}
			r->out->memo = memo;
			return;
		}
		json_decref(memo);
		return;
	}
	json_object_del(memo, "offer_500");
	r->out->memo = memo;
	if (json_object_size(errors) > 0) {
		struct answer *a = add_ours(r, ANSWER_DECLINED);
		if (a == NULL)
			return;
		ocs_refusal(errors, a);
		a->creates_nothing = true;
		if (strcmp(a->stem, "ipp") == 0 && isfinite(a->ipp_max) && a->ipp_max >= 0.5)
			a->kind = ANSWER_COUNTERED;
		return;
	}
	double seconds = ocs_duration_s(json_object_get(r->json, "request_durations"));
	json_object_set_new(memo, "seconds", json_real_or_null(seconds));
	if (wants_price(r->v)) {
		r->out->next_step = 1;
		return;
	}
	struct answer *a = add_ours(r, ANSWER_ACCEPTED);
	if (a != NULL)
		a->seconds = seconds;
	r->out->complete = true;
}

/* {"2026B":{"1M0-…":{"ipp_time_available","max_allowable_ipp_value",…}}}: the smallest head-room of all. */
static void price_of(const json_t *reply, struct answer *a)
{
	void *semester = json_object_iter((json_t *)reply);
	for (; semester != NULL; semester = json_object_iter_next((json_t *)reply, semester)) {
		json_t *types = json_object_iter_value(semester);
		void *type = json_object_iter(types);
		for (; type != NULL; type = json_object_iter_next(types, type)) {
			const json_t *row = json_object_iter_value(type);
			a->ipp_max = fmin(a->ipp_max, json_number(row, "max_allowable_ipp_value", NAN)); /* fmin: NaN is no number */
			a->hours_left = fmin(a->hours_left, json_number(row, "ipp_time_available", NAN));
		}
	}
}

/* The price is a courtesy: without it the offer stands, as validate has already judged the ipp_value. */
static void read_price(const struct ocs_reading *r)
{
	if (r->reply->sent == SENT_ANSWERED && r->reply->status == 429) {
		ocs_trouble(r);
		return;
	}
	struct answer *a = add_ours(r, ANSWER_ACCEPTED);
	if (a == NULL)
		return;
	a->seconds = json_number(r->v->memo, "seconds", NAN);
	const json_t *errors = json_object_get(r->json, "errors");
	if (r->reply->sent != SENT_ANSWERED || r->reply->status != 200 || !json_is_object(r->json)) {
		ocs_words(r->reply, a);
	} else if (json_object_size(errors) > 0) {
		ocs_refusal(errors, a);
		a->kind = ANSWER_DECLINED;
		a->creates_nothing = true;
	} else {
		price_of(r->json, a);
		if (a->ipp_max < r->v->request->ipp) {
			a->kind = ANSWER_COUNTERED;
			text_copy(a->stem, sizeof a->stem, "ipp");
			text_copy(a->field, sizeof a->field, "ipp_value");
			snprintf(a->words, sizeof a->words, "ipp_value %.3g is over the %.3g that the proposal has left", r->v->request->ipp, a->ipp_max);
		}
	}
	r->out->complete = true;
}

static void read_submit(const struct ocs_reading *r)
{
	char id[64], child[32];
	const json_t *first = json_array_get(json_object_get(r->json, "requests"), 0);
	ocs_id(json_object_get(r->json, "id"), id, sizeof id);
	ocs_id(json_object_get(first, "id"), child, sizeof child);
	bool ours = r->v->request != NULL && strcmp(json_text(r->json, "name", ""), r->v->request->token) == 0;
	if (r->reply->sent != SENT_ANSWERED || r->reply->status != 201 || id[0] == '\0' || !ours) {
		ocs_trouble(r);
		return;
	}
	struct answer *a = add_ours(r, ANSWER_ACCEPTED);
	if (a == NULL)
		return;
	text_copy(a->remote_id, sizeof a->remote_id, id);
	a->seconds = ocs_duration_s(first);
	json_t *memo = ocs_memo(r);
	json_object_set_new(memo, "request_id", json_string(child));
	json_object_set_new(memo, "state", json_string("PENDING"));
	r->out->memo = memo;
	r->out->complete = true;
}

/* one group, its observations, cancel ------------------------------------------------------------------------------------------ */

void ocs_read_group(const struct ocs_reading *r, int next_step)
{
	char child[32];
	if (r->reply->sent == SENT_ANSWERED && r->reply->status == 404 && r->v->verb != VERB_DATA) {
		struct answer *a = add_ours(r, ANSWER_ABSENT); /* or no longer ours to see: a find proves which */
		if (a != NULL)
			ocs_words(r->reply, a);
		r->out->complete = true;
		return;
	}
	const json_t *first = json_array_get(json_object_get(r->json, "requests"), 0);
	ocs_id(json_object_get(first, "id"), child, sizeof child);
	const char *state = json_text(first, "state", json_text(r->json, "state", NULL));
	if (r->reply->sent != SENT_ANSWERED || r->reply->status != 200 || state == NULL || child[0] == '\0') {
		ocs_trouble(r);
		return;
	}
	json_t *memo = ocs_memo(r);
	json_object_set_new(memo, "request_id", json_string(child));
	json_object_set_new(memo, "state", json_string(state));
	r->out->memo = memo;
	r->out->next_step = next_step;
}

/* What an observation says, given the state of its request. A running one is running, whatever the request says. */
static enum answer_kind row_kind(const char *request_state, const char *state)
{
	if (strcmp(state, "IN_PROGRESS") == 0)
		return ANSWER_RUNNING;
	return strcmp(request_state, "PENDING") == 0 ? ocs_observation_kind(state) : ocs_group_kind(request_state);
}

void ocs_read_observations(const struct ocs_reading *r)
{
	if (r->reply->sent != SENT_ANSWERED || r->reply->status != 200 || !json_is_array(r->json)) {
		ocs_trouble(r);
		return;
	}
	const char *request_state = json_text(r->v->memo, "state", "");
	const json_t *row, *best = NULL;
	size_t i;
	json_array_foreach(r->json, i, row) { /* the running one, else the one that completed it, else the newest */
		const char *state = json_text(row, "state", ""), *chosen = json_text(best, "state", "");
		bool done = strcmp(request_state, "COMPLETED") == 0 && strcmp(chosen, "COMPLETED") == 0;
		if (best == NULL || strcmp(state, "IN_PROGRESS") == 0 ||
		    (strcmp(chosen, "IN_PROGRESS") != 0 && !(done && strcmp(state, "COMPLETED") != 0)))
			best = row;
	}
	struct answer *a = add_ours(r, best != NULL ? row_kind(request_state, json_text(best, "state", "")) : ocs_group_kind(request_state));
	if (a != NULL && best != NULL)
		ocs_observation_fill(best, a);
	if (a != NULL && a->kind == ANSWER_UNKNOWN)
		ocs_state_words(request_state, "take it as open and ask a person", a);
	r->out->complete = true;
}

static void read_cancel(const struct ocs_reading *r)
{
	const struct reply *reply = r->reply;
	if (reply->sent == SENT_ANSWERED && (reply->status == 200 || (reply->status == 400 && json_object_get(r->json, "errors") != NULL)))
		r->out->next_step = 1; /* taken, or already at rest: the group itself tells */
	else if (reply->sent == SENT_ANSWERED && reply->status == 404)
		ocs_read_group(r, -1);
	else
		ocs_trouble(r);
}

int ocs_read(const struct facility_conf *conf, const struct view *v, const struct reply *reply, struct answers *out)
{
	struct err e = {0};
	json_t *json = NULL;
	if (reply->sent == SENT_ANSWERED && reply->body != NULL && reply->content_type != NULL &&
	    strncmp(reply->content_type, "application/json", 16) == 0)
		json = json_read(reply->body, reply->len, &json_limits_reply, &e);
	const struct ocs_reading r = {conf, v, reply, json, out};
	out->next_step = -1;
	switch (v->verb) {
	case VERB_OFFER:
		if (v->step == 0)
			read_validate(&r);
		else
			read_price(&r);
		break;
	case VERB_SUBMIT:
		read_submit(&r);
		break;
	case VERB_FIND:
		ocs_read_find(&r);
		break;
	case VERB_POLL:
		if (v->request == NULL)
			ocs_read_feed(&r);
		else if (v->step == 0)
			ocs_read_group(&r, 1);
		else
			ocs_read_observations(&r);
		break;
	case VERB_CANCEL:
		if (v->step == 0)
			read_cancel(&r);
		else if (v->step == 1)
			ocs_read_group(&r, 2);
		else
			ocs_read_observations(&r);
		break;
	case VERB_STATUS:
		ocs_read_status(&r);
		break;
	case VERB_DATA:
		if (v->step == 0 && v->request != NULL && json_text(v->memo, "request_id", "")[0] == '\0')
			ocs_read_group(&r, 0); /* now its number is known: from the first page */
		else
			ocs_read_data(&r);
		break;
	case VERB_COUNT:
		ocs_trouble(&r);
		break;
	}
	json_decref(json);
	return 0;
}

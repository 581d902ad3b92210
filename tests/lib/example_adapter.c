/* A made-up observatory:
 *   POST   /visits          {"name","ra","dec","filter","seconds","count","until"} → 201 {"visit":7} | 409 {"best_seconds":60} | 422 {"why":"…"}
 *   GET    /visits?name=N   → 200 {"visits":[{"visit":7,"name":"…","state":"…"}],"more":false}, a page of 50 by &page=K
 *   GET    /visits/7        → 200 {"visit":7,"name":"…","state":"waiting|observing|done|withdrawn"}
 *   DELETE /visits/7        → the same document, whatever it has become
 * Copy this file to facilities/, rename, list it in facilities/registry.c, and give it a descriptor and a story (tests/facility/stories/). */
#include "example_adapter.h"
#include "engine/base/json.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static int call_begin(struct call *out, const char *method, const char *path)
{
	text_copy(out->url, sizeof out->url, "portal");
	text_copy(out->method, sizeof out->method, method);
	text_copy(out->path, sizeof out->path, path);
	return 0;
}

static int example_submit(const struct facility_conf *conf, const struct view *v, struct call *out, struct err *e)
{
	const struct facility_request *q = v->request;
	char until[32];
	if (v->step != 0)
		return 1;
	if (!isfinite(q->ra_deg) || !isfinite(q->dec_deg) || !isfinite(q->exposure_s) || json_array_size(q->filters) == 0)
		return err_set(e, ERR_INPUT, "request %s at %s: a position, an exposure and a filter are needed", q->token, conf->name);
	json_t *body = json_pack("{s:s, s:f, s:f, s:O, s:f, s:i, s:s}", "name", q->token, "ra", q->ra_deg, "dec", q->dec_deg, "filter",
				 json_array_get(q->filters, 0), "seconds", q->exposure_s, "count", q->count, "until", utc_format_s(until, q->end_us));
	call_begin(out, "POST", "/visits");
	text_copy(out->content_type, sizeof out->content_type, "application/json");
	out->once = true; /* it makes something: leaves at most once */
	out->body = body != NULL ? json_canonical(body) : NULL;
	out->body_len = out->body != NULL ? strlen(out->body) : 0;
	json_decref(body);
	return out->body != NULL ? 0 : err_set(e, ERR_MEMORY, "request %s: no memory for its body", q->token);
}

static int example_find(const struct facility_conf *conf, const struct view *v, struct call *out, struct err *e)
{
	(void)conf;
	struct text query = {.max = 200};
	if (v->request == NULL || v->step >= LIMIT_PAGES) /* it cannot list all of ours: after a restore a person looks */
		return 1;
	call_begin(out, "GET", "/visits");
	text_puts(&query, "name=");
	text_url(&query, v->request->token);
	text_printf(&query, "&page=%d", v->step);
	out->query = query.data;
	return query.failed ? err_set(e, ERR_LIMIT, "request %s: its name is too long for a query", v->request->token) : 0;
}

/* Looked at (poll) or withdrawn (cancel): one document either way. */
static int one_visit(const struct view *v, const char *method, struct call *out, struct err *e)
{
	const char *id = v->request != NULL ? v->request->remote_id : "";
	char path[64];
	if (v->request == NULL || v->step != 0)
		return 1;
	if (id[0] == '\0' || strspn(id, "0123456789") != strlen(id) || strlen(id) > 18)
		return err_set(e, ERR_INPUT, "request %s: its number is not known; look for it first", v->request->token);
	snprintf(path, sizeof path, "/visits/%s", id);
	return call_begin(out, method, path);
}

static int example_poll(const struct facility_conf *conf, const struct view *v, struct call *out, struct err *e)
{
	(void)conf;
	return one_visit(v, "GET", out, e);
}

static int example_cancel(const struct facility_conf *conf, const struct view *v, struct call *out, struct err *e)
{
	(void)conf;
	return one_visit(v, "DELETE", out, e);
}

static int no_such_verb(const struct facility_conf *conf, const struct view *v, struct call *out, struct err *e)
{
	(void)conf, (void)v, (void)out, (void)e;
	return 1;
}

/* One answer about the request of the view, under the number that the document has. */
static struct answer *say(const struct view *v, const json_t *visit, enum answer_kind kind, struct answers *out)
{
	struct answer *a = answers_add(out, kind);
	if (a != NULL && v->request != NULL) {
		int64_t number = json_int(visit, "visit", -1);
		text_copy(a->token, sizeof a->token, v->request->token);
		if (number >= 0)
			snprintf(a->remote_id, sizeof a->remote_id, "%lld", (long long)number);
	}
	return a;
}

/* What is not understood is UNKNOWN, with the first words: the engine asks again, or a person. Only `no` and clear refusals prove that nothing was made. */
static void not_understood(const struct view *v, const struct reply *r, struct answers *out)
{
	struct answer *a = say(v, NULL, ANSWER_UNKNOWN, out);
	if (a == NULL)
		return;
	if (r->sent == SENT_ANSWERED)
		text_escape(a->words, sizeof a->words, r->body != NULL ? r->body : "", r->len < 200 ? r->len : 200);
	else
		text_copy(a->words, sizeof a->words, r->transport);
	a->creates_nothing = r->sent == SENT_NO;
}

static void read_submit(const struct view *v, const struct reply *r, const json_t *json, struct answers *out)
{
	struct answer *a = NULL;
	if (r->status == 201 && json_int(json, "visit", -1) >= 0) {
		a = say(v, json, ANSWER_ACCEPTED, out);
	} else if (r->status == 409 && json_number(json, "best_seconds", NAN) > 0) {
		a = say(v, NULL, ANSWER_COUNTERED, out);
		if (a != NULL)
			snprintf(a->words, sizeof a->words, "exposures of %g s at most", json_number(json, "best_seconds", NAN));
	} else if (r->status == 422 && json_text(json, "why", NULL) != NULL) {
		a = say(v, NULL, ANSWER_DECLINED, out);
		if (a != NULL)
			text_escape(a->words, sizeof a->words, json_text(json, "why", ""), strlen(json_text(json, "why", "")));
	} else {
		not_understood(v, r, out);
	}
	if (a != NULL && a->kind != ANSWER_ACCEPTED) {
		a->creates_nothing = true;
		text_copy(a->stem, sizeof a->stem, a->kind == ANSWER_COUNTERED ? "time" : "other");
	}
	out->complete = a != NULL;
}

/* The oldest of our name is ours; any other is a duplicate, which the engine withdraws. */
static void read_find(const struct view *v, const struct reply *r, const json_t *json, struct answers *out)
{
	const json_t *list = json_object_get(json, "visits"), *visit;
	size_t i, ours = 0;
	if (r->status != 200 || !json_is_array(list) || json_array_size(list) > 50) {
		not_understood(v, r, out);
		return;
	}
	json_array_foreach(list, i, visit) {
		if (strcmp(json_text(visit, "name", ""), v->request->token) != 0 || json_int(visit, "visit", -1) < 0)
			continue;
		struct answer *a = say(v, visit, ANSWER_ACCEPTED, out);
		if (a != NULL && ours++ > 0) {
			a->token[0] = '\0';
			text_copy(a->field, sizeof a->field, "duplicate");
		}
	}
	if (json_flag(json, "more", false)) {
		out->next_step = v->step + 1;
		return;
	}
	out->complete = true;
	if (ours == 0)
		say(v, NULL, ANSWER_ABSENT, out);
}

static void read_visit(const struct view *v, const struct reply *r, const json_t *json, struct answers *out)
{
	static const struct {
		const char *state;
		enum answer_kind kind;
	} states[] = {{"waiting", ANSWER_QUEUED}, {"observing", ANSWER_RUNNING}, {"done", ANSWER_DONE}, {"withdrawn", ANSWER_CANCELLED}};
	for (size_t i = 0; r->status == 200 && i < sizeof states / sizeof states[0]; i++)
		if (strcmp(json_text(json, "state", ""), states[i].state) == 0) {
			say(v, json, states[i].kind, out);
			out->complete = true;
			return;
		}
	not_understood(v, r, out);
}

static int example_read(const struct facility_conf *conf, const struct view *v, const struct reply *r, struct answers *out)
{
	(void)conf;
	struct err e = {0};
	json_t *json = r->sent == SENT_ANSWERED && r->body != NULL ? json_read(r->body, r->len, &json_limits_reply, &e) : NULL;
	out->next_step = -1;
	if (json == NULL || v->request == NULL)
		not_understood(v, r, out);
	else if (v->verb == VERB_SUBMIT)
		read_submit(v, r, json, out);
	else if (v->verb == VERB_FIND)
		read_find(v, r, json, out);
	else
		read_visit(v, r, json, out);
	json_decref(json);
	return 0;
}

const struct facility_ops facility_example = {
	.abi = FACILITY_ABI, .name = "example", .offer = no_such_verb, .submit = example_submit, .find = example_find, .poll = example_poll,
	.cancel = example_cancel, .status = no_such_verb, .data = no_such_verb, .read = example_read,
};

/* What every adapter shares: names of verbs and answers, calls to and from JSON, the list of answers. */
#include "facilities/facility.h"
#include "engine/base/json.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const verb_names[VERB_COUNT] = {
	[VERB_OFFER] = "offer", [VERB_SUBMIT] = "submit", [VERB_FIND] = "find", [VERB_POLL] = "poll",
	[VERB_CANCEL] = "cancel", [VERB_STATUS] = "status", [VERB_DATA] = "data",
};

static const char *const answer_names[ANSWER_KINDS] = {
	[ANSWER_UNKNOWN] = "unknown", [ANSWER_ACCEPTED] = "accepted", [ANSWER_DECLINED] = "declined",
	[ANSWER_COUNTERED] = "countered", [ANSWER_QUEUED] = "queued", [ANSWER_SCHEDULED] = "scheduled",
	[ANSWER_RUNNING] = "running", [ANSWER_DONE] = "done", [ANSWER_FAILED] = "failed",
	[ANSWER_CANCELLED] = "cancelled", [ANSWER_EXPIRED] = "expired", [ANSWER_ABSENT] = "absent",
	[ANSWER_RETRY_AFTER] = "retry_after", [ANSWER_OPEN] = "open", [ANSWER_CLOSED] = "closed",
	[ANSWER_FRAMES] = "frames",
};

const char *verb_name(enum verb v)
{
	return (unsigned)v < VERB_COUNT ? verb_names[v] : "?";
}

int verb_from_name(const char *name)
{
	for (int i = 0; name != NULL && i < VERB_COUNT; i++) {
		if (strcmp(verb_names[i], name) == 0)
			return i;
	}
	return -1;
}

const char *answer_name(enum answer_kind k)
{
	return (unsigned)k < ANSWER_KINDS ? answer_names[k] : "?";
}

void call_free(struct call *c)
{
	free(c->query);
	free(c->body);
	*c = (struct call){0};
}

json_t *call_json(const struct call *c)
{
	json_t *j = json_pack("{s:s, s:s, s:s, s:s, s:b}", "url", c->url, "method", c->method, "path", c->path,
			      "content_type", c->content_type, "once", c->once ? 1 : 0);
	if (j == NULL)
		return NULL;
	json_object_set_new(j, "query", c->query != NULL ? json_string(c->query) : json_null());
	json_object_set_new(j, "body", c->body != NULL ? json_stringn(c->body, c->body_len) : json_null());
	return j;
}

/* Copies a member that must be text and must fit. */
static int member_copy(const json_t *j, const char *key, char *out, size_t size, struct err *e)
{
	const char *s = json_text(j, key, NULL);
	if (s == NULL || !text_copy(out, size, s))
		return err_set(e, ERR_INPUT, "call at \"%s\": text of at most %zu bytes is wanted; it was made by another version",
			       key, size - 1);
	return 0;
}

static int member_dup(const json_t *j, const char *key, char **out, size_t *len, struct err *e)
{
	const json_t *value = json_object_get(j, key);
	*out = NULL;
	*len = 0;
	if (value == NULL || json_is_null(value))
		return 0;
	if (!json_is_string(value))
		return err_set(e, ERR_INPUT, "call at \"%s\": neither text nor null; it was made by another version", key);
	*len = json_string_length(value);
	*out = malloc(*len + 1);
	if (*out == NULL)
		return err_set(e, ERR_MEMORY, "no memory for a call of %zu bytes", *len);
	memcpy(*out, json_string_value(value), *len + 1);
	return 0;
}

int call_from_json(const json_t *j, struct call *out, struct err *e)
{
	size_t query_len;
	*out = (struct call){.once = json_flag(j, "once", true)};
	if (member_copy(j, "url", out->url, sizeof out->url, e) < 0 ||
	    member_copy(j, "method", out->method, sizeof out->method, e) < 0 ||
	    member_copy(j, "path", out->path, sizeof out->path, e) < 0 ||
	    member_copy(j, "content_type", out->content_type, sizeof out->content_type, e) < 0 ||
	    member_dup(j, "query", &out->query, &query_len, e) < 0 ||
	    member_dup(j, "body", &out->body, &out->body_len, e) < 0)
		goto fail;
	if (out->path[0] != '/') {
		err_set(e, ERR_INPUT, "call at \"path\": \"%s\" does not begin with '/'", out->path);
		goto fail;
	}
	return 0;
fail:
	call_free(out);
	return -1;
}

struct answer *answers_add(struct answers *a, enum answer_kind kind)
{
	if (a->count >= LIMIT_ANSWERS)
		return NULL;
	if (a->count == a->cap) {
		size_t cap = a->cap == 0 ? 4 : a->cap * 2;
		struct answer *list = realloc(a->list, cap * sizeof *list);
		if (list == NULL)
			return NULL;
		a->list = list;
		a->cap = cap;
	}
	struct answer *answer = &a->list[a->count++];
	*answer = (struct answer){.kind = kind, .seconds = NAN, .ipp_max = NAN, .hours_left = NAN,
				  .start_us = UTC_NONE, .end_us = UTC_NONE, .retry_after_s = -1};
	return answer;
}

void answers_free(struct answers *a)
{
	for (size_t i = 0; i < a->count; i++)
		json_decref(a->list[i].detail);
	free(a->list);
	json_decref(a->memo);
	json_decref(a->facility_memo);
	*a = (struct answers){0};
}

/* Pages of the portal: finding a submission whose answer was lost, and the feed of everything that changed. */
#include "facilities/ocs.h"
#include "engine/base/json.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RUNNING_MAX = 100, DUPLICATES_MAX = 20 };

const json_t *ocs_page_rows(const struct ocs_reading *r)
{
	const json_t *rows = json_object_get(r->json, "results");
	return r->reply->sent == SENT_ANSWERED && r->reply->status == 200 && json_is_array(rows) && json_array_size(rows) <= OCS_ROWS_MAX ? rows : NULL;
}

int ocs_page_next(const struct ocs_reading *r, char **next)
{
	const json_t *link = json_object_get(r->json, "next");
	*next = NULL;
	if (link == NULL || json_is_null(link))
		return -1;
	*next = ocs_next_query(r->json);
	return *next != NULL ? 0 : 1;
}

static const json_t *first_request(const json_t *group)
{
	return json_array_get(json_object_get(group, "requests"), 0);
}

/* find -------------------------------------------------------------------------------------------------------------------------- */

/* The group that stands for the token: an open one before a cancelled one, then the lowest number. */
static bool find_better(const json_t *a, const json_t *b)
{
	bool dead_a = strcmp(json_text(a, "state", ""), "CANCELED") == 0, dead_b = strcmp(json_text(b, "state", ""), "CANCELED") == 0;
	if (dead_a != dead_b)
		return dead_b;
	return json_int(a, "id", INT64_MAX) < json_int(b, "id", INT64_MAX);
}

/* Notes of one page: found = [{"id","request_id","state"}…], which may come from several pages. */
static void find_note(const struct ocs_reading *r, const json_t *rows, json_t *memo)
{
	json_t *found = json_object_get(memo, "found");
	const json_t *group;
	size_t i;
	if (r->v->step == 0 || !json_is_array(found)) {
		found = json_array();
		json_object_set_new(memo, "found", found);
	}
	json_array_foreach(rows, i, group) {
		char child[32];
		if (strcmp(json_text(group, "name", ""), r->v->request->token) != 0 || json_array_size(found) >= DUPLICATES_MAX ||
		    json_int(group, "id", -1) < 0)
			continue;
		ocs_id(json_object_get(first_request(group), "id"), child, sizeof child);
		json_array_append_new(found, json_pack("{s:I, s:s, s:s}", "id", (json_int_t)json_int(group, "id", 0), "request_id", child,
						       "state", json_text(group, "state", "")));
	}
}

static void find_tell(const struct ocs_reading *r, json_t *memo)
{
	json_t *found = json_incref(json_object_get(memo, "found"));
	const json_t *best = NULL, *one;
	struct answer *a;
	size_t i;
	json_array_foreach(found, i, one) {
		if (best == NULL || find_better(one, best))
			best = one;
	}
	json_object_set_new(memo, "request_id", json_string(json_text(best, "request_id", "")));
	json_object_set_new(memo, "state", json_string(json_text(best, "state", "")));
	enum answer_kind kind = ocs_group_kind(json_text(best, "state", ""));
	for (int second = 0; second < (kind == ANSWER_QUEUED || kind == ANSWER_UNKNOWN ? 1 : 2); second++) {
		a = answers_add(r->out, second == 0 ? ANSWER_ACCEPTED : kind); /* it was taken; then how it stands */
		if (a == NULL)
			continue;
		text_copy(a->token, sizeof a->token, r->v->request->token);
		ocs_id(json_object_get(best, "id"), a->remote_id, sizeof a->remote_id);
	}
	json_array_foreach(found, i, one) {
		a = one != best ? answers_add(r->out, ocs_group_kind(json_text(one, "state", "")) == ANSWER_CANCELLED ? ANSWER_CANCELLED : ANSWER_ACCEPTED) : NULL;
		if (a == NULL)
			continue;
		/* no token: it must not take the place of the one that was chosen */
		ocs_id(json_object_get(one, "id"), a->remote_id, sizeof a->remote_id);
		text_copy(a->field, sizeof a->field, "duplicate");
		snprintf(a->words, sizeof a->words, "group %s has the name %s too, as group %lld; it should be cancelled", a->remote_id,
			 r->v->request->token, (long long)json_int(best, "id", 0));
	}
	json_object_del(memo, "found");
	json_decref(found);
	r->out->complete = true;
}

/* A list without a valid token, or of somebody who left the proposal, is 200 and empty: an absence counts only when the portal says
 * who we are and that the proposal is ours. */
static void find_profile(const struct ocs_reading *r)
{
	const json_t *proposals = json_object_get(r->json, "proposals"), *one;
	bool member = false;
	size_t i;
	json_array_foreach(proposals, i, one) {
		if (strcmp(json_text(one, "id", ""), r->v->request->proposal) == 0)
			member = true;
	}
	if (r->reply->sent != SENT_ANSWERED || r->reply->status != 200 || !json_is_object(r->json)) {
		ocs_trouble(r);
		return;
	}
	struct answer *a = answers_add(r->out, member ? ANSWER_ABSENT : ANSWER_UNKNOWN);
	if (a == NULL)
		return;
	text_copy(a->token, sizeof a->token, r->v->request->token);
	if (!member)
		ocs_hidden_words(r->v->request->proposal, a);
	r->out->complete = member;
}

void ocs_read_find(const struct ocs_reading *r)
{
	if (r->v->request == NULL) {
		ocs_read_sweep(r);
		return;
	}
	if (r->v->step == OCS_STEP_PROFILE) {
		find_profile(r);
		return;
	}
	const json_t *rows = ocs_page_rows(r);
	if (rows == NULL) {
		ocs_trouble(r);
		return;
	}
	json_t *memo = ocs_memo(r);
	char *next;
	find_note(r, rows, memo);
	json_object_del(memo, "next");
	int more = ocs_page_next(r, &next);
	if (more == 0)
		json_object_set_new(memo, "next", json_string(next));
	free(next);
	r->out->memo = memo;
	if (more == 0 && r->v->step + 1 < LIMIT_PAGES) {
		r->out->next_step = r->v->step + 1;
		return;
	}
	if (json_array_size(json_object_get(memo, "found")) > 0) {
		find_tell(r, memo);
	} else if (more < 0) {
		r->out->next_step = OCS_STEP_PROFILE;
	} else {
		struct answer *a = answers_add(r->out, ANSWER_UNKNOWN);
		if (a != NULL)
			snprintf(a->words, sizeof a->words, "the list did not end after %d pages", r->v->step + 1);
	}
}

/* feed -------------------------------------------------------------------------------------------------------------------------- */

bool ocs_row_ours(const struct ocs_reading *r, const json_t *row, const char *id_key, char name[64], char id[64])
{
	const char *prefix = r->v->prefix != NULL ? r->v->prefix : "slew-", *whole = json_text(row, "name", "");
	ocs_id(json_object_get(row, id_key), id, 64);
	return strncmp(whole, prefix, strlen(prefix)) == 0 && text_copy(name, 64, whole) && text_printable(whole, strlen(whole), 63) && id[0] != '\0';
}

static void feed_answer(const struct ocs_reading *r, enum answer_kind kind, const char *name, const char *id, const json_t *observation)
{
	struct answer *a = answers_add(r->out, kind);
	if (a == NULL)
		return;
	text_copy(a->token, sizeof a->token, name);
	text_copy(a->remote_id, sizeof a->remote_id, id);
	if (observation != NULL)
		ocs_observation_fill(observation, a);
}

static bool is_running(const json_t *pass, const char *id)
{
	const json_t *list = json_object_get(pass, "running"), *one;
	size_t i;
	json_array_foreach(list, i, one) {
		if (json_is_string(one) && strcmp(json_string_value(one), id) == 0)
			return true;
	}
	return false;
}

static void feed_running(const struct ocs_reading *r, const json_t *rows, json_t *pass)
{
	json_t *running = json_array();
	const json_t *row;
	size_t i;
	json_object_set_new(pass, "running", running);
	json_array_foreach(rows, i, row) {
		char name[64], id[64];
		if (!ocs_row_ours(r, row, "request_group_id", name, id) || strcmp(json_text(row, "state", ""), "IN_PROGRESS") != 0)
			continue;
		if (json_array_size(running) < RUNNING_MAX)
			json_array_append_new(running, json_string(id));
		feed_answer(r, ANSWER_RUNNING, name, id, row);
	}
}

static void stamp_max(json_t *pass, const char *key, int64_t stamp_us, int64_t now_us)
{
	if (stamp_us > now_us + UTC_HOUR) /* a clock that lies must not silence the feed */
		stamp_us = now_us;
	if (stamp_us != UTC_NONE && stamp_us > json_int(pass, key, UTC_NONE))
		json_object_set_new(pass, key, json_integer(stamp_us));
}

/* PENDING rows that were seen before say nothing new (the last row comes with every pass, for the overlap), and neither "queued" nor
 * "cancelled" is true of a group while an observation of it runs. */
static void feed_groups(const struct ocs_reading *r, const json_t *rows, json_t *pass)
{
	int64_t seen_us = json_int(r->v->facility_memo, "groups_us", UTC_NONE);
	const json_t *row;
	size_t i;
	json_array_foreach(rows, i, row) {
		char name[64], id[64];
		const json_t *child = first_request(row);
		int64_t stamp_us = ocs_time(child, "modified");
		const char *state = json_text(child, "state", json_text(row, "state", "?"));
		stamp_max(pass, "groups_us", stamp_us, r->v->now_us);
		if (!ocs_row_ours(r, row, "id", name, id))
			continue;
		enum answer_kind kind = ocs_group_kind(state);
		if (kind == ANSWER_QUEUED && stamp_us != UTC_NONE && stamp_us <= seen_us)
			continue;
		if ((kind == ANSWER_QUEUED || kind == ANSWER_CANCELLED) && is_running(pass, id))
			continue;
		feed_answer(r, kind, name, id, NULL);
		if (kind == ANSWER_UNKNOWN && r->out->count > 0)
			ocs_state_words(state, "take it as open and ask a person", &r->out->list[r->out->count - 1]);
	}
}

/* Which of a group's rows speaks for it: running, then the one that completed it, then the newest. */
static int row_rank(const json_t *row)
{
	const char *state = json_text(row, "state", "");
	if (strcmp(state, "IN_PROGRESS") == 0)
		return 3;
	return strcmp(state, "COMPLETED") == 0 && strcmp(json_text(json_object_get(row, "request"), "state", ""), "COMPLETED") == 0 ? 2 : 1;
}

static bool row_speaks(const json_t *rows, size_t index)
{
	const json_t *row = json_array_get(rows, index), *other;
	int64_t group = json_int(row, "request_group_id", -1), id = json_int(row, "id", -1);
	int rank = row_rank(row);
	size_t i;
	json_array_foreach(rows, i, other) {
		if (i == index || json_int(other, "request_group_id", -2) != group)
			continue;
		int other_rank = row_rank(other);
		if (other_rank > rank || (other_rank == rank && json_int(other, "id", -1) > id))
			return false;
	}
	return true;
}

static void feed_observations(const struct ocs_reading *r, const json_t *rows, json_t *pass)
{
	const json_t *row;
	size_t i;
	json_array_foreach(rows, i, row) {
		char name[64], id[64];
		stamp_max(pass, "observations_us", ocs_time(row, "modified"), r->v->now_us);
		if (!ocs_row_ours(r, row, "request_group_id", name, id) || !row_speaks(rows, i))
			continue;
		const char *state = json_text(row, "state", ""), *of_request = json_text(json_object_get(row, "request"), "state", "PENDING");
		enum answer_kind kind = ocs_group_kind(of_request);
		if (strcmp(state, "IN_PROGRESS") == 0)
			kind = ANSWER_RUNNING;
		else if (kind == ANSWER_QUEUED)
			kind = ocs_observation_kind(state);
		if ((kind == ANSWER_QUEUED || kind == ANSWER_SCHEDULED || kind == ANSWER_CANCELLED) && is_running(pass, id))
			continue;
		feed_answer(r, kind, name, id, row);
	}
}

/* The cursors move only here, when every page of every part came with 200. They are stamps of the portal's own clock. */
static void feed_finish(const struct ocs_reading *r, json_t *memo, const json_t *pass)
{
	static const char *const keys[] = {"groups_us", "observations_us"};
	for (size_t i = 0; i < 2; i++) {
		int64_t stamp_us = json_int(pass, keys[i], UTC_NONE);
		if (stamp_us != UTC_NONE && stamp_us > json_int(memo, keys[i], UTC_NONE))
			json_object_set_new(memo, keys[i], json_integer(stamp_us));
	}
	json_object_del(memo, "pass");
	r->out->complete = true;
}

/* It never ends: not complete, the cursors stay, and a person is told. */
static void feed_endless(const struct ocs_reading *r, json_t *memo)
{
	struct answer *a = answers_add(r->out, ANSWER_UNKNOWN);
	json_object_del(memo, "pass");
	if (a != NULL)
		snprintf(a->words, sizeof a->words, "the list of what has changed did not end after %d pages, or its next page cannot be asked for", LIMIT_PAGES);
}

void ocs_read_feed(const struct ocs_reading *r)
{
	const json_t *rows = ocs_page_rows(r);
	json_t *memo = ocs_facility_memo(r);
	bool observations = r->v->step >= OCS_STEP_OBSERVATIONS;
	int page = observations ? r->v->step - OCS_STEP_OBSERVATIONS : r->v->step - 1;
	r->out->facility_memo = memo;
	if (r->v->step == 0 || !json_is_object(json_object_get(memo, "pass")))
		json_object_set_new(memo, "pass", json_object());
	json_t *pass = json_object_get(memo, "pass");
	if (rows == NULL) {
		json_object_del(memo, "pass");
		ocs_trouble(r);
		return;
	}
	if (r->v->step == 0)
		feed_running(r, rows, pass);
	else if (observations)
		feed_observations(r, rows, pass);
	else
		feed_groups(r, rows, pass);
	char *next = NULL;
	int more = r->v->step == 0 ? -1 : ocs_page_next(r, &next);
	json_object_del(pass, "next");
	if (next != NULL)
		json_object_set_new(pass, "next", json_string(next));
	free(next);
	if (more == 0 && page + 1 < LIMIT_PAGES)
		r->out->next_step = r->v->step + 1;
	else if (more >= 0)
		feed_endless(r, memo);
	else if (observations)
		feed_finish(r, memo, pass);
	else
		r->out->next_step = r->v->step == 0 ? 1 : OCS_STEP_OBSERVATIONS;
}

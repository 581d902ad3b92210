/* The sweep: every group of the portal that has a name of ours, page by page, with what a state that forgot it must know. */
#include "facilities/ocs.h"
#include "engine/base/json.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void time_put(json_t *object, const char *key, int64_t utc_us)
{
	if (utc_us != UTC_NONE)
		json_object_set_new(object, key, json_integer((json_int_t)utc_us));
}

static json_t *group_detail(const json_t *group, const json_t *request)
{
	const json_t *target = json_object_get(json_array_get(json_object_get(request, "configurations"), 0), "target");
	const json_t *window = json_array_get(json_object_get(request, "windows"), 0);
	const char *proposal = json_text(group, "proposal", ""), *mode = json_text(group, "observation_type", "NORMAL"), *name = json_text(target, "name", "");
	char child[32], shown[3][200];
	ocs_id(json_object_get(request, "id"), child, sizeof child);
	text_escape(shown[0], sizeof shown[0], proposal, strlen(proposal));
	text_escape(shown[1], 32, mode, strlen(mode));
	text_escape(shown[2], sizeof shown[2], name, strlen(name));
	json_t *detail = json_pack("{s:s, s:s, s:s, s:o, s:o, s:{s:s, s:s}}", "proposal", shown[0], "mode", shown[1], "target", shown[2],
				   "ra_deg", json_real_or_null(json_number(target, "ra", NAN)),
				   "dec_deg", json_real_or_null(json_number(target, "dec", NAN)), "memo", "request_id", child, "state", "");
	time_put(detail, "start_us", ocs_time(window, "start"));
	time_put(detail, "end_us", ocs_time(window, "end"));
	return detail;
}

/* false: more rows than a reply may hold, so that the page proves nothing. */
static bool sweep_rows(const struct ocs_reading *r, const json_t *rows)
{
	const json_t *row;
	size_t i;
	if (json_array_size(rows) >= LIMIT_ANSWERS)
		return false;
	json_array_foreach(rows, i, row) {
		char name[64], id[64];
		const json_t *request = json_array_get(json_object_get(row, "requests"), 0);
		if (!ocs_row_ours(r, row, "id", name, id))
			continue;
		const char *state = json_text(request, "state", json_text(row, "state", "?"));
		enum answer_kind kind = ocs_group_kind(state);
		struct answer *a = answers_add(r->out, kind == ANSWER_UNKNOWN ? ANSWER_QUEUED : kind); /* it is there: taken as open */
		if (a == NULL)
			return false;
		text_copy(a->token, sizeof a->token, name);
		text_copy(a->remote_id, sizeof a->remote_id, id);
		a->seconds = ocs_duration_s(request);
		a->detail = group_detail(row, request);
		if (kind == ANSWER_UNKNOWN)
			ocs_state_words(state, "taken as open", a);
	}
	return true;
}

static void sweep_unknown(const struct ocs_reading *r, const char *words)
{
	struct answer *a = answers_add(r->out, ANSWER_UNKNOWN);
	if (a != NULL)
		text_copy(a->words, sizeof a->words, words);
}

/* A list without a valid token is 200 and empty: it counts when the portal says who we are, and that every proposal of ours is seen. */
static void sweep_profile(const struct ocs_reading *r, json_t *memo)
{
	const json_t *proposals = json_object_get(r->json, "proposals"), *ours, *one;
	size_t i, k;
	if (r->reply->sent != SENT_ANSWERED || r->reply->status != 200 || !json_is_array(proposals)) {
		ocs_trouble(r);
		return;
	}
	json_array_foreach(r->v->proposals, i, ours) {
		bool member = false;
		json_array_foreach(proposals, k, one)
			member |= json_is_string(ours) && strcmp(json_text(one, "id", ""), json_string_value(ours)) == 0;
		if (member)
			continue;
		struct answer *a = answers_add(r->out, ANSWER_UNKNOWN);
		if (a != NULL)
			ocs_hidden_words(json_is_string(ours) ? json_string_value(ours) : "?", a);
		return;
	}
	json_object_del(memo, "sweep");
	r->out->complete = true;
}

void ocs_read_sweep(const struct ocs_reading *r)
{
	json_t *memo = ocs_facility_memo(r);
	char *next = NULL;
	r->out->facility_memo = memo;
	if (r->v->step == OCS_STEP_PROFILE) {
		sweep_profile(r, memo);
		return;
	}
	const json_t *rows = ocs_page_rows(r);
	if (rows == NULL) {
		ocs_trouble(r);
		return;
	}
	bool whole = sweep_rows(r, rows);
	int more = ocs_page_next(r, &next);
	json_object_set_new(memo, "sweep", next != NULL ? json_pack("{s:s}", "next", next) : json_object());
	free(next);
	if (whole && more < 0)
		r->out->next_step = OCS_STEP_PROFILE;
	else if (whole && more == 0 && r->v->step + 1 < LIMIT_PAGES)
		r->out->next_step = r->v->step + 1;
	else
		sweep_unknown(r, whole ? "the list of all groups of ours does not end" : "a page of the list of all groups of ours is too long");
}

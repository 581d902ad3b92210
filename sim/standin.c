/* A simulated facility in place of a real one: see standin.h. */
#include "sim/standin.h"
#include "engine/base/json.h"
#include "engine/base/query.h"
#include "engine/base/text.h"
#include "facilities/facility.h"
#include <stdlib.h>
#include <string.h>

#define NUMBERS_FROM 900000000 /* no real number of a group is taken for one of these */

void standins_free(struct standins *s)
{
	for (size_t i = 0; i < s->count; i++) {
		sim_portal_free(s->list[i]->portal);
		free(s->list[i]);
	}
	s->count = 0;
}

static const struct standin *find(const struct standins *s, const char *facility)
{
	for (size_t i = 0; i < s->count; i++)
		if (strcmp(s->list[i]->name, facility) == 0)
			return s->list[i];
	return NULL;
}

bool standin_took_over(const struct standins *s, const char *facility)
{
	const struct standin *one = find(s, facility);
	return one != NULL && one->taken_over;
}

static json_t *proposals(sqlite3 *state, const char *facility, struct err *e)
{
	json_t *rows = query_rows(state, 64, e, "SELECT proposal,hours FROM programme WHERE facility=? AND state='active' ORDER BY name", "t", facility);
	json_t *list = rows ? json_array() : NULL, *row;
	size_t i;
	json_array_foreach(rows, i, row) {
		const char *text = json_text(row, "hours", "{}");
		struct err ignored = {0};
		json_t *hours = json_read(text, strlen(text), &json_limits_config, &ignored);
		json_array_append_new(list, json_pack("{s:s,s:o,s:i}", "id", json_text(row, "proposal", ""), "hours", hours ? hours : json_object(), "ipp_h", 5));
	}
	json_decref(rows);
	return list;
}

static struct sim_portal *portal_make(sqlite3 *state, const char *facility, struct err *e)
{
	json_t *rows = query_rows(state, 1, e, "SELECT adapter,descriptor FROM facility WHERE name=?", "t", facility);
	const json_t *row = json_array_get(rows, 0);
	const char *text = json_text(row, "descriptor", "{}");
	struct err ignored = {0};
	struct sim_portal *portal = NULL;
	if (strcmp(json_text(row, "adapter", ""), "ocs") == 0) {
		json_t *setup = json_pack("{s:{s:s},s:o,s:o,s:i,s:i}", "tokens", "what-if", "bot", "proposals", proposals(state, facility, e),
			"descriptor", json_read(text, strlen(text), &json_limits_config, &ignored), "cycle_s", 30, "numbers_from", NUMBERS_FROM);
		portal = setup ? sim_portal_new(setup, 1) : NULL;
		json_decref(setup);
		if (portal == NULL && e->kind == ERR_NONE)
			err_set(e, ERR_INPUT, "the simulated facility for %s cannot be made of its descriptor", facility);
	}
	json_decref(rows);
	return portal;
}

struct standin *standin_of(struct standins *s, sqlite3 *state, const char *facility, struct err *e)
{
	struct standin *one = (struct standin *)find(s, facility);
	if (one != NULL)
		return one;
	if (s->count == sizeof s->list / sizeof s->list[0]) {
		err_set(e, ERR_LIMIT, "more than %zu facilities to stand in for", s->count);
		return NULL;
	}
	one = calloc(1, sizeof *one);
	if (one == NULL) {
		err_set(e, ERR_MEMORY, "no memory for a simulated facility");
		return NULL;
	}
	text_copy(one->name, sizeof one->name, facility);
	one->portal = portal_make(state, facility, e);
	if (e->kind != ERR_NONE) {
		sim_portal_free(one->portal);
		free(one);
		return NULL;
	}
	return s->list[s->count++] = one;
}

int standin_call(struct standin *s, int64_t utc_us, const json_t *call, struct sim_reply *out, struct err *e)
{
	struct call c = {0};
	*out = (struct sim_reply){.retry_after_s = -1, .drop = SIM_REFUSED};
	if (s->portal == NULL)
		return 0;
	if (call_from_json(call, &c, e) < 0)
		return -1;
	s->now_us = utc_us > s->now_us ? utc_us : s->now_us;
	struct sim_call in = {.method = c.method, .path = c.path, .query = c.query, .authorization = "Token what-if",
		.content_type = c.content_type, .body = c.body, .len = c.body_len};
	int rc = sim_portal_call(s->portal, s->now_us, &in, out);
	call_free(&c);
	return rc < 0 ? err_set(e, ERR_MEMORY, "the simulated facility has no memory left") : 0;
}

/* The engine knows the group by these. */
static void same_numbers(struct sim_portal *portal, const json_t *row)
{
	const char *text = json_text(row, "memo", "{}");
	struct err ignored = {0};
	json_t *memo = json_read(text, strlen(text), &json_limits_config, &ignored);
	sim_portal_renumber(portal, json_text(row, "token", ""), strtoll(json_text(row, "remote_id", "0"), NULL, 10),
		strtoll(json_text(memo, "request_id", "0"), NULL, 10));
	json_decref(memo);
}

int standin_take_over(struct standin *s, sqlite3 *state, int64_t utc_us, struct err *e)
{
	static const char live[] = "SELECT f.body,r.token,r.remote_id,r.memo FROM request r JOIN effect f ON f.id=(SELECT max(id) FROM effect WHERE request=r.id AND verb='submit' "
		"AND body IS NOT NULL) WHERE r.facility=? AND r.state IN ('accepted','scheduled','running','cancelling') ORDER BY r.id";
	json_t *rows = query_rows(state, 100000, e, live, "t", s->name), *row;
	int rc = rows ? 0 : -1;
	size_t i;
	s->taken_over = true;
	json_array_foreach(rows, i, row) {
		const char *text = json_text(row, "body", "{}");
		struct sim_reply reply = {0};
		json_t *call = json_read(text, strlen(text), &json_limits_reply, e);
		if (rc == 0)
			rc = call ? standin_call(s, utc_us, call, &reply, e) : -1;
		if (rc == 0 && s->portal != NULL)
			same_numbers(s->portal, row);
		sim_reply_free(&reply);
		json_decref(call);
	}
	json_decref(rows);
	return rc;
}

/* Inputs of a night, revised for a what-if: see revise.h. */
#include "sim/revise.h"
#include "engine/base/json.h"
#include "engine/base/limits.h"
#include "engine/base/query.h"
#include "engine/base/text.h"
#include "engine/request/policy.h"
#include <stdio.h>
#include <string.h>

static const struct whatif_policy *policy_for(const struct whatif_options *o, const char *name, size_t all, struct err *e)
{
	for (int i = 0; i < o->count; i++) {
		const struct whatif_policy *p = &o->policies[i];
		if (p->name == NULL && all != 1) {
			err_set(e, ERR_INPUT, "the night has %zu policies, one is called %s; say which one is to be replaced: --policy NAME=FILE", all, name);
			return NULL;
		}
		if (p->name == NULL || strcmp(p->name, name) == 0)
			return p;
	}
	return NULL;
}

int revise_config(const struct whatif_options *o, const struct input *in, bool *found, char **text, struct err *e)
{
	static const struct json_limits limits = {.bytes = LIMIT_TEXT, .tokens = 2000000, .depth = LIMIT_JSON_DEPTH};
	struct err why = {0};
	json_t *body = json_read(in->body, in->len, &limits, &why), *list = json_object_get(body, "policies"), *one;
	bool changed = false;
	size_t i;
	*text = NULL;
	json_array_foreach(list, i, one) {
		const struct whatif_policy *p = policy_for(o, json_text(one, "name", ""), json_array_size(list), &why);
		if (p == NULL && why.kind != ERR_NONE)
			break;
		if (p == NULL)
			continue;
		*found = true;
		if (!json_equal(one, p->body)) {
			if (policy_fits(p->body, body, "that night", &why) < 0)
				break;
			json_array_set(list, i, (json_t *)p->body);
			changed = true;
		}
	}
	if (body != NULL && why.kind != ERR_NONE)
		*e = why;
	else if (changed)
		*text = json_canonical(body);
	json_decref(body);
	return e->kind != ERR_NONE || (changed && *text == NULL) ? -1 : 0;
}

int revise_order(sqlite3 *journal, sqlite3 *now_state, int64_t seq, const struct input *in, char **text, struct err *e)
{
	static const char token_then[] = "SELECT token FROM request WHERE (token=?1 OR CAST(id AS TEXT)=?1) AND created_seq<?2";
	static const char token_now[] = "SELECT token FROM request WHERE token=?1 OR CAST(id AS TEXT)=?1";
	struct err ignored = {0};
	char name[64] = "", then[64] = "", now[64] = "";
	json_t *body = json_read(in->body, in->len, &json_limits_config, &ignored), *request = json_object_get(body, "request");
	*text = NULL;
	if (json_is_integer(request))
		snprintf(name, sizeof name, "%lld", (long long)json_integer_value(request));
	else
		text_copy(name, sizeof name, json_text(body, "request", ""));
	if (name[0] && query_text(journal, then, sizeof then, e, token_then, "ti", name, seq) == 1 &&
	    query_text(now_state, now, sizeof now, e, token_now, "t", name) >= 0 && strcmp(then, now) != 0) {
		json_object_set_new(body, "request", json_string(then));
		*text = json_canonical(body);
	}
	json_decref(body);
	return e->kind != ERR_NONE ? -1 : 0;
}

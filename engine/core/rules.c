/* What the configuration says, rebuilt from rows: policies compiled when first asked for, facilities with their adapters. */
#include "engine/base/json.h"
#include "engine/base/query.h"
#include "engine/core/turn.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

int rules_load(struct core *c)
{
	static const char sites[] = "SELECT name,adapter,descriptor FROM facility ORDER BY name";
	static const char policies[] = "SELECT id,current FROM policy ORDER BY id";
	json_t *rows = get_rows(c, sites, "");
	c->site_count = json_array_size(rows);
	c->sites = calloc(c->site_count + 1, sizeof *c->sites);
	must_memory(c->sites != NULL);
	for (size_t i = 0; i < c->site_count; i++) {
		const json_t *row = json_array_get(rows, i);
		snprintf(c->sites[i].name, sizeof c->sites[i].name, "%s", json_text(row, "name", ""));
		c->sites[i].ops = facility_find(json_text(row, "adapter", ""));
		c->sites[i].descriptor = json_parse(json_text(row, "descriptor", "{}"));
	}
	json_decref(rows);
	rows = get_rows(c, policies, "");
	c->rule_count = json_array_size(rows);
	c->rules = calloc(c->rule_count + 1, sizeof *c->rules);
	must_memory(c->rules != NULL);
	for (size_t i = 0; i < c->rule_count; i++) {
		c->rules[i].id = json_int(json_array_get(rows, i), "id", 0);
		c->rules[i].current = json_int(json_array_get(rows, i), "current", 0) == 1;
	}
	json_decref(rows);
	return failed(c) ? -1 : 0;
}

void rules_free(struct core *c)
{
	for (size_t i = 0; i < c->site_count; i++)
		json_decref(c->sites[i].descriptor);
	for (size_t i = 0; i < c->rule_count; i++)
		policy_free(c->rules[i].policy);
	free(c->sites);
	free(c->rules);
	c->sites = NULL;
	c->rules = NULL;
	c->site_count = c->rule_count = 0;
}

struct policy *rule_find(struct core *c, int64_t policy_id)
{
	static const char body_of[] = "SELECT body FROM policy WHERE id=?";
	for (size_t i = 0; i < c->rule_count; i++) {
		struct rule *r = &c->rules[i];
		if (r->id != policy_id)
			continue;
		if (r->policy == NULL) {
			struct err e = {0};
			json_t *body = get_json(c, body_of, "i", policy_id);
			r->policy = body ? policy_compile(body, &e) : NULL;
			json_decref(body);
			if (r->policy == NULL && !failed(c) && !short_of_memory(c, &e))
				alarm_raise(c, "policy", "unreadable", "policy row %lld: %s", (long long)policy_id, e.text);
		}
		return r->policy;
	}
	return NULL;
}

struct policy *rule_current(struct core *c, const char *name, int64_t *id)
{
	static const char current[] = "SELECT id FROM policy WHERE name=? AND current=1";
	int64_t row = get_int(c, 0, current, "t", name);
	if (id != NULL)
		*id = row;
	return row ? rule_find(c, row) : NULL;
}

struct site *site_find(struct core *c, const char *name)
{
	for (size_t i = 0; i < c->site_count; i++)
		if (strcmp(c->sites[i].name, name) == 0)
			return &c->sites[i];
	return NULL;
}

static const json_t *at_path(const struct site *s, const char *path)
{
	const json_t *j = s ? s->descriptor : NULL;
	char key[64];
	while (j != NULL && *path) {
		size_t n = strcspn(path, ".");
		snprintf(key, sizeof key, "%.*s", (int)n, path);
		j = json_object_get(j, key);
		path += path[n] ? n + 1 : n;
	}
	return j;
}

double site_number(const struct site *s, const char *path, double otherwise)
{
	const json_t *j = at_path(s, path);
	return json_is_number(j) ? json_number_value(j) : otherwise;
}

bool site_flag(const struct site *s, const char *path, bool otherwise)
{
	const json_t *j = at_path(s, path);
	return json_is_boolean(j) ? json_is_true(j) : otherwise;
}

/* Policies: JSON checked against its schema, `when` compiled, the rest as plain fields. See policy.h. */
#include "engine/request/policy.h"
#include "engine/base/json.h"
#include "engine/base/limits.h"
#include "engine/base/schema.h"
#include "engine/request/when.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SCHEMA "schemas/policy.schema.json"

const char *outcome_name(enum outcome o)
{
	return o == OUTCOME_TRUE ? "true" : o == OUTCOME_FALSE ? "false" : "unknown";
}

static void read_fields(struct policy *p)
{
	const json_t *b = p->body, *targets = json_object_get(b, "targets"), *budget = json_object_get(b, "budget_h");
	const json_t *approval = json_object_get(b, "approval");
	const char *early = json_text(b, "early_warning", "warm");
	text_copy(p->name, sizeof p->name, json_text(b, "name", ""));
	p->early_warning = strcmp(early, "submit") == 0 ? EARLY_SUBMIT : strcmp(early, "ignore") == 0 ? EARLY_IGNORE : EARLY_WARM;
	p->tests = json_flag(b, "tests", false);
	p->max_age_h = json_number(b, "max_age_h", 24);
	p->map_wait_s = json_number(b, "map_wait_s", 60);
	text_copy(p->from, sizeof p->from, json_text(targets, "from", "galaxies"));
	text_copy(p->footprint, sizeof p->footprint, json_text(targets, "footprint", ""));
	text_copy(p->weight, sizeof p->weight, json_text(targets, "weight", "none"));
	p->top = (int)json_number(targets, "top", 60);
	p->probability = json_number(targets, "probability", NAN);
	if (strcmp(p->from, "region") == 0) /* one frame that no camera has: key and name tell its level */
		snprintf(p->footprint, sizeof p->footprint, "region%g", isnan(p->probability) ? 70.0 : 100.0 * p->probability);
	p->observes = json_array_size(json_object_get(b, "observe")) > 0;
	p->budget_event_h = json_number(budget, "event", NAN);
	p->budget_night_h = json_number(budget, "night", NAN);
	p->budget_semester_h = json_number(budget, "semester", NAN);
	p->approval_auto = strcmp(json_text(approval, "mode", "operator"), "auto") == 0;
	p->auto_budget_h = json_number(approval, "auto_budget_h", NAN);
	p->persons = (int)json_number(approval, "persons", 1);
	p->unanswered_min = json_number(approval, "unanswered_min", 30);
	p->parallel = json_flag(b, "parallel", false);
	p->replaces = strcmp(json_text(b, "replace", "never"), "pending") == 0;
	p->replan_cancel = strcmp(json_text(b, "replan", "keep"), "cancel") == 0;
	p->offer_wait_s = json_number(b, "offer_wait_s", 5);
	p->on_downgrade_min = json_number(b, "on_downgrade_min", 10);
}

/* What the schema cannot say. */
static int check_sense(const struct policy *p, struct err *e)
{
	const json_t *observe = json_object_get(p->body, "observe"), *visit, *other;
	const json_t *ladder = json_object_get(p->body, "ladder"), *rung;
	size_t i, j;
	if (strcmp(p->from, "region") == 0 && json_object_get(json_object_get(p->body, "targets"), "footprint") != NULL)
		return err_set(e, ERR_INPUT, "/targets/footprint: a region has no frames; take footprint out, or from");
	if (strcmp(p->from, "galaxies") != 0 && p->footprint[0] == '\0')
		return err_set(e, ERR_INPUT, "/targets/footprint: from \"%s\" needs a camera; name its footprint (decam, sinistro, facility:instrument)", p->from);
	if (p->observes && json_array_size(json_object_get(p->body, "ladder")) == 0)
		return err_set(e, ERR_INPUT, "/ladder: it is empty, but /observe is not: name at least one programme that pays");
	json_array_foreach(observe, i, visit) {
		static const char *const how[] = {"exposure_s", "depth", "detect"};
		int said = 0;
		for (size_t k = 0; k < 3; k++)
			said += json_object_get(visit, how[k]) != NULL;
		if (said > 1)
			return err_set(e, ERR_INPUT, "/observe/%zu: give one of exposure_s, depth and detect", i);
		json_array_foreach(ladder, j, rung)
			if (said == 0 && json_object_get(rung, "exposure_s") == NULL)
				return err_set(e, ERR_INPUT, "/observe/%zu: neither it nor /ladder/%zu gives exposure_s (or depth, or detect)", i, j);
		if (json_array_size(json_object_get(visit, "filters")) == 0)
			return err_set(e, ERR_INPUT, "/observe/%zu/filters: name at least one filter", i);
		json_array_foreach(observe, j, other)
			if (j < i && json_int(other, "epoch", 0) == json_int(visit, "epoch", 0))
				return err_set(e, ERR_INPUT, "/observe/%zu: epoch %lld is there twice", i, (long long)json_int(visit, "epoch", 0));
	}
	return 0;
}

static struct policy *compile(const json_t *body, const char *text, size_t len, struct err *e)
{
	if (schema_check_embedded(SCHEMA, body, text, len, e) < 0)
		return NULL;
	struct policy *p = calloc(1, sizeof *p);
	if (p == NULL) {
		err_set(e, ERR_MEMORY, "policy: no memory");
		return NULL;
	}
	p->body = json_deep_copy(body);
	if (p->body == NULL) {
		err_set(e, ERR_MEMORY, "policy: no memory");
		policy_free(p);
		return NULL;
	}
	read_fields(p);
	const char *auto_when = json_text(json_object_get(body, "approval"), "auto_when", NULL);
	p->when = when_compile(json_text(body, "when", ""), e);
	if (p->when != NULL && auto_when != NULL) {
		p->auto_when = when_compile(auto_when, e);
		if (p->auto_when == NULL)
			err_wrap(e, "approval.auto_when");
	}
	if (p->when == NULL || (auto_when != NULL && p->auto_when == NULL) || check_sense(p, e) < 0) {
		policy_free(p);
		return NULL;
	}
	return p;
}

struct policy *policy_compile(const json_t *body, struct err *e)
{
	struct policy *p = compile(body, NULL, 0, e);
	if (p == NULL)
		err_wrap(e, "policy %.64s", json_text(body, "name", "without a name"));
	return p;
}

struct policy *policy_read(const char *text, size_t len, const char *label, struct err *e)
{
	struct policy *p = NULL;
	json_t *body = json_read(text, len, &json_limits_config, e);
	if (body != NULL)
		p = compile(body, text, len, e);
	if (p == NULL) {
		int line = 0, column = 0;
		if (strncmp(e->text, "when", 4) == 0)
			json_where(text, len, "/when", false, &line, &column);
		if (line > 0)
			err_wrap(e, "line %d", line);
		err_wrap(e, "policy %s", label);
	}
	json_decref(body);
	return p;
}

void policy_free(struct policy *p)
{
	if (p == NULL)
		return;
	when_free(p->when);
	when_free(p->auto_when);
	json_decref(p->body);
	free(p);
}

static bool is_known(int i, const struct facts *f)
{
	return fact_info[i].type == FACT_TEXT ? f->text[i] != NULL : !isnan(f->number[i]);
}

static bool is_named(const json_t *list, const char *name)
{
	const json_t *one;
	size_t i;
	json_array_foreach(list, i, one)
		if (strcmp(json_text(one, "name", ""), name) == 0)
			return true;
	return false;
}

int policy_fits(const json_t *body, const json_t *rules, const char *where, struct err *e)
{
	const json_t *programmes = json_object_get(json_object_get(rules, "config"), "programmes"), *facilities = json_object_get(rules, "facilities"), *rung;
	const char *policy = json_text(body, "name", "");
	size_t i;
	json_array_foreach(json_object_get(body, "ladder"), i, rung) {
		const char *programme = json_text(rung, "programme", ""), *facility = json_text(rung, "facility", NULL);
		if (!is_named(programmes, programme))
			return err_set(e, ERR_INPUT, "policy %s at /ladder/%zu: %s has no programme \"%s\"; name one of its programmes there", policy, i, where, programme);
		if (facility != NULL && !is_named(facilities, facility))
			return err_set(e, ERR_INPUT, "policy %s at /ladder/%zu: %s has no facility \"%s\"; name one of its facilities there", policy, i, where, facility);
	}
	return 0;
}

int policy_evaluate(struct policy *p, const struct facts *f, struct policy_answer *out, struct err *e)
{
	*out = (struct policy_answer){0};
	int result = when_evaluate(p->when, f, e);
	if (result < 0)
		return err_wrap(e, "policy %s", p->name);
	out->outcome = result == 1 ? OUTCOME_TRUE : result == 0 ? OUTCOME_FALSE : OUTCOME_UNKNOWN;
	if (out->outcome != OUTCOME_UNKNOWN)
		return 0;
	struct text names = {.max = sizeof out->missing - 1};
	bool map = false, other = false;
	for (int i = 0; i < FACT_COUNT; i++) {
		if (!p->when->used[i] || is_known(i, f))
			continue;
		text_printf(&names, "%s%s", names.len > 0 ? ", " : "", fact_info[i].name);
		map |= fact_info[i].from_map;
		other |= !fact_info[i].from_map;
	}
	text_copy(out->missing, sizeof out->missing, names.data ? names.data : "");
	text_free(&names);
	out->waits_for_map = map;
	out->only_map = map && !other;
	return 0;
}

int policy_auto(struct policy *p, const struct facts *f, bool *out, struct err *e)
{
	*out = p->approval_auto;
	if (!p->approval_auto || p->auto_when == NULL)
		return 0;
	int result = when_evaluate(p->auto_when, f, e);
	*out = result == 1;
	return result < 0 ? err_wrap(e, "policy %s: auto_when", p->name) : 0;
}

const char *policy_sql(const struct policy *p)
{
	return p->when->row.data;
}

const char *policy_missing_sql(const struct policy *p)
{
	return p->when->missing.data;
}

/* The simulated portal's paths: which call gets which document, by the rules of the real one (403 for a bad token, 404 for what is not yours). */
#include "sim/portal_parts.h"
#include "engine/base/json.h"
#include "engine/base/limits.h"
#include "engine/base/text.h"
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOT_FOUND "No RequestGroup matches the given query."
#define NO_CREDENTIALS "Authentication credentials were not provided."

static json_t *detail(struct sim_reply *out, int status, const char *words)
{
	out->status = status;
	return json_pack("{s:s}", "detail", words);
}

/* Decoded value of the n-th `name` in the query; false: there is none. */
static bool param(const char *query, const char *name, size_t n, char *out, size_t size)
{
	size_t len = strlen(name);
	for (const char *at = query; at != NULL && *at != '\0'; at = strchr(at, '&') != NULL ? strchr(at, '&') + 1 : NULL) {
		if (strncmp(at, name, len) != 0 || at[len] != '=' || n-- > 0)
			continue;
		size_t used = 0;
		for (const char *c = at + len + 1; *c != '\0' && *c != '&' && used + 1 < size; c++) {
			unsigned code;
			if (*c == '%' && isxdigit((unsigned char)c[1]) && isxdigit((unsigned char)c[2]) && sscanf(c + 1, "%2x", &code) == 1) {
				out[used++] = (char)code;
				c += 2;
			} else {
				out[used++] = *c == '+' ? ' ' : *c;
			}
		}
		out[used] = '\0';
		return true;
	}
	return false;
}

static int64_t param_number(const char *query, const char *name, int64_t otherwise)
{
	char text[64];
	return param(query, name, 0, text, sizeof text) && text[0] != '\0' ? strtoll(text, NULL, 10) : otherwise;
}

/* Time parameter; UTC_NONE: absent. *bad: there, but no time. */
static int64_t param_time(const char *query, const char *name, bool *bad)
{
	char text[64];
	struct err e = {0};
	int64_t utc_us = UTC_NONE;
	if (param(query, name, 0, text, sizeof text) && utc_parse(text, &utc_us, &e) < 0)
		*bad = true;
	return utc_us;
}

static bool states_match(const char *query, const char *state)
{
	char text[64];
	if (!param(query, "state", 0, text, sizeof text))
		return true;
	for (size_t n = 0; param(query, "state", n, text, sizeof text); n++) {
		if (strcmp(text, state) == 0)
			return true;
	}
	return false;
}

/* Wraps one page of `all` (taken) as {"count","next","previous","results"}. */
static json_t *page(const struct sim_call *in, json_t *all, size_t normal)
{
	int64_t limit = param_number(in->query, "limit", (int64_t)normal), offset = param_number(in->query, "offset", 0);
	size_t count = json_array_size(all);
	json_t *results = json_array(), *out;
	char link[700] = "";
	if (limit < 1)
		limit = (int64_t)normal;
	for (size_t i = offset > 0 ? (size_t)offset : 0; i < count && i < (size_t)offset + (size_t)limit; i++)
		json_array_append(results, json_array_get(all, i));
	if ((size_t)offset + (size_t)limit < count) { /* the other parameters, then the new offset */
		struct text t = {.max = sizeof link - 1};
		text_printf(&t, "http://portal.invalid%s?", in->path);
		for (const char *at = in->query; at != NULL && *at != '\0';) {
			size_t len = strcspn(at, "&");
			if (strncmp(at, "offset=", 7) != 0)
				text_printf(&t, "%.*s&", (int)len, at);
			at += len + (at[len] == '&' ? 1 : 0);
		}
		text_printf(&t, "offset=%lld", (long long)(offset + limit));
		if (!t.failed)
			text_copy(link, sizeof link, t.data);
		text_free(&t);
	}
	out = json_pack("{s:I, s:o, s:n, s:o}", "count", (json_int_t)count, "next", link[0] != '\0' ? json_string(link) : json_null(), "previous", "results", results);
	json_decref(all);
	return out;
}

/* Whether the n-th of a list (from 0) is on the page that is asked for: the others need not be written. */
static bool on_page(const struct sim_call *in, size_t n, size_t normal)
{
	int64_t limit = param_number(in->query, "limit", (int64_t)normal), offset = param_number(in->query, "offset", 0);
	return (int64_t)n >= offset && (int64_t)n < offset + (limit < 1 ? (int64_t)normal : limit);
}

static bool sees(const struct sim_portal *p, const struct portal_group *g, const char *user)
{
	return user != NULL && portal_proposal(p, g->ask.proposal, user) != NULL;
}

static bool contains_nocase(const char *text, const char *part)
{
	size_t len = strlen(part);
	for (; *text != '\0'; text++) {
		if (strncasecmp(text, part, len) == 0)
			return true;
	}
	return len == 0;
}

static json_t *groups_list(struct sim_portal *p, const struct sim_call *in, const char *user, struct sim_reply *out)
{
	char name[128], proposal[64];
	bool bad = false, by_name = param(in->query, "name", 0, name, sizeof name), by_proposal = param(in->query, "proposal", 0, proposal, sizeof proposal);
	int64_t modified_us = param_time(in->query, "modified_after", &bad), created_us = param_time(in->query, "created_after", &bad);
	int64_t request_id = param_number(in->query, "request_id", -1);
	if (bad) {
		out->status = 400;
		return json_pack("{s:[s]}", "modified_after", "Enter a valid date/time.");
	}
	json_t *all = json_array();
	for (size_t i = p->groups; i-- > 0;) { /* -id */
		const struct portal_group *g = &p->group[i];
		if (sees(p, g, user) && p->now_us - g->made_us < p->visible_delay_us)
			portal_fired(p, "invisible");
		if (!sees(p, g, user) || p->now_us - g->made_us < p->visible_delay_us || (by_name && !contains_nocase(g->ask.name, name)) || (by_proposal && strcmp(g->ask.proposal, proposal) != 0) ||
		    (modified_us != UTC_NONE && g->request_modified_us < modified_us) || (created_us != UTC_NONE && g->created_us < created_us) ||
		    (request_id >= 0 && g->request_id != request_id) || !states_match(in->query, g->state))
			continue;
		json_array_append_new(all, on_page(in, json_array_size(all), 10) ? portal_show_group(p, g, true) : json_null());
	}
	return page(in, all, 10);
}

static json_t *observations_list(struct sim_portal *p, const struct sim_call *in, const char *user, struct sim_reply *out)
{
	char proposal[64];
	bool bad = false, by_proposal = param(in->query, "proposal", 0, proposal, sizeof proposal);
	int64_t modified_us = param_time(in->query, "modified_after", &bad), group_id = param_number(in->query, "request_group_id", -1);
	if (bad) {
		out->status = 400;
		return json_pack("{s:[s]}", "modified_after", "Enter a valid date/time.");
	}
	json_t *all = json_array();
	for (size_t i = p->observations; i-- > 0;) {
		const struct portal_observation *o = &p->observation[i];
		const struct portal_group *g = &p->group[o->group];
		if (!sees(p, g, user) || (by_proposal && strcmp(g->ask.proposal, proposal) != 0) || (modified_us != UTC_NONE && o->modified_us < modified_us) ||
		    (group_id >= 0 && g->id != group_id) || !states_match(in->query, o->state))
			continue;
		json_array_append_new(all, on_page(in, json_array_size(all), 10) ? portal_show_observation(p, o, true) : json_null());
	}
	return page(in, all, 10);
}

static json_t *frames_list(struct sim_portal *p, const struct sim_call *in, const char *user)
{
	int64_t request_id = param_number(in->query, "request_id", -1), level = param_number(in->query, "reduction_level", -1);
	json_t *all = json_array();
	for (size_t i = 0; i < p->frames; i++) {
		const struct portal_frame *f = &p->frame[i];
		const struct portal_group *g = &p->group[p->observation[f->observation].group];
		if (f->ready_us > p->now_us || !sees(p, g, user) || (request_id >= 0 && g->request_id != request_id) || (level >= 0 && f->level != level))
			continue;
		json_array_append_new(all, on_page(in, json_array_size(all), 100) ? portal_show_frame(p, f) : json_null());
	}
	return page(in, all, 100);
}

static json_t *request_observations(struct sim_portal *p, const struct sim_call *in, size_t group)
{
	char flag[16];
	bool living = param(in->query, "exclude_canceled", 0, flag, sizeof flag);
	json_t *all = json_array();
	for (size_t i = 0; i < p->observations; i++) {
		const struct portal_observation *o = &p->observation[i];
		if (o->group == group && !(living && strcmp(o->state, "CANCELED") == 0))
			json_array_append_new(all, portal_show_observation(p, o, false));
	}
	return all;
}

/* writes ---------------------------------------------------------------------------------------------------------------------------- */

static json_t *body_of(const struct sim_call *in, struct sim_reply *out)
{
	struct err e = {0};
	if (in->content_type != NULL && strncmp(in->content_type, "application/json", 16) != 0) {
		char words[160];
		snprintf(words, sizeof words, "Unsupported media type \"%.80s\" in request.", in->content_type);
		json_t *refusal = detail(out, 415, words);
		out->body = json_canonical(refusal);
		json_decref(refusal);
		return NULL;
	}
	json_t *body = json_read(in->body != NULL ? in->body : "", in->len, &json_limits_reply, &e);
	if (body == NULL) {
		char words[300];
		snprintf(words, sizeof words, "JSON parse error - %.200s", e.text);
		json_t *refusal = detail(out, 400, words);
		out->body = json_canonical(refusal);
		json_decref(refusal);
	}
	return body;
}

static json_t *validate(struct sim_portal *p, const json_t *body, const char *user)
{
	struct portal_ask ask;
	json_t *errors = json_object(), *durations = json_object();
	portal_check(p, body, user, &ask, errors);
	if (json_object_size(errors) == 0) {
		int64_t longest_us = 0;
		for (size_t s = 0; ask.visible != NULL && s < p->sites; s++) {
			for (size_t i = 0; i < ask.visible[s].count; i++) {
				int64_t span_us = ask.visible[s].list[i].end_us - ask.visible[s].list[i].start_us;
				longest_us = span_us > longest_us ? span_us : longest_us;
			}
		}
		json_object_set_new(durations, "duration", json_integer((json_int_t)ask.duration_s));
		json_object_set_new(durations, "requests", json_pack("[{s:I, s:f}]", "duration", (json_int_t)ask.duration_s, "largest_interval", (double)longest_us / 1e6));
	}
	free(ask.visible);
	return json_pack("{s:o, s:o}", "request_durations", durations, "errors", errors);
}

static json_t *max_ipp(struct sim_portal *p, const json_t *body, const char *user)
{
	struct portal_ask ask;
	char semester[8];
	int64_t a, b;
	json_t *errors = json_object(), *copy = json_deep_copy(body);
	if (json_is_object(copy))
		json_object_set_new(copy, "ipp_value", json_real(1));
	portal_check(p, copy, user, &ask, errors);
	json_decref(copy);
	free(ask.visible);
	if (json_object_size(errors) > 0)
		return json_pack("{s:o}", "errors", errors);
	json_decref(errors);
	double left = portal_hours_left(p, portal_proposal(p, ask.proposal, user), "ipp"), hours = ask.duration_s / 3600;
	double most = fmin(floor((left / hours + 1) * 1000) / 1000, 2.0);
	portal_semester(ask.start_us, semester, &a, &b);
	return json_pack("{s:{s:{s:f, s:f, s:f, s:f, s:f}}}", semester, ask.instrument, "ipp_time_available", left, "ipp_limit", 10.0,
			 "request_duration", hours, "max_allowable_ipp_value", most, "min_allowable_ipp_value", 0.5);
}

/* What the portal keeps and shows of requests[0]: the posted fields, with its defaults and numbers filled in. */
static json_t *request_kept(const struct portal_group *g, const json_t *posted)
{
	json_t *request = json_deep_copy(posted), *conf = json_array_get(json_object_get(request, "configurations"), 0);
	json_t *window = json_array_get(json_object_get(request, "windows"), 0);
	json_object_set_new(request, "id", json_integer(g->request_id));
	json_object_set_new(request, "duration", json_integer((json_int_t)g->ask.duration_s));
	json_object_set_new(request, "observation_note", json_string(""));
	json_object_set_new(request, "optimization_type", json_string(json_text(posted, "optimization_type", "TIME")));
	json_object_set_new(request, "suspend_until", json_null());
	json_object_set_new(request, "acceptability_threshold", json_real(json_number(posted, "acceptability_threshold", 90)));
	json_object_set_new(request, "configuration_repeats", json_integer(1));
	if (json_object_get(request, "extra_params") == NULL)
		json_object_set_new(request, "extra_params", json_object());
	json_object_set_new(conf, "id", json_integer(g->request_id));
	json_object_set_new(conf, "priority", json_integer(1));
	json_object_set_new(window, "start", portal_time(g->ask.start_us, !g->ask.start_given));
	return request;
}

static json_t *submit(struct sim_portal *p, const json_t *body, const char *user, struct sim_reply *out)
{
	struct portal_ask ask;
	json_t *errors = json_object();
	portal_check(p, body, user, &ask, errors);
	if (json_object_size(errors) > 0) {
		char *words = json_canonical(errors);
		p->unseen += words != NULL && strstr(words, "not be visible") != NULL;
		free(words);
		free(ask.visible);
		out->status = 400;
		return errors;
	}
	json_decref(errors);
	struct portal_group *g = portal_grow((void **)&p->group, &p->groups, &p->group_cap, sizeof *g);
	if (g == NULL) {
		free(ask.visible);
		return detail(out, 500, "no memory");
	}
	*g = (struct portal_group){.id = p->numbers_from + (int64_t)p->groups,
		.request_id = p->numbers_from + PORTAL_FIRST_REQUEST + (int64_t)p->groups, .ask = ask, .state = "PENDING"};
	g->made_us = p->now_us;
	g->left_us = UTC_NONE;
	g->created_us = g->modified_us = g->request_modified_us = p->now_us + p->offset_us + (int64_t)(portal_random(p) % 1000);
	text_copy(g->user, sizeof g->user, user);
	if (strcmp(ask.type, "NORMAL") == 0 && ask.ipp > 1)
		g->debit_h = (ask.ipp - 1) * ask.duration_s / 3600;
	g->request = request_kept(g, json_array_get(json_object_get(body, "requests"), 0));
	p->submissions++;
	out->status = 201;
	return portal_show_group(p, g, false);
}

bool sim_portal_renumber(struct sim_portal *p, const char *name, int64_t id, int64_t request_id)
{
	json_t *conf;
	size_t k;
	for (size_t i = p->groups; i-- > 0;) {
		struct portal_group *g = &p->group[i];
		if (strcmp(g->ask.name, name) != 0)
			continue;
		g->id = id;
		g->request_id = request_id;
		json_object_set_new(g->request, "id", json_integer(request_id));
		json_array_foreach(json_object_get(g->request, "configurations"), k, conf)
			json_object_set_new(conf, "id", json_integer(request_id));
		return true;
	}
	return false;
}

/* 200 however often; the child in the first answer is stale, as on the real portal; a running observation goes on. */
static json_t *cancel(struct sim_portal *p, size_t group, struct sim_reply *out)
{
	struct portal_group *g = &p->group[group];
	char words[128];
	p->cancels++;
	if (!json_flag(p->descriptor, "can_cancel", true))
		return detail(out, 405, "Method \"POST\" not allowed.");
	if (strcmp(g->state, "PENDING") != 0 && strcmp(g->state, "CANCELED") != 0) {
		out->status = 400;
		snprintf(words, sizeof words, "Cannot transition from request state %s to CANCELED for %lld", g->state, (long long)g->request_id);
		return json_pack("{s:[s]}", "errors", words);
	}
	const char *before = g->state;
	if (strcmp(before, "PENDING") == 0) {
		bool late = p->late_cancels > 0 && portal_begin_now(p, group, p->now_us);
		p->late_cancels -= late;
		portal_state_set(p, group, "CANCELED", p->now_us);
		if (!late)
			portal_cancel_pending(p, group, p->now_us);
	}
	json_t *shown = portal_show_group(p, g, false);
	json_object_set_new(json_array_get(json_object_get(shown, "requests"), 0), "state", json_string(before));
	return shown;
}

/* paths ----------------------------------------------------------------------------------------------------------------------------- */

static int64_t number_of(const struct portal_group *g, bool of_request)
{
	return of_request ? g->request_id : g->id;
}

static int64_t group_index(const struct sim_portal *p, int64_t id, bool by_request, const char *user)
{
	int64_t index = id - p->numbers_from - (by_request ? PORTAL_FIRST_REQUEST + 1 : 1);
	if (index < 0 || index >= (int64_t)p->groups || number_of(&p->group[index], by_request) != id) /* it has been given another */
		for (index = (int64_t)p->groups - 1; index >= 0 && number_of(&p->group[index], by_request) != id; index--)
			continue;
	return index >= 0 && sees(p, &p->group[index], user) ? index : -1;
}

/* /api/requestgroups/ID/[cancel/] and /api/requests/ID/[observations/]. NULL with status 0: no such path. */
static json_t *one_group(struct sim_portal *p, const struct sim_call *in, const char *user, struct sim_reply *out)
{
	bool by_request = strncmp(in->path, "/api/requests/", 14) == 0, get = strcmp(in->method, "GET") == 0;
	const char *digits = in->path + (by_request ? 14 : 19);
	char *rest;
	int64_t index = group_index(p, strtoll(digits, &rest, 10), by_request, user);
	if (rest == digits || *rest != '/')
		return NULL;
	const char *tail = rest + 1;
	if (index < 0)
		return detail(out, 404, by_request ? "No Request matches the given query." : NOT_FOUND);
	if (!by_request && tail[0] == '\0')
		return get ? portal_show_group(p, &p->group[index], false) : detail(out, 405, "Method \"PUT\" not allowed.");
	if (!by_request && strcmp(tail, "cancel/") == 0)
		return strcmp(in->method, "POST") == 0 ? cancel(p, (size_t)index, out) : detail(out, 405, "Method \"GET\" not allowed.");
	if (by_request && strcmp(tail, "observations/") == 0 && get)
		return request_observations(p, in, (size_t)index);
	return NULL;
}

static json_t *posted(struct sim_portal *p, const struct sim_call *in, const char *user, struct sim_reply *out)
{
	bool airmass = strcmp(in->path, "/api/airmass/") == 0;
	json_t *answer = NULL;
	if (user == NULL && !airmass)
		return detail(out, 403, NO_CREDENTIALS);
	json_t *body = body_of(in, out);
	if (body == NULL)
		return NULL;
	if (portal_down(p, json_text(json_array_get(json_object_get(json_array_get(json_object_get(body, "requests"), 0), "configurations"), 0),
		"instrument_type", ""), p->now_us))
		portal_fired(p, "down");
	if (strcmp(in->path, "/api/requestgroups/") == 0) {
		answer = submit(p, body, user, out);
	} else if (strcmp(in->path, "/api/requestgroups/validate/") == 0) {
		answer = validate(p, body, user);
	} else if (strcmp(in->path, "/api/requestgroups/max_allowable_ipp/") == 0) {
		answer = max_ipp(p, body, user);
	} else {
		json_t *errors = json_object();
		answer = portal_show_airmass(p, body, errors);
		json_decref(errors);
	}
	json_decref(body);
	return answer;
}

static json_t *proposals(struct sim_portal *p, const struct sim_call *in, const char *user, struct sim_reply *out)
{
	const json_t *list = json_object_get(p->setup, "proposals"), *one;
	json_t *all = json_array();
	size_t i;
	json_array_foreach(list, i, one) {
		const char *id = json_text(one, "id", "");
		size_t len = strlen(id);
		if (user == NULL || portal_proposal(p, id, user) == NULL)
			continue;
		if (strncmp(in->path + 15, id, len) == 0 && strcmp(in->path + 15 + len, "/") == 0) {
			json_decref(all);
			return portal_show_proposal(p, one);
		}
		json_array_append_new(all, portal_show_proposal(p, one));
	}
	if (in->path[15] == '\0')
		return page(in, all, 10);
	json_decref(all);
	return detail(out, 404, "No Proposal matches the given query.");
}

static json_t *semesters(struct sim_portal *p, const struct sim_call *in)
{
	char name[8];
	int64_t start_us, end_us;
	portal_semester(p->now_us + p->offset_us, name, &start_us, &end_us);
	return page(in, json_pack("[{s:s, s:o, s:o}]", "id", name, "start", portal_time(start_us, false), "end", portal_time(end_us, false)), 10);
}

static json_t *got(struct sim_portal *p, const struct sim_call *in, const char *user, struct sim_reply *out)
{
	if (strcmp(in->path, "/api/profile/") == 0)
		return user != NULL ? portal_show_profile(p, user) : detail(out, 403, NO_CREDENTIALS);
	if (strcmp(in->path, "/api/requestgroups/") == 0)
		return groups_list(p, in, user, out);
	if (strcmp(in->path, "/api/observations/") == 0 || strcmp(in->path, "/api/schedule/") == 0)
		return observations_list(p, in, user, out);
	if (strcmp(in->path, "/api/instruments/") == 0) {
		json_t *shown = portal_show_instruments(p);
		if (json_object_size(shown) < json_array_size(json_object_get(p->descriptor, "instruments")))
			portal_fired(p, "down");
		return shown;
	}
	if (strcmp(in->path, "/api/telescope_states/") == 0)
		return portal_show_states(p, p->now_us + p->offset_us);
	if (strcmp(in->path, "/api/semesters/") == 0)
		return semesters(p, in);
	if (strncmp(in->path, "/api/proposals/", 15) == 0)
		return proposals(p, in, user, out);
	if (strcmp(in->path, "/frames/") == 0)
		return frames_list(p, in, user);
	return NULL;
}

json_t *portal_answer(struct sim_portal *p, const struct sim_call *in, const char *user, struct sim_reply *out)
{
	static const char *const writes[] = {"/api/requestgroups/", "/api/requestgroups/validate/", "/api/requestgroups/max_allowable_ipp/", "/api/airmass/"};
	json_t *answer = NULL;
	out->status = 200;
	if (strcmp(in->method, "POST") == 0) {
		for (size_t i = 0; i < sizeof writes / sizeof writes[0]; i++) {
			if (strcmp(in->path, writes[i]) == 0)
				return posted(p, in, user, out);
		}
	} else if (strcmp(in->method, "GET") == 0) {
		answer = got(p, in, user, out);
	} else if (strcmp(in->path, "/api/requestgroups/") == 0) {
		return detail(out, 405, "Method not allowed.");
	}
	if (answer == NULL && (strncmp(in->path, "/api/requestgroups/", 19) == 0 || strncmp(in->path, "/api/requests/", 14) == 0))
		answer = one_group(p, in, user, out);
	if (answer == NULL && out->body == NULL)
		out->status = 404;
	return answer;
}

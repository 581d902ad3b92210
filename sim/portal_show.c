/* Documents of the simulated portal, in the shapes of the real one: groups, observations, profile, instruments, telescope states, frames. */
#include "sim/portal_parts.h"
#include "engine/base/hash.h"
#include "engine/base/json.h"
#include "engine/base/text.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

json_t *portal_time(int64_t utc_us, bool micro)
{
	char stamp[32];
	return json_string(micro ? utc_format(stamp, utc_us) : utc_format_s(stamp, utc_us));
}

static void put(json_t *object, const char *key, json_t *value)
{
	json_object_set_new(object, key, value);
}

static json_t *show_request(const struct portal_group *g, const char *state, bool in_list)
{
	json_t *request = json_deep_copy(g->request);
	put(request, "state", json_string(state));
	put(request, "modified", portal_time(g->request_modified_us, true));
	if (!in_list)
		put(request, "created", portal_time(g->created_us, true));
	return request;
}

json_t *portal_show_group(const struct sim_portal *p, const struct portal_group *g, bool in_list)
{
	(void)p;
	json_t *group = json_object();
	put(group, "id", json_integer(g->id));
	put(group, "submitter", json_string(g->user));
	put(group, "proposal", json_string(g->ask.proposal));
	put(group, "name", json_string(g->ask.name));
	put(group, "observation_type", json_string(g->ask.type));
	put(group, "operator", json_string("SINGLE"));
	put(group, "ipp_value", json_real(g->ask.ipp));
	put(group, "state", json_string(g->state));
	put(group, "created", portal_time(g->created_us, true));
	put(group, "modified", portal_time(g->modified_us, true));
	put(group, "requests", json_array());
	json_array_append_new(json_object_get(group, "requests"), show_request(g, g->state, in_list));
	return group;
}

static json_t *show_summary(const struct portal_observation *o)
{
	json_t *summary = json_object();
	if (strcmp(o->state, "COMPLETED") != 0 && strcmp(o->state, "FAILED") != 0 && strcmp(o->state, "NOT_ATTEMPTED") != 0)
		return summary;
	put(summary, "id", json_integer(o->id));
	put(summary, "start", portal_time(o->start_us, false));
	put(summary, "end", portal_time(o->end_us, false));
	put(summary, "state", json_string(o->state));
	put(summary, "reason", json_string(o->reason));
	put(summary, "time_completed", json_real(o->time_completed_s));
	put(summary, "events", json_array());
	return summary;
}

/* The feed carries the whole request; the list of one request only its number and the statuses. */
json_t *portal_show_observation(const struct sim_portal *p, const struct portal_observation *o, bool in_list)
{
	const struct portal_group *g = &p->group[o->group];
	const struct portal_telescope *t = &p->telescope[o->telescope];
	const char *dot = strchr(t->name, '.');
	json_t *row = json_object(), *status = json_object();
	put(row, "id", json_integer(o->id));
	put(row, "site", json_string(p->site[t->site].code));
	put(row, "enclosure", json_stringn(t->name, dot != NULL ? (size_t)(dot - t->name) : 0));
	put(row, "telescope", json_string(dot != NULL ? dot + 1 : t->name));
	put(row, "start", portal_time(o->start_us, false));
	put(row, "end", portal_time(o->end_us, false));
	put(row, "priority", json_integer(10));
	put(row, "state", json_string(o->state));
	put(status, "id", json_integer(o->id));
	put(status, "state", json_string(strcmp(o->state, "IN_PROGRESS") == 0 ? "ATTEMPTED" : o->state));
	put(status, "summary", show_summary(o));
	if (in_list) {
		json_t *request = show_request(g, g->state, true);
		json_object_update(json_array_get(json_object_get(request, "configurations"), 0), status);
		json_decref(status);
		put(row, "request", request);
		put(row, "proposal", json_string(g->ask.proposal));
		put(row, "submitter", json_string(g->user));
		put(row, "name", json_string(g->ask.name));
		put(row, "observation_type", json_string(g->ask.type));
		put(row, "ipp_value", json_real(g->ask.ipp));
		put(row, "request_group_id", json_integer(g->id));
		put(row, "created", portal_time(o->created_us, true));
		put(row, "modified", portal_time(o->modified_us, true));
	} else {
		put(row, "request", json_integer(g->request_id));
		put(row, "configuration_statuses", json_array());
		json_array_append_new(json_object_get(row, "configuration_statuses"), status);
	}
	return row;
}

static json_t *show_allocation(const struct sim_portal *p, const json_t *proposal)
{
	static const char *const modes[3][2] = {{"NORMAL", "std"}, {"TIME_CRITICAL", "tc"}, {"RAPID_RESPONSE", "rr"}};
	const json_t *hours = json_object_get(proposal, "hours"), *list = json_object_get(p->descriptor, "instruments"), *one;
	json_t *row = json_object(), *types = json_array();
	char key[32];
	size_t i;
	for (i = 0; i < 3; i++) {
		double given = json_number(hours, modes[i][0], 0);
		snprintf(key, sizeof key, "%s_allocation", modes[i][1]);
		put(row, key, json_real(given));
		snprintf(key, sizeof key, "%s_time_used", modes[i][1]);
		put(row, key, json_real(given - portal_hours_left(p, proposal, modes[i][0])));
	}
	put(row, "ipp_limit", json_real(10));
	put(row, "ipp_time_available", json_real(portal_hours_left(p, proposal, "ipp")));
	json_array_foreach(list, i, one)
		json_array_append_new(types, json_string(json_text(one, "code", "")));
	put(row, "instrument_types", types);
	return row;
}

json_t *portal_show_proposal(const struct sim_portal *p, const json_t *proposal)
{
	json_t *out = json_object();
	put(out, "id", json_string(json_text(proposal, "id", "")));
	put(out, "active", json_boolean(json_flag(proposal, "active", true)));
	put(out, "title", json_string(json_text(proposal, "title", "")));
	put(out, "tac_priority", json_integer(30));
	put(out, "direct_submission", json_false());
	put(out, "timeallocation_set", json_array());
	json_array_append_new(json_object_get(out, "timeallocation_set"), show_allocation(p, proposal));
	return out;
}

json_t *portal_show_profile(const struct sim_portal *p, const char *user)
{
	json_t *profile = json_object(), *proposals = json_array();
	const json_t *list = json_object_get(p->setup, "proposals"), *one;
	size_t i;
	json_array_foreach(list, i, one) {
		if (portal_proposal(p, json_text(one, "id", ""), user) == NULL)
			continue;
		json_t *row = json_object();
		put(row, "id", json_string(json_text(one, "id", "")));
		put(row, "title", json_string(json_text(one, "title", "")));
		put(row, "current", json_true());
		put(row, "time_limit", json_integer(-1));
		put(row, "time_used", json_integer(0));
		put(row, "time_allocations", json_array());
		json_array_append_new(json_object_get(row, "time_allocations"), show_allocation(p, one));
		json_array_append_new(proposals, row);
	}
	put(profile, "username", json_string(user));
	put(profile, "is_staff", json_false());
	put(profile, "proposals", proposals);
	put(profile, "tokens", json_object());
	return profile;
}

static json_t *show_instrument(const json_t *one)
{
	json_t *filters = json_array(), *out = json_object();
	const json_t *filter;
	size_t i;
	json_array_foreach(json_object_get(one, "filters"), i, filter)
		json_array_append_new(filters, json_pack("{s:i, s:O, s:O, s:b, s:b}", "id", (int)i + 1, "name", filter, "code", filter,
							 "schedulable", 1, "default", i == 0));
	const char *mode = json_text(one, "mode", "");
	put(out, "type", json_string("IMAGE"));
	put(out, "class", json_string(json_text(one, "telescope_class", "")));
	put(out, "name", json_string(json_text(one, "code", "")));
	put(out, "optical_elements", json_pack("{s:o}", "filters", filters));
	put(out, "modes", json_pack("{s:{s:s, s:s, s:[{s:s, s:f, s:b}]}}", "readout", "type", "readout", "default", mode, "modes", "code", mode,
				    "overhead", 27.0, "schedulable", 1));
	put(out, "default_acceptability_threshold", json_real(90));
	put(out, "default_configuration_type", json_string("EXPOSE"));
	return out;
}

json_t *portal_show_instruments(const struct sim_portal *p)
{
	json_t *out = json_object();
	const json_t *one;
	size_t i;
	json_array_foreach(json_object_get(p->descriptor, "instruments"), i, one)
		if (!portal_down(p, json_text(one, "code", ""), p->now_us))
			put(out, json_text(one, "code", ""), show_instrument(one));
	return out;
}

json_t *portal_show_states(const struct sim_portal *p, int64_t utc_us)
{
	json_t *out = json_object();
	char key[64], words[160];
	for (size_t t = 0; t < p->telescopes; t++) {
		const char *why;
		bool closed = portal_weather(p, p->telescope[t].site, utc_us, &why);
		snprintf(key, sizeof key, "%s.%s", p->site[p->telescope[t].site].code, p->telescope[t].name);
		snprintf(words, sizeof words, "Weather: %.80s. Enclosure: Closed", closed ? why : "");
		json_t *row = json_pack("{s:s, s:s, s:s, s:o, s:o}", "telescope", key, "event_type", closed ? "NOT_OK_TO_OPEN" : "AVAILABLE",
					"event_reason", closed ? words : "Available for scheduling", "start", portal_time(utc_us, false),
					"end", portal_time(utc_us, false));
		put(out, key, json_array());
		json_array_append_new(json_object_get(out, key), row);
	}
	return out;
}

json_t *sim_portal_frames(const struct sim_portal *p)
{
	json_t *list = json_array();
	for (size_t i = 0; i < p->frames; i++) {
		const struct portal_frame *f = &p->frame[i];
		const struct portal_observation *o = &p->observation[f->observation];
		const struct portal_ask *ask = &p->group[o->group].ask;
		const struct portal_telescope *t = &p->telescope[o->telescope];
		if (f->level != 0)
			continue;
		json_array_append_new(list, json_pack("{s:s, s:s, s:f, s:f, s:s, s:s, s:s, s:f, s:I, s:f}", "name", ask->name, "target", ask->target,
			"ra_deg", ask->ra_deg, "dec_deg", ask->dec_deg, "site", p->site[t->site].code, "telescope", t->name, "filter", f->filter,
			"exposure_s", f->exposure_s, "start_us", (json_int_t)f->start_us, "airmass",
			fmin(portal_sky_airmass(&p->site[t->site], ask->ra_deg, ask->dec_deg, f->start_us), 99)));
	}
	return list;
}

json_t *portal_show_frame(const struct sim_portal *p, const struct portal_frame *f)
{
	const struct portal_observation *o = &p->observation[f->observation];
	const struct portal_group *g = &p->group[o->group];
	const struct portal_telescope *t = &p->telescope[o->telescope];
	const char *dot = strchr(t->name, '.'), *site = p->site[t->site].code, *telescope = dot != NULL ? dot + 1 : t->name;
	char day[32], basename[80], url[300], digest[65];
	json_t *row = json_object();
	utc_format_s(day, f->start_us);
	snprintf(basename, sizeof basename, "%s%s-fa%02zu-%.4s%.2s%.2s-%04d-e%02d", site, telescope, o->telescope + 1, day, day + 5, day + 8, f->number % 10000, f->level);
	hash_sha256_hex(basename, strlen(basename), digest);
	snprintf(url, sizeof url, "http://archive.invalid/%s.fits?X-Amz-Expires=172800&X-Amz-Signature=%s", basename, digest);
	put(row, "id", json_integer(f->id));
	put(row, "basename", json_string(basename));
	put(row, "url", json_string(url));
	put(row, "observation_date", portal_time(f->start_us, false));
	put(row, "proposal_id", json_string(g->ask.proposal));
	put(row, "target_name", json_string(g->ask.target));
	put(row, "reduction_level", json_integer(f->level));
	put(row, "site_id", json_string(site));
	put(row, "telescope_id", json_string(telescope));
	put(row, "exposure_time", json_real(f->exposure_s));
	put(row, "primary_optical_element", json_string(f->filter));
	put(row, "configuration_type", json_string("EXPOSE"));
	put(row, "observation_id", json_integer(o->id));
	put(row, "request_id", json_integer(g->request_id));
	put(row, "version_set", json_pack("[{s:I, s:s, s:s}]", "id", (json_int_t)f->id, "md5", digest + 32, "extension", ".fits"));
	return row;
}

/* 10-minute steps within the visible intervals; a site that cannot see it is absent. */
json_t *portal_show_airmass(const struct sim_portal *p, const json_t *request, json_t *errors)
{
	json_t *body = json_pack("{s:s, s:s, s:s, s:s, s:f, s:[O]}", "name", "airmass", "proposal", json_text(json_array_get(json_object_get(p->setup, "proposals"), 0), "id", "-"),
				 "observation_type", "NORMAL", "operator", "SINGLE", "ipp_value", 1.0, "requests", request);
	struct portal_ask ask;
	json_t *data = json_object();
	portal_check(p, body, NULL, &ask, errors);
	json_decref(body);
	for (size_t s = 0; ask.visible != NULL && s < p->sites; s++) {
		json_t *times = json_array(), *airmasses = json_array();
		for (size_t i = 0; i < ask.visible[s].count; i++) {
			for (int64_t t = ask.visible[s].list[i].start_us; t <= ask.visible[s].list[i].end_us; t += 10 * UTC_MINUTE) {
				char stamp[32];
				utc_format_s(stamp, t);
				json_array_append_new(times, json_stringn(stamp, 16));
				json_array_append_new(airmasses, json_real(portal_sky_airmass(&p->site[s], ask.ra_deg, ask.dec_deg, t)));
			}
		}
		if (json_array_size(times) > 0)
			put(data, p->site[s].code, json_pack("{s:O, s:O}", "times", times, "airmasses", airmasses));
		json_decref(times);
		json_decref(airmasses);
	}
	free(ask.visible);
	json_t *out = json_pack("{s:o}", "airmass_data", data);
	if (json_object_size(data) > 0)
		put(out, "airmass_limit", json_real(ask.max_airmass));
	return out;
}

/* How the simulated portal judges a request group: the layers, and the sentences, of the real one. */
#include "sim/portal_parts.h"
#include "engine/base/json.h"
#include "engine/base/text.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REQUIRED "This field is required."

/* Adds a message to the nested dict at "requests[0].windows[0].end"; a list gets {} for its other elements. */
__attribute__((format(printf, 3, 4))) static void complain(json_t *errors, const char *path, const char *format, ...)
{
	char message[600], part[64];
	va_list args;
	va_start(args, format);
	vsnprintf(message, sizeof message, format, args);
	va_end(args);
	json_t *at = errors;
	while (*path != '\0') {
		size_t len = strcspn(path, ".");
		int index = 0;
		bool indexed = false, last = path[len] == '\0';
		snprintf(part, sizeof part, "%.*s", (int)len, path);
		char *bracket = strchr(part, '[');
		if (bracket != NULL) {
			indexed = true;
			index = atoi(bracket + 1);
			*bracket = '\0';
		}
		json_t *next = json_object_get(at, part);
		if (next == NULL) {
			next = indexed || last ? json_array() : json_object();
			json_object_set_new(at, part, next);
		}
		if (indexed) {
			while ((int)json_array_size(next) <= index)
				json_array_append_new(next, json_object());
			next = json_array_get(next, (size_t)index);
		}
		at = next;
		path += len + (last ? 0 : 1);
	}
	json_array_append_new(at, json_string(message));
}

const json_t *portal_instrument(const struct sim_portal *p, const char *code)
{
	const json_t *list = json_object_get(p->descriptor, "instruments"), *one;
	size_t i;
	json_array_foreach(list, i, one) {
		if (strcmp(json_text(one, "code", ""), code) == 0)
			return one;
	}
	return NULL;
}

const json_t *portal_proposal(const struct sim_portal *p, const char *id, const char *user)
{
	const json_t *list = json_object_get(p->setup, "proposals"), *one, *member;
	size_t i, k;
	json_array_foreach(list, i, one) {
		const json_t *users = json_object_get(one, "users");
		if (strcmp(json_text(one, "id", ""), id) != 0)
			continue;
		if (users == NULL || user == NULL)
			return one;
		json_array_foreach(users, k, member) {
			if (json_is_string(member) && strcmp(json_string_value(member), user) == 0)
				return one;
		}
	}
	return NULL;
}

double portal_hours_left(const struct sim_portal *p, const json_t *proposal, const char *mode)
{
	bool ipp = strcmp(mode, "ipp") == 0;
	double left = ipp ? json_number(proposal, "ipp_h", 5) : json_number(json_object_get(proposal, "hours"), mode, -1);
	for (size_t i = 0; i < p->groups; i++) {
		const struct portal_group *g = &p->group[i];
		if (strcmp(g->ask.proposal, json_text(proposal, "id", "")) != 0)
			continue;
		if (ipp)
			left -= g->debit_h;
		else if (strcmp(g->ask.type, mode) == 0)
			left -= g->charged_s / 3600;
	}
	return left;
}

/* A: 1 February to 1 August, B: 1 August to 1 February. */
void portal_semester(int64_t utc_us, char name[8], int64_t *start_us, int64_t *end_us)
{
	char stamp[32], bound[32];
	struct err e = {0};
	utc_format_s(stamp, utc_us);
	int year = atoi(stamp), month = atoi(stamp + 5);
	bool first = month >= 2 && month < 8;
	if (month < 2)
		year--;
	snprintf(name, 8, "%04d%c", year % 10000, first ? 'A' : 'B');
	snprintf(bound, sizeof bound, "%04d-%s-01T00:00:00Z", year, first ? "02" : "08");
	if (utc_parse(bound, start_us, &e) < 0)
		*start_us = utc_us;
	snprintf(bound, sizeof bound, "%04d-%s-01T00:00:00Z", first ? year : year + 1, first ? "08" : "02");
	if (utc_parse(bound, end_us, &e) < 0)
		*end_us = utc_us;
}

/* fields -------------------------------------------------------------------------------------------------------------------------- */

static int64_t time_of(const json_t *object, const char *key, const char *path, json_t *errors, int64_t otherwise)
{
	struct err e = {0};
	int64_t utc_us;
	const char *s = json_text(object, key, NULL);
	if (s == NULL)
		return otherwise;
	if (utc_parse(s, &utc_us, &e) < 0) {
		complain(errors, path, "Datetime has wrong format. Use one of these formats instead: YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z].");
		return otherwise;
	}
	return utc_us;
}

static double number_of(const json_t *object, const char *key, const char *path, json_t *errors, const double range[3])
{
	double value = json_number(object, key, NAN);
	if (json_object_get(object, key) == NULL || json_is_null(json_object_get(object, key))) {
		if (isnan(range[2]))
			complain(errors, path, REQUIRED);
		return range[2];
	}
	if (isnan(value))
		complain(errors, path, "A valid number is required.");
	else if (value < range[0])
		complain(errors, path, "Ensure this value is greater than or equal to %.1f.", range[0]);
	else if (value > range[1])
		complain(errors, path, "Ensure this value is less than or equal to %.1f.", range[1]);
	return value;
}

static void field_text(const json_t *object, const char *key, char *out, size_t size, json_t *errors)
{
	const char *s = json_text(object, key, NULL);
	out[0] = '\0';
	if (s == NULL)
		complain(errors, key, REQUIRED);
	else if (s[0] == '\0')
		complain(errors, key, strcmp(key, "name") == 0 ? "Please provide a name." : "This field may not be blank.");
	else if (!text_copy(out, size, s) || strlen(s) > 50)
		complain(errors, key, "Ensure this field has no more than 50 characters.");
}

static void check_request_fields(const json_t *request, struct portal_ask *ask, json_t *errors)
{
	const json_t *conf = json_array_get(json_object_get(request, "configurations"), 0), *window = json_array_get(json_object_get(request, "windows"), 0);
	const json_t *target = json_object_get(conf, "target"), *limits = json_object_get(conf, "constraints"), *location = json_object_get(request, "location");
	static const char *const objects[] = {"target", "constraints", "acquisition_config", "guiding_config"};
	char path[96];
	if (conf == NULL)
		complain(errors, "requests[0].configurations", "You must specify at least 1 configuration");
	if (window == NULL)
		complain(errors, "requests[0].windows", "You must specify at least 1 window");
	if (conf == NULL || window == NULL)
		return;
	for (size_t i = 0; i < 4; i++) {
		snprintf(path, sizeof path, "requests[0].configurations[0].%s", objects[i]);
		if (!json_is_object(json_object_get(conf, objects[i])))
			complain(errors, path, REQUIRED);
	}
	ask->ra_deg = number_of(target, "ra", "requests[0].configurations[0].target.ra", errors, (double[]){0, 360, NAN});
	ask->dec_deg = number_of(target, "dec", "requests[0].configurations[0].target.dec", errors, (double[]){-90, 90, NAN});
	ask->max_airmass = number_of(limits, "max_airmass", "requests[0].configurations[0].constraints.max_airmass", errors, (double[]){1, 25, 1.6});
	ask->min_moon_deg = number_of(limits, "min_lunar_distance", "requests[0].configurations[0].constraints.min_lunar_distance", errors, (double[]){0, 180, 30});
	(void)text_copy(ask->target, sizeof ask->target, json_text(target, "name", ""));
	if (strlen(json_text(target, "name", "")) > 50)
		complain(errors, "requests[0].configurations[0].target.name", "Ensure this field has no more than 50 characters.");
	(void)text_copy(ask->instrument, sizeof ask->instrument, json_text(conf, "instrument_type", ""));
	(void)text_copy(ask->site, sizeof ask->site, json_text(location, "site", ""));
	(void)text_copy(ask->class, sizeof ask->class, json_text(location, "telescope_class", ""));
	if (ask->class[0] == '\0')
		complain(errors, "requests[0].location.telescope_class", REQUIRED);
	ask->start_given = json_object_get(window, "start") != NULL;
	ask->start_us = time_of(window, "start", "requests[0].windows[0].start", errors, ask->start_us);
	ask->end_us = time_of(window, "end", "requests[0].windows[0].end", errors, UTC_NONE);
	if (ask->end_us == UTC_NONE)
		complain(errors, "requests[0].windows[0].end", REQUIRED);
}

static void check_fields(const json_t *body, struct portal_ask *ask, json_t *errors)
{
	const json_t *requests = json_object_get(body, "requests");
	char operator[16];
	field_text(body, "name", ask->name, sizeof ask->name, errors);
	field_text(body, "proposal", ask->proposal, sizeof ask->proposal, errors);
	field_text(body, "observation_type", ask->type, sizeof ask->type, errors);
	field_text(body, "operator", operator, sizeof operator, errors);
	ask->ipp = number_of(body, "ipp_value", "ipp_value", errors, (double[]){-1e9, 1e9, NAN});
	if (requests == NULL)
		complain(errors, "requests", REQUIRED);
	else if (json_array_size(requests) == 0)
		complain(errors, "requests", "You must specify at least 1 request");
	else
		check_request_fields(json_array_get(requests, 0), ask, errors);
}

/* configuration and its instrument ------------------------------------------------------------------------------------------------ */

static bool filter_there(const json_t *instrument, const char *filter)
{
	const json_t *list = json_object_get(instrument, "filters"), *one;
	size_t i;
	json_array_foreach(list, i, one) {
		if (json_is_string(one) && strcasecmp(json_string_value(one), filter) == 0)
			return true;
	}
	return false;
}

static double overhead(const struct sim_portal *p, const json_t *instrument, const char *key, double otherwise)
{
	return json_number(json_object_get(instrument, "overheads"), key, json_number(json_object_get(p->descriptor, "overheads"), key, otherwise));
}

/* What the instrument needs beside a time and a count, by its entry in the descriptor. NULL, or what is changed from exposure to exposure. */
static const char *check_needs(const json_t *instrument, const json_t *one, const char *code, json_t *errors)
{
	static const char at[] = "requests[0].configurations[0].non_field_errors";
	const json_t *model = json_object_get(instrument, "exposure"), *elements = json_object_get(model, "optical_elements");
	json_t *usual = json_is_object(elements) ? json_incref((json_t *)elements) : json_pack("{s:s}", "filter", "$filter");
	const char *changed = strcmp(json_text(model, "mode", ""), "$filter") == 0 ? json_text(one, "mode", "") : NULL, *key;
	json_t *value;
	if (changed != NULL && !filter_there(instrument, changed))
		complain(errors, at, "Readout mode %s is not available for instrument type %s", changed, code);
	json_object_foreach(usual, key, value) {
		const char *given = json_text(json_object_get(one, "optical_elements"), key, NULL);
		bool chosen = strcmp(json_string_value(value) != NULL ? json_string_value(value) : "", "$filter") == 0;
		if (given == NULL)
			complain(errors, at, "Must set optical element of type %s for instrument type %s", key, code);
		else if (chosen && !filter_there(instrument, given))
			complain(errors, at, "optical element %s of type %s is not available", given, key);
		changed = chosen ? given : changed;
	}
	json_decref(usual);
	json_object_foreach(json_object_get(model, "extra_params"), key, value)
		if (json_object_get(json_object_get(one, "extra_params"), key) == NULL)
			complain(errors, at, "Exposure or rotator mode requirements are not met: extra_params{%s error: required field}", key);
	return changed;
}

/* Checks each exposure and adds up what it takes: the portal's duration formula with the descriptor's overheads. */
static void check_exposures(const struct sim_portal *p, const json_t *conf, const json_t *instrument, struct portal_ask *ask, json_t *errors)
{
	static const char at[] = "requests[0].configurations[0].non_field_errors";
	const json_t *list = json_object_get(conf, "instrument_configs"), *one;
	double each_s = overhead(p, instrument, "per_exposure_s", 28), change_s = overhead(p, instrument, "filter_change_s", 2);
	const char *last = "", *mode = json_text(instrument, "mode", "");
	size_t i;
	ask->duration_s = overhead(p, instrument, "front_padding_s", 90);
	if (json_array_size(list) == 0)
		complain(errors, "requests[0].configurations[0].instrument_configs", "You must specify at least 1 instrument_config");
	json_array_foreach(list, i, one) {
		const char *filter = check_needs(instrument, one, ask->instrument, errors), *asked = json_text(one, "mode", mode);
		double exposure_s = json_number(one, "exposure_time", NAN);
		int64_t count = json_int(one, "exposure_count", 0);
		char path[120];
		snprintf(path, sizeof path, "requests[0].configurations[0].instrument_configs[%zu].exposure_%s", i, count < 1 ? "count" : "time");
		if (asked[0] != '\0' && mode[0] != '\0' && strcmp(asked, mode) != 0)
			complain(errors, at, "Readout mode %s is not available for instrument type %s", asked, ask->instrument);
		if (count < 1 || isnan(exposure_s) || exposure_s < 0)
			complain(errors, path, "Ensure this value is greater than or equal to %d.", count < 1 ? 1 : 0);
		else if (exposure_s > json_number(instrument, "max_exposure_s", 7200))
			complain(errors, path, "max value is %.1f", json_number(instrument, "max_exposure_s", 7200));
		ask->duration_s += (double)count * (exposure_s + each_s) + (filter != NULL && strcmp(filter, last) != 0 ? change_s : 0);
		last = filter != NULL ? filter : "";
	}
	ask->duration_s = ceil(ask->duration_s);
}

static void check_configuration(const struct sim_portal *p, const json_t *request, struct portal_ask *ask, json_t *errors)
{
	const json_t *conf = json_array_get(json_object_get(request, "configurations"), 0), *instrument = portal_instrument(p, ask->instrument);
	const char *type = json_text(conf, "type", ""), *wanted = json_text(json_object_get(instrument, "configuration"), "type", "EXPOSE");
	if (instrument == NULL || portal_down(p, ask->instrument, p->now_us)) {
		const json_t *first = json_array_get(json_object_get(p->descriptor, "instruments"), 0);
		complain(errors, "requests[0].configurations[0].instrument_type", "Invalid instrument type %s. Valid instruments may include: %s",
			 ask->instrument, json_text(first, "code", ""));
		return;
	}
	if (strcmp(type, wanted) != 0)
		complain(errors, "requests[0].configurations[0].non_field_errors", "configuration type %s is not valid for instrument type %s", type, ask->instrument);
	check_exposures(p, conf, instrument, ask, errors);
	bool place = ask->site[0] == '\0';
	for (size_t t = 0; t < p->telescopes && !place; t++)
		place = strcmp(p->site[p->telescope[t].site].code, ask->site) == 0 && strcmp(p->telescope[t].class, ask->class) == 0;
	if (strcmp(json_text(instrument, "telescope_class", ""), ask->class) != 0 || !place)
		complain(errors, "requests[0].non_field_errors", "Invalid instrument type '%s' at site=%s, enc=Any, tel=Any. \nValid instruments include: .",
			 ask->instrument, ask->site[0] != '\0' ? ask->site : "Any");
}

/* window, visibility, group rules ------------------------------------------------------------------------------------------------- */

static void check_window(const struct sim_portal *p, const struct portal_ask *ask, json_t *errors)
{
	char name[8], a[32], b[32];
	int64_t start_us, end_us, now_us = p->now_us + p->offset_us;
	portal_semester(ask->start_us, name, &start_us, &end_us);
	if (ask->end_us <= now_us)
		complain(errors, "requests[0].windows[0].end", "Window end time must be in the future");
	else if (ask->end_us <= ask->start_us)
		complain(errors, "requests[0].windows[0].non_field_errors", "Window end '%s' cannot be earlier than window start '%s'",
			 utc_format_s(a, ask->end_us), utc_format_s(b, ask->start_us));
	else if (ask->end_us > end_us)
		complain(errors, "requests[0].windows[0].non_field_errors", "The observation window does not fit within any defined semester.");
}

static bool site_serves(const struct sim_portal *p, size_t site, const struct portal_ask *ask)
{
	if (ask->site[0] != '\0' && strcmp(ask->site, p->site[site].code) != 0)
		return false;
	for (size_t t = 0; t < p->telescopes; t++) {
		if (p->telescope[t].site == site && strcmp(p->telescope[t].class, ask->class) == 0)
			return true;
	}
	return false;
}

static void check_visible(const struct sim_portal *p, struct portal_ask *ask, json_t *errors)
{
	int64_t now_us = p->now_us + p->offset_us, start_us = ask->start_us > now_us ? ask->start_us : now_us, longest_us = 0;
	ask->visible = calloc(p->sites, sizeof *ask->visible);
	if (ask->visible == NULL)
		return;
	portal_sky_scan(p, ask, start_us, ask->end_us, ask->visible);
	for (size_t s = 0; s < p->sites; s++) {
		struct portal_visible *v = &ask->visible[s];
		if (!site_serves(p, s, ask))
			v->count = 0;
		for (size_t i = 0; i < v->count; i++) {
			if (v->list[i].end_us - v->list[i].start_us > longest_us)
				longest_us = v->list[i].end_us - v->list[i].start_us;
		}
	}
	double longest_h = (double)longest_us / (double)UTC_HOUR, duration_h = ask->duration_s / 3600;
	if (longest_us <= 0)
		complain(errors, "requests[0].non_field_errors", "According to the constraints of the request, the target will not be visible within the time window. "
			 "Check that the target is in the nighttime sky. Consider modifying the time window or loosening the airmass or lunar separation constraints. "
			 "If the target is non sidereal, double check that the provided elements are correct.");
	else if (longest_h < duration_h)
		complain(errors, "requests[0].non_field_errors", "According to the constraints of the request, the target will only be visible for a maximum of %.2f "
			 "hours within the time window. This is less than the duration of your request %.2f hours. Consider expanding the time window or "
			 "loosening the airmass or lunar separation constraints.", longest_h, duration_h);
}

static void check_rapid(const struct sim_portal *p, const struct portal_ask *ask, json_t *errors)
{
	int64_t now_us = p->now_us + p->offset_us;
	if (ask->start_given && ask->start_us > now_us)
		complain(errors, "non_field_errors", "The Rapid Response observation window start time cannot be in the future.");
	else if (ask->end_us > now_us + UTC_DAY + (int64_t)(ask->duration_s * 1e6))
		complain(errors, "non_field_errors", "A Rapid Response observation must start within the next 24 hours, so the window end time must be "
			 "within the next (24 hours + the observation duration)");
}

static void check_time(const struct sim_portal *p, const json_t *proposal, const struct portal_ask *ask, json_t *errors)
{
	char semester[8];
	int64_t a, b;
	double left = portal_hours_left(p, proposal, ask->type), need = ask->duration_s / 3600, given = json_number(json_object_get(proposal, "hours"), ask->type, -1);
	portal_semester(ask->start_us, semester, &a, &b);
	if (given < 0)
		complain(errors, "non_field_errors", "You do not have sufficient %s time allocated on the instrument you're requesting for this proposal.", ask->type);
	else if (left <= 0)
		complain(errors, "non_field_errors", "Proposal %s does not have any %s time left allocated in semester %s on %s", ask->proposal, ask->type, semester, ask->instrument);
	else if (left * 1.1 < need)
		complain(errors, "non_field_errors", "Proposal %s does not have enough %s time allocated in semester %s", ask->proposal, ask->type, semester);
	if (json_object_size(errors) > 0 || strcmp(ask->type, "NORMAL") != 0 || ask->ipp <= 1)
		return;
	double ipp_left = portal_hours_left(p, proposal, "ipp"), most = fmin(floor((ipp_left / need + 1) * 1000) / 1000, 2.0);
	if (ask->ipp > most)
		complain(errors, "non_field_errors", "TimeAllocationError(\"An IPP Value of %.4g requires more IPP time than you have available for '%s' Observation with "
			 "the %s . Please lower your IPP Value to <= %.3f and submit again.\")", ask->ipp, ask->type, ask->instrument, most);
}

static void check_group(const struct sim_portal *p, const json_t *body, const char *user, const struct portal_ask *ask, json_t *errors)
{
	const json_t *proposal = portal_proposal(p, ask->proposal, user);
	if (strcmp(json_text(body, "operator", ""), "SINGLE") != 0 || json_array_size(json_object_get(body, "requests")) != 1)
		complain(errors, "non_field_errors", json_array_size(json_object_get(body, "requests")) == 1 ? "'Many' type requestgroups must have more than one child request."
			 : "'Single' type requestgroups must have exactly one child request.");
	else if (proposal == NULL)
		complain(errors, "non_field_errors", "You do not belong to the proposal you are trying to submit");
	else if (!json_flag(proposal, "active", true))
		complain(errors, "non_field_errors", "The proposal you are trying to submit with is currently inactive");
	else if (ask->ipp < 0.5 || ask->ipp > 2.0)
		complain(errors, "non_field_errors", "requestgroups ipp_value must be >= 0.5, <= 2.0");
	else if (strcmp(ask->type, "RAPID_RESPONSE") == 0)
		check_rapid(p, ask, errors);
	if (json_object_size(errors) == 0)
		check_time(p, proposal, ask, errors);
}

void portal_check(const struct sim_portal *p, const json_t *body, const char *user, struct portal_ask *ask, json_t *errors)
{
	*ask = (struct portal_ask){.start_us = p->now_us + p->offset_us};
	if (!json_is_object(body)) {
		complain(errors, "non_field_errors", "Invalid data. Expected a dictionary, but got %s.", json_is_array(body) ? "list" : "str");
		return;
	}
	check_fields(body, ask, errors);
	if (ask->proposal[0] != '\0' && portal_proposal(p, ask->proposal, NULL) == NULL)
		complain(errors, "proposal", "Invalid pk \"%s\" - object does not exist.", ask->proposal);
	if (ask->type[0] != '\0' && strcmp(ask->type, "NORMAL") != 0 && strcmp(ask->type, "RAPID_RESPONSE") != 0 && strcmp(ask->type, "TIME_CRITICAL") != 0)
		complain(errors, "observation_type", "\"%s\" is not a valid choice.", ask->type);
	if (json_object_size(errors) == 0)
		check_window(p, ask, errors);
	if (json_object_size(errors) == 0)
		check_configuration(p, json_array_get(json_object_get(body, "requests"), 0), ask, errors);
	if (json_object_size(errors) == 0)
		check_visible(p, ask, errors);
	if (json_object_size(errors) == 0)
		check_group(p, body, user, ask, errors);
}

/* The body of a submission: one SINGLE request group for one target, the token in its name and in the request's extra_params. */
#include "facilities/ocs.h"
#include "engine/base/json.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_BYTES = 50 /* portal: name of a group, name of a target */, TEMPLATE_DEPTH = 6 };

const json_t *ocs_instrument(const json_t *descriptor, const char *code)
{
	const json_t *list = json_object_get(descriptor, "instruments"), *entry;
	size_t i;
	json_array_foreach(list, i, entry) {
		if (strcmp(json_text(entry, "code", ""), code) == 0)
			return entry;
	}
	return NULL;
}

static json_t *body_target(const struct facility_request *q)
{
	char name[NAME_MAX_BYTES + 1];
	size_t len = strlen(q->target_name);
	text_escape(name, sizeof name, q->target_name, len);
	return json_pack("{s:s, s:s, s:f, s:f, s:f, s:i, s:i, s:i}", "type", "ICRS", "name", name, "ra", q->ra_deg,
			 "dec", q->dec_deg, "epoch", 2000.0, "proper_motion_ra", 0, "proper_motion_dec", 0, "parallax", 0);
}

/* A part of the descriptor as a fresh copy, with the texts "$filter" and "$exposure_s" replaced by what the request says. */
static json_t *filled(const json_t *from, const struct facility_request *q, const char *filter, int depth)
{
	const char *text = json_string_value(from);
	if (text != NULL && strcmp(text, "$filter") == 0)
		return json_string(filter);
	if (text != NULL && strcmp(text, "$exposure_s") == 0)
		return json_real(q->exposure_s);
	if (depth >= TEMPLATE_DEPTH || !(json_is_object(from) || json_is_array(from)))
		return json_deep_copy(from);
	json_t *out = json_is_object(from) ? json_object() : json_array();
	for (size_t i = 0; i < json_array_size(from); i++)
		json_array_append_new(out, filled(json_array_get(from, i), q, filter, depth + 1));
	for (void *at = json_object_iter((json_t *)from); json_is_object(from) && at != NULL; at = json_object_iter_next((json_t *)from, at))
		json_object_set_new(out, json_object_iter_key(at), filled(json_object_iter_value(at), q, filter, depth + 1));
	return out;
}

/* One series of exposures: what the descriptor says of the instrument ("exposure"), else a filter and nothing more. */
static json_t *body_exposure(const struct facility_request *q, const json_t *instrument, const char *filter)
{
	const json_t *model = json_object_get(instrument, "exposure");
	json_t *one = json_is_object(model) ? filled(model, q, filter, 0) : json_pack("{s:{s:s}}", "optical_elements", "filter", filter);
	json_object_set_new(one, "exposure_time", json_real(q->exposure_s));
	json_object_set_new(one, "exposure_count", json_integer(q->count));
	if (json_object_get(one, "mode") == NULL)
		json_object_set_new(one, "mode", json_string(json_text(instrument, "mode", "")));
	return one;
}

/* Several filters are several instrument_configs of one configuration: one acquisition, one slew. A camera that takes all at once has one. */
static json_t *body_exposures(const struct facility_request *q, const json_t *instrument)
{
	json_t *list = json_array();
	const json_t *filter;
	size_t i;
	json_array_foreach(q->filters, i, filter) {
		json_array_append_new(list, body_exposure(q, instrument, json_is_string(filter) ? json_string_value(filter) : ""));
		if (json_flag(instrument, "simultaneous", false))
			break;
	}
	return list;
}

static json_t *body_constraints(const struct facility_request *q)
{
	json_t *limits = json_object();
	if (isfinite(q->max_airmass) && q->max_airmass >= 1)
		json_object_set_new(limits, "max_airmass", json_real(q->max_airmass));
	if (isfinite(q->min_moon_deg))
		json_object_set_new(limits, "min_lunar_distance", json_real(q->min_moon_deg));
	return limits;
}

/* A RAPID_RESPONSE start even one second ahead of the portal's clock is refused: left out, it becomes the portal's now; the end must
 * lie within 24 h. */
static json_t *body_window(const struct facility_request *q, const struct view *v)
{
	char start[32], end[32];
	bool rapid = strcmp(q->mode, "RAPID_RESPONSE") == 0;
	int64_t end_us = rapid && q->end_us > v->now_us + UTC_DAY ? v->now_us + UTC_DAY : q->end_us;
	int64_t semester_us = json_int(json_object_get(v->facility_memo, "semester"), "end_us", INT64_MAX);
	if (q->start_us < semester_us && v->now_us < semester_us && end_us > semester_us)
		end_us = semester_us; /* a window must lie within one semester: what is left of it in the next is another request's */
	json_t *window = json_pack("{s:s}", "end", utc_format_s(end, end_us));
	if (!rapid)
		json_object_set_new(window, "start", json_string(utc_format_s(start, q->start_us)));
	return window;
}

static double body_ipp(const struct facility_request *q)
{
	if (strcmp(q->mode, "NORMAL") != 0 || !isfinite(q->ipp) || q->ipp <= 0)
		return 1.0;
	return fmin(fmax(q->ipp, 0.5), 2.0);
}

static int body_check(const struct facility_request *q, const json_t *instrument, struct err *e)
{
	if (q == NULL || q->token == NULL || q->token[0] == '\0' || strlen(q->token) > NAME_MAX_BYTES)
		return err_set(e, ERR_INPUT, "request without a token of at most %d characters", NAME_MAX_BYTES);
	if (instrument == NULL)
		return err_set(e, ERR_INPUT, "request %s: instrument \"%s\" is not in the facility's descriptor", q->token, q->instrument);
	if (json_array_size(q->filters) == 0 || q->count < 1 || !isfinite(q->exposure_s) || q->exposure_s < 0)
		return err_set(e, ERR_INPUT, "request %s: at least one filter, one exposure and a finite exposure time are needed", q->token);
	if (!isfinite(q->ra_deg) || !isfinite(q->dec_deg) || q->start_us == UTC_NONE || q->end_us <= q->start_us)
		return err_set(e, ERR_INPUT, "request %s: position or window is not valid", q->token);
	return 0;
}

/* What is the instrument's own (type, acquisition, guiding, extra_params: "configuration" of the descriptor), and what is asked of it. */
static json_t *body_configuration(const struct facility_request *q, const json_t *instrument)
{
	const json_t *own = json_object_get(instrument, "configuration");
	json_t *all = json_pack("{s:s, s:{}, s:{}}", "type", "EXPOSE", "acquisition_config", "guiding_config");
	if (json_is_object(own)) {
		json_t *copy = filled(own, q, "", 0);
		json_object_update(all, copy);
		json_decref(copy);
	}
	json_object_set_new(all, "instrument_type", json_string(q->instrument));
	json_object_set_new(all, "target", body_target(q));
	json_object_set_new(all, "constraints", body_constraints(q));
	json_object_set_new(all, "instrument_configs", body_exposures(q, instrument));
	return all;
}

int ocs_body(const struct facility_conf *conf, const struct view *v, char **out, size_t *len, struct err *e)
{
	const struct facility_request *q = v->request;
	const json_t *instrument = q == NULL ? NULL : ocs_instrument(conf->descriptor, q->instrument);
	if (body_check(q, instrument, e) < 0)
		return -1;
	json_t *location = json_pack("{s:s}", "telescope_class", json_text(instrument, "telescope_class", "1m0"));
	if (q->site[0] != '\0' && json_array_size(json_object_get(conf->descriptor, "sites")) > 1) /* else its instruments stand nowhere else */
		json_object_set_new(location, "site", json_string(q->site));
	json_t *body = json_pack("{s:s, s:s, s:f, s:s, s:s, s:[{s:{s:s}, s:[o], s:[o], s:o}]}",
		"name", q->token, "proposal", q->proposal, "ipp_value", body_ipp(q), "operator", "SINGLE", "observation_type", q->mode,
		"requests", "extra_params", "slew_token", q->token, "configurations", body_configuration(q, instrument),
		"windows", body_window(q, v),
		"location", location);
	*out = body == NULL ? NULL : json_canonical(body);
	json_decref(body);
	if (*out == NULL)
		return err_set(e, ERR_MEMORY, "request %s: no memory for its body, or text that is not UTF-8", q->token);
	*len = strlen(*out);
	return 0;
}

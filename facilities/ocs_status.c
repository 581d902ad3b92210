/* Is the portal there, is the token good, which telescopes are open; and which frames the archive has. */
#include "facilities/ocs.h"
#include "engine/base/json.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROPOSALS_MAX = 12 };

/* Adds to what other rows had; what nobody knows stays null. */
static void add(json_t *hours, const char *key, double value)
{
	json_object_set_new(hours, key, json_real_or_null(value + json_number(hours, key, 0)));
}

static void left(json_t *hours, const char *mode, const json_t *row, const char *key)
{
	char allocation[40], used[40];
	snprintf(allocation, sizeof allocation, "%s_allocation", key);
	snprintf(used, sizeof used, "%s_time_used", key);
	add(hours, mode, json_number(row, allocation, NAN) - json_number(row, used, 0));
}

static bool row_of_instrument(const json_t *row, const json_t *descriptor)
{
	const json_t *types = json_object_get(row, "instrument_types"), *one;
	size_t i;
	json_array_foreach(types, i, one) {
		if (json_is_string(one) && ocs_instrument(descriptor, json_string_value(one)) != NULL)
			return true;
	}
	return false;
}

/* {"PROPOSAL":{"NORMAL":h,…,"ipp":h}} for the instruments that the descriptor uses. */
static json_t *hours_left(const json_t *profile, const json_t *descriptor)
{
	json_t *all = json_object();
	const json_t *list = json_object_get(profile, "proposals"), *proposal, *row;
	size_t i, k;
	json_array_foreach(list, i, proposal) {
		json_array_foreach(json_object_get(proposal, "time_allocations"), k, row) {
			const char *id = json_text(proposal, "id", "?");
			json_t *hours = json_object_get(all, id); /* of another instrument: a pool of its own */
			if (!row_of_instrument(row, descriptor) || (hours == NULL && json_object_size(all) >= PROPOSALS_MAX))
				continue;
			if (hours == NULL)
				json_object_set_new(all, id, hours = json_object());
			left(hours, "NORMAL", row, "std");
			left(hours, "TIME_CRITICAL", row, "tc");
			left(hours, "RAPID_RESPONSE", row, "rr");
			add(hours, "ipp", json_number(row, "ipp_time_available", NAN));
		}
	}
	return all;
}

static void status_profile(const struct ocs_reading *r)
{
	int status = r->reply->sent == SENT_ANSWERED ? r->reply->status : 0;
	if (status != 200 || !json_is_object(r->json)) {
		struct answer *a = ocs_trouble(r);
		if (a != NULL && (status == 401 || status == 403))
			a->kind = ANSWER_CLOSED; /* nothing can be asked with this token */
		return;
	}
	json_t *memo = ocs_facility_memo(r);
	json_object_set_new(memo, "status", json_pack("{s:s, s:o}", "user", json_text(r->json, "username", ""), "proposals",
						      hours_left(r->json, r->conf->descriptor)));
	if (json_flag(r->json, "is_staff", false))
		json_object_set_new(json_object_get(memo, "status"), "staff", json_true());
	r->out->facility_memo = memo;
	r->out->next_step = 1;
}

/* What comes after step `done`: the semester when it is not known or over, the downtimes where there is a service, then the telescopes. */
static int calendar_step(const struct ocs_reading *r, const json_t *memo, int done)
{
	const char *service = json_text(json_object_get(r->conf->descriptor, "urls"), "downtime", "");
	if (done == 1 && json_int(json_object_get(memo, "semester"), "end_us", 0) <= r->v->now_us)
		return OCS_STEP_SEMESTER;
	return service[0] != '\0' ? OCS_STEP_DOWNTIME : 2;
}

static void status_instruments(const struct ocs_reading *r)
{
	const json_t *list = json_object_get(r->conf->descriptor, "instruments"), *one;
	size_t i;
	if (r->reply->sent != SENT_ANSWERED || r->reply->status != 200 || !json_is_object(r->json)) {
		ocs_trouble(r);
		return;
	}
	json_t *memo = ocs_facility_memo(r), *status = json_object_get(memo, "status"), *there = json_array();
	if (!json_is_object(status)) {
		status = json_object();
		json_object_set_new(memo, "status", status);
	}
	json_array_foreach(list, i, one) {
		const char *code = json_text(one, "code", "?");
		if (json_object_get(r->json, code) != NULL)
			json_array_append_new(there, json_string(code));
	}
	json_object_set_new(status, "instruments", there);
	json_t *off = ocs_not_offered(r->conf->descriptor, r->json);
	if (json_array_size(off) > 0)
		json_object_set(status, "off", off);
	json_decref(off);
	r->out->next_step = calendar_step(r, memo, 1);
	r->out->facility_memo = memo;
}

/* Both are a courtesy: without them the portal's own refusals tell. */
static void status_semester(const struct ocs_reading *r)
{
	const json_t *row = json_array_get(json_object_get(r->json, "results"), 0);
	int64_t start_us = ocs_time(row, "start"), end_us = ocs_time(row, "end");
	json_t *memo = ocs_facility_memo(r);
	if (r->reply->sent == SENT_ANSWERED && r->reply->status == 200 && start_us != UTC_NONE && end_us > r->v->now_us && start_us <= r->v->now_us)
		json_object_set_new(memo, "semester", json_pack("{s:s%, s:I}", "id", json_text(row, "id", ""), strnlen(json_text(row, "id", ""), 20), "end_us",
								(json_int_t)end_us));
	r->out->next_step = calendar_step(r, memo, OCS_STEP_SEMESTER);
	r->out->facility_memo = memo;
}

static void status_downtime(const struct ocs_reading *r)
{
	json_t *memo = ocs_facility_memo(r), *status = json_object_get(memo, "status");
	if (r->reply->sent == SENT_ANSWERED && r->reply->status == 200 && json_is_object(status)) {
		json_t *downtimes = ocs_downtimes(r->conf->descriptor, r->json, r->v->now_us);
		if (json_array_size(downtimes) > 0)
			json_object_set(status, "downtimes", downtimes);
		json_decref(downtimes);
	}
	r->out->next_step = 2;
	r->out->facility_memo = memo;
}

/* "open" when one telescope of the site is AVAILABLE, "closed" when all that are known are not, else "unknown". Daytime closes nothing; a
 * downtime does, whatever the weather. */
static const char *site_state(const json_t *site, const json_t *states, const json_t *downtimes, int64_t now_us, const char **why)
{
	const json_t *list = json_object_get(site, "telescopes"), *one;
	bool known = false;
	size_t i;
	*why = "";
	json_array_foreach(list, i, one) {
		char key[80];
		snprintf(key, sizeof key, "%s.%s", json_text(site, "code", "?"), json_is_string(one) ? json_string_value(one) : "?");
		const json_t *row = json_array_get(json_object_get(states, key), 0);
		const char *type = json_text(row, "event_type", NULL), *down = ocs_down_now(downtimes, key, now_us);
		if (type == NULL && down == NULL)
			continue;
		known = true;
		if (down != NULL) {
			*why = down;
			continue;
		}
		if (strcmp(type, "AVAILABLE") == 0)
			return "open";
		*why = json_text(row, "event_reason", type);
	}
	return known ? "closed" : "unknown";
}

static json_t *sites_of(const struct ocs_reading *r, size_t *closed, size_t *all, char *why, size_t size)
{
	json_t *sites = json_object();
	const json_t *list = json_object_get(r->conf->descriptor, "sites"), *site;
	const json_t *downtimes = json_object_get(json_object_get(r->v->facility_memo, "status"), "downtimes");
	size_t i;
	*closed = *all = 0;
	json_array_foreach(list, i, site) {
		const char *reason;
		if (json_array_size(json_object_get(site, "telescopes")) == 0)
			continue;
		const char *state = site_state(site, r->json, downtimes, r->v->now_us, &reason);
		json_object_set_new(sites, json_text(site, "code", "?"), json_string(state));
		++*all;
		if (strcmp(state, "closed") == 0) {
			++*closed;
			text_escape(why, size, reason, strlen(reason));
		}
	}
	return sites;
}

/* A store of telescope states that is down (502) says nothing about the telescopes. */
static void status_telescopes(const struct ocs_reading *r)
{
	json_t *memo = ocs_facility_memo(r), *status = json_incref(json_object_get(memo, "status"));
	char why[200] = "";
	size_t closed, all;
	if (r->reply->sent == SENT_ANSWERED && r->reply->status == 429) {
		json_decref(memo);
		json_decref(status);
		ocs_trouble(r);
		return;
	}
	if (!json_is_object(status)) {
		json_decref(status);
		status = json_object();
	}
	json_t *sites = sites_of(r, &closed, &all, why, sizeof why);
	bool staff = json_flag(status, "staff", false), no_instrument = json_is_array(json_object_get(status, "instruments")) && json_array_size(json_object_get(status, "instruments")) == 0;
	struct answer *a = answers_add(r->out, no_instrument || (all > 0 && closed == all) ? ANSWER_CLOSED : ANSWER_OPEN);
	json_object_set_new(status, "sites", sites);
	json_object_set_new(status, "until", json_null());
	if (a != NULL) {
		a->detail = json_incref(status);
		if (no_instrument)
			snprintf(a->words, sizeof a->words, "none of the descriptor's instruments can be scheduled now");
		else if (closed > 0)
			snprintf(a->words, sizeof a->words, "%zu of %zu sites closed: %s", closed, all, why);
		else if (staff)
			snprintf(a->words, sizeof a->words, "this is a staff member's token, which can change what others asked: use one of a plain member of the proposal");
	}
	json_decref(status);
	json_object_del(memo, "status");
	r->out->facility_memo = memo;
	r->out->complete = true;
}

void ocs_read_status(const struct ocs_reading *r)
{
	if (r->v->step == 0)
		status_profile(r);
	else if (r->v->step == 1)
		status_instruments(r);
	else if (r->v->step == OCS_STEP_SEMESTER)
		status_semester(r);
	else if (r->v->step == OCS_STEP_DOWNTIME)
		status_downtime(r);
	else
		status_telescopes(r);
}

/* Presigned: what stands behind '?' is a key that ends in two days, and is not kept. */
static json_t *frame_product(const json_t *frame)
{
	const char *basename = json_text(frame, "basename", ""), *url = json_text(frame, "url", "");
	char site[32];
	size_t bare = strcspn(url, "?#");
	if (!text_printable(basename, strlen(basename), 200) || !text_printable(url, strlen(url), 4000))
		return NULL;
	text_escape(site, sizeof site, json_text(frame, "site_id", ""), strlen(json_text(frame, "site_id", "")));
	char id[64], level[24];
	const char *version = json_text(json_array_get(json_object_get(frame, "version_set"), 0), "md5", NULL); /* newest first */
	snprintf(level, sizeof level, "%lld", (long long)json_int(frame, "reduction_level", -1));
	json_t *product = json_pack("{s:s, s:s, s:s%, s:s, s:s, s:s?}", "basename", basename, "level", level, "url", url, bare, "site", site,
				    "filter", json_text(frame, "primary_optical_element", ""), "version", version);
	ocs_id(json_object_get(frame, "observation_id"), id, sizeof id);
	int64_t start_us = ocs_time(frame, "observation_date");
	json_object_set_new(product, "observation_id", json_string(id));
	json_object_set_new(product, "exposure_s", json_real_or_null(json_number(frame, "exposure_time", NAN)));
	json_object_set_new(product, "start_us", start_us == UTC_NONE ? json_null() : json_integer(start_us));
	return product;
}

void ocs_read_data(const struct ocs_reading *r)
{
	const json_t *rows = json_object_get(r->json, "results"), *frame, *link = json_object_get(r->json, "next");
	size_t i;
	if (ocs_page_rows(r) == NULL) {
		ocs_trouble(r);
		return;
	}
	struct answer *a = answers_add(r->out, ANSWER_FRAMES);
	if (a == NULL)
		return;
	if (r->v->request != NULL)
		text_copy(a->token, sizeof a->token, r->v->request->token);
	a->detail = json_array();
	json_array_foreach(rows, i, frame) {
		json_t *product = frame_product(frame);
		if (product != NULL)
			json_array_append_new(a->detail, product);
	}
	if (link != NULL && !json_is_null(link) && r->v->step + 1 < LIMIT_PAGES)
		r->out->next_step = r->v->step + 1;
	else
		r->out->complete = true;
}

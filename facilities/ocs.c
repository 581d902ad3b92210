/* The OCS adapter: Observation Portals of Las Cumbres, SOAR, Blanco, SAAO. Renders calls; ocs_read.c reads the replies. */
#include "facilities/ocs.h"
#include "engine/base/json.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GROUPS_A_PAGE = 100, ROWS_A_PAGE = 200, FRAMES_A_PAGE = 1000 /* the archive's most */, QUERY_MAX = 2048 };
#define FEED_OVERLAP_US UTC_MINUTE         /* a row may be committed later than its stamp says */
#define FEED_FIRST_US (2 * UTC_DAY)        /* without a cursor: observations changed since then */

static void call_begin(struct call *out, const char *url, const char *method, const char *path)
{
	text_copy(out->url, sizeof out->url, url);
	text_copy(out->method, sizeof out->method, method);
	text_copy(out->path, sizeof out->path, path);
	if (strcmp(method, "POST") == 0)
		text_copy(out->content_type, sizeof out->content_type, "application/json");
}

static int call_query(struct call *out, struct text *query, struct err *e)
{
	if (query->failed) {
		text_free(query);
		return err_set(e, ERR_LIMIT, "query of %s is over %d bytes", out->path, QUERY_MAX);
	}
	out->query = query->data; /* given */
	return 0;
}

static int call_query_copy(struct call *out, const char *query, struct err *e)
{
	struct text t = {.max = QUERY_MAX};
	text_puts(&t, query);
	return call_query(out, &t, e);
}

static bool id_plain(const char *id)
{
	return id[0] != '\0' && strlen(id) < 24 && strspn(id, "0123456789") == strlen(id);
}

/* The portal's id of the group, or of its request, which stand in paths and so must be digits. */
static int request_id(const struct view *v, const char **remote_id, char child[32], struct err *e)
{
	*remote_id = v->request != NULL && v->request->remote_id != NULL ? v->request->remote_id : "";
	text_copy(child, 32, json_text(v->memo, "request_id", ""));
	if (!id_plain(*remote_id))
		return err_set(e, ERR_INPUT, "request %s: the portal's number is not known (\"%s\"); look for it first",
			       v->request != NULL ? v->request->token : "-", *remote_id);
	return 0;
}

static int ocs_offer(const struct facility_conf *conf, const struct view *v, struct call *out, struct err *e)
{
	if (v->request->region != NULL && v->request->region[0] != '\0')
		return err_set(e, ERR_INPUT, "%s is asked for positions, not for a region; give the policy targets.from galaxies or fields", conf->name);
	if (v->step == 0)
		call_begin(out, "portal", "POST", "/api/requestgroups/validate/");
	else if (v->step == 1)
		call_begin(out, "portal", "POST", "/api/requestgroups/max_allowable_ipp/");
	else
		return 1;
	return ocs_body(conf, v, &out->body, &out->body_len, e);
}

static int ocs_submit(const struct facility_conf *conf, const struct view *v, struct call *out, struct err *e)
{
	if (v->step != 0)
		return 1;
	call_begin(out, "portal", "POST", "/api/requestgroups/");
	out->once = true;
	return ocs_body(conf, v, &out->body, &out->body_len, e);
}

/* Every group with a name of ours. Pages go by falling id: what is new meanwhile shifts rows onto later pages, never out. */
static int sweep_render(const struct view *v, struct call *out, struct err *e)
{
	char stamp[32];
	call_begin(out, "portal", "GET", "/api/requestgroups/");
	const char *next = json_text(json_object_get(v->facility_memo, "sweep"), "next", "");
	if (v->step > 0 && next[0] != '\0')
		return call_query_copy(out, next, e);
	struct text query = {.max = QUERY_MAX};
	text_puts(&query, "name=");
	text_url(&query, v->prefix != NULL ? v->prefix : "slew-");
	if (v->since_us != UTC_NONE) {
		text_puts(&query, "&created_after=");
		text_url(&query, utc_format_s(stamp, v->since_us));
	}
	text_printf(&query, "&limit=%d", ROWS_A_PAGE);
	if (v->step > 0)
		text_printf(&query, "&offset=%d", v->step * ROWS_A_PAGE);
	return call_query(out, &query, e);
}

/* name= is a substring match on the portal: names are compared exactly when the page is read. */
static int ocs_find(const struct facility_conf *conf, const struct view *v, struct call *out, struct err *e)
{
	(void)conf;
	if (v->step == OCS_STEP_PROFILE) {
		call_begin(out, "portal", "GET", "/api/profile/");
		return 0;
	}
	if (v->step < 0 || v->step >= LIMIT_PAGES)
		return 1;
	if (v->request == NULL)
		return sweep_render(v, out, e);
	call_begin(out, "portal", "GET", "/api/requestgroups/");
	const char *next = json_text(v->memo, "next", "");
	if (v->step > 0 && next[0] != '\0')
		return call_query_copy(out, next, e);
	struct text query = {.max = QUERY_MAX};
	text_puts(&query, "name=");
	text_url(&query, v->request->token);
	text_puts(&query, "&proposal=");
	text_url(&query, v->request->proposal);
	text_printf(&query, "&limit=%d", GROUPS_A_PAGE);
	if (v->step > 0)
		text_printf(&query, "&offset=%d", v->step * GROUPS_A_PAGE);
	return call_query(out, &query, e);
}

static void query_since(struct text *query, int64_t since_us)
{
	char stamp[32];
	if (since_us == UTC_NONE)
		return;
	text_puts(query, "&modified_after=");
	text_url(query, utc_format_s(stamp, since_us));
}

/* A feed has three parts: what runs now (step 0), groups that changed (1 …), observations that changed (100 …): scheduling an observation
 * does not touch its group. Pages go by falling id, which nothing that happens meanwhile can shift a row out of. */
static int feed_render(const struct view *v, struct call *out, struct err *e)
{
	bool rows = v->step >= OCS_STEP_OBSERVATIONS;
	int page = rows ? v->step - OCS_STEP_OBSERVATIONS : v->step - 1;
	if (v->step < 0 || page >= LIMIT_PAGES)
		return 1;
	call_begin(out, "portal", "GET", rows || v->step == 0 ? "/api/observations/" : "/api/requestgroups/");
	const json_t *pass = json_object_get(v->facility_memo, "pass");
	const char *next = json_text(pass, "next", "");
	if (page > 0 && next[0] != '\0')
		return call_query_copy(out, next, e);
	struct text query = {.max = QUERY_MAX};
	text_printf(&query, "limit=%d", ROWS_A_PAGE);
	if (v->step == 0) {
		text_puts(&query, "&state=IN_PROGRESS");
	} else if (rows) {
		int64_t since_us = json_int(v->facility_memo, "observations_us", v->now_us - FEED_FIRST_US);
		query_since(&query, since_us - FEED_OVERLAP_US);
	} else {
		int64_t since_us = json_int(v->facility_memo, "groups_us", UTC_NONE);
		text_puts(&query, "&name=");
		text_url(&query, v->prefix != NULL ? v->prefix : "slew-");
		query_since(&query, since_us == UTC_NONE ? UTC_NONE : since_us - FEED_OVERLAP_US);
	}
	if (page > 0)
		text_printf(&query, "&offset=%d", page * ROWS_A_PAGE);
	return call_query(out, &query, e);
}

/* The group (step 0), then its request's observations (step 1). */
static int group_render(const struct view *v, int step, struct call *out, struct err *e)
{
	const char *remote_id;
	char child[32], path[128];
	if (step > 1)
		return 1;
	if (request_id(v, &remote_id, child, e) < 0)
		return -1;
	if (step == 0) {
		snprintf(path, sizeof path, "/api/requestgroups/%s/", remote_id);
		call_begin(out, "portal", "GET", path);
		return 0;
	}
	if (!id_plain(child))
		return err_set(e, ERR_INPUT, "request %s: the number of its child is not known", v->request->token);
	snprintf(path, sizeof path, "/api/requests/%s/observations/", child);
	call_begin(out, "portal", "GET", path);
	return call_query_copy(out, "exclude_canceled=1", e);
}

static int ocs_poll(const struct facility_conf *conf, const struct view *v, struct call *out, struct err *e)
{
	(void)conf;
	return v->request == NULL ? feed_render(v, out, e) : group_render(v, v->step, out, e);
}

/* The portal's 200 has stale children, and a running observation is not stopped: so ask again before "cancelled" is believed. */
static int ocs_cancel(const struct facility_conf *conf, const struct view *v, struct call *out, struct err *e)
{
	(void)conf;
	const char *remote_id;
	char child[32], path[128];
	if (v->step > 0)
		return group_render(v, v->step - 1, out, e);
	if (request_id(v, &remote_id, child, e) < 0)
		return -1;
	snprintf(path, sizeof path, "/api/requestgroups/%s/cancel/", remote_id);
	call_begin(out, "portal", "POST", path);
	return 0;
}

/* Which semester it is, and what is closed from now on. */
static int status_calendar(const struct view *v, struct call *out, struct err *e)
{
	char stamp[32];
	struct text query = {.max = QUERY_MAX};
	utc_format_s(stamp, v->now_us);
	if (v->step == OCS_STEP_SEMESTER) {
		call_begin(out, "portal", "GET", "/api/semesters/");
		text_printf(&query, "semester_contains=%.10s", stamp);
	} else {
		call_begin(out, "downtime", "GET", "/api/");
		text_puts(&query, "ends_after=");
		text_url(&query, stamp);
		text_puts(&query, "&starts_before=");
		text_url(&query, utc_format_s(stamp, v->now_us + UTC_DAY));
		text_printf(&query, "&limit=%d", ROWS_A_PAGE);
	}
	return call_query(out, &query, e);
}

static int ocs_status(const struct facility_conf *conf, const struct view *v, struct call *out, struct err *e)
{
	(void)conf;
	if (v->step == OCS_STEP_SEMESTER || v->step == OCS_STEP_DOWNTIME)
		return status_calendar(v, out, e);
	if (v->step == 0) {
		call_begin(out, "portal", "GET", "/api/profile/");
		return call_query_copy(out, "include_current_time_allocations=true", e);
	}
	if (v->step > 2)
		return 1;
	call_begin(out, "portal", "GET", v->step == 1 ? "/api/instruments/" : "/api/telescope_states/");
	return 0;
}

static int ocs_data(const struct facility_conf *conf, const struct view *v, struct call *out, struct err *e)
{
	const json_t *urls = json_object_get(conf->descriptor, "urls");
	const char *child = json_text(v->memo, "request_id", ""), *remote_id = v->request ? v->request->remote_id : NULL;
	if (v->request == NULL || v->step < 0 || v->step >= LIMIT_PAGES ||
	    (urls != NULL && json_text(urls, "archive", "")[0] == '\0'))
		return 1;
	if (child[0] == '\0' && v->step == 0 && remote_id != NULL && id_plain(remote_id)) { /* its submit's answer was lost, and a feed showed it */
		call_begin(out, "portal", "GET", "");
		snprintf(out->path, sizeof out->path, "/api/requestgroups/%s/", remote_id);
		return 0;
	}
	if (!id_plain(child))
		return err_set(e, ERR_INPUT, "request %s: the number under which the archive files it is not known; poll it first",
			       v->request->token);
	call_begin(out, "archive", "GET", "/frames/");
	struct text query = {.max = QUERY_MAX};
	text_printf(&query, "request_id=%s&include_related_frames=false&limit=%d", child, FRAMES_A_PAGE);
	if (v->step > 0)
		text_printf(&query, "&offset=%d", v->step * FRAMES_A_PAGE);
	return call_query(out, &query, e);
}

const struct facility_ops facility_ocs = {
	.abi = FACILITY_ABI, .name = "ocs",
	.offer = ocs_offer, .submit = ocs_submit, .find = ocs_find, .poll = ocs_poll, .cancel = ocs_cancel,
	.status = ocs_status, .data = ocs_data, .read = ocs_read,
};

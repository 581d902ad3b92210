/* The OCS adapter against a real Observation Portal: `ocs_real BASE USER_TOKEN STAFF_TOKEN RIVAL_TOKEN PROPOSAL`, run by portal.sh.
 * libcurl carries what the adapter renders; the staff token plays scheduler and telescope. Prints TAP. */
#include "embedded.h"
#include "engine/base/json.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include "facilities/facility.h"
#include "sim/portal.h"
#include <curl/curl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct peer {
	const char *base, *user, *staff, *rival, *proposal;
	struct facility_conf conf;
	json_t *facility_memo, *filters;
	char prefix[16];
	struct facility_request q;
	json_t *memo;
	struct answers a;
	int tests, bad, serial;
};

static int64_t now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * UTC_SECOND + t.tv_nsec / 1000;
}

__attribute__((format(printf, 3, 4))) static void tell(struct peer *p, bool good, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	printf("%sok %d - ", good ? "" : "not ", ++p->tests);
	vprintf(format, args);
	printf("\n");
	va_end(args);
	p->bad += !good;
	for (size_t i = 0; !good && i < p->a.count; i++)
		printf("#   %s %s %s %s: %s\n", answer_name(p->a.list[i].kind), p->a.list[i].remote_id, p->a.list[i].stem, p->a.list[i].field, p->a.list[i].words);
	fflush(stdout);
}

/* HTTP ------------------------------------------------------------------------------------------------------------------------------ */

static size_t keep(char *bytes, size_t size, size_t count, void *to)
{
	text_add(to, bytes, size * count);
	return ((struct text *)to)->failed ? 0 : size * count;
}

/* What a transfer brings, as long as its reply is used. */
struct wire {
	struct text body;
	char type[128];
};

/* One transfer as engine/io makes it: no redirects, fresh connection. timeout_ms: 0 = 30 s. */
static struct reply http(struct peer *p, const struct call *c, const char *token, long timeout_ms, struct wire *wire)
{
	struct reply r = {.sent = SENT_NO, .content_type = wire->type, .transport = "", .retry_after_s = -1};
	CURL *curl = curl_easy_init();
	struct curl_slist *headers = NULL;
	char url[3000], line[200], *type = NULL;
	long status = 0, sent = 0;
	snprintf(url, sizeof url, "%s%s%s%s", p->base, c->path, c->query != NULL ? "?" : "", c->query != NULL ? c->query : "");
	if (token != NULL) {
		snprintf(line, sizeof line, "Authorization: Token %s", token);
		headers = curl_slist_append(headers, line);
	}
	if (c->content_type[0] != '\0') {
		snprintf(line, sizeof line, "Content-Type: %s", c->content_type);
		headers = curl_slist_append(headers, line);
	}
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, timeout_ms > 0 ? timeout_ms : 30000L);
	curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &wire->body);
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, c->method);
	if (strcmp(c->method, "GET") != 0) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, c->body != NULL ? c->body : "");
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)c->body_len);
	}
	CURLcode rc = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(curl, CURLINFO_REQUEST_SIZE, &sent);
	curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
	text_copy(wire->type, sizeof wire->type, type != NULL ? type : "");
	r.sent = rc == CURLE_OK ? SENT_ANSWERED : sent > 0 ? SENT_MAYBE : SENT_NO;
	r.transport = rc == CURLE_OK ? "" : curl_easy_strerror(rc);
	r.status = rc == CURLE_OK ? (int)status : 0;
	r.body = wire->body.data != NULL ? wire->body.data : "";
	r.len = wire->body.len;
	curl_slist_free_all(headers);
	curl_easy_cleanup(curl);
	return r;
}

/* The staff's own call, or any other that the adapter does not make. New reference or NULL. */
static json_t *plain(struct peer *p, const char *method, const char *path, const char *token, json_t *body)
{
	struct call c = {0};
	struct wire wire = {.body.max = LIMIT_REPLY_BYTES};
	struct err e = {0};
	text_copy(c.method, sizeof c.method, method);
	text_copy(c.path, sizeof c.path, path);
	if (body != NULL) {
		text_copy(c.content_type, sizeof c.content_type, "application/json");
		c.body = json_dumps(body, JSON_COMPACT);
		c.body_len = strlen(c.body);
	}
	struct reply r = http(p, &c, token, 0, &wire);
	json_t *out = r.sent == SENT_ANSWERED ? json_read(r.body, r.len, &json_limits_reply, &e) : NULL;
	if (r.status >= 400)
		printf("# %s %s: %d %.200s\n", method, path, r.status, r.body);
	call_free(&c);
	text_free(&wire.body);
	json_decref(body);
	return out;
}

static void memo_take(json_t **memo, json_t **fresh)
{
	if (*fresh != NULL) {
		json_decref(*memo);
		*memo = *fresh;
		*fresh = NULL;
	}
}

/* A verb to its end with that token; answers in p->a. */
static void run(struct peer *p, enum verb verb, bool one, const char *token, long timeout_ms)
{
	const struct facility_ops *ops = facility_find("ocs");
	answers_free(&p->a);
	for (int step = 0, n = 0; step >= 0 && n < 100; n++) {
		struct view v = {.now_us = now_us(), .verb = verb, .step = step, .request = one ? &p->q : NULL, .memo = one ? p->memo : NULL,
				 .facility_memo = p->facility_memo, .prefix = p->prefix};
		struct call c;
		struct err e = {0};
		struct answers part = {0};
		struct wire wire = {.body.max = LIMIT_REPLY_BYTES};
		if (facility_render(ops, &p->conf, &v, &c, &e) != 0) {
			printf("# %s step %d: %s\n", verb_name(verb), step, e.text);
			break;
		}
		struct reply r = http(p, &c, token, timeout_ms, &wire);
		ops->read(&p->conf, &v, &r, &part);
		for (size_t i = 0; i < part.count; i++) {
			struct answer *a = answers_add(&p->a, ANSWER_UNKNOWN);
			must(a != NULL);
			*a = part.list[i];
			part.list[i].detail = NULL;
		}
		memo_take(&p->memo, &part.memo);
		memo_take(&p->facility_memo, &part.facility_memo);
		step = part.next_step;
		p->a.complete = part.complete;
		answers_free(&part);
		call_free(&c);
		text_free(&wire.body);
	}
}

/* A target high at midnight in the south, whatever the season. */
static void fresh(struct peer *p)
{
	static char token[64];
	double sun_deg = 280.46 + 0.9856474 * utc_j2000_days(now_us());
	snprintf(token, sizeof token, "%s%020d", p->prefix, ++p->serial);
	json_decref(p->memo);
	p->memo = json_object();
	p->q = (struct facility_request){.token = token, .remote_id = "", .event = "S261123ab", .target_name = "opposite the Sun", .proposal = p->proposal, .mode = "NORMAL",
					 .ra_deg = fmod(sun_deg + 180, 360), .dec_deg = -36.1404, .exposure_s = 60, .ipp = 1.01, .max_airmass = 2.0, .min_moon_deg = 5, .count = 3,
					 .filters = p->filters, .instrument = "1M0-SCICAM-SINISTRO", .site = "", .start_us = now_us(), .end_us = now_us() + 23 * UTC_HOUR};
}

static bool one_is(const struct peer *p, enum answer_kind kind)
{
	return p->a.count == 1 && p->a.list[0].kind == kind;
}

/* The feed's last word about the current token; NULL: none. */
static const struct answer *feed(struct peer *p)
{
	const struct answer *last = NULL;
	run(p, VERB_POLL, false, p->user, 0);
	for (size_t i = 0; i < p->a.count; i++)
		last = strcmp(p->a.list[i].token, p->q.token) == 0 ? &p->a.list[i] : last;
	return last;
}

static bool feed_says(struct peer *p, enum answer_kind kind)
{
	const struct answer *a = feed(p);
	return p->a.complete && a != NULL && a->kind == kind;
}

/* tests ------------------------------------------------------------------------------------------------------------------------------ */

static void test_status(struct peer *p)
{
	run(p, VERB_STATUS, false, p->user, 0);
	const json_t *detail = p->a.count > 0 ? p->a.list[0].detail : NULL, *hours = json_object_get(json_object_get(detail, "proposals"), p->proposal);
	tell(p, one_is(p, ANSWER_OPEN) && json_number(hours, "NORMAL", NAN) > 0, "status: open, %.1f h NORMAL left", json_number(hours, "NORMAL", NAN));
	tell(p, json_array_size(json_object_get(detail, "instruments")) == 1, "status: the descriptor's instrument can be scheduled there");
	int64_t end_us = json_int(json_object_get(p->facility_memo, "semester"), "end_us", 0);
	tell(p, end_us > now_us() && end_us < now_us() + 370 * UTC_DAY, "status: semester %s, of which %.0f days are left", json_text(json_object_get(p->facility_memo, "semester"), "id", "?"),
	     (double)(end_us - now_us()) / (double)UTC_DAY);
	tell(p, detail != NULL && json_object_get(detail, "off") == NULL, "status: every filter and read-out mode of the descriptor is offered");
	run(p, VERB_STATUS, false, p->staff, 0);
	tell(p, one_is(p, ANSWER_OPEN) && strstr(p->a.list[0].words, "staff") != NULL, "status: a staff token is told apart: %s", p->a.count > 0 ? p->a.list[0].words : "");
	run(p, VERB_STATUS, false, "not-a-token", 0);
	tell(p, one_is(p, ANSWER_CLOSED), "status: closed to a token that is not valid");
}

static void declined(struct peer *p, const char *what, const char *stem)
{
	run(p, VERB_OFFER, true, p->user, 0);
	tell(p, one_is(p, ANSWER_DECLINED) && strcmp(p->a.list[0].stem, stem) == 0 && p->a.list[0].words[0] != '\0', "offer declined: %s (%s: %.60s…)", what, stem,
	     p->a.count > 0 ? p->a.list[0].words : "");
	fresh(p);
}

static void test_offer(struct peer *p)
{
	json_t *bad_filter = json_pack("[s]", "zz");
	fresh(p);
	run(p, VERB_OFFER, true, p->user, 0);
	tell(p, one_is(p, ANSWER_ACCEPTED) && p->a.list[0].seconds == 356 && p->a.list[0].ipp_max > 1, "offer: accepted, 356 s, ipp up to %.3f",
	     p->a.count > 0 ? p->a.list[0].ipp_max : NAN);
	p->q.mode = "RAPID_RESPONSE";
	p->q.start_us += 60 * UTC_SECOND; /* as if our clock were ahead of the portal's */
	p->q.end_us += 5 * UTC_HOUR;
	run(p, VERB_OFFER, true, p->user, 0);
	tell(p, one_is(p, ANSWER_ACCEPTED), "offer: rapid response accepted though our clock is ahead");
	fresh(p);
	p->q.dec_deg = 89;
	p->q.max_airmass = 1.2;
	declined(p, "never rises", "airmass");
	p->q.exposure_s = 6000;
	p->q.count = 10;
	declined(p, "too long for a night", "window");
	p->q.filters = bad_filter;
	declined(p, "no such filter", "filter");
	p->q.proposal = "NOPE";
	declined(p, "no such proposal", "proposal");
	p->q.proposal = "OLD2025A";
	declined(p, "proposal not active", "proposal");
	p->q.proposal = "NOTIME2026B";
	declined(p, "no time left", "time");
	p->q.end_us = now_us() - UTC_HOUR;
	p->q.start_us = p->q.end_us - UTC_HOUR;
	declined(p, "window in the past", "window");
	p->q.max_airmass = 30;
	declined(p, "airmass out of range", "airmass");
	p->q.exposure_s = 5000; /* 5.6 h: at ipp 2 more than the proposal's 5 h of priority */
	p->q.count = 4;
	p->q.ipp = 2.0;
	run(p, VERB_OFFER, true, p->user, 0);
	tell(p, one_is(p, ANSWER_COUNTERED) && p->a.list[0].ipp_max > 1.5 && p->a.list[0].ipp_max < 2, "offer countered: ipp 2 is too much, %.3f would do",
	     p->a.count > 0 ? p->a.list[0].ipp_max : NAN);
	json_decref(bad_filter);
	fresh(p);
	run(p, VERB_OFFER, true, "not-a-token", 0);
	tell(p, one_is(p, ANSWER_DECLINED) && p->a.list[0].creates_nothing, "offer: a bad token is refused");
}

/* A window that runs over the end of the semester: refused whole, and taken when it ends with it. */
static void test_semester(struct peer *p)
{
	json_t *noted = p->facility_memo;
	int64_t end_us = json_int(json_object_get(noted, "semester"), "end_us", 0);
	for (int clipped = 0; clipped < 2; clipped++) {
		fresh(p);
		p->q.start_us = end_us - 20 * UTC_HOUR;
		p->q.end_us = end_us + 4 * UTC_HOUR;
		p->facility_memo = clipped ? noted : NULL;
		run(p, VERB_OFFER, true, p->user, 0);
		tell(p, clipped ? one_is(p, ANSWER_ACCEPTED) : one_is(p, ANSWER_DECLINED) && strcmp(p->a.list[0].stem, "window") == 0, "offer: over the semester's end, %s",
		     clipped ? "cut there: accepted" : "as it is: declined");
	}
}

static int64_t counted(struct peer *p, const char *name)
{
	char path[200];
	snprintf(path, sizeof path, "/api/requestgroups/?name=%s", name);
	json_t *page = plain(p, "GET", path, p->user, NULL);
	int64_t count = json_int(page, "count", -1);
	json_decref(page);
	return count;
}

/* The client gives up after a few milliseconds; the portal goes on and makes the group. */
static void test_lost_reply(struct peer *p)
{
	bool maybe = false, found = false;
	fresh(p);
	for (long patience_ms = 8; patience_ms <= 64 && !maybe; patience_ms *= 2) {
		run(p, VERB_SUBMIT, true, p->user, patience_ms);
		maybe = one_is(p, ANSWER_UNKNOWN) && !p->a.list[0].creates_nothing;
	}
	tell(p, maybe, "submit: the answer was lost (%s)", p->a.count > 0 ? p->a.list[0].words : "-");
	for (int i = 0; i < 20 && !found; i++) {
		usleep(250000);
		run(p, VERB_FIND, true, p->user, 0);
		found = p->a.count > 0 && p->a.list[0].kind == ANSWER_ACCEPTED;
	}
	tell(p, found && p->a.count == 1 && strcmp(p->a.list[0].token, p->q.token) == 0, "find: it is there, as group %s", found ? p->a.list[0].remote_id : "-");
	tell(p, counted(p, p->q.token) == 1, "find: the portal counts exactly one");
}

static void test_find(struct peer *p)
{
	fresh(p);
	run(p, VERB_FIND, true, p->user, 0);
	tell(p, one_is(p, ANSWER_ABSENT) && p->a.complete, "find: absent, proved by the profile");
	run(p, VERB_FIND, true, NULL, 0);
	tell(p, one_is(p, ANSWER_UNKNOWN) && !p->a.complete, "find: without a token the empty list proves nothing");
	run(p, VERB_FIND, true, p->rival, 0);
	tell(p, one_is(p, ANSWER_UNKNOWN) && !p->a.complete, "find: a stranger's empty list proves nothing");
	run(p, VERB_SUBMIT, true, p->user, 0);
	run(p, VERB_SUBMIT, true, p->user, 0);
	run(p, VERB_FIND, true, p->user, 0);
	tell(p, p->a.count == 2 && p->a.list[0].kind == ANSWER_ACCEPTED && strcmp(p->a.list[1].field, "duplicate") == 0 &&
	     atoi(p->a.list[0].remote_id) < atoi(p->a.list[1].remote_id), "find: of two the older is taken, the younger told apart");
	for (int i = 0; i < 101; i++) { /* names that contain the token fill a page */
		char name[64];
		struct facility_request whole = p->q;
		json_t *memo = p->memo;
		p->memo = NULL;
		snprintf(name, sizeof name, "%s-%03d", whole.token, i);
		p->q.token = name;
		run(p, VERB_SUBMIT, true, p->user, 0);
		p->q = whole;
		json_decref(p->memo);
		p->memo = memo;
	}
	run(p, VERB_FIND, true, p->user, 0);
	tell(p, p->a.count == 2 && p->a.complete && counted(p, p->q.token) == 103, "find: follows the portal's next page, 103 names contain the token");
}

static void test_cancel(struct peer *p)
{
	char id[64];
	fresh(p);
	run(p, VERB_SUBMIT, true, p->user, 0);
	tell(p, one_is(p, ANSWER_ACCEPTED) && p->a.list[0].seconds == 356, "submit: accepted");
	snprintf(id, sizeof id, "%s", p->a.count > 0 ? p->a.list[0].remote_id : "");
	p->q.remote_id = id;
	run(p, VERB_POLL, true, p->user, 0);
	tell(p, one_is(p, ANSWER_QUEUED), "poll: queued");
	tell(p, feed_says(p, ANSWER_QUEUED), "feed: queued");
	tell(p, feed(p) == NULL && p->a.complete, "feed: what was told is not told again");
	run(p, VERB_CANCEL, true, p->rival, 0);
	tell(p, one_is(p, ANSWER_ABSENT), "cancel: a stranger sees nothing to cancel");
	run(p, VERB_CANCEL, true, p->user, 0);
	tell(p, one_is(p, ANSWER_CANCELLED), "cancel: cancelled, seen after asking again");
	run(p, VERB_CANCEL, true, p->user, 0);
	tell(p, one_is(p, ANSWER_CANCELLED), "cancel: twice is the same");
	tell(p, feed_says(p, ANSWER_CANCELLED), "feed: cancelled");
}

/* Staff schedules it at Sutherland; false when the portal did not take it. *status_id: the configuration status. */
static bool schedule(struct peer *p, int64_t *status_id)
{
	char start[32], end[32], path[64];
	snprintf(path, sizeof path, "/api/requestgroups/%s/", p->q.remote_id);
	json_t *group = plain(p, "GET", path, p->user, NULL), *request = json_array_get(json_object_get(group, "requests"), 0);
	int64_t conf = json_int(json_array_get(json_object_get(request, "configurations"), 0), "id", 0);
	json_t *body = json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:i, s:[{s:I, s:s, s:s}]}", "site", "cpt", "enclosure", "doma", "telescope", "1m0a", "start",
				 utc_format_s(start, now_us() + 120 * UTC_SECOND), "end", utc_format_s(end, now_us() + 520 * UTC_SECOND), "request",
				 (json_int_t)json_int(request, "id", 0), "priority", 10, "configuration_statuses", "configuration", (json_int_t)conf,
				 "instrument_name", "fa16", "guide_camera_name", "ag_fa16");
	json_t *made = plain(p, "POST", "/api/observations/", p->staff, body);
	*status_id = json_int(json_array_get(json_object_get(made, "configuration_statuses"), 0), "id", -1);
	json_decref(made);
	json_decref(group);
	return *status_id >= 0;
}

static void telescope(struct peer *p, int64_t status_id, const char *state, double completed_s, const char *reason)
{
	char path[64], start[32], end[32];
	snprintf(path, sizeof path, "/api/configurationstatus/%lld/", (long long)status_id);
	json_t *body = json_pack("{s:s}", "state", state);
	if (completed_s >= 0)
		json_object_set_new(body, "summary", json_pack("{s:s, s:s, s:s, s:f, s:s, s:[]}", "start", utc_format_s(start, now_us() - 300 * UTC_SECOND), "end",
							       utc_format_s(end, now_us()), "state", state, "time_completed", completed_s, "reason", reason, "events"));
	json_decref(plain(p, "PATCH", path, p->staff, body));
}

static void test_night(struct peer *p)
{
	int64_t status_id;
	char id[64];
	fresh(p);
	run(p, VERB_SUBMIT, true, p->user, 0);
	snprintf(id, sizeof id, "%s", p->a.count > 0 ? p->a.list[0].remote_id : "");
	p->q.remote_id = id;
	feed(p);
	tell(p, schedule(p, &status_id), "(staff schedules it)");
	const struct answer *a = feed(p);
	tell(p, a != NULL && a->kind == ANSWER_SCHEDULED && strcmp(a->site, "cpt") == 0 && strcmp(a->telescope, "doma.1m0a") == 0 && a->start_us != UTC_NONE,
	     "feed: scheduled at cpt, doma.1m0a");
	run(p, VERB_POLL, true, p->user, 0);
	tell(p, one_is(p, ANSWER_SCHEDULED), "poll: scheduled");
	telescope(p, status_id, "ATTEMPTED", -1, "");
	telescope(p, status_id, "FAILED", 60, "Weather: humidity");
	a = feed(p);
	tell(p, a != NULL && a->kind == ANSWER_QUEUED && strstr(a->words, "Weather: humidity") != NULL, "feed: back in the queue, \"%s\"", a != NULL ? a->words : "");
	tell(p, schedule(p, &status_id), "(staff schedules it again)");
	telescope(p, status_id, "ATTEMPTED", -1, "");
	tell(p, feed_says(p, ANSWER_RUNNING), "feed: running");
	run(p, VERB_CANCEL, true, p->user, 0);
	tell(p, one_is(p, ANSWER_RUNNING), "cancel: not believed while it runs");
	bool steady = feed_says(p, ANSWER_RUNNING);
	for (size_t i = 0; i < p->a.count; i++)
		steady = steady && !(strcmp(p->a.list[i].token, p->q.token) == 0 && p->a.list[i].kind == ANSWER_CANCELLED);
	tell(p, steady, "feed: running, never \"cancelled\" in between");
	telescope(p, status_id, "COMPLETED", 180, "");
	tell(p, feed_says(p, ANSWER_DONE), "feed: done, though it had been cancelled");
	run(p, VERB_CANCEL, true, p->user, 0);
	tell(p, one_is(p, ANSWER_DONE), "cancel: too late is an answer");
	run(p, VERB_POLL, true, p->user, 0);
	tell(p, one_is(p, ANSWER_DONE) && p->a.list[0].observation_id[0] != '\0', "poll: done");
}

/* The longest visible stretch by the real portal and by the simulated one, for the same bodies. */
static void test_simulated(struct peer *p)
{
	json_t *setup = json_pack("{s:{s:s}, s:[{s:s, s:{s:f}}], s:O}", "tokens", "t", "u", "proposals", "id", p->proposal, "hours", "NORMAL", 100.0, "descriptor",
				  (json_t *)p->conf.descriptor);
	struct sim_portal *sim = sim_portal_new(setup, 1);
	double worst_s = 0;
	int compared = 0, verdicts = 0;
	for (int i = 0; i < 24; i++) {
		struct call c;
		struct err e = {0};
		struct sim_reply reply;
		fresh(p);
		p->q.ra_deg = (i * 47) % 360;
		p->q.dec_deg = -75 + (i * 29) % 150;
		p->q.max_airmass = i % 2 == 0 ? 1.6 : 2.5;
		p->q.min_moon_deg = 25;
		p->q.start_us += 60 * UTC_SECOND;
		struct view v = {.now_us = now_us(), .verb = VERB_OFFER, .request = &p->q, .prefix = p->prefix};
		must(facility_render(facility_find("ocs"), &p->conf, &v, &c, &e) == 0);
		struct sim_call in = {.method = c.method, .path = c.path, .authorization = "Token t", .content_type = c.content_type, .body = c.body, .len = c.body_len};
		must(sim_portal_call(sim, v.now_us, &in, &reply) == 0);
		json_t *ours = json_read(reply.body, reply.len, &json_limits_reply, &e), *theirs = plain(p, "POST", c.path, p->user, json_loads(c.body, 0, NULL));
		double a = json_number(json_array_get(json_object_get(json_object_get(ours, "request_durations"), "requests"), 0), "largest_interval", 0);
		double b = json_number(json_array_get(json_object_get(json_object_get(theirs, "request_durations"), "requests"), 0), "largest_interval", 0);
		compared += a > 0 && b > 0;
		verdicts += (a > 0) == (b > 0);
		if (a > 0 && b > 0)
			worst_s = fmax(worst_s, fabs(a - b));
		if ((a > 0) != (b > 0) || fabs(a - b) > 300)
			printf("# ra %g dec %g airmass %g: simulated %.0f s, real %.0f s\n", p->q.ra_deg, p->q.dec_deg, p->q.max_airmass, a, b);
		json_decref(ours);
		json_decref(theirs);
		sim_reply_free(&reply);
		call_free(&c);
	}
	tell(p, verdicts == 24 && compared >= 12, "simulated portal: same verdict on visibility for %d of 24 targets", verdicts);
	tell(p, worst_s <= 300, "simulated portal: longest visible stretch of %d targets within %.0f s of the real one", compared, worst_s);
	sim_portal_free(sim);
	json_decref(setup);
}

int main(int argc, char **argv)
{
	if (argc != 6) {
		fprintf(stderr, "usage: ocs_real BASE USER_TOKEN STAFF_TOKEN RIVAL_TOKEN PROPOSAL\n");
		return 2;
	}
	curl_global_init(CURL_GLOBAL_DEFAULT);
	struct peer p = {.base = argv[1], .user = argv[2], .staff = argv[3], .rival = argv[4], .proposal = argv[5], .filters = json_pack("[s]", "rp")};
	json_t *descriptor = embedded_json("facilities/lco.json");
	p.conf = (struct facility_conf){"lco", descriptor};
	snprintf(p.prefix, sizeof p.prefix, "slew-%08x-", (unsigned)(now_us() / UTC_SECOND));
	test_status(&p);
	test_offer(&p);
	test_semester(&p);
	test_lost_reply(&p);
	test_find(&p);
	test_cancel(&p);
	test_night(&p);
	test_simulated(&p);
	answers_free(&p.a);
	json_decref(p.memo);
	json_decref(p.facility_memo);
	json_decref(p.filters);
	json_decref(descriptor);
	curl_global_cleanup();
	return p.bad > 0;
}

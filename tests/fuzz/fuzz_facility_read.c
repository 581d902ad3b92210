/* Replies of a facility through its adapter: every verb and step, any status, any body, any notes. An input is a case as in
 * tests/facility/cases: {"verb","step","now","request":{…}|absent,"memo","facility_memo","since","proposals","reply":{…}}, and "times": so many
 * copies of each row of a page, since a hostile reply is long. Bytes that are no JSON are the body of a poll's reply. */
#include "door.h"
#include "engine/base/json.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include "facilities/facility.h"
#include "tests/lib/embedded.h"
#include "tests/lib/portal_loop.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW_US INT64_C(1795456800000000) /* 2026-11-23T18:00:00Z */
#define TOKEN "slew-00000000-0123456789abcdef0123"
static json_t *descriptor, *filters;

static struct facility_request request_of(const json_t *j)
{
	const json_t *list = json_object_get(j, "filters");
	const char *id = json_text(j, "remote_id", "7"); /* of an earlier answer: digits */
	return (struct facility_request){.token = TOKEN, .remote_id = strspn(id, "0123456789") == strlen(id) ? id : "7", .event = "S261123ab",
		.target_name = json_text(j, "target_name", "NGC 1365"), .proposal = json_text(j, "proposal", "TOO2026B"), .mode = json_text(j, "mode", "NORMAL"),
		.ra_deg = json_number(j, "ra_deg", 53.4), .dec_deg = json_number(j, "dec_deg", -36.1), .exposure_s = json_number(j, "exposure_s", 60),
		.ipp = json_number(j, "ipp", 1.05), .max_airmass = json_number(j, "max_airmass", 1.6), .min_moon_deg = json_number(j, "min_moon_deg", 20),
		.count = (int)json_int(j, "count", 3), .filters = json_is_array(list) ? list : filters,
		.instrument = json_text(j, "instrument", "1M0-SCICAM-SINISTRO"), .site = json_text(j, "site", ""), .start_us = NOW_US,
		.end_us = NOW_US + UTC_DAY, .created_us = NOW_US};
}

static bool utf8(const char *s)
{
	json_t *j = json_string(s);
	json_decref(j);
	return j != NULL;
}

static void check_answer(const struct view *v, const struct reply *r, const struct answer *a)
{
	must((unsigned)a->kind < ANSWER_KINDS);
	must(utf8(a->token) && utf8(a->remote_id) && utf8(a->field) && utf8(a->words) && utf8(a->stem) && utf8(a->site) && utf8(a->telescope) &&
		utf8(a->observation_id));
	must(a->words[0] == '\0' || text_printable(a->words, strlen(a->words), sizeof a->words));
	must(!isinf(a->seconds) && !isinf(a->ipp_max) && !isinf(a->hours_left));
	must(a->kind == ANSWER_RETRY_AFTER ? a->retry_after_s >= 1 && a->retry_after_s <= 3600 : true);
	must(strspn(a->remote_id, "0123456789") == strlen(a->remote_id));
	/* a submission that may have arrived is never said to have made nothing, and nothing is accepted unheard */
	must(v->verb != VERB_SUBMIT || !a->creates_nothing || r->sent == SENT_NO || (r->sent == SENT_ANSWERED && r->status < 500 && r->status >= 400));
	must(v->verb != VERB_SUBMIT || a->kind != ANSWER_ACCEPTED || (r->sent == SENT_ANSWERED && r->status == 201));
	must(a->kind != ANSWER_ABSENT || r->sent == SENT_ANSWERED);
	if (a->detail != NULL)
		fuzz_check_json(a->detail, &(struct json_limits){LIMIT_TEXT, 4 * LIMIT_REPLY_TOKENS, 1000});
}

/* true: there is such a step, so that a reply to it can come. */
static bool check_call(const struct facility_ops *ops, const struct facility_conf *conf, const struct view *v)
{
	struct call c = {0}, again;
	struct err e = {0};
	int rc = facility_render(ops, conf, v, &c, &e);
	must(rc >= -1 && rc <= 1 && (rc != -1 || e.text[0] != '\0'));
	if (rc != 0)
		return false;
	must(c.path[0] == '/' && strpbrk(c.path, " ?#\r\n") == NULL && (c.query == NULL || strpbrk(c.query, " #\r\n") == NULL));
	must((v->verb == VERB_SUBMIT) == c.once);
	json_t *j = call_json(&c);
	must(j != NULL && call_from_json(j, &again, &e) == 0);
	json_t *twice = call_json(&again);
	must(json_equal(j, twice));
	json_decref(twice);
	json_decref(j);
	call_free(&again);
	call_free(&c);
	return true;
}

static void read_once(const struct facility_ops *ops, const struct facility_conf *conf, struct view v, const struct reply *r)
{
	bool asked = check_call(ops, conf, &v);
	struct answers a = {0};
	must(ops->read(conf, &v, r, &a) == 0);
	must(a.count <= LIMIT_ANSWERS && a.next_step >= -1);
	/* steps come to an end: upwards, or once more with the number of the request, which was missing; a status ends with its telescopes (2) */
	bool found = json_text(v.memo, "request_id", "")[0] == '\0' && json_text(a.memo, "request_id", "")[0] != '\0';
	must(!asked || a.next_step < 0 || a.next_step > v.step || (a.next_step == v.step && found) || (v.verb == VERB_STATUS && a.next_step == 2));
	must(v.verb != VERB_STATUS || v.step != 2 || a.next_step == -1);
	must(!a.complete || a.next_step == -1);
	must(r->sent == SENT_ANSWERED || !a.complete || v.verb == VERB_OFFER || v.verb == VERB_STATUS);
	for (size_t i = 0; i < a.count; i++)
		check_answer(&v, r, &a.list[i]);
	if (a.next_step >= 0) { /* what it noted must lead on */
		v.step = a.next_step;
		v.memo = a.memo != NULL ? a.memo : v.memo;
		v.facility_memo = a.facility_memo != NULL ? a.facility_memo : v.facility_memo;
		check_call(ops, conf, &v);
	}
	answers_free(&a);
}

/* What it submits, it knows again in the portal's answer: read(render(x)) = x. */
static void check_round(const struct facility_ops *ops, const struct facility_conf *conf, struct view v)
{
	struct call c = {0};
	struct err e = {0};
	struct answers a = {0};
	v.verb = VERB_SUBMIT;
	v.step = 0;
	if (facility_render(ops, conf, &v, &c, &e) != 0)
		return;
	json_t *echo = json_loadb(c.body, c.body_len, JSON_REJECT_DUPLICATES, NULL);
	must(echo != NULL && json_array_size(json_object_get(echo, "requests")) > 0);
	json_object_set_new(echo, "id", json_integer(4711));
	json_object_set_new(echo, "state", json_string("PENDING"));
	json_object_set_new(json_array_get(json_object_get(echo, "requests"), 0), "id", json_integer(4712));
	char *body = json_dumps(echo, 0);
	struct reply r = {.sent = SENT_ANSWERED, .status = 201, .content_type = "application/json", .transport = "", .retry_after_s = -1, .body = body,
		.len = strlen(body)};
	must(ops->read(conf, &v, &r, &a) == 0 && a.count == 1 && a.list[0].kind == ANSWER_ACCEPTED);
	must(strcmp(a.list[0].token, v.request->token) == 0 && strcmp(a.list[0].remote_id, "4711") == 0);
	must(strcmp(json_text(a.memo, "request_id", ""), "4712") == 0);
	answers_free(&a);
	free(body);
	json_decref(echo);
	call_free(&c);
}

static void multiply(json_t *list, size_t times)
{
	size_t n = json_array_size(list);
	times = times > 20000 / (n + 1) ? 20000 / (n + 1) : times;
	for (size_t k = 1; k < times; k++)
		for (size_t i = 0; i < n; i++)
			json_array_append(list, json_array_get(list, i));
}

static char *body_of(const json_t *reply, size_t times)
{
	json_t *value = json_deep_copy(json_object_get(reply, "body"));
	multiply(json_is_array(value) ? value : json_object_get(value, "results"), times);
	char *text = value == NULL ? strdup("") : json_is_string(value) ? strdup(json_string_value(value)) : json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	json_decref(value);
	must(text != NULL);
	return text;
}

static void run_case(const json_t *c)
{
	const json_t *reply = json_object_get(c, "reply"), *proposals = json_object_get(c, "proposals");
	const struct facility_ops *ops = facility_find("ocs");
	const struct facility_conf conf = {"lco", descriptor};
	const char *sent = json_text(reply, "sent", "answered");
	int verb = verb_from_name(json_text(c, "verb", "poll"));
	struct facility_request q = request_of(json_object_get(c, "request"));
	struct view v = {.now_us = NOW_US, .verb = verb < 0 ? VERB_POLL : (enum verb)verb, .step = (int)((uint64_t)json_int(c, "step", 0) % 1000), .request = &q,
		.memo = json_object_get(c, "memo"), .facility_memo = json_object_get(c, "facility_memo"), .prefix = "slew-00000000-", .since_us = UTC_NONE,
		.proposals = json_is_array(proposals) ? proposals : NULL};
	if (v.verb == VERB_STATUS || json_object_get(c, "request") == NULL)
		v.request = NULL;
	if (v.request == NULL && v.verb != VERB_POLL && v.verb != VERB_FIND && v.verb != VERB_STATUS)
		v.request = &q; /* as the contract says: only these go without */
	int64_t times = json_int(c, "times", 1);
	char *body = body_of(reply, times > 1 ? (size_t)times : 1);
	struct reply r = {.sent = strcmp(sent, "no") == 0 ? SENT_NO : strcmp(sent, "maybe") == 0 ? SENT_MAYBE : SENT_ANSWERED,
		.status = (int)(json_int(reply, "status", 200) % 1000), .content_type = json_text(reply, "content_type", "application/json"),
		.transport = json_text(reply, "transport", ""), .retry_after_s = json_int(reply, "retry_after_s", -1), .body = body, .len = strlen(body)};
	if (r.sent != SENT_ANSWERED)
		r.status = 0;
	if (v.request != NULL)
		check_round(ops, &conf, v);
	read_once(ops, &conf, v, &r);
	free(body);
}

static bool run(const uint8_t *bytes, size_t len)
{
	if (descriptor == NULL) {
		descriptor = embedded_json("facilities/lco.json");
		filters = json_pack("[s,s]", "gp", "ip");
	}
	json_t *c = json_loadb((const char *)bytes, len, JSON_REJECT_DUPLICATES, NULL);
	if (json_is_object(c)) {
		run_case(c);
		json_decref(c);
		return true;
	}
	json_decref(c);
	const struct facility_conf conf = {"lco", descriptor};
	struct view v = {.now_us = NOW_US, .verb = VERB_POLL, .step = len > 0 ? bytes[0] % 3 : 0, .prefix = "slew-00000000-", .since_us = UTC_NONE};
	struct reply r = {.sent = SENT_ANSWERED, .status = 200, .content_type = "application/json", .transport = "", .retry_after_s = -1,
		.body = (const char *)bytes, .len = len};
	read_once(facility_find("ocs"), &conf, v, &r);
	return false;
}

/* ---- seeds: the simulated portal's own replies to what the adapter asks, and the cases of tests/facility ---- */
static void seed_call(struct fuzz_seeds *s, struct portal_loop *l, const char *token, enum verb verb, const struct facility_request *q, json_t **memo)
{
	for (int step = 0, n = 0; step >= 0 && n < 6; n++) {
		struct view v = {.now_us = l->now_us, .verb = verb, .step = step, .request = q, .memo = *memo, .facility_memo = l->facility_memo, .prefix = l->prefix,
			.since_us = UTC_NONE};
		struct call c;
		struct err e = {0};
		struct sim_reply raw;
		struct answers a = {0};
		if (facility_render(l->ops, &l->conf, &v, &c, &e) != 0)
			return;
		struct sim_call in = {.method = c.method, .path = c.path, .query = c.query, .authorization = token, .content_type = c.content_type, .body = c.body,
			.len = c.body_len};
		must(sim_portal_call(l->portal, l->now_us, &in, &raw) == 0);
		json_t *body = json_loads(raw.body, JSON_DECODE_ANY, NULL);
		json_t *seed = json_pack("{s:s,s:i,s:O?,s:O?,s:{s:i,s:s,s:o}}", "verb", verb_name(verb), "step", step, "memo", *memo, "facility_memo",
			l->facility_memo, "reply", "status", raw.status, "content_type", raw.content_type, "body", body ? body : json_string(raw.body));
		must(seed != NULL);
		if (q != NULL)
			json_object_set_new(seed, "request", json_pack("{s:s}", "remote_id", q->remote_id));
		fuzz_seed_json(s, seed);
		struct reply r = {.sent = SENT_ANSWERED, .status = raw.status, .content_type = raw.content_type, .transport = "", .retry_after_s = -1, .body = raw.body,
			.len = raw.len};
		must(l->ops->read(&l->conf, &v, &r, &a) == 0);
		step = a.next_step;
		if (a.memo != NULL) {
			json_decref(*memo);
			*memo = json_incref(a.memo);
		}
		if (a.facility_memo != NULL) {
			json_decref(l->facility_memo);
			l->facility_memo = json_incref(a.facility_memo);
		}
		answers_free(&a);
		call_free(&c);
		sim_reply_free(&raw);
	}
}

static void seeds(struct fuzz_seeds *s)
{
	static const char *const cases[] = {"tests/facility/cases/ocs_replies.json", "tests/facility/cases/ocs_calls.json"};
	static const enum verb verbs[] = {VERB_STATUS, VERB_OFFER, VERB_SUBMIT, VERB_FIND, VERB_POLL, VERB_DATA, VERB_CANCEL};
	struct portal_loop l;
	json_t *names = json_pack("[s]", "gp"), *memo = NULL;
	portal_loop_open(&l, NOW_US, NULL);
	struct facility_request q = portal_loop_request(TOKEN, names, NOW_US);
	for (int round = 0; round < 3; round++, l.now_us += UTC_HOUR) {
		for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
			q.remote_id = round > 0 ? json_text(json_object_get(memo, "found"), "id", "1") : "1";
			seed_call(s, &l, round == 2 && i % 2 ? "Token bad" : l.authorization, verbs[i], verbs[i] == VERB_STATUS ? NULL : &q, &memo);
			if (verbs[i] == VERB_POLL || verbs[i] == VERB_FIND)
				seed_call(s, &l, l.authorization, verbs[i], NULL, &memo);
		}
	}
	json_decref(memo);
	json_decref(names);
	portal_loop_close(&l);
	for (size_t i = 0; i < 2; i++) {
		json_t *list = json_load_file(cases[i], 0, NULL), *one;
		size_t k;
		must(list != NULL);
		json_array_foreach(list, k, one) {
			static const char *const drop[] = {"answers", "name", "memo_after", "facility_memo_after", "next_step", "complete", "call", "render"};
			for (size_t n = 0; n < sizeof drop / sizeof *drop; n++)
				json_object_del(one, drop[n]);
			fuzz_seed_json(s, json_incref(one));
		}
		json_decref(list);
	}
	fuzz_seed_text(s, "{\"count\":0,\"next\":null,\"results\":[]}");
	fuzz_seed_text(s, "<html>502</html>");
	/* long pages */
	fuzz_seed_text(s, "{\"verb\":\"poll\",\"step\":100,\"times\":20000,\"reply\":{\"body\":{\"results\":[{\"name\":\"" TOKEN "\",\"request_group_id\":1,\"id\":2}]}}}");
	fuzz_seed_text(s, "{\"verb\":\"data\",\"times\":20000,\"request\":{},\"reply\":{\"body\":{\"results\":[{\"basename\":\"a\",\"url\":\"https://x/\"}]}}}");
}

const struct fuzz_door fuzz_facility_read = {.name = "facility_read", .run = run, .mutate = fuzz_mutate_json, .seeds = seeds, .max_len = 8192};

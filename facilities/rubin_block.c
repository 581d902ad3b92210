/* The "rubin-block" adapter: one position for the auxiliary telescope (LATISS) as a block's override, in YAML. Either a file in an observer's folder, who
 * moves it to taken/, done/ or refused/, or the command addBlock through LOVE, which tells nothing afterwards.
 *
 * Quotes: the override is read as YAML and put into the script's parameters, which are read as YAML again; ra: '03:35:01.3' becomes the number 12901.3 on
 * the second reading. So every text has quotes within its quotes, and holds no character that means anything to either reading or to $-substitution. */
#include "facilities/rubin.h"
#include "engine/base/json.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OVERRIDE_MAX = 4096, SEQUENCE_MAX = 100 };

static const json_t *settings(const struct facility_conf *conf)
{
	return json_object_get(conf->descriptor, "block");
}

static bool is_love(const struct facility_conf *conf)
{
	return strcmp(json_text(settings(conf), "transport", "folder"), "love") == 0;
}

/* key: "'words'"; what is not plain becomes '_'. */
static void text_line(struct text *t, const char *key, const char *words)
{
	text_printf(t, "%s: \"'", key);
	for (const char *s = words; *s != '\0'; s++) {
		bool plain = (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9') || strchr(" _.+-:", *s) != NULL;
		text_printf(t, "%c", plain ? *s : '_');
	}
	text_puts(t, "'\"\n");
}

/* Hours (or degrees), minutes and seconds with three (two) decimals: rounded once, so that no 60 appears. */
static void sexagesimal(char out[32], double degrees, bool hours)
{
	int64_t per = hours ? 3600000 : 360000, n = llround(fabs(degrees) / (hours ? 15.0 : 1.0) * (double)per), second = per / 3600;
	if (hours)
		n %= 24 * per;
	snprintf(out, 32, "%s%02d:%02d:%02d.%0*d", hours ? "" : degrees < 0 ? "-" : "+", (int)(n / per), (int)(n / (per / 60) % 60), (int)(n / second % 60), hours ? 3 : 2,
		 (int)(n % second));
}

/* One entry for each exposure. */
static int sequences(const struct facility_conf *conf, const struct facility_request *q, struct text *t, struct err *e)
{
	size_t filters = json_array_size(q->filters), i;
	const char *grating = json_text(settings(conf), "grating", "empty_1");
	struct text f = {.max = OVERRIDE_MAX}, g = {.max = OVERRIDE_MAX}, x = {.max = OVERRIDE_MAX};
	const json_t *v;
	if (filters == 0 || q->count < 1 || filters * (size_t)q->count > SEQUENCE_MAX || !(q->exposure_s > 0 && q->exposure_s <= 3600))
		return err_set(e, ERR_INPUT, "%zu filters, %d exposures of %g s: at least one of each, at most %d in all and an hour each", filters, q->count, q->exposure_s, SEQUENCE_MAX);
	json_array_foreach(q->filters, i, v)
		for (int k = 0; k < q->count; k++) {
			const char *name = json_string_value(v), *comma = f.len > 0 ? ", " : "";
			text_printf(&f, "%s'%s'", comma, name != NULL ? name : "?");
			text_printf(&g, "%s'%s'", comma, grating);
			text_printf(&x, "%s%.1f", comma, q->exposure_s);
		}
	text_printf(t, "filter_sequence: [%s]\ngrating_sequence: [%s]\nexposure_time_sequence: [%s]\n", f.data, g.data, x.data);
	text_free(&f);
	text_free(&g);
	text_free(&x);
	return 0;
}

static int override_put(const struct facility_conf *conf, const struct facility_request *q, struct text *t, struct err *e)
{
	char ra[32], dec[32];
	if (q->region != NULL && q->region[0] != '\0')
		return err_set(e, ERR_INPUT, "%s is asked for positions, not for a region; give the policy targets.from galaxies or fields", conf->name);
	if (!(q->ra_deg >= 0 && q->ra_deg <= 360 && fabs(q->dec_deg) <= 90))
		return err_set(e, ERR_INPUT, "target %.60s has no position", q->target_name);
	sexagesimal(ra, q->ra_deg, true);
	sexagesimal(dec, q->dec_deg, false);
	text_line(t, "name", q->target_name);
	text_line(t, "ra", ra);
	text_line(t, "dec", dec);
	text_line(t, "rot_type", json_text(settings(conf), "rotation", "SkyAuto"));
	if (sequences(conf, q, t, e) < 0)
		return -1;
	text_line(t, "reason", q->event);
	text_line(t, "program", json_text(settings(conf), "id", "BLOCK-SLEW"));
	return t->failed ? err_set(e, ERR_LIMIT, "an override of over %d bytes", OVERRIDE_MAX) : 0;
}

/* What a person needs who has only the file. */
static void file_head(const struct facility_conf *conf, const struct facility_request *q, struct text *t)
{
	char from[32], to[32], target[100];
	text_escape(target, sizeof target, q->target_name, strlen(q->target_name));
	text_printf(t, "# slew asks for %s (event %s, proposal %s)\n# between %s and %s, airmass at most %.1f\n", target, q->event, q->proposal,
		    utc_format_s(from, q->start_us), utc_format_s(to, q->end_us), q->max_airmass);
	text_printf(t, "# Scheduler, index %lld: addBlock, id %s, executionId %s, override: this file\n", (long long)json_int(settings(conf), "salindex", 2),
		    json_text(settings(conf), "id", "BLOCK-SLEW"), q->token);
	text_puts(t, "# then move it to taken/, done/ or refused/ (words: a file of the same name with .txt beside it)\n");
}

static void call_begin(struct call *out, const char *url, const char *method, const char *path)
{
	text_copy(out->url, sizeof out->url, url);
	text_copy(out->method, sizeof out->method, method);
	text_copy(out->path, sizeof out->path, path);
}

static void call_file(struct call *out, const char *method, const struct facility_request *q)
{
	char path[100];
	snprintf(path, sizeof path, "/%.60s.yaml", q->token);
	call_begin(out, "folder", method, path);
}

static int love_body(const struct facility_conf *conf, const struct facility_request *q, const char *override, struct call *out)
{
	json_t *body = json_pack("{s:s,s:i,s:s,s:{s:s,s:s,s:s,s:s}}", "csc", "Scheduler", "salindex", (int)json_int(settings(conf), "salindex", 2), "cmd", "cmd_addBlock",
				 "params", "id", json_text(settings(conf), "id", "BLOCK-SLEW"), "executionId", q->token, "override", override, "failureStrategy", "");
	out->body = body != NULL ? json_canonical(body) : NULL;
	json_decref(body);
	out->body_len = out->body != NULL ? strlen(out->body) : 0;
	return out->body != NULL ? 0 : -1;
}

static int block_offer(const struct facility_conf *conf, const struct view *v, struct call *out, struct err *e)
{
	struct text t = {.max = OVERRIDE_MAX};
	(void)out;
	int rc = v->step != 0 ? 0 : override_put(conf, v->request, &t, e);
	text_free(&t);
	return rc < 0 ? -1 : 1;
}

static int block_submit(const struct facility_conf *conf, const struct view *v, struct call *out, struct err *e)
{
	struct text t = {.max = 2 * OVERRIDE_MAX};
	bool love = is_love(conf);
	int rc = -1;
	if (v->step != 0)
		return 1;
	if (!love)
		file_head(conf, v->request, &t);
	if (override_put(conf, v->request, &t, e) < 0) {
		text_free(&t);
		return -1;
	}
	out->once = true;
	if (love) {
		call_begin(out, "love", "POST", "/manager/api/cmd/");
		text_copy(out->content_type, sizeof out->content_type, "application/json");
		rc = love_body(conf, v->request, t.data, out);
		text_free(&t);
	} else {
		call_file(out, "POST", v->request);
		text_copy(out->content_type, sizeof out->content_type, "application/yaml");
		out->body = t.data; /* given */
		out->body_len = t.len;
		rc = 0;
	}
	return rc < 0 ? err_set(e, ERR_MEMORY, "no memory for a command") : 0;
}

/* LOVE tells nothing of a block: it is asked whether it is there, and time does the rest. */
static int block_poll(const struct facility_conf *conf, const struct view *v, struct call *out, struct err *e)
{
	(void)e;
	if (v->request == NULL || v->step != 0)
		return 1;
	if (is_love(conf))
		call_begin(out, "love", "GET", "/manager/api/validate-token/");
	else
		call_file(out, "GET", v->request);
	return 0;
}

static int block_find(const struct facility_conf *conf, const struct view *v, struct call *out, struct err *e)
{
	return is_love(conf) ? 1 : block_poll(conf, v, out, e);
}

static int block_cancel(const struct facility_conf *conf, const struct view *v, struct call *out, struct err *e)
{
	(void)e;
	if (is_love(conf) || v->step != 0)
		return 1;
	call_file(out, "DELETE", v->request);
	return 0;
}

static int block_status(const struct facility_conf *conf, const struct view *v, struct call *out, struct err *e)
{
	(void)e;
	if (v->step != 0)
		return 1;
	call_begin(out, is_love(conf) ? "love" : "folder", "GET", is_love(conf) ? "/manager/api/validate-token/" : "/");
	return 0;
}

/* Replies ------------------------------------------------------------------------------------------------------------------------------ */

struct reading {
	const struct facility_conf *conf;
	const struct view *v;
	const struct reply *reply;
	const json_t *json;
	struct answers *out;
};

static struct answer *add(const struct reading *r, enum answer_kind kind)
{
	struct answer *a = answers_add(r->out, kind);
	if (a != NULL && r->v->request != NULL)
		text_copy(a->token, sizeof a->token, r->v->request->token);
	return a;
}

static bool is_answer(const struct reading *r, int status)
{
	return r->reply->sent == SENT_ANSWERED && r->reply->status == status;
}

static void trouble(const struct reading *r)
{
	const struct reply *p = r->reply;
	int status = p->sent == SENT_ANSWERED ? p->status : 0;
	bool nothing = p->sent == SENT_NO || !is_love(r->conf) || (status >= 400 && status < 500 && status != 408);
	bool refused = nothing && r->v->verb == VERB_SUBMIT && status >= 400 && status < 500 && status != 429;
	struct answer *a = add(r, refused ? ANSWER_DECLINED : status == 429 && nothing ? ANSWER_RETRY_AFTER : ANSWER_UNKNOWN);
	const char *why = p->sent != SENT_ANSWERED ? p->transport : json_text(r->json, "ack", json_text(r->json, "message", p->body));
	char shown[400];
	if (a == NULL)
		return;
	text_escape(shown, sizeof shown, why != NULL ? why : "", why == p->body ? p->len : why != NULL ? strlen(why) : 0);
	snprintf(a->words, sizeof a->words, "%s%d%s%s", p->sent == SENT_ANSWERED ? "HTTP " : "no answer ", status, shown[0] != '\0' ? ": " : "", shown);
	a->creates_nothing = nothing;
	a->credentials = refused && is_love(r->conf) && (status == 401 || status == 403);
	if (a->kind == ANSWER_RETRY_AFTER)
		a->retry_after_s = p->retry_after_s < 1 ? 30 : p->retry_after_s;
	if (refused)
		text_copy(a->stem, sizeof a->stem, a->credentials ? "configuration" : "other");
}

static void accept(const struct reading *r, const char *words)
{
	struct answer *a = add(r, ANSWER_ACCEPTED);
	if (a == NULL)
		return;
	text_copy(a->remote_id, sizeof a->remote_id, r->v->request->token);
	text_escape(a->words, 400, words, strlen(words));
}

static void read_submit(const struct reading *r)
{
	if (!is_answer(r, 200) || !json_is_object(r->json))
		trouble(r);
	else
		accept(r, json_text(r->json, "ack", "a file in the observer's folder"));
}

/* Where the observer has put the file. */
static enum answer_kind kind_of(const char *state)
{
	static const struct {
		const char *state;
		enum answer_kind kind;
	} kinds[] = {{"new", ANSWER_QUEUED}, {"taken", ANSWER_RUNNING}, {"done", ANSWER_DONE}, {"refused", ANSWER_FAILED}, {"absent", ANSWER_ABSENT}, {"removed", ANSWER_CANCELLED}};
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (strcmp(kinds[i].state, state) == 0)
			return kinds[i].kind;
	return ANSWER_UNKNOWN;
}

static void read_file(const struct reading *r)
{
	enum answer_kind kind = kind_of(json_text(r->json, "state", ""));
	const char *words = json_text(r->json, "words", "");
	if (!is_answer(r, 200) || kind == ANSWER_UNKNOWN) {
		trouble(r);
		return;
	}
	r->out->complete = true;
	if (r->v->verb == VERB_FIND && kind != ANSWER_ABSENT) {
		accept(r, "its file is there");
		return;
	}
	if (r->v->verb == VERB_CANCEL && kind == ANSWER_ABSENT)
		kind = ANSWER_CANCELLED;
	if (r->v->verb == VERB_POLL && kind == ANSWER_QUEUED && r->v->now_us > r->v->request->end_us)
		kind = ANSWER_EXPIRED;
	struct answer *a = add(r, kind);
	if (a != NULL)
		text_escape(a->words, 1000, words, strlen(words));
}

/* Nobody tells what became of a block. */
static void read_love(const struct reading *r)
{
	if (!is_answer(r, 200)) {
		trouble(r);
		return;
	}
	r->out->complete = true;
	bool over = r->v->now_us > r->v->request->end_us;
	struct answer *a = add(r, over ? ANSWER_EXPIRED : ANSWER_QUEUED);
	if (a != NULL && over)
		snprintf(a->words, sizeof a->words, "its window is over, and LOVE does not tell what became of it: ask the observers");
}

static void read_status(const struct reading *r)
{
	if (!is_answer(r, 200)) {
		trouble(r);
		return;
	}
	answers_add(r->out, ANSWER_OPEN);
	r->out->complete = true;
}

static int block_read(const struct facility_conf *conf, const struct view *v, const struct reply *reply, struct answers *out)
{
	struct err e = {0};
	json_t *json = NULL;
	out->next_step = -1;
	if (reply->sent == SENT_ANSWERED && reply->body != NULL)
		json = json_read(reply->body, reply->len, &json_limits_reply, &e);
	if (e.kind == ERR_MEMORY)
		return -1;
	const struct reading r = {conf, v, reply, json, out};
	if (v->verb == VERB_STATUS)
		read_status(&r);
	else if (v->request == NULL)
		trouble(&r);
	else if (v->verb == VERB_SUBMIT)
		read_submit(&r);
	else if (is_love(conf) && v->verb == VERB_POLL)
		read_love(&r);
	else if (!is_love(conf) && (v->verb == VERB_POLL || v->verb == VERB_FIND || v->verb == VERB_CANCEL))
		read_file(&r);
	else
		trouble(&r);
	json_decref(json);
	return 0;
}

const struct facility_ops facility_rubin_block = {
	.abi = FACILITY_ABI, .name = "rubin-block",
	.offer = block_offer, .submit = block_submit, .find = block_find, .poll = block_poll, .cancel = block_cancel, .status = block_status, .read = block_read,
};

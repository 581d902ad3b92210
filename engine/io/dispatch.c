/* Effects become calls, computations and words; their replies and results become inputs. It adds the host and the credential, no more. */
#include "engine/io/engine.h"
#include "engine/base/json.h"
#include "engine/base/limits.h"
#include "engine/base/text.h"
#include "engine/io/kafka_send.h"
#include "engine/io/redact.h"
#include <stdlib.h>
#include <string.h>

#define CALL_TIMEOUT_MS 30000

static struct letter *reply_letter(int64_t effect, void *body, size_t len)
{
	struct letter *l = letter_take(INPUT_reply, body, len);
	if (l != NULL)
		l->in.effect = effect;
	return l;
}

/* The call could not leave: the core is told "no", with the reason. */
static void call_not_sent(struct engine *g, const struct effect *f, const struct err *why)
{
	struct letter *l = reply_letter(f->id, calloc(1, 1), 0);
	engine_log(g, LOG_WARN, f->facility, "call %lld not sent: %s", (long long)f->id, why->text);
	if (l != NULL) {
		l->in.reply.sent = SENT_NO;
		text_copy(l->transport, sizeof l->transport, why->text);
	}
	engine_put(g, l);
}

static const struct config_facility *facility_of(const struct engine *g, const char *name)
{
	for (size_t i = 0; i < g->config->facility_count; i++)
		if (strcmp(g->config->facilities[i].name, name) == 0)
			return &g->config->facilities[i];
	return NULL;
}

/* "Token …": the scheme is the descriptor's word, the secret goes nowhere else. */
static int authorization_of(struct engine *g, const struct config_facility *f, struct text *out, struct err *e)
{
	if (f->secret[0] == '\0')
		return 0;
	const char *secret = secrets_value(&g->secrets, f->secret);
	if (secret == NULL)
		return err_set(e, ERR_INPUT, "facility %s: secret \"%s\" is not loaded; put the file there and reload", f->name, f->secret);
	text_printf(out, "%s %s", json_text(json_object_get(f->descriptor, "auth"), "scheme", "Token"), secret);
	return out->failed ? err_set(e, ERR_MEMORY, "facility %s: no memory", f->name) : 0;
}

static struct flight *flight_add(struct engine *g, const struct effect *f, const struct config_facility *facility, const struct call *c)
{
	struct flight *t = calloc(1, sizeof *t);
	if (t == NULL)
		return NULL;
	t->effect = f->id;
	t->sent_boot_us = clock_boot_us();
	text_copy(t->facility, sizeof t->facility, f->facility);
	snprintf(t->what, sizeof t->what, "%s %.120s", c->method, c->path);
	t->redact = json_incref(json_object_get(facility->descriptor, "redact"));
	t->next = g->flights;
	g->flights = t;
	return t;
}

static struct flight *flight_take(struct engine *g, int64_t effect)
{
	for (struct flight **p = &g->flights; *p != NULL; p = &(*p)->next) {
		struct flight *t = *p;
		if (t->effect == effect) {
			*p = t->next;
			return t;
		}
	}
	return NULL;
}

static void flight_free(struct flight *t)
{
	json_decref(t->redact);
	free(t);
}

/* The source whose brokers and log-in a record goes out by. */
static struct kafka_letter *letter_by(struct engine *g, const char *name, struct err *e)
{
	for (size_t i = 0; i < g->config->source_count; i++)
		if (strcmp(g->config->sources[i].name, name) == 0)
			return kafka_letter_new(&g->config->sources[i], &g->secrets, e);
	err_set(e, ERR_INPUT, "kafka:%s: there is no such source any more", name);
	return NULL;
}

/* A row in a file database, a file in a folder, a record to Kafka: no host and no credential of the facility's. */
static int file_send(struct engine *g, const struct effect *f, const struct config_facility *facility, const char *url, const struct call *c, struct err *e)
{
	const struct facility_ops *ops = facility_find(facility->adapter);
	if (ops == NULL || (strncmp(url, EXCHANGE_SCHEME, strlen(EXCHANGE_SCHEME)) == 0 && ops->file_schema == NULL))
		return err_set(e, ERR_INPUT, "facility %s: its adapter writes no file", f->facility);
	size_t kafka = strncmp(url, CONFIG_KAFKA, strlen(CONFIG_KAFKA)) == 0 ? strlen(CONFIG_KAFKA) : 0;
	struct kafka_letter *letter = kafka > 0 ? letter_by(g, url + kafka, e) : NULL;
	if (kafka > 0 && letter == NULL)
		return -1;
	if (flight_add(g, f, facility, c) == NULL) {
		kafka_letter_free(letter);
		return err_set(e, ERR_MEMORY, "call: no memory");
	}
	int rc = exchange_send(g->exchange, f->id, url, ops->file_schema, letter, c, e);
	if (rc != 0)
		flight_free(flight_take(g, f->id));
	return rc;
}

static int call_send(struct engine *g, const struct effect *f, const struct call *c, struct err *e)
{
	const struct config_facility *facility = facility_of(g, f->facility);
	const char *base = facility != NULL ? config_url(facility, c->url) : NULL;
	if (base != NULL && config_url_local(base))
		return file_send(g, f, facility, base, c, e);
	char *url = NULL;
	struct text authorization = {.max = 8192};
	if (base == NULL)
		return err_set(e, ERR_INPUT, "facility %s: %s \"%s\"; add it to the configuration", f->facility,
			facility == NULL ? "is not configured any more, asked for url" : "has no url", c->url);
	if (http_url(base, c->path, c->query, &url, e) != 0)
		return -1;
	int rc = authorization_of(g, facility, &authorization, e);
	struct flight *t = rc == 0 ? flight_add(g, f, facility, c) : NULL;
	if (rc == 0 && t == NULL)
		rc = err_set(e, ERR_MEMORY, "call: no memory");
	if (rc == 0) {
		struct http_job job = {.method = c->method, .url = url, .content_type = c->content_type, .body = c->body,
			.body_len = c->body_len, .authorization = authorization.data, .once = f->once, .timeout_ms = CALL_TIMEOUT_MS};
		rc = http_send(g->http, f->id, &job, e);
		if (rc != 0)
			flight_free(flight_take(g, f->id));
	}
	if (authorization.data != NULL)
		explicit_bzero(authorization.data, authorization.len);
	text_free(&authorization);
	free(url);
	return rc;
}

static void dispatch_call(struct engine *g, const struct effect *f)
{
	struct call c = {0};
	struct err e = {0};
	g->calls++;
	if (call_from_json(f->body, &c, &e) != 0 || call_send(g, f, &c, &e) != 0)
		call_not_sent(g, f, &e);
	else
		engine_log(g, LOG_DEBUG, f->facility, "call %lld %s %s%s", (long long)f->id, c.method, c.path, f->once ? " once" : "");
	call_free(&c);
}

void dispatch_reply(void *ctx, int64_t id, struct reply *r, char *body)
{
	struct engine *g = ctx;
	struct flight *t = flight_take(g, id);
	must(t != NULL);
	size_t blanked = secrets_blank(&g->secrets, body, r->len), len = r->len;
	char *clean = redact(body, r->len, t->redact, &g->secrets, &len);
	if (clean == NULL && (clean = malloc(r->len + 1)) != NULL)
		memcpy(clean, body, r->len + (r->len > 0 || body[0] == '\0'));
	if (clean != NULL)
		clean[len] = '\0';
	struct letter *l = clean != NULL ? reply_letter(id, clean, len) : NULL;
	if (l != NULL) {
		char *texts[] = {l->content_type, l->transport};
		l->in.reply.sent = r->sent;
		l->in.reply.status = r->status;
		l->in.reply.retry_after_s = r->retry_after_s;
		text_copy(l->content_type, sizeof l->content_type, r->content_type);
		text_copy(l->transport, sizeof l->transport, r->transport);
		for (size_t i = 0; i < 2; i++)
			secrets_blank(&g->secrets, texts[i], strlen(texts[i]));
		engine_log(g, r->sent == SENT_ANSWERED ? LOG_DEBUG : LOG_WARN, t->facility, "reply %lld %s: sent=%s status=%d bytes=%zu ms=%lld%s%s",
			(long long)id, t->what, r->sent == SENT_NO ? "no" : r->sent == SENT_MAYBE ? "maybe" : "answered", r->status, len,
			(long long)((clock_boot_us() - t->sent_boot_us) / 1000), l->transport[0] != '\0' ? " " : "", l->transport);
	}
	if (blanked > 0)
		engine_log(g, LOG_WARN, t->facility, "reply %lld held a secret of ours %zu times; it was blanked", (long long)id, blanked);
	flight_free(t);
	engine_put(g, l);
}

static void on_result(void *ctx, uint64_t id, const json_t *result, const struct err *e)
{
	struct engine *g = ctx;
	json_t *broken = NULL;
	if (result == NULL) {
		engine_log(g, LOG_WARN, "-", "computation %llu: %s", (unsigned long long)id, e->text);
		result = broken = json_pack("{s:s}", "error", e->text[0] != '\0' ? e->text : "the computation could not be run");
	}
	struct letter *l = result != NULL ? letter_json(INPUT_result, result) : NULL;
	if (l != NULL)
		l->in.effect = (int64_t)id;
	json_decref(broken);
	engine_put(g, l);
}

/* Words for people go to the log and to every tail; that is their delivery, and the core is told. */
static void dispatch_message(struct engine *g, const struct effect *f)
{
	json_t *done = json_pack("{s:s,s:b}", "kind", "message", "ok", 1);
	struct letter *l = done != NULL ? letter_json(INPUT_result, done) : NULL;
	engine_log(g, LOG_NOTICE, json_text(f->body, "event", "-"), "%s: %s", json_text(f->body, "kind", "message"),
		json_text(f->body, "text", ""));
	json_decref(done);
	if (l != NULL)
		l->in.effect = f->id;
	engine_put(g, l);
}

void dispatch_effect(struct engine *g, struct effect *f)
{
	switch (f->kind) {
	case EFFECT_call:
		dispatch_call(g, f);
		break;
	case EFFECT_compute:
		engine_log(g, LOG_DEBUG, "-", "compute %lld %s", (long long)f->id, json_text(f->body, "kind", "?"));
		workers_compute(g->workers, (uint64_t)f->id, f->body, on_result);
		f->body = NULL;
		break;
	case EFFECT_message:
		dispatch_message(g, f);
		break;
	default:
		err_must_fail("an effect of an unknown kind", __FILE__, __LINE__);
	}
}

void dispatch_free(struct engine *g)
{
	while (g->flights != NULL)
		flight_free(flight_take(g, g->flights->effect));
}

/* The operator's desk: views go to workers, orders and injected alerts become inputs and are answered when they are on disk. */
#include "engine/io/engine.h"
#include "engine/base/json.h"
#include "engine/base/text.h"
#include "engine/report/views.h"
#include <stdlib.h>
#include <string.h>

static const char *const orders[] = {"approve", "veto", "release", "hold", "resume", "cancel", "boost", "pin", "amend", "promote",
	"accepted", "declined"};

static bool is_order(const char *verb)
{
	for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++)
		if (strcmp(orders[i], verb) == 0)
			return true;
	return false;
}

static void answer(struct engine *g, uint64_t client, json_t *value)
{
	if (value != NULL)
		socket_answer(g->socket, client, value);
	json_decref(value);
}

static void answer_error(struct engine *g, uint64_t client, const char *text)
{
	answer(g, client, json_pack("{s:b,s:s}", "ok", 0, "error", text));
}

/* What only the loop knows, beside what the rows say. */
static json_t *engine_says(struct engine *g)
{
	return json_pack("{s:s,s:I,s:s,s:s,s:b,s:f,s:I,s:I,s:I,s:I,s:I,s:b,s:b,s:I}", "version", SLEW_VERSION, "pid", (json_int_t)uv_os_getpid(),
		"config", g->config->path, "state", g->config->state, "virtual_clock", g->clock.made_up, "clock_rate", g->clock.rate, "uptime_s",
		(json_int_t)((clock_boot_us() - g->started_boot_us) / 1000000), "inputs", (json_int_t)g->inputs, "calls", (json_int_t)g->calls,
		"in_flight", (json_int_t)(http_busy(g->http) + exchange_busy(g->exchange)), "waiting_bytes", (json_int_t)core_thread_bulk_bytes(g->core), "paused", g->paused,
		"disk_full", g->disk_full, "seq", (json_int_t)g->seq);
}

static void on_view(void *ctx, uint64_t client, const json_t *value, const struct err *e)
{
	struct engine *g = ctx;
	if (value == NULL) {
		answer_error(g, client, e->text);
		return;
	}
	answer(g, client, json_pack("{s:b,s:O}", "ok", 1, "value", value));
}

static void on_status(void *ctx, uint64_t client, const json_t *value, const struct err *e)
{
	struct engine *g = ctx;
	if (value == NULL) {
		answer_error(g, client, e->text);
		return;
	}
	json_t *copy = json_copy((json_t *)value);
	json_object_set_new(copy, "engine", engine_says(g));
	answer(g, client, json_pack("{s:b,s:o}", "ok", 1, "value", copy));
}

static struct letter *signed_by(struct letter *l, uint64_t client, const struct peer *peer)
{
	if (l != NULL) {
		l->origin = client;
		l->in.uid = peer->uid;
		l->in.pid = peer->pid;
	}
	return l;
}

static void put_from(struct engine *g, struct letter *l, uint64_t client, const struct peer *peer)
{
	if (l == NULL)
		answer_error(g, client, "no memory for it now; try again");
	else
		engine_put(g, signed_by(l, client, peer));
}

static void desk_inject(struct engine *g, uint64_t client, const struct peer *peer, const json_t *request, void *raw, size_t len)
{
	if (raw == NULL) {
		answer_error(g, client, "inject: {\"verb\":\"inject\",\"bytes\":N} and then N bytes are wanted");
		return;
	}
	struct letter *l = letter_take(INPUT_alert, raw, len);
	if (l != NULL) {
		l->lane = LANE_CONTROL; /* somebody waits for the answer */
		l->in.as_real = json_flag(request, "as_real", false);
		l->in.as_test = !l->in.as_real;
		text_copy(l->source, sizeof l->source, "inject");
		text_copy(l->topic, sizeof l->topic, json_text(request, "topic", ""));
	}
	put_from(g, l, client, peer);
}

/* What a running engine cannot change: it holds them open, or has read them at its start. */
static int reload_same(const struct config *now, const struct config *next, struct err *e)
{
	static const char *const fixed[] = {"state", "sources", "clock", "operator", "http", "credentials_dir", "dust", "references", "covered"};
	for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++) {
		json_t *a = json_object_get(now->body, fixed[i]), *b = json_object_get(next->body, fixed[i]);
		if (a != b && !json_equal(a, b))
			return err_set(e, ERR_REFUSED, "reload of %s: \"%s\" has changed, a running engine cannot change it; stop and start it", next->path,
				fixed[i]);
	}
	return 0;
}

static int secrets_reload(struct engine *g, const struct config *c, struct err *e)
{
	for (size_t i = 0; i < c->facility_count; i++)
		if (c->facilities[i].secret[0] != '\0' && secrets_load(&g->secrets, c->credentials_dir, c->facilities[i].secret, e) != 0)
			return -1;
	return 0;
}

static const char *catalog_sha(const json_t *says)
{
	return json_text(says, "sha256", "");
}

/* The file that the next configuration names, which may be another one of the same name: beside the old one, until all is in force. */
static int catalog_reload(struct engine *g, const struct config *next, struct err *e)
{
	struct catalog catalog = {0};
	json_t *says;
	if (engine_catalog_open(next->catalog, &catalog, &says, e) != 0)
		return -1;
	if (says != NULL && strcmp(catalog_sha(says), catalog_sha(g->catalog_says)) == 0)
		catalog_close(&catalog);
	else if (says != NULL)
		workers_catalog(g->workers, &catalog);
	json_decref(g->catalog_next);
	g->catalog_next = says;
	return 0;
}

/* Of the catalogues of now and next, the one that is not `kept` goes. */
static void catalog_settle(struct engine *g, bool next)
{
	json_t *kept = next ? g->catalog_next : g->catalog_says, *gone = next ? g->catalog_says : g->catalog_next;
	if (gone != NULL && strcmp(catalog_sha(gone), catalog_sha(kept)) != 0) {
		workers_catalog_drop(g->workers, catalog_sha(gone));
	}
	if (next && kept != NULL && strcmp(catalog_sha(gone), catalog_sha(kept)) != 0)
		engine_log(g, LOG_NOTICE, "-", "catalogue %.12s is in force: %lld galaxies", catalog_sha(kept), (long long)json_int(kept, "rows", 0));
	json_decref(gone);
	g->catalog_says = kept;
	g->catalog_next = NULL;
}

int desk_reload(struct engine *g, struct letter *order, struct err *e)
{
	int rc = 0;
	struct config *next = calloc(1, sizeof *next);
	if (next == NULL)
		rc = err_set(e, ERR_MEMORY, "reload: no memory");
	else if (g->next != NULL)
		rc = err_set(e, ERR_REFUSED, "reload: another one is under way; ask again");
	else if (config_load(g->config->path, next, e) != 0 || reload_same(g->config, next, e) != 0 || secrets_reload(g, next, e) != 0 ||
		catalog_reload(g, next, e) != 0)
		rc = -1;
	if (rc == 0) {
		g->next = next;
		g->reload = order;
		rc = engine_config_put(g, e);
		if (rc == 0)
			return 0;
		g->next = NULL;
		g->reload = NULL;
		catalog_settle(g, false);
	}
	if (next != NULL)
		config_free(next);
	free(next);
	letter_free(order);
	return rc;
}

static void desk_act(struct engine *g, uint64_t client, const struct peer *peer, const json_t *request, void *raw, size_t raw_len)
{
	const char *verb = json_text(request, "verb", "");
	struct err e = {0};
	if (strcmp(verb, "inject") == 0) {
		desk_inject(g, client, peer, request, raw, raw_len);
		return;
	}
	free(raw);
	if (strcmp(verb, "reload") == 0) {
		struct letter *order = signed_by(letter_json(INPUT_order, request), client, peer);
		if (order == NULL || desk_reload(g, order, &e) != 0)
			answer_error(g, client, e.text);
		return;
	}
	put_from(g, letter_json(INPUT_order, request), client, peer);
}

void desk_request(void *ctx, uint64_t client, const struct peer *peer, const json_t *request, void *raw, size_t raw_len)
{
	struct engine *g = ctx;
	const char *verb = json_text(request, "verb", "");
	bool acts = is_order(verb) || strcmp(verb, "inject") == 0 || strcmp(verb, "reload") == 0;
	if (acts && !peer->may_act) {
		free(raw);
		answer_error(g, client, "you may look but not act; ask for membership of the act group");
	} else if (acts && g->stop) {
		free(raw);
		answer_error(g, client, "the engine is stopping; ask again when it runs");
	} else if (acts) {
		desk_act(g, client, peer, request, raw, raw_len);
	} else if (strcmp(verb, "tail") == 0) {
		answer(g, client, json_pack("{s:b,s:b}", "ok", 1, "tail", 1));
		socket_tail(g->socket, client);
	} else if (view_is(verb)) {
		workers_view(g->workers, client, json_deep_copy(request), clock_utc_us(&g->clock), strcmp(verb, "status") == 0 ? on_status : on_view);
	} else {
		char shown[64], text[200];
		text_escape(shown, sizeof shown, verb, strlen(verb));
		snprintf(text, sizeof text, "no verb \"%s\"; `slew ctl --help` lists them", shown);
		answer_error(g, client, text);
	}
}

static void reload_committed(struct engine *g, const struct letter *l)
{
	struct config *old = g->config;
	struct letter *order = g->reload;
	g->reload = NULL;
	if (l->reject[0] != '\0') {
		config_free(g->next);
		free(g->next);
		catalog_settle(g, false);
		if (order != NULL)
			answer_error(g, order->origin, l->reject);
		letter_free(order);
	} else {
		g->config = g->next;
		catalog_settle(g, true);
		if (old != g->first) {
			config_free(old);
			free(old);
		}
		engine_log(g, LOG_NOTICE, "-", "configuration %.12s is in force", g->config->sha256);
		if (order != NULL)
			engine_put(g, order);
	}
	g->next = NULL;
}

void desk_committed(struct engine *g, const struct letter *l)
{
	if (l->in.kind == INPUT_config && g->next != NULL)
		reload_committed(g, l);
	if (l->origin == 0 || l->owner != NULL)
		return;
	if (l->reject[0] != '\0')
		answer(g, l->origin, json_pack("{s:b,s:s,s:I}", "ok", 0, "error", l->reject, "seq", (json_int_t)l->seq));
	else if (l->answer != NULL)
		socket_answer(g->socket, l->origin, l->answer);
	else
		answer(g, l->origin, json_pack("{s:b,s:I}", "ok", 1, "seq", (json_int_t)l->seq));
}

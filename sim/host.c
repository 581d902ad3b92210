/* The simulated io: see host.h. */
#include "sim/host_parts.h"
#include "engine/base/json.h"
#include "engine/base/query.h"
#include "engine/base/utc.h"
#include "facilities/facility.h"
#include <stdlib.h>
#include <string.h>

static int blob_of_state(void *ctx, const char *sha256, unsigned char **bytes, size_t *len, struct err *e)
{
	struct sim_host *h = ctx;
	sqlite3_stmt *q = query_prepare(h->o.db, "SELECT body FROM blob WHERE sha256 = ?", e);
	if (q == NULL || query_bind(q, e, "t", sha256) < 0) {
		sqlite3_finalize(q);
		return -1;
	}
	int rc = query_step(q, e);
	if (rc == 1) {
		*len = (size_t)sqlite3_column_bytes(q, 0);
		*bytes = malloc(*len + 1);
		if (*bytes != NULL && *len > 0)
			memcpy(*bytes, sqlite3_column_blob(q, 0), *len);
	}
	sqlite3_finalize(q);
	if (rc != 1)
		return rc < 0 ? -1 : err_set(e, ERR_INPUT, "blob %.12s… is not in the state", sha256);
	return *bytes ? 0 : err_set(e, ERR_MEMORY, "no memory for a blob");
}

void host_portals_advance(struct sim_host *h)
{
	for (size_t i = 0; i < h->o.places; i++)
		sim_portal_advance(h->o.place[i].portal, h->now_us);
}

/* The call reaches the portal now: what it answers comes back half the latency later, or never. */
static int deliver(struct sim_host *h, struct coming *c, struct err *e)
{
	struct call call = {0};
	struct sim_reply reply = {.retry_after_s = -1};
	if (call_from_json(c->body, &call, e) < 0)
		return -1;
	struct sim_call in = {.method = call.method, .path = call.path, .query = call.query, .content_type = call.content_type, .body = call.body,
		.len = call.body_len};
	int rc = 0;
	if (c->place != NULL) {
		in.authorization = c->place->authorization;
		rc = sim_portal_call(c->place->portal, h->now_us, &in, &reply);
	} else {
		reply.drop = SIM_REFUSED;
	}
	call_free(&call);
	if (rc < 0)
		return err_set(e, ERR_MEMORY, "the simulated portal has no memory left");
	int64_t latency = h->o.latency_us ? h->o.latency_us : 200000, effect = c->effect;
	struct coming *back = coming_add(h, COMING_REPLY, h->now_us + latency / 2 + reply.delay_us, effect);
	if (back == NULL)
		return err_set(e, ERR_MEMORY, "no memory for a reply");
	back->answered = reply.drop == SIM_REPLY;
	if (!back->answered) /* a closed connection is seen at once; a client's own patience would be 30 s */
		back->at_us = h->now_us + latency / 2;
	back->reply = reply;
	return 0;
}

static int arrive(struct sim_host *h, size_t i, struct err *e)
{
	struct coming c = h->coming[i];
	h->coming[i] = h->coming[--h->count];
	int rc = 0;
	if (c.kind == COMING_DELIVERY) {
		rc = deliver(h, &c, e);
	} else if (c.kind == COMING_REPLY) {
		struct input in = {.kind = INPUT_reply, .effect = c.effect};
		in.reply.retry_after_s = -1;
		in.reply.sent = c.answered ? SENT_ANSWERED : c.reply.drop == SIM_REFUSED ? SENT_NO : SENT_MAYBE;
		in.reply.content_type = c.answered ? c.reply.content_type : "";
		in.reply.transport = c.answered ? "" : "connection closed before an answer";
		if (c.answered) {
			in.reply.status = c.reply.status;
			in.reply.retry_after_s = c.reply.retry_after_s;
			in.body = c.reply.body;
			in.len = c.reply.len;
		}
		rc = host_turn(h, &in, e);
	} else {
		char *text = json_canonical(c.body);
		struct input in = {.kind = INPUT_result, .effect = c.effect, .body = text, .len = text ? strlen(text) : 0};
		rc = text ? host_turn(h, &in, e) : err_set(e, ERR_MEMORY, "no memory for a result");
		free(text);
	}
	json_decref(c.body);
	sim_reply_free(&c.reply);
	return rc;
}

static void pass(struct sim_host *h, int64_t to_us)
{
	if (to_us > h->now_us) {
		h->tick_us += to_us - h->now_us;
		h->now_us = to_us;
	}
}

int sim_host_run(struct sim_host *h, int64_t until_us, struct err *e)
{
	for (int idle = 0; idle < 1000;) {
		if (h->full && host_mended(h, e) < 0)
			return -1;
		int64_t utc_us = INT64_MAX, tick_us = INT64_MAX, timer_us = INT64_MAX;
		if (core_due(h->core, &utc_us, &tick_us, e) < 0)
			return -1;
		if (utc_us != INT64_MAX)
			timer_us = utc_us - h->wall_shift_us;
		if (tick_us != INT64_MAX && h->now_us + (tick_us - h->tick_us) < timer_us)
			timer_us = h->now_us + (tick_us - h->tick_us);
		size_t first = coming_first(h);
		bool timer = first == h->count || timer_us < h->coming[first].at_us;
		int64_t at_us = timer ? timer_us : h->coming[first].at_us;
		if (at_us > until_us)
			break;
		idle = timer && at_us <= h->now_us ? idle + 1 : 0; /* a timer that is due for ever would hang the night */
		pass(h, at_us);
		struct input in = {.kind = INPUT_timer};
		if ((timer ? host_turn(h, &in, e) : arrive(h, first, e)) < 0)
			return -1;
		if (idle == 999)
			return err_set(e, ERR_STORE, "a timer stays due: core_due does not move on");
	}
	pass(h, until_us);
	host_portals_advance(h);
	return 0;
}

/* ---- inputs from outside ---- */
int host_pump(struct sim_host *h, struct err *e)
{
	for (size_t i = 0; i < sim_broker_count(h->broker) && !sim_broker_is_away(h->broker); i++) {
		struct sim_message *m = sim_broker_message(h->broker, i);
		int64_t crashes = h->counts.crashes;
		if (m->read || m->gone)
			continue;
		m->read = true;
		struct input in = {.kind = INPUT_alert, .body = m->bytes, .len = m->len, .source = "sim", .topic = m->topic, .cluster = "sim",
			.offset = m->offset, .timestamp_us = m->utc_us};
		if (host_turn(h, &in, e) < 0)
			return -1;
		if (h->counts.crashes != crashes)
			return 0; /* it lives again, and has read what is behind its position */
		m->read = !h->put_off;
	}
	return 0;
}

int sim_host_alert(struct sim_host *h, const char *topic, const void *bytes, size_t len, struct err *e)
{
	sim_broker_publish(h->broker, topic, bytes, len, h->now_us);
	return host_pump(h, e);
}

int sim_host_rebalance(struct sim_host *h, bool away, struct err *e)
{
	sim_broker_away(h->broker, away);
	return away ? 0 : sim_broker_seek(h->broker, h->o.db, e) < 0 ? -1 : host_pump(h, e);
}

int sim_host_gap(struct sim_host *h, const char *topic, const char *what, int64_t from, int64_t to, struct err *e)
{
	json_t *body = json_pack("{s:s,s:s,s:i,s:I,s:I,s:s}", "source", "sim", "topic", topic, "partition", 0, "from", (json_int_t)from, "to",
		(json_int_t)to, "what", what);
	char *text = json_canonical(body);
	struct input in = {.kind = INPUT_gap, .body = text, .len = text ? strlen(text) : 0};
	int rc = text ? host_turn(h, &in, e) : err_set(e, ERR_MEMORY, "no memory for a gap");
	free(text);
	json_decref(body);
	return rc;
}

int sim_host_order(struct sim_host *h, int64_t uid, const json_t *order, json_t **answer, struct err *e)
{
	char *text = json_canonical(order);
	if (text == NULL)
		return err_set(e, ERR_MEMORY, "no memory for an order");
	struct input in = {.kind = INPUT_order, .body = text, .len = strlen(text), .uid = uid, .pid = 1};
	int rc = host_turn(h, &in, e);
	free(text);
	if (answer != NULL)
		*answer = json_incref(h->answer);
	return rc;
}

int sim_host_clock(struct sim_host *h, int64_t step_us, struct err *e)
{
	json_t *body = json_pack("{s:I}", "step_us", (json_int_t)step_us);
	char *text = json_canonical(body);
	h->wall_shift_us += step_us;
	struct input in = {.kind = INPUT_clock, .body = text, .len = text ? strlen(text) : 0};
	int rc = text ? host_turn(h, &in, e) : err_set(e, ERR_MEMORY, "no memory for a clock step");
	free(text);
	json_decref(body);
	return rc;
}

int sim_host_reload(struct sim_host *h, struct err *e)
{
	char *text = json_canonical(h->o.config);
	struct input in = {.kind = INPUT_config, .body = text, .len = text ? strlen(text) : 0};
	int rc = text ? host_turn(h, &in, e) : err_set(e, ERR_MEMORY, "no memory for the configuration");
	free(text);
	return rc;
}

/* ---- life ---- */
static int start_core(struct sim_host *h, struct err *e)
{
	h->core = h->core ? core_reopen(h->core, e) : core_open(h->o.db, e);
	if (h->core == NULL || core_begin(h->core, e) < 0)
		return -1;
	int rc = core_recover(h->core, e) < 0 ? -1 : core_commit(h->core, e);
	return h->died ? 1 : rc;
}

int host_start(struct sim_host *h, struct err *e)
{
	int rc = start_core(h, e);
	if (rc != 0)
		return host_start_failed(h, rc > 0, e);
	int64_t seq, utc_us, tick_us;
	if (core_last(h->core, &seq, &utc_us, &tick_us, e) < 0)
		return -1;
	if (tick_us > h->tick_us)
		h->tick_us = tick_us;
	int64_t crashes = h->counts.crashes;
	if (sim_host_reload(h, e) < 0)
		return -1;
	if (h->counts.crashes != crashes)
		return 0; /* it died over its configuration, and has been started since */
	sim_broker_away(h->broker, false);
	return sim_broker_seek(h->broker, h->o.db, e) < 0 ? -1 : host_pump(h, e);
}

struct sim_host *sim_host_new(const struct sim_host_options *options, struct err *e)
{
	struct sim_host *h = calloc(1, sizeof *h);
	if (h == NULL) {
		err_set(e, ERR_MEMORY, "no memory for a simulated night");
		return NULL;
	}
	h->o = *options;
	h->compute = *options->compute;
	if (h->compute.blob == NULL) {
		h->compute.blob = blob_of_state;
		h->compute.ctx = h;
	}
	h->now_us = options->start_us;
	h->own = options->broker ? NULL : sim_broker_new(options->offset);
	h->broker = options->broker ? options->broker : h->own;
	if (host_start(h, e) < 0) {
		sim_host_free(h);
		return NULL;
	}
	return h;
}

/* What was on its way to the portal arrives there; nothing comes back. */
int host_deliver_all(struct sim_host *h, bool lost, struct err *e)
{
	for (size_t i; (i = coming_first(h)) < h->count;) {
		if (!lost && h->coming[i].kind == COMING_DELIVERY && deliver(h, &h->coming[i], e) < 0)
			return -1;
		coming_drop(h, i);
		for (size_t j = 0; j < h->count;)
			if (h->coming[j].kind != COMING_DELIVERY)
				coming_drop(h, j);
			else
				j++;
	}
	return 0;
}

void sim_host_die(struct sim_host *h, bool delivered)
{
	struct err ignored = {0};
	if (delivered)
		host_deliver_all(h, false, &ignored);
	sim_host_free(h);
}

void sim_host_doom(struct sim_host *h, const struct sim_doom *doom)
{
	h->doom = *doom;
	sqlite3_commit_hook(h->o.db, doom->commit > 0 ? host_on_commit : NULL, h);
}

int sim_host_crash(struct sim_host *h, int64_t down_us, bool lost, struct err *e)
{
	if (host_deliver_all(h, lost, e) < 0)
		return -1;
	h->counts.crashes++;
	h->now_us += down_us; /* downtime adds nothing to delays: the tick stays */
	host_portals_advance(h);
	h->full = false;
	host_kept_free(h);
	return host_start(h, e) < 0 ? -1 : host_check(h, true, e);
}

void sim_host_free(struct sim_host *h)
{
	if (h == NULL)
		return;
	while (h->count > 0)
		coming_drop(h, h->count - 1);
	sqlite3_commit_hook(h->o.db, NULL, NULL);
	free(h->coming);
	host_kept_free(h);
	core_close(h->core);
	sim_broker_free(h->own);
	json_decref(h->answer);
	free(h);
}

int64_t sim_host_now(const struct sim_host *h)
{
	return h->now_us;
}

int64_t sim_host_utc(const struct sim_host *h)
{
	return h->now_us + h->wall_shift_us;
}

int64_t sim_host_tick(const struct sim_host *h)
{
	return h->tick_us;
}

struct sim_host_counts sim_host_counts(const struct sim_host *h)
{
	return h->counts;
}

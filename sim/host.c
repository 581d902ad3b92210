/* The simulated io: see host.h. A queue of what is under way, ordered by time, then by the order of making. */
#include "sim/host.h"
#include "engine/base/json.h"
#include "engine/base/query.h"
#include "engine/base/utc.h"
#include "facilities/facility.h"
#include <stdlib.h>
#include <string.h>

/* Something that will come in: a reply, a result, or the delivery of a call to the portal (which makes a reply). */
enum coming_kind { COMING_DELIVERY, COMING_REPLY, COMING_RESULT };
struct coming {
	int64_t at_us, made;
	enum coming_kind kind;
	int64_t effect;
	const struct sim_host_place *place; /* delivery: where to; NULL: nowhere */
	json_t *body;                /* delivery: the call; result: the result */
	struct sim_reply reply;
	bool answered;
};

struct sim_host {
	struct sim_host_options o;
	struct core *core;
	struct compute_host compute;
	int64_t now_us, tick_us, made, offset;
	int64_t wall_shift_us;       /* clock steps: UTC as the engine sees it minus the world's */
	struct coming *coming;
	size_t count, cap;
	struct sim_host_counts counts;
	json_t *answer;
	struct sim_doom doom;        /* how it will die in a commit; doom.commit 0: it will not */
	bool died;                   /* that has happened just now: a dead process does nothing more */
};

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

/* ---- what is under way ---- */
static struct coming *coming_add(struct sim_host *h, enum coming_kind kind, int64_t at_us, int64_t effect)
{
	if (h->count == h->cap) {
		size_t cap = h->cap ? 2 * h->cap : 32;
		struct coming *more = realloc(h->coming, cap * sizeof *more);
		if (more == NULL)
			return NULL;
		h->coming = more;
		h->cap = cap;
	}
	struct coming *c = &h->coming[h->count++];
	*c = (struct coming){.kind = kind, .at_us = at_us, .made = h->made++, .effect = effect};
	return c;
}

static void coming_drop(struct sim_host *h, size_t i)
{
	json_decref(h->coming[i].body);
	sim_reply_free(&h->coming[i].reply);
	h->coming[i] = h->coming[--h->count];
}

/* Index of what comes first, or count. */
static size_t coming_first(const struct sim_host *h)
{
	size_t best = h->count;
	for (size_t i = 0; i < h->count; i++) {
		const struct coming *a = &h->coming[i], *b = best < h->count ? &h->coming[best] : NULL;
		if (b == NULL || a->at_us < b->at_us || (a->at_us == b->at_us && a->made < b->made))
			best = i;
	}
	return best;
}

/* ---- a turn ---- */
static const struct sim_host_place *place_of(const struct sim_host *h, const char *facility)
{
	for (size_t i = 0; i < h->o.places; i++)
		if (strcmp(h->o.place[i].facility, facility) == 0)
			return &h->o.place[i];
	return NULL;
}

static void portals_advance(struct sim_host *h)
{
	for (size_t i = 0; i < h->o.places; i++)
		sim_portal_advance(h->o.place[i].portal, h->now_us);
}

static int hand_over(struct sim_host *h, const struct effect *f, struct err *e)
{
	if (h->died)
		return 0;
	if (f->kind == EFFECT_call) {
		int64_t latency = h->o.latency_us ? h->o.latency_us : 200000;
		struct coming *c = coming_add(h, COMING_DELIVERY, h->now_us + latency / 2, f->id);
		if (c == NULL)
			return err_set(e, ERR_MEMORY, "no memory for a call");
		c->body = json_incref(f->body);
		c->place = place_of(h, f->facility);
		h->counts.calls++;
		return 0;
	}
	json_t *result = NULL;
	if (f->kind == EFFECT_compute) {
		int rc = h->o.compute_by ? h->o.compute_by(h->o.compute_ctx, &h->compute, f->body, &result, e) :
			compute_run(&h->compute, f->body, &result, e);
		if (rc < 0)
			return -1;
		h->counts.computes++;
	} else {
		result = json_pack("{s:b}", "ok", 1);
		h->counts.messages++;
	}
	int64_t took = f->kind == EFFECT_compute ? (h->o.compute_us ? h->o.compute_us : 50000) : 1000;
	struct coming *c = coming_add(h, COMING_RESULT, h->now_us + took, f->id);
	if (c == NULL || result == NULL) {
		json_decref(result);
		return err_set(e, ERR_MEMORY, "no memory for a result");
	}
	c->body = result;
	return 0;
}

static int check(struct sim_host *h, bool all, struct err *e)
{
	if (!h->o.check_every_step)
		return 0;
	return core_check(h->core, all || h->counts.turns % 100 == 0 ? CHECK_ALL : CHECK_TOUCHED, e);
}

/* SQLite asks before each commit: not 0 rolls it back. Here, and not by the order of the lines in turn(), it is known what was durable. */
static int on_commit(void *ctx)
{
	struct sim_host *h = ctx;
	if (h->doom.commit == 0 || --h->doom.commit > 0)
		return 0;
	h->died = true;
	return !h->doom.after;
}

/* rc, unless it died meanwhile: then it is started again, and what went wrong went with it. */
static int revive(struct sim_host *h, int rc, struct err *e)
{
	if (!h->died)
		return rc;
	h->died = false;
	*e = (struct err){0};
	return sim_host_crash(h, h->doom.down_us, h->doom.lost, e);
}

/* BEGIN, the input (none for a mere release), release, COMMIT; then hands over exactly what was marked. */
static int turn(struct sim_host *h, struct input *in, struct err *e)
{
	struct effects out = {0};
	int64_t utc_us = h->now_us + h->wall_shift_us;
	if (core_begin(h->core, e) < 0)
		return -1;
	in->utc_us = utc_us;
	in->tick_us = h->tick_us;
	for (size_t i = 0; i < sizeof in->random; i++)
		in->random[i] = (uint8_t)(h->made * 31 + (int64_t)i * 7);
	int rc = core_step(h->core, in, e);
	if (rc == 0)
		rc = core_release(h->core, utc_us, h->tick_us, &out, e);
	if (rc == 0)
		rc = core_commit(h->core, e);
	h->counts.turns++;
	json_decref(h->answer);
	h->answer = rc == 0 ? json_incref((json_t *)core_answer(h->core)) : NULL;
	for (size_t i = 0; rc == 0 && i < out.count; i++)
		rc = hand_over(h, &out.list[i], e);
	effects_free(&out);
	json_decref(core_alarms(h->core));
	if (h->died)
		return revive(h, rc, e);
	return rc < 0 ? -1 : check(h, false, e);
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
		rc = turn(h, &in, e);
	} else {
		char *text = json_canonical(c.body);
		struct input in = {.kind = INPUT_result, .effect = c.effect, .body = text, .len = text ? strlen(text) : 0};
		rc = text ? turn(h, &in, e) : err_set(e, ERR_MEMORY, "no memory for a result");
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
		if ((timer ? turn(h, &in, e) : arrive(h, first, e)) < 0)
			return -1;
		if (idle == 999)
			return err_set(e, ERR_STORE, "a timer stays due: core_due does not move on");
	}
	pass(h, until_us);
	portals_advance(h);
	return 0;
}

/* ---- inputs from outside ---- */
int sim_host_alert(struct sim_host *h, const char *topic, const void *bytes, size_t len, struct err *e)
{
	static const char heard[] = "SELECT next_offset FROM source_position WHERE source='sim' AND topic=?";
	struct input in = {.kind = INPUT_alert, .body = bytes, .len = len, .source = "sim", .topic = topic, .cluster = "sim",
		.offset = ++h->offset, .timestamp_us = h->now_us};
	int64_t crashes = h->counts.crashes, position = 0;
	int rc = turn(h, &in, e);
	if (rc < 0 || h->counts.crashes == crashes)
		return rc;
	/* it died over this message: what is behind the stored position is sent again */
	rc = query_int(h->o.db, &position, e, heard, "t", topic);
	return rc < 0 ? -1 : position < h->offset ? turn(h, &in, e) : 0;
}

int sim_host_order(struct sim_host *h, int64_t uid, const json_t *order, json_t **answer, struct err *e)
{
	char *text = json_canonical(order);
	if (text == NULL)
		return err_set(e, ERR_MEMORY, "no memory for an order");
	struct input in = {.kind = INPUT_order, .body = text, .len = strlen(text), .uid = uid, .pid = 1};
	int rc = turn(h, &in, e);
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
	int rc = text ? turn(h, &in, e) : err_set(e, ERR_MEMORY, "no memory for a clock step");
	free(text);
	json_decref(body);
	return rc;
}

int sim_host_reload(struct sim_host *h, struct err *e)
{
	char *text = json_canonical(h->o.config);
	struct input in = {.kind = INPUT_config, .body = text, .len = text ? strlen(text) : 0};
	int rc = text ? turn(h, &in, e) : err_set(e, ERR_MEMORY, "no memory for the configuration");
	free(text);
	return rc;
}

/* ---- life ---- */
static int start(struct sim_host *h, struct err *e)
{
	h->core = h->core ? core_reopen(h->core, e) : core_open(h->o.db, e);
	if (h->core == NULL)
		return -1;
	if (core_begin(h->core, e) < 0 || core_recover(h->core, e) < 0 || core_commit(h->core, e) < 0 || h->died)
		return revive(h, -1, e);
	int64_t seq, utc_us, tick_us;
	if (core_last(h->core, &seq, &utc_us, &tick_us, e) < 0)
		return -1;
	if (tick_us > h->tick_us)
		h->tick_us = tick_us;
	return sim_host_reload(h, e);
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
	h->offset = options->offset;
	if (start(h, e) < 0) {
		sim_host_free(h);
		return NULL;
	}
	return h;
}

/* What was on its way to the portal arrives there; nothing comes back. */
static int deliver_all(struct sim_host *h, bool lost, struct err *e)
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
		deliver_all(h, false, &ignored);
	sim_host_free(h);
}

void sim_host_doom(struct sim_host *h, const struct sim_doom *doom)
{
	h->doom = *doom;
	sqlite3_commit_hook(h->o.db, doom->commit > 0 ? on_commit : NULL, h);
}

int sim_host_crash(struct sim_host *h, int64_t down_us, bool lost, struct err *e)
{
	if (deliver_all(h, lost, e) < 0)
		return -1;
	h->counts.crashes++;
	h->now_us += down_us; /* downtime adds nothing to delays: the tick stays */
	portals_advance(h);
	return start(h, e) < 0 ? -1 : check(h, true, e);
}

void sim_host_free(struct sim_host *h)
{
	if (h == NULL)
		return;
	while (h->count > 0)
		coming_drop(h, h->count - 1);
	sqlite3_commit_hook(h->o.db, NULL, NULL);
	free(h->coming);
	core_close(h->core);
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

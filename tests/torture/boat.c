/* The engine in a boat: the turns of core_thread.c, one by one in this thread, so that a test may fork at any point of them, and a small
 * world around: portal, computations, somebody who mends. Included by its tests, as it includes what it drives. */
#include "engine/io/core_thread.c"
#include "canonical.h"
#include "facilities/facility.h"
#include "sim/disk.h"

#define LATENCY_US 200000
#define REPAIR_US (60 * UTC_SECOND)

static struct canonical world;
static struct disk *disk;

/* ---- the engine, turn by turn in this thread, and its world ---- */
struct coming {
	int64_t at_us, effect;
	json_t *call;            /* to the portal; NULL: an answer to us */
	struct letter *letter;
};
struct boat {
	struct core_thread *t;
	struct clock clock;
	struct lock lock;
	struct sim_portal *portal;
	struct compute_host compute;
	struct coming list[64];
	size_t count;
	int64_t now_us, tick_us, due_utc_us, due_tick_us;
	int64_t heard;
	int64_t mend_us;         /* when somebody makes room */
	bool hurt, mended;       /* something was made to fail; all works again */
	int filled, deaths;      /* how often the disk was full, how often the engine stopped with 75 */
	char state[64];          /* where the ballast lies: state.ballast */
};

static struct boat boat;
static void boat_at_work(bool engine); /* of the test: from here on it is the engine that calls; or the world again */

static void no_wake(void *ctx)
{
	(void)ctx;
}

static void coming_add(struct boat *b, struct coming c)
{
	must(b->count < sizeof b->list / sizeof b->list[0]);
	b->list[b->count++] = c;
}

static int blob_read(void *ctx, const char *sha256, unsigned char **bytes, size_t *len, struct err *e)
{
	struct boat *b = ctx;
	sqlite3_stmt *q = query_prepare(b->t->o.db, "SELECT body FROM blob WHERE sha256 = ?", e);
	if (q == NULL || query_bind(q, e, "t", sha256) < 0 || query_step(q, e) != 1)
		return -1;
	*len = (size_t)sqlite3_column_bytes(q, 0);
	*bytes = malloc(*len);
	memcpy(*bytes, sqlite3_column_blob(q, 0), *len);
	sqlite3_finalize(q);
	return 0;
}

static int effect_take(struct boat *b, const struct effect *f, bool full, struct err *e)
{
	char verb[32] = "";
	json_t *result = NULL;
	if (f->kind == EFFECT_call) {
		if (query_text(b->t->o.db, verb, sizeof verb, e, "SELECT verb FROM effect WHERE id=?", "i", f->id) < 0)
			return -1;
		if (full && (strcmp(verb, "submit") == 0 || strcmp(verb, "offer") == 0))
			return err_set(e, ERR_INPUT, "asked a telescope (%s) while the disk was full", verb);
		coming_add(b, (struct coming){.at_us = b->now_us + LATENCY_US / 2, .effect = f->id, .call = json_incref(f->body)});
		return 0;
	}
	if (f->kind == EFFECT_message)
		result = json_pack("{s:b}", "ok", 1);
	else if (sim_stage_compute(world.stage, &b->compute, f->body, &result, e) < 0)
		return -1;
	struct letter *l = letter_json(INPUT_result, result);
	l->in.effect = f->id;
	coming_add(b, (struct coming){.at_us = b->now_us + 50000, .letter = l});
	json_decref(result);
	return 0;
}

/* What the loop would do with the turns that are done. */
static int turns_take(struct boat *b, struct err *e)
{
	struct turn *turn;
	int rc = 0;
	while ((turn = core_thread_turn(b->t)) != NULL) {
		b->due_utc_us = turn->due_utc_us;
		b->due_tick_us = turn->due_tick_us;
		for (size_t i = 0; rc == 0 && i < turn->effects.count; i++)
			rc = effect_take(b, &turn->effects.list[i], turn->disk_full, e);
		if (turn->disk_full && b->mend_us == INT64_MAX) {
			b->mend_us = b->now_us + REPAIR_US;
			b->filled++;
		}
		turn_free(turn);
	}
	return rc;
}

/* One round of core_thread_main. -1: the engine stops with 75. */
static int round_run(struct boat *b, struct err *e)
{
	struct letters batch = {0};
	batch_take(b->t, &batch);
	if (batch.count == 0)
		return 0;
	b->t->was_busy = true;
	boat_at_work(true);
	int rc = turn_run(b->t, &batch, e);
	boat_at_work(false);
	if (rc != 0) {
		letters_free(&batch);
		return -1;
	}
	if (b->t->refused.first != NULL)
		turn_notice(b->t);
	return turns_take(b, e);
}

static int letter_feed(struct boat *b, struct letter *l, struct err *e)
{
	memset(l->in.random, 7, sizeof l->in.random); /* the same night twice gives the same rows */
	letters_put(&b->t->lane[l->lane], l);
	return round_run(b, e);
}

static int deliver(struct boat *b, struct coming *c, struct err *e)
{
	struct call call = {0};
	struct sim_reply reply = {.retry_after_s = -1};
	if (call_from_json(c->call, &call, e) < 0)
		return -1;
	struct sim_call in = {.method = call.method, .path = call.path, .query = call.query, .authorization = CANONICAL_TOKEN,
		.content_type = call.content_type, .body = call.body, .len = call.body_len};
	must(sim_portal_call(b->portal, b->now_us, &in, &reply) == 0);
	bool answered = reply.drop == SIM_REPLY;
	struct letter *l = letter_new(INPUT_reply, reply.body, answered ? reply.len : 0);
	l->in.effect = c->effect;
	l->in.reply.sent = answered ? SENT_ANSWERED : reply.drop == SIM_REFUSED ? SENT_NO : SENT_MAYBE;
	l->in.reply.status = answered ? reply.status : 0;
	snprintf(l->content_type, sizeof l->content_type, "%s", answered ? reply.content_type : "");
	snprintf(l->transport, sizeof l->transport, "%s", answered ? "" : "connection closed before an answer");
	coming_add(b, (struct coming){.at_us = b->now_us + LATENCY_US / 2, .letter = l});
	call_free(&call);
	json_decref(c->call);
	sim_reply_free(&reply);
	return 0;
}

static void pass(struct boat *b, int64_t to_us)
{
	b->tick_us += to_us > b->now_us ? to_us - b->now_us : 0;
	b->now_us = to_us > b->now_us ? to_us : b->now_us;
	b->clock = (struct clock){.made_up = true, .start_us = b->now_us, .tick_base_us = b->tick_us};
}

static size_t coming_first(const struct boat *b)
{
	size_t best = 0;
	for (size_t i = 1; i < b->count; i++)
		if (b->list[i].at_us < b->list[best].at_us)
			best = i;
	return best;
}

/* Somebody makes room: the idle core sees it. */
static int mend(struct boat *b, struct err *e)
{
	b->mended = true;
	b->mend_us = INT64_MAX;
	if (idle(b->t, e) != 0 || turns_take(b, e) != 0)
		return -1;
	must(!b->t->full);
	return round_run(b, e);
}

static int boat_until(struct boat *b, int64_t until_us, struct err *e)
{
	for (int n = 0; n < 2000; n++) {
		int64_t timer_us = b->due_utc_us, at_us = until_us;
		if (b->due_tick_us != INT64_MAX && b->now_us + (b->due_tick_us - b->tick_us) < timer_us)
			timer_us = b->now_us + (b->due_tick_us - b->tick_us);
		size_t first = coming_first(b);
		int64_t first_us = b->count > 0 ? b->list[first].at_us : INT64_MAX;
		at_us = timer_us < first_us ? timer_us : first_us;
		at_us = b->mend_us < at_us ? b->mend_us : at_us;
		if (at_us > until_us) {
			pass(b, until_us);
			boat_at_work(true);
			int rc = idle(b->t, e);
			boat_at_work(false);
			return rc;
		}
		pass(b, at_us);
		int rc;
		if (at_us == b->mend_us) {
			rc = mend(b, e);
		} else if (at_us == first_us) {
			struct coming c = b->list[first];
			memmove(&b->list[first], &b->list[first + 1], (--b->count - first) * sizeof c);
			rc = c.call ? deliver(b, &c, e) : letter_feed(b, c.letter, e);
		} else {
			rc = letter_feed(b, letter_new(INPUT_timer, NULL, 0), e);
		}
		if (rc != 0)
			return -1;
	}
	return err_set(e, ERR_LIMIT, "the night does not come to rest");
}

/* ---- lives ---- */
static int boat_open(struct boat *b, struct err *e)
{
	struct core_thread *t = b->t;
	int64_t utc_us;
	if (query_open("boat.db", QUERY_WRITE, &t->o.db, e) < 0)
		return -1;
	t->core = core_open(t->o.db, e);
	if (t->core == NULL || core_last(t->core, &t->seq, &utc_us, &b->tick_us, e) != 0 ||
		query_int(t->o.db, &b->heard, e, "SELECT next_offset FROM source_position", "") < 0)
		return -1;
	t->news = news_open(t->o.db, t->seq, e);
	return t->news == NULL ? -1 : 0;
}

static int boat_start(struct boat *b, struct err *e)
{
	struct core_thread *t = b->t = calloc(1, sizeof *t);
	init_wait(t);
	b->mend_us = b->due_utc_us = b->due_tick_us = INT64_MAX;
	b->heard = 0;
	t->o.lock = &b->lock;
	t->o.clock = &b->clock;
	t->o.wake = no_wake;
	t->o.recover = true;
	ballast_open(&t->ballast, b->state);
	boat_at_work(true);
	int rc = boat_open(b, e);
	boat_at_work(false);
	pass(b, b->now_us);
	return rc < 0 ? -1 : letter_feed(b, letter_json(INPUT_config, world.config), e);
}

static int boat_run(struct boat *b, struct err *e)
{
	for (int64_t i = b->heard; i < CANONICAL_MESSAGES; i++) {
		if (boat_until(b, world.at_us[i], e) < 0)
			return -1;
		struct letter *l = letter_new(INPUT_alert, world.message[i].data, world.message[i].len);
		snprintf(l->source, sizeof l->source, "sim");
		snprintf(l->cluster, sizeof l->cluster, "sim");
		snprintf(l->topic, sizeof l->topic, "%s", CANONICAL_TOPIC);
		l->in.offset = i + 1;
		l->in.partition = 0;
		l->in.timestamp_us = b->now_us;
		if (letter_feed(b, l, e) < 0)
			return -1;
	}
	return boat_until(b, CANONICAL_END_US + 2 * REPAIR_US, e);
}

/* Exit 75: calls that were on their way arrive, their answers do not; then somebody mends the disk. */
static void boat_die(struct boat *b)
{
	struct err ignored = {0};
	for (size_t n = b->count, i = 0; i < n; i++) {
		struct coming c = b->list[i];
		if (c.call != NULL)
			deliver(b, &c, &ignored);
	}
	b->count = 0;
	struct core_thread *t = b->t;
	letters_free(&t->lane[0]);
	letters_free(&t->lane[1]);
	news_close(t->news);
	core_close(t->core);
	sqlite3_close_v2(t->o.db);
	free(t);
	b->mended = true;
	disk_reboot(disk, DISK_KEEP, 0);
	pass(b, b->now_us + REPAIR_US);
}

/* A life, and where it ends early (exit 75) the next one, on a disk that works. */
static int boat_night(struct boat *b, struct err *e)
{
	int rc = -1;
	b->portal = sim_portal_new(world.setup, 7);
	b->now_us = CANONICAL_START_US - UTC_MINUTE;
	b->lock.fd = -1;
	b->compute = (struct compute_host){.read_map = skymap_read, .catalog = sim_stage_catalog(world.stage), .blob = blob_read, .ctx = b};
	for (int life = 0; life < 2 && rc != 0; life++) {
		if (life > 0 && (!b->hurt || e->kind == ERR_INPUT || e->kind == ERR_LIMIT))
			break; /* nothing was wrong with the machine */
		if (life > 0) {
			b->deaths++;
			*e = (struct err){0};
			boat_die(b);
		}
		rc = boat_start(b, e);
		if (rc == 0)
			rc = boat_run(b, e);
	}
	return rc == 0 ? canonical_judge(b->t->o.db, b->portal, e) : rc; /* the process ends: nothing is given back */
}

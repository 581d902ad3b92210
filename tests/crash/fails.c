/* A disk that fails: each call of SQLite to its file system fails in turn (once, or from then on until somebody mends it), with a full disk
 * or an error of input or output. The engine's own turns (core_thread.c) meet it: the core anew, letters singly, ballast, stop. Afterwards
 * nothing is lost, nothing is asked twice, and while the disk was full nothing new was asked of a telescope (I13).
 * The canonical night is played once; at each call the process forks, and the child is the one that meets the failure. FAILS=1 tries every
 * call in each way, FAILS=n every n-th call in one way by turns (11). */
#include "engine/io/core_thread.c"
#include "test.h"
#include "canonical.h"
#include "facilities/facility.h"
#include "sim/disk.h"
#include <sys/wait.h>

#define AT_ONCE 2       /* children that live at the same time */
#define ROOM_CALLS 2000 /* writes for which the ballast makes room: 8 MiB in pages */
#define REPAIR_US (60 * UTC_SECOND)
#define LATENCY_US 200000

static struct canonical world;
static struct disk *disk;

static const struct way {
	const char *name, *kinds;
	int code;
	bool on; /* from then on; else once */
} ways[] = {
	{"fails once", "wstdrozm", SQLITE_IOERR, false},
	{"fails from then on", "wstdrozm", SQLITE_IOERR, true},
	{"is full once", "w", SQLITE_FULL, false},
	{"is full from then on", "w", SQLITE_FULL, true},
};
#define WAYS (sizeof ways / sizeof ways[0])

static struct trial {
	int64_t calls, step, tried, failed, filled, deaths;
	int running;
	bool masked;             /* the world's own doings */
	const struct way *way;   /* child: what it meets; NULL in the parent */
	bool over;               /* it has been met, or mended */
	int64_t room;            /* full: writes that the ballast still allows; < 0 not freed yet */
	char state[64], ballast[80];
} trial;

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
	int64_t now_us, tick_us, due_utc_us, due_tick_us, mend_us;
	int64_t heard;
};

static struct boat boat;

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
	trial.masked = true;
	while ((turn = core_thread_turn(b->t)) != NULL) {
		b->due_utc_us = turn->due_utc_us;
		b->due_tick_us = turn->due_tick_us;
		for (size_t i = 0; rc == 0 && i < turn->effects.count; i++)
			rc = effect_take(b, &turn->effects.list[i], turn->disk_full, e);
		if (turn->disk_full && b->mend_us == INT64_MAX) {
			b->mend_us = b->now_us + REPAIR_US;
			trial.filled++;
		}
		turn_free(turn);
	}
	trial.masked = false;
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
	if (turn_run(b->t, &batch, e) != 0) {
		letters_free(&batch);
		return -1;
	}
	if (b->t->refused.first != NULL)
		turn_notice(b->t);
	return turns_take(b, e);
}

static int letter_feed(struct boat *b, struct letter *l, struct err *e)
{
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
	trial.over = true;
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
			return idle(b->t, e);
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
static int boat_start(struct boat *b, struct err *e)
{
	struct core_thread *t = b->t = calloc(1, sizeof *t);
	int64_t seq, utc_us;
	init_wait(t);
	b->mend_us = b->due_utc_us = b->due_tick_us = INT64_MAX;
	b->heard = 0;
	pass(b, b->now_us);
	ballast_open(&t->ballast, trial.state);
	if (query_open("fails.db", QUERY_WRITE, &t->o.db, e) < 0)
		return -1;
	t->core = core_open(t->o.db, e);
	if (t->core == NULL || core_last(t->core, &t->seq, &utc_us, &b->tick_us, e) != 0 ||
		query_int(t->o.db, &b->heard, e, "SELECT next_offset FROM source_position", "") < 0)
		return -1;
	seq = t->seq;
	pass(b, b->now_us);
	t->news = news_open(t->o.db, seq, e);
	t->o.lock = &b->lock;
	t->o.clock = &b->clock;
	t->o.wake = no_wake;
	t->o.recover = true;
	if (t->news == NULL)
		return -1;
	return letter_feed(b, letter_json(INPUT_config, world.config), e);
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
	trial.over = true;
	disk_reboot(disk, DISK_KEEP, 0);
	pass(b, b->now_us + REPAIR_US);
}

static int night(struct err *e)
{
	struct boat *b = &boat;
	int rc = -1;
	*b = (struct boat){.portal = sim_portal_new(world.setup, 7), .now_us = CANONICAL_START_US - UTC_MINUTE, .lock.fd = -1};
	b->compute = (struct compute_host){.read_map = skymap_read, .catalog = sim_stage_catalog(world.stage), .blob = blob_read, .ctx = b};
	for (int life = 0; life < 2 && rc != 0; life++) {
		if (life > 0 && (trial.way == NULL || e->kind == ERR_INPUT || e->kind == ERR_LIMIT))
			break; /* nothing was wrong with the disk */
		if (life > 0) {
			trial.deaths++;
			*e = (struct err){0};
			boat_die(b);
		}
		rc = boat_start(b, e);
		if (rc == 0)
			rc = boat_run(b, e);
	}
	trial.masked = true;
	return rc == 0 ? canonical_judge(b->t->o.db, b->portal, e) : rc; /* the process ends: nothing is given back */
}

/* ---- every call ---- */
static void reap(void)
{
	int status = -1;
	must(wait(&status) > 0);
	trial.running--;
	trial.failed += !WIFEXITED(status) || (WEXITSTATUS(status) & 1);
	if (WIFEXITED(status)) {
		trial.deaths += (WEXITSTATUS(status) & 2) != 0;
		trial.filled += (WEXITSTATUS(status) & 4) != 0;
	}
}

/* Each process its own ballast. */
static void ballast_name(void)
{
	snprintf(trial.state, sizeof trial.state, "/tmp/slew-fails-%d", (int)getpid());
	snprintf(trial.ballast, sizeof trial.ballast, "%s.ballast", trial.state);
	if (boat.t != NULL)
		ballast_open(&boat.t->ballast, trial.state);
}

/* true in the child. */
static bool split(const struct way *way)
{
	if (trial.running == AT_ONCE)
		reap();
	fflush(NULL);
	pid_t pid = fork();
	must(pid >= 0);
	if (pid == 0) {
		trial.way = way;
		trial.room = -1;
		trial.over = !way->on;
		trial.deaths = trial.filled = 0;
		ballast_name();
		return true;
	}
	trial.running++;
	trial.tried++;
	return false;
}

static int fate_of_child(char kind)
{
	const struct way *w = trial.way;
	if (trial.over || strchr(w->kinds, kind) == NULL)
		return 0;
	if (w->code != SQLITE_FULL)
		return w->code;
	if (trial.room < 0 && access(trial.ballast, F_OK) != 0)
		trial.room = ROOM_CALLS;
	return trial.room > 0 && trial.room-- ? 0 : SQLITE_FULL;
}

static int fate(void *ctx, char kind)
{
	(void)ctx;
	if (trial.masked)
		return 0;
	if (trial.way != NULL)
		return fate_of_child(kind);
	trial.calls++;
	for (size_t i = 0; i < WAYS; i++)
		if (strchr(ways[i].kinds, kind) != NULL &&
			(trial.step == 1 || (trial.calls % trial.step == 0 && i == (size_t)(trial.calls / trial.step) % WAYS)))
			if (split(&ways[i]))
				return ways[i].code;
	return 0;
}

static void fails_at_each(void **state)
{
	(void)state;
	struct err e = {0};
	const char *every = getenv("FAILS");
	trial.step = every ? atoll(every) : 11;
	trial.step = trial.step < 1 ? 1 : trial.step;
	disk = disk_new("disk-that-fails");
	canonical_make(&world);
	ballast_name();
	disk_ask(disk, fate, NULL);
	int rc = night(&e);
	unlink(trial.ballast);
	if (trial.way != NULL) {
		if (rc != 0)
			fprintf(stderr, "# call %lld %s: %s\n", (long long)trial.calls, trial.way->name, e.text);
		_exit((rc != 0) | (trial.deaths > 0) << 1 | (trial.filled > 0) << 2);
	}
	while (trial.running > 0)
		reap();
	assert_ok(rc, &e);
	printf("# %lld calls; %lld failures tried: %lld stopped the engine, %lld filled the disk; %lld went wrong\n", (long long)trial.calls,
		(long long)trial.tried, (long long)trial.deaths, (long long)trial.filled, (long long)trial.failed);
	assert_true(trial.deaths > 0 && trial.filled > 0);
	assert_int_equal(trial.failed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(fails_at_each)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Turns: BEGIN, step each letter, release, COMMIT, hand over. See core_thread.h. */
#include "engine/io/core_thread.h"
#include "engine/base/limits.h"
#include "engine/base/query.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include "engine/io/ballast.h"
#include "engine/io/news.h"
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define IDLE_S 1

struct core_thread {
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t wake;
	/* under the mutex */
	struct letters lane[2];
	struct turn *done_first, *done_last;
	bool quiet, stopping, dead;
	/* the thread's own */
	struct core_thread_options o;
	struct core *core;
	struct news *news;
	struct ballast ballast;
	bool full, recovered, was_busy;
	bool no_room;               /* the last turn failed for want of room on the disk */
	struct letters refused;     /* orders that must wait for room: told so, not kept */
	int64_t seq;
	struct clock_watch watch;
};

void turn_free(struct turn *t)
{
	if (t == NULL)
		return;
	letters_free(&t->letters);
	effects_free(&t->effects);
	json_decref(t->alarms);
	json_decref(t->news);
	free(t);
}

/* -- one turn ---------------------------------------------------------------------------------------------------------------- */

static int step_all(struct core_thread *t, struct letters *batch, struct err *e)
{
	if (t->o.recover && !t->recovered && core_recover(t->core, e) != 0)
		return -1;
	for (struct letter *l = batch->first; l != NULL; l = l->next) {
		l->in.utc_us = clock_utc_us(t->o.clock);
		l->in.tick_us = clock_tick_us(t->o.clock);
		if (core_step(t->core, &l->in, e) != 0)
			return -1;
		int64_t utc_us, tick_us;
		if (core_last(t->core, &l->seq, &utc_us, &tick_us, e) != 0)
			return -1;
		json_decref(l->answer);
		l->answer = json_deep_copy(core_answer(t->core));
		l->reject[0] = '\0';
		if (query_text(t->o.db, l->reject, sizeof l->reject, e, "SELECT reason FROM reject WHERE seq = ?", "i", l->seq) < 0)
			return -1;
	}
	return 0;
}

/* The whole batch in one transaction; on -1 nothing of it is left on disk and turn->effects is empty. */
static int turn_try(struct core_thread *t, struct letters *batch, struct turn *turn, struct err *e)
{
	bool quiet;
	pthread_mutex_lock(&t->mutex);
	quiet = t->quiet;
	pthread_mutex_unlock(&t->mutex);
	errno = 0;
	t->no_room = false;
	if (core_begin(t->core, e) != 0)
		return -1;
	core_quiet(t->core, quiet);
	int rc = step_all(t, batch, e);
	int64_t utc_us = clock_utc_us(t->o.clock), tick_us = clock_tick_us(t->o.clock);
	if (batch->last != NULL) { /* effects carry the moment of the last input: a replay knows no other */
		utc_us = batch->last->in.utc_us;
		tick_us = batch->last->in.tick_us;
	}
	if (rc == 0 && !quiet)
		rc = core_release(t->core, utc_us, tick_us, &turn->effects, e);
	if (rc == 0)
		rc = core_commit(t->core, e);
	if (rc == 0)
		return 0;
	effects_free(&turn->effects);
	turn->effects = (struct effects){0};
	t->no_room = (sqlite3_errcode(t->o.db) & 0xff) == SQLITE_FULL || errno == ENOSPC || strstr(e->text, "is full") != NULL;
	struct err ignored = {0}; /* the first error is the one that counts */
	if (sqlite3_get_autocommit(t->o.db) == 0)
		query_run(t->o.db, &ignored, "ROLLBACK", "");
	return -1;
}

static int core_anew(struct core_thread *t, struct err *e)
{
	core_close(t->core);
	t->core = core_open(t->o.db, e);
	return t->core == NULL ? -1 : 0;
}

static void turn_give(struct core_thread *t, struct turn *turn)
{
	pthread_mutex_lock(&t->mutex);
	if (t->done_last != NULL)
		t->done_last->next = turn;
	else
		t->done_first = turn;
	t->done_last = turn;
	pthread_mutex_unlock(&t->mutex);
	t->o.wake(t->o.ctx);
}

/* After COMMIT: everything the loop needs to know. Cannot fail: what is on disk is handed over; a core that is sick by now shows it at
 * the next step, which is made to come soon. */
static void turn_close(struct core_thread *t, struct letters *batch, struct turn *turn)
{
	struct err e = {0};
	t->recovered = true;
	if (batch->last != NULL)
		t->seq = batch->last->seq;
	turn->seq = t->seq;
	if (t->o.store_id[0] == '\0')
		query_text(t->o.db, t->o.store_id, sizeof t->o.store_id, &e, "SELECT id FROM store", "");
	if (t->o.store_id[0] != '\0')
		lock_remember(t->o.lock, t->o.store_id, t->seq);
	letters_move(&turn->letters, batch);
	turn->alarms = core_alarms(t->core);
	turn->news = news_read(t->news);
	turn->disk_full = t->full;
	if (core_due(t->core, &turn->due_utc_us, &turn->due_tick_us, &e) != 0)
		turn->due_tick_us = 0;
	turn_give(t, turn);
}

/* A turn in which nothing was written: tells that the disk is full, or has room again, and refuses orders. */
static void turn_notice(struct core_thread *t)
{
	struct err e = {0};
	struct turn *turn = calloc(1, sizeof *turn);
	if (turn == NULL)
		return;
	turn->seq = t->seq;
	turn->disk_full = t->full;
	turn->due_utc_us = turn->due_tick_us = INT64_MAX;
	core_due(t->core, &turn->due_utc_us, &turn->due_tick_us, &e);
	letters_move(&turn->letters, &t->refused);
	turn_give(t, turn);
}

/* On a full disk: false when the letter may not go. Somebody who waits for an answer gets one; the rest waits for room, and what came
 * from a source has not moved its position: nor may a retraction that goes before it, or what waits would be lost in a crash. It is
 * heard again then, and is a repetition. */
static bool full_lets(struct core_thread *t, struct letter *l, struct letters *keep)
{
	if (ballast_worthy(l)) {
		l->in.offset = -1;
		return true;
	}
	if (l->origin != 0 && l->owner == NULL) {
		text_copy(l->reject, sizeof l->reject, "the disk is full: only retractions, veto, hold and cancel are taken; make room, then ask again");
		letters_put(&t->refused, l);
	} else {
		letters_put(keep, l);
	}
	return false;
}

static int turn_once(struct core_thread *t, struct letters *batch, struct err *e)
{
	struct turn *turn = calloc(1, sizeof *turn);
	if (turn == NULL)
		return err_set(e, ERR_MEMORY, "turn: no memory; give the engine more");
	turn->due_utc_us = turn->due_tick_us = INT64_MAX;
	if (turn_try(t, batch, turn, e) != 0) {
		turn_free(turn);
		return -1;
	}
	turn_close(t, batch, turn);
	return 0;
}

/* The gate `disk`: closed while there is no room, so that nothing new is asked. Where not even that can be written, nothing can be
 * released either. */
static int disk_says(struct core_thread *t, bool full, struct err *e)
{
	struct letters one = {0};
	struct letter *l = letter_new(INPUT_order, full ? "{\"verb\":\"disk\",\"full\":true}" : "{\"verb\":\"disk\",\"full\":false}", full ? 27 : 28);
	if (l == NULL)
		return 0;
	l->in.uid = (int64_t)geteuid();
	l->in.pid = (int64_t)getpid();
	letters_put(&one, l);
	if (turn_once(t, &one, e) == 0)
		return 0;
	letters_free(&one);
	*e = (struct err){0};
	return core_anew(t, e);
}

/* What waits for room goes back to where it was: before all that came meanwhile, or a position would pass it. */
static void lanes_back(struct core_thread *t, struct letters kept[2])
{
	pthread_mutex_lock(&t->mutex);
	for (int lane = LANE_CONTROL; lane <= LANE_BULK; lane++) {
		letters_move(&kept[lane], &t->lane[lane]);
		t->lane[lane] = kept[lane];
	}
	pthread_mutex_unlock(&t->mutex);
}

/* A turn that failed: the core anew, then its letters one by one, once. On a full disk the ballast goes first. */
static int turn_again(struct core_thread *t, struct letters *batch, struct err *e)
{
	struct letters kept[2] = {0};
	bool newly_full = t->no_room && !t->full;
	if (newly_full) {
		t->full = true;
		ballast_free(&t->ballast);
	}
	*e = (struct err){0};
	if (core_anew(t, e) != 0)
		return -1;
	if (newly_full) {
		turn_notice(t);
		if (disk_says(t, true, e) != 0)
			return -1;
	}
	while (batch->first != NULL) {
		struct letters one = {0};
		struct letter *l = letters_get(batch);
		if (t->full && !full_lets(t, l, &kept[l->lane]))
			continue;
		letters_put(&one, l);
		if (turn_once(t, &one, e) != 0) {
			letters_move(&one, batch);
			*batch = one;
			lanes_back(t, kept);
			return -1;
		}
	}
	lanes_back(t, kept);
	return 0;
}

static int turn_run(struct core_thread *t, struct letters *batch, struct err *e)
{
	if (turn_once(t, batch, e) == 0)
		return 0;
	return turn_again(t, batch, e);
}

/* -- the lanes --------------------------------------------------------------------------------------------------------------- */

/* Under the mutex. Control first, at least one letter, up to the limits of a turn. On a full disk only what may go. */
static void batch_take(struct core_thread *t, struct letters *batch)
{
	for (int lane = LANE_CONTROL; lane <= LANE_BULK; lane++) {
		if (lane == LANE_BULK && t->quiet)
			break;
		struct letters keep = {0};
		while (t->lane[lane].first != NULL && batch->count < LIMIT_TURN_INPUTS) {
			size_t cost = letter_cost(t->lane[lane].first);
			if (batch->count > 0 && batch->bytes + cost > LIMIT_TURN_BYTES)
				break;
			struct letter *l = letters_get(&t->lane[lane]);
			if (!t->full || full_lets(t, l, &keep))
				letters_put(batch, l);
		}
		letters_move(&keep, &t->lane[lane]);
		t->lane[lane] = keep;
	}
}

/* The loop looks at the wall clock once a second; a turn within that second would submit by a clock that has just jumped. */
static void batch_clock(struct core_thread *t, struct letters *batch)
{
	struct letters first = {0};
	char body[48];
	int64_t step_us = clock_step_us(t->o.clock, &t->watch);
	struct letter *l = NULL;
	if (step_us != 0)
		l = letter_new(INPUT_clock, body, (size_t)snprintf(body, sizeof body, "{\"step_us\":%" PRId64 "}", step_us));
	if (l == NULL)
		return;
	letters_put(&first, l);
	letters_move(&first, batch);
	*batch = first;
}

/* Under the mutex: waits for work, for at most IDLE_S. */
static void wait_for_work(struct core_thread *t)
{
	bool work = t->lane[LANE_CONTROL].count > 0 || (t->lane[LANE_BULK].count > 0 && !t->quiet);
	if ((work && !t->full) || t->stopping)
		return;
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += IDLE_S;
	pthread_cond_timedwait(&t->wake, &t->mutex, &until);
}

/* Nothing to do: move the WAL into the database without waiting for readers, look whether a full disk has room again. */
static int idle(struct core_thread *t, struct err *e)
{
	if (t->was_busy && !t->full) /* it makes the database grow: the ballast's room is not for that */
		sqlite3_wal_checkpoint_v2(t->o.db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	t->was_busy = false;
	if (t->full && ballast_renew(&t->ballast) == 0) {
		t->full = false;
		turn_notice(t);
		return disk_says(t, false, e);
	}
	return 0;
}

static void die(struct core_thread *t, struct letters *batch, const struct err *e)
{
	letters_free(batch); /* not on disk: the positions have not moved, nobody was answered */
	struct turn *turn = calloc(1, sizeof *turn);
	must_memory(turn != NULL);
	turn->dead = true;
	turn->error = *e;
	turn->error.kind = ERR_STORE;
	pthread_mutex_lock(&t->mutex);
	t->dead = true;
	pthread_mutex_unlock(&t->mutex);
	turn_give(t, turn);
}

static void *core_thread_main(void *arg)
{
	struct core_thread *t = arg;
	for (;;) {
		struct letters batch = {0};
		struct err e = {0};
		pthread_mutex_lock(&t->mutex);
		wait_for_work(t);
		bool stop = t->stopping, dead = t->dead;
		if (!dead)
			batch_take(t, &batch);
		pthread_mutex_unlock(&t->mutex);
		if (batch.count > 0) {
			t->was_busy = true;
			batch_clock(t, &batch);
			if (turn_run(t, &batch, &e) != 0)
				die(t, &batch, &e);
		} else if (stop || dead) {
			if (stop)
				break;
			nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
		} else {
			if (idle(t, &e) != 0)
				die(t, &batch, &e);
		}
		if (t->refused.first != NULL)
			turn_notice(t);
	}
	if (!t->dead)
		sqlite3_wal_checkpoint_v2(t->o.db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	news_close(t->news);
	core_close(t->core);
	sqlite3_close_v2(t->o.db);
	return NULL;
}

/* -- what the loop calls ------------------------------------------------------------------------------------------------------- */

static void init_wait(struct core_thread *t)
{
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&t->wake, &attr);
	pthread_condattr_destroy(&attr);
	pthread_mutex_init(&t->mutex, NULL);
}

struct core_thread *core_thread_start(const struct core_thread_options *o, struct err *e)
{
	struct core_thread *t = calloc(1, sizeof *t);
	if (t == NULL) {
		err_set(e, ERR_MEMORY, "core thread: no memory");
		return NULL;
	}
	t->o = *o;
	t->core = o->core;
	int64_t utc_us, tick_us;
	if (core_last(t->core, &t->seq, &utc_us, &tick_us, e) != 0 || (t->news = news_open(o->db, t->seq, e)) == NULL) {
		free(t);
		return NULL;
	}
	ballast_open(&t->ballast, o->state_path);
	clock_step_us(o->clock, &t->watch);
	init_wait(t);
	if (pthread_create(&t->thread, NULL, core_thread_main, t) != 0) {
		err_set(e, ERR_SYSTEM, "core thread: cannot be started: %s; look at the limit of tasks", strerror(errno));
		news_close(t->news);
		free(t);
		return NULL;
	}
	return t;
}

void core_thread_put(struct core_thread *t, struct letter *l)
{
	pthread_mutex_lock(&t->mutex);
	letters_put(&t->lane[l->lane], l);
	pthread_cond_signal(&t->wake);
	pthread_mutex_unlock(&t->mutex);
}

size_t core_thread_bulk_bytes(struct core_thread *t)
{
	pthread_mutex_lock(&t->mutex);
	size_t bytes = t->lane[LANE_BULK].bytes;
	pthread_mutex_unlock(&t->mutex);
	return bytes;
}

struct turn *core_thread_turn(struct core_thread *t)
{
	pthread_mutex_lock(&t->mutex);
	struct turn *turn = t->done_first;
	if (turn != NULL) {
		t->done_first = turn->next;
		if (t->done_first == NULL)
			t->done_last = NULL;
		turn->next = NULL;
	}
	pthread_mutex_unlock(&t->mutex);
	return turn;
}

void core_thread_quiesce(struct core_thread *t)
{
	pthread_mutex_lock(&t->mutex);
	t->quiet = true;
	pthread_mutex_unlock(&t->mutex);
}

void core_thread_stop(struct core_thread *t)
{
	pthread_mutex_lock(&t->mutex);
	t->quiet = t->stopping = true;
	pthread_cond_signal(&t->wake);
	pthread_mutex_unlock(&t->mutex);
	pthread_join(t->thread, NULL);
}

void core_thread_free(struct core_thread *t)
{
	struct turn *turn;
	while ((turn = core_thread_turn(t)) != NULL)
		turn_free(turn);
	letters_free(&t->lane[LANE_CONTROL]);
	letters_free(&t->lane[LANE_BULK]);
	pthread_cond_destroy(&t->wake);
	pthread_mutex_destroy(&t->mutex);
	free(t);
}

/* The thread that owns the core and the one write handle: letters in (two lanes), committed turns out. */
#ifndef ENGINE_IO_CORE_THREAD_H
#define ENGINE_IO_CORE_THREAD_H
#include "engine/io/clock.h"
#include "engine/io/letter.h"
#include "engine/io/lock.h"
#include <stdbool.h>

/* What one turn left behind, all of it on disk. Given to the loop, freed with turn_free. */
struct turn {
	struct turn *next;
	struct letters letters;     /* with seq, answer and reject filled */
	struct effects effects;     /* to be handed over now */
	json_t *alarms;             /* array of what core_alarms gave */
	json_t *news;               /* array of {"level","subject","text"}: what changed, for the log and `tail` */
	int64_t due_utc_us, due_tick_us, seq;
	bool disk_full;             /* only retractions, stopping orders and replies are taken */
	bool dead;                  /* the store is sick: error says why, the thread has ended its work */
	struct err error;
};
void turn_free(struct turn *t);

struct core_thread_options {
	sqlite3 *db;                /* the write handle; given: closed by the thread */
	struct core *core;          /* opened by the caller before the start; given */
	const char *state_path;
	char store_id[64];          /* of the database, for the lock's memory; "" in a new state: learnt from its row */
	struct lock *lock;          /* borrowed */
	const struct clock *clock;  /* borrowed */
	void (*wake)(void *ctx);    /* called from the thread when a turn is ready: uv_async_send */
	void *ctx;
	bool recover;               /* call core_recover before the first input (always, but in tests) */
};

struct core_thread;
struct core_thread *core_thread_start(const struct core_thread_options *o, struct err *e);

/* Takes the letter; never waits, never refuses. */
void core_thread_put(struct core_thread *t, struct letter *l);

/* Bytes of alerts that wait: sources pause at ¾ of LIMIT_BULK_BYTES and go on at ½. */
size_t core_thread_bulk_bytes(struct core_thread *t);

/* The oldest committed turn, or NULL. Given. */
struct turn *core_thread_turn(struct core_thread *t);

/* From now on nothing is released any more and alerts stay unread (their position has not moved). Replies are still taken. */
void core_thread_quiesce(struct core_thread *t);

/* Takes the control lane to its end, closes core and database, joins. Turns that are left can still be fetched; then core_thread_free. */
void core_thread_stop(struct core_thread *t);
void core_thread_free(struct core_thread *t);
#endif

/* The only decider. One inbox, one state, one outbox: holds prepared statements and compiled policies, all rebuilt from
 * rows by core_open; no I/O, no clock, no chance. One thread owns a core. */
#ifndef ENGINE_CORE_CORE_H
#define ENGINE_CORE_CORE_H
#include "engine/base/err.h"
#include <jansson.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INPUTS(X) X(config) X(alert) X(reply) X(result) X(order) X(timer) X(clock) X(gap)
enum input_kind {
#define X(name) INPUT_##name,
	INPUTS(X)
#undef X
	INPUT_KINDS
};
const char *input_kind_name(enum input_kind k);

/* Everything that comes in. All pointers are borrowed until core_step returns.
 *   config  body JSON {"installation":"8hex","config":{…},"policies":[{…}],"facilities":[{"name","use","accepts_tests","descriptor":{…}}],
 *                      "catalog":{"sha256","rows","path"}|null}            (secrets and host names of credentials are not in it)
 *   alert   body raw bytes; source, topic, partition, offset (the NEXT position), cluster, timestamp_us; as_test, as_real for inject
 *   reply   effect; body the facility's bytes (secrets blanked); reply_* below
 *   result  effect; body JSON (engine/core/compute.h)
 *   order   uid, pid; body JSON {"verb":…,…,"why":…}
 *   timer   nothing: everything due at (utc_us, tick_us) fires, in order of due time then key
 *   clock   body JSON {"step_us":n}: the wall clock jumped
 *   gap     body JSON {"source","topic","partition","from","to","what":"gap|cluster"}  */
struct input {
	enum input_kind kind;
	int64_t utc_us, tick_us;       /* now; tick never goes back */
	const void *body;
	size_t len;
	int64_t effect;                /* reply, result: which; 0 else */
	struct {
		int sent, status;          /* enum sent; HTTP status */
		const char *content_type, *transport;
		int64_t retry_after_s;     /* -1 absent */
	} reply;
	const char *source, *topic, *cluster; /* alert */
	int32_t partition;
	int64_t offset, timestamp_us;
	bool as_test, as_real;         /* inject; a plain alert has neither */
	int64_t uid, pid;              /* order */
	uint8_t random[16];            /* every random bit the step may use */
};

/* What may leave now: marked released in the same turn, to be handed over after COMMIT. */
#define EFFECTS(X) X(call) X(compute) X(message)
enum effect_kind {
#define X(name) EFFECT_##name,
	EFFECTS(X)
#undef X
	EFFECT_KINDS
};
struct effect {
	int64_t id;
	enum effect_kind kind;
	bool once;
	char facility[64];
	json_t *body;   /* call: call_json(); compute: the job; message: {"kind","text",…}. Owned by the list */
};
struct effects {
	struct effect *list;
	size_t count, cap;
};
void effects_free(struct effects *list);

struct core;

/* Migrates an empty or older database (its own transaction), loads policies and descriptors from rows. NULL with e set. Borrows db. */
struct core *core_open(sqlite3 *db, struct err *e);
void core_close(struct core *c);
/* What a ROLLBACK, core_close and core_open of the same handle would give, but the statements, which know nothing, stay prepared. NULL with e set:
 * c is closed. */
struct core *core_reopen(struct core *c, struct err *e);

/* BEGIN IMMEDIATE and COMMIT of a turn, prepared once. */
int core_begin(struct core *c, struct err *e);
int core_commit(struct core *c, struct err *e);

/* One input, inside the caller's transaction: journal row, savepoint, decide, or reject. 0 for a reject too; -1: the store is sick, the
 * turn is gone (ROLLBACK, core_close, core_open anew, feed the inputs singly once). */
int core_step(struct core *c, const struct input *in, struct err *e);

/* May go in while the disk is full: replies, timers; veto, hold, cancel; alerts that read RETRACTION. */
bool core_urgent(const struct input *in);

/* true: the turns from now on are not released (the engine is stopping). Journalled with each input, so that a replay does the same. */
void core_quiet(struct core *c, bool quiet);

/* End of a turn, still inside the transaction: asks the gates, counts slots from rows, renders what may go now and marks it released.
 * Appends to *out (start zeroed). Hand over exactly this after COMMIT. */
int core_release(struct core *c, int64_t utc_us, int64_t tick_us, struct effects *out, struct err *e);

/* Answer to the last order stepped: {"ok":true,…} or {"ok":false,"error":…}; borrowed until the next step; NULL when it was no order. Send after COMMIT. */
const json_t *core_answer(const struct core *c);

/* Alarms raised since the last call, in words, for the log and the socket: JSON array, new reference. */
json_t *core_alarms(struct core *c);

/* The earliest moment at which a timer input is wanted; INT64_MAX where none. Call after core_release. */
int core_due(struct core *c, int64_t *utc_us, int64_t *tick_us, struct err *e);

/* Last input's tick and UTC (0 and UTC_NONE in a new state): the host's clock goes on from there. */
int core_last(struct core *c, int64_t *seq, int64_t *utc_us, int64_t *tick_us, struct err *e);

/* After a restart, inside a transaction, before the first input: effects released without an answer wait again (repeatable) or are doubtful (once). */
int core_recover(struct core *c, struct err *e);

enum check_scope { CHECK_TOUCHED, CHECK_ALL };
/* Invariants: SQL views check_* that must be empty. ERR_STORE names the first that is not, with its row. */
int core_check(struct core *c, enum check_scope scope, struct err *e);
/* The same on a read-only handle: JSON array of {"check","row"}; empty = healthy. New reference or NULL. */
json_t *core_check_rows(sqlite3 *db, struct err *e);
#endif

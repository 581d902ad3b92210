/* The inside of the simulated io, shared by sim/host*.c only: what is under way, and the turn. */
#ifndef SIM_HOST_PARTS_H
#define SIM_HOST_PARTS_H
#include "sim/host.h"

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

/* An input that waits for room on the disk. */
struct kept {
	enum input_kind kind;
	int64_t effect;
	char *text;
};

struct sim_host {
	struct sim_host_options o;
	struct core *core;
	struct compute_host compute;
	int64_t now_us, tick_us, made;
	int64_t wall_shift_us;       /* clock steps: UTC as the engine sees it minus the world's */
	struct coming *coming;
	size_t count, cap;
	struct sim_host_counts counts;
	json_t *answer;
	struct sim_doom doom;        /* how it will die in a commit; doom.commit 0: it will not */
	bool asks;                   /* the turn hands over a call that may leave but once */
	bool died;                   /* that has happened just now: a dead process does nothing more */
	bool full, no_room;          /* the disk, as the engine knows it; the last turn failed for want of room */
	struct kept *kept;           /* inputs that wait for room */
	size_t kepts;
	bool put_off;                /* the last input was not taken: it waits, or its sender was told */
	int stops;                   /* in a row: a disk that is never mended ends the night */
	struct sim_broker *broker, *own;
};

/* host_turn.c: what is under way. */
struct coming *coming_add(struct sim_host *h, enum coming_kind kind, int64_t at_us, int64_t effect); /* NULL without memory */
void coming_drop(struct sim_host *h, size_t i);
size_t coming_first(const struct sim_host *h); /* index of what comes first, or count */

/* One input as a turn of its own: BEGIN, step, release, COMMIT, then what was marked is handed over, as engine/io/core_thread.c does it,
 * with its ways out of a full or failing disk. The engine may have died over it and live again. -1: the night is broken. */
int host_turn(struct sim_host *h, struct input *in, struct err *e);
int host_check(struct sim_host *h, bool all, struct err *e);
/* There is room again: what waited goes in. */
int host_mended(struct sim_host *h, struct err *e);
void host_kept_free(struct sim_host *h);
int host_on_commit(void *ctx); /* for sqlite3_commit_hook */

/* host.c */
int host_start(struct sim_host *h, struct err *e);
int host_start_failed(struct sim_host *h, bool died, struct err *e); /* host_turn.c: the disk, or a death in the commit */
int host_deliver_all(struct sim_host *h, bool lost, struct err *e); /* calls on their way arrive, or with lost not; nothing comes back */
int host_pump(struct sim_host *h, struct err *e);                   /* what the broker has for us */
void host_portals_advance(struct sim_host *h);
#endif

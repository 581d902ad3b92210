/* One engine per state: flock on STATE.lock, which also remembers the database's id and last committed sequence. */
#ifndef ENGINE_IO_LOCK_H
#define ENGINE_IO_LOCK_H
#include "engine/base/err.h"
#include <stdbool.h>
#include <stdint.h>

struct lock {
	int fd;
	bool remembered; /* the file held a readable memory */
	char id[64];     /* of the database, "" when not remembered */
	int64_t seq;
};

/* Takes the lock or fails: ERR_REFUSED when another engine holds it. Never waits. Fills the memory. */
int lock_take(struct lock *l, const char *state_path, struct err *e);

/* After a commit: one pwrite of fixed width, no sync (a memory that is behind the database does no harm). */
int lock_remember(struct lock *l, const char *id, int64_t seq);

/* Before the first commit of a new state: its id is not known yet, and a crash right after that commit is no restored copy. */
int lock_expect_new(struct lock *l);

/* true when the database (id, last sequence; rows: it holds any input) is not what this lock saw last: a restored copy. */
bool lock_disagrees(const struct lock *l, const char *id, int64_t seq, bool rows);

void lock_drop(struct lock *l);
#endif

/* A canonical night, stopped at several moments: at each a core in memory that is given inputs inside one transaction, checked, and rolled back
 * to where it stood. So that a run costs its inputs and no more. */
#ifndef TESTS_FUZZ_STAGE_H
#define TESTS_FUZZ_STAGE_H
#include "door.h"
#include "engine/core/core.h"
#include "tests/lib/box.h"

enum { STAGE_EMPTY, STAGE_CONFIGURED, STAGE_HEARD, STAGE_RANKED, STAGE_OFFERED, STAGE_ASKED, STAGE_UNSURE, STAGE_ACCEPTED, STAGE_SCHEDULED, STAGE_RETRACTED, STAGES };
#define STAGE_CHECKS 64

struct stage {
	sqlite3 *db;
	struct core *core, *before;      /* before: a copy, for the fields that are no rows */
	sqlite3_stmt *check[STAGE_CHECKS]; /* every check_ view */
	int checks;
	sqlite3_stmt *forbidden;         /* a call that was released although a gate of its own forbids it */
	int64_t utc_us, tick_us;         /* now; advanced by whoever feeds */
	int64_t start_utc_us, start_tick_us;
	int64_t fed_utc_us, fed_tick_us; /* of the last input: a turn is released at its time */
	bool turn, configured;           /* a turn is open; a configuration was fed: its rules are dropped at the end */
	int64_t last_seq;                /* of the night's journal when it stopped here */
};

/* The stages, made at the first call. */
struct stage *stage_at(int which);

void stage_begin(struct stage *s);
/* One input. A core in memory is never sick: -1 of the core breaks a promise. */
void stage_feed(struct stage *s, const struct input *in);
/* Ends the open turn as the engine does: released, and what it touched checked. */
void stage_turn(struct stage *s);
/* The journal as it stands, fed into an empty state, gives the same rows. No turn is open. Costs as much as a hundred inputs. */
void stage_replay(struct stage *s);
/* All invariants, then everything back. */
void stage_end(struct stage *s);

/* Id of the oldest released effect of that verb, computation or kind; 0 for none. */
int64_t stage_waits(struct stage *s, const char *what);
/* The journal of the whole night: rows of table input with bodies, as they were. The last stage's handle, borrowed. */
sqlite3 *stage_journal(void);
#endif

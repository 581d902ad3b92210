/* A core in a box: a state in memory, fed by hand with inputs shaped like the real ones; every turn ends with all invariants checked. */
#ifndef TESTS_LIB_BOX_H
#define TESTS_LIB_BOX_H
#include "engine/core/core.h"

#define BOX_START_US INT64_C(1684432800000000) /* 2023-05-18T18:00:00Z */

struct box {
	sqlite3 *db;
	struct core *core;
	int64_t utc_us, tick_us;
	struct effects out;   /* everything handed over so far, newest last */
	bool reopen;          /* closes and opens the core after each turn: the rows are the state */
	bool two;             /* a second facility, "second", and its programme, "too2" */
	bool hold_turn;       /* several inputs in one turn: no release until box_turn */
	json_t *answer;       /* to the last order */
};

void box_open(struct box *b);
void box_close(struct box *b);
void box_feed(struct box *b, const struct input *in); /* one turn */
void box_turn(struct box *b);                         /* ends a held turn */
void box_restart(struct box *b);                      /* kill -9: opens anew, recovers, releases */

/* policy, facility: JSON text merged over the box's own; NULL: as they are. */
void box_config(struct box *b, const char *policy);
/* type: "EARLYWARNING" …; created_s: seconds after the start; map: any text, stands for a map's bytes; NULL none. */
void box_alert(struct box *b, const char *event, const char *type, int created_s, double p_bns, const char *map);
void box_bytes(struct box *b, const char *topic, const char *text);
void box_reply(struct box *b, int64_t effect, int status, const char *format, ...) __attribute__((format(printf, 4, 5)));
void box_lost(struct box *b, int64_t effect, int sent);
void box_result(struct box *b, int64_t effect, const char *format, ...) __attribute__((format(printf, 3, 4)));
void box_order(struct box *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void box_later(struct box *b, double seconds);        /* time passes, then a timer input */

/* What has left and waits for its answer: id of the oldest released effect of that verb or computation (0: none). */
int64_t box_waits(struct box *b, const char *verb_or_compute);
int64_t box_int(struct box *b, const char *sql);
const char *box_text(struct box *b, const char *sql); /* static buffer */
/* Answers what is always the same: status (open), messages, empty feeds. */
void box_routine(struct box *b);
/* SHA-256 over every row of every table. */
void box_digest(struct box *b, char out[65]);
#endif

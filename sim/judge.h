/* The judges of a simulated night beside the engine's own checks: what the portal counted, and whether everything came to rest. */
#ifndef SIM_JUDGE_H
#define SIM_JUDGE_H
#include "engine/base/err.h"
#include "sim/host.h"
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#define JUDGE_GATES 64

/* When nothing new of an event may be asked, as the night told it: from a retraction, or between a veto and its release. */
struct judge_gate {
	char event[64], kind[16];
	int64_t from_us, to_us; /* to: INT64_MAX while it is closed */
};
struct judge {
	struct judge_gate gate[JUDGE_GATES];
	int gates;
	int64_t latency_us; /* a call may have been on its way */
};

void judge_close(struct judge *j, const char *event, const char *kind, int64_t at_us);
void judge_open(struct judge *j, const char *event, const char *kind, int64_t at_us);
/* An older copy of the state, made at copied_us, takes over at at_us: it does not know the vetoes that came between. */
void judge_forget(struct judge *j, int64_t copied_us, int64_t at_us);

/* Every message that could be read is an input, and none is one twice by its position. */
int judge_heard(sqlite3 *db, struct sim_broker *broker, char broken[64], struct err *e);

/* One facility: no token created twice, none of another facility; nothing created after its event's gate had closed; nothing alive that
 * is at rest here; no cancel where none can be. A restored copy that is still looking need not know yet what lives there; what is twice
 * because a person opened its gate before is not the engine's doing. broken (64 bytes) names what is wrong. */
int judge_place(const struct judge *j, const struct sim_host_place *place, sqlite3 *db, char broken[64], struct err *e);
/* All of them: never two alive at once for the same event, target and epoch, but for what a person's answer brought about. */
int judge_twins(const struct sim_host_place *place, size_t places, sqlite3 *db, char broken[64], struct err *e);

/* What must hold of the whole night, by other queries than the engine's own: nothing new asked while the disk was full, … */
int judge_rules(sqlite3 *db, char broken[64], struct err *e);

/* Is anything still under way? 1 yes, 0 no, -1 sick. */
int judge_busy(sqlite3 *db, struct err *e);
/* After a fair quiet time: nothing asked, unsure or cancelling is left over, every sweep has ended, and nothing is stuck in the outbox. */
int judge_rest(sqlite3 *db, int64_t now_us, int64_t tick_us, char broken[64], struct err *e);

/* Splits "LEFT OP VALUE" in place at the last operator (=, !=, >=, <=) that stands between spaces. */
int judge_split(char *line, char **op, char **want, struct err *e);
/* 0 when got OP want holds, as numbers where both are; what names got in the error. */
int judge_compare(const char *got, const char *op, const char *want, const char *what, struct err *e);
#endif

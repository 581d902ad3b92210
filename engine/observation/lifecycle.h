/* The life of a request as ONE table: state × signal → next state, and what entering a state asks for. Pure, total. */
#ifndef ENGINE_OBSERVATION_LIFECYCLE_H
#define ENGINE_OBSERVATION_LIFECYCLE_H
#include <stdbool.h>

/* X(state, class, entry): class idle (nothing was sent) | live (counts for budgets and "one live") | rest (not final: a facility may
 * report again); entry: what the core does when a request enters the state. */
#define LIFE_STATES(X) \
	X(planned, idle, offer) X(offered, idle, compare) X(held, idle, nothing) X(asked, live, nothing) X(unsure, live, find) \
	X(accepted, live, follow) X(scheduled, live, follow) X(running, live, follow) X(cancelling, live, cancel) X(done, rest, data) \
	X(declined, rest, ladder) X(cancelled, rest, reserve) X(expired, rest, reserve) X(failed, rest, reserve)

enum life {
#define X(state, class, entry) LIFE_##state,
	LIFE_STATES(X)
#undef X
	LIFE_COUNT
};
enum life_class { LIFE_CLASS_idle, LIFE_CLASS_live, LIFE_CLASS_rest };
enum life_entry {
	LIFE_ENTRY_nothing, LIFE_ENTRY_offer, LIFE_ENTRY_compare, LIFE_ENTRY_find, LIFE_ENTRY_follow, LIFE_ENTRY_cancel, LIFE_ENTRY_data,
	LIFE_ENTRY_ladder, LIFE_ENTRY_reserve
};

/* X(signal, what it says). unwanted has three faces, so that the table alone decides: life_unwanted() picks. */
#define LIFE_SIGNALS(X) \
	X(offer_taken, "the offer was accepted") X(offer_second, "another offer was better, or came first") \
	X(offer_refused, "the offer was refused or countered") X(chosen, "its submit was released, through all gates") \
	X(accepted, "accepted, or found to be present") X(declined, "declined") X(not_sent, "the call never left, or may be sent again") \
	X(doubt, "the answer was lost") X(absent_twice, "looked for twice, not there") X(absent, "a poll did not find it") \
	X(queued, "reported: waiting in the facility's queue") X(scheduled, "reported: scheduled") X(running, "reported: running") \
	X(done, "reported: done") X(failed, "reported: failed") X(expired, "reported: its windows are over") \
	X(cancelled, "reported: cancelled") X(unwanted, "no longer wanted") \
	X(unwanted_unsent, "no longer wanted, and its submit has not left") \
	X(unwanted_stoppable, "no longer wanted, and the facility can stop what runs")

enum life_signal {
#define X(signal, text) SIGNAL_##signal,
	LIFE_SIGNALS(X)
#undef X
	SIGNAL_COUNT
};

const char *life_name(enum life state);
int life_from_name(const char *name); /* -1 unknown */
const char *signal_name(enum life_signal s);
const char *signal_text(enum life_signal s);
enum life_class life_class(enum life state);
enum life_entry life_entry(enum life state);
static inline bool life_is_live(enum life state)
{
	return life_class(state) == LIFE_CLASS_live;
}

/* Next state. flagged: the row is unwanted, so what would make it live again becomes cancelling, and what would offer it again
 * cancelled. *counted is set where the table has no change for this cell (it is counted, never an error); may be NULL. */
enum life life_next(enum life state, enum life_signal s, bool flagged, bool *counted);

/* Which face of "unwanted" holds: submit_waiting = an asked row whose submit waits to leave (again); can_stop = the descriptor can cancel
 * what runs. */
enum life_signal life_unwanted(enum life state, bool submit_waiting, bool can_stop);
#endif

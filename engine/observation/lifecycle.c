/* The life of a request as one table (lifecycle.h): every cell is written down; `_` is "no change, counted". */
#include "engine/observation/lifecycle.h"
#include <string.h>

#define ROWS_OF(state, class, entry) [LIFE_##state] = {#state, LIFE_CLASS_##class, LIFE_ENTRY_##entry},
static const struct {
	const char *name;
	enum life_class class;
	enum life_entry entry;
} states[LIFE_COUNT] = {LIFE_STATES(ROWS_OF)};

static const struct {
	const char *name, *text;
} signals[SIGNAL_COUNT] = {
#define X(signal, text) [SIGNAL_##signal] = {#signal, text},
	LIFE_SIGNALS(X)
#undef X
};

/* What a facility reports is believed in every state, also of a row that was never asked here: the state is a restored copy, or the
 * submission showed up after two complete looks, and to submit it again would make two of it.
 *
 * Columns in the order of LIFE_SIGNALS:
 *       taken   second refused  chosen accepted  declined  not_sent doubt absent2  absent  queued    scheduled  running
 *       done  failed  expired  cancelled | unwanted   …_unsent   …_stoppable */
#define LIFE_TABLE(R) \
	R(planned, offered, held, declined, _, _, _, _, _, _, _, accepted, scheduled, running, \
	  done, failed, expired, cancelled, cancelled, cancelled, cancelled) \
	R(offered, _, held, declined, asked, _, _, _, _, _, _, accepted, scheduled, running, \
	  done, failed, expired, cancelled, cancelled, cancelled, cancelled) \
	R(held, _, _, declined, asked, _, _, _, _, _, _, accepted, scheduled, running, \
	  done, failed, expired, cancelled, cancelled, cancelled, cancelled) \
	R(asked, _, _, _, _, accepted, declined, _, unsure, _, _, accepted, scheduled, running, \
	  done, failed, expired, cancelled, _, cancelled, _) \
	R(unsure, _, _, _, _, accepted, _, _, _, offered, _, accepted, scheduled, running, \
	  done, failed, expired, cancelled, _, _, _) \
	R(accepted, _, _, _, _, _, _, _, _, _, unsure, _, scheduled, running, \
	  done, failed, expired, cancelled, cancelling, cancelling, cancelling) \
	R(scheduled, _, _, _, _, _, _, _, _, _, unsure, accepted, _, running, \
	  done, failed, expired, cancelled, cancelling, cancelling, cancelling) \
	R(running, _, _, _, _, _, _, _, _, _, _, accepted, scheduled, _, \
	  done, failed, expired, cancelled, _, _, cancelling) \
	R(cancelling, _, _, _, _, _, _, _, _, _, _, _, _, _, \
	  done, failed, expired, cancelled, _, _, _) \
	R(done, _, _, _, _, _, _, _, _, _, _, accepted, scheduled, running, \
	  _, failed, expired, _, _, _, _) \
	R(declined, _, _, _, _, _, _, _, _, _, _, accepted, scheduled, running, \
	  done, failed, expired, _, _, _, _) \
	R(cancelled, _, _, _, _, _, _, _, _, _, _, accepted, scheduled, running, \
	  done, failed, expired, _, _, _, _) \
	R(expired, _, _, _, _, _, _, _, _, _, _, accepted, scheduled, running, \
	  done, failed, _, _, _, _, _) \
	R(failed, _, _, _, _, _, _, _, _, _, _, accepted, scheduled, running, \
	  done, _, expired, _, _, _, _)

#define LIFE__ LIFE_COUNT /* the cell `_` */
#define R(row, c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15, c16, c17, c18, c19) \
	[LIFE_##row] = {LIFE_##c0, LIFE_##c1, LIFE_##c2, LIFE_##c3, LIFE_##c4, LIFE_##c5, LIFE_##c6, LIFE_##c7, LIFE_##c8, \
			LIFE_##c9, LIFE_##c10, LIFE_##c11, LIFE_##c12, LIFE_##c13, LIFE_##c14, LIFE_##c15, LIFE_##c16, \
			LIFE_##c17, LIFE_##c18, LIFE_##c19},
static const unsigned char table[LIFE_COUNT][SIGNAL_COUNT] = {LIFE_TABLE(R)};
#undef R

/* Total: a row has exactly 20 cells (the macro's parameters) for 20 signals, and there is a row for each state. */
_Static_assert(SIGNAL_COUNT == 20, "a signal without a column in LIFE_TABLE");
#define R(row, ...) +1
_Static_assert(0 LIFE_TABLE(R) == LIFE_COUNT, "a state without a row in LIFE_TABLE, or one too many");
#undef R
#define R(row, ...) +(1ull << LIFE_##row)
_Static_assert((0ull LIFE_TABLE(R)) == (1ull << LIFE_COUNT) - 1, "a state twice in LIFE_TABLE");
#undef R

const char *life_name(enum life state)
{
	return states[state].name;
}

int life_from_name(const char *name)
{
	for (int i = 0; i < LIFE_COUNT; i++)
		if (strcmp(states[i].name, name) == 0)
			return i;
	return -1;
}

const char *signal_name(enum life_signal s)
{
	return signals[s].name;
}

const char *signal_text(enum life_signal s)
{
	return signals[s].text;
}

enum life_class life_class(enum life state)
{
	return states[state].class;
}

enum life_entry life_entry(enum life state)
{
	return states[state].entry;
}

enum life life_next(enum life state, enum life_signal s, bool flagged, bool *counted)
{
	enum life next = table[state][s];
	if (counted)
		*counted = next == LIFE_COUNT;
	if (next == LIFE_COUNT)
		return state;
	if (flagged && (next == LIFE_accepted || next == LIFE_scheduled || next == LIFE_running))
		return LIFE_cancelling;
	if (flagged && (next == LIFE_offered || next == LIFE_held || next == LIFE_asked))
		return LIFE_cancelled;
	return next;
}

enum life_signal life_unwanted(enum life state, bool submit_waiting, bool can_stop)
{
	if (state == LIFE_asked && submit_waiting)
		return SIGNAL_unwanted_unsent;
	return state == LIFE_running && can_stop ? SIGNAL_unwanted_stoppable : SIGNAL_unwanted;
}

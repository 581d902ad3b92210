/* What was asked on a night that was, and which input answered it: made by feeding its journal again, then asked by a what-if. */
#ifndef SIM_BOOK_H
#define SIM_BOOK_H
#include "engine/base/err.h"
#include "engine/core/core.h"
#include <jansson.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum book_kind {
	BOOK_PURE,      /* a computation, an offer, a message: the same words have the same answer at any time */
	BOOK_STATUS,    /* what a facility says of itself: by when it was asked */
	BOOK_STATEFUL   /* all else: only then, and after the same before it */
};

struct book_entry {
	int64_t effect, tick_us;       /* as it was released then */
	int64_t reply_seq, reply_tick_us; /* of the input that answered it; 0: none */
	int64_t now_effect;            /* to whom its answer goes when the journal comes to it; 0: nobody */
	enum book_kind kind;
	bool used, write;              /* write: a submit or cancel, that changes what the facility says from then on */
	char facility[64];
};

struct book_input {                    /* an input of the journal: what it answered, or a timer */
	int64_t seq, tick_us;
	size_t entry;
};

struct book {
	struct book_entry *entry;
	struct book_input *reply, *timer;
	size_t entries, entry_cap, replies, reply_cap, timers, timer_cap;
	json_t *by_key;                /* key → array of indexes */
	size_t heard;                  /* all writes before this one have been matched */
	char difference[1024];         /* "" or how this program decides the journal otherwise */
};

/* Feeds the journal (borrowed) into a state of its own. -1 when it cannot be. Free in both cases. */
int book_make(struct book *b, sqlite3 *journal, struct err *e);
void book_free(struct book *b);

/* What an effect asks, as a key; verb (16 bytes): "offer" …, "map" …, "message". db: the state whose effect it is. */
enum book_kind book_key(sqlite3 *db, const struct effect *f, char key[65], char verb[16]);

/* The entry that fits best at that tick, or NULL. Does not mark it. */
struct book_entry *book_find(const struct book *b, const char *key, enum book_kind kind, int64_t tick_us);

/* The entry that an input of the journal answered, or NULL. */
struct book_entry *book_answered(const struct book *b, int64_t seq);

/* Did a facility hear something before that tick that it has not heard now? Then its answers of that night are true no more. */
bool book_unheard(struct book *b, const char *facility, int64_t before_tick_us);

/* Is a timer input to come, after input seq, until that tick? */
bool book_timer(const struct book *b, int64_t seq, int64_t until_tick_us);
#endif

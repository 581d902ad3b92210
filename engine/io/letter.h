/* One input on its way to the core, with all the bytes it needs: made by a source, carried by the inbox, given back after COMMIT. */
#ifndef ENGINE_IO_LETTER_H
#define ENGINE_IO_LETTER_H
#include "engine/core/core.h"

enum lane { LANE_CONTROL, LANE_BULK }; /* orders, replies, results, timers; alerts */

struct letter {
	struct letter *next;
	struct input in;      /* body, source, topic, cluster and the reply's texts point into this letter */
	enum lane lane;
	uint64_t origin;      /* who waits for the answer: a client's number, a spool ticket; 0 nobody */
	void *owner;          /* the source it came from, or NULL; borrowed by nobody but that source */
	void *body;           /* malloc'd */
	char source[80], topic[256], cluster[80], content_type[128], transport[256];
	/* set by the core thread once the letter's turn is on disk */
	int64_t seq;
	json_t *answer;       /* orders: core_answer; owned */
	char reject[512];     /* why the core rejected it, "" when it did not */
};

/* A letter with a copy of body (NULL for none) and fresh random bits; time is set when the core takes it. NULL without memory. */
struct letter *letter_new(enum input_kind kind, const void *body, size_t len);
/* The same, taking a malloc'd body (freed also on failure). */
struct letter *letter_take(enum input_kind kind, void *body, size_t len);
/* Body = the JSON's compact text. */
struct letter *letter_json(enum input_kind kind, const json_t *body);
void letter_free(struct letter *l);
size_t letter_cost(const struct letter *l); /* bytes it holds */

/* A queue of letters, first in first out. */
struct letters {
	struct letter *first, *last;
	size_t count, bytes;
};
void letters_put(struct letters *q, struct letter *l);
struct letter *letters_get(struct letters *q); /* NULL when empty */
void letters_move(struct letters *to, struct letters *from); /* appends all */
void letters_free(struct letters *q);
#endif

/* "Did you mean …": the nearest of a list of names, for errors about unknown words. */
#ifndef ENGINE_BASE_NEAR_H
#define ENGINE_BASE_NEAR_H
#include <stddef.h>

/* Edits (insert, delete, change, swap of neighbours) from a to b without regard to case; names over 63 characters: 64. */
int near_distance(const char *a, const char *b);

/* Keeps the nearest name seen so far; start zeroed. */
struct near_best {
	const char *name;
	int distance;
};
void near_try(struct near_best *best, const char *word, const char *name);

/* The nearest if it is near enough to be meant (a third of the word, at least 2 edits), or NULL. */
const char *near_found(const struct near_best *best, const char *word);
#endif

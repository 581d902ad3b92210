/* A door is where bytes of strangers come in. Each tests/fuzz/fuzz_NAME.c describes one as `const struct fuzz_door fuzz_NAME`; the same
 * description is driven by libFuzzer (driver.c, `make fuzz`) and, over seeds and kept findings, by an ordinary test (regress.c). */
#ifndef TESTS_FUZZ_DOOR_H
#define TESTS_FUZZ_DOOR_H
#include "engine/base/err.h"
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fuzz_seeds;

struct fuzz_door {
	const char *name;
	/* One input. true: it got past the guard (what a blind mutator does not: only such runs say something). A promise that is broken
	 * aborts, by must(). */
	bool (*run)(const uint8_t *bytes, size_t len);
	/* Changes an input in place, knowing its form; NULL: bytes. Answers the new length, ≤ max. */
	size_t (*mutate)(uint8_t *bytes, size_t len, size_t max, unsigned seed);
	/* Makes the first inputs: fuzz_seed for each. */
	void (*seeds)(struct fuzz_seeds *s);
	size_t max_len;      /* of an input; 0: 4096 */
	int rss_mb;          /* of the whole process, sanitizers included; 0: 512 */
};

/* Keeps one seed; the bytes are borrowed. */
void fuzz_seed(struct fuzz_seeds *s, const void *bytes, size_t len);
void fuzz_seed_text(struct fuzz_seeds *s, const char *text);
void fuzz_seed_json(struct fuzz_seeds *s, json_t *value); /* stolen */

/* One blind change: libFuzzer's (with its dictionary) under libFuzzer, a small one of our own else. */
size_t fuzz_mutate_bytes(uint8_t *bytes, size_t len, size_t max);

/* ---- mutate.c: what mutators share ---- */
struct fuzz_dice {
	uint64_t state;
};
uint64_t fuzz_roll(struct fuzz_dice *d);               /* 64 bits */
size_t fuzz_below(struct fuzz_dice *d, size_t n);      /* 0 … n-1; 0 for n 0 */

/* Changes one to four places of a JSON tree: values out of the table of nasty ones, swapped, doubled, dropped, renamed, of another type. The
 * new tree is a new reference; value is stolen. */
json_t *fuzz_change_json(json_t *value, struct fuzz_dice *d);
/* A mutator for JSON text: the tree mostly, now and then the bytes. */
size_t fuzz_mutate_json(uint8_t *bytes, size_t len, size_t max, unsigned seed);

/* What every JSON reader promises: accepted by the guard means within its limits, and the canonical form is a fixed point. */
struct json_limits;
void fuzz_check_json(const json_t *value, const struct json_limits *limits);
#endif

/* The lines of the demo's story; world_tell.c runs them. */
#ifndef ENGINE_CMD_WORLD_STORY_H
#define ENGINE_CMD_WORLD_STORY_H
#include "engine/base/err.h"
#include <jansson.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

struct story {
	const char *dir;
	json_t *about; /* world.json */
	sqlite3 *db;   /* the engine's state, read only; NULL until it is there */
	int64_t start_us, anchor_us, end_us;
	double rate;
	unsigned told; /* bit a line */
};

int story_open(struct story *s, const char *dir, struct err *e);
void story_close(struct story *s);
bool story_db(struct story *s); /* opens the state when it is there; true when it can be read */
int64_t story_sky_us(const struct story *s);
const char *story_event(const struct story *s, char role); /* "" when there is none */
int64_t story_int(struct story *s, const char *sql,
	const char *event); /* first column for ?1 = event; 0 without a row */
void story_say(const struct story *s, int64_t utc_us, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Prints what has become true since the last turn. */
void story_turn(struct story *s);

/* The bill, the promises and the truth; returns how many promises were broken. */
int story_end(struct story *s);
#endif

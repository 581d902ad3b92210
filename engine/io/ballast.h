/* A file that only takes room: given up when the disk is full, so that what stops telescopes can still be written. */
#ifndef ENGINE_IO_BALLAST_H
#define ENGINE_IO_BALLAST_H
#include "engine/io/letter.h"
#include <stdbool.h>

#define BALLAST_BYTES (8 << 20)

struct ballast {
	char path[4096];
};
/* STATE.ballast, made when there is room for it. */
void ballast_open(struct ballast *b, const char *state_path);
void ballast_free(struct ballast *b);
/* 0 when there is room again (four times the ballast is free) and the file stands anew. */
int ballast_renew(struct ballast *b);

/* core_urgent of the letter. */
bool ballast_worthy(const struct letter *l);
#endif

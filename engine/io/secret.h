/* Secrets by file name: loaded once, locked in memory, never printed, blanked from whatever comes in. */
#ifndef ENGINE_IO_SECRET_H
#define ENGINE_IO_SECRET_H
#include "engine/base/err.h"
#include <stddef.h>

#define SECRET_FORMS 6 /* raw, three base64 alignments, percent-encoded in both cases */

struct secret {
	char name[128];
	size_t size[SECRET_FORMS];
	char *form[SECRET_FORMS]; /* form[0] is the secret itself */
};
struct secrets {
	struct secret *list;
	size_t count;
};

/* Reads DIR/NAME (a plain name): a regular file of this user or root, not readable for others (mode & 077 = 0), 8 to 4096 bytes after
 * the trailing newline is taken off. Loading a name again reads the file anew. */
int secrets_load(struct secrets *s, const char *dir, const char *name, struct err *e);

/* The value (NUL-terminated, borrowed), or NULL when it was not loaded. Only for libcurl and librdkafka. */
const char *secrets_value(const struct secrets *s, const char *name);

/* Overwrites every occurrence of every form with '*'; returns how many. */
size_t secrets_blank(const struct secrets *s, char *body, size_t len);

void secrets_free(struct secrets *s);
#endif

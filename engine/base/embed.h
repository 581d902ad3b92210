/* Files embedded at build: schemas/…, policies/…, facilities/…, found by their path in the source tree. */
#ifndef ENGINE_BASE_EMBED_H
#define ENGINE_BASE_EMBED_H
#include <stddef.h>

struct embed {
	const char *path, *start, *end;
};
extern const struct embed embed_table[]; /* ends with path NULL */

/* The file's bytes (NUL-terminated, borrowed for ever) and length, or NULL. */
const char *embed_find(const char *path, size_t *len);
#endif

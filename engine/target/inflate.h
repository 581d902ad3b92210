/* gzip → bytes with an absolute ceiling: honest maps inflate up to 885 : 1, so a ratio would judge wrongly. */
#ifndef ENGINE_TARGET_INFLATE_H
#define ENGINE_TARGET_INFLATE_H
#include "engine/base/err.h"
#include <stddef.h>

struct inflated {
	unsigned char *data; /* malloc'd, given to the caller */
	size_t len;
};

/* Inflates all members of a gzip file, at most max bytes. ERR_LIMIT at the ceiling,
 * ERR_INPUT for a damaged or truncated file. */
int inflate_gzip(const void *bytes, size_t len, size_t max, struct inflated *out, struct err *e);
/* The first bytes only, at most max: never ERR_LIMIT, and a truncated file gives what there is. */
int inflate_gzip_start(const void *bytes, size_t len, size_t max, struct inflated *out, struct err *e);
#endif

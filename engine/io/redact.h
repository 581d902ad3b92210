/* Takes out of a reply what must not be journalled: our secrets where escapes hide them, members that the descriptor names, and the query of
 * presigned urls. */
#ifndef ENGINE_IO_REDACT_H
#define ENGINE_IO_REDACT_H
#include "engine/io/secret.h"
#include <jansson.h>
#include <stddef.h>

/* body: secrets_blank has been over it. names: the descriptor's `redact` array, or NULL. A body that holds none of it is left as it is
 * (returns NULL); else returns the new body, malloc'd, its length in *len. JSON that cannot be read (cut off, over its limits) and may hold
 * some of it is replaced by a sentence: what cannot be taken out is not kept. */
char *redact(const char *body, size_t body_len, const json_t *names, const struct secrets *secrets, size_t *len);
#endif

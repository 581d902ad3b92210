/* Cuts the sky maps (megabytes of base64) out of alert JSON before it is parsed: one pass that knows nesting, keys and escapes. */
#ifndef ENGINE_ALERT_SKIM_H
#define ENGINE_ALERT_SKIM_H
#include "engine/base/err.h"
#include "engine/base/text.h"
#include <stddef.h>

/* The inside of a string in the text (without its quotes); at NULL when there was none. Borrowed from the text. */
struct span {
	const char *at;
	size_t len;
};

/* What is cut: the string value of member `key` in the object that is member `parent` of the root object. */
struct skim_cut {
	const char *parent, *key;
	struct span found;
};

/* rest gets the text with each cut string emptied (""); what is not a string there stays. Not well-formed text is copied as far as it goes: the
 * parser says what is wrong with it. -1 only without memory. */
int skim(const char *text, size_t len, struct skim_cut *cuts, size_t count, struct text *rest, struct err *e);

/* The bytes of a cut string: JSON escapes undone, base64 decoded, at most max bytes. Given to the caller. */
int skim_base64(struct span s, size_t max, unsigned char **bytes, size_t *len, struct err *e);
#endif

/* Strings that grow to a ceiling, and the escaping of bytes from strangers. */
#ifndef ENGINE_BASE_TEXT_H
#define ENGINE_BASE_TEXT_H
#include <stdbool.h>
#include <stddef.h>

/* A growing, always NUL-terminated string. Start with {.max = ceiling}; data is NULL until the first byte. `failed` is set, and
 * stays, when the ceiling is hit; later calls then do nothing, so check once at the end (without memory the process ends). Free with
 * text_free. */
struct text {
	char *data;
	size_t len, cap, max;
	bool failed;
};

void text_add(struct text *t, const void *bytes, size_t len);
void text_puts(struct text *t, const char *s);
void text_printf(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_reset(struct text *t);      /* empties, keeps the memory */
void text_free(struct text *t);

/* Appends s as XML/HTML text: & < > " ' escaped, other control characters dropped. */
void text_html(struct text *t, const char *s);
/* Percent-encodes for a query value (RFC 3986 unreserved stay). */
void text_url(struct text *t, const char *s);

/* Copies len bytes to out (size bytes with NUL) as printable UTF-8: control characters and broken sequences become \xNN. Returns
 * the length written; cuts at a character's edge. */
size_t text_escape(char *out, size_t size, const char *in, size_t len);

/* Appends JSON text (as jansson writes it) so that it may be shown on a terminal: DEL, C1 and direction-turning characters, which JSON lets
 * stand in its strings, become \uXXXX. It means the same afterwards. */
void text_json(struct text *t, const char *json);

/* true for valid UTF-8 without control characters, 1..max bytes. */
bool text_printable(const char *s, size_t len, size_t max);

/* Shortest decimal that reads back as the same double ("%.15g", 16 or 17); "null" for NaN and infinities. Locale "C" is assumed. */
size_t text_double(char *out, size_t size, double value);

/* strlcpy: copies, cuts, always terminates; true when nothing was cut. */
bool text_copy(char *out, size_t size, const char *in);
#endif

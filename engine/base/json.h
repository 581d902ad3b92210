/* Reading JSON from strangers: counted before it is parsed (jansson multiplies its input up to 80 times), errors with line and column. */
#ifndef ENGINE_BASE_JSON_H
#define ENGINE_BASE_JSON_H
#include "engine/base/err.h"
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_limits {
	size_t bytes, tokens;
	int depth;
};
extern const struct json_limits json_limits_alert, json_limits_reply, json_limits_config;

/* One linear pass over bytes: depth, tokens and size within the limits. Does not judge syntax beyond strings and nesting. */
int json_guard(const char *bytes, size_t len, const struct json_limits *limits, struct err *e);

/* Guard, then parse; duplicate keys are refused. Returns a new reference (caller decrefs), or NULL with e set: the text names line and column. */
json_t *json_read(const char *bytes, size_t len, const struct json_limits *limits, struct err *e);

/* What json_read tries first: several times quicker than jansson, for plain JSON (an object or array, duplicate keys refused). New reference; NULL
 * when it is not plain, which says nothing about whether it is JSON. The same value as jansson reads. */
json_t *json_quick(const char *bytes, size_t len);

/* Whole file, ≤ limits->bytes. The text is kept for json_where when text is not NULL (malloc'd, given). */
json_t *json_read_file(const char *path, const struct json_limits *limits, char **text, struct err *e);

/* Appends words to an array; what is no UTF-8 is escaped, and then cut at 1 KiB. */
void json_append_words(json_t *array, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Lookups that never fail: absent, null or of another type give the default. */
const char *json_text(const json_t *object, const char *key, const char *otherwise);
double json_number(const json_t *object, const char *key, double otherwise); /* integers too */
int64_t json_int(const json_t *object, const char *key, int64_t otherwise);
bool json_flag(const json_t *object, const char *key, bool otherwise);

/* Line and column (from 1) in text of the value at a JSON pointer ("/facilities/0/urls"); of the key itself when `of_key`. 0,0 when not found. */
void json_where(const char *text, size_t len, const char *pointer, bool of_key, int *line, int *column);

/* Sorted keys, no spaces, doubles by text_double: the same value gives the same bytes. malloc'd; NULL without memory. */
char *json_canonical(const json_t *value);

/* For people: keys in their own order, two spaces a level, short arrays and objects on one line, doubles by text_double. malloc'd; NULL without memory. */
char *json_pretty(const json_t *value);

/* One scalar as both write it: doubles by text_double. Arrays and objects come out in jansson's compact form. */
struct text;
void json_scalar(struct text *t, const json_t *value);

/* json_real, or json_null() for NaN and infinities. New reference. */
json_t *json_real_or_null(double value);
#endif

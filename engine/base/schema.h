/* The part of JSON Schema that we use, all of it enforced: type, properties, required, enum, minimum, maximum, pattern (POSIX ERE), items,
 * additionalProperties: false. title, description, default, examples and $schema are words for people. */
#ifndef ENGINE_BASE_SCHEMA_H
#define ENGINE_BASE_SCHEMA_H
#include "engine/base/err.h"
#include <jansson.h>
#include <stddef.h>

/* 0, or the first fault: what it is, its JSON pointer, line and column in text (the text that value was read from; NULL: no position), and
 * for an unknown key or value the nearest that is known. A keyword that we do not enforce is our own bug: must(). */
int schema_check(const json_t *schema, const json_t *value, const char *text, size_t len, struct err *e);

/* The embedded schema ("schemas/config.schema.json") against a value. */
int schema_check_embedded(const char *path, const json_t *value, const char *text, size_t len, struct err *e);

/* Every keyword of the schema is one that schema_check enforces or a word for people. For tests over our own schemas. */
int schema_lint(const json_t *schema, struct err *e);
#endif

/* A validator that says where: see schema.h. */
#include "engine/base/schema.h"
#include "engine/base/embed.h"
#include "engine/base/json.h"
#include "engine/base/near.h"
#include "engine/base/text.h"
#include <math.h>
#include <regex.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POINTER_MAX 512

struct check {
	const char *text;
	size_t len;
	char pointer[POINTER_MAX];
	struct err *e;
};

static int check(struct check *c, const json_t *schema, const json_t *value);

/* "… at line 3 column 7 (/sources/0/type): …"; always -1. of_key: the position is that of the key. */
static int fault(struct check *c, bool of_key, const char *what, const char *format, ...) __attribute__((format(printf, 4, 5)));
static int fault(struct check *c, bool of_key, const char *what, const char *format, ...)
{
	char why[512], where[POINTER_MAX + 64] = "";
	int line = 0, column = 0;
	va_list ap;
	va_start(ap, format);
	vsnprintf(why, sizeof why, format, ap);
	va_end(ap);
	if (c->text != NULL)
		json_where(c->text, c->len, c->pointer, of_key, &line, &column);
	if (line > 0)
		snprintf(where, sizeof where, "line %d column %d (%s)", line, column, c->pointer[0] ? c->pointer : "/");
	else
		snprintf(where, sizeof where, "%s", c->pointer[0] ? c->pointer : "/");
	return err_set(c->e, ERR_INPUT, "%s at %s: %s", what, where, why);
}

static size_t enter(struct check *c, const char *key)
{
	size_t n = strlen(c->pointer);
	snprintf(c->pointer + n, sizeof c->pointer - n, "/%s", key);
	return n;
}

static bool type_is(const char *type, const json_t *v)
{
	switch (json_typeof(v)) {
	case JSON_OBJECT: return strcmp(type, "object") == 0;
	case JSON_ARRAY: return strcmp(type, "array") == 0;
	case JSON_STRING: return strcmp(type, "string") == 0;
	case JSON_INTEGER: return strcmp(type, "integer") == 0 || strcmp(type, "number") == 0;
	case JSON_REAL:
		return strcmp(type, "number") == 0 || (strcmp(type, "integer") == 0 && trunc(json_real_value(v)) == json_real_value(v));
	case JSON_TRUE:
	case JSON_FALSE: return strcmp(type, "boolean") == 0;
	case JSON_NULL: return strcmp(type, "null") == 0;
	}
	return false;
}

static const char *type_of(const json_t *v)
{
	static const char *const names[] = {"an object", "an array", "a text", "an integer", "a number", "true", "false", "null"};
	return names[json_typeof(v)];
}

static int check_type(struct check *c, const json_t *type, const json_t *value)
{
	char wanted[160] = "";
	size_t i;
	json_t *one;
	if (json_is_string(type)) {
		if (type_is(json_string_value(type), value))
			return 0;
		snprintf(wanted, sizeof wanted, "%s", json_string_value(type));
	}
	json_array_foreach(type, i, one) {
		if (type_is(json_string_value(one), value))
			return 0;
		size_t n = strlen(wanted);
		snprintf(wanted + n, sizeof wanted - n, "%s%s", n > 0 ? " or " : "", json_string_value(one));
	}
	return fault(c, false, "wrong type", "this is %s; write %s", type_of(value), strcmp(wanted, "string") == 0 ? "a text in \"…\"" : wanted);
}

static int check_enum(struct check *c, const json_t *list, const json_t *value)
{
	char known[300] = "", shown[80];
	struct near_best best = {0};
	size_t i;
	json_t *one;
	json_array_foreach(list, i, one) {
		if (json_equal(one, value))
			return 0;
		char *s = json_dumps(one, JSON_ENCODE_ANY);
		size_t n = strlen(known);
		snprintf(known + n, sizeof known - n, "%s%s", n > 0 ? ", " : "", s ? s : "");
		free(s);
		if (json_is_string(one) && json_is_string(value))
			near_try(&best, json_string_value(value), json_string_value(one));
	}
	char *s = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
	text_escape(shown, sizeof shown, s ? s : "", s ? strlen(s) : 0);
	free(s);
	const char *near = json_is_string(value) ? near_found(&best, json_string_value(value)) : NULL;
	return fault(c, false, "unknown value", "%s is not one of %s%s%s%s", shown, known, near ? "; did you mean \"" : "", near ? near : "",
		near ? "\"?" : "");
}

static int check_number(struct check *c, const json_t *schema, const json_t *value)
{
	const json_t *least = json_object_get(schema, "minimum"), *most = json_object_get(schema, "maximum");
	double v = json_number_value(value);
	if (!json_is_number(value))
		return 0;
	if (least != NULL && !(v >= json_number_value(least)))
		return fault(c, false, "number too small", "%g is below %g", v, json_number_value(least));
	if (most != NULL && !(v <= json_number_value(most)))
		return fault(c, false, "number too large", "%g is above %g", v, json_number_value(most));
	return 0;
}

static int check_pattern(struct check *c, const json_t *schema, const json_t *value)
{
	const char *pattern = json_text(schema, "pattern", NULL);
	regex_t re;
	if (pattern == NULL || !json_is_string(value))
		return 0;
	int bad = regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB);
	must_memory(bad != REG_ESPACE);
	must(bad == 0);
	bad = regexec(&re, json_string_value(value), 0, NULL, 0);
	if (bad != 0) { /* glibc says the same when memory ends */
		void *probe = malloc(4096);
		must_memory(probe != NULL);
		free(probe);
		bad = regexec(&re, json_string_value(value), 0, NULL, 0);
	}
	bool hit = strlen(json_string_value(value)) == json_string_length(value) && bad == 0;
	regfree(&re);
	if (hit)
		return 0;
	char shown[100];
	text_escape(shown, sizeof shown, json_string_value(value), json_string_length(value));
	return fault(c, false, "text of the wrong form", "\"%s\" does not match %s (%.200s)", shown, pattern,
		json_text(schema, "description", "no description"));
}

static int unknown_key(struct check *c, const json_t *properties, const char *key)
{
	char known[400] = "", shown[80];
	struct near_best best = {0};
	const char *name;
	json_t *ignored;
	json_object_foreach((json_t *)properties, name, ignored) {
		size_t n = strlen(known);
		snprintf(known + n, sizeof known - n, "%s%s", n > 0 ? ", " : "", name);
		near_try(&best, key, name);
	}
	text_escape(shown, sizeof shown, key, strlen(key));
	const char *near = near_found(&best, key);
	size_t n = enter(c, key);
	int rc = near != NULL ? fault(c, true, "unknown key", "there is no \"%s\" here; did you mean \"%s\"? (known: %s)", shown, near, known)
		: fault(c, true, "unknown key", "there is no \"%s\" here; known: %s", shown, known[0] ? known : "none");
	c->pointer[n] = '\0';
	return rc;
}

static int check_object(struct check *c, const json_t *schema, const json_t *value)
{
	const json_t *properties = json_object_get(schema, "properties");
	const char *key;
	json_t *v, *one;
	size_t i;
	json_object_foreach((json_t *)value, key, v) {
		const json_t *sub = json_object_get(properties, key);
		if (sub == NULL) {
			if (json_is_false(json_object_get(schema, "additionalProperties")))
				return unknown_key(c, properties, key);
			continue;
		}
		size_t n = enter(c, key);
		if (check(c, sub, v) < 0)
			return -1;
		c->pointer[n] = '\0';
	}
	json_array_foreach(json_object_get(schema, "required"), i, one)
		if (json_object_get(value, json_string_value(one)) == NULL)
			return fault(c, false, "missing key", "\"%s\" is needed here (%.200s)", json_string_value(one),
				json_text(json_object_get(properties, json_string_value(one)), "description", "no description"));
	return 0;
}

static int check(struct check *c, const json_t *schema, const json_t *value)
{
	const json_t *type = json_object_get(schema, "type"), *list = json_object_get(schema, "enum");
	const json_t *items = json_object_get(schema, "items");
	if (type != NULL && check_type(c, type, value) < 0)
		return -1;
	if (list != NULL && check_enum(c, list, value) < 0)
		return -1;
	if (check_number(c, schema, value) < 0 || check_pattern(c, schema, value) < 0)
		return -1;
	if (json_is_object(value) && check_object(c, schema, value) < 0)
		return -1;
	for (size_t i = 0; items != NULL && i < json_array_size(value); i++) {
		char index[24];
		snprintf(index, sizeof index, "%zu", i);
		size_t n = enter(c, index);
		if (check(c, items, json_array_get(value, i)) < 0)
			return -1;
		c->pointer[n] = '\0';
	}
	return 0;
}

int schema_check(const json_t *schema, const json_t *value, const char *text, size_t len, struct err *e)
{
	struct check c = {.text = text, .len = len, .e = e};
	return check(&c, schema, value);
}

int schema_check_embedded(const char *path, const json_t *value, const char *text, size_t len, struct err *e)
{
	size_t size = 0;
	struct err own = {0};
	const char *source = embed_find(path, &size);
	must(source != NULL);
	json_t *schema = json_read(source, size, &json_limits_config, &own);
	must_memory(schema != NULL);
	int rc = schema_check(schema, value, text, len, e);
	json_decref(schema);
	return rc;
}

static int lint_keyword(const char *key, const json_t *v, struct err *e)
{
	static const char *const known[] = {"type", "properties", "required", "enum", "minimum", "maximum", "pattern", "items",
		"additionalProperties", "title", "description", "default", "examples", "$schema", "$id"};
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		if (strcmp(known[i], key) != 0)
			continue;
		if (strcmp(key, "additionalProperties") == 0 && !json_is_boolean(v))
			return err_set(e, ERR_INPUT, "schema: additionalProperties may be true or false only");
		if (strcmp(key, "pattern") == 0) {
			regex_t re;
			if (!json_is_string(v) || regcomp(&re, json_string_value(v), REG_EXTENDED | REG_NOSUB) != 0)
				return err_set(e, ERR_INPUT, "schema: a pattern is no POSIX extended regular expression");
			regfree(&re);
		}
		return 0;
	}
	return err_set(e, ERR_INPUT, "schema: keyword \"%s\" is not enforced here; use another, or teach it to schema.c", key);
}

int schema_lint(const json_t *schema, struct err *e)
{
	const char *key;
	json_t *v;
	if (!json_is_object(schema))
		return err_set(e, ERR_INPUT, "schema: not an object");
	json_object_foreach((json_t *)schema, key, v)
		if (lint_keyword(key, v, e) < 0)
			return -1;
	json_object_foreach(json_object_get(schema, "properties"), key, v)
		if (schema_lint(v, e) < 0)
			return err_wrap(e, "%s", key);
	v = json_object_get(schema, "items");
	return v != NULL && schema_lint(v, e) < 0 ? err_wrap(e, "items") : 0;
}

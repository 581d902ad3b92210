/* JSON with a guard before the parser: see json.h. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* vasprintf */
#endif
#include "engine/base/json.h"
#include "engine/base/limits.h"
#include "engine/base/text.h"
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct json_limits json_limits_alert = {LIMIT_JSON_BYTES, LIMIT_JSON_TOKENS, LIMIT_JSON_DEPTH};
const struct json_limits json_limits_reply = {LIMIT_REPLY_BYTES, LIMIT_REPLY_TOKENS, LIMIT_JSON_DEPTH};
const struct json_limits json_limits_config = {LIMIT_CONFIG_BYTES, LIMIT_REPLY_TOKENS, LIMIT_JSON_DEPTH};

int json_guard(const char *bytes, size_t len, const struct json_limits *limits, struct err *e)
{
	size_t tokens = 0;
	int depth = 0;
	bool in_word = false;
	if (len > limits->bytes)
		return err_set(e, ERR_LIMIT, "JSON of %zu bytes is over the limit of %zu", len, limits->bytes);
	for (size_t i = 0; i < len; i++) {
		char c = bytes[i];
		if (c == '"') {
			for (i++; i < len && bytes[i] != '"'; i++)
				if (bytes[i] == '\\')
					i++;
			tokens++;
			in_word = false;
		} else if (c == '{' || c == '[') {
			depth++;
			tokens++;
			in_word = false;
		} else if (c == '}' || c == ']') {
			depth--;
			in_word = false;
		} else if (c == ',' || c == ':' || c == ' ' || c == '\n' || c == '\r' || c == '\t') {
			in_word = false;
		} else if (!in_word) {
			in_word = true;
			tokens++;
		}
		if (depth > limits->depth)
			return err_set(e, ERR_LIMIT, "JSON is nested deeper than %d at byte %zu", limits->depth, i + 1);
		if (tokens > limits->tokens)
			return err_set(e, ERR_LIMIT, "JSON has more than %zu tokens (at byte %zu)", limits->tokens, i + 1);
	}
	return 0;
}

json_t *json_read(const char *bytes, size_t len, const struct json_limits *limits, struct err *e)
{
	json_error_t je;
	if (json_guard(bytes, len, limits, e) < 0)
		return NULL;
	json_t *value = json_quick(bytes, len);
	if (value == NULL)
		value = json_loadb(bytes, len, JSON_REJECT_DUPLICATES, &je);
	if (value == NULL)
		err_set(e, ERR_INPUT, "JSON line %d column %d: %s", je.line, je.column, je.text);
	return value;
}

json_t *json_read_file(const char *path, const struct json_limits *limits, char **text, struct err *e)
{
	FILE *f = fopen(path, "rbe");
	if (f == NULL) {
		err_set(e, ERR_INPUT, "%s: %s", path, strerror(errno));
		return NULL;
	}
	char *buf = malloc(limits->bytes + 2);
	size_t len = buf ? fread(buf, 1, limits->bytes + 1, f) : 0;
	bool bad = buf == NULL || ferror(f);
	fclose(f);
	json_t *value = NULL;
	if (bad) {
		err_set(e, ERR_SYSTEM, "%s: cannot be read", path);
	} else {
		buf[len] = '\0';
		value = json_read(buf, len, limits, e);
		if (value == NULL)
			err_wrap(e, "%s", path);
	}
	if (text != NULL && !bad)
		*text = buf;
	else
		free(buf);
	return value;
}

void json_append_words(json_t *array, const char *format, ...)
{
	va_list ap;
	char *words = NULL, escaped[1024];
	va_start(ap, format);
	int n = vasprintf(&words, format, ap);
	va_end(ap);
	must_memory(n >= 0);
	json_t *string = json_string(words);
	if (string == NULL) { /* a stranger's bytes, no UTF-8 */
		text_escape(escaped, sizeof escaped, words, (size_t)n);
		string = json_string(escaped);
	}
	must_memory(json_array_append_new(array, string) == 0);
	free(words);
}

const char *json_text(const json_t *object, const char *key, const char *otherwise)
{
	const json_t *v = json_object_get(object, key);
	return json_is_string(v) ? json_string_value(v) : otherwise;
}

double json_number(const json_t *object, const char *key, double otherwise)
{
	const json_t *v = json_object_get(object, key);
	return json_is_number(v) ? json_number_value(v) : otherwise;
}

int64_t json_int(const json_t *object, const char *key, int64_t otherwise)
{
	const json_t *v = json_object_get(object, key);
	return json_is_integer(v) ? (int64_t)json_integer_value(v) : otherwise;
}

bool json_flag(const json_t *object, const char *key, bool otherwise)
{
	const json_t *v = json_object_get(object, key);
	return json_is_boolean(v) ? json_is_true(v) : otherwise;
}

json_t *json_real_or_null(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

/* ---- where in the text is a value ---- */
struct scan {
	const char *s;
	size_t len, at;
};

static void scan_space(struct scan *p)
{
	while (p->at < p->len && isspace((unsigned char)p->s[p->at]))
		p->at++;
}

static void scan_string(struct scan *p)
{
	for (p->at++; p->at < p->len && p->s[p->at] != '"'; p->at++)
		if (p->s[p->at] == '\\')
			p->at++;
	p->at++;
}

/* Steps over one value (any type): the text is known to be valid JSON, so nesting and strings are all there is to it. */
static void scan_value(struct scan *p)
{
	int depth = 0;
	do {
		scan_space(p);
		if (p->at >= p->len)
			return;
		char c = p->s[p->at];
		if (c == '"') {
			scan_string(p);
		} else if (c == '{' || c == '[') {
			depth++;
			p->at++;
		} else if (c == '}' || c == ']') {
			depth--;
			p->at++;
		} else if (c == ',' || c == ':') {
			p->at++;
		} else {
			while (p->at < p->len && strchr(",:]} \t\r\n", p->s[p->at]) == NULL)
				p->at++;
		}
	} while (depth > 0);
}

/* Enters the container at p and stops at the member `name` (or the n-th element); key_at gets where its key starts. */
static bool scan_member(struct scan *p, const char *name, size_t name_len, size_t *key_at)
{
	scan_space(p);
	if (p->at >= p->len || (p->s[p->at] != '{' && p->s[p->at] != '['))
		return false;
	bool object = p->s[p->at++] == '{';
	long want = object ? 0 : strtol(name, NULL, 10);
	for (long i = 0;; i++) {
		scan_space(p);
		if (p->at >= p->len || p->s[p->at] == '}' || p->s[p->at] == ']')
			return false;
		*key_at = p->at;
		if (object) {
			size_t from = p->at + 1;
			scan_string(p);
			bool hit = p->at - 1 - from == name_len && memcmp(p->s + from, name, name_len) == 0;
			scan_space(p);
			p->at++; /* the colon */
			scan_space(p);
			if (hit)
				return true;
		} else if (i == want) {
			return true;
		}
		scan_value(p);
		scan_space(p);
		if (p->at < p->len && p->s[p->at] == ',')
			p->at++;
	}
}

void json_where(const char *text, size_t len, const char *pointer, bool of_key, int *line, int *column)
{
	struct scan p = {text, len, 0};
	size_t key_at = 0;
	*line = *column = 0;
	scan_space(&p);
	while (*pointer == '/') {
		size_t n = strcspn(pointer + 1, "/");
		if (!scan_member(&p, pointer + 1, n, &key_at))
			return;
		pointer += n + 1;
	}
	size_t at = of_key ? key_at : p.at;
	*line = *column = 1;
	for (size_t i = 0; i < at && i < len; i++) {
		if (text[i] == '\n') {
			++*line;
			*column = 1;
		} else if (((unsigned char)text[i] & 0xC0) != 0x80) {
			++*column;
		}
	}
}

/* ---- canonical text ---- */
/* As jansson writes it: what it lets stand is copied in runs. */
static void put_string(struct text *t, const char *s, size_t len)
{
	static const char short_form[] = "\"\"\\\\\bb\ff\nn\rr\tt"; /* pairs */
	size_t from = 0;
	text_add(t, "\"", 1);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];
		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		text_add(t, s + from, i - from);
		from = i + 1;
		size_t k = 0;
		while (k < sizeof short_form - 1 && short_form[k] != (char)c)
			k += 2;
		if (k < sizeof short_form - 1)
			text_add(t, (const char[]){'\\', short_form[k + 1]}, 2);
		else
			text_printf(t, "\\u%04X", c);
	}
	text_add(t, s + from, len - from);
	text_add(t, "\"", 1);
}

static void put_integer(struct text *t, json_int_t v)
{
	char digits[24], *p = digits + sizeof digits;
	uint64_t left = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
	do
		*--p = (char)('0' + left % 10);
	while ((left /= 10) > 0);
	if (v < 0)
		*--p = '-';
	text_add(t, p, (size_t)(digits + sizeof digits - p));
}

void json_scalar(struct text *t, const json_t *v)
{
	char number[40], *other;
	switch (v ? (int)json_typeof(v) : -1) {
	case JSON_REAL:
		text_double(number, sizeof number, json_real_value(v));
		/* "-0" would be read again as an integer, which has no sign: other bytes the next time */
		text_puts(t, strcmp(number, "-0") == 0 ? "-0.0" : number);
		return;
	case JSON_STRING:
		put_string(t, json_string_value(v), json_string_length(v));
		return;
	case JSON_INTEGER:
		put_integer(t, json_integer_value(v));
		return;
	case JSON_TRUE:
		text_add(t, "true", 4);
		return;
	case JSON_FALSE:
		text_add(t, "false", 5);
		return;
	case JSON_NULL:
		text_add(t, "null", 4);
		return;
	default:
		break;
	}
	other = json_dumps(v, JSON_COMPACT);
	if (other == NULL)
		t->failed = true;
	else
		text_puts(t, other);
	free(other);
}

struct member {
	const char *key;
	const json_t *value;
};

static int compare_keys(const void *a, const void *b)
{
	return strcmp(((const struct member *)a)->key, ((const struct member *)b)->key);
}

static void canonical(struct text *t, const json_t *v);

static void canonical_object(struct text *t, const json_t *v)
{
	struct member few[24];
	size_t n = json_object_size(v), i = 0;
	struct member *list = n <= sizeof few / sizeof few[0] ? few : malloc(n * sizeof *list);
	must_memory(list != NULL);
	for (void *it = json_object_iter((json_t *)v); it; it = json_object_iter_next((json_t *)v, it))
		list[i++] = (struct member){json_object_iter_key(it), json_object_iter_value(it)};
	qsort(list, n, sizeof *list, compare_keys);
	text_add(t, "{", 1);
	for (i = 0; i < n; i++) {
		if (i > 0)
			text_add(t, ",", 1);
		put_string(t, list[i].key, strlen(list[i].key));
		text_add(t, ":", 1);
		canonical(t, list[i].value);
	}
	text_add(t, "}", 1);
	if (list != few)
		free(list);
}

static void canonical(struct text *t, const json_t *v)
{
	if (json_is_object(v)) {
		canonical_object(t, v);
	} else if (json_is_array(v)) {
		text_add(t, "[", 1);
		for (size_t i = 0; i < json_array_size(v); i++) {
			if (i > 0)
				text_add(t, ",", 1);
			canonical(t, json_array_get(v, i));
		}
		text_add(t, "]", 1);
	} else {
		json_scalar(t, v);
	}
}

char *json_canonical(const json_t *value)
{
	struct text t = {.max = LIMIT_TEXT};
	canonical(&t, value);
	if (t.failed) {
		text_free(&t);
		return NULL;
	}
	return t.data;
}

/* Blanks secrets, named members and presigned queries in replies: see redact.h. */
#define _GNU_SOURCE
#include "engine/io/redact.h"
#include "engine/base/json.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool holds(const char *body, size_t len, const char *word)
{
	return memmem(body, len, word, strlen(word)) != NULL;
}

static bool presigned(const char *s)
{
	return strchr(s, '?') != NULL && (strstr(s, "X-Amz-Signature=") || strstr(s, "Signature=") || strstr(s, "X-Goog-Signature="));
}

static bool named(const json_t *names, const char *key)
{
	size_t i;
	json_t *name;
	json_array_foreach(names, i, name)
		if (json_is_string(name) && strcmp(json_string_value(name), key) == 0)
			return true;
	return false;
}

/* The string as it may be kept, or NULL when it may stay as it is. New reference. */
static json_t *cleaned(const json_t *string, const struct secrets *secrets)
{
	size_t len = json_string_length(string);
	char *copy = malloc(len + 1);
	if (copy == NULL)
		return json_string("(redacted)");
	memcpy(copy, json_string_value(string), len + 1);
	bool signed_url = presigned(copy);
	if (signed_url)
		len = strcspn(copy, "?");
	json_t *out = NULL;
	if (secrets_blank(secrets, copy, len) > 0 || signed_url) {
		out = json_stringn(copy, len);
		if (out == NULL) /* half a character was part of the secret */
			out = json_string("(redacted)");
	}
	free(copy);
	return out;
}

/* json_read has bounded the depth. */
static void walk(json_t *value, const json_t *names, const struct secrets *secrets)
{
	const char *key;
	json_t *member, *clean;
	size_t i;
	json_array_foreach(value, i, member) {
		if ((clean = json_is_string(member) ? cleaned(member, secrets) : NULL) != NULL)
			json_array_set_new(value, i, clean);
		else
			walk(member, names, secrets);
	}
	void *tmp;
	json_object_foreach_safe(value, tmp, key, member) {
		json_t *own = json_string(key), *other = own != NULL ? cleaned(own, secrets) : NULL;
		if (named(names, key))
			json_object_set_new(value, key, json_string("(redacted)"));
		else if (other != NULL) /* a key that is a secret: nobody asked for it */
			json_object_del(value, key);
		else if ((clean = json_is_string(member) ? cleaned(member, secrets) : NULL) != NULL)
			json_object_set_new(value, key, clean);
		else
			walk(member, names, secrets);
		json_decref(own);
		json_decref(other);
	}
}

static int hex_of(const char *at)
{
	int value = 0;
	for (int i = 0; i < 4; i++) {
		const char *digits = "0123456789abcdef", *hit = at[i] != '\0' ? strchr(digits, tolower((unsigned char)at[i])) : NULL;
		if (hit == NULL)
			return -1;
		value = value * 16 + (int)(hit - digits);
	}
	return value;
}

static size_t utf8_put(char *out, unsigned c)
{
	size_t more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
	static const unsigned char first[] = {0, 0xC0, 0xE0, 0xF0};
	for (size_t i = more; i > 0; i--, c >>= 6)
		out[i] = (char)(0x80 | (c & 0x3F));
	out[0] = (char)(first[more] | c);
	return more + 1;
}

/* The character of an escape at in[at] == '\\', whose length goes to *used; never longer than the escape. */
static size_t unescape(const char *in, size_t len, size_t at, char *out, size_t *used)
{
	static const char from[] = "/\\\"bfnrt", to[] = "/\\\"\b\f\n\r\t";
	const char *hit = at + 1 < len && in[at + 1] != '\0' ? strchr(from, in[at + 1]) : NULL;
	int high = at + 6 <= len && in[at + 1] == 'u' ? hex_of(in + at + 2) : -1;
	int low = high >= 0xD800 && high < 0xDC00 && at + 12 <= len && in[at + 6] == '\\' && in[at + 7] == 'u' ? hex_of(in + at + 8) : -1;
	*used = low >= 0xDC00 && low < 0xE000 ? 12 : high >= 0 ? 6 : hit != NULL ? 2 : 1;
	if (*used == 12)
		return utf8_put(out, 0x10000u + (((unsigned)high - 0xD800u) << 10) + ((unsigned)low - 0xDC00u));
	if (*used == 6)
		return utf8_put(out, (unsigned)high);
	*out = hit != NULL ? to[hit - from] : in[at];
	return 1;
}

/* Does a secret stand there in JSON's escapes, which whoever reads the reply undoes? Without memory: as if it did. */
static bool holds_escaped(const char *body, size_t len, const struct secrets *secrets)
{
	if (secrets->count == 0 || memchr(body, '\\', len) == NULL)
		return false;
	char *plain = malloc(len + 1);
	if (plain == NULL)
		return true;
	size_t n = 0;
	for (size_t i = 0, used = 1; i < len; i += used) {
		used = 1;
		if (body[i] == '\\')
			n += unescape(body, len, i, plain + n, &used);
		else
			plain[n++] = body[i];
	}
	bool found = secrets_blank(secrets, plain, n) > 0;
	explicit_bzero(plain, n);
	free(plain);
	return found;
}

/* The same name as a member, in what may be JSON. */
static bool holds_member(const char *body, size_t len, const json_t *names)
{
	char quoted[128];
	size_t i;
	json_t *name;
	json_array_foreach(names, i, name) {
		snprintf(quoted, sizeof quoted, "\"%s\"", json_is_string(name) ? json_string_value(name) : "");
		if (holds(body, len, quoted))
			return true;
	}
	return false;
}

/* It cannot be taken apart: may it hold what must not be kept? A page for people may say "tokens". */
static bool suspicious(const char *body, size_t len, const json_t *names)
{
	size_t i = 0;
	while (i < len && (body[i] == ' ' || body[i] == '\n' || body[i] == '\r' || body[i] == '\t'))
		i++;
	bool json = i < len && (body[i] == '{' || body[i] == '[');
	return json || holds(body, len, "Signature=") || holds_member(body, len, names);
}

char *redact(const char *body, size_t body_len, const json_t *names, const struct secrets *secrets, size_t *len)
{
	static const char withheld[] = "(a reply that cannot be read and may hold secrets; it was not kept)";
	bool escaped = holds_escaped(body, body_len, secrets);
	bool some = escaped || holds(body, body_len, "Signature=") || holds(body, body_len, "\\u00"); /* a name may be written in escapes */
	size_t i;
	json_t *name;
	json_array_foreach(names, i, name)
		some = some || (json_is_string(name) && holds(body, body_len, json_string_value(name)));
	if (!some)
		return NULL;
	struct err e = {0};
	json_t *value = json_read(body, body_len, &json_limits_reply, &e);
	if (value == NULL && !escaped && !suspicious(body, body_len, names))
		return NULL;
	char *out = NULL;
	if (value != NULL) {
		walk(value, names, secrets);
		out = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
		json_decref(value);
	} else {
		out = strdup(withheld);
	}
	*len = out != NULL ? strlen(out) : 0;
	secrets_blank(secrets, out, *len);
	return out;
}

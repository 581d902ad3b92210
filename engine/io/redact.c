/* Blanks named members and presigned queries in JSON replies: see redact.h. */
#define _GNU_SOURCE
#include "engine/io/redact.h"
#include "engine/base/json.h"
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

/* json_read has bounded the depth. */
static void walk(json_t *value, const json_t *names)
{
	const char *key;
	json_t *member;
	size_t i;
	if (json_is_array(value)) {
		json_array_foreach(value, i, member) {
			if (json_is_string(member) && presigned(json_string_value(member)))
				json_array_set_new(value, i, json_stringn(json_string_value(member), strcspn(json_string_value(member), "?")));
			else
				walk(member, names);
		}
		return;
	}
	if (!json_is_object(value))
		return;
	void *tmp;
	json_object_foreach_safe(value, tmp, key, member) {
		if (named(names, key))
			json_object_set_new(value, key, json_string("(redacted)"));
		else if (json_is_string(member) && presigned(json_string_value(member)))
			json_object_set_new(value, key, json_stringn(json_string_value(member), strcspn(json_string_value(member), "?")));
		else
			walk(member, names);
	}
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

char *redact(const char *body, size_t body_len, const json_t *names, size_t *len)
{
	static const char withheld[] = "(a reply that cannot be read and may hold secrets; it was not kept)";
	bool some = holds(body, body_len, "Signature=") || holds(body, body_len, "\\u00"); /* a name may be written in escapes */
	size_t i;
	json_t *name;
	json_array_foreach(names, i, name)
		some = some || (json_is_string(name) && holds(body, body_len, json_string_value(name)));
	if (!some)
		return NULL;
	struct err e = {0};
	json_t *value = json_read(body, body_len, &json_limits_reply, &e);
	if (value == NULL && !suspicious(body, body_len, names))
		return NULL;
	if (value == NULL) {
		*len = sizeof withheld - 1;
		return strdup(withheld);
	}
	walk(value, names);
	char *out = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	json_decref(value);
	*len = out != NULL ? strlen(out) : 0;
	return out;
}

/* Refusals of the portal in words: flattens the nested validation dict and tells what could be changed. */
#include "facilities/ocs.h"
#include "engine/base/json.h"
#include "engine/base/text.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_MAX_BYTES = 160, SHOWN_MAX = 400 };

/* Fragments of the portal's sentences (English, stable), in the order in which they are tried. */
static const struct {
	const char *fragment, *stem;
} stems[] = {
	{"Invalid instrument type", "instrument"},
	{"optical element", "filter"},
	{"Readout mode", "readout"},
	{"Guiding mode", "readout"},
	{"Acquisition mode", "readout"},
	{"Rotator mode", "readout"},
	{"Exposure mode", "readout"},
	{"configuration type", "configuration"},
	{"IPP Value", "ipp"},
	{"ipp_value", "ipp"},
	{"window start time cannot be in the future", "rr_window"},
	{"must start within the next 24 hours", "rr_window"},
	{"will not be visible within the time window", "airmass"},
	{"will only be visible for a maximum of", "window"},
	{"Window end", "window"},
	{"defined semester", "window"},
	{"same semester", "window"},
	{"at least 1 window", "window"},
	{"time allocated on the instrument", "allocation"},
	{"time left allocated", "time"},
	{"time allocated in semester", "time"},
	{"time limit set for your account", "time"},
	{"do not belong to the proposal", "proposal"},
	{"currently inactive", "proposal"},
	{"Invalid pk", "proposal"},
	{"Invalid token", "proposal"},
	{"credentials were not provided", "proposal"},
	{"permission", "proposal"},
	{"max value is", "configuration"},
	{"min value is", "configuration"},
	{"unallowed value", "configuration"},
	{"required field", "configuration"},
	{"field is required", "configuration"},
};

static const char *stem_of(const char *path, const char *words)
{
	if (strstr(path, "max_airmass") != NULL)
		return "airmass";
	for (size_t i = 0; i < sizeof stems / sizeof stems[0]; i++) {
		if (strstr(words, stems[i].fragment) != NULL || strstr(path, stems[i].fragment) != NULL)
			return stems[i].stem;
	}
	return "other";
}

/* One (path, message) pair of the tree. Decides field and stem when it is the first. */
static void leaf(const char *path, const json_t *value, struct answer *out)
{
	char shown[SHOWN_MAX], *made = NULL;
	const char *raw = json_is_string(value) ? json_string_value(value) : (made = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT));
	size_t used = strlen(out->words), shown_len;
	if (raw == NULL)
		raw = "";
	text_escape(shown, sizeof shown, raw, strlen(raw));
	shown_len = strlen(shown);
	if (out->stem[0] == '\0' || strcmp(out->stem, "other") == 0) {
		const char *stem = stem_of(path, shown);
		if (out->stem[0] == '\0' || strcmp(stem, "other") != 0) {
			text_escape(out->field, sizeof out->field, path, strlen(path));
			text_copy(out->stem, sizeof out->stem, stem);
		}
	}
	const char *limit = strstr(shown, "lower your IPP Value to <= ");
	if (limit != NULL && isnan(out->ipp_max))
		out->ipp_max = strtod(limit + strlen("lower your IPP Value to <= "), NULL);
	if (used + shown_len + 3 < sizeof out->words)
		snprintf(out->words + used, sizeof out->words - used, "%s%s", used > 0 ? "; " : "", shown);
	free(made);
}

static void path_join(char out[PATH_MAX_BYTES], const char *path, const char *key)
{
	if (strcmp(key, "non_field_errors") == 0 || strcmp(key, "detail") == 0 || strcmp(key, "errors") == 0)
		text_copy(out, PATH_MAX_BYTES, path);
	else
		snprintf(out, PATH_MAX_BYTES, "%s%s%s", path, path[0] != '\0' ? "." : "", key);
}

/* Recurses at most as deep as the parser let the tree grow (LIMIT_JSON_DEPTH). */
static void flatten(const char *path, const json_t *value, struct answer *out)
{
	char inner[PATH_MAX_BYTES];
	if (json_is_object(value)) {
		const char *key;
		const json_t *member;
		void *at = json_object_iter((json_t *)value);
		for (; at != NULL; at = json_object_iter_next((json_t *)value, at)) {
			key = json_object_iter_key(at);
			member = json_object_iter_value(at);
			path_join(inner, path, key);
			flatten(inner, member, out);
		}
	} else if (json_is_array(value)) {
		size_t i;
		const json_t *member;
		json_array_foreach(value, i, member) {
			snprintf(inner, sizeof inner, "%.*s[%zu]", PATH_MAX_BYTES - 24, path, i);
			flatten(json_is_object(member) || json_is_array(member) ? inner : path, member, out);
		}
	} else {
		leaf(path, value, out);
	}
}

void ocs_refusal(const json_t *errors, struct answer *out)
{
	out->words[0] = '\0';
	flatten("", errors, out);
	if (out->stem[0] == '\0')
		text_copy(out->stem, sizeof out->stem, "other");
}

/* Text between the tags, white space folded; stops when out is full. */
static void plain_text(const char *in, size_t len, char *out, size_t size)
{
	size_t used = 0;
	bool tag = false, gap = false;
	for (size_t i = 0; i < len && used + 2 < size; i++) {
		char c = in[i];
		if (c == '<' || c == '>') {
			tag = c == '<';
			gap = true;
		} else if (!tag && (c == ' ' || c == '\n' || c == '\r' || c == '\t')) {
			gap = true;
		} else if (!tag) {
			if (gap && used > 0)
				out[used++] = ' ';
			gap = false;
			out[used++] = c;
		}
	}
	out[used] = '\0';
}

void ocs_words(const struct reply *r, struct answer *out)
{
	char plain[SHOWN_MAX], shown[SHOWN_MAX];
	if (r->sent != SENT_ANSWERED) {
		const char *why = r->transport != NULL && r->transport[0] != '\0' ? r->transport : "no answer";
		text_escape(shown, sizeof shown, why, strlen(why));
		snprintf(out->words, sizeof out->words, "%s: %s", r->sent == SENT_NO ? "not sent" : "answer lost", shown);
		return;
	}
	plain_text(r->body != NULL ? r->body : "", r->body != NULL ? r->len : 0, plain, sizeof plain);
	text_escape(shown, sizeof shown, plain, strlen(plain));
	snprintf(out->words, sizeof out->words, "HTTP %d%s%s", r->status, shown[0] != '\0' ? ": " : "", shown);
}

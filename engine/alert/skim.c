/* The tokeniser that keeps megabytes of base64 away from the JSON parser: see skim.h. */
#include "engine/alert/skim.h"
#include "engine/base/hash.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Where the reader is: the key last seen in the root object and in the object one below it. */
struct reader {
	const char *s;
	size_t len, at, copied;
	int depth;
	bool object[3];       /* is the container at depth 1, 2 an object? */
	struct span key[3];
};

/* Index of the closing quote of the string that opens at p->at; len when it never closes. */
static size_t string_end(const struct reader *p)
{
	size_t i = p->at + 1;
	while (i < p->len) {
		const char *quote = memchr(p->s + i, '"', p->len - i);
		if (quote == NULL)
			return p->len;
		size_t q = (size_t)(quote - p->s), slashes = 0;
		while (q - slashes > p->at + 1 && p->s[q - slashes - 1] == '\\')
			slashes++;
		if (slashes % 2 == 0)
			return q;
		i = q + 1;
	}
	return p->len;
}

static bool span_is(struct span s, const char *word)
{
	return s.at != NULL && strlen(word) == s.len && memcmp(s.at, word, s.len) == 0;
}

static bool is_key(const struct reader *p, size_t end)
{
	size_t i = end + 1;
	while (i < p->len && isspace((unsigned char)p->s[i]))
		i++;
	return i < p->len && p->s[i] == ':';
}

static struct skim_cut *cut_here(const struct reader *p, struct skim_cut *cuts, size_t count)
{
	if (p->depth != 2 || !p->object[1] || !p->object[2])
		return NULL;
	for (size_t i = 0; i < count; i++)
		if (span_is(p->key[1], cuts[i].parent) && span_is(p->key[2], cuts[i].key) && cuts[i].found.at == NULL)
			return &cuts[i];
	return NULL;
}

static void string_token(struct reader *p, struct skim_cut *cuts, size_t count, struct text *rest)
{
	size_t end = string_end(p);
	struct span inside = {p->s + p->at + 1, end - p->at - (end > p->at)};
	if (end < p->len && p->depth >= 1 && p->depth <= 2 && p->object[p->depth] && is_key(p, end)) {
		p->key[p->depth] = inside;
	} else if (end < p->len) {
		struct skim_cut *cut = cut_here(p, cuts, count);
		if (cut != NULL) {
			cut->found = inside;
			text_add(rest, p->s + p->copied, p->at + 1 - p->copied);
			p->copied = end;
		}
	}
	p->at = end + 1;
}

int skim(const char *text, size_t len, struct skim_cut *cuts, size_t count, struct text *rest, struct err *e)
{
	struct reader p = {.s = text, .len = len};
	while (p.at < p.len) {
		char c = p.s[p.at];
		if (c == '"') {
			string_token(&p, cuts, count, rest);
			continue;
		}
		if (c == '{' || c == '[') {
			p.depth++;
			if (p.depth >= 1 && p.depth <= 2) {
				p.object[p.depth] = c == '{';
				p.key[p.depth] = (struct span){0};
			}
		} else if (c == '}' || c == ']') {
			p.depth--;
		}
		p.at++;
	}
	text_add(rest, p.s + p.copied, p.len - p.copied);
	return rest->failed ? err_set(e, ERR_MEMORY, "no memory for %zu bytes of JSON", len) : 0;
}

/* One escape at in[*i] == '\\' → its byte; -1 for one that no base64 has. */
static int unescape(const char *in, size_t len, size_t *i)
{
	static const char from[] = "/\\\"nrtbf", to[] = "/\\\"\n\r\t\b\f";
	char c = ++*i < len ? in[*i] : '\0';
	const char *hit = c ? strchr(from, c) : NULL;
	if (hit != NULL)
		return to[hit - from];
	if (c != 'u' || len - *i < 5)
		return -1;
	char hex[5] = {in[*i + 1], in[*i + 2], in[*i + 3], in[*i + 4], '\0'};
	char *stop;
	long value = strtol(hex, &stop, 16);
	*i += 4;
	return *stop == '\0' && value > 0 && value < 128 ? (int)value : -1;
}

int skim_base64(struct span s, size_t max, unsigned char **bytes, size_t *len, struct err *e)
{
	if (memchr(s.at, '\\', s.len) == NULL)
		return base64_decode(s.at, s.len, max, bytes, len, e);
	char *plain = malloc(s.len + 1);
	if (plain == NULL)
		return err_set(e, ERR_MEMORY, "no memory for %zu bytes of base64", s.len);
	size_t n = 0;
	int bad = 0;
	for (size_t i = 0; i < s.len && !bad; i++) {
		int c = s.at[i] == '\\' ? unescape(s.at, s.len, &i) : (unsigned char)s.at[i];
		bad = c < 0;
		plain[n++] = (char)c;
	}
	int rc = bad ? err_set(e, ERR_INPUT, "base64 is broken: an escape at character %zu is none of base64", n)
		: base64_decode(plain, n, max, bytes, len, e);
	free(plain);
	return rc;
}

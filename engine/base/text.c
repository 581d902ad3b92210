/* Growing strings with a ceiling, and escaping: see text.h. */
#include "engine/base/text.h"
#include "engine/base/err.h"
#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool text_room(struct text *t, size_t more)
{
	if (t->failed)
		return false;
	if (more > t->max || t->len > t->max - more) {
		t->failed = true;
		return false;
	}
	size_t need = t->len + more + 1;
	if (need <= t->cap)
		return true;
	size_t cap = t->cap ? t->cap : 128;
	while (cap < need)
		cap *= 2;
	char *data = realloc(t->data, cap);
	must_memory(data != NULL); /* `failed` would say "too long" */
	t->data = data;
	t->cap = cap;
	return true;
}

void text_add(struct text *t, const void *bytes, size_t len)
{
	if (!text_room(t, len))
		return;
	if (len > 0)
		memcpy(t->data + t->len, bytes, len);
	t->len += len;
	t->data[t->len] = '\0';
}

void text_puts(struct text *t, const char *s)
{
	text_add(t, s, strlen(s));
}

void text_printf(struct text *t, const char *format, ...)
{
	va_list ap, again;
	va_start(ap, format);
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, format, ap);
	va_end(ap);
	if (n < 0 || !text_room(t, (size_t)n)) {
		t->failed = true;
	} else {
		vsnprintf(t->data + t->len, (size_t)n + 1, format, again);
		t->len += (size_t)n;
	}
	va_end(again);
}

void text_reset(struct text *t)
{
	t->len = 0;
	t->failed = false;
	if (t->data)
		t->data[0] = '\0';
}

void text_free(struct text *t)
{
	free(t->data);
	*t = (struct text){.max = t->max};
}

void text_html(struct text *t, const char *s)
{
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;
		if (c == '&')
			text_puts(t, "&amp;");
		else if (c == '<')
			text_puts(t, "&lt;");
		else if (c == '>')
			text_puts(t, "&gt;");
		else if (c == '"')
			text_puts(t, "&quot;");
		else if (c == '\'')
			text_puts(t, "&#39;");
		else if (c >= 0x20 || c == '\n' || c == '\t')
			text_add(t, s, 1);
	}
}

void text_url(struct text *t, const char *s)
{
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;
		if ((c < 0x80 && isalnum(c)) || c == '-' || c == '.' || c == '_' || c == '~')
			text_add(t, s, 1);
		else
			text_printf(t, "%%%02X", c);
	}
}

/* Length of the valid UTF-8 sequence at s, or 0 (overlong forms, surrogates and > U+10FFFF are not valid). */
static size_t utf8_length(const unsigned char *s, size_t left)
{
	if (s[0] < 0x80)
		return 1;
	size_t n = s[0] >= 0xF0 ? 4 : s[0] >= 0xE0 ? 3 : s[0] >= 0xC2 ? 2 : 0;
	if (n == 0 || s[0] > 0xF4 || n > left)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xC0) != 0x80)
			return 0;
	if ((s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xED && s[1] >= 0xA0) ||
		(s[0] == 0xF0 && s[1] < 0x90) || (s[0] == 0xF4 && s[1] >= 0x90))
		return 0;
	return n;
}

/* Control characters of a valid sequence of n bytes: C0, DEL, C1, the line separators, and those that turn the direction of writing (U+2028–202E,
 * U+2066–2069), which make a line look like another one. */
static bool is_control(const unsigned char *s, size_t n)
{
	if (n == 1)
		return s[0] < 0x20 || s[0] == 0x7F;
	if (n == 2)
		return s[0] == 0xC2 && s[1] < 0xA0;
	return n == 3 && s[0] == 0xE2 && ((s[1] == 0x80 && s[2] >= 0xA8 && s[2] <= 0xAE) || (s[1] == 0x81 && s[2] >= 0xA6 && s[2] <= 0xA9));
}

size_t text_escape(char *out, size_t size, const char *in, size_t len)
{
	const unsigned char *s = (const unsigned char *)in;
	size_t o = 0;
	for (size_t i = 0; i < len && size > 0;) {
		size_t n = utf8_length(s + i, len - i);
		bool plain = n > 0 && !is_control(s + i, n);
		size_t need = plain ? n : 4;
		if (o + need + 1 > size)
			break;
		if (plain) {
			memcpy(out + o, s + i, n);
			i += n;
		} else {
			snprintf(out + o, 5, "\\x%02X", s[i]);
			i++;
		}
		o += need;
	}
	if (size > 0)
		out[o] = '\0';
	return o;
}

void text_json(struct text *t, const char *json)
{
	const unsigned char *s = (const unsigned char *)json;
	size_t left = strlen(json), plain = 0;

	for (size_t i = 0, n; i < left; i += n) {
		n = utf8_length(s + i, left - i);
		if (s[i] == '\n' || (n > 0 && !is_control(s + i, n))) {
			plain += n;
			continue;
		}
		unsigned code = n == 3 ? (s[i] & 0x0Fu) << 12 | (s[i + 1] & 0x3Fu) << 6 | (s[i + 2] & 0x3Fu) : n == 2 ? s[i + 1] : n == 1 ? s[i] : 0xFFFD;
		text_add(t, json + i - plain, plain);
		text_printf(t, "\\u%04X", code);
		plain = 0;
		n = n > 0 ? n : 1;
	}
	text_add(t, json + left - plain, plain);
}

bool text_printable(const char *s, size_t len, size_t max)
{
	const unsigned char *u = (const unsigned char *)s;
	if (len == 0 || len > max)
		return false;
	for (size_t i = 0; i < len;) {
		size_t n = utf8_length(u + i, len - i);
		if (n == 0 || is_control(u + i, n))
			return false;
		i += n;
	}
	return true;
}

/* Up to six decimals and fifteen digits, as most numbers of people have: r / 10^k rounds to the double that its decimal reads as, and no other
 * decimal of fifteen digits does. 0: not such a number. */
static size_t short_double(char *out, size_t size, double value)
{
	static const double power[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6};
	double a = fabs(value);
	if (!(a >= 1e-4 && a < 1e8))
		return 0;
	for (int k = 0; k < 7; k++) {
		int64_t r = llround(a * power[k]), unit = (int64_t)power[k];
		if ((double)r / power[k] != a)
			continue;
		const char *sign = value < 0 ? "-" : "";
		return (size_t)(k == 0 ? snprintf(out, size, "%s%lld", sign, (long long)r) :
			snprintf(out, size, "%s%lld.%0*lld", sign, (long long)(r / unit), k, (long long)(r % unit)));
	}
	return 0;
}

size_t text_double(char *out, size_t size, double value)
{
	if (!isfinite(value))
		return (size_t)snprintf(out, size, "null");
	size_t len = short_double(out, size, value);
	if (len > 0)
		return len;
	for (int digits = 15; digits <= 17; digits++) {
		int n = snprintf(out, size, "%.*g", digits, value);
		if (digits == 17 || strtod(out, NULL) == value)
			return (size_t)n;
	}
	return 0;
}

bool text_copy(char *out, size_t size, const char *in)
{
	size_t n = strlen(in), c = n < size ? n : size - 1;
	memcpy(out, in, c);
	out[c] = '\0';
	return c == n;
}

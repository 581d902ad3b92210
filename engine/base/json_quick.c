/* Plain JSON, read in one pass: see json.h. What is not plain (a \u, a number of many digits, an error) is left to jansson, whose verdict and words
 * count; so this may give up at any point, but may never accept what jansson refuses, nor read it as anything else. */
#include "engine/base/json.h"
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH 64
#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))
#define ESCAPED 4096 /* longest string with an escape in it that is still plain */

struct quick {
	const char *at, *end;
	int depth;
};

static json_t *value(struct quick *q);

static void space(struct quick *q)
{
	while (q->at < q->end && (*q->at == ' ' || *q->at == '\n' || *q->at == '\t' || *q->at == '\r'))
		q->at++;
}

/* The next character that is no space, or 0. */
static char peek(struct quick *q)
{
	space(q);
	return q->at < q->end ? *q->at : '\0';
}

/* Steps behind the closing quote of a string of plain ASCII; at the first other character otherwise. */
static bool ascii_string(struct quick *q)
{
	const char *p = q->at;
	for (uint64_t x; q->end - p >= (ptrdiff_t)sizeof x; p += sizeof x) { /* eight at a time while none can be special */
		memcpy(&x, p, sizeof x);
		if (((x | (x - EACH(0x20)) | ((x ^ EACH('"')) - EACH(1)) | ((x ^ EACH('\\')) - EACH(1))) & EACH(0x80)) != 0)
			break;
	}
	while (p < q->end && (unsigned char)*p >= 0x20 && (unsigned char)*p < 0x80 && *p != '"' && *p != '\\')
		p++;
	q->at = p;
	return p < q->end && *p == '"';
}

/* A string with escapes or beyond ASCII, from its first character on; jansson checks that it is UTF-8. */
static json_t *other_string(struct quick *q, const char *from)
{
	static const char in[] = "\"\\/bfnrt", out[] = "\"\\/\b\f\n\r\t";
	char plain[ESCAPED];
	size_t n = 0;
	for (q->at = from; q->at < q->end && *q->at != '"' && n < sizeof plain; q->at++) {
		if ((unsigned char)*q->at < 0x20)
			return NULL;
		if (*q->at != '\\') {
			plain[n++] = *q->at;
			continue;
		}
		const char *hit = ++q->at < q->end && *q->at ? strchr(in, *q->at) : NULL;
		if (hit == NULL)
			return NULL;
		plain[n++] = out[hit - in];
	}
	if (q->at == q->end || *q->at != '"')
		return NULL;
	q->at++;
	return json_stringn(plain, n);
}

static json_t *string(struct quick *q)
{
	const char *from = ++q->at;
	if (!ascii_string(q))
		return other_string(q, from);
	return json_stringn_nocheck(from, (size_t)(q->at++ - from));
}

static int digits(struct quick *q, int64_t *number)
{
	const char *from = q->at;
	for (; q->at < q->end && *q->at >= '0' && *q->at <= '9'; q->at++)
		if (*number < INT64_C(100000000000000000))
			*number = *number * 10 + (*q->at - '0');
	return (int)(q->at - from);
}

/* Up to fifteen digits and a small power of ten: both are exact, so one division or product rounds right (Clinger). */
static json_t *number(struct quick *q)
{
	static const double power[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
	int64_t mantissa = 0, exponent = 0;
	bool minus = *q->at == '-', less = false;
	q->at += minus;
	const char *first = q->at;
	int whole = digits(q, &mantissa), decimals = 0;
	if (whole == 0 || (whole > 1 && *first == '0') || whole > 17)
		return NULL;
	char next = q->at < q->end ? *q->at : '\0';
	if (next != '.' && next != 'e' && next != 'E')
		return json_integer(minus ? -mantissa : mantissa);
	if (next == '.') {
		q->at++;
		decimals = digits(q, &mantissa);
		if (decimals == 0)
			return NULL;
		next = q->at < q->end ? *q->at : '\0';
	}
	if (next == 'e' || next == 'E') {
		less = ++q->at < q->end && *q->at == '-';
		q->at += q->at < q->end && (*q->at == '-' || *q->at == '+');
		int n = digits(q, &exponent);
		if (n == 0 || n > 3)
			return NULL;
	}
	int shift = (int)(less ? -exponent : exponent) - decimals;
	if (whole + decimals > 15 || shift < -15 || shift > 15) {
		char text[64]; /* strtod reads it again, as jansson would */
		size_t len = (size_t)(q->at - first);
		if (len >= sizeof text)
			return NULL;
		memcpy(text, first, len);
		text[len] = '\0';
		double far = strtod(text, NULL);
		return isfinite(far) ? json_real(minus ? -far : far) : NULL;
	}
	double v = shift < 0 ? (double)mantissa / power[-shift] : (double)mantissa * power[shift];
	return json_real(minus ? -v : v);
}

static json_t *word(struct quick *q, const char *text, size_t len, json_t *v)
{
	if ((size_t)(q->end - q->at) < len || memcmp(q->at, text, len) != 0)
		return NULL;
	q->at += len;
	return v;
}

/* One member after the other; false at what is not plain, also at a key that comes twice. */
static bool members(struct quick *q, json_t *object)
{
	size_t count = 0;
	if (peek(q) == '}')
		return true;
	for (;; q->at++) {
		if (peek(q) != '"')
			return false;
		const char *key = ++q->at;
		if (!ascii_string(q))
			return false;
		size_t len = (size_t)(q->at++ - key);
		if (peek(q) != ':')
			return false;
		q->at++;
		json_t *v = value(q);
		if (v == NULL || json_object_setn_new_nocheck(object, key, len, v) < 0 || json_object_size(object) != ++count)
			return false;
		if (peek(q) != ',')
			return q->at < q->end && *q->at == '}';
	}
}

static bool elements(struct quick *q, json_t *array)
{
	if (peek(q) == ']')
		return true;
	for (;; q->at++) {
		json_t *v = value(q);
		if (v == NULL || json_array_append_new(array, v) < 0)
			return false;
		if (peek(q) != ',')
			return q->at < q->end && *q->at == ']';
	}
}

static json_t *value(struct quick *q)
{
	char c = peek(q);
	if (c == '"')
		return string(q);
	if (c == '{' || c == '[') {
		if (++q->depth > DEPTH)
			return NULL;
		json_t *v = c == '{' ? json_object() : json_array();
		q->at++;
		if (v == NULL || !(c == '{' ? members(q, v) : elements(q, v))) {
			json_decref(v);
			return NULL;
		}
		q->at++;
		q->depth--;
		return v;
	}
	if (c == '-' || (c >= '0' && c <= '9'))
		return number(q);
	return c == 't' ? word(q, "true", 4, json_true()) : c == 'f' ? word(q, "false", 5, json_false()) :
		c == 'n' ? word(q, "null", 4, json_null()) : NULL;
}

json_t *json_quick(const char *bytes, size_t len)
{
	if (len == 0) /* bytes may be NULL */
		return NULL;
	struct quick q = {bytes, bytes + len, 0};
	char first = peek(&q);
	json_t *v = first == '{' || first == '[' ? value(&q) : NULL;
	space(&q);
	if (v != NULL && q.at == q.end)
		return v;
	json_decref(v);
	return NULL;
}

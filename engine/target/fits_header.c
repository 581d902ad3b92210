/* FITS header cards, read without trust: see fits_header.h. */
#include "engine/target/fits_header.h"
#include "engine/base/limits.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int fits_header_scan(const unsigned char *bytes, size_t len, struct fits_header *h, struct err *e)
{
	for (size_t i = 0; (i + 1) * 80 <= len; i++) {
		const unsigned char *card = bytes + i * 80;
		if (i >= LIMIT_MAP_CARDS)
			return err_set(e, ERR_LIMIT, "FITS header has more than %d cards", LIMIT_MAP_CARDS);
		for (int k = 0; k < 80; k++)
			if (card[k] < 0x20 || card[k] > 0x7E)
				return err_set(e, ERR_INPUT, "FITS header card %zu: byte %d is not printable: "
					"the file is damaged; fetch it again", i + 1, k + 1);
		if (memcmp(card, "END     ", 8) != 0)
			continue;
		size_t used = ((i + 1) * 80 + FITS_BLOCK - 1) / FITS_BLOCK * FITS_BLOCK;
		if (used > len)
			break;
		*h = (struct fits_header){bytes, i, used};
		return 0;
	}
	return err_set(e, ERR_INPUT, "FITS header has no END within %zu bytes: the file is truncated; fetch it again", len);
}

/* The only card of that keyword, or NULL (also when it is there twice: two readers might take different ones). */
static const unsigned char *card_of(const struct fits_header *h, const char *key, size_t *seen)
{
	char padded[9];
	const unsigned char *found = NULL;
	snprintf(padded, sizeof padded, "%-8s", key);
	*seen = 0;
	for (size_t i = 0; i < h->count; i++)
		if (memcmp(h->cards + i * 80, padded, 8) == 0) {
			found = h->cards + i * 80;
			++*seen;
		}
	return found;
}

bool fits_header_has(const struct fits_header *h, const char *key)
{
	size_t seen;
	return card_of(h, key, &seen) != NULL;
}

/* Text of the value field up to a comment, blanks removed at both ends; false when there is none. */
static bool value_of(const struct fits_header *h, const char *key, char out[72])
{
	size_t seen;
	const unsigned char *card = card_of(h, key, &seen);
	if (card == NULL || seen != 1 || card[8] != '=')
		return false;
	memcpy(out, card + 9, 71);
	out[71] = '\0';
	size_t start = strspn(out, " ");
	memmove(out, out + start, strlen(out + start) + 1);
	return true;
}

static void cut_comment(char *value)
{
	char *slash = strchr(value, '/');
	if (slash != NULL)
		*slash = '\0';
	for (size_t n = strlen(value); n > 0 && value[n - 1] == ' '; n--)
		value[n - 1] = '\0';
}

bool fits_header_int(const struct fits_header *h, const char *key, int64_t *value)
{
	char text[72], *end;
	if (!value_of(h, key, text))
		return false;
	cut_comment(text);
	errno = 0;
	long long v = strtoll(text, &end, 10);
	if (end == text || *end != '\0' || errno != 0)
		return false;
	*value = v;
	return true;
}

bool fits_header_real(const struct fits_header *h, const char *key, double *value)
{
	char text[72], *end;
	if (!value_of(h, key, text))
		return false;
	cut_comment(text);
	for (char *d = text; *d; d++) /* FORTRAN's 1.0D5 */
		if (*d == 'D' || *d == 'd')
			*d = 'E';
	double v = strtod(text, &end);
	if (end == text || *end != '\0' || !isfinite(v))
		return false;
	*value = v;
	return true;
}

bool fits_header_text(const struct fits_header *h, const char *key, char *out, size_t size)
{
	char text[72];
	if (size == 0 || !value_of(h, key, text) || text[0] != '\'')
		return false;
	size_t o = 0;
	for (const char *s = text + 1; *s; s++) {
		if (*s == '\'') {
			if (s[1] != '\'')
				break;
			s++;
		}
		if (o + 1 < size)
			out[o++] = *s;
	}
	while (o > 0 && out[o - 1] == ' ')
		o--;
	out[o] = '\0';
	return true;
}

size_t fits_type_size(char type)
{
	switch (type) {
	case 'L':
	case 'B':
	case 'A':
		return 1;
	case 'I':
		return 2;
	case 'J':
	case 'E':
		return 4;
	case 'K':
	case 'D':
		return 8;
	default:
		return 0;
	}
}

bool fits_header_column(const struct fits_header *h, int n, size_t *offset, struct fits_column *out)
{
	char key[32], form[72], *end;
	snprintf(key, sizeof key, "TFORM%d", n);
	if (!fits_header_text(h, key, form, sizeof form))
		return false;
	long repeat = strtol(form, &end, 10);
	if (end == form)
		repeat = 1;
	*out = (struct fits_column){.type = *end, .repeat = repeat, .offset = *offset};
	if (repeat < 0 || fits_type_size(*end) == 0 || (end[1] != '\0' && *end != 'A'))
		return false;
	snprintf(key, sizeof key, "TTYPE%d", n);
	if (!fits_header_text(h, key, out->name, sizeof out->name))
		out->name[0] = '\0';
	snprintf(key, sizeof key, "TUNIT%d", n);
	if (!fits_header_text(h, key, out->unit, sizeof out->unit))
		out->unit[0] = '\0';
	*offset += (size_t)repeat * fits_type_size(*end);
	return true;
}

/* Parts of a catalogue row: what a cell says, names and numbers of galaxies (catalog_build.h). */
#include "engine/target/catalog_build.h"
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define KEEP_NAME 64

struct catalog_cell catalog_cell_trimmed(struct catalog_cell c)
{
	while (c.len > 0 && isspace((unsigned char)c.text[0])) {
		c.text++;
		c.len--;
	}
	while (c.len > 0 && isspace((unsigned char)c.text[c.len - 1]))
		c.len--;
	return c;
}

bool catalog_cell_missing(const struct catalog_cell *c)
{
	static const char *const words[] = {"null", "nan", "none", "n/a", "na", "-", "--", "---", "...", "inf", "-inf", "masked", "\\n"};
	if (c->len == 0)
		return true;
	if (c->len > 6)
		return false;
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (c->len == strlen(words[i]) && strncasecmp(c->text, words[i], c->len) == 0)
			return true;
	return false;
}

/* The catalogues' marks for "no value". */
static bool number_missing(double v)
{
	return !isfinite(v) || v == -99 || v == -99.9 || v == -99.99 || v == -999 || v == -9999 || v == -9999.9 || v == -99999 || v <= -1e20;
}

/* Digits with a point and an exponent: exact where the digits fit into 53 bits and the power of ten is one that a double holds, since then one
 * correctly rounded operation makes the number (Clinger 1990). false: strtod must look. */
static bool number_quick(const char *s, size_t len, double *v)
{
	static const double tens[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
		1e20, 1e21, 1e22};
	const char *end = s + len;
	bool minus = s < end && *s == '-';
	uint64_t digits = 0;
	int seen = 0, point = 0, exponent = 0;
	s += minus || (s < end && *s == '+');
	for (; s < end && *s >= '0' && *s <= '9'; s++, seen++)
		digits = digits * 10 + (uint64_t)(*s - '0');
	if (s < end && *s == '.')
		for (s++; s < end && *s >= '0' && *s <= '9'; s++, seen++, point++)
			digits = digits * 10 + (uint64_t)(*s - '0');
	if (seen == 0 || seen > 18)
		return false;
	if (s < end && (*s == 'e' || *s == 'E')) {
		bool down = ++s < end && *s == '-';
		const char *first = s += down || (s < end && *s == '+');
		for (; s < end && s < first + 3 && *s >= '0' && *s <= '9'; s++)
			exponent = exponent * 10 + (*s - '0');
		if (s == first)
			return false;
		exponent = down ? -exponent : exponent;
	}
	exponent -= point;
	if (s != end || digits > UINT64_C(1) << 53 || exponent < -22 || exponent > 22)
		return false;
	double d = (double)digits;
	d = exponent < 0 ? d / tens[-exponent] : d * tens[exponent];
	*v = minus ? -d : d;
	return true;
}

int catalog_cell_number(struct catalog_cell c, double *v)
{
	char copy[64], *end;
	if (c.is_number) {
		*v = c.number;
		return number_missing(*v) ? 0 : 1;
	}
	c = catalog_cell_trimmed(c);
	if (number_quick(c.text, c.len, v))
		return number_missing(*v) ? 0 : 1;
	if (catalog_cell_missing(&c))
		return 0;
	if (c.len >= sizeof copy)
		return -1;
	memcpy(copy, c.text, c.len);
	copy[c.len] = '\0';
	*v = strtod(copy, &end);
	if (end == copy || *end != '\0')
		return -1;
	return number_missing(*v) ? 0 : 1;
}

/* 2MASS, WISE, SDSS and PGC columns hold bare designations. */
static const char *name_prefix(const char *column, const char *text)
{
	if (!isdigit((unsigned char)text[0]))
		return "";
	if (strncasecmp(column, "2MASS", 5) == 0)
		return "2MASX J";
	if (strncasecmp(column, "WISE", 4) == 0)
		return "WISE J";
	if (strncasecmp(column, "SDSS", 4) == 0)
		return "SDSS J";
	return "";
}

static void name_made(const struct catalog_row *r, char out[KEEP_NAME])
{
	double h = r->ra_deg / 15, d = fabs(r->dec_deg);
	int s10 = (int)(h * 36000 + 1e-6), as = (int)(d * 3600 + 1e-6); /* cut, not rounded, as IAU names are */
	snprintf(out, KEEP_NAME, "J%02d%02d%02d.%d%c%02d%02d%02d", s10 / 36000, s10 / 600 % 60, s10 / 10 % 60, s10 % 10, r->dec_deg < 0 ? '-' : '+',
		as / 3600, as / 60 % 60, as % 60);
}

/* Letters that need no second look: a FITS text is ASCII; '|' separates name and id in target keys. */
static bool plain_text(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)s[i] < ' ' || (unsigned char)s[i] > '~' || s[i] == '|' || s[i] == '\\')
			return false;
	return true;
}

/* true when the cell holds a name. */
static bool name_take(const char *column, struct catalog_cell cell, struct catalog_row *r)
{
	char raw[200], name[KEEP_NAME];
	cell = catalog_cell_trimmed(cell);
	if (cell.is_number || catalog_cell_missing(&cell))
		return false;
	if (cell.len <= CATALOG_NAME && plain_text(cell.text, cell.len) && name_prefix(column, cell.text)[0] == '\0') {
		memcpy(r->name, cell.text, cell.len);
		r->name[cell.len] = '\0';
		return true;
	}
	text_escape(raw, sizeof raw, cell.text, cell.len);
	snprintf(name, sizeof name, "%s%.50s", name_prefix(column, raw), raw);
	for (char *s = name; *s; s++)
		if ((unsigned char)*s > '~' || *s == '|')
			*s = '?';
	if (!text_copy(r->name, sizeof r->name, name))
		r->flags |= CATALOG_FLAG_NAME_CUT;
	return name[0] != '\0';
}

void catalog_name_of(const struct catalog_columns *c, const struct catalog_cell cells[FIELD_COUNT][CATALOG_CANDIDATES], struct catalog_row *r)
{
	char name[KEEP_NAME];
	r->name[0] = '\0';
	for (int k = 0; k < c->count[FIELD_name]; k++)
		if (name_take(c->of[FIELD_name][k].name, cells[FIELD_name][k], r))
			return;
	name_made(r, name);
	text_copy(r->name, sizeof r->name, name);
	r->flags |= CATALOG_FLAG_NAME_MADE;
}

void catalog_id_of(const struct catalog_columns *c, const struct catalog_cell cells[FIELD_COUNT][CATALOG_CANDIDATES], int64_t place,
	struct catalog_row *r)
{
	char copy[32], *end;
	double v;
	for (int k = 0; k < c->count[FIELD_id]; k++) {
		struct catalog_cell cell = cells[FIELD_id][k];
		if (cell.is_integer) {
			r->id = cell.integer;
			return;
		}
		if (cell.is_number && catalog_cell_number(cell, &v) > 0 && v == floor(v) && fabs(v) < 9e15) {
			r->id = (int64_t)v;
			return;
		}
		cell = catalog_cell_trimmed(cell);
		if (cell.is_number || cell.len == 0 || cell.len >= sizeof copy)
			continue;
		memcpy(copy, cell.text, cell.len);
		copy[cell.len] = '\0';
		long long id = strtoll(copy, &end, 10);
		if (end != copy && *end == '\0') {
			r->id = id;
			return;
		}
	}
	r->id = place;
	r->flags |= CATALOG_FLAG_ID_MADE | CATALOG_FLAG_ID_HERE;
}

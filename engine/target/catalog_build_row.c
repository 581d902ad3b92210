/* Cells of a table → one catalogue row: numbers, sexagesimal, missing values, units, redshift → distance (catalog_build.h). */
#include "engine/target/catalog_build.h"
#include "engine/target/cosmology.h"
#include <chealpix.h>
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define KEEP_NAME 64

/* Text without blanks at its ends. */
static struct catalog_cell trimmed(struct catalog_cell c)
{
	while (c.len > 0 && isspace((unsigned char)c.text[0])) {
		c.text++;
		c.len--;
	}
	while (c.len > 0 && isspace((unsigned char)c.text[c.len - 1]))
		c.len--;
	return c;
}

static bool text_missing(const struct catalog_cell *c)
{
	static const char *const words[] = {"null", "nan", "none", "n/a", "na", "-", "--", "---", "...", "inf", "-inf", "masked", "\\n"};
	if (c->len == 0)
		return true;
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

/* 1: a number, 0: missing, -1: text that is none. */
static int number_of(struct catalog_cell c, double *v)
{
	char copy[64], *end;
	if (c.is_number) {
		*v = c.number;
		return number_missing(*v) ? 0 : 1;
	}
	c = trimmed(c);
	if (text_missing(&c))
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

/* "12 34 56.7", "12:34:56.7", "12h34m56.7s", "-05d23'28\"": value in the unit of the first part. */
static int sexagesimal_of(struct catalog_cell c, double *v)
{
	double part[3] = {0, 0, 0};
	int n = 0;
	bool minus = false;
	char copy[64], *s = copy, *end;
	c = trimmed(c);
	if (c.len == 0 || c.len >= sizeof copy)
		return -1;
	memcpy(copy, c.text, c.len);
	copy[c.len] = '\0';
	if (*s == '-' || *s == '+')
		minus = *s++ == '-';
	while (n < 3 && isdigit((unsigned char)*s)) {
		part[n++] = strtod(s, &end);
		s = end + strspn(end, " :hdms°'\"");
		if (end == s && *s != '\0')
			return -1;
	}
	if (n < 2 || *s != '\0' || part[1] >= 60 || part[2] >= 61)
		return -1;
	*v = part[0] + part[1] / 60 + part[2] / 3600;
	*v = minus ? -*v : *v;
	return 1;
}

/* First candidate that is not missing. 1 found (*k says which), 0 missing, -1 unreadable. */
static int field_number(const struct catalog_columns *c, const struct catalog_cell cells[FIELD_COUNT][CATALOG_CANDIDATES],
	enum catalog_field f, double *v, int *k)
{
	for (*k = 0; *k < c->count[f]; ++*k) {
		int got = number_of(cells[f][*k], v);
		if (got > 0)
			*v *= c->of[f][*k].scale;
		if (got != 0)
			return got;
	}
	return 0;
}

static int angle_of(const struct catalog_columns *c, const struct catalog_cell cells[FIELD_COUNT][CATALOG_CANDIDATES],
	enum catalog_field f, double *v)
{
	int k, got = field_number(c, cells, f, v, &k);
	if (got > 0 && c->of[f][k].hours)
		*v *= 15;
	if (got >= 0)
		return got;
	if (sexagesimal_of(cells[f][k], v) < 0)
		return -1;
	if (f == FIELD_ra)
		*v *= 15;
	return 1;
}

static const char *position_of(const struct catalog_columns *c, const struct catalog_cell cells[FIELD_COUNT][CATALOG_CANDIDATES],
	struct catalog_row *r)
{
	int ra = angle_of(c, cells, FIELD_ra, &r->ra_deg), dec = angle_of(c, cells, FIELD_dec, &r->dec_deg);
	if (ra == 0 || dec == 0)
		return "no right ascension or declination";
	if (ra < 0 || dec < 0)
		return "right ascension or declination is not a number";
	if (r->ra_deg < 0 && r->ra_deg >= -180)
		r->ra_deg += 360;
	if (!(r->ra_deg >= 0 && r->ra_deg <= 360))
		return "right ascension is outside 0 to 360 degrees";
	if (!(r->dec_deg >= -90 && r->dec_deg <= 90))
		return "declination is outside -90 to 90 degrees";
	if (r->ra_deg == 360)
		r->ra_deg = 0;
	int64_t ipix;
	ang2pix_nest64(INT64_C(1) << 29, (90 - r->dec_deg) * (M_PI / 180), r->ra_deg * (M_PI / 180), &ipix);
	r->ipix29 = (uint64_t)ipix;
	return NULL;
}

static bool contains(struct catalog_cell c, const char *word)
{
	size_t n = strlen(word);
	for (size_t i = 0; i + n <= c.len; i++)
		if (strncasecmp(c.text + i, word, n) == 0)
			return true;
	return false;
}

/* FLAGS of a catalogue that slew made: they go on as they are. */
static uint32_t own_kind(struct catalog_cell cell)
{
	double v;
	uint32_t flags = number_of(cell, &v) > 0 && v >= 0 && v < 256 ? (uint32_t)v : 0;
	uint32_t kind = flags & CATALOG_FLAG_KIND;
	return (flags & ~(uint32_t)CATALOG_FLAG_KIND) | (kind > CATALOG_DIST_NONE && kind < CATALOG_DIST_KINDS ? kind : CATALOG_DIST_GIVEN);
}

/* GLADE+ numbers: 0 none, 1 photometric, 2 measured, 3 spectroscopic; words as in NED-LVS and 50MGC. */
static uint32_t kind_of(const struct catalog_columns *c, const struct catalog_cell cells[FIELD_COUNT][CATALOG_CANDIDATES])
{
	double v;
	if (c->count[FIELD_kind] == 0)
		return CATALOG_DIST_GIVEN;
	struct catalog_cell cell = cells[FIELD_kind][0];
	if (c->ours)
		return own_kind(cell);
	if (number_of(cell, &v) > 0)
		return v == 1 ? CATALOG_DIST_PHOT : v == 2 ? CATALOG_DIST_MEASURED : v == 3 ? CATALOG_DIST_SPEC : CATALOG_DIST_GIVEN;
	if (cell.is_number || cell.len == 0)
		return CATALOG_DIST_GIVEN;
	if (contains(cell, "phot"))
		return CATALOG_DIST_PHOT;
	if (contains(cell, "spec") || (contains(cell, "redshift") && !contains(cell, "indep")))
		return CATALOG_DIST_SPEC;
	return contains(cell, "indep") || contains(cell, "ned-d") || contains(cell, "cepheid") ? CATALOG_DIST_MEASURED : CATALOG_DIST_GIVEN;
}

static const char *distance_of(const struct catalog_columns *c, const struct catalog_cell cells[FIELD_COUNT][CATALOG_CANDIDATES],
	struct catalog_row *r)
{
	double v = 0, error = 0, slope;
	int k, got = field_number(c, cells, FIELD_dist, &v, &k);
	if (got < 0)
		return "the distance is not a number";
	if (got > 0 && v > 0) {
		if (v > 1e6)
			return "the distance is above 1e6 Mpc (another unit?)";
		r->distance_mpc = v;
		r->flags |= kind_of(c, cells);
		if (field_number(c, cells, FIELD_dist_err, &error, &k) > 0 && error > 0)
			r->distance_err_mpc = (float)error;
		return NULL;
	}
	if (field_number(c, cells, FIELD_z, &v, &k) < 0)
		return "the redshift is not a number";
	if (!(v > 0))
		return NULL;
	if (v > 20)
		return "the redshift is above 20 (a velocity? its unit must say km/s)";
	r->distance_mpc = cosmology_distance_mpc(v, &slope);
	r->flags |= CATALOG_DIST_COSMOLOGY;
	if (field_number(c, cells, FIELD_z_err, &error, &k) > 0 && error > 0)
		r->distance_err_mpc = (float)(slope * error);
	return NULL;
}

static const char *brightness_of(const struct catalog_columns *c, const struct catalog_cell cells[FIELD_COUNT][CATALOG_CANDIDATES],
	struct catalog_row *r)
{
	double v;
	int k, got = field_number(c, cells, FIELD_b_mag, &v, &k);
	if (got < 0)
		return "the B magnitude is not a number";
	if (got > 0 && v > -5 && v < 50) {
		r->b_mag = (float)v;
	} else if (field_number(c, cells, FIELD_b_abs, &v, &k) > 0 && v > -30 && v < 0 && r->distance_mpc > 0) {
		r->b_mag = (float)(v + 5 * log10(r->distance_mpc) + 25);
		r->flags |= CATALOG_FLAG_B_ABSOLUTE;
	}
	got = field_number(c, cells, FIELD_log_mass, &v, &k);
	if (got < 0)
		return "the stellar mass is not a number";
	if (got > 0 && v > 0 && v < 15)
		r->log_mstar = (float)v;
	else if (field_number(c, cells, FIELD_mass, &v, &k) > 0 && v > 0)
		r->log_mstar = (float)(v < 1e5 ? log10(v) + 10 : log10(v));
	return NULL;
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

static void name_of(const struct catalog_columns *c, const struct catalog_cell cells[FIELD_COUNT][CATALOG_CANDIDATES], struct catalog_row *r)
{
	char name[KEEP_NAME] = "", raw[200];
	for (int k = 0; k < c->count[FIELD_name] && name[0] == '\0'; k++) {
		struct catalog_cell cell = trimmed(cells[FIELD_name][k]);
		if (cell.is_number || text_missing(&cell))
			continue;
		text_escape(raw, sizeof raw, cell.text, cell.len);
		snprintf(name, sizeof name, "%s%.50s", name_prefix(c->of[FIELD_name][k].name, raw), raw);
	}
	if (name[0] == '\0') {
		name_made(r, name);
		r->flags |= CATALOG_FLAG_NAME_MADE;
	}
	for (char *s = name; *s; s++) /* a FITS text is ASCII; '|' separates name and id in target keys */
		if ((unsigned char)*s > 0x7E || *s == '|')
			*s = '?';
	if (!text_copy(r->name, sizeof r->name, name))
		r->flags |= CATALOG_FLAG_NAME_CUT;
}

static void id_of(const struct catalog_columns *c, const struct catalog_cell cells[FIELD_COUNT][CATALOG_CANDIDATES], int64_t place,
	struct catalog_row *r)
{
	char copy[32], *end;
	double v;
	for (int k = 0; k < c->count[FIELD_id]; k++) {
		struct catalog_cell cell = cells[FIELD_id][k];
		if (cell.is_number && number_of(cell, &v) > 0 && v == floor(v) && fabs(v) < 9e15) {
			r->id = (int64_t)v;
			return;
		}
		cell = trimmed(cell);
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
	r->flags |= CATALOG_FLAG_ID_MADE;
}

void catalog_row_bad(struct catalog_builder *b, const char *where, int64_t number, const char *why)
{
	struct catalog_source *s = &b->source[b->sources - 1];
	s->rows++;
	if (s->bad++ < CATALOG_SHOWN)
		text_printf(&b->report, "%s: %s %lld left out: %s\n", s->name, where, (long long)number, why);
}

int catalog_row_take(struct catalog_builder *b, const struct catalog_columns *c,
	const struct catalog_cell cells[FIELD_COUNT][CATALOG_CANDIDATES], const char *where, int64_t number, struct err *e)
{
	struct catalog_source *s = &b->source[b->sources - 1];
	struct catalog_row r = {.distance_mpc = NAN, .distance_err_mpc = NAN, .b_mag = NAN, .log_mstar = NAN};
	const char *why = position_of(c, cells, &r);
	if (why == NULL)
		why = distance_of(c, cells, &r);
	if (why == NULL)
		why = brightness_of(c, cells, &r);
	if (why != NULL) {
		catalog_row_bad(b, where, number, why);
		return 0;
	}
	s->rows++;
	name_of(c, cells, &r);
	id_of(c, cells, s->rows, &r);
	if (b->count == b->cap) {
		size_t cap = b->cap ? b->cap * 2 : 65536;
		struct catalog_row *rows = realloc(b->rows, cap * sizeof *rows);
		if (rows == NULL)
			return err_set(e, ERR_MEMORY, "no memory for %zu galaxies", cap);
		b->rows = rows;
		b->cap = cap;
	}
	b->rows[b->count++] = r;
	s->kept++;
	s->without_distance += isnan(r.distance_mpc);
	if (r.distance_mpc > 0) {
		s->near_mpc = s->far_mpc > 0 && s->near_mpc < r.distance_mpc ? s->near_mpc : r.distance_mpc;
		s->far_mpc = s->far_mpc > r.distance_mpc ? s->far_mpc : r.distance_mpc;
	}
	return 0;
}

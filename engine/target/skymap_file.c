/* From FITS headers to the columns and the ordering of a sky map, with a sentence for every file that is none: see skymap_file.h.
 * The pitfalls of real files: ORDERING missing (S2376, aframe), columns in any order, vector columns, RING (IPN), unit per deg². */
#include "engine/target/skymap_file.h"
#include "engine/base/limits.h"
#include "engine/base/text.h"
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool begins(const unsigned char *bytes, size_t len, const char *word)
{
	size_t n = strlen(word);
	return len >= n && strncasecmp((const char *)bytes, word, n) == 0;
}

int skymap_not_fits(const unsigned char *bytes, size_t len, struct err *e)
{
	size_t at = 0;
	if (len == 0)
		return err_set(e, ERR_INPUT, "the file is empty, not a FITS file: the download failed; fetch it again");
	if (len >= 3 && bytes[0] == 0xEF && bytes[1] == 0xBB && bytes[2] == 0xBF)
		at = 3;
	while (at < len && isspace(bytes[at]))
		at++;
	const unsigned char *b = bytes + at;
	size_t n = len - at;
	if (begins(b, n, "<!doctype html") || begins(b, n, "<html") || begins(b, n, "<head"))
		return err_set(e, ERR_INPUT, "this is an HTML page, not a FITS file: the download failed (a login or error page was "
			"saved); fetch it again");
	if (begins(b, n, "<?xml") || begins(b, n, "<"))
		return err_set(e, ERR_INPUT, "this is XML, not a FITS file; a sky map is a .fits or .fits.gz file");
	if (n > 0 && (b[0] == '{' || b[0] == '['))
		return err_set(e, ERR_INPUT, "this is JSON, not a FITS file, and no alert with a sky map in it; give the .fits file or "
			"the alert");
	if (begins(b, n, "PK"))
		return err_set(e, ERR_INPUT, "this is a zip archive (numpy .npz?), not a FITS file; convert it to a HEALPix FITS table");
	if (begins(b, n, "\x89HDF") || begins(b, n, "\x93NUMPY"))
		return err_set(e, ERR_INPUT, "this is an HDF5 or numpy file, not a FITS file; convert it to a HEALPix FITS table");
	if (begins(b, n, "BZh") || (n > 5 && memcmp(b, "\xFD" "7zXZ", 5) == 0))
		return err_set(e, ERR_INPUT, "this is compressed with bzip2 or xz; only plain and gzip FITS are read: decompress it first");
	return err_set(e, ERR_INPUT, "not a FITS file: it does not begin with SIMPLE; a sky map is a .fits or .fits.gz file");
}

static int role_of(const char *name)
{
	static const struct {
		const char *name;
		int role;
	} names[] = {{"UNIQ", ROLE_UNIQ}, {"PROBDENSITY", ROLE_DENSITY}, {"PROB", ROLE_DENSITY}, {"PROBABILITY", ROLE_DENSITY},
		{"DISTMU", ROLE_MU}, {"DISTSIGMA", ROLE_SIGMA}, {"DISTNORM", ROLE_NORM}};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strcasecmp(name, names[i].name) == 0)
			return names[i].role;
	return -1;
}

/* "deg-2", "1/deg2", "1 / deg**2", "deg^-2" and the same for sr; the rest is left to the column's name. */
static void unit_of(struct skymap_file *f)
{
	const char *unit = f->column[ROLE_DENSITY].unit;
	f->to_per_sr = 1.0;
	f->per_pixel = strcasecmp(f->column[ROLE_DENSITY].name, "PROBDENSITY") != 0;
	if (strstr(unit, "deg") != NULL) {
		f->per_pixel = false;
		f->to_per_sr = (180.0 / M_PI) * (180.0 / M_PI);
	} else if (strstr(unit, "sr") != NULL) {
		f->per_pixel = false;
	}
}

static int columns_of(const struct fits_header *h, int64_t fields, struct skymap_file *f, struct err *e)
{
	size_t offset = 0;
	char names[256] = "", word[64];
	bool pixel = false;
	for (int i = 1; i <= fields; i++) {
		struct fits_column c;
		if (!fits_header_column(h, i, &offset, &c))
			return err_set(e, ERR_INPUT, "FITS table: column %d cannot be read", i);
		text_escape(word, sizeof word, c.name, strlen(c.name));
		size_t used = strlen(names);
		if (used + strlen(word) + 3 < sizeof names)
			snprintf(names + used, sizeof names - used, "%s%s", i > 1 ? ", " : "", word);
		pixel |= strcasecmp(c.name, "PIXEL") == 0;
		int role = role_of(c.name);
		if (role < 0)
			continue;
		if (f->column[role].type != 0)
			return err_set(e, ERR_INPUT, "sky map: two columns could be its %s; name one of them otherwise", word);
		f->column[role] = c;
	}
	if (f->column[ROLE_DENSITY].type == 0 && f->column[ROLE_UNIQ].type != 0)
		return err_set(e, ERR_INPUT, "this is a coverage map (MOC) without probabilities: it has UNIQ but no PROBDENSITY; "
			"give the sky map from which it was made");
	if (f->column[ROLE_DENSITY].type == 0)
		return err_set(e, ERR_INPUT, "this HEALPix file is not a probability sky map: it has no PROB, PROBABILITY or "
			"PROBDENSITY column (its columns: %s)", names);
	if (pixel && f->column[ROLE_UNIQ].type == 0)
		return err_set(e, ERR_INPUT, "sky maps with a PIXEL column (part of the sky, explicit indices) are not read; "
			"convert it to multi-order (ligo-skymap-flatten reads both)");
	return 0;
}

/* One role's column must hold numbers, as many a row as the probability does, unscaled. */
static int column_check(const struct fits_header *h, int64_t fields, struct skymap_file *f, int role, struct err *e)
{
	struct fits_column *c = &f->column[role];
	if (c->type == 0)
		return 0;
	if (strchr(role == ROLE_UNIQ ? "KJ" : "DEKJ", c->type) == NULL)
		return err_set(e, ERR_INPUT, "sky map: column %s has type %c, which is no number of the expected kind", c->name, c->type);
	if (c->repeat < 1 || c->repeat != f->column[ROLE_DENSITY].repeat)
		return err_set(e, ERR_INPUT, "sky map: column %s has %lld values a row, the probability %lld", c->name,
			(long long)c->repeat, (long long)f->column[ROLE_DENSITY].repeat);
	for (int i = 1; i <= fields; i++) {
		char key[32], name[72];
		double zero = 0, scale = 1;
		snprintf(key, sizeof key, "TTYPE%d", i);
		if (!fits_header_text(h, key, name, sizeof name) || strcmp(name, c->name) != 0)
			continue;
		snprintf(key, sizeof key, "TZERO%d", i);
		fits_header_real(h, key, &zero);
		snprintf(key, sizeof key, "TSCAL%d", i);
		fits_header_real(h, key, &scale);
		if (role == ROLE_UNIQ && c->type == 'K' && scale == 1.0 && zero == 9223372036854775808.0)
			f->uniq_flip = UINT64_C(1) << 63;
		else if (zero != 0.0 || scale != 1.0)
			return err_set(e, ERR_INPUT, "sky map: column %s is scaled (TSCAL, TZERO), which is not read", c->name);
	}
	return 0;
}

/* Flat maps: the number of values is 12·4^order; NSIDE and ORDERING must agree with it. */
static int flat_of(const struct fits_header *h, struct skymap_file *f, struct err *e)
{
	char ordering[72] = "";
	int64_t nside = 0;
	f->order = 0;
	while (f->order < 14 && INT64_C(12) << (2 * f->order) != f->cells)
		f->order++;
	if (INT64_C(12) << (2 * f->order) != f->cells)
		return err_set(e, ERR_INPUT, "sky map: %lld pixels are not a whole HEALPix sky (12·4^order); the table is cut or in parts",
			(long long)f->cells);
	if (fits_header_int(h, "NSIDE", &nside) && nside != INT64_C(1) << f->order)
		return err_set(e, ERR_INPUT, "sky map: NSIDE says %lld, the number of pixels %lld; the file is damaged",
			(long long)nside, (long long)INT64_C(1) << f->order);
	fits_header_text(h, "ORDERING", ordering, sizeof ordering);
	if (strncasecmp(ordering, "NEST", 4) == 0)
		f->ordering = SKYMAP_NESTED;
	else if (strcasecmp(ordering, "RING") == 0)
		f->ordering = SKYMAP_RING;
	else if (ordering[0] == '\0')
		return err_set(e, ERR_INPUT, "sky map: a flat map without ORDERING could be RING or NESTED; add the keyword");
	else
		return err_set(e, ERR_INPUT, "sky map: ORDERING is neither NESTED nor RING, yet there is no UNIQ column");
	return 0;
}

int skymap_file_of(const unsigned char *bytes, size_t len, struct skymap_file *f, struct err *e)
{
	struct fits_header primary, h;
	int64_t fields = 0, width = 0;
	char system[72] = "", object[72] = "";
	*f = (struct skymap_file){.order = -1, .distmean_mpc = NAN, .diststd_mpc = NAN};
	if (fits_header_scan(bytes, len, &primary, e) < 0 ||
		fits_header_scan(bytes + primary.bytes, len - primary.bytes, &h, e) < 0)
		return -1;
	if (!fits_header_int(&h, "TFIELDS", &fields) || !fits_header_int(&h, "NAXIS1", &width) ||
		!fits_header_int(&h, "NAXIS2", &f->rows))
		return err_set(e, ERR_INPUT, "FITS table: its size cannot be read");
	f->row_bytes = (size_t)width;
	f->data = primary.bytes + h.bytes;
	if (columns_of(&h, fields, f, e) < 0)
		return -1;
	for (int role = 0; role < ROLES; role++)
		if (column_check(&h, fields, f, role, e) < 0)
			return -1;
	unit_of(f);
	if (__builtin_mul_overflow(f->rows, f->column[ROLE_DENSITY].repeat, &f->cells) || f->cells < 1 || f->cells > LIMIT_MAP_CELLS)
		return err_set(e, ERR_LIMIT, "sky map: %lld rows; from 1 to %u pixels are read", (long long)f->rows, LIMIT_MAP_CELLS);
	if (f->column[ROLE_UNIQ].type != 0)
		f->ordering = SKYMAP_NUNIQ;
	else if (flat_of(&h, f, e) < 0)
		return -1;
	if (f->ordering == SKYMAP_NUNIQ && strcasecmp(f->column[ROLE_DENSITY].name, "PROBDENSITY") == 0)
		f->per_pixel = false;
	int n = (f->column[ROLE_MU].type != 0) + (f->column[ROLE_SIGMA].type != 0) + (f->column[ROLE_NORM].type != 0);
	if (n != 0 && n != 3)
		return err_set(e, ERR_INPUT, "sky map: of DISTMU, DISTSIGMA and DISTNORM only %d are there; all three or none", n);
	if (fits_header_text(&h, "COORDSYS", system, sizeof system) && (toupper(system[0]) == 'G' || toupper(system[0]) == 'E'))
		return err_set(e, ERR_INPUT, "sky map: COORDSYS is %c (galactic or ecliptic); only equatorial maps (C) are read: rotate it",
			toupper(system[0]));
	fits_header_real(&h, "DISTMEAN", &f->distmean_mpc);
	fits_header_real(&h, "DISTSTD", &f->diststd_mpc);
	fits_header_text(&h, "OBJECT", object, sizeof object);
	text_copy(f->object, sizeof f->object, object);
	return 0;
}

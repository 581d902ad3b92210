/* Header pre-scan of FITS bytes before cfitsio sees them: only a plain binary table whose sizes add up goes on. cfitsio over-reads on
 * a file cut short by 70 bytes and overflows on hostile TFORMs, so nothing it would have to doubt may pass. */
#include "engine/base/limits.h"
#include "engine/base/text.h"
#include "engine/target/fits_header.h"
#include "engine/target/skymap.h"
#include <stdio.h>
#include <string.h>

#define REPEAT_MAX 4096 /* healpy writes vectors of 1024 */
#define FIELDS_MAX 999

/* Printable copy of what stands in the file, for an error. */
static const char *shown(char out[64], const char *text)
{
	text_escape(out, 64, text, strlen(text));
	return out;
}

/* The primary unit must be empty: sky maps and galaxy tables are extensions. */
static int guard_primary(const struct fits_header *h, struct err *e)
{
	int64_t naxis, bitpix;
	if (!fits_header_int(h, "NAXIS", &naxis) || !fits_header_int(h, "BITPIX", &bitpix) || naxis < 0 || naxis > 999)
		return err_set(e, ERR_INPUT, "FITS primary header: NAXIS or BITPIX is missing or not a number; the file is damaged");
	for (int i = 1; i <= naxis; i++) {
		char key[32];
		int64_t n;
		snprintf(key, sizeof key, "NAXIS%d", i);
		if (!fits_header_int(h, key, &n))
			return err_set(e, ERR_INPUT, "FITS primary header: %s is missing or not a number; the file is damaged", key);
		if (n == 0)
			return 0;
	}
	if (naxis > 0)
		return err_set(e, ERR_INPUT, "this FITS file holds an image (array), not a HEALPix table: a sky map is a binary "
			"table in the first extension; give the multi-order or flat HEALPix file");
	return 0;
}

static int guard_fields(const struct fits_header *h, int64_t fields, int64_t row_bytes, struct err *e)
{
	size_t offset = 0;
	char word[64];
	for (int i = 1; i <= fields; i++) {
		struct fits_column c;
		char key[32], form[72] = "";
		snprintf(key, sizeof key, "TFORM%d", i);
		if (!fits_header_column(h, i, &offset, &c)) {
			fits_header_text(h, key, form, sizeof form);
			return err_set(e, ERR_INPUT, "FITS table: %s = \"%s\" is missing, doubled or of a type that sky maps do "
				"not use (L B A I J K E D)", key, shown(word, form));
		}
		if (c.repeat > REPEAT_MAX)
			return err_set(e, ERR_LIMIT, "FITS table: %s repeats %lld times, more than %d", key, (long long)c.repeat,
				REPEAT_MAX);
	}
	if (offset != (size_t)row_bytes)
		return err_set(e, ERR_INPUT, "FITS table: the columns take %zu bytes a row, but NAXIS1 says %lld; the file is damaged",
			offset, (long long)row_bytes);
	return 0;
}

static int guard_table(const struct fits_header *h, size_t left, struct err *e)
{
	char kind[72] = "", word[64];
	int64_t bitpix = 0, naxis = 0, width = -1, rows = -1, pcount = -1, gcount = -1, fields = -1;
	if (!fits_header_text(h, "XTENSION", kind, sizeof kind) || strcmp(kind, "BINTABLE") != 0)
		return err_set(e, ERR_INPUT, "FITS extension is \"%s\", not a binary table: this is not a sky map", shown(word, kind));
	if (!fits_header_int(h, "BITPIX", &bitpix) || bitpix != 8 || !fits_header_int(h, "NAXIS", &naxis) || naxis != 2 ||
		!fits_header_int(h, "NAXIS1", &width) || width < 1 || !fits_header_int(h, "NAXIS2", &rows) || rows < 0)
		return err_set(e, ERR_INPUT, "FITS table: BITPIX, NAXIS, NAXIS1 or NAXIS2 is missing, doubled or out of range; "
			"the file is damaged");
	if (!fits_header_int(h, "PCOUNT", &pcount) || pcount != 0 || !fits_header_int(h, "GCOUNT", &gcount) || gcount != 1)
		return err_set(e, ERR_INPUT, "FITS table: PCOUNT is not 0 or GCOUNT not 1 (a heap or groups): sky maps have none");
	if (!fits_header_int(h, "TFIELDS", &fields) || fields < 1 || fields > FIELDS_MAX)
		return err_set(e, ERR_INPUT, "FITS table: TFIELDS is missing or not between 1 and %d", FIELDS_MAX);
	if (fits_header_has(h, "ZIMAGE") || fits_header_has(h, "ZTABLE") || fits_header_has(h, "THEAP"))
		return err_set(e, ERR_INPUT, "FITS table: tile-compressed tables and heaps are not read; decompress it (funpack)");
	if (guard_fields(h, fields, width, e) < 0)
		return -1;
	uint64_t need;
	if (__builtin_mul_overflow((uint64_t)width, (uint64_t)rows, &need) || need > left)
		return err_set(e, ERR_INPUT, "FITS table is truncated: its header announces %lld rows of %lld bytes, %zu bytes are "
			"there; the download broke off: fetch it again", (long long)rows, (long long)width, left);
	return 0;
}

/* bytes hold at least both headers; total is the length of the whole file. */
static int guard(const unsigned char *bytes, size_t len, size_t total, struct err *e)
{
	struct fits_header primary, table;
	if (len < 10 || memcmp(bytes, "SIMPLE  =", 9) != 0)
		return err_set(e, ERR_INPUT, "not a FITS file: it does not begin with SIMPLE");
	if (fits_header_scan(bytes, len, &primary, e) < 0 || guard_primary(&primary, e) < 0)
		return -1;
	if (primary.bytes == len)
		return err_set(e, ERR_INPUT, "FITS file has no extension: a sky map is a binary table in the first one; "
			"the file is empty or truncated");
	if (fits_header_scan(bytes + primary.bytes, len - primary.bytes, &table, e) < 0)
		return -1;
	return guard_table(&table, total - primary.bytes - table.bytes, e);
}

int fits_guard_head(const unsigned char *bytes, size_t len, struct err *e)
{
	return guard(bytes, len, SIZE_MAX, e);
}

int fits_guard(const unsigned char *bytes, size_t len, struct err *e)
{
	if (guard(bytes, len, len, e) < 0)
		return -1;
	if (len % FITS_BLOCK != 0)
		return err_set(e, ERR_INPUT, "FITS file is truncated: %zu bytes are no multiple of %u; fetch it again", len, FITS_BLOCK);
	return 0;
}

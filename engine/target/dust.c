/* A user's map of reddening: see dust.h. */
#include "engine/target/dust.h"
#include "engine/base/limits.h"
#include "engine/target/fits_header.h"
#include "engine/target/inflate.h"
#include "engine/target/skymap.h"
#include <chealpix.h>
#include <erfa.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The column by its name, or the only one. */
static bool column_find(const struct fits_header *h, struct fits_column *out)
{
	static const char *const names[] = {"E(B-V)", "EBV", "EBV_SFD", "REDDENING", "TEMPERATURE"};
	int64_t fields = 0;
	fits_header_int(h, "TFIELDS", &fields);
	for (size_t k = 0; k <= sizeof names / sizeof names[0]; k++) {
		size_t offset = 0;
		for (int n = 1; n <= fields; n++) {
			if (!fits_header_column(h, n, &offset, out))
				return false;
			if (k < sizeof names / sizeof names[0] ? strcasecmp(out->name, names[k]) == 0 : fields == 1)
				return true;
		}
	}
	return false;
}

static int table_read(struct dust *d, size_t len, struct err *e)
{
	struct fits_header first, h;
	struct fits_column column;
	int64_t rows = 0, row_bytes = 0;
	char word[32] = "";
	if (fits_guard(d->bytes, len, e) < 0 || fits_header_scan(d->bytes, len, &first, e) < 0 ||
	    fits_header_scan(d->bytes + first.bytes, len - first.bytes, &h, e) < 0)
		return -1;
	d->data = first.bytes + h.bytes;
	fits_header_int(&h, "NAXIS1", &row_bytes);
	fits_header_int(&h, "NAXIS2", &rows);
	if (!column_find(&h, &column) || (column.type != 'E' && column.type != 'D') || column.repeat < 1)
		return err_set(e, ERR_INPUT, "no column E(B-V), EBV, REDDENING or TEMPERATURE of numbers; give a HEALPix map of reddening");
	int64_t values = rows * column.repeat;
	d->nside = (int64_t)llround(sqrt((double)values / 12));
	if (values < 12 || 12 * d->nside * d->nside != values || (d->nside & (d->nside - 1)) != 0)
		return err_set(e, ERR_INPUT, "%lld values are no full sky of HEALPix pixels", (long long)values);
	if (!fits_header_text(&h, "ORDERING", word, sizeof word) || (strncasecmp(word, "NEST", 4) != 0 && strcasecmp(word, "RING") != 0))
		return err_set(e, ERR_INPUT, "ORDERING is neither NESTED nor RING");
	d->nested = strncasecmp(word, "NEST", 4) == 0;
	bool known = fits_header_text(&h, "COORDSYS", word, sizeof word);
	if (known && strchr("GgCcEeQq", word[0]) == NULL)
		known = false;
	if (known && (word[0] == 'E' || word[0] == 'e'))
		return err_set(e, ERR_INPUT, "COORDSYS is ecliptic; give a galactic (G) or equatorial (C) map");
	d->galactic = !known || word[0] == 'G' || word[0] == 'g';
	d->row_bytes = (size_t)row_bytes;
	d->offset = column.offset;
	d->repeat = column.repeat;
	d->size = fits_type_size(column.type);
	memcpy(d->column, column.name, sizeof d->column);
	return 0;
}

int dust_read(const void *bytes, size_t len, struct dust *out, struct err *e)
{
	const unsigned char *b = bytes;
	struct inflated plain = {0};
	*out = (struct dust){0};
	if (len > 2 && b[0] == 0x1f && b[1] == 0x8b) {
		if (inflate_gzip(bytes, len, LIMIT_MAP_INFLATED, &plain, e) < 0)
			return err_wrap(e, "dust map");
	} else {
		plain = (struct inflated){malloc(len + 1), len};
		if (plain.data == NULL)
			return err_set(e, ERR_MEMORY, "no memory for a dust map of %zu bytes", len);
		memcpy(plain.data, bytes, len);
	}
	out->bytes = plain.data;
	if (table_read(out, plain.len, e) == 0)
		return 0;
	dust_free(out);
	return err_wrap(e, "dust map");
}

void dust_free(struct dust *d)
{
	free(d->bytes);
	*d = (struct dust){0};
}

double dust_ebv_mag(const struct dust *d, double ra_deg, double dec_deg)
{
	double lon = ra_deg * M_PI / 180, lat = dec_deg * M_PI / 180, value;
	int64_t pixel;
	if (d->galactic)
		eraIcrs2g(lon, lat, &lon, &lat);
	if (d->nested)
		ang2pix_nest64(d->nside, M_PI / 2 - lat, lon, &pixel);
	else
		ang2pix_ring64(d->nside, M_PI / 2 - lat, lon, &pixel);
	const unsigned char *at = d->bytes + d->data + (size_t)(pixel / d->repeat) * d->row_bytes + d->offset + (size_t)(pixel % d->repeat) * d->size;
	uint64_t bits = 0;
	for (size_t i = 0; i < d->size; i++)
		bits = bits << 8 | at[i];
	if (d->size == 4) {
		uint32_t half = (uint32_t)bits;
		float f;
		memcpy(&f, &half, sizeof f);
		value = (double)f;
	} else {
		memcpy(&value, &bits, sizeof value);
	}
	return value >= 0 && value < 1e6 ? value : NAN; /* healpy's bad value is −1.6375e30 */
}

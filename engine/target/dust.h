/* Reddening by the dust of our galaxy from a full-sky HEALPix map that the user has (none is shipped): E(B−V) in magnitudes on the scale of
 * Schlegel, Finkbeiner & Davis 1998, such as LAMBDA's lambda_sfd_ebv.fits. Read-only after dust_read, thread-safe. */
#ifndef ENGINE_TARGET_DUST_H
#define ENGINE_TARGET_DUST_H
#include "engine/base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dust {
	unsigned char *bytes; /* the inflated file */
	size_t data, row_bytes, offset, size; /* of the table; of the column in a row; of one value: 4 or 8 bytes */
	int64_t nside, repeat;
	bool nested, galactic;
	char column[72];
};

/* FITS bytes, plain or gzip: a binary table of 12 nside² values (E or D) in a column E(B-V), EBV, EBV_SFD, REDDENING or TEMPERATURE (or the only
 * one); ORDERING NESTED or RING; COORDSYS G (galactic, the default) or C (equatorial). ERR_INPUT says what is wrong. */
int dust_read(const void *bytes, size_t len, struct dust *out, struct err *e);
void dust_free(struct dust *d);

/* Of the pixel that the position (ICRS) lies in; NaN where the map has no value. */
double dust_ebv_mag(const struct dust *d, double ra_deg, double dec_deg);
#endif

/* Changing FITS files so that they stay FITS files: blocks, cards and sizes hold, what they say does not. */
#ifndef TESTS_FUZZ_FITS_H
#define TESTS_FUZZ_FITS_H
#include "door.h"

/* One to four changes of cards, values and rows; mostly mended afterwards, so that widths and sizes add up and a guard lets it pass. Bytes that
 * are no FITS are changed blindly. In place; the new length, ≤ max. */
size_t fuzz_change_fits(uint8_t *bytes, size_t len, size_t max, struct fuzz_dice *d);

/* gzip of bytes into out; 0 when it does not fit. */
size_t fuzz_gzip(const uint8_t *bytes, size_t len, uint8_t *out, size_t max);
/* Inflated in place when it is gzip and fits; else as it is. */
size_t fuzz_gunzip(uint8_t *bytes, size_t len, size_t max);
#endif

/* Reading FITS header cards ourselves, from bytes of strangers: bounded, no allocation (FITS standard 4.0, §4). */
#ifndef ENGINE_TARGET_FITS_HEADER_H
#define ENGINE_TARGET_FITS_HEADER_H
#include "engine/base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FITS_BLOCK 2880u

/* One header unit. cards is borrowed from the bytes; `bytes` is its length with padding. */
struct fits_header {
	const unsigned char *cards;
	size_t count, bytes;
};

/* One column of a binary table. */
struct fits_column {
	char name[72];   /* TTYPE, "" when absent */
	char unit[72];   /* TUNIT, "" when absent */
	char type;       /* L B A I J K E D */
	int64_t repeat;
	size_t offset;   /* bytes from the start of the row */
};

/* Finds END within len bytes and at most LIMIT_MAP_CARDS cards, all printable; the padded unit must lie within len. */
int fits_header_scan(const unsigned char *bytes, size_t len, struct fits_header *h, struct err *e);

/* Value of a card; false when it is absent, doubled, or of another type. */
bool fits_header_int(const struct fits_header *h, const char *key, int64_t *value);
bool fits_header_real(const struct fits_header *h, const char *key, double *value);
bool fits_header_text(const struct fits_header *h, const char *key, char *out, size_t size);
bool fits_header_has(const struct fits_header *h, const char *key);

/* Column n (from 1) of a binary table that fits_guard accepted; *offset is the running byte offset in the row. */
bool fits_header_column(const struct fits_header *h, int n, size_t *offset, struct fits_column *out);

/* Bytes of one element of a type letter, 0 for one that is not read. */
size_t fits_type_size(char type);
#endif

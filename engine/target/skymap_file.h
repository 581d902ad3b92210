/* What a sky map file says of itself, found before its rows are read: which columns, which ordering, how many cells. */
#ifndef ENGINE_TARGET_SKYMAP_FILE_H
#define ENGINE_TARGET_SKYMAP_FILE_H
#include "engine/target/fits_header.h"
#include "engine/target/skymap.h"

enum skymap_role { ROLE_UNIQ, ROLE_DENSITY, ROLE_MU, ROLE_SIGMA, ROLE_NORM, ROLES };

struct skymap_file {
	struct fits_column column[ROLES]; /* type 0: not there */
	bool per_pixel;                   /* ROLE_DENSITY is a probability per pixel, not a density */
	double to_per_sr;                 /* factor of a density in another unit */
	enum skymap_ordering ordering;
	int order;                        /* of a flat map; -1 for NUNIQ */
	int64_t rows, cells;
	size_t row_bytes, data;           /* bytes a row; where the rows begin in the file */
	uint64_t uniq_flip;               /* unsigned UNIQ as FITS stores it (TZERO = 2^63): the top bit to flip */
	double distmean_mpc, diststd_mpc;
	char object[64];
};

/* Bytes that fits_guard accepted. ERR_INPUT says in words what the file is when it is no probability sky map. */
int skymap_file_of(const unsigned char *bytes, size_t len, struct skymap_file *out, struct err *e);

/* Says what bytes that are not FITS seem to be (HTML page, JSON, zip, empty, text); always -1. */
int skymap_not_fits(const unsigned char *bytes, size_t len, struct err *e);
#endif

/* A galaxy catalogue as the ranker reads it: a FITS binary table sorted by (IPIX29, ID), mapped into memory.
 *
 * HDU 1, GALAXIES, 88 bytes a row: IPIX29 K (NESTED pixel at order 29), DIST_MPC D (NaN: unknown), RA D, DEC D (ICRS degrees),
 * DISTERR_MPC E (NaN), B_MAG E (apparent, NaN), LOGMSTAR E (log10 Msun, NaN), FLAGS J, ID K, NAME 32A.
 * HDU 2, CELLS, 786432 rows, one a cell of order 8: FIRST K (first row of the cell, from 0), LUM_MAX E and MASS_MAX E (largest weight in it).
 * HDU 3, COLUMNS, one row: what the ranker reads of all n rows, column by column: DIST_MPC nD (as in GALAXIES), DISTERR_MPC nE, LUM nE [Lsun,B],
 * MASS nE [Msun] (0: unknown, in these three), PIX23 nJ (the last 30 bits of the pixel at order 23: IPIX29 >> 12 within its cell of order 8).
 * HDU 4, CENSUS, 49152 rows, one a cell of order 3 and shell of 1/16 dex of distance (census.h): ROWS D, LUM_ROWS D, LUM D, MASS_ROWS D, MASS D; files
 * of older versions end before it.
 * Header: DIGEST = SHA-256 of the row bytes of HDU 1; COSMO; SRCn, SRCSHAn, SRCROWn, SRCBADn and HISTORY say where the rows came from. */
#ifndef ENGINE_TARGET_CATALOG_H
#define ENGINE_TARGET_CATALOG_H
#include "engine/base/bytes.h"
#include "engine/base/err.h"
#include <stddef.h>
#include <stdint.h>

#define CATALOG_ROW_BYTES 88
#define CATALOG_CELL_BYTES 16
#define CATALOG_CELL_ORDER 8
#define CATALOG_CELLS 786432
#define CATALOG_NAME 32
#define CATALOG_CENSUS_ROWS 49152
#define CATALOG_CENSUS_BYTES 40

/* Columns of HDU 3 in their order, and their bytes a row. */
enum catalog_column {CATALOG_COLUMN_DIST, CATALOG_COLUMN_DISTERR, CATALOG_COLUMN_LUM, CATALOG_COLUMN_MASS, CATALOG_COLUMN_PIX, CATALOG_COLUMN_COUNT};
#define CATALOG_COLUMN_BYTES 24 /* of all columns, a row */
#define CATALOG_PIX_ORDER 23

/* FLAGS, bits 0–3: where the distance comes from. */
enum catalog_distance {
	CATALOG_DIST_NONE,      /* there is none */
	CATALOG_DIST_GIVEN,     /* by the source, kind not said */
	CATALOG_DIST_MEASURED,  /* by the source, independent of the redshift */
	CATALOG_DIST_SPEC,      /* by the source, from a spectroscopic redshift */
	CATALOG_DIST_PHOT,      /* by the source, from a photometric redshift */
	CATALOG_DIST_COSMOLOGY, /* by us, from the source's redshift (COSMO) */
	CATALOG_DIST_KINDS
};
#define CATALOG_FLAG_KIND 0xF
#define CATALOG_FLAG_NAME_CUT 0x10   /* the name was longer than 32 bytes */
#define CATALOG_FLAG_NAME_MADE 0x20  /* the source has no name: it is made from the position */
#define CATALOG_FLAG_ID_MADE 0x40    /* the source has no number: it is the row's place in its file */
#define CATALOG_FLAG_B_ABSOLUTE 0x80 /* B_MAG was made from an absolute magnitude and the distance */
#define CATALOG_FLAG_FRAME 0x300     /* frame of the redshift behind the distance: enum catalog_frame << CATALOG_FRAME_SHIFT */
#define CATALOG_FRAME_SHIFT 8
#define CATALOG_FLAG_PHOTO_Z 0x400   /* the redshift behind the distance is photometric */
#define CATALOG_FLAG_ERR_RULE 0x800  /* DISTERR_MPC, or a part of it, is by rule: the source says nothing */
#define CATALOG_FLAG_MERGED 0x1000   /* rows of several sources are one here */
#define CATALOG_FLAG_ALL 0x1FFF

enum catalog_frame {
	CATALOG_FRAME_NONE,   /* not said, or there is no redshift behind the distance */
	CATALOG_FRAME_HELIO,
	CATALOG_FRAME_CMB,
	CATALOG_FRAME_FLOW,   /* CMB, corrected for the galaxy's peculiar velocity */
	CATALOG_FRAMES
};

struct catalog_row {
	uint64_t ipix29;
	double distance_mpc, ra_deg, dec_deg; /* distance NaN: unknown */
	float distance_err_mpc, b_mag, log_mstar; /* NaN: unknown */
	uint32_t flags;
	int64_t id;
	char name[CATALOG_NAME + 1];
	uint8_t source; /* while a catalogue is built: which file it is from */
};

/* Open catalogue: constant, so any number of threads may read it. */
struct catalog {
	const unsigned char *rows, *cells; /* in the file's byte order */
	const unsigned char *column[CATALOG_COLUMN_COUNT];
	const unsigned char *census; /* NULL: an older file */
	int64_t count;
	char sha256[65];
	void *memory;
	size_t memory_len;
};

/* Maps the file and checks its form and its index (not the digest: catalog_verify). ERR_INPUT says how to mend. */
int catalog_open(const char *path, struct catalog *out, struct err *e);
void catalog_close(struct catalog *c);
/* Digest of the rows, their order, and that the columns say the same: reads the whole file. */
int catalog_verify(const struct catalog *c, struct err *e);

void catalog_row_at(const struct catalog *c, int64_t row, struct catalog_row *out);
/* "luminosity" [Lsun,B] and "mass" [Msun] of a row, rounded to float32 as the columns hold them; NaN where unknown. */
double catalog_luminosity(const struct catalog_row *r);
double catalog_mass(const struct catalog_row *r);
/* First row at or behind a pixel of order 29. */
int64_t catalog_find(const struct catalog *c, uint64_t ipix29);

const char *catalog_distance_name(uint32_t flags); /* "measured" … */
const char *catalog_frame_name(uint32_t flags);    /* "CMB" … */

static inline uint64_t catalog_column_size(int column)
{
	return column == CATALOG_COLUMN_DIST ? 8 : 4;
}
static inline uint64_t catalog_column_offset(int column, int64_t rows)
{
	return (uint64_t)rows * (column == CATALOG_COLUMN_DIST ? 0 : 4 * (uint64_t)column + 4);
}
static inline uint32_t catalog_pix23(uint64_t ipix29)
{
	return (uint32_t)(ipix29 >> 12) & 0x3FFFFFFF;
}

static inline uint64_t catalog_ipix(const struct catalog *c, int64_t row)
{
	return bytes_u64(c->rows + (size_t)row * CATALOG_ROW_BYTES);
}
static inline double catalog_distance_mpc(const struct catalog *c, int64_t row)
{
	return bytes_double(c->column[CATALOG_COLUMN_DIST] + (size_t)row * 8);
}
/* 0: unknown. */
static inline float catalog_distance_err_mpc(const struct catalog *c, int64_t row)
{
	return bytes_float(c->column[CATALOG_COLUMN_DISTERR] + (size_t)row * 4);
}
/* Of CATALOG_COLUMN_LUM or CATALOG_COLUMN_MASS; 0: unknown. */
static inline float catalog_weight(const struct catalog *c, enum catalog_column column, int64_t row)
{
	return bytes_float(c->column[column] + (size_t)row * 4);
}
static inline int64_t catalog_cell_first(const struct catalog *c, int64_t cell)
{
	return (int64_t)bytes_u64(c->cells + (size_t)cell * CATALOG_CELL_BYTES);
}
static inline int64_t catalog_cell_end(const struct catalog *c, int64_t cell)
{
	return cell + 1 < CATALOG_CELLS ? catalog_cell_first(c, cell + 1) : c->count;
}
/* Largest CATALOG_COLUMN_LUM or CATALOG_COLUMN_MASS of a cell. */
static inline float catalog_cell_most(const struct catalog *c, enum catalog_column column, int64_t cell)
{
	return bytes_float(c->cells + (size_t)cell * CATALOG_CELL_BYTES + (column == CATALOG_COLUMN_LUM ? 8 : 12));
}
#endif

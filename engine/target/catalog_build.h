/* Making a catalogue: tables of galaxies from CSV and FITS → rows → a sorted FITS table with provenance (form: catalog.h). */
#ifndef ENGINE_TARGET_CATALOG_BUILD_H
#define ENGINE_TARGET_CATALOG_BUILD_H
#include "engine/base/err.h"
#include "engine/base/text.h"
#include "engine/target/catalog.h"
#include <stdbool.h>
#include <stdio.h>

/* What a table may tell of a galaxy: X(name for --map, meaning, for readers of this file). */
#define CATALOG_FIELDS(X) \
	X(id, "number, an integer") X(name, "published name") X(ra, "right ascension, ICRS: degrees, or hh:mm:ss") \
	X(dec, "declination, ICRS: degrees, or dd:mm:ss") X(dist, "luminosity distance, Mpc") X(dist_err, "its standard error, Mpc") \
	X(z, "redshift, or velocity in km/s if its unit says so") X(z_err, "its standard error") X(kind, "kind of the distance") \
	X(b_mag, "apparent B magnitude") X(b_abs, "absolute B magnitude") X(log_mass, "log10 of the stellar mass in Msun") \
	X(mass, "stellar mass in Msun, or in 1e10 Msun when below 1e5")
enum catalog_field {
#define X(name, meaning) FIELD_##name,
	CATALOG_FIELDS(X)
#undef X
	FIELD_COUNT
};

#define CATALOG_CANDIDATES 6  /* columns that may give one field, best first: the first that is not missing counts */
#define CATALOG_SHOWN 8       /* bad rows told in full */
#define CATALOG_SOURCES 32

/* Which column gives which field. scale turns the column's unit into the field's. */
struct catalog_columns {
	struct {
		int column;         /* from 0 */
		double scale;
		bool hours;         /* RA */
		bool velocity;      /* z in km/s: scale is set */
		char name[64];
	} of[FIELD_COUNT][CATALOG_CANDIDATES];
	int count[FIELD_COUNT];
	bool ours;                  /* a catalogue that slew made: kind is its FLAGS */
};

/* One value of a row: text (not terminated) or a number; missing when both are absent. */
struct catalog_cell {
	const char *text;
	size_t len;
	double number;
	bool is_number;
};

/* One input file, as reported and as written into the header. */
struct catalog_source {
	char name[64], sha256[65];
	int64_t rows, kept, bad, without_distance;
	double near_mpc, far_mpc; /* range of distances; far 0: none */
	char columns[512];  /* "ra<-RAJ2000 …" */
};

struct catalog_builder {
	struct catalog_row *rows;
	size_t count, cap;
	struct catalog_source source[CATALOG_SOURCES];
	int sources;
	const char *const *map;  /* --map field=column, NULL-terminated; borrowed; may be NULL */
	struct text report;      /* sentences for the person: columns taken, bad rows */
	int shown;
};

void catalog_builder_init(struct catalog_builder *b);
void catalog_builder_free(struct catalog_builder *b);

/* Reads one file, CSV (comma, tab, semicolon, bar or blanks; header line) or FITS table, by its content. Bad rows are counted and reported;
 * ERR_INPUT when no row can be read or a needed column (ra, dec) is not found: the text lists the columns that are there. */
int catalog_build_add(struct catalog_builder *b, const char *path, struct err *e);

/* Sorts and writes: temporary file in the same folder, fsync, rename. Rows equal in position, id and name are kept once (count is then what was
 * written; the report says so). digest may be NULL. */
int catalog_build_write(struct catalog_builder *b, const char *path, char digest[65], struct err *e);

/* -- for the readers of formats (catalog_build_csv.c, catalog_build_fits.c) -- */
/* Finds the fields among columns by --map, then by usual names; unit may be NULL. Appends what was taken to the report. */
int catalog_columns_find(struct catalog_builder *b, const char *const *names, const char *const *units, int n,
	struct catalog_columns *out, struct err *e);
/* Turns cells (by field and candidate) into a row and keeps it; a bad one is counted, and reported with `where` ("line"|"row") and number. */
int catalog_row_take(struct catalog_builder *b, const struct catalog_columns *c,
	const struct catalog_cell cells[FIELD_COUNT][CATALOG_CANDIDATES], const char *where, int64_t number, struct err *e);
void catalog_row_bad(struct catalog_builder *b, const char *where, int64_t number, const char *why);
int catalog_build_csv(struct catalog_builder *b, FILE *f, struct err *e);
int catalog_build_fits(struct catalog_builder *b, const char *path, struct err *e);
#endif

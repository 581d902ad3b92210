/* Making a catalogue: tables of galaxies from CSV and FITS → rows → a sorted FITS table with provenance (form: catalog.h). */
#ifndef ENGINE_TARGET_CATALOG_BUILD_H
#define ENGINE_TARGET_CATALOG_BUILD_H
#include "engine/base/err.h"
#include "engine/base/text.h"
#include "engine/target/catalog.h"
#include "engine/target/catalog_format.h"
#include "engine/target/catalog_sort.h"
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>

/* What a table may tell of a galaxy: X(name for --map, meaning, for readers of this file). */
#define CATALOG_FIELDS(X) \
	X(id, "number, an integer") X(name, "published name") X(ra, "right ascension, ICRS: degrees, or hh:mm:ss") \
	X(dec, "declination, ICRS: degrees, or dd:mm:ss") X(dist, "luminosity distance, Mpc") X(dist_err, "its standard error, Mpc") \
	X(z, "redshift, or velocity in km/s if its unit says so") X(z_err, "its standard error") X(kind, "kind of the distance") \
	X(b_mag, "apparent B magnitude") X(b_abs, "absolute B magnitude") X(log_mass, "log10 of the stellar mass in Msun") \
	X(mass, "stellar mass in Msun, or in 1e10 Msun when below 1e5") X(z_kind, "technique of the redshift: SPEC, PHOT") \
	X(z_flow, "1 where redshift and distance are corrected for the peculiar velocity") X(v_err, "error of the redshift by the peculiar velocity") \
	X(type, "kind of object") X(quality, "0 where the redshift is sure")
enum catalog_field {
#define X(name, meaning) FIELD_##name,
	CATALOG_FIELDS(X)
#undef X
	FIELD_COUNT
};

#define CATALOG_CANDIDATES 6  /* columns that may give one field, best first: the first that is not missing counts */
#define CATALOG_SHOWN 8       /* bad rows told in full */
#define CATALOG_SOURCES 32
#define CATALOG_PHOTO_BELOW_MPC 200.0 /* photometric distances nearer than this say nothing: their error is as large */

/* Which column gives which field. scale turns the column's unit into the field's. */
struct catalog_columns {
	struct {
		int column;         /* from 0 */
		double scale;
		bool hours;         /* RA */
		bool velocity;      /* z in km/s: scale is set */
		enum catalog_frame frame; /* z */
		char name[64];
	} of[FIELD_COUNT][CATALOG_CANDIDATES];
	int count[FIELD_COUNT];
	bool ours;                  /* a catalogue that slew made: kind is its FLAGS */
	const struct catalog_format *format; /* NULL: by usual names */
	double photo_below_mpc;     /* rows with a photometric distance below are left out */
};

/* One value of a row: text (not terminated) or a number; missing when both are absent. */
struct catalog_cell {
	const char *text;
	size_t len;
	double number;
	bool is_number;
	bool is_integer;  /* of 64 bits: a double would not hold it */
	int64_t integer;
};

/* Why a good row is left out on purpose. */
enum catalog_off { CATALOG_OFF_TYPE, CATALOG_OFF_UNSURE, CATALOG_OFF_PHOTO, CATALOG_OFFS };

/* Rows of one piece of a file, made by one thread. */
struct catalog_batch {
	struct catalog_row *rows; /* an id that is made is the row's place in the batch, from 1 */
	size_t count, cap;
	int64_t seen, bad, off[CATALOG_OFFS], without_distance; /* seen = count + bad + off */
	double near_mpc, far_mpc;                               /* range of distances; far 0: none */
	struct {
		int64_t number; /* line or row within the batch, from 1 */
		char why[120];
	} shown[CATALOG_SHOWN];
	int64_t lines;            /* of the text that the batch took */
	bool no_memory;
};

/* One input file, as reported and as written into the header. */
struct catalog_source {
	char name[64], sha256[65], format[16];
	int64_t rows, kept, bad, without_distance, off[CATALOG_OFFS]; /* rows = kept + bad + off */
	double near_mpc, far_mpc; /* range of distances; far 0: none */
	char columns[512];  /* "ra<-RAJ2000 …" */
};

/* Runs part(arg, 0) … part(arg, n − 1), at once if it can; returns when all are done. */
struct catalog_crew {
	void (*run)(void *self, void (*part)(void *arg, int i), void *arg, int n);
	void *self;
};

/* How far long work is: stage "reading" (bytes) or "writing" (rows); total 0: a stage begins of which no part can be told. */
struct catalog_progress {
	void (*tell)(void *self, const char *stage, double done, double total);
	void *self;
};

struct catalog_builder {
	struct catalog_runs runs; /* the rows, sorted piece by piece; set runs.beside before the first file to spill beside the output */
	const struct catalog_crew *crew; /* NULL: one part after the other */
	struct catalog_progress progress; /* tell may be NULL */
	const volatile sig_atomic_t *stop; /* when it is not 0, work ends with ERR_REFUSED and nothing is written; may be NULL */
	bool look;               /* rows are counted, not kept: nothing can be written */
	bool merge;              /* --merge: the same galaxy of several sources is one row (catalog_merge.h) */
	int64_t joined;          /* by merge: rows that went into others */
	size_t count;            /* galaxies so far; after write: that were written */
	struct catalog_source source[CATALOG_SOURCES];
	int sources;
	const char *const *map;  /* --map field=column, NULL-terminated; borrowed; may be NULL */
	const struct catalog_format *format; /* --format; NULL: by content */
	bool generic;            /* --format generic: no format is looked for */
	double photo_below_mpc;  /* --photo-z-below */
	struct text report;      /* sentences for the person: columns taken, bad rows */
	int shown;
};

void catalog_builder_init(struct catalog_builder *b);
void catalog_builder_free(struct catalog_builder *b);

/* Reads one file, CSV (comma, tab, semicolon, bar or blanks; header line) or FITS table, by its content. Bad rows are counted and reported;
 * ERR_INPUT when no row can be read or a needed column (ra, dec) is not found: the text lists the columns that are there. */
int catalog_build_add(struct catalog_builder *b, const char *path, struct err *e);

/* A text table that is in memory. */
int catalog_build_memory(struct catalog_builder *b, const char *name, const char *text, size_t len, struct err *e);

/* Sorts and writes: temporary file in the same folder, fsync, rename. Rows equal in position, id and name are kept once (count is then what was
 * written; the report says so). digest may be NULL. */
int catalog_build_write(struct catalog_builder *b, const char *path, char digest[65], struct err *e);

/* -- for the readers of formats (catalog_build_text.c, catalog_build_fits.c) -- */
/* Finds the fields among columns by --map, then by the file's format (found here when builder and caller know none), then by usual names; unit
 * may be NULL. Appends what was taken to the report. */
int catalog_columns_find(struct catalog_builder *b, const char *const *names, const char *const *units, int n,
	struct catalog_columns *out, struct err *e);
/* Turns cells (by field and candidate) into a row and keeps it in the batch; a bad one is counted and its number (within the batch) noted.
 * Touches nothing but the batch: any number of threads may work, each with its own. */
void catalog_row_take(struct catalog_batch *batch, const struct catalog_columns *c,
	const struct catalog_cell cells[FIELD_COUNT][CATALOG_CANDIDATES], int64_t number);
void catalog_row_bad(struct catalog_batch *batch, int64_t number, const char *why);
/* Adds a batch to the builder and empties it. Its numbers count from `before` + 1; where: "line" or "row". */
int catalog_batch_fold(struct catalog_builder *b, struct catalog_batch *batch, const char *where, int64_t before, struct err *e);
/* fd: at the start of the file; the source's digest is made on the way. */
int catalog_build_text(struct catalog_builder *b, int fd, struct err *e);
int catalog_build_stopped(const struct catalog_builder *b, struct err *e); /* -1 when the person asked to end */
int catalog_build_fits(struct catalog_builder *b, const char *path, struct err *e);

#define CATALOG_FLAG_ID_HERE 0x80000000u /* within a batch: the id is the place in the batch */

/* -- parts of a row (catalog_build_name.c) -- */
void catalog_name_of(const struct catalog_columns *c, const struct catalog_cell cells[FIELD_COUNT][CATALOG_CANDIDATES], struct catalog_row *r);
void catalog_id_of(const struct catalog_columns *c, const struct catalog_cell cells[FIELD_COUNT][CATALOG_CANDIDATES], int64_t place,
	struct catalog_row *r);
/* Text without blanks at its ends; whether it is a mark for "no value". */
struct catalog_cell catalog_cell_trimmed(struct catalog_cell c);
bool catalog_cell_missing(const struct catalog_cell *c);
/* 1: a number, 0: missing, -1: text that is none. Correct to the last bit, as strtod. */
int catalog_cell_number(struct catalog_cell c, double *v);
#endif

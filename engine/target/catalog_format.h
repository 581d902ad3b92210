/* The published galaxy catalogues that are known by name: how a file of each is recognised, which column is what, in which frame its redshifts
 * are, what of it is no galaxy, where it is to be had. Everything else is read by the usual names of columns (catalog_build_columns.c). */
#ifndef ENGINE_TARGET_CATALOG_FORMAT_H
#define ENGINE_TARGET_CATALOG_FORMAT_H
#include "engine/target/catalog.h"
#include <stdbool.h>

struct catalog_format {
	const char *name;    /* for --format and `catalog get` */
	const char *title, *paper, *licence;
	const char *url;     /* of the file itself or of the page that has it */
	const char *command; /* what downloads it */
	int64_t rows;        /* about as many are published; 0: it grows */
	const char *size;    /* of the download, in words */
	const char *header;  /* names of the columns of a text table that has none, comma-separated; NULL: it has its own */
	char separator;      /* of such a table: ' ' any run of blanks, or '|' */
	const char *marks;   /* columns that together show the format */
	const char *columns; /* "field=Column,Column;…": the first that is not missing counts */
	const char *keep;    /* values of the field `type` that are galaxies; NULL: all */
	enum catalog_frame frame;       /* of its redshifts, where the column's name does not say */
	enum catalog_distance kind;     /* of its distances, where no column says; also of distances that we make from its redshifts when photometric */
	bool method_measured; /* what its column of the distance's kind says, and is no redshift, is a way of measuring */
	bool dist_by_z;      /* its distances that are not measured come from its redshift: they have its frame */
	bool silent_flow;    /* its distance errors leave out the galaxies' own velocities unless v_err says them */
};

/* NULL when there is none of that name; catalog_format_at: NULL behind the last. */
const struct catalog_format *catalog_format_named(const char *name);
const struct catalog_format *catalog_format_at(int i);
/* By the names of columns, or by the cells of the first row of a table without names. NULL: none that is known. */
const struct catalog_format *catalog_format_by_names(const char *const *names, int n);
const struct catalog_format *catalog_format_by_row(const char *const *cells, int n, char separator);
/* Names as they are compared: without case and without anything but letters, digits and '*'. */
void catalog_name_plain(char out[64], const char *name);
/* Whether one of the comma-separated words is the text (len bytes, blanks around it do not count). */
bool catalog_word_in(const char *words, const char *text, size_t len);
#endif

/* The same galaxy in several sources → one row. Two rows of different sources are the same galaxy when they lie within 3″, or within 1 kpc at the
 * nearer distance (at most 60″), and, where both have a distance, |Δd| ≤ 3 √(σ₁² + σ₂²), within 3″ 5 times (the velocities in a cluster are
 * beyond 3 σ_v, and 3″ are no chance; an error that is not known counts as 20 %). Pairs are joined nearest first, and a galaxy has at most one row of each source: two neighbours of one source never become one.
 * Of the joined rows the one with the best distance gives position, distance, error, kind, frame, name and number: measured, redshift with peculiar
 * velocity, given, spectroscopic, by us from the redshift, photometric, none; then the earlier source. A name that was made from the position
 * gives way to a published one. B magnitude and stellar mass are of the first that has them in the same order.
 * Rows that are equal in everything are one before that. So a catalogue merged with itself stays as it is, and the order of the sources matters
 * only between rows with distances of the same kind. */
#ifndef ENGINE_TARGET_CATALOG_MERGE_H
#define ENGINE_TARGET_CATALOG_MERGE_H
#include "engine/base/err.h"
#include "engine/target/catalog.h"
#include <stddef.h>

#define CATALOG_MERGE_RULE "within max(3 arcsec, 1 kpc at the nearer distance, at most 60 arcsec) and 3 sigma of distance (5 within 3 arcsec), one row of each source, nearest first"

/* Rows in the order of catalog_sort.h, given one by one; 60 bytes a row in memory at most, the rows themselves in a nameless file. */
struct catalog_merge;
/* beside: as in catalog_sort.h. NULL on error. */
struct catalog_merge *catalog_merge_open(const char *beside, struct err *e);
int catalog_merge_add(struct catalog_merge *m, const struct catalog_row *r, struct err *e);
/* Finds the same galaxies; *joined is how many rows went into others. */
int catalog_merge_find(struct catalog_merge *m, int64_t *joined, struct err *e);
/* 1: *out is the next row, in order; 0: the end; -1 error. */
int catalog_merge_next(struct catalog_merge *m, struct catalog_row *out, struct err *e);
void catalog_merge_close(struct catalog_merge *m);
#endif

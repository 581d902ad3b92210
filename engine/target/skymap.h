/* A sky map as the ranker sees it: cells of a multi-order HEALPix map, in float64, from whatever file it came.
 * Singer et al. 2016 (arXiv:1603.07333) for the 3-D form; LVK user guide, multi-order sky maps. */
#ifndef ENGINE_TARGET_SKYMAP_H
#define ENGINE_TARGET_SKYMAP_H
#include "engine/base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum skymap_ordering { SKYMAP_NUNIQ, SKYMAP_NESTED, SKYMAP_RING };

/* Cells sorted by their first pixel at order 29. Of a flat map (RING is reordered to NESTED) four neighbours that are equal to the last bit in all
 * columns are one cell of the order above, down to order SKYMAP_MERGED_ORDER: a map of nside 1024 made from a multi-order one is small again. */
#define SKYMAP_MERGED_ORDER 6
#define SKYMAP_FAR_MPC 1e9 /* what lies beyond (z of 1e5) is no distance */
struct skymap {
	int64_t cells;
	int64_t pixels;               /* of the file */
	const uint64_t *uniq;         /* ipix + 4·4^order */
	const double *density;        /* probability per steradian, ≥ 0, finite */
	const double *mu, *sigma, *norm; /* Mpc, Mpc, Mpc⁻²; NULL for a 2-D map; "no distance" cells have norm 0 */
	enum skymap_ordering ordering;   /* of the file */
	int order_max;                   /* of the file */
	double distmean_mpc, diststd_mpc; /* header; NaN where absent */
	char object[64];
	void *memory;                 /* what skymap_free gives back: owned, or a read-only mapping */
	size_t memory_len;
	bool mapped;
};

/* Reads FITS bytes (plain or gzip) in this process: inflates to the absolute cap, scans headers (fits_guard), reads, validates. For bytes from outside use mapchild_read (engine/io/mapchild.h), which runs this in a sandboxed child. */
int skymap_read(const void *bytes, size_t len, struct skymap *out, struct err *e);
void skymap_free(struct skymap *m);

/* The same, with the columns in one block of memory that room->get gives (the map child: a shared mapping). The block is the room's; out->memory
 * is NULL and skymap_free gives nothing back. room is called once; it returns zeroed, 8-aligned bytes or NULL. The cells are sorted, but not
 * checked, and order_max is not set: that is left to who uses them (skymap_check, skymap_order_max), since the child is not believed anyway. */
struct skymap_room {
	void *(*get)(struct skymap_room *room, size_t bytes);
	void *block;     /* the room's own */
	size_t capacity; /* the room's own */
	bool whole;      /* told to get: every byte will be written */
};
int skymap_read_to(const void *bytes, size_t len, struct skymap_room *room, struct skymap *out, struct err *e);

/* Bytes of the columns' block of a map with room for so many cells, and its columns laid into such a block: uniq, density and, for 3-D, mu, sigma,
 * norm. */
size_t skymap_block(int64_t cells, bool is_3d);
void skymap_lay(struct skymap *m, void *block, int64_t cells, bool is_3d);

/* What the headers announce, from the first bytes only (at most LIMIT_MAP_HEAD are inflated): how many cells, and whether 3-D. Errors as
 * skymap_read gives them; the rows are not looked at. */
int skymap_scan(const void *bytes, size_t len, int64_t *cells, bool *is_3d, struct err *e);

/* Everything the ranker relies on: UNIQ sane, sorted, disjoint; densities finite and ≥ 0, adding up to about 1; distances usable. */
int skymap_check(const struct skymap *m, struct err *e);

/* From ordering, pixels and cells. */
int skymap_order_max(const struct skymap *m);

/* First pixel at order 29 of a UNIQ number, its order, and the solid angle of a pixel of that order [sr]. */
static inline int skymap_order(uint64_t uniq)
{
	return (63 - __builtin_clzll(uniq)) / 2 - 1;
}
static inline uint64_t skymap_first(uint64_t uniq)
{
	int order = skymap_order(uniq);
	return (uniq - (UINT64_C(4) << (2 * order))) << (2 * (29 - order));
}
static inline double skymap_pixel_sr(int order)
{
	return 12.566370614359172954 / (12.0 * (double)(UINT64_C(1) << (2 * order)));
}

/* Header pre-scan of inflated FITS bytes before cfitsio sees them: bounds, widths, types, sizes. */
int fits_guard(const unsigned char *bytes, size_t len, struct err *e);
/* The same for the first bytes of a longer file: all but the sizes of the whole. */
int fits_guard_head(const unsigned char *bytes, size_t len, struct err *e);
#endif

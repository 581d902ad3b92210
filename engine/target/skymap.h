/* A sky map as the ranker sees it: cells of a multi-order HEALPix map, in float64, from whatever file it came.
 * Singer et al. 2016 (arXiv:1603.07333) for the 3-D form; contracts: LVK user guide, multi-order sky maps. */
#ifndef ENGINE_TARGET_SKYMAP_H
#define ENGINE_TARGET_SKYMAP_H
#include "engine/base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum skymap_ordering { SKYMAP_NUNIQ, SKYMAP_NESTED, SKYMAP_RING };

/* Cells sorted by their first pixel at order 29. Flat maps keep their cells (RING is reordered to NESTED). */
struct skymap {
	int64_t cells;
	const uint64_t *uniq;         /* ipix + 4·4^order */
	const double *density;        /* probability per steradian, ≥ 0, finite */
	const double *mu, *sigma, *norm; /* Mpc, Mpc, Mpc⁻²; NULL for a 2-D map; "no distance" cells have norm 0 */
	enum skymap_ordering ordering;   /* of the file */
	int order_max;
	double distmean_mpc, diststd_mpc; /* header; NaN where absent */
	char object[64];
	void *memory;                 /* what skymap_free gives back: owned, or a read-only mapping */
	size_t memory_len;
	bool mapped;
};

/* Reads FITS bytes (plain or gzip) in this process: inflates to the absolute cap, scans headers (fits_guard), reads with cfitsio,
 * validates. For bytes from outside use mapchild_read (engine/io/mapchild.h), which runs this in a sandboxed child. */
int skymap_read(const void *bytes, size_t len, struct skymap *out, struct err *e);
void skymap_free(struct skymap *m);

/* Header pre-scan of inflated FITS bytes before cfitsio sees them (RELIABILITY §0.1): bounds, widths, types, sizes. */
int fits_guard(const unsigned char *bytes, size_t len, struct err *e);
#endif

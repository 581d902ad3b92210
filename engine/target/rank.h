/* Galaxies ranked by 3-D probability density: dP/dV per Mpc³ of luminosity-distance space, no cosmology.
 * Singer et al. 2016 (arXiv:1603.07333), eq. 1–2. */
#ifndef ENGINE_TARGET_RANK_H
#define ENGINE_TARGET_RANK_H
#include "engine/target/catalog.h"
#include "engine/target/skymap.h"
#include <stdbool.h>

struct weight; /* engine/target/weight.h */

enum rank_weight { RANK_NONE, RANK_LUMINOSITY, RANK_MASS };

struct rank_options {
	enum rank_weight weight;
	bool distance_error;   /* the catalogue's σ_d widens the cell's σ: N(d; μ, √(σ² + σ_d²)) */
	int64_t top;           /* at most so many; ≤ 0: all */
	double probability;    /* stop when the cumulative share reaches it; NaN: never */
	const struct weight *by; /* instead of `weight`: means for rows without one, a user's column, priors of 2-D maps, and total_rate; may be NULL */
	bool list_only;        /* only the list: no sum over all rows, so no shares, and `probability` is not looked at */
};

struct ranked {
	int64_t row;           /* of the catalogue */
	double dpdv_per_mpc3;  /* NaN for a 2-D map */
	double weight;         /* 1 where none is asked for */
	bool weight_is_mean;   /* the catalogue has none: it is the mean of its distance */
	double score;          /* dP/dV, or probability per sr for a 2-D map, times the weight: the order of the list */
	double share, cumulative_share; /* of the sum of scores over all rows considered; NaN for list_only. Not the probability that this is the
	                                 * host */
};

struct ranking {
	struct ranked *list;
	size_t count;
	/* Over all rows; with list_only the counts are -1 and the totals are NaN. */
	int64_t considered;       /* rows with a score above 0: those the shares add up over */
	int64_t without_distance; /* in the map's area, but no distance: not considered (3-D maps, and 2-D ones with a prior) */
	int64_t without_weight;   /* in the map's area, but no luminosity or mass: not considered, unless the mean stands in */
	int64_t mean_weight;      /* of these, with the mean of their distance instead */
	double total;             /* sum of scores, to 1e-12 of itself: rows that could not change it more, all together, are counted only */
	double total_rate, total_square; /* sums of score × weight_rate and of its square; 0 without `by` (probability.h) */
	bool is_3d;
};

/* Pure and thread-safe; deterministic: higher score first, ties by id, then row. The list is that of a full scan, bit for bit; the total, and
 * with it the shares, do not depend on `top`. Memory: 64 bytes a kept row, 4 a cell of the map, 256 KiB. rank_free gives it back. */
int rank_galaxies(const struct skymap *m, const struct catalog *c, const struct rank_options *o, struct ranking *out, struct err *e);
void rank_free(struct ranking *r);

/* dP/dV of one cell at a distance [Mpc⁻³]; 0 where the cell has no distance. */
double rank_dpdv(const struct skymap *m, int64_t cell, double distance_mpc, double distance_err_mpc);
#endif

/* What the catalogue lacks: its completeness by part of the sky and shell of distance, and the probability that stays on the sky.
 *
 * Completeness f = Σ w / (ρ_w V_C), at most 1, from the catalogue's own census. A cell of 54 deg² holds too few galaxies to tell a void from a
 * hole in the catalogue, so cells with about as many rows (none, below 1/16 and 1/4 of the median, up to 4 times it, more) are taken together:
 * "mask completeness" of Finke et al. 2021 (arXiv:2101.12660, §3). Shells are widened as long as the density does not change by more than
 * large-scale structure and the number of galaxies let it scatter, and what that cannot tell from complete is complete. The missing part is
 * spread evenly within a cell and shell: p ∝ (1 − f) · dP/dV_C. */
#ifndef ENGINE_TARGET_MISSING_H
#define ENGINE_TARGET_MISSING_H
#include "engine/target/skymap.h"
#include "engine/target/weight.h"

enum { MISSING_GROUPS = 5 };

struct missing {
	unsigned char group[CENSUS_CELLS];
	int group_cells[MISSING_GROUPS];
	double complete[MISSING_GROUPS][CENSUS_SHELLS]; /* 0 … 1 */
	const struct weight *weight;                    /* borrowed */
};

/* ρ_w must be known. */
void missing_make(struct missing *out, const struct census *k, const struct weight *w);

/* Completeness at a pixel of order 29 and a distance. */
double missing_completeness(const struct missing *k, uint64_t ipix29, double distance_mpc);

struct missing_sum {
	double total;       /* of what is missing */
	double norm;        /* G of weight.h: divide scores by it */
	double volume_mpc3; /* of the map: 1/∫ (dP/dV)² dV */
	double placed, all; /* the map's probability in cells with a distance, and in all of them */
};

/* Of each cell of the map, the probability of it that the catalogue lacks, before renormalisation: a catalogue without any row lacks
 * all of it; 0 in cells without a distance. out: NULL, or one a cell. A 2-D map needs w->distance. For parts of P(host not in the
 * catalogue) see probability_make. */
void missing_per_cell(const struct skymap *m, const struct missing *k, double *out, struct missing_sum *sum);

/* Variance of the galaxies' density in a volume, as in a sphere: 72/((3−γ)(4−γ)(6−γ)2^γ) (r0/R)^γ (Peebles 1980, The Large-Scale Structure of the
 * Universe, eq. 59.3) with r0 = 5.59 Mpc/h, γ = 1.84 (Zehavi et al. 2005, arXiv:astro-ph/0408569). */
double missing_variance(double volume_mpc3);
#endif

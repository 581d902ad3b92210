/* What the catalogue lacks: its completeness by part of the sky and shell of distance, and the probability that stays on the sky.
 *
 * Completeness f = Σ w / (ρ_w V_C), at most 1, from the catalogue's own census. A cell of 54 deg² holds too few galaxies to tell a void from a
 * hole in the catalogue, so cells with about as many rows (within a factor of 4 of the median, less, much less, none, more) are taken together,
 * and shells are widened until they hold 2e6 Mpc³ or reach a factor of 1.5 in distance either way: "mask completeness" of Finke et al. 2021
 * (arXiv:2101.12660, §3). The missing part is spread evenly ("homogeneous completion", ibid.): p ∝ (1 − f) · dP/dV_C. */
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

/* Of each cell of the map, the probability of it that the catalogue lacks, before renormalisation: a catalogue without any row lacks
 * all of it. out: NULL, or one a cell. *total: their sum; *norm: G of weight.h (divide scores by it). A 2-D map needs w->distance. */
void missing_per_cell(const struct skymap *m, const struct missing *k, double *out, double *total, double *norm);
#endif

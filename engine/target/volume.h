/* Credible volumes of a 3-D sky map: the smallest volume that holds a given probability, and the credible level of a place.
 *
 * In a cell dP/dV = A exp(−(r − μ)²/2σ²) for r ≥ 0 with A = ρ·DISTNORM/(√(2π) σ) (Singer et al. 2016, arXiv:1603.07333, eq. 1–2, and its supplement,
 * arXiv:1605.04242). What is denser than t is therefore the shell |r − μ| ≤ σ√(2 ln(A/t)), and its probability and volume have closed forms with
 * the error function: no grid of voxels, nothing is sorted. Distances are luminosity distances, volumes r² dr dΩ of them; nothing is
 * renormalised, as with areas. The error function is Abramowitz & Stegun 7.1.26 (1.5e-7). */
#ifndef ENGINE_TARGET_VOLUME_H
#define ENGINE_TARGET_VOLUME_H
#include "engine/target/skymap.h"

struct volume {
	const struct skymap *map; /* borrowed; 3-D */
	double *log_peak;         /* ln of the largest dP/dV of each cell, −inf where there is none; owned */
	double *block_most;       /* the largest of a block of cells; owned */
	double log_most;          /* the largest of all */
};

/* 8 bytes a cell. ERR_INPUT for a 2-D map. */
int volume_open(struct volume *v, const struct skymap *m, struct err *e);
void volume_close(struct volume *v);

/* Probability and volume of all places denser than exp(log_density). */
void volume_above(const struct volume *v, double log_density, double *probability, double *volume_mpc3);

/* The smallest volume that holds `level` of the probability [Mpc³], to 1e-6; infinite when the map does not reach it. */
double volume_credible(const struct volume *v, double level);

/* Credible levels (0: the densest place, up to the probability of the whole map) of n places by their dP/dV, to 1e-4. A place without
 * probability has the level of the whole map. */
int volume_levels(const struct volume *v, const double *dpdv_per_mpc3, size_t n, double *level, struct err *e);

/* dP/dV at a pixel of order 29 and a distance; 0 where the map has none. */
double volume_density(const struct skymap *m, uint64_t ipix29, double distance_mpc);
#endif

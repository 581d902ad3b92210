/* A made-up localisation of a merger: an elongated, curved posterior on the sky (a piece of a
 * timing ring, with a second lobe) and a conditional distance, as BAYESTAR would give (Singer &
 * Price 2016, arXiv:1508.03634). Calibrated by construction: where the truth lies in it is a draw
 * from the posterior itself, so 90 % of the mergers lie inside the 90 % region. */
#ifndef SIM_LOCALISE_H
#define SIM_LOCALISE_H
#include "engine/base/err.h"
#include <stddef.h>
#include <stdint.h>

struct sim_lobe {
	double phi, sigma, weight; /* along the ring, rad */
};
struct sim_posterior {
	double frame[3][3];	 /* rows: x, y and pole of the ring in equatorial coordinates */
	double ring, ring_sigma; /* angle from the pole and its sigma, rad */
	double z_low, z_high;	 /* cosines of the angles beyond which there is nothing */
	int sample_order; /* a cell's probability is summed over points of this HEALPix order: half
			     a sigma apart */
	struct sim_lobe lobe[2];
	double phi_origin, tilt;  /* the distance scale grows by tilt per radian of arc from here */
	double mu_mpc, sigma_mpc; /* conditional distance at the origin: r² N(r; mu, sigma) */
};

struct sim_merger {
	double ra_deg, dec_deg, distance_mpc; /* the truth */
	double area90_deg2;		      /* wanted size of the 90 % region, about */
	double elongation;		      /* length over width of the main lobe */
	double sigma_mpc;
};

/* Draws a posterior for a merger: shape first, then where in it the truth lies. */
void sim_posterior_make(
	const struct sim_merger *m, uint64_t seed, const char *stream, struct sim_posterior *out);

/* Density per steradian (not normalised) and conditional distance at a unit vector. */
double sim_posterior_density(const struct sim_posterior *p, const double v[3]);
void sim_posterior_distance(
	const struct sim_posterior *p, const double v[3], double *mu_mpc, double *sigma_mpc);

/* Moments of r² N(r; mu, sigma) over r ≥ 0: norm makes the integral 1; mean and mean square (Singer
 * et al. 2016, arXiv:1603.07333 §2). */
void sim_distance_moments(double mu, double sigma, double *norm, double *mean, double *square);

struct sim_cell {
	uint64_t uniq;
	double density, mu, sigma, norm; /* sr⁻¹, Mpc, Mpc, Mpc⁻² */
};
struct sim_map {
	struct sim_cell *cell; /* owned, sorted by uniq */
	size_t count;
	int order_max;
	double distmean_mpc, diststd_mpc;
};

/* Adaptive multi-order map: order 3, then `rounds` times the most probable 192 cells are split.
 * Integrates to 1. */
int sim_map_make(const struct sim_posterior *p, int rounds, struct sim_map *out, struct err *e);
void sim_map_free(struct sim_map *m);
#endif

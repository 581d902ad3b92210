/* How far: the distance posterior of a sky map as numbers and as a picture. Pure. */
#ifndef ENGINE_REPORT_DISTANCE_H
#define ENGINE_REPORT_DISTANCE_H
#include "engine/report/sky.h"

/* p(r) [Mpc⁻¹] of the whole map at r = step, 2·step, … n·step: the sum over cells of probability × DISTNORM × r² N(r; DISTMU, DISTSIGMA)
 * (Singer et al. 2016, arXiv:1603.07333, eq. 1, and its supplement, arXiv:1605.04242, eq. 2). Zeros for a 2-D map. */
void distance_posterior(const struct skymap *m, double step_mpc, size_t n, double *density);

/* The same toward one position, given that the event lies there; false where the map has no distance there. */
bool distance_toward(const struct skymap *m, double ra_deg, double dec_deg, double step_mpc, size_t n, double *density);

/* Mean and standard deviation of such a table. */
void distance_moments(const double *density, double step_mpc, size_t n, double *mean_mpc, double *std_mpc);

struct distance_chart {
	const struct skymap *map;          /* 3-D; borrowed, as all is */
	double ra_deg, dec_deg;            /* of a line of sight; NaN: none */
	const struct sky_galaxy *galaxies; /* best first */
	size_t count;
};
/* A file of its own. */
void distance_picture(const struct distance_chart *c, const char *title, struct text *out);
#endif

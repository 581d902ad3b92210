/* Credible areas, peak and distance of a sky map: what a person wants to know first. */
#ifndef ENGINE_TARGET_REGION_H
#define ENGINE_TARGET_REGION_H
#include "engine/target/skymap.h"

struct region {
	double area50_deg2, area90_deg2;
	double ra_deg, dec_deg;            /* centre of the cell of highest density (the first one where several are equal) */
	double gal_b_deg;                  /* galactic latitude of it */
	double distmean_mpc, diststd_mpc;  /* header, else moments; NaN for a 2-D map that names none, and where no cell has a distance */
	double distmod_mag;                /* 5 log10(distmean) + 25 */
	double probability;                /* sum over the map */
};

/* Greedy area: cells by falling density, (0, 0) prepended, linear in (cumulative probability, cumulative area), not renormalised;
 * the whole sky where the map does not reach the level. density: of the last cell taken (may be NULL). O(cells), no sort. */
int region_area(const struct skymap *m, double level, double *area_deg2, double *density, struct err *e);

/* The region of that level as a coverage: the cells by falling density until they hold the level, the last one whole and all that are as dense as
 * it. *out is finished. */
struct moc;
int region_moc(const struct skymap *m, double level, struct moc *out, struct err *e);

/* Mean and standard deviation of the distance over the whole sky, from DISTMU, DISTSIGMA (Singer et al. 2016 supplement, eq. 2–3:
 * p(r) ∝ r² N(r; μ, σ) for r ≥ 0); NaN for 2-D maps. */
void region_moments(const struct skymap *m, double *mean_mpc, double *std_mpc);

int region_of(const struct skymap *m, struct region *out, struct err *e);

/* Galactic latitude [deg] of an ICRS position (pole: The Hipparcos and Tycho Catalogues, ESA SP-1200, 1997, vol. 1, §1.5.3). */
double region_gal_b_deg(double ra_deg, double dec_deg);
#endif

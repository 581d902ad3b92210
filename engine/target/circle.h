/* A position with an error as a sky map: what neutrino and GRB alerts give. 2-D: a distance must come from a prior (weight.h). */
#ifndef ENGINE_TARGET_CIRCLE_H
#define ENGINE_TARGET_CIRCLE_H
#include "engine/target/skymap.h"

/* The von Mises-Fisher distribution whose circle of error_deg about the position holds `level` of the probability: κ from
 * P(θ) = (1 − exp(−κ(1 − cos θ)))/(1 − exp(−2κ)) (Fisher 1953, doi:10.1098/rspa.1953.0064; small errors: a Gaussian of σ = error/√(−2 ln(1 − level))).
 * Cells of a sixth of σ = 1/√κ or finer out to 1 − 1e-6 of it, densities that add up to 1. Errors from 0.01″ (smaller ones are taken as
 * that) to 90°, levels from 0.01 to 0.999; ERR_INPUT says which is not. skymap_free gives it back. */
int circle_map(double ra_deg, double dec_deg, double error_deg, double level, struct skymap *out, struct err *e);
#endif

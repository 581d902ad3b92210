/* The probability of each galaxy to be the host, and of a host that the catalogue does not hold.
 *
 * With S = Σ (w_i/ρ_w) dP/dV j/G over the catalogue and M = what it lacks (missing.h), galaxy i has p_i = (w_i/ρ_w)(dP/dV)_i j_i / G / (S + M) and
 * "not in the catalogue" M/(S + M). S + M is 1 where the sky is as dense as the mean; in a cluster it is more and in a void less, and hosts
 * are where galaxies are: both are renormalised (the in- and out-of-catalogue parts of Gray et al. 2020, arXiv:1908.06050, §2). Where ρ_w is not known, the sum over the
 * catalogue is 1 and `outside` is NaN. */
#ifndef ENGINE_TARGET_PROBABILITY_H
#define ENGINE_TARGET_PROBABILITY_H
#include "engine/target/missing.h"
#include "engine/target/rank.h"

struct probability {
	double outside;   /* P(host not in the catalogue); NaN: ρ_w is not known, or the map is 2-D without a prior on distance */
	double inside;    /* 1 − outside; 1 where that is not known; 0 where nothing has a score */
	double catalogue; /* S: the catalogue's weight under the map in units of the mean universe's; NaN: not known */
	double lacking;   /* M, likewise */
	double scale;     /* p = score · j · scale */
};

/* `r` must have been ranked with o.by = k->weight. cell_missing: NULL, or for each cell of the map its part of `outside`. */
void probability_make(struct probability *out, const struct skymap *m, const struct missing *k, const struct ranking *r, double *cell_missing);

/* Of one entry of the ranking. */
double probability_row(const struct probability *p, const struct weight *w, const struct catalog *c, const struct ranked *r);
#endif

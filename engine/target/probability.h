/* The probability of each galaxy to be the host, and of a host that the catalogue does not hold.
 *
 * With S = Σ (w_i/ρ_w) dP/dV j/G over the catalogue and M = what it lacks, galaxy i has p_i = (w_i/ρ_w)(dP/dV)_i j_i / G / (S + M) and "not in the
 * catalogue" is M/(S + M) (the in- and out-of-catalogue parts of Gray et al. 2020, arXiv:1908.06050, §2). S is 1 where the catalogue is complete and
 * the sky as dense as the mean, more in a cluster, less in a void; hosts are where galaxies are, so both are renormalised.
 *
 * What is missing clusters as what is listed does: M = b · ∫(1 − f) dP/dV j/G dV (missing.h), b the density under the map in units of the mean, as well
 * as the catalogue knows it: b = (k + n)/(k + n S̄/S), the mean of a gamma distribution of variance 1/k = missing_variance(volume of the map)
 * after n = (Σ p)²/Σ p² galaxies were seen where n S̄/S were expected, S̄ = 1 − ∫(1 − f). Few galaxies: b = 1, homogeneous completion; many:
 * b = S/S̄, multiplicative completion (Finke et al. 2021, arXiv:2101.12660, §3). tests/unit/calibration.c is what decided it: b = 1 says 42 %
 * where 50 % of the hosts are missing.
 *
 * A 3-D map may have no distance in some cells (21 % of one of the LVK's). No galaxy there has a score, so their probability u is none of the
 * catalogue's: p_i is for the rest, (1 − u) S/(S + M) in all, and u is part of `outside`, cell by cell.
 *
 * Where ρ_w is not known, the sum over the catalogue is 1 and `outside` is NaN. A 2-D map without a prior knows nothing of distances, and its
 * probabilities are the shares. */
#ifndef ENGINE_TARGET_PROBABILITY_H
#define ENGINE_TARGET_PROBABILITY_H
#include "engine/target/missing.h"
#include "engine/target/rank.h"

struct probability {
	double outside;   /* P(host not in the catalogue); NaN: ρ_w is not known, or no galaxy's weight, or the map is 2-D without a prior on distance */
	double inside;    /* 1 − outside; 1 where that is not known; 0 where nothing has a score */
	double catalogue; /* S: the catalogue's weight under the map in units of the mean universe's; NaN: not known */
	double lacking;   /* M, likewise */
	double contrast;  /* b */
	double unplaced;  /* u; 0 where that is not known */
	double scale;     /* p = score · j · scale, without j where … */
	bool flat;        /* … distances are not looked at */
};

/* All that is asked of a catalogue beside its rows: made once for a catalogue and a weight, then constant. */
struct probability_model {
	struct census *census; /* owned */
	struct weight weight;
	struct missing missing;
};
/* column, density: weight_make. One pass over the catalogue (census.h). */
int probability_model_make(struct probability_model *out, const struct catalog *c, enum weight_kind kind, const double *column, double density,
	struct err *e);
/* Other priors than BAYESTAR's, and one on the distance of 2-D maps. */
void probability_model_prior(struct probability_model *m, enum weight_map_prior map_prior, struct weight_distance distance);
void probability_model_free(struct probability_model *m);

/* `r` must have been ranked with o.by = k->weight. cell_missing: NULL, or for each cell of the map its part of `outside`. */
void probability_make(struct probability *out, const struct skymap *m, const struct missing *k, const struct ranking *r, double *cell_missing);

/* Of one entry of the ranking. */
double probability_row(const struct probability *p, const struct weight *w, const struct catalog *c, const struct ranked *r);
#endif

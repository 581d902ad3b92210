/* What a galaxy counts for as a host, and how probability follows from it.
 *
 * A merger's host is drawn with the chance w/(1+z) (a rate per source-frame time), w being the galaxy's B luminosity, stellar mass, a number of
 * the user's, or 1. With ρ_w the mean density of w per comoving volume, the probability that galaxy i is the host is (Singer et al. 2016,
 * arXiv:1603.07333 eq. 2 for dP/dV; Gray et al. 2020, arXiv:1908.06050 for the sum over the catalogue and what it lacks)
 *
 *     p_i ∝ (w_i/ρ_w) · dP/dV_L(i) · j(d_i)/G,     G = mean over the map of j(d) · dV_C/dV_L(d)
 *
 * dP/dV_L is per luminosity-distance volume and holds the prior that the map was made with. j takes that prior out and puts the hosts' rate in:
 *   the map's prior is d_L² (BAYESTAR and ligo-skymap-from-samples as the LVK runs them):       j = 1/(1+z)
 *   the map's prior is a constant rate in comoving volume and source-frame time:                j = dV_L/dV_C, and G = 1
 * Near by both are 1; at z = 0.1 they differ by 30 % over a map's depth, not over its mean. */
#ifndef ENGINE_TARGET_WEIGHT_H
#define ENGINE_TARGET_WEIGHT_H
#include "engine/target/census.h"
#include <stdbool.h>

enum weight_kind { WEIGHT_NONE, WEIGHT_LUMINOSITY, WEIGHT_MASS, WEIGHT_COLUMN };
enum weight_map_prior { WEIGHT_MAP_LUMINOSITY_DISTANCE, WEIGHT_MAP_COMOVING };

/* Distance of what has only a place on the sky, as dP/dV_L in a direction (∫ q r² dr = 1):
 * VOLUME: constant to far_mpc; NORMAL: DISTNORM·N(r; a, b) as in a 3-D map; LOGNORMAL: p(r) lognormal with median a and b = σ of ln r. */
enum weight_prior { WEIGHT_PRIOR_NONE, WEIGHT_PRIOR_VOLUME, WEIGHT_PRIOR_NORMAL, WEIGHT_PRIOR_LOGNORMAL };
struct weight_distance {
	enum weight_prior kind;
	double a_mpc, b; /* VOLUME: a is the far end; b of NORMAL in Mpc */
};

#define WEIGHT_RATES 512
#define WEIGHT_RATE_STEP_MPC 20.0

struct weight {
	enum weight_kind kind;
	enum weight_map_prior map_prior;
	double density_per_mpc3;      /* ρ_w; NaN: not known, then nothing is known of what the catalogue lacks */
	const char *unit, *source;    /* of w; where ρ_w comes from */
	double fill[CENSUS_SHELLS];   /* what a galaxy without a weight counts for: the mean of the catalogue at its distance; NaN: none */
	const double *column;         /* WEIGHT_COLUMN: one a row, NaN: missing; borrowed */
	struct weight_distance distance; /* for 2-D maps */
	double rate[WEIGHT_RATES + 1];   /* j at steps of distance */
};

/* Published mean densities in the cosmology of cosmology.h: ρ ∝ h, since L ∝ h⁻² and V ∝ h⁻³.
 *   luminosity  1.98e8 Lsun,B/Mpc³ at h = 0.73 (Kopparapu et al. 2008, arXiv:0706.1283, §4; ± 8 %)
 *   mass        2.97e8 h70 Msun/Mpc³ (Driver et al. 2022, arXiv:2203.08539, abstract; z < 0.1)
 *   none        galaxies above 0.1 L*: φ* Γ(α+1, 0.1), φ* = 0.016 h³/Mpc³, α = −1.07 (Gehrels et al. 2016, arXiv:1508.03608, §2): 0.0098/Mpc³.
 *               A count has no mean density without a faint limit: take it as a convention. */
double weight_density(enum weight_kind kind, const char **unit, const char **source);

/* column: NULL, or for WEIGHT_COLUMN one number a row (borrowed). density: NaN takes the published one (a column has none). */
void weight_make(struct weight *w, enum weight_kind kind, const struct catalog *c, const struct census *k, const double *column, double density);
void weight_prior(struct weight *w, enum weight_map_prior map_prior, struct weight_distance distance);

/* The factor of dP/dV (3-D map) or of probability per sr (2-D map, with the prior on distance folded with the row's error) in the score;
 * NaN: the row has none. *filled says that the mean stood in. err_mpc: the row's σ_d, or 0. */
double weight_row(const struct weight *w, const struct catalog *c, int64_t row, double distance_mpc, double err_mpc, bool *filled);
/* No row of a cell of the catalogue's index (order 8) has a larger factor. */
double weight_bound(const struct weight *w, const struct catalog *c, int64_t cell);

/* j at a distance, from the table: within 1e-4. */
static inline double weight_rate(const struct weight *w, double distance_mpc)
{
	double at = distance_mpc / WEIGHT_RATE_STEP_MPC;
	if (!(at > 0))
		return w->rate[0];
	if (at >= WEIGHT_RATES)
		return w->rate[WEIGHT_RATES];
	int i = (int)at;
	return w->rate[i] + (at - i) * (w->rate[i + 1] - w->rate[i]);
}

/* q of a 2-D map's prior at a distance with an error [Mpc⁻³], 1 without a prior; and its probability nearer than a distance. */
double weight_distance_density(const struct weight_distance *p, double distance_mpc, double err_mpc);
double weight_distance_within(const struct weight_distance *p, double distance_mpc);
/* "none", "volume:MAX", "normal:MEAN:SIGMA", "lognormal:MEDIAN:SIGMA_LN", distances and SIGMA from 0.01 to 1e5 Mpc, SIGMA_LN from 0.01 to 3;
 * -1: not one of these. */
int weight_distance_read(const char *text, struct weight_distance *out);
#endif

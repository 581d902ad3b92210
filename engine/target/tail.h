/* r² N(r; μ, σ) on r > 0, the distances of one cell of a map (Singer et al. 2016, arXiv:1603.07333, eq. 2), for any μ: real maps have cells with
 * DISTMU < 0, of which only a tail is left, where differences of the usual formula leave nothing but rounding. */
#ifndef ENGINE_TARGET_TAIL_H
#define ENGINE_TARGET_TAIL_H

/* ∫ from 0 to r over that to infinity: to 1e-9 down to μ = −25 σ, below that r² exp(−r |μ|/σ²), which is 1 % from it. */
double tail_within(double mu, double sigma, double r);
/* ∫ r² q² dr of the q ∝ N with ∫ r² q dr = 1 [Mpc⁻³]; likewise. */
double tail_square(double mu, double sigma);
#endif

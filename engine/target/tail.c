/* Tails of distances: see tail.h. */
#include "engine/target/tail.h"
#include <math.h>

#define SQRT_2PI 2.50662827463100050242
#define DEEP (-25.0) /* μ/σ */
#define WHOLE 6.0    /* from here on all of it is at r > 0 */

/* ∫ x² N(x; μ, σ) dx from r to infinity. */
static double beyond(double r, double mu, double sigma)
{
	double t = (r - mu) / sigma;
	return (mu * mu + sigma * sigma) * 0.5 * erfc(t * M_SQRT1_2) + sigma * (mu + r) * exp(-0.5 * t * t) / SQRT_2PI;
}

double tail_within(double mu, double sigma, double r)
{
	double x = r / sigma * (-mu / sigma);
	if (!(r > 0))
		return 0;
	return mu / sigma > DEEP ? 1 - beyond(r, mu, sigma) / beyond(0, mu, sigma) : 1 - exp(-x) * (1 + x + 0.5 * x * x);
}

/* r² N² is a Gaussian of σ/√2. */
double tail_square(double mu, double sigma)
{
	double a = mu / sigma, all = mu * mu + sigma * sigma;
	if (a > WHOLE)
		return (mu * mu + 0.5 * sigma * sigma) / (2 * sqrt(M_PI) * sigma) / all / all;
	if (a <= DEEP)
		return pow(-a / sigma, 3) / 16;
	all = beyond(0, mu, sigma);
	return beyond(0, mu, sigma * M_SQRT1_2) / (2 * sqrt(M_PI) * sigma) / all / all;
}

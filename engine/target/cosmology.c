/* Luminosity distance by Gauss-Legendre quadrature: see cosmology.h. */
#include "engine/target/cosmology.h"
#include <math.h>
#include <stddef.h>

static double inverse_e(double z)
{
	double a = 1 + z;
	return 1 / sqrt(COSMOLOGY_OM * a * a * a + (1 - COSMOLOGY_OM));
}

/* ∫ dz/E over [from, to], 8 points. */
static double comoving_part(double from, double to)
{
	static const double x[4] = {0.1834346424956498, 0.5255324099163290, 0.7966664774136267, 0.9602898564975363};
	static const double w[4] = {0.3626837833783620, 0.3137066458778873, 0.2223810344533745, 0.1012285362903763};
	double mid = 0.5 * (from + to), half = 0.5 * (to - from), sum = 0;
	for (int i = 0; i < 4; i++)
		sum += w[i] * (inverse_e(mid - half * x[i]) + inverse_e(mid + half * x[i]));
	return sum * half;
}

double cosmology_distance_mpc(double z, double *slope_mpc)
{
	const double hubble_mpc = LIGHT_KM_S / COSMOLOGY_H0;
	double comoving = 0;
	if (!(z > 0)) {
		if (slope_mpc != NULL)
			*slope_mpc = hubble_mpc;
		return 0;
	}
	for (double from = 0; from < z;) { /* short steps where E changes fast; their number grows as log z */
		double to = from + 0.5 * (1 + from);
		if (to > z)
			to = z;
		comoving += comoving_part(from, to);
		from = to;
	}
	if (slope_mpc != NULL)
		*slope_mpc = hubble_mpc * (comoving + (1 + z) * inverse_e(z));
	return hubble_mpc * (1 + z) * comoving;
}

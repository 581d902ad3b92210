/* Luminosity distance by Gauss-Legendre quadrature: see cosmology.h. */
#include "engine/target/cosmology.h"
#include <math.h>
#include <stddef.h>

/* Density of the neutrinos over that of the photons: two without mass, one of 0.06 eV (357.91 = its mass over k_B T_ν today). */
static double neutrinos(double a)
{
	const double massive = pow(1 + pow(0.3173 * 357.9121209673803 / a, 1.83), 0.54644808743);
	return 0.22710731766 * (3.046 / 3) * (2 + massive);
}

static double inverse_e(double z)
{
	const double a = 1 + z, dark = 1 - COSMOLOGY_OM - COSMOLOGY_OGAMMA - COSMOLOGY_ONU;
	return 1 / sqrt((COSMOLOGY_OM + COSMOLOGY_OGAMMA * (1 + neutrinos(a)) * a) * a * a * a + dark);
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

double cosmology_redshift(double d)
{
	double slope, z = d * (COSMOLOGY_H0 / LIGHT_KM_S);
	if (!(d > 0))
		return 0;
	for (int i = 0; i < 40; i++) { /* d(z) is convex and rises: from the right, Newton's steps go down to the root and stop */
		double step = (cosmology_distance_mpc(z, &slope) - d) / slope;
		z -= step;
		if (fabs(step) <= 1e-13 * z)
			break;
	}
	return z;
}

double cosmology_volume_ratio(double d, double *z_out)
{
	double slope, z = cosmology_redshift(d), a = 1 + z;
	if (z_out != NULL)
		*z_out = z;
	cosmology_distance_mpc(z, &slope);
	return LIGHT_KM_S / COSMOLOGY_H0 * inverse_e(z) / (slope * a * a);
}

double cosmology_volume_mpc3(double d)
{
	double comoving = d > 0 ? d / (1 + cosmology_redshift(d)) : 0;
	return 4 * M_PI / 3 * comoving * comoving * comoving;
}

double cosmology_z_cmb(double z_helio, double ra_deg, double dec_deg)
{
	const double apex_ra = 167.941903 * (M_PI / 180), apex_dec = -6.944260 * (M_PI / 180), beta = 369.82 / LIGHT_KM_S;
	double ra = ra_deg * (M_PI / 180), dec = dec_deg * (M_PI / 180);
	double along = sin(dec) * sin(apex_dec) + cos(dec) * cos(apex_dec) * cos(ra - apex_ra);
	return (1 + z_helio) / (1 - beta * along) - 1;
}

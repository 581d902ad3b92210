/* Expected unrelated supernovae: see supernova.h. */
#include "engine/target/supernova.h"
#include "engine/target/cosmology.h"
#include "engine/target/volume.h"
#include <math.h>

double supernova_expected(double volume_mpc3, double distance_mpc, double days)
{
	const double h = COSMOLOGY_H0 / 70, rate = (SUPERNOVA_CORE_MPC3_YR + SUPERNOVA_IA_MPC3_YR) * h * h * h;
	double z = 0, ratio = 1;
	if (!(volume_mpc3 >= 0) || !isfinite(volume_mpc3))
		return NAN;
	if (distance_mpc > 0 && isfinite(distance_mpc))
		ratio = cosmology_volume_ratio(distance_mpc, &z);
	return rate * volume_mpc3 * ratio * days / 365.25 / (1 + z); /* years of 31 557 600 s */
}

int supernova_in_map(const struct skymap *m, double distance_mpc, struct supernova *out, struct err *e)
{
	struct volume v;
	*out = (struct supernova){NAN, NAN};
	if (m->norm == NULL)
		return 0;
	if (volume_open(&v, m, e) < 0)
		return -1;
	double mpc3 = volume_credible(&v, 0.9);
	volume_close(&v);
	if (isfinite(mpc3))
		*out = (struct supernova){mpc3, supernova_expected(mpc3, distance_mpc, SUPERNOVA_YOUNG_D)};
	return 0;
}

/* Supernovae that have nothing to do with the event, and happen to be young in its volume: what a search must tell apart. */
#ifndef ENGINE_TARGET_SUPERNOVA_H
#define ENGINE_TARGET_SUPERNOVA_H
#include "engine/target/skymap.h"

/* Rates per comoving volume and source-frame time, at H0 = 70: core-collapse 1.01e5 (+50 −35 %), Ia 2.35e4 (± 10 %) Gpc⁻³ yr⁻¹ (Perley et al. 2020,
 * arXiv:2009.01242, abstract; Li et al. 2011, arXiv:1006.4613, have 0.705e5 and 0.301e5). They go with h³. */
#define SUPERNOVA_CORE_MPC3_YR 1.01e-4
#define SUPERNOVA_IA_MPC3_YR 2.35e-5
#define SUPERNOVA_YOUNG_D 30.0

/* Expected number younger than so many days (of ours) in a luminosity-distance volume [Mpc³] about a distance: R · V_L (dV_C/dV_L) · days/(1+z).
 * NaN where the volume is not known; a distance that is not known counts as near. All of them: faint ones and those behind dust too. */
double supernova_expected(double volume_mpc3, double distance_mpc, double days);

/* Those younger than SUPERNOVA_YOUNG_D in the smallest volume that holds 90 % of a map (of luminosity distance; volume.h). distance: of the map
 * (region.h). NaN both for a 2-D map, and where 90 % are not reached. */
struct supernova {
	double volume90_mpc3, expected;
};
int supernova_in_map(const struct skymap *m, double distance_mpc, struct supernova *out, struct err *e);
#endif

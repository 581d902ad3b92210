/* Redshift → luminosity distance in one named cosmology: flat ΛCDM with the Planck 2018 H0 and Ωm (A&A 641 A6, table 2, last column),
 * matter and Λ only. Hogg 1999 (astro-ph/9905116) eq. 14, 15, 21. */
#ifndef ENGINE_TARGET_COSMOLOGY_H
#define ENGINE_TARGET_COSMOLOGY_H

#define COSMOLOGY_H0 67.66     /* km/s/Mpc */
#define COSMOLOGY_OM 0.30966
#define COSMOLOGY_NAME "flat LambdaCDM H0=67.66 Om=0.30966 (Planck18)"
#define LIGHT_KM_S 299792.458

/* Luminosity distance [Mpc], to about 1e-9 for z ≤ 20; 0 for z ≤ 0. *slope_mpc: dD/dz, may be NULL. */
double cosmology_distance_mpc(double z, double *slope_mpc);
#endif

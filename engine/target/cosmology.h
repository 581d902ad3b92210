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

/* The redshift at a luminosity distance (the inverse, by Newton's rule to 1e-12); 0 for a distance ≤ 0. */
double cosmology_redshift(double distance_mpc);

/* dV_C/dV_L: comoving volume in a unit of luminosity-distance volume (d_L² dd_L dΩ) at a luminosity distance, ≤ 1. d_L = (1+z) d_C, so it is
 * (1+z)⁻² · (dd_C/dz) / (dd_L/dz) with dd_C/dz = c/(H0 E(z)); Hogg 1999 eq. 15, 16, 21, 28. *z may be NULL. */
double cosmology_volume_ratio(double distance_mpc, double *z);

/* Comoving volume [Mpc³] of the whole sky within a luminosity distance: 4π/3 d_C³ (Hogg 1999 eq. 29, flat). */
double cosmology_volume_mpc3(double distance_mpc);
#endif

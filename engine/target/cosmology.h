/* Redshift → luminosity distance in one named cosmology: Planck18 as astropy names it, flat ΛCDM with the Planck 2018 H0 and Ωm (A&A 641 A6,
 * table 2, last column), photons of 2.7255 K, Neff 3.046 with one neutrino of 0.06 eV. Hogg 1999 (astro-ph/9905116) eq. 14, 15, 21; neutrinos:
 * Komatsu et al. 2011 (ApJS 192, 18) eq. 26. */
#ifndef ENGINE_TARGET_COSMOLOGY_H
#define ENGINE_TARGET_COSMOLOGY_H

#define COSMOLOGY_H0 67.66     /* km/s/Mpc */
#define COSMOLOGY_OM 0.30966
#define COSMOLOGY_OGAMMA 5.402015137139353e-05 /* photons of 2.7255 K */
#define COSMOLOGY_ONU 0.0014396743040845244    /* neutrinos today: OGAMMA times cosmology.c's neutrinos(0) */
#define COSMOLOGY_NAME "Planck18: flat LambdaCDM H0=67.66 Om=0.30966 mnu=0.06"
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

/* Heliocentric → CMB frame: (1 + z_cmb) = (1 + z_helio) / (1 − v·n/c), the Sun moves with 369.82 km/s towards l 264.021°, b 48.253°
 * (Planck 2018 I, A&A 641 A1, table 3; multiplied as in Davis & Scrimgeour 2014, MNRAS 442, 1117, eq. 7). ra, dec: ICRS degrees. */
double cosmology_z_cmb(double z_helio, double ra_deg, double dec_deg);

/* Scatter of a galaxy's own velocity where its catalogue says nothing (Davis et al. 2011, ApJ 741, 67, §2.1: 300 km/s): σ_z = (1 + z) σ_v/c. */
#define COSMOLOGY_SIGMA_V_KM_S 300.0
/* Scatter of a photometric redshift whose catalogue says nothing: 0.033 (1 + z) (WISE × SuperCOSMOS, Bilicki et al. 2016, ApJS 225, 5). */
#define COSMOLOGY_SIGMA_PHOTO 0.033
#endif

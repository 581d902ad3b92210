/* What to expect of a merger's light: three families of kilonova, their absolute magnitudes by band and day, and how likely each is. Pure.
 *
 *   gfo    AT 2017gfo itself: photometry as compiled by Villar et al. 2017 (arXiv:1710.11576) and Coughlin et al. 2018
 *          (arXiv:1805.09371), less the dust of our galaxy (E(B−V) = 0.105), at 40.7 Mpc (Cantiello et al. 2018, arXiv:1801.06080);
 *          linear in log time between its nights. Before its first image (0.47 d) the first magnitudes stand.
 *   faint  a faint red one, as after a prompt collapse (Kawaguchi et al. 2020, arXiv:1908.05815): 0.011 solar masses, rich in
 *          lanthanides all around. Spectra of the grid of Dietrich et al. 2020 (arXiv:2002.11355; POSSIS, Bulla 2019, arXiv:1906.04205):
 *          0.001 dynamical, 0.010 wind, half-opening angle 90°.
 *   nsbh   a red one of a neutron star and a black hole: much of it thrown out cold. The same grid, 0.02 dynamical, 0.05 wind, 90°: what
 *          an NSBH of Anand et al. 2021 (arXiv:2009.07210) shows from near its plane; its peak agrees with Zhu et al. 2020
 *          (arXiv:2003.06733: fainter than −15 in the optical, −16 in the infrared).
 * Spectra to magnitudes: mean photon flux between 4000, 5500, 6950, 8200, 9200 Å and in 1.15–1.35 µm. AB, no dust, no afterglow. */
#ifndef ENGINE_TARGET_KILONOVA_H
#define ENGINE_TARGET_KILONOVA_H

enum kilonova_family { KILONOVA_GFO, KILONOVA_FAINT, KILONOVA_NSBH, KILONOVA_FAMILIES };
enum kilonova_band { KILONOVA_G, KILONOVA_R, KILONOVA_I, KILONOVA_Z, KILONOVA_J, KILONOVA_BANDS };

const char *kilonova_name(enum kilonova_family f);  /* "gfo" */
const char *kilonova_title(enum kilonova_family f); /* "AT 2017gfo" */

/* The band of a telescope's filter: g gp, r rp w (it spans g to i), i ip, z zs, J; −1 for any other. */
int kilonova_band_of(const char *filter);

/* Absolute AB magnitude so many days after the merger; INFINITY before it. Beyond 10 d the last slope goes on. */
double kilonova_mag(enum kilonova_family f, enum kilonova_band band, double days);

/* The brightest that it is between two ages. */
double kilonova_brightest_mag(enum kilonova_family f, enum kilonova_band band, double from_days, double to_days);

/* Standard deviation of a kilonova's magnitude about its family's: masses, and the angle of view (about 1 mag: Zhu et al. 2020, §4; for
 * AT 2017gfo half a magnitude is an assumption, a single one was seen). */
double kilonova_scatter_mag(enum kilonova_family f);

/* How likely each family is; what is left to 1 is dark: nothing stayed outside. */
struct kilonova_prior {
	double weight[KILONOVA_FAMILIES];
};
/* From an alert's classification: p_bns, p_nsbh, and has_remnant (the chance that matter was left outside, given a neutron star). What
 * is left outside is first laid to the binary neutron stars (half gfo, half faint: an assumption), the rest to the NSBH. NaN: unknown; both
 * classes unknown or zero is taken as a BNS, has_remnant unknown as 1. */
void kilonova_prior_of(double p_bns, double p_nsbh, double has_remnant, struct kilonova_prior *out);
#endif

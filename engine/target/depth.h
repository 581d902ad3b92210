/* How deep an exposure sees, and what it would see of a kilonova. Pure; magnitudes AB, limits at a signal of five times the noise.
 *
 * Signal to noise in an aperture: the CCD equation (Merline & Howell 1995, Experimental Astronomy 6, 163; Howell 2006, Handbook of CCD
 * Astronomy, 4.4), star / √(star + sky + dark + read-out²), with the host galaxy and what stands below.
 *   aperture  the descriptor's aperture_arcsec at the zenith; its diameter grows as the seeing does, with airmass^0.6 (Kolmogorov turbulence: Fried
 *             1966, JOSA 56, 1372; Roddier 1981, Progress in Optics 19, 281)
 *   sky       the descriptor's sky_mag [dark, half Moon, full Moon], between them linear in the lit part of the disc, as exposure time
 *             calculators have it; what the Moon adds is then scaled from a Moon 60° away at an altitude of 45° and a field at airmass
 *             1.15 to the true geometry by Krisciunas & Schaefer 1991 (PASP 103, 1033; eqs. 3, 15, 21). A Moon that is down adds nothing
 *   host      21.0 mag a square arcsecond in r, an early type's colours (Fukugita et al. 1995): half-light surface of a bright galaxy
 * What is looked for stands on a galaxy, so a limit depends on what is known of the place (enum depth_ground):
 *   BLANK       nothing is there: the limit of an exposure time calculator, not of a search
 *   SUBTRACTED  a reference image is taken away: its noise (5 sigma at reference_mag) is added in quadrature; reference_mag INFINITY: none
 *   HOST        no reference: 5 % of the galaxy's light in the aperture remains after a smooth model of it. No exposure beats that. */
#ifndef ENGINE_TARGET_DEPTH_H
#define ENGINE_TARGET_DEPTH_H
#include "engine/target/kilonova.h"
#include <jansson.h>
#include <stdbool.h>

#define DEPTH_SIGMA 5.0
#define DEPTH_REDDENED_MAG 1.0 /* E(B−V) above this: nothing is looked for behind so much dust, and maps are not to be trusted */

/* An instrument in one filter. */
struct depth_camera {
	double aperture_arcsec, pixel_arcsec, read_noise_e, dark_e_s;
	double zero_mag, extinction_mag; /* 1 electron a second at the zenith, above the air of one airmass; mag an airmass */
	double sky_mag[3];               /* mag a square arcsecond: dark, half, full */
	int band;                        /* enum kilonova_band, −1: none of them */
};
/* Of an instrument of a descriptor; false when it has no photometry for the filter. */
bool depth_camera_of(const json_t *instrument, const char *filter, struct depth_camera *out);

struct depth_sky {
	double airmass;
	double moon_illuminated, moon_deg, moon_alt_deg; /* lit part 0–1; from the field; above the horizon (negative: down) */
};
#define DEPTH_DARK {1.0, 0.0, 60.0, -90.0}

enum depth_ground { DEPTH_HOST, DEPTH_SUBTRACTED, DEPTH_BLANK };
struct depth_place {
	enum depth_ground ground;
	double reference_mag; /* SUBTRACTED only */
	double ebv_mag;       /* E(B−V) of our galaxy on the scale of Schlegel et al. 1998; NaN: unknown, taken as 0 */
};

/* Sky with the Moon in it. */
double depth_sky_mag(const struct depth_camera *c, const struct depth_sky *s);

/* Limit of `count` exposures of exposure_s each, added up; −INFINITY for no time at all. Of the place only ground and reference count. */
double depth_limit_mag(const struct depth_camera *c, const struct depth_sky *s, const struct depth_place *p, double exposure_s, int count);

/* Shortest single exposure (of `count`) whose limit reaches limit_mag, to 1 %; INFINITY when most_s does not. */
double depth_exposure_s(const struct depth_camera *c, const struct depth_sky *s, const struct depth_place *p, double limit_mag, int count, double most_s);

/* Extinction of our galaxy [mag per mag of E(B−V)]: Schlafly & Finkbeiner 2011 (arXiv:1012.4804), table 6, R_V = 3.1: SDSS griz, UKIRT J. */
double depth_dust_ratio(enum kilonova_band band);

/* Standard deviation of what is measured about a family's magnitude, at the limit: its scatter, and the noise of a signal of five. */
double depth_sigma_mag(enum kilonova_family f);

/* Chance that a kilonova of this family is above the limit: its magnitude is normal about the family's, the measurement has the noise of
 * a signal at the limit. */
double depth_detects(enum kilonova_family f, enum kilonova_band band, double days, double distance_mpc, double ebv_mag, double limit_mag);

/* The same over all families; dark mergers count as not seen. */
double depth_detects_any(const struct kilonova_prior *prior, enum kilonova_band band, double days, double distance_mpc, double ebv_mag, double limit_mag);

/* The limit at which depth_detects_any reaches the wanted probability; NAN when the priors do not allow it. */
double depth_wanted_mag(const struct kilonova_prior *prior, enum kilonova_band band, double days, double distance_mpc, double ebv_mag, double wanted);
#endif

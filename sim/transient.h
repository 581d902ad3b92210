/* A made kilonova's light, and what a camera makes of it. Pure.
 *
 * Light: the sum of expanding photospheres heated by the r-process, as Villar et al. 2017 (ApJ 851, L21; arXiv:1710.11576, §3) fitted them
 * to AT 2017gfo: heating by Korobkin et al. 2012 (arXiv:1206.2379), thermalisation by Barnes et al. 2016 (arXiv:1605.07218, table 1),
 * diffusion by Arnett 1982, a black body whose temperature stops falling. Against the photometry of AT 2017gfo it is good to 0.5 mag in
 * g, r, i and z from half a day to four days, but 0.8 mag too faint in g in the first half day (tests/unit/transient.c): a search finds
 * rather too little. No afterglow, no dust, no angle of view.
 * Camera: the formula and numbers of the exposure time calculator of the facility, in its descriptor (instruments[].photometry). */
#ifndef SIM_TRANSIENT_H
#define SIM_TRANSIENT_H
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRANSIENT_PARTS 2

struct transient_part {
	double mass_msun, velocity_c, opacity_cm2_g, floor_k; /* ejecta; the temperature below which it does not fall */
};
struct transient {
	struct transient_part part[TRANSIENT_PARTS]; /* those without mass give no light */
	double distance_mpc;
};

/* AT 2017gfo's two components with their masses times these (1, 1: itself), at a luminosity distance. */
void transient_make(double blue, double red, double distance_mpc, struct transient *out);

/* AB magnitude so many days after the merger; INFINITY before it, and for a filter that is not known (U B V R I up gp rp ip zs Y w; g r i z). */
double transient_mag(const struct transient *t, double days, const char *filter);

struct transient_camera {
	double aperture_arcsec, pixel_arcsec, read_noise_e, dark_e_s; /* of the photometry: its diameter; each pixel */
	double zero_mag, extinction_mag; /* AB magnitude of 1 electron a second at the zenith; mag an airmass */
	double sky_mag[3];               /* mag a square arcsecond: without Moon, half, full */
};

/* Of one filter of an instrument of a descriptor; false when it has no photometry for it. */
bool transient_camera_of(const json_t *instrument, const char *filter, struct transient_camera *out);

/* Signal to noise of a point source. moon: illuminated part of a Moon that is up, 0 when it is down. */
double transient_signal_to_noise(const struct transient_camera *c, double mag, double exposure_s, double airmass, double moon);
/* The magnitude at which it is so much. */
double transient_limit(const struct transient_camera *c, double signal_to_noise, double exposure_s, double airmass, double moon);

#define TRANSIENT_DETECTED 5.0 /* signal to noise */

/* A detection in one frame. */
struct transient_seen {
	double days; /* since the merger */
	char filter[16];
	double mag, error_mag;
};

/* Days after which it stood out as a transient of this kind: two detections at least 30 minutes apart (no asteroid), and a colour (two
 * filters within 6 hours) or a fade (one filter, fainter by three times the error and by 0.1 mag). seen: by time. NAN: it did not. */
double transient_identified(const struct transient_seen *seen, size_t count);
#endif

/* A made-up universe: clustered galaxies with luminosities and stellar masses, an incomplete
 * catalogue of them, and a merger in one. Pure and seeded: the same seed gives the same sky.
 * Nothing of it reaches the engine but what a catalogue and an alert would tell. */
#ifndef SIM_SKY_H
#define SIM_SKY_H
#include "engine/base/err.h"
#include "engine/base/text.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One galaxy of the complete universe; the last five are what a catalogue would print. */
struct sim_galaxy {
	double ra_deg, dec_deg, distance_mpc; /* the truth */
	double abs_b_mag,
		log_mstar; /* truth: absolute B magnitude, log10 of stellar mass in Msun */
	int64_t id;
	char name[24];			   /* "SIM 012345-123456" */
	double listed_mpc, listed_err_mpc; /* distance as measured: error 10–20 % */
	float b_mag;
	bool listed; /* in the catalogue */
};

struct sim_sky {
	struct sim_galaxy *galaxy; /* owned; sorted by id */
	size_t count;
	double radius_mpc;
};

struct sim_sky_options {
	uint64_t seed;
	double radius_mpc;   /* 0: 160 */
	double density_mpc3; /* galaxies brighter than 0.1 L*; 0: 0.008 */
	double limit_b_mag; /* half of the galaxies of this B magnitude are listed; 0: 16.8; ≥ 99:
			       all are */
};

int sim_sky_make(const struct sim_sky_options *options, struct sim_sky *out, struct err *e);
void sim_sky_free(struct sim_sky *sky);

/* Draws a merger's host among ALL galaxies nearer than max_mpc (listed or not), with the chance of
 * each proportional to its stellar mass plus a share for young stars. Returns its index, or -1 when
 * there is none so near. */
int64_t sim_sky_host(const struct sim_sky *sky, uint64_t seed, const char *stream, double max_mpc);

/* The catalogue as CSV: ID,NAME,RA,DEC,DIST_MPC,DISTERR_MPC,B_MAG,LOGMSTAR; listed galaxies only.
 */
void sim_sky_csv(const struct sim_sky *sky, struct text *out);
#endif

/* A sky map with its galaxies as a picture: close up, or the whole sky where the map is too wide for that. Pure; over svg.h. */
#ifndef ENGINE_REPORT_SKY_H
#define ENGINE_REPORT_SKY_H
#include "engine/report/svg.h"

struct sky_galaxy {
	double ra_deg, dec_deg, share, distance_mpc;
	int64_t rank;              /* 0: none */
	const char *name, *fate, *colour; /* borrowed; colour as SVG writes it */
};

/* All borrowed. */
struct sky_close_up {
	const struct skymap *first, *last; /* blue and orange; the same one: blue only */
	const struct sky_galaxy *galaxies; /* best first */
	size_t count;
	int64_t named;                     /* ranks up to this get a label, where one fits */
	double host_ra_deg, host_dec_deg;  /* a star, "true host"; NaN: not known */
	bool whole_if_wide;                /* Mollweide when the 90 % region does not fit into 48 degrees */
};
/* Appends one <svg> element. */
void sky_close_up(const struct sky_close_up *c, struct text *out);

/* Density at the edge of the region that holds `level` of a map; 0 when it is not reached. */
double sky_threshold(const struct skymap *m, double level);

/* n points of the circle at an angle around a direction, closed. */
void sky_circle(const double axis[3], double angle_deg, double points[][3], size_t n);
#endif

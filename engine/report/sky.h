/* A sky map with what belongs to it as a picture: contours, galaxies, fields, Sun, Moon, the sky of each site; the whole sky (Mollweide), a
 * close-up (gnomonic), or both. Positions are ICRS. Pure; over svg.h and contour.h. */
#ifndef ENGINE_REPORT_SKY_H
#define ENGINE_REPORT_SKY_H
#include "engine/report/contour.h"
#include "engine/report/labels.h"
#include "engine/target/footprint.h"
#include "engine/target/visibility.h"

struct sky_galaxy {
	double ra_deg, dec_deg, share, distance_mpc;
	int64_t rank;              /* 0: none */
	const char *name, *fate, *colour; /* borrowed; colour as SVG writes it */
	double distance_err_mpc;          /* NaN: not known */
};

/* The footprint of a pointing, its corners in order. */
struct sky_field {
	const double (*corners)[2]; /* RA, Dec; degrees */
	size_t count;
	const char *name, *colour;  /* "" for none; NULL: black */
};
/* Corners of a camera's outline pointed at a place, a circle as a polygon; corners has room for FOOTPRINT_POINTS. Returns how many. */
size_t sky_corners(const struct footprint *f, double ra_deg, double dec_deg, double (*corners)[2]);

/* A time, and from where. */
struct sky_moment {
	int64_t utc_us;
	const struct visibility_site *sites;
	size_t count;
};

/* All borrowed. */
struct sky_close_up {
	const struct skymap *first, *last; /* blue and orange; the same one: blue only */
	const struct sky_galaxy *galaxies; /* best first */
	size_t count;
	int64_t named;                     /* ranks up to this get a label, where one fits */
	double host_ra_deg, host_dec_deg;  /* a star, "true host"; NaN: not known */
	bool whole_if_wide;                /* Mollweide when the 90 % region does not fit into 48 degrees */
	const struct sky_field *fields;
	size_t field_count;
	const struct sky_moment *moment;   /* NULL: no Sun, Moon, sites */
};
/* Appends one <svg> element of a page. */
void sky_close_up(const struct sky_close_up *c, struct text *out);

/* The whole sky, with a close-up below it where the 90 % region (or most of the probability) fits into one, and a legend: a file of its own. */
void sky_picture(const struct sky_close_up *c, const char *title, struct text *out);

/* A picture around the inner half of the maps: false when it would be wider than 48 degrees. */
bool sky_view(const struct skymap *first, const struct skymap *last, struct svg_sky *view);

/* A picture around the peak and what lies within 22 degrees of it: returns how much of the probability, in cells of the 90 % region, that is. */
double sky_view_peak(const struct skymap *m, struct svg_sky *view);

/* The galactic plane; with a moment Sun, Moon, and for each site the circle of airmass 2 (with two sites or fewer the horizon too) as it has them. */
void sky_moment(const struct svg_sky *s, const struct sky_moment *m, struct labels *l, struct text *out);

/* All layers into an open picture; without names the galaxies are small and not labelled. */
void sky_layers(const struct sky_close_up *c, const struct svg_sky *s, bool names, struct text *out);

/* n points of the circle of equal altitude over a site at a time, closed; ICRS (aberration of 20 arcsec is left out). */
void sky_altitude_circle(const struct ephemeris_site *site, int64_t utc_us, double alt_deg, double points[][3], size_t n);
#endif

/* Small SVG: projections of the sky, contours of a map, time axes, and how they look. Over struct text; pure. */
#ifndef ENGINE_REPORT_SVG_H
#define ENGINE_REPORT_SVG_H
#include "engine/base/text.h"
#include "engine/target/skymap.h"
#include <stdbool.h>

/* A picture of the sky: all of it (Mollweide), or a square around a point (gnomonic). East is left.
 */
struct svg_sky {
	bool all;
	double ra0_deg, dec0_deg;     /* centre; dec0 is 0 for the whole sky */
	double half_deg;	      /* close-up: centre to edge */
	double x0, y0, width, height; /* where in the picture */
};

/* Pixel of a position; false when it is not in the picture. */
bool svg_sky_xy(const struct svg_sky *s, double ra_deg, double dec_deg, double *x, double *y);
/* Position of a pixel; false outside the sky. */
bool svg_sky_radec(const struct svg_sky *s, double x, double y, double *ra_deg, double *dec_deg);

/* Grid lines with labels, and the frame. */
void svg_sky_grid(const struct svg_sky *s, struct text *out);
/* A great or small circle as a polyline from unit vectors; broken where it leaves the picture. */
void svg_sky_path(const struct svg_sky *s, const double (*points)[3], size_t n, const char *style,
	struct text *out);

/* Closed outlines of the region where the map is denser than `density`, as one SVG path with these
 * attributes. */
void svg_contour(const struct svg_sky *s, const struct skymap *m, double density,
	const char *attributes, struct text *out);

/* Density of a map at a position [sr⁻¹]; 0 where it has no cell. */
double svg_density(const struct skymap *m, double ra_deg, double dec_deg);

/* A time axis: x of a moment (clamped to the axis), and its hours as grid lines from top to bottom with labels below. */
struct svg_axis {
	int64_t from_us, to_us;
	double x0, width;
};
double svg_axis_x(const struct svg_axis *a, int64_t utc_us);
void svg_axis_hours(const struct svg_axis *a, double top, double bottom, struct text *out);

/* The looks of every picture, as CSS: a page that shows one includes it in its <style>. */
extern const char svg_style[];

/* Separation of two positions, degrees. */
double svg_separation_deg(double ra1_deg, double dec1_deg, double ra2_deg, double dec2_deg);
#endif

/* Small SVG: projections of the sky, time axes, and how they look. Over struct text; pure. */
#ifndef ENGINE_REPORT_SVG_H
#define ENGINE_REPORT_SVG_H
#include "engine/base/text.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A picture of the sky: all of it (Mollweide), or a square around a point (gnomonic): Calabretta & Greisen 2002, A&A 395, 1077, §5.3.3 and
 * §5.1.3. East is left. */
struct svg_sky {
	bool all;
	double ra0_deg, dec0_deg;     /* centre; dec0 is 0 for the whole sky */
	double half_deg;	      /* close-up: centre to edge */
	double x0, y0, width, height; /* where in the picture */
};

/* Pixel of a position; false when it is not in the picture. */
bool svg_sky_xy(const struct svg_sky *s, double ra_deg, double dec_deg, double *x, double *y);
/* The same, also up to three widths beside the frame: for what the frame cuts. */
bool svg_sky_project(const struct svg_sky *s, double ra_deg, double dec_deg, double *x, double *y);
/* Position of a pixel; false outside the sky. */
bool svg_sky_radec(const struct svg_sky *s, double x, double y, double *ra_deg, double *dec_deg);

/* Grid lines with labels in hours and degrees around it, and the frame (svg_grid.c). Right ascension grows to the left. */
void svg_sky_grid(const struct svg_sky *s, struct text *out);
/* A line through positions (degrees); broken where it goes round the back of the sky or far out of the picture: what crosses the frame is
 * for svg_sky_clip to cut. */
void svg_sky_line(const struct svg_sky *s, const double (*radec)[2], size_t n, const char *attributes, struct text *out);
/* The same through unit vectors. */
void svg_sky_path(const struct svg_sky *s, const double (*points)[3], size_t n, const char *style,
	struct text *out);
/* Opens a group that shows only what lies in the picture of the sky; close it with "</g>". */
void svg_sky_clip(const struct svg_sky *s, struct text *out);

/* A file of its own (with its looks, a white ground and the title in words: leave 34 px), or a part of a page that has svg_style. */
struct svg_picture {
	double width, height;
	const char *title;
	bool alone;
};
void svg_open(const struct svg_picture *p, struct text *out); /* close it with "</svg>" */
/* One line of text, escaped. */
void svg_words(double x, double y, const char *attributes, const char *words, struct text *out);

/* A time axis: x of a moment (clamped to the axis), and its hours as grid lines from top to bottom with labels below. */
struct svg_axis {
	int64_t from_us, to_us;
	double x0, width;
};
double svg_axis_x(const struct svg_axis *a, int64_t utc_us);
void svg_axis_hours(const struct svg_axis *a, double top, double bottom, struct text *out);

/* 1, 2 or 5 times a power of ten: about `count` of them up to `most`. */
double svg_tick_step(double most, int count);

/* The looks of every picture, as CSS: a page that shows one includes it in its <style>, and svg_style_page with it. The colours of marks are
 * those of Okabe and Ito (2008), which the colour-blind tell apart; what they say is also said by shape, dash or word. */
extern const char svg_style[], svg_style_page[];
#define SVG_COLOURS 7
extern const char *const svg_colours[SVG_COLOURS], *const svg_dashes[SVG_COLOURS]; /* of lines, first to last: both, for print */

/* Separation of two positions, degrees: by haversines (Sinnott 1984, Sky & Telescope 68, 159), good for small ones, too. */
double svg_separation_deg(double ra1_deg, double dec1_deg, double ra2_deg, double dec2_deg);
#endif

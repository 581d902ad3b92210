/* Credible regions of a sky map as closed outlines in a picture of the sky. Pure; deterministic. */
#ifndef ENGINE_REPORT_CONTOUR_H
#define ENGINE_REPORT_CONTOUR_H
#include "engine/report/svg.h"
#include "engine/target/skymap.h"

struct contour {
	double level;           /* 0.9: the smallest region that holds 90 % */
	const char *attributes; /* of the path */
};

/* Draws the outlines (one path each, even-odd) and returns how many of them show anything: a region that lies outside the picture, or is
 * smaller than its grid, gives an empty path. The map is looked up once a pixel. Cells wider than that are smoothed over half their
 * width, and the level is then moved so that the outline holds as much of the map as the cells themselves within this picture. What the
 * picture's edge cuts is closed outside it: draw between svg_sky_clip and "</g>". */
size_t contour_draw(const struct svg_sky *s, const struct skymap *m, const struct contour *list, size_t count, struct text *out);

/* The cell of a map that holds a position; -1 where there is none. */
int64_t contour_cell(const struct skymap *m, double ra_deg, double dec_deg);
#endif

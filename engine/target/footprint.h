/* The field of a camera on the sky: its outline, its chips and the gaps between them, pointed at a place with a position angle.
 *
 * Everything is done in the tangent plane of the pointing (gnomonic: Calabretta & Greisen 2002, A&A 395 1077, §5.1.3), where great circles are
 * straight lines, with unit vectors: no pole and no right ascension is special. ξ is east, η is north, in units of the plane (tan of an angle).
 * Descriptor, member "footprint" of an instrument:
 *   {"name": "sinistro", "shape": "rectangle", "width_arcmin": 26.5, "height_arcmin": 26.5}      width: east-west at rotation 0
 *   {"shape": "circle", "radius_arcmin": 60}
 *   {"shape": "polygon", "points_arcmin": [[x east, y north], …]}                                  3 to 64 corners in order
 *   {"shape": "mosaic", "chip_arcmin": [w, h], "gap_arcmin": [x, y], "rows": [3, 4, …],            rows of chips from north to south, each
 *     "dead": [[row, chip], …]}                                                              centred; dead ones counted from 1, from the east
 * and for each "rotation_deg": position angle of its up direction, from north through east.
 * The outline of a mosaic is the convex hull of its live chips. */
#ifndef ENGINE_TARGET_FOOTPRINT_H
#define ENGINE_TARGET_FOOTPRINT_H
#include "engine/base/err.h"
#include "engine/target/moc.h"
#include <jansson.h>
#include <stdbool.h>

#define FOOTPRINT_POINTS 64
#define FOOTPRINT_CHIPS 128
#define FOOTPRINT_REACH_DEG 20 /* no camera's field reaches further from its centre */

struct footprint_point {
	double x, y; /* tangent plane; x east, y north */
};

struct footprint {
	char name[64];
	double radius_rad;                        /* > 0: a circle */
	int points, chips;                        /* chips 0: the outline is the field */
	struct footprint_point outline[FOOTPRINT_POINTS];     /* counter-clockwise seen with x to the right, rotated; of a circle: none */
	struct footprint_point chip[FOOTPRINT_CHIPS][4];
	double reach_rad;                         /* nothing of it is further from the centre */
	double inner_rad;                         /* largest circle about the centre within the outline */
	double chip_box[FOOTPRINT_CHIPS][4];      /* least x, most x, least y, most y along its own axes before rotation; plane */
	bool convex;                              /* the outline turns left at every corner: the next then says where inside is */
	double edge[FOOTPRINT_POINTS][3];         /* unit normals of the great circles of its edges, inwards, in (east, north, centre) */
	double whole_rad;                         /* no larger circle lies whole on one chip */
	double half_x, half_y;                    /* of the box about the outline, along its own axes before rotation; plane */
	double cos_pa, sin_pa;
	double area_deg2;                         /* of the chips, or within the outline */
};

/* From JSON of the form above; of an instrument without "footprint", from its "fov_arcmin" (a rectangle). ERR_INPUT names the member. */
int footprint_read(const json_t *shape, struct footprint *out, struct err *e);
/* Turns it by an angle more, from north through east. */
void footprint_turn(struct footprint *f, double by_deg);
int footprint_of_instrument(const json_t *instrument, struct footprint *out, struct err *e);
/* Known without a descriptor: "muscat" (MuSCAT3 and 4: 9.1′ square; Narita et al. 2020, Proc. SPIE 11447, 114475K).
 * Of an instrument for images in a list of descriptors, by words of the user: "decam" (the footprint's name), "lco:1M0-SCICAM-SINISTRO"
 * (facility:instrument), "lco" (its first), or a shape of its own: "26.5x26.5" (arcmin), "r60" (a circle). ERR_INPUT lists the names. */
const json_t *footprint_instrument(const json_t *const *descriptors, size_t count, const char *words); /* NULL: none answers */
int footprint_find(const json_t *const *descriptors, size_t count, const char *words, struct footprint *out, struct err *e);

/* A footprint on the sky: unit vectors of the centre, its east and its north. */
struct footprint_at {
	const struct footprint *shape;
	double centre[3], east[3], north[3];
};
void footprint_point_at(const struct footprint *f, double ra_deg, double dec_deg, struct footprint_at *out);
void footprint_vector(double ra_deg, double dec_deg, double out[3]);

/* Place in the tangent plane; false behind it. */
bool footprint_plane(const struct footprint_at *at, const double v[3], struct footprint_point *out);
/* Back: unit vector, and ICRS degrees, of a place in the plane. */
void footprint_sky(const struct footprint_at *at, struct footprint_point p, double *ra_deg, double *dec_deg);
/* Is a position on a chip? In a gap it is not. */
bool footprint_holds(const struct footprint_at *at, const double v[3]);
/* Is the position on a chip, and the whole circle about it within the outline? Exact: edges are great circles. */
bool footprint_holds_circle(const struct footprint_at *at, const double v[3], double radius_rad);

/* Cells of an order whose centres it holds, in growing order of pixels; parents are given where all of it lies on one chip. take as in
 * moc_cells. */
int footprint_cells(const struct footprint_at *at, int order, int (*take)(void *ctx, int order, uint64_t ipix), void *ctx);
/* Adds these cells to a coverage (not finished). */
int footprint_moc(const struct footprint_at *at, int order, struct moc *m, struct err *e);
#endif

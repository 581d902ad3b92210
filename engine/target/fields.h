/* Fields: a ranked list of galaxies and a sky map → pointings of one camera, so chosen that few hold much.
 *
 * What a field is worth is the probability that it adds: of the galaxies that it holds and that no earlier one does, and of the sky on its
 * chips (the map's probability that no galaxy of the catalogue explains), each part of the sky once. A galaxy is held when the circle of 50 kpc
 * about it lies within the camera's outline and its centre on a chip. The circle's angle is 50 kpc at d/(1+z)², z = d H0/c; it is never more
 * than 0.9 of the largest circle about the frame's centre (a galaxy too near for the frame is held when the frame is all but centred on it), and
 * 1′ where the distance is unknown.
 *
 * Choice: lazy greedy maximum coverage (Nemhauser, Wolsey & Fisher 1978, Math. Prog. 14 265: ≥ 1 − 1/e of the best of these candidates; lazy:
 * Minoux 1978). Candidates: about every galaxy the placement of the frame with that galaxy at its limit which holds most (for a rectangle in the
 * plane the best there is), the frame centred on it, a grid of the whole sky that depends on nothing but the frame, and the pointings of before.
 * What is taken is first moved about a little as long as it then holds more of the sky. For so many fields never worse than centring them on galaxies: both are done and the better is taken. Ties: the earlier candidate. */
#ifndef ENGINE_TARGET_FIELDS_H
#define ENGINE_TARGET_FIELDS_H
#include "engine/base/err.h"
#include "engine/target/footprint.h"
#include "engine/target/skymap.h"
#include <stdbool.h>
#include <stddef.h>

#define FIELDS_GALAXY_KPC 50.0
#define FIELDS_REUSE 0.9   /* a pointing of before is taken again if it adds so much of what the best new one would */
#define FIELDS_TILES 8192  /* grid points that are looked at: the densest */

struct fields_galaxy {
	double ra_deg, dec_deg, distance_mpc; /* NaN: unknown */
	double probability;                   /* or any weight in the unit of the map's probability; ≥ 0 */
};

/* A pointing of an earlier choice. */
struct fields_old {
	double ra_deg, dec_deg;
	bool asked; /* a telescope has it already: it stays, first of all, if it holds anything still */
};

struct fields_task {
	const struct footprint *footprint;
	const struct fields_galaxy *galaxy;
	size_t galaxies;
	const struct skymap *map;   /* NULL: only galaxies count */
	const double *missing;      /* per cell of the map: probability that no galaxy explains; NULL: none, the map only tells the region */
	const struct fields_old *old;
	size_t olds;
	size_t top;                 /* at most so many fields beside those that were asked */
	double probability;         /* stop when so much is held; > 1 or NaN: never */
	double level;               /* one centred pointing if it holds so much of the map; 0 or NaN: never */
};

enum fields_kind { FIELD_CENTRED, FIELD_PACKED, FIELD_TILE, FIELD_KEPT };
const char *fields_kind_name(enum fields_kind k); /* "region" "packed" "tile" "kept" */

struct field {
	double ra_deg, dec_deg;
	enum fields_kind kind;
	double probability, cumulative; /* what it adds; with all before it in the list */
	double galaxies, sky;           /* the two parts of what it adds */
	size_t first, count;            /* in fields.member: every galaxy that it holds */
};

struct fields {
	struct field *list;             /* by what they add, most first */
	size_t count, members;
	size_t *member;                 /* numbers of galaxies, in their own order within a field */
	int *in;                        /* per galaxy: the first field that holds it, −1: none */
	double total;                   /* of all galaxies and all that is missing */
};

/* Pure, deterministic. fields_free gives all back. */
int fields_choose(const struct fields_task *t, struct fields *out, struct err *e);
void fields_free(struct fields *f);

/* Angle of the circle that a frame must hold about a galaxy. */
double fields_circle_rad(const struct footprint *f, double distance_mpc);
/* Order at which what fields cover is written: about 50,000 cells a frame. */
int fields_coverage_order(const struct footprint *f);
#endif

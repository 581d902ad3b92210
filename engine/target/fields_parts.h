/* Parts of the choice of fields (fields.h); only fields*.c use it. */
#ifndef ENGINE_TARGET_FIELDS_PARTS_H
#define ENGINE_TARGET_FIELDS_PARTS_H
#include "engine/target/fields.h"

/* A galaxy as the choice sees it. */
struct fields_star {
	double v[3], circle, weight; /* circle: radius in rad that must be held */
	int field;                   /* that holds it, −1 */
};

struct fields_spot {
	double ra_deg, dec_deg, gain, galaxies, sky;
	enum fields_kind kind;
	int seed;        /* a placement about this galaxy; −1: a fixed place */
	bool stale, gone, preferred;
};

/* One end of the stretch of places along one axis at which a frame holds a galaxy. */
struct fields_end {
	double at, weight;
};

/* Cells of the sky that are held already: a set by hashing. */
struct fields_covered {
	int order;
	uint64_t *slot;        /* pixel + 1, 0: free */
	size_t count, cap;
};

struct fields_work {
	const struct fields_task *task;
	struct fields_star *star;
	size_t stars;
	struct fields_spot *spot;
	size_t spots;
	/* Places are compared by coarse cells. Of many places the one that is taken has more of their centres on its chips than its area should have
	 * (a tenth more for a mosaic with gaps), so what it holds is counted again, in cells an eighth as wide for which nothing was chosen. */
	struct fields_covered search, count;
	/* room of the placements */
	double (*plane)[4];    /* u, v, limit in u, limit in v; per star */
	size_t *near;
	struct fields_end *end;
};

/* What a pointing adds now; into spot. With `take` not −1 its galaxies and cells are marked as held by that field. */
int fields_gain(struct fields_work *w, struct fields_spot *s, int take, struct err *e);
/* Galaxies only: the cheap part. */
double fields_gain_galaxies(const struct fields_work *w, double ra_deg, double dec_deg);

/* The best placement about the seed galaxy among what is not held yet: sets ra_deg, dec_deg. Never worse than centred on it. */
void fields_place(struct fields_work *w, struct fields_spot *s);

/* A work that nothing was taken in yet: no galaxies, no candidates. */
struct fields_work fields_work_of(const struct fields_task *t);
/* The part of the sky that is missing on the chips and not covered. With take it is marked, and counted by the finer cells. */
int fields_sky(struct fields_work *w, const struct footprint_at *at, bool take, double *sum, struct err *e);
/* By the finer cells, nothing marked. */
int fields_sky_count(struct fields_work *w, const struct footprint_at *at, double *sum, struct err *e);
int fields_order(const struct footprint *f);
/* The cell of the map that holds a pixel of order 29, or the first one behind it. */
int64_t fields_cell(const struct skymap *m, uint64_t ipix29);
/* Grid points where something is missing, the densest FIELDS_TILES: appended to *spots (malloc'd). */
int fields_tiles(const struct fields_task *t, struct fields_spot **spots, size_t *count, struct err *e);
/* Centre of mass of the region of that level, and how much of the map a pointing there holds. */
int fields_region(const struct fields_task *t, double *ra_deg, double *dec_deg, double *held, struct err *e);
#endif

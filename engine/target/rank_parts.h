/* What the two passes of the ranking share (rank.c: the best rows; rank_total.c: the sum over all): one row's score, one cell's rows and bound. */
#ifndef ENGINE_TARGET_RANK_PARTS_H
#define ENGINE_TARGET_RANK_PARTS_H
#include "engine/target/rank.h"
#include "engine/target/weight.h"
#include <math.h>
#include <string.h>

#define RANK_SQRT_2PI 2.50662827463100050242

/* What is read and what is asked. Constant during the passes but for `bound`. */
struct rank_scan {
	const struct skymap *map;
	const struct catalog *catalog;
	const struct rank_options *options;
	const struct weight *by;        /* options->by; NULL: the weight of the column as it stands */
	enum catalog_column column;     /* of the weight; CATALOG_COLUMN_COUNT: not one of the catalogue */
	bool filled;                    /* rows without a weight get the mean of their distance, which is in … */
	double fill_least, fill_most;   /* … this range; least 0: not at every distance */
	double summit;                  /* most that the prior on distance of `by` adds as a factor; 1 without */
	float *bound;                   /* one a cell of the map: no row in it scores higher */
};

/* The rows first ≤ row < end. */
struct rank_range {
	int64_t first, end;
};

enum rank_row { RANK_ROW_NO_DISTANCE, RANK_ROW_NO_WEIGHT, RANK_ROW_ZERO, RANK_ROW_SCORED };

/* e^x for x ≤ 0, to 2 units of the last place, gradually down to 0: only multiplications, additions and shifts, so that a compiler may do it
 * for many rows at once and the bits are the same one by one. x = n ln 2 + r, |r| ≤ 0.35; Taylor's polynomial of r; 2^n in two factors, each
 * of which is an ordinary number. NaN gives NaN. */
static inline double rank_exp(double x)
{
	const double shift = 0x1.8p52; /* adding it rounds to an integer, which then stands in the low bits */
	double least = x < -1000 ? -1000 : x, k = least * 1.44269504088896340736 + shift, n = k - shift;
	double r = (least - n * 0x1.62e42fefa3800p-1) - n * 0x1.ef35793c76730p-45;
	double r2 = r * r, r4 = r2 * r2;
	double low = (1 + r) + r2 * (1 / 2.0 + r * (1 / 6.0));
	double mid = (1 / 24.0 + r * (1 / 120.0)) + r2 * (1 / 720.0 + r * (1 / 5040.0));
	double high = (1 / 40320.0 + r * (1 / 362880.0)) + r2 * (1 / 3628800.0 + r * (1 / 39916800.0)) + r4 * (1 / 479001600.0 + r * (1 / 6227020800.0));
	uint64_t bits, whole, half, rest;
	double p = low + r4 * (mid + r4 * high), first, second;
	memcpy(&bits, &k, 8);
	whole = (bits & 0xFFFFFFFFFFFF) + 2046; /* n + 2 biases; n ≥ -1443 stands as 2^48 + n */
	whole &= 0xFFF;
	half = whole >> 1;
	rest = whole - half;
	half <<= 52;
	rest <<= 52;
	memcpy(&first, &half, 8);
	memcpy(&second, &rest, 8);
	return p * first * second;
}

/* factor · N(d; μ, √s2) where factor holds 1/√(2π): the one place where a score is made. */
static inline double rank_gauss(double factor, double off, double s2)
{
	double inverse = 1 / s2;
	return factor * sqrt(inverse) * rank_exp(-0.5 * (off * off * inverse));
}
static inline double rank_factor(const struct skymap *m, int64_t cell)
{
	return m->density[cell] * m->norm[cell] / RANK_SQRT_2PI;
}

/* Density of the cell at its best distance: what a row of weight 1 can score at most. */
double rank_cell_peak(const struct skymap *m, int64_t cell);

/* Rows of a cell, by the catalogue's index. */
struct rank_range rank_cell_rows(const struct catalog *c, uint64_t uniq);

/* Fills row, weight, dP/dV and score. */
enum rank_row rank_row_score(const struct rank_scan *s, int64_t cell, int64_t row, struct ranked *r);

/* Sum and counts over all rows. best: the highest score of any row, 0 when there is none. */
void rank_total(const struct rank_scan *s, double best, struct ranking *out);

/* Rows of cells without probability, or without a distance, are not looked at. */
static inline bool rank_cell_in(const struct skymap *m, int64_t cell)
{
	return m->density[cell] > 0 && (m->norm == NULL || m->norm[cell] > 0);
}
static inline uint64_t rank_cell_end(uint64_t uniq)
{
	return skymap_first(uniq) + (UINT64_C(1) << (2 * (29 - skymap_order(uniq))));
}
#endif

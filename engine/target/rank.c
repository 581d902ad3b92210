/* The best rows, without looking at the others (rank.h). Every cell of the map has a bound: its density at its best distance, times the largest
 * weight that the catalogue's index knows of its rows; an error of distance only widens and so lowers. Cells are taken in rounds by falling
 * bound, a histogram of bounds telling how far down a round goes; once the list is full, what cannot reach its last place is skipped:
 * cells by their bound, rows by how many σ they are away. Nothing is sorted but the list. */
#include "engine/target/rank_parts.h"
#include <stdlib.h>
#include <string.h>

#define ROUNDING (1 + 1e-9)   /* more than the arithmetic of a score can err */
#define KEYS 32768            /* bounds by sign-less exponent and 7 bits of a float32 */

double rank_dpdv(const struct skymap *m, int64_t cell, double d, double err)
{
	if (m->norm == NULL || m->norm[cell] <= 0)
		return 0;
	double sigma2 = m->sigma[cell] * m->sigma[cell];
	return rank_gauss(rank_factor(m, cell), d - m->mu[cell], err > 0 ? sigma2 + err * err : sigma2);
}

/* ---- one row, one cell ---- */

enum rank_row rank_row_score(const struct rank_scan *s, int64_t cell, int64_t row, struct ranked *r)
{
	const struct catalog *c = s->catalog;
	const struct rank_options *o = s->options;
	bool is_3d = s->map->norm != NULL;
	double d = is_3d || s->by != NULL ? catalog_distance_mpc(c, row) : NAN;
	double err = o->distance_error ? (double)catalog_distance_err_mpc(c, row) : 0;
	r->row = row;
	if (is_3d && !(d > 0))
		return RANK_ROW_NO_DISTANCE;
	r->weight = s->column != CATALOG_COLUMN_COUNT ? (double)catalog_weight(c, s->column, row) : 1;
	r->weight_is_mean = false;
	if (s->by != NULL)
		r->weight = weight_row(s->by, c, row, d, err, &r->weight_is_mean);
	else if (!(r->weight > 0))
		r->weight = NAN;
	if (!(r->weight > 0))
		return r->weight_is_mean || !(r->weight >= 0) ? RANK_ROW_NO_WEIGHT : RANK_ROW_ZERO;
	r->dpdv_per_mpc3 = is_3d ? rank_dpdv(s->map, cell, d, err) : NAN;
	r->score = (is_3d ? r->dpdv_per_mpc3 : s->map->density[cell]) * r->weight;
	return r->score > 0 && isfinite(r->score) ? RANK_ROW_SCORED : RANK_ROW_ZERO;
}

double rank_cell_peak(const struct skymap *m, int64_t cell)
{
	if (!rank_cell_in(m, cell))
		return 0;
	return m->norm != NULL ? m->density[cell] * m->norm[cell] / (RANK_SQRT_2PI * m->sigma[cell]) : m->density[cell];
}

/* First row at or behind a pixel; the column of pixels lies denser than the rows do. */
static int64_t row_find(const struct catalog *c, uint64_t ipix29)
{
	uint64_t cell = ipix29 >> (2 * (29 - CATALOG_CELL_ORDER));
	if (cell >= CATALOG_CELLS)
		return c->count;
	uint32_t pix = catalog_pix23(ipix29);
	int64_t low = catalog_cell_first(c, (int64_t)cell), high = pix == 0 ? low : catalog_cell_end(c, (int64_t)cell);
	while (low < high) {
		int64_t mid = low + (high - low) / 2;
		if (bytes_u32(c->column[CATALOG_COLUMN_PIX] + 4 * mid) < pix)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct rank_range rank_cell_rows(const struct catalog *c, uint64_t uniq)
{
	uint64_t first = skymap_first(uniq), end = rank_cell_end(uniq);
	if (skymap_order(uniq) > CATALOG_PIX_ORDER)
		return (struct rank_range){catalog_find(c, first), catalog_find(c, end)};
	return (struct rank_range){row_find(c, first), row_find(c, end)};
}

/* ---- the list ---- */

struct kept {
	struct ranked *heap; /* worst on top */
	size_t count, cap, max;
	const struct catalog *catalog;
};

static int64_t id_of(const struct catalog *c, int64_t row)
{
	return (int64_t)bytes_u64(c->rows + (size_t)row * CATALOG_ROW_BYTES + 48);
}

/* true when a stands before b in the list. */
static bool before(const struct catalog *c, const struct ranked *a, const struct ranked *b)
{
	if (a->score != b->score)
		return a->score > b->score;
	int64_t ida = id_of(c, a->row), idb = id_of(c, b->row);
	return ida != idb ? ida < idb : a->row < b->row;
}

static void sink(struct kept *k, size_t at, size_t count)
{
	for (;;) {
		size_t worst = at, child = 2 * at + 1;
		for (size_t i = child; i < child + 2 && i < count; i++)
			if (before(k->catalog, &k->heap[worst], &k->heap[i]))
				worst = i;
		if (worst == at)
			return;
		struct ranked swap = k->heap[at];
		k->heap[at] = k->heap[worst];
		k->heap[worst] = swap;
		at = worst;
	}
}

static void rise(struct kept *k, size_t at)
{
	while (at > 0 && before(k->catalog, &k->heap[(at - 1) / 2], &k->heap[at])) {
		struct ranked swap = k->heap[at];
		k->heap[at] = k->heap[(at - 1) / 2];
		k->heap[(at - 1) / 2] = swap;
		at = (at - 1) / 2;
	}
}

static int keep(struct kept *k, const struct ranked *r, struct err *e)
{
	if (k->count == k->max) {
		if (r->score >= k->heap[0].score && before(k->catalog, r, &k->heap[0])) {
			k->heap[0] = *r;
			sink(k, 0, k->count);
		}
		return 0;
	}
	if (k->count == k->cap) {
		size_t cap = k->cap ? k->cap * 2 : 1024;
		struct ranked *heap = realloc(k->heap, cap * sizeof *heap);
		if (heap == NULL)
			return err_set(e, ERR_MEMORY, "no memory for %zu ranked galaxies", cap);
		k->heap = heap;
		k->cap = cap;
	}
	k->heap[k->count] = *r;
	rise(k, k->count++);
	return 0;
}

/* Heap → list, best first. */
static void unheap(struct kept *k)
{
	for (size_t n = k->count; n > 1; n--) {
		struct ranked swap = k->heap[0];
		k->heap[0] = k->heap[n - 1];
		k->heap[n - 1] = swap;
		sink(k, 0, n - 1);
	}
}

/* What a row must reach to be kept: 0 while there is room. */
static double bar(const struct kept *k)
{
	return k->count == k->max ? k->heap[0].score : 0;
}

/* ---- cells by their bound ---- */

/* Largest weight in a cell of the catalogue's index, the mean that stands in for a missing one included. */
static double cell_weight(const struct rank_scan *s, int64_t cell)
{
	if (s->column == CATALOG_COLUMN_COUNT)
		return s->filled ? weight_bound(s->by, s->catalog, cell) : s->summit;
	double most = (double)catalog_cell_most(s->catalog, s->column, cell);
	return (most > s->fill_most ? most : s->fill_most) * s->summit;
}

/* Without weights all cells of the index are alike. */
static bool cells_alike(const struct rank_scan *s)
{
	return s->column == CATALOG_COLUMN_COUNT && !s->filled;
}

/* Cells of the index that a cell of the map lies over, or in. */
static struct rank_range index_cells(uint64_t uniq)
{
	int shift = 2 * (29 - CATALOG_CELL_ORDER);
	return (struct rank_range){(int64_t)(skymap_first(uniq) >> shift), (int64_t)((rank_cell_end(uniq) - 1) >> shift) + 1};
}

static uint32_t key_of(float bound)
{
	uint32_t bits;
	memcpy(&bits, &bound, 4);
	return bits >> 16;
}

/* Bounds of all cells, and how much sky stands under each key (in pixels of order 29, as a number). */
static void bounds_fill(const struct rank_scan *s, double *sky)
{
	const struct skymap *m = s->map;
	for (int64_t i = 0; i < m->cells; i++) {
		double peak = rank_cell_peak(m, i) * ROUNDING, most = 0;
		struct rank_range in = index_cells(m->uniq[i]);
		for (int64_t cell = in.first; peak > 0 && cell < in.end && !(most > 0 && cells_alike(s)); cell++) {
			double weight = cell_weight(s, cell);
			most = weight > most ? weight : most;
		}
		float bound = (float)(peak * most);
		s->bound[i] = (double)bound < peak * most ? nextafterf(bound, INFINITY) : bound;
		if (s->bound[i] > 0)
			sky[key_of(s->bound[i])] += (double)(rank_cell_end(m->uniq[i]) - skymap_first(m->uniq[i]));
	}
}

/* How far down the next round goes: until the rows to expect there are as many as asked for. */
static uint32_t round_low(const double *sky, uint32_t high, double rows_per_pixel, double rows)
{
	double expected = 0;
	uint32_t low = high;
	while (low > 0 && expected < rows)
		expected += sky[--low] * rows_per_pixel;
	return low;
}

/* Rows of one cell: those too light, or too many σ away, to reach the bar need no exponential. */
static int rows_take(const struct rank_scan *s, struct kept *k, int64_t cell, struct rank_range rows, double bound, struct err *e)
{
	const struct skymap *m = s->map;
	double sigma2 = 0, far = INFINITY; /* of (d - μ)²/σ² */
	double light = s->column != CATALOG_COLUMN_COUNT && s->by == NULL ? bar(k) / (rank_cell_peak(m, cell) * ROUNDING) / ROUNDING : 0;
	if (m->norm != NULL && bar(k) > 0 && m->sigma[cell] > 1e-100 && m->sigma[cell] < 1e100 && isfinite(bound)) {
		sigma2 = m->sigma[cell] * m->sigma[cell];
		far = 2 * log(bound / bar(k)) * ROUNDING + 1e-6;
	}
	for (int64_t row = rows.first; row < rows.end; row++) {
		struct ranked r = {0};
		if (light > 0 && (double)catalog_weight(s->catalog, s->column, row) < light)
			continue;
		if (isfinite(far)) {
			double off = catalog_distance_mpc(s->catalog, row) - m->mu[cell];
			double err = s->options->distance_error ? (double)catalog_distance_err_mpc(s->catalog, row) : 0;
			if (off * off > far * (sigma2 + err * err))
				continue;
		}
		if (rank_row_score(s, cell, row, &r) == RANK_ROW_SCORED && keep(k, &r, e) < 0)
			return -1;
	}
	return 0;
}

/* One cell of the map. Under a coarse one, cells of the index are taken each by its own largest weight. */
static int cell_take(const struct rank_scan *s, struct kept *k, int64_t cell, struct err *e)
{
	uint64_t uniq = s->map->uniq[cell];
	if (cells_alike(s) || skymap_order(uniq) >= CATALOG_CELL_ORDER)
		return rows_take(s, k, cell, rank_cell_rows(s->catalog, uniq), (double)s->bound[cell], e);
	struct rank_range in = index_cells(uniq);
	double peak = rank_cell_peak(s->map, cell) * ROUNDING;
	for (int64_t i = in.first; i < in.end; i++) {
		struct rank_range rows = {catalog_cell_first(s->catalog, i), catalog_cell_end(s->catalog, i)};
		double bound = peak * cell_weight(s, i) * ROUNDING;
		if (bound >= bar(k) && rows_take(s, k, cell, rows, bound, e) < 0)
			return -1;
	}
	return 0;
}

static int list_take(const struct rank_scan *s, struct kept *k, const double *sky, struct err *e)
{
	double per_pixel = (double)s->catalog->count / (12.0 * (double)(UINT64_C(1) << 58)), rows = 4096 + 2 * (double)k->max;
	for (uint32_t high = KEYS; high > 0; rows *= 3) {
		if (key_of((float)(bar(k) / ROUNDING)) >= high)
			return 0;
		uint32_t low = round_low(sky, high, per_pixel, rows);
		for (int64_t i = 0; i < s->map->cells; i++) {
			uint32_t key = key_of(s->bound[i]);
			if (key >= low && key < high && s->bound[i] > 0 && (double)s->bound[i] >= bar(k) && cell_take(s, k, i, e) < 0)
				return -1;
		}
		high = low;
	}
	return 0;
}

/* ---- the whole ---- */

static void shares(struct ranking *r, double probability)
{
	double sum = 0;
	for (size_t i = 0; i < r->count; i++) {
		r->list[i].share = r->list[i].score / r->total;
		sum += r->list[i].share;
		r->list[i].cumulative_share = sum;
		if (isfinite(probability) && sum >= probability)
			r->count = i + 1;
	}
}

static void scan_init(struct rank_scan *s)
{
	static const enum catalog_column of_option[] = {CATALOG_COLUMN_COUNT, CATALOG_COLUMN_LUM, CATALOG_COLUMN_MASS};
	static const enum catalog_column of_kind[] = {CATALOG_COLUMN_COUNT, CATALOG_COLUMN_LUM, CATALOG_COLUMN_MASS, CATALOG_COLUMN_COUNT};
	s->by = s->options->by;
	s->column = s->by != NULL ? of_kind[s->by->kind] : of_option[s->options->weight];
	s->filled = s->by != NULL && s->by->kind != WEIGHT_NONE;
	s->summit = 1;
	if (s->by == NULL)
		return;
	struct weight plain = *s->by; /* weights of 1: what is left is the prior */
	plain.kind = WEIGHT_NONE;
	s->summit = weight_bound(&plain, s->catalog, 0);
	s->fill_least = INFINITY;
	for (int i = 0; s->filled && i < CENSUS_SHELLS; i++) {
		s->fill_least = s->by->fill[i] > 0 ? fmin(s->fill_least, s->by->fill[i]) : 0;
		s->fill_most = s->by->fill[i] > s->fill_most ? s->by->fill[i] : s->fill_most;
	}
}

int rank_galaxies(const struct skymap *m, const struct catalog *c, const struct rank_options *o, struct ranking *out, struct err *e)
{
	struct kept kept = {.max = o->top > 0 ? (size_t)o->top : SIZE_MAX, .catalog = c};
	struct rank_scan s = {.map = m, .catalog = c, .options = o, .bound = malloc((size_t)m->cells * sizeof *s.bound)};
	double *sky = calloc(KEYS, sizeof *sky);
	*out = (struct ranking){.is_3d = m->norm != NULL};
	if (s.bound == NULL || sky == NULL) {
		free(s.bound);
		free(sky);
		return err_set(e, ERR_MEMORY, "no memory to rank the cells of a map");
	}
	scan_init(&s);
	bounds_fill(&s, sky);
	int rc = list_take(&s, &kept, sky, e);
	free(sky);
	if (rc == 0) {
		unheap(&kept);
		out->list = kept.heap;
		out->count = kept.count;
		if (!o->list_only)
			rank_total(&s, out->count > 0 ? out->list[0].score : 0, out);
	} else {
		free(kept.heap);
	}
	free(s.bound);
	if (rc == 0 && !o->list_only) {
		shares(out, o->probability);
	} else if (rc == 0) {
		out->considered = out->without_distance = out->without_weight = out->mean_weight = -1;
		out->total = out->total_rate = out->total_square = NAN;
		for (size_t i = 0; i < out->count; i++)
			out->list[i].share = out->list[i].cumulative_share = NAN;
	}
	return rc;
}

void rank_free(struct ranking *r)
{
	free(r->list);
	*r = (struct ranking){0};
}

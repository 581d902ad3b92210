/* One pass over map and catalogue, both sorted along the NESTED curve; a heap keeps the best (rank.h). The share needs the score of every
 * row, so no row under a cell with probability is skipped; cells without any are jumped over by the catalogue's index. */
#include "engine/target/rank.h"
#include "engine/target/weight.h"
#include <math.h>
#include <stdlib.h>

#define SQRT_2PI 2.50662827463100050242

double rank_dpdv(const struct skymap *m, int64_t cell, double d, double err)
{
	if (m->norm == NULL || m->norm[cell] <= 0)
		return 0;
	double sigma = m->sigma[cell];
	if (err > 0)
		sigma = sqrt(sigma * sigma + err * err);
	double z = (d - m->mu[cell]) / sigma;
	return m->density[cell] * m->norm[cell] / (SQRT_2PI * sigma) * exp(-0.5 * z * z);
}

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
		if (k->max > 0 && r->score >= k->heap[0].score && before(k->catalog, r, &k->heap[0])) {
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

double rank_mean_weight(const struct rank_mean *mean, double distance_mpc)
{
	if (!(distance_mpc > 0) || mean->count < 1)
		return 0;
	double bin = distance_mpc / mean->step_mpc;
	return mean->weight[bin < (double)mean->count ? (int64_t)bin : mean->count - 1];
}

/* One pass: what is read, what is asked, what comes out; row is the next one of the catalogue. */
struct pass {
	const struct skymap *map;
	const struct catalog *catalog;
	const struct rank_options *options;
	struct ranking *out;
	struct kept kept;
	int64_t row;
};

/* Scores one row; false when it is not considered. */
static bool row_score(const struct pass *p, int64_t cell, struct ranked *r)
{
	const struct catalog *c = p->catalog;
	const struct rank_options *o = p->options;
	struct ranking *out = p->out;
	double d = catalog_distance_mpc(c, r->row), err = 0;
	if (out->is_3d && !(d > 0)) {
		out->without_distance++;
		return false;
	}
	if (o->distance_error) {
		float given = catalog_distance_err_mpc(c, r->row);
		err = given > 0 && isfinite(given) ? (double)given : 0;
	}
	r->weight = 1;
	if (o->by != NULL)
		r->weight = weight_row(o->by, c, r->row, d, err, &r->weight_is_mean);
	else if (o->weight != RANK_NONE)
		r->weight = (double)catalog_weight(c, o->weight == RANK_LUMINOSITY ? CATALOG_COLUMN_LUM : CATALOG_COLUMN_MASS, r->row);
	if (o->by == NULL && !(r->weight > 0)) {
		r->weight_is_mean = true;
		r->weight = o->mean != NULL ? rank_mean_weight(o->mean, d) : 0;
	}
	out->without_weight += r->weight_is_mean || !(r->weight >= 0);
	if (!(r->weight > 0))
		return false;
	out->mean_weight += r->weight_is_mean;
	r->dpdv_per_mpc3 = out->is_3d ? rank_dpdv(p->map, cell, d, err) : NAN;
	r->score = (out->is_3d ? r->dpdv_per_mpc3 : p->map->density[cell]) * r->weight;
	return r->score > 0 && isfinite(r->score);
}

/* The rows of one cell, which ends at pixel `end`. */
static int cell_take(struct pass *p, int64_t cell, uint64_t end, struct err *e)
{
	for (; p->row < p->catalog->count && catalog_ipix(p->catalog, p->row) < end; p->row++) {
		struct ranked r = {.row = p->row};
		if (!row_score(p, cell, &r))
			continue;
		p->out->considered++;
		p->out->total += r.score;
		if (p->options->by != NULL) {
			double rate = r.score * weight_rate(p->options->by, catalog_distance_mpc(p->catalog, r.row));
			p->out->total_rate += rate;
			p->out->total_square += rate * rate;
		}
		if (keep(&p->kept, &r, e) < 0)
			return -1;
	}
	return 0;
}

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

int rank_galaxies(const struct skymap *m, const struct catalog *c, const struct rank_options *o, struct ranking *out, struct err *e)
{
	struct pass p = {m, c, o, out, {.max = o->top > 0 ? (size_t)o->top : SIZE_MAX, .catalog = c}, 0};
	*out = (struct ranking){.is_3d = m->norm != NULL};
	for (int64_t cell = 0; cell < m->cells && p.row < c->count; cell++) {
		uint64_t first = skymap_first(m->uniq[cell]);
		uint64_t end = first + (UINT64_C(1) << (2 * (29 - skymap_order(m->uniq[cell]))));
		if (m->density[cell] <= 0 || (out->is_3d && m->norm[cell] <= 0) || catalog_ipix(c, p.row) >= end)
			continue;
		if (catalog_ipix(c, p.row) < first)
			p.row = catalog_find(c, first);
		if (cell_take(&p, cell, end, e) < 0) {
			free(p.kept.heap);
			return -1;
		}
	}
	unheap(&p.kept);
	out->list = p.kept.heap;
	out->count = p.kept.count;
	shares(out, o->probability);
	return 0;
}

void rank_free(struct ranking *r)
{
	free(r->list);
	*r = (struct ranking){0};
}

/* The sum of all scores and the counts: see rank.h. Every row in the map's area is looked at, but the exponential is only taken of those that can
 * matter: a row k σ away from its cell's distance has at most exp(-k²/2) of the cell's bound, and all that are left out together are below
 * 1e-12 of the sum. They are counted all the same: a score is above 0 unless the exponential is below the smallest number. */
#include "engine/target/rank_parts.h"

#define BLOCK 256
/* The same instructions for every row, so the compiler may take the widest that the machine has; the results are the same bits. */
#if defined(__x86_64__) && !defined(SLEW_SANITIZER)
#define WIDE __attribute__((target_clones("avx2", "default")))
#else
#define WIDE
#endif
#define LEFT_OUT 1e-12        /* of the sum, all rows together */
#define SURE 1400.0           /* (d - μ)²/σ² up to which exp(-x/2) is an ordinary number */
#define NOTHING 1492.0        /* … beyond which it is 0: below half of the smallest number */
#define WIDER 1e12            /* usual: σ² is not widened more than this, */
#define LIGHTER 1e-12         /* and no weight is less than this */
#define LN_SMALLEST (-690.0 + 13.9 + 27.7) /* ln of what stays above 0 when both are taken off */

/* A running sum, with what it rounded away (Kahan). */
struct sum {
	double sum, lost;
};

struct total {
	const struct rank_scan *scan;
	struct ranking *out;
	double least;             /* scores below are left out of the sum */
	int64_t row;              /* where the cell before ended */
	struct sum score, rate, square;
	struct census_quick shells; /* for the means that stand in for missing weights */
};

/* One cell: which rows need their exact score. */
struct near {
	double mu, sigma2, wide2, factor;
	double near, sure;        /* of (d - μ)²/σ²: up to near, exactly; up to sure, only counted; beyond, exactly again up to NOTHING */
};

static void sum_add(struct sum *s, double part)
{
	double y = part - s->lost, sum = s->sum + y;
	s->lost = (sum - s->sum) - y;
	s->sum = sum;
}

/* ln of at least x, without a logarithm: the exponent's bits, rounded up. */
static double log_above(double x)
{
	int64_t bits;
	memcpy(&bits, &x, 8);
	return (double)((bits >> 52) - 1022) * 0.69314718055994531;
}

static struct near near_of(const struct total *t, int64_t cell)
{
	const struct skymap *m = t->scan->map;
	double sigma = m->sigma[cell], ratio = (double)t->scan->bound[cell] / t->least, peak = rank_cell_peak(m, cell);
	struct near k = {m->mu[cell], sigma * sigma, WIDER * sigma * sigma, rank_factor(m, cell), .near = INFINITY, .sure = 0};
	if (!(sigma > 1e-100 && sigma < 1e100 && peak > 1e-250 && isfinite(ratio)))
		return k;
	k.near = ratio > 1 ? 2 * log_above(ratio) + 1e-6 : 0;
	k.sure = fmin(SURE, 2 * (log_above(peak) - 1 - LN_SMALLEST));
	return k;
}

/* A block of rows as numbers of the machine, and what is to be done with each. */
struct block {
	double d[BLOCK], s2[BLOCK], weight[BLOCK], score[BLOCK]; /* distance, σ² + σ_d², weight or NaN */
	double at[BLOCK], low[BLOCK], rise[BLOCK];               /* of weight_rate's table */
	uint64_t near[BLOCK];
};

/* Known weights, NaN for the others; of a user's column 0 is known, too. */
WIDE static void block_weights(const struct rank_scan *s, int64_t first, size_t n, double *out)
{
	if (s->column != CATALOG_COLUMN_COUNT) {
		const unsigned char *weight = s->catalog->column[s->column] + 4 * first;
		for (size_t i = 0; i < n; i++) {
			double w = (double)bytes_float(weight + 4 * i);
			out[i] = w > 0 ? w : NAN;
		}
	} else if (s->filled) {
		const double *weight = s->by->column + first;
		for (size_t i = 0; i < n; i++)
			out[i] = ((weight[i] >= 0) & (weight[i] < INFINITY)) ? weight[i] : NAN;
	} else {
		for (size_t i = 0; i < n; i++)
			out[i] = 1;
	}
}

WIDE static void block_distances(const struct rank_scan *s, const struct near *k, int64_t first, size_t n, struct block *b)
{
	const unsigned char *dist = s->catalog->column[CATALOG_COLUMN_DIST] + 8 * first;
	const unsigned char *err = s->catalog->column[CATALOG_COLUMN_DISTERR] + 4 * first;
	double widen = s->options->distance_error ? 1 : 0, sigma2 = k->sigma2;
	for (size_t i = 0; i < n; i++) {
		double e = (double)bytes_float(err + 4 * i) * widen;
		b->d[i] = bytes_double(dist + 8 * i);
		b->s2[i] = sigma2 + e * e;
	}
}

/* Marks the rows that need a score, and says how many; counts the others. Rows stand in no order of distance, so nothing here branches on them. */
WIDE static size_t block_mark(struct total *t, const struct near *k, size_t n, struct block *b)
{
	double mu = k->mu, wide2 = k->wide2, limit = k->near, sure_limit = k->sure, stand_in = t->scan->filled ? t->scan->fill_least : 0;
	uint64_t lacking = t->scan->filled ? 0 : 1, considered = 0, distances = 0, missing_all = 0, filled_all = 0, near_all = 0;
	for (size_t i = 0; i < n; i++) {
		double d = b->d[i], s2 = b->s2[i], w = b->weight[i], q = (d - mu) * (d - mu), sturdy = w >= 0 ? w : stand_in;
		uint64_t has = d > 0 ? 1 : 0, missing = has & (w >= 0 ? 0 : 1), in = has & ~(missing & lacking);
		uint64_t unusual = (sturdy >= LIGHTER ? 0 : 1) | (s2 <= wide2 ? 0 : 1), close = q > limit * s2 ? 0 : 1;
		uint64_t sure = q > sure_limit * s2 ? 0 : 1, some = q > NOTHING * s2 ? 0 : 1;
		uint64_t near = in & (unusual | close | ((sure ^ 1) & some));
		b->near[i] = near;
		near_all += near;
		considered += in & sure & (near ^ 1);
		distances += has;
		missing_all += missing;
		filled_all += missing & in & (near ^ 1);
	}
	t->out->considered += (int64_t)considered;
	t->out->without_distance += (int64_t)(n - distances);
	t->out->without_weight += (int64_t)missing_all;
	t->out->mean_weight += (int64_t)filled_all;
	return near_all;
}

/* Moves the rows that need a score to the front. */
static void block_front(struct block *b, size_t n)
{
	size_t kept = 0;
	for (size_t i = 0; i < n; i++) {
		b->d[kept] = b->d[i];
		b->s2[kept] = b->s2[i];
		b->weight[kept] = b->weight[i];
		kept += b->near[i];
	}
}

/* Where most need one, the others only lose their weight; their distance may be none at all. */
WIDE static void block_mask(struct block *b, double mu, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		b->weight[i] = b->near[i] ? b->weight[i] : 0;
		b->d[i] = b->near[i] ? b->d[i] : mu;
	}
}

/* The mean of their distance for those without a weight, as weight_row has it; they are found first, since no branch foretells them. */
static void block_fill(const struct total *t, struct block *b, size_t n)
{
	size_t lacking = 0;
	int which[BLOCK];
	for (size_t i = 0; i < n; i++) {
		which[lacking] = (int)i;
		lacking += b->weight[i] >= 0 ? 0 : 1;
	}
	for (size_t i = 0; i < lacking; i++) {
		int shell = census_quick_shell(&t->shells, b->d[which[i]]);
		double weight = shell < 0 ? NAN : t->scan->by->fill[shell];
		b->weight[which[i]] = weight;
		t->out->mean_weight += weight >= 0;
	}
}

/* In eight strands whatever the machine's width. */
static inline double strands_sum(const double *part, size_t n)
{
	double strand[8] = {0};
	size_t whole = n / 8 * 8;
	for (size_t i = 0; i < whole; i += 8)
		for (size_t j = 0; j < 8; j++)
			strand[j] += part[i + j];
	for (size_t i = whole; i < n; i++)
		strand[i - whole] += part[i];
	return ((strand[0] + strand[1]) + (strand[2] + strand[3])) + ((strand[4] + strand[5]) + (strand[6] + strand[7]));
}

/* Their scores, and the sum. */
WIDE static double block_sum(struct block *b, size_t n, const struct near *k, int64_t *considered)
{
	double mu = k->mu, factor = k->factor;
	uint64_t scored = 0;
	for (size_t i = 0; i < n; i++) {
		double v = rank_gauss(factor, b->d[i] - mu, b->s2[i]) * b->weight[i];
		uint64_t counts = (v > 0) & (v < INFINITY);
		b->score[i] = counts ? v : 0;
		scored += counts;
	}
	*considered += (int64_t)scored;
	return strands_sum(b->score, n);
}

/* weight_rate of many: all are in the table once distances beyond it are taken as its end. The scores become their rates. */
WIDE static void rates_add(struct total *t, struct block *b, size_t n)
{
	const double *table = t->scan->by->rate;
	for (size_t i = 0; i < n; i++) {
		double at = b->d[i] / WEIGHT_RATE_STEP_MPC;
		at = at > 0 ? at : 0;
		b->at[i] = at < WEIGHT_RATES ? at : WEIGHT_RATES;
	}
	for (size_t i = 0; i < n; i++) {
		int at = (int)b->at[i];
		at = at < WEIGHT_RATES ? at : WEIGHT_RATES - 1;
		b->low[i] = table[at];
		b->rise[i] = table[at + 1] - table[at];
		b->at[i] -= at;
	}
	for (size_t i = 0; i < n; i++) {
		b->score[i] *= b->low[i] + b->at[i] * b->rise[i];
		b->at[i] = b->score[i] * b->score[i];
	}
	sum_add(&t->rate, strands_sum(b->score, n));
	sum_add(&t->square, strands_sum(b->at, n));
}

static void rows_blocks(struct total *t, int64_t cell, struct rank_range rows)
{
	const struct near k = near_of(t, cell);
	struct block b;
	for (int64_t first = rows.first; first < rows.end; first += BLOCK) {
		size_t n = rows.end - first < BLOCK ? (size_t)(rows.end - first) : BLOCK;
		block_distances(t->scan, &k, first, n, &b);
		block_weights(t->scan, first, n, b.weight);
		size_t near = block_mark(t, &k, n, &b);
		if (near == 0)
			continue;
		if (near < n && 2 * near >= n)
			block_mask(&b, k.mu, n);
		if (2 * near < n) {
			block_front(&b, n);
			n = near;
		}
		if (t->scan->filled)
			block_fill(t, &b, n);
		sum_add(&t->score, block_sum(&b, n, &k, &t->out->considered));
		if (t->scan->by != NULL)
			rates_add(t, &b, n);
	}
}

/* Row by row: maps without distances, which have no exponential, and priors on distance. */
static void rows_singly(struct total *t, int64_t cell, struct rank_range rows)
{
	bool prior = t->scan->by != NULL && t->scan->by->distance.kind != WEIGHT_PRIOR_NONE;
	for (int64_t row = rows.first; row < rows.end; row++) {
		struct ranked r = {0};
		if (prior && !(catalog_distance_mpc(t->scan->catalog, row) > 0)) {
			t->out->without_distance++;
			continue;
		}
		enum rank_row got = rank_row_score(t->scan, cell, row, &r);
		t->out->without_distance += got == RANK_ROW_NO_DISTANCE;
		t->out->without_weight += got == RANK_ROW_NO_WEIGHT || r.weight_is_mean;
		t->out->mean_weight += r.weight_is_mean && r.weight >= 0; /* 0: nearer or farther than the prior goes */
		if (got != RANK_ROW_SCORED)
			continue;
		t->out->considered++;
		sum_add(&t->score, r.score);
		if (t->scan->by != NULL) {
			double rate = r.score * weight_rate(t->scan->by, catalog_distance_mpc(t->scan->catalog, row));
			sum_add(&t->rate, rate);
			sum_add(&t->square, rate * rate);
		}
	}
}

/* Both are sorted, so the next cell's rows begin where the last one's ended, or later: a walk along the pixels finds them sooner than a search. */
static struct rank_range rows_next(struct total *t, uint64_t uniq)
{
	const struct catalog *c = t->scan->catalog;
	if (skymap_order(uniq) <= CATALOG_CELL_ORDER || skymap_order(uniq) > CATALOG_PIX_ORDER)
		return rank_cell_rows(c, uniq);
	uint64_t first = skymap_first(uniq), cell = first >> (2 * (29 - CATALOG_CELL_ORDER));
	uint32_t low = catalog_pix23(first), high = catalog_pix23(rank_cell_end(uniq) - 1);
	int64_t start = catalog_cell_first(c, (int64_t)cell), end = catalog_cell_end(c, (int64_t)cell);
	int64_t row = t->row > start ? t->row : start;
	while (row < end && bytes_u32(c->column[CATALOG_COLUMN_PIX] + 4 * row) < low)
		row++;
	struct rank_range r = {row, row};
	while (r.end < end && bytes_u32(c->column[CATALOG_COLUMN_PIX] + 4 * r.end) <= high)
		r.end++;
	t->row = r.end;
	return r;
}

void rank_total(const struct rank_scan *s, double best, struct ranking *out)
{
	struct total t = {.scan = s, .out = out, .least = LEFT_OUT * best / (double)s->catalog->count};
	census_quick_make(&t.shells);
	bool blocks = out->is_3d && (s->by == NULL || s->by->distance.kind == WEIGHT_PRIOR_NONE);
	for (int64_t cell = 0; cell < s->map->cells; cell++) {
		if (!rank_cell_in(s->map, cell))
			continue;
		struct rank_range rows = rows_next(&t, s->map->uniq[cell]);
		if (rows.first < rows.end && blocks)
			rows_blocks(&t, cell, rows);
		else if (rows.first < rows.end)
			rows_singly(&t, cell, rows);
	}
	out->total = t.score.sum;
	out->total_rate = t.rate.sum;
	out->total_square = t.square.sum;
}

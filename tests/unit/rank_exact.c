/* The ranking that skips is the ranking that looks at every row: the same list bit for bit, the same counts, the sum to 1e-12; over random maps
 * and catalogues with ties, missing distances, errors and weights, cells without probability, and distances where exp() ends. */
#include "test.h"
#include "engine/target/catalog_write.h"
#include "engine/target/rank.h"
#include "engine/target/rank_parts.h"
#include "engine/target/weight.h"
#include <math.h>

#define ROWS 12000
#define CELLS_MAX 5000
#define ROUNDS 40

static uint64_t seed = 20261123;

static double uniform(void)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (double)(seed >> 11) / 9007199254740992.0;
}

static double between(double low, double high)
{
	return low + (high - low) * uniform();
}

/* ---- a random map: NESTED pixels split here and there, so that they come sorted ---- */

struct sky {
	struct skymap m;
	uint64_t uniq[CELLS_MAX];
	double density[CELLS_MAX], mu[CELLS_MAX], sigma[CELLS_MAX], norm[CELLS_MAX];
	int deepest;
};

static void split(struct sky *s, int order, uint64_t pixel)
{
	if (order < 1 || (order < s->deepest && s->m.cells < CELLS_MAX - 100 && uniform() < (order < 3 ? 0.7 : 0.3))) {
		for (uint64_t i = 0; i < 4; i++)
			split(s, order + 1, 4 * pixel + i);
		return;
	}
	if (uniform() < 0.05)
		return; /* maps may have holes */
	int64_t i = s->m.cells++;
	s->uniq[i] = pixel + (UINT64_C(4) << (2 * order));
	s->density[i] = uniform() < 0.1 ? 0 : pow(10, between(-12, 3));
	s->mu[i] = between(-50, 400);
	s->sigma[i] = pow(10, between(-0.5, 2));
	s->norm[i] = uniform() < 0.1 ? 0 : pow(10, between(-8, -4));
}

static void sky_make(struct sky *s, bool is_3d, int deepest)
{
	s->m = (struct skymap){.uniq = s->uniq, .density = s->density, .mu = is_3d ? s->mu : NULL, .sigma = is_3d ? s->sigma : NULL,
		.norm = is_3d ? s->norm : NULL, .order_max = deepest};
	s->deepest = deepest;
	while (s->m.cells == 0)
		for (uint64_t base = 0; base < 12; base++)
			split(s, 0, base);
}

/* ---- a random catalogue ---- */

static int row_compare(const void *a, const void *b)
{
	const struct catalog_row *p = a, *q = b;
	if (p->ipix29 != q->ipix29)
		return p->ipix29 < q->ipix29 ? -1 : 1;
	return p->id < q->id ? -1 : p->id > q->id;
}

static void catalog_make(struct catalog *c, const struct sky *s)
{
	static struct catalog_row rows[ROWS];
	char folder[] = "/tmp/slew-exact-XXXXXX", path[64];
	struct catalog_writer w;
	struct err e = {0};
	for (int i = 0; i < ROWS; i++) {
		struct catalog_row *r = &rows[i];
		uint64_t uniq = s->uniq[(int64_t)(uniform() * (double)s->m.cells)], first = skymap_first(uniq), end = rank_cell_end(uniq);
		if (i > 0 && uniform() < 0.1) { /* a twin */
			*r = rows[i - 1];
			r->id = (int64_t)between(1, 1e6);
			continue;
		}
		*r = (struct catalog_row){.ipix29 = first + (uint64_t)(uniform() * (double)(end - first)), .id = (int64_t)between(1, 1e6), .name = "x"};
		r->distance_mpc = uniform() < 0.05 ? (double)NAN : uniform() < 0.5 ? between(1, 300) : pow(10, between(-3, 4.5));
		r->distance_err_mpc = uniform() < 0.3 ? NAN : (float)pow(10, between(-2, 2));
		r->b_mag = uniform() < 0.3 ? NAN : (float)between(8, 22);
		r->log_mstar = uniform() < 0.3 ? NAN : (float)between(-14, 12);
	}
	qsort(rows, ROWS, sizeof rows[0], row_compare);
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/c.fits", folder);
	assert_ok(catalog_writer_open(&w, path, 0, &e), &e);
	for (int i = 0; i < ROWS; i++)
		assert_ok(catalog_writer_add(&w, &rows[i], &e), &e);
	assert_ok(catalog_writer_finish(&w, NULL, NULL, &e), &e);
	assert_ok(catalog_open(path, c, &e), &e);
	unlink(path);
	rmdir(folder);
}

/* ---- every row ---- */

static const struct catalog *sorted_of;

static int64_t id_of(const struct ranked *r)
{
	struct catalog_row row;
	catalog_row_at(sorted_of, r->row, &row);
	return row.id;
}

static int ranked_compare(const void *a, const void *b)
{
	const struct ranked *p = a, *q = b;
	if (p->score != q->score)
		return p->score > q->score ? -1 : 1;
	int64_t i = id_of(p), k = id_of(q);
	return i != k ? (i < k ? -1 : 1) : p->row < q->row ? -1 : 1;
}

static double plain_weight(const struct catalog *c, const struct rank_options *o, int64_t row, double err, bool *filled)
{
	struct catalog_row g;
	catalog_row_at(c, row, &g);
	*filled = false;
	if (o->by != NULL)
		return weight_row(o->by, c, row, g.distance_mpc, err, filled);
	double w = o->weight == RANK_LUMINOSITY ? catalog_luminosity(&g) : o->weight == RANK_MASS ? catalog_mass(&g) : 1;
	return w > 0 ? w : (double)NAN;
}

static void plain_row(const struct skymap *m, const struct catalog *c, const struct rank_options *o, int64_t cell, int64_t row,
	struct ranking *out)
{
	struct catalog_row g;
	struct ranked r = {.row = row};
	catalog_row_at(c, row, &g);
	double err = o->distance_error && g.distance_err_mpc > 0 ? (double)g.distance_err_mpc : 0;
	bool prior = o->by != NULL && o->by->distance.kind != WEIGHT_PRIOR_NONE;
	if ((m->norm != NULL || prior) && !(g.distance_mpc > 0)) {
		out->without_distance++;
		return;
	}
	r.weight = plain_weight(c, o, row, err, &r.weight_is_mean);
	out->without_weight += r.weight_is_mean || !(r.weight >= 0);
	out->mean_weight += r.weight_is_mean && r.weight >= 0;
	if (!(r.weight > 0))
		return;
	r.dpdv_per_mpc3 = m->norm != NULL ? rank_dpdv(m, cell, g.distance_mpc, err) : (double)NAN;
	r.score = (m->norm != NULL ? r.dpdv_per_mpc3 : m->density[cell]) * r.weight;
	if (!(r.score > 0))
		return;
	out->considered++;
	out->total += r.score;
	double rate = o->by != NULL ? r.score * weight_rate(o->by, g.distance_mpc) : 0;
	out->total_rate += rate;
	out->total_square += rate * rate;
	out->list[out->count++] = r;
}

static void plain_rank(const struct skymap *m, const struct catalog *c, const struct rank_options *o, struct ranking *out)
{
	*out = (struct ranking){.list = calloc(ROWS, sizeof *out->list)};
	for (int64_t row = 0, cell = 0; row < c->count; row++) {
		while (cell < m->cells && catalog_ipix(c, row) >= rank_cell_end(m->uniq[cell]))
			cell++;
		if (cell < m->cells && catalog_ipix(c, row) >= skymap_first(m->uniq[cell]) && m->density[cell] > 0 &&
			(m->norm == NULL || m->norm[cell] > 0))
			plain_row(m, c, o, cell, row, out);
	}
	sorted_of = c;
	qsort(out->list, out->count, sizeof *out->list, ranked_compare);
}

static bool close_to(double a, double b)
{
	return fabs(a - b) <= 1e-12 * fabs(b) + 1e-320;
}

static void same(const struct skymap *m, const struct catalog *c, struct rank_options o)
{
	static const int64_t tops[] = {1, 13, 500, 0, 10 * ROWS};
	struct ranking want, got;
	struct err e = {0};
	plain_rank(m, c, &o, &want);
	for (size_t k = 0; k < sizeof tops / sizeof tops[0]; k++) {
		o.top = tops[k];
		o.list_only = k % 2 == 1;
		assert_ok(rank_galaxies(m, c, &o, &got, &e), &e);
		assert_int_equal(got.count, o.top > 0 && (size_t)o.top < want.count ? (size_t)o.top : want.count);
		for (size_t i = 0; i < got.count; i++) {
			const struct ranked *a = &got.list[i], *b = &want.list[i];
			assert_true(a->row == b->row && memcmp(&a->score, &b->score, 8) == 0 && memcmp(&a->weight, &b->weight, 8) == 0);
			assert_true(a->weight_is_mean == b->weight_is_mean && isnan(a->share) == o.list_only);
			assert_true(isnan(a->dpdv_per_mpc3) ? isnan(b->dpdv_per_mpc3) : memcmp(&a->dpdv_per_mpc3, &b->dpdv_per_mpc3, 8) == 0);
		}
		if (!o.list_only) {
			assert_int_equal(got.considered, want.considered);
			assert_int_equal(got.without_distance, want.without_distance);
			assert_int_equal(got.without_weight, want.without_weight);
			assert_int_equal(got.mean_weight, want.mean_weight);
			assert_true(close_to(got.total, want.total) && close_to(got.total_rate, want.total_rate));
			assert_true(close_to(got.total_square, want.total_square));
		} else {
			assert_true(got.considered == -1 && isnan(got.total));
		}
		rank_free(&got);
	}
	free(want.list);
}

/* A weight with means by distance, some of which are not known. */
static void weight_random(struct weight *w, enum weight_kind kind, const double *column, bool prior)
{
	*w = (struct weight){.kind = kind, .column = column, .density_per_mpc3 = NAN};
	bool holes = uniform() < 0.5;
	for (int i = 0; i < CENSUS_SHELLS; i++)
		w->fill[i] = holes && uniform() < 0.3 ? (double)NAN : pow(10, between(-3, 10));
	weight_prior(w, uniform() < 0.5 ? WEIGHT_MAP_COMOVING : WEIGHT_MAP_LUMINOSITY_DISTANCE,
		prior ? (struct weight_distance){WEIGHT_PRIOR_NORMAL, 120, 40} : (struct weight_distance){.kind = WEIGHT_PRIOR_NONE});
}

static void skipping_changes_nothing(void **state)
{
	static struct sky s;
	static double column[ROWS];
	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		bool is_3d = round % 4 != 3;
		struct catalog c;
		struct weight w;
		sky_make(&s, is_3d, round % 10 == 9 ? 26 : 2 + round % 10);
		catalog_make(&c, &s);
		struct rank_options o = {.distance_error = round % 2 == 0, .probability = NAN, .weight = (enum rank_weight)(round % 3)};
		same(&s.m, &c, o);
		for (int i = 0; i < ROWS; i++)
			column[i] = uniform() < 0.2 ? (double)NAN : uniform() < 0.1 ? 0 : pow(10, between(-20, 3));
		weight_random(&w, (enum weight_kind)(round / 2 % 4), column, !is_3d && round % 8 == 7);
		o.by = &w;
		same(&s.m, &c, o);
		catalog_close(&c);
	}
}

/* Against the long double function of libm. */
static void exponential(void **state)
{
	(void)state;
	for (int i = 0; i < 200000; i++) {
		double x = i < 100000 ? -pow(10, between(-18, 2.849)) : -708.0 * uniform();
		double want = (double)expl((long double)x), got = rank_exp(x);
		assert_true(fabs(got - want) <= 4.5e-16 * want);
	}
	assert_true(rank_exp(0) == 1 && rank_exp(-0.0) == 1);
	for (double x = -708; x > -800; x -= 0.01) /* gradually to nothing */
		assert_true(fabs(rank_exp(x) - (double)expl((long double)x)) <= 1e-15 * exp(x) + 5e-324);
	assert_true(rank_exp(-1e9) == 0 && rank_exp(-INFINITY) == 0 && isnan(rank_exp(NAN)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(exponential), cmocka_unit_test(skipping_changes_nothing)};
	return cmocka_run_group_tests_name("rank_exact", tests, NULL, NULL);
}

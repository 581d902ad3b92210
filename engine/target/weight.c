/* Weights, their densities, and the rate that goes with a distance: see weight.h. */
#include "engine/target/weight.h"
#include "engine/target/cosmology.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define SQRT_2PI 2.50662827463100050242
#define FILL_ROWS 30 /* a mean of fewer rows than this takes the shells beside it */

double weight_density(enum weight_kind kind, const char **unit, const char **source)
{
	static const struct {
		const char *unit, *source;
		double at_h1; /* per Mpc³, for h = 1 */
	} known[] = {
		/* ∫ from 0.1 of x^α exp(−x) dx = 1.970633 for α = −1.07; a number goes with h³, brought to the h of cosmology.h below */
		{"galaxies", "galaxies above 0.1 L*, Gehrels et al. 2016 (arXiv:1508.03608)",
			0.016 * 1.970633 * (COSMOLOGY_H0 / 100) * (COSMOLOGY_H0 / 100)},
		{"Lsun,B", "Kopparapu et al. 2008 (arXiv:0706.1283)", 1.98e8 / 0.73},
		{"Msun", "Driver et al. 2022 (arXiv:2203.08539)", 2.97e8 / 0.70},
		{"of the column", "not given", NAN},
	};
	*unit = known[kind].unit;
	*source = known[kind].source;
	return known[kind].at_h1 * (COSMOLOGY_H0 / 100);
}

/* Sum and number of known weights in shells low … high of the whole sky. */
static void census_sum(const struct census *k, enum weight_kind kind, int low, int high, double *sum, double *rows)
{
	*sum = *rows = 0;
	for (int cell = 0; cell < CENSUS_CELLS; cell++)
		for (int s = low < 0 ? 0 : low; s <= high && s < CENSUS_SHELLS; s++) {
			const struct census_bin *b = &k->bin[cell][s];
			*sum += kind == WEIGHT_LUMINOSITY ? b->light : b->mass;
			*rows += kind == WEIGHT_LUMINOSITY ? b->light_rows : b->mass_rows;
		}
}

/* The column's own mean is taken over the whole catalogue by shell; its rows are not in the census. */
static void fill_column(struct weight *w, const struct catalog *c)
{
	double sum[CENSUS_SHELLS] = {0}, rows[CENSUS_SHELLS] = {0};
	for (int64_t row = 0; row < c->count; row++) {
		int s = census_shell(catalog_distance_mpc(c, row));
		if (s < 0 || !(w->column[row] >= 0) || !isfinite(w->column[row]))
			continue;
		sum[s] += w->column[row];
		rows[s]++;
	}
	for (int s = 0; s < CENSUS_SHELLS; s++) {
		double total = sum[s], n = rows[s];
		for (int wide = 1; n < FILL_ROWS && wide < CENSUS_SHELLS; wide++) {
			total += (s - wide >= 0 ? sum[s - wide] : 0) + (s + wide < CENSUS_SHELLS ? sum[s + wide] : 0);
			n += (s - wide >= 0 ? rows[s - wide] : 0) + (s + wide < CENSUS_SHELLS ? rows[s + wide] : 0);
		}
		w->fill[s] = n > 0 ? total / n : NAN;
	}
}

static void fill_census(struct weight *w, const struct census *k)
{
	for (int s = 0; s < CENSUS_SHELLS; s++) {
		double sum = 0, rows = 0;
		for (int wide = 0; rows < FILL_ROWS && wide < CENSUS_SHELLS; wide++)
			census_sum(k, w->kind, s - wide, s + wide, &sum, &rows);
		w->fill[s] = rows > 0 ? sum / rows : NAN;
	}
}

void weight_make(struct weight *w, enum weight_kind kind, const struct catalog *c, const struct census *k, const double *column, double density)
{
	*w = (struct weight){.kind = kind, .column = column};
	w->density_per_mpc3 = weight_density(kind, &w->unit, &w->source);
	if (isfinite(density)) {
		w->density_per_mpc3 = density;
		w->source = "as given";
	}
	if (kind == WEIGHT_COLUMN)
		fill_column(w, c);
	else if (kind != WEIGHT_NONE)
		fill_census(w, k);
	weight_prior(w, WEIGHT_MAP_LUMINOSITY_DISTANCE, (struct weight_distance){.kind = WEIGHT_PRIOR_NONE});
}

void weight_prior(struct weight *w, enum weight_map_prior map_prior, struct weight_distance distance)
{
	w->map_prior = map_prior;
	w->distance = distance;
	for (int i = 0; i <= WEIGHT_RATES; i++) {
		double z, ratio = cosmology_volume_ratio(i * WEIGHT_RATE_STEP_MPC, &z);
		w->rate[i] = i == 0 ? 1 : map_prior == WEIGHT_MAP_COMOVING ? 1 / ratio : 1 / (1 + z);
	}
}

double weight_row(const struct weight *w, const struct catalog *c, int64_t row, double d, double err, bool *filled)
{
	double value = 1;
	*filled = false;
	if (w->kind == WEIGHT_COLUMN)
		value = w->column[row];
	else if (w->kind != WEIGHT_NONE)
		value = (double)catalog_weight(c, w->kind == WEIGHT_LUMINOSITY ? CATALOG_COLUMN_LUM : CATALOG_COLUMN_MASS, row);
	if (!(value >= 0) || !isfinite(value) || (value <= 0 && w->kind != WEIGHT_COLUMN)) {
		int shell = census_shell(d);
		value = shell < 0 ? NAN : w->fill[shell];
		*filled = true;
	}
	return w->distance.kind == WEIGHT_PRIOR_NONE ? value : value * weight_distance_density(&w->distance, d, err);
}

double weight_bound(const struct weight *w, const struct catalog *c, int64_t cell)
{
	const unsigned char *p = c->cells + (size_t)cell * CATALOG_CELL_BYTES;
	double most = w->kind == WEIGHT_NONE ? 1 : w->kind == WEIGHT_LUMINOSITY ? (double)bytes_float(p + 8) : (double)bytes_float(p + 12);
	if (w->kind == WEIGHT_COLUMN) {
		int64_t end = cell + 1 < CATALOG_CELLS ? catalog_cell_first(c, cell + 1) : c->count;
		most = 0;
		for (int64_t row = catalog_cell_first(c, cell); row < end; row++)
			most = w->column[row] > most ? w->column[row] : most;
	}
	if (w->kind != WEIGHT_NONE)
		for (int s = 0; s < CENSUS_SHELLS; s++)
			most = w->fill[s] > most ? w->fill[s] : most;
	if (w->distance.kind == WEIGHT_PRIOR_NONE)
		return most;
	/* VOLUME and NORMAL have their summit at a; a lognormal per volume at median · exp(−3 b²) */
	double summit = w->distance.kind == WEIGHT_PRIOR_VOLUME ? 0 : w->distance.a_mpc;
	if (w->distance.kind == WEIGHT_PRIOR_LOGNORMAL)
		summit *= exp(-3 * w->distance.b * w->distance.b);
	return most * weight_distance_density(&w->distance, summit, 0);
}

/* Φ(t) */
static double normal_below(double t)
{
	return 0.5 * erfc(-t * M_SQRT1_2);
}

/* ∫ r² N(r; μ, σ) from −∞ to r. */
static double normal_r2(double r, double mu, double sigma)
{
	double t = (r - mu) / sigma;
	return (mu * mu + sigma * sigma) * normal_below(t) - sigma * (2 * mu + sigma * t) * exp(-0.5 * t * t) / SQRT_2PI;
}

static double lognormal_density(const struct weight_distance *p, double r)
{
	if (!(r > 0))
		return 0;
	double t = log(r / p->a_mpc) / p->b;
	return exp(-0.5 * t * t) / (SQRT_2PI * p->b * r * r * r);
}

double weight_distance_density(const struct weight_distance *p, double d, double err)
{
	/* Gauss-Hermite, 7 points: ∫ f(r) N(r; d, err) dr */
	static const double x[4] = {0, 0.8162878828589647, 1.6735516287674714, 2.6519613568352335};
	static const double weight[4] = {0.8102646175568073, 0.4256072526101278, 0.0545155828191270, 0.0009717812450995};
	double a = p->a_mpc, sum = 0;
	if (p->kind == WEIGHT_PRIOR_NONE)
		return 1;
	if (!(d > 0))
		return p->kind == WEIGHT_PRIOR_VOLUME && d >= 0 ? 3 / (a * a * a) : 0;
	if (p->kind == WEIGHT_PRIOR_VOLUME)
		return 3 / (a * a * a) * (err > 0 ? normal_below((a - d) / err) : d <= a ? 1 : 0);
	if (p->kind == WEIGHT_PRIOR_NORMAL) {
		double sigma = sqrt(p->b * p->b + err * err), t = (d - a) / sigma;
		double norm = a * a + p->b * p->b - normal_r2(0, a, p->b);
		return exp(-0.5 * t * t) / (SQRT_2PI * sigma * norm);
	}
	if (!(err > 0))
		return lognormal_density(p, d);
	for (int i = 0; i < 4; i++)
		sum += weight[i] * (lognormal_density(p, d + M_SQRT2 * err * x[i]) + (i > 0 ? lognormal_density(p, d - M_SQRT2 * err * x[i]) : 0));
	return sum / sqrt(M_PI);
}

double weight_distance_within(const struct weight_distance *p, double d)
{
	double r = d / p->a_mpc;
	if (!(d > 0))
		return 0;
	switch (p->kind) {
	case WEIGHT_PRIOR_VOLUME:
		return r < 1 ? r * r * r : 1;
	case WEIGHT_PRIOR_NORMAL:
		return (normal_r2(d, p->a_mpc, p->b) - normal_r2(0, p->a_mpc, p->b)) /
			(p->a_mpc * p->a_mpc + p->b * p->b - normal_r2(0, p->a_mpc, p->b));
	case WEIGHT_PRIOR_LOGNORMAL:
		return normal_below(log(r) / p->b);
	case WEIGHT_PRIOR_NONE:
		break;
	}
	return NAN;
}

int weight_distance_read(const char *text, struct weight_distance *out)
{
	char tail;
	*out = (struct weight_distance){.kind = WEIGHT_PRIOR_NONE};
	if (strcmp(text, "none") == 0)
		return 0;
	if (sscanf(text, "volume:%lf%c", &out->a_mpc, &tail) == 1) {
		out->kind = WEIGHT_PRIOR_VOLUME;
		out->b = 1;
	} else if (sscanf(text, "normal:%lf:%lf%c", &out->a_mpc, &out->b, &tail) == 2) {
		out->kind = WEIGHT_PRIOR_NORMAL;
	} else if (sscanf(text, "lognormal:%lf:%lf%c", &out->a_mpc, &out->b, &tail) == 2) {
		out->kind = WEIGHT_PRIOR_LOGNORMAL;
	}
	/* beyond these a density per volume is 0 or infinite somewhere between the nearest galaxy and the farthest */
	bool sane = out->a_mpc >= 0.01 && out->a_mpc <= 1e5 && out->b >= 0.01 && out->b <= (out->kind == WEIGHT_PRIOR_LOGNORMAL ? 3 : 1e5);
	return sane && out->kind != WEIGHT_PRIOR_NONE ? 0 : -1;
}

/* Completeness and what is missing: see missing.h. */
#include "engine/target/missing.h"
#include "engine/target/cosmology.h"
#include "engine/target/tail.h"
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#define SQRT_2PI 2.50662827463100050242
#define WIDE_SHELLS 3   /* the widest window, on either side: a factor of 3.2 in distance */
#define DENSITY_ERROR 0.08 /* of ρ_w: what Kopparapu et al. 2008 give for theirs */
#define LIGHT_SCATTER 3 /* Σ w² n/(Σ w)² of galaxies with a Schechter function above 0.1 L*: shot noise of a sum of so many weights */

double missing_variance(double volume_mpc3)
{
	const double gamma = 1.84, r0 = 5.59 / (COSMOLOGY_H0 / 100), radius = cbrt(volume_mpc3 * 3 / (4 * M_PI));
	return 72 / ((3 - gamma) * (4 - gamma) * (6 - gamma) * pow(2, gamma)) * pow(r0 / radius, gamma);
}

/* Weights of one bin: known ones, and the mean for the others. Without a census of a column its mean stands for every row. */
static double bin_weight(const struct census_bin *b, const struct weight *w, int shell)
{
	double fill = w->fill[shell];
	if (w->kind == WEIGHT_NONE)
		return b->rows;
	double sum = w->kind == WEIGHT_LUMINOSITY ? b->light : w->kind == WEIGHT_MASS ? b->mass : 0;
	double rows = w->kind == WEIGHT_LUMINOSITY ? b->light_rows : w->kind == WEIGHT_MASS ? b->mass_rows : 0;
	return sum + (b->rows > rows && fill > 0 ? (b->rows - rows) * fill : 0);
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

static void groups_make(struct missing *out, const struct census *k)
{
	double rows[CENSUS_CELLS], sorted[CENSUS_CELLS];
	int empty = 0;
	for (int cell = 0; cell < CENSUS_CELLS; cell++) {
		rows[cell] = 0;
		for (int s = 0; s < CENSUS_SHELLS; s++)
			rows[cell] += k->bin[cell][s].rows;
		sorted[cell] = rows[cell];
	}
	qsort(sorted, CENSUS_CELLS, sizeof *sorted, ascending);
	while (empty < CENSUS_CELLS && sorted[empty] <= 0)
		empty++;
	double median = empty < CENSUS_CELLS ? sorted[empty + (CENSUS_CELLS - empty) / 2] : 0;
	for (int cell = 0; cell < CENSUS_CELLS; cell++) {
		double r = rows[cell];
		int group = r <= 0 ? 0 : r < median / 16 ? 1 : r < median / 4 ? 2 : r <= median * 4 ? 3 : 4;
		out->group[cell] = (unsigned char)group;
		out->group_cells[group]++;
	}
}

/* One group of cells by shell. */
struct column {
	double held[CENSUS_SHELLS], rows[CENSUS_SHELLS], mpc3[CENSUS_SHELLS];
};

/* The widest window about a shell whose density agrees with that of each narrower one within what large-scale structure and the number of galaxies
 * let it scatter (Lepski's rule). What cannot be told from complete is complete. */
static double complete_at(const struct column *c, int shell, double density)
{
	double held = 0, rows = 0, mpc3 = 0, low = -INFINITY, high = INFINITY, best = 0, error = 0;
	for (int wide = 0; wide <= WIDE_SHELLS; wide++) {
		for (int side = wide ? -1 : 1; side <= 1; side += 2) {
			int s = shell + side * wide;
			if (s < 0 || s >= CENSUS_SHELLS)
				continue;
			held += c->held[s];
			rows += c->rows[s];
			mpc3 += c->mpc3[s];
		}
		double ratio = held / (density * mpc3);
		double scatter = fmax(ratio, 1e-3) * sqrt(missing_variance(mpc3) + LIGHT_SCATTER / fmax(rows, 1));
		if (ratio < low || ratio > high)
			break;
		best = ratio;
		error = sqrt(scatter * scatter + DENSITY_ERROR * DENSITY_ERROR * ratio * ratio);
		low = fmax(low, ratio - 1.5 * scatter);
		high = fmin(high, ratio + 1.5 * scatter);
	}
	return best + error >= 1 ? 1 : best;
}

void missing_make(struct missing *out, const struct census *k, const struct weight *w)
{
	struct column column[MISSING_GROUPS] = {{{0}, {0}, {0}}};
	*out = (struct missing){.weight = w};
	groups_make(out, k);
	for (int cell = 0; cell < CENSUS_CELLS; cell++)
		for (int s = 0; s < CENSUS_SHELLS; s++) {
			column[out->group[cell]].held[s] += bin_weight(&k->bin[cell][s], w, s);
			column[out->group[cell]].rows[s] += k->bin[cell][s].rows;
		}
	for (int s = 0; s < CENSUS_SHELLS; s++) {
		double mpc3 = cosmology_volume_mpc3(census_edge_mpc(s + 1)) - cosmology_volume_mpc3(census_edge_mpc(s));
		for (int g = 0; g < MISSING_GROUPS; g++)
			column[g].mpc3[s] = mpc3 * out->group_cells[g] / CENSUS_CELLS;
	}
	for (int g = 0; g < MISSING_GROUPS; g++)
		for (int s = 0; s < CENSUS_SHELLS && out->group_cells[g] > 0; s++)
			out->complete[g][s] = complete_at(&column[g], s, w->density_per_mpc3);
}

double missing_completeness(const struct missing *k, uint64_t ipix29, double distance_mpc)
{
	uint64_t cell = ipix29 >> (2 * (29 - CENSUS_ORDER));
	int shell = census_shell(distance_mpc);
	return shell < 0 || cell >= CENSUS_CELLS ? 0 : k->complete[k->group[cell]][shell];
}

/* The normal distribution and its density at steps of t, between which a Taylor series stands for the error function and the exponential: to 1e-14. */
enum { NODES_A_SIGMA = 64, NODES_SIGMA = 9, NODES = 2 * NODES_SIGMA * NODES_A_SIGMA + 1 };

#if defined(__x86_64__) && !defined(SLEW_SANITIZER)
#define WIDE __attribute__((target_clones("avx2", "default")))
#else
#define WIDE
#endif

struct sweep {
	double below[NODES], density[NODES];                 /* of the normal distribution */
	double edge_mpc[CENSUS_SHELLS + 1];
	double rate[CENSUS_SHELLS];                          /* j · dV_C/dV_L in the middle of the shell */
	double lacks[MISSING_GROUPS][CENSUS_SHELLS];         /* rate · (1 − completeness) */
};

static void sweep_make(struct sweep *w, const struct missing *k)
{
	for (int i = 0; i < NODES; i++) {
		double t = (double)(i - NODES_SIGMA * NODES_A_SIGMA) / NODES_A_SIGMA;
		w->below[i] = 0.5 * erfc(-t * M_SQRT1_2);
		w->density[i] = exp(-0.5 * t * t) / SQRT_2PI;
	}
	for (int s = 0; s <= CENSUS_SHELLS; s++)
		w->edge_mpc[s] = census_edge_mpc(s);
	for (int s = 0; s < CENSUS_SHELLS; s++) {
		double z, ratio = cosmology_volume_ratio(0.5 * (w->edge_mpc[s] + w->edge_mpc[s + 1]), &z);
		w->rate[s] = k->weight->map_prior == WEIGHT_MAP_COMOVING ? 1 : ratio / (1 + z);
		for (int g = 0; g < MISSING_GROUPS; g++)
			w->lacks[g][s] = w->rate[s] * (1 - k->complete[g][s]);
	}
}

/* (μ² + σ²) Φ(t) − σ (μ + r) φ(t) at r = μ + tσ: ∫ u² N(u; μ, σ) du from −∞ to r; by the node t0 next to t. */
static inline double part_below(double mu, double sigma, double r, double t, double t0, double below, double density)
{
	double h = t - t0, x = -h * (t0 + 0.5 * h), q = t0 * t0, x2 = x * x;
	double grow = (1 + x) + x2 * ((1 / 2.0 + x * (1 / 6.0)) + x2 * ((1 / 24.0 + x * (1 / 120.0)) + x2 * (1 / 720.0)));
	double more = h * ((1 - h * t0 * (1 / 2.0)) + h * h * ((q - 1) * (1 / 6.0) - h * (t0 * (q - 3) * (1 / 24.0) - h * ((q * (q - 6) + 3) * (1 / 120.0)))));
	return (mu * mu + sigma * sigma) * (below + density * more) - sigma * (mu + r) * density * grow;
}

static double sweep_below(const struct sweep *w, double mu, double sigma, double r, double t)
{
	int i = (int)((t + NODES_SIGMA) * NODES_A_SIGMA + 0.5);
	return part_below(mu, sigma, r, t, (double)i / NODES_A_SIGMA - NODES_SIGMA, w->below[i], w->density[i]);
}

/* From the shells' far edges in units of σ from μ, those from … to of which are within ± 9: ∫ from 0 over that to infinity. */
WIDE static void shells_within(const struct sweep *w, double mu, double sigma, const double *restrict t, int from, int to, double first,
	double *restrict within)
{
	double t0[CENSUS_SHELLS + 1], below[CENSUS_SHELLS + 1], density[CENSUS_SHELLS + 1], norm = 1 / (mu * mu + sigma * sigma - first);
	const double shift = 0x1.8p52; /* adding it rounds to an integer */
	for (int s = from; s < to; s++)
		t0[s] = (t[s] + NODES_SIGMA) * NODES_A_SIGMA + shift - shift;
	for (int s = from; s < to; s++) {
		below[s] = w->below[(int)t0[s]];
		density[s] = w->density[(int)t0[s]];
	}
	for (int s = from; s < to; s++)
		within[s] = (part_below(mu, sigma, w->edge_mpc[s], t[s], t0[s] * (1.0 / NODES_A_SIGMA) - NODES_SIGMA, below[s], density[s]) - first) * norm;
}

/* ∫ r² N(r; μ, σ) dr from 0 to the far edge of each shell, over that to infinity: 0 before *from, 1 from *to on. */
static void cell_within(const struct sweep *w, double mu, double sigma, double within[CENSUS_SHELLS + 1], int *from, int *to)
{
	double t[CENSUS_SHELLS + 1], a = mu / sigma, inverse = 1 / sigma;
	double first = a < NODES_SIGMA && a > -NODES_SIGMA ? sweep_below(w, mu, sigma, 0, -a) :
		(mu * mu + sigma * sigma) * 0.5 * erfc(a * M_SQRT1_2) - sigma * mu * exp(-0.5 * a * a) / SQRT_2PI;
	int low = 0, high = 0;
	if (!(mu > 0)) { /* only a tail is there */
		for (int s = 0; s <= CENSUS_SHELLS; s++)
			within[s] = tail_within(mu, sigma, w->edge_mpc[s]);
		*from = 0;
		*to = CENSUS_SHELLS + 1;
		return;
	}
	for (int s = 0; s <= CENSUS_SHELLS; s++) {
		t[s] = (w->edge_mpc[s] - mu) * inverse;
		low += t[s] < -NODES_SIGMA;
		high += t[s] <= NODES_SIGMA;
	}
	shells_within(w, mu, sigma, t, low, high, first, within);
	*from = low;
	*to = high;
}

/* Of the probability in a cell: what the catalogue lacks, and the norm; both without the cell's own probability. */
struct part {
	double lacks, norm;
};

/* Beyond the last shell nothing is listed. */
static struct part part_of(const struct sweep *w, const double *lacks, const double *within, int from, int to)
{
	struct part out = {0, 0};
	double last = 0;
	for (int s = from; s <= to && s <= CENSUS_SHELLS; s++) {
		double upto = s < to ? within[s] : 1;
		if (s > 0) {
			out.norm += (upto - last) * w->rate[s - 1];
			out.lacks += (upto - last) * lacks[s - 1];
		}
		last = upto;
	}
	double beyond = 1 - last;
	out.norm += beyond * w->rate[CENSUS_SHELLS - 1];
	out.lacks += beyond * w->rate[CENSUS_SHELLS - 1];
	return out;
}

/* What of each shell is lacking in a cell: its group's; coarser ones than the census lie in several, which are averaged (in room). */
static const double *lacks_of(const struct sweep *w, const struct missing *k, uint64_t uniq, double room[CENSUS_SHELLS])
{
	int order = skymap_order(uniq);
	uint64_t first = skymap_first(uniq) >> (2 * (29 - CENSUS_ORDER));
	if (order >= CENSUS_ORDER)
		return w->lacks[k->group[first]];
	uint64_t n = UINT64_C(1) << (2 * (CENSUS_ORDER - order));
	for (int s = 0; s < CENSUS_SHELLS; s++) {
		double sum = 0;
		for (uint64_t i = 0; i < n; i++)
			sum += w->lacks[k->group[first + i]][s];
		room[s] = sum / (double)n;
	}
	return room;
}

/* ∫ (dP/dV)² r² dr Ω of one cell; without distances the prior's own, once for all. */
static double cell_square(const struct skymap *m, int64_t i, double flat)
{
	double p = m->density[i], sr = skymap_pixel_sr(skymap_order(m->uniq[i]));
	return p * p * sr * (m->norm == NULL ? flat : tail_square(m->mu[i], m->sigma[i]));
}

static double prior_square(const struct weight_distance *p)
{
	double sum = 0, last = 0;
	for (int i = 1; i <= 1000; i++) { /* by steps of 1 % in distance, to 20,000 Mpc */
		double r = pow(10, -0.005 + 0.0043 * i), q = weight_distance_density(p, r, 0);
		sum += q * q * r * r * (r - last);
		last = r;
	}
	return sum;
}

/* The same ∫ r² q dr for all cells of a 2-D map, from the prior. */
static void prior_within(const struct weight_distance *p, const struct sweep *w, double within[CENSUS_SHELLS + 1])
{
	for (int s = 0; s <= CENSUS_SHELLS; s++)
		within[s] = weight_distance_within(p, w->edge_mpc[s]);
}

void missing_per_cell(const struct skymap *m, const struct missing *k, double *out, struct missing_sum *sum)
{
	double within[CENSUS_SHELLS + 1], room[CENSUS_SHELLS], all = 0, weight = 0, square = 0, flat = 0;
	const double *lacks, *last_lacks = NULL;
	struct part part = {0, 0};
	struct sweep w;
	int from = 0, to = CENSUS_SHELLS + 1;
	int64_t last = -1; /* flat maps repeat the cells that they were made from */
	*sum = (struct missing_sum){.norm = NAN};
	sweep_make(&w, k);
	if (m->norm == NULL) {
		prior_within(&k->weight->distance, &w, within);
		flat = prior_square(&k->weight->distance);
	}
	for (int64_t i = 0; i < m->cells; i++) {
		double p = m->density[i] * skymap_pixel_sr(skymap_order(m->uniq[i]));
		bool placed = m->norm == NULL || m->norm[i] > 0;
		if (out != NULL)
			out[i] = 0;
		if (p <= 0)
			continue;
		sum->all += p;
		if (!placed)
			continue;
		bool same = last >= 0 && (m->norm == NULL || !(m->mu[i] != m->mu[last] || m->sigma[i] != m->sigma[last]));
		lacks = lacks_of(&w, k, m->uniq[i], room);
		if (m->norm != NULL && !same)
			cell_within(&w, m->mu[i], m->sigma[i], within, &from, &to);
		if (!same || lacks != last_lacks || lacks == room)
			part = part_of(&w, lacks, within, from, to);
		last = i;
		last_lacks = lacks;
		if (out != NULL)
			out[i] = p * part.lacks;
		sum->total += p * part.lacks;
		square += cell_square(m, i, flat);
		all += p * part.norm;
		weight += p;
	}
	sum->placed = weight;
	if (!(all > 0))
		return;
	sum->norm = all / weight;
	sum->total /= sum->norm;
	sum->volume_mpc3 = weight * weight / square;
	for (int64_t i = 0; out != NULL && i < m->cells; i++)
		out[i] /= sum->norm;
}

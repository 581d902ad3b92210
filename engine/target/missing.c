/* Completeness and what is missing: see missing.h. */
#include "engine/target/missing.h"
#include "engine/target/cosmology.h"
#include <math.h>
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

/* ∫ r² N(r; μ, σ) dr from 0 to the far edge of each shell, over that to infinity. */
static void cell_within(double mu, double sigma, double within[CENSUS_SHELLS + 1])
{
	double a = mu / sigma, below = mu * mu + sigma * sigma;
	double phi0 = exp(-0.5 * a * a) / SQRT_2PI, cdf0 = 0.5 * erfc(a * M_SQRT1_2);
	double first = below * cdf0 - sigma * mu * phi0, all = below - first;
	for (int s = 0; s <= CENSUS_SHELLS; s++) {
		double r = census_edge_mpc(s), t = (r - mu) / sigma;
		if (t < -9 || t > 9)
			within[s] = t > 0;
		else
			within[s] = (below * 0.5 * erfc(-t * M_SQRT1_2) - sigma * (mu + r) * exp(-0.5 * t * t) / SQRT_2PI - first) / all;
	}
}

/* Of the probability in a cell of a census group: what the catalogue lacks, and the norm; both without the cell's own probability. */
struct part {
	double lacks[MISSING_GROUPS], norm;
};

static void part_of(const struct missing *k, const double rate[CENSUS_SHELLS], const double within[CENSUS_SHELLS + 1], struct part *out)
{
	*out = (struct part){.norm = 0};
	for (int s = 0; s < CENSUS_SHELLS; s++) {
		double p = (within[s + 1] - within[s]) * rate[s];
		out->norm += p;
		for (int g = 0; g < MISSING_GROUPS; g++)
			out->lacks[g] += p * (1 - k->complete[g][s]);
	}
	double beyond = (1 - within[CENSUS_SHELLS]) * rate[CENSUS_SHELLS - 1];
	out->norm += beyond;
	for (int g = 0; g < MISSING_GROUPS; g++)
		out->lacks[g] += beyond;
}

/* The middle of a cell's group: cells coarser than the census lie in several; the parts are averaged. */
static double lacks_of(const struct missing *k, uint64_t uniq, const struct part *part)
{
	int order = skymap_order(uniq);
	uint64_t first = skymap_first(uniq) >> (2 * (29 - CENSUS_ORDER));
	uint64_t n = order < CENSUS_ORDER ? UINT64_C(1) << (2 * (CENSUS_ORDER - order)) : 1;
	double sum = 0;
	for (uint64_t i = 0; i < n; i++)
		sum += part->lacks[k->group[first + i]];
	return sum / (double)n;
}

/* ∫ (dP/dV)² r² dr Ω of one cell: r² N² is a Gaussian of σ/√2; without distances the prior's own, once for all. */
static double cell_square(const struct skymap *m, int64_t i, double flat)
{
	double p = m->density[i], sr = skymap_pixel_sr(skymap_order(m->uniq[i]));
	if (m->norm == NULL)
		return p * p * sr * flat;
	double mu = m->mu[i], sigma = m->sigma[i];
	return p * p * sr * m->norm[i] * m->norm[i] * (mu * mu + 0.5 * sigma * sigma) / (2 * sqrt(M_PI) * sigma);
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

void missing_per_cell(const struct skymap *m, const struct missing *k, double *out, struct missing_sum *sum)
{
	double rate[CENSUS_SHELLS], within[CENSUS_SHELLS + 1], all = 0, weight = 0, square = 0, flat = 0;
	struct part part = {.norm = 0};
	int64_t last = -1; /* flat maps repeat the cells that they were made from */
	*sum = (struct missing_sum){.norm = NAN};
	for (int s = 0; s < CENSUS_SHELLS; s++) { /* j · dV_C/dV_L in the middle of the shell */
		double d = 0.5 * (census_edge_mpc(s) + census_edge_mpc(s + 1)), z, ratio = cosmology_volume_ratio(d, &z);
		rate[s] = k->weight->map_prior == WEIGHT_MAP_COMOVING ? 1 : ratio / (1 + z);
	}
	if (m->norm == NULL) {
		for (int s = 0; s <= CENSUS_SHELLS; s++)
			within[s] = weight_distance_within(&k->weight->distance, census_edge_mpc(s));
		part_of(k, rate, within, &part);
		flat = prior_square(&k->weight->distance);
	}
	for (int64_t i = 0; i < m->cells; i++) {
		double p = m->density[i] * skymap_pixel_sr(skymap_order(m->uniq[i]));
		if (out != NULL)
			out[i] = 0;
		if (p <= 0 || (m->norm != NULL && !(m->norm[i] > 0)))
			continue;
		if (m->norm != NULL && (last < 0 || m->mu[i] != m->mu[last] || m->sigma[i] != m->sigma[last])) {
			cell_within(m->mu[i], m->sigma[i], within);
			part_of(k, rate, within, &part);
			last = i;
		}
		double lacks = p * lacks_of(k, m->uniq[i], &part);
		if (out != NULL)
			out[i] = lacks;
		sum->total += lacks;
		square += cell_square(m, i, flat);
		all += p * part.norm;
		weight += p;
	}
	if (!(all > 0))
		return;
	sum->norm = all / weight;
	sum->total /= sum->norm;
	sum->volume_mpc3 = weight * weight / square;
	for (int64_t i = 0; out != NULL && i < m->cells; i++)
		out[i] /= sum->norm;
}

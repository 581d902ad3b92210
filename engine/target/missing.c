/* Completeness and what is missing: see missing.h. */
#include "engine/target/missing.h"
#include "engine/target/cosmology.h"
#include <math.h>
#include <stdlib.h>

#define SQRT_2PI 2.50662827463100050242
#define WIDE_MPC3 2e6 /* a shell is widened until it holds so much: a sphere of 78 Mpc, whose density scatters by about 0.15 */
#define WIDE_SHELLS 3 /* but by no more on either side: a factor of 1.54 in distance */

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

void missing_make(struct missing *out, const struct census *k, const struct weight *w)
{
	double held[MISSING_GROUPS][CENSUS_SHELLS] = {{0}}, volume[CENSUS_SHELLS];
	*out = (struct missing){.weight = w};
	groups_make(out, k);
	for (int s = 0; s < CENSUS_SHELLS; s++)
		volume[s] = cosmology_volume_mpc3(census_edge_mpc(s + 1)) - cosmology_volume_mpc3(census_edge_mpc(s));
	for (int cell = 0; cell < CENSUS_CELLS; cell++)
		for (int s = 0; s < CENSUS_SHELLS; s++)
			held[out->group[cell]][s] += bin_weight(&k->bin[cell][s], w, s);
	for (int g = 0; g < MISSING_GROUPS; g++) {
		double part = (double)out->group_cells[g] / CENSUS_CELLS;
		for (int s = 0; s < CENSUS_SHELLS && part > 0; s++) {
			double sum = held[g][s], mpc3 = part * volume[s];
			for (int wide = 1; wide <= WIDE_SHELLS && mpc3 < WIDE_MPC3; wide++)
				for (int side = -1; side <= 1; side += 2) {
					int t = s + side * wide;
					if (t < 0 || t >= CENSUS_SHELLS)
						continue;
					sum += held[g][t];
					mpc3 += part * volume[t];
				}
			out->complete[g][s] = fmin(1, sum / (w->density_per_mpc3 * mpc3));
		}
	}
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

void missing_per_cell(const struct skymap *m, const struct missing *k, double *out, double *total, double *norm)
{
	double rate[CENSUS_SHELLS], within[CENSUS_SHELLS + 1], sum = 0, all = 0, weight = 0;
	struct part part = {.norm = 0};
	int64_t last = -1; /* flat maps repeat the cells that they were made from */
	for (int s = 0; s < CENSUS_SHELLS; s++) { /* j · dV_C/dV_L in the middle of the shell's volume */
		double d = 0.5 * (census_edge_mpc(s) + census_edge_mpc(s + 1)), z, ratio = cosmology_volume_ratio(d, &z);
		rate[s] = k->weight->map_prior == WEIGHT_MAP_COMOVING ? 1 : ratio / (1 + z);
	}
	if (m->norm == NULL) {
		for (int s = 0; s <= CENSUS_SHELLS; s++)
			within[s] = weight_distance_within(&k->weight->distance, census_edge_mpc(s));
		part_of(k, rate, within, &part);
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
		sum += lacks;
		all += p * part.norm;
		weight += p;
	}
	*norm = weight > 0 ? all / weight : NAN;
	for (int64_t i = 0; out != NULL && i < m->cells; i++)
		out[i] /= *norm > 0 ? *norm : 1;
	*total = *norm > 0 ? sum / *norm : 0;
}

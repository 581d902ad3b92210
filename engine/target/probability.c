/* From scores to probabilities: see probability.h. */
#include "engine/target/probability.h"
#include <math.h>
#include <stdlib.h>

int probability_model_make(struct probability_model *out, const struct catalog *c, enum weight_kind kind, const double *column, double density,
	struct err *e)
{
	*out = (struct probability_model){.census = NULL};
	if (census_make(c, &out->census, e) < 0)
		return -1;
	weight_make(&out->weight, kind, c, out->census, column, density);
	missing_make(&out->missing, out->census, &out->weight);
	return 0;
}

void probability_model_prior(struct probability_model *m, enum weight_map_prior map_prior, struct weight_distance distance)
{
	weight_prior(&m->weight, map_prior, distance);
}

void probability_model_free(struct probability_model *m)
{
	free(m->census);
	m->census = NULL;
}

/* b of probability.h. */
static double contrast(double seen, double expected, const struct ranking *r, double volume_mpc3)
{
	double n = r->total_square > 0 ? r->total_rate * r->total_rate / r->total_square : 0, k = 1 / missing_variance(volume_mpc3);
	return seen > 0 && expected > 0 && isfinite(k) ? (k + n) / (k + n * expected / seen) : 1;
}

/* A cell without a distance is not in the catalogue's reach: what it holds stays on the sky. */
static void cells_scale(const struct skymap *m, const struct probability *p, double factor, double all, double *cell_missing)
{
	for (int64_t i = 0; i < m->cells; i++)
		if (m->norm == NULL || m->norm[i] > 0)
			cell_missing[i] *= factor;
		else
			cell_missing[i] = p->unplaced > 0 ? m->density[i] * skymap_pixel_sr(skymap_order(m->uniq[i])) / all : 0;
}

void probability_make(struct probability *out, const struct skymap *m, const struct missing *k, const struct ranking *r, double *cell_missing)
{
	const struct weight *w = k->weight;
	struct missing_sum sum;
	*out = (struct probability){.outside = NAN, .inside = r->total_rate > 0, .catalogue = NAN, .lacking = NAN, .contrast = NAN};
	out->flat = m->norm == NULL && w->distance.kind == WEIGHT_PRIOR_NONE;
	double total = out->flat ? r->total : r->total_rate;
	if (total > 0)
		out->scale = 1 / total;
	for (int64_t i = 0; cell_missing != NULL && i < m->cells; i++)
		cell_missing[i] = 0;
	if (!(w->density_per_mpc3 > 0) || out->flat)
		return;
	missing_per_cell(m, k, cell_missing, &sum);
	out->catalogue = r->total_rate / (w->density_per_mpc3 * sum.norm);
	out->contrast = contrast(out->catalogue, sum.placed - sum.total, r, sum.volume_mpc3);
	out->lacking = sum.total * out->contrast;
	double all = out->catalogue + out->lacking;
	if (!(all > 0) || !isfinite(all))
		return;
	out->unplaced = 1 - sum.placed / sum.all;
	out->inside = (1 - out->unplaced) * out->catalogue / all;
	out->outside = r->total_rate > 0 || r->without_weight == 0 ? 1 - out->inside : NAN; /* galaxies are there, of unknown weight */
	out->scale *= out->inside;
	if (cell_missing != NULL)
		cells_scale(m, out, (1 - out->unplaced) * out->contrast / all, sum.all, cell_missing);
}

double probability_row(const struct probability *p, const struct weight *w, const struct catalog *c, const struct ranked *r)
{
	return p->scale * r->score * (p->flat ? 1 : weight_rate(w, catalog_distance_mpc(c, r->row)));
}

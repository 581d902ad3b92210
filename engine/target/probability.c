/* From scores to probabilities: see probability.h. */
#include "engine/target/probability.h"
#include <math.h>

void probability_make(struct probability *out, const struct skymap *m, const struct missing *k, const struct ranking *r, double *cell_missing)
{
	const struct weight *w = k->weight;
	double norm;
	*out = (struct probability){.outside = NAN, .inside = r->total_rate > 0, .catalogue = NAN, .lacking = NAN};
	if (r->total_rate > 0)
		out->scale = 1 / r->total_rate;
	for (int64_t i = 0; cell_missing != NULL && i < m->cells; i++)
		cell_missing[i] = 0;
	if (!(w->density_per_mpc3 > 0) || (m->norm == NULL && w->distance.kind == WEIGHT_PRIOR_NONE))
		return;
	missing_per_cell(m, k, cell_missing, &out->lacking, &norm);
	out->catalogue = r->total_rate / (w->density_per_mpc3 * norm);
	double all = out->catalogue + out->lacking;
	if (!(all > 0) || !isfinite(all))
		return;
	out->outside = out->lacking / all;
	out->inside = out->catalogue / all;
	out->scale *= out->inside;
	for (int64_t i = 0; cell_missing != NULL && i < m->cells; i++)
		cell_missing[i] /= all;
}

double probability_row(const struct probability *p, const struct weight *w, const struct catalog *c, const struct ranked *r)
{
	return p->scale * r->score * weight_rate(w, catalog_distance_mpc(c, r->row));
}

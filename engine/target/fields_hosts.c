/* Galaxies and sky with their probabilities, as fields want them: see fields_hosts.h. */
#include "engine/target/fields_hosts.h"
#include "engine/target/fields_parts.h"
#include "engine/target/probability.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

int fields_from_find(const char *name)
{
	static const char *const names[] = {"galaxies", "fields", "both"};
	for (int i = 0; i < 3; i++)
		if (strcmp(name, names[i]) == 0)
			return i;
	return -1;
}

void fields_hosts_free(struct fields_hosts *h)
{
	rank_free(&h->ranking);
	free(h->galaxy);
	free(h->missing);
	*h = (struct fields_hosts){0};
}

static void sky_fill(const struct skymap *m, double part, double *missing)
{
	for (int64_t i = 0; i < m->cells; i++)
		missing[i] = part * m->density[i] * skymap_pixel_sr(skymap_order(m->uniq[i]));
}

/* Probabilities of galaxies: as hosts, or as a part of what has a score where the mean density is not known. */
struct shares {
	const struct catalog *catalog;
	const struct probability_model *model;
	struct probability p;
	double part; /* of all that all galaxies hold together, where nothing is known of the rest */
};

static double share_of(const struct shares *s, const struct ranked *r)
{
	return isfinite(s->p.outside) ? probability_row(&s->p, &s->model->weight, s->catalog, r) : s->part * r->share;
}

static int galaxies_fill(const struct shares *s, int64_t top, struct fields_hosts *out, struct err *e)
{
	out->galaxies = out->ranking.count > (size_t)top ? (size_t)top : out->ranking.count;
	out->galaxy = calloc(out->galaxies + 1, sizeof *out->galaxy);
	if (out->galaxy == NULL)
		return err_set(e, ERR_MEMORY, "no memory for %zu galaxies", out->galaxies);
	for (size_t i = 0; i < out->galaxies; i++) {
		struct catalog_row row;
		catalog_row_at(s->catalog, out->ranking.list[i].row, &row);
		out->galaxy[i] = (struct fields_galaxy){row.ra_deg, row.dec_deg, row.distance_mpc, share_of(s, &out->ranking.list[i])};
	}
	return 0;
}

/* Galaxies that are not packed: each in its cell, and the rest of the many as the map itself. */
static void others_spread(const struct shares *s, const struct skymap *m, struct fields_hosts *out)
{
	double left = isfinite(s->p.outside) ? s->p.inside : s->part, all = 0;
	for (size_t i = 0; i < out->ranking.count; i++) {
		const struct ranked *r = &out->ranking.list[i];
		double share = share_of(s, r);
		left -= share;
		if (i < out->galaxies)
			continue;
		struct catalog_row row;
		catalog_row_at(s->catalog, r->row, &row);
		int64_t cell = fields_cell(m, moc_pixel(MOC_ORDER, row.ra_deg, row.dec_deg));
		if (cell < m->cells)
			out->missing[cell] += share;
	}
	for (int64_t i = 0; i < m->cells; i++)
		all += m->density[i] * skymap_pixel_sr(skymap_order(m->uniq[i]));
	for (int64_t i = 0; left > 1e-9 && all > 0 && i < m->cells; i++)
		out->missing[i] += left / all * m->density[i] * skymap_pixel_sr(skymap_order(m->uniq[i]));
}

static int both_make(const struct skymap *m, const struct catalog *c, enum fields_from from, enum weight_kind kind, int64_t top, struct fields_hosts *out,
	struct err *e)
{
	struct probability_model *model = calloc(1, sizeof *model); /* a worker's stack is small */
	struct shares s = {.catalog = c, .model = model};
	int rc = model ? probability_model_make(model, c, kind, NULL, NAN, e) : err_set(e, ERR_MEMORY, "no memory for the weights of galaxies");
	if (rc == 0) {
		const struct rank_options o = {.distance_error = true, .top = out->missing ? FIELDS_SPREAD : top, .probability = NAN, .by = &model->weight};
		rc = rank_galaxies(m, c, &o, &out->ranking, e);
	}
	if (rc == 0) {
		probability_make(&s.p, m, &model->missing, &out->ranking, out->missing);
		out->outside = s.p.outside;
		s.part = out->ranking.count == 0 ? 0 : from == FIELDS_FROM_GALAXIES ? 1 : 0.5;
		if (out->missing != NULL && !isfinite(s.p.outside))
			sky_fill(m, 1 - s.part, out->missing);
		rc = galaxies_fill(&s, top, out, e);
	}
	if (rc == 0 && out->missing != NULL)
		others_spread(&s, m, out);
	if (model != NULL)
		probability_model_free(model);
	free(model);
	return rc;
}

int fields_hosts_make(const struct skymap *m, const struct catalog *c, enum fields_from from, enum weight_kind weight, int64_t top,
	struct fields_hosts *out, struct err *e)
{
	*out = (struct fields_hosts){.outside = NAN};
	if (from != FIELDS_FROM_GALAXIES && (out->missing = calloc((size_t)m->cells, sizeof *out->missing)) == NULL)
		return err_set(e, ERR_MEMORY, "no memory for %lld cells of a sky map", (long long)m->cells);
	if (from == FIELDS_FROM_SKY) {
		sky_fill(m, 1, out->missing);
		return 0;
	}
	if (c == NULL)
		return err_set(e, ERR_INPUT, "there is no galaxy catalogue; name one, or tile the map alone (from \"fields\")");
	if (both_make(m, c, from, weight, top, out, e) < 0) {
		fields_hosts_free(out);
		return -1;
	}
	return 0;
}

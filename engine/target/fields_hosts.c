/* Galaxies and sky with their probabilities, as fields want them: see fields_hosts.h. */
#include "engine/target/fields_hosts.h"
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

static int galaxies_fill(const struct catalog *c, const struct probability *p, const struct weight *w, double part, struct fields_hosts *out, struct err *e)
{
	out->galaxy = calloc(out->ranking.count + 1, sizeof *out->galaxy);
	if (out->galaxy == NULL)
		return err_set(e, ERR_MEMORY, "no memory for %zu galaxies", out->ranking.count);
	out->galaxies = out->ranking.count;
	for (size_t i = 0; i < out->galaxies; i++) {
		struct catalog_row row;
		catalog_row_at(c, out->ranking.list[i].row, &row);
		out->galaxy[i] = (struct fields_galaxy){row.ra_deg, row.dec_deg, row.distance_mpc, part * out->ranking.list[i].share};
		if (isfinite(p->outside))
			out->galaxy[i].probability = probability_row(p, w, c, &out->ranking.list[i]);
	}
	return 0;
}

/* The big ones live on the heap: a worker's stack is small. */
struct models {
	struct weight weight;
	struct missing missing;
};

static int both_make(const struct skymap *m, const struct catalog *c, enum fields_from from, enum weight_kind kind, int64_t top, struct fields_hosts *out,
	struct err *e)
{
	struct census *census = NULL;
	struct probability p;
	struct models *k = calloc(1, sizeof *k);
	int rc = k ? census_make(c, &census, e) : err_set(e, ERR_MEMORY, "no memory for the weights of galaxies");
	if (rc == 0) {
		weight_make(&k->weight, kind, c, census, NULL, NAN);
		missing_make(&k->missing, census, &k->weight);
		const struct rank_options o = {.distance_error = true, .top = top, .probability = NAN, .by = &k->weight};
		rc = rank_galaxies(m, c, &o, &out->ranking, e);
	}
	if (rc == 0) {
		probability_make(&p, m, &k->missing, &out->ranking, out->missing);
		out->outside = p.outside;
		double part = from == FIELDS_FROM_GALAXIES || out->ranking.count == 0 ? 1 : 0.5;
		if (out->missing != NULL && !isfinite(p.outside))
			sky_fill(m, out->ranking.count == 0 ? 1 : 1 - part, out->missing);
		rc = galaxies_fill(c, &p, &k->weight, part, out, e);
	}
	free(census);
	free(k);
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

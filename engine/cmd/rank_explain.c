/* slew rank --explain NAME: each factor of a galaxy's probability, in the order in which they are multiplied. */
#include "engine/base/json.h"
#include "engine/cmd/cmd.h"
#include "engine/cmd/mapfile.h"
#include "engine/cmd/rank_print.h"
#include "engine/target/volume.h"
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Same but for blanks, '_' and case. */
static bool same_name(const char *a, const char *b)
{
	for (;;) {
		while (isspace((unsigned char)*a) || *a == '_')
			a++;
		while (isspace((unsigned char)*b) || *b == '_')
			b++;
		if (*a == '\0' || *b == '\0')
			return *a == *b;
		if (toupper((unsigned char)*a++) != toupper((unsigned char)*b++))
			return false;
	}
}

/* The cell that holds a pixel of order 29, or −1. */
static int64_t cell_of(const struct skymap *m, uint64_t ipix29)
{
	int64_t low = 0, high = m->cells;
	while (low < high) {
		int64_t mid = low + (high - low) / 2;
		if (skymap_first(m->uniq[mid]) <= ipix29)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == 0)
		return -1;
	uint64_t uniq = m->uniq[low - 1], size = UINT64_C(1) << (2 * (29 - skymap_order(uniq)));
	return ipix29 - skymap_first(uniq) < size ? low - 1 : -1;
}

struct factors {
	struct catalog_row g;
	int64_t cell;
	size_t rank; /* 0: not in the list */
	const struct ranked *entry;
	double sigma_d, tension; /* of the map's and the galaxy's distance, in σ of both */
	double level; /* part of the map's probability in denser places */
	double dpdv, weight, rate, norm, complete, probability;
	bool weight_is_mean, in_reach; /* the map has what a score needs there */
};

/* Of the galaxy's own place, as --volumes has it; NaN for a map without distances. */
static int level_of(const struct skymap *m, const struct catalog_row *g, double *level, struct err *e)
{
	struct volume volume;
	double density = volume_density(m, g->ipix29, g->distance_mpc);
	*level = NAN;
	if (m->norm == NULL || !(density > 0))
		return 0;
	if (volume_open(&volume, m, e) < 0)
		return -1;
	int rc = volume_levels(&volume, &density, 1, level, e);
	volume_close(&volume);
	return rc;
}

static int factors_of(const struct rank_view *v, int64_t row, struct factors *f, struct err *e)
{
	const struct weight *w = &v->model->weight;
	*f = (struct factors){.tension = NAN, .dpdv = NAN};
	catalog_row_at(v->catalog, row, &f->g);
	f->cell = cell_of(v->map, f->g.ipix29);
	f->sigma_d = v->distance_error && f->g.distance_err_mpc > 0 && isfinite(f->g.distance_err_mpc) ? (double)f->g.distance_err_mpc : 0;
	for (size_t i = 0; i < v->ranking->count && f->rank == 0; i++)
		if (v->ranking->list[i].row == row) {
			f->rank = i + 1;
			f->entry = &v->ranking->list[i];
		}
	f->weight = weight_row(w, v->catalog, row, f->g.distance_mpc, f->sigma_d, &f->weight_is_mean);
	if (w->distance.kind != WEIGHT_PRIOR_NONE)
		f->weight /= weight_distance_density(&w->distance, f->g.distance_mpc, f->sigma_d);
	f->rate = v->probability->flat ? 1 : weight_rate(w, f->g.distance_mpc);
	f->complete = w->density_per_mpc3 > 0 ? missing_completeness(&v->model->missing, f->g.ipix29, f->g.distance_mpc) : NAN;
	f->norm = v->ranking->total_rate / (w->density_per_mpc3 * v->probability->catalogue);
	if (f->cell >= 0 && v->map->norm != NULL && v->map->norm[f->cell] > 0) {
		f->dpdv = rank_dpdv(v->map, f->cell, f->g.distance_mpc, f->sigma_d);
		f->tension = (f->g.distance_mpc - v->map->mu[f->cell]) / hypot(v->map->sigma[f->cell], f->sigma_d);
	} else if (f->cell >= 0 && v->map->norm == NULL && w->distance.kind != WEIGHT_PRIOR_NONE) {
		f->dpdv = v->map->density[f->cell] * weight_distance_density(&w->distance, f->g.distance_mpc, f->sigma_d);
	}
	f->in_reach = f->cell >= 0 && (v->map->norm == NULL || isfinite(f->dpdv));
	struct ranked r = {.row = row, .score = f->in_reach ? (isfinite(f->dpdv) ? f->dpdv : v->map->density[f->cell]) * f->weight : 0};
	f->probability = r.score > 0 ? probability_row(v->probability, w, v->catalog, &r) : 0;
	return level_of(v->map, &f->g, &f->level, e);
}

static void position_print(const struct rank_view *v, const struct factors *f)
{
	const struct skymap *m = v->map;
	const struct catalog_row *g = &f->g;
	printf("%s (id %lld)  RA %.5f  Dec %+.5f  ", g->name, (long long)g->id, g->ra_deg, g->dec_deg);
	if (isfinite(g->distance_mpc))
		printf("distance %.2f ± %.2f Mpc (%s)\n", g->distance_mpc, f->sigma_d, catalog_distance_name(g->flags));
	else
		puts("no distance");
	if (f->cell < 0) {
		puts("  not in the map's area");
		return;
	}
	printf("  cell            order %d, %.4g deg²: %.4g per sr = %.4g %% per deg²\n", skymap_order(m->uniq[f->cell]),
		skymap_pixel_sr(skymap_order(m->uniq[f->cell])) * 3282.806350011744, m->density[f->cell],
		100 * m->density[f->cell] / 3282.806350011744);
	if (m->norm != NULL && m->norm[f->cell] > 0)
		printf("  distance        of the map there %.2f ± %.2f Mpc: the galaxy stands %+.2f σ (both errors)\n", m->mu[f->cell], m->sigma[f->cell],
			f->tension);
	else if (m->norm != NULL)
		puts("  distance        the map has none there");
	else
		printf("  distance        the map has none%s\n", isfinite(f->dpdv) ? ": from the prior" : ", and no prior is given");
	if (isfinite(f->dpdv))
		printf("  dP/dV           %.6e per Mpc³ of luminosity-distance space\n", f->dpdv);
	if (isfinite(f->level))
		printf("  volume level    %.2f %% of the probability lies in denser places\n", 100 * f->level);
}

static void factors_print(const struct rank_view *v, const struct factors *f)
{
	const struct weight *w = &v->model->weight;
	const struct probability *p = v->probability;
	position_print(v, f);
	if (f->cell < 0)
		return;
	printf("× weight          %.4g %s (%s)\n", f->weight, w->unit, f->weight_is_mean ? "not in the catalogue: the mean of its distance" :
		w->kind == WEIGHT_LUMINOSITY ? "from its B magnitude and distance" : w->kind == WEIGHT_MASS ? "stellar mass of the catalogue" :
		w->kind == WEIGHT_COLUMN ? "from the file" : "every galaxy counts alike");
	if (!p->flat)
		printf("× rate            %.5f = %s\n", f->rate, w->map_prior == WEIGHT_MAP_COMOVING ?
			"dV_L/dV_C: the map's prior is comoving volume and source time" : "1/(1 + z): the map's prior is d_L²");
	if (isfinite(p->outside)) {
		printf("÷ mean density    %.4g %s per Mpc³ (%s)\n", w->density_per_mpc3, w->unit, w->source);
		printf("÷ volume          %.5f = mean over the map of rate × dV_C/dV_L\n", f->norm);
		printf("= before renorm.  %.6e; the catalogue's sum %.4f, and %.4f that it lacks (%.2f × the mean, as dense as its own galaxies say)\n",
			f->probability * (p->catalogue + p->lacking) / (1 - p->unplaced), p->catalogue, p->lacking, p->contrast);
		printf("÷ their sum       %.4f\n", p->catalogue + p->lacking);
		if (p->unplaced >= 0.0005)
			printf("× within reach    %.4f of the map's probability lies where it has a distance\n", 1 - p->unplaced);
		printf("  completeness    %.2f of the weight at this place and distance is in the catalogue\n", f->complete);
	} else {
		printf("÷ their sum       %.6e over the catalogue's galaxies (what it lacks is not known)\n", p->flat ? v->ranking->total : v->ranking->total_rate);
	}
	if (f->entry != NULL)
		printf("= probability     %.4f %%   rank %zu, share %.4f %%, cumulative share %.2f %%\n", 100 * f->probability, f->rank,
			100 * f->entry->share, 100 * f->entry->cumulative_share);
	else if (f->probability > 0)
		printf("= probability     %.3g %%   behind the first %zu\n", 100 * f->probability, v->ranking->count);
	else
		puts("= probability     0: it has no score");
}

static int factors_json(const struct rank_view *v, const struct factors *f)
{
	const struct weight *w = &v->model->weight;
	const struct skymap *m = v->map;
	bool in = f->cell >= 0, is_3d = in && m->norm != NULL && m->norm[f->cell] > 0;
	json_t *o = json_pack("{s:I s:s s:o s:o s:o s:o s:s s:o s:o s:o s:o s:o}", "id", (json_int_t)f->g.id, "name", f->g.name, "ra_deg",
		json_real(f->g.ra_deg), "dec_deg", json_real(f->g.dec_deg), "distance_mpc", json_real_or_null(f->g.distance_mpc), "distance_err_mpc",
		json_real_or_null((double)f->g.distance_err_mpc), "distance_kind", catalog_distance_name(f->g.flags), "density_per_sr",
		json_real_or_null(in ? m->density[f->cell] : NAN), "map_distance_mpc", json_real_or_null(is_3d ? m->mu[f->cell] : NAN),
		"map_distance_err_mpc", json_real_or_null(is_3d ? m->sigma[f->cell] : NAN), "distance_sigmas", json_real_or_null(f->tension),
		"dpdv_per_mpc3", json_real_or_null(f->dpdv));
	json_t *more = json_pack("{s:o s:b s:s s:o s:s s:o s:o s:o s:o s:o s:o s:o s:o s:o s:o s:o}", "weight", json_real_or_null(f->weight), "weight_is_mean",
		f->weight_is_mean, "weight_unit", w->unit, "density_per_mpc3", json_real_or_null(w->density_per_mpc3), "density_source", w->source,
		"rate", json_real_or_null(f->rate), "volume_norm", json_real_or_null(f->norm), "completeness", json_real_or_null(f->complete),
		"catalogue_sum", json_real_or_null(v->probability->catalogue), "lacking_sum", json_real_or_null(v->probability->lacking), "contrast",
		json_real_or_null(v->probability->contrast), "probability", json_real_or_null(f->probability), "share",
		json_real_or_null(f->entry != NULL ? f->entry->share : NAN), "rank", f->rank > 0 ? json_integer((json_int_t)f->rank) : json_null(),
		"outside", json_real_or_null(v->probability->outside), "volume_level", json_real_or_null(f->level));
	if (o != NULL && more != NULL)
		json_object_update(o, more);
	json_decref(more);
	return cmd_print_object(o);
}

int rank_explain(const struct rank_view *v, const char *name)
{
	int found = 0, rc = 0;
	struct err e = {0};
	for (int64_t row = 0; row < v->catalog->count && rc == 0; row++) {
		struct catalog_row g;
		struct factors f;
		catalog_row_at(v->catalog, row, &g);
		const char *colon = strrchr(g.name, ':');
		if (!same_name(g.name, name) && (colon == NULL || !same_name(colon + 1, name)))
			continue;
		if (factors_of(v, row, &f, &e) < 0)
			rc = err_print(&e);
		else if (v->form == RANK_JSON)
			rc = factors_json(v, &f);
		else
			factors_print(v, &f);
		found++;
	}
	if (found == 0) {
		err_set(&e, ERR_INPUT, "%s: the catalogue has no galaxy of that name; `slew rank --json` prints the names as they stand in it", name);
		return err_print(&e);
	}
	return rc;
}

/* Tables, CSV and JSON of a ranking: see rank_print.h. */
#include "engine/cmd/rank_print.h"
#include "engine/base/json.h"
#include "engine/cmd/cmd.h"
#include "engine/cmd/mapfile.h"
#include "engine/target/region.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static double probability_of(const struct rank_view *v, const struct ranked *r)
{
	return probability_row(v->probability, &v->model->weight, v->catalog, r);
}

/* dP/dV of a row in the list, without the prior on distance that the weight may hold; NaN on a 2-D map without one. */
static double dpdv_of(const struct rank_view *v, const struct ranked *r, const struct catalog_row *g)
{
	const struct weight_distance *p = &v->model->weight.distance;
	if (v->ranking->is_3d || p->kind == WEIGHT_PRIOR_NONE)
		return r->dpdv_per_mpc3;
	double err = v->distance_error && g->distance_err_mpc > 0 ? (double)g->distance_err_mpc : 0, q = weight_distance_density(p, g->distance_mpc, err);
	return q > 0 ? r->score / r->weight * q : NAN; /* score is density × weight, and the prior is in the weight */
}

/* What the galaxy counts for, without the prior on distance that rank_galaxies has in it. */
static double weight_of(const struct rank_view *v, const struct catalog_row *g, const struct ranked *r)
{
	double err = v->distance_error && g->distance_err_mpc > 0 ? (double)g->distance_err_mpc : 0;
	return r->weight / weight_distance_density(&v->model->weight.distance, g->distance_mpc, err);
}

static int line_json(const struct rank_view *v, const struct catalog_row *g, const struct ranked *r, size_t rank)
{
	json_t *o = json_pack("{s:I s:I s:s s:o s:o s:o s:o s:o s:o s:o s:o s:o s:o s:b}", "rank", (json_int_t)rank, "id", (json_int_t)g->id, "name",
		g->name, "ra_deg", json_real(g->ra_deg), "dec_deg", json_real(g->dec_deg), "distance_mpc", json_real_or_null(g->distance_mpc),
		"distance_err_mpc", json_real_or_null((double)g->distance_err_mpc), "dpdv_per_mpc3", json_real_or_null(dpdv_of(v, r, g)),
		"share", json_real_or_null(r->share), "cumulative_share", json_real_or_null(r->cumulative_share), "probability",
		json_real_or_null(probability_of(v, r)),
		"outside", json_real_or_null(v->probability->outside), "weight", json_real_or_null(weight_of(v, g, r)), "weight_is_mean",
		r->weight_is_mean);
	if (v->level != NULL && (json_object_set_new(o, "volume_level", json_real_or_null(v->level[rank - 1])) != 0 ||
		json_object_set_new(o, "volume50_mpc3", json_real_or_null(v->volume50_mpc3)) != 0 ||
		json_object_set_new(o, "volume90_mpc3", json_real_or_null(v->volume90_mpc3)) != 0)) {
		json_decref(o);
		o = NULL;
	}
	return cmd_print_object(o);
}

/* Empty where unknown. */
static void csv_number(double v, const char *format)
{
	putchar(',');
	if (isfinite(v))
		printf(format, v);
}

static void line_csv(const struct rank_view *v, const struct catalog_row *g, const struct ranked *r, size_t rank)
{
	printf("%zu,%lld,\"", rank, (long long)g->id);
	for (const char *s = g->name; *s; s++)
		printf(*s == '"' ? "\"\"" : "%c", *s);
	printf("\",%.8f,%.8f", g->ra_deg, g->dec_deg);
	csv_number(g->distance_mpc, "%.17g");
	csv_number((double)g->distance_err_mpc, "%.9g");
	csv_number(dpdv_of(v, r, g), "%.17g");
	csv_number(r->share, "%.17g");
	csv_number(r->cumulative_share, "%.17g");
	csv_number(probability_of(v, r), "%.17g");
	csv_number(v->probability->outside, "%.17g");
	csv_number(weight_of(v, g, r), "%.9g");
	fputs(r->weight_is_mean ? ",true" : ",false", stdout);
	if (v->level != NULL) {
		csv_number(v->level[rank - 1], "%.17g");
		csv_number(v->volume50_mpc3, "%.17g");
		csv_number(v->volume90_mpc3, "%.17g");
	}
	putchar('\n');
}

static void line_table(const struct rank_view *v, const struct catalog_row *g, const struct ranked *r, size_t rank)
{
	char distance[32] = "-", density[32] = "-";
	double dpdv = dpdv_of(v, r, g);
	if (isfinite(g->distance_mpc) && isfinite(g->distance_err_mpc))
		snprintf(distance, sizeof distance, "%.1f ± %.1f", g->distance_mpc, (double)g->distance_err_mpc);
	else if (isfinite(g->distance_mpc))
		snprintf(distance, sizeof distance, "%.1f", g->distance_mpc);
	if (isfinite(dpdv))
		snprintf(density, sizeof density, "%.3e", dpdv);
	int wide = strstr(distance, "±") != NULL; /* two bytes, one column */
	printf("%5zu  %-32s %10.5f %+10.5f  %*s  %13s", rank, g->name, g->ra_deg, g->dec_deg, 14 + wide, distance, density);
	if (isfinite(r->share))
		printf("  %6.2f %6.1f %8.3f", 100 * r->share, 100 * r->cumulative_share, 100 * probability_of(v, r));
	else
		printf("  %6s %6s %8s", "-", "-", "-");
	if (v->level != NULL && isfinite(v->level[rank - 1]))
		printf("  %6.2f", 100 * v->level[rank - 1]);
	else if (v->level != NULL)
		printf("  %6s", "-");
	puts(r->weight_is_mean ? "  (mean weight)" : "");
}

/* What cannot be known is said with its reason, not left out. */
static void outside_print(const struct rank_view *v, FILE *to)
{
	const struct probability *p = v->probability;
	const struct weight *w = &v->model->weight;
	fputs("P(host not in the catalogue) ", to);
	if (isfinite(p->outside) && p->unplaced >= 0.0005)
		fprintf(to, "= %.1f %%: %.1f %% of the map lies where it has no distance, so that no galaxy has a score; elsewhere", 100 * p->outside,
			100 * p->unplaced);
	else if (isfinite(p->outside))
		fprintf(to, "= %.1f %%:", 100 * p->outside);
	if (isfinite(p->outside))
		fprintf(to, " the catalogue holds %.2f times what a mean universe would have under this map (%.3g %s per Mpc³: %s)\n", p->catalogue,
			w->density_per_mpc3, w->unit, w->source);
	else if (v->ranking->considered < 0)
		fputs("was not asked for (--no-shares)\n", to);
	else if (v->ranking->considered == 0 && w->density_per_mpc3 > 0)
		fprintf(to, "is not known: no galaxy of it %s\n", v->ranking->without_weight > 0 ? "in the map has such a weight" :
			v->ranking->without_distance > 0 ? "in the map has a distance" : v->map->norm != NULL ? "lies where the map has a distance" : "lies in the map");
	else
		fprintf(to, "is not known: %s; probabilities add up to 1 over the catalogue\n", w->density_per_mpc3 > 0 ?
			"the map has no distances (--distance-prior gives it one)" : "the mean density of these weights is not known (--density)");
}

static void headline(const struct rank_view *v, const struct region *g)
{
	const struct skymap *m = v->map;
	const struct ranking *r = v->ranking;
	bool weighted = v->model->weight.kind != WEIGHT_NONE;
	outside_print(v, stdout);
	printf("%s: 50 %% area %.4g deg², 90 %% area %.4g deg², ", m->object[0] ? m->object : "map", g->area50_deg2, g->area90_deg2);
	if (isfinite(g->distmean_mpc))
		printf("distance %.0f ± %.0f Mpc", g->distmean_mpc, g->diststd_mpc);
	else
		printf("distance unknown");
	printf(", best position %.4f %+.4f\n", g->ra_deg, g->dec_deg);
	if (v->level != NULL && isfinite(v->volume50_mpc3))
		printf("50 %% volume %.4g Mpc³, 90 %% volume %.4g Mpc³; vol. %%: of the probability in places denser than the galaxy's\n", v->volume50_mpc3,
			v->volume90_mpc3);
	if (r->considered >= 0)
		printf("%lld of %lld galaxies have a score", (long long)r->considered, (long long)v->catalog->count);
	else
		printf("%lld galaxies, those not in the list not looked at", (long long)v->catalog->count);
	if (r->without_distance > 0)
		printf("; %lld in the map have no distance", (long long)r->without_distance);
	if (r->mean_weight > 0)
		printf("; %lld in the map have no weight: the mean of their distance stands in", (long long)r->mean_weight);
	if (r->without_weight > r->mean_weight)
		printf("; %lld%s have no weight, nor has any at their distance: left out", (long long)(r->without_weight - r->mean_weight),
			r->mean_weight > 0 ? " more" : " in the map");
	printf("\nranked by %s%s%s; distance errors: %s; share: part of the sum over these galaxies; prob.: chance to be the host\n\n",
		r->is_3d ? "dP/dV" : v->model->weight.distance.kind ? "dP/dV (distances from the prior)" :
		"probability per sr (2-D map: distances are not used)", weighted ? " × " : "", weighted ? v->weight : "",
		v->distance_error ? "catalogue" : "none");
	printf("%5s  %-32s %10s %10s  %14s  %14s %7s %6s %8s%s\n", "rank", "name", "RA [deg]", "Dec [deg]", "dist [Mpc]", "dP/dV [/Mpc³]",
		"share %", "cum. %", "prob. %", v->level != NULL ? "  vol. %" : "");
}

/* Rows stand in the order of the sky, so the same galaxy twice is a few rows away: within 5 arcsec, and within a tenth in distance. */
static bool listed_twice(const struct rank_view *v, int64_t row)
{
	struct catalog_row g, other;
	catalog_row_at(v->catalog, row, &g);
	for (int64_t near = row > 3 ? row - 3 : 0; near <= row + 3 && near < v->catalog->count; near++) {
		catalog_row_at(v->catalog, near, &other);
		double ra = fabs(remainder(g.ra_deg - other.ra_deg, 360)) * cos(g.dec_deg * M_PI / 180);
		bool apart = fabs(g.distance_mpc - other.distance_mpc) > 0.1 * g.distance_mpc;
		if (near != row && hypot(ra, g.dec_deg - other.dec_deg) * 3600 < 5 && !apart)
			return true;
	}
	return false;
}

/* What counts twice is said where it is seen. */
static void twice_print(const struct rank_view *v)
{
	long long twice = 0;
	for (size_t i = 0; i < v->ranking->count; i++)
		twice += listed_twice(v, v->ranking->list[i].row);
	if (twice > 0)
		printf("\nof these, %lld within 5 arcsec of another row at a like distance: a galaxy that is listed twice counts twice "
			"(slew catalog build --merge)\n", twice);
}

int rank_print(const struct rank_view *v)
{
	struct region g;
	struct err e = {0};
	if (v->form == RANK_TABLE) {
		if (region_of(v->map, &g, &e) < 0)
			return err_print(&e);
		headline(v, &g);
	} else if (v->form == RANK_CSV) {
		printf("rank,id,name,ra_deg,dec_deg,distance_mpc,distance_err_mpc,dpdv_per_mpc3,share,cumulative_share,probability,outside,"
			"weight,weight_is_mean%s\n",
			v->level != NULL ? ",volume_level,volume50_mpc3,volume90_mpc3" : "");
	}
	if (!v->ranking->is_3d && v->model->weight.distance.kind == WEIGHT_PRIOR_NONE && v->form != RANK_TABLE)
		fprintf(stderr, "slew: rank: the map is 2-D: ranked by probability per sr, dpdv_per_mpc3 is null\n");
	if (v->ranking->count == 0 && v->form != RANK_TABLE) { /* there is no line that could say it */
		fputs("slew: rank: no galaxy has a score; ", stderr);
		outside_print(v, stderr);
	}
	for (size_t i = 0; i < v->ranking->count; i++) {
		struct catalog_row g1;
		catalog_row_at(v->catalog, v->ranking->list[i].row, &g1);
		if (v->form == RANK_TABLE)
			line_table(v, &g1, &v->ranking->list[i], i + 1);
		else if (v->form == RANK_CSV)
			line_csv(v, &g1, &v->ranking->list[i], i + 1);
		else if (line_json(v, &g1, &v->ranking->list[i], i + 1) != 0)
			return 1;
	}
	if (v->form == RANK_TABLE)
		twice_print(v);
	return 0;
}

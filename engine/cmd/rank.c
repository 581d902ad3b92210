/* slew rank MAP: the galaxies of a catalogue, ranked by the 3-D probability density of a sky map. */
#include "engine/base/json.h"
#include "engine/cmd/cmd.h"
#include "engine/cmd/mapfile.h"
#include "engine/target/rank.h"
#include "engine/target/region.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum form { FORM_TABLE, FORM_JSON, FORM_CSV };

struct arguments {
	enum form form;
	const char *map, *catalog, *weight;
	struct rank_options options;
};

static int number_arg(const char *name, const char *text, double least, double most, double *out)
{
	char *end;
	*out = strtod(text, &end);
	if (end == text || *end != '\0' || !(*out >= least && *out <= most))
		return cmd_usage(&command_rank, "%s wants a number from %g to %g, not %s", name, least, most, text);
	return 0;
}

static int option_value(struct arguments *a, const char *name, const char *value)
{
	double v;
	if (strcmp(name, "--top") == 0) {
		if (strcmp(value, "all") == 0)
			v = 0;
		else if (number_arg(name, value, 1, 1e12, &v) != 0)
			return 2;
		if (v < (double)(int64_t)v || v > (double)(int64_t)v)
			return cmd_usage(&command_rank, "--top wants a whole number, not %s", value);
		a->options.top = (int64_t)v;
	} else if (strcmp(name, "--probability") == 0) {
		return number_arg(name, value, 0, 1, &a->options.probability);
	} else if (strcmp(name, "--catalog") == 0) {
		a->catalog = value;
	} else if (strcmp(name, "--weight") == 0) {
		a->weight = value;
		a->options.weight = strcmp(value, "luminosity") == 0 ? RANK_LUMINOSITY : strcmp(value, "mass") == 0 ? RANK_MASS : RANK_NONE;
		if (a->options.weight == RANK_NONE && strcmp(value, "none") != 0)
			return cmd_usage(&command_rank, "--weight is none, luminosity or mass, not %s", value);
	} else {
		a->options.distance_error = strcmp(value, "catalogue") == 0;
		if (!a->options.distance_error && strcmp(value, "none") != 0)
			return cmd_usage(&command_rank, "--distance-error is catalogue or none, not %s", value);
	}
	return 0;
}

static int arguments_read(struct arguments *a, int argc, char **argv)
{
	static const char *const valued[] = {"--top", "--probability", "--catalog", "--weight", "--distance-error"};
	for (int i = 1; i < argc; i++) {
		size_t v = 0;
		while (v < sizeof valued / sizeof valued[0] && strcmp(argv[i], valued[v]) != 0)
			v++;
		if (v < sizeof valued / sizeof valued[0]) {
			if (i + 1 == argc)
				return cmd_usage(&command_rank, "%s needs a value", argv[i]);
			if (option_value(a, argv[i], argv[i + 1]) != 0)
				return 2;
			i++;
		} else if (strcmp(argv[i], "--json") == 0 || strcmp(argv[i], "--csv") == 0) {
			int form = argv[i][2] == 'j' ? FORM_JSON : FORM_CSV;
			if (a->form != FORM_TABLE && (int)a->form != form)
				return cmd_usage(&command_rank, "--json or --csv, not both");
			a->form = form;
		} else if (argv[i][0] == '-' && argv[i][1] != '\0') {
			return cmd_usage(&command_rank, "unknown option %s", argv[i]);
		} else if (a->map != NULL) {
			return cmd_usage(&command_rank, "one MAP at a time (got %s and %s)", a->map, argv[i]);
		} else {
			a->map = argv[i];
		}
	}
	if (a->map == NULL)
		return cmd_usage(&command_rank, "no MAP given");
	return a->catalog != NULL ? 0 : cmd_usage(&command_rank, "no --catalog given (make one with `slew catalog build`)");
}

static int line_json(const struct catalog_row *g, const struct ranked *r, size_t rank)
{
	return cmd_print_object(json_pack("{s:I s:I s:s s:o s:o s:o s:o s:o s:o s:o}", "rank", (json_int_t)rank, "id", (json_int_t)g->id, "name", g->name,
		"ra_deg", json_real(g->ra_deg), "dec_deg", json_real(g->dec_deg), "distance_mpc", json_real_or_null(g->distance_mpc),
		"distance_err_mpc", json_real_or_null((double)g->distance_err_mpc), "dpdv_per_mpc3", json_real_or_null(r->dpdv_per_mpc3),
		"share", json_real(r->share), "cumulative_share", json_real(r->cumulative_share)));
}

/* Empty where unknown. */
static void csv_number(double v, const char *format)
{
	putchar(',');
	if (isfinite(v))
		printf(format, v);
}

static void line_csv(const struct catalog_row *g, const struct ranked *r, size_t rank)
{
	printf("%zu,%lld,\"", rank, (long long)g->id);
	for (const char *s = g->name; *s; s++)
		printf(*s == '"' ? "\"\"" : "%c", *s);
	printf("\",%.8f,%.8f", g->ra_deg, g->dec_deg);
	csv_number(g->distance_mpc, "%.17g");
	csv_number((double)g->distance_err_mpc, "%.9g");
	csv_number(r->dpdv_per_mpc3, "%.17g");
	csv_number(r->share, "%.17g");
	csv_number(r->cumulative_share, "%.17g");
	putchar('\n');
}

static void line_table(const struct catalog_row *g, const struct ranked *r, size_t rank)
{
	char distance[32] = "-", density[32] = "-";
	if (isfinite(g->distance_mpc) && isfinite(g->distance_err_mpc))
		snprintf(distance, sizeof distance, "%.1f ± %.1f", g->distance_mpc, (double)g->distance_err_mpc);
	else if (isfinite(g->distance_mpc))
		snprintf(distance, sizeof distance, "%.1f", g->distance_mpc);
	if (isfinite(r->dpdv_per_mpc3))
		snprintf(density, sizeof density, "%.3e", r->dpdv_per_mpc3);
	int wide = strstr(distance, "±") != NULL; /* two bytes, one column */
	printf("%5zu  %-32s %10.5f %+10.5f  %*s  %10s  %6.2f %6.1f\n", rank, g->name, g->ra_deg, g->dec_deg, 14 + wide, distance, density,
		100 * r->share, 100 * r->cumulative_share);
}

static void headline(const struct skymap *m, const struct ranking *r, const struct region *g, const struct arguments *a, int64_t rows)
{
	printf("%s: 50 %% area %.4g deg², 90 %% area %.4g deg², ", m->object[0] ? m->object : "map", g->area50_deg2, g->area90_deg2);
	if (isfinite(g->distmean_mpc))
		printf("distance %.0f ± %.0f Mpc", g->distmean_mpc, g->diststd_mpc);
	else
		printf("distance unknown");
	printf(", best position %.4f %+.4f\n", g->ra_deg, g->dec_deg);
	printf("%lld of %lld galaxies have a score", (long long)r->considered, (long long)rows);
	if (r->without_distance > 0)
		printf("; %lld in the map have no distance", (long long)r->without_distance);
	if (r->without_weight > 0)
		printf("; %lld have no %s", (long long)r->without_weight, a->weight);
	printf("\nranked by %s%s%s; distance errors: %s; share = part of the sum over these galaxies, not the chance to be the host\n\n",
		r->is_3d ? "dP/dV" : "probability per sr (2-D map: distances are not used)", a->options.weight != RANK_NONE ? " × " : "",
		a->options.weight != RANK_NONE ? a->weight : "", a->options.distance_error ? "catalogue" : "none");
	printf("%5s  %-32s %10s %10s  %14s  %10s  %6s %6s\n", "rank", "name", "RA [deg]", "Dec [deg]", "dist [Mpc]", "dP/dV",
		"share%", "cum. %");
}

static int print_all(const struct arguments *a, const struct skymap *m, const struct catalog *c, const struct ranking *r)
{
	struct region g;
	struct err e = {0};
	if (a->form == FORM_TABLE) {
		if (region_of(m, &g, &e) < 0)
			return err_print(&e);
		headline(m, r, &g, a, c->count);
	} else if (a->form == FORM_CSV) {
		puts("rank,id,name,ra_deg,dec_deg,distance_mpc,distance_err_mpc,dpdv_per_mpc3,share,cumulative_share");
	}
	if (!r->is_3d && a->form != FORM_TABLE)
		fprintf(stderr, "slew: rank: the map is 2-D: ranked by probability per sr, dpdv_per_mpc3 is null\n");
	for (size_t i = 0; i < r->count; i++) {
		struct catalog_row g1;
		catalog_row_at(c, r->list[i].row, &g1);
		if (a->form == FORM_TABLE)
			line_table(&g1, &r->list[i], i + 1);
		else if (a->form == FORM_CSV)
			line_csv(&g1, &r->list[i], i + 1);
		else if (line_json(&g1, &r->list[i], i + 1) != 0)
			return 1;
	}
	return 0;
}

static int rank_run(int argc, char **argv)
{
	struct arguments a = {.weight = "none", .options = {.distance_error = true, .top = 20, .probability = NAN}};
	struct catalog c;
	struct skymap m;
	struct ranking r;
	struct err e = {0};
	int rc = arguments_read(&a, argc, argv);
	if (rc != 0)
		return rc;
	if (catalog_open(a.catalog, &c, &e) < 0)
		return err_print(&e);
	rc = cmd_read_map(a.map, &m);
	if (rc == 0) {
		if (rank_galaxies(&m, &c, &a.options, &r, &e) < 0) {
			rc = err_print(&e);
		} else {
			rc = print_all(&a, &m, &c, &r);
			rank_free(&r);
		}
		skymap_free(&m);
	}
	catalog_close(&c);
	return rc;
}

const struct command command_rank = {
	.name = "rank",
	.args = "[--json|--csv] [--top N|all] [--probability P] [--weight none|luminosity|mass] [--distance-error catalogue|none] --catalog C MAP",
	.summary = "galaxies ranked by the 3-D probability density of a sky map",
	.help =
		"MAP is a sky map (FITS, plain or gzip; multi-order or flat) or an alert that carries one; C is made by `slew catalog build`.\n"
		"A galaxy at distance d in a pixel with DISTMU, DISTSIGMA, DISTNORM has\n"
		"    dP/dV = PROBDENSITY x DISTNORM x N(d; DISTMU, sqrt(DISTSIGMA^2 + sigma_d^2))   per Mpc^3 of luminosity-distance space,\n"
		"sigma_d from the catalogue (--distance-error catalogue, the default) or 0 (none). No cosmology enters.\n"
		"\n"
		"  --weight W         none (dP/dV, the default); luminosity, mass: dP/dV times the B luminosity or the stellar mass, galaxies\n"
		"                     without it are left out and counted\n"
		"  --top N            how many (20); all of them with `all`\n"
		"  --probability P    stop when the shares add up to P\n"
		"  --json, --csv      one object or line a galaxy: rank id name ra_deg dec_deg distance_mpc distance_err_mpc\n"
		"                     dpdv_per_mpc3 share cumulative_share; unknown numbers are null or empty\n"
		"\n"
		"share is a galaxy's part of the sum over all galaxies with a score. It is not the probability that it is the host: the\n"
		"catalogue misses galaxies. Ties go by id. Nothing is merged: a galaxy listed twice stands here twice. On a 2-D map galaxies\n"
		"are ranked by probability per sr and dP/dV is null.\n"
		"\n"
		"  slew rank --catalog glade.fits bayestar.multiorder.fits\n"
		"  slew rank --json --top 500 --weight luminosity --catalog glade.fits alert.json | jq -r .name\n",
	.run = rank_run,
};

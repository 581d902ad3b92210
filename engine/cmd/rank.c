/* slew rank MAP: the galaxies of a catalogue, ranked by the 3-D probability density of a sky map. */
#include "engine/base/limits.h"
#include "engine/cmd/cmd.h"
#include "engine/cmd/mapfile.h"
#include "engine/cmd/rank_print.h"
#include "engine/target/circle.h"
#include "engine/target/volume.h"
#include "engine/target/weight_file.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXPLAIN_TOP = 100000 }; /* galaxies that --explain looks through for a rank */

struct arguments {
	enum rank_form form;
	const char *map, *catalog, *weight, *explain;
	bool weight_file, at_position, volumes;
	double position[4];  /* RA, Dec and radius of a circle [deg], and what it holds */
	double density;      /* NaN: the published one */
	enum weight_map_prior map_prior;
	struct weight_distance distance;
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
		a->weight_file = a->options.weight == RANK_NONE && strcmp(value, "none") != 0;
		if (a->weight_file && strchr(value, '.') == NULL && strchr(value, '/') == NULL)
			return cmd_usage(&command_rank, "--weight is none, luminosity, mass or a FILE.csv, not %s", value);
	} else if (strcmp(name, "--density") == 0) {
		return number_arg(name, value, 1e-30, 1e30, &a->density);
	} else if (strcmp(name, "--explain") == 0) {
		a->explain = value;
	} else if (strcmp(name, "--position") == 0) {
		double *p = a->position;
		char tail, level = 0;
		a->at_position = true;
		p[3] = 0.9;
		int got = sscanf(value, "%lf,%lf,%lf%c%lf%c", &p[0], &p[1], &p[2], &level, &p[3], &tail);
		if (got != 3 && (got != 5 || level != ','))
			return cmd_usage(&command_rank, "--position wants RA,DEC,RADIUS in degrees, or RA,DEC,RADIUS,LEVEL, not %s", value);
	} else if (strcmp(name, "--distance-prior") == 0) {
		if (weight_distance_read(value, &a->distance) < 0)
			return cmd_usage(&command_rank, "--distance-prior is none, volume:MAX, normal:MEAN:SIGMA or lognormal:MEDIAN:SIGMA (0.01 to "
				"1e5 Mpc; SIGMA of ln d 0.01 to 3), not %s", value);
	} else if (strcmp(name, "--map-prior") == 0) {
		a->map_prior = strcmp(value, "comoving") == 0 ? WEIGHT_MAP_COMOVING : WEIGHT_MAP_LUMINOSITY_DISTANCE;
		if (a->map_prior != WEIGHT_MAP_COMOVING && strcmp(value, "distance") != 0)
			return cmd_usage(&command_rank, "--map-prior is distance or comoving, not %s", value);
	} else {
		a->options.distance_error = strcmp(value, "catalogue") == 0;
		if (!a->options.distance_error && strcmp(value, "none") != 0)
			return cmd_usage(&command_rank, "--distance-error is catalogue or none, not %s", value);
	}
	return 0;
}

static int arguments_read(struct arguments *a, int argc, char **argv)
{
	static const char *const valued[] = {"--top", "--probability", "--catalog", "--weight", "--distance-error", "--density", "--explain",
		"--position", "--distance-prior", "--map-prior"};
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
			enum rank_form form = argv[i][2] == 'j' ? RANK_JSON : RANK_CSV;
			if (a->form != RANK_TABLE && a->form != form)
				return cmd_usage(&command_rank, "--json or --csv, not both");
			a->form = form;
		} else if (strcmp(argv[i], "--no-shares") == 0) {
			a->options.list_only = true;
		} else if (strcmp(argv[i], "--volumes") == 0) {
			a->volumes = true;
		} else if (argv[i][0] == '-' && argv[i][1] != '\0') {
			return cmd_usage(&command_rank, "unknown option %s", argv[i]);
		} else if (a->map != NULL) {
			return cmd_usage(&command_rank, "one MAP at a time (got %s and %s)", a->map, argv[i]);
		} else {
			a->map = argv[i];
		}
	}
	if (a->map == NULL && !a->at_position)
		return cmd_usage(&command_rank, "no MAP given");
	if (a->options.list_only && (isfinite(a->options.probability) || a->explain != NULL))
		return cmd_usage(&command_rank, "--probability and --explain need the sum over all galaxies: not with --no-shares");
	if (a->volumes && a->explain != NULL)
		return cmd_usage(&command_rank, "--volumes is for the list: not with --explain");
	if (a->map != NULL && a->at_position)
		return cmd_usage(&command_rank, "a MAP or a --position, not both");
	return a->catalog != NULL ? 0 : cmd_usage(&command_rank, "no --catalog given (make one with `slew catalog build`)");
}

/* The user's weights, read and matched; *column is given. */
static int column_read(const char *path, const struct catalog *c, double **column)
{
	struct err e = {0};
	unsigned char *bytes = NULL;
	unsigned long len = 0;
	int64_t matched = 0;
	int rc = cmd_read_file(path, LIMIT_MAP_INFLATED, &bytes, &len);
	if (rc != 0)
		return rc;
	char *text = realloc(bytes, len + 1);
	if (text == NULL) {
		free(bytes);
		err_set(&e, ERR_MEMORY, "no memory for the weights of %s", path);
		return err_print(&e);
	}
	text[len] = '\0';
	if (weight_file_read(text, c, column, &matched, &e) < 0) {
		err_wrap(&e, "weights %s", path);
		rc = err_print(&e);
	} else {
		fprintf(stderr, "slew: rank: %s gives weights to %lld of %lld galaxies\n", path, (long long)matched, (long long)c->count);
	}
	free(text);
	return rc;
}

/* The level of each of the list, at its own distance whatever the error of that: level has room for them. */
static int levels_of(const struct rank_view *v, double *level, double *volume50, double *volume90, struct err *e)
{
	struct volume volume;
	size_t n = v->ranking->count;
	*volume50 = *volume90 = NAN;
	if (v->map->norm == NULL) {
		fprintf(stderr, "slew: rank: the map has no distances: no volumes\n");
		for (size_t i = 0; i < n; i++)
			level[i] = NAN;
		return 0;
	}
	if (volume_open(&volume, v->map, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		int64_t row = v->ranking->list[i].row;
		level[i] = volume_density(v->map, catalog_ipix(v->catalog, row), catalog_distance_mpc(v->catalog, row));
	}
	*volume50 = volume_credible(&volume, 0.5);
	*volume90 = volume_credible(&volume, 0.9);
	int rc = volume_levels(&volume, level, n, level, e);
	volume_close(&volume);
	return rc;
}

/* The list, with its levels if they are asked for. */
static int list_show(struct rank_view *v, bool volumes)
{
	struct err e = {0};
	if (!volumes)
		return rank_print(v);
	double *level = malloc((v->ranking->count + 1) * sizeof *level);
	if (level == NULL)
		err_set(&e, ERR_MEMORY, "no memory for %zu credible levels", v->ranking->count);
	int rc = level == NULL || levels_of(v, level, &v->volume50_mpc3, &v->volume90_mpc3, &e) < 0 ? err_print(&e) : 0;
	v->level = level;
	if (rc == 0)
		rc = rank_print(v);
	free(level);
	v->level = NULL;
	return rc;
}

/* Ranks, turns scores into probabilities, and shows. */
static int rank_show(struct arguments *a, const struct skymap *m, const struct catalog *c, const double *column)
{
	struct probability_model model;
	struct probability p;
	struct ranking r;
	struct err e = {0};
	enum weight_kind kind = column != NULL ? WEIGHT_COLUMN : a->options.weight == RANK_LUMINOSITY ? WEIGHT_LUMINOSITY :
		a->options.weight == RANK_MASS ? WEIGHT_MASS : WEIGHT_NONE;
	if (a->options.list_only && kind == WEIGHT_NONE) {
		model = (struct probability_model){.census = NULL}; /* dP/dV alone asks nothing of the catalogue as a whole */
		weight_make(&model.weight, kind, c, NULL, NULL, a->density);
	} else if (probability_model_make(&model, c, kind, column, a->density, &e) < 0) {
		return err_print(&e);
	}
	probability_model_prior(&model, a->map_prior, m->norm == NULL ? a->distance : (struct weight_distance){.kind = WEIGHT_PRIOR_NONE});
	if (m->norm != NULL && a->distance.kind != WEIGHT_PRIOR_NONE)
		fprintf(stderr, "slew: rank: the map has distances of its own: --distance-prior is not used\n");
	a->options.by = &model.weight;
	if (a->explain != NULL)
		a->options.top = EXPLAIN_TOP;
	int rc = rank_galaxies(m, c, &a->options, &r, &e);
	if (rc == 0) {
		p = (struct probability){.outside = NAN, .inside = NAN, .catalogue = NAN, .lacking = NAN, .contrast = NAN, .scale = NAN};
		if (!a->options.list_only)
			probability_make(&p, m, &model.missing, &r, NULL);
		struct rank_view v = {.form = a->form, .map = m, .catalog = c, .model = &model, .ranking = &r, .probability = &p,
			.distance_error = a->options.distance_error, .weight = a->weight};
		rc = a->explain != NULL ? rank_explain(&v, a->explain) : list_show(&v, a->volumes);
		rank_free(&r);
	} else {
		rc = err_print(&e);
	}
	probability_model_free(&model);
	return rc;
}

/* The map of a file or of a position. */
static int map_read(const struct arguments *a, struct skymap *m)
{
	struct err e = {0};
	if (a->map != NULL)
		return cmd_read_map(a->map, m);
	return circle_map(a->position[0], a->position[1], a->position[2], a->position[3], m, &e) < 0 ? err_print(&e) : 0;
}

static int rank_run(int argc, char **argv)
{
	struct arguments a = {.weight = "none", .density = NAN, .options = {.distance_error = true, .top = 20, .probability = NAN}};
	struct catalog c;
	struct skymap m;
	double *column = NULL;
	struct err e = {0};
	int rc = arguments_read(&a, argc, argv);
	if (rc != 0)
		return rc;
	if (catalog_open(a.catalog, &c, &e) < 0)
		return err_print(&e);
	if (a.weight_file)
		rc = column_read(a.weight, &c, &column);
	if (rc == 0)
		rc = map_read(&a, &m);
	if (rc == 0) {
		rc = rank_show(&a, &m, &c, column);
		skymap_free(&m);
	}
	free(column);
	catalog_close(&c);
	return rc;
}

const struct command command_rank = {
	.name = "rank",
	.args = "[--json|--csv] [--top N|all] [--probability P] [--no-shares] [--volumes] [--weight none|luminosity|mass|FILE.csv] [--density D] "
		"[--distance-error catalogue|none] [--distance-prior PRIOR] [--map-prior distance|comoving] [--explain NAME] --catalog C "
		"MAP | --position RA,DEC,RADIUS[,LEVEL]",
	.summary = "galaxies ranked by the 3-D probability density of a sky map",
	.help =
		"MAP is a sky map (FITS, plain or gzip; multi-order or flat) or an alert that carries one; C is made by `slew catalog build`.\n"
		"A galaxy at distance d in a pixel with DISTMU, DISTSIGMA, DISTNORM has\n"
		"    dP/dV = PROBDENSITY x DISTNORM x N(d; DISTMU, sqrt(DISTSIGMA^2 + sigma_d^2))   per Mpc^3 of luminosity-distance space,\n"
		"sigma_d from the catalogue (--distance-error catalogue, the default) or 0 (none). No cosmology enters.\n"
		"\n"
		"  --weight W         none (dP/dV, the default); luminosity, mass: dP/dV times the B luminosity or the stellar mass; FILE.csv: times\n"
		"                     its column `weight`, matched by `id` or `name`. A galaxy without a weight takes the mean of its distance\n"
		"  --density D        the mean density of the weight per Mpc^3, instead of the published one (a FILE has none)\n"
		"  --top N            how many (20); all of them with `all`\n"
		"  --probability P    stop when the shares add up to P\n"
		"  --no-shares        the list alone: galaxies that cannot stand in it are not looked at, so nothing is summed or counted (quick)\n"
		"  --volumes          the credible volume level of each: the part of the probability in places of larger dP/dV than the galaxy's\n"
		"                     (0: the densest), and the volumes that hold 50 and 90 %: volume_level volume50_mpc3 volume90_mpc3\n"
		"  --position R,D,E   instead of MAP, for a neutrino or a burst: the circle about RA, Dec whose radius E (all in degrees) holds 90 %,\n"
		"                     or LEVEL: 0.5 of IceCube's smaller circle, 0.68 of Fermi's error (with its systematic 3.7 deg in it)\n"
		"  --distance-prior   of a map without distances or a circle: volume:MAX (constant density to MAX Mpc), normal:MEAN:SIGMA (as\n"
		"                     DISTMU and DISTSIGMA), lognormal:MEDIAN:SIGMA (SIGMA of ln d). Without one distances are not looked at\n"
		"  --map-prior P      what the map was made with: distance (d_L^2, the default: BAYESTAR) or comoving volume and source time\n"
		"  --explain NAME     one galaxy: each factor of its probability, and its volume level (with --json as an object)\n"
		"  --json, --csv      one object or line a galaxy: rank id name ra_deg dec_deg distance_mpc distance_err_mpc dpdv_per_mpc3 share\n"
		"                     cumulative_share probability outside weight weight_is_mean; unknown numbers are null or empty\n"
		"\n"
		"probability is the chance that the galaxy is the host: weight over its mean density, times dP/dV, with the hosts' rate per comoving\n"
		"volume; outside is the chance that the host is not in the catalogue, from the catalogue's own completeness at that place and\n"
		"distance (printed first; null where it cannot be known). share is a galaxy's part of the sum over all galaxies with a score.\n"
		"On made-up skies a part p of the hosts lies inside p, to 4 %, when ranked by what they follow or by less (none); a weight that\n"
		"hosts do not follow is too sure: where each galaxy is as likely a host, 25 % of them lie inside luminosity's first 50 %.\n"
		"Ties go by id. Nothing is merged: a galaxy listed twice stands here twice, and shares and probabilities count it twice. On a 2-D\n"
		"map without a prior galaxies are ranked by probability per sr and dP/dV is null.\n"
		"\n"
		"  slew rank --catalog glade.fits bayestar.multiorder.fits\n"
		"  slew rank --json --top 500 --weight luminosity --catalog glade.fits alert.json | jq -r .name\n"
		"  slew rank --weight mass --catalog glade.fits --explain \"NGC 4993\" bayestar.fits.gz\n"
		"  slew rank --weight luminosity --distance-prior volume:200 --catalog glade.fits --position 77.36,5.69,0.5\n",
	.run = rank_run,
};

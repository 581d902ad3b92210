/* slew catalog build|info: galaxy tables of any origin → the sorted table that rank reads. */
#include "engine/cmd/cmd.h"
#include "engine/target/catalog.h"
#include "engine/target/catalog_build.h"
#include "engine/target/fits_header.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILES_MAX CATALOG_SOURCES
#define MAPS_MAX 64

struct arguments {
	const char *in[FILES_MAX], *out, *map[MAPS_MAX + 1];
	int ins, maps;
	const struct catalog_format *format;
	bool generic;
	double photo_below_mpc;
	char *words[MAPS_MAX]; /* owned copies of --map lists */
	int lists;
};

/* "ra=ALPHA,dec=DELTA" into single pieces. */
static int maps_split(struct arguments *a, const char *list)
{
	if (a->lists == MAPS_MAX || (a->words[a->lists] = strdup(list)) == NULL)
		return cmd_usage(&command_catalog, "too many --map");
	char *rest = NULL;
	for (char *w = strtok_r(a->words[a->lists++], ",", &rest); w != NULL; w = strtok_r(NULL, ",", &rest)) {
		if (a->maps == MAPS_MAX)
			return cmd_usage(&command_catalog, "too many --map");
		a->map[a->maps++] = w;
	}
	return 0;
}

static int format_read(struct arguments *a, const char *name)
{
	char list[200] = "";
	a->generic = strcmp(name, "generic") == 0;
	a->format = catalog_format_named(name);
	if (a->generic || a->format != NULL)
		return 0;
	for (int i = 0; catalog_format_at(i) != NULL; i++)
		snprintf(list + strlen(list), sizeof list - strlen(list), "%s ", catalog_format_at(i)->name);
	return cmd_usage(&command_catalog, "there is no format %s; there are: %sgeneric", name, list);
}

static int mpc_read(struct arguments *a, const char *text)
{
	char *end;
	a->photo_below_mpc = strtod(text, &end);
	if (end == text || *end != '\0' || !(a->photo_below_mpc >= 0))
		return cmd_usage(&command_catalog, "--photo-z-below %s: give a distance in Mpc, 0 or more", text);
	return 0;
}

/* One option with its value. */
static int option_read(struct arguments *a, const char *option, const char *value)
{
	if (strcmp(option, "--map") == 0)
		return maps_split(a, value);
	if (strcmp(option, "--format") == 0)
		return format_read(a, value);
	if (strcmp(option, "--photo-z-below") == 0)
		return mpc_read(a, value);
	a->out = value;
	return 0;
}

static int arguments_read(struct arguments *a, int argc, char **argv)
{
	static const char *const valued[] = {"-o", "--map", "--format", "--photo-z-below"};
	for (int i = 2; i < argc; i++) {
		bool value = false;
		for (size_t k = 0; k < sizeof valued / sizeof valued[0]; k++)
			value = value || strcmp(argv[i], valued[k]) == 0;
		if (value && i + 1 == argc)
			return cmd_usage(&command_catalog, "%s needs a value", argv[i]);
		if (value) {
			int rc = option_read(a, argv[i], argv[i + 1]);
			if (rc != 0)
				return rc;
			i++;
		} else if (argv[i][0] == '-') {
			return cmd_usage(&command_catalog, "unknown option %s", argv[i]);
		} else if (a->ins == FILES_MAX) {
			return cmd_usage(&command_catalog, "more than %d files", FILES_MAX);
		} else {
			a->in[a->ins++] = argv[i];
		}
	}
	if (a->ins == 0)
		return cmd_usage(&command_catalog, "no file to read");
	return a->out != NULL ? 0 : cmd_usage(&command_catalog, "build needs -o OUT.fits");
}

static int build(const struct arguments *a)
{
	struct catalog_builder b;
	struct err e = {0};
	char digest[65];
	int rc = 0;
	catalog_builder_init(&b);
	b.map = a->maps ? a->map : NULL;
	b.format = a->format;
	b.generic = a->generic;
	b.photo_below_mpc = a->photo_below_mpc;
	b.runs.beside = a->out;
	for (int i = 0; i < a->ins && rc == 0; i++) {
		rc = catalog_build_add(&b, a->in[i], &e);
		if (b.report.data != NULL)
			fputs(b.report.data, stderr);
		text_reset(&b.report);
	}
	if (rc == 0)
		rc = catalog_build_write(&b, a->out, digest, &e);
	if (b.report.data != NULL)
		fputs(b.report.data, stderr);
	if (rc == 0)
		printf("%s: %zu galaxies, digest %s\n", a->out, b.count, digest);
	catalog_builder_free(&b);
	return rc < 0 ? err_print(&e) : 0;
}

static void info_sources(const struct catalog *c)
{
	struct fits_header primary, h;
	struct err ignored = {0};
	char key[32], text[72];
	int64_t n;
	const unsigned char *bytes = c->memory;
	if (fits_header_scan(bytes, c->memory_len, &primary, &ignored) < 0 ||
		fits_header_scan(bytes + primary.bytes, c->memory_len - primary.bytes, &h, &ignored) < 0)
		return;
	for (int i = 1; i <= CATALOG_SOURCES; i++) {
		snprintf(key, sizeof key, "SRC%d", i);
		if (!fits_header_text(&h, key, text, sizeof text))
			break;
		printf("source       %s", text);
		snprintf(key, sizeof key, "SRCROW%d", i);
		if (fits_header_int(&h, key, &n))
			printf(", %lld galaxies", (long long)n);
		snprintf(key, sizeof key, "SRCBAD%d", i);
		if (fits_header_int(&h, key, &n))
			printf(", %lld rows left out", (long long)n);
		snprintf(key, sizeof key, "SRCSHA%d", i);
		if (fits_header_text(&h, key, text, sizeof text))
			printf(", sha256 %.16s…", text);
		printf("\n");
	}
	for (size_t i = 0; i < h.count; i++)
		if (memcmp(h.cards + i * 80, "HISTORY ", 8) == 0)
			printf("             %.70s\n", (const char *)h.cards + i * 80 + 10);
	if (fits_header_text(&h, "COSMO", text, sizeof text))
		printf("redshifts    %s\n", text);
}

static int info(const char *path)
{
	struct catalog c;
	struct err e = {0};
	int64_t kinds[CATALOG_DIST_KINDS] = {0}, errors = 0, light = 0, mass = 0;
	double least = INFINITY, most = 0;
	if (catalog_open(path, &c, &e) < 0)
		return err_print(&e);
	for (int64_t i = 0; i < c.count; i++) {
		struct catalog_row r;
		catalog_row_at(&c, i, &r);
		kinds[(r.flags & CATALOG_FLAG_KIND) < CATALOG_DIST_KINDS ? r.flags & CATALOG_FLAG_KIND : 0]++;
		errors += isfinite(r.distance_err_mpc);
		light += isfinite(r.b_mag);
		mass += isfinite(r.log_mstar);
		least = r.distance_mpc < least ? r.distance_mpc : least;
		most = r.distance_mpc > most ? r.distance_mpc : most;
	}
	printf("catalogue    %s\ngalaxies     %lld\ndigest       %s\n", path, (long long)c.count, c.sha256);
	info_sources(&c);
	if (most > 0)
		printf("distances    %lld, from %.4g to %.6g Mpc:", (long long)(c.count - kinds[0]), least, most);
	else
		printf("distances    none");
	for (uint32_t k = 1; k < CATALOG_DIST_KINDS; k++)
		if (kinds[k] > 0)
			printf(" %lld %s", (long long)kinds[k], catalog_distance_name(k));
	printf("\nfilled       distance error %lld, B magnitude %lld, stellar mass %lld\n", (long long)errors, (long long)light, (long long)mass);
	int rc = catalog_verify(&c, &e) < 0 ? err_print(&e) : 0;
	if (rc == 0)
		printf("verified     the rows have the digest and are in order\n");
	catalog_close(&c);
	return rc;
}

static int catalog_run(int argc, char **argv)
{
	if (argc >= 3 && strcmp(argv[1], "info") == 0)
		return argc == 3 ? info(argv[2]) : cmd_usage(&command_catalog, "info takes one FILE");
	if (argc < 2 || strcmp(argv[1], "build") != 0)
		return cmd_usage(&command_catalog, "say build or info");
	struct arguments a = {.photo_below_mpc = CATALOG_PHOTO_BELOW_MPC};
	int rc = arguments_read(&a, argc, argv);
	if (rc == 0)
		rc = build(&a);
	for (int i = 0; i < a.lists; i++)
		free(a.words[i]);
	return rc;
}

const struct command command_catalog = {
	.name = "catalog",
	.args = "build IN... -o OUT.fits [--format NAME] [--map field=column,...] [--photo-z-below MPC] | info FILE",
	.summary = "make a sorted galaxy table from CSV and FITS, or describe one",
	.help =
		"build reads any number of galaxy tables and writes one FITS table, sorted by position, that `slew rank` and the engine map\n"
		"into memory. Text tables (comma, tab, semicolon, bar or blanks; a header line; # comments) and FITS tables are told apart by\n"
		"their content, and so are the published catalogues GLADE+, NED-LVS, 2MRS, 50MGC, OpenNGC and DESI. Nothing is merged: a\n"
		"galaxy of two sources is two rows (only rows with the same position, id and name are kept once).\n"
		"\n"
		"  --format NAME   read as glade+, ned-lvs, 2mrs, ned-list, 50mgc, openngc or desi, whatever it looks like; generic: by the\n"
		"                  usual names of columns\n"
		"  --photo-z-below MPC   photometric distances nearer than this are left out (200: their error is about 150 Mpc; 0 takes all)\n"
		"  --map field=column,...   where the usual names do not find a column, or find the wrong one (field= reads none):\n"
		"      id name ra dec        dist dist_err (Mpc)   z z_err (redshift; velocity if its unit is km/s)   kind (of the distance)\n"
		"      b_mag (apparent B)    b_abs (absolute B)    log_mass (log10 Msun)   mass (Msun, or 1e10 Msun when below 1e5)\n"
		"      z_kind (SPEC, PHOT)   z_flow (1: corrected for the peculiar velocity)  v_err (its error)   type quality (0: sure)\n"
		"\n"
		"Right ascension is in degrees, or in hours as 12:34:56.7; units of FITS columns (kpc, rad, h) are obeyed. Empty, null, NaN,\n"
		"-99, -999 and a distance of 0 are missing values. Where there is no distance, one is made from the redshift (Planck18: flat\n"
		"LambdaCDM, H0 = 67.66, Om = 0.30966) and marked so; heliocentric redshifts go to the CMB's frame first. Where a source says\n"
		"no error: sigma_v = 300 km/s for a spectroscopic redshift, 0.033 (1 + z) for a photometric one, 20 % of a measured distance.\n"
		"A row without a position, or with text where a number belongs, is left out, counted, and the first few are shown with their\n"
		"line. A galaxy without distance counts for 2-D maps only.\n"
		"\n"
		"info prints rows, provenance, columns filled, range of distances and the digest, and verifies it.\n"
		"\n"
		"  slew catalog build GLADE+.txt -o glade.fits\n"
		"  slew catalog build mine.csv --map dist=d_mpc,dist_err=d_mpc_unc,mass=Mstar -o mine.fits\n"
		"  slew catalog info glade.fits\n",
	.run = catalog_run,
};

/* slew catalog build|info: galaxy tables of any origin → the sorted table that rank reads. */
#include "engine/cmd/catalog.h"
#include "engine/cmd/cmd.h"
#include "engine/target/catalog.h"
#include "engine/target/catalog_build.h"
#include "engine/target/fits_header.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
	return catalog_make(argc, argv);
}

const struct command command_catalog = {
	.name = "catalog",
	.args = "build IN... -o OUT.fits [--format NAME] [--map field=column,...] [--merge] [--photo-z-below MPC] [--progress] | info FILE",
	.summary = "make a sorted galaxy table from CSV and FITS, or describe one",
	.help =
		"build reads any number of galaxy tables and writes one FITS table, sorted by position, that `slew rank` and the engine map\n"
		"into memory. Text tables (comma, tab, semicolon, bar or blanks; a header line; # comments) and FITS tables are told apart by\n"
		"their content, and so are the published catalogues GLADE+, NED-LVS, 2MRS, 50MGC, OpenNGC and DESI. Without --merge a galaxy\n"
		"of two sources is two rows (only rows with the same position, id and name are kept once).\n"
		"\n"
		"  --merge         the same galaxy of several files becomes one row: within 3 arcsec, or 1 kpc at the nearer distance (at most\n"
		"                  60 arcsec), and 3 sigma of distance (5 within 3 arcsec); nearest pairs first, one row of each file. Position,\n"
		"                  distance, error, name and number are those of the best distance (measured, redshift with peculiar velocity, given,\n"
		"                  spectroscopic, by us from a redshift, photometric), then of the earlier file; a name made from the position\n"
		"                  gives way to a published one; magnitude and mass of the first that has them. Counted, and said in the header\n"
		"  --format NAME   read as glade+, ned-lvs, 2mrs, ned-list, 50mgc, openngc or desi, whatever it looks like; generic: by the\n"
		"                  usual names of columns\n"
		"  --photo-z-below MPC   photometric distances nearer than this are left out (200: their error is about 150 Mpc; 0 takes all)\n"
		"  --progress      says how far it is, and how long it will take, also where standard error is no terminal\n"
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

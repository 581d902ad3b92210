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
		snprintf(key, sizeof key, "SRCOFF%d", i);
		if (fits_header_int(&h, key, &n) && n > 0)
			printf(", %lld left out on purpose", (long long)n);
		snprintf(key, sizeof key, "SRCFMT%d", i);
		char form[72];
		if (fits_header_text(&h, key, form, sizeof form))
			printf(", read as %s", form);
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

/* What the rows carry. */
struct sums {
	int64_t kind[CATALOG_DIST_KINDS], frame[CATALOG_FRAMES], errors, by_rule, exact, photo, merged, light, mass, shell[5];
	double least, most;
};

/* Galaxies with a distance, by its size. */
static const double shells_mpc[5] = {50, 100, 200, 500, INFINITY};

static void row_sum(struct sums *s, const struct catalog_row *r)
{
	uint32_t kind = (r->flags & CATALOG_FLAG_KIND) < CATALOG_DIST_KINDS ? r->flags & CATALOG_FLAG_KIND : 0;
	s->kind[kind]++;
	s->light += isfinite(r->b_mag);
	s->mass += isfinite(r->log_mstar);
	s->merged += (r->flags & CATALOG_FLAG_MERGED) != 0;
	if (!(r->distance_mpc > 0))
		return;
	s->frame[(r->flags & CATALOG_FLAG_FRAME) >> CATALOG_FRAME_SHIFT] += kind != CATALOG_DIST_MEASURED;
	s->photo += kind == CATALOG_DIST_PHOT || (r->flags & CATALOG_FLAG_PHOTO_Z);
	s->errors += isfinite(r->distance_err_mpc);
	s->exact += !isfinite(r->distance_err_mpc);
	s->by_rule += (r->flags & CATALOG_FLAG_ERR_RULE) != 0;
	s->least = r->distance_mpc < s->least ? r->distance_mpc : s->least;
	s->most = r->distance_mpc > s->most ? r->distance_mpc : s->most;
	for (int k = 0; k < 5; k++)
		if (r->distance_mpc < shells_mpc[k]) {
			s->shell[k]++;
			break;
		}
}

static void info_distances(const struct catalog *c, const struct sums *s)
{
	if (!(s->most > 0)) {
		printf("distances    none\n");
		return;
	}
	printf("distances    %lld, from %.4g to %.6g Mpc:", (long long)(c->count - s->kind[0]), s->least, s->most);
	for (uint32_t k = 1; k < CATALOG_DIST_KINDS; k++)
		if (s->kind[k] > 0)
			printf(" %lld %s", (long long)s->kind[k], catalog_distance_name(k));
	printf("; by photometry %lld\n             to 50 Mpc %lld, to 100 %lld, to 200 %lld, to 500 %lld, beyond %lld\n", (long long)s->photo,
		(long long)s->shell[0], (long long)s->shell[1], (long long)s->shell[2], (long long)s->shell[3], (long long)s->shell[4]);
	printf("frames       of those not measured:");
	for (uint32_t k = 0; k < CATALOG_FRAMES; k++)
		if (s->frame[k] > 0)
			printf(" %lld %s", (long long)s->frame[k], catalog_frame_name(k << CATALOG_FRAME_SHIFT));
	printf("\nerrors       %lld, of them %lld by rule (300 km/s, photometry, a fifth); %lld distances have none and count as exact\n",
		(long long)s->errors, (long long)s->by_rule, (long long)s->exact);
}

static int info(const char *path)
{
	struct catalog c;
	struct err e = {0};
	struct sums s = {.least = INFINITY};
	if (catalog_open(path, &c, &e) < 0)
		return err_print(&e);
	for (int64_t i = 0; i < c.count; i++) {
		struct catalog_row r;
		catalog_row_at(&c, i, &r);
		row_sum(&s, &r);
	}
	printf("catalogue    %s\ngalaxies     %lld, of them %lld merged of several files\ndigest       %s\n", path, (long long)c.count, (long long)s.merged, c.sha256);
	info_sources(&c);
	info_distances(&c, &s);
	printf("filled       distance error %lld, B magnitude %lld, stellar mass %lld\n", (long long)s.errors, (long long)s.light, (long long)s.mass);
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
	if (argc >= 2 && strcmp(argv[1], "get") == 0)
		return catalog_get(argc, argv);
	if (argc < 2 || strcmp(argv[1], "build") != 0)
		return cmd_usage(&command_catalog, "say build, info or get");
	return catalog_make(argc, argv);
}

const struct command command_catalog = {
	.name = "catalog",
	.args = "build IN... -o OUT.fits [--format NAME] [--map field=column,...] [--merge] [--photo-z-below MPC] [--progress] | info FILE | get [NAME [--verify FILE]]",
	.summary = "make a sorted galaxy table from published catalogues, CSV and FITS; describe one; say where they are",
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
		"info prints rows, provenance, kinds, frames, errors and range of distances, columns filled and the digest, and verifies it.\n"
		"\n"
		"get lists the published catalogues that are known; get NAME says where one is to be had, its size, paper and licence and the\n"
		"command that downloads it; --verify FILE reads what was downloaded through: its form, columns, rows and end.\n"
		"\n"
		"  slew catalog get glade+ --verify GLADE+.txt\n"
		"  slew catalog build GLADE+.txt -o glade.fits\n"
		"  slew catalog build --merge NEDLVS.fits GLADE+.txt -o galaxies.fits\n"
		"  slew catalog build mine.csv --map dist=d_mpc,dist_err=d_mpc_unc,mass=Mstar -o mine.fits\n"
		"  slew catalog info glade.fits\n",
	.run = catalog_run,
};

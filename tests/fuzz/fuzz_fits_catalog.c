/* Tables of galaxies that a person names: CSV of any separator, and FITS tables whose headers add up (a hostile FITS header reaches the FITS library
 * only by a person's own hand; the maps of strangers have a guard). Every row that is kept is usable. */
#define _GNU_SOURCE
#include "door.h"
#include "engine/base/text.h"
#include "engine/target/catalog_build.h"
#include "engine/target/catalog_merge.h"
#include "engine/target/skymap.h"
#include "fits.h"
#include "tests/lib/mapmake.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int file = -1; /* in memory; it has a path like any other */
static char path[64];

static void check_row(const struct catalog_row *r)
{
	must(r->ra_deg >= 0 && r->ra_deg <= 360 && fabs(r->dec_deg) <= 90);
	must(r->ipix29 < UINT64_C(12) << 58);
	must(isnan(r->distance_mpc) || (r->distance_mpc > 0 && isfinite(r->distance_mpc)));
	must(isnan(r->distance_err_mpc) || (r->distance_err_mpc >= 0 && isfinite(r->distance_err_mpc)));
	must(!isinf(r->b_mag) && !isinf(r->log_mstar));
	must((r->flags & CATALOG_FLAG_KIND) < CATALOG_DIST_KINDS && isnan(r->distance_mpc) == ((r->flags & CATALOG_FLAG_KIND) == CATALOG_DIST_NONE));
	must(memchr(r->name, '\0', sizeof r->name) != NULL && text_printable(r->name, strlen(r->name), CATALOG_NAME));
	double l = catalog_luminosity(r), m = catalog_mass(r);
	must(!isinf(l) && !isinf(m) && !(l < 0) && !(m < 0));
}

/* Its rows as if every other one were of a second list: all come out again or went into another, in order. */
static void check_merge(struct catalog_builder *b)
{
	struct err e = {0};
	struct catalog_row row, last = {0};
	const struct catalog_row *r;
	int64_t joined = 0, in = 0, out = 0;
	int more = 0;
	struct catalog_stream *s = catalog_stream_open(&b->runs, &e);
	struct catalog_merge *m = catalog_merge_open(NULL, &e);
	must(s != NULL && m != NULL);
	for (; (r = catalog_stream_next(s, &e)) != NULL; in++) {
		row = *r;
		row.source = (uint8_t)(in % 2);
		must(catalog_merge_add(m, &row, &e) == 0);
	}
	catalog_stream_close(s);
	must(e.kind == ERR_NONE && catalog_merge_find(m, &joined, &e) == 0);
	for (; (more = catalog_merge_next(m, &row, &e)) > 0; out++, last = row) {
		check_row(&row);
		must(out == 0 || catalog_row_compare(&last, &row) <= 0);
	}
	must(more == 0 && out == in - joined);
	catalog_merge_close(m);
}

static bool run(const uint8_t *bytes, size_t len)
{
	struct catalog_builder b;
	struct err e = {0};
	if (file < 0) {
		file = memfd_create("table", MFD_CLOEXEC);
		must(file >= 0);
		snprintf(path, sizeof path, "/proc/self/fd/%d", file);
	}
	bool fits = len >= 9 && memcmp(bytes, "SIMPLE  =", 9) == 0;
	if ((fits && fits_guard(bytes, len, &e) < 0) || (len >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b))
		return false;
	must(ftruncate(file, 0) == 0 && pwrite(file, bytes, len, 0) == (ssize_t)len);
	catalog_builder_init(&b);
	int rc = catalog_build_add(&b, path, &e);
	must(rc == 0 || ((e.kind == ERR_INPUT || e.kind == ERR_LIMIT) && text_printable(e.text, strlen(e.text), sizeof e.text)));
	must(rc < 0 || b.count > 0);
	const struct catalog_source *s = &b.source[0];
	must(s->rows == s->kept + s->bad + s->off[CATALOG_OFF_TYPE] + s->off[CATALOG_OFF_UNSURE] + s->off[CATALOG_OFF_PHOTO]);
	must((size_t)s->kept == b.count && b.runs.count == b.count);
	for (size_t i = 0; i < b.count; i++)
		check_row(&b.runs.rows[i]);
	bool read = s->rows > 0;
	if (b.count > 1)
		check_merge(&b);
	catalog_builder_free(&b);
	return read;
}

static void seeds(struct fuzz_seeds *s)
{
	static const double ra[] = {10, 20.5, 359.9}, dec[] = {-89, 0, 45.5}, dist[] = {10, 40, NAN}, mag[] = {12, 13.5, 14};
	static const int64_t id[] = {1, 2, 3};
	const struct mapmake_column columns[] = {{"RAJ2000", "deg", 'D', 1, ra, NULL}, {"DEJ2000", "deg", 'D', 1, dec, NULL}, {"Dist", "Mpc", 'E', 1, dist, NULL},
		{"Bmag", "mag", 'E', 1, mag, NULL}, {"PGC", NULL, 'J', 1, NULL, id}};
	struct mapmake m;
	mapmake_file(&m, columns, 5, 3, NULL);
	fuzz_seed(s, m.data, m.len);
	mapmake_free(&m);
	fuzz_seed_text(s, "name,ra,dec,dist,dist_err,b_mag,log_mass\nNGC 4993,197.45,-23.38,40,3,13.3,10.6\nIC 4197,197.0,-23.8,42,,,\n\"a, \"\"b\"\"\",12:30:45.5,-01:02:03,,,,\n");
	fuzz_seed_text(s, "# comment\nid\tRAJ2000\tDEJ2000\tz\tBMag\n1\t10.5\t-5\t0.01\t-20.5\n2\t370\t5\t0.02\tnan\n3\t1e1\t95\t-0.1\t1e400\n");
	fuzz_seed_text(s, "RA;DEC;v [km/s];mass\n1;2;3000;1.5\n1;2;299793;1e400\n;;;\n");
	fuzz_seed_text(s, "GLADE no | PGC no | RA | Dec | d_L | M*\n1 | 2 | 3.5 | 4.5 | 100 | 0.5\n");
	fuzz_seed_text(s, "1 43495 NGC4736 NGC4736 12505314+4107125 J125053.14+410712.7 null G 192.721451 41.120152 8.8 null 0 -19.4 6.08 0.015 5.4 0.015 5.1 0.015 5.6 null 6.1 null 0 "
			  "null null 0.00099 0.001733 0 null 2.8E-05 4.392418 0.2 2 null null 1 null null\n");
	fuzz_seed_text(s, "1|10.68471 +41.26875            | 1.2|MESSIER 031                   |00h42m44.35s|+41d16m08.6s|G     | -0.001001| x\n"
			  "2|11.88806 -25.28880            | 2.1|NGC 0253                      |00h47m33.12s|-25d17m17.6s|G     |  0.000811| \n");
	fuzz_seed_text(s, "# 2MRS\n#ID RAdeg DECdeg v e_v CAT_ID\n13094770-2323017 197.44873 -23.38385 2916 15 NGC_4993\n13094770-2323018 197.44874 -23.38386 2920 15 X\n");
	fuzz_seed_text(s, "Name;Type;RA;Dec;Const;B-Mag;RadVel;Redshift\nNGC4993;G;13:09:47.70;-23:23:02.0;Hya;13.45;2920;0.009787\nIC1;**;00:08:27.05;+27:43:03.6;Peg;;;\n");
	fuzz_seed_text(s, "TARGETID,TARGET_RA,TARGET_DEC,Z,ZERR,ZWARN,SPECTYPE\n39627652591521181,150.1,2.2,0.1,0.00001,0,GALAXY\n2,150.2,2.2,0.1,0.00001,4,GALAXY\n");
	fuzz_seed_text(s, "ra dec dist\n1 2 3\n4 5 6\n\xef\xbb\xbf");
}

static size_t mutate(uint8_t *bytes, size_t len, size_t max, unsigned seed)
{
	struct fuzz_dice d = {seed};
	return len > 9 && memcmp(bytes, "SIMPLE  =", 9) == 0 ? fuzz_change_fits(bytes, len, max, &d) : fuzz_mutate_bytes(bytes, len, max);
}

const struct fuzz_door fuzz_fits_catalog = {.name = "fits_catalog", .run = run, .mutate = mutate, .seeds = seeds, .max_len = 8640, .rss_mb = 1024};

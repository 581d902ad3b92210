/* The whole way of a map: inflate, guard, FITS library, cells, checks; then areas and a ranking over a small catalogue. */
#include "door.h"
#include "engine/base/limits.h"
#include "engine/base/bytes.h"
#include "engine/base/text.h"
#include "engine/target/catalog_build.h"
#include "engine/target/inflate.h"
#include "engine/target/rank.h"
#include "engine/target/region.h"
#include "engine/target/skymap.h"
#include "engine/target/skymap_file.h"
#include "engine/target/volume.h"
#include "fits.h"
#include "seeds_fits.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct catalog catalog; /* the fixture of every run: 120 galaxies, some without distance, luminosity or mass */

static void fixture(void)
{
	char dir[] = "/tmp/slew-fuzz-XXXXXX", csv[64], fits[64];
	struct catalog_builder b;
	struct err e = {0};
	must(mkdtemp(dir) != NULL);
	snprintf(csv, sizeof csv, "%s/c.csv", dir);
	snprintf(fits, sizeof fits, "%s/c.fits", dir);
	FILE *f = fopen(csv, "w");
	must(f != NULL);
	fputs("name,ra,dec,dist,dist_err,b_mag,log_mass\n", f);
	for (int i = 0; i < 120; i++) {
		fprintf(f, "G %d,%d,%d,", i, i * 3, i * 7 % 179 - 89);
		fprintf(f, i % 9 == 4 ? ",," : "%d,%d,", 10 + i, i % 5);
		fprintf(f, i % 7 == 2 ? ",\n" : "%d,%d\n", 12 + i % 5, 8 + i % 4);
	}
	must(fclose(f) == 0);
	catalog_builder_init(&b);
	must(catalog_build_add(&b, csv, &e) == 0 && catalog_build_write(&b, fits, NULL, &e) == 0 && catalog_open(fits, &catalog, &e) == 0);
	catalog_builder_free(&b);
	unlink(csv);
	unlink(fits);
	rmdir(dir);
}

static void check_rank(const struct skymap *m, struct rank_options o)
{
	struct ranking r;
	struct err e = {0};
	must(rank_galaxies(m, &catalog, &o, &r, &e) == 0);
	must(r.is_3d == (m->mu != NULL) && r.considered <= catalog.count && r.count <= (size_t)r.considered);
	for (size_t i = 0; i < r.count; i++) {
		const struct ranked *g = &r.list[i];
		must(g->row >= 0 && g->row < catalog.count && isfinite(g->score) && g->score > 0);
		must(i == 0 || g->score <= r.list[i - 1].score);
		must(g->share >= 0 && g->share <= 1 + 1e-9 && g->cumulative_share <= 1 + 1e-9);
	}
	rank_free(&r);
}

/* Areas cost a pass over 64 Ki bins each: every eighth map, chosen by its bytes. */
static void check_region(const struct skymap *m)
{
	struct region g;
	struct err e = {0};
	must(region_of(m, &g, &e) == 0);
	must(g.area50_deg2 >= 0 && g.area50_deg2 <= g.area90_deg2 * (1 + 1e-9) && g.area90_deg2 < 41254);
	must(g.probability > 0.5 && g.probability < 1.05);
	must(g.ra_deg >= 0 && g.ra_deg <= 360 && fabs(g.dec_deg) <= 90 && fabs(g.gal_b_deg) <= 90);
	must(!isinf(g.distmean_mpc) && !isinf(g.diststd_mpc) && !isinf(g.distmod_mag));
}

static void check_volume(const struct skymap *m)
{
	struct volume v;
	struct err e = {0};
	double place[120], level[120];
	if (m->norm == NULL)
		return;
	must(volume_open(&v, m, &e) == 0);
	double half = volume_credible(&v, 0.5), most = volume_credible(&v, 0.9);
	must(half >= 0 && most >= half * (1 - 1e-6));
	for (int i = 0; i < 120; i++)
		place[i] = volume_density(m, catalog_ipix(&catalog, i), catalog_distance_mpc(&catalog, i));
	must(volume_levels(&v, place, 120, level, &e) == 0);
	for (int i = 0; i < 120; i++)
		must(level[i] >= 0);
	volume_close(&v);
}

static bool past_guard(const uint8_t *bytes, size_t len)
{
	struct err e = {0};
	struct inflated z = {NULL, 0};
	if (len < 2 || bytes[0] != 0x1f || bytes[1] != 0x8b)
		return fits_guard(bytes, len, &e) == 0;
	if (inflate_gzip(bytes, len, LIMIT_MAP_INFLATED, &z, &e) < 0)
		return false;
	bool past = fits_guard(z.data, z.len, &e) == 0;
	free(z.data);
	return past;
}

static bool run(const uint8_t *bytes, size_t len)
{
	struct skymap m;
	struct err e = {0}, scan_e = {0};
	int64_t cells = -1;
	bool is_3d = false;
	if (catalog.rows == NULL)
		fixture();
	if (!past_guard(bytes, len)) {
		must(skymap_read(bytes, len, &m, &e) < 0 && (e.kind == ERR_INPUT || e.kind == ERR_LIMIT));
		return false;
	}
	int scan = skymap_scan(bytes, len, &cells, &is_3d, &scan_e);
	if (skymap_read(bytes, len, &m, &e) < 0) {
		must((e.kind == ERR_INPUT || e.kind == ERR_LIMIT) && text_printable(e.text, strlen(e.text), sizeof e.text));
		return true;
	}
	/* what the scan announced is what was read: the parent sizes the child's memory by it */
	must(scan == 0 && m.cells == cells && (m.mu != NULL) == is_3d);
	must(skymap_check(&m, &e) == 0 && m.order_max >= 0 && m.order_max <= 29);
	if ((bytes[len - 1] + bytes[len / 2] + len / 80) % 8 == 0)
		check_region(&m);
	else if ((bytes[len - 1] + bytes[len / 2] + len / 80) % 8 < 3)
		check_volume(&m);
	check_rank(&m, (struct rank_options){.weight = RANK_NONE, .probability = NAN});
	check_rank(&m, (struct rank_options){.weight = RANK_LUMINOSITY, .distance_error = true, .top = 10, .probability = 0.9});
	skymap_free(&m);
	return true;
}

/* ---- the mutator ---- */
/* Makes the densities add up to one again: else nearly every change of a row ends at the last check. */
static void normalise(uint8_t *bytes, size_t len)
{
	struct skymap_file f;
	struct err e = {0};
	if (fits_guard(bytes, len, &e) < 0 || skymap_file_of(bytes, len, &f, &e) < 0)
		return;
	const struct fits_column *c = &f.column[ROLE_DENSITY], *u = &f.column[ROLE_UNIQ];
	if (c->type != 'D' || c->repeat != 1 || f.uniq_flip != 0 || (u->type != 0 && u->type != 'K'))
		return;
	size_t at = 0;
	while (at < len && memcmp(bytes + at, "XTENSION", 8) != 0)
		at += FITS_BLOCK;
	struct fits_header h;
	if (at >= len || fits_header_scan(bytes + at, len - at, &h, &e) < 0)
		return;
	uint8_t *rows = bytes + at + h.bytes;
	double total = 0;
	for (int64_t i = 0; i < f.rows; i++) {
		uint64_t uniq = u->type != 0 ? bytes_u64(rows + (size_t)i * f.row_bytes + u->offset) : 4;
		double v = bytes_double(rows + (size_t)i * f.row_bytes + c->offset);
		if (uniq >= 4 && isfinite(v) && v > 0)
			total += f.per_pixel ? v : v * f.to_per_sr * (f.order < 0 ? skymap_pixel_sr(skymap_order(uniq)) : skymap_pixel_sr(f.order));
	}
	for (int64_t i = 0; total > 0 && isfinite(total) && i < f.rows; i++) {
		uint8_t *p = rows + (size_t)i * f.row_bytes + c->offset;
		bytes_put_double(p, bytes_double(p) / total);
	}
}

static size_t mutate(uint8_t *bytes, size_t len, size_t max, unsigned seed)
{
	struct fuzz_dice d = {seed};
	if (fuzz_below(&d, 32) == 0)
		return fuzz_mutate_bytes(bytes, len, max);
	bool was_gzip = len > 2 && bytes[0] == 0x1f && bytes[1] == 0x8b;
	len = fuzz_gunzip(bytes, len, max);
	len = fuzz_change_fits(bytes, len, max, &d);
	if (fuzz_below(&d, 4))
		normalise(bytes, len);
	if (fuzz_below(&d, 8) != (was_gzip ? 0 : 1))
		return len;
	uint8_t *packed = malloc(max);
	must(packed != NULL);
	size_t n = fuzz_gzip(bytes, len, packed, max);
	if (n > 0)
		memcpy(bytes, packed, n);
	free(packed);
	return n > 0 ? n : len;
}

static void seeds(struct fuzz_seeds *s)
{
	seeds_fits(s, true);
}

const struct fuzz_door fuzz_skymap = {.name = "skymap", .run = run, .mutate = mutate, .seeds = seeds, .max_len = 20160, .rss_mb = 1024};

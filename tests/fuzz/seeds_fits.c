/* Small sky maps of every ordering: see seeds_fits.h. */
#include "seeds_fits.h"
#include "sim/localise.h"
#include "sim/skymap_write.h"
#include "tests/lib/mapmake.h"
#include <stdlib.h>
#include <string.h>

static void keep(struct fuzz_seeds *s, const void *bytes, size_t len, bool with_gzip)
{
	fuzz_seed(s, bytes, len);
	if (with_gzip) {
		struct mapmake gz;
		mapmake_gzip(&gz, bytes, len);
		fuzz_seed(s, gz.data, gz.len);
		mapmake_free(&gz);
	}
}

/* As LVK writes them: columns in the usual order, many cards. Cells of one order only: the map must stay small. */
static void seed_sim(struct fuzz_seeds *s, bool with_gzip)
{
	struct sim_cell cells[12];
	struct sim_map map = {cells, 12, 0, 40, 8};
	struct text t = {.max = 1 << 20};
	struct err e = {0};
	for (int i = 0; i < 12; i++)
		cells[i] = (struct sim_cell){(uint64_t)i + 4, 0.0795774715459, 40 + i, 8, 1e-4};
	must(sim_map_fits(&map, &(struct sim_map_header){"S261123ab", "H1,L1,V1", INT64_C(1684432700000000), INT64_C(1684432800000000)}, &t, &e) == 0);
	keep(s, t.data, t.len, with_gzip);
	text_free(&t);
}

/* Vectors in a row as healpy writes them, float32, unit per square degree; a coverage map; a table of something else. */
static void seed_odd(struct fuzz_seeds *s, bool with_gzip)
{
	double prob[48];
	int64_t uniq[48];
	for (int i = 0; i < 48; i++) {
		prob[i] = 1.0 / 48;
		uniq[i] = 16 + i;
	}
	const struct mapmake_column vector = {"PROBABILITY", "pix-1", 'E', 12, prob, NULL}, deg = {"PROBDENSITY", "deg-2", 'E', 1, prob, NULL};
	const struct mapmake_column moc = {"UNIQ", NULL, 'J', 1, NULL, uniq};
	static const char *const ring[] = {"ORDERING= 'RING    '", "NSIDE   =                    2", "COORDSYS= 'C       '", NULL};
	struct mapmake m;
	mapmake_file(&m, &vector, 1, 4, ring);
	keep(s, m.data, m.len, with_gzip);
	mapmake_free(&m);
	mapmake_file(&m, &deg, 1, 48, ring);
	keep(s, m.data, m.len, with_gzip);
	mapmake_free(&m);
	mapmake_file(&m, &moc, 1, 48, NULL);
	keep(s, m.data, m.len, with_gzip);
	mapmake_free(&m);
}

void seeds_fits(struct fuzz_seeds *s, bool with_gzip)
{
	static const char *const orderings[] = {"NUNIQ", "NESTED", "RING"};
	for (int order = 0; order < 2; order++) {
		struct mapmake_sky sky;
		mapmake_sky_make(&sky, order);
		for (int i = 0; i < 3; i++) {
			for (int is_3d = 0; is_3d < 2; is_3d++) {
				struct mapmake m;
				mapmake_sky_file(&sky, orderings[i], is_3d, &m);
				keep(s, m.data, m.len, with_gzip);
				mapmake_free(&m);
			}
		}
		mapmake_sky_free(&sky);
	}
	seed_sim(s, with_gzip);
	seed_odd(s, with_gzip);
	fuzz_seed_text(s, "<html>");
	fuzz_seed_text(s, "PK");
	fuzz_seed_text(s, "{}");
}

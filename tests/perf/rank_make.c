/* Made-up catalogues and sky maps of the sizes that the ranking is timed with. A test's tool, no part of the program.
 *
 *	rank_make catalog N OUT.fits      N galaxies: clustered on the sky, p(D) ~ D² exp(-D/300 Mpc), in the catalogue's form
 *	rank_make small|wide|large OUT    a 3-D map: 19,200 cells of orders 4 to 11 around one arc, 19,200 over much of the sky, 3.1 million flat */
#include "mapmake.h"
#include "engine/target/catalog_write.h"
#include "engine/target/skymap.h"
#include <chealpix.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state = 20230518;

static uint64_t draw(void)
{
	uint64_t z = state += UINT64_C(0x9E3779B97F4A7C15);
	z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
	return z ^ z >> 31;
}

static double uniform(void)
{
	return ((double)(draw() >> 11) + 0.5) / 9007199254740992.0;
}

static double normal(void)
{
	return sqrt(-2 * log(uniform())) * cos(2 * M_PI * uniform());
}

static double distance(void)
{
	double d = -300 * log(uniform() * uniform() * uniform());
	return d < 1 ? 1 : d > 3000 ? 3000 : d;
}

static int worse(const struct err *e)
{
	fprintf(stderr, "rank_make: %s\n", e->text);
	return 1;
}

/* ---- catalogue ---- */

static void galaxy_make(struct catalog_row *r, uint64_t ipix29, double cluster_mpc, int64_t id)
{
	double theta, phi, magnitude = -19.5 + 1.2 * normal();
	*r = (struct catalog_row){.ipix29 = ipix29, .id = id, .flags = CATALOG_DIST_PHOT};
	pix2ang_nest64(INT64_C(1) << 29, (int64_t)ipix29, &theta, &phi);
	r->ra_deg = phi * (180 / M_PI);
	r->dec_deg = 90 - theta * (180 / M_PI);
	r->distance_mpc = draw() % 5 < 2 ? fmin(3000, cluster_mpc * exp(0.02 * normal())) : distance();
	r->distance_err_mpc = draw() % 8 == 0 ? NAN : (float)(0.07 * r->distance_mpc);
	r->b_mag = draw() % 5 == 0 ? NAN : (float)(magnitude + 5 * log10(r->distance_mpc) + 25);
	r->log_mstar = draw() % 4 == 0 ? NAN : (float)(10 - 0.4 * (magnitude + 20));
	if (draw() % 50 == 0)
		r->distance_mpc = NAN;
	snprintf(r->name, sizeof r->name, "MADE %09lld", (long long)id);
}

static int pixel_compare(const void *a, const void *b)
{
	uint64_t p = *(const uint64_t *)a, q = *(const uint64_t *)b;
	return p < q ? -1 : p > q;
}

/* The galaxies of one cell: half of them in one clump of a 16th of its width. */
static int cell_write(struct catalog_writer *w, uint64_t cell, int64_t count, uint64_t *pixels, struct err *e)
{
	uint64_t clump = draw() % 256;
	double cluster_mpc = distance();
	for (int64_t i = 0; i < count; i++) {
		uint64_t inside = draw() >> 22;
		pixels[i] = cell << 42 | (i % 2 ? inside : clump << 34 | inside >> 8);
	}
	qsort(pixels, (size_t)count, sizeof *pixels, pixel_compare);
	for (int64_t i = 0; i < count; i++) {
		struct catalog_row r;
		galaxy_make(&r, pixels[i], cluster_mpc, w->count + 1);
		if (catalog_writer_add(w, &r, e) < 0)
			return -1;
	}
	return 0;
}

static int catalog_make(int64_t rows, const char *path)
{
	struct err e = {0};
	struct catalog_writer w;
	double *share = malloc((CATALOG_CELLS + 1) * sizeof *share), coarse = 1;
	uint64_t *pixels = malloc((size_t)(rows + 1) * sizeof *pixels);
	if (share == NULL || pixels == NULL || catalog_writer_open(&w, path, 0, &e) < 0)
		return worse(&e);
	share[0] = 0;
	for (int i = 0; i < CATALOG_CELLS; i++) { /* two scales of crowding: 7° and 0.2° */
		coarse = i % 1024 == 0 ? exp(0.3 * normal()) : coarse;
		share[i + 1] = share[i] + coarse * exp(0.8 * normal());
	}
	int rc = 0;
	for (int i = 0; i < CATALOG_CELLS && rc == 0; i++) {
		int64_t until = i + 1 == CATALOG_CELLS ? rows : (int64_t)((double)rows * share[i + 1] / share[CATALOG_CELLS]);
		rc = cell_write(&w, (uint64_t)i, until - w.count, pixels, &e);
	}
	if (rc == 0)
		rc = catalog_writer_finish(&w, NULL, NULL, &e);
	free(share);
	free(pixels);
	return rc < 0 ? worse(&e) : 0;
}

/* ---- maps ---- */

struct shape {
	double width_deg, length_deg; /* of an arc along the equator of its own frame */
	double mean_mpc, spread_mpc;
};

struct cells {
	int64_t count;
	int64_t *uniq;
	double *density, *mu, *sigma, *norm;
};

static void cell_fill(struct cells *c, int64_t i, int64_t uniq, const struct shape *s)
{
	double theta, phi;
	int order = skymap_order((uint64_t)uniq);
	pix2ang_nest64(INT64_C(1) << order, uniq - (INT64_C(4) << (2 * order)), &theta, &phi);
	double across = 90 - theta * (180 / M_PI) - 20, along = phi * (180 / M_PI) - 197; /* around 13h, -20° or so */
	c->uniq[i] = uniq;
	c->density[i] = exp(-0.5 * (across * across / (s->width_deg * s->width_deg) + along * along / (s->length_deg * s->length_deg))) + 1e-12;
	c->mu[i] = s->mean_mpc * (1 + 0.1 * sin(3 * phi) * cos(2 * theta));
	c->sigma[i] = s->spread_mpc * (1 + 0.1 * cos(5 * phi));
	double a = c->mu[i] / c->sigma[i]; /* ∫ r² N(r; μ, σ) dr over r ≥ 0 is 1/norm */
	double whole = c->sigma[i] * c->sigma[i] * ((1 + a * a) * 0.5 * erfc(-a / M_SQRT2) + a * exp(-0.5 * a * a) / sqrt(2 * M_PI));
	c->norm[i] = 1 / whole;
}

static const double *density_sorted; /* qsort's comparison knows no context */
static int densest_first(const void *a, const void *b)
{
	double p = density_sorted[*(const int64_t *)a], q = density_sorted[*(const int64_t *)b];
	return p > q ? -1 : p < q ? 1 : *(const int64_t *)a < *(const int64_t *)b ? -1 : 1;
}

/* As BAYESTAR does: 3072 cells, seven times the 768 of most probability in four. */
static void refine(struct cells *c, const struct shape *s)
{
	int64_t *order = malloc(32768 * sizeof *order);
	double *probability = malloc(32768 * sizeof *probability);
	for (int round = 0; round < 7; round++) {
		for (int64_t i = 0; i < c->count; i++) {
			order[i] = i;
			probability[i] = c->density[i] * skymap_pixel_sr(skymap_order((uint64_t)c->uniq[i]));
		}
		density_sorted = probability;
		qsort(order, (size_t)c->count, sizeof *order, densest_first);
		for (int k = 0; k < 768; k++) {
			int64_t uniq = c->uniq[order[k]];
			cell_fill(c, order[k], 4 * uniq, s);
			for (int64_t j = 1; j < 4; j++)
				cell_fill(c, c->count++, 4 * uniq + j, s);
		}
	}
	free(order);
	free(probability);
}

static int map_make(const char *kind, const char *path)
{
	int large = strcmp(kind, "large") == 0, base = large ? 9 : 4;
	const struct shape shape = strcmp(kind, "small") == 0 ? (struct shape){1.0, 3.5, 40, 8} : (struct shape){25, 60, 156, 41};
	int64_t cap = large ? INT64_C(12) << 18 : 32768;
	struct cells c = {INT64_C(12) << (2 * base), malloc((size_t)cap * 8), malloc((size_t)cap * 8), malloc((size_t)cap * 8),
		malloc((size_t)cap * 8), malloc((size_t)cap * 8)};
	for (int64_t i = 0; i < c.count; i++)
		cell_fill(&c, i, (INT64_C(4) << (2 * base)) + i, &shape);
	if (!large)
		refine(&c, &shape);
	double sum = 0;
	for (int64_t i = 0; i < c.count; i++)
		sum += c.density[i] * skymap_pixel_sr(skymap_order((uint64_t)c.uniq[i]));
	for (int64_t i = 0; i < c.count; i++)
		c.density[i] /= sum;
	const struct mapmake_column columns[] = {{"UNIQ", "", 'K', 1, NULL, c.uniq}, {"PROBDENSITY", "sr-1", 'D', 1, c.density, NULL},
		{"DISTMU", "Mpc", 'D', 1, c.mu, NULL}, {"DISTSIGMA", "Mpc", 'D', 1, c.sigma, NULL}, {"DISTNORM", "Mpc-2", 'D', 1, c.norm, NULL}};
	int near = strcmp(kind, "small") == 0; /* DISTMEAN, DISTSTD: their moments, as `slew area` finds them; some readers want them written */
	const char *const cards[] = {"PIXTYPE = 'HEALPIX '", "ORDERING= 'NUNIQ   '", "COORDSYS= 'C       '", "OBJECT  = 'MADE    '",
		near ? "DISTMEAN=                 45.2" : "DISTMEAN=                176.3", near ? "DISTSTD =                  7.7" : "DISTSTD =                 39.5", NULL};
	struct mapmake m = {0};
	mapmake_file(&m, columns, 5, c.count, cards);
	FILE *f = fopen(path, "wb");
	int bad = f == NULL || fwrite(m.data, 1, m.len, f) != m.len;
	if (f != NULL && fclose(f) != 0)
		bad = 1;
	return bad;
}

int main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "catalog") == 0)
		return catalog_make(atoll(argv[2]), argv[3]);
	if (argc == 3 && (strcmp(argv[1], "small") == 0 || strcmp(argv[1], "wide") == 0 || strcmp(argv[1], "large") == 0))
		return map_make(argv[1], argv[2]);
	fprintf(stderr, "usage: rank_make catalog N OUT.fits | small|wide|large OUT.fits\n");
	return 2;
}

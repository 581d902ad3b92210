/* What a catalogue holds, by part of the sky and distance: counts and sums in 768 cells (HEALPix order 3, 54 deg² each) × 64 shells of luminosity
 * distance (1/16 dex: 1 Mpc to 10 Gpc). From it come the mean weight at a distance (weight.h) and the completeness (missing.h). */
#ifndef ENGINE_TARGET_CENSUS_H
#define ENGINE_TARGET_CENSUS_H
#include "engine/target/catalog.h"

#define CENSUS_ORDER 3
#define CENSUS_CELLS 768
#define CENSUS_SHELLS 64
#define CENSUS_SHELLS_A_DEX 16

struct census_bin {
	double rows;              /* galaxies with a distance */
	double light_rows, light; /* of them with a B luminosity, and its sum [Lsun,B] */
	double mass_rows, mass;   /* with a stellar mass, and its sum [Msun] */
};
struct census {
	struct census_bin bin[CENSUS_CELLS][CENSUS_SHELLS];
};

/* Of an open catalogue: from its file (HDU CENSUS), or, where an older one has none, by one pass over its columns (a few ns a row). *out:
 * malloc'd, given. Sums in the order of rows. */
int census_make(const struct catalog *c, struct census **out, struct err *e);

/* For who writes a catalogue: rows in their order, as the columns hold them (0: unknown), then the bytes of the table. */
enum { CENSUS_QUICK_FIRST = 1023 << 4, CENSUS_QUICK = 14 << 4 };
struct census_quick { /* shells without a logarithm */
	signed char shell[CENSUS_QUICK];
	double next_mpc[CENSUS_QUICK];
};
void census_quick_make(struct census_quick *q);
int census_quick_shell(const struct census_quick *q, double distance_mpc); /* census_shell of it */
void census_add(struct census *k, const struct census_quick *q, int64_t cell_of_order_8, double distance_mpc, float light, float mass);
void census_put(const struct census *k, unsigned char *out); /* CATALOG_CENSUS_ROWS × CATALOG_CENSUS_BYTES */

/* Shell of a distance (nearer than 1 Mpc: the first; farther than 10 Gpc: the last), -1 for none; and the edges of shells:
 * census_edge(s) to census_edge(s + 1), from 0 for the first. */
int census_shell(double distance_mpc);
double census_edge_mpc(int shell);
#endif

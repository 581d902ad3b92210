/* Counting a catalogue: see census.h. */
#include "engine/target/census.h"
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

int census_shell(double d)
{
	if (!(d > 0) || !isfinite(d))
		return -1;
	double s = floor(log10(d) * CENSUS_SHELLS_A_DEX);
	return s < 0 ? 0 : s >= CENSUS_SHELLS ? CENSUS_SHELLS - 1 : (int)s;
}

double census_edge_mpc(int shell)
{
	return shell <= 0 ? 0 : pow(10, (double)shell / CENSUS_SHELLS_A_DEX);
}

/* Shells without a logarithm: from the sign, exponent and first four bits of the mantissa, in whose span at most one edge lies. */
enum { QUICK_FIRST = 1023 << 4, QUICK = 14 << 4 };
struct quick {
	signed char shell[QUICK];
	double next_mpc[QUICK]; /* from here on it is the next shell */
};

static void quick_make(struct quick *q)
{
	for (int i = 0; i < QUICK; i++) {
		uint64_t bits = (uint64_t)(QUICK_FIRST + i) << 48;
		double from;
		memcpy(&from, &bits, sizeof from);
		q->shell[i] = (signed char)census_shell(from);
		q->next_mpc[i] = q->shell[i] + 1 < CENSUS_SHELLS ? census_edge_mpc(q->shell[i] + 1) : INFINITY;
	}
}

static int quick_shell(const struct quick *q, double d)
{
	uint64_t bits;
	memcpy(&bits, &d, sizeof bits);
	int64_t i = (int64_t)(bits >> 48) - QUICK_FIRST;
	if (!(d > 0) || !isfinite(d))
		return -1;
	return i < 0 ? 0 : i >= QUICK ? CENSUS_SHELLS - 1 : q->shell[i] + (d >= q->next_mpc[i]);
}

int census_make(const struct catalog *c, struct census **out, struct err *e)
{
	struct census *k = calloc(1, sizeof *k);
	struct quick q;
	*out = k;
	if (k == NULL)
		return err_set(e, ERR_MEMORY, "no memory to count a catalogue of %lld galaxies", (long long)c->count);
	quick_make(&q);
	for (int64_t cell = 0, row = 0; cell < CATALOG_CELLS; cell++) {
		int64_t end = cell + 1 < CATALOG_CELLS ? catalog_cell_first(c, cell + 1) : c->count;
		struct census_bin *bins = k->bin[cell >> (2 * (CATALOG_CELL_ORDER - CENSUS_ORDER))];
		for (; row < end; row++) {
			int shell = quick_shell(&q, catalog_distance_mpc(c, row));
			if (shell < 0)
				continue;
			struct census_bin *b = &bins[shell];
			double light = (double)catalog_weight(c, CATALOG_COLUMN_LUM, row), mass = (double)catalog_weight(c, CATALOG_COLUMN_MASS, row);
			bool lit = light > 0 && isfinite(light), weighed = mass > 0 && isfinite(mass);
			b->rows++;
			b->light_rows += lit;
			b->light += lit ? light : 0;
			b->mass_rows += weighed;
			b->mass += weighed ? mass : 0;
		}
	}
	return 0;
}

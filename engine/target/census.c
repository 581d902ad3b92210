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

_Static_assert(CENSUS_CELLS * CENSUS_SHELLS == CATALOG_CENSUS_ROWS && sizeof(struct census_bin) == CATALOG_CENSUS_BYTES, "HDU CENSUS");

/* From the sign, exponent and first four bits of the mantissa, in whose span at most one edge lies: the next shell begins at next_mpc. */
void census_quick_make(struct census_quick *q)
{
	for (int i = 0; i < CENSUS_QUICK; i++) {
		uint64_t bits = (uint64_t)(CENSUS_QUICK_FIRST + i) << 48;
		double from;
		memcpy(&from, &bits, sizeof from);
		q->shell[i] = (signed char)census_shell(from);
		q->next_mpc[i] = q->shell[i] + 1 < CENSUS_SHELLS ? census_edge_mpc(q->shell[i] + 1) : INFINITY;
	}
}

int census_quick_shell(const struct census_quick *q, double d)
{
	uint64_t bits;
	memcpy(&bits, &d, sizeof bits);
	int64_t i = (int64_t)(bits >> 48) - CENSUS_QUICK_FIRST;
	if (!(d > 0) || !isfinite(d))
		return -1;
	return i < 0 ? 0 : i >= CENSUS_QUICK ? CENSUS_SHELLS - 1 : q->shell[i] + (d >= q->next_mpc[i]);
}

void census_add(struct census *k, const struct census_quick *q, int64_t cell, double distance_mpc, float light, float mass)
{
	int shell = census_quick_shell(q, distance_mpc);
	if (shell < 0)
		return;
	struct census_bin *b = &k->bin[cell >> (2 * (CATALOG_CELL_ORDER - CENSUS_ORDER))][shell];
	bool lit = light > 0 && isfinite(light), weighed = mass > 0 && isfinite(mass);
	b->rows++;
	b->light_rows += lit;
	b->light += lit ? (double)light : 0;
	b->mass_rows += weighed;
	b->mass += weighed ? (double)mass : 0;
}

void census_put(const struct census *k, unsigned char *out)
{
	const struct census_bin *b = &k->bin[0][0];
	for (int i = 0; i < CATALOG_CENSUS_ROWS; i++, b++, out += CATALOG_CENSUS_BYTES) {
		const double value[5] = {b->rows, b->light_rows, b->light, b->mass_rows, b->mass};
		for (int v = 0; v < 5; v++)
			bytes_put_double(out + 8 * v, value[v]);
	}
}

/* What a damaged file holds there is nothing. */
static void census_get(struct census *k, const unsigned char *in)
{
	struct census_bin *b = &k->bin[0][0];
	for (int i = 0; i < CATALOG_CENSUS_ROWS; i++, b++, in += CATALOG_CENSUS_BYTES) {
		double value[5];
		for (int v = 0; v < 5; v++) {
			value[v] = bytes_double(in + 8 * v);
			if (!(value[v] >= 0) || !isfinite(value[v]))
				value[v] = 0;
		}
		*b = (struct census_bin){value[0], value[1], value[2], value[3], value[4]};
	}
}

int census_make(const struct catalog *c, struct census **out, struct err *e)
{
	struct census *k = calloc(1, sizeof *k);
	struct census_quick q;
	*out = k;
	if (k == NULL)
		return err_set(e, ERR_MEMORY, "no memory to count a catalogue of %lld galaxies", (long long)c->count);
	if (c->census != NULL) {
		census_get(k, c->census);
		return 0;
	}
	census_quick_make(&q);
	for (int64_t cell = 0, row = 0; cell < CATALOG_CELLS; cell++) {
		int64_t end = cell + 1 < CATALOG_CELLS ? catalog_cell_first(c, cell + 1) : c->count;
		for (; row < end; row++)
			census_add(k, &q, cell, catalog_distance_mpc(c, row), catalog_weight(c, CATALOG_COLUMN_LUM, row),
				catalog_weight(c, CATALOG_COLUMN_MASS, row));
	}
	return 0;
}

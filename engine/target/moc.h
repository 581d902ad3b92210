/* Coverage of the sky as IVOA Multi-Order Coverage: a sorted list of ranges of HEALPix pixels (NESTED, ICRS) of order 29.
 * IVOA MOC 2.0 (Fernique et al., Recommendation of 2022-07-27), space MOCs only: §4.1 FITS (NUNIQ, RANGE), §4.2 ASCII, §4.2.2 JSON;
 * files of MOC 1.0 and 1.1 are read, too. Pure; no static state. */
#ifndef ENGINE_TARGET_MOC_H
#define ENGINE_TARGET_MOC_H
#include "engine/base/err.h"
#include "engine/base/text.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MOC_ORDER 29
#define MOC_END (UINT64_C(12) << (2 * MOC_ORDER)) /* behind the last pixel of order 29 */

struct moc_range {
	uint64_t first, end; /* [first, end) */
};

/* Between moc_add and moc_finish the ranges are as they came; afterwards sorted, disjoint, not touching. Start with {0}; moc_free. */
struct moc {
	struct moc_range *range;
	size_t count, cap;
	int order; /* resolution that it claims: 0 to 29 */
};

/* Bytes of a MOC: FITS (plain or gzip; NUNIQ or RANGE), JSON or ASCII, told apart by content. *out is finished. ERR_INPUT says what
 * is wrong with a file of a stranger, or what it is instead (a time MOC, a map with probabilities, a web page); ERR_LIMIT above LIMIT_MOC_CELLS. */
int moc_read(const void *bytes, size_t len, struct moc *out, struct err *e);
void moc_free(struct moc *m);

/* Adds pixels [first, end) of an order; out of range: ERR_INPUT. moc_finish sorts and joins, and must follow the last one. */
int moc_add(struct moc *m, int order, uint64_t first, uint64_t end, struct err *e);
void moc_finish(struct moc *m);

/* Is the pixel of order 29 covered? O(log n). moc_contains_at: the same of an ICRS position. */
bool moc_contains(const struct moc *m, uint64_t ipix29);
bool moc_contains_at(const struct moc *m, double ra_deg, double dec_deg);
double moc_area_deg2(const struct moc *m);
/* Both finished: *out = what is in a and in b. */
int moc_and(const struct moc *a, const struct moc *b, struct moc *out, struct err *e);

/* The cells that make it up: the fewest, sorted by order, then pixel (which is the order of UNIQ). take returns 0, or a value that ends it. */
int moc_cells(const struct moc *m, int (*take)(void *ctx, int order, uint64_t ipix), void *ctx);

enum moc_form { MOC_NUNIQ, MOC_RANGE };
/* Whole files, appended to t (whose `failed` says at the end whether all went in). name: OBJECT and MOCID, may be "". */
void moc_fits(const struct moc *m, enum moc_form form, const char *name, struct text *t);
void moc_json(const struct moc *m, struct text *t);  /* {"5":[8,9],"29":[]} and a newline; the last member tells the resolution */
void moc_ascii(const struct moc *m, struct text *t); /* 5/8-9 12 29/ and a newline; blanks as in MOC 2.0, commas (MOC 1.1) are read, too */

/* Pixel of an order that holds an ICRS position. */
uint64_t moc_pixel(int order, double ra_deg, double dec_deg);
#endif

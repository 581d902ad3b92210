/* Small sky maps as FITS bytes, made by hand: columns given as numbers, headers as cards. */
#ifndef TESTS_LIB_MAPMAKE_H
#define TESTS_LIB_MAPMAKE_H
#include <stddef.h>
#include <stdint.h>

struct mapmake {
	unsigned char *data;
	size_t len, cap;
};

/* One column: type D, E, K or J; repeat values a row; number of values = rows × repeat. K and J take integers from `integer`. */
struct mapmake_column {
	const char *name, *unit;
	char type;
	int repeat;
	const double *number;
	const int64_t *integer;
};

/* The whole file; cards: more header cards ("ORDERING= 'NESTED  '"), NULL-terminated. */
void mapmake_file(struct mapmake *m, const struct mapmake_column *columns, int n, int64_t rows, const char *const *cards);
/* gzip of bytes. */
void mapmake_gzip(struct mapmake *out, const void *bytes, size_t len);
void mapmake_free(struct mapmake *m);

/* A smooth 3-D sky of nside 2^order in NESTED order: probability per pixel adding up to 1, distances; some pixels have none. Arrays of
 * 12·4^order, malloc'd. */
struct mapmake_sky {
	int order;
	int64_t pixels;
	double *prob, *density, *mu, *sigma, *norm;
	int64_t *uniq;
};
void mapmake_sky_make(struct mapmake_sky *s, int order);
void mapmake_sky_free(struct mapmake_sky *s);
/* The sky as a file: "NUNIQ", "NESTED" or "RING"; is_3d 0 leaves the distances out. */
void mapmake_sky_file(const struct mapmake_sky *s, const char *ordering, int is_3d, struct mapmake *out);
#endif

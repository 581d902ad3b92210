/* CSV with quotes for golden tests: whole file in memory, cells by the column's name. */
#ifndef TESTS_LIB_CSV_H
#define TESTS_LIB_CSV_H
#include <stddef.h>

struct csv {
	char *memory;
	char **cells;  /* (rows + 1) × columns, row 0 is the header */
	size_t rows, columns;
};
int csv_open(const char *path, struct csv *out);  /* 0, or -1 */
void csv_free(struct csv *t);
const char *csv_text(const struct csv *t, size_t row, const char *column); /* "" when the column is not there; row from 0 */
double csv_number(const struct csv *t, size_t row, const char *column);    /* NaN when empty */
#endif

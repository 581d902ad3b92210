/* A user's weights: a CSV with a column `id` or `name` and a column `weight`, matched to the rows of a catalogue. */
#ifndef ENGINE_TARGET_WEIGHT_FILE_H
#define ENGINE_TARGET_WEIGHT_FILE_H
#include "engine/target/catalog.h"

/* Reads `text` (NUL-terminated, changed in place). *column: one number a row, NaN where the file has none, malloc'd and given; *matched: rows that
 * got one. Names are compared without blanks and case. ERR_INPUT names the line: no such column, not a number, a weight below 0, nothing
 * matches. Where an id or a name stands twice the last line counts; rows of one id all get it. */
int weight_file_read(char *text, const struct catalog *c, double **column, int64_t *matched, struct err *e);
#endif

/* Tables for a terminal: an array of JSON objects as aligned columns, UTC times, strangers' text escaped and cut. */
#ifndef ENGINE_REPORT_TABLE_H
#define ENGINE_REPORT_TABLE_H
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

/* How a column is written; NULL and absent are "-" everywhere. UTC takes microseconds since 1970, LIST joins an array of strings. */
enum column_form { COLUMN_TEXT, COLUMN_COUNT, COLUMN_NUMBER, COLUMN_DEGREES, COLUMN_PERCENT, COLUMN_UTC, COLUMN_CLOCK, COLUMN_FLAG, COLUMN_LIST };

struct column {
	const char *head, *key; /* heading with its unit; member of each row. A table of columns ends with head NULL */
	enum column_form form;
	int most;               /* widest, in characters; 0: 40 */
};

/* One line of headings and one a row, each after `indent` spaces; numbers to the right. Nothing for an empty array. */
void table_print(FILE *to, int indent, const struct column *columns, const json_t *rows);

/* One cell as it would stand in a table; cut at size. Returns out. */
char *table_cell(char *out, size_t size, enum column_form form, const json_t *value);

/* Time for a person: "2026-11-23 18:02:11"; "-" for UTC_NONE. Returns out. */
char *table_utc(char out[32], int64_t utc_us);
#endif

/* Tables for a terminal (table.h). */
#include "engine/report/table.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include <math.h>
#include <string.h>

enum { COLUMNS_MAX = 24, CELL = 200, MOST = 40 };

char *table_utc(char out[32], int64_t utc_us)
{
	utc_format_s(out, utc_us);
	if (strlen(out) == 20) { /* 2026-11-23T18:02:11Z */
		out[10] = ' ';
		out[19] = '\0';
	}
	return out;
}

static void number_cell(char *out, size_t size, double v)
{
	if (!isfinite(v))
		text_copy(out, size, "-");
	else if (v != 0 && (fabs(v) < 1e-3 || fabs(v) >= 1e6))
		snprintf(out, size, "%.2e", v);
	else
		snprintf(out, size, fabs(v) >= 1000 ? "%.0f" : "%.4g", v);
}

static void list_cell(char *out, size_t size, const json_t *array)
{
	size_t i, used = 0;
	json_t *item;
	text_copy(out, size, json_array_size(array) == 0 ? "-" : "");
	json_array_foreach(array, i, item) {
		const char *s = json_string_value(item);
		if (s == NULL || used + 2 >= size)
			continue;
		if (used > 0)
			out[used++] = ',';
		used += text_escape(out + used, size - used, s, strlen(s));
	}
}

char *table_cell(char *out, size_t size, enum column_form form, const json_t *value)
{
	char when[32];
	text_copy(out, size, "-");
	if (json_is_array(value)) {
		list_cell(out, size, value);
	} else if (json_is_string(value)) {
		const char *s = json_string_value(value);
		if (*s != '\0')
			text_escape(out, size, s, strlen(s));
	} else if (json_is_boolean(value) || (form == COLUMN_FLAG && json_is_number(value))) {
		text_copy(out, size, json_is_true(value) || json_number_value(value) != 0 ? "yes" : "no");
	} else if (json_is_number(value)) {
		if (form == COLUMN_UTC)
			text_copy(out, size, table_utc(when, json_integer_value(value)));
		else if (form == COLUMN_CLOCK)
			text_copy(out, size, utc_format_hms(when, json_integer_value(value)));
		else if (form == COLUMN_PERCENT)
			snprintf(out, size, "%.2f", 100 * json_number_value(value));
		else if (form == COLUMN_DEGREES)
			snprintf(out, size, "%.5f", json_number_value(value));
		else if (form == COLUMN_COUNT || json_is_integer(value))
			snprintf(out, size, "%lld", (long long)json_number_value(value));
		else
			number_cell(out, size, json_number_value(value));
	}
	return out;
}

/* Characters, not bytes: everything here is valid UTF-8 (escaped). Wide characters count as one. */
static int width(const char *s)
{
	int n = 0;
	for (; *s != '\0'; s++)
		n += ((unsigned char)*s & 0xC0) != 0x80;
	return n;
}

/* Cuts after most characters, with a mark. */
static void shorten(char *s, int most)
{
	if (width(s) <= most)
		return;
	int n = 0;
	for (; *s != '\0'; s++)
		if (((unsigned char)*s & 0xC0) != 0x80 && ++n == most)
			break;
	text_copy(s, 4, "…");
}

static void cell_of(char out[CELL], const struct column *c, const json_t *row)
{
	table_cell(out, CELL - 4, c->form, json_object_get(row, c->key));
	shorten(out, c->most > 0 ? c->most : MOST);
}

static void put(FILE *to, const char *s, int wide, bool right, bool last)
{
	int pad = wide - width(s);
	if (right)
		fprintf(to, "%*s%s", pad, "", s);
	else
		fprintf(to, "%s%*s", s, last ? 0 : pad, "");
	fputs(last ? "\n" : "  ", to);
}

void table_print(FILE *to, int indent, const struct column *columns, const json_t *rows)
{
	int wide[COLUMNS_MAX], n = 0;
	char cell[CELL];
	size_t i;
	json_t *row;
	if (json_array_size(rows) == 0)
		return;
	for (; n < COLUMNS_MAX && columns[n].head != NULL; n++) {
		wide[n] = width(columns[n].head);
		json_array_foreach(rows, i, row) {
			cell_of(cell, &columns[n], row);
			wide[n] = width(cell) > wide[n] ? width(cell) : wide[n];
		}
	}
	fprintf(to, "%*s", indent, "");
	for (int c = 0; c < n; c++) {
		bool right = columns[c].form >= COLUMN_COUNT && columns[c].form <= COLUMN_PERCENT;
		put(to, columns[c].head, wide[c], right, c == n - 1);
	}
	json_array_foreach(rows, i, row) {
		fprintf(to, "%*s", indent, "");
		for (int c = 0; c < n; c++) {
			bool right = columns[c].form >= COLUMN_COUNT && columns[c].form <= COLUMN_PERCENT;
			cell_of(cell, &columns[c], row);
			put(to, cell, wide[c], right, c == n - 1);
		}
	}
}

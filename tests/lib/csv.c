/* CSV for golden tests: see csv.h. */
#include "csv.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One cell in place: returns the character that ended it (',' '\n' or 0), *at behind it. */
static char cell_cut(char **at, char **cell)
{
	char *s = *at, *out = s;
	*cell = s;
	if (*s == '"')
		for (s++; *s; s++) {
			if (*s == '"' && s[1] == '"')
				s++;
			else if (*s == '"')
				break;
			*out++ = *s;
		}
	if (*s == '"')
		s++;
	while (*s && *s != ',' && *s != '\n' && *s != '\r')
		*out++ = *s++;
	if (*s == '\r')
		s++;
	char end = *s;
	*at = end ? s + 1 : s;
	*out = '\0';
	return end;
}

int csv_open(const char *path, struct csv *t)
{
	FILE *f = fopen(path, "rb");
	size_t len = 0, cap = 0, n = 0;
	*t = (struct csv){0};
	if (f == NULL)
		return -1;
	for (size_t got = 1; got > 0; len += got) {
		t->memory = realloc(t->memory, len + (1 << 20) + 1);
		got = fread(t->memory + len, 1, 1 << 20, f);
	}
	fclose(f);
	t->memory[len] = '\0';
	for (char *at = t->memory; *at;) {
		if (n == cap)
			t->cells = realloc(t->cells, (cap = cap ? cap * 2 : 4096) * sizeof *t->cells);
		char end = cell_cut(&at, &t->cells[n++]);
		if (end != ',' && t->columns == 0)
			t->columns = n;
	}
	t->rows = t->columns ? n / t->columns - 1 : 0;
	return 0;
}

void csv_free(struct csv *t)
{
	free(t->memory);
	free(t->cells);
}

const char *csv_text(const struct csv *t, size_t row, const char *column)
{
	for (size_t c = 0; c < t->columns; c++)
		if (strcmp(t->cells[c], column) == 0)
			return t->cells[(row + 1) * t->columns + c];
	return "";
}

double csv_number(const struct csv *t, size_t row, const char *column)
{
	const char *s = csv_text(t, row, column);
	return *s ? strtod(s, NULL) : NAN;
}

/* Galaxies from text tables: comma, tab, semicolon, bar or blanks, quotes, '#' comments, a header line; also GLADE+ as it is published,
 * 40 columns of blank-separated text without a header (Dálya et al. 2022). */
#include "engine/base/limits.h"
#include "engine/target/catalog_build.h"
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIELDS_MAX 512

static const char glade_plus[] = "GLADE no,PGC no,GWGC name,HyperLEDA name,2MASS name,WISExSCOS name,SDSS-DR16Q name,Object type flag,RA,DEC,"
	"B,B_err,B flag,B_Abs,J,J_err,H,H_err,K,K_err,W1,W1_err,W2,W2_err,W1 flag,B_J,B_J err,z_helio,z_cmb,z flag,v_err,z_err,d_L,d_L err,"
	"dist flag,M*,M*_err,M* flag,Merger rate,Merger rate error";

struct line {
	char *data;
	size_t cap;
	char *field[FIELDS_MAX];
	int fields;
	char separator; /* ' ' is any run of blanks */
	FILE *file;
	int64_t number; /* of the line read last */
};

/* Cuts a line in place. -1: too many fields or a quote that does not close. */
static int line_cut(struct line *l, char *s)
{
	l->fields = 0;
	for (;;) {
		if (l->separator == ' ')
			s += strspn(s, " \t");
		if (l->separator == ' ' && *s == '\0')
			return 0;
		if (l->fields == FIELDS_MAX)
			return -1;
		char *out = s;
		l->field[l->fields++] = s;
		if (*s == '"') {
			for (s++; *s && (*s != '"' || s[1] == '"'); s++) {
				s += *s == '"';
				*out++ = *s;
			}
			if (*s++ != '"')
				return -1;
		}
		while (*s && *s != l->separator && !(l->separator == ' ' && *s == '\t'))
			*out++ = *s++;
		bool end = *s == '\0';
		*out = '\0';
		if (end)
			return 0;
		s++;
	}
}

static char separator_of(const char *s)
{
	static const char marks[] = ",\t;|";
	char best = ' ';
	int most = 0;
	for (const char *m = marks; *m; m++) {
		int n = 0;
		for (const char *p = s; *p; p++)
			n += *p == *m;
		if (n > most) {
			most = n;
			best = *m;
		}
	}
	return best;
}

static bool looks_numeric(const char *s)
{
	char *end;
	strtod(s, &end);
	return end != s && *end == '\0';
}

/* One line without its end into l->data: 1, 0 at the end, -1 longer than LIMIT_CATALOG_LINE (it is skipped). */
static int line_read(struct line *l, struct err *e)
{
	ssize_t n = getline(&l->data, &l->cap, l->file);
	l->number++;
	if (n < 0)
		return 0;
	while (n > 0 && (l->data[n - 1] == '\n' || l->data[n - 1] == '\r'))
		l->data[--n] = '\0';
	if ((size_t)n > LIMIT_CATALOG_LINE || strlen(l->data) != (size_t)n) {
		err_set(e, ERR_LIMIT, "the line is longer than %u bytes or holds a NUL", LIMIT_CATALOG_LINE);
		return -1;
	}
	return 1;
}

/* After line_read gave 0: the end of the file, or it could not be read on (getline says the same when memory ends). */
static int line_ended(const struct line *l, struct err *e)
{
	if (feof(l->file))
		return 0;
	return err_set(e, ERR_SYSTEM, "line %lld: the file cannot be read on: %s", (long long)l->number, strerror(errno));
}

/* The header: the first line that is no comment, or the last comment before numbers, or GLADE+'s. *data: the first line is data. */
static int header_find(struct catalog_builder *b, struct line *l, char **header, bool *data, struct err *e)
{
	char *comment = NULL, *first;
	int got;
	*data = false;
	while ((got = line_read(l, e)) > 0 && (l->data[0] == '#' || l->data[strspn(l->data, " \t")] == '\0')) {
		free(comment);
		comment = strdup(l->data + strspn(l->data, "# \t"));
	}
	if (got <= 0 || (first = strdup(l->data)) == NULL) {
		free(comment);
		if (got > 0)
			return err_set(e, ERR_MEMORY, "no memory for a line");
		return got < 0 || line_ended(l, e) < 0 ? -1 : err_set(e, ERR_INPUT, "the file has no line of data");
	}
	if (strncmp(first, "\xEF\xBB\xBF", 3) == 0)
		memmove(first, first + 3, strlen(first + 3) + 1);
	l->separator = separator_of(first);
	if (line_cut(l, l->data) < 0 || l->fields < 2 || !looks_numeric(l->field[0])) {
		free(comment);
		*header = first;
		return 0;
	}
	int fields = l->fields;
	*data = true;
	memcpy(l->data, first, strlen(first) + 1); /* whole again: it is the first row */
	free(first);
	if (fields == 40 && l->separator == ' ') {
		free(comment);
		text_printf(&b->report, "%s: no header, 40 columns of text: read as GLADE+\n", b->source[b->sources - 1].name);
		*header = strdup(glade_plus);
		return *header ? 0 : err_set(e, ERR_MEMORY, "no memory");
	}
	*header = comment;
	return comment ? 0 : err_set(e, ERR_INPUT, "line %lld: the table has no header line with the names of its columns; write one",
		(long long)l->number);
}

static int row_take(struct catalog_builder *b, const struct line *l, const struct catalog_columns *c, struct err *e)
{
	static const struct catalog_cell none = {NULL, 0, 0, false};
	struct catalog_cell cells[FIELD_COUNT][CATALOG_CANDIDATES];
	for (int f = 0; f < FIELD_COUNT; f++)
		for (int k = 0; k < c->count[f]; k++) {
			const char *text = l->field[c->of[f][k].column];
			cells[f][k] = none;
			cells[f][k].text = text;
			cells[f][k].len = strlen(text);
		}
	return catalog_row_take(b, c, (const struct catalog_cell (*)[CATALOG_CANDIDATES])cells, "line", l->number, e);
}

struct rows {
	int columns;     /* of the header */
	bool have;       /* the line read last is the first row */
};

static int rows_take(struct catalog_builder *b, struct line *l, const struct catalog_columns *c, struct rows r, struct err *e)
{
	for (;; r.have = false) {
		struct err why = {0};
		int got = r.have ? 1 : line_read(l, &why);
		if (got == 0)
			return line_ended(l, e);
		if (got > 0 && (l->data[0] == '#' || l->data[strspn(l->data, " \t")] == '\0'))
			continue;
		if (got > 0 && line_cut(l, l->data) < 0)
			got = err_set(&why, ERR_INPUT, "more than %d columns, or a quote that does not close", FIELDS_MAX);
		else if (got > 0 && l->fields != r.columns)
			got = err_set(&why, ERR_INPUT, "%d columns, the header has %d", l->fields, r.columns);
		if (got < 0)
			catalog_row_bad(b, "line", l->number, why.text);
		else if (row_take(b, l, c, e) < 0)
			return -1;
	}
}

int catalog_build_csv(struct catalog_builder *b, FILE *f, struct err *e)
{
	struct line head = {0}, l = {.file = f};
	struct catalog_columns c;
	char *header = NULL;
	bool data;
	int rc = header_find(b, &l, &header, &data, e);
	if (rc == 0) {
		bool plus = data && l.separator == ' ' && strcmp(header, glade_plus) == 0;
		head.separator = plus ? ',' : data ? separator_of(header) : l.separator;
		if (line_cut(&head, header) < 0)
			rc = err_set(e, ERR_INPUT, "line %lld: the header has more than %d columns or an open quote", (long long)l.number, FIELDS_MAX);
	}
	for (int i = 0; rc == 0 && i < head.fields; i++)
		if (head.separator != ' ')
			for (char *s = head.field[i] + strlen(head.field[i]); s > head.field[i] && s[-1] == ' '; s--)
				s[-1] = '\0';
	for (int i = 0; rc == 0 && i < head.fields; i++)
		head.field[i] += strspn(head.field[i], " ");
	if (rc == 0)
		rc = catalog_columns_find(b, (const char *const *)head.field, NULL, head.fields, &c, e);
	if (rc == 0)
		rc = rows_take(b, &l, &c, (struct rows){head.fields, data}, e);
	free(header);
	free(l.data);
	return rc;
}

/* Galaxies from FITS tables (binary or ASCII) on disk, by cfitsio. The file is the operator's own choice; its name is not a language here:
 * fits_open_diskfile opens exactly that file. */
#include "engine/target/catalog_build.h"
#include <fitsio.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK 4096       /* rows at once */
#define COLUMNS_MAX 999

struct buffer {
	int type;            /* TSTRING, TDOUBLE or TLONGLONG; 0: column not read */
	double *number;
	LONGLONG *integer;   /* missing: INT64_MIN */
	char **text;
	char *memory;
};

struct table {
	fitsfile *fits;
	int columns;
	char *name[COLUMNS_MAX], *unit[COLUMNS_MAX];
	struct buffer buffer[COLUMNS_MAX];
	LONGLONG first, n; /* rows in the buffers, first from 1 */
};

static int failed(int status, const char *doing, struct err *e)
{
	char text[FLEN_STATUS];
	fits_get_errstatus(status, text);
	return err_set(e, ERR_INPUT, "%s: %s", doing, text);
}

/* Moves to the first table with rows and columns. */
static int table_find(struct table *t, struct err *e)
{
	int status = 0, units = 0, kind = 0;
	fits_get_num_hdus(t->fits, &units, &status);
	for (int i = 1; i <= units && status == 0; i++) {
		fits_movabs_hdu(t->fits, i, &kind, &status);
		if (status == 0 && (kind == BINARY_TBL || kind == ASCII_TBL))
			return 0;
	}
	return status ? failed(status, "looking for a table", e) : err_set(e, ERR_INPUT, "the FITS file holds no table");
}

static int names_read(struct table *t, struct err *e)
{
	int status = 0;
	fits_get_num_cols(t->fits, &t->columns, &status);
	if (status != 0 || t->columns < 1 || t->columns > COLUMNS_MAX)
		return err_set(e, ERR_INPUT, "the FITS table has %d columns", t->columns);
	for (int i = 0; i < t->columns; i++) {
		char key[FLEN_KEYWORD], value[FLEN_VALUE];
		static const char *const what[2] = {"TTYPE", "TUNIT"};
		for (int k = 0; k < 2; k++) {
			int absent = 0;
			fits_make_keyn(what[k], i + 1, key, &absent);
			if (fits_read_key(t->fits, TSTRING, key, value, NULL, &absent) != 0)
				value[0] = '\0';
			char *copy = strdup(value);
			if (copy == NULL)
				return err_set(e, ERR_MEMORY, "no memory for the names of columns");
			*(k ? &t->unit[i] : &t->name[i]) = copy;
		}
	}
	return 0;
}

static int buffer_make(struct table *t, int column, struct err *e)
{
	struct buffer *u = &t->buffer[column];
	int type = 0, status = 0;
	long repeat = 0, width = 0;
	if (u->type != 0)
		return 0;
	fits_get_coltype(t->fits, column + 1, &type, &repeat, &width, &status);
	if (status != 0)
		return failed(status, t->name[column], e);
	if (type < 0 || type == TCOMPLEX || type == TDBLCOMPLEX || type == TBIT || (type != TSTRING && repeat != 1) || repeat > 65536)
		return err_set(e, ERR_INPUT, "column %s holds no single numbers or texts; choose another with --map", t->name[column]);
	u->type = type == TSTRING || type == TLONGLONG ? type : TDOUBLE;
	if (u->type == TLONGLONG) {
		u->integer = malloc(BLOCK * sizeof *u->integer);
		return u->integer ? 0 : err_set(e, ERR_MEMORY, "no memory for rows");
	}
	if (u->type == TDOUBLE) {
		u->number = malloc(BLOCK * sizeof *u->number);
		return u->number ? 0 : err_set(e, ERR_MEMORY, "no memory for rows");
	}
	u->text = malloc(BLOCK * sizeof *u->text);
	u->memory = malloc(BLOCK * ((size_t)repeat + 1));
	if (u->text == NULL || u->memory == NULL)
		return err_set(e, ERR_MEMORY, "no memory for rows");
	for (size_t i = 0; i < BLOCK; i++)
		u->text[i] = u->memory + i * ((size_t)repeat + 1);
	return 0;
}

static int block_read(struct table *t, struct err *e)
{
	int status = 0, any;
	double none = NAN;
	LONGLONG least = INT64_MIN;
	char blank[] = "";
	for (int i = 0; i < t->columns && status == 0; i++) {
		struct buffer *u = &t->buffer[i];
		if (u->type == TDOUBLE)
			fits_read_col(t->fits, TDOUBLE, i + 1, t->first, 1, t->n, &none, u->number, &any, &status);
		else if (u->type == TLONGLONG)
			fits_read_col(t->fits, TLONGLONG, i + 1, t->first, 1, t->n, &least, u->integer, &any, &status);
		else if (u->type == TSTRING)
			fits_read_col(t->fits, TSTRING, i + 1, t->first, 1, t->n, blank, u->text, &any, &status);
	}
	return status ? failed(status, "reading rows", e) : 0;
}

static int block_take(struct catalog_builder *b, const struct table *t, const struct catalog_columns *c, struct catalog_batch *batch, struct err *e)
{
	struct catalog_cell cells[FIELD_COUNT][CATALOG_CANDIDATES];
	for (LONGLONG r = 0; r < t->n; r++) {
		for (int f = 0; f < FIELD_COUNT; f++)
			for (int k = 0; k < c->count[f]; k++) {
				const struct buffer *u = &t->buffer[c->of[f][k].column];
				struct catalog_cell *cell = &cells[f][k];
				*cell = (struct catalog_cell){.is_number = u->type != TSTRING, .is_integer = u->type == TLONGLONG && u->integer[r] != INT64_MIN};
				if (u->type == TDOUBLE) {
					cell->number = u->number[r];
				} else if (u->type == TLONGLONG) {
					cell->integer = u->integer[r];
					cell->number = cell->is_integer ? (double)cell->integer : NAN;
				} else {
					cell->text = u->text[r];
					cell->len = strlen(u->text[r]);
				}
			}
		catalog_row_take(batch, c, (const struct catalog_cell (*)[CATALOG_CANDIDATES])cells, r + 1);
	}
	return catalog_batch_fold(b, batch, "row", t->first - 1, e);
}

static int table_take(struct catalog_builder *b, struct table *t, struct err *e)
{
	struct catalog_columns c;
	struct catalog_batch batch = {0};
	LONGLONG rows = 0;
	int status = 0, rc = 0;
	if (table_find(t, e) < 0 || names_read(t, e) < 0 ||
		catalog_columns_find(b, (const char *const *)t->name, (const char *const *)t->unit, t->columns, &c, e) < 0)
		return -1;
	for (int f = 0; f < FIELD_COUNT; f++)
		for (int k = 0; k < c.count[f]; k++)
			if (buffer_make(t, c.of[f][k].column, e) < 0)
				return -1;
	fits_get_num_rowsll(t->fits, &rows, &status);
	if (status != 0)
		return failed(status, "counting rows", e);
	for (t->first = 1; t->first <= rows && rc == 0; t->first += BLOCK) {
		t->n = rows - t->first + 1 < BLOCK ? rows - t->first + 1 : BLOCK;
		rc = block_read(t, e) < 0 || block_take(b, t, &c, &batch, e) < 0 ? -1 : catalog_build_stopped(b, e);
		if (b->progress.tell != NULL)
			b->progress.tell(b->progress.self, "reading rows", (double)t->first, (double)rows);
	}
	free(batch.rows);
	return rc;
}

int catalog_build_fits(struct catalog_builder *b, const char *path, struct err *e)
{
	struct table *t = calloc(1, sizeof *t);
	int status = 0, rc;
	if (t == NULL)
		return err_set(e, ERR_MEMORY, "no memory to read a table");
	if (fits_open_diskfile(&t->fits, path, READONLY, &status) != 0)
		rc = failed(status, "opening", e);
	else
		rc = table_take(b, t, e);
	status = 0;
	if (t->fits != NULL)
		fits_close_file(t->fits, &status);
	for (int i = 0; i < COLUMNS_MAX; i++) {
		free(t->name[i]);
		free(t->unit[i]);
		free(t->buffer[i].number);
		free(t->buffer[i].integer);
		free(t->buffer[i].text);
		free(t->buffer[i].memory);
	}
	free(t);
	return rc;
}

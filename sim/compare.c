/* Row by row in the order of primary keys: see compare.h. */
#include "sim/compare.h"
#include "engine/base/json.h"
#include "engine/base/query.h"
#include "engine/base/text.h"
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define KEYS 8

struct table {
	const char *name;
	sqlite3_stmt *was, *is;
	int key[KEYS], keys; /* columns of the primary key */
	bool was_there, is_there;
};

struct comparison {
	struct state_compared *out;
	void (*each)(void *ctx, const struct state_difference *d);
	void *ctx;
};

static int cell_order(sqlite3_stmt *a, sqlite3_stmt *b, int i)
{
	int ta = sqlite3_column_type(a, i), tb = sqlite3_column_type(b, i);
	if (ta == SQLITE_INTEGER && tb == SQLITE_INTEGER) {
		int64_t x = sqlite3_column_int64(a, i), y = sqlite3_column_int64(b, i);
		return (x > y) - (x < y);
	}
	if (ta != tb)
		return ta < tb ? -1 : 1; /* the tables are strict: a file that was damaged */
	const void *x = sqlite3_column_blob(a, i), *y = sqlite3_column_blob(b, i);
	size_t nx = (size_t)sqlite3_column_bytes(a, i), ny = (size_t)sqlite3_column_bytes(b, i), n = nx < ny ? nx : ny;
	int order = n > 0 ? memcmp(x, y, n) : 0;
	return order ? order : (nx > ny) - (nx < ny);
}

static bool cell_same(sqlite3_stmt *a, sqlite3_stmt *b, int i)
{
	int type = sqlite3_column_type(a, i);
	if (type != sqlite3_column_type(b, i))
		return false;
	if (type == SQLITE_FLOAT) {
		double x = sqlite3_column_double(a, i), y = sqlite3_column_double(b, i);
		return memcmp(&x, &y, sizeof x) == 0;
	}
	return type == SQLITE_NULL || cell_order(a, b, i) == 0;
}

static void cell_text(sqlite3_stmt *q, int i, struct text *out)
{
	char number[40];
	int type = sqlite3_column_type(q, i);
	if (type == SQLITE_FLOAT) { /* all digits */
		snprintf(number, sizeof number, "%.17g", sqlite3_column_double(q, i));
		text_puts(out, number);
	} else if (type == SQLITE_NULL) {
		text_puts(out, "null");
	} else {
		text_add(out, sqlite3_column_blob(q, i), (size_t)sqlite3_column_bytes(q, i));
	}
}

/* The part of two cells around their first difference, fit to be shown. */
static void cells_shown(sqlite3_stmt *a, sqlite3_stmt *b, int i, struct state_difference *d)
{
	struct text was = {.max = 80u << 20}, is = {.max = 80u << 20};
	size_t at = 0, from, room = 120;
	cell_text(a, i, &was);
	cell_text(b, i, &is);
	while (at < was.len && at < is.len && was.data[at] == is.data[at])
		at++;
	from = at > 40 ? at - 40 : 0;
	const char *lead = from ? "…" : "";
	size_t n = (size_t)snprintf(d->was, sizeof d->was, "%s", lead);
	text_escape(d->was + n, sizeof d->was - n, was.data ? was.data + from : "", was.len - from < room ? was.len - from : room);
	n = (size_t)snprintf(d->is, sizeof d->is, "%s", lead);
	text_escape(d->is + n, sizeof d->is - n, is.data ? is.data + from : "", is.len - from < room ? is.len - from : room);
	text_free(&was);
	text_free(&is);
}

static bool is_seq(const char *column)
{
	size_t n = strlen(column);
	return strcmp(column, "seq") == 0 || (n > 4 && strcmp(column + n - 4, "_seq") == 0);
}

static int64_t cell_seq(sqlite3_stmt *q, int i)
{
	return sqlite3_column_type(q, i) == SQLITE_INTEGER && sqlite3_column_int64(q, i) > 0 ? sqlite3_column_int64(q, i) : INT64_MAX;
}

/* The input that made the row (its smallest), or one that left a mark on only one side; else the last that left a mark on both. */
static int64_t seq_of(const struct table *t)
{
	int64_t differs = INT64_MAX, least = INT64_MAX, most = 0;
	sqlite3_stmt *one = t->was_there ? t->was : t->is;
	for (int i = 0; i < sqlite3_column_count(one); i++) {
		if (!is_seq(sqlite3_column_name(one, i)))
			continue;
		int64_t a = cell_seq(one, i), b = t->was_there && t->is_there ? cell_seq(t->is, i) : a, low = a < b ? a : b;
		if (a != b && low < differs)
			differs = low;
		least = low < least ? low : least;
		most = a != INT64_MAX && a > most ? a : most;
	}
	if (!t->was_there || !t->is_there)
		return least;
	return differs != INT64_MAX ? differs : most > 0 ? most : INT64_MAX;
}

static void key_text(const struct table *t, sqlite3_stmt *q, struct state_difference *d)
{
	struct text key = {.max = 4096};
	for (int k = 0; k < t->keys; k++) {
		text_puts(&key, k ? " " : "");
		cell_text(q, t->key[k], &key);
	}
	text_escape(d->key, sizeof d->key, key.data ? key.data : "", key.len);
	text_free(&key);
}

static void row_text(sqlite3_stmt *q, char *out, size_t size)
{
	struct text row = {.max = 80u << 20};
	for (int i = 0; i < sqlite3_column_count(q); i++) {
		text_puts(&row, i ? "|" : "");
		cell_text(q, i, &row);
	}
	text_escape(out, size, row.data ? row.data : "", row.len < 150 ? row.len : 150);
	text_free(&row);
}

static void differ(struct comparison *c, const struct table *t, int column)
{
	struct state_difference d = {.seq = seq_of(t)};
	text_copy(d.table, sizeof d.table, t->name);
	key_text(t, t->was_there ? t->was : t->is, &d);
	if (t->was_there && t->is_there) {
		text_copy(d.column, sizeof d.column, sqlite3_column_name(t->was, column));
		cells_shown(t->was, t->is, column, &d);
	} else {
		row_text(t->was_there ? t->was : t->is, t->was_there ? d.was : d.is, sizeof d.was);
	}
	if (c->out->differences++ == 0 || d.seq < c->out->first.seq)
		c->out->first = d;
	if (c->each != NULL)
		c->each(c->ctx, &d);
}

/* The first column that differs, or -1. */
static int row_differs(const struct table *t)
{
	for (int i = 0; i < sqlite3_column_count(t->was); i++)
		if (!cell_same(t->was, t->is, i))
			return i;
	return -1;
}

static int key_order(const struct table *t)
{
	int order = 0;
	for (int k = 0; order == 0 && k < t->keys; k++)
		order = cell_order(t->was, t->is, t->key[k]);
	return order;
}

static int rows_compare(struct comparison *c, struct table *t, struct err *e)
{
	int was = query_step(t->was, e), is = query_step(t->is, e);
	while (was >= 0 && is >= 0 && (was == 1 || is == 1)) {
		int order = was != 1 ? 1 : is != 1 ? -1 : key_order(t), column = -1;
		t->was_there = order <= 0;
		t->is_there = order >= 0;
		c->out->rows++;
		if (order == 0)
			column = row_differs(t);
		if (order != 0 || column >= 0)
			differ(c, t, column);
		if (t->was_there)
			was = query_step(t->was, e);
		if (t->is_there)
			is = query_step(t->is, e);
	}
	return was < 0 || is < 0 ? -1 : 0;
}

static int table_compare(struct comparison *c, sqlite3 *was, sqlite3 *is, const char *name, struct err *e)
{
	static const char keys[] = "SELECT cid,name FROM pragma_table_info(?) WHERE pk>0 ORDER BY pk";
	struct text sql = {.max = 1000};
	struct table t = {.name = name};
	json_t *rows = query_rows(is, KEYS, e, keys, "t", name), *row;
	size_t i;
	text_printf(&sql, "SELECT * FROM \"%s\"", name); /* a name of our own migrations */
	json_array_foreach(rows, i, row) {
		text_printf(&sql, "%s\"%s\"", i ? "," : " ORDER BY ", json_text(row, "name", ""));
		t.key[t.keys++] = (int)json_int(row, "cid", 0);
	}
	int rc = rows == NULL ? -1 : sql.failed || t.keys == 0 ? err_set(e, ERR_STORE, "table %s has no primary key", name) : 0;
	if (rc == 0) {
		t.was = query_prepare(was, sql.data, e);
		t.is = t.was ? query_prepare(is, sql.data, e) : NULL;
		rc = t.is == NULL ? -1 : sqlite3_column_count(t.was) != sqlite3_column_count(t.is) ?
			err_set(e, ERR_INPUT, "table %s has %d columns, and %d", name, sqlite3_column_count(t.was), sqlite3_column_count(t.is)) :
			rows_compare(c, &t, e);
	}
	sqlite3_finalize(t.was);
	sqlite3_finalize(t.is);
	json_decref(rows);
	text_free(&sql);
	return rc;
}

int state_compare(sqlite3 *was, sqlite3 *is, struct state_compared *out, void (*each)(void *ctx, const struct state_difference *d), void *ctx,
	struct err *e)
{
	static const char made[] = "SELECT name FROM sqlite_schema WHERE type='table' AND name NOT LIKE 'sqlite_%' ORDER BY name";
	struct comparison c = {out, each, ctx};
	json_t *tables = query_rows(is, 200, e, made, ""), *row;
	int rc = tables ? 0 : -1;
	size_t i;
	*out = (struct state_compared){0};
	json_array_foreach(tables, i, row) {
		if (rc == 0)
			rc = table_compare(&c, was, is, json_text(row, "name", ""), e);
		out->tables += rc == 0;
	}
	json_decref(tables);
	return rc;
}

/* The core's way to its rows: cached statements, and one fault that stops the turn. */
#include "engine/base/json.h"
#include "engine/base/query.h"
#include "engine/base/utc.h"
#include "engine/core/turn.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

sqlite3_stmt *statement(struct core *c, const char *sql, struct err *e)
{
	size_t slot = (size_t)(((uintptr_t)sql >> 3) * 0x9E3779B97F4A7C15ull >> 54) % STATEMENT_SLOTS;
	size_t tries = 0;
	while (c->statements[slot].sql != NULL && c->statements[slot].sql != sql) {
		slot = (slot + 1) % STATEMENT_SLOTS;
		must(++tries < STATEMENT_SLOTS);
	}
	struct statement *s = &c->statements[slot];
	if (s->sql == NULL) {
		s->query = query_prepare(c->db, sql, e);
		if (s->query != NULL)
			s->sql = sql;
	}
	return s->query;
}

void statements_reset(struct core *c)
{
	for (size_t i = 0; i < STATEMENT_SLOTS; i++)
		if (c->statements[i].sql != NULL)
			sqlite3_reset(c->statements[i].query);
}

void statements_free(struct core *c)
{
	checks_free(c);
	for (size_t i = 0; i < STATEMENT_SLOTS; i++) {
		sqlite3_finalize(c->statements[i].query);
		c->statements[i] = (struct statement){0};
	}
}

/* Bound and stepped once; NULL when there is no row. The caller resets. */
static sqlite3_stmt *first_row(struct core *c, const char *sql, const char *types, va_list *ap)
{
	if (failed(c))
		return NULL;
	sqlite3_stmt *q = statement(c, sql, &c->fault);
	if (q == NULL || query_bind_list(q, &c->fault, types, ap) < 0)
		return NULL;
	if (query_step(q, &c->fault) == 1)
		return q;
	sqlite3_reset(q);
	return NULL;
}

void put(struct core *c, const char *sql, const char *types, ...)
{
	va_list ap;
	va_start(ap, types);
	sqlite3_stmt *q = first_row(c, sql, types, &ap);
	va_end(ap);
	if (q != NULL)
		sqlite3_reset(q);
}

int64_t get_int(struct core *c, int64_t otherwise, const char *sql, const char *types, ...)
{
	va_list ap;
	va_start(ap, types);
	sqlite3_stmt *q = first_row(c, sql, types, &ap);
	va_end(ap);
	if (q == NULL)
		return otherwise;
	int64_t v = query_col_int(q, 0, otherwise);
	sqlite3_reset(q);
	return v;
}

double get_double(struct core *c, double otherwise, const char *sql, const char *types, ...)
{
	va_list ap;
	va_start(ap, types);
	sqlite3_stmt *q = first_row(c, sql, types, &ap);
	va_end(ap);
	if (q == NULL)
		return otherwise;
	double v = query_col_double(q, 0);
	sqlite3_reset(q);
	return isnan(v) ? otherwise : v;
}

void get_text(struct core *c, char *out, size_t size, const char *sql, const char *types, ...)
{
	va_list ap;
	va_start(ap, types);
	sqlite3_stmt *q = first_row(c, sql, types, &ap);
	va_end(ap);
	out[0] = 0;
	if (q == NULL)
		return;
	snprintf(out, size, "%s", query_col_text(q, 0, ""));
	sqlite3_reset(q);
}

json_t *get_row(struct core *c, const char *sql, const char *types, ...)
{
	va_list ap;
	va_start(ap, types);
	sqlite3_stmt *q = first_row(c, sql, types, &ap);
	va_end(ap);
	if (q == NULL)
		return NULL;
	json_t *row = query_row(q);
	sqlite3_reset(q);
	return row;
}

json_t *get_rows(struct core *c, const char *sql, const char *types, ...)
{
	va_list ap;
	va_start(ap, types);
	sqlite3_stmt *q = first_row(c, sql, types, &ap);
	va_end(ap);
	json_t *rows = json_array();
	must_memory(rows != NULL);
	int more = q != NULL;
	while (more == 1 && json_array_size(rows) < 100000) {
		json_array_append_new(rows, query_row(q));
		more = query_step(q, &c->fault);
	}
	if (q != NULL)
		sqlite3_reset(q);
	return rows;
}

json_t *get_json(struct core *c, const char *sql, const char *types, ...)
{
	va_list ap;
	va_start(ap, types);
	sqlite3_stmt *q = first_row(c, sql, types, &ap);
	va_end(ap);
	if (q == NULL)
		return NULL;
	json_t *j = json_parse(query_col_text(q, 0, ""));
	sqlite3_reset(q);
	return j;
}

int64_t last_id(struct core *c)
{
	return failed(c) ? 0 : sqlite3_last_insert_rowid(c->db);
}

void refuse(struct core *c, const char *format, ...)
{
	if (failed(c))
		return;
	char text[900];
	va_list ap;
	va_start(ap, format);
	vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	err_set(&c->fault, ERR_INPUT, "%s", text);
}

bool short_of_memory(struct core *c, const struct err *e)
{
	if (e->kind != ERR_MEMORY)
		return false;
	if (!failed(c))
		c->fault = *e;
	return true;
}

void refuse_for(struct core *c, const char *where, const struct err *e)
{
	if (!short_of_memory(c, e))
		refuse(c, "%s%s%s", where, where[0] ? ": " : "", e->text);
}

char *json_compact(const json_t *j)
{
	char *text = json_canonical(j);
	must_memory(text != NULL);
	return text;
}

json_t *json_parse(const char *text)
{
	json_t *plain = json_quick(text, strlen(text));
	return plain ? plain : json_loads(text, JSON_DECODE_ANY, NULL);
}

/* Compiled `when`: a private in-memory SQLite evaluates it over bound facts. See when.h. */
#include "engine/request/when.h"
#include "engine/base/query.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void missing_sql(struct when *w)
{
	bool any = false;
	text_puts(&w->missing, "rtrim(");
	for (int i = 0; i < FACT_COUNT; i++) {
		if (!w->used[i])
			continue;
		text_printf(&w->missing, "%siif(f.%s IS NULL, '%s, ', '')", any ? " || " : "", fact_info[i].name, fact_info[i].name);
		any = true;
	}
	text_puts(&w->missing, any ? ", ', ')" : "'', ', ')");
}

struct when *when_compile(const char *expression, struct err *e)
{
	struct when *w = calloc(1, sizeof *w);
	if (w == NULL) {
		err_set(e, ERR_MEMORY, "when: no memory");
		return NULL;
	}
	w->row.max = w->bound.max = w->missing.max = 256u << 10;
	if (when_parse(expression, w, e) < 0) {
		when_free(w);
		return NULL;
	}
	missing_sql(w);
	struct text sql = {.max = 256u << 10};
	text_printf(&sql, "SELECT (%s)", w->bound.data);
	bool ready = !w->row.failed && !w->bound.failed && !w->missing.failed && !sql.failed &&
		query_open(":memory:", QUERY_WRITE, &w->db, e) == 0;
	if (ready)
		w->q = query_prepare(w->db, sql.data, e);
	else if (w->db == NULL && e->kind == ERR_NONE)
		err_set(e, ERR_INPUT, "when: too long once it is compiled; make it simpler");
	text_free(&sql);
	if (w->q == NULL && w->db != NULL && e->kind != ERR_MEMORY) /* the grammar is ours: only its size is left to be refused */
		err_set(e, ERR_INPUT, "when: too many terms for SQLite (%.200s); make it simpler", sqlite3_errmsg(w->db));
	if (w->q == NULL) {
		when_free(w);
		return NULL;
	}
	return w;
}

void when_free(struct when *w)
{
	if (w == NULL)
		return;
	sqlite3_finalize(w->q);
	sqlite3_close(w->db);
	text_free(&w->row);
	text_free(&w->bound);
	text_free(&w->missing);
	free(w);
}

static int bind_fact(struct when *w, int i, const struct facts *f)
{
	if (fact_info[i].type == FACT_TEXT)
		return f->text[i] ? sqlite3_bind_text(w->q, i + 1, f->text[i], -1, SQLITE_TRANSIENT) : sqlite3_bind_null(w->q, i + 1);
	return isnan(f->number[i]) ? sqlite3_bind_null(w->q, i + 1) : sqlite3_bind_double(w->q, i + 1, f->number[i]);
}

int when_evaluate(struct when *w, const struct facts *f, struct err *e)
{
	int rc = sqlite3_reset(w->q);
	for (int i = 0; i < FACT_COUNT && rc == SQLITE_OK; i++)
		if (w->used[i])
			rc = bind_fact(w, i, f);
	if (rc == SQLITE_OK && sqlite3_bind_parameter_count(w->q) > FACT_COUNT)
		rc = sqlite3_bind_int(w->q, FACT_COUNT + 1, f->map_pending);
	if (rc != SQLITE_OK)
		return err_set(e, rc == SQLITE_NOMEM ? ERR_MEMORY : ERR_STORE, "when: %s", sqlite3_errmsg(w->db));
	if (query_step(w->q, e) != 1)
		return e->kind != ERR_NONE ? -1 : err_set(e, ERR_STORE, "when: no result");
	int out = sqlite3_column_type(w->q, 0) == SQLITE_NULL ? 2 : sqlite3_column_int(w->q, 0) != 0;
	sqlite3_reset(w->q);
	return out;
}

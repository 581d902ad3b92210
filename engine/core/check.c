/* Invariants: SQL views check_* (schemas/store) that must be empty, for anyone to run on a live file. */
#include "engine/base/json.h"
#include "engine/base/query.h"
#include "engine/core/turn.h"
#include <stdlib.h>
#include <string.h>

static const char list_views[] = "SELECT name,instr(sql,'AS request')>0 AS by_request FROM sqlite_schema WHERE type='view' AND name LIKE 'check\\_%' "
				 "ESCAPE '\\' ORDER BY name";

static json_t *first_of(sqlite3 *db, const char *view, struct err *e)
{
	char sql[128]; /* the name comes from our own schema */
	snprintf(sql, sizeof sql, "SELECT * FROM \"%.60s\" LIMIT 5", view);
	return query_rows(db, 5, e, sql, "");
}

static json_t *check(sqlite3 *db, struct err *e)
{
	json_t *views = query_rows(db, 100, e, list_views, ""), *view, *bad = json_array();
	size_t i, k;
	json_array_foreach(views, i, view) {
		const char *name = json_text(view, "name", "");
		json_t *rows = first_of(db, name, e), *row;
		if (rows == NULL) {
			json_decref(views);
			json_decref(bad);
			return NULL;
		}
		json_array_foreach(rows, k, row)
			json_array_append_new(bad, json_pack("{s:s,s:O}", "check", name, "row", row));
		json_decref(rows);
	}
	if (views == NULL) {
		json_decref(bad);
		return NULL;
	}
	json_decref(views);
	return bad;
}

json_t *core_check_rows(sqlite3 *db, struct err *e)
{
	return check(db, e);
}

struct check_view {
	char name[64];
	sqlite3_stmt *all, *touched; /* touched: NULL where a view is not about requests */
};
struct checks {
	size_t count;
	struct check_view view[];
};

void checks_free(struct core *c)
{
	for (size_t i = 0; c->checks != NULL && i < c->checks->count; i++) {
		sqlite3_finalize(c->checks->view[i].all);
		sqlite3_finalize(c->checks->view[i].touched);
	}
	free(c->checks);
	c->checks = NULL;
}

static int view_prepare(struct core *c, struct check_view *v, bool by_request, struct err *e)
{
	char sql[256];
	snprintf(sql, sizeof sql, "SELECT * FROM \"%.60s\" LIMIT 1", v->name);
	v->all = query_prepare(c->db, sql, e);
	snprintf(sql, sizeof sql, "SELECT * FROM \"%.60s\" WHERE request IN (SELECT id FROM request WHERE changed_seq>=?) LIMIT 1", v->name);
	v->touched = by_request && v->all ? query_prepare(c->db, sql, e) : NULL;
	return v->all == NULL || (by_request && v->touched == NULL) ? -1 : 0;
}

static int checks_load(struct core *c, struct err *e)
{
	if (c->checks != NULL)
		return 0;
	json_t *views = query_rows(c->db, 100, e, list_views, ""), *view;
	int rc = views ? 0 : -1;
	size_t i;
	c->checks = calloc(1, sizeof *c->checks + json_array_size(views) * sizeof c->checks->view[0]);
	must_memory(c->checks != NULL);
	json_array_foreach(views, i, view) {
		if (rc < 0)
			break;
		struct check_view *v = &c->checks->view[c->checks->count++];
		snprintf(v->name, sizeof v->name, "%s", json_text(view, "name", ""));
		rc = view_prepare(c, v, json_int(view, "by_request", 0) == 1, e);
	}
	json_decref(views);
	if (rc < 0)
		checks_free(c);
	return rc;
}

static int not_empty(const char *name, const json_t *row, struct err *e)
{
	char *text = json_compact(row);
	int rc = err_set(e, ERR_STORE, "state: %s is not empty: %.600s", name, text);
	free(text);
	return rc;
}

/* One view: -1 with e set when it has a row. */
static int view_empty(sqlite3_stmt *q, const char *name, struct err *e)
{
	int rc = query_step(q, e);
	if (rc == 1) {
		json_t *row = query_row(q);
		rc = not_empty(name, row, e);
		json_decref(row);
	}
	sqlite3_reset(q);
	return rc;
}

int core_check(struct core *c, enum check_scope scope, struct err *e)
{
	static const char touched[] = "SELECT 1 FROM request WHERE changed_seq>=? LIMIT 1";
	if (scope == CHECK_TOUCHED && get_int(c, 0, touched, "i", c->turn_from) == 0)
		return 0;
	int rc = checks_load(c, e);
	for (size_t i = 0; rc == 0 && i < c->checks->count; i++) {
		const struct check_view *v = &c->checks->view[i];
		if (scope == CHECK_ALL)
			rc = view_empty(v->all, v->name, e);
		else if (v->touched != NULL)
			rc = query_bind(v->touched, e, "i", c->turn_from) < 0 ? -1 : view_empty(v->touched, v->name, e);
	}
	return rc;
}

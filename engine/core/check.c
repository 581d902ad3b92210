/* Invariants: SQL views check_* (schemas/store) that must be empty, for anyone to run on a live file. */
#include "engine/base/json.h"
#include "engine/base/query.h"
#include "engine/core/turn.h"
#include <stdlib.h>
#include <string.h>

static const char list_views[] = "SELECT name,instr(sql,'AS request')>0 AS by_request FROM sqlite_schema WHERE type='view' AND name LIKE 'check\\_%' "
				 "ESCAPE '\\' ORDER BY name";

static json_t *first_of(sqlite3 *db, const char *view, int64_t since_seq, struct err *e)
{
	char sql[256]; /* the name comes from our own schema */
	if (since_seq > 0)
		snprintf(sql, sizeof sql, "SELECT * FROM \"%.60s\" WHERE request IN (SELECT id FROM request WHERE changed_seq>=%lld) LIMIT 5", view,
			 (long long)since_seq);
	else
		snprintf(sql, sizeof sql, "SELECT * FROM \"%.60s\" LIMIT 5", view);
	return query_rows(db, 5, e, sql, "");
}

static json_t *check(sqlite3 *db, int64_t since_seq, struct err *e)
{
	json_t *views = query_rows(db, 100, e, list_views, ""), *view, *bad = json_array();
	size_t i, k;
	json_array_foreach(views, i, view) {
		const char *name = json_text(view, "name", "");
		if (since_seq > 0 && json_int(view, "by_request", 0) == 0)
			continue;
		json_t *rows = first_of(db, name, since_seq, e), *row;
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
	return check(db, 0, e);
}

int core_check(struct core *c, enum check_scope scope, struct err *e)
{
	static const char touched[] = "SELECT 1 FROM request WHERE changed_seq>=? LIMIT 1";
	if (scope == CHECK_TOUCHED && get_int(c, 0, touched, "i", c->turn_from) == 0)
		return 0;
	json_t *bad = check(c->db, scope == CHECK_TOUCHED ? c->turn_from : 0, e);
	if (bad == NULL)
		return -1;
	int rc = 0;
	if (json_array_size(bad) > 0) {
		const json_t *first = json_array_get(bad, 0);
		char *row = json_compact(json_object_get(first, "row"));
		rc = err_set(e, ERR_STORE, "state: %s is not empty: %.600s", json_text(first, "check", "?"), row);
		free(row);
	}
	json_decref(bad);
	return rc;
}

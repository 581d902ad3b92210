/* SQLite behind a small door: see query.h. */
#include "engine/base/query.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int store_error(sqlite3 *db, const char *what, struct err *e)
{
	int rc = sqlite3_errcode(db);
	if ((rc & 0xFF) == SQLITE_NOMEM)
		return err_set(e, ERR_MEMORY, "%s: SQLite has no memory left; give it more", what);
	return err_set(e, (rc & 0xFF) == SQLITE_CONSTRAINT ? ERR_INPUT : ERR_STORE, "%s: %s (SQLite %d)", what,
		sqlite3_errmsg(db), sqlite3_extended_errcode(db));
}

int query_open(const char *path, enum query_open how, sqlite3 **db, struct err *e)
{
	static const char write_setup[] = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; "
		"PRAGMA wal_autocheckpoint=12000; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-32768;" /* KiB: a night's state without reading it twice */;
	static const char read_setup[] = "PRAGMA query_only=ON; PRAGMA temp_store=MEMORY;";
	int flags = how == QUERY_WRITE ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
	mode_t old = umask(0177);
	int rc = sqlite3_open_v2(path, db, flags | SQLITE_OPEN_NOMUTEX, NULL);
	umask(old);
	if (rc != SQLITE_OK) {
		err_set(e, (rc & 0xFF) == SQLITE_NOMEM ? ERR_MEMORY : how == QUERY_WRITE ? ERR_STORE : ERR_INPUT, "state %s: %s%s", path, *db ? sqlite3_errmsg(*db) : "no memory",
			(rc & 0xFF) != SQLITE_CANTOPEN ? "" : how == QUERY_WRITE ? "; is its folder there, and writable?" : "; is it there, and may it be read?");
		sqlite3_close(*db);
		*db = NULL;
		return -1;
	}
	sqlite3_extended_result_codes(*db, 1);
	sqlite3_busy_timeout(*db, 2000);
	sqlite3_db_config(*db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(*db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_limit(*db, SQLITE_LIMIT_ATTACHED, 0);
	if (query_script(*db, how == QUERY_WRITE ? write_setup : read_setup, e) < 0) {
		err_wrap(e, "state %s", path);
		sqlite3_close(*db);
		*db = NULL;
		return -1;
	}
	return 0;
}

int query_open_state(const char *path, sqlite3 **db, struct err *e)
{
	static const char ask[] = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name IN ('input', 'alert', 'request') GROUP BY type HAVING count(*) = 3";
	sqlite3_stmt *q = NULL;
	int rc;

	if (query_open(path, QUERY_READ, db, e) < 0)
		return -1;
	rc = sqlite3_prepare_v2(*db, ask, -1, &q, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(q);
	sqlite3_finalize(q);
	if (rc == SQLITE_ROW)
		return 0;
	if (rc == SQLITE_DONE || rc == SQLITE_NOTADB)
		err_set(e, ERR_INPUT, "state %s: is not a state of slew; give the file that `state` names in the configuration of `slew run`", path);
	else if (rc == SQLITE_IOERR || rc == SQLITE_CANTOPEN || (rc & 0xFF) == SQLITE_IOERR)
		err_set(e, ERR_INPUT, "state %s: cannot be read: %s; give the file itself, with its -wal beside it", path, sqlite3_errmsg(*db));
	else
		err_set(e, ERR_STORE, "state %s: %s; `slew check --state` says more", path, sqlite3_errmsg(*db));
	sqlite3_close(*db);
	*db = NULL;
	return -1;
}

sqlite3_stmt *query_prepare(sqlite3 *db, const char *sql, struct err *e)
{
	sqlite3_stmt *q = NULL;
	if (sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &q, NULL) != SQLITE_OK)
		err_set(e, (sqlite3_errcode(db) & 0xFF) == SQLITE_NOMEM ? ERR_MEMORY : ERR_STORE, "statement %.60s: %s", sql, sqlite3_errmsg(db));
	return q;
}

static int bind_one(sqlite3_stmt *q, int i, char type, va_list *ap)
{
	if (type == 'i')
		return sqlite3_bind_int64(q, i, va_arg(*ap, int64_t));
	if (type == 'd') {
		double v = va_arg(*ap, double);
		return isnan(v) ? sqlite3_bind_null(q, i) : sqlite3_bind_double(q, i, v);
	}
	if (type == 'n') {
		int64_t v = va_arg(*ap, int64_t);
		return v == UTC_NONE ? sqlite3_bind_null(q, i) : sqlite3_bind_int64(q, i, v);
	}
	if (type == 't') {
		const char *s = va_arg(*ap, const char *);
		return s ? sqlite3_bind_text(q, i, s, -1, SQLITE_TRANSIENT) : sqlite3_bind_null(q, i);
	}
	must(type == 'b');
	const void *p = va_arg(*ap, const void *);
	size_t n = va_arg(*ap, size_t);
	return p ? sqlite3_bind_blob64(q, i, p, n, SQLITE_TRANSIENT) : sqlite3_bind_null(q, i);
}

int query_bind_list(sqlite3_stmt *q, struct err *e, const char *types, va_list *ap)
{
	sqlite3_reset(q);
	must((int)strlen(types) == sqlite3_bind_parameter_count(q));
	for (int i = 0; types[i]; i++)
		if (bind_one(q, i + 1, types[i], ap) != SQLITE_OK)
			return store_error(sqlite3_db_handle(q), "bind", e);
	return 0;
}

int query_bind(sqlite3_stmt *q, struct err *e, const char *types, ...)
{
	va_list ap;
	va_start(ap, types);
	int rc = query_bind_list(q, e, types, &ap);
	va_end(ap);
	return rc;
}

int query_step(sqlite3_stmt *q, struct err *e)
{
	int rc = sqlite3_step(q);
	if (rc == SQLITE_ROW)
		return 1;
	if (rc != SQLITE_DONE) {
		store_error(sqlite3_db_handle(q), sqlite3_sql(q) ? sqlite3_sql(q) : "step", e);
		sqlite3_reset(q);
		return -1;
	}
	sqlite3_reset(q);
	return 0;
}

static sqlite3_stmt *prepared(sqlite3 *db, const char *sql, struct err *e, const char *types, va_list *ap)
{
	sqlite3_stmt *q = query_prepare(db, sql, e);
	if (q != NULL && query_bind_list(q, e, types, ap) < 0) {
		sqlite3_finalize(q);
		return NULL;
	}
	return q;
}

int query_run(sqlite3 *db, struct err *e, const char *sql, const char *types, ...)
{
	va_list ap;
	va_start(ap, types);
	sqlite3_stmt *q = prepared(db, sql, e, types, &ap);
	va_end(ap);
	int rc = q == NULL ? -1 : 1;
	while (rc == 1)
		rc = query_step(q, e);
	sqlite3_finalize(q);
	return rc;
}

int query_int(sqlite3 *db, int64_t *out, struct err *e, const char *sql, const char *types, ...)
{
	va_list ap;
	va_start(ap, types);
	sqlite3_stmt *q = prepared(db, sql, e, types, &ap);
	va_end(ap);
	int rc = q == NULL ? -1 : query_step(q, e);
	if (rc == 1 && sqlite3_column_type(q, 0) != SQLITE_NULL)
		*out = sqlite3_column_int64(q, 0);
	sqlite3_finalize(q);
	return rc;
}

int query_text(sqlite3 *db, char *out, size_t size, struct err *e, const char *sql, const char *types, ...)
{
	va_list ap;
	va_start(ap, types);
	sqlite3_stmt *q = prepared(db, sql, e, types, &ap);
	va_end(ap);
	int rc = q == NULL ? -1 : query_step(q, e);
	if (rc == 1)
		text_copy(out, size, query_col_text(q, 0, ""));
	sqlite3_finalize(q);
	return rc;
}

/* SQLite gives NULL for a text too when memory ends: a row would be read as if the value were absent. */
static const char *column_text(sqlite3_stmt *q, int i)
{
	int type = sqlite3_column_type(q, i);
	const char *s = (const char *)sqlite3_column_text(q, i);
	must_memory(s != NULL || type == SQLITE_NULL || type == SQLITE_BLOB);
	return s;
}

static json_t *column_json(sqlite3_stmt *q, int i)
{
	switch (sqlite3_column_type(q, i)) {
	case SQLITE_INTEGER:
		return json_integer(sqlite3_column_int64(q, i));
	case SQLITE_FLOAT:
		return isfinite(sqlite3_column_double(q, i)) ? json_real(sqlite3_column_double(q, i)) : json_null();
	case SQLITE_NULL:
		return json_null();
	default:
		break;
	}
	const char *s = column_text(q, i);
	json_t *v = s ? json_stringn(s, (size_t)sqlite3_column_bytes(q, i)) : NULL;
	return v ? v : json_null();
}

json_t *query_row(sqlite3_stmt *q)
{
	json_t *row = json_object();
	for (int i = 0, n = sqlite3_column_count(q); i < n; i++) /* the names are our own */
		json_object_set_new_nocheck(row, sqlite3_column_name(q, i), column_json(q, i));
	return row;
}

json_t *query_rows(sqlite3 *db, size_t max, struct err *e, const char *sql, const char *types, ...)
{
	va_list ap;
	va_start(ap, types);
	sqlite3_stmt *q = prepared(db, sql, e, types, &ap);
	va_end(ap);
	if (q == NULL)
		return NULL;
	json_t *rows = json_array();
	int rc = 0;
	while (json_array_size(rows) < max && (rc = query_step(q, e)) == 1) {
		json_array_append_new(rows, query_row(q));
	}
	sqlite3_finalize(q);
	if (rc < 0) {
		json_decref(rows);
		return NULL;
	}
	return rows;
}

const char *query_col_text(sqlite3_stmt *q, int column, const char *otherwise)
{
	const char *s = column_text(q, column);
	return s ? s : otherwise;
}

double query_col_double(sqlite3_stmt *q, int column)
{
	return sqlite3_column_type(q, column) == SQLITE_NULL ? (double)NAN : sqlite3_column_double(q, column);
}

int64_t query_col_int(sqlite3_stmt *q, int column, int64_t otherwise)
{
	return sqlite3_column_type(q, column) == SQLITE_NULL ? otherwise : sqlite3_column_int64(q, column);
}

int query_script(sqlite3 *db, const char *sql, struct err *e)
{
	while (*sql) {
		sqlite3_stmt *q = NULL;
		const char *tail = sql;
		if (sqlite3_prepare_v2(db, sql, -1, &q, &tail) != SQLITE_OK)
			return store_error(db, "script", e);
		int rc = SQLITE_DONE;
		if (q != NULL)
			while ((rc = sqlite3_step(q)) == SQLITE_ROW)
				continue;
		sqlite3_finalize(q);
		if (rc != SQLITE_DONE)
			return store_error(db, "script", e);
		sql = tail;
	}
	return 0;
}

/* Calls to a file database on uv's worker threads: see exchange.h. */
#include "engine/io/exchange.h"
#include "engine/base/json.h"
#include "engine/base/limits.h"
#include "engine/base/query.h"
#include "engine/base/text.h"
#include "engine/io/folder.h"
#include "engine/io/kafka_send.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MAX = 64, ROWS_MAX = 5000, RETRY_S = 5 };

struct exchange {
	uv_loop_t *loop;
	http_done_cb *done;
	void *ctx;
	size_t busy;
	bool closing;
};

struct errand {
	uv_work_t work;
	struct exchange *owner;
	int64_t id;
	char url[1024];
	const char *const *schema;
	struct kafka_letter *letter;
	struct call call;
	struct kafka_sent made; /* what came of it, whichever way it went */
};

/* ---- one call, on a worker's thread ---- */
static char *message(const char *words)
{
	json_t *j = json_pack("{s:s}", "message", words);
	char *text = j != NULL ? json_dumps(j, JSON_COMPACT) : NULL;
	json_decref(j);
	return text != NULL ? text : strdup("{}");
}

static int refuse(int status, char **body, const char *words)
{
	*body = message(words);
	return status;
}

/* What SQLite says, as a status. */
static int status_of(sqlite3 *db, const struct err *e)
{
	int code = sqlite3_errcode(db) & 0xFF;
	return e->kind == ERR_INPUT ? 409 : code == SQLITE_BUSY || code == SQLITE_LOCKED ? 503 : 500;
}

static bool is_name(const char *s, size_t len)
{
	if (len == 0 || len > 60)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!((s[i] >= 'a' && s[i] <= 'z') || (s[i] >= 'A' && s[i] <= 'Z') || (s[i] >= '0' && s[i] <= '9') || s[i] == '_'))
			return false;
	return true;
}

/* A name goes into a statement only when it is plain and the file has it. */
static bool has_column(sqlite3 *db, const char *table, const char *column, size_t len)
{
	char name[64];
	int64_t found = 0;
	struct err e = {0};
	if (!is_name(column, len))
		return false;
	snprintf(name, sizeof name, "%.*s", (int)len, column);
	return query_int(db, &found, &e, "SELECT 1 FROM pragma_table_info(?) WHERE name=?", "tt", table, name) == 1;
}

static bool has_table(sqlite3 *db, const char *table)
{
	int64_t found = 0;
	struct err e = {0};
	return is_name(table, strlen(table)) && query_int(db, &found, &e, "SELECT 1 FROM sqlite_master WHERE type='table' AND name=?", "t", table) == 1;
}

static bool is_flags(const json_t *array)
{
	size_t i;
	json_t *v;
	json_array_foreach(array, i, v)
		if (!json_is_boolean(v))
			return false;
	return json_array_size(array) > 0;
}

static int bind_array(sqlite3_stmt *q, int column, const json_t *array)
{
	size_t n = json_array_size(array);
	if (!is_flags(array)) {
		char *text = json_canonical(array);
		int rc = text != NULL ? sqlite3_bind_text(q, column, text, -1, SQLITE_TRANSIENT) : SQLITE_NOMEM;
		free(text);
		return rc;
	}
	unsigned char *bytes = malloc(n);
	for (size_t i = 0; bytes != NULL && i < n; i++)
		bytes[i] = json_is_true(json_array_get(array, i));
	int rc = bytes != NULL ? sqlite3_bind_blob64(q, column, bytes, n, SQLITE_TRANSIENT) : SQLITE_NOMEM;
	free(bytes);
	return rc;
}

static int bind_value(sqlite3_stmt *q, int column, const json_t *v)
{
	switch (json_typeof(v)) {
	case JSON_TRUE: return sqlite3_bind_int64(q, column, 1);
	case JSON_FALSE: return sqlite3_bind_int64(q, column, 0);
	case JSON_INTEGER: return sqlite3_bind_int64(q, column, json_integer_value(v));
	case JSON_REAL: return sqlite3_bind_double(q, column, json_real_value(v));
	case JSON_STRING: return sqlite3_bind_text64(q, column, json_string_value(v), json_string_length(v), SQLITE_TRANSIENT, SQLITE_UTF8);
	case JSON_ARRAY: return bind_array(q, column, v);
	case JSON_OBJECT:
	case JSON_NULL: break;
	}
	return sqlite3_bind_null(q, column);
}

static int row_put(sqlite3 *db, const char *table, const json_t *row, char **body)
{
	struct text sql = {.max = 8192}, values = {.max = 512};
	struct err e = {0};
	const char *key;
	json_t *v;
	int n = 0, rc = SQLITE_OK, status = 200;
	text_printf(&sql, "INSERT INTO \"%s\"(", table);
	json_object_foreach((json_t *)(uintptr_t)row, key, v) {
		if (n >= COLUMNS_MAX || !has_column(db, table, key, strlen(key))) {
			text_free(&sql);
			text_free(&values);
			return refuse(404, body, "a column is not there");
		}
		text_printf(&sql, "%s\"%s\"", n > 0 ? "," : "", key);
		text_puts(&values, n++ > 0 ? ",?" : "?");
	}
	text_printf(&sql, ") VALUES(%s)", values.data != NULL ? values.data : "");
	sqlite3_stmt *q = n > 0 && !sql.failed ? query_prepare(db, sql.data, &e) : NULL;
	text_free(&sql);
	text_free(&values);
	if (q == NULL)
		return refuse(400, body, n > 0 ? e.text : "a row without columns");
	n = 0;
	json_object_foreach((json_t *)(uintptr_t)row, key, v)
		rc = rc == SQLITE_OK ? bind_value(q, ++n, v) : rc;
	if (rc != SQLITE_OK || query_step(q, &e) < 0)
		status = refuse(rc != SQLITE_OK ? 500 : status_of(db, &e), body, rc != SQLITE_OK ? "no memory" : e.text);
	sqlite3_finalize(q);
	if (status == 200) {
		struct text out = {.max = 64};
		text_printf(&out, "{\"rowid\":%lld}", (long long)sqlite3_last_insert_rowid(db));
		*body = out.data;
	}
	return status;
}

/* The value of a key of the query, percent signs as they are: our adapters write plain ones. */
static bool query_value(const char *query, const char *key, char *out, size_t size)
{
	size_t n = strlen(key);
	for (const char *s = query; s != NULL && *s != '\0'; s = strchr(s, '&') != NULL ? strchr(s, '&') + 1 : NULL)
		if (strncmp(s, key, n) == 0 && s[n] == '=') {
			size_t len = strcspn(s + n + 1, "&");
			snprintf(out, size, "%.*s", (int)(len < size ? len : size - 1), s + n + 1);
			return len < size;
		}
	out[0] = '\0';
	return false;
}

static json_t *cell_json(sqlite3_stmt *q, int column)
{
	switch (sqlite3_column_type(q, column)) {
	case SQLITE_INTEGER: return json_integer(sqlite3_column_int64(q, column));
	case SQLITE_FLOAT: return json_real_or_null(sqlite3_column_double(q, column));
	case SQLITE_TEXT: {
		json_t *text = json_stringn((const char *)sqlite3_column_text(q, column), (size_t)sqlite3_column_bytes(q, column));
		return text != NULL ? text : json_null(); /* not UTF-8 */
	}
	default: return json_null();
	}
}

static int rows_answer(sqlite3_stmt *q, json_t *columns, char **body)
{
	struct err e = {0};
	json_t *rows = json_array();
	int rc, status = 200;
	while ((rc = query_step(q, &e)) == 1) {
		json_t *row = json_array();
		for (int i = 0; i < sqlite3_column_count(q); i++)
			json_array_append_new(row, cell_json(q, i));
		json_array_append_new(rows, row);
	}
	json_t *out = json_pack("{s:O,s:o}", "columns", columns, "rows", rows);
	if (rc < 0)
		status = refuse(status_of(sqlite3_db_handle(q), &e), body, e.text);
	else if ((*body = out != NULL ? json_canonical(out) : NULL) == NULL)
		status = refuse(500, body, "no memory");
	json_decref(out);
	return status;
}

/* The list of columns into the statement; false: one is not there. */
static bool columns_put(sqlite3 *db, const char *table, const char *list, struct text *sql, json_t *columns)
{
	int n = 0;
	for (const char *s = list; *s != '\0' && n++ < COLUMNS_MAX; s += strcspn(s, ",") + (s[strcspn(s, ",")] == ',')) {
		size_t len = strcspn(s, ",");
		if (!has_column(db, table, s, len))
			return false;
		text_printf(sql, ",\"%.*s\"", (int)len, s);
		json_array_append_new(columns, json_stringn(s, len));
	}
	return n > 0;
}

static int rows_get(sqlite3 *db, const char *table, const char *query, char **body)
{
	char list[1024], word[64], least[80];
	struct text sql = {.max = 8192};
	struct err e = {0};
	json_t *columns = json_pack("[s]", "rowid");
	query_value(query, "columns", list, sizeof list);
	text_puts(&sql, "SELECT rowid");
	bool fine = columns_put(db, table, list, &sql, columns), newest = query_value(query, "newest", word, sizeof word);
	int64_t after = query_value(query, "after", word, sizeof word) ? strtoll(word, NULL, 10) : INT64_MIN;
	int64_t limit = query_value(query, "limit", word, sizeof word) ? strtoll(word, NULL, 10) : ROWS_MAX;
	text_printf(&sql, " FROM \"%s\" WHERE rowid>?", table);
	double value = NAN;
	if (query_value(query, "least", least, sizeof least)) {
		const char *colon = strchr(least, ':');
		fine = fine && colon != NULL && has_column(db, table, least, (size_t)(colon - least));
		value = fine ? strtod(colon + 1, NULL) : NAN;
		if (fine)
			text_printf(&sql, " AND \"%.*s\">=%s", (int)(colon - least), least, "?");
	}
	text_printf(&sql, " ORDER BY rowid%s LIMIT ?", newest ? " DESC" : "");
	sqlite3_stmt *q = fine && !sql.failed ? query_prepare(db, sql.data, &e) : NULL;
	text_free(&sql);
	limit = newest ? 1 : limit < 1 || limit > ROWS_MAX ? ROWS_MAX : limit;
	int rc = q == NULL ? -1 : isnan(value) ? query_bind(q, &e, "ii", after, limit) : query_bind(q, &e, "idi", after, value, limit);
	int status = q == NULL ? refuse(404, body, fine ? e.text : "a column is not there") : rc < 0 ? refuse(500, body, e.text) : rows_answer(q, columns, body);
	sqlite3_finalize(q);
	json_decref(columns);
	return status;
}

static int made(sqlite3 *db, const char *const *schema, struct err *e)
{
	for (size_t i = 0; schema != NULL && schema[i] != NULL; i++)
		if (query_run(db, e, schema[i], "") < 0)
			return -1;
	return 0;
}

static int call_do(sqlite3 *db, const struct call *c, char **body)
{
	const char *table = c->path + 1;
	struct err e = {0};
	if (!has_table(db, table))
		return refuse(404, body, "there is no such table");
	if (strcmp(c->method, "GET") == 0)
		return rows_get(db, table, c->query, body);
	if (strcmp(c->method, "POST") != 0)
		return refuse(400, body, "GET or POST is wanted");
	json_t *row = c->body != NULL ? json_read(c->body, c->body_len, &json_limits_reply, &e) : NULL;
	int status = json_is_object(row) ? row_put(db, table, row, body) : refuse(400, body, e.text[0] != '\0' ? e.text : "a row is an object");
	json_decref(row);
	return status;
}

int exchange_do(const char *file, const char *const *schema, const struct call *c, char **body)
{
	sqlite3 *db = NULL;
	struct err e = {0};
	*body = NULL;
	if (query_open(file, QUERY_WRITE, &db, &e) < 0)
		return refuse(500, body, e.text);
	int status = made(db, schema, &e) < 0 ? refuse(status_of(db, &e), body, e.text) : call_do(db, c, body);
	sqlite3_close(db);
	if (*body == NULL)
		*body = strdup("{}");
	return status;
}

/* ---- on the loop ---- */
static void errand_free(struct errand *w)
{
	call_free(&w->call);
	kafka_letter_free(w->letter);
	free(w->made.body);
	free(w);
}

static void errand_run(uv_work_t *work)
{
	struct errand *w = work->data;
	size_t file = strlen(CONFIG_FILE), folder = strlen(CONFIG_FOLDER);
	struct kafka_letter *letter = w->letter;
	w->letter = NULL;
	if (letter != NULL) {
		kafka_letter_send(letter, &w->call, &w->made);
		return;
	}
	w->made.sent = SENT_ANSWERED;
	w->made.status = strncmp(w->url, CONFIG_FOLDER, folder) == 0 ? folder_do(w->url + folder, &w->call, &w->made.body) :
		exchange_do(w->url + file, w->schema, &w->call, &w->made.body);
}

static void errand_done(uv_work_t *work, int status)
{
	struct errand *w = work->data;
	struct exchange *x = w->owner;
	x->busy--;
	if (!x->closing) {
		struct kafka_sent *made = &w->made;
		char nothing[1] = "", *body = made->body != NULL ? made->body : nothing;
		struct reply r = {.sent = status == 0 ? made->sent : SENT_NO, .content_type = "application/json", .transport = made->transport, .retry_after_s = -1, .body = body,
				  .len = strlen(body)};
		if (r.sent == SENT_ANSWERED) {
			r.status = made->status;
			r.retry_after_s = made->status == 503 ? RETRY_S : -1;
		} else if (made->transport[0] == '\0') {
			r.transport = "it was not asked";
		}
		x->done(x->ctx, w->id, &r, body);
	}
	errand_free(w);
	if (x->closing && x->busy == 0)
		free(x);
}

struct exchange *exchange_open(uv_loop_t *loop, http_done_cb *done, void *ctx, struct err *e)
{
	struct exchange *x = calloc(1, sizeof *x);
	if (x == NULL) {
		err_set(e, ERR_MEMORY, "exchange: no memory");
		return NULL;
	}
	*x = (struct exchange){.loop = loop, .done = done, .ctx = ctx};
	return x;
}

int exchange_send(struct exchange *x, int64_t id, const char *url, const char *const *schema, struct kafka_letter *letter, const struct call *c, struct err *e)
{
	if (c->path[0] != '/') {
		kafka_letter_free(letter);
		return err_set(e, ERR_INPUT, "path of a call \"%.100s\": /TABLE is wanted; the adapter made it", c->path);
	}
	struct errand *w = calloc(1, sizeof *w);
	if (w == NULL) {
		kafka_letter_free(letter);
		return err_set(e, ERR_MEMORY, "call: no memory");
	}
	*w = (struct errand){.owner = x, .id = id, .schema = schema, .letter = letter, .call = *c};
	w->work.data = w;
	w->call.query = c->query != NULL ? strdup(c->query) : NULL;
	w->call.body = c->body != NULL ? strndup(c->body, c->body_len) : NULL;
	if (!text_copy(w->url, sizeof w->url, url) || (c->query != NULL && w->call.query == NULL) || (c->body != NULL && w->call.body == NULL) ||
	    uv_queue_work(x->loop, &w->work, errand_run, errand_done) != 0) {
		errand_free(w);
		return err_set(e, ERR_SYSTEM, "call: no worker can take it now");
	}
	x->busy++;
	return 0;
}

size_t exchange_busy(const struct exchange *x)
{
	return x->busy;
}

void exchange_close(struct exchange *x)
{
	if (x == NULL)
		return;
	x->closing = true;
	if (x->busy == 0)
		free(x);
}

/* The rows of table input as inputs: see journal.h. */
#include "sim/journal.h"
#include "engine/base/json.h"
#include "engine/base/limits.h"
#include "engine/base/query.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Nothing that an engine writes is outside: times of people now alive, ticks of centuries. Sums of these cannot overflow. */
#define UTC_LAST_US (INT64_C(7258118400) * UTC_SECOND) /* 2200 */
#define TICK_LAST_US (INT64_C(1) << 55)

enum column { SEQ, KIND, UTC, TICK, EFFECT, SOURCE, TOPIC, PART, OFFSET, TURN, META, BODY, SHA };

static int kind_of(const char *name)
{
	for (int k = 0; k < INPUT_KINDS; k++)
		if (strcmp(input_kind_name((enum input_kind)k), name) == 0)
			return k;
	return -1;
}

/* A table of another making may be a view that never ends: only the very text of our own is read. */
static int tables_are_ours(sqlite3 *state, sqlite3 *fresh, struct err *e)
{
	static const char made[] = "SELECT name,sql FROM sqlite_schema WHERE type='table' AND name NOT LIKE 'sqlite_%' ORDER BY name";
	static const char same[] = "SELECT count(*) FROM sqlite_schema WHERE type='table' AND name=? AND sql=?";
	json_t *tables = query_rows(fresh, 200, e, made, ""), *row;
	int rc = tables ? 0 : -1;
	size_t i;
	json_array_foreach(tables, i, row) {
		int64_t found = 0;
		if (rc == 0)
			rc = query_int(state, &found, e, same, "tt", json_text(row, "name", ""), json_text(row, "sql", ""));
		rc = rc < 0 ? -1 : found == 1 ? 0 : err_set(e, ERR_INPUT, "its table %s is not as this program makes it: the file was changed by "
			"something else; take the state itself, or a copy made by `sqlite3 STATE.db '.backup COPY.db'`", json_text(row, "name", ""));
		if (rc < 0)
			break;
	}
	json_decref(tables);
	return rc;
}

int journal_schema(sqlite3 *state, sqlite3 *fresh, bool *older, struct err *e)
{
	int64_t theirs = 0, ours = 0;
	if (query_int(state, &theirs, e, "PRAGMA user_version", "") < 0 || query_int(fresh, &ours, e, "PRAGMA user_version", "") < 0)
		return -1;
	if (theirs > ours || theirs < 1)
		return err_set(e, ERR_INPUT, "its schema is version %lld, this program knows 1 to %lld; use the program that wrote it, or a newer one",
			(long long)theirs, (long long)ours);
	*older = theirs < ours;
	return 0;
}

int journal_copy(sqlite3 *state, sqlite3 **copy, struct err *e)
{
	if (query_open(":memory:", QUERY_WRITE, copy, e) < 0)
		return -1;
	sqlite3_backup *backup = sqlite3_backup_init(*copy, "main", state, "main");
	int rc = backup ? sqlite3_backup_step(backup, -1) : SQLITE_ERROR;
	sqlite3_backup_finish(backup);
	struct core *core = rc == SQLITE_DONE ? core_open(*copy, e) : NULL; /* migrates */
	core_close(core);
	if (core != NULL)
		return 0;
	if (rc != SQLITE_DONE)
		err_set(e, ERR_STORE, "it cannot be copied: %s", sqlite3_errstr(rc));
	sqlite3_close(*copy);
	*copy = NULL;
	return -1;
}

int journal_open(struct journal *j, sqlite3 *state, sqlite3 *fresh, int64_t after, struct err *e)
{
	static const char rows[] = "SELECT i.seq,i.kind,i.utc_us,i.tick_us,i.effect,i.source,i.topic,i.part,i.next_offset,i.turn,i.meta,"
		"ifnull(b.body,i.body),i.sha256 FROM input i LEFT JOIN blob b ON b.sha256=i.sha256 WHERE i.seq>? ORDER BY i.seq";
	*j = (struct journal){.last = after};
	if (tables_are_ours(state, fresh, e) < 0 || query_int(state, &j->turn, e, "SELECT turn FROM input WHERE seq=?", "i", after) < 0)
		return -1;
	j->rows = query_prepare(state, rows, e);
	return j->rows && query_bind(j->rows, e, "i", after) == 0 ? 0 : -1;
}

void journal_close(struct journal *j)
{
	sqlite3_finalize(j->rows);
	json_decref(j->meta);
	*j = (struct journal){0};
}

static int odd(struct err *e, const struct journal_row *row, const char *why)
{
	return err_set(e, ERR_INPUT, "input %lld: %s: no engine has written this; the state is damaged or not ours", (long long)row->seq, why);
}

static bool random_of(const char *hex, uint8_t out[16])
{
	if (strlen(hex) != 32 || strspn(hex, "0123456789abcdef") != 32)
		return false;
	for (size_t i = 0; i < 16; i++) {
		char byte[3] = {hex[2 * i], hex[2 * i + 1], '\0'};
		out[i] = (uint8_t)strtoul(byte, NULL, 16);
	}
	return true;
}

static bool whole(int64_t n, int64_t least, int64_t most)
{
	return n >= least && n <= most;
}

/* What the row says beside its body. NULL, or what is odd about it. */
static const char *columns_read(const struct journal *j, struct journal_row *row)
{
	sqlite3_stmt *q = j->rows;
	int kind = kind_of(query_col_text(q, KIND, ""));
	row->turn = query_col_int(q, TURN, 0);
	row->in = (struct input){.kind = (enum input_kind)kind, .utc_us = query_col_int(q, UTC, -1), .tick_us = query_col_int(q, TICK, -1),
		.effect = query_col_int(q, EFFECT, 0), .source = query_col_text(q, SOURCE, NULL), .topic = query_col_text(q, TOPIC, NULL),
		.partition = (int32_t)query_col_int(q, PART, 0), .offset = query_col_int(q, OFFSET, 0), .body = sqlite3_column_blob(q, BODY),
		.len = (size_t)sqlite3_column_bytes(q, BODY)};
	if (row->seq != j->last + 1)
		return "rows are missing before it";
	if (kind < 0)
		return "of a kind that this program does not know";
	if (!whole(row->in.utc_us, 0, UTC_LAST_US))
		return "its time is not between 1970 and 2200";
	if (!whole(row->in.tick_us, 0, TICK_LAST_US))
		return "its tick is no time";
	if (row->turn != j->turn && row->turn != row->seq)
		return "its turn is neither its own nor that of the one before";
	if (!whole(query_col_int(q, PART, 0), INT32_MIN, INT32_MAX))
		return "its partition is no number of a partition";
	if (sqlite3_column_type(q, BODY) == SQLITE_NULL)
		return "its body is missing";
	if (row->in.len > LIMIT_TEXT)
		return "its body is larger than anything that is taken in";
	return NULL;
}

static const char *meta_read(const json_t *meta, struct journal_row *row)
{
	struct input *in = &row->in;
	int64_t sent = json_int(meta, "sent", 0), status = json_int(meta, "status", 0);
	row->recovered = json_flag(meta, "recovered", false);
	row->quiet = json_flag(meta, "quiet", false);
	if (!random_of(json_text(meta, "random", ""), in->random))
		return "its random bits are not 32 hex digits";
	if (!whole(sent, INT32_MIN, INT32_MAX) || !whole(status, INT32_MIN, INT32_MAX))
		return "the status of its reply is no status";
	if (row->recovered && row->turn != row->seq)
		return "the engine was started in the middle of a turn";
	in->reply.sent = (int)sent;
	in->reply.status = (int)status;
	in->reply.content_type = json_text(meta, "content_type", "");
	in->reply.transport = json_text(meta, "transport", "");
	in->reply.retry_after_s = json_int(meta, "retry_after_s", -1);
	in->cluster = json_text(meta, "cluster", "");
	in->timestamp_us = json_int(meta, "timestamp_us", UTC_NONE);
	in->as_test = json_flag(meta, "as_test", false);
	in->as_real = json_flag(meta, "as_real", false);
	in->uid = json_int(meta, "uid", 0);
	in->pid = json_int(meta, "pid", 0);
	return NULL;
}

int journal_next(struct journal *j, struct journal_row *row, struct err *e)
{
	int rc = query_step(j->rows, e);
	json_decref(j->meta);
	j->meta = NULL;
	if (rc != 1)
		return rc;
	*row = (struct journal_row){.seq = query_col_int(j->rows, SEQ, 0)};
	const char *why = columns_read(j, row), *text = query_col_text(j->rows, META, "");
	struct err bad = {0};
	if (why == NULL) {
		j->meta = json_read(text, strlen(text), &json_limits_config, &bad);
		why = json_is_object(j->meta) ? meta_read(j->meta, row) : "what stands beside its body (meta) is no JSON object";
	}
	if (why != NULL)
		return odd(e, row, why);
	j->last = row->seq;
	j->turn = row->turn;
	return 1;
}

/* ---- for people ---- */
static void kind_words(sqlite3 *state, int64_t seq, const char *kind, struct text *out)
{
	static const char alert[] = "SELECT 'alert on '||ifnull(i.topic,'?')||': '||ifnull((SELECT e.name||' '||a.type FROM alert a JOIN event e ON "
		"e.id=a.event WHERE a.seq=i.seq LIMIT 1),ifnull((SELECT 'again '||e.name||' '||a.type FROM duplicate d JOIN alert a ON a.id=d.alert "
		"JOIN event e ON e.id=a.event WHERE d.seq=i.seq),'rejected')) FROM input i WHERE i.seq=?";
	static const char effect[] = "SELECT i.kind||' to effect '||i.effect||ifnull((SELECT ': '||coalesce(f.verb||' at '||f.facility,"
		"f.compute,f.kind)||ifnull(' for '||(SELECT token FROM request r WHERE r.id=f.request),'') FROM effect f WHERE f.id=i.effect),'') "
		"FROM input i WHERE i.seq=?";
	static const char order[] = "SELECT 'order '||o.verb||' '||o.body FROM operator_order o WHERE o.seq=?";
	char words[400] = "";
	struct err ignored = {0};
	const char *ask = strcmp(kind, "alert") == 0 ? alert : strcmp(kind, "order") == 0 ? order :
		strcmp(kind, "reply") == 0 || strcmp(kind, "result") == 0 ? effect : NULL;
	if (ask != NULL)
		query_text(state, words, sizeof words, &ignored, ask, "i", seq);
	text_puts(out, words[0] ? words : kind);
}

void journal_words(sqlite3 *state, int64_t seq, char *out, size_t size)
{
	char kind[32] = "", stamp[32];
	int64_t utc_us = UTC_NONE;
	struct err ignored = {0};
	struct text words = {.max = 2000};
	query_text(state, kind, sizeof kind, &ignored, "SELECT kind FROM input WHERE seq=?", "i", seq);
	query_int(state, &utc_us, &ignored, "SELECT utc_us FROM input WHERE seq=?", "i", seq);
	if (kind[0] == '\0') {
		snprintf(out, size, "input %lld", (long long)seq);
		return;
	}
	text_printf(&words, "input %lld (%s, ", (long long)seq, utc_format(stamp, utc_us));
	kind_words(state, seq, kind, &words);
	text_puts(&words, ")");
	text_escape(out, size, words.data ? words.data : "", words.len);
	text_free(&words);
}

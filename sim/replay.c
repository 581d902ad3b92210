/* Replay of a journal: see replay.h. Turn by turn, as it was: each input stepped at its own time, released at the last one's. */
#include "sim/replay.h"
#include "engine/base/json.h"
#include "engine/base/query.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include "engine/core/core.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct feed {
	sqlite3 *fresh;
	struct core *core;
	struct replay_report *report;
	int64_t turn, utc_us, tick_us;
	bool open, quiet; /* quiet: the engine was stopping, the turn was not released */
};

static int kind_of(const char *name)
{
	for (int k = 0; k < INPUT_KINDS; k++)
		if (strcmp(input_kind_name((enum input_kind)k), name) == 0)
			return k;
	return -1;
}

static int turn_end(struct feed *f, struct err *e)
{
	struct effects out = {0};
	if (!f->open)
		return 0;
	f->open = false;
	int rc = f->quiet ? 0 : core_release(f->core, f->utc_us, f->tick_us, &out, e);
	effects_free(&out);
	f->report->turns++;
	return rc < 0 ? -1 : query_run(f->fresh, e, "COMMIT", "");
}

static int turn_begin(struct feed *f, int64_t turn, bool recovered, struct err *e)
{
	if (f->open && f->turn == turn && !recovered)
		return 0;
	if (turn_end(f, e) < 0)
		return -1;
	if (recovered) {
		core_close(f->core);
		f->core = core_open(f->fresh, e);
		f->report->starts++;
		if (f->core == NULL)
			return -1;
	}
	f->turn = turn;
	f->open = true;
	if (f->core == NULL)
		return err_set(e, ERR_INPUT, "the journal does not begin with a start");
	if (query_run(f->fresh, e, "BEGIN IMMEDIATE", "") < 0)
		return -1;
	return recovered ? core_recover(f->core, e) : 0;
}

/* One journal row as the input it was; strings live in the row and in meta. */
static int feed_row(struct feed *f, sqlite3_stmt *q, const json_t *meta, struct err *e)
{
	struct input in = {.utc_us = query_col_int(q, 2, 0), .tick_us = query_col_int(q, 3, 0), .effect = query_col_int(q, 4, 0),
		.source = query_col_text(q, 5, NULL), .topic = query_col_text(q, 6, NULL), .partition = (int32_t)query_col_int(q, 7, 0),
		.offset = query_col_int(q, 8, 0), .body = sqlite3_column_blob(q, 11), .len = (size_t)sqlite3_column_bytes(q, 11)};
	const char *random = json_text(meta, "random", "");
	int kind = kind_of(query_col_text(q, 1, ""));
	if (kind < 0)
		return err_set(e, ERR_INPUT, "input %lld has a kind that this program does not know", (long long)query_col_int(q, 0, 0));
	in.kind = (enum input_kind)kind;
	for (size_t i = 0; i < sizeof in.random && strlen(random) >= 2 * (i + 1); i++) {
		char byte[3] = {random[2 * i], random[2 * i + 1], '\0'};
		in.random[i] = (uint8_t)strtoul(byte, NULL, 16);
	}
	in.reply.sent = (int)json_int(meta, "sent", 0);
	in.reply.status = (int)json_int(meta, "status", 0);
	in.reply.content_type = json_text(meta, "content_type", "");
	in.reply.transport = json_text(meta, "transport", "");
	in.reply.retry_after_s = json_int(meta, "retry_after_s", -1);
	in.cluster = json_text(meta, "cluster", "");
	in.timestamp_us = json_int(meta, "timestamp_us", UTC_NONE);
	in.as_test = json_flag(meta, "as_test", false);
	in.as_real = json_flag(meta, "as_real", false);
	in.uid = json_int(meta, "uid", 0);
	in.pid = json_int(meta, "pid", 0);
	if (turn_begin(f, query_col_int(q, 9, 0), json_flag(meta, "recovered", false), e) < 0)
		return -1;
	f->quiet = json_flag(meta, "quiet", false);
	core_quiet(f->core, f->quiet);
	f->utc_us = in.utc_us;
	f->tick_us = in.tick_us;
	f->report->inputs++;
	return core_step(f->core, &in, e);
}

static int feed_all(sqlite3 *journal, struct feed *f, struct err *e)
{
	static const char rows[] = "SELECT i.seq,i.kind,i.utc_us,i.tick_us,i.effect,i.source,i.topic,i.part,i.next_offset,i.turn,i.meta,"
		"ifnull(b.body,i.body) FROM input i LEFT JOIN blob b ON b.sha256=i.sha256 ORDER BY i.seq";
	sqlite3_stmt *q = query_prepare(journal, rows, e);
	int rc = q ? 1 : -1;
	while (rc == 1 && (rc = query_step(q, e)) == 1) {
		const char *text = query_col_text(q, 10, "{}");
		json_t *meta = json_read(text, strlen(text), &json_limits_config, e);
		int fed = meta ? feed_row(f, q, meta, e) : -1;
		if (fed < 0) {
			rc = -1;
			err_wrap(e, "input %lld", (long long)sqlite3_column_int64(q, 0));
		}
		json_decref(meta);
	}
	sqlite3_finalize(q);
	if (rc == 0)
		rc = turn_end(f, e);
	return rc;
}

/* ---- comparison ---- */
static void value_text(sqlite3_stmt *q, int i, struct text *out)
{
	char number[40];
	int type = sqlite3_column_type(q, i);
	text_puts(out, i ? "|" : "");
	if (type == SQLITE_FLOAT) { /* all digits: the same bits, or a difference */
		snprintf(number, sizeof number, "%.17g", sqlite3_column_double(q, i));
		text_puts(out, number);
	} else if (type == SQLITE_NULL) {
		text_puts(out, "null");
	} else {
		text_add(out, sqlite3_column_blob(q, i), (size_t)sqlite3_column_bytes(q, i));
	}
}

static void row_text(sqlite3_stmt *q, struct text *out)
{
	text_reset(out);
	for (int i = 0; i < sqlite3_column_count(q); i++)
		value_text(q, i, out);
}

static void differ(struct replay_report *r, const char *table, int64_t row, const struct text *was, const struct text *is)
{
	size_t at = 0;
	while (at < was->len && at < is->len && was->data[at] == is->data[at])
		at++;
	size_t from = at > 60 ? at - 60 : 0;
	snprintf(r->difference, sizeof r->difference, "table %s, row %lld: was …%.120s; is …%.120s", table, (long long)row,
		was->len ? was->data + from : "(none)", is->len ? is->data + (from < is->len ? from : 0) : "(none)");
}

static int compare_table(sqlite3 *a, sqlite3 *b, const char *table, struct replay_report *r, struct err *e)
{
	char sql[160];
	struct text was = {.max = 64u << 20}, is = {.max = 64u << 20};
	snprintf(sql, sizeof sql, "SELECT * FROM \"%s\" ORDER BY 1,2", table);
	sqlite3_stmt *qa = query_prepare(a, sql, e), *qb = qa ? query_prepare(b, sql, e) : NULL;
	int ra = qb ? 1 : -1, rb = ra;
	for (int64_t row = 1; ra == 1 || rb == 1; row++) {
		ra = ra == 1 ? query_step(qa, e) : ra;
		rb = rb == 1 ? query_step(qb, e) : rb;
		if (ra < 0 || rb < 0 || (ra == 0 && rb == 0))
			break;
		text_reset(&was);
		text_reset(&is);
		if (ra == 1)
			row_text(qa, &was);
		if (rb == 1)
			row_text(qb, &is);
		r->rows++;
		if (ra != rb || was.len != is.len || memcmp(was.data, is.data, was.len) != 0) {
			differ(r, table, row, &was, &is);
			break;
		}
	}
	sqlite3_finalize(qa);
	sqlite3_finalize(qb);
	text_free(&was);
	text_free(&is);
	return ra < 0 || rb < 0 ? -1 : 0;
}

static int compare_all(sqlite3 *a, sqlite3 *b, struct replay_report *r, struct err *e)
{
	json_t *tables = query_rows(a, 200, e, "SELECT name FROM sqlite_schema WHERE type='table' AND name NOT LIKE 'sqlite_%' ORDER BY name", "");
	const json_t *row;
	size_t i;
	int rc = tables ? 0 : -1;
	json_array_foreach(tables, i, row) {
		if (rc < 0 || r->difference[0])
			break;
		rc = compare_table(a, b, json_text(row, "name", ""), r, e);
	}
	json_decref(tables);
	return rc < 0 ? -1 : query_int(b, &r->effects, e, "SELECT count(*) FROM effect", "") < 0 ? -1 : 0;
}

int sim_replay(sqlite3 *journal, sqlite3 *fresh, struct replay_report *out, struct err *e)
{
	struct feed f = {.fresh = fresh, .report = out};
	*out = (struct replay_report){0};
	int rc = feed_all(journal, &f, e);
	core_close(f.core);
	return rc < 0 ? -1 : compare_all(journal, fresh, out, e);
}

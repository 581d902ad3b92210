/* Turns new rows into log lines: see news.h. Only reads; an error here is no news, never a sick store. */
#include "engine/io/news.h"
#include "engine/base/query.h"
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define NEWS_MOST 200

static const struct {
	const char *level, *sql; /* seq > ?1; columns: subject, text, and a third one where only a change is news */
} questions[] = {
	{"warn", "SELECT '-', 'input ' || r.seq || ' (' || i.kind || ') rejected: ' || r.reason FROM reject r JOIN input i USING (seq) "
		"WHERE r.seq > ?1 ORDER BY r.seq LIMIT 50"},
	{"notice", "SELECT e.name, 'alert ' || a.type || ' seq=' || a.seq || ' state=' || e.state || "
		"CASE e.is_test WHEN '[]' THEN '' ELSE ' test' END FROM alert a JOIN event e ON e.id = a.event "
		"WHERE a.seq > ?1 ORDER BY a.id LIMIT 100"},
	{"notice", "SELECT e.name, 'policy ' || d.policy || ' ' || d.outcome || ' state=' || d.state || "
		"ifnull(' missing=' || d.missing, '') FROM decision d JOIN event e ON e.id = d.event "
		"WHERE d.changed_seq > ?1 ORDER BY d.event, d.policy LIMIT 50"},
	{"notice", "SELECT e.name, 'request ' || r.id || ' ' || t.name || ' ' || r.facility || ': ' || c.signal || ': ' || c.from_state || "
		"' → ' || c.to_state || ifnull(' (' || substr(c.words, 1, 200) || ')', '') FROM request_change c "
		"JOIN request r ON r.id = c.request JOIN event e ON e.id = r.event JOIN target t ON t.id = r.target "
		"WHERE c.seq > ?1 ORDER BY c.seq, c.id LIMIT 200"},
	{"notice", "SELECT f.name, 'facility ' || f.state || ' failures=' || f.failures, 1 FROM facility f WHERE f.changed_seq > ?1 ORDER BY f.name "
		"LIMIT 20"},
};
#define QUESTIONS (sizeof questions / sizeof questions[0])

struct news {
	sqlite3 *db;
	int64_t seq;
	sqlite3_stmt *ask[QUESTIONS], *last;
	json_t *said;           /* subject → last text of what is only told when it changes */
};

struct news *news_open(sqlite3 *db, int64_t seq, struct err *e)
{
	struct news *n = calloc(1, sizeof *n);
	if (n == NULL) {
		err_set(e, ERR_MEMORY, "news: no memory");
		return NULL;
	}
	n->db = db;
	n->seq = seq;
	n->said = json_object();
	int bad = (n->last = query_prepare(db, "SELECT ifnull(max(seq), 0) FROM input", e)) == NULL;
	for (size_t i = 0; i < QUESTIONS && !bad; i++)
		bad = (n->ask[i] = query_prepare(db, questions[i].sql, e)) == NULL;
	if (!bad)
		return n;
	news_close(n);
	return NULL;
}

static bool same_as_before(struct news *n, sqlite3_stmt *q)
{
	const char *subject = query_col_text(q, 0, "-"), *text = query_col_text(q, 1, "");
	if (sqlite3_column_count(q) < 3)
		return false;
	const char *before = json_string_value(json_object_get(n->said, subject));
	bool same = before != NULL && strcmp(before, text) == 0;
	json_object_set_new(n->said, subject, json_string(text));
	return same;
}

json_t *news_read(struct news *n)
{
	json_t *out = json_array();
	struct err e = {0};
	for (size_t i = 0; i < QUESTIONS && out != NULL; i++) {
		if (query_bind(n->ask[i], &e, "i", n->seq) != 0)
			continue;
		while (query_step(n->ask[i], &e) == 1 && json_array_size(out) < NEWS_MOST)
			if (!same_as_before(n, n->ask[i]))
				json_array_append_new(out, json_pack("{s:s,s:s,s:s}", "level", questions[i].level, "subject",
					query_col_text(n->ask[i], 0, "-"), "text", query_col_text(n->ask[i], 1, "")));
		sqlite3_reset(n->ask[i]);
	}
	if (query_bind(n->last, &e, "") == 0 && query_step(n->last, &e) == 1)
		n->seq = query_col_int(n->last, 0, n->seq);
	sqlite3_reset(n->last);
	return out;
}

void news_close(struct news *n)
{
	if (n == NULL)
		return;
	for (size_t i = 0; i < QUESTIONS; i++)
		sqlite3_finalize(n->ask[i]);
	sqlite3_finalize(n->last);
	json_decref(n->said);
	free(n);
}

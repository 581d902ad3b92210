/* The only decider: opens, takes one input after the other, and rejects what makes no sense without harm to its neighbours. */
#include "engine/base/json.h"
#include "engine/base/query.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include "engine/core/turn.h"
#include <stdlib.h>
#include <string.h>

static const char *const kind_names[] = {
#define X(name) #name,
	INPUTS(X)
#undef X
};

const char *input_kind_name(enum input_kind k)
{
	return kind_names[k];
}

static void load_last(struct core *c)
{
	static const char last[] = "SELECT seq,utc_us,tick_us FROM input ORDER BY seq DESC LIMIT 1";
	json_t *row = get_row(c, last, "");
	c->seq = json_int(row, "seq", 0);
	c->utc_us = json_int(row, "utc_us", UTC_NONE);
	c->tick_us = json_int(row, "tick_us", 0);
	c->turn_from = c->next_from = c->seq + 1;
	json_decref(row);
	get_text(c, c->installation, sizeof c->installation, "SELECT installation FROM store", "");
	snprintf(c->prefix, sizeof c->prefix, "slew-%.8s-", c->installation);
}

static struct core *load(struct core *c, struct err *e)
{
	c->alarms = json_array();
	load_last(c);
	rules_load(c);
	if (failed(c)) {
		*e = c->fault;
		err_wrap(e, "core");
		core_close(c);
		return NULL;
	}
	return c;
}

struct core *core_open(sqlite3 *db, struct err *e)
{
	if (migrate(db, e) < 0)
		return NULL;
	struct core *c = calloc(1, sizeof *c);
	if (c == NULL) {
		err_set(e, ERR_MEMORY, "core: no memory");
		return NULL;
	}
	c->db = db;
	return load(c, e);
}

static void forget(struct core *c)
{
	rules_free(c);
	json_decref(c->answer);
	json_decref(c->alarms);
}

struct core *core_reopen(struct core *c, struct err *e)
{
	struct core old = *c;
	forget(c);
	memset(c, 0, sizeof *c);
	c->db = old.db;
	c->checks = old.checks;
	memcpy(c->statements, old.statements, sizeof c->statements);
	statements_reset(c);
	if (!sqlite3_get_autocommit(c->db) && query_run(c->db, e, "ROLLBACK", "") < 0) {
		core_close(c);
		return NULL;
	}
	return load(c, e);
}

void core_close(struct core *c)
{
	if (c == NULL)
		return;
	forget(c);
	statements_free(c);
	free(c);
}

static int of_turn(struct core *c, const char *sql, struct err *e)
{
	sqlite3_stmt *q = statement(c, sql, e);
	return q == NULL ? -1 : query_step(q, e);
}

int core_begin(struct core *c, struct err *e)
{
	return of_turn(c, "BEGIN IMMEDIATE", e);
}

int core_commit(struct core *c, struct err *e)
{
	return of_turn(c, "COMMIT", e);
}

static void dispatch(struct core *c, const struct input *in)
{
	switch (in->kind) {
	case INPUT_config:
		on_config(c, in);
		break;
	case INPUT_alert:
		on_alert(c, in);
		break;
	case INPUT_reply:
		on_reply(c, in);
		break;
	case INPUT_result:
		on_result(c, in);
		break;
	case INPUT_order:
		on_order(c, in);
		break;
	case INPUT_timer:
		on_timer(c);
		break;
	case INPUT_clock:
		on_clock(c, in);
		break;
	case INPUT_gap:
		on_gap(c, in);
		break;
	case INPUT_KINDS:
		refuse(c, "input: no such kind");
		break;
	}
}

static bool rejects(const struct err *e)
{
	return e->kind == ERR_INPUT || e->kind == ERR_REFUSED || e->kind == ERR_LIMIT;
}

/* The step's effects are gone with its savepoint; its row, its position and the reason stay. */
static void reject(struct core *c, const struct input *in, size_t alarms_before)
{
	char reason[sizeof c->fault.text];
	snprintf(reason, sizeof reason, "%s", c->fault.text);
	c->fault = (struct err){0};
	put(c, "ROLLBACK TO decision", "");
	while (json_array_size(c->alarms) > alarms_before)
		json_array_remove(c->alarms, json_array_size(c->alarms) - 1);
	put(c, "INSERT INTO reject(seq,reason) VALUES(?,?)", "it", c->seq, reason);
	if (in->kind == INPUT_config) {
		rules_free(c);
		rules_load(c);
	}
	rejected(c, in, reason);
}

int core_step(struct core *c, const struct input *in, struct err *e)
{
	if (failed(c)) {
		*e = c->fault;
		return -1;
	}
	json_decref(c->answer);
	c->answer = NULL;
	c->seq++;
	c->utc_us = in->utc_us;
	c->tick_us = in->tick_us > c->tick_us ? in->tick_us : c->tick_us;
	memcpy(c->random, in->random, sizeof c->random);
	journal(c, in);
	size_t alarms = json_array_size(c->alarms);
	put(c, "SAVEPOINT decision", "");
	if (!failed(c))
		dispatch(c, in);
	if (rejects(&c->fault))
		reject(c, in, alarms);
	put(c, "RELEASE decision", "");
	if (failed(c)) {
		*e = c->fault;
		e->kind = rejects(e) ? ERR_STORE : e->kind;
		return err_wrap(e, "input %lld (%s)", (long long)c->seq, input_kind_name(in->kind));
	}
	return 0;
}

void core_quiet(struct core *c, bool quiet)
{
	c->quiet = quiet;
}

const json_t *core_answer(const struct core *c)
{
	return c->answer;
}

json_t *core_alarms(struct core *c)
{
	json_t *list = c->alarms;
	c->alarms = json_array();
	return list;
}

int core_last(struct core *c, int64_t *seq, int64_t *utc_us, int64_t *tick_us, struct err *e)
{
	if (failed(c)) {
		*e = c->fault;
		return -1;
	}
	*seq = c->seq;
	*utc_us = c->utc_us;
	*tick_us = c->tick_us;
	return 0;
}

int core_due(struct core *c, int64_t *utc_us, int64_t *tick_us, struct err *e)
{
	static const char utc[] = "SELECT min(due_utc_us) FROM timer";
	static const char tick[] = "SELECT min(t) FROM (SELECT min(due_tick_us) AS t FROM timer UNION ALL "
				   "SELECT min(due_tick_us) FROM effect WHERE state='waiting' AND due_tick_us>?)";
	*utc_us = get_int(c, INT64_MAX, utc, "");
	*tick_us = get_int(c, INT64_MAX, tick, "i", c->tick_us);
	if (failed(c)) {
		*e = c->fault;
		return -1;
	}
	return 0;
}

void effects_free(struct effects *list)
{
	for (size_t i = 0; i < list->count; i++)
		json_decref(list->list[i].body);
	free(list->list);
	*list = (struct effects){0};
}

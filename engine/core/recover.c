/* After a restart, and after a rejected answer: what was released and has no answer is repeated, or doubted. */
#include "engine/base/json.h"
#include "engine/base/utc.h"
#include "engine/core/turn.h"
#include <stdlib.h>
#include <string.h>

int core_recover(struct core *c, struct err *e)
{
	static const char open[] = "SELECT id,once,request,verb FROM effect WHERE state='released' ORDER BY id";
	json_t *rows = get_rows(c, open, ""), *row;
	size_t i;
	json_array_foreach(rows, i, row) {
		int64_t id = json_int(row, "id", 0);
		if (json_int(row, "once", 0) == 0) {
			effect_again(c, id, UTC_NONE, "restart");
			continue;
		}
		effect_close(c, id, "doubtful", "restart");
		request_signal(c, json_int(row, "request", 0), SIGNAL_doubt, "the engine was restarted before the answer came");
	}
	json_decref(rows);
	timer_set(c, START_FRESH, "start", 0, NULL, UTC_NONE, UTC_NONE);
	timer_set(c, SWEEP_WANTED, "sweep", 0, NULL, UTC_NONE, UTC_NONE); /* with the next configuration */
	if (failed(c)) {
		*e = c->fault;
		return err_wrap(e, "recover");
	}
	return 0;
}

/* An answer that made no sense closes its effect as unknown; a `once` effect is then in doubt. */
static void effect_rejected(struct core *c, int64_t id, const char *reason)
{
	json_t *row = get_row(c, "SELECT * FROM effect WHERE id=? AND state='released'", "i", id);
	if (row == NULL)
		return;
	bool once = json_int(row, "once", 0) == 1;
	char name[32];
	snprintf(name, sizeof name, "effect %lld", (long long)id);
	effect_close(c, id, once ? "doubtful" : "done", reason);
	alarm_raise(c, name, "rejected", "its answer makes no sense: %s", reason);
	if (strcmp(json_text(row, "verb", ""), "submit") == 0)
		request_signal(c, json_int(row, "request", 0), SIGNAL_doubt, reason);
	if (strcmp(json_text(row, "compute", ""), "map") == 0) {
		json_t *job = json_parse(json_text(row, "body", "{}"));
		const char *sha = json_text(job, "sha256", "");
		put(c, "UPDATE skymap SET state='failed',error=? WHERE sha256=?", "tt", reason, sha);
		facts_store_map(c, sha);
		event_decided_maps(c, sha);
		json_decref(job);
	}
	result_failed(c, row, reason);
	if (strcmp(json_text(row, "verb", ""), "find") == 0 && json_int(row, "request", 0) == 0) { /* a sweep begins anew */
		effect_call(c, json_text(row, "facility", ""), VERB_FIND, 0, 0, c->tick_us + 5 * UTC_MINUTE);
	} else if (strcmp(json_text(row, "verb", ""), "find") == 0) { /* only a find leads out of a doubt: it looks again */
		char key[64];
		snprintf(key, sizeof key, "find:%lld", (long long)json_int(row, "request", 0));
		timer_set(c, key, "find", json_int(row, "request", 0), NULL, UTC_NONE, c->tick_us + UTC_MINUTE);
	}
	if (strcmp(json_text(row, "verb", ""), "offer") == 0) {
		struct answer a = {.kind = ANSWER_UNKNOWN, .stem = "other"};
		snprintf(a.words, sizeof a.words, "%s", reason);
		offer_answered(c, json_int(row, "request", 0), &a);
	}
	json_decref(row);
}

void rejected(struct core *c, const struct input *in, const char *reason)
{
	static const char postpone[] = "UPDATE timer SET due_utc_us=NULL,due_tick_us=?1 WHERE due_utc_us<=?2 OR due_tick_us<=?3";
	if (in->kind == INPUT_reply || in->kind == INPUT_result)
		effect_rejected(c, in->effect, reason);
	else if (in->kind == INPUT_timer) { /* later again, or it would fire for ever */
		alarm_raise(c, "timer", "rejected", "%s", reason);
		put(c, postpone, "iii", c->tick_us + UTC_MINUTE, c->utc_us, c->tick_us);
	}
	else if (in->kind == INPUT_config) {
		struct err e = {0};
		json_t *body = json_read(in->body, in->len, &json_limits_config, &e);
		alarm_raise(c, "configuration", "rejected", "%s", reason);
		sweep_begin(c, json_flag(body, "restored", false)); /* the lock remembers from now on: its word is kept as rows */
		json_decref(body);
	}
	else if (in->kind == INPUT_order) {
		order_refused(c, in, reason);
	}
}

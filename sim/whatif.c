/* Another policy on a night that was: see whatif.h. The journal sets the pace; between two of its inputs the new run has its own
 * timers, and answers to what was not asked then. */
#include "sim/whatif.h"
#include "engine/base/json.h"
#include "engine/base/query.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include "facilities/facility.h"
#include "sim/book.h"
#include "sim/journal.h"
#include "sim/revise.h"
#include "sim/standin.h"
#include <stdlib.h>
#include <string.h>

#define PATIENCE_US UTC_SECOND          /* a timer of the journal that comes so soon is ours, too */
#define LATE_US (100 * UTC_SECOND / 1000) /* as a busy loop is: what the journal brings meanwhile goes first */
#define COMPUTE_US (50 * UTC_SECOND / 1000)
#define HALF_WAY_US (100 * UTC_SECOND / 1000)

/* Something on its way: a call to a stand-in, its reply, a result, or an answer of that night given at another time. */
enum coming_kind { COMING_CALL, COMING_REPLY, COMING_RESULT, COMING_RECORDED };
struct coming {
	int64_t at_tick_us, made, effect, seq; /* seq: of the recorded answer */
	enum coming_kind kind;
	struct standin *standin;
	json_t *body;
	struct sim_reply reply;
};

struct whatif {
	const struct whatif_options *o;
	struct whatif_report *report;
	sqlite3 *journal, *now;
	struct core *core;
	struct book book;
	struct standins standins;
	struct compute_host compute;
	struct coming *coming;
	size_t count, cap;
	int64_t made, seq, turn;        /* seq: the input of the journal that was dealt with last */
	int64_t utc_us, tick_us;        /* of that input, or of our own turn after it */
	bool open, quiet;
};

/* ---- what is on its way ---- */
static struct coming *coming_add(struct whatif *w, enum coming_kind kind, int64_t effect, int64_t after_us, struct err *e)
{
	if (w->count == w->cap) {
		size_t cap = w->cap ? 2 * w->cap : 32;
		struct coming *more = realloc(w->coming, cap * sizeof *more);
		if (more == NULL) {
			err_set(e, ERR_MEMORY, "no memory for what is on its way");
			return NULL;
		}
		w->coming = more;
		w->cap = cap;
	}
	w->coming[w->count] = (struct coming){.kind = kind, .effect = effect, .at_tick_us = w->tick_us + (after_us > 0 ? after_us : 0), .made = w->made++};
	return &w->coming[w->count++];
}

static void coming_free(struct coming *c)
{
	json_decref(c->body);
	sim_reply_free(&c->reply);
}

static size_t coming_first(const struct whatif *w)
{
	size_t best = w->count;
	for (size_t i = 0; i < w->count; i++) {
		const struct coming *a = &w->coming[i], *b = best < w->count ? &w->coming[best] : NULL;
		if (b == NULL || a->at_tick_us < b->at_tick_us || (a->at_tick_us == b->at_tick_us && a->made < b->made))
			best = i;
	}
	return best;
}

/* The engine died here: calls had left, nothing comes back. */
static int coming_drop(struct whatif *w, struct err *e)
{
	int rc = 0;
	for (size_t i = 0; i < w->count; i++) {
		struct coming *c = &w->coming[i];
		if (rc == 0 && c->kind == COMING_CALL && c->standin != NULL)
			rc = standin_call(c->standin, w->utc_us, c->body, &c->reply, e);
		coming_free(c);
	}
	w->count = 0;
	return rc;
}

/* ---- who answers ---- */
static int note(struct whatif *w, int64_t effect, const char *verb, const char *how, int64_t input, struct err *e)
{
	static const char insert[] = "INSERT INTO temp.answered SELECT id,event,?,?,? FROM effect WHERE id=?";
	return query_run(w->now, e, insert, "ttni", verb, how, input ? input : UTC_NONE, effect);
}

static int answer_recorded(struct whatif *w, const struct effect *f, struct book_entry *x, const char *verb, struct err *e)
{
	bool first = !x->used;
	x->used = true;
	w->report->recorded += f->kind != EFFECT_message;
	if (f->kind != EFFECT_message && note(w, f->id, verb, "recorded", x->reply_seq, e) < 0)
		return -1;
	if (first && x->tick_us == w->tick_us && (x->reply_seq == 0 || x->reply_seq > w->seq)) {
		x->now_effect = f->id; /* when the journal comes to it, in its place */
		return 0;
	}
	if (x->reply_seq == 0)
		return 0;
	struct coming *c = coming_add(w, COMING_RECORDED, f->id, x->reply_tick_us - x->tick_us, e);
	if (c == NULL)
		return -1;
	c->seq = x->reply_seq;
	return 0;
}

static int answer_computed(struct whatif *w, const struct effect *f, const char *verb, struct err *e)
{
	json_t *result = NULL;
	if (compute_run(&w->compute, f->body, &result, e) < 0)
		return -1;
	struct coming *c = coming_add(w, COMING_RESULT, f->id, COMPUTE_US, e);
	if (c == NULL) {
		json_decref(result);
		return -1;
	}
	c->body = result;
	w->report->computed++;
	return note(w, f->id, verb, "computed", 0, e);
}

/* The facility has heard something else by now than it had then. */
static bool parted(struct whatif *w, const char *facility)
{
	return standin_took_over(&w->standins, facility) || book_unheard(&w->book, facility, w->tick_us);
}

static int call_standin(struct whatif *w, int64_t effect, const char *facility, const json_t *call, bool stateful, struct err *e)
{
	struct standin *s = standin_of(&w->standins, w->now, facility, e);
	if (s == NULL || (stateful && !s->taken_over && standin_take_over(s, w->now, w->utc_us, e) < 0))
		return -1;
	struct coming *c = coming_add(w, COMING_CALL, effect, HALF_WAY_US, e);
	if (c == NULL)
		return -1;
	c->body = json_incref((json_t *)call);
	c->standin = s;
	w->report->simulated++;
	return 0;
}

/* An answer of that night comes, and is true no more: the call goes to the stand-in after all. */
static int answer_instead(struct whatif *w, struct book_entry *x, struct err *e)
{
	static const char renote[] = "UPDATE temp.answered SET how='simulated',input=NULL WHERE effect=? AND input=?";
	json_t *rows = query_rows(w->now, 1, e, "SELECT body FROM effect WHERE id=?", "i", x->now_effect);
	const char *text = json_text(json_array_get(rows, 0), "body", "{}");
	json_t *call = rows ? json_read(text, strlen(text), &json_limits_reply, e) : NULL;
	int rc = call ? call_standin(w, x->now_effect, x->facility, call, true, e) : -1;
	if (rc == 0)
		rc = query_run(w->now, e, renote, "ii", x->now_effect, x->reply_seq);
	w->report->recorded--;
	x->now_effect = 0;
	json_decref(call);
	json_decref(rows);
	return rc;
}

static int hand_over(struct whatif *w, const struct effect *f, struct err *e)
{
	char key[65], verb[16];
	enum book_kind kind = book_key(w->now, f, key, verb);
	struct book_entry *x = kind == BOOK_STATEFUL && parted(w, f->facility) ? NULL : book_find(&w->book, key, kind, w->tick_us);
	if (x != NULL)
		return answer_recorded(w, f, x, verb, e);
	if (f->kind == EFFECT_call)
		return call_standin(w, f->id, f->facility, f->body, kind == BOOK_STATEFUL, e) < 0 ? -1 : note(w, f->id, verb, "simulated", 0, e);
	if (f->kind == EFFECT_compute)
		return answer_computed(w, f, verb, e);
	struct coming *c = coming_add(w, COMING_RESULT, f->id, UTC_SECOND / 1000, e);
	if (c != NULL)
		c->body = json_pack("{s:b}", "ok", 1);
	return c ? 0 : -1;
}

/* ---- turns ---- */
static int turn_begin(struct whatif *w, struct err *e)
{
	if (w->open)
		return 0;
	w->open = true;
	return query_run(w->now, e, "BEGIN IMMEDIATE", "");
}

static int turn_end(struct whatif *w, struct err *e)
{
	struct effects out = {0};
	if (!w->open)
		return 0;
	w->open = false;
	int rc = w->quiet ? 0 : core_release(w->core, w->utc_us, w->tick_us, &out, e);
	if (rc == 0)
		rc = query_run(w->now, e, "COMMIT", "");
	for (size_t i = 0; rc == 0 && i < out.count; i++)
		rc = hand_over(w, &out.list[i], e);
	effects_free(&out);
	json_decref(core_alarms(w->core));
	return rc;
}

static int step(struct whatif *w, struct input *in, struct err *e)
{
	in->utc_us = w->utc_us;
	in->tick_us = w->tick_us;
	core_quiet(w->core, w->quiet);
	return turn_begin(w, e) < 0 ? -1 : core_step(w->core, in, e);
}

/* A turn of our own. Its random bits are made of its place: they are asked for by nothing but a new store. */
static int own_turn(struct whatif *w, struct input *in, struct err *e)
{
	w->quiet = false;
	memcpy(in->random, &w->made, sizeof w->made);
	w->made++;
	return step(w, in, e) < 0 ? -1 : turn_end(w, e);
}

static int recorded_arrives(struct whatif *w, const struct coming *c, struct err *e)
{
	struct journal j;
	struct journal_row row;
	int rc = journal_open(&j, w->journal, w->now, c->seq - 1, e) < 0 ? -1 : journal_next(&j, &row, e);
	if (rc == 1) {
		row.in.effect = c->effect;
		rc = own_turn(w, &row.in, e);
	}
	journal_close(&j);
	return rc;
}

static int result_arrives(struct whatif *w, const struct coming *c, struct err *e)
{
	char *text = json_canonical(c->body);
	struct input in = {.kind = INPUT_result, .effect = c->effect, .body = text, .len = text ? strlen(text) : 0};
	int rc = text ? own_turn(w, &in, e) : err_set(e, ERR_MEMORY, "no memory for a result");
	free(text);
	return rc;
}

static int call_arrives(struct whatif *w, struct coming *c, struct err *e)
{
	struct sim_reply reply = {.retry_after_s = -1};
	if (standin_call(c->standin, w->utc_us, c->body, &reply, e) < 0)
		return -1;
	struct coming *back = coming_add(w, COMING_REPLY, c->effect, HALF_WAY_US + reply.delay_us, e);
	if (back == NULL) {
		sim_reply_free(&reply);
		return -1;
	}
	back->reply = reply;
	return 0;
}

static int reply_arrives(struct whatif *w, const struct coming *c, struct err *e)
{
	struct input in = {.kind = INPUT_reply, .effect = c->effect, .body = c->reply.body, .len = c->reply.len};
	in.reply.sent = c->reply.drop == SIM_REPLY ? SENT_ANSWERED : SENT_NO;
	in.reply.status = c->reply.drop == SIM_REPLY ? c->reply.status : 0;
	in.reply.content_type = c->reply.drop == SIM_REPLY ? c->reply.content_type : "";
	in.reply.transport = c->reply.drop == SIM_REPLY ? "" : "no simulated facility speaks as this one does";
	in.reply.retry_after_s = c->reply.retry_after_s;
	return own_turn(w, &in, e);
}

static int arrive(struct whatif *w, size_t i, struct err *e)
{
	struct coming c = w->coming[i];
	w->coming[i] = w->coming[--w->count];
	int rc = c.kind == COMING_RECORDED ? recorded_arrives(w, &c, e) : c.kind == COMING_RESULT ? result_arrives(w, &c, e) :
		c.kind == COMING_CALL ? call_arrives(w, &c, e) : reply_arrives(w, &c, e);
	coming_free(&c);
	return rc;
}

static void pass(struct whatif *w, int64_t to_tick_us)
{
	if (to_tick_us > w->tick_us) {
		w->utc_us += to_tick_us - w->tick_us;
		w->tick_us = to_tick_us;
	}
}

/* The tick of our next timer; INT64_MAX for none, and for one that the journal will bring in a moment. */
static int timer_due(struct whatif *w, int64_t *at_tick_us, struct err *e)
{
	int64_t utc_us = INT64_MAX, tick_us = INT64_MAX;
	if (core_due(w->core, &utc_us, &tick_us, e) < 0)
		return -1;
	if (utc_us != INT64_MAX && w->tick_us + (utc_us - w->utc_us) < tick_us)
		tick_us = w->tick_us + (utc_us - w->utc_us);
	if (tick_us < w->tick_us)
		tick_us = w->tick_us;
	if (tick_us != INT64_MAX)
		tick_us = book_timer(&w->book, w->seq, tick_us + PATIENCE_US) ? INT64_MAX : tick_us + LATE_US;
	*at_tick_us = tick_us;
	return 0;
}

/* What is ours until the next input of the journal. */
static int own_until(struct whatif *w, int64_t until_tick_us, struct err *e)
{
	for (int idle = 0; w->core != NULL && idle < 1000; idle++) {
		int64_t timer_us;
		if (timer_due(w, &timer_us, e) < 0)
			return -1;
		size_t first = coming_first(w);
		bool timer = first == w->count || timer_us < w->coming[first].at_tick_us;
		int64_t at_us = timer ? timer_us : w->coming[first].at_tick_us;
		if (at_us > until_tick_us || at_us == INT64_MAX)
			return 0;
		if (at_us > w->tick_us)
			idle = 0;
		pass(w, at_us);
		struct input in = {.kind = INPUT_timer};
		if ((timer ? own_turn(w, &in, e) : arrive(w, first, e)) < 0)
			return -1;
	}
	return w->core == NULL ? 0 : err_set(e, ERR_STORE, "a timer stays due: core_due does not move on");
}

/* ---- inputs of the journal ---- */
static int feed(struct whatif *w, const struct journal_row *row, bool *found, struct err *e)
{
	struct input in = row->in;
	char *text = NULL;
	if (in.kind == INPUT_reply || in.kind == INPUT_result) {
		struct book_entry *x = book_answered(&w->book, row->seq);
		if (x == NULL || x->now_effect == 0)
			return 0;
		if (x->kind == BOOK_STATEFUL && parted(w, x->facility))
			return answer_instead(w, x, e);
		in.effect = x->now_effect;
	}
	int rc = in.kind == INPUT_config ? revise_config(w->o, &in, found, &text, e) :
		in.kind == INPUT_order ? revise_order(w->journal, w->now, row->seq, &in, &text, e) : 0;
	if (text != NULL) {
		in.body = text;
		in.len = strlen(text);
	}
	w->quiet = row->quiet;
	if (rc == 0)
		rc = step(w, &in, e);
	w->report->inputs++;
	free(text);
	return rc;
}

static int start(struct whatif *w, struct err *e)
{
	if (coming_drop(w, e) < 0)
		return -1;
	for (size_t i = 0; i < w->book.entries; i++)
		w->book.entry[i].now_effect = 0; /* nobody waits any more */
	core_close(w->core);
	w->core = core_open(w->now, e);
	return w->core == NULL || turn_begin(w, e) < 0 ? -1 : core_recover(w->core, e);
}

static int row_dealt(struct whatif *w, const struct journal_row *row, bool *found, struct err *e)
{
	if (row->turn != w->turn || row->recovered) {
		if (turn_end(w, e) < 0 || own_until(w, row->in.tick_us, e) < 0)
			return -1;
		w->turn = row->turn;
	}
	if (row->recovered && start(w, e) < 0)
		return -1;
	if (w->core == NULL)
		return err_set(e, ERR_INPUT, "the journal does not begin with a start");
	w->utc_us = row->in.utc_us;
	w->tick_us = row->in.tick_us;
	w->seq = row->seq;
	return feed(w, row, found, e);
}

static int night_again(struct whatif *w, struct err *e)
{
	struct journal j;
	struct journal_row row;
	char words[500];
	bool found = false;
	int rc = journal_open(&j, w->journal, w->now, 0, e) < 0 ? -1 : 1;
	while (rc == 1 && (rc = journal_next(&j, &row, e)) == 1)
		if (row_dealt(w, &row, &found, e) < 0) {
			journal_words(w->journal, row.seq, words, sizeof words);
			rc = err_wrap(e, "%s", words);
		}
	journal_close(&j);
	if (rc == 0)
		rc = turn_end(w, e);
	if (rc == 0 && !found && w->o->count > 0)
		rc = err_set(e, ERR_INPUT, "no configuration of that night has a policy %s", w->o->count > 0 && w->o->policies[0].name ?
			w->o->policies[0].name : "");
	return rc;
}

static int blob_of_now(void *ctx, const char *sha256, unsigned char **bytes, size_t *len, struct err *e)
{
	struct whatif *w = ctx;
	sqlite3_stmt *q = query_prepare(w->now, "SELECT body FROM blob WHERE sha256=?", e);
	int rc = q == NULL || query_bind(q, e, "t", sha256) < 0 ? -1 : query_step(q, e);
	if (rc == 1) {
		*len = (size_t)sqlite3_column_bytes(q, 0);
		*bytes = malloc(*len + 1);
		if (*bytes != NULL && *len > 0)
			memcpy(*bytes, sqlite3_column_blob(q, 0), *len);
		rc = *bytes ? 1 : err_set(e, ERR_MEMORY, "no memory for a blob");
	}
	sqlite3_finalize(q);
	return rc == 1 ? 0 : rc < 0 ? -1 : err_set(e, ERR_INPUT, "blob %.12s… is not in the state", sha256);
}

int sim_whatif(sqlite3 *journal, sqlite3 *now, const struct whatif_options *o, struct whatif_report *report, struct err *e)
{
	static const char answered[] = "CREATE TEMP TABLE answered(effect INTEGER, event INTEGER, verb TEXT, how TEXT, input INTEGER)";
	struct whatif w = {.o = o, .report = report, .journal = journal, .now = now, .compute = *o->compute};
	sqlite3 *newer = NULL;
	bool older = false;
	*report = (struct whatif_report){0};
	w.compute.blob = blob_of_now;
	w.compute.ctx = &w;
	struct core *made = core_open(now, e); /* the tables, and what they are today */
	core_close(made);
	int rc = made ? journal_schema(journal, now, &older, e) : -1;
	if (rc == 0 && older)
		rc = journal_copy(journal, &newer, e);
	if (rc == 0)
		rc = query_run(now, e, answered, "");
	w.journal = newer ? newer : journal;
	if (rc == 0)
		rc = book_make(&w.book, w.journal, e);
	text_copy(report->journal, sizeof report->journal, w.book.difference);
	if (rc == 0)
		rc = night_again(&w, e);
	for (size_t i = 0; i < w.count; i++)
		coming_free(&w.coming[i]);
	free(w.coming);
	core_close(w.core);
	standins_free(&w.standins);
	book_free(&w.book);
	sqlite3_close(newer);
	return rc;
}

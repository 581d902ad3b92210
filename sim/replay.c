/* Replay of a journal: see replay.h. Turn by turn, as it was: each input stepped at its own time, released at the last one's. */
#include "sim/replay.h"
#include "engine/base/query.h"
#include "engine/core/core.h"
#include "sim/journal.h"
#include <stdio.h>
#include <string.h>

struct feed {
	sqlite3 *fresh;
	struct core *core;
	struct replay_report *report;
	const struct replay_options *o;
	int64_t turn, utc_us, tick_us;
	bool open, quiet; /* quiet: the engine was stopping, the turn was not released */
};

static int turn_end(struct feed *f, struct err *e)
{
	struct effects out = {0};
	if (!f->open)
		return 0;
	f->open = false;
	int rc = f->quiet ? 0 : core_release(f->core, f->utc_us, f->tick_us, &out, e);
	if (rc == 0 && f->o->released != NULL)
		rc = f->o->released(f->o->ctx, f->fresh, f->tick_us, &out, e);
	effects_free(&out);
	f->report->turns++;
	if (rc < 0 || core_commit(f->core, e) < 0)
		return -1;
	if (f->o->reopen <= 0 || f->report->turns % f->o->reopen != 0)
		return 0;
	core_close(f->core);
	f->core = core_open(f->fresh, e);
	return f->core ? 0 : -1;
}

static int turn_begin(struct feed *f, int64_t turn, bool recovered, struct err *e)
{
	if (f->open && f->turn == turn && !recovered)
		return 0;
	if (turn_end(f, e) < 0)
		return -1;
	if (recovered) {
		f->core = f->core ? core_reopen(f->core, e) : core_open(f->fresh, e);
		f->report->starts++;
		if (f->core == NULL)
			return -1;
	}
	f->turn = turn;
	f->open = true;
	if (f->core == NULL)
		return err_set(e, ERR_INPUT, "the journal does not begin with a start");
	if (core_begin(f->core, e) < 0)
		return -1;
	return recovered ? core_recover(f->core, e) : 0;
}

static int feed_row(struct feed *f, const struct journal_row *row, struct err *e)
{
	if (turn_begin(f, row->turn, row->recovered, e) < 0 || (f->o->feeding != NULL && f->o->feeding(f->o->ctx, row, e) < 0))
		return -1;
	f->quiet = row->quiet;
	core_quiet(f->core, f->quiet);
	f->utc_us = row->in.utc_us;
	f->tick_us = row->in.tick_us;
	f->report->inputs++;
	return core_step(f->core, &row->in, e);
}

static int feed_all(sqlite3 *journal, struct feed *f, struct err *e)
{
	struct journal j;
	struct journal_row row;
	char words[500];
	int rc = journal_open(&j, journal, f->fresh, f->report->from, e) < 0 ? -1 : 1;
	while (rc == 1 && (rc = journal_next(&j, &row, e)) == 1)
		if (feed_row(f, &row, e) < 0) {
			journal_words(journal, row.seq, words, sizeof words);
			rc = err_wrap(e, "%s", words);
		}
	journal_close(&j);
	return rc == 0 ? turn_end(f, e) : rc;
}

/* The earlier copy becomes the state that is fed: it must be of this very state, and not later. */
static int load_copy(sqlite3 *journal, sqlite3 *from, struct feed *f, struct err *e)
{
	static const char last[] = "SELECT ifnull(max(seq),0) FROM input";
	static const char row[] = "SELECT (SELECT id FROM store)||' '||kind||utc_us||' '||tick_us||meta||ifnull(sha256,hex(body)) FROM input WHERE seq=?";
	char theirs[10000] = "", ours[10000] = "";
	sqlite3 *copy = NULL;
	int64_t n = 0;
	if (journal_copy(from, &copy, e) < 0)
		return err_wrap(e, "the earlier copy");
	int rc = query_int(copy, &n, e, last, "") < 0 || query_text(copy, theirs, sizeof theirs, e, row, "i", n) < 0 ||
		query_text(journal, ours, sizeof ours, e, row, "i", n) < 0 ? -1 : 0;
	if (rc == 0 && (n == 0 || strcmp(theirs, ours) != 0))
		rc = err_set(e, ERR_INPUT, "the earlier copy is not one of this state: its last input, %lld, %s", (long long)n,
			ours[0] ? "is another one here" : "is not in this journal");
	sqlite3_backup *backup = rc == 0 ? sqlite3_backup_init(f->fresh, "main", copy, "main") : NULL;
	if (rc == 0 && (backup == NULL || sqlite3_backup_step(backup, -1) != SQLITE_DONE))
		rc = err_set(e, ERR_STORE, "the earlier copy cannot be loaded");
	sqlite3_backup_finish(backup);
	sqlite3_close(copy);
	f->report->from = n;
	return rc;
}

static void difference_words(sqlite3 *journal, struct replay_report *r)
{
	const struct state_difference *d = &r->compared.first;
	char input[300] = "no column tells by which input";
	if (r->compared.differences == 0)
		return;
	if (d->seq != INT64_MAX)
		journal_words(journal, d->seq, input, sizeof input);
	snprintf(r->difference, sizeof r->difference, "table %s, row %s%s%s: was %s; is %s; %s", d->table, d->key, d->column[0] ? ", " : "", d->column,
		d->was[0] || d->column[0] ? d->was : "not there", d->is[0] || d->column[0] ? d->is : "not there", input);
}

static int replay_feed(sqlite3 *journal, struct feed *f, sqlite3 *from, struct err *e)
{
	if (from != NULL && load_copy(journal, from, f, e) < 0)
		return -1;
	f->core = core_open(f->fresh, e); /* the tables; and a copy may have been made between two turns */
	if (f->core == NULL)
		return -1;
	if (from == NULL) {
		core_close(f->core);
		f->core = NULL;
	}
	return feed_all(journal, f, e);
}

int sim_replay(sqlite3 *journal, sqlite3 *fresh, const struct replay_options *o, struct replay_report *out, struct err *e)
{
	static const struct replay_options none = {0};
	struct feed f = {.fresh = fresh, .report = out, .o = o ? o : &none};
	sqlite3 *newer = NULL; /* the journal, when it is of an older release */
	bool older = false;
	*out = (struct replay_report){0};
	struct core *made = core_open(fresh, e); /* its tables say what this program's are */
	core_close(made);
	int rc = made ? journal_schema(journal, fresh, &older, e) : -1;
	if (rc == 0 && older)
		rc = journal_copy(journal, &newer, e);
	sqlite3 *state = newer ? newer : journal;
	if (rc == 0)
		rc = replay_feed(state, &f, f.o->from, e);
	core_close(f.core);
	if (rc == 0)
		rc = state_compare(state, fresh, &out->compared, f.o->each, f.o->ctx, e);
	if (rc == 0)
		rc = query_int(fresh, &out->effects, e, "SELECT count(*) FROM effect", "") < 0 ? -1 : 0;
	if (rc == 0)
		difference_words(state, out);
	sqlite3_close(newer);
	return rc;
}

/* The turns of the simulated io: see host_parts.h. A queue of what is under way, ordered by time, then by the order of making. */
#include "sim/host_parts.h"
#include "engine/base/json.h"
#include "engine/base/query.h"
#include "engine/base/utc.h"
#include <stdlib.h>
#include <string.h>

/* ---- what is under way ---- */
struct coming *coming_add(struct sim_host *h, enum coming_kind kind, int64_t at_us, int64_t effect)
{
	if (h->count == h->cap) {
		size_t cap = h->cap ? 2 * h->cap : 32;
		struct coming *more = realloc(h->coming, cap * sizeof *more);
		if (more == NULL)
			return NULL;
		h->coming = more;
		h->cap = cap;
	}
	struct coming *c = &h->coming[h->count++];
	*c = (struct coming){.kind = kind, .at_us = at_us, .made = h->made++, .effect = effect};
	return c;
}

void coming_drop(struct sim_host *h, size_t i)
{
	json_decref(h->coming[i].body);
	sim_reply_free(&h->coming[i].reply);
	h->coming[i] = h->coming[--h->count];
}

size_t coming_first(const struct sim_host *h)
{
	size_t best = h->count;
	for (size_t i = 0; i < h->count; i++) {
		const struct coming *a = &h->coming[i], *b = best < h->count ? &h->coming[best] : NULL;
		if (b == NULL || a->at_us < b->at_us || (a->at_us == b->at_us && a->made < b->made))
			best = i;
	}
	return best;
}

/* ---- a turn ---- */
static const struct sim_host_place *place_of(const struct sim_host *h, const char *facility)
{
	for (size_t i = 0; i < h->o.places; i++)
		if (strcmp(h->o.place[i].facility, facility) == 0)
			return &h->o.place[i];
	return NULL;
}

static int hand_over(struct sim_host *h, const struct effect *f, struct err *e)
{
	if (h->died)
		return 0;
	if (f->kind == EFFECT_call) {
		int64_t latency = h->o.latency_us ? h->o.latency_us : 200000;
		struct coming *c = coming_add(h, COMING_DELIVERY, h->now_us + latency / 2, f->id);
		if (c == NULL)
			return err_set(e, ERR_MEMORY, "no memory for a call");
		c->body = json_incref(f->body);
		c->place = place_of(h, f->facility);
		h->counts.calls++;
		return 0;
	}
	json_t *result = NULL;
	if (f->kind == EFFECT_compute) {
		int rc = h->o.compute_by ? h->o.compute_by(h->o.compute_ctx, &h->compute, f->body, &result, e) :
			compute_run(&h->compute, f->body, &result, e);
		if (rc < 0)
			return -1;
		h->counts.computes++;
	} else {
		result = json_pack("{s:b}", "ok", 1);
		h->counts.messages++;
	}
	int64_t took = f->kind == EFFECT_compute ? (h->o.compute_us ? h->o.compute_us : 50000) : 1000;
	struct coming *c = coming_add(h, COMING_RESULT, h->now_us + took, f->id);
	if (c == NULL || result == NULL) {
		json_decref(result);
		return err_set(e, ERR_MEMORY, "no memory for a result");
	}
	c->body = result;
	return 0;
}

/* SQLite asks before each commit: not 0 rolls it back. Here, and not by the order of the lines in turn(), it is known what was durable. */
int host_on_commit(void *ctx)
{
	struct sim_host *h = ctx;
	if (h->doom.commit == 0 || (h->doom.asks && !h->asks) || --h->doom.commit > 0)
		return 0;
	h->died = true;
	return !h->doom.after;
}

/* rc, unless it died meanwhile: then it is started again, and what went wrong went with it. */
static int revive(struct sim_host *h, int rc, struct err *e)
{
	if (!h->died)
		return rc;
	h->died = false;
	*e = (struct err){0};
	return sim_host_crash(h, h->doom.down_us, h->doom.lost, e);
}

/* 0: it is on disk, and what was marked is under way. -1: nothing of it is. */
static int turn_try(struct sim_host *h, struct input *in, struct err *e)
{
	struct effects out = {0};
	struct err ignored = {0};
	int64_t utc_us = h->now_us + h->wall_shift_us;
	h->no_room = false;
	json_decref(h->answer);
	h->answer = NULL;
	in->utc_us = utc_us;
	in->tick_us = h->tick_us;
	for (size_t i = 0; i < sizeof in->random; i++)
		in->random[i] = (uint8_t)(h->made * 31 + (int64_t)i * 7);
	h->counts.turns++;
	int rc = core_begin(h->core, e);
	if (rc == 0)
		rc = core_step(h->core, in, e);
	if (rc == 0)
		rc = core_release(h->core, utc_us, h->tick_us, &out, e);
	h->asks = false;
	for (size_t i = 0; rc == 0 && i < out.count; i++)
		h->asks |= out.list[i].once;
	if (rc == 0)
		rc = core_commit(h->core, e);
	if (rc == 0)
		h->answer = json_incref((json_t *)core_answer(h->core));
	h->no_room = rc < 0 && ((sqlite3_errcode(h->o.db) & 0xff) == SQLITE_FULL || strstr(e->text, "is full") != NULL);
	if (rc < 0 && !h->died && sqlite3_get_autocommit(h->o.db) == 0)
		query_run(h->o.db, &ignored, "ROLLBACK", "");
	for (size_t i = 0; rc == 0 && i < out.count; i++)
		rc = hand_over(h, &out.list[i], e);
	h->asks = false;
	effects_free(&out);
	json_decref(core_alarms(h->core));
	return rc;
}

/* ---- a disk that is full, or fails ---- */
void host_kept_free(struct sim_host *h)
{
	for (size_t i = 0; i < h->kepts; i++)
		free(h->kept[i].text);
	free(h->kept);
	h->kept = NULL;
	h->kepts = 0;
}

/* Not on a full disk: who waits for an answer gets one, an alert stays with its broker, the rest waits for room. */
static int put_off(struct sim_host *h, const struct input *in, struct err *e)
{
	h->put_off = true;
	h->counts.put_off++;
	json_decref(h->answer);
	h->answer = in->kind == INPUT_order ? json_pack("{s:b,s:s}", "ok", 0, "error", "the disk is full: only retractions, veto, hold and cancel are taken") : NULL;
	if (in->kind == INPUT_order || in->kind == INPUT_alert)
		return 0;
	struct kept *more = realloc(h->kept, (h->kepts + 1) * sizeof *more);
	char *text = strndup(in->body ? in->body : "", in->len);
	if (more == NULL || text == NULL) {
		free(text);
		return err_set(e, ERR_MEMORY, "no memory for an input that waits for room");
	}
	h->kept = more;
	h->kept[h->kepts++] = (struct kept){in->kind, in->effect, text};
	return 0;
}

/* A sick store: the process ends; calls that had left arrive, their answers do not. Somebody mends it and starts the engine again. */
static int stop(struct sim_host *h, struct err *e)
{
	struct err why = *e;
	if (++h->stops > 8)
		return err_wrap(e, "the state's disk is never mended");
	*e = (struct err){0};
	if (host_deliver_all(h, false, e) < 0)
		return -1;
	host_kept_free(h);
	h->full = h->died = false;
	core_close(h->core);
	h->core = NULL;
	sqlite3_commit_hook(h->o.db, NULL, NULL);
	if (h->o.disk->reopen(h->o.disk->ctx, &h->o.db, e) < 0)
		return err_wrap(e, "after \"%.120s\"", why.text);
	sqlite3_commit_hook(h->o.db, h->doom.commit > 0 ? host_on_commit : NULL, h);
	h->counts.crashes++;
	h->counts.stops++;
	h->now_us += UTC_MINUTE;
	host_portals_advance(h);
	if (host_start(h, e) < 0)
		return -1;
	h->stops = 0;
	return host_check(h, true, e);
}

/* A power cut in a checkpoint fails no turn, and the process is gone all the same. */
int host_check(struct sim_host *h, bool all, struct err *e)
{
	if (h->o.disk != NULL && h->o.disk->gone(h->o.disk->ctx))
		return stop(h, e);
	if (!h->o.check_every_step)
		return 0;
	return core_check(h->core, all || h->counts.turns % 100 == 0 ? CHECK_ALL : CHECK_TOUCHED, e);
}

static int core_anew(struct sim_host *h, struct err *e)
{
	h->core = h->core ? core_reopen(h->core, e) : core_open(h->o.db, e);
	return h->core == NULL ? -1 : 0;
}

/* The gate `disk`. Where not even that can be written, nothing can be released either. */
static int disk_says(struct sim_host *h, bool full, struct err *e)
{
	const char *text = full ? "{\"verb\":\"disk\",\"full\":true}" : "{\"verb\":\"disk\",\"full\":false}";
	struct input in = {.kind = INPUT_order, .body = text, .len = strlen(text), .uid = 0, .pid = 1};
	if (turn_try(h, &in, e) == 0)
		return 0;
	*e = (struct err){0};
	return core_anew(h, e);
}

/* A turn that failed: the core anew, then its input once more. On a full disk the ballast goes first, and only what stops telescopes
 * or is an answer still goes in. */
static int turn_again(struct sim_host *h, struct input *in, struct err *e)
{
	bool newly_full = h->no_room && !h->full;
	if (newly_full) {
		h->full = true;
		h->counts.fulls++;
		h->o.disk->ballast_free(h->o.disk->ctx);
	}
	*e = (struct err){0};
	if (core_anew(h, e) < 0 || (newly_full && disk_says(h, true, e) < 0))
		return stop(h, e);
	if (h->full && !core_urgent(in))
		return put_off(h, in, e);
	if (h->full && in->kind == INPUT_alert)
		in->offset = -1;
	return turn_try(h, in, e) < 0 ? stop(h, e) : host_check(h, false, e);
}

int host_start_failed(struct sim_host *h, bool died, struct err *e)
{
	return died ? revive(h, -1, e) : h->o.disk != NULL ? stop(h, e) : -1;
}

int host_mended(struct sim_host *h, struct err *e)
{
	if (!h->full || !h->o.disk->has_room(h->o.disk->ctx))
		return 0;
	h->full = false;
	if (disk_says(h, false, e) < 0)
		return stop(h, e);
	int64_t crashes = h->counts.crashes;
	for (int rc = 0; h->kepts > 0 && !h->full && h->counts.crashes == crashes;) {
		struct kept k = h->kept[0];
		memmove(h->kept, h->kept + 1, --h->kepts * sizeof *h->kept);
		struct input in = {.kind = k.kind, .effect = k.effect, .body = k.text, .len = strlen(k.text)};
		rc = host_turn(h, &in, e);
		free(k.text);
		if (rc < 0)
			return -1;
	}
	return host_pump(h, e);
}

int host_turn(struct sim_host *h, struct input *in, struct err *e)
{
	h->put_off = false;
	if (h->full && !core_urgent(in))
		return put_off(h, in, e);
	if (h->full && in->kind == INPUT_alert) /* its position does not move: what waits before it would be lost */
		in->offset = -1;
	int rc = turn_try(h, in, e);
	if (h->died)
		return revive(h, rc, e);
	if (rc < 0)
		return h->o.disk != NULL ? turn_again(h, in, e) : -1;
	if (h->o.disk != NULL && h->counts.turns % 50 == 0 && !h->full) /* as when it is idle */
		sqlite3_wal_checkpoint_v2(h->o.db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	return host_check(h, false, e);
}

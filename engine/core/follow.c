/* Following what was asked: doubts and finds, polls and feeds, cancels until they are confirmed. */
#include "engine/base/json.h"
#include "engine/base/utc.h"
#include "engine/core/turn.h"
#include <string.h>

static void key_of(char out[64], const char *what, int64_t id)
{
	snprintf(out, 64, "%s:%lld", what, (long long)id);
}

/* Nothing may be submitted again until a find has looked. The first look is soon, the rest after visible_delay_s. */
void request_doubt(struct core *c, int64_t id)
{
	char key[64];
	put(c, "UPDATE request SET doubt_tick_us=?,absent_tick_us=NULL,absences=0 WHERE id=?", "ii", c->tick_us, id);
	key_of(key, "find", id);
	timer_set(c, key, "find", id, NULL, UTC_NONE, c->tick_us + 5 * UTC_SECOND);
}

/* The latest moment at which it should have started: an hour after its planned slot, or what is left of its window. */
static int64_t promised_by(const struct core *c, const json_t *r)
{
	json_t *body = json_parse(json_text(r, "body", "{}"));
	int64_t best = json_int(body, "slot_us", json_int(r, "start_us", 0)) + UTC_HOUR, soon = c->utc_us + 10 * UTC_MINUTE;
	int64_t last = json_int(r, "end_us", 0) - (int64_t)(json_number(r, "seconds", 0) * 1e6);
	json_decref(body);
	best = best < soon ? soon : best; /* interrupted, or heard of late: it may still begin */
	return best < last ? best : last;
}

/* How long a feed may rest. Briskly while it can tell anything: an answer or a number is awaited, it runs, or it may begin before the next look at
 * the idle pace. What is scheduled for later, and what waits for its window, is left in peace until then; cancels are confirmed by their own answers. */
static int64_t feed_pause_us(struct core *c, const struct site *s, const char *name)
{
	static const char stirs[] =
		"SELECT 1 FROM request r WHERE facility=?1 AND (state IN ('asked','unsure','running') OR (state='cancelling' AND remote_id IS NULL) OR (state IN ('accepted','scheduled','cancelling') AND "
		"ifnull((SELECT min(start_us) FROM observation o WHERE o.request=r.id AND o.state='scheduled'),start_us)<=?2)) LIMIT 1";
	int64_t active_us = (int64_t)(site_number(s, "poll_s.active", 45) * 1e6), idle_us = (int64_t)(site_number(s, "poll_s.idle", 300) * 1e6);
	return get_int(c, 0, stirs, "ti", name, c->utc_us + idle_us) == 1 ? active_us : idle_us;
}

void request_follow(struct core *c, int64_t id)
{
	char key[64];
	json_t *r = request_load(c, id);
	if (r == NULL)
		return;
	enum life state = request_state(r);
	key_of(key, "find", id);
	timer_drop(c, key);
	key_of(key, "slip", id);
	if (state == LIFE_running) { /* should it be interrupted, it has a new promise */
		timer_drop(c, key);
		put(c, "UPDATE request SET promised_us=NULL WHERE id=?", "i", id);
	} else if (json_int(r, "promised_us", 0) == 0) {
		int64_t promised = promised_by(c, r);
		put(c, "UPDATE request SET promised_us=? WHERE id=?", "ii", promised, id);
		timer_set(c, key, "slip", id, NULL, promised, UTC_NONE);
	}
	const char *facility = json_text(r, "facility", "");
	char feed[96]; /* something lives: the feed is read at its pace from now on */
	snprintf(feed, sizeof feed, "feed:%s", facility);
	int64_t soon = c->tick_us + feed_pause_us(c, site_find(c, facility), facility);
	if (get_int(c, 0, "SELECT due_tick_us FROM timer WHERE key=?", "t", feed) > soon)
		timer_set(c, feed, "feed", 0, facility, UTC_NONE, soon);
	verdict_put(c, json_int(r, "event", 0), json_text(r, "policy_name", ""), json_int(r, "target", 0), "planned", facility, "");
	json_decref(r);
}

void request_cancel(struct core *c, int64_t id)
{
	char key[64];
	json_t *r = request_load(c, id);
	if (r == NULL)
		return;
	const char *facility = json_text(r, "facility", "");
	key_of(key, "cancel", id);
	if (!site_flag(site_find(c, facility), "can_cancel", true)) {
		alarm_raise(c, json_text(r, "token", ""), "cancel", "%s cannot cancel by itself: a person must withdraw request %s (%s)", facility,
			    json_text(r, "remote_id", "?"), json_text(r, "target_name", ""));
	} else if (json_text(r, "remote_id", "")[0] == 0) {
		alarm_raise(c, json_text(r, "token", ""), "cancel", "%s never gave its number: a person must withdraw %s", facility,
			    json_text(r, "token", ""));
		timer_set(c, key, "cancel", id, NULL, UTC_NONE, c->tick_us + UTC_MINUTE); /* the feed may bring it */
	} else if (!effect_pending(c, id, VERB_CANCEL)) {
		effect_call(c, facility, VERB_CANCEL, 0, id, UTC_NONE);
		timer_set(c, key, "cancel", id, NULL, UTC_NONE, c->tick_us + UTC_MINUTE);
	}
	json_decref(r);
}

void requests_poll_singly(struct core *c, const char *name)
{
	static const char live[] = "SELECT id FROM request WHERE facility=? AND remote_id IS NOT NULL AND state IN "
				   "('accepted','scheduled','running','cancelling') ORDER BY id";
	json_t *rows = get_rows(c, live, "t", name), *row;
	size_t i;
	json_array_foreach(rows, i, row)
		if (!effect_pending(c, json_int(row, "id", 0), VERB_POLL))
			effect_call(c, name, VERB_POLL, 0, json_int(row, "id", 0), UTC_NONE);
	json_decref(rows);
}

void facility_poll(struct core *c, const char *name)
{
	static const char pending[] = "SELECT 1 FROM effect WHERE facility=? AND verb='poll' AND +request IS NULL AND state IN ('waiting','released')"; /* by state: few are open */
	char key[96];
	const struct site *s = site_find(c, name);
	if (s == NULL || get_int(c, 0, "SELECT 1 FROM facility WHERE name=? AND adapter<>''", "t", name) == 0)
		return;
	if (!get_int(c, 0, pending, "t", name))
		effect_call(c, name, VERB_POLL, 0, 0, UTC_NONE);
	snprintf(key, sizeof key, "feed:%s", name);
	timer_set(c, key, "feed", 0, name, UTC_NONE, c->tick_us + feed_pause_us(c, s, name));
}

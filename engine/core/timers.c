/* Timers are rows; a timer input fires all that are due. Also the two inputs about time and streams: a clock step, a gap. */
#include "engine/base/json.h"
#include "engine/base/utc.h"
#include "engine/core/turn.h"
#include <stdlib.h>
#include <string.h>

#define DUE_AT_ONCE 500
#define STUCK_US (10 * UTC_MINUTE)

void timer_set(struct core *c, const char *key, const char *what, int64_t subject, const char *detail, int64_t due_utc_us, int64_t due_tick_us)
{
	static const char upsert[] =
		"INSERT INTO timer(key,generation,due_utc_us,due_tick_us,what,subject,detail) VALUES(?1,1,?2,?3,?4,?5,?6) "
		"ON CONFLICT(key) DO UPDATE SET generation=generation+1,due_utc_us=?2,due_tick_us=?3,what=?4,subject=?5,detail=?6";
	put(c, upsert, "tnntit", key, due_utc_us, due_tick_us, what, subject, detail);
}

void timer_drop(struct core *c, const char *key)
{
	put(c, "DELETE FROM timer WHERE key=?", "t", key);
}

static void fire_status(struct core *c, int64_t subject, const char *name)
{
	static const char pending[] = "SELECT 1 FROM effect WHERE facility=? AND verb='status' AND state IN ('waiting','released')";
	static const char gone[] = "SELECT state='gone' FROM facility WHERE name=?";
	char key[96];
	(void)subject;
	if (get_int(c, 1, gone, "t", name))
		return;
	if (!get_int(c, 0, pending, "t", name))
		effect_call(c, name, VERB_STATUS, 0, 0, UTC_NONE);
	snprintf(key, sizeof key, "status:%s", name);
	timer_set(c, key, "status", 0, name, UTC_NONE, c->tick_us + (int64_t)(site_number(site_find(c, name), "poll_s.idle", 300) * 1e6));
}

static void fire_feed(struct core *c, int64_t subject, const char *name)
{
	(void)subject;
	facility_poll(c, name);
}

static void fire_find(struct core *c, int64_t id, const char *detail)
{
	char facility[64];
	(void)detail;
	get_text(c, facility, sizeof facility, "SELECT facility FROM request WHERE id=? AND state='unsure'", "i", id);
	if (facility[0] && !effect_pending(c, id, VERB_FIND))
		effect_call(c, facility, VERB_FIND, 0, id, UTC_NONE);
}

static void fire_offer_wait(struct core *c, int64_t id, const char *detail)
{
	json_t *r = request_load(c, id);
	(void)detail;
	if (r != NULL)
		offers_compare(c, json_int(r, "event", 0), json_int(r, "target", 0), (int)json_int(r, "epoch", 0), true);
	json_decref(r);
}

static void fire_map_wait(struct core *c, int64_t alert, const char *detail)
{
	static const char newest_of[] = "SELECT id FROM event WHERE latest_alert=?";
	(void)detail;
	put(c, "UPDATE fact SET map_state='late' WHERE alert=? AND map_state='wanted'", "i", alert);
	int64_t event = get_int(c, 0, newest_of, "i", alert);
	if (event)
		decide_event(c, event);
}

/* What has not started by its promised time moves to the reserve, once; without a reserve it goes on waiting. */
static void fire_slip(struct core *c, int64_t id, const char *detail)
{
	(void)detail;
	request_slip(c, id, "slipped: not started by its promised time");
}

/* Frames appear over hours: asked again with a growing pause, until a reduced one (level 91 at LCO) is there or a day has passed. */
static void fire_data(struct core *c, int64_t id, const char *detail)
{
	static const char reduced[] = "SELECT 1 FROM data_product WHERE request=? AND (level='reduced' OR CAST(level AS INTEGER)>=90) LIMIT 1";
	int tries = atoi(detail);
	char facility[64], key[64], next[16];
	get_text(c, facility, sizeof facility, "SELECT facility FROM request WHERE id=? AND state='done'", "i", id);
	if (facility[0] == 0 || tries > 20 || get_int(c, 0, reduced, "i", id))
		return;
	if (!effect_pending(c, id, VERB_DATA))
		effect_call(c, facility, VERB_DATA, 0, id, UTC_NONE);
	snprintf(key, sizeof key, "data:%lld", (long long)id);
	snprintf(next, sizeof next, "%d", tries + 1);
	timer_set(c, key, "data", id, next, UTC_NONE, c->tick_us + (int64_t)(tries < 5 ? 1 << tries : 60) * UTC_MINUTE);
}

/* A cancel is repeated until the facility confirms; after five a person is told, and it goes on. */
static void fire_cancel(struct core *c, int64_t id, const char *detail)
{
	json_t *r = request_load(c, id);
	(void)detail;
	if (r != NULL && request_state(r) == LIFE_cancelling) {
		int64_t n = json_int(r, "cancels", 0);
		if (n >= 5)
			alarm_raise(c, json_text(r, "token", ""), "cancel", "%s has not confirmed the cancel of %s (%s) after %lld requests; look there",
				    json_text(r, "facility", ""), json_text(r, "remote_id", "?"), json_text(r, "target_name", ""), (long long)n);
		request_cancel(c, id);
		char key[64];
		snprintf(key, sizeof key, "cancel:%lld", (long long)id);
		timer_set(c, key, "cancel", id, NULL, UTC_NONE, c->tick_us + (n < 5 ? 1 : 10) * UTC_MINUTE);
	}
	json_decref(r);
}

static void fire_downgrade(struct core *c, int64_t event, const char *policy)
{
	static const char still[] = "SELECT 1 FROM gate WHERE kind='downgraded' AND event=? AND policy=? AND lifted_seq IS NULL";
	if (get_int(c, 0, still, "it", event, policy))
		requests_unwant(c, "downgraded", event, NULL, 0, policy, PURPOSES_downgraded);
}

static void fire_watch(struct core *c, int64_t event, const char *detail)
{
	static const char still[] = "SELECT 1 FROM gate WHERE kind='watch' AND event=? AND lifted_seq IS NULL";
	(void)detail;
	if (get_int(c, 0, still, "i", event))
		put(c, "UPDATE event SET state='closed',changed_seq=? WHERE id=? AND state='watch'", "ii", c->seq, event);
}

static void fire_approval(struct core *c, int64_t event, const char *policy)
{
	static const char update[] = "UPDATE gate SET reason='nobody answered: held until a person approves' WHERE kind='approval' AND event=? "
				     "AND policy=? AND lifted_seq IS NULL";
	char name[LIMIT_EVENT_ID + 1];
	get_text(c, name, sizeof name, "SELECT name FROM event WHERE id=?", "i", event);
	put(c, update, "it", event, policy);
	if (!failed(c) && sqlite3_changes(c->db) > 0)
		alarm_raise(c, name, "approval", "nobody answered for policy %s: slew ctl approve %s %s", policy, name, policy);
}

static void fire_replan(struct core *c, int64_t event, const char *detail)
{
	(void)detail;
	want_plan(c, event);
}

static void fire_rerank(struct core *c, int64_t event, const char *detail)
{
	(void)detail;
	want_rank(c, event);
}

static void fire_window(struct core *c, int64_t id, const char *detail)
{
	char key[64];
	json_t *r = request_load(c, id);
	(void)detail;
	if (r == NULL)
		return;
	if (life_class(request_state(r)) == LIFE_CLASS_idle) {
		request_late(c, r);
	} else if (request_state(r) == LIFE_asked) { /* its submit may be waiting to leave again */
		request_unwant(c, id, "its window is over");
	} else if (request_state(r) == LIFE_accepted || request_state(r) == LIFE_scheduled || request_state(r) == LIFE_running) {
		snprintf(key, sizeof key, "window:%lld", (long long)id); /* the feed may have missed its end: ask singly */
		if (json_text(r, "remote_id", "")[0] && !effect_pending(c, id, VERB_POLL))
			effect_call(c, json_text(r, "facility", ""), VERB_POLL, 0, id, UTC_NONE);
		timer_set(c, key, "window", id, NULL, c->utc_us + 30 * UTC_MINUTE, UTC_NONE);
	}
	json_decref(r);
}

/* Looked for when the oldest of what is released will have waited so long; what leaves from now on cannot before its own time. */
static void fire_stuck(struct core *c, int64_t subject, const char *detail)
{
	static const char oldest[] = "SELECT min(released_tick_us) FROM effect WHERE state='released'";
	static const char stuck[] = "SELECT id,kind,facility,verb,compute FROM effect WHERE state='released' AND released_tick_us<? "
				    "ORDER BY +id LIMIT 20"; /* few are open: by their index, not along all that ever were */
	json_t *rows = get_rows(c, stuck, "i", c->tick_us - STUCK_US), *row;
	size_t i;
	(void)subject;
	(void)detail;
	json_array_foreach(rows, i, row) {
		char name[32];
		snprintf(name, sizeof name, "effect %lld", (long long)json_int(row, "id", 0));
		alarm_raise(c, name, "stuck", "%s %s%s has had no answer for ten minutes", json_text(row, "kind", ""),
			    json_text(row, "facility", json_text(row, "compute", "")), json_text(row, "verb", ""));
	}
	json_decref(rows);
	int64_t next_us = get_int(c, c->tick_us, oldest, "") + STUCK_US + 1, soon_us = c->tick_us + UTC_MINUTE;
	timer_set(c, "stuck", "stuck", 0, NULL, UTC_NONE, next_us > soon_us ? next_us : soon_us);
}

static void fire_clock(struct core *c, int64_t subject, const char *detail)
{
	(void)subject;
	(void)detail;
	gate_lift(c, "clock", 0, NULL, 0, NULL);
}

static const struct {
	const char *what;
	void (*fire)(struct core *c, int64_t subject, const char *detail);
} kinds[] = {
	{"status", fire_status}, {"feed", fire_feed}, {"find", fire_find}, {"offer_wait", fire_offer_wait}, {"map_wait", fire_map_wait},
	{"slip", fire_slip}, {"data", fire_data}, {"cancel", fire_cancel}, {"downgrade", fire_downgrade}, {"watch", fire_watch},
	{"approval", fire_approval}, {"replan", fire_replan}, {"window", fire_window}, {"rerank", fire_rerank}, {"stuck", fire_stuck}, {"clock", fire_clock},
};

void on_timer(struct core *c)
{
	static const char due[] = "SELECT key,generation,what,subject,ifnull(detail,'') AS detail FROM timer WHERE due_utc_us<=?1 OR due_tick_us<=?2 "
				  "ORDER BY max(ifnull(?1-due_utc_us,0),ifnull(?2-due_tick_us,0)) DESC,key LIMIT ?3";
	static const char take[] = "DELETE FROM timer WHERE key=? AND generation=?";
	json_t *rows = get_rows(c, due, "iii", c->utc_us, c->tick_us, (int64_t)DUE_AT_ONCE), *row;
	size_t i;
	json_array_foreach(rows, i, row) {
		put(c, take, "ti", json_text(row, "key", ""), json_int(row, "generation", 0));
		if (failed(c) || sqlite3_changes(c->db) == 0)
			continue; /* set anew, or dropped, by one that fired before it */
		for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++)
			if (strcmp(kinds[k].what, json_text(row, "what", "")) == 0)
				kinds[k].fire(c, json_int(row, "subject", 0), json_text(row, "detail", ""));
	}
	json_decref(rows);
}

void on_clock(struct core *c, const struct input *in)
{
	struct err e = {0};
	json_t *body = json_read(in->body, in->len, &json_limits_config, &e);
	int64_t step_us = json_int(body, "step_us", 0);
	if (body == NULL)
		refuse_for(c, "clock", &e);
	else {
		gate_open(c, "clock", 0, NULL, 0, NULL, UTC_NONE, "the wall clock jumped");
		timer_set(c, "clock", "clock", 0, NULL, UTC_NONE, c->tick_us + UTC_MINUTE);
		alarm_raise(c, "clock", "step", "the wall clock jumped by %lld ms; submissions wait for a minute without a jump", (long long)(step_us / 1000));
	}
	json_decref(body);
}

void on_gap(struct core *c, const struct input *in)
{
	struct err e = {0};
	json_t *body = json_read(in->body, in->len, &json_limits_config, &e);
	if (body == NULL)
		refuse_for(c, "gap", &e);
	else
		alarm_raise(c, json_text(body, "topic", "?"), json_text(body, "what", "gap"),
			    "source %s, partition %lld: %lld to %lld could not be read; ask the broker's archive for them", json_text(body, "source", "?"),
			    (long long)json_int(body, "partition", 0), (long long)json_int(body, "from", 0), (long long)json_int(body, "to", 0));
	json_decref(body);
}

/* Results of computations: a map's facts, a ranking, a plan. A result of an older generation changes nothing, the third stale plan does. */
#include "engine/base/json.h"
#include "engine/base/utc.h"
#include "engine/core/turn.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void map_result(struct core *c, const json_t *job, const json_t *result)
{
	const char *sha = json_text(job, "sha256", ""), *error = json_text(result, "error", NULL);
	if (error != NULL) {
		put(c, "UPDATE skymap SET state='failed',error=? WHERE sha256=?", "tt", error, sha);
		alarm_raise(c, sha, "map", "the sky map could not be read: %s", error);
	} else {
		char *text = json_compact(result);
		put(c, "UPDATE skymap SET state='ready',summary=?,error=NULL WHERE sha256=?", "tt", text, sha);
		free(text);
	}
	facts_store_map(c, sha);
	event_decided_maps(c, sha);
}

void target_put(struct core *c, int64_t event, int64_t generation, const char *kind, const json_t *t)
{
	static const char upsert[] =
		"INSERT INTO target(event,key,kind,name,ra_deg,dec_deg,distance_mpc,distance_err_mpc,rank,dpdv_per_mpc3,share,cumulative_share,generation,"
		"probability) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT(event,key) DO UPDATE SET name=excluded.name,ra_deg=excluded.ra_deg,"
		"dec_deg=excluded.dec_deg,distance_mpc=excluded.distance_mpc,distance_err_mpc=excluded.distance_err_mpc,rank=excluded.rank,"
		"dpdv_per_mpc3=excluded.dpdv_per_mpc3,share=excluded.share,cumulative_share=excluded.cumulative_share,generation=excluded.generation,"
		"probability=excluded.probability";
	double ra = json_number(t, "ra_deg", NAN), dec = json_number(t, "dec_deg", NAN);
	if (json_text(t, "key", "")[0] == 0 || isnan(ra) || isnan(dec))
		refuse(c, "ranking: a target without key or position");
	put(c, upsert, "itttddddndddid", event, json_text(t, "key", ""), kind, json_text(t, "name", ""), ra, dec, json_number(t, "distance_mpc", NAN),
	    json_number(t, "distance_err_mpc", NAN), json_int(t, "rank", UTC_NONE), json_number(t, "dpdv_per_mpc3", NAN), json_number(t, "share", NAN),
	    json_number(t, "cumulative_share", NAN), generation, json_number(t, "probability", NAN));
}

/* Every target has a verdict from the moment that it is one; those that dropped out of the ranking are below the cut. */
static void rank_verdicts(struct core *c, int64_t event, int64_t generation, bool plain)
{
	static const char believers[] = "SELECT policy FROM decision WHERE event=? AND state IN ('warm','triggered') ORDER BY policy";
	static const char fresh[] = "INSERT INTO verdict(event,policy,target,code,seq) SELECT ?1,?2,t.id,'candidate',?3 FROM target t WHERE t.event=?1 "
				    "AND t.generation=?4 ON CONFLICT(event,policy,ifnull(target,0)) DO UPDATE SET code='candidate',detail='',seq=?3 "
				    "WHERE code='below_cut'";
	static const char dropped[] = "UPDATE verdict SET code='below_cut',detail='dropped out of the ranking',seq=?2 WHERE event=?1 AND target IN "
				      "(SELECT id FROM target WHERE event=?1 AND generation<?3 AND pinned=0) AND code NOT IN ('below_cut','observed','planned')";
	json_t *rows = get_rows(c, believers, "i", event), *row;
	size_t i;
	json_array_foreach(rows, i, row)
		if (plain)
			put(c, fresh, "itii", event, json_text(row, "policy", ""), c->seq, generation);
	if (json_array_size(rows) == 0)
		put(c, fresh, "itii", event, "", c->seq, generation);
	put(c, dropped, "iii", event, c->seq, generation);
	json_decref(rows);
}

/* A believed event that has nothing to observe says why. */
static void rank_empty(struct core *c, int64_t event, const char *code, const char *why)
{
	static const char believers[] = "SELECT policy FROM decision WHERE event=? AND state IN ('warm','triggered') ORDER BY policy";
	json_t *rows = get_rows(c, believers, "i", event), *row;
	size_t i;
	json_array_foreach(rows, i, row)
		verdict_put(c, event, json_text(row, "policy", ""), 0, code, NULL, why);
	json_decref(rows);
}

/* Of this computation of this event (and policy), how many failed since one did not. */
static int64_t failures_in_a_row(struct core *c, const char *kind, int64_t event, const char *policy)
{
	static const char in_a_row[] =
		"SELECT count(*) FROM effect WHERE compute=?1 AND event=?2 AND ifnull(policy,'')=?3 AND state='done' AND outcome<>'ok' "
		"AND id>(SELECT ifnull(max(id),0) FROM effect WHERE compute=?1 AND event=?2 AND ifnull(policy,'')=?3 AND outcome='ok')";
	return get_int(c, 1, in_a_row, "tit", kind, event, policy);
}

/* A worker that had a bad day is asked again, twice: after five minutes and after thirty. */
static void tried_again(struct core *c, const char *kind, const char *timer, int64_t event, const char *policy, const char *subject, const char *error)
{
	int64_t failures = failures_in_a_row(c, kind, event, policy), minutes = failures < 2 ? 5 : 30;
	char key[64];
	if (failures > 2) {
		alarm_raise(c, subject, kind, "no %s could be made, three times in a row: %s; the next alert, order or change of a facility tries anew", kind, error);
		return;
	}
	alarm_raise(c, subject, kind, "no %s could be made: %s; tried again in %lld minutes", kind, error, (long long)minutes);
	snprintf(key, sizeof key, "%s-again:%lld", kind, (long long)event);
	timer_set(c, key, timer, event, NULL, UTC_NONE, c->tick_us + minutes * UTC_MINUTE);
}

static void rank_result(struct core *c, int64_t event, int64_t generation, const json_t *job, const json_t *result)
{
	const char *error = json_text(result, "error", NULL);
	int64_t wanted = get_int(c, 0, "SELECT generation_rank FROM event WHERE id=?", "i", event);
	char name[LIMIT_EVENT_ID + 1];
	if (generation < wanted)
		return;
	get_text(c, name, sizeof name, "SELECT name FROM event WHERE id=?", "i", event);
	if (error != NULL) {
		tried_again(c, "rank", "rerank", event, "", name, error);
		rank_empty(c, event, "unread_map", error);
		want_plan(c, event); /* by the ranking of before, if there is one */
		return;
	}
	alarm_clear(c, name, "rank");
	if (want_rank_again(c, event, job))
		return;
	put(c, "UPDATE event SET outside=? WHERE id=?", "di", json_number(result, "outside", NAN), event);
	const json_t *list = json_object_get(result, "targets"), *fields = json_object_get(result, "fields"), *t;
	size_t i;
	if (json_array_size(list) > LIMIT_RANKED || json_array_size(fields) > LIMIT_RANKED)
		alarm_raise(c, name, "limit", "a ranking of %zu galaxies and %zu frames: the first %d of each are kept", json_array_size(list),
			    json_array_size(fields), LIMIT_RANKED);
	else
		alarm_clear(c, name, "limit");
	json_array_foreach(list, i, t)
		if (i < LIMIT_RANKED)
			target_put(c, event, generation, "galaxy", t);
	fields_result(c, event, generation, fields);
	if (json_array_size(list) == 0 && json_array_size(fields) == 0)
		rank_empty(c, event, "below_cut", "no galaxy of the catalogue lies in the map");
	if (fields != NULL)
		fields_verdicts(c, event, generation);
	rank_verdicts(c, event, generation, fields == NULL);
	want_plan(c, event);
}

static bool in_plan(const json_t *requests, const char *key, int epoch)
{
	const json_t *r;
	size_t i;
	json_array_foreach(requests, i, r)
		if (strcmp(json_text(r, "target", ""), key) == 0 && json_int(r, "epoch", 0) == epoch)
			return true;
	return false;
}

static bool still_wanted(const json_t *verdicts, const char *key)
{
	const json_t *v;
	size_t i;
	json_array_foreach(verdicts, i, v)
		if (strcmp(json_text(v, "target", ""), key) == 0)
			return strcmp(json_text(v, "code", ""), "exists") == 0 || strcmp(json_text(v, "code", ""), "observed") == 0;
	return false;
}

/* Unwanted and not asked: cancelled. Asked to scheduled: kept, unless the policy says `replan: cancel`. Running: always kept. */
static void plan_withdraw(struct core *c, int64_t event, const char *policy, const struct policy *p, const json_t *result)
{
	static const char mine[] = "SELECT r.id,t.key,r.epoch,r.state FROM request r JOIN target t ON t.id=r.target JOIN policy y ON y.id=r.policy "
				   "WHERE r.event=? AND y.name=? AND r.unwanted=0 AND r.purpose='search' AND r.state IN "
				   "('planned','offered','held','asked','unsure','accepted','scheduled') ORDER BY r.id";
	static const char held[] = "SELECT 1 FROM request r JOIN gate g ON g.facility=r.facility AND (g.event IS NULL OR g.event=r.event) WHERE r.id=? AND "
				   "g.kind='hold' AND g.lifted_seq IS NULL";
	json_t *rows = get_rows(c, mine, "it", event, policy), *row;
	size_t i;
	json_array_foreach(rows, i, row) {
		const char *key = json_text(row, "key", "");
		enum life state = request_state(row);
		if (in_plan(json_object_get(result, "requests"), key, (int)json_int(row, "epoch", 0)))
			continue;
		bool sent = life_is_live(state);
		if (sent && (!p->replan_cancel || still_wanted(json_object_get(result, "verdicts"), key)))
			continue;
		if (state == LIFE_held && still_wanted(json_object_get(result, "verdicts"), key))
			continue; /* the reserve of one that lives */
		if (!sent && get_int(c, 0, held, "i", json_int(row, "id", 0)))
			continue; /* the plan could not know it: a hold withdraws nothing */
		request_unwant(c, json_int(row, "id", 0), "the new plan does without it");
	}
	json_decref(rows);
}

/* Wanted and existing: untouched. Wanted and new: planned. One row per facility, so that the reserve is offered beside the first. */
static void plan_enter(struct core *c, int64_t event, const char *policy, const json_t *requests)
{
	static const char existing[] = "SELECT 1 FROM request WHERE event=?1 AND target=?2 AND epoch=?3 AND (state IN "
				       "('asked','unsure','accepted','scheduled','running','cancelling','done') OR (facility=?4 AND state IN "
				       "('planned','offered','held'))) LIMIT 1";
	int64_t policy_id = 0;
	rule_current(c, policy, &policy_id);
	if (json_array_size(requests) > LIMIT_PLAN_REQUESTS)
		alarm_raise(c, policy, "limit", "a plan of %zu requests: the first %d are taken", json_array_size(requests), LIMIT_PLAN_REQUESTS);
	const json_t *r;
	size_t i;
	json_array_foreach(requests, i, r) {
		int epoch = (int)json_int(r, "epoch", 1);
		int64_t target = get_int(c, 0, "SELECT id FROM target WHERE event=? AND key=?", "it", event, json_text(r, "target", ""));
		if (target == 0 || i >= LIMIT_PLAN_REQUESTS)
			continue;
		if (get_int(c, 0, existing, "iiit", event, target, (int64_t)epoch, json_text(r, "facility", "")) == 0 &&
		    request_make(c, event, target, policy_id, r, epoch) != 0)
			verdict_put(c, event, policy, target, "planned", json_text(r, "facility", ""), "");
	}
}

void plan_apply(struct core *c, int64_t event, const char *policy, const json_t *result)
{
	static const char own[] = "SELECT 1 FROM request WHERE event=? AND target=? LIMIT 1";
	const struct policy *p = rule_current(c, policy, NULL);
	if (p == NULL)
		return;
	const json_t *verdicts = json_object_get(result, "verdicts"), *v;
	size_t i;
	json_array_foreach(verdicts, i, v) {
		int64_t target = get_int(c, 0, "SELECT id FROM target WHERE event=? AND key=?", "it", event, json_text(v, "target", ""));
		const char *code = json_text(v, "code", "below_cut");
		if (target && strcmp(code, "exists") != 0)
			verdict_put(c, event, policy, target, code, json_text(v, "facility", NULL), json_text(v, "detail", ""));
		else if (target && get_int(c, 0, own, "ii", event, target) == 0)
			verdict_put(c, event, policy, target, code, NULL, "asked for by another name");
	}
	plan_withdraw(c, event, policy, p, result);
	plan_enter(c, event, policy, json_object_get(result, "requests"));
	char key[64]; /* later epochs open beyond the horizon, facilities and nights change */
	snprintf(key, sizeof key, "replan:%lld", (long long)event);
	timer_set(c, key, "replan", event, NULL, c->utc_us + 6 * UTC_HOUR, UTC_NONE);
}

static void plan_result(struct core *c, const json_t *effect, const json_t *result)
{
	int64_t event = json_int(effect, "event", 0), generation = json_int(effect, "generation", 0);
	const char *policy = json_text(effect, "policy", ""), *error = json_text(result, "error", NULL);
	static const char may[] = "SELECT e.generation_plan FROM event e JOIN decision d ON d.event=e.id WHERE e.id=? AND d.policy=? "
				  "AND d.state='triggered' AND e.state NOT IN ('retracted','closed')";
	static const char stale[] = "UPDATE decision SET stale_plans=? WHERE event=? AND policy=?";
	static const char stale_of[] = "SELECT stale_plans FROM decision WHERE event=? AND policy=?";
	int64_t wanted = get_int(c, -1, may, "it", event, policy);
	if (wanted < 0)
		return;
	if (error != NULL) {
		tried_again(c, "plan", "replan", event, policy, policy, error);
		return;
	}
	alarm_clear(c, policy, "plan");
	if (json_text(result, "warning", NULL) != NULL)
		alarm_raise(c, "plan", "covered", "what others have completed is not known: %s", json_text(result, "warning", ""));
	else
		alarm_clear(c, "plan", "covered");
	int64_t before = get_int(c, 0, stale_of, "it", event, policy);
	if (generation < wanted && before < 2) {
		put(c, stale, "iit", before + 1, event, policy);
		return;
	}
	put(c, stale, "iit", (int64_t)0, event, policy);
	plan_apply(c, event, policy, result);
}

void result_failed(struct core *c, const json_t *effect, const char *reason)
{
	const char *kind = json_text(effect, "compute", "");
	json_t *result = json_pack("{s:s}", "error", reason);
	must_memory(result != NULL);
	if (strcmp(kind, "rank") == 0)
		rank_result(c, json_int(effect, "event", 0), json_int(effect, "generation", 0), NULL, result);
	else if (strcmp(kind, "plan") == 0)
		plan_result(c, effect, result);
	json_decref(result);
}

static void message_result(struct core *c, int64_t effect, const json_t *result)
{
	json_t *body = get_json(c, "SELECT body FROM effect WHERE id=?", "i", effect);
	put(c, "UPDATE message_out SET state=? WHERE id=?", "ti", json_flag(result, "ok", false) ? "sent" : "failed", json_int(body, "message", 0));
	json_decref(body);
}

void on_result(struct core *c, const struct input *in)
{
	static const struct json_limits limits = {.bytes = LIMIT_TEXT, .tokens = 2000000, .depth = LIMIT_JSON_DEPTH};
	struct err e = {0};
	json_t *row = get_row(c, "SELECT * FROM effect WHERE id=? AND kind<>'call'", "i", in->effect);
	if (row == NULL) {
		refuse(c, "result of effect %lld: there is no such computation", (long long)in->effect);
		return;
	}
	json_t *result = json_read(in->body, in->len, &limits, &e), *job = json_parse(json_text(row, "body", "{}"));
	const char *kind = json_text(row, "compute", "message");
	if (!json_is_object(result))
		short_of_memory(c, &e) ? (void)0 :
			refuse(c, "result of effect %lld: %s", (long long)in->effect, result ? "not an object" : e.text);
	else if (strcmp(json_text(row, "state", ""), "released") == 0) {
		effect_close(c, in->effect, "done", json_text(result, "error", "ok"));
		if (strcmp(kind, "map") == 0)
			map_result(c, job, result);
		else if (strcmp(kind, "rank") == 0)
			rank_result(c, json_int(row, "event", 0), json_int(row, "generation", 0), job, result);
		else if (strcmp(kind, "plan") == 0)
			plan_result(c, row, result);
		else
			message_result(c, in->effect, result);
	}
	json_decref(job);
	json_decref(result);
	json_decref(row);
}

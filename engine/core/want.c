/* Heavy work that is wanted: per event and kind one is in flight and one waits; what waits is replaced, never queued. */
#include "engine/base/json.h"
#include "engine/base/utc.h"
#include "engine/core/turn.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define REFUSED_US (6 * UTC_HOUR) /* as long as until the next plan by the clock */
#define SAME_DEG 0.001                /* 3.6 arcsec: positions of one galaxy in two catalogues */
#define RANKED_AGAIN 2                /* in a row, for frames that were asked meanwhile */

static void want(struct core *c, int64_t event, const char *kind, const char *policy, int64_t generation, const char *job)
{
	static const char replace[] = "UPDATE effect SET generation=?,body=?,seq=? WHERE state='waiting' AND kind='compute' AND compute=? "
				      "AND event=? AND ifnull(policy,'')=ifnull(?,'')";
	static const char insert[] = "INSERT INTO effect(seq,kind,state,once,event,policy,compute,generation,body) "
				     "VALUES(?,'compute','waiting',0,?,?,?,?,?)";
	put(c, replace, "ititit", generation, job, c->seq, kind, event, policy);
	if (!failed(c) && sqlite3_changes(c->db) == 0)
		put(c, insert, "iittit", c->seq, event, policy, kind, generation, job);
}

void want_map(struct core *c, int64_t event, const char *sha256)
{
	static const char insert[] = "INSERT INTO effect(seq,kind,state,once,event,compute,generation,body) "
				     "SELECT ?,'compute','waiting',0,id,'map',generation_map,? FROM event WHERE id=?";
	put(c, "INSERT INTO skymap(sha256,state) VALUES(?,'wanted')", "t", sha256);
	put(c, "UPDATE event SET generation_map=generation_map+1 WHERE id=?", "i", event);
	json_t *job = json_pack("{s:s,s:s}", "kind", "map", "sha256", sha256);
	char *text = json_compact(job);
	put(c, insert, "iti", c->seq, text, event);
	free(text);
	json_decref(job);
}

/* One ranking serves all policies of an event: the first policy's weight, the longest list, the widest cut. */
static json_t *rank_job(struct core *c, int64_t event)
{
	static const char believers[] = "SELECT p.id FROM decision d JOIN policy p ON p.name=d.policy AND p.current=1 "
					"WHERE d.event=? AND d.state IN ('warm','triggered') ORDER BY p.name";
	static const char map_of[] = "SELECT a.map_sha256 FROM alert a JOIN fact f ON f.alert=a.id WHERE a.event=? AND f.map_state='ready' "
				     "AND a.type<>'RETRACTION' ORDER BY a.time_created_us DESC,a.type_rank DESC,a.sha256 DESC LIMIT 1";
	static const char catalog[] = "SELECT catalog_sha256 FROM config ORDER BY seq DESC LIMIT 1";
	char map[65], cat[65];
	const char *weight = NULL;
	double probability = 0;
	int top = 0;
	get_text(c, map, sizeof map, map_of, "i", event);
	get_text(c, cat, sizeof cat, catalog, "");
	json_t *rows = get_rows(c, believers, "i", event), *row, *fields = json_array();
	size_t i;
	json_array_foreach(rows, i, row) {
		const struct policy *p = rule_find(c, json_int(row, "id", 0));
		if (p == NULL || p->top <= 0)
			continue;
		if (p->footprint[0]) {
			fields_want(c, event, p, cat[0] != 0, fields);
			continue;
		}
		weight = weight ? weight : p->weight;
		top = p->top > top ? p->top : top;
		probability = isnan(p->probability) || isnan(probability) ? NAN : fmax(probability, p->probability);
	}
	json_t *job = NULL;
	if (weight != NULL && map[0] && cat[0] == 0)
		alarm_raise(c, "catalogue", "missing", "an event is believed and there is no galaxy catalogue in the configuration: nothing can be ranked");
	if (weight != NULL && map[0] && cat[0])
		job = json_pack("{s:s,s:s,s:s,s:s,s:i,s:o,s:s}", "kind", "rank", "sha256", map, "weight", weight, "distance_error", "catalogue", "top",
				top > LIMIT_RANKED ? LIMIT_RANKED : top, "probability", json_real_or_null(probability), "catalog", cat);
	if (job == NULL && map[0] && json_array_size(fields) > 0) /* frames alone */
		job = json_pack("{s:s,s:s,s:s,s:s,s:i,s:n,s:s?}", "kind", "rank", "sha256", map, "weight", "none", "distance_error", "catalogue", "top", 0,
				"probability", "catalog", cat[0] ? cat : NULL);
	if (job != NULL && json_array_size(fields) > 0)
		json_object_set(job, "fields", fields);
	json_decref(fields);
	json_decref(rows);
	return job;
}

static void rank_want(struct core *c, int64_t event, const json_t *job)
{
	put(c, "UPDATE event SET generation_rank=generation_rank+1 WHERE id=?", "i", event);
	char *text = json_compact(job);
	want(c, event, "rank", NULL, get_int(c, 0, "SELECT generation_rank FROM event WHERE id=?", "i", event), text);
	free(text);
}

void want_rank(struct core *c, int64_t event)
{
	json_t *job = rank_job(c, event);
	if (job != NULL)
		rank_want(c, event, job);
	json_decref(job);
}

bool want_rank_again(struct core *c, int64_t event, const json_t *done)
{
	int64_t again = json_int(done, "again", 0);
	if (json_object_get(done, "fields") == NULL || again >= RANKED_AGAIN)
		return false;
	json_t *job = rank_job(c, event);
	bool wanted = job != NULL && fields_asked_since(done, job);
	if (wanted) {
		json_object_set_new(job, "again", json_integer(again + 1));
		rank_want(c, event, job);
	}
	json_decref(job);
	return wanted;
}

/* The last job was another one, or there was none. ranked: it was this one, and it is done. */
static bool rank_is_new(struct core *c, int64_t event, const json_t *job, bool *ranked)
{
	static const char last[] = "SELECT body,state FROM effect WHERE event=? AND compute='rank' AND state<>'dropped' ORDER BY id DESC LIMIT 1";
	char *text = json_compact(job);
	json_t *row = get_row(c, last, "i", event);
	bool new = row == NULL || (strcmp(json_text(row, "body", ""), text) != 0 && !fields_same_job(json_text(row, "body", ""), text));
	*ranked = !new && strcmp(json_text(row, "state", ""), "done") == 0;
	json_decref(row);
	free(text);
	return new;
}

void event_warm(struct core *c, int64_t event)
{
	bool ranked = false;
	json_t *job = rank_job(c, event);
	if (job != NULL && rank_is_new(c, event, job, &ranked))
		rank_want(c, event, job);
	else if (ranked)
		want_plan(c, event); /* as an early warning or for another policy */
	json_decref(job);
}

void want_rank_changed(struct core *c, int64_t event)
{
	bool ranked;
	json_t *job = rank_job(c, event);
	if (job != NULL && rank_is_new(c, event, job, &ranked))
		rank_want(c, event, job);
	json_decref(job);
}

void want_plan(struct core *c, int64_t event)
{
	static const char triggered[] = "SELECT d.policy FROM decision d JOIN event e ON e.id=d.event WHERE d.event=? AND d.state='triggered' "
					"AND e.state NOT IN ('retracted','closed') ORDER BY d.policy";
	static const char watched[] = "SELECT 1 FROM gate WHERE kind='watch' AND event=? AND lifted_seq IS NULL";
	static const char targets[] = "SELECT count(*) FROM target WHERE event=?";
	static const char vetoed[] = "SELECT 1 FROM gate WHERE kind='veto' AND event=? AND facility IS NULL AND target IS NULL AND lifted_seq IS NULL";
	static const char ranking[] = "SELECT 1 FROM effect WHERE event=? AND compute='rank' AND state IN ('waiting','released') LIMIT 1";
	if (get_int(c, 0, watched, "i", event) || get_int(c, 0, vetoed, "i", event) || get_int(c, 0, targets, "i", event) == 0)
		return;
	if (get_int(c, 0, ranking, "i", event)) /* its answer wants a plan, too */
		return;
	json_t *rows = get_rows(c, triggered, "i", event), *row;
	size_t i;
	if (json_array_size(rows) > 0)
		put(c, "UPDATE event SET generation_plan=generation_plan+1 WHERE id=?", "i", event);
	int64_t generation = get_int(c, 0, "SELECT generation_plan FROM event WHERE id=?", "i", event);
	json_array_foreach(rows, i, row) {
		const char *name = json_text(row, "policy", "");
		const struct policy *p = rule_current(c, name, NULL);
		if (p != NULL && p->observes)
			want(c, event, "plan", name, generation, NULL);
	}
	json_decref(rows);
}

void want_plans(struct core *c)
{
	json_t *rows = get_rows(c, "SELECT DISTINCT event FROM decision WHERE state='triggered' ORDER BY event", ""), *row;
	size_t i;
	json_array_foreach(rows, i, row)
		want_plan(c, json_int(row, "event", 0));
	json_decref(rows);
}

/* Of the newest ranking; of the last one that could be made where that failed. */
static json_t *job_targets(struct core *c, int64_t event, const struct policy *p)
{
	static const char best[] =
		"SELECT key,name,ra_deg,dec_deg,share,distance_mpc,pinned,probability FROM target t WHERE event=?1 AND (pinned=1 OR kind='candidate' OR "
		"generation=(SELECT CASE (SELECT outcome FROM effect WHERE event=?1 AND compute='rank' AND state<>'dropped' ORDER BY id DESC LIMIT 1) "
		"WHEN 'ok' THEN generation_rank ELSE (SELECT max(generation) FROM target WHERE event=?1) END FROM event WHERE id=?1)) AND NOT EXISTS (SELECT 1 FROM gate WHERE kind='veto' "
		"AND lifted_seq IS NULL AND event=?1 AND target=t.id) AND CASE kind WHEN 'field' THEN ?3<>'' AND rtrim(key,'0123456789')=?3 "
		"WHEN 'galaxy' THEN ?3='' AND rank IS NOT NULL OR pinned=1 ELSE 1 END ORDER BY pinned DESC,ifnull(rank,0),id LIMIT ?2";
	char prefix[64] = "";
	if (p->footprint[0])
		fields_prefix(p, prefix, sizeof prefix);
	json_t *rows = get_rows(c, best, "iit", event, (int64_t)(p->top > 0 ? p->top : 60), prefix), *row;
	size_t i;
	json_array_foreach(rows, i, row)
		json_object_set_new(row, "pinned", json_boolean(json_int(row, "pinned", 0) == 1));
	return rows;
}

/* What its last status said beside open or closed: instruments and filters that it does not offer, sites that are shut. */
static void facility_today(json_t *row)
{
	json_t *detail = json_parse(json_text(row, "detail", "{}")), *shut = json_array(), *off = json_object_get(detail, "off"), *state;
	const char *site;
	json_object_foreach(json_object_get(detail, "sites"), site, state)
		if (json_is_string(state) && strcmp(json_string_value(state), "closed") == 0)
			json_array_append_new(shut, json_string(site));
	if (json_array_size(off) > 0)
		json_object_set(row, "off", off);
	if (json_array_size(shut) > 0)
		json_object_set(row, "shut", shut);
	json_object_del(row, "detail");
	json_decref(shut);
	json_decref(detail);
}

static json_t *job_facilities(struct core *c, int64_t event)
{
	static const char usable[] = "SELECT f.name,f.state,f.detail FROM facility f WHERE f.state<>'gone' AND (f.accepts_tests=1 OR "
				     "(SELECT is_test FROM event WHERE id=?1)='[]') AND NOT EXISTS (SELECT 1 FROM gate WHERE lifted_seq IS NULL "
				     "AND kind IN ('veto','hold') AND facility=f.name AND target IS NULL AND (event IS NULL OR event=?1)) "
				     "ORDER BY f.name";
	json_t *rows = get_rows(c, usable, "i", event), *row;
	size_t i;
	json_array_foreach(rows, i, row) {
		const struct site *s = site_find(c, json_text(row, "name", ""));
		json_object_set(row, "descriptor", s ? s->descriptor : NULL);
		facility_today(row);
	}
	return rows;
}

static json_t *left_of(double budget_h, double spent_s)
{
	return isnan(budget_h) ? json_null() : json_real(fmax(0, budget_h - spent_s / 3600));
}

/* A galaxy that dropped out, and stands again where it did: another catalogue calls it otherwise. The same request is there for both names. */
static void existing_renamed(struct core *c, const json_t *row, json_t *more)
{
	static const char there[] = "SELECT n.key FROM target n JOIN target t ON n.event=t.event AND n.generation>t.generation WHERE t.id=?1 AND "
				    "n.kind='galaxy' AND abs(n.dec_deg-t.dec_deg)<?2 AND min(abs(n.ra_deg-t.ra_deg),360-abs(n.ra_deg-t.ra_deg))<?3 ORDER BY n.id";
	double width_deg = SAME_DEG / fmax(cos(json_number(row, "dec_deg", 0) * M_PI / 180), SAME_DEG);
	json_t *names = get_rows(c, there, "idd", json_int(row, "dropped_out", 0), SAME_DEG, width_deg), *name;
	size_t i;
	json_array_foreach(names, i, name) {
		json_t *same = json_copy((json_t *)(uintptr_t)row);
		json_object_set(same, "target", json_object_get(name, "key"));
		json_array_append_new(more, same);
	}
	json_decref(names);
}

/* What lives or is done, with when it took place (or is expected to) and how deep the plan expected it to be. */
static json_t *job_existing(struct core *c, int64_t event)
{
	static const char existing[] =
		"SELECT t.key AS target,CASE WHEN t.kind='galaxy' AND t.generation<(SELECT generation_rank FROM event WHERE id=?1) THEN t.id END AS dropped_out,"
		"t.dec_deg,r.epoch,r.state,r.body,(SELECT min(o.start_us) FROM observation o WHERE o.request=r.id AND o.state IN "
		"('scheduled','running','done')) AS time_us FROM request r JOIN target t ON t.id=r.target WHERE r.event=?1 AND "
		"r.state IN ('asked','unsure','accepted','scheduled','running','cancelling','done') ORDER BY r.id";
	json_t *rows = get_rows(c, existing, "i", event), *more = json_array(), *row;
	size_t i;
	json_array_foreach(rows, i, row) {
		json_t *body = json_parse(json_text(row, "body", "{}"));
		json_object_del(row, "body");
		if (!json_is_integer(json_object_get(row, "time_us")))
			json_object_set(row, "time_us", json_object_get(body, "slot_us"));
		if (json_object_get(body, "limit_mag") != NULL) {
			json_object_set(row, "filters", json_object_get(body, "filters"));
			json_object_set(row, "limit_mag", json_object_get(body, "limit_mag"));
		}
		json_decref(body);
		if (json_int(row, "dropped_out", 0) != 0)
			existing_renamed(c, row, more);
	}
	json_array_extend(rows, more);
	json_decref(more);
	json_array_foreach(rows, i, row) {
		json_object_del(row, "dropped_out");
		json_object_del(row, "dec_deg");
	}
	return rows;
}

/* What the light depends on: the newest revision's classification. */
static json_t *job_source(struct core *c, int64_t event)
{
	static const char newest[] = "SELECT f.p_bns,f.p_nsbh,f.has_remnant FROM alert a JOIN fact f ON f.alert=a.id WHERE a.event=? AND a.type<>'RETRACTION' "
				     "ORDER BY a.time_created_us DESC,a.type_rank DESC,a.sha256 DESC LIMIT 1";
	json_t *row = get_row(c, newest, "i", event);
	return row ? row : json_null();
}

json_t *plan_job(struct core *c, int64_t event, const char *policy)
{
	static const char booked[] =
		"SELECT r.facility,coalesce(o.site,json_extract(r.body,'$.site'),'') AS site,coalesce(o.start_us,json_extract(r.body,'$.slot_us'),r.start_us) AS slot_us,"
		"r.seconds AS duration_s,t.ra_deg,t.dec_deg FROM request r JOIN target t ON t.id=r.target LEFT JOIN observation o ON o.request=r.id AND o.state IN ('scheduled','running') "
		"WHERE r.state IN ('asked','unsure','accepted','scheduled','running') AND r.end_us>?1 ORDER BY slot_us,r.id LIMIT ?2";
	/* refused to the end of the ladder there, by these rules, and nothing taken there since (what was withdrawn without an answer says nothing): for
	 * a while it is another facility's turn */
	static const char refused[] =
		"SELECT DISTINCT t.key AS target,r.epoch,r.facility FROM request r JOIN target t ON t.id=r.target WHERE r.event=?1 AND r.policy=?2 AND "
		"r.state='declined' AND r.created_us>?3 AND NOT EXISTS (SELECT 1 FROM request o WHERE o.event=r.event AND o.target=r.target AND o.epoch=r.epoch "
		"AND o.facility=r.facility AND o.id>r.id AND (o.state NOT IN ('declined','cancelled') OR o.submits>0 OR EXISTS "
		"(SELECT 1 FROM offer f WHERE f.request=o.id AND f.outcome='accepted'))) ORDER BY r.id";
	char name[LIMIT_EVENT_ID + 1];
	int64_t policy_id = 0;
	const struct policy *p = rule_current(c, policy, &policy_id);
	if (p == NULL || failed(c))
		return NULL;
	get_text(c, name, sizeof name, "SELECT name FROM event WHERE id=? AND state NOT IN ('retracted','closed')", "i", event);
	if (name[0] == 0)
		return NULL;
	int64_t event_us = get_int(c, UTC_NONE, "SELECT time_us FROM event WHERE id=? AND time_us IS NOT NULL", "i", event);
	return json_pack("{s:s,s:s,s:o,s:I,s:o,s:i,s:o,s:O,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o*}", "kind", "plan", "event", name, "source", job_source(c, event),
			 "now_us", (json_int_t)c->utc_us,
			 "event_us", event_us == UTC_NONE ? json_null() : json_integer(event_us), "horizon_h", 24, "targets", job_targets(c, event, p), "policy", p->body, "facilities", job_facilities(c, event), "programmes",
			 programmes_of_event(c, event, p), "event_left_h", left_of(p->budget_event_h, policy_spent_s(c, event, policy, INT64_MIN + 1)),
			 "night_left_h", left_of(p->budget_night_h, policy_spent_s(c, 0, policy, c->utc_us - 24 * UTC_HOUR) -
			 (p->replaces ? 3600 * replaceable_h(c, event, &(struct purse){"", "", policy}) : 0)), "existing",
			 job_existing(c, event), "refused", get_rows(c, refused, "iii", event, policy_id, c->utc_us - REFUSED_US), "booked",
			 get_rows(c, booked, "ii", c->utc_us, (int64_t)LIMIT_PLAN_REQUESTS / 2), "semester_left_h",
			 isnan(p->budget_semester_h) ? NULL : left_of(p->budget_semester_h, policy_semester_s(c, policy)));
}

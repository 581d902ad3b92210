/* Programmes and their rules: rows of the configuration, the gate of a request, and what a plan is told. Hours and triggers: budget.c. */
#include "engine/base/json.h"
#include "engine/base/utc.h"
#include "engine/core/turn.h"
#include "engine/request/programme.h"
#include "engine/request/when.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The entry without what has a column of its own. */
static json_t *rules_of_entry(const json_t *entry)
{
	static const char *const columns[] = {"name", "facility", "proposal", "hours", "triggers"};
	json_t *rules = json_copy((json_t *)(uintptr_t)entry);
	for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
		json_object_del(rules, columns[i]);
	return rules;
}

static void blocked_put(struct core *c, const char *programme, const struct programme_rules *r)
{
	static const char insert[] = "INSERT INTO programme_blocked(programme,site,start_us,end_us) VALUES(?,?,?,?) ON CONFLICT DO NOTHING";
	char facility[64];
	put(c, "DELETE FROM programme_blocked WHERE programme=?", "t", programme);
	get_text(c, facility, sizeof facility, "SELECT facility FROM programme WHERE name=?", "t", programme);
	json_t *descriptor = r->blocked_count ? get_json(c, "SELECT descriptor FROM facility WHERE name=?", "t", facility) : NULL, *site;
	size_t k;
	json_array_foreach(json_object_get(descriptor, "sites"), k, site)
		for (size_t i = 0; i < r->blocked_count; i++) {
			double east = json_number(site, "longitude_deg", NAN);
			put(c, insert, "ttii", programme, json_text(site, "code", ""), programme_night_begins(r->blocked[i].first, east) - 6 * UTC_HOUR,
			    programme_night_begins(r->blocked[i].last, east) + 18 * UTC_HOUR);
		}
	json_decref(descriptor);
}

void programme_rules_put(struct core *c, const json_t *entry)
{
	static const char update[] = "UPDATE programme SET rules_seq=CASE WHEN rules=?2 AND triggers IS ?3 THEN rules_seq ELSE ?4 END,rules=?2,triggers=?3,from_us=?5 "
				     "WHERE name=?1";
	const char *name = json_text(entry, "name", "");
	struct programme_rules r;
	struct err e = {0};
	struct when *w = NULL;
	if (programme_rules_read(entry, &r, &e) < 0 || (r.reserve_for != NULL && (w = when_compile(r.reserve_for, &e)) == NULL)) {
		refuse(c, "configuration: programme %.63s: %s", name, e.text);
		return;
	}
	when_free(w);
	json_t *rules = rules_of_entry(entry), *rows = get_rows(c, "SELECT mode FROM programme_hours WHERE programme=? ORDER BY mode", "t", name), *row;
	char *text = json_compact(rules);
	size_t i;
	put(c, update, "ttnin", name, text, json_int(entry, "triggers", UTC_NONE), c->seq, r.from_us);
	json_array_foreach(rows, i, row) {
		const char *mode = json_text(row, "mode", "");
		put(c, "UPDATE programme_hours SET triggers=? WHERE programme=? AND mode=?", "itt", (int64_t)programme_mode_triggers(rules, mode), name, mode);
	}
	blocked_put(c, name, &r);
	free(text);
	json_decref(rows);
	json_decref(rules);
}

/* NULL: it has none. */
static json_t *rules_of(struct core *c, const char *programme)
{
	return get_json(c, "SELECT rules FROM programme WHERE name=? AND rules<>'{}'", "t", programme);
}

/* Of the site where the plan expects it; of the facility's first, where the plan names none. */
static double longitude_of(struct core *c, const json_t *request)
{
	const struct site *s = site_find(c, json_text(request, "facility", ""));
	json_t *body = json_parse(json_text(request, "body", "{}")), *sites = s ? json_object_get(s->descriptor, "sites") : NULL, *x;
	double east = json_number(json_array_get(sites, 0), "longitude_deg", NAN);
	size_t i;
	json_array_foreach(sites, i, x)
		if (strcmp(json_text(x, "code", ""), json_text(body, "site", "-")) == 0)
			east = json_number(x, "longitude_deg", NAN);
	json_decref(body);
	return east;
}

/* One of the persons who may trigger it has approved; asked for, where none has. */
static bool person_triggers(struct core *c, const json_t *request, const json_t *rules, char *why, size_t size)
{
	const json_t *uids = json_object_get(json_object_get(rules, "may_trigger"), "uids"), *uid, *by;
	const char *programme = json_text(request, "programme", ""), *policy = json_text(request, "policy_name", ""), *event_name = json_text(request, "event_name", "");
	int64_t event = json_int(request, "event", 0);
	char reason[128];
	size_t i, k;
	if (!json_is_array(uids) || !programme_mode_counts(c, programme, json_text(request, "mode", "")))
		return true;
	json_t *list = get_json(c, "SELECT approved_by FROM decision WHERE event=? AND policy=? AND approved=1", "it", event, policy);
	bool found = false;
	json_array_foreach(list, i, by)
		json_array_foreach(uids, k, uid)
			found |= json_is_integer(by) && json_integer_value(by) == json_integer_value(uid);
	json_decref(list);
	if (found || failed(c))
		return !failed(c);
	snprintf(reason, sizeof reason, "programme %s is triggered by persons alone, and none of them has approved", programme);
	snprintf(why, size, "approval: %s", reason);
	gate_open(c, "approval", event, NULL, 0, policy, UTC_NONE, reason);
	say(c, event, "approval", "policy %s, %s: %s (may_trigger.uids): slew ctl approve %s %s", policy, event_name, reason, event_name, policy);
	return false;
}

/* What a programme of that facility has against this policy; "" when nothing. */
static void policy_declined(struct core *c, const char *facility, const json_t *rules, const struct policy *p, char *why, size_t size)
{
	const struct site *s = site_find(c, facility);
	why[0] = '\0';
	if (!programme_of_policy(rules, p->name))
		snprintf(why, size, "policy %.60s may not trigger it", p->name);
	else
		(void)programme_data_too_closed(rules, s ? s->descriptor : NULL, json_text(p->body, "data_access", NULL), why, size);
}

bool programme_pass(struct core *c, const json_t *request, char *why, size_t size)
{
	const char *programme = json_text(request, "programme", "");
	const struct policy *p = rule_find(c, json_int(request, "policy", 0));
	json_t *rules = rules_of(c, programme);
	struct programme_rules r;
	struct err e = {0};
	char sentence[128] = "";
	if (programme_rules_read(rules, &r, &e) < 0) {
		snprintf(sentence, sizeof sentence, "its rules cannot be read");
	} else if (rules != NULL) {
		const struct programme_visit v = {json_int(request, "start_us", 0), json_int(request, "end_us", 0), json_number(request, "seconds", 0),
			longitude_of(c, request), c->utc_us};
		(void)programme_visit_fits(&r, &v, sentence, sizeof sentence);
	}
	if (sentence[0] == '\0' && p != NULL)
		policy_declined(c, json_text(request, "facility", ""), rules, p, sentence, sizeof sentence);
	if (sentence[0] != '\0')
		snprintf(why, size, "programme: %s: %s", programme, sentence);
	bool pass = sentence[0] == '\0' && (rules == NULL || person_triggers(c, request, rules, why, size));
	json_decref(rules);
	return pass && !failed(c);
}

double request_charge_s(struct core *c, const json_t *request, double seconds)
{
	json_t *rules = rules_of(c, json_text(request, "programme", ""));
	struct programme_rules r;
	struct err e = {0};
	if (rules != NULL && programme_rules_read(rules, &r, &e) == 0) {
		json_t *body = json_parse(json_text(request, "body", "{}"));
		size_t filters = json_array_size(json_object_get(body, "filters"));
		double exposure_s = json_number(body, "exposure_s", seconds) * json_number(body, "count", 1) * (double)(filters ? filters : 1);
		seconds = programme_charge_s(&r, seconds, exposure_s);
		json_decref(body);
	}
	json_decref(rules);
	return seconds;
}

bool ledger_charge(struct core *c, int64_t request, enum life state)
{
	static const char of[] = "SELECT programme FROM request WHERE id=?";
	static const char observed[] = "UPDATE ledger SET seconds=min(seconds,max(?2,o.took)) FROM (SELECT total(end_us-start_us)/1e6 AS took FROM observation "
				       "WHERE request=?1 AND state='done') o WHERE ledger.request=?1 AND o.took>0";
	static const char lost[] = "UPDATE ledger SET state='spent',seq=?2 WHERE request=?1 AND state<>'returned' AND EXISTS (SELECT 1 FROM request_change WHERE request=?1 "
				   "AND to_state IN ('accepted','scheduled'))";
	char programme[256];
	bool paid = false;
	if (state != LIFE_done && state != LIFE_failed && state != LIFE_expired)
		return false;
	get_text(c, programme, sizeof programme, of, "i", request);
	json_t *rules = rules_of(c, programme);
	struct programme_rules r;
	struct err e = {0};
	if (rules != NULL && programme_rules_read(rules, &r, &e) == 0) {
		if (state == LIFE_done && r.charge_observed)
			put(c, observed, "id", request, r.charge_minimum_s);
		else if (state != LIFE_done && r.charge_lost) {
			put(c, lost, "ii", request, c->seq);
			paid = !failed(c) && sqlite3_changes(c->db) > 0;
		}
	}
	json_decref(rules);
	return paid;
}

/* Some of it is kept for better events, and this is not known to be one: fills r, gives the rules (which r borrows). NULL: nothing is kept from it. */
static json_t *kept_from(struct core *c, const char *programme, int64_t event, struct programme_rules *r)
{
	json_t *rules = rules_of(c, programme), *owner = NULL;
	struct err e = {0};
	struct facts f;
	bool better = rules == NULL || programme_rules_read(rules, r, &e) < 0 || r->reserve_for == NULL;
	struct when *w = better ? NULL : when_compile(r->reserve_for, &e);
	if (w != NULL && facts_load(c, get_int(c, 0, "SELECT ifnull(latest_alert,0) FROM event WHERE id=?", "i", event), &f, &owner))
		better = when_evaluate(w, &f, &e) == 1;
	json_decref(owner);
	when_free(w);
	if (!better)
		return rules;
	json_decref(rules);
	return NULL;
}

double programme_left_for_h(struct core *c, const char *programme, const char *mode, int64_t event)
{
	static const char used[] = "SELECT total(seconds)/3600 FROM ledger_counted WHERE programme=? AND mode=? AND event=?";
	static const char given[] = "SELECT hours FROM programme_hours WHERE programme=? AND mode=?";
	struct programme_rules r;
	double left_h = programme_left_h(c, programme, mode);
	json_t *rules = kept_from(c, programme, event, &r);
	if (rules != NULL)
		left_h = programme_share(&r, get_double(c, 0, given, "tt", programme, mode), left_h, get_double(c, 0, used, "tti", programme, mode, event), c->utc_us);
	json_decref(rules);
	return left_h;
}

int programme_triggers_for(struct core *c, const char *programme, int64_t event)
{
	struct programme_rules r;
	int left = programme_triggers_left(c, programme);
	json_t *rules = left > 0 ? kept_from(c, programme, event, &r) : NULL;
	if (rules != NULL) {
		double given = get_double(c, 0, "SELECT triggers FROM programme WHERE name=?", "t", programme);
		double share = programme_share(&r, given, left, programme_paid(c, programme, event), c->utc_us);
		left = share > 0 ? (int)(share + 1e-9) : 0;
	}
	json_decref(rules);
	return left;
}

json_t *programmes_of_event(struct core *c, int64_t event, const struct policy *p)
{
	json_t *rows = get_rows(c, "SELECT name,facility,hours,rules FROM programme WHERE state='active' ORDER BY name", ""), *row;
	size_t i;
	json_array_foreach(rows, i, row) {
		const char *name = json_text(row, "name", ""), *mode;
		json_t *hours = json_parse(json_text(row, "hours", "{}")), *rules = json_parse(json_text(row, "rules", "{}")), *value, *left = json_object();
		json_object_foreach(hours, mode, value)
			json_object_set_new(left, mode, json_real(fmax(0, programme_left_for_h(c, name, mode, event)) +
				(p->replaces ? replaceable_h(c, event, &(struct purse){name, mode, ""}) : 0)));
		int triggers = programme_triggers_for(c, name, event);
		struct programme_rules r;
		char declined[128];
		json_object_set_new(row, "left_h", left);
		json_object_set_new(row, "triggers_left", triggers < 0 ? json_null() : json_integer(triggers));
		json_object_del(row, "hours");
		json_object_del(row, "rules");
		if (triggers == 0)
			json_object_set_new(row, "paid", json_boolean(programme_paid(c, name, event)));
		if (json_object_size(rules) > 0)
			json_object_set(row, "rules", rules);
		policy_declined(c, json_text(row, "facility", ""), rules, p, declined, sizeof declined);
		if (declined[0] != '\0')
			json_object_set_new(row, "declined", json_string(declined));
		json_t *kept = kept_from(c, name, event, &r);
		if (kept != NULL)
			json_object_set_new(row, "kept", json_string(r.reserve_for));
		json_decref(kept);
		json_decref(rules);
		json_decref(hours);
	}
	return rows;
}

/* Programmes and their rules: rows of the configuration, the gate of a request, and what a plan is told. Hours and triggers: budget.c. */
#include "engine/base/json.h"
#include "engine/base/utc.h"
#include "engine/core/turn.h"
#include "engine/request/programme.h"
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
	if (programme_rules_read(entry, &r, &e) < 0) {
		refuse(c, "configuration: programme %.63s: %s", name, e.text);
		return;
	}
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

bool programme_pass(struct core *c, const json_t *request, char *why, size_t size)
{
	const char *programme = json_text(request, "programme", "");
	json_t *rules = get_json(c, "SELECT rules FROM programme WHERE name=? AND rules<>'{}'", "t", programme);
	struct programme_rules r;
	struct err e = {0};
	char sentence[128];
	bool fits = rules == NULL;
	if (rules != NULL && programme_rules_read(rules, &r, &e) == 0) {
		const struct programme_visit v = {json_int(request, "start_us", 0), json_int(request, "end_us", 0), json_number(request, "seconds", 0),
			longitude_of(c, request), c->utc_us};
		fits = programme_visit_fits(&r, &v, sentence, sizeof sentence);
		if (fits && !programme_of_policy(rules, json_text(request, "policy_name", ""))) {
			snprintf(sentence, sizeof sentence, "policy %.60s may not trigger it", json_text(request, "policy_name", ""));
			fits = false;
		}
	} else if (rules != NULL) {
		snprintf(sentence, sizeof sentence, "its rules cannot be read");
	}
	if (!fits)
		snprintf(why, size, "programme: %s: %s", programme, sentence);
	fits = fits && (rules == NULL || person_triggers(c, request, rules, why, size));
	json_decref(rules);
	return fits && !failed(c);
}

json_t *programmes_of_event(struct core *c, int64_t event, const struct policy *p)
{
	json_t *rows = get_rows(c, "SELECT name,facility,hours,rules FROM programme WHERE state='active' ORDER BY name", ""), *row;
	size_t i;
	json_array_foreach(rows, i, row) {
		const char *name = json_text(row, "name", ""), *mode;
		json_t *hours = json_parse(json_text(row, "hours", "{}")), *rules = json_parse(json_text(row, "rules", "{}")), *value, *left = json_object();
		json_object_foreach(hours, mode, value)
			json_object_set_new(left, mode, json_real(fmax(0, programme_left_h(c, name, mode))));
		int triggers = programme_triggers_left(c, name);
		json_object_set_new(row, "left_h", left);
		json_object_set_new(row, "triggers_left", triggers < 0 ? json_null() : json_integer(triggers));
		json_object_del(row, "hours");
		json_object_del(row, "rules");
		if (triggers == 0)
			json_object_set_new(row, "paid", json_boolean(programme_paid(c, name, event)));
		if (json_object_size(rules) > 0)
			json_object_set(row, "rules", rules);
		if (!programme_of_policy(rules, p->name))
			json_object_set_new(row, "declined", json_sprintf("policy %s may not trigger it", p->name));
		json_decref(rules);
		json_decref(hours);
	}
	return rows;
}

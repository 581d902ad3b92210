/* The configuration is an input like any other: policies, facilities and programmes become rows; what disappears is held, never forgotten. */
#include "engine/base/hash.h"
#include "engine/base/json.h"
#include "engine/base/utc.h"
#include "engine/core/turn.h"
#include <stdlib.h>
#include <string.h>

#define NOT_CONFIGURED "not in the configuration"

static void store_put(struct core *c, const char *installation)
{
	char id[33], have[16];
	if (strlen(installation) != 8 || strspn(installation, "0123456789abcdef") != 8) {
		refuse(c, "configuration: installation id \"%.40s\": not 8 hex digits", installation);
		return;
	}
	get_text(c, have, sizeof have, "SELECT installation FROM store", "");
	if (have[0] == 0) {
		for (int i = 0; i < 16; i++)
			snprintf(id + 2 * i, 3, "%02x", c->random[i]);
		put(c, "INSERT INTO store(one,id,installation,created_us) VALUES(1,?,?,?)", "tti", id, installation, c->utc_us);
	} else if (strcmp(have, installation) != 0) {
		refuse(c, "configuration: installation id %s, but this state's is %s: tokens would change; give the state's own", installation, have);
		return;
	}
	snprintf(c->installation, sizeof c->installation, "%s", installation);
	snprintf(c->prefix, sizeof c->prefix, "slew-%.8s-", installation);
}

static bool policies_put(struct core *c, const json_t *list)
{
	static const char upsert[] = "INSERT INTO policy(name,sha256,body,seq,current) VALUES(?,?,?,?,1) "
				     "ON CONFLICT(name,sha256) DO UPDATE SET current=1";
	int64_t before = get_int(c, 0, "SELECT count(*) FROM policy", "");
	int64_t were = get_int(c, 0, "SELECT total(id) FROM policy WHERE current=1", "");
	put(c, "UPDATE policy SET current=0", "");
	size_t i;
	json_t *body;
	json_array_foreach(list, i, body) {
		struct err e = {0};
		struct policy *p = policy_compile(body, &e);
		if (p == NULL) {
			char where[48];
			snprintf(where, sizeof where, "configuration: policy %zu", i);
			refuse_for(c, where, &e);
			return false;
		}
		char *text = json_compact(body), sha256[65];
		hash_sha256_hex(text, strlen(text), sha256);
		put(c, upsert, "ttti", p->name, sha256, text, c->seq);
		free(text);
		policy_free(p);
	}
	return get_int(c, 0, "SELECT count(*) FROM policy", "") != before ||
	       get_int(c, 0, "SELECT total(id) FROM policy WHERE current=1", "") != were;
}

static void facility_put(struct core *c, const json_t *f)
{
	static const char upsert[] =
		"INSERT INTO facility(name,adapter,state,accepts_tests,descriptor,changed_seq) VALUES(?1,?2,'unknown',?3,?4,?5) "
		"ON CONFLICT(name) DO UPDATE SET adapter=?2,accepts_tests=?3,descriptor=?4,"
		"state=CASE state WHEN 'gone' THEN 'unknown' ELSE state END,changed_seq=?5";
	static const char lift[] = "UPDATE gate SET lifted_seq=? WHERE kind='hold' AND facility=? AND event IS NULL AND reason=? "
				   "AND lifted_seq IS NULL";
	const char *name = json_text(f, "name", "");
	const json_t *descriptor = json_object_get(f, "descriptor");
	const char *adapter = json_text(descriptor, "adapter", "");
	if (name[0] == 0 || strlen(name) >= 64 || !json_is_object(descriptor)) {
		refuse(c, "configuration: a facility needs a name of 1 to 63 characters and a descriptor");
		return;
	}
	if (facility_find(adapter) == NULL) {
		refuse(c, "configuration: facility %s: this program has no adapter \"%.40s\"", name, adapter);
		return;
	}
	char *text = json_compact(descriptor), key[96];
	put(c, upsert, "ttiti", name, adapter, (int64_t)json_flag(f, "accepts_tests", false), text, c->seq);
	free(text);
	put(c, lift, "itt", c->seq, name, NOT_CONFIGURED);
	snprintf(key, sizeof key, "status:%s", name);
	timer_set(c, key, "status", 0, name, UTC_NONE, c->tick_us);
	snprintf(key, sizeof key, "feed:%s", name);
	timer_set(c, key, "feed", 0, name, UTC_NONE, c->tick_us + 5 * UTC_SECOND);
}

static bool listed(const json_t *list, const char *name)
{
	size_t i;
	json_t *x;
	json_array_foreach(list, i, x)
		if (strcmp(json_text(x, "name", ""), name) == 0)
			return true;
	return false;
}

static void facilities_put(struct core *c, const json_t *list)
{
	static const char held[] = "SELECT 1 FROM gate WHERE kind='hold' AND facility=? AND event IS NULL AND lifted_seq IS NULL";
	size_t i;
	json_t *x;
	json_array_foreach(list, i, x)
		facility_put(c, x);
	json_t *rows = get_rows(c, "SELECT name FROM facility WHERE state<>'gone' ORDER BY name", "");
	json_array_foreach(rows, i, x) {
		const char *name = json_text(x, "name", "");
		if (listed(list, name))
			continue;
		put(c, "UPDATE facility SET state='gone',changed_seq=? WHERE name=?", "it", c->seq, name);
		if (!get_int(c, 0, held, "t", name)) /* a person's hold stays a person's */
			gate_open(c, "hold", 0, name, 0, NULL, UTC_NONE, NOT_CONFIGURED);
	}
	json_decref(rows);
}

/* When they were lowered is kept: what was asked before that was asked by the hours of then. */
static void hours_put(struct core *c, const char *programme, json_t *hours)
{
	static const char upsert[] = "INSERT INTO programme_hours(programme,mode,hours,since_seq) VALUES(?1,?2,?3,0) ON CONFLICT DO UPDATE SET "
				     "since_seq=CASE WHEN excluded.hours<hours THEN ?4 ELSE since_seq END,hours=excluded.hours";
	const char *mode;
	json_t *value, *rows = get_rows(c, "SELECT mode FROM programme_hours WHERE programme=? ORDER BY mode", "t", programme), *row;
	size_t i;
	json_array_foreach(rows, i, row)
		if (json_object_get(hours, json_text(row, "mode", "")) == NULL)
			put(c, upsert, "ttdi", programme, json_text(row, "mode", ""), 0.0, c->seq);
	json_decref(rows);
	json_object_foreach(hours, mode, value)
		put(c, upsert, "ttdi", programme, mode, json_number_value(value), c->seq);
}

static void programmes_put(struct core *c, const json_t *list)
{
	static const char upsert[] = "INSERT INTO programme(name,facility,proposal,hours,triggers,state) VALUES(?1,?2,?3,?4,?5,'active') "
				     "ON CONFLICT(name) DO UPDATE SET facility=?2,proposal=?3,hours=?4,state='active'";
	static const char other[] = "DELETE FROM hours_refused WHERE programme IN (SELECT name FROM programme WHERE name=?1 AND (facility<>?2 OR proposal<>?3 "
				    "OR hours<>?4))"; /* that was said of the old one */
	put(c, "UPDATE programme SET state='gone'", "");
	size_t i;
	json_t *x;
	json_array_foreach(list, i, x) {
		const char *facility = json_text(x, "facility", "");
		if (get_int(c, 0, "SELECT 1 FROM facility WHERE name=? AND state<>'gone'", "t", facility) == 0) {
			refuse(c, "configuration: programme %.63s: no facility \"%.63s\" is configured", json_text(x, "name", ""), facility);
			return;
		}
		char *hours = json_is_object(json_object_get(x, "hours")) ? json_compact(json_object_get(x, "hours")) : strdup("{}");
		put(c, other, "tttt", json_text(x, "name", ""), facility, json_text(x, "proposal", ""), hours);
		put(c, upsert, "ttttn", json_text(x, "name", ""), facility, json_text(x, "proposal", ""), hours, json_int(x, "triggers", UTC_NONE));
		free(hours);
		hours_put(c, json_text(x, "name", ""), json_object_get(x, "hours"));
		programme_rules_put(c, x);
	}
}

/* What is still young. */
static void young_each(struct core *c, void (*look)(struct core *, int64_t event))
{
	static const char young[] = "SELECT id FROM event WHERE state IN ('heard','triggered','watch','downgraded') "
				    "AND latest_alert IN (SELECT id FROM alert WHERE received_us>?) ORDER BY id";
	json_t *rows = get_rows(c, young, "i", c->utc_us - 3 * UTC_DAY);
	size_t i;
	json_t *x;
	json_array_foreach(rows, i, x)
		look(c, json_int(x, "id", 0));
	json_decref(rows);
}

void on_config(struct core *c, const struct input *in)
{
	static const char insert[] = "INSERT INTO config(seq,sha256,catalog_sha256,body) VALUES(?,?,?,?)";
	static const struct json_limits limits = {.bytes = LIMIT_TEXT, .tokens = 2000000, .depth = LIMIT_JSON_DEPTH};
	struct err e = {0};
	json_t *body = json_read(in->body, in->len, &limits, &e);
	if (body == NULL) {
		refuse_for(c, "configuration", &e);
		return;
	}
	char sha256[65];
	const char *catalog = json_text(json_object_get(body, "catalog"), "sha256", NULL);
	char *text = json_compact(body);
	hash_sha256_hex(text, strlen(text), sha256);
	put(c, insert, "ittt", c->seq, sha256, catalog, text);
	free(text);
	store_put(c, json_text(body, "installation", ""));
	facilities_put(c, json_object_get(body, "facilities"));
	programmes_put(c, json_object_get(json_object_get(body, "config"), "programmes"));
	bool changed = !failed(c) && policies_put(c, json_object_get(body, "policies"));
	gate_lift(c, "disk", 0, NULL, 0, NULL); /* there is room for a configuration */
	timer_set(c, "stuck", "stuck", 0, NULL, UTC_NONE, c->tick_us + UTC_MINUTE);
	if (failed(c)) {
		json_decref(body);
		return;
	}
	rules_free(c);
	rules_load(c);
	sweep_begin(c, json_flag(body, "restored", false));
	if (changed) /* new rules look anew; requests that live keep the policy they were made under */
		young_each(c, decide_event);
	if (catalog != NULL)
		alarm_clear(c, "catalogue", "missing");
	young_each(c, want_rank_changed);
	json_decref(body);
}

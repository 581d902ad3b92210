/* Gates: rows that are asked when an offer or a submit wants to leave; an open row is a closed gate. */
#include "engine/base/json.h"
#include "engine/base/utc.h"
#include "engine/core/turn.h"
#include <string.h>

void gate_open(struct core *c, const char *kind, int64_t event, const char *facility, int64_t target, const char *policy, int64_t due_us,
	       const char *reason)
{
	static const char insert[] =
		"INSERT INTO gate(kind,event,facility,target,policy,reason,due_us,opened_seq) VALUES(?,?,?,?,?,?,?,?) ON CONFLICT DO UPDATE "
		"SET reason=excluded.reason";
	put(c, insert, "tntnttni", kind, event ? event : UTC_NONE, facility, target ? target : UTC_NONE, policy, reason, due_us, c->seq);
}

bool gate_lift(struct core *c, const char *kind, int64_t event, const char *facility, int64_t target, const char *policy)
{
	static const char lift[] = "UPDATE gate SET lifted_seq=?1 WHERE lifted_seq IS NULL AND kind=?2 AND ifnull(event,0)=?3 "
				   "AND ifnull(facility,'')=?4 AND ifnull(target,0)=?5 AND ifnull(policy,'')=?6";
	put(c, lift, "ititit", c->seq, kind, event, facility ? facility : "", target, policy ? policy : "");
	return !failed(c) && sqlite3_changes(c->db) > 0;
}

static bool tests_allowed(struct core *c, const json_t *request, char *why, size_t size)
{
	static const char reasons[] = "SELECT is_test FROM event WHERE id=?";
	static const char accepts[] = "SELECT accepts_tests FROM facility WHERE name=?";
	char text[512];
	get_text(c, text, sizeof text, reasons, "i", json_int(request, "event", 0));
	if (strcmp(text, "[]") == 0)
		return true;
	const struct policy *p = rule_find(c, json_int(request, "policy", 0));
	if (p != NULL && p->tests && get_int(c, 0, accepts, "t", json_text(request, "facility", "")))
		return true;
	snprintf(why, size, "test: the event is a test and policy or facility refuse tests");
	return false;
}

/* Spectra and monitoring of an event that was retracted, or found to be a test, ask a person: each policy once, by the gate of approvals. */
static bool person_agrees(struct core *c, const json_t *request, char *why, size_t size)
{
	static const char taken_back[] = "SELECT CASE kind WHEN 'test' THEN 'found to be a test' ELSE kind END FROM gate WHERE kind IN ('retracted','test') AND event=? "
					 "AND lifted_seq IS NULL ORDER BY kind LIMIT 1";
	static const char approved[] = "SELECT approved FROM decision WHERE event=? AND policy=?";
	int64_t event = json_int(request, "event", 0);
	const char *purpose = json_text(request, "purpose", ""), *policy = json_text(request, "policy_name", "");
	const char *name = json_text(request, "event_name", "");
	if (strcmp(purpose, "spectrum") != 0 && strcmp(purpose, "monitor") != 0)
		return true;
	char was[32], reason[96];
	get_text(c, was, sizeof was, taken_back, "i", event);
	if (was[0] == 0 || get_int(c, 0, approved, "it", event, policy))
		return true;
	snprintf(why, size, "approval: the alert was %s", was);
	snprintf(reason, sizeof reason, "the alert was %s: spectra and monitoring wait for a person", was);
	gate_open(c, "approval", event, NULL, 0, policy, UTC_NONE, reason);
	say(c, event, "approval", "%s was %s, and policy %s wants a %s of %s: slew ctl approve %s %s, or slew ctl veto %s", name, was, policy, purpose,
	    json_text(request, "target_name", "?"), name, policy, name);
	return false;
}

bool gate_pass(struct core *c, const json_t *request, bool submit, char *why, size_t size)
{
	static const char closed[] =
		"SELECT kind||': '||reason FROM gate WHERE lifted_seq IS NULL AND kind<>'budget' AND (event IS NULL OR event=?1) "
		"AND (facility IS NULL OR facility=?2) AND (target IS NULL OR target=?3) AND (policy IS NULL OR policy=?4) "
		"AND (kind NOT IN ('retracted','test') OR ?5 IN ('search','reference','vet')) "
		"AND (kind<>'downgraded' OR ?5 IN ('search','reference')) ORDER BY id LIMIT 1"; /* at once; its due_us is when what lives becomes unwanted */
	why[0] = 0;
	get_text(c, why, size, closed, "ititt", json_int(request, "event", 0), json_text(request, "facility", ""),
		 json_int(request, "target", 0), json_text(request, "policy_name", ""), json_text(request, "purpose", ""));
	if (why[0] || failed(c))
		return false;
	if (!tests_allowed(c, request, why, size) || !person_agrees(c, request, why, size))
		return false;
	if (strcmp(json_text(request, "programme_state", ""), "active") != 0) {
		snprintf(why, size, "hold: programme %s is not in the configuration any more", json_text(request, "programme", ""));
		return false;
	}
	if (json_int(request, "end_us", 0) - (int64_t)(json_number(request, "seconds", 0) * 1e6) < c->utc_us) { /* a disk may have been full for hours */
		snprintf(why, size, "late: its visit does not fit into the rest of its window");
		return false;
	}
	return programme_pass(c, request, why, size) && (!submit || budget_pass(c, request, why, size));
}

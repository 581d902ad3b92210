/* The night that dies and fails: see canonical.h. */
#include "canonical.h"
#include "embedded.h"
#include "test.h"
#include "engine/base/json.h"
#include "engine/base/query.h"
#include "engine/core/core.h"
#include "sim/alert_write.h"

#define EVENT "S261124a"

static void messages_make(struct canonical *c, struct err *e)
{
	const struct text *fits;
	assert_ok(sim_stage_map(c->stage, EVENT, EVENT, &fits, e), e);
	struct sim_alert a = {.event = EVENT, .type = "PRELIMINARY", .created_us = CANONICAL_START_US,
		.event_us = CANONICAL_START_US - 40 * UTC_SECOND, .far_hz = 1e-12, .significant = true, .instruments = "H1,L1,V1",
		.pipeline = "gstlal", .search = "AllSky", .p_bns = 0.95, .p_terrestrial = 0.05, .has_ns = 1, .has_remnant = 1,
		.map = fits->data, .map_len = fits->len};
	c->message[0].max = c->message[1].max = 4u << 20;
	c->at_us[0] = a.created_us;
	assert_ok(sim_alert_write(&a, &c->message[0], e), e);
	a.type = "RETRACTION";
	a.created_us = c->at_us[1] = CANONICAL_START_US + 70 * UTC_SECOND;
	a.map = NULL;
	assert_ok(sim_alert_write(&a, &c->message[1], e), e);
}

void canonical_make(struct canonical *c)
{
	struct err e = {0};
	char scratch[64];
	snprintf(scratch, sizeof scratch, "/tmp/slew-canonical-%d.fits", (int)getpid());
	c->stage = sim_stage_new(7, scratch, &e);
	unlink(scratch);
	if (c->stage == NULL)
		fail_msg("%s", e.text);
	messages_make(c, &e);
	const struct catalog *catalog = sim_stage_catalog(c->stage);
	json_t *policy = embedded_json("policies/bns-near.json"), *lco = embedded_json("facilities/lco.json");
	json_object_set_new(json_object_get(policy, "targets"), "top", json_integer(4));
	while (json_array_size(json_object_get(policy, "observe")) > 1)
		json_array_remove(json_object_get(policy, "observe"), 1);
	json_object_set_new(json_array_get(json_object_get(policy, "observe"), 0), "exposure_s", json_integer(20));
	c->setup = json_pack("{s:{s:s},s:[{s:s,s:{s:f,s:f,s:f},s:f}],s:i,s:O,s:[{s:s,s:i,s:i,s:s}]}", "tokens", "night-token", "bot",
		"proposals", "id", "TOO2026B", "hours", "NORMAL", 20.0, "TIME_CRITICAL", 10.0, "RAPID_RESPONSE", 10.0, "ipp_h", 5.0, "cycle_s", 30,
		"descriptor", lco, "faults", "on", "POST /api/requestgroups/", "nth", 2, "count", 1, "what", "drop_after");
	c->config = json_pack("{s:s,s:{s:[{s:s,s:s}],s:[{s:s,s:s,s:s,s:{s:f,s:f,s:f},s:i}],s:[s]},s:[o],s:[{s:s,s:s,s:b,s:o}],s:{s:s,s:i}}",
		"installation", "0000beef", "config", "facilities", "name", "lco", "use", "lco", "programmes", "name", "too-lco", "facility", "lco",
		"proposal", "TOO2026B", "hours", "NORMAL", 20.0, "TIME_CRITICAL", 10.0, "RAPID_RESPONSE", 10.0, "triggers", 20, "policies",
		"bns-near", "policies", policy, "facilities", "name", "lco", "use", "lco", "accepts_tests", 0, "descriptor", lco, "catalog",
		"sha256", catalog->sha256, "rows", (int)catalog->count);
	must(c->setup != NULL && c->config != NULL);
}

static int expect(sqlite3 *db, const char *sql, int64_t want, struct err *e)
{
	int64_t got = -1;
	if (query_int(db, &got, e, sql, "") < 0)
		return -1;
	return got == want ? 0 : err_set(e, ERR_INPUT, "%s is %lld, not %lld", sql, (long long)got, (long long)want);
}

int canonical_judge(sqlite3 *db, const struct sim_portal *portal, struct err *e)
{
	json_t *ledger = sim_portal_ledger(portal), *bad = core_check_rows(db, e);
	int64_t duplicates = json_int(ledger, "duplicates", -1), pending = json_int(json_object_get(ledger, "states"), "PENDING", 0);
	char sound[64] = "";
	int rc = bad == NULL ? -1 : json_array_size(bad) ? err_set(e, ERR_STORE, "an invariant is broken") : 0;
	if (rc == 0 && (duplicates != 0 || pending != 0))
		rc = err_set(e, ERR_INPUT, "the portal counts %lld duplicates, %lld pending", (long long)duplicates, (long long)pending);
	if (rc == 0)
		rc = expect(db, "SELECT count(*) FROM alert", 2, e);
	if (rc == 0)
		rc = expect(db, "SELECT count(*) >= 2 FROM input WHERE kind='alert'", 1, e);
	if (rc == 0)
		rc = expect(db, "SELECT count(*) FROM request WHERE state IN ('planned','offered','held','asked','unsure','accepted','scheduled')", 0, e);
	if (rc == 0 && query_text(db, sound, sizeof sound, e, "PRAGMA integrity_check", "") < 0)
		rc = -1;
	if (rc == 0 && strcmp(sound, "ok") != 0)
		rc = err_set(e, ERR_STORE, "integrity_check: %s", sound);
	json_decref(ledger);
	json_decref(bad);
	return rc;
}

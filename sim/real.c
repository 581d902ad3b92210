/* Dry runs of real nights: see real.h. */
#include "sim/real.h"
#include "engine/base/json.h"
#include "engine/base/query.h"
#include "engine/base/utc.h"
#include "sim/host.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TOKEN "dry-run"
#define STEP_US (5 * UTC_MINUTE) /* how often a person looks, and progress is told */

/* What the portal of one of its facilities has to know, from the same input: proposals with the hours of its programmes, its descriptor,
 * the weather. New reference. */
static json_t *portal_setup(const json_t *input, size_t facility, const json_t *weather)
{
	const json_t *one = json_array_get(json_object_get(input, "facilities"), facility), *programme;
	json_t *proposals = json_array();
	size_t i, k;
	json_array_foreach(json_object_get(json_object_get(input, "config"), "programmes"), i, programme) {
		const char *id = json_text(programme, "proposal", "");
		size_t size = json_array_size(proposals);
		if (strcmp(json_text(programme, "facility", ""), json_text(one, "name", "?")) != 0)
			continue;
		for (k = 0; k < size && strcmp(json_text(json_array_get(proposals, k), "id", ""), id) != 0; k++)
			;
		if (k == size)
			json_array_append_new(proposals, json_pack("{s:s, s:O, s:f}", "id", id, "hours", json_object_get(programme, "hours"), "ipp_h", 10.0));
	}
	return json_pack("{s:{s:s}, s:o, s:O, s:O}", "tokens", TOKEN, "bot", "proposals", proposals, "descriptor", json_object_get(one, "descriptor"), "weather",
		weather);
}

void sim_real_places_free(struct sim_real_places *p)
{
	for (size_t i = 0; i < p->count; i++)
		sim_portal_free(p->portal[i]);
	*p = (struct sim_real_places){0};
}

/* A person who reads what waits for approval, so many minutes later. */
static int approve(const struct sim_real_options *o, struct sim_host *host, struct err *e)
{
	static const char waiting[] = "SELECT DISTINCT v.name AS event, g.policy AS policy FROM gate g JOIN input i ON i.seq=g.opened_seq JOIN event v ON v.id=g.event "
		"WHERE g.kind='approval' AND g.lifted_seq IS NULL AND v.state<>'retracted' AND i.utc_us<=?";
	json_t *rows = query_rows(o->db, 20, e, waiting, "i", sim_host_now(host) - (int64_t)(o->approve_min * 60e6)), *row;
	size_t i;
	int rc = rows ? 0 : -1;
	json_array_foreach(rows, i, row) {
		json_t *order = json_pack("{s:s, s:s, s:s, s:s}", "verb", "approve", "event", json_text(row, "event", ""), "policy",
			json_text(row, "policy", ""), "why", "as --approve says");
		rc = sim_host_order(host, 1000, order, NULL, e);
		json_decref(order);
		if (rc < 0)
			break;
	}
	json_decref(rows);
	return rc;
}

static int run_until(const struct sim_real_options *o, struct sim_host *host, int64_t until_us, struct err *e)
{
	const struct made_night *n = o->night;
	while (sim_host_now(host) < until_us) {
		int64_t next_us = sim_host_now(host) + STEP_US;
		if (sim_host_run(host, next_us < until_us ? next_us : until_us, e) < 0 || (o->approve_min >= 0 && approve(o, host, e) < 0))
			return -1;
		if (o->progress != NULL)
			o->progress(o->progress_ctx, (double)(sim_host_now(host) - n->start_us) / (double)(n->end_us - n->start_us));
	}
	return 0;
}

static int play(const struct sim_real_options *o, struct sim_host *host, struct err *e)
{
	const struct made_night *n = o->night;
	for (size_t i = 0; i < n->alerts; i++) {
		const struct made_alert *a = &n->alert[i];
		if (a->at_us > n->end_us)
			break;
		if (run_until(o, host, a->at_us, e) < 0 || sim_host_alert(host, "igwn.gwalert", a->bytes, a->len, e) < 0)
			return -1;
	}
	return run_until(o, host, n->end_us, e);
}

static int check(sqlite3 *db, struct err *e)
{
	json_t *bad = core_check_rows(db, e);
	char *first = bad && json_array_size(bad) > 0 ? json_canonical(json_array_get(bad, 0)) : NULL;
	int rc = bad == NULL ? -1 : first ? err_set(e, ERR_STORE, "%.700s", first) : 0;
	free(first);
	json_decref(bad);
	return rc;
}

static int places_open(const struct sim_real_options *o, struct sim_real_places *places, struct sim_host_options *host, struct err *e)
{
	const json_t *facilities = json_object_get(o->input, "facilities"), *one;
	size_t i;
	if (json_array_size(facilities) > SIM_HOST_PLACES)
		return err_set(e, ERR_LIMIT, "%zu facilities: a dry run plays at most %d; leave some out of a copy of the configuration", json_array_size(facilities),
			SIM_HOST_PLACES);
	json_array_foreach(facilities, i, one) {
		json_t *setup = portal_setup(o->input, i, o->night->weather);
		struct sim_portal *portal = setup ? sim_portal_new(setup, o->seed + i) : NULL;
		json_decref(setup);
		if (portal == NULL)
			return err_set(e, ERR_INPUT, "facility %s: the simulated observatory does not take it; it needs a descriptor with proposals of its own", json_text(one, "name", ""));
		places->portal[i] = portal;
		places->descriptor[i] = json_object_get(one, "descriptor");
		places->count = host->places = i + 1;
		host->place[i] = (struct sim_host_place){json_text(one, "name", ""), portal, "Token " TOKEN};
	}
	return 0;
}

int sim_real_run(const struct sim_real_options *o, struct sim_real_places *places, struct err *e)
{
	struct sim_host_options options = {.db = o->db, .config = o->input, .compute = o->compute, .compute_by = o->compute_by, .compute_ctx = o->compute_ctx,
		.start_us = o->night->start_us};
	*places = (struct sim_real_places){0};
	if (places_open(o, places, &options, e) < 0)
		return -1;
	struct sim_host *host = sim_host_new(&options, e);
	int rc = host ? play(o, host, e) : -1;
	sim_host_free(host);
	return rc == 0 && o->check ? check(o->db, e) : rc;
}

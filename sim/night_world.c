/* The world of a night: facilities from profiles, portals, the configuration, the state; see night_parts.h. */
#include "sim/night_parts.h"
#include "engine/base/embed.h"
#include "engine/base/json.h"
#include "engine/base/query.h"
#include "engine/base/utc.h"
#include <stdio.h>
#include <string.h>

/* RFC 7396. */
void night_merge(json_t *target, const json_t *patch)
{
	const char *key;
	json_t *value;
	json_object_foreach((json_t *)patch, key, value) {
		json_t *old = json_object_get(target, key);
		if (json_is_null(value))
			json_object_del(target, key);
		else if (json_is_object(value) && json_is_object(old))
			night_merge(old, value);
		else
			json_object_set(target, key, value);
	}
}

static json_t *embedded(const char *name, struct err *e)
{
	size_t len;
	const char *text = embed_find(name, &len);
	if (text == NULL) {
		err_set(e, ERR_INPUT, "%s is not part of this program", name);
		return NULL;
	}
	return json_read(text, len, &json_limits_config, e);
}

/* ---- facilities ---- */
struct night_place *night_place_find(struct night *n, const char *name)
{
	for (int i = 0; i < n->places; i++)
		if (strcmp(n->place[i].name, name) == 0)
			return &n->place[i];
	return NULL;
}

/* setup, programme: taken. */
static struct night_place *place_new(struct night *n, const char *name, json_t *setup, json_t *programme)
{
	struct night_place *p = &n->place[n->places++];
	json_t *token;
	const char *word = "";
	*p = (struct night_place){.setup = setup, .programme = programme, .entry = json_object()};
	text_copy(p->name, sizeof p->name, name);
	json_object_foreach(json_object_get(setup, "tokens"), word, token)
		snprintf(p->authorization, sizeof p->authorization, "Token %.60s", word);
	return p;
}

static bool first_place(struct night *n, struct err *e)
{
	json_t *descriptor = embedded("facilities/lco.json", e);
	if (descriptor == NULL)
		return false;
	place_new(n, "lco", json_pack("{s:o,s:{s:s},s:[{s:s,s:{s:f,s:f,s:f},s:f}],s:i}", "descriptor", descriptor, "tokens", "night-token", "bot",
		"proposals", "id", "TOO2026B", "hours", "NORMAL", 20.0, "TIME_CRITICAL", 10.0, "RAPID_RESPONSE", 10.0, "ipp_h", 5.0, "cycle_s", 30),
		json_pack("{s:s,s:s,s:s,s:{s:f,s:f,s:f},s:i}", "name", "too-lco", "facility", "lco", "proposal", "TOO2026B", "hours", "NORMAL",
		20.0, "TIME_CRITICAL", 10.0, "RAPID_RESPONSE", 10.0, "triggers", 20));
	return true;
}

int night_place_add(struct night *n, const char *name, struct err *e)
{
	char path[128];
	if (night_place_find(n, name) != NULL)
		return 0;
	if (n->places == SIM_HOST_PLACES || n->host != NULL)
		return err_set(e, ERR_LIMIT, "at most %d facilities, before the night begins", SIM_HOST_PLACES);
	snprintf(path, sizeof path, "sim/profiles/%.60s.json", name);
	json_t *profile = embedded(path, e);
	if (profile == NULL)
		return -1;
	json_t *setup = json_deep_copy(json_object_get(profile, "portal"));
	json_object_set(setup, "descriptor", json_object_get(profile, "descriptor"));
	place_new(n, name, setup, json_incref(json_object_get(profile, "programme")));
	json_array_extend(json_object_get(n->policy, "ladder"), json_object_get(profile, "ladder"));
	json_decref(profile);
	return 0;
}

void night_calm(struct night *n)
{
	for (int i = 0; i < n->places; i++)
		sim_portal_calm(n->place[i].portal);
	night_disk_calm(n->disk);
}

int night_world_begin(struct night *n, struct err *e)
{
	n->policy = embedded("policies/bns-near.json", e);
	n->changes = json_object();
	if (n->policy == NULL || !first_place(n, e) || utc_parse("2026-11-24T00:00:00Z", &n->start_us, e) < 0)
		return err_wrap(e, "the policy or descriptor of the nights cannot be read");
	json_object_set_new(json_object_get(n->policy, "targets"), "top", json_integer(20)); /* enough for a night, and quick */
	return 0;
}

/* ---- configuration and state ---- */
static json_t *night_config(struct night *n)
{
	json_t *entries = json_array(), *uses = json_array(), *programmes = json_array();
	for (int i = 0; i < n->places; i++) {
		struct night_place *p = &n->place[i];
		json_t *entry = json_pack("{s:s,s:s,s:b,s:O}", "name", p->name, "use", p->name, "accepts_tests", 0, "descriptor",
			json_object_get(p->setup, "descriptor"));
		night_merge(entry, p->entry);
		json_array_append_new(entries, entry);
		json_array_append_new(uses, json_pack("{s:s,s:s}", "name", p->name, "use", p->name));
		json_array_append(programmes, p->programme);
	}
	json_t *config = json_pack("{s:s,s:s,s:o,s:o,s:[s]}", "state", "night.db", "catalog", "night.fits", "facilities", uses, "programmes",
		programmes, "policies", "bns-near");
	const struct catalog *catalog = sim_stage_catalog(n->o->stage);
	night_merge(config, n->changes);
	return json_pack("{s:s,s:o,s:[O],s:o,s:{s:s,s:i,s:s}}", "installation", "0000beef", "config", config, "policies", n->policy,
		"facilities", entries, "catalog", "sha256", catalog->sha256, "rows", (int)catalog->count, "path", "night.fits");
}

size_t night_places(struct night *n, struct sim_host_place out[SIM_HOST_PLACES])
{
	for (int i = 0; i < n->places; i++)
		out[i] = (struct sim_host_place){n->place[i].name, n->place[i].portal, n->place[i].authorization};
	return (size_t)n->places;
}

int night_db_open(struct night *n, struct err *e)
{
	return query_open(n->disk ? "night.db" : ":memory:", QUERY_WRITE, &n->db, e);
}

static int night_host(struct night *n, int64_t start_us, struct err *e)
{
	struct sim_host_options options = {.db = n->db, .config = n->config, .places = (size_t)n->places, .compute = &n->compute,
		.compute_by = sim_stage_compute, .compute_ctx = n->o->stage, .start_us = start_us, .broker = n->broker,
		.disk = night_disk_host(n->disk),
		.latency_us = n->judge.latency_us, .compute_us = n->compute_us, .check_every_step = true};
	night_places(n, options.place);
	n->host = sim_host_new(&options, e);
	return n->host ? 0 : -1;
}

int night_open(struct night *n, struct err *e)
{
	if (n->host != NULL)
		return 0;
	if (n->seed != sim_stage_seed(n->o->stage))
		return err_set(e, ERR_INPUT, "this night wants universe %llu", (unsigned long long)n->seed);
	if (night_db_open(n, e) < 0)
		return -1;
	n->broker = sim_broker_new(0);
	for (int i = 0; i < n->places; i++) {
		n->place[i].portal = sim_portal_new(n->place[i].setup, n->seed + (uint64_t)i);
		if (n->place[i].portal == NULL)
			return err_set(e, ERR_INPUT, "the setup of the portal of %s cannot be used", n->place[i].name);
	}
	n->config = night_config(n);
	if (n->config == NULL)
		return err_set(e, ERR_INPUT, "the configuration cannot be used");
	n->compute = (struct compute_host){.read_map = skymap_read, .catalog = sim_stage_catalog(n->o->stage)};
	return night_host(n, n->start_us, e);
}

static int db_copy(sqlite3 *from, sqlite3 *to, struct err *e)
{
	sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
	int rc = backup ? sqlite3_backup_step(backup, -1) : SQLITE_ERROR;
	sqlite3_backup_finish(backup);
	return rc == SQLITE_DONE ? 0 : err_set(e, ERR_STORE, "the state cannot be copied");
}

int night_copy(struct night *n, struct err *e)
{
	sqlite3_close(n->copy);
	n->copy = NULL;
	n->copied_us = sim_host_now(n->host);
	return query_open(":memory:", QUERY_WRITE, &n->copy, e) < 0 ? -1 : db_copy(n->db, n->copy, e);
}

struct sim_host_counts night_counts(const struct night *n)
{
	struct sim_host_counts c = sim_host_counts(n->host);
	const struct sim_host_counts *b = &n->before;
	return (struct sim_host_counts){c.turns + b->turns, c.calls + b->calls, c.computes + b->computes, c.messages + b->messages,
		c.crashes + b->crashes, c.stops + b->stops, c.fulls + b->fulls, c.put_off + b->put_off};
}

int night_restore(struct night *n, int64_t down_us, struct err *e)
{
	int64_t now_us = sim_host_now(n->host);
	if (n->copy == NULL)
		return err_set(e, ERR_INPUT, "restore needs a copy before it");
	judge_forget(&n->judge, n->copied_us, now_us);
	n->before = night_counts(n);
	sim_host_free(n->host);
	n->host = NULL;
	sqlite3_close(n->db);
	n->db = NULL;
	json_object_set_new(n->config, "restored", json_true());
	if (n->disk != NULL) { /* the copy lies on a new disk */
		night_disk_free(n->disk);
		n->disk = NULL;
		if (night_disk_new(n, e) < 0)
			return -1;
	}
	if (night_db_open(n, e) < 0 || db_copy(n->copy, n->db, e) < 0)
		return -1;
	int rc = night_host(n, now_us + down_us, e);
	json_object_del(n->config, "restored"); /* said once: the lock remembers from then on */
	return rc;
}

void night_world_free(struct night *n)
{
	sim_host_free(n->host);
	for (int i = 0; i < n->places; i++) {
		sim_portal_free(n->place[i].portal);
		json_decref(n->place[i].setup);
		json_decref(n->place[i].entry);
		json_decref(n->place[i].programme);
	}
	sqlite3_close(n->db);
	sqlite3_close(n->copy);
	night_disk_free(n->disk);
	sim_broker_free(n->broker);
	json_decref(n->policy);
	json_decref(n->changes);
	json_decref(n->config);
}

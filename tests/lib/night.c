/* Scenario nights: see night.h. */
#include "night.h"
#include "embedded.h"
#include "engine/base/json.h"
#include "engine/base/query.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include "engine/target/catalog_build.h"
#include "sim/alert_write.h"
#include "sim/host.h"
#include "sim/localise.h"
#include "sim/random.h"
#include "sim/replay.h"
#include "sim/sky.h"
#include "sim/skymap_write.h"
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KNOWN_EVENTS 16
struct told {
	char name[64];
	int64_t event_us;
	struct text last; /* bytes of its last alert, for `again` */
};

struct night {
	uint64_t seed;
	int64_t start_us;
	json_t *policy, *portal_setup, *facility, *config;
	sqlite3 *db, *copy;
	struct sim_sky sky;
	struct sim_portal *portal;
	struct sim_host *host;
	struct catalog catalog;
	struct compute_host compute;
	struct told told[KNOWN_EVENTS];
	int told_count;
	char catalog_path[64];
};

/* RFC 7396. */
static void merge_patch(json_t *target, const json_t *patch)
{
	const char *key;
	json_t *value;
	json_object_foreach((json_t *)patch, key, value) {
		json_t *old = json_object_get(target, key);
		if (json_is_null(value))
			json_object_del(target, key);
		else if (json_is_object(value) && json_is_object(old))
			merge_patch(old, value);
		else
			json_object_set(target, key, value);
	}
}

static int night_catalog(struct night *n, struct err *e)
{
	struct sim_sky_options options = {.seed = n->seed};
	struct text csv = {.max = 64u << 20};
	char csv_path[80];
	if (sim_sky_make(&options, &n->sky, e) < 0)
		return -1;
	sim_sky_csv(&n->sky, &csv);
	snprintf(n->catalog_path, sizeof n->catalog_path, "/tmp/slew-night-%d.fits", (int)getpid());
	snprintf(csv_path, sizeof csv_path, "%s.csv", n->catalog_path);
	FILE *f = fopen(csv_path, "wb");
	if (f == NULL || fwrite(csv.data, 1, csv.len, f) != csv.len || fclose(f) != 0)
		return err_set(e, ERR_SYSTEM, "%s cannot be written", csv_path);
	text_free(&csv);
	struct catalog_builder builder;
	catalog_builder_init(&builder);
	int rc = catalog_build_add(&builder, csv_path, e);
	if (rc == 0)
		rc = catalog_build_write(&builder, n->catalog_path, NULL, e);
	catalog_builder_free(&builder);
	unlink(csv_path);
	return rc == 0 ? catalog_open(n->catalog_path, &n->catalog, e) : -1;
}

static json_t *night_config(struct night *n)
{
	json_t *descriptor = json_object_get(n->portal_setup, "descriptor");
	json_t *facility = json_pack("{s:s,s:s,s:b,s:O}", "name", "lco", "use", "lco", "accepts_tests", 0, "descriptor", descriptor);
	merge_patch(facility, n->facility);
	json_t *config = json_pack("{s:s,s:s,s:[{s:s,s:s}],s:[{s:s,s:s,s:s,s:{s:f,s:f,s:f},s:i}],s:[s]}", "state", "night.db", "catalog",
		n->catalog_path, "facilities", "name", "lco", "use", "lco", "programmes", "name", "too-lco", "facility", "lco", "proposal",
		"TOO2026B", "hours", "NORMAL", 20.0, "TIME_CRITICAL", 10.0, "RAPID_RESPONSE", 10.0, "triggers", 20, "policies", "bns-near");
	return json_pack("{s:s,s:o,s:[O],s:[o],s:{s:s,s:i,s:s}}", "installation", "0000beef", "config", config, "policies", n->policy,
		"facilities", facility, "catalog", "sha256", n->catalog.sha256, "rows", (int)n->catalog.count, "path",
		n->catalog_path);
}

static int night_host(struct night *n, int64_t start_us, int64_t offset, struct err *e)
{
	struct sim_host_options options = {.db = n->db, .config = n->config, .portal = n->portal, .authorization = "Token night-token",
		.compute = &n->compute, .start_us = start_us, .offset = offset, .check_every_step = true};
	n->host = sim_host_new(&options, e);
	return n->host ? 0 : -1;
}

static int night_open(struct night *n, struct err *e)
{
	if (n->host != NULL)
		return 0;
	if (night_catalog(n, e) < 0 || query_open(":memory:", QUERY_WRITE, &n->db, e) < 0)
		return -1;
	n->portal = sim_portal_new(n->portal_setup, n->seed);
	n->config = night_config(n);
	if (n->portal == NULL || n->config == NULL)
		return err_set(e, ERR_INPUT, "the portal's setup or the configuration cannot be used");
	n->compute = (struct compute_host){.read_map = skymap_read, .catalog = &n->catalog};
	return night_host(n, n->start_us, 0, e);
}

static int db_copy(sqlite3 *from, sqlite3 **to, struct err *e)
{
	if (query_open(":memory:", QUERY_WRITE, to, e) < 0)
		return -1;
	sqlite3_backup *backup = sqlite3_backup_init(*to, "main", from, "main");
	int rc = backup ? sqlite3_backup_step(backup, -1) : SQLITE_ERROR;
	sqlite3_backup_finish(backup);
	return rc == SQLITE_DONE ? 0 : err_set(e, ERR_STORE, "the state cannot be copied");
}

static int do_copy(struct night *n, struct err *e)
{
	sqlite3_close(n->copy);
	n->copy = NULL;
	return db_copy(n->db, &n->copy, e);
}

static int do_restore(struct night *n, int64_t down_us, struct err *e)
{
	int64_t now_us = sim_host_now(n->host);
	if (n->copy == NULL)
		return err_set(e, ERR_INPUT, "restore needs a copy before it");
	sim_host_free(n->host);
	n->host = NULL;
	sqlite3_close(n->db);
	n->db = NULL;
	json_object_set_new(n->config, "restored", json_true());
	int64_t offset = 0;
	if (db_copy(n->copy, &n->db, e) < 0 || query_int(n->db, &offset, e, "SELECT ifnull(max(next_offset),0) FROM source_position", "") < 0)
		return -1;
	return night_host(n, now_us + down_us, offset, e);
}

/* ---- alerts ---- */
static struct told *told_find(struct night *n, const char *name)
{
	for (int i = 0; i < n->told_count; i++)
		if (strcmp(n->told[i].name, name) == 0)
			return &n->told[i];
	if (n->told_count == KNOWN_EVENTS)
		return NULL;
	struct told *t = &n->told[n->told_count++];
	text_copy(t->name, sizeof t->name, name);
	t->event_us = sim_host_now(n->host) - 40 * UTC_SECOND;
	t->last.max = 16u << 20;
	return t;
}

static int make_map(struct night *n, const struct told *t, const char *stream, struct text *fits, struct err *e)
{
	int64_t host = sim_sky_host(&n->sky, n->seed, t->name, 90.0);
	if (host < 0)
		return err_set(e, ERR_INPUT, "no host in this sky");
	const struct sim_galaxy *g = &n->sky.galaxy[host];
	struct sim_merger m = {g->ra_deg, g->dec_deg, g->distance_mpc, 60.0, 6.0, 0.2 * g->distance_mpc};
	struct sim_posterior p;
	struct sim_map map = {0};
	sim_posterior_make(&m, n->seed, stream, &p);
	if (sim_map_make(&p, 4, &map, e) < 0)
		return -1;
	struct sim_map_header h = {t->name, "H1,L1,V1", t->event_us, sim_host_now(n->host)};
	int rc = sim_map_fits(&map, &h, fits, e);
	sim_map_free(&map);
	return rc;
}

static const char *option(const char *rest, const char *key, char *out, size_t size)
{
	size_t n = strlen(key);
	for (const char *p = rest; (p = strstr(p, key)) != NULL; p += n) {
		if ((p == rest || isspace((unsigned char)p[-1])) && p[n] == '=') {
			size_t len = strcspn(p + n + 1, " \t");
			snprintf(out, size, "%.*s", (int)len, p + n + 1);
			return out;
		}
	}
	return NULL;
}

static double number_option(const char *rest, const char *key, double otherwise)
{
	char buf[64];
	return option(rest, key, buf, sizeof buf) ? strtod(buf, NULL) : otherwise;
}

static int do_alert(struct night *n, const char *rest, struct err *e)
{
	char name[64], type[32], stream[80], topic[80];
	int used = 0;
	if (sscanf(rest, "%63s %31s%n", name, type, &used) != 2)
		return err_set(e, ERR_INPUT, "write: alert EVENT TYPE [key=value …]");
	rest += used;
	struct told *t = told_find(n, name);
	if (t == NULL)
		return err_set(e, ERR_LIMIT, "more than %d events in one night", KNOWN_EVENTS);
	if (option(rest, "topic", topic, sizeof topic) == NULL)
		strcpy(topic, "igwn.gwalert");
	if (strstr(rest, "again") != NULL)
		return sim_host_alert(n->host, topic, t->last.data, t->last.len, e);
	struct text fits = {.max = 4u << 20};
	if (option(rest, "map", stream, sizeof stream) == NULL)
		text_copy(stream, sizeof stream, name);
	bool map = strcmp(stream, "none") != 0 && strcmp(type, "RETRACTION") != 0;
	if (map && make_map(n, t, stream, &fits, e) < 0)
		return -1;
	double bns = number_option(rest, "bns", 0.95), nsbh = number_option(rest, "nsbh", 0.0);
	struct sim_alert a = {.event = name, .type = type, .created_us = sim_host_now(n->host), .event_us = t->event_us,
		.far_hz = number_option(rest, "far", 1e-12), .significant = number_option(rest, "significant", 1) > 0,
		.instruments = "H1,L1,V1", .pipeline = "gstlal", .search = "AllSky", .p_bns = bns, .p_nsbh = nsbh,
		.p_terrestrial = number_option(rest, "terrestrial", 1 - bns - nsbh), .has_ns = number_option(rest, "has_ns", 1),
		.has_remnant = number_option(rest, "remnant", 1), .map = map ? fits.data : NULL, .map_len = fits.len};
	text_reset(&t->last);
	int rc = sim_alert_write(&a, &t->last, e);
	text_free(&fits);
	return rc < 0 ? -1 : sim_host_alert(n->host, topic, t->last.data, t->last.len, e);
}

/* ---- what must hold ---- */
static int compare(const char *got, const char *op, const char *want, const char *what, struct err *e)
{
	char *end_got, *end_want;
	double a = strtod(got, &end_got), b = strtod(want, &end_want);
	bool numbers = *got && *want && *end_got == '\0' && *end_want == '\0', ok;
	int order = numbers ? (a > b) - (a < b) : strcmp(got, want);
	ok = strcmp(op, "=") == 0 ? order == 0 : strcmp(op, "!=") == 0 ? order != 0 : strcmp(op, ">=") == 0 ? order >= 0 : order <= 0;
	return ok ? 0 : err_set(e, ERR_INPUT, "%.300s is %s, not %s %s", what, got, op, want);
}

/* Splits "LEFT OP VALUE" at the last operator that stands between spaces. */
static int split(char *line, char **op, char **want, struct err *e)
{
	static const char *const ops[] = {" = ", " != ", " >= ", " <= "};
	char *best = NULL;
	size_t best_len = 0;
	for (size_t i = 0; i < 4; i++)
		for (char *p = line; (p = strstr(p, ops[i])) != NULL; p++)
			if (best == NULL || p > best) {
				best = p;
				best_len = strlen(ops[i]);
			}
	if (best == NULL)
		return err_set(e, ERR_INPUT, "expect needs: SOMETHING = VALUE (or !=, >=, <=)");
	*best = '\0';
	*op = best + 1;
	(*op)[best_len - 2] = '\0';
	*want = best + best_len;
	return 0;
}

static int do_expect(struct night *n, char *rest, struct err *e)
{
	char got[512] = "", *op, *want;
	if (split(rest, &op, &want, e) < 0 || query_text(n->db, got, sizeof got, e, rest, "") < 0)
		return -1;
	return compare(got, op, want, rest, e);
}

static int do_portal(struct night *n, char *rest, struct err *e)
{
	char kind[32] = "", got[128] = "0", *op, *want;
	int used = 0;
	sscanf(rest, "%31s%n", kind, &used);
	rest += used;
	while (isspace((unsigned char)*rest))
		rest++;
	if (strcmp(kind, "expect") != 0) {
		json_t *v = json_read(rest, strlen(rest), &json_limits_config, e);
		int rc = v ? sim_portal_add(n->portal, kind, v) : -1;
		json_decref(v);
		return rc < 0 ? err_set(e, ERR_INPUT, "portal %s {…}: not understood", kind) : 0;
	}
	if (split(rest, &op, &want, e) < 0)
		return -1;
	json_t *ledger = sim_portal_ledger(n->portal);
	const json_t *v = ledger;
	for (char *part = strtok(rest, "/ "); part != NULL && v != NULL; part = strtok(NULL, "/ "))
		v = json_object_get(v, part);
	if (json_is_number(v))
		snprintf(got, sizeof got, "%.15g", json_number_value(v));
	else if (json_is_string(v))
		text_copy(got, sizeof got, json_string_value(v));
	json_decref(ledger);
	return compare(got, op, want, "the portal's count", e);
}

static int do_order(struct night *n, const char *rest, struct err *e)
{
	bool refused = strncmp(rest, "refused ", 8) == 0;
	rest += refused ? 8 : 0;
	json_t *order = json_read(rest, strlen(rest), &json_limits_config, e), *answer = NULL;
	if (order == NULL)
		return -1;
	int rc = sim_host_order(n->host, 1000, order, &answer, e);
	char *said = answer ? json_canonical(answer) : NULL;
	if (rc == 0 && json_flag(answer, "ok", false) == refused)
		rc = err_set(e, ERR_INPUT, "the order was answered %s", said ? said : "not at all");
	free(said);
	json_decref(order);
	json_decref(answer);
	return rc;
}

/* ---- lines ---- */
static int do_setting(struct night *n, char *line, struct err *e)
{
	char word[32] = "";
	int used = 0;
	sscanf(line, "%31s%n", word, &used);
	const char *rest = line + used + strspn(line + used, " \t");
	if (strcmp(word, "seed") == 0) {
		n->seed = strtoull(rest, NULL, 10);
		return 0;
	}
	if (strcmp(word, "start") == 0)
		return utc_parse(rest, &n->start_us, e);
	json_t *target = strcmp(word, "policy") == 0 ? n->policy : strcmp(word, "portal") == 0 ? n->portal_setup :
		strcmp(word, "facility") == 0 ? n->facility : NULL;
	if (target == NULL || n->host != NULL)
		return err_set(e, ERR_INPUT, "\"%s\" is not understood here", word);
	json_t *patch = json_read(rest, strlen(rest), &json_limits_config, e);
	if (patch == NULL)
		return -1;
	merge_patch(target, patch);
	json_decref(patch);
	return 0;
}

static int do_timed(struct night *n, int64_t at_us, char *line, struct err *e)
{
	char word[32] = "";
	int used = 0;
	sscanf(line, "%31s%n", word, &used);
	char *rest = line + used + strspn(line + used, " \t");
	if (night_open(n, e) < 0 || sim_host_run(n->host, n->start_us + at_us, e) < 0)
		return -1;
	if (strcmp(word, "alert") == 0)
		return do_alert(n, rest, e);
	if (strcmp(word, "bytes") == 0)
		return sim_host_alert(n->host, "igwn.gwalert", rest, strlen(rest), e);
	if (strcmp(word, "order") == 0)
		return do_order(n, rest, e);
	if (strcmp(word, "portal") == 0)
		return do_portal(n, rest, e);
	if (strcmp(word, "crash") == 0)
		return sim_host_crash(n->host, (int64_t)(strtod(rest, NULL) * 1e6), e);
	if (strcmp(word, "copy") == 0)
		return do_copy(n, e);
	if (strcmp(word, "restore") == 0)
		return do_restore(n, (int64_t)(strtod(rest, NULL) * 1e6), e);
	if (strcmp(word, "clock") == 0)
		return sim_host_clock(n->host, (int64_t)(strtod(rest, NULL) * 1e6), e);
	if (strcmp(word, "expect") == 0)
		return do_expect(n, rest, e);
	return strcmp(word, "end") == 0 ? 0 : err_set(e, ERR_INPUT, "\"%s\" is not understood", word);
}

static int do_line(struct night *n, char *line, struct err *e)
{
	int h, m, s = 0, used = 0;
	line += strspn(line, " \t");
	line[strcspn(line, "\r\n")] = '\0';
	if (*line == '\0' || *line == '#')
		return 0;
	if (sscanf(line, "%d:%d%n:%d%n", &h, &m, &used, &s, &used) < 2)
		return do_setting(n, line, e);
	return do_timed(n, h * UTC_HOUR + m * UTC_MINUTE + s * UTC_SECOND, line + used + strspn(line + used, " \t"), e);
}

static void night_free(struct night *n)
{
	sim_host_free(n->host);
	sim_portal_free(n->portal);
	catalog_close(&n->catalog);
	if (n->catalog_path[0])
		unlink(n->catalog_path);
	sqlite3_close(n->db);
	sqlite3_close(n->copy);
	sim_sky_free(&n->sky);
	json_decref(n->policy);
	json_decref(n->portal_setup);
	json_decref(n->facility);
	json_decref(n->config);
	for (int i = 0; i < n->told_count; i++)
		text_free(&n->told[i].last);
}

/* To look at a night afterwards: NIGHT_KEEP names a file. */
static void night_keep(const struct night *n)
{
	const char *keep = getenv("NIGHT_KEEP");
	sqlite3 *file = NULL;
	if (keep == NULL || n->db == NULL || sqlite3_open(keep, &file) != SQLITE_OK)
		return;
	sqlite3_backup *backup = sqlite3_backup_init(file, "main", n->db, "main");
	if (backup != NULL) {
		sqlite3_backup_step(backup, -1);
		sqlite3_backup_finish(backup);
	}
	sqlite3_close(file);
}

/* At the end: every invariant, and the whole night fed again gives the same rows to the last bit. */
static int night_end(struct night *n, struct err *e)
{
	struct replay_report report;
	sqlite3 *fresh = NULL;
	json_t *bad = core_check_rows(n->db, e);
	char *first = bad && json_array_size(bad) > 0 ? json_canonical(json_array_get(bad, 0)) : NULL;
	int rc = bad == NULL ? -1 : first ? err_set(e, ERR_STORE, "at the end %.700s", first) : 0;
	free(first);
	json_decref(bad);
	if (rc < 0 || query_open(":memory:", QUERY_WRITE, &fresh, e) < 0)
		return -1;
	rc = sim_replay(n->db, fresh, &report, e);
	sqlite3_close(fresh);
	if (rc == 0 && report.difference[0])
		rc = err_set(e, ERR_STORE, "replay differs: %s", report.difference);
	return rc < 0 ? err_wrap(e, "end of the night") : 0;
}

int night_run(const char *path, struct err *e)
{
	char line[4096];
	int number = 0, rc = 0;
	FILE *f = fopen(path, "re");
	if (f == NULL)
		return err_set(e, ERR_INPUT, "%s cannot be read", path);
	struct night n = {.seed = 7, .policy = embedded_json("policies/bns-near.json"), .facility = json_object(),
		.portal_setup = json_pack("{s:{s:s},s:[{s:s,s:{s:f,s:f,s:f},s:f}],s:i}", "tokens", "night-token", "bot", "proposals", "id",
			"TOO2026B", "hours", "NORMAL", 20.0, "TIME_CRITICAL", 10.0, "RAPID_RESPONSE", 10.0, "ipp_h", 5.0, "cycle_s", 30)};
	json_object_set_new(n.portal_setup, "descriptor", embedded_json("facilities/lco.json"));
	utc_parse("2026-11-24T00:00:00Z", &n.start_us, e);
	json_object_set_new(json_object_get(n.policy, "targets"), "top", json_integer(20)); /* enough for a night, and quick */
	while (rc == 0 && fgets(line, sizeof line, f) != NULL) {
		number++;
		rc = do_line(&n, line, e);
	}
	fclose(f);
	if (rc == 0 && n.host != NULL)
		rc = night_end(&n, e);
	if (rc < 0)
		err_wrap(e, "%s line %d", path, number);
	night_keep(&n);
	night_free(&n);
	return rc;
}

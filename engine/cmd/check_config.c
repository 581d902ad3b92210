/* What a valid configuration can still have wrong: files, secrets, groups, filters, libraries, clock. */
#include "engine/base/json.h"
#include "engine/base/utc.h"
#include "engine/cmd/check.h"
#include "engine/io/around.h"
#include "engine/io/clock.h"
#include "engine/io/others.h"
#include "engine/io/secret.h"
#include "engine/request/programme.h"
#include "engine/target/catalog.h"
#include <curl/curl.h>
#include <errno.h>
#include <grp.h>
#include <librdkafka/rdkafka.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>
#include <uv.h>

/* What others have completed. */
static void others_check(const struct config *c, struct check_sheet *s)
{
	struct others o;
	struct err e = {0};
	if (c->covered[0] == '\0')
		return;
	if (others_read(c->covered, &o, &e) < 0)
		check_say(s, CHECK_WRONG, "covered", "%s", e.text);
	else
		check_say(s, o.rows > 0 && o.unfit == o.rows ? CHECK_WARN : CHECK_OK, "covered", "%s: %zu pointings, of %zu a plan cannot tell what they saw",
			  c->covered, o.rows, o.unfit);
	json_decref(o.list);
}

/* Dust and reference images, where the configuration names them. */
static void around_check(const struct config *c, struct check_sheet *s)
{
	const char *dust = c->dust[0] ? c->dust : NULL, *references = c->references[0] ? c->references : NULL;
	struct around *a = dust || references ? malloc(sizeof *a) : NULL;
	struct err e = {0};
	if (a == NULL)
		return;
	if (around_read(dust, references, a, &e) < 0)
		check_say(s, CHECK_WRONG, "sky", "%s", e.text);
	else
		check_say(s, CHECK_OK, "sky", "%s%s%zu surveys with reference images", dust ? dust : "", dust ? ", " : "", a->references);
	around_free(a);
	free(a);
}

static void check_files(const struct config *c, struct check_sheet *s)
{
	char dir[1024];
	struct statvfs fs;
	text_copy(dir, sizeof dir, c->state);
	char *slash = strrchr(dir, '/');
	slash[slash == dir] = '\0';
	if (access(dir, W_OK | X_OK) != 0)
		check_say(s, CHECK_WRONG, "state", "%s: %s; make the directory and give it to the engine's user", dir, strerror(errno));
	else if (statvfs(dir, &fs) == 0 && (double)fs.f_bavail * (double)fs.f_frsize < 1e9)
		check_say(s, CHECK_WARN, "state", "%s: less than 1 GB is free; a night of alerts takes some hundred MB", dir);
	else
		check_say(s, CHECK_OK, "state", "%s%s", c->state, access(c->state, F_OK) == 0 ? "" : " (will be made)");
	around_check(c, s);
	others_check(c, s);
	if (c->catalog[0] == '\0') {
		check_say(s, CHECK_WARN, "catalog", "none: nothing can be ranked; `slew catalog build` makes one");
		return;
	}
	struct catalog catalog = {0};
	struct err e = {0};
	if (catalog_open(c->catalog, &catalog, &e) < 0 || catalog_verify(&catalog, &e) < 0)
		check_say(s, CHECK_WRONG, "catalog", "%s", e.text);
	else
		check_say(s, CHECK_OK, "catalog", "%s: %lld galaxies, digest as written", c->catalog, (long long)catalog.count);
	catalog_close(&catalog);
}

static void check_secret(const struct config *c, const char *owner, const char *name, struct check_sheet *s)
{
	struct secrets secrets = {0};
	struct err e = {0};
	if (name[0] == '\0')
		return;
	if (secrets_load(&secrets, c->credentials_dir, name, &e) < 0)
		check_say(s, CHECK_WRONG, "secret", "of %s: %s", owner, e.text);
	else
		check_say(s, CHECK_OK, "secret", "of %s: file %s is private and readable", owner, name);
	secrets_free(&secrets);
}

static void check_kafka(const struct config *c, struct check_sheet *s)
{
	bool scram = false, oauth = false, any = false;
	char features[512] = "";
	size_t size = sizeof features;
	for (size_t i = 0; i < c->source_count; i++) {
		const struct config_source *source = &c->sources[i];
		any |= source->type == SOURCE_KAFKA;
		scram |= source->auth.kind == AUTH_SCRAM;
		oauth |= source->auth.kind == AUTH_OAUTH;
		check_secret(c, source->name, source->auth.secret, s);
		if (source->type == SOURCE_SPOOL && access(source->path, R_OK | X_OK) != 0)
			check_say(s, CHECK_WRONG, "source", "%s: %s: %s; make the directory", source->name, source->path, strerror(errno));
		else
			check_say(s, CHECK_OK, "source", "%s: %s%s", source->name, source->type == SOURCE_KAFKA ? source->brokers : source->path,
				source->type == SOURCE_KAFKA ? " (not contacted)" : "");
	}
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_conf_get(conf, "builtin.features", features, &size);
	rd_kafka_conf_destroy(conf);
	if (scram && rd_kafka_version() < 0x020600ff)
		check_say(s, CHECK_WARN, "librdkafka", "%s: SCRAM before 2.6 repeats the client's nonce; brokers of Kafka 4 refuse the right password with"
			" \"invalid credentials\" (brokers up to 3.9 take it); Debian 13 has 2.8", rd_kafka_version_str());
	else if (any && strstr(features, "zstd") == NULL)
		check_say(s, CHECK_WRONG, "librdkafka", "%s is built without zstd: GCN's messages cannot be read", rd_kafka_version_str());
	else if ((scram && strstr(features, "sasl_scram") == NULL) || (oauth && strstr(features, "sasl_oauthbearer") == NULL))
		check_say(s, CHECK_WRONG, "librdkafka", "%s lacks a log-in that a source needs; it has %s", rd_kafka_version_str(), features);
	else
		check_say(s, CHECK_OK, "librdkafka", "%s", rd_kafka_version_str());
}

static bool has_filter(const json_t *descriptor, const char *filter)
{
	size_t i, k;
	json_t *instrument, *name;
	json_array_foreach(json_object_get(descriptor, "instruments"), i, instrument)
		json_array_foreach(json_object_get(instrument, "filters"), k, name)
			if (strcmp(json_string_value(name), filter) == 0)
				return true;
	return false;
}

static const json_t *programme_of(const struct config *c, const char *name)
{
	size_t i;
	json_t *p;
	json_array_foreach(json_object_get(c->body, "programmes"), i, p)
		if (strcmp(json_text(p, "name", ""), name) == 0)
			return p;
	return NULL;
}

static const struct config_facility *facility_of(const struct config *c, const char *programme, const json_t **hours)
{
	size_t i;
	json_t *p;
	json_array_foreach(json_object_get(c->body, "programmes"), i, p) {
		if (strcmp(json_text(p, "name", ""), programme) != 0)
			continue;
		*hours = json_object_get(p, "hours");
		for (size_t k = 0; k < c->facility_count; k++)
			if (strcmp(c->facilities[k].name, json_text(p, "facility", "")) == 0)
				return &c->facilities[k];
	}
	return NULL;
}

/* Filters and modes that the policy asks for and nobody on its ladder has. */
/* Rubin's scheduler is told a strategy with each region. */
static bool check_label(const struct config_facility *f, const json_t *policy)
{
	const json_t *too = f != NULL ? json_object_get(f->descriptor, "too") : NULL, *entry;
	size_t i;
	json_array_foreach(json_object_get(too, "labels"), i, entry)
		if (strcmp(json_text(entry, "policy", ""), json_text(policy, "name", "?")) == 0)
			return true;
	return too == NULL;
}

static int check_policy_needs(const struct config *c, const json_t *policy, struct check_sheet *s)
{
	size_t i, k, n;
	json_t *rung, *visit, *filter;
	int bad = 0;
	json_array_foreach(json_object_get(policy, "ladder"), i, rung) {
		const json_t *hours = NULL;
		const char *programme = json_text(rung, "programme", ""), *mode = json_text(rung, "mode", NULL);
		const struct config_facility *f = facility_of(c, programme, &hours);
		if (mode != NULL ? json_number(hours, mode, 0) <= 0 : json_object_size(hours) == 0) {
			check_say(s, CHECK_WARN, "policy", "%s: /ladder/%zu: programme %s has no hours of mode %s; this rung is never asked",
				json_text(policy, "name", ""), i, programme, mode ? mode : "any");
			bad++;
		}
		char why[128];
		if (programme_data_too_closed(programme_of(c, programme), f ? f->descriptor : NULL, json_text(policy, "data_access", NULL), why, sizeof why)) {
			check_say(s, CHECK_WARN, "policy", "%s: /ladder/%zu: programme %s: %s; this rung is never asked", json_text(policy, "name", ""), i, programme, why);
			bad++;
		}
		if (!check_label(f, policy)) {
			check_say(s, CHECK_WARN, "policy", "%s: %s has no strategy label for it and refuses all that it asks; add one to too.labels", json_text(policy, "name", ""), f->name);
			bad++;
		}
		json_array_foreach(json_object_get(policy, "observe"), k, visit) {
			json_array_foreach(json_object_get(visit, "filters"), n, filter) {
				if (f == NULL || json_object_get(rung, "filter") != NULL || has_filter(f->descriptor, json_string_value(filter)))
					continue;
				check_say(s, CHECK_WARN, "policy", "%s: filter %s is on no instrument of %s", json_text(policy, "name", ""),
					json_string_value(filter), f->name);
				bad++;
			}
		}
	}
	return bad;
}

/* The url without which an adapter can ask nothing. */
static const char *check_door(const struct config_facility *f)
{
	if (strcmp(f->adapter, "rubin-too") == 0) {
		const char *transport = json_text(json_object_get(f->descriptor, "too"), "transport", "rest");
		return strcmp(transport, "file") == 0 ? "exchange" : strcmp(transport, "rest") == 0 ? "proxy" : "broker";
	}
	if (strcmp(f->adapter, "rubin-block") == 0)
		return strcmp(json_text(json_object_get(f->descriptor, "block"), "transport", "folder"), "love") == 0 ? "love" : "folder";
	return "portal";
}

static const char *door_missing(const char *door)
{
	static const char *const words[][2] = {{"proxy", "no url of a REST proxy: give urls.proxy"}, {"exchange", "no file: give urls.exchange (file:PATH)"},
		{"folder", "no folder: give urls.folder (folder:PATH)"}, {"love", "no url of LOVE: give urls.love"},
		{"broker", "no broker: give urls.broker (kafka:NAME of a source)"}};
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strcmp(words[i][0], door) == 0)
			return words[i][1];
	return "no portal url: give urls.portal";
}

static void check_rules(const struct config *c, struct check_sheet *s)
{
	size_t i;
	json_t *policy;
	bool observes = false;
	for (i = 0; i < c->facility_count; i++) {
		const struct config_facility *f = &c->facilities[i];
		check_secret(c, f->name, f->secret, s);
		const char *door = check_door(f), *portal = config_url(f, door);
		check_say(s, portal ? CHECK_OK : CHECK_WRONG, "facility", "%s: %s by adapter %s, %s%s%s", f->name, json_text(f->descriptor, "title", ""),
			f->adapter, portal ? portal : door_missing(door), f->secret[0] ? "" : ", no secret is sent",
			f->accepts_tests ? ", ACCEPTS TESTS" : "");
	}
	json_array_foreach(c->policies, i, policy) {
		bool asks = json_array_size(json_object_get(policy, "observe")) > 0;
		observes |= asks && strcmp(json_text(json_object_get(policy, "targets"), "from", "galaxies"), "region") != 0;
		if (check_policy_needs(c, policy, s) == 0)
			check_say(s, CHECK_OK, "policy", "%s: %s", json_text(policy, "name", ""), asks ? "asks telescopes" : "tells only");
		if (json_flag(policy, "tests", false))
			check_say(s, CHECK_WARN, "policy", "%s: takes test alerts for real ones where the facility accepts tests", json_text(policy, "name", ""));
	}
	if (json_array_size(c->policies) == 0)
		check_say(s, CHECK_WARN, "policies", "none: alerts are kept and shown, nothing else happens; start with \"tell-all\"");
	else if (observes && c->catalog[0] == '\0')
		check_say(s, CHECK_WRONG, "policies", "one asks telescopes for galaxies, but there is no catalog");
}

/* Rules that are right in form and leave a programme without use: a semester that is over, a policy that is not there. */
static void check_programmes(const struct config *c, struct check_sheet *s)
{
	size_t i, k, n;
	json_t *p, *name, *policy;
	int64_t now_us = c->virtual_clock ? c->clock_start_us : clock_wall_us();
	json_array_foreach(json_object_get(c->body, "programmes"), i, p) {
		struct programme_rules r;
		struct err e = {0};
		char day[32];
		const char *own = json_text(p, "name", "");
		if (programme_rules_read(p, &r, &e) == 0 && r.until_us != UTC_NONE && r.until_us <= now_us)
			check_say(s, CHECK_WARN, "programme", "%s: its semester ended at %s, nothing is asked on it; give the next one", own, utc_format_s(day, r.until_us));
		json_array_foreach(json_object_get(json_object_get(p, "may_trigger"), "policies"), k, name) {
			bool found = false;
			json_array_foreach(c->policies, n, policy)
				found |= strcmp(json_text(policy, "name", ""), json_string_value(name)) == 0;
			if (!found)
				check_say(s, CHECK_WARN, "programme", "%s: may_trigger.policies names \"%s\", which is not among the policies", own, json_string_value(name));
		}
	}
}

static void check_people(const struct config *c, struct check_sheet *s)
{
	const char *groups[] = {c->view_group, c->act_group};
	for (int i = 0; i < 2; i++)
		if (groups[i][0] != '\0' && getgrnam(groups[i]) == NULL)
			check_say(s, CHECK_WRONG, "operator", "there is no group %s; groupadd --system %s", groups[i], groups[i]);
	check_say(s, CHECK_OK, "operator", "socket %s", c->socket);
	if (c->http_host[0] != '\0')
		check_say(s, CHECK_WARN, "http", "this version opens no page; `slew ctl status` and `slew report` show the same");
	if (c->map_hosts[0] != NULL)
		check_say(s, CHECK_WARN, "maps", "this version follows no links: alerts are read with the map that is in them");
}

static void check_machine(const struct config *c, struct check_sheet *s)
{
	const curl_version_info_data *curl = curl_version_info(CURLVERSION_NOW);
	struct timex t = {0};
	char start[32];
	check_say(s, (curl->features & CURL_VERSION_SSL) != 0 ? CHECK_OK : CHECK_WRONG, "libcurl", "%s, TLS by %s", curl->version,
		curl->ssl_version ? curl->ssl_version : "nothing: https is not possible");
	check_say(s, sqlite3_threadsafe() ? CHECK_OK : CHECK_WRONG, "SQLite", "%s", sqlite3_libversion());
	check_say(s, CHECK_OK, "libuv", "%s", uv_version_string());
	if (c->virtual_clock)
		check_say(s, CHECK_WARN, "clock", "VIRTUAL: %s, %g times as fast; no real telescope can be reached", utc_format_s(start, c->clock_start_us),
			c->clock_rate);
	else if (adjtimex(&t) == TIME_ERROR)
		check_say(s, CHECK_WARN, "clock", "the kernel does not know that it is synchronised (NTP, chrony); windows of observation are in UTC");
	else
		check_say(s, CHECK_OK, "clock", "synchronised");
}

void check_config(const struct config *c, struct check_sheet *s)
{
	check_files(c, s);
	check_kafka(c, s);
	check_rules(c, s);
	check_programmes(c, s);
	check_people(c, s);
	check_machine(c, s);
}

void check_print(const struct config *c)
{
	json_t *understood = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:f,s:b}", "path", c->path, "state", c->state, "catalog", c->catalog,
		"credentials_dir", c->credentials_dir, "socket", c->socket, "http", c->http_host, "clock_rate", c->clock_rate, "virtual_clock",
		(int)c->virtual_clock);
	json_t *sources = json_array(), *facilities = json_array();
	for (size_t i = 0; i < c->source_count; i++)
		json_array_append_new(sources, json_pack("{s:s,s:s,s:s,s:s,s:s,s:b,s:b}", "name", c->sources[i].name, "brokers", c->sources[i].brokers,
			"path", c->sources[i].path, "group", c->sources[i].group, "mechanism", c->sources[i].auth.mechanism, "tls",
			(int)c->sources[i].auth.tls, "earliest", (int)c->sources[i].earliest));
	for (size_t i = 0; i < c->facility_count; i++) {
		json_t *urls = json_object();
		for (const struct config_url *u = c->facilities[i].urls; u->name[0] != '\0'; u++)
			json_object_set_new(urls, u->name, json_string(u->base));
		json_array_append_new(facilities, json_pack("{s:s,s:s,s:o,s:b}", "name", c->facilities[i].name, "adapter", c->facilities[i].adapter,
			"urls", urls, "accepts_tests", (int)c->facilities[i].accepts_tests));
	}
	json_object_set_new(understood, "sources", sources);
	json_object_set_new(understood, "facilities", facilities);
	json_object_set(understood, "programmes", json_object_get(c->body, "programmes"));
	json_object_set(understood, "policies", c->policies);
	char *text = json_pretty(understood);
	puts(text ? text : "");
	free(text);
	json_decref(understood);
}

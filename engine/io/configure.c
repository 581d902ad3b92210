/* Reads a configuration file into struct config, or says what is wrong and where. See configure.h. */
#include "engine/base/hash.h"
#include "engine/base/json.h"
#include "engine/base/limits.h"
#include "engine/base/near.h"
#include "engine/base/schema.h"
#include "engine/base/utc.h"
#include "engine/io/configure.h"
#include "engine/request/policy.h"
#include "engine/request/programme.h"
#include "engine/request/when.h"
#include "facilities/facility.h"
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct loader {
	char dir[1024]; /* of the file; relative paths begin here */
	char *text;
	size_t len;
	struct config *c;
	struct err *e;
};

/* "line L column C (POINTER): why"; always -1. */
static int fault(struct loader *l, const char *pointer, const char *format, ...) __attribute__((format(printf, 3, 4)));
static int fault(struct loader *l, const char *pointer, const char *format, ...)
{
	char why[800];
	int line, column;
	va_list ap;
	va_start(ap, format);
	vsnprintf(why, sizeof why, format, ap);
	va_end(ap);
	json_where(l->text, l->len, pointer, false, &line, &column);
	return err_set(l->e, ERR_INPUT, "line %d column %d (%s): %s", line, column, pointer, why);
}

static const char *at(char out[128], const char *format, ...) __attribute__((format(printf, 2, 3)));
static const char *at(char out[128], const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	vsnprintf(out, 128, format, ap);
	va_end(ap);
	return out;
}

static int path_of(struct loader *l, const char *pointer, const char *given, char *out, size_t size)
{
	int n = given[0] == '/' ? snprintf(out, size, "%s", given) : snprintf(out, size, "%s/%s", l->dir, given);
	if (n < 0 || (size_t)n >= size)
		return fault(l, pointer, "the path is longer than %zu bytes: %.60s…; put it nearer to the root", size - 1, given);
	return 0;
}

/* ---- parts ---- */
static bool brokers_loopback(const char *brokers)
{
	while (*brokers != '\0') {
		size_t n = strcspn(brokers, ","), host = n;
		while (host > 0 && brokers[host] != ':')
			host--;
		if (!host_is_loopback(brokers, host))
			return false;
		brokers += n + (brokers[n] == ',');
	}
	return true;
}

static const char **strings(const json_t *array)
{
	size_t i, n = 0;
	json_t *v;
	const char **out = calloc(json_array_size(array) + 1, sizeof *out);
	json_array_foreach(array, i, v)
		if (out != NULL)
			out[n++] = json_string_value(v);
	return out;
}

static int load_auth(struct loader *l, size_t i, const json_t *j, struct config_source *s)
{
	static const char *const kinds[] = {"none", "plain", "scram", "oauth"};
	struct config_auth *a = &s->auth;
	const char *kind = json_text(j, "kind", "none");
	bool loopback = brokers_loopback(s->brokers);
	char where[128];
	for (int k = 0; k < 4; k++)
		if (strcmp(kind, kinds[k]) == 0)
			a->kind = (enum auth_kind)k;
	static const char *const mechanisms[] = {"", "PLAIN", NULL, "OAUTHBEARER"};
	text_copy(a->mechanism, sizeof a->mechanism, a->kind == AUTH_SCRAM ? json_text(j, "mechanism", "SCRAM-SHA-512") : mechanisms[a->kind]);
	text_copy(a->user, sizeof a->user, json_text(j, "user", ""));
	text_copy(a->secret, sizeof a->secret, json_text(j, "secret", ""));
	text_copy(a->scope, sizeof a->scope, json_text(j, "scope", ""));
	a->tls = json_flag(j, "tls", !loopback);
	at(where, "/sources/%zu/auth", i);
	if (a->kind != AUTH_NONE && (a->user[0] == '\0' || a->secret[0] == '\0'))
		return fault(l, where, "kind %s needs user and secret (the name of a file in credentials_dir)", kind);
	if (a->kind != AUTH_NONE && !a->tls && !loopback)
		return fault(l, where, "a log-in without TLS would show the secret; leave tls out, or use a broker on 127.0.0.1");
	if (a->kind == AUTH_OAUTH) {
		if (!text_copy(a->token_url, sizeof a->token_url, json_text(j, "token_url", "")) || a->token_url[0] == '\0')
			return fault(l, where, "kind oauth needs token_url");
		if (url_allowed(a->token_url, l->e) < 0)
			return err_wrap(l->e, "%s/token_url", where);
	}
	const char *ca = json_text(j, "ca", NULL);
	return ca != NULL ? path_of(l, where, ca, a->ca, sizeof a->ca) : 0;
}

static int load_kafka(struct loader *l, size_t i, const json_t *j, struct config_source *s)
{
	char where[128];
	at(where, "/sources/%zu", i);
	if (!text_copy(s->brokers, sizeof s->brokers, json_text(j, "brokers", "")) || s->brokers[0] == '\0')
		return fault(l, where, "a kafka source needs brokers (HOST:PORT, at most %zu bytes)", sizeof s->brokers - 1);
	if (json_array_size(json_object_get(j, "topics")) == 0)
		return fault(l, where, "a kafka source needs at least one topic");
	if (load_auth(l, i, json_object_get(j, "auth"), s) < 0)
		return -1;
	const char *group = json_text(j, "group", NULL);
	if (group != NULL)
		text_copy(s->group, sizeof s->group, group);
	else
		snprintf(s->group, sizeof s->group, "%s%sslew-%.60s", s->auth.user, s->auth.user[0] ? "-" : "", s->name);
	return 0;
}

static int load_source(struct loader *l, size_t i, const json_t *j)
{
	struct config_source *s = &l->c->sources[i];
	const char *type = json_text(j, "type", "");
	char where[128];
	text_copy(s->name, sizeof s->name, json_text(j, "name", ""));
	s->type = strcmp(type, "kafka") == 0 ? SOURCE_KAFKA : strcmp(type, "spool") == 0 ? SOURCE_SPOOL : SOURCE_STDIN;
	s->earliest = strcmp(json_text(j, "start", "latest"), "earliest") == 0;
	s->topics = strings(json_object_get(j, "topics"));
	for (size_t k = 0; k < i; k++)
		if (strcmp(l->c->sources[k].name, s->name) == 0)
			return fault(l, at(where, "/sources/%zu/name", i), "\"%s\" is there twice; positions are kept by name", s->name);
	if (s->topics == NULL)
		return err_set(l->e, ERR_MEMORY, "no memory");
	if (s->type != SOURCE_KAFKA && (json_object_get(j, "brokers") || json_object_get(j, "auth") || json_object_get(j, "group")))
		return fault(l, at(where, "/sources/%zu", i), "brokers, group and auth belong to kafka, this is a %s source", type);
	if (s->type == SOURCE_KAFKA)
		return load_kafka(l, i, j, s);
	const char *path = json_text(j, "path", NULL);
	if (s->type == SOURCE_SPOOL && path == NULL)
		return fault(l, at(where, "/sources/%zu", i), "a spool source needs path, the directory of the alert files");
	return path != NULL ? path_of(l, at(where, "/sources/%zu/path", i), path, s->path, sizeof s->path) : 0;
}

static int load_descriptor(struct config_facility *f, const char *dir, struct err *e)
{
	char *text = NULL;
	size_t len = 0;
	if (config_resource("facilities", f->use, dir, &text, &len, e) < 0)
		return -1;
	f->descriptor = json_read(text, len, &json_limits_config, e);
	int rc = f->descriptor != NULL ? schema_check_embedded("schemas/facility.schema.json", f->descriptor, text, len, e) : -1;
	free(text);
	if (rc == 0) {
		text_copy(f->adapter, sizeof f->adapter, json_text(f->descriptor, "adapter", ""));
		if (facility_find(f->adapter) == NULL)
			rc = err_set(e, ERR_INPUT, "/adapter: there is no adapter \"%s\"", f->adapter);
	}
	return rc < 0 ? err_wrap(e, "facility descriptor %s", f->use) : 0;
}

static int load_facility(struct loader *l, size_t i, const json_t *j)
{
	struct config_facility *f = &l->c->facilities[i];
	const char *key = NULL;
	char where[128];
	text_copy(f->name, sizeof f->name, json_text(j, "name", ""));
	text_copy(f->secret, sizeof f->secret, json_text(j, "secret", ""));
	f->accepts_tests = json_flag(j, "accepts_tests", false);
	at(where, "/facilities/%zu/use", i);
	if (!text_copy(f->use, sizeof f->use, json_text(j, "use", "")))
		return fault(l, where, "the path is over %zu bytes", sizeof f->use - 1);
	for (size_t k = 0; k < i; k++)
		if (strcmp(l->c->facilities[k].name, f->name) == 0)
			return fault(l, at(where, "/facilities/%zu/name", i), "\"%s\" is there twice", f->name);
	if (load_descriptor(f, l->dir, l->e) < 0)
		return fault(l, where, "%.700s", l->e->text);
	if (config_too(f, json_object_get(j, "too"), l->e) < 0)
		return fault(l, at(where, "/facilities/%zu/too", i), "%.700s", l->e->text);
	if (config_block(f, json_object_get(j, "block"), l->e) < 0)
		return fault(l, at(where, "/facilities/%zu/block", i), "%.700s", l->e->text);
	if (config_urls(f, json_object_get(j, "urls"), l->dir, &key, l->e) < 0)
		return fault(l, key != NULL ? at(where, "/facilities/%zu/urls/%s", i, key) : where, "%.500s", l->e->text);
	const char *broker = config_url(f, "broker");
	for (size_t k = 0; broker != NULL && k < l->c->source_count; k++)
		if (l->c->sources[k].type == SOURCE_KAFKA && strcmp(l->c->sources[k].name, broker + strlen(CONFIG_KAFKA)) == 0)
			return 0;
	return broker == NULL ? 0 : fault(l, at(where, "/facilities/%zu/urls/broker", i), "%.80s: there is no kafka source of that name in sources", broker);
}

/* ---- names that refer to each other ---- */
static const json_t *named(const json_t *list, const char *name, struct near_best *best)
{
	size_t i;
	json_t *v;
	json_array_foreach(list, i, v) {
		const char *own = json_text(v, "name", "");
		if (strcmp(own, name) == 0)
			return v;
		near_try(best, name, own);
	}
	return NULL;
}

static int must_be_named(struct loader *l, const char *pointer, const char *key, const char *name)
{
	struct near_best best = {0};
	if (named(json_object_get(l->c->body, key), name, &best) != NULL)
		return 0;
	const char *near = near_found(&best, name);
	return fault(l, pointer, "\"%s\" is not in %s%s%s%s; add it there", name, key, near ? ", did you mean \"" : "", near ? near : "",
		near ? "\"?" : "");
}

static int check_programmes(struct loader *l)
{
	const json_t *list = json_object_get(l->c->body, "programmes");
	char where[128];
	size_t i, k;
	json_t *v, *other;
	json_array_foreach(list, i, v) {
		if (must_be_named(l, at(where, "/programmes/%zu/facility", i), "facilities", json_text(v, "facility", "")) < 0)
			return -1;
		struct programme_rules rules;
		struct err e = {0};
		if (programme_rules_read(v, &rules, &e) < 0)
			return fault(l, at(where, "/programmes/%zu", i), "%s", e.text);
		struct when *better = rules.reserve_for ? when_compile(rules.reserve_for, &e) : NULL;
		if (rules.reserve_for != NULL && better == NULL)
			return fault(l, at(where, "/programmes/%zu/reserve/for", i), "%s", e.text);
		when_free(better);
		json_array_foreach(list, k, other)
			if (k < i && strcmp(json_text(other, "name", ""), json_text(v, "name", "")) == 0)
				return fault(l, at(where, "/programmes/%zu/name", i), "\"%s\" is there twice", json_text(v, "name", ""));
	}
	return 0;
}

static int check_ladder(struct loader *l, const char *where, const struct policy *p)
{
	size_t k;
	json_t *rung;
	json_array_foreach(json_object_get(p->body, "ladder"), k, rung) {
		const char *name = json_text(rung, "programme", ""), *facility = json_text(rung, "facility", NULL);
		if (must_be_named(l, where, "programmes", name) < 0)
			return err_wrap(l->e, "policy %s, /ladder/%zu", p->name, k);
		struct near_best none = {0};
		const json_t *programme = named(json_object_get(l->c->body, "programmes"), name, &none);
		if (!programme_of_policy(programme, p->name))
			return fault(l, where, "policy %s, /ladder/%zu: programme \"%s\" may not be triggered by it; add it to may_trigger.policies, or take the rung out",
				p->name, k, name);
		if (facility == NULL)
			continue;
		if (must_be_named(l, where, "facilities", facility) < 0)
			return err_wrap(l->e, "policy %s, /ladder/%zu", p->name, k);
		const char *owner = json_text(programme, "facility", "");
		if (strcmp(owner, facility) != 0)
			return fault(l, where, "policy %s, /ladder/%zu: programme \"%s\" is one of %s, not of %s", p->name, k, name, owner, facility);
	}
	return 0;
}

static int load_policies(struct loader *l)
{
	const json_t *names = json_object_get(l->c->body, "policies");
	struct near_best none = {0};
	char where[128];
	size_t i;
	json_t *name;
	l->c->policies = json_array();
	json_array_foreach(names, i, name) {
		char *text = NULL;
		size_t len = 0;
		at(where, "/policies/%zu", i);
		if (config_resource("policies", json_string_value(name), l->dir, &text, &len, l->e) < 0)
			return fault(l, where, "%.700s", l->e->text);
		struct policy *p = policy_read(text, len, json_string_value(name), l->e);
		free(text);
		if (p == NULL)
			return fault(l, where, "%.700s", l->e->text);
		int rc = check_ladder(l, where, p);
		if (rc == 0 && named(l->c->policies, p->name, &none) != NULL)
			rc = fault(l, where, "there are two policies of the name \"%s\"", p->name);
		json_array_append(l->c->policies, p->body);
		policy_free(p);
		if (rc < 0)
			return -1;
	}
	return 0;
}

/* ---- clock and the rest ---- */
static int all_loopback(struct loader *l)
{
	struct config *c = l->c;
	for (size_t i = 0; i < c->source_count; i++) {
		const struct config_source *s = &c->sources[i];
		if (s->type == SOURCE_KAFKA && !brokers_loopback(s->brokers))
			return fault(l, "/clock", "a virtual clock and a real broker (%s): telescopes of tonight would be asked for another night", s->brokers);
		if (s->auth.token_url[0] != '\0' && strncmp(s->auth.token_url, "https://", 8) == 0)
			return fault(l, "/clock", "a virtual clock and a real log-in (%s)", s->auth.token_url);
	}
	for (size_t i = 0; i < c->facility_count; i++) {
		for (const struct config_url *u = c->facilities[i].urls; u->base[0] != '\0'; u++) {
			if (config_url_local(u->base))
				continue;
			const char *host = strstr(u->base, "://") + 3;
			size_t n = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/");
			if (!host_is_loopback(host, n))
				return fault(l, "/clock", "a virtual clock and a real telescope (%s of %s is %s): give urls on 127.0.0.1, or take clock out",
					u->name, c->facilities[i].name, u->base);
		}
	}
	for (const char **host = c->map_hosts; *host != NULL; host++)
		if (!host_is_loopback(*host, strlen(*host)))
			return fault(l, "/clock", "a virtual clock and a real host in maps.allow (%s)", *host);
	return 0;
}

static int load_clock(struct loader *l)
{
	const json_t *clock = json_object_get(l->c->body, "clock");
	struct config *c = l->c;
	c->clock_rate = 1;
	c->clock_start_us = c->clock_anchor_us = UTC_NONE;
	if (clock == NULL)
		return 0;
	c->virtual_clock = true;
	c->clock_rate = json_number(clock, "rate", 1);
	if (utc_parse(json_text(clock, "start", ""), &c->clock_start_us, l->e) < 0)
		return fault(l, "/clock/start", "%.400s", l->e->text);
	const char *anchor = json_text(clock, "anchor", NULL);
	if (anchor != NULL && utc_parse(anchor, &c->clock_anchor_us, l->e) < 0)
		return fault(l, "/clock/anchor", "%.400s", l->e->text);
	return all_loopback(l);
}

static int load_people(struct loader *l)
{
	struct config *c = l->c;
	const json_t *o = json_object_get(c->body, "operator");
	char path[2048];
	const char *socket = json_text(o, "socket", NULL), *listen = json_text(json_object_get(c->body, "http"), "listen", NULL);
	if (socket != NULL && path_of(l, "/operator/socket", socket, path, sizeof path) < 0)
		return -1;
	if (socket == NULL)
		snprintf(path, sizeof path, "%s.sock", c->state);
	if (!text_copy(c->socket, sizeof c->socket, path))
		return fault(l, socket ? "/operator/socket" : "/state", "the socket's path has %zu bytes, the kernel takes %zu: %.80s…; give operator.socket, such as"
			" /run/slew/slew.sock", strlen(path), sizeof c->socket - 1, path);
	text_copy(c->view_group, sizeof c->view_group, json_text(o, "view_group", ""));
	text_copy(c->act_group, sizeof c->act_group, json_text(o, "act_group", c->view_group));
	if (listen != NULL) {
		const char *colon = strrchr(listen, ':');
		snprintf(c->http_host, sizeof c->http_host, "%.*s", (int)(colon - listen), listen);
		c->http_port = atoi(colon + 1);
		if (!host_is_loopback(c->http_host, strlen(c->http_host)) || c->http_port > 65535)
			return fault(l, "/http/listen", "\"%s\" is no literal loopback address with a port up to 65535", listen);
	}
	return 0;
}

static int load_paths(struct loader *l)
{
	struct config *c = l->c;
	const char *catalog = json_text(c->body, "catalog", NULL), *credentials = json_text(c->body, "credentials_dir", NULL);
	if (path_of(l, "/state", json_text(c->body, "state", ""), c->state, sizeof c->state - 16) < 0)
		return -1;
	if (catalog != NULL && path_of(l, "/catalog", catalog, c->catalog, sizeof c->catalog) < 0)
		return -1;
	const char *dust = json_text(c->body, "dust", NULL), *references = json_text(c->body, "references", NULL),
		   *covered = json_text(c->body, "covered", NULL);
	if ((dust != NULL && path_of(l, "/dust", dust, c->dust, sizeof c->dust) < 0) ||
	    (references != NULL && path_of(l, "/references", references, c->references, sizeof c->references) < 0) ||
	    (covered != NULL && path_of(l, "/covered", covered, c->covered, sizeof c->covered) < 0))
		return -1;
	if (credentials != NULL)
		return path_of(l, "/credentials_dir", credentials, c->credentials_dir, sizeof c->credentials_dir);
	const char *given = getenv("CREDENTIALS_DIRECTORY");
	text_copy(c->credentials_dir, sizeof c->credentials_dir, given ? given : "");
	return 0;
}

static int check_secrets(struct loader *l)
{
	struct config *c = l->c;
	char where[128];
	if (c->credentials_dir[0] != '\0')
		return 0;
	for (size_t i = 0; i < c->source_count; i++)
		if (c->sources[i].auth.secret[0] != '\0')
			return fault(l, at(where, "/sources/%zu/auth/secret", i), "a secret is named, but there is no credentials_dir; add it");
	for (size_t i = 0; i < c->facility_count; i++)
		if (c->facilities[i].secret[0] != '\0')
			return fault(l, at(where, "/facilities/%zu/secret", i), "a secret is named, but there is no credentials_dir; add it");
	return 0;
}

static int load(struct loader *l)
{
	struct config *c = l->c;
	const json_t *sources = json_object_get(c->body, "sources"), *facilities = json_object_get(c->body, "facilities");
	size_t i;
	json_t *v;
	if (schema_check_embedded("schemas/config.schema.json", c->body, l->text, l->len, l->e) < 0 || load_paths(l) < 0 || load_people(l) < 0)
		return -1;
	c->sources = calloc(json_array_size(sources) + 1, sizeof *c->sources);
	c->facilities = calloc(json_array_size(facilities) + 1, sizeof *c->facilities);
	c->map_hosts = strings(json_object_get(json_object_get(c->body, "maps"), "allow"));
	if (c->sources == NULL || c->facilities == NULL || c->map_hosts == NULL)
		return err_set(l->e, ERR_MEMORY, "no memory");
	json_array_foreach(sources, i, v) {
		c->source_count = i + 1;
		if (load_source(l, i, v) < 0)
			return -1;
	}
	json_array_foreach(facilities, i, v) {
		c->facility_count = i + 1;
		if (load_facility(l, i, v) < 0)
			return -1;
	}
	return check_programmes(l) < 0 || load_policies(l) < 0 || load_clock(l) < 0 || check_secrets(l) < 0 ? -1 : 0;
}

int config_load(const char *path, struct config *out, struct err *e)
{
	struct loader l = {.c = out, .e = e};
	char *real = realpath(path, NULL);
	*out = (struct config){0};
	if (real == NULL || strlen(real) >= sizeof out->path) {
		free(real);
		return err_set(e, ERR_INPUT, "config %s: %s; give the path of a configuration file", path, real ? "too long" : strerror(errno));
	}
	text_copy(out->path, sizeof out->path, real);
	text_copy(l.dir, sizeof l.dir, real);
	l.dir[strrchr(l.dir, '/') - l.dir] = '\0';
	free(real);
	int rc = config_resource("config", out->path, NULL, &l.text, &l.len, e);
	if (rc == 0) {
		hash_sha256_hex(l.text, l.len, out->sha256);
		out->body = json_read(l.text, l.len, &json_limits_config, e);
		rc = out->body != NULL ? load(&l) : -1;
	}
	free(l.text);
	if (rc < 0) {
		config_free(out);
		return err_wrap(e, "config %s", path);
	}
	return 0;
}

void config_free(struct config *c)
{
	for (size_t i = 0; i < c->source_count; i++)
		free(c->sources[i].topics);
	for (size_t i = 0; i < c->facility_count; i++)
		json_decref(c->facilities[i].descriptor);
	free(c->sources);
	free(c->facilities);
	free(c->map_hosts);
	json_decref(c->policies);
	json_decref(c->body);
	*c = (struct config){0};
}

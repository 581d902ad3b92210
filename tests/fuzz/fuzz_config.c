/* A configuration's text, whole: schema, names that refer to each other, urls, clock, paths, policies and descriptors. The loader's insides
 * are included, so that the bytes need not pass through a file. */
#include "engine/io/configure.c"
#include "door.h"
#include "tests/lib/embedded.h"

static void check_config(const struct config *c)
{
	struct err e = {0};
	for (size_t i = 0; i < c->facility_count; i++) {
		for (const struct config_url *u = c->facilities[i].urls; u->name[0] != '\0'; u++) {
			must(url_allowed(u->base, &e) == 0);
			must(config_url(&c->facilities[i], u->name) != NULL);
		}
	}
	for (size_t i = 0; i < c->source_count; i++) {
		const struct config_auth *a = &c->sources[i].auth;
		must(a->kind == AUTH_NONE || a->tls || brokers_loopback(c->sources[i].brokers));
		must(a->secret[0] == '\0' || c->credentials_dir[0] != '\0');
	}
	must(c->state[0] == '/' && c->socket[0] == '/');
	must(!c->virtual_clock || (c->clock_rate > 0 && c->clock_start_us != UTC_NONE));
	/* what is journalled names no secret, and is what the core takes */
	json_t *body = config_input(c, "0badcafe", NULL);
	must(body != NULL);
	fuzz_check_json(body, &json_limits_config);
	char *text = json_canonical(body);
	must(text != NULL && strstr(text, "\"auth\"") == NULL && strstr(text, "\"credentials_dir\":") == NULL);
	free(text);
	json_decref(body);
}

static bool run(const uint8_t *bytes, size_t len)
{
	struct config c = {0};
	struct err e = {0};
	struct loader l = {.dir = "/dev/null", .c = &c, .e = &e, .len = len}; /* nothing stands below /dev/null */
	l.text = malloc(len + 1);
	must(l.text != NULL);
	memcpy(l.text, bytes, len);
	l.text[len] = '\0';
	c.body = json_read(l.text, len, &json_limits_config, &e);
	bool is_json = c.body != NULL;
	int rc = is_json ? load(&l) : -1;
	if (rc == 0)
		check_config(&c);
	else
		must((e.kind == ERR_INPUT || e.kind == ERR_LIMIT) && text_printable(e.text, strlen(e.text), sizeof e.text));
	free(l.text);
	config_free(&c);
	return is_json;
}

static void seeds(struct fuzz_seeds *s)
{
	fuzz_seed_text(s, "{\"state\":\"night.db\",\"catalog\":\"cat.fits\",\"credentials_dir\":\"keys\",\"sources\":[{\"name\":\"gcn\",\"type\":\"kafka\",\"brokers\":"
		"\"kafka.example.org:9092\",\"topics\":[\"igwn.gwalert\"],\"start\":\"earliest\",\"group\":\"g\",\"auth\":{\"kind\":\"oauth\",\"user\":\"id\",\"secret\":\"gcn\","
		"\"token_url\":\"https://auth.example.org/token\",\"scope\":\"s\",\"ca\":\"ca.pem\"}},{\"name\":\"hop\",\"type\":\"kafka\",\"brokers\":\"a.example.org:1,b.example.org:2\","
		"\"topics\":[\"a\",\"b\"],\"auth\":{\"kind\":\"scram\",\"user\":\"me\",\"secret\":\"hop\",\"mechanism\":\"SCRAM-SHA-256\",\"tls\":true}},{\"name\":\"files\",\"type\":\"spool\","
		"\"path\":\"/var/spool/alerts\"}],\"facilities\":[{\"name\":\"lco\",\"use\":\"lco\",\"secret\":\"lco\",\"accepts_tests\":true,\"urls\":{\"portal\":\"https://x.example.org/\"}}],"
		"\"programmes\":[{\"name\":\"too-lco\",\"facility\":\"lco\",\"proposal\":\"P\",\"hours\":{\"NORMAL\":10,\"RAPID_RESPONSE\":5},\"triggers\":3}],\"policies\":[\"bns-near\","
		"\"tell-all\"],\"maps\":{\"allow\":[\"gracedb.ligo.org\"]},\"operator\":{\"socket\":\"/run/x.sock\",\"view_group\":\"v\",\"act_group\":\"a\"},\"limits\":{}}");
	fuzz_seed_text(s, "{\"state\":\"s\",\"clock\":{\"start\":\"2026-01-01T00:00:00Z\",\"rate\":60,\"anchor\":\"2026-11-23T10:00:00Z\"},\"sources\":[{\"name\":\"in\",\"type\":\"stdin\"},"
		"{\"name\":\"k\",\"type\":\"kafka\",\"brokers\":\"127.0.0.1:9092\",\"topics\":[\"t\"]}],\"facilities\":[{\"name\":\"lco\",\"use\":\"lco\",\"urls\":{\"portal\":"
		"\"http://127.0.0.1:8000/\",\"archive\":\"http://[::1]:8001\",\"downtime\":\"http://127.0.0.1:8002\"}}],\"programmes\":[],\"policies\":[],\"http\":{\"listen\":\"127.0.0.1:80\"},"
		"\"maps\":{\"allow\":[\"127.0.0.1\"]}}");
	fuzz_seed_text(s, "{\"state\":\"s\",\"sources\":[],\"facilities\":[],\"programmes\":[],\"policies\":[]}");
	fuzz_seed_json(s, embedded_json("facilities/lco.json"));
}

const struct fuzz_door fuzz_config = {.name = "config", .run = run, .mutate = fuzz_mutate_json, .seeds = seeds};

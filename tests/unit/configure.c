/* The configuration: what is taken, what is refused, and where the fault is; urls, what the journal may see. */
#include "test.h"
#include "engine/base/json.h"
#include "engine/base/utc.h"
#include "engine/io/configure.h"
#include <sys/stat.h>

static char dir[64];

static const char good[] =
	"{\"state\": \"night.db\", \"catalog\": \"cat.fits\", \"credentials_dir\": \"keys\",\n"
	" \"sources\": [{\"name\": \"gcn\", \"type\": \"kafka\", \"brokers\": \"kafka.gcn.nasa.gov:9092\", \"topics\": [\"igwn.gwalert\"],\n"
	"   \"start\": \"earliest\", \"auth\": {\"kind\": \"oauth\", \"user\": \"id\", \"secret\": \"gcn\", \"token_url\": \"https://auth.gcn.nasa.gov/oauth2/token\"}},\n"
	"  {\"name\": \"hop\", \"type\": \"kafka\", \"brokers\": \"kafka.scimma.org:9092\", \"topics\": [\"igwn.gwalert\"],\n"
	"   \"auth\": {\"kind\": \"scram\", \"user\": \"me-1234\", \"secret\": \"hop\"}},\n"
	"  {\"name\": \"files\", \"type\": \"spool\", \"path\": \"/var/spool/alerts\"}],\n"
	" \"facilities\": [{\"name\": \"lco\", \"use\": \"FACILITY\", \"secret\": \"lco\"}],\n"
	" \"programmes\": [{\"name\": \"too-lco\", \"facility\": \"lco\", \"proposal\": \"LCO2026B-001\", \"hours\": {\"NORMAL\": 10, \"RAPID_RESPONSE\": 5}}],\n"
	" \"policies\": [\"bns-near\", \"tell-all\"],\n"
	" \"maps\": {\"allow\": [\"gracedb.ligo.org\"]}}\n";

static const char descriptor[] = "{\"schema\":\"facility/1\",\"name\":\"lco\",\"adapter\":\"ocs\",\"title\":\"t\",\"urls\":{\"portal\":\"https://observe.example/\","
	"\"archive\":\"https://archive.example\"},\"visible_delay_s\":60,\"on_doubt\":\"find\",\"can_cancel\":true,\"modes\":[\"NORMAL\"],\"sites\":[{\"code\":\"lsc\","
	"\"name\":\"x\",\"latitude_deg\":-30,\"longitude_deg\":-70,\"elevation_m\":2200}],\"instruments\":[{\"code\":\"i\",\"kind\":\"image\",\"filters\":[\"gp\"]}],\"sources\":[]}";

static void put_file(const char *name, const char *text, char path[128])
{
	snprintf(path, 128, "%s/%s", dir, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* Copies `good` with every `from` replaced by `to`. */
static char *edited(const char *from, const char *to)
{
	struct text t = {.max = 1 << 16};
	const char *s = good, *hit;
	while (from != NULL && (hit = strstr(s, from)) != NULL) {
		text_add(&t, s, (size_t)(hit - s));
		text_puts(&t, to);
		s = hit + strlen(from);
	}
	text_puts(&t, s);
	char *out = t.data, *use = strstr(out, "FACILITY");
	if (use != NULL) {
		struct text u = {.max = 1 << 16};
		text_add(&u, out, (size_t)(use - out));
		text_puts(&u, "./f.json");
		text_puts(&u, use + 8);
		free(out);
		out = u.data;
	}
	return out;
}

static int setup(void **state)
{
	(void)state;
	char path[128];
	strcpy(dir, "/tmp/slew-configure-XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	put_file("f.json", descriptor, path);
	snprintf(path, sizeof path, "%s/keys", dir);
	return mkdir(path, 0700);
}

static int teardown(void **state)
{
	(void)state;
	char command[128];
	snprintf(command, sizeof command, "rm -rf '%s'", dir);
	return system(command);
}

static void a_good_one_is_typed(void **state)
{
	(void)state;
	struct config c;
	struct err e = {0};
	char path[128], want[160];
	char *text = edited(NULL, NULL);
	put_file("c.json", text, path);
	free(text);
	assert_ok(config_load(path, &c, &e), &e);
	snprintf(want, sizeof want, "%s/night.db", dir);
	assert_string_equal(c.state, want);
	snprintf(want, sizeof want, "%s/night.db.sock", dir);
	assert_string_equal(c.socket, want);
	assert_int_equal(c.source_count, 3);
	assert_int_equal(c.sources[0].auth.kind, AUTH_OAUTH);
	assert_string_equal(c.sources[0].auth.mechanism, "OAUTHBEARER");
	assert_true(c.sources[0].auth.tls);
	assert_true(c.sources[0].earliest);
	assert_string_equal(c.sources[0].topics[0], "igwn.gwalert");
	assert_null(c.sources[0].topics[1]);
	assert_string_equal(c.sources[1].group, "me-1234-slew-hop");
	assert_string_equal(c.sources[1].auth.mechanism, "SCRAM-SHA-512");
	assert_int_equal(c.sources[2].type, SOURCE_SPOOL);
	assert_string_equal(c.facilities[0].adapter, "ocs");
	assert_string_equal(config_url(&c.facilities[0], "portal"), "https://observe.example");
	assert_null(config_url(&c.facilities[0], "downtime"));
	assert_int_equal(json_array_size(c.policies), 2);
	assert_string_equal(c.map_hosts[0], "gracedb.ligo.org");
	assert_false(c.virtual_clock);
	json_t *catalog = json_pack("{s:s}", "sha256", "ab");
	json_t *input = config_input(&c, "00c0ffee", catalog);
	char *shown = json_canonical(input);
	assert_null(strstr(shown, "secret"));
	assert_null(strstr(shown, "token_url"));
	assert_null(strstr(shown, "credentials"));
	assert_non_null(strstr(shown, "\"installation\":\"00c0ffee\""));
	assert_non_null(strstr(shown, "bns-near"));
	assert_string_equal(json_text(json_object_get(input, "catalog"), "sha256", ""), "ab");
	free(shown);
	json_decref(input);
	json_decref(catalog);
	config_free(&c);
}

static void faults_have_a_place(void **state)
{
	(void)state;
	static const struct {
		const char *from, *to, *words;
	} cases[] = {
		{"\"state\"", "\"stat\"", "line 1 column 2 (/stat): there is no \"stat\" here; did you mean \"state\"?"},
		{"\"start\": \"earliest\"", "\"start\": \"first\"", "line 3 column 13 (/sources/0/start)"},
		{"\"facility\": \"lco\"", "\"facility\": \"lcoo\"", "did you mean \"lco\"?"},
		{"\"bns-near\"", "\"bns-nera\"", "did you mean \"bns-near\"?"},
		{"\"too-lco\"", "\"too\"", "\"too-lco\" is not in programmes"},
		{"\"FACILITY\"", "\"lcx\"", "is none of the facilities that slew carries"},
		{"\"FACILITY\"", "\"./nothing.json\"", "nothing.json: No such file"},
		{", \"secret\": \"lco\"", ", \"urls\": {\"portal\": \"http://observe.example\"}", "line 7 column 71 (/facilities/0/urls/portal): http://observe.example: plain http"},
		{", \"secret\": \"lco\"", ", \"urls\": {\"portal\": \"https://me:pw@observe.example\"}", "user name"},
		{", \"secret\": \"lco\"", ", \"secret\": \"../lco\"", "does not match"},
		{", \"credentials_dir\": \"keys\"", "", "there is no credentials_dir"},
		{"\"secret\": \"hop\"", "\"secret\": \"hop\", \"tls\": false", "without TLS"},
		{", \"secret\": \"hop\"", "", "needs user and secret"},
		{"\"name\": \"hop\"", "\"name\": \"gcn\"", "there twice"},
		{"https://auth", "http://auth", "plain http"},
		{", \"path\": \"/var/spool/alerts\"", "", "needs path"},
		{"\"topics\": [\"igwn.gwalert\"],", "\"topics\": [],", "at least one topic"},
		{"\"maps\"", "\"clock\": {\"start\": \"2026-01-01T00:00:00Z\"}, \"maps\"", "(/clock): a virtual clock and a real broker"},
		{"\"maps\"", "\"http\": {\"listen\": \"0.0.0.0:80\"}, \"maps\"", "/http/listen"},
		{"\"maps\"", "\"limits\": {\"depth\": 1}, \"maps\"", "(/limits/depth): there is no \"depth\" here"},
		{"\"NORMAL\": 10", "\"NORMAL\": -1", "-1 is below 0"},
		{"\"RAPID_RESPONSE\": 5}", "\"RAPID_RESPONSE\": 5}, \"blocked_nights\": [\"2027-02-30\"]", "(/programmes/0): blocked_nights/0: \"2027-02-30\" is no date"},
		{"\"RAPID_RESPONSE\": 5}", "\"RAPID_RESPONSE\": 5}, \"may_trigger\": {\"policies\": [\"other\"]}", "may not be triggered by it; add it to may_trigger.policies"},
		{"\"RAPID_RESPONSE\": 5}", "\"RAPID_RESPONSE\": 5}, \"max_visit_h\": 0", "max_visit_h"},
		{"}}\n", "}\n", "JSON line"},
		{"\"night.db\"", "7", "line 1 column 11 (/state): this is an integer"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct config c;
		struct err e = {0};
		char path[128], *text = edited(cases[i].from, cases[i].to);
		put_file("c.json", text, path);
		free(text);
		if (config_load(path, &c, &e) == 0)
			fail_msg("taken: %s → %s", cases[i].from, cases[i].to);
		if (strstr(e.text, cases[i].words) == NULL)
			fail_msg("%s → %s: %s", cases[i].from, cases[i].to, e.text);
	}
}

static void a_virtual_night_stays_at_home(void **state)
{
	(void)state;
	struct config c;
	struct err e = {0};
	char path[128];
	static const char text[] = "{\"state\":\"s.db\",\"clock\":{\"start\":\"2026-01-01T00:00:00Z\",\"rate\":60,\"anchor\":\"2026-11-23T10:00:00Z\"},"
		"\"sources\":[{\"name\":\"k\",\"type\":\"kafka\",\"brokers\":\"127.0.0.1:1234\",\"topics\":[\"t\"]}],"
		"\"facilities\":[{\"name\":\"lco\",\"use\":\"./f.json\",\"urls\":{\"portal\":\"http://127.0.0.1:8080\",\"archive\":\"http://[::1]:8080/x/\"}}],"
		"\"programmes\":[],\"policies\":[\"tell-all\"]}";
	put_file("v.json", text, path);
	assert_ok(config_load(path, &c, &e), &e);
	char out[32];
	assert_true(c.virtual_clock && c.clock_rate == 60);
	assert_string_equal(utc_format_s(out, c.clock_anchor_us), "2026-11-23T10:00:00Z");
	assert_false(c.sources[0].auth.tls);
	assert_string_equal(config_url(&c.facilities[0], "archive"), "http://[::1]:8080/x");
	config_free(&c);
}

/* Rubin's two doors: files of this computer, labels that somebody follows, members that replace the descriptor's. */
static void files_and_labels(void **state)
{
	static const struct {
		const char *facility, *word;
	} bad[] = {
		{"\"name\": \"lco\", \"use\": \"rubin-simonyi\", \"urls\": {\"exchange\": \"https://x.example\"}", "exchange"},
		{"\"name\": \"lco\", \"use\": \"rubin-simonyi\", \"urls\": {\"proxy\": \"http://x.example\"}", "plain http"},
		{"\"name\": \"lco\", \"use\": \"rubin-simonyi\", \"too\": {\"labels\": [{\"policy\": \"a\", \"label\": \"GW_case_Gold\"}]}", "no survey"},
		{"\"name\": \"lco\", \"use\": \"rubin-simonyi\", \"too\": {\"transport\": \"pigeon\"}", "pigeon"},
		{"\"name\": \"lco\", \"use\": \"rubin-simonyi\", \"block\": {}", "rubin-block"},
		{"\"name\": \"lco\", \"use\": \"lco\", \"too\": {}", "rubin-too"},
	};
	char path[128], wanted[200];
	struct config c;
	struct err e = {0};
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		char *text = edited("\"name\": \"lco\", \"use\": \"FACILITY\", \"secret\": \"lco\"", bad[i].facility);
		put_file("bad.json", text, path);
		assert_int_equal(config_load(path, &c, &e), -1);
		if (strstr(e.text, bad[i].word) == NULL || strstr(e.text, "/facilities/0") == NULL)
			fail_msg("\"%s\" does not say \"%s\"", e.text, bad[i].word);
		free(text);
	}
	char *text = edited("\"name\": \"lco\", \"use\": \"FACILITY\", \"secret\": \"lco\"", "\"name\": \"lco\", \"use\": \"rubin-simonyi\", \"urls\": {\"exchange\": \"file:too.db\"},"
			   "\"too\": {\"transport\": \"file\", \"labels\": [{\"policy\": \"mine\", \"label\": \"GW_case_D-mine\"}]}");
	put_file("good.json", text, path);
	free(text);
	assert_ok(config_load(path, &c, &e), &e);
	char *real = realpath(dir, NULL);
	snprintf(wanted, sizeof wanted, "file:%s/too.db", real);
	assert_string_equal(config_url(&c.facilities[0], "exchange"), wanted);
	const json_t *too = json_object_get(c.facilities[0].descriptor, "too");
	assert_string_equal(json_text(too, "transport", ""), "file");
	assert_int_equal(json_array_size(json_object_get(too, "labels")), 1); /* the descriptor's are replaced */
	assert_string_equal(json_text(too, "topic", ""), "lsst.scimma.too_alert");
	json_t *journal = config_input(&c, "0badcafe", NULL);
	char *shown = json_dumps(json_object_get(journal, "config"), 0);
	assert_null(strstr(shown, "too.db"));
	free(shown);
	free(real);
	json_decref(journal);
	config_free(&c);
}

static void loopback_is_literal(void **state)
{
	(void)state;
	static const char *const yes[] = {"127.0.0.1", "127.9.8.7", "::1", "[::1]"};
	static const char *const no[] = {"localhost", "127.0.0.1.example", "0.0.0.0", "10.0.0.1", "", "[::2]", "0x7f.1", "2130706433", "127.1"};
	for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++)
		assert_true(host_is_loopback(yes[i], strlen(yes[i])));
	for (size_t i = 0; i < sizeof no / sizeof no[0]; i++)
		if (host_is_loopback(no[i], strlen(no[i])))
			fail_msg("%s", no[i]);
	static const char *const bad[] = {"ftp://x", "http://localhost:1", "https://", "https://a@b", "https://a?b", "https://a:x", "https://a b", "http://127.0.0.1.nip.io",
		"https://[::1]evil.example", "http://127.0.0.1@evil.example", "https://a\\b"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct err e = {0};
		if (url_allowed(bad[i], &e) == 0)
			fail_msg("%s", bad[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(a_good_one_is_typed), cmocka_unit_test(files_and_labels), cmocka_unit_test(faults_have_a_place),
		cmocka_unit_test(a_virtual_night_stays_at_home), cmocka_unit_test(loopback_is_literal)};
	return cmocka_run_group_tests(tests, setup, teardown);
}

/* The carrier against a server that drops, halves, delays and redirects: what was sent is said truly, and a `once` call leaves once. */
#include "test.h"
#include "answerer.h"
#include "engine/base/text.h"
#include "engine/io/http.h"
#include "engine/io/redact.h"
#include "engine/io/secret.h"
#include "engine/io/token.h"
#include <curl/curl.h>
#include <sys/stat.h>

struct seen {
	int count, status, retry_after;
	enum sent sent;
	char body[256], transport[256];
	size_t len;
};

static void on_done(void *ctx, int64_t id, struct reply *r, char *body)
{
	struct seen *s = ctx;
	(void)id;
	s->count++;
	s->status = r->status;
	s->sent = r->sent;
	s->retry_after = (int)r->retry_after_s;
	s->len = r->len;
	snprintf(s->body, sizeof s->body, "%.200s", body);
	snprintf(s->transport, sizeof s->transport, "%s", r->transport);
}

struct carrier {
	uv_loop_t loop;
	struct http *http;
	struct seen seen;
};

static void carrier_open(struct carrier *c)
{
	struct err e = {0};
	memset(c, 0, sizeof *c);
	assert_int_equal(uv_loop_init(&c->loop), 0);
	c->http = http_open(&c->loop, on_done, &c->seen, &e);
	assert_non_null(c->http);
}

static void carrier_close(struct carrier *c)
{
	http_close(c->http);
	uv_run(&c->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&c->loop), 0); /* no handle is left */
}

static void carry(struct carrier *c, int port, const char *method, const char *body, bool once, long timeout_ms)
{
	char url[64];
	struct err e = {0};
	int before = c->seen.count;
	snprintf(url, sizeof url, "http://127.0.0.1:%d/api/x/", port);
	struct http_job job = {.method = method, .url = url, .content_type = "application/json", .body = body,
		.body_len = body != NULL ? strlen(body) : 0, .authorization = "Token abcdefgh12345678", .once = once, .timeout_ms = timeout_ms};
	assert_ok(http_send(c->http, 7, &job, &e), &e);
	while (c->seen.count == before)
		uv_run(&c->loop, UV_RUN_ONCE);
	assert_int_equal(c->seen.count, before + 1);
}

static void one(const char *line, const char *method, long timeout_ms, struct seen *seen, char *log, size_t size)
{
	const char *script[] = {line, NULL};
	struct answerer a;
	struct carrier c;
	assert_int_equal(answerer_start(&a, script), 0);
	carrier_open(&c);
	carry(&c, a.port, method, strcmp(method, "POST") == 0 ? "{\"n\":1}" : NULL, true, timeout_ms);
	*seen = c.seen;
	carrier_close(&c);
	answerer_stop(&a, log, size);
}

static void test_answers(void **state)
{
	struct seen s;
	char log[4096];
	(void)state;
	one("ok {\"id\":5}", "POST", 5000, &s, log, sizeof log);
	assert_int_equal(s.sent, SENT_ANSWERED);
	assert_int_equal(s.status, 200);
	assert_string_equal(s.body, "{\"id\":5}");
	assert_int_equal(s.retry_after, -1);
	assert_string_equal(log, "POST /api/x/|Token abcdefgh12345678|{\"n\":1}\n");
	one("chunk {\"id\":6}", "GET", 5000, &s, log, sizeof log);
	assert_string_equal(s.body, "{\"id\":6}");
	one("after 429 {}", "GET", 5000, &s, log, sizeof log);
	assert_int_equal(s.status, 429);
	assert_int_equal(s.retry_after, 120);
	one("status 502 <html>", "POST", 5000, &s, log, sizeof log);
	assert_int_equal(s.status, 502);
	assert_int_equal(s.sent, SENT_ANSWERED);
}

static void test_redirect_is_an_answer(void **state)
{
	struct seen s;
	char log[4096];
	(void)state;
	one("redirect http://127.0.0.1:1/elsewhere", "POST", 5000, &s, log, sizeof log);
	assert_int_equal(s.sent, SENT_ANSWERED);
	assert_int_equal(s.status, 302);
	assert_string_equal(log, "POST /api/x/|Token abcdefgh12345678|{\"n\":1}\n");
}

static void test_doubts(void **state)
{
	struct seen s;
	char log[4096];
	(void)state;
	const char *const lines[] = {"read-drop", "half {\"id\":", "slow 2000 {}", "huge 9000000"};
	for (size_t i = 0; i < 4; i++) {
		one(lines[i], "POST", 600, &s, log, sizeof log);
		assert_int_equal(s.sent, SENT_MAYBE);
		assert_int_equal(s.status, 0);
		assert_int_not_equal(s.transport[0], 0);
		assert_string_equal(log, "POST /api/x/|Token abcdefgh12345678|{\"n\":1}\n"); /* once, not twice */
	}
}

static void test_not_sent(void **state)
{
	struct carrier c;
	struct answerer a;
	char log[64];
	const char *script[] = {NULL};
	(void)state;
	assert_int_equal(answerer_start(&a, script), 0); /* a port that nobody listens on any more */
	answerer_stop(&a, log, sizeof log);
	carrier_open(&c);
	carry(&c, a.port, "POST", "{}", true, 2000);
	assert_int_equal(c.seen.sent, SENT_NO);
	carrier_close(&c);
}

/* libcurl re-sends a POST by itself when a kept-alive connection has died: not for a `once` call. */
static void test_once_is_once(void **state)
{
	const char *script[] = {"ok {}", "read-drop", "ok {}", NULL};
	struct answerer a;
	struct carrier c;
	char log[4096];
	(void)state;
	assert_int_equal(answerer_start(&a, script), 0);
	carrier_open(&c);
	carry(&c, a.port, "GET", NULL, false, 3000);
	assert_int_equal(c.seen.sent, SENT_ANSWERED);
	carry(&c, a.port, "POST", "{\"n\":2}", true, 3000); /* on a connection of its own: "ok" of the third line or a doubt, but one request */
	carrier_close(&c);
	usleep(200000); /* the server reads the second connection after the first has closed */
	answerer_stop(&a, log, sizeof log);
	const char *first = strstr(log, "{\"n\":2}");
	assert_non_null(first);
	assert_null(strstr(first + 1, "{\"n\":2}"));
}

static void test_method_and_close(void **state)
{
	struct carrier c;
	struct err e = {0};
	(void)state;
	carrier_open(&c);
	struct http_job job = {.method = "TRACE", .url = "http://127.0.0.1:1/", .content_type = "", .timeout_ms = 100};
	assert_int_equal(http_send(c.http, 1, &job, &e), -1);
	assert_int_equal(e.kind, ERR_INPUT);
	job.method = "GET";
	assert_ok(http_send(c.http, 2, &job, &e), &e);
	assert_int_equal(http_busy(c.http), 1);
	carrier_close(&c); /* in flight: given up, not called back */
	assert_int_equal(c.seen.count, 0);
}

static void test_url(void **state)
{
	struct err e = {0};
	char *url = NULL;
	(void)state;
	assert_ok(http_url("https://observe.example.org", "/api/requestgroups/", "name=slew-1&limit=100", &url, &e), &e);
	assert_string_equal(url, "https://observe.example.org/api/requestgroups/?name=slew-1&limit=100");
	free(url);
	const char *const bad[][3] = {{"http://observe.example.org", "/x", ""}, {"https://a.org", "x", ""}, {"https://a.org", "//evil.org/", ""},
		{"https://a.org", "/x y", ""}, {"https://a.org", "/x\r\nHost: b", ""}, {"https://a.org", "/../x", ""}, {"https://a.org", "/x", "a b"},
		{"https://u:p@a.org", "/x", ""}, {"http://localhost:80", "/x", ""}, {"file:///etc", "/x", ""}, {"https://a.org", "/x?y", ""}};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		e = (struct err){0};
		if (http_url(bad[i][0], bad[i][1], bad[i][2], &url, &e) == 0)
			fail_msg("taken: %s", url);
	}
}

static void secret_file(const char *dir, const char *name, const char *text, mode_t mode)
{
	char path[300];
	snprintf(path, sizeof path, "%s/%s", dir, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	chmod(path, mode);
}

static void test_secrets(void **state)
{
	char dir[] = "/tmp/slew-secretXXXXXX", path_fifo[64];
	struct secrets s = {0};
	struct err e = {0};
	(void)state;
	assert_non_null(mkdtemp(dir));
	secret_file(dir, "good", "s3cr3t+Canary/0001\n", 0600);
	secret_file(dir, "open", "s3cr3t+Canary/0001\n", 0644);
	secret_file(dir, "short", "abc\n", 0600);
	assert_ok(secrets_load(&s, dir, "good", &e), &e);
	assert_string_equal(secrets_value(&s, "good"), "s3cr3t+Canary/0001");
	assert_int_equal(secrets_load(&s, dir, "open", &e), -1);
	assert_int_equal(secrets_load(&s, dir, "short", &e), -1);
	assert_int_equal(secrets_load(&s, dir, "../good", &e), -1);
	assert_int_equal(secrets_load(&s, dir, "absent", &e), -1);
	snprintf(path_fifo, sizeof path_fifo, "%s/fifo", dir); /* must not hold the engine up */
	assert_int_equal(mkfifo(path_fifo, 0600), 0);
	assert_int_equal(secrets_load(&s, dir, "fifo", &e), -1);
	unlink(path_fifo);
	assert_null(secrets_value(&s, "open"));
	/* raw; base64 of user:secret; percent-encoded */
	char body[] = "{\"a\":\"s3cr3t+Canary/0001\",\"b\":\"dXNlcjpzM2NyM3QrQ2FuYXJ5LzAwMDE=\",\"c\":\"s3cr3t%2BCanary%2F0001\",\"d\":\"s3cr3t%2bCanary%2f0001\"}";
	assert_int_equal(secrets_blank(&s, body, strlen(body)), 4);
	assert_null(strstr(body, "Canary"));
	assert_null(strstr(body, "Q2FuYXJ5"));
	secrets_free(&s);
	char command[64];
	snprintf(command, sizeof command, "rm -r %s", dir);
	assert_int_equal(system(command), 0);
}

static void test_token(void **state)
{
	const char *script[] = {"ok {\"access_token\":\"abc.def\",\"expires_in\":900}", "status 401 {\"error\":\"invalid_client\"}", NULL};
	struct answerer a;
	struct err e = {0};
	struct token_order o = {.client = "me", .scope = "gcn.nasa.gov/kafka-public-consumer", .secret = strdup("s3cr3t+Canary")};
	char *token = NULL, log[2048];
	int64_t lifetime_s = 0;
	(void)state;
	assert_int_equal(answerer_start(&a, script), 0);
	snprintf(o.url, sizeof o.url, "http://127.0.0.1:%d/oauth2/token", a.port);
	assert_ok(token_fetch(&o, &token, &lifetime_s, &e), &e);
	assert_string_equal(token, "abc.def");
	assert_int_equal(lifetime_s, 900);
	free(token);
	assert_int_equal(token_fetch(&o, &token, &lifetime_s, &e), -1);
	assert_non_null(strstr(e.text, "invalid_client"));
	assert_null(strstr(e.text, "Canary"));
	assert_int_equal(answerer_stop(&a, log, sizeof log), 2);
	assert_non_null(strstr(log, "POST /oauth2/token|Basic bWU6czNjcjN0K0NhbmFyeQ==|grant_type=client_credentials&scope=gcn.nasa.gov%2Fkafka-public-consumer\n"));
	text_copy(o.url, sizeof o.url, "http://auth.example.org/token"); /* plain http to a host that is not this machine */
	assert_int_equal(token_fetch(&o, &token, &lifetime_s, &e), -1);
	token_order_free(&o);
}

static void test_redact(void **state)
{
	const char *body = "{\"user\":1,\"profile\":{\"tokens\":{\"api\":\"abc\"},\"n\":2},\"url\":\"https://s3/x.fits?X-Amz-Signature=q&b=1\"}";
	json_t *names = json_pack("[s]", "tokens");
	const struct secrets none = {0};
	size_t len = 0;
	(void)state;
	char *out = redact(body, strlen(body), names, &none, &len);
	assert_non_null(out);
	assert_int_equal(len, strlen(out));
	assert_string_equal(out, "{\"user\":1,\"profile\":{\"tokens\":\"(redacted)\",\"n\":2},\"url\":\"https://s3/x.fits\"}");
	free(out);
	assert_null(redact("{\"a\":1}", 7, names, &none, &len));
	assert_null(redact("tokens <html>", 13, names, &none, &len));
	static const char *const hidden[] = {"{\"profile\":{\"tokens\":{\"api\":\"abc\"", "{\"tok\\u0065ns\":\"abc\"}", "{\"tok\\u0065ns\":\"abc\"",
		"<Error>https://s3/x?X-Amz-Signature=abc</Error>", "\xff{\"tokens\":\"abc\"}"};
	for (size_t i = 0; i < sizeof hidden / sizeof hidden[0]; i++) { /* cut off, escaped, not JSON: not kept, or taken out */
		out = redact(hidden[i], strlen(hidden[i]), names, &none, &len);
		assert_non_null(out);
		assert_null(strstr(out, "abc"));
		assert_int_equal(len, strlen(out));
		free(out);
	}
	json_decref(names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_answers), cmocka_unit_test(test_redirect_is_an_answer),
		cmocka_unit_test(test_doubts), cmocka_unit_test(test_not_sent), cmocka_unit_test(test_once_is_once),
		cmocka_unit_test(test_method_and_close), cmocka_unit_test(test_url), cmocka_unit_test(test_secrets), cmocka_unit_test(test_token), cmocka_unit_test(test_redact)};
	curl_global_init(CURL_GLOBAL_DEFAULT);
	int rc = cmocka_run_group_tests(tests, NULL, NULL);
	curl_global_cleanup();
	return rc;
}

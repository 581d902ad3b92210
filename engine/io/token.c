/* POST grant_type=client_credentials with HTTP Basic: see token.h. RFC 6749 §4.4. */
#include "engine/io/token.h"
#include "engine/base/json.h"
#include "engine/base/text.h"
#include "engine/io/configure.h"
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#define TOKEN_REPLY_BYTES 65536

void token_order_free(struct token_order *o)
{
	if (o->secret != NULL) {
		explicit_bzero(o->secret, strlen(o->secret));
		free(o->secret);
		o->secret = NULL;
	}
}

static size_t on_body(char *bytes, size_t size, size_t n, void *ctx)
{
	struct text *t = ctx;
	text_add(t, bytes, size * n);
	return t->failed ? 0 : size * n;
}

static CURLcode setup(CURL *c, const struct token_order *o, const char *form, struct text *reply, char *why)
{
	CURLcode bad = CURLE_OK;
#define SET(option, value) bad = bad != CURLE_OK ? bad : curl_easy_setopt(c, option, value)
	SET(CURLOPT_URL, o->url);
	SET(CURLOPT_ERRORBUFFER, why);
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_TIMEOUT_MS, 20000L);
	SET(CURLOPT_USERAGENT, "slew/" SLEW_VERSION);
	SET(CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
	SET(CURLOPT_USERNAME, o->client);
	SET(CURLOPT_PASSWORD, o->secret);
	SET(CURLOPT_POSTFIELDS, form);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, reply);
	if (o->ca[0] != '\0')
		SET(CURLOPT_CAINFO, o->ca);
#undef SET
	return bad;
}

/* The server's error word ("invalid_client") may be shown; nothing else of its reply is. */
static int reply_read(const struct text *reply, long status, const struct token_order *o, char **token, int64_t *lifetime_s, struct err *e)
{
	struct err unread = {0};
	json_t *value = json_read(reply->data != NULL ? reply->data : "", reply->len, &json_limits_config, &unread);
	const char *text = json_text(value, "access_token", "");
	int64_t seconds = json_int(value, "expires_in", 3600);
	int rc = 0;
	if (status != 200 || text[0] == '\0')
		rc = err_set(e, ERR_REFUSED, "token from %s: status %ld %.60s; look at the client id and its secret", o->url, status,
			json_text(value, "error", ""));
	else if ((*token = strdup(text)) == NULL)
		rc = err_set(e, ERR_MEMORY, "token from %s: no memory", o->url);
	*lifetime_s = seconds < 60 ? 60 : seconds > 86400 ? 86400 : seconds;
	json_decref(value);
	return rc;
}

int token_fetch(const struct token_order *o, char **token, int64_t *lifetime_s, struct err *e)
{
	char why[CURL_ERROR_SIZE] = "";
	struct text form = {.max = 4096}, reply = {.max = TOKEN_REPLY_BYTES};
	if (url_allowed(o->url, e) != 0)
		return -1;
	CURL *c = curl_easy_init();
	text_puts(&form, "grant_type=client_credentials");
	if (o->scope[0] != '\0') {
		text_puts(&form, "&scope=");
		text_url(&form, o->scope);
	}
	int rc = -1;
	CURLcode code = c == NULL || form.failed ? CURLE_OUT_OF_MEMORY : setup(c, o, form.data, &reply, why);
	if (code == CURLE_OK)
		code = curl_easy_perform(c);
	long status = 0;
	if (code != CURLE_OK)
		err_set(e, ERR_SYSTEM, "token from %s: %s", o->url, why[0] != '\0' ? why : curl_easy_strerror(code));
	else if (curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK)
		rc = reply_read(&reply, status, o, token, lifetime_s, e);
	curl_easy_cleanup(c);
	if (reply.data != NULL)
		explicit_bzero(reply.data, reply.len);
	text_free(&reply);
	text_free(&form);
	return rc;
}

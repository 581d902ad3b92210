/* What becomes of a reply before it is journalled: our secrets blanked, named members and signed queries taken out. Whatever the facility
 * writes, and however it escapes it, no form of a secret is in what is kept, neither as it stands nor as JSON reads it. */
#include "door.h"
#include "engine/base/json.h"
#include "engine/io/redact.h"
#include "engine/io/secret.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const values[] = {"s3cr3t+Canary/0001", "p\"q\\r\xc5\x82/\xf0\x9f\x94\xad-99"}; /* one as tokens are, one as people choose them */
static struct secrets secrets;
static json_t *names;

static void fixture(void)
{
	char dir[] = "/tmp/slew-fuzz-XXXXXX", path[64];
	struct err e = {0};
	must(mkdtemp(dir) != NULL);
	for (int i = 0; i < 2; i++) {
		char name[4] = {(char)('a' + i), 0};
		snprintf(path, sizeof path, "%s/%s", dir, name);
		FILE *f = fopen(path, "w");
		must(f != NULL && fputs(values[i], f) >= 0 && fclose(f) == 0 && chmod(path, 0600) == 0);
		must(secrets_load(&secrets, dir, name, &e) == 0);
		unlink(path);
	}
	rmdir(dir);
	names = json_pack("[s,s]", "tokens", "api_token");
}

static bool free_of_secrets(const char *bytes, size_t len)
{
	char *copy = malloc(len + 1);
	must(copy != NULL);
	memcpy(copy, bytes, len);
	bool none = secrets_blank(&secrets, copy, len) == 0;
	free(copy);
	return none;
}

static void check_value(const json_t *v)
{
	const char *key;
	json_t *sub;
	size_t i;
	must(!json_is_string(v) || free_of_secrets(json_string_value(v), json_string_length(v)));
	must(!json_is_string(v) || strchr(json_string_value(v), '?') == NULL || strstr(json_string_value(v), "X-Amz-Signature=") == NULL);
	json_array_foreach(v, i, sub)
		check_value(sub);
	json_object_foreach((json_t *)v, key, sub) {
		must(free_of_secrets(key, strlen(key)));
		must((strcmp(key, "tokens") != 0 && strcmp(key, "api_token") != 0) || (json_is_string(sub) && strcmp(json_string_value(sub), "(redacted)") == 0));
		check_value(sub);
	}
}

static bool run(const uint8_t *bytes, size_t len)
{
	if (names == NULL)
		fixture();
	char *body = malloc(len + 1), *clean;
	size_t kept = len;
	struct err e = {0};
	must(body != NULL);
	memcpy(body, bytes, len);
	body[len] = '\0';
	size_t blanked = secrets_blank(&secrets, body, len);
	clean = redact(body, len, names, &secrets, &kept);
	const char *is = clean != NULL ? clean : body;
	must(clean == NULL ? kept == len : kept == strlen(clean));
	must(free_of_secrets(is, kept));
	json_t *value = json_read(is, kept, &json_limits_reply, &e);
	if (value != NULL)
		check_value(value);
	bool reached = blanked > 0 || clean != NULL;
	json_decref(value);
	free(clean);
	free(body);
	return reached;
}

static void seeds(struct fuzz_seeds *s)
{
	static const char *const texts[] = {"{\"detail\":\"Token s3cr3t+Canary/0001 is bad\"}", "{\"detail\":\"s3cr3t+Canary\\/0001\"}", "{\"detail\":\"\\u0073\\u0033cr3t+Canary/0001\"}",
		"{\"s3cr3t\\u002bCanary/0001\":1}", "{\"a\":\"p\\\"q\\\\r\\u0142/\\ud83d\\udd2d-99\"}", "{\"a\":\"dXNlcjpzM2NyM3QrQ2FuYXJ5LzAwMDE=\"}", "{\"a\":\"s3cr3t%2BCanary%2F0001\"}",
		"{\"profile\":{\"tokens\":{\"api\":\"abc\"},\"n\":[1,\"https://s3/x.fits?X-Amz-Signature=q&b=1\"]}}", "{\"tok\\u0065ns\":\"abc\"", "<Error>https://s3/x?X-Amz-Signature=abc</Error>",
		"{\"results\":[],\"next\":null}", "s3cr3t+Canary\\/0001 <html>", "[\"s3cr3t+Canary/0001\",{\"api_token\":null}]"};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		fuzz_seed_text(s, texts[i]);
}

const struct fuzz_door fuzz_reply_secrets = {.name = "reply_secrets", .run = run, .mutate = fuzz_mutate_json, .seeds = seeds};

/* Every LVK JSON alert of the reference data: decoded, of the normal form, and the map's bytes are those of the file. */
#include "test.h"
#include "engine/alert/alert.h"
#include "engine/base/hash.h"
#include "engine/base/json.h"
#include "engine/base/schema.h"
#include <dirent.h>
#include <openssl/evp.h>

static char *slurp(const char *path, size_t *len)
{
	FILE *f = fopen(path, "rb");
	assert_non_null(f);
	char *buf = malloc(LIMIT_ALERT_BYTES);
	*len = fread(buf, 1, LIMIT_ALERT_BYTES, f);
	fclose(f);
	return buf;
}

/* The same alert by the plain road: the whole text through the parser, base64 of the map from there. */
static void compare(const char *name, const char *bytes, size_t len, const struct alert *a)
{
	json_error_t je;
	struct err e = {0};
	json_t *root = json_loadb(bytes, len, 0, &je), *event = json_object_get(root, "event");
	const char *map = json_text(json_object_get(root, "external_coinc"), "combined_skymap", NULL);
	if (map == NULL)
		map = json_text(event, "skymap", NULL);
	unsigned char *want = NULL;
	size_t n = 0;
	assert_string_equal(a->event, json_text(root, "superevent_id", ""));
	assert_string_equal(alert_type_name(a->type), json_text(root, "alert_type", ""));
	if (map == NULL || strstr(name, "displayexample") != NULL) { /* those maps end in "..." */
		assert_null(a->map);
		assert_int_equal(a->map_error[0] != '\0', map != NULL);
	} else {
		assert_ok(base64_decode(map, strlen(map), LIMIT_MAP_COMPRESSED, &want, &n, &e), &e);
		assert_int_equal(n, a->map_len);
		size_t chars = strlen(map), pad = (chars > 0 && map[chars - 1] == '=') + (chars > 1 && map[chars - 2] == '=');
		unsigned char *theirs = malloc(chars); /* and by another decoder */
		assert_int_equal(EVP_DecodeBlock(theirs, (const unsigned char *)map, (int)chars), (int)(n + pad));
		assert_memory_equal(theirs, want, n);
		free(theirs);
		assert_memory_equal(want, a->map, n);
		assert_memory_equal(a->map, "SIMPLE  =", 9);
	}
	if (json_is_object(event))
		assert_true(a->far_hz == json_number(event, "far", -1));
	free(want);
	json_decref(root);
}

static void every_alert_of_the_data(void **state)
{
	(void)state;
	char dir[512], path[1024];
	int good = 0, refused = 0;
	shared_path(dir, "data/alerts/igwn_json");
	DIR *d = opendir(dir);
	for (struct dirent *f = readdir(d); f != NULL; f = readdir(d)) {
		struct alert a;
		struct err e = {0};
		size_t len = 0;
		if (strstr(f->d_name, ".json") == NULL || strncmp(f->d_name, "schema", 6) == 0)
			continue;
		snprintf(path, sizeof path, "%s/%s", dir, f->d_name);
		char *bytes = slurp(path, &len);
		int rc = alert_decode(bytes, len, f->d_name, &a, &e);
		if (strstr(f->d_name, "S2376") != NULL) { /* its superevent_id is null */
			assert_int_equal(rc, -1);
			assert_non_null(strstr(e.text, "superevent_id is null"));
			refused++;
		} else {
			if (rc < 0)
				fail_msg("%s: %s", f->d_name, e.text);
			json_t *normal = alert_json(&a, "igwn.gwalert");
			if (schema_check_embedded("schemas/alert.schema.json", normal, NULL, 0, &e) < 0)
				fail_msg("%s: %s", f->d_name, e.text);
			assert_true(a.is_test); /* all of them are mock alerts */
			compare(f->d_name, bytes, len, &a);
			json_decref(normal);
			alert_free(&a);
			good++;
		}
		free(bytes);
	}
	closedir(d);
	assert_int_equal(refused, 1);
	assert_true(good >= 22);
}

/* What Hopskotch sends in Avro is what GCN sends in JSON. */
static void avro_as_json(void **state)
{
	(void)state;
	char dir[512], path[1024];
	int same = 0;
	shared_path(dir, "data/alerts/igwn_avro");
	DIR *d = opendir(dir);
	for (struct dirent *f = readdir(d); f != NULL; f = readdir(d)) {
		struct alert a[2];
		struct err e = {0};
		char *texts[2];
		if (strstr(f->d_name, ".avro") == NULL)
			continue;
		for (int i = 0; i < 2; i++) {
			size_t len = 0;
			snprintf(path, sizeof path, "%.400s%s/%.*s.%s", dir, i ? "/../igwn_json" : "", (int)strlen(f->d_name) - 5, f->d_name, i ? "json" : "avro");
			char *bytes = slurp(path, &len);
			assert_ok(alert_decode(bytes, len, NULL, &a[i], &e), &e);
			json_t *normal = alert_json(&a[i], NULL);
			json_object_del(normal, "revision_key");
			texts[i] = json_canonical(normal);
			json_decref(normal);
			alert_free(&a[i]);
			free(bytes);
		}
		assert_string_equal(texts[0], texts[1]);
		free(texts[0]);
		free(texts[1]);
		same++;
	}
	closedir(d);
	assert_int_equal(same, 6);
}

static void one_alert_in_full(void **state)
{
	(void)state;
	char path[512], sha[65];
	struct alert a;
	struct err e = {0};
	size_t len = 0;
	shared_path(path, "data/alerts/igwn_json/skyportal_igwn_gwalert_preliminary.json");
	char *bytes = slurp(path, &len);
	assert_ok(alert_decode(bytes, len, NULL, &a, &e), &e);
	hash_sha256_hex(bytes, len, sha);
	json_t *normal = alert_json(&a, NULL), *map = json_object_get(normal, "map");
	assert_int_equal(json_int(map, "bytes", 0), 777600);
	assert_string_equal(json_text(map, "kind", ""), "skymap");
	json_object_del(normal, "map");
	char *text = json_canonical(normal), want[2048];
	snprintf(want, sizeof want, "{\"classification\":{\"BBH\":0,\"BNS\":0.999997637888802,\"NSBH\":0,\"Terrestrial\":2.3621111979702246e-06},"
		"\"created_utc\":\"2026-06-05T12:01:07.000000Z\",\"event\":\"MS260605l\",\"external\":null,\"far_hz\":5.176954877338635e-16,\"group\":\"CBC\","
		"\"instruments\":[\"H1\",\"L1\",\"V1\"],\"is_test\":[\"id prefix MS\",\"search MDC\"],\"pipeline\":\"gstlal\",\"position\":{\"dec_deg\":null,"
		"\"error_deg\":null,\"level\":null,\"ra_deg\":null},\"properties\":{\"HasMassGap\":0,\"HasNS\":1,\"HasRemnant\":1},"
		"\"refs\":[{\"type\":\"gracedb\",\"url\":\"https://gracedb.ligo.org/superevents/MS260605l/view/\"}],"
		"\"revision_key\":[\"2026-06-05T12:01:07.000000Z\",1,\"%s\"],\"schema\":\"alert/1\",\"search\":\"MDC\",\"significant\":true,"
		"\"source\":\"lvk\",\"stream\":null,\"time_utc\":\"2026-06-05T11:57:26.395000Z\",\"type\":\"PRELIMINARY\"}", sha);
	assert_string_equal(text, want);
	free(text);
	json_decref(normal);
	alert_free(&a);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(every_alert_of_the_data), cmocka_unit_test(avro_as_json), cmocka_unit_test(one_alert_in_full)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* rubin_record --block: an override for the auxiliary telescope. rubin_record ALERT…: what slew would tell Rubin's scheduler of each alert, by the policies rubin-* that it carries: one JSON line each,
 * {"file","label":null} when none is true, {"file","label","refused":WHY}, or {"file","label","record":{…}}. Nothing is sent. */
#include "engine/alert/alert.h"
#include "engine/alert/fact.h"
#include "engine/base/embed.h"
#include "engine/base/json.h"
#include "engine/base/utc.h"
#include "engine/core/compute.h"
#include "engine/request/policy.h"
#include "facilities/rubin.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const policies[] = {"rubin-gw-b", "rubin-gw-d", "rubin-gw-large", "rubin-lensed-a", "rubin-lensed-b"};

static int blob(void *ctx, const char *sha256, unsigned char **bytes, size_t *len, struct err *e)
{
	const struct alert *a = ctx;
	(void)sha256;
	(void)e;
	*len = a->map_len;
	*bytes = malloc(a->map_len);
	memcpy(*bytes, a->map, a->map_len);
	return 0;
}

static json_t *computed(struct alert *a, const char *text)
{
	struct compute_host host = {.ctx = a, .blob = blob, .read_map = skymap_read};
	struct err e = {0};
	json_t *job = json_loads(text, 0, NULL), *result = NULL;
	if (compute_run(&host, job, &result, &e) < 0)
		fprintf(stderr, "%s\n", e.text);
	json_decref(job);
	return result;
}

static json_t *embedded(const char *path)
{
	size_t len = 0;
	struct err e = {0};
	const char *text = embed_find(path, &len);
	return text != NULL ? json_read(text, len, &json_limits_config, &e) : NULL;
}

/* The policy that is true; "" when none is. */
static const char *chosen(const struct facts *f)
{
	for (size_t i = 0; i < sizeof policies / sizeof policies[0]; i++) {
		char path[80];
		struct err e = {0};
		struct policy_answer answer;
		snprintf(path, sizeof path, "policies/%s.json", policies[i]);
		json_t *body = embedded(path);
		struct policy *p = policy_compile(body, &e);
		json_decref(body);
		if (p == NULL || policy_evaluate(p, f, &answer, &e) < 0) {
			fprintf(stderr, "%s\n", e.text);
			exit(1);
		}
		policy_free(p);
		if (answer.outcome == OUTCOME_TRUE)
			return policies[i];
	}
	return "";
}

static void record_add(struct alert *a, const char *policy, json_t *out)
{
	json_t *descriptor = embedded("facilities/rubin-simonyi.json");
	json_t *result = computed(a, "{\"kind\":\"rank\",\"sha256\":\"map\",\"top\":0,\"fields\":[{\"camera\":\"region70\",\"from\":\"region\",\"probability\":0.7}]}");
	const json_t *field = json_array_get(json_object_get(result, "fields"), 0);
	struct facility_conf conf = {"rubin", descriptor};
	struct facility_request q = {.token = "slew-00000000-0123456789abcdef0123", .remote_id = "", .event = a->event, .policy = policy, .region = json_text(field, "region", ""),
				     .detectors = a->instruments, .event_us = a->time_us, .is_test = a->is_test, .is_update = a->type == ALERT_UPDATE};
	struct view v = {.now_us = a->created_us, .request = &q};
	struct rubin_record r;
	struct err e = {0};
	json_object_set_new(out, "label", json_string(rubin_label(rubin_settings(&conf), policy)));
	if (rubin_record_make(&conf, &v, a->event, a->created_us / 1000, &r, &e) < 0)
		json_object_set_new(out, "refused", json_string(e.text));
	else
		json_object_set_new(out, "record", rubin_record_json(&r));
	json_decref(result);
	json_decref(descriptor);
}

static int one(const char *path)
{
	static char bytes[LIMIT_ALERT_BYTES];
	struct alert a;
	struct facts f;
	struct err e = {0};
	FILE *in = fopen(path, "rb");
	size_t len = in != NULL ? fread(bytes, 1, sizeof bytes, in) : 0;
	if (in != NULL)
		fclose(in);
	json_t *out = json_pack("{s:s,s:n}", "file", path, "label");
	if (alert_decode(bytes, len, NULL, &a, &e) < 0) {
		json_object_set_new(out, "error", json_string(e.text));
	} else {
		facts_of_alert(&a, "", a.created_us, a.type == ALERT_UPDATE, &f);
		json_t *summary = a.map != NULL ? computed(&a, "{\"kind\":\"map\",\"sha256\":\"map\"}") : NULL;
		if (summary != NULL && json_object_get(summary, "error") == NULL)
			facts_of_map(summary, &f);
		json_object_set(out, "summary", summary != NULL ? summary : json_null());
		const char *policy = chosen(&f);
		if (policy[0] != '\0')
			record_add(&a, policy, out);
		json_decref(summary);
		alert_free(&a);
	}
	char *text = json_canonical(out);
	puts(text);
	free(text);
	json_decref(out);
	return 0;
}

/* The override of one visit. */
static int block(void)
{
	json_t *descriptor = embedded("facilities/rubin-auxtel.json"), *filters = json_pack("[s]", "SDSSr_65mm");
	struct facility_conf conf = {"auxtel", descriptor};
	struct facility_request q = {.token = "slew-00000000-0123456789abcdef0123", .remote_id = "", .event = "S261120ab", .target_name = "Abell 1: a #2", .proposal = "ToO",
				     .ra_deg = 53.755416667, .dec_deg = -24.933055556, .exposure_s = 30, .count = 2, .filters = filters, .max_airmass = 2};
	struct view v = {.verb = VERB_SUBMIT, .request = &q};
	struct call c;
	struct err e = {0};
	int rc = facility_render(&facility_rubin_block, &conf, &v, &c, &e);
	if (rc == 0)
		fputs(c.body, stdout);
	call_free(&c);
	json_decref(filters);
	json_decref(descriptor);
	return rc == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--block") == 0)
		return block();
	for (int i = 1; i < argc; i++)
		if (one(argv[i]) != 0)
			return 1;
	return 0;
}

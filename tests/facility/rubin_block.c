/* Blocks for the auxiliary telescope: the override with quotes within quotes, as a file and as a command, and what an observer's folder or LOVE answers. */
#include "test.h"
#include "embedded.h"
#include "engine/base/json.h"
#include "engine/base/utc.h"
#include "facilities/rubin.h"

#define NOW_US (INT64_C(1795143600) * 1000000)
#define TOKEN "slew-00000000-0123456789abcdef0123"

static json_t *descriptor, *filters;

static struct facility_request request(void)
{
	return (struct facility_request){.token = TOKEN, .remote_id = "", .event = "S261120ab", .target_name = "NGC 1365: a$b's", .proposal = "TOO2026B", .mode = "NORMAL",
					 .ra_deg = 53.754583333, .dec_deg = -24.933055, .exposure_s = 30, .max_airmass = 2, .count = 2, .filters = filters,
					 .instrument = "LATISS", .site = "", .start_us = NOW_US, .end_us = NOW_US + 2 * UTC_HOUR, .created_us = NOW_US};
}

#define OVERRIDE \
	"name: \"'NGC 1365: a_b_s'\"\nra: \"'03:35:01.100'\"\ndec: \"'-24:55:59.00'\"\nrot_type: \"'SkyAuto'\"\n" \
	"filter_sequence: ['SDSSr_65mm', 'SDSSr_65mm', 'empty_1', 'empty_1']\ngrating_sequence: ['empty_1', 'empty_1', 'empty_1', 'empty_1']\n" \
	"exposure_time_sequence: [30.0, 30.0, 30.0, 30.0]\nreason: \"'S261120ab'\"\nprogram: \"'BLOCK-SLEW'\"\n"

static void transport(const char *name)
{
	json_object_set_new(json_object_get(descriptor, "block"), "transport", json_string(name));
}

static int rendered(enum verb verb, const struct facility_request *q, struct call *c)
{
	struct facility_conf conf = {"auxtel", descriptor};
	struct view v = {.now_us = NOW_US, .verb = verb, .request = q};
	struct err e = {0};
	return facility_render(&facility_rubin_block, &conf, &v, c, &e);
}

static void file(void **state)
{
	struct facility_request q = request();
	struct call c;
	(void)state;
	assert_int_equal(rendered(VERB_OFFER, &q, &c), 1);
	assert_int_equal(rendered(VERB_SUBMIT, &q, &c), 0);
	assert_true(c.once && strcmp(c.method, "POST") == 0 && strcmp(c.url, "folder") == 0);
	assert_string_equal(c.path, "/" TOKEN ".yaml");
	assert_string_equal(c.body,
			    "# slew asks for NGC 1365: a$b's (event S261120ab, proposal TOO2026B)\n# between 2026-11-20T03:00:00Z and 2026-11-20T05:00:00Z, airmass at most 2.0\n"
			    "# Scheduler, index 2: addBlock, id BLOCK-SLEW, executionId " TOKEN ", override: this file\n"
			    "# then move it to taken/, done/ or refused/ (words: a file of the same name with .txt beside it)\n" OVERRIDE);
	call_free(&c);
	assert_int_equal(rendered(VERB_CANCEL, &q, &c), 0);
	assert_string_equal(c.method, "DELETE");
	call_free(&c);
}

static void command(void **state)
{
	struct facility_request q = request();
	struct call c;
	(void)state;
	transport("love");
	assert_int_equal(rendered(VERB_SUBMIT, &q, &c), 0);
	assert_true(c.once && strcmp(c.url, "love") == 0 && strcmp(c.path, "/manager/api/cmd/") == 0);
	json_t *body = json_loadb(c.body, c.body_len, 0, NULL);
	const json_t *params = json_object_get(body, "params");
	assert_string_equal(json_text(body, "csc", ""), "Scheduler");
	assert_int_equal(json_int(body, "salindex", 0), 2);
	assert_string_equal(json_text(body, "cmd", ""), "cmd_addBlock");
	assert_string_equal(json_text(params, "id", ""), "BLOCK-SLEW");
	assert_string_equal(json_text(params, "executionId", ""), TOKEN);
	assert_string_equal(json_text(params, "override", ""), OVERRIDE);
	json_decref(body);
	call_free(&c);
	assert_int_equal(rendered(VERB_CANCEL, &q, &c), 1); /* nothing there takes a block back: a person */
	assert_int_equal(rendered(VERB_FIND, &q, &c), 1);
	transport("folder");
}

/* No 60 seconds, no 24 hours; what cannot be a visit is refused in words. */
static void edges(void **state)
{
	static const struct {
		double ra_deg, dec_deg;
		const char *ra, *dec;
	} places[] = {{0, 0, "00:00:00.000", "+00:00:00.00"}, {359.9999999999, -0.000001, "00:00:00.000", "-00:00:00.00"}, {14.99999999, 89.9999999, "01:00:00.000", "+90:00:00.00"},
		{53.37510833, -1.0 / 3600 / 4, "03:33:30.026", "-00:00:00.25"}};
	struct facility_request q = request();
	struct call c;
	(void)state;
	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
		q.ra_deg = places[i].ra_deg;
		q.dec_deg = places[i].dec_deg;
		assert_int_equal(rendered(VERB_SUBMIT, &q, &c), 0);
		if (strstr(c.body, places[i].ra) == NULL || strstr(c.body, places[i].dec) == NULL)
			fail_msg("%g %g: %s", q.ra_deg, q.dec_deg, c.body);
		call_free(&c);
	}
	q = request();
	q.region = "5/1";
	assert_int_equal(rendered(VERB_OFFER, &q, &c), -1);
	q = request();
	q.ra_deg = 0.0 / 1e-300 - 1; /* out of range */
	assert_int_equal(rendered(VERB_OFFER, &q, &c), -1);
	q = request();
	q.count = 0;
	assert_int_equal(rendered(VERB_OFFER, &q, &c), -1);
	q.count = 1000;
	assert_int_equal(rendered(VERB_OFFER, &q, &c), -1);
	q.count = 1;
	q.exposure_s = 1e9;
	assert_int_equal(rendered(VERB_OFFER, &q, &c), -1);
}

static void says(enum verb verb, int64_t now_us, int status, const char *body, const char *kind, const char *words)
{
	struct facility_conf conf = {"auxtel", descriptor};
	struct facility_request q = request();
	struct view v = {.now_us = now_us, .verb = verb, .request = &q};
	struct reply r = {.sent = status ? SENT_ANSWERED : SENT_MAYBE, .status = status, .content_type = "", .transport = "timed out", .retry_after_s = -1, .body = body, .len = strlen(body)};
	struct answers a = {0};
	assert_int_equal(facility_rubin_block.read(&conf, &v, &r, &a), 0);
	if (a.count != 1 || strcmp(answer_name(a.list[0].kind), kind) != 0 || strstr(a.list[0].words, words) == NULL)
		fail_msg("%s %d %s: %zu answers, %s \"%s\"", verb_name(verb), status, body, a.count, a.count ? answer_name(a.list[0].kind) : "-", a.count ? a.list[0].words : "");
	if (strcmp(kind, "accepted") == 0)
		assert_string_equal(a.list[0].remote_id, TOKEN);
	answers_free(&a);
}

static void folder(void **state)
{
	int64_t late = NOW_US + 3 * UTC_HOUR;
	(void)state;
	says(VERB_SUBMIT, NOW_US, 200, "{\"state\":\"new\",\"words\":\"\"}", "accepted", "");
	says(VERB_SUBMIT, NOW_US, 409, "{\"message\":\"another file of that name is there\"}", "declined", "another file");
	says(VERB_SUBMIT, NOW_US, 500, "{\"message\":\"no space\"}", "unknown", "no space");
	says(VERB_POLL, NOW_US, 200, "{\"state\":\"new\"}", "queued", "");
	says(VERB_POLL, late, 200, "{\"state\":\"new\"}", "expired", "");
	says(VERB_POLL, NOW_US, 200, "{\"state\":\"taken\"}", "running", "");
	says(VERB_POLL, late, 200, "{\"state\":\"done\",\"words\":\"seq 17 to 20\"}", "done", "seq 17 to 20");
	says(VERB_POLL, NOW_US, 200, "{\"state\":\"refused\",\"words\":\"clouds\"}", "failed", "clouds");
	says(VERB_POLL, NOW_US, 200, "{\"state\":\"absent\"}", "absent", "");
	says(VERB_POLL, NOW_US, 200, "{\"state\":\"eaten\"}", "unknown", "HTTP 200");
	says(VERB_FIND, NOW_US, 200, "{\"state\":\"taken\"}", "accepted", "");
	says(VERB_FIND, NOW_US, 200, "{\"state\":\"absent\"}", "absent", "");
	says(VERB_CANCEL, NOW_US, 200, "{\"state\":\"removed\"}", "cancelled", "");
	says(VERB_CANCEL, NOW_US, 200, "{\"state\":\"absent\"}", "cancelled", "");
	says(VERB_CANCEL, NOW_US, 200, "{\"state\":\"taken\"}", "running", "");
}

static void love(void **state)
{
	(void)state;
	transport("love");
	says(VERB_SUBMIT, NOW_US, 200, "{\"ack\":\"Done\"}", "accepted", "Done");
	says(VERB_SUBMIT, NOW_US, 504, "{\"ack\":\"Command time out. No ack received from component.\"}", "unknown", "No ack received");
	says(VERB_SUBMIT, NOW_US, 500, "500 Internal Server Error", "unknown", "HTTP 500"); /* refused there, or not: it does not say */
	says(VERB_SUBMIT, NOW_US, 400, "{\"ack\":\"Request must have JSON data\"}", "declined", "must have");
	says(VERB_SUBMIT, NOW_US, 401, "{}", "declined", "HTTP 401");
	says(VERB_SUBMIT, NOW_US, 0, "", "unknown", "timed out");
	says(VERB_POLL, NOW_US, 200, "{}", "queued", "");
	says(VERB_POLL, NOW_US + 3 * UTC_HOUR, 200, "{}", "expired", "ask the observers");
	transport("folder");
}

static int setup(void **state)
{
	(void)state;
	descriptor = embedded_json("facilities/rubin-auxtel.json");
	filters = json_pack("[s,s]", "SDSSr_65mm", "empty_1");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	json_decref(descriptor);
	json_decref(filters);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(file), cmocka_unit_test(command), cmocka_unit_test(edges), cmocka_unit_test(folder), cmocka_unit_test(love)};
	return cmocka_run_group_tests(tests, setup, teardown);
}

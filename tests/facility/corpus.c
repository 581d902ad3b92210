/* Every exchange that was recorded with a real portal, through the adapter's `read`: the right kind, and no reply whatever hurts it. */
#include "test.h"
#include "embedded.h"
#include "engine/base/json.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include "facilities/facility.h"
#include <dirent.h>
#include <math.h>

enum { CORPUS_MAX = 200 };

/* What is expected of an exchange, by its name: verb and step under which it is read; kind, stem; next step. "-" no answer. */
static const struct {
	const char *name;
	enum verb verb;
	int step;
	const char *kind, *stem;
	int next_step;
} expected[] = {
	{"profile", VERB_STATUS, 0, "-", "", 1}, {"instruments", VERB_STATUS, 1, "-", "", 3}, {"semesters-now", VERB_STATUS, 3, "-", "", 2}, {"downtime-list", VERB_STATUS, 4, "-", "", 2}, {"telescope-states", VERB_STATUS, 2, "open", "", -1},
	{"bad-token", VERB_FIND, 0, "unknown", "", -1}, {"no-token-list", VERB_FIND, 0, "-", "", 200},
	{"no-token-post", VERB_SUBMIT, 0, "declined", "proposal", -1},
	{"validate-ok", VERB_OFFER, 0, "-", "", 1}, {"validate-rr-ok", VERB_OFFER, 0, "accepted", "", -1},
	{"validate-not-visible", VERB_OFFER, 0, "declined", "airmass", -1}, {"validate-too-long", VERB_OFFER, 0, "declined", "window", -1},
	{"validate-short-window", VERB_OFFER, 0, "declined", "window", -1}, {"validate-bad-filter", VERB_OFFER, 0, "declined", "filter", -1},
	{"validate-missing-filter", VERB_OFFER, 0, "declined", "filter", -1}, {"validate-bad-instrument", VERB_OFFER, 0, "declined", "instrument", -1},
	{"validate-wrong-class", VERB_OFFER, 0, "declined", "instrument", -1}, {"validate-bad-mode", VERB_OFFER, 0, "declined", "readout", -1},
	{"validate-fields", VERB_OFFER, 0, "declined", "ipp", -1}, {"validate-missing", VERB_OFFER, 0, "declined", "configuration", -1},
	{"validate-unknown-proposal", VERB_OFFER, 0, "declined", "proposal", -1},
	{"validate-inactive-proposal", VERB_OFFER, 0, "declined", "proposal", -1},
	{"validate-no-allocation", VERB_OFFER, 0, "declined", "allocation", -1}, {"validate-not-enough-time", VERB_OFFER, 0, "declined", "time", -1},
	{"validate-rr-future", VERB_OFFER, 0, "declined", "rr_window", -1}, {"validate-rr-too-late", VERB_OFFER, 0, "declined", "rr_window", -1},
	{"validate-tc-not-enough", VERB_OFFER, 0, "declined", "time", -1}, {"validate-ipp-range", VERB_OFFER, 0, "declined", "ipp", -1},
	{"validate-ipp-not-available", VERB_OFFER, 0, "countered", "ipp", -1}, {"validate-window-past", VERB_OFFER, 0, "declined", "window", -1},
	{"validate-window-reversed", VERB_OFFER, 0, "declined", "window", -1}, {"validate-no-semester", VERB_OFFER, 0, "declined", "window", -1},
	{"validate-airmass-range", VERB_OFFER, 0, "declined", "airmass", -1},
	{"validate-defocus-schema", VERB_OFFER, 0, "declined", "configuration", -1},
	{"validate-not-schedulable", VERB_OFFER, 0, "declined", "configuration", -1},
	{"validate-many-with-one", VERB_OFFER, 0, "declined", "other", -1},
	{"validate-server-500-optical-elements", VERB_OFFER, 0, "unknown", "", -1},
	{"validate-floyds-ok", VERB_OFFER, 0, "-", "", 1}, {"validate-muscat-missing", VERB_OFFER, 0, "declined", "readout", -1},
	{"max-ipp-ok", VERB_OFFER, 1, "accepted", "", -1}, {"max-ipp-invalid", VERB_OFFER, 1, "declined", "filter", -1},
	{"submit-bad-json", VERB_SUBMIT, 0, "declined", "other", -1}, {"submit-invalid", VERB_SUBMIT, 0, "declined", "airmass", -1},
	{"submit-ok", VERB_SUBMIT, 0, "accepted", "", -1}, {"submit-duplicate", VERB_SUBMIT, 0, "accepted", "", -1},
	{"submit-weather", VERB_SUBMIT, 0, "accepted", "", -1},
	{"find-by-name", VERB_FIND, 0, "accepted", "", -1}, {"find-bad-filter", VERB_FIND, 0, "unknown", "", -1},
	{"detail", VERB_POLL, 0, "-", "", 1}, {"not-mine", VERB_POLL, 0, "absent", "", -1},
	{"cancel-ok", VERB_CANCEL, 0, "-", "", 1}, {"cancel-again", VERB_CANCEL, 0, "-", "", 1}, {"cancel-not-mine", VERB_CANCEL, 0, "absent", "", -1},
	{"cancel-completed", VERB_CANCEL, 0, "-", "", 1},
	{"observations-pending", VERB_POLL, 1, "scheduled", "", -1}, {"observations-in-progress", VERB_POLL, 1, "running", "", -1},
	{"observations-completed", VERB_POLL, 1, "queued", "", -1}, {"observations-failed", VERB_POLL, 1, "queued", "", -1},
	{"group-completed", VERB_POLL, 0, "-", "", 1}, {"group-back-to-pending", VERB_POLL, 0, "-", "", 1},
	{"frames-empty", VERB_DATA, 0, "frames", "", -1}, {"frames-bad-token", VERB_DATA, 0, "unknown", "", -1},
};

static char shared_dir[512];
static json_t *descriptor;

/* The exchange as a reply; *body is kept by the caller. */
static struct reply reply_of(const json_t *exchange, char **body)
{
	const json_t *response = json_object_get(exchange, "response");
	const char *type = json_text(json_object_get(exchange, "headers"), "Content-Type", "");
	*body = json_is_string(response) && strncmp(type, "application/json", 16) != 0 ? strdup(json_string_value(response))
											: json_dumps(response, JSON_ENCODE_ANY | JSON_COMPACT);
	return (struct reply){.sent = SENT_ANSWERED, .status = (int)json_int(exchange, "status", 0), .content_type = type, .transport = "",
			      .retry_after_s = -1, .body = *body, .len = strlen(*body)};
}

static struct facility_request request_of(const json_t *exchange)
{
	const json_t *body = json_object_get(exchange, "request");
	return (struct facility_request){.token = json_text(body, "name", "S261123ab-cap-1"), .remote_id = "1", .event = "S", .target_name = "T",
					 .proposal = json_text(body, "proposal", "TOO2026B"), .mode = json_text(body, "observation_type", "NORMAL"),
					 .ipp = json_number(body, "ipp_value", 1.05), .instrument = "1M0-SCICAM-SINISTRO", .site = ""};
}

static json_t *load(const char *file)
{
	char path[1024];
	struct err e = {0};
	snprintf(path, sizeof path, "%s/%s", shared_dir, file);
	json_t *exchange = json_read_file(path, &json_limits_config, NULL, &e);
	if (exchange == NULL)
		fail_msg("%s: %s", path, e.text);
	return exchange;
}

static void well_formed(const struct answers *a, const char *name)
{
	for (size_t i = 0; i < a->count; i++) {
		const struct answer *one = &a->list[i];
		if ((unsigned)one->kind >= ANSWER_KINDS || memchr(one->words, 0, sizeof one->words) == NULL)
			fail_msg("%s: an answer is not well formed", name);
		json_t *words = json_string(one->words), *field = json_string(one->field); /* NULL unless valid UTF-8 */
		if (words == NULL || field == NULL)
			fail_msg("%s: words that are not UTF-8", name);
		json_decref(words);
		json_decref(field);
	}
}

static void check_kind(const json_t *exchange, const struct reply *reply, size_t *matched)
{
	const char *name = json_text(exchange, "name", "");
	const struct facility_ops *ops = facility_find("ocs");
	struct facility_conf conf = {"lco", descriptor};
	struct facility_request q = request_of(exchange);
	json_t *memo = json_pack("{s:s, s:s}", "state", "PENDING", "request_id", "1");
	for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
		if (strcmp(expected[i].name, name) != 0)
			continue;
		struct view v = {.now_us = UTC_DAY, .verb = expected[i].verb, .step = expected[i].step, .request = expected[i].verb == VERB_STATUS ? NULL : &q, .memo = memo,
				 .prefix = "S261123ab"};
		struct answers a = {0};
		assert_int_equal(ops->read(&conf, &v, reply, &a), 0);
		const char *kind = a.count > 0 ? answer_name(a.list[0].kind) : "-", *stem = a.count > 0 ? a.list[0].stem : "";
		if (strcmp(kind, expected[i].kind) != 0 || (expected[i].stem[0] != '\0' && strcmp(stem, expected[i].stem) != 0) || a.next_step != expected[i].next_step)
			fail_msg("%s: %s %s next %d, wanted %s %s next %d (%s)", name, kind, stem, a.next_step, expected[i].kind, expected[i].stem,
				 expected[i].next_step, a.count > 0 ? a.list[0].words : "");
		answers_free(&a);
		++*matched;
	}
	json_decref(memo);
}

/* All verbs and steps, the whole body and pieces of it, announced as JSON. */
static void check_total(const json_t *exchange, const struct reply *reply)
{
	static const int steps[] = {0, 1, 2, 3, 100, 101, 200};
	const struct facility_ops *ops = facility_find("ocs");
	struct facility_conf conf = {"lco", descriptor};
	struct facility_request q = request_of(exchange);
	for (int verb = 0; verb < VERB_COUNT; verb++) {
		for (size_t s = 0; s < 7; s++) {
			for (size_t cut = 0; cut < 3; cut++) {
				struct view v = {.now_us = UTC_DAY, .verb = (enum verb)verb, .step = steps[s], .request = (verb == VERB_POLL && cut == 1) || verb == VERB_STATUS ? NULL : &q, .prefix = "S26"};
				struct reply part = *reply;
				struct answers a = {0};
				part.len = cut == 2 ? reply->len / 2 : reply->len;
				part.content_type = "application/json";
				assert_int_equal(ops->read(&conf, &v, &part, &a), 0);
				well_formed(&a, json_text(exchange, "name", "?"));
				if (verb == VERB_SUBMIT && part.status >= 500)
					assert_false(a.count > 0 && a.list[0].creates_nothing);
				answers_free(&a);
			}
		}
	}
}

static uint64_t draw(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15u);
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* Spoils one to four places: a byte, a digit, a doubled or a lost piece. Returns the new length; bytes has room for twice the length. */
static size_t spoil(char *bytes, size_t len, uint64_t *seed)
{
	static const char *const pieces[] = {"null", "[]", "{}", "-1", "1e999", "9223372036854775807", "\"\"", "\xff", "\\u0007", "[[[[[[[[", "true"};
	for (uint64_t n = 1 + draw(seed) % 4; n > 0 && len > 30; n--) {
		size_t at = draw(seed) % (len - 20), piece = draw(seed) % 11, span = 1 + draw(seed) % 16;
		switch (draw(seed) % 4) {
		case 0:
			bytes[at] = (char)(draw(seed) & 0xff);
			break;
		case 1:
			memmove(bytes + at, bytes + at + span, len - at - span);
			len -= span;
			break;
		case 2: /* in place of the value after the next colon */
			while (at + 21 < len && bytes[at] != ':')
				at++;
			memcpy(bytes + at + 1, pieces[piece], strlen(pieces[piece]) < 19 ? strlen(pieces[piece]) : 19);
			break;
		default:
			bytes[at] = "0123456789-{}[]\",:"[draw(seed) % 18];
		}
	}
	return len;
}

/* Hundreds of spoilt copies of a reply, each under some verb and step: an answer or none, and never one that says "absent" for a find. */
static void check_spoilt(const json_t *exchange, const struct reply *reply, uint64_t *seed)
{
	static const int steps[] = {0, 0, 1, 1, 2, 100, 200};
	const struct facility_ops *ops = facility_find("ocs");
	struct facility_conf conf = {"lco", descriptor};
	struct facility_request q = request_of(exchange);
	json_t *memo = json_pack("{s:s, s:s, s:{}}", "state", "PENDING", "request_id", "1", "pass");
	char *copy = malloc(reply->len + 1);
	for (int i = 0; i < 200 && reply->len > 30 && reply->len < 20000; i++) {
		struct view v = {.now_us = UTC_DAY, .verb = (enum verb)(draw(seed) % VERB_COUNT), .step = steps[draw(seed) % 7], .memo = memo, .facility_memo = memo, .prefix = "S26"};
		struct reply part = *reply;
		struct answers a = {0};
		v.request = v.verb == VERB_STATUS || (v.verb == VERB_POLL && draw(seed) % 2) ? NULL : &q;
		memcpy(copy, reply->body, reply->len);
		part.body = copy;
		part.len = spoil(copy, reply->len, seed);
		assert_int_equal(ops->read(&conf, &v, &part, &a), 0);
		well_formed(&a, json_text(exchange, "name", "?"));
		for (size_t k = 0; k < a.count; k++)
			assert_false(v.verb == VERB_FIND && a.list[k].kind == ANSWER_ABSENT && v.step != 200);
		answers_free(&a);
	}
	free(copy);
	json_decref(memo);
}

static int names_order(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void exchanges_are_read(void **state)
{
	(void)state;
	char *names[CORPUS_MAX];
	size_t count = 0, matched = 0;
	uint64_t seed = 20261123;
	shared_path(shared_dir, "data/ocs_corpus");
	DIR *dir = opendir(shared_dir);
	assert_non_null(dir);
	for (struct dirent *d; (d = readdir(dir)) != NULL && count < CORPUS_MAX;) {
		if (strstr(d->d_name, ".json") != NULL)
			names[count++] = strdup(d->d_name);
	}
	closedir(dir);
	qsort(names, count, sizeof names[0], names_order);
	assert_true(count > 50);
	for (size_t i = 0; i < count; i++) {
		json_t *exchange = load(names[i]);
		char *body;
		struct reply reply = reply_of(exchange, &body);
		check_kind(exchange, &reply, &matched);
		check_total(exchange, &reply);
		check_spoilt(exchange, &reply, &seed);
		free(body);
		json_decref(exchange);
		free(names[i]);
	}
	assert_int_equal(matched, sizeof expected / sizeof expected[0]);
}

static int setup(void **state)
{
	(void)state;
	descriptor = embedded_json("facilities/lco.json");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	json_decref(descriptor);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(exchanges_are_read)};
	return cmocka_run_group_tests(tests, setup, teardown);
}

/* The OCS adapter against the simulated portal: offers, a lost reply, find, cancel, the feed over a night, sick replies. */
#include "test.h"
#include "portal_loop.h"
#include "engine/base/json.h"
#include "engine/base/utc.h"
#include <math.h>

static const char token[] = "slew-00000000-0123456789abcdef0123", second[] = "slew-00000000-0123456789abcdef0124";

static int64_t at(const char *text)
{
	struct err e = {0};
	int64_t utc_us = 0;
	assert_ok(utc_parse(text, &utc_us, &e), &e);
	return utc_us;
}

struct fixture {
	struct portal_loop loop;
	struct facility_request q;
	json_t *memo, *filters;
	struct answers a;
	struct err e;
};

static void begin(struct fixture *f, const char *more)
{
	json_t *extra = more != NULL ? json_loads(more, 0, NULL) : NULL;
	assert_true(more == NULL || extra != NULL);
	memset(f, 0, sizeof *f);
	portal_loop_open(&f->loop, at("2026-11-23T18:00:00Z"), extra);
	json_decref(extra);
	f->filters = json_pack("[s]", "rp");
	f->q = portal_loop_request(token, f->filters, f->loop.now_us);
}

static void end(struct fixture *f)
{
	answers_free(&f->a);
	json_decref(f->memo);
	json_decref(f->filters);
	portal_loop_close(&f->loop);
}

static void run(struct fixture *f, enum verb verb, bool feed)
{
	answers_free(&f->a);
	int rc = portal_loop_run(&f->loop, verb, feed ? NULL : &f->q, feed ? NULL : &f->memo, &f->a, &f->e);
	if (rc != 0)
		fail_msg("%s: %d %s", verb_name(verb), rc, f->e.text);
}

#define assert_one(f, wanted) do { assert_int_equal((f)->a.count, 1); assert_string_equal(answer_name((f)->a.list[0].kind), answer_name(wanted)); } while (0)

static void offer_is_priced(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, NULL);
	run(&f, VERB_OFFER, false);
	assert_one(&f, ANSWER_ACCEPTED);
	assert_true(f.a.list[0].seconds == 356); /* 90 + 2 + 3 × (60 + 28), as the real portal says */
	assert_true(f.a.list[0].ipp_max == 2.0);
	assert_int_equal(f.loop.calls, 2);
	f.q.mode = "TIME_CRITICAL";
	run(&f, VERB_OFFER, false);
	assert_one(&f, ANSWER_ACCEPTED);
	assert_int_equal(f.loop.calls, 3); /* no priority to be priced */
	end(&f);
}

static void offers_are_declined_with_words(void **state)
{
	(void)state;
	struct fixture f;
	static const struct {
		double dec_deg, exposure_s, hours;
		const char *filter, *proposal, *mode, *stem, *field, *words;
	} cases[] = {
		{+89, 60, 23, "rp", "TOO2026B", "NORMAL", "airmass", "requests[0]", "will not be visible within the time window"},
		{-36, 7000, 23, "rp", "TOO2026B", "NORMAL", "window", "requests[0]", "only be visible for a maximum of"},
		{-36, 60, 23, "zz", "TOO2026B", "NORMAL", "filter", "requests[0].configurations[0]", "optical element zz"},
		{-36, 60, 23, "rp", "NOPE", "NORMAL", "proposal", "proposal", "Invalid pk"},
		{-36, 3000, 23, "rp", "TOO2026B", "TIME_CRITICAL", "time", "", "does not have enough TIME_CRITICAL time"},
		{-36, 60, -1, "rp", "TOO2026B", "NORMAL", "window", "requests[0].windows[0].end", "Window end time must be in the future"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		begin(&f, "{\"proposals\":[{\"id\":\"TOO2026B\",\"hours\":{\"NORMAL\":20,\"TIME_CRITICAL\":1,\"RAPID_RESPONSE\":5}}]}");
		json_array_clear(f.filters);
		json_array_append_new(f.filters, json_string(cases[i].filter));
		f.q.dec_deg = cases[i].dec_deg;
		f.q.exposure_s = cases[i].exposure_s;
		f.q.proposal = cases[i].proposal;
		f.q.mode = cases[i].mode;
		if (cases[i].exposure_s > 5000)
			f.q.count = 10;
		f.q.end_us = f.loop.now_us + (int64_t)cases[i].hours * UTC_HOUR;
		if (cases[i].hours < 0)
			f.q.start_us = f.q.end_us - UTC_HOUR;
		run(&f, VERB_OFFER, false);
		assert_one(&f, ANSWER_DECLINED);
		assert_string_equal(f.a.list[0].stem, cases[i].stem);
		assert_string_equal(f.a.list[0].field, cases[i].field);
		assert_non_null(strstr(f.a.list[0].words, cases[i].words));
		assert_true(f.a.list[0].creates_nothing);
		end(&f);
	}
}

static void too_much_priority_is_countered(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, "{\"proposals\":[{\"id\":\"TOO2026B\",\"hours\":{\"NORMAL\":20},\"ipp_h\":0.05}]}");
	f.q.ipp = 1.9;
	run(&f, VERB_OFFER, false);
	assert_one(&f, ANSWER_COUNTERED);
	assert_string_equal(f.a.list[0].stem, "ipp");
	assert_true(fabs(f.a.list[0].ipp_max - 1.505) < 1e-9);
	end(&f);
}

static void rapid_response_has_no_start(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, "{\"server_offset_s\":-2.5}"); /* the portal's clock is behind ours: a start of now would lie in its future */
	f.q.mode = "RAPID_RESPONSE";
	f.q.end_us = f.loop.now_us + 30 * UTC_HOUR;
	run(&f, VERB_OFFER, false);
	assert_one(&f, ANSWER_ACCEPTED);
	end(&f);
}

/* The night's hardest case: the submission was taken, the answer was lost. */
static void lost_reply_is_found_once(void **state)
{
	(void)state;
	static const char *const faults[] = {"drop_after", "504_after", "truncate"};
	for (size_t i = 0; i < 3; i++) {
		struct fixture f;
		char more[200];
		snprintf(more, sizeof more, "{\"faults\":[{\"on\":\"POST /api/requestgroups/\",\"what\":\"%s\"}]}", faults[i]);
		begin(&f, more);
		run(&f, VERB_SUBMIT, false);
		assert_one(&f, ANSWER_UNKNOWN);
		assert_false(f.a.list[0].creates_nothing);
		run(&f, VERB_FIND, false);
		assert_one(&f, ANSWER_ACCEPTED);
		assert_true(f.a.complete);
		assert_string_equal(f.a.list[0].remote_id, "1");
		assert_string_equal(f.a.list[0].token, token);
		assert_string_equal(json_text(f.memo, "request_id", ""), "5001");
		json_t *ledger = sim_portal_ledger(f.loop.portal);
		assert_int_equal(json_int(ledger, "submissions", -1), 1);
		assert_int_equal(json_int(json_object_get(json_object_get(ledger, "names"), token), "count", -1), 1);
		json_decref(ledger);
		end(&f);
	}
}

static void absence_counts_only_for_a_member(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, "{\"faults\":[{\"on\":\"POST /api/requestgroups/\",\"what\":\"drop_before\"}]}");
	run(&f, VERB_SUBMIT, false);
	assert_one(&f, ANSWER_UNKNOWN);
	run(&f, VERB_FIND, false);
	assert_one(&f, ANSWER_ABSENT);
	assert_true(f.a.complete);
	f.loop.authorization = NULL; /* the list is then 200 and empty */
	run(&f, VERB_FIND, false);
	assert_one(&f, ANSWER_UNKNOWN);
	assert_false(f.a.complete);
	f.loop.authorization = "Token other"; /* a good token of somebody who is not in the proposal */
	run(&f, VERB_FIND, false);
	assert_one(&f, ANSWER_UNKNOWN);
	assert_false(f.a.complete);
	f.loop.authorization = "Token wrong";
	run(&f, VERB_SUBMIT, false);
	assert_one(&f, ANSWER_DECLINED);
	assert_true(f.a.list[0].creates_nothing);
	assert_string_equal(f.a.list[0].stem, "proposal");
	end(&f);
}

static void two_of_one_name_are_told_apart(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, NULL);
	run(&f, VERB_SUBMIT, false);
	run(&f, VERB_SUBMIT, false);
	f.q.token = second;
	run(&f, VERB_SUBMIT, false);
	f.q.token = token;
	run(&f, VERB_FIND, false);
	assert_int_equal(f.a.count, 2);
	assert_string_equal(f.a.list[0].remote_id, "1");
	assert_string_equal(f.a.list[0].token, token);
	assert_string_equal(f.a.list[1].remote_id, "2");
	assert_string_equal(f.a.list[1].token, "");
	assert_string_equal(f.a.list[1].field, "duplicate");
	end(&f);
}

static void pages_are_followed(void **state)
{
	(void)state;
	struct fixture f;
	char name[64];
	begin(&f, "{\"proposals\":[{\"id\":\"TOO2026B\",\"hours\":{\"NORMAL\":2000}}]}");
	run(&f, VERB_SUBMIT, false);
	f.q.token = name;
	for (int i = 0; i < 240; i++) { /* the token is a part of all these names */
		snprintf(name, sizeof name, "%s-%03d", token, i);
		run(&f, VERB_SUBMIT, false);
		assert_one(&f, ANSWER_ACCEPTED);
	}
	f.q.token = token;
	f.loop.calls = 0;
	run(&f, VERB_FIND, false);
	assert_one(&f, ANSWER_ACCEPTED);
	assert_string_equal(f.a.list[0].remote_id, "1");
	assert_int_equal(f.loop.calls, 3);
	run(&f, VERB_POLL, true); /* the feed has two pages of groups */
	assert_int_equal(f.a.count, 241);
	assert_true(f.a.complete);
	end(&f);
}

static void cancel_is_believed_when_seen(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, NULL);
	run(&f, VERB_SUBMIT, false);
	char id[64];
	snprintf(id, sizeof id, "%s", f.a.list[0].remote_id);
	f.q.remote_id = id;
	for (int i = 0; i < 2; i++) { /* twice is the same */
		run(&f, VERB_CANCEL, false);
		assert_one(&f, ANSWER_CANCELLED);
		assert_true(f.a.complete);
	}
	f.q.remote_id = "99";
	run(&f, VERB_CANCEL, false);
	assert_one(&f, ANSWER_ABSENT);
	end(&f);
}

/* Moves to the moment at which the only observation is in the given state. */
static void until(struct fixture *f, const char *wanted)
{
	for (int i = 0; i < 5000; i++) {
		json_t *ledger = sim_portal_ledger(f->loop.portal), *row = json_array_get(json_object_get(ledger, "observations"), 0);
		bool there = strcmp(json_text(row, "state", ""), wanted) == 0;
		json_decref(ledger);
		if (there)
			return;
		f->loop.now_us += 20 * UTC_SECOND;
		sim_portal_advance(f->loop.portal, f->loop.now_us);
	}
	fail_msg("no observation became %s", wanted);
}

static void a_running_one_is_not_cancelled(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, NULL);
	run(&f, VERB_SUBMIT, false);
	f.q.remote_id = "1";
	until(&f, "IN_PROGRESS");
	run(&f, VERB_CANCEL, false);
	assert_one(&f, ANSWER_RUNNING);
	run(&f, VERB_POLL, true);
	for (size_t i = 0; i < f.a.count; i++)
		assert_int_equal(f.a.list[i].kind, ANSWER_RUNNING); /* the feed does not say "cancelled" in between */
	assert_true(f.a.count > 0);
	until(&f, "COMPLETED");
	run(&f, VERB_CANCEL, false); /* 400: asks the group instead */
	assert_one(&f, ANSWER_DONE);
	end(&f);
}

/* Answers of the feed for the token, the last one. */
static const struct answer *feed_last(struct fixture *f)
{
	const struct answer *last = NULL;
	run(f, VERB_POLL, true);
	assert_true(f->a.complete);
	for (size_t i = 0; i < f->a.count; i++) {
		if (strcmp(f->a.list[i].token, token) == 0)
			last = &f->a.list[i];
	}
	return last;
}

static void the_feed_tells_a_night(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, "{\"fail\":[{\"name\":\"NGC 1365\",\"reason\":\"Weather: humidity\"}]}");
	run(&f, VERB_SUBMIT, false);
	f.q.remote_id = "1";
	const struct answer *a = feed_last(&f);
	assert_non_null(a);
	f.loop.now_us += 61 * UTC_SECOND;
	a = feed_last(&f); /* the scheduler made an observation */
	assert_non_null(a);
	assert_int_equal(a->kind, ANSWER_SCHEDULED);
	assert_true(a->start_us != UTC_NONE && a->site[0] != '\0' && a->observation_id[0] != '\0');
	until(&f, "IN_PROGRESS");
	a = feed_last(&f);
	assert_int_equal(a->kind, ANSWER_RUNNING);
	until(&f, "FAILED");
	f.loop.now_us = a->end_us + 5 * UTC_SECOND;
	a = feed_last(&f);
	assert_non_null(a); /* back in the queue, or already with a new observation */
	assert_true(a->kind == ANSWER_QUEUED || a->kind == ANSWER_SCHEDULED);
	for (int i = 0; i < 2000 && (a == NULL || a->kind != ANSWER_DONE); i++) {
		f.loop.now_us += 60 * UTC_SECOND;
		a = feed_last(&f);
	}
	assert_non_null(a);
	assert_int_equal(a->kind, ANSWER_DONE);
	run(&f, VERB_POLL, false);
	assert_one(&f, ANSWER_DONE);
	f.loop.now_us += 10 * UTC_MINUTE;
	run(&f, VERB_DATA, false);
	assert_one(&f, ANSWER_FRAMES);
	assert_int_equal(json_array_size(f.a.list[0].detail), 6); /* 3 exposures, raw and reduced */
	assert_null(strchr(json_text(json_array_get(f.a.list[0].detail, 0), "url", "?"), '?'));
	end(&f);
}

static void an_expired_one_is_told(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, "{\"weather\":[{\"site\":\"coj\",\"from_us\":0,\"to_us\":4000000000000000},{\"site\":\"cpt\",\"from_us\":0,\"to_us\":4000000000000000},"
		  "{\"site\":\"tfn\",\"from_us\":0,\"to_us\":4000000000000000},{\"site\":\"lsc\",\"from_us\":0,\"to_us\":4000000000000000},"
		  "{\"site\":\"elp\",\"from_us\":0,\"to_us\":4000000000000000}]}");
	run(&f, VERB_STATUS, true);
	assert_one(&f, ANSWER_CLOSED);
	run(&f, VERB_SUBMIT, false); /* weather never influences validation */
	assert_one(&f, ANSWER_ACCEPTED);
	f.loop.now_us += 24 * UTC_HOUR;
	const struct answer *a = feed_last(&f);
	assert_non_null(a);
	assert_int_equal(a->kind, ANSWER_EXPIRED);
	end(&f);
}

static void sick_replies_move_no_cursor(void **state)
{
	(void)state;
	static const char *const whats[] = {"503", "html500", "html200", "429", "drop_after", "truncate"};
	static const char *const ons[] = {"GET /api/requestgroups/", "GET /api/observations/"};
	for (size_t i = 0; i < 12; i++) {
		struct fixture f;
		char more[200];
		snprintf(more, sizeof more, "{\"faults\":[{\"on\":\"%s\",\"nth\":3,\"what\":\"%s\"}]}", ons[i % 2], whats[i / 2]);
		begin(&f, more);
		run(&f, VERB_SUBMIT, false);
		run(&f, VERB_POLL, true);
		run(&f, VERB_POLL, true);
		json_t *before = json_deep_copy(f.loop.facility_memo);
		f.loop.now_us += 61 * UTC_SECOND;
		run(&f, VERB_POLL, true);
		if (!f.a.complete)
			assert_true(json_equal(before, f.loop.facility_memo));
		for (size_t k = 0; k < f.a.count; k++)
			assert_int_not_equal(f.a.list[k].kind, ANSWER_ABSENT);
		f.loop.now_us += 61 * UTC_SECOND;
		const struct answer *a = feed_last(&f); /* what was not told is told now */
		assert_non_null(a);
		assert_int_equal(a->kind, ANSWER_SCHEDULED);
		json_decref(before);
		end(&f);
	}
}

static void throttled_and_poisoned_offers(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, "{\"faults\":[{\"on\":\"POST /api/requestgroups/\",\"what\":\"429\",\"retry_after_s\":17},{\"on\":\"POST /api/requestgroups/validate/\","
		  "\"what\":\"html500\",\"count\":2}]}");
	run(&f, VERB_SUBMIT, false);
	assert_one(&f, ANSWER_RETRY_AFTER);
	assert_int_equal(f.a.list[0].retry_after_s, 17);
	assert_true(f.a.list[0].creates_nothing);
	run(&f, VERB_OFFER, false);
	assert_one(&f, ANSWER_UNKNOWN);
	run(&f, VERB_OFFER, false); /* 500 twice for one body: refused, cannot say why */
	assert_one(&f, ANSWER_DECLINED);
	run(&f, VERB_OFFER, false);
	assert_one(&f, ANSWER_ACCEPTED);
	end(&f);
}

static void status_says_what_is_left(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, "{\"weather\":[{\"site\":\"lsc\",\"from_us\":0,\"to_us\":4000000000000000}]}");
	run(&f, VERB_STATUS, true);
	assert_one(&f, ANSWER_OPEN);
	const json_t *detail = f.a.list[0].detail;
	assert_true(json_number(json_object_get(json_object_get(detail, "proposals"), "TOO2026B"), "NORMAL", NAN) == 20);
	assert_string_equal(json_text(json_object_get(detail, "sites"), "lsc", ""), "closed");
	assert_string_equal(json_text(json_object_get(detail, "sites"), "coj", ""), "open");
	f.loop.authorization = "Token wrong";
	run(&f, VERB_STATUS, true);
	assert_one(&f, ANSWER_CLOSED);
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(offer_is_priced), cmocka_unit_test(offers_are_declined_with_words), cmocka_unit_test(too_much_priority_is_countered),
		cmocka_unit_test(rapid_response_has_no_start), cmocka_unit_test(lost_reply_is_found_once),
		cmocka_unit_test(absence_counts_only_for_a_member), cmocka_unit_test(two_of_one_name_are_told_apart),
		cmocka_unit_test(pages_are_followed), cmocka_unit_test(cancel_is_believed_when_seen),
		cmocka_unit_test(a_running_one_is_not_cancelled), cmocka_unit_test(the_feed_tells_a_night),
		cmocka_unit_test(an_expired_one_is_told), cmocka_unit_test(sick_replies_move_no_cursor),
		cmocka_unit_test(throttled_and_poisoned_offers), cmocka_unit_test(status_says_what_is_left),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

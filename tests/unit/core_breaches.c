/* Breaches of the promises that a hostile reading found: each test failed before it was mended. */
#include "test.h"
#include "box.h"
#include "tale.h"
#include "engine/base/json.h"
#include "engine/base/query.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include "facilities/facility.h"

static void run(struct box *b, const char *sql)
{
	struct err e = {0};
	assert_ok(query_run(b->db, &e, sql, ""), &e);
}

static bool obeyed(struct box *b)
{
	return json_is_true(json_object_get(b->answer, "ok"));
}

/* Spectra and monitoring of a retracted event ask a person; searches are withdrawn without asking. */
static void spectra_of_a_retracted_event(void **state)
{
	(void)state;
	struct box b;
	tale_begin(&b, NULL, 2, 1);
	run(&b, "UPDATE request SET purpose='spectrum' WHERE id=1");
	box_order(&b, "{\"verb\":\"approve\",\"event\":\"S230518h\"}"); /* given to a real event: worth nothing after the retraction */
	box_alert(&b, "S230518h", "RETRACTION", 600, 0, NULL);
	assert_string_equal(box_text(&b, tale_states), "planned,cancelled");
	tale_offers(&b, 300);
	box_later(&b, 60);
	tale_offers(&b, 300);
	assert_int_equal(box_int(&b, "SELECT count(*) FROM effect WHERE verb='submit' AND released_seq IS NOT NULL"), 0);
	assert_int_equal(box_int(&b, "SELECT count(*) FROM message_out WHERE kind='approval' AND body LIKE '%retracted%'"), 1);
	box_order(&b, "{\"verb\":\"approve\",\"event\":\"S230518h\"}");
	assert_true(obeyed(&b));
	tale_offers(&b, 300);
	assert_string_equal(box_text(&b, tale_states), "asked,cancelled");
	box_order(&b, "{\"verb\":\"approve\",\"event\":\"S230518h\"}"); /* nothing waits any more */
	assert_false(obeyed(&b));
	box_close(&b);
}

/* A retracted parent: what was promoted goes on, and a person hears of it. */
static void promoted_child_of_a_retraction(void **state)
{
	(void)state;
	struct box b;
	tale_begin(&b, NULL, 1, 1);
	run(&b, "INSERT INTO candidate(event,name,origin,ra_deg,dec_deg,state,seq) VALUES(1,'X1','xrt',197,-23,'new',1)");
	box_order(&b, "{\"verb\":\"promote\",\"candidate\":\"X1\"}");
	assert_true(obeyed(&b));
	box_alert(&b, "S230518h", "RETRACTION", 600, 0, NULL);
	assert_int_equal(box_int(&b, "SELECT count(*) FROM alarm WHERE subject='S230518h/X1' AND what='parent'"), 1);
	box_close(&b);
}

/* A submit of several steps: after the first one is answered there may be something at the facility, though no call is out. */
static void unwanted_between_two_steps(void **state)
{
	(void)state;
	for (int known = 0; known < 2; known++)
		for (int late = 0; late < 2; late++) { /* vetoed while step 1 waits, or while step 0 was still out */
			struct box b;
			tale_begin(&b, NULL, 1, 1);
			tale_offers(&b, 300);
			if (late)
				box_order(&b, "{\"verb\":\"veto\",\"event\":\"S230518h\"}");
			assert_string_equal(box_text(&b, tale_states), "asked");
			run(&b, "UPDATE effect SET state='waiting',step=1 WHERE verb='submit'"); /* as its reader asks for another step */
			if (known)
				run(&b, "UPDATE request SET remote_id='4711'");
			if (late)
				box_later(&b, 1);
			else
				box_order(&b, "{\"verb\":\"veto\",\"event\":\"S230518h\"}");
			assert_string_equal(box_text(&b, tale_states), known ? "cancelling" : "unsure");
			assert_int_equal(box_int(&b, "SELECT count(*) FROM effect WHERE verb='submit' AND state<>'dropped'"), 0);
			box_later(&b, 6);
			assert_true(box_waits(&b, known ? "cancel" : "find") > 0);
			box_close(&b);
		}
}

/* on_doubt: resend is counted as the leave that the descriptor gives, so that every submit but the first has one. */
static void resend_is_counted(void **state)
{
	(void)state;
	struct box b;
	tale_begin(&b, NULL, 1, 1);
	tale_offers(&b, 300);
	box_lost(&b, box_waits(&b, "submit"), SENT_MAYBE);
	/* 201 is beyond the last step of a find: the adapter has no such step, as of a facility that cannot be searched */
	run(&b, "UPDATE facility SET descriptor=json_set(descriptor,'$.on_doubt','resend')");
	b.reopen = true;
	box_later(&b, 1);
	run(&b, "INSERT INTO effect(seq,kind,state,once,facility,verb,step,request,event) SELECT 1,'call','waiting',0,'lco','find',201,1,1");
	box_later(&b, 1); /* box_feed checks: submits <= 1 + void_submits */
	assert_string_equal(box_text(&b, "SELECT state||submits||void_submits FROM request"), "asked21");
	box_close(&b);
}

/* The second look counts from its first page: a last page that comes late does not make an early look a late one. */
static void a_look_counts_from_its_first_page(void **state)
{
	static const char empty[] = "{\"count\":0,\"next\":null,\"previous\":null,\"results\":[]}";
	static const char me[] = "{\"username\":\"slew\",\"proposals\":[{\"id\":\"TOO2023A\"}]}";
	struct box b;
	(void)state;
	tale_begin(&b, NULL, 1, 1);
	tale_offers(&b, 300);
	box_lost(&b, box_waits(&b, "submit"), SENT_MAYBE);
	box_later(&b, 5);
	box_reply(&b, box_waits(&b, "find"), 200, "%s", empty);
	box_reply(&b, box_waits(&b, "find"), 200, "%s", me);
	assert_int_equal(box_int(&b, "SELECT absences FROM request"), 1);
	run(&b, "UPDATE timer SET due_tick_us=due_tick_us-40000000 WHERE key='find:1'"); /* a look after 20 s */
	box_later(&b, 20);
	box_routine(&b);
	box_reply(&b, box_waits(&b, "find"), 200, "%s", empty);
	box_reply(&b, box_waits(&b, "find"), 429, "{\"detail\":\"throttled\"}");
	box_later(&b, 61); /* its last page is asked for again, long after the first absence */
	box_routine(&b);
	box_reply(&b, box_waits(&b, "find"), 200, "%s", me);
	assert_string_equal(box_text(&b, "SELECT state||submits FROM request"), "unsure1");
	box_close(&b);
}

/* Every order is a row with its answer, also one that is refused and one that is no JSON. */
static void refused_orders_are_rows(void **state)
{
	(void)state;
	struct box b;
	box_open(&b);
	box_config(&b, NULL);
	box_order(&b, "{\"verb\":\"veto\",\"event\":\"S999999\",\"why\":\"clouds\"}");
	assert_false(obeyed(&b));
	assert_string_equal(box_text(&b, "SELECT verb||' '||why||' '||uid FROM operator_order"), "veto clouds 1000");
	box_order(&b, "{\"verb\":\"veto\",");
	assert_false(obeyed(&b));
	box_order(&b, "[1]");
	assert_int_equal(box_int(&b, "SELECT count(*) FROM operator_order WHERE answer LIKE '%\"ok\":false%'"), 3);
	assert_int_equal(box_int(&b, "SELECT count(*) FROM operator_order WHERE body LIKE '%verb%veto%'"), 2);
	box_close(&b);
}

/* A person's "accepted" where the portal can be searched: it is looked for, and what it shows decides. */
static void a_persons_word_is_looked_up(void **state)
{
	static const char empty[] = "{\"count\":0,\"next\":null,\"previous\":null,\"results\":[]}";
	struct box b;
	(void)state;
	tale_begin(&b, NULL, 1, 1);
	tale_offers(&b, 300);
	box_order(&b, "{\"verb\":\"accepted\",\"request\":1}"); /* its call is out: the answer decides */
	assert_false(obeyed(&b));
	box_reply(&b, box_waits(&b, "submit"), 429, "{\"detail\":\"throttled\"}");
	box_order(&b, "{\"verb\":\"accepted\",\"request\":1}");
	assert_true(obeyed(&b));
	assert_string_equal(box_text(&b, tale_states), "unsure");
	for (int look = 0; look < 2; look++) {
		box_routine(&b);
		box_reply(&b, box_waits(&b, "find"), 200, "%s", empty);
		box_reply(&b, box_waits(&b, "find"), 200, "{\"username\":\"slew\",\"proposals\":[{\"id\":\"TOO2023A\"}]}");
		box_later(&b, 61);
	}
	assert_string_equal(box_text(&b, "SELECT state||submits FROM request"), "asked2"); /* it never had it: asked, not waited for in vain */
	box_lost(&b, box_waits(&b, "submit"), SENT_MAYBE);
	box_order(&b, "{\"verb\":\"accepted\",\"request\":1,\"number\":\"4711\"}");
	assert_string_equal(box_text(&b, "SELECT state||remote_id FROM request"), "accepted4711");
	box_close(&b);
}

/* A page of more rows than one reply may hold is refused whole, and the feed's cursor stays before it. */
static void a_page_too_many_moves_no_cursor(void **state)
{
	(void)state;
	struct box b;
	struct text page = {.max = 1u << 20};
	tale_begin(&b, NULL, 1, 1);
	text_puts(&page, "{\"count\":1200,\"next\":null,\"previous\":null,\"results\":[");
	for (int i = 0; i < 1200; i++)
		text_printf(&page, "%s{\"id\":%d,\"name\":\"slew-0badcafe-%020d\",\"state\":\"PENDING\",\"requests\":[{\"id\":1,\"state\":\"PENDING\",\"modified\":"
				   "\"2023-05-18T19:30:00Z\"}]}", i ? "," : "", i + 10, i);
	text_puts(&page, "]}");
	for (int i = 0; i < 20 && !box_waits(&b, "poll"); i++)
		box_later(&b, 60);
	const char *memo = box_text(&b, "SELECT ifnull(json_extract(memo,'$.groups_us'),'none') FROM facility WHERE name='lco'");
	char before[64];
	snprintf(before, sizeof before, "%s", memo);
	box_reply(&b, box_waits(&b, "poll"), 200, "{\"count\":0,\"next\":null,\"previous\":null,\"results\":[]}");
	struct input in = {.kind = INPUT_reply, .utc_us = b.utc_us, .tick_us = b.tick_us, .effect = box_waits(&b, "poll"), .body = page.data, .len = page.len};
	in.reply.sent = SENT_ANSWERED;
	in.reply.status = 200;
	in.reply.content_type = "application/json";
	in.reply.retry_after_s = -1;
	box_feed(&b, &in);
	assert_string_equal(box_text(&b, "SELECT ifnull(json_extract(memo,'$.groups_us'),'none') FROM facility WHERE name='lco'"), before);
	assert_int_equal(box_waits(&b, "poll"), 0); /* and the pass is over: the next one begins at its first page */
	text_free(&page);
	box_close(&b);
}

/* The gate of a full disk is in the check: a submit that leaves behind it is found. */
static void the_check_sees_the_disk(void **state)
{
	(void)state;
	struct box b;
	tale_begin(&b, NULL, 1, 1);
	tale_offers(&b, 300);
	assert_int_equal(box_int(&b, "SELECT count(*) FROM check_released_through_gate"), 0);
	run(&b, "INSERT INTO gate(kind,reason,opened_seq) SELECT 'disk','the disk is full',released_seq FROM effect WHERE verb='submit'");
	assert_int_equal(box_int(&b, "SELECT count(*) FROM check_released_through_gate WHERE kind='disk'"), 1);
	run(&b, "DELETE FROM gate WHERE kind='disk'");
	box_close(&b);
}

/* Whether a revision revises another is a matter of their order, not of that in which they are heard. */
static void revised_in_any_order(void **state)
{
	static const char *const rules[] = {"{\"when\":\"p_bns > 0.5 AND revised = 1\"}", "{\"when\":\"p_bns > 0.5 AND revised = 0\"}"};
	(void)state;
	for (int rule = 0; rule < 2; rule++) {
		char seen[2][256];
		for (int order = 0; order < 2; order++) {
			struct box b;
			box_open(&b);
			box_config(&b, rules[rule]);
			for (int i = 0; i < 2; i++)
				box_alert(&b, "S230518h", i == order ? "PRELIMINARY" : "UPDATE", i == order ? 0 : 300, 0.9, NULL);
			snprintf(seen[order], sizeof seen[order], "%s", box_text(&b,
				"SELECT e.state||' '||d.state||' '||d.outcome||' '||a.type||' '||(SELECT group_concat(w) FROM (SELECT x.type||f.revised AS w FROM alert x JOIN "
				"fact f ON f.alert=x.id ORDER BY x.time_created_us)) FROM event e JOIN decision d ON d.event=e.id JOIN alert a ON a.id=d.alert"));
			box_close(&b);
		}
		assert_string_equal(seen[0], seen[1]);
		assert_non_null(strstr(seen[0], "PRELIMINARY0.0,UPDATE1.0"));
	}
}

/* "No time left" is asked for once, not once per galaxy: the others step down without a call, until status shows time again. */
static void no_time_is_said_once(void **state)
{
	static const char refusal[] = "{\"request_durations\":{},\"errors\":{\"non_field_errors\":[\"Proposal TOO2023A does not have enough time left allocated in semester "
				      "2023A on the 1M0-SCICAM-SINISTRO instrument, 0.0 hours available\"]}}";
	static const char asked[] = "SELECT count(*) FROM effect f JOIN request r ON r.id=f.request WHERE f.verb='offer' AND f.released_seq IS NOT NULL AND r.mode='TIME_CRITICAL'";
	(void)state;
	struct box b;
	tale_begin(&b, NULL, 6, 1);
	assert_int_equal(box_int(&b, asked), 3); /* the transfers that there are */
	while (box_int(&b, "SELECT count(*) FROM effect f JOIN request r ON r.id=f.request WHERE f.verb='offer' AND f.state='released' AND r.mode='TIME_CRITICAL'"))
		box_reply(&b, box_int(&b, "SELECT min(f.id) FROM effect f JOIN request r ON r.id=f.request WHERE f.verb='offer' AND f.state='released' AND r.mode='TIME_CRITICAL'"),
			  200, "%s", refusal);
	assert_int_equal(box_int(&b, asked), 3);
	assert_int_equal(box_int(&b, "SELECT count(*) FROM request WHERE mode='TIME_CRITICAL' AND state='declined' AND refused_stem='time'"), 6);
	assert_int_equal(box_int(&b, "SELECT count(*) FROM request WHERE mode='NORMAL'"), 6);
	tale_offers(&b, 300);
	assert_int_equal(box_int(&b, "SELECT count(*) FROM request WHERE mode='NORMAL' AND state='asked'"), 3); /* as many as may be in flight */
	assert_int_equal(box_int(&b, "SELECT count(*) FROM hours_refused"), 1);
	for (; box_waits(&b, "submit"); tale_offers(&b, 300))
		tale_accept(&b, box_waits(&b, "submit"));
	box_later(&b, 300); /* the status of the routine says nothing of hours: still refused */
	box_routine(&b);
	assert_int_equal(box_int(&b, "SELECT count(*) FROM hours_refused"), 1);
	box_later(&b, 300);
	box_reply(&b, box_waits(&b, "status"), 200, "{\"username\":\"slew\",\"proposals\":[{\"id\":\"TOO2023A\",\"time_allocations\":[{\"instrument_types\":"
		  "[\"1M0-SCICAM-SINISTRO\"],\"std_allocation\":10,\"std_time_used\":0,\"tc_allocation\":5,\"tc_time_used\":1,\"rr_allocation\":1,\"rr_time_used\":0}]}]}");
	box_routine(&b);
	assert_int_equal(box_int(&b, "SELECT count(*) FROM hours_refused"), 0);
	box_close(&b);
}

/* At the end of the ladder at one facility it is the other's turn, though no reserve was offered; then nobody's. */
static void the_ladder_goes_on_elsewhere(void **state)
{
	static const char policy[] = "{\"ladder\":[{\"programme\":\"too\",\"facility\":\"lco\",\"mode\":\"TIME_CRITICAL\"},"
				     "{\"programme\":\"too2\",\"facility\":\"second\",\"mode\":\"NORMAL\"}]}";
	static const char refusal[] = "{\"request_durations\":{},\"errors\":{\"requests\":[\"no\"]}}";
	static const char job[] = "SELECT json_extract(body,'$.refused') FROM effect WHERE compute='plan' ORDER BY id DESC LIMIT 1";
	(void)state;
	struct box b;
	box_open(&b);
	b.two = true;
	box_config(&b, policy);
	box_later(&b, 1);
	box_routine(&b);
	box_alert(&b, "S230518h", "PRELIMINARY", 0, 0.9, "SIMPLE  = map one");
	tale_map(&b, 30);
	tale_ranked(&b, 1);
	assert_string_equal(box_text(&b, job), "[]");
	tale_planned(&b, 0, 1, 1); /* of lco only */
	while (box_waits(&b, "offer"))
		box_reply(&b, box_waits(&b, "offer"), 200, "%s", refusal);
	assert_int_equal(box_int(&b, "SELECT count(*) FROM request WHERE state<>'declined'"), 0);
	assert_true(box_waits(&b, "plan") > 0);
	assert_string_equal(box_text(&b, job), "[{\"epoch\":1,\"facility\":\"lco\",\"target\":\"G0|0\"}]");
	box_close(&b);
}

/* What was withdrawn before anybody answered is no sign that the facility would take it: it would be asked again with each answer. */
static void withdrawn_is_not_taken(void **state)
{
	static const char policy[] = "{\"ladder\":[{\"programme\":\"too\",\"facility\":\"lco\",\"mode\":\"TIME_CRITICAL\"},"
				     "{\"programme\":\"too2\",\"facility\":\"second\",\"mode\":\"NORMAL\"}]}";
	static const char refusal[] = "{\"request_durations\":{},\"errors\":{\"requests\":[\"no\"]}}";
	static const char job[] = "SELECT json_extract(body,'$.refused') FROM effect WHERE compute='plan' ORDER BY id DESC LIMIT 1";
	(void)state;
	struct box b;
	box_open(&b);
	b.two = true;
	box_config(&b, policy);
	box_later(&b, 1);
	box_routine(&b);
	box_alert(&b, "S230518h", "PRELIMINARY", 0, 0.9, "SIMPLE  = map one");
	tale_map(&b, 30);
	tale_ranked(&b, 1);
	tale_planned(&b, 0, 1, 1);
	box_order(&b, "{\"verb\":\"pin\",\"event\":\"S230518h\",\"what\":\"G0\",\"why\":\"a new plan\"}");
	box_result(&b, box_waits(&b, "plan"), "{\"kind\":\"plan\",\"verdicts\":[],\"requests\":[]}");
	assert_string_equal(box_text(&b, tale_states), "cancelled");
	box_order(&b, "{\"verb\":\"pin\",\"event\":\"S230518h\",\"what\":\"G0\",\"why\":\"a new plan\"}");
	tale_planned(&b, 0, 1, 1);
	while (box_waits(&b, "offer"))
		box_reply(&b, box_waits(&b, "offer"), 200, "%s", refusal);
	assert_int_equal(box_int(&b, "SELECT count(*) FROM request WHERE state='declined'"), 1);
	assert_string_equal(box_text(&b, job), "[{\"epoch\":1,\"facility\":\"lco\",\"target\":\"G0|0\"}]");
	box_close(&b);
}

/* A facility that puts its submission off makes room for the reserve: nothing was made there. */
static void the_reserve_is_not_kept_waiting(void **state)
{
	(void)state;
	struct box b;
	tale_begin(&b, NULL, 1, 2);
	tale_offers(&b, 300);
	assert_string_equal(box_text(&b, tale_states), "asked,held");
	box_reply(&b, box_waits(&b, "submit"), 429, "{\"detail\":\"Request was throttled.\"}");
	assert_string_equal(box_text(&b, tale_states), "cancelled,asked");
	box_lost(&b, box_waits(&b, "submit"), SENT_NO); /* and nobody stands behind the second */
	assert_string_equal(box_text(&b, tale_states), "cancelled,asked");
	box_close(&b);
}

/* An offer that costs nothing is billed as planned: a facility's slip of the pen opens no budget. */
static void nothing_is_free(void **state)
{
	(void)state;
	struct box b;
	tale_begin(&b, "{\"budget_h\":{\"event\":0.2,\"night\":8}}", 3, 1);
	tale_offers(&b, 0);
	assert_int_equal(box_int(&b, "SELECT count(*) FROM request WHERE state='asked'"), 2); /* of 300 s each */
	assert_int_equal(box_int(&b, "SELECT total(seconds) FROM ledger WHERE state<>'returned'"), 600);
	box_close(&b);
}

/* What a page of the feed says of a request that was written to meanwhile is ignored, but asked for anew: the cursor has gone past it. */
static void ignored_by_age_asked_anew(void **state)
{
	(void)state;
	struct box b;
	tale_begin(&b, NULL, 1, 1);
	tale_offers(&b, 300);
	int64_t submit = box_waits(&b, "submit");
	box_later(&b, 301);
	assert_true(box_waits(&b, "poll") > 0);
	tale_accept(&b, submit); /* answered while the feed's first page is on its way */
	char token[64];
	snprintf(token, sizeof token, "%s", box_text(&b, "SELECT token FROM request"));
	assert_int_equal(box_int(&b, "SELECT count(*) FROM effect WHERE verb='poll' AND request=1"), 0);
	box_reply(&b, box_waits(&b, "poll"), 200, "{\"count\":1,\"next\":null,\"previous\":null,\"results\":[{\"id\":77,\"name\":\"%s\",\"request_group_id\":%lld,\"state\":\"IN_PROGRESS\","
		  "\"site\":\"coj\",\"enclosure\":\"doma\",\"telescope\":\"1m0a\",\"start\":\"2023-05-18T18:00:00Z\",\"end\":\"2023-05-18T18:10:00Z\"}]}", token, (long long)submit);
	assert_string_equal(box_text(&b, tale_states), "accepted");
	assert_int_equal(box_int(&b, "SELECT count(*) FROM effect WHERE verb='poll' AND request=1"), 1);
	box_close(&b);
}

/* What was asked and came to nothing says why, not that a request exists. */
static void what_came_to_nothing_says_why(void **state)
{
	static const char code[] = "SELECT code FROM verdict WHERE target IS NOT NULL";
	(void)state;
	struct box b;
	tale_begin(&b, NULL, 1, 1);
	tale_offers(&b, 300);
	assert_string_equal(box_text(&b, code), "planned");
	box_alert(&b, "S230518h", "RETRACTION", 600, 0, NULL);
	box_lost(&b, box_waits(&b, "submit"), SENT_NO);
	assert_string_equal(box_text(&b, tale_states), "cancelled");
	assert_string_equal(box_text(&b, code), "retracted");
	box_close(&b);
	tale_begin(&b, NULL, 1, 1);
	box_order(&b, "{\"verb\":\"cancel\",\"request\":1}");
	assert_string_equal(box_text(&b, "SELECT code||': '||detail FROM verdict WHERE target IS NOT NULL"), "withdrawn: cancelled by order");
	box_close(&b);
}

/* Made ready by an early warning is not yet begun: a revision that comes after max_age_h asks no telescope. */
static void warm_and_too_old(void **state)
{
	(void)state;
	struct box b;
	box_open(&b);
	box_config(&b, NULL);
	box_alert(&b, "S230518h", "EARLYWARNING", 0, 0.9, "SIMPLE  = map one");
	tale_map(&b, 30);
	assert_string_equal(box_text(&b, "SELECT state FROM decision"), "warm");
	box_later(&b, 30 * 3600.0);
	box_alert(&b, "S230518h", "PRELIMINARY", 60, 0.9, "SIMPLE  = map one");
	assert_string_equal(box_text(&b, "SELECT code FROM verdict WHERE target IS NULL"), "too_old");
	assert_int_equal(box_int(&b, "SELECT count(*) FROM decision WHERE state='triggered'"), 0);
	box_close(&b);
}

/* Two galaxies observed, told by one page: a person hears of both. */
static void two_words_of_one_input(void **state)
{
	(void)state;
	struct box b;
	char token[2][64], number[2][24];
	tale_begin(&b, NULL, 2, 1);
	tale_offers(&b, 300);
	while (box_waits(&b, "submit"))
		tale_accept(&b, box_waits(&b, "submit"));
	for (int i = 0; i < 2; i++) {
		snprintf(token[i], sizeof token[i], "%s", box_text(&b, i ? "SELECT token FROM request WHERE id=2" : "SELECT token FROM request WHERE id=1"));
		snprintf(number[i], sizeof number[i], "%s", box_text(&b, i ? "SELECT remote_id FROM request WHERE id=2" : "SELECT remote_id FROM request WHERE id=1"));
	}
	for (int i = 0; i < 20 && !box_waits(&b, "poll"); i++)
		box_later(&b, 60);
	box_reply(&b, box_waits(&b, "poll"), 200, "{\"count\":0,\"next\":null,\"previous\":null,\"results\":[]}");
	box_reply(&b, box_waits(&b, "poll"), 200, "{\"count\":2,\"next\":null,\"previous\":null,\"results\":[{\"id\":%s,\"name\":\"%s\",\"state\":\"COMPLETED\",\"requests\":"
		  "[{\"id\":6,\"state\":\"COMPLETED\"}]},{\"id\":%s,\"name\":\"%s\",\"state\":\"COMPLETED\",\"requests\":[{\"id\":7,\"state\":\"COMPLETED\"}]}]}",
		  number[0], token[0], number[1], token[1]);
	assert_string_equal(box_text(&b, tale_states), "done,done");
	assert_int_equal(box_int(&b, "SELECT count(*) FROM effect WHERE kind='message' AND body LIKE '%observed G%'"), 2);
	assert_int_equal(box_int(&b, "SELECT count(*) FROM message_out WHERE kind='observed' AND body LIKE '%G0%G1%'"), 1);
	box_close(&b);
}

/* What waited so long that its visit (300 s) does not fit into the rest of its window is not asked for, and says so. */
static void too_late_for_its_visit(void **state)
{
	(void)state;
	for (int late = 0; late < 2; late++) {
		struct box b;
		tale_begin(&b, NULL, 1, 1);
		int64_t end_us = box_int(&b, "SELECT end_us FROM request");
		box_order(&b, "{\"verb\":\"hold\",\"what\":\"all\"}");
		tale_offers(&b, 300);
		box_later(&b, (double)(end_us - b.utc_us) / 1e6 - 300 + late);
		assert_string_equal(box_text(&b, tale_states), "offered");
		box_order(&b, "{\"verb\":\"resume\",\"what\":\"all\"}");
		assert_string_equal(box_text(&b, tale_states), late ? "cancelled" : "asked");
		if (late)
			assert_string_equal(box_text(&b, "SELECT unwanted_why FROM request"), "its visit does not fit into the rest of its window");
		box_close(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spectra_of_a_retracted_event), cmocka_unit_test(promoted_child_of_a_retraction), cmocka_unit_test(unwanted_between_two_steps),
		cmocka_unit_test(resend_is_counted), cmocka_unit_test(too_late_for_its_visit), cmocka_unit_test(a_look_counts_from_its_first_page), cmocka_unit_test(refused_orders_are_rows),
		cmocka_unit_test(a_persons_word_is_looked_up), cmocka_unit_test(a_page_too_many_moves_no_cursor),
		cmocka_unit_test(the_check_sees_the_disk), cmocka_unit_test(revised_in_any_order),
		cmocka_unit_test(no_time_is_said_once), cmocka_unit_test(the_ladder_goes_on_elsewhere), cmocka_unit_test(withdrawn_is_not_taken),
		cmocka_unit_test(the_reserve_is_not_kept_waiting), cmocka_unit_test(nothing_is_free), cmocka_unit_test(ignored_by_age_asked_anew),
		cmocka_unit_test(what_came_to_nothing_says_why), cmocka_unit_test(warm_and_too_old), cmocka_unit_test(two_words_of_one_input),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

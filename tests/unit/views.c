/* Views and explain over a small state filled by hand: counts, sums, names as people type them, and "why not?" in one screen. */
#include "test.h"
#include "engine/base/json.h"
#include "engine/base/query.h"
#include "engine/core/turn.h"
#include "engine/report/views.h"

/* GW170817 as it might have gone: NGC 4993 declined, then withdrawn by a veto; ESO 508-019 observed; PGC 99 never up. */
static const char night[] =
	"INSERT INTO store(one,id,installation,created_us) VALUES (1,'db','0123abcd',0);"
	"INSERT INTO input(seq,kind,utc_us,tick_us) VALUES (1,'config',1502973600000000,1),(2,'alert',1502975000000000,2),(3,'result',1502975001000000,3),"
	" (4,'reply',1502975002000000,4),(5,'order',1502976000000000,5),(6,'reply',1502977000000000,6),(7,'alert',1502978000000000,7);"
	"INSERT INTO reject(seq,reason) VALUES (7,'not an alert');"
	"INSERT INTO event(id,issuer,name,state,is_test,time_us,first_seq,latest_alert,generation_rank,changed_seq)"
	" VALUES (1,'lvk','G298048','triggered','[]',1502973664400000,2,2,1,3),(2,'lvk','MS1','heard','[\"id prefix M\"]',NULL,3,NULL,0,3);"
	"INSERT INTO alert(id,event,seq,type,type_rank,time_created_us,sha256,received_us,stream,map_sha256,normal) VALUES"
	" (1,1,2,'PRELIMINARY',1,1502974900000000,'aa',1502975000000000,'igwn.gwalert',NULL,'{}'),"
	" (2,1,3,'INITIAL',2,1502974990000000,'bb',1502975001000000,'igwn.gwalert','cafe','{}');"
	"INSERT INTO input(seq,kind,utc_us,tick_us,source,topic) VALUES (8,'alert',1502978100000000,8,'hop','igwn.gwalert-copy');"
	"INSERT INTO duplicate(seq,alert) VALUES (8,2);"
	"INSERT INTO skymap(sha256,state,summary,error) VALUES ('cafe','ready','{\"area90_deg2\":28.5}',NULL);"
	"INSERT INTO fact(alert,map_state,alert_type,p_bns,area90_deg2,dist_mean_mpc) VALUES (1,'none','PRELIMINARY',0.9,NULL,NULL),"
	" (2,'ready','INITIAL',0.99,28.5,40.0);"
	"INSERT INTO policy(id,name,sha256,body,seq,current) VALUES (1,'bns-near','p1','{\"when\":\"p_bns > 0.5\"}',1,1);"
	"INSERT INTO decision(event,policy,alert,outcome,state,missing,approved,approved_h,changed_seq) VALUES (1,'bns-near',2,'true','triggered',NULL,1,3.0,3),(2,'bns-near',1,'unknown','idle','p_bns',0,NULL,3);"
	"INSERT INTO facility(name,adapter,state,accepts_tests,descriptor,failures,checked_us,changed_seq) VALUES ('lco','ocs','open',0,'{}',2,1502975000000000,1);"
	"INSERT INTO programme(name,facility,proposal,hours,triggers,state) VALUES ('gw','lco','KEY2026','{\"NORMAL\":10,\"TIME_CRITICAL\":2}',3,'active');"
	"INSERT INTO target(id,event,key,kind,name,ra_deg,dec_deg,distance_mpc,rank,share,cumulative_share,generation,probability) VALUES"
	" (1,1,'NGC 4993|45657','galaxy','NGC 4993',197.448,-23.384,40.7,1,0.4,0.4,1,0.3),"
	" (2,1,'50MGC:ESO508-019|45531','galaxy','50MGC:ESO508-019',197.466,-24.239,45.1,2,0.3,0.7,1,0.22),"
	" (3,1,'PGC 99|99','galaxy','PGC 99',12.0,80.0,41,3,0.1,0.8,1,NULL);"
	"UPDATE event SET outside=0.25 WHERE id=1;"
	"INSERT INTO request(id,token,event,target,facility,programme,policy,purpose,epoch,variant,state,unwanted,unwanted_why,mode,body,start_us,end_us,seconds,"
	"  remote_id,created_us,created_seq,changed_seq) VALUES"
	" (1,'slew-0123abcd-1',1,1,'lco','gw',1,'search',1,0,'declined',0,NULL,'TIME_CRITICAL','{\"site\":\"lsc\",\"filters\":[\"gp\",\"ip\"],\"limit_mag\":[22.1,21.4],\"reference\":[{\"survey\":\"wide\",\"band\":\"g\",\"depth_mag\":23.5},null]}',"
	"   1502975100000000,1502979000000000,NULL,NULL,1502975001000000,3,4),"
	" (2,'slew-0123abcd-2',1,1,'lco','gw',1,'search',1,1,'cancelled',1,'vetoed','TIME_CRITICAL','{\"site\":\"lsc\",\"filters\":[\"gp\"]}',"
	"   1502975100000000,1502979000000000,360,'8812',1502975002000000,4,5),"
	" (3,'slew-0123abcd-3',1,2,'lco','gw',1,'search',1,0,'done',0,NULL,'TIME_CRITICAL','{\"site\":\"lsc\",\"filters\":[\"gp\"]}',"
	"   1502975100000000,1502979000000000,360,'8813',1502975002000000,4,6);"
	"INSERT INTO ledger(request,programme,event,mode,seconds,state,seq) VALUES (2,'gw',1,'TIME_CRITICAL',360,'returned',5),(3,'gw',1,'TIME_CRITICAL',1800,'spent',6);"
	"INSERT INTO offer(request,seq,outcome,field,stem,words) VALUES (1,4,'declined','requests[0].windows[0]','airmass','the target will not be visible');"
	"INSERT INTO request_change(request,seq,utc_us,signal,from_state,to_state,words) VALUES"
	" (1,4,1502975002000000,'declined','planned','declined','the target will not be visible'),"
	" (2,5,1502976000000000,'unwanted','accepted','cancelling','vetoed by uid 1000');"
	"INSERT INTO effect(id,seq,kind,state,once,facility,verb,request,event,released_seq,released_utc_us,outcome) VALUES"
	" (9,4,'call','done',1,'lco','submit',2,1,4,1502975003000000,'accepted'),(10,5,'call','waiting',0,'lco','cancel',2,1,NULL,NULL,NULL);"
	"INSERT INTO effect(id,seq,kind,state,once,event,policy,compute) VALUES (11,4,'compute','done',0,1,'bns-near','plan'),"
	" (12,4,'compute','done',0,1,'bns-near','plan');"
	"INSERT INTO input(seq,kind,utc_us,tick_us,effect,body) VALUES (9,'result',1502978200000000,9,11,CAST('{\"worth\":0.1,\"bound\":0.2}' AS BLOB));"
	"INSERT INTO blob(sha256,size,body) VALUES ('plan',29,CAST('{\"worth\":0.494,\"bound\":0.6615}' AS BLOB));"
	"INSERT INTO input(seq,kind,utc_us,tick_us,effect,sha256) VALUES (10,'result',1502978200000000,9,12,'plan');"
	"INSERT INTO observation(request,facility,remote_id,site,telescope,state,start_us,seq) VALUES (3,'lco','o1','lsc','1m0a','done',1502976500000000,6);"
	"INSERT INTO data_product(facility,request,basename,level,seq) VALUES ('lco',3,'lsc1m005-e00','raw',6);"
	"INSERT INTO verdict(event,policy,target,facility,code,detail,seq) VALUES (1,'bns-near',1,NULL,'vetoed','by uid 1000: too bright a star',5),"
	" (1,'bns-near',2,'lco','observed','',6),(1,'bns-near',3,NULL,'never_rises','Dec +80',3);"
	"INSERT INTO operator_order(seq,uid,pid,verb,body,why,answer) VALUES (5,1000,77,'veto','{\"verb\":\"veto\",\"event\":\"g298048\",\"target\":\"NGC 4993\"}','too bright a star','ok');"
	"INSERT INTO gate(kind,event,target,reason,opened_seq) VALUES ('veto',1,1,'too bright a star',5);"
	"INSERT INTO alarm(seq,utc_us,subject,what) VALUES (6,1502977000000000,'lco','answers slowly\x1b[31m');"
	"INSERT INTO source_position(source,topic,part,cluster,next_offset,timestamp_us) VALUES ('gcn','igwn.gwalert',0,'c',4712,1502975000000000);"
	"INSERT INTO candidate(event,name,origin,ra_deg,dec_deg,state,seq) VALUES (1,'SSS17a','swope',197.45037,-23.38148,'new',6);";

static sqlite3 *db;

static int setup(void **state)
{
	struct err e = {0};
	(void)state;
	if (query_open(":memory:", QUERY_WRITE, &db, &e) == 0 && migrate(db, &e) == 0 && query_script(db, night, &e) == 0)
		return 0;
	printf("# %s\n", e.text);
	return -1;
}

static int teardown(void **state)
{
	(void)state;
	return sqlite3_close(db);
}

/* Runs a view with args as JSON text; the answer is the caller's. */
static json_t *view(const char *verb, const char *args)
{
	struct err e = {0};
	json_t *a = json_loads(args, 0, NULL), *out = NULL;
	assert_ok(view_run(db, verb, a, 1502980000000000, &out, &e), &e);
	json_decref(a);
	return out;
}

static char *printed(const char *verb, const json_t *value)
{
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);
	view_print(verb, value, to);
	fclose(to);
	return text;
}

#define contains(text, part) do { if (strstr(text, part) == NULL) fail_msg("\"%s\" is not in:\n%s", part, text); } while (0)

static void status_counts_and_sums(void **state)
{
	(void)state;
	json_t *v = view("status", "{}");
	json_t *requests = json_object_get(v, "requests");
	assert_int_equal(json_int(requests, "declined", 0), 1);
	assert_int_equal(json_int(requests, "done", 0), 1);
	assert_int_equal(json_int(v, "rejects", 0), 1);
	assert_int_equal(json_int(json_object_get(v, "effects"), "waiting", 0), 1);
	json_t *p = json_array_get(json_object_get(v, "programmes"), 1);
	assert_string_equal(json_text(p, "mode", ""), "TIME_CRITICAL");
	assert_true(json_number(p, "left_h", 0) == 1.5); /* 2 h granted, 1800 s spent, 360 s came back */
	assert_true(json_number(json_array_get(json_object_get(v, "programmes"), 0), "left_h", 0) == 10);
	assert_int_equal(json_int(p, "used_triggers", -1), 1); /* the event of what was observed */
	char *text = printed("status", v);
	contains(text, "2017-08-17 14:26:40 UTC");
	contains(text, "1 cancelled, 1 declined, 1 done");
	contains(text, "answers slowly\\x1B[31m"); /* a stranger's escape sequence stays text */
	contains(text, "4712");
	free(text);
	json_decref(v);
}

static void lists_show_rows(void **state)
{
	(void)state;
	json_t *v = view("events", "{}");
	assert_int_equal(json_array_size(json_object_get(v, "events")), 2);
	char *text = printed("events", v);
	contains(text, "bns-near=triggered");
	contains(text, "id prefix M");
	free(text);
	json_decref(v);
	v = view("requests", "{\"event\":\"ms1\"}");
	assert_int_equal(json_array_size(json_object_get(v, "requests")), 0);
	text = printed("requests", v);
	contains(text, "no request was made yet");
	free(text);
	json_decref(v);
	v = view("requests", "{\"event\":\"LVK:G298048\"}");
	assert_int_equal(json_array_size(json_object_get(v, "requests")), 3);
	text = printed("requests", v);
	contains(text, "gp,ip");
	contains(text, "8812");
	free(text);
	json_decref(v);
	v = view("candidates", "{}");
	text = printed("candidates", v);
	contains(text, "SSS17a");
	contains(text, "197.45037");
	free(text);
	json_decref(v);
}

static void explain_says_why_not(void **state)
{
	(void)state;
	json_t *v = view("explain", "{\"event\":\"G298048\",\"target\":\"ngc4993\"}");
	char *text = printed("explain", v);
	assert_int_equal(strncmp(text, "NGC 4993 was not observed: vetoed by the operator (by uid 1000: too bright a star)", 80), 0);
	contains(text, "INITIAL");
	contains(text, "and again on igwn.gwalert-copy");
	contains(text, "policy    bns-near: true by the INITIAL");
	contains(text, "when p_bns > 0.5");
	contains(text, "approved up to 3 h; its plan is worth 0.4940, no choice of visits could be worth more than 0.6615"); /* the newest one */
	contains(text, "rank 1 of 3, share 40.00 %, probability to be the host 30.00 %");
	contains(text, "declined at requests[0].windows[0]: the target will not be visible");
	contains(text, "accepted → cancelling (unwanted): vetoed by uid 1000");
	contains(text, "sent      submit, answer: accepted");
	contains(text, "gate      veto for NGC 4993: too bright a star");
	contains(text, "depth expected, 5 sigma: gp 22.10 less wide (g 23.50), ip 21.40 (no reference image is known)");
	contains(text, "veto by uid 1000, because: too bright a star → ok");
	int lines = 0;
	for (const char *c = text; *c != '\0'; c++)
		lines += *c == '\n';
	assert_true(lines <= 24); /* one screen */
	assert_null(strstr(text, "lsc1m005")); /* another galaxy's frame */
	free(text);
	json_decref(v);
	v = view("explain", "{\"event\":\"G298048\",\"target\":\"eso 508-019\"}"); /* without the catalogue's prefix */
	text = printed("explain", v);
	contains(text, "50MGC:ESO508-019 was observed: request 3 on lco is done");
	contains(text, "telescope done at lsc 1m0a");
	contains(text, "frame     lsc1m005-e00, level raw");
	free(text);
	json_decref(v);
}

/* A galaxy that was observed in a frame of a camera with others says in which. Last: it adds to the state. */
static void explain_says_in_which_field(void **state)
{
	static const char more[] =
		"INSERT INTO target(id,event,key,kind,name,ra_deg,dec_deg,rank,share,cumulative_share,generation,probability) VALUES"
		" (9,1,'field:decam:1234','field','decam 12.1000+79.9000',12.1,79.9,1,0.6,0.6,1,0.5);"
		"INSERT INTO field_galaxy(field,galaxy,generation) VALUES (9,3,1);"
		"UPDATE verdict SET code='in_field',detail='in the field of decam 12.1000+79.9000' WHERE target=3;"
		"INSERT INTO verdict(event,policy,target,code,detail,seq) VALUES (1,'bns-near',9,'planned','',6);"
		"INSERT INTO request(id,token,event,target,facility,programme,policy,purpose,epoch,variant,state,unwanted,mode,body,start_us,end_us,created_us,created_seq,"
		"changed_seq) VALUES (7,'slew-0123abcd-7',1,9,'lco','gw',1,'search',1,0,'done',0,'TIME_CRITICAL','{}',1502975100000000,1502979000000000,1502975002000000,4,6);";
	(void)state;
	assert_int_equal(sqlite3_exec(db, more, NULL, NULL, NULL), SQLITE_OK);
	json_t *v = view("explain", "{\"event\":\"G298048\",\"target\":\"pgc99\"}");
	char *text = printed("explain", v);
	contains(text, "PGC 99 was observed in the field of decam 12.1000+79.9000: request 7 on lco is done");
	contains(text, "field     decam 12.1000+79.9000, rank 1: a request exists");
	contains(text, "rank 3 of 3");
	free(text);
	json_decref(v);
	v = view("explain", "{\"event\":\"G298048\",\"target\":\"decam 12.1000+79.9000\"}");
	text = printed("explain", v);
	contains(text, "holds     1 galaxies");
	contains(text, "PGC 99");
	free(text);
	json_decref(v);
	v = view("explain", "{\"event\":\"G298048\"}");
	text = printed("explain", v);
	contains(text, "ranking   1 fields, of all that could be held they hold: 60.0 %");
	free(text);
	json_decref(v);
	v = view("explain", "{\"event\":\"G298048\",\"target\":\"M 31\"}");
	assert_string_equal(json_text(v, "outcome", ""), "M 31 was not observed: it stands in none of the 1 fields chosen for G298048, which hold 60.0 % of all that "
		"could be held, or is not in the catalogue under this name (slew fields --top shows more)");
	json_decref(v);
	static const struct {
		const char *change, *outcome;
	} not_observed[] = {
		{"UPDATE request SET state='accepted' WHERE id=7",
			"PGC 99 was not observed yet: it is in the field of decam 12.1000+79.9000, whose request 7 on lco is accepted"},
		{"UPDATE request SET state='declined' WHERE id=7;UPDATE verdict SET code='declined' WHERE target=9",
			"PGC 99 was not observed: it is in the field of decam 12.1000+79.9000, and of that: every offer was refused; the field's last request (7 on "
			"lco) is declined"},
		{"DELETE FROM request WHERE id=7;UPDATE verdict SET code='never_rises',detail='airmass 2.6 at best' WHERE target=9",
			"PGC 99 was not observed: it is in the field of decam 12.1000+79.9000, and of that: never above the airmass limit from any site (airmass 2.6 "
			"at best)"}};
	for (size_t i = 0; i < sizeof not_observed / sizeof not_observed[0]; i++) {
		assert_int_equal(sqlite3_exec(db, not_observed[i].change, NULL, NULL, NULL), SQLITE_OK);
		v = view("explain", "{\"event\":\"G298048\",\"target\":\"pgc99\"}");
		assert_string_equal(json_text(v, "outcome", ""), not_observed[i].outcome);
		json_decref(v);
	}
}

static void explain_of_an_event_and_of_strangers(void **state)
{
	(void)state;
	struct err e = {0};
	json_t *out = NULL, *args = json_pack("{s:s}", "event", "S0");
	json_t *v = view("explain", "{\"event\":\"g298048\"}");
	assert_string_equal(json_text(v, "outcome", ""), "G298048 is triggered: 3 requests for 2 targets, 0 live, 1 done");
	char *text = printed("explain", v);
	contains(text, "never_rises");
	contains(text, "lco=declined lco=cancelled");
	contains(text, "explain EVENT TARGET shows the chain");
	free(text);
	json_decref(v);
	v = view("explain", "{\"event\":\"MS1\"}");
	assert_string_equal(json_text(v, "outcome", ""), "MS1 is heard: bns-near is unknown (not known: p_bns)");
	json_decref(v);
	v = view("explain", "{\"event\":\"G298048\",\"target\":\"45531\"}"); /* by its id */
	assert_int_equal(strncmp(json_text(v, "outcome", ""), "50MGC:ESO508-019 was observed", 29), 0);
	json_decref(v);
	v = view("explain", "{\"event\":\"G298048\",\"target\":\"M 87\"}");
	text = printed("explain", v);
	contains(text, "M 87 was not observed: it is not among the 3 galaxies ranked for G298048 (shares up to 80.0 %)");
	assert_null(strstr(text, "request   "));
	free(text);
	json_decref(v);
	assert_int_equal(view_run(db, "explain", args, 0, &out, &e), -1);
	assert_int_equal(e.kind, ERR_INPUT);
	contains(e.text, "heard last: MS1, G298048");
	assert_int_equal(view_run(db, "explain", NULL, 0, &out, &e), -1);
	assert_int_equal(view_run(db, "sing", NULL, 0, &out, &e), -1);
	assert_false(view_is("veto"));
	json_decref(args);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(status_counts_and_sums), cmocka_unit_test(lists_show_rows),
		cmocka_unit_test(explain_says_why_not), cmocka_unit_test(explain_of_an_event_and_of_strangers),
		cmocka_unit_test(explain_says_in_which_field)};
	return cmocka_run_group_tests(tests, setup, teardown);
}

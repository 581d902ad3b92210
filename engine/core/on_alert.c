/* An alert becomes a revision of an event: identity, order, duplicates, signs of a test, retraction; then the policies look at it. */
#include "engine/base/json.h"
#include "engine/base/query.h"
#include "engine/base/utc.h"
#include "engine/core/turn.h"
#include <stdlib.h>
#include <string.h>

static int64_t event_of(struct core *c, const struct alert *a)
{
	static const char find[] = "SELECT id FROM event WHERE issuer=? AND name=?";
	static const char insert[] = "INSERT INTO event(issuer,name,state,time_us,first_seq,changed_seq) VALUES(?,?,'heard',?,?,?)";
	int64_t id = get_int(c, 0, find, "tt", a->source, a->event);
	if (id == 0) {
		put(c, insert, "ttnii", a->source, a->event, a->time_us, c->seq, c->seq);
		id = last_id(c);
	}
	return id;
}

/* is_test is the OR of every sign and sticks. true: a sign came late, after the event was believed to be real. */
static bool tests_merge(struct core *c, int64_t event, const json_t *reasons, bool first)
{
	json_t *have = get_json(c, "SELECT is_test FROM event WHERE id=?", "i", event);
	size_t before = json_array_size(have), i, k;
	json_t *reason, *old;
	json_array_foreach(reasons, i, reason) {
		bool known = false;
		json_array_foreach(have, k, old)
			known |= json_equal(old, reason);
		if (!known)
			json_array_append(have, reason);
	}
	bool late = !first && before == 0 && json_array_size(have) > 0;
	if (have != NULL && json_array_size(have) > before) {
		char *text = json_compact(have);
		put(c, "UPDATE event SET is_test=?,changed_seq=? WHERE id=?", "tii", text, c->seq, event);
		free(text);
	}
	json_decref(have);
	return late;
}

#define COLUMN(name, type, from_map, null) "," #name
#define MARK(name, type, from_map, null) ",?"
static void facts_insert(struct core *c, int64_t alert, const struct facts *f, const char *map_state)
{
	static const char insert[] = "INSERT INTO fact(alert,map_state" FACTS(COLUMN) ") VALUES(?,?" FACTS(MARK) ")";
	if (failed(c))
		return;
	sqlite3_stmt *q = query_prepare(c->db, insert, &c->fault); /* too many columns for a type string */
	if (q == NULL)
		return;
	sqlite3_bind_int64(q, 1, alert);
	sqlite3_bind_text(q, 2, map_state, -1, SQLITE_STATIC);
	for (int i = 0; i < FACT_COUNT; i++) {
		if (fact_info[i].type == FACT_TEXT && f->text[i] != NULL)
			sqlite3_bind_text(q, 3 + i, f->text[i], -1, SQLITE_TRANSIENT);
		else if (fact_info[i].type == FACT_REAL && f->number[i] == f->number[i])
			sqlite3_bind_double(q, 3 + i, f->number[i]);
	}
	(void)query_step(q, &c->fault);
	sqlite3_finalize(q);
}

/* The state in which the map facts of this revision start; wants the map to be read when nobody has. */
static const char *map_begin(struct core *c, int64_t event, const struct alert *a)
{
	static const char known[] = "SELECT state FROM skymap WHERE sha256=?";
	char state[16];
	if (a->map == NULL)
		return a->map_error[0] ? "failed" : "none";
	blob_put(c, a->map_sha256, a->map, a->map_len);
	get_text(c, state, sizeof state, known, "t", a->map_sha256);
	if (state[0] == 0 && a->type != ALERT_RETRACTION)
		want_map(c, event, a->map_sha256);
	return strcmp(state, "ready") == 0 ? "ready" : strcmp(state, "failed") == 0 ? "failed" : "wanted";
}

/* What an alert says, without where it was heard and in which bytes; as text, since 1 and 1.0 are the same. malloc'd. Takes normal. */
static char *content_of(json_t *normal)
{
	json_object_del(normal, "stream");
	json_object_del(normal, "revision_key");
	json_object_del(normal, "refs");
	char *text = json_canonical(normal);
	json_decref(normal);
	must_memory(text != NULL);
	return text;
}

/* The alert that is this one: the same bytes, or the same content in others (LVK says everything twice, in JSON to GCN and in Avro to Hopskotch). */
static int64_t alert_known(struct core *c, int64_t event, const struct alert *a, const json_t *normal)
{
	static const char same_bytes[] = "SELECT id FROM alert WHERE event=? AND time_created_us=? AND type_rank=? AND sha256=?";
	static const char others[] = "SELECT id,normal FROM alert WHERE event=? AND time_created_us=? AND type_rank=? AND ifnull(map_sha256,'')=? ORDER BY id LIMIT 16";
	int64_t same = get_int(c, 0, same_bytes, "iiit", event, a->created_us, (int64_t)a->type, a->sha256);
	if (same != 0 || failed(c))
		return same;
	json_t *rows = get_rows(c, others, "iiit", event, a->created_us, (int64_t)a->type, a->map != NULL ? a->map_sha256 : ""), *row;
	char *mine = content_of(json_copy((json_t *)normal));
	size_t i;
	json_array_foreach(rows, i, row) {
		char *old = content_of(json_loads(json_text(row, "normal", "{}"), 0, NULL));
		if (same == 0 && strcmp(mine, old) == 0)
			same = json_int(row, "id", 0);
		free(old);
	}
	free(mine);
	json_decref(rows);
	return same;
}

static int64_t alert_insert(struct core *c, int64_t event, const struct alert *a, const char *stream)
{
	static const char insert[] =
		"INSERT INTO alert(event,seq,type,type_rank,time_created_us,sha256,received_us,stream,map_sha256,normal) "
		"VALUES(?,?,?,?,?,?,?,?,?,?)";
	json_t *normal = alert_json(a, stream);
	int64_t same = alert_known(c, event, a, normal);
	if (same) {
		put(c, "INSERT INTO duplicate(seq,alert) VALUES(?,?)", "ii", c->seq, same);
		json_decref(normal);
		return 0;
	}
	char *text = json_compact(normal);
	json_decref(normal);
	put(c, insert, "iitiitittt", event, c->seq, alert_type_name(a->type), (int64_t)a->type, a->created_us, a->sha256, c->utc_us, stream,
	    a->map != NULL ? a->map_sha256 : NULL, text);
	free(text);
	return last_id(c);
}

/* A promoted candidate is an event of its own: nothing of it is withdrawn, a person is asked. */
static void retract_children(struct core *c, int64_t event, const char *name)
{
	static const char promoted[] = "SELECT e.name FROM association a JOIN event e ON e.id=a.event WHERE a.other=? AND a.role='counterpart' ORDER BY e.id";
	json_t *rows = get_rows(c, promoted, "i", event), *row;
	size_t i;
	json_array_foreach(rows, i, row) {
		const char *child = json_text(row, "name", "");
		alarm_raise(c, child, "parent", "%s was retracted; its candidate %s was promoted and goes on: slew ctl veto %s, or let it be", name, child, child);
	}
	json_decref(rows);
}

/* Any retraction retracts, also one heard before its alert; no later revision lifts it. */
static void retract(struct core *c, int64_t event, const char *name)
{
	static const char others[] = "SELECT count(*) FROM request WHERE event=? AND purpose IN ('spectrum','monitor') "
				     "AND state IN ('asked','unsure','accepted','scheduled','running')";
	char state[16];
	get_text(c, state, sizeof state, "SELECT state FROM event WHERE id=?", "i", event);
	if (strcmp(state, "retracted") == 0)
		return;
	put(c, "UPDATE event SET state='retracted',changed_seq=? WHERE id=?", "ii", c->seq, event);
	gate_open(c, "retracted", event, NULL, 0, NULL, UTC_NONE, "the alert was retracted");
	requests_unwant(c, "retracted", event, NULL, 0, NULL, PURPOSES_retracted);
	put(c, "UPDATE decision SET approved=0,approved_by='[]' WHERE event=?", "i", event); /* that was for a real event */
	int64_t kept = get_int(c, 0, others, "i", event);
	if (kept > 0)
		alarm_raise(c, name, "retracted",
			    "%lld spectra or monitoring requests of a promoted candidate go on: cancel them with slew ctl cancel REQUEST, or let them be",
			    (long long)kept);
	retract_children(c, event, name);
	say(c, event, "retraction", "%s was retracted; searches are being withdrawn", name);
}

static void found_test(struct core *c, int64_t event, const char *name)
{
	gate_open(c, "test", event, NULL, 0, NULL, UTC_NONE, "a sign that it is a test came late");
	put(c, "UPDATE event SET state='closed',changed_seq=? WHERE id=? AND state<>'retracted'", "ii", c->seq, event);
	put(c, "UPDATE decision SET approved=0,approved_by='[]' WHERE event=?", "i", event);
	requests_unwant(c, "found to be a test", event, NULL, 0, NULL, PURPOSES_retracted);
	alarm_raise(c, name, "test", "%s was taken for real until a sign came that it is a test; its requests are being withdrawn", name);
}

/* The newest revision by (time created, kind of alert, digest): the order of arrival does not matter. */
static void newest_revision(struct core *c, int64_t event, int64_t time_us)
{
	static const char newest[] = "UPDATE event SET changed_seq=?1,latest_alert=(SELECT id FROM alert WHERE event=?2 AND type<>'RETRACTION' "
				     "ORDER BY time_created_us DESC,type_rank DESC,sha256 DESC LIMIT 1),"
				     "time_us=coalesce(time_us,?3) WHERE id=?2";
	put(c, newest, "iin", c->seq, event, time_us);
}

/* Is it a revision of an older one? Those that are newer are, from now on: the order of arrival does not matter. What was decided on one of
 * them when it was thought to be the first was decided before it was revised. */
static bool revises(struct core *c, int64_t event, int64_t alert)
{
	static const char older[] = "SELECT 1 FROM alert a JOIN alert b ON b.event=a.event AND (b.time_created_us,b.type_rank,b.sha256)"
				    "<(a.time_created_us,a.type_rank,a.sha256) WHERE a.id=? LIMIT 1";
	static const char newer[] = "SELECT b.id FROM alert a JOIN alert b ON b.event=a.event AND (b.time_created_us,b.type_rank,b.sha256)"
				    ">(a.time_created_us,a.type_rank,a.sha256) JOIN fact f ON f.alert=b.id AND f.revised=0 WHERE a.id=? ORDER BY b.id";
	json_t *rows = get_rows(c, newer, "i", alert), *row;
	size_t i;
	json_array_foreach(rows, i, row) {
		put(c, "UPDATE fact SET revised=1 WHERE alert=?", "i", json_int(row, "id", 0));
		put(c, "UPDATE decision SET alert=? WHERE event=? AND alert=?", "iii", alert, event, json_int(row, "id", 0));
	}
	json_decref(rows);
	return get_int(c, 0, older, "i", alert) == 1;
}

static void alert_enter(struct core *c, const struct input *in, struct alert *a, const char *stream)
{
	bool first = get_int(c, 0, "SELECT 1 FROM event WHERE issuer=? AND name=?", "tt", a->source, a->event) == 0;
	int64_t event = event_of(c, a);
	bool late_test = tests_merge(c, event, a->test_reasons, first);
	if (in->as_real)
		put(c, "UPDATE event SET by_person=1 WHERE id=?", "i", event);
	int64_t alert = alert_insert(c, event, a, stream);
	if (alert == 0 && !late_test)
		return;
	if (alert != 0) {
		struct facts f;
		const char *map_state = map_begin(c, event, a);
		facts_of_alert(a, stream, c->utc_us, revises(c, event, alert), &f);
		facts_insert(c, alert, &f, map_state);
		if (strcmp(map_state, "ready") == 0) {
			put(c, "UPDATE fact SET map_state='wanted' WHERE alert=?", "i", alert);
			facts_store_map(c, a->map_sha256);
		}
		newest_revision(c, event, a->time_us);
		if (strcmp(map_state, "wanted") == 0) {
			char key[64];
			snprintf(key, sizeof key, "map_wait:%lld", (long long)alert);
			timer_set(c, key, "map_wait", alert, NULL, UTC_NONE,
				  c->tick_us + 1000 * (int64_t)(1000 * get_double(c, 60, "SELECT max(ifnull(json_extract(body,'$.map_wait_s'),60)) "
										    "FROM policy WHERE current=1", "")));
		}
	}
	if (a->type == ALERT_RETRACTION)
		retract(c, event, a->event);
	else if (late_test)
		found_test(c, event, a->event);
	if (a->map_error[0])
		alarm_raise(c, a->event, "map", "its sky map cannot be used: %s", a->map_error);
	decide_event(c, event);
}

void on_alert(struct core *c, const struct input *in)
{
	struct alert a;
	struct err e = {0};
	const char *stream = in->topic != NULL && in->topic[0] ? in->topic : in->source ? in->source : "";
	memset(&a, 0, sizeof a);
	if (alert_decode(in->body, in->len, in->topic, &a, &e) < 0) {
		refuse_for(c, "", &e);
		alert_free(&a);
		return;
	}
	static const char real[] = "SELECT 1 FROM event WHERE issuer=? AND name=? AND is_test='[]'";
	if (in->as_test && get_int(c, 0, real, "tt", a.source, a.event)) {
		refuse(c, "inject: %s is a real event here: a test under its name would withdraw it; give --as-real, or change the name in the file", a.event);
		alert_free(&a);
		return;
	}
	if (in->as_test) {
		a.is_test = true;
		json_array_append_new(a.test_reasons, json_string("injected by an operator"));
	}
	if (a.created_us == UTC_NONE)
		a.created_us = c->utc_us;
	alert_enter(c, in, &a, stream);
	alert_free(&a);
}

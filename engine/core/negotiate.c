/* Offers and counter-offers: compared for a short while, the best is chosen, the others are held in reserve; a refusal walks the ladder. */
#include "engine/base/json.h"
#include "engine/base/utc.h"
#include "engine/core/turn.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Higher expected value (that of the plan, an hour, by the chance that it happens), then earlier start, then cheaper, then the older row. */
static bool better(struct core *c, const json_t *a, const json_t *b)
{
	double va = promise_expected(c, a), vb = promise_expected(c, b);
	if (va > vb || va < vb)
		return va > vb;
	if (json_int(a, "start_us", 0) != json_int(b, "start_us", 0))
		return json_int(a, "start_us", 0) < json_int(b, "start_us", 0);
	double sa = json_number(a, "seconds", 1e9), sb = json_number(b, "seconds", 1e9);
	if (sa < sb || sa > sb)
		return sa < sb;
	return json_int(a, "id", 0) < json_int(b, "id", 0);
}

static double wait_s(struct core *c, const json_t *request)
{
	const struct policy *p = rule_find(c, json_int(request, "policy", 0));
	double s = p != NULL ? p->offer_wait_s : 5;
	return strcmp(json_text(request, "mode", ""), "RAPID_RESPONSE") == 0 && s > 1 ? 1 : s;
}

static bool taken(struct core *c, int64_t event, int64_t target, int epoch)
{
	static const char sql[] = "SELECT 1 FROM request r WHERE event=? AND target=? AND epoch=? AND parallel=0 AND (state IN "
				  "('asked','unsure','accepted','scheduled','running','cancelling') OR (state IN ('offered','held') AND EXISTS "
				  "(SELECT 1 FROM effect WHERE request=r.id AND verb='submit' AND state='waiting'))) LIMIT 1";
	return get_int(c, 0, sql, "iii", event, target, (int64_t)epoch) == 1;
}

void offers_compare(struct core *c, int64_t event, int64_t target, int epoch, bool late)
{
	static const char offered[] = "SELECT * FROM request r WHERE event=? AND target=? AND epoch=? AND state='offered' AND NOT EXISTS "
				      "(SELECT 1 FROM effect WHERE request=r.id AND verb='submit' AND state='waiting') ORDER BY id";
	static const char pending[] = "SELECT count(*) FROM request r WHERE event=? AND target=? AND epoch=? AND state='planned' AND EXISTS "
				      "(SELECT 1 FROM effect WHERE request=r.id AND verb='offer' AND state IN ('waiting','released'))";
	char key[128];
	snprintf(key, sizeof key, "offers:%lld:%lld:%d", (long long)event, (long long)target, epoch);
	json_t *rows = get_rows(c, offered, "iii", event, target, (int64_t)epoch), *row;
	const json_t *best = NULL;
	size_t i;
	bool had = taken(c, event, target, epoch);
	if (!had && !late && json_array_size(rows) > 0 && get_int(c, 0, pending, "iii", event, target, (int64_t)epoch) > 0) {
		double wait = wait_s(c, json_array_get(rows, 0));
		if (get_int(c, 0, "SELECT 1 FROM timer WHERE key=?", "t", key) == 0)
			timer_set(c, key, "offer_wait", json_int(json_array_get(rows, 0), "id", 0), NULL, UTC_NONE, c->tick_us + (int64_t)(wait * 1e6));
		json_decref(rows);
		return;
	}
	timer_drop(c, key);
	json_array_foreach(rows, i, row)
		best = !had && (best == NULL || better(c, row, best)) ? row : best;
	if (best != NULL)
		request_choose(c, json_int(best, "id", 0));
	json_array_foreach(rows, i, row)
		if (row != best)
			request_signal(c, json_int(row, "id", 0), SIGNAL_offer_second, NULL);
	json_decref(rows);
}

void request_choose(struct core *c, int64_t id)
{
	static const char mark[] = "UPDATE offer SET chosen=1 WHERE id=(SELECT max(id) FROM offer WHERE request=?)";
	char facility[64];
	put(c, mark, "i", id);
	get_text(c, facility, sizeof facility, "SELECT facility FROM request WHERE id=?", "i", id);
	if (!effect_pending(c, id, VERB_SUBMIT))
		effect_call(c, facility, VERB_SUBMIT, 0, id, UTC_NONE);
}

static void offer_row(struct core *c, int64_t request, const json_t *r, const struct answer *a)
{
	static const char insert[] = "INSERT INTO offer(request,seq,outcome,seconds,field,stem,words,price) VALUES(?,?,?,?,?,?,?,?)";
	const char *outcome = a->kind == ANSWER_ACCEPTED ? "accepted" : a->kind == ANSWER_COUNTERED ? "countered" :
			      a->kind == ANSWER_DECLINED ? "declined" : "unknown";
	json_t *price = json_pack("{s:o,s:o}", "ipp_max", json_real_or_null(a->ipp_max), "hours_left", json_real_or_null(a->hours_left));
	if (a->kind == ANSWER_ACCEPTED) {
		struct promise p;
		promise_of(c, r, &p);
		json_t *promised = promise_price(&p, json_text(r, "mode", ""));
		json_object_update(price, promised);
		json_decref(promised);
	}
	char *text = json_compact(price);
	put(c, insert, "iitdtttt", request, c->seq, outcome, a->seconds, a->field, a->stem, a->words, text);
	free(text);
	json_decref(price);
}

void request_refused(struct core *c, int64_t request, enum life_signal s, const struct answer *a)
{
	char words[LIMIT_WORDS];
	snprintf(words, sizeof words, "%.160s%s%.3900s", a->field, a->field[0] ? ": " : "", a->words);
	put(c, "UPDATE request SET refused_stem=?,refused_words=?,refused_ipp_max=? WHERE id=?", "ttdi", a->stem, words,
	    a->ipp_max, request);
	request_signal(c, request, s, words);
}

void offer_answered(struct core *c, int64_t request, const struct answer *a)
{
	json_t *r = request_load(c, request);
	if (r == NULL)
		return;
	offer_row(c, request, r, a);
	if (a->kind == ANSWER_ACCEPTED) {
		put(c, "UPDATE request SET seconds=coalesce(?,seconds) WHERE id=?", "di", a->seconds > 0 ? a->seconds : NAN, request); /* nothing is free: then the plan's own figure */
		alarm_clear(c, json_text(r, "facility", ""), "proposal");
		request_signal(c, request, SIGNAL_offer_taken, a->words);
	} else {
		request_refused(c, request, SIGNAL_offer_refused, a);
		offers_compare(c, json_int(r, "event", 0), json_int(r, "target", 0), (int)json_int(r, "epoch", 0), false);
	}
	json_decref(r);
}

void request_slip(struct core *c, int64_t id, const char *why)
{
	static const char reserve[] =
		"SELECT 1 FROM request o JOIN request r ON r.event=o.event AND r.target=o.target AND r.epoch=o.epoch AND r.state='held' AND r.unwanted=0 "
		"AND r.end_us>?2 AND NOT EXISTS (SELECT 1 FROM gate g WHERE g.lifted_seq IS NULL AND g.facility=r.facility AND (g.event IS NULL OR g.event=r.event)) "
		"WHERE o.id=?1 AND o.unwanted=0 AND (o.state IN ('accepted','scheduled') OR (o.state='asked' AND NOT EXISTS "
		"(SELECT 1 FROM effect f WHERE f.request=o.id AND f.verb='submit' AND (f.state='released' OR (f.state='waiting' AND f.step>0)))))";
	if (get_int(c, 0, reserve, "ii", id, c->utc_us))
		request_unwant(c, id, why);
}

void request_reserve(struct core *c, const json_t *request)
{
	static const char held[] = "SELECT * FROM request WHERE event=? AND target=? AND epoch=? AND state='held' AND unwanted=0 AND end_us>? ORDER BY id";
	int64_t event = json_int(request, "event", 0), target = json_int(request, "target", 0);
	int64_t epoch = json_int(request, "epoch", 0);
	char why[160];
	get_text(c, why, sizeof why, "SELECT unwanted_why FROM request WHERE id=? AND unwanted=1", "i", json_int(request, "id", 0));
	bool replaced = strncmp(why, "replaced by ", 12) == 0; /* then another purse may serve it */
	if (taken(c, event, target, (int)epoch) || (why[0] && !replaced && strncmp(why, "slipped", 7) != 0))
		return;
	json_t *rows = get_rows(c, held, "iiii", event, target, epoch, c->utc_us), *row;
	const json_t *best = NULL;
	size_t i;
	json_array_foreach(rows, i, row)
		if (!replaced || strcmp(json_text(row, "programme", ""), json_text(request, "programme", "")) != 0)
			best = best == NULL || better(c, row, best) ? row : best;
	if (best != NULL)
		request_choose(c, json_int(best, "id", 0));
	json_decref(rows);
}

static bool ladder_names_another(const struct policy *p, const char *facility)
{
	const json_t *ladder = p ? json_object_get(p->body, "ladder") : NULL, *rung;
	size_t i;
	json_array_foreach(ladder, i, rung)
		if (strcmp(json_text(rung, "facility", facility), facility) != 0)
			return true;
	return false;
}

/* Declined: the next variant of the ladder becomes a new row; at its end there the reserve, and without one another facility of the ladder, by
 * a new plan that knows of the refusal; without that, too, the target was refused. */
void request_next_variant(struct core *c, const json_t *request)
{
	static const char others[] = "SELECT count(*) FROM request WHERE event=? AND target=? AND epoch=? AND state NOT IN "
				     "('declined','cancelled','expired','failed')";
	static const char latest[] = "SELECT refused_stem,refused_words,unwanted,refused_ipp_max AS ipp_max FROM request WHERE id=?";
	int64_t event = json_int(request, "event", 0), target = json_int(request, "target", 0), id = json_int(request, "id", 0);
	const struct policy *p = rule_find(c, json_int(request, "policy", 0));
	const struct site *s = site_find(c, json_text(request, "facility", ""));
	json_t *body = json_parse(json_text(request, "body", "{}")), *refusal = get_row(c, latest, "i", id), *next = NULL;
	struct err e = {0};
	if (json_is_number(json_object_get(refusal, "ipp_max")))
		json_object_set(body, "ipp_max", json_object_get(refusal, "ipp_max"));
	if (p != NULL && refusal != NULL && json_int(refusal, "unwanted", 0) == 0 &&
	    plan_next_variant(p->body, s ? s->descriptor : NULL, body, json_text(refusal, "refused_stem", "other"), &next, &e) < 0 && !short_of_memory(c, &e))
		alarm_raise(c, json_text(request, "token", ""), "ladder", "%s", e.text);
	if (strcmp(json_text(refusal, "refused_stem", ""), "proposal") == 0)
		alarm_raise(c, json_text(request, "facility", ""), "proposal", "%s does not take requests of programme %s: %s; check its proposal and account",
			    json_text(request, "facility", ""), json_text(request, "programme", ""), json_text(refusal, "refused_words", ""));
	json_object_set_new(next, "after", json_integer(id)); /* explain: what was asked instead */
	if (next != NULL)
		request_make(c, event, target, json_int(request, "policy", 0), next, (int)json_int(request, "epoch", 0));
	else
		request_reserve(c, request);
	if (get_int(c, 0, others, "iii", event, target, json_int(request, "epoch", 0)) == 0) {
		verdict_put(c, event, json_text(request, "policy_name", ""), target, "declined", json_text(request, "facility", ""),
			    json_text(refusal, "refused_words", ""));
		if (json_int(refusal, "unwanted", 0) == 0 && ladder_names_another(p, json_text(request, "facility", "")))
			want_plan(c, event);
	}
	json_decref(next);
	json_decref(refusal);
	json_decref(body);
}

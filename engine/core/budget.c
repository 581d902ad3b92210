/* Who pays: the ledger of each programme, and the budgets of policies (live and spent count; unsure counts as spent). */
#include "engine/base/json.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include "engine/core/turn.h"
#include <math.h>
#include <string.h>

/* Seconds a request costs: its offer, else the plan's own figure. */
static double seconds_of(const json_t *request)
{
	double s = json_number(request, "seconds", NAN);
	if (isfinite(s) && s >= 0)
		return s;
	json_t *body = json_parse(json_text(request, "body", "{}"));
	s = json_number(body, "duration_s", 0);
	json_decref(body);
	return isfinite(s) && s > 0 ? s : 0;
}

void ledger_follow(struct core *c, int64_t request, enum life state)
{
	static const char insert[] = "INSERT INTO ledger(request,programme,event,mode,seconds,state,seq) VALUES(?,?,?,?,?,?,?) "
				     "ON CONFLICT(request) DO UPDATE SET state=excluded.state,seconds=excluded.seconds,seq=excluded.seq";
	static const char give_back[] = "UPDATE ledger SET state='returned',seq=? WHERE request=? AND state<>'returned' AND NOT EXISTS "
					"(SELECT 1 FROM request_change WHERE request=ledger.request AND to_state='running')";
	static const char counted[] = "SELECT 1 FROM ledger WHERE request=? AND state<>'returned'";
	const char *to = NULL;
	switch (state) {
	case LIFE_planned:
	case LIFE_held:
		return;
	case LIFE_asked:
	case LIFE_accepted:
	case LIFE_scheduled:
		to = "held";
		break;
	case LIFE_unsure:
	case LIFE_running:
	case LIFE_done:
		to = "spent";
		break;
	case LIFE_cancelling: /* as it stands until the facility confirms; what a report brought to life, unwanted, counts from now on */
		if (get_int(c, 0, counted, "i", request))
			return;
		to = "held";
		break;
	case LIFE_offered:
	case LIFE_declined:
	case LIFE_cancelled:
	case LIFE_expired:
	case LIFE_failed:
	case LIFE_COUNT:
		if (!ledger_charge(c, request, state))
			put(c, give_back, "ii", c->seq, request);
		return;
	}
	json_t *r = request_load(c, request);
	if (r == NULL)
		return;
	put(c, insert, "ititdti", request, json_text(r, "programme", ""), json_int(r, "event", 0), json_text(r, "mode", ""),
	    request_charge_s(c, r, seconds_of(r)), to, c->seq);
	json_decref(r);
	(void)ledger_charge(c, request, state);
}

double programme_left_h(struct core *c, const char *programme, const char *mode)
{
	static const char used[] = "SELECT total(seconds) FROM ledger_counted WHERE programme=? AND mode=?";
	static const char hours[] = "SELECT hours FROM programme_hours WHERE programme=? AND mode=?";
	return get_double(c, 0, hours, "tt", programme, mode) - get_double(c, 0, used, "tt", programme, mode) / 3600;
}

int programme_triggers_left(struct core *c, const char *programme)
{
	static const char have[] = "SELECT triggers FROM programme WHERE name=?";
	static const char used[] = "SELECT count(DISTINCT event) FROM ledger_counted WHERE programme=? AND triggers";
	int64_t n = get_int(c, -1, have, "t", programme);
	if (n < 0)
		return -1;
	n -= get_int(c, 0, used, "t", programme);
	return n > 0 ? (int)n : 0;
}

double policy_spent_s(struct core *c, int64_t event, const char *policy, int64_t since_us)
{
	static const char spent[] = "SELECT total(l.seconds) FROM ledger l JOIN request r ON r.id=l.request JOIN policy p ON p.id=r.policy "
				    "WHERE l.state<>'returned' AND p.name=?1 AND (?2=0 OR l.event=?2) AND r.created_us>=?3";
	return get_double(c, 0, spent, "tii", policy, event, since_us);
}

double policy_semester_s(struct core *c, const char *policy)
{
	static const char spent[] = "SELECT total(l.seconds) FROM ledger_counted l JOIN request r ON r.id=l.request JOIN policy p ON p.id=r.policy WHERE p.name=?";
	return get_double(c, 0, spent, "t", policy);
}

/* Not without a person above what may go automatically; asked once, then it waits. */
static bool approval_pass(struct core *c, const json_t *request, const struct policy *p, double total_s, char *why, size_t size)
{
	static const char approved[] = "SELECT approved FROM decision WHERE event=? AND policy=?";
	int64_t event = json_int(request, "event", 0);
	if (isnan(p->auto_budget_h) || total_s <= p->auto_budget_h * 3600 || get_int(c, 0, approved, "it", event, p->name))
		return true;
	char hours[32];
	text_double(hours, sizeof hours, p->auto_budget_h);
	snprintf(why, size, "approval: more than the %s h that may go without a person", hours);
	gate_open(c, "approval", event, NULL, 0, p->name, UTC_NONE, why);
	say(c, event, "approval", "policy %s wants more than %s h: slew ctl approve EVENT %s", p->name, hours, p->name);
	return false;
}

bool programme_mode_counts(struct core *c, const char *programme, const char *mode)
{
	static const char counts[] = "SELECT triggers FROM programme_hours WHERE programme=? AND mode=?";
	return get_int(c, strcmp(mode, "NORMAL") != 0, counts, "tt", programme, mode);
}

bool programme_paid(struct core *c, const char *programme, int64_t event)
{
	return get_int(c, 0, "SELECT 1 FROM ledger_counted WHERE event=? AND programme=? AND triggers LIMIT 1", "it", event, programme);
}

/* In vain for now; where the policy replaces, worse pending requests make room, and it may pass when they are cancelled. */
static void short_of(struct core *c, const json_t *request, const struct policy *p, const struct purse *purse, double short_s, char *why, size_t size)
{
	if (p->replaces && room_make(c, request, purse, short_s))
		snprintf(why + strlen(why), size - strlen(why), "; worse requests are being withdrawn for it");
}

bool budget_pass(struct core *c, const json_t *request, char *why, size_t size)
{
	const char *programme = json_text(request, "programme", ""), *mode = json_text(request, "mode", "");
	int64_t event = json_int(request, "event", 0);
	static const char own[] = "SELECT seconds FROM ledger WHERE request=? AND state<>'returned'";
	/* a submit that waits again (not sent, retry-after) is in the ledger already: it must not pay twice */
	double seconds = request_charge_s(c, request, seconds_of(request)) - get_double(c, 0, own, "i", json_int(request, "id", 0));
	const struct policy *p = rule_find(c, json_int(request, "policy", 0));
	if (p == NULL) {
		snprintf(why, size, "hold: its policy cannot be read");
		return false;
	}
	double of_event = policy_spent_s(c, event, p->name, INT64_MIN + 1) + seconds;
	double of_night = policy_spent_s(c, 0, p->name, c->utc_us - 24 * UTC_HOUR) + seconds;
	double left_s = programme_left_h(c, programme, mode) * 3600;
	if (left_s < seconds) {
		snprintf(why, size, "budget: programme %s has no %s time left", programme, mode);
		short_of(c, request, p, &(struct purse){programme, mode, ""}, seconds - left_s, why, size);
	} else if (programme_left_for_h(c, programme, mode, event) * 3600 < seconds)
		snprintf(why, size, "budget: programme %s keeps its %s time for better events", programme, mode);
	else if (programme_mode_counts(c, programme, mode) && programme_triggers_left(c, programme) == 0 && !programme_paid(c, programme, event))
		snprintf(why, size, "budget: programme %s has no triggers left", programme);
	else if (programme_mode_counts(c, programme, mode) && programme_triggers_for(c, programme, event) == 0 && !programme_paid(c, programme, event))
		snprintf(why, size, "budget: programme %s keeps its triggers for better events", programme);
	else if (!isnan(p->budget_event_h) && of_event > p->budget_event_h * 3600)
		snprintf(why, size, "budget: policy %s has spent what it may on this event", p->name);
	else if (!isnan(p->budget_night_h) && of_night > p->budget_night_h * 3600) {
		snprintf(why, size, "budget: policy %s has spent what it may in a night", p->name);
		short_of(c, request, p, &(struct purse){"", "", p->name}, of_night - p->budget_night_h * 3600, why, size);
	} else if (!isnan(p->budget_semester_h) && policy_semester_s(c, p->name) + seconds > p->budget_semester_h * 3600)
		snprintf(why, size, "budget: policy %s has spent what it may in a semester", p->name);
	else
		return approval_pass(c, request, p, of_event, why, size);
	return false;
}

/* Hours of that mode which the facility's last status says are left to the programme; NaN where it says nothing. */
static double status_left_h(struct core *c, const char *programme, const char *mode, const json_t *detail)
{
	char proposal[256];
	get_text(c, proposal, sizeof proposal, "SELECT proposal FROM programme WHERE name=?", "t", programme);
	return json_number(json_object_get(json_object_get(detail, "proposals"), proposal), mode, NAN);
}

void hours_refused_keep(struct core *c, int64_t request, const struct answer *a)
{
	static const char upsert[] = "INSERT INTO hours_refused(programme,mode,seconds,left_h,words,tick_us,seq) VALUES(?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET "
				     "seconds=min(seconds,excluded.seconds),left_h=excluded.left_h,words=excluded.words,tick_us=excluded.tick_us,seq=excluded.seq";
	if (a->kind != ANSWER_DECLINED || (strcmp(a->stem, "time") != 0 && strcmp(a->stem, "allocation") != 0))
		return;
	json_t *r = request_load(c, request);
	if (r == NULL)
		return;
	const char *programme = json_text(r, "programme", ""), *mode = json_text(r, "mode", "");
	json_t *detail = get_json(c, "SELECT detail FROM facility WHERE name=?", "t", json_text(r, "facility", ""));
	put(c, upsert, "ttddtii", programme, mode, seconds_of(r), status_left_h(c, programme, mode, detail), a->words, c->tick_us, c->seq);
	json_decref(detail);
	json_decref(r);
}

bool hours_refused(struct core *c, const json_t *request, struct answer *out)
{
	static const char known[] = "SELECT words FROM hours_refused WHERE programme=? AND mode=? AND seconds<=? AND tick_us>?";
	json_t *row = get_row(c, known, "ttdi", json_text(request, "programme", ""), json_text(request, "mode", ""), seconds_of(request), c->tick_us - UTC_DAY);
	if (row == NULL)
		return false;
	*out = (struct answer){.kind = ANSWER_DECLINED, .stem = "time", .seconds = NAN, .ipp_max = NAN, .hours_left = NAN};
	text_copy(out->words, sizeof out->words, json_text(row, "words", ""));
	json_decref(row);
	return true;
}

void hours_back(struct core *c, const char *facility, const json_t *detail)
{
	static const char refused[] = "SELECT h.* FROM hours_refused h JOIN programme p ON p.name=h.programme WHERE p.facility=? ORDER BY h.programme,h.mode";
	json_t *rows = get_rows(c, refused, "t", facility), *row;
	size_t i;
	json_array_foreach(rows, i, row) {
		const char *programme = json_text(row, "programme", ""), *mode = json_text(row, "mode", "");
		double left_h = status_left_h(c, programme, mode, detail), was_h = json_number(row, "left_h", NAN);
		if (left_h * 3600 >= json_number(row, "seconds", 0) && !(left_h <= was_h)) /* false of NaN */
			put(c, "DELETE FROM hours_refused WHERE programme=? AND mode=?", "tt", programme, mode);
	}
	json_decref(rows);
}

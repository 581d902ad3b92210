/* What the demo tells while the night goes on: one function a line, each with its own condition on
 * rows. */
#include "engine/cmd/world_story.h"
#include "engine/base/json.h"
#include "engine/base/query.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include "engine/cmd/world.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* First row of a query with ?1 = event (and ?2), as an object; NULL when there is none. New
 * reference. */
static json_t *row(struct story *s, const char *sql, const char *event, const char *second)
{
	struct err e = {0};
	json_t *rows = second != NULL ? query_rows(s->db, 1, &e, sql, "tt", event, second)
				      : query_rows(s->db, 1, &e, sql, "t", event);
	json_t *first = json_incref(json_array_get(rows, 0));

	if (rows == NULL && getenv("SLEW_STORY_DEBUG") != NULL)
		fprintf(stderr, "# %s\n", e.text);
	json_decref(rows);
	return first;
}

#define HEARD                                                                                      \
	"SELECT i.utc_us AS utc_us, f.far_hz AS far_hz, f.significant AS significant, f.p_bns AS " \
	"p_bns, f.p_nsbh AS p_nsbh, f.has_remnant AS has_remnant,"                                 \
	" f.n_detectors AS n_detectors, f.area90_deg2 AS area90, f.dist_mean_mpc AS mean, "        \
	"f.dist_std_mpc AS std, f.map_state AS map_state, a.id AS id"                              \
	" FROM alert a JOIN event e ON e.id = a.event JOIN input i ON i.seq = a.seq JOIN fact f "  \
	"ON f.alert = a.id WHERE e.name = ?1 AND a.type = ?2"

static bool heard(struct story *s, char role, const char *type, const char *words)
{
	json_t *a = row(s, HEARD, story_event(s, role), type);

	if (a == NULL)
		return false;
	double far = json_number(a, "far_hz", NAN);
	char rate[64] = "";
	if (far > 0)
		snprintf(rate, sizeof rate, ", one false alarm in %.3g yr", 1 / (far * 31557600));
	story_say(s, json_int(a, "utc_us", 0), "heard     %s %s%s%s", story_event(s, role), type,
		rate, words);
	json_decref(a);
	return true;
}

static bool heard_early(struct story *s)
{
	return heard(s, 'A', "EARLYWARNING", ": map read and galaxies ranked, nothing asked yet");
}

/* A real alert may come as any type: the first that was heard. */
static bool heard_first(struct story *s)
{
	json_t *a = row(s,
		"SELECT a.type AS type FROM alert a JOIN event e ON e.id = a.event WHERE e.name = "
		"?1 AND a.type <> 'EARLYWARNING'"
		" ORDER BY a.seq",
		story_event(s, 'A'), NULL);
	bool told = a != NULL && heard(s, 'A', json_text(a, "type", ""), "");

	json_decref(a);
	return told;
}

static bool believed(struct story *s)
{
	json_t *d = row(s,
		"SELECT d.policy AS policy, d.outcome AS outcome, d.state AS state, d.missing AS "
		"missing, f.*, max(i.utc_us) AS utc_us"
		" FROM decision d JOIN event e ON e.id = d.event JOIN fact f ON f.alert = "
		"e.latest_alert JOIN input i ON i.seq = d.changed_seq"
		" WHERE e.name = ?1 AND f.map_state IN ('ready','failed','none') AND f.alert_type "
		"<> 'EARLYWARNING' AND d.outcome <> 'waiting'"
		" AND d.state <> 'warm'",
		story_event(s, 'A'), NULL);

	if (d == NULL || json_text(d, "policy", NULL) == NULL) {
		json_decref(d);
		return false;
	}
	story_say(s, json_int(d, "utc_us", 0),
		"believed  significant %s, %.0f detectors, BNS %.0f %%, NSBH %.0f %%, remnant %.0f "
		"%%, 90 %% in %.0f deg2, %.0f ± %.0f Mpc"
		" -> %s: %s%s%s (%s)",
		json_number(d, "significant", 0) > 0 ? "yes" : "no",
		json_number(d, "n_detectors", NAN), 100 * json_number(d, "p_bns", NAN),
		100 * json_number(d, "p_nsbh", NAN), 100 * json_number(d, "has_remnant", NAN),
		json_number(d, "area90_deg2", NAN), json_number(d, "dist_mean_mpc", NAN),
		json_number(d, "dist_std_mpc", NAN), json_text(d, "policy", ""),
		json_text(d, "outcome", ""),
		json_text(d, "missing", "")[0] != '\0' ? ", not known: " : "",
		json_text(d, "missing", ""), json_text(d, "state", ""));
	json_decref(d);
	return true;
}

static bool best_five(struct story *s)
{
	struct err e = {0};
	json_t *rows = query_rows(s->db, 5, &e,
		       "SELECT t.name AS name, t.distance_mpc AS mpc, t.share AS share, (SELECT "
		       "count(*) FROM target x WHERE"
		       " x.event = t.event AND x.rank IS NOT NULL) AS n, (SELECT max(utc_us) FROM "
		       "input WHERE kind = 'result') AS utc_us FROM target t JOIN event e ON"
		       " e.id = t.event WHERE e.name = ?1 AND t.rank IS NOT NULL AND EXISTS "
		       "(SELECT 1 FROM fact f WHERE f.alert = e.latest_alert AND f.alert_type <> "
		       "'EARLYWARNING')"
		       " AND EXISTS (SELECT 1 FROM verdict v WHERE v.event = e.id AND v.target IS "
		       "NOT NULL AND v.code <> 'candidate') ORDER BY t.generation DESC, t.rank",
		       "t", story_event(s, 'A')),
	       *t;
	struct text line = {.max = 2000};
	size_t i;

	if (json_array_size(rows) > 0) {
		json_array_foreach (rows, i, t)
			text_printf(&line, "%s%s %.0f Mpc %.1f %%", i > 0 ? "; " : "",
				json_text(t, "name", ""), json_number(t, "mpc", NAN),
				100 * json_number(t, "share", NAN));
		story_say(s, json_int(json_array_get(rows, 0), "utc_us", 0),
			"ranked    best five of %lld: %s",
			(long long)json_int(json_array_get(rows, 0), "n", 0), line.data);
	}
	bool told = json_array_size(rows) > 0;
	text_free(&line);
	json_decref(rows);
	return told;
}

/* Time of the first acceptance of an event, once the first wave is over (minutes of sky later); 0
 * before. */
static int64_t first_wave(struct story *s, const char *event)
{
	int64_t at = story_int(s,
		"SELECT min(c.utc_us) FROM request_change c JOIN request r ON r.id = c.request "
		"JOIN event e ON e.id = r.event WHERE e.name = ?1"
		" AND c.to_state = 'accepted'",
		event);

	return at > 0 && story_sky_us(s) > at + 6 * UTC_MINUTE ? at : 0;
}

static bool offers(struct story *s)
{
	const char *event = story_event(s, 'A');
	json_t *n = first_wave(s, event) > 0
			    ? row(s,
				      "SELECT count(*) AS n, sum(o.outcome = 'accepted') AS yes, "
				      "sum(o.outcome = 'declined') AS no, min(i.utc_us) AS"
				      " utc_us FROM offer o JOIN request r ON r.id = o.request "
				      "JOIN event e ON e.id = r.event JOIN input i ON i.seq = "
				      "o.seq WHERE e.name = ?1",
				      event, NULL)
			    : NULL;
	bool told = json_int(n, "n", 0) > 0;

	if (told)
		story_say(s, json_int(n, "utc_us", 0),
			"offers    the portal was asked for %lld and would take %lld, refuses %lld",
			(long long)json_int(n, "n", 0), (long long)json_int(n, "yes", 0),
			(long long)json_int(n, "no", 0));
	json_decref(n);
	return told;
}

/* The first refusal of the night, whoever's, and what became of the wish. */
static bool refused(struct story *s)
{
	json_t *w = row(s,
		"SELECT o.words AS words, o.field AS field, t.name AS name, e.name AS event, "
		"i.utc_us AS utc_us, r.mode AS mode, (SELECT q.mode || ', ' || q.state"
		" FROM request q WHERE q.target = r.target AND q.epoch = r.epoch AND q.variant > "
		"r.variant ORDER BY q.variant DESC LIMIT 1) AS next FROM offer o JOIN request r ON"
		" r.id = o.request JOIN event e ON e.id = r.event JOIN target t ON t.id = r.target "
		"JOIN input i ON i.seq = o.seq WHERE ?1 <> '' AND o.outcome = 'declined'"
		" ORDER BY o.id",
		story_event(s, 'A'), NULL);

	if (w == NULL || story_sky_us(s) < json_int(w, "utc_us", 0) + 6 * UTC_MINUTE) {
		json_decref(w);
		return false;
	}
	story_say(s, json_int(w, "utc_us", 0),
		"refused   %s for %s (%s), in the portal's own words: \"%s\"; next try: %s",
		json_text(w, "name", ""), json_text(w, "event", ""), json_text(w, "mode", ""),
		json_text(w, "words", ""), json_text(w, "next", "none"));
	json_decref(w);
	return true;
}

static bool accepted(struct story *s)
{
	const char *event = story_event(s, 'A');
	int64_t at = first_wave(s, event);
	json_t *c = at > 0 ? row(s,
				     "SELECT t.name AS name, r.remote_id AS id, (SELECT "
				     "count(DISTINCT x.request) FROM request_change x JOIN request "
				     "q ON q.id = x.request WHERE"
				     " q.event = e.id AND x.to_state = 'accepted') AS n FROM "
				     "request_change c JOIN request r ON r.id = c.request JOIN "
				     "event e ON e.id = r.event JOIN target t ON"
				     " t.id = r.target WHERE e.name = ?1 AND c.to_state = "
				     "'accepted' ORDER BY c.id",
				     event, NULL)
			   : NULL;

	if (c == NULL)
		return false;
	int64_t first = story_int(s,
		"SELECT i.utc_us FROM alert a JOIN event e ON e.id = a.event JOIN input i ON i.seq "
		"= a.seq WHERE e.name = ?1"
		" AND a.type <> 'EARLYWARNING' ORDER BY a.seq LIMIT 1",
		event);
	story_say(s, at,
		"accepted  first %s (request group %s), %.2f s of wall time after the alert was "
		"heard; %lld in all",
		json_text(c, "name", ""), json_text(c, "id", "?"),
		(double)(at - first) / s->rate / 1e6, (long long)json_int(c, "n", 0));
	json_decref(c);
	return true;
}

/* The portal's ledger, written after that moment; NULL while it is older. New reference. */
static json_t *ledger_after(const struct story *s, int64_t utc_us)
{
	json_t *ledger = world_read_json(s->dir, "ledger.json");

	if (json_int(ledger, "sky_us", 0) > utc_us)
		return ledger;
	json_decref(ledger);
	return NULL;
}

/* When the last request of an event came to rest. */
static int64_t rest_us(struct story *s, const char *event)
{
	return story_int(s,
		"SELECT max(c.utc_us) FROM request_change c JOIN request r ON r.id = c.request "
		"JOIN event e ON e.id = r.event WHERE e.name = ?1",
		event);
}

static bool lost(struct story *s)
{
	json_t *c = row(s,
		"SELECT c.utc_us AS utc_us, r.token AS token, r.remote_id AS id, t.name AS name "
		"FROM request_change c JOIN request r ON r.id = c.request"
		" JOIN target t ON t.id = r.target WHERE ?1 <> '' AND c.from_state = 'unsure' AND "
		"c.to_state NOT IN ('unsure') ORDER BY c.id",
		story_event(s, 'A'), NULL);

	json_t *ledger = c != NULL && first_wave(s, story_event(s, 'A')) > 0
				 ? ledger_after(s, json_int(c, "utc_us", 0))
				 : NULL,
	       *one;
	const char *name;
	int64_t counted = 0;
	if (ledger == NULL) {
		json_decref(c);
		return false;
	}
	json_object_foreach (json_object_get(ledger, "names"), name, one)
		if (strstr(name, json_text(c, "token", "?")) != NULL)
			counted += json_int(one, "count", 0);
	json_decref(ledger);
	story_say(s, json_int(c, "utc_us", 0),
		"lost      the reply to the submission of %s never came; looked for it by its "
		"token %s: it is there (request group %s),"
		" portal counted %lld",
		json_text(c, "name", ""), json_text(c, "token", ""), json_text(c, "id", "?"),
		(long long)counted);
	json_decref(c);
	return true;
}

static bool image(struct story *s)
{
	json_t *p = row(s,
		"SELECT i.utc_us AS utc_us, d.basename AS basename, d.level AS level, t.name AS "
		"name, t.rank AS rank, o.site AS site, o.telescope AS telescope,"
		" o.start_us AS start_us, e.name AS event FROM data_product d JOIN request r ON "
		"r.id = d.request JOIN event e ON e.id = r.event JOIN target t ON t.id = r.target "
		"JOIN input i ON i.seq = d.seq"
		" LEFT JOIN observation o ON o.request = r.id AND o.state IN ('running','done') "
		"WHERE ?1 <> '' ORDER BY d.id",
		story_event(s, 'A'), NULL);

	if (p == NULL)
		return false;
	char hms[32];
	story_say(s, json_int(p, "utc_us", 0),
		"image     first frame: %s of %s (rank %lld of %s), by %s %s, exposure begun %s",
		json_text(p, "basename", ""), json_text(p, "name", ""),
		(long long)json_int(p, "rank", 0), json_text(p, "event", ""),
		json_text(p, "site", "?"), json_text(p, "telescope", ""),
		utc_format_hms(hms, json_int(p, "start_us", UTC_NONE)));
	json_decref(p);
	return true;
}

static bool updated(struct story *s)
{
	json_t *old = row(s, HEARD " ORDER BY a.id", story_event(s, 'A'), "PRELIMINARY"),
	       *new = row(s, HEARD, story_event(s, 'A'), "UPDATE");
	bool told = new != NULL &&strcmp(json_text(new, "map_state", ""), "ready") == 0;

	if (told)
		story_say(s, json_int(new, "utc_us", 0),
			"heard     %s UPDATE: 90 %% in %.0f deg2 (was %.0f), %.0f ± %.0f Mpc (was "
			"%.0f ± %.0f); ranked and planned anew",
			story_event(s, 'A'), json_number(new, "area90", NAN),
			json_number(old, "area90", NAN), json_number(new, "mean", NAN),
			json_number(new, "std", NAN), json_number(old, "mean", NAN),
			json_number(old, "std", NAN));
	json_decref(old);
	json_decref(new);
	return told;
}

/* Believed, ranked, and nothing to ask for: the reason of the best. */
static bool nothing_asked(struct story *s)
{
	const char *event = story_event(s, 'A');
	json_t *v = row(s,
		"SELECT v.code AS code, v.detail AS detail, t.name AS name, i.utc_us AS utc_us, "
		"(SELECT count(*) FROM target x WHERE x.event = e.id AND x.rank IS"
		" NOT NULL) AS n FROM verdict v JOIN target t ON t.id = v.target JOIN event e ON "
		"e.id = v.event JOIN input i ON i.seq = v.seq WHERE e.name = ?1 AND t.rank IS NOT"
		" NULL AND v.code <> 'candidate' AND NOT EXISTS (SELECT 1 FROM request r WHERE "
		"r.event = e.id) ORDER BY t.rank",
		event, NULL);
	bool told = v != NULL && story_sky_us(s) > json_int(v, "utc_us", 0) + 10 * UTC_MINUTE;

	if (told)
		story_say(s, json_int(v, "utc_us", 0),
			"not asked none of the %lld ranked galaxies; the best, %s: %s, %s",
			(long long)json_int(v, "n", 0), json_text(v, "name", ""),
			json_text(v, "code", ""), json_text(v, "detail", ""));
	json_decref(v);
	return told;
}

#define ORDERED                                                                                    \
	"SELECT i.utc_us AS utc_us, o.uid AS uid, o.why AS why FROM operator_order o JOIN input "  \
	"i ON i.seq = o.seq WHERE o.verb = ?2"                                                     \
	" AND json_extract(o.body, '$.event') = ?1"

/* n requests of the event, k of them in the portal as CANCELED; false while the portal's ledger is
 * older than the last change. */
static bool count_cancelled(struct story *s, const char *event, int64_t *asked, int64_t *confirmed)
{
	struct err e = {0};
	json_t *rows = query_rows(s->db, 500, &e,
		       "SELECT r.token AS token FROM request r JOIN event e ON e.id = r.event "
		       "WHERE e.name = ?1 AND r.submits > 0",
		       "t", event),
	       *r;
	json_t *ledger = ledger_after(s, rest_us(s, event)), *one;
	const char *name;
	size_t i;

	*asked = (int64_t)json_array_size(rows);
	*confirmed = 0;
	json_array_foreach (rows, i, r)
		json_object_foreach (json_object_get(ledger, "names"), name, one)
			if (strstr(name, json_text(r, "token", "?")) != NULL &&
				strcmp(json_string_value(
					       json_array_get(json_object_get(one, "states"), 0)),
					"CANCELED") == 0)
				++*confirmed;
	bool fresh = ledger != NULL;
	json_decref(rows);
	json_decref(ledger);
	return fresh;
}

/* The operator gives event A more time than the policy spends by itself. */
static bool more_time(struct story *s)
{
	const char *event = story_event(s, 'A');
	json_t *o = row(s, ORDERED, event, "approve");
	int64_t at = json_int(o, "utc_us", 0), n = 0;
	bool told = o != NULL && story_sky_us(s) > at + 10 * UTC_MINUTE;

	if (told) {
		n = story_int(s,
			"SELECT count(DISTINCT c.request) FROM request_change c JOIN request r ON "
			"r.id = c.request JOIN event e ON e.id = r.event WHERE e.name = ?1 AND"
			" c.to_state = 'accepted' AND c.utc_us > (SELECT max(i.utc_us) FROM "
			"operator_order o JOIN input i ON i.seq = o.seq WHERE o.verb = 'approve' "
			"AND"
			" json_extract(o.body, '$.event') = ?1)",
			event);
		story_say(s, at,
			"approve   %s beyond what its policy may spend alone, by uid %lld "
			"(\"%s\"): %lld more requests accepted",
			event, (long long)json_int(o, "uid", -1), json_text(o, "why", ""),
			(long long)n);
	}
	json_decref(o);
	return told;
}

static int64_t observed(struct story *s, const char *event)
{
	return story_int(s,
		"SELECT count(*) FROM request r JOIN event e ON e.id = r.event WHERE e.name = ?1 "
		"AND r.state = 'done'",
		event);
}

static int64_t alive(struct story *s, const char *event)
{
	return story_int(s,
		"SELECT count(*) FROM request r JOIN event e ON e.id = r.event WHERE e.name = ?1 AND r.state IN"
		" ('asked','unsure','accepted','scheduled','running','cancelling')",
		event);
}

static bool vetoed(struct story *s)
{
	const char *event = story_event(s, 'B');
	json_t *o = row(s, ORDERED, event, "veto");
	int64_t asked, confirmed;

	if (o == NULL || alive(s, event) > 0 || !count_cancelled(s, event, &asked, &confirmed)) {
		json_decref(o);
		return false;
	}
	story_say(s, json_int(o, "utc_us", 0),
		"veto      %s by uid %lld (\"%s\"): of %lld requests at the portal %lld had been "
		"observed, the portal says the other %lld are CANCELED",
		event, (long long)json_int(o, "uid", -1), json_text(o, "why", ""), (long long)asked,
		(long long)observed(s, event), (long long)confirmed);
	json_decref(o);
	return true;
}

static bool approved(struct story *s)
{
	const char *event = story_event(s, 'C');
	json_t *o = row(s, ORDERED, event, "approve");
	int64_t at = json_int(o, "utc_us", 0),
		n = o != NULL && story_sky_us(s) > at + 6 * UTC_MINUTE
			    ? story_int(s,
				      "SELECT count(DISTINCT c.request) FROM request_change c"
				      " JOIN request r ON r.id = c.request JOIN event e ON e.id = "
				      "r.event WHERE e.name = ?1 AND c.to_state = 'accepted'",
				      event)
			    : 0;

	if (n > 0)
		story_say(s, at,
			"approve   %s (two detectors only: a person is asked) by uid %lld "
			"(\"%s\"): %lld requests accepted",
			event, (long long)json_int(o, "uid", -1), json_text(o, "why", ""),
			(long long)n);
	json_decref(o);
	return n > 0;
}

static bool retracted(struct story *s)
{
	const char *event = story_event(s, 'C');
	json_t *a = row(s, HEARD, event, "RETRACTION");
	int64_t asked, confirmed;

	if (a == NULL || alive(s, event) > 0 || !count_cancelled(s, event, &asked, &confirmed)) {
		json_decref(a);
		return false;
	}
	story_say(s, json_int(a, "utc_us", 0),
		"retracted %s: of %lld requests at the portal %lld had been observed, the portal "
		"says the other %lld are CANCELED",
		event, (long long)asked, (long long)observed(s, event), (long long)confirmed);
	json_decref(a);
	return true;
}

void story_turn(struct story *s)
{
	static bool (*const lines[])(struct story *) = {heard_early, heard_first, believed,
		best_five, offers, accepted, lost, image, vetoed, approved, refused, retracted,
		updated, more_time, nothing_asked};

	for (unsigned i = 0; i < sizeof lines / sizeof lines[0]; i++)
		if (!(s->told & 1u << i) && lines[i](s))
			s->told |= 1u << i;
}

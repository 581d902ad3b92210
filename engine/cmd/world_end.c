/* The end of the demo: the bill, the promises counted against the portal's own ledger, and the
 * truth opened. */
#include "engine/base/hash.h"
#include "engine/base/json.h"
#include "engine/base/query.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include "engine/cmd/world.h"
#include "engine/cmd/world_story.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *first(struct story *s, const char *sql, const char *one, const char *two)
{
	struct err e = {0};
	json_t *rows = query_rows(s->db, 1, &e, sql, "tt", one, two),
	       *row = json_incref(json_array_get(rows, 0));

	if (rows == NULL && getenv("SLEW_STORY_DEBUG") != NULL)
		fprintf(stderr, "# %s\n", e.text);
	json_decref(rows);
	return row;
}

static void bill(struct story *s, const json_t *ledger)
{
	json_t *own = first(s,
		"SELECT total(CASE WHEN state <> 'returned' THEN seconds END) AS spent, total(CASE "
		"WHEN state = 'returned' THEN seconds END) AS back,"
		" sum(state <> 'returned') AS n FROM ledger WHERE ?1 = ?2",
		"", "");
	size_t i;
	json_t *o;
	int64_t done = 0;

	json_array_foreach (json_object_get(ledger, "observations"), i, o)
		done += strcmp(json_text(o, "state", ""), "COMPLETED") == 0;
	story_say(s, s->end_us,
		"bill      the portal charged %.2f h for %lld observations and %lld frames; the "
		"engine's ledger holds %.2f h spent or promised, %.2f h given back",
		json_number(ledger, "seconds", NAN) / 3600, (long long)done,
		(long long)json_int(ledger, "frames", 0), json_number(own, "spent", NAN) / 3600,
		json_number(own, "back", 0) / 3600);
	json_decref(own);
}

/* Requests of events that were retracted or vetoed must not be alive at the portal, whatever the
 * engine believes. */
static int still_live(struct story *s, const json_t *ledger)
{
	struct err e = {0};
	json_t *rows = query_rows(s->db, 2000, &e,
		       "SELECT r.token AS token, v.name AS event FROM request r JOIN event v ON "
		       "v.id = r.event WHERE v.state = 'retracted'"
		       " OR EXISTS (SELECT 1 FROM gate g WHERE g.event = v.id AND g.kind = 'veto' "
		       "AND g.target IS NULL AND g.facility IS NULL AND g.lifted_seq IS NULL)",
		       ""),
	       *r, *one;
	const char *name;
	size_t i, k;
	int live = 0;

	json_array_foreach (rows, i, r)
		json_object_foreach (json_object_get(ledger, "names"), name, one)
			for (k = 0; strstr(name, json_text(r, "token", "?")) != NULL &&
				    k < json_array_size(json_object_get(one, "states"));
				k++)
				if (strcmp(json_string_value(json_array_get(
						   json_object_get(one, "states"), k)),
					    "PENDING") == 0) {
					printf("BROKEN    %s of %s is still PENDING at the "
					       "portal\n",
						json_text(r, "token", "?"),
						json_text(r, "event", "?"));
					live++;
				}
	json_decref(rows);
	return live;
}

/* What was retracted or vetoed must be at rest in the state too. */
static int64_t still_wanted(struct story *s)
{
	return story_int(s,
		"SELECT count(*) FROM request r JOIN event v ON v.id = r.event WHERE r.state NOT "
		"IN ('done','declined','cancelled','expired','failed')"
		" AND ?1 = '' AND (v.state = 'retracted' OR EXISTS (SELECT 1 FROM gate g WHERE "
		"g.event = v.id AND g.kind = 'veto' AND g.target IS NULL"
		" AND g.facility IS NULL AND g.lifted_seq IS NULL))",
		"");
}

static json_t *heard_at(struct story *s, size_t offset)
{
	struct err e = {0};
	json_t *rows = query_rows(s->db, 2, &e,
		"SELECT i.seq AS seq, ifnull(i.sha256, '') AS blob, CAST(i.body AS TEXT) AS body, "
		"EXISTS (SELECT 1 FROM alert a WHERE a.seq = i.seq)"
		" + EXISTS (SELECT 1 FROM duplicate d WHERE d.seq = i.seq) + EXISTS (SELECT 1 FROM "
		"reject r WHERE r.seq = i.seq) AS fates"
		" FROM input i WHERE i.kind = 'alert' AND i.source = 'gcn' AND i.next_offset = ?1",
		"i", (int64_t)offset + 1);

	return rows;
}

/* Each message that went out is one input, byte for byte, and has one fate. */
static int lost(struct story *s, const json_t *sent)
{
	size_t i;
	json_t *one;
	int broken = 0;

	json_array_foreach (sent, i, one) {
		json_t *rows = heard_at(s, i), *row = json_array_get(rows, 0);
		const char *digest = json_text(row, "blob", ""), *body = json_text(row, "body", "");
		char own[65];
		if (digest[0] == '\0') {
			hash_sha256_hex(body, strlen(body), own);
			digest = own;
		}
		if (json_array_size(rows) != 1 ||
			strcmp(digest, json_text(one, "sha256", "?")) != 0 ||
			json_int(row, "fates", 0) != 1) {
			printf("BROKEN    message %zu (%s %s): %zu inputs, %s bytes, %lld of "
			       "alert, duplicate, reject\n",
				i, json_text(one, "event", "?"), json_text(one, "type", "?"),
				json_array_size(rows),
				strcmp(digest, json_text(one, "sha256", "?")) == 0 ? "the same"
										   : "other",
				(long long)json_int(row, "fates", 0));
			broken++;
		}
		json_decref(rows);
	}
	return broken;
}

/* Exactly once, by the portal's count; every retracted or vetoed request dead; every alert that was
 * sent heard. */
static int promises(struct story *s, const json_t *ledger)
{
	json_t *one;
	const char *name;
	int broken = 0;
	size_t groups = 0;

	json_object_foreach (json_object_get((json_t *)(uintptr_t)ledger, "names"), name, one) {
		groups++;
		if (json_int(one, "count", 0) != 1) {
			printf("BROKEN    %s was submitted %lld times\n", name,
				(long long)json_int(one, "count", 0));
			broken++;
		}
	}
	int64_t sent = json_int(ledger, "alerts_sent", 0),
		heard = story_int(
			s, "SELECT count(*) FROM input WHERE kind = 'alert' AND ?1 = ?1", "");
	if (heard < sent) {
		printf("BROKEN    %lld alerts were sent, %lld heard\n", (long long)sent,
			(long long)heard);
		broken++;
	}
	broken += lost(s, json_object_get(ledger, "alerts"));
	int live = still_live(s, ledger);
	int64_t air = story_int(s,
		"SELECT count(*) FROM effect WHERE state = 'doubtful' AND outcome = 'restart' AND ?1 = ''", "");
	if (air > 0)
		story_say(s, s->end_us,
			"in doubt  %lld submits were in the air when the engine was killed; each was looked for by its token",
			(long long)air);
	int64_t wanted = still_wanted(s);
	if (wanted > 0) {
		printf("BROKEN    %lld requests of vetoed or retracted events are not at rest in "
		       "the state\n",
			(long long)wanted);
		broken++;
	}
	story_say(s, s->end_us,
		"promises  %zu request groups, each submitted once by the portal's count%s; %lld "
		"of %lld alerts heard; nothing vetoed or retracted is alive%s",
		groups, broken > 0 ? " (NOT: see above)" : "", (long long)heard, (long long)sent,
		live > 0 ? " (NOT: see above)" : "");
	return broken + live;
}

/* " (SITE was closed by weather HH:MM–HH:MM: WHY)" when that covers any of a request's window; ""
 * else. */
static void clouds(const json_t *truth, const json_t *request, char *out, size_t size)
{
	json_t *w;
	size_t i;
	char from[32], to[32];

	out[0] = '\0';
	json_array_foreach (json_object_get(truth, "weather"), i, w)
		if (strcmp(json_text(w, "site", ""), json_text(request, "site", "?")) == 0 &&
			json_int(w, "from_us", 0) < json_int(request, "end_us", 0) &&
			json_int(w, "to_us", 0) > json_int(request, "start_us", 0))
			snprintf(out, size, " (%s was closed by weather %.5s to %.5s: %s)",
				json_text(w, "site", ""),
				utc_format_hms(from, json_int(w, "from_us", 0)),
				utc_format_hms(to, json_int(w, "to_us", 0)),
				json_text(w, "reason", ""));
}

/* When the host of A was observed, or why it was not. */
static void outcome(struct story *s, const json_t *truth, char *out, size_t size)
{
	const json_t *first_event = json_array_get(json_object_get(truth, "events"), 0);
	const char *event = json_text(first_event, "event", ""),
		   *host = json_text(json_object_get(first_event, "host"), "name", "");

	json_t *t = first(s,
		"SELECT t.id AS id, t.rank AS rank FROM target t JOIN event e ON e.id = t.event "
		"WHERE e.name = ?1 AND t.name = ?2",
		event, host);
	json_t *o = first(s,
		"SELECT o.start_us AS start_us, o.site AS site, o.telescope AS telescope FROM "
		"observation o JOIN request r ON r.id = o.request JOIN target t ON"
		" t.id = r.target JOIN event e ON e.id = t.event WHERE e.name = ?1 AND t.name = ?2 "
		"AND o.state = 'done' ORDER BY o.start_us",
		event, host);
	json_t *r = first(s,
		"SELECT r.state AS state, r.start_us AS start_us, r.end_us AS end_us, "
		"json_extract(r.body, '$.site') AS site FROM request r JOIN target t ON t.id = "
		"r.target JOIN event e ON e.id = t.event WHERE e.name = ?1"
		" AND t.name = ?2 ORDER BY r.id DESC",
		event, host);
	json_t *v = first(s,
		"SELECT v.code AS code, v.detail AS detail FROM verdict v JOIN target t ON t.id = "
		"v.target JOIN event e ON e.id = t.event WHERE e.name = ?1"
		" AND t.name = ?2",
		event, host);
	char hms[32], weather[160], rank[64] = "below the cut of the ranking";

	if (t != NULL && json_int(t, "rank", 0) > 0)
		snprintf(rank, sizeof rank, "ranked %lld", (long long)json_int(t, "rank", 0));
	if (o != NULL)
		snprintf(out, size, "%s, OBSERVED at %s by %s %s", rank,
			utc_format_hms(hms, json_int(o, "start_us", 0)), json_text(o, "site", "?"),
			json_text(o, "telescope", ""));
	else if (r != NULL) {
		clouds(truth, r, weather, sizeof weather);
		snprintf(out, size, "%s, not observed by the end of the night: its request is %s%s",
			rank, json_text(r, "state", "?"), weather);
	} else if (v != NULL)
		snprintf(out, size, "%s, not observed: %s %s", rank, json_text(v, "code", "?"),
			json_text(v, "detail", ""));
	else
		snprintf(out, size, "%s, not observed", rank);
	json_decref(t);
	json_decref(o);
	json_decref(r);
	json_decref(v);
}

static void open_truth(struct story *s)
{
	char path[1200], digest[65] = "", what[512];
	size_t len = 0;

	snprintf(path, sizeof path, "%s/truth.json", s->dir);
	FILE *f = fopen(path, "rbe");
	char *bytes = calloc(1, 1 << 20);
	if (f == NULL || bytes == NULL || (len = fread(bytes, 1, (1 << 20) - 1, f)) == 0) {
		printf("truth     %s is not there: the world has not ended yet\n", path);
	} else {
		hash_sha256_hex(bytes, len, digest);
		json_t *truth = json_loads(bytes, 0, NULL),
		       *event = json_array_get(json_object_get(truth, "events"), 0),
		       *host = json_object_get(event, "host");
		bool same = strcmp(digest, json_text(s->about, "truth_sha256", "")) == 0;
		if (host != NULL)
			outcome(s, truth, what, sizeof what);
		else
			text_copy(what, sizeof what, json_text(event, "what", ""));
		printf("truth     sha256 %.16s… %s (%s); weather closed sites %zu times; ", digest,
			same ? "as sealed" : "IS NOT WHAT WAS SEALED", path,
			json_array_size(json_object_get(truth, "weather")));
		if (host != NULL)
			printf("the host was %s%s: ", json_text(host, "name", ""),
				json_is_false(json_object_get(host, "in_catalogue"))
					? " (not in the catalogue)"
					: "");
		printf("%s\n", what);
		json_decref(truth);
	}
	free(bytes);
	if (f != NULL)
		fclose(f);
}

int story_end(struct story *s)
{
	json_t *ledger = world_read_json(s->dir, "ledger.json");

	bill(s, ledger);
	int broken = promises(s, ledger);
	open_truth(s);
	json_decref(ledger);
	return broken;
}

/* Reads the rows that the night's page shows. */
#include "engine/base/json.h"
#include "engine/base/query.h"
#include "engine/base/utc.h"
#include "engine/report/night.h"
#include <string.h>

/* name, most rows, statement without parameters */
static const struct {
	const char *name;
	size_t most;
	const char *sql;
} parts[] = {
	{"events", 50,
		"SELECT e.id AS id, e.name AS name, e.state AS state, e.is_test AS is_test, "
		"e.time_us AS time_us, e.outside AS outside, (SELECT count(*) FROM request r WHERE"
		" r.event = e.id) AS requests, (SELECT count(*) FROM target t WHERE t.event = e.id "
		"AND t.rank IS NOT NULL) AS targets, "
		"EXISTS (SELECT 1 FROM target t WHERE t.event = e.id AND t.kind = 'field') AS has_fields FROM event e ORDER BY e.id"},
	{"alerts", 500,
		"SELECT a.id AS id, a.event AS event, e.name AS name, a.type AS type, a.seq AS "
		"seq, i.utc_us AS utc_us, a.time_created_us AS created_us,"
		" a.map_sha256 AS map, f.area90_deg2 AS area90, f.area50_deg2 AS area50, "
		"f.dist_mean_mpc AS mean, f.dist_std_mpc AS std, f.p_bns AS p_bns,"
		" (SELECT json_extract(s.summary, '$.unrelated_supernovae') FROM skymap s WHERE s.sha256 = a.map_sha256) AS supernovae,"
		" f.p_nsbh AS p_nsbh, f.has_remnant AS has_remnant, f.n_detectors AS n_detectors, "
		"f.far_per_year AS far_per_year FROM alert a JOIN event e ON"
		" e.id = a.event JOIN input i ON i.seq = a.seq JOIN fact f ON f.alert = a.id ORDER "
		"BY a.seq"},
	{"decisions", 200,
		"SELECT d.*, e.name AS name, i.utc_us AS utc_us FROM decision d JOIN event e ON "
		"e.id = d.event JOIN input i ON i.seq = d.changed_seq"
		" ORDER BY d.event, d.policy"},
	{"targets", 3000,
		"SELECT t.id AS id, t.event AS event, t.name AS name, t.key AS key, t.ra_deg AS "
		"ra_deg, t.dec_deg AS dec_deg, t.distance_mpc AS mpc,"
		" CASE WHEN t.generation = (SELECT max(x.generation) FROM target x WHERE x.event = "
		"t.event) THEN t.rank END AS rank, t.share AS share, t.probability AS probability, t.generation AS generation, "
		"v.code AS code, v.detail AS detail, v.facility AS facility FROM target t LEFT JOIN"
		" verdict v ON v.target = t.id AND v.event = t.event ORDER BY t.event, "
		"t.generation DESC, ifnull(t.rank, 1000000), t.id"}, /* a rank is the last
									ranking's, or none */
	{"requests", 1000,
		"SELECT r.id AS id, r.event AS event, e.name AS event_name, r.target AS target, "
		"t.name AS name, t.ra_deg AS ra_deg, t.dec_deg AS"
		" dec_deg, CASE WHEN t.generation = (SELECT max(x.generation) FROM target x WHERE "
		"x.event = t.event) THEN t.rank END AS rank, r.token AS token, r.state AS state, "
		"r.mode AS mode, r.epoch AS epoch, r.variant AS variant, r.facility AS facility,"
		" r.remote_id AS remote_id, r.start_us AS start_us, r.end_us AS end_us, r.seconds "
		"AS seconds, r.created_us AS created_us, r.submits AS submits,"
		" r.unwanted_why AS unwanted_why, json_extract(r.body, '$.site') AS site, "
		"json_extract(r.body, '$.max_airmass') AS max_airmass, json_extract(r.body, '$.filters') AS filters, "
		"json_extract(r.body, '$.limit_mag') AS limit_mag, json_extract(r.body, '$.slot_us') AS slot_us, "
		"json_extract(r.body, '$.duration_s') AS duration_s,"
		" (SELECT o.words FROM offer o WHERE o.request = r.id AND o.words <> '' ORDER BY "
		"o.id DESC LIMIT 1) AS words,"
		" (SELECT o.outcome FROM offer o WHERE o.request = r.id ORDER BY o.id DESC LIMIT "
		"1) AS outcome"
		" FROM request r JOIN event e ON e.id = r.event JOIN target t ON t.id = r.target "
		"ORDER BY r.id"},
	{"changes", 10000,
		"SELECT request, utc_us, signal, from_state, to_state, words FROM request_change "
		"ORDER BY id"},
	{"observations", 2000,
		"SELECT o.request AS request, o.site AS site, o.telescope AS telescope, o.state AS "
		"state, o.start_us AS start_us, o.end_us AS"
		" end_us, o.words AS words FROM observation o ORDER BY o.id"},
	{"covering", 2000,
		"SELECT r.event AS event, r.target AS target, o.start_us AS start_us FROM observation o JOIN request r ON r.id = "
		"o.request WHERE o.state = 'done' ORDER BY o.start_us, o.id"},
	{"orders", 500,
		"SELECT o.seq AS seq, i.utc_us AS utc_us, o.verb AS verb, o.why AS why, o.uid AS "
		"uid, json_extract(o.body, '$.event') AS event FROM"
		" operator_order o JOIN input i ON i.seq = o.seq WHERE o.answer NOT LIKE '%\"ok\":false}' ORDER BY o.seq"},
	{"frames", 1,
		"SELECT count(*) AS n, (SELECT i.utc_us FROM data_product d JOIN input i ON i.seq "
		"= d.seq ORDER BY d.id LIMIT 1) AS first_us FROM data_product"},
	{"offers", 1,
		"SELECT count(*) AS n, total(outcome = 'accepted') AS granted, total(outcome = "
		"'declined') AS refused FROM offer"},
	{"ledger", 1,
		"SELECT total(CASE WHEN state = 'spent' THEN seconds END) AS spent, total(CASE "
		"WHEN state = 'held' THEN seconds END) AS held,"
		" total(CASE WHEN state = 'returned' THEN seconds END) AS returned FROM ledger"},
	/* The first moments of each stage after each alert of an event: computations and calls name
	   the event they are for. */
	{"effects", 20000,
		"SELECT f.event AS event, f.kind AS kind, f.compute AS compute, f.verb AS verb, "
		"f.released_utc_us AS released_us, i.utc_us AS done_us,"
		" f.outcome AS outcome, f.request AS request FROM effect f JOIN input i ON i.seq = "
		"f.done_seq WHERE f.kind IN ('compute','call') AND (f.compute IS NOT"
		" NULL OR f.verb IN ('offer','submit')) ORDER BY i.seq"},
	{"hours", 60,
		"SELECT h.programme AS programme, p.proposal AS proposal, h.mode AS mode, h.hours AS given, "
		"total(CASE WHEN l.state = 'spent' THEN l.seconds END) / 3600 AS spent, total(CASE WHEN l.state = 'held' "
		"THEN l.seconds END) / 3600 AS held, total(l.state = 'spent') AS requests, count(DISTINCT CASE WHEN "
		"l.state <> 'returned' THEN l.event END) AS events FROM programme_hours h JOIN programme p ON p.name = "
		"h.programme LEFT JOIN ledger l ON l.programme = h.programme AND l.mode = h.mode GROUP BY h.programme, "
		"h.mode ORDER BY h.programme, h.mode"},
	{"config", 1,
		"SELECT json_extract(body, '$.config.clock.start') AS start, json_extract(body, "
		"'$.config.clock.rate') AS rate, (SELECT min(utc_us) FROM"
		" input) AS first_us, (SELECT max(utc_us) FROM input) AS last_us, (SELECT count(*) "
		"FROM input) AS inputs, catalog_sha256 AS catalog FROM config"
		" ORDER BY seq DESC"},
	{"starts", 50,
		"SELECT i.utc_us AS utc_us FROM input i WHERE i.kind = 'config' ORDER BY i.seq"},
	{"descriptors", 20,
		"SELECT name AS name, descriptor AS descriptor FROM facility ORDER BY name"},
};

/* The event the page is about: the one that is named, else the one with most requests that lived,
 * else the first. */
static int choose_event(const struct night_input *in, json_t *night, struct err *e)
{
	json_t *events = json_object_get(night, "events"), *row, *best = NULL;
	size_t i;

	json_array_foreach (events, i, row) {
		if (in->event != NULL && strcmp(in->event, json_text(row, "name", "")) == 0)
			best = row;
		bool out = strcmp(json_text(row, "state", ""), "retracted") == 0;
		if (in->event == NULL && !out &&
			(best == NULL ||
				json_int(row, "requests", 0) > json_int(best, "requests", 0)))
			best = row;
	}
	if (best == NULL)
		best = in->event == NULL ? json_array_get(events, 0) : NULL;
	if (best == NULL)
		return in->event != NULL ? err_set(e, ERR_INPUT,
						   "no event %s in this state; slew report lists "
						   "the night as a whole without --event",
						   in->event)
					 : err_set(e, ERR_INPUT,
						   "nothing was heard in this state: there is no "
						   "night to report");
	json_object_set(night, "event", best);
	return 0;
}

json_t *night_read(const struct night_input *in, struct err *e)
{
	json_t *night = json_object();

	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		json_t *rows = query_rows(in->ro, parts[i].most, e, parts[i].sql, "");
		if (rows == NULL || json_object_set_new(night, parts[i].name, rows) != 0) {
			json_decref(night);
			err_wrap(e, "night report, %s", parts[i].name);
			return NULL;
		}
	}
	if (choose_event(in, night, e) != 0) {
		json_decref(night);
		return NULL;
	}
	json_t *config = json_array_get(json_object_get(night, "config"), 0);
	json_object_set_new(night, "rate", json_real(json_number(config, "rate", 1)));
	json_object_set_new(night, "start_us", json_integer(json_int(config, "first_us", 0)));
	json_object_set_new(night, "end_us", json_integer(json_int(config, "last_us", 0)));
	return night;
}

/* Ranks of states: a target's fate is the best that any of its requests came to. */
const char *night_fate(const json_t *night, int64_t target_id, const char **colour)
{
	static const struct {
		const char *states, *word, *colour;
	} fates[] = {{"done", "observed", "#1a7f4b"}, {"running", "running", "#3aa76d"},
		{"asked unsure accepted scheduled", "asked", "#2563eb"},
		{"cancelled cancelling", "cancelled", "#8b5cf6"},
		{"declined failed expired", "refused", "#d9480f"},
		{"planned offered held", "planned", "#60a5fa"}};
	size_t best = 6, i;
	json_t *r;

	json_array_foreach (json_object_get(night, "requests"), i, r) {
		if (json_int(r, "target", -1) != target_id)
			continue;
		for (size_t k = 0; k < best; k++)
			if (strstr(fates[k].states, json_text(r, "state", "?")) != NULL)
				best = k;
	}
	*colour = best < 6 ? fates[best].colour : "#98a2b3";
	return best < 6 ? fates[best].word : "not asked";
}

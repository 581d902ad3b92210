/* A dry run as data: README "Try a night before you trust it" lists the members. */
#include "engine/base/json.h"
#include "engine/base/query.h"
#include "engine/base/utc.h"
#include "engine/cmd/sim_real.h"
#include "engine/target/ephemeris.h"
#include "sim/score.h"
#include <math.h>
#include <string.h>

static json_t *when(int64_t utc_us)
{
	char stamp[32];
	return utc_us == UTC_NONE ? json_null() : json_string(utc_format_s(stamp, utc_us));
}

static double sun_deg(const struct ephemeris_site *place, int64_t utc_us)
{
	struct ephemeris_frame f;
	struct ephemeris_bodies b;
	struct ephemeris_local l;
	ephemeris_frame_set(&f, utc_us);
	ephemeris_bodies_at(&f, utc_us, &b);
	ephemeris_local_at(&b, place, &l);
	return ephemeris_asin_deg(l.sun_sin_alt);
}

/* When the Sun crosses an altitude between two times of which one is above and one below, to a second. */
static int64_t crossing(const struct ephemeris_site *place, int64_t a_us, int64_t b_us, double limit_deg)
{
	bool below = sun_deg(place, a_us) < limit_deg;
	while (b_us - a_us > UTC_SECOND) {
		int64_t middle = a_us + (b_us - a_us) / 2;
		if ((sun_deg(place, middle) < limit_deg) == below)
			a_us = middle;
		else
			b_us = middle;
	}
	return b_us;
}

/* [[from, to], …] within the night in which the Sun is below the limit. */
static json_t *dark_hours(const struct ephemeris_site *place, const struct made_night *n, double limit_deg)
{
	json_t *list = json_array();
	int64_t step = 10 * UTC_MINUTE, from = sun_deg(place, n->start_us) < limit_deg ? n->start_us : UTC_NONE;
	for (int64_t t = n->start_us; t < n->end_us; t += step) {
		int64_t next = t + step < n->end_us ? t + step : n->end_us;
		bool now = sun_deg(place, t) < limit_deg, then = sun_deg(place, next) < limit_deg;
		if (!now && then)
			from = crossing(place, t, next, limit_deg);
		if (now && !then)
			json_array_append_new(list, json_pack("[o, o]", when(from), when(crossing(place, t, next, limit_deg))));
		if (now && !then)
			from = UTC_NONE;
	}
	if (from != UTC_NONE)
		json_array_append_new(list, json_pack("[o, o]", when(from), when(n->end_us)));
	return list;
}

/* Closings of a site within the night, the earliest first. */
static json_t *closings(const struct made_night *n, const char *code)
{
	json_t *list = json_array(), *w;
	size_t i;
	json_array_foreach(n->weather, i, w) {
		int64_t from = json_int(w, "from_us", 0), to = json_int(w, "to_us", 0);
		char stamp[32];
		size_t at = 0;
		if (strcmp(json_text(w, "site", ""), code) != 0 || from >= n->end_us || to <= n->start_us)
			continue;
		utc_format_s(stamp, from > n->start_us ? from : n->start_us);
		while (at < json_array_size(list) && strcmp(json_text(json_array_get(list, at), "from", ""), stamp) < 0)
			at++;
		json_array_insert_new(list, at, json_pack("{s:o, s:o, s:s}", "from", when(from > n->start_us ? from : n->start_us), "to", when(to < n->end_us ? to : n->end_us),
			"reason", json_text(w, "reason", "")));
	}
	return list;
}

static json_t *sites(const struct real_played *p)
{
	json_t *list = json_array(), *site;
	size_t i;
	json_array_foreach(p->w->sites, i, site) {
		const char *code = json_text(site, "code", "");
		struct ephemeris_site place = {json_number(site, "latitude_deg", 0), json_number(site, "longitude_deg", 0), json_number(site, "elevation_m", 0)};
		size_t telescopes = json_array_size(json_object_get(site, "telescopes"));
		if (telescopes > 0)
			json_array_append_new(list, json_pack("{s:s, s:s, s:I, s:o, s:o}", "code", code, "name", json_text(site, "name", ""), "telescopes",
				(json_int_t)telescopes, "dark", dark_hours(&place, p->night, -12), "closed", closings(p->night, code)));
	}
	return list;
}

static double moon_illuminated(int64_t utc_us)
{
	struct ephemeris_frame f;
	struct ephemeris_bodies b;
	ephemeris_frame_set(&f, utc_us);
	ephemeris_bodies_at(&f, utc_us, &b);
	return round(1000 * b.moon_illuminated) / 1000;
}

/* ---- from the state ---- */
static const char sql_heard[] = "SELECT e.name AS event, a.type AS type, i.utc_us AS utc_us, f.area90_deg2 AS area90_deg2, f.dist_mean_mpc AS dist_mean_mpc, "
	"f.dist_std_mpc AS dist_std_mpc FROM alert a JOIN input i ON i.seq=a.seq JOIN event e ON e.id=a.event JOIN fact f ON f.alert=a.id ORDER BY i.seq";
static const char sql_decisions[] = "SELECT e.name AS event, d.policy AS policy, d.outcome AS outcome, d.state AS state, ifnull(d.missing,'') AS missing, d.approved AS approved "
	"FROM decision d JOIN event e ON e.id=d.event ORDER BY d.event, d.policy";
static const char sql_hours[] = "SELECT h.programme AS programme, h.mode AS mode, h.hours AS given_h, (SELECT total(seconds)/3600 FROM ledger l WHERE "
	"l.programme=h.programme AND l.mode=h.mode AND l.state='spent') AS spent_h, (SELECT total(seconds)/3600 FROM ledger l WHERE "
	"l.programme=h.programme AND l.mode=h.mode AND l.state='held') AS held_h, (SELECT count(*) FROM ledger l WHERE l.programme=h.programme "
	"AND l.mode=h.mode AND l.state='spent') AS requests FROM programme_hours h ORDER BY h.programme, h.mode";
static const char sql_requests[] = "SELECT r.token AS token, e.name AS event, t.name AS target, t.ra_deg AS ra_deg, t.dec_deg AS dec_deg, t.share AS share, "
	"r.epoch AS epoch, r.facility AS facility, r.programme AS programme, r.mode AS mode, r.state AS state, r.start_us AS window_from_us, r.end_us AS "
	"window_to_us, r.seconds AS seconds, o.site AS site, o.telescope AS telescope, o.start_us AS observed_from_us, o.end_us AS observed_to_us, "
	"coalesce(nullif(r.refused_words,''), r.unwanted_why) AS words FROM request r JOIN event e ON e.id=r.event JOIN target t ON t.id=r.target LEFT JOIN observation o ON o.id="
	"(SELECT x.id FROM observation x WHERE x.request=r.id AND x.state<>'cancelled' ORDER BY x.state='done' DESC, x.id DESC LIMIT 1) ORDER BY r.id";
/* What a person would tell of it: requests of an event that changed alike within a minute are one line. */
static const char sql_story[] =
	"SELECT * FROM (SELECT i.utc_us,i.seq,'heard '||e.name||' '||a.type AS words FROM alert a JOIN input i ON i.seq=a.seq JOIN event e ON e.id=a.event "
	"UNION ALL SELECT i.utc_us,i.seq,'map of '||e.name||': 90 % in '||CAST(round(f.area90_deg2) AS INTEGER)||' deg2'||ifnull(', '||CAST(round(f.dist_mean_mpc) AS INTEGER)||' +- '"
	"||CAST(round(f.dist_std_mpc) AS INTEGER)||' Mpc','') FROM alert a JOIN input i ON i.seq=a.seq JOIN event e ON e.id=a.event JOIN fact f ON f.alert=a.id WHERE f.map_state='ready' AND "
	"a.seq=(SELECT min(b.seq) FROM alert b WHERE b.event=a.event AND b.map_sha256=a.map_sha256) "
	"UNION ALL SELECT i.utc_us,i.seq,'rejected: '||r.reason FROM reject r JOIN input i ON i.seq=r.seq "
	"UNION ALL SELECT i.utc_us,i.seq,'order '||o.verb||': '||o.answer FROM operator_order o JOIN input i ON i.seq=o.seq "
	"UNION ALL SELECT i.utc_us,i.seq,y||': '||n||' request'||CASE n WHEN 1 THEN '' ELSE 's' END||' '||s||w FROM (SELECT c.seq AS q,e.name AS y,count(*) AS n,"
	"c.to_state AS s,CASE WHEN c.to_state IN ('running','done') THEN ' at '||ifnull(group_concat(DISTINCT (SELECT o.site FROM observation o WHERE o.request=r.id "
	"AND o.state<>'cancelled' ORDER BY o.id DESC LIMIT 1)),'?') ELSE '' END AS w FROM request_change c JOIN request r ON r.id=c.request JOIN event e ON e.id=r.event WHERE c.to_state IN "
	"('accepted','unsure','done','cancelled','declined','expired','failed') AND NOT (c.to_state='cancelled' AND c.from_state IN ('planned','offered','held')) GROUP BY c.utc_us/60000000,e.id,c.to_state) JOIN input i ON i.seq=q "
	"UNION ALL SELECT i.utc_us,i.seq,e.name||' waits for a person: '||g.reason FROM gate g JOIN input i ON i.seq=g.opened_seq JOIN event e ON e.id=g.event WHERE g.kind='approval' "
	"UNION ALL SELECT utc_us,seq,'alarm: '||detail FROM alarm) ORDER BY utc_us,seq LIMIT 2000";

/* Members that end in _us become times in words, without the ending. */
static json_t *times(json_t *rows)
{
	json_t *row, *value;
	const char *key;
	void *next;
	size_t i;
	json_array_foreach(rows, i, row)
		json_object_foreach_safe(row, next, key, value) {
			size_t len = strlen(key);
			char name[64];
			if (len < 4 || len >= sizeof name || strcmp(key + len - 3, "_us") != 0)
				continue;
			snprintf(name, sizeof name, "%.*s", (int)(len - 3), key);
			json_t *stamp = json_is_integer(value) ? when(json_integer_value(value)) : json_null();
			json_object_set_new(row, strcmp(name, "utc") == 0 ? "time" : name, stamp);
			json_object_del(row, key);
		}
	return rows;
}

static int put_rows(json_t *out, const char *name, sqlite3 *db, const char *sql, struct err *e)
{
	json_t *rows = query_rows(db, 20000, e, sql, "");
	if (rows == NULL)
		return -1;
	json_object_set_new(out, name, times(rows));
	return 0;
}

static json_t *policy_names(const json_t *policies)
{
	json_t *list = json_array(), *p;
	size_t i;
	json_array_foreach(policies, i, p)
		json_array_append_new(list, json_string(json_text(p, "name", "")));
	return list;
}

json_t *real_tell(const struct real_played *p, struct err *e)
{
	struct score_input score = {p->db, p->places, p->night->truth};
	json_t *out = json_pack("{s:s, s:o, s:o, s:I, s:s, s:o, s:{s:s, s:I, s:s}, s:f, s:O, s:o}", "schema", "slew dry run/1", "start", when(p->night->start_us), "end",
		when(p->night->end_us), "seed", (json_int_t)p->a->seed, "facilities", p->w->facilities, "policies",
		policy_names(json_object_get(p->w->input, "policies")), "catalogue", "name", p->w->galaxies_name, "galaxies", (json_int_t)p->w->galaxies->count, "sha256",
		p->w->galaxies->sha256, "moon_illuminated", moon_illuminated(p->night->start_us), "notes", p->w->notes, "sites", sites(p));
	json_t *events = score_night(&score, e);
	if (out == NULL || events == NULL || put_rows(out, "alerts", p->db, sql_heard, e) < 0 || put_rows(out, "decisions", p->db, sql_decisions, e) < 0) {
		json_decref(out);
		json_decref(events);
		return NULL;
	}
	json_object_set_new(out, "events", times(events));
	if (put_rows(out, "hours", p->db, sql_hours, e) < 0 || put_rows(out, "requests", p->db, sql_requests, e) < 0 || put_rows(out, "story", p->db, sql_story, e) < 0) {
		json_decref(out);
		return NULL;
	}
	return out;
}

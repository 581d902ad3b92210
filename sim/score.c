/* What a night came to: see score.h. */
#include "sim/score.h"
#include "engine/base/json.h"
#include "engine/base/query.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include "engine/target/ephemeris.h"
#include "sim/transient.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DEG (M_PI / 180)
#define SEEN 400 /* frames of one host that are looked at */

struct scoring {
	const struct score_input *in;
	json_t *frames, *ledgers, *requests, *targets; /* of all events; a ledger a place */
};

static double since(const json_t *frame, int64_t time_us)
{
	return (double)(json_int(frame, "start_us", 0) - time_us) / 1e6;
}

static json_t *frame_request(const struct scoring *s, const json_t *frame)
{
	return json_object_get(s->requests, json_text(frame, "name", ""));
}

/* ---- the host ---- */
static const json_t *descriptor_of(const struct scoring *s, const json_t *frame)
{
	return s->in->places->descriptor[json_int(frame, "place", 0)];
}

static const json_t *instrument_of(const struct scoring *s, const json_t *frame)
{
	const json_t *one;
	size_t i;
	json_array_foreach(json_object_get(descriptor_of(s, frame), "instruments"), i, one)
		if (strcmp(json_text(one, "kind", ""), "image") == 0)
			return one;
	return NULL;
}

/* Within the square field, north up. */
static bool in_field(const json_t *instrument, const json_t *frame, double ra_deg, double dec_deg)
{
	const json_t *fov = json_object_get(instrument, "fov_arcmin");
	double w = json_number_value(json_array_get(fov, 0)), h = json_number_value(json_array_get(fov, 1)), dec = json_number(frame, "dec_deg", 0);
	double x = remainder(ra_deg - json_number(frame, "ra_deg", 0), 360) * cos(dec * DEG), y = dec_deg - dec;
	return fabs(x) * 60 <= (w > 0 ? w : 10) / 2 && fabs(y) * 60 <= (h > 0 ? h : 10) / 2;
}

/* Illuminated part of a Moon that is up at the frame's site; 0 when it is down. */
static double moon_of(const struct scoring *s, const json_t *frame)
{
	const json_t *site;
	size_t i;
	struct ephemeris_frame f;
	struct ephemeris_bodies b;
	struct ephemeris_local l;
	json_array_foreach(json_object_get(descriptor_of(s, frame), "sites"), i, site) {
		if (strcmp(json_text(site, "code", ""), json_text(frame, "site", "?")) != 0)
			continue;
		struct ephemeris_site place = {json_number(site, "latitude_deg", 0), json_number(site, "longitude_deg", 0), json_number(site, "elevation_m", 0)};
		int64_t at_us = json_int(frame, "start_us", 0);
		ephemeris_frame_set(&f, at_us);
		ephemeris_bodies_at(&f, at_us, &b);
		ephemeris_local_at(&b, &place, &l);
		return l.moon_sin_alt > 0 ? l.moon_illuminated : 0;
	}
	return 0;
}

static bool detect(const struct scoring *s, const struct transient *t, const json_t *frame, int64_t time_us, struct transient_seen *out, json_t *list)
{
	struct transient_camera camera;
	double at_s = since(frame, time_us), airmass = json_number(frame, "airmass", 1), exposure_s = json_number(frame, "exposure_s", 0);
	const char *filter = json_text(frame, "filter", "");
	if (!transient_camera_of(instrument_of(s, frame), filter, &camera))
		return false;
	double moon = moon_of(s, frame), mag = transient_mag(t, (at_s + exposure_s / 2) / 86400, filter);
	double ratio = transient_signal_to_noise(&camera, mag, exposure_s, airmass, moon);
	if (!(ratio >= TRANSIENT_DETECTED))
		return false;
	*out = (struct transient_seen){.days = at_s / 86400, .mag = mag, .error_mag = 1.0857 / ratio};
	text_copy(out->filter, sizeof out->filter, filter);
	json_array_append_new(list, json_pack("{s:f, s:s, s:f, s:f, s:f, s:s}", "s", at_s, "filter", filter, "mag", mag, "error_mag", out->error_mag,
		"limit_mag", transient_limit(&camera, TRANSIENT_DETECTED, exposure_s, airmass, moon), "site", json_text(frame, "site", "")));
	return true;
}

static json_t *host_score(const struct scoring *s, const json_t *truth, int64_t event, int64_t time_us)
{
	const json_t *host = json_object_get(truth, "host"), *light = json_object_get(truth, "kilonova"), *t;
	json_t *frame, *list = json_array();
	struct transient kilonova;
	struct transient_seen *seen = calloc(SEEN, sizeof *seen);
	size_t i, count = 0;
	int64_t frames = 0, rank = 0;
	double first_s = NAN, ra = json_number(host, "ra_deg", 0), dec = json_number(host, "dec_deg", 0);
	transient_make(json_number(light, "blue", 1), json_number(light, "red", 1), json_number(host, "distance_mpc", 100), &kilonova);
	json_array_foreach(s->frames, i, frame) { /* by time; of any event: light falls where it falls */
		if (since(frame, time_us) < 0 || !in_field(instrument_of(s, frame), frame, ra, dec))
			continue;
		first_s = frames++ == 0 ? since(frame, time_us) : first_s;
		if (light != NULL && seen != NULL && count < SEEN)
			count += detect(s, &kilonova, frame, time_us, &seen[count], list);
	}
	json_array_foreach(s->targets, i, t)
		if (json_int(t, "event", -1) == event && strcmp(json_text(t, "name", ""), json_text(host, "name", "?")) == 0)
			rank = json_int(t, "rank", 0);
	double identified_d = seen ? transient_identified(seen, count) : NAN;
	free(seen);
	return json_pack("{s:s, s:f, s:f, s:f, s:b, s:o, s:o, s:I, s:o, s:o}", "name", json_text(host, "name", ""), "ra_deg", ra, "dec_deg", dec,
		"distance_mpc", json_number(host, "distance_mpc", 0), "in_catalogue", (int)json_flag(host, "in_catalogue", false), "rank",
		rank > 0 ? json_integer(rank) : json_null(), "exposed_s", json_real_or_null(first_s), "frames", (json_int_t)frames, "detections", list,
		"identified_s", json_real_or_null(identified_d * 86400));
}

/* ---- what it cost, what it covered ---- */
static void add(json_t *object, const char *key, double value)
{
	json_object_set_new(object, key, json_real(json_number(object, key, 0) + value));
}

static bool ended(const char *state)
{
	return strstr("CANCELED WINDOW_EXPIRED FAILURE_LIMIT_REACHED COMPLETED", state) != NULL;
}

struct cost {
	int64_t asked, exposed, open, wasted, triggers;
	double hours;
	json_t *modes;
};

/* One request as the observatory counts it. */
static void cost_add(struct cost *c, const json_t *row, const char *mode, bool has, bool merger)
{
	const char *state = json_string_value(json_array_get(json_object_get(row, "states"), 0));
	double hours = json_number(row, "seconds", 0) / 3600;
	bool over = ended(state ? state : "");
	c->asked++;
	c->exposed += has;
	c->open += !over;
	c->wasted += over && (!merger || !has);
	c->triggers |= strcmp(mode, "NORMAL") != 0;
	c->hours += hours;
	add(c->modes, mode, hours);
}

/* Requests of one event at all observatories. */
static void cost(const struct scoring *s, int64_t event, bool merger, json_t *out)
{
	const char *name;
	json_t *row, *had = json_object(), *frame, *ledger;
	struct cost c = {.modes = json_object()};
	size_t i;
	json_array_foreach(s->frames, i, frame)
		json_object_set_new(had, json_text(frame, "name", ""), json_true());
	json_array_foreach(s->ledgers, i, ledger)
		json_object_foreach(json_object_get(ledger, "names"), name, row) {
			const json_t *r = json_object_get(s->requests, name);
			if (json_int(r, "event", -1) == event)
				cost_add(&c, row, json_text(r, "mode", "NORMAL"), json_object_get(had, name) != NULL, merger);
		}
	json_decref(had);
	json_object_set_new(out, "requests", json_integer(c.asked));
	json_object_set_new(out, "exposed", json_integer(c.exposed));
	json_object_set_new(out, "open", json_integer(c.open));
	json_object_set_new(out, "wasted", json_integer(c.wasted));
	json_object_set_new(out, "triggers", json_integer(c.triggers));
	json_object_set_new(out, "hours", json_real(c.hours));
	json_object_set_new(out, "hours_by_mode", c.modes);
}

/* Ranked probability in galaxies with an exposure, as it grew. */
static void coverage(const struct scoring *s, int64_t event, int64_t time_us, json_t *out)
{
	json_t *frame, *had = json_object(), *curve = json_array();
	double covered = 0, first_s = NAN;
	size_t i;
	json_array_foreach(s->frames, i, frame) {
		const json_t *r = frame_request(s, frame);
		char key[24];
		if (json_int(r, "event", -1) != event)
			continue;
		first_s = isnan(first_s) ? since(frame, time_us) : first_s;
		snprintf(key, sizeof key, "%lld", (long long)json_int(r, "target", 0));
		if (json_object_get(had, key) != NULL)
			continue;
		json_object_set_new(had, key, json_true());
		covered += json_number(r, "share", 0);
		json_array_append_new(curve, json_pack("[f, f]", since(frame, time_us), covered));
	}
	json_decref(had);
	json_object_set_new(out, "first_image_s", json_real_or_null(first_s));
	json_object_set_new(out, "covered", json_real(covered));
	json_object_set_new(out, "covered_curve", curve);
}

static const json_t *truth_of(const struct scoring *s, const char *event)
{
	const json_t *row;
	size_t i;
	json_array_foreach(json_object_get(s->in->truth, "events"), i, row)
		if (strcmp(json_text(row, "event", ""), event) == 0)
			return row;
	return NULL;
}

static json_t *event_score(const struct scoring *s, const json_t *event)
{
	const json_t *truth = truth_of(s, json_text(event, "name", ""));
	const char *kind = json_text(truth, "kind", "given");
	int64_t id = json_int(event, "id", 0), time_us = json_int(truth, "time_us", json_int(event, "time_us", 0));
	json_t *out = json_pack("{s:s, s:s, s:I, s:s, s:b}", "event", json_text(event, "name", ""), "kind", kind, "time_us", (json_int_t)time_us,
		"state", json_text(event, "state", ""), "triggered", json_int(event, "triggered", 0) > 0);
	cost(s, id, strcmp(kind, "noise") != 0 && strcmp(json_text(event, "state", ""), "retracted") != 0, out);
	coverage(s, id, time_us, out);
	json_object_set_new(out, "host", json_object_get(truth, "host") ? host_score(s, truth, id, time_us) : json_null());
	return out;
}

static int by_start(const void *a, const void *b)
{
	int64_t x = json_int(*(json_t *const *)a, "start_us", 0), y = json_int(*(json_t *const *)b, "start_us", 0);
	return x < y ? -1 : x > y;
}

/* Frames come by the end of their visits: here by their own start. */
static json_t *frames_by_time(const struct sim_real_places *places)
{
	json_t *all = json_array(), *out = json_array(), *one;
	size_t n, i;
	for (size_t p = 0; p < places->count; p++) {
		json_t *some = sim_portal_frames(places->portal[p]);
		json_array_foreach(some, i, one)
			json_object_set_new(one, "place", json_integer((json_int_t)p));
		json_array_extend(all, some);
		json_decref(some);
	}
	n = json_array_size(all);
	json_t **list = calloc(n + 1, sizeof *list);
	for (i = 0; list != NULL && i < n; i++)
		list[i] = json_array_get(all, i);
	if (list != NULL)
		qsort(list, n, sizeof *list, by_start);
	for (i = 0; list != NULL && i < n; i++)
		json_array_append(out, list[i]);
	free(list);
	json_decref(all);
	return out;
}

/* Requests by their token, which is their name at the portal. */
static json_t *requests_by_token(sqlite3 *db, struct err *e)
{
	static const char sql[] = "SELECT r.token AS token, r.event AS event, r.target AS target, r.mode AS mode, "
		"CASE WHEN t.generation=(SELECT max(x.generation) FROM target x WHERE x.event=t.event) THEN t.share END AS share FROM request r JOIN target t ON t.id=r.target";
	json_t *rows = query_rows(db, 100000, e, sql, ""), *out = rows ? json_object() : NULL, *row;
	size_t i;
	json_array_foreach(rows, i, row)
		json_object_set(out, json_text(row, "token", ""), row);
	json_decref(rows);
	return out;
}

json_t *score_night(const struct score_input *in, struct err *e)
{
	static const char events[] = "SELECT id, name, state, time_us, (SELECT count(*) FROM decision d WHERE d.event=event.id AND (d.state='triggered' OR "
		"d.state='downgraded')) + (SELECT count(*) FROM request r WHERE r.event=event.id) AS triggered FROM event ORDER BY id";
	static const char targets[] = "SELECT t.event AS event, t.name AS name, CASE WHEN t.generation=(SELECT max(x.generation) FROM target x WHERE "
		"x.event=t.event) THEN t.rank END AS rank FROM target t";
	struct scoring s = {in, frames_by_time(in->places), json_array(), requests_by_token(in->db, e), query_rows(in->db, 100000, e, targets, "")};
	json_t *list = query_rows(in->db, 1000, e, events, ""), *row, *out = s.requests && s.targets && list ? json_array() : NULL;
	size_t i;
	for (i = 0; i < in->places->count; i++)
		json_array_append_new(s.ledgers, sim_portal_ledger(in->places->portal[i]));
	json_array_foreach(list, i, row)
		if (out != NULL)
			json_array_append_new(out, event_score(&s, row));
	json_decref(list);
	json_decref(s.frames);
	json_decref(s.ledgers);
	json_decref(s.requests);
	json_decref(s.targets);
	return out;
}

/* What an offer promises: the chance that it happens, from the sky over its site, the facility's own figures and its record; and who moves to the
 * reserve when that chance has gone. */
#include "engine/base/json.h"
#include "engine/base/utc.h"
#include "engine/core/turn.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CLEAR_UNKNOWN 0.7       /* of the nights, where the descriptor does not tell: an ordinary observatory */
#define SKY_LASTS_S (6 * 3600.0) /* e-folding time after which the sky of now tells nothing */
#define RECORD_PRIOR 10.0       /* visits that went well, counted before the first */
#define SOON_US UTC_HOUR        /* its hour has come: a closed site is believed */

static const json_t *descriptor_site(const struct site *s, const char *code)
{
	const json_t *one;
	size_t i;
	json_array_foreach(s ? json_object_get(s->descriptor, "sites") : NULL, i, one)
		if (strcmp(json_text(one, "code", ""), code) == 0)
			return one;
	return NULL;
}

/* The sky of now lasts for some hours; what comes after is the site's usual share of clear nights. */
static double sky_of(double clear, const char *now, double age_s)
{
	double lasts = exp(-fmax(age_s, 0) / SKY_LASTS_S);
	if (strcmp(now, "open") == 0)
		return clear + (1 - clear) * lasts;
	return strcmp(now, "closed") == 0 ? clear * (1 - lasts) : clear;
}

static bool instrument_gone(const json_t *detail, const char *code)
{
	const json_t *list = json_object_get(detail, "instruments"), *one;
	size_t i;
	json_array_foreach(list, i, one)
		if (json_is_string(one) && strcmp(json_string_value(one), code) == 0)
			return false;
	return json_is_array(list) && code[0];
}

/* Of its last 50 that came to an end there: what was done, against what failed or was passed over. */
static double record_of(struct core *c, const char *facility)
{
	static const char ended[] = "SELECT total(state='done') AS done,count(*) AS n FROM (SELECT state FROM request WHERE facility=? AND state IN "
				    "('done','failed','expired') AND submits>void_submits ORDER BY id DESC LIMIT 50)";
	json_t *row = get_row(c, ended, "t", facility);
	double done = json_number(row, "done", 0), n = (double)json_int(row, "n", 0);
	json_decref(row);
	return (done + RECORD_PRIOR) / (n + RECORD_PRIOR);
}

void promise_of(struct core *c, const json_t *request, struct promise *out)
{
	static const char known[] = "SELECT state,detail,checked_us FROM facility WHERE name=?";
	const char *facility = json_text(request, "facility", "");
	const struct site *s = site_find(c, facility);
	json_t *body = json_parse(json_text(request, "body", "{}")), *row = get_row(c, known, "t", facility);
	json_t *detail = json_parse(json_text(row, "detail", "{}"));
	const char *code = json_text(body, "site", ""), *now = json_text(json_object_get(detail, "sites"), code, "unknown");
	char key[64];
	if (strcmp(json_text(row, "state", ""), "closed") == 0)
		now = "closed";
	*out = (struct promise){.start_us = json_int(body, "slot_us", json_int(request, "start_us", 0)), .value = json_number(body, "value", 0)};
	if (out->start_us < c->utc_us)
		out->start_us = c->utc_us;
	out->clear = json_number(descriptor_site(s, code), "clear_fraction", CLEAR_UNKNOWN);
	out->sky = sky_of(out->clear, now, (double)(out->start_us - json_int(row, "checked_us", c->utc_us)) / 1e6);
	snprintf(key, sizeof key, "contention.%.40s", json_text(request, "mode", "NORMAL"));
	out->queue = fmin(fmax(site_number(s, key, 1), 0), 1);
	out->record = record_of(c, facility);
	out->gone = instrument_gone(detail, json_text(body, "instrument", ""));
	out->happens = out->gone ? 0 : out->sky * out->queue * out->record;
	out->value = isfinite(out->value) ? out->value : 0;
	snprintf(out->site, sizeof out->site, "%.15s", code);
	snprintf(out->now, sizeof out->now, "%.10s", now);
	json_decref(detail);
	json_decref(row);
	json_decref(body);
}

double promise_expected(struct core *c, const json_t *request)
{
	struct promise p;
	promise_of(c, request, &p);
	return p.value * p.happens;
}

json_t *promise_price(const struct promise *p, const char *mode)
{
	char start[32], says[240];
	snprintf(says, sizeof says, "%.20s%s%s from %s UTC: happens with %.0f %% (sky %.0f %%, %s now, %.0f %% of nights clear; queue %.0f %%; record %.0f %%%s), expected value %.4g",
		 mode, p->site[0] ? " at " : "", p->site, utc_format_s(start, p->start_us), 100 * p->happens, 100 * p->sky, p->now, 100 * p->clear,
		 100 * p->queue, 100 * p->record, p->gone ? "; its instrument cannot be scheduled now" : "", p->value * p->happens);
	return json_pack("{s:s,s:I,s:f,s:f,s:s}", "mode", mode, "start_us", (json_int_t)p->start_us, "happens", p->happens, "expected", p->value * p->happens,
			 "says", says);
}

/* The best held one for the same target would do better than this one now. */
static bool reserve_is_better(struct core *c, const json_t *request)
{
	static const char held[] = "SELECT * FROM request WHERE event=? AND target=? AND epoch=? AND state='held' AND unwanted=0 AND end_us>?";
	double own = promise_expected(c, request);
	bool found = false;
	json_t *rows = get_rows(c, held, "iiii", json_int(request, "event", 0), json_int(request, "target", 0), json_int(request, "epoch", 0), c->utc_us), *row;
	size_t i;
	json_array_foreach(rows, i, row)
		found |= promise_expected(c, row) > own;
	json_decref(rows);
	return found;
}

void promises_look(struct core *c, const char *facility)
{
	static const char soon[] =
		"SELECT r.* FROM request r WHERE r.facility=?1 AND r.state IN ('accepted','scheduled') AND r.unwanted=0 AND "
		"coalesce((SELECT min(o.start_us) FROM observation o WHERE o.request=r.id AND o.state='scheduled'),json_extract(r.body,'$.slot_us'),r.start_us)<=?2 ORDER BY r.id";
	json_t *rows = get_rows(c, soon, "ti", facility, c->utc_us + SOON_US), *row;
	size_t i;
	json_array_foreach(rows, i, row) {
		struct promise p;
		char why[160];
		promise_of(c, row, &p);
		if (!p.gone && strcmp(p.now, "closed") != 0)
			continue;
		if (p.gone)
			snprintf(why, sizeof why, "slipped: its instrument cannot be scheduled at %s now", facility);
		else
			snprintf(why, sizeof why, "slipped: %s is closed as its hour comes", p.site[0] ? p.site : facility);
		if (reserve_is_better(c, row))
			request_slip(c, json_int(row, "id", 0), why);
	}
	json_decref(rows);
}

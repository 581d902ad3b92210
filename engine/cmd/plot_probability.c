/* slew plot probability: what was seen of an event, and what will have been, against time: of a state, or of a plan. */
#include "engine/base/json.h"
#include "engine/base/limits.h"
#include "engine/base/query.h"
#include "engine/base/utc.h"
#include "engine/cmd/cmd.h"
#include "engine/cmd/plot.h"
#include "engine/report/night.h"
#include "engine/report/progress.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int of_state(const struct plot *p, struct text *out, struct err *e)
{
	struct night_input *in = calloc(1, sizeof *in);
	char title[128];
	int rc = -1;
	must_memory(in != NULL);
	in->event = p->event;
	json_t *night = query_open_state(p->input[0], &in->ro, e) == 0 ? night_read(in, e) : NULL;
	if (night != NULL) {
		snprintf(title, sizeof title, "%.60s: seen, and identified", json_text(json_object_get(night, "event"), "name", ""));
		night_progress(night, title, true, out);
		rc = 0;
	}
	json_decref(night);
	sqlite3_close(in->ro);
	free(in);
	return rc;
}

/* The visits of a plan, without those in reserve. *out is malloc'd. */
static size_t visits_of(const json_t *plan, bool share, struct progress_visit **out, int64_t *last_us)
{
	const json_t *requests = json_object_get(plan, "requests"), *targets = json_object_get(plan, "targets"), *r, *t;
	size_t i, k, n = 0;
	*out = calloc(json_array_size(requests) + 1, sizeof **out);
	must_memory(*out != NULL);
	json_array_foreach(requests, i, r) {
		const char *key = json_text(r, "target", "?");
		int64_t start = json_int(r, "slot_us", json_int(r, "start_us", 0)), end = start + (int64_t)(json_number(r, "duration_s", 300) * 1e6);
		double host = share ? json_number(r, "share", 0) : 0, mpc = NAN, ebv = NAN;
		if (json_flag(r, "reserve", false))
			continue;
		json_array_foreach(targets, k, t)
			if (strcmp(json_text(t, "key", ""), key) == 0) {
				host = share ? host : json_number(t, "probability", 0);
				mpc = json_number(t, "distance_mpc", NAN);
				ebv = json_number(t, "ebv_mag", NAN);
			}
		(*out)[n++] = (struct progress_visit){start, end, false, key, host, mpc, ebv, json_object_get(r, "filters"), json_object_get(r, "limit_mag")};
		*last_us = end > *last_us ? end : *last_us;
	}
	return n;
}

void plot_plan(const json_t *plan, const char *title, bool alone, struct text *out)
{
	const json_t *source = json_object_get(plan, "source"), *t;
	struct progress_visit *visits;
	struct kilonova_prior prior;
	struct progress_chart c = {.event = json_text(plan, "event", ""), .event_us = json_int(plan, "event_us", UTC_NONE), .prior = &prior, .share = true,
		.outside = json_number(plan, "outside", NAN)};
	size_t i;
	json_array_foreach(json_object_get(plan, "targets"), i, t)
		c.share &= !json_is_number(json_object_get(t, "probability"));
	kilonova_prior_of(json_number(source, "p_bns", NAN), json_number(source, "p_nsbh", NAN), json_number(source, "has_remnant", NAN), &prior);
	c.from_us = json_int(plan, "now_us", 0);
	c.to_us = c.from_us + UTC_HOUR;
	c.count = visits_of(plan, c.share, &visits, &c.to_us);
	c.to_us += (c.to_us - c.from_us) / 25; /* the last step is seen */
	c.visits = visits;
	progress_picture(&c, title, alone, out);
	free(visits);
}

int plot_probability(const struct plot *p, struct text *out)
{
	static const char sqlite[] = "SQLite format 3";
	struct err e = {0};
	char head[sizeof sqlite] = "";
	if (p->inputs != 1)
		return cmd_usage(&command_plot, p->inputs ? "one STATE.db or PLAN.json at a time" : "no STATE.db or PLAN.json given");
	FILE *f = strcmp(p->input[0], "-") == 0 ? NULL : fopen(p->input[0], "rbe");
	if (f != NULL) {
		bool state = fread(head, 1, sizeof head, f) == sizeof head && memcmp(head, sqlite, sizeof sqlite) == 0;
		fclose(f);
		if (state)
			return of_state(p, out, &e) < 0 ? err_print(&e) : 0;
	}
	unsigned char *bytes = NULL;
	unsigned long len = 0;
	int rc = cmd_read_file(p->input[0], LIMIT_TEXT, &bytes, &len);
	if (rc != 0)
		return rc;
	json_t *plan = json_loadb((const char *)bytes, len, 0, NULL);
	free(bytes);
	if (json_is_array(json_object_get(plan, "requests")) && json_is_integer(json_object_get(plan, "now_us"))) {
		char title[128];
		snprintf(title, sizeof title, "%.60s as planned: seen, and identified", json_text(plan, "event", ""));
		plot_plan(plan, title, true, out);
	} else {
		err_set(&e, ERR_INPUT, "%s: neither a state nor a plan; give the STATE.db of a run, or what `slew plan --json` printed", p->input[0]);
		rc = err_print(&e);
	}
	json_decref(plan);
	return rc;
}

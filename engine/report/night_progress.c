/* The chosen event's chance to be seen and identified, against time, out of the rows of a night. */
#include "engine/base/json.h"
#include "engine/base/utc.h"
#include "engine/report/night.h"
#include "engine/report/progress.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct gathered {
	struct progress_visit *visit;
	json_t **parsed; /* filters and limits, two a visit */
	size_t count;
};

static const json_t *row_by_id(const json_t *night, const char *list, int64_t id)
{
	json_t *row;
	size_t i;
	json_array_foreach(json_object_get(night, list), i, row)
		if (json_int(row, "id", -1) == id)
			return row;
	return NULL;
}

/* An array that a row holds as text. New reference, or NULL. */
static json_t *array_of(const json_t *row, const char *member)
{
	json_t *a = json_loads(json_text(row, member, "null"), JSON_DECODE_ANY, NULL);
	if (json_is_array(a))
		return a;
	json_decref(a);
	return NULL;
}

static void add(struct gathered *g, const json_t *night, const json_t *request, int64_t start_us, int64_t end_us, bool done, bool share)
{
	const json_t *t = row_by_id(night, "targets", json_int(request, "target", -1));
	json_t *filters = array_of(request, "filters"), *limits = array_of(request, "limit_mag");
	double host = json_number(t, share ? "share" : "probability", 0);
	g->parsed[2 * g->count] = filters;
	g->parsed[2 * g->count + 1] = limits;
	/* one that has dropped out of the last ranking counts for nothing */
	g->visit[g->count++] = (struct progress_visit){start_us, end_us, done, json_text(t, "key", "?"), json_int(t, "rank", 0) > 0 && host > 0 ? host : 0,
		json_number(t, "mpc", NAN), NAN, filters, limits};
}

static bool has_probability(const json_t *night, int64_t event)
{
	json_t *t;
	size_t i;
	json_array_foreach(json_object_get(night, "targets"), i, t)
		if (json_int(t, "event", -1) == event && json_is_number(json_object_get(t, "probability")))
			return true;
	return false;
}

/* Completed visits as they were; what is asked for and not yet begun, as it is planned or scheduled. */
static void gather(const json_t *night, int64_t event, bool share, struct gathered *g)
{
	json_t *o, *r;
	size_t i, k;
	size_t most = json_array_size(json_object_get(night, "observations")) + json_array_size(json_object_get(night, "requests"));
	g->visit = calloc(most + 1, sizeof *g->visit);
	g->parsed = calloc(2 * most + 2, sizeof *g->parsed);
	must_memory(g->visit != NULL && g->parsed != NULL);
	json_array_foreach(json_object_get(night, "observations"), i, o) {
		const json_t *q = row_by_id(night, "requests", json_int(o, "request", -1));
		if (strcmp(json_text(o, "state", ""), "done") == 0 && json_int(q, "event", -1) == event)
			add(g, night, q, json_int(o, "start_us", 0), json_int(o, "end_us", 0), true, share);
	}
	json_array_foreach(json_object_get(night, "requests"), i, r) {
		const char *state = json_text(r, "state", "");
		int64_t start = json_int(r, "slot_us", json_int(r, "start_us", 0));
		bool live = strcmp(state, "asked") == 0 || strcmp(state, "unsure") == 0 || strcmp(state, "accepted") == 0 || strcmp(state, "scheduled") == 0 ||
			    strcmp(state, "running") == 0;
		if (!live || json_int(r, "event", -1) != event)
			continue;
		json_array_foreach(json_object_get(night, "observations"), k, o)
			if (json_int(o, "request", -1) == json_int(r, "id", -2) && strcmp(json_text(o, "state", ""), "scheduled") == 0)
				start = json_int(o, "start_us", start);
		add(g, night, r, start, start + (int64_t)(json_number(r, "duration_s", json_number(r, "seconds", 300)) * 1e6), false, share);
	}
}

static void prior_of(const json_t *night, int64_t event, struct kilonova_prior *out)
{
	json_t *a, *last = NULL;
	size_t i;
	json_array_foreach(json_object_get(night, "alerts"), i, a)
		if (json_int(a, "event", -1) == event && json_is_number(json_object_get(a, "p_bns")))
			last = a;
	kilonova_prior_of(json_number(last, "p_bns", NAN), json_number(last, "p_nsbh", NAN), json_number(last, "has_remnant", NAN), out);
}

void night_progress(const json_t *night, const char *title, bool alone, struct text *out)
{
	const json_t *event = json_object_get(night, "event");
	int64_t id = json_int(event, "id", 0);
	struct svg_axis axis = night_axis(night, 0, 0);
	struct gathered g = {0};
	struct kilonova_prior prior;
	bool share = !has_probability(night, id);
	gather(night, id, share, &g);
	prior_of(night, id, &prior);
	struct progress_chart c = {g.visit, g.count, json_text(event, "name", ""), json_int(event, "time_us", UTC_NONE), axis.from_us, axis.to_us, &prior, share,
		json_number(event, "outside", NAN)};
	for (size_t i = 0; i < g.count; i++)
		c.to_us = g.visit[i].end_us > c.to_us ? g.visit[i].end_us : c.to_us;
	progress_picture(&c, title, alone, out);
	for (size_t i = 0; i < 2 * g.count; i++)
		json_decref(g.parsed[i]);
	free(g.parsed);
	free(g.visit);
}

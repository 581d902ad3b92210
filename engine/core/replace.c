/* A better event may take the place of a worse one's pending requests, where its policy says so (replace "pending") and the hours do not do for both:
 * by expected value, never a running one, each target once. The hours are free when the facility has confirmed the cancels, and only then does the
 * better one leave: until then its budget stands in its way. */
#include "engine/base/json.h"
#include "engine/base/utc.h"
#include "engine/core/turn.h"
#include <stdlib.h>
#include <string.h>

#define WORTH_IT 1.5                  /* so much better: a cancel may come too late, and what is planned anew may be refused */
#define STARTS_US (15 * UTC_MINUTE) /* what begins so soon is left alone */

struct pending {
	int64_t id;
	double expected, seconds;
};

/* Of other events, in that purse: what waits at a facility that can cancel, was found by a policy, and has not been replaced before. */
static json_t *pending_rows(struct core *c, int64_t event, const struct purse *purse)
{
	static const char pending[] =
		"SELECT r.* FROM request r JOIN policy y ON y.id=r.policy JOIN target t ON t.id=r.target WHERE r.state IN ('accepted','scheduled') AND r.unwanted=0 "
		"AND r.event<>?1 AND r.purpose='search' AND t.pinned=0 AND (?2='' OR (r.programme=?2 AND r.mode=?3)) AND (?4='' OR y.name=?4) AND "
		"coalesce((SELECT min(o.start_us) FROM observation o WHERE o.request=r.id AND o.state='scheduled'),json_extract(r.body,'$.slot_us'),r.start_us)>?5 AND "
		"NOT EXISTS (SELECT 1 FROM request x WHERE x.event=r.event AND x.target=r.target AND x.unwanted_why LIKE 'replaced by %') ORDER BY r.id";
	json_t *rows = get_rows(c, pending, "ittti", event, purse->programme, purse->mode, purse->policy, c->utc_us + STARTS_US);
	for (size_t i = json_array_size(rows); i-- > 0;)
		if (!site_flag(site_find(c, json_text(json_array_get(rows, i), "facility", "")), "can_cancel", true))
			json_array_remove(rows, i);
	return rows;
}

double replaceable_h(struct core *c, int64_t event, const struct purse *purse)
{
	json_t *rows = pending_rows(c, event, purse), *row;
	double sum_s = 0;
	size_t i;
	json_array_foreach(rows, i, row)
		sum_s += json_number(row, "seconds", 0);
	json_decref(rows);
	return sum_s / 3600;
}

static int by_worth(const void *a, const void *b)
{
	const struct pending *x = a, *y = b;
	if (x->expected != y->expected)
		return x->expected < y->expected ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

/* The least of them that make the room, the worst first: how many; 0 when all together do not, or only better ones would. */
static size_t choose(struct core *c, const json_t *rows, double expected, double short_s, struct pending *out)
{
	size_t n = 0, i, take = 0;
	const json_t *row;
	double room_s = 0;
	json_array_foreach(rows, i, row) {
		out[n] = (struct pending){json_int(row, "id", 0), promise_expected(c, row), json_number(row, "seconds", 0)};
		n += out[n].expected * WORTH_IT < expected && out[n].seconds > 0;
	}
	qsort(out, n, sizeof *out, by_worth);
	while (take < n && room_s < short_s)
		room_s += out[take++].seconds;
	return room_s < short_s ? 0 : take;
}

/* Room that is being made already: cancels that the facility has not confirmed yet. */
static double coming_s(struct core *c, const struct purse *purse)
{
	static const char leaving[] = "SELECT total(r.seconds) FROM request r JOIN policy y ON y.id=r.policy WHERE r.state='cancelling' AND r.unwanted_why LIKE "
				      "'replaced by %' AND (?1='' OR (r.programme=?1 AND r.mode=?2)) AND (?3='' OR y.name=?3)";
	return get_double(c, 0, leaving, "ttt", purse->programme, purse->mode, purse->policy);
}

bool room_make(struct core *c, const json_t *request, const struct purse *purse, double short_s)
{
	int64_t event = json_int(request, "event", 0);
	if (coming_s(c, purse) >= short_s)
		return true;
	json_t *rows = pending_rows(c, event, purse);
	struct pending *list = calloc(json_array_size(rows) + 1, sizeof *list);
	double expected = promise_expected(c, request);
	size_t n = list == NULL ? 0 : choose(c, rows, expected, short_s - coming_s(c, purse), list);
	for (size_t i = 0; i < n; i++) {
		char why[160];
		snprintf(why, sizeof why, "replaced by %.40s: %.40s, expected value %.3g against %.3g", json_text(request, "event_name", "?"),
			 json_text(request, "target_name", "?"), expected, list[i].expected);
		request_unwant(c, list[i].id, why);
	}
	if (n > 0)
		say(c, event, "replaced", "%s takes the place of %zu pending request%s of other events: %s, expected value %.3g", json_text(request, "event_name", "?"), n,
		    n == 1 ? "" : "s", json_text(request, "target_name", "?"), expected);
	free(list);
	json_decref(rows);
	return n > 0;
}

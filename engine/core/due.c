/* What waits and may be looked at now, in its turn. */
#include "engine/base/json.h"
#include "engine/core/turn.h"
#include <stdlib.h>
#include <string.h>

struct place_in_line {
	json_t *row;
	const char *verb;
	int urgency;
	int64_t id, event, had, number;
};

static int urgency_of(const char *verb)
{
	static const char *const order[] = {"cancel", "find", "submit", "offer"};
	int i = 0;
	while (i < 4 && strcmp(order[i], verb) != 0)
		i++;
	return i;
}

static int by_event(const void *a, const void *b)
{
	const struct place_in_line *x = a, *y = b;
	if (x->event != y->event)
		return x->event < y->event ? -1 : 1;
	int verb = strcmp(x->verb, y->verb);
	return verb != 0 ? verb : (x->id > y->id) - (x->id < y->id);
}

static int by_turn(const void *a, const void *b)
{
	const struct place_in_line *x = a, *y = b;
	if (x->urgency != y->urgency)
		return x->urgency < y->urgency ? -1 : 1;
	int64_t p = x->had + x->number, q = y->had + y->number;
	return p != q ? (p > q) - (p < q) : (x->id > y->id) - (x->id < y->id);
}

/* How many requests of an event that wants more were past planned already: it stands back as far. */
static int64_t had_of(struct core *c, int64_t event)
{
	static const char had[] = "SELECT count(*) FROM request WHERE event=?1 AND state<>'planned' AND EXISTS "
				  "(SELECT 1 FROM effect WHERE state='waiting' AND verb IN ('offer','submit') AND +event=?1)";
	return event ? get_int(c, 0, had, "i", event) : 0;
}

/* In order of event, verb and id: what its event had, and its number among those of its event and verb. */
static void places_find(struct core *c, struct place_in_line *line, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct place_in_line *before = i > 0 && line[i - 1].event == line[i].event ? &line[i - 1] : NULL;
		line[i].had = before != NULL ? before->had : had_of(c, line[i].event);
		line[i].number = before != NULL && strcmp(before->verb, line[i].verb) == 0 ? before->number + 1 : 1;
	}
}

static json_t *in_turn(struct core *c, json_t *rows)
{
	size_t count = json_array_size(rows), i;
	struct place_in_line *line = calloc(count, sizeof *line);
	json_t *sorted = json_array(), *row;
	must(line != NULL && sorted != NULL);
	json_array_foreach(rows, i, row) {
		const char *verb = json_text(row, "verb", "");
		line[i] = (struct place_in_line){row, verb, urgency_of(verb), json_int(row, "id", 0), json_int(row, "event", 0), 0, 0};
	}
	qsort(line, count, sizeof *line, by_event);
	places_find(c, line, count);
	qsort(line, count, sizeof *line, by_turn);
	for (i = 0; i < count; i++)
		json_array_append(sorted, line[i].row);
	free(line);
	return sorted;
}

/* Turn by turn through the events, each in its own order: what an old event wants does not stand before a new one's first request. Not looked at:
 * calls of a facility without a free transfer, and what waits for a person and says so already (there may be hundreds). */
json_t *due_rows(struct core *c)
{
	static const char due[] =
		"WITH f AS (SELECT facility FROM effect WHERE state='released' AND kind='call' GROUP BY facility HAVING count(*)>=?3), "
		"h AS (SELECT r.id FROM gate g JOIN request r ON r.event=g.event AND r.state IN ('planned','offered','held') AND r.end_us>?2 "
		"JOIN policy y ON y.id=r.policy AND y.name=g.policy JOIN verdict v ON v.event=r.event AND v.policy=y.name AND v.target=r.target "
		"AND v.code='held' WHERE g.kind='approval' AND g.lifted_seq IS NULL) "
		"SELECT id,kind,facility,verb,step,request,event,compute,policy FROM effect WHERE state='waiting' "
		"AND (due_tick_us IS NULL OR due_tick_us<=?1) AND (due_utc_us IS NULL OR due_utc_us<=?2) "
		"AND (kind<>'call' OR verb='cancel' OR facility NOT IN f) AND (ifnull(verb,'') NOT IN ('offer','submit') OR request NOT IN h)";
	json_t *rows = get_rows(c, due, "iii", c->tick_us, c->utc_us, (int64_t)LIMIT_TRANSFERS - 1);
	if (json_array_size(rows) < 2)
		return rows;
	json_t *sorted = in_turn(c, rows);
	json_decref(rows);
	return sorted;
}

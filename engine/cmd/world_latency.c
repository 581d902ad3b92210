/* `slew world latency DIR`: from each alert's bytes on the broker to the first request that the
 * portal accepted, stage by stage. Moments come from the state: every input carries the time of its
 * turn. The last one is taken from the engine's log as well, which is written after the commit. All
 * in wall time: sky times are turned back by the world's clock. */
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

enum stage { HEARD, MAP, RANK, PLAN, OFFER, SUBMIT, TOTAL, COMMITTED, STAGES };
static const char *const names[STAGES] = {"broker -> turn of the alert", "map read",
	"galaxies ranked", "planned", "first offer chosen", "submitted, accepted",
	"ALL: broker -> turn of the acceptance", "ALL, acceptance on disk and told (log)"};

struct sample {
	double *ms[STAGES];
	size_t count[STAGES], max, unserved;
};

static double wall_us(const struct story *s, int64_t sky_us)
{
	return (double)s->anchor_us + (double)(sky_us - s->start_us) / s->rate;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void put(struct sample *m, enum stage stage, double us)
{
	if (m->count[stage] < m->max)
		m->ms[stage][m->count[stage]++] = us / 1000;
}

/* When the engine's log told of the event's first acceptance; NAN without one. */
static double told_us(const struct story *s, FILE *log, const char *event)
{
	char line[4096], subject[80];
	struct err e = {0};
	int64_t sky;

	if (log == NULL)
		return NAN;
	rewind(log);
	snprintf(subject, sizeof subject, " %s request ", event);
	while (fgets(line, sizeof line, log) != NULL)
		if (strstr(line, subject) != NULL && strstr(line, ": accepted: ") != NULL) {
			line[strcspn(line, " ")] = '\0';
			return utc_parse(line, &sky, &e) == 0 ? wall_us(s, sky) : NAN;
		}
	return NAN;
}

static json_t *moments(struct story *s, const char *event)
{
	struct err e = {0};
	json_t *rows = query_rows(s->db, 1, &e,
		"WITH v AS (SELECT id FROM event WHERE name = ?1), c AS (SELECT request, utc_us "
		"FROM request_change WHERE to_state = 'accepted' AND request IN"
		" (SELECT id FROM request WHERE event IN v) ORDER BY id LIMIT 1)"
		" SELECT (SELECT min(i.utc_us) FROM input i JOIN alert a ON a.seq = i.seq WHERE "
		"a.event IN v) AS heard,"
		" (SELECT min(i.utc_us) FROM effect f JOIN input i ON i.seq = f.done_seq WHERE "
		"f.event IN v AND f.compute = 'map') AS map,"
		" (SELECT min(i.utc_us) FROM effect f JOIN input i ON i.seq = f.done_seq WHERE "
		"f.event IN v AND f.compute = 'rank') AS rank,"
		" (SELECT min(i.utc_us) FROM effect f JOIN input i ON i.seq = f.done_seq WHERE "
		"f.event IN v AND f.compute = 'plan') AS plan,"
		" (SELECT min(h.utc_us) FROM request_change h, c WHERE h.request = c.request AND "
		"h.to_state = 'asked') AS asked, c.utc_us AS accepted FROM c",
		"t", event);
	json_t *row = json_incref(json_array_get(rows, 0));

	if (rows == NULL)
		fprintf(stderr, "slew: %s\n", e.text);
	json_decref(rows);
	return row;
}

static void one_event(struct story *s, const json_t *alert, FILE *log, struct sample *m)
{
	static const char *const keys[] = {"heard", "map", "rank", "plan", "asked", "accepted"};
	const char *event = json_text(alert, "event", "");
	double sent = (double)json_int(alert, "sent_us", 0), last = sent;
	json_t *row = moments(s, event);

	if (row == NULL) {
		m->unserved++;
		return;
	}
	for (int k = 0; k < 6; k++) {
		double at = wall_us(s, json_int(row, keys[k], 0));
		put(m, (enum stage)k, at - last);
		last = at;
	}
	put(m, TOTAL, last - sent);
	double told = told_us(s, log, event);
	if (!isnan(told))
		put(m, COMMITTED, told - sent);
	json_decref(row);
}

static void print_stages(struct sample *m)
{
	printf("%-42s %5s %8s %8s %8s %8s %8s\n", "wall ms", "n", "p10", "p50", "p90", "p99",
		"max");
	for (int k = 0; k < STAGES; k++) {
		size_t n = m->count[k];
		if (n == 0)
			continue;
		qsort(m->ms[k], n, sizeof(double), by_size);
		printf("%-42s %5zu %8.1f %8.1f %8.1f %8.1f %8.1f\n", names[k], n,
			m->ms[k][(n - 1) / 10], m->ms[k][(n - 1) / 2], m->ms[k][(n - 1) * 9 / 10],
			m->ms[k][(n - 1) * 99 / 100], m->ms[k][n - 1]);
	}
}

static int measure(struct story *s, const json_t *ledger, FILE *log)
{
	const json_t *sent = json_object_get(ledger, "alerts"),
		     *spent = json_object_get(ledger, "portal_spent");
	struct sample m = {.max = json_array_size(sent)};
	double *all = calloc(STAGES * (m.max + 1), sizeof *all);
	size_t i;
	json_t *one;

	if (all == NULL)
		return 1;
	for (int k = 0; k < STAGES; k++)
		m.ms[k] = all + (size_t)k * (m.max + 1);
	json_array_foreach ((json_t *)(uintptr_t)sent, i, one)
		one_event(s, one, log, &m);
	print_stages(&m);
	printf("%zu alerts sent, %zu without an accepted request; the portal itself (inside the "
	       "figures above): %lld calls, p50 %.2f ms, p99 %.2f ms, max %.2f ms each\n",
		m.max, m.unserved, (long long)json_int(spent, "calls", 0),
		json_number(spent, "p50_us", NAN) / 1000, json_number(spent, "p99_us", NAN) / 1000,
		json_number(spent, "max_us", NAN) / 1000);
	free(all);
	return 0;
}

int world_latency(int argc, char **argv)
{
	struct story s;
	struct err e = {0};
	char path[1200];

	if (argc < 2) {
		fprintf(stderr, "slew: world: latency needs the directory of a world; see `slew "
				"world --help`\n");
		return 2;
	}
	if (story_open(&s, argv[1], &e) != 0)
		return err_print(&e);
	snprintf(path, sizeof path, "%s/engine.log", argv[1]);
	FILE *log = fopen(path, "re");
	json_t *ledger = world_read_json(argv[1], "ledger.json");
	int bad =
		ledger == NULL || !story_db(&s)
			? (fprintf(stderr,
				   "slew: %s: no ledger or no state there; the engine never ran\n",
				   argv[1]),
				  1)
			: measure(&s, ledger, log);
	json_decref(ledger);
	if (log != NULL)
		fclose(log);
	story_close(&s);
	return bad;
}

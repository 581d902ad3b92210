/* The story of a made-up night, told while it happens: every line is read from the engine's state
 * or the portal's ledger of this run. Two clocks stand before each line: sky time (UTC) and wall
 * seconds since the night began; they are never mixed. */
#include "engine/cmd/world.h"
#include "engine/base/json.h"
#include "engine/base/query.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include "engine/cmd/world_story.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int story_open(struct story *s, const char *dir, struct err *e)
{
	memset(s, 0, sizeof *s);
	s->dir = dir;
	s->about = world_read_json(dir, "world.json");
	if (s->about == NULL)
		return err_set(e, ERR_INPUT,
			"%s: no world.json there; start one with slew world %s", dir, dir);
	s->start_us = json_int(s->about, "start_us", 0);
	s->anchor_us = json_int(s->about, "anchor_us", 0);
	s->end_us = json_int(s->about, "end_us", 0);
	s->rate = json_number(s->about, "rate", 1);
	return 0;
}

void story_close(struct story *s)
{
	if (s->db != NULL)
		sqlite3_close(s->db);
	json_decref(s->about);
}

bool story_db(struct story *s)
{
	struct err e = {0};

	if (s->db == NULL &&
		query_open(json_text(s->about, "state", ""), QUERY_READ, &s->db, &e) != 0)
		s->db = NULL;
	int64_t there = 0;
	return s->db != NULL &&
	       query_int(s->db, &there, &e,
		       "SELECT count(*) FROM sqlite_schema WHERE name = 'data_product'", "") == 1 &&
	       there == 1;
}

int64_t story_sky_us(const struct story *s)
{
	return s->start_us + (int64_t)((double)(clock_wall_us() - s->anchor_us) * s->rate);
}

const char *story_event(const struct story *s, char role)
{
	return json_text(json_object_get(s->about, "events"), (char[2]){role, 0}, "");
}

int64_t story_int(struct story *s, const char *sql, const char *event)
{
	struct err e = {0};
	int64_t n = 0;

	query_int(s->db, &n, &e, sql, "t", event);
	return n;
}

void story_say(const struct story *s, int64_t utc_us, const char *format, ...)
{
	char hms[32], line[2048];
	va_list ap;

	va_start(ap, format);
	vsnprintf(line, sizeof line, format, ap);
	va_end(ap);
	printf("%s %5.1f s  %s\n", utc_format_hms(hms, utc_us),
		(double)(utc_us - s->start_us) / s->rate / 1e6, line);
	fflush(stdout);
}

static int usage(const char *what)
{
	fprintf(stderr, "slew: world: %s; see `slew world --help`\n", what);
	return 2;
}

int world_tell(int argc, char **argv)
{
	struct story s;
	struct err e = {0};

	if (argc < 2)
		return usage("tell needs the directory of a world");
	if (story_open(&s, argv[1], &e) != 0)
		return err_print(&e);
	if (argc > 2) { /* a line of the script's own: what only it can know */
		story_say(&s, story_sky_us(&s), "%s", argv[2]);
		story_close(&s);
		return 0;
	}
	while (story_sky_us(&s) < s.end_us) {
		if (story_db(&s))
			story_turn(&s);
		nanosleep(&(struct timespec){0, 40 * 1000 * 1000}, NULL);
	}
	story_close(&s);
	return 0;
}

int world_end(int argc, char **argv)
{
	struct story s;
	struct err e = {0};

	if (argc < 2)
		return usage("end needs the directory of a world");
	if (story_open(&s, argv[1], &e) != 0)
		return err_print(&e);
	int broken = story_db(&s)
			     ? story_end(&s)
			     : (fprintf(stderr, "slew: %s: no state there; the engine never ran\n",
					argv[1]),
				       1);
	story_close(&s);
	return broken != 0 ? 3 : 0;
}

#define LIVE  "('asked','unsure','accepted','scheduled','running','cancelling')"
#define TAKEN "('accepted','scheduled','running','done')"

/* One condition by its name; role is A, B or C. */
static bool happened(struct story *s, const char *what, char role)
{
	const char *event = story_event(s, role);

	if (strcmp(what, "heard") == 0)
		return story_int(s,
			       "SELECT count(*) FROM alert a JOIN event e ON e.id = a.event WHERE "
			       "e.name = ?1",
			       event) > 0;
	if (strcmp(what, "taken") == 0)
		return story_int(s,
			       "SELECT count(*) FROM request r JOIN event e ON e.id = r.event "
			       "WHERE e.name = ?1 AND r.state IN " TAKEN,
			       event) > 0 &&
		       story_int(s,
			       "SELECT count(*) FROM request r JOIN event e ON e.id = r.event "
			       "WHERE e.name = ?1 AND r.state IN"
			       " ('planned','offered','asked')",
			       event) == 0;
	if (strcmp(what, "approval") == 0)
		return story_int(s,
			       "SELECT count(*) FROM gate g JOIN event e ON e.id = g.event WHERE "
			       "e.name = ?1 AND g.kind = 'approval'"
			       " AND g.lifted_seq IS NULL",
			       event) > 0;
	if (strcmp(what, "rest") == 0)
		return story_int(s,
			       "SELECT count(*) FROM request r JOIN event e ON e.id = r.event "
			       "WHERE e.name = ?1 AND r.state IN " LIVE,
			       event) == 0;
	return false;
}

int world_wait(int argc, char **argv)
{
	struct story s;
	struct err e = {0};

	if (argc < 3)
		return usage("wait needs DIR and WHAT: heard:A taken:A approval:C rest:B, or a "
			     "number of minutes of sky since the beginning");
	if (story_open(&s, argv[1], &e) != 0)
		return err_print(&e);
	char *end;
	double minutes = strtod(argv[2], &end), most = argc > 3 ? strtod(argv[3], NULL) : 1e9;
	bool by_clock = *end == '\0', done = false;
	char what[16] = "", *colon;
	text_copy(what, sizeof what, argv[2]);
	if ((colon = strchr(what, ':')) != NULL)
		*colon++ = '\0';
	for (;;) {
		double now = (double)(story_sky_us(&s) - s.start_us) / (double)UTC_MINUTE;
		done = by_clock ? now >= minutes
				: story_db(&s) && happened(&s, what, colon != NULL ? *colon : 'A');
		if (done || now >= most || story_sky_us(&s) >= s.end_us)
			break;
		nanosleep(&(struct timespec){0, 30 * 1000 * 1000}, NULL);
	}
	story_close(&s);
	return done ? 0 : 1;
}

/* The report of a night: one self-contained HTML page out of the state, for a person who was not
 * there. */
#ifndef ENGINE_REPORT_NIGHT_H
#define ENGINE_REPORT_NIGHT_H
#include "engine/base/err.h"
#include "engine/base/text.h"
#include "engine/target/skymap.h"
#include <jansson.h>
#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

#define NIGHT_MAPS 12

/* One sky map that was heard; read by the caller, since bytes from outside are read in a sandbox.
 * All borrowed. */
struct night_map {
	char event[64], type[16], sha256[65];
	int64_t heard_us;
	struct skymap map;
	bool ready;
};

struct night_input {
	sqlite3 *ro;
	const json_t *truth;		       /* truth.json of a made-up night, or NULL */
	bool simulated;			       /* a dry run: nothing was sent, no wall clock ran */
	const char *state_path, *catalog_path; /* as a person would type them */
	const char
		*event; /* which event the page is about; NULL: the one that most was asked for */
	struct night_map maps[NIGHT_MAPS];
	size_t map_count;
};

/* Everything the page says, as JSON of rows (night_read.c); ERR_STORE, ERR_MEMORY, or ERR_INPUT
 * when nothing was heard. New reference. */
json_t *night_read(const struct night_input *in, struct err *e);

/* The page. Start out with {.max = LIMIT_TEXT}. */
int night_html(const struct night_input *in, const json_t *night, struct text *out, struct err *e);

/* Parts of the page, in order. */
void night_close_up(
	const struct night_input *in, const json_t *night, struct text *out); /* the chosen event */
void night_whole_sky(
	const struct night_input *in, const json_t *night, struct text *out); /* all events */
void night_altitudes(
	const struct night_input *in, const json_t *night, struct text *out); /* one panel a site */
void night_sites(
	const struct night_input *in, const json_t *night, struct text *out); /* what each telescope did */
void night_covered(const json_t *night, struct text *out); /* probability against time */
/* The chosen event's chance to be seen and identified (progress.h), as an <svg> of a page or a file of its own. */
void night_progress(const json_t *night, const char *title, bool alone, struct text *out);
void night_hours(const json_t *night, struct text *out);   /* by programme and mode */
void night_timeline(const json_t *night, struct text *out);
void night_reasons(const struct night_input *in, const json_t *night,
	struct text *out); /* latency a stage, why not */
void night_commands(const struct night_input *in, const json_t *night,
	struct text *out); /* to check three of the numbers */
void night_requests(const json_t *night, struct text *out);

struct svg_axis;
/* The time axis of the night, at least an hour long (night_charts.c). */
struct svg_axis night_axis(const json_t *night, double x0, double width);

/* The true host of an event of a made-up night (an object: name, ra_deg, …), or NULL. Borrowed. */
const json_t *night_host(const struct night_input *in, const char *event);

/* Colour and word for what became of a target: "observed", "running", "asked", "cancelled",
 * "refused", "not asked". */
const char *night_fate(const json_t *night, int64_t target_id, const char **colour);
#endif

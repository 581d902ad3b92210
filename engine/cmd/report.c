/* `slew report`: one night as a page of HTML, read from the state alone. */
#include "engine/base/hash.h"
#include "engine/base/json.h"
#include "engine/base/limits.h"
#include "engine/base/query.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include "engine/cmd/cmd.h"
#include "engine/cmd/page.h"
#include "engine/cmd/report.h"
#include "engine/io/mapchild.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The maps of all alerts, oldest first, one a digest and event; their bytes come from outside, so
 * the sandboxed child reads them. */
static int read_maps(struct night_input *in, struct err *e)
{
	sqlite3_stmt *q = query_prepare(in->ro,
		"SELECT v.name, a.type, a.map_sha256, i.utc_us, b.body FROM alert a JOIN event v "
		"ON v.id = a.event JOIN input i ON"
		" i.seq = a.seq JOIN blob b ON b.sha256 = a.map_sha256 GROUP BY v.id, a.map_sha256 "
		"ORDER BY min(a.seq)",
		e);
	int more = q != NULL ? 1 : -1;

	while (q != NULL && in->map_count < NIGHT_MAPS && (more = query_step(q, e)) == 1) {
		struct night_map *m = &in->maps[in->map_count++];
		struct err why = {0};
		text_copy(m->event, sizeof m->event, query_col_text(q, 0, ""));
		text_copy(m->type, sizeof m->type, query_col_text(q, 1, ""));
		text_copy(m->sha256, sizeof m->sha256, query_col_text(q, 2, ""));
		m->heard_us = query_col_int(q, 3, 0);
		m->ready = mapchild_read(sqlite3_column_blob(q, 4),
				   (size_t)sqlite3_column_bytes(q, 4), &m->map, &why) == 0;
		if (!m->ready)
			fprintf(stderr, "slew: report: the map of %s %s is left out: %s\n",
				m->event, m->type, why.text);
	}
	sqlite3_finalize(q);
	return more < 0 ? -1 : 0;
}

int report_page(struct night_input *in, const char *path, struct err *e)
{
	struct text page = {.max = LIMIT_TEXT};
	int bad = -1;

	json_t *night = read_maps(in, e) == 0 ? night_read(in, e) : NULL;
	if (night != NULL && night_html(in, night, &page, e) == 0)
		bad = page_save(path, &page, e);
	json_decref(night);
	text_free(&page);
	for (size_t i = 0; i < in->map_count; i++)
		if (in->maps[i].ready)
			skymap_free(&in->maps[i].map);
	in->map_count = 0;
	return bad;
}

static int make(struct night_input *in, const char *out, struct err *e)
{
	int bad = query_open_state(in->state_path, &in->ro, e) != 0 ? -1 : report_page(in, out, e);

	sqlite3_close(in->ro);
	return bad;
}

static int report_run(int argc, char **argv)
{
	struct night_input *in = calloc(1, sizeof *in);
	const char *out = "night.html", *truth = NULL;
	struct err e = {0};
	json_t *opened = NULL;
	int rc;

	for (int i = 1; i < argc && in != NULL; i++) {
		if (strcmp(argv[i], "-o") == 0 && i + 1 < argc)
			out = argv[++i];
		else if (strcmp(argv[i], "--truth") == 0 && i + 1 < argc)
			truth = argv[++i];
		else if (strcmp(argv[i], "--event") == 0 && i + 1 < argc)
			in->event = argv[++i];
		else if (argv[i][0] == '-' || in->state_path != NULL) {
			rc = cmd_usage(&command_report,
				"\"%s\" is not understood, or its value is missing", argv[i]);
			free(in);
			return rc;
		} else
			in->state_path = argv[i];
	}
	if (in == NULL || in->state_path == NULL) {
		free(in);
		return cmd_usage(&command_report, "no STATE.db is given");
	}
	if (truth != NULL)
		opened = json_read_file(truth, &json_limits_config, NULL, &e);
	in->truth = opened;
	rc = truth != NULL && opened == NULL ? err_print(&e)
	     : make(in, out, &e) != 0	     ? err_print(&e)
					     : 0;
	json_decref(opened);
	free(in);
	return rc;
}

const struct command command_report = {"report",
	"STATE.db [-o FILE.html] [--event NAME] [--truth FILE]",
	"a night as one HTML page: sky, altitudes, requests, latency, why not",
	"Reads a state (also a live one; it is only read) and writes one self-contained page: the "
	"outcome\n"
	"in a sentence; the sky with contours, galaxies, horizon and Moon; altitudes with what was "
	"observed\n"
	"and what was refused; every request from plan to frame; latency of each stage on both "
	"clocks; why\n"
	"the best galaxies were not observed; the facility's own words; commands that check its "
	"numbers.\n\n"
	"  -o FILE       where to write (default night.html; - is standard output)\n"
	"  --event NAME  the event to show close up (default: the one most was asked for)\n"
	"  --truth FILE  truth.json of a made-up night (slew world, make demo): adds host and "
	"weather\n",
	report_run};

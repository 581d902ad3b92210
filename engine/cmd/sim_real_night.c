/* One dry run: the alerts of files or drawn ones, the night played, told in words, as data, as a page. */
#include "engine/alert/alert.h"
#include "engine/base/json.h"
#include "engine/base/limits.h"
#include "engine/base/query.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include "engine/cmd/cmd.h"
#include "engine/cmd/report.h"
#include "engine/cmd/sim_real.h"
#include "engine/io/mapchild.h"
#include "sim/alert_write.h"
#include "sim/made_parts.h"
#include "sim/real.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void real_progress(const char *words)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, words ? "\r\033[K  %s" : "\r\033[K", words ? words : "");
}

static void progress(void *ctx, double share)
{
	char words[64];
	(void)ctx;
	snprintf(words, sizeof words, "the night, %.0f %%", 100 * share);
	real_progress(words);
}

/* ---- alerts of files ---- */
static int alert_add(const struct real_arguments *a, const char *path, struct made_night *n, int64_t *shift_us, bool *test, struct err *e)
{
	struct made_alert *to = &n->alert[n->alerts];
	struct alert alert;
	unsigned char *bytes = NULL;
	unsigned long len = 0;
	const char *slash = strrchr(path, '/');
	if (cmd_read_file(path, LIMIT_ALERT_BYTES, &bytes, &len) != 0)
		return -1; /* has been told */
	if (alert_decode(bytes, len, slash ? slash + 1 : path, &alert, e) < 0) {
		free(bytes);
		return err_wrap(e, "%s", path);
	}
	if (n->alerts == 0)
		*shift_us = a->start_given ? a->start_us + 2 * UTC_MINUTE - alert.created_us : 0;
	int rc = 0;
	if (*shift_us != 0) {
		rc = sim_alert_shift(bytes, len, *shift_us, &to->bytes, &to->len, e);
		free(bytes);
	} else {
		to->bytes = (char *)bytes;
		to->len = len;
	}
	n->alerts += rc == 0;
	*test |= alert.is_test != 0;
	to->at_us = alert.created_us + *shift_us + 5 * UTC_SECOND;
	to->role = 'G';
	text_copy(to->type, sizeof to->type, alert_type_name(alert.type));
	text_copy(to->event, sizeof to->event, alert.event);
	alert_free(&alert);
	return rc < 0 ? err_wrap(e, "%s", path) : 0;
}

/* A test alert is taken as real: in a dry run that is what people want to see. */
static void tests_welcome(struct real_world *w)
{
	json_t *policy, *facility;
	size_t i;
	json_array_foreach(json_object_get(w->input, "policies"), i, policy)
		json_object_set_new(policy, "tests", json_true());
	json_array_foreach(json_object_get(w->input, "facilities"), i, facility)
		json_object_set_new(facility, "accepts_tests", json_true());
	json_array_append_new(w->notes, json_string("a test alert: policy and facility are made to take it, as they would a real one"));
}

static int given_night(const struct real_arguments *a, struct real_world *w, struct made_night *n, struct err *e)
{
	int64_t shift_us = 0;
	bool test = false;
	char start[32];
	for (int i = 0; i < a->alerts; i++)
		if (alert_add(a, a->alert[i], n, &shift_us, &test, e) < 0)
			return -1;
	qsort(n->alert, n->alerts, sizeof n->alert[0], made_by_time);
	n->start_us = a->start_given ? a->start_us : n->alert[0].at_us - 2 * UTC_MINUTE;
	n->end_us = n->start_us + (int64_t)(a->hours * 3600e6);
	if (test)
		tests_welcome(w);
	if (n->alert[n->alerts - 1].at_us > n->end_us)
		json_array_append_new(w->notes, json_string("alerts later than the end of the night are left out; --hours makes it longer"));
	const json_t *sites = w->sites;
	n->weather = a->clear ? json_array() : drawn_weather(a->seed, sites, n->start_us, n->end_us + UTC_DAY);
	n->truth = json_pack("{s:I, s:s, s:[], s:O}", "seed", (json_int_t)a->seed, "start", utc_format_s(start, n->start_us), "events", "weather", n->weather);
	if (n->truth == NULL)
		return err_set(e, ERR_MEMORY, "no memory for a night");
	return real_dark(w, n->start_us, n->end_us, e) < 0 ? -1 : real_world_sky(a, w, e);
}

static int drawn_night(const struct real_arguments *a, struct real_world *w, struct made_night *n, struct err *e)
{
	struct drawn_options o = {.seed = a->seed, .start_us = a->start_us, .end_us = a->start_us + (int64_t)(a->hours * 3600e6), .mergers = a->events,
		.noise = 0.25, .sites = w->sites, .clear = a->clear};
	if (real_dark(w, o.start_us, o.end_us, e) < 0 || real_world_sky(a, w, e) < 0)
		return -1;
	real_progress("mergers and their sky maps …");
	return real_world_hosts(a, w, e) < 0 ? -1 : drawn_night_make(&w->hosts, &o, n, e);
}

/* ---- what is told ---- */
int real_write_json(const char *path, const json_t *value, struct err *e)
{
	char *text = json_pretty(value);
	FILE *f = text == NULL ? NULL : strcmp(path, "-") == 0 ? stdout : fopen(path, "we");
	int rc = text == NULL ? err_set(e, ERR_MEMORY, "no memory for the answer") : 0;
	if (rc == 0 && f == NULL)
		rc = err_set(e, ERR_SYSTEM, "%s: %s; give a path that can be written", path, strerror(errno));
	if (rc == 0 && (fprintf(f, "%s\n", text) < 0 || (f == stdout ? fflush(f) : fclose(f)) != 0))
		rc = err_set(e, ERR_SYSTEM, "%s: cannot be written: %s", path, strerror(errno));
	free(text);
	return rc;
}

static int page(const struct real_played *p, struct err *e)
{
	struct night_input *in = calloc(1, sizeof *in);
	if (in == NULL)
		return err_set(e, ERR_MEMORY, "no memory for the page");
	*in = (struct night_input){.ro = p->db, .truth = p->night->truth, .simulated = true, .state_path = p->a->state};
	int rc = report_page(in, p->a->page, e);
	free(in);
	return rc;
}

static int tell(const struct real_played *p, struct err *e)
{
	json_t *night = real_tell(p, e);
	int rc = night ? 0 : -1;
	bool data_only = p->a->json != NULL && strcmp(p->a->json, "-") == 0;
	if (rc == 0 && p->a->json != NULL)
		rc = real_write_json(p->a->json, night, e);
	if (rc == 0 && !data_only)
		real_words(night, p->a->quiet);
	if (rc == 0 && p->a->page != NULL)
		rc = page(p, e);
	if (rc == 0 && p->a->page != NULL && !data_only && strcmp(p->a->page, "-") != 0)
		printf("\nThe page: %s\n", p->a->page);
	json_decref(night);
	return rc;
}

static int play(const struct real_arguments *a, struct real_world *w, const struct made_night *n, struct err *e)
{
	struct compute_host compute = {.read_map = mapchild_read, .catalog = w->galaxies};
	struct sim_real_options o = {.input = w->input, .compute = &compute, .night = n, .seed = a->seed, .approve_min = a->approve_min, .check = true,
		.progress = progress};
	struct sim_real_places places = {.count = 0};
	sqlite3 *db = NULL;
	int rc = query_open(a->state ? a->state : ":memory:", QUERY_WRITE, &db, e);
	o.db = db;
	if (rc == 0)
		rc = sim_real_run(&o, &places, e);
	real_progress(NULL);
	struct real_played played = {a, w, n, db, &places};
	if (rc == 0)
		rc = tell(&played, e);
	sim_real_places_free(&places);
	sqlite3_close(db);
	return rc;
}

int real_night(const struct real_arguments *a, struct real_world *w)
{
	struct err e = {0};
	struct made_night *n = calloc(1, sizeof *n);
	int rc = n ? 0 : err_set(&e, ERR_MEMORY, "no memory for a night");
	if (a->state != NULL && access(a->state, F_OK) == 0)
		rc = err_set(&e, ERR_INPUT, "--state %s: there is a file already; give a new one", a->state);
	if (rc == 0)
		rc = a->alerts > 0 ? given_night(a, w, n, &e) : drawn_night(a, w, n, &e);
	if (rc == 0)
		rc = play(a, w, n, &e);
	real_progress(NULL);
	if (n != NULL)
		made_night_free(n);
	free(n);
	return rc == 0 ? 0 : e.kind ? err_print(&e) : 1;
}

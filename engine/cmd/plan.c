/* slew plan: what would be asked of whom, when, and why, for one alert and one policy. Nothing is sent. */
#include "engine/alert/fact.h"
#include "engine/base/json.h"
#include "engine/base/limits.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include "engine/cmd/cmd.h"
#include "engine/cmd/place.h"
#include "engine/cmd/plan_draw.h"
#include "engine/cmd/plan_print.h"
#include "engine/core/compute.h"
#include "engine/io/around.h"
#include "engine/io/clock.h"
#include "engine/io/configure.h"
#include "engine/io/mapchild.h"
#include "engine/io/others.h"
#include "engine/request/plan.h"
#include "engine/target/footprint.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FACILITIES PLAN_FACILITIES_MOST

static int blob_of_alert(void *ctx, const char *sha256, unsigned char **bytes, size_t *len, struct err *e)
{
	const struct alert *a = ctx;
	(void)sha256;
	*bytes = malloc(a->map_len + 1);
	if (*bytes == NULL)
		return err_set(e, ERR_MEMORY, "no memory for a map of %zu bytes", a->map_len);
	memcpy(*bytes, a->map, a->map_len);
	*len = a->map_len;
	return 0;
}

/* The map is read once for all that is computed of it; each gets the columns that stand here, which it does not own. */
static struct skymap kept_map;

static int map_once(const void *bytes, size_t len, struct skymap *out, struct err *e)
{
	if (kept_map.cells == 0 && mapchild_read(bytes, len, &kept_map, e) < 0)
		return -1;
	*out = kept_map;
	out->memory = NULL;
	out->mapped = false;
	return 0;
}

/* One computation as the daemon would do it; an answer with "error" is an error here. Takes job. */
static int compute(struct gathered *g, json_t *job, json_t **result, struct err *e)
{
	struct compute_host host = {.ctx = &g->alert, .blob = blob_of_alert, .read_map = map_once, .catalog = g->has_catalog ? &g->catalog : NULL};
	int rc = compute_run(&host, job, result, e);
	json_decref(job);
	const char *why = rc == 0 ? json_text(*result, "error", NULL) : NULL;
	return why ? err_set(e, ERR_INPUT, "%s", why) : rc;
}

/* Reading -------------------------------------------------------------------------------------------------------------------- */

static int alert_read(const struct plan_arguments *a, struct gathered *g, struct err *e)
{
	unsigned char *bytes = NULL;
	unsigned long len = 0;
	const char *slash = strrchr(a->alert, '/');
	int rc = cmd_read_file(a->alert, LIMIT_ALERT_BYTES, &bytes, &len);
	if (rc != 0)
		return rc;
	bool map = len > 9 && (memcmp(bytes, "\x1f\x8b", 2) == 0 || memcmp(bytes, "SIMPLE  =", 9) == 0);
	rc = map ? err_set(e, ERR_INPUT, "this is a sky map (FITS, or packed), no alert: when it was and what it may be stands in the alert alone; give that, or "
		"ask slew rank and slew fields of the map") : alert_decode(bytes, len, slash ? slash + 1 : a->alert, &g->alert, e);
	free(bytes);
	g->has_alert = rc == 0;
	if (rc == 0 && g->alert.type == ALERT_RETRACTION)
		rc = err_set(e, ERR_INPUT, "%s is retracted by this alert: everything asked for it would be cancelled, nothing is planned", g->alert.event);
	else if (rc == 0 && g->alert.map == NULL)
		rc = err_set(e, ERR_INPUT, "the %s alert for %s carries no sky map, so no galaxy can be ranked", alert_type_name(g->alert.type),
			g->alert.event);
	if (rc == 0)
		return 0;
	err_wrap(e, "%s", a->alert);
	return err_print(e);
}

static int policy_load(const struct plan_arguments *a, struct gathered *g, struct err *e)
{
	char *text = NULL;
	size_t len = 0;
	if (config_resource("policies", a->policy, NULL, &text, &len, e) == 0)
		g->policy = policy_read(text, len, a->policy, e);
	free(text);
	return g->policy ? 0 : err_print(e);
}

/* What the policy makes of the alert, in words; the plan is made anyway. */
static int judge(const struct plan_arguments *a, struct gathered *g, struct err *e)
{
	struct facts f;
	const struct policy *p = g->policy;
	facts_of_alert(&g->alert, NULL, a->now_us, false, &f);
	facts_of_map(g->map, &f);
	if (policy_evaluate(g->policy, &f, &g->answer, e) < 0)
		return err_print(e);
	if (g->answer.outcome == OUTCOME_FALSE)
		json_append_words(g->notes, "policy %s would not trigger: its `when` is false (%s)", p->name, json_text(p->body, "when", ""));
	if (g->answer.outcome == OUTCOME_UNKNOWN)
		json_append_words(g->notes, "policy %s would not trigger: not known is %s", p->name, g->answer.missing);
	double age_h = g->alert.time_us == UTC_NONE ? NAN : (double)(a->now_us - g->alert.time_us) / 3600e6;
	if (age_h > p->max_age_h)
		json_append_words(g->notes, "the event is %.0f h old, the policy takes none older than %.0f h; --now event plans as if the alert had just come", age_h,
			p->max_age_h);
	if (g->alert.is_test && !p->tests)
		json_append_words(g->notes, "this is a test alert: neither policy nor facility would accept it unless both say so");
	if (g->alert.type == ALERT_EARLYWARNING && p->early_warning != EARLY_SUBMIT)
		json_append_words(g->notes, "this is an early warning: the policy would %s", p->early_warning == EARLY_WARM ? "rank and tell, and ask nothing yet" : "ignore it");
	if (g->alert.significant == 0)
		json_append_words(g->notes, "low significance: watched only, nothing would be asked");
	if (!p->observes)
		json_append_words(g->notes, "policy %s asks for no observation: it only tells", p->name);
	else if (!p->approval_auto)
		json_append_words(g->notes, "an operator has to approve first (slew ctl approve %s)", g->alert.event);
	return 0;
}

/* Job ------------------------------------------------------------------------------------------------------------------------ */

/* Facilities: those asked for, else those of the ladder, else lco. Descriptors that cannot be read are an error. */
static json_t *facilities_json(const struct plan_arguments *a, const struct gathered *g, struct err *e)
{
	const char *name[FACILITIES];
	size_t n = 0, i, k;
	const json_t *rung;
	for (; n < a->facilities; n++)
		name[n] = a->facility[n];
	json_array_foreach(json_object_get(g->policy->body, "ladder"), i, rung) {
		const char *f = json_text(rung, "facility", "lco");
		for (k = 0; k < n && strcmp(name[k], f) != 0; k++)
			;
		if (k == n && n < FACILITIES && a->facilities == 0)
			name[n++] = f;
	}
	json_t *list = json_array();
	for (i = 0; i < n; i++) {
		json_t *d = place_descriptor(name[i], e);
		if (d == NULL) {
			err_wrap(e, "facility %s", name[i]);
			json_decref(list);
			return NULL;
		}
		json_array_append_new(list, json_pack("{s:s s:s s:o}", "name", json_text(d, "name", name[i]), "state", "open", "descriptor", d));
	}
	return list;
}

/* Programmes as the ladder names them, each with time enough: their real hours stand in a configuration. */
static json_t *programmes_json(const struct gathered *g)
{
	json_t *list = json_array(), *have;
	const json_t *rung;
	size_t i, k;
	json_array_foreach(json_object_get(g->policy->body, "ladder"), i, rung) {
		const char *name = json_text(rung, "programme", "programme"), *facility = json_text(rung, "facility", "lco");
		bool again = false;
		json_array_foreach(list, k, have)
			again |= strcmp(json_text(have, "name", ""), name) == 0;
		if (!again)
			json_array_append_new(list, json_pack("{s:s s:s s:{s:f s:f s:f} s:n}", "name", name, "facility", facility, "left_h", "NORMAL",
				PLAN_HOURS_ASSUMED, "TIME_CRITICAL", PLAN_HOURS_ASSUMED, "RAPID_RESPONSE", PLAN_HOURS_ASSUMED, "triggers_left"));
	}
	return list;
}

/* The alert's classification: which light to expect. */
static json_t *source_json(const struct gathered *g)
{
	struct facts f;
	facts_of_alert(&g->alert, NULL, g->alert.created_us, false, &f);
	return json_pack("{s:o s:o s:o}", "p_bns", json_real_or_null(f.number[FACT_p_bns]), "p_nsbh", json_real_or_null(f.number[FACT_p_nsbh]), "has_remnant",
		json_real_or_null(f.number[FACT_has_remnant]));
}

static json_t *job_json(const struct plan_arguments *a, const struct gathered *g, json_t *facilities)
{
	const struct policy *p = g->policy;
	json_t *job = json_pack("{s:s s:s s:I s:f}", "kind", "plan", "event", g->alert.event, "now_us", (json_int_t)a->now_us, "horizon_h", a->hours);
	json_object_set_new(job, "event_us", g->alert.time_us == UTC_NONE ? json_null() : json_integer(g->alert.time_us));
	json_object_set_new(job, "source", source_json(g));
	json_object_set(job, "targets", json_object_get(g->rank, "targets"));
	json_object_set(job, "policy", p->body);
	json_object_set_new(job, "facilities", facilities);
	json_object_set_new(job, "programmes", programmes_json(g));
	json_object_set_new(job, "event_left_h", json_real_or_null(p->budget_event_h));
	json_object_set_new(job, "night_left_h", json_real_or_null(p->budget_night_h));
	json_object_set_new(job, "existing", json_array());
	json_object_set(job, "covered", g->covered);
	return job;
}

/* What others have completed, where it is given. */
static int covered_read(const struct plan_arguments *a, struct gathered *g, struct err *e)
{
	struct others others;
	if (a->covered == NULL)
		return 0;
	if (others_read(a->covered, &others, e) < 0)
		return -1;
	g->covered = others.list;
	json_append_words(g->notes, "of %zu pointings of others %zu are counted: completed, in g, r, i, z or J, with an AB depth, a place and a time", others.rows,
		others.rows - others.unfit);
	return 0;
}

/* The ranking; of a policy that points a camera, its frames take the place of galaxies. */
static int rank_make(struct gathered *g, const json_t *facilities, struct err *e)
{
	const struct policy *p = g->policy;
	const json_t *descriptors[FACILITIES], *f;
	struct footprint camera;
	size_t i, n = 0;
	json_t *job = json_pack("{s:s s:s s:s s:s s:i s:n s:s}", "kind", "rank", "sha256", g->alert.map_sha256, "weight", p->weight, "distance_error", "catalogue",
		"top", p->top, "probability", "catalog", g->catalog.sha256);
	if (p->footprint[0] == '\0')
		return compute(g, job, &g->rank, e);
	json_array_foreach(facilities, i, f)
		if (n < FACILITIES)
			descriptors[n++] = json_object_get(f, "descriptor");
	json_object_set_new(job, "top", json_integer(0));
	json_object_set_new(job, "fields", json_pack("[{s:s s:O? s:s s:s s:i s:o}]", "camera", p->footprint, "instrument",
		footprint_instrument(descriptors, n, p->footprint), "from", p->from, "weight", p->weight, "top", p->top, "probability",
		json_real_or_null(p->probability)));
	if (footprint_find(descriptors, n, p->footprint, &camera, e) < 0) {
		json_decref(job);
		return -1;
	}
	if (compute(g, job, &g->rank, e) < 0)
		return -1;
	json_object_set(g->rank, "galaxies", json_object_get(g->rank, "targets"));
	json_object_set(g->rank, "targets", json_object_get(g->rank, "fields"));
	json_object_del(g->rank, "fields");
	return 0;
}

/* Dust and reference images of the targets, as far as they are given. */
static int surroundings(const struct plan_arguments *a, struct gathered *g, struct err *e)
{
	struct around *around = malloc(sizeof *around);
	json_t *t;
	size_t i;
	if (around == NULL)
		return err_set(e, ERR_MEMORY, "no memory");
	int rc = around_read(a->dust, a->references, around, e);
	json_array_foreach(json_object_get(g->rank, "targets"), i, t)
		if (rc == 0)
			around_target(around, t);
	around_free(around);
	free(around);
	if (rc == 0 && a->dust == NULL)
		json_append_words(g->notes, "extinction by our galaxy is not known (--dust): taken as 0");
	if (rc == 0 && a->references == NULL)
		json_append_words(g->notes, "reference images are not known (--references): 5 %% of a host's light is taken to remain");
	return rc;
}

static int plan_make(const struct plan_arguments *a, struct gathered *g, struct err *e)
{
	const char *sha = g->alert.map_sha256;
	if (catalog_open(a->catalog, &g->catalog, e) < 0)
		return err_print(e);
	g->has_catalog = true;
	if (compute(g, json_pack("{s:s s:s}", "kind", "map", "sha256", sha), &g->map, e) < 0)
		return err_wrap(e, "%s: sky map", a->alert), err_print(e);
	int rc = judge(a, g, e);
	if (rc != 0)
		return rc;
	json_t *facilities = facilities_json(a, g, e);
	if (facilities == NULL)
		return err_print(e);
	rc = rank_make(g, facilities, e) < 0 ? err_wrap(e, "ranking") : surroundings(a, g, e);
	if (rc == 0)
		rc = covered_read(a, g, e);
	if (rc < 0) {
		json_decref(facilities);
		return err_print(e);
	}
	json_t *job = job_json(a, g, facilities);
	rc = plan_run(job, &g->plan, e);
	json_decref(job);
	return rc < 0 ? err_print(e) : 0;
}


/* All that is known, as --json prints it. New reference. */
static json_t *answer_json(const struct plan_arguments *a, const struct gathered *g)
{
	json_t *o = json_pack("{s:s s:I s:s s:s s:s}", "event", g->alert.event, "now_us", (json_int_t)a->now_us, "policy", g->policy->name, "outcome",
		outcome_name(g->answer.outcome), "missing", g->answer.missing);
	json_object_set_new(o, "event_us", g->alert.time_us == UTC_NONE ? json_null() : json_integer(g->alert.time_us));
	json_object_set_new(o, "source", source_json(g));
	json_object_set(o, "notes", g->notes);
	json_object_set(o, "map", g->map);
	json_object_set(o, "outside", json_object_get(g->rank, "outside"));
	json_object_set(o, "targets", json_object_get(g->rank, "targets"));
	json_object_set(o, "requests", json_object_get(g->plan, "requests"));
	json_object_set(o, "verdicts", json_object_get(g->plan, "verdicts"));
	json_object_set(o, "worth", json_object_get(g->plan, "worth"));
	json_object_set(o, "bound", json_object_get(g->plan, "bound"));
	return o;
}

static int show_json(const struct plan_arguments *a, const struct gathered *g)
{
	json_t *o = answer_json(a, g);
	char *line = json_canonical(o);
	int rc = line == NULL || puts(line) < 0 || fflush(stdout) != 0;
	free(line);
	json_decref(o);
	return rc;
}

static int plots(const struct plan_arguments *a, const struct gathered *g, struct err *e)
{
	json_t *facilities = facilities_json(a, g, e), *answer = answer_json(a, g);
	const struct plan_drawing d = {g->alert.event, g->alert.map, g->alert.map_len, json_object_get(g->rank, "targets"),
		json_object_get(g->plan, "requests"), facilities, answer, a->now_us, a->now_us + (int64_t)(a->hours * 3600e6)};
	int rc = facilities ? plan_draw(a->plot, &d, e) : -1;
	json_decref(answer);
	json_decref(facilities);
	return rc < 0 ? err_print(e) : 0;
}

/* Arguments ------------------------------------------------------------------------------------------------------------------ */

static int option_read(struct plan_arguments *a, const char *o, const char *v)
{
	struct err e = {0};
	char *end = NULL;
	if (v == NULL)
		return cmd_usage(&command_plan, "%s is unknown, or wants a value", o);
	if (strcmp(o, "--catalog") == 0) {
		a->catalog = v;
	} else if (strcmp(o, "--policy") == 0) {
		a->policy = v;
	} else if (strcmp(o, "--plot") == 0) {
		a->plot = v;
	} else if (strcmp(o, "--dust") == 0) {
		a->dust = v;
	} else if (strcmp(o, "--references") == 0) {
		a->references = v;
	} else if (strcmp(o, "--covered") == 0) {
		a->covered = v;
	} else if (strcmp(o, "--facility") == 0) {
		if (a->facilities == FACILITIES)
			return cmd_usage(&command_plan, "at most %d facilities", FACILITIES);
		a->facility[a->facilities++] = v;
	} else if (strcmp(o, "--hours") == 0) {
		a->hours = strtod(v, &end);
		if (end == v || *end != '\0' || !(a->hours > 0 && a->hours <= 96))
			return cmd_usage(&command_plan, "--hours wants a number up to 96, not \"%.20s\"", v);
	} else if (strcmp(o, "--now") == 0) {
		a->at_event = strcmp(v, "event") == 0;
		if (!a->at_event && utc_parse(v, &a->now_us, &e) < 0)
			return err_print(&e);
	} else {
		return cmd_usage(&command_plan, "unknown option %s", o);
	}
	return 0;
}

static int arguments_read(struct plan_arguments *a, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		int rc = 0;
		if (strcmp(argv[i], "--json") == 0)
			a->json = true;
		else if (argv[i][0] == '-' && argv[i][1] != '\0')
			rc = option_read(a, argv[i], i + 1 < argc ? argv[i + 1] : NULL), i++;
		else if (a->alert != NULL)
			return cmd_usage(&command_plan, "one ALERT at a time (got %s and %s)", a->alert, argv[i]);
		else
			a->alert = argv[i];
		if (rc != 0)
			return rc;
	}
	if (a->alert == NULL || a->catalog == NULL)
		return cmd_usage(&command_plan, a->alert ? "no --catalog given; make one with `slew catalog build`" : "no ALERT given");
	return 0;
}

static int plan_command(int argc, char **argv)
{
	struct plan_arguments a = {.policy = "bns-near", .now_us = UTC_NONE, .hours = 24};
	struct gathered g = {.has_alert = false};
	struct err e = {0};
	int rc = arguments_read(&a, argc, argv);
	if (rc != 0)
		return rc;
	g.notes = json_array();
	rc = alert_read(&a, &g, &e);
	if (a.at_event)
		a.now_us = g.has_alert ? g.alert.created_us : UTC_NONE;
	if (a.now_us == UTC_NONE)
		a.now_us = clock_wall_us();
	if (rc == 0)
		rc = policy_load(&a, &g, &e);
	if (rc == 0)
		rc = plan_make(&a, &g, &e);
	if (rc == 0 && a.plot != NULL)
		rc = plots(&a, &g, &e);
	if (rc == 0 && a.json)
		rc = show_json(&a, &g);
	else if (rc == 0)
		plan_print(&a, &g);
	if (g.has_alert)
		alert_free(&g.alert);
	skymap_free(&kept_map);
	if (g.has_catalog)
		catalog_close(&g.catalog);
	policy_free(g.policy);
	json_decref(g.map);
	json_decref(g.rank);
	json_decref(g.plan);
	json_decref(g.notes);
	json_decref(g.covered);
	return rc;
}

const struct command command_plan = {
	.name = "plan",
	.args = "[--policy NAME|FILE] [--facility NAME]... [--now TIME|event] [--hours H] [--plot FILE] [--dust FILE] [--references FILE] [--covered FILE] [--json] --catalog C ALERT",
	.summary = "what would be asked of whom, now, and why; nothing is sent",
	.help =
		"Takes an alert (LVK igwn.gwalert JSON with its sky map) all the way: decodes it, reads the map, ranks the galaxies of C, asks\n"
		"the policy, and plans visits over the sites of the facilities. Prints every request that would be made, with its window, and\n"
		"for every galaxy that is left out the first reason why. When the policy would not trigger it says so, and plans anyway.\n"
		"\n"
		"  --catalog C        galaxies, made by `slew catalog build`\n"
		"  --policy NAME      bns-near (default), another that slew carries, or the path of your own\n"
		"  --facility NAME    lco or the path of a descriptor; default: those of the policy's ladder\n"
		"  --now TIME         UTC, ISO 8601: plan as of then; `event`: as of when the alert was made; default now\n"
		"  --hours H          how far ahead (24)\n"
		"  --plot FILE.html   also draw the sky map with the galaxies, and the altitudes over each site that is asked (SVG in one page)\n"
		"  --dust FILE        E(B-V) from a HEALPix map in FITS that you have (none is shipped); without it extinction is taken as 0\n"
		"  --references FILE  reference images: a JSON list of {\"survey\", \"band\", \"depth_mag\", \"moc\": FILE}; see `slew depth --help`\n"
		"  --covered FILE     what others have completed: a JSON list of {\"ra_deg\", \"dec_deg\", \"radius_deg\", \"band\", \"depth_mag\", \"time\"}, or\n"
		"                     the Treasure Map's pointings (api/v1/pointings?graceid=…); its fields are not known: 0.1 deg about each counts\n"
		"  --json             one object: event now_us event_us source policy outcome missing notes map outside targets requests verdicts worth bound\n"
		"\n"
		"The order of the galaxies is by dP/dV and the policy's weight; share is a galaxy's part of the catalogue's sum. A visit is worth\n"
		"host x gain x early: host is the probability to be the host (or the share), gain what the visit adds to the mean of\n"
		"P(detected) and P(identified) of a kilonova there (two detections at least 30 min apart within 36 h, and a colour or a fade;\n"
		"`slew depth` shows the depths), early = 1 / (1 + wait / 12 h). The visit worth most per hour of telescope is taken, then all\n"
		"others are valued anew, with the telescopes of a site, the policy's budget and the programme's hours going down; an upper\n"
		"bound says how much better any other choice could be. Without photometry in the descriptor 1 / airmass stands for the gain.\n"
		"\n"
		"  slew plan --catalog glade.fits --now event alert.json\n"
		"  slew plan --json --policy nsbh-dark --catalog glade.fits alert.json | jq '.verdicts[] | select(.code == \"daylight\")'\n",
	.run = plan_command,
};

/* Makes a world: the night, its catalogue, its rules, and the files that the engine and the
 * onlookers read. */
#include "engine/cmd/world.h"
#include "engine/alert/alert.h"
#include "engine/base/embed.h"
#include "engine/base/hash.h"
#include "engine/base/json.h"
#include "engine/base/limits.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include "engine/cmd/cmd.h"
#include "sim/alert_write.h"
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

int world_write(
	const char *dir, const char *name, const char *bytes, size_t len, int mode, struct err *e)
{
	char path[1200], part[1216];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	snprintf(part, sizeof part, "%s.part", path);
	int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	bool ok = fd >= 0;
	for (size_t done = 0; ok && done < len;) {
		ssize_t n = write(fd, bytes + done, len - done);
		ok = n > 0;
		done += n > 0 ? (size_t)n : 0;
	}
	if (fd >= 0 && close(fd) != 0)
		ok = false;
	if (!ok || rename(part, path) != 0)
		return err_set(e, ERR_SYSTEM,
			"%s: cannot be written: %s; give a directory that you may write to", path,
			strerror(errno));
	return 0;
}

int world_write_json(const char *dir, const char *name, const json_t *value, struct err *e)
{
	char *text = json_dumps(value, JSON_INDENT(1));
	int bad = text == NULL ? err_set(e, ERR_MEMORY, "%s: no memory", name)
			       : world_write(dir, name, text, strlen(text), 0644, e);

	free(text);
	return bad;
}

json_t *world_read_json(const char *dir, const char *name)
{
	char path[1200];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	return json_load_file(path, 0, NULL);
}

static json_t *embedded_json(const char *path, struct err *e)
{
	size_t len = 0;
	const char *text = embed_find(path, &len);
	json_t *j = text != NULL ? json_read(text, len, &json_limits_config, e) : NULL;

	if (text == NULL)
		err_set(e, ERR_SYSTEM, "world: %s is not in this program; build it anew", path);
	return j;
}

/* A volley needs hours for each of its events. */
static double hours_factor(const struct world *w)
{
	return w->o.volley > 0 ? w->o.volley : 1;
}

/* bns-near as it is, but: two detectors only wait for a person, one telescope network, and hours
 * for three events in one night. */
static int make_policy(struct world *w, struct err *e)
{
	json_t *policy = embedded_json("policies/bns-near.json", e), *approval, *ladder, *step;
	size_t i;

	w->policy = policy;
	if (policy == NULL)
		return -1;
	approval = json_object_get(policy, "approval");
	ladder = json_object_get(policy, "ladder");
	if (!json_is_object(approval) || !json_is_array(ladder))
		return err_set(
			e, ERR_SYSTEM, "world: the policy bns-near has no approval or no ladder");
	json_object_set_new(policy, "name", json_string("bns-near-demo"));
	json_object_set_new(approval, "mode", json_string("auto"));
	json_object_set_new(approval, "auto_when",
		json_string(w->o.alone ? "n_detectors >= 1" : "n_detectors >= 3"));
	json_object_set_new(policy, "budget_h",
		json_pack("{s:f, s:f}", "event", 4.0, "night", w->o.volley > 99 ? 1000.0 : 10.0 * hours_factor(w)));
	if (w->tests) {
		json_object_set_new(policy, "tests", json_true());
		json_object_set_new(policy, "max_age_h", json_real(24 * 7));
	}
	for (i = json_array_size(ladder); i-- > 0;) {
		step = json_array_get(ladder, i);
		if (strcmp(json_text(step, "facility", "lco"), "lco") != 0)
			json_array_remove(ladder, i);
	}
	return 0;
}

/* Runs this very program: `slew catalog build IN -o DIR/catalog.fits`, its words kept in
 * DIR/catalog.log. */
static int build_catalog(const struct world *w, const char *in, struct err *e)
{
	char out[1100], log[1100];
	const char *argv[] = {"slew", "catalog", "build", in, "-o", out, NULL};
	posix_spawn_file_actions_t files;
	pid_t pid;
	int status = -1;

	snprintf(out, sizeof out, "%s/catalog.fits", w->dir);
	snprintf(log, sizeof log, "%s/catalog.log", w->dir);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, 1, log, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	posix_spawn_file_actions_adddup2(&files, 1, 2);
	int bad = posix_spawn(
		&pid, "/proc/self/exe", &files, NULL, (char **)(uintptr_t)argv, environ);
	posix_spawn_file_actions_destroy(&files);
	if (bad != 0)
		return err_set(e, ERR_SYSTEM, "world: slew catalog build: %s", strerror(bad));
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return err_set(
			e, ERR_INPUT, "%s: slew catalog build did not take it; read %s", in, log);
	return 0;
}

static int make_catalog(struct world *w, struct err *e)
{
	char path[1100];
	struct text csv = {.max = LIMIT_TEXT};

	w->catalog_name = w->o.catalog != NULL ? w->o.catalog : "made-up galaxies";
	if (w->o.catalog != NULL)
		return build_catalog(w, w->o.catalog, e);
	sim_sky_csv(&w->night.sky, &csv);
	int bad = csv.failed ? err_set(e, ERR_MEMORY, "world: no memory for the catalogue")
			     : world_write(w->dir, "galaxies.csv", csv.data, csv.len, 0644, e);
	text_free(&csv);
	snprintf(path, sizeof path, "%s/galaxies.csv", w->dir);
	return bad != 0 ? bad : build_catalog(w, path, e);
}

/* A real alert. Its bytes are as they are and the sky's clock goes to its time; with --start its
 * times are moved to that night. */
static int add_alert(struct world *w, const char *path, struct err *e)
{
	struct made_alert *to = &w->night.alert[w->night.alerts];
	struct alert a;
	unsigned char *bytes;
	unsigned long len;

	if (cmd_read_file(path, LIMIT_ALERT_BYTES, &bytes, &len) != 0)
		return err_set(e, ERR_INPUT, "world: --alert %s cannot be used", path);
	if (alert_decode(bytes, len, NULL, &a, e) != 0) {
		free(bytes);
		return err_wrap(e, "%s", path);
	}
	if (w->night.alerts == 0 && w->o.start_us != UTC_NONE)
		w->shift_us = w->o.start_us + 2 * UTC_MINUTE - a.created_us;
	char *moved = NULL;
	size_t moved_len = 0;
	if (w->shift_us != 0 && sim_alert_shift(bytes, len, w->shift_us, &moved, &moved_len, e) != 0) {
		alert_free(&a);
		free(bytes);
		return err_wrap(e, "%s", path);
	}
	if (moved != NULL) {
		free(bytes);
		bytes = (unsigned char *)moved;
		len = moved_len;
	}
	w->night.alerts++;
	w->tests |= a.is_test;
	to->at_us = a.created_us + w->shift_us + 5 * UTC_SECOND;
	to->role = 'A';
	text_copy(to->type, sizeof to->type, alert_type_name(a.type));
	text_copy(to->event, sizeof to->event, a.event);
	to->bytes = (char *)bytes;
	to->len = len;
	alert_free(&a);
	return 0;
}

static int real_night(struct world *w, struct err *e)
{
	struct made_night *n = &w->night;
	int64_t first = INT64_MAX;
	json_t *sites = json_object_get(w->descriptor, "sites");
	char utc[32];

	for (int i = 0; i < w->o.alerts; i++)
		if (add_alert(w, w->o.alert[i], e) != 0)
			return -1;
	for (size_t i = 0; i < n->alerts; i++)
		first = n->alert[i].at_us < first ? n->alert[i].at_us : first;
	n->start_us = w->o.start_us != UTC_NONE ? w->o.start_us : first - 2 * UTC_MINUTE;
	n->end_us = n->start_us + (int64_t)(w->o.hours * (double)UTC_HOUR);
	n->weather = w->o.clear ? json_array()
				: made_weather(w->o.seed, sites, n->start_us - 6 * UTC_HOUR,
					  n->end_us + 24 * UTC_HOUR);
	n->truth = json_pack("{s:s, s:I, s:s, s:[{s:s, s:s, s:s}], s:O}", "schema",
		"slew made-up night, truth", "seed", (json_int_t)w->o.seed, "start",
		utc_format_s(utc, n->start_us), "events", "role", "A", "event", n->alert[0].event,
		"what", "a real alert: nobody here knows the host", "weather", n->weather);
	return n->truth != NULL ? 0 : err_set(e, ERR_MEMORY, "world: no memory");
}

int world_make(struct world *w, struct err *e)
{
	w->descriptor = embedded_json("facilities/lco.json", e);
	if (w->descriptor == NULL)
		return -1;
	struct made_options made = {.seed = w->o.seed,
		.start_us = w->o.start_us,
		.hours = w->o.hours,
		.sites = json_object_get(w->descriptor, "sites"),
		.clear = w->o.clear,
		.retract_us = (int64_t)(w->o.retract_min * (double)UTC_MINUTE),
		.volley = w->o.volley,
		.every_us = (int64_t)(w->o.every_s * 1e6)};
	if ((w->o.alerts > 0 ? real_night(w, e) : made_night_make(&made, &w->night, e)) != 0)
		return -1;
	w->truth = json_dumps(w->night.truth, JSON_INDENT(1) | JSON_SORT_KEYS);
	if (w->truth == NULL)
		return err_set(e, ERR_MEMORY, "world: no memory");
	hash_sha256_hex(w->truth, strlen(w->truth), w->truth_sha256);
	char path[1100];
	snprintf(path, sizeof path, "%s/credentials", w->dir);
	if (mkdir(path, 0700) != 0)
		return err_set(e, ERR_SYSTEM, "%s: %s", path, strerror(errno));
	if (world_write(path, "portal", WORLD_TOKEN "\n", strlen(WORLD_TOKEN) + 1, 0600, e) != 0 ||
		make_policy(w, e) != 0 || make_catalog(w, e) != 0)
		return -1;
	return world_write_json(w->dir, "policy.json", w->policy, e);
}

/* One programme for each that the policy's ladder names. */
static json_t *programmes(const json_t *policy, double factor)
{
	json_t *out = json_array(), *ladder = json_object_get(policy, "ladder"), *step,
	       *seen = json_object();
	size_t i;

	json_array_foreach (ladder, i, step) {
		const char *name = json_text(step, "programme", "too");
		if (json_object_get(seen, name) != NULL)
			continue;
		json_object_set_new(seen, name, json_true());
		json_array_append_new(out,
			json_pack("{s:s, s:s, s:s, s:{s:f, s:f, s:f}}", "name", name, "facility",
				"lco", "proposal", "TOO-DEMO", "hours", "NORMAL", 20.0 * factor,
				"TIME_CRITICAL", 20.0 * factor, "RAPID_RESPONSE", 10.0 * factor));
	}
	json_decref(seen);
	return out;
}

/* The portal knows of less time than our configuration does (a colleague was faster): it will
 * refuse in its own words. */
json_t *world_portal_setup(const struct world *w)
{
	double f = hours_factor(w);
	json_t *faults = w->o.faultless ? json_array()
					: json_pack("[{s:s, s:i, s:i, s:s}]", "on",
						  "POST /api/requestgroups/", "nth", 2, "count", 1,
						  "what", "drop_after");

	return json_pack("{s:{s:s}, s:[{s:s, s:{s:f, s:f, s:f}, s:f}], s:O, s:o, s:O}", "tokens",
		WORLD_TOKEN, "slew", "proposals", "id", "TOO-DEMO", "hours", "NORMAL", 20.0 * f,
		"TIME_CRITICAL", 20.0 * f, "RAPID_RESPONSE", w->o.faultless ? 10.0 * f : 2.0,
		"ipp_h", 5.0 * f, "descriptor", w->descriptor, "faults", faults, "weather",
		w->night.weather);
}

static json_t *event_names(const struct world *w)
{
	json_t *out = json_object();

	for (size_t i = 0; i < w->night.alerts; i++)
		json_object_set_new(out, (char[2]){w->night.alert[i].role, 0},
			json_string(w->night.alert[i].event));
	return out;
}

int world_configure(const struct world *w, const char *broker, int port, struct err *e)
{
	char start[32], anchor[32], portal[64], state[1100];

	utc_format(start, w->night.start_us);
	utc_format(anchor, w->anchor_us);
	snprintf(portal, sizeof portal, "http://127.0.0.1:%d", port);
	snprintf(state, sizeof state, "%s/state.db", w->dir);
	json_t *config = json_pack("{s:s, s:s, s:s, s:s, s:{s:s, s:f, s:s}, s:[{s:s, s:s, s:s, "
				   "s:[s], s:s}], s:[{s:s, s:s, s:{s:s, s:s}, s:s, s:b}], s:o,"
				   " s:[s], s:{s:s}}",
		"description", "Written by slew world: a made-up night on this machine only.",
		"state", "state.db", "catalog", "catalog.fits", "credentials_dir", "credentials",
		"clock", "start", start, "rate", w->o.rate, "anchor", anchor, "sources", "name",
		"gcn", "type", "kafka", "brokers", broker, "topics", WORLD_TOPIC, "start",
		"earliest", "facilities", "name", "lco", "use", "lco", "urls", "portal", portal,
		"archive", portal, "secret", "portal", "accepts_tests", w->tests, "programmes",
		programmes(w->policy, hours_factor(w)), "policies", "policy.json", "operator",
		"socket", "slew.sock");
	json_t *about = json_pack(
		"{s:I, s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:f, s:o, s:s, s:b, s:I}",
		"pid", (json_int_t)getpid(), "seed", (json_int_t)w->o.seed, "truth_sha256",
		w->truth_sha256, "broker", broker, "topic", WORLD_TOPIC, "portal", portal, "state",
		state, "start", start, "start_us", (json_int_t)w->night.start_us, "end_us",
		(json_int_t)w->night.end_us, "anchor_us", (json_int_t)w->anchor_us, "rate",
		w->o.rate, "events", event_names(w), "catalog", w->catalog_name, "tests", w->tests,
		"galaxies", (json_int_t)w->night.sky.count);
	int bad = config == NULL || about == NULL ? err_set(e, ERR_MEMORY, "world: no memory") : 0;
	if (bad == 0)
		bad = world_write_json(w->dir, "config.json", config, e);
	if (bad == 0)
		bad = world_write_json(w->dir, "world.json", about, e);
	json_decref(config);
	json_decref(about);
	return bad;
}

void world_free(struct world *w)
{
	made_night_free(&w->night);
	json_decref(w->descriptor);
	json_decref(w->policy);
	free(w->truth);
}

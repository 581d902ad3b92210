/* slew sim --real --nights N: many drawn nights, each under every policy, in processes that share the sky. */
#include "engine/base/hash.h"
#include "engine/base/json.h"
#include "engine/base/query.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include "engine/cmd/sim_ensemble.h"
#include "sim/random.h"
#include "sim/real.h"
#include "sim/score.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define YEAR_US INT64_C(31557600000000)
#define USUAL_START INT64_C(1798761600000000) /* 2027-01-01: the same nights whenever an ensemble is made */

struct ensemble {
	const struct real_arguments *a;
	struct real_world *w;
	json_t *input[REAL_POLICIES];
	char name[REAL_POLICIES][80];
	int policies;
	int64_t base_us;
};

/* ---- one night ---- */
static int64_t start_of(const struct ensemble *s, int k)
{
	struct rng r;
	rng_seed(&r, s->a->seed + (uint64_t)k, "date");
	return s->base_us + (int64_t)((k + rng_uniform(&r)) / s->a->nights * (double)YEAR_US) / UTC_SECOND * UTC_SECOND;
}

/* Of everything that the night brings from outside: two files with the same digest are of the same night. */
static void digest_of(const struct made_night *n, char out[65])
{
	struct text all = {.max = 1u << 16};
	char one[65], *weather = json_canonical(n->weather), *truth = json_canonical(n->truth);
	for (size_t i = 0; i < n->alerts; i++) {
		hash_sha256_hex(n->alert[i].bytes, n->alert[i].len, one);
		text_puts(&all, one);
	}
	hash_sha256_hex(weather ? weather : "", weather ? strlen(weather) : 0, one);
	text_puts(&all, one);
	hash_sha256_hex(truth ? truth : "", truth ? strlen(truth) : 0, one);
	text_puts(&all, one);
	hash_sha256_hex(all.data ? all.data : "", all.len, out);
	text_free(&all);
	free(weather);
	free(truth);
}

static json_t *under(const struct ensemble *s, const struct made_night *n, int policy, uint64_t seed, const char *digest, struct err *e)
{
	struct compute_host compute = {.read_map = skymap_read, .catalog = s->w->galaxies};
	struct sim_real_options o = {.input = s->input[policy], .compute = &compute, .compute_by = s->w->stage ? sim_stage_compute : NULL,
		.compute_ctx = s->w->stage, .night = n, .seed = seed, .approve_min = s->a->approve_min};
	struct sim_real_places places = {.count = 0};
	json_t *score = NULL, *out = NULL;
	sqlite3 *db = NULL;
	char start[32];
	if (query_open(":memory:", QUERY_WRITE, &db, e) == 0) {
		o.db = db;
		if (sim_real_run(&o, &places, e) == 0)
			score = score_night(&(struct score_input){db, &places, n->truth}, e);
	}
	if (score != NULL)
		out = ensemble_night(score, seed, utc_format_s(start, n->start_us), digest);
	json_decref(score);
	sim_real_places_free(&places);
	sqlite3_close(db);
	return out;
}

/* {"night": k, "policies": [one night each]}; NULL with e. */
static json_t *one_night(const struct ensemble *s, int k, struct made_night *n, struct err *e)
{
	const struct real_arguments *a = s->a;
	uint64_t seed = a->seed + (uint64_t)k;
	struct drawn_options o = {.seed = seed, .start_us = start_of(s, k), .mergers = 1, .noise = 0.25, .sites = s->w->sites,
		.clear = a->clear};
	o.end_us = o.start_us + (int64_t)(a->hours * 3600e6);
	json_t *list = json_array(), *one;
	char digest[65];
	if (drawn_night_make(&s->w->hosts, &o, n, e) < 0) {
		json_decref(list);
		return NULL;
	}
	digest_of(n, digest);
	for (int p = 0; p < s->policies; p++) {
		one = under(s, n, p, seed, digest, e);
		if (one == NULL) {
			err_wrap(e, "night of seed %llu, policy %s", (unsigned long long)seed, s->name[p]);
			json_decref(list);
			made_night_free(n);
			return NULL;
		}
		json_array_append_new(list, one);
	}
	made_night_free(n);
	return json_pack("{s:i, s:o}", "night", k, "policies", list);
}

/* ---- processes ---- */
static void worker(const struct ensemble *s, int from, FILE *to, int tick)
{
	struct made_night *n = calloc(1, sizeof *n);
	for (int k = from; n != NULL && k < s->a->nights; k += s->a->jobs) {
		struct err e = {0};
		json_t *night = one_night(s, k, n, &e);
		char *line = night ? json_canonical(night) : NULL;
		if (line == NULL)
			_exit(err_print(&e));
		bool good = fprintf(to, "%s\n", line) > 0 && write(tick, "", 1) == 1;
		free(line);
		json_decref(night);
		if (!good)
			_exit(75);
	}
	_exit(n != NULL && fflush(to) == 0 ? 0 : 75);
}

static int gather(FILE *from, json_t **night, struct err *e)
{
	char *line = NULL;
	size_t size = 0;
	rewind(from);
	while (getline(&line, &size, from) > 0) {
		json_t *one = json_loads(line, 0, NULL);
		json_t **at = &night[json_int(one, "night", 0)];
		json_decref(*at);
		*at = one;
	}
	free(line);
	return ferror(from) ? err_set(e, ERR_SYSTEM, "nights: a temporary file cannot be read: %s", strerror(errno)) : 0;
}

static void watch(int tick, int nights)
{
	char words[64], c;
	for (int done = 0; read(tick, &c, 1) == 1;) {
		snprintf(words, sizeof words, "night %d of %d", ++done, nights);
		real_progress(words);
	}
	real_progress(NULL);
}

/* Plays all; night[k] are new references. */
static int play_all(const struct ensemble *s, json_t **night, struct err *e)
{
	int tick[2], status, bad = 0, jobs = s->a->jobs;
	FILE **out = calloc((size_t)jobs, sizeof *out);
	if (out == NULL || pipe(tick) < 0) {
		free(out);
		return err_set(e, ERR_SYSTEM, "nights: no process can be started: %s", strerror(errno));
	}
	fflush(NULL);
	for (int j = 0; j < jobs; j++) {
		out[j] = tmpfile();
		pid_t pid = out[j] ? fork() : -1;
		if (pid == 0) {
			close(tick[0]);
			worker(s, j, out[j], tick[1]);
		}
		bad += pid < 0;
	}
	close(tick[1]);
	watch(tick[0], s->a->nights);
	close(tick[0]);
	while (wait(&status) > 0)
		bad += !WIFEXITED(status) || WEXITSTATUS(status) != 0;
	int rc = bad ? err_set(e, ERR_SYSTEM, "nights: %d of %d processes did not end well; what they said stands above", bad, jobs) : 0;
	for (int j = 0; j < jobs; j++) {
		if (rc == 0)
			rc = gather(out[j], night, e);
		if (out[j] != NULL)
			fclose(out[j]);
	}
	free(out);
	return rc;
}

/* ---- the answer ---- */
static json_t *settings(const struct ensemble *s)
{
	const struct real_arguments *a = s->a;
	char start[32];
	json_t *out = json_pack("{s:i, s:I, s:s, s:f, s:f, s:b, s:s, s:s, s:s}", "nights", a->nights, "seed", (json_int_t)a->seed, "start", utc_format_s(start, s->base_us), "hours",
		a->hours, "max_mpc", a->max_mpc, "clear", (int)a->clear, "facilities", s->w->facilities, "catalogue", s->w->galaxies_name,
		"catalogue_sha256", s->w->galaxies->sha256);
	json_object_set_new(out, "approve_min", json_real_or_null(a->approve_min));
	if (a->config != NULL) /* what is assumed follows from the policies */
		json_object_set(out, "programmes", json_object_get(json_object_get(s->w->input, "config"), "programmes"));
	return out;
}

static json_t *answer(const struct ensemble *s, json_t **night)
{
	json_t *policies = json_array();
	for (int p = 0; p < s->policies; p++) {
		json_t *nights = json_array();
		for (int k = 0; k < s->a->nights; k++)
			json_array_append(nights, json_array_get(json_object_get(night[k], "policies"), (size_t)p));
		json_array_append_new(policies, json_pack("{s:s, s:o, s:o}", "policy", s->name[p], "summary", ensemble_summary(nights), "nights", nights));
	}
	return json_pack("{s:s, s:o, s:O, s:o}", "schema", ENSEMBLE_SCHEMA, "settings", settings(s), "notes", s->w->notes, "policies", policies);
}

static void head(const struct ensemble *s)
{
	const json_t *line;
	size_t i;
	char start[32];
	printf("%d drawn nights of %.0f h over a year from %.10s, seeds %llu to %llu, %s, %s", s->a->nights, s->a->hours, utc_format_s(start, s->base_us),
		(unsigned long long)s->a->seed, (unsigned long long)s->a->seed + (unsigned long long)s->a->nights - 1, s->w->facilities,
		s->w->galaxies_name);
	printf("; one merger nearer than %.0f Mpc each. Nothing is sent.\n", s->a->max_mpc);
	json_array_foreach(s->w->notes, i, line)
		printf("  note: %s\n", json_string_value(line));
	printf("\n");
}

static int tell(const struct ensemble *s, json_t **night, struct err *e)
{
	json_t *all = answer(s, night);
	int rc = all ? 0 : err_set(e, ERR_MEMORY, "no memory for the answer");
	bool data_only = s->a->json != NULL && strcmp(s->a->json, "-") == 0;
	if (rc == 0 && s->a->json != NULL)
		rc = real_write_json(s->a->json, all, e);
	if (rc == 0 && !data_only) {
		head(s);
		ensemble_words(json_object_get(all, "policies"));
	}
	json_decref(all);
	return rc;
}

/* Each --policy is a row of its own; without any, all policies of the configuration together are one. */
static int inputs(struct ensemble *s, struct err *e)
{
	(void)e;
	const json_t *bodies = json_object_get(s->w->input, "policies"), *body;
	size_t i;
	if (s->a->policies == 0) {
		s->input[0] = json_incref(s->w->input);
		snprintf(s->name[0], sizeof s->name[0], "%s", s->a->config && json_array_size(bodies) > 1 ? "as configured" : json_text(json_array_get(bodies, 0), "name", ""));
		s->policies = 1;
		return 0;
	}
	json_array_foreach(bodies, i, body) {
		json_t *alone = json_pack("[O]", body);
		s->input[s->policies] = real_world_input(s->w, alone);
		snprintf(s->name[s->policies++], sizeof s->name[0], "%s", json_text(body, "name", ""));
		json_decref(alone);
	}
	for (int p = 0; p < s->policies; p++)
		for (int q = 0; q < p; q++)
			if (strcmp(s->name[p], s->name[q]) == 0)
				return err_set(e, ERR_INPUT, "two policies of the name \"%s\": give one of them another name", s->name[p]);
	return 0;
}

int real_ensemble(const struct real_arguments *a, struct real_world *w)
{
	struct ensemble s = {.a = a, .w = w, .base_us = a->start_given ? a->start_us : USUAL_START};
	struct err e = {0};
	json_t **night = calloc((size_t)a->nights, sizeof *night);
	int rc = night ? 0 : err_set(&e, ERR_MEMORY, "no memory for %d nights", a->nights);
	if (rc == 0)
		rc = real_world_sky(a, w, &e) < 0 || real_world_hosts(a, w, &e) < 0 || inputs(&s, &e) < 0 ? -1 : play_all(&s, night, &e);
	if (rc == 0)
		rc = tell(&s, night, &e);
	real_progress(NULL);
	for (int k = 0; night != NULL && k < a->nights; k++)
		json_decref(night[k]);
	for (int p = 0; p < s.policies; p++)
		json_decref(s.input[p]);
	free(night);
	return rc < 0 ? err_print(&e) : 0;
}

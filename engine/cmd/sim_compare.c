/* slew sim --compare A.json B.json: two policies on the same nights, pair by pair. */
#include "engine/base/json.h"
#include "engine/cmd/sim.h"
#include "engine/cmd/sim_ensemble.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BOOTSTRAP_SEED 1

struct side {
	char path[1000];
	json_t *file;
	const json_t *nights;
	const char *policy;
};

static int side_fail(const struct side *s, const char *why, struct err *e)
{
	return err_set(e, ERR_INPUT, "%s: %s", s->path, why);
}

/* FILE, or FILE#POLICY where it holds several. */
static int side_open(const char *name, struct side *s, struct err *e)
{
	char *hash, known[300] = "";
	json_error_t bad;
	const json_t *p, *policies;
	size_t i;
	snprintf(s->path, sizeof s->path, "%s", name);
	hash = strrchr(s->path, '#');
	if (hash != NULL)
		*hash++ = '\0';
	s->file = json_load_file(s->path, JSON_REJECT_DUPLICATES, &bad);
	if (s->file == NULL)
		return err_set(e, ERR_INPUT, "%s: %s; give what `slew sim --real --nights N --json FILE` wrote", s->path, bad.text);
	policies = json_object_get(s->file, "policies");
	if (strcmp(json_text(s->file, "schema", ""), ENSEMBLE_SCHEMA) != 0 || json_array_size(policies) == 0)
		return side_fail(s, "is no ensemble of nights; give what `slew sim --real --nights N --json FILE` wrote", e);
	json_array_foreach(policies, i, p) {
		snprintf(known + strlen(known), sizeof known - strlen(known), "%s%s", i ? ", " : "", json_text(p, "policy", ""));
		if (hash != NULL ? strcmp(json_text(p, "policy", ""), hash) == 0 : json_array_size(policies) == 1) {
			s->nights = json_object_get(p, "nights");
			s->policy = json_text(p, "policy", "");
		}
	}
	if (s->nights == NULL)
		return err_set(e, ERR_INPUT, "%s: holds the policies %s; say which, as %s#POLICY", s->path, known, s->path);
	return json_array_size(s->nights) > 0 ? 0 : side_fail(s, "holds no nights", e);
}

/* The pairs must be of the same mergers, weather and galaxies. */
static int same_nights(const struct side *a, const struct side *b, struct err *e)
{
	static const char *const settings[] = {"catalogue_sha256", "facilities", "hours", "programmes", "approve_min"};
	const json_t *sa = json_object_get(a->file, "settings"), *sb = json_object_get(b->file, "settings"), *x;
	size_t i;
	static const char mend[] = "run both with the same --nights, --seed, --start, --hours, --catalog and --config";
	if (json_array_size(a->nights) != json_array_size(b->nights))
		return err_set(e, ERR_INPUT, "%s has %zu nights, %s has %zu: they cannot be paired; %s", a->path, json_array_size(a->nights), b->path,
			json_array_size(b->nights), mend);
	json_array_foreach(a->nights, i, x) {
		const json_t *y = json_array_get(b->nights, i);
		if (strcmp(json_text(x, "digest", ""), json_text(y, "digest", "?")) != 0)
			return err_set(e, ERR_INPUT, "%s and %s are not of the same nights: number %zu is seed %lld of %s in one, seed %lld of %s in the other%s; %s", a->path, b->path,
				i + 1, (long long)json_int(x, "seed", 0), json_text(x, "start", ""), (long long)json_int(y, "seed", 0), json_text(y, "start", ""),
				json_int(x, "seed", 0) == json_int(y, "seed", 0) ? ", with other mergers or weather" : "", mend);
	}
	for (i = 0; i < sizeof settings / sizeof settings[0]; i++) {
		const json_t *x_set = json_object_get(sa, settings[i]), *y_set = json_object_get(sb, settings[i]);
		if (x_set != y_set && !json_equal(x_set, y_set)) /* both absent is the same */
			return err_set(e, ERR_INPUT, "%s and %s differ in \"%s\": the difference would not be the policy's; %s", a->path, b->path, settings[i], mend);
	}
	return 0;
}

/* ---- pairs ---- */
static json_t *answer_pair(const json_t *a, const json_t *b, const char *key)
{
	size_t n = json_array_size(a), i;
	int64_t both[2] = {0}, only_a = 0, only_b = 0;
	double *d = calloc(n + 1, sizeof *d);
	for (i = 0; d != NULL && i < n; i++) {
		bool x = json_flag(json_array_get(a, i), key, false), y = json_flag(json_array_get(b, i), key, false);
		both[0] += x;
		both[1] += y;
		only_a += x && !y;
		only_b += y && !x;
		d[i] = (double)y - (double)x;
	}
	struct interval w = statistics_bootstrap(d, NULL, n, STATISTIC_MEAN, BOOTSTRAP_SEED);
	free(d);
	return json_pack("{s:I, s:I, s:I, s:I, s:f, s:o, s:o, s:f}", "a", (json_int_t)both[0], "b", (json_int_t)both[1], "only_a", (json_int_t)only_a, "only_b",
		(json_int_t)only_b, "difference", (double)(both[1] - both[0]) / (double)n, "low", json_real_or_null(w.low), "high", json_real_or_null(w.high),
		"mcnemar_p", statistics_mcnemar(only_a, only_b));
}

/* Numbers of nights that both have; the mean difference, for times the median one. */
static json_t *number_pair(const json_t *a, const json_t *b, const char *key, bool times)
{
	size_t n = json_array_size(a), i, count = 0;
	double *x = calloc(n + 1, sizeof *x), *y = calloc(n + 1, sizeof *y), *d = calloc(n + 1, sizeof *d), sum[3] = {0};
	for (i = 0; x && y && d && i < n; i++) {
		const json_t *p = json_object_get(json_array_get(a, i), key), *q = json_object_get(json_array_get(b, i), key);
		if (!json_is_number(p) || !json_is_number(q))
			continue;
		x[count] = json_number_value(p);
		y[count] = json_number_value(q);
		d[count] = y[count] - x[count];
		sum[0] += x[count];
		sum[1] += y[count];
		sum[2] += d[count++];
	}
	struct interval w = statistics_bootstrap(d, NULL, count, times ? STATISTIC_MEDIAN : STATISTIC_MEAN, BOOTSTRAP_SEED);
	double size = count > 0 ? (double)count : NAN;
	json_t *out = json_pack("{s:I, s:o, s:o, s:o, s:o, s:o}", "pairs", (json_int_t)count, "a", json_real_or_null(times ? statistics_quantile(x, count, 0.5) : sum[0] / size),
		"b", json_real_or_null(times ? statistics_quantile(y, count, 0.5) : sum[1] / size), "difference",
		json_real_or_null(times ? statistics_quantile(d, count, 0.5) : sum[2] / size), "low", json_real_or_null(w.low), "high", json_real_or_null(w.high));
	free(x);
	free(y);
	free(d);
	return out;
}

/* Nights on which one observed or identified the host and the other did not. */
static json_t *differing(const struct side *a, const struct side *b)
{
	static const char *const keys[] = {"host_observed", "identified_48h"};
	json_t *list = json_array();
	const json_t *x;
	size_t i, k;
	json_array_foreach(a->nights, i, x) {
		const json_t *y = json_array_get(b->nights, i);
		for (k = 0; k < 2; k++) {
			bool p = json_flag(x, keys[k], false), q = json_flag(y, keys[k], false);
			if (p != q)
				json_array_append_new(list, json_pack("{s:I, s:s, s:s, s:s, s:b, s:b}", "seed", (json_int_t)json_int(x, "seed", 0), "start", json_text(x, "start", ""),
					"event", json_text(x, "event", ""), "figure", keys[k], "a", (int)p, "b", (int)q));
		}
	}
	return list;
}

static json_t *compare(const struct side *a, const struct side *b)
{
	json_t *figures = json_object();
	size_t i;
	for (i = 0; ensemble_answers[i].key != NULL; i++)
		json_object_set_new(figures, ensemble_answers[i].key, answer_pair(a->nights, b->nights, ensemble_answers[i].key));
	for (i = 0; ensemble_times[i].key != NULL; i++)
		json_object_set_new(figures, ensemble_times[i].key, number_pair(a->nights, b->nights, ensemble_times[i].key, true));
	for (i = 0; ensemble_numbers[i].key != NULL; i++)
		json_object_set_new(figures, ensemble_numbers[i].key, number_pair(a->nights, b->nights, ensemble_numbers[i].key, false));
	return json_pack("{s:s, s:{s:s, s:s}, s:{s:s, s:s}, s:I, s:o, s:o}", "schema", "slew comparison/1", "a", "file", a->path, "policy", a->policy, "b", "file", b->path, "policy",
		b->policy, "nights", (json_int_t)json_array_size(a->nights), "figures", figures, "differing", differing(a, b));
}

/* ---- words ---- */
/* "+12 % (+3 to +20)" in a figure's unit; "-" where there is nothing to compare. */
static void difference(char out[64], const json_t *f, double unit, const char *name, int digits)
{
	if (!json_is_number(json_object_get(f, "difference")))
		snprintf(out, 64, "-");
	else if (!json_is_number(json_object_get(f, "low")))
		snprintf(out, 64, "%+.*f%s", digits, json_number(f, "difference", 0) / unit, name);
	else
		snprintf(out, 64, "%+.*f%s (%+.*f to %+.*f)", digits, json_number(f, "difference", 0) / unit, name, digits, json_number(f, "low", 0) / unit, digits,
			json_number(f, "high", 0) / unit);
}

static void number_line(const json_t *f, const struct ensemble_figure *what, bool times)
{
	char a[32] = "-", b[32] = "-", d[64], unit[16], words[64];
	snprintf(unit, sizeof unit, "%s%s", what->unit_name[0] ? " " : "", what->unit_name);
	if (json_is_number(json_object_get(f, "a"))) {
		snprintf(a, sizeof a, "%.2f%s", json_number(f, "a", 0) / what->unit, unit);
		snprintf(b, sizeof b, "%.2f%s", json_number(f, "b", 0) / what->unit, unit);
	}
	difference(d, f, what->unit, unit, 2);
	snprintf(words, sizeof words, "%s%s", what->words, times ? ", median" : " a night");
	printf("  %-34s%14s%14s   %-28s %lld pairs\n", words, a, b, d, (long long)json_int(f, "pairs", 0));
}

static void words(const json_t *all)
{
	const json_t *a = json_object_get(all, "a"), *b = json_object_get(all, "b"), *figures = json_object_get(all, "figures"), *row;
	double n = (double)json_int(all, "nights", 1);
	size_t i;
	printf("A: %s of %s\nB: %s of %s\nThe same %.0f nights\n\n", json_text(a, "policy", ""), json_text(a, "file", ""), json_text(b, "policy", ""), json_text(b, "file", ""), n);
	printf("  %-34s%14s%14s   %s\n", "", "A", "B", "B - A, paired");
	for (i = 0; ensemble_answers[i].key != NULL; i++) {
		const json_t *f = json_object_get(figures, ensemble_answers[i].key);
		char d[64], x[32], y[32];
		difference(d, f, 0.01, " %", 0);
		snprintf(x, sizeof x, "%.0f %%", 100 * json_number(f, "a", 0) / n);
		snprintf(y, sizeof y, "%.0f %%", 100 * json_number(f, "b", 0) / n);
		printf("  %-34s%14s%14s   %-28s only A %lld, only B %lld, p = %.2g\n", ensemble_answers[i].words, x, y, d, (long long)json_int(f, "only_a", 0),
			(long long)json_int(f, "only_b", 0), json_number(f, "mcnemar_p", 1));
	}
	for (i = 0; ensemble_times[i].key != NULL; i++)
		number_line(json_object_get(figures, ensemble_times[i].key), &ensemble_times[i], true);
	for (i = 0; ensemble_numbers[i].key != NULL; i++)
		number_line(json_object_get(figures, ensemble_numbers[i].key), &ensemble_numbers[i], false);
	printf("\n  (…) 95 %% interval, paired bootstrap over nights (2000, seed 1); p: McNemar's exact test; times: nights on which both have one.\n");
	const json_t *list = json_object_get(all, "differing");
	printf("\nNights on which only one of them did it: %zu\n", json_array_size(list));
	json_array_foreach(list, i, row)
		printf("  seed %-6lld %.16s  %-10s  %-14s  only %s\n", (long long)json_int(row, "seed", 0), json_text(row, "start", ""), json_text(row, "event", ""),
			strcmp(json_text(row, "figure", ""), "host_observed") == 0 ? "observed" : "identified", json_flag(row, "a", false) ? "A" : "B");
}

int sim_compare_run(int argc, char **argv)
{
	const char *name[2] = {NULL, NULL}, *json = NULL;
	struct side a = {.nights = NULL}, b = {.nights = NULL};
	struct err e = {0};
	int given = 0;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--compare") == 0)
			continue;
		if (strcmp(argv[i], "--json") == 0)
			json = i + 1 < argc && given == 2 ? argv[++i] : "-";
		else if (argv[i][0] == '-' || given == 2)
			return cmd_usage(&command_sim, "\"%s\" is not understood with --compare", argv[i]);
		else
			name[given++] = argv[i];
	}
	if (given != 2)
		return cmd_usage(&command_sim, "--compare takes two files");
	int rc = side_open(name[0], &a, &e) < 0 || side_open(name[1], &b, &e) < 0 ? -1 : same_nights(&a, &b, &e);
	json_t *all = rc == 0 ? compare(&a, &b) : NULL;
	if (rc == 0 && json != NULL)
		rc = real_write_json(json, all, &e);
	if (rc == 0 && (json == NULL || strcmp(json, "-") != 0))
		words(all);
	json_decref(all);
	json_decref(a.file);
	json_decref(b.file);
	return rc < 0 ? err_print(&e) : 0;
}

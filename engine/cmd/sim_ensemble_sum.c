/* What many nights under one policy come to: fractions, medians, means, each with what it is worth. */
#include "engine/base/json.h"
#include "engine/cmd/sim_ensemble.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BOOTSTRAP_SEED 1

const struct ensemble_figure ensemble_answers[] = {{"triggered", "mergers triggered on", 0, ""}, {"host_observed", "true host observed", 0, ""},
	{"identified_24h", "identified within 24 h", 0, ""}, {"identified_48h", "identified within 48 h", 0, ""}, {NULL, NULL, 0, NULL}};
const struct ensemble_figure ensemble_times[] = {{"first_image_s", "first image of the event", 3600, "h"}, {"host_image_s", "first image of the host", 3600, "h"},
	{"identified_s", "identified after", 3600, "h"}, {NULL, NULL, 0, NULL}};
/* Of all events of a night, false alarms too. */
const struct ensemble_figure ensemble_numbers[] = {{"hours", "telescope hours", 1, "h"}, {"triggers", "triggers", 1, ""}, {"requests", "requests", 1, ""},
	{"wasted", "requests wasted", 1, ""}, {NULL, NULL, 0, NULL}};

/* ---- one night ---- */
static bool within(double s, double hours)
{
	return isfinite(s) && s <= 3600 * hours;
}

static json_t *merger_of(const json_t *score)
{
	json_t *event;
	size_t i;
	json_array_foreach(score, i, event)
		if (strcmp(json_text(event, "kind", ""), "merger") == 0)
			return event;
	return NULL;
}

json_t *ensemble_night(const json_t *score, uint64_t seed, const char *start, const char *digest)
{
	const json_t *merger = merger_of(score), *host = json_object_get(merger, "host"), *event;
	double sums[4] = {0}, exposed_s = json_number(host, "exposed_s", NAN), identified_s = json_number(host, "identified_s", NAN);
	size_t i, k;
	json_array_foreach(score, i, event)
		for (k = 0; ensemble_numbers[k].key != NULL; k++)
			sums[k] += json_number(event, ensemble_numbers[k].key, 0);
	json_t *out = json_pack("{s:I, s:s, s:s, s:i, s:s, s:b, s:f, s:b, s:b, s:b, s:b}", "seed", (json_int_t)seed, "start", start, "digest", digest, "events",
		(int)json_array_size(score), "event", json_text(merger, "event", ""), "in_catalogue", (int)json_flag(host, "in_catalogue", false), "distance_mpc",
		json_number(host, "distance_mpc", 0), "triggered", (int)json_flag(merger, "triggered", false), "host_observed", isfinite(exposed_s),
		"identified_24h", within(identified_s, 24), "identified_48h", within(identified_s, 48));
	json_object_set_new(out, "first_image_s", json_real_or_null(json_number(merger, "first_image_s", NAN)));
	json_object_set_new(out, "host_image_s", json_real_or_null(exposed_s));
	json_object_set_new(out, "identified_s", json_real_or_null(identified_s));
	json_object_set_new(out, "covered", json_real(json_number(merger, "covered", 0)));
	for (k = 0; ensemble_numbers[k].key != NULL; k++)
		json_object_set_new(out, ensemble_numbers[k].key, json_real(sums[k]));
	return out;
}

/* ---- all ---- */
/* A member of every night that has it; malloc'd. */
static double *column(const json_t *nights, const char *key, size_t *count)
{
	double *out = calloc(json_array_size(nights) + 1, sizeof *out);
	const json_t *n;
	size_t i;
	*count = 0;
	json_array_foreach(nights, i, n)
		if (out != NULL && json_is_number(json_object_get(n, key)))
			out[(*count)++] = json_number(n, key, 0);
	return out;
}

static json_t *fraction(const json_t *nights, const char *key)
{
	const json_t *n;
	size_t i;
	int64_t k = 0, all = (int64_t)json_array_size(nights);
	json_array_foreach(nights, i, n)
		k += json_flag(n, key, false);
	struct interval w = statistics_wilson(k, all);
	return json_pack("{s:I, s:I, s:f, s:f, s:f}", "k", (json_int_t)k, "n", (json_int_t)all, "fraction", all ? (double)k / (double)all : 0.0, "low", w.low, "high", w.high);
}

static json_t *median(const json_t *nights, const char *key)
{
	size_t n;
	double *x = column(nights, key, &n);
	json_t *out = json_pack("{s:I, s:I, s:o, s:o, s:o}", "n", (json_int_t)n, "of", (json_int_t)json_array_size(nights), "median",
		json_real_or_null(statistics_quantile(x, n, 0.5)), "lower_quartile", json_real_or_null(statistics_quantile(x, n, 0.25)), "upper_quartile",
		json_real_or_null(statistics_quantile(x, n, 0.75)));
	free(x);
	return out;
}

/* Sum over sum of what it is counted by, with the interval over nights. */
static json_t *ratio(const json_t *nights, const char *key, const char *by)
{
	size_t n, m, i;
	double *x = column(nights, key, &n), *y = column(nights, by, &m), sum = 0, under = 0;
	for (i = 0; x != NULL && y != NULL && n == m && i < n; i++) {
		sum += x[i];
		under += y[i];
	}
	struct interval w = statistics_bootstrap(x, y, x && y && n == m ? n : 0, STATISTIC_RATIO, BOOTSTRAP_SEED);
	free(x);
	free(y);
	return json_pack("{s:f, s:f, s:f, s:o, s:o}", "sum", sum, "of", under, "ratio", under > 0 ? sum / under : 0.0, "low", json_real_or_null(w.low), "high",
		json_real_or_null(w.high));
}

json_t *ensemble_summary(const json_t *nights)
{
	json_t *out = json_object();
	size_t i;
	json_object_set_new(out, "in_catalogue", fraction(nights, "in_catalogue"));
	for (i = 0; ensemble_answers[i].key != NULL; i++)
		json_object_set_new(out, ensemble_answers[i].key, fraction(nights, ensemble_answers[i].key));
	for (i = 0; ensemble_times[i].key != NULL; i++)
		json_object_set_new(out, ensemble_times[i].key, median(nights, ensemble_times[i].key));
	for (i = 0; ensemble_numbers[i].key != NULL; i++) {
		bool wasted = strcmp(ensemble_numbers[i].key, "wasted") == 0;
		json_object_set_new(out, ensemble_numbers[i].key, ratio(nights, ensemble_numbers[i].key, wasted ? "requests" : "events"));
	}
	return out;
}

/* ---- the table ---- */
#define HEAD  27
#define CELL  36

static void fraction_cell(char out[64], const json_t *f)
{
	snprintf(out, 64, "%3.0f %% (%.0f-%.0f)  %lld of %lld", 100 * json_number(f, "fraction", 0), 100 * json_number(f, "low", 0), 100 * json_number(f, "high", 0),
		(long long)json_int(f, "k", 0), (long long)json_int(f, "n", 0));
}

static void median_cell(char out[64], const json_t *m, const struct ensemble_figure *f)
{
	if (json_int(m, "n", 0) == 0)
		snprintf(out, 64, "  - never");
	else
		snprintf(out, 64, "%5.2f %s [%.2f-%.2f]  %lld of %lld", json_number(m, "median", 0) / f->unit, f->unit_name, json_number(m, "lower_quartile", 0) / f->unit,
			json_number(m, "upper_quartile", 0) / f->unit, (long long)json_int(m, "n", 0), (long long)json_int(m, "of", 0));
}

static void ratio_cell(char out[64], const json_t *r, bool wasted)
{
	double unit = wasted ? 0.01 : 1;
	char range[32] = "";
	if (json_is_number(json_object_get(r, "low")))
		snprintf(range, sizeof range, wasted ? " (%.0f-%.0f)" : " (%.2f-%.2f)", json_number(r, "low", 0) / unit, json_number(r, "high", 0) / unit);
	if (wasted)
		snprintf(out, 64, "%3.0f %%%s  %.0f of %.0f", json_number(r, "ratio", 0) / unit, range, json_number(r, "sum", 0), json_number(r, "of", 0));
	else
		snprintf(out, 64, "%5.2f%s", json_number(r, "ratio", 0), range);
}

static void line(const json_t *policies, const struct ensemble_figure *f, const char *more, void (*cell)(char out[64], const json_t *, const struct ensemble_figure *))
{
	const json_t *p;
	size_t i;
	char text[64], words[64];
	snprintf(words, sizeof words, "%s%s", f->words, more);
	printf("  %-*s", HEAD, words);
	json_array_foreach(policies, i, p) {
		cell(text, json_object_get(json_object_get(p, "summary"), f->key), f);
		printf("  %-*s", CELL, text);
	}
	printf("\n");
}

static void cell_fraction(char out[64], const json_t *v, const struct ensemble_figure *f)
{
	(void)f;
	fraction_cell(out, v);
}

static void cell_ratio(char out[64], const json_t *v, const struct ensemble_figure *f)
{
	ratio_cell(out, v, strcmp(f->key, "wasted") == 0);
}

void ensemble_words(const json_t *policies)
{
	static const struct ensemble_figure listed = {"in_catalogue", "host in the catalogue", 0, ""};
	const json_t *p;
	size_t i;
	printf("  %-*s", HEAD, "");
	json_array_foreach(policies, i, p)
		printf("  %-*.*s", CELL, CELL, json_text(p, "policy", ""));
	printf("\n");
	line(policies, &listed, "", cell_fraction);
	for (i = 0; ensemble_answers[i].key != NULL; i++)
		line(policies, &ensemble_answers[i], "", cell_fraction);
	for (i = 0; ensemble_times[i].key != NULL; i++)
		line(policies, &ensemble_times[i], "", median_cell);
	for (i = 0; ensemble_numbers[i].key != NULL; i++)
		line(policies, &ensemble_numbers[i], strcmp(ensemble_numbers[i].key, "wasted") == 0 ? "" : " an event", cell_ratio);
	printf("\n  (…) 95 %% interval: Wilson for fractions of nights, bootstrap over nights (2000, seed 1) for the rest; […] quartiles, times after the merger.\n"
	       "  Events are mergers and false alarms. Identified: two detections 30 min apart, and a colour or a fade. Wasted: asked for what was no\n"
	       "  merger, or ended without an exposure.\n");
}

/* A plan in words: see plan_print.h. */
#include "engine/cmd/plan_print.h"
#include "engine/base/json.h"
#include "engine/base/limits.h"
#include "engine/base/text.h"
#include "engine/report/table.h"
#include "engine/request/plan.h"
#include "engine/target/supernova.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static const json_t *target_of(const struct gathered *g, const char *key)
{
	const json_t *t;
	size_t i;
	json_array_foreach(json_object_get(g->rank, "targets"), i, t)
		if (strcmp(json_text(t, "key", ""), key) == 0)
			return t;
	return NULL;
}

/* In the words of slew rank; NULL: nothing was ranked. */
static void outside_print(const json_t *outside)
{
	if (json_is_number(outside))
		printf("P(host not in the catalogue) = %.1f %%\n", 100 * json_number_value(outside));
	else if (outside != NULL)
		puts("P(host not in the catalogue) is not known; probabilities add up to 1 over the catalogue");
}

static void heading(const struct plan_arguments *a, const struct gathered *g)
{
	char when[32], now[32], name[2 * LIMIT_EVENT_ID];
	const json_t *line;
	size_t i;
	text_escape(name, sizeof name, g->alert.event, strlen(g->alert.event));
	printf("%s %s, merger %s UTC; planned as of %s UTC for %.0f h\n", name, alert_type_name(g->alert.type), table_utc(when, g->alert.time_us),
		table_utc(now, a->now_us), a->hours);
	printf("map: 50 %% in %.4g deg², 90 %% in %.4g deg²", json_number(g->map, "area50_deg2", NAN), json_number(g->map, "area90_deg2", NAN));
	if (json_is_number(json_object_get(g->map, "distmean_mpc")))
		printf(", %.0f ± %.0f Mpc", json_number(g->map, "distmean_mpc", NAN), json_number(g->map, "diststd_mpc", NAN));
	printf("; %lld galaxies with a score\n", (long long)json_int(g->rank, "considered", 0));
	outside_print(json_object_get(g->rank, "outside"));
	if (json_is_number(json_object_get(g->map, "unrelated_supernovae")))
		printf("unrelated supernovae: %.3g younger than %.0f d are expected in the 90 %% volume, %.4g Mpc³ (Perley et al. 2020)\n",
			json_number(g->map, "unrelated_supernovae", NAN), SUPERNOVA_YOUNG_D, json_number(g->map, "volume90_mpc3", NAN));
	printf("policy %s: %s%s\n", g->policy->name, g->answer.outcome == OUTCOME_TRUE ? "would trigger" : "would not trigger",
		json_array_size(g->notes) ? "; notes:" : "");
	json_array_foreach(g->notes, i, line)
		printf("  - %s\n", json_string_value(line));
}

/* What will be subtracted: "gp wide 22.5". */
static void references_words(const json_t *request, char *out, size_t size)
{
	const json_t *known, *filters = json_object_get(request, "filters");
	size_t i, len = 0;
	out[0] = '\0';
	json_array_foreach(json_object_get(request, "reference"), i, known)
		if (json_is_object(known) && len < size)
			len += (size_t)snprintf(out + len, size - len, "%s%s %s %.1f", len > 0 ? ", " : "", json_string_value(json_array_get(filters, i)),
				json_text(known, "survey", ""), json_number(known, "depth_mag", NAN));
}

/* A request as a row of the table. Times of the window and the expected slot. */
static json_t *request_row(const struct gathered *g, const json_t *r)
{
	char filters[64] = "", what[96], air[40], share[16], less[96];
	const json_t *f, *t = target_of(g, json_text(r, "target", ""));
	size_t i;
	json_array_foreach(json_object_get(r, "filters"), i, f)
		snprintf(filters + strlen(filters), sizeof filters - strlen(filters), "%s%s", i ? "+" : "", json_string_value(f));
	snprintf(what, sizeof what, "%s %lldx%.0fs", filters, (long long)json_int(r, "count", 1), json_number(r, "exposure_s", 0));
	snprintf(air, sizeof air, "%.2f/%.1f", json_number(r, "airmass_slot", 0), json_number(r, "max_airmass", 0));
	snprintf(share, sizeof share, "%.4f", json_number(r, "share", 0));
	json_t *row = json_pack("{s:s s:s s:s s:s s:s s:s s:s}", "name", json_text(t, "name", "?"), "share", share, "what", what, "air", air, "facility",
		json_text(r, "facility", ""), "site", json_text(r, "site", ""), "mode", json_text(r, "mode", ""));
	static const char *const same[] = {"epoch", "start_us", "end_us", "slot_us"};
	for (i = 0; i < sizeof same / sizeof same[0]; i++)
		json_object_set(row, same[i], json_object_get(r, same[i]));
	json_object_set_new(row, "rank", json_integer(json_int(t, "rank", 0)));
	references_words(r, less, sizeof less);
	json_object_set_new(row, "less", json_string(less));
	json_object_set_new(row, "note", json_string(json_flag(r, "reserve", false) ? "reserve" : ""));
	return row;
}

/* Of many reasons the common one is what a person asks for. Rows of the table of those left out, each with its `code`. */
static void verdicts_count(const json_t *rows)
{
	const char *before = " (";
	const json_t *r;
	size_t i, n;
	if (json_array_size(rows) > 0)
		printf("\nnot asked for: %zu galaxies", json_array_size(rows));
	for (enum verdict v = 0; v < VERDICT_COUNT; v++) {
		n = 0;
		json_array_foreach(rows, i, r)
			n += strcmp(json_text(r, "code", ""), verdict_name(v)) == 0;
		if (n > 0)
			printf("%s%zu %s", before, n, verdict_name(v));
		before = n > 0 ? ", " : before;
	}
	if (json_array_size(rows) > 0)
		puts(before[0] == ',' ? ")" : "");
}

void plan_print(const struct plan_arguments *a, const struct gathered *g)
{
	static const struct column asked[] = {{"rank", "rank", COLUMN_COUNT, 0}, {"galaxy", "name", COLUMN_TEXT, 24}, {"share", "share", COLUMN_TEXT, 0},
		{"epoch", "epoch", COLUMN_COUNT, 0}, {"facility", "facility", COLUMN_TEXT, 16}, {"site", "site", COLUMN_TEXT, 8}, {"mode", "mode", COLUMN_TEXT, 16},
		{"window from", "start_us", COLUMN_UTC, 0}, {"to, UTC", "end_us", COLUMN_UTC, 0}, {"expected", "slot_us", COLUMN_CLOCK, 0},
		{"airmass/max", "air", COLUMN_TEXT, 0}, {"exposures", "what", COLUMN_TEXT, 32}, {"note", "note", COLUMN_TEXT, 8}, {"reference", "less", COLUMN_TEXT, 40}, {NULL, NULL, COLUMN_TEXT, 0}};
	static const struct column not[] = {{"rank", "rank", COLUMN_COUNT, 0}, {"galaxy", "name", COLUMN_TEXT, 24}, {"verdict", "code", COLUMN_TEXT, 16},
		{"because", "detail", COLUMN_TEXT, 120}, {NULL, NULL, COLUMN_TEXT, 0}};
	json_t *rows = json_array(), *out = json_array();
	const json_t *r;
	size_t i, visits = 0;
	double hours = 0.0;
	heading(a, g);
	json_array_foreach(json_object_get(g->plan, "requests"), i, r) {
		json_array_append_new(rows, request_row(g, r));
		visits += !json_flag(r, "reserve", false);
		hours += json_flag(r, "reserve", false) ? 0.0 : json_number(r, "duration_s", 0) / 3600.0;
	}
	json_array_foreach(json_object_get(g->plan, "verdicts"), i, r) {
		const json_t *t = target_of(g, json_text(r, "target", ""));
		json_array_append_new(out, json_pack("{s:I s:s s:s s:s}", "rank", (json_int_t)json_int(t, "rank", 0), "name", json_text(t, "name", "?"), "code",
			json_text(r, "code", ""), "detail", json_text(r, "detail", "")));
	}
	printf("\n%zu visits, %.2f h of telescope; worth %.4f (P(host) x gain x early, summed), no choice of visits could be worth more than %.4f\n", visits, hours,
		json_number(g->plan, "worth", 0), json_number(g->plan, "bound", INFINITY));
	table_print(stdout, 0, asked, rows);
	verdicts_count(out);
	table_print(stdout, 0, not, out);
	printf("\nProgrammes are taken to have %.0f h in each mode, facilities to be open: the configuration of a running slew knows better.\n"
	       "Nothing is sent.\n", PLAN_HOURS_ASSUMED);
	json_decref(rows);
	json_decref(out);
}

/* Explain in words (explain.h): the outcome first, then the chain from alert to frame, one indented line a link. */
#include "engine/base/json.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include "engine/report/explain.h"
#include "engine/report/table.h"
#include <math.h>
#include <string.h>

enum { CELL = 1200 };

/* A text member, escaped, in quotes when it is a stranger's sentence; "" when absent or empty. */
static const char *words(char out[CELL], const json_t *row, const char *key, const char *before)
{
	char plain[CELL - 100];
	const char *s = json_text(row, key, "");
	out[0] = '\0';
	if (*s != '\0') {
		text_escape(plain, sizeof plain, s, strlen(s));
		snprintf(out, CELL, "%s%s", before, plain);
	}
	return out;
}

static const char *time_of(char out[32], const json_t *row, const char *key)
{
	return table_utc(out, json_int(row, key, UTC_NONE));
}

static void event_print(const json_t *v, FILE *to)
{
	char when[32], name[CELL], test[200];
	const json_t *event = json_object_get(v, "event");
	fprintf(to, "alert     %s %s, merger %s UTC, now %s", json_text(event, "issuer", "?"), words(name, event, "name", ""),
	        time_of(when, event, "time_us"), json_text(event, "state", "?"));
	if (json_array_size(json_object_get(event, "is_test")) > 0)
		fprintf(to, ", A TEST (%s)", table_cell(test, sizeof test, COLUMN_LIST, json_object_get(event, "is_test")));
	fputc('\n', to);
	size_t i;
	json_t *r;
	json_array_foreach(json_object_get(v, "revisions"), i, r) {
		char stream[CELL], map[CELL], created[32];
		fprintf(to, "  heard     %s  %-12s  created %s%s", time_of(when, r, "received_us"), json_text(r, "type", "?"),
		        time_of(created, r, "created_us"), words(stream, r, "stream", "  on "));
		if (*words(map, r, "map_sha256", "") != '\0')
			fprintf(to, "  map %.8s %s", map, json_text(r, "map_state", ""));
		fputs(words(map, r, "again_on", "  and again on "), to);
		fputc('\n', to);
	}
}

static void facts_print(const json_t *v, FILE *to)
{
	static const char *const shown[] = {"significant", "far_per_year", "p_bns", "p_nsbh", "p_bbh", "p_terrestrial", "has_ns", "has_remnant",
		"area50_deg2", "area90_deg2", "dist_mean_mpc", "dist_std_mpc", "n_detectors", "joint_far_per_year"};
	char cell[200];
	const char *between = "";
	const json_t *facts = json_object_get(v, "facts"), *map = json_object_get(v, "map");
	if (json_object_size(facts) == 0)
		return;
	fprintf(to, "facts     of the %s: ", json_text(facts, "alert_type", "newest revision"));
	for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++) {
		if (json_object_get(facts, shown[i]) == NULL)
			continue;
		fprintf(to, "%s%s %s", between, shown[i], table_cell(cell, sizeof cell, COLUMN_NUMBER, json_object_get(facts, shown[i])));
		between = ", ";
	}
	fputc('\n', to);
	if (json_is_object(map)) {
		char error[CELL];
		const json_t *summary = json_object_get(map, "summary");
		fprintf(to, "map       %.12s: %s%s", json_text(map, "sha256", "?"), json_text(map, "state", "?"), words(error, map, "error", ": "));
		if (json_is_number(json_object_get(summary, "unrelated_supernovae")))
			fprintf(to, "; about %.3g unrelated supernovae younger than 30 d in its 90 %% volume of %.3g Mpc³",
			        json_number(summary, "unrelated_supernovae", NAN), json_number(summary, "volume90_mpc3", NAN));
		fputc('\n', to);
	}
}

static void decisions_print(const json_t *v, FILE *to)
{
	size_t i;
	json_t *d;
	char when[32], rule[CELL], missing[CELL];
	json_array_foreach(json_object_get(v, "decisions"), i, d) {
		fprintf(to, "policy    %s: %s by the %s at %s, so %s%s", json_text(d, "policy", "?"), json_text(d, "outcome", "?"),
		        json_text(d, "type", "?"), time_of(when, d, "changed_us"), json_text(d, "state", "?"),
		        words(missing, d, "missing", "; not known: "));
		if (json_int(d, "approved", 0))
			fprintf(to, "; approved up to %.3g h", json_number(d, "approved_h", 0));
		if (json_is_number(json_object_get(d, "plan_worth")) && json_is_number(json_object_get(d, "plan_bound")))
			fprintf(to, "; its plan is worth %.4f, no choice of visits could be worth more than %.4f", json_number(d, "plan_worth", 0),
			        json_number(d, "plan_bound", 0));
		fputc('\n', to);
		if (*words(rule, d, "when", "") != '\0')
			fprintf(to, "            when %s\n", rule);
	}
}

static void verdicts_print(const json_t *rows, FILE *to)
{
	size_t i;
	json_t *x;
	char detail[CELL], policy[CELL], facility[CELL];
	json_array_foreach(rows, i, x)
		fprintf(to, "verdict   %s%s (%s%s%s)\n", json_text(x, "text", "?"), words(detail, x, "detail", ": "), json_text(x, "code", "?"),
		        words(facility, x, "facility", ", at "), words(policy, x, "policy", ", policy "));
}

/* In which frames of a camera a galaxy stands; which galaxies stand in a frame. */
static void fields_print(const json_t *v, FILE *to)
{
	static const struct column held[] = {{"rank", "rank", COLUMN_COUNT, 0}, {"galaxy", "name", COLUMN_TEXT, 32}, {"dist Mpc", "distance_mpc", COLUMN_NUMBER, 0},
		{"prob. %", "probability", COLUMN_PERCENT, 0}, {0}};
	const json_t *galaxies = json_object_get(v, "galaxies"), *f;
	char name[CELL], detail[CELL];
	size_t i;
	json_array_foreach(json_object_get(v, "fields"), i, f)
		fprintf(to, "field     %s, rank %lld%s: %s%s\n", words(name, f, "name", ""), (long long)json_int(f, "rank", 0),
		        json_int(f, "dropped_out", 0) ? " (of an older ranking)" : "", json_text(f, "text", json_text(f, "code", "no verdict yet")),
		        words(detail, f, "detail", ", "));
	if (json_array_size(galaxies) > 0) {
		fprintf(to, "holds     %zu galaxies\n", json_array_size(galaxies));
		table_print(to, 2, held, galaxies);
	}
}

static void target_print(const json_t *v, FILE *to)
{
	static const struct column best[] = {{"rank", "rank", COLUMN_COUNT, 0}, {"target", "name", COLUMN_TEXT, 30}, {"dist Mpc", "distance_mpc", COLUMN_NUMBER, 0},
		{"share %", "share", COLUMN_PERCENT, 0}, {"sum %", "cumulative_share", COLUMN_PERCENT, 0}, {"prob. %", "probability", COLUMN_PERCENT, 0}, {"requests", "requests", COLUMN_TEXT, 44},
		{"verdict", "code", COLUMN_TEXT, 0}, {"detail", "detail", COLUMN_TEXT, 60}, {0}};
	const json_t *t = json_object_get(v, "target"), *ranking = json_object_get(v, "ranking");
	char name[CELL], cell[64];
	if (json_is_object(t)) {
		fprintf(to, "target    %s at RA %.5f Dec %+.5f deg", words(name, t, "name", ""), json_number(t, "ra_deg", 0), json_number(t, "dec_deg", 0));
		fprintf(to, ", %s Mpc: ", table_cell(cell, sizeof cell, COLUMN_NUMBER, json_object_get(t, "distance_mpc")));
		fprintf(to, json_int(t, "dropped_out", 0) ? "was rank %s, dropped out of the newest ranking of %lld" : "rank %s of %lld",
		        table_cell(cell, sizeof cell, COLUMN_COUNT, json_object_get(t, "rank")), (long long)json_int(ranking, "targets", 0));
		fprintf(to, ", share %s %%", table_cell(cell, sizeof cell, COLUMN_PERCENT, json_object_get(t, "share")));
		if (json_is_number(json_object_get(t, "probability")))
			fprintf(to, ", probability to be the host %s %%", table_cell(cell, sizeof cell, COLUMN_PERCENT, json_object_get(t, "probability")));
		fprintf(to, "%s\n", json_int(t, "pinned", 0) ? ", pinned by an operator" : "");
		fields_print(v, to);
	} else if (json_array_size(json_object_get(v, "best")) > 0) {
		fprintf(to, "ranking   %lld %s: %.1f %%\n", (long long)json_int(ranking, "targets", 0),
		        strcmp(json_text(ranking, "kind", ""), "field") == 0 ? "fields, of all that could be held they hold" : "galaxies, shares of dP/dV summed over the catalogue",
		        100 * json_number(ranking, "cumulative_share", 0));
		if (json_is_number(json_object_get(ranking, "outside")))
			fprintf(to, "          P(host not in the catalogue) %.1f %%, P(host among these) %.1f %%\n", 100 * json_number(ranking, "outside", NAN),
			        100 * json_number(ranking, "probability", 0));
		table_print(to, 2, best, json_object_get(v, "best"));
	}
	verdicts_print(json_object_get(v, "verdicts"), to);
}

/* One link: "18:02:14  offer      declined at windows[0]: the facility's own words". */
static void link_print(const json_t *l, FILE *to)
{
	char when[32], a[CELL], b[CELL], c[CELL];
	const char *link = json_text(l, "link", "?"), *now = json_text(l, "now", "");
	fprintf(to, "    %s  %-10s", time_of(when, l, "utc_us"), link);
	if (strcmp(link, "state") == 0)
		fprintf(to, "%s → %s (%s)%s\n", json_text(l, "was", "?"), now, json_text(l, "what", "?"), words(a, l, "words", ": "));
	else if (strcmp(link, "sent") == 0)
		fprintf(to, "%s%s%s%s\n", json_text(l, "what", "?"), *now ? ", answer: " : "", words(b, l, "now", ""), words(a, l, "words", ", "));
	else if (strcmp(link, "again") == 0)
		fprintf(to, "asked with %s, as request %lld\n", words(a, l, "words", ""), (long long)json_int(l, "what", 0));
	else if (strcmp(link, "frame") == 0)
		fprintf(to, "%s%s%s\n", words(a, l, "place", ""), words(b, l, "what", ", level "), words(c, l, "words", ", version "));
	else
		fprintf(to, "%s%s%s", json_text(l, "what", "?"), words(b, l, "place", " at "), words(a, l, "words", ": "));
	if (strcmp(link, "offer") == 0) {
		if (json_is_number(json_object_get(l, "seconds")))
			fprintf(to, ", %.0f s", json_number(l, "seconds", 0));
		fprintf(to, "%s\n", words(b, l, "now", ", "));
	}
	if (strcmp(link, "telescope") == 0)
		fprintf(to, "%s%s\n", json_is_integer(json_object_get(l, "start_us")) ? ", from " : "",
		        json_is_integer(json_object_get(l, "start_us")) ? time_of(when, l, "start_us") : "");
}

/* How deep the plan expected it to be, and less which image. */
static void depth_print(const json_t *r, FILE *to)
{
	const json_t *filters = json_object_get(r, "filters"), *limits = json_object_get(r, "limit_mag"), *references = json_object_get(r, "reference"), *f;
	size_t k;
	char survey[CELL];
	if (json_array_size(limits) == 0)
		return;
	fprintf(to, "            depth expected, 5 sigma:");
	json_array_foreach(filters, k, f) {
		const json_t *known = json_array_get(references, k);
		fprintf(to, "%s %s %.2f", k > 0 ? "," : "", json_is_string(f) ? json_string_value(f) : "?", json_number_value(json_array_get(limits, k)));
		if (json_is_object(known))
			fprintf(to, " less %s (%s %.2f)", words(survey, known, "survey", ""), json_text(known, "band", "?"), json_number(known, "depth_mag", NAN));
		else if (json_is_array(references))
			fprintf(to, " (no reference image is known)");
	}
	fputc('\n', to);
}

/* One request and its chain. Why it is unwanted is said here while it lives; later the chain says it. */
static void request_print(const json_t *r, FILE *to)
{
	size_t k;
	json_t *l;
	char start[32], end[32], a[CELL], b[CELL], c[CELL];
	fprintf(to, "request   %lld: %s on %s%s, %s, epoch %lld, try %lld, ", (long long)json_int(r, "id", 0), words(a, r, "target", ""),
	        json_text(r, "facility", "?"), words(b, r, "site", " at "), json_text(r, "mode", "?"), (long long)json_int(r, "epoch", 0),
	        (long long)json_int(r, "variant", 0));
	fprintf(to, "%s–%s UTC: %s%s", time_of(start, r, "start_us"), utc_format_hms(end, json_int(r, "end_us", UTC_NONE)),
	        json_text(r, "state", "?"), words(c, r, "remote_id", ", there "));
	fprintf(to, "%s\n", json_array_size(json_object_get(r, "chain")) == 0 ? words(a, r, "unwanted_why", ", unwanted: ") : "");
	depth_print(r, to);
	json_array_foreach(json_object_get(r, "chain"), k, l)
		link_print(l, to);
}

static void requests_print(const json_t *v, FILE *to)
{
	static const struct column columns[] = {{"id", "id", COLUMN_COUNT, 0}, {"target", "target", COLUMN_TEXT, 30}, {"site", "site", COLUMN_TEXT, 0},
		{"epoch", "epoch", COLUMN_COUNT, 0}, {"try", "variant", COLUMN_COUNT, 0}, {"from UTC", "start_us", COLUMN_UTC, 0}, {"to UTC", "end_us", COLUMN_CLOCK, 0},
		{"state", "state", COLUMN_TEXT, 0}, {"there", "remote_id", COLUMN_TEXT, 0}, {"last word", "words", COLUMN_TEXT, 60}, {0}};
	size_t i;
	json_t *r;
	const json_t *requests = json_object_get(v, "requests");
	if (json_is_null(json_object_get(v, "asked_target"))) {
		if (json_array_size(requests) > 0)
			fprintf(to, "requests  (explain EVENT TARGET shows the chain of one)\n");
		table_print(to, 2, columns, requests);
		return;
	}
	json_array_foreach(requests, i, r)
		request_print(r, to);
}

static void people_print(const json_t *v, FILE *to)
{
	size_t i;
	json_t *g;
	char when[32], lifted[32], a[CELL], b[CELL], c[CELL], d[CELL];
	json_array_foreach(json_object_get(v, "gates"), i, g)
		fprintf(to, "gate      %s%s%s%s%s, closed %s%s%s\n", json_text(g, "kind", "?"), words(a, g, "facility", " of "), words(b, g, "target", " for "),
		        words(c, g, "policy", " of policy "), words(d, g, "reason", ": "), time_of(when, g, "opened_us"),
		        json_is_integer(json_object_get(g, "lifted_us")) ? ", lifted at " : ", not lifted yet",
		        json_is_integer(json_object_get(g, "lifted_us")) ? time_of(lifted, g, "lifted_us") : "");
	json_array_foreach(json_object_get(v, "orders"), i, g)
		fprintf(to, "order     %s  %s by uid %lld%s%s\n", time_of(when, g, "utc_us"), json_text(g, "verb", "?"), (long long)json_int(g, "uid", -1),
		        words(a, g, "why", ", because: "), words(b, g, "answer", " → "));
}

void explain_print(const json_t *v, FILE *to)
{
	char outcome[CELL];
	fprintf(to, "%s\n\n", words(outcome, v, "outcome", ""));
	event_print(v, to);
	facts_print(v, to);
	decisions_print(v, to);
	target_print(v, to);
	requests_print(v, to);
	people_print(v, to);
}

/* A dry run for a person: where and when, what was heard, the story, what it came to. */
#include "engine/base/json.h"
#include "engine/cmd/sim_real.h"
#include "engine/report/table.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* "21:04–05:11, 20:58–24:00" of [[from, to], …]; day and hour where there is more than one day. */
static void spans(const json_t *list, char *out, size_t size)
{
	const json_t *one;
	size_t i, used = 0;
	out[0] = '\0';
	json_array_foreach(list, i, one) {
		const char *from = json_string_value(json_array_get(one, 0)), *to = json_string_value(json_array_get(one, 1));
		if (from != NULL && to != NULL && used < size)
			used += (size_t)snprintf(out + used, size - used, "%s%.2s. %.5s-%.5s", i ? ", " : "", from + 8, from + 11, to + 11);
	}
}

static void sites_words(const json_t *night)
{
	static const struct column columns[] = {{"site", "code", COLUMN_TEXT, 0}, {"where", "name", COLUMN_TEXT, 32}, {"telescopes", "telescopes", COLUMN_COUNT, 0},
		{"dark (Sun below -12 deg), UTC", "dark", COLUMN_TEXT, 60}, {"closed by weather, UTC", "closed", COLUMN_TEXT, 100}, {NULL, NULL, COLUMN_TEXT, 0}};
	json_t *rows = json_array(), *row;
	const json_t *site, *w;
	size_t i, k;
	json_array_foreach(json_object_get(night, "sites"), i, site) {
		char dark[160], closed[320] = "";
		size_t used = 0;
		spans(json_object_get(site, "dark"), dark, sizeof dark);
		json_array_foreach(json_object_get(site, "closed"), k, w)
			if (used < sizeof closed)
				used += (size_t)snprintf(closed + used, sizeof closed - used, "%s%.2s. %.5s-%.5s", k ? ", " : "", json_text(w, "from", "") + 8,
					json_text(w, "from", "") + 11, json_text(w, "to", "") + 11);
		row = json_copy((json_t *)site);
		json_object_set_new(row, "dark", json_string(dark[0] ? dark : "never"));
		json_object_set_new(row, "closed", json_string(closed[0] ? closed : "-"));
		json_array_append_new(rows, row);
	}
	table_print(stdout, 2, columns, rows);
	json_decref(rows);
}

static void head_words(const json_t *night)
{
	const json_t *catalogue = json_object_get(night, "catalogue"), *line;
	size_t i;
	printf("A dry run: %s to %s, %s, seed %lld. Nothing is sent.\n", json_text(night, "start", ""), json_text(night, "end", ""), json_text(night, "facilities", ""),
		(long long)json_int(night, "seed", 0));
	printf("  policies ");
	json_array_foreach(json_object_get(night, "policies"), i, line)
		printf("%s%s", i ? ", " : "", json_string_value(line));
	printf("; %lld galaxies (%s); the Moon is %.0f %% full\n", (long long)json_int(catalogue, "galaxies", 0), json_text(catalogue, "name", ""),
		100 * json_number(night, "moon_illuminated", 0));
	json_array_foreach(json_object_get(night, "notes"), i, line)
		printf("  note: %s\n", json_string_value(line));
	printf("\n");
	sites_words(night);
}

static void story_words(const json_t *night)
{
	const json_t *row;
	size_t i;
	char day[11] = "";
	printf("\nThe night, UTC\n");
	json_array_foreach(json_object_get(night, "story"), i, row) {
		const char *time = json_text(row, "time", "0000-00-00T00:00:00Z");
		if (strncmp(day, time, 10) != 0) {
			snprintf(day, sizeof day, "%.10s", time);
			printf("  %s\n", day);
		}
		printf("    %.8s  %.220s\n", time + 11, json_text(row, "words", ""));
	}
}

/* "2.4 h", "38 min"; "never". */
static const char *took(char out[32], double s)
{
	if (!isfinite(s))
		return "never";
	if (s < 5400)
		snprintf(out, 32, "%.0f min", s / 60);
	else
		snprintf(out, 32, "%.1f h", s / 3600);
	return out;
}

static void host_words(const json_t *host)
{
	char a[32], b[32];
	double exposed = json_number(host, "exposed_s", NAN), identified = json_number(host, "identified_s", NAN);
	printf("    the true host, %s at %.0f Mpc%s", json_text(host, "name", ""), json_number(host, "distance_mpc", 0),
		json_flag(host, "in_catalogue", false) ? "" : " (in no catalogue)");
	if (json_int(host, "rank", 0) > 0)
		printf(", ranked %lld", (long long)json_int(host, "rank", 0));
	else if (json_flag(host, "in_catalogue", false))
		printf(", below the ranking's cut");
	if (!isfinite(exposed))
		printf(": not observed\n");
	else
		printf(": first in a frame after %s, in %lld frames; the kilonova was detected in %zu, identified %s%s\n", took(a, exposed),
			(long long)json_int(host, "frames", 0), json_array_size(json_object_get(host, "detections")), isfinite(identified) ? "after " : "",
			took(b, identified));
}

static void decisions_words(const json_t *night, const char *event)
{
	const json_t *d;
	size_t i;
	json_array_foreach(json_object_get(night, "decisions"), i, d) {
		if (strcmp(json_text(d, "event", ""), event) != 0)
			continue;
		printf("    policy %s: %s, now %s", json_text(d, "policy", ""), json_text(d, "outcome", ""), json_text(d, "state", ""));
		if (json_text(d, "missing", "")[0])
			printf("; not known: %s", json_text(d, "missing", ""));
		printf("\n");
	}
}

static void events_words(const json_t *night)
{
	const json_t *ev, *host;
	char a[32];
	size_t i;
	printf("\nWhat it came to\n");
	json_array_foreach(json_object_get(night, "events"), i, ev) {
		const char *kind = json_text(ev, "kind", "");
		printf("  %s, %s%s\n", json_text(ev, "event", ""), strcmp(kind, "merger") == 0 ? "a merger" : strcmp(kind, "noise") == 0 ? "noise, no merger" : "as given",
			strcmp(json_text(ev, "state", ""), "retracted") == 0 ? ", retracted" : "");
		decisions_words(night, json_text(ev, "event", ""));
		if (json_int(ev, "requests", 0) == 0) {
			printf("    nothing was asked of a telescope\n");
		} else {
			printf("    %lld requests: %lld exposed, %lld still to come, %lld wasted; %.2f h charged; first exposure %s%s; %.0f %% of the ranked probability covered\n",
				(long long)json_int(ev, "requests", 0), (long long)json_int(ev, "exposed", 0), (long long)json_int(ev, "open", 0),
				(long long)json_int(ev, "wasted", 0), json_number(ev, "hours", 0), isfinite(json_number(ev, "first_image_s", NAN)) ? "after " : "",
				took(a, json_number(ev, "first_image_s", NAN)), 100 * json_number(ev, "covered", 0));
		}
		host = json_object_get(ev, "host");
		if (json_is_object(host))
			host_words(host);
	}
}

static void hours_words(const json_t *night)
{
	static const struct column columns[] = {{"programme", "programme", COLUMN_TEXT, 32}, {"mode", "mode", COLUMN_TEXT, 16}, {"given h", "given_h", COLUMN_NUMBER, 0},
		{"spent h", "spent_h", COLUMN_NUMBER, 0}, {"promised h", "held_h", COLUMN_NUMBER, 0}, {"requests", "requests", COLUMN_COUNT, 0}, {NULL, NULL, COLUMN_TEXT, 0}};
	if (json_array_size(json_object_get(night, "hours")) == 0)
		return;
	printf("\nHours\n");
	table_print(stdout, 2, columns, json_object_get(night, "hours"));
}

void real_words(const json_t *night, bool short_one)
{
	head_words(night);
	if (!short_one)
		story_words(night);
	events_words(night);
	hours_words(night);
}

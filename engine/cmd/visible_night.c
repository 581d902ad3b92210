/* Sunset, twilights, the Moon: see visible_night.h. */
#include "engine/cmd/visible_night.h"
#include "engine/base/json.h"
#include "engine/base/utc.h"
#include "engine/report/table.h"
#include "engine/target/twilight.h"
#include <stdio.h>
#include <stdlib.h>

static json_t *time_json(int64_t utc_us)
{
	return utc_us == UTC_NONE ? json_null() : json_integer(utc_us);
}

static json_t *night_json(const struct visibility_site *s, const struct twilight *t)
{
	static const char *const evening[] = {"sunset_us", "civil_dusk_us", "nautical_dusk_us", "astronomical_dusk_us"};
	static const char *const morning[] = {"sunrise_us", "civil_dawn_us", "nautical_dawn_us", "astronomical_dawn_us"};
	json_t *o = json_pack("{s:s s:s s:I s:I s:I s:f s:f s:f s:f}", "site", s->code, "site_name", s->name, "noon_us", (json_int_t)t->noon_us,
		"midnight_us", (json_int_t)t->midnight_us, "next_noon_us", (json_int_t)t->next_noon_us, "sun_lowest_deg", t->sun_lowest_deg,
		"sun_highest_deg", t->sun_highest_deg, "moon_alt_deg", t->moon_alt_deg, "moon_illuminated", t->moon_illuminated);
	for (int k = 0; k < TWILIGHT_KINDS; k++) {
		json_object_set_new(o, evening[k], time_json(t->evening_us[k]));
		json_object_set_new(o, morning[k], time_json(t->morning_us[k]));
	}
	json_object_set_new(o, "moonrise_us", time_json(t->moonrise_us));
	json_object_set_new(o, "moonset_us", time_json(t->moonset_us));
	return o;
}

/* What a dash in the table means: which of the kinds of dark there is none of, or nothing else. */
static void note_add(json_t *row, const struct twilight *t)
{
	char note[128] = "";
	if (t->sun_highest_deg < TWILIGHT_HORIZON_DEG)
		snprintf(note, sizeof note, "polar night: the Sun stays below %.1f°", t->sun_highest_deg);
	else if (t->sun_lowest_deg > TWILIGHT_HORIZON_DEG)
		snprintf(note, sizeof note, "the Sun does not set: it stays above %.1f°", t->sun_lowest_deg);
	else if (t->sun_lowest_deg > -18.0)
		snprintf(note, sizeof note, "never quite dark: the Sun stays above %.1f°", t->sun_lowest_deg);
	json_object_set_new(row, "note", json_string(note));
}

static void table_show(const json_t *rows)
{
	static const struct column columns[] = {{"site", "site", COLUMN_TEXT, 0}, {"sunset, UTC", "sunset_us", COLUMN_UTC, 0},
		{"civil", "civil_dusk_us", COLUMN_CLOCK, 0}, {"nautical", "nautical_dusk_us", COLUMN_CLOCK, 0}, {"dark", "astronomical_dusk_us", COLUMN_CLOCK, 0},
		{"dark ends", "astronomical_dawn_us", COLUMN_CLOCK, 0}, {"nautical", "nautical_dawn_us", COLUMN_CLOCK, 0}, {"civil", "civil_dawn_us", COLUMN_CLOCK, 0},
		{"sunrise", "sunrise_us", COLUMN_CLOCK, 0}, {"moonrise", "moonrise_us", COLUMN_CLOCK, 0}, {"moonset", "moonset_us", COLUMN_CLOCK, 0},
		{"Moon", "moon", COLUMN_TEXT, 0}, {"note", "note", COLUMN_TEXT, 120}, {NULL, NULL, COLUMN_TEXT, 0}};
	table_print(stdout, 0, columns, rows);
}

int visible_night(const struct visibility_site *sites, size_t count, int64_t at_us, double dut1_s, bool json)
{
	struct err e = {0};
	struct visibility_night *n = visibility_night_new(sites, count, at_us - TWILIGHT_MARGIN_US, at_us + TWILIGHT_MARGIN_US, &e);
	if (n == NULL)
		return err_print(&e);
	visibility_night_ut1(n, at_us, dut1_s);
	json_t *rows = json_array();
	for (size_t s = 0; s < count; s++) {
		struct twilight t;
		twilight_find(n, s, at_us, &t);
		json_t *o = night_json(&sites[s], &t);
		if (json) {
			char *line = json_canonical(o);
			puts(line ? line : "null");
			free(line);
		} else {
			char moon[32];
			snprintf(moon, sizeof moon, "%.0f %%", 100 * t.moon_illuminated);
			json_object_set_new(o, "moon", json_string(moon));
			note_add(o, &t);
			json_array_append(rows, o);
		}
		json_decref(o);
	}
	if (!json)
		table_show(rows);
	json_decref(rows);
	visibility_night_free(n);
	return fflush(stdout) != 0;
}

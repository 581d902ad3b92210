/* Rules of programmes: see programme.h. */
#include "engine/request/programme.h"
#include "engine/base/json.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static int64_t local_us(double longitude_deg)
{
	return isfinite(longitude_deg) ? (int64_t)(fmin(fmax(longitude_deg, -360.0), 360.0) / 15.0 * (double)UTC_HOUR) : 0;
}

int64_t programme_night(int64_t utc_us, double longitude_deg)
{
	return floor_div(utc_us + local_us(longitude_deg) - 12 * UTC_HOUR, UTC_DAY);
}

int64_t programme_night_begins(int64_t night, double longitude_deg)
{
	return night * UTC_DAY + 18 * UTC_HOUR - local_us(longitude_deg);
}

/* "2027-01-05" at s: the number of that day. */
static int day_read(const char *s, int64_t *day, struct err *e)
{
	char text[32];
	int64_t at;
	snprintf(text, sizeof text, "%.10sT00:00:00Z", s);
	if (strlen(s) < 10 || utc_parse(text, &at, e) < 0)
		return err_set(e, ERR_INPUT, "\"%.40s\" is no date; write 2027-01-05", s);
	*day = floor_div(at, UTC_DAY);
	return 0;
}

static int nights_read(const char *s, struct programme_nights *out, struct err *e)
{
	size_t n = strlen(s);
	if (n != 10 && !(n == 21 && s[10] == '/'))
		return err_set(e, ERR_INPUT, "\"%.40s\": write 2027-01-05, or 2027-01-05/2027-01-09", s);
	if (day_read(s, &out->first, e) < 0 || day_read(n == 10 ? s : s + 11, &out->last, e) < 0)
		return -1;
	return out->last < out->first ? err_set(e, ERR_INPUT, "\"%.40s\": its last night is before its first", s) : 0;
}

static int time_read(const json_t *semester, const char *key, int64_t *out, struct err *e)
{
	const char *s = json_text(semester, key, NULL);
	char day[32];
	*out = UTC_NONE;
	if (s == NULL)
		return 0;
	snprintf(day, sizeof day, "%.10sT00:00:00Z", s);
	return utc_parse(strlen(s) == 10 ? day : s, out, e) < 0 ? err_wrap(e, "semester/%s", key) : 0;
}

int programme_rules_read(const json_t *entry, struct programme_rules *out, struct err *e)
{
	const json_t *semester = json_object_get(entry, "semester"), *list = json_object_get(entry, "blocked_nights"), *x;
	size_t i;
	const json_t *charge = json_object_get(entry, "charge"), *reserve = json_object_get(entry, "reserve");
	*out = (struct programme_rules){.notice_h = json_number(entry, "notice_h", 0), .max_visit_h = json_number(entry, "max_visit_h", INFINITY),
		.charge_observed = strcmp(json_text(charge, "of", ""), "observed") == 0, .charge_overheads = json_flag(charge, "overheads", true),
		.charge_lost = strcmp(json_text(charge, "lost", ""), "charged") == 0, .charge_minimum_s = 3600.0 * json_number(charge, "minimum_h", 0),
		.reserve_fraction = json_number(reserve, "fraction", NAN), .reserve_per_year = json_number(reserve, "better_per_year", NAN),
		.reserve_for = json_text(reserve, "for", NULL)};
	if (time_read(semester, "start", &out->from_us, e) < 0 || time_read(semester, "end", &out->until_us, e) < 0)
		return -1;
	if (out->from_us != UTC_NONE && out->until_us != UTC_NONE && out->until_us <= out->from_us)
		return err_set(e, ERR_INPUT, "semester/end: it is not after the start");
	if (out->reserve_for != NULL && isnan(out->reserve_fraction) == isnan(out->reserve_per_year))
		return err_set(e, ERR_INPUT, "reserve: give one of fraction and better_per_year");
	if (!isnan(out->reserve_per_year) && out->until_us == UTC_NONE)
		return err_set(e, ERR_INPUT, "reserve/better_per_year: until when? give semester.end");
	if (json_array_size(list) > PROGRAMME_BLOCKED)
		return err_set(e, ERR_LIMIT, "blocked_nights: %zu entries, %d are allowed; write runs of nights as 2027-01-05/2027-01-09", json_array_size(list),
			PROGRAMME_BLOCKED);
	json_array_foreach(list, i, x) {
		if (nights_read(json_string_value(x) ? json_string_value(x) : "", &out->blocked[i], e) < 0)
			return err_wrap(e, "blocked_nights/%zu", i);
		out->blocked_count = i + 1;
	}
	return 0;
}

static void day_format(char out[16], int64_t day)
{
	char text[32];
	snprintf(out, 16, "%.10s", utc_format_s(text, day * UTC_DAY));
}

static bool night_blocked(const struct programme_rules *r, int64_t first, int64_t last, int64_t *night)
{
	for (size_t i = 0; i < r->blocked_count; i++)
		if (first <= r->blocked[i].last && last >= r->blocked[i].first) {
			*night = first > r->blocked[i].first ? first : r->blocked[i].first;
			return true;
		}
	return false;
}

bool programme_visit_fits(const struct programme_rules *r, const struct programme_visit *v, char *why, size_t size)
{
	int64_t first = programme_night(v->start_us, v->longitude_deg), last = programme_night(v->end_us, v->longitude_deg), night;
	char text[32], hours[32];
	why[0] = '\0';
	if (r->from_us != UTC_NONE && v->start_us < r->from_us) {
		snprintf(why, size, "its semester begins only at %s", utc_format_s(text, r->from_us));
	} else if (r->until_us != UTC_NONE && v->end_us > r->until_us) {
		snprintf(why, size, "its semester ends at %s", utc_format_s(text, r->until_us));
	} else if (v->seconds > r->max_visit_h * 3600.0 + 0.5) {
		text_double(hours, sizeof hours, r->max_visit_h);
		snprintf(why, size, "a visit may take %s h at most, this one takes %.2f h", hours, v->seconds / 3600.0);
	} else if (night_blocked(r, first, last, &night)) {
		char day[16];
		day_format(day, night);
		snprintf(why, size, "the night of %s is blocked", day);
	} else if (r->notice_h > 0 && v->now_us + (int64_t)(r->notice_h * 3600e6) > programme_night_begins(first, v->longitude_deg)) {
		text_double(hours, sizeof hours, r->notice_h);
		snprintf(why, size, "it wants notice %s h before the night, which begins at %s", hours,
			 utc_format_s(text, programme_night_begins(first, v->longitude_deg)));
	}
	return why[0] == '\0';
}

double programme_charge_s(const struct programme_rules *r, double duration_s, double exposure_s)
{
	double s = r->charge_overheads ? duration_s : fmin(duration_s, exposure_s);
	return fmax(s, r->charge_minimum_s);
}

double programme_share(const struct programme_rules *r, double given, double left, double used, int64_t now_us)
{
	if (!isnan(r->reserve_fraction))
		return left - r->reserve_fraction * given;
	double years = fmax(0.0, (double)(r->until_us - now_us) / 1e6 / 31557600.0);
	return (left + used) / (r->reserve_per_year * years + 1.0) - used;
}

static int openness(const char *seen_by)
{
	return strcmp(seen_by, "public") == 0 ? 2 : strcmp(seen_by, "collaboration") == 0 ? 1 : 0;
}

bool programme_data_too_closed(const json_t *entry, const json_t *descriptor, const char *data_access, char *why, size_t size)
{
	const json_t *data = json_object_get(entry, "data") ? json_object_get(entry, "data") : json_object_get(descriptor, "data");
	double days = json_number(data, "proprietary_days", 0);
	const char *seen_by = json_text(data, "seen_by", days > 0 ? "proposal" : "public");
	if (!json_is_object(data) || data_access == NULL || openness(days > 0 ? seen_by : "public") >= openness(data_access))
		return false;
	char number[32];
	text_double(number, sizeof number, days);
	snprintf(why, size, "its data are the %s's for %s d, and the policy wants them %s", seen_by, number,
		 strcmp(data_access, "public") == 0 ? "public" : "seen by the collaboration");
	return true;
}

static bool listed(const json_t *list, const char *word)
{
	const json_t *x;
	size_t i;
	json_array_foreach(list, i, x)
		if (json_is_string(x) && strcmp(json_string_value(x), word) == 0)
			return true;
	return false;
}

bool programme_of_policy(const json_t *entry, const char *policy)
{
	const json_t *list = json_object_get(json_object_get(entry, "may_trigger"), "policies");
	return !json_is_array(list) || listed(list, policy);
}

bool programme_mode_triggers(const json_t *entry, const char *mode)
{
	const json_t *list = json_object_get(entry, "trigger_modes");
	return json_is_array(list) ? listed(list, mode) : strcmp(mode, "NORMAL") != 0;
}

/* The alert bot's words: see summary.h. Its defect is to fall silent at any absent field; here that field is "unknown". */
#include "engine/report/summary.h"
#include "engine/base/json.h"
#include "engine/base/utc.h"
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JULIAN_YEAR_S 31557600.0

/* A number as Python prints it: the fewest digits that read back, an exponent only outside 1e-4 … 1e16. */
static void put_number(struct text *out, double value)
{
	char digits[40];
	int n = 0;
	if (!isfinite(value)) {
		text_puts(out, "unknown");
		return;
	}
	do
		snprintf(digits, sizeof digits, "%.*e", n, value);
	while (strtod(digits, NULL) != value && ++n < 17);
	const char *e = strchr(digits, 'e');
	int power = e != NULL ? atoi(e + 1) : 0;
	if (power < -4 || power >= 16)
		text_puts(out, digits);
	else
		text_printf(out, "%.*f", n - power > 1 ? n - power : 1, value);
}

/* A stranger's words: what Slack would take for a link or a call to everybody stands as text (its three escapes). */
static void put_words(struct text *out, const char *words)
{
	for (const char *p = words; *p != '\0'; p++)
		if (*p == '<' || *p == '>' || *p == '&')
			text_puts(out, *p == '<' ? "&lt;" : *p == '>' ? "&gt;" : "&amp;");
		else
			text_add(out, p, 1);
}

static void put_line(struct text *out, const char *name, const char *words)
{
	text_printf(out, "%s: ", name);
	put_words(out, words[0] != '\0' ? words : "unknown");
	text_puts(out, "\n");
}

static void put_time(struct text *out, const char *name, int64_t utc_us, bool whole)
{
	char t[32];
	text_printf(out, "%s: ", name);
	if (utc_us == UTC_NONE)
		text_puts(out, "unknown\n");
	else if (whole)
		text_printf(out, "%s\n", utc_format_s(t, utc_us));
	else if (utc_us % 1000 != 0)
		text_printf(out, "%s\n", utc_format(t, utc_us));
	else /* LVK writes milliseconds */
		text_printf(out, "%.19s.%03dZ\n", utc_format_s(t, utc_us), (int)(((utc_us % UTC_SECOND + UTC_SECOND) % UTC_SECOND) / 1000));
}

static void put_share(struct text *out, const char *label, const json_t *of, const char *key)
{
	double value = json_number(of, key, NAN);
	if (isfinite(value))
		text_printf(out, "%s: %.3f\n", label, value);
	else
		text_printf(out, "%s: unknown\n", label);
}

static void put_detectors(struct text *out, const json_t *instruments)
{
	size_t i;
	json_t *v;
	text_puts(out, "Detectors: [");
	json_array_foreach(instruments, i, v) {
		text_puts(out, i > 0 ? ", '" : "'");
		put_words(out, json_string_value(v));
		text_puts(out, "'");
	}
	text_puts(out, "]\n");
}

static void put_distance(struct text *out, const struct summary_map *map)
{
	if (isfinite(map->distmean_mpc) && isfinite(map->diststd_mpc) && map->distmean_mpc > 0)
		text_printf(out, "\nDistance (Mean): %.3f +/- %.3f Mpc\nDistance modulus: %.3f\n", map->distmean_mpc, map->diststd_mpc,
			5 * log10(map->distmean_mpc) + 25);
	else
		text_puts(out, "\nDistance (Mean): unknown\nDistance modulus: unknown\n");
}

static void lower(char *out, size_t size, const char *in)
{
	size_t n = 0;
	for (; in[n] != '\0' && n + 1 < size; n++)
		out[n] = (char)tolower((unsigned char)in[n]);
	out[n] = '\0';
}

static const char *ref_url(const struct alert *a, const char *type)
{
	size_t i;
	json_t *ref;
	json_array_foreach(a->refs, i, ref)
		if (strcmp(json_text(ref, "type", ""), type) == 0)
			return json_text(ref, "url", NULL);
	return NULL;
}

/* Pictures lie beside the event's page: on GraceDB's own host, or on the playground's when the alert says so. */
static void put_links(struct text *out, const struct alert *a)
{
	char channel[LIMIT_EVENT_ID + 1], host[64] = "gracedb.ligo.org";
	struct text event = {.max = 8 * LIMIT_EVENT_ID};
	const char *page = ref_url(a, "gracedb"), *image = strcmp(a->group, "Burst") == 0 ? "cwb.png" : "bayestar.png";
	if (page != NULL && strncmp(page, "https://gracedb", 15) == 0 && strpbrk(page, "<>|&") == NULL)
		snprintf(host, sizeof host, "%.*s", (int)strcspn(page + 8, "/"), page + 8);
	else
		page = NULL;
	lower(channel, sizeof channel, a->event);
	text_url(&event, a->event);
	text_puts(out, "\n--------------------\nJoin related channel: #");
	put_words(out, channel);
	text_printf(out, "\n<https://%s/apiweb/superevents/%s/files/%s|Skymap Link> | ", host, event.data, image);
	if (page != NULL)
		text_printf(out, "<%s|Grace DB>\n", page);
	else
		text_printf(out, "<https://%s/superevents/%s/view|Grace DB>\n", host, event.data);
	text_free(&event);
}

void summary_text(struct text *out, const struct alert *a, const struct summary_map *map)
{
	if (a->type == ALERT_RETRACTION) {
		text_puts(out, "This alert was retracted.\n");
		return;
	}
	text_printf(out, "Alert Type: %s\n", alert_type_name(a->type));
	put_line(out, "Superevent ID", a->event);
	put_line(out, "Group", a->group);
	text_puts(out, "\n");
	put_time(out, "Event Time", a->time_us, false);
	put_time(out, "Alert Time", a->created_us, true);
	text_puts(out, "FAR [1/yr]: ");
	put_number(out, a->far_hz * JULIAN_YEAR_S);
	text_puts(out, "\n");
	put_detectors(out, a->instruments);
	if (strcmp(a->group, "Burst") != 0) {
		text_puts(out, "\n");
		put_share(out, "Terrestrial ", a->classification, "Terrestrial");
		put_share(out, "BNS", a->classification, "BNS");
		put_share(out, "NSBH", a->classification, "NSBH");
		put_share(out, "BBH", a->classification, "BBH");
		text_puts(out, "\n");
		put_share(out, "Has NS", a->properties, "HasNS");
		put_share(out, "Has Remnant", a->properties, "HasRemnant");
		put_share(out, "Has Mass Gap", a->properties, "HasMassGap");
		put_distance(out, map);
	}
	put_links(out, a);
}

static void put_others(struct text *out, const json_t *of, const char *const *known)
{
	const char *key;
	json_t *v;
	json_object_foreach((json_t *)of, key, v) {
		bool new = true;
		for (int i = 0; known[i] != NULL; i++)
			new = new && strcmp(known[i], key) != 0;
		if (!new)
			continue;
		put_words(out, key);
		text_printf(out, ": %.3f\n", json_number_value(v));
	}
}

static void put_joint(struct text *out, const struct alert *a)
{
	if (!json_is_object(a->external))
		return;
	double far_hz = json_number(a->external, "time_sky_position_coincidence_far", NAN), dt_s = json_number(a->external, "time_difference", NAN);
	if (!isfinite(far_hz))
		far_hz = json_number(a->external, "time_coincidence_far", NAN);
	text_puts(out, "Joint with: ");
	put_words(out, json_text(a->external, "observatory", "an unnamed observatory"));
	if (isfinite(dt_s))
		text_printf(out, ", %+.1f s", dt_s);
	if (isfinite(far_hz)) {
		text_puts(out, ", joint FAR [1/yr] ");
		put_number(out, far_hz * JULIAN_YEAR_S);
	}
	text_puts(out, "\n");
}

void summary_more(struct text *out, const struct alert *a, const struct summary_map *map)
{
	static const char *const classes[] = {"Terrestrial", "BNS", "NSBH", "BBH", NULL}, *const properties[] = {"HasNS", "HasRemnant", "HasMassGap", NULL};
	size_t i;
	json_t *reason;
	if (a->type == ALERT_RETRACTION)
		put_line(out, "Superevent ID", a->event);
	if (a->significant >= 0)
		text_printf(out, "Significant: %s\n", a->significant ? "yes" : "no");
	put_others(out, a->classification, classes);
	put_others(out, a->properties, properties);
	if (isfinite(map->area90_deg2))
		text_printf(out, "90 %% area: %.*f deg^2\n", map->area90_deg2 < 100 ? 1 : 0, map->area90_deg2);
	if (a->time_us != UTC_NONE && a->created_us != UTC_NONE) {
		double late_s = (double)(a->created_us - a->time_us) / 1e6;
		text_printf(out, "Alert after the event: %.*f %s\n", fabs(late_s) < 5400 ? 0 : 1, fabs(late_s) < 5400 ? late_s : late_s / 3600,
			fabs(late_s) < 5400 ? "s" : "h");
	}
	put_joint(out, a);
	json_array_foreach(a->test_reasons, i, reason) {
		text_puts(out, i == 0 ? "A test: " : ", ");
		put_words(out, json_string_value(reason));
	}
	if (json_array_size(a->test_reasons) > 0)
		text_puts(out, "\n");
}

json_t *summary_channels(const struct alert *a)
{
	json_t *out = json_array();
	char own[LIMIT_EVENT_ID + 2] = "#";
	bool two = json_array_size(a->instruments) >= 2, significant = a->significant == 1, cbc = strcmp(a->group, "CBC") == 0;
	if (out == NULL || a->is_test)
		return out;
	lower(own + 1, sizeof own - 1, a->event);
	if (a->type == ALERT_RETRACTION) {
		json_array_append_new(out, json_string(own));
		return out;
	}
	json_array_append_new(out, json_string("#bot-alerts"));
	json_array_append_new(out, json_string(own));
	bool ns = json_number(a->classification, "NSBH", 0) > 0.3 || json_number(a->classification, "BNS", 0) > 0.3 ||
		json_number(a->properties, "HasRemnant", 0) > 0.1;
	if (two && significant && ((cbc && ns) || strcmp(a->group, "Burst") == 0))
		json_array_append_new(out, json_string("#bot-alerts-good"));
	return out;
}

/* struct sim_alert → JSON. */
#include "sim/alert_write.h"
#include "engine/base/hash.h"
#include "engine/base/json.h"
#include "engine/base/utc.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *instruments(const char *list)
{
	json_t *out = json_array();
	char copy[64], *save = NULL;

	text_copy(copy, sizeof copy, list != NULL ? list : "");
	for (char *p = strtok_r(copy, ",", &save); p != NULL; p = strtok_r(NULL, ",", &save))
		json_array_append_new(out, json_string(p));
	return out;
}

static json_t *event_json(const struct sim_alert *a)
{
	char time[32];

	utc_format(time, a->event_us);
	memcpy(time + 23, "Z", 2); /* milliseconds, as LVK writes */
	json_t *event = json_pack("{s:s, s:f, s:b, s:o, s:s, s:s, s:s, s:{s:f, s:f, s:f}, s:{s:f, "
				  "s:f, s:f, s:f}, s:n, s:n, s:s?}",
		"time", time, "far", a->far_hz, "significant", a->significant, "instruments",
		instruments(a->instruments), "group", "CBC", "pipeline", a->pipeline, "search",
		a->search, "properties", "HasNS", a->has_ns, "HasRemnant", a->has_remnant,
		"HasMassGap", a->has_mass_gap, "classification", "BNS", a->p_bns, "NSBH", a->p_nsbh,
		"BBH", a->p_bbh, "Terrestrial", a->p_terrestrial, "duration", "central_frequency",
		"skymap", a->map != NULL ? "" : NULL);
	return event;
}

/* The map's base64 goes between the quotes that were left for it: jansson would look at each of its characters twice. */
static void splice_map(const struct sim_alert *a, const char *bytes, struct text *out)
{
	static const char mark[] = "\"skymap\": \"";
	const char *at = a->map != NULL ? strstr(bytes, mark) : NULL;
	char *map = at != NULL ? base64_encode(a->map, a->map_len) : NULL;

	if (at == NULL) {
		text_puts(out, bytes);
		return;
	}
	text_add(out, bytes, (size_t)(at - bytes) + sizeof mark - 1);
	text_puts(out, map != NULL ? map : "");
	text_puts(out, at + sizeof mark - 1);
	out->failed |= map == NULL;
	free(map);
}

int sim_alert_write(const struct sim_alert *a, struct text *out, struct err *e)
{
	char created[32], url[160];
	bool retraction = strcmp(a->type, "RETRACTION") == 0;

	utc_format_s(created, a->created_us);
	snprintf(url, sizeof url, "https://example.org/superevents/%.80s/view/", a->event);
	json_t *j = json_pack("{s:s, s:s, s:s, s:{s:s}, s:o, s:n}", "alert_type", a->type,
		"time_created", created, "superevent_id", a->event, "urls", "gracedb", url, "event",
		retraction ? json_null() : event_json(a), "external_coinc");
	char *bytes = j != NULL ? json_dumps(j, JSON_INDENT(1)) : NULL;
	json_decref(j);
	if (bytes == NULL)
		return err_set(e, ERR_MEMORY, "made-up alert %s %s: no memory", a->event, a->type);
	splice_map(a, bytes, out);
	free(bytes);
	return out->failed ? err_set(e, ERR_LIMIT, "made-up alert %s: larger than %zu bytes",
				     a->event, out->max)
			   : 0;
}

static void shift_time(json_t *object, const char *key, int64_t by_us)
{
	struct err e = {0};
	int64_t t;
	char text[32];

	if (utc_parse(json_text(object, key, ""), &t, &e) == 0)
		json_object_set_new(object, key, json_string(utc_format(text, t + by_us)));
}

int sim_alert_shift(const void *bytes, size_t len, int64_t by_us, char **out, size_t *out_len, struct err *e)
{
	json_t *j = json_loadb(bytes, len, 0, NULL);

	*out = NULL;
	if (json_is_object(j)) {
		shift_time(j, "time_created", by_us);
		if (json_is_object(json_object_get(j, "event")))
			shift_time(json_object_get(j, "event"), "time", by_us);
		*out = json_dumps(j, JSON_INDENT(1));
	}
	json_decref(j);
	if (*out == NULL)
		return err_set(e, ERR_INPUT,
			"its times cannot be moved to --start: not a JSON object; leave --start "
			"away");
	*out_len = strlen(*out);
	return 0;
}

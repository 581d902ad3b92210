/* What the portal offers now, against what the descriptor says: instruments, filters, read-out modes; and scheduled downtimes. */
#include "facilities/ocs.h"
#include "engine/base/json.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include <stdio.h>
#include <string.h>

/* Is a code in that list of {"code","schedulable"}, and may it be asked for? */
static bool has_code(const json_t *list, const char *code)
{
	const json_t *one;
	size_t i;
	json_array_foreach(list, i, one)
		if (strcmp(json_text(one, "code", ""), code) == 0)
			return json_flag(one, "schedulable", true);
	return false;
}

/* The list in which a filter of the instrument is looked up: the read-out modes, or an optical element's (its name has an s more). */
static const json_t *choices(const json_t *instrument, const json_t *offered)
{
	const json_t *model = json_object_get(instrument, "exposure"), *value;
	const json_t *readout = json_object_get(json_object_get(json_object_get(offered, "modes"), "readout"), "modes");
	char group[64] = "filters";
	if (strcmp(json_text(model, "mode", ""), "$filter") == 0)
		return readout;
	bool named = model == NULL;
	const char *key;
	json_object_foreach((json_t *)json_object_get(model, "optical_elements"), key, value)
		if (json_is_string(value) && strcmp(json_string_value(value), "$filter") == 0) {
			snprintf(group, sizeof group, "%.60ss", key);
			named = true;
		}
	return named ? json_object_get(json_object_get(offered, "optical_elements"), group) : NULL; /* NULL: its filters are not chosen */
}

json_t *ocs_not_offered(const json_t *descriptor, const json_t *instruments)
{
	json_t *off = json_array();
	const json_t *list = json_object_get(descriptor, "instruments"), *one, *filter;
	size_t i, k;
	json_array_foreach(list, i, one) {
		const char *code = json_text(one, "code", "?"), *mode = json_text(one, "mode", "");
		const json_t *offered = json_object_get(instruments, code), *among = choices(one, offered);
		const json_t *readout = json_object_get(json_object_get(json_object_get(offered, "modes"), "readout"), "modes");
		if (offered == NULL || (mode[0] != '\0' && json_is_array(readout) && !has_code(readout, mode))) {
			json_array_append_new(off, json_string(code));
			continue;
		}
		json_array_foreach(json_object_get(one, "filters"), k, filter)
			if (json_is_array(among) && json_is_string(filter) && !has_code(among, json_string_value(filter)))
				json_array_append_new(off, json_sprintf("%s:%s", code, json_string_value(filter)));
	}
	return off;
}

/* Does the descriptor have that telescope, "coj.doma.1m0a"? */
static bool ours(const json_t *descriptor, const char *telescope)
{
	const json_t *list = json_object_get(descriptor, "sites"), *site, *one;
	size_t i, k;
	char key[80];
	json_array_foreach(list, i, site)
		json_array_foreach(json_object_get(site, "telescopes"), k, one) {
			snprintf(key, sizeof key, "%s.%s", json_text(site, "code", "?"), json_is_string(one) ? json_string_value(one) : "?");
			if (strcmp(key, telescope) == 0)
				return true;
		}
	return false;
}

json_t *ocs_downtimes(const json_t *descriptor, const json_t *page, int64_t now_us)
{
	json_t *out = json_array();
	const json_t *row;
	size_t i;
	json_array_foreach(json_object_get(page, "results"), i, row) {
		char telescope[80], reason[120], instrument[64];
		int64_t start_us = ocs_time(row, "start"), end_us = ocs_time(row, "end");
		snprintf(telescope, sizeof telescope, "%.20s.%.20s.%.20s", json_text(row, "site", "?"), json_text(row, "enclosure", "?"), json_text(row, "telescope", "?"));
		if (start_us == UTC_NONE || end_us <= now_us || json_array_size(out) >= OCS_DOWNTIMES || !ours(descriptor, telescope))
			continue;
		text_escape(reason, sizeof reason, json_text(row, "reason", ""), strlen(json_text(row, "reason", "")));
		text_escape(instrument, sizeof instrument, json_text(row, "instrument_type", ""), strlen(json_text(row, "instrument_type", "")));
		json_array_append_new(out, json_pack("{s:s, s:s, s:I, s:I, s:s+}", "telescope", telescope, "instrument", instrument, "start_us", (json_int_t)start_us,
						     "end_us", (json_int_t)end_us, "reason", "Downtime: ", reason));
	}
	return out;
}

const char *ocs_down_now(const json_t *downtimes, const char *telescope, int64_t now_us)
{
	const json_t *one;
	size_t i;
	json_array_foreach(downtimes, i, one)
		if (strcmp(json_text(one, "telescope", ""), telescope) == 0 && json_text(one, "instrument", "")[0] == '\0' &&
		    json_int(one, "start_us", INT64_MAX) <= now_us && now_us < json_int(one, "end_us", INT64_MIN))
			return json_text(one, "reason", "Downtime");
	return NULL;
}

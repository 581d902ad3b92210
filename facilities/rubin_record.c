/* The nine fields of lsst.scimma.too_alert, built and checked. A wrong map size, a blank in a time or a missing pixel stops the telescope's scheduler,
 * and the row stays in its window for eight days: so every rule that is known is kept here, before anything leaves. */
#include "facilities/rubin.h"
#include "engine/base/json.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include <math.h>
#include <chealpix.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEG (180.0 / M_PI)

const char *rubin_value_schema(void)
{
	return "{\"type\":\"record\",\"name\":\"too_alert\",\"namespace\":\"lsst.scimma\",\"fields\":["
	       "{\"name\":\"source\",\"type\":\"string\"},"
	       "{\"name\":\"instrument\",\"type\":{\"type\":\"array\",\"items\":\"string\"}},"
	       "{\"name\":\"alert_type\",\"type\":\"string\"},"
	       "{\"name\":\"event_trigger_timestamp\",\"type\":\"string\"},"
	       "{\"name\":\"reward_map\",\"type\":{\"type\":\"array\",\"items\":\"boolean\"}},"
	       "{\"name\":\"reward_map_nside\",\"type\":\"int\"},"
	       "{\"name\":\"is_test\",\"type\":\"boolean\"},"
	       "{\"name\":\"is_update\",\"type\":\"boolean\"},"
	       "{\"name\":\"timestamp\",\"type\":\"long\"}]}";
}

const json_t *rubin_settings(const struct facility_conf *conf)
{
	return json_object_get(conf->descriptor, "too");
}

bool rubin_is_file(const struct facility_conf *conf)
{
	return strcmp(json_text(rubin_settings(conf), "transport", "rest"), "file") == 0;
}

const char *rubin_label(const json_t *too, const char *policy)
{
	const json_t *entry;
	size_t i;
	json_array_foreach(json_object_get(too, "labels"), i, entry)
		if (strcmp(json_text(entry, "policy", ""), policy) == 0)
			return json_text(entry, "label", NULL);
	return NULL;
}

/* The scheduler follows an alert when a survey's label stands anywhere in the alert's. */
const json_t *rubin_survey(const json_t *too, const char *label)
{
	const json_t *entry;
	size_t i;
	json_array_foreach(json_object_get(too, "surveys"), i, entry) {
		const char *followed = json_text(entry, "label", "");
		if (followed[0] != '\0' && strstr(label, followed) != NULL)
			return entry;
	}
	return NULL;
}

double rubin_cell_dec_deg(int cell)
{
	double theta, phi;
	pix2ang_nest64(RUBIN_NSIDE, cell, &theta, &phi);
	return 90.0 - theta * DEG;
}

/* The region --------------------------------------------------------------------------------------------------------------------------- */

/* Digits at *s; -1 when there are none, or too many. */
static int64_t number_read(const char **s)
{
	int64_t n = 0;
	size_t digits = strspn(*s, "0123456789");
	if (digits == 0 || digits > 19)
		return -1;
	for (size_t i = 0; i < digits; i++, (*s)++) {
		if (n > (INT64_MAX - 9) / 10)
			return -1;
		n = 10 * n + (**s - '0');
	}
	return n;
}

/* Coarser cells set all their children, finer ones their parent. */
static void cells_set(bool mask[RUBIN_CELLS], int64_t order, int64_t first, int64_t last)
{
	int shift = 2 * (int)(order - RUBIN_ORDER);
	int64_t from = shift >= 0 ? first >> shift : first << -shift, to = shift >= 0 ? last >> shift : ((last + 1) << -shift) - 1;
	for (int64_t i = from; i <= to; i++)
		mask[i] = true;
}

int rubin_mask(const char *moc, bool mask[RUBIN_CELLS], struct err *e)
{
	int64_t order = -1;
	const char *s = moc;
	memset(mask, 0, RUBIN_CELLS * sizeof *mask);
	for (;;) {
		s += strspn(s, " ,\n\t");
		if (*s == '\0')
			return 0;
		const char *word = s;
		int64_t first = number_read(&s), last = first;
		if (first >= 0 && *s == '/') {
			order = first;
			s++;
			continue;
		}
		if (first >= 0 && *s == '-') {
			s++;
			last = number_read(&s);
		}
		if (order < 0 || order > 29 || first < 0 || last < first || last >= INT64_C(12) << (2 * order))
			return err_set(e, ERR_INPUT, "region at \"%.20s\": no cells of a coverage (ORDER/CELL-CELL …); the ranking made it", word);
		cells_set(mask, order, first, last);
	}
}

/* Rules -------------------------------------------------------------------------------------------------------------------------------- */

static bool is_plain(const char *s, size_t most)
{
	size_t n = strlen(s);
	return n >= 1 && n <= most && strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:+-") == n;
}

/* The one form of time that is read there: 2026-11-20T03:05:21.123Z. */
static bool is_isot(const char *s)
{
	static const char form[] = "dddd-dd-ddTdd:dd:dd.dddZ";
	struct err e = {0};
	int64_t utc_us;
	if (strlen(s) != sizeof form - 1)
		return false;
	for (size_t i = 0; form[i] != '\0'; i++)
		if (form[i] == 'd' ? s[i] < '0' || s[i] > '9' : s[i] != form[i])
			return false;
	return utc_parse(s, &utc_us, &e) == 0;
}

static int mask_check(const bool mask[RUBIN_CELLS], struct err *e)
{
	int count = 0;
	double least_deg = 90.0;
	for (int i = 0; i < RUBIN_CELLS; i++) {
		if (!mask[i])
			continue;
		count++;
		least_deg = fmin(least_deg, rubin_cell_dec_deg(i));
	}
	if (count == 0)
		return err_set(e, ERR_INPUT, "reward_map: no cell is set: the event has no region yet; give the policy targets.from \"region\"");
	if (count == RUBIN_CELLS)
		return err_set(e, ERR_INPUT, "reward_map: the whole sky is set: that is no region");
	if (least_deg >= RUBIN_DEC_MAX_DEG)
		return err_set(e, ERR_INPUT, "reward_map: it begins at declination %+.1f: Rubin follows nothing that lies wholly north of %+.0f", least_deg, RUBIN_DEC_MAX_DEG);
	return 0;
}

int rubin_record_check(const json_t *too, const struct rubin_record *r, struct err *e)
{
	if (!is_plain(r->source, 60))
		return err_set(e, ERR_INPUT, "source \"%.60s\": 1 to 60 letters, digits and _.:+- are wanted: it is put into a query there", r->source);
	if (!is_plain(r->label, 60))
		return err_set(e, ERR_INPUT, "alert_type \"%.60s\": 1 to 60 letters, digits and _.:+- are wanted", r->label);
	if (rubin_survey(too, r->label) == NULL)
		return err_set(e, ERR_INPUT, "alert_type \"%.60s\": no survey of the telescope follows it; map the policy to one of too.surveys", r->label);
	for (int i = 0; i < RUBIN_DETECTORS; i++)
		if (r->instrument[i][0] != '\0' && !is_plain(r->instrument[i], 16))
			return err_set(e, ERR_INPUT, "instrument \"%.16s\": at most 16 letters, digits and _.:+- are wanted", r->instrument[i]);
	if (!is_isot(r->trigger))
		return err_set(e, ERR_INPUT, "event_trigger_timestamp \"%.30s\": 2026-11-20T03:05:21.123Z is the only form that is read", r->trigger);
	if (r->timestamp_ms < INT64_C(1000000000000) || r->timestamp_ms > INT64_C(9999999999999))
		return err_set(e, ERR_INPUT, "timestamp %lld: not in milliseconds since 1970", (long long)r->timestamp_ms);
	return mask_check(r->mask, e);
}

/* Building ----------------------------------------------------------------------------------------------------------------------------- */

static void trigger_write(char out[32], int64_t utc_us)
{
	char stamp[32];
	utc_format(stamp, utc_us); /* 2026-11-20T03:05:21.123456Z */
	snprintf(out, 32, "%.23sZ", stamp);
}

static int detectors_copy(const json_t *detectors, struct rubin_record *r, struct err *e)
{
	const json_t *v;
	size_t i;
	json_array_foreach(detectors, i, v)
		if (i < RUBIN_DETECTORS && (!json_is_string(v) || !text_copy(r->instrument[i], sizeof r->instrument[i], json_string_value(v))))
			return err_set(e, ERR_INPUT, "instrument %zu: no name of a detector", i);
	return 0;
}

int rubin_record_make(const struct facility_conf *conf, const struct view *v, const char *source, int64_t timestamp_ms, struct rubin_record *out, struct err *e)
{
	const struct facility_request *q = v->request;
	const json_t *too = rubin_settings(conf);
	const char *label = rubin_label(too, q->policy != NULL ? q->policy : "");
	*out = (struct rubin_record){.is_test = q->is_test, .is_update = q->is_update, .timestamp_ms = timestamp_ms};
	if (label == NULL)
		return err_set(e, ERR_INPUT, "policy %.60s has no strategy label at %.60s; add it to too.labels of that facility", q->policy != NULL ? q->policy : "-", conf->name);
	if (!text_copy(out->source, sizeof out->source, source) || !text_copy(out->label, sizeof out->label, label))
		return err_set(e, ERR_INPUT, "source or label is over 60 characters");
	if (q->event_us == UTC_NONE)
		return err_set(e, ERR_INPUT, "event_trigger_timestamp: the time of %.60s is not known", q->event);
	trigger_write(out->trigger, q->event_us);
	if (detectors_copy(q->detectors, out, e) < 0 || rubin_mask(q->region != NULL ? q->region : "", out->mask, e) < 0)
		return -1;
	return rubin_record_check(too, out, e);
}

json_t *rubin_record_json(const struct rubin_record *r)
{
	json_t *map = json_array(), *instrument = json_array();
	for (int i = 0; i < RUBIN_CELLS; i++)
		json_array_append_new(map, json_boolean(r->mask[i]));
	for (int i = 0; i < RUBIN_DETECTORS; i++)
		json_array_append_new(instrument, json_string(r->instrument[i]));
	return json_pack("{s:s,s:o,s:s,s:s,s:o,s:i,s:b,s:b,s:I}", "source", r->source, "instrument", instrument, "alert_type", r->label, "event_trigger_timestamp",
			 r->trigger, "reward_map", map, "reward_map_nside", RUBIN_NSIDE, "is_test", (int)r->is_test, "is_update", (int)r->is_update, "timestamp",
			 (json_int_t)r->timestamp_ms);
}

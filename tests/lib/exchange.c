/* See exchange.h. */
#include "exchange.h"
#include "test.h"
#include "engine/base/json.h"
#include "engine/base/utc.h"

int64_t exchange_time(const json_t *object, const char *key, int64_t otherwise)
{
	struct err e = {0};
	int64_t utc_us = otherwise;
	const char *text = json_text(object, key, NULL);
	if (text != NULL && utc_parse(text, &utc_us, &e) < 0)
		fail_msg("%s: %s", key, e.text);
	return utc_us;
}

struct facility_request exchange_request(const json_t *j, int64_t now_us)
{
	return (struct facility_request){
		.token = json_text(j, "token", "slew-00000000-0123456789abcdef0123"), .remote_id = json_text(j, "remote_id", ""),
		.event = "S261123ab", .target_name = json_text(j, "target_name", "NGC 1365"), .proposal = json_text(j, "proposal", "TOO2026B"),
		.mode = json_text(j, "mode", "NORMAL"), .ra_deg = json_number(j, "ra_deg", 53.4016), .dec_deg = json_number(j, "dec_deg", -36.1404),
		.exposure_s = json_number(j, "exposure_s", 60), .ipp = json_number(j, "ipp", 1.05), .max_airmass = json_number(j, "max_airmass", 1.6),
		.min_moon_deg = json_number(j, "min_moon_deg", 20), .count = (int)json_int(j, "count", 3), .filters = json_object_get(j, "filters"),
		.instrument = json_text(j, "instrument", "1M0-SCICAM-SINISTRO"), .site = json_text(j, "site", ""),
		.start_us = exchange_time(j, "start", now_us), .end_us = exchange_time(j, "end", now_us + UTC_DAY), .created_us = now_us,
		.policy = json_text(j, "policy", NULL), .region = json_text(j, "region", NULL), .event_us = exchange_time(j, "event_time", UTC_NONE)};
}

struct reply exchange_reply(const json_t *j, char **body)
{
	const char *sent = json_text(j, "sent", "answered");
	const json_t *value = json_object_get(j, "body");
	*body = value == NULL ? strdup("") : json_is_string(value) ? strdup(json_string_value(value)) : json_dumps(value, JSON_COMPACT);
	return (struct reply){.sent = strcmp(sent, "no") == 0 ? SENT_NO : strcmp(sent, "maybe") == 0 ? SENT_MAYBE : SENT_ANSWERED,
			      .status = (int)json_int(j, "status", 0), .content_type = json_text(j, "content_type", "application/json"),
			      .transport = json_text(j, "transport", ""), .retry_after_s = json_int(j, "retry_after_s", -1), .body = *body, .len = strlen(*body)};
}

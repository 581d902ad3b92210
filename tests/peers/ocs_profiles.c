/* What the OCS adapter would ask of every instrument of every descriptor: `ocs_profiles PROPOSAL` prints lines of facility, instrument,
 * mode, filter and body, separated by tabs. profiles.sh lets a real portal judge them. */
#include "embedded.h"
#include "engine/base/embed.h"
#include "engine/base/json.h"
#include "engine/base/utc.h"
#include "facilities/facility.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int64_t now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * UTC_SECOND + t.tv_nsec / 1000;
}

/* A target high at midnight from both hemispheres, whatever the season. */
static int print_one(const json_t *descriptor, const json_t *instrument, const char *proposal, const char *mode, const json_t *filter)
{
	static int serial;
	char token[64];
	const struct facility_conf conf = {json_text(descriptor, "name", ""), descriptor};
	json_t *filters = json_pack("[O]", filter);
	int64_t now = now_us();
	snprintf(token, sizeof token, "slew-%08x-%020d", (unsigned)(now / UTC_SECOND), ++serial);
	const struct facility_request q = {.token = token, .remote_id = "", .event = "S261123ab", .target_name = "opposite the Sun", .proposal = proposal, .mode = mode,
		.ra_deg = fmod(280.46 + 0.9856474 * utc_j2000_days(now) + 180, 360), .dec_deg = -10, .exposure_s = 60, .ipp = 1.01, .max_airmass = 2.0,
		.min_moon_deg = 0, .count = 2, .filters = filters, .instrument = json_text(instrument, "code", ""), .site = "", .start_us = now,
		.end_us = now + 23 * UTC_HOUR};
	const struct view v = {.now_us = now, .verb = VERB_OFFER, .request = &q, .prefix = "slew-"};
	struct call c;
	struct err e = {0};
	int rc = facility_render(facility_find("ocs"), &conf, &v, &c, &e);
	if (rc != 0)
		fprintf(stderr, "%s %s: %s\n", conf.name, q.instrument, e.text);
	else
		printf("%s\t%s\t%s\t%s\t%s\n", conf.name, q.instrument, mode, json_string_value(filter), c.body);
	call_free(&c);
	json_decref(filters);
	return rc;
}

/* Every filter in the mode that comes last (NORMAL), and every other mode with the first filter. */
static int print_instrument(const json_t *descriptor, const json_t *instrument, const char *proposal)
{
	const json_t *modes = json_object_get(descriptor, "modes"), *filters = json_object_get(instrument, "filters"), *one;
	size_t i, last = json_array_size(modes);
	int bad = 0;
	json_array_foreach(filters, i, one)
		bad |= print_one(descriptor, instrument, proposal, json_string_value(json_array_get(modes, last - 1)), one);
	for (i = 0; i + 1 < last; i++)
		bad |= print_one(descriptor, instrument, proposal, json_string_value(json_array_get(modes, i)), json_array_get(filters, 0));
	return bad;
}

int main(int argc, char **argv)
{
	int bad = 0;
	size_t i;
	if (argc != 2) {
		fprintf(stderr, "usage: ocs_profiles PROPOSAL\n");
		return 2;
	}
	for (const struct embed *f = embed_table; f->path != NULL; f++) {
		const json_t *instrument;
		if (strncmp(f->path, "facilities/", 11) != 0)
			continue;
		json_t *descriptor = embedded_json(f->path);
		if (strcmp(json_text(descriptor, "adapter", ""), "ocs") == 0)
			json_array_foreach(json_object_get(descriptor, "instruments"), i, instrument)
				bad |= print_instrument(descriptor, instrument, argv[1]);
		json_decref(descriptor);
	}
	return bad != 0;
}

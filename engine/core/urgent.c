/* What still goes in while the disk is full: the ballast's room is for that alone. */
#define _GNU_SOURCE /* memmem */
#include "engine/base/json.h"
#include "engine/core/core.h"
#include <string.h>

static bool order_stops(const struct input *in)
{
	struct err e = {0};
	json_t *order = json_read(in->body, in->len, &json_limits_config, &e);
	const char *verb = json_text(order, "verb", "");
	bool stops = strcmp(verb, "veto") == 0 || strcmp(verb, "hold") == 0 || strcmp(verb, "cancel") == 0 || strcmp(verb, "disk") == 0;
	json_decref(order);
	return stops;
}

bool core_urgent(const struct input *in)
{
	switch (in->kind) {
	case INPUT_alert:
		return memmem(in->body, in->len, "RETRACTION", 10) != NULL || memmem(in->body, in->len, "retraction", 10) != NULL;
	case INPUT_order:
		return order_stops(in);
	case INPUT_reply:
	case INPUT_timer:
		return true;
	default:
		return false;
	}
}

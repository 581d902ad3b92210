/* Alert bytes → struct alert: one decoder a file, one table topic/content → decoder. Total: any bytes give an alert or an error. */
#ifndef ENGINE_ALERT_ALERT_H
#define ENGINE_ALERT_ALERT_H
#include "engine/base/err.h"
#include "engine/base/limits.h"
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum alert_type { /* in rank order: what supersedes what when two have the same time of creation */
	ALERT_EARLYWARNING, ALERT_PRELIMINARY, ALERT_INITIAL, ALERT_UPDATE, ALERT_RETRACTION, ALERT_TYPES
};
const char *alert_type_name(enum alert_type type); /* "EARLYWARNING" … */

/* One decoded alert. Unknown numbers are NaN, unknown times UTC_NONE, unknown text "". Owned by the caller; alert_free gives it back. */
struct alert {
	char source[16];                /* issuer, closed list: "lvk" (set from content) */
	char kind[16];                  /* "GW" (messenger) */
	char event[LIMIT_EVENT_ID + 1]; /* superevent id, printable */
	enum alert_type type;
	int64_t created_us, time_us;    /* time_created; time of the merger */
	char sha256[65];                /* of the alert's bytes */
	bool is_test;
	json_t *test_reasons;           /* array of strings: every sign found */
	int significant;                /* 1, 0, or -1 unknown */
	double far_hz;
	json_t *classification, *properties, *instruments, *external, *refs; /* objects, array, object or null, array; never NULL */
	char group[32], search[32], pipeline[32];
	double ra_deg, dec_deg, error_deg, error_level;
	char map_url[512];
	unsigned char *map;             /* FITS bytes (the combined map when there is one), malloc'd, or NULL */
	size_t map_len;
	char map_sha256[65], map_kind[16]; /* "" when there is none; "skymap" | "combined" */
	char map_error[160];            /* why there is no map although one was sent (also in refs); "" else */
};

/* hint: the topic, may be NULL; used only as one more sign of a test ("igwn.gwalert-playground": a word playground, test, mock, mdc … in it).
 * A map that cannot be decoded does not cost the alert: map stays NULL and map_error says why. */
int alert_decode(const void *bytes, size_t len, const char *hint, struct alert *out, struct err *e);
void alert_free(struct alert *a);

/* The normal form (what `slew decode` prints): one JSON object, new reference. stream: where it was heard, may be NULL. */
json_t *alert_json(const struct alert *a, const char *stream);
#endif

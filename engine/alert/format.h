/* What the decoders share: the bytes as heard, and the table of wire formats. */
#ifndef ENGINE_ALERT_FORMAT_H
#define ENGINE_ALERT_FORMAT_H
#include "engine/alert/alert.h"
#include "engine/alert/skim.h"

/* Bytes from a stranger, looked at once. Borrowed. */
struct heard {
	const char *bytes;
	size_t len;
	const char *topic;            /* "" when it is not known */
	const json_t *json;           /* the text without its maps, when it is JSON or an Avro file; else NULL */
	struct span skymap, combined; /* the maps cut out of it: base64 of JSON, the bytes themselves of Avro */
	bool avro;
};

/* One wire format. decode NULL: known by sight, not read by this version. */
struct alert_format {
	const char *name;
	bool (*is)(const struct heard *h);
	int (*decode)(const struct heard *h, struct alert *out, struct err *e);
};

bool igwn_json_is(const struct heard *h);
int igwn_json_decode(const struct heard *h, struct alert *out, struct err *e);

/* Adds {"type":type,"url"|"text":value} to the alert's refs. */
void alert_ref(struct alert *a, const char *type, const char *key, const char *value);
/* Adds a reason to believe that this is a test; says it once. */
void alert_test(struct alert *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
#endif

/* Positions and descriptors as a person writes them on a command line. */
#ifndef ENGINE_CMD_PLACE_H
#define ENGINE_CMD_PLACE_H
#include "engine/base/err.h"
#include "engine/target/footprint.h"
#include <jansson.h>
#include <stdbool.h>

/* One angle: degrees ("197.4488"), or sexagesimal ("13:09:47.7", "-23 23 02", "13h09m47.7s"); hours: the sexagesimal form counts in hours. */
int place_angle(const char *text, bool hours, double *deg, struct err *e);

/* RA and Dec, as two words or both in the first one ("13:09:47.7 -23:23:02", "197.4 -23.4"; dec NULL). Degrees; ranges are checked. */
int place_read(const char *ra, const char *dec, double *ra_deg, double *dec_deg, struct err *e);

/* Descriptor of a facility by name (embedded) or path. New reference, or NULL with e set. */
json_t *place_descriptor(const char *name_or_path, struct err *e);

/* A camera's field, by words of the user (footprint_find) over the descriptors that come with the program. */
int place_footprint(const char *words, struct footprint *out, struct err *e);
#endif

/* A multi-order 3-D sky map as FITS bytes, as LVK alerts carry it (LVK user guide,
 * multi-order sky maps); no library needed. */
#ifndef SIM_SKYMAP_WRITE_H
#define SIM_SKYMAP_WRITE_H
#include "engine/base/err.h"
#include "engine/base/text.h"
#include "sim/localise.h"
#include <stdint.h>

struct sim_map_header {
	const char *object, *instruments; /* "S261123ab", "H1,L1,V1" */
	int64_t event_us, made_us;
};

/* Appends the file to *out (start with {.max = …}); 40 bytes a cell and two headers. */
int sim_map_fits(
	const struct sim_map *m, const struct sim_map_header *h, struct text *out, struct err *e);
#endif

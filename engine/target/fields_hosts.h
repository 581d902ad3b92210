/* What fields are chosen for: galaxies with the probability of each to be the host, and the sky with the probability that no galaxy of the
 * catalogue explains. */
#ifndef ENGINE_TARGET_FIELDS_HOSTS_H
#define ENGINE_TARGET_FIELDS_HOSTS_H
#include "engine/target/fields.h"
#include "engine/target/rank.h"
#include "engine/target/weight.h"

#define FIELDS_SPREAD 20000 /* galaxies that are looked at one by one */

enum fields_from {
	FIELDS_FROM_GALAXIES, /* the ranked galaxies; what the catalogue lacks is not looked for */
	FIELDS_FROM_SKY,      /* the map alone, its 2-D probability */
	FIELDS_FROM_BOTH      /* galaxies, and what the catalogue lacks per cell (missing.h); where that is not known, half each */
};
int fields_from_find(const char *name); /* "galaxies" "fields" "both"; −1: none of them */

struct fields_hosts {
	struct ranking ranking;        /* FROM_SKY: empty */
	struct fields_galaxy *galaxy;
	size_t galaxies;               /* the first of the ranking: those that are packed */
	double *missing;               /* one a cell of the map: what no packed galaxy explains; NULL: FROM_GALAXIES */
	double outside;                /* probability of a host that the catalogue lacks; NaN: not known */
};

/* catalogue: NULL with FROM_SKY. top: galaxies that are packed, at most. FROM_BOTH: those behind them stay on the sky in their cells, and what is
 * behind FIELDS_SPREAD of them follows the map: galaxies and missing add up to 1. FROM_GALAXIES: they count nowhere. */
int fields_hosts_make(const struct skymap *m, const struct catalog *c, enum fields_from from, enum weight_kind weight, int64_t top,
	struct fields_hosts *out, struct err *e);
void fields_hosts_free(struct fields_hosts *h);
#endif

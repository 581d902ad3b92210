/* Plots as SVG: a sky with its map and galaxies, altitudes over a night, a timeline on two clocks. For reports that must be read anywhere.
 *
 * Pure: each appends one self-contained <svg> element (no script, no ids, no external font) to a struct text; colours are those of
 * Okabe and Ito, so that they stay apart for colour-blind eyes and in grey. Strings from strangers are escaped. What does not fit is
 * left out, never drawn over something else. Check text.failed at the end. */
#ifndef ENGINE_REPORT_PLOT_H
#define ENGINE_REPORT_PLOT_H
#include "engine/base/text.h"
#include "engine/target/skymap.h"
#include "engine/target/visibility.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLOT_LABELS 64 /* labels kept apart from each other in one plot; more are left out */

/* Sky ------------------------------------------------------------------------------------------------------------------------- */

enum plot_mark { PLOT_RANKED, PLOT_ASKED, PLOT_SEEN, PLOT_REFUSED }; /* hollow · orange · filled blue · crossed */
struct plot_galaxy {
	double ra_deg, dec_deg, share;
	const char *name;          /* NULL: no label */
	enum plot_mark mark;
};
struct plot_sky {
	const char *title;
	const struct skymap *map;  /* NULL: galaxies only */
	const struct plot_galaxy *galaxies;
	size_t count;              /* best first: labels are given in this order */
	double truth_ra_deg, truth_dec_deg;      /* NaN: not known */
	double centre_ra_deg, centre_dec_deg;    /* of the panel; NaN: chosen */
	double halfwidth_deg;      /* of a zoomed panel (gnomonic); ≥ 60: the whole sky (Mollweide); NaN: by the 90 % region */
	const struct ephemeris_local *local;     /* horizon and Moon of a site at a time; NULL: none */
	const char *local_name;    /* "lsc 23:13 UTC" */
};
/* 0, or -1 without memory. */
int plot_sky(struct text *out, const struct plot_sky *p, struct err *e);

/* Altitudes -------------------------------------------------------------------------------------------------------------------- */

struct plot_star {
	const char *name;
	double ra_deg, dec_deg;
};
struct plot_slot {
	size_t star;
	int64_t start_us, end_us;
	bool chosen;               /* false: refused */
	const char *why;           /* short, or NULL: "airmass" */
};
struct plot_altitude {
	const char *title;
	const struct visibility_night *night;
	size_t site;
	int64_t start_us, end_us;
	const struct plot_star *stars; /* at most 7 are drawn */
	size_t count;
	const struct plot_slot *slots;
	size_t slot_count;
	double airmass_max;        /* line; NaN: none */
	int64_t now_us;            /* vertical line; UTC_NONE: none */
};
void plot_altitude(struct text *out, const struct plot_altitude *p);

/* Timeline --------------------------------------------------------------------------------------------------------------------- */

enum plot_tone { PLOT_PLAIN, PLOT_GOOD, PLOT_BAD, PLOT_NEUTRAL };
struct plot_tick {
	size_t lane;
	int64_t sky_us, wall_us;   /* wall_us UTC_NONE: not known */
	const char *label;
	enum plot_tone tone;
};
struct plot_timeline {
	const char *title;
	const char *const *lanes;
	size_t lane_count;
	const struct plot_tick *ticks; /* by sky_us */
	size_t count;
	int64_t wall_zero_us;      /* wall clock is labelled as seconds since then */
};
/* Sky time on the upper axis; on the lower one the wall clock, straight between the ticks that know both. */
void plot_timeline(struct text *out, const struct plot_timeline *p);
#endif

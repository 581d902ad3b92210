/* How the chance of having seen, and of having identified, the event grows with each visit: as numbers and as a picture. Pure. */
#ifndef ENGINE_REPORT_PROGRESS_H
#define ENGINE_REPORT_PROGRESS_H
#include "engine/report/svg.h"
#include "engine/target/kilonova.h"
#include <jansson.h>

/* One visit to a target, done or still to come. All borrowed. */
struct progress_visit {
	int64_t start_us, end_us;
	bool done;
	const char *target;                   /* key: visits to one target belong together */
	double host;                          /* chance that it is the host */
	double distance_mpc, ebv_mag;         /* NaN: not known */
	const json_t *filters, *limit_mag;    /* arrays side by side; NULL: how deep is not known */
};

/* After a visit has ended. */
struct progress_point {
	int64_t utc_us;
	double seen;       /* chance that the host was looked at */
	double detected;   /* … and would have shown a kilonova at 5 sigma, over the families' priors */
	double identified; /* … and be known for one: two detections ≥ 30 min apart within 36 h, and a colour or a fade (engine/request/plan_light.h) */
};

/* Points after each of the visits that are done (or of all), by their end; out holds count. Returns how many. A visit whose depth or distance
 * is not known is seen and shows nothing. */
size_t progress_of(const struct progress_visit *visits, size_t count, bool all, int64_t event_us, const struct kilonova_prior *prior,
	struct progress_point *out);

struct progress_chart {
	const struct progress_visit *visits;
	size_t count;
	const char *event;
	int64_t event_us, from_us, to_us;     /* the merger (UTC_NONE: not known); of the axis */
	const struct kilonova_prior *prior;
	bool share;                           /* host is a share of the ranking, not a probability */
	double outside;                       /* chance that the catalogue does not hold the host; NaN: not known */
};
/* A file of its own, or a part of a page. */
void progress_picture(const struct progress_chart *c, const char *title, bool alone, struct text *out);
#endif

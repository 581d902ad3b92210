/* After a refusal: another instrument, other filters, the next rung of the ladder. Only plan_variant.c uses it. */
#ifndef ENGINE_REQUEST_PLAN_OTHER_H
#define ENGINE_REQUEST_PLAN_OTHER_H
#include "engine/base/err.h"
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* One step down of one request. descriptor NULL: the facility's instruments are not known, what the request names stands. */
struct plan_step {
	const json_t *policy, *descriptor, *observe; /* observe: the policy's entry for this epoch, or NULL */
	json_t *r;                                   /* the request, changed in place */
	const char *stem;                            /* of the refusal; "" if none is known */
};

const json_t *plan_observe_of(const json_t *policy, int64_t epoch);

/* The widest window that the epoch allows: the portal clips it to what is visible at the looser limit. */
void plan_window_widen(json_t *r);

/* Series of exposures: one a filter, or one for all where the camera takes them at once. */
double plan_passes(const json_t *r, const json_t *filters);

/* Notes what is not asked for again where the refusal was about it: the instrument, or it with these filters. */
void plan_refused_note(const struct plan_step *s);

/* The next instrument of the facility that stands at the site, has all filters and can expose so long. false: there is none. */
bool plan_other_instrument(const struct plan_step *s);

/* The next of the epoch's "filters_or" that an instrument there has. false: there is none. */
bool plan_other_filters(const struct plan_step *s);

/* The next rung of the ladder at the same facility that is not just what was refused. 1 taken, 0 there is none, -1 the policy cannot be read. */
int plan_next_rung(const struct plan_step *s, struct err *e);
#endif

/* The plan: which pointings, with which facility, in which window; pure, JSON in and out so that the journal can show it.
 *
 * job {"kind":"plan","event":NAME,"now_us":T,"horizon_h":24,
 *   "targets":[{"key","name","ra_deg","dec_deg","share","distance_mpc","pinned":bool}],         best first
 *   "policy":{…whole policy (FORMATS)…},
 *   "facilities":[{"name","state":"open|closed|unknown","descriptor":{…facilities/NAME.json…}}],   the usable ones
 *   "programmes":[{"name","facility","left_h":{"NORMAL":h,"TIME_CRITICAL":h,"RAPID_RESPONSE":h},"triggers_left":n}],
 *   "event_left_h":h|null,"night_left_h":h|null,                                                    budgets of the policy still free
 *   "existing":[{"target":key,"epoch":n,"state":…}]}                                               live or done: not planned again
 * → {"kind":"plan","requests":[{"target":key,"epoch":n,"facility","programme","mode","filters":["gp","ip"],"exposure_s":180,"count":1,
 *      "ipp":1.05,"max_airmass":2.0,"min_moon_deg":20,"start_us","end_us","site":"lsc","best_us","airmass_best","duration_s","value",
 *      "reserve":bool}],                                             reserve: the second facility's offer for the same (target, epoch)
 *    "verdicts":[{"target":key,"code":CODE,"facility":NAME|null,"detail":"sentence for a person"}]}   one for every target not planned
 * Verdict codes: enum verdict below; the first reason in its order that holds everywhere is the target's verdict. */
#ifndef ENGINE_REQUEST_PLAN_H
#define ENGINE_REQUEST_PLAN_H
#include "engine/base/err.h"
#include <jansson.h>

#define VERDICTS(X) \
	X(never_rises, "never above the airmass limit from any site") \
	X(daylight, "above the limit only in daylight or twilight") \
	X(moon, "too close to the Moon") \
	X(window_short, "visible for less than the visit takes") \
	X(late, "not up before the policy's window ends") \
	X(closed, "every facility that could is closed") \
	X(no_instrument, "no facility has the filter or instrument") \
	X(below_cut, "below the policy's cut in rank or probability") \
	X(budget, "the budget was spent on better targets") \
	X(programme, "the programme has no time or triggers left") \
	X(exists, "already asked, running or done") \
	X(declined, "every offer was refused") \
	X(vetoed, "vetoed by the operator") \
	X(retracted, "the alert was retracted") \
	X(candidate, "ranked, and waiting for a plan") \
	X(planned, "a request exists") \
	X(observed, "observed") \
	X(unread_map, "the sky map could not be read") \
	X(not_triggered, "no policy was triggered") \
	X(unknown_fact, "a fact that the policy needs is not known") \
	X(test, "a test alert, and policy or facility refuse tests") \
	X(too_old, "older than the policy's max_age_h") \
	X(watch, "low significance: watched only") \
	X(held, "held: by an operator, an approval, a budget or the clock")

enum verdict {
#define X(name, text) VERDICT_##name,
	VERDICTS(X)
#undef X
	VERDICT_COUNT
};
const char *verdict_name(enum verdict v); /* "never_rises" */
const char *verdict_text(enum verdict v); /* the sentence */

/* Does the job; *result gets a new reference. Input that is not of the form above: ERR_INPUT. */
int plan_run(const json_t *job, json_t **result, struct err *e);
#endif

/* The plan: which pointings, with which facility, in which window; pure, JSON in and out so that the journal can show it.
 *
 * job {"kind":"plan","event":NAME,"now_us":T,"event_us":T|null,"horizon_h":24,
 *   "source":{"p_bns","p_nsbh","has_remnant"}|null,                     the alert's classification: which light to expect (kilonova.h)
 *   "targets":[{"key","name","ra_deg","dec_deg","share","distance_mpc","pinned":bool,                            best first
 *     "probability":p,"ebv_mag":E(B−V),"references":{"g":{"survey","depth_mag":23.3}}}],   if known: to be the host (else share); dust;
 *                                                                     reference images, 5 sigma (a number alone: no name)
 *   "policy":{…whole policy (schemas/policy.schema.json)…},
 *   "facilities":[{"name","state":"open|closed|unknown","descriptor":{…facilities/NAME.json…},    the usable ones
 *      "off":["CODE","CODE:FILTER"],"shut":["lsc"]}],                  what it does not offer today, sites that are shut now (either may be absent)
 *   "programmes":[{"name","facility","left_h":{"NORMAL":h,"TIME_CRITICAL":h,"RAPID_RESPONSE":h},"triggers_left":n,
 *     "paid":bool,"declined":"sentence","kept":"reserve.for","rules":{…}}],   paid: this event has a trigger; declined: why it is asked for nothing;
 *                                                                      kept: left_h and triggers_left are less what is kept for better events;
 *                                                                      rules: its entry in the configuration (programme.h)
 *   "event_left_h":h|null,"night_left_h":h|null,"semester_left_h":h|null,                                                    budgets of the policy still free
 *   "existing":[{"target":key,"epoch":n,"state":…,"time_us":T,"filters":[…],"limit_mag":[…]}],   live or done: not planned again; when it took
 *                                                                      place or is expected to, and how deep: if known
 *   "covered":[{"target":key | "ra_deg","dec_deg","radius_deg":0.1, "band":"g","depth_mag":22.1,"time_us":T}],   what others completed
 *                                                                      (engine/io/others.h): from the host, as dust and references are
 *   "refused":[{"target":key,"epoch":n,"facility":NAME}],                          all rungs of it there: another facility's turn
 *   "booked":[{"facility","site","slot_us","duration_s","ra_deg","dec_deg"}],   what is asked for already: telescopes that are not free then
 *   "warning":"sentence"}   what could not be learnt for it: goes into the result as it is
 * → {"kind":"plan","requests":[{"target":key,"name","epoch":n,"facility","programme","mode","instrument","filters":["gp","ip"],"exposure_s":180,
 *      "count":1,"ipp":1.05,"max_airmass":2.0,"min_moon_deg":20,"site":"lsc","start_us","end_us",     the window that the facility gets
 *      "slot_us","airmass_slot","best_us","airmass_best","moon_deg","duration_s","share","value",    when the plan expects it; lowest airmass
 *      "earliest_us","latest_us","max_window_h","per_exposure_s","simultaneous" (if so),"rung":k,        for plan_next_variant
 *      "limit_mag":[22.3,21.9],                                            5 sigma by filter at the slot, where there is photometry
 *      "reference":[{"survey","band":"g","depth_mag":23.3}|null…],         what will be subtracted, by filter; null: no reference image is known
 *      "reserve":bool}],                                             reserve: the second facility's offer for the same (target, epoch)
 *    "verdicts":[{"target":key,"code":CODE,"facility":NAME|null,"detail":"sentence for a person"}],   one for every target not planned
 *    "worth":W,"bound":B}     of the main requests together (plan_value.c); what no choice among these visits could exceed (plan_bound.c)
 * Verdict codes: enum verdict below. Of everything tried for a target the reason that comes last in the order is told: it holds, or one
 * before it holds, everywhere (where it "never rises" at five sites and is in daylight at the sixth, it is daylight).
 *
 * Rules. An epoch (policy.observe) opens after_h after the event (event_us null: after now), never before now, nor sooner after the planned
 * start of the epoch before it than their after_h differ; it ends at the horizon; one that opens beyond the horizon waits for a later plan.
 * After one that exists the next is counted from its time_us. An epoch with "depth" (a 5 sigma limit) or "detect" (a chance to see a kilonova
 * at the target's distance) in place of exposure_s gets its exposure computed for each target and window, at most max_exposure_s (600): what
 * cannot be reached gets that. A rung's settings stand in place of the epoch's. A rung's mode (none: RAPID_RESPONSE) is the most that is asked for: down to the first that the
 * facility has, that its window allows and that the programme can pay. A null or absent triggers_left is not counted; one trigger pays
 * for all requests of an event, so 0 only stops an event that has none in "existing". Budgets null or absent: no limit. */
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
	X(reddened, "too much dust of our galaxy in front of it") \
	X(covered, "others have observed it deep enough") \
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
	X(held, "held: by an operator, an approval, a budget or the clock") \
	X(withdrawn, "asked, and withdrawn before it was observed") \
	X(failed, "asked, and the telescope could not") \
	X(in_field, "stands in a field of a camera, which is observed or not")

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

/* After a refusal: the next thing to ask of the same facility for the same (target, epoch), one step down by the refusal's stem
 * (struct answer.stem in facilities/facility.h). request: as in the plan's result or as given by an earlier call; put the offered
 * priority into it as "ipp_max" before a refusal with stem ipp. descriptor: the facility's (NULL: its instruments are not known).
 *   airmass, window       max_airmass + 0.3 up to policy.ceiling (else the epoch's, else 2.5), min_moon_deg − 10 down to policy.ceiling, each with
 *                         the epoch's whole window; then half the exposure down to policy.floor (without one: once), then half the count
 *   mode, triggers, rr_window   RAPID_RESPONSE → TIME_CRITICAL → NORMAL
 *   time                  the same (another account of hours), then exposure and count as above
 *   allocation            a lower mode, then another instrument: no time at all was given on this one
 *   ipp                   the offered maximum, else 1
 *   filter                the next of the epoch's filters_or that an instrument has, then another instrument
 *   instrument, readout   another instrument at the site with the same filters, then filters_or
 *   proposal              the next rung that another programme pays
 *   anything else, or all that used up: the next rung of the policy's ladder at this facility that is not just what was refused
 * *next is NULL at the end of the ladder (the reserve's turn) and after PLAN_STEPS, else a new reference with "refused" (the stem), "changed"
 * (in words: "max_airmass 2 → 2.3") and "step". Ends always: each step only goes down. */
#define PLAN_STEPS 16
int plan_next_variant(const json_t *policy, const json_t *descriptor, const json_t *request, const char *stem, json_t **next, struct err *e);
#endif

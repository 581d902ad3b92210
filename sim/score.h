/* What a night came to, by event: from the state, from what the portal really exposed, and from the truth that the engine never saw. */
#ifndef SIM_SCORE_H
#define SIM_SCORE_H
#include "engine/base/err.h"
#include "sim/real.h"
#include <jansson.h>
#include <sqlite3.h>

/* All borrowed. truth: as sim/drawn.h makes it, or NULL. */
struct score_input {
	sqlite3 *db;
	const struct sim_real_places *places;
	const json_t *truth;
};

/* Array, one an event, in order of hearing; times in seconds after the merger, null: never.
 *   event, kind "merger" | "noise" | "given" (truth knows nothing of it), time_us, state (heard, triggered, … retracted)
 *   triggered           a policy took it
 *   requests            submitted to the telescope
 *   exposed             of these: with at least one exposure
 *   open                of these: still to come
 *   wasted              of these: exposed or cancelled for what was no merger, or (of a merger or a given alert) ended without an exposure
 *   triggers            1 when one of them was not NORMAL, as a programme counts them
 *   hours               telescope time charged; hours_by_mode {MODE: h}
 *   first_image_s       start of the first exposure of any of its galaxies
 *   covered             share of the ranked probability in galaxies that were exposed, as the last ranking has it; covered_curve [[s, share], …]
 *   host                null or {name, ra_deg, dec_deg, distance_mpc, in_catalogue, rank, exposed_s (its place was in a frame), frames,
 *                       detections [{s, filter, mag, error_mag, limit_mag, site}], identified_s} (rank: of the last ranking, null: below the cut)
 * New reference; NULL with e. */
json_t *score_night(const struct score_input *in, struct err *e);
#endif

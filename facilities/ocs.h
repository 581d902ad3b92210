/* The OCS adapter's own parts (Observation Portal 4.18): shared by its files only; others use facility.h. */
#ifndef FACILITIES_OCS_H
#define FACILITIES_OCS_H
#include "facilities/facility.h"

extern const struct facility_ops facility_ocs;

/* Steps beyond the pages 0 … LIMIT_PAGES-1 of a verb. */
enum {
	OCS_STEP_OBSERVATIONS = 100, /* feed: + page */
	OCS_STEP_PROFILE = 200,      /* find: who am I, before an absence counts */
	OCS_STEP_SEMESTER = 3,       /* status: profile 0, instruments 1, then these two where needed, telescopes 2 last */
	OCS_STEP_DOWNTIME = 4
};
enum { OCS_ROWS_MAX = LIMIT_ANSWERS, OCS_DOWNTIMES = 32 };

/* ocs_body.c: the request group as JSON text, keys sorted, malloc'd into *out. */
int ocs_body(const struct facility_conf *conf, const struct view *v, char **out, size_t *len, struct err *e);
/* The instrument of that code in the descriptor, or NULL. */
const json_t *ocs_instrument(const json_t *descriptor, const char *code);

/* ocs_error.c: the first path, all sentences and what to change, out of a nested validation dict (or {"detail":…}, or text). */
void ocs_refusal(const json_t *errors, struct answer *out);
/* Sets words to "HTTP status: first words of the body" (markup removed), or to the transport's reason. */
void ocs_words(const struct reply *r, struct answer *out);

/* ocs_read.c, ocs_feed.c: replies of one verb. json: the parsed body or NULL. */
struct ocs_reading {
	const struct facility_conf *conf;
	const struct view *v;
	const struct reply *reply;
	const json_t *json;
	struct answers *out;
};
int ocs_read(const struct facility_conf *conf, const struct view *v, const struct reply *r, struct answers *out);
void ocs_read_find(const struct ocs_reading *r);
void ocs_read_sweep(const struct ocs_reading *r);
void ocs_read_feed(const struct ocs_reading *r);
void ocs_read_group(const struct ocs_reading *r, int next_step);
void ocs_read_observations(const struct ocs_reading *r);
void ocs_read_status(const struct ocs_reading *r);
void ocs_read_data(const struct ocs_reading *r);

/* An UNKNOWN, RETRY_AFTER or, where the status proves it, refusing answer for a reply that is not what was hoped for. */
struct answer *ocs_trouble(const struct ocs_reading *r);
/* The notes so far as a fresh object (a copy of v's, or empty): change it, then give it to out->memo or out->facility_memo. */
json_t *ocs_memo(const struct ocs_reading *r);
json_t *ocs_facility_memo(const struct ocs_reading *r);
/* Rows of a list page that came with 200, or NULL; also for a page of more than OCS_ROWS_MAX rows, which nobody asked for: what is done with
 * them grows faster than they do. */
const json_t *ocs_page_rows(const struct ocs_reading *r);
/* Another page: -1 this was the last, 0 keep going with *next (malloc'd), 1 there is one but its link cannot be used. */
int ocs_page_next(const struct ocs_reading *r, char **next);
/* Token and number of a row; false for names that are not ours. */
bool ocs_row_ours(const struct ocs_reading *r, const json_t *row, const char *id_key, char name[64], char id[64]);
/* The query of a `next` link, when it is short and printable: malloc'd, or NULL. */
char *ocs_next_query(const json_t *page);
/* Words of an answer about a state that is not known: the portal's text, escaped, and what to do. */
void ocs_state_words(const char *state, const char *advice, struct answer *out);
/* Words of an answer that proves nothing, since a proposal of ours is not shown. */
void ocs_hidden_words(const char *proposal, struct answer *out);
/* Kind of answer for a state of a request (group). */
enum answer_kind ocs_group_kind(const char *state);
enum answer_kind ocs_observation_kind(const char *state);
/* ocs_offered.c: what of the descriptor the portal's instruments/ does not have now: array of CODE and CODE:FILTER. New reference. */
json_t *ocs_not_offered(const json_t *descriptor, const json_t *instruments);
/* Downtimes of the descriptor's telescopes that are not over, out of a page of the downtime service: [{"telescope":"coj.doma.1m0a","instrument",
 * "start_us","end_us","reason"}], at most OCS_DOWNTIMES. New reference. */
json_t *ocs_downtimes(const json_t *descriptor, const json_t *page, int64_t now_us);
/* Why the telescope (or all of it, instrument "") is down now by that list, or NULL. Borrowed. */
const char *ocs_down_now(const json_t *downtimes, const char *telescope, int64_t now_us);
/* Where, when and which of an observation row (list or bare array of a request). */
void ocs_observation_fill(const json_t *row, struct answer *out);
/* An id that came as a number or text. */
void ocs_id(const json_t *value, char *out, size_t size);
int64_t ocs_time(const json_t *object, const char *key);
/* How long a request takes; NaN where the portal says nothing, or what no visit lasts (LIMIT_VISIT_S): then the plan's own figure counts. */
double ocs_duration_s(const json_t *object);
#endif

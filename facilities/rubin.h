/* Rubin Observatory's two doors, parts that its adapters share (others use facility.h): records of lsst.scimma.too_alert for the survey telescope
 * ("rubin-too"), blocks for the auxiliary telescope ("rubin-block"). */
#ifndef FACILITIES_RUBIN_H
#define FACILITIES_RUBIN_H
#include "facilities/facility.h"

extern const struct facility_ops facility_rubin_too, facility_rubin_block;

enum {
	RUBIN_ORDER = 5, RUBIN_NSIDE = 32, RUBIN_CELLS = 12 * RUBIN_NSIDE * RUBIN_NSIDE, /* the scheduler's own resolution: it reads no other */
	RUBIN_DETECTORS = 3                                                             /* always so many, "" where there are fewer */
};
#define RUBIN_DEC_MAX_DEG 30.0 /* a region that lies wholly north of it is not followed */

/* One record, field by field as it goes out. */
struct rubin_record {
	char source[64];                         /* the scheduler's only key: it reads each source once */
	char instrument[RUBIN_DETECTORS][20];
	char label[64];                          /* alert_type: the strategy */
	char trigger[32];                        /* 2026-11-20T03:05:21.123Z */
	bool mask[RUBIN_CELLS];                  /* NESTED */
	bool is_test, is_update;
	int64_t timestamp_ms;
};

/* rubin_record.c */
/* Cells of order 5 that a coverage in IVOA text form ("4/7 5/8-9 12") touches. ERR_INPUT: not of that form, or no such cell. */
int rubin_mask(const char *moc, bool mask[RUBIN_CELLS], struct err *e);
/* The record of the request in v, checked: whatever would stop the scheduler, or be passed over by it, is refused here (ERR_INPUT, with the rule). */
int rubin_record_make(const struct facility_conf *conf, const struct view *v, const char *source, int64_t timestamp_ms, struct rubin_record *out, struct err *e);
int rubin_record_check(const json_t *too, const struct rubin_record *r, struct err *e);
json_t *rubin_record_json(const struct rubin_record *r); /* new reference */
const char *rubin_value_schema(void);                    /* the record's Avro schema, as text */
/* rubin_avro.c: base64 of 00, the schema's number and the record in Avro's binary form. malloc'd; NULL without memory. */
char *rubin_avro_base64(const struct rubin_record *r, uint32_t schema_id);
/* "too" of the descriptor; the label of a policy, NULL when there is none; the survey that follows a label, NULL when none does. */
const json_t *rubin_settings(const struct facility_conf *conf);
const char *rubin_label(const json_t *too, const char *policy);
const json_t *rubin_survey(const json_t *too, const char *label);
double rubin_cell_dec_deg(int cell);

bool rubin_is_file(const struct facility_conf *conf);     /* too.transport "file": rows of a file database, no proxy */

/* rubin_observations.c: the file database, and what was observed. */
extern const char *const rubin_file_schema[];
#define RUBIN_PAGE 1000 /* visits of one reply */
/* The columns that are asked for, as the query has them. */
const char *rubin_visit_columns(void);
/* Visits of a reply's rows that belong to the request of v: of a target of opportunity, after its event, their field touching its region. They go into
 * the memo (a copy of v's, changed in place): "visits", "after" (row), "first_us", "last_us", "seen" (a bit for each cell of the region). Rows that are not
 * of this form are passed over. false: there may be another page. */
bool rubin_visits_read(const struct facility_conf *conf, const struct view *v, const json_t *reply, json_t *memo);
/* How many cells of the region were covered, and how many there are. */
int rubin_cells_seen(const struct view *v, const json_t *memo, int *all);

/* rubin_too_read.c */
int rubin_too_read(const struct facility_conf *conf, const struct view *v, const struct reply *r, struct answers *out);

/* Notes of the facility: {"last_ms":n,"sent":[[source,token]…]}: the newest timestamp that was given away, and to whom each source went. */
int64_t rubin_last_ms(const json_t *facility_memo);
/* The source under which a request goes out: the event's name, or NAME-v2 … where that went to another request of ours. */
void rubin_source(const json_t *facility_memo, const char *event, const char *token, char out[64]);
#endif

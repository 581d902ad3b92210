/* The adapter contract: an adapter translates and never calls. No I/O, no clock, no retry, no credential. */
#ifndef FACILITIES_FACILITY_H
#define FACILITIES_FACILITY_H
#include "engine/base/err.h"
#include "engine/base/limits.h"
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum verb { VERB_OFFER, VERB_SUBMIT, VERB_FIND, VERB_POLL, VERB_CANCEL, VERB_STATUS, VERB_DATA, VERB_COUNT };
const char *verb_name(enum verb v); /* "offer" … */
int verb_from_name(const char *name);

/* A facility as configured: its name there, the descriptor (facilities/NAME.json) and its programme-independent settings. All borrowed. */
struct facility_conf {
	const char *name;
	const json_t *descriptor;
};

/* The request as an adapter sees it. Borrowed. */
struct facility_request {
	const char *token;      /* 34 characters: slew-XXXXXXXX-XXXXXXXXXXXXXXXXXXXX */
	const char *remote_id;  /* "" before it is known */
	const char *event, *target_name, *proposal, *mode; /* mode: NORMAL | TIME_CRITICAL | RAPID_RESPONSE */
	double ra_deg, dec_deg, exposure_s, ipp, max_airmass, min_moon_deg;
	int count;              /* exposures per filter */
	const json_t *filters;  /* array of names: "gp", "rp" … */
	const char *instrument; /* instrument code, chosen by the plan from the descriptor */
	const char *site;       /* "" = any */
	int64_t start_us, end_us;
	int64_t created_us;     /* when the row was made: bounds a find */
	const char *policy;     /* whose request it is; NULL unknown */
	const char *region;     /* target that is a part of the sky: its cells as IVOA coverage, "5/8-9 12"; "" or NULL: a position */
	const json_t *detectors; /* of the event's newest alert: array of names, or NULL */
	int64_t event_us;       /* time of the event; UTC_NONE unknown */
	bool is_test, is_update; /* of the event; its newest alert revises an older one */
};

struct view {
	int64_t now_us;
	enum verb verb;
	int step;
	const struct facility_request *request; /* NULL for status, for a poll that is a feed and for a find that is a sweep */
	const json_t *memo;                     /* what the adapter noted about this request, or NULL */
	const json_t *facility_memo;            /* the facility's own notes (feed cursor …), or NULL */
	const char *prefix;                     /* "slew-XXXXXXXX-": names that are ours */
	int64_t since_us;                       /* sweep: all that was made with our prefix since then; UTC_NONE: ever */
	const json_t *proposals;                /* sweep: names of all proposals that it must see to be complete */
};

/* What is to be sent. `url` names one of the facility's configured urls ("portal", "archive"); path begins with '/'. io adds the host and the credential. */
struct call {
	bool once;               /* true: leaves at most once; false: repeatable */
	char url[16], method[8], path[512], content_type[64];
	char *query;             /* without '?', malloc'd or NULL */
	char *body;              /* malloc'd or NULL */
	size_t body_len;
};
void call_free(struct call *c);
json_t *call_json(const struct call *c);                               /* {"url","method","path","query","content_type","body","once"} */
int call_from_json(const json_t *j, struct call *out, struct err *e);

enum sent { SENT_NO, SENT_MAYBE, SENT_ANSWERED };
struct reply {
	enum sent sent;
	int status;              /* HTTP status; 0 unless SENT_ANSWERED */
	const char *content_type, *transport; /* transport: the reason when not answered; "" else */
	int64_t retry_after_s;   /* -1 absent */
	const char *body;
	size_t len;
};

enum answer_kind {
	ANSWER_UNKNOWN, ANSWER_ACCEPTED, ANSWER_DECLINED, ANSWER_COUNTERED, ANSWER_QUEUED, ANSWER_SCHEDULED, ANSWER_RUNNING, ANSWER_DONE,
	ANSWER_FAILED, ANSWER_CANCELLED, ANSWER_EXPIRED, ANSWER_ABSENT, ANSWER_RETRY_AFTER, ANSWER_OPEN, ANSWER_CLOSED, ANSWER_FRAMES, ANSWER_KINDS
};
const char *answer_name(enum answer_kind k);

/* One answer about one request (token or remote_id says which; both "" = the request of the view, or the facility for status). */
struct answer {
	enum answer_kind kind;
	char token[64], remote_id[64];
	char field[160];         /* declined: where in the request ("requests[0].windows[0].end"); find: "duplicate" marks a second one of
	                          * the same token: remote_id is its number, token is "", words say which was chosen */
	char words[LIMIT_WORDS]; /* the facility's own sentence(s) */
	char stem[32];           /* declined/countered: what to change: airmass window instrument filter mode readout time allocation ipp triggers rr_window proposal configuration other */
	bool creates_nothing;    /* the answer proves that nothing was created (statuses: creates_nothing of the descriptor) */
	bool credentials;        /* refused for who asks, not for what is asked: every other request would be, too */
	double seconds;          /* accepted offer: duration with overheads; NaN unknown */
	double ipp_max, hours_left; /* NaN unknown */
	int64_t start_us, end_us;   /* scheduled/running: when; UTC_NONE unknown */
	char site[16], telescope[32];
	char observation_id[64];
	int64_t retry_after_s;   /* ≥ 0 with ANSWER_RETRY_AFTER; else -1 */
	json_t *detail;          /* status: {"instruments":…,"until":…}; frames: array of products; sweep: {"proposal","mode","target","ra_deg",
	                          * "dec_deg","start_us","end_us","memo":{the adapter's notes}}; NULL else. Owned by answers */
};

/* What `read` makes of a reply. Start zeroed; answers_free gives back. */
struct answers {
	struct answer *list;
	size_t count, cap;
	int next_step;           /* another step of the same verb, or -1 when the verb is complete */
	bool complete;           /* find/feed/sweep: read to the last page with 200: an absence counts */
	json_t *memo;            /* new memo of the request, or NULL = unchanged */
	json_t *facility_memo;   /* likewise of the facility */
};
struct answer *answers_add(struct answers *a, enum answer_kind kind); /* initialised as unknown; NULL without memory or past the ceiling */
void answers_free(struct answers *a);

/* Each renders step v->step of its verb: 0 with *out filled, 1 when the facility has no such verb or step, -1 with e. `read` is total:
 * any bytes give answers, in the worst case ANSWER_UNKNOWN with the first words of the body. */
struct facility_ops {
	unsigned abi;            /* FACILITY_ABI */
	const char *name;        /* what `use` names: "ocs" */
	const char *const *file_schema; /* statements that make its file database, NULL-terminated; NULL: it has none */
	int (*offer)(const struct facility_conf *, const struct view *, struct call *out, struct err *);
	int (*submit)(const struct facility_conf *, const struct view *, struct call *out, struct err *);
	int (*find)(const struct facility_conf *, const struct view *, struct call *out, struct err *);
	int (*poll)(const struct facility_conf *, const struct view *, struct call *out, struct err *);
	int (*cancel)(const struct facility_conf *, const struct view *, struct call *out, struct err *);
	int (*status)(const struct facility_conf *, const struct view *, struct call *out, struct err *);
	int (*data)(const struct facility_conf *, const struct view *, struct call *out, struct err *);
	int (*read)(const struct facility_conf *, const struct view *, const struct reply *, struct answers *out);
};
#define FACILITY_ABI 1u

/* facilities/registry.c: by name, or NULL. */
const struct facility_ops *facility_find(const char *name);
/* Dispatch by v->verb; same returns as the slots. */
int facility_render(const struct facility_ops *ops, const struct facility_conf *conf, const struct view *v, struct call *out, struct err *e);
#endif

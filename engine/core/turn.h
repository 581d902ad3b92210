/* What the files of the core share: the turn, its statements, and what each file does for the others. Not for other rooms.
 *
 * Errors: the first failure of a turn is kept in c->fault; from then on every query does nothing and answers "no row", so that a step
 * checks once, at its end. ERR_INPUT, ERR_REFUSED and ERR_LIMIT reject the input; anything else means that the store is sick. */
#ifndef ENGINE_CORE_TURN_H
#define ENGINE_CORE_TURN_H
#include "engine/alert/fact.h"
#include "engine/core/core.h"
#include "engine/observation/lifecycle.h"
#include "engine/request/plan.h"
#include "engine/request/policy.h"
#include "facilities/facility.h"

#define STATEMENT_SLOTS 1024 /* twice what the core has; keyed by the address of static SQL text */

struct statement {
	const char *sql;
	sqlite3_stmt *query;
};
struct rule {          /* a policy row, compiled when it is first needed */
	int64_t id;
	bool current;
	struct policy *policy;
};
struct site {          /* a facility row with its adapter */
	char name[64];
	const struct facility_ops *ops; /* NULL: this program has no such adapter */
	json_t *descriptor;
};

struct core {
	sqlite3 *db;
	struct err fault;
	int64_t seq, utc_us, tick_us;   /* of the input that is being decided, or was last */
	int64_t turn_from, next_from;   /* first seq of the turn that was released last, and of the one that is open */
	bool quiet;                     /* the turn will not be released */
	char installation[16], prefix[24];
	uint8_t random[16];
	struct rule *rules;
	size_t rule_count;
	struct site *sites;
	size_t site_count;
	json_t *answer, *alarms;
	struct statement statements[STATEMENT_SLOTS];
	struct checks *checks;          /* check.c: the invariants, prepared when they are first asked for */
};

/* store.c: statements. sql must be static text: its address is the key. */
void put(struct core *c, const char *sql, const char *types, ...);
int64_t get_int(struct core *c, int64_t otherwise, const char *sql, const char *types, ...);
double get_double(struct core *c, double otherwise, const char *sql, const char *types, ...);
void get_text(struct core *c, char *out, size_t size, const char *sql, const char *types, ...); /* "" without a row */
json_t *get_row(struct core *c, const char *sql, const char *types, ...);  /* new reference; NULL without a row */
json_t *get_rows(struct core *c, const char *sql, const char *types, ...); /* new reference, never NULL; at most 100 000 */
json_t *get_json(struct core *c, const char *sql, const char *types, ...); /* first column parsed; NULL without row or JSON */
int64_t last_id(struct core *c);
static inline bool failed(const struct core *c)
{
	return c->fault.kind != ERR_NONE;
}
void refuse(struct core *c, const char *format, ...) __attribute__((format(printf, 2, 3)));  /* rejects the input */
/* For what e says, after "where: "; but want of memory is no fault of the input: then the turn is gone, and is tried again. */
void refuse_for(struct core *c, const char *where, const struct err *e);
bool short_of_memory(struct core *c, const struct err *e); /* true: the turn is gone */
sqlite3_stmt *statement(struct core *c, const char *sql, struct err *e);  /* prepared when it is first asked for; borrowed; NULL with e set */
void statements_reset(struct core *c);
void statements_free(struct core *c);
void checks_free(struct core *c);
char *json_compact(const json_t *j);     /* sorted keys; malloc'd; dies without memory */
json_t *json_parse(const char *text);    /* own rows only; NULL when it is not JSON */

/* migrate.c */
int migrate(sqlite3 *db, struct err *e);

/* inbox.c: the journal row of an input, its blob and its position; then its rejection. */
void journal(struct core *c, const struct input *in);
void blob_put(struct core *c, const char *sha256, const void *bytes, size_t len);

/* The decisions, one file per kind of input. */
void on_config(struct core *c, const struct input *in);
void on_alert(struct core *c, const struct input *in);
void on_reply(struct core *c, const struct input *in);
void on_result(struct core *c, const struct input *in);
void on_order(struct core *c, const struct input *in);
void on_timer(struct core *c);
void on_clock(struct core *c, const struct input *in);
void on_gap(struct core *c, const struct input *in);
void order_refused(struct core *c, const struct input *in, const char *reason); /* answered and journalled all the same */
void rejected(struct core *c, const struct input *in, const char *reason); /* closes the effect, answers the order */

/* rules.c: what the configuration says. */
int rules_load(struct core *c);
void rules_free(struct core *c);
struct policy *rule_find(struct core *c, int64_t policy_id);               /* any revision; NULL when it does not compile any more */
struct policy *rule_current(struct core *c, const char *name, int64_t *id); /* id may be NULL */
struct site *site_find(struct core *c, const char *name);
double site_number(const struct site *s, const char *path, double otherwise); /* "poll_s.active" of the descriptor */
bool site_flag(const struct site *s, const char *path, bool otherwise);

/* say.c: words for people. An alarm that is open already is counted, not repeated. */
void alarm_raise(struct core *c, const char *subject, const char *what, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void alarm_clear(struct core *c, const char *subject, const char *what);
void say(struct core *c, int64_t event, const char *kind, const char *format, ...) __attribute__((format(printf, 4, 5)));
void verdict_put(struct core *c, int64_t event, const char *policy, int64_t target, const char *code, const char *facility,
		 const char *detail); /* target 0: of the event */
void verdict_drop(struct core *c, int64_t event, const char *policy);      /* of the event: it is acted on */

/* gates.c */
void gate_open(struct core *c, const char *kind, int64_t event, const char *facility, int64_t target, const char *policy, int64_t due_us,
	       const char *reason);
bool gate_lift(struct core *c, const char *kind, int64_t event, const char *facility, int64_t target, const char *policy);
/* true: a submit (or offer) of this request may leave now. why (≥ 160 bytes): the gate and its reason. */
bool gate_pass(struct core *c, const json_t *request, bool submit, char *why, size_t size);

/* decide.c: policies against events. */
void decide_event(struct core *c, int64_t event);                          /* all policies by its newest revision */
void event_warm(struct core *c, int64_t event);                            /* wants what a believed event needs: rank, then plan */
bool facts_load(struct core *c, int64_t alert, struct facts *out, json_t **owner); /* texts are borrowed from *owner */
void facts_store_map(struct core *c, const char *map_sha256);               /* after a map result: fills the rows of all revisions with it */
void event_decided_maps(struct core *c, const char *map_sha256);            /* decides anew the events with a revision that has it */

/* fields.c: targets of kind field: frames of a camera (a policy with targets.footprint). */
void fields_prefix(const struct policy *p, char *out, size_t size);          /* their keys but for the digits at the end */
void fields_want(struct core *c, int64_t event, const struct policy *p, bool catalog, json_t *list); /* adds to "fields" of the rank job */
bool fields_same_job(const char *a, const char *b);
bool fields_asked_since(const json_t *done, const json_t *now);               /* frames that a telescope has now and that the first job did not know */
void fields_result(struct core *c, int64_t event, int64_t generation, const json_t *fields);
void fields_verdicts(struct core *c, int64_t event, int64_t generation);
void target_put(struct core *c, int64_t event, int64_t generation, const char *kind, const json_t *t); /* on_result.c */

/* want.c: computations. */
void want_map(struct core *c, int64_t event, const char *sha256);
void want_rank(struct core *c, int64_t event);
void want_rank_changed(struct core *c, int64_t event);                       /* where another catalogue or camera makes it another one, or possible */
bool want_rank_again(struct core *c, int64_t event, const json_t *done);      /* the job that was done does not know frames that were asked meanwhile */
void want_plan(struct core *c, int64_t event);
void want_plans(struct core *c);                                             /* of every triggered event: what a facility can do has changed */
json_t *plan_job(struct core *c, int64_t event, const char *policy);       /* rendered at release; NULL: nothing to plan any more */
void result_failed(struct core *c, const json_t *effect, const char *reason); /* its ranking or plan makes no sense: as if the worker had failed */
void plan_apply(struct core *c, int64_t event, const char *policy, const json_t *result);

/* requests.c: rows and their life. */
json_t *request_load(struct core *c, int64_t id);                           /* row with names of event, target, policy; NULL */
enum life request_state(const json_t *request);
void token_of(struct core *c, int64_t event, const char *target_key, const char *facility, int epoch, int variant, char out[64]);
int64_t request_make(struct core *c, int64_t event, int64_t target, int64_t policy_id, const json_t *body, int epoch); /* 0: refused */
void request_signal(struct core *c, int64_t id, enum life_signal s, const char *words);
void request_unwant(struct core *c, int64_t id, const char *why);
enum purposes { PURPOSES_all, PURPOSES_retracted, PURPOSES_downgraded }; /* which purposes a gate covers: search, reference, vet for a retraction; search, reference for a downgrade */
void request_covered(struct core *c, const json_t *request, char *why, size_t size); /* kind of a gate that makes it unwanted where it is, or "" */
void submit_withdraw(struct core *c, const json_t *request);               /* unwanted when a step of its submit has been done: no other leaves */
void requests_unwant(struct core *c, const char *why, int64_t event, const char *facility, int64_t target, const char *policy,
		     enum purposes covered);                                /* 0 and NULL mean any */
void request_late(struct core *c, const json_t *request);                  /* its window is over and it was never asked */
bool request_can_stop(struct core *c, const json_t *request);

/* negotiate.c */
void offers_compare(struct core *c, int64_t event, int64_t target, int epoch, bool late);
void offer_answered(struct core *c, int64_t request, const struct answer *a);
void request_refused(struct core *c, int64_t request, enum life_signal s, const struct answer *a); /* keeps words and stem, then signals */
void request_choose(struct core *c, int64_t id);                            /* wants its submit; the gates are asked at release */
void request_next_variant(struct core *c, const json_t *request);
void request_slip(struct core *c, int64_t id, const char *why);            /* why begins with "slipped": makes room for its reserve, if there is one */
void request_reserve(struct core *c, const json_t *request);               /* the best held sibling takes over */

/* promise.c: what an offer is worth and how likely it happens */
struct promise {
	int64_t start_us;                           /* earliest, not before now */
	double value, clear, sky, queue, record;    /* the plan's value; chances: usual clear nights, sky then, the queue gets to it, visits there went well */
	double happens;                             /* of all these; 0 when the instrument is gone */
	bool gone;
	char site[16], now[12];                     /* now: open, closed, unknown */
};
void promise_of(struct core *c, const json_t *request, struct promise *out);
double promise_expected(struct core *c, const json_t *request);             /* value × happens */
json_t *promise_price(const struct promise *p, const char *mode);           /* for the offer's price; "says": a sentence. New reference */
void promises_look(struct core *c, const char *facility);                   /* its status is new: who has to move to the reserve */

/* replace.c: a better event in the place of a worse one's pending requests */
struct purse {          /* what does not do for both */
	const char *programme, *mode; /* hours of a programme in a mode; "" any */
	const char *policy;           /* or the night's budget of a policy; "" any */
};
double replaceable_h(struct core *c, int64_t event, const struct purse *purse); /* of pending requests of other events */
bool room_make(struct core *c, const json_t *request, const struct purse *purse, double short_s); /* true: cancels are on their way */

/* follow.c */
void request_doubt(struct core *c, int64_t id);
void request_follow(struct core *c, int64_t id);
void request_cancel(struct core *c, int64_t id);
void facility_poll(struct core *c, const char *name);
void requests_poll_singly(struct core *c, const char *name);

/* sweep.c: what a facility has of ours, asked at every start; a restored copy takes over what it has forgotten */
/* Rows of timer that are never due: core_recover has run, and no input, or no configuration, has followed. */
#define START_FRESH "start"
#define SWEEP_WANTED "sweep"
void sweep_begin(struct core *c, bool restored);                            /* after a start, or of a restored copy; else nothing */
int64_t sweep_since(struct core *c, const char *facility);                  /* UTC_NONE: ever */
void sweep_cannot(struct core *c, const char *facility);                    /* it has no such verb */
void sweep_done(struct core *c, const char *facility);                      /* its last page has been read */
void stray_met(struct core *c, const char *facility, const struct answer *a, const char *signal, bool sweeping);
struct place {          /* where a request belongs */
	int64_t event, target, policy;
	int epoch, variant;
	bool parallel;
};
int64_t requests_home(struct core *c, const struct place *at, const json_t *body); /* adopted ones find their event; one that lives or is done, or 0 */

/* due.c */
json_t *due_rows(struct core *c);                                           /* effects that may leave now, in their turn; new reference */

/* outbox.c */
int64_t effect_call(struct core *c, const char *facility, enum verb verb, int step, int64_t request, int64_t due_tick_us);
bool effect_pending(struct core *c, int64_t request, enum verb verb);       /* waiting or released */
void effect_close(struct core *c, int64_t id, const char *state, const char *outcome);
void effect_again(struct core *c, int64_t id, int64_t due_tick_us, const char *outcome); /* waits again */
void effects_drop(struct core *c, int64_t request, const char *verb, const char *why);   /* waiting ones; verb NULL: all but cancel, find */
int64_t backoff_us(int failures);
struct vision {        /* a view with all that it borrows */
	struct facility_conf conf;
	struct facility_request request;
	struct view view;
	json_t *body, *memo, *facility_memo, *proposals, *alert;
};
void vision_open(struct core *c, struct vision *v, const struct site *s, const json_t *request, enum verb verb, int step); /* borrows all */
void vision_close(struct vision *v);

/* budget.c */
void ledger_follow(struct core *c, int64_t request, enum life state);
double programme_left_h(struct core *c, const char *programme, const char *mode);
int programme_triggers_left(struct core *c, const char *programme);         /* -1: no limit */
bool programme_mode_counts(struct core *c, const char *programme, const char *mode); /* a request of that mode uses a trigger */
bool programme_paid(struct core *c, const char *programme, int64_t event);   /* one trigger pays for all requests of an event */
double policy_spent_s(struct core *c, int64_t event, const char *policy, int64_t since_us); /* event 0: all events since */
double policy_semester_s(struct core *c, const char *policy);                 /* in the semesters of the programmes that paid */
bool budget_pass(struct core *c, const json_t *request, char *why, size_t size);
/* A mode that the facility refused for want of time, until its status shows more of it, or a day has passed. */
void hours_refused_keep(struct core *c, int64_t request, const struct answer *a); /* nothing, but of such a refusal */
bool hours_refused(struct core *c, const json_t *request, struct answer *out);    /* true: its answer is known */
void hours_back(struct core *c, const char *facility, const json_t *detail);

/* programme.c: rules of programmes beside their hours. */
void programme_rules_put(struct core *c, const json_t *entry);               /* of the configuration; its row exists */
double request_charge_s(struct core *c, const json_t *request, double seconds); /* of a visit that takes so long in all */
bool ledger_charge(struct core *c, int64_t request, enum life state);        /* by what came of it; true: lost there, and paid all the same */
/* What is left for this event: less than what is left, where some is kept for better ones. */
double programme_left_for_h(struct core *c, const char *programme, const char *mode, int64_t event);
int programme_triggers_for(struct core *c, const char *programme, int64_t event); /* -1: no limit */
bool programme_pass(struct core *c, const json_t *request, char *why, size_t size); /* false: "programme: …" or "approval: …" */
json_t *programmes_of_event(struct core *c, int64_t event, const struct policy *p); /* as a plan's job wants them; new reference */

/* timers.c */
void timer_set(struct core *c, const char *key, const char *what, int64_t subject, const char *detail, int64_t due_utc_us,
	       int64_t due_tick_us); /* UTC_NONE: not by that clock; replaces, generation + 1 */
void timer_drop(struct core *c, const char *key);
#endif

/* Policy: who is worth a telescope. `when` is tokenised and typed by us, then evaluated by a private in-memory SQLite over bound facts;
 * the same expression is one query over table fact (`slew policy test`). Form: schemas/policy.schema.json. One thread owns a policy. */
#ifndef ENGINE_REQUEST_POLICY_H
#define ENGINE_REQUEST_POLICY_H
#include "engine/alert/fact.h"
#include "engine/base/err.h"
#include "engine/base/text.h"
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum outcome { OUTCOME_FALSE, OUTCOME_TRUE, OUTCOME_UNKNOWN };
const char *outcome_name(enum outcome o); /* "false" "true" "unknown": as in table decision */

enum early_warning { EARLY_WARM, EARLY_SUBMIT, EARLY_IGNORE };

struct when; /* engine/request/when.h */

/* One compiled policy. Numbers that are not given are NaN, or the default named here. Owned by the caller: policy_free. */
struct policy {
	char name[64];
	json_t *body;              /* the whole policy as given; owned */
	enum early_warning early_warning; /* warm */
	bool tests;                /* false: a test alert never triggers */
	double max_age_h;          /* 24: older events (received - time) do not trigger */
	double map_wait_s;         /* 60: how long UNKNOWN waits for the facts of the map */
	char from[16];             /* targets.from: "galaxies" */
	char footprint[48];        /* targets.footprint: "" = each galaxy is a target; else frames of that camera are (kind field); "region70": from
	                            * "region", one target of that level */
	char weight[16];           /* targets.weight: "none" */
	int top;                   /* targets.top: 60 */
	double probability;        /* targets.probability: NaN = no cut */
	bool observes;             /* false: "tell me only", no request is ever made */
	double budget_event_h, budget_night_h, budget_semester_h; /* NaN: only the programme's hours bind */
	bool approval_auto;        /* approval.mode "auto"; else an operator approves ("operator") */
	double auto_budget_h;      /* NaN: the whole event budget */
	int persons;               /* 1: how many must approve */
	double unanswered_min;     /* 30: an approval not answered by then becomes a hold */
	bool parallel;             /* false: one live request per (event, target, epoch) */
	bool replan_cancel;        /* replan "cancel": a new plan cancels what it no longer wants; false = "keep" */
	bool replaces;             /* replace "pending": may take the place of worse events' pending requests; false = "never" */
	double offer_wait_s;       /* 5 */
	double on_downgrade_min;   /* 10: grace before a downgrade makes requests unwanted */
	struct when *when, *auto_when; /* auto_when NULL: always */
};

/* What `when` says of one row of facts. */
struct policy_answer {
	enum outcome outcome;
	bool waits_for_map;        /* UNKNOWN, and a fact that comes from the map is among the missing */
	bool only_map;             /* UNKNOWN, and all that is missing comes from the map */
	char missing[512];         /* UNKNOWN: names of the facts that are not known, "has_remnant, area90_deg2"; "" else */
};

/* Checks against schemas/policy.schema.json and compiles. NULL with e set: an error in `when` names its column (from 1). */
struct policy *policy_compile(const json_t *body, struct err *e);

/* From text (JSON); label names it in errors, which then have line and column too. */
struct policy *policy_read(const char *text, size_t len, const char *label, struct err *e);
void policy_free(struct policy *p);

/* Are the programmes and facilities that the ladder of `body` names among those of rules (a configuration as it is journalled: its
 * config.programmes and facilities)? If not, nobody would pay and nothing be asked. `where` names the rules in the error. */
int policy_fits(const json_t *body, const json_t *rules, const char *where, struct err *e);

/* `when` over these facts. -1 only when the store below is sick. */
int policy_evaluate(struct policy *p, const struct facts *f, struct policy_answer *out, struct err *e);

/* May this event be approved without a person? approval_auto and auto_when is TRUE (UNKNOWN is no). */
int policy_auto(struct policy *p, const struct facts *f, bool *out, struct err *e);

/* `when` as an SQL expression over table fact under the alias f: TRUE, FALSE or NULL. Borrowed. */
const char *policy_sql(const struct policy *p);
/* SQL text expression: the names of the facts used by `when` that are NULL in row f, separated by ", ". Borrowed. */
const char *policy_missing_sql(const struct policy *p);
#endif

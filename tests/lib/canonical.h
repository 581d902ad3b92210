/* The canonical night of crash points and failing disks: one merger with a map, four requests by rank at a portal that loses the answer
 * to one submission, a retraction while some of them run. Short: everything is at rest after seven minutes. */
#ifndef TESTS_LIB_CANONICAL_H
#define TESTS_LIB_CANONICAL_H
#include "engine/base/err.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include "sim/portal.h"
#include "sim/stage.h"
#include <sqlite3.h>

#define CANONICAL_START_US INT64_C(1795478400000000) /* 2026-11-24T00:00:00Z */
#define CANONICAL_END_US (CANONICAL_START_US + 7 * UTC_MINUTE) /* what ran cannot be stopped: it is done by then */
#define CANONICAL_TOKEN "Token night-token"
#define CANONICAL_TOPIC "igwn.gwalert"
#define CANONICAL_MESSAGES 2

struct canonical {
	struct sim_stage *stage;
	struct text message[CANONICAL_MESSAGES]; /* the alert, its retraction */
	int64_t at_us[CANONICAL_MESSAGES];
	json_t *config, *setup;                  /* the body of the config input; what sim_portal_new wants */
};

/* Fails the test where it cannot be made. Lives as long as the process. */
void canonical_make(struct canonical *c);

/* After the night: both alerts are known, nothing is alive here or at the portal, nothing was submitted twice, the rows and the file are
 * sound. -1 with what is wrong. */
int canonical_judge(sqlite3 *db, const struct sim_portal *portal, struct err *e);
#endif

/* A simulated facility in place of a real one, for a what-if: made from the descriptor and the programmes of a state. */
#ifndef SIM_STANDIN_H
#define SIM_STANDIN_H
#include "engine/base/err.h"
#include "sim/portal.h"
#include <jansson.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct standin {
	char name[64];
	struct sim_portal *portal; /* NULL: no simulated facility speaks as this one does; a call is "not sent" */
	int64_t now_us;            /* of its world: never goes back */
	bool taken_over;           /* it is in charge of what lives there */
};

struct standins {
	struct standin *list[16];
	size_t count;
};
void standins_free(struct standins *s);

/* That of a facility, made when it is first asked. NULL with e set. state: borrowed for the call. */
struct standin *standin_of(struct standins *s, sqlite3 *state, const char *facility, struct err *e);
bool standin_took_over(const struct standins *s, const char *facility);

/* What lives there by the state is put to it in the very words of its submit, and keeps its numbers. */
int standin_take_over(struct standin *s, sqlite3 *state, int64_t utc_us, struct err *e);

/* A call as the core rendered it. Fill nothing in *out before; sim_reply_free after. */
int standin_call(struct standin *s, int64_t utc_us, const json_t *call, struct sim_reply *out, struct err *e);
#endif

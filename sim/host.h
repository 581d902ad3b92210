/* The other io: carries what the core hands out into a simulated world on a virtual clock, and brings back what that world says.
 * The same core and adapters as in earnest; no socket, no clock, no chance but the seeds. One thread owns a host. */
#ifndef SIM_HOST_H
#define SIM_HOST_H
#include "engine/base/err.h"
#include "engine/core/compute.h"
#include "engine/core/core.h"
#include "sim/broker.h"
#include "sim/portal.h"
#include <jansson.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

struct sim_host;

/* A simulated facility: its name in the configuration, its portal and what io would attach ("Token night-token"). All borrowed. */
struct sim_host_place {
	const char *facility;
	struct sim_portal *portal;
	const char *authorization;
};
#define SIM_HOST_PLACES 4

/* The disk under the state. All but `gone` is asked for only when the store has failed. */
struct sim_host_disk {
	void *ctx;
	void (*ballast_free)(void *ctx);  /* it is full: now there is a little room */
	bool (*has_room)(void *ctx);      /* is there enough again? */
	bool (*gone)(void *ctx);          /* the power went, and the process with it: asked after each turn */
	/* The process has ended over it (or the power went): closes the state, mends the disk, opens what it has. */
	int (*reopen)(void *ctx, sqlite3 **db, struct err *e);
};

struct sim_host_options {
	sqlite3 *db;                       /* borrowed; empty or a state; survives a crash */
	const json_t *config;              /* body of the config input (engine/core/core.h); borrowed until free */
	struct sim_host_place place[SIM_HOST_PLACES]; /* the first `places`; a call for none of them finds no connection */
	size_t places;
	const struct compute_host *compute; /* borrowed; its blob() may be NULL: then the state's own blobs are read */
	/* In place of compute_run, NULL: that; must answer the same (sim/stage.h remembers). */
	int (*compute_by)(void *ctx, const struct compute_host *host, const json_t *job, json_t **result, struct err *e);
	void *compute_ctx;
	int64_t start_us;                  /* UTC of the first input */
	struct sim_broker *broker;         /* borrowed; NULL: one of its own, that begins behind `offset` */
	int64_t offset;
	const struct sim_host_disk *disk;  /* borrowed; NULL: a store that fails is the end of the night */
	int64_t latency_us;                /* of a call, there and back; 0: 200 ms */
	int64_t compute_us;                /* of a computation; 0: 50 ms */
	bool check_every_step;             /* core_check(CHECK_TOUCHED) after each turn, CHECK_ALL after each 100th and at a crash */
};

/* Opens the core, recovers, feeds the configuration. NULL with e set. */
struct sim_host *sim_host_new(const struct sim_host_options *options, struct err *e);
void sim_host_free(struct sim_host *h);

/* The process is gone for good, with its database (whose handle may be dead): `delivered`: what was on its way still reached the portal. */
void sim_host_die(struct sim_host *h, bool delivered);

/* Runs the world until then: due timers, answers, results, each a turn of its own in order of time, then of making. -1: the store
 * is sick or an invariant does not hold (e says which). */
int sim_host_run(struct sim_host *h, int64_t until_us, struct err *e);

/* Published now, and read unless the partitions are away. Messages that were not on disk when the engine died are read again. */
int sim_host_alert(struct sim_host *h, const char *topic, const void *bytes, size_t len, struct err *e);

/* The partitions are taken away, or given back: then it goes on behind the stored positions. */
int sim_host_rebalance(struct sim_host *h, bool away, struct err *e);
/* Positions that cannot be read any more (what: "gap"), or a broker that is another one ("cluster"). */
int sim_host_gap(struct sim_host *h, const char *topic, const char *what, int64_t from, int64_t to, struct err *e);

/* One order now; *answer gets a new reference (may be NULL). */
int sim_host_order(struct sim_host *h, int64_t uid, const json_t *order, json_t **answer, struct err *e);

/* Feeds the configuration (options.config, which may have been changed in place) again. */
int sim_host_reload(struct sim_host *h, struct err *e);

/* The wall clock jumps by step_us (an input of kind clock; ticks go on as they were). */
int sim_host_clock(struct sim_host *h, int64_t step_us, struct err *e);

/* The process dies here: everything under way is lost (calls have reached the portal, or, with lost, have not; their answers have not
 * reached us), and is started anew on the same database down_us later. */
int sim_host_crash(struct sim_host *h, int64_t down_us, bool lost, struct err *e);

/* The process will die in the commit-th commit from now (0: not after all): nothing of that turn is durable, or, with after, all of it
 * but nothing of it has been handed over; asks: only turns that hand over what may leave but once are counted. Then as sim_host_crash. A message that was lost so is sent again, as a broker would. */
struct sim_doom {
	int commit;
	bool after, lost, asks;
	int64_t down_us;
};
void sim_host_doom(struct sim_host *h, const struct sim_doom *doom);

int64_t sim_host_now(const struct sim_host *h);  /* of the world */
int64_t sim_host_utc(const struct sim_host *h);  /* as the engine's clock shows it */
int64_t sim_host_tick(const struct sim_host *h);

/* Counts for a report: turns, calls carried, crashes. */
struct sim_host_counts {
	int64_t turns, calls, computes, messages, crashes;
	int64_t stops, fulls, put_off; /* ended by its disk; times it was full; inputs that had to wait then */
};
struct sim_host_counts sim_host_counts(const struct sim_host *h);
#endif

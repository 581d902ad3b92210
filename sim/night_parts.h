/* The inside of a night, shared by sim/night*.c only: its world as it stands, and what a line of its text may do. */
#ifndef SIM_NIGHT_PARTS_H
#define SIM_NIGHT_PARTS_H
#include "engine/base/text.h"
#include "sim/judge.h"
#include "sim/night.h"
#include <stdbool.h>

#define NIGHT_EVENTS 16

/* What has been told of an event. */
struct told {
	char name[64];
	int64_t event_us;
	struct text last; /* bytes of its last alert, for `again` */
};

/* A facility of the night. */
struct night_place {
	char name[64], authorization[80];
	json_t *setup;             /* of its portal */
	json_t *entry;             /* merge patch over its entry among the facilities */
	json_t *programme;         /* who pays there */
	struct sim_portal *portal; /* NULL until the night begins */
};

struct night {
	const struct sim_night_options *o;
	struct sim_night_report *report;
	uint64_t seed;
	int64_t start_us;
	json_t *policy, *changes, *config;
	struct night_place place[SIM_HOST_PLACES]; /* the first is lco */
	int places;
	sqlite3 *db, *copy;
	int64_t copied_us;
	struct sim_host *host;
	struct compute_host compute;
	struct judge judge;
	struct told told[NIGHT_EVENTS];
	int told_count;
	int64_t compute_us;
	struct sim_host_counts before; /* of hosts that are gone: a restored state has a new one */
	struct sim_broker *broker;
	struct night_disk *disk; /* NULL: the state is in memory, and never fails */
};

/* Notes what kind of thing broke; -1. */
int night_broke(struct night *n, const char *kind);

/* RFC 7396, in place. */
void night_merge(json_t *target, const json_t *patch);

/* night_world.c: the first facility and the policy; a further facility by its profile (sim/profiles/NAME.json); then everything, once. */
int night_world_begin(struct night *n, struct err *e);
int night_place_add(struct night *n, const char *name, struct err *e);
struct night_place *night_place_find(struct night *n, const char *name); /* NULL: there is none */
size_t night_places(struct night *n, struct sim_host_place out[SIM_HOST_PLACES]); /* how many */
int night_open(struct night *n, struct err *e);
void night_world_free(struct night *n);
void night_calm(struct night *n); /* no more faults anywhere */
int night_copy(struct night *n, struct err *e);
int night_db_open(struct night *n, struct err *e); /* n->db: in memory, or on the disk */
struct sim_host_counts night_counts(const struct night *n); /* of all hosts so far */
int night_restore(struct night *n, int64_t down_us, struct err *e);

/* night_disk.c: the line `disk`, then what happens to it. */
int night_disk_new(struct night *n, struct err *e);
void night_disk_free(struct night_disk *d);
void night_disk_calm(struct night_disk *d);
const struct sim_host_disk *night_disk_host(const struct night_disk *d);
int night_disk_do(struct night *n, const char *rest, struct err *e);

/* night_lines.c: one line, without its time; the world stands at that time. */
int night_do(struct night *n, char *line, struct err *e);

/* night_tell.c: alerts and orders. rest: what follows the word. */
int night_alert(struct night *n, const char *rest, struct err *e);
int night_order(struct night *n, const char *rest, struct err *e);
#endif

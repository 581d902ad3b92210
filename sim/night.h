/* A night as text: the real core, policies and adapter in a simulated world on a virtual clock (sim/host.h). One line, one thing:
 *
 *   seed 7                                 the made-up universe (sim/stage.h) and the portal's chance
 *   start 2026-11-24T00:00:00Z             sky time of 00:00
 *   policy {"offer_wait_s": 10}            merge patch (RFC 7396) over bns-near, before 00:00
 *   facility NAME [{…}]                    one more facility, by its profile (sim/profiles/NAME.json): south has a portal of its own and
 *                                          two sites, survey cannot cancel; their rungs are put at the end of the policy's ladder
 *   facility [NAME] {"accepts_tests": true}    merge patch over its entry; without a name the first (lco) is meant, here and below
 *   portal [NAME] {"cycle_s": 60}          merge patch over its portal's setup (sim/portal.h)
 *   programme [NAME] {"triggers": 1}       merge patch over the programme that pays there
 *   config {"programmes": […]}             merge patch over the configuration
 *   disk                                   the state lies on a disk that can fail (sim/disk.h); else in memory
 *   latency SECONDS                        of a call, there and back (0.2)
 *   compute SECONDS                        of a computation: map, rank, plan (0.05)
 *   HH:MM[:SS.sss] policy|config {…}       the same merge patch now, and the configuration is read anew
 *   HH:MM[:SS.sss] alert EVENT TYPE [key=value …]   far= bns= nsbh= terrestrial= remnant= significant= late=SECONDS (made so long ago) made=SECONDS (made so long after 00:00)
 *                                          flip=BIT[,BIT…] (these bits the other way round)
 *                                          map=none|STREAM topic= again (the same bytes)
 *   HH:MM[:SS.sss] bytes "garbage"         something that is no alert
 *   HH:MM[:SS.sss] order {"verb": …}       an operator's order (uid 1000); `refused` before the JSON: must be refused; `try`: may be;
 *                                          "#3" as a target: the third in rank of that event
 *   HH:MM[:SS.sss] portal [NAME] faults|weather|fail {…}   one more of these (sim/portal.h)
 *   HH:MM[:SS.sss] portal [NAME] down|rapid|late_cancel {…} | clog | release
 *   HH:MM[:SS.sss] portal [NAME] calm      no more faults there
 *   HH:MM[:SS.sss] calm                    nor anywhere
 *   HH:MM[:SS.sss] crash SECONDS [lost]    the engine dies, and is started again so much later; lost: calls on their way never arrive
 *   HH:MM[:SS.sss] crash SECONDS [lost] in N [asks] [after]   in the N-th commit from then (asks: of a turn that submits): nothing of it
 *                                          is durable, or, after: all of it, and
 *                                          nothing was handed over
 *   HH:MM[:SS.sss] disk full|mend          there is no room on the disk (but the ballast's) until it is mended
 *   HH:MM[:SS.sss] disk fails N [on]       the N-th write or sync from then fails, or with on: all from there until a person has mended it
 *   HH:MM[:SS.sss] disk power LOSS in N [CHANCE]   the power goes at the N-th write or sync; of what was not synced is left what LOSS says:
 *                                          keep, drop, half, chance
 *   HH:MM[:SS.sss] broker away|back|lost   the partitions are taken away and given back; meanwhile messages wait; lost: they are gone
 *   HH:MM[:SS.sss] copy                    a copy of the state is laid aside
 *   HH:MM[:SS.sss] restore SECONDS         the engine dies, and is started so much later on that copy: a restored state
 *   HH:MM[:SS.sss] clock SECONDS           its wall clock jumps
 *   HH:MM[:SS.sss] expect SQL = VALUE      first column of the first row (>=, <= and != too)
 *   HH:MM[:SS.sss] portal [NAME] expect /POINTER = VALUE   the portal's own count (sim_portal_ledger)
 *   HH:MM[:SS.sss] settle HOURS            nothing more happens; until everything is at rest, or so long: then it must be (liveness)
 *   HH:MM end                              goes on until then
 *
 * A time that has passed already (a crash takes time) is now. After every turn the invariants of what it touched are checked, all of
 * them every 100 turns, at a crash and at the end. Then the portal's own count is the judge (sim/judge.h), and the journal is fed again. */
#ifndef SIM_NIGHT_H
#define SIM_NIGHT_H
#include "engine/base/err.h"
#include "sim/host.h"
#include "sim/stage.h"
#include <stdbool.h>

struct sim_night_report {
	struct sim_host_counts counts;
	int64_t events, facilities, asked; /* asked: facilities that got a submission */
	int64_t submissions, observed, cancels, duplicates, unseen;
	int64_t flipped, rebalances; /* alerts with bits turned; times the partitions came back with something to read */
	int line;            /* of the text, at the end or where it broke; 0: after the last */
	char broken[64];     /* "" or the kind of thing that broke, the same for the same bug: "check_two_live", "replay", "expect" … */
};

struct sim_night_options {
	struct sim_stage *stage; /* borrowed; its seed must be the text's */
	bool no_replay;          /* leave out the second feeding: a third of the time */
	/* Called at the end, whole or broken, while the state and the portals are there; may be NULL. */
	void (*look)(void *ctx, sqlite3 *db, const struct sim_host_place *place, size_t places);
	void *ctx;
};

/* The universe that a text wants. */
uint64_t sim_night_seed(const char *text);

/* Runs a night; -1 with e ("line N: …") when a line cannot be understood or something broke. */
int sim_night_run(const char *text, const struct sim_night_options *o, struct sim_night_report *report, struct err *e);
#endif

/* A night as text: the real core, policies and adapter in a simulated world on a virtual clock (sim/host.h). One line, one thing:
 *
 *   seed 7                                 the made-up sky and all else
 *   start 2026-11-24T00:00:00Z             sky time of 00:00
 *   policy {"offer_wait_s": 10}            merge patch (RFC 7396) over bns-near, before 00:00
 *   portal {"cycle_s": 60}                 merge patch over the portal's setup
 *   facility {"accepts_tests": true}       merge patch over the facility's entry
 *   HH:MM[:SS] alert EVENT TYPE [key=value …]   far= bns= nsbh= terrestrial= remnant= significant= map=none|STREAM topic= again (the same bytes)
 *   HH:MM[:SS] bytes "garbage"             something that is no alert
 *   HH:MM[:SS] order {"verb": …}           an operator's order (uid 1000); `refused` before the JSON: must be refused
 *   HH:MM[:SS] portal faults|weather|fail {…}   one more of these (sim/portal.h)
 *   HH:MM[:SS] crash SECONDS               the engine dies, and is started again so much later
 *   HH:MM[:SS] copy                        a copy of the state is laid aside
 *   HH:MM[:SS] restore SECONDS             the engine dies, and is started so much later on that copy: a restored state
 *   HH:MM[:SS] clock SECONDS               its wall clock jumps
 *   HH:MM[:SS] expect SQL = VALUE          first column of the first row (>=, <= and != too)
 *   HH:MM[:SS] portal expect /POINTER = VALUE   the portal's own count (sim_portal_ledger)
 *
 * After every turn the invariants of what it touched are checked, all of them at a crash and at the end. */
#ifndef TESTS_LIB_NIGHT_H
#define TESTS_LIB_NIGHT_H
#include "engine/base/err.h"

/* Runs one file; -1 with e: "FILE line N: …". */
int night_run(const char *path, struct err *e);
#endif

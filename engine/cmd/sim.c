/* slew sim: nights that never were. */
#include "engine/cmd/sim.h"
#include "engine/io/offline.h"
#include <stdio.h>

static int run(int argc, char **argv)
{
	struct err e = {0};
	if (offline_enter(&e) < 0) /* nothing in a night asks for it; this is the second lock */
		fprintf(stderr, "slew: sim: %s; going on without\n", e.text);
	return sim_nights_run(argc, argv);
}

const struct command command_sim = {"sim", "FILE.night… | --seeds N [--seed S] [--jobs J] [--shrink] [--keep FOLDER] [--replay K] [--digest] | --print --seed S",
	"nights that never were: a scenario's story, or random nights by the thousand",
	"Runs the engine that `slew run` runs, with its policies and adapters, in a made-up world on a virtual clock: alerts, telescopes,\n"
	"weather, orders, lost replies, crashes. Nothing is sent anywhere. A night is a text; sim/night.h in the sources lists its lines.\n\n"
	"  FILE.night     tells what happened, and whether every expectation in it holds\n"
	"  --seeds N      N random nights: each seed switches a random half of all troubles on\n"
	"  --seed S       the first seed (1)\n"
	"  --jobs J       processes at once (1)\n"
	"  --replay K     feeds the journal of every K-th seed a second time and compares every row (8; 0: none)\n"
	"  --shrink       cuts a night that breaks to the lines that matter\n"
	"  --keep FOLDER  where nights that break are written, as KIND-SEED.night (here)\n"
	"  --print        writes the night of a seed as text, and runs nothing\n"
	"  --digest       with --seeds: a line for each night with SHA-256 of every row of its state, of the telescope's count, and by table;\n"
	"                 the same for the same seed on one machine and C library, whatever the compiler\n"
	"  --quiet        no story\n\n"
	"After every turn the state's invariants are checked; at the end the simulated telescope's own count is the judge: nothing asked\n"
	"twice, nothing asked after a retraction or veto, nothing left half done.\n\n"
	"exit codes: 0 all good; 1 something broke, or a file cannot be used\n\n"
	"examples:\n  slew sim tests/night/retracted.night\n  slew sim --seeds 1000 --jobs 2 --shrink --keep /tmp\n  slew sim --print --seed 42 > mine.night\n",
	run};

/* slew sim: nights that never were. */
#include "engine/cmd/sim.h"
#include "engine/io/offline.h"
#include <stdio.h>
#include <string.h>

static int run(int argc, char **argv)
{
	struct err e = {0};
	if (offline_enter(&e) < 0) /* nothing in a night asks for it; this is the second lock */
		fprintf(stderr, "slew: sim: %s; going on without\n", e.text);
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--real") == 0)
			return sim_real_run_command(argc, argv);
		else if (strcmp(argv[i], "--compare") == 0)
			return sim_compare_run(argc, argv);
		else if (strcmp(argv[i], "--menu") == 0)
			return sim_menu_run(argc, argv);
	return sim_nights_run(argc, argv);
}

const struct command command_sim = {"sim", "--real [options] | --compare A.json B.json | FILE.night… | --seeds N [options]",
	"nights that never were: a dry run of a real one, or random ones by the thousand",
	"Runs the engine that `slew run` runs, with its policies and adapters, on a virtual clock against a simulated observatory. Nothing is\n"
	"sent anywhere.\n\n"
	"A real night, before you trust it (--real): its sites, twilight and Moon; your policies; an alert of yours, or drawn mergers\n"
	"  --policy P       a policy by name or file; again for more, in the order in which they are served (bns-near)\n"
	"  --config FILE    programmes, hours, policies and catalogue of a configuration, in place of what is assumed\n"
	"  --catalog FILE   galaxies made by `slew catalog build` (a made-up sky)\n"
	"  --alert FILE     an alert; again for its later ones. Without any, mergers are drawn: --events N of them (1)\n"
	"  --start TIME     when the night begins, or now (the alert's own time; without an alert, now). An alert's times move along\n"
	"  --hours H        how long (24)\n"
	"  --seed S         of mergers, weather and the observatory (1); --clear: no clouds; --max-mpc D: how far mergers are (140)\n"
	"  --approve MIN    a person approves MIN minutes after being asked (nobody does)\n"
	"  -o FILE.html     one page: sky, sites, altitudes, probability covered against time, hours, every request, why not\n"
	"  --json [FILE]    the same as data; README lists the members\n"
	"  --state FILE     keeps the state, for slew report, slew replay and sqlite3\n"
	"  --quiet          no story, only what it came to\n\n"
	"Many nights (--real --nights N): the same drawn nights of 52 h, one merger each and false alarms, under each --policy by itself\n"
	"  --nights N       a table: true hosts observed and identified, first image, hours and triggers an event, requests wasted\n"
	"  --jobs J         processes at once (1); --json FILE: the table and every night\n"
	"  --start TIME     of the year over which the nights are spread (2027-01-01); --seed S: of the first night\n"
	"  --compare A.json B.json   two policies on the same nights, pair by pair; FILE#POLICY where a file holds several\n"
	"  Identified: two detections 30 min apart, and a colour or a fade. Wasted: asked for what was no merger, or ended without an exposure.\n\n"
	"Nights that try to break it: FILE.night is a text (sim/night.h), told as a story and judged; --seeds N draws them\n"
	"  --seeds N        N random nights: each seed switches a random half of all troubles on; --seed S: the first (1)\n"
	"  --jobs J         processes at once (1)\n"
	"  --digest         a line for each night with SHA-256 of every row of its state, of the telescope's count, and by table: the same for\n"
	"                   the same seed on one machine and C library, whatever the compiler\n"
	"  --replay K       feeds the journal of every K-th seed a second time and compares every row (8; 0: none)\n"
	"  --shrink         cuts a night that breaks to the lines that matter; --keep FOLDER: where they are written (here)\n"
	"  --menu           the table of troubles; with --seeds N how often each was on in N nights, and acted\n"
	"  --print          writes the night of a seed as text, and runs nothing; --quiet: no story\n\n"
	"exit codes: 0 all good; 1 something broke, or a file cannot be used; 2 usage; 75 a state cannot be written\n\n"
	"examples:\n"
	"  slew sim --real --policy bns-near -o night.html\n"
	"  slew sim --real --alert MS260917a-preliminary.json --start now --catalog glade.fits -o night.html\n"
	"  slew sim --real --nights 100 --jobs 4 --policy bns-near --policy ./bold.json --json both.json\n"
	"  slew sim --compare both.json#bns-near both.json#bold\n"
	"  slew sim tests/night/retracted.night\n"
	"  slew sim --seeds 1000 --jobs 2 --shrink --keep /tmp\n",
	run};

/* `slew world`: a made-up night as a process of its own: broker, telescopes' portal, sky, weather.
 * The engine beside it is the real one. */
#include "engine/cmd/world.h"
#include "engine/base/hash.h"
#include "engine/base/json.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include "engine/cmd/cmd.h"
#include "engine/cmd/world_broker.h"
#include "engine/cmd/world_http.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define GRACE_US  (60 * UTC_SECOND) /* wall time after the night in which it still answers */
#define LEDGER_US (250 * UTC_SECOND / 1000)

static volatile sig_atomic_t stopping;

static void on_signal(int signal)
{
	(void)signal;
	stopping = 1;
}

/* What went out: the judge of "every alert that was sent is a row". A message's offset is its place
 * in this list. */
static void note_sent(json_t *sent, const struct made_alert *a, int64_t wall_us)
{
	char digest[65];

	hash_sha256_hex(a->bytes, a->len, digest);
	json_array_append_new(
		sent, json_pack("{s:s, s:s, s:s, s:I}", "event", a->event, "type", a->type,
			      "sha256", digest, "sent_us", (json_int_t)wall_us));
}

static int write_ledger(struct world *w, struct world_http *http, json_t *sent, struct err *e)
{
	json_t *ledger = world_http_ledger(http);

	if (ledger == NULL)
		return err_set(e, ERR_MEMORY, "world: no memory for the portal's ledger");
	json_object_set_new(ledger, "sky_us", json_integer(clock_utc_us(&w->clock)));
	json_object_set_new(ledger, "alerts_sent", json_integer((json_int_t)json_array_size(sent)));
	json_object_set(ledger, "alerts", sent);
	if (stopping)
		json_object_set_new(ledger, "portal_spent", world_http_spent(http));
	int bad = world_write_json(w->dir, "ledger.json", ledger, e);
	json_decref(ledger);
	return bad;
}

/* Alerts at their sky times, the portal's ledger four times a second, until the night and its grace
 * are over or a signal comes. */
static int play(struct world *w, struct world_broker *broker, struct world_http *http, json_t *sent,
	struct err *e)
{
	size_t next = 0;
	int64_t ledger_us = 0,
		last_us = w->anchor_us +
			  (int64_t)((double)(w->night.end_us - w->night.start_us) / w->o.rate) +
			  GRACE_US;

	while (!stopping) {
		int64_t sky = clock_utc_us(&w->clock), wall = clock_wall_us();
		for (; next < w->night.alerts && w->night.alert[next].at_us <= sky; next++) {
			note_sent(sent, &w->night.alert[next], clock_wall_us());
			if (world_broker_send(broker, w->night.alert[next].bytes,
				    w->night.alert[next].len, e) != 0)
				return -1;
		}
		if (wall - ledger_us >= LEDGER_US) {
			ledger_us = wall;
			if (write_ledger(w, http, sent, e) != 0)
				return -1;
		}
		if (wall >= last_us)
			break;
		nanosleep(&(struct timespec){0, 5 * 1000 * 1000}, NULL);
	}
	return write_ledger(w, http, sent, e);
}

static int serve(
	struct world *w, struct world_broker *broker, struct world_http *http, struct err *e)
{
	struct sigaction stop = {.sa_handler = on_signal};

	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGINT, &stop, NULL);
	if (world_configure(w, world_broker_address(broker), world_http_port(http), e) != 0)
		return -1;
	printf("slew world: seed %llu; truth sealed, sha256 %s\n", (unsigned long long)w->o.seed,
		w->truth_sha256);
	printf("slew world: broker %s topic %s; portal http://127.0.0.1:%d; engine: slew run "
	       "%s/config.json\n",
		world_broker_address(broker), WORLD_TOPIC, world_http_port(http), w->o.dir);
	fflush(stdout);
	json_t *sent = json_array();
	int bad = play(w, broker, http, sent, e);
	json_decref(sent);
	if (bad != 0)
		return -1;
	return world_write(w->dir, "truth.json", w->truth, strlen(w->truth), 0644, e);
}

static int run_world(struct world *w, struct err *e)
{
	struct world_broker *broker = NULL;
	struct world_http *http = NULL;
	int bad = -1;

	if (world_make(w, e) != 0)
		return -1;
	json_t *setup = world_portal_setup(w);
	struct sim_portal *portal = setup != NULL ? sim_portal_new(setup, w->o.seed) : NULL;
	json_decref(setup);
	if (portal == NULL)
		return err_set(e, ERR_MEMORY, "world: the simulated portal did not start");
	w->anchor_us = clock_wall_us() + (int64_t)(w->o.lead_s * 1e6);
	clock_virtual(&w->clock, w->night.start_us, w->anchor_us, w->o.rate, 0);
	http = world_http_open(portal, &w->clock, e);
	if (http != NULL)
		world_http_think(http, w->o.think_ms);
	if (http == NULL)
		sim_portal_free(portal);
	else
		broker = world_broker_open(WORLD_TOPIC, e);
	if (broker != NULL)
		bad = serve(w, broker, http, e);
	world_broker_close(broker);
	world_http_close(http);
	return bad;
}

static int parse_number(const char *s, double least, double most, double *out)
{
	char *end;

	*out = strtod(s, &end);
	return *end == '\0' && end != s && *out >= least && *out <= most ? 0 : -1;
}

/* One option at argv[i]; returns how many words it took, 0 for none of ours, -1 for a bad value. */
static int option(struct world_options *o, char **argv, int i, struct err *e)
{
	const char *name = argv[i], *value = argv[i + 1];
	double number = 0;

	if (strcmp(name, "--clear") == 0)
		return o->clear = true;
	if (strcmp(name, "--no-fault") == 0)
		return o->faultless = true;
	if (strcmp(name, "--alone") == 0)
		return o->alone = true;
	if (value == NULL)
		return 0;
	if (strcmp(name, "--seed") == 0 && parse_number(value, 0, 1e15, &number) == 0)
		o->seed = (uint64_t)number;
	else if (strcmp(name, "--rate") == 0 && parse_number(value, 1, 100000, &number) == 0)
		o->rate = number;
	else if (strcmp(name, "--hours") == 0 && parse_number(value, 0.1, 72, &number) == 0)
		o->hours = number;
	else if (strcmp(name, "--volley") == 0 && parse_number(value, 1, 500, &number) == 0)
		o->volley = (int)number;
	else if (strcmp(name, "--every") == 0 && parse_number(value, 0.001, 86400, &number) == 0)
		o->every_s = number;
	else if (strcmp(name, "--think") == 0 && parse_number(value, 0, 10000, &number) == 0)
		o->think_ms = (int)number;
	else if (strcmp(name, "--retract") == 0 && parse_number(value, 2, 1440, &number) == 0)
		o->retract_min = number;
	else if (strcmp(name, "--lead") == 0 && parse_number(value, 0, 60, &number) == 0)
		o->lead_s = number;
	else if (strcmp(name, "--start") == 0)
		return utc_parse(value, &o->start_us, e) == 0 ? 2 : -1;
	else if (strcmp(name, "--alert") == 0 && o->alerts < WORLD_ALERT_FILES)
		o->alert[o->alerts++] = value;
	else if (strcmp(name, "--catalog") == 0)
		o->catalog = value;
	else
		return 0;
	return 2;
}

static int absolute(struct world *w, struct err *e)
{
	char *path =
		mkdir(w->o.dir, 0755) == 0 || errno == EEXIST ? realpath(w->o.dir, NULL) : NULL;

	if (path == NULL)
		return err_set(e, ERR_SYSTEM, "%s: %s; give a directory that can be made", w->o.dir,
			strerror(errno));
	bool fits = text_copy(w->dir, sizeof w->dir, path);
	free(path);
	return fits ? 0
		    : err_set(e, ERR_LIMIT,
			      "%s: its full path is longer than %zu bytes; give a shorter one",
			      w->o.dir, sizeof w->dir - 1);
}

/* What a world writes: the first of it that is there already, or NULL. */
static const char *in_the_way(const struct world *w)
{
	static const char *const files[] = {"world.json", "config.json", "policy.json", "catalog.fits", "galaxies.csv", "credentials", "ledger.json", "truth.json"};
	char path[sizeof w->dir + 32];

	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		snprintf(path, sizeof path, "%s/%s", w->dir, files[i]);
		if (access(path, F_OK) == 0)
			return files[i];
	}
	return NULL;
}

static int world_run(int argc, char **argv)
{
	struct world w = {
		.o = {.seed = 1, .rate = 560, .hours = 7, .start_us = UTC_NONE, .every_s = 0.5, .lead_s = 3.5}};
	struct err e = {0};

	if (argc > 1 && strcmp(argv[1], "tell") == 0)
		return world_tell(argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "wait") == 0)
		return world_wait(argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "end") == 0)
		return world_end(argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "latency") == 0)
		return world_latency(argc - 1, argv + 1);
	for (int i = 1; i < argc;) {
		int took = argv[i][0] == '-' ? option(&w.o, argv, i, &e) : 0;
		if (took < 0)
			return err_print(&e);
		if (took == 0 && (argv[i][0] == '-' || w.o.dir != NULL))
			return cmd_usage(&command_world,
				"\"%s\" is not understood, or its value is missing or out of range",
				argv[i]);
		if (took == 0)
			w.o.dir = argv[i];
		i += took == 0 ? 1 : took;
	}
	if (w.o.dir == NULL)
		return cmd_usage(&command_world, "no directory is given");
	if (absolute(&w, &e) != 0)
		return err_print(&e);
	const char *there = in_the_way(&w);
	int bad = there == NULL ? run_world(&w, &e) : err_set(&e, ERR_USAGE, "%s: holds %s already, and a world writes over nothing; give a new directory",
		w.o.dir, there);
	world_free(&w);
	return bad != 0 ? err_print(&e) : 0;
}

const struct command command_world = {"world",
	"DIR [--seed N] [--rate R] [--hours H] [--start UTC] [--alert FILE]… [--catalog CAT] "
	"[--clear] [--no-fault] [--alone]\n"
	"                 [--volley N [--every S]]",
	"a made-up night to run the engine against: broker, portal, sky, weather",
	"A process of its own that stands for everything outside the engine; `make demo` uses it. "
	"It\n"
	"makes a universe of galaxies from the seed, lets two neutron-star binaries merge in two "
	"of\n"
	"them, adds a third event that is noise, and then serves on 127.0.0.1, on free ports:\n\n"
	"  a Kafka broker     (librdkafka's mock cluster) with topic igwn.gwalert; alerts come at "
	"their\n"
	"                     sky times: EARLYWARNING, PRELIMINARY, INITIAL, UPDATE, RETRACTION\n"
	"  an OCS portal      over HTTP: it validates, accepts, schedules, observes, cancels, "
	"refuses, has\n"
	"                     clouds over its sites, and loses one reply on purpose\n\n"
	"Written into DIR: config.json (for `slew run DIR/config.json`), policy.json, "
	"catalog.fits, world.json\n"
	"(addresses, clock, SHA-256 of the sealed truth), ledger.json (the portal's own count of "
	"submissions,\n"
	"four times a second), and at the end truth.json (hosts and weather), whose SHA-256 was "
	"said first.\n\n"
	"  --seed N      another night (default 1)\n"
	"  --rate R      sky seconds per wall second (default 560: seven hours in 45 s)\n"
	"  --hours H     length of the night (default 7)\n"
	"  --start UTC   sky time of the beginning (default: a date from the seed, at an hour when "
	"the first\n"
	"                host can soon be seen from some site, if it can be seen at all)\n"
	"  --alert FILE  real alert(s), bytes unchanged, in place of the made ones; the sky's "
	"clock goes to\n"
	"                their time (with --start their times are moved to that night instead, all "
	"else\n"
	"                stays). Test alerts are then accepted by facility and policy.\n"
	"  --catalog CAT galaxies in place of the made ones (anything `slew catalog build` reads)\n"
	"  --clear, --no-fault   no clouds; no lost reply\n"
	"  --alone       the policy waits for no person\n"
	"  --retract M   the third event is taken back M minutes after it (default 58)\n"
	"  --think MS    wall milliseconds between what a submit does at the portal and its answer (default 0)\n"
	"  --lead S      wall seconds before the night begins, for the engine to start (default 3.5)\n"
	"  --volley N    to measure with (--rate 1): N mergers, each heard once and observable at "
	"once, one every\n"
	"  --every S     S seconds of sky (default 0.5)\n\n"
	"slew world tell DIR   prints the night's story from the engine's state and the portal's "
	"ledger\n"
	"slew world wait DIR WHAT [MINUTES]   waits until something has happened (see tools/demo)\n"
	"slew world end DIR   the bill, the promises, the truth opened; exit 3 when a promise was "
	"broken\n"
	"slew world latency DIR   from each alert's bytes on the broker to its first accepted "
	"request, by stage\n\n"
	"It ends by itself a minute after the night, or on SIGTERM; killing the engine does not "
	"touch it.\n",
	world_run};

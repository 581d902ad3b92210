/* slew sim FILE.night | --seeds N: a scenario's story, and random nights by the thousand, each judged. */
#include "engine/base/json.h"
#include "engine/base/query.h"
#include "engine/base/utc.h"
#include "engine/cmd/sim.h"
#include "sim/digest.h"
#include "sim/swarm.h"
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct sim_run {
	struct sim_stage *stage;
	uint64_t from;
	int64_t seeds;
	int jobs, replay_every;
	bool shrink, print, quiet, digest;
	const char *keep;     /* folder for failing nights */
	atomic_llong *next;   /* shared: the first night that no process has taken */
};

struct tally {
	int64_t nights, failed, events, turns, calls, crashes, submissions, observed, cancels, unseen;
};

static struct sim_stage *stage_open(uint64_t seed, struct err *e)
{
	char scratch[] = "/tmp/slew-sim-XXXXXX";
	int fd = mkstemp(scratch);
	if (fd < 0) {
		err_set(e, ERR_SYSTEM, "%s: %s; the made-up catalogue is written there", scratch, strerror(errno));
		return NULL;
	}
	close(fd);
	struct sim_stage *stage = sim_stage_new(seed, scratch, e);
	unlink(scratch);
	return stage;
}

/* ---- one scenario, as a story ---- */
static void story(void *ctx, sqlite3 *db, const struct sim_host_place *place, size_t places)
{
	static const char lines[] =
		"SELECT * FROM (SELECT i.utc_us,i.seq,'heard '||e.name||' '||a.type AS words FROM alert a JOIN input i ON i.seq=a.seq JOIN event e ON e.id=a.event "
		"UNION ALL SELECT i.utc_us,i.seq,'rejected: '||r.reason FROM reject r JOIN input i ON i.seq=r.seq "
		"UNION ALL SELECT i.utc_us,i.seq,'order '||o.verb||': '||o.answer FROM operator_order o JOIN input i ON i.seq=o.seq "
		"UNION ALL SELECT i.utc_us,i.seq,'asked '||y||': '||n||' request'||CASE n WHEN 1 THEN '' ELSE 's' END||' '||s FROM (SELECT c.seq AS q,"
		"e.name AS y,count(*) AS n,c.to_state AS s FROM request_change c JOIN request r ON r.id=c.request JOIN event e ON e.id=r.event WHERE c.to_state IN "
		"('accepted','unsure','running','done','cancelled','declined','expired','failed') GROUP BY c.utc_us/60000000,e.id,c.to_state) JOIN input i ON i.seq=q "
		"UNION ALL SELECT utc_us,seq,'alarm: '||detail FROM alarm) ORDER BY utc_us,seq LIMIT 400";
	struct err e = {0};
	json_t *rows = query_rows(db, 400, &e, lines, ""), *row;
	char stamp[32];
	size_t i;
	(void)ctx;
	json_array_foreach(rows, i, row)
		printf("  %.8s  %.200s\n", utc_format_s(stamp, json_int(row, "utc_us", 0)) + 11, json_text(row, "words", ""));
	json_decref(rows);
	for (i = 0; i < places; i++) {
		json_t *ledger = sim_portal_ledger(place[i].portal);
		char *states = json_canonical(json_object_get(ledger, "states"));
		printf("  at %s: %lld submissions, %lld of them twice, %lld cancels; %s\n", place[i].facility, (long long)json_int(ledger, "submissions", 0),
			(long long)json_int(ledger, "duplicates", 0), (long long)json_int(ledger, "cancels", 0), states ? states : "");
		free(states);
		json_decref(ledger);
	}
}

static int scenario(struct sim_run *r, const char *path)
{
	struct err e = {0};
	struct sim_night_report report;
	unsigned char *bytes = NULL;
	unsigned long len = 0;
	int rc = cmd_read_file(path, 1u << 20, &bytes, &len);
	if (rc != 0)
		return rc;
	char *text = strndup((const char *)bytes, len);
	free(bytes);
	if (text != NULL && (r->stage == NULL || sim_stage_seed(r->stage) != sim_night_seed(text))) {
		sim_stage_free(r->stage);
		r->stage = stage_open(sim_night_seed(text), &e);
	}
	if (text == NULL || r->stage == NULL) {
		free(text);
		return err_print(&e);
	}
	printf("%s\n", path);
	struct sim_night_options o = {.stage = r->stage, .look = r->quiet ? NULL : story};
	rc = sim_night_run(text, &o, &report, &e);
	free(text);
	if (rc == 0)
		printf("  good: %lld turns, %lld calls, %lld crashes; replayed to the last bit\n", (long long)report.counts.turns, (long long)report.counts.calls,
			(long long)report.counts.crashes);
	else
		printf("  BROKEN (%s) %s\n", report.broken, e.text);
	fflush(stdout);
	return rc < 0;
}

/* ---- random nights ---- */
struct same {
	struct sim_stage *stage;
	const char *broken;
};

static bool breaks_so(void *ctx, const char *text)
{
	const struct same *s = ctx;
	struct err e = {0};
	struct sim_night_report report;
	struct sim_night_options o = {.stage = s->stage, .no_replay = strcmp(s->broken, "replay") != 0};
	return sim_night_run(text, &o, &report, &e) < 0 && strcmp(report.broken, s->broken) == 0;
}

static void keep_night(const struct sim_run *r, uint64_t seed, const struct sim_night_report *report, const struct err *why, const char *text)
{
	char path[300];
	struct text cut = {.max = 1u << 20};
	struct same same = {r->stage, report->broken};
	if (r->shrink)
		sim_swarm_shrink(text, 150, breaks_so, &same, &cut);
	snprintf(path, sizeof path, "%s/%s-%llu.night", r->keep, report->broken, (unsigned long long)seed);
	FILE *f = fopen(path, "we");
	bool kept = f != NULL && fprintf(f, "# seed %llu broke: %.300s\n%s", (unsigned long long)seed, why->text, r->shrink && cut.data ? cut.data : text) > 0;
	kept = f != NULL && fclose(f) == 0 && kept;
	printf("seed %llu: %s: %.400s\n  %s %s%s%s\n", (unsigned long long)seed, report->broken, why->text, kept ? "kept as" : "not kept:", path, kept ? "" : ": ",
		kept ? "" : strerror(errno));
	fflush(stdout);
	text_free(&cut);
}

/* A line for each night, whatever the process: seed, state, each portal, then each table. */
static void digest_tell(void *seed, sqlite3 *db, const struct sim_host_place *place, size_t places)
{
	struct text tables = {.max = 8192};
	struct err e = {0};
	char state[65] = "", ledger[65];
	if (state_digest(db, &tables, state, &e) < 0)
		fprintf(stderr, "slew: sim: seed %llu: %s\n", *(unsigned long long *)seed, e.text);
	printf("%llu %s", *(unsigned long long *)seed, state);
	for (size_t i = 0; i < places; i++) {
		portal_digest(place[i].portal, ledger);
		printf(" portal-%s=%.32s", place[i].facility, ledger);
	}
	printf("%s\n", tables.data ? tables.data : "");
	fflush(stdout);
	text_free(&tables);
}

static void one_seed(const struct sim_run *r, uint64_t seed, struct tally *t)
{
	struct text text = {.max = 1u << 20};
	struct err e = {0};
	struct sim_night_report report;
	sim_swarm_text(seed, &text);
	struct sim_night_options o = {.stage = r->stage, .no_replay = r->replay_every == 0 || seed % (uint64_t)r->replay_every != 0};
	unsigned long long number = seed;
	o.look = r->digest ? digest_tell : NULL;
	o.ctx = &number;
	int rc = sim_night_run(text.data ? text.data : "", &o, &report, &e);
	t->nights++;
	t->events += report.events;
	t->turns += report.counts.turns;
	t->calls += report.counts.calls;
	t->crashes += report.counts.crashes;
	t->submissions += report.submissions;
	t->observed += report.observed;
	t->cancels += report.cancels;
	t->unseen += report.unseen;
	if (rc < 0) {
		t->failed++;
		keep_night(r, seed, &report, &e, text.data ? text.data : "");
	}
	text_free(&text);
}

/* One process: tells its tally after every night (less than PIPE_BUF: whole), so that one that dies loses no more than its last. */
static void worker(const struct sim_run *r, int fd)
{
	for (int64_t i; (i = atomic_fetch_add(r->next, 1)) < r->seeds;) { /* some nights take ten times as long as others */
		struct tally t = {0};
		one_seed(r, r->from + (uint64_t)i, &t);
		if (write(fd, &t, sizeof t) != (ssize_t)sizeof t)
			_exit(75); /* who asked is gone */
	}
	fflush(stdout);
	_exit(0);
}

static void tally_add(struct tally *a, const struct tally *b)
{
	a->nights += b->nights;
	a->failed += b->failed;
	a->events += b->events;
	a->turns += b->turns;
	a->calls += b->calls;
	a->crashes += b->crashes;
	a->submissions += b->submissions;
	a->observed += b->observed;
	a->cancels += b->cancels;
	a->unseen += b->unseen;
}

static double since_s(const struct timespec *began)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - began->tv_sec) + (double)(now.tv_nsec - began->tv_nsec) / 1e9;
}

/* For a person who waits, once a second. */
static void progress(const struct sim_run *r, const struct tally *t, double took_s, double *told_s)
{
	if (took_s - *told_s < 1 || r->quiet || !isatty(STDERR_FILENO))
		return;
	*told_s = took_s;
	fprintf(stderr, "\r%lld of %lld nights, %lld broken, %.1f a second, %.0f s left ", (long long)t->nights, (long long)r->seeds,
		(long long)t->failed, (double)t->nights / took_s, (double)(r->seeds - t->nights) * took_s / (double)t->nights);
}

static void tally_print(const struct sim_run *r, const struct tally *t, double took_s)
{
	struct rusage use = {0};
	getrusage(RUSAGE_CHILDREN, &use);
	double cpu_s = (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) + (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
	if (!r->quiet && isatty(STDERR_FILENO))
		fprintf(stderr, "\r%70s\r", "");
	fprintf(r->digest ? stderr : stdout, "%lld nights, %lld broken, %.1f s, %.1f nights/s, %.1f a processor second, %ld MiB: %lld events, %lld turns, "
		"%lld calls, %lld crashes, %lld submissions, %lld observed, %lld cancels, %lld asked of what cannot be seen\n", (long long)t->nights,
		(long long)t->failed, took_s, (double)t->nights / took_s, (double)t->nights / cpu_s, use.ru_maxrss / 1024, (long long)t->events,
		(long long)t->turns, (long long)t->calls, (long long)t->crashes, (long long)t->submissions, (long long)t->observed,
		(long long)t->cancels, (long long)t->unseen);
}

static int swarm(struct sim_run *r)
{
	struct err e = {0};
	struct tally all = {0}, one;
	struct timespec began;
	int fd[2], status, lost = 0;
	double told_s = 0;
	r->stage = stage_open(SWARM_UNIVERSE, &e);
	if (r->stage == NULL || (r->seeds >= 10 && sim_swarm_warm(r->stage, &e) < 0))
		return err_print(&e);
	r->next = mmap(NULL, sizeof *r->next, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (r->next == MAP_FAILED || pipe(fd) < 0) {
		sim_stage_free(r->stage);
		return err_set(&e, ERR_SYSTEM, "sim: %s; the processes need a page and a pipe in common", strerror(errno)), err_print(&e);
	}
	fflush(stdout);
	clock_gettime(CLOCK_MONOTONIC, &began); /* the sky and its maps are there: made once for all */
	for (int k = 0; k < r->jobs; k++) {
		pid_t pid = fork();
		if (pid == 0) {
			close(fd[0]);
			worker(r, fd[1]);
		}
		lost += pid < 0;
	}
	close(fd[1]);
	while (read(fd[0], &one, sizeof one) == (ssize_t)sizeof one) {
		tally_add(&all, &one);
		progress(r, &all, since_s(&began), &told_s);
	}
	while (wait(&status) > 0)
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
			lost++;
			fprintf(stderr, "slew: sim: a process died (%s %d): a crash of the engine is a bug; run its seeds with --jobs 1\n",
				WIFSIGNALED(status) ? "signal" : "exit", WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
		}
	close(fd[0]);
	tally_print(r, &all, since_s(&began));
	munmap(r->next, sizeof *r->next);
	sim_stage_free(r->stage);
	return lost > 0 || all.failed > 0 || all.nights < r->seeds;
}

/* ---- command line ---- */
static int print_seed(uint64_t seed)
{
	struct text text = {.max = 1u << 20};
	sim_swarm_text(seed, &text);
	fputs(text.data ? text.data : "", stdout);
	text_free(&text);
	return 0;
}

bool sim_number(const char *text, int64_t least, int64_t *out)
{
	char *end;
	errno = 0;
	*out = strtoll(text, &end, 10);
	return errno == 0 && end != text && *end == '\0' && *out >= least;
}

int sim_nights_run(int argc, char **argv)
{
	struct sim_run r = {.from = 1, .jobs = 1, .replay_every = 8, .keep = "."};
	int files = 0, rc = 0;
	for (int i = 1; i < argc; i++) {
		int64_t n = 0;
		const char *a = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;
		if (a[0] != '-') {
			argv[1 + files++] = argv[i];
		} else if (strcmp(a, "--shrink") == 0) {
			r.shrink = true;
		} else if (strcmp(a, "--print") == 0) {
			r.print = true;
		} else if (strcmp(a, "--quiet") == 0) {
			r.quiet = true;
		} else if (strcmp(a, "--digest") == 0) {
			r.digest = true;
		} else if (strcmp(a, "--keep") == 0 && value != NULL) {
			r.keep = argv[++i];
		} else if (value != NULL && (strcmp(a, "--seeds") == 0 || strcmp(a, "--seed") == 0 || strcmp(a, "--jobs") == 0 || strcmp(a, "--replay") == 0)) {
			if (!sim_number(value, strcmp(a, "--replay") == 0 ? 0 : 1, &n) || (strcmp(a, "--jobs") == 0 && n > 256) || (strcmp(a, "--replay") == 0 && n > INT32_MAX))
				return cmd_usage(&command_sim, "%s %s: not a number that can be used", a, value);
			i++;
			if (strcmp(a, "--seeds") == 0)
				r.seeds = n;
			else if (strcmp(a, "--seed") == 0)
				r.from = (uint64_t)n;
			else if (strcmp(a, "--jobs") == 0)
				r.jobs = (int)n;
			else
				r.replay_every = (int)n;
		} else {
			return cmd_usage(&command_sim, "\"%s\" is not understood, or lacks its value", a);
		}
	}
	if (r.print)
		return print_seed(r.from);
	if (files == 0 && r.seeds == 0)
		return cmd_usage(&command_sim, "give a scenario, or --seeds N");
	for (int i = 1; i <= files; i++)
		rc |= scenario(&r, argv[i]);
	if (files > 0)
		sim_stage_free(r.stage);
	r.stage = NULL;
	return r.seeds > 0 ? rc | swarm(&r) : rc;
}

/* A disk that fails: each call of SQLite to its file system fails in turn (once, or from then on until somebody mends it), with a full disk
 * or an error of input or output. The engine's own turns (core_thread.c) meet it: the core anew, letters singly, ballast, stop. Afterwards
 * nothing is lost, nothing is asked twice, and while the disk was full nothing new was asked of a telescope (I13).
 * The canonical night is played once; at each call the process forks, and the child is the one that meets the failure. FAILS=1 tries every
 * call in each way, FAILS=n every n-th call in one way by turns (11). */
#include "tests/torture/boat.c"
#include "test.h"
#include <sys/wait.h>

#define AT_ONCE 2       /* children that live at the same time */
#define ROOM_CALLS 2000 /* writes for which the ballast makes room: 8 MiB in pages */

static const struct way {
	const char *name, *kinds;
	int code;
	bool on; /* from then on; else once */
} ways[] = {
	{"fails once", "wstdrozm", SQLITE_IOERR, false},
	{"fails from then on", "wstdrozm", SQLITE_IOERR, true},
	{"is full once", "w", SQLITE_FULL, false},
	{"is full from then on", "w", SQLITE_FULL, true},
};
#define WAYS (sizeof ways / sizeof ways[0])

static struct trial {
	int64_t calls, step, tried, failed, filled, deaths;
	int running;
	bool at_work;            /* the engine, not its world */
	const struct way *way;   /* child: what it meets; NULL in the parent */
	int64_t room;            /* full: writes that the ballast still allows; < 0 not freed yet */
} trial;

/* ---- every call ---- */
static void reap(void)
{
	int status = -1;
	must(wait(&status) > 0);
	trial.running--;
	trial.failed += !WIFEXITED(status) || (WEXITSTATUS(status) & 1);
	if (WIFEXITED(status)) {
		trial.deaths += (WEXITSTATUS(status) & 2) != 0;
		trial.filled += (WEXITSTATUS(status) & 4) != 0;
	}
}

/* Each process its own ballast. */
static void ballast_name(void)
{
	snprintf(boat.state, sizeof boat.state, "/tmp/slew-fails-%d", (int)getpid());
	if (boat.t != NULL)
		ballast_open(&boat.t->ballast, boat.state);
}

/* true in the child. */
static bool split(const struct way *way)
{
	if (trial.running == AT_ONCE)
		reap();
	fflush(NULL);
	pid_t pid = fork();
	must(pid >= 0);
	if (pid == 0) {
		trial.way = way;
		trial.room = -1;
		boat.mended = !way->on;
		boat.hurt = true;
		ballast_name();
		return true;
	}
	trial.running++;
	trial.tried++;
	return false;
}

static int fate_of_child(char kind)
{
	const struct way *w = trial.way;
	if (boat.mended || strchr(w->kinds, kind) == NULL)
		return 0;
	if (w->code != SQLITE_FULL)
		return w->code;
	if (trial.room < 0 && access(boat.t->ballast.path, F_OK) != 0)
		trial.room = ROOM_CALLS;
	return trial.room > 0 && trial.room-- ? 0 : SQLITE_FULL;
}

static int fate(void *ctx, char kind)
{
	(void)ctx;
	if (!trial.at_work)
		return 0;
	if (trial.way != NULL)
		return fate_of_child(kind);
	trial.calls++;
	for (size_t i = 0; i < WAYS; i++)
		if (strchr(ways[i].kinds, kind) != NULL &&
			(trial.step == 1 || (trial.calls % trial.step == 0 && i == (size_t)(trial.calls / trial.step) % WAYS)))
			if (split(&ways[i]))
				return ways[i].code;
	return 0;
}

static void boat_at_work(bool engine)
{
	trial.at_work = engine;
}

static void fails_at_each(void **state)
{
	(void)state;
	struct err e = {0};
	const char *every = getenv("FAILS");
	trial.step = every ? atoll(every) : 11;
	trial.step = trial.step < 1 ? 1 : trial.step;
	disk = disk_new("disk-that-fails");
	canonical_make(&world);
	ballast_name();
	disk_ask(disk, fate, NULL);
	int rc = boat_night(&boat, &e);
	disk_ask(disk, NULL, NULL);
	ballast_free(&boat.t->ballast);
	if (trial.way != NULL) {
		if (rc != 0)
			fprintf(stderr, "# call %lld %s: %s\n", (long long)trial.calls, trial.way->name, e.text);
		_exit((rc != 0) | (boat.deaths > 0) << 1 | (boat.filled > 0) << 2);
	}
	while (trial.running > 0)
		reap();
	assert_ok(rc, &e);
	printf("# %lld calls; %lld failures tried: %lld stopped the engine, %lld filled the disk; %lld went wrong\n", (long long)trial.calls,
		(long long)trial.tried, (long long)trial.deaths, (long long)trial.filled, (long long)trial.failed);
	assert_true(trial.deaths > 0 && trial.filled > 0);
	assert_int_equal(trial.failed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(fails_at_each)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The engine's turns without memory: the n-th allocation in a turn (the engine's own, SQLite's, jansson's) gives NULL, once, or from then
 * on until the engine has stopped. Then a turn is taken back and tried again, or the engine stops; the night goes on, nothing is lost or
 * doubled, no input is rejected for want of memory, and where nothing stopped every row is the same as undisturbed.
 * The canonical night is played once; at an allocation the process forks, and the child is the one that goes without. TURNS=1 tries each
 * in both ways, TURNS=n every n-th by turns; TURNS_AT=n only that one. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <regex.h>
#include <stdlib.h>
#ifndef SLEW_SANITIZER
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t size);
#define malloc __libc_malloc /* the disk is not the engine */
#define calloc __libc_calloc
#define realloc __libc_realloc
#include "sim/disk.c"
#undef malloc
#undef calloc
#undef realloc
#endif
#include "tests/torture/boat.c"
#include "test.h"
#include "engine/base/hash.h"
#include "engine/base/json.h"
#include <execinfo.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define AT_ONCE 2
#define STOPPED 1 /* exit of err_no_memory */
#define WRONG 9
#ifdef SLEW_SANITIZER
#define EVERY 0 /* its allocator is not ours to interpose */
#else
#define EVERY 257
#endif

static struct trial {
	int64_t calls, at, step, tried, stopped, again, wrong;
	int running;
	bool at_work, child, on, over;
} trial;
static char (*undisturbed)[65]; /* digest of all rows, shared */
static int64_t *undisturbed_inputs;

static void reap(void)
{
	int status = -1;
	must(wait(&status) > 0);
	trial.running--;
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : WRONG;
	trial.stopped += code == STOPPED;
	trial.again += code == 0;
	trial.wrong += code != STOPPED && code != 0;
}

static void on_signal(int number)
{
	void *at[40];
	fprintf(stderr, "# allocation %lld of the turns, %s: signal %d\n", (long long)trial.calls, trial.on ? "and all after it" : "once", number);
	backtrace_symbols_fd(at, backtrace(at, 40), 2);
	_exit(WRONG);
}

/* Before an allocation of the engine: true, it gives NULL. */
static bool denied(void)
{
	if (!trial.at_work)
		return false;
	if (trial.child)
		return trial.on && !trial.over;
	int64_t n = ++trial.calls;
	for (int on = 0; on < 2 && trial.step > 0; on++) {
		if (trial.at > 0 ? n != trial.at : trial.step > 1 && (n % trial.step != 0 || on != n / trial.step % 2))
			continue;
		trial.at_work = false; /* fork and wait may allocate */
		if (trial.running == AT_ONCE)
			reap();
		pid_t pid = fork();
		trial.at_work = true;
		if (pid == 0) {
			trial.child = boat.hurt = true;
			trial.on = on;
			signal(SIGSEGV, on_signal);
			signal(SIGABRT, on_signal);
			return true;
		}
		trial.running++;
		trial.tried++;
	}
	return false;
}

#ifndef SLEW_SANITIZER
void *malloc(size_t size)
{
	return denied() ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	return denied() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
	return denied() ? NULL : __libc_realloc(p, size);
}

/* glibc 2.36 frees twice when memory ends inside regcomp: not ours to mend. */
int regcomp(regex_t *re, const char *pattern, int flags)
{
	int (*real)(regex_t *, const char *, int);
	bool at_work = trial.at_work;
	trial.at_work = false;
	*(void **)&real = dlsym(RTLD_NEXT, "regcomp");
	int rc = real(re, pattern, flags);
	trial.at_work = at_work;
	return rc;
}
#endif

static void boat_at_work(bool engine)
{
	trial.at_work = engine;
	trial.over = trial.over || boat.mended;
}

/* SHA-256 over every row of every table. */
static void rows_digest(sqlite3 *db, char out[65])
{
	struct err e = {0};
	struct text all = {.max = 64u << 20};
	json_t *tables = query_rows(db, 1000, &e, "SELECT name FROM sqlite_schema WHERE type='table' ORDER BY name", ""), *t;
	size_t i;
	json_array_foreach(tables, i, t) {
		char sql[160];
		snprintf(sql, sizeof sql, "SELECT * FROM \"%s\" ORDER BY 1,2", json_text(t, "name", ""));
		json_t *rows = query_rows(db, 100000, &e, sql, "");
		char *text = json_canonical(rows);
		text_puts(&all, text ? text : "?");
		text_puts(&all, "\n");
		free(text);
		json_decref(rows);
	}
	json_decref(tables);
	if (getenv("TURNS_DUMP") != NULL) { /* a folder: compare the undisturbed rows with the others */
		char path[200];
		snprintf(path, sizeof path, "%s/%d.json", getenv("TURNS_DUMP"), trial.child ? 1 : 0);
		FILE *f = fopen(path, "w");
		if (f != NULL && fputs(all.data, f) >= 0)
			fclose(f);
	}
	hash_sha256_hex(all.data, all.len, out);
	text_free(&all);
}

static int judge(int rc, struct err *e)
{
	char digest[65], reason[300] = "";
	int64_t inputs = 0;
	if (rc == 0 && query_text(boat.t->o.db, reason, sizeof reason, e, "SELECT reason FROM reject", "") != 0)
		rc = err_set(e, ERR_INPUT, "rejected for want of memory: %s", reason);
	if (rc != 0 || boat.deaths > 0 || query_int(boat.t->o.db, &inputs, e, "SELECT count(*) FROM input", "") < 0)
		return rc;
	if (trial.child && inputs != *undisturbed_inputs) /* a core that could not say when it is due is asked at once: one timer more */
		return inputs > *undisturbed_inputs ? 0 : err_set(e, ERR_INPUT, "%lld inputs, not %lld", (long long)inputs, (long long)*undisturbed_inputs);
	*undisturbed_inputs = inputs;
	rows_digest(boat.t->o.db, digest);
	if (undisturbed[0][0] == '\0')
		memcpy(undisturbed[0], digest, sizeof digest);
	return strcmp(undisturbed[0], digest) == 0 ? 0 : err_set(e, ERR_INPUT, "nothing stopped, but the rows are not those of the undisturbed night");
}

static void play(void)
{
	struct err e = {0};
	snprintf(boat.state, sizeof boat.state, "/tmp/slew-turns-%d", (int)getpid());
	int rc = judge(boat_night(&boat, &e), &e);
	ballast_free(&boat.t->ballast);
	if (rc != 0)
		fprintf(stderr, "# allocation %lld of the turns, %s: %s\n", (long long)trial.calls, trial.on ? "and all after it" : "once", e.text);
	if (trial.child || rc != 0)
		_exit(rc == 0 ? 0 : WRONG);
}

static void goes_without(void **state)
{
	(void)state;
	const char *every = getenv("TURNS");
	trial.step = 0;
	json_set_alloc_funcs(err_malloc, free);
	sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0); /* each small piece comes from malloc */
	disk = disk_new("disk-of-turns");
	undisturbed = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	undisturbed_inputs = (int64_t *)(void *)(undisturbed[0] + 128);
	canonical_make(&world);
	fflush(NULL);
	pid_t first = fork(); /* undisturbed, for its rows */
	if (first == 0) {
		play();
		_exit(0);
	}
	int status = -1;
	assert_int_equal(waitpid(first, &status, 0), first);
	assert_int_equal(status, 0);
	trial.step = every ? atoll(every) : EVERY;
	trial.at = getenv("TURNS_AT") ? atoll(getenv("TURNS_AT")) : 0;
	if (trial.step == 0)
		skip();
	play();
	trial.at_work = false;
	while (trial.running > 0)
		reap();
	printf("# %lld allocations in turns; %lld failures tried: %lld stopped the engine with a sentence, %lld were lived through, %lld went wrong\n",
		(long long)trial.calls, (long long)trial.tried, (long long)trial.stopped, (long long)trial.again, (long long)trial.wrong);
	assert_true(trial.again > 0 && trial.stopped > 0);
	assert_int_equal(trial.wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(goes_without)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

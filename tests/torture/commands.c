/* Whole commands under torture: the n-th allocation gives NULL, the n-th system call is refused, once and from then on. A command that
 * still says success must have said the same as undisturbed; else it says in a sentence what was wrong, ends with a code of its own,
 * leaves no half-written file under its final name, and neither hangs nor dies by a signal.
 * TORTURE=1 tries each n in each way, TORTURE=n every n-th; by default so many of each case that the whole takes 20 s (TORTURE_TRIES=n: so
 * many). TORTURE_CASE="decode" only that; TORTURE_AT="alloc 17 on 0" only that try, with what it printed;
 * TORTURE_KEEP=1 leaves the folder. */
#define _GNU_SOURCE
#include "fixtures.c"
#include "page.h"
#include "trace.c"
#include "engine/base/hash.h"
#include "engine/base/query.h"
#include "engine/core/core.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define AT_ONCE 2
#define PATIENCE_S 30
#define HEARD_S 3
#define SPOOLED "in/done/a.json"
#define CALLS_MAX 200000

static const struct subject {
	const char *name, *argv[12];
	const char *out;         /* the file it writes, or NULL */
	int weight;              /* how much longer than the others it takes: so much fewer tries */
	bool daemon;             /* stopped when it has heard the alert in its spool, or after HEARD_S; then started again, undisturbed */
} subjects[] = {
	{"decode", {"decode", "../alert.json"}, NULL, 1, false},
	{"area", {"area", "../map.fits"}, NULL, 1, false},
	{"rank", {"rank", "../map.fits", "--catalog", "../cat.fits"}, NULL, 1, false},
	{"visible", {"visible", "197.4488", "-23.3839", "--site", "lsc", "--start", "2017-08-17T18:00", "--hours", "12"}, NULL, 1, false},
	{"plan", {"plan", "--catalog", "../cat.fits", "--now", "event", "../alert.json"}, NULL, 2, false},
	{"policy check", {"policy", "check", "bns-near"}, NULL, 1, false},
	{"policy test", {"policy", "test", "bns-near", "--state", "state.db"}, NULL, 1, false},
	{"catalog build", {"catalog", "build", "../cat.csv", "-o", "out.fits"}, "out.fits", 1, false},
	{"catalog info", {"catalog", "info", "../cat.fits"}, NULL, 1, false},
	{"check", {"check", "../night.json"}, NULL, 1, false},
	{"check --state", {"check", "--state", "state.db"}, NULL, 1, false},
	{"report", {"report", "state.db", "-o", "out.html"}, "out.html", 2, false},
	{"replay", {"replay", "state.db"}, NULL, 2, false},
	{"sim", {"sim", "--quiet", "../short.night"}, NULL, 8, false},
	{"run", {"run", "night.json"}, NULL, 5, true},
};
#define SUBJECTS (sizeof subjects / sizeof subjects[0])

enum kind { ALLOC, CALL };
static const char *const kind_names[] = {"alloc", "call"};

struct attempt {
	enum kind kind;
	long at;
	bool on;
	int turn;
};
struct outcome {
	int status;
	bool hit;
	long calls;
	char what[64], said[1024];
	char digest[65], written[65]; /* of what it printed and wrote; of what it wrote: "" no file */
};

static struct tally {        /* shared by the workers */
	long tried, clean, same, wrong;
} *tally;
static struct page *page;
static char slew[512], preload[512], page_path[600];
static volatile sig_atomic_t victim, victim_daemon, ticks, asked;

/* Every 20 ms: ends what hangs, and stops an engine that has done what it was started for. */
static void on_alarm(int number)
{
	(void)number;
	ticks = ticks + 1;
	if (victim > 0 && ticks > PATIENCE_S * 50)
		kill(victim, SIGKILL);
	if (victim > 0 && victim_daemon && !asked && (ticks > HEARD_S * 50 || access(SPOOLED, F_OK) == 0)) {
		kill(victim, SIGTERM);
		asked = 1;
	}
}

static void watch(pid_t child, bool is_daemon)
{
	struct itimerval every = {.it_interval.tv_usec = child ? 20000 : 0, .it_value.tv_usec = child ? 20000 : 0};
	ticks = asked = 0;
	victim = child;
	victim_daemon = is_daemon;
	setitimer(ITIMER_REAL, &every, NULL);
}

static void child_exec(const struct subject *s, int out, int err, bool traced)
{
	char *argv[16] = {slew};
	for (int i = 0; s->argv[i] != NULL; i++)
		argv[i + 1] = (char *)s->argv[i];
	dup2(open("/dev/null", O_RDONLY), 0);
	dup2(out, 1);
	dup2(err, 2);
	setenv("LD_PRELOAD", preload, 1);
	setenv(PAGE_ENV, page_path, 1);
	if (traced && ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
		_exit(126);
	execv(slew, argv);
	_exit(127);
}

static size_t slurp(int fd, char *buf, size_t size)
{
	ssize_t n = pread(fd, buf, size - 1, 0);
	buf[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}

static void digest(const struct subject *s, int out, struct outcome *o)
{
	static char buf[32 << 20];
	size_t n = slurp(out, buf, sizeof buf / 2), file = 0;
	int fd = s->out ? open(s->out, O_RDONLY) : -1;
	if (fd >= 0) {
		file = slurp(fd, buf + n, sizeof buf - n);
		hash_sha256_hex(buf + n, file, o->written);
		close(fd);
	}
	hash_sha256_hex(buf, n + file, o->digest);
}

static void attempt_run(const struct subject *s, const struct attempt *a, struct outcome *o)
{
	int out = memfd_create("out", 0), err = memfd_create("err", 0);
	struct trace_way way = {.at = a->at, .on = a->on, .turn = a->turn};
	struct trace_seen seen = {0};
	bool traced = a->kind == CALL;
	*o = (struct outcome){0};
	if (s->out != NULL)
		unlink(s->out);
	*page = (struct page){.on = a->on, .stop = traced, .at = traced ? 0 : a->at};
	pid_t child = fork();
	if (child == 0)
		child_exec(s, out, err, traced);
	watch(child, s->daemon);
	if (traced)
		o->status = trace_run(child, &way, &seen);
	else
		while (waitpid(child, &o->status, 0) < 0 && errno == EINTR)
			continue;
	watch(0, false);
	o->hit = traced ? seen.hit : page->hit;
	o->calls = traced ? seen.calls : page->calls;
	snprintf(o->what, sizeof o->what, "%s", traced ? seen.what : "malloc");
	if (slurp(err, o->said, sizeof o->said) == 0) /* a list of what is wrong is an answer, not a message */
		slurp(out, o->said, sizeof o->said);
	digest(s, out, o);
	close(out);
	close(err);
}

/* NULL when all is as it should be. */
static const char *fault_of(const struct outcome *o, const struct outcome *undisturbed)
{
	bool told = strstr(o->said, "slew: ") != NULL || strstr(o->said, "WRONG ") != NULL || strstr(o->said, "BROKEN") != NULL ||
		strstr(o->said, "ready: ") != NULL;
	bool mute = strncmp(o->what, "write", 5) == 0; /* it may have been the sentence that was not let out */
	if (WIFSIGNALED(o->status) && WTERMSIG(o->status) == SIGABRT && strncmp(o->what, "clone3", 6) == 0)
		return NULL; /* libuv aborts when its pool gets no thread: a crash like others, the next life shows what it left */
	if (!WIFEXITED(o->status))
		return WTERMSIG(o->status) == SIGKILL ? "hangs" : "dies by a signal";
	if (strstr(o->said, "own bug") != NULL)
		return "takes it for a bug of its own";
	if (o->written[0] != '\0' && undisturbed->digest[0] != '\0' && strcmp(o->written, undisturbed->written) != 0 && !told)
		return "leaves half of its output under the final name";
	if (WEXITSTATUS(o->status) == 0) /* a part that is left out must be said */
		return !o->hit || strcmp(o->digest, undisturbed->digest) == 0 || undisturbed->digest[0] == '\0' || told ? NULL :
			"says success, but not the same";
	if (!o->hit)
		return "fails undisturbed";
	if (WEXITSTATUS(o->status) == 127)
		return "is not started";
	if (o->written[0] != '\0' && undisturbed->digest[0] != '\0' && strcmp(o->written, undisturbed->written) != 0)
		return "fails and leaves its output";
	return told || mute ? NULL : "fails without a sentence";
}

static void daemon_prepare(void)
{
	static const char *const old[] = {"run.db", "run.db-wal", "run.db-shm", "run.db.lock", "run.db.ballast", "run.db.sock", SPOOLED,
		"in/a.json"};
	for (size_t i = 0; i < sizeof old / sizeof old[0]; i++)
		unlink(old[i]);
	mkdir("in", 0700);
	if (link("../alert.json", "in/a.json") != 0)
		_exit(1);
}

/* The second life: undisturbed, on what the first has left. The alert is there once, and the rows are sound. */
static const char *daemon_again(const struct subject *s)
{
	struct outcome o;
	struct err e = {0};
	sqlite3 *db = NULL;
	int64_t alerts = -1;
	unlink(SPOOLED);
	if (link("../alert.json", "in/a.json") != 0 && errno != EEXIST) /* the same bytes once more, or not heard before */
		_exit(1);
	attempt_run(s, &(struct attempt){.kind = ALLOC}, &o);
	if (o.status != 0)
		return "is not started again";
	if (query_open_state("run.db", &db, &e) < 0 || query_int(db, &alerts, &e, "SELECT count(*) FROM alert", "") < 0)
		return "leaves a state that cannot be read";
	json_t *bad = core_check_rows(db, &e);
	bool sound = bad != NULL && json_array_size(bad) == 0;
	json_decref(bad);
	sqlite3_close(db);
	return !sound ? "leaves a state that breaks an invariant" : alerts != 1 ? "loses or doubles the alert" : NULL;
}

static void attempt_judge(const struct subject *s, const struct attempt *a, const struct outcome *undisturbed)
{
	struct outcome o;
	if (s->daemon)
		daemon_prepare();
	attempt_run(s, a, &o);
	const char *fault = fault_of(&o, undisturbed);
	if (fault == NULL && s->daemon)
		fault = daemon_again(s);
	__atomic_add_fetch(&tally->tried, 1, __ATOMIC_RELAXED);
	long *count = fault ? &tally->wrong : WEXITSTATUS(o.status) ? &tally->clean : &tally->same;
	__atomic_add_fetch(count, 1, __ATOMIC_RELAXED);
	if (fault == NULL)
		return;
	o.said[strcspn(o.said, "\n")] = '\0';
	char line[2048];
	int n = snprintf(line, sizeof line, "# %s: TORTURE_AT=\"%s %ld %s %d\" (%s): %s; status %x: %.300s\n", s->name, kind_names[a->kind], a->at,
		a->on ? "on" : "once", a->turn, o.what, fault, (unsigned)o.status, o.said);
	if (write(STDOUT_FILENO, line, (size_t)n) != n)
		_exit(1);
}

/* Every stride-th n, each of its errors by turns or (stride 1) all. */
static void worker(int me, const struct subject *s, enum kind kind, long calls, const long *list, long stride, const struct outcome *undisturbed)
{
	char dir[700];
	snprintf(page_path, sizeof page_path, "%s/page%d", fixtures.dir, me);
	snprintf(dir, sizeof dir, "%s/%d", fixtures.dir, me);
	if (chdir(dir) != 0)
		_exit(1);
	int fd = open(page_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (ftruncate(fd, 4096) != 0)
		_exit(1);
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	long first = 1 + (stride > 1 ? stride / 2 : 0);
	for (long n = first, i = 0; n <= calls; n += stride, i++) {
		if (i % AT_ONCE != me)
			continue;
		int errors = kind == ALLOC ? 1 : n <= CALLS_MAX ? trace_errors(list[n - 1]) : 1;
		for (int turn = 0; turn < errors; turn++)
			for (int on = 0; on < 2; on++)
				if (stride == 1 || (turn == i % errors && on == (i / errors) % 2))
					attempt_judge(s, &(struct attempt){kind, n, on, turn}, undisturbed);
	}
	_exit(0);
}

/* Twice undisturbed: how many calls, and what it says when it says the same twice. false: it does not work even so. */
static bool measure(const struct subject *s, enum kind kind, long *calls, long *list, struct outcome *o)
{
	struct attempt none = {.kind = kind};
	struct outcome again;
	int status = 0;
	if (s->daemon)
		daemon_prepare();
	attempt_run(s, &none, o);
	if (s->daemon)
		daemon_prepare();
	attempt_run(s, &none, &again);
	if (s->daemon)
		daemon_prepare();
	*calls = o->calls;
	if (strcmp(o->digest, again.digest) != 0)
		o->digest[0] = '\0';
	if (o->status != 0)
		printf("# %s: %s\n", s->name, o->said);
	if (kind == CALL && o->status == 0) {
		*page = (struct page){.stop = true};
		pid_t child = fork();
		if (child == 0)
			child_exec(s, open("/dev/null", O_WRONLY), open("/dev/null", O_WRONLY), true);
		watch(child, s->daemon);
		*calls = trace_list(child, list, CALLS_MAX, &status);
		watch(0, false);
	}
	return o->status == 0 && status == 0;
}

static bool torment(const struct subject *s, enum kind kind, int number)
{
	static long list[CALLS_MAX];
	const char *every = getenv("TORTURE"), *tries = getenv("TORTURE_TRIES");
	long calls = 0, want = (tries ? atol(tries) : 16) / s->weight, stride;
	struct outcome undisturbed;
	bool works = measure(s, kind, &calls, list, &undisturbed);
	if (!works && kind == CALL && undisturbed.status == TRACE_CANNOT) {
		printf("ok %d - %s: system calls # SKIP no process may be traced here\n", number, s->name);
		return true;
	}
	stride = every ? atol(every) : (calls + want - 1) / (want > 0 ? want : 1);
	stride = stride < 1 ? 1 : stride;
	*tally = (struct tally){0};
	fflush(NULL);
	pid_t workers[AT_ONCE];
	for (int i = 0; works && i < AT_ONCE; i++)
		if ((workers[i] = fork()) == 0)
			worker(i, s, kind, calls, list, stride, &undisturbed);
	int status = 0, bad = 0;
	for (int i = 0; works && i < AT_ONCE; i++)
		bad += waitpid(workers[i], &status, 0) < 0 || status != 0;
	bool good = works && bad == 0 && tally->wrong == 0 && tally->tried > 0;
	printf("%sok %d - %s: %ld %s, every %ld.: %ld failures tried, %ld ended with a sentence, %ld did no harm, %ld went wrong%s\n",
		good ? "" : "not ", number, s->name, calls, kind == ALLOC ? "allocations" : "system calls", stride, tally->tried, tally->clean,
		tally->same, tally->wrong, undisturbed.digest[0] ? "" : " (its words differ from run to run: not compared)");
	fflush(NULL);
	return good;
}

/* One try by itself, aloud. */
static int only(const struct subject *s, const char *at)
{
	struct attempt a = {0};
	struct outcome o;
	char kind[8], on[8];
	if (sscanf(at, "%7s %ld %7s %d", kind, &a.at, on, &a.turn) != 4)
		return 2;
	a.kind = strcmp(kind, "call") == 0;
	a.on = strcmp(on, "on") == 0;
	if (s->daemon)
		daemon_prepare();
	attempt_run(s, &a, &o);
	printf("# %s: %s %ld %s (%s): hit %d, status %x\n%s\n", s->name, kind, a.at, on, o.what, o.hit, (unsigned)o.status, o.said);
	return 0;
}

static void *shared(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, 4096) != 0)
		exit(1);
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return p;
}

int main(int argc, char **argv)
{
	const char *case_only = getenv("TORTURE_CASE"), *at = getenv("TORTURE_AT"), *build = getenv("BUILD");
	char cwd[256], dir[700];
	int n = 0, bad = 0;
	(void)argc;
	(void)argv;
	if (getcwd(cwd, sizeof cwd) == NULL)
		return 1;
	snprintf(slew, sizeof slew, "%s/slew", cwd);
	snprintf(preload, sizeof preload, "%s/%s/tests/torture/preload.so", cwd, build ? build : "build");
	fixtures_make(AT_ONCE);
	snprintf(page_path, sizeof page_path, "%s/page", fixtures.dir);
	page = shared(page_path);
	snprintf(dir, sizeof dir, "%s/tally", fixtures.dir);
	tally = shared(dir);
	snprintf(dir, sizeof dir, "%s/0", fixtures.dir);
	sigaction(SIGALRM, &(struct sigaction){.sa_handler = on_alarm}, NULL);
	if (chdir(dir) != 0)
		return 1;
	for (size_t i = 0; i < SUBJECTS; i++) {
		if (case_only != NULL && strcmp(case_only, subjects[i].name) != 0)
			continue;
		if (at != NULL) {
			bad |= only(&subjects[i], at);
			continue;
		}
		for (enum kind k = ALLOC; k <= CALL; k++)
			bad += !torment(&subjects[i], k, ++n);
	}
	printf("1..%d\n", n);
	if (getenv("TORTURE_KEEP") == NULL)
		fixtures_remove();
	return bad != 0;
}

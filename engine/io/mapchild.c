/* The sandboxed reader of sky maps, both ends: see mapchild.h. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memfd_create, file seals, addclosefrom */
#endif
#include "engine/io/mapchild.h"
#include "engine/base/limits.h"
#include "engine/target/skymap_file.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <seccomp.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILD_IN 3
#define CHILD_OUT 4
#define ANSWER_BYTES 4096u /* one page before the columns */
#define ANSWER_DONE 0x736c6577u

/* First page of the output memory. The parent writes probe and capacity, the child the rest; the parent believes none of it unchecked. */
struct answer {
	uint32_t probe, done;
	uint64_t capacity; /* bytes for the columns */
	int32_t rc, error_kind;
	int64_t cells;
	int32_t is_3d, ordering;
	double distmean_mpc, diststd_mpc;
	char object[64];
	char error[1024];
};
_Static_assert(sizeof(struct answer) <= ANSWER_BYTES, "the answer has one page");

/* ---- the child ---- */

static int child_limits(uint32_t probe)
{
	const struct rlimit space = {LIMIT_MAP_CHILD_BYTES, LIMIT_MAP_CHILD_BYTES}, none = {0, 0};
	rlim_t seconds = probe == PROBE_LOOP ? 1 : LIMIT_MAP_CHILD_CPU_S;
	const struct rlimit cpu = {seconds, seconds + 1};
	return setrlimit(RLIMIT_AS, &space) || setrlimit(RLIMIT_CPU, &cpu) || setrlimit(RLIMIT_CORE, &none) ||
		setrlimit(RLIMIT_FSIZE, &none) || setrlimit(RLIMIT_NOFILE, &none) || setrlimit(RLIMIT_NPROC, &none);
}

/* From here on: memory, time and the end, nothing else. No new memory may be executable. */
static int child_seal(void)
{
	static const int calls[] = {SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(brk), SCMP_SYS(madvise), SCMP_SYS(exit_group),
		SCMP_SYS(exit), SCMP_SYS(rt_sigreturn), SCMP_SYS(futex), SCMP_SYS(clock_gettime), SCMP_SYS(getrandom)};
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ||
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0)
		return -1;
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int bad = ctx == NULL;
	for (size_t i = 0; !bad && i < sizeof calls / sizeof calls[0]; i++)
		bad = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[i], 0) != 0;
	bad = bad || seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) != 0 ||
		seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) != 0 ||
		seccomp_load(ctx) != 0;
	if (ctx != NULL)
		seccomp_release(ctx);
	return bad ? -1 : 0;
}

static void child_probe(struct answer *a, unsigned char *columns)
{
	volatile unsigned spin = 1;
	switch (a->probe) {
	case PROBE_OPEN:
		(void)!open("/dev/null", O_RDONLY | O_CLOEXEC);
		break;
	case PROBE_SOCKET:
		(void)!socket(AF_INET, SOCK_STREAM, 0);
		break;
	case PROBE_FORK:
		(void)!fork();
		break;
	case PROBE_PTRACE:
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		break;
	case PROBE_LOOP:
		while (spin)
			spin |= 1;
		break;
	case PROBE_MEMORY:
		for (unsigned char *p; (p = malloc(64u << 20)) != NULL;)
			memset(p, 1, 64u << 20);
		a->rc = -1;
		a->error_kind = ERR_MEMORY;
		snprintf(a->error, sizeof a->error, "no memory left in the reader");
		break;
	case PROBE_CRASH:
		raise(SIGSEGV);
		__builtin_trap();
	case PROBE_LIE:
		memset(columns, 0xFF, a->capacity < 4096 ? a->capacity : 4096);
		a->cells = INT64_MAX / 8;
		a->rc = 0;
		break;
	default:
		break;
	}
}

/* When all of it will be written, one call for its pages is cheaper than a fault each (an old kernel refuses, and they fault). */
static void *child_room(struct skymap_room *room, size_t bytes)
{
	if (bytes > room->capacity)
		return NULL;
#ifdef MADV_POPULATE_WRITE
	if (room->whole)
		(void)madvise((unsigned char *)room->block - ANSWER_BYTES, ANSWER_BYTES + bytes, MADV_POPULATE_WRITE);
#endif
	return room->block;
}

/* Gives back the pages behind the cells of each column where equal pixels were made one (a RING map was written whole before). */
static void tails_give(const struct skymap *m)
{
#ifdef MADV_REMOVE
	const void *columns[] = {m->uniq, m->density, m->mu, m->sigma, m->norm};
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
		size_t from = ((size_t)columns[i] + (size_t)m->cells * 8 + page - 1) / page * page, to = ((size_t)columns[i] + (size_t)m->pixels * 8) / page * page;
		if (columns[i] != NULL && from < to)
			(void)madvise((void *)from, to - from, MADV_REMOVE);
	}
#else
	(void)m;
#endif
}

static void child_read(struct answer *a, const void *bytes, size_t len, unsigned char *columns)
{
	struct skymap_room room = {.get = child_room, .block = columns, .capacity = a->capacity};
	struct skymap m;
	struct err e = {0};
	a->rc = skymap_read_to(bytes, len, &room, &m, &e);
	a->error_kind = (int32_t)e.kind;
	memcpy(a->error, e.text, sizeof a->error);
	if (a->rc != 0)
		return;
	tails_give(&m);
	a->cells = m.cells;
	a->is_3d = m.mu != NULL;
	a->ordering = (int32_t)m.ordering;
	a->distmean_mpc = m.distmean_mpc;
	a->diststd_mpc = m.diststd_mpc;
	memcpy(a->object, m.object, sizeof a->object);
}

int mapchild_main(void)
{
	struct stat in, out;
	if (fstat(CHILD_IN, &in) != 0 || fstat(CHILD_OUT, &out) != 0 || out.st_size < (off_t)ANSWER_BYTES || in.st_size < 1) {
		fprintf(stderr, "slew: --map-child is for the engine itself; `slew area MAP` reads a map\n");
		return 2;
	}
	const void *bytes = mmap(NULL, (size_t)in.st_size, PROT_READ, MAP_PRIVATE, CHILD_IN, 0);
	unsigned char *memory = mmap(NULL, (size_t)out.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, CHILD_OUT, 0);
	if (bytes == MAP_FAILED || memory == MAP_FAILED)
		return 3;
	struct answer *a = (struct answer *)(void *)memory;
	close(CHILD_IN);
	close(CHILD_OUT);
	if (child_limits(a->probe) != 0 || child_seal() != 0)
		return 4;
	if (a->probe != PROBE_NONE)
		child_probe(a, memory + ANSWER_BYTES);
	else
		child_read(a, bytes, (size_t)in.st_size, memory + ANSWER_BYTES);
	a->done = ANSWER_DONE;
	_exit(0);
}

/* ---- the parent ---- */

#ifndef SLEW_SANITIZER
/* A memory file above the descriptors that the child will use, so that dup2 never overwrites one of ours. */
static int memory_file(const char *name, struct err *e)
{
	int low = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int fd = low < 0 ? -1 : fcntl(low, F_DUPFD_CLOEXEC, 10);
	if (low >= 0)
		close(low);
	if (fd < 0)
		return err_set(e, ERR_SYSTEM, "sky map: no memory file: %s", strerror(errno));
	return fd;
}

static int input_file(const unsigned char *bytes, size_t len, struct err *e)
{
	int fd = memory_file("slew-map-in", e);
	for (size_t at = 0; fd >= 0 && at < len;) {
		ssize_t n = write(fd, bytes + at, len - at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			err_set(e, ERR_SYSTEM, "sky map: memory file: %s", strerror(errno));
			close(fd);
			return -1;
		}
		at += (size_t)n;
	}
	if (fd >= 0)
		fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW);
	return fd;
}

/* Sized from the headers, so a child that lies about rows has nowhere to put them. */
static int output_file(size_t capacity, enum mapchild_probe probe, struct err *e)
{
	const struct answer a = {.probe = (uint32_t)probe, .capacity = capacity};
	int fd = memory_file("slew-map-out", e);
	if (fd < 0)
		return -1;
	if (ftruncate(fd, (off_t)(ANSWER_BYTES + capacity)) != 0 || pwrite(fd, &a, sizeof a, 0) != (ssize_t)sizeof a ||
		fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) != 0) {
		err_set(e, ERR_SYSTEM, "sky map: memory file of %zu bytes: %s", capacity, strerror(errno));
		close(fd);
		return -1;
	}
	return fd;
}

static int child_spawn(int in, int out, pid_t *pid, struct err *e)
{
	char *const argv[] = {(char *)(size_t)"slew", (char *)(size_t)"--map-child", NULL}, *const envp[] = {NULL};
	posix_spawn_file_actions_t acts;
	posix_spawnattr_t attr;
	sigset_t none, all;
	if (posix_spawn_file_actions_init(&acts) != 0)
		return err_set(e, ERR_MEMORY, "no memory to start the sky map reader");
	posix_spawnattr_init(&attr);
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	int rc = 0;
	for (int fd = 0; fd < 3 && rc == 0; fd++)
		rc = posix_spawn_file_actions_addopen(&acts, fd, "/dev/null", O_RDWR, 0);
	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(&acts, in, CHILD_IN);
	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(&acts, out, CHILD_OUT);
	if (rc == 0)
		rc = posix_spawn_file_actions_addclosefrom_np(&acts, CHILD_OUT + 1);
	if (rc == 0)
		rc = posix_spawn(pid, "/proc/self/exe", &acts, &attr, argv, envp);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&acts);
	return rc ? err_set(e, ERR_SYSTEM, "sky map: the reader cannot be started: %s", strerror(rc)) : 0;
}

/* Waits for the end, at most LIMIT_MAP_CHILD_WALL_S, then kills. Says in words what ended it. */
static int child_reap(pid_t pid, struct err *e)
{
	int status = 0, late = 0, fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (fd >= 0) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int n = poll(&p, 1, LIMIT_MAP_CHILD_WALL_S * 1000);
		while (n < 0 && errno == EINTR)
			n = poll(&p, 1, LIMIT_MAP_CHILD_WALL_S * 1000);
		late = n == 0;
		if (late)
			kill(pid, SIGKILL);
		close(fd);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_set(e, ERR_SYSTEM, "sky map: the reader was lost: %s", strerror(errno));
	if (late)
		return err_set(e, ERR_INPUT, "sky map: the reader was stopped after %d s; the file is not read", LIMIT_MAP_CHILD_WALL_S);
	if (WIFSIGNALED(status)) {
		int sig = WTERMSIG(status);
		return err_set(e, ERR_INPUT, "sky map: the sandboxed reader was stopped (%s: %s); the file is damaged or hostile and is not "
			"read", strsignal(sig), sig == SIGSYS ? "it tried what it may not" : sig == SIGXCPU || sig == SIGKILL ?
			"it took too long or too much" : "it crashed");
	}
	if (WEXITSTATUS(status) == 4)
		return err_set(e, ERR_SYSTEM, "sky map: the reader could not close its sandbox (seccomp, limits); is the kernel's seccomp off?");
	if (WEXITSTATUS(status) != 0)
		return err_set(e, ERR_SYSTEM, "sky map: the reader ended with code %d", WEXITSTATUS(status));
	return 0;
}

/* Believes only what can be checked: the sizes against our own scan, the columns by skymap_check. */
static int answer_take(int fd, int64_t cells, bool is_3d, struct skymap *m, struct err *e)
{
	size_t len = ANSWER_BYTES + skymap_block(cells, is_3d);
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) != 0)
		return err_set(e, ERR_SYSTEM, "sky map: the reader's memory cannot be sealed: %s", strerror(errno));
	unsigned char *memory = mmap(NULL, len, PROT_READ, MAP_PRIVATE, fd, 0);
	if (memory == MAP_FAILED)
		return err_set(e, ERR_SYSTEM, "sky map: the reader's memory cannot be mapped: %s", strerror(errno));
	struct answer a;
	memcpy(&a, memory, sizeof a);
	a.error[sizeof a.error - 1] = a.object[sizeof a.object - 1] = '\0';
	int rc = 0;
	if (a.done != ANSWER_DONE)
		rc = err_set(e, ERR_INPUT, "sky map: the sandboxed reader ended without an answer; the file is not read");
	else if (a.rc != 0)
		rc = err_set(e, a.error_kind == ERR_LIMIT ? ERR_LIMIT : a.error_kind == ERR_MEMORY ? ERR_MEMORY : ERR_INPUT, "%s", a.error);
	else if (a.cells < 1 || a.cells > cells || (a.ordering == SKYMAP_NUNIQ && a.cells != cells) || (a.is_3d != 0) != is_3d || a.ordering < SKYMAP_NUNIQ || a.ordering > SKYMAP_RING)
		rc = err_set(e, ERR_INPUT, "sky map: the sandboxed reader's answer does not fit the file's header; the file is not read");
	if (rc == 0) {
		*m = (struct skymap){.ordering = (enum skymap_ordering)a.ordering, .distmean_mpc = a.distmean_mpc,
			.diststd_mpc = a.diststd_mpc, .memory = memory, .memory_len = len, .mapped = true};
		memcpy(m->object, a.object, sizeof m->object);
		skymap_lay(m, memory + ANSWER_BYTES, cells, is_3d);
		m->pixels = cells;
		m->cells = a.cells;
		rc = skymap_check(m, e);
	}
	if (rc == 0)
		m->order_max = skymap_order_max(m);
	if (rc != 0) {
		munmap(memory, len);
		*m = (struct skymap){0};
	}
	return rc;
}

/* One child over an input file; head: its first bytes, as many as skymap_scan wants. */
static int child_run(int in, const void *head, size_t len, enum mapchild_probe probe, struct skymap *m, struct err *e)
{
	int64_t cells;
	bool is_3d;
	pid_t pid;
	if (skymap_scan(head, len, &cells, &is_3d, e) < 0)
		return -1;
	int out = output_file(skymap_block(cells, is_3d), probe, e);
	int rc = out < 0 ? -1 : child_spawn(in, out, &pid, e);
	if (rc == 0)
		rc = child_reap(pid, e);
	if (rc == 0)
		rc = answer_take(out, cells, is_3d, m, e);
	if (out >= 0)
		close(out);
	return rc;
}

int mapchild_probe(const void *bytes, size_t len, enum mapchild_probe probe, struct skymap *m, struct err *e)
{
	*m = (struct skymap){0};
	if (len > LIMIT_MAP_INFLATED)
		return err_set(e, ERR_LIMIT, "sky map of %zu bytes is over the limit of %u", len, LIMIT_MAP_INFLATED);
	if (len == 0)
		return skymap_not_fits(bytes, 0, e);
	int in = input_file(bytes, len, e);
	int rc = in < 0 ? -1 : child_run(in, bytes, len, probe, m, e);
	if (in >= 0)
		close(in);
	return rc;
}

int mapchild_read_fd(int fd, struct skymap *m, struct err *e)
{
	unsigned char *head = malloc(LIMIT_MAP_HEAD);
	struct stat st;
	*m = (struct skymap){0};
	if (head == NULL)
		return err_set(e, ERR_MEMORY, "no memory for the headers of a sky map");
	ssize_t n = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? pread(fd, head, LIMIT_MAP_HEAD, 0) : -1;
	int in = n < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 10), rc; /* above what the child's own will be */
	if (in < 0)
		rc = err_set(e, ERR_SYSTEM, "sky map: the file cannot be read: %s", n < 0 ? "not a regular file" : strerror(errno));
	else if (st.st_size > (off_t)LIMIT_MAP_INFLATED)
		rc = err_set(e, ERR_LIMIT, "sky map of %lld bytes is over the limit of %u", (long long)st.st_size, LIMIT_MAP_INFLATED);
	else if (n == 0)
		rc = skymap_not_fits(head, 0, e);
	else
		rc = child_run(in, head, (size_t)n, PROBE_NONE, m, e);
	if (in >= 0)
		close(in);
	free(head);
	return rc;
}
#else
int mapchild_probe(const void *bytes, size_t len, enum mapchild_probe probe, struct skymap *m, struct err *e)
{
	(void)probe;
	return skymap_read(bytes, len, m, e);
}

int mapchild_read_fd(int fd, struct skymap *m, struct err *e)
{
	struct stat st;
	*m = (struct skymap){0};
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return err_set(e, ERR_SYSTEM, "sky map: the file cannot be read: not a regular file");
	if (st.st_size == 0)
		return skymap_not_fits((const unsigned char *)"", 0, e);
	void *bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (bytes == MAP_FAILED)
		return err_set(e, ERR_SYSTEM, "sky map: the file cannot be mapped: %s", strerror(errno));
	int rc = skymap_read(bytes, (size_t)st.st_size, m, e);
	munmap(bytes, (size_t)st.st_size);
	return rc;
}
#endif

int mapchild_read(const void *bytes, size_t len, struct skymap *m, struct err *e)
{
	return mapchild_probe(bytes, len, PROBE_NONE, m, e);
}

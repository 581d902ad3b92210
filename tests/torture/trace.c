/* The n-th system call fails: see trace.h. */
#define _GNU_SOURCE
#include "trace.h"
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>

#ifdef __x86_64__
#define INTERRUPTS 8 /* in a row: nobody is interrupted for ever */
#define SHORT (-1) /* half of what was asked for */

static const struct refusal {
	long number;
	const char *name;
	int error[5];
} refusals[] = {
	{SYS_read, "read", {EIO, EINTR, SHORT}},
	{SYS_pread64, "pread", {EIO, SHORT}},
	{SYS_write, "write", {ENOSPC, EIO, EINTR, SHORT}},
	{SYS_pwrite64, "pwrite", {ENOSPC, EIO, SHORT}},
	{SYS_fsync, "fsync", {EIO, ENOSPC}},
	{SYS_fdatasync, "fdatasync", {EIO, ENOSPC}},
	{SYS_ftruncate, "ftruncate", {EIO, ENOSPC}},
	{SYS_fallocate, "fallocate", {ENOSPC}},
	{SYS_open, "open", {EMFILE, EACCES, EIO}},
	{SYS_openat, "openat", {EMFILE, EACCES, EIO, ENOSPC}},
	{SYS_rename, "rename", {EIO, ENOSPC}},
	{SYS_unlink, "unlink", {EIO, EACCES}},
	{SYS_mmap, "mmap", {ENOMEM}},
	{SYS_newfstatat, "fstat", {EIO}},
	{SYS_flock, "flock", {ENOLCK}},
	{SYS_poll, "poll", {EINTR, ENOMEM}},
	{SYS_epoll_wait, "epoll_wait", {EINTR}},
	{SYS_socket, "socket", {EMFILE, EACCES}},
	{SYS_bind, "bind", {EACCES}},
	{SYS_connect, "connect", {ECONNREFUSED, ETIMEDOUT}},
	{SYS_accept4, "accept", {EMFILE, ECONNABORTED}},
	{SYS_sendto, "send", {ECONNRESET, EAGAIN}},
	{SYS_recvfrom, "recv", {ECONNRESET, EAGAIN}},
	{SYS_sendmsg, "sendmsg", {ECONNRESET}},
	{SYS_recvmsg, "recvmsg", {ECONNRESET}},
	{SYS_clone3, "clone3", {EAGAIN}},
	{SYS_vfork, "vfork", {EAGAIN}},
	{SYS_memfd_create, "memfd_create", {EMFILE}},
	{SYS_pipe2, "pipe", {EMFILE}},
	{SYS_getrandom, "getrandom", {EINTR}},
};

static const struct refusal *refusal_of(long number)
{
	for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++)
		if (refusals[i].number == number)
			return &refusals[i];
	return NULL;
}

int trace_errors(long number)
{
	const struct refusal *r = refusal_of(number);
	int n = 0;
	while (r != NULL && n < 5 && r->error[n] != 0)
		n++;
	return n;
}

struct tracer {
	const struct trace_way *way;
	struct trace_seen *seen;
	long number;             /* of the call that fails from then on */
	long *list, max;
	int interrupts;
	struct { pid_t thread; int error; } pending[64]; /* refused at its entry: the answer is written at its end */
};

/* At the entry of a call: 0, or the error with which it ends. */
static int decide(struct tracer *t, long number)
{
	const struct refusal *r = refusal_of(number);
	if (r == NULL)
		return 0;
	long n = ++t->seen->calls;
	if (t->list != NULL && n <= t->max)
		t->list[n - 1] = number;
	if (t->way == NULL || t->way->at == 0 || n < t->way->at)
		return 0;
	int error = r->error[t->way->turn % trace_errors(number)];
	if (n == t->way->at)
		t->number = number;
	else if (!t->way->on || t->number != number || (error == EINTR && ++t->interrupts > INTERRUPTS))
		return 0;
	t->seen->hit = true;
	snprintf(t->seen->what, sizeof t->seen->what, "%s %s", r->name, error == SHORT ? "short" : strerrorname_np(error));
	return error;
}

static void refuse(struct tracer *t, pid_t thread, int error)
{
	struct user_regs_struct regs;
	if (ptrace(PTRACE_GETREGS, thread, NULL, &regs) != 0)
		return;
	if (error == SHORT) {
		regs.rdx = regs.rdx > 1 ? regs.rdx / 2 : regs.rdx;
		ptrace(PTRACE_SETREGS, thread, NULL, &regs);
		return;
	}
	regs.orig_rax = (unsigned long long)-1;
	ptrace(PTRACE_SETREGS, thread, NULL, &regs);
	for (size_t i = 0; i < sizeof t->pending / sizeof t->pending[0]; i++)
		if (t->pending[i].thread == 0) {
			t->pending[i].thread = thread;
			t->pending[i].error = error;
			return;
		}
}

static void answer(struct tracer *t, pid_t thread)
{
	struct user_regs_struct regs;
	for (size_t i = 0; i < sizeof t->pending / sizeof t->pending[0]; i++)
		if (t->pending[i].thread == thread) {
			t->pending[i].thread = 0;
			if (ptrace(PTRACE_GETREGS, thread, NULL, &regs) == 0) {
				regs.rax = (unsigned long long)-(long long)t->pending[i].error;
				ptrace(PTRACE_SETREGS, thread, NULL, &regs);
			}
		}
}

static void stopped(struct tracer *t, pid_t thread)
{
	struct __ptrace_syscall_info info;
	if (ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof info, &info) <= 0)
		return;
	if (info.op == PTRACE_SYSCALL_INFO_EXIT)
		answer(t, thread);
	if (info.op != PTRACE_SYSCALL_INFO_ENTRY)
		return;
	int error = decide(t, (long)info.entry.nr);
	if (error != 0)
		refuse(t, thread, error);
}

static int follow(pid_t child, struct tracer *t)
{
	bool begun = false;
	for (;;) {
		int status, signal = 0;
		pid_t thread = waitpid(-1, &status, __WALL);
		if (thread < 0 && errno == EINTR)
			continue; /* somebody looks whether it hangs */
		if (thread < 0)
			return -1;
		if (WIFEXITED(status) || WIFSIGNALED(status)) {
			if (thread == child)
				return status;
			continue;
		}
		if (WSTOPSIG(status) == (SIGTRAP | 0x80))
			stopped(t, thread);
		else if (thread == child && !begun && WSTOPSIG(status) == SIGSTOP)
			begun = true;
		else if (WSTOPSIG(status) != SIGTRAP && WSTOPSIG(status) != SIGSTOP)
			signal = WSTOPSIG(status);
		ptrace(begun ? PTRACE_SYSCALL : PTRACE_CONT, thread, NULL, (void *)(long)signal);
	}
}

static int trace(pid_t child, struct tracer *t)
{
	int status = -1;
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		continue;
	if (!WIFSTOPPED(status))
		return status;
	ptrace(PTRACE_SETOPTIONS, child, NULL, (void *)(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL));
	ptrace(PTRACE_CONT, child, NULL, NULL);
	return follow(child, t);
}

int trace_run(pid_t child, const struct trace_way *way, struct trace_seen *seen)
{
	struct tracer t = {.way = way, .seen = seen};
	return trace(child, &t);
}

long trace_list(pid_t child, long *list, long max, int *status)
{
	struct trace_seen seen = {0};
	struct tracer t = {.seen = &seen, .list = list, .max = max};
	*status = trace(child, &t);
	return seen.calls;
}
#else /* the registers are those of x86-64 */
int trace_errors(long number)
{
	return number < 0;
}

int trace_run(pid_t child, const struct trace_way *way, struct trace_seen *seen)
{
	int status = -1;
	(void)way;
	(void)seen;
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	return TRACE_CANNOT;
}

long trace_list(pid_t child, long *list, long max, int *status)
{
	(void)list;
	(void)max;
	*status = trace_run(child, NULL, NULL);
	return 0;
}
#endif

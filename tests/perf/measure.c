/* Runs a command once and tells how long it took and what memory it held at most, all its processes together. A test's tool, no part of the program.
 *
 *	measure SECONDS OUT ERR COMMAND…
 *
 * Output and errors go to the files OUT and ERR; after SECONDS all of it is killed. Prints one line, wall_ms=… cpu_ms=… memory_mib=…
 * resident_mib=…: memory is the most of RssAnon + RssShmem over the processes alive at one time, looked at every millisecond at first and
 * every 2 % of the time so far later; resident, the largest of one process, counts pages of mapped files too. Exit: that of the command. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DEPTH_MAX 8

static double now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static size_t file_read(const char *path, char *text, size_t cap)
{
	FILE *f = fopen(path, "r");
	size_t n = f != NULL ? fread(text, 1, cap - 1, f) : 0;
	text[n] = '\0';
	if (f != NULL)
		fclose(f);
	return n;
}

static long field_kib(const char *text, const char *name)
{
	const char *at = strstr(text, name);
	return at != NULL ? atol(at + strlen(name)) : 0;
}

/* RssAnon + RssShmem of a process and of all its children. */
static long memory_kib(int pid, int depth)
{
	char path[96], text[8192];
	snprintf(path, sizeof path, "/proc/%d/status", pid);
	if (file_read(path, text, sizeof text) == 0)
		return 0;
	long kib = field_kib(text, "RssAnon:") + field_kib(text, "RssShmem:");
	snprintf(path, sizeof path, "/proc/%d/task/%d/children", pid, pid);
	if (depth < DEPTH_MAX && file_read(path, text, sizeof text) > 0)
		for (char *at = text, *end; ; at = end) {
			long child = strtol(at, &end, 10);
			if (end == at)
				break;
			kib += memory_kib((int)child, depth + 1);
		}
	return kib;
}

static void child_run(char **argv, const char *out, const char *err)
{
	int o = open(out, O_WRONLY | O_CREAT | O_TRUNC, 0666), e = open(err, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* it does not outlive an interrupted measurement */
	if (o < 0 || e < 0 || dup2(o, 1) < 0 || dup2(e, 2) < 0)
		_exit(126);
	execvp(argv[0], argv);
	dprintf(2, "%s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

int main(int argc, char **argv)
{
	if (argc < 5 || atof(argv[1]) <= 0) {
		fprintf(stderr, "usage: measure SECONDS OUT ERR COMMAND...\n");
		return 2;
	}
	double limit_ms = atof(argv[1]) * 1e3, start = now_ms();
	pid_t pid = fork();
	if (pid == 0)
		child_run(argv + 4, argv[2], argv[3]);
	struct pollfd end = {.fd = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1, .events = POLLIN};
	if (end.fd < 0) {
		perror("measure");
		return 126;
	}
	long most = 0;
	for (;;) {
		double past = now_ms() - start;
		if (poll(&end, 1, past < 50 ? 1 : (int)(past / 50)) > 0)
			break;
		long kib = memory_kib(pid, 0);
		most = kib > most ? kib : most;
		if (now_ms() - start > limit_ms)
			kill(-pid, SIGKILL);
	}
	double wall = now_ms() - start;
	int status;
	struct rusage used;
	if (wait4(pid, &status, 0, &used) != pid)
		return 126;
	double cpu = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e3 + (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e3;
	printf("wall_ms=%.3f cpu_ms=%.3f memory_mib=%.2f resident_mib=%.2f\n", wall, cpu, (double)most / 1024, (double)used.ru_maxrss / 1024);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

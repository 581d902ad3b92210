/* A process that has gone offline gets no socket, by no way; files, pipes and children work on. */
#include "test.h"
#include "engine/io/offline.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static int inherited[2]; /* a pair from before, as a parent might leave one */

static int denied(int rc)
{
	return rc < 0 && errno == EPERM;
}

static int attempts(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct msghdr empty = {0};
	char io_uring[256] = {0};
	int pair[2], fd = inherited[0];
	return denied(socket(AF_INET, SOCK_STREAM, 0)) && denied(socket(AF_INET6, SOCK_DGRAM, 0)) && denied(socket(AF_UNIX, SOCK_STREAM, 0)) &&
		denied(socketpair(AF_UNIX, SOCK_STREAM, 0, pair)) && denied(connect(fd, (struct sockaddr *)&to, sizeof to)) &&
		denied(bind(fd, (struct sockaddr *)&to, sizeof to)) && denied(listen(fd, 1)) && denied(accept(fd, NULL, NULL)) &&
		denied((int)sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof to)) && denied((int)sendmsg(fd, &empty, 0)) &&
		denied((int)syscall(SYS_io_uring_setup, 4, io_uring));
}

/* Exit code of a child that runs the function. */
static int in_child(int (*f)(void))
{
	int status = -1;
	pid_t pid = fork();
	if (pid == 0)
		_exit(f());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int offline(void)
{
	struct err e = {0};
	return offline_enter(&e) < 0 ? 9 : attempts() ? 0 : 1;
}

static int online(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	return fd >= 0 ? close(fd) : 1;
}

static int grandchild(void)
{
	struct err e = {0};
	return offline_enter(&e) < 0 ? 9 : in_child(attempts) == 1 ? 0 : 1; /* attempts: 1 all were denied */
}

static int work_goes_on(void)
{
	struct err e = {0};
	int fd[2], file;
	char c = 0;
	if (offline_enter(&e) < 0)
		return 9;
	file = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	return file < 0 || pipe(fd) != 0 || write(fd[1], "y", 1) != 1 || read(fd[0], &c, 1) != 1 || c != 'y' || offline_enter(&e) != 0;
}

static void nothing_leaves(void **state)
{
	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, inherited), 0);
	assert_int_equal(in_child(online), 0);
	assert_int_equal(in_child(offline), 0);
	assert_int_equal(in_child(grandchild), 0);
	assert_int_equal(in_child(work_goes_on), 0);
	assert_int_equal(in_child(online), 0); /* only who asked for it is offline */
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_leaves)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

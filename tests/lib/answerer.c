/* The scripted server: see answerer.h. */
#define _GNU_SOURCE
#include "answerer.h"
#include <arpa/inet.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void put(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);
		if (n <= 0)
			return;
		bytes += n;
		len -= (size_t)n;
	}
}

static void say(int fd, const char *head, const char *body, size_t announced)
{
	char text[512];
	int n = snprintf(text, sizeof text, "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n", head, announced);
	put(fd, text, (size_t)n);
	put(fd, body, strlen(body));
}

/* Reads one request; 0 when it came whole. */
static int hear(int fd, char *buf, size_t size, char **body)
{
	size_t n = 0, want = 0;
	*body = NULL;
	while (n + 1 < size) {
		ssize_t got = recv(fd, buf + n, size - 1 - n, 0);
		if (got <= 0)
			return -1;
		n += (size_t)got;
		buf[n] = '\0';
		char *end = strstr(buf, "\r\n\r\n");
		if (end == NULL)
			continue;
		char *length = strcasestr(buf, "content-length:");
		want = length != NULL && length < end ? strtoul(length + 15, NULL, 10) : 0;
		*body = end + 4;
		if ((size_t)(buf + n - *body) >= want)
			return 0;
	}
	return -1;
}

static void note(int out, char *request, const char *body)
{
	char line[2048], authorization[256] = "";
	char *a = strcasestr(request, "\r\nauthorization: ");
	if (a != NULL)
		snprintf(authorization, sizeof authorization, "%.*s", (int)strcspn(a + 17, "\r"), a + 17);
	int n = snprintf(line, sizeof line, "%.*s|%s|%s\n", (int)strcspn(strchr(request, ' ') + 1, " ") + (int)(strchr(request, ' ') - request) + 1,
		request, authorization, body);
	if (write(out, line, (size_t)n) != n)
		_exit(1);
}

static void answer(int fd, const char *line)
{
	char word[16] = "", rest[4096] = "";
	sscanf(line, "%15s %4095[^\n]", word, rest);
	char *space = strchr(rest, ' ');
	const char *second = space != NULL ? space + 1 : "";
	char head[600];
	if (strcmp(word, "ok") == 0) {
		say(fd, "200 OK", rest, strlen(rest));
	} else if (strcmp(word, "status") == 0) {
		snprintf(head, sizeof head, "%d Word", atoi(rest));
		say(fd, head, second, strlen(second));
	} else if (strcmp(word, "after") == 0) {
		snprintf(head, sizeof head, "%d Word\r\nRetry-After: 120", atoi(rest));
		say(fd, head, second, strlen(second));
	} else if (strcmp(word, "half") == 0) {
		say(fd, "200 OK", rest, 2 * strlen(rest));
	} else if (strcmp(word, "slow") == 0) {
		usleep((useconds_t)atoi(rest) * 1000u);
		say(fd, "200 OK", second, strlen(second));
	} else if (strcmp(word, "redirect") == 0) {
		snprintf(head, sizeof head, "302 Found\r\nLocation: %.400s", rest);
		say(fd, head, "", 0);
	} else if (strcmp(word, "chunk") == 0) {
		const char *start = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
		put(fd, start, strlen(start));
		for (const char *p = rest; *p != '\0'; p++) {
			snprintf(head, sizeof head, "1\r\n%c\r\n", *p);
			put(fd, head, strlen(head));
		}
		put(fd, "0\r\n\r\n", 5);
	} else if (strcmp(word, "huge") == 0) {
		size_t left = strtoul(rest, NULL, 10);
		say(fd, "200 OK", "", left);
		memset(rest, 'x', sizeof rest);
		for (; left > 0; left -= left < sizeof rest ? left : sizeof rest)
			put(fd, rest, left < sizeof rest ? left : sizeof rest);
	}
}

static void serve(int listener, int out, const char *const *script)
{
	static char buf[1 << 16];
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		if (fd < 0)
			_exit(0);
		char *body;
		for (;;) { /* a kept-alive connection goes on with the next line; one that says nothing uses up none */
			const char *line = *script != NULL ? *script : "status 500 script-is-over";
			bool drop = strcmp(line, "drop") == 0;
			if (!drop && hear(fd, buf, sizeof buf, &body) != 0)
				break;
			script += *script != NULL;
			if (drop)
				break;
			note(out, buf, body);
			if (strcmp(line, "read-drop") == 0)
				break;
			answer(fd, line);
			if (strncmp(line, "half", 4) == 0 || *script == NULL)
				break;
		}
		close(fd);
	}
}

int answerer_start(struct answerer *a, const char *const *script)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), p[2];
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, len) != 0 || listen(fd, 16) != 0 || getsockname(fd, (struct sockaddr *)&at, &len) != 0)
		return -1;
	if (pipe(p) != 0)
		return -1;
	fflush(stdout);
	a->pid = fork();
	if (a->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(p[0]);
		serve(fd, p[1], script);
	}
	close(fd);
	close(p[1]);
	a->port = ntohs(at.sin_port);
	a->from_child = p[0];
	return a->pid > 0 ? 0 : -1;
}

int answerer_stop(struct answerer *a, char *log, size_t size)
{
	size_t n = 0;
	int lines = 0;
	kill(a->pid, SIGKILL);
	waitpid(a->pid, NULL, 0);
	ssize_t got;
	while (n + 1 < size && (got = read(a->from_child, log + n, size - 1 - n)) > 0)
		n += (size_t)got;
	log[n] = '\0';
	close(a->from_child);
	for (const char *c = log; *c != '\0'; c++)
		lines += *c == '\n';
	return lines;
}

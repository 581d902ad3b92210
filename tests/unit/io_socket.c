/* The operator's socket: lines, raw bytes, ceilings, who may connect, paths that are taken or too long. */
#include "test.h"
#include "engine/base/json.h"
#include "engine/base/limits.h"
#include "engine/base/text.h"
#include "engine/io/socket.h"
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

static char folder[] = "/tmp/slew-socket-XXXXXX";

struct desk {
	uv_loop_t loop;
	struct socket *socket;
	int requests;
	size_t raw;
	bool tail;
};

static void on_request(void *ctx, uint64_t client, const struct peer *peer, const json_t *request, void *raw, size_t raw_len)
{
	struct desk *d = ctx;
	d->requests++;
	d->raw = raw != NULL ? raw_len : 0;
	free(raw);
	json_t *answer = json_pack("{s:b,s:s,s:I,s:b}", "ok", 1, "verb", json_text(request, "verb", "?"), "uid", (json_int_t)peer->uid, "act",
		peer->may_act);
	socket_answer(d->socket, client, answer);
	json_decref(answer);
	if (strcmp(json_text(request, "verb", ""), "tail") == 0)
		socket_tail(d->socket, client);
}

static int dial(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	text_copy(a.sun_path, sizeof a.sun_path, path);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
	return fd;
}

/* What the client gets within a moment. */
static const char *talk(struct desk *d, int fd, const char *bytes, size_t len)
{
	static char answer[8192];
	size_t n = 0;
	size_t sent = 0;
	for (int i = 0; i < 60; i++) {
		if (sent < len) {
			ssize_t put = send(fd, bytes + sent, len - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
			sent += put > 0 ? (size_t)put : 0;
		}
		uv_run(&d->loop, UV_RUN_NOWAIT);
		ssize_t got = recv(fd, answer + n, sizeof answer - 1 - n, MSG_DONTWAIT);
		n += got > 0 ? (size_t)got : 0;
		usleep(1000);
	}
	answer[n] = '\0';
	return answer;
}

static void test_socket(void **state)
{
	struct desk d = {0};
	struct err e = {0};
	struct stat st;
	struct socket_host host = {&d, on_request};
	char path[100], line[5200];
	(void)state;
	snprintf(path, sizeof path, "%s/op.sock", folder);
	assert_int_equal(uv_loop_init(&d.loop), 0);
	d.socket = socket_open(&d.loop, path, "", "", &host, &e);
	assert_non_null(d.socket);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	assert_null(socket_open(&d.loop, path, "", "", &host, &e)); /* it answers: not stale */
	assert_int_equal(e.kind, ERR_REFUSED);
	int fd = dial(path);
	assert_non_null(strstr(talk(&d, fd, "{\"verb\":\"status\"}\n", 18), "\"verb\":\"status\""));
	assert_non_null(strstr(talk(&d, fd, "{\"verb\":", 8), "")); /* a line may come in pieces; two may come at once */
	const char *two = talk(&d, fd, "\"a\"}\n{\"verb\":\"b\"}\n", 18);
	assert_non_null(strstr(two, "\"a\""));
	assert_non_null(strstr(two, "\"b\""));
	assert_int_equal(d.requests, 3);
	talk(&d, fd, "{\"verb\":\"inject\",\"bytes\":5}\nhe", 30);
	assert_int_equal(d.requests, 3);
	talk(&d, fd, "llo", 3);
	assert_int_equal(d.requests, 4);
	assert_int_equal(d.raw, 5);
	assert_non_null(strstr(talk(&d, fd, "not json\n", 9), "\"ok\":false"));
	close(fd);
	fd = dial(path);
	memset(line, 'x', sizeof line);
	assert_non_null(strstr(talk(&d, fd, line, sizeof line), "longer than 4 KiB"));
	close(fd);
	fd = dial(path);
	assert_non_null(strstr(talk(&d, fd, "{\"verb\":\"inject\",\"bytes\":99999999}\n", 35), "16 MiB"));
	close(fd);
	fd = dial(path);
	talk(&d, fd, "{\"verb\":\"tail\"}\n", 16);
	json_t *push = json_pack("{s:s}", "text", "news");
	socket_push(d.socket, push);
	json_decref(push);
	assert_non_null(strstr(talk(&d, fd, "", 0), "news"));
	close(fd);
	int many[LIMIT_OPERATOR_PER_UID + 1];
	talk(&d, dial(path), "", 0);
	for (int i = 0; i <= LIMIT_OPERATOR_PER_UID; i++)
		many[i] = dial(path);
	assert_non_null(strstr(talk(&d, many[LIMIT_OPERATOR_PER_UID], "", 0), "too many"));
	socket_close(d.socket);
	uv_run(&d.loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&d.loop), 0);
	assert_int_not_equal(stat(path, &st), 0);
}

static void test_socket_paths(void **state)
{
	struct desk d = {0};
	struct err e = {0};
	struct socket_host host = {&d, on_request};
	char path[200];
	(void)state;
	assert_int_equal(uv_loop_init(&d.loop), 0);
	memset(path, 'p', sizeof path - 1);
	path[0] = '/';
	path[sizeof path - 1] = '\0';
	assert_null(socket_open(&d.loop, path, "", "", &host, &e)); /* not cut to another name */
	assert_int_equal(e.kind, ERR_INPUT);
	snprintf(path, sizeof path, "%s/plain", folder);
	FILE *f = fopen(path, "w");
	fclose(f);
	assert_null(socket_open(&d.loop, path, "", "", &host, &e)); /* not a socket: it is left there */
	assert_int_equal(access(path, F_OK), 0);
	assert_null(socket_open(&d.loop, path, "no-such-group-here", "", &host, &e));
	/* a stale one is replaced */
	snprintf(path, sizeof path, "%s/stale.sock", folder);
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	text_copy(a.sun_path, sizeof a.sun_path, path);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
	close(fd);
	struct socket *s = socket_open(&d.loop, path, "", "", &host, &e);
	assert_non_null(s);
	socket_close(s);
	uv_run(&d.loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&d.loop), 0);
}

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) == NULL;
}
static int drop_folder(void **state)
{
	char command[64];
	(void)state;
	snprintf(command, sizeof command, "rm -r %s", folder);
	return system(command);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN); /* as the engine does */
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_socket), cmocka_unit_test(test_socket_paths)};
	return cmocka_run_group_tests(tests, make_folder, drop_folder);
}

/* The operator's socket on the loop: see socket.h. uv_pipe_bind truncates long paths and knows no umask, so the socket is made here. */
#define _GNU_SOURCE
#include "engine/io/socket.h"
#include "engine/base/json.h"
#include "engine/base/limits.h"
#include "engine/base/text.h"
#include "engine/io/peer.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define SOCKET_MAGIC 0x534f434bu
#define IDLE_MS 60000
#define TAIL_BEHIND (1u << 20)
#define CLIENT_BUFFER 16384

struct client {
	unsigned magic;
	struct client *next;
	uv_pipe_t pipe;
	struct socket *owner;
	uint64_t number, last_ms;
	struct peer peer;
	bool busy, tail, closing, digesting;
	bool last_words;          /* close when what is being written has gone */
	char in[CLIENT_BUFFER];
	size_t in_len;
	json_t *request;          /* waits for its raw bytes */
	unsigned char *raw;
	size_t raw_len, raw_got;
};

struct socket {
	unsigned magic;
	uv_loop_t *loop;
	uv_pipe_t listener;
	uv_timer_t timer;
	int handles;
	char path[108];
	gid_t view, act;
	struct socket_host host;
	struct client *first;
	size_t count;
	uint64_t numbers;
	bool closing;
};

struct write {
	uv_write_t req;
	struct client *client;
	char *text;
};

/* -- clients ---------------------------------------------------------------------------------------------------------------------------- */

static void on_client_closed(uv_handle_t *h)
{
	struct client *c = h->data;
	json_decref(c->request);
	free(c->raw);
	free(c);
}

static void client_close(struct client *c)
{
	if (c->closing)
		return;
	c->closing = true;
	for (struct client **p = &c->owner->first; *p != NULL; p = &(*p)->next) {
		if (*p == c) {
			*p = c->next;
			c->owner->count--;
			break;
		}
	}
	uv_close((uv_handle_t *)&c->pipe, on_client_closed);
}

static void on_written(uv_write_t *req, int status)
{
	struct write *w = req->data;
	struct client *c = w->client;
	bool close_it = status < 0 || (c->last_words && uv_stream_get_write_queue_size((uv_stream_t *)&c->pipe) == 0);
	free(w->text);
	free(w);
	if (close_it)
		client_close(c);
}

static void client_write(struct client *c, const json_t *line)
{
	char *text = json_dumps(line, JSON_COMPACT);
	struct write *w = text != NULL ? malloc(sizeof *w) : NULL;
	if (w == NULL || c->closing) {
		free(text);
		free(w);
		return;
	}
	size_t n = strlen(text);
	text[n] = '\n'; /* the NUL is not sent */
	*w = (struct write){.client = c, .text = text};
	w->req.data = w;
	uv_buf_t buf = uv_buf_init(text, (unsigned)(n + 1));
	if (uv_write(&w->req, (uv_stream_t *)&c->pipe, &buf, 1, on_written) != 0) {
		free(text);
		free(w);
		client_close(c);
	}
}

static void client_refuse(struct client *c, const char *why)
{
	json_t *answer = json_pack("{s:b,s:s}", "ok", 0, "error", why);
	c->last_words = true;
	uv_read_stop((uv_stream_t *)&c->pipe);
	client_write(c, answer);
	json_decref(answer);
}

static struct client *client_find(struct socket *s, uint64_t number)
{
	for (struct client *c = s->first; c != NULL; c = c->next)
		if (c->number == number)
			return c;
	return NULL;
}

/* -- reading ------------------------------------------------------------------------------------------------------------------------------ */

static void client_ask(struct client *c)
{
	struct socket *s = c->owner;
	json_t *request = c->request;
	unsigned char *raw = c->raw;
	c->busy = true;
	c->request = NULL;
	c->raw = NULL;
	uv_read_stop((uv_stream_t *)&c->pipe);
	s->host.request(s->host.ctx, c->number, &c->peer, request, raw, c->raw_len);
	json_decref(request);
}

static void client_line(struct client *c, const char *line, size_t len)
{
	struct err e = {0};
	json_t *request = json_read(line, len, &json_limits_config, &e);
	if (!json_is_object(request)) {
		json_decref(request);
		client_refuse(c, e.text[0] != '\0' ? e.text : "request: one JSON object a line is wanted");
		return;
	}
	int64_t bytes = json_int(request, "bytes", -1);
	if (strcmp(json_text(request, "verb", ""), "inject") != 0)
		bytes = -1;
	c->request = request;
	c->raw_len = c->raw_got = 0;
	if (bytes > (int64_t)LIMIT_ALERT_BYTES || bytes == 0) {
		client_refuse(c, "inject: between 1 byte and 16 MiB are taken; look at the file");
		return;
	}
	if (bytes < 0) {
		client_ask(c);
		return;
	}
	if (!c->peer.may_act) {
		client_refuse(c, "inject: you may look but not act; ask for membership of the act group");
		return;
	}
	c->raw = malloc((size_t)bytes + 1);
	c->raw_len = (size_t)bytes;
	if (c->raw == NULL)
		client_refuse(c, "inject: no memory for it now; try again");
	else
		c->raw[bytes] = '\0';
}

static void client_drop(struct client *c, size_t used)
{
	c->in_len -= used;
	memmove(c->in, c->in + used, c->in_len);
}

static void client_take_raw(struct client *c)
{
	size_t n = c->raw_len - c->raw_got;
	n = n > c->in_len ? c->in_len : n;
	memcpy(c->raw + c->raw_got, c->in, n);
	c->raw_got += n;
	client_drop(c, n);
	if (c->raw_got == c->raw_len)
		client_ask(c);
}

/* false: no whole line is there. Bytes are dropped before the line is acted on, for the answer may come at once. */
static bool client_take_line(struct client *c)
{
	char line[LIMIT_OPERATOR_LINE + 1];
	char *end = memchr(c->in, '\n', c->in_len);
	size_t len = end != NULL ? (size_t)(end - c->in) : c->in_len;
	if (len > LIMIT_OPERATOR_LINE) {
		client_refuse(c, "request: the line is longer than 4 KiB; shorten it");
		return false;
	}
	if (end == NULL)
		return false;
	memcpy(line, c->in, len);
	line[len] = '\0';
	client_drop(c, len + 1);
	client_line(c, line, len);
	return true;
}

/* As many requests as the buffer holds; stops at the first that is not answered at once. */
static void client_digest(struct client *c)
{
	if (c->digesting)
		return;
	c->digesting = true;
	bool more = true;
	while (more && !c->busy && !c->last_words && !c->closing && !c->tail && c->in_len > 0) {
		if (c->raw != NULL)
			client_take_raw(c);
		else
			more = client_take_line(c);
	}
	c->digesting = false;
}

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
	struct client *c = h->data;
	(void)suggested;
	*buf = uv_buf_init(c->in + c->in_len, (unsigned)(sizeof c->in - c->in_len));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct client *c = stream->data;
	(void)buf;
	must(c->magic == SOCKET_MAGIC);
	if (n < 0) {
		client_close(c);
		return;
	}
	c->last_ms = uv_now(c->owner->loop);
	if (c->tail)
		return; /* what a tail says is not heard */
	c->in_len += (size_t)n;
	client_digest(c);
}

static void on_connection(uv_stream_t *stream, int status)
{
	struct socket *s = stream->data;
	struct client *c = status == 0 ? calloc(1, sizeof *c) : NULL;
	if (c == NULL)
		return;
	*c = (struct client){.magic = SOCKET_MAGIC, .owner = s, .number = ++s->numbers, .last_ms = uv_now(s->loop)};
	uv_pipe_init(s->loop, &c->pipe, 0);
	c->pipe.data = c;
	c->next = s->first;
	s->first = c;
	s->count++;
	int fd = -1;
	if (uv_accept(stream, (uv_stream_t *)&c->pipe) != 0 || uv_fileno((uv_handle_t *)&c->pipe, &fd) != 0) {
		client_close(c);
		return;
	}
	size_t same = 0;
	bool known = peer_read(fd, s->view, s->act, &c->peer);
	for (struct client *o = s->first; o != NULL; o = o->next)
		same += o->peer.uid == c->peer.uid;
	if (!known)
		client_refuse(c, "you are not in the view group of this engine; ask its owner");
	else if (s->count > LIMIT_OPERATOR_CLIENTS || same > LIMIT_OPERATOR_PER_UID)
		client_refuse(c, "too many connections; close one and try again");
	else
		uv_read_start((uv_stream_t *)&c->pipe, on_alloc, on_read);
}

static void on_timer(uv_timer_t *t)
{
	struct socket *s = t->data;
	struct client *next;
	for (struct client *c = s->first; c != NULL; c = next) {
		next = c->next;
		if (!c->tail && !c->busy && uv_now(s->loop) - c->last_ms > IDLE_MS)
			client_close(c);
	}
}

/* -- answers -------------------------------------------------------------------------------------------------------------------------------- */

void socket_answer(struct socket *s, uint64_t number, const json_t *answer)
{
	struct client *c = client_find(s, number);
	if (c == NULL)
		return;
	client_write(c, answer);
	c->busy = false;
	c->last_ms = uv_now(s->loop);
	if (c->closing || c->tail)
		return;
	client_digest(c);
	if (!c->busy && !c->closing && !c->last_words)
		uv_read_start((uv_stream_t *)&c->pipe, on_alloc, on_read);
}

void socket_tail(struct socket *s, uint64_t number)
{
	struct client *c = client_find(s, number);
	if (c == NULL)
		return;
	c->tail = true;
	c->busy = false;
	c->in_len = 0;
	uv_read_start((uv_stream_t *)&c->pipe, on_alloc, on_read); /* only to see it go */
}

void socket_push(struct socket *s, const json_t *line)
{
	struct client *next;
	for (struct client *c = s->first; c != NULL; c = next) {
		next = c->next;
		if (!c->tail)
			continue;
		if (uv_stream_get_write_queue_size((uv_stream_t *)&c->pipe) > TAIL_BEHIND)
			client_close(c);
		else
			client_write(c, line);
	}
}

size_t socket_clients(const struct socket *s)
{
	return s->count;
}

/* -- open and close --------------------------------------------------------------------------------------------------------------------------- */

/* A path that is there: 0 when it was stale and is gone. */
static int path_clear(const struct sockaddr_un *address, struct err *e)
{
	struct stat st;
	if (lstat(address->sun_path, &st) != 0)
		return errno == ENOENT ? 0 : err_set(e, ERR_SYSTEM, "operator socket at %s: %s; choose another path", address->sun_path,
			strerror(errno));
	if (!S_ISSOCK(st.st_mode) || (st.st_uid != geteuid() && geteuid() != 0))
		return err_set(e, ERR_REFUSED, "operator socket at %s: something else is there; move it or choose another path", address->sun_path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int there = fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof *address) == 0;
	if (fd >= 0)
		close(fd);
	if (there)
		return err_set(e, ERR_REFUSED, "operator socket at %s: another engine answers there; stop it or choose another path",
			address->sun_path);
	return unlink(address->sun_path) == 0 ? 0 : err_set(e, ERR_SYSTEM, "operator socket at %s: %s", address->sun_path, strerror(errno));
}

static int socket_bind(struct socket *s, const char *path, int *fd, struct err *e)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof address.sun_path)
		return err_set(e, ERR_INPUT, "operator socket at %s: longer than %zu bytes; set operator.socket to a shorter path", path,
			sizeof address.sun_path - 1);
	text_copy(address.sun_path, sizeof address.sun_path, path);
	text_copy(s->path, sizeof s->path, path);
	if (path_clear(&address, e) != 0)
		return -1;
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mode_t before = umask(0117);
	int rc = *fd < 0 ? -1 : bind(*fd, (const struct sockaddr *)&address, sizeof address);
	umask(before);
	if (rc != 0)
		return err_set(e, ERR_SYSTEM, "operator socket at %s: %s; its directory must exist and be writable", path, strerror(errno));
	if (s->view != getegid() && chown(path, (uid_t)-1, s->view) != 0) {
		err_set(e, ERR_SYSTEM, "operator socket at %s: cannot be given to the view group: %s; the engine's user must be a member", path,
			strerror(errno));
		unlink(path);
		return -1;
	}
	return 0;
}

struct socket *socket_open(uv_loop_t *loop, const char *path, const char *view_group, const char *act_group,
	const struct socket_host *host, struct err *e)
{
	struct socket *s = calloc(1, sizeof *s);
	int fd = -1;
	if (s == NULL) {
		err_set(e, ERR_MEMORY, "operator socket: no memory");
		return NULL;
	}
	*s = (struct socket){.magic = SOCKET_MAGIC, .loop = loop, .host = *host};
	if (peer_group(view_group, &s->view, e) != 0 || peer_group(act_group, &s->act, e) != 0 || socket_bind(s, path, &fd, e) != 0) {
		if (fd >= 0)
			close(fd);
		free(s);
		return NULL;
	}
	uv_pipe_init(loop, &s->listener, 0);
	uv_timer_init(loop, &s->timer);
	s->listener.data = s->timer.data = s;
	s->handles = 2;
	uv_timer_start(&s->timer, on_timer, 5000, 5000);
	int bad = uv_pipe_open(&s->listener, fd);
	if (bad != 0)
		close(fd);
	else
		bad = uv_listen((uv_stream_t *)&s->listener, 64, on_connection);
	if (bad != 0) {
		err_set(e, ERR_SYSTEM, "operator socket at %s: %s", path, uv_strerror(bad));
		socket_close(s);
		return NULL;
	}
	return s;
}

static void on_closed(uv_handle_t *h)
{
	struct socket *s = h->data;
	if (--s->handles == 0)
		free(s);
}

void socket_close(struct socket *s)
{
	if (s == NULL || s->closing)
		return;
	s->closing = true;
	unlink(s->path);
	struct client *next;
	for (struct client *c = s->first; c != NULL; c = next) {
		next = c->next;
		client_close(c);
	}
	uv_close((uv_handle_t *)&s->timer, on_closed);
	uv_close((uv_handle_t *)&s->listener, on_closed);
}

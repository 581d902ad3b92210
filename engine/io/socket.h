/* The operator's socket: JSON lines, mode 0660, peers known by the kernel's word. */
#ifndef ENGINE_IO_SOCKET_H
#define ENGINE_IO_SOCKET_H
#include "engine/base/err.h"
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct peer {
	int64_t uid, pid;
	bool may_act;   /* act group, the engine's own user, root; everybody let in may view */
};

struct socket_host {
	void *ctx;
	/* One whole request of a client, and the raw bytes it announced ({"verb":"inject","bytes":N}; taken; NULL none). The client is not
	 * read from until socket_answer. request is borrowed. */
	void (*request)(void *ctx, uint64_t client, const struct peer *peer, const json_t *request, void *raw, size_t raw_len);
};

struct socket;

/* Binds PATH (a stale socket of ours is removed, one that answers is ERR_REFUSED). A group "" is the engine's own. */
struct socket *socket_open(uv_loop_t *loop, const char *path, const char *view_group, const char *act_group,
	const struct socket_host *host, struct err *e);

/* One line to the client, which may then ask again; a client that has gone is ignored. */
void socket_answer(struct socket *s, uint64_t client, const json_t *answer);

/* From now on the client gets every line of socket_push; it cannot ask any more. A reader that is 1 MiB behind is dropped. */
void socket_tail(struct socket *s, uint64_t client);
void socket_push(struct socket *s, const json_t *line);

size_t socket_clients(const struct socket *s);

/* Removes the path, stops listening; answers that wait to be written still go. Memory goes when the loop has closed the handles. */
void socket_close(struct socket *s);
#endif

/* Who is at the other end of the operator's socket: uid, pid and groups by the kernel's word. */
#ifndef ENGINE_IO_PEER_H
#define ENGINE_IO_PEER_H
#include "engine/io/socket.h"
#include <sys/types.h>

/* Group by name; "" is the engine's own. ERR_INPUT for a name that the system does not know. */
int peer_group(const char *name, gid_t *gid, struct err *e);

/* false when the peer may not even look. */
bool peer_read(int fd, gid_t view, gid_t act, struct peer *out);
#endif

/* Sky map bytes from outside are read by a child of this program without files, sockets or a second chance:
 * posix_spawn of /proc/self/exe --map-child, two memory files, limits, seccomp. A crash there is one failed map, in words. */
#ifndef ENGINE_IO_MAPCHILD_H
#define ENGINE_IO_MAPCHILD_H
#include "engine/base/err.h"
#include "engine/target/skymap.h"
#include <stddef.h>

/* As skymap_read; out->mapped is set, the columns are a read-only mapping of sealed memory. Thread-safe; blocks until the child has ended
 * (milliseconds; at most LIMIT_MAP_CHILD_WALL_S). In builds with a sanitizer the reading happens in this process. */
int mapchild_read(const void *bytes, size_t len, struct skymap *out, struct err *e);

/* The same of an open regular file (read from its start; the offset stays), which the child maps itself: nothing of it is copied here. A file that
 * shrinks meanwhile is one failed map. */
int mapchild_read_fd(int fd, struct skymap *out, struct err *e);

/* The child's main: never returns to a caller that has anything else to do. Test programs that call mapchild_read must start with
 * `if (argc > 1 && strcmp(argv[1], "--map-child") == 0) return mapchild_main();` since they are /proc/self/exe. */
int mapchild_main(void);

/* For the test of the sandbox: the child misbehaves instead of reading. */
enum mapchild_probe { PROBE_NONE, PROBE_OPEN, PROBE_SOCKET, PROBE_FORK, PROBE_LOOP, PROBE_MEMORY, PROBE_CRASH, PROBE_LIE, PROBE_PTRACE };
int mapchild_probe(const void *bytes, size_t len, enum mapchild_probe probe, struct skymap *out, struct err *e);
#endif

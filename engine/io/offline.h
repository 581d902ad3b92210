/* A process that must not touch the world: from here on the kernel lets it open no socket. For nights that never were, and for what-ifs. */
#ifndef ENGINE_IO_OFFLINE_H
#define ENGINE_IO_OFFLINE_H
#include "engine/base/err.h"

/* socket, connect, bind, listen, accept, send and io_uring fail with EPERM from now on, in this process, its threads and all that it
 * starts; files and pipes work on. Cannot be undone. -1 (ERR_SYSTEM) where the kernel has no seccomp; nothing is denied then. */
int offline_enter(struct err *e);
#endif

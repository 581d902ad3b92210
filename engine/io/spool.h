/* A directory as a source: a file that appears (renamed in, whole) is an alert; after COMMIT it is moved to DIR/done. */
#ifndef ENGINE_IO_SPOOL_H
#define ENGINE_IO_SPOOL_H
#include "engine/base/err.h"
#include "engine/io/source.h"
#include <stdbool.h>
#include <uv.h>

struct spool;

/* Makes DIR and DIR/done if need be. Names that begin with '.' or end in .tmp or .part are left alone, so are links and directories.
 * A crash between COMMIT and the move makes the file come again: the core knows the digest, nothing happens twice. */
struct spool *spool_open(uv_loop_t *loop, const char *name, const char *dir, const char *topic, const struct source_host *host,
	struct err *e);
void spool_pause(struct spool *s, bool pause);

/* A letter of this spool is on disk: its file is moved. */
void spool_committed(struct spool *s, const struct letter *l);
void spool_close(struct spool *s);
#endif

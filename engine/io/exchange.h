/* Carries calls to a file database: one SQLite file that others read and write too, answered as if it were HTTP. It never decides. A call is done in
 * one transaction on a worker's thread, or not at all: an answer other than 200 says that nothing was written.
 *
 *   POST /TABLE, body {"column":value…} → 200 {"rowid":n}; 409 a row with that key is there. true and false become 1 and 0, an array of them a
 *        blob of bytes 1 and 0, any other array its JSON.
 *   GET /TABLE?columns=a,b[&after=ROWID][&least=COLUMN:NUMBER][&limit=N][&newest=1] → 200 {"columns":["rowid","a","b"],"rows":[[1,…]…]} by rowid; newest: the
 *        last one alone. Blobs are null.
 *   404: no such table or column; 400: not of this form; 503: another one holds the file locked; 500: it cannot be opened, or is none of ours. */
#ifndef ENGINE_IO_EXCHANGE_H
#define ENGINE_IO_EXCHANGE_H
#include "engine/base/err.h"
#include "engine/io/configure.h"
#include "engine/io/http.h"

#define EXCHANGE_SCHEME CONFIG_FILE /* "file:PATH": the url of such a database */

struct exchange;
struct kafka_letter;
struct exchange *exchange_open(uv_loop_t *loop, http_done_cb *done, void *ctx, struct err *e);

/* url: "file:PATH", or "folder:PATH" (engine/io/folder.h); letter: to Kafka instead (engine/io/kafka_send.h; taken, also on failure), else NULL. Starts; done is called once, later, from the loop. schema: NULL-terminated statements that make what is not there (lives as long as the
 * program). The file is made when it is not there. Query and body are copied. */
int exchange_send(struct exchange *x, int64_t id, const char *url, const char *const *schema, struct kafka_letter *letter,
	const struct call *c, struct err *e);

size_t exchange_busy(const struct exchange *x);
void exchange_close(struct exchange *x); /* done is not called any more; what is being written is finished */

/* The same, here and now: what a worker does. status, and a malloc'd body. */
int exchange_do(const char *file, const char *const *schema, const struct call *c, char **body);
#endif

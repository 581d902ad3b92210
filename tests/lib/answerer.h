/* A tiny HTTP server in a child process for tests: one line of script per connection, in order; it tells what it was asked. */
#ifndef TESTS_LIB_ANSWERER_H
#define TESTS_LIB_ANSWERER_H
#include <stddef.h>
#include <sys/types.h>

/* Script lines:  "ok BODY" 200 application/json · "status N BODY" · "after N BODY" status N with "Retry-After: 120" ·
 * "chunk BODY" one byte a chunk · "half BODY" twice the length announced, then closed · "read-drop" reads the request, then closes ·
 * "drop" closes at once · "slow MS BODY" answers late · "redirect URL" 302 · "huge N" N bytes of body. After the last line: 500. */
struct answerer {
	pid_t pid;
	int port, from_child;
};
int answerer_start(struct answerer *a, const char *const *script);

/* Ends the child; log gets one line per request that was read whole: "METHOD PATH|Authorization value|body". Returns their number. */
int answerer_stop(struct answerer *a, char *log, size_t size);
#endif

/* Carries calls to facilities: libcurl's multi interface on the loop. It never decides and never sends a `once` call twice. */
#ifndef ENGINE_IO_HTTP_H
#define ENGINE_IO_HTTP_H
#include "engine/base/err.h"
#include "facilities/facility.h"
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

/* What to carry. All borrowed until http_send returns. */
struct http_job {
	const char *method, *url;     /* the whole url, made by http_url */
	const char *content_type;     /* of the body, "" none */
	const char *body;
	size_t body_len;
	const char *authorization;    /* value of the Authorization header, NULL none; wiped from our memory when sent */
	const char *user_agent;
	bool once;                    /* fresh connection that nobody else will use: libcurl re-sends a POST on a dead kept-alive one */
	long timeout_ms;              /* wall time for everything */
};

/* reply: body and texts are borrowed until the callback returns; body may be written to (blanking). */
typedef void http_done_cb(void *ctx, int64_t id, struct reply *reply, char *body);

struct http;
struct http *http_open(uv_loop_t *loop, http_done_cb *done, void *ctx, struct err *e);

/* Starts; done is called once, later, from the loop. -1: could not even be started (nothing was sent, done is not called). */
int http_send(struct http *h, int64_t id, const struct http_job *job, struct err *e);

size_t http_busy(const struct http *h);

/* Gives up what is in flight (done is not called for it) and closes the handles; memory goes when the loop has closed them. */
void http_close(struct http *h);

/* base + path [+ "?" + query] as one malloc'd url: base passes url_allowed, path begins with one '/', neither holds '..' segments,
 * white space, control characters or a fragment. Host and scheme can only come from base. */
int http_url(const char *base, const char *path, const char *query, char **url, struct err *e);
#endif

/* libmicrohttpd in front of one function: a thread a connection, one lock around the portal. */
#include "engine/cmd/world_http.h"
#include "engine/base/limits.h"
#include "engine/base/text.h"
#include <arpa/inet.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct world_http {
	struct MHD_Daemon *daemon;
	struct sim_portal *portal;
	const struct clock *clock;
	pthread_mutex_t lock;
	int submit_ms;
	int32_t *spent_us; /* by the portal on each call, without the wire */
	size_t calls, calls_max;
};

/* One request while its body comes in. */
struct visit {
	char *uri; /* as it stood on the wire: path and query are not decoded */
	struct text body;
	bool started;
};

static void *visit_new(void *cls, const char *uri, struct MHD_Connection *connection)
{
	struct visit *v = calloc(1, sizeof *v);

	(void)cls;
	(void)connection;
	if (v != NULL) {
		v->uri = strdup(uri);
		v->body.max = LIMIT_REPLY_BYTES;
	}
	return v;
}

static void visit_end(void *cls, struct MHD_Connection *connection, void **slot,
	enum MHD_RequestTerminationCode why)
{
	struct visit *v = *slot;

	(void)cls;
	(void)connection;
	(void)why;
	if (v == NULL)
		return;
	free(v->uri);
	text_free(&v->body);
	free(v);
	*slot = NULL;
}

/* delay_us is sky time: a slow portal is slow in the night's own time. */
static void wait_sky(const struct world_http *w, int64_t delay_us)
{
	int64_t wall_us = (int64_t)((double)delay_us / w->clock->rate);

	if (wall_us > 0)
		nanosleep(&(struct timespec){wall_us / 1000000, wall_us % 1000000 * 1000}, NULL);
}

static enum MHD_Result send_reply(struct MHD_Connection *connection, struct sim_reply *r)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(
		r->len, r->body != NULL ? r->body : (char *)"", MHD_RESPMEM_MUST_COPY);
	char after[24];

	if (response == NULL)
		return MHD_NO;
	MHD_add_response_header(response, "Content-Type",
		r->content_type != NULL ? r->content_type : "application/json");
	if (r->retry_after_s >= 0) {
		snprintf(after, sizeof after, "%lld", (long long)r->retry_after_s);
		MHD_add_response_header(response, "Retry-After", after);
	}
	enum MHD_Result done = MHD_queue_response(connection, (unsigned)r->status, response);
	MHD_destroy_response(response);
	return done;
}

/* Under the lock. A call that finds no memory is not counted. */
static void note_spent(struct world_http *w, int64_t us)
{
	if (w->calls == w->calls_max) {
		size_t more = w->calls_max == 0 ? 1024 : 2 * w->calls_max;
		int32_t *grown = realloc(w->spent_us, more * sizeof *grown);
		if (grown == NULL)
			return;
		w->spent_us = grown;
		w->calls_max = more;
	}
	w->spent_us[w->calls++] = us < INT32_MAX ? (int32_t)us : INT32_MAX;
}

static int by_size(const void *a, const void *b)
{
	int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;

	return x < y ? -1 : x > y;
}

json_t *world_http_spent(struct world_http *w)
{
	pthread_mutex_lock(&w->lock);
	size_t n = w->calls;
	if (n > 0)
		qsort(w->spent_us, n, sizeof w->spent_us[0], by_size);
	json_t *out = n == 0 ? json_object()
			     : json_pack("{s:I, s:i, s:i, s:i}", "calls", (json_int_t)n, "p50_us",
				       (int)w->spent_us[(n - 1) / 2], "p99_us",
				       (int)w->spent_us[(n - 1) * 99 / 100], "max_us",
				       (int)w->spent_us[n - 1]);
	pthread_mutex_unlock(&w->lock);
	return out;
}

static enum MHD_Result answer(struct world_http *w, struct MHD_Connection *connection,
	const char *method, struct visit *v)
{
	struct sim_reply reply = {0};
	char *query = strchr(v->uri, '?');

	if (query != NULL)
		*query++ = '\0';
	struct sim_call call = {.method = method,
		.path = v->uri,
		.query = query,
		.body = v->body.data,
		.len = v->body.len,
		.authorization =
			MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Authorization"),
		.content_type =
			MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Type")};
	int64_t came_us = clock_boot_us();
	pthread_mutex_lock(&w->lock);
	int bad = sim_portal_call(w->portal, clock_utc_us(w->clock), &call, &reply);
	note_spent(w, clock_boot_us() - came_us);
	pthread_mutex_unlock(&w->lock);
	if (bad != 0)
		return MHD_NO;
	wait_sky(w, reply.delay_us);
	if (w->submit_ms > 0 && strcmp(method, "POST") == 0 && strcmp(v->uri, "/api/requestgroups/") == 0)
		nanosleep(&(struct timespec){w->submit_ms / 1000, w->submit_ms % 1000 * 1000000}, NULL);
	enum MHD_Result done = reply.drop == SIM_REPLY ? send_reply(connection, &reply)
						       : MHD_NO; /* MHD_NO closes without a word */
	sim_reply_free(&reply);
	return done;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url,
	const char *method, const char *version, const char *data, size_t *len, void **slot)
{
	struct visit *v = *slot;

	(void)url;
	(void)version;
	if (v == NULL || v->uri == NULL)
		return MHD_NO;
	if (!v->started) {
		v->started = true;
		return MHD_YES;
	}
	if (*len > 0) {
		text_add(&v->body, data, *len);
		*len = 0;
		return v->body.failed ? MHD_NO : MHD_YES;
	}
	return answer(cls, connection, method, v);
}

struct world_http *world_http_open(
	struct sim_portal *portal, const struct clock *clock, struct err *e)
{
	struct sockaddr_in here = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct world_http *w = calloc(1, sizeof *w);

	if (w == NULL) {
		err_set(e, ERR_MEMORY, "world: no memory");
		return NULL;
	}
	w->portal = portal;
	w->clock = clock;
	pthread_mutex_init(&w->lock, NULL);
	w->daemon =
		MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION, 0,
			NULL, NULL, on_request, w, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&here,
			MHD_OPTION_URI_LOG_CALLBACK, visit_new, NULL, MHD_OPTION_NOTIFY_COMPLETED,
			visit_end, NULL, MHD_OPTION_CONNECTION_TIMEOUT, 60u, MHD_OPTION_END);
	if (w->daemon == NULL) {
		err_set(e, ERR_SYSTEM,
			"world: the HTTP server did not start on 127.0.0.1; is the loopback "
			"interface up?");
		pthread_mutex_destroy(&w->lock);
		free(w);
		return NULL;
	}
	return w;
}

void world_http_think(struct world_http *w, int submit_ms)
{
	w->submit_ms = submit_ms;
}

int world_http_port(const struct world_http *w)
{
	const union MHD_DaemonInfo *info =
		MHD_get_daemon_info(w->daemon, MHD_DAEMON_INFO_BIND_PORT);

	return info != NULL ? info->port : 0;
}

json_t *world_http_ledger(struct world_http *w)
{
	pthread_mutex_lock(&w->lock);
	sim_portal_advance(w->portal, clock_utc_us(w->clock));
	json_t *ledger = sim_portal_ledger(w->portal);
	pthread_mutex_unlock(&w->lock);
	return ledger;
}

void world_http_close(struct world_http *w)
{
	if (w == NULL)
		return;
	MHD_stop_daemon(w->daemon);
	sim_portal_free(w->portal);
	pthread_mutex_destroy(&w->lock);
	free(w->spent_us);
	free(w);
}

/* libcurl multi on a libuv loop: see http.h. Sockets and the timer belong to uv, transfers to curl. */
#include "engine/io/http.h"
#include "engine/base/limits.h"
#include "engine/base/text.h"
#include "engine/io/configure.h"
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#define HTTP_MAGIC 0x48545450u
#define RETRY_AFTER_MOST_S 3600

struct http {
	unsigned magic;
	uv_loop_t *loop;
	uv_timer_t timer;
	CURLM *multi;
	http_done_cb *done;
	void *ctx;
	struct transfer *first;
	size_t busy;
	bool closing;
};

struct transfer {
	struct transfer *next;
	struct http *owner;
	CURL *easy;
	struct curl_slist *headers;
	int64_t id;
	char *request;        /* our copy of the body */
	struct text body;
	bool began;           /* connected and about to send: from here on the answer to "was it sent" is maybe */
	bool too_big;
	char error[CURL_ERROR_SIZE];
};

struct socket_watch {
	uv_poll_t poll;
	struct http *owner;
	curl_socket_t fd;
};

/* -- url -------------------------------------------------------------------------------------------------------------------------- */

static bool url_part_ok(const char *s)
{
	for (const unsigned char *p = (const unsigned char *)s; *p != '\0'; p++)
		if (*p <= ' ' || *p >= 0x7f || *p == '#' || *p == '\\' || *p == '"' || *p == '<' || *p == '>')
			return false;
	return true;
}

int http_url(const char *base, const char *path, const char *query, char **url, struct err *e)
{
	if (url_allowed(base, e) != 0)
		return -1;
	if (path[0] != '/' || path[1] == '/' || !url_part_ok(path) || strchr(path, '?') != NULL)
		return err_set(e, ERR_INPUT, "path of a call \"%.100s\": must begin with one '/' and hold no white space, '?' or '#'; the adapter "
			"made it", path);
	if (strstr(path, "/../") != NULL || strstr(path, "/./") != NULL)
		return err_set(e, ERR_INPUT, "path of a call \"%.100s\": holds a '..' segment; the adapter made it", path);
	if (query != NULL && !url_part_ok(query))
		return err_set(e, ERR_INPUT, "query of a call \"%.100s\": holds white space or '#'; it must be percent-encoded", query);
	struct text t = {.max = 16384};
	text_printf(&t, "%s%s%s%s", base, path, query != NULL && query[0] != '\0' ? "?" : "", query != NULL ? query : "");
	if (t.failed) {
		text_free(&t);
		return err_set(e, ERR_LIMIT, "url of a call: longer than 16 KiB; the adapter made it");
	}
	*url = t.data;
	return 0;
}

/* -- one transfer ----------------------------------------------------------------------------------------------------------------- */

static size_t on_body(char *bytes, size_t size, size_t n, void *ctx)
{
	struct transfer *t = ctx;
	text_add(&t->body, bytes, size * n);
	t->too_big = t->body.failed;
	return t->too_big ? 0 : size * n;
}

static int on_began(void *ctx, char *ip, char *local_ip, int port, int local_port)
{
	(void)ip, (void)local_ip, (void)port, (void)local_port;
	((struct transfer *)ctx)->began = true;
	return CURL_PREREQFUNC_OK;
}

static void transfer_free(struct transfer *t)
{
	for (struct curl_slist *h = t->headers; h != NULL; h = h->next)
		explicit_bzero(h->data, strlen(h->data));
	curl_slist_free_all(t->headers);
	curl_easy_cleanup(t->easy);
	text_free(&t->body);
	free(t->request);
	free(t);
}

static int transfer_header(struct transfer *t, const char *name, const char *value)
{
	struct text line = {.max = 16384};
	text_printf(&line, "%s:%s%s", name, value[0] != '\0' ? " " : "", value);
	struct curl_slist *more = line.failed ? NULL : curl_slist_append(t->headers, line.data);
	if (line.data != NULL)
		explicit_bzero(line.data, line.len);
	text_free(&line);
	if (more == NULL)
		return -1;
	t->headers = more;
	return 0;
}

static int transfer_headers(struct transfer *t, const struct http_job *job)
{
	int bad = transfer_header(t, "Accept", "application/json");
	bad |= transfer_header(t, "Expect", ""); /* no 100-continue: it only adds a doubt */
	if (job->body != NULL && job->content_type[0] != '\0')
		bad |= transfer_header(t, "Content-Type", job->content_type);
	if (job->authorization != NULL)
		bad |= transfer_header(t, "Authorization", job->authorization);
	return bad;
}

/* Every setopt is checked: an option that silently fails may be the one that keeps a secret at home. */
static CURLcode transfer_setup(struct transfer *t, const struct http_job *job)
{
	CURLcode bad = CURLE_OK;
#define SET(option, value) bad = bad != CURLE_OK ? bad : curl_easy_setopt(t->easy, option, value)
	SET(CURLOPT_URL, job->url);
	SET(CURLOPT_PRIVATE, t);
	SET(CURLOPT_ERRORBUFFER, t->error);
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	SET(CURLOPT_PROTOCOLS_STR, "http,https"); /* plain http has passed url_allowed: loopback only */
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_TIMEOUT_MS, job->timeout_ms);
	SET(CURLOPT_CONNECTTIMEOUT_MS, job->timeout_ms > 10000 ? 10000L : job->timeout_ms);
	SET(CURLOPT_ACCEPT_ENCODING, "");
	SET(CURLOPT_USERAGENT, job->user_agent != NULL ? job->user_agent : "slew/" SLEW_VERSION);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, t);
	SET(CURLOPT_PREREQFUNCTION, on_began);
	SET(CURLOPT_PREREQDATA, t);
	SET(CURLOPT_HTTPHEADER, t->headers);
	if (job->once) {
		SET(CURLOPT_FRESH_CONNECT, 1L);
		SET(CURLOPT_FORBID_REUSE, 1L);
	}
	if (job->body != NULL) {
		SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)job->body_len);
		SET(CURLOPT_POSTFIELDS, t->request);
	} else if (strcmp(job->method, "POST") == 0) {
		SET(CURLOPT_POSTFIELDSIZE, 0L);
		SET(CURLOPT_POSTFIELDS, "");
	}
	if (strcmp(job->method, "GET") != 0 && strcmp(job->method, "POST") != 0)
		SET(CURLOPT_CUSTOMREQUEST, job->method);
#undef SET
	return bad;
}

static bool method_known(const char *method)
{
	static const char *const known[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (strcmp(method, known[i]) == 0)
			return true;
	return false;
}

int http_send(struct http *h, int64_t id, const struct http_job *job, struct err *e)
{
	if (!method_known(job->method))
		return err_set(e, ERR_INPUT, "call with method \"%.16s\": GET, POST, PUT, PATCH or DELETE is wanted", job->method);
	if (h->closing)
		return err_set(e, ERR_SYSTEM, "call: the engine is stopping");
	struct transfer *t = calloc(1, sizeof *t);
	if (t == NULL)
		return err_set(e, ERR_MEMORY, "call: no memory");
	t->owner = h;
	t->id = id;
	t->body.max = LIMIT_REPLY_BYTES;
	t->easy = curl_easy_init();
	t->request = job->body != NULL ? malloc(job->body_len + 1) : NULL;
	if (t->request != NULL) {
		memcpy(t->request, job->body, job->body_len);
		t->request[job->body_len] = '\0';
	}
	if (t->easy == NULL || (job->body != NULL && t->request == NULL) || transfer_headers(t, job) != 0) {
		transfer_free(t);
		return err_set(e, ERR_MEMORY, "call: no memory");
	}
	CURLcode code = transfer_setup(t, job);
	CURLMcode added = code == CURLE_OK ? curl_multi_add_handle(h->multi, t->easy) : CURLM_OK;
	if (code != CURLE_OK || added != CURLM_OK) {
		err_set(e, ERR_SYSTEM, "call: %s", code != CURLE_OK ? curl_easy_strerror(code) : curl_multi_strerror(added));
		transfer_free(t);
		return -1;
	}
	t->next = h->first;
	h->first = t;
	h->busy++;
	return 0;
}

/* -- the end of a transfer ---------------------------------------------------------------------------------------------------------- */

static int64_t retry_after_s(CURL *easy)
{
	curl_off_t seconds = 0;
	if (curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &seconds) != CURLE_OK || seconds <= 0)
		return -1;
	return seconds > RETRY_AFTER_MOST_S ? RETRY_AFTER_MOST_S : (int64_t)seconds;
}

static void transfer_unlink(struct http *h, struct transfer *t)
{
	for (struct transfer **p = &h->first; *p != NULL; p = &(*p)->next) {
		if (*p == t) {
			*p = t->next;
			h->busy--;
			return;
		}
	}
	must(false && "a transfer that is not ours");
}

static void transfer_done(struct http *h, struct transfer *t, CURLcode code)
{
	struct reply r = {.sent = SENT_ANSWERED, .retry_after_s = -1, .content_type = "", .transport = ""};
	long status = 0;
	char *type = NULL;
	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(t->easy, CURLINFO_CONTENT_TYPE, &type);
	if (code == CURLE_OK) {
		r.status = (int)status;
		r.content_type = type != NULL ? type : "";
		r.retry_after_s = retry_after_s(t->easy);
		r.len = t->body.len;
	} else { /* half an answer is no answer */
		r.sent = t->began ? SENT_MAYBE : SENT_NO;
		r.transport = t->too_big ? "the reply is larger than 8 MiB" : t->error[0] != '\0' ? t->error : curl_easy_strerror(code);
	}
	transfer_unlink(h, t);
	curl_multi_remove_handle(h->multi, t->easy);
	static char nothing[1];
	nothing[0] = '\0';
	char *body = t->body.data != NULL ? t->body.data : nothing;
	r.body = body;
	h->done(h->ctx, t->id, &r, body);
	transfer_free(t);
}

static void collect(struct http *h)
{
	CURLMsg *m;
	int left;
	while (!h->closing && (m = curl_multi_info_read(h->multi, &left)) != NULL) {
		struct transfer *t = NULL;
		if (m->msg != CURLMSG_DONE)
			continue;
		CURLcode code = m->data.result;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&t);
		transfer_done(h, t, code);
	}
}

/* -- sockets and the timer ------------------------------------------------------------------------------------------------------------ */

static void on_timer(uv_timer_t *timer)
{
	struct http *h = timer->data;
	must(h->magic == HTTP_MAGIC);
	int running;
	curl_multi_socket_action(h->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	collect(h);
}

static int on_curl_timer(CURLM *multi, long ms, void *ctx)
{
	struct http *h = ctx;
	(void)multi;
	if (h->closing)
		return 0;
	if (ms < 0)
		uv_timer_stop(&h->timer);
	else
		uv_timer_start(&h->timer, on_timer, (uint64_t)ms, 0);
	return 0;
}

static void on_socket(uv_poll_t *poll, int status, int events)
{
	struct socket_watch *w = poll->data;
	struct http *h = w->owner;
	must(h->magic == HTTP_MAGIC);
	int running, flags = status < 0 ? CURL_CSELECT_ERR : 0;
	flags |= events & UV_READABLE ? CURL_CSELECT_IN : 0;
	flags |= events & UV_WRITABLE ? CURL_CSELECT_OUT : 0;
	curl_multi_socket_action(h->multi, w->fd, flags, &running);
	collect(h);
}

static void on_watch_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static int on_curl_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *known)
{
	struct http *h = ctx;
	struct socket_watch *w = known;
	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (w != NULL) {
			uv_poll_stop(&w->poll);
			curl_multi_assign(h->multi, fd, NULL);
			uv_close((uv_handle_t *)&w->poll, on_watch_closed);
		}
		return 0;
	}
	if (w == NULL) {
		w = calloc(1, sizeof *w);
		if (w == NULL || uv_poll_init_socket(h->loop, &w->poll, fd) != 0) {
			free(w);
			return -1;
		}
		*w = (struct socket_watch){.poll = w->poll, .owner = h, .fd = fd};
		w->poll.data = w;
		curl_multi_assign(h->multi, fd, w);
	}
	int events = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
	return uv_poll_start(&w->poll, events, on_socket) == 0 ? 0 : -1;
}

/* -- open and close --------------------------------------------------------------------------------------------------------------------- */

struct http *http_open(uv_loop_t *loop, http_done_cb *done, void *ctx, struct err *e)
{
	struct http *h = calloc(1, sizeof *h);
	if (h == NULL || (h->multi = curl_multi_init()) == NULL) {
		free(h);
		err_set(e, ERR_MEMORY, "http: no memory");
		return NULL;
	}
	h->magic = HTTP_MAGIC;
	h->loop = loop;
	h->done = done;
	h->ctx = ctx;
	curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, on_curl_socket);
	curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h);
	curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, on_curl_timer);
	curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h);
	curl_multi_setopt(h->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
	uv_timer_init(loop, &h->timer);
	h->timer.data = h;
	return h;
}

size_t http_busy(const struct http *h)
{
	return h->busy;
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void http_close(struct http *h)
{
	if (h == NULL)
		return;
	h->closing = true;
	while (h->first != NULL) {
		struct transfer *t = h->first;
		transfer_unlink(h, t);
		curl_multi_remove_handle(h->multi, t->easy);
		transfer_free(t);
	}
	curl_multi_cleanup(h->multi);
	uv_close((uv_handle_t *)&h->timer, on_closed);
}

/* Watches a spool directory: see spool.h. Files are read in name order, a few at a time. */
#include "engine/io/spool.h"
#include "engine/base/limits.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include "engine/io/clock.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SCAN_MS 500
#define SCAN_FILES 32
#define SETTLE_US UTC_SECOND
#define SCAN_BYTES (LIMIT_TURN_BYTES)

struct flight {            /* read, not yet committed */
	struct flight *next;
	uint64_t ticket;
	char name[256];
};

struct spool {
	uv_timer_t timer;
	uv_fs_event_t event;
	int handles;
	char name[80], dir[1024], topic[256];
	int fd, done_fd;
	struct source_host host;
	struct flight *first;
	uint64_t ticket;
	bool paused, closing;
};

static bool name_ok(const char *name)
{
	size_t n = strlen(name);
	if (name[0] == '.' || n > 255)
		return false;
	return !(n > 4 && strcmp(name + n - 4, ".tmp") == 0) && !(n > 5 && strcmp(name + n - 5, ".part") == 0);
}

static bool in_flight(const struct spool *s, const char *name)
{
	for (const struct flight *f = s->first; f != NULL; f = f->next)
		if (strcmp(f->name, name) == 0)
			return true;
	return false;
}

static void complain(struct spool *s, const char *name, const char *why)
{
	char shown[200], line[512];
	text_escape(shown, sizeof shown, name, strlen(name));
	snprintf(line, sizeof line, "spool file %s: %s", shown, why);
	s->host.log(s->host.ctx, LOG_WARN, s->name, line);
}

/* Somebody may be writing it: what was renamed into place has another time of change than of writing and is whole; else a second without a
 * write is waited for. */
static bool may_grow(const struct stat *st)
{
	int64_t written_us = (int64_t)st->st_mtim.tv_sec * UTC_SECOND + st->st_mtim.tv_nsec / 1000, age_us = clock_wall_us() - written_us;
	bool renamed = st->st_ctim.tv_sec != st->st_mtim.tv_sec || st->st_ctim.tv_nsec != st->st_mtim.tv_nsec;
	return !renamed && age_us >= 0 && age_us < SETTLE_US;
}

/* A file past the limit comes in as its first bytes: the core rejects it, and the reject is a row. */
static struct letter *file_read(struct spool *s, const char *name)
{
	struct stat st;
	int fd = openat(s->fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || may_grow(&st)) {
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	size_t len = st.st_size > (off_t)LIMIT_ALERT_BYTES ? (size_t)LIMIT_ALERT_BYTES + 1 : (size_t)st.st_size, got = 0;
	char *body = malloc(len + 1);
	while (body != NULL && got < len) {
		ssize_t n = read(fd, body + got, len - got);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		got += (size_t)n;
	}
	close(fd);
	if (body == NULL)
		return NULL;
	body[got] = '\0';
	return letter_take(INPUT_alert, body, got);
}

static size_t file_take(struct spool *s, const char *name)
{
	struct flight *f = calloc(1, sizeof *f);
	struct letter *l = f != NULL ? file_read(s, name) : NULL;
	if (l == NULL) {
		free(f);
		return 0;
	}
	text_copy(f->name, sizeof f->name, name);
	f->ticket = ++s->ticket;
	f->next = s->first;
	s->first = f;
	l->owner = s;
	l->origin = f->ticket;
	text_copy(l->source, sizeof l->source, s->name);
	text_copy(l->topic, sizeof l->topic, s->topic);
	size_t cost = letter_cost(l);
	s->host.put(s->host.ctx, l);
	return cost;
}

static int is_candidate(const struct dirent *d)
{
	return name_ok(d->d_name) && (d->d_type == DT_REG || d->d_type == DT_UNKNOWN);
}

static void scan(struct spool *s)
{
	struct dirent **list = NULL;
	if (s->paused || s->closing)
		return;
	int n = scandir(s->dir, &list, is_candidate, alphasort);
	size_t bytes = 0;
	int taken = 0;
	for (int i = 0; i < n; i++) {
		if (taken < SCAN_FILES && bytes < SCAN_BYTES && !in_flight(s, list[i]->d_name)) {
			size_t cost = file_take(s, list[i]->d_name);
			bytes += cost;
			taken += cost > 0;
		}
		free(list[i]);
	}
	free(list);
}

static void on_timer(uv_timer_t *t)
{
	scan(t->data);
}

static void on_event(uv_fs_event_t *h, const char *name, int events, int status)
{
	(void)name, (void)events, (void)status;
	scan(h->data);
}

static int spool_dirs(struct spool *s, struct err *e)
{
	if (mkdir(s->dir, 0750) != 0 && errno != EEXIST)
		return err_set(e, ERR_INPUT, "spool at %s: %s; make the directory or name another", s->dir, strerror(errno));
	s->fd = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->fd < 0 || (mkdirat(s->fd, "done", 0750) != 0 && errno != EEXIST))
		return err_set(e, ERR_INPUT, "spool at %s: %s; it must be a directory that this user may write to", s->dir, strerror(errno));
	s->done_fd = openat(s->fd, "done", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (s->done_fd < 0)
		return err_set(e, ERR_INPUT, "spool at %s/done: %s; it must be a directory", s->dir, strerror(errno));
	return 0;
}

static void spool_free(struct spool *s)
{
	while (s->first != NULL) {
		struct flight *f = s->first;
		s->first = f->next;
		free(f);
	}
	if (s->fd >= 0)
		close(s->fd);
	if (s->done_fd >= 0)
		close(s->done_fd);
	free(s);
}

struct spool *spool_open(uv_loop_t *loop, const char *name, const char *dir, const char *topic, const struct source_host *host,
	struct err *e)
{
	struct spool *s = calloc(1, sizeof *s);
	if (s == NULL) {
		err_set(e, ERR_MEMORY, "spool: no memory");
		return NULL;
	}
	s->fd = s->done_fd = -1;
	s->host = *host;
	text_copy(s->name, sizeof s->name, name);
	text_copy(s->dir, sizeof s->dir, dir);
	text_copy(s->topic, sizeof s->topic, topic);
	if (spool_dirs(s, e) != 0) {
		spool_free(s);
		return NULL;
	}
	uv_timer_init(loop, &s->timer);
	uv_fs_event_init(loop, &s->event);
	s->timer.data = s->event.data = s;
	s->handles = 2;
	uv_fs_event_start(&s->event, on_event, s->dir, 0); /* where the file system has none, the timer finds the files */
	uv_timer_start(&s->timer, on_timer, 0, SCAN_MS);
	return s;
}

void spool_pause(struct spool *s, bool pause)
{
	s->paused = pause;
}

void spool_committed(struct spool *s, const struct letter *l)
{
	for (struct flight **p = &s->first; *p != NULL; p = &(*p)->next) {
		struct flight *f = *p;
		if (f->ticket != l->origin)
			continue;
		if (renameat(s->fd, f->name, s->done_fd, f->name) != 0)
			complain(s, f->name, strerror(errno)); /* stays in flight: not read again before a restart */
		else {
			*p = f->next;
			free(f);
		}
		return;
	}
}

static void on_closed(uv_handle_t *h)
{
	struct spool *s = h->data;
	if (--s->handles == 0)
		spool_free(s);
}

void spool_close(struct spool *s)
{
	s->closing = true;
	uv_close((uv_handle_t *)&s->timer, on_closed);
	uv_close((uv_handle_t *)&s->event, on_closed);
}

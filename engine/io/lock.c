/* flock on STATE.lock and its one line of memory: see lock.h. */
#include "engine/io/lock.h"
#include "engine/base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define MEMORY_WIDTH 96 /* bytes of the line, always the same: an old longer one never shines through */

int lock_take(struct lock *l, const char *state_path, struct err *e)
{
	char path[4096], line[MEMORY_WIDTH + 1] = "";
	*l = (struct lock){.fd = -1};
	if (snprintf(path, sizeof path, "%s.lock", state_path) >= (int)sizeof path)
		return err_set(e, ERR_INPUT, "state at %.80s…: the path is too long; choose a shorter one", state_path);
	l->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (l->fd < 0)
		return err_set(e, ERR_SYSTEM, "lock at %s: %s; the directory must exist and be writable for this user", path, strerror(errno));
	if (flock(l->fd, LOCK_EX | LOCK_NB) != 0) {
		int busy = errno == EWOULDBLOCK;
		err_set(e, busy ? ERR_REFUSED : ERR_SYSTEM, busy ? "state at %s: another engine is running on it; stop that one first "
			"(`slew ctl status` shows it)" : "lock at %s: cannot be taken; use a local file system", path);
		close(l->fd);
		l->fd = -1;
		return -1;
	}
	ssize_t n = pread(l->fd, line, MEMORY_WIDTH, 0);
	line[n > 0 ? n : 0] = '\0';
	l->remembered = sscanf(line, "slew 1 id %63s seq %" SCNd64, l->id, &l->seq) == 2;
	if (!l->remembered)
		l->id[0] = '\0';
	return 0;
}

int lock_remember(struct lock *l, const char *id, int64_t seq)
{
	char line[MEMORY_WIDTH + 1];
	int n = snprintf(line, sizeof line, "slew 1 id %.40s seq %020" PRId64, id, seq);
	memset(line + n, ' ', sizeof line - (size_t)n);
	line[MEMORY_WIDTH - 1] = '\n';
	text_copy(l->id, sizeof l->id, id);
	l->seq = seq;
	l->remembered = true;
	return pwrite(l->fd, line, MEMORY_WIDTH, 0) == MEMORY_WIDTH ? 0 : -1;
}

#define LOCK_NEW "new"

int lock_expect_new(struct lock *l)
{
	return lock_remember(l, LOCK_NEW, 0);
}

bool lock_disagrees(const struct lock *l, const char *id, int64_t seq, bool rows)
{
	if (!l->remembered)
		return rows;
	return strcmp(l->id, LOCK_NEW) != 0 && (strcmp(l->id, id) != 0 || seq < l->seq);
}

void lock_drop(struct lock *l)
{
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
}

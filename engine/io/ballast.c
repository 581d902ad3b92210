/* Makes, frees and renews the ballast file: see ballast.h. */
#define _GNU_SOURCE
#include "engine/io/ballast.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

static int ballast_make(const struct ballast *b)
{
	int fd = open(b->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -1;
	int rc = posix_fallocate(fd, 0, BALLAST_BYTES);
	close(fd);
	if (rc != 0)
		unlink(b->path);
	return rc == 0 ? 0 : -1;
}

void ballast_open(struct ballast *b, const char *state_path)
{
	snprintf(b->path, sizeof b->path, "%s.ballast", state_path);
	ballast_make(b);
}

void ballast_free(struct ballast *b)
{
	unlink(b->path);
}

int ballast_renew(struct ballast *b)
{
	struct statvfs v;
	char dir[4096];
	snprintf(dir, sizeof dir, "%s", b->path);
	char *slash = strrchr(dir, '/');
	if (slash != NULL)
		slash[slash == dir ? 1 : 0] = '\0';
	if (statvfs(slash != NULL ? dir : ".", &v) != 0 || (unsigned long long)v.f_bavail * v.f_frsize < 4ull * BALLAST_BYTES)
		return -1;
	return ballast_make(b);
}

bool ballast_worthy(const struct letter *l)
{
	return core_urgent(&l->in);
}

/* Files for a person: see folder.h. */
#include "engine/io/folder.h"
#include "engine/base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WORDS_MAX = 1000 };

static int answer(int status, char **body, const char *key, const char *value, const char *words)
{
	json_t *j = json_pack("{s:s,s:s}", key, value, "words", words);
	*body = j != NULL ? json_dumps(j, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
	json_decref(j);
	return status;
}

static int failed(int status, char **body, const char *what)
{
	char words[200];
	snprintf(words, sizeof words, "%s: %s", what, strerror(errno));
	return answer(status, body, "message", words, "");
}

static bool is_name(const char *s)
{
	size_t n = strlen(s);
	return n > 0 && n <= 100 && s[0] != '.' && strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") == n;
}

static bool path_put(char out[2048], const char *folder, const char *sub, const char *name)
{
	int n = snprintf(out, 2048, "%s/%s%s%s", folder, sub, sub[0] != '\0' ? "/" : "", name);
	return n > 0 && n < 2048;
}

/* At most size - 1 bytes of a file; false when there is none. */
static bool bytes_read(const char *path, char *out, size_t size, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	ssize_t n = fd >= 0 ? read(fd, out, size - 1) : -1;
	if (fd >= 0)
		close(fd);
	*len = n > 0 ? (size_t)n : 0;
	out[*len] = '\0';
	return n >= 0;
}

static void words_find(const char *folder, const char *sub, const char *name, char out[WORDS_MAX])
{
	char path[2048], beside[128], bytes[WORDS_MAX / 4];
	size_t len;
	const char *dot = strrchr(name, '.');
	snprintf(beside, sizeof beside, "%.*s.txt", (int)(dot != NULL ? dot - name : (ptrdiff_t)strlen(name)), name);
	out[0] = '\0';
	if (path_put(path, folder, sub, beside) && bytes_read(path, bytes, sizeof bytes, &len)) {
		while (len > 0 && (bytes[len - 1] == '\n' || bytes[len - 1] == '\r'))
			len--;
		text_escape(out, WORDS_MAX, bytes, len);
	}
}

/* Where the file is; done says more than taken, should it be in both. */
static int state_get(const char *folder, const char *name, char **body)
{
	static const char *const subs[] = {"done", "refused", "taken", ""};
	char path[2048], words[WORDS_MAX];
	for (size_t i = 0; i < 4; i++) {
		if (!path_put(path, folder, subs[i], name) || access(path, F_OK) != 0)
			continue;
		words_find(folder, subs[i], name, words);
		return answer(200, body, "state", subs[i][0] != '\0' ? subs[i] : "new", words);
	}
	if (access(folder, R_OK | X_OK) != 0)
		return failed(500, body, "the folder cannot be read"); /* then nothing is known */
	return answer(200, body, "state", "absent", "");
}

static int written(const char *path, const char *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
	size_t done = 0;
	ssize_t n = 0;
	if (fd < 0)
		return -1;
	while (done < len && (n = write(fd, bytes + done, len - done)) > 0)
		done += (size_t)n;
	int bad = done < len || fsync(fd) != 0;
	bad |= close(fd) != 0;
	return bad ? -1 : 0;
}

static int file_put(const char *folder, const char *name, const struct call *c, char **body)
{
	char path[2048], beside[2048], hidden[120], *have = malloc(c->body_len + 2);
	size_t len = 0;
	snprintf(hidden, sizeof hidden, ".%s.part", name);
	if (have == NULL || !path_put(path, folder, "", name) || !path_put(beside, folder, "", hidden)) {
		free(have);
		return answer(500, body, "message", "no memory, or too long a path", "");
	}
	bool there = bytes_read(path, have, c->body_len + 2, &len);
	bool same = there && len == c->body_len && memcmp(have, c->body, len) == 0;
	free(have);
	if (there)
		return same ? answer(200, body, "state", "new", "") : answer(409, body, "message", "another file of that name is there", "");
	if (written(beside, c->body, c->body_len) < 0 || link(beside, path) < 0) { /* a link never takes another's place */
		int status = errno == EEXIST ? answer(409, body, "message", "another file of that name is there", "") : failed(500, body, "the file cannot be written");
		unlink(beside);
		return status;
	}
	unlink(beside);
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
	return answer(200, body, "state", "new", "");
}

static int file_remove(const char *folder, const char *name, char **body)
{
	char path[2048];
	if (path_put(path, folder, "", name) && unlink(path) == 0)
		return answer(200, body, "state", "removed", "");
	return errno == ENOENT ? state_get(folder, name, body) : failed(500, body, "the file cannot be removed");
}

int folder_do(const char *folder, const struct call *c, char **body)
{
	const char *name = c->path + 1;
	*body = NULL;
	if (name[0] == '\0' && strcmp(c->method, "GET") == 0)
		return access(folder, W_OK | X_OK) == 0 ? answer(200, body, "state", "there", "") : failed(500, body, "the folder cannot be written");
	if (!is_name(name))
		return answer(400, body, "message", "no name of a file", "");
	if (strcmp(c->method, "GET") == 0)
		return state_get(folder, name, body);
	if (strcmp(c->method, "DELETE") == 0)
		return file_remove(folder, name, body);
	if (strcmp(c->method, "POST") != 0 || c->body == NULL)
		return answer(400, body, "message", "GET, POST or DELETE is wanted", "");
	return file_put(folder, name, c, body);
}

/* Loads, holds and blanks secrets: see secret.h. */
#define _GNU_SOURCE
#include "engine/io/secret.h"
#include "engine/base/hash.h"
#include "engine/base/text.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET_LEAST 8
#define SECRET_MOST 4096

static void secret_wipe(struct secret *s)
{
	for (int i = 0; i < SECRET_FORMS; i++) {
		if (s->form[i] == NULL)
			continue;
		explicit_bzero(s->form[i], s->size[i]);
		munlock(s->form[i], s->size[i] + 1);
		free(s->form[i]);
		s->form[i] = NULL;
		s->size[i] = 0;
	}
}

static int form_set(struct secret *s, int i, const char *bytes, size_t len)
{
	s->form[i] = malloc(len + 1);
	if (s->form[i] == NULL)
		return -1;
	memcpy(s->form[i], bytes, len);
	s->form[i][len] = '\0';
	s->size[i] = len;
	mlock(s->form[i], len + 1); /* best effort: RLIMIT_MEMLOCK may be small */
	return 0;
}

/* The part of base64(x + secret + y) that depends on the secret alone, for a secret that begins at byte `shift` of a triple. */
static int form_base64(struct secret *s, int i, size_t shift)
{
	size_t len = s->size[0];
	char *padded = calloc(1, len + 3);
	if (padded == NULL)
		return -1;
	memcpy(padded + shift, s->form[0], len);
	char *text = base64_encode(padded, len + shift);
	explicit_bzero(padded, len + 3);
	free(padded);
	if (text == NULL)
		return -1;
	size_t first = (shift * 8 + 5) / 6, last = (len + shift) * 8 / 6;
	int rc = form_set(s, i, text + first, last - first);
	explicit_bzero(text, strlen(text));
	free(text);
	return rc;
}

static int form_percent(struct secret *s)
{
	struct text t = {.max = 3 * SECRET_MOST + 1};
	text_url(&t, s->form[0]);
	int rc = t.failed ? -1 : 0;
	for (int i = 4; i < 6 && rc == 0; i++) {
		rc = form_set(s, i, t.data, t.len);
		for (size_t k = 0; i == 5 && rc == 0 && k + 2 < t.len; k++) {
			if (s->form[i][k] != '%')
				continue;
			s->form[i][k + 1] = (char)tolower((unsigned char)s->form[i][k + 1]);
			s->form[i][k + 2] = (char)tolower((unsigned char)s->form[i][k + 2]);
		}
	}
	if (t.data != NULL)
		explicit_bzero(t.data, t.len);
	text_free(&t);
	return rc;
}

static int file_read(const char *path, char *buf, size_t *len, struct err *e)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK); /* a FIFO must not hold the engine up */
	if (fd < 0)
		return err_set(e, ERR_INPUT, "secret at %s: %s; put the secret there (chmod 600), the configuration only names the file", path,
			strerror(errno));
	int rc = 0;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		rc = err_set(e, ERR_INPUT, "secret at %s: not a regular file; put the secret alone into one", path);
	else if (st.st_uid != geteuid() && st.st_uid != 0)
		rc = err_set(e, ERR_REFUSED, "secret at %s: belongs to another user; chown it to the engine's user", path);
	else if ((st.st_mode & 077) != 0)
		rc = err_set(e, ERR_REFUSED, "secret at %s: others may read it (mode %03o); chmod 600", path, (unsigned)(st.st_mode & 0777));
	ssize_t n = rc == 0 ? read(fd, buf, SECRET_MOST + 2) : 0;
	close(fd);
	if (rc != 0)
		return rc;
	while (n > 0 && (buf[n - 1] == '\n' || buf[n - 1] == '\r'))
		n--;
	for (ssize_t i = 0; i < n; i++)
		if (iscntrl((unsigned char)buf[i]))
			return err_set(e, ERR_INPUT, "secret at %s: holds control characters; one line of text is wanted", path);
	if (n < SECRET_LEAST || n > SECRET_MOST)
		return err_set(e, ERR_INPUT, "secret at %s: %zd bytes; between %d and %d are taken (a shorter one could not be blanked from "
			"replies)", path, n, SECRET_LEAST, SECRET_MOST);
	*len = (size_t)n;
	return 0;
}

static struct secret *secret_slot(struct secrets *s, const char *name)
{
	for (size_t i = 0; i < s->count; i++)
		if (strcmp(s->list[i].name, name) == 0)
			return &s->list[i];
	struct secret *more = realloc(s->list, (s->count + 1) * sizeof *more);
	if (more == NULL)
		return NULL;
	s->list = more;
	s->list[s->count] = (struct secret){0};
	text_copy(s->list[s->count].name, sizeof s->list[0].name, name);
	return &s->list[s->count++];
}

int secrets_load(struct secrets *s, const char *dir, const char *name, struct err *e)
{
	char path[4096], buf[SECRET_MOST + 2];
	size_t len = 0;
	if (name[0] == '\0' || name[0] == '.' || strchr(name, '/') != NULL || strlen(name) > 120)
		return err_set(e, ERR_INPUT, "secret \"%.60s\": must be a plain file name inside credentials_dir; move the file there", name);
	if (snprintf(path, sizeof path, "%s/%s", dir, name) >= (int)sizeof path)
		return err_set(e, ERR_INPUT, "credentials_dir at %.60s…: the path is too long; choose a shorter one", dir);
	if (file_read(path, buf, &len, e) != 0)
		return -1;
	struct secret *slot = secret_slot(s, name);
	int rc = slot == NULL ? -1 : 0;
	if (rc == 0) {
		secret_wipe(slot);
		rc = form_set(slot, 0, buf, len);
		for (int i = 0; i < 3 && rc == 0; i++)
			rc = form_base64(slot, 1 + i, (size_t)i);
		if (rc == 0)
			rc = form_percent(slot);
	}
	explicit_bzero(buf, sizeof buf);
	return rc == 0 ? 0 : err_set(e, ERR_MEMORY, "secret %s: no memory", name);
}

const char *secrets_value(const struct secrets *s, const char *name)
{
	for (size_t i = 0; i < s->count; i++)
		if (strcmp(s->list[i].name, name) == 0)
			return s->list[i].form[0];
	return NULL;
}

size_t secrets_blank(const struct secrets *s, char *body, size_t len)
{
	size_t found = 0;
	for (size_t i = 0; i < s->count; i++) {
		for (int f = 0; f < SECRET_FORMS; f++) {
			const char *form = s->list[i].form[f];
			size_t n = s->list[i].size[f];
			if (form == NULL || n < 4)
				continue;
			char *at = body;
			while ((at = memmem(at, len - (size_t)(at - body), form, n)) != NULL) {
				memset(at, '*', n);
				at += n;
				found++;
			}
		}
	}
	return found;
}

void secrets_free(struct secrets *s)
{
	for (size_t i = 0; i < s->count; i++)
		secret_wipe(&s->list[i]);
	free(s->list);
	*s = (struct secrets){0};
}

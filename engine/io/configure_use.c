/* What is done with a loaded configuration: secrets read, urls looked up, the body of the `config` input made. See configure.h. */
#include "engine/base/json.h"
#include "engine/io/configure.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int read_secret(int fd, const char *path, char *buf, size_t size, struct err *e)
{
	struct stat st;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return err_set(e, ERR_INPUT, "secret %s: not a regular file", path);
	if (st.st_uid != geteuid())
		return err_set(e, ERR_INPUT, "secret %s: belongs to uid %u, not to the engine's %u; chown it", path, (unsigned)st.st_uid,
			(unsigned)geteuid());
	if ((st.st_mode & 07077) != 0)
		return err_set(e, ERR_INPUT, "secret %s: mode %04o lets others in; chmod 600 %s", path, (unsigned)(st.st_mode & 07777), path);
	ssize_t n = read(fd, buf, size);
	while (n > 0 && (buf[n - 1] == '\n' || buf[n - 1] == '\r'))
		n--;
	if (n <= 0 || (size_t)n >= size)
		return err_set(e, ERR_INPUT, "secret %s: %s; it is one line of at most %zu bytes", path, n <= 0 ? "empty" : "too long", size - 1);
	buf[n] = '\0';
	for (ssize_t i = 0; i < n; i++)
		if ((unsigned char)buf[i] < 0x20 || buf[i] == 0x7f)
			return err_set(e, ERR_INPUT, "secret %s: holds a control character or a second line; write it on one line", path);
	return 0;
}

int config_secret(const struct config *c, const char *name, char *buf, size_t size, struct err *e)
{
	char path[1300];
	if (name[0] == '\0' || name[0] == '.' || strchr(name, '/') != NULL)
		return err_set(e, ERR_INPUT, "secret \"%.64s\": name a file in credentials_dir, without a path", name);
	snprintf(path, sizeof path, "%s/%.128s", c->credentials_dir, name);
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return err_set(e, ERR_INPUT, "secret %s: %s; put it there on one line, chmod 600", path, strerror(errno));
	int rc = read_secret(fd, path, buf, size, e);
	close(fd);
	if (rc < 0)
		explicit_bzero(buf, size);
	return rc;
}

const char *config_url(const struct config_facility *f, const char *name)
{
	for (const struct config_url *u = f->urls; u->name[0] != '\0'; u++)
		if (strcmp(u->name, name) == 0)
			return u->base;
	return NULL;
}

/* The configuration as the journal may show it: no credentials' names, no hosts that get one. */
static json_t *journalled(const json_t *body)
{
	json_t *out = json_deep_copy(body), *v;
	size_t i;
	json_object_del(out, "$schema");
	json_object_del(out, "description");
	json_object_del(out, "credentials_dir");
	json_array_foreach(json_object_get(out, "sources"), i, v)
		json_object_del(v, "auth");
	json_array_foreach(json_object_get(out, "facilities"), i, v) {
		json_object_del(v, "secret");
		json_object_del(v, "urls");
	}
	return out;
}

json_t *config_input(const struct config *c, const char *installation, const json_t *catalog)
{
	json_t *facilities = json_array();
	for (size_t i = 0; i < c->facility_count; i++) {
		const struct config_facility *f = &c->facilities[i];
		json_array_append_new(facilities, json_pack("{s:s,s:s,s:b,s:O}", "name", f->name, "use", f->use, "accepts_tests",
			(int)f->accepts_tests, "descriptor", f->descriptor));
	}
	return json_pack("{s:s,s:o,s:O,s:o,s:o}", "installation", installation, "config", journalled(c->body), "policies", c->policies,
		"facilities", facilities, "catalog", catalog != NULL ? json_incref((json_t *)catalog) : json_null());
}

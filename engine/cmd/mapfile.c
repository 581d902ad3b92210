/* From a path to a sky map: see mapfile.h. */
#include "engine/cmd/mapfile.h"
#include "engine/alert/alert.h"
#include "engine/base/json.h"
#include "engine/base/limits.h"
#include "engine/base/text.h"
#include "engine/cmd/cmd.h"
#include "engine/io/mapchild.h"
#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int map_of_alert(const unsigned char *bytes, size_t len, const char *path, struct skymap *out, struct err *e)
{
	struct alert a;
	const char *slash = strrchr(path, '/');
	if (len > LIMIT_ALERT_BYTES)
		return err_set(e, ERR_LIMIT, "alert of %zu bytes is over the limit of %u", len, LIMIT_ALERT_BYTES);
	if (alert_decode(bytes, len, slash ? slash + 1 : path, &a, e) < 0)
		return -1;
	int rc;
	if (a.map == NULL)
		rc = err_set(e, ERR_INPUT, "the %s alert for %s carries no sky map%s%.300s", alert_type_name(a.type), a.event,
			a.map_url[0] ? "; fetch it from " : "", a.map_url);
	else
		rc = mapchild_read(a.map, a.map_len, out, e);
	alert_free(&a);
	return rc;
}

/* A regular file that does not begin like JSON, and is not too large: to be mapped by the child itself. -1: read it as bytes. */
static int map_open(const char *path)
{
	char first[256];
	struct stat st;
	int fd = strcmp(path, "-") == 0 ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > (off_t)LIMIT_MAP_INFLATED ? -1 : pread(fd, first, sizeof first, 0), at = 0;
	while (at < n && isspace((unsigned char)first[at]))
		at++;
	if (n >= 0 && at < n && first[at] != '{' && first[at] != '[')
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

int cmd_read_map(const char *path, struct skymap *out)
{
	unsigned char *bytes = NULL;
	unsigned long len = 0, at = 0;
	struct err e = {0};
	int rc, fd = map_open(path);
	if (fd >= 0) {
		rc = mapchild_read_fd(fd, out, &e);
		close(fd);
	} else {
		if ((rc = cmd_read_file(path, LIMIT_MAP_INFLATED, &bytes, &len)) != 0)
			return rc;
		while (at < len && isspace(bytes[at]))
			at++;
		rc = at < len && (bytes[at] == '{' || bytes[at] == '[') ? map_of_alert(bytes, len, path, out, &e) : mapchild_read(bytes, len, out, &e);
		free(bytes);
	}
	if (rc < 0) {
		err_wrap(&e, "%s", path);
		return err_print(&e);
	}
	return 0;
}

int cmd_print_object(json_t *object)
{
	struct text line = {.max = 1u << 16};
	const char *key;
	json_t *value;
	json_object_foreach(object, key, value) {
		text_printf(&line, "%s\"%s\":", line.len ? "," : "{", key);
		json_scalar(&line, value);
	}
	int failed = object == NULL || line.failed || line.len == 0;
	if (!failed)
		printf("%s}\n", line.data);
	json_decref(object);
	text_free(&line);
	return failed;
}

/* Policies and descriptors by name (embedded) or by path. See configure.h. */
#include "engine/base/embed.h"
#include "engine/base/limits.h"
#include "engine/base/near.h"
#include "engine/io/configure.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int read_resource(const char *path, char **text, size_t *len, struct err *e)
{
	FILE *f = fopen(path, "rbe");
	if (f == NULL)
		return err_set(e, ERR_INPUT, "%s: %s", path, strerror(errno));
	char *buf = malloc(LIMIT_CONFIG_BYTES + 2);
	size_t n = buf != NULL ? fread(buf, 1, LIMIT_CONFIG_BYTES + 1, f) : 0;
	int bad = buf == NULL || ferror(f);
	fclose(f);
	if (bad || n > LIMIT_CONFIG_BYTES) {
		free(buf);
		return err_set(e, ERR_INPUT, "%s: cannot be read, or is over %u bytes", path, LIMIT_CONFIG_BYTES);
	}
	buf[n] = '\0';
	*text = buf;
	*len = n;
	return 0;
}

static int unknown_resource(const char *what, const char *name, struct err *e)
{
	char known[400] = "", one[80];
	struct near_best best = {0};
	char names[32][64];
	size_t count = 0;
	for (const struct embed *f = embed_table; f->path != NULL && count < 32; f++) {
		if (strncmp(f->path, what, strlen(what)) != 0 || f->path[strlen(what)] != '/')
			continue;
		text_copy(one, sizeof one, f->path + strlen(what) + 1);
		one[strcspn(one, ".")] = '\0';
		text_copy(names[count], sizeof names[count], one);
		near_try(&best, name, names[count++]);
		size_t n = strlen(known);
		snprintf(known + n, sizeof known - n, "%s%s", n > 0 ? ", " : "", one);
	}
	const char *near = near_found(&best, name);
	return err_set(e, ERR_INPUT, "\"%.64s\" is none of the %s that slew carries (%s)%s%s%s; a file of your own is named by a path with \"/\" or .json",
		name, what, known, near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

int config_resource(const char *what, const char *name_or_path, const char *dir, char **text, size_t *len, struct err *e)
{
	char path[2048];
	size_t n = strlen(name_or_path);
	bool is_path = strchr(name_or_path, '/') != NULL || (n > 5 && strcmp(name_or_path + n - 5, ".json") == 0);
	if (is_path) {
		snprintf(path, sizeof path, "%s%s%s", name_or_path[0] == '/' || dir == NULL ? "" : dir,
			name_or_path[0] == '/' || dir == NULL ? "" : "/", name_or_path);
		return read_resource(path, text, len, e);
	}
	snprintf(path, sizeof path, "%s/%s.json", what, name_or_path);
	const char *bytes = embed_find(path, len);
	if (bytes == NULL)
		return unknown_resource(what, name_or_path, e);
	*text = malloc(*len + 1);
	if (*text == NULL)
		return err_set(e, ERR_MEMORY, "%s: no memory", path);
	memcpy(*text, bytes, *len);
	(*text)[*len] = '\0';
	return 0;
}

/* Writing coverage maps: see mocfile.h. */
#include "engine/cmd/mocfile.h"
#include "engine/base/limits.h"
#include "engine/cmd/page.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool ends_with(const char *path, const char *end)
{
	size_t n = strlen(path), k = strlen(end);
	return n > k && strcmp(path + n - k, end) == 0;
}

static int write_bytes(const char *path, const struct text *t)
{
	struct text beside = {.max = 8192};
	bool whole = page_is_file(path);
	if (whole)
		text_printf(&beside, "%s.%ld.tmp", path, (long)getpid());
	else
		text_puts(&beside, path);
	FILE *f = beside.failed ? NULL : fopen(beside.data, "wbe");
	int bad = f == NULL;
	if (f != NULL) {
		bad = fwrite(t->data, 1, t->len, f) != t->len || fflush(f) != 0 || (whole && fsync(fileno(f)) != 0);
		bad |= fclose(f) != 0;
		bad = bad || (whole && rename(beside.data, path) != 0);
	}
	if (bad)
		fprintf(stderr, "slew: %s: cannot be written: %s; give a path that can\n", path, strerror(errno));
	if (bad && whole && f != NULL)
		unlink(beside.data);
	text_free(&beside);
	return bad;
}

int cmd_write_moc(const char *path, const struct moc *m, const char *name)
{
	struct text t = {.max = LIMIT_TEXT};
	if (ends_with(path, ".json"))
		moc_json(m, &t);
	else if (ends_with(path, ".txt"))
		moc_ascii(m, &t);
	else
		moc_fits(m, MOC_NUNIQ, name, &t);
	int rc = t.failed;
	if (rc != 0)
		fprintf(stderr, "slew: %s: the coverage takes more than %u bytes; take a lower order\n", path, LIMIT_TEXT);
	else
		rc = write_bytes(path, &t);
	text_free(&t);
	return rc;
}

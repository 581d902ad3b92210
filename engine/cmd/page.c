/* Writes a page of plots: see page.h. */
#include "engine/cmd/page.h"
#include "engine/base/limits.h"
#include "engine/report/svg.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

bool page_is_file(const char *path)
{
	struct stat s;
	return stat(path, &s) != 0 || S_ISREG(s.st_mode) || S_ISDIR(s.st_mode); /* a directory: rename says so */
}

int page_save(const char *path, const struct text *t, struct err *e)
{
	char beside[1024];
	if (t->failed)
		return err_set(e, ERR_LIMIT, "%s: would be larger than %zu bytes, or there is no memory", path, t->max);
	if (strcmp(path, "-") == 0)
		return fwrite(t->data, 1, t->len, stdout) == t->len && fflush(stdout) == 0 ? 0
			: err_set(e, ERR_SYSTEM, "standard output: cannot be written: %s", strerror(errno));
	bool whole = page_is_file(path);
	if (snprintf(beside, sizeof beside, whole ? "%s.part" : "%s", path) >= (int)sizeof beside)
		return err_set(e, ERR_INPUT, "path %.80s… is too long", path);
	int rc = 0;
	FILE *f = fopen(beside, "wbe");
	if (f == NULL || fwrite(t->data, 1, t->len, f) != t->len)
		rc = err_set(e, ERR_INPUT, "%s: cannot be written: %s; choose a directory you may write to", beside, strerror(errno));
	if (f != NULL && fclose(f) != 0 && rc == 0)
		rc = err_set(e, ERR_INPUT, "%s: cannot be written: %s", beside, strerror(errno));
	if (rc == 0 && whole && rename(beside, path) != 0)
		rc = err_set(e, ERR_INPUT, "%s: %s", path, strerror(errno));
	if (rc != 0 && whole && f != NULL)
		remove(beside);
	return rc;
}

int page_write(const char *path, const char *title, const struct text *body, struct err *e)
{
	struct text page = {.max = LIMIT_TEXT, .failed = body->failed};
	text_puts(&page, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>");
	text_html(&page, title);
	text_puts(&page, "</title><style>body{font:14px/1.45 system-ui,'DejaVu Sans',Arial,sans-serif;margin:2em auto;max-width:860px;padding:0 1em;color:#1d2939}");
	text_puts(&page, svg_style);
	text_puts(&page, svg_style_page);
	text_puts(&page, "</style></head><body>\n<h1>");
	text_html(&page, title);
	text_puts(&page, "</h1>\n");
	text_add(&page, body->data ? body->data : "", body->len);
	text_puts(&page, "</body></html>\n");
	int rc = page_save(path, &page, e);
	text_free(&page);
	return rc;
}

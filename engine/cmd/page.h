/* A page of plots in one HTML file, for the commands that draw. */
#ifndef ENGINE_CMD_PAGE_H
#define ENGINE_CMD_PAGE_H
#include "engine/base/err.h"
#include "engine/base/text.h"
#include <stdbool.h>

/* May a file beside a path be renamed onto it? Not onto a pipe or a device such as /dev/stdout: those are written to. */
bool page_is_file(const char *path);

/* Writes a text to a path, whole or not at all (a file beside it, renamed); "-" is standard output. */
int page_save(const char *path, const struct text *t, struct err *e);

/* The same for a page of title and body (SVG elements and paragraphs). */
int page_write(const char *path, const char *title, const struct text *body, struct err *e);
#endif

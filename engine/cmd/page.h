/* A page of plots in one HTML file, for the commands that draw. */
#ifndef ENGINE_CMD_PAGE_H
#define ENGINE_CMD_PAGE_H
#include "engine/base/err.h"
#include "engine/base/text.h"

/* Writes title and body (SVG elements and paragraphs) to path, whole or not at all (a file beside it, renamed). */
int page_write(const char *path, const char *title, const struct text *body, struct err *e);
#endif

/* Labels in a picture that do not cover one another. Pure. */
#ifndef ENGINE_REPORT_LABELS_H
#define ENGINE_REPORT_LABELS_H
#include "engine/base/text.h"
#include <stdbool.h>
#include <stddef.h>

#define LABELS_MOST 96
#define LABELS_MARKS 256

struct labels {
	double x0, y0, x1, y1; /* where labels may stand */
	struct labels_box {
		double x0, y0, x1, y1;
	} taken[LABELS_MOST], marks[LABELS_MARKS]; /* marks: kept clear where that can be */
	size_t count, mark_count;
};

/* Width of a label in pixels, about (11 px type). */
double labels_width(const char *words);
/* Keeps a place free. */
void labels_take(struct labels *l, double x0, double y0, double x1, double y1);
/* Keeps a place free where words can stand elsewhere. */
void labels_mark(struct labels *l, double x0, double y0, double x1, double y1);
/* Writes words beside a mark of that radius, where no label stands yet and as few marks as can be; false, and nothing written, where there is no
 * room. */
bool labels_put(struct labels *l, double x, double y, double radius, const char *words, struct text *out);
#endif

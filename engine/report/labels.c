/* Labels that keep clear of one another: see labels.h. */
#include "engine/report/labels.h"
#include "engine/report/svg.h"
#include <math.h>

#define HIGH 11.0 /* type */

double labels_width(const char *words)
{
	double n = 0;
	for (const char *p = words; *p; p++)
		n += ((unsigned char)*p & 0xC0) != 0x80; /* characters, not bytes */
	return 6.6 * n + 2;
}

void labels_take(struct labels *l, double x0, double y0, double x1, double y1)
{
	if (l->count < LABELS_MOST)
		l->taken[l->count++] = (struct labels_box){x0, y0, x1, y1};
}

void labels_mark(struct labels *l, double x0, double y0, double x1, double y1)
{
	if (l->mark_count < LABELS_MARKS)
		l->marks[l->mark_count++] = (struct labels_box){x0, y0, x1, y1};
}

static size_t touched(const struct labels_box *b, const struct labels_box *list, size_t count)
{
	size_t n = 0;
	for (size_t i = 0; i < count; i++)
		n += !(b->x1 < list[i].x0 || b->x0 > list[i].x1 || b->y1 < list[i].y0 || b->y0 > list[i].y1);
	return n;
}

bool labels_put(struct labels *l, double x, double y, double radius, const char *words, struct text *out)
{
	static const double side[] = {1, 1, 1, -1, -1, -1, 0, 0, 1, -1, 1, -1}, up[] = {0, -1, 1, 0, -1, 1, -1.3, 1.3, 2.2, 2.2, -2.2, -2.2};
	static const double far[] = {0, 0, 0, 0, 0, 0, 0.5, 0.5, 2.5, 2.5, 2.5, 2.5}; /* as bad as so many marks: whose name is it? */
	double wide = labels_width(words), off = radius + 3, least = INFINITY;
	struct labels_box best = {0, 0, 0, 0};
	for (size_t k = 0; k < sizeof side / sizeof side[0] && l->count < LABELS_MOST; k++) {
		double left = side[k] > 0 ? x + off : side[k] < 0 ? x - off - wide : x - wide / 2, middle = y + up[k] * (off * 0.7 + HIGH / 2);
		struct labels_box b = {left, middle - HIGH / 2, left + wide, middle + HIGH / 2};
		bool clear = b.x0 >= l->x0 && b.x1 <= l->x1 && b.y0 >= l->y0 && b.y1 <= l->y1 && touched(&b, l->taken, l->count) == 0;
		double cost = far[k] + (double)touched(&b, l->marks, l->mark_count);
		if (!clear || !(cost < least))
			continue;
		least = cost;
		best = b;
	}
	if (!isfinite(least))
		return false;
	svg_words(best.x0 + 1, (best.y0 + best.y1) / 2 + 4, "class=\"label\"", words, out);
	l->taken[l->count++] = best;
	return true;
}

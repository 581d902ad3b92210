/* Labels that keep clear of one another: see labels.h. */
#include "engine/report/labels.h"
#include "engine/report/svg.h"
#include <math.h>
#include <stdio.h>

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

bool labels_put(struct labels *l, double x, double y, double radius, const char *words, struct text *out)
{
	static const double side[] = {1, 1, 1, -1, -1, -1, 0, 0, 1, -1}, up[] = {0, -1, 1, 0, -1, 1, -1.3, 1.3, 2.2, 2.2};
	double wide = labels_width(words), off = radius + 3;
	for (size_t k = 0; k < sizeof side / sizeof side[0] && l->count < LABELS_MOST; k++) {
		double left = side[k] > 0 ? x + off : side[k] < 0 ? x - off - wide : x - wide / 2, middle = y + up[k] * (off * 0.7 + HIGH / 2);
		struct labels_box b = {left, middle - HIGH / 2, left + wide, middle + HIGH / 2};
		bool clear = b.x0 >= l->x0 && b.x1 <= l->x1 && b.y0 >= l->y0 && b.y1 <= l->y1;
		for (size_t i = 0; i < l->count && clear; i++)
			clear = b.x1 < l->taken[i].x0 || b.x0 > l->taken[i].x1 || b.y1 < l->taken[i].y0 || b.y0 > l->taken[i].y1;
		if (!clear)
			continue;
		svg_words(left + 1, middle + 4, "class=\"label\"", words, out);
		l->taken[l->count++] = b;
		return true;
	}
	return false;
}

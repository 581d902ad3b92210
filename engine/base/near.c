/* Edit distance for suggestions: see near.h. */
#include "engine/base/near.h"
#include <ctype.h>
#include <string.h>

#define NEAR_MAX 63

static int least(int a, int b)
{
	return a < b ? a : b;
}

int near_distance(const char *a, const char *b)
{
	int row[3][NEAR_MAX + 1];
	size_t na = strlen(a), nb = strlen(b);
	if (na > NEAR_MAX || nb > NEAR_MAX)
		return NEAR_MAX + 1;
	for (size_t j = 0; j <= nb; j++)
		row[0][j] = (int)j;
	for (size_t i = 1; i <= na; i++) {
		int *now = row[i % 3], *last = row[(i + 2) % 3], *before = row[(i + 1) % 3];
		now[0] = (int)i;
		for (size_t j = 1; j <= nb; j++) {
			int x = tolower((unsigned char)a[i - 1]), y = tolower((unsigned char)b[j - 1]);
			now[j] = least(least(last[j], now[j - 1]) + 1, last[j - 1] + (x != y));
			if (i > 1 && j > 1 && x == tolower((unsigned char)b[j - 2]) && y == tolower((unsigned char)a[i - 2]))
				now[j] = least(now[j], before[j - 2] + 1);
		}
	}
	return row[na % 3][nb];
}

void near_try(struct near_best *best, const char *word, const char *name)
{
	int d = near_distance(word, name);
	if (best->name == NULL || d < best->distance)
		*best = (struct near_best){name, d};
}

const char *near_found(const struct near_best *best, const char *word)
{
	int far = (int)(strlen(word) / 3);
	return best->name != NULL && best->distance <= (far < 2 ? 2 : far) ? best->name : NULL;
}

/* The cutting of nights that break: see swarm.h. */
#include "sim/swarm.h"
#include <stdlib.h>
#include <string.h>

#define SHRINK_LINES 600

static void join(char **lines, const bool *gone, size_t count, struct text *out)
{
	text_reset(out);
	for (size_t i = 0; i < count; i++)
		if (!gone[i])
			text_printf(out, "%s\n", lines[i]);
}

void sim_swarm_shrink(const char *text, int tries, sim_swarm_breaks *breaks, void *ctx, struct text *out)
{
	char *copy = strdup(text), *lines[SHRINK_LINES], *rest = copy;
	bool gone[SHRINK_LINES] = {false}, before[SHRINK_LINES];
	size_t count = 0;
	for (char *line; copy != NULL && count < SHRINK_LINES && (line = strsep(&rest, "\n")) != NULL;)
		if (*line)
			lines[count++] = line;
	for (size_t block = count / 2; block >= 1 && tries > 0;) {
		bool cut = false;
		for (size_t at = 0; at < count && tries > 0; at += block) {
			size_t end = at + block < count ? at + block : count, left = 0;
			for (size_t i = at; i < end; i++)
				left += !gone[i];
			if (left == 0)
				continue;
			memcpy(before, gone, sizeof gone);
			memset(gone + at, 1, end - at);
			join(lines, gone, count, out);
			tries--;
			if (breaks(ctx, out->data ? out->data : ""))
				cut = true;
			else
				memcpy(gone, before, sizeof gone);
		}
		if (block > 1)
			block /= 2;
		else if (!cut)
			break;
	}
	join(lines, gone, count, out);
	free(copy);
}

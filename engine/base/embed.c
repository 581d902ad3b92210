/* Look-up of embedded files: see embed.h. */
#include "engine/base/embed.h"
#include <string.h>

const char *embed_find(const char *path, size_t *len)
{
	for (const struct embed *f = embed_table; f->path != NULL; f++) {
		if (strcmp(f->path, path) == 0) {
			*len = (size_t)(f->end - f->start);
			return f->start;
		}
	}
	return NULL;
}

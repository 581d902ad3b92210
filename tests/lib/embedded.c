/* Embedded files for tests: see embedded.h. */
#include "embedded.h"
#include "engine/base/embed.h"
#include "engine/base/err.h"
#include "engine/base/json.h"

json_t *embedded_json(const char *path)
{
	struct err e = {0};
	size_t len = 0;
	const char *text = embed_find(path, &len);
	json_t *j = text != NULL ? json_read(text, len, &json_limits_config, &e) : NULL;
	must(j != NULL);
	return j;
}

/* Seeds out of text and JSON: see door.h. */
#include "door.h"
#include <stdlib.h>
#include <string.h>

void fuzz_seed_text(struct fuzz_seeds *s, const char *text)
{
	fuzz_seed(s, text, strlen(text));
}

void fuzz_seed_json(struct fuzz_seeds *s, json_t *value)
{
	char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
	must(text != NULL);
	fuzz_seed_text(s, text);
	free(text);
	json_decref(value);
}

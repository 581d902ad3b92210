/* JSON for people: see json_pretty in json.h. */
#include "engine/base/json.h"
#include "engine/base/limits.h"
#include "engine/base/text.h"

#define SHORT 80 /* what fits into this many characters stays on one line */

static void key_of(struct text *t, const char *key)
{
	json_t *name = json_string(key);
	json_scalar(t, name);
	json_decref(name);
	text_puts(t, ": ");
}

static void line_break(struct text *t, int depth)
{
	if (depth < 0) {
		text_puts(t, " ");
		return;
	}
	text_puts(t, "\n");
	for (int i = 0; i < depth; i++)
		text_puts(t, "  ");
}

static void pretty(struct text *t, const json_t *v, int depth);

/* depth < 0: all on one line. */
static void members(struct text *t, const json_t *v, int depth)
{
	int in = depth < 0 ? -1 : depth + 1;
	size_t n = 0;
	text_puts(t, json_is_object(v) ? "{" : "[");
	for (void *it = json_object_iter((json_t *)v); it != NULL; it = json_object_iter_next((json_t *)v, it)) {
		text_puts(t, n > 0 ? "," : "");
		if (in >= 0 || n > 0)
			line_break(t, in);
		n++;
		key_of(t, json_object_iter_key(it));
		pretty(t, json_object_iter_value(it), in);
	}
	for (size_t i = 0; i < json_array_size(v); i++) {
		text_puts(t, i > 0 ? "," : "");
		if (in >= 0 || i > 0)
			line_break(t, in);
		pretty(t, json_array_get(v, i), in);
	}
	if (depth >= 0)
		line_break(t, depth);
	text_puts(t, json_is_object(v) ? "}" : "]");
}

static void pretty(struct text *t, const json_t *v, int depth)
{
	if (!json_is_object(v) && !json_is_array(v)) {
		json_scalar(t, v);
		return;
	}
	if (depth <= 0) {
		members(t, v, depth);
		return;
	}
	struct text line = {.max = SHORT};
	members(&line, v, -1);
	if (line.failed)
		members(t, v, depth);
	else
		text_add(t, line.data, line.len);
	text_free(&line);
}

char *json_pretty(const json_t *value)
{
	struct text t = {.max = LIMIT_TEXT};
	pretty(&t, value, 0);
	if (t.failed) {
		text_free(&t);
		return NULL;
	}
	return t.data;
}

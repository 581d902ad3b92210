/* An Avro schema (JSON) as a table of types: each name is looked up once, here, and never again for a datum. */
#include "engine/alert/avro.h"
#include "engine/base/json.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A type that was given a name, for those that use it later, and inside itself. */
struct named {
	char *full;
	uint32_t node;
};

struct compiler {
	struct avro_schema *s;
	struct named *named;
	size_t count;
	int depth;
	struct err *e;
};

static int64_t type_compile(struct compiler *c, const json_t *type, const char *space);

static int64_t node_new(struct compiler *c, enum avro_kind kind)
{
	struct avro_schema *s = c->s;
	if (s->nodes >= AVRO_NODES)
		return err_set(c->e, ERR_LIMIT, "avro schema: over %u types", AVRO_NODES);
	if (s->nodes % 64 == 0) {
		struct avro_node *more = realloc(s->node, (s->nodes + 64) * sizeof *more);
		if (more == NULL)
			return err_set(c->e, ERR_MEMORY, "avro schema: no memory");
		s->node = more;
	}
	s->node[s->nodes] = (struct avro_node){.kind = kind};
	return (int64_t)s->nodes++;
}

/* Room for n kids side by side; their first, or -1. */
static int64_t kids_new(struct compiler *c, size_t n)
{
	struct avro_schema *s = c->s;
	if (n > AVRO_NODES || s->kids + n > 2 * AVRO_NODES)
		return err_set(c->e, ERR_LIMIT, "avro schema: over %u fields and symbols", 2 * AVRO_NODES);
	struct avro_kid *more = realloc(s->kid, (s->kids + n + 1) * sizeof *more);
	if (more == NULL)
		return err_set(c->e, ERR_MEMORY, "avro schema: no memory");
	s->kid = more;
	memset(s->kid + s->kids, 0, n * sizeof *more);
	s->kids += n;
	return (int64_t)(s->kids - n);
}

/* "name" in "space", or a name with dots as it is. malloc'd. */
static char *full_name(const char *name, const char *space)
{
	size_t room = strlen(name) + strlen(space) + 2;
	char *out = malloc(room);
	if (out != NULL)
		snprintf(out, room, "%s%s%s", strchr(name, '.') || !space[0] ? "" : space, strchr(name, '.') || !space[0] ? "" : ".", name);
	return out;
}

static int64_t primitive(const char *name)
{
	static const char *const names[] = {"null", "boolean", "int", "long", "float", "double", "bytes", "string"};
	for (int i = 0; i < 8; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return -1;
}

static int64_t name_compile(struct compiler *c, const char *name, const char *space)
{
	int64_t kind = primitive(name);
	if (kind >= 0)
		return node_new(c, (enum avro_kind)kind);
	char *full = full_name(name, space);
	for (size_t i = 0; full != NULL && i < c->count; i++) {
		if (strcmp(c->named[i].full, full) == 0 || strcmp(c->named[i].full, name) == 0) {
			free(full);
			return c->named[i].node;
		}
	}
	free(full);
	return err_set(c->e, ERR_INPUT, "avro schema: no type \"%.64s\"", name);
}

/* Remembers a named type before its inside is read: it may contain itself. Returns its namespace for what is inside (malloc'd), or NULL. */
static char *name_new(struct compiler *c, const json_t *type, const char *space, uint32_t node)
{
	const char *name = json_text(type, "name", "");
	char *full = full_name(name, json_text(type, "namespace", space)), *inside;
	struct named *more = realloc(c->named, (c->count + 1) * sizeof *more);
	if (more != NULL)
		c->named = more;
	if (full == NULL || more == NULL || name[0] == '\0') {
		free(full);
		err_set(c->e, name[0] ? ERR_MEMORY : ERR_INPUT, "avro schema: %s", name[0] ? "no memory" : "a record, enum or fixed without a name");
		return NULL;
	}
	c->named[c->count++] = (struct named){full, node};
	inside = strdup(full);
	if (inside == NULL)
		err_set(c->e, ERR_MEMORY, "avro schema: no memory");
	else
		*(strrchr(inside, '.') ? strrchr(inside, '.') : inside) = '\0';
	return inside;
}

static int kids_compile(struct compiler *c, int64_t node, const json_t *list, const char *space, bool fields)
{
	size_t i;
	json_t *v;
	int64_t first = kids_new(c, json_array_size(list));
	if (first < 0)
		return -1;
	c->s->node[node].first = (uint32_t)first;
	c->s->node[node].count = (uint32_t)json_array_size(list);
	json_array_foreach((json_t *)list, i, v) {
		const char *name = fields ? json_text(v, "name", NULL) : NULL;
		if (fields && name == NULL)
			return err_set(c->e, ERR_INPUT, "avro schema: a field without a name");
		int64_t kid = type_compile(c, fields ? json_object_get(v, "type") : v, space);
		if (kid < 0)
			return -1;
		c->s->kid[first + (int64_t)i] = (struct avro_kid){(uint32_t)kid, name};
	}
	return 0;
}

static int symbols_compile(struct compiler *c, int64_t node, const json_t *list)
{
	size_t i;
	json_t *v;
	int64_t first = kids_new(c, json_array_size(list));
	if (first < 0)
		return -1;
	c->s->node[node].first = (uint32_t)first;
	c->s->node[node].count = (uint32_t)json_array_size(list);
	json_array_foreach((json_t *)list, i, v) {
		if (!json_is_string(v))
			return err_set(c->e, ERR_INPUT, "avro schema: an enum's symbol that is no text");
		c->s->kid[first + (int64_t)i].name = json_string_value(v);
	}
	return 0;
}

static int one_kid(struct compiler *c, int64_t node, const json_t *type, const char *space)
{
	int64_t first = kids_new(c, 1), kid = first < 0 ? -1 : type_compile(c, type, space);
	if (kid < 0)
		return -1;
	c->s->kid[first].node = (uint32_t)kid;
	c->s->node[node].first = (uint32_t)first;
	c->s->node[node].count = 1;
	return 0;
}

static int named_compile(struct compiler *c, int64_t node, const json_t *type, const char *space)
{
	char *inside = name_new(c, type, space, (uint32_t)node);
	int64_t size = json_int(type, "size", -1);
	int rc = -1;
	if (inside == NULL)
		return -1;
	if (c->s->node[node].kind == AVRO_RECORD)
		rc = kids_compile(c, node, json_object_get(type, "fields"), inside, true);
	else if (c->s->node[node].kind == AVRO_ENUM)
		rc = symbols_compile(c, node, json_object_get(type, "symbols"));
	else if (size < 0 || size > (64 << 20))
		err_set(c->e, ERR_INPUT, "avro schema: a fixed of %lld bytes", (long long)size);
	else {
		c->s->node[node].count = (uint32_t)size;
		rc = 0;
	}
	free(inside);
	return rc;
}

static int64_t object_compile(struct compiler *c, const json_t *type, const char *space)
{
	static const struct {
		const char *name;
		enum avro_kind kind;
	} kinds[] = {{"record", AVRO_RECORD}, {"error", AVRO_RECORD}, {"enum", AVRO_ENUM}, {"fixed", AVRO_FIXED}, {"array", AVRO_ARRAY}, {"map", AVRO_MAP}};
	const json_t *of = json_object_get(type, "type");
	const char *name = json_string_value(of);
	if (name == NULL)
		return type_compile(c, of, space);
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		if (strcmp(kinds[i].name, name) != 0)
			continue;
		int64_t node = node_new(c, kinds[i].kind);
		if (node < 0)
			return -1;
		int rc = kinds[i].kind == AVRO_ARRAY ? one_kid(c, node, json_object_get(type, "items"), space)
			: kinds[i].kind == AVRO_MAP ? one_kid(c, node, json_object_get(type, "values"), space)
			: named_compile(c, node, type, space);
		return rc < 0 ? -1 : node;
	}
	return name_compile(c, name, space); /* {"type": "long", "logicalType": …} */
}

static int64_t type_compile(struct compiler *c, const json_t *type, const char *space)
{
	int64_t node = -1;
	if (++c->depth > AVRO_DEPTH)
		err_set(c->e, ERR_LIMIT, "avro schema: over %d types inside each other", AVRO_DEPTH);
	else if (json_is_string(type))
		node = name_compile(c, json_string_value(type), space);
	else if (json_is_object(type))
		node = object_compile(c, type, space);
	else if (json_is_array(type) && (node = node_new(c, AVRO_UNION)) >= 0)
		node = kids_compile(c, node, type, space, false) < 0 ? -1 : node;
	else
		err_set(c->e, ERR_INPUT, "avro schema: a type that is neither a name, an object nor a list");
	c->depth--;
	return node;
}

int avro_compile(const char *schema, size_t len, struct avro_schema *out, struct err *e)
{
	struct compiler c = {.s = out, .e = e};
	*out = (struct avro_schema){.json = json_read(schema, len, &json_limits_alert, e)};
	int64_t root = out->json != NULL ? type_compile(&c, out->json, "") : err_wrap(e, "avro schema");
	for (size_t i = 0; i < c.count; i++)
		free(c.named[i].full);
	free(c.named);
	if (root < 0) {
		avro_schema_free(out);
		return -1;
	}
	return 0;
}

void avro_schema_free(struct avro_schema *s)
{
	json_decref(s->json);
	free(s->node);
	free(s->kid);
	*s = (struct avro_schema){0};
}

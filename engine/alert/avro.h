/* Avro from strangers: one datum, by its writer's schema, as JSON (Apache Avro 1.11.1 Specification: schemas, binary encoding, object container files).
 * Every length is held against the bytes that are there; nothing is copied but what stays. */
#ifndef ENGINE_ALERT_AVRO_H
#define ENGINE_ALERT_AVRO_H
#include "engine/alert/skim.h"
#include <jansson.h>
#include <stdint.h>

#define AVRO_DEPTH 48      /* of a schema's types, and of a datum */
#define AVRO_NODES 4096u   /* types of a schema */
#define AVRO_VALUES 500000u/* of a datum */

enum avro_kind { AVRO_NULL, AVRO_BOOLEAN, AVRO_INT, AVRO_LONG, AVRO_FLOAT, AVRO_DOUBLE, AVRO_BYTES, AVRO_STRING, AVRO_RECORD, AVRO_ENUM, AVRO_ARRAY, AVRO_MAP,
	AVRO_UNION, AVRO_FIXED };

/* One type of a compiled schema. kids: of a record its fields, of a union its branches, of an array or a map its items. */
struct avro_node {
	enum avro_kind kind;
	uint32_t first, count;      /* kids: avro_schema.kid[first …]; of an enum its symbols; of a fixed: count bytes */
};
struct avro_kid {
	uint32_t node;
	const char *name;           /* field or symbol; NULL else. Borrowed from json */
};
struct avro_schema {
	json_t *json;
	struct avro_node *node;     /* node[0] is the root */
	struct avro_kid *kid;
	size_t nodes, kids;
};

int avro_compile(const char *schema, size_t len, struct avro_schema *out, struct err *e);
void avro_schema_free(struct avro_schema *s);

/* Reads one datum; *used: how many bytes it took. Records and maps become objects, unions the value of their branch, enums text, numbers that are not
 * finite null. bytes and fixed become null, and those named in cuts (member `key` of the object that is member `parent` of the root) say where they are.
 * New reference, or NULL with e set: what is wrong at which byte. */
json_t *avro_read(const struct avro_schema *s, const void *bytes, size_t len, size_t *used, struct skim_cut *cuts, size_t count, struct err *e);

/* The one record of an object container file (its schema is inside; codec null), as avro_read. */
json_t *avro_file_read(const void *bytes, size_t len, struct skim_cut *cuts, size_t count, struct err *e);
#endif

/* Avro's binary form → JSON: see avro.h. */
#include "engine/alert/avro.h"
#include "engine/base/bytes.h"
#include "engine/base/json.h"
#include <math.h>
#include <string.h>

struct reader {
	const struct avro_schema *s;
	const unsigned char *p;
	size_t at, len;
	int depth;
	size_t values;
	const char *key[3];          /* the member that is being read: key[1] of the root, key[2] of it */
	struct skim_cut *cuts;
	size_t count;
	struct err *e;
};

static json_t *value_read(struct reader *r, uint32_t node);

static json_t *broken(struct reader *r, const char *what)
{
	if (r->e->kind == ERR_NONE)
		err_set(r->e, ERR_INPUT, "avro: at byte %zu of %zu: %s", r->at, r->len, what);
	return NULL;
}

/* Zigzag, seven bits at a time, lowest first, at most ten bytes. */
static int long_read(struct reader *r, int64_t *out)
{
	uint64_t u = 0;
	for (int shift = 0; shift < 70; shift += 7) {
		if (r->at >= r->len)
			return broken(r, "the bytes end inside a number"), -1;
		unsigned char byte = r->p[r->at++];
		if (shift == 63 && byte > 1)
			break;
		u |= (uint64_t)(byte & 0x7f) << shift;
		if ((byte & 0x80) == 0) {
			*out = (int64_t)(u >> 1) ^ -(int64_t)(u & 1);
			return 0;
		}
	}
	return broken(r, "a number of over 64 bits"), -1;
}

/* A length and the bytes behind it. */
static int span_read(struct reader *r, struct span *out)
{
	int64_t n;
	if (long_read(r, &n) < 0)
		return -1;
	if (n < 0 || (uint64_t)n > r->len - r->at)
		return broken(r, "a length beyond the bytes that are there"), -1;
	*out = (struct span){(const char *)r->p + r->at, (size_t)n};
	r->at += (size_t)n;
	return 0;
}

static json_t *bytes_read(struct reader *r, struct span s)
{
	for (size_t i = 0; i < r->count && r->depth == 3; i++)
		if (r->key[1] != NULL && r->key[2] != NULL && strcmp(r->cuts[i].parent, r->key[1]) == 0 && strcmp(r->cuts[i].key, r->key[2]) == 0)
			r->cuts[i].found = s;
	return json_null();
}

static json_t *string_read(struct reader *r)
{
	struct span s;
	if (span_read(r, &s) < 0)
		return NULL;
	json_t *out = json_stringn(s.at, s.len);
	return out != NULL ? out : broken(r, "text that is not UTF-8");
}

static json_t *float_read(struct reader *r, size_t size)
{
	unsigned char b[8] = {0};
	if (r->len - r->at < size)
		return broken(r, "the bytes end inside a number");
	for (size_t i = 0; i < size; i++) /* little-endian */
		b[size == 8 ? 7 - i : 3 - i] = r->p[r->at + i];
	r->at += size;
	return json_real_or_null(size == 8 ? bytes_double(b) : (double)bytes_float(b));
}

static json_t *fixed_read(struct reader *r, uint32_t size)
{
	if (r->len - r->at < size)
		return broken(r, "the bytes end inside a fixed");
	struct span s = {(const char *)r->p + r->at, size};
	r->at += size;
	return bytes_read(r, s);
}

static json_t *record_read(struct reader *r, const struct avro_node *n)
{
	json_t *out = json_object();
	for (uint32_t i = 0; out != NULL && i < n->count; i++) {
		const struct avro_kid *field = &r->s->kid[n->first + i];
		if (r->depth < 3)
			r->key[r->depth] = field->name;
		json_t *v = value_read(r, field->node);
		if (v == NULL || json_object_set_new(out, field->name, v) < 0) {
			json_decref(out);
			return broken(r, "a field's name is not UTF-8");
		}
	}
	return out;
}

/* The head of a block of an array or map: how many items; 0 at the end. A negative count has its size in bytes behind it, which is not needed. */
static int block_read(struct reader *r, int64_t *items)
{
	int64_t bytes;
	if (long_read(r, items) < 0)
		return -1;
	if (*items >= 0)
		return 0;
	if (*items < -(int64_t)AVRO_VALUES)
		return broken(r, "a block of too many items"), -1;
	*items = -*items;
	return long_read(r, &bytes);
}

static json_t *items_read(struct reader *r, const struct avro_node *n)
{
	bool map = n->kind == AVRO_MAP;
	json_t *out = map ? json_object() : json_array();
	int64_t items = 0;
	while (out != NULL) {
		if (items == 0 && block_read(r, &items) < 0)
			break;
		if (items-- == 0)
			return out;
		json_t *key = map ? string_read(r) : NULL;
		if (map && key == NULL)
			break;
		if (map && r->depth < 3)
			r->key[r->depth] = NULL; /* a map's keys are no fields */
		json_t *v = value_read(r, r->s->kid[n->first].node);
		int rc = v == NULL ? -1 : map ? json_object_setn_new(out, json_string_value(key), json_string_length(key), v) : json_array_append_new(out, v);
		json_decref(key);
		if (rc < 0)
			break;
	}
	json_decref(out);
	return broken(r, "no memory for a list");
}

static json_t *union_read(struct reader *r, const struct avro_node *n)
{
	int64_t branch;
	if (long_read(r, &branch) < 0)
		return NULL;
	if (branch < 0 || branch >= n->count)
		return broken(r, "a union's branch that its schema does not have");
	r->depth--; /* a union is no level of its own */
	json_t *out = value_read(r, r->s->kid[n->first + (uint32_t)branch].node);
	r->depth++;
	return out;
}

static json_t *integer_read(struct reader *r)
{
	int64_t n;
	return long_read(r, &n) < 0 ? NULL : json_integer(n);
}

static json_t *enum_read(struct reader *r, const struct avro_node *n)
{
	int64_t i;
	if (long_read(r, &i) < 0)
		return NULL;
	return i >= 0 && i < n->count ? json_string(r->s->kid[n->first + (uint32_t)i].name) : broken(r, "a symbol that its enum does not have");
}

static json_t *kind_read(struct reader *r, const struct avro_node *n)
{
	struct span s;
	switch (n->kind) {
	case AVRO_NULL: return json_null();
	case AVRO_BOOLEAN: return r->at < r->len ? json_boolean(r->p[r->at++] != 0) : broken(r, "the bytes end inside a boolean");
	case AVRO_INT: case AVRO_LONG: return integer_read(r);
	case AVRO_FLOAT: return float_read(r, 4);
	case AVRO_DOUBLE: return float_read(r, 8);
	case AVRO_BYTES: return span_read(r, &s) < 0 ? NULL : bytes_read(r, s);
	case AVRO_STRING: return string_read(r);
	case AVRO_RECORD: return record_read(r, n);
	case AVRO_ENUM: return enum_read(r, n);
	case AVRO_ARRAY: case AVRO_MAP: return items_read(r, n);
	case AVRO_UNION: return union_read(r, n);
	case AVRO_FIXED: return fixed_read(r, n->count);
	}
	return broken(r, "a type of no known kind");
}

static json_t *value_read(struct reader *r, uint32_t node)
{
	if (++r->values > AVRO_VALUES)
		return broken(r, "too many values");
	if (++r->depth > AVRO_DEPTH) {
		r->depth--;
		return broken(r, "values too deep inside each other");
	}
	json_t *out = kind_read(r, &r->s->node[node]);
	r->depth--;
	return out;
}

json_t *avro_read(const struct avro_schema *s, const void *bytes, size_t len, size_t *used, struct skim_cut *cuts, size_t count, struct err *e)
{
	struct reader r = {.s = s, .p = bytes, .len = len, .cuts = cuts, .count = count, .e = e};
	json_t *out = value_read(&r, 0);
	*used = r.at;
	return out;
}

/* ---- object container files ---- */

#define SYNC 16

/* The file's head: its schema and codec; r.at stands behind the sync marker then. */
static int head_read(struct reader *r, struct span *schema, struct span *codec, const unsigned char **sync)
{
	int64_t items = 0;
	struct span key, value;
	r->at = 4;
	for (;;) {
		if (items == 0 && block_read(r, &items) < 0)
			return -1;
		if (items-- == 0)
			break;
		if (span_read(r, &key) < 0 || span_read(r, &value) < 0)
			return -1;
		if (key.len == 11 && memcmp(key.at, "avro.schema", 11) == 0)
			*schema = value;
		else if (key.len == 10 && memcmp(key.at, "avro.codec", 10) == 0)
			*codec = value;
	}
	if (r->len - r->at < SYNC)
		return broken(r, "the file ends before its first record"), -1;
	*sync = r->p + r->at;
	r->at += SYNC;
	return 0;
}

json_t *avro_file_read(const void *bytes, size_t len, struct skim_cut *cuts, size_t count, struct err *e)
{
	struct reader r = {.p = bytes, .len = len, .e = e};
	struct span text = {0}, codec = {"null", 4}, block;
	const unsigned char *sync = NULL;
	struct avro_schema s;
	int64_t records = 0;
	size_t used = 0;
	if (len < 4 || memcmp(bytes, "Obj\001", 4) != 0)
		return broken(&r, "this is no object container file");
	if (head_read(&r, &text, &codec, &sync) < 0)
		return NULL;
	if (codec.len != 4 || memcmp(codec.at, "null", 4) != 0) {
		err_set(e, ERR_INPUT, "avro: the file's codec is \"%.*s\"; only \"null\" is read", (int)(codec.len < 32 ? codec.len : 32), codec.at);
		return NULL;
	}
	if (long_read(&r, &records) < 0 || span_read(&r, &block) < 0)
		return NULL;
	if (records != 1 || r.len - r.at != SYNC || memcmp(r.p + r.at, sync, SYNC) != 0)
		return broken(&r, "not exactly one record, or its end is not marked");
	if (avro_compile(text.at, text.len, &s, e) < 0)
		return NULL;
	json_t *out = avro_read(&s, block.at, block.len, &used, cuts, count, e);
	if (out != NULL && used != block.len) {
		json_decref(out);
		out = broken(&r, "bytes are left behind the record");
	}
	avro_schema_free(&s);
	return out;
}

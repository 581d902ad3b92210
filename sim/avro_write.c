/* See avro_write.h. */
#include "sim/avro_write.h"
#include "engine/base/bytes.h"
#include <stdbool.h>
#include <string.h>

const char avro_igwn_schema[] =
	"{\"name\":\"Alert\",\"namespace\":\"igwn.alerts\",\"type\":\"record\",\"fields\":[{\"name\":\"alert_type\",\"type\":{\"name\":\"AlertType\",\"type\":\"enum\","
	"\"symbols\":[\"EARLYWARNING\",\"PRELIMINARY\",\"INITIAL\",\"UPDATE\",\"RETRACTION\"]}},{\"name\":\"time_created\",\"type\":\"string\"},"
	"{\"name\":\"superevent_id\",\"type\":\"string\"},{\"name\":\"event\",\"type\":[\"null\",{\"name\":\"EventInfo\",\"type\":\"record\",\"fields\":["
	"{\"name\":\"time\",\"type\":\"string\"},{\"name\":\"far\",\"type\":\"double\"},{\"name\":\"significant\",\"type\":\"boolean\"},"
	"{\"name\":\"instruments\",\"type\":{\"type\":\"array\",\"items\":\"string\"}},{\"name\":\"group\",\"type\":\"string\"},"
	"{\"name\":\"pipeline\",\"type\":\"string\"},{\"name\":\"search\",\"type\":\"string\"},{\"name\":\"classification\",\"type\":{\"type\":\"map\",\"values\":\"double\"}},"
	"{\"name\":\"properties\",\"type\":{\"type\":\"map\",\"values\":\"double\"}},{\"name\":\"mchirp_source\",\"type\":[\"null\",{\"name\":\"MchirpInfo\","
	"\"type\":\"record\",\"fields\":[{\"name\":\"bin_edges\",\"type\":{\"type\":\"array\",\"items\":\"double\"}},{\"name\":\"probabilities\",\"type\":"
	"{\"type\":\"array\",\"items\":\"double\"}}]}],\"default\":null},{\"name\":\"duration\",\"type\":[\"null\",\"double\"]},"
	"{\"name\":\"central_frequency\",\"type\":[\"null\",\"double\"]},{\"name\":\"skymap\",\"type\":[\"null\",\"bytes\"]}]}]},"
	"{\"name\":\"external_coinc\",\"type\":[\"null\",{\"name\":\"ExternalCoincInfo\",\"type\":\"record\",\"fields\":[{\"name\":\"gcn_notice_id\",\"type\":"
	"[\"int\",\"string\"]},{\"name\":\"ivorn\",\"type\":\"string\"},{\"name\":\"observatory\",\"type\":\"string\"},{\"name\":\"search\",\"type\":\"string\"},"
	"{\"name\":\"time_difference\",\"type\":\"double\"},{\"name\":\"time_coincidence_far\",\"type\":[\"null\",\"double\"]},"
	"{\"name\":\"time_sky_position_coincidence_far\",\"type\":[\"null\",\"double\"]},{\"name\":\"combined_skymap\",\"type\":[\"null\",\"bytes\"]}]}]},"
	"{\"name\":\"urls\",\"type\":{\"type\":\"map\",\"values\":\"string\"}}]}";

struct writer {
	const struct avro_schema *s;
	const struct skim_cut *given;
	size_t count;
	const char *parent, *key; /* where the value stands: a member of a member of the root */
	int depth;
	struct text *out;
	struct err *e;
};

static int value_write(struct writer *w, uint32_t node, const json_t *v);

static void long_write(struct text *out, int64_t n)
{
	uint64_t u = ((uint64_t)n << 1) ^ (uint64_t)(n >> 63);
	do {
		unsigned char byte = (unsigned char)((u & 0x7F) | (u > 0x7F ? 0x80 : 0));
		text_add(out, &byte, 1);
		u >>= 7;
	} while (u > 0);
}

static void span_write(struct text *out, const void *bytes, size_t len)
{
	long_write(out, (int64_t)len);
	text_add(out, bytes, len);
}

static void float_write(struct text *out, double value, bool wide)
{
	unsigned char b[8], little[8];
	size_t size = wide ? 8 : 4;
	if (wide)
		bytes_put_double(b, value);
	else
		bytes_put_float(b, (float)value);
	for (size_t i = 0; i < size; i++)
		little[i] = b[size - 1 - i];
	text_add(out, little, size);
}

static const struct span *given_of(const struct writer *w)
{
	for (size_t i = 0; i < w->count; i++)
		if (w->parent != NULL && w->key != NULL && strcmp(w->given[i].parent, w->parent) == 0 && strcmp(w->given[i].key, w->key) == 0 &&
			w->given[i].found.at != NULL)
			return &w->given[i].found;
	return NULL;
}

static bool fits(const struct writer *w, const struct avro_node *n, const json_t *v)
{
	switch (n->kind) {
	case AVRO_NULL: return (v == NULL || json_is_null(v)) && given_of(w) == NULL;
	case AVRO_BOOLEAN: return json_is_boolean(v);
	case AVRO_INT: case AVRO_LONG: return json_is_integer(v);
	case AVRO_FLOAT: case AVRO_DOUBLE: return json_is_number(v);
	case AVRO_STRING: case AVRO_ENUM: return json_is_string(v);
	case AVRO_BYTES: case AVRO_FIXED: return given_of(w) != NULL;
	case AVRO_ARRAY: return json_is_array(v);
	case AVRO_RECORD: case AVRO_MAP: return json_is_object(v);
	case AVRO_UNION: return true;
	}
	return false;
}

static int record_write(struct writer *w, const struct avro_node *n, const json_t *v)
{
	const char *parent = w->parent, *key = w->key;
	for (uint32_t i = 0; i < n->count; i++) {
		const struct avro_kid *field = &w->s->kid[n->first + i];
		w->parent = w->depth == 2 ? key : NULL;
		w->key = w->depth <= 2 ? field->name : NULL;
		if (value_write(w, field->node, json_object_get(v, field->name)) < 0)
			return err_wrap(w->e, "%s", field->name);
	}
	w->parent = parent;
	w->key = key;
	return 0;
}

static int items_write(struct writer *w, const struct avro_node *n, const json_t *v)
{
	const char *name;
	json_t *item;
	size_t i, count = n->kind == AVRO_MAP ? json_object_size(v) : json_array_size(v);
	if (count > 0)
		long_write(w->out, (int64_t)count);
	if (n->kind == AVRO_MAP) {
		json_object_foreach((json_t *)v, name, item) {
			span_write(w->out, name, strlen(name));
			if (value_write(w, w->s->kid[n->first].node, item) < 0)
				return -1;
		}
	} else {
		json_array_foreach((json_t *)v, i, item)
			if (value_write(w, w->s->kid[n->first].node, item) < 0)
				return -1;
	}
	long_write(w->out, 0);
	return 0;
}

static int union_write(struct writer *w, const struct avro_node *n, const json_t *v)
{
	for (uint32_t i = 0; i < n->count; i++) {
		uint32_t node = w->s->kid[n->first + i].node;
		if (!fits(w, &w->s->node[node], v))
			continue;
		long_write(w->out, i);
		w->depth--;
		int rc = value_write(w, node, v);
		w->depth++;
		return rc;
	}
	return err_set(w->e, ERR_INPUT, "fits no branch of its union");
}

static int enum_write(struct writer *w, const struct avro_node *n, const json_t *v)
{
	for (uint32_t i = 0; i < n->count; i++) {
		if (strcmp(w->s->kid[n->first + i].name, json_string_value(v)) == 0) {
			long_write(w->out, i);
			return 0;
		}
	}
	return err_set(w->e, ERR_INPUT, "\"%.40s\" is none of its enum", json_string_value(v));
}

static int kind_write(struct writer *w, const struct avro_node *n, const json_t *v)
{
	const unsigned char flag = json_is_true(v);
	switch (n->kind) {
	case AVRO_NULL: return 0;
	case AVRO_BOOLEAN: text_add(w->out, &flag, 1); return 0;
	case AVRO_INT: case AVRO_LONG: long_write(w->out, json_integer_value(v)); return 0;
	case AVRO_FLOAT: case AVRO_DOUBLE: float_write(w->out, json_number_value(v), n->kind == AVRO_DOUBLE); return 0;
	case AVRO_BYTES: span_write(w->out, given_of(w)->at, given_of(w)->len); return 0;
	case AVRO_STRING: span_write(w->out, json_string_value(v), json_string_length(v)); return 0;
	case AVRO_ENUM: return enum_write(w, n, v);
	case AVRO_RECORD: return record_write(w, n, v);
	case AVRO_ARRAY: case AVRO_MAP: return items_write(w, n, v);
	case AVRO_UNION: return union_write(w, n, v);
	case AVRO_FIXED:
		if (given_of(w)->len != n->count)
			return err_set(w->e, ERR_INPUT, "a fixed of another size");
		text_add(w->out, given_of(w)->at, n->count);
		return 0;
	}
	return -1;
}

static int value_write(struct writer *w, uint32_t node, const json_t *v)
{
	const struct avro_node *n = &w->s->node[node];
	if (!fits(w, n, v))
		return err_set(w->e, ERR_INPUT, "does not fit its type");
	if (w->depth >= AVRO_DEPTH)
		return err_set(w->e, ERR_LIMIT, "too deep");
	w->depth++;
	int rc = kind_write(w, n, v);
	w->depth--;
	return rc;
}

int avro_write(const struct avro_schema *s, const json_t *value, const struct skim_cut *given, size_t count, struct text *out, struct err *e)
{
	struct writer w = {.s = s, .given = given, .count = count, .out = out, .e = e};
	if (value_write(&w, 0, value) < 0)
		return err_wrap(e, "avro");
	return out->failed ? err_set(e, ERR_LIMIT, "avro: over %zu bytes", out->max) : 0;
}

int avro_file_write(const char *schema, const json_t *value, const struct skim_cut *given, size_t count, struct text *out, struct err *e)
{
	static const char sync[16] = "slew made this  ";
	struct avro_schema s;
	struct text datum = {.max = out->max};
	if (avro_compile(schema, strlen(schema), &s, e) < 0)
		return -1;
	int rc = avro_write(&s, value, given, count, &datum, e);
	avro_schema_free(&s);
	text_add(out, "Obj\001", 4);
	long_write(out, 2);
	span_write(out, "avro.codec", 10);
	span_write(out, "null", 4);
	span_write(out, "avro.schema", 11);
	span_write(out, schema, strlen(schema));
	long_write(out, 0);
	text_add(out, sync, sizeof sync);
	long_write(out, 1);
	span_write(out, datum.data != NULL ? datum.data : "", datum.len);
	text_add(out, sync, sizeof sync);
	text_free(&datum);
	return rc < 0 ? -1 : out->failed ? err_set(e, ERR_LIMIT, "avro: over %zu bytes", out->max) : 0;
}

/* Mutators that know JSON, and the promises of every JSON door: see door.h. */
#include "door.h"
#include "engine/base/json.h"
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

uint64_t fuzz_roll(struct fuzz_dice *d) /* splitmix64 */
{
	uint64_t z = d->state += UINT64_C(0x9E3779B97F4A7C15);
	z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
	return z ^ (z >> 31);
}

size_t fuzz_below(struct fuzz_dice *d, size_t n)
{
	return n ? (size_t)(fuzz_roll(d) % n) : 0;
}

/* ---- the tree ---- */
struct place {
	json_t *parent;      /* NULL: the root */
	const char *key;     /* of an object; NULL for an array */
	size_t index;
	json_t *value;       /* borrowed */
};

static size_t count_nodes(const json_t *v)
{
	size_t n = 1, i;
	const char *key;
	json_t *sub;
	json_object_foreach((json_t *)v, key, sub)
		n += count_nodes(sub);
	json_array_foreach(v, i, sub)
		n += count_nodes(sub);
	return n;
}

/* The nth node in order of text; *n is used up on the way. */
static bool find_node(struct place here, size_t *n, struct place *out)
{
	const char *key;
	json_t *sub;
	size_t i;
	if ((*n)-- == 0) {
		*out = here;
		return true;
	}
	json_object_foreach(here.value, key, sub)
		if (find_node((struct place){here.value, key, 0, sub}, n, out))
			return true;
	json_array_foreach(here.value, i, sub)
		if (find_node((struct place){here.value, NULL, i, sub}, n, out))
			return true;
	return false;
}

static struct place any_node(json_t *root, struct fuzz_dice *d)
{
	size_t n = fuzz_below(d, count_nodes(root));
	struct place out = {.value = root};
	find_node((struct place){.value = root}, &n, &out);
	return out;
}

static json_t *nasty(struct fuzz_dice *d)
{
	static const char *const words[] = {"", " ", "0", "-1", "NaN", "null", "true", "../../etc/passwd", "'; DROP TABLE input; --", "%s%n", "\xc3\xa9",
		("\xe2\x80\xae" "abc"), "\x7f", "\n", "2026-11-23T18:00:00Z", "9999-12-31T23:59:60Z", "0001-01-01T00:00:00", "http://127.0.0.1/", "1e999", "a/b|c", "\""};
	static const double numbers[] = {0, -0.0, 1, -1, 0.5, 1e-300, 5e-324, DBL_MAX, -DBL_MAX, 90, -90, 180, 360, 360.0000001, 24, 1e15, 9007199254740993.0,
		2147483648.0, 1e6, 86400, 3.5e38};
	static const json_int_t integers[] = {0, 1, -1, 2, 7, 100, 255, 256, 1000, 4096, 65535, 2147483647, -2147483648LL, 4294967296LL, INT64_MAX, INT64_MIN,
		INT64_MAX - 1, 1684432800000000LL, 9223372036854775LL, 86400};
	switch (fuzz_below(d, 9)) {
	case 0: return json_null();
	case 1: return json_true();
	case 2: return json_false();
	case 3: return json_object();
	case 4: return json_array();
	case 5: return json_string(words[fuzz_below(d, sizeof words / sizeof *words)]);
	case 6: return json_real(numbers[fuzz_below(d, sizeof numbers / sizeof *numbers)]);
	case 7: {
		char long_one[600];
		size_t n = fuzz_below(d, sizeof long_one);
		memset(long_one, 'a' + (int)fuzz_below(d, 26), n);
		return json_stringn(long_one, n);
	}
	default: return json_integer(integers[fuzz_below(d, sizeof integers / sizeof *integers)]);
	}
}

/* The same value a little different. New reference. */
static json_t *tweak(const json_t *v, struct fuzz_dice *d)
{
	char text[64];
	if (json_is_integer(v)) {
		uint64_t was = (uint64_t)json_integer_value(v), by = fuzz_below(d, 2) ? fuzz_below(d, 32) - 16 : UINT64_C(1) << fuzz_below(d, 63);
		return json_integer((json_int_t)(was + by));
	}
	if (json_is_real(v)) {
		double to = fuzz_below(d, 2) ? -json_real_value(v) : ldexp(json_real_value(v), (int)fuzz_below(d, 21) - 10);
		return isfinite(to) ? json_real(to) : json_integer(0);
	}
	if (json_is_string(v)) {
		uint8_t bytes[1024];
		size_t n = json_string_length(v) < sizeof bytes / 2 ? json_string_length(v) : sizeof bytes / 2;
		memcpy(bytes, json_string_value(v), n);
		n = fuzz_mutate_bytes(bytes, n, sizeof bytes);
		json_t *out = memchr(bytes, 0, n) == NULL ? json_stringn((const char *)bytes, n) : NULL;
		return out != NULL ? out : json_string("\xef\xbf\xbd");
	}
	if (json_is_number(v) || json_is_boolean(v)) {
		snprintf(text, sizeof text, "%d", json_is_true(v));
		return json_string(text);
	}
	return fuzz_below(d, 2) ? json_pack("[O]", v) : json_pack("{s:O}", "name", v);
}

static void put_at(json_t **root, const struct place *at, json_t *value)
{
	if (at->parent == NULL) {
		json_decref(*root);
		*root = value;
	} else if (at->key != NULL) {
		json_object_set_new(at->parent, at->key, value);
	} else {
		json_array_set_new(at->parent, at->index, value);
	}
}

static void drop_at(const struct place *at)
{
	if (at->parent != NULL && at->key != NULL)
		json_object_del(at->parent, at->key);
	else if (at->parent != NULL)
		json_array_remove(at->parent, at->index);
}

/* Doubles an element, or a member under another name of the document. */
static void double_at(json_t *root, const struct place *at, struct fuzz_dice *d)
{
	struct place other = any_node(root, d);
	if (at->parent == NULL)
		return;
	if (at->key == NULL)
		json_array_insert_new(at->parent, fuzz_below(d, json_array_size(at->parent) + 1), json_deep_copy(at->value));
	else if (other.key != NULL)
		json_object_set_new(at->parent, other.key, json_deep_copy(at->value));
}

static json_t *change_once(json_t *root, struct fuzz_dice *d)
{
	struct place at = any_node(root, d), other = any_node(root, d);
	json_t *copy;
	switch (fuzz_below(d, 10)) {
	case 0:
		drop_at(&at);
		break;
	case 1:
		double_at(root, &at, d);
		break;
	case 2:
	case 3:
		copy = json_deep_copy(other.value);
		put_at(&root, &at, copy);
		break;
	case 4:
	case 5:
		put_at(&root, &at, nasty(d));
		break;
	case 6: /* a member of another's name: absent here, unknown there */
		if (at.key != NULL && other.key != NULL && strcmp(at.key, other.key) != 0) {
			json_t *moved = json_incref(at.value);
			char name[128];
			snprintf(name, sizeof name, "%.127s", other.key);
			drop_at(&at);
			json_object_set_new(at.parent, name, moved);
		}
		break;
	default:
		put_at(&root, &at, tweak(at.value, d));
		break;
	}
	return root;
}

json_t *fuzz_change_json(json_t *value, struct fuzz_dice *d)
{
	for (size_t n = 1 + fuzz_below(d, 4); n > 0; n--)
		value = change_once(value, d);
	return value;
}

size_t fuzz_mutate_json(uint8_t *bytes, size_t len, size_t max, unsigned seed)
{
	struct fuzz_dice d = {seed};
	json_t *value = fuzz_below(&d, 8) == 0 ? NULL : json_loadb((const char *)bytes, len, JSON_DECODE_ANY, NULL);
	if (value == NULL)
		return fuzz_mutate_bytes(bytes, len, max);
	value = fuzz_change_json(value, &d);
	char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
	size_t n = text != NULL ? strlen(text) : 0;
	json_decref(value);
	if (n > 0 && n <= max)
		memcpy(bytes, text, n);
	free(text);
	return n > 0 && n <= max ? n : fuzz_mutate_bytes(bytes, len, max);
}

/* ---- promises ---- */
static int depth_of(const json_t *v)
{
	int deepest = 0, n;
	const char *key;
	json_t *sub;
	size_t i;
	json_object_foreach((json_t *)v, key, sub)
		deepest = (n = depth_of(sub)) > deepest ? n : deepest;
	json_array_foreach(v, i, sub)
		deepest = (n = depth_of(sub)) > deepest ? n : deepest;
	return deepest + (json_is_object(v) || json_is_array(v));
}

static size_t tokens_of(const json_t *v)
{
	size_t n = 1, i;
	const char *key;
	json_t *sub;
	json_object_foreach((json_t *)v, key, sub)
		n += 1 + tokens_of(sub);
	json_array_foreach(v, i, sub)
		n += tokens_of(sub);
	return n;
}

void fuzz_check_json(const json_t *value, const struct json_limits *limits)
{
	must(depth_of(value) <= limits->depth);
	must(tokens_of(value) <= limits->tokens);
	char *once = json_canonical(value);
	must(once != NULL);
	json_t *again = json_loads(once, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
	must(again != NULL);
	char *twice = json_canonical(again);
	must(twice != NULL && strcmp(once, twice) == 0);
	json_decref(again);
	free(once);
	free(twice);
}

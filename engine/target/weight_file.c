/* CSV of weights → a column of the catalogue: see weight_file.h. */
#include "engine/target/weight_file.h"
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct entry {
	char *name; /* folded, in the text; NULL: by id */
	int64_t id, line;
	double weight;
};

struct entries {
	struct entry *list;
	size_t count, cap;
	int key, weight; /* columns */
	int by_name;
};

/* One cell at *at, quotes and blanks around it removed; *at moves behind its comma, to NULL behind the last. */
static char *cell_next(char **at)
{
	char *s = *at + strspn(*at, " \t"), *out = s, *to;
	if (*s == '"') {
		for (to = out = ++s; *s != '\0' && !(s[0] == '"' && s[1] != '"'); s++) {
			s += *s == '"';
			*to++ = *s;
		}
		s += *s != '\0';
		s += strcspn(s, ",");
	} else {
		s += strcspn(s, ",");
		for (to = s; to > out && isspace((unsigned char)to[-1]); to--)
			;
	}
	*at = *s == ',' ? s + 1 : NULL;
	*to = '\0';
	return out;
}

static void fold(char *s)
{
	char *to = s;
	for (; *s; s++)
		if (!isspace((unsigned char)*s))
			*to++ = (char)toupper((unsigned char)*s);
	*to = '\0';
}

static int heading_read(struct entries *t, char *line, struct err *e)
{
	int column = 0;
	t->key = t->weight = -1;
	for (char *at = line; at != NULL; column++) {
		const char *name = cell_next(&at);
		if (strcasecmp(name, "weight") == 0)
			t->weight = column;
		else if (t->key < 0 && (strcasecmp(name, "id") == 0 || strcasecmp(name, "name") == 0))
			t->key = column, t->by_name = strcasecmp(name, "name") == 0;
	}
	return t->key >= 0 && t->weight >= 0 ? 0 : err_set(e, ERR_INPUT, "line 1: the heading must name a column weight, and id or name");
}

static int line_read(struct entries *t, char *line, int64_t number, struct err *e)
{
	struct entry n = {.line = number, .weight = NAN};
	const char *key = NULL;
	int column = 0;
	char *end;
	for (char *at = line; at != NULL; column++) {
		char *text = cell_next(&at);
		if (column == t->key) {
			key = n.name = text;
			n.id = strtoll(text, &end, 10);
			if (!t->by_name && (*text == '\0' || *end != '\0'))
				return err_set(e, ERR_INPUT, "line %lld: the id \"%.40s\" is not an integer", (long long)number, text);
		} else if (column == t->weight && *text != '\0') {
			n.weight = strtod(text, &end);
			if (*end != '\0' || !(n.weight >= 0) || !isfinite(n.weight))
				return err_set(e, ERR_INPUT, "line %lld: the weight \"%.40s\" is not a number of 0 or more", (long long)number, text);
		}
	}
	if (key == NULL)
		return err_set(e, ERR_INPUT, "line %lld: there is no %s", (long long)number, t->by_name ? "name" : "id");
	if (t->by_name)
		fold(n.name);
	else
		n.name = NULL;
	if (t->count == t->cap) {
		size_t cap = t->cap ? 2 * t->cap : 1024;
		struct entry *more = realloc(t->list, cap * sizeof *more);
		if (more == NULL)
			return err_set(e, ERR_MEMORY, "no memory for %zu weights", cap);
		t->list = more;
		t->cap = cap;
	}
	t->list[t->count++] = n;
	return 0;
}

static int key_compare(const struct entry *a, const struct entry *b)
{
	return a->name != NULL ? strcmp(a->name, b->name) : (a->id > b->id) - (a->id < b->id);
}

static int entry_compare(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int order = key_compare(x, y);
	return order ? order : (x->line > y->line) - (x->line < y->line);
}

/* The last line of a key, or NULL. */
static const struct entry *entry_find(const struct entries *t, const struct entry *key)
{
	size_t low = 0, high = t->count;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (key_compare(&t->list[mid], key) <= 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low > 0 && key_compare(&t->list[low - 1], key) == 0 ? &t->list[low - 1] : NULL;
}

static int entries_match(const struct entries *t, const struct catalog *c, double *column, int64_t *matched, struct err *e)
{
	*matched = 0;
	for (int64_t row = 0; row < c->count; row++) {
		struct catalog_row g;
		catalog_row_at(c, row, &g);
		struct entry key = {.name = t->by_name ? g.name : NULL, .id = g.id};
		if (t->by_name)
			fold(g.name);
		const struct entry *found = entry_find(t, &key);
		column[row] = found != NULL ? found->weight : NAN;
		*matched += found != NULL;
	}
	return *matched > 0 ? 0 : err_set(e, ERR_INPUT, "no %s of the %zu in it is one of the catalogue's", t->by_name ? "name" : "id", t->count);
}

int weight_file_read(char *text, const struct catalog *c, double **column, int64_t *matched, struct err *e)
{
	struct entries t = {.list = NULL};
	int64_t number = 0;
	int rc = 0;
	*column = NULL;
	for (char *line = text, *next; line != NULL && rc == 0; line = next) {
		next = strchr(line, '\n');
		if (next != NULL)
			*next++ = '\0';
		line[strcspn(line, "\r")] = '\0';
		number++;
		if (number == 1)
			rc = heading_read(&t, line, e);
		else if (line[strspn(line, " \t")] != '\0')
			rc = line_read(&t, line, number, e);
	}
	if (rc == 0 && t.count == 0)
		rc = err_set(e, ERR_INPUT, "there is no weight in it");
	if (rc == 0) {
		qsort(t.list, t.count, sizeof *t.list, entry_compare);
		*column = malloc((size_t)c->count * sizeof **column + 1);
		rc = *column == NULL ? err_set(e, ERR_MEMORY, "no memory for weights of %lld galaxies", (long long)c->count) :
			entries_match(&t, c, *column, matched, e);
	}
	free(t.list);
	if (rc < 0) {
		free(*column);
		*column = NULL;
	}
	return rc;
}

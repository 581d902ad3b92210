/* Recursive descent over `when`: types are checked here, SQL comes out with the same precedence, so nothing but this grammar reaches SQLite. */
#include "engine/base/near.h"
#include "engine/request/when_token.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum value_type { VALUE_NUMBER, VALUE_TEXT, VALUE_TRUTH };

/* What a part of the expression is. fact: index when it is a bare fact, else -1; literal: when it is a bare '…'. */
struct part {
	enum value_type type;
	struct token first;
	int fact;
	bool literal, map; /* map: a fact from the map is in it */
};

static void put(struct when_parser *p, const char *s)
{
	text_puts(&p->when->row, s);
	text_puts(&p->when->row, " ");
	text_puts(&p->when->bound, s);
	text_puts(&p->when->bound, " ");
}

/* Writes the token as it stands and reads the next. */
static int keep(struct when_parser *p)
{
	char word[256];
	snprintf(word, sizeof word, "%.*s", (int)p->now.len, p->now.at);
	put(p, word);
	return when_next(p);
}

static int expect(struct when_parser *p, const char *sign, const char *after)
{
	if (!when_is_sign(p, sign))
		return when_fault(p, p->now.column, "a \"%s\" is missing here, %s", sign, after);
	return keep(p);
}

/* ---- values ---- */
static int parse_or(struct when_parser *p, struct part *out);
static int parse_sum(struct when_parser *p, struct part *out);

static const char *type_words(const struct part *a)
{
	return a->type == VALUE_NUMBER ? "a number" : a->type == VALUE_TEXT ? "text" : "a comparison (true or false)";
}

static int need(struct when_parser *p, const struct part *a, enum value_type type, const char *what)
{
	if (a->type == type)
		return 0;
	if (type == VALUE_TRUTH && a->fact >= 0)
		return when_fault(p, a->first.column, "%s needs comparisons, and %s is %s; write %s", what, fact_info[a->fact].name, type_words(a),
			a->type == VALUE_NUMBER ? "for instance … > 0.5 or … = 1 after it" : "for instance … = 'INITIAL' after it");
	return when_fault(p, a->first.column, "%s needs %s, and this is %s", what,
		type == VALUE_TRUTH ? "comparisons" : type == VALUE_NUMBER ? "numbers" : "text", type_words(a));
}

static int unknown_name(struct when_parser *p)
{
	char name[64];
	struct near_best best = {0};
	snprintf(name, sizeof name, "%.*s", (int)p->now.len, p->now.at);
	if (when_is_word(p, "select") || when_is_word(p, "exists") || when_is_word(p, "case") || when_is_word(p, "from") ||
		when_is_word(p, "with") || when_is_word(p, "values"))
		return when_fault(p, p->now.column, "%s: no queries here, only a comparison of facts", name);
	if (when_is_word(p, "true") || when_is_word(p, "false"))
		return when_fault(p, p->now.column, "%s: flags are numbers; write 1 or 0", name);
	if (when_is_word(p, "null"))
		return when_fault(p, p->now.column, "NULL is compared by IS NULL or IS NOT NULL");
	if (p->at[strspn(p->at, " \t\r\n")] == '(')
		return when_fault(p, p->now.column, "no function \"%s\"; there are abs(x), min(x, y) and max(x, y)", name);
	for (int i = 0; i < FACT_COUNT; i++)
		near_try(&best, name, fact_info[i].name);
	const char *near = near_found(&best, name);
	return when_fault(p, p->now.column, "no fact \"%s\"%s%s%s (`slew policy facts` lists them)", name, near ? "; did you mean " : "",
		near ? near : "", near ? "?" : "");
}

static int parse_fact(struct when_parser *p, struct part *out)
{
	int i = fact_find(p->now.at, p->now.len);
	if (i < 0)
		return unknown_name(p);
	p->when->used[i] = true;
	p->map_facts += fact_info[i].from_map;
	out->type = fact_info[i].type == FACT_TEXT ? VALUE_TEXT : VALUE_NUMBER;
	out->fact = i;
	text_printf(&p->when->row, "f.%s ", fact_info[i].name);
	text_printf(&p->when->bound, "?%d ", i + 1);
	return when_next(p);
}

/* Numbers are written as reals: SQLite would divide integers as integers. */
static int parse_number(struct when_parser *p, struct part *out)
{
	char number[80];
	if (p->now.len > 40)
		return when_fault(p, p->now.column, "a number of %zu digits; 40 are enough", p->now.len);
	bool real = memchr(p->now.at, '.', p->now.len) || memchr(p->now.at, 'e', p->now.len) || memchr(p->now.at, 'E', p->now.len);
	snprintf(number, sizeof number, "%.*s%s", (int)p->now.len, p->now.at, real ? "" : ".0");
	put(p, number);
	out->type = VALUE_NUMBER;
	return when_next(p);
}

static int parse_text(struct when_parser *p, struct part *out)
{
	if (p->now.len > 200)
		return when_fault(p, p->now.column, "a text of %zu bytes; 200 are enough", p->now.len);
	out->type = VALUE_TEXT;
	out->literal = true;
	return keep(p);
}

static int parse_call(struct when_parser *p, struct part *out)
{
	struct token name = p->now;
	bool one = when_is_word(p, "abs");
	int count = 0;
	if (keep(p) < 0 || expect(p, "(", "after the function's name") < 0)
		return -1;
	for (;;) {
		struct part argument;
		if (parse_sum(p, &argument) < 0 || need(p, &argument, VALUE_NUMBER, "a function") < 0)
			return -1;
		count++;
		if (!when_is_sign(p, ","))
			break;
		if (keep(p) < 0)
			return -1;
	}
	if (one ? count != 1 : count < 2)
		return when_fault(p, name.column, "%.*s takes %s, here are %d", (int)name.len, name.at, one ? "one number" : "two numbers or more", count);
	out->type = VALUE_NUMBER;
	return expect(p, ")", "after the function's numbers");
}

static int parse_atom(struct when_parser *p, struct part *out)
{
	*out = (struct part){.first = p->now, .fact = -1};
	if (++p->depth > WHEN_DEPTH)
		return when_fault(p, p->now.column, "nested deeper than %d", WHEN_DEPTH);
	int rc = -1;
	if (when_is_sign(p, "-") || when_is_sign(p, "+")) {
		struct part inner;
		if (keep(p) < 0 || parse_atom(p, &inner) < 0 || need(p, &inner, VALUE_NUMBER, "a sign") < 0)
			return -1;
		out->type = VALUE_NUMBER;
		rc = 0;
	} else if (when_is_sign(p, "(")) {
		struct token first = p->now;
		if (keep(p) < 0)
			return -1;
		if (when_is_word(p, "select") || when_is_word(p, "with") || when_is_word(p, "values"))
			return unknown_name(p);
		if (parse_or(p, out) < 0)
			return -1;
		out->first = first;
		out->fact = -1;
		out->literal = false;
		rc = expect(p, ")", "to close the parenthesis");
	} else if (p->now.kind == TOKEN_NUMBER) {
		rc = parse_number(p, out);
	} else if (p->now.kind == TOKEN_TEXT) {
		rc = parse_text(p, out);
	} else if (when_is_word(p, "abs") || when_is_word(p, "min") || when_is_word(p, "max")) {
		rc = parse_call(p, out);
	} else if (p->now.kind == TOKEN_NAME) {
		rc = parse_fact(p, out);
	} else {
		rc = when_fault(p, p->now.column, p->now.kind == TOKEN_END ? "the expression ends here; a fact or a number is missing"
			: "a fact, a number or '…' belongs here");
	}
	p->depth--;
	return rc;
}

static int parse_product(struct when_parser *p, struct part *out)
{
	if (parse_atom(p, out) < 0)
		return -1;
	while (when_is_sign(p, "*") || when_is_sign(p, "/")) {
		struct part right;
		if (need(p, out, VALUE_NUMBER, "arithmetic") < 0 || keep(p) < 0 || parse_atom(p, &right) < 0 ||
			need(p, &right, VALUE_NUMBER, "arithmetic") < 0)
			return -1;
		out->fact = -1;
	}
	return 0;
}

static int parse_sum(struct when_parser *p, struct part *out)
{
	if (parse_product(p, out) < 0)
		return -1;
	while (when_is_sign(p, "+") || when_is_sign(p, "-")) {
		struct part right;
		if (need(p, out, VALUE_NUMBER, "arithmetic") < 0 || keep(p) < 0 || parse_product(p, &right) < 0 ||
			need(p, &right, VALUE_NUMBER, "arithmetic") < 0)
			return -1;
		out->fact = -1;
	}
	return 0;
}

/* ---- comparisons ---- */
/* Texts of closed lists: a word that can never match is a mistake. */
static int check_word(struct when_parser *p, const struct part *fact, const struct part *word)
{
	if (fact->fact != FACT_alert_type || !word->literal)
		return 0;
	struct near_best best = {0};
	char text[64];
	snprintf(text, sizeof text, "%.*s", (int)word->first.len - 2, word->first.at + 1);
	for (int t = 0; t < ALERT_TYPES; t++) {
		if (strcmp(text, alert_type_name((enum alert_type)t)) == 0)
			return 0;
		near_try(&best, text, alert_type_name((enum alert_type)t));
	}
	const char *near = near_found(&best, text);
	return when_fault(p, word->first.column, "no alert_type is '%s'%s%s%s (EARLYWARNING PRELIMINARY INITIAL UPDATE RETRACTION)", text,
		near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static int same_type(struct when_parser *p, const struct part *a, const struct part *b, bool ordered)
{
	if (a->type == VALUE_TRUTH || b->type == VALUE_TRUTH)
		return when_fault(p, (a->type == VALUE_TRUTH ? a : b)->first.column, "a comparison cannot be compared; join comparisons with AND or OR");
	if (a->type != b->type)
		return when_fault(p, b->first.column, "%s is compared with %s", type_words(a), type_words(b));
	if (ordered && a->type == VALUE_TEXT)
		return when_fault(p, a->first.column, "text has no order here; compare it with =, <> or IN");
	return check_word(p, a, b) < 0 || check_word(p, b, a) < 0 ? -1 : 0;
}

static int parse_between(struct when_parser *p, const struct part *left)
{
	struct part low, high;
	if (keep(p) < 0 || parse_sum(p, &low) < 0 || same_type(p, left, &low, true) < 0)
		return -1;
	if (!when_is_word(p, "and"))
		return when_fault(p, p->now.column, "BETWEEN a AND b: its AND is missing here");
	return keep(p) < 0 || parse_sum(p, &high) < 0 || same_type(p, left, &high, true) < 0 ? -1 : 0;
}

static int parse_in(struct when_parser *p, const struct part *left)
{
	if (keep(p) < 0 || expect(p, "(", "after IN") < 0)
		return -1;
	for (;;) {
		struct part item;
		if (parse_sum(p, &item) < 0 || same_type(p, left, &item, false) < 0)
			return -1;
		if (!when_is_sign(p, ","))
			return expect(p, ")", "after the list");
		if (keep(p) < 0)
			return -1;
	}
}

static void insert(struct text *t, size_t at, const char *before)
{
	char *tail = t->failed ? NULL : strdup(t->data + at);
	if (tail == NULL) {
		t->failed = true;
		return;
	}
	t->len = at;
	t->data[at] = '\0';
	text_puts(t, before);
	text_puts(t, tail);
	free(tail);
}

/* `x IS NULL` where x comes from the map: nobody can say while the map is being read. */
static int parse_is(struct when_parser *p, bool map, size_t row_at, size_t bound_at)
{
	if (keep(p) < 0)
		return -1;
	if (when_is_word(p, "not") && keep(p) < 0)
		return -1;
	if (!when_is_word(p, "null"))
		return when_fault(p, p->now.column, "IS NULL or IS NOT NULL; to compare with a value write =");
	if (keep(p) < 0)
		return -1;
	if (map) {
		char pending[64];
		snprintf(pending, sizeof pending, "CASE WHEN ?%d THEN NULL ELSE ", FACT_COUNT + 1);
		insert(&p->when->row, row_at, "CASE WHEN f.map_state = 'wanted' THEN NULL ELSE ");
		insert(&p->when->bound, bound_at, pending);
		put(p, "END");
	}
	return 0;
}

static bool is_comparison(const struct when_parser *p)
{
	return when_is_sign(p, "=") || when_is_sign(p, "<>") || when_is_sign(p, "<") || when_is_sign(p, "<=") || when_is_sign(p, ">") || when_is_sign(p, ">=") ||
		when_is_word(p, "between") || when_is_word(p, "in") || when_is_word(p, "is");
}

static int parse_comparison(struct when_parser *p, struct part *out)
{
	size_t row_at = p->when->row.len, bound_at = p->when->bound.len;
	int maps = p->map_facts, rc;
	if (parse_sum(p, out) < 0)
		return -1;
	bool negated = when_is_word(p, "not");
	if (negated && keep(p) < 0)
		return -1;
	if (negated && !when_is_word(p, "between") && !when_is_word(p, "in"))
		return when_fault(p, p->now.column, "NOT here wants IN or BETWEEN after it");
	if (!is_comparison(p))
		return 0;
	if (when_is_word(p, "between")) {
		rc = parse_between(p, out);
	} else if (when_is_word(p, "in")) {
		rc = parse_in(p, out);
	} else if (when_is_word(p, "is")) {
		if (out->type == VALUE_TRUTH)
			return when_fault(p, out->first.column, "a comparison cannot be asked for NULL; ask its facts");
		rc = parse_is(p, p->map_facts > maps, row_at, bound_at);
	} else {
		struct part right;
		bool ordered = !when_is_sign(p, "=") && !when_is_sign(p, "<>");
		rc = keep(p) < 0 || parse_sum(p, &right) < 0 || same_type(p, out, &right, ordered) < 0 ? -1 : 0;
	}
	if (rc == 0 && is_comparison(p))
		return when_fault(p, p->now.column, "a chain of comparisons; write a < b AND b < c, or b BETWEEN a AND c");
	out->type = VALUE_TRUTH;
	out->fact = -1;
	return rc;
}

static int parse_not(struct when_parser *p, struct part *out)
{
	if (!when_is_word(p, "not"))
		return parse_comparison(p, out);
	struct token first = p->now;
	if (++p->depth > WHEN_DEPTH)
		return when_fault(p, p->now.column, "nested deeper than %d", WHEN_DEPTH);
	if (keep(p) < 0 || parse_not(p, out) < 0 || need(p, out, VALUE_TRUTH, "NOT") < 0)
		return -1;
	p->depth--;
	out->first = first;
	return 0;
}

static int parse_and(struct when_parser *p, struct part *out)
{
	if (parse_not(p, out) < 0)
		return -1;
	while (when_is_word(p, "and")) {
		struct part right;
		if (need(p, out, VALUE_TRUTH, "AND") < 0 || keep(p) < 0 || parse_not(p, &right) < 0 || need(p, &right, VALUE_TRUTH, "AND") < 0)
			return -1;
	}
	return 0;
}

static int parse_or(struct when_parser *p, struct part *out)
{
	if (parse_and(p, out) < 0)
		return -1;
	while (when_is_word(p, "or")) {
		struct part right;
		if (need(p, out, VALUE_TRUTH, "OR") < 0 || keep(p) < 0 || parse_and(p, &right) < 0 || need(p, &right, VALUE_TRUTH, "OR") < 0)
			return -1;
	}
	return 0;
}

int when_parse(const char *expression, struct when *w, struct err *e)
{
	struct when_parser p = {.start = expression, .at = expression, .when = w, .e = e};
	struct part whole;
	if (strlen(expression) > WHEN_BYTES)
		return err_set(e, ERR_INPUT, "when: %zu bytes; at most %d", strlen(expression), WHEN_BYTES);
	if (when_next(&p) < 0)
		return -1;
	if (p.now.kind == TOKEN_END)
		return when_fault(&p, 1, "empty; write a comparison such as p_bns > 0.5");
	if (parse_or(&p, &whole) < 0)
		return -1;
	if (p.now.kind != TOKEN_END) {
		char rest[24];
		text_escape(rest, sizeof rest, p.now.at, strlen(p.now.at) < 12 ? strlen(p.now.at) : 12);
		return when_fault(&p, p.now.column, "the comparison is complete before \"%s\"; join with AND or OR", rest);
	}
	return need(&p, &whole, VALUE_TRUTH, "the whole expression");
}

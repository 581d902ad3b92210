/* The tokeniser of `when`: everything that is no word of the grammar is refused here, with advice. See when_token.h. */
#include "engine/request/when_token.h"
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

int when_fault(const struct when_parser *p, int column, const char *format, ...)
{
	char why[700];
	va_list ap;
	va_start(ap, format);
	vsnprintf(why, sizeof why, format, ap);
	va_end(ap);
	return err_set(p->e, ERR_INPUT, "when, column %d: %s", column, why);
}

static int column_of(const struct when_parser *p, const char *at)
{
	int column = 1;
	for (const char *s = p->start; s < at; s++)
		column += ((unsigned char)*s & 0xC0) != 0x80;
	return column;
}

static int bad_character(struct when_parser *p, int column)
{
	static const struct {
		const char *sign, *advice;
	} known[] = {{"==", "\"==\" is not used here; write = for equality"}, {":=", "an assignment; a policy only compares: write ="},
		{"!=", "\"!=\" is not used here; write <>"}, {"\"", "text stands in single quotes: 'INITIAL'"},
		{";", "\";\": one expression only, a comparison"}, {"--", "a comment; put words into `description`"},
		{"/*", "a comment; put words into `description`"}, {"&&", "\"&&\" is not used here; write AND"},
		{"||", "\"||\" is not used here; write OR"}, {"!", "\"!\" is not used here; write NOT"}, {"`", "names stand without quotes"},
		{"[", "names stand without brackets; lists as IN (1, 2)"}, {"?", "\"?\": there are no parameters; write the number"}};
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (strncmp(p->at, known[i].sign, strlen(known[i].sign)) == 0)
			return when_fault(p, column, "%s", known[i].advice);
	char shown[16];
	size_t n = 1;
	while (((unsigned char)p->at[n] & 0xC0) == 0x80)
		n++;
	text_escape(shown, sizeof shown, p->at, n);
	return when_fault(p, column, "\"%s\" has no meaning here; known are + - * / = <> < <= > >= ( ) , and words", shown);
}

static size_t number_length(const char *s)
{
	size_t n = strspn(s, "0123456789");
	if (s[n] == '.')
		n += 1 + strspn(s + n + 1, "0123456789");
	if (n > 1 || isdigit((unsigned char)s[0])) {
		size_t sign = s[n] == 'e' || s[n] == 'E' ? 1 + (s[n + 1] == '+' || s[n + 1] == '-') : 0;
		if (sign > 0 && isdigit((unsigned char)s[n + sign]))
			n += sign + strspn(s + n + sign, "0123456789");
	}
	return n;
}

static int next_text(struct when_parser *p)
{
	const char *s = p->at + 1;
	for (; *s != '\0'; s++) {
		if (*s == '\'' && s[1] == '\'')
			s++;
		else if (*s == '\'')
			break;
	}
	if (*s == '\0')
		return when_fault(p, p->now.column, "the text that begins here is not closed: a ' is missing");
	p->now.kind = TOKEN_TEXT;
	p->now.len = (size_t)(s + 1 - p->at);
	return 0;
}

int when_next(struct when_parser *p)
{
	static const char *const operators[] = {"<>", "<=", ">=", "+", "-", "*", "/", "=", "<", ">", "(", ")", ","};
	static const char *const never[] = {"==", "--", "/*"};
	p->at += strspn(p->at, " \t\r\n");
	p->now = (struct token){TOKEN_END, p->at, 0, column_of(p, p->at)};
	if (*p->at == '\0')
		return 0;
	for (size_t i = 0; i < sizeof never / sizeof never[0]; i++)
		if (strncmp(p->at, never[i], 2) == 0)
			return bad_character(p, p->now.column);
	if (isdigit((unsigned char)*p->at) || (*p->at == '.' && isdigit((unsigned char)p->at[1]))) {
		p->now.kind = TOKEN_NUMBER;
		p->now.len = number_length(p->at);
		if (isalnum((unsigned char)p->at[p->now.len]) || strchr("._", p->at[p->now.len] ? p->at[p->now.len] : ' ') != NULL)
			return when_fault(p, p->now.column, "a number must stand alone: 150, 0.5 or 1e-8 (units are in the fact's name)");
	} else if (isalpha((unsigned char)*p->at) || *p->at == '_') {
		p->now.kind = TOKEN_NAME;
		while (isalnum((unsigned char)p->at[p->now.len]) || p->at[p->now.len] == '_')
			p->now.len++;
	} else if (*p->at == '\'') {
		if (next_text(p) < 0)
			return -1;
	} else {
		for (size_t i = 0; p->now.len == 0 && i < sizeof operators / sizeof operators[0]; i++)
			if (strncmp(p->at, operators[i], strlen(operators[i])) == 0)
				p->now.len = strlen(operators[i]);
		if (p->now.len == 0)
			return bad_character(p, p->now.column);
		p->now.kind = TOKEN_OPERATOR;
	}
	p->at += p->now.len;
	return 0;
}

bool when_is_word(const struct when_parser *p, const char *word)
{
	return p->now.kind == TOKEN_NAME && strlen(word) == p->now.len && strncasecmp(p->now.at, word, p->now.len) == 0;
}

bool when_is_sign(const struct when_parser *p, const char *sign)
{
	return p->now.kind == TOKEN_OPERATOR && strlen(sign) == p->now.len && memcmp(p->now.at, sign, p->now.len) == 0;
}

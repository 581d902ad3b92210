/* The words of `when`, with their columns; only when*.c use it. */
#ifndef ENGINE_REQUEST_WHEN_TOKEN_H
#define ENGINE_REQUEST_WHEN_TOKEN_H
#include "engine/request/when.h"

enum token_kind { TOKEN_END, TOKEN_NUMBER, TOKEN_TEXT, TOKEN_NAME, TOKEN_OPERATOR };
struct token {
	enum token_kind kind;
	const char *at;
	size_t len;
	int column;
};

struct when_parser {
	const char *start, *at;
	struct token now;
	struct when *when;
	struct err *e;
	int depth, map_facts;
};

/* "when, column N: …"; always -1. */
int when_fault(const struct when_parser *p, int column, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Reads the next token into p->now; -1 for what is none. */
int when_next(struct when_parser *p);
/* Is the token this word (without regard to case), this sign? */
bool when_is_word(const struct when_parser *p, const char *word);
bool when_is_sign(const struct when_parser *p, const char *sign);
#endif

/* Errors: one struct, one sentence for a person. `return err_set(...)` from where it is known, err_wrap to add where. */
#ifndef ENGINE_BASE_ERR_H
#define ENGINE_BASE_ERR_H
#include <stddef.h>

enum err_kind { ERR_NONE, ERR_INPUT, ERR_USAGE, ERR_REFUSED, ERR_STORE, ERR_SYSTEM, ERR_LIMIT, ERR_MEMORY };

/* text: WHAT at WHERE: WHY; HOW TO MEND. Never a secret. Zero-initialise before use. */
struct err {
	enum err_kind kind;
	char text[1024];
};

/* Sets kind and text (cut to fit, control characters and bytes that are not UTF-8 escaped); always returns -1. */
int err_set(struct err *e, enum err_kind kind, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Puts "context: " before the text; always returns -1. */
int err_wrap(struct err *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Exit code: 1 bad input, 2 usage, 3 refused, 75 sick store. */
int err_exit(const struct err *e);

/* "slew: TEXT\n" on stderr; returns err_exit(e), never 0. */
int err_print(const struct err *e);

/* Own bugs only, kept in release: bytes from outside never reach it. */
#define must(x) ((x) ? (void)0 : err_must_fail(#x, __FILE__, __LINE__))
void err_must_fail(const char *what, const char *file, int line) __attribute__((noreturn, cold));

/* Where memory ends and nothing could go on honestly: says so on stderr and ends the process with exit 1. What was not committed has not
 * happened; a service is started again. */
#define must_memory(x) ((x) ? (void)0 : err_no_memory())
void err_no_memory(void) __attribute__((noreturn, cold));

/* malloc that never gives NULL. Every program gives it to jansson (json_set_alloc_funcs) before its first JSON: most of jansson's makers
 * and setters lose a member without a word when memory ends, and a decision would be made on half of the facts. */
void *err_malloc(size_t size);
#endif

/* Errors as values: see err.h. */
#include "engine/base/err.h"
#include "engine/base/text.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int err_set(struct err *e, enum err_kind kind, const char *format, ...)
{
	char raw[sizeof e->text];
	va_list ap;
	va_start(ap, format);
	vsnprintf(raw, sizeof raw, format, ap);
	va_end(ap);
	e->kind = kind;
	text_escape(e->text, sizeof e->text, raw, strlen(raw));
	return -1;
}

int err_wrap(struct err *e, const char *format, ...)
{
	char context[256], whole[sizeof context + sizeof e->text + 2];
	va_list ap;
	va_start(ap, format);
	vsnprintf(context, sizeof context, format, ap);
	va_end(ap);
	snprintf(whole, sizeof whole, "%s: %s", context, e->text);
	text_escape(e->text, sizeof e->text, whole, strlen(whole)); /* cuts at a character's edge */
	return -1;
}

int err_exit(const struct err *e)
{
	switch (e->kind) {
	case ERR_NONE:
		return 0;
	case ERR_USAGE:
		return 2;
	case ERR_REFUSED:
		return 3;
	case ERR_STORE:
		return 75;
	default:
		return 1;
	}
}

int err_print(const struct err *e)
{
	fprintf(stderr, "slew: %s\n", e->text[0] ? e->text : "failed, and no reason was given");
	return e->kind == ERR_NONE ? 1 : err_exit(e); /* somebody failed without a reason: still no success */
}

void err_must_fail(const char *what, const char *file, int line)
{
	fprintf(stderr, "slew: own bug at %s:%d: %s does not hold; please report it\n", file, line, what);
	abort();
}

void err_no_memory(void)
{
	static const char text[] = "slew: no memory is left; give it more (MemoryMax= of a service, ulimit -v of a shell), or less to do\n";
	ssize_t ignored = write(STDERR_FILENO, text, sizeof text - 1); /* no stdio: it may want memory */
	(void)ignored;
	_exit(1);
}

void *err_malloc(size_t size)
{
	void *p = malloc(size);
	must_memory(p != NULL || size == 0);
	return p;
}

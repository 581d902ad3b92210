/* What the parts of `slew check` share. */
#ifndef ENGINE_CMD_CHECK_H
#define ENGINE_CMD_CHECK_H
#include "engine/io/configure.h"

enum check_mark { CHECK_OK, CHECK_WARN, CHECK_WRONG };
struct check_sheet {
	int count[3];
};

/* One line, counted. */
void check_say(struct check_sheet *s, enum check_mark mark, const char *subject, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Everything that a valid configuration can still have wrong (check_config.c). */
void check_config(const struct config *c, struct check_sheet *s);
/* The configuration as understood. */
void check_print(const struct config *c);
#endif

/* Parts of `slew catalog`. */
#ifndef ENGINE_CMD_CATALOG_H
#define ENGINE_CMD_CATALOG_H

/* `slew catalog build …`: argv[1] is "build". Returns the exit code. */
int catalog_make(int argc, char **argv);

/* `slew catalog get …`: argv[1] is "get". Returns the exit code. */
int catalog_get(int argc, char **argv);

/* Reads a table through on all processors, with progress where standard error is a terminal, and keeps nothing but its counts in b->source[0]
 * and its report in b->report. b is made; its format may be set. */
struct catalog_builder;
struct err;
int catalog_look(struct catalog_builder *b, const char *path, struct err *e);
#endif
